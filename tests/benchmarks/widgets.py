"""How fast the widgets draw: CPU time of a picture, and frames that a real page applies in a second.

Run: ``python -m tests.benchmarks.widgets [name …]``; without names, all of them. Prints Markdown tables.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

import reluquant as rq
from reluquant.views.direction_frames import DirectionFrames
from reluquant.views.direction_histogram_scene import direction_scene
from reluquant.views.direction_weight import Weight
from reluquant.views.packed_scene import packed_scene
from tests.browser import lab
from tests.browser.chromium import find_browser, open_page

REPEATS = 9
# A play takes 15 seconds at speed 1; that share of it is watched. Moments that are enough for 40 frames a second.
PLAY, WATCHED, ENOUGH = 15.0, 0.5, 600
# A picture has changed when the page has another tree of marks.
COUNT_FRAMES = """panel => {
  window.observer?.disconnect();
  window.frames_applied = 0;
  const plot = document.querySelector(`.reluquant svg[data-panel='${panel}']`);
  let waiting = false;
  window.observer = new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; window.frames_applied += 1; });
  });
  window.observer.observe(plot, { subtree: true, attributes: true, childList: true, characterData: true });
}"""

# --- histogram of weight directions -----------------------------------------------------------------------------------

# The panel that is watched.
DIRECTIONS = {"circle": "directions", "sphere": "positive", "heat map": "angles"}
DIRECTIONS_CELL = """
import reluquant as rq
from tests.benchmarks.widgets import direction_run
widget = rq.DirectionHistogram(direction_run({name!r}, {n_neurons}), max_seconds={seconds})
widget
"""


def direction_run(name: str, n_neurons: int) -> rq.Trajectory:
    """A run whose directions are shown in that way."""
    X = np.random.default_rng(0).standard_normal((8, 5))
    data, settings = {
        "circle": (rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8]), {"t_max": 40.0}),
        "sphere": (rq.Dataset(X[:, :2], X[:, 0] * X[:, 1]), {"t_max": 10.0, "rtol": 1e-4}),
        "heat map": (rq.Dataset(X, np.sin(X.sum(axis=1))), {"t_max": 10.0, "rtol": 1e-4}),
    }[name]
    net = rq.ShallowReLU.balanced(n_features=data.n_features, n_neurons=n_neurons, scale=1e-6, rng=0)
    return rq.gradient_flow(net, data, progress=False, **settings)


def direction_pictures(n_neurons: int = 100_000) -> None:
    """CPU time of a picture of directions: a new moment, and a moment that is ready."""
    write_row("directions of", "weight", "a new moment", "scene and packing of one that is ready")
    write_row("---", "---", "---", "---")
    for name in DIRECTIONS:
        frames = DirectionFrames(direction_run(name, n_neurons))
        moments = [float(t) for (t,) in frames.todo()[:4]]
        fresh = [cpu(partial(frames.at, t), repeats=1)[0] for t in moments]
        for weight in Weight if name != "heat map" else (Weight.COUNT,):
            drawn = [cpu(partial(_packed, frames, t, weight)) for t in moments]
            times = list(chain.from_iterable(drawn))
            write_row(f"{n_neurons:,} neurons, {name}", str(weight), span(fresh), span(times))


def _packed(frames: DirectionFrames, t: float, weight: Weight) -> dict:
    return packed_scene(direction_scene(frames, t, weight=weight))


def direction_plays(n_neurons: int = 100_000, seconds: float = 120.0) -> None:
    """Frames of a play of directions that a page applies in a second."""
    write_row("directions of", "moments ready", "frames a second", "frames a second with moments enough")
    write_row("---", "---", "---", "---")
    for name, panel in DIRECTIONS.items():
        cell = DIRECTIONS_CELL.format(name=name, n_neurons=n_neurons, seconds=seconds)
        with notebook(cell) as page:
            ready = int(lab.kernel_run(page, "widget.wait(400); print(widget._frames.ready().size)"))
            # Few moments pass faster at a higher speed: then drawing is what limits the pace.
            rates = [frames_a_second(page, panel, speed) for speed in (1.0, max(1.0, ENOUGH / ready))]
            write_row(f"{n_neurons:,} neurons, {name}", str(ready), *(f"{rate:.1f}" for rate in rates))


# --- the whole explorer over a minute ---------------------------------------------------------------------------------

EXPLORER_CELL = """
import reluquant as rq
widget = rq.explore(rq.datasets.sine(), n_neurons={n_neurons}, scale=1e-12)
widget
"""
# Plays one after the other, without a rest: a minute.
PLAYS = 4
NETWORK_AND_WORDS = """() => [document.querySelector('.rq-status')?.textContent.match(/t = ([0-9.e+-]+):/)?.[1]]"""


def explorer_minute(n_neurons: int = 1000) -> None:
    """Frames a second of the whole explorer, play by play of a minute, and how far the page is behind."""
    write_row("play", "frames a second", "page behind the kernel")
    write_row("---", "---", "---")
    with notebook(EXPLORER_CELL.format(n_neurons=n_neurons)) as page:
        lab.kernel_run(page, "widget.wait(120)")
        page.evaluate(COUNT_FRAMES, "directions")
        for play in range(PLAYS):
            lab.kernel_run(page, "widget.t = float(widget.trajectory.t[-1]); widget.play()")
            began, first = time.perf_counter(), page.evaluate("window.frames_applied")
            page.wait_for_timeout(1000 * (PLAY - 2.0))
            rate = (page.evaluate("window.frames_applied") - first) / (time.perf_counter() - began)
            behind = _behind(page)
            lab.kernel_run(page, "widget.wait(30)")
            write_row(str(play + 1), f"{rate:.1f}", f"{behind:.2f} s")


def _behind(page: Page) -> float:
    """Seconds until the page shows, in words, a moment that the kernel has just shown."""
    shown = lab.kernel_run(page, "from reluquant.views.sentences import number; print(number(widget.t))")
    began = time.perf_counter()
    page.wait_for_function(
        f"goal => Number(({NETWORK_AND_WORDS})()[0]) >= Number(goal)", arg=shown, polling=10, timeout=30_000
    )
    return time.perf_counter() - began


# --- network and interpolant in the plane -----------------------------------------------------------------------------

PLANE_CELL = """
import numpy as np, reluquant as rq
X = np.random.default_rng(0).uniform(-1, 1, (9, 2))
widget = rq.InterpolationExplorer(rq.Dataset(X, np.sin(2 * X[:, 0]) * X[:, 1]))
widget
"""


def planar_play() -> None:
    """Frames of a play of three colour maps that a page applies in a second."""
    write_row("panels", "frames a second")
    write_row("---", "---")
    with notebook(PLANE_CELL) as page:
        lab.kernel_run(page, "widget.wait(400)")
        for shows in ("all", "network"):
            lab.kernel_run(page, f"widget.shows = {shows!r}; widget.wait(60)")
            write_row(shows, f"{frames_a_second(page, 'network'):.1f}")


# --- shared ----------------------------------------------------------------------------------------------------------


def cpu(action: Callable[[], object], *, repeats: int = REPEATS) -> list[float]:
    """Milliseconds of CPU time of an action, each time it is done; before several times, once to warm up."""
    if repeats > 1:
        action()
    times = []
    for _ in range(repeats):
        began = time.process_time()
        action()
        times.append(1e3 * (time.process_time() - began))
    return times


def frames_a_second(page: Page, panel: str, speed: float = 1.0) -> float:
    """Play the widget from its start in the kernel and count how often the page draws the panel anew."""
    page.evaluate(COUNT_FRAMES, panel)
    lab.kernel_run(page, f"widget.t, widget.speed = float(widget.trajectory.t[-1]), {speed}; widget.play()")
    began, first = time.perf_counter(), page.evaluate("window.frames_applied")
    page.wait_for_timeout(1000 * WATCHED * PLAY / speed)
    rate = (page.evaluate("window.frames_applied") - first) / (time.perf_counter() - began)
    lab.kernel_run(page, "widget.pause()")
    return rate


@contextmanager
def notebook(cell: str) -> Iterator[Page]:
    """A page on which a cell has run that shows a widget called ``widget``."""
    browser = find_browser()
    if browser is None:
        sys.exit("There is no browser to measure in; run make browser first.")
    # The kernel looks for this package where it is looked for here.
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    with tempfile.TemporaryDirectory() as folder:
        server = lab.JupyterServer(Path(folder))
        try:
            with open_page(browser) as page:
                lab.open_notebook(page, server, server.write("widget.ipynb", [cell]))
                lab.run_all(page, timeout=400_000)
                yield page
        finally:
            server.stop()


def span(times: list[float]) -> str:
    """Median and range of milliseconds."""
    return f"{statistics.median(times):.1f} ms ({min(times):.1f} to {max(times):.1f})"


def write_row(*cells: str) -> None:
    """One line of a table."""
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


BENCHMARKS = {
    "direction_pictures": direction_pictures,
    "direction_plays": direction_plays,
    "explorer_minute": explorer_minute,
    "planar_play": planar_play,
}


def main(names: list[str]) -> None:
    """Measure and print."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
    for name in names or BENCHMARKS:
        sys.stdout.write(f"\n{name}\n\n")
        BENCHMARKS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
