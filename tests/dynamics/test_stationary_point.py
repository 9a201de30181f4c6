"""What `traj.stationary_point` says about the end of a flow, against the formula and against what neurons then do."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq

CLOSE_PAIRS = rq.Dataset([-0.9, -0.89, -0.3, 0.1, 0.5, 0.505, 0.95], [2.0, -2.6, 0.4, -0.6, -0.5, -0.2, -2.0])
# Each with the number of neurons and the scale at which it gets stuck.
STUCK = {
    "absolute": (rq.datasets.absolute(), 50, 1e-8),
    "three-points": (rq.datasets.three_points(), 50, 1e-8),
    "random": (rq.datasets.random(rng=1), 60, 1e-6),
    "close-pairs": (CLOSE_PAIRS, 60, 1e-8),
}


def flow(net, data, **options):
    return rq.gradient_flow(net, data, progress=False, **options)


def stuck(name):
    data, n_neurons, scale = STUCK[name]
    return flow(rq.ShallowReLU.balanced(n_neurons=n_neurons, scale=scale, rng=0), data)


def residual(net, data):
    return np.array([(y - net(x)) / data.n_samples for x, y in zip(data.X[:, 0], data.y, strict=True)])


def growth(r, data, direction):
    """Σ r_k relu(u · x̃_k), written out: the growth rate of a tiny neuron of positive sign along u."""
    u1, u2 = direction
    return sum(r_k * max(u1 * x + u2, 0.0) for r_k, x in zip(r, data.X[:, 0], strict=True))


def with_tiny(net, direction, sign, size):
    """The network and one more balanced neuron."""
    return rq.ShallowReLU(np.vstack([net.W, size * direction]), np.append(net.a, sign * size))


# ----------------------------------------------------------------------------------------------- the three kinds


def test_a_fit_has_zero_loss_and_lacks_nothing():
    traj = flow(rq.ShallowReLU.balanced(n_neurons=50, scale=1e-6, rng=0), rq.datasets.two_points())
    point = traj.stationary_point
    assert (point.kind, point.complete) == ("zero loss", True)
    assert (point.missing.shape, point.signs.shape, point.rates.shape) == ((0, 2), (0,), (0,))
    assert traj.message.endswith("The network fits the data.")


def test_labels_that_contradict_each_other_are_fitted_by_their_mean():
    data = rq.Dataset([0.0, 0.0, 1.0], [1.0, 2.0, 0.5])
    traj = flow(rq.ShallowReLU.balanced(n_neurons=50, scale=1e-4, rng=0), data)
    assert traj.stationary_point.kind == "zero loss"
    # Half the variance of the labels 1 and 2, in the mean over three samples.
    assert traj.loss[-1] == pytest.approx(2 * 0.25 / 6, rel=1e-9)
    assert traj.message.endswith("No function of the inputs fits better.")


def test_absolute_value_lacks_both_hinges_at_zero():
    traj = stuck("absolute")
    np.testing.assert_allclose(traj.final(np.linspace(-1, 1, 9)), 0.6, atol=1e-8)
    point = traj.stationary_point
    assert point.kind == "spurious"
    # r = (0.4, -0.1, -0.6, -0.1, 0.4)/5: relu(x) gains (0.4 - 0.5 · 0.1)/5 = 0.07, and relu(-x) the same.
    order = np.argsort(point.missing[:, 0])
    np.testing.assert_allclose(point.missing[order], [[-1, 0], [1, 0]], atol=1e-6)
    np.testing.assert_allclose(point.rates, 0.07, rtol=1e-7)
    assert point.signs.tolist() == [1, 1]
    assert "stuck at a spurious stationary point" in traj.message
    assert "output weight > 0 would grow, at rate 0.07" in traj.message
    assert traj.message.endswith("take more neurons or a larger scale.")


def test_three_points_lack_a_hinge_at_the_middle_one():
    traj = stuck("three-points")
    x, y = np.array([-0.75, -0.5, 0.125]), np.array([1.1, 0.1, 0.8])
    r = (y - (-4 / 65 * x + 251 / 390)) / 3
    # The residual of a least-squares line sees a hinge at x = -0.5 through the right point alone, u = (1, 0.5)/|…|.
    rate = r[2] * (0.125 + 0.5) / np.hypot(1, 0.5)
    np.testing.assert_allclose(traj.stationary_point.rates, rate, rtol=1e-6)
    np.testing.assert_allclose(np.abs(traj.stationary_point.missing @ [-0.5, 1.0]), 0.0, atol=1e-6)


DEAD = {
    "inactive on all samples": ([[0.0, -1.0], [0.1, -5.0]], [1.0, -1.0]),
    "zero input weights": ([[0.0, 0.0], [0.0, 0.0]], [1.0, -2.0]),
    "zero": ([[0.0, 0.0]], [0.0]),
}


@pytest.mark.parametrize("case", DEAD)
def test_a_network_that_no_sample_activates_is_dead(case):
    traj = flow(rq.ShallowReLU(*DEAD[case]), rq.datasets.two_points())
    point = traj.stationary_point
    assert (traj.end, point.kind) == ("stationary", "dead")
    # r = (-1, 1)/2: each point alone attracts the direction x̃/|x̃|, with rate |x̃|/2.
    order = np.argsort(point.missing[:, 0])
    np.testing.assert_allclose(point.missing[order], [[-(0.5**0.5), 0.5**0.5], [0.5**0.5, 0.5**0.5]], atol=1e-12)
    assert point.signs[order].tolist() == [-1, 1]
    np.testing.assert_allclose(point.rates, 0.5**0.5, rtol=1e-12)
    assert "The network is dead" in traj.message
    assert traj.message.endswith("take more neurons or another start.")


def test_a_network_that_has_died_on_the_way_is_dead():
    # The sample wants a positive output; every neuron has a negative one and is pushed off it for good.
    start = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-3, rng=0)
    traj = flow(rq.ShallowReLU(start.W, -np.abs(start.a)), rq.Dataset([1.0], [2.0]))
    assert traj.end == "stationary"
    assert np.all(traj.final.W @ [1.0, 1.0] <= 0.0)
    assert traj.stationary_point.kind == "dead"


def test_a_dead_network_that_fits_is_no_failure():
    for data in (rq.Dataset([1.0, 2.0], [0.0, 0.0]), rq.Dataset([1.0, 1.0], [1.0, -1.0])):
        assert flow(rq.ShallowReLU([[0.0, -1.0]], [1.0]), data).stationary_point.kind == "zero loss"


@pytest.mark.parametrize("options", [{"t_max": 3.0}, {"stop_loss": 0.2}, {"max_steps": 3}])
def test_only_a_stationary_run_has_a_stationary_point(options):
    traj = flow(rq.ShallowReLU.balanced(n_neurons=20, scale=1e-4, rng=0), rq.datasets.absolute(), **options)
    assert traj.end != "stationary"
    assert traj.stationary_point is None


@pytest.mark.parametrize(
    ("problem", "rtol"),
    [
        ("absolute", 1e-12),
        ("absolute", 1e-6),
        ("absolute", 1e-4),
        ("absolute", 1e-3),
        ("absolute", 1e-2),
        ("dead", 1e-12),
        ("dead", 1e-3),
        ("dead", 1e-2),
    ],
)
def test_the_kind_does_not_depend_on_the_tolerance(problem, rtol):
    if problem == "dead":
        traj = flow(rq.ShallowReLU([[0.0, -1.0]], [1.0]), rq.datasets.two_points(), rtol=rtol)
    else:
        traj = flow(rq.ShallowReLU.balanced(n_neurons=50, scale=1e-8, rng=0), rq.datasets.absolute(), rtol=rtol)
    assert traj.end == "stationary"
    # The losses are 0.5 and 0.07, those of the starts 0.5 and 0.25: nobody would call that a fit.
    assert traj.loss[-1] > 0.06
    assert traj.stationary_point.kind == {"dead": "dead", "absolute": "spurious"}[problem]


def test_a_poor_fit_of_far_inputs_is_not_called_a_fit():
    # Far from 0 the directions of the samples are close together, and what is missing grows slowly for its weight.
    data = rq.Dataset([100.1, 100.4, 100.8], [1.0, -1.0, 0.5])
    traj = flow(rq.ShallowReLU.balanced(n_neurons=20, scale=1e-2, rng=4), data)
    # It rests at 0.352; the best constant has the loss 13/36 = 0.361.
    fits = traj.loss[-1] < 1e-6
    assert (traj.stationary_point.kind == "zero loss") == fits
    assert ("fits the data" in traj.message) == fits


# -------------------------------------------------------------------------------------- what is missing, in truth


@pytest.mark.parametrize("name", STUCK)
def test_rates_are_those_of_the_formula(name):
    traj = stuck(name)
    point, r = traj.stationary_point, residual(traj.final, traj.data)
    assert (traj.end, point.kind) == ("stationary", "spurious")
    assert len(point.missing) == len(point.signs) == len(point.rates) > 0
    np.testing.assert_allclose(np.hypot(*point.missing.T), 1.0, rtol=1e-12)
    expected = [s * growth(r, traj.data, u) for u, s in zip(point.missing, point.signs, strict=True)]
    # Sums of a few terms of size r: rounding is 1e-15 of them.
    np.testing.assert_allclose(point.rates, expected, rtol=1e-9)
    assert np.all(np.diff(point.rates) <= 0)
    assert point.rates[-1] > 0


@pytest.mark.parametrize("name", STUCK)
def test_every_direction_that_gains_locally_most_is_there(name):
    # On a circle of directions, fine against all gaps of the data: 2.5e-5 of a radian.
    traj = stuck(name)
    point, r = traj.stationary_point, residual(traj.final, traj.data)
    angles = np.linspace(-np.pi, np.pi, 250_000, endpoint=False)
    u = np.column_stack([np.cos(angles), np.sin(angles)])
    gain = np.maximum(u @ traj.data.inputs.T, 0.0) @ r
    for sign in (1, -1):
        here = sign * gain
        top = (here > np.roll(here, 1)) & (here > np.roll(here, -1)) & (here > 1e-5 * np.max(np.abs(r)))
        found = point.missing[point.signs == sign]
        for direction, rate in zip(u[top], here[top], strict=True):
            near = np.hypot(*(found - direction).T)
            assert np.min(near) < 1e-4, (name, sign, direction, rate)
    # Nothing grows faster than what is said to grow fastest; the grid misses a sharp maximum by its spacing.
    assert np.max(np.abs(gain)) == pytest.approx(point.rates[0], rel=1e-4)


@pytest.mark.parametrize("name", STUCK)
def test_a_missing_neuron_grows_at_its_rate_and_lowers_the_loss(name):
    traj = stuck(name)
    point = traj.stationary_point
    for direction, sign, rate in zip(point.missing[:4], point.signs[:4], point.rates[:4], strict=True):
        grown = flow(with_tiny(traj.final, direction, sign, 1e-6), traj.data, t_max=2 / rate)
        # Tiny throughout: e² · 1e-6. The residual moves by its square, and by what the stuck run had left.
        norms = grown.states([0.0, 2 / rate]).log_norm[:, -1]
        assert norms[1] - norms[0] == pytest.approx(2.0, abs=1e-3)
        # Of the other sign it shrinks at first (and may turn away, or be found unable to grow).
        other = flow(with_tiny(traj.final, direction, -sign, 1e-6), traj.data, t_max=0.01 / rate)
        norms = other.states([0.0, other.t[-1]]).log_norm[:, -1]
        assert norms[1] <= norms[0]
        # From much smaller, which is no reason to call the plateau the end.
        end = flow(with_tiny(traj.final, direction, sign, 1e-100), traj.data)
        assert end.end == "stationary"
        assert end.t[-1] > 80 * np.log(10) / rate
        assert end.loss[-1] < traj.loss[-1] - 1e-6


def test_what_is_said_is_read_only():
    point = stuck("absolute").stationary_point
    for array in (point.missing, point.signs, point.rates):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_heavy_network_fits_as_far_as_its_tolerance_can_tell():
    data = rq.datasets.zigzag()
    heavy = rq.ShallowReLU.balanced(n_neurons=1000, scale=300.0, rng=0)
    coarse = rq.gradient_flow(heavy, data, progress=False)
    assert coarse.loss[-1] > 1e-6
    assert coarse.stationary_point.kind == "zero loss"
    assert "as far as rtol can tell" in coarse.message
    fine = rq.gradient_flow(heavy, data, progress=False, rtol=1e-12)
    assert fine.loss[-1] < 1e-3 * coarse.loss[-1]
    assert fine.message.endswith("The network fits the data.")
