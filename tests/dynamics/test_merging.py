"""Neurons that slide together are carried as one, and nobody sees a difference."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq
from reluquant.dynamics import merging


@pytest.fixture(params=["sine", "two-point groups", "unbalanced", "beyond float64"])
def runs(request, monkeypatch):
    """The same flow with groups and with every neuron carried alone."""
    data, options = rq.datasets.sine(), {"t_max": 45.0}
    net = rq.ShallowReLU.balanced(n_neurons=200, scale=1e-4, rng=3)
    if request.param == "two-point groups":
        data = rq.Dataset([-1.0, -0.2, 0.4, 1.0], [1.0, -0.7, 0.6, 0.9])
    elif request.param == "unbalanced":
        net = rq.ShallowReLU.gaussian(n_neurons=200, scale=1e-3, rng=3)
    elif request.param == "beyond float64":
        net, options = rq.ShallowReLU.balanced(n_neurons=200, scale=1.0, rng=3), {"t_max": 3000.0, "log_scale": -1200.0}
    together = rq.gradient_flow(net, data, progress=False, **options)
    monkeypatch.setattr(merging, "LEAST_SHARE", 2.0)
    return together, rq.gradient_flow(net, data, progress=False, **options)


def test_groups_and_single_neurons_are_the_same_flow(runs):
    together, alone = runs
    assert np.min(np.diff(together.recording.snapshots.first)) < 0.8 * together.n_neurons
    assert np.min(np.diff(alone.recording.snapshots.first)) == alone.n_neurons
    assert together.end == alone.end
    for t in np.linspace(0.0, together.t[-1], 9):
        ours, theirs = together.states([t]), alone.states([t])
        np.testing.assert_allclose(ours.log_norm, theirs.log_norm, atol=1e-8, rtol=1e-10)
        size = max(np.max(np.abs(theirs.a)), 1e-300)
        np.testing.assert_allclose(ours.W, theirs.W, atol=1e-8 * size, rtol=1e-7)
        np.testing.assert_allclose(ours.a, theirs.a, atol=1e-8 * size, rtol=1e-7)
        assert np.array_equal(ours.slides_on, theirs.slides_on)
    first, second = (np.sort(run.switches, order=("neuron", "time")) for run in runs)
    for name in ("neuron", "sample", "kind"):
        assert np.array_equal(first[name], second[name])
    np.testing.assert_allclose(first["time"], second["time"], rtol=1e-7)


def test_what_is_carried_does_not_grow_with_the_width():
    data = rq.datasets.sine()
    for n_neurons in (100, 3000):
        net = rq.ShallowReLU.balanced(n_neurons=n_neurons, scale=1e-6, rng=1)
        traj = rq.gradient_flow(net, data, progress=False)
        assert np.diff(traj.recording.snapshots.first)[-1] <= 2 * data.n_samples


def test_the_second_moment_of_a_group_is_that_of_its_neurons():
    rng = np.random.default_rng(0)
    n, m = 3, 40
    on_ray = rng.integers(2 * n, 4 * n, size=m)
    u = rng.normal(size=(6, 2))
    size, sign = np.exp(rng.normal(size=m)), rng.choice([-1, 1], size=m)
    Z = np.column_stack([size[:, None] * u[on_ray - 2 * n], sign * size * np.linalg.norm(u[on_ray - 2 * n], axis=1)])
    exponent = rng.integers(-3, 4, size=m)
    state = merging.PlanarState(Z, exponent, sign, on_ray, np.zeros(7), np.arange(m), (), m)
    found = merging.merged(state, n)
    assert found.n_rows == len(set(zip(on_ray, sign, strict=True)))
    for z, e, s, place in zip(found.mantissa, found.exponent, found.sign, found.mode, strict=True):
        own = (on_ray == place) & (sign == s)
        parts = Z[own] * 2.0 ** exponent[own][:, None]
        np.testing.assert_allclose(4.0**e * np.outer(z, z), parts.T @ parts, rtol=1e-12)


def test_unbalanced_neurons_stay_alone():
    Z = np.array([[1.0, 0.0, 2.0], [2.0, 0.0, 1.0]])
    state = merging.PlanarState(Z, *(np.zeros(2, np.int64),) * 2, np.array([7, 7]), np.zeros(7), np.arange(2), (), 2)
    assert merging.merged(state, 3) is state


def test_a_network_that_rests_as_a_whole_is_still_carried():
    state = merging.PlanarState(
        np.ones((2, 3)), *(np.zeros(2, np.int64),) * 2, np.array([3, -1]), np.zeros(7), np.arange(2), (), 2
    )
    assert merging.merged(state, 3) is state
