"""Lists of all triangulations: each of them one, no two the same, as many as are counted."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import reluquant as rq
from tests.triangulation_problems import check_fine, convex, grid, sets


def edges(triangulation):
    return frozenset(frozenset({a, b}) for t in triangulation.simplices.tolist() for a, b in combinations(t, 2))


@pytest.mark.parametrize("name", sets())
def test_every_triangulation_is_listed_once(name):
    points = sets()[name]
    found = list(rq.triangulations(points))
    assert len({edges(t) for t in found}) == len(found) == rq.count_triangulations(points)
    for triangulation in found:
        check_fine(triangulation, points)


def test_as_many_as_are_counted_on_a_grid():
    assert len({edges(t) for t in rq.triangulations(grid(3, 4))}) == 852


def test_neighbours_in_the_list_are_flips_and_the_order_is_kept():
    first, second = (list(rq.triangulations(convex(7))) for _ in range(2))
    assert all(np.array_equal(s.simplices, t.simplices) for s, t in zip(first, second, strict=True))
    seen = [edges(first[0])]
    for triangulation in first[1:]:
        assert any(len(edges(triangulation) ^ known) == 2 for known in seen)
        seen.append(edges(triangulation))


def test_too_long_lists_are_refused_with_their_number():
    with pytest.raises(ValueError, match="16 points have 46,456 triangulations, more than most=1,000"):
        rq.triangulations(grid(4, 4), most=1000)
    many = rq.triangulations(np.random.default_rng(0).random((40, 2)), most=10)
    assert len([next(many) for _ in range(10)]) == 10
    with pytest.raises(ValueError, match="40 points have more than most=10 triangulations"):
        next(many)


def test_one_beyond_the_cap_is_too_many_and_the_cap_itself_is_not():
    # Too many points to be counted first; the fan around a point beside a line has one triangulation.
    fan = np.array([*([i, 0] for i in range(30)), [3, 5]], dtype=float)
    assert len(list(rq.triangulations(fan, most=1))) == 1


def test_points_on_a_line_are_joined_in_order():
    (line,) = rq.triangulations([[2, 2], [0, 0], [3, 3], [1, 1]])
    assert line.dimension == 1
    assert line.simplices.tolist() == [[1, 3], [3, 0], [0, 2]]
    assert line.neighbors.tolist() == [[1, -1], [2, 0], [-1, 1]]
    (point,) = rq.triangulations([[2, 2]])
    assert (point.dimension, point.neighbors.tolist()) == (0, [[-1]])


def test_bad_input_is_refused_before_the_first_is_asked_for():
    with pytest.raises(ValueError, match="rows 0 and 2"):
        rq.triangulations([[0, 0], [1, 0], [0, 0]])
    with pytest.raises(TypeError, match="most must be an integer"):
        rq.triangulations(grid(2, 2), most=2.5)
    with pytest.raises(ValueError, match="at most 100 points"):
        rq.triangulations(np.random.default_rng(0).random((101, 2)))
