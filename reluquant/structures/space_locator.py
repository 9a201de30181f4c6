"""A triangulation of three or more dimensions, ready to be asked where points are."""

from __future__ import annotations

import numpy as np

from reluquant.kernels.space_interpolation import locate_by_search, locate_in_space, weights_in_space
from reluquant.structures.arrays import Floats
from reluquant.structures.bucket_grid import BucketGrid
from reluquant.structures.hull_projection import nearest_in_hull
from reluquant.structures.plane_locator import Indices

# Heights above a hull facet are rounded by so much of the largest coordinate.
_ROUNDING = 1e-15
# Heights of this many points above this many facets are held at once.
_BLOCK = 10**6


class SpaceLocator:
    """Simplices, buckets with a simplex each, and the hull's facets.

    The methods are those of :class:`PlaneLocator`, with facets for edges; a query within rounding of a facet may be
    given to either of the simplices that share it.
    """

    def __init__(self, points: Floats, simplices: Indices, neighbors: Indices) -> None:
        self.points, self.simplices, self.neighbors = points.copy(), simplices.copy(), neighbors.copy()
        self.grid = BucketGrid.around(self.points, per_point=1)
        # At first one bucket for all: each walk goes on from where the one before it ended.
        self.shape, self.hints = np.ones_like(self.grid.shape), np.zeros(1, dtype=np.int64)
        found = self._found(self.grid.middles(), np.zeros(0, dtype=np.int64))
        self.shape, self.hints = self.grid.shape, np.where(found < 0, ~found, found)
        dimension = points.shape[1]
        self.owners, opposite = np.nonzero(self.neighbors < 0)
        others = (opposite[:, None] + np.arange(1, dimension + 1)) % (dimension + 1)
        self.facets = self.simplices[self.owners[:, None], others]
        self.hull = np.unique(self.facets)
        corners = self.points[self.facets]
        # The direction across a facet is what its edges do not span; outward is away from the opposite vertex.
        normals = np.linalg.svd(corners[:, 1:] - corners[:, :1])[2][:, -1]
        inward = self.points[self.simplices[self.owners, opposite]] - corners[:, 0]
        self.normals = normals * -np.sign(np.einsum("fi,fi->f", normals, inward))[:, None]
        self.offsets = np.einsum("fi,fi->f", corners[:, 0], self.normals)
        self.rounding = _ROUNDING * np.abs(self.points).max()

    def locate(self, z: Floats, values: Floats) -> tuple[Indices, Floats]:
        """Return the simplex of each point, negative outside, and the interpolant of values; NaN outside."""
        found = self._found(z, self.grid.visits(z))
        self._take_back(z, found)
        result = np.full((len(z), values.shape[1]), np.nan)
        inside = found >= 0
        weights = np.maximum(self.weights(z[inside], found[inside]), 0.0)
        weights /= weights.sum(axis=1, keepdims=True)
        corners = values[self.simplices[found[inside]]]
        with np.errstate(over="ignore"):
            between = np.einsum("ki,kij->kj", weights, corners)
        result[inside] = np.clip(between, corners.min(axis=1), corners.max(axis=1))
        return found, result

    def _found(self, z: Floats, order: Indices) -> Indices:
        found = np.empty(len(z), dtype=np.int64)
        locate_in_space(
            z, order, self.grid.frame, self.shape, self.hints, self.points, self.simplices, self.neighbors, found
        )
        return found

    def _take_back(self, z: Floats, found: Indices) -> None:
        """Give points to simplices that walks left the hull with, though it holds them."""
        claimed = np.flatnonzero(found < 0)
        # Near a simplex that is ulps thin the walk may have left a hull that holds the point.
        block = max(1, _BLOCK // len(self.facets))
        for part in np.split(claimed, range(block, claimed.size, block)):
            heights = z[part] @ self.normals.T - self.offsets
            wrong = part[heights.max(axis=1, initial=-np.inf) <= self.rounding]
            if wrong.size:
                simplex = np.empty(wrong.size, dtype=np.int64)
                locate_by_search(z[wrong], self.points, self.simplices, simplex)
                found[wrong] = simplex

    def weights(self, z: Floats, simplex: Indices) -> Floats:
        """Return barycentric weights, shape (n, dimension + 1), of points in or outside given simplices."""
        weights = np.empty((len(z), self.simplices.shape[1]))
        weights_in_space(z, simplex, self.points, self.simplices, weights)
        return weights

    def gradients(self, simplex: Indices, values: Floats) -> Floats:
        """Return the gradient of each simplex's affine map, shape (n, dimension, n_outputs)."""
        distinct, which = np.unique(simplex, return_inverse=True)
        corners, labels = self.points[self.simplices[distinct]], values[self.simplices[distinct]]
        return np.linalg.solve(corners[:, 1:] - corners[:, :1], labels[:, 1:] - labels[:, :1])[which]

    def nearest(self, z: Floats, found: Indices) -> tuple[Indices, Indices, Floats, Floats]:
        """Return for points outside the simplex at the nearest hull facet, its vertices, weights there, and the way.

        Where several facets hold the nearest point, it is the one whose plane is furthest from the query.
        """
        chosen = np.empty(len(z), dtype=np.int64)
        weights = np.zeros((len(z), self.facets.shape[1]))
        way = np.empty(z.shape)
        for k, target in enumerate(z):
            share = np.zeros(len(self.points))
            share[self.hull] = nearest_in_hull(self.points[self.hull], target)
            used = np.count_nonzero(share)
            holds = np.flatnonzero(np.count_nonzero(share[self.facets], axis=1) == used)
            if holds.size == 0:
                # Coplanar facets: the nearest point came out as a mixture of vertices of several.
                nearest = share @ self.points
                rest = [_gap(self.points[facet], nearest) for facet in self.facets]
                holds = np.array([np.argmin(rest)])
                share[:] = 0
                share[self.facets[holds[0]]] = nearest_in_hull(self.points[self.facets[holds[0]]], target)
            height = np.einsum("fi,fi->f", target - self.points[self.facets[holds, 0]], self.normals[holds])
            chosen[k] = holds[np.argmax(height)]
            facet = self.facets[chosen[k]]
            weights[k] = share[facet]
            way[k] = weights[k] @ (target - self.points[facet])
        return self.owners[chosen], self.facets[chosen], weights, way


def _gap(corners: Floats, target: Floats) -> float:
    """Distance of a point from a simplex."""
    return float(np.linalg.norm(nearest_in_hull(corners, target) @ (corners - target)))
