"""The neurons that carry most of a network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.deep_pieces import layers_of
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.shallow_relu import ShallowReLU


def heavy_neurons(net: ShallowReLU | DeepReLU, share: float) -> NDArray[np.bool_]:
    """Return which neurons of each layer are the heaviest that together have a share of the layer's mass.

    Parameters
    ----------
    net : ShallowReLU or DeepReLU
        Any number of features and outputs.
    share : float
        From 0, no neuron, to 1, all of them.

    Returns
    -------
    ndarray of bool, shape (n_neurons,)
        Layer after layer.

    Notes
    -----
    The mass of a neuron is the norm of its input weights, with the bias, times that of its output weights, ``|a|·‖w‖``.
    Of layers of different depths it says nothing, so that each layer is measured by its own.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.heavy_neurons import heavy_neurons
    >>> net = rq.ShallowReLU([[0.0, 3.0], [0.0, 1.0], [0.0, 6.0]], [1.0, 1.0, 1.0])
    >>> heavy_neurons(net, 0.85)
    array([ True, False,  True])
    """
    layers = layers_of(net)
    chosen = [np.zeros(0, dtype=bool)]
    for (W, b), (following, _) in zip(layers, layers[1:], strict=False):
        mass = np.hypot(np.linalg.norm(W, axis=1), b) * np.linalg.norm(following, axis=0)
        order = np.argsort(-mass, kind="stable")
        before = np.concatenate([[0.0], np.cumsum(mass[order])[:-1]])
        layer = np.zeros(mass.size, dtype=bool)
        layer[order] = (before < share * mass.sum() * (1 - 1e-12)) | (share >= 1)
        chosen.append(layer)
    return np.concatenate(chosen)
