"""How long exact distances and pieces in the plane take, beside shapely.

Run: ``python -m tests.benchmarks.overlay``. Measures in one run, checks that both find the same distances, and writes
docs/benchmarks/overlay.md; a benchmark, not a test. Needs shapely, from the dependency group ``benchmarks``.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import shapely
from scipy.spatial import Delaunay

import reluquant as rq
from reluquant.analysis.planar_distance import planar_difference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks" / "overlay.md"
REPEATS = 5
BOX = ((0, 1), (0, 1))
# Both are accurate to rounding, of coordinates in the unit square and of values up to some tens.
TOLERANCE = 1e-9


def network(n: int, rng: np.random.Generator) -> rq.ShallowReLU:
    """Return n neurons whose kinks run through random points of the unit square."""
    w = rng.standard_normal((n, 2))
    return rq.ShallowReLU(np.column_stack([w, -(w * rng.random((n, 2))).sum(axis=1)]), rng.standard_normal(n))


def interpolant(net: rq.ShallowReLU, n: int, rng: np.random.Generator) -> rq.SimplicialInterpolant:
    """Return the interpolant of a network on n random points."""
    points = np.concatenate([[[0, 0], [1, 0], [1, 1], [0, 1]], rng.random((n - 4, 2))])
    found = Delaunay(points)
    return rq.SimplicialInterpolant(rq.Triangulation(points, found.simplices, found.neighbors), net(points))


# ----------------------------------------------------------------------------------------------- as shapely's users do


def triangles_of(f: rq.SimplicialInterpolant) -> tuple[np.ndarray, np.ndarray]:
    """The triangles as polygons, and the affine maps (slopes, offset) on them, shape (n, 3)."""
    corners = f.triangulation.points[f.triangulation.simplices]
    system = np.concatenate([corners, np.ones((*corners.shape[:2], 1))], axis=2)
    return shapely.polygons(corners), np.linalg.solve(system, f.values[f.triangulation.simplices][..., None])[..., 0]


def by_intersections(f: rq.SimplicialInterpolant, g: rq.SimplicialInterpolant) -> tuple[float, float, int]:
    """Sup, L2 and cells of f − g: pairs of triangles from a tree, their intersections, affine maps at the corners."""
    (p, f_maps), (q, g_maps) = triangles_of(f), triangles_of(g)
    i, j = shapely.STRtree(q).query(p, predicate="intersects")
    cells = shapely.intersection(p[i], q[j])
    used = shapely.area(cells) > 0
    maps = f_maps[i[used]] - g_maps[j[used]]
    return measured(cells[used], lambda xy, cell: (maps[cell, :2] * xy).sum(axis=1) + maps[cell, 2])


def by_noding(net: rq.ShallowReLU, f: rq.SimplicialInterpolant) -> tuple[float, float, int]:
    """Sup, L2 and cells of a network − f: polygons of the noded kinks and edges, both functions at their corners."""
    triangles, maps = triangles_of(f)
    cells = np.array(shapely.polygonize([shapely.union_all([*kinks(net), *shapely.boundary(triangles)])]).geoms)
    middles = shapely.point_on_surface(cells)
    cell, triangle = shapely.STRtree(triangles).query(middles, predicate="intersects")
    of_cell = np.zeros(len(cells), dtype=int)
    of_cell[cell] = triangle
    maps = maps[of_cell]
    return measured(cells, lambda xy, cell: net(xy) - (maps[cell, :2] * xy).sum(axis=1) - maps[cell, 2])


def kinks(net: rq.ShallowReLU) -> list:
    """The lines on which neurons switch, within the square."""
    square = shapely.box(0, 0, 1, 1)
    lines = []
    for u, v, w in net.W:
        foot, along = -w * np.array([u, v]) / (u * u + v * v), np.array([-v, u]) / np.hypot(u, v)
        lines.append(shapely.LineString([foot - 3 * along, foot + 3 * along]).intersection(square))
    return lines


def measured(cells: np.ndarray, difference: Callable) -> tuple[float, float, int]:
    """Sup and L2 of a function that is affine on convex polygons, and how many they are."""
    xy, cell = shapely.get_coordinates(cells, return_index=True)
    d = difference(xy, cell)
    first = np.searchsorted(cell, cell)
    # Fans of triangles from each polygon's first corner; on a triangle the mean square is a sixth of this sum.
    b = np.flatnonzero(cell[1:] == cell[:-1])
    a, c = first[b], b + 1
    (ux, uy), (vx, vy) = (xy[b] - xy[a]).T, (xy[c] - xy[a]).T
    sums = (d[a] + d[b]) ** 2 + (d[b] + d[c]) ** 2 + (d[c] + d[a]) ** 2
    return np.abs(d).max(), np.sqrt((np.abs(ux * vy - uy * vx) * sums).sum() / 24), len(cells)


def pieces_by_noding(net: rq.ShallowReLU) -> int:
    """Number of pieces: kinks and the square's border noded, and polygons made of them."""
    return len(shapely.polygonize([shapely.union_all([*kinks(net), shapely.box(0, 0, 1, 1).boundary])]).geoms)


