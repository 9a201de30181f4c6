"""Groups of neurons that have turned to the same direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.analysis.matching import Matches, match_directions
from reluquant.analysis.one_dimension import kinks
from reluquant.analysis.single_linkage import single_linkage
from reluquant.structures.arrays import Floats, frozen, row_mantissas
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU

# A cone around a direction must be convex.
LARGEST_ANGLE = 1.5
# Below, the mean of unit vectors is their rounding.
LEAST_MEAN = 1e-12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NeuronClusters:
    """Groups of neurons with nearly the same direction and the same sign, the heaviest first.

    Parameters
    ----------
    direction : ndarray, shape (n_clusters, p)
        Unit vector ``w/|w|``, the bias last if there is one: the mean of the neurons' directions weighted by mass.
    output : ndarray, shape (n_clusters, n_outputs)
        Unit vector of the output weights: their mean, or for one output the sign. Zero where they vanish.
    angle : ndarray, shape (n_clusters,)
        ``atan2`` of the second and the first number of the direction; NaN if there are not two.
    sign : ndarray of int, shape (n_clusters,)
        Sign of the output weights: 1, -1, or 0 where they vanish; 0 for several outputs.
    mass : ndarray, shape (n_clusters,)
        ``Σ |a_j| |w_j|``: how much the cluster bends the function. Zero below 5e-324.
    log_mass : ndarray, shape (n_clusters,)
        Its natural logarithm, which does not underflow; ``-inf`` where the output weights vanish.
    size : ndarray of int, shape (n_clusters,)
        Number of neurons.
    log_norm : ndarray, shape (n_clusters,)
        Natural logarithm of the largest ``|w_j|``.
    kink : ndarray, shape (n_clusters,)
        ``-b/w`` of the direction for one input with a bias; NaN for others and for ``w = 0``.
    labels : ndarray of int, shape (n_neurons,)
        The cluster of each neuron; -1 for ``w_j = 0``, which has no direction.
    """

    direction: Floats
    output: Floats
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

    def match(self, directions: Sequence[ExtremalDirection], *, angle: float = 1e-3) -> Matches:
        """Find the extremal direction that each cluster sits on.

        Parameters
        ----------
        directions : sequence of ExtremalDirection
            Of the same inputs and outputs, as :func:`reluquant.extremal_directions` returns them.
        angle : float, default 1e-3
            How far a cluster may be from its direction, in radians. Positive, at most 1.5.

        Returns
        -------
        Matches
            ``.index`` into ``directions``, -1 where none of the sign is within the angle; ``.angle`` to the nearest.
            Cones of kind "neutral" and "dead" match nobody.

        Raises
        ------
        TypeError, ValueError
            If the angle is not such a number, or the directions have another number of weights or outputs.

        Examples
        --------
        >>> import reluquant as rq
        >>> data = rq.datasets.zigzag(3, generic=False)
        >>> clusters = rq.neuron_clusters(rq.ShallowReLU([[1.0, 1e-4], [1.0, 0.4]], [2.0, 1.0]))
        >>> extremal = rq.extremal_directions(data)
        >>> index, angle = clusters.match(extremal)
        >>> index.tolist(), angle.round(3).tolist(), extremal[index[0]].samples
        ([1, -1], [0.0, 0.381], (1,))
        """
        for e in directions[:1]:
            if e.direction.size != self.direction.shape[1] or e.output.size != self.output.shape[1]:
                raise ValueError(
                    f"The directions have {e.direction.size} weights and {e.output.size} outputs, but the neurons have"
                    f" {self.direction.shape[1]} and {self.output.shape[1]}; take those of the data of the network."
                )
        return match_directions(
            self.direction, self.output, directions, real_number(angle, "angle", above=0, most=LARGEST_ANGLE)
        )

    def __len__(self) -> int:
        return self.n_clusters

    def __repr__(self) -> str:
        return f"NeuronClusters(n_clusters={self.n_clusters}, n_neurons={self.labels.size})"


def neuron_clusters(net: ShallowReLU, *, angle: float = 1e-3) -> NeuronClusters:
    """Group the neurons of a network by direction and sign.

    Parameters
    ----------
    net : ShallowReLU
        Any number of features and outputs, with or without a bias.
    angle : float, default 1e-3
        Neighbouring directions further apart than this, in radians, are in different clusters.
        Positive. The default separates the extremal directions of data with a few dozen points;
        clusters of a finished flow are much narrower.

    Returns
    -------
    NeuronClusters
        Sorted by mass, the heaviest first. ``.match(extremal_directions)`` tells what each sits on.

    Raises
    ------
    TypeError, ValueError
        If ``net`` is not a network or ``angle`` is not positive and finite.

    Notes
    -----
    Single linkage on the sphere, separately for each sign of ``a``: a chain of close neighbours is
    one cluster however long it is. Thousands of neurons at a random start in the plane are therefore few long
    chains; what is counted is condensation. With several outputs the pairs ``(w/|w|, a/|a|)`` are linked whose chord
    is at most that of the angle, ``2 sin(angle/2)``. Norms and masses are compared as
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

    Two outputs: neurons of one direction that push to different sides are two clusters.

    >>> rq.neuron_clusters(rq.ShallowReLU([[1, 0, 0]] * 3, [[1, 0], [1, 1e-4], [0, 1]])).size
    array([2, 1])
    """
    if not isinstance(net, ShallowReLU):
        raise TypeError(f"neuron_clusters needs a ShallowReLU, but got {type(net).__name__}.")
    angle = real_number(angle, "angle", above=0)
    directions, outputs = unit_pairs(net)
    log_norm, log_output = log_norms(net.W), log_norms(_columns(net))
    log_mass = log_output + log_norm
    found = np.isfinite(log_norm)
    # The neurons of each sign; with several outputs those with and without output weights.
    kind = outputs[:, 0] if outputs.shape[1] == 1 else outputs.any(axis=1)
    groups = [np.flatnonzero(found & (kind == value)) for value in (1, -1, 0)]
    on_line = net.n_features == 1 and net.bias and outputs.shape[1] == 1
    if on_line:
        angles = np.arctan2(net.W[:, 1] + 0.0, net.W[:, 0] + 0.0)
        runs = [_chains(angles, members, angle) for members in groups]
    else:
        pairs = np.column_stack([directions, outputs])
        runs = [_linked(pairs, members, 2 * math.sin(min(angle, math.pi) / 2)) for members in groups]
    members, sizes = (np.concatenate(parts) for parts in zip(*runs, strict=True))
    labels = np.full(net.n_neurons, -1)
    if members.size == 0:
        none = np.zeros(0)
        return _frozen(net, directions[:0], outputs[:0], none, none, none, none, labels)
    start = np.cumsum(sizes) - sizes
    total, weights, heaviest = _weights(members, start, sizes, log_mass, log_norm)
    if on_line:
        direction = _mean_turn(members, start, sizes, weights, heaviest, angles, net.W)
    else:
        direction = _mean(members, start, sizes, weights, heaviest, directions)
    output = _mean(members, start, sizes, weights, heaviest, outputs)
    norm = np.maximum.reduceat(log_norm[members], start)
    with np.errstate(over="ignore"):
        mass = np.add.reduceat((np.hypot.reduce(_columns(net), axis=1) * net.norms)[members], start)
        # A norm may be beyond float64 where its product with a small output weight is not.
        mass = np.where(np.isfinite(mass), mass, np.exp(total))
    # Masses that underflow by their logarithms, the weightless by norm; then as found.
    order = np.lexsort([-norm, -total, -mass])
    labels[members] = np.repeat(np.argsort(order), sizes)
    return _frozen(net, direction[order], output[order], mass[order], total[order], sizes[order], norm[order], labels)


def unit_pairs(net: ShallowReLU) -> tuple[Floats, Floats]:
    """Return unit vectors of all input weights (m, p) and output weights (m, o); zero where the weights are."""
    return _units(net.W), _units(_columns(net))


def _columns(net: ShallowReLU) -> Floats:
    return net.a if net.a.ndim == 2 else net.a[:, None]


def _units(rows: Floats) -> Floats:
    mantissas, _ = row_mantissas(rows)
    length = np.linalg.norm(mantissas, axis=1, keepdims=True)
    return mantissas / np.where(length == 0, 1.0, length) + 0.0


def _frozen(
    net: ShallowReLU,
    direction: Floats,
    output: Floats,
    mass: Floats,
    log_mass: Floats,
    size: Floats,
    log_norm: Floats,
    labels: Floats,
) -> NeuronClusters:
    nowhere = np.full(len(direction), np.nan)
    return NeuronClusters(
        direction=frozen(direction),
        output=frozen(output),
        angle=frozen(np.arctan2(direction[:, 1], direction[:, 0]) if direction.shape[1] == 2 else nowhere),
        sign=frozen(output[:, 0] if output.shape[1] == 1 else np.zeros(len(output)), np.int64),
        mass=frozen(mass),
        log_mass=frozen(log_mass),
        size=frozen(size, np.int64),
        log_norm=frozen(log_norm),
        kink=frozen(kinks(*direction.T) if net.n_features == 1 and net.bias else nowhere),
        labels=frozen(labels, np.int64),
    )


def _linked(pairs: Floats, members: NDArray[np.int64], chord: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sort neurons by single linkage: the neurons, cluster after cluster, and the sizes of the clusters."""
    if members.size == 0:
        return members, members
    labels = single_linkage(pairs[members], chord)
    return members[np.argsort(labels, kind="stable")], np.bincount(labels)


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


