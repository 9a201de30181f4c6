"""What there is to say of one moment of a training run: who is active, what they look for, how well they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.active_neurons import active_neurons
from reluquant.analysis.neuron_clusters import log_norms
from reluquant.structures.arrays import Floats
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.training_run import Snapshot, TrainingRun

# Directions that are shown as pictures, the heaviest first.
MOST_TEMPLATES = 10
# A mass of nothing is shown as that power of ten.
LEAST_LOG_MASS = -60.0


@dataclass(frozen=True, slots=True, eq=False)
class TrainingMoment:
    """One moment; numbers only.

    Attributes
    ----------
    step : int
    t, loss : float
    n_active, n_directions : int
        Of the first hidden layer.
    log_mass : ndarray, shape (n_neurons,)
        Decimal logarithms of the masses ``|a_j| |w_j|`` of the first hidden layer.
    threshold : float
        From which a neuron is active, likewise.
    templates : ndarray, shape (n_templates, n_features)
        Directions of the heaviest clusters, the bias left out.
    shares : ndarray, shape (n_templates,)
        Of the mass of all active neurons.
    sizes : ndarray of int, shape (n_templates,)
        Neurons of each.
    train_accuracy, test_accuracy : float
        NaN where there is none.
    """

    step: int
    t: float
    loss: float
    n_active: int
    n_directions: int
    log_mass: Floats
    threshold: float
    templates: Floats
    shares: Floats
    sizes: NDArray[np.int64]
    train_accuracy: float
    test_accuracy: float


def training_moment(snapshot: Snapshot, loss: float, *, least: float, angle: float) -> TrainingMoment:
    """Return what there is to say of a snapshot.

    Parameters
    ----------
    snapshot : Snapshot
    loss : float
        Of training, there.
    least, angle : float
        What active means, as in :func:`reluquant.active_neurons`.
    """
    net = snapshot.layers.network()
    found = active_neurons(net, least=least, angle=angle)
    W, outgoing = (net.weights[0], net.weights[1].T) if isinstance(net, DeepReLU) else (net.W, net.a)
    log_mass = (log_norms(W) + log_norms(outgoing.reshape(len(W), -1))) / np.log(10.0)
    log_mass = np.maximum(log_mass, LEAST_LOG_MASS)
    clusters = found.clusters
    mass = clusters.mass[:MOST_TEMPLATES]
    train, _, test = snapshot.scores
    return TrainingMoment(
        step=snapshot.step,
        t=snapshot.t,
        loss=loss,
        n_active=found.n_active,
        n_directions=found.n_directions,
        log_mass=log_mass,
        threshold=float(log_mass.max() + np.log10(least)),
        templates=clusters.direction[:MOST_TEMPLATES, : net.n_features],
        shares=mass / max(float(clusters.mass.sum()), np.finfo(float).tiny),
        sizes=clusters.size[:MOST_TEMPLATES],
        train_accuracy=train,
        test_accuracy=test,
    )


def training_moments(run: TrainingRun, *, least: float, angle: float) -> tuple[TrainingMoment, ...]:
    """Return all snapshots of a run, as moments.

    Examples
    --------
    >>> import reluquant as rq
    >>> run = rq.train(rq.Dataset([-1.0, 1.0], [1.0, 1.0]), widths=(8,), stop=0.5, rng=0, progress=False)
    >>> moments = training_moments(run, least=0.01, angle=0.1)
    >>> len(moments) == len(run.snapshots), moments[0].step
    (True, 0)
    """
    losses = np.interp(run.snapshot_t, run.t, run.loss)
    return tuple(
        training_moment(snapshot, float(loss), least=least, angle=angle)
        for snapshot, loss in zip(run.snapshots, losses, strict=True)
    )
