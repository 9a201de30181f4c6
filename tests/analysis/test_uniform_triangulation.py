"""Triangulations at random: valid, and each as likely as every other."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import stats

import reluquant as rq
from tests.triangulation_problems import check_fine, convex, grid, sets


@pytest.mark.parametrize("name", sets())
def test_what_is_drawn_is_a_triangulation(name):
    points = sets()[name]
    for seed in range(5):
        check_fine(rq.uniform_triangulation(points, rng=seed), points)


@pytest.mark.parametrize("points", [grid(3, 3), convex(6)[:, ::-1]])
def test_all_are_drawn_equally_often(points):
    number, rng = rq.count_triangulations(points), np.random.default_rng(0)
    draws = 20 * number
    drawn = Counter(
        frozenset(map(frozenset, rq.uniform_triangulation(points, rng=rng).simplices.tolist())) for _ in range(draws)
    )
    assert len(drawn) == number
    assert 0.001 < stats.chisquare(list(drawn.values())).pvalue < 0.999


def test_a_seed_repeats_it():
    first, second, other = (rq.uniform_triangulation(grid(4, 4), rng=seed).simplices for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_points_on_a_line_have_one():
    assert rq.uniform_triangulation([[0, 0], [2, 2], [1, 1]]).simplices.tolist() == [[0, 2], [2, 1]]


def test_too_many_points_are_refused():
    with pytest.raises(ValueError, match="at most 22 points"):
        rq.uniform_triangulation(convex(23))
