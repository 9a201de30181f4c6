"""Where in a planar window which output of a network is the largest, or an output is positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.planar_slice import PlanarSlice


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DecisionRegions:
    """The result of :func:`decision_regions`: tiles of one class each, and the boundaries between them.

    Parameters
    ----------
    corners : ndarray, shape (n_corners, 2)
        The corners of all tiles in the unit square, one tile after the other, each counterclockwise.
    starts : ndarray of int, shape (n_tiles + 1,)
        Tile i has the corners ``starts[i]:starts[i + 1]``.
    winner : ndarray of int, shape (n_tiles,)
        The class of each tile.
    region : ndarray of int, shape (n_tiles,)
        The linear region that it is part of.
    boundaries : ndarray, shape (n_boundaries, 2, 2)
        Both ends of each straight piece of the boundary between two classes.
    between : ndarray of int, shape (n_boundaries, 2)
        These classes, the smaller first.
    n_classes : int
        How many there could be.
    """

    corners: Floats
    starts: NDArray[np.int64]
    winner: NDArray[np.int64]
    region: NDArray[np.int64]
    boundaries: Floats
    between: NDArray[np.int64]
    n_classes: int

    def __post_init__(self) -> None:
        for name in ("corners", "boundaries"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name in ("starts", "winner", "region", "between"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def shares(self) -> Floats:
        """The share of the window on which each class wins, shape (n_classes,)."""
        first = np.repeat(self.starts[:-1], np.diff(self.starts))
        following = np.arange(len(self.corners)) + 1
        following[self.starts[1:] - 1] = self.starts[:-1]
        here, there = self.corners - self.corners[first], self.corners[following] - self.corners[first]
        areas = np.add.reduceat(here[:, 0] * there[:, 1] - here[:, 1] * there[:, 0], self.starts[:-1]) / 2
        return np.bincount(self.winner, areas, self.n_classes)

    def __repr__(self) -> str:
        return f"DecisionRegions(n_tiles={self.winner.size}, n_boundaries={len(self.between)})"


def decision_regions(found: PlanarSlice, *, output: int | None = None) -> DecisionRegions:
    """Return where in a window which class wins.

    Parameters
    ----------
    found : PlanarSlice
        The network there.
    output : int, optional
        Ask for the sign of this output: class 1 where it is positive, class 0 elsewhere. By default the class is the
        number of the largest output; of a network with one output, its sign.

    Returns
    -------
    DecisionRegions
        On each linear region the outputs are affine, so tiles are convex polygons and boundaries straight: exact but
        for rounding.

    Raises
    ------
    ValueError
        If there is no such output.

    Notes
    -----
    Of equal outputs the first wins. Boundaries lie where two outputs meet inside a linear region. Where two are equal
    throughout a region, as where all neurons are dead, its edges are not among the boundaries.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.decision_regions import decision_regions
    >>> from reluquant.analysis.deep_pieces import slice_in_window
    >>> net = rq.DeepReLU([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 0.0]])       # the outputs are x and y
    >>> found = decision_regions(slice_in_window(net, ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0])))
    >>> found.shares, found.boundaries.tolist()
    (array([0.5, 0.5]), [[[1.0, 1.0], [0.0, 0.0]]])
    """
    from reluquant.kernels.winning_tiles import winning_tiles  # loads a compiler

    maps = found.maps
    if output is None and found.n_outputs == 1:
        output = 0
    if output is not None:
        if not 0 <= output < found.n_outputs:
            raise ValueError(f"output must be from 0 to {found.n_outputs - 1}, but it is {output!r}.")
        maps = np.stack([np.zeros((found.n_regions, 3)), maps[:, output]], axis=1)
    pieces = found.pieces
    x, y, starts, region, winner, ends, between = winning_tiles(
        pieces.corners[:, 0].copy(), pieces.corners[:, 1].copy(), np.array(pieces.starts), np.array(maps)
    )
    return DecisionRegions(
        np.column_stack([x, y]), starts, winner, region, ends.reshape(-1, 2, 2), between, maps.shape[1]
    )
