"""What an extremal direction is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reluquant.structures.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class ExtremalDirection:
    """A direction at which the rotation of a tiny neuron is at rest.

    Parameters
    ----------
    direction : ndarray, shape (p,)
        Unit vector of the input weights, the bias last. For ``"neutral"`` and ``"dead"``, where a whole
        cone of directions is at rest, one inside; for arcs the middle.
    angle : float
        ``atan2(direction[1], direction[0])``; NaN if there are not two numbers.
    sign : int
        Sign of the neuron's output weight, 1 or -1; 0 for several outputs.
    rate : float
        Growth ``d ln|w| / dt`` of a balanced neuron there: ``output · Σ_k r_k relu(direction · x̃_k)``.
        Negative: it shrinks.
    kind : {"attractor", "semistable", "saddle", "repeller", "neutral", "dead"}
        What neurons nearby do: come from all sides, come from some sides, come along some
        directions only, go away, stay, or stay because no sample is active.
    samples : tuple of int
        Samples on whose boundary it lies; a neuron there slides on them.
    multipliers : tuple of float
        For each of them the share λ in [0, 1] of its gradient that a sliding neuron feels. If the
        inputs of more than p - 1 or otherwise dependent samples meet, these are one choice of many.
    kink : float
        ``-b/w`` for one input with bias; NaN for others and for ``w = 0``.
    output : ndarray, shape (n_outputs,)
        Unit vector of the output weights; ``[sign]`` for one output, NaN where all are at rest.
    index : int or None
        In how many independent directions neurons leave if they come along all others: 0 for attractors.
        None for kinds where that is not a number.
    basin : (float, float) or None
        For one input with bias: first and last angle of the directions, counter-clockwise, from which
        tiny neurons of this sign get there; the second is above the first, and may exceed π.
    """

    direction: Floats
    angle: float
    sign: int
    rate: float
    kind: str
    samples: tuple[int, ...]
    multipliers: tuple[float, ...]
    kink: float
    output: Floats
    index: int | None = None
    basin: tuple[float, float] | None = None


class ExtremalDirections(tuple[ExtremalDirection, ...]):
    """A tuple of extremal directions that says whether they are all.

    Parameters
    ----------
    found : iterable of ExtremalDirection
        The directions.
    complete : bool, default True
        False if they are what a search has found, a lower bound.
    """

    complete: bool

    def __new__(cls, found: Iterable[ExtremalDirection] = (), complete: bool = True) -> ExtremalDirections:
        """Return the tuple."""
        self = super().__new__(cls, found)
        self.complete = complete
        return self
