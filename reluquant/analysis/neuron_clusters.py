"""Groups of neurons that have turned to the same direction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.one_dimension import kinks, line_neurons
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NeuronClusters:
    """Groups of neurons with nearly the same direction and the same sign, the heaviest first.

    Parameters
    ----------
    direction : ndarray, shape (n_clusters, 2)
        Unit vector ``(w, b)/|(w, b)|``, the mean of the neurons' directions weighted by mass.
    angle : ndarray, shape (n_clusters,)
        ``atan2(b, w)`` of the direction.
    sign : ndarray of int, shape (n_clusters,)
        Sign of the output weights: 1, -1, or 0 where they vanish.
    mass : ndarray, shape (n_clusters,)
        ``Σ |a_j| |w_j|``: how much the cluster bends the function. Zero below 5e-324.
    log_mass : ndarray, shape (n_clusters,)
        Its natural logarithm, which does not underflow; ``-inf`` for sign 0.
    size : ndarray of int, shape (n_clusters,)
        Number of neurons.
    log_norm : ndarray, shape (n_clusters,)
        Natural logarithm of the largest ``|w_j|``.
    kink : ndarray, shape (n_clusters,)
        ``-b/w`` of the direction; NaN for ``w = 0``.
    labels : ndarray of int, shape (n_neurons,)
        The cluster of each neuron; -1 for ``w_j = 0``, which has no direction.
    """

    direction: Floats
    angle: Floats
    sign: NDArray[np.int64]
    mass: Floats
    log_mass: Floats
    size: NDArray[np.int64]
    log_norm: Floats
    kink: Floats
    labels: NDArray[np.int64]

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return self.size.size

    def __len__(self) -> int:
        return self.n_clusters

    def __repr__(self) -> str:
        return f"NeuronClusters(n_clusters={self.n_clusters}, n_neurons={self.labels.size})"


def neuron_clusters(net: ShallowReLU, *, angle: float = 1e-3) -> NeuronClusters:
    """Group the neurons of a network by direction and sign.

    Parameters
    ----------
    net : ShallowReLU
        One input feature with bias, one output.
    angle : float, default 1e-3
        Neighbouring directions further apart than this, in radians, are in different clusters.
        Positive. The default separates the extremal directions of data with a few dozen points;
        clusters of a finished flow are much narrower.

    Returns
    -------
    NeuronClusters
        Sorted by mass, the heaviest first.

    Raises
    ------
    TypeError, ValueError
        If ``net`` is not such a network or ``angle`` is not positive and finite.

    Notes
    -----
    Single linkage on the circle, separately for each sign of ``a``: a chain of close neighbours is
    one cluster however long it is. Thousands of neurons at a random start are therefore few long
    chains; what is counted is condensation. Norms and masses are compared as
    logarithms, so networks at scale 1e-300 are no different.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367: neurons turn to finitely many directions.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.ShallowReLU([[1.0, 0.0], [2.0, 1e-6], [0.0, 1.0]], [1.0, 2.0, -3.0])
    >>> clusters = rq.neuron_clusters(net)
    >>> clusters.size, clusters.mass.round(6), clusters.labels
    (array([2, 1]), array([5., 3.]), array([0, 0, 1]))
    """
    w, b, a = line_neurons(net, "neuron_clusters")
    angle = real_number(angle, "angle", above=0)
    log_norm = _log_norms(w, b)
    with np.errstate(divide="ignore"):
        log_mass = np.log(np.abs(a)) + log_norm
    angles = np.arctan2(b + 0.0, w + 0.0)
    runs = [
        _chains(angles, np.flatnonzero((np.sign(a) == sign) & np.isfinite(log_norm)), float(angle))
        for sign in (1, -1, 0)
    ]
    members, sizes = (np.concatenate(parts) for parts in zip(*runs, strict=True))
    if members.size == 0:
        none = np.zeros(0)
        return _frozen(np.zeros((0, 2)), none, none, none, none, none, np.full(net.n_neurons, -1))
    start = np.cumsum(sizes) - sizes
    total, direction = _means(members, start, sizes, w, b, angles, log_mass, log_norm)
    norm = np.maximum.reduceat(log_norm[members], start)
    with np.errstate(over="ignore"):
        mass = np.add.reduceat((np.abs(a) * net.norms)[members], start)
        # A norm may be beyond float64 where its product with a small output weight is not.
        mass = np.where(np.isfinite(mass), mass, np.exp(total))
    # Masses that underflow by their logarithms, the weightless by norm; then as found.
    order = np.lexsort([-norm, -total, -mass])
    rank = np.argsort(order)
    labels = np.full(net.n_neurons, -1)
    labels[members] = np.repeat(rank, sizes)
    sign = np.sign(a[members[start]])
    return _frozen(direction[order], sign[order], mass[order], total[order], sizes[order], norm[order], labels)


def _frozen(
    direction: Floats, sign: Floats, mass: Floats, log_mass: Floats, size: Floats, log_norm: Floats, labels: Floats
) -> NeuronClusters:
    w, b = direction.T
    return NeuronClusters(
        direction=frozen(direction),
        angle=frozen(np.arctan2(b, w)),
        sign=frozen(sign, np.int64),
        mass=frozen(mass),
        log_mass=frozen(log_mass),
        size=frozen(size, np.int64),
        log_norm=frozen(log_norm),
        kink=frozen(kinks(w, b)),
        labels=frozen(labels, np.int64),
    )


def _chains(angles: Floats, members: NDArray[np.int64], gap: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort neurons into chains that break where neighbouring angles are further apart than ``gap``.

    Returns the neurons, chain after chain, and the sizes of the chains.
    """
    if members.size == 0:
        return members, members
    members = members[np.argsort(angles[members], kind="stable")]
    ahead = np.diff(angles[members], append=angles[members[0]] + 2 * math.pi)
    ends = np.flatnonzero(ahead > gap)
    if ends.size == 0:
        return members, np.array([members.size])
    # The circle is closed: start behind a gap.
    return np.roll(members, -(ends[0] + 1)), np.diff(ends, append=ends[0] + members.size)


