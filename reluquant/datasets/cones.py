"""Random inputs in a cone: all of them correlated with its axis."""

from __future__ import annotations

import numpy as np

from reluquant.structures.arrays import Floats


def in_cone(axis: Floats, n_samples: int, widest: float, draw: np.random.Generator) -> Floats:
    """Return unit vectors around an axis.

    Parameters
    ----------
    axis : ndarray, shape (n_features,)
        A unit vector of at least two numbers.
    n_samples : int
        How many.
    widest : float
        Largest angle to the axis, in radians; angles are uniform below it.
    draw : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray, shape (n_samples, n_features)

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> bool(np.all(in_cone(np.array([1.0, 0.0]), 5, 0.1, draw)[:, 0] >= np.cos(0.1)))
    True
    """
    sideways = draw.standard_normal((n_samples, axis.size))
    sideways -= np.outer(sideways @ axis, axis)
    sideways /= np.linalg.norm(sideways, axis=1, keepdims=True)
    angle = widest * draw.uniform(0, 1, (n_samples, 1))
    return np.cos(angle) * axis + np.sin(angle) * sideways
