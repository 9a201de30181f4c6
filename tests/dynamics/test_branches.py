"""Where descent leaves the flow for good: on an unstable branch, after a time that grows like log(1/lr).

Three samples, chosen so that the flow can be followed by hand. Tiny neurons do not move f, so that r = y/3. With all
samples active g = (-1/6, 0): at x = 0 the velocity of w · x̃ vanishes on the active side and is positive on the other.
A neuron that comes from the inactive side is held on x = 0 with multiplier λ = 1, in the direction (1, 0) = -g/|g|,
where it shrinks like e^{-ωt}, ω = |g| = 1/6. In the sector beyond, that direction is unstable: the angle to it grows
like e^{ωt}, and so does w - a, which is zero in a balanced neuron, while w + a falls.

The flow never leaves. A step of descent takes a neuron past x = 0 by an angle of up to lr · ω, and it changes
|w|² - a² by a multiple of lr. Both are seeds of the instability: descent leaves after log(1/lr) over a rate.
"""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq

DATA = rq.Dataset([0.0, 1.0, 2.0], [-0.5, 1.5, -1.0])
OMEGA = 1 / 6
SCALE = 1e-7
RATES = 10.0 ** -np.arange(1.5, 3.6, 0.5)


def start(n_neurons):
    """Balanced neurons that see the samples at 1 and 2, and turn towards seeing that at 0."""
    rng = np.random.default_rng(0)
    angle, norm = -rng.uniform(0.1, 0.7, n_neurons), SCALE * rng.uniform(0.5, 1.5, n_neurons)
    return rq.ShallowReLU(np.column_stack([norm * np.cos(angle), norm * np.sin(angle)]), norm)


def descend(net, lr, t_max):
    return rq.gradient_descent(net, DATA, lr=lr, n_steps=int(np.ceil(t_max / lr)), progress=False)


def test_the_flow_merges_all_neurons_on_the_data_point_and_stays():
    flow = rq.gradient_flow(start(40), DATA, t_max=400.0, progress=False)
    assert flow.switches["kind"].tolist() == ["slide"] * 40
    states = flow.states([200.0, 400.0])
    assert np.all(states.slides_on == 0)
    assert np.all(states.W[:, :, 1] == 0)
    np.testing.assert_allclose(np.diff(states.log_norm, axis=0), -OMEGA * 200, rtol=1e-6)
    assert flow.loss[-1] == pytest.approx(np.mean(DATA.y**2) / 2, rel=1e-12)


def test_steps_leave_angles_in_proportion_to_lr_which_grow_exponentially():
    net = start(40)
    flow = rq.gradient_flow(net, DATA, t_max=12.0, progress=False)
    arrival = np.empty(40)
    arrival[flow.switches["neuron"]] = flow.switches["time"]
    for lr in RATES:
        states = descend(net, lr, 14.1).states([10.0, 14.0])
        angle = np.arctan2(states.W[:, :, 1], states.W[:, :, 0])
        # What the growing imbalance of w and a, which is of order lr, changes by then.
        np.testing.assert_allclose(angle[1] / angle[0], np.exp(4 * OMEGA), rtol=lr)
        # How far a step goes past the point is as good as random: between nothing and the step's whole turn.
        share = angle[0] / (lr * OMEGA * np.exp(OMEGA * (10 - arrival)))
        assert np.all(share > 0)
        assert np.all(share < 1.05)
        # Forty uniform numbers: mean 0.5 with standard deviation 0.046.
        assert np.mean(share) == pytest.approx(0.5, abs=4 * 0.046)


def test_output_weights_change_sign_after_a_time_like_the_logarithm_of_the_step():
    net, times = start(3), np.linspace(0, 50, 5001)
    turned = []
    for lr in RATES:
        a = descend(net, lr, 50.1).states(times).a
        turned.append(times[np.argmax(a < 0, axis=0)])
    # w - a starts in proportion to lr and grows like e^{ωt}, w + a falls as fast: a = 0 when they are equal.
    slopes = np.polyfit(np.log(1 / RATES), np.array(turned), 1)[0]
    np.testing.assert_allclose(slopes, 1 / (2 * OMEGA), rtol=0.01)


def test_the_loss_parts_after_a_time_like_the_logarithm_of_the_step():
    net, parted = start(4), []
    for lr in RATES:
        traj = descend(net, lr, 200.0)
        parted.append(traj.t[np.argmax(traj.loss < 0.99 * traj.loss[0])])
        # One kink fits two of the three samples' pull: the loss is another for good.
        assert traj.loss[-1] == pytest.approx(5 / 12, rel=1e-9)
    # The sign turns at 3 log(1/lr) with weights SCALE √lr, which grow at the rate ω; when a³ is about SCALE · lr the
    # network itself pushes the neuron off x = 0 again, into a sector where it grows at the rate √2/6. In all
    # 3 + 3 - 6/3 + 6/(3√2) = 5.41 times log(1/lr); how far steps go past the point scatters it by a few per cent.
    slope = np.polyfit(np.log(1 / RATES), parted, 1)[0]
    assert slope == pytest.approx(4 + np.sqrt(2), rel=0.06)
