"""Data for which it is proved where neurons turn to, and how the flow ends: both are run here."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq


def network(data, n_neurons, scale, seed=0):
    return rq.ShallowReLU.balanced(
        n_features=data.n_features, n_neurons=n_neurons, scale=scale, rng=seed, bias=data.bias
    )


def halves(data):
    """|D+| and |D-|, the sums over samples of one sign, of orthonormal inputs."""
    return np.array([np.sqrt(np.sum(data.y[data.y * s > 0] ** 2)) / data.n_samples for s in (1, -1)])


# ------------------------------------------------------------------------------------------------ orthogonal inputs


@pytest.mark.parametrize(("n_samples", "n_features"), [(2, None), (4, None), (5, 7)])
def test_orthogonal_inputs_are_orthonormal_with_labels_of_both_signs(n_samples, n_features):
    data = rq.datasets.orthogonal(n_samples, n_features=n_features, rng=1)
    np.testing.assert_array_equal(data.X @ data.X.T, np.eye(n_samples))
    assert data.n_features == (n_features or n_samples)
    assert not data.bias
    assert np.all((np.abs(data.y) >= 0.5) & (np.abs(data.y) <= 1.5))
    assert {1.0, -1.0} == set(np.sign(data.y))


@pytest.mark.parametrize(("n_samples", "seed"), [(3, 0), (4, 1)])
def test_orthogonal_groups_wake_at_one_over_the_length_of_their_half(n_samples, seed):
    data = rq.datasets.orthogonal(n_samples, rng=seed)
    limit = rq.greedy_limit(data, network(data, 100, 1.0), progress=False)
    lengths = halves(data)
    order = np.argsort(-lengths)
    np.testing.assert_allclose(limit.taus, 1 / lengths[order], rtol=1e-8)
    # Between the two the half that woke first is fitted, the other is not.
    left = 0.5 * lengths**2 * n_samples
    # A plateau counts as one as long as the loss falls by less than a millionth of that of the start.
    np.testing.assert_allclose(limit.losses, [left.sum(), left[order[1]], 0.0], atol=1e-6 * left.sum())
    assert [step.signs.tolist() for step in limit.steps] == [[(1, -1)[i]] for i in order]
    assert limit.end == "zero loss"
    # One neuron for each half, along it: the least variation norm of all networks that interpolate.
    assert limit.final.n_neurons == 2
    masses = limit.final.norms * np.abs(limit.final.a)
    assert masses.sum() == pytest.approx(n_samples * lengths.sum(), rel=1e-7)
    for w, a in zip(limit.final.W, limit.final.a, strict=True):
        half = np.where(data.y * a > 0, np.abs(data.y), 0.0)
        np.testing.assert_allclose(w / np.linalg.norm(w), (half @ data.X) / np.linalg.norm(half), atol=1e-6)


def test_orthogonal_halves_attract_and_nothing_attracts_faster():
    data = rq.datasets.orthogonal(4, rng=0)
    found = [d for d in rq.extremal_directions(data) if d.kind in ("attractor", "semistable")]
    for sign, length in zip((1, -1), halves(data), strict=True):
        assert max(d.rate for d in found if d.sign == sign) == pytest.approx(length, rel=1e-12)


def test_orthogonal_flows_of_a_tiny_scale_pass_the_saddle_in_between():
    data = rq.datasets.orthogonal(4, rng=1)
    scale = 1e-30
    traj = rq.gradient_flow(network(data, 400, scale), data, progress=False)
    lengths = np.sort(halves(data))[::-1]
    losses = [0.5 * data.n_samples * np.sum(lengths[i:] ** 2) for i in range(3)]
    for before, after, length in zip(losses, losses[1:], lengths, strict=False):
        falls = traj.t[np.argmax(traj.loss < 0.5 * (before + after))]
        assert falls / np.log(1 / scale) == pytest.approx(1 / length, rel=0.03)
    assert traj.stationary_point.kind == "zero loss"


# -------------------------------------------------------------------------------------------------- separable data


@pytest.mark.parametrize("mu", [0.05, 0.5, 0.99])
def test_separable_inputs_are_as_correlated_as_they_say(mu):
    data = rq.datasets.separable(40, n_features=4, mu=mu, rng=0)
    signed = data.X * data.y[:, None]
    assert np.min(signed @ signed.T) >= mu - 1e-12
    np.testing.assert_allclose(np.linalg.norm(data.X, axis=1), 1.0, rtol=1e-12)
    assert data.y.sum() == 0


@pytest.mark.parametrize(("n_samples", "mu"), [(6, 0.3), (20, 0.1), (20, 0.8)])
def test_separable_neurons_see_one_class_or_none_by_the_time_that_is_proved(n_samples, mu):
    data = rq.datasets.separable(n_samples, n_features=5, mu=mu, rng=0)
    # The theorem is for the sum of losses with slope y at zero: the mean of n, with slope y/2, takes 2n times as long.
    by = 2 * n_samples * 4 * np.log(n_samples) / np.sqrt(mu)
    traj = rq.gradient_flow(network(data, 200, 1e-12), data, loss="logistic", t_max=by, progress=False)
    assert traj.loss[-1] < 1.001 * np.log(2), "the loss must not rise"
    for when, least, most in ((0.0, 0.0, 0.8), (by, 1.0, 1.0)):
        net = traj.at(when)
        seen = (net.W / net.norms[:, None]) @ data.X.T > 1e-9
        own = np.all(seen == (data.y * np.sign(net.a)[:, None] > 0), axis=1)
        assert least <= np.mean(own | ~np.any(seen, axis=1)) <= most


def test_separable_weights_end_with_a_stable_rank_of_at_most_two():
    data = rq.datasets.separable(12, n_features=6, mu=0.2, rng=3)
    traj = rq.gradient_flow(network(data, 200, 1e-8), data, loss="logistic", t_max=1e4, progress=False)
    values = np.linalg.svd(traj.final.W, compute_uv=False)
    assert np.sum(values**2) / values[0] ** 2 <= 2
    # What does not grow along the two classes stays as small as it started.
    assert values[2] < 1e-5 * values[1]
    # The loss falls at least as fast as 1/t; a network of two layers gains a logarithm.
    times = np.array([1e3, 2e3, 4e3, 8e3])
    losses = [np.mean(np.logaddexp(0, -data.y * traj.at(t)(data.X))) for t in times]
    assert -1.3 < np.polyfit(np.log(times), np.log(losses), 1)[0] < -1


# -------------------------------------------------------------------------------------------------- one teacher


@pytest.mark.parametrize("n_features", [2, 3, 5])
def test_a_teacher_neuron_is_found_and_is_all_that_is_found(n_features):
    data = rq.datasets.teacher_neuron(n_features + 2, n_features=n_features, rng=0)
    teacher = np.full(n_features, n_features**-0.5)
    cosines = data.X @ teacher / np.linalg.norm(data.X, axis=1)
    assert np.all(cosines > np.cos(np.pi / 4))
    np.testing.assert_allclose(data.y, data.X @ teacher)
    (target,) = [d for d in rq.extremal_directions(data) if d.kind == "attractor"]
    pull = data.y @ data.X / data.n_samples
    np.testing.assert_allclose(target.direction, pull / np.linalg.norm(pull), atol=1e-12)
    seconds = []
    for scale in (1e-4, 1e-8):
        traj = rq.gradient_flow(network(data, 100, scale), data, progress=False)
        assert traj.stationary_point.kind == "zero loss"
        values = np.linalg.svd(traj.final.W, compute_uv=False)
        seconds.append(values[1] / values[0])
        np.testing.assert_allclose(traj.final.a @ traj.final.W, teacher, atol=1e-5)
    # Rank one, up to what the start weighs.
    assert seconds[1] < 1e-6
    assert seconds[0] / seconds[1] == pytest.approx(1e4, rel=0.1)


def test_neurons_of_the_other_sign_see_nothing_of_the_teacher_in_the_end():
    data = rq.datasets.teacher_neuron(rng=1)
    traj = rq.gradient_flow(network(data, 100, 1e-8), data, progress=False)
    against = traj.final.W[traj.final.a < 0]
    assert np.all(against @ data.X.T <= 1e-12)