def _log_norms(w: Floats, b: Floats) -> Floats:
    # Relative to the larger weight: squares of 1e-200 underflow, and 1.7e308 twice is beyond float64.
    largest = np.maximum(np.abs(w), np.abs(b))
    scale = np.where(largest == 0, 1.0, largest)
    with np.errstate(divide="ignore"):
        return np.log(np.hypot(w / scale, b / scale)) + np.log(scale)


def _means(
    members: NDArray[np.int64],
    start: NDArray[np.int64],
    sizes: NDArray[np.int64],
    w: Floats,
    b: Floats,
    angles: Floats,
    log_mass: Floats,
    log_norm: Floats,
) -> tuple[Floats, Floats]:
    """Return the logarithm of the mass and the mean direction of every chain."""
    # Neurons without mass (a = 0) count by their norm.
    logs = np.where(np.isfinite(log_mass), log_mass, log_norm)[members]
    top = np.maximum.reduceat(logs, start)
    weights = np.exp(logs - np.repeat(top, sizes))
    total = np.where(np.isfinite(log_mass[members[start]]), top + np.log(np.add.reduceat(weights, start)), -np.inf)
    # The mean is taken relative to the heaviest: small differences keep their digits.
    heaviest = np.flatnonzero(logs == np.repeat(top, sizes))
    heaviest = members[heaviest[np.searchsorted(heaviest, start)]]
    turn = angles[members] - np.repeat(angles[heaviest], sizes)
    turn -= 2 * math.pi * np.round(turn / (2 * math.pi))
    x, y = (np.add.reduceat(weights * part, start) for part in (np.cos(turn), np.sin(turn)))
    scale = np.maximum(np.abs(w[heaviest]), np.abs(b[heaviest]))
    u, v = w[heaviest] / scale, b[heaviest] / scale
    direction = np.column_stack([u * x - v * y, v * x + u * y])
    return total, direction / np.hypot(direction[:, :1], direction[:, 1:]) + 0.0
