"""Theorems over long times, saved times, starts beyond float64, and what is refused.

Permuted, mirrored, duplicated and rescaled problems over short times are in test_gradient_flow_golden.py.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluquant as rq
from reluquant.kernels import flow_1d
from tests.oracles import flow_oracle
from tests.strategies import datasets, gaussian_networks, generic_reals, networks, seeds

ZIGZAG = rq.Dataset([-1.1, -0.4, 0.3, 1.0], [1.0, -0.6, 0.9, -0.2])


def flow(net, data, **options):
    return rq.gradient_flow(net, data, progress=False, **options)


def tiny(n_neurons=30, scale=1e-5, seed=0):
    return rq.ShallowReLU.balanced(n_neurons=n_neurons, scale=scale, rng=seed)


def rows(net):
    return np.column_stack([net.W, net.a])


# --------------------------------------------------------------------------------------------- over long times

# A pair of close inputs gives a tail that is still stiff and slow at 1e5.
LONG = 1e5


@st.composite
def stiff_datasets(draw):
    """Random data with one input doubled at a small distance."""
    data, gap = draw(datasets(2, 6)), 10.0 ** draw(generic_reals(-3, -1))
    label = draw(generic_reals(-1, 1))
    return rq.Dataset(np.append(data.X[:, 0], data.X[0, 0] + gap), np.append(data.y, label))


@settings(max_examples=40)
@given(net=networks(), data=stiff_datasets())
def test_the_difference_of_squares_is_kept_and_the_loss_never_rises(net, data):
    traj = flow(net, data, t_max=LONG, max_steps=3000)
    times = np.unique(np.concatenate([traj.t[:: 1 + traj.n_steps // 40], [traj.t[-1]]]))
    states = traj.states(times)
    difference = np.sum(states.W**2, axis=-1) - states.a**2
    # Of each neuron's largest size on the way: one that has grown by 1e8 has forgotten how it differed before.
    size = np.max(np.sum(states.W**2, axis=-1) + states.a**2, axis=0)
    assert np.all(np.abs(difference - difference[0]) <= 1e-10 * size)
    # A step of the residual is right to the tolerance of its terms, which may be large and cancel.
    mass = np.max(np.sum(states.W**2, axis=(1, 2)) + np.sum(states.a**2, axis=1))
    terms = np.abs(data.y).max() + mass * np.hypot(data.X, 1).max()
    assert np.all(np.diff(traj.loss) <= 1e-14 * terms**2 + 1e-9 * terms * np.sqrt(traj.loss[:-1]))
    assert np.all(np.diff(traj.t) > 0)


@settings(max_examples=25)
@given(net=networks(max_neurons=6), data=stiff_datasets())
def test_what_a_network_converged_to_stays(net, data):
    traj = flow(net, data, max_steps=3000)
    if traj.end != "stationary":
        return
    later = flow(traj.final, data, t_max=1 + traj.t[-1])
    assert later.loss[-1] == pytest.approx(traj.loss[-1], rel=1e-4, abs=1e-12 * traj.loss[0])


@settings(max_examples=30)
@given(net=gaussian_networks(max_neurons=6, smallest=1e-4), data=datasets(max_samples=5))
def test_an_unbalanced_network_and_its_mirror_image(net, data):
    mirror = np.array([-1.0, 1.0])
    found = flow(rq.ShallowReLU(net.W * mirror, net.a), rq.Dataset(-data.X, data.y), t_max=8.0)
    expected = flow(net, data, t_max=8.0)
    np.testing.assert_allclose(
        rows(found.final) * [-1, 1, 1], rows(expected.final), atol=1e-6 * np.abs(rows(expected.final)).max()
    )


@settings(max_examples=30)
@given(net=networks(max_neurons=8), data=datasets(max_samples=5), copies=st.integers(2, 4), seed=seeds)
def test_a_data_set_repeated_as_a_whole_is_the_same_problem(net, data, copies, seed):
    # The loss is a mean.
    order = np.random.default_rng(seed).permutation(copies * data.n_samples)
    many = rq.Dataset(np.tile(data.X[:, 0], copies)[order], np.tile(data.y, copies)[order])
    found, expected = flow(net, many, t_max=8.0), flow(net, data, t_max=8.0)
    assert found.loss[-1] == pytest.approx(expected.loss[-1], rel=1e-6, abs=1e-15)
    np.testing.assert_allclose(rows(found.final), rows(expected.final), atol=1e-6 * np.abs(rows(expected.final)).max())


def test_neurons_of_different_sizes_that_slid_together_stay_collinear():
    # Many neurons merge; from then on only their sizes differ, by factors that stay.
    traj = flow(tiny(60), ZIGZAG, t_max=200.0)
    states = traj.states(np.array([0.3, 0.6, 1.0]) * traj.t[-1])
    for held_on in range(4):
        group = np.all(states.slides_on == held_on, axis=0)
        if np.count_nonzero(group) < 2:
            continue
        ratio = states.W[:, group] / np.linalg.norm(states.W[:, group], axis=-1, keepdims=True)
        side = np.sign(ratio[0, :, 0])
        along = np.broadcast_to(ratio[0, 0] * side[0], ratio.shape)
        np.testing.assert_allclose(ratio * side[:, None], along, atol=1e-13)
        grown = states.log_norm[-1, group] - states.log_norm[0, group]
        for one_side in (side > 0, side < 0):
            if np.any(one_side):
                np.testing.assert_allclose(grown[one_side], grown[one_side][0], atol=1e-12)
        return
    pytest.fail("Nobody slid together.")


@pytest.mark.parametrize(("factor", "shift"), [(1.0, 0.0), (3.0, 0.0), (0.1, 0.0), (1.0, 2.0), (0.5, -3.0), (2.0, 5.0)])
def test_scaled_and_shifted_inputs_agree_with_the_oracle(factor, shift):
    rng = np.random.default_rng(7)
    x, y = factor * np.array([-1.0, -0.2, 0.7]) + shift, np.array([0.8, -0.5, 0.6])
    W, a = 0.3 * rng.normal(size=(4, 2)), 0.3 * rng.normal(size=4)
    # Rates grow with |x̃|²: as long as the residual needs to change by a good part.
    t_end = 20.0 / np.mean(x**2 + 1)
    expected = flow_oracle(W, a, x, y, t_end)
    traj = flow(rq.ShallowReLU(W, a), rq.Dataset(x, y), t_max=t_end)
    assert traj.loss[-1] < 0.99 * traj.loss[0]
    # Measured 1e-10; both solve the same equation, to 1e-9 and 1e-11 a step.
    np.testing.assert_allclose(traj.final.W, expected.W, atol=1e-7)
    np.testing.assert_allclose(traj.final.a, expected.a, atol=1e-7)
    assert [s[1:] for s in expected.switches] == [s[1:] for s in traj.switches.tolist()]


# ------------------------------------------------------------------------------------------- degenerate vanishing

# All inputs and labels are small integers, or half of one: g of the samples at 0, 1/2 and 1 points exactly along the
# ray of the sample at -1/2. Neuron 1 of this start, with |a| > |w|, comes to that ray and shrinks along it to w = 0.
VANISHING = rq.Dataset([-1.0, -0.5, 0.0, 0.5, 1.0], [-1.0, -1.0, 2.0, -2.0, -1.0])


def test_a_neuron_that_shrinks_to_nothing_in_a_sector_does_not_pass_through_zero():
    net = rq.ShallowReLU.gaussian(n_neurons=20, scale=1e-8, rng=100027)
    alone = flow_oracle(net.W[1:2], net.a[1:2], VANISHING.X[:, 0], VANISHING.y, 3.0)
    assert np.abs(alone.W).max() < 1e-15
    for rtol in 10.0 ** -np.arange(6, 13):
        traj = flow(net, VANISHING, rtol=rtol)
        assert np.all(np.diff(traj.loss) <= 1e-12), rtol
        assert np.abs(traj.final.W[1]).max() < 1e-12, rtol
        # |w|² - a² = -2.1e-17 is kept.
        assert traj.final.a[1] == pytest.approx(alone.a[0], rel=1e-5), rtol


# ----------------------------------------------------------------------------------------------------- save_at


def test_saved_times_are_steps_and_change_nothing_else():
    net, plain = tiny(), flow(tiny(), ZIGZAG)
    times = np.array([7.7, 0.003, 31.0, 12.5, 12.5, 0.0, 60.0])
    traj = flow(net, ZIGZAG, save_at=times)
    assert np.all(np.isin(times, traj.t))
    assert np.all(np.diff(traj.t) > 0)
    assert (traj.end, traj.loss[-1]) == ("stationary", pytest.approx(plain.loss[-1], rel=1e-6, abs=1e-15))
    for t in times:
        expected = rows(plain.at(t))
        # Two runs of rtol 1e-9 with different steps.
        np.testing.assert_allclose(rows(traj.at(t)), expected, atol=1e-8 * np.abs(expected).max())
        step = int(np.searchsorted(traj.t, t))
        assert 0.5 * np.mean((traj.at(t)(ZIGZAG.X) - ZIGZAG.y) ** 2) == pytest.approx(traj.loss[step], rel=1e-12)
    # As they were asked for: one at a time or all together.
    states = traj.states(times)
    np.testing.assert_array_equal(states.W[2], traj.at(31.0).W)


def test_saved_times_beyond_the_end_of_a_run_are_not_reached():
    plain = flow(tiny(), ZIGZAG)
    traj = flow(tiny(), ZIGZAG, save_at=[5.0, 1e6])
    assert traj.end == "stationary"
    assert 5.0 in traj.t
    assert traj.t[-1] < 10 * plain.t[-1]
    # At t_max itself and at the start nothing more is to be done.
    traj = flow(tiny(), ZIGZAG, save_at=[0.0, 12.0], t_max=12.0)
    assert (traj.end, traj.t[-1], np.count_nonzero(traj.t == 12.0)) == ("t_max", 12.0, 1)


def test_many_saved_times_of_a_loss_goal():
    traj = flow(tiny(), ZIGZAG, save_at=np.linspace(0, 400, 4001), stop_loss=1e-3)
    assert traj.end == "stop_loss"
    assert traj.loss[-1] == pytest.approx(1e-3, rel=1e-7)
    assert np.all(np.isin(np.linspace(0, 400, 4001)[: int(traj.t[-1] / 0.1)], traj.t))
    assert np.all(np.diff(traj.loss) <= 1e-15)


@pytest.mark.slow
def test_a_wide_network_with_many_saved_times_fits_into_a_gigabyte():
    # 10^5 neurons at 500 times are 50 million states, 2 GB as they are kept.
    code = """
        import resource
        import numpy as np
        import reluquant as rq

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        data = rq.Dataset([-1.1, -0.4, 0.3, 1.0], [1.0, -0.6, 0.9, -0.2])
        # Compiled, or loaded, before it is measured.
        rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=3, rng=0), data, t_max=1.0, progress=False)
        before = peak()
        net = rq.ShallowReLU.balanced(n_neurons=100_000, scale=1e-5, rng=0)
        times = np.linspace(0.1, 60.0, 500)
        traj = rq.gradient_flow(net, data, save_at=times, t_max=60.0, progress=False)
        assert np.all(np.isin(times, traj.t))
        loss = 0.5 * np.mean((traj.at(times[321])(data.X) - data.y) ** 2)
        assert abs(loss / traj.loss[np.searchsorted(traj.t, times[321])] - 1) < 1e-9
        print(before, peak())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    before, after = map(float, done.stdout.split())
    # Before, in MiB, are Python, NumPy and the compiler.
    assert after - before < 1000
    assert after < 1500


