"""A minimiser that does not stop at kinks."""

import numpy as np
import pytest

from reluquant.dynamics.kinked_minimum import kinked_minimum

OPTIONS = {"goal": -np.inf, "gain": 1e-14, "every": 30, "most_steps": 2000}


def test_a_smooth_bowl():
    H = np.diag([1.0, 10.0, 1000.0])
    low = kinked_minimum(lambda x: (0.5 * x @ H @ x, H @ x), np.ones(3), **OPTIONS)
    assert low == pytest.approx(np.zeros(3), abs=1e-6)


def test_the_corner_of_nesterovs_valley():
    # |x₀ - 1|/4 + |x₁ - 2 |x₀| + 1|: kinks along a curve, the minimum is at (1, 1) where two of them meet.
    def valley(x):
        off = x[1] - 2 * abs(x[0]) + 1
        return abs(x[0] - 1) / 4 + abs(off), np.array(
            [np.sign(x[0] - 1) / 4 - 2 * np.sign(off) * np.sign(x[0]), np.sign(off)]
        )

    low = kinked_minimum(valley, np.array([0.3, -0.7]), **OPTIONS)
    assert low == pytest.approx([1.0, 1.0], abs=1e-5)


def test_no_step_rises_and_the_goal_ends_it():
    seen = []

    def bowl(x):
        seen.append(float(x @ x))
        return seen[-1], 2 * x

    low = kinked_minimum(bowl, np.array([3.0, 4.0]), **OPTIONS | {"goal": 1.0})
    assert low @ low <= 1.0
    start = np.array([3.0, 4.0])
    assert np.array_equal(kinked_minimum(bowl, start, **OPTIONS | {"most_steps": 0}), start)


def test_steps_that_gain_little_end_it():
    calls = []

    def slope(x):
        calls.append(x)
        return 1.0 + 1e-9 * float(np.exp(-x[0])), -1e-9 * np.exp(-x)

    kinked_minimum(slope, np.zeros(1), **OPTIONS | {"gain": 1e-3, "every": 5})
    assert len(calls) < 100
