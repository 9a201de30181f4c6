"""Answers to the exercises on MNIST and active neurons: right ones, wrong ones, and what is no answer."""

import numpy as np
import pytest

import reluquant as rq


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (4, "4 neurons cannot have 10 one-hot outputs"),
        (200, "200 is not fewer than the images"),
        (60, "60 is too many"),
    ],
)
def test_wrong_counts_get_a_reason(answer, words):
    assert rq.course.check("09-1", answer).startswith(words)


def test_the_right_count():
    added = rq.greedy_training(rq.datasets.digits(200, split="train"), stop=0.01, rng=0, progress=False).n_added
    assert rq.course.check("09-1", added).startswith("Right: ")
    assert rq.course.check("09-1", added + 1).startswith(f"{added + 1} is too many")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.895, "Right: the mean label takes one tenth"),
        (0.45, "0.45 is the loss itself"),
        (0.1, "0.1 is what the first jump takes away"),
        (0.7, "0.7 is not it"),
    ],
)
def test_the_share_at_the_first_saddle(answer, words):
    assert rq.course.check("09-2", answer).startswith(words)


def test_the_best_constant_leaves_nine_tenths():
    y = rq.datasets.digits(100, split="train").y
    assert np.mean((y - y.mean(axis=0)) ** 2) / np.mean(y**2) == pytest.approx(0.9, abs=1e-9)


@pytest.mark.slow
def test_who_tells_new_images_better():
    more, test = rq.datasets.digits(300, split="train"), rq.datasets.digits(split="test")
    settings = {"widths": (64,), "scale": 1e-4, "share": 0.05, "rng": 0, "progress": False}
    nets = rq.train(more, stop=0.05, **settings).final, rq.greedy_training(more, stop=0.05, rng=0, progress=False).net
    descent, greedy = (float(np.mean(net(test.X).argmax(1) == test.y.argmax(1))) for net in nets)
    assert greedy < descent
    assert rq.course.check("09-3", (descent, greedy)).startswith("Right: ")
    assert "other way round" in rq.course.check("09-3", (greedy, descent))
    assert "training images" in rq.course.check("09-3", (1.0, 1.0))
    assert "share of greedy training is another" in rq.course.check("09-3", (descent, 0.2))


@pytest.mark.parametrize(
    ("exercise", "answer", "error", "words"),
    [
        ("09-1", "ten", TypeError, "the number of neurons must be an integer"),
        ("09-2", "most", TypeError, "the share must be a finite number"),
        ("09-3", 0.9, ValueError, r"asks for two shares, \(descent, greedy\)"),
    ],
)
def test_what_is_no_answer_is_refused(exercise, answer, error, words):
    with pytest.raises(error, match=words):
        rq.course.check(exercise, answer)


def test_percentages_are_no_shares():
    assert rq.course.check("09-3", (91, 73)).startswith("91 is not a share")
