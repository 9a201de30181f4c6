"""What a user asks of `gradient_flow`, and what comes back; the numbers are checked in the files beside this one."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

import reluquant as rq
from reluquant.kernels import flow_1d, rows_1d

ZIGZAG = rq.Dataset([-1.1, -0.4, 0.3, 1.0], [1.0, -0.6, 0.9, -0.2])


def flow(net=None, data=ZIGZAG, **options):
    net = rq.ShallowReLU.balanced(n_neurons=30, scale=1e-5, rng=0) if net is None else net
    return rq.gradient_flow(net, data, progress=False, **options)


def loss(net, data):
    return 0.5 * np.mean((net(data.X) - data.y) ** 2)


# ------------------------------------------------------------------------------------------ how a run ends


def test_without_a_goal_it_runs_until_stationary_and_says_so():
    traj = flow()
    assert (traj.end, traj.success) == ("stationary", True)
    assert "stationary at t" in traj.message
    # Stationary: more time changes nothing.
    later = flow(t_max=2 * traj.t[-1]).final
    np.testing.assert_allclose(later(ZIGZAG.X), traj.final(ZIGZAG.X), atol=1e-6)


def test_t_max_is_reached_exactly():
    traj = flow(t_max=12.5)
    assert (traj.end, traj.success, traj.t[-1]) == ("t_max", True, 12.5)


def test_stop_loss_is_located_not_overshot():
    traj = flow(stop_loss=0.1)
    assert traj.end == "stop_loss"
    assert traj.loss[-1] == pytest.approx(0.1, rel=1e-7)
    assert loss(traj.final, ZIGZAG) == pytest.approx(0.1, rel=1e-7)


@pytest.mark.parametrize("goal", [1e-2, 1e-4, 1e-8])
def test_stop_loss_is_reached_where_the_loss_falls_by_rounding_only(goal):
    # Symmetric data: the last bits of the loss at the goal fall on either side of it.
    data = rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.0, 1.0])
    traj = flow(rq.ShallowReLU.balanced(n_neurons=50, scale=1e-6, rng=0), data, stop_loss=goal, max_steps=2000)
    assert traj.end == "stop_loss"
    assert traj.loss[-1] == pytest.approx(goal, rel=1e-7)


def test_a_loss_met_at_the_start_takes_no_step():
    traj = flow(stop_loss=100.0)
    assert (traj.end, traj.n_steps, traj.t[-1]) == ("stop_loss", 0, 0.0)


def test_unreachable_loss_ends_stationary():
    assert flow(stop_loss=0.0).end == "stationary"


def test_max_steps_is_no_success_and_names_the_remedy():
    traj = flow(max_steps=7)
    assert (traj.end, traj.success, traj.n_steps) == ("max_steps", False, 7)
    assert "raise max_steps" in traj.message
    assert np.all(np.isfinite(traj.final.W))


def test_dead_and_zero_neurons_stay_where_they_are():
    net = rq.ShallowReLU([[0.0, -1.0], [0.0, 0.0], [0.1, -5.0]], [1.0, 2.0, -1.0])
    traj = flow(net)
    assert (traj.end, traj.n_steps) == ("stationary", 0)
    assert np.array_equal(traj.final.W, net.W)
    assert np.array_equal(traj.final.a, net.a)


def test_zero_labels_with_a_tiny_network_are_stationary_in_bounded_work():
    traj = flow(data=rq.Dataset([-1.0, 0.3, 1.0], [0.0, 0.0, 0.0]), max_steps=2000)
    assert traj.end in ("stationary", "max_steps")
    assert traj.loss[-1] <= traj.loss[0]


def test_large_starts_go_on_as_far_as_the_tolerance_can_tell():
    data = rq.Dataset([-1.0, -0.4, 0.3, 1.0], [1.0, -0.5, 0.8, -0.4])
    for scale in (10.0, 1e3):
        traj = flow(rq.ShallowReLU.balanced(n_neurons=100, scale=scale, rng=0), data)
        # f is a sum of terms of size n_neurons · scale², each right to rtol.
        assert traj.loss[-1] < (1e-9 * 100 * scale**2) ** 2
        assert traj.end == "stationary"


# ------------------------------------------------------------------------------------------ what comes back


def test_loss_is_that_of_the_network_at_every_step():
    traj = flow()
    for t, value in zip(traj.t[:: traj.n_steps // 10], traj.loss[:: traj.n_steps // 10], strict=True):
        assert loss(traj.at(t), ZIGZAG) == pytest.approx(value, rel=1e-9, abs=1e-16)


def test_switches_are_ordered_and_change_the_pattern_they_name():
    traj = flow()
    switches = traj.switches
    assert np.all(np.diff(switches["time"]) >= 0)
    assert set(switches["kind"]) <= {"on", "off", "slide", "release"}
    assert {"on", "off", "slide"} <= set(switches["kind"])
    x = ZIGZAG.X[:, 0]
    checked = 0
    for time, neuron, sample, kind in switches[:60]:
        near = np.abs(switches["time"][switches["neuron"] == neuron] - time)
        gap = np.min(near[near > 0], initial=time)
        before, after = (traj.at(time + d * gap).W[neuron] @ [x[sample], 1.0] for d in (-1e-3, 1e-3))
        size = np.abs(traj.at(time).W[neuron]).max()
        if kind == "on":
            assert before < 0 < after
        elif kind == "off":
            # A neuron absorbed by the dead sector stays on the boundary, within rounding.
            assert before > 0
            assert after < 1e-14 * size
        elif kind == "slide":
            assert abs(after) < 1e-12 * size < abs(before)
        checked += 1
    assert checked > 20


def test_slides_on_names_the_sample_under_the_kink():
    traj = flow()
    times = np.linspace(0.2, 1, 7) * traj.t[-1]
    states = traj.states(times)
    held = states.slides_on >= 0
    assert held.any()
    kinks = -states.W[..., 1][held] / states.W[..., 0][held]
    np.testing.assert_allclose(kinks, ZIGZAG.X[states.slides_on[held], 0], atol=1e-12)


def test_log_norm_is_right_where_weights_are_and_where_they_underflow():
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-300, rng=0)
    states = flow(net, t_max=30.0).states([0.0, 30.0])
    np.testing.assert_allclose(states.log_norm[0], np.log(net.norms), rtol=1e-12)
    np.testing.assert_allclose(states.log_norm[1], np.log(np.hypot(*np.moveaxis(states.W[1], -1, 0))), rtol=1e-10)
    assert np.ptp(states.log_norm[1] - states.log_norm[0]) > 1


def test_at_equals_a_run_that_stops_there():
    traj = flow()
    for share in (0.0, 0.013, 0.31, 0.77, 1.0):
        t = share * traj.t[-1]
        if t > 0:
            stopped = flow(t_max=t).final
            np.testing.assert_allclose(traj.at(t).W, stopped.W, rtol=1e-7, atol=1e-14)
    assert np.array_equal(traj.at(0.0).W, rq.ShallowReLU.balanced(n_neurons=30, scale=1e-5, rng=0).W)


@pytest.mark.parametrize("t", [-1.0, 1e9, np.nan, [1.0, 2.0]])
def test_at_outside_the_run_says_what_it_covers(t):
    with pytest.raises(ValueError, match=r"covers|finite|one time"):
        flow(t_max=3.0).at(t)


@pytest.mark.parametrize("start", [rq.ShallowReLU.balanced, rq.ShallowReLU.gaussian])
@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e-30, 1e-100, 1e-300])
def test_any_scale_ends_with_the_same_loss_in_time_growing_like_its_logarithm(start, scale):
    data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    traj = flow(start(n_neurons=60, scale=scale, rng=1), data)
    assert (traj.end, traj.loss[-1]) == ("stationary", pytest.approx(0.0, abs=1e-12))
    # The plateau ends at τ = n/√2 of log(1/scale) (two points, theory).
    assert traj.t[-1] < 2 * 2 / np.sqrt(2) * np.log(1 / scale) + 80
    assert traj.n_steps < 3 * np.log(1 / scale) + 300


def test_the_order_of_samples_does_not_matter_and_duplicates_count_by_their_mean():
    data = rq.Dataset([0.3, -1.1, 0.3, 1.0], [0.5, 1.0, 1.3, -0.2])
    again = rq.Dataset([1.0, 0.3, 0.3, -1.1], [-0.2, 0.9, 0.9, 1.0])
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-3, rng=2)
    first, second = flow(net, data), flow(net, again)
    np.testing.assert_allclose(first.final.W, second.final.W, rtol=1e-6, atol=1e-12)
    # What no function can fit: labels 0.5 and 1.3 at one input.
    assert first.loss[-1] - second.loss[-1] == pytest.approx(2 * 0.4**2 / 8, rel=1e-9)
    assert loss(first.final, data) == pytest.approx(first.loss[-1], rel=1e-12)


def test_inputs_an_ulp_apart_are_two_points():
    data = rq.Dataset([0.5, np.nextafter(0.5, 1), 2.0], [1.0, 1.0, -1.0])
    traj = flow(data=data, t_max=40.0)
    assert traj.success
    assert np.all(np.diff(traj.loss) <= 1e-15)


def _awkward(seed):
    """Data and networks on which events coincide, decide by zeros, or lie within rounding of each other."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    x = (
        rng.normal(size=n),
        rng.integers(-4, 5, n).astype(float),
        np.linspace(-1, 1, n),
        np.cumsum(10.0 ** rng.uniform(-6, 0, n)),
        rng.uniform(100, 101, n),
    )[seed % 5]
    y = (rng.normal(size=n), rng.integers(-2, 3, n).astype(float), np.abs(x) - np.abs(x).mean())[seed % 3]
    start = (rq.ShallowReLU.balanced, rq.ShallowReLU.gaussian)[seed % 2]
    net = start(n_neurons=int(rng.choice([1, 3, 20, 100])), scale=10.0 ** rng.choice([0, -2, -8, -100]), rng=seed)
    if seed % 4 == 0:
        W = net.W.copy()
        W[:, 1] = -W[:, 0] * rng.choice(x, len(W))
        net = rq.ShallowReLU(W, np.sign(net.a) * np.hypot(*W.T))
    return net, rq.Dataset(x, y), 10.0 ** rng.choice([-3, -6, -9, -12])


