"""Few points of the plane in lexicographic order, and on which side of which line each of them is, decided exactly.

Sorted by x, and by y where x is equal, no two points share a place: as after a shear by less than any gap. So vertical
edges need no case of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.predicates import Signs, common_integers
from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.triangulation import Triangulation

# Products of differences of integers below this, and their differences, fit into 64 bits.
_SMALL = 2**30


@dataclass(frozen=True, slots=True, eq=False)
class PlanarSet:
    """Distinct points of the plane and the orientation of all triples of them.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        As given.
    order : ndarray of int, shape (n,)
        The points in lexicographic order; all else here counts the points in this order.
    x, y : ndarray of int, dtype object or int64, shape (n,)
        Integer coordinates.
    exponents : (int, int)
        ``points[order] == (x * 2**exponents[0], y * 2**exponents[1])``, exactly.
    signs : ndarray of int8, shape (n, n, n)
        1 where three points turn left, -1 where they turn right, 0 where they are on a line.
    """

    points: Floats
    order: NDArray[np.int64]
    x: np.ndarray
    y: np.ndarray
    exponents: tuple[int, int]
    signs: Signs

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.points)

    def doubled_areas(self, triangles: NDArray[np.int64]) -> np.ndarray:
        """Return twice the signed areas of triangles (k, 3), in units of ``2**sum(exponents)``: exact integers."""
        x, y = self.x.astype(object)[triangles.T], self.y.astype(object)[triangles.T]
        return (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])

    @property
    def doubled_hull_area(self) -> int:
        """Twice the area of the convex hull, in the same units."""
        hull = np.concatenate([self.chain(1), self.chain(-1)[-2:0:-1]])
        fan = np.column_stack([np.zeros(len(hull) - 2, dtype=np.int64), hull[1:-1], hull[2:]])
        return int(self.doubled_areas(fan).sum())

    def empty_triangles(self) -> NDArray[np.int64]:
        """Return all triangles (k, 3), first point lowest and positively oriented, that hold no fourth point."""
        found = [np.zeros((0, 3), dtype=np.int64)]
        for i in range(self.n - 2):
            j, k = np.triu_indices(self.n - i - 1, 1)
            turn = self.signs[i, i + 1 + j, i + 1 + k]
            j, k, turn = (part[turn != 0] for part in (j, k, turn))
            j, k = i + 1 + np.where(turn > 0, j, k), i + 1 + np.where(turn > 0, k, j)
            # Points before i in the order are outside.
            inside = (self.signs[i, j, i:] >= 0) & (self.signs[j, k, i:] >= 0) & (self.signs[k, i, i:] >= 0)
            empty = inside.sum(axis=1) == 3
            found.append(np.column_stack([np.full(empty.sum(), i), j[empty], k[empty]]))
        return np.concatenate(found)

    def turns_below(self, fine: bool) -> Signs:
        """Return which triangles i < j < k may be used: 1 where j is above the edge from i to k, -1 where it is below.

        With ``fine`` these are the empty ones, else all that have an area.
        """
        if not fine:
            return -self.signs
        usable = np.zeros_like(self.signs)
        i, j, k = np.sort(self.empty_triangles(), axis=1).T
        usable[i, j, k] = -self.signs[i, j, k]
        return usable

    def chain(self, side: int, strict: bool = False) -> NDArray[np.int64]:
        """Return the points of the lower (1) or upper (-1) boundary of the hull, with ``strict`` its vertices only."""
        inner = [v for v in range(1, self.n - 1) if np.all(side * self.signs[:v, v, v + 1 :] >= int(strict))]
        return np.array([0, *inner, self.n - 1], dtype=np.int64)


def planar_set(points: ArrayLike, name: str, most: int) -> PlanarSet:
    """Return what a user gave, checked and in order.

    Raises
    ------
    TypeError, ValueError
        If it is not a table of at most ``most`` different points of the plane.
    """
    checked = planar_points(points, name)
    if len(checked) > most:
        raise ValueError(f"{name} takes at most {most} points, but got {len(checked)}; take fewer.")
    order = np.lexsort((checked[:, 1], checked[:, 0]))
    (x, x_exponent), (y, y_exponent) = (_integers(column) for column in checked[order].T)
    return PlanarSet(checked, order, x, y, (x_exponent, y_exponent), _signs(x, y))


def planar_points(points: ArrayLike, name: str) -> Floats:
    """Return what a user gave as points of the plane, all different.

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    checked = real_array(points, "points", ndim=(2,))
    if checked.shape[1] != 2 or len(checked) == 0:
        raise ValueError(f"{name} takes points of shape (n_points, 2), at least one, but they have {checked.shape}.")
    order = np.lexsort((checked[:, 1], checked[:, 0]))
    same = np.flatnonzero(np.all(checked[order[1:]] == checked[order[:-1]], axis=1))
    if same.size:
        i, j = sorted(order[[same[0], same[0] + 1]].tolist())
        raise ValueError(
            f"{name} needs distinct points, but rows {i} and {j} are both {checked[i].tolist()}; drop one."
        )
    return checked


def on_a_line(points: Floats) -> bool:
    """Return whether different points (n, 2) are all on one line."""
    x, y = (common_integers(column)[0] for column in points.T)
    turns = ((x[1] - x[0]) * (v - y[0]) - (y[1] - y[0]) * (u - x[0]) for u, v in zip(x[2:], y[2:], strict=True))
    return not any(turns)


def _integers(values: Floats) -> tuple[np.ndarray, int]:
    integers, exponent = common_integers(values)
    small = max(map(abs, integers)) < _SMALL
    return np.array(integers, dtype=np.int64 if small else object), exponent


def _signs(x: np.ndarray, y: np.ndarray) -> Signs:
    n = len(x)
    signs = np.zeros((n, n, n), dtype=np.int8)
    for i in range(n - 2):
        dx, dy = x[i + 1 :] - x[i], y[i + 1 :] - y[i]
        cross = dx[:, None] * dy - dy[:, None] * dx
        block = (cross > 0).astype(np.int8) - (cross < 0)
        signs[i, i + 1 :, i + 1 :] = signs[i + 1 :, i + 1 :, i] = block
        signs[i + 1 :, i, i + 1 :] = -block
    return signs


def triangulation_of(points: PlanarSet, triangles: NDArray[np.int64]) -> Triangulation:
    """Return positively oriented triangles (k, 3) of points in lexicographic order as a Triangulation."""
    beyond = {}
    for t, (a, b, c) in enumerate(triangles.tolist()):
        beyond[c, b] = beyond[a, c] = beyond[b, a] = t
    neighbors = [[beyond.get(edge, -1) for edge in ((b, c), (c, a), (a, b))] for a, b, c in triangles.tolist()]
    return Triangulation(points.points, points.order[triangles], neighbors)


def triangulation_of_line(points: Floats) -> Triangulation:
    """Return the one fine triangulation of different points (n, 2) on a line."""
    order = np.lexsort((points[:, 1], points[:, 0]))
    n = len(order)
    if n == 1:
        return Triangulation(points, [[0]], [[-1]])
    following = np.append(np.arange(1, n - 1), -1)
    return Triangulation(
        points, np.column_stack([order[:-1], order[1:]]), np.column_stack([following, np.arange(-1, n - 2)])
    )
