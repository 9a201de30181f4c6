import numpy as np
import pytest

import reluquant as rq
from reluquant.dynamics.alignment_paths import alignment_paths


def test_a_neuron_in_one_sector_turns_by_the_closed_form():
    # Both samples stay active: the angle to g obeys tan(φ/2) = tan(φ₀/2) e^{-|g| t}.
    data, residual = rq.Dataset([1.0, 2.0], [1.0, 1.0]), np.array([0.3, 0.4])
    g = residual @ data.inputs
    start = np.array([-0.1, 1.0])
    paths = alignment_paths(rq.ShallowReLU([start], [2.0]), data, residual=residual)
    to_g = np.arctan2(g[1], g[0])
    away = np.arctan2(paths.direction[:, 0, 1], paths.direction[:, 0, 0]) - to_g
    first = np.arctan2(start[1], start[0]) - to_g
    expected = 2 * np.arctan(np.tan(first / 2) * np.exp(-np.linalg.norm(g) * paths.t))
    assert paths.t[-1] > 5
    np.testing.assert_allclose(away, expected, atol=1e-7)


@pytest.mark.parametrize(("features", "bias"), [(1, True), (2, False), (2, True)])
def test_paths_end_where_it_was_predicted(features, bias):
    rng = np.random.default_rng(3)
    data = rq.Dataset(rng.normal(size=(4, features)), rng.normal(size=4), bias=bias)
    residual = rng.normal(size=4)
    W = rng.normal(size=(12, features + bias))
    paths = alignment_paths(rq.ShallowReLU(W, np.tile([1.0, -1.0], 6), bias=bias), data, residual=residual)
    found = paths.prediction
    np.testing.assert_allclose(np.linalg.norm(paths.direction, axis=2), 1.0, atol=1e-12)
    np.testing.assert_allclose(paths.direction[0], W / np.linalg.norm(W, axis=1)[:, None], atol=1e-12)
    aligned = found.fate == "aligned"
    assert np.count_nonzero(aligned) >= 4
    for j in np.flatnonzero(aligned & (found.time < paths.t[-1])):
        away = np.linalg.norm(paths.direction[:, j] - found.end[j], axis=1)
        assert away[-1] < 1.01e-3
        # Not much before the time that was predicted.
        assert np.all(away[paths.t < 0.99 * found.time[j] - paths.t[1]] > 0.9e-3)


def test_nothing_moves_without_residuals():
    data = rq.Dataset([0.0, 1.0], [1.0, 2.0])
    paths = alignment_paths(rq.ShallowReLU([[3.0, 4.0]], [1.0]), data, residual=[0.0, 0.0])
    np.testing.assert_allclose(paths.direction, [[[0.6, 0.8]]])
