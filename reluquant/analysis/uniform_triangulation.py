"""A triangulation at random, every one as likely as every other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.count_triangulations import Level, ended, levels
from reluquant.analysis.planar_set import (
    PlanarSet,
    on_a_line,
    planar_points,
    planar_set,
    triangulation_of,
    triangulation_of_line,
)
from reluquant.structures.scalars import Rng, generator
from reluquant.structures.triangulation import Triangulation

# All tables of the sweep are kept: up to 16 n 2^(n-2) bytes, 370 MB.
MOST_POINTS = 22
# A choice between numbers below 2^128 by this many random bits is fair to one part in 2^128.
_RANDOM_BYTES = 32


def uniform_triangulation(points: ArrayLike, *, rng: Rng = None) -> Triangulation:
    """Draw one of all fine triangulations of points in the plane, each with the same probability.

    Parameters
    ----------
    points : array_like, shape (n_points, 2)
        At most 22 different points; they may lie on lines and on grids.
    rng : int, numpy.random.Generator or None
        Source of randomness.

    Returns
    -------
    Triangulation
        All points are vertices; triangles are positively oriented.

    Raises
    ------
    TypeError, ValueError
        If the points are not different points of the plane, or too many, or ``rng`` is something else.

    Notes
    -----
    The sweep of :func:`reluquant.count_triangulations`, walked backwards: at every path the last triangle is drawn
    with the number of ways that lead there as its weight. Flips at random would only come near to that.

    References
    ----------
    V. Alvarez, R. Seidel (2013), "A simple aggregative algorithm for counting triangulations of planar point sets and
    related problems", SoCG 2013.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.uniform_triangulation([[x, y] for x in range(4) for y in range(4)], rng=0)
    Triangulation(n_points=16, n_simplices=18, dimension=2)
    """
    draw = generator(rng)
    checked = planar_points(points, "uniform_triangulation")
    if on_a_line(checked):
        return triangulation_of_line(checked)
    ordered = planar_set(checked, "uniform_triangulation", MOST_POINTS)
    swept = list(levels(ordered))
    return triangulation_of(ordered, _walk_back(ordered, swept, draw))


def _walk_back(points: PlanarSet, swept: list[Level], draw: np.random.Generator) -> NDArray[np.int64]:
    usable = points.turns_below(fine=True)
    path = int(swept[-1].paths[ended(points, swept[-1].paths)][0])
    limit, triangles = points.n - 1, []
    for level, before in zip(swept[:0:-1], swept[-2::-1], strict=True):
        mark = _chosen([_ways(level, path, slice(m, m + 1)) for m in range(limit + 1)], draw)
        steps = _steps_to(path, mark, usable)
        weights = [_ways(before, earlier, slice(most + 1)) for earlier, most, _ in steps]
        path, limit, triangle = steps[_chosen(weights, draw)]
        triangles.append(triangle)
    return np.array(triangles, dtype=np.int64)


def _ways(level: Level, path: int, marks: slice) -> int:
    """Return the number of ways to a path with some of the marks; it may not be reached at all."""
    row = np.flatnonzero(level.paths == path)[:1]
    return level.count(slice(row[0], row[0] + 1), marks) if row.size else 0


def _steps_to(path: int, mark: int, usable: np.ndarray) -> list[tuple[int, int, tuple[int, int, int]]]:
    """Return paths from which a triangle leads to a path and a mark, the most that their marks may be, and it."""
    n = len(usable)
    p, *later = [v for v in range(mark, n) if path >> v & 1]
    # The triangle was put under p and the next point, or it joined p with the two points after it.
    r = later[0]
    steps = [(path | 1 << q, q, (p, q, r)) for q in range(p + 1, r) if usable[p, q, r] == -1]
    if len(later) > 1 and usable[p, r, later[1]] == 1:
        steps.append((path ^ 1 << r, p, (p, later[1], r)))
    return steps


def _chosen(weights: list[int], draw: np.random.Generator) -> int:
    """Return a number below that of the weights, with probabilities proportional to them."""
    rest = sum(weights) * int.from_bytes(draw.bytes(_RANDOM_BYTES)) >> 8 * _RANDOM_BYTES
    for i, weight in enumerate(weights):
        rest -= weight
        if rest < 0:
            return i
    raise AssertionError("The weights of a path that was reached are all zero.")
