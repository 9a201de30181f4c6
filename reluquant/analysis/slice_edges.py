"""The edges of linear regions in a window as few strokes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats
from reluquant.structures.planar_pieces import PlanarPieces


def slice_edges(pieces: PlanarPieces, n_first: int) -> tuple[Floats, NDArray[np.int64]]:
    """Return the edges of the regions in a window, those of the first layer joined to whole lines.

    Parameters
    ----------
    pieces : PlanarPieces
        Of :func:`reluquant.piecewise_linear` with ``window=``.
    n_first : int
        Number of neurons of the first layer, whose boundaries are straight lines across the window.

    Returns
    -------
    segments : ndarray, shape (n_segments, 2, 2)
        Both ends of each, the longest first.
    owners : ndarray of int, shape (n_segments,)
        The neuron of each.
    """
    segments, owners = pieces.segments, pieces.segment_groups
    first = owners < n_first
    joined, whose = _joined(segments[first], owners[first])
    segments = np.concatenate([joined, segments[~first]])
    owners = np.concatenate([whose, owners[~first]])
    order = np.argsort(-np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1), kind="stable")
    return segments[order], owners[order]


def _joined(segments: Floats, owners: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """One stroke for each owner, from end to end of its collinear segments."""
    if not owners.size:
        return segments, owners
    order = np.argsort(owners, kind="stable")
    segments, owners = segments[order], owners[order]
    starts = np.flatnonzero(np.r_[True, np.diff(owners) > 0])
    group = np.repeat(np.arange(starts.size), np.diff(np.r_[starts, owners.size]))
    ends = segments.reshape(-1, 2)
    # Along the axis in which the line is longer places differ most.
    spread = np.stack([np.abs(np.maximum.reduceat(segments[:, :, k].max(1), starts)
                              - np.minimum.reduceat(segments[:, :, k].min(1), starts)) for k in (0, 1)])  # fmt: skip
    place = ends[np.arange(len(ends)), np.repeat(np.argmax(spread, axis=0)[group], 2)]
    order = np.lexsort([place, np.repeat(group, 2)])
    bounds = np.r_[2 * starts, len(ends)]
    return np.stack([ends[order[bounds[:-1]]], ends[order[bounds[1:] - 1]]], axis=1), owners[starts]
