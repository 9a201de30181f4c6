"""Find a Chromium and drive it headless."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

CANDIDATES = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "No Chromium found, so browser tests are skipped (in CI they fail); install it or set RELUQUANT_BROWSER."
FLAGS = [
    "--disable-dev-shm-usage",  # /dev/shm is small in containers
    "--disable-gpu",  # SVG and 2-D canvas need no GL, and software GL paints 10 instead of 60 frames a second
    # A headless page counts as hidden, and hidden pages are throttled.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--force-color-profile=srgb",
    # Nothing but the page under test may use the network.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_browser() -> str | None:
    """Path of the browser: RELUQUANT_BROWSER if set, else the first Chromium or Chrome found."""
    named = os.environ.get("RELUQUANT_BROWSER")
    if named:
        return shutil.which(named)
    return next((found for candidate in CANDIDATES if (found := shutil.which(candidate))), None)


@contextlib.contextmanager
def open_page(browser: str, *, width: int = 1280, height: int = 1400) -> Iterator[Page]:
    """Yield a page whose ``errors`` list collects uncaught exceptions and console errors."""
    # Chromium's sandbox does not work for root.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, headless=True, args=[*sandbox, *FLAGS])
        try:
            page = chromium.new_context(viewport={"width": width, "height": height}).new_page()
            page.errors = []
            page.on("pageerror", lambda error: page.errors.append(f"page error: {error}"))
            page.on("console", lambda message: _note(page, message))
            yield page
        finally:
            chromium.close()


def _note(page: Page, message: ConsoleMessage) -> None:
    if message.type == "error":
        page.errors.append(f"console: {message.text} ({message.location.get('url', '')})")


if __name__ == "__main__":
    path = find_browser()
    print(path or MISSING)
    sys.exit(path is None)