def log_norms(rows: Floats) -> Floats:
    """Return the natural logarithms of the norms of rows, right for all of float64; -inf for zero."""
    # Relative to the largest weight: squares of 1e-200 underflow, and 1.7e308 twice is beyond float64.
    largest = np.max(np.abs(rows), axis=1, initial=0.0)
    scale = np.where(largest == 0, 1.0, largest)
    with np.errstate(divide="ignore"):
        return np.log(np.hypot.reduce(rows / scale[:, None], axis=1)) + np.log(scale)


def _weights(
    members: NDArray[np.int64], start: NDArray[np.int64], sizes: NDArray[np.int64], log_mass: Floats, log_norm: Floats
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return the logarithm of the mass of every cluster, weights of the members in it, and its heaviest neuron."""
    # Neurons without mass (a = 0) count by their norm.
    logs = np.where(np.isfinite(log_mass), log_mass, log_norm)[members]
    top = np.maximum.reduceat(logs, start)
    weights = np.exp(logs - np.repeat(top, sizes))
    total = np.where(np.isfinite(log_mass[members[start]]), top + np.log(np.add.reduceat(weights, start)), -np.inf)
    heaviest = np.flatnonzero(logs == np.repeat(top, sizes))
    return total, weights, members[heaviest[np.searchsorted(heaviest, start)]]


def _mean_turn(
    members: NDArray[np.int64],
    start: NDArray[np.int64],
    sizes: NDArray[np.int64],
    weights: Floats,
    heaviest: NDArray[np.int64],
    angles: Floats,
    W: Floats,
) -> Floats:
    """Return the mean direction of every cluster on the line, relative to the heaviest: digits of small turns stay."""
    turn = angles[members] - np.repeat(angles[heaviest], sizes)
    turn -= 2 * math.pi * np.round(turn / (2 * math.pi))
    x, y = (np.add.reduceat(weights * part, start) for part in (np.cos(turn), np.sin(turn)))
    w, b = W[heaviest].T
    scale = np.maximum(np.abs(w), np.abs(b))
    u, v = w / scale, b / scale
    direction = np.column_stack([u * x - v * y, v * x + u * y])
    return direction / np.hypot(direction[:, :1], direction[:, 1:]) + 0.0


def _mean(
    members: NDArray[np.int64],
    start: NDArray[np.int64],
    sizes: NDArray[np.int64],
    weights: Floats,
    heaviest: NDArray[np.int64],
    units: Floats,
) -> Floats:
    """Return the mean of unit vectors in every cluster, relative to the heaviest; a lone one is its own."""
    off = weights[:, None] * (units[members] - np.repeat(units[heaviest], sizes, axis=0))
    mean = units[heaviest] + np.add.reduceat(off, start) / np.add.reduceat(weights, start)[:, None]
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    # Vectors all around a sphere may have no mean.
    mean = np.where(length > LEAST_MEAN, mean / np.where(length == 0, 1.0, length), units[heaviest])
    return np.where((sizes == 1)[:, None], units[heaviest], mean) + 0.0
