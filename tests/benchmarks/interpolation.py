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
        for order, x in orders(queries, n).items():
            for name, (call, count) in methods.items():
                count = count if order == "random" else QUERIES
                part = x[:count]
                busy, wall = seconds(lambda call=call, part=part: call(part), REPEATS if count == QUERIES else 2)
                factor = QUERIES / count
                rows.append(f"| {n:,} | {order} | {name} | {busy * factor:.3f} | {wall * factor:.3f} |")
        agree = np.nanmax(np.abs(ours(queries[:FEW]) - scipys(queries[:FEW])))
        locator = seconds(lambda t=triangles: ready(t), 3)[0]
        rows.append(f"| {n:,} | – | reluquant: buckets, once a triangulation | {locator:.3f} | |")
        print(f"n = {n}: largest difference to scipy {agree:.1e}", flush=True)
    return rows


def orders(queries: np.ndarray, n: int) -> dict[str, np.ndarray]:
    """Random queries; by buckets of a grid of n, row by row; along Hilbert's curve; a picture's pixels."""
    cell = np.floor(queries * np.sqrt(n)).astype(int)
    side = np.linspace(0.0005, 0.9995, 1000)
    return {
        "random": queries,
        "sorted": queries[np.lexsort(cell.T[::-1])],
        "Hilbert": queries[np.argsort(along_hilbert(np.floor(queries * 1024).astype(int), 10))],
        "pixels": np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2),
    }


def along_hilbert(cell: np.ndarray, levels: int) -> np.ndarray:
    """Places of cells (n, 2) of a square grid, 2^levels wide, on Hilbert's curve through it."""
    x, y = cell.T.copy()
    place = np.zeros(len(x), dtype=np.int64)
    for level in reversed(range(levels)):
        half = 1 << level
        right, up = (x & half) > 0, (y & half) > 0
        place += half * half * ((3 * right) ^ up)
        # The quarter's own curve is mirrored and turned.
        mirrored, turned = right & ~up, ~up
        x, y = np.where(mirrored, half - 1 - (x & (half - 1)), x), np.where(mirrored, half - 1 - (y & (half - 1)), y)
        x, y = np.where(turned, y, x), np.where(turned, x, y)
    return place


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
        f"A million queries in the unit square, on the Delaunay triangulation of n uniform points; medians of {REPEATS}"
        f" calls in one run. Peers in random order answer {FEW:,} queries, and their time is scaled up. Sorted: by"
        " buckets of a grid of n, row by row; Hilbert: along that curve through 1024 × 1024 buckets; pixels: those of a"
        " picture, 1000 × 1000, row by row. Peers have one thread. The machine is shared: processor time is the figure"
        " to trust, wall is what the day allowed.",
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
