"""How few directions carry a network, over time: against networks in which they can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq


def run(data, net, **options):
    return rq.gradient_flow(net, data, progress=False, **options)


def test_directions_are_counted_by_mass():
    # Masses 98, 1 and 1: one direction carries 97 %, two 99 % and three all; nothing moves, for the labels are met.
    W = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]])
    a = np.array([98.0, 1.0, 1.0 / np.hypot(1, 0.5)])
    net = rq.ShallowReLU(W, a)
    data = rq.Dataset([1.0, 2.0], net(np.array([1.0, 2.0])))
    traj = run(data, net, t_max=1.0)
    assert [rq.quantisation(traj, [0.0], share=s).n_directions[0] for s in (0.97, 0.99, 1.0)] == [1, 2, 3]


def test_dead_neurons_are_those_without_an_active_sample():
    net = rq.ShallowReLU([[1.0, 3.0], [1.0, -3.0], [0.0, -1.0], [-1.0, -3.0]], [1e-3, 1e-3, 1e-3, 1e-3])
    traj = run(rq.Dataset([-1.0, 1.0], [1.0, 2.0]), net, t_max=0.1)
    assert rq.quantisation(traj, [0.0]).dead[0] == 0.75


def test_spread_is_the_largest_angle_inside_a_cluster():
    angles = np.array([0.3, 0.3004, 0.3006])
    net = rq.ShallowReLU(np.column_stack([np.cos(angles), np.sin(angles)]), [1.0, 1.0, 1.0])
    traj = run(rq.Dataset([-1.0, 1.0], [1.0, 2.0]), net, t_max=0.1)
    found = rq.quantisation(traj, [0.0], angle=1e-3)
    assert found.n_directions[0] == 1
    mean = angles.mean()
    assert found.spread[0] == pytest.approx(np.max(np.abs(angles - mean)), abs=1e-9)


def test_a_small_start_turns_to_few_directions_and_wakes_up():
    data = rq.datasets.zigzag()
    net = rq.ShallowReLU.balanced(n_neurons=300, scale=1e-8, rng=0)
    traj = run(data, net)
    found = rq.quantisation(traj)
    assert found.t[0] == 0.0
    assert found.t[-1] == traj.t[-1]
    assert found.n_directions[0] > 100
    assert found.n_directions[-1] <= 6
    assert found.dormant[0] == 1.0
    assert found.dormant[-1] < 0.5
    # Whom no sample activates stays so.
    assert np.all(np.diff(found.dead) >= 0)
    # Before anything is awake all neurons that live have turned to extremal directions of the labels.
    early = rq.quantisation(traj, [0.9 * traj.t[np.argmax(traj.loss < 0.99 * traj.loss[0])]])
    assert early.aligned[0] > 0.7
    assert early.spread[0] < 1e-3


def test_dormancy_does_not_depend_on_the_scale():
    data = rq.datasets.two_points()
    shares = []
    for scale in (1e-8, 1e-100, 1e-300):
        traj = run(data, rq.ShallowReLU.balanced(n_neurons=50, scale=scale, rng=0))
        shares.append(rq.quantisation(traj, [0.0, traj.t[-1]]).dormant)
    np.testing.assert_array_equal(shares[0], shares[1])
    np.testing.assert_array_equal(shares[0], shares[2])


@pytest.mark.parametrize("options", [{"share": 0}, {"share": 1.5}, {"angle": 0}, {"times": [[0.0]]}, {"times": [-1.0]}])
def test_bad_arguments_are_refused(options):
    traj = run(rq.datasets.two_points(), rq.ShallowReLU.balanced(n_neurons=5, rng=0), t_max=1.0)
    with pytest.raises((ValueError, TypeError)):
        rq.quantisation(traj, **options)
