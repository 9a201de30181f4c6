"""What a run keeps so that the network at any of its times can be computed again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, Self

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.losses import Loss

# Restart points are thinned to stay within these bytes; a replay then takes longer.
MOST_BYTES = 2**28


class NeuronStates(NamedTuple):
    """All neurons at several times.

    Attributes
    ----------
    W : ndarray, shape (n_times, n_neurons, n_features + 1)
        Input weights, bias last (without a bias, one column less).
    a : ndarray, shape (n_times, n_neurons) or (n_times, n_neurons, n_outputs)
        Output weights.
    log_norm : ndarray, shape (n_times, n_neurons)
        Natural logarithm of ``‖w‖``, right even where ``W`` underflows; -inf for zero weights.
    slides_on : ndarray of int, shape (n_times, n_neurons)
        The sample on which a neuron is held (the first, if it is held on several), or -1.
    """

    W: Floats
    a: Floats
    log_norm: Floats
    slides_on: np.ndarray


class Recording(Protocol):
    """What each integrator hands to its :class:`Trajectory`."""

    # In words: which integrator it was.
    method: str
    # What was trained for.
    loss: Loss

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""

    def states(self, times: Floats) -> NeuronStates:
        """All neurons at times inside the run, in any order."""

    def offsets(self, times: Floats) -> Floats:
        """Return the trained output bias at times inside the run, shape (n_times, n_outputs); zeros without one."""

    def branch_points(self, switches: np.ndarray) -> np.ndarray:
        """Where merged neurons would part, as :attr:`Trajectory.branch_points`."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as plain arrays, for a file."""

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], data: Dataset) -> Self:
        """Make the recording that :meth:`arrays` was taken from.

        Raises
        ------
        KeyError, ValueError
            If an array is missing, or does not fit.
        """
