"""Answers to the exercises of lesson 04: right ones, wrong ones, and what is no answer."""

import numpy as np
import pytest

import reluquant as rq


def rates(data, **given):
    return sorted(d.rate for d in rq.extremal_directions(data, **given) if d.kind == "attractor")


def saddle(data):
    return (data.y - rq.greedy_limit(data, progress=False).networks[1](data.X)) / data.n_samples


FASTEST = rates(rq.datasets.zigzag())[-1]
FIVE = rq.datasets.five_points()
FIRST = 1 / rates(FIVE)[-1]
SLOWER, FASTER = rates(FIVE, sign=-1)
AT_SADDLE = rates(FIVE, residual=saddle(FIVE), sign=-1)[-1]


@pytest.mark.parametrize(
    ("exercise", "answer", "words"),
    [
        ("04-1", rq.greedy_limit(rq.datasets.zigzag(), progress=False).taus[0], "Right: τ ="),
        ("04-1", FASTEST, "0.1559 is the largest rate; its size is"),
        ("04-1", 0.5 / FASTEST, "3.207 is half of it"),
        ("04-1", 0.2 / FASTEST, "1.283 is 5 times too small: the residual is y/n"),
        ("04-1", 1 / rates(rq.datasets.zigzag())[-2], "8.854 is one over a rate, but another group is faster"),
        ("04-1", 100.0, "100 is not it: look for the largest .rate"),
        ("04-2", 35.7447, "Right: τ = 35.7447"),
        ("04-2", FIRST + 1 / AT_SADDLE, "42.329 would be right for a group of size ε"),
        ("04-2", 1 / FASTER, "58.421 would be right if the first jump had not changed the rates"),
        ("04-2", FIRST + (1 - SLOWER * FIRST) / AT_SADDLE, "37.542 belongs to a group that is behind"),
        ("04-2", FIRST, "13.21 is the first jump"),
        ("04-2", 20.0, "20 is not it: τ₂ = τ₁ +"),
        ("04-3", 67, "Right: 67."),
        ("04-3", np.int64(68), "Right: 67."),
        ("04-3", 32, "32 neurons would do if all had the right sign"),
        ("04-3", 55, "55 neurons are too few: they populate all basins in about 97.6%"),
        ("04-3", 20, "20 neurons are too few: they populate all basins in about 6"),
        ("04-3", 500, "500 neurons are too many"),
    ],
)
def test_each_answer_gets_a_reason(exercise, answer, words):
    assert rq.course.check(exercise, answer).startswith(words)


def test_the_width_is_right_to_within_one_neuron():
    directions = rq.extremal_directions(rq.datasets.zigzag(4))
    basins = [(d.sign, *d.basin) for d in directions if d.kind == "attractor"]
    draw, draws = np.random.default_rng(0), 400_000
    # Neurons are added one at a time: when has each network one in every basin?
    there = np.zeros((draws, len(basins)), dtype=bool)
    share = []
    for _ in range(68):
        angle, sign = draw.uniform(0, 2 * np.pi, draws), draw.choice([-1, 1], draws)
        for j, (own, first, last) in enumerate(basins):
            there[:, j] |= (sign == own) & ((angle - first) % (2 * np.pi) < last - first)
        share.append(there.all(axis=1).mean())
    # One neuron changes it by 0.0007 or more, four of its standard deviations of 0.00016; the check takes 66 to 68 too.
    assert share[64] < 0.99 < share[67]
    right = [rq.course.check("04-3", width).startswith("Right") for width in (65, 66, 68, 69)]
    assert right == [False, True, True, False]


@pytest.mark.parametrize(
    ("exercise", "answer", "error", "words"),
    [
        ("04-1", "soon", TypeError, "the time of the first jump must be"),
        ("04-1", -1.0, ValueError, "the time of the first jump must be"),
        ("04-2", None, TypeError, "the time of the second jump must be"),
        ("04-3", 66.5, TypeError, "the smallest width must be an integer"),
        ("04-3", 0, ValueError, "the smallest width must be an integer of at least 1"),
    ],
)
def test_what_is_no_answer_is_refused(exercise, answer, error, words):
    with pytest.raises(error, match=words):
        rq.course.check(exercise, answer)
