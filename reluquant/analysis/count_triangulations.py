"""How many triangulations a planar point set has, and one of them at random."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.planar_set import PlanarSet, on_a_line, planar_points, planar_set
from reluquant.kernels.monotone_sweep import count_step

# A table with a place for every path has 2^(n-2) of them. A set has fewer than 30^n triangulations (Sharir & Sheffer
# 2011), all its subsets 31^n, which is less than 2^128 for these n.
MOST_POINTS = 25


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """All monotone paths with a given number of triangles below them.

    Parameters
    ----------
    paths : ndarray of int, shape (n_paths,)
        Each as a set of points in lexicographic order, a bit a point.
    low, high : ndarray of uint64, shape (n_paths, n)
        The lower and upper 64 bits of the number of ways to get there, for each mark.
    """

    paths: NDArray[np.int64]
    low: NDArray[np.uint64]
    high: NDArray[np.uint64]

    def count(self, rows: slice | NDArray[np.bool_], marks: slice = slice(None)) -> int:
        """Return the number of ways that lead to some of the paths with some of the marks."""
        low, high = (sum(part[rows, marks].ravel().tolist()) for part in (self.low, self.high))
        return (high << 64) + low


def count_triangulations(points: ArrayLike, *, fine: bool = True) -> int:
    """Count the triangulations of points in the plane, exactly.

    Parameters
    ----------
    points : array_like, shape (n_points, 2)
        At most 25 different points; they may lie on lines and on grids.
    fine : bool, default True
        Whether every point must be a vertex. Otherwise all triangulations of the convex hull are counted whose
        vertices are some of the points.

    Returns
    -------
    int

    Raises
    ------
    TypeError, ValueError
        If the points are not different points of the plane, or too many.

    Notes
    -----
    A sweep by monotone paths: time and memory grow like ``n 2^n``, whatever the number of triangulations. Points on a
    line have one fine triangulation.

    References
    ----------
    V. Alvarez, R. Seidel (2013), "A simple aggregative algorithm for counting triangulations of planar point sets and
    related problems", SoCG 2013.

    Examples
    --------
    >>> import reluquant as rq
    >>> grid = [[x, y] for x in range(4) for y in range(4)]
    >>> rq.count_triangulations(grid)
    46456
    >>> rq.count_triangulations(grid[:3] + grid[4:7] + grid[8:11], fine=False)
    387
    """
    checked = planar_points(points, "count_triangulations")
    if on_a_line(checked):
        return 1 if fine else 2 ** max(len(checked) - 2, 0)
    if len(checked) > MOST_POINTS:
        states = len(checked) * 2.0 ** min(len(checked) - 2, 1000)
        raise ValueError(
            f"Counting triangulations of {len(checked)} points takes a sweep of up to n 2^(n-2) ≈ {states:.1e} states;"
            f" take at most {MOST_POINTS} points."
        )
    return count(planar_set(checked, "count_triangulations", MOST_POINTS), fine)


def count(points: PlanarSet, fine: bool = True) -> int:
    """Return the number of triangulations of at most ``MOST_POINTS`` points that are not all on a line."""
    return sum(level.count(ended(points, level.paths)) for level in levels(points, fine))


def levels(points: PlanarSet, fine: bool = True) -> Iterator[Level]:
    """Yield the levels of a sweep over points that are not all on a line, upwards."""
    paths = starts(points, fine)
    low = np.zeros((len(paths), points.n), dtype=np.uint64)
    low[:, 0] = 1
    level = Level(paths, low, np.zeros_like(low))
    usable, row_of = points.turns_below(fine), places(points)
    # Every step adds a triangle, of which no triangulation has 2n.
    for _ in range(2 * points.n):
        yield level
        level = Level(*count_step(level.paths, level.low, level.high, usable, row_of))
        if not level.paths.size:
            return


def ended(points: PlanarSet, paths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which paths are the upper boundary of the hull."""
    vertices, boundary = (_bits(points.chain(-1, strict)) for strict in (True, False))
    return ((paths & vertices) == vertices) & ((paths & ~boundary) == 0)


def places(points: PlanarSet) -> NDArray[np.int32]:
    """Return the table in which a step of a sweep looks up paths."""
    return np.full(2 ** (points.n - 2), -1, dtype=np.int32)


def starts(points: PlanarSet, fine: bool) -> NDArray[np.int64]:
    """Return the paths that are the lower boundary of the hull: several unless all points on its edges are used."""
    boundary = points.chain(1)
    if fine:
        return np.array([_bits(boundary)])
    # Points on edges of the hull may be left out.
    vertices = points.chain(1, strict=True)
    optional = np.setdiff1d(boundary, vertices).tolist()
    chosen = (part for size in range(len(optional) + 1) for part in combinations(optional, size))
    return np.array([_bits(vertices) | _bits(part) for part in chosen])


def _bits(numbers: Iterable[int]) -> int:
    return sum(1 << int(i) for i in numbers)
