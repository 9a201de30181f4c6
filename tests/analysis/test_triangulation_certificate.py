"""The certificate finds each fault that a triangulation can have."""

from __future__ import annotations

import numpy as np
import pytest

from reluquant.analysis.integer_points import integer_digits, scaled
from reluquant.analysis.triangulation_certificate import ExactPoints, fault_of


def fault(points, simplices):
    """Fault of simplices whose neighbours are those that share a facet."""
    points, simplices = np.array(points, dtype=float), np.array(simplices)
    size = simplices.shape[1]
    neighbors = np.full(simplices.shape, -1)
    facets = {}
    for t, simplex in enumerate(simplices.tolist()):
        for i in range(size):
            facets.setdefault(frozenset(simplex[:i] + simplex[i + 1 :]), []).append((t, i))
    for (t, i), *others in facets.values():
        for s, j in others[:1]:
            neighbors[t, i], neighbors[s, j] = s, t
    return fault_of(ExactPoints(scaled(points), integer_digits(points), points.shape[1]), simplices, neighbors)


KITE = [[0, 0], [3, -1], [4, 0], [3, 1]]
TENT = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]


@pytest.mark.parametrize(
    ("points", "simplices", "expected"),
    [
        (KITE, [[0, 1, 3], [1, 2, 3]], ""),
        (TENT, [[0, 1, 2, 3], [4, 1, 3, 2]], ""),
        (KITE, [[0, 1, 2], [0, 2, 3]], "circumsphere"),
        (KITE, [[0, 1, 3], [1, 3, 2]], "flat or negative"),
        (KITE, [[0, 1, 3]], "no vertex"),
        ([*KITE, [2, 0]], [[0, 1, 4], [1, 2, 4], [2, 3, 4]], "not convex"),
        ([[0, 0], [1, 0], [0, 1], [2, 0]], [[0, 1, 2], [0, 3, 2]], "neighbours overlap"),
        ([[0, 0], [1, 0], [0, 1], [9, 9], [8, 9], [8, 8]], [[0, 1, 2], [3, 4, 5]], "overlap"),
        ([[0, 0], [1, 0], [0, 1], [9, 9], [8, 9], [8, 8]], [[1, 2, 0], [3, 4, 5]], "overlap"),
        ([[0, 0], [1, 0], [2, 0], [0, 1]], [[0, 1, 3], [0, 2, 3]], "neighbours overlap"),
    ],
)
def test_faults_are_found(points, simplices, expected):
    found = fault(points, simplices)
    assert expected in found
    assert bool(found) == bool(expected)


def test_neighbours_that_do_not_share_a_facet():
    points = np.array(KITE, dtype=float)
    exact = ExactPoints(scaled(points), integer_digits(points), 2)
    simplices = np.array([[0, 1, 3], [1, 2, 3]])
    assert fault_of(exact, simplices, np.array([[1, -1, -1], [-1, 0, -1]])) == ""
    assert fault_of(exact, simplices, np.array([[-1, 1, -1], [-1, 0, -1]])) == "neighbours do not share a facet"
    assert fault_of(exact, simplices, np.array([[1, -1, -1], [-1, -1, -1]])) == "neighbours do not share a facet"


def test_a_star_that_winds_twice_is_caught_by_counting_alone():
    # A pentagram about its middle: every triangle is positive, every corner turns left, every edge is Delaunay.
    angle = 2 * np.pi * np.arange(5) / 5
    points = np.vstack([[0.0, 0.0], np.c_[np.cos(angle), np.sin(angle)]])
    twice = [[0, 1 + 2 * k % 5, 1 + 2 * (k + 1) % 5] for k in range(5)]
    assert fault(points, twice) == "simplices overlap"
    assert fault(points, [[0, 1 + k, 1 + (k + 1) % 5] for k in range(5)]) == ""
