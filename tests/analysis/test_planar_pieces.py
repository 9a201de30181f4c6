"""Pieces of networks of two inputs, held against counts and evaluations in Fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reluquant import ShallowReLU, compare, piecewise_linear
from reluquant.analysis.planar_pieces import kink_segments
from tests.oracles_planar import euler_count
from tests.strategies import seeds

BOX = ((-1, 1), (-1, 1))
SQUARE = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
LINES = [[1, 0, 0], [1, 0, 0.5], [1, 0, -0.5], [0, 1, 0], [0, 1, 0.5], [0, 1, -0.5], [1, 1, 0], [1, -1, 0]]

quarter = st.integers(-4, 4).map(lambda i: i / 4)
line = st.tuples(quarter, quarter, quarter)
tenth = st.integers(-10, 10).map(lambda i: i / 10)
loose = st.tuples(tenth, tenth, tenth)


def network(lines, a=None):
    lines = np.array(lines, dtype=float).reshape(-1, 3)
    return ShallowReLU(lines, np.arange(1.0, len(lines) + 1) if a is None else a)


def assert_is(pieces, net, rng):
    """The polygons tile the region, and on each the function is the network's and so is the pattern."""
    x, y = np.array(pieces.region).T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert pieces.area == pytest.approx(area, rel=1e-12)
    assert (pieces.areas > -1e-15 * area).all()
    middles = np.array([pieces.polygon(i).mean(axis=0) for i in range(pieces.n_regions)])
    weights = rng.dirichlet(np.ones(len(pieces.region)), 50)
    places = np.concatenate([middles, pieces.vertices, weights @ pieces.region])
    size = (np.abs(net.a) @ np.abs(net.W)).sum() + 1
    np.testing.assert_allclose(pieces(places), net(places), rtol=0, atol=1e-13 * size)
    for i in range(pieces.n_regions):
        for group, active in zip(pieces.groups, pieces.patterns[i], strict=True):
            value = net.W[group[0]] @ [*middles[i], 1]
            assert active == (value > 0) or abs(value) < 1e-12 * np.abs(net.W[group[0]]).sum()
    assert compare(pieces, net).sup <= 1e-13 * size


def test_kink_lines_through_common_points_give_24_pieces():
    net = network(LINES)
    pieces = piecewise_linear(net, region=BOX)
    assert (pieces.n_regions, pieces.n_pieces, pieces.n_activation_regions) == (24, 24, 24)
    assert euler_count(LINES, SQUARE) == 24
    assert_is(pieces, net, np.random.default_rng(0))


@settings(max_examples=200)
@example([(1.0, 0.0, 0.0), (0.5, 0.0, 0.0)], [])
@given(st.lists(line, max_size=8), st.lists(loose, max_size=3))
def test_number_of_regions_is_euler_s_in_degenerate_arrangements(lines, others):
    net = network(lines + others)
    pieces = piecewise_linear(net, region=BOX)
    assert pieces.n_regions == euler_count(net.W, SQUARE) == pieces.n_activation_regions
    assert_is(pieces, net, np.random.default_rng(len(lines)))


@settings(max_examples=50)
@given(st.lists(line, max_size=6), seeds)
def test_polygons_with_rounded_corners(lines, seed):
    rng = np.random.default_rng(seed)
    angles = np.arange(rng.integers(3, 8)) + rng.uniform(0, 0.8, 1)
    polygon = np.column_stack([np.cos(angles), np.sin(angles)]) if angles.size < 7 else rng.permutation(SQUARE[:3])
    # Lines through corners of the region, as nearly as float64 has it.
    p = polygon[0]
    net = network([*lines, (p[1], -p[0], 0.0), (1.0, 0.0, -p[0]), (0.0, 3.0, -3 * p[1])])
    pieces = piecewise_linear(net, region=polygon)
    assert pieces.n_regions == euler_count(net.W, pieces.region)
    assert_is(pieces, net, rng)


