"""The quick-start notebook: where it lies, and JupyterLab opened on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

QUICKSTART = "00_quickstart.ipynb"


def quickstart_notebook(folder: Path) -> Path:
    """Return the quick-start notebook in ``folder``, copied there first if it is not there yet.

    A notebook that is there already is never overwritten: it may hold the reader's own work. In a
    checkout of reluquant it lies in ``notebooks`` and is used where it is.

    Parameters
    ----------
    folder : Path
        Where the reader wants to work.

    Returns
    -------
    Path
        ``folder / QUICKSTART``, or ``folder / "notebooks" / QUICKSTART`` if only that exists.

    Raises
    ------
    FileNotFoundError
        If neither the installed package nor a checkout holds the notebook.
    """
    target = folder / QUICKSTART
    for present in (target, folder / "notebooks" / QUICKSTART):
        if present.exists():
            return present
    package = Path(__file__).resolve().parent.parent
    # A wheel carries the notebooks inside the package; a checkout has them beside it.
    for home in (package / "notebooks", package.parent / "notebooks"):
        if (home / QUICKSTART).is_file():
            shutil.copyfile(home / QUICKSTART, target)
            return target
    raise FileNotFoundError(f"{QUICKSTART} is missing from this installation; reinstall reluquant.")


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
        Where the reader wants to work, as in :func:`quickstart_notebook`.
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
    command = lab_command(quickstart_notebook(folder), browser=browser, port=port)
    try:
        return subprocess.run(command, check=False).returncode
    except KeyboardInterrupt:  # Ctrl-C reaches the server as well, which asks and then stops by itself.
        return 0
