"""The dashboard as a page without code, served by Voilà."""

import re
import secrets
import shutil
import subprocess
import time
import urllib.request

import pytest

from reluquant.environment.lab import DASHBOARD, dashboard_command
from tests.browser import lab
from tests.browser.conftest import NOTEBOOKS
from tests.browser.test_explorer import BARS, NETWORK

pytestmark = pytest.mark.browser
# A page is built when it is asked for: the kernel starts and runs the notebook first.
PAGE_MILLISECONDS = 120_000


@pytest.fixture
def address(tmp_path, browser_path):
    notebook = tmp_path / DASHBOARD
    shutil.copy(NOTEBOOKS / DASHBOARD, notebook)
    port, token = lab._free_port(), secrets.token_hex(8)
    command = [*dashboard_command(notebook, browser=False, port=port), f"--Voila.token={token}"]
    command.remove("--token")
    log = tmp_path / "voila.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=tmp_path, env=lab._environment(tmp_path), stdout=output, stderr=output)
    deadline = time.monotonic() + 60
    while "listening" not in log.read_text() and "running at" not in log.read_text() and time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}/", token
    server.terminate()
    server.wait(timeout=20)


def test_it_plays_without_code_and_asks_for_its_token(address, page):
    url, token = address
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert "/login" in answer.url
    page.goto(f"{url}?token={token}", timeout=PAGE_MILLISECONDS)
    page.wait_for_function(NETWORK, timeout=PAGE_MILLISECONDS)
    page.wait_for_timeout(1500)
    before = page.evaluate(NETWORK), page.evaluate(BARS)
    page.locator(".reluquant button[title^='Play']").click()
    page.wait_for_timeout(3000)
    assert page.evaluate(NETWORK) != before[0]
    assert page.evaluate(BARS) != before[1]
    assert not page.locator(".jp-CodeCell .jp-InputArea").count()
    lab.screenshot(page, "dashboard")
    # Not ours: Voilà asks a server far away for its icons, and opens an extension of Notebook that does not fit it.
    theirs = re.compile("404|favicon|fontawesome|jupyter-notebook")
    page.errors[:] = [error for error in page.errors if not theirs.search(error)]
