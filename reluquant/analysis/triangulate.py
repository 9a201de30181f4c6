"""The Delaunay triangulation of any points, flat, collinear, or ulps apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.integer_points import independent_points, integer_digits, scaled
from reluquant.analysis.triangulation_certificate import ExactPoints, fault_of
from reluquant.kernels.delaunay import DEAD, GHOST, delaunay
from reluquant.kernels.orientation import exact_sides
from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.triangulation import Triangulation

# n random points have about n·(2, 7, 27, 90) simplices in 2, 3, 4 and 5 dimensions.
_HIGHEST = 5
# What an int64 holds of the places of a point along all axes.
_CURVE_BITS = 60

Indices = NDArray[np.int64]


def triangulate(points: ArrayLike) -> Triangulation:
    """Return the Delaunay triangulation of points in up to five dimensions.

    It is valid for any finite points: every point is a vertex, no simplex is flat, and simplices meet in whole faces
    and fill the hull. Signs are decided exactly for the float64 numbers as given, and the result is checked by exact
    signs too.

    Parameters
    ----------
    points : array_like, shape (n_points, n_features) or (n_points,)
        In any order, repeated or not, from 5e-324 to 1.7e308 in size. Points that span less than their space are
        triangulated in their span: those on a line become a path.

    Returns
    -------
    Triangulation
        Its points are the distinct ones in order of appearance. In one dimension, and on a line, simplices are
        segments in the order of the points.

    Raises
    ------
    TypeError
        If the points are no real numbers.
    ValueError
        If there are none, they are not finite, or they span more than five dimensions.

    Notes
    -----
    The circumsphere of a simplex holds no other point. Where more than ``dimension + 1`` points are on an empty
    sphere, several triangulations are Delaunay. The one returned is that of squares raised infinitesimally, more so
    for points that come first when sorted by their coordinates: it depends on the set of points alone, not on their
    order.

    References
    ----------
    Bowyer (1981), "Computing Dirichlet tessellations"; Watson (1981), "Computing the n-dimensional Delaunay
    tessellation", both The Computer Journal 24. Edelsbrunner & Mücke (1990), "Simulation of simplicity", ACM Trans.
    Graphics 9.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.triangulate([[0, 0], [1, 0], [0, 1], [1, 1]]).simplices
    array([[2, 0, 1],
           [1, 3, 2]])
    """
    rows = _points_as_rows(points)
    distinct, point_of_row = _merged(rows)
    order = np.lexsort(distinct.T[::-1])
    simplices, neighbors = _sorted_triangulation(distinct[order])
    return Triangulation(distinct, order[simplices], neighbors, point_of_row)


def _points_as_rows(points: ArrayLike) -> Floats:
    rows = real_array(points, "points", ndim=(1, 2))
    rows = rows.reshape(-1, 1) if rows.ndim == 1 else rows
    if 0 in rows.shape:
        raise ValueError(
            f"points must be at least one row of at least one coordinate, but their shape is {rows.shape}; add some."
        )
    return rows


def _merged(rows: Floats) -> tuple[Floats, Indices]:
    """Distinct rows in order of appearance, and which of them each row is."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    new = np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)]
    group = np.empty(len(rows), dtype=np.int64)
    group[order] = np.cumsum(new) - 1
    firsts = order[new]  # lexsort is stable: the first row of each group
    by_appearance = np.argsort(firsts)
    number = np.empty_like(by_appearance)
    number[by_appearance] = np.arange(len(firsts))
    return rows[firsts[by_appearance]], number[group]


def _sorted_triangulation(points: Floats) -> tuple[Indices, Indices]:
    """Simplices and neighbors of distinct points in lexicographic order."""
    corners, columns = independent_points(points)
    rank = len(columns)
    if rank > _HIGHEST:
        raise ValueError(
            f"triangulate goes up to {_HIGHEST} dimensions, but these points span {rank};"
            " rq.interpolate needs no triangulation there: it evaluates by linear programs."
        )
    if rank < 2:
        return _path(len(points) - 1)
    others = [c for c in range(points.shape[1]) if c not in columns]
    arranged = np.ascontiguousarray(points[:, columns + others])
    exact = ExactPoints(scaled(arranged), integer_digits(arranged), rank)
    simplices, neighbors = _inserted(exact, np.array(corners))
    fault = fault_of(exact, simplices, neighbors)
    if fault:
        raise RuntimeError(f"triangulate failed its own check ({fault}); please report these points as a bug.")
    return simplices, neighbors


def _path(n_segments: int) -> tuple[Indices, Indices]:
    """Segments between sorted points on a line; a single point is its own simplex."""
    if n_segments == 0:
        return np.zeros((1, 1), dtype=np.int64), np.full((1, 1), -1)
    start = np.arange(n_segments)
    after = np.where(start + 1 < n_segments, start + 1, -1)
    return np.stack([start, start + 1], axis=1), np.stack([after, start - 1], axis=1)


def _inserted(points: ExactPoints, first: Indices) -> tuple[Indices, Indices]:
    work, sides = points.workspace(), np.zeros(points.rank + 1, dtype=np.int64)
    exact_sides(points.digits, first, first[0], points.rank, work, sides)
    if sides[0] < 0:
        first[[0, 1]] = first[[1, 0]]
    order = _insertion_order(points)
    order = order[~np.isin(order, first)]
    vertices, neighbors, ended = delaunay(points.floats, points.digits, first, order, work)
    if not ended:
        raise RuntimeError("triangulate lost its way, which cannot be; please report these points as a bug.")
    finite = (vertices[:, 0] != DEAD) & (vertices != GHOST).all(axis=1)
    number = np.where(finite, np.cumsum(finite) - 1, -1)
    return vertices[finite], number[neighbors[finite]]


def _insertion_order(points: ExactPoints) -> Indices:
    """Rounds of random points, each twice the one before, along a curve within (Amenta, Choi & Rote 2003).

    Random, so that few simplices are made in vain; along a curve, so that walks are short.
    """
    n_points = len(points.floats)
    age = np.random.default_rng(0).permutation(n_points) + 1
    rounds = np.frexp(age.astype(np.float64))[1]
    bits = _CURVE_BITS // points.rank
    along = np.zeros(n_points, dtype=np.int64)
    for c in range(points.rank):
        values = points.floats[:, c]
        # Ranks, since coordinates may be crowded.
        place = (np.searchsorted(np.sort(values), values) / n_points * 2**bits).astype(np.int64)
        for b in range(bits):
            along |= ((place >> b) & 1) << (b * points.rank + c)
    return np.lexsort((along, rounds))
