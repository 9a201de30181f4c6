"""The simplified function stays within the tolerance and has as few breakpoints as any."""


import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant import Dataset, PiecewiseLinear, ShallowReLU, compare, interpolate, piecewise_linear, simplify

number = st.integers(-8, 8).map(float) | st.floats(-100, 100)
points = st.lists(st.tuples(number, number), min_size=2, max_size=25, unique_by=lambda point: round(point[0], 6))


def polygon(points):
    return interpolate(Dataset(*np.array(points).T))


def bunches(rng, centres, jumps, size, spread):
    """A network whose kinks are in bunches, with the slope jumps of each adding up."""
    kinks = np.repeat(centres, size) + spread * rng.uniform(-1, 1, len(centres) * size)
    w = rng.choice([-1.0, 1.0], kinks.size) * rng.uniform(0.5, 2, kinks.size)
    share = rng.dirichlet(np.ones(size), len(centres)).ravel()
    return ShallowReLU(np.column_stack([w, -w * kinks]), np.repeat(jumps, size) * share / np.abs(w))


@given(points, st.floats(1e-9, 50))
def test_within_the_tolerance_and_no_more_breakpoints(points, tolerance):
    f = polygon(points)
    g = simplify(f, tolerance)
    assert g.domain == f.domain
    assert compare(f, g).sup <= tolerance
    assert g.n_breakpoints <= f.n_breakpoints


@given(
    st.lists(st.tuples(st.floats(0.1, 5), st.floats(-50, 50)), min_size=2, max_size=8),
    st.integers(0, 10_000),
    st.floats(1e-6, 10),
)
def test_never_more_breakpoints_than_a_known_function_within_the_tolerance(steps, seed, tolerance):
    # f = simple + noise, and the noise is smaller than the tolerance: `simple` shows what is possible.
    rng = np.random.default_rng(seed)
    knots = np.cumsum([s for s, _ in steps])
    simple = interpolate(Dataset(knots, [v for _, v in steps]))
    x = np.unique(np.r_[knots, rng.uniform(knots[0], knots[-1], 60)])
    f = interpolate(Dataset(x, simple(x) + 0.99 * tolerance * rng.uniform(-1, 1, x.size)))
    g = simplify(f, tolerance)
    assert compare(f, g).sup <= tolerance
    assert g.n_breakpoints <= simple.n_breakpoints


def least_breakpoints(f, tolerance, n_heights):
    """The fewest breakpoints of functions with corners on the knots or between, by dynamic programming."""
    x = f.knots
    places = np.sort(np.r_[x, (x[1:] + x[:-1]) / 2])
    columns = [[(u, f(u) + s * tolerance) for s in np.linspace(-1, 1, n_heights)] for u in places]
    cost = [[0] * n_heights]
    for j in range(1, len(columns)):
        cost.append([np.inf] * n_heights)
        for i, (u, v) in enumerate(columns[j]):
            for k in range(j):
                inside = x[(x > places[k]) & (x < u)]
                for m, (s, t) in enumerate(columns[k]):
                    line = t + (v - t) * (inside - s) / (u - s)
                    if np.all(np.abs(line - f(inside)) <= tolerance + 1e-12):
                        cost[j][i] = min(cost[j][i], cost[k][m] + (k > 0))
    return min(cost[-1])


@pytest.mark.parametrize("seed", range(6))
def test_not_more_breakpoints_than_an_exhaustive_search(seed):
    rng = np.random.default_rng(seed)
    f = interpolate(Dataset(np.sort(rng.uniform(0, 1, 9)), rng.standard_normal(9)))
    for tolerance in (0.2, 0.6):
        found, possible = simplify(f, tolerance).n_breakpoints, least_breakpoints(f, tolerance, n_heights=7)
        assert found <= possible <= 7


def test_a_bunch_becomes_one_kink_in_its_middle():
    net = bunches(np.random.default_rng(0), [0.3], [1.0], 1000, 1e-7)
    f = piecewise_linear(net)
    assert f.n_breakpoints == 1000
    g = simplify(f, 1e-4, region=(-1, 1))
    assert g.n_breakpoints == 1
    assert g.breakpoints[0] == pytest.approx(0.3, abs=1e-5)
    assert np.diff(g.slopes) == pytest.approx(1.0, abs=1e-5)


def test_ten_thousand_kinks_in_nine_bunches_count_as_nine():
    rng = np.random.default_rng(1)
    centres, jumps = np.linspace(-2, 2, 9), rng.choice([-1.0, 1.0], 9) * rng.uniform(0.5, 2, 9)
    f = piecewise_linear(bunches(rng, centres, jumps, 1200, 1e-8))
    g = simplify(f, 1e-6)
    np.testing.assert_allclose(g.breakpoints, centres, atol=1e-5)
    np.testing.assert_allclose(np.diff(g.slopes), jumps, atol=1e-4)


