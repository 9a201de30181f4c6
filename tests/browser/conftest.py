"""Fixtures of the browser tests: one Jupyter server for all of them, one fresh page for each."""

import os
import shutil
from pathlib import Path

import pytest

from tests.browser.chromium import MISSING, find_browser, open_page
from tests.browser.lab import KNOWN_ERRORS, JupyterServer

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@pytest.fixture(scope="session")
def browser_path() -> str:
    path = find_browser()
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(MISSING)
    return path


@pytest.fixture(scope="session")
def jupyter(browser_path, tmp_path_factory):
    """A running JupyterLab whose root holds a copy of the project's notebooks."""
    yield from _serve(tmp_path_factory, "lab")


@pytest.fixture(scope="session")
def notebook7(browser_path, tmp_path_factory):
    """A running Notebook 7 whose root holds a copy of the project's notebooks."""
    yield from _serve(tmp_path_factory, "notebook")


@pytest.fixture(params=["jupyter", pytest.param("notebook7", marks=pytest.mark.slow)])
def either(request):
    """A running server: the test runs once in JupyterLab and once in Notebook 7."""
    return request.getfixturevalue(request.param)


def _serve(tmp_path_factory, app):
    server = JupyterServer(tmp_path_factory.mktemp(app), app)
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(notebook, server.root)
    yield server
    server.stop()


@pytest.fixture
def page(browser_path):
    """A fresh page; the test fails if the page reports an error that the test did not take off ``page.errors``."""
    with open_page(browser_path) as page:
        yield page
        server = getattr(page, "server", None)
        errors = [error for error in page.errors if error not in KNOWN_ERRORS]
    if server is not None:
        server.end_sessions()
    assert not errors, "the page reported errors:\n" + "\n".join(errors)