# ---------------------------------------------------------------------------------------------------- log_scale


def test_a_log_scale_is_a_factor_of_all_weights():
    net, start = tiny(scale=1.0), tiny(scale=1e-200)
    found = flow(net, ZIGZAG, log_scale=-200 * np.log(10))
    expected = flow(start, ZIGZAG)
    assert found.end == expected.end == "stationary"
    # 1e-200 as a float and e^(-200 ln 10) differ by 1e-13, which shifts everything in time by as much over a rate.
    times = np.array([0.1, 0.5, 0.9, 0.99]) * expected.t[-1]
    np.testing.assert_allclose(found.states(times).log_norm, expected.states(times).log_norm, atol=1e-9, rtol=1e-9)
    np.testing.assert_allclose(found.final(ZIGZAG.X), expected.final(ZIGZAG.X), atol=1e-8)
    for name in ("neuron", "sample", "kind"):
        np.testing.assert_array_equal(found.switches[name], expected.switches[name])
    none = flow(net, ZIGZAG, log_scale=0.0, t_max=3.0).final
    assert np.array_equal(none.W, flow(net, ZIGZAG, t_max=3.0).final.W)


@pytest.mark.parametrize("start", [rq.ShallowReLU.balanced, rq.ShallowReLU.gaussian])
def test_a_moderate_log_scale_is_the_scaled_network(start):
    net = start(n_neurons=20, scale=1.0, rng=3)
    found = flow(net, ZIGZAG, log_scale=np.log(1e-3), t_max=40.0)
    expected = flow(rq.ShallowReLU(1e-3 * net.W, 1e-3 * net.a), ZIGZAG, t_max=40.0)
    assert found.loss[0] == pytest.approx(expected.loss[0], rel=1e-13)
    np.testing.assert_allclose(rows(found.final), rows(expected.final), atol=1e-8)
    up = flow(net, ZIGZAG, log_scale=np.log(2.0), t_max=2.0)
    twice = flow(rq.ShallowReLU(2 * net.W, 2 * net.a), ZIGZAG, t_max=2.0)
    np.testing.assert_allclose(rows(up.final), rows(twice.final), atol=1e-8)


