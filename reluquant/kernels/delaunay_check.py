"""Whether simplices are a Delaunay triangulation, facet by facet and exactly."""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel
from reluquant.kernels.orientation import exact_sides, sides_of, sphere_side

SOUND, FLAT, TORN, FOLDED, NOT_DELAUNAY, NOT_CONVEX = range(6)


@kernel
def _opposite(vertices, neighbors, simplex, i):
    """Vertex of the neighbour beyond facet i that is not on that facet; −1 unless they share the facet and say so."""
    beyond, apex = neighbors[simplex, i], -1
    for j in range(vertices.shape[1]):
        if neighbors[beyond, j] == simplex:
            apex = vertices[beyond, j]
    shared = 0
    for vertex in vertices[beyond]:
        for j in range(vertices.shape[1]):
            shared += j != i and vertices[simplex, j] == vertex and vertex != apex
    return apex if shared == vertices.shape[1] - 1 else -1


@kernel
def local_fault(points, digits, vertices, neighbors, work):
    """First fault at a simplex or where two meet: not positive, no common facet, overlap, not Delaunay."""
    size = vertices.shape[1]
    sides = np.zeros(size, dtype=np.int64)
    for simplex in range(vertices.shape[0]):
        row = vertices[simplex]
        sides_of(points, digits, row, row[0], size - 1, work, sides)
        if sides[0] <= 0:
            return FLAT
        for i in range(size):
            if neighbors[simplex, i] >= 0:
                apex = _opposite(vertices, neighbors, simplex, i)
                if apex < 0:
                    return TORN
                if simplex < neighbors[simplex, i]:
                    sides_of(points, digits, row, apex, size - 1, work, sides)
                    if sides[i] >= 0:
                        return FOLDED
                    if sphere_side(points, digits, row, apex, size - 1, work) > 0:
                        return NOT_DELAUNAY
    return SOUND


@kernel
def hull_fault(points, digits, vertices, facets, others, work):
    """Whether a vertex in ``others`` is beyond its facet (simplex, i) of the hull, which is next to it."""
    size = vertices.shape[1]
    sides = np.zeros(size, dtype=np.int64)
    for k in range(facets.shape[0]):
        simplex, i = facets[k]
        sides_of(points, digits, vertices[simplex], others[k], size - 1, work, sides)
        if sides[i] < 0:
            return NOT_CONVEX
    return SOUND


@kernel
def covers_once(digits, vertices, facets, work):
    """Whether a point is in the first simplex only, beneath all hull facets, and sees one of them in some direction.

    The last two rows of ``digits`` are that point and a point inside the first of the ``facets`` (simplex, i).
    """
    size, inner, outer = vertices.shape[1], digits.shape[0] - 2, digits.shape[0] - 1
    sides = np.zeros(size, dtype=np.int64)
    for simplex in range(vertices.shape[0]):
        exact_sides(digits, vertices[simplex], inner, size - 1, work, sides)
        if (sides.min() >= 0) != (simplex == 0):
            return False
    for k in range(facets.shape[0]):
        simplex, i = facets[k]
        cone = vertices[simplex].copy()
        exact_sides(digits, cone, inner, size - 1, work, sides)
        if sides[i] <= 0:
            return False
        cone[i] = inner
        exact_sides(digits, cone, outer, size - 1, work, sides)
        sides[i] = 0
        if (sides.min() >= 0) != (k == 0):
            return False
    return True
