"""A Jupyter server on loopback, and what a person does in its notebooks.

A server is for JupyterLab or for Notebook 7, not for both: in one process they share a cache of static files,
and Notebook is then refused fonts that Lab asked for first. Assertions about the program's state go through the
notebook's own kernel, see :func:`kernel_run`.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
from playwright.sync_api import Locator, Page

# Notebook 7.6 throws these by itself while it starts, with an empty notebook and no widget.
KNOWN_ERRORS = (
    "page error: Cannot read properties of undefined (reading 'schema')",
    "page error: Command 'filebrowser:open-path' not registered.",
)
START_SECONDS = 60
RUN_MILLISECONDS = 180_000


class JupyterServer:
    """JupyterLab or Notebook 7 on 127.0.0.1, with a token and with folders of its own below ``folder``."""

    def __init__(self, folder: Path, app: str = "lab") -> None:
        self.app = app
        self.root = folder / "notebooks"
        self.root.mkdir(parents=True)
        self.token = secrets.token_hex(16)
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "server.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.root,
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_up()

    def _command(self) -> list[str]:
        command = [
            sys.executable, "-m", {"lab": "jupyterlab", "notebook": "notebook"}[self.app], "--no-browser",
            "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.root}",
            "--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly",
        ]  # fmt: skip
        return [*command, "--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else command

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/api", timeout=5).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
            else:
                return
        self.stop()
        raise RuntimeError(f"Jupyter did not start:\n{self._log.read_text()[-3000:]}")

    def write(self, name: str, cells: list[str]) -> str:
        """Write a notebook with these code cells; returns its name."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.root / name)
        return name

    def end_sessions(self) -> None:
        """Shut all kernels down: an animation left running would slow the next test."""
        for session in json.loads(self._call("GET", "/api/sessions")):
            self._call("DELETE", f"/api/sessions/{session['id']}")

    def _call(self, method: str, path: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def stop(self) -> None:
        """Stop the server and its kernels."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of the person's own Jupyter settings is read or written."""
    homes = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    environment = {**os.environ, **{name: str(folder / home) for name, home in homes.items()}}
    # A question about news would cover the notebook.
    news = folder / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false"}', encoding="utf-8")
    return environment


# --- what a person does ------------------------------------------------------------------------------------------

_KERNEL = "window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel"

# The page says "idle" before a session exists, and `?reset` starts a kernel twice: wait for the one that stays.
_READY = f"""() => {{
  const kernel = {_KERNEL};
  const idle = kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
  if (!idle) {{ window.__id = null; return false; }}
  if (window.__id !== kernel.id) {{ window.__id = kernel.id; window.__since = performance.now(); return false; }}
  return performance.now() - window.__since > 1200;
}}"""

_DONE = f"""() => {_KERNEL}?.status === 'idle' &&
  [...document.querySelectorAll('.jp-InputPrompt')].every(prompt => !prompt.textContent.includes('*'))"""

_CELL_ERRORS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .flatMap(cell => cell.type === 'code' ? cell.toJSON().outputs : [])
  .filter(output => output.output_type === 'error').map(output => `${output.ename}: ${output.evalue}`)"""

_EXECUTE = f"""async code => {{
  const kernel = {_KERNEL};
  const future = kernel.requestExecute({{code, store_history: false}});
  let text = '', error = '';
  future.onIOPub = message => {{
    if (message.header.msg_type === 'stream') text += message.content.text;
    if (message.header.msg_type === 'error') error = message.content.traceback.join('\\n');
  }};
  await future.done;
  return [text, error];
}}"""


def open_notebook(page: Page, server: JupyterServer, name: str) -> None:
    """Open a notebook and wait for its kernel."""
    page.server = server
    path = {"lab": f"/doc/tree/{name}?reset&", "notebook": f"/notebooks/{name}?"}[server.app]
    page.goto(f"{server.url}{path}token={server.token}")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=START_SECONDS * 1000)
    page.wait_for_function(_READY, timeout=START_SECONDS * 1000, polling=100)


def run_all(page: Page, *, timeout: int = RUN_MILLISECONDS) -> None:
    """Run all cells and wait until they are done; raises if one failed."""
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    wait_idle(page, timeout=timeout)
    errors = page.evaluate(_CELL_ERRORS)
    if errors:
        raise AssertionError("a cell failed:\n" + "\n".join(errors))


def wait_idle(page: Page, *, timeout: int = RUN_MILLISECONDS) -> None:
    """Wait until no cell is running or queued."""
    page.wait_for_timeout(300)  # let the first '*' appear
    page.wait_for_function(_DONE, timeout=timeout, polling=100)


def kernel_run(page: Page, code: str) -> str:
    """Run code in the notebook's own kernel, past its cells; returns what it printed, raises if it failed."""
    text, error = page.evaluate(_EXECUTE, code)
    if error:
        raise AssertionError(f"the kernel raised:\n{error}")
    return text.strip()


def drag(page: Page, target: Locator, dx: float, dy: float, *, steps: int = 12) -> None:
    """Drag the middle of an element by (dx, dy) pixels, in ``steps`` small moves, as a hand would."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=steps)
    page.mouse.up()


def set_theme(page: Page, *, dark: bool) -> None:
    """Switch between JupyterLab's light and dark theme and wait until it shows."""
    name = "JupyterLab Dark" if dark else "JupyterLab Light"
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
    shown = f"body[data-jp-theme-light='{'false' if dark else 'true'}']"
    page.wait_for_selector(shown, state="attached", timeout=10_000)


def screenshot(page: Page, name: str) -> Path | None:
    """Write a picture into the folder RELUQUANT_SCREENSHOTS, if that is set."""
    folder = os.environ.get("RELUQUANT_SCREENSHOTS")
    if not folder:
        return None
    path = Path(folder) / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    return path
