"""The interpolant with the fewest pieces, against an exhaustive search."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluquant as rq


def fewest(x, y, **options):
    return rq.interpolate(rq.Dataset(x, y), method="fewest_pieces", **options)


def chords(x, y):
    x, y = [Fraction(v) for v in x], [Fraction(v) for v in y]
    return [(q - p) / (v - u) for (u, p), (v, q) in pairwise(zip(x, y, strict=True))]


def realisable(slopes, at_points, in_gaps):
    """Whether a function exists with these breakpoints at inner points and in gaps.

    A gap has 0 of them, 1 with the function above ("^") or below ("v") the chord, or 2, which always works. Unknown are
    the slopes on both sides of each point; one number where it is no breakpoint. Each is confined to an interval.
    """
    n = len(slopes) + 1
    for i in range(n):
        bounds = []
        if i > 0:
            bounds.append({0: ("=", slopes[i - 1]), "^": ("<", slopes[i - 1]), "v": (">", slopes[i - 1])}.get(
                in_gaps[i - 1]))  # fmt: skip
        if i < n - 1:
            bounds.append({0: ("=", slopes[i]), "^": (">", slopes[i]), "v": ("<", slopes[i])}.get(in_gaps[i]))
        bounds = [bound for bound in bounds if bound]
        if len(bounds) < 2 or (0 < i < n - 1 and at_points[i - 1]):
            continue
        (k, p), (m, q) = bounds
        if k == "=":
            good = q == p if m == "=" else (p < q if m == "<" else p > q)
        elif m == "=":
            good = q < p if k == "<" else q > p
        else:
            good = k == m or (p < q if k == ">" else p > q)
        if not good:
            return False
    return True


def least_by_search(x, y):
    slopes = chords(x, y)
    n = len(x)
    price = {0: 0, "^": 1, "v": 1, 2: 2}
    best = n
    for in_gaps in product(price, repeat=n - 1):
        paid = sum(price[g] for g in in_gaps)
        if paid >= best:
            continue
        for at_points in product((0, 1), repeat=max(n - 2, 0)):
            if paid + sum(at_points) < best and realisable(slopes, at_points, in_gaps):
                best = paid + sum(at_points)
    return best


def check(f, x, y):
    """That f interpolates, and is what its knots, slopes and breakpoints say."""
    assert (f(x) == y).all()
    widths = np.diff(f.knots)
    np.testing.assert_allclose(np.diff(f.values), f.slopes[1:-1] * widths, atol=1e-9 * (1 + np.abs(f.values).max()))
    changes = [k for k, s, t in zip(f.knots, f.slopes, f.slopes[1:], strict=False) if not np.isclose(s, t, atol=1e-9)]
    np.testing.assert_allclose(changes, f.breakpoints, atol=1e-12)


@settings(max_examples=60)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=5))
def test_no_function_has_fewer_breakpoints(heights):
    x, y = np.arange(len(heights)) + 0.0, np.array(heights, dtype=float)
    f = fewest(x, y)
    assert f.n_breakpoints == (least_by_search(x, y) if len(x) > 1 else 0)
    check(f, x, y)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_no_function_of_seven_points_has_fewer_breakpoints(seed):
    rng = np.random.default_rng(seed)
    n = 6 + seed % 2
    x = np.sort(rng.choice(30, n, replace=False)).astype(float)
    y = rng.integers(-5, 6, n).astype(float)
    f = fewest(x, y)
    assert f.n_breakpoints == least_by_search(x, y)
    check(f, x, y)


def test_a_convex_polygon_needs_half_its_corners():
    for n in range(3, 12):
        x = np.arange(n) + 0.0
        assert fewest(x, x**2).n_breakpoints == (n - 1) // 2
        check(fewest(x, x**2), x, x**2)


def test_a_zigzag_needs_all():
    x = np.arange(9) + 0.0
    assert fewest(x, x % 2).breakpoints.tolist() == x[1:-1].tolist()


def test_two_pieces_meet_inside_a_gap():
    f = fewest([0.0, 1.0, 3.0, 4.0], [2.0, 1.0, 1.0, 4.0])
    # 2 - x and 3 x - 8 meet at 2.5.
    assert f.breakpoints.tolist() == [2.5]
    assert f([2.5, 0.0, 4.0, 5.0]).tolist() == [-0.5, 2.0, 4.0, 7.0]


def test_collinear_points_cost_nothing_and_exactly():
    assert fewest(np.arange(50.0), 3 * np.arange(50.0)).n_breakpoints == 0
    # One ulp off the line is a turn.
    assert fewest([0.0, 1.0, 2.0], [0.0, np.nextafter(1, 2), 2.0]).n_breakpoints == 1


def test_two_lines_through_many_points():
    x = np.arange(10.0)
    assert fewest(x, np.abs(x - 4.5)).breakpoints.tolist() == [4.5]
    assert fewest(x, np.abs(x - 4.0)).breakpoints.tolist() == [4.0]


def test_any_order_and_flat_ends():
    f = fewest([3.0, 0.0, 4.0, 1.0], [1.0, 2.0, 4.0, 1.0], extrapolate="nearest")
    assert f.breakpoints.tolist() == [0.0, 2.5, 4.0]
    assert f([-9.0, 9.0]).tolist() == [2.0, 4.0]
    assert fewest([2.0], [5.0])([0.0, 7.0]).tolist() == [5.0, 5.0]


def test_numbers_at_the_ends_of_float64():
    f = fewest([0.0, 1e300, 3e300, 4e300], [2.0, 1.0, 1.0, 4.0])
    assert f.breakpoints.tolist() == [2.5e300]
    # Two pieces that meet within an ulp of an input: one breakpoint, at the input.
    g = fewest([0.0, 1.0, 2.0, 3.0], [0.0, 1e20, 1e20, 1e20 - 1e4])
    assert g.n_breakpoints == 1
    assert (g([0.0, 1.0, 2.0, 3.0]) == [0.0, 1e20, 1e20, 1e20 - 1e4]).all()
    with pytest.raises(ValueError, match="meet between x = 1.0 and 2.0, at a value beyond the float64 range"):
        fewest([0.0, 1.0, 2.0, 3.0], [0.0, 1.2e308, 1.2e308, -1e308])


@pytest.mark.parametrize(
    "data",
    [
        rq.datasets.zigzag(),
        rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.0, 1.0]),
        rq.Dataset([-2.0, -0.7, 0.9, 2.3], [1.0, -0.4, -0.3, 1.6]),
    ],
    ids=["zigzag", "v", "bowl"],
)
def test_the_greedy_limit_has_no_fewer(data):
    # From new directions at every plateau: the tracked limit gets stuck on the zigzag.
    f = rq.piecewise_linear(rq.greedy_limit(data, mode="reseeded").final)
    np.testing.assert_allclose(f(data.X[:, 0]), data.y, atol=1e-6)
    assert fewest(data.X, data.y).n_breakpoints <= f.n_breakpoints <= 2 * data.n_samples + 1