def test_the_first_escape_comes_later_in_proportion_to_minus_log_scale():
    # Two points: the plateau ends at t = √2 · (-log_scale) + C (n = 2 times the 1/√2 of the theory).
    data, net = rq.datasets.two_points(), tiny(scale=1.0)
    logs = np.array([-500.0, -1000.0, -2000.0, -4000.0])
    escapes = [flow(net, data, log_scale=log, stop_loss=0.25).t[-1] for log in logs]
    np.testing.assert_allclose(np.diff(escapes) / -np.diff(logs), np.sqrt(2), rtol=1e-7)


def test_beyond_float64_weights_underflow_but_log_norms_are_right():
    net = tiny(scale=1.0)
    traj = flow(net, rq.datasets.two_points(), log_scale=-2000.0)
    assert (traj.end, traj.loss[-1]) == ("stationary", pytest.approx(0.0, abs=1e-12))
    np.testing.assert_array_equal(traj.at(0.0).W, 0.0)
    np.testing.assert_array_equal(traj.at(0.0).a, 0.0)
    start = traj.states([0.0, 100.0])
    np.testing.assert_allclose(start.log_norm[0], np.log(net.norms) - 2000.0, rtol=1e-14)
    # Nobody can grow faster than the largest |g|, 1/√2 (one point alone), and somebody does.
    growth = start.log_norm[1] - start.log_norm[0]
    assert np.max(growth) <= 100 / np.sqrt(2) + 1e-9
    assert np.max(growth) > 0.95 * 100 / np.sqrt(2)
    assert np.abs(traj.final.W).max() > 0.1


