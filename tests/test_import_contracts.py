"""The rooms: what may import what, and that the contract bites."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def lint(folder: Path) -> subprocess.CompletedProcess:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache", "--config", "pyproject.toml"],
        cwd=folder, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(folder), "PATH": ""},
    )  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "reluquant", tmp_path / "reluquant", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_rooms_import_only_rooms_below():
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


BREACHES = {
    "a lower room imports a higher one": ("structures/dataset.py", "from reluquant.analysis import compare"),
    "a room imports a higher one inside a function": ("analysis/compare.py", "def f():\n    import reluquant.dynamics"),
    "a room imports the public face": ("kernels/breach.py", "import reluquant"),
    "a front end below the widgets": ("views/breach.py", "import ipywidgets"),
    "bqplot in the command line": ("cli.py", "from bqplot import Figure"),
    "a compiler outside the kernels": ("analysis/breach.py", "from numba import njit"),
    "torch outside training": ("dynamics/breach.py", "import torch"),
    "scipy in a kernel": ("kernels/breach.py", "import scipy.linalg"),
    "a new room that nobody placed": ("misc/__init__.py", ""),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_contract_bites(copy, breach):
    place, line = BREACHES[breach]
    target = copy / "reluquant" / place
    target.parent.mkdir(exist_ok=True)
    with target.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    result = lint(copy)
    assert result.returncode != 0, f"{breach} was accepted:\n{result.stdout}"
    assert "BROKEN" in result.stdout or "missing layers" in result.stdout.lower() + result.stderr.lower()
    if target.name != "__init__.py":
        assert "reluquant." in result.stdout


def test_torch_is_allowed_in_training(copy):
    (copy / "reluquant/dynamics/training/more.py").write_text("import torch\n", encoding="utf-8")
    assert lint(copy).returncode == 0
