"""How many neurons of a trained network do something, and how many different ones there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.neuron_clusters import NeuronClusters, log_norms, neuron_clusters
from reluquant.structures.arrays import frozen
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.scalars import real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ActiveNeurons:
    """Neurons that do something, and the directions they share.

    Parameters
    ----------
    active : ndarray of bool, shape (n_neurons,)
        Whether a neuron weighs enough to count.
    clusters : NeuronClusters
        Of the active neurons alone: ``clusters.labels`` is theirs, in their order.
    """

    active: NDArray[np.bool_]
    clusters: NeuronClusters

    @property
    def n_active(self) -> int:
        """Neurons that count, however many of them do the same."""
        return int(self.active.sum())

    @property
    def n_directions(self) -> int:
        """Different ones among them: what a quantised network has few of."""
        return self.clusters.n_clusters

    def __repr__(self) -> str:
        return f"ActiveNeurons(n_active={self.n_active}, n_directions={self.n_directions})"


def active_neurons(
    net: ShallowReLU | DeepReLU, *, least: float = 0.01, angle: float = 0.1, layer: int = 0
) -> ActiveNeurons:
    """Count the neurons that do something, and the directions in which they are.

    A neuron is active if its mass ``|a_j| |w_j|`` is at least a share of that of the heaviest. From a tiny start those
    that never grew are many powers of ten below; how sharp the count is shows in how little it changes with the share.

    Parameters
    ----------
    net : ShallowReLU or DeepReLU
    least : float, default 0.01
        Share of the mass of the heaviest neuron, above 0, at most 1.
    angle : float, default 0.1
        Neighbours nearer than this, in radians, are in one direction; see :func:`reluquant.neuron_clusters`.
    layer : int, default 0
        Hidden layer of a deep network: a neuron's weights are those of its inputs, its output weights those with which
        the next layer reads it.

    Returns
    -------
    ActiveNeurons
        ``n_active``, ``n_directions`` and the clusters.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 5: active neurons of networks trained on MNIST. The
    definition by mass and cluster is this package's own.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.ShallowReLU([[1, 0], [1, 0.01], [0, 1], [1e-6, 0]], [1, 1, -1, 1e-6])
    >>> rq.active_neurons(net)
    ActiveNeurons(n_active=3, n_directions=2)
    """
    shallow = _as_shallow(net, layer)
    share = real_number(least, "least", above=0, most=1)
    angle = real_number(angle, "angle", above=0)
    log_mass = log_norms(shallow.W) + log_norms(shallow.a.reshape(shallow.n_neurons, -1))
    # Where all masses vanish none counts, though all are as heavy as the heaviest.
    heaviest = log_mass.max(initial=-np.inf)
    active = log_mass >= heaviest + np.log(share) if np.isfinite(heaviest) else np.zeros(log_mass.shape, dtype=bool)
    chosen = ShallowReLU(shallow.W[active], shallow.a[active], bias=shallow.bias)
    return ActiveNeurons(frozen(active, bool), neuron_clusters(chosen, angle=angle))


def _as_shallow(net: ShallowReLU | DeepReLU, layer: int) -> ShallowReLU:
    """The neurons of one hidden layer, as those of a shallow network whose outputs are the next layer's inputs."""
    if isinstance(net, ShallowReLU):
        whole_number(layer, "layer of a ShallowReLU", least=0, most=0)
        return net
    if not isinstance(net, DeepReLU):
        raise TypeError(f"active_neurons needs a ShallowReLU or a DeepReLU, but got {type(net).__name__}.")
    i = whole_number(layer, "layer", least=0, most=len(net.weights) - 2)
    return ShallowReLU(np.column_stack([net.weights[i], net.biases[i]]), net.weights[i + 1].T)
