"""The box LCP of sliding against its own conditions, and against scipy's bounded least squares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from reluquant.kernels.box_lcp import ACTIVE, HELD, INACTIVE, solve_box

# Numbers are of order one and at most eight are added: some hundred roundings.
ROUNDING = 1e-9


def _solve(u, normals, jump, place, slack=0.0):
    u, normals = np.array(u, float), np.array(normals, float).reshape(-1, len(u))
    q, p = normals.shape
    place, share, v = np.array(place, dtype=np.int64), np.zeros(q), np.zeros(p)
    settled = solve_box(
        u, normals, np.arange(q), q, np.array(jump, float), np.full(q, slack), place, share, v,
        np.zeros((p, p)), np.zeros((p, p)), np.zeros(p, dtype=np.int64), np.zeros(p),
    )  # fmt: skip
    return settled, place, share, v


@pytest.mark.parametrize(
    ("g", "shares", "velocity"),
    [((1, 1, 1), (0.25, 0.625), (0, 0, 1)), ((0, 1, 1), (0, 0.4), (-0.48, 0.36, 1))],
)
def test_two_ridges_in_three_dimensions(g, shares, velocity):
    # Two rows of theory.md §5, solved by hand there: a = 1, r = -(1, 2), λ = c / (a r |x|²).
    for start in [(HELD, HELD), (INACTIVE, ACTIVE), (ACTIVE, ACTIVE)]:
        settled, _, share, v = _solve(g, [[1, 0, 0], [0.6, 0.8, 0]], [-1, -2], start)
        assert settled
        assert np.allclose(share / np.array([-1.0, -2.0]), shares, atol=1e-14)
        assert np.allclose(v, velocity, atol=1e-14)


def _random(seed):
    rng = np.random.default_rng(seed)
    p, q = rng.integers(1, 6), rng.integers(1, 8)
    normals = rng.normal(size=(q, p))
    normals /= np.linalg.norm(normals, axis=1)[:, None]
    return rng, rng.normal(size=p), normals, rng.exponential(size=q), rng.integers(-1, 2, q)


@given(st.integers(0, 10**6))
def test_ridges_give_the_shortest_velocity(seed):
    _, u, normals, size, place = _random(seed)
    settled, _, share, v = _solve(u, normals, -size, place)
    shortest = lsq_linear(normals.T, -u, bounds=(-size - 1e-300, 1e-300), method="bvls", tol=1e-14)
    assert settled
    assert np.allclose(v, u + share @ normals, atol=ROUNDING)
    assert np.linalg.norm(v) <= np.linalg.norm(u + normals.T @ shortest.x) + ROUNDING


@given(st.integers(0, 10**6))
def test_every_side_agrees_with_the_velocity(seed):
    rng, u, normals, size, place = _random(seed)
    jump = size * rng.choice([-1, 1], size.size)
    settled, place, share, v = _solve(u, normals, jump, place)
    rate = normals @ v
    assert settled
    assert np.allclose(v, u + share @ normals, atol=ROUNDING)
    assert np.all(rate[place == ACTIVE] > -ROUNDING)
    assert np.all(rate[place == INACTIVE] < ROUNDING)
    assert np.all(np.abs(rate[place == HELD]) < ROUNDING)
    assert np.array_equal(share[place == ACTIVE], jump[place == ACTIVE])
    assert not np.any(share[place == INACTIVE])
    # Only a ridge holds.
    assert np.all((jump[place == HELD] <= share[place == HELD]) & (share[place == HELD] <= 0))


def test_from_a_valley_a_neuron_leaves_to_the_inactive_side():
    _, place, _, v = _solve([-1.0], [[1.0]], [3.0], [HELD])
    assert place.tolist() == [INACTIVE]
    assert v.tolist() == [-1.0]


def test_three_collinear_samples_hold_along_their_common_line():
    # The third normal lies in the span of the others.
    third = np.array([1.0, 1.0, 0.0]) / np.sqrt(2)
    settled, _, _, v = _solve([1, 1, 1], [[1, 0, 0], [0, 1, 0], third], [-2, -2, -1], [HELD, HELD, ACTIVE])
    assert settled
    assert np.allclose(v, [0, 0, 1], atol=1e-14)


def test_noise_does_not_release_what_is_held():
    beyond = -1e-12
    assert _solve([beyond], [[1.0]], [-1.0], [HELD], slack=1e-10)[1].tolist() == [HELD]
    assert _solve([beyond], [[1.0]], [-1.0], [HELD])[1].tolist() == [INACTIVE]
