"""Predictions of alignment against flows that align, against basins, and against neurons that turn by small steps."""

from __future__ import annotations

import math
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluquant as rq
from reluquant.kernels.alignment_walk import walk_all

# So small that nobody is felt before all have aligned.
TINY = 1e-90

ON_THE_LINE = {
    "zigzag": rq.datasets.zigzag(3, generic=False),
    "zigzag of five": rq.datasets.zigzag(5),
    "absolute": rq.datasets.absolute(),
    "tent": rq.datasets.tent(),
    "three points": rq.datasets.three_points(),
    "two points": rq.datasets.two_points(),
    "a grid with a flat arc": rq.Dataset(np.arange(-3.0, 4.0), [-1.0, 3.0, -3.0, 2.0, 0.0, 1.0, -2.0]),
    "smooth": rq.datasets.smooth(12, rng=0),
    **{f"random {seed}": rq.datasets.random(4 + seed, rng=seed) for seed in range(4)},
}
# Some sector pushes exactly along a boundary: nothing is between crossing and sliding, and the flow may call it the
# other. Shrinking there is unstable, so that rounding moves the flow away later.
WITH_TIES = ("tent",)


def starts(kind, data, n_neurons=80, scale=TINY, rng=1):
    make = getattr(rq.ShallowReLU, kind)
    net = make(n_features=data.n_features, bias=data.bias, n_neurons=n_neurons, scale=scale, rng=rng)
    if data.y.ndim == 1:
        return net
    a = np.random.default_rng(rng + 1).standard_normal((n_neurons, data.y.shape[1]))
    if kind == "balanced":
        a /= np.linalg.norm(a, axis=1, keepdims=True)
        return rq.ShallowReLU(net.W, net.norms[:, None] * a, bias=data.bias)
    return rq.ShallowReLU(net.W, scale * a, bias=data.bias)


def unit(W):
    W = W / np.max(np.abs(W), axis=-1, keepdims=True)
    return W / np.linalg.norm(W, axis=-1, keepdims=True)


def between(u, v):
    return 2 * np.arcsin(np.minimum(np.linalg.norm(u - v, axis=-1) / 2, 1))


def followed(net, data, found):
    """The flow until all have aligned, but no longer than nobody is felt."""
    last = 1.05 * np.max(found.time[np.isfinite(found.time)], initial=0.0) + 0.1
    fastest = max(abs(e.rate) for e in found.directions)
    felt = np.log(1e-6 / TINY) / max(fastest, 1e-3)
    traj = rq.gradient_flow(net, data, t_max=min(last, felt), progress=False)
    assert abs(traj.loss[-1] - traj.loss[0]) < 1e-9
    return traj


def rows(switches):
    return Counter(map(tuple, switches[["neuron", "sample", "kind"]].tolist()))


def check_against_flow(net, data, *, ties=False):
    found = rq.predict_alignment(net, data)
    traj = followed(net, data, found)
    aligned = np.flatnonzero(found.fate == "aligned")
    assert np.all(found.direction[aligned] >= 0)
    listed = np.array([e.direction for e in found.directions])[found.direction[aligned]]
    np.testing.assert_allclose(listed, found.end[aligned], atol=1e-12)
    assert [found.directions[i].sign for i in found.direction[aligned]] == found.sign[aligned].tolist()
    outputs = np.array([found.directions[i].output for i in found.direction[aligned]])
    np.testing.assert_allclose(outputs, found.output[aligned], atol=1e-6)
    # When the prediction says so, each is as far from its direction as the prediction says.
    aligned = aligned[found.time[aligned] < traj.t[-1]]
    late = aligned[found.time[aligned] > 0]
    states = traj.states(found.time[late])
    off = between(unit(states.W[np.arange(late.size), late]), found.end[late])
    np.testing.assert_allclose(off, found.angle, atol=1e-6)
    at_once = aligned[found.time[aligned] == 0]
    assert np.all(between(unit(net.W[at_once]), found.end[at_once]) <= found.angle * (1 + 1e-9))
    before = traj.switches[traj.switches["time"] <= traj.t[-1]]
    mine = found.switches[found.switches["time"] <= traj.t[-1]]
    if not ties:
        # And in the end, when all have had the time.
        final = unit(traj.states(traj.t[-1:]).W[0][aligned])
        assert np.all(between(final, found.end[aligned]) <= found.angle)
        assert rows(before) == rows(mine)
        np.testing.assert_allclose(before["time"], mine["time"], rtol=1e-6, atol=1e-6)
    return found, traj


