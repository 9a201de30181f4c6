"""The simplex that holds a point in three and more dimensions, and its barycentric weights there, in floats.

A walk crosses the facet beyond which the query is furthest, by barycentric weight. Rounding may send it round in
circles near flat simplices; then every simplex is looked at, and the one that has the query least outside is taken.
"""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel
from reluquant.kernels.point_location import bucket

# A weight may be rounded this far below zero in a simplex that holds the query.
ROUNDING = 1e-13
# Found outside by less than this, a query may be inside another simplex: every one is looked at.
_DOUBT = 1e-9


@kernel
def _solve(q, t, points, simplices, matrix, weights):
    """Write the barycentric weights of q in simplex t; False where that is flat."""
    d = q.size
    first = simplices[t, 0]
    for i in range(d):
        origin = points[first, i]
        for j in range(d):
            matrix[i, j] = points[simplices[t, j + 1], i] - origin
        matrix[i, d] = q[i] - origin
    for i in range(d):
        pivot = i
        for row in range(i + 1, d):
            if abs(matrix[row, i]) > abs(matrix[pivot, i]):
                pivot = row
        if matrix[pivot, i] == 0.0:
            return False
        if pivot != i:
            for j in range(i, d + 1):
                matrix[i, j], matrix[pivot, j] = matrix[pivot, j], matrix[i, j]
        for row in range(i + 1, d):
            factor = matrix[row, i] / matrix[i, i]
            if factor != 0.0:
                for j in range(i + 1, d + 1):
                    matrix[row, j] -= factor * matrix[i, j]
    total = 0.0
    for i in range(d - 1, -1, -1):
        value = matrix[i, d]
        for j in range(i + 1, d):
            value -= matrix[i, j] * weights[j + 1]
        weights[i + 1] = value / matrix[i, i]
        total += weights[i + 1]
    weights[0] = 1.0 - total
    return True


@kernel
def _everywhere(q, points, simplices, matrix, weights):
    """The simplex in which the least weight of q is largest, and that weight."""
    best, margin = 0, -np.inf
    for t in range(simplices.shape[0]):
        if _solve(q, t, points, simplices, matrix, weights) and weights.min() > margin:
            best, margin = t, weights.min()
    return best, margin


@kernel
def locate_in_space(queries, order, frame, shape, hints, points, simplices, neighbors, found):
    """Write the simplex t that holds each query, and outside the hull ``~t`` for one at the hull.

    The other arguments are those of `locate_in_plane`, a grid of this ``shape`` row by row in ``hints``.
    """
    d = queries.shape[1]
    matrix, weights = np.empty((d, d + 1)), np.empty(d + 1)
    last, t = -1, 0
    for i in range(queries.shape[0]):
        k = order[i] if order.size > 0 else i
        cell = 0
        for j in range(d):
            cell = cell * shape[j] + bucket(queries, k, j, frame, shape[j])
        if cell != last:
            last, t = cell, hints[cell]
        margin, facet = -1.0, 0
        for _ in range(simplices.shape[0]):
            if not _solve(queries[k], t, points, simplices, matrix, weights):
                margin = -_DOUBT
                break
            facet = np.argmin(weights)
            margin = weights[facet]
            if margin >= -ROUNDING or neighbors[t, facet] < 0:
                break
            t = neighbors[t, facet]
        else:
            margin = -_DOUBT
        if -_DOUBT <= margin < -ROUNDING:
            best, margin = _everywhere(queries[k], points, simplices, matrix, weights)
            t = best if margin >= -ROUNDING else t
        found[k] = t if margin >= -ROUNDING else ~t


@kernel
def locate_by_search(queries, points, simplices, simplex):
    """Write the simplex in which the least weight of each query is largest, found among all."""
    d = queries.shape[1]
    matrix, weights = np.empty((d, d + 1)), np.empty(d + 1)
    for k in range(queries.shape[0]):
        simplex[k], _ = _everywhere(queries[k], points, simplices, matrix, weights)


@kernel
def weights_in_space(queries, simplex, points, simplices, weights):
    """Write the barycentric weights of each query in a given simplex, shape (n, d + 1); NaN where that is flat."""
    d = queries.shape[1]
    matrix = np.empty((d, d + 1))
    for k in range(queries.shape[0]):
        if not _solve(queries[k], simplex[k], points, simplices, matrix, weights[k]):
            weights[k] = np.nan


@kernel
def nodes_of(queries, points, order):
    """The point that each query is equal to, or -1; ``order`` sorts the points by their coordinates in turn."""
    n, d = points.shape
    found = np.full(queries.shape[0], -1, dtype=np.int64)
    for k in range(queries.shape[0]):
        low, high = 0, n
        while low < high:
            middle = (low + high) // 2
            candidate, side = order[middle], 0
            for j in range(d):
                if points[candidate, j] != queries[k, j]:
                    side = 1 if points[candidate, j] < queries[k, j] else -1
                    break
            if side == 0:
                found[k] = candidate
                break
            if side > 0:
                low = middle + 1
            else:
                high = middle
    return found
