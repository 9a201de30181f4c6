"""Which extremal direction a neuron, or a group of them, is turned to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.structures.arrays import Floats, frozen

# Whole cones of directions are at rest there: the direction that is reported is only one of them.
CONES = ("neutral", "dead")


class Matches(NamedTuple):
    """What extremal directions some neurons sit on.

    Attributes
    ----------
    index : ndarray of int, shape (n,)
        Of the nearest extremal direction with the same sign (several outputs: with the nearest pair of
        directions), -1 where there is none within the angle that was asked for.
    angle : ndarray, shape (n,)
        How far the nearest one is, within that angle or not, in radians; NaN where there is none at all.
    """

    index: NDArray[np.int64]
    angle: Floats


def match_directions(
    direction: Floats, output: Floats, extremal: Sequence[ExtremalDirection], angle: float
) -> Matches:
    """Find the nearest extremal direction of each neuron, whole cones at rest left out.

    Parameters
    ----------
    direction, output : ndarray, shapes (n, p) and (n, o)
        Unit vectors of the input and the output weights; for one output the latter is the sign.
    extremal : sequence of ExtremalDirection
        Of data with p weights and o outputs.
    angle : float
        The largest angle of a match, below π: ``2 asin(½ |(Δu, Δα)|)`` for several outputs.

    Returns
    -------
    Matches

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> found = rq.extremal_directions(rq.datasets.zigzag(3))
    >>> match_directions(found[3].direction[None], np.ones((1, 1)), found, 1e-3).index
    array([3])
    """
    # Takes long to import.
    from scipy.spatial import cKDTree

    index, off = np.full(len(direction), -1), np.full(len(direction), np.nan)
    kept = np.array([i for i, e in enumerate(extremal) if e.kind not in CONES], dtype=np.int64)
    if kept.size == 0 or len(direction) == 0:
        return Matches(frozen(index, np.int64), frozen(off))
    pairs = np.array([np.r_[extremal[i].direction, extremal[i].output] for i in kept])
    tree = cKDTree(pairs)
    chord, nearest = tree.query(np.column_stack([direction, output]))
    off = 2 * np.arcsin(np.minimum(0.5 * chord, 1.0))
    if output.shape[1] == 1:
        # Another sign is another kind of neuron, however near.
        off = np.where(pairs[nearest, -1] == output[:, 0], off, np.nan)
    return Matches(frozen(np.where(off <= angle, kept[nearest], -1), np.int64), frozen(off))
