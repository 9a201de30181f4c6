r"""Which of several boundaries hold a neuron that lies on them: a linear complementarity problem with box bounds.

A neuron on boundaries with unit normals ``ν_i`` would move with ``u`` if all of them were on their inactive side; the
active side of boundary i adds ``e_i ν_i``. Filippov's solution moves with ``v = u + Σ_i c_i ν_i`` where

    ``v·ν_i > 0 ⇒ c_i = e_i``,   ``v·ν_i < 0 ⇒ c_i = 0``,   ``v·ν_i = 0 ⇒ c_i`` between 0 and ``e_i``.

With all ``e_i < 0`` (ridges) v is the shortest vector that can be reached, and unique: a least-squares problem
with bounds, solved by active sets (Stark & Parker 1995, *Comput. Stat.* 10). With some ``e_i > 0`` boundary i pushes
away to a side: from the inactive one, as relu'(0) = 0 has it, unless v itself points to the active one.
"""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.jit import lean_kernel

INACTIVE, HELD, ACTIVE = -1, 0, 1

EPS = 2.0**-52
# A normal whose part outside the others' span is below this adds no direction: it is kept where it is.
DEPENDENT = 1e-10
# Rounding of v·ν.
NOISE = 16 * EPS


@lean_kernel
def add_to_basis(normal, basis, triangle, size):
    """Orthonormalise one more normal; whether it added a direction.

    ``basis`` (p, p): orthonormal rows. ``triangle[:, size]``: the normal in that basis. Twice, because once is not
    orthogonal where normals are close (Giraud & Langou 2005).
    """
    p = normal.size
    if size == p:
        return False
    row = basis[size]
    for c in range(p):
        row[c] = normal[c]
    for l in range(size):
        triangle[l, size] = 0.0
    for _ in range(2):
        for l in range(size):
            along = 0.0
            for c in range(p):
                along += basis[l, c] * row[c]
            triangle[l, size] += along
            for c in range(p):
                row[c] -= along * basis[l, c]
    square = 0.0
    for c in range(p):
        square += row[c] * row[c]
    length = math.sqrt(square)
    if length <= DEPENDENT:
        return False
    triangle[size, size] = length
    for c in range(p):
        row[c] /= length
    return True


@lean_kernel
def _velocity(u, normals, planes, jump, place, size, v):
    """Velocity with the held boundaries still inactive."""
    for c in range(u.size):
        v[c] = u[c]
    for i in range(size):
        if place[i] == ACTIVE:
            for c in range(u.size):
                v[c] += jump[i] * normals[planes[i], c]


@lean_kernel
def _balance(normals, planes, place, share, size, v, basis, triangle, free, goal):
    """Take from ``v`` its part along the held normals; ``goal`` gets the coefficients that do so.

    A normal that adds no direction is no longer held. Returns the number of held boundaries, listed in ``free``.
    """
    # A literal 0 would compile the callee a second time.
    n_free = np.int64(0)
    for i in range(size):
        if place[i] == HELD:
            if add_to_basis(normals[planes[i]], basis, triangle, n_free):
                free[n_free] = i
                n_free += 1
            else:
                place[i], share[i] = INACTIVE, 0.0
    for l in range(n_free):
        along = 0.0
        for c in range(v.size):
            along += basis[l, c] * v[c]
        goal[l] = -along
        for c in range(v.size):
            v[c] -= along * basis[l, c]
    for l in range(n_free - 1, -1, -1):
        for m in range(l + 1, n_free):
            goal[l] -= triangle[l, m] * goal[m]
        goal[l] /= triangle[l, l]
    return n_free


@lean_kernel
def _first_bound(free, n_free, jump, slack, share, goal):
    """How far the coefficients may go towards ``goal``: (part, index in ``free`` of the first at a bound, or -1)."""
    part, first = 1.0, -1
    for l in range(n_free):
        i = free[l]
        high, low = slack[i], min(jump[i], 0.0) - slack[i]
        bound = high if goal[l] > high else low
        if goal[l] > high or goal[l] < low:
            here = (bound - share[i]) / (goal[l] - share[i]) if goal[l] != share[i] else 0.0
            if here < part or first < 0:
                part, first = max(here, 0.0), l
    return part, first


@lean_kernel
def _most_wrong(normals, planes, jump, place, size, v, noise):
    """The boundary whose side contradicts the velocity most, or -1."""
    worst, most = -1, noise
    for i in range(size):
        if place[i] == HELD:
            continue
        rate = 0.0
        for c in range(v.size):
            rate += v[c] * normals[planes[i], c]
        wrong = rate if place[i] == INACTIVE else -rate
        if wrong > most:
            worst, most = i, wrong
    return worst


@lean_kernel
def solve_box(u, normals, planes, size, jump, slack, place, share, v, basis, triangle, free, goal):
    r"""Decide the side of every boundary that a neuron lies on.

    Parameters
    ----------
    u : (p,) float64
        Velocity with all boundaries on their inactive side.
    normals, planes, size : (H, p) float64, (≥ size,) int64, int
        Unit normals, and which of them the neuron lies on.
    jump : (≥ size,) float64
        What the active side adds along the normal.
    slack : (≥ size,) float64
        Noise that a boundary which holds the neuron already forgives; 0 for a fresh one.
    place : (≥ size,) int64
        On entry where each boundary was (``INACTIVE``, ``HELD``, ``ACTIVE``), on return where it is.
    share : (≥ size,) float64
        Filled with ``c_i``.
    v : (p,) float64
        Filled with the velocity.
    basis, triangle, free, goal : (p, p), (p, p) float64, (≥ p,) int64, (≥ p,) float64
        Room.

    Returns
    -------
    bool
        Whether the conditions hold; if not (cycling through degenerate data) the last state is kept.
    """
    noise = 0.0
    for value in u:
        noise += abs(value)
    for i in range(size):
        noise += abs(jump[i])
        if place[i] == HELD and jump[i] > slack[i]:
            place[i] = INACTIVE
        share[i] = 0.5 * min(jump[i], 0.0) if place[i] == HELD else (jump[i] if place[i] == ACTIVE else 0.0)
    noise *= NOISE
    settled = False
    for _ in range(8 * size + 8):
        _velocity(u, normals, planes, jump, place, size, v)
        n_free = _balance(normals, planes, place, share, size, v, basis, triangle, free, goal)
        part, first = _first_bound(free, n_free, jump, slack, share, goal)
        for l in range(n_free):
            i = free[l]
            share[i] += part * (goal[l] - share[i])
        if first >= 0:
            i = free[first]
            place[i] = INACTIVE if goal[first] > 0.0 else ACTIVE
            share[i] = 0.0 if place[i] == INACTIVE else jump[i]
            continue
        worst = _most_wrong(normals, planes, jump, place, size, v, noise)
        if worst < 0:
            settled = True
            break
        place[worst] = -place[worst] if jump[worst] > 0.0 else HELD
    for i in range(size):
        if place[i] != HELD:
            share[i] = jump[i] if place[i] == ACTIVE else 0.0
    return settled
