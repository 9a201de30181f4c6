"""Answers to the exercises of lesson 07: right ones, wrong ones, and what is no answer."""

import numpy as np
import pytest

import reluquant as rq


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        ("07-1", (7, 11), "Right: 7 and 11."),
        ("07-1", [11, 7], "Turn them round: the function has 7 pieces"),
        ("07-1", (7, 22), "22 is the count for 6 lines in general position"),
        ("07-1", (11, 11), "11 cells are right. Add up the jumps"),
        ("07-1", (9, 11), "11 cells are right, 9 pieces are not"),
        ("07-1", (7, 10), "7 pieces are right, 10 cells are not"),
        ("07-1", (3, 5), "(3, 5) is not it: draw the lines"),
        ("07-2", 16, "Right: 16 of 64, 4 for each half"),
        ("07-2", 64, "64 are all triangulations of the grid"),
        ("07-2", 4, "4 is the number for one side of the kink"),
        ("07-2", 8, "8 adds the 4 triangulations of each side"),
        ("07-2", 20, "20 are too many: list them"),
        ("07-2", 1, "1 are too few: list them"),
        ("07-3", (1, 1, 0, 0), "Right: it is"),
        ("07-3", [0, 0, 1, 1], "Right: it is"),
        ("07-3", np.array([2.0, 0.0, 0.0, 0.0]), "Right: it is"),
        ("07-3", (1, -1, 0.5, -0.5), "With these labels both interpolants are one plane"),
        ("07-3", (1, -1, 0.3, -0.1), "With these labels both interpolants are only 0.1 apart"),
        ("07-3", (1, 1, -1, -1), "The network fits, and is 1 and 1 from the two interpolants"),
    ],
)
def test_each_answer_gets_a_reason(exercise, answer, words):
    assert rq.course.check(exercise, answer).startswith(words)


@pytest.mark.parametrize(
    ("exercise", "answer", "error", "words"),
    [
        ("07-1", 7, ValueError, r"asks for two numbers, \(pieces, cells\)"),
        ("07-1", ("seven", 11), TypeError, "the number of pieces must be an integer"),
        ("07-2", -1, ValueError, "the number of triangulations must be an integer of at least 0"),
        ("07-3", (1, 1, 0), ValueError, "asks for four labels"),
        ("07-3", ("a", "b", "c", "d"), TypeError, "labels"),
        ("07-3", (1e6, 0, 0, 0), ValueError, "within ±100"),
    ],
)
def test_what_is_no_answer_is_refused(exercise, answer, error, words):
    with pytest.raises(error, match=words):
        rq.course.check(exercise, answer)
