import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant import PiecewiseLinear

TENT = PiecewiseLinear([0.0, 1.0, 3.0], [0.0, 1.0, 0.0], [2.0, 1.0, -0.5, -1.0], [0.0, 1.0, 3.0])

finite = st.floats(allow_nan=False, allow_infinity=False)


def test_values_inside_and_beyond():
    assert TENT([-1.0, 0.0, 0.25, 1.0, 2.0, 3.0, 5.0]).tolist() == [-2.0, 0.0, 0.25, 1.0, 0.5, 0.0, -2.0]


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 1, 3)])
def test_result_has_the_shape_of_x(shape):
    assert np.shape(TENT(np.ones(shape))) == shape


@given(st.lists(finite, min_size=2, max_size=6, unique=True), st.lists(finite, min_size=6, max_size=6), finite)
def test_between_knots_it_is_exact_to_rounding_and_within_its_neighbours(knots, values, x):
    knots = sorted(knots)
    values = values[: len(knots)]
    f = PiecewiseLinear(knots, values, np.zeros(len(knots) + 1), [])
    assert f(knots).tolist() == values
    for (p, q), (u, v) in zip(zip(knots, knots[1:], strict=False), zip(values, values[1:], strict=False), strict=True):
        place = min(max(x, p), q)
        assert min(u, v) <= f(place) <= max(u, v)
        left, right = (Fraction(q) - Fraction(place)) * Fraction(u), (Fraction(place) - Fraction(p)) * Fraction(v)
        gap = Fraction(q) - Fraction(p)
        error = abs(Fraction(float(f(place))) - (left + right) / gap)
        # Six roundings; a weight that underflows is off by half of 5e-324, times a value.
        underflow = (abs(Fraction(u)) + abs(Fraction(v)) + 2) * Fraction(5e-324)
        assert error <= Fraction(6, 2**52) * (abs(left) + abs(right)) / gap + underflow


@pytest.mark.parametrize("value", [0.1, np.finfo(float).max, -np.finfo(float).max])
def test_between_equal_values_it_is_constant(value):
    f = PiecewiseLinear([-1.0, 0.3, 2.0], [value] * 3, [0.0] * 4, [])
    assert np.all(f(np.linspace(-1, 2, 1001)) == value)


def test_a_large_value_does_not_blur_its_neighbour():
    f = PiecewiseLinear([-1e16, 1.0], [1e16, 0.0], [-1.0, -1.0, -1.0], [])
    assert f(0.0) == pytest.approx(1.0, rel=1e-15)


def test_subnormal_gap():
    f = PiecewiseLinear([0.0, 5e-324, 1.0], [0.0, 1.0, 0.0], [np.inf, np.inf, -1.0, -1.0], [])
    assert f([0.0, 5e-324, 0.5, 1.0]).tolist() == [0.0, 1.0, 0.5, 0.0]
    assert f(-1.0) == -np.inf


def test_the_widest_extrapolation_stays_finite_where_the_value_is():
    f = PiecewiseLinear([1.7e308], [1.0], [0.0, 0.0], [])
    assert f(-1.7e308) == 1.0
    g = PiecewiseLinear([-1.7e308], [-1.7e308], [1.0, 1.0], [])
    assert g(1.7e308) == pytest.approx(1.7e308)
    assert PiecewiseLinear([0.0], [0.0], [2.0, 2.0], [])(1.7e308) == np.inf


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([], [], [0.0], []), "k ≥ 1 knots, k values and k . 1 slopes, but got 0, 0 and 1"),
        (([0.0], [0.0], [0.0], []), "but got 1, 1 and 1"),
        (([0.0, 1.0], [0.0], [0.0, 0.0, 0.0], []), "but got 2, 1 and 3"),
        (([1.0, 0.0], [0.0, 0.0], [0.0] * 3, []), "must increase strictly"),
        (([1.0, 1.0], [0.0, 0.0], [0.0] * 3, []), "must increase strictly"),
        (([0.0, np.nan], [0.0, 0.0], [0.0] * 3, []), "knots must be finite"),
        (([0.0], [np.inf], [0.0] * 2, []), "values must be finite"),
        (([0.0], [0.0], [np.nan, 0.0], []), "slopes of a PiecewiseLinear must not be NaN"),
    ],
)
def test_bad_parts_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        PiecewiseLinear(*arguments)


@pytest.mark.parametrize(("x", "error"), [(np.nan, ValueError), ([np.inf], ValueError), ("a", TypeError)])
def test_points_that_are_no_finite_numbers_are_refused(x, error):
    with pytest.raises(error, match="x must"):
        TENT(x)


def test_it_is_immutable_and_holds_copies():
    knots = np.array([0.0])
    f = PiecewiseLinear(knots, [0.0], [0.0, 0.0], [])
    knots[0] = 5.0
    assert f.knots[0] == 0.0
    for name in ("knots", "values", "slopes"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(f, name)[0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        f.domain = (0, 1)


def test_counts_and_repr():
    assert TENT.n_breakpoints == 3
    assert repr(TENT) == "PiecewiseLinear(n_breakpoints=3, domain=(-inf, inf))"
    assert PiecewiseLinear([0.0], [0.0], [0.0, 0.0], [], domain=(0, 1)).domain == (0.0, 1.0)
