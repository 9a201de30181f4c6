"""One label for each distinct input."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats

# How many contradictory inputs an error spells out, and how many labels of each.
_SHOWN = 3


def merged_labels(labels: Floats, point_of_row: NDArray[np.int64], points: Floats, duplicates: str) -> Floats:
    """Return the label of each distinct input.

    Parameters
    ----------
    labels : ndarray, shape (n_rows, n_outputs)
    point_of_row : ndarray of int, shape (n_rows,)
        Which distinct input each row has; every one occurs.
    points : ndarray, shape (n_points, n_features)
        The distinct inputs, for the error.
    duplicates : {"error", "mean"}
        What to do with an input that has different labels.

    Returns
    -------
    ndarray, shape (n_points, n_outputs)

    Raises
    ------
    ValueError
        If an input has different labels with ``duplicates="error"``.
    """
    order = np.argsort(point_of_row, kind="stable")
    sorted_labels = labels[order]
    start = np.searchsorted(point_of_row[order], np.arange(len(points)))
    result = sorted_labels[start]
    low, high = np.minimum.reduceat(sorted_labels, start), np.maximum.reduceat(sorted_labels, start)
    clash = np.flatnonzero((low != high).any(axis=1))
    groups = {i: sorted_labels[start[i] : start[i + 1] if i + 1 < start.size else None] for i in clash}
    if clash.size and duplicates == "error":
        raise ValueError(_clash_sentence(points, groups))
    for i, group in groups.items():
        result[i] = [_mean(column) for column in group.T]
    return result


def _mean(labels: Floats) -> float:
    if (labels == labels[0]).all():
        return labels[0]
    try:
        return math.fsum(labels) / labels.size
    except OverflowError:
        return float(sum(map(Fraction, labels.tolist())) / labels.size)


def _clash_sentence(points: Floats, groups: dict[int, Floats]) -> str:
    shown = "; ".join(f"x = {_shown(points[i])} has y = {_several(groups[i])}" for i in list(groups)[:_SHOWN])
    more = f"; and {len(groups) - _SHOWN} more" if len(groups) > _SHOWN else ""
    return (
        f"An interpolant needs one label for each input, but {shown}{more};"
        ' pass duplicates="mean" to interpolate the mean labels.'
    )


def _shown(row: Floats) -> str:
    return str(row[0]) if row.size == 1 else str(row.tolist())


def _several(group: Floats) -> str:
    distinct = np.unique(group, axis=0)
    return ", ".join(map(_shown, distinct[:_SHOWN])) + (", …" if len(distinct) > _SHOWN else "")