def test_negligible_kinks_vanish():
    rng = np.random.default_rng(2)
    W = np.r_[[[1.0, 0.0]], rng.standard_normal((500, 2))]
    a = np.r_[1.0, 1e-9 * rng.standard_normal(500)]
    g = simplify(piecewise_linear(ShallowReLU(W, a)), 1e-6, region=(-3, 3))
    assert g.n_breakpoints == 1
    assert g.breakpoints[0] == pytest.approx(0.0, abs=1e-5)


def test_everything_vanishes_under_a_wide_tolerance():
    f = polygon([(0, 0), (1, 1), (2, 0)])
    g = simplify(f, 0.6)
    assert g.n_breakpoints == 0
    assert compare(f, g).sup <= 0.6


def test_opposite_jumps_that_make_a_step_stay_unless_the_step_is_small():
    step = PiecewiseLinear([0.0, 1e-9], [0.0, 1.0], [0.0, 1e9, 0.0], [0.0, 1e-9])
    assert simplify(step, 0.4, region=(-1, 1)).n_breakpoints == 2
    assert simplify(step, 0.6, region=(-1, 1)).n_breakpoints == 0


def test_zero_tolerance_returns_the_function():
    f = polygon([(0, 0), (1, 1), (2, 0)])
    assert simplify(f, 0) is f


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_the_scale_of_values_does_not_matter(scale):
    rng = np.random.default_rng(3)
    x, y = np.sort(rng.uniform(-1, 1, 40)), rng.standard_normal(40)
    expected = simplify(interpolate(Dataset(x, y)), 0.3).n_breakpoints
    f = interpolate(Dataset(x, scale * y))
    assert simplify(f, 0.3 * scale).n_breakpoints == expected
    f = interpolate(Dataset(scale * x, y))
    g = simplify(f, 0.3)
    assert g.n_breakpoints == expected
    assert compare(f, g).sup <= 0.3


def test_the_ends_of_float64():
    f = interpolate(Dataset([-1.7e308, 0.0, 1.7e308], [-1.7e308, 1.7e308, -1.7e308]))
    g = simplify(f, 1e307)
    assert g.n_breakpoints == 1
    assert compare(f, g).sup <= 1e307


def test_a_tolerance_below_rounding_keeps_the_promise():
    rng = np.random.default_rng(4)
    f = interpolate(Dataset(np.sort(rng.uniform(0, 1, 300)), 1e6 + rng.standard_normal(300)))
    for tolerance in (1e-9, 1e-10, 1e-12, 1e-16):
        assert compare(f, simplify(f, tolerance)).sup <= tolerance


@pytest.mark.parametrize("ulps", [0.6, 1.7, 2.5, 4.9])
def test_values_and_tolerance_of_a_few_ulps_keep_the_promise(ulps):
    # Here the corridor itself is rounded: only the check at the end knows.
    rng, ulp = np.random.default_rng(0), np.spacing(1e6)
    f = interpolate(Dataset(np.sort(rng.uniform(0, 1, 30)), 1e6 + ulp * rng.integers(-4, 5, 30)))
    assert compare(f, simplify(f, ulps * ulp)).sup <= ulps * ulp


def test_default_region():
    kinks = piecewise_linear(ShallowReLU([[1.0, 0.0], [1.0, -2.0]], [1.0, 1.0]))
    assert simplify(kinks, 1e-3).domain == (-2.0, 4.0)
    assert simplify(piecewise_linear(ShallowReLU([[1.0, -3.0]], [1.0])), 1e-3).domain == (0.0, 6.0)
    line = piecewise_linear(ShallowReLU([[0.0, 1.0]], [1.0]))
    assert simplify(line, 1e-3) is line


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ((-1.0,), ValueError, "tolerance must not be negative, but it is -1.0"),
        ((np.nan,), ValueError, "tolerance must be finite"),
        (("small",), TypeError, "tolerance must hold real numbers"),
        (([1.0],), ValueError, "tolerance must be 0-dimensional"),
    ],
)
def test_bad_tolerances_are_refused(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        simplify(polygon([(0, 0), (1, 1)]), *arguments)


def test_other_input_is_refused():
    with pytest.raises(TypeError, match=r"needs a PiecewiseLinear, but got ShallowReLU; see piecewise_linear\(net\)"):
        simplify(ShallowReLU([[1.0, 0.0]], [1.0]), 0.1)
    with pytest.raises(ValueError, match="region must be two increasing numbers"):
        simplify(polygon([(0, 0), (1, 1), (2, 0)]), 0.1, region=(2, 1))
