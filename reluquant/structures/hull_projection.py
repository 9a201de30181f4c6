"""The point of a convex hull that is nearest to a given point."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from reluquant.structures.arrays import Floats

# Active-set steps for each point of the hull; a few per dimension are usual.
_STEPS_PER_POINT = 10


def nearest_in_hull(points: Floats, target: Floats) -> Floats:
    """Return the weights of the hull's nearest point to ``target``, shape (n_points,).

    Parameters
    ----------
    points : ndarray, shape (n_points, n_features)
        Points whose convex hull is meant.
    target : ndarray, shape (n_features,)

    Returns
    -------
    ndarray, shape (n_points,)
        Not negative, with sum 1; zero except at affinely independent points, ``n_features + 1`` at most.

    Notes
    -----
    With P the differences of the points to the target, u ≥ 0 that minimises |P u|² + (Σ u − 1)² is, but for its length,
    the weights w of the point of least norm in their hull: along u = s w the sum is s² |P w|² + (s − 1)², whose least
    value |P w|² / (1 + |P w|²) grows with |P w|. So one non-negative least-squares problem gives it exactly.

    References
    ----------
    Lawson & Hanson (1974), *Solving Least Squares Problems*, chapter 23.

    Examples
    --------
    >>> nearest_in_hull(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 1.0])).round(12)
    array([0. , 0.5, 0.5])
    """
    with np.errstate(over="ignore"):
        ways = points - target
        size = float(np.abs(ways).max(initial=0.0))
    if size == 0:
        return np.full(len(points), 1 / len(points))
    if not np.isfinite(size):
        ways = points / 2 - target / 2
        size = float(np.abs(ways).max())
    system = np.vstack([(ways / size).T, np.ones(len(points))])
    wanted = np.zeros(len(system))
    wanted[-1] = 1.0
    weights, _ = nnls(system, wanted, maxiter=_STEPS_PER_POINT * len(points) + 100)
    return weights / weights.sum()
