"""What must be set before the first test module is imported."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent


def kernel_fingerprint(root: Path = ROOT) -> str:
    """Hash of all kernel sources."""
    digest = hashlib.sha256()
    for source in sorted((root / "reluquant" / "kernels").glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:16]


# numba looks only at the file of the function it loads from its cache: after a change in a callee of another
# file it would run the old code. A cache keyed to all sources cannot be stale.
_base = Path(os.environ.get("NUMBA_CACHE_DIR") or ROOT / ".cache" / "numba")
os.environ["NUMBA_CACHE_DIR"] = str(_base / kernel_fingerprint())
os.environ.setdefault("MPLBACKEND", "agg")
# ipykernel and jupyter_client read this when they start.
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")

# A first call compiles a kernel, which takes longer than any sensible deadline.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile(
    "ci", deadline=None, print_blob=True, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "default")


@pytest.fixture
def in_ci() -> bool:
    """Whether a missing tool is a failure and not a reason to skip."""
    return os.environ.get("CI") == "true"