# ---------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"save_at": [-1.0]}, ValueError, "save_at must lie between 0 and t_max = inf, but it holds -1"),
        ({"save_at": [1.0, 5.0], "t_max": 4.0}, ValueError, "save_at must lie between 0 and t_max = 4, but it holds 5"),
        ({"save_at": [np.nan]}, ValueError, "save_at must be finite"),
        ({"save_at": [1.0, np.inf]}, ValueError, "save_at must be finite"),
        ({"save_at": [[1.0, 2.0]]}, ValueError, "save_at must be 1-dimensional"),
        ({"save_at": 3.0}, ValueError, "save_at must be 1-dimensional"),
        ({"save_at": "all"}, TypeError, "save_at must hold real numbers"),
        ({"save_at": [1j]}, TypeError, "save_at must hold real numbers"),
        ({"log_scale": np.nan}, ValueError, "log_scale must be a finite number"),
        ({"log_scale": -np.inf}, ValueError, "log_scale must be a finite number"),
        ({"log_scale": -2e6}, ValueError, "log_scale must be a finite number of at least -1e\\+06"),
        ({"log_scale": "small"}, TypeError, "log_scale"),
        ({"log_scale": [-3.0]}, TypeError, "log_scale"),
        ({"spread": -1e-3}, ValueError, "at least 0 and at most 0.01, but it is -0.001"),
        ({"spread": 0.02}, ValueError, "spread must be a finite number of at least 0 and at most 0.01"),
        ({"spread": np.nan}, ValueError, "spread"),
        ({"spread": True}, TypeError, "spread"),
        ({"rtol": np.nan}, ValueError, "rtol"),
        ({"rtol": -1e-9}, ValueError, "rtol"),
        ({"rtol": 1e-16}, ValueError, "rtol must be a finite number of at least 1e-13"),
        ({"rtol": None}, TypeError, "rtol"),
        ({"t_max": np.nan}, ValueError, "t_max"),
        ({"t_max": [1.0]}, TypeError, "t_max"),
        ({"stop_loss": np.inf}, ValueError, "stop_loss"),
        ({"max_steps": -3}, ValueError, "max_steps"),
        ({"max_steps": True}, TypeError, "max_steps"),
    ],
)
def test_bad_input_is_one_clear_sentence_before_any_work(options, error, words, monkeypatch):
    def work(*_):
        pytest.fail("Integrated nevertheless.")

    work.signatures = [None]
    monkeypatch.setattr(flow_1d, "advance", work)
    with pytest.raises(error, match=words) as caught:
        flow(tiny(scale=1.0), ZIGZAG, **options)
    assert "\n" not in str(caught.value)


