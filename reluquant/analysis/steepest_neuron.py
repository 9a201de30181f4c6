"""The direction in which a tiny neuron grows fastest: a search, for data of any size."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reluquant.structures.arrays import Floats

# Of each kind: samples, gradients of their patterns, boundaries of samples, and random directions.
STARTS = 24
# A bound that is never met on data of a few hundred dimensions: each round at least doubles or halves its step.
MOST_ROUNDS = 300
# Steps along the great circle towards the gradient, as shares of the way; below it a start has arrived.
LEAST_STEP = 1e-6
# Two rates that differ by less are one.
SAME_RATE = 1e-12


class Steepest(NamedTuple):
    """The best direction that was found.

    Attributes
    ----------
    w : ndarray, shape (p,)
        Unit vector of input weights.
    output : ndarray, shape (n_outputs,)
        Unit vector of output weights: for one output its sign.
    rate : float
        ``|Σ_k r_k relu(w·x_k)|``: a balanced tiny neuron grows like ``exp(rate · t)`` there.
    """

    w: Floats
    output: Floats
    rate: float


def steepest_neuron(inputs: Floats, residuals: Floats, *, rng: np.random.Generator) -> Steepest:
    """Search the unit vector w with the largest ``|Σ_k r_k relu(w·x_k)|``.

    From samples, gradients, boundaries and random directions, each climbs towards the gradient of its pattern by steps
    that adapt to what they gain. A maximum on a boundary between patterns is approached like any other.

    Parameters
    ----------
    inputs : ndarray, shape (n_samples, p)
        As neurons see them: with a 1 appended if they have a bias.
    residuals : ndarray, shape (n_samples, n_outputs)
        ``r_k = -∂L/∂f(x_k)``.
    rng : numpy.random.Generator
        Source of the starts.

    Returns
    -------
    Steepest
        Its rate is a lower bound of the largest: among finitely many local maxima a search may miss the best.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 3: extremal directions are critical points of this
    function on the sphere.

    Examples
    --------
    >>> import numpy as np
    >>> from reluquant.analysis.steepest_neuron import steepest_neuron
    >>> found = steepest_neuron(np.eye(2), np.array([[1.0], [-2.0]]), rng=np.random.default_rng(0))
    >>> found.w.round(6), found.output, round(found.rate, 6)
    (array([0., 1.]), array([-1.]), 2.0)
    """
    w = _starts(inputs, residuals, rng)
    rate, gradient = _rates(inputs, residuals, w)
    step = np.ones(len(w))
    for _ in range(MOST_ROUNDS):
        climbing = step > LEAST_STEP
        if not climbing.any():
            break
        moved = _unit((1 - step[climbing, None]) * w[climbing] + step[climbing, None] * _unit(gradient[climbing]))
        higher, slopes = _rates(inputs, residuals, moved)
        better = higher > rate[climbing] * (1 + SAME_RATE)
        chosen = np.flatnonzero(climbing)
        gained = chosen[better]
        w[gained], rate[gained], gradient[gained] = moved[better], higher[better], slopes[better]
        step[chosen] = np.where(better, np.minimum(1.0, 2 * step[chosen]), 0.5 * step[chosen])
    best = int(rate.argmax())
    growth = np.maximum(inputs @ w[best], 0.0) @ residuals
    size = float(np.linalg.norm(growth))
    return Steepest(w[best], growth / size if size > 0 else np.zeros_like(growth), size)


def _starts(inputs: Floats, residuals: Floats, rng: np.random.Generator) -> Floats:
    heavy = np.linalg.norm(residuals, axis=1)
    # Samples that miss their label by most come first.
    largest = np.argsort(-heavy, kind="stable")[:STARTS]
    both = np.concatenate([inputs[largest], -inputs[largest]])
    _, gradients = _rates(inputs, residuals, both)
    random = rng.standard_normal((2, STARTS, inputs.shape[1]))
    # On the boundary of a sample that is missed by much: cones between neighbours are too narrow to be met by chance.
    normal = _unit(inputs[rng.choice(len(inputs), STARTS, p=heavy / heavy.sum() if heavy.any() else None)])
    edges = random[0] - np.sum(random[0] * normal, axis=1, keepdims=True) * normal
    starts = np.concatenate([both, gradients, edges, -edges, random[1]])
    return _unit(starts[np.linalg.norm(starts, axis=1) > 0])


def _rates(inputs: Floats, residuals: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Return ``|G(w)|`` and its gradient within the pattern of each w (m, p)."""
    depth = inputs @ w.T
    growth = np.maximum(depth, 0.0).T @ residuals
    rate = np.linalg.norm(growth, axis=1)
    outputs = growth / np.where(rate == 0.0, 1.0, rate)[:, None]
    return rate, ((depth > 0) * (residuals @ outputs.T)).T @ inputs


def _unit(rows: Floats) -> Floats:
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(sizes == 0.0, 1.0, sizes)
