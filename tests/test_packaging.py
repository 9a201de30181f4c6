"""What is asked of pip: bounds, pins, and what a wheel must carry."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = {
    "anywidget", "bqplot", "contourpy", "ipywidgets", "matplotlib", "numba", "numpy", "pooch", "scipy", "tqdm", "typer"
}  # fmt: skip


def requirements() -> list[str]:
    extras = PROJECT["project"]["optional-dependencies"].values()
    groups = PROJECT["dependency-groups"].values()
    return [*PROJECT["project"]["dependencies"], *(line for part in (*extras, *groups) for line in part)]


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_runtime_dependencies_are_these_and_no_others():
    names = {re.match(r"[a-z0-9-]+", line)[0] for line in PROJECT["project"]["dependencies"]}
    assert names == RUNTIME


def test_every_requirement_has_a_lower_bound_and_a_tested_version_above_it(pins):
    for line in requirements():
        name, bound = line.split(">=")
        assert version(pins[name]) >= version(bound), line


def test_torch_is_pinned(pins):
    assert pins["torch"] == "2.13.0"


def test_wheel_carries_the_notebooks_and_the_typing_marker():
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"notebooks": "reluquant/notebooks"}
    assert (ROOT / "reluquant" / "py.typed").exists()


def test_version_is_written_once():
    assert PROJECT["project"]["dynamic"] == ["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    source = (ROOT / PROJECT["tool"]["hatch"]["version"]["path"]).read_text(encoding="utf-8")
    (number,) = re.findall(r'^__version__ = "(.+)"$', source, flags=re.MULTILINE)
    assert f"version: {number}\n" in citation
