"""The general flow against closed forms, tiny steps of descent, the planar engine, and what theory conserves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expi

import reluquant as rq
from reluquant.dynamics.general_flow import boundaries, general_flow, sides
from reluquant.kernels import flow_general, neuron_alone, neuron_blocks, series_general
from reluquant.structures.general_recording import GeneralRecording
from reluquant.structures.losses import CROSS_ENTROPY, LOGISTIC, SQUARED, huber
from reluquant.structures.switches import SwitchLog
from tests.flow_problems import PROBLEMS, by_neuron


def _flow(net, data, *, t_max=math.inf, loss=SQUARED, rtol=1e-9, offset=None, stop_loss=None):
    return general_flow(
        net, data, loss=loss, offset=offset, log_scale=0.0, t_max=t_max, stop_loss=stop_loss, rtol=rtol, slowest=rtol,
        outputs=net(data.X), save_at=np.empty(0), max_steps=5000, progress=False,
    )  # fmt: skip


def _end(run, recording):
    states = recording.states(run.t[-1:])
    return states.W[0], states.a[0]


def _residual(loss, f, y):
    if loss.name == "logistic":
        return y / (1 + np.exp(y * f))
    if loss.name == "cross-entropy":
        return y - np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
    return np.clip(y - f, -loss.parameter, loss.parameter) if loss.name == "huber" else y - f


def _descent(W, a, inputs, y, t_max, step, loss=SQUARED, offset=None):
    """Explicit Euler: as slow and obvious as it gets."""
    W, a, b = W.copy(), a.reshape(len(a), -1).copy(), 0.0 if offset is None else offset
    y = y.reshape(len(y), -1)
    for _ in range(round(t_max / step)):
        margins = inputs @ W.T
        r = _residual(loss, np.maximum(margins, 0) @ a + b, y) / len(y)
        on = margins > 0
        W, a = W + step * ((on * (r @ a.T)).T @ inputs), a + step * (np.maximum(margins, 0).T @ r)
        b = b + step * r.sum(axis=0) if offset is not None else b
    return W, a


def _draw(seed, *, outputs=1, bias=True, loss=SQUARED, scale=0.3):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(6, 2)), rng.normal(size=(6, outputs))
    if loss is LOGISTIC:
        y = np.sign(y)
    if loss is CROSS_ENTROPY:
        y = np.eye(outputs)[rng.integers(0, outputs, 6)]
    W, a = scale * rng.normal(size=(7, 2 + bias)), scale * rng.normal(size=(7, outputs))
    if outputs == 1:
        y, a = y[:, 0], a[:, 0]
    return rq.ShallowReLU(W, a, bias=bias), rq.Dataset(X, y, bias=bias)


@pytest.mark.parametrize("problem", PROBLEMS[::6], ids=lambda p: f"seed {p.seed}")
def test_with_one_input_it_is_the_planar_engine(problem):
    W, a, x, y = problem.draw()
    net, data = rq.ShallowReLU(W, a), rq.Dataset(x, y)
    planar = rq.gradient_flow(net, data, t_max=problem.t_end, rtol=1e-11, progress=False)
    run, recording = _flow(net, data, t_max=problem.t_end)
    W, a = _end(run, recording)
    # These problems amplify by at most 100, and rtol is 1e-9.
    size = np.linalg.norm(planar.final.W)
    assert np.linalg.norm(W - planar.final.W) <= 1e-7 * size
    assert np.linalg.norm(a - planar.final.a) <= 1e-7 * size
    ours = SwitchLog(run.events, recording.first, net.n_neurons).table()
    rows = by_neuron([tuple(row) for row in ours.tolist()], net.n_neurons)
    others = by_neuron([tuple(row) for row in planar.switches.tolist()], net.n_neurons)
    assert [[s[:2] for s in row] for row in rows] == [[s[:2] for s in row] for row in others]


def _unbalanced(seed, a_scale):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(2, 6)), int(rng.integers(1, 5))
    x, y = np.round(rng.normal(size=n), 2), np.round(rng.normal(size=n), 2)
    return rq.ShallowReLU(0.1 * rng.normal(size=(m, 2)), a_scale * rng.normal(size=m)), rq.Dataset(x, y)


@pytest.mark.parametrize(
    ("seed", "what"), [(4, "rests"), (63, "rests"), (127, "rests"), (1, "turns"), (9, "turns"), (15, "turns")]
)
def test_an_unbalanced_slider_ends_as_in_the_planar_engine(seed, what):
    # Either its w vanishes while it slides, and it stays there, or its a does, and it leaves to the inactive side.
    net, data = _unbalanced(seed, 0.7 if what == "rests" else 0.02)
    planar = rq.gradient_flow(net, data, t_max=8.0, rtol=1e-11, progress=False)
    rests, turns = ~planar.final.W.any(axis=1), planar.final.a * net.a < 0
    slid = np.isin(np.arange(net.n_neurons), planar.switches["neuron"][planar.switches["kind"] == "slide"])
    assert np.any((rests if what == "rests" else turns) & slid)
    run, recording = _flow(net, data, t_max=8.0)
    W, a = _end(run, recording)
    np.testing.assert_array_equal(~W.any(axis=1), rests)
    np.testing.assert_allclose(W, planar.final.W, atol=1e-7)
    np.testing.assert_allclose(a, planar.final.a, atol=1e-7)


def test_switches_that_a_far_too_long_step_seems_to_have_do_not_shorten_it():
    # Nearly at rest at first: the step that is tried is all of the time, and what it finds says nothing.
    net, data = rq.ShallowReLU([[-0.0324, 0.0184]], [-0.898]), rq.Dataset([0.24, 0.86], [-0.13, -1.11])
    planar = rq.gradient_flow(net, data, t_max=8.0, rtol=1e-11, progress=False)
    run, recording = _flow(net, data, t_max=8.0)
    W, a = _end(run, recording)
    assert run.t.size < 100
    np.testing.assert_allclose(W, planar.final.W, atol=1e-7)
    np.testing.assert_allclose(a, planar.final.a, atol=1e-7)


def test_a_heavy_network_on_inputs_far_from_zero_comes_to_rest_in_few_steps():
    # A neuron's error of one part in 1e8 would be one of 5e-3 in the residual.
    rng = np.random.default_rng(0)
    data = rq.Dataset(rng.uniform(20, 21, (9, 3)), rng.normal(size=(9, 3)))
    net = rq.ShallowReLU(10 * rng.normal(size=(10, 4)), rng.normal(size=(10, 3)))
    run, _ = _flow(net, data, rtol=1e-6)
    assert run.end == "stationary"
    assert run.t.size < 300


def test_rounding_that_stiffness_magnifies_does_not_shorten_steps():
    # Inputs far from zero and close to each other: some residuals relax far faster than others.
    rng = np.random.default_rng(0)
    data = rq.Dataset(rng.uniform(20, 21, (4, 4)), rng.normal(size=4))
    run, _ = _flow(rq.ShallowReLU(rng.normal(size=(3, 5)), rng.normal(size=3)), data, t_max=1e3)
    assert run.end == "t_max"
    assert run.t.size < 500


@pytest.mark.parametrize("seed", [13, 18])
def test_a_heavy_neuron_rests_in_a_field_that_does_not(seed):
    # With several outputs residuals need not cancel where it stops: they are across its output weights.
    rng = np.random.default_rng(seed)
    data = rq.Dataset(rng.normal(size=(2, 4)), rng.normal(size=(2, 3)))
    run, recording = _flow(rq.ShallowReLU(rng.normal(size=(1, 5)), rng.normal(size=(1, 3))), data, t_max=1e3, rtol=1e-4)
    W, a = _end(run, recording)
    residual = data.y - np.maximum(data.inputs @ W.T, 0) @ a
    assert run.end == "stationary"
    assert np.linalg.norm(residual) > 0.1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("loss", "outputs", "offset"),
    [
        (SQUARED, 1, None),
        (SQUARED, 2, None),
        (LOGISTIC, 1, None),
        (CROSS_ENTROPY, 3, None),
        (huber(0.5), 1, None),
        (SQUARED, 2, np.zeros(2)),
    ],
    ids=["squared", "two outputs", "logistic", "cross-entropy", "huber", "output bias"],
)
def test_descent_with_tiny_steps_comes_to_the_same(loss, outputs, offset, seed):
    net, data = _draw(seed, outputs=outputs, loss=loss)
    run, recording = _flow(net, data, t_max=6.0, loss=loss, offset=offset, rtol=1e-8)
    W, a = _end(run, recording)
    errors = []
    for step in (4e-3, 5e-4):
        W_descent, a_descent = _descent(net.W, net.a, data.inputs, data.y, 6.0, step, loss, offset)
        errors.append(max(np.abs(W_descent - W).max(), np.abs(a_descent.reshape(a.shape) - a).max()))
    # Euler errs in proportion to its step; on a sample where neurons slide it chatters by about one step.
    assert errors[1] < 2e-3
    assert errors[1] < 0.5 * errors[0]


def _on_boundaries(seed, outputs):
    """Neurons without output weights, exactly on the boundaries of one or two unit inputs, or of none."""
    rng = np.random.default_rng(seed)
    X, y = np.concatenate([np.eye(3), rng.normal(size=(4, 3))]), rng.normal(size=(7, outputs))
    W = 0.5 * rng.normal(size=(7, 3))
    W[[0, 1, 2, 3, 4, 5], [0, 1, 2, 0, 1, 2]] = 0.0
    W[[3, 4, 5], [1, 2, 0]] = 0.0
    a = np.zeros((7, outputs))
    return (W, a[:, 0], X, y[:, 0]) if outputs == 1 else (W, a, X, y)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_neuron_on_a_boundary_without_output_weights_goes_where_these_will_push_it(seed, outputs):
    W, a, X, y = _on_boundaries(seed, outputs)
    run, recording = _flow(rq.ShallowReLU(W, a, bias=False), rq.Dataset(X, y, bias=False), t_max=2.0)
    found, _ = _end(run, recording)
    errors = [np.abs(_descent(W, a, X, y, 2.0, step)[0] - found).max() for step in (2e-3, 2e-4)]
    assert errors[1] < 1e-3
    assert errors[1] < 0.3 * errors[0]
    # Whoever is pushed off its boundary leaves at once, and no other switch undoes it.
    switches = np.concatenate(run.events)
    left = switches[switches[:, 0] < 1e-6]
    assert np.all(left[:, 0] == 0.0)
    assert len(np.unique(left[:, 1:3], axis=0)) == len(left) > 0
    # Nor does it matter whether its output weights are there from the start.
    rate = np.maximum(X @ W.T, 0).T @ y / len(y)
    other, _ = _end(*_flow(rq.ShallowReLU(W, 1e-9 * rate, bias=False), rq.Dataset(X, y, bias=False), t_max=2.0))
    assert np.abs(other - found).max() < 1e-8


def test_one_sample_follows_its_closed_form():
    # theory.md §5, with n = 1: m = f(x), m' = 2 |x| m (y - m).
    net = rq.ShallowReLU([[1e-3, 0.0]], [1e-3], bias=False)
    data = rq.Dataset([[2.0, 0.0]], [3.0], bias=False)
    for t in (0.5, 1.0, 1.5):
        run, recording = _flow(net, data, t_max=t)
        W, a = _end(run, recording)
        m = 3 / (1 + (3 / 2e-6 - 1) * math.exp(-12 * t))
        assert 2 * W[0, 0] * a[0] == pytest.approx(m, rel=1e-9)


@pytest.mark.parametrize("m", [0.5, 1.0, 3.0])
def test_one_logistic_sample_follows_its_closed_form(m):
    # theory.md §5: t = (ln(m/m₀) + Ei(m) - Ei(m₀)) / 4, m₀ = 2e-6.
    net = rq.ShallowReLU([[1e-3, 0.0]], [1e-3], bias=False)
    data = rq.Dataset([[2.0, 0.0]], [1.0], bias=False)
    t = (math.log(m / 2e-6) + expi(m) - expi(2e-6)) / 4
    run, recording = _flow(net, data, t_max=t, loss=LOGISTIC)
    W, a = _end(run, recording)
    assert 2 * W[0, 0] * a[0] == pytest.approx(m, rel=1e-8)


@pytest.mark.parametrize("seed", range(6))
def test_the_loss_never_rises_and_the_gap_of_squares_stays(seed):
    net, data = _draw(seed, outputs=1 + seed % 2, scale=10.0 ** -(seed % 4))
    run, recording = _flow(net, data, t_max=200.0, rtol=1e-6)
    W, a = _end(run, recording)
    assert np.all(np.diff(run.loss) <= 1e-6 * run.loss[0])
    before = np.sum(net.W**2, axis=1) - np.sum(net.a.reshape(7, -1) ** 2, axis=1)
    size = np.sum(W**2, axis=1) + np.sum(a.reshape(7, -1) ** 2, axis=1)
    after = np.sum(W**2, axis=1) - np.sum(a.reshape(7, -1) ** 2, axis=1)
    assert np.all(np.abs(after - before) <= 1e-10 * np.maximum(size, np.abs(before)))


def test_four_xor_samples_end_as_theory_says():
    # theory.md §5: without a bias, f = ½ (|x₁ + x₂| - |x₁ - x₂|) at zero loss.
    data = rq.Dataset([[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, -1, -1], bias=False)
    net = rq.ShallowReLU.balanced(n_features=2, n_neurons=40, scale=1e-8, rng=0, bias=False)
    run, recording = _flow(net, data)
    W, a = _end(run, recording)
    x = np.random.default_rng(0).normal(size=(20, 2))
    f = np.maximum(x @ W.T, 0) @ a
    assert run.end == "stationary"
    # Neurons that point elsewhere than the attractors weigh about the scale.
    assert np.allclose(f, 0.5 * (np.abs(x.sum(axis=1)) - np.abs(x[:, 0] - x[:, 1])), atol=1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1e-100, 1e-300])
def test_time_grows_like_the_logarithm_of_the_scale(scale):
    # Orthogonal inputs: the first plateau ends at τ = n/2 · 1/2 of ln(1/scale); theory.md §5, times n = 2.
    data = rq.Dataset([[1.0, 0.0], [0.0, 1.0]], [1.0, -2.0], bias=False)
    net = rq.ShallowReLU.balanced(n_features=2, n_neurons=20, scale=scale, rng=0, bias=False)
    run, _ = _flow(net, data, rtol=1e-6, stop_loss=0.5)
    # The prefactor is worth some units of time.
    assert run.t[-1] == pytest.approx(math.log(1 / scale), abs=6.0)
    assert run.end == "stop_loss"


def test_parallel_inputs_share_a_boundary_and_zero_inputs_have_none():
    inputs = np.array([[1.0, 2.0], [0.0, 0.0], [-2.0, -4.0], [3.0, 1.0], [0.5, 1.0]])
    problem, first = boundaries(inputs, np.zeros((5, 1)))
    assert problem.plane.tolist() == [0, -1, 0, 1, 0]
    assert np.sign(problem.stretch).tolist() == [1, 0, -1, 1, 1]
    assert problem.two_sided.tolist() == [True, False]
    assert first.tolist() == [0, 3]


def test_a_neuron_on_a_boundary_is_seen_there_exactly():
    inputs = np.array([[0.1, 1.0]])
    # 0.1 · 3 - 0.3 is not zero for the float64 numbers as given.
    W = np.array([[3.0, -0.1 * 3.0], [10.0, -1.0], [1.0, -0.1]])
    assert sides(W, inputs, np.array([0]))[:, 0].tolist() == [-1, 1, 0]


def test_antipodal_and_repeated_samples_flow_like_descent():
    X = np.array([[1.0, 0.5], [-1.0, -0.5], [1.0, 0.5], [0.2, -1.0], [0.0, 0.0]])
    data = rq.Dataset(X, [1.0, 0.5, 0.8, -1.0, 3.0], bias=False)
    rng = np.random.default_rng(3)
    net = rq.ShallowReLU(0.3 * rng.normal(size=(6, 2)), 0.3 * rng.normal(size=6), bias=False)
    run, recording = _flow(net, data, t_max=10.0)
    W, a = _end(run, recording)
    W_descent, a_descent = _descent(net.W, net.a, X, data.y, 10.0, 1e-3)
    assert np.allclose(W, W_descent, atol=2e-3)
    assert np.allclose(a, a_descent[:, 0], atol=2e-3)


def test_a_recording_replays_and_survives_a_file():
    net, data = _draw(5, outputs=2)
    _, recording = _flow(net, data, t_max=20.0)
    shorter = _flow(net, data, t_max=7.0)
    again = GeneralRecording.from_arrays(recording.arrays(), data)
    there, copied = recording.states(np.array([7.0])), again.states(np.array([7.0]))
    assert np.allclose(there.W[0], _end(*shorter)[0], atol=1e-7)
    assert np.array_equal(there.W, copied.W)
    assert np.array_equal(recording.states(np.zeros(1)).W[0], net.W)


@pytest.mark.slow
def test_fifty_inputs_flow_like_descent():
    # 300 boundaries in 51 dimensions, crossed some 20,000 times until the loss has begun to fall.
    X = np.random.default_rng(1).normal(size=(300, 50))
    y = rq.ShallowReLU.balanced(n_features=50, n_neurons=3, scale=1.0, rng=2)(X)
    data, net = rq.Dataset(X, y), rq.ShallowReLU.balanced(n_features=50, n_neurons=200, scale=1e-3, rng=3)
    reports = []
    traj = rq.gradient_flow(net, data, t_max=4.0, rtol=1e-4, progress=reports.append)
    assert len(traj.switches) > 20_000
    assert traj.loss[-1] < 0.9 * traj.loss[0]
    assert reports[0].loss < traj.loss[0]
    errors = []
    for step in (4e-3, 1e-3):
        W, _ = _descent(net.W, net.a, data.inputs, data.y, 4.0, step)
        errors.append(np.linalg.norm(W - traj.final.W) / np.linalg.norm(traj.final.W))
    assert errors[1] < 0.02
    assert errors[1] < 0.5 * errors[0]


def test_what_presses_a_held_neuron_does_not_shorten_the_pieces_of_its_motion():
    generator = np.array([[[1e3], [0.5]], [[-1e3], [0.1]]])
    pressed, moved = np.empty_like(generator), np.empty_like(generator)
    assert series_general.localise(generator, 0.5, np.eye(2), np.int64(1), pressed, moved) == 0.5
    # Half of Γ(½ + x/2).
    np.testing.assert_allclose(pressed[:, :, 0], [[250.0, 0.275], [-250.0, 0.025]])
    np.testing.assert_allclose(moved[:, :, 0], [[0.0, 0.275], [0.0, 0.025]])


def test_few_passes_of_the_neurons_find_a_step(monkeypatch):
    # A step that turns out too long, and neurons too light to matter while it is sought, cost passes: there were 8.5.
    passes, carry = [0], flow_general._carry

    def count(*arguments):
        passes[0] += 1
        return carry(*arguments)

    monkeypatch.setattr(flow_general, "_carry", count)
    X = np.random.default_rng(1).standard_normal((30, 3))
    teacher = rq.ShallowReLU.balanced(n_features=3, n_neurons=3, scale=1.0, rng=2)
    net = rq.ShallowReLU.balanced(n_features=3, n_neurons=300, scale=1e-4, rng=3)
    run, _ = _flow(net, rq.Dataset(X, teacher(X)), t_max=60.0, rtol=1e-2)
    assert run.t.size <= 32
    assert passes[0] <= 6 * run.t.size


def test_each_kernel_compiles_once():
    for outputs in (1, 2):
        net, data = _draw(1, outputs=outputs)
        run, recording = _flow(net, data, t_max=3.0)
        recording.states(run.t[-1:])
    for kernel in (neuron_alone.carry_alone, neuron_blocks.carry_blocks):
        assert len(kernel.signatures) == 1
    # None at all, if its caller came from the cache.
    assert len(neuron_alone.travel.signatures) <= 1
