"""Answers to the exercises on sectors: right ones found by brute force, wrong ones, and what is no answer."""

import numpy as np
import pytest

import reluquant as rq


def test_the_largest_rate_on_a_grid_is_right():
    data = rq.datasets.three_points()
    angles = np.linspace(0, 2 * np.pi, 2000)
    rates = [
        sum(y * max(x * np.cos(t) + np.sin(t), 0) for x, y in zip(data.X[:, 0], data.y, strict=True)) / 3
        for t in angles
    ]
    assert rq.course.check("02-1", max(rates)).startswith("Right: 0.71497")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (2.1449, "3 times too large"),
        (1.3987, "one over it, which is a time"),
        (1, "are your directions unit vectors"),
        (0.5, "let the grid cover all angles"),
    ],
)
def test_a_wrong_rate_gets_a_reason(answer, words):
    assert words in rq.course.check("02-1", answer)


def test_the_label_at_which_the_attractor_vanishes_is_right():
    def holds(label):
        data = rq.Dataset([-1.2, -0.5, 0.4, 1.1], [1.3, label, 1.1, -1.3])
        return any(d.kind == "attractor" and d.samples == (1,) for d in rq.extremal_directions(data, sign=1))

    labels = np.linspace(-1.1, 0, 1101)
    largest = max(label for label in labels if holds(label))
    assert rq.course.check("02-2", largest).startswith("Right: -0.236")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0, "A label of 0 is too high"),
        (-0.059, "is a residual"),
        (-0.1, "λ would have to be 2.36"),
        (0.3, "does not push positive neurons back"),
        (-1.1, "still holds them, with λ = 0.215"),
    ],
)
def test_a_wrong_label_gets_a_reason(answer, words):
    assert words in rq.course.check("02-2", answer)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((1, -1, 1), "Right: the negative label is outvoted"),
        ([3.0, -4.0, 2.0], "Right"),
        ((1, 1, 1), "None of [1.0, 1.0, 1.0] is negative"),
        ((1, -2.1, 1), "a negative neuron grows as a constant, at the rate 0.0333."),
        ((1, 0.5, -1), "A negative label at an end can never be outvoted"),
    ],
)
def test_labels_are_judged_by_whether_a_negative_neuron_grows(answer, words):
    assert words in rq.course.check("02-3", answer)


@pytest.mark.parametrize(
    ("exercise", "answer", "error", "words"),
    [
        ("02-1", "fast", TypeError, "the largest rate must be"),
        ("02-2", np.nan, ValueError, "the largest label must be"),
        ("02-3", 3, ValueError, "asks for three labels"),
        ("02-3", (1, 2, None), TypeError, "a label must be"),
    ],
)
def test_what_is_no_answer_is_refused(exercise, answer, error, words):
    with pytest.raises(error, match=words):
        rq.course.check(exercise, answer)
