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


def test_networks_that_have_all_four_directions_are_right():
    data = rq.Dataset([-1.0, -0.4, 0.3, 1.0], [1.0, -0.5, 0.8, -0.4])
    starts = [rq.ShallowReLU.balanced(n_neurons=10, scale=1e-6, rng=seed) for seed in range(20)]
    present = [set(rq.predict_alignment(start, data).direction) - {-1} for start in starts]
    assert rq.course.check("00-2", sum(len(found) == 4 for found in present)).startswith("Right: 2 of 20")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (20, "Not all 20 fit"),
        (0, "Some do fit"),
        (1, "1 is too few: draw with rng=0 to rng=19"),
        (7, "7 is too many"),
    ],
)
def test_a_number_of_narrow_networks_gets_a_reason(answer, words):
    assert rq.course.check("00-2", answer).startswith(words)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([1.0, -1.0, 1.0, -1.0], "Right: the network of 300 neurons is within"),
        ((0.7, -0.9, 0.5, -0.6), "Right"),
        ((-1.0, -0.4, 0.3, 1.0), "These labels are on a line"),
        ((0, 0, 0, 0), "These labels are on a line"),
        ((1.0, -0.5, 0.8, -0.4), "The network passes through the points, but is 0.1"),
        ((1.0, 0.5, 0.8, -0.4), "With these labels the network does not pass"),
    ],
)
def test_labels_are_judged_by_a_run(answer, words):
    assert rq.course.check("00-3", answer).startswith(words)


@pytest.mark.parametrize(
    ("exercise", "answer", "error", "words"),
    [
        ("99-9", 1, ValueError, "There is no exercise '99-9'; there are 00-1"),
        ("00-1", 870, ValueError, r"asks for two numbers, \(directions, kinks\)"),
        ("00-1", ("many", 3), TypeError, "the number of directions must be an integer"),
        ("00-1", (12, -3), ValueError, "the number of kinks must be an integer of at least 0"),
        ("00-2", 21, ValueError, "the number of networks must be an integer from 0 to 20"),
        ("00-2", 0.1, TypeError, "the number of networks must be an integer"),
        ("00-3", (1, 2, 3), ValueError, "asks for four labels"),
        ("00-3", (1, 2, 3, 1e9), ValueError, "a label must be a finite number"),
    ],
)
def test_what_is_no_answer_is_refused(exercise, answer, error, words):
    with pytest.raises(error, match=words):
        rq.course.check(exercise, answer)
