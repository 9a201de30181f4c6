"""The cache on disk: a change of any kernel file compiles anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.codegen import JitEngine

import reluquant.kernels.jit as jit

CALLER = """
from package.callee import double
from package.jit import kernel

@kernel
def answer(x):
    return double(x) + 1.0

if __name__ == "__main__":
    from package.caller import answer
    print(answer(3.0), sum(answer.stats.cache_hits.values()))
"""
CALLEE = """
from package.jit import kernel

@kernel
def double(x):
    return 2.0 * x
"""


def test_a_cached_caller_notices_a_change_in_another_file(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    shutil.copy(Path(jit.__file__), package / "jit.py")
    (package / "caller.py").write_text(CALLER)
    (package / "callee.py").write_text(CALLEE)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run():
        command = [sys.executable, "-B", "-m", "package.caller"]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    assert run().split() == ["7.0", "0"]
    assert run().split() == ["7.0", "1"]
    (package / "callee.py").write_text(CALLEE.replace("2.0", "5.0"))
    assert run().split() == ["16.0", "0"]


MOVED = """
from typing import NamedTuple
from package.jit import kernel

class Pair(NamedTuple):
    first: float
    second: float

@kernel
def total(pair):
    return pair.first + pair.second
"""
USER = """
from package.{home} import Pair, total
print(total(Pair(1.0, 2.0)), sum(total.stats.cache_hits.values()))
"""


def test_a_cache_whose_types_have_moved_is_stale_and_no_error(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    shutil.copy(Path(jit.__file__), package / "jit.py")
    (package / "types.py").write_text(MOVED.split("@kernel")[0])
    (package / "sums.py").write_text("from package.types import Pair, kernel\n\n@kernel" + MOVED.split("@kernel")[1])
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def run():
        command = [sys.executable, "-B", "-c", USER.format(home="sums")]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout

    assert run().split() == ["3.0", "0"]
    assert run().split() == ["3.0", "1"]
    (package / "pairs.py").write_text((package / "types.py").read_text())
    (package / "types.py").write_text("")
    (package / "sums.py").write_text((package / "sums.py").read_text().replace("package.types", "package.pairs"))
    assert run().split() == ["3.0", "0"]


@pytest.mark.skipif(jit.config.DISABLE_JIT, reason="nothing is compiled")
def test_a_kernel_becomes_machine_code_only_where_python_calls_it(monkeypatch, tmp_path):
    monkeypatch.setattr(jit.config, "CACHE_DIR", str(tmp_path))
    compiled, add_module = [], JitEngine.add_module

    def add(engine, module):
        # Others belong to numba's runtime.
        ours = [function for function in module.functions if __name__.rpartition(".")[2] in function.name]
        compiled.append(any(not function.is_declaration for function in ours))
        return add_module(engine, module)

    monkeypatch.setattr(JitEngine, "add_module", add)

    @jit.kernel
    def double(x):
        return 2.0 * x

    @jit.kernel
    def answer(x):
        return double(x) + 1.0

    assert answer(3.0) == 7.0
    assert sum(compiled) == 1
    # What was linked into the caller has no code of its own: calling that would crash the process.
    assert double(3.0) == 6.0
    assert sum(compiled) == 2


@pytest.mark.skipif(jit.config.DISABLE_JIT, reason="nothing is compiled")
def test_a_lean_kernel_counts_no_references(monkeypatch, tmp_path):
    monkeypatch.setattr(jit.config, "CACHE_DIR", str(tmp_path))
    counting = {}
    for kernel in (jit.kernel, jit.lean_kernel):

        @kernel
        def largest(row):
            best = row[0]
            for value in row:
                best = max(best, value)
            return best

        @kernel
        def total(table):
            rows = 0.0
            for i in range(table.shape[0]):
                row = table[i]
                rows += largest(row[1:]) if table[0, 0] > i else largest(row)
            return rows

        assert total(np.arange(6.0).reshape(2, 3)) == 7.0
        counting[kernel] = "@NRT_incref" in next(iter(total.inspect_llvm().values()))
    assert counting == {jit.kernel: True, jit.lean_kernel: False}
