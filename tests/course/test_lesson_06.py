"""Answers to the exercises of lesson 06: right ones, wrong ones, and what is no answer."""

import numpy as np
import pytest

import reluquant as rq

TINY = 1e-4


def neuron(kink, side, sign):
    """A tiny balanced neuron with its kink there, active on the right (side 1) or the left (-1)."""
    w = side * np.array([1.0, -kink])
    return (*(TINY * w / np.linalg.norm(w)), sign * TINY)


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        ("06-1", (4, 0.0106), "Right: 4 directions"),
        ("06-1", [np.int64(4), 0.01063], "Right: 4 directions"),
        ("06-1", (0, 0.0), "Above zero loss there is always a direction that grows"),
        ("06-1", (2, 0.0106), "2 directions it is not: traj.stationary_point.missing has one in each row"),
        ("06-1", (4, 0.053), "0.053 is 5 times too large"),
        ("06-1", (4, 0.00736), "0.00736 is the slowest"),
        ("06-1", (4, 0.5), "4 directions, yes; but 0.5 is none"),
        ("06-2", neuron(0.3, 1, -1), "Right: the loss falls from 0.013943 to 0.009380"),
        ("06-2", neuron(0.3, -1, -1), "Right: the loss falls from 0.013943 to 0.009380"),
        ("06-2", neuron(-0.6, 1, 1), "The loss falls from 0.013943 to 0.011070, but another neuron"),
        ("06-2", neuron(0.8, 1, 1), "No sample activates this neuron"),
        ("06-2", neuron(-2.0, 1, 1), "With this neuron the loss stays at 0.013943"),
        ("06-2", (1.0, 0.0, 1.0), "This neuron has |w| = 1 and |a| = 1; it should be tiny"),
        ("06-2", (1e-4, 0.0, 0.0), "This neuron has |w| = 0.0001 and |a| = 0; it should be tiny"),
        ("06-2", (1e-4, 0.0, 1e-5), "This neuron has |w| = 0.0001 and |a| = 1e-05; make it balanced"),
        ("06-3", -0.527, "Right: y₂ = -y₃ (x̃₃·x̃₁)/(x̃₂·x̃₁) = -0.5273"),
        ("06-3", -0.6, "-0.6 is where a neuron that sees the last point only"),
        ("06-3", 0.527, "0.527 has the wrong sign"),
        ("06-3", -0.4, "-0.4 is too high: at -0.403 the limit still ends with 'spurious'"),
        ("06-3", -0.7, "-0.7 is too low: at -0.697, above it, the limit already fits"),
    ],
)
def test_each_answer_gets_a_reason(exercise, answer, words):
    assert rq.course.check(exercise, answer).startswith(words)


def test_the_threshold_is_where_the_limit_begins_to_fit():
    points = rq.datasets.three_points()
    ends = [
        rq.greedy_limit(rq.Dataset(points.X, [1.1, -0.725 / 1.375 + shift, 0.8]), progress=False).end
        for shift in (1e-3, -1e-3)
    ]
    assert ends == ["spurious", "zero loss"]


@pytest.mark.parametrize(
    ("exercise", "answer", "error", "words"),
    [
        ("06-1", 4, ValueError, r"asks for two numbers, \(how many, rate of the fastest\)"),
        ("06-1", (4, "fast"), TypeError, "the rate of the fastest must be"),
        ("06-2", (1.0, 2.0), ValueError, r"asks for three numbers, \(w, b, a\)"),
        ("06-2", (1.0, 2.0, "a"), TypeError, "a must be"),
        ("06-3", None, TypeError, "the threshold must be"),
    ],
)
def test_what_is_no_answer_is_refused(exercise, answer, error, words):
    with pytest.raises(error, match=words):
        rq.course.check(exercise, answer)
