"""Answers to the exercises: right ones, wrong ones, and what is no answer."""

import pytest

import reluquant as rq


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((4, 284), "4 directions are as few as a tiny start leaves"),
        ((870, 4), "4 kinks are as few as a tiny start leaves"),
        ((300, 284), "300 directions are too few: sort the masses"),
        ((5000, 284), "5000 directions are too many"),
        ((870, 900), "900 kinks are too many: count the breakpoints of simplify"),
        ((870, 20), "20 kinks are too few"),
        ([870, 284], "Right: a start of scale 1 keeps about"),
    ],
)
def test_each_answer_gets_a_reason(answer, words):
    assert rq.course.check("00-1", answer).startswith(words)


@pytest.mark.parametrize(
    ("exercise", "answer", "error", "words"),
    [
        ("99-9", 1, ValueError, "There is no exercise '99-9'; there are 00-1"),
        ("00-1", 870, ValueError, r"asks for two numbers, \(directions, kinks\)"),
        ("00-1", ("many", 3), TypeError, "the number of directions must be an integer"),
        ("00-1", (12, -3), ValueError, "the number of kinks must be an integer of at least 0"),
    ],
)
def test_what_is_no_answer_is_refused(exercise, answer, error, words):
    with pytest.raises(error, match=words):
        rq.course.check(exercise, answer)
