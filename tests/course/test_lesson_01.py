"""Answers to the exercises on one neuron: right ones by the flow itself, wrong ones, and what is no answer."""

import numpy as np
import pytest

import reluquant as rq


def test_the_time_at_which_the_flow_has_learnt_half_is_right():
    net = rq.ShallowReLU([1e-5 * np.array([1, 1]) / np.sqrt(2)], [1e-5])
    run = rq.gradient_flow(net, rq.Dataset([1.0], [3.0]), progress=False)
    times = np.linspace(2, 4, 2001)
    half = times[np.argmax([run.at(t)(1.0) >= 1.5 for t in times])]
    assert rq.course.check("01-1", half).startswith("Right: t = 2.8")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (3.9630, "That would be so for |x̃| = 1"),
        (5.6045, "It is twice as fast"),
        (8.4068, "The rate is proportional to the label"),
        (1.4454, "The size enters squared"),
        (2.0, "t = 2 is too early"),
        (12.0, "t = 12 is too late"),
    ],
)
def test_a_wrong_time_gets_a_reason(answer, words):
    assert words in rq.course.check("01-1", answer)


def test_the_time_that_two_flows_are_held_is_right():
    data, held = rq.Dataset([0.0, 1.0, 2.0], [-6.0, 1.0, 4.0]), []
    for size in (1e-6, 1e-9):
        run = rq.gradient_flow(rq.ShallowReLU([[4 * size, 3 * size]], [5 * size]), data, progress=False)
        assert run.switches["kind"].tolist() == ["slide", "release"]
        held.append(run.switches["time"][1] - run.switches["time"][0])
    assert rq.course.check("01-2", held[1] - held[0]).startswith("Right: 2.3026")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (1.1513, "is half of it"),
        (0, "It is caught at the same moment"),
        (3980, "is far too long"),
        (5, "5 is too long: compare"),
        (2, "2 is too short: compare"),
    ],
)
def test_a_wrong_holding_time_gets_a_reason(answer, words):
    assert words in rq.course.check("01-2", answer)


@pytest.mark.parametrize(("x", "y"), [(0.3, 1.0), (-2.0, -0.5)])
def test_the_share_that_is_counted_after_a_run_is_right(x, y):
    net = rq.ShallowReLU.balanced(n_neurons=1000, scale=1e-6, rng=0)
    run = rq.gradient_flow(net, rq.Dataset([x], [y]), progress=False)
    assert rq.course.check("01-3", rq.quantisation(run, run.t[-1:]).dead[0]).startswith("Right: 75%")


@pytest.mark.parametrize(
    ("answer", "words"), [(0.5, "Half are blind from the start"), (0.25, "alive in the end"), (1, "100% is not it")]
)
def test_a_wrong_share_gets_a_reason(answer, words):
    assert words in rq.course.check("01-3", answer)


@pytest.mark.parametrize(
    ("exercise", "answer", "error"),
    [("01-1", "soon", TypeError), ("01-1", -1.0, ValueError), ("01-2", None, TypeError), ("01-3", 75, ValueError)],
)
def test_what_is_no_answer_is_refused(exercise, answer, error):
    with pytest.raises(error, match="must be a finite number"):
        rq.course.check(exercise, answer)
