"""How far the input weights of a run have moved, relative to where they started."""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.scalars import whole_number
from reluquant.structures.trajectory import Trajectory


def log10_relative_change(traj: Trajectory, *, n_times: int = 60) -> float:
    """Return ``log10 sup_t ‖W(t) - W(0)‖ / ‖W(0)‖``, with Frobenius norms.

    Parameters
    ----------
    traj : Trajectory
        Any number of features and outputs.
    n_times : int, default 60
        How many of the run's own steps are looked at, the last one always: the supremum is over these.

    Returns
    -------
    float
        ``-inf`` if nothing moved, ``inf`` if all input weights were zero, or below float64, at the start.

    Raises
    ------
    TypeError, ValueError
        If ``n_times`` is not an integer of at least 1.

    References
    ----------
    Luo, Xu, Ma & Zhang (2021), "Phase Diagram for Two-layer ReLU Neural Networks at Infinite-width Limit",
    JMLR 22(71), arXiv:2007.07497: the relative change of the input weights tells the regimes apart.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.relative_change import log10_relative_change
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-100, rng=0)
    >>> round(log10_relative_change(rq.gradient_flow(net, data, progress=False)))
    99
    """
    whole_number(n_times, "n_times")
    last = traj.t.size - 1
    steps = np.unique(np.linspace(last, 0, n_times).round().astype(int))
    start = traj.states([0.0]).W[0]
    # One state at a time: all of them would not fit into memory for a very wide network.
    change = max(_log10_norm(traj.states([traj.t[step]]).W[0] - start) for step in steps)
    own = _log10_norm(start)
    return change if math.isinf(change) else change - own


def _log10_norm(weights: Floats) -> float:
    """Frobenius norm; squares of 1e-200 would underflow."""
    largest = float(np.max(np.abs(weights), initial=0.0))
    if largest == 0.0:
        return -math.inf
    return math.log10(largest) + math.log10(np.linalg.norm(weights / largest))
