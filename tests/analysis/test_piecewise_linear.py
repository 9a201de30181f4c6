"""The function of a network, held against sums of Fractions over all its neurons."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reluquant import ShallowReLU, piecewise_linear

EPS = np.finfo(np.float64).eps
TINIEST = Fraction(5e-324)

grid = st.integers(-4, 4).map(float)
tenths = st.integers(-20, 20).map(lambda i: i / 10)
medium = st.floats(-1e3, 1e3)
tiny = st.floats(-1e-300, 1e-300)
weight = st.one_of(grid, tenths, medium, tiny)
neurons = st.lists(st.tuples(weight, weight, weight), min_size=1, max_size=12)


def exact_breakpoints(rows):
    """Kinks at which the slope jumps do not add up to zero, with one loop and no rounding."""
    jumps = {}
    for w, b, a in ((Fraction(u) for u in row) for row in rows):
        if w != 0:
            jumps[-b / w] = jumps.get(-b / w, 0) + a * abs(w)
    return sorted(k for k, jump in jumps.items() if jump != 0)


def exact_value(rows, x):
    x = Fraction(x)
    terms = [Fraction(a) * max(Fraction(w) * x + Fraction(b), 0) for w, b, a in rows]
    # What the terms are made of: a neuron whose w x and b nearly cancel is as uncertain as they are.
    size = sum(abs(Fraction(a)) * (abs(Fraction(w) * x) + abs(Fraction(b))) for w, b, a in rows)
    return sum(terms), size


def network(rows):
    rows = np.array(rows, dtype=float)
    return ShallowReLU(rows[:, :2], rows[:, 2])


def assert_is_the_sum_of_neurons(rows, f, places):
    furthest = Fraction(np.abs(f.knots).max()) + 1
    for x in places:
        expected, size = exact_value(rows, x)
        # Slopes and values below 5e-324 underflow; only kinks at 1e300 make such a slope visible. A kink that near to
        # zero is rounded by up to half as much, which steep neurons see.
        steepest = sum(abs(Fraction(w) * Fraction(a)) for w, _, a in rows)
        allowed = 4 * (len(rows) + 4) * (Fraction(EPS) * size + TINIEST * (furthest + abs(Fraction(x)) + steepest))
        assert abs(Fraction(float(f(x))) - expected) <= allowed, x


def in_reach(kinks):
    return [k for k in kinks if abs(k) < Fraction(2) ** 1024 - Fraction(2) ** 970]


def function_within_float64(rows):
    """The function, or no test: a value of 1e310 at a kink at 1e305 is refused (its own test below)."""
    assume(all(abs(exact_value(rows, k)[1]) < Fraction(2) ** 1020 for k in in_reach(exact_breakpoints(rows))))
    return piecewise_linear(network(rows))


@settings(max_examples=500)
@given(neurons)
def test_breakpoints_are_those_of_exact_arithmetic(rows):
    f = function_within_float64(rows)
    expected = in_reach(exact_breakpoints(rows))
    assert f.n_breakpoints == len(expected)
    for found, true in zip(f.breakpoints.tolist(), expected, strict=True):
        assert found == float(true)


@settings(max_examples=300)
@example([(2.0, 5e-324, 29.0)], [0.0])
@given(neurons, st.lists(medium, max_size=5))
def test_function_is_the_network(rows, places):
    f = function_within_float64(rows)
    near = f.knots[np.abs(f.knots) < 1e6]
    assert_is_the_sum_of_neurons(rows, f, [*places, *near, *(near + 1e-3), *((near[1:] + near[:-1]) / 2)])


@settings(max_examples=200)
@given(neurons)
def test_slopes_are_those_of_active_neurons(rows):
    f = function_within_float64(rows)
    knots = [Fraction(k) for k in f.knots]
    middles = [knots[0] - 1, *((p + q) / 2 for p, q in zip(knots, knots[1:], strict=False)), knots[-1] + 1]
    size = sum(abs(Fraction(w) * Fraction(a)) for w, _, a in rows)
    for slope, x in zip(f.slopes, middles, strict=True):
        # A kink may round across a neighbouring middle only if both are one ulp apart.
        if min((abs(x - k) for k in exact_breakpoints(rows)), default=1) < abs(x) * Fraction(EPS):
            continue
        expected = sum(Fraction(w) * Fraction(a) for w, b, a in rows if Fraction(w) * x + Fraction(b) > 0)
        assert abs(Fraction(slope) - expected) <= 4 * len(rows) * (Fraction(EPS) * size + TINIEST)


def test_coincident_kinks_merge_exactly_where_floats_only_nearly_do():
    # -b/w rounds to the same number for the first three; only the first two coincide.
    rows = [(3.0, -0.1, 1.0), (6.0, -0.2, 1.0), (1.0, -0.1 / 3, 1.0)]
    assert 0.1 / 3 == 0.2 / 6
    f = piecewise_linear(network(rows))
    assert f.n_breakpoints == 2
    assert f.knots.size == 1
    assert f.slopes.tolist() == [0.0, 10.0]


def test_near_coincident_kinks_of_opposite_sign_do_not_cancel():
    rows = [(3.0, -0.1, 1.0), (1.0, -0.1 / 3, -3.0)]
    assert piecewise_linear(network(rows)).n_breakpoints == 2
    assert piecewise_linear(network([(3.0, -0.1, 1.0), (1.5, -0.05, -2.0)])).n_breakpoints == 0


def test_unsorted_run_of_kinks_that_round_alike():
    third = 0.1 / 3
    rows = [(1.0, -third, 1.0), (3.0, -0.1, 1.0), (1.0, -third, -1.0), (6.0, -0.2, -0.5)]
    assert piecewise_linear(network(rows)).n_breakpoints == 0
    assert piecewise_linear(network(rows[:3])).n_breakpoints == 1


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1.0, 1e150])
def test_cancellation_does_not_depend_on_the_scale(scale):
    W = scale * np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 1.0]])
    f = piecewise_linear(ShallowReLU(W, scale * np.array([2.0, -1.0, 1.0])))
    assert f.breakpoints.tolist() == [-1.0]


def test_jumps_that_differ_in_the_last_bit_do_not_cancel():
    f = piecewise_linear(ShallowReLU([[1e-200, 0.0], [1e-200, 0.0]], [1e-200, -np.nextafter(1e-200, 1)]))
    assert f.breakpoints.tolist() == [0.0]
    assert f.slopes.tolist() == [0.0, 0.0]  # 1e-416 is no float64


def test_a_tiny_jump_beside_cancelled_large_ones_stays():
    f = piecewise_linear(ShallowReLU([[1.0, 0.0], [1.0, 0.0], [1e-300, 0.0]], [1e300, -1e300, 1e-300]))
    assert f.n_breakpoints == 1


def test_opposite_neurons_that_cancel_leave_a_line():
    f = piecewise_linear(ShallowReLU([[1.0, -2.0], [-1.0, 2.0]], [3.0, -3.0]))
    assert f.n_breakpoints == 0
    assert f([-5.0, 2.0, 9.0]).tolist() == [-21.0, 0.0, 21.0]


def test_constant_and_zero_neurons():
    f = piecewise_linear(ShallowReLU([[0.0, 2.0], [0.0, -2.0], [0.0, 0.0], [1.0, 5.0]], [3.0, 100.0, 7.0, 0.0]))
    assert f.n_breakpoints == 0
    assert f.slopes.tolist() == [0.0, 0.0]
    assert f(123.0) == 6.0


def test_network_without_neurons_is_zero():
    f = piecewise_linear(ShallowReLU(np.zeros((0, 2)), np.zeros(0)))
    assert f([-1.0, 1.0]).tolist() == [0.0, 0.0]


def test_kink_out_of_reach_leaves_an_affine_neuron():
    f = piecewise_linear(ShallowReLU([[1e-300, 1e300], [1e-300, -1e300], [-1e-300, 1e300]], [2.0, 5.0, 3.0]))
    assert f.n_breakpoints == 0
    assert f(1.0) == pytest.approx(5e300, rel=1e-15)
    assert f.slopes == pytest.approx(-1e-300, rel=1e-15)


def test_kinks_at_both_ends_of_float64():
    rows = [(1e-3, -1.7e305, 1.0), (-1e-3, -1.7e305, 1.0), (1.0, 0.0, 1e-3)]
    f = piecewise_linear(network(rows))
    assert f.knots == pytest.approx([-1.7e308, 0.0, 1.7e308], rel=1e-15)
    assert_is_the_sum_of_neurons(rows, f, [-1.7e308, -1e300, 0.0, 5.0, 1e308, 1.7e308])


def test_a_gap_wider_than_float64():
    rows = [(1e-3, -1.7e305, 1e-3), (-1e-3, -1.7e305, 1e-3), (-2e-3, -3.2e305, 1e-3)]
    f = piecewise_linear(network(rows))
    assert f.n_breakpoints == 3
    assert_is_the_sum_of_neurons(rows, f, [-1.75e308, -1.65e308, 0.0, 1.75e308])


def test_a_value_beyond_float64_is_refused():
    with pytest.raises(ValueError, match="exceeds the float64 range"):
        piecewise_linear(ShallowReLU([[1e200, 0.0], [1.0, -1.0]], [1e200, 1.0]))


def test_one_output_column_is_one_output():
    assert piecewise_linear(ShallowReLU([[1.0, 0.0]], [[2.0]]))(3.0) == 6.0


def test_error_stays_at_rounding_for_many_neurons():
    net = ShallowReLU.gaussian(n_neurons=10_000, scale=1.0, rng=1)
    f = piecewise_linear(net)
    assert f.n_breakpoints == 10_000
    rows = np.column_stack([net.W, net.a]).tolist()
    for x in (-3.0, -0.1, 0.0, 2.5):
        expected, size = exact_value(rows, x)
        assert abs(Fraction(float(f(x))) - expected) <= 1e-14 * size


def test_values_do_not_underflow_at_scale_1e_300_and_follow_the_scale():
    # a·w is 1e-600; relative to a scale of 1 nothing else may change.
    small = ShallowReLU.balanced(n_neurons=50, scale=1e-300, rng=0)
    assert piecewise_linear(small).n_breakpoints == 50
    one = piecewise_linear(ShallowReLU.balanced(n_neurons=50, scale=1.0, rng=0))
    small = piecewise_linear(ShallowReLU(small.W, small.a / 1e-300))
    np.testing.assert_allclose(small.values / 1e-300, one.values, rtol=1e-11)
    np.testing.assert_allclose(small.slopes / 1e-300, one.slopes, rtol=1e-11)


def test_common_kinks_among_ten_thousand_are_merged():
    rng = np.random.default_rng(0)
    # Half of them on 20 exactly common kinks, where the filter cannot decide.
    common = np.repeat(rng.integers(-99, 99, 20), 250).astype(float)
    slope = rng.integers(1, 9, 5000) * rng.choice([-1.0, 1.0], 5000)
    W = np.r_[np.column_stack([slope, -slope * common]), rng.standard_normal((5000, 2))]
    net = ShallowReLU(W, rng.standard_normal(10_000))
    f = piecewise_linear(net)
    assert f.n_breakpoints == 5000 + np.unique(common).size
