"""Implicit steps for stiff tails: the residual as the polynomial that the network it moves gives back. See `flow_1d`.

Near its end a flow is stiff: close points and heavy clusters relax fast, what is left moves slowly, and the Taylor
series of the residual reaches only as far as the fastest relaxation. Here the residual is instead a polynomial
``R(θ)`` of degree ``s - 1`` through ``s`` Radau points of the step, and the unknowns are its values there: they must
be the residual of the network that has been carried to those points by ``R`` itself, exactly as the neurons are
carried afterwards. A simplified Newton iteration finds them, with the tangent kernel ``K`` of the start of the step:
``(I + unit K ⊗ A) ΔR = defect``, ``A`` the integrals of the Lagrange polynomials. For small movements this is the
Radau IIA method, which damps what is faster than the step.

References: E. Hairer & G. Wanner (1996), *Solving Ordinary Differential Equations II*, IV.5 and IV.8.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.kernels.field_1d import fill_generators, map_at, ready_place, spread_output
from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.neuron_1d import apply
from reluquant.kernels.polynomials import horner
from reluquant.kernels.sectors_1d import EPS, inactive_sector

# Newton corrections are carried on until they are this share of the tolerance, which they would otherwise add to.
NEWTON_SHARE = 0.1
# A correction that shrinks by less than this factor will not arrive within the bound on iterations.
SLOWEST_CONVERGENCE = 0.5
MOST_ITERATIONS = 12
# Rounding of a residual, in units of that of its largest term: corrections below it are noise.
ROUNDINGS = 16.0


class Tail(NamedTuple):
    """What implicit steps need; arrays are filled in place. n inputs, s Radau points.

    Arrays
    ------
    nodes (s,): the Radau points, the last is 1. coefficients (s, s): of the Lagrange polynomials, by power and node.
    integrals (s, s): A, row by row from 0 to a node. system (n, s, s), pivots (n, s): factors of each mode's matrix.
    rates (n,), modes (n, n), comodes (n, n): ``K = modes · diag(rates) · comodes``.
    old (n, s), old_unit (1,): the polynomial of the last step, whose end is here; 0 if there is none.
    iterations (1,): how many the last polynomial took. start (n,): the residual at θ = 0.
    values, found, defect (n, s): R at the nodes, what the network gives there, and the difference.
    """

    nodes: np.ndarray
    coefficients: np.ndarray
    integrals: np.ndarray
    system: np.ndarray
    pivots: np.ndarray
    rates: np.ndarray
    modes: np.ndarray
    comodes: np.ndarray
    old: np.ndarray
    old_unit: np.ndarray
    iterations: np.ndarray
    start: np.ndarray
    values: np.ndarray
    found: np.ndarray
    defect: np.ndarray


@kernel
def prepare_tail(nodes, n):
    """Make the tables of a tail for given Radau points and ``n`` inputs."""
    s = nodes.size
    coefficients, integrals = np.zeros((s, s)), np.zeros((s, s))
    for j in range(s):
        # Π (θ - c_i)/(c_j - c_i), factor by factor.
        coefficients[0, j] = 1.0
        for i in range(s):
            if i != j:
                for power in range(s - 1, -1, -1):
                    below = coefficients[power - 1, j] if power > 0 else 0.0
                    coefficients[power, j] = (below - nodes[i] * coefficients[power, j]) / (nodes[j] - nodes[i])
        for l in range(s):
            for power in range(s):
                integrals[l, j] += coefficients[power, j] * nodes[l] ** (power + 1) / (power + 1)
    return Tail(
        nodes,
        coefficients,
        integrals,
        np.zeros((n, s, s)),
        np.zeros((n, s), np.int64),
        np.zeros(n),
        np.zeros((n, n)),
        np.zeros((n, n)),
        np.zeros((n, s)),
        np.zeros(1),
        np.zeros(1),
        np.zeros(n),
        np.zeros((n, s)),
        np.zeros((n, s)),
        np.zeros((n, s)),
    )


@lean_kernel
def begin(field, tail):
    """Keep the residual at θ = 0, and make room for a polynomial instead of a Taylor series."""
    n, order = field.residual.shape
    for k in range(n):
        tail.start[k] = field.residual[k, 0]
    for i in range(tail.nodes.size, order):
        for k in range(n):
            field.residual[k, i] = 0.0
        for c in range(2 * n):
            field.generator[c, 0, i], field.generator[c, 1, i] = 0.0, 0.0


@lean_kernel
def keep(field, tail, unit):
    """Keep the polynomial of a step of length ``unit`` for a guess at that of the next."""
    n, s = tail.old.shape
    for k in range(n):
        for i in range(s):
            tail.old[k, i] = field.residual[k, i]
    tail.old_unit[0] = unit


@kernel
def fill_tangent_kernel(field, tail, sector_moments, ray_moments):
    """Diagonalise the tangent kernel ``dr/dt = -K r`` of the present network; it is similar to a symmetric matrix."""
    points, rays = field.points, field.rays
    n = points.shape[0]
    # Σ (w wᵀ + a²) over the neurons of each pattern: (11, 12, 22).
    response = np.zeros((2 * n, 3))
    for c in range(2 * n):
        m = sector_moments[c, :, 0]
        response[c, 0] += m[0] + m[5]
        response[c, 1] += m[1]
        response[c, 2] += m[2] + m[5]
        d, energy = inactive_sector(c, n), 2.0 * ray_moments[c, 1, 0]
        response[d, 0] += energy * rays[c, 0] * rays[c, 0]
        response[d, 1] += energy * rays[c, 0] * rays[c, 1]
        response[d, 2] += energy * rays[c, 1] * rays[c, 1]
    # What two points share: suffix patterns up to the smaller, prefix patterns beyond the larger.
    for c in range(1, n):
        for e in range(3):
            response[c, e] += response[c - 1, e]
    for c in range(2 * n - 2, n, -1):
        for e in range(3):
            response[c, e] += response[c + 1, e]
    symmetric = np.empty((n, n))
    for k in range(n):
        for l in range(k + 1):
            p11, p12, p22 = response[l, 0], response[l, 1], response[l, 2]
            if k < n - 1:
                above = n + k + 1
                p11, p12, p22 = p11 + response[above, 0], p12 + response[above, 1], p22 + response[above, 2]
            value = points[k, 0] * (p11 * points[l, 0] + p12) + p12 * points[l, 0] + p22
            symmetric[k, l] = value * math.sqrt(points[k, 1] * points[l, 1])
            symmetric[l, k] = symmetric[k, l]
    rates, vectors = np.linalg.eigh(symmetric)
    for k in range(n):
        root = math.sqrt(points[k, 1])
        # Rounding of a singular matrix is not growth.
        tail.rates[k] = max(rates[k], 0.0)
        for l in range(n):
            tail.modes[k, l] = root * vectors[k, l]
            tail.comodes[l, k] = vectors[k, l] / root


@lean_kernel
def _fill_polynomial(field, tail, unit):
    """Residual and generators of the step from the values at the nodes."""
    n, s = tail.values.shape
    for i in range(s):
        for k in range(n):
            # Relative to the value at the end, so that a slow polynomial suffers rounding of its changes only.
            end = tail.values[k, s - 1]
            total = end if i == 0 else 0.0
            for l in range(s - 1):
                total += tail.coefficients[i, l] * (tail.values[k, l] - end)
            field.residual[k, i] = total
        fill_generators(field, i, unit)
    field.ready[:] = False


@lean_kernel
def _moved_output(field, sector_moments, ray_moments, moving, theta, output):
    """Σ a w per sector of the network that the field has carried to θ, switches apart."""
    n2 = field.rays.shape[0]
    n = n2 // 2
    for c in range(n2):
        m = sector_moments[c, :, 0]
        output[c, 0], output[c, 1] = m[3], m[4]
        if moving[c] and c != n:
            p, q, r, t = map_at(field.maps, c, theta)
            # The Lorentz map, column by column: where (w, b, a) go.
            ww, bw, aw = apply(p, q, r, t, 1.0, 0.0, 0.0)
            wb, bb, ab = apply(p, q, r, t, 0.0, 1.0, 0.0)
            wa, ba, aa = apply(p, q, r, t, 0.0, 0.0, 1.0)
            along_w = m[0] * aw + m[1] * ab + m[3] * aa
            along_b = m[1] * aw + m[2] * ab + m[4] * aa
            along_a = m[3] * aw + m[4] * ab + m[5] * aa
            output[c, 0] = ww * along_w + wb * along_b + wa * along_a
            output[c, 1] = bw * along_w + bb * along_b + ba * along_a
    for ray in range(n2):
        product = ray_moments[ray, 0, 0]
        if moving[n2 + ray]:
            gain = 2.0 * horner(field.slides[ray], theta)
            product = product * math.cosh(gain) + ray_moments[ray, 1, 0] * math.sinh(gain)
        c = inactive_sector(ray, n)
        output[c, 0] += product * field.rays[ray, 0]
        output[c, 1] += product * field.rays[ray, 1]


@lean_kernel
def _find(field, tail, sector_moments, ray_moments, moving, output):
    """Residual at the nodes of the network that the present polynomial carries."""
    for place in range(moving.size):
        if moving[place]:
            ready_place(field, place)
    for l in range(tail.nodes.size):
        _moved_output(field, sector_moments, ray_moments, moving, tail.nodes[l], output)
        spread_output(field.points, output, True, tail.found, l)


# Loops here and below, not numpy's products: compiling those took a sixth of all compile time.
@lean_kernel
def _multiply(left, right, product):
    """Write the product of two matrices."""
    for i in range(left.shape[0]):
        for l in range(right.shape[1]):
            product[i, l] = 0.0
        for k in range(left.shape[1]):
            for l in range(right.shape[1]):
                product[i, l] += left[i, k] * right[k, l]


@lean_kernel
def factorise(matrix, pivots):
    """Turn a matrix into its triangular factors, with the rows exchanged that ``pivots`` tells."""
    s = pivots.size
    for i in range(s):
        best = i
        for l in range(i + 1, s):
            if abs(matrix[l, i]) > abs(matrix[best, i]):
                best = l
        pivots[i] = best
        for j in range(s):
            matrix[i, j], matrix[best, j] = matrix[best, j], matrix[i, j]
        for l in range(i + 1, s):
            matrix[l, i] /= matrix[i, i]
            for j in range(i + 1, s):
                matrix[l, j] -= matrix[l, i] * matrix[i, j]


@lean_kernel
def solve(factors, pivots, right):
    """Turn ``right`` into the solution of ``matrix x = right``, given the factors of the matrix."""
    s = pivots.size
    for i in range(s):
        right[i], right[pivots[i]] = right[pivots[i]], right[i]
    for i in range(s):
        for j in range(i):
            right[i] -= factors[i, j] * right[j]
    for i in range(s - 1, -1, -1):
        for j in range(i + 1, s):
            right[i] -= factors[i, j] * right[j]
        right[i] /= factors[i, i]


@lean_kernel
def _factorise_modes(tail, unit):
    """Factorise Newton's matrix of each mode, for steps of this length."""
    s = tail.nodes.size
    for k in range(tail.rates.size):
        for l in range(s):
            for j in range(s):
                tail.system[k, l, j] = unit * tail.rates[k] * tail.integrals[l, j] + (1.0 if l == j else 0.0)
        factorise(tail.system[k], tail.pivots[k])


