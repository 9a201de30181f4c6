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


XOR = rq.Dataset([[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, -1, -1], bias=False)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_exclusive_or_is_carried_by_four_directions(loss):
    net = rq.ShallowReLU.balanced(n_features=2, bias=False, n_neurons=100, scale=1e-8, rng=0)
    traj = run(XOR, net, loss=loss, t_max=100.0)
    found = rq.quantisation(traj)
    assert (found.n_directions[0] > 80, found.n_directions[-1]) == (True, 4)
    assert (found.dormant[0], found.dormant[-1]) == (1.0, 0.0)
    # These four remain extremal for whatever symmetric residual is left. (Of squares, in the end, only rounding is.)
    some = rq.quantisation(traj, [0.0, 25.0, 50.0])
    assert some.aligned.tolist() == [0.0, 1.0, 1.0]
    assert np.all(found.dead == 0)
    assert found.complete
    assert np.all(some.spread < 1e-9)


def test_several_outputs_count_as_pairs():
    data = rq.Dataset(np.eye(2), [[1.0, 0.0], [0.0, 2.0]], bias=False)
    W, a = [[1.0, 0.0]] * 3 + [[-1.0, -1.0]], [[1, 0], [1, 0], [0, 1], [1, 0]]
    net = rq.ShallowReLU(1e-9 * np.array(W), 1e-9 * np.array(a), bias=False)
    found = rq.quantisation(run(data, net, t_max=0.1), [0.0])
    # The neuron without an active sample is a direction too; one of three live ones looks to another side.
    assert (found.n_directions[0], found.dead[0]) == (3, 0.25)
    assert found.aligned[0] == pytest.approx(2 / 3)


def test_a_search_says_that_it_was_one():
    rng = np.random.default_rng(0)
    data = rq.Dataset(rng.standard_normal((6, 3)), rng.standard_normal(6))
    traj = run(data, rq.ShallowReLU.balanced(n_features=3, n_neurons=20, rng=0), t_max=1.0)
    assert rq.quantisation(traj, [0.0]).complete
    assert not rq.quantisation(traj, [0.0], max_faces=10).complete


def test_descent_is_measured_too():
    data = rq.datasets.two_points()
    net = rq.ShallowReLU.balanced(n_neurons=50, scale=1e-4, rng=0)
    traj = rq.gradient_descent(net, data, lr=0.05, n_steps=2000, progress=False)
    found = rq.quantisation(traj)
    assert found.n_directions[-1] < 10 < found.n_directions[0]


@pytest.mark.parametrize("options", [{"share": 0}, {"share": 1.5}, {"angle": 0}, {"times": [[0.0]]}, {"times": [-1.0]}])
def test_bad_arguments_are_refused(options):
    traj = run(rq.datasets.two_points(), rq.ShallowReLU.balanced(n_neurons=5, rng=0), t_max=1.0)
    with pytest.raises((ValueError, TypeError)):
        rq.quantisation(traj, **options)
