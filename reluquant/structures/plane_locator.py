"""A triangulation of the plane, ready to be asked where points are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluquant.kernels.plane_interpolation import gradients_in_plane, nearest_in_plane, weights_in_plane
from reluquant.kernels.point_location import locate_in_plane
from reluquant.structures.arrays import Floats
from reluquant.structures.bucket_grid import BucketGrid

Indices = NDArray[np.int64]

# Twice as fine as the points: then more than half of all queries are in the triangle at the middle of their bucket, and
# walks, whose lengths no processor can foresee, are rare. Still finer, the buckets would not fit in its cache.
_BUCKETS_PER_POINT = 4


class PlaneLocator:
    """Triangles, buckets with a triangle each, and the hull as a polygon.

    Parameters
    ----------
    points : ndarray, shape (n_points, 2)
    simplices, neighbors : ndarray of int, shape (n_triangles, 3)
        Positively oriented triangles that tile the hull.
    """

    def __init__(self, points: Floats, simplices: Indices, neighbors: Indices) -> None:
        # Copies: a kernel is compiled once for arrays that can be written, and again for others.
        self.points, self.simplices, self.neighbors = points.copy(), simplices.copy(), neighbors.copy()
        self.grid = BucketGrid.around(self.points, per_point=_BUCKETS_PER_POINT)
        self._line_up()
        # A triangle at the middle of each bucket, walked to from that of the bucket before it.
        self.hints = np.zeros((1, 1), dtype=np.int32)
        found, _ = self._found(self.grid.middles(), np.zeros(0, dtype=np.int64), np.zeros((len(points), 0)))
        self.hints = self.rank[np.where(found < 0, ~found // 3, found)].reshape(self.grid.shape)
        self._close_hull()

    def _line_up(self) -> None:
        """Put triangles that are near each other near each other in memory, where walks look for them."""
        n = len(self.simplices)
        corners = self.points[self.simplices]
        order = self.grid.visits(corners.mean(axis=1))
        order = order if order.size else np.arange(n)
        self.rank = np.empty(n, dtype=np.int32)
        self.rank[order] = np.arange(n)
        self.corners = corners[order]
        # Short integers: what walks read is then half as long.
        self.triangles = np.column_stack([self.simplices, np.arange(n)]).astype(np.int32)[order]
        self.beyond = np.where(self.neighbors < 0, -1, self.rank[self.neighbors]).astype(np.int32)[order]

    def _close_hull(self) -> None:
        triangle, facet = np.nonzero(self.neighbors < 0)
        first, second = (self.simplices[triangle, (facet + i) % 3] for i in (1, 2))
        following, owner = dict(zip(first, second, strict=True)), dict(zip(first, triangle, strict=True))
        hull = [first[0]]
        while (vertex := following[hull[-1]]) != hull[0] and len(hull) <= first.size:
            hull.append(vertex)
        self.hull = np.array(hull, dtype=np.int64)
        self.owner = np.array([owner[vertex] for vertex in hull], dtype=np.int64)
        self.at = np.zeros(len(self.points), dtype=np.int64)
        self.at[self.hull] = np.arange(self.hull.size)

    def locate(self, z: Floats, values: Floats) -> tuple[Indices, Floats]:
        """Return the triangle of each point, and there the interpolant of values, shape (n_points, n_outputs).

        Returns
        -------
        found : ndarray of int, shape (n,)
            The triangle; where the point is outside the hull a negative number, for `nearest`.
        interpolant : ndarray, shape (n, n_outputs)
            NaN outside.
        """
        return self._found(z, self.grid.visits(z), values)

    def _found(self, z: Floats, order: Indices, values: Floats) -> tuple[Indices, Floats]:
        found, result = np.empty(len(z), dtype=np.int64), np.empty((len(z), values.shape[1]))
        locate_in_plane(
            z, order, self.grid.frame, self.hints, self.corners, self.beyond, self.triangles, values, found, result
        )
        return found, result

    def weights(self, z: Floats, simplex: Indices) -> Floats:
        """Return barycentric weights, shape (n, 3), of points in or outside given triangles."""
        weights = np.empty((len(z), 3))
        weights_in_plane(z, self.points[self.simplices[simplex]], weights)
        return weights

    def gradients(self, simplex: Indices, values: Floats) -> Floats:
        """Return the gradient of each triangle's affine map, shape (n, 2, n_outputs)."""
        result = np.empty((simplex.size, 2, values.shape[1]))
        gradients_in_plane(simplex, self.points, self.simplices, values, result)
        return result

    def nearest(self, z: Floats, found: Indices) -> tuple[Indices, Indices, Floats, Floats]:
        """Return for points outside the triangle at the nearest hull edge, the edge, the point's weights and the way.

        Returns
        -------
        simplex : ndarray of int, shape (n,)
        facet : ndarray of int, shape (n, 2)
            Both ends of the edge.
        weights : ndarray, shape (n, 2)
            Of the nearest hull point, at both ends.
        way : ndarray, shape (n, 2)
            From the nearest hull point to the point.
        """
        edges, share = np.empty(len(z), dtype=np.int64), np.empty(len(z))
        simplex, opposite = np.divmod(~found, 3)
        exits = self.simplices[simplex, (opposite + 1) % 3]
        nearest_in_plane(z, exits, self.points, self.hull, self.at, edges, share)
        facet = np.stack([self.hull[edges], self.hull[(edges + 1) % self.hull.size]], axis=1)
        first, second = self.points[facet[:, 0]], self.points[facet[:, 1]]
        with np.errstate(over="ignore"):
            way = np.where(share[:, None] < 1, (z - first) - share[:, None] * (second - first), z - second)
        return self.owner[edges], facet, np.stack([1 - share, share], axis=1), way
