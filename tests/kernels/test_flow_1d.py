"""The parts of the 1-D flow kernel against slow, obvious computations."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from reluquant.kernels import field_1d, flow_1d, neuron_1d, sectors_1d, status

PACE = flow_1d.FIRST_PACE
# The three Radau points, in closed form (Hairer & Wanner, IV.5).
NODES = np.array([(4 - 6**0.5) / 10, (4 + 6**0.5) / 10, 1.0])
finite = st.floats(-1e6, 1e6, allow_nan=False)


def _points(x, y):
    x, y = np.asarray(x, float), np.asarray(y, float)
    return np.column_stack([x, np.full(x.size, 1 / x.size), y, np.hypot(x, 1)])


def _generators(x, r):
    """g of each of the 2n sectors by looking at a direction inside: (2n, 2)."""
    n = len(x)
    patterns = [np.arange(n) >= c for c in range(n + 1)] + [np.arange(n) < k for k in range(1, n)]
    return np.array([[np.sum(r * x * on), np.sum(r * on)] for on in patterns])


@given(finite, finite, finite)
def test_exact_sign_is_the_sign_of_the_exact_number(w, b, x):
    # Products of numbers below 1e-150 underflow, which the docstring excludes.
    w, b, x = (0.0 if abs(v) < 1e-100 else v for v in (w, b, x))
    exact = Fraction(w) * Fraction(x) + Fraction(b)
    assert sectors_1d.exact_sign(w, b, x) == (exact > 0) - (exact < 0)


@given(finite, finite)
def test_exact_sign_sees_one_bit(w, x):
    w, x = (1.0 if abs(v) < 1e-100 else v for v in (w, x))
    b = -(w * x)
    exact = Fraction(w) * Fraction(x) + Fraction(b)
    assert sectors_1d.exact_sign(w, b, x) == (exact > 0) - (exact < 0)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_locate_names_the_sector_whose_pattern_the_neuron_has(n):
    rng = np.random.default_rng(n)
    x = np.sort(rng.normal(size=n))
    Z = rng.normal(size=(200, 3))
    mode = np.empty(200, dtype=np.int64)
    sectors_1d.locate(_points(x, x), Z, mode)
    patterns = [np.arange(n) >= c for c in range(n + 1)] + [np.arange(n) < k for k in range(1, n)]
    for (w, b, _), c in zip(Z, mode, strict=True):
        assert np.array_equal(patterns[c], w * x + b > 0)
    assert set(mode) == set(range(2 * n))


def test_locate_puts_a_neuron_on_its_ray_and_zero_weights_at_rest():
    Z = np.array([[2.0, -1.0, 1.0], [-2.0, 1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 3.0, 1.0]])
    mode = np.empty(4, dtype=np.int64)
    sectors_1d.locate(_points([0.0, 0.5, 1.0], [0, 0, 0]), Z, mode)
    assert mode.tolist() == [6 + 1, 6 + 3 + 1, sectors_1d.AT_REST, 0]


def test_neighbouring_sectors_of_a_ray_differ_in_its_point_only():
    n = 4
    patterns = [set(range(c, n)) for c in range(n + 1)] + [set(range(k)) for k in range(1, n)]
    for ray in range(2 * n):
        live, dead = sectors_1d.active_sector(ray, n), sectors_1d.inactive_sector(ray, n)
        assert patterns[live] - patterns[dead] == {ray % n}
        assert patterns[dead] <= patterns[live]


def test_apply_is_the_lorentz_map_that_the_generator_exponentiates_to():
    rng = np.random.default_rng(3)
    for _ in range(20):
        g, z = rng.normal(size=2), rng.normal(size=3)
        S = expm(0.5 * np.array([[g[0], g[1]], [g[1], -g[0]]]))
        full = expm(np.array([[0, 0, g[0]], [0, 0, g[1]], [g[0], g[1], 0]]))
        moved = neuron_1d.apply(*S.ravel(), *z)
        np.testing.assert_allclose(moved, full @ z, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(neuron_1d._back(*S.ravel(), *moved), z, rtol=1e-10, atol=1e-10)


def _advance(points, Z, sign, t_max, capacity=200, tolerance=1e-12, order=15):
    E, mode = np.zeros(len(Z), dtype=np.int64), np.empty(len(Z), dtype=np.int64)
    sectors_1d.locate(points, Z, mode)
    times, losses, events = np.zeros(capacity + 1), np.zeros(capacity + 1), np.zeros((1000, 5))
    control = np.array([t_max, -1.0, tolerance, 1e-30, 0.0])
    why, steps, n_events = flow_1d.advance(
        points, Z, E, sign, mode, control, PACE.copy(), NODES, order, times, losses, events
    )
    return why, times[: steps + 1], losses[: steps + 1], events[:n_events], mode, E


def test_a_step_without_switches_is_the_solution_of_the_smooth_ode():
    """Neurons deep inside their sectors against DOP853 on all weights."""
    x, y = np.array([-1.0, 0.2, 0.9]), np.array([0.5, -0.3, 1.0])
    Z = np.array([[1.0, 3.0, 0.7], [-0.4, 2.0, -1.1], [2.0, -1.2, 0.4]])
    on = (Z[:, :1] * x + Z[:, 1:2]) > 0

    def velocity(_, flat):
        w, b, a = flat.reshape(3, 3).T
        r = (y - a @ (on * (w[:, None] * x + b[:, None]))) / 3
        g = np.column_stack([on @ (r * x), on @ r])
        return np.column_stack([a * g[:, 0], a * g[:, 1], w * g[:, 0] + b * g[:, 1]]).ravel()

    exact = solve_ivp(velocity, (0, 0.15), Z.ravel(), method="DOP853", rtol=1e-13, atol=1e-14).y[:, -1].reshape(3, 3)
    assert np.array_equal((exact[:, :1] * x + exact[:, 1:2]) > 0, on)
    why, times, _, events, _, E = _advance(_points(x, y), Z, np.zeros(3, dtype=np.int64), 0.15)
    assert (why, times[-1], len(events)) == (status.REACHED_T_MAX, 0.15, 0)
    np.testing.assert_allclose(np.ldexp(Z, E[:, None].astype(np.int32)), exact, rtol=1e-11)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_generators_are_the_masked_sums(n):
    rng = np.random.default_rng(n)
    x, r = np.sort(rng.normal(size=n)), rng.normal(size=n)
    # With no neurons the residual is weight · target.
    field = _field(_points(x, n * r))
    np.testing.assert_allclose(field.generator[:, :, 0], _generators(x, r), atol=1e-14)
    assert np.array_equal(field.generator[n, :, 0], [0.0, 0.0])


def _field(points, order=4):
    n2 = 2 * len(points)
    empty = (np.zeros((n2, 6, order + 1)), np.zeros((n2, 2, order + 1)))
    field = field_1d.empty_field(points, order, 1e-9, 0.0)
    field_1d.fill_residual(field, *empty, 0, 1.0, np.empty((n2, 2)))
    return field


def test_a_full_event_buffer_stops_before_the_step_that_does_not_fit():
    x = np.linspace(-1, 1, 7)
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(50, 3))
    Z[:, 2] = np.hypot(Z[:, 0], Z[:, 1])
    E, mode = np.full(50, -20), np.empty(50, dtype=np.int64)
    points = _points(x, np.sin(3 * x))
    sectors_1d.locate(points, Z, mode)
    before = Z.copy(), mode.copy()
    times, losses = np.zeros(9), np.zeros(9)
    sign, control = np.ones(50, dtype=np.int64), np.array([50.0, -1, 1e-11, 0, 0])
    why, steps, n_events = flow_1d.advance(
        points, Z, E, sign, mode, control, PACE.copy(), NODES, 12, times, losses, np.empty((1, 5))
    )
    assert (why, steps, n_events) == (status.EVENTS_FULL, 0, 0)
    assert np.array_equal(Z, before[0])
    assert np.array_equal(mode, before[1])
