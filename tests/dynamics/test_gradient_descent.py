"""What a user asks of `gradient_descent` and what comes back; for its steps see `tests/kernels/test_descent.py`."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import reluquant as rq
from reluquant.dynamics import gradient_descent as module
from reluquant.kernels import descent
from reluquant.structures.losses import custom, huber
from reluquant.structures.switches import SWITCH_DTYPE

ZIGZAG = rq.Dataset([-1.1, -0.4, 0.3, 1.0], [1.0, -0.6, 0.9, -0.2])


def descend(net=None, data=ZIGZAG, **options):
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-2, rng=0) if net is None else net
    options = {"lr": 0.01, "n_steps": 1000, "progress": False} | options
    return rq.gradient_descent(net, data, **options)


def loss(net, data):
    return 0.5 * np.sum((net(data.X) - data.y) ** 2) / data.n_samples


def weights(net):
    return np.column_stack([net.W, net.a])


# ------------------------------------------------------------------------------------------ what it computes


def numpy_descent(net, data, lr, n_steps, momentum=0.0):
    """Full-batch descent in numpy, written with matrices."""
    W, a, X = net.W, net.a.reshape(net.n_neurons, -1), data.inputs
    y = data.y.reshape(data.n_samples, -1)
    W_velocity, a_velocity = np.zeros_like(W), np.zeros_like(a)
    for _ in range(n_steps):
        hidden = X @ W.T
        residual = (y - np.maximum(hidden, 0) @ a) / data.n_samples
        W_velocity = momentum * W_velocity + ((residual @ a.T) * (hidden > 0)).T @ X
        a_velocity = momentum * a_velocity + np.maximum(hidden, 0).T @ residual
        W, a = W + lr * W_velocity, a + lr * a_velocity
    return W, a.reshape(net.a.shape)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(("n_features", "n_outputs", "bias"), [(1, None, True), (3, None, False), (2, 2, True)])
def test_it_is_descent_for_any_features_outputs_and_bias(n_features, n_outputs, bias, momentum):
    rng = np.random.default_rng(1)
    labels = rng.normal(size=(9, n_outputs) if n_outputs else 9)
    data = rq.Dataset(rng.normal(size=(9, n_features)), labels, bias=bias)
    W = 0.5 * rng.normal(size=(15, n_features + bias))
    net = rq.ShallowReLU(W, 0.5 * rng.normal(size=(15, *data.y.shape[1:])), bias=bias)
    traj = descend(net, data, lr=0.05, n_steps=40, momentum=momentum)
    expected_W, expected_a = numpy_descent(net, data, 0.05, 40, momentum)
    states = traj.states([traj.t[-1]])
    # Forty steps of rounding.
    np.testing.assert_allclose(states.W[0], expected_W, rtol=0, atol=1e-12)
    np.testing.assert_allclose(states.a[0], expected_a, rtol=0, atol=1e-12)
    assert states.a[0].shape == net.a.shape


def test_it_follows_the_flow_with_an_error_in_proportion_to_lr():
    # Neurons of this run cross data points, slide and are released (see the flow's switches).
    t_max = 30.0
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-2, rng=0)
    flow = rq.gradient_flow(net, ZIGZAG, t_max=t_max, progress=False)
    assert {"on", "slide", "release"} <= set(flow.switches["kind"])
    exact = weights(flow.final)
    rates, errors = 0.02 / 2.0 ** np.arange(6), []
    for lr in rates:
        traj = descend(net, lr=lr, n_steps=round(t_max / lr))
        assert traj.t[-1] == pytest.approx(t_max)
        errors.append(np.linalg.norm(weights(traj.final) - exact) / np.linalg.norm(exact))
    assert errors[-1] < 1e-4
    slope = np.polyfit(np.log(rates), np.log(errors), 1)[0]
    # Where neurons slide, descent is off by a random share of a step: single errors scatter by a quarter, and the
    # slope over five halvings by a tenth.
    assert slope == pytest.approx(1.0, abs=0.15)


def test_momentum_moves_faster_by_its_share():
    net = rq.ShallowReLU.gaussian(n_neurons=10, scale=0.3, rng=2)
    slow = descend(net, lr=1e-4, n_steps=20_000)
    fast = descend(net, lr=1e-4, n_steps=2_000, momentum=0.9)
    # After the start of the velocity, which takes 1/(1 - 0.9) steps.
    np.testing.assert_allclose(weights(fast.final), weights(slow.final), atol=2e-3)


def test_batches_average_to_the_full_gradient():
    net = rq.ShallowReLU.gaussian(n_neurons=10, scale=0.3, rng=2)
    full = descend(net, lr=1e-4, n_steps=20_000)
    batches = descend(net, lr=1e-4, n_steps=20_000, batch_size=1, rng=0)
    # Each pass sees every sample once, so only the change within a pass of four steps is missed.
    np.testing.assert_allclose(weights(batches.final), weights(full.final), atol=2e-3)
    assert not np.array_equal(batches.final.W, full.final.W)


def test_every_named_loss_and_ones_own_are_followed():
    x, signs = np.array([-1.0, -0.3, 0.5, 1.2]), np.array([1.0, -1.0, -1.0, 1.0])
    classes = (signs[:, None] == [-1.0, 1.0]).astype(float)
    net = rq.ShallowReLU.gaussian(n_neurons=30, scale=0.3, rng=1)
    two = rq.ShallowReLU(net.W, np.column_stack([-net.a, net.a]))
    logistic = descend(net, rq.Dataset(x, signs), lr=0.1, n_steps=3000, loss="logistic")
    f = logistic.final(x)
    assert np.all(f * signs > 0)
    assert logistic.loss[-1] == pytest.approx(np.mean(np.log1p(np.exp(-signs * f))), rel=1e-9)
    cross = descend(two, rq.Dataset(x, classes), lr=0.1, n_steps=3000, loss="cross-entropy")
    odds = cross.final(x)
    expected = np.mean(np.log(np.sum(np.exp(odds), axis=1)) - np.sum(odds * classes, axis=1))
    assert cross.loss[-1] == pytest.approx(expected, rel=1e-9)
    assert np.array_equal(np.argmax(odds, axis=1), np.argmax(classes, axis=1))
    small = descend(net, rq.Dataset(x, 3 * signs), loss=huber(0.5), n_steps=200)
    gap = np.abs(small.final(x) - 3 * signs)
    assert small.loss[-1] == pytest.approx(np.mean(np.where(gap < 0.5, gap**2 / 2, 0.5 * (gap - 0.25))), rel=1e-9)
    own = descend(net, rq.Dataset(x, signs), loss=custom(lambda f, y: 0.5 * (f - y) ** 2, lambda f, y: f - y))
    np.testing.assert_allclose(weights(own.final), weights(descend(net, rq.Dataset(x, signs)).final), rtol=1e-12)
    assert len(descent.descend.signatures) == 1


def test_a_loss_comes_back_from_a_file_and_ones_own_says_that_it_cannot(tmp_path):
    run = descend(loss=huber(0.25), n_steps=500)
    run.save(tmp_path / "run")
    again = rq.Trajectory.load(tmp_path / "run")
    assert again.recording.rule.loss == huber(0.25)
    assert np.array_equal(weights(again.at(3.21)), weights(run.at(3.21)))
    own = descend(loss=custom(lambda f, y: 0.5 * (f - y) ** 2, lambda f, y: f - y))
    with pytest.raises(ValueError, match="loss of your own cannot be saved"):
        own.save(tmp_path / "own")


# ------------------------------------------------------------------------------------------ what comes back


def test_all_steps_done_is_success_and_says_so():
    traj = descend(n_steps=5000)
    assert (traj.end, traj.success, traj.t[-1]) == ("t_max", True, 0.01 * 5000)
    assert "all 5000 steps" in traj.message
    assert traj.switches.size == 0
    assert traj.switches.dtype == SWITCH_DTYPE
    assert np.isnan(traj.rtol)
    assert traj.method == "gradient descent, steps of 0.01"
    assert descend(n_steps=2, batch_size=2, momentum=0.5, rng=0).method.endswith("batches of 2, momentum 0.5")


@pytest.mark.parametrize("n_steps", [1, 3, 4095, 4096, 200_000])
def test_losses_are_kept_at_the_start_the_end_and_at_most_4096_times(n_steps):
    traj = descend(n_steps=n_steps)
    assert traj.t.size <= 4096
    assert (traj.t[0], traj.t[-1]) == (0.0, 0.01 * n_steps)
    assert np.all(np.diff(traj.t) > 0)
    if n_steps < 4096:
        assert traj.t.size == n_steps + 1
    else:
        # The first steps one by one, and no gap longer than two thousandths of the run.
        assert traj.t[:20] == pytest.approx(0.01 * np.arange(20))
        assert np.max(np.diff(traj.t)) <= 2e-3 * traj.t[-1]
    for i in (0, traj.t.size // 3, -1):
        assert loss(traj.at(traj.t[i]), ZIGZAG) == pytest.approx(traj.loss[i], rel=1e-12)


def test_with_batches_the_loss_over_all_samples_is_kept_about_once_a_pass():
    data = rq.datasets.smooth(100, rng=0)
    for n_steps, most in ((5000, 500), (300, 64)):
        traj = descend(data=data, n_steps=n_steps, batch_size=10, rng=0)
        assert most / 2 < traj.t.size <= most
        for i in (0, traj.t.size // 3, -1):
            assert loss(traj.at(traj.t[i]), data) == pytest.approx(traj.loss[i], rel=1e-12)


@pytest.mark.parametrize("options", [{}, {"batch_size": 3, "momentum": 0.8, "rng": 5}])
def test_at_is_the_run_after_the_last_step_before(options):
    lr = 0.003
    traj = descend(lr=lr, n_steps=3000, **options)
    for step in (0, 1, 7, 1499, 2998, 2999, 3000):
        expected = weights(descend(lr=lr, n_steps=max(step, 1), **options).final) if step else weights(traj.at(0.0))
        assert np.array_equal(weights(traj.at(lr * step)), expected)
        if step < 3000:
            assert np.array_equal(weights(traj.at(lr * (step + 0.999))), expected)
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-2, rng=0)
    assert np.array_equal(weights(traj.at(0.0)), weights(net))


def test_every_recorded_time_belongs_to_its_own_step():
    # lr · step / lr may be rounded below step.
    for lr in (0.1, 0.07, 1e-3 / 3):
        traj = descend(lr=lr, n_steps=4000)
        assert [traj.recording._step_at(t) for t in traj.t] == list(range(4001))
        just_before = np.nextafter(traj.t[1:], 0)
        assert [traj.recording._step_at(t) for t in just_before] == list(range(4000))


def test_states_come_in_the_order_of_the_times():
    traj = descend(n_steps=2000, batch_size=2, rng=1, momentum=0.5)
    times = [17.0, 0.0, 20.0, 3.3, 3.3, 19.99]
    states = traj.states(times)
    for i, t in enumerate(times):
        assert np.array_equal(states.W[i], traj.at(t).W)
        assert np.array_equal(states.a[i], traj.at(t).a)
    np.testing.assert_allclose(states.log_norm, np.log(np.linalg.norm(states.W, axis=2)), rtol=1e-12)
    assert np.all(states.slides_on == -1)


def test_restart_points_stay_within_their_bytes(monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 10 * 20 * 3 * 8)
    # Many returns to Python between two restart points.
    monkeypatch.setattr(module, "CHUNK_WORK", 4 * 60 * 30)
    few = descend(n_steps=5000)
    assert few.recording.snapshots.step.size <= 11
    monkeypatch.undo()
    assert np.array_equal(weights(few.at(33.33)), weights(descend(n_steps=5000).at(33.33)))


def test_the_same_rng_gives_the_same_bits_and_another_does_not():
    runs = [descend(batch_size=2, rng=rng) for rng in (3, np.random.default_rng(3), 4, None)]
    assert np.array_equal(runs[0].final.W, runs[1].final.W)
    assert not np.array_equal(runs[0].final.W, runs[2].final.W)
    assert not np.array_equal(runs[0].final.W, runs[3].final.W)


def test_a_batch_of_all_samples_is_no_batch_and_draws_nothing():
    rng = np.random.default_rng(0)
    whole = descend(batch_size=4, rng=rng)
    assert np.array_equal(whole.final.W, descend().final.W)
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("options", [{}, {"batch_size": 3, "momentum": 0.8, "rng": 5}])
def test_a_saved_and_a_pickled_run_are_the_run(options, tmp_path):
    traj = descend(n_steps=3000, **options)
    _ = traj.final
    traj.save(tmp_path / "run")
    for again in (rq.Trajectory.load(tmp_path / "run"), pickle.loads(pickle.dumps(traj))):
        assert np.array_equal(again.t, traj.t)
        assert np.array_equal(again.loss, traj.loss)
        assert (again.end, again.message, again.method) == (traj.end, traj.message, traj.method)
        assert np.array_equal(weights(again.at(12.345)), weights(traj.at(12.345)))
        assert not again.t.flags.writeable
        assert not again.data.X.flags.writeable
        assert not any(array.flags.writeable for array in again.recording.snapshots)
        assert "final" not in vars(again)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("batch_size", 9, "batches"),
        ("loss", "hinge", "loss"),
        ("snapshot_weights", np.zeros((2, 3)), "neurons do not fit"),
        ("snapshot_velocity", np.zeros((1, 3, 20)), "velocities do not fit"),
        ("snapshot_step", np.arange(101)[::-1], "no order"),
        ("lr", -1.0, "no order"),
    ],
)
def test_a_broken_file_is_refused(name, value, words):
    traj = descend(n_steps=100)
    arrays = traj.recording.arrays()
    with pytest.raises(ValueError, match=words):
        type(traj.recording).from_arrays({**arrays, name: np.asarray(value)}, ZIGZAG)
    del arrays[name]
    with pytest.raises(KeyError, match=name):
        type(traj.recording).from_arrays(arrays, ZIGZAG)


# ------------------------------------------------------------------------------------------ how a run ends badly


@pytest.mark.parametrize("options", [{}, {"batch_size": 2, "rng": 0, "momentum": 0.5}])
def test_too_long_steps_fail_with_the_last_network_that_had_a_loss(options):
    traj = descend(rq.ShallowReLU.gaussian(n_neurons=20, scale=1.0, rng=0), lr=20.0, n_steps=100_000, **options)
    assert (traj.end, traj.success) == ("failed", False)
    assert "choose a smaller lr" in traj.message
    assert np.all(np.isfinite(traj.loss))
    assert traj.t[-1] < 20.0 * 100
    with np.errstate(over="ignore"):
        assert loss(traj.final, ZIGZAG) == pytest.approx(traj.loss[-1], rel=1e-12)
    reached = round(traj.t[-1] / 20)
    assert f"step {reached + 1};" in traj.message
    # The very next step is the one that cannot be taken.
    net = rq.ShallowReLU.gaussian(n_neurons=20, scale=1.0, rng=0)
    again = [descend(net, lr=20.0, n_steps=n_steps, **options) for n_steps in (reached, reached + 1)]
    assert [run.end for run in again] == ["t_max", "failed"]
    assert [run.t[-1] for run in again] == [traj.t[-1]] * 2


def test_an_interrupt_returns_what_was_reached(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_WORK", 4 * 60 * 700)
    reports = []

    def stop(report):
        reports.append(report)
        if len(reports) == 4:
            raise KeyboardInterrupt

    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-2, rng=0)
    traj = rq.gradient_descent(net, ZIGZAG, lr=0.01, n_steps=10**7, progress=stop)
    assert (traj.end, traj.success) == ("interrupted", False)
    assert [report.n_steps for report in reports] == [700, 1400, 2100, 2800]
    assert traj.t[-1] == reports[-1].t == 0.01 * 2800
    assert "step 2800" in traj.message
    expected = descend(net, n_steps=2800)
    assert np.array_equal(traj.final.W, expected.final.W)
    assert traj.loss[-1] == expected.loss[-1]
    assert np.array_equal(traj.at(11.11).W, expected.at(11.11).W)


def test_an_interrupt_before_the_first_step_returns_the_start():
    def stop(report):
        raise KeyboardInterrupt

    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-2, rng=0)
    # The first report comes after the first chunk.
    traj = rq.gradient_descent(net, ZIGZAG, lr=0.01, n_steps=1, progress=stop)
    assert (traj.end, traj.t.tolist()) == ("interrupted", [0.0, 0.01])


def test_progress_does_not_change_the_run():
    seen = []
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-2, rng=0)
    traj = rq.gradient_descent(net, ZIGZAG, lr=0.01, n_steps=1000, progress=seen.append)
    assert all(a.t < b.t and a.n_steps < b.n_steps for a, b in zip(seen, seen[1:], strict=False))
    assert (seen[-1].t, seen[-1].loss, seen[-1].n_steps) == (traj.t[-1], traj.loss[-1], 1000)
    assert np.array_equal(traj.final.W, descend().final.W)


# ------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"lr": 0.0}, ValueError, "lr must be a finite number above 0, but it is 0.0"),
        ({"lr": -0.1}, ValueError, "lr"),
        ({"lr": np.nan}, ValueError, "lr"),
        ({"lr": "fast"}, TypeError, "lr"),
        ({"lr": 1e300, "n_steps": 10**12}, ValueError, "lr times n_steps"),
        ({"n_steps": 0}, ValueError, "n_steps must be an integer from 1"),
        ({"n_steps": 1e3}, TypeError, "n_steps"),
        ({"batch_size": 5}, ValueError, "batch_size must be an integer from 1 to 4, but it is 5"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"momentum": 1.0}, ValueError, "momentum must be at least 0 and below 1, but it is 1.0"),
        ({"momentum": -0.1}, ValueError, "momentum"),
        ({"momentum": np.nan}, ValueError, "momentum"),
        ({"rng": "seed"}, TypeError, "rng"),
        ({"loss": "hinge"}, ValueError, "loss must be"),
        ({"loss": 3}, TypeError, "loss must be a name or a Loss, but it is a int"),
        ({"loss": "logistic"}, ValueError, "labels -1 and 1, but one is -0.6"),
        ({"loss": "cross-entropy"}, ValueError, "give each class a column"),
        ({"progress": "bar"}, TypeError, "progress must be True, False or a function"),
        ({"net": [[1.0, 0.0]]}, TypeError, "net must be a ShallowReLU"),
        ({"data": ([0.0], [1.0])}, TypeError, "wrap it"),
        ({"net": rq.ShallowReLU(np.zeros((0, 2)), np.zeros(0))}, ValueError, "at least one neuron"),
        ({"net": rq.ShallowReLU.balanced(n_features=2, rng=0)}, ValueError, "must have the features"),
        ({"net": rq.ShallowReLU([[1.0]], [1.0], bias=False)}, ValueError, "bias"),
        ({"net": rq.ShallowReLU([[1.0, 0.0]], [[1.0]])}, ValueError, r"a of shape \(1, 1\)"),
        ({"data": rq.Dataset([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]])}, ValueError, r"y of shape \(2, 2\)"),
        ({"data": rq.Dataset([1e60, 0.0], [1.0, 2.0])}, ValueError, "X must stay within"),
        ({"data": rq.Dataset([1e49, 0.0], [1.0, 2.0]), "net": rq.ShallowReLU([[1e40, 0.0]], [1e40])}, ValueError,
         "loss of the starting network"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_sentence_before_any_work(options, error, words, monkeypatch):
    options = {"net": rq.ShallowReLU.balanced(n_neurons=3, rng=0), "data": ZIGZAG, "lr": 0.1, "n_steps": 10} | options
    net, data = options.pop("net"), options.pop("data")
    with pytest.raises(error, match=words) as caught:
        rq.gradient_descent(net, data, **options)
    assert "\n" not in str(caught.value)


def test_one_signature_a_kernel_whatever_the_layout_of_the_arrays():
    data = rq.Dataset(np.asfortranarray([[0.0, 1.0], [1.0, 2.0], [2.0, 0.0]]), [1, 0, 1])
    net = rq.ShallowReLU(np.asfortranarray(np.random.default_rng(0).normal(size=(5, 3))), np.ones(5))
    descend(net, data, n_steps=300, batch_size=2, rng=0).at(0.5)
    descend().at(2.0)
    assert len(descent.descend.signatures) == 1