def test_random_lines_and_the_neurons_of_each():
    rng = np.random.default_rng(0)
    lines = rng.standard_normal((25, 3))
    # Each line thrice: as it is, doubled, and turned round.
    net = ShallowReLU(np.concatenate([lines, 2 * lines, -lines]), rng.standard_normal(75))
    pieces = piecewise_linear(net, region=BOX)
    assert pieces.n_regions == euler_count(lines, SQUARE)
    assert all(sorted(group % 25) == [group[0]] * 3 for group in pieces.groups)
    assert_is(pieces, net, rng)
    assert len(pieces.segments) == len(pieces.groups) == len(pieces.segment_groups)
    for ends, group in zip(pieces.segments, pieces.segment_groups, strict=True):
        w = net.W[pieces.groups[group][0]]
        np.testing.assert_allclose(ends @ w[:2] + w[2], 0, atol=1e-13 * np.abs(w).sum())
        np.testing.assert_allclose(np.abs(ends).max(axis=1), 1, rtol=1e-14)


def test_kinks_that_cancel_are_no_kinks_of_the_function():
    # 0.1 + 0.2 is not 0.3: the second group does bend, by 2**-54.
    lines = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, 2, 0), (0, -1, 0)]
    net = network(lines, [1.0, -1.0, 0.1, 0.1, -0.3])
    pieces = piecewise_linear(net, region=BOX)
    assert (pieces.n_regions, pieces.n_pieces, pieces.n_activation_regions) == (2, 2, 4)
    assert [group.tolist() for group in pieces.groups] == [[2, 3, 4]]
    fine = piecewise_linear(net, region=BOX, by="activations")
    assert (fine.n_regions, fine.n_pieces, fine.n_activation_regions) == (4, 2, 4)
    for found in (pieces, fine):
        assert_is(found, net, np.random.default_rng(0))
    silent = network([(1, 0, 0)], [0.0])
    assert piecewise_linear(silent, region=BOX).n_regions == 1
    assert piecewise_linear(silent, region=BOX).n_activation_regions == 2


def test_lines_that_miss_or_touch_the_region_are_no_kinks():
    net = network([(1, 0, 1), (1, 0, -1), (1, 1, 2), (1, 0, 5), (1, 0, -5), (0, 0, 3), (0, 0, -3), (0, 0, 0)])
    pieces = piecewise_linear(net, region=BOX)
    assert (pieces.n_regions, len(pieces.groups), len(pieces.segments)) == (1, 0, 0)
    np.testing.assert_array_equal(pieces.gradients, [[1 + 3 + 4, 3]])
    assert_is(pieces, net, np.random.default_rng(0))


def test_nearly_equal_lines_are_told_apart_by_one_ulp():
    steps = np.nextafter(0.5, 1) - 0.5
    lines = [(1, 0, -0.5 - i * steps) for i in range(6)] + [(1, 1e-16 * i, 0) for i in range(1, 4)]
    pieces = piecewise_linear(network(lines), region=BOX)
    assert pieces.n_regions == euler_count(lines, SQUARE) == 7 + 5
    assert pieces.area == pytest.approx(4, rel=1e-14)


def test_three_lines_that_nearly_meet_in_a_point():
    # They meet in the point (1/3, 1/3) but for rounding: in a triangle of 1e-17, which counts as one.
    third = 1 / 3
    lines = [(1, 0, -third), (0, 1, -third), (3, 3, -2), (1, -1, 0)]
    pieces = piecewise_linear(network(lines), region=BOX)
    assert pieces.n_regions == euler_count(lines, SQUARE)
    assert Fraction(third) * 6 != 2, "the case is near-degenerate, not degenerate"


