"""A network, or what a training did to one, seen as networks over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.shallow_relu import ShallowReLU

# Frames of a play; with a hundredth of a second to a second each, a play is smooth or takes a minute.
MOST_FRAMES = 120
# More are no classes that a picture could tell apart.
MOST_OUTPUTS = 100


@dataclass(frozen=True, slots=True, eq=False)
class NetworkRun:
    """Networks over time.

    Parameters
    ----------
    grid : ndarray, shape (n_frames,)
        Increasing moments; one for a network that stands still.
    at : callable
        Returns the network at a moment, and a bias of its outputs that is not part of it.
    n_outputs : int
        Of all of them.
    """

    grid: Floats
    at: Callable[[float], tuple[ShallowReLU | DeepReLU, Floats | float]]
    n_outputs: int

    @property
    def plays(self) -> bool:
        """Whether there is more than one moment."""
        return self.grid.size > 1


def network_run(net: object, n_features: int) -> NetworkRun:
    """Return a network, or a run with times ``.t`` and networks ``.at(t)``, as networks over time.

    Parameters
    ----------
    net : ShallowReLU, DeepReLU, or such a run
        What was given.
    n_features : int
        What its networks must take.

    Returns
    -------
    NetworkRun
        Of a run at most 120 of its moments, evenly among those that it kept.

    Raises
    ------
    TypeError, ValueError
        If it is something else, takes another number of features, or has more than 100 outputs.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.network_run import network_run
    >>> network_run(rq.ShallowReLU([[1.0, 2.0, 0.0]], [1.0]), 2).plays
    False
    """
    if isinstance(net, ShallowReLU | DeepReLU):
        _check_sizes(net, n_features)
        return NetworkRun(np.zeros(1), lambda t: (net, 0.0), _n_outputs(net))
    if not (hasattr(net, "t") and callable(getattr(net, "at", None))):
        raise TypeError(
            "A slice needs a ShallowReLU, a DeepReLU, or a run with times .t and networks .at(t),"
            f" but got {type(net).__name__}."
        )
    times = np.asarray(net.t, dtype=float)
    grid = np.unique(times[np.unique(np.linspace(0, times.size - 1, MOST_FRAMES).astype(int))])
    offsets = getattr(net, "output_bias", None)

    def at(t: float) -> tuple[ShallowReLU | DeepReLU, Floats | float]:
        return net.at(t), offsets(t) if callable(offsets) else 0.0

    first = net.at(float(grid[0]))
    if not isinstance(first, ShallowReLU | DeepReLU):
        raise TypeError(f"The networks of a run must be ShallowReLU or DeepReLU, but one is {type(first).__name__}.")
    _check_sizes(first, n_features)
    return NetworkRun(frozen(grid), at, _n_outputs(first))


def _check_sizes(net: ShallowReLU | DeepReLU, n_features: int) -> None:
    if net.n_features != n_features:
        raise ValueError(f"The network takes {net.n_features} features, but the data points have {n_features}.")
    if _n_outputs(net) > MOST_OUTPUTS:
        raise ValueError(
            f"A slice shows at most {MOST_OUTPUTS} outputs, but the network has {_n_outputs(net)};"
            " make one of fewer rows of its last layer."
        )


def _n_outputs(net: ShallowReLU | DeepReLU) -> int:
    if isinstance(net, DeepReLU):
        return net.n_outputs
    return 1 if net.a.ndim == 1 else net.a.shape[1]
