"""Affine functions with several outputs on the polygons of a planar window."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.planar_pieces import PlanarPieces


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PlanarSlice:
    """The linear regions of a network in a window of its inputs, with an affine map for each output.

    Made by :func:`reluquant.analysis.deep_pieces.slice_in_window`.

    Parameters
    ----------
    pieces : PlanarPieces
        The regions in the unit square of the window; its function is output 0.
    maps : ndarray, shape (n_regions, n_outputs, 3)
        Output k on region i is ``maps[i, k] · (1, s, t)``.
    """

    pieces: PlanarPieces
    maps: Floats

    def __post_init__(self) -> None:
        object.__setattr__(self, "maps", frozen(self.maps))

    @property
    def n_regions(self) -> int:
        """Number of linear regions."""
        return self.maps.shape[0]

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self.maps.shape[1]

    def output(self, k: int) -> PlanarPieces:
        """Return output k, as :func:`reluquant.piecewise_linear` returns that of a network which has only this one."""
        return replace(self.pieces, offsets=self.maps[:, k, 0], gradients=self.maps[:, k, 1:])

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate all outputs at points x (n_points, 2) of the window, shape (n_points, n_outputs); NaN outside."""
        region = self.pieces.locate(x)
        points = np.asarray(x, dtype=float)
        maps = self.maps[region]
        values = maps[..., 0] + maps[..., 1] * points[:, :1] + maps[..., 2] * points[:, 1:]
        return np.where(region[:, None] < 0, np.nan, values)

    def __repr__(self) -> str:
        return f"PlanarSlice(n_regions={self.n_regions}, n_outputs={self.n_outputs})"
