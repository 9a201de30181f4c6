"""Signs are held against Fraction, which never rounds."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant.analysis.predicates import (
    common_integers,
    integer_parts,
    product_difference_sign,
    products,
    sum_of_products_sign,
    turn_signs,
)

any_float = st.floats(allow_nan=False, allow_infinity=False)
# Small integers and tenths coincide often; neighbours of them nearly coincide.
close_float = st.integers(-5, 5).map(float) | st.integers(-30, 30).map(lambda i: i / 10)
near_float = close_float.flatmap(lambda v: st.sampled_from([v, np.nextafter(v, 9), np.nextafter(v, -9)]))
number = st.one_of(any_float, close_float, near_float)


def sign(value):
    return (value > 0) - (value < 0)


@given(st.lists(any_float, min_size=1, max_size=20))
def test_floats_are_integers_times_powers_of_two(values):
    mantissas, exponents = integer_parts(np.array(values))
    assert [m * Fraction(2) ** e for m, e in zip(mantissas, exponents, strict=True)] == [Fraction(v) for v in values]


@given(st.lists(any_float, min_size=1, max_size=20))
def test_common_exponent_keeps_every_bit(values):
    integers, exponent = common_integers(np.array(values))
    assert [m * Fraction(2) ** exponent for m in integers] == [Fraction(v) for v in values]


@given(number, number)
def test_products_are_rounded_once_and_never_leave_the_range(p, q):
    mantissa, exponent = products(np.array([p]), np.array([q]))
    exact = Fraction(p) * Fraction(q)
    assert abs(Fraction(mantissa[0]) * Fraction(2) ** int(exponent[0]) - exact) <= abs(exact) / 2**53


@given(st.lists(st.tuples(number, number, number, number), min_size=1, max_size=20))
def test_product_difference_sign_is_exact(rows):
    a, b, c, d = np.array(rows).T
    expected = [sign(Fraction(p) * Fraction(q) - Fraction(r) * Fraction(s)) for p, q, r, s in rows]
    assert product_difference_sign(a, b, c, d).tolist() == expected


@given(st.floats(-1e200, 1e200), st.floats(-1e200, 1e200), st.integers(-40, 40))
def test_equal_products_of_different_factors_are_equal(p, q, k):
    r, s = float(np.ldexp(p, k)), float(np.ldexp(q, -k))
    exact = sign(Fraction(p) * Fraction(q) - Fraction(r) * Fraction(s))  # not 0 where a factor underflows
    assert product_difference_sign([p], [q], [r], [s]).tolist() == [exact]


def test_a_difference_below_rounding_has_its_true_sign():
    third = 0.1 / 3
    assert 3 * third - 0.1 == 0.0
    assert product_difference_sign([3.0], [third], [0.1], [1.0]).tolist() == [-1]


def test_signs_broadcast():
    assert product_difference_sign(np.ones((3, 1)), np.arange(2.0), np.zeros(1), np.zeros(1)).shape == (3, 2)
    assert product_difference_sign(0.1, 3.0, 0.3, 1.0).shape == ()


@given(st.lists(st.tuples(number, number), max_size=12))
def test_sum_of_products_sign_is_exact(terms):
    # Followed by the negative of all but one, so that the sum nearly cancels.
    terms = terms + [(-p, q) for p, q in terms[1:]]
    p, q = [t[0] for t in terms], [t[1] for t in terms]
    exact = sum((Fraction(u) * Fraction(v) for u, v in terms), Fraction(0))
    assert sum_of_products_sign(np.array(p), np.array(q)) == sign(exact)


@given(st.lists(st.tuples(number, number), min_size=3, max_size=15, unique_by=lambda point: point[0]))
def test_turn_signs_are_exact(points):
    points = sorted(points)
    x, y = np.array(points).T
    slopes = [
        (Fraction(v1) - Fraction(v0)) / (Fraction(u1) - Fraction(u0))
        for (u0, v0), (u1, v1) in zip(points, points[1:], strict=False)
    ]
    assert turn_signs(x, y).tolist() == [sign(t - s) for s, t in zip(slopes, slopes[1:], strict=False)]


@pytest.mark.parametrize("size", [0, 1, 2])
def test_few_points_do_not_turn(size):
    assert turn_signs(np.arange(float(size)), np.zeros(size)).size == 0


def test_points_on_a_line_are_seen_to_be_on_it_and_an_ulp_beside_is_not():
    x = np.arange(1000.0)
    assert not turn_signs(x, 3 * x - 7).any()
    y = 3 * x - 7
    y[500] = np.nextafter(y[500], 1e9)
    assert np.flatnonzero(turn_signs(x, y)).tolist() == [498, 499, 500]


@pytest.mark.parametrize(("nudge", "expected"), [(0.0, 0), (8.0, -1), (-8.0, 1)])
def test_turns_whose_differences_round(nudge, expected):
    # 1e16 + 1 and 3e16 + 3 are no float64: in floating point these three points are not on a line.
    x, y = np.array([-1e16, 1.0, 3.0]), np.array([-3e16, 3.0, 9.0])
    assert (y[1] - y[0]) * (x[2] - x[1]) != (y[2] - y[1]) * (x[1] - x[0])
    assert turn_signs(x, y - [nudge, 0.0, 0.0]).tolist() == [expected]
