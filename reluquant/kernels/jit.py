"""The compiler flags of every kernel, in one place, and a cache on disk that cannot be stale.

numba makes every function that it compiles ready to be called on its own, from Python and from C: with wrappers, which
for arguments that hold a dozen arrays are longer than many a kernel, optimised, and as machine code. Where one function
calls another all of that is wasted, since the inner one is linked as intermediate code and optimised again with every
caller, and theirs. That took a third to a half of all compile time. So a kernel is compiled twice where it must be: for
Python only where Python calls it, and for other kernels as intermediate code only.

numba stamps what it caches with the source file of the cached function only: after a change in a callee that lives in
another file it would run the old code. Here the stamp is a hash of that file and of all files beside it that it
imports, directly or not, so any change of any of them compiles anew. numba itself keys the entries by its version, by
Python's, and by the processor.
"""

import ast
import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from llvmlite.binding import Linkage, parse_assembly
from numba import config, njit
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler


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

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        stamp = fingerprint(Path(function.__code__.co_filename))
        self._cache_file = IndexDataCacheFile(self._cache_path, self._impl.filename_base, stamp)
        # numba reads this first, and nothing else of an index where it differs: the types that the keys of a stale one
        # name may have moved to another module.
        self._cache_file._version += stamp


class _Part(JITCodeLibrary):
    """Intermediate code to be linked into callers, which are optimised and made machine code as a whole."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True
        linked = self._get_module_for_linking()
        # All that numba looks for in memory is the variable that holds the function's environment.
        variables = (str(variable) for variable in linked.global_variables if variable.linkage == Linkage.common)
        self._final_module = parse_assembly("\n".join([f'target triple = "{linked.triple}"', *variables]))
        super()._finalize_final_module()


class _PartCompiler(Compiler):
    """numba's compiler, with a `_Part` for its result."""

    def __init__(self, typingctx, targetctx, library, *rest) -> None:
        super().__init__(typingctx, targetctx, _Part(targetctx.codegen(), "part"), *rest)


def kernel(function: Callable, *, counts: bool = True) -> Callable:
    """Compile a function on its first call, once per signature, and keep the code on disk."""
    # No fastmath: signs decide which way a neuron goes. nogil: a widget computes on its own thread.
    compiled = partial(njit, nogil=True, error_model="numpy", no_cfunc_wrapper=True, _nrt=counts)
    whole = compiled()(function)
    if not config.DISABLE_JIT:
        whole._cache = _KernelCache(function)
        part = compiled(no_cpython_wrapper=True, pipeline_class=_PartCompiler)(function)
        # What numba asks a function for when it compiles a call of it.
        whole.get_call_template, whole.get_overload = part.get_call_template, part.get_overload
    return whole


# A kernel that neither makes nor returns arrays. numba counts the references to an array each time that it takes a row
# or passes it on, atomically: where loops are short that was half of all time.
lean_kernel = partial(kernel, counts=False)
