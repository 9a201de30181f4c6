"""How long a person waits for the explorer's pictures, measured in a real browser.

Run: ``python -m tests.benchmarks.first_picture``. Prints a Markdown table: medians and ranges, with what each means.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.browser import lab
from tests.browser.chromium import find_browser, open_page
from tests.browser.test_explorer import BARS, NETWORK, data_point

CELL = """
import reluquant as rq
data = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8])
explorer = rq.explore(data, n_neurons={n_neurons})
explorer
"""
REPEATS = 5
MOVES = 12
RUN = "() => { window.jupyterapp.commands.execute('notebook:run-cell') }"


def seconds_to_picture(page) -> float:
    """Run the open notebook's cell and wait for curve and histogram."""
    page.evaluate("() => document.querySelectorAll('.jp-OutputArea-output').forEach(output => output.remove())")
    began = time.perf_counter()
    page.evaluate(RUN)
    page.wait_for_function(NETWORK, polling=20, timeout=180_000)
    page.wait_for_function(BARS, polling=20, timeout=180_000)
    return time.perf_counter() - began


def seconds_to_curve(page) -> list[float]:
    """Move one data point in small steps by mouse; time each until the drawn network changes."""
    box = data_point(page, 2).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    times = []
    for move in range(1, MOVES + 1):
        page.wait_for_timeout(700)
        before = page.evaluate(NETWORK)
        began = time.perf_counter()
        page.mouse.move(x + 2 * move, y + 6 * move)
        page.wait_for_function(f"before => ({NETWORK})() !== before", arg=before, polling=5, timeout=60_000)
        times.append(time.perf_counter() - began)
    page.mouse.up()
    return times


def row(what: str, times: list[float]) -> str:
    """One line of the table."""
    return f"| {what} | {statistics.median(times):.2f} s | {min(times):.2f}–{max(times):.2f} s, {len(times)} times |"


def main() -> None:
    """Measure and print."""
    browser = find_browser()
    if browser is None:
        sys.exit("There is no browser to measure in; run make browser first.")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = str(Path(folder) / "numba")
        server = lab.JupyterServer(Path(folder))
        rows = []
        try:
            with open_page(browser) as page:
                fresh = []
                for n in range(REPEATS + 1):
                    lab.open_notebook(page, server, server.write(f"fresh{n}.ipynb", [CELL.format(n_neurons=1000)]))
                    fresh.append(seconds_to_picture(page))
                    if n < REPEATS:
                        server.end_sessions()
                rows.append(row("cold: the first run ever, the integrator is compiled", fresh[:1]))
                rows.append(row("fresh kernel, compiled before (with `import reluquant`)", fresh[1:]))
                rows.append(row("warm: the cell run again", [seconds_to_picture(page) for _ in range(REPEATS)]))
                rows.append(row("mouse move to new curve, 1000 neurons", seconds_to_curve(page)))
                server.end_sessions()
                lab.open_notebook(page, server, server.write("wide.ipynb", [CELL.format(n_neurons=10_000)]))
                seconds_to_picture(page)
                rows.append(row("mouse move to new curve, 10,000 neurons", seconds_to_curve(page)))
        finally:
            server.stop()
    sys.stdout.write("\n".join(["| what | median | range |", "|---|---|---|", *rows]) + "\n")


if __name__ == "__main__":
    main()