@pytest.mark.parametrize("kind", ["balanced", "gaussian"])
@pytest.mark.parametrize("name", ON_THE_LINE)
def test_the_flow_does_what_was_predicted(name, kind):
    data = ON_THE_LINE[name]
    found, traj = check_against_flow(starts(kind, data), data, ties=name in WITH_TIES)
    dead = (found.fate == "dead") & (found.time < traj.t[-1])
    # One that was absorbed lies on the boundary, up to rounding.
    sizes = np.abs(traj.final.W).max(axis=1)
    assert np.all(traj.final.W[dead] @ data.inputs.T <= 1e-12 * sizes[dead, None])
    assert np.any(dead)


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_balanced_neurons_end_where_their_basin_says(name):
    data = ON_THE_LINE[name]
    net = starts("balanced", data, n_neurons=2000)
    found = rq.predict_alignment(net, data)
    directions = rq.extremal_directions(data)
    angle = np.arctan2(net.W[:, 1], net.W[:, 0])
    for j in range(net.n_neurons):
        inside = [
            i for i, e in enumerate(directions)
            if e.sign == np.sign(net.a[j]) and (angle[j] - e.basin[0]) % math.tau < e.basin[1] - e.basin[0]
        ]  # fmt: skip
        assert len(inside) == 1
        kind = directions[inside[0]].kind
        expected = {"dead": ("dead", -1), "neutral": ("rest", -1)}.get(kind, ("aligned", inside[0]))
        assert (found.fate[j], found.direction[j]) == expected


def general(n, d, seed, bias=True):
    rng = np.random.default_rng(seed)
    return rq.Dataset(rng.standard_normal((n, d)), rng.standard_normal(n), bias=bias)


XOR = rq.Dataset([[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, -1, -1], bias=False)
IN_ANY_DIMENSION = {
    "exclusive or": XOR,
    "orthogonal": rq.Dataset(np.eye(2), [1.0, -2.0], bias=False),
    "one weight": general(5, 1, 0, bias=False),
    "parallel and opposite": rq.Dataset(
        [[1, 0], [2, 0], [-1, 0], [0, 1], [1, 1]], [1, -0.5, 0.7, -1, -0.3], bias=False
    ),
    "a grid": rq.Dataset([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)], [1, -1, 2, 0, -2, 1, 1, -1, 0]),
    "plane": general(4, 2, 3),
    "cone": general(5, 3, 5, bias=False),
    "plane of twelve": general(12, 2, 12),
}
GENERIC = ("plane", "cone", "plane of twelve")


@pytest.mark.parametrize("kind", ["balanced", "gaussian"])
@pytest.mark.parametrize("name", IN_ANY_DIMENSION)
def test_the_flow_does_what_was_predicted_in_any_dimension(name, kind):
    data = IN_ANY_DIMENSION[name]
    check_against_flow(starts(kind, data, n_neurons=40), data, ties=name not in GENERIC)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_the_flow_does_what_was_predicted_on_random_data(seed):
    rng = np.random.default_rng(seed)
    data = general(int(rng.integers(2, 14)), int(rng.integers(1, 6)), seed + 100, bias=bool(rng.integers(2)))
    for kind in ("balanced", "gaussian"):
        net = starts(kind, data, n_neurons=60, scale=TINY, rng=seed)
        ties = data.n_features + data.bias == 1
        check_against_flow(net, data, ties=ties)


