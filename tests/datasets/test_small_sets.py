"""Five points whose flow passes a saddle with escape neurons and ends at a local minimum without: both are decided."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

import reluquant as rq

# Unit directions nearer to a boundary than this lie on it.
ON_BOUNDARY = 1e-9
# Loss of the saddle and of the end, and the gradient of all samples at the saddle: least squares in fractions.
SADDLE_LOSS, END_LOSS = 50749 / 3362500, 16139 / 1157500
GRADIENT = np.array([-3311 / 168125, -946 / 33625])
ESCAPE_RATE = np.hypot(*GRADIENT)


def data():
    return rq.datasets.five_points()


@cache
def trajectory(seed=0):
    net = rq.ShallowReLU.balanced(n_neurons=50, scale=1.0, rng=seed)
    return rq.gradient_flow(net, data(), log_scale=-60.0, progress=False)


@cache
def middle_of_the_saddle():
    """A time at which the loss has long been that of the saddle, and will be."""
    traj = trajectory()
    there = traj.t[np.abs(traj.loss - SADDLE_LOSS) < 1e-6 * SADDLE_LOSS]
    return 0.5 * (there[0] + there[-1])


def loss(net):
    return np.sum((net(data().X[:, 0]) - data().y) ** 2) / 10


def residual(net):
    return (data().y - net(data().X[:, 0])) / 5


def held_and_active(w):
    z = data().inputs @ w
    held = np.abs(z) <= ON_BOUNDARY * np.linalg.norm(w)
    return held, (z > 0) & ~held


def slopes(w, r):
    """G'(w; ω), G(w) = Σ r_k relu(w·x̃_k), at unit ω between neighbours of which it is linear: their signs are all."""
    (held, active), inputs = held_and_active(w), data().inputs
    along = inputs[held] @ np.array([[0.0, -1.0], [1.0, 0.0]])
    across = np.eye(2) if not held.any() else inputs[held] if held.sum() == 1 else inputs[:0]
    ways = np.concatenate([along, across, -along, -across])
    move = (ways / np.linalg.norm(ways, axis=1)[:, None]) @ inputs.T
    return (active * move + held * np.maximum(move, 0)) @ r


def descent(net):
    """How fast the loss can fall at first order: zero at a stationary point, for all that is not differentiable."""
    r, steepest = residual(net), 0.0
    for w, a in zip(net.W, net.a, strict=True):
        size = np.linalg.norm(w) or 1.0
        growth = np.maximum(data().inputs @ w, 0) @ r / size
        steepest = max(steepest, abs(growth), (np.sign(a) * slopes(w, r)).max())
    return steepest


def escape_neurons(net):
    """Neurons with a = 0 that see more than zeros around: without them, a local minimum (docs/theory.md)."""
    r = residual(net)
    return [j for j in range(net.n_neurons) if net.a[j] == 0 and np.abs(slopes(net.W[j], r)).max() > 1e-9]


def saddle_net(*, width=1, asleep=0):
    """``f = 231/2690 relu(0.7 - x)`` by equal neurons, and neurons at zero."""
    W = np.array([[-1.0, 0.7]] * width + [[0.0, 0.0]] * asleep)
    a = np.array([231 / 2690 / width] * width + [0.0] * asleep)
    return rq.ShallowReLU(W, a)


def changes(net, size, n=4000, seed=0):
    """Loss of many networks nearby minus its own."""
    rng = np.random.default_rng(seed)
    moves = [(rng.uniform(-size, size, net.W.shape), rng.uniform(-size, size, net.a.shape)) for _ in range(n)]
    return np.array([loss(rq.ShallowReLU(net.W + dW, net.a + da)) for dW, da in moves]) - loss(net)


def test_the_points():
    assert data().X[:, 0].tolist() == [-1.0, -0.6, -0.1, 0.3, 0.7]
    assert data().y.tolist() == [0.28, -0.1, 0.03, 0.23, -0.22]


