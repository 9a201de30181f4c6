"""Which versions are installed, and the known conflicts."""

import subprocess
import sys
from importlib import metadata

import pytest

import reluquant as rq
from reluquant.environment import doctor as room


@pytest.fixture
def installed(monkeypatch):
    """Pretend that exactly these packages are installed."""
    found = {
        "reluquant": "0.1.0", "numpy": "2.4.6", "ipywidgets": "8.1.9", "bqplot": "0.13.1",
        "anywidget": "0.11.0", "ipykernel": "7.4.0", "jupyterlab": "4.6.6", "notebook": "7.6.5",
    }  # fmt: skip

    def version(name: str) -> str:
        if name not in found:
            raise metadata.PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(room.metadata, "version", version)
    return found


def test_this_environment_is_sound():
    report = rq.doctor()
    assert report.ok, str(report)
    assert dict(report.versions)["numpy"] == metadata.version("numpy")
    assert dict(report.versions)["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")


def test_text_is_stable(installed):
    lines = str(rq.doctor()).splitlines()
    assert lines[1:4] == ["reluquant   0.1.0", "numpy       2.4.6", "numba       not installed"]
    assert lines[-1] == "No known conflicts."
    assert repr(rq.doctor()) == str(rq.doctor())


@pytest.mark.parametrize(
    ("package", "version", "sentence"),
    [
        ("bqplot-gl", "0.1.0", "bqplot-gl breaks the dragging of data points; type: pip uninstall bqplot-gl"),
        ("ipykernel", "7.0.0", "ipykernel 7.0.0 loses messages"),
        ("ipywidgets", "7.8.5", "ipywidgets 7.8.5 is too old; type: pip install 'ipywidgets>=8'."),
        ("bqplot", "0.12.45", "bqplot 0.12.45 is too old; type: pip install 'bqplot>=0.13'."),
        ("jupyterlab", "3.6.8", "jupyterlab 3.6.8 is too old; type: pip install 'jupyterlab>=4'."),
        ("notebook", "6.5.7", "notebook 6.5.7 is too old; type: pip install 'notebook>=7'."),
    ],
)
def test_known_conflicts_are_named_with_their_remedy(installed, package, version, sentence):
    installed[package] = version
    report = rq.doctor()
    assert not report.ok
    (problem,) = report.problems
    assert problem.startswith(sentence)
    assert f"PROBLEM: {problem}" in str(report)


@pytest.mark.parametrize(
    ("package", "version"),
    [("ipykernel", "7.1.0"), ("ipykernel", "6.30.1"), ("bqplot", "0.13.0rc1"), ("jupyterlab", "4")],
)
def test_sound_versions_raise_no_alarm(installed, package, version):
    installed[package] = version
    assert rq.doctor().ok


def test_missing_front_end_is_a_problem_but_missing_lab_is_not(installed):
    del installed["jupyterlab"], installed["notebook"], installed["ipykernel"]
    assert rq.doctor().ok
    del installed["bqplot"]
    assert "rq.explore cannot draw" in rq.doctor().problems[0]


def test_doctor_imports_none_of_what_it_examines():
    code = "import sys, reluquant as rq; rq.doctor(); print(*{m.split('.')[0] for m in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"numpy", "numba", "ipywidgets", "bqplot", "anywidget", "matplotlib"} & set(loaded)
