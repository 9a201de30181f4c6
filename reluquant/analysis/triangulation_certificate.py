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

    Simplices are to be positive and to meet in whole facets, on opposite sides. Their border is to be convex at each
    ridge and, seen from one point, to be met once in some direction: then it is met once in every direction and is a
    convex surface. Within such a border all points are in equally many simplices, but for facets: as many as at one
    point.

    References
    ----------
    Mehlhorn, Näher, Seel, Seidel, Schilz, Schirra & Uhrig (1999), "Checking geometric programs or verification of
    geometric structures", Computational Geometry 12.
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
    return "" if _covers_once(points, simplices, neighbors) else "simplices overlap"


def _hull_facets(neighbors: Indices) -> Indices:
    # np.argwhere is transposed in memory, which kernels would be compiled for once more.
    return np.ascontiguousarray(np.argwhere(neighbors < 0))


def _hull_ridges(simplices: Indices, neighbors: Indices) -> tuple[Indices, Indices] | None:
    """Facets of the hull as (simplex, vertex left out), once for each ridge, and the next facet's vertex beyond it."""
    facets, size = _hull_facets(neighbors), simplices.shape[1]
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
    return np.ascontiguousarray(facets[owner[::2]]), np.ascontiguousarray(apex[1::2])


def _covers_once(points: ExactPoints, simplices: Indices, neighbors: Indices) -> bool:
    """Whether the middle of one simplex is in no other, and the hull winds once around it."""
    size = simplices.shape[1]
    facets = _hull_facets(neighbors)
    (simplex, i), digits = facets[0], points.digits
    inner, outer = simplices[0], np.delete(simplices[simplex], i)
    # Times size (size − 1) both middles are integers, as all points are.
    middles = np.stack([(size - 1) * digits[inner].sum(axis=0), size * digits[outer].sum(axis=0)])
    digits = np.concatenate([size * (size - 1) * digits, middles])
    return check.covers_once(digits, simplices, facets, points.workspace())
