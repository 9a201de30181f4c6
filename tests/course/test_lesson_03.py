"""Answers to the exercises on alignment: right ones by the flow itself, wrong ones, and what is no answer."""

import numpy as np
import pytest

import reluquant as rq


def test_the_difference_of_two_flows_is_right():
    data, times = rq.datasets.zigzag(), []
    for scale in (1e-10, 1e-20):
        net = rq.ShallowReLU.balanced(n_neurons=300, scale=scale, rng=3)
        run = rq.gradient_flow(net, data, progress=False)
        times.append(np.interp(-0.99 * run.loss[0], -run.loss, run.t))
    assert rq.course.check("03-1", times[1] - times[0]).startswith("Right: 147.70, ten decades")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (73.85, "the two cancel"),
        (29.54, "rates are 5 times smaller"),
        (64.15, "natural logarithm is 23.03"),
        (295.4, "how much later than the first"),
        (203.9, "a slower group has this rate"),
        (7.0, "7 is not it: the fastest direction"),
    ],
)
def test_a_wrong_time_gets_a_reason(answer, words):
    assert words in rq.course.check("03-1", answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (10, "Right: measured 9.59, and 10 by the formula"),
        (1.0, "m light neurons add up"),
        (100, "100 is what ten times the scale would do"),
        (3.16, "√10 is by how much the scale"),
        (40, "40 is not it: divide"),
    ],
)
def test_a_factor_gets_a_reason(answer, words):
    assert words in rq.course.check("03-2", answer)


def valley():
    data = rq.Dataset([-1.2, -0.5, 0.4, 1.1], [1.3, -1.1, 1.1, -1.3])
    (found,) = (d for d in rq.extremal_directions(data, sign=1) if d.kind == "repeller" and not d.samples)
    return found.angle


@pytest.mark.parametrize(
    ("offset", "words"),
    [
        (1e-7, "Right: it aligns at t = 58.6"),
        (-1e-7 + 4 * np.pi, "Right: it dies at t = 62.8"),
        (0.0, "Exactly on a repeller it rests for ever"),
        (1e-3, "it is aligned at t = 22.1. Go nearer"),
        (-1e-3, "it is dead at t = 26"),
        (-1.75, "it sees no sample"),
    ],
)
def test_a_neuron_is_late_only_beside_the_round_valley(offset, words):
    assert words in rq.course.check("03-3", valley() + offset)


@pytest.mark.parametrize(
    ("exercise", "answer", "error"),
    [("03-1", None, TypeError), ("03-2", 0, ValueError), ("03-3", "late", TypeError), ("03-3", np.inf, ValueError)],
)
def test_what_is_no_answer_is_refused(exercise, answer, error):
    with pytest.raises(error, match="must be a finite number"):
        rq.course.check(exercise, answer)
