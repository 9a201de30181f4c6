"""Tiles and boundaries of classes, held against the forward pass at many points and against areas by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reluquant import DeepReLU, ShallowReLU
from reluquant.analysis.decision_regions import decision_regions
from reluquant.analysis.deep_pieces import slice_in_window
from reluquant.kernels.winning_tiles import winning_tiles
from tests.strategies import seeds

UNIT = (np.zeros(2), np.array([1.0, 0.0]), np.array([0.0, 1.0]))


def random_net(rng, widths):
    return DeepReLU(
        [rng.standard_normal((n, m)) for m, n in pairwise(widths)], [rng.standard_normal(n) for n in widths[1:]]
    )


def inside(polygon, points):
    ends = np.roll(polygon, -1, axis=0)
    step, away = ends - polygon, points[:, None] - polygon
    return np.all(step[:, 0] * away[..., 1] - step[:, 1] * away[..., 0] > 0, axis=1)


@settings(max_examples=25)
@given(seeds, st.lists(st.integers(1, 12), max_size=2), st.integers(2, 5))
def test_tiles_hold_what_the_forward_pass_says(seed, hidden, n_outputs):
    rng = np.random.default_rng(seed)
    net = random_net(rng, [4, *hidden, n_outputs])
    o, u, v = rng.standard_normal((3, 4))
    found = decision_regions(slice_in_window(net, (o, u, v)))
    points = rng.random((400, 2))
    outputs = np.sort(net(o + points[:, :1] * u + points[:, 1:] * v), axis=1)
    clear = outputs[:, -1] - outputs[:, -2] > 1e-9
    winner = np.argmax(net(o + points[:, :1] * u + points[:, 1:] * v), axis=1)
    times = np.zeros(len(points), dtype=int)
    for i, k in enumerate(found.winner):
        held = inside(found.corners[found.starts[i] : found.starts[i + 1]], points)
        times += held
        assert np.all(winner[held & clear] == k)
    # On an edge a point is in no tile.
    assert np.mean(times == 1) > 0.97
    assert times.max() <= 1
    assert found.shares.sum() == pytest.approx(1, rel=1e-12)


@settings(max_examples=25)
@given(seeds, st.lists(st.integers(1, 12), max_size=2), st.integers(2, 5))
def test_on_a_boundary_two_outputs_are_equal_and_largest_and_across_it_the_class_changes(seed, hidden, n_outputs):
    rng = np.random.default_rng(seed)
    net = random_net(rng, [4, *hidden, n_outputs])
    o, u, v = rng.standard_normal((3, 4))
    found = decision_regions(slice_in_window(net, (o, u, v)))
    for (p, q), (i, j) in zip(found.boundaries, found.between, strict=True):
        assert i < j
        length = np.linalg.norm(q - p)
        if length < 1e-6:
            continue
        middle, across = (p + q) / 2, np.array([q[1] - p[1], p[0] - q[0]]) / length * 1e-7
        at = net(np.array([o + x[0] * u + x[1] * v for x in (middle, middle + across, middle - across)]))
        assert at[0, i] == pytest.approx(at[0, j], abs=1e-10)
        assert at[0].max() == pytest.approx(at[0, i], abs=1e-10)
        assert {int(at[1].argmax()), int(at[2].argmax())} == {i, j}


def test_a_class_that_wins_at_no_corner_is_found():
    # In x from 0 to 1: -x, x - 1 and -0.4, which is the largest between 0.4 and 0.6.
    net = DeepReLU([[[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]], [[0.0, -1.0, -0.4]])
    found = decision_regions(slice_in_window(net, UNIT))
    np.testing.assert_allclose(found.shares, [0.4, 0.4, 0.2], atol=1e-12)
    assert sorted(map(tuple, found.between.tolist())) == [(0, 2), (1, 2)]
    assert sorted(np.round(found.boundaries[:, :, 0].mean(axis=1), 12)) == [0.4, 0.6]


def test_the_level_line_of_one_output():
    net = ShallowReLU([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [1.0, 1.0, -0.5])
    found = decision_regions(slice_in_window(net, UNIT))
    assert found.shares == pytest.approx([1 / 8, 7 / 8])
    (segment,) = found.boundaries
    np.testing.assert_allclose(segment.sum(axis=1), 0.5)


def test_the_sign_of_a_chosen_output_is_that_of_a_network_with_only_it():
    rng = np.random.default_rng(5)
    net = random_net(rng, [3, 9, 6, 4])
    window = tuple(rng.standard_normal((3, 3)))
    mine = decision_regions(slice_in_window(net, window), output=2)
    one = DeepReLU((*net.weights[:-1], net.weights[-1][[2]]), (*net.biases[:-1], net.biases[-1][[2]]))
    other = decision_regions(slice_in_window(one, window))
    np.testing.assert_allclose(mine.shares, other.shares, atol=1e-12)
    np.testing.assert_allclose(mine.boundaries, other.boundaries, atol=1e-12)
    with pytest.raises(ValueError, match="output must be from 0 to 3"):
        decision_regions(slice_in_window(net, window), output=4)


def test_of_equal_outputs_the_first_wins():
    net = DeepReLU([[[0.0, 0.0], [0.0, 0.0], [-1.0, 0.0]]], [[0.0, 0.0, 0.0]])
    found = decision_regions(slice_in_window(net, UNIT))
    assert found.shares.tolist() == [1.0, 0.0, 0.0]
    assert len(found.boundaries) == 0


def test_one_signature():
    compiled = getattr(winning_tiles, "signatures", None)
    if compiled is not None:
        assert len(compiled) <= 1
