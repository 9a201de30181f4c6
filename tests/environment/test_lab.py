"""Where the quick-start notebook lies and the command that opens it."""

import subprocess
import sys
from pathlib import Path

import pytest

from reluquant.environment import lab as room
from reluquant.environment.lab import (
    DASHBOARD,
    QUICKSTART,
    dashboard_command,
    lab_command,
    notebook_here,
    run_dashboard,
    run_lab,
)


def test_notebook_is_copied_into_an_empty_folder(tmp_path):
    notebook = notebook_here(tmp_path)
    assert notebook == tmp_path / QUICKSTART
    assert '"cells"' in notebook.read_text(encoding="utf-8")


def test_a_readers_own_notebook_is_never_overwritten(tmp_path):
    (tmp_path / QUICKSTART).write_text("mine", encoding="utf-8")
    assert notebook_here(tmp_path).read_text(encoding="utf-8") == "mine"


def test_checkout_uses_its_notebook_in_place(tmp_path):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / QUICKSTART).write_text("of the checkout", encoding="utf-8")
    assert notebook_here(tmp_path) == tmp_path / "notebooks" / QUICKSTART
    assert [path.name for path in tmp_path.iterdir()] == ["notebooks"]
    assert notebook_here(tmp_path / "notebooks") == tmp_path / "notebooks" / QUICKSTART


def test_installed_package_carries_the_notebook(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "reluquant"
    (package / "notebooks").mkdir(parents=True)
    (package / "notebooks" / QUICKSTART).write_text("from the wheel", encoding="utf-8")
    monkeypatch.setattr(room, "__file__", str(package / "environment" / "lab.py"))
    assert notebook_here(tmp_path).read_text(encoding="utf-8") == "from the wheel"


def test_missing_notebook_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "__file__", str(tmp_path / "a" / "b" / "lab.py"))
    with pytest.raises(FileNotFoundError, match="missing from this installation"):
        notebook_here(tmp_path)


def test_command_stays_on_loopback_and_keeps_the_token():
    command = lab_command(Path("/somewhere") / QUICKSTART)
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert "--ServerApp.ip=127.0.0.1" in command
    assert f"--ServerApp.root_dir={Path('/somewhere')}" in command
    assert f"--LabApp.default_url=/lab/tree/{QUICKSTART}" in command
    assert not any("token" in part or "password" in part for part in command)


def test_browser_and_port_are_passed_on():
    assert "--no-browser" not in lab_command(Path(QUICKSTART))
    command = lab_command(Path(QUICKSTART), browser=False, port=9876)
    assert "--no-browser" in command
    assert "--ServerApp.port=9876" in command


@pytest.mark.parametrize(("user", "allowed"), [(0, True), (1000, False)])
def test_root_is_allowed_only_to_root(monkeypatch, user, allowed):
    monkeypatch.setattr(room.os, "geteuid", lambda: user, raising=False)
    assert ("--allow-root" in lab_command(Path(QUICKSTART))) is allowed


def test_without_jupyterlab_the_pip_line_is_named(monkeypatch):
    monkeypatch.setattr(room.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install 'jupyterlab>=4.4'"):
        lab_command(Path(QUICKSTART))


def test_running_passes_on_the_server_status_and_ctrl_c_is_no_failure(tmp_path, monkeypatch):
    commands = []

    def serve(command, check):
        commands.append(command)
        return subprocess.CompletedProcess(command, returncode=3)

    def interrupted(command, check):
        raise KeyboardInterrupt

    monkeypatch.setattr(room.subprocess, "run", serve)
    assert run_lab(tmp_path, browser=False, port=9876) == 3
    assert commands == [lab_command(tmp_path / QUICKSTART, browser=False, port=9876)]
    monkeypatch.setattr(room.subprocess, "run", interrupted)
    assert run_lab(tmp_path) == 0


def test_the_dashboard_stays_on_loopback_with_a_token():
    command = dashboard_command(Path(DASHBOARD), browser=False, port=9877)
    assert command[:4] == [sys.executable, "-m", "voila", DASHBOARD]
    assert {"--Voila.ip=127.0.0.1", "--token", "--no-browser", "--Voila.port=9877"} <= set(command)


def test_without_voila_the_pip_line_is_named(monkeypatch):
    monkeypatch.setattr(room.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'reluquant\[dashboard\]'"):
        dashboard_command(Path(DASHBOARD))


def test_the_dashboard_notebook_is_served_from_here(tmp_path, monkeypatch):
    commands = []

    def serve(command, check):
        commands.append(command)
        return subprocess.CompletedProcess(command, returncode=0)

    monkeypatch.setattr(subprocess, "run", serve)
    assert run_dashboard(tmp_path, browser=False) == 0
    assert (tmp_path / DASHBOARD).is_file()
    assert str(tmp_path / DASHBOARD) in commands[0]
