"""How far a run has turned its neurons to few directions, over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.extremal_direction import ExtremalDirections
from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.analysis.matching import match_directions
from reluquant.analysis.neuron_clusters import neuron_clusters, unit_pairs
from reluquant.analysis.sectors import activation_pattern
from reluquant.structures.arrays import Floats, frozen, real_array
from reluquant.structures.dataset import Dataset
from reluquant.structures.losses import residuals
from reluquant.structures.scalars import real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory

# Times that are looked at where none are asked for.
N_TIMES = 60
# A neuron still sleeps while its log-norm has come less than this part of the way from the start's to that of weights
# of order one. Any fixed mass would call a neuron of size scale^0.1 asleep or awake depending on the scale.
AWAKE = 0.5
# All faces are looked at again at each time.
MOST_FACES = 20_000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Quantisation:
    """The result of :func:`reluquant.quantisation`, an entry for each time.

    Attributes
    ----------
    t : ndarray, shape (n_times,)
        The times.
    n_directions : ndarray of int, shape (n_times,)
        Fewest clusters that together carry the share of the mass ``Σ |a_j| |w_j|`` that was asked for.
    spread : ndarray, shape (n_times,)
        Largest angle, in radians, between a neuron of these clusters and the direction of its cluster.
    aligned : ndarray, shape (n_times,)
        Share of the neurons that are not dead and lie within ``angle`` of an extremal direction of the residual of
        that time; NaN when all are dead.
    dead, dormant : ndarray, shape (n_times,)
        Share of all neurons that no sample activates, and of those that have grown less than half of the way, in the
        logarithm of the norm, from the start to weights of order one.
    complete : bool
        Whether all extremal directions are known at all times. If not, the data have too many sectors to look at them
        all (see :func:`reluquant.extremal_directions`), and ``aligned`` is a lower bound.
    """

    t: Floats
    n_directions: np.ndarray
    spread: Floats
    aligned: Floats
    dead: Floats
    dormant: Floats
    complete: bool

    def __repr__(self) -> str:
        return f"Quantisation(n_times={self.t.size}, n_directions={self.n_directions[0]} → {self.n_directions[-1]})"


def quantisation(
    traj: Trajectory,
    times: ArrayLike | None = None,
    *,
    angle: float = 1e-3,
    share: float = 0.99,
    max_faces: int = MOST_FACES,
) -> Quantisation:
    """Measure over time how few directions carry the network.

    Parameters
    ----------
    traj : Trajectory
        Of a flow or of descent: any number of features and outputs, any loss.
    times : array_like, shape (n_times,), optional
        When; by default 60 of the run's own steps.
    angle : float, default 1e-3
        Directions further apart than this, in radians, are different; see :func:`reluquant.neuron_clusters`.
    share : float, default 0.99
        Share of the mass to be carried, above 0 and at most 1.

    max_faces : int, default 20,000
        If the data may have more sectors and faces of sectors, extremal directions are searched for, as by
        :func:`reluquant.extremal_directions`: they are needed anew at every time.

    Returns
    -------
    Quantisation

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Notes
    -----
    Masses are compared as logarithms, so that a start at 1e-300 is quantised like any other. Weights that underflow
    (``log_scale`` below -700) have no direction: such neurons count as dormant only.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, sections 3 and 5.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.datasets.zigzag()
    >>> net = rq.ShallowReLU.balanced(n_neurons=300, scale=1e-8, rng=0)
    >>> found = rq.quantisation(rq.gradient_flow(net, data, progress=False))
    >>> bool(found.n_directions[-1] < 10 < found.n_directions[0])
    True
    """
    data = traj.data
    angle = real_number(angle, "angle", above=0)
    share = real_number(share, "share", above=0, most=1)
    max_faces = whole_number(max_faces, "max_faces", least=0)
    if times is None:
        t = traj.t[np.unique(np.linspace(0, traj.t.size - 1, N_TIMES).round().astype(int))]
    else:
        t = real_array(times, "times", ndim=(1,))
    states = traj.states(t)
    start = traj.states([0.0]).log_norm[0]
    first = np.median(start[np.isfinite(start)]) if np.any(np.isfinite(start)) else 0.0
    labels, rows = data.y.reshape(data.n_samples, -1), []
    for W, a, offset in zip(states.W, states.a, traj.recording.offsets(t), strict=True):
        net = ShallowReLU(W, a, bias=data.bias)
        residual = residuals(traj.recording.loss, net(data.X).reshape(labels.shape) + offset, labels)
        extremal = extremal_directions(data, residual=residual.reshape(data.y.shape), max_faces=max_faces)
        rows.append((*_carried(net, angle, share), *_turned(net, data, extremal, angle), extremal.complete))
    n_directions, spread, aligned, dead, complete = (np.array(column) for column in zip(*rows, strict=True))
    # A start that is not small has no one asleep.
    dormant = np.mean(states.log_norm < AWAKE * min(first, 0.0), axis=1)
    return Quantisation(
        frozen(t),
        frozen(n_directions, np.int64),
        frozen(spread),
        frozen(aligned),
        frozen(dead),
        frozen(dormant),
        bool(complete.all()),
    )


def _carried(net: ShallowReLU, angle: float, share: float) -> tuple[int, float]:
    """Fewest clusters that carry the share of the mass, and the largest angle between them and their neurons."""
    clusters = neuron_clusters(net, angle=angle)
    weights = np.exp(clusters.log_mass - np.max(clusters.log_mass, initial=-np.inf))
    carried = np.cumsum(weights) if np.any(weights > 0) else np.zeros(0)
    n = int(np.searchsorted(carried, share * carried[-1] * (1 - 1e-12)) + 1) if carried.size else 0
    inside = (clusters.labels >= 0) & (clusters.labels < n)
    of, pairs = clusters.labels[inside], np.column_stack(unit_pairs(net))[inside]
    chords = np.linalg.norm(pairs - np.column_stack([clusters.direction, clusters.output])[of], axis=1)
    return n, float(np.max(2 * np.arcsin(np.minimum(chords / 2, 1.0)), initial=0.0))


def _turned(net: ShallowReLU, data: Dataset, extremal: ExtremalDirections, angle: float) -> tuple[float, float]:
    """Share of aligned and share of dead neurons."""
    alive = np.any(activation_pattern(net.W, data) > 0, axis=1)
    directions, outputs = unit_pairs(net)
    near = match_directions(directions[alive], outputs[alive], extremal, angle).index >= 0
    return float(np.mean(near)) if near.size else np.nan, float(1.0 - np.mean(alive))
