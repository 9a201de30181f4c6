"""How long exact distances and pieces in the plane take.

Run: ``python -m tests.benchmarks.overlay``. Prints a Markdown table of medians of processor time; a benchmark, not a
test. With shapely installed its overlay of the kink lines, the usual way, is timed too, for the first 100 neurons.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from dataclasses import dataclass

import numpy as np
from scipy.spatial import Delaunay

import reluquant as rq
from reluquant.analysis.planar_distance import planar_difference
from reluquant.structures.triangulation import Triangulation

REPEATS = 5
BOX = ((0, 1), (0, 1))


@dataclass
class Values:
    """An interpolant."""

    triangulation: Triangulation
    values: np.ndarray


def network(n: int, rng: np.random.Generator) -> rq.ShallowReLU:
    """Return n neurons whose kinks run through random points of the unit square."""
    w = rng.standard_normal((n, 2))
    return rq.ShallowReLU(np.column_stack([w, -(w * rng.random((n, 2))).sum(axis=1)]), rng.standard_normal(n))


def interpolant(net: rq.ShallowReLU, n: int, rng: np.random.Generator) -> Values:
    """Return the interpolant of a network on n random points."""
    points = np.concatenate([[[0, 0], [1, 0], [1, 1], [0, 1]], rng.random((n - 4, 2))])
    found = Delaunay(points)
    return Values(Triangulation(points, found.simplices, found.neighbors), net(points))


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(0)
    sys.stdout.write("| what | cells | seconds |\n|---|---|---|\n")
    for n in (100, 300, 1000):
        net, other = network(n, rng), network(n, rng)
        f, g = interpolant(net, n, rng), interpolant(net, n, rng)
        show(f"network of {n} against interpolant on {n} points", distance, net, f)
        show(f"network of {n} against network of {n}", distance, net, other, BOX)
        show(f"interpolants on {n} points each", distance, f, g)
        show(f"pieces of a network of {n}, exact", pieces, net)
    if importlib.util.find_spec("shapely"):
        show("shapely: polygons of the first 100 kinks", by_shapely, network(100, rng))


def distance(f, g, region=None) -> int:
    """Return the number of cells that a distance is taken over."""
    return planar_difference(f, g, region).n_cells


def pieces(net: rq.ShallowReLU) -> int:
    """Return the number of pieces."""
    return rq.piecewise_linear(net, region=BOX).n_regions


def show(what: str, case, *arguments) -> None:
    """Time a case that returns its number of cells, and print a row."""
    case(*arguments)
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        cells = case(*arguments)
        seconds.append(time.process_time() - start)
    sys.stdout.write(f"| {what} | {cells} | {statistics.median(seconds):.4f} |\n")


def by_shapely(net: rq.ShallowReLU) -> int:
    """Return the number of cells by noding and polygonising line strings."""
    from shapely import LineString, Polygon, polygonize, union_all

    square = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)])
    lines = [square.exterior]
    for u, v, w in net.W:
        foot, along = -w * np.array([u, v]) / (u * u + v * v), np.array([-v, u]) / np.hypot(u, v)
        lines.append(LineString([foot - 3 * along, foot + 3 * along]).intersection(square))
    return len(polygonize([union_all(lines)]).geoms)


if __name__ == "__main__":
    main()
