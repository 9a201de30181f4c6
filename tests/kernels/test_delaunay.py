"""Insertion of points, ghosts included."""

from __future__ import annotations

import numpy as np
import pytest

from reluquant.analysis.integer_points import integer_digits, scaled
from reluquant.kernels.delaunay import DEAD, GHOST, delaunay
from reluquant.kernels.orientation import workspace


def inserted(points, first, order):
    points = np.asarray(points, dtype=float)
    digits = integer_digits(points)
    work = workspace(points.shape[1], *digits.shape[1:])
    vertices, neighbors, ended = delaunay(
        scaled(points), digits, np.array(first), np.array(order, dtype=np.int64), work
    )
    assert ended
    return vertices, neighbors


def live(vertices):
    return {frozenset(row) for row in vertices.tolist() if row[0] != DEAD}


def test_a_simplex_alone_is_closed_by_its_ghosts():
    vertices, neighbors = inserted([[0, 0], [1, 0], [0, 1]], [0, 1, 2], [])
    assert live(vertices) == {frozenset(s) for s in [(0, 1, 2), (GHOST, 1, 2), (GHOST, 0, 2), (GHOST, 0, 1)]}
    assert neighbors.min() == 0


@pytest.mark.parametrize("n_features", [2, 3, 4, 5])
def test_all_is_a_closed_sphere(n_features):
    rng = np.random.default_rng(n_features)
    points = np.vstack([np.zeros(n_features), np.eye(n_features), rng.integers(-2, 3, (12, n_features))])
    points = points[np.sort(np.unique(points, axis=0, return_index=True)[1])]
    vertices, neighbors = inserted(points, range(n_features + 1), range(n_features + 1, len(points)))
    for simplex, row in enumerate(vertices.tolist()):
        if row[0] != DEAD:
            for i, beyond in enumerate(neighbors[simplex].tolist()):
                facet = set(row[:i] + row[i + 1 :])
                assert facet < set(vertices[beyond].tolist())
                assert (neighbors[beyond] == simplex).sum() == 1


@pytest.mark.parametrize("n_features", [2, 3, 4])
def test_the_order_of_insertion_does_not_matter_even_in_ties(n_features):
    rng = np.random.default_rng(0)
    corners = np.vstack([np.zeros(n_features), np.eye(n_features)])
    cube = np.stack(np.meshgrid(*[[0.0, 1.0]] * n_features), axis=-1).reshape(-1, n_features)
    others = np.vstack([cube, rng.integers(-2, 3, (10, n_features))])
    points = np.vstack([corners, [p for p in np.unique(others, axis=0) if not (corners == p).all(axis=1).any()]])
    rest = np.arange(n_features + 1, len(points))
    results = [live(inserted(points, range(n_features + 1), rng.permutation(rest))[0]) for _ in range(10)]
    assert all(result == results[0] for result in results)


def test_rows_of_destroyed_simplices_are_used_again():
    points = np.vstack([[[0, 0], [1, 0], [0, 1]], np.random.default_rng(0).random((500, 2))])
    vertices, _ = inserted(points, [0, 1, 2], range(3, 503))
    # A triangulation of the sphere by n + 1 vertices has 2 n − 2 triangles; few rows more were ever needed.
    assert len(live(vertices)) == 2 * 503 - 2
    assert len(vertices) < 2 * 503 + 100
