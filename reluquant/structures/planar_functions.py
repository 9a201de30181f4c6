"""What the analysis of functions of two variables asks of an interpolant."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from reluquant.structures.arrays import Floats
from reluquant.structures.triangulation import Triangulation


@runtime_checkable
class Interpolant(Protocol):
    """Values at the points of a triangulation, and affine on each of its simplices."""

    @property
    def triangulation(self) -> Triangulation:
        """Points, simplices and neighbours."""

    @property
    def values(self) -> Floats:
        """Values at the points, shape (n_points,) or (n_points, 1)."""