@lean_kernel
def _correct(tail):
    """Turn the defect into the Newton correction, in place, mode by mode; ``found`` is spent."""
    _multiply(tail.comodes, tail.defect, tail.found)
    for k in range(tail.rates.size):
        solve(tail.system[k], tail.pivots[k], tail.found[k])
    _multiply(tail.modes, tail.found, tail.defect)


@lean_kernel
def _off_at_start(field, tail, unit):
    """How far the generators are off at θ = 0, where the polynomial is free, as their mean over the step counts it."""
    # A transient of rate λ that the polynomial leaves out integrates to 1/λ only.
    points, modes, total = field.points, tail.found, 0.0
    n = points.shape[0]
    for k in range(n):
        modes[k, 0] = 0.0
        for l in range(n):
            modes[k, 0] += tail.comodes[k, l] * (field.residual[l, 0] - tail.start[l])
        modes[k, 0] /= 1.0 + unit * tail.rates[k]
    for k in range(n):
        off = 0.0
        for l in range(n):
            off += tail.modes[k, l] * modes[l, 0]
        total += abs(off) * points[k, 3]
    return total


@lean_kernel
def collocate(field, tail, sector_moments, ray_moments, moving, unit, output):
    """Find the polynomial of one implicit step of length ``unit``, starting from ``tail.values``.

    Returns (whether the iteration converged, error). The error is what the tolerance bounds: that of any map S, which
    is at most half the integral of the error of a generator.
    """
    points = field.points
    n, s, size = points.shape[0], tail.nodes.size, 0.0
    for place in range(moving.size):
        n2 = field.rays.shape[0]
        if place < n2:
            size += sector_moments[place, 0, 0] + sector_moments[place, 2, 0] + sector_moments[place, 5, 0]
        else:
            size += 2.0 * ray_moments[place - n2, 1, 0]
    rounding = 0.0
    for k in range(n):
        rounding += ROUNDINGS * EPS * points[k, 1] * (abs(points[k, 2]) + size * points[k, 3]) * points[k, 3]
    rounding *= 0.5 * unit
    goal = max(NEWTON_SHARE * field.tolerance, rounding)
    before, converged = np.inf, False
    _factorise_modes(tail, unit)
    for iteration in range(MOST_ITERATIONS):
        tail.iterations[0] = iteration + 1.0
        _fill_polynomial(field, tail, unit)
        _find(field, tail, sector_moments, ray_moments, moving, output)
        for k in range(n):
            for l in range(s):
                tail.defect[k, l] = tail.found[k, l] - tail.values[k, l]
        _correct(tail)
        change = 0.0
        for k in range(n):
            largest = 0.0
            for l in range(s):
                if not math.isfinite(tail.defect[k, l]):
                    return False, np.inf
                tail.values[k, l] += tail.defect[k, l]
                largest = max(largest, abs(tail.defect[k, l]))
            change += 0.5 * unit * largest * points[k, 3]
        converged = change <= goal
        if converged or not change <= SLOWEST_CONVERGENCE * before:
            break
        before = change
    _fill_polynomial(field, tail, unit)
    # At θ = 0 the polynomial is free: how far it is off tells its error.
    error = 0.5 * unit * _off_at_start(field, tail, unit)
    # What rounding alone makes of it no shorter step would mend: over a given time it adds up to the same.
    return converged, max(0.0, error - rounding)
