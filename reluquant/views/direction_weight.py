"""How much neurons weigh in a picture of their directions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats
from reluquant.structures.trajectory import Trajectory
from reluquant.views.direction_frame import DirectionFrame

# What is drawn at all is seen.
LEAST = 0.06
# Norms below this share of the neurons of the start are at the foot of the logarithmic scale.
FOOT = 0.01


class Weight(StrEnum):
    """What the length of a bar, or the density on a sphere, stands for."""

    COUNT = "count"
    MASS = "mass"
    LOG_NORM = "log-norm"


@dataclass(frozen=True, slots=True)
class NormScale:
    """Natural logarithms of the norms at the foot and at the top of the scale of a run."""

    low: float
    high: float


def scale_of(trajectory: Trajectory) -> NormScale:
    """Return the scale of a run from its first and its last network."""
    ends = trajectory.states([0.0, float(trajectory.t[-1])]).log_norm
    finite = [logs[np.isfinite(logs)] for logs in ends]
    low = min((float(np.quantile(logs, FOOT)) for logs in finite if logs.size), default=0.0)
    high = max((float(logs.max()) for logs in finite if logs.size), default=1.0)
    return NormScale(low, high if high > low else low + 1.0)


def heights(
    cell: NDArray[np.integer], n_cells: int, frame: DirectionFrame, weight: Weight, scale: NormScale,
) -> Floats:  # fmt: skip
    """Return how much each cell weighs.

    Parameters
    ----------
    cell : ndarray of int, shape (n_neurons,)
        Of each neuron.
    n_cells : int
        Number of cells.
    frame : DirectionFrame
        The moment.
    weight : Weight
        Of a cell: number of its neurons, their mass relative to the heaviest neuron, or the norm of the largest of
        them on the logarithmic scale.
    scale : NormScale
        For the last.

    Returns
    -------
    ndarray, shape (n_cells,)
        Zero where there is no neuron; logarithmic norms from a little above zero to 1.
    """
    if weight is Weight.COUNT:
        return np.bincount(cell, minlength=n_cells).astype(float)
    if weight is Weight.MASS:
        return np.bincount(cell, weights=frame.mass(), minlength=n_cells)
    found = np.zeros(n_cells, dtype=np.float32)
    share = frame.log_norm.astype(np.float32)
    share += np.float32(frame.top_norm - scale.low)
    share /= np.float32(scale.high - scale.low)
    np.maximum.at(found, cell, np.clip(share, LEAST, 1.0))
    return found.astype(float)
