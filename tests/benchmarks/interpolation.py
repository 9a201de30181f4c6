"""Interpolation on triangles beside scipy and matplotlib: making the interpolant's search structure, and queries.

Run: ``python -m tests.benchmarks.interpolation``. Measures in one run and writes docs/benchmarks/interpolation.md; a
benchmark, not a test.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from matplotlib.tri import LinearTriInterpolator
from matplotlib.tri import Triangulation as MatplotlibTriangulation
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay

import reluquant as rq

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks" / "interpolation.md"
SIZES = (1_000, 10_000, 100_000)
QUERIES = 1_000_000
REPEATS = 5
# Peers in random order take ten seconds and more: fewer queries, and the time scaled up.
FEW = 100_000
MANY_FEATURES = ((6, 100), (20, 200), (100, 200), (784, 1000))


def seconds(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median processor time and median wall of some calls, after one to warm up."""
    call()
    busy, wall = [], []
    for _ in range(repeats):
        began, clock = time.process_time(), time.perf_counter()
        call()
        busy.append(time.process_time() - began)
        wall.append(time.perf_counter() - clock)
    return statistics.median(busy), statistics.median(wall)


def plane_rows() -> list[str]:
    """One row for each number of points, method and order of queries."""
    rows = []
    for n in SIZES:
        rng = np.random.default_rng(n)
        points, queries = rng.random((n, 2)), rng.random((QUERIES, 2))
        values = np.sin(20 * points[:, 0]) * points[:, 1]
        built = Delaunay(points)
        triangles = rq.Triangulation(points, built.simplices, built.neighbors)
        ours = rq.SimplicialInterpolant(triangles, values, "nan")
        scipys = LinearNDInterpolator(built, values)
        matplotlibs = LinearTriInterpolator(MatplotlibTriangulation(*points.T, built.simplices), values)
        methods = {
            "reluquant, one thread": (ours, QUERIES),
            "reluquant, two threads": (in_two_threads(ours), QUERIES),
            "scipy LinearNDInterpolator": (scipys, FEW),
            "matplotlib LinearTriInterpolator": (lambda x, f=matplotlibs: f(*x.T), FEW),
        }
        # By buckets of a grid, row by row: what a picture's pixels come to.
        cell = np.floor(queries * np.sqrt(n)).astype(int)
        for order, permutation in (("random", slice(None)), ("sorted", np.lexsort(cell.T[::-1]))):
            x = np.ascontiguousarray(queries[permutation])
            for name, (call, count) in methods.items():
                count = QUERIES if order == "sorted" else count
                part = x[:count]
                busy, wall = seconds(lambda call=call, part=part: call(part), REPEATS if count == QUERIES else 2)
                factor = QUERIES / count
                rows.append(f"| {n:,} | {order} | {name} | {busy * factor:.3f} | {wall * factor:.3f} |")
        agree = np.nanmax(np.abs(ours(queries[:FEW]) - scipys(queries[:FEW])))
        locator = seconds(lambda t=triangles: ready(t), 3)[0]
        rows.append(f"| {n:,} | – | reluquant: buckets, once a triangulation | {locator:.3f} | |")
        print(f"n = {n}: largest difference to scipy {agree:.1e}", flush=True)
    return rows


def in_two_threads(f: rq.SimplicialInterpolant) -> Callable:
    """The same function, half of the queries on another thread."""
    pool = ThreadPoolExecutor(2)
    return lambda x: np.concatenate(list(pool.map(f, np.array_split(x, 2))))


def ready(triangles: rq.Triangulation) -> object:
    """The search structure of a triangulation, made anew."""
    return rq.Triangulation(triangles.points, triangles.simplices, triangles.neighbors).locator


def lazy_rows() -> list[str]:
    """One row for each number of features, and kind of query."""
    rows = []
    for d, n in MANY_FEATURES:
        rng = np.random.default_rng(d)
        points = rng.random((n, d))
        data = rq.Dataset(points, points.sum(axis=1))
        kinds = {
            "inside": rng.dirichlet(np.ones(n), 3) @ points,
            'outside, extrapolate="nearest"': rng.random((3, d)) + 0.5,
            'outside, extrapolate="linear"': rng.random((3, d)) + 0.5,
        }
        for kind, queries in kinds.items():
            f = rq.interpolate(data, extrapolate="nearest" if "nearest" in kind else "linear")
            f(queries[0])
            busy = [seconds_once(lambda q=q, f=f: f(q)) for q in queries]
            rows.append(f"| {d} | {n} | {kind} | {statistics.median(busy):.4f} |")
    return rows


def seconds_once(call: Callable[[], object]) -> float:
    """Processor time of one call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def main() -> None:
    """Measure, print and write the page."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "scipy", "matplotlib"))
    text = "\n".join([
        "# Interpolation beside its peers",
        "",
        "`python -m tests.benchmarks.interpolation` measured and wrote this page:"
        f" {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {packages}.",
        "",
        f"A million queries, uniform in the unit square, on the Delaunay triangulation of n uniform points; medians of"
        f" {REPEATS} calls in one run. Peers in random order answer {FEW:,} queries, and their time is scaled up. The"
        " machine is shared: processor time is the figure to trust, wall is what the day allowed.",
        "",
        "| n | order of queries | method | processor seconds | wall |",
        "|---|---|---|---|---|",
        *plane_rows(),
        "",
        "## Many features: one query, without a triangulation",
        "",
        "| features | points | query | processor seconds |",
        "|---|---|---|---|",
        *lazy_rows(),
        "",
    ])  # fmt: skip
    print(text)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
