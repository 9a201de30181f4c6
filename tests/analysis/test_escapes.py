"""Predicted ends of plateaus against closed forms and against the runs themselves."""

import math

import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.escapes import ESCAPED, escapes, next_escape


def run(data, n_neurons=300, scale=1e-8, **options):
    return rq.gradient_flow(
        rq.ShallowReLU.balanced(n_neurons=n_neurons, scale=scale, rng=0), data, progress=False, **options
    )


def test_one_neuron_on_one_sample_is_the_logistic_curve():
    # One neuron along (x, 1)/|(x, 1)| with norm e: M' = 2 M (G − M c), G = y |x̃|, c = |x̃|², from M = e².
    x, y, norm = 0.5, 2.0, 1e-5
    lifted = np.array([x, 1.0])
    length = np.linalg.norm(lifted)
    data = rq.Dataset([x], [y])
    traj = rq.gradient_flow(rq.ShallowReLU([norm * lifted / length], [norm]), data, progress=False)
    escape = next_escape(traj, 0.0)
    growth, end = y * length, y / length
    expected = math.log(ESCAPED / (1 - ESCAPED) * (end - norm**2) / norm**2) / (2 * growth)
    assert escape.predicted == pytest.approx(expected, rel=1e-6)
    assert (escape.direction.sign, escape.made_at) == (1, 0.0)
    np.testing.assert_allclose(escape.direction.direction, lifted / length, atol=1e-12)
    # The run says so too, to the length of one of its steps.
    later = traj.t[traj.t >= expected][0]
    assert expected * (1 - 1e-9) <= escape.actual <= later * (1 + 1e-9) or escape.actual == later


@pytest.mark.parametrize("scale", [1e-4, 1e-8, 1e-30])
@pytest.mark.parametrize("name", ["two_points", "three_points", "absolute", "tent", "zigzag", "sine"])
def test_the_first_escape_comes_when_predicted(name, scale):
    first = escapes(run(getattr(rq.datasets, name)(), scale=scale))[0]
    assert first.made_at == 0.0
    # What neurons lose while they still turn is a time of order one, whatever the scale.
    assert first.predicted <= first.actual <= first.predicted + 6.0
    assert first.direction.kind in ("attractor", "semistable")


def test_saddle_to_saddle_is_foretold_step_by_step():
    traj = run(rq.datasets.zigzag(), scale=1e-30)
    found = escapes(traj)
    assert len(found) == 4
    for escape in found:
        assert escape.predicted == pytest.approx(escape.actual, rel=0.12)
        # Made on a plateau: the loss of that moment holds until half-way.
        middle = (escape.made_at + escape.predicted) / 2
        before, later = np.interp([escape.made_at, middle], traj.t, traj.loss)
        assert later == pytest.approx(before, rel=0.05)
    assert all(one.actual <= other.made_at for one, other in zip(found, found[1:], strict=False))


def test_where_nothing_is_fed_nothing_is_foretold():
    traj = run(rq.datasets.two_points())
    assert next_escape(traj, float(traj.t[-1])) is None
    dead = rq.gradient_flow(rq.ShallowReLU([[0.1, -1.0]], [1.0]), rq.Dataset([0.0, 1.0], [1.0, 2.0]), progress=False)
    assert escapes(dead) == ()


def test_a_run_that_ends_before_leaves_the_moment_open():
    traj = run(rq.datasets.two_points(), scale=1e-30, t_max=50.0)
    (escape,) = escapes(traj)
    assert math.isnan(escape.actual)
    assert escape.predicted > 50.0
