"""Noisy labels that a network of any width does not fit, once there are enough of them."""

from __future__ import annotations

import math

import numpy as np

from reluquant.datasets.cones import in_cone
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng, generator, real_number, whole_number

# Half the opening of both cones of inputs: any two inputs of one cone have an acute angle.
_WIDEST = math.pi / 5


def linear_teacher(n_samples: int = 40, *, n_features: int = 3, noise: float = 0.5, rng: Rng = None) -> Dataset:
    r"""A linear function with noise, at inputs around one axis and its opposite.

    Parameters
    ----------
    n_samples : int, default 40
        At least 2, every other one on each side.
    n_features : int, default 3
        At least 2.
    noise : float, default 0.5
        Standard deviation of the normal noise.
    rng : int, numpy.random.Generator or None
        Source of randomness.

    Returns
    -------
    Dataset
        Inputs of norm 1 without bias, labels ``x_1 + noise``.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Notes
    -----
    With few samples a small start leads to zero loss. Beyond some number it leads to a spurious stationary point,
    however wide the network, which is nearer to the teacher than a function that fits the noise. On these inputs
    all neurons that live turn to two directions, one for each side, and what is left is the least-squares fit
    of either side by itself: a closed form that the package's tests check.

    References
    ----------
    Boursier & Flammarion (2025), arXiv:2410.02348.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.ShallowReLU.balanced(n_features=3, n_neurons=100, scale=1e-8, rng=0, bias=False)
    >>> few, many = (rq.datasets.linear_teacher(n, rng=0) for n in (4, 40))
    >>> [rq.gradient_flow(net, data, progress=False).stationary_point.kind for data in (few, many)]
    ['zero loss', 'spurious']
    """
    whole_number(n_samples, "n_samples", least=2)
    whole_number(n_features, "n_features", least=2)
    noise = real_number(noise, "noise", least=0)
    draw = generator(rng)
    side = np.where(np.arange(n_samples) % 2 == 0, 1.0, -1.0)
    inputs = side[:, None] * in_cone(np.eye(n_features)[0], n_samples, _WIDEST, draw)
    return Dataset(inputs, inputs[:, 0] + noise * draw.standard_normal(n_samples), bias=False, name="linear teacher")