@pytest.mark.parametrize("seed", range(120))
def test_awkward_problems_never_fail_and_keep_their_invariants(seed):
    net, data, rtol = _awkward(seed)
    traj = flow(net, data, rtol=rtol, max_steps=500)
    assert traj.end in ("stationary", "max_steps")
    states = traj.states(np.linspace(0, 1, 7) * traj.t[-1])
    # Everything relative to the largest sum of absolute terms that the loss is computed from.
    terms = np.max(np.sum(np.hypot(*np.moveaxis(states.W, -1, 0)) * np.abs(states.a), axis=1))
    size = (terms * np.hypot(data.X, 1).max() + np.abs(data.y).max()) ** 2
    assert np.all(np.diff(traj.loss) <= max(rtol, 1e-13) * size)
    assert loss(traj.final, data) == pytest.approx(traj.loss[-1], abs=1e-13 * size)
    difference = np.sum(states.W**2, axis=2) - states.a**2
    largest = np.max(np.sum(states.W**2, axis=2) + states.a**2, axis=0)
    assert np.all(np.abs(difference - difference[0]) <= 1e-10 * largest)


# --------------------------------------------------------------------------------- interrupts and progress


def test_an_interrupt_returns_what_was_reached():
    reports = []

    def stop(report):
        reports.append(report)
        if len(reports) == 2:
            raise KeyboardInterrupt

    net = rq.ShallowReLU.balanced(n_neurons=30, scale=1e-5, rng=0)
    traj = rq.gradient_flow(net, ZIGZAG, progress=stop)
    whole = flow()
    assert (traj.end, traj.success) == ("interrupted", False)
    assert 0 < traj.t[-1] < whole.t[-1]
    assert (traj.t[-1], traj.loss[-1], traj.n_steps) == (reports[-1].t, reports[-1].loss, reports[-1].n_steps)
    np.testing.assert_allclose(traj.final.W, whole.at(traj.t[-1]).W, rtol=1e-9, atol=1e-15)


