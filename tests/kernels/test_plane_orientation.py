"""Exact orientations against Fractions, over all of float64."""

from fractions import Fraction

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from reluquant.kernels.plane_orientation import LIMBS, exact_orientation, orientation_sign

any_float = st.floats(allow_nan=False, allow_infinity=False)
near = st.integers(-8, 8).map(lambda k: 0.5 + k * 2.0**-53)
grid = st.integers(-3, 3).map(float)
subnormal = st.integers(-5, 5).map(lambda k: k * 5e-324)
six = st.one_of(*(st.lists(number, min_size=6, max_size=6) for number in (
    any_float, near, grid, subnormal, st.one_of(any_float, near, grid, subnormal))))  # fmt: skip
limbs = np.zeros(LIMBS, dtype=np.int64)


def exact(numbers):
    ax, ay, bx, by, cx, cy = map(Fraction, numbers)
    return (ax - cx) * (by - cy) - (ay - cy) * (bx - cx)


@given(six)
@example([1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 1.7976931348623157e308, -5e-324, 5e-324])
@example([5e-324, 0.0, 0.0, 5e-324, 0.0, 0.0])
@example([1e-200, 1e-200, 1.0, 1e300, 0.0, 0.0])
def test_sign_and_value(numbers):
    area = exact(numbers)
    sign = (area > 0) - (area < 0)
    assert orientation_sign(*numbers, limbs) == sign
    mantissa, exponent = exact_orientation(*numbers, limbs)
    assert (mantissa > 0) - (mantissa < 0) == sign
    if area:
        assert abs(Fraction(mantissa) * Fraction(2) ** exponent / area - 1) <= Fraction(2) ** -52


@given(near, near, near, near)
def test_a_grid_of_ulps_around_a_line(x, y, u, v):
    for numbers in ([x, y, 12.0, 12.0, 24.0, 24.0], [x, y, u, v, 24.0, 24.0]):
        area = exact(numbers)
        assert orientation_sign(*numbers, limbs) == (area > 0) - (area < 0)
