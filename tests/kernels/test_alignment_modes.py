"""Walks of neurons with several outputs, against an integrator of differential equations and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from reluquant.kernels.alignment_modes import Ends, singular_values, walk_modes
from reluquant.kernels.alignment_walk import ALIGNED, DEAD, REST, Field, Starts
from reluquant.kernels.state_general import OFF, RELEASE, SLIDE


def walk(normals, jump, linear, w, a, side, *, tangent=0.1, two_sided=None, balanced=False, room=0):
    """One neuron; returns fate, time, arrival, direction, output, switches and the log."""
    normals = np.array(normals, dtype=float)
    field = Field(
        normals, np.array(jump, dtype=float), np.array(linear, dtype=float),
        np.ones(len(normals), dtype=bool) if two_sided is None else np.array(two_sided), 1e-15,
    )  # fmt: skip
    starts = Starts(
        np.array([w], dtype=float), np.array([a], dtype=float), np.array([int(balanced)]),
        np.array([side], dtype=np.int8),
    )  # fmt: skip
    ends = Ends(
        np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1), np.zeros((1, len(w))), np.zeros((1, len(a))),
        np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    log = np.zeros((room, 3))
    walk_modes(field, starts, tangent, ends, log, np.array([0, room]))
    return *(array[0] for array in ends), log


@given(st.integers(0, 2**32 - 1))
def test_singular_values_are_those_of_lapack(seed):
    rng = np.random.default_rng(seed)
    p, o = rng.integers(1, 7, 2)
    matrix = rng.standard_normal((p, o))
    if seed % 3 == 0:
        matrix[:, -1] = matrix[:, 0]
    turned, turn, sigma = matrix.copy(), np.zeros((o, o)), np.zeros(o)
    singular_values(turned, turn, sigma)
    np.testing.assert_allclose(sigma[: min(p, o)], np.linalg.svd(matrix, compute_uv=False)[:o], atol=1e-14)
    np.testing.assert_allclose(turn.T @ turn, np.eye(o), atol=1e-14)
    np.testing.assert_allclose(matrix @ turn, turned, atol=1e-14)
    np.testing.assert_allclose(turned.T @ turned, np.diag(sigma**2), atol=1e-13)


@given(st.integers(0, 2**32 - 1))
def test_time_to_come_near_is_that_of_the_equations(seed):
    # No boundary is in the way: only the generator acts.
    rng = np.random.default_rng(seed)
    p, o = int(rng.integers(2, 5)), int(rng.integers(2, 4))
    gamma, w, a = rng.standard_normal((p, o)) / (p * o), rng.standard_normal(p), rng.standard_normal(o)
    fate, _, arrival, direction, output, _, _ = walk(np.zeros((1, p)), np.zeros((1, o)), gamma, w, a, [-1])
    assert fate == ALIGNED
    u, sigma, v = np.linalg.svd(gamma)
    assert abs(direction @ u[:, 0]) == pytest.approx(1, abs=1e-12)
    assert output @ v[0] == pytest.approx(direction @ u[:, 0], abs=1e-12)

    def outside(z):
        along = z[:p] @ direction
        return np.linalg.norm(z[:p] - along * direction) - 0.1 * along

    if arrival == 0.0:
        assert outside(w) <= 0
        return

    def rates(_, z):
        return np.r_[gamma @ z[p:], gamma.T @ z[:p]] - sigma[0] * z

    end = solve_ivp(rates, (0, arrival), np.r_[w, a], rtol=1e-10, atol=1e-12, method="DOP853").y[:, -1]
    assert abs(outside(end)) < 1e-6 * np.linalg.norm(end)


def test_a_boundary_lets_go_when_the_turning_output_weights_no_longer_push():
    # Held at w₁ = 0. Along it a₁ grows with w₂ at the rate 1, and a₂ stays: across it the inactive side pushes with
    # a₂ - a₁/4, the active one with -a₂ - a₁/4; so it is let go to the inactive side when a₁ = 4 a₂.
    generator = [[-0.25, 1], [1, 0]]
    fate, _, _, direction, _, switches, log = walk([[1, 0]], [[0, -2]], generator, [0, 1], [1, 1], [0], room=4)
    assert log[:2, 2].tolist() == [SLIDE, RELEASE]
    assert log[1, 0] == pytest.approx(math.log(4), rel=1e-12)
    assert (fate, switches) == (ALIGNED, 2)
    assert direction[0] < 0


def test_a_slider_with_more_output_weight_comes_to_a_stop():
    # w₂ falls from ½ and a₁ rises from -1: w₂ = 0 where tanh t = ½, whatever a₂ does across.
    fate, time, _, direction, output, _, log = walk(
        [[1, 0]], [[0, -2]], [[0, 1], [1, 0]], [0, 0.5], [-1, 1], [0], room=4
    )
    assert (fate, direction.tolist()) == (REST, [0.0, 0.0])
    assert time == pytest.approx(math.atanh(0.5), rel=1e-12)
    assert log[:2, 2].tolist() == [SLIDE, RELEASE]
    # a₁ is then -√¾.
    np.testing.assert_allclose(output, np.array([-math.sqrt(0.75), 1]) / math.sqrt(1.75), atol=1e-12)


def test_a_neuron_that_leaves_its_only_sample_is_dead():
    # In p = a space of one weight, pushed from x > 0 to w = 0; and in the plane across the boundary.
    fate, time, _, _, _, _, log = walk([[1.0]], [[1.0, 0]], [[0, 0]], [0.5], [-1, 0.3], [1], room=2, two_sided=[False])
    assert (fate, log[0, 2]) == (REST, OFF)
    assert time == pytest.approx(math.atanh(0.5), rel=1e-12)
    fate, time, _, direction, _, _, _ = walk(
        [[1, 0]], [[1.0, 0]], [[0, 0], [0, 0]], [0.5, 0.5], [-1, 0.3], [1], two_sided=[False]
    )
    assert fate == DEAD
    assert time == pytest.approx(math.atanh(0.5), rel=1e-12)
    np.testing.assert_allclose(direction, [0, 1], atol=1e-12)


def test_neurons_of_equal_rates_keep_their_direction():
    # Every direction is singular: w and a grow together, and w turns by nothing but the part that dies out.
    fate, _, _, direction, output, _, _ = walk(np.zeros((1, 2)), np.zeros((1, 2)), np.eye(2) / 4, [3, 1], [1, 2], [-1])
    assert fate == ALIGNED
    np.testing.assert_allclose(direction, [0.8, 0.6], rtol=1e-14)
    np.testing.assert_allclose(output, [0.8, 0.6], rtol=1e-14)


def test_a_log_without_room_loses_rows_and_nothing_else():
    arguments = [[1, 0], [0.6, 0.8]], [[-1, 0.2], [0.5, 0.1]], [[1, 0], [1, 1]], [-1, -2], [3.0, 1.0], [-1, -1]
    with_room, without = walk(*arguments, room=9), walk(*arguments)
    assert with_room[5] > 0
    for one, two in zip(with_room[:6], without[:6], strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_kernel_is_compiled_once():
    if not hasattr(walk_modes, "signatures"):
        pytest.skip("numba is off")
    walk([[1.0]], [[1.0, 0]], [[0.5, 0]], [1.0], [1.0, 0], [1])
    walk([[1, 0, 0]], [[1.0, 0, 0]], 0.1 * np.eye(3), [1, 0, 0], [1.0, 0, 0], [1])
    assert len(walk_modes.signatures) == 1