@pytest.mark.parametrize("offset", [1e6, -1e6, 2.0**45])
def test_an_offset_costs_no_digits(offset):
    rng = np.random.default_rng(1)
    lines = rng.integers(-(2**6), 2**6, (12, 3)) / 2.0**6
    moved = lines.copy()
    moved[:, 2] -= (lines[:, :2] * offset).sum(axis=1)
    near = piecewise_linear(network(lines), region=BOX)
    far = piecewise_linear(network(moved), region=np.array(BOX) + offset)
    assert far.n_regions == near.n_regions
    np.testing.assert_array_equal(far.patterns, near.patterns)
    np.testing.assert_allclose(far.areas, near.areas, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(far.corners, near.corners, atol=1e-14)
    np.testing.assert_allclose(far.offsets, near.offsets, atol=1e-13)
    assert compare(far, network(moved)).sup < 1e-13
    x = rng.uniform(-1, 1, (100, 2))
    x = (x + offset) - offset
    np.testing.assert_allclose(far(x + offset), near(x), atol=1e-12)


@pytest.mark.parametrize("power", [-1000, -400, 400, 500])
def test_weights_and_regions_beyond_products_of_float64(power):
    lines, scale = np.array(LINES, dtype=float), 2.0**power
    steep = piecewise_linear(ShallowReLU(lines * scale, np.ones(8) / scale), region=BOX)
    plain = piecewise_linear(network(lines, np.ones(8)), region=BOX)
    assert steep.n_regions == 24
    np.testing.assert_array_equal(steep.gradients, plain.gradients)
    wide = piecewise_linear(network(lines * [1, 1, scale]), region=np.array(BOX) * scale)
    assert wide.n_regions == 24
    np.testing.assert_array_equal(wide.corners, plain.corners * scale)
    # Weights of very different size in one network and in one neuron.
    mixed = lines * 10.0 ** np.arange(-160, 160, 40)[:, None]
    assert piecewise_linear(network(mixed), region=BOX).n_regions == 24
    thin = piecewise_linear(network([(1, 1e-300, 0), (1, 0, 0), (1, 1e-300, 1e-310)]), region=BOX)
    assert thin.n_regions == euler_count([(1, 1e-300, 0), (1, 0, 0), (1, 1e-300, 1e-310)], SQUARE) == 6


def test_evaluation_is_nan_outside_and_serves_the_boundary():
    pieces = piecewise_linear(network([(1, 1, 0)]), region=BOX)
    assert np.isnan(pieces([[1.1, 0]])).all()
    assert pieces.locate([[0, 1.0 + 1e-9]]) == [-1]
    np.testing.assert_array_equal(pieces(np.array(SQUARE, dtype=float)), [0, 0, 2, 0])
    with pytest.raises(ValueError, match="x must have shape"):
        pieces([[1.0]])


def test_no_neurons_and_no_bias():
    assert piecewise_linear(network([]), region=BOX).n_regions == 1
    net = ShallowReLU([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0], bias=False)
    assert piecewise_linear(net, region=BOX).n_regions == 4
    assert repr(piecewise_linear(net, region=BOX)) == "PlanarPieces(n_regions=4, n_segments=2)"


@pytest.mark.parametrize(("net", "options", "error", "sentence"), [
    (network(LINES), {}, ValueError, "two inputs need a region"),
    (network(LINES), {"region": BOX, "by": "neurons"}, ValueError, "by must be 'function' or 'activations'"),
    (network(LINES), {"region": (0, 1)}, ValueError, "region must be a box"),
    (ShallowReLU([[1.0, 0.0, 0.0]], [[1.0, 2.0]]), {"region": BOX}, ValueError, "one output so far, but"),
    (ShallowReLU([[1e300, 0.0, 0.0]], [1e300]), {"region": BOX}, ValueError, "exceeds the float64 range"),
    (ShallowReLU([[1.0, 0.0]], [1.0]), {"region": BOX}, ValueError, "region is for networks of two features"),
    (network(LINES), {"region": BOX, "segment": ([0, 0], [1, 1])}, ValueError, "one of region, segment and window"),
    ("net", {"region": BOX}, TypeError, "needs a ShallowReLU or a DeepReLU, but got str"),
])  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(net, options, error, sentence):
    with pytest.raises(error, match=sentence):
        piecewise_linear(net, **options)


@pytest.mark.parametrize(("name", "most"), [("_MOST_LINES", 7), ("_MOST_MEETINGS", 21)])
def test_too_many_pieces_are_refused(monkeypatch, name, most):
    assert piecewise_linear(network(LINES), region=BOX).n_regions == 24
    monkeypatch.setattr(f"reluquant.analysis.planar_pieces.{name}", most)
    with pytest.raises(ValueError, match="8 kinks run through the region and meet 22 times in it"):
        piecewise_linear(network(LINES), region=BOX)


def test_maps_are_sums_rounded_once():
    # Along a way over the pieces steep neurons come and go, and what is left of flat ones must not be rounding.
    rng = np.random.default_rng(0)
    net = ShallowReLU(rng.standard_normal((30, 3)) * 10.0 ** rng.uniform(-20, 20, (30, 1)), rng.standard_normal(30))
    pieces = piecewise_linear(net, region=BOX)
    assert pieces.n_regions == euler_count(net.W, SQUARE)
    neurons = np.array([group[0] for group in pieces.groups])
    always = np.setdiff1d(np.flatnonzero(net.W[:, 2] > 0), neurons)
    rows = net.a[:, None] * net.W
    for pattern, gradient, offset in zip(pieces.patterns, pieces.gradients, pieces.offsets, strict=True):
        active = rows[np.r_[neurons[pattern], always]]
        expected = [math.fsum(column) for column in active.T]
        np.testing.assert_allclose([*gradient, offset], expected, rtol=4e-16)


def test_patterns_are_made_when_asked_for():
    pieces = piecewise_linear(network(LINES), region=BOX)
    assert "patterns" not in vars(pieces)
    assert pieces.patterns.shape == (24, 8)
    assert pieces.patterns is pieces.patterns
    assert not pieces.patterns.flags.writeable
    assert len({row.tobytes() for row in pieces.patterns}) == 24


def test_patterns_that_cannot_be_held_are_refused(monkeypatch):
    monkeypatch.setattr("reluquant.structures.planar_pieces._MOST_SIDES", 191)
    pieces = piecewise_linear(network(LINES), region=BOX)
    with pytest.raises(ValueError, match="8 groups on 24 polygons are too much to hold"):
        _ = pieces.patterns


def test_kinks_that_are_one_but_for_rounding_meet_where_they_do():
    # Scaled copies of neurons: their lines differ in the last bits, and floats give them no meeting point.
    draw = np.random.default_rng(0)
    W = draw.standard_normal((12, 3)) * [1.0, 1.0, 0.5]
    W = np.concatenate([W * factor for factor in (1.0, 1.1, 1.3, 0.7)])
    net = ShallowReLU(W, draw.standard_normal(len(W)))
    pieces = piecewise_linear(net, region=((-1, 1), (-1, 1)))
    assert np.abs(pieces.corners).max() == 1.0
    assert pieces.area == pytest.approx(4.0, rel=1e-12)
    x = draw.uniform(-1, 1, (1000, 2))
    np.testing.assert_allclose(pieces(x), net(x), atol=1e-13 * np.abs(net.a).sum())


@given(st.lists(line, min_size=0, max_size=8), seeds)
@settings(deadline=None)
def test_kinks_alone_are_those_of_the_pieces(lines, seed):
    # Slope jumps cancel along some lines, which bend nothing.
    net = network(lines, np.random.default_rng(seed).choice([-1.0, 1.0, 2.0], len(lines)))
    pieces = piecewise_linear(net, region=BOX)
    segments, groups = kink_segments(net, BOX)
    np.testing.assert_array_equal(segments, pieces.segments)
    assert [group.tolist() for group in groups] == [group.tolist() for group in pieces.groups]
