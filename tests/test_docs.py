"""The pages: built elsewhere; here what they must contain, and how they are spelled."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import reluquant
from reluquant import datasets

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = [
    *(("reluquant", name) for name in reluquant.__all__ if name not in ("__version__", "course", "datasets")),
    *(("reluquant.datasets", name) for name in datasets.__all__),
]


@pytest.mark.parametrize(("module", "name"), PUBLIC, ids=lambda part: part)
def test_every_public_name_has_a_runnable_example(module, name):
    value = getattr({"reluquant": reluquant, "reluquant.datasets": datasets}[module], name)
    text = inspect.getdoc(value)
    assert "Examples\n--------" in text
    assert ">>> " in text.partition("Examples\n--------")[2]


def test_words_are_spelled_as_in_dictionaries():
    checked = ("docs", "notebooks", "reluquant", "tests", "README.md", "CITATION.cff")
    run = subprocess.run(
        [sys.executable, "-m", "codespell_lib", *checked], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
