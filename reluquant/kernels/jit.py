"""The compiler flags of every kernel, in one place, and a cache on disk that cannot be stale.

numba wraps every function that it compiles once for Python and once for C, and the wrappers of arguments that hold a
dozen arrays are longer than many a kernel: they took a seventh of all compile time. So a kernel is compiled without
them where another kernel calls it, and with that for Python only where Python does.

numba stamps what it caches with the source file of the cached function only: after a change in a callee that lives in
another file it would run the old code. Here the stamp is a hash of that file and of all files beside it that it
imports, directly or not, so any change of any of them compiles anew. numba itself keys the entries by its version, by
Python's, and by the processor.
"""

import ast
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from numba import config, njit
from numba.core.caching import FunctionCache, IndexDataCacheFile


@cache
def _imports(source: Path) -> frozenset[Path]:
    """The files beside ``source`` that it imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names |= {(node.module or "").rpartition(".")[2], *(alias.name for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name.rpartition(".")[2] for alias in node.names}
    beside = (source.with_name(f"{name}.py") for name in names)
    return frozenset(path for path in beside if path.exists())


@cache
def fingerprint(source: Path) -> str:
    """Hash of a source file and of all files beside it that it imports, directly or not."""
    found, new = set(), {source}
    while new:
        found |= new
        new = {path for known in new for path in _imports(known)} - found
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


class _KernelCache(FunctionCache):
    """numba's cache of one function, stamped with all sources that its code comes from."""

    def __init__(self, function: Callable, variant: str) -> None:
        super().__init__(function)
        stamp = fingerprint(Path(function.__code__.co_filename))
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base + variant, stamp)


def _compiled(function: Callable, variant: str, **wrappers: bool) -> Callable:
    # No fastmath: signs decide which way a neuron goes. nogil: a widget computes on its own thread.
    dispatcher = njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True, **wrappers)(function)
    if not config.DISABLE_JIT:
        dispatcher._cache = _KernelCache(function, variant)
    return dispatcher


def kernel(function: Callable) -> Callable:
    """Compile a function on its first call, once per signature, and keep the code on disk."""
    outer = _compiled(function, "")
    if not config.DISABLE_JIT:
        inner = _compiled(function, ".inner", no_cpython_wrapper=True)
        # What numba asks a function for when it compiles a call of it.
        outer.get_call_template, outer.get_overload = inner.get_call_template, inner.get_overload
    return outer
