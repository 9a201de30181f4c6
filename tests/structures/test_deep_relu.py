"""Deep networks as values."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from reluquant import DeepReLU, ShallowReLU


def by_loops(net, x):
    for depth, (W, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        x = [sum(w * h for w, h in zip(row, x, strict=True)) + shift for row, shift in zip(W, b, strict=True)]
        if depth < len(net.weights) - 1:
            x = [max(h, 0.0) for h in x]
    return x


@pytest.mark.parametrize("widths", [(3, 1), (3, 4, 1), (2, 5, 4, 3), (1, 3, 0, 2)])
def test_forward_pass_is_that_of_loops(widths):
    rng = np.random.default_rng(0)
    net = DeepReLU([rng.standard_normal((n, m)) for m, n in pairwise(widths)],
                   [rng.standard_normal(n) for n in widths[1:]])  # fmt: skip
    x = rng.standard_normal((7, widths[0]))
    expected = np.array([by_loops(net, row) for row in x.tolist()])
    y = net(x)
    assert y.shape == ((7,) if widths[-1] == 1 else (7, widths[-1]))
    np.testing.assert_allclose(y.reshape(7, -1), expected, rtol=1e-13, atol=1e-14)
    assert (net.n_features, net.n_outputs, net.widths) == (widths[0], widths[-1], widths[1:-1])
    assert net.n_neurons == sum(widths[1:-1])


def test_one_hidden_layer_is_a_shallow_network():
    rng = np.random.default_rng(1)
    W, a = rng.standard_normal((4, 2)), rng.standard_normal(4)
    shallow, deep = ShallowReLU(W, a), DeepReLU([W[:, :1], a[None]], [W[:, 1], [0.0]])
    np.testing.assert_allclose(deep([0.5, -1.0]), shallow([0.5, -1.0]), rtol=1e-14)
    assert deep(0.5) == pytest.approx(shallow(0.5), rel=1e-14)
    assert repr(deep) == "DeepReLU(n_features=1, widths=(4,), n_outputs=1)"


def test_it_is_immutable_and_copies():
    W = np.ones((1, 1))
    net = DeepReLU([W], [[0.0]])
    W[0] = 5
    assert net(2.0) == 2.0
    with pytest.raises(ValueError, match="read-only"):
        net.weights[0][0, 0] = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.weights = ()


@pytest.mark.parametrize(("weights", "biases", "sentence"), [
    ([], [], "at least one layer"),
    ([[[1.0]]], [], "one bias array for each, but got 1 weights and 0 biases"),
    ([[[1.0]]], [[1.0, 2.0]], r"biases\[0\] must have shape \(1,\)"),
    ([[[1.0]], [[1.0, 2.0]]], [[0.0], [0.0]], r"weights\[1\] must have 1 columns"),
    ([[[np.nan]]], [[0.0]], r"weights\[0\] must be finite"),
    ([[1.0]], [[0.0]], r"weights\[0\] must be 2-dimensional"),
    ([np.zeros((1, 0))], [[0.0]], "at least one feature and one output"),
])  # fmt: skip
def test_bad_layers_are_refused(weights, biases, sentence):
    with pytest.raises(ValueError, match=sentence):
        DeepReLU(weights, biases)


def test_bad_points_are_refused():
    net = DeepReLU([np.ones((1, 2))], [[0.0]])
    with pytest.raises(ValueError, match=r"shape \(n_points, 2\)"):
        net([1.0, 2.0])
