"""Points as integers: nothing is lost, and their rank is decided exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant.analysis.integer_points import independent_points, integer_digits, scaled
from reluquant.kernels.orientation import DIGIT_BITS

any_float = st.floats(allow_nan=False, allow_infinity=False)
number = any_float | st.integers(-9, 9).map(float) | st.integers(-9, 9).map(lambda i: i / 10)


@given(st.lists(st.tuples(number, number), min_size=1, max_size=9))
def test_digits_are_the_points_times_one_power_of_two(rows):
    digits = integer_digits(np.array(rows))
    assert np.abs(digits).max(initial=0) <= 1 << (DIGIT_BITS - 1)
    integers = [[sum(d << (DIGIT_BITS * k) for k, d in enumerate(c)) for c in row] for row in digits.tolist()]
    factors = {Fraction(i) / Fraction(v) for x, row in zip(integers, rows, strict=True)
               for i, v in zip(x, row, strict=True) if v}  # fmt: skip
    assert len(factors) <= 1
    factor = min(factors, default=Fraction(1))
    assert factor.numerator == 1 or factor.denominator == 1
    assert all((i == 0) == (v == 0) for x, row in zip(integers, rows, strict=True) for i, v in zip(x, row, strict=True))


@pytest.mark.parametrize("size", [5e-324, 1e-200, 1.0, 1e300])
def test_scaling_is_by_a_power_of_two(size):
    points = size * np.array([[1.0, -3.0], [2.0, 0.0]])
    moved = scaled(points)
    assert 2.0**99 <= np.abs(moved).max() < 2.0**100
    assert np.array_equal(moved / moved[0, 0], [[1.0, -3.0], [2.0, 0.0]])


@given(st.integers(1, 4), st.integers(0, 4), st.integers(0, 2**32 - 1), st.integers(-900, 900))
def test_rank_of_points_that_span_less(n_features, rank, seed, power):
    rng = np.random.default_rng(seed)
    # Products of small integers do not round.
    points = rng.integers(-3, 4, (80, rank)) @ rng.integers(-3, 4, (rank, n_features)).astype(float)
    expected = np.linalg.matrix_rank(points - points[0]) if rank else 0
    rows, columns = independent_points(np.ldexp(points, power))
    assert len(columns) == expected
    assert len(rows) == expected + 1
    assert np.linalg.matrix_rank((points - points[rows[0]])[rows][:, columns]) == expected


def test_one_point_off_the_line_among_many_is_found():
    points = np.c_[np.arange(1000.0), np.arange(1000.0)]
    assert len(independent_points(points)[1]) == 1
    points[501, 1] = np.nextafter(501.0, 502.0)
    rows, columns = independent_points(points)
    assert (501 in rows, columns) == (True, [0, 1])
