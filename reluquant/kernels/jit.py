"""The compiler flags of every kernel, in one place, and a cache on disk that cannot be stale.

numba stamps what it caches with the source file of the cached function only: after a change in a callee that lives in
another file it would run the old code. Here the stamp is a hash of all kernel sources, so any change of any of them
compiles anew. numba itself keys the entries by its version, by Python's, and by the processor.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from numba import config, njit
from numba.core.caching import FunctionCache, IndexDataCacheFile


def fingerprint(folder: Path) -> str:
    """Hash of all Python sources in a folder."""
    digest = hashlib.sha256()
    for source in sorted(folder.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


_SOURCES = fingerprint(Path(__file__).parent)


class _KernelCache(FunctionCache):
    """numba's cache of one function, stamped with all kernel sources."""

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, _SOURCES)


def kernel(function: Callable) -> Callable:
    """Compile a function on its first call, once per signature, and keep the code on disk."""
    # No fastmath: signs decide which way a neuron goes. nogil: a widget computes on its own thread.
    dispatcher = njit(nogil=True, error_model="numpy")(function)
    if not config.DISABLE_JIT:
        dispatcher._cache = _KernelCache(function)
    return dispatcher
