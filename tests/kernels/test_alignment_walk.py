"""Pieces of a walk in a frozen field, against an integrator of differential equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from reluquant.kernels.alignment_walk import ALIGNED, REST, Ends, Field, Starts, walk_all


def walk(normals, jump, linear, w, a, side, *, tangent=0.1, two_sided=None, balanced=False, room=0):
    """One neuron; returns fate, time, arrival, direction, sign, switches and the log."""
    normals = np.array(normals, dtype=float)
    field = Field(
        normals, np.array(jump, dtype=float), np.array(linear, dtype=float),
        np.ones(len(normals), dtype=bool) if two_sided is None else np.array(two_sided), 1e-15,
    )  # fmt: skip
    starts = Starts(
        np.array([w], dtype=float), np.array([a], dtype=float), np.array([int(balanced)]),
        np.array([side], dtype=np.int8),
    )  # fmt: skip
    whole = [np.zeros(1, dtype=np.int64) for _ in range(3)]
    ends = Ends(whole[0], np.zeros(1), np.zeros(1), np.zeros((1, len(w))), whole[1], whole[2])
    log = np.zeros((room, 3))
    walk_all(field, starts, tangent, ends, log, np.array([0, room]))
    return *(array[0] for array in ends), log


@given(st.integers(0, 2**32 - 1))
def test_time_to_come_near_is_that_of_the_equations(seed):
    # No boundary is in the way: only h acts.
    rng = np.random.default_rng(seed)
    p = int(rng.integers(2, 5))
    h, w, a = rng.standard_normal(p) / p, rng.standard_normal(p), rng.standard_normal()
    fate, _, arrival, direction, sign, _, _ = walk(np.zeros((1, p)), [0.0], h, w, a, [-1])
    assert fate == ALIGNED
    np.testing.assert_allclose(direction, sign * h / np.linalg.norm(h), atol=1e-12)

    def outside(_, z):
        along = z[:p] @ direction
        return np.linalg.norm(z[:p] - along * direction) - 0.1 * along

    if arrival == 0.0:
        assert outside(0, w) <= 0
        return
    solution = solve_ivp(
        lambda _, z: np.r_[z[p] * h, z[:p] @ h], (0, arrival), np.r_[w, a], rtol=1e-10, atol=1e-12, method="DOP853"
    )
    end = solution.y[:, -1]
    assert abs(outside(0, end)) < 1e-6 * np.linalg.norm(end)
    assert np.sign(end[p]) == sign


def test_a_slider_that_meets_a_second_boundary_is_held_by_both():
    # Along both of them only the third direction is left.
    normals = [[1, 0, 0], [0.6, 0.8, 0]]
    fate, _, _, direction, _, switches, log = walk(
        normals, [-2, -2], [1, 1, 1], [-1, -2, 0.5], 4.0, [-1, -1], room=4, two_sided=[True, True]
    )
    assert (fate, switches) == (ALIGNED, 2)
    np.testing.assert_allclose(direction, [0, 0, 1], atol=1e-14)
    assert log[:2, 2].tolist() == [2, 2]
    assert log[0, 0] < log[1, 0]


def test_an_unbalanced_slider_is_let_go_when_its_output_weight_passes_zero():
    # Held at w₁ = 0 while w₂ falls from 1 and a rises from -½: a = 0 where tanh t = ½. Then both sides push away.
    fate, _, _, direction, sign, _, log = walk([[1, 0]], [1.0], [-0.5, 1.0], [0, 1], -0.5, [0], room=4)
    assert fate == ALIGNED
    assert sign == 1
    assert log[0].tolist() == [0.0, 0.0, 2.0]
    assert log[1, 2] == 3.0
    assert log[1, 0] == pytest.approx(math.atanh(0.5), rel=1e-12)
    assert direction[0] < 0


def test_a_slider_with_more_output_weight_comes_to_a_stop():
    fate, time, _, direction, _, _, log = walk([[1, 0]], [1.0], [-0.5, 1.0], [0, 0.5], -1.0, [0], room=4)
    assert (fate, direction.tolist()) == (REST, [0.0, 0.0])
    assert time == pytest.approx(math.atanh(0.5), rel=1e-12)
    assert log[1, 2] == 3.0


def test_a_log_without_room_loses_rows_and_nothing_else():
    arguments = [[1, 0], [0.6, 0.8]], [-1, 0.5], [1, 1], [-1, -2], 3.0, [-1, -1]
    with_room, without = walk(*arguments, room=9), walk(*arguments)
    assert with_room[5] > 0
    for one, two in zip(with_room[:6], without[:6], strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_kernel_is_compiled_once():
    if not hasattr(walk_all, "signatures"):
        pytest.skip("numba is off")
    walk([[1.0]], [1.0], [0.5], [1.0], 1.0, [1])
    walk([[1, 0, 0]], [1.0], [0.5, 0, 0], [1, 0, 0], 1.0, [1])
    assert len(walk_all.signatures) == 1
