"""Where neurons were predicted to turn to, and where they did, before the loss falls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.analysis.neuron_clusters import neuron_clusters
from reluquant.analysis.sectors import activation_pattern
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.views.direction_view import ATTRACTING, SectorView, sector_view

# The alignment phase lasts until the loss has fallen by this share; looked at a little before, when f is still zero.
_FALLEN, _BEFORE = 0.01, 0.9


@dataclass(frozen=True, slots=True, eq=False)
class AlignmentView:
    """Predicted and reached directions of one run at one time.

    Parameters
    ----------
    name : str
        Of the data.
    t : float
        When.
    sectors : SectorView
        The rays of the data.
    predicted_angle, predicted_sign : ndarray, shape (n_predicted,)
        Directions that attract neurons while f = 0, and the signs of their output weights.
    reached_angle, reached_sign, reached_count : ndarray, shape (n_reached,)
        Groups of neurons, dead ones left out, and how many neurons each has.
    dead_count : int
        Neurons that no sample activates.
    """

    name: str
    t: float
    sectors: SectorView
    predicted_angle: Floats
    predicted_sign: np.ndarray
    reached_angle: Floats
    reached_sign: np.ndarray
    reached_count: np.ndarray
    dead_count: int


def alignment_view(trajectory: Trajectory, *, t: float | None = None) -> AlignmentView:
    """Return predicted and reached directions.

    Parameters
    ----------
    trajectory : Trajectory
        A run from a tiny scale; one feature with a bias, one output.
    t : float, optional
        When; by default towards the end of the first plateau.

    Returns
    -------
    AlignmentView

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.ShallowReLU.balanced(n_neurons=200, scale=1e-12, rng=0)
    >>> view = alignment_view(rq.gradient_flow(net, rq.datasets.two_points(), progress=False))
    >>> view.reached_angle.size == view.predicted_angle.size == 2
    True
    """
    data = trajectory.data
    if t is None:
        fallen = trajectory.loss < (1.0 - _FALLEN) * trajectory.loss[0]
        t = _BEFORE * float(trajectory.t[np.argmax(fallen)] if np.any(fallen) else trajectory.t[-1])
    net = trajectory.at(t)
    alive = np.any(activation_pattern(net.W, data) > 0, axis=1)
    clusters = neuron_clusters(ShallowReLU(net.W[alive], net.a[alive]))
    targets = [d for d in extremal_directions(data) if d.kind in ATTRACTING]
    return AlignmentView(
        name=data.name,
        t=float(t),
        sectors=sector_view(data),
        predicted_angle=frozen([d.angle for d in targets]),
        predicted_sign=frozen([d.sign for d in targets], int),
        reached_angle=clusters.angle,
        reached_sign=clusters.sign,
        reached_count=clusters.size,
        dead_count=int(np.sum(~alive)),
    )