def test_the_fractions_are_those_of_least_squares():
    x = [Fraction(v) for v in ("-1", "-0.6", "-0.1", "0.3", "0.7")]
    y = [Fraction(v) for v in ("0.28", "-0.1", "0.03", "0.23", "-0.22")]
    hinge = [Fraction("0.7") - v for v in x]
    mass = sum(h * v for h, v in zip(hinge, y, strict=True)) / sum(h * h for h in hinge)
    r = [(v - mass * h) / 5 for h, v in zip(hinge, y, strict=True)]
    assert mass == Fraction(231, 2690)
    assert Fraction(5, 2) * sum(v * v for v in r) == Fraction(50749, 3362500)
    assert [sum(u * v for u, v in zip(x, r, strict=True)), sum(r)] == [
        Fraction(-3311, 168125), Fraction(-946, 33625)
    ]  # fmt: skip
    off = [v + Fraction(693, 4630) * u - Fraction(1067, 46300) for u, v in zip(x, y, strict=True)]
    assert sum(off) == sum(u * v for u, v in zip(x, off, strict=True)) == 0
    assert sum(v * v for v in off) / 10 == Fraction(16139, 1157500)


@pytest.mark.parametrize("seed", range(4))
def test_the_flow_ends_where_the_code_of_the_authors_does(seed):
    # A width of 50 and this scale are theirs too; what they print was computed in single precision.
    net = rq.ShallowReLU.balanced(n_neurons=50, scale=8e-6, rng=seed)
    final = rq.gradient_flow(net, data(), progress=False)
    assert 2 * final.loss[-1] == pytest.approx(0.027885962277650833, rel=1e-7)
    assert final.loss[-1] == pytest.approx(END_LOSS, abs=1e-12)


def test_three_plateaus_at_the_times_that_the_rates_give():
    steps = rq.greedy_limit(data(), progress=False).steps
    assert [s.loss_before for s in steps] == pytest.approx([data().y @ data().y / 10, SADDLE_LOSS], abs=1e-9)
    assert [s.loss_after for s in steps] == pytest.approx([SADDLE_LOSS, END_LOSS], abs=1e-9)
    # Neurons with a > 0 see all samples at first, and those with a < 0 that wake second have seen the last two.
    plus = np.hypot(*(data().inputs.T @ data().y)) / 5
    minus = np.hypot(*(data().inputs[3:].T @ data().y[3:])) / 5
    first = 1 / plus
    assert [s.tau for s in steps] == pytest.approx([first, first + (1 - first * minus) / ESCAPE_RATE], abs=1e-6)


def test_the_flow_passes_the_saddle_on_a_boundary():
    state = trajectory().states([middle_of_the_saddle()])
    W, heavy = state.W[0], state.log_norm[0] > -5
    assert heavy.any()
    np.testing.assert_allclose(W[heavy] / np.linalg.norm(W[heavy], axis=1)[:, None],
                               [[-1 / np.sqrt(1.49), 0.7 / np.sqrt(1.49)]] * heavy.sum(), atol=1e-12)  # fmt: skip
    r = trajectory().residual(middle_of_the_saddle())
    np.testing.assert_allclose(r, residual(saddle_net()), atol=1e-8)
    # Held by the last sample with a share in between: both sides push, so that the loss has a kink there.
    (at,) = [e for e in rq.extremal_directions(data(), residual=r, sign=1) if e.samples == (4,)]
    assert (at.kind, at.kink) == ("attractor", 0.7)
    assert 0.1 < at.multipliers[0] < 0.9
    assert at.rate == pytest.approx(0, abs=1e-8)


