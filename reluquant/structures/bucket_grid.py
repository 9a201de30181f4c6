"""A box cut into equal buckets, a few for each point in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.kernels.point_location import visits
from reluquant.structures.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class BucketGrid:
    """The buckets that kernels find their way by.

    Parameters
    ----------
    frame : ndarray, shape (2, dimension)
        The lowest corner, and the number of buckets per half unit of length along each axis; 0 along an axis without
        width, or one too small to be divided.
    shape : ndarray of int, shape (dimension,)
        Buckets along each axis.
    """

    frame: Floats
    shape: NDArray[np.int64]

    @classmethod
    def around(cls, points: Floats, *, per_point: int) -> BucketGrid:
        """Return the grid of a box around points, so many buckets for each, as near to cubes as that allows."""
        most = per_point * len(points)
        low, high = points.min(axis=0), points.max(axis=0)
        half = 0.5 * high - 0.5 * low
        wide = half > 0
        shape = np.ones(half.size, dtype=np.int64)
        stretch = np.zeros(half.size)
        if wide.any():
            logs = np.log2(half[wide])
            # As many per axis as its width is a multiple of the bucket's, whose volume is the box's over the points'.
            counts = np.exp2(np.clip(logs + (np.log2(most) - logs.sum()) / wide.sum(), 0, np.log2(most)))
            shape[wide] = np.maximum(counts, 1)
            with np.errstate(over="ignore"):
                stretch[wide] = shape[wide] / half[wide]
        stretch[~np.isfinite(stretch)] = 0.0
        shape[stretch == 0] = 1
        # An axis much shorter than the others has one bucket only, which leaves too many for them.
        while shape.astype(float).prod() > 4 * most:
            longest = shape.argmax()
            shape[longest] = (shape[longest] + 1) // 2
            stretch[longest] = shape[longest] / half[longest]
        return cls(np.stack([low, stretch]), shape)

    def visits(self, z: Floats) -> NDArray[np.int64]:
        """Return an order of points in which neighbours follow one another; empty where theirs is good."""
        return visits(z, self.frame, self.shape)

    def middles(self) -> Floats:
        """The middles of all buckets, row by row, shape (n_buckets, dimension)."""
        axes = []
        for low, stretch, count in zip(*self.frame, self.shape, strict=True):
            steps = (np.arange(count) + 0.5) / stretch if stretch > 0 else np.zeros(1)
            axes.append(2 * (steps + 0.5 * low))
        return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
