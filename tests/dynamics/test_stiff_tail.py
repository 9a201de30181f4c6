"""The end of a flow is stiff or slow: implicit steps must get there, and get to the same place."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import reluquant as rq
from reluquant.kernels import flow_1d

# Of two neighbours in a pair 0.01 and 0.005 apart only the mean label is learnt fast.
CLOSE_PAIRS = rq.Dataset([-0.9, -0.89, -0.3, 0.1, 0.5, 0.505, 0.95], [2.0, -2.6, 0.4, -0.6, -0.5, -0.2, -2.0])
SEVEN_RANDOM = rq.datasets.random(rng=1)
# Implicit steps take a few hundred; Taylor steps, which no longer than the fastest relaxation, more than 10^4.
FEW_STEPS = 1000


def flow(net, data, **options):
    return rq.gradient_flow(net, data, progress=False, **options)


def tiny(n_neurons, scale=1e-8, seed=0):
    return rq.ShallowReLU.balanced(n_neurons=n_neurons, scale=scale, rng=seed)


def without_implicit_steps():
    """A pace with which only Taylor steps are taken: its patience never ends."""
    pace = flow_1d.FIRST_PACE.copy()
    pace[3:5] = np.inf
    return pace


PROBLEMS = {"random": (SEVEN_RANDOM, 1000, 1e-6), "close pairs": (CLOSE_PAIRS, 60, 1e-8)}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_stiff_tail_comes_to_rest_in_few_steps(problem):
    data, n_neurons, scale = PROBLEMS[problem]
    traj = flow(tiny(n_neurons, scale), data)
    assert traj.end == "stationary"
    assert traj.n_steps < FEW_STEPS
    assert traj.t[-1] > 1000
    # A stationary network: nothing moves in as much time again.
    later = flow(traj.final, data, t_max=traj.t[-1]).final
    np.testing.assert_allclose(later(data.X), traj.final(data.X), atol=1e-6)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_smaller_tolerance_ends_at_the_same_place(problem):
    data, n_neurons, scale = PROBLEMS[problem]
    traj, finer = flow(tiny(n_neurons, scale), data), flow(tiny(n_neurons, scale), data, rtol=1e-12)
    assert finer.end == "stationary"
    assert traj.loss[-1] == pytest.approx(finer.loss[-1], rel=1e-9)
    # On the whole line, which is steep outside. Speeds below rtol count as rest, and the slowest relaxation is 1e-4.
    x = np.linspace(-1.5, 1.5, 61)
    np.testing.assert_allclose(traj.final(x), finer.final(x), atol=1e-5 * np.max(np.abs(finer.final(x))))
    # On the way, well before rest, both are as good as their tolerance.
    for share in (0.02, 0.1, 0.3):
        t = share * traj.t[-1]
        np.testing.assert_allclose(traj.at(t)(x), finer.at(t)(x), atol=1e-6)


def test_without_implicit_steps_these_problems_are_stiff(monkeypatch):
    monkeypatch.setattr(flow_1d, "FIRST_PACE", without_implicit_steps())
    traj = flow(tiny(60), CLOSE_PAIRS, max_steps=10 * FEW_STEPS)
    assert traj.end == "max_steps"


WIDE = rq.Dataset([-3.0, -2.95, -1.0, 0.2, 1.1, 1.15, 3.0], CLOSE_PAIRS.y)


@pytest.mark.parametrize(("data", "seed"), [(CLOSE_PAIRS, 11), (WIDE, 26)])
def test_implicit_steps_see_the_switches_that_explicit_ones_see(monkeypatch, data, seed):
    # A heavy network: neurons still cross samples when it is stiff already.
    net = rq.ShallowReLU.gaussian(n_neurons=40, scale=0.3, rng=seed)
    options = {"t_max": 3000.0, "rtol": 1e-10}
    implicit = flow(net, data, **options)
    monkeypatch.setattr(flow_1d, "FIRST_PACE", without_implicit_steps())
    explicit = flow(net, data, **options)
    assert 10 * implicit.n_steps < explicit.n_steps

    # Some of the switches lie inside steps that are much longer than Taylor steps there.
    times = implicit.switches["time"]
    length, short = (np.diff(traj.t)[np.searchsorted(traj.t, times) - 1] for traj in (implicit, explicit))
    assert np.count_nonzero(length > 4 * short) >= 4

    first, second = (np.sort(traj.switches, order=("neuron", "time")) for traj in (implicit, explicit))
    assert len(first) > 50
    for name in ("neuron", "sample", "kind"):
        np.testing.assert_array_equal(first[name], second[name])
    # Measured: 6e-10, and 1e-12 for the weights, which are of order one.
    np.testing.assert_allclose(first["time"], second["time"], rtol=1e-7)
    np.testing.assert_allclose(implicit.final.W, explicit.final.W, atol=1e-9)
    np.testing.assert_allclose(implicit.final.a, explicit.final.a, atol=1e-9)


def test_the_tail_is_the_solution_that_a_stiff_solver_finds():
    """After the last switch the equations are smooth: SciPy's Radau on all weights, each slider on its ray."""
    data, net = CLOSE_PAIRS, tiny(8, 1e-2, seed=1)
    x, y, n = data.X[:, 0], data.y, data.n_samples
    traj = flow(net, data, t_max=5000.0)
    begin = 1.01 * traj.switches["time"][-1]
    # Most of the run has no switch.
    assert begin < 0.2 * traj.t[-1]
    start = traj.states([begin])
    W, a, held = start.W[0], start.a[0], start.slides_on[0]
    on = W[:, :1] * x + W[:, 1:] > 0
    on[held >= 0, held[held >= 0]] = False
    normal = np.column_stack([x[held], np.ones(len(held))]) / np.hypot(x[held], 1)[:, None]
    normal[held < 0] = 0.0

    def velocity(_, flat):
        z = flat.reshape(-1, 3)
        w, a = z[:, :2], z[:, 2]
        r = (y - a @ (on * (w[:, :1] * x + w[:, 1:]))) / n
        g = (on * r) @ np.column_stack([x, np.ones(n)])
        rate = a[:, None] * g
        rate -= np.sum(rate * normal, axis=1)[:, None] * normal
        return np.column_stack([rate, np.sum(w * g, axis=1)]).ravel()

    times = np.array([0.25, 0.5, 1.0]) * traj.t[-1]
    expected = solve_ivp(
        velocity, (begin, times[-1]), np.column_stack([W, a]).ravel(), "Radau", times, rtol=1e-10, atol=1e-12
    )
    assert expected.success
    states = traj.states(times)
    for i in range(len(times)):
        z = expected.y[:, i].reshape(-1, 3)
        # Weights are of order one; 1e-9 a step, and the start itself is the flow's.
        np.testing.assert_allclose(np.column_stack([states.W[i], states.a[i]]), z, atol=1e-7)
    # It still moves.
    assert np.abs(states.W[2] - states.W[0]).max() > 1e-4


