"""Distances, held against a refinement in Fractions."""

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant import Dataset, PiecewiseLinear, ShallowReLU, compare, interpolate, piecewise_linear

RELU = ShallowReLU([[1.0, 0.0]], [1.0])

number = st.integers(-8, 8).map(lambda i: i / 4) | st.floats(-1e3, 1e3)
points = st.lists(st.tuples(number, number), min_size=1, max_size=8, unique_by=lambda point: round(point[0], 6))


def exact_function(f):
    """Evaluate a PiecewiseLinear in Fractions from its knots, values and end slopes."""
    knots, values = [[Fraction(v) for v in column] for column in (f.knots, f.values)]

    def evaluate(x):
        if x <= knots[0]:
            return values[0] + Fraction(f.slopes[0]) * (x - knots[0])
        if x >= knots[-1]:
            return values[-1] + Fraction(f.slopes[-1]) * (x - knots[-1])
        i = next(i for i in range(len(knots)) if x < knots[i])
        return values[i - 1] + (values[i] - values[i - 1]) * (x - knots[i - 1]) / (knots[i] - knots[i - 1])

    return evaluate


def exact_distances(f, g, low, high):
    """Sup and squared L2 distance in Fractions, and the largest value of f and g."""
    low, high = Fraction(low), Fraction(high)
    nodes = sorted({low, high} | {Fraction(k) for k in [*f.knots, *g.knots] if low < Fraction(k) < high})
    left, right = exact_function(f), exact_function(g)
    d = [left(x) - right(x) for x in nodes]
    square = sum((v - u) * (p * p + p * q + q * q) / 3 for u, v, p, q in zip(nodes, nodes[1:], d, d[1:], strict=False))
    return max(map(abs, d)), square, max(max(abs(left(x)), abs(right(x))) for x in nodes)


@given(points, points, st.floats(-20, 20), st.just(0.0) | st.floats(1e-9, 40))
def test_distances_are_those_of_exact_arithmetic(p, q, low, width):
    f, g = (interpolate(Dataset(*np.array(rows).T)) for rows in (p, q))
    result = compare(f, g, region=(low, low + width))
    sup, square, size = exact_distances(f, g, low, low + width)
    assert result.region == (low, low + width)
    assert abs(result.sup - float(sup)) <= 1e-13 * float(size)
    # Relative to the size: the square itself may be below float64.
    l2 = math.sqrt(square / size**2) * float(size) if size else 0.0
    assert abs(result.l2 - l2) <= 1e-13 * float(size) * math.sqrt(width)
    assert abs(abs(f(result.sup_at) - g(result.sup_at)) - result.sup) <= 1e-13 * float(size)


@given(points, points)
def test_distance_is_symmetric_and_zero_to_itself(p, q):
    f, g = (interpolate(Dataset(*np.array(rows).T)) for rows in (p, q))
    there, back = compare(f, g, region=(-3, 3)), compare(g, f, region=(-3, 3))
    assert (there.sup, there.sup_at, there.l2) == (back.sup, back.sup_at, back.l2)
    assert compare(f, f).sup == compare(f, f).l2 == 0.0


def test_relu_against_its_chord():
    result = compare(RELU, interpolate(Dataset([-1.0, 1.0], [0.0, 1.0])))
    assert (result.sup, result.sup_at, result.region) == (0.5, 0.0, (-1.0, 1.0))
    assert result.l2**2 == pytest.approx(1 / 6, rel=1e-15)


def test_networks_and_functions_mix():
    f = piecewise_linear(RELU)
    assert compare(RELU, f, region=(-1, 1)).sup == 0.0
    assert compare(f, ShallowReLU([[1.0, 0.0]], [2.0]), region=(-1, 2)).sup == 2.0


def test_first_of_equal_maxima():
    tent = PiecewiseLinear([0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0], [1, 1, -1, 1, 1], [1.0, 2.0])
    zero = PiecewiseLinear([0.0], [0.0], [0.0, 0.0], [])
    assert compare(tent, zero, region=(0, 3)).sup_at == 1.0


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
@pytest.mark.parametrize("width", [1e-300, 1.0, 1e300])
def test_squares_neither_overflow_nor_underflow(size, width):
    f = PiecewiseLinear([0.0, width], [0.0, size], [0.0, size / width if size / width else 0.0, 0.0], [0.0, width])
    zero = PiecewiseLinear([0.0], [0.0], [0.0, 0.0], [])
    result = compare(f, zero, region=(0.0, width))
    assert result.sup == size
    expected = math.log(size) + math.log(width) / 2 - math.log(3) / 2
    if expected < math.log(1e-320):
        assert result.l2 == 0.0
    elif expected < math.log(1.7e308):
        assert math.log(result.l2) == pytest.approx(expected, rel=1e-12)
    else:
        assert result.l2 == math.inf


def test_the_widest_region_and_a_difference_beyond_float64():
    top = PiecewiseLinear([0.0], [1.7e308], [0.0, 0.0], [])
    bottom = PiecewiseLinear([0.0], [-1.7e308], [0.0, 0.0], [])
    one, zero = (PiecewiseLinear([0.0], [v], [0.0, 0.0], []) for v in (1.0, 0.0))
    assert compare(top, bottom, region=(0, 1)).sup == math.inf
    assert compare(top, bottom, region=(0, 1)).l2 == math.inf
    assert compare(one, zero, region=(-1.7e308, 1.7e308)).l2 == pytest.approx(math.sqrt(2) * math.sqrt(1.7e308))


def test_a_function_beyond_float64_is_refused():
    steep = PiecewiseLinear([0.0], [0.0], [1e300, 1e300], [])
    with pytest.raises(ValueError, match="exceeds the float64 range on the region"):
        compare(steep, steep, region=(0, 1e300))


def test_default_region_is_where_the_domains_overlap():
    f = interpolate(Dataset([0.0, 2.0], [0.0, 0.0]))
    g = interpolate(Dataset([1.0, 3.0], [1.0, 1.0]))
    assert compare(f, g).region == (1.0, 2.0)
    assert compare(f, RELU).region == (0.0, 2.0)
    assert compare(interpolate(Dataset([1.0], [4.0])), RELU).sup == 3.0


def test_region_must_be_given_when_nothing_bounds_it():
    with pytest.raises(ValueError, match=r"unbounded part of the line; say where to compare them with region="):
        compare(RELU, RELU)
    with pytest.raises(ValueError, match="do not overlap"):
        compare(interpolate(Dataset([0, 1], [0, 1])), interpolate(Dataset([2, 3], [0, 1])))


@pytest.mark.parametrize("region", [(1, 0), (0, 1, 2), [0.0], (0, np.inf), (0, np.nan), 3.0])
def test_bad_regions_are_refused(region):
    with pytest.raises(ValueError, match="region must be"):
        compare(RELU, RELU, region=region)


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match="needs g to be a PiecewiseLinear or a ShallowReLU, but it is Dataset"):
        compare(RELU, Dataset([0, 1], [0, 1]))
    with pytest.raises(TypeError, match="region must hold real numbers"):
        compare(RELU, RELU, region="all")


def test_result_is_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        compare(RELU, RELU, region=(0, 1)).sup = 1.0
