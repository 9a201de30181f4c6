"""The pages: built elsewhere; here what they must contain, and how they are spelled."""

import inspect
import re
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


def test_figures_about_peers_are_those_of_the_benchmarks():
    quoted = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8")
    measured = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "benchmarks").glob("*.md"))
    rows = [line.strip("| ").split(" | ") for line in quoted.splitlines() if line.endswith("× |")]
    assert len(rows) > 8
    known = [[cell.strip() for cell in line.strip("| ").split("|")] for line in measured.splitlines()]
    for method, wall, error, ours, ratio in rows:
        peer, setting = method.split(", ", 1)
        found = [row for row in known if row[1:3] == [peer, setting] and row[3] == wall and row[5] == error]
        assert any(row[6].startswith(ours) and row[7] == ratio for row in found), method
    for figure in re.findall(r"\d[\d.,]*(?:×| (?:µs|ms|s)\b)", quoted):
        assert re.search(rf"(?<![\d.]){re.escape(figure)}", measured), figure