def test_ctrl_c_in_a_long_run_returns_what_was_reached(monkeypatch):
    # Close inputs make a stiff run, of hours without implicit steps; the interrupt arrives as the signal would, after
    # half a second.
    pace = flow_1d.FIRST_PACE.copy()
    pace[3:5] = np.inf
    monkeypatch.setattr(flow_1d, "FIRST_PACE", pace)
    rng = np.random.default_rng(0)
    x = np.sort(np.concatenate([np.linspace(-1, 1, 6), np.linspace(-1, 1, 6) + 1e-4]))
    data = rq.Dataset(x, rng.normal(size=12))
    net = rq.ShallowReLU.gaussian(n_neurons=4000, scale=0.5, rng=0)
    flow(net, data, max_steps=1)  # compiled before the clock starts
    # In a process that was started in the background the signal would be ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        traj = rq.gradient_flow(net, data, max_steps=10**9, rtol=1e-12, progress=False)
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)
    assert traj.end == "interrupted"
    assert traj.n_steps > 0
    assert loss(traj.final, data) == pytest.approx(traj.loss[-1], rel=1e-9)


def test_an_interrupt_is_heard_soon_in_a_large_problem():
    x = np.linspace(-1, 1, 400)
    data = rq.Dataset(x, np.sin(3 * x))
    moments = []
    net = rq.ShallowReLU.balanced(n_neurons=2000, scale=1e-6, rng=0)
    rq.gradient_flow(net, data, progress=moments.append, max_steps=12)
    assert max(b.n_steps - a.n_steps for a, b in zip(moments, moments[1:], strict=False)) <= 4


