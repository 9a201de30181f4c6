"""A continuous piecewise-linear function of two variables on a convex region."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.structures.arrays import Floats, frozen, real_array

# A byte for each group on each polygon: 4 GB.
_MOST_SIDES = 2**32


@dataclass(frozen=True, slots=True, eq=False)
class PatternSteps:
    """Activation patterns of neighbouring polygons, each told by the one group in which it differs from one before it.

    Parameters
    ----------
    first : ndarray of bool, shape (n_groups,)
        The pattern of polygon 0.
    parent, group : ndarray of int, shape (n_regions,)
        Polygon i has the pattern of polygon ``parent[i] < i`` but for this group; -1 for polygon 0.
    active : ndarray of bool, shape (n_regions,)
        Whether that group is active on polygon i.
    """

    first: NDArray[np.bool_]
    parent: NDArray[np.int64]
    group: NDArray[np.int64]
    active: NDArray[np.bool_]

    def table(self) -> NDArray[np.bool_]:
        """Return all patterns, shape (n_regions, n_groups).

        Raises
        ------
        ValueError
            If they are too many to hold.
        """
        if self.parent.size * self.first.size > _MOST_SIDES:
            raise ValueError(
                f"The patterns of {self.first.size} groups on {self.parent.size} polygons are too much to hold; follow"
                " steps from polygon to polygon, or choose a smaller region."
            )
        from reluquant.kernels.planar_faces import patterns  # loads a compiler

        return patterns(self.first, self.parent, self.group, self.active)


@dataclass(frozen=True, eq=False, repr=False)
class PlanarPieces:
    """Convex polygons that tile a region, with an affine function on each.

    Made by :func:`reluquant.piecewise_linear`, which says what is exact and what is rounded.

    Parameters
    ----------
    corners : ndarray, shape (n_corners, 2)
        The corners of all polygons from the origin, one polygon after the other, each counterclockwise.
    starts : ndarray of int, shape (n_regions + 1,)
        Polygon i has the corners ``starts[i]:starts[i + 1]``.
    gradients : ndarray, shape (n_regions, 2)
    offsets : ndarray, shape (n_regions,)
        On polygon i the function is ``offsets[i] + gradients[i] · (x - origin)``.
    origin : ndarray, shape (2,)
        A point in the region. Distances from it are held, so that an offset of the data costs no digits.
    steps : PatternSteps or ndarray of bool, shape (n_regions, n_groups)
        What ``patterns`` are made from, or themselves.
    groups : tuple of ndarray of int
        Neurons that share a kink line (of a deeper network: one neuron each), counted through all layers.
    segments : ndarray, shape (n_segments, 2, 2)
        The kinks in the region: both ends of each.
    segment_groups : ndarray of int, shape (n_segments,)
        The group of each segment.
    region : ndarray, shape (k, 2)
        Corners of the region, counterclockwise.
    n_activation_regions : int
        Number of cells of all kink lines, those included whose slope jumps cancel.
    n_pieces : int or None
        Number of cells of the lines along which the function really bends; None where it was not determined.
    """

    corners: Floats
    starts: NDArray[np.int64]
    gradients: Floats
    offsets: Floats
    origin: Floats
    steps: PatternSteps | NDArray[np.bool_]
    groups: tuple[NDArray[np.int64], ...]
    segments: Floats
    segment_groups: NDArray[np.int64]
    region: Floats
    n_activation_regions: int
    n_pieces: int | None

    def __post_init__(self) -> None:
        for name, dtype in (
            ("corners", np.float64), ("starts", np.int64), ("gradients", np.float64), ("offsets", np.float64),
            ("origin", np.float64), ("segments", np.float64), ("segment_groups", np.int64),
            ("region", np.float64),
        ):  # fmt: skip
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        if not isinstance(self.steps, PatternSteps):
            object.__setattr__(self, "steps", frozen(self.steps, np.bool_))
        object.__setattr__(self, "groups", tuple(frozen(group, np.int64) for group in self.groups))

    @cached_property
    def patterns(self) -> NDArray[np.bool_]:
        """Which groups are active on each polygon, shape (n_regions, n_groups); a byte each, made when first asked for.

        A group stands for its first neuron; neurons of the group that point the other way are active where that one is
        not.
        """
        if not isinstance(self.steps, PatternSteps):
            return self.steps
        table = self.steps.table()
        table.setflags(write=False)
        return table

    @property
    def n_regions(self) -> int:
        """Number of polygons."""
        return self.offsets.size

    @property
    def vertices(self) -> Floats:
        """The corners of all polygons, one polygon after the other, shape (n_corners, 2)."""
        return self.corners + self.origin

    @property
    def areas(self) -> Floats:
        """Area of each polygon, shape (n_regions,)."""
        first = np.repeat(self.starts[:-1], np.diff(self.starts))
        following = np.arange(len(self.corners)) + 1
        following[self.starts[1:] - 1] = self.starts[:-1]
        # From the first corner of each polygon: products of small differences.
        here, there = self.corners - self.corners[first], self.corners[following] - self.corners[first]
        return np.add.reduceat(here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0], self.starts[:-1]) / 2

    @property
    def area(self) -> float:
        """Area of all polygons together."""
        return float(self.areas.sum())

    def polygon(self, i: int) -> Floats:
        """Return the corners of polygon i, counterclockwise, shape (k, 2)."""
        return self.corners[self.starts[i] : self.starts[i + 1]] + self.origin

    def locate(self, x: ArrayLike) -> NDArray[np.int64]:
        """Return the polygon that holds each point of x (n_points, 2); -1 outside the region.

        Points on an edge may be given to either side, and those within rounding of it.
        """
        from reluquant.kernels.polygons import locate  # loads a compiler

        points = real_array(x, "x", ndim=(2,))
        if points.shape[1] != 2:
            raise ValueError(f"x must have shape (n_points, 2), but it has shape {points.shape}.")
        return locate(np.array(points - self.origin), np.array(self.corners), np.array(self.starts))

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate at points x (n_points, 2) of the region; NaN outside."""
        points = real_array(x, "x", ndim=(2,))
        piece = self.locate(points)
        values = ((points - self.origin) * self.gradients[piece]).sum(axis=1) + self.offsets[piece]
        return np.where(piece < 0, np.nan, values)

    def __repr__(self) -> str:
        return f"PlanarPieces(n_regions={self.n_regions}, n_segments={len(self.segments)})"
