"""Angles between the directions of neurons, and an order that puts similar ones side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import pdist, squareform

from reluquant.structures.arrays import Floats


def heaviest(log_mass: Floats, most: int) -> NDArray[np.int64]:
    """Return the neurons of the largest mass in increasing order; among equals those that come first.

    Parameters
    ----------
    log_mass : ndarray, shape (n_neurons,)
        ``ln(|a_j| |w_j|)``.
    most : int
        At most so many.

    Returns
    -------
    ndarray of int, shape (min(most, n_neurons),)

    Examples
    --------
    >>> import numpy as np
    >>> from reluquant.analysis.pairwise_angles import heaviest
    >>> heaviest(np.array([0.0, 2.0, -np.inf, 2.0]), 2)
    array([1, 3])
    """
    return np.sort(np.argsort(-np.asarray(log_mass, dtype=float), kind="stable")[:most])


def pairwise_angles(directions: Floats) -> Floats:
    """Return the angles between unit vectors.

    Parameters
    ----------
    directions : ndarray, shape (n, p)
        Unit vectors.

    Returns
    -------
    ndarray, shape (n, n)
        In radians, from 0 to π; accurate also where they are small, since it is taken from chords.

    Examples
    --------
    >>> import numpy as np
    >>> from reluquant.analysis.pairwise_angles import pairwise_angles
    >>> np.degrees(pairwise_angles(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))).round(6)
    array([[  0.,  90., 180.],
           [ 90.,   0.,  90.],
           [180.,  90.,   0.]])
    """
    return squareform(_condensed(directions))


def similar_order(directions: Floats) -> NDArray[np.int64]:
    """Return an order of unit vectors that keeps groups together: the leaves of average linkage by angle.

    Parameters
    ----------
    directions : ndarray, shape (n, p)
        Unit vectors.

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> from reluquant.analysis.pairwise_angles import similar_order
    >>> similar_order(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]))
    array([1, 0, 2])
    """
    if len(directions) < 2:
        return np.arange(len(directions))
    return leaves_list(linkage(_condensed(directions), "average")).astype(np.int64)


def _condensed(directions: Floats) -> Floats:
    return 2 * np.arcsin(np.minimum(pdist(np.asarray(directions, dtype=float)) / 2, 1.0))
