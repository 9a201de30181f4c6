"""Pieces of deep networks on segments and in windows, held against cells in Fractions and the forward pass."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reluquant import DeepReLU, ShallowReLU, compare, piecewise_linear
from reluquant.analysis import deep_pieces
from reluquant.analysis.deep_pieces import TooManyRegions, n_cells_of_lines, slice_in_window
from reluquant.kernels.deep_cells import cut_by_layer, next_layer
from tests.oracles_planar import ZERO, area, clipped, plus
from tests.strategies import seeds

UNIT = [(Fraction(x), Fraction(y)) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]


def draw(rng, widths, bits=5):
    """A network whose weights have few bits, so that its maps are exact in float64 too."""
    def entries(*shape):
        return rng.integers(-(2**bits), 2**bits + 1, shape) / 2**bits

    pairs = list(pairwise(widths))
    return DeepReLU([entries(n, m) for m, n in pairs], [entries(n) for _, n in pairs])


def exact_cells(net, o, u, v):
    """Cells (polygon, value, pattern) of net(o + s u + t v) on the unit square, neuron by neuron."""
    o, u, v = ([Fraction(float(x)) for x in p] for p in (o, u, v))
    cells = [(UNIT, list(zip(u, v, o, strict=True)), ())]
    for depth, (W, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        following = []
        for polygon, inputs, pattern in cells:
            parts = [(polygon, [], pattern)]
            for row, shift in zip(W.tolist(), b.tolist(), strict=True):
                z = (Fraction(0), Fraction(0), Fraction(shift))
                for w, h in zip(row, inputs, strict=True):
                    z = plus(z, h, Fraction(w))
                if depth == len(net.weights) - 1:
                    parts = [(p, [*h, z], on) for p, h, on in parts]
                    continue
                smaller = []
                for p, h, on in parts:
                    if z == ZERO:
                        smaller.append((p, [*h, ZERO], (*on, False)))
                        continue
                    for part, value, active in ((clipped(p, z), z, True), (clipped(p, plus(ZERO, z, -1)), ZERO, False)):
                        if part:
                            smaller.append((part, [*h, value], (*on, active)))
                parts = smaller
            following += parts
        cells = following
    return [(polygon, h[0], pattern) for polygon, h, pattern in cells]


@settings(max_examples=40)
@given(seeds, st.lists(st.integers(1, 4), max_size=3), st.integers(1, 3))
def test_window_has_the_cells_of_exact_arithmetic(seed, hidden, n_features):
    rng = np.random.default_rng(seed)
    net = draw(rng, [n_features, *hidden, 1])
    o, u, v = rng.integers(-8, 9, (3, n_features)) / 4
    pieces = piecewise_linear(net, window=(o, u, v))
    expected = exact_cells(net, o, u, v)
    assert sum(area(polygon) for polygon, _, _ in expected) == 1
    assert pieces.n_regions == len(expected) == pieces.n_activation_regions
    assert {tuple(row) for row in pieces.patterns.tolist()} == {pattern for _, _, pattern in expected}
    assert pieces.area == pytest.approx(1, rel=1e-13)
    found = {tuple(row): (part, *gradient, offset) for row, part, gradient, offset in zip(
        pieces.patterns.tolist(), pieces.areas, pieces.gradients, pieces.offsets, strict=True)}  # fmt: skip
    by_pattern = {pattern: [] for _, _, pattern in expected}
    for polygon, affine, pattern in expected:
        by_pattern[pattern].append((float(area(polygon)), *map(float, affine)))
    for pattern, rows in by_pattern.items():
        if len(rows) == 1:
            np.testing.assert_allclose(found[pattern], rows[0], rtol=1e-12, atol=1e-13)


@settings(max_examples=40)
@given(seeds, st.lists(st.integers(1, 6), max_size=3), st.integers(1, 4))
def test_segment_has_the_breakpoints_of_exact_arithmetic(seed, hidden, n_features):
    rng = np.random.default_rng(seed)
    net = draw(rng, [n_features, *hidden, 1])
    p, q = rng.integers(-8, 9, (2, n_features)) / 4
    f = piecewise_linear(net, segment=(p, q))
    cells = exact_cells(net, p, q - p, np.zeros(n_features))
    intervals = sorted((min(x for x, _ in polygon), affine[0]) for polygon, affine, _ in cells)
    expected = [start for (_, slope), (start, following) in pairwise(intervals) if slope != following]
    np.testing.assert_allclose(f.breakpoints, [float(x) for x in expected], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(f.slopes[0], float(intervals[0][1]), rtol=1e-13, atol=1e-14)
    t = np.linspace(0, 1, 50)
    np.testing.assert_allclose(f(t), net(p + t[:, None] * (q - p)), rtol=1e-12, atol=1e-13)
    assert f.domain == (0.0, 1.0)


@settings(max_examples=25)
@given(seeds, st.lists(st.integers(1, 12), min_size=1, max_size=4))
def test_evaluation_is_the_forward_pass(seed, hidden):
    rng = np.random.default_rng(seed)
    widths = [6, *hidden, 1]
    net = DeepReLU(
        [rng.standard_normal((n, m)) for m, n in pairwise(widths)], [rng.standard_normal(n) for n in widths[1:]]
    )
    o, u, v = rng.standard_normal((3, 6))
    x = rng.random((200, 2))
    pieces = piecewise_linear(net, window=(o, u, v))
    y = net(o + x[:, :1] * u + x[:, 1:] * v)
    size = np.prod([np.abs(W).sum() for W in net.weights])
    np.testing.assert_allclose(pieces(x), y, rtol=0, atol=1e-14 * (size + np.abs(y).max()))
    assert pieces.area == pytest.approx(1, rel=1e-13)
    f = piecewise_linear(net, segment=(o, o + u))
    y = net(o + x[:, :1] * u)
    # Biases can make values large where the product of the weights is small.
    np.testing.assert_allclose(f(x[:, 0]), y, rtol=0, atol=1e-14 * (size + np.abs(y).max()))


def test_segments_lie_on_the_kinks_of_their_neurons():
    net = draw(np.random.default_rng(3), [2, 6, 5, 1])
    o, u, v = np.array([-1.0, -1.0]), np.array([2.0, 0.0]), np.array([0.0, 2.0])
    pieces = piecewise_linear(net, window=(o, u, v))
    assert set(pieces.segment_groups.tolist()) >= {6, 7}, "the second layer bends the function too"
    for ends, group in zip(pieces.segments, pieces.segment_groups, strict=True):
        points = o + ends[:, :1] * u + ends[:, 1:] * v
        z = points @ net.weights[0].T + net.biases[0]
        if group >= 6:
            z, group = np.maximum(z, 0) @ net.weights[1].T + net.biases[1], group - 6
        np.testing.assert_allclose(z[:, group], 0, atol=1e-13)


def test_batches_of_cells_are_the_whole(monkeypatch):
    net = draw(np.random.default_rng(4), [2, 8, 8, 8, 1], bits=20)
    window = ([-2.0, -2.0], [4.0, 0.0], [0.0, 4.0])
    whole = piecewise_linear(net, window=window)
    monkeypatch.setattr("reluquant.analysis.deep_pieces._HELD", 30)
    parts = piecewise_linear(net, window=window)
    # Which neuron cuts first depends on what came before, so cells come in another order.
    first, second = ({tuple(row): area for row, area in zip(found.patterns.tolist(), found.areas, strict=True)}
                     for found in (parts, whole))  # fmt: skip
    assert len(first) == whole.n_regions
    assert first == pytest.approx(second, rel=1e-10, abs=1e-14)


def test_shallow_networks_on_segments_and_in_windows_agree_with_the_exact_pieces():
    rng = np.random.default_rng(5)
    net = ShallowReLU(rng.standard_normal((20, 3)), rng.standard_normal(20))
    exact = piecewise_linear(net, region=((-1, 1), (-1, 1)))
    window = piecewise_linear(net, window=([-1, -1], [2, 0], [0, 2]))
    assert window.n_regions == exact.n_regions
    f = piecewise_linear(net, segment=([-1, -1], [1, 0.5]))
    assert f.n_breakpoints == sum(
        np.sign(w @ [-1, -1, 1]) != np.sign(w @ [1, 0.5, 1]) for w in net.W
    )
    many = ShallowReLU(rng.standard_normal((5, 785)), rng.standard_normal(5))
    p, q = rng.standard_normal((2, 784))
    assert piecewise_linear(many, segment=(p, q))(0.25) == pytest.approx(many((p + 0.25 * (q - p))[None])[0], rel=1e-12)


def test_two_windows_are_compared():
    net = DeepReLU([np.eye(2), [[1.0, 1.0]], [[1.0]]], [[0.0, 0.0], [-0.5], [0.0]])
    other = DeepReLU([np.eye(2), [[1.0, 1.0]], [[1.0]]], [[0.0, 0.0], [-0.5], [0.25]])
    window = ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0])
    found = compare(piecewise_linear(net, window=window), piecewise_linear(other, window=window))
    assert found.sup == 0.25
    assert found.l2 == pytest.approx(0.25, rel=1e-15)


def test_an_offset_of_the_inputs_costs_no_digits():
    rng = np.random.default_rng(6)
    W, b = rng.integers(-64, 65, (10, 2)) / 64, rng.integers(-64, 65, 10) / 64
    rest = [rng.standard_normal((6, 10)), rng.standard_normal((1, 6))], [rng.standard_normal(6), np.zeros(1)]
    near = DeepReLU([W, *rest[0]], [b, *rest[1]])
    far = DeepReLU([W, *rest[0]], [b - W.sum(axis=1) * 1e6, *rest[1]])
    sides = [2.0, 0.0], [0.0, 2.0]
    expected = piecewise_linear(near, window=([-1.0, -1.0], *sides))
    found = piecewise_linear(far, window=([1e6 - 1, 1e6 - 1], *sides))
    assert found.n_regions == expected.n_regions
    np.testing.assert_allclose(found.corners, expected.corners, atol=1e-14)
    line = piecewise_linear(near, segment=([-1.0, -1.0], [1.0, 0.5]))
    shifted = piecewise_linear(far, segment=([1e6 - 1, 1e6 - 1], [1e6 + 1, 1e6 + 0.5]))
    np.testing.assert_allclose(shifted.breakpoints, line.breakpoints, atol=1e-14)


def test_repeated_dead_and_constant_neurons():
    net = DeepReLU([[[1.0], [1.0], [2.0], [0.0], [0.0]], [[1.0, 1.0, 1.0, 1.0, 1.0]]],
                   [[-0.5, -0.5, -1.0, -1.0, 2.0], [0.0]])  # fmt: skip
    f = piecewise_linear(net, segment=([0.0], [1.0]))
    assert f.breakpoints.tolist() == [0.5]
    assert f.slopes.tolist() == [0.0, 4.0]
    assert piecewise_linear(net, segment=([1.0], [1.0])).n_breakpoints == 0
    cancelled = DeepReLU([[[1.0], [-1.0]], [[1.0, -1.0]]], [[-0.5, 0.5], [0.0]])
    assert piecewise_linear(cancelled, segment=([0.0], [1.0])).n_breakpoints == 0
    pieces = piecewise_linear(net, window=([0.0], [1.0], [0.0]))
    assert (pieces.n_regions, pieces.n_pieces) == (2, None)


ONE = DeepReLU([[[1.0, 0.0]], [[1.0]]], [[0.0], [0.0]])


@pytest.mark.parametrize(("net", "options", "error", "sentence"), [
    (ONE, {}, ValueError, r"needs segment=\(p, q\) or window=\(origin, u, v\) for a DeepReLU"),
    (ONE, {"region": ((0, 1), (0, 1))}, ValueError, "for a DeepReLU"),
    (ONE, {"segment": ([0, 0],)}, ValueError, r"segment must be \(p, q\), 2 points of 2 numbers each"),
    (ONE, {"segment": 3.0}, ValueError, "segment must be"),
    (ONE, {"segment": ([0, 0], [1])}, ValueError, "q of segment must have 2 numbers"),
    (ONE, {"window": ([0, 0], [1, 0])}, ValueError, r"window must be \(origin, u, v\)"),
    (ONE, {"window": ([0, 0], [1, 0], [0, np.inf])}, ValueError, "v of window must be finite"),
    (ONE, {"window": ([0, 0], [1, 0], [0, 1]), "segment": ([0, 0], [1, 0])}, ValueError, "one of region, segment"),
    (DeepReLU([np.ones((2, 1))], [np.ones(2)]), {"segment": ([0], [1])}, ValueError, "one output so far.*has 2"),
    (ShallowReLU(np.ones((2, 4)), np.ones((2, 2))), {"segment": ([0] * 3, [1] * 3)}, ValueError, "one output so far"),
    (ShallowReLU(np.ones((2, 4)), np.ones(2)), {}, ValueError, r"needs segment=\(p, q\) or window=.* for 3 features"),
    (DeepReLU([[[1e300]], [[1e300]]], [[1.0], [0.0]]), {"segment": ([0], [1])}, ValueError, "exceeds the float64"),
    (DeepReLU([[[1e300]], [[1e300]]], [[1.0], [0.0]]), {"window": ([0], [1], [1])}, ValueError, "exceeds the float64"),
])  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(net, options, error, sentence):
    with pytest.raises(error, match=sentence):
        piecewise_linear(net, **options)


def test_each_kernel_has_one_signature():
    net = draw(np.random.default_rng(0), [2, 3, 3, 1])
    piecewise_linear(net, window=([0.0, 0.0], [1.0, 0.0], [0.0, 1.0]))
    for compiled in (cut_by_layer, next_layer):
        assert len(getattr(compiled, "signatures", [1])) == 1


def test_a_slice_has_each_output_as_a_network_of_its_own():
    rng = np.random.default_rng(4)
    net = DeepReLU([rng.standard_normal((n, m)) for m, n in pairwise([5, 8, 6, 3])],
                   [rng.standard_normal(n) for n in (8, 6, 3)])  # fmt: skip
    window = tuple(rng.standard_normal((3, 5)))
    found = slice_in_window(net, window)
    x = rng.random((100, 2))
    np.testing.assert_allclose(found(x), net(window[0] + x[:, :1] * window[1] + x[:, 1:] * window[2]), atol=1e-11)
    assert np.isnan(found([[2.0, 0.5]])).all()
    for k in range(3):
        one = DeepReLU((*net.weights[:-1], net.weights[-1][[k]]), (*net.biases[:-1], net.biases[-1][[k]]))
        alone = piecewise_linear(one, window=window)
        np.testing.assert_array_equal(found.output(k).corners, alone.corners)
        np.testing.assert_allclose(found.output(k).gradients, alone.gradients, atol=1e-12)
        np.testing.assert_allclose(found.output(k).offsets, alone.offsets, atol=1e-12)


def test_too_many_regions_are_noticed_before_they_are_cut():
    rng = np.random.default_rng(2)
    rows = np.column_stack([rng.standard_normal((3000, 2)), 0.1 * rng.standard_normal(3000)])
    wide = ShallowReLU(rows, np.ones(3000))
    square = ([-1.0, -1.0], [2.0, 0.0], [0.0, 2.0])
    with pytest.raises(TooManyRegions, match="more than 10,000 linear regions in this window"):
        slice_in_window(wide, square, most=10_000)
    net = ShallowReLU(wide.W[:60], wide.a[:60])
    count = piecewise_linear(net, window=square).n_regions
    maps = np.column_stack([net.W @ [-1, -1, 1], 2 * net.W[:, :2]])
    assert n_cells_of_lines(maps, np.zeros(60), 10**6) == count
    assert slice_in_window(net, square, most=count).n_regions == count
    with pytest.raises(TooManyRegions):
        slice_in_window(net, square, most=count - 1)
    deep = DeepReLU([net.W[:, :2], rng.standard_normal((30, 60)), np.ones((1, 30))], [net.W[:, 2], np.zeros(30), [0.0]])
    with pytest.raises(TooManyRegions):
        slice_in_window(deep, square, most=count)


def test_cells_that_are_taken_in_portions_are_the_same(monkeypatch):
    rng = np.random.default_rng(6)
    net = DeepReLU([rng.standard_normal((n, m)) for m, n in pairwise([4, 30, 20, 10, 3])],
                   [rng.standard_normal(n) for n in (30, 20, 10, 3)])  # fmt: skip
    window = tuple(3 * rng.standard_normal((3, 4)))
    whole = slice_in_window(net, window)
    monkeypatch.setattr(deep_pieces, "_HELD", 64)
    parts = slice_in_window(net, window)
    assert whole.n_regions > 300
    assert parts.n_regions == whole.n_regions
    # Their order may differ.
    first, second = (sorted(map(bytes, found.pieces.patterns)) for found in (whole, parts))
    assert first == second
    x = rng.random((500, 2))
    expected = net(window[0] + x[:, :1] * window[1] + x[:, 1:] * window[2])
    for found in (whole, parts):
        np.testing.assert_allclose(found(x), expected, rtol=1e-11, atol=1e-10)
