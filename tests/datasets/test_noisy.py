"""Noise that is not fitted: the outcome is a least-squares fit, in closed form."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq


def flow(data, n_neurons=100, scale=1e-10):
    net = rq.ShallowReLU.balanced(
        n_features=data.n_features, n_neurons=n_neurons, scale=scale, rng=0, bias=False
    )
    return rq.gradient_flow(net, data, progress=False)


def test_labels_are_linear_up_to_the_noise():
    data = rq.datasets.linear_teacher(2000, noise=0.3, rng=0)
    np.testing.assert_allclose(np.linalg.lstsq(data.X, data.y, rcond=None)[0], [1.0, 0.0, 0.0], atol=0.05)
    assert np.std(data.y - data.X[:, 0]) == pytest.approx(0.3, rel=0.05)
    exact = rq.datasets.linear_teacher(20, noise=0.0, rng=0)
    np.testing.assert_array_equal(exact.y, exact.X[:, 0])
    assert np.sum(exact.X[:, 0] > 0) == 10


@pytest.mark.parametrize("n_features", [2, 3, 5])
def test_interpolation_stops_beyond_some_number_of_samples(n_features):
    kinds = [flow(rq.datasets.linear_teacher(n, n_features=n_features, rng=1)).stationary_point.kind for n in (4, 40)]
    assert kinds == ["zero loss", "spurious"]


@pytest.mark.parametrize(("n_samples", "n_features", "n_neurons"), [(16, 2, 50), (40, 3, 50), (40, 3, 400)])
def test_what_is_left_is_the_least_squares_fit_of_either_side(n_samples, n_features, n_neurons):
    data = rq.datasets.linear_teacher(n_samples, n_features=n_features, rng=1)
    final = flow(data, n_neurons).final
    for side in (1, -1):
        mine = data.X[:, 0] * side > 0
        fit = np.linalg.lstsq(data.X[mine], data.y[mine], rcond=None)[0]
        np.testing.assert_allclose(final(data.X[mine]), data.X[mine] @ fit, atol=1e-7)


def test_the_spurious_function_is_nearer_to_the_teacher_than_the_labels_are():
    data = rq.datasets.linear_teacher(100, rng=1)
    teacher = data.X[:, 0]
    assert np.mean((flow(data).final(data.X) - teacher) ** 2) < 0.1 * np.mean((data.y - teacher) ** 2)