# ----------------------------------------------------------------------------------------------- algebraic tails


@pytest.mark.parametrize("rtol", [1e-6, 1e-9, 1e-12])
def test_a_label_of_zero_is_approached_like_one_over_t(rtol):
    # One aligned balanced neuron, one sample, y = 0: ṁ = -2 |x̃| m², m(t) = m₀/(1 + 2 |x̃| m₀ t). Derived.
    length, size = np.hypot(0.75, 1.0), 1.5
    m0 = length * size**2
    traj = flow(rq.ShallowReLU([size * np.array([0.75, 1.0]) / length], [size]), rq.Dataset([0.75], [0.0]), rtol=rtol)
    assert traj.end == "stationary"
    # Rest: |θ̇|/|θ| = |x̃| m below rtol times the natural rate of the start, m₀ |x̃|: m = rtol m₀, to a factor of order 1.
    assert 0.3 < 2 * length * m0 * traj.t[-1] * rtol < 3
    times = traj.t[-1] * np.array([1e-6, 1e-4, 1e-2, 0.1, 0.5, 1.0])
    found = np.array([traj.at(t)(0.75) for t in times])
    # Errors of some hundred steps.
    np.testing.assert_allclose(found, m0 / (1 + 2 * length * m0 * times), rtol=max(10 * rtol, 1e-10))
    # Explicit steps grow with t as well; here nothing is stiff.
    assert traj.n_steps < 40 * np.log10(1 / rtol)


def test_the_tent_decays_algebraically_and_still_comes_to_rest():
    traj, finer = (flow(tiny(50, 1e-6), rq.datasets.tent(), rtol=rtol) for rtol in (1e-9, 1e-12))
    assert traj.end == finer.end == "stationary"
    assert traj.n_steps < FEW_STEPS
    assert finer.n_steps < 2 * FEW_STEPS
    assert traj.stationary_point.kind == finer.stationary_point.kind == "zero loss"
    times = np.linspace(0.05, 0.9, 18) * traj.t[-1]
    np.testing.assert_allclose(
        [traj.at(t)(traj.data.X) for t in times], [finer.at(t)(traj.data.X) for t in times], atol=1e-6
    )
