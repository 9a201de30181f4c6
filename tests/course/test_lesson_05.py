"""Answers to the exercises of lesson 05: right ones, wrong ones, and what is no answer."""

import pytest

import reluquant as rq


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        ("05-1", (4, 1), "Right: 4 and 1."),
        ("05-1", [1, 4], "Turn them round: 4 groups are on data points and 1 is not"),
        ("05-1", (312, 1), "312 is the number of neurons, or more"),
        ("05-1", (4, 0), "One is missing"),
        ("05-1", (3, 2), "(3, 2) is not it: census.on_data"),
        ("05-2", 72, "Right: 72 points. In truth the interpolant then errs by 9.7"),
        ("05-2", 71, "71 is the number of gaps"),
        ("05-2", 37, "37 would do on an interval of length 1"),
        ("05-2", 142, "142 are too many: with R = h/2"),
        ("05-2", 24, "24 would do for sin(x)"),
        ("05-2", 50, "50 points are too few: there the bound is 2.06e-03"),
        ("05-2", 100, "100 points are more than needed: there the bound is 5.03e-04"),
        ("05-3", 2, "Right: 2."),
        ("05-3", 2.005, "Right: 2.005."),
        ("05-3", 4, "4 is too large (4 is the label of the case"),
        ("05-3", 2.5, "2.5 is too large: with y₂ = 2.49 the kink is let go at t ="),
        ("05-3", 1.8, "1.8 is too small: with y₂ = 1.81 the kink is still held"),
    ],
)
def test_each_answer_gets_a_reason(exercise, answer, words):
    assert rq.course.check(exercise, answer).startswith(words)


@pytest.mark.parametrize(
    ("exercise", "answer", "error", "words"),
    [
        ("05-1", 5, ValueError, r"asks for two numbers, \(on data points, in gaps\)"),
        ("05-1", ("four", 1), TypeError, "the number of groups on data points must be an integer"),
        ("05-2", 1, ValueError, "the number of points must be an integer of at least 2"),
        ("05-3", "two", TypeError, "the largest label must be"),
    ],
)
def test_what_is_no_answer_is_refused(exercise, answer, error, words):
    with pytest.raises(error, match=words):
        rq.course.check(exercise, answer)
