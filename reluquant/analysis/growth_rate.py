"""How fast tiny neurons grow in each direction, and on the circle which way they turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU


def growth_rate(directions: ArrayLike, data: Dataset, residual: ArrayLike) -> Floats:
    """Return ``G(u) = Σ_k r_k relu(u·x̃_k)``: a balanced neuron grows by ``d ln|w|/dt = sign(a) G(u)``.

    Parameters
    ----------
    directions : array_like, shape (n_directions, p)
        Unit vectors of input weights, the bias, if there is one, last.
    data : Dataset
        One output.
    residual : array_like, shape (n_samples,)
        ``r_k = -∂L/∂f(x_k)``.

    Returns
    -------
    ndarray, shape (n_directions,)

    Notes
    -----
    G is itself a ReLU network: its neurons are the samples, its inputs the directions. Neurons with a positive output
    weight climb it, others go down. Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 3.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.growth_rate import growth_rate
    >>> data = rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0])
    >>> growth_rate([[0.0, 1.0], [1.0, 0.0]], data, data.y)
    array([0.5, 1. ])
    """
    return frozen(ShallowReLU(data.inputs, np.asarray(residual, dtype=float), bias=False)(directions))


def with_basins(
    directions: Sequence[ExtremalDirection], data: Dataset, residual: ArrayLike
) -> tuple[ExtremalDirection, ...]:
    """Return extremal directions on a circle with their basins, also where neurons have no bias.

    Parameters
    ----------
    directions : sequence of ExtremalDirection
        All of either sign, for data whose neurons have two weights.
    data : Dataset
        Of which they are.
    residual : array_like, shape (n_samples,)
        For which they are.

    Returns
    -------
    tuple of ExtremalDirection
        As given, those without a ``basin`` with one. Cones at rest count as the direction in their middle.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.growth_rate import with_basins
    >>> xor = rq.Dataset([[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, -1, -1], bias=False)
    >>> first = with_basins(rq.extremal_directions(xor, residual=xor.y), xor, xor.y)[0]
    >>> [round(edge / 3.14159265, 3) for edge in first.basin]
    [-0.25, 0.75]
    """
    found = list(directions)
    for sign in {e.sign for e in found if e.basin is None}:
        mine = sorted((i for i, e in enumerate(found) if e.sign == sign), key=lambda i: found[i].angle)
        angles = [found[i].angle for i in mine]
        gaps = list(pairwise([*angles, angles[0] + math.tau]))
        ahead = [_turns_on(sum(gap) / 2, sign, data, residual) for gap in gaps]
        for k, i in enumerate(mine):
            if found[i].basin is None:
                begin = gaps[k - 1][0] - math.tau * (k == 0) if ahead[k - 1] > 0 else angles[k]
                end = gaps[k][1] if ahead[k] < 0 else angles[k]
                found[i] = replace(found[i], basin=(begin, end))
    return tuple(found)


def _turns_on(angle: float, sign: int, data: Dataset, residual: ArrayLike) -> float:
    """Positive where a neuron of this sign turns counter-clockwise, negative where it turns clockwise."""
    u, across = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    active = data.inputs @ u > 0
    return float(sign * np.sum(np.asarray(residual)[active] * (data.inputs[active] @ across)))
