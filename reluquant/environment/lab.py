"""The notebooks: where they lie, JupyterLab opened on the first, and the dashboard served as a page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

QUICKSTART, DASHBOARD = "00_quickstart.ipynb", "dashboard.ipynb"


def notebook_here(folder: Path, name: str = QUICKSTART) -> Path:
    """Return a notebook of the package in ``folder``, copied there first if it is not there yet.

    A notebook that is there already is never overwritten: it may hold the reader's own work. In a
    checkout of reluquant it lies in ``notebooks`` and is used where it is.

    Parameters
    ----------
    folder : Path
        Where the reader wants to work.
    name : str
        Of the notebook.

    Returns
    -------
    Path
        ``folder / name``, or ``folder / "notebooks" / name`` if only that exists.

    Raises
    ------
    FileNotFoundError
        If neither the installed package nor a checkout holds the notebook.
    """
    target = folder / name
    for present in (target, folder / "notebooks" / name):
        if present.exists():
            return present
    package = Path(__file__).resolve().parent.parent
    # A wheel carries the notebooks inside the package; a checkout has them beside it.
    for home in (package / "notebooks", package.parent / "notebooks"):
        if (home / name).is_file():
            shutil.copyfile(home / name, target)
            return target
    raise FileNotFoundError(f"{name} is missing from this installation; reinstall reluquant.")


def lab_command(notebook: Path, *, browser: bool = True, port: int | None = None) -> list[str]:
    """Return the command that opens ``notebook`` in JupyterLab, on the loopback address and with a token.

    Parameters
    ----------
    notebook : Path
        What to open; the server sees its folder and nothing above it.
    browser : bool, default True
        Whether to open a browser; the address with its token is printed in any case.
    port : int, optional
        Port of the server; Jupyter's own choice if not given.

    Returns
    -------
    list of str
        Arguments for :func:`subprocess.run`.

    Raises
    ------
    ModuleNotFoundError
        If JupyterLab is not installed.
    """
    if util.find_spec("jupyterlab") is None:
        raise ModuleNotFoundError("JupyterLab is not installed; type: pip install 'jupyterlab>=4.4' 'ipykernel>=7.1'")
    # A fresh virtual environment is rarely activated: the interpreter in use is the one that has JupyterLab.
    command = [sys.executable, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"]
    command.append(f"--ServerApp.root_dir={notebook.parent}")
    # As the default page the notebook is also in the address that is printed for those without a browser here.
    command += [f"--LabApp.default_url=/lab/tree/{notebook.name}", "--log-level=WARN"]
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Containers run as root, where Jupyter refuses to start; a token on loopback still guards it.
        command.append("--allow-root")
    return command


def run_lab(folder: Path, *, browser: bool = True, port: int | None = None) -> int:
    """Open the quick-start notebook in JupyterLab and wait until the server is stopped.

    Parameters
    ----------
    folder : Path
        Where the reader wants to work, as in :func:`notebook_here`.
    browser, port
        As in :func:`lab_command`.

    Returns
    -------
    int
        The server's exit status; 0 after Ctrl-C.

    Raises
    ------
    FileNotFoundError, ModuleNotFoundError
        If the notebook or JupyterLab is not installed.
    """
    return _serve(lab_command(notebook_here(folder), browser=browser, port=port))


def dashboard_command(notebook: Path, *, browser: bool = True, port: int | None = None) -> list[str]:
    """Return the command that serves a notebook as a page without code, on the loopback address and with a token.

    Parameters
    ----------
    notebook, browser, port
        As in :func:`lab_command`.

    Returns
    -------
    list of str
        Arguments for :func:`subprocess.run`.

    Raises
    ------
    ModuleNotFoundError
        If Voilà is not installed.
    """
    if util.find_spec("voila") is None:
        raise ModuleNotFoundError("Voilà is not installed; type: pip install 'reluquant[dashboard]'")
    command = [sys.executable, "-m", "voila", str(notebook), "--Voila.ip=127.0.0.1", "--token"]
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command += [f"--Voila.port={port}", "--Voila.port_retries=0"]
    return command


def run_dashboard(folder: Path, *, browser: bool = True, port: int | None = None) -> int:
    """Serve the dashboard notebook as a page and wait until the server is stopped.

    Parameters
    ----------
    folder, browser, port
        As in :func:`run_lab`.

    Returns
    -------
    int
        The server's exit status; 0 after Ctrl-C.

    Raises
    ------
    FileNotFoundError, ModuleNotFoundError
        If the notebook or Voilà is not installed.
    """
    return _serve(dashboard_command(notebook_here(folder, DASHBOARD), browser=browser, port=port))


def _serve(command: list[str]) -> int:
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:  # Ctrl-C reaches the server as well, which asks and then stops by itself.
        return 0