def test_those_who_leave_the_saddle_are_in_the_basin_of_an_attractor_that_grows():
    state = trajectory().states([middle_of_the_saddle()])
    r, asleep = trajectory().residual(middle_of_the_saddle()), state.log_norm[0] < -20
    woken = asleep & (np.linalg.norm(trajectory().final.W, axis=1) > 1e-4)
    growing = [e for e in rq.extremal_directions(data(), residual=r) if e.kind == "attractor" and e.rate > 1e-6]
    assert [e.sign for e in growing].count(-1) == 2
    fastest = max(growing, key=lambda e: e.rate)
    assert (fastest.sign, fastest.rate) == (-1, pytest.approx(ESCAPE_RATE, rel=1e-6))
    np.testing.assert_allclose(fastest.direction, -GRADIENT / ESCAPE_RATE, atol=1e-7)
    # Of those that are asleep exactly they wake whose sign and basin it has; other growing directions have nobody.
    W, sign = state.W[0], np.sign(trajectory().final.a)
    angle = np.arctan2(W[:, 1], W[:, 0])
    inside = {e.angle: asleep & (sign == e.sign) & ((angle - e.basin[0]) % (2 * np.pi) < e.basin[1] - e.basin[0])
              for e in growing}  # fmt: skip
    np.testing.assert_array_equal(inside[fastest.angle], woken)
    assert woken.sum() > 5
    assert not any(inside[e.angle].any() for e in growing if e is not fastest)


def test_the_saddle_is_one_because_of_its_escape_neurons():
    narrow, wide = saddle_net(width=3), saddle_net(width=3, asleep=1)
    assert descent(narrow) < 1e-15
    assert descent(wide) < 1e-15
    # Without neurons at zero it is a local minimum.
    assert escape_neurons(narrow) == []
    assert changes(narrow, 1e-3).min() > 0
    # With one it is not: the loss falls by rate times mass, along the direction in which the flow leaves.
    assert escape_neurons(wide) == [3]
    for mass in (1e-3, 1e-4):
        grown = rq.ShallowReLU(
            np.vstack([narrow.W, -GRADIENT / ESCAPE_RATE * mass**0.5]), np.append(narrow.a, -(mass**0.5))
        )
        assert (loss(wide) - loss(grown)) / mass == pytest.approx(ESCAPE_RATE, rel=100 * mass)


def test_the_end_is_a_local_minimum_because_it_has_none():
    final = trajectory().final
    seen = np.array([held_and_active(w)[1].any() for w in final.W])
    size = np.linalg.norm(final.W, axis=1)
    # Who is not part of the line sees no sample: it turns nowhere, and adds nothing.
    np.testing.assert_array_equal(seen, size > 1e-4)
    assert (~seen).sum() > 5
    # So their lengths do not matter; at a length of the others' the first order and the sampled losses can tell.
    scale = np.where(seen, 1.0, 0.05 / size)
    end = rq.ShallowReLU(final.W * scale[:, None], final.a * scale)
    assert loss(end) == pytest.approx(END_LOSS, abs=1e-12)
    assert descent(end) < 1e-8
    assert escape_neurons(end) == []
    assert changes(end, 1e-3).min() > 0


def test_the_end_lacks_escape_neurons_that_would_lower_the_loss():
    final, point = trajectory().final, trajectory().stationary_point
    assert point.kind == "spurious"
    assert point.rates[0] == pytest.approx(0.0105953, abs=1e-7)
    heavy = np.linalg.norm(final.W, axis=1) > 1e-4
    W, a = final.W[heavy], final.a[heavy]
    assert escape_neurons(rq.ShallowReLU(np.vstack([W, [0, 0]]), np.append(a, 0.0))) == [heavy.sum()]
    for direction, sign, rate in zip(point.missing, point.signs, point.rates, strict=True):
        # Along a boundary or not, the loss falls at the rate of growth.
        grown = rq.ShallowReLU(np.vstack([W, 0.01 * direction]), np.append(a, 0.01 * sign))
        assert (END_LOSS - loss(grown)) / 1e-4 == pytest.approx(rate, rel=0.02)


def test_a_point_that_is_not_stationary_is_told():
    # The masses of the saddle, but the kink moved a little, or held by pushes to one side.
    assert descent(rq.ShallowReLU([[-1.0, 0.71]], [231 / 2690])) > 1e-4
    assert descent(rq.ShallowReLU([[1.0, 0.6]], [0.05])) > 1e-4
