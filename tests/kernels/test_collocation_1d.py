"""The parts of the implicit steps against textbook tables, loops over neurons, and a solver for all weights."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.polynomial import Polynomial
from scipy.integrate import solve_ivp

from reluquant.kernels import collocation_1d, field_1d, sectors_1d
from tests.kernels.test_flow_1d import _field as empty_field

ROOT6 = 6**0.5
# Hairer & Wanner, IV.5, table 5.6: Radau IIA of order 5.
NODES = np.array([(4 - ROOT6) / 10, (4 + ROOT6) / 10, 1.0])
RADAU_5 = np.array([
    [(88 - 7 * ROOT6) / 360, (296 - 169 * ROOT6) / 1800, (-2 + 3 * ROOT6) / 225],
    [(296 + 169 * ROOT6) / 1800, (88 + 7 * ROOT6) / 360, (-2 - 3 * ROOT6) / 225],
    [(16 - ROOT6) / 36, (16 + ROOT6) / 36, 1 / 9],
])  # fmt: skip


def radau(s):
    """The right Radau points: roots of P_s - P_{s-1}, from the derivative of x^{s-1} (1 - x)^s (Rodrigues)."""
    product = Polynomial([0, 1]) ** (s - 1) * Polynomial([1, -1]) ** s
    return np.sort(np.append(product.deriv(s - 1).roots().real[: s - 1], 1.0))


def integrals(nodes):
    """∫₀^{c_l} of each Lagrange polynomial, by numpy's polynomials."""
    table = np.empty((nodes.size, nodes.size))
    for j, node in enumerate(nodes):
        others = np.delete(nodes, j)
        lagrange = Polynomial.fromroots(others) / np.prod(node - others)
        table[:, j] = lagrange.integ()(nodes)
    return table


# ------------------------------------------------------------------------------------------------------ tables


@pytest.mark.parametrize("nodes", [NODES, radau(4), radau(6)], ids=["3", "4", "6"])
def test_the_integrals_are_radaus_matrix(nodes):
    matrix = collocation_1d.prepare_tail(nodes, 2).integrals
    # Tables of up to six nodes have condition numbers below 1e5.
    np.testing.assert_allclose(matrix, integrals(nodes), atol=1e-11)
    if nodes is NODES:
        np.testing.assert_allclose(matrix, RADAU_5, atol=1e-13)


@pytest.mark.parametrize("s", [1, 2, 7])
def test_elimination_solves_also_where_pivots_vanish(s):
    rng = np.random.default_rng(s)
    matrix, right = rng.normal(size=(s, s)) + 3.0 * np.eye(s)[::-1], rng.normal(size=s)
    if s > 1:
        matrix[0, 0] = 0.0
    x = right.copy()
    factors, pivots = matrix.copy(), np.zeros(s, dtype=np.int64)
    collocation_1d.factorise(factors, pivots)
    collocation_1d.solve(factors, pivots, x)
    np.testing.assert_allclose(x, np.linalg.solve(matrix, right), atol=1e-12)


@pytest.mark.parametrize("s", [2, 3, 5])
def test_the_coefficients_are_those_of_the_lagrange_polynomials(s):
    tail = collocation_1d.prepare_tail(radau(s), 1)
    values = np.polynomial.polynomial.polyval(radau(s), tail.coefficients)
    np.testing.assert_allclose(values, np.eye(s), atol=1e-11)


# --------------------------------------------------------------------------------------------- networks of all kinds


