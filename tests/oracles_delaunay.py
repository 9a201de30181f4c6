"""What a Delaunay triangulation is, checked slowly and obviously in fractions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np


def rows_of(points):
    return [[Fraction(v) for v in row] for row in np.asarray(points, dtype=float).tolist()]


def determinant(matrix):
    matrix, value = [list(row) for row in matrix], Fraction(1)
    for k in range(len(matrix)):
        pivot = next((i for i in range(k, len(matrix)) if matrix[i][k] != 0), None)
        if pivot is None:
            return Fraction(0)
        if pivot != k:
            matrix[k], matrix[pivot], value = matrix[pivot], matrix[k], -value
        value *= matrix[k][k]
        for i in range(k + 1, len(matrix)):
            factor = matrix[i][k] / matrix[k][k]
            matrix[i] = [a - factor * b for a, b in zip(matrix[i], matrix[k], strict=True)]
    return value


def volume(corners):
    """Signed volume of a simplex, times ``dimension!``."""
    return determinant([[a - b for a, b in zip(corner, corners[0], strict=True)] for corner in corners[1:]])


def barycentric(corners, q):
    whole = volume(corners)
    return [volume([*corners[:i], q, *corners[i + 1 :]]) / whole for i in range(len(corners))]


def inside_sphere(corners, q):
    """Positive if ``q`` is inside the circumsphere of a simplex: its power, by solving for the centre (Cramer)."""
    rows = [[a - b for a, b in zip(corner, corners[0], strict=True)] for corner in corners[1:]]
    right = [sum(a * a for a in row) / 2 for row in rows]
    whole = determinant(rows)
    centre = [
        determinant([[*row[:c], value, *row[c + 1 :]] for row, value in zip(rows, right, strict=True)]) / whole
        for c in range(len(rows))
    ]
    moved = [a - b for a, b in zip(q, corners[0], strict=True)]
    return sum(c * c for c in centre) - sum((m - c) ** 2 for m, c in zip(moved, centre, strict=True))


def hull_area(points):
    """Twice the area of the convex hull of points in the plane (Andrew's monotone chain)."""
    chain = []
    for ordered in (sorted(points), sorted(points, reverse=True)):
        half = []
        for p in ordered:
            while len(half) > 1 and volume([half[-2], half[-1], p]) <= 0:
                half.pop()
            half.append(p)
        chain += half[:-1]
    return sum(p[0] * q[1] - p[1] * q[0] for p, q in zip(chain, [*chain[1:], chain[0]], strict=True))


def assert_delaunay(triangulation):
    """Check all that is claimed of a triangulation whose dimension is that of its space."""
    points, simplices = rows_of(triangulation.points), triangulation.simplices.tolist()
    neighbors, size = triangulation.neighbors.tolist(), triangulation.dimension + 1
    assert triangulation.dimension == triangulation.n_features
    assert {v for simplex in simplices for v in simplex} == set(range(len(points)))
    corners = [[points[v] for v in simplex] for simplex in simplices]
    volumes = [volume(c) for c in corners]
    assert min(volumes) > 0
    # A facet is of one simplex and on the hull, or of two.
    owners = Counter()
    facets = {}
    for t, simplex in enumerate(simplices):
        for i in range(size):
            facet = frozenset(simplex[:i] + simplex[i + 1 :])
            owners[facet] += 1
            facets.setdefault(facet, []).append((t, i))
    assert max(owners.values()) <= 2
    for places in facets.values():
        for t, i in places:
            others = [s for s, _ in places if s != t]
            assert neighbors[t][i] == (others[0] if others else -1)
            if not others:
                corner = corners[t]
                assert all(volume([*corner[:i], q, *corner[i + 1 :]]) >= 0 for q in points), "the hull is not convex"
    # The middle of a simplex is in no other.
    for t, corner in enumerate(corners):
        middle = [sum(column) / size for column in zip(*corner, strict=True)]
        assert [s for s, c in enumerate(corners) if min(barycentric(c, middle)) >= 0] == [t]
    for corner in corners:
        assert all(inside_sphere(corner, q) <= 0 for q in points), "a circumsphere is not empty"
    faces = {frozenset(face) for simplex in simplices for k in range(1, size + 1) for face in combinations(simplex, k)}
    assert sum((-1) ** (len(face) - 1) for face in faces) == 1, "Euler's formula for a ball"
    if size == 3:
        assert sum(volumes) == hull_area(points)
