"""Signs of volumes and spheres against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reluquant.analysis.integer_points import integer_digits, scaled
from reluquant.kernels.orientation import exact_sides, in_sphere, sides_of, sphere_side, workspace
from tests.oracles_delaunay import determinant, rows_of, volume

any_float = st.floats(allow_nan=False, allow_infinity=False)
close_float = st.integers(-3, 3).map(float) | st.integers(-30, 30).map(lambda i: i / 10)
near_float = close_float.flatmap(lambda v: st.sampled_from([v, np.nextafter(v, 9), np.nextafter(v, -9), v + 1e6]))


@st.composite
def simplex_and_point(draw, most=5):
    """Draw rank + 1 vertices and a point, in as many coordinates or some more."""
    rank = draw(st.integers(1, most))
    n_features = rank + draw(st.integers(0, 2))
    number = draw(st.sampled_from([any_float, close_float, near_float, near_float | any_float]))
    size = (rank + 2) * n_features
    points = np.array(draw(st.lists(number, min_size=size, max_size=size))).reshape(rank + 2, n_features)
    if draw(st.booleans()):
        # The point is in the plane of a facet, but for rounding.
        points[-1] = (points[1:-1] / rank).sum(axis=0)
    return rank, points


def sign(value):
    return (value > 0) - (value < 0)


def volumes(points, rank):
    """All b_i: the volume with vertex i moved to the last point, in the first coordinates."""
    rows = [row[:rank] for row in rows_of(points)]
    return [volume([*rows[:i], rows[-1], *rows[i + 1 : -1]]) for i in range(rank + 1)]


def power(points, rank, raised=None):
    """Σ b_i (|v_i − q|² + raised_i − raised_q)."""
    rows = rows_of(points)
    raised = raised or [0] * len(rows)
    lifts = [
        sum((a - b) ** 2 for a, b in zip(row, rows[-1], strict=True)) + h for row, h in zip(rows, raised, strict=True)
    ]
    return sum(b * (lift - raised[-1]) for b, lift in zip(volumes(points, rank), lifts[:-1], strict=True))


def arguments(points, rank):
    digits = integer_digits(points)
    return scaled(points), digits, np.arange(rank + 1), rank + 1, rank, workspace(rank, *digits.shape[1:])


@settings(max_examples=150)
@given(simplex_and_point())
def test_sides_are_exact(drawn):
    rank, points = drawn
    expected = [sign(b) for b in volumes(points, rank)]
    sides = np.zeros(rank + 1, dtype=np.int64)
    sides_of(*arguments(points, rank), sides)
    assert sides.tolist() == expected
    exact_sides(*arguments(points, rank)[1:], sides)
    assert sides.tolist() == expected, "the integers alone"


@settings(max_examples=150)
@given(simplex_and_point())
def test_sphere_sides_are_exact(drawn):
    rank, points = drawn
    assert sphere_side(*arguments(points, rank)) == sign(power(points, rank))


@settings(max_examples=200)
@given(simplex_and_point(3), st.permutations(range(5)))
def test_ties_are_those_of_squares_raised_a_little(drawn, order):
    rank, points = drawn
    # Vertices and the point numbered in any order; small numbers are raised far more.
    number = [k for k in order if k < rank + 2]
    tiny = Fraction(1, 2**9000)
    points = points.clip(-9, 9).round(1)
    named = np.empty_like(points)
    named[number] = points
    floats, digits, _, _, _, work = arguments(named, rank)
    if volume([row[:rank] for row in rows_of(points)[:-1]]) > 0:
        inside = in_sphere(floats, digits, np.array(number[:-1]), number[-1], rank, work)
        assert inside == (power(points, rank, [tiny ** (k + 1) for k in number]) > 0)


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
def test_signs_in_the_unit_simplex(rank):
    corners = np.vstack([np.zeros(rank), np.eye(rank)])
    for q, inside in ((0.9 / rank, 1), (1.1 / rank, 1), (-0.1, -1), (1.0, 0) if rank == 1 else (2.0 / rank, 0)):
        points = np.vstack([corners, np.full(rank, q)])
        sides = np.zeros(rank + 1, dtype=np.int64)
        sides_of(*arguments(points, rank), sides)
        assert sides.tolist() == [sign(1 - rank * q)] + [sign(q)] * rank
        if rank > 1 and q != 2.0 / rank:
            assert sphere_side(*arguments(points, rank)) == inside


@pytest.mark.parametrize("step", [-1, 0, 1])
@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_an_ulp_decides(step, size):
    # 0.1 · (1, 3) and 0.3 · (1, 3) are not on one line with the origin after rounding; fractions know the side.
    points = size * np.array([[0.0, 0.0], [0.1, 0.3], [-0.2, 0.1], [0.3, 0.9]])
    points[3, 1] += step * np.spacing(points[3, 1])
    sides = np.zeros(3, dtype=np.int64)
    sides_of(*arguments(points, 2), sides)
    rows = rows_of(points)
    assert sides[2] == sign(determinant([rows[1], rows[3]]))


def test_the_classroom_example_of_signs_that_floats_get_wrong():
    # Points in ulps near .5 against a line through (12, 12) and (24, 24): above it or below it by their last bits.
    steps = np.arange(64)
    ulp = np.spacing(0.5)
    near = 0.5 + ulp * np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    points = np.vstack([[[12, 12], [24, 24], [0, 1]], near])
    floats, digits = scaled(points), integer_digits(points)
    work, sides, found = workspace(2, *digits.shape[1:]), np.zeros(3, dtype=np.int64), []
    for q in range(3, len(points)):
        sides_of(floats, digits, np.arange(3), q, 2, work, sides)
        found.append(sides[2])
    rounded = 12 - near
    assert np.array_equal(found, np.sign(near[:, 1] - near[:, 0]))
    assert not np.array_equal(found, np.sign(rounded[:, 0] * (24 - near[:, 1]) - rounded[:, 1] * (24 - near[:, 0])))


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_floats_are_trusted_only_where_they_are_right(rank):
    # Points that but for rounding are on a facet: without a bound for the rounding, one sign in 10 to 1000 is wrong.
    rng, n = np.random.default_rng(rank), 2000
    points = rng.random((n, rank + 2, rank))
    points[:, -1] = np.einsum("nk,nkr->nr", rng.dirichlet(np.ones(rank), n), points[:, 1:-1])
    rows = points.reshape(-1, rank)
    floats, digits = scaled(rows), integer_digits(rows)
    work, sides, exact = workspace(rank, *digits.shape[1:]), *np.zeros((2, rank + 1), dtype=np.int64)
    for k in range(0, len(rows), rank + 2):
        vertices, q = np.arange(k, k + rank + 1), k + rank + 1
        sides_of(floats, digits, vertices, q, rank, work, sides)
        exact_sides(digits, vertices, q, rank, work, exact)
        assert sides.tolist() == exact.tolist()