def problem(seed, n=5, m=12, n_sliders=4):
    """Distinct inputs with weights, and neurons: some in sectors, some on rays (which is where sliders are)."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1.2, 1.2, n))
    weight = rng.uniform(0.5, 1.5, n) / n
    points = np.column_stack([x, weight, rng.normal(size=n), np.hypot(x, 1.0)])
    Z = rng.normal(size=(m, 3))
    mode = np.empty(m, dtype=np.int64)
    for j in range(n_sliders):
        # Inner samples: beyond an outer one a ray may touch the dead sector.
        k, way = int(rng.integers(1, n - 1)), rng.choice([-1.0, 1.0])
        Z[j, :2] = abs(Z[j, 0]) * way * np.array([1.0, -x[k]])
    sectors_1d.locate(points, Z, mode)
    for j in range(n_sliders):
        if mode[j] < 2 * n:
            # The rounding of w x was not zero.
            k = int(np.argmin(np.abs(Z[j, 0] * x + Z[j, 1])))
            mode[j] = 2 * n + (k if Z[j, 0] > 0 else k + n)
    return points, Z, mode


def active(points, Z, mode):
    """Pattern of every neuron; a slider is inactive on its own sample. And the sample it is held on, or -1."""
    n = len(points)
    on = Z[:, :1] * points[:, 0] + Z[:, 1:2] > 0
    held = np.where(mode >= 2 * n, (mode - 2 * n) % n, -1)
    on[held >= 0, held[held >= 0]] = False
    return on, held


def sums(points, Z, mode, order):
    n2 = 2 * len(points)
    rays = np.empty((n2, 2))
    for ray in range(n2):
        x = points[ray % len(points), 0]
        rays[ray] = (1 if ray < len(points) else -1) * np.array([1.0, -x]) / np.hypot(x, 1.0)
    sector, ray, occupied = np.zeros((n2, 6, order + 1)), np.zeros((n2, 2, order + 1)), np.zeros(2 * n2, np.bool_)
    field_1d.moments(Z, np.zeros(len(Z), np.int64), mode, rays, sector, ray, occupied)
    return rays, sector, ray, occupied


def field_of(points, rays, order, tolerance):
    return empty_field(points, order)._replace(rays=rays, tolerance=tolerance)


def velocity(points, Z, on, held):
    """Right-hand side, neuron by neuron: a slider moves along its ray."""
    inputs = np.column_stack([points[:, 0], np.ones(len(points))])
    f = sum(z[2] * on_j * (inputs @ z[:2]) for z, on_j in zip(Z, on, strict=True))
    r = points[:, 1] * (points[:, 2] - f)
    rate = np.empty_like(Z)
    for j, (z, on_j) in enumerate(zip(Z, on, strict=True)):
        g = (r * on_j) @ inputs
        if held[j] >= 0:
            normal = inputs[held[j]] / np.linalg.norm(inputs[held[j]])
            g = g - (g @ normal) * normal
        rate[j, :2], rate[j, 2] = z[2] * g, z[:2] @ g
    return rate, r


@pytest.mark.parametrize("seed", range(6))
def test_the_tangent_kernel_is_how_the_residual_moves(seed):
    """dr/dt = -K r, with dr/dt from the velocities of all neurons, for as many residuals as there are samples."""
    points, Z, mode = problem(seed)
    n = len(points)
    on, held = active(points, Z, mode)
    rays, sector, ray, _ = sums(points, Z, mode, 3)
    tail = collocation_1d.prepare_tail(NODES, n)
    collocation_1d.fill_tangent_kernel(field_of(points, rays, 3, 1e-9), tail, sector, ray)
    kernel = tail.modes @ np.diag(tail.rates) @ tail.comodes
    np.testing.assert_allclose(tail.modes @ tail.comodes, np.eye(n), atol=1e-12)
    assert np.all(tail.rates >= 0)
    inputs = np.column_stack([points[:, 0], np.ones(n)])
    for k in range(n):
        # Labels that make the residual the k-th unit vector.
        f = np.array([on[:, i] @ (Z[:, 2] * (Z[:, :2] @ inputs[i])) for i in range(n)])
        aimed = points.copy()
        aimed[:, 2] = f + np.eye(n)[k] / points[:, 1]
        rate, r = velocity(aimed, Z, on, held)
        np.testing.assert_allclose(r, np.eye(n)[k], atol=1e-12)
        moved = sum(
            on[j] * (rate[j, 2] * (inputs @ Z[j, :2]) + Z[j, 2] * (inputs @ rate[j, :2])) for j in range(len(Z))
        )
        np.testing.assert_allclose(kernel @ r, points[:, 1] * moved, atol=1e-11 * np.max(tail.rates))


# -------------------------------------------------------------------------------------------------- a whole step


# Of the series of the maps S, which the polynomial gives: enough that truncating them does not show.
TERMS = 24


def one_step(points, Z, mode, unit, nodes, tolerance):
    """Start from the residual at θ = 0, held constant. Returns (converged, error, residual at the nodes)."""
    n = len(points)
    rays, sector, ray, occupied = sums(points, Z, mode, TERMS)
    field, output = field_of(points, rays, TERMS, tolerance), np.empty((2 * n, 2))
    field_1d.fill_residual(field, sector, ray, 0, 1.0, output)
    tail = collocation_1d.prepare_tail(nodes, n)
    tail.start[:] = field.residual[:, 0]
    tail.values[:] = tail.start[:, None]
    collocation_1d.fill_tangent_kernel(field, tail, sector, ray)
    converged, error = collocation_1d.collocate(field, tail, sector, ray, occupied, unit, output)
    return converged, error, tail.values


def exact_residual(points, Z, mode, times):
    """DOP853 on all weights, patterns as at the start."""
    on, held = active(points, Z, mode)
    flat = solve_ivp(
        lambda _, z: velocity(points, z.reshape(-1, 3), on, held)[0].ravel(),
        (0.0, times[-1]),
        Z.ravel(),
        "DOP853",
        times,
        rtol=1e-12,
        atol=1e-13,
    ).y
    return np.column_stack([velocity(points, z.reshape(-1, 3), on, held)[1] for z in flat.T])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("s", [3, 5])
def test_the_residual_at_the_nodes_is_that_of_the_flow_in_the_order_of_radau(seed, s):
    points, Z, mode = problem(seed)
    nodes, units = radau(s), np.array([0.02, 0.01, 0.005])
    errors = []
    for unit in units:
        converged, _, values = one_step(points, Z, mode, unit, nodes, 1e-12)
        assert converged
        errors.append(np.abs(values - exact_residual(points, Z, mode, unit * nodes)).max(axis=0))
    errors = np.array(errors)
    # The defect vanishes at the nodes, so that one step is off by h^(s+1) at the inner ones and by h^(2s) at the end
    # (Hairer & Wanner, IV.5). Halving divides by as much, less than an order short, until the error is lost in the
    # Newton iteration and in DOP853.
    for column, power in ((slice(0, s - 1), s + 1), (s - 1, 2 * s)):
        e = errors[:, column].reshape(3, -1).max(axis=1)
        for coarse, fine in zip(e, e[1:], strict=False):
            assert fine < max(coarse / 2 ** (power - 0.6), 1e-12), (power, e)
    assert errors[-1].max() < 1e-5


@pytest.mark.parametrize("unit", [0.005, 0.01, 0.02, 0.05])
@pytest.mark.parametrize("seed", range(4))
def test_the_error_that_is_told_covers_that_of_the_integral_of_the_residual(seed, unit):
    # What a map S suffers: half the integral of the error of a generator, over the whole step.
    points, Z, mode = problem(seed)
    converged, told, values = one_step(points, Z, mode, unit, NODES, 1e-12)
    assert converged
    theta = np.linspace(0.0, 1.0, 41)
    polynomial = np.polynomial.polynomial.polyfit(NODES, values.T, 2)
    found = np.polynomial.polynomial.polyval(theta, polynomial)
    exact = exact_residual(points, Z, mode, unit * theta)
    off = np.trapezoid(np.abs(found - exact).T @ points[:, 3], unit * theta)
    # Told is the error at θ = 0, where it is largest, as if it were that everywhere: 2.4 to 4.2 times too much.
    assert 0.5 * off < told < 5 * off


def test_a_fast_relaxation_is_damped_as_radau_damps_it():
    # One heavy aligned neuron: its residual relaxes at the rate (|w|² + a²) |x̃|², 250 times within the step.
    x, size, unit = 0.5, 100.0, 0.02
    length = np.hypot(x, 1.0)
    points = np.array([[x, 1.0, 1.0, length]])
    Z = np.array([[size * x / length, size / length, (1.0 + 1e-8) / (size * length)]])
    z = -unit * (size**2 + Z[0, 2] ** 2) * length**2
    converged, error, values = one_step(points, Z, np.zeros(1, np.int64), unit, NODES, 1e-6)
    assert converged
    # The stability function R(z) = 1 + z bᵀ (I - z A)⁻¹ 1, b the last row of A; about -3/z, where e^z is nothing.
    stability = 1 + z * RADAU_5[2] @ np.linalg.solve(np.eye(3) - z * RADAU_5, np.ones(3))
    assert abs(stability) < 0.02
    start = 1.0 - (1.0 + 1e-8)
    assert values[0, -1] == pytest.approx(start * stability, rel=1e-4)
    # A transient that integrates to start/rate is no reason to make the step shorter.
    assert error < 0.5 * 10 * abs(start) / -z * unit * length


def test_a_step_that_is_too_long_is_told_not_to_converge_or_to_be_wrong():
    points, Z, mode = problem(1)
    converged, error, _ = one_step(points, Z, mode, 50.0, NODES, 1e-9)
    assert not converged or not error < 1e-6
