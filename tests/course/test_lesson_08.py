"""Answers to the exercises of lesson 08: right ones, wrong ones, and what is no answer."""

import math

import pytest

import reluquant as rq


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        ("08-1", 0.17, "Right: about 0.17, where m σ² = 12"),
        ("08-1", 0.245, "0.245 is where it happens with 200 neurons"),
        ("08-1", 0.05, "0.05 is 1/√m."),
        ("08-1", 1, "1 is too large: there weights hardly move"),
        ("08-1", 0.001, "0.001 is too small: there weights grow"),
        ("08-2", 0.001266, "Right: 0.001266, which is 2/λ."),
        ("08-2", 0.000633, "0.000633 is 1/λ"),
        ("08-2", 0.0002532, "0.0002532 is too small by n = 5"),
        ("08-2", 1580, "1580 is an eigenvalue"),
        ("08-2", 0.002, "0.002 is too large: the loss explodes"),
        ("08-2", 0.001, "0.001 is too small: more is possible"),
        ("08-3", 217.8, "Right: about 21"),
        ("08-3", math.inf, "The flow never leaves; descent does"),
        ("08-3", 154.0, "154 comes from a decimal logarithm"),
        ("08-3", 112.2, "112.2 is the slope's share alone"),
        ("08-3", 1e6, "1e+06 is too long: look at the times"),
        ("08-3", 300, "300 is too long: fit a line"),
        ("08-3", 142.9, "142.9 is too short: fit a line"),
    ],
)
def test_each_answer_gets_a_reason(exercise, answer, words):
    assert rq.course.check(exercise, answer).startswith(words)


@pytest.mark.parametrize(
    ("exercise", "answer", "error", "words"),
    [
        ("08-1", -0.77, ValueError, "if it is a logarithm, give 10 to that power"),
        ("08-1", "small", TypeError, "the scale must be"),
        ("08-2", 0, ValueError, "the learning rate must be"),
        ("08-3", None, TypeError, "the time must be"),
    ],
)
def test_what_is_no_answer_is_refused(exercise, answer, error, words):
    with pytest.raises(error, match=words):
        rq.course.check(exercise, answer)
