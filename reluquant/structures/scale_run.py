"""One run of many that differ in the scale of their start, with what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass

from reluquant.structures.trajectory import Trajectory


@dataclass(frozen=True, slots=True, eq=False)
class ScaleRun:
    """One run and what was measured of it.

    Parameters
    ----------
    log10_scale : float
        Decimal logarithm of the typical norm of a neuron at the start.
    trajectory : Trajectory
        The flow.
    n_directions : int
        Fewest neuron clusters that carry 99 % of the mass at the end.
    log10_rd : float
        Decimal logarithm of the relative change of the input weights.
    sup : float
        Largest distance between the network at the end and the interpolant of the data, on their hull.
    """

    log10_scale: float
    trajectory: Trajectory
    n_directions: int
    log10_rd: float
    sup: float
