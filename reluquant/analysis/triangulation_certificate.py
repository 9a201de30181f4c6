"""A triangulation is believed when it has been checked, by exact signs and not by how it was made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.kernels import delaunay_check as check
from reluquant.kernels.orientation import workspace
from reluquant.structures.arrays import Floats

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ExactPoints:
    """Points below 2^100 and the integers that they are, coordinates of the span first."""

    floats: Floats
    digits: Indices
    rank: int

    def workspace(self) -> tuple[np.ndarray, ...]:
        """Room for the kernels of `reluquant.kernels.orientation`."""
        return workspace(self.rank, self.floats.shape[1], self.digits.shape[2])


def fault_of(points: ExactPoints, simplices: Indices, neighbors: Indices) -> str:
    """Return what keeps simplices from being a Delaunay triangulation of all points; "" if nothing does.

    Simplices that are positive, meet in whole facets on opposite sides, and whose border is convex at each ridge cover
    the hull evenly: every point of it equally often, but for borders. So it is enough to count at one point.
    """
    if np.unique(simplices).size != points.floats.shape[0]:
        return "a point is no vertex"
    work = points.workspace()
    arrays = points.floats, points.digits, simplices
    fault = check.local_fault(*arrays, neighbors, work)
    if fault == check.SOUND:
        ridges = _hull_ridges(simplices, neighbors)
        if ridges is None:
            return "the hull has a gap"
        fault = check.hull_fault(*arrays, *ridges, work)
    if fault != check.SOUND:
        return {
            check.FLAT: "a simplex is flat or negative",
            check.TORN: "neighbours do not share a facet",
            check.FOLDED: "neighbours overlap",
            check.NOT_DELAUNAY: "a point is in the circumsphere of a neighbour",
            check.NOT_CONVEX: "the hull is not convex",
        }[fault]
    return "" if _covers_once(points, simplices) else "simplices overlap"


def _hull_ridges(simplices: Indices, neighbors: Indices) -> tuple[Indices, Indices] | None:
    """Facets of the hull as (simplex, vertex left out), once for each ridge, and the next facet's vertex beyond it."""
    facets = np.argwhere(neighbors < 0)
    size = simplices.shape[1]
    corners = simplices[facets[:, 0]]
    corners = corners[np.arange(size) != facets[:, [1]]].reshape(-1, size - 1)
    left_out = np.arange(size - 1)
    ridges = np.concatenate([corners[:, left_out != j] for j in left_out])
    ridges = np.sort(ridges, axis=1)
    owner, apex = np.tile(np.arange(len(facets)), size - 1), corners.T.ravel()
    order = np.lexsort(ridges.T)
    ridges, owner, apex = ridges[order], owner[order], apex[order]
    if len(ridges) % 2 or (ridges[::2] != ridges[1::2]).any() or (ridges[1:-1:2] == ridges[2::2]).all(axis=1).any():
        return None
    return facets[owner[::2]], apex[1::2]


def _covers_once(points: ExactPoints, simplices: Indices) -> bool:
    """Whether the middle of one simplex is in no other. Times ``rank + 1`` it is an integer, as all points are."""
    size = simplices.shape[1]
    vertices = points.floats[simplices[:1]]
    middle = vertices[0].mean(axis=0)
    # Far above what a mean is off by rounding, and by underflow.
    slack = 1e-12 * np.abs(vertices).max() + 1e-300
    near = np.ones(len(simplices), dtype=bool)
    for c in range(points.rank):
        values = points.floats[simplices, c]
        near &= (values.min(axis=1) <= middle[c] + slack) & (middle[c] - slack <= values.max(axis=1))
    used, corners = np.unique(simplices[near], return_inverse=True)
    own = points.digits[simplices[0]].sum(axis=0)
    digits = np.concatenate([size * points.digits[used], own[np.newaxis]])
    corners = corners.reshape(-1, size)
    return check.count_around(digits, corners, np.arange(len(corners)), points.workspace()) == (1, 0)
