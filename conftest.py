"""What must be set before the first test module is imported."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent
# A benchmark that needs what only the dependency group `benchmarks` brings has no doctests to look for.
collect_ignore = [] if find_spec("shapely") else ["tests/benchmarks/overlay.py"]

os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".cache" / "numba"))
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