def test_a_log_scale_beyond_float64_is_refused():
    for log_scale in (300.0, 400.0, 1000.0):
        with pytest.raises(ValueError, match="log_scale = .* takes the weights"):
            flow(tiny(scale=1.0), ZIGZAG, log_scale=log_scale)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: rq.Dataset([0.0, np.nan], [1.0, 2.0]), "X must be finite"),
        (lambda: rq.Dataset([0.0, 1.0], [1.0, np.inf]), "y must be finite"),
        (lambda: rq.Dataset([0.0, 1.0], [1.0]), "2"),
        (lambda: rq.ShallowReLU([[np.nan, 0.0]], [1.0]), "W must be finite"),
        (lambda: rq.ShallowReLU([[1.0, 0.0]], [np.inf]), "a must be finite"),
        (lambda: rq.ShallowReLU([[1.0, 0.0]], [1.0, 2.0]), "one row per neuron"),
        (lambda: rq.ShallowReLU.balanced(scale=-1e-3, rng=0), "scale"),
        (lambda: rq.ShallowReLU.balanced(scale=0.0, rng=0), "scale"),
        (lambda: rq.ShallowReLU.balanced(scale=np.nan, rng=0), "scale"),
    ],
)
def test_data_and_networks_that_are_none_cannot_be_made(make, words):
    with pytest.raises(ValueError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_degenerate_data_take_jumps_too():
    # A shrinking slider beside a side that does not push at all, and a group that the truncation keeps from its rest:
    # on the tent the second group wakes at τ = 3 · 1.37868 (docs/theory.md), up to a multiple of 1/ln(1/scale).
    traj = rq.gradient_flow(
        rq.ShallowReLU.balanced(n_neurons=60, scale=1.0, rng=0), rq.datasets.tent(), log_scale=-20_000, progress=False
    )
    assert traj.end == "stationary"
    assert traj.n_steps < 5_000
    assert np.interp(-0.5 / 9, -traj.loss, traj.t) / 20_000 == pytest.approx(3 * 1.37868, abs=0.05)