def of_several_outputs(seed):
    """Random data with 2 or 3 outputs, 1 to 3 inputs, with and without a bias."""
    rng = np.random.default_rng(seed)
    shape = int(rng.integers(3, 10)), 1 + seed % 3
    y = rng.standard_normal((shape[0], 2 + seed // 6 % 2))
    return rq.Dataset(rng.standard_normal(shape), y, bias=bool(seed // 3 % 2))


@pytest.mark.parametrize("kind", ["balanced", "gaussian"])
@pytest.mark.parametrize("seed", [*range(12), *(pytest.param(s, marks=pytest.mark.slow) for s in range(12, 36))])
def test_the_flow_does_what_was_predicted_with_several_outputs(seed, kind):
    data = of_several_outputs(seed)
    net = starts(kind, data, n_neurons=40, rng=seed)
    found, traj = check_against_flow(net, data)
    # So are the output weights, but where w is on its line at once: there they take their time.
    samples = np.array([len(found.directions[i].samples) for i in found.direction])
    turning = (found.fate == "aligned") & (found.time < traj.t[-1]) & (samples + 1 < found.end.shape[1])
    assert np.all(between(unit(traj.final.a[turning]), found.output[turning]) < 0.1)
    stopped = np.flatnonzero((found.fate != "aligned") & (found.time > 0) & (found.time < traj.t[-1]))
    last = {j: t for t, j in traj.switches[["time", "neuron"]].tolist()}
    np.testing.assert_allclose([last[j] for j in stopped], found.time[stopped], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["balanced", "gaussian"])
@pytest.mark.parametrize("name", ["zigzag", "two points", "plane", "cone", "exclusive or", "plane of twelve"])
def test_outputs_along_one_line_are_one_output(name, kind):
    one = (ON_THE_LINE | IN_ANY_DIMENSION)[name]
    alone = starts(kind, one, n_neurons=60)
    expected = rq.predict_alignment(alone, one, angle=0.01)
    line = np.array([0.6, 0.0, -0.8])
    data = rq.Dataset(one.X, one.y[:, None] * line, bias=one.bias)
    found = rq.predict_alignment(rq.ShallowReLU(alone.W, alone.a[:, None] * line, bias=one.bias), data, angle=0.01)
    # Where a shrinking neuron sits on its direction, the rounding of the output weights is enough to turn it round.
    chosen = np.array([i >= 0 and expected.directions[i].rate > 0 for i in expected.direction])
    assert chosen.sum() > 10
    np.testing.assert_array_equal(found.fate[chosen], expected.fate[chosen])
    np.testing.assert_allclose(found.time[chosen], expected.time[chosen], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.end[chosen], expected.end[chosen], atol=1e-7)
    np.testing.assert_allclose(found.output[chosen], expected.sign[chosen, None] * line, atol=1e-7)
    np.testing.assert_array_equal(found.sign, 0)
    dead = expected.fate == "dead"
    np.testing.assert_array_equal(found.fate[dead], "dead")
    np.testing.assert_allclose(found.time[dead], expected.time[dead], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["zigzag", "cone"])
def test_one_output_may_be_written_as_a_column(name):
    one = (ON_THE_LINE | IN_ANY_DIMENSION)[name]
    net = starts("gaussian", one)
    column = rq.Dataset(one.X, one.y[:, None], bias=one.bias)
    flat = rq.predict_alignment(net, one)
    found = rq.predict_alignment(rq.ShallowReLU(net.W, net.a[:, None], bias=one.bias), column)
    for field in ("direction", "fate", "time", "n_switches", "sign", "end", "output", "switches"):
        np.testing.assert_array_equal(getattr(found, field), getattr(flat, field))


def test_several_outputs_may_turn_in_any_space_of_outputs():
    data = of_several_outputs(7)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    net = starts("gaussian", data)
    one = rq.predict_alignment(net, data)
    turned = rq.Dataset(data.X, data.y @ turn, bias=data.bias)
    two = rq.predict_alignment(rq.ShallowReLU(net.W, net.a @ turn, bias=data.bias), turned)
    np.testing.assert_array_equal(one.fate, two.fate)
    np.testing.assert_allclose(one.time, two.time, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(one.end, two.end, atol=1e-10)
    np.testing.assert_allclose(one.output @ turn, two.output, atol=1e-10)


def test_directions_beyond_an_enumeration_are_told_by_their_vectors():
    data = general(30, 10, 0)
    net = starts("balanced", data, n_neurons=30)
    found = rq.predict_alignment(net, data)
    assert not found.directions.complete
    assert set(found.fate) == {"aligned"}
    traj = followed(net, data, found)
    assert np.all(between(unit(traj.final.W), found.end) <= found.angle)
    for i, end in zip(found.direction, found.end, strict=True):
        # A search has found most of them.
        assert i < 0 or between(found.directions[i].direction, end) < 1e-6
    assert np.mean(found.direction >= 0) > 0.5


def small_steps(data, residual, w, a, step, n_steps):
    """Directions (n_steps, m, p) of neurons that take Euler steps in the frozen field, chattering where they slide."""
    directions = np.empty((n_steps, *w.shape))
    for i in range(n_steps):
        active = w @ data.inputs.T > 0
        g = (active * residual) @ data.inputs
        w, a = w + step * a[:, None] * g, a + step * np.sum(w * g, axis=1)
        size = np.linalg.norm(w, axis=1) + np.abs(a)
        w, a = w / size[:, None], a / size
        directions[i] = w / np.linalg.norm(w, axis=1, keepdims=True)
    return directions


@pytest.mark.parametrize("seed", range(6))
def test_neurons_that_take_small_steps_arrive_at_the_same_time(seed):
    rng = np.random.default_rng(seed)
    data = general(int(rng.integers(2, 9)), int(rng.integers(1, 5)), seed + 20, bias=bool(seed % 2))
    residual = rng.standard_normal(data.n_samples) / 2
    net = starts(("balanced", "gaussian")[seed % 2], data, n_neurons=40, scale=1.0, rng=seed)
    found = rq.predict_alignment(net, data, residual=residual, angle=0.1)
    step, t_max = 2e-3, 20.0
    path = small_steps(data, residual, net.W, net.a, step, int(t_max / step))
    # Those that shrink do not stay: steps unbalance them.
    grows = np.array([found.directions[i].rate > 0 for i in found.direction])
    chosen = grows & (found.fate == "aligned") & (found.time < 0.8 * t_max) & (found.time > 0)
    assert chosen.sum() > 4
    for j in np.flatnonzero(chosen):
        outside = np.flatnonzero(between(path[:, j], found.end[j]) > found.angle)
        assert (outside[-1] + 1) * step == pytest.approx(found.time[j], rel=0.02, abs=0.03)


def test_turning_towards_one_input_in_closed_form():
    # |g| = 5 and φ₀ = 1.2: tan(φ/2) falls like e^{-5t}, φ(1) = .00921928981.
    data = rq.Dataset([[3.0, 4.0]], [1.0], bias=False)
    away = math.atan2(4, 3) + 1.2
    net = rq.ShallowReLU([[1e-9 * math.cos(away), 1e-9 * math.sin(away)]], [1e-9], bias=False)
    found = rq.predict_alignment(net, data, angle=0.00921928981)
    assert found.time[0] == pytest.approx(1.0, rel=1e-9)
    np.testing.assert_allclose(found.end, [[0.6, 0.8]], rtol=1e-15)
    assert found.directions[found.direction[0]].rate == 5.0


def test_an_unbalanced_neuron_may_change_the_sign_of_its_output():
    # a = 0 where tanh 6t = ½; then it is one of the other sign.
    data = rq.Dataset([2.0, -2.0], [6.0, 12.0], bias=False)
    found = rq.predict_alignment(rq.ShallowReLU([[2e-3], [-2e-3]], [-1e-3, -1e-3], bias=False), data)
    assert found.sign.tolist() == [1, 1]
    assert [found.directions[i].rate for i in found.direction] == [6.0, 12.0]


def test_an_unbalanced_neuron_may_come_to_a_stop():
    # w = 0 where tanh 6t = ½.
    data = rq.Dataset([2.0], [3.0], bias=False)
    found = rq.predict_alignment(rq.ShallowReLU([[1e-3]], [-2e-3], bias=False), data)
    assert (found.fate[0], found.direction[0]) == ("rest", -1)
    assert found.time[0] == pytest.approx(math.atanh(0.5) / 6, rel=1e-12)
    assert found.end.tolist() == [[0.0]]


def test_neurons_that_do_not_move():
    data = rq.Dataset([-1.0, 1.0], [1.0, 2.0])
    net = rq.ShallowReLU([[0.0, 0.0], [0.0, -1.0], [1.0, 0.0], [0.0, 1.0]], [1.0, 1.0, 0.0, 0.0])
    found = rq.predict_alignment(net, data)
    # Without an output weight, but pushed: it gets one.
    assert found.fate.tolist() == ["rest", "dead", "aligned", "aligned"]
    assert found.time[:2].tolist() == [0.0, 0.0]
    assert found.sign.tolist() == [1, 1, 1, 1]
    none = rq.predict_alignment(net, rq.Dataset([-1.0, 1.0], [0.0, 0.0]))
    assert none.fate.tolist() == ["rest", "dead", "rest", "rest"]
    assert none.n_switches.tolist() == [0, 0, 0, 0]


def test_on_a_boundary_that_pushes_away_a_neuron_leaves_to_the_inactive_side():
    # Both sides push away from x = 0, and from x = 1 on towards activity.
    data = rq.Dataset([0.0, 1.0], [1.0, -3.0])
    net = rq.ShallowReLU([[1e-3, 0.0]], [-1e-3])
    found = rq.predict_alignment(net, data)
    check_against_flow(rq.ShallowReLU(TINY * net.W, TINY * net.a), data, ties=True)
    assert found.direction[0] >= 0


@given(st.integers(0, 2**32 - 1), st.sampled_from([*ON_THE_LINE, "exclusive or", "cone"]), st.floats(-250, 250))
@settings(max_examples=30, deadline=None)
def test_only_directions_and_balance_matter(seed, name, exponent):
    data = (ON_THE_LINE | IN_ANY_DIMENSION)[name]
    rng = np.random.default_rng(seed)
    net = starts(("balanced", "gaussian")[seed % 2], data, n_neurons=20, scale=1.0, rng=seed)
    # Powers of two are exact: a balanced neuron remains balanced, one on a boundary remains there.
    factors = np.exp2(np.round(exponent + rng.uniform(-20, 20, 20)))
    order = rng.permutation(20)
    other = rq.ShallowReLU((factors[:, None] * net.W)[order], (factors * net.a)[order], bias=data.bias)
    one, two = rq.predict_alignment(net, data), rq.predict_alignment(other, data)
    for field in ("direction", "fate", "time", "n_switches", "sign", "end"):
        np.testing.assert_array_equal(getattr(one, field)[order], getattr(two, field))


@given(st.sampled_from(list(ON_THE_LINE)), st.sampled_from([0.25, 2.0, 1024.0]))
@settings(max_examples=20, deadline=None)
def test_a_stronger_residual_is_a_faster_clock(name, factor):
    data = ON_THE_LINE[name]
    net = starts("balanced", data, n_neurons=20)
    one = rq.predict_alignment(net, data, residual=data.y)
    two = rq.predict_alignment(net, data, residual=factor * data.y)
    np.testing.assert_array_equal(one.direction, two.direction)
    np.testing.assert_allclose(one.time, factor * two.time, rtol=1e-14)


def test_the_default_residual_is_that_of_the_zero_function():
    data = ON_THE_LINE["random 0"]
    # So that no division rounds.
    assert data.n_samples == 4
    net = starts("gaussian", data)
    one, two = rq.predict_alignment(net, data), rq.predict_alignment(net, data, residual=data.y / 4)
    np.testing.assert_array_equal(one.direction, two.direction)
    np.testing.assert_array_equal(one.time, two.time)


def test_a_smaller_angle_is_reached_later():
    data = ON_THE_LINE["zigzag of five"]
    net = starts("balanced", data, n_neurons=200)
    times = np.array([rq.predict_alignment(net, data, angle=angle).time for angle in (1.0, 0.1, 1e-3, 1e-9)])
    alive = rq.predict_alignment(net, data).fate == "aligned"
    assert np.all(np.diff(times[:, alive], axis=0) >= 0)
    assert np.any(np.diff(times[:, alive], axis=0) > 0)


def test_switches_are_in_order_and_counted():
    data = ON_THE_LINE["smooth"]
    found = rq.predict_alignment(starts("gaussian", data), data)
    assert np.all(np.diff(found.switches["time"]) >= 0)
    np.testing.assert_array_equal(np.bincount(found.switches["neuron"], minlength=80), found.n_switches)
    with pytest.raises(ValueError, match="read-only"):
        found.switches["time"][0] = 0.0


@pytest.mark.skipif(not hasattr(walk_all, "signatures"), reason="numba is off")
def test_a_hundred_thousand_neurons_take_less_than_a_second():
    data = rq.datasets.smooth(30, rng=0)
    net = starts("balanced", data, n_neurons=100_000)
    rq.predict_alignment(starts("balanced", data, n_neurons=2), data)
    start = time.process_time()
    found = rq.predict_alignment(net, data)
    # 0.6 s, with room for a machine that does other things too.
    assert time.process_time() - start < 3.0
    assert np.sum(found.fate == "aligned") + np.sum(found.fate == "dead") == 100_000


def test_what_it_prints():
    data = ON_THE_LINE["two points"]
    found = rq.predict_alignment(rq.ShallowReLU([[1.0, 0.0], [-1.0, -2.0]], [1.0, 1.0]), data)
    assert repr(found).startswith("AlignmentPrediction(aligned=1, dead=1, n_directions=1, last=")


def test_bad_arguments_are_refused():
    data, net = ON_THE_LINE["two points"], rq.ShallowReLU([[1.0, 0.0]], [1.0])
    with pytest.raises(TypeError, match="needs a ShallowReLU, but got list"):
        rq.predict_alignment([1.0], data)
    with pytest.raises(TypeError, match="needs a Dataset, but got list"):
        rq.predict_alignment(net, [1.0])
    with pytest.raises(ValueError, match="must have the features, the outputs and the bias of the data"):
        rq.predict_alignment(net, XOR)
    with pytest.raises(ValueError, match="residual must have the shape"):
        rq.predict_alignment(
            rq.ShallowReLU([[1.0, 0.0]], [[1.0, 0.0]]), rq.Dataset([1.0], [[1.0, 2.0]]), residual=[[1.0]]
        )
    with pytest.raises(ValueError, match="residual needs one number for each of 2 samples"):
        rq.predict_alignment(net, data, residual=[1.0])
    for angle in (0.0, -1.0, 2.0, np.nan, "wide"):
        with pytest.raises((TypeError, ValueError), match="angle must be a finite number above 0"):
            rq.predict_alignment(net, data, angle=angle)
