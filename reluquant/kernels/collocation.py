r"""The residual of one step as a polynomial through Radau nodes, and Newton's method for its values there.

A perturbation ΔR(τ) of the residual that drives the network changes the residual that the network then has by
``-h V K ∫ΔR``, K being the tangent kernel ``Σ_θ ∂f/∂θ ∂f/∂θᵀ`` and V the curvature of the loss. At the nodes ∫ is
Radau's matrix A, so Newton's equation for the residual's values is ``(I + h A ⊗ V K) ΔR = defect``. With ``V = B Bᵀ``
it follows from the eigenvalues of ``Bᵀ K B``, whatever h is.

Only matrix products and eigenvalues: numpy is as fast here as compiled code.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from reluquant.kernels.box_lcp import ACTIVE, HELD
from reluquant.kernels.series_general import span_held
from reluquant.kernels.state_general import LIGHTEST

# Groups whose kernels are summed by one matrix product.
STACK = 64


class Tables(NamedTuple):
    """Radau's quadrature on [0, 1], right end included.

    Arrays
    ------
    nodes (s,). to_power (s, s): coefficients of the polynomial with given values at the nodes.
    integrals (s, s): of the polynomial from 0 to each node.
    """

    nodes: np.ndarray
    to_power: np.ndarray
    integrals: np.ndarray


class Newton(NamedTuple):
    """The eigenvalues of ``Bᵀ K B`` (N = n·o) and what leads to them and back.

    Arrays
    ------
    rates (N,). analyse (N, N): Qᵀ Bᵀ K. build (N, N): B Q.
    """

    rates: np.ndarray
    analyse: np.ndarray
    build: np.ndarray


@cache
def radau(n_nodes: int) -> Tables:
    """Nodes and matrices of Radau's quadrature with the right end as a node; kept, so take copies to write to."""
    legendre = np.polynomial.legendre.Legendre.basis
    nodes = 0.5 * (np.sort((legendre(n_nodes) - legendre(n_nodes - 1)).roots().real) + 1)
    nodes[-1] = 1.0
    to_power = np.linalg.inv(nodes[:, None] ** np.arange(n_nodes))
    return Tables(nodes, np.ascontiguousarray(to_power), np.ascontiguousarray(integrals(to_power, nodes)))


def integrals(to_power, moments):
    """Integrals from 0 to some moments (k,) of the polynomial with given values at the nodes: (k, s)."""
    degrees = np.arange(1, len(to_power) + 1)
    return (moments[:, None] * moments[:, None] ** (degrees - 1) / degrees) @ to_power


def tangent_kernel(problem, neurons, groups, n_groups, room, trains_offset):
    """The tangent kernel (n, o, n, o) of the neurons in the groups, at the start of a step."""
    n, o, p = problem.plane.size, problem.labels.shape[1], problem.normals.shape[1]
    inputs = problem.stretch[:, None] * problem.normals[problem.plane] * (problem.plane >= 0)[:, None]
    result = np.zeros((n, o, n, o))
    for first in range(0, n_groups, STACK):
        size = min(STACK, n_groups - first)
        left, right = np.zeros((size, p, n, o, o)), np.zeros((size, p, n))
        for i in range(size):
            members = groups.members[groups.start[first + i] : groups.start[first + i + 1]]
            side = neurons.side[members[0]]
            scale = np.ldexp(1.0, np.maximum(neurons.exponent[members], LIGHTEST).astype(np.int32))
            scale *= neurons.exponent[members] > LIGHTEST
            w, a = neurons.z[:p, members] * scale, neurons.z[p:, members] * scale
            across = np.eye(p)
            if np.any(side == HELD):
                n_held = span_held(problem.normals, side, room.basis, room.triangle, room.held)
                across -= room.basis[:n_held].T @ room.basis[:n_held]
            # ∂f/∂a is the same for all outputs, ∂f/∂w is not.
            middle = np.multiply.outer(across, a @ a.T) + np.multiply.outer(w @ w.T, np.eye(o))
            there = side[problem.plane]
            on = (there != HELD) & ((there == ACTIVE) == (problem.stretch > 0))
            seen = inputs * on[:, None]
            left[i] = np.einsum("kc,cdql->dkql", seen, middle)
            right[i] = seen.T
        product = np.tensordot(left, right, axes=([0, 1], [0, 1]))
        result += product.transpose(0, 1, 3, 2)
    if trains_offset:
        result += np.eye(o)[None, :, None, :]
    return result


def newton_for(kernel, bends):
    """Eigenvalues from the tangent kernel (n, o, n, o) and the curvatures (n, o, o) of the loss."""
    n, o = bends.shape[:2]
    values, vectors = np.linalg.eigh(bends)
    half = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    turned = np.einsum("kql,kqme->klme", half, kernel)
    product = np.einsum("klme,meq->klmq", turned, half).reshape(n * o, n * o)
    rates, vectors = np.linalg.eigh(0.5 * (product + product.T))
    build = np.einsum("kql,kle->kqe", half, vectors.reshape(n, o, n * o)).reshape(n * o, n * o)
    return Newton(np.maximum(rates, 0.0), vectors.T @ turned.reshape(n * o, n * o), build)


def newton_update(newton, tables, h, defect):
    """Newton's correction of the values (s, n·o) at the nodes for a defect."""
    s = tables.nodes.size
    modes = newton.analyse @ defect.T
    systems = np.eye(s) + h * newton.rates[:, None, None] * tables.integrals
    modes = h * np.linalg.solve(systems, modes[:, :, None])[:, :, 0] @ tables.integrals.T
    return defect - (newton.build @ modes).T