# ---------------------------------------------------------------------------------------------------------- both, timed


def distance(f, g, region=None) -> tuple[float, float, int]:
    """Sup, L2 and the number of cells that they are taken over."""
    found = planar_difference(f, g, region)
    return found.sup.max(), found.l2, found.n_cells


def seconds(case: Callable, repeats: int) -> tuple[float, object]:
    """Median processor time of calls after one to warm up, and what they return."""
    answer = case()
    busy = []
    for _ in range(repeats):
        began = time.process_time()
        case()
        busy.append(time.process_time() - began)
    return statistics.median(busy), answer


def row(what: str, ours: Callable, peers: Callable | None = None, repeats: int = REPEATS) -> str:
    """One case, with how far apart the answers are where there are two."""
    took, answer = seconds(ours, repeats)
    if peers is None:
        return f"| {what} | {answer[-1]:,} | {took:.4f} | | | | |"
    peer_took, peer_answer = seconds(peers, max(repeats // 2, 1))
    apart = max((abs(a - b) / abs(b) for a, b in zip(answer[:-1], peer_answer[:-1], strict=True)), default=0.0)
    # The number of pieces is the answer; that of cells is a matter of slivers and fans.
    if apart > TOLERANCE or (len(answer) == 1 and answer != peer_answer):
        raise AssertionError(f"{what}: {answer} and {peer_answer} differ by {apart}.")
    return (
        f"| {what} | {answer[-1]:,} | {took:.4f} | {peer_answer[-1]:,} | {peer_took:.4f} |"
        f" {peer_took / took:.1f} | {apart:.0e} |"
    )


def rows() -> list[str]:
    """Networks, interpolants, and one against the other."""
    rng = np.random.default_rng(0)
    found = []
    for n in (100, 300, 1000):
        net, other = network(n, rng), network(n, rng)
        f, g = interpolant(net, n, rng), interpolant(net, n, rng)
        found.append(row(f"interpolants on {n} points each", lambda f=f, g=g: distance(f, g),
                         lambda f=f, g=g: by_intersections(f, g)))  # fmt: skip
        against = (lambda net=net, f=f: by_noding(net, f)) if n <= 300 else None
        found.append(row(f"network of {n}, interpolant on {n} points", lambda net=net, f=f: distance(net, f), against,
                         REPEATS if n == 100 else 3))  # fmt: skip
        found.append(row(f"network of {n}, network of {n}", lambda f=net, g=other: distance(f, g, BOX)))
        if n <= 300:
            found.append(row(f"pieces of a network of {n}",
                             lambda net=net: (rq.piecewise_linear(net, region=BOX).n_regions,),
                             lambda net=net: (pieces_by_noding(net),), 3))  # fmt: skip
    return found


def main() -> None:
    """Measure, print and write the page."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "scipy", "shapely"))
    text = "\n".join([
        "# Distances and pieces in the plane beside shapely",
        "",
        "`python -m tests.benchmarks.overlay` measured and wrote this page:"
        f" {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {packages}.",
        "",
        "Largest and L2 distance on the unit square, and the number of cells that they are taken over. shapely as its"
        " users would: for two interpolants the intersections of pairs of triangles that a tree finds; for networks"
        " kinks and edges noded, and polygons made of them; then the affine difference at the corners. Processor"
        " seconds, medians on one thread; the last column is the largest relative difference of both distances, which"
        f" the run holds to {TOLERANCE:.0e}. Here cells of two interpolants are triangles, several to an intersection;"
        " cells of distances leave out slivers within rounding; the numbers of pieces are exact.",
        "",
        "| what | cells | seconds | cells, shapely | seconds, shapely | shapely's / ours | apart |",
        "|---|---|---|---|---|---|---|",
        *rows(),
        "",
    ])  # fmt: skip
    print(text)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
