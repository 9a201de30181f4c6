"""Sectors: the arcs of neuron directions on which the activation pattern is constant."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.one_dimension import line_inputs
from reluquant.analysis.predicates import Signs, product_difference_sign
from reluquant.structures.arrays import Floats, frozen, real_array
from reluquant.structures.dataset import Dataset


@dataclass(frozen=True, slots=True, eq=False)
class Sectors:
    """The sectors of data on the line, counter-clockwise; sector i is between boundaries i and i + 1.

    The direction of a neuron ``relu(w x + b)`` is ``(w, b)/|(w, b)|``, its angle ``atan2(b, w)``.

    Parameters
    ----------
    boundaries : ndarray, shape (2 n_inputs,)
        Angles in [-π, π] at which an input enters or leaves the pattern, increasing. The last
        sector runs from the last boundary through ±π to the first.
    samples : ndarray of int, shape (2 n_inputs,)
        First sample with the input of each boundary.
    angles : ndarray, shape (2 n_inputs,)
        The middle of each sector, in [-π, π].
    inputs : ndarray, shape (n_samples,)
        The data.
    """

    boundaries: Floats
    samples: NDArray[np.int64]
    angles: Floats
    inputs: Floats

    @property
    def n_sectors(self) -> int:
        """Number of sectors, twice the number of different inputs."""
        return self.angles.size

    @property
    def patterns(self) -> NDArray[np.bool_]:
        """Which samples are active in each sector, shape (n_sectors, n_samples); computed on each call."""
        distinct, rank = np.unique(self.inputs, return_inverse=True)
        n = distinct.size
        # Steps counter-clockwise from the sector in which no sample is active. The first n steps
        # switch the inputs on, the last n switch them off, the largest first both times.
        # The boundaries before that sector are those of negative inputs.
        step = (np.arange(2 * n) + 1 - np.sum(distinct < 0)) % (2 * n)
        first_on, last_on = n - np.minimum(step, n), np.where(step > n, 2 * n - 1 - step, n - 1)
        return (first_on[:, None] <= rank) & (rank <= last_on[:, None])


def sectors(data: Dataset) -> Sectors:
    """Return the sectors of data on the line.

    Parameters
    ----------
    data : Dataset
        One input feature, with bias. Equal inputs share their boundaries.

    Returns
    -------
    Sectors
        Two for every different input. Their number, order and patterns are exact; angles are rounded.

    Raises
    ------
    TypeError, ValueError
        If ``data`` is not such a Dataset.

    Notes
    -----
    The boundary of an input x is the line ``w x + b = 0``: the angles ``-atan x`` and ``π - atan x``.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 3 (sectors of constant pattern).

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> arcs = rq.sectors(rq.Dataset([-1.0, 1.0], [0.0, 0.0]))
    >>> arcs.boundaries * 4 / np.pi
    array([-3., -1.,  1.,  3.])
    >>> arcs.patterns.astype(int)
    array([[0, 0],
           [0, 1],
           [1, 1],
           [1, 0]])
    """
    inputs = line_inputs(data, "sectors")
    distinct, first = np.unique(inputs, return_index=True)
    descending, sample = distinct[::-1], first[::-1]
    right, left = -np.arctan(descending), math.pi - np.arctan(descending)
    # Negative inputs leave at angles above π, which are written from -π on.
    wraps = descending < 0
    order = np.r_[sample[wraps], sample, sample[~wraps]]
    boundaries = np.r_[left[wraps] - 2 * math.pi, right + 0.0, left[~wraps]]
    widths = np.diff(np.r_[boundaries, boundaries[0] + 2 * math.pi])
    angles = boundaries + widths / 2
    angles = np.where(angles > math.pi, angles - 2 * math.pi, angles)
    return Sectors(frozen(boundaries), frozen(order, np.int64), frozen(angles), frozen(inputs))


def activation_pattern(W: ArrayLike, data: Dataset) -> Signs:
    """Return on which side of every boundary neurons are, decided exactly.

    Parameters
    ----------
    W : array_like, shape (n_neurons, 2) or (2,)
        Input weights, the bias last.
    data : Dataset
        One input feature, with bias.

    Returns
    -------
    ndarray of int8, shape (n_neurons, n_samples) or (n_samples,)
        The sign of ``w x_k + b`` for the float64 numbers as given: 1 active, 0 on the
        boundary, -1 inactive.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.sectors import activation_pattern
    >>> activation_pattern([3.0, -0.1], rq.Dataset([0.0, 0.1 / 3, 1.0], [0.0, 0.0, 0.0]))
    array([-1, -1,  1], dtype=int8)

    The middle one is on the boundary in floating point only: ``3 * (0.1 / 3) - 0.1 == 0.0``.
    """
    weights = real_array(W, "W", ndim=(1, 2))
    if weights.shape[-1] != 2:
        raise ValueError(f"W must have two columns, slope and bias, but it has shape {weights.shape}.")
    inputs = line_inputs(data, "activation_pattern")
    return product_difference_sign(weights[..., :1], inputs, -weights[..., 1:], np.ones(1))
