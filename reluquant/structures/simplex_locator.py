"""Where points are in a triangulation, whatever its dimension and that of its space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reluquant.kernels.space_interpolation import nodes_of
from reluquant.structures.arrays import Floats
from reluquant.structures.line_locator import LineLocator
from reluquant.structures.plane_locator import Indices, PlaneLocator
from reluquant.structures.space_locator import SpaceLocator

# Differences of coordinates beyond this could leave float64; so many halvings, which are exact, prevent it.
_FAR = 2.0**990
_FAR_SHIFT = 40


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Points in a triangulation.

    Parameters
    ----------
    z : ndarray, shape (n, dimension)
        Coordinates in the span of the triangulation.
    found : ndarray of int, shape (n,)
        The simplex that holds the point; negative outside the hull.
    values : ndarray, shape (n, n_outputs)
        The interpolant; NaN outside the hull.
    """

    z: Floats
    found: Indices
    values: Floats


class SimplexLocator:
    """The span of a triangulation's points, and the simplices in it.

    Parameters
    ----------
    points : ndarray, shape (n_points, n_features)
    simplices, neighbors : ndarray of int, shape (n_simplices, dimension + 1)
        As in a :class:`~reluquant.structures.triangulation.Triangulation`.
    """

    def __init__(self, points: Floats, simplices: Indices, neighbors: Indices) -> None:
        self.shift = _FAR_SHIFT if np.abs(points).max() > _FAR else 0
        self.dimension = simplices.shape[1] - 1
        self.raw_points = points.copy()
        self.basis = None
        if self.dimension < points.shape[1]:
            # Differences from a point, so that an offset costs no digits.
            self.origin = np.ldexp(points[simplices[0, 0]], -self.shift)
            ways = np.ldexp(points, -self.shift) - self.origin
            size = np.abs(ways).max()
            directions = np.linalg.svd(ways / size if size > 0 else ways, full_matrices=False)[2]
            self.basis = directions[: self.dimension].T
        z = self.coordinates(points)
        kind = LineLocator if self.dimension < 2 else PlaneLocator if self.dimension == 2 else SpaceLocator
        if self.basis is not None and self.dimension == 2:
            simplices, neighbors = _turned(z, simplices, neighbors)
        self.inner = kind(z, simplices, neighbors)
        self.by_coordinate = None
        if self.basis is not None or self.dimension != 2:
            self.by_coordinate = np.lexsort(points.T[::-1])
            self.simplex_at = np.zeros(len(points), dtype=np.int64)
            self.simplex_at[simplices.ravel()] = np.repeat(np.arange(len(simplices)), simplices.shape[1])

    def coordinates(self, x: Floats) -> Floats:
        """Return the coordinates of points in the span of the triangulation, shape (n, dimension)."""
        z = np.ldexp(x, -self.shift) if self.shift else x
        return z if self.basis is None else (z - self.origin) @ self.basis

    def place(self, x: Floats, labels: Floats | None = None) -> Places:
        """Find the simplices of points, shape (n, n_features), and there the interpolant of labels, a row a vertex."""
        labels = np.zeros((len(self.raw_points), 0)) if labels is None else labels
        z = self.coordinates(x)
        found, values = self.inner.locate(z, labels)
        if self.by_coordinate is not None:
            nodes = nodes_of(x, self.raw_points, self.by_coordinate)
            known = nodes >= 0
            found[known], values[known] = self.simplex_at[nodes[known]], labels[nodes[known]]
        return Places(z, found, values)

    def weights(self, x: Floats, simplex: Indices) -> Floats:
        """Return barycentric weights, shape (n, dimension + 1), of points in or outside given simplices."""
        weights = self.inner.weights(self.coordinates(x), simplex)
        if self.by_coordinate is not None:
            nodes = nodes_of(x, self.raw_points, self.by_coordinate)
            vertex = self.inner.simplices[simplex] == nodes[:, None]
            own = vertex.any(axis=1)
            weights[own] = vertex[own]
        return weights

    def directions(self, gradients: Floats) -> Floats:
        """Return gradients along the span's coordinates, shape (n, dimension, n_outputs), along the features."""
        gradients = np.ldexp(gradients, -self.shift)
        return gradients if self.basis is None else np.einsum("fi,nij->nfj", self.basis, gradients)


def _turned(z: Floats, simplices: Indices, neighbors: Indices) -> tuple[Indices, Indices]:
    """Return triangles of a plane in space counterclockwise in the coordinates of that plane."""
    (ux, uy), (vx, vy) = (np.moveaxis(z[simplices[:, i]] - z[simplices[:, 0]], -1, 0) for i in (1, 2))
    clockwise = (ux * vy < uy * vx)[:, None]
    return np.where(clockwise, simplices[:, [0, 2, 1]], simplices), np.where(
        clockwise, neighbors[:, [0, 2, 1]], neighbors
    )
