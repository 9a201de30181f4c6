"""Distances of functions of two variables, held against an overlay in Fractions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from reluquant import Dataset, ShallowReLU, compare, interpolate, piecewise_linear
from reluquant.analysis.planar_distance import planar_difference
from reluquant.structures.triangulation import Triangulation
from tests.oracles_planar import ZERO, Cell, area, clipped, distances, edges, interpolant_cells, network_cells
from tests.strategies import seeds

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
BOX = ((-1, 1), (-1, 1))
# The kink of relu(x + y) runs along the first one's diagonal.
ALONG = Triangulation(SQUARE, [[0, 1, 3], [1, 2, 3]], [[1, -1, -1], [-1, 0, -1]])
ACROSS = Triangulation(SQUARE, [[0, 1, 2], [0, 2, 3]], [[-1, 1, -1], [-1, -1, 0]])


@dataclass
class Values:
    """The least that an interpolant is."""

    triangulation: Triangulation
    values: np.ndarray


def delaunay(points):
    found = Delaunay(points)
    return Triangulation(points, found.simplices, found.neighbors)


def network(rows):
    rows = np.array(rows, dtype=float).reshape(-1, 4)
    return ShallowReLU(rows[:, :3], rows[:, 3])


def rows_of(net):
    return np.column_stack([net.W, net.a])


def polygon_cell(corners):
    return [Cell([(Fraction(float(x)), Fraction(float(y))) for x, y in corners], ZERO)]


def exact(f, g, region):
    """Sup and L2 of f - g in Fractions, and the size of what they are made of."""
    cells = polygon_cell(region)
    for h, sign in ((f, 1), (g, -1)):
        if isinstance(h, ShallowReLU):
            cells = network_cells(cells, rows_of(h), sign)
        else:
            cells = interpolant_cells(cells, h.triangulation.points, h.triangulation.simplices, h.values, sign)
    assert sum(area(cell.polygon) for cell in cells) == area(polygon_cell(region)[0].polygon), "the oracle lost a cell"
    sup, square = distances(cells)
    return float(sup), math.sqrt(square)


def assert_exact(f, g, region=None, *, size=1.0, digits=1e-13, asked=False):
    found = compare(f, g, region=region if asked else None)
    sup, l2 = exact(f, g, found.region)
    whole = math.sqrt(float(area(polygon_cell(found.region)[0].polygon)))
    assert found.sup == pytest.approx(sup, rel=digits, abs=digits * size)
    assert found.l2 == pytest.approx(l2, rel=digits, abs=digits * size * whole)
    return found


@pytest.mark.parametrize(("w", "triangulation", "sup", "square"), [
    ([1.0, 1.0, 0.0], ALONG, 0.0, 0.0),
    ([1.0, 1.0, 0.0], ACROSS, 1.0, 2 / 3),
    ([1.0, 0.0, 0.0], ALONG, 0.5, 1 / 3),
    ([1.0, 0.0, 0.0], ACROSS, 0.5, 1 / 3),
])  # fmt: skip
@pytest.mark.parametrize("region", [None, BOX])
def test_golden_values_of_the_square(w, triangulation, sup, square, region):
    net = ShallowReLU([w], [1.0])
    found = compare(net, Values(triangulation, net(SQUARE)), region=region)
    assert found.sup == sup
    assert found.l2**2 == pytest.approx(square, rel=1e-15)
    np.testing.assert_array_equal(found.region, SQUARE)


def test_interpolants_on_the_two_triangulations_of_the_square():
    net = ShallowReLU([[1.0, 1.0, 0.0]], [1.0])
    found = compare(Values(ALONG, net(SQUARE)), Values(ACROSS, net(SQUARE)))
    assert found.sup == 1.0
    np.testing.assert_array_equal(found.sup_at, [0, 0])
    assert found.l2**2 == pytest.approx(2 / 3, rel=1e-15)


@settings(max_examples=60)
@given(seeds, st.integers(0, 8), st.integers(3, 9))
def test_network_against_interpolant(seed, n_neurons, n_points):
    rng = np.random.default_rng(seed)
    net, points = network(rng.standard_normal((n_neurons, 4))), rng.uniform(-1, 1, (n_points, 2))
    g = Values(delaunay(points), rng.standard_normal(n_points))
    found = assert_exact(net, g)
    assert compare(g, net).sup == pytest.approx(found.sup, rel=1e-14)
    at = found.sup_at
    # The barycentric interpolant at that point, by a formula of its own.
    simplex = Delaunay(points).find_simplex(at, tol=1e-9)
    corners = g.triangulation.simplices[simplex]
    weights = np.linalg.solve(np.vstack([points[corners].T, np.ones(3)]), [*at, 1.0])
    assert abs(net(at[None])[0] - weights @ g.values[corners]) == pytest.approx(found.sup, rel=1e-7, abs=1e-9)


@settings(max_examples=40)
@given(seeds, st.integers(0, 6), st.integers(0, 6))
def test_network_against_network_on_a_polygon(seed, n_f, n_g):
    rng = np.random.default_rng(seed)
    f, g = network(rng.standard_normal((n_f, 4))), network(rng.standard_normal((n_g, 4)))
    angles = np.sort(rng.uniform(0, 2, 3) + np.array([0, 2.1, 4.2]))
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    assert_exact(f, g, corners, asked=True)


@settings(max_examples=40)
@given(seeds, st.integers(0, 6), st.booleans())
def test_interpolant_against_interpolant(seed, n_inner, same_points):
    rng = np.random.default_rng(seed)
    p = np.concatenate([SQUARE, rng.uniform(-1, 1, (n_inner, 2))])
    q = p if same_points else np.concatenate([SQUARE, rng.uniform(-1, 1, (n_inner, 2))])
    # The same points, but another triangulation of them: Delaunay after a squeeze, which keeps orientations.
    squeezed = Delaunay(q * [1.0, 0.2])
    f = Values(delaunay(p), rng.standard_normal(len(p)))
    g = Values(Triangulation(q, squeezed.simplices, squeezed.neighbors), rng.standard_normal(len(q)))
    assert_exact(f, g)
    assert_exact(f, g, ((-0.5, 0.25), (-0.3, 0.9)), asked=True)


small = st.integers(-4, 4).map(lambda i: i / 4)


@settings(max_examples=80)
@example([(1.0, -0.5, 0.0, 0.25)], 0)
@given(st.lists(st.tuples(small, small, small, small), max_size=6), seeds)
def test_lines_through_data_points_and_repeated_lines(rows, seed):
    # A grid of quarters and weights of quarters: kinks run through points and along edges, and coincide.
    points = np.array([[x, y] for x in (-1, -0.5, 0.25, 1) for y in (-1, 0.0, 0.75, 1)], dtype=float)
    net = network(rows + rows[:2])
    assert_exact(net, Values(delaunay(points), np.random.default_rng(seed).integers(-3, 4, len(points)) * 1.0))


def test_thin_triangles_cost_no_digits():
    rng = np.random.default_rng(0)
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.4, 1e-9], [0.3, -1.0], [0.6, 1.0]])
    f = Values(Triangulation(points, [[0, 1, 2], [0, 3, 1], [0, 2, 4], [2, 1, 4]],
                             [[3, 2, 1], [-1, 0, -1], [3, -1, 0], [-1, 2, 0]]), rng.standard_normal(5))  # fmt: skip
    assert_exact(network(rng.standard_normal((6, 4))), f)
    other = Values(Triangulation(points, [[3, 2, 0], [3, 1, 2], [0, 2, 4], [2, 1, 4]],
                                 [[2, -1, 1], [3, 0, -1], [3, -1, 0], [-1, 2, 1]]), rng.standard_normal(5))  # fmt: skip
    assert_exact(f, other)


@pytest.mark.parametrize("offset", [1e6, -1e6, 2.0**40])
def test_an_offset_costs_no_digits(offset):
    rng = np.random.default_rng(1)
    # Numbers with few bits, so that the shift itself rounds nothing.
    points = np.unique(rng.integers(0, 2**10, (40, 2)), axis=0) / 2.0**10
    rows = rng.integers(-(2**6), 2**6, (15, 4)) / 2.0**6
    moved = rows.copy()
    moved[:, 2] -= (rows[:, :2] * offset).sum(axis=1)
    triangulation, values = delaunay(points), rng.standard_normal(len(points))
    far = Triangulation(points + offset, triangulation.simplices, triangulation.neighbors)
    near = planar_difference(network(rows), Values(triangulation, values))
    shifted = planar_difference(network(moved), Values(far, values))
    np.testing.assert_allclose(shifted.sup, near.sup, rtol=1e-13)
    assert shifted.l2 == pytest.approx(near.l2, rel=1e-13)
    assert shifted.n_cells == near.n_cells
    np.testing.assert_allclose(shifted.sup_at - offset, near.sup_at, atol=2e-16 * abs(offset))
    squeezed = Delaunay(points * [1.0, 0.1])
    g = Triangulation(points, squeezed.simplices, squeezed.neighbors)
    g_far = Triangulation(points + offset, squeezed.simplices, squeezed.neighbors)
    expected = compare(Values(triangulation, values), Values(g, values))
    found = compare(Values(far, values), Values(g_far, values))
    assert found.sup == pytest.approx(expected.sup, rel=1e-13)
    assert found.l2 == pytest.approx(expected.l2, rel=1e-13)


@pytest.mark.parametrize("power", [-600, -300, 300, 900])
def test_scales_beyond_squares_of_float64(power):
    # 2^±900: squares and areas leave float64; everything here is a power of two, so nothing may change.
    rng = np.random.default_rng(2)
    points, rows = rng.uniform(-1, 1, (9, 2)), rng.standard_normal((5, 4))
    values = rng.standard_normal(9)
    expected = compare(network(rows), Values(delaunay(points), values))
    scale = 2.0**power
    tall = compare(ShallowReLU(rows[:, :3] * scale, rows[:, 3]), Values(delaunay(points), values * scale))
    assert tall.sup == expected.sup * scale
    assert tall.l2 == pytest.approx(expected.l2 * scale, rel=1e-15)
    if abs(power) == 300:
        t = delaunay(points)
        wide = Triangulation(points * scale, t.simplices, t.neighbors)
        stretched = ShallowReLU(rows[:, :3] * [1 / scale, 1 / scale, 1], rows[:, 3])
        found = compare(stretched, Values(wide, values))
        assert found.sup == expected.sup
        assert found.l2 == pytest.approx(expected.l2 * scale, rel=1e-15)


def test_memory_is_bounded_by_taking_triangles_in_turns(monkeypatch):
    rng = np.random.default_rng(3)
    points, net = rng.random((60, 2)), network(rng.standard_normal((20, 4)))
    g = Values(delaunay(points), net(points))
    whole = planar_difference(net, g)
    monkeypatch.setattr("reluquant.analysis.planar_distance._HELD", 500)
    parts = planar_difference(net, g)
    np.testing.assert_array_equal(parts.sup, whole.sup)
    assert (parts.l2, parts.n_cells) == (whole.l2, whole.n_cells)


def test_default_region_is_where_both_are_given():
    shifted = Triangulation(SQUARE + np.array([1.0, 0.5]), ACROSS.simplices, ACROSS.neighbors)
    found = compare(Values(ACROSS, np.zeros(4)), Values(shifted, np.ones(4)))
    assert sorted(found.region.tolist()) == [[0, -0.5], [0, 1], [1, -0.5], [1, 1]]
    assert found.sup == pytest.approx(1.0, rel=1e-15)
    assert found.l2**2 == pytest.approx(1.5, rel=1e-15)
    with pytest.raises(ValueError, match="regions that do not overlap"):
        compare(Values(ACROSS, np.zeros(4)), Values(Triangulation(
            SQUARE + 5.0, ACROSS.simplices, ACROSS.neighbors), np.ones(4)))  # fmt: skip


def test_network_without_bias_and_without_neurons():
    net = ShallowReLU([[1.0, 0.0]], [1.0], bias=False)
    none = ShallowReLU(np.zeros((0, 3)), np.zeros(0))
    assert compare(net, none, region=BOX).sup == 1.0
    assert compare(none, none, region=BOX).l2 == 0.0
    assert compare(ShallowReLU([[0.0, 0.0, 2.0]], [3.0]), none, region=BOX).l2 == pytest.approx(12.0, rel=1e-15)


def test_values_may_be_a_column():
    net = ShallowReLU([[1.0, 1.0, 0.0]], [[1.0]])
    assert compare(net, Values(ACROSS, net(SQUARE))).sup == 1.0


def test_result_is_read_only():
    found = compare(ShallowReLU([[1.0, 0.0, 0.0]], [1.0]), Values(ALONG, np.zeros(4)))
    assert not found.sup_at.flags.writeable
    assert not found.region.flags.writeable


NET = ShallowReLU([[1.0, 0.0, 0.0]], [1.0])


@pytest.mark.parametrize(("g", "region", "sentence"), [
    (NET, None, "whole plane; say where to compare them with region="),
    (NET, ((1, 0), (0, 1)), "x_low < x_high"),
    (NET, (0, 1), "must be a box"),
    (NET, [(0, 0), (1, 0), (2, 0)], "convex polygon with area"),
    (NET, [(0, 0), (1, 1), (1, 0), (0, 1)], "convex polygon with area"),
    (NET, [(0, 0), (2, 0), (1, 0.1), (1, 2)], "convex polygon with area"),
    (NET, [(np.cos(t), np.sin(t)) for t in 4 * np.pi / 5 * np.arange(5)], "convex polygon with area"),
    (NET, [(0, 0), (1, 0), (np.nan, 1)], "region must be finite"),
    (Values(ALONG, np.zeros(4)), ((-2, 0), (0, 1)), "beyond where a function is given"),
    (Values(ALONG, np.zeros(3)), None, "one finite value at each of its 4 points"),
    (Values(ALONG, np.full(4, np.nan)), None, "one finite value at each of its 4 points"),
    (Values(Triangulation(SQUARE[:2], [[0, 1]], [[-1, -1]]), np.zeros(2)), None, "span dimension 1"),
    (Values(Triangulation(SQUARE, [[0, 1, 3]], [[-1, -1, -1]]), np.zeros(4)), BOX, "beyond where a function"),
    (ShallowReLU([[1.0, 0.0, 0.0]], [[1.0, 2.0]]), BOX, "one output so far, but the network has 2"),
])  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(g, region, sentence):
    with pytest.raises(ValueError, match=sentence):
        compare(NET, g, region=region)


def test_functions_of_one_and_of_two_variables_are_not_compared():
    line = interpolate(Dataset([0.0, 1.0], [0.0, 1.0]))
    with pytest.raises(TypeError, match="needs g to be a function of two variables like the other one"):
        compare(NET, line)
    with pytest.raises(TypeError, match="needs f to be a function of two variables.*but it is a str"):
        compare("net", NET)


def test_polygons_may_be_clockwise_and_have_collinear_or_repeated_corners():
    corners = [(-1, -1), (-1, 1), (0, 1), (1, 1), (1, 1), (1, -1), (-1, -1)]
    found = compare(NET, ShallowReLU([[0.0, 0.0, 1.0]], [0.0]), region=corners)
    assert found.l2**2 == pytest.approx(2 / 3, rel=1e-15)
    assert len(found.region) == 4
    assert all(clipped(polygon_cell(found.region)[0].polygon, e) for e in edges(polygon_cell(SQUARE)[0].polygon))


@pytest.mark.parametrize("seed", range(5))
def test_the_pieces_of_a_network_are_as_far_from_an_interpolant_as_the_network(seed):
    rng = np.random.default_rng(seed)
    # Kinks run through points and along edges of the triangulation.
    net = network(rng.integers(-3, 4, (6, 4)))
    points = np.unique(np.concatenate([4 * SQUARE, rng.integers(-4, 5, (8, 2))]), axis=0)
    g = Values(delaunay(points), rng.standard_normal(len(points)))
    pieces = piecewise_linear(net, region=((-4, 4), (-4, 4)))
    for region in (None, ((-3, 1), (-2, 4))):
        expected, found = compare(net, g, region=region), compare(pieces, g, region=region)
        assert found.sup == pytest.approx(expected.sup, rel=1e-13)
        assert found.l2 == pytest.approx(expected.l2, rel=1e-13)
    with pytest.raises(ValueError, match="beyond where a function is given"):
        compare(pieces, net, region=((-5, 0), (0, 1)))