def test_progress_reports_rise_and_do_not_change_the_run():
    seen = []
    net = rq.ShallowReLU.balanced(n_neurons=30, scale=1e-5, rng=0)
    traj = rq.gradient_flow(net, ZIGZAG, progress=seen.append)
    assert len(seen) > 2
    assert all(a.t < b.t and a.n_steps < b.n_steps for a, b in zip(seen, seen[1:], strict=False))
    assert np.array_equal(traj.final.W, flow().final.W)


def test_a_short_run_shows_no_bar_and_a_long_one_does(capsys, monkeypatch):
    net = rq.ShallowReLU.balanced(n_neurons=30, scale=1e-5, rng=0)
    rq.gradient_flow(net, ZIGZAG)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("reluquant.dynamics.progress.SHOW_AFTER_SECONDS", 0.0)
    monkeypatch.setattr("tqdm.auto.tqdm", __import__("tqdm").tqdm)
    rq.gradient_flow(net, ZIGZAG)
    assert "gradient flow" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"t_max": 0.0}, ValueError, "t_max must be a finite number above 0, but it is 0.0"),
        ({"t_max": -1}, ValueError, "t_max"),
        ({"t_max": np.inf}, ValueError, "t_max"),
        ({"t_max": "long"}, TypeError, "t_max"),
        ({"t_max": np.complex128(1)}, TypeError, "t_max"),
        ({"t_max": True}, TypeError, "t_max"),
        ({"rtol": 10**400}, ValueError, "rtol"),
        ({"net": rq.ShallowReLU(np.zeros((0, 2)), np.zeros(0))}, ValueError, "at least one neuron"),
        ({"net": rq.ShallowReLU([[1e90, 0.0]], [1e90])}, ValueError, "exceeds the float64 range; scale W and a down"),
        ({"loss": np.array(["squared", "squared"])}, ValueError, "loss must be"),
        ({"net": rq.ShallowReLU([[1.0, 0.0]], [[1.0]])}, ValueError, r"a of shape \(1, 1\)"),
        ({"stop_loss": -1e-3}, ValueError, "stop_loss"),
        ({"stop_loss": np.nan}, ValueError, "stop_loss"),
        ({"rtol": 0.0}, ValueError, "rtol must be a finite number of at least 1e-13 and at most 0.01, but it is 0.0"),
        ({"rtol": 1.0}, ValueError, "rtol"),
        ({"max_steps": 0}, ValueError, "max_steps"),
        ({"max_steps": 1.5}, TypeError, "max_steps must be an integer of at least 1, but it is 1.5"),
        ({"loss": "hinge"}, ValueError, "loss must be one of 'squared', 'logistic'"),
        ({"progress": "bar"}, TypeError, "progress must be True, False or a function"),
        ({"net": [[1.0, 0.0]]}, TypeError, "net must be a ShallowReLU"),
        ({"data": ([0.0], [1.0])}, TypeError, "wrap it"),
        ({"data": rq.Dataset([1e300, 0.0], [1.0, 2.0])}, ValueError, "X must stay within ±1e\\+100"),
        ({"data": rq.Dataset([1.0, 0.0], [1e200, 2.0])}, ValueError, "y must stay within"),
        ({"data": rq.Dataset([[1.0, 0.0]], [1.0])}, ValueError, "must have the features"),
        ({"data": rq.Dataset([1.0, 0.0], [1.0, 0.0], bias=False)}, ValueError, "bias"),
        ({"data": rq.Dataset([1.0, 0.0], [[1.0, 0.0], [0.0, 1.0]])}, ValueError, "must have the features, the outputs"),
        ({"net": rq.ShallowReLU.balanced(n_features=2, rng=0)}, ValueError, "network must have the features"),
    ],
)
def test_bad_input_is_one_clear_sentence(options, error, words):
    options = {"net": rq.ShallowReLU.balanced(n_neurons=3, rng=0), "data": ZIGZAG, "progress": False} | options
    net, data = options.pop("net"), options.pop("data")
    with pytest.raises(error, match=words) as caught:
        rq.gradient_flow(net, data, **options)
    assert "\n" not in str(caught.value)


def test_data_that_no_weight_can_feel_are_refused():
    net, data = rq.ShallowReLU([[1.0]], [1.0], bias=False), rq.Dataset([[0.0]], [1.0], bias=False)
    with pytest.raises(ValueError, match="no weight has an effect on these data; use bias=True"):
        rq.gradient_flow(net, data)



def test_one_signature_a_kernel_whatever_the_layout_of_the_arrays():
    data = rq.Dataset(np.asfortranarray([[0.0], [1.0], [2.0]]), [1, 0, 1])
    for scale in (1e-3, 1e-9):
        traj = flow(rq.ShallowReLU.gaussian(n_neurons=5, scale=scale, rng=0), data, t_max=5)
        traj.at(2.0)
    for entry in (flow_1d.advance, rows_1d.rows_of):
        assert len(entry.signatures) == 1, entry.signatures
