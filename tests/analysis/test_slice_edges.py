import numpy as np
import pytest

from reluquant import DeepReLU, ShallowReLU, piecewise_linear
from reluquant.analysis.slice_edges import slice_edges

UNIT = ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0])


def test_a_neuron_of_the_first_layer_has_one_stroke_on_its_line():
    rng = np.random.default_rng(0)
    W = np.column_stack([rng.standard_normal((30, 2)), np.zeros(30)])
    W[:, 2] = -W[:, :2] @ rng.random(2)
    net = ShallowReLU(W, np.ones(30))
    pieces = piecewise_linear(net, window=UNIT)
    segments, owners = slice_edges(pieces, 30)
    assert sorted(owners) == list(range(30))
    for (p, q), j in zip(segments, owners, strict=True):
        for end in (p, q):
            assert W[j, :2] @ end + W[j, 2] == pytest.approx(0, abs=1e-13)
            # It goes from rim to rim.
            assert np.minimum(end, 1 - end).min() == pytest.approx(0, abs=1e-12)
    length = np.linalg.norm(segments[:, 0] - segments[:, 1], axis=1)
    assert np.all(np.diff(length) <= 0)
    joined = np.bincount(owners, length, 30)
    parts = np.linalg.norm(pieces.segments[:, 0] - pieces.segments[:, 1], axis=1)
    np.testing.assert_allclose(joined, np.bincount(pieces.segment_groups, parts, 30), atol=1e-12)


def test_deeper_neurons_keep_their_segments():
    rng = np.random.default_rng(1)
    net = DeepReLU([rng.standard_normal((8, 2)), rng.standard_normal((6, 8)), np.ones((1, 6))],
                   [rng.standard_normal(8) / 3, rng.standard_normal(6) / 3, [0.0]])  # fmt: skip
    pieces = piecewise_linear(net, window=UNIT)
    _, owners = slice_edges(pieces, 8)
    assert np.count_nonzero(owners >= 8) == np.count_nonzero(pieces.segment_groups >= 8) > 0
    assert slice_edges(piecewise_linear(DeepReLU([[[1.0, 2.0]]], [[0.0]]), window=UNIT), 0)[0].shape == (0, 2, 2)
