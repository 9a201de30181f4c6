"""The share of dead directions against closed forms and against many random neurons."""

from __future__ import annotations

import math

import numpy as np
import pytest

import reluquant as rq


def drawn(data, n_neurons=200_000, seed=5):
    """The share of random neurons that no sample activates, and its standard error."""
    net = rq.ShallowReLU.balanced(
        n_features=data.n_features, n_neurons=n_neurons, scale=1.0, rng=seed, bias=data.bias
    )
    share = np.mean(~np.any(net.W @ data.inputs.T > 0, axis=1))
    return share, math.sqrt(max(share * (1 - share), 1 / n_neurons) / n_neurons)


@pytest.mark.parametrize("x", [[-1.0, 0.3, 1.0], [2.0, 3.0, 50.0], [-0.1], [-100.0, 100.0], [5.0, 5.0]])
def test_on_the_line_it_is_the_formula_and_what_is_drawn(x):
    data = rq.Dataset(x, np.ones(len(x)))
    share = rq.dead_share(data)
    formula = 0.5 - (math.atan(max(x)) - math.atan(min(x))) / (2 * math.pi)
    assert share.value == pytest.approx(formula, abs=1e-14)
    assert share.standard_error == 0.0
    found, error = drawn(data)
    assert abs(found - share.value) < 4 * error


@pytest.mark.parametrize(
    ("inputs", "value"),
    [
        ([[1, 0], [0, 1]], 1 / 4),
        ([[1, 0], [-1, 0]], 0.0),
        ([[1, 0]], 1 / 2),
        ([[1, 1], [-1, -1], [1, -1]], 0.0),
        ([[-1, 1], [-1, -1]], 1 / 4),
        ([[0, 0], [1, 0], [1, 1]], 3 / 8),
        ([[2.0], [3.0]], 1 / 2),
        ([[2.0], [-3.0]], 0.0),
        ([[0.0], [0.0]], 1.0),
        ([[0, 0, 0]], 1.0),
    ],
)
def test_in_the_plane_and_below_it_is_exact(inputs, value):
    share = rq.dead_share(rq.Dataset(inputs, np.ones(len(inputs)), bias=False))
    assert share.value == pytest.approx(value, abs=1e-15)
    assert share.standard_error == 0.0


@pytest.mark.parametrize("n", [3, 5])
def test_solid_angles_of_orthants(n):
    share = rq.dead_share(rq.datasets.orthogonal(n, rng=0), n_draws=400_000, rng=1)
    assert abs(share.value - 2.0**-n) < 4 * share.standard_error
    assert share.standard_error == pytest.approx(math.sqrt(2.0**-n * (1 - 2.0**-n) / 400_000), rel=0.05)


def test_two_inputs_and_a_bias_are_a_solid_angle_too():
    # Three unit vectors: the polar cone's solid angle is 2π minus the sum of the angles between neighbours.
    data = rq.Dataset([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], [1.0, 1.0, 1.0])
    units = data.inputs / np.linalg.norm(data.inputs, axis=1, keepdims=True)
    between = [math.acos(units[i] @ units[k]) for i, k in ((0, 1), (1, 2), (2, 0))]
    share = rq.dead_share(data, n_draws=400_000, rng=0)
    assert abs(share.value - (2 * math.pi - sum(between)) / (4 * math.pi)) < 4 * share.standard_error


def test_it_depends_on_the_seed_only_and_chunks_are_no_matter(monkeypatch):
    data = rq.datasets.separable(20, rng=0)
    whole = rq.dead_share(data, n_draws=5000, rng=7)
    assert whole == rq.dead_share(data, n_draws=5000, rng=7)
    monkeypatch.setattr("reluquant.analysis.dead_share._AT_ONCE", 999)
    assert whole == rq.dead_share(data, n_draws=5000, rng=7)


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="dead_share needs a Dataset"):
        rq.dead_share([1.0])
    with pytest.raises(ValueError, match="n_draws must be"):
        rq.dead_share(rq.datasets.xor(), n_draws=0)
