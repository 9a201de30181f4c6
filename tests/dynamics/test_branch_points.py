"""Merged neurons that cross a sample which would part them: `branch_points`, and what `spread` does about them.

The case that is followed by hand: two neurons are held on x = 0 and become one. They are released to the right, where
the kink moves towards 8/9 (the line through the two right samples) and passes the sample at x = 1/2, whose label
lies above f: r > 0 while a > 0. A neuron that is past it no longer feels it and goes faster: they would part.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import reluquant as rq
from tests.oracles import flow_oracle

X = np.array([0.0, 0.5, 1.0, 2.0])
ABOVE = np.array([-6.0, 0.2, 0.5, 5.0])
# The label below f = 0: both sides of x = 1/2 push on, the inactive one less: neurons draw together.
BELOW = np.array([-6.0, -0.05, 0.5, 5.0])
# Kinks at -0.1 and 0.2, on either side of x = 0; |a| = |w| = 1e-3.
ANGLES = np.arctan([0.1, -0.2])
W = 1e-3 * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
A = np.full(2, 1e-3)
HALF = 1
# rtol of the flow is 1e-9, the oracle's 1e-11; the crossing magnifies errors by less than ten.
AGREEMENT = 1e-6


def flow(W, a, x, y, **options):
    return rq.gradient_flow(rq.ShallowReLU(W, a), rq.Dataset(x, y), progress=False, **options)


class Crossing(NamedTuple):
    """What the oracle sees where a neuron with a > 0 leaves the sample at x = 1/2 behind."""

    time: float
    rate: float
    magnification: float
    mass: float
    W: np.ndarray
    a: np.ndarray


def crossing(y):
    """Follow both neurons by the oracle to the crossing; the numbers there from its state, term by term."""
    switches = flow_oracle(W, A, X, y, 12.0).switches
    kinds = [(sample, kind) for _, neuron, sample, kind in switches if neuron == 0]
    assert kinds[:3] == [(0, "slide"), (0, "release"), (HALF, "off")]
    time = next(t for t, _, sample, kind in switches if (sample, kind) == (HALF, "off"))
    there = flow_oracle(W, A, X, y, time)
    f = [sum(a * max(w[0] * x + w[1], 0.0) for w, a in zip(there.W, there.a, strict=True)) for x in X]
    r = [(label - value) / len(X) for label, value in zip(y, f, strict=True)]
    # Velocities of w · x̃ at x = 1/2, over a: of those past it (samples 1 and 2 active), and of those before it.
    past = sum(r[k] * (X[k] * 0.5 + 1.0) for k in (2, 3))
    before = past + r[HALF] * (0.5**2 + 1.0)
    rate = abs(r[HALF]) * np.hypot(0.5, 1.0)
    return Crossing(time, rate, past / before, float(np.sum(there.a**2)), there.W, there.a)


# ---------------------------------------------------------------------------------------- the case by hand


def test_a_merged_pair_that_would_part_is_a_branch_point():
    traj, expected = flow(W, A, X, ABOVE), crossing(ABOVE)
    [row] = traj.branch_points
    assert row["time"] == pytest.approx(expected.time, rel=AGREEMENT)
    assert (row["sample"], row["n_neurons"]) == (HALF, 2)
    # f(1/2) = 0 there, so r = 0.2/4.
    assert expected.rate == pytest.approx(0.2 / 4 * np.hypot(0.5, 1.0), rel=1e-9)
    assert row["rate"] == pytest.approx(expected.rate, rel=AGREEMENT)
    assert expected.magnification > 1.1
    assert row["magnification"] == pytest.approx(expected.magnification, rel=AGREEMENT)
    assert row["mass"] == pytest.approx(expected.mass, rel=AGREEMENT)


@pytest.mark.parametrize("apart", [1e-4, 1e-5])
def test_a_pair_that_is_not_quite_together_is_parted_by_the_magnification(apart):
    # Not the merged pair but two neurons at a small angle, from a little before the crossing: nothing of what
    # `branch_points` computes goes in.
    expected = crossing(ABOVE)
    early = flow(W, A, X, ABOVE, t_max=expected.time - 0.05).final
    turn = np.array([[np.cos(apart), -np.sin(apart)], [np.sin(apart), np.cos(apart)]])
    pair = np.array([early.W[0], turn @ early.W[1]])
    traj = flow(pair, early.a, X, ABOVE, t_max=0.2)
    times = traj.switches["time"][traj.switches["sample"] == HALF]
    assert times.size == 2
    before, after = traj.states(times[0] - [0.0, 1e-9]), traj.states(times[1] + [0.0, 1e-9])
    angles = [np.ptp(np.arctan2(s.W[0, :, 1], s.W[0, :, 0])) for s in (before, after)]
    # To first order in the angle.
    assert angles[1] / angles[0] == pytest.approx(expected.magnification, rel=100 * apart)


def test_where_merged_neurons_draw_together_there_is_no_branch_point():
    traj, expected = flow(W, A, X, BELOW), crossing(BELOW)
    assert expected.magnification < 1
    off = traj.switches[(traj.switches["sample"] == HALF) & (traj.switches["kind"] == "off")]
    np.testing.assert_allclose(off["time"], expected.time, rtol=AGREEMENT)
    assert off.size == 2
    assert traj.branch_points.size == 0


def test_a_single_neuron_and_a_pair_that_never_merged_have_no_branch_point():
    assert flow(W[:1], np.sqrt(2) * A[:1], X, ABOVE).branch_points.size == 0
    # Both start to the right of x = 0 and never slide there.
    start = flow(W, A, X, ABOVE, t_max=crossing(ABOVE).time - 0.05).final
    apart = np.column_stack([start.W[:, 0], start.W[:, 1] * [1.0, 1.0 + 1e-3]])
    traj = flow(apart, start.a, X, ABOVE)
    assert np.count_nonzero(traj.switches["sample"] == HALF) >= 2
    assert traj.branch_points.size == 0


def test_mirrored_groups_that_cross_at_the_same_time_are_two_branch_points():
    x, y = np.concatenate([-X[:0:-1], X]), np.concatenate([ABOVE[:0:-1], ABOVE])
    traj = flow(np.vstack([W, W * [-1, 1]]), np.tile(A, 2), x, y)
    rows = traj.branch_points
    assert sorted(rows["sample"].tolist()) == [2, 4]
    assert rows["n_neurons"].tolist() == [2, 2]
    for name in ("time", "rate", "magnification", "mass"):
        assert rows[name][0] == pytest.approx(rows[name][1], rel=AGREEMENT)


def test_the_table_has_its_columns_and_is_read_only():
    rows = flow(W, A, X, ABOVE).branch_points
    assert rows.dtype.names == ("time", "sample", "rate", "magnification", "n_neurons", "mass")
    with pytest.raises(ValueError, match="read-only"):
        rows["time"] = 0
    # Without a switch there is nothing to part.
    assert flow([[0.0, -1.0]], [1.0], X, ABOVE).branch_points.dtype == rows.dtype


# ------------------------------------------------------------------------------------------------------ spread


def angle_between(traj, t):
    states = traj.states([t])
    return np.ptp(np.arctan2(states.W[0, :, 1], states.W[0, :, 0]))


def test_without_a_spread_merged_neurons_stay_together_for_ever():
    traj = flow(W, A, X, ABOVE)
    released = traj.switches["time"][traj.switches["kind"] == "release"]
    assert released.size == 2
    assert released[0] == pytest.approx(released[1], rel=1e-12)
    for t in (released[1], crossing(ABOVE).time, traj.t[-1]):
        # Equal but for the rounding of the exponents of their different sizes.
        assert angle_between(traj, t) < 1e-13
    explicit = flow(W, A, X, ABOVE, spread=0.0)
    assert np.array_equal(explicit.final.W, traj.final.W)


@pytest.mark.parametrize("spread", [1e-3, 1e-6, 1e-9])
def test_a_spread_parts_them_by_at_most_that_angle_at_the_release(spread):
    exact, traj = flow(W, A, X, ABOVE), flow(W, A, X, ABOVE, spread=spread)
    released = traj.switches["time"][traj.switches["kind"] == "release"][0]
    held, free = angle_between(traj, released * (1 - 1e-9)), angle_between(traj, released * (1 + 1e-9))
    assert held < 1e-13
    # Each by its own angle: their difference is a fair share of the whole. (Kinks move by 1e-9 meanwhile.)
    assert 0.1 * spread < free < 1.01 * spread
    # The rest of the network is where it was.
    np.testing.assert_allclose(traj.at(released)(X), exact.at(released)(X), atol=20 * spread)
    assert angle_between(traj, traj.t[-1]) > 0.1 * spread


def test_a_spread_does_not_unbalance():
    final = flow(W, A, X, ABOVE, spread=1e-3).final
    np.testing.assert_allclose(np.hypot(*final.W.T), np.abs(final.a), rtol=1e-13)


# Sorted, so that this is the order of the kinks. Found while comparing the flow to descent.
MANY = np.sort(np.random.default_rng(1).uniform(-1, 1, 30))


def many(spread):
    net = rq.ShallowReLU.balanced(n_neurons=1000, scale=1e-6, rng=0)
    y = np.sin(3 * MANY) + 0.3 * np.cos(7 * MANY)
    return rq.gradient_flow(net, rq.Dataset(MANY, y), spread=spread, progress=False)


def test_thirty_points_rest_elsewhere_when_merged_neurons_are_parted():
    exact = many(0.0)
    # Computed, here and by descent until the first of the branch points (loss 0.0028 at t = 1000).
    assert exact.end == "stationary"
    assert exact.loss[-1] == pytest.approx(0.0022835, rel=1e-4)
    rows = exact.branch_points
    assert rows.size >= 5
    assert rows["time"][0] == pytest.approx(677.73, rel=1e-3)
    assert np.all(np.diff(rows["time"]) >= 0)
    assert np.all(rows["magnification"] > 1)
    assert np.all(rows["n_neurons"] > 50)
    # A parted group may go on where the merged one is stuck, and the further the earlier it parts.
    parted, further = many(1e-6), many(1e-3)
    assert further.loss[-1] < parted.loss[-1] < exact.loss[-1]
    before = 0.99 * rows["time"][0]
    np.testing.assert_allclose(parted.at(before)(MANY), exact.at(before)(MANY), atol=1e-3)


def test_a_release_after_which_nothing_is_crossed_is_no_branch_point():
    # The slider of docs/theory.md: released once, at rest with its kink at 2/3.
    x, y = [0.0, 1.0, 2.0], [-6.0, 1.0, 4.0]
    for copies in (1, 2):
        traj = flow(np.tile([[1e-3, 0.0]], (copies, 1)), np.full(copies, 1e-3), x, y)
        assert traj.switches["kind"].tolist() == ["release"] * copies
        assert traj.branch_points.size == 0
