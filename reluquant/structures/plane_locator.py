"""A triangulation of the plane, ready to be asked where points are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluquant.kernels.plane_interpolation import (
    gradients_in_plane,
    nearest_in_plane,
    values_in_plane,
    weights_in_plane,
)
from reluquant.kernels.point_location import cells_of, far_steps, locate_in_plane, order_by_cell
from reluquant.structures.arrays import Floats
from reluquant.structures.bucket_grid import BucketGrid

Indices = NDArray[np.int64]


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
        self.grid = BucketGrid.around(self.points)
        # A triangle at the middle of each bucket, walked to from that of the bucket before it.
        self.hints = np.zeros(1, dtype=np.int64)
        middles = self.grid.middles()
        self.hints, _ = self._found(middles, np.zeros(len(middles), dtype=np.int64))
        self._close_hull()

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

    def cells(self, z: Floats) -> Indices:
        """Return the bucket of each point."""
        return cells_of(z, *self.grid.arrays)

    def far_steps(self, z: Floats) -> int:
        """How many points are far from the one before them."""
        return far_steps(z, self.grid.stretch)

    def order(self, cells: Indices) -> Indices:
        """Permutation that takes points of one bucket one after the other."""
        return order_by_cell(cells, self.hints.size)

    def locate(self, z: Floats, cells: Indices) -> tuple[Indices, Indices]:
        """Return the triangle of each point, and -1, or at points outside a triangle and the hull edge in the way."""
        return self._found(z, cells)

    def _found(self, z: Floats, cells: Indices) -> tuple[Indices, Indices]:
        simplex, exits = np.empty((2, len(z)), dtype=np.int64)
        locate_in_plane(z, cells, self.hints, self.points, self.simplices, self.neighbors, simplex, exits)
        return simplex, exits

    def weights(self, z: Floats, simplex: Indices) -> Floats:
        """Return barycentric weights, shape (n, 3), of points in or outside given triangles."""
        weights = np.empty((len(z), 3))
        weights_in_plane(z, simplex, self.points, self.simplices, weights)
        return weights

    def values(self, z: Floats, simplex: Indices, exits: Indices, values: Floats) -> Floats:
        """Return the interpolant at the points inside, shape (n, n_outputs); NaN at the others."""
        result = np.full((len(z), values.shape[1]), np.nan)
        values_in_plane(z, simplex, exits, self.points, self.simplices, values, result)
        return result

    def gradients(self, simplex: Indices, values: Floats) -> Floats:
        """Return the gradient of each triangle's affine map, shape (n, 2, n_outputs)."""
        result = np.empty((simplex.size, 2, values.shape[1]))
        gradients_in_plane(simplex, self.points, self.simplices, values, result)
        return result

    def nearest(self, z: Floats, exits: Indices) -> tuple[Indices, Indices, Floats, Floats]:
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
        nearest_in_plane(z, exits, self.points, self.hull, self.at, edges, share)
        facet = np.stack([self.hull[edges], self.hull[(edges + 1) % self.hull.size]], axis=1)
        first, second = self.points[facet[:, 0]], self.points[facet[:, 1]]
        with np.errstate(over="ignore"):
            way = np.where(share[:, None] < 1, (z - first) - share[:, None] * (second - first), z - second)
        return self.owner[edges], facet, np.stack([1 - share, share], axis=1), way
