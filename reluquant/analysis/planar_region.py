"""Convex regions of the plane: boxes, polygons, and the hulls of triangulations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.predicates import common_integers
from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.triangulation import Triangulation


def planar_region(region: ArrayLike) -> Floats:
    """Return a region as a convex polygon.

    Parameters
    ----------
    region : array_like
        A box ``((x_low, x_high), (y_low, y_high))``, or the corners (k, 2), k ≥ 3, of a convex polygon in order.

    Returns
    -------
    ndarray, shape (k, 2)
        The corners, counterclockwise from the leftmost, lowest one; none is between its neighbours.

    Raises
    ------
    TypeError, ValueError
        If it is something else, or has no area.
    """
    corners = real_array(region, "region")
    if corners.shape == (2, 2):
        (left, right), (bottom, top) = corners.tolist()
        if not (left < right and bottom < top):
            raise ValueError(f"A box needs x_low < x_high and y_low < y_high, but region={region!r}.")
        return np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
    if corners.ndim != 2 or corners.shape[1] != 2 or corners.shape[0] < 3:
        raise ValueError(
            "In the plane, region must be a box ((x_low, x_high), (y_low, y_high)) or the corners (k, 2) of a convex"
            f" polygon, but it has shape {corners.shape}."
        )
    polygon = _convex(corners)
    if polygon is None:
        raise ValueError(
            "region must be a convex polygon with area, its corners in order; take the hull of the points."
        )
    return polygon


def hull_of(triangulation: Triangulation) -> Floats:
    """Return the corners of the hull of a triangulation of points that span the plane, counterclockwise."""
    simplex, opposite = np.nonzero(triangulation.neighbors < 0)
    begin = triangulation.simplices[simplex, (opposite + 1) % 3]
    end = triangulation.simplices[simplex, (opposite + 2) % 3]
    following = dict(zip(begin.tolist(), end.tolist(), strict=True))
    chain = [int(begin[0])]
    while len(chain) < len(following) and following.get(chain[-1], chain[0]) != chain[0]:
        chain.append(following[chain[-1]])
    polygon = _convex(triangulation.points[chain])
    if polygon is None or len(chain) != begin.size:
        raise ValueError(
            "The outer edges of the triangulation are not a convex polygon; make it with triangulate(points)."
        )
    return polygon


def intersection(p: Floats, q: Floats) -> Floats | None:
    """Return the corners of what two convex polygons have in common, rounded; None without area."""
    for a, b in zip(q, np.roll(q, -1, axis=0), strict=True):
        side = (b[0] - a[0]) * (p[:, 1] - a[1]) - (b[1] - a[1]) * (p[:, 0] - a[0])
        kept: list[Floats] = []
        for i, j in zip(range(len(p)), [*range(1, len(p)), 0], strict=True):
            if side[i] >= 0:
                kept.append(p[i])
            if side[i] * side[j] < 0:
                kept.append(p[i] + side[i] / (side[i] - side[j]) * (p[j] - p[i]))
        if not kept:
            return None
        p = np.array(kept)
    return _convex(p)


def turns(polygon: NDArray[np.object_]) -> list[int]:
    """Return the signs of the turns of a closed polygon of integers at each of its corners."""
    before, after = np.roll(polygon, 1, axis=0), np.roll(polygon, -1, axis=0)
    u, v = polygon - before, after - polygon
    cross = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return [(c > 0) - (c < 0) for c in cross.tolist()]


def _convex(corners: Floats) -> Floats | None:
    """Return a convex polygon counterclockwise and without corners that are none; None if it is not one. Exact."""
    corners = corners[(corners != np.roll(corners, 1, axis=0)).any(axis=1)] + 0.0
    if len(corners) < 3:
        return None
    numbers, _ = common_integers(corners.ravel())
    exact = np.array(numbers, dtype=object).reshape(-1, 2)
    signs = np.array(turns(exact))
    corners, exact, signs = corners[signs != 0], exact[signs != 0], signs[signs != 0]
    if len(corners) < 3 or abs(signs.sum()) != len(signs):
        return None
    if signs[0] < 0:
        corners, exact = corners[::-1], exact[::-1]
    # The leftmost, lowest corner first, so that equal regions are equal arrays.
    first = int(np.lexsort(corners.T[::-1])[0])
    corners, exact = np.roll(corners, -first, axis=0), np.roll(exact, -first, axis=0)
    # Seen from one corner the others must turn one way too: a pentagram turns left everywhere.
    seen = exact[1:] - exact[0]
    once = (seen[:-1, 0] * seen[1:, 1] - seen[:-1, 1] * seen[1:, 0] > 0).all()
    # A corner of which both neighbours are on one ray from it (a spike) has turn zero and was dropped above.
    return np.ascontiguousarray(corners) if once and all(sign > 0 for sign in turns(exact)) else None
