"""Counts against published ones, closed forms and sets of edges that do not cross."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

import reluquant as rq
from tests.triangulation_problems import convex, count_by_trying, grid, sets

# Kaibel & Ziegler (2003), "Counting lattice triangulations", count unimodular ones: on a grid the fine ones.
GRIDS = {
    (2, 2): 2, (2, 3): 6, (3, 3): 64, (3, 4): 852, (3, 5): 12170, (4, 4): 46456, (4, 5): 2822648, (5, 5): 736983568
}  # fmt: skip


@pytest.mark.parametrize("size", GRIDS)
def test_fine_triangulations_of_grids(size):
    assert rq.count_triangulations(grid(*size)) == rq.count_triangulations(grid(*size[::-1])) == GRIDS[size]


def test_all_triangulations_of_grids():
    assert rq.count_triangulations(grid(3, 3), fine=False) == count_by_trying(grid(3, 3), fine=False) == 387
    corners, others = [0, 3, 8, 11], [1, 2, 4, 5, 6, 7, 9, 10]
    subsets = (part for size in range(9) for part in combinations(others, size))
    by_subsets = sum(rq.count_triangulations(grid(3, 4)[[*corners, *part]]) for part in subsets)
    assert rq.count_triangulations(grid(3, 4), fine=False) == by_subsets == 14842


@pytest.mark.parametrize("n", [*range(3, 14), 20])
def test_convex_polygons_have_a_catalan_number(n):
    catalan = comb(2 * n - 4, n - 2) // (n - 1)
    assert rq.count_triangulations(convex(n)) == rq.count_triangulations(convex(n)[:, ::-1], fine=False) == catalan


def test_double_chains():
    # Two chains of k points that bend towards each other: Catalan ways behind each, C(2k-2, k-1) between them.
    k = 9
    x = np.arange(k) - (k - 1) / 2
    points = np.concatenate([np.column_stack([x, 1e4 + x**2]), np.column_stack([x, -1e4 - x**2])])
    catalan = comb(2 * k - 4, k - 2) // (k - 1)
    assert rq.count_triangulations(points[:, ::-1]) == catalan**2 * comb(2 * k - 2, k - 1)


@pytest.mark.parametrize("name", sets())
def test_counts_are_those_of_largest_sets_of_edges_without_crossings(name):
    points = sets()[name]
    assert rq.count_triangulations(points) == count_by_trying(points)
    if len(points) < 8:
        assert rq.count_triangulations(points, fine=False) == count_by_trying(points, fine=False)


def test_points_on_a_line():
    line = np.outer(np.arange(40), [1.0, 3.0])
    assert rq.count_triangulations(line) == 1
    assert rq.count_triangulations(line, fine=False) == 2**38
    assert rq.count_triangulations([[2, 3]]) == rq.count_triangulations([[2, 3], [0, 1]], fine=False) == 1


def test_too_many_points_are_refused_with_the_size_of_the_sweep():
    with pytest.raises(ValueError, match=r"26 points takes a sweep of up to n 2\^\(n-2\) ≈ 4.4e\+08 states"):
        rq.count_triangulations(convex(26))


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[0, 0], [1, 0], [0, 1], [1, 0]], r"distinct points, but rows 1 and 3 are both \[1.0, 0.0\]"),
        (np.zeros((0, 2)), r"shape \(n_points, 2\), at least one"),
        (np.zeros((4, 3)), r"shape \(n_points, 2\)"),
        ([[0, 0], [1, np.nan], [0, 1]], "must be finite"),
    ],
)
def test_other_things_are_refused(points, message):
    with pytest.raises(ValueError, match=message):
        rq.count_triangulations(points)
