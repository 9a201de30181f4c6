"""A box cut into equal buckets, about one for each point in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class BucketGrid:
    """The buckets that kernels find their way by.

    Parameters
    ----------
    low : ndarray, shape (dimension,)
        The lowest corner.
    stretch : ndarray, shape (dimension,)
        Buckets per half unit of length along each axis; 0 along an axis without width, or one too small to be divided.
    shape : ndarray of int, shape (dimension,)
        Buckets along each axis.
    """

    low: Floats
    stretch: Floats
    shape: NDArray[np.int64]

    @classmethod
    def around(cls, points: Floats) -> BucketGrid:
        """Return the grid of a box around points, with buckets as near to cubes as that allows."""
        low, high = points.min(axis=0), points.max(axis=0)
        half = 0.5 * high - 0.5 * low
        wide = half > 0
        shape = np.ones(half.size, dtype=np.int64)
        stretch = np.zeros(half.size)
        if wide.any():
            logs = np.log2(half[wide])
            # As many per axis as its width is a multiple of the bucket's, whose volume is the box's over the points'.
            counts = np.exp2(np.clip(logs + (np.log2(len(points)) - logs.sum()) / wide.sum(), 0, np.log2(len(points))))
            shape[wide] = np.maximum(counts, 1)
            with np.errstate(over="ignore"):
                stretch[wide] = shape[wide] / half[wide]
        stretch[~np.isfinite(stretch)] = 0.0
        shape[stretch == 0] = 1
        # An axis much shorter than the others has one bucket only, which leaves too many for them.
        while shape.astype(float).prod() > 4 * len(points):
            longest = shape.argmax()
            shape[longest] = (shape[longest] + 1) // 2
            stretch[longest] = shape[longest] / half[longest]
        return cls(low, stretch, shape)

    @property
    def arrays(self) -> tuple[Floats, Floats, NDArray[np.int64]]:
        """Corner, stretch and shape, as kernels take them."""
        return self.low, self.stretch, self.shape

    def middles(self) -> Floats:
        """The middles of all buckets, row by row, shape (n_buckets, dimension)."""
        axes = []
        for low, stretch, count in zip(*self.arrays, strict=True):
            steps = (np.arange(count) + 0.5) / stretch if stretch > 0 else np.zeros(1)
            axes.append(2 * (steps + 0.5 * low))
        return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
