"""The piecewise-linear interpolant of data on the line."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.one_dimension import line_inputs, line_labels
from reluquant.analysis.predicates import turn_signs
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.piecewise_linear import PiecewiseLinear

# How many contradictory inputs an error spells out.
_SHOWN = 3


def interpolate(
    data: Dataset,
    *,
    extrapolate: Literal["linear", "nearest"] = "linear",
    duplicates: Literal["error", "mean"] = "error",
) -> PiecewiseLinear:
    """Return the piecewise-linear interpolant of data with one input and one output.

    Parameters
    ----------
    data : Dataset
        One input feature, one output, in any order; finite values up to ±1.7e308 are fine.
    extrapolate : {"linear", "nearest"}
        Beyond the data: continue the end pieces, or stay at the end values.
    duplicates : {"error", "mean"}
        What to do with an input that has different labels: refuse, or take their mean. Equal
        labels of an input are merged silently.

    Returns
    -------
    PiecewiseLinear
        Equal to the labels at every input, exactly. Its knots are the inputs; its breakpoints
        those where the slope changes, decided exactly. Its domain is the hull of the inputs.

    Raises
    ------
    TypeError
        If ``data`` is not a Dataset.
    ValueError
        If the data have several features or outputs, an option is unknown, or an input has
        different labels with ``duplicates="error"``.

    Notes
    -----
    With ``extrapolate="nearest"`` the ends are breakpoints where the end pieces are not flat. One
    input gives a constant.

    Examples
    --------
    >>> import reluquant as rq
    >>> f = rq.interpolate(rq.Dataset([0.0, 2.0, 1.0, 3.0], [0.0, 2.0, 1.0, 0.0]))
    >>> f.knots, f.breakpoints, f(2.5)
    (array([0., 1., 2., 3.]), array([2.]), np.float64(1.0))
    """
    for name, value, known in (
        ("extrapolate", extrapolate, ("linear", "nearest")),
        ("duplicates", duplicates, ("error", "mean")),
    ):
        if value not in known:
            raise ValueError(f"{name} must be {known[0]!r} or {known[1]!r}, but it is {value!r}.")
    inputs = line_inputs(data, "interpolate", bias=False)
    knots, values = _merged(inputs, line_labels(data, "interpolate"), duplicates)
    inner = _slopes(knots, values)
    turns = turn_signs(knots, values) != 0
    if extrapolate == "nearest" or knots.size == 1:
        slopes = np.r_[0.0, inner, 0.0]
        changes = np.r_[inner[:1] != 0, turns, inner[-1:] != 0] if knots.size > 1 else np.zeros(1, dtype=bool)
        if knots.size > 1:
            # Not the float slopes, which may underflow to zero.
            changes[[0, -1]] = values[0] != values[1], values[-2] != values[-1]
    else:
        slopes = np.r_[inner[0], inner, inner[-1]]
        changes = np.r_[False, turns, False]
    return PiecewiseLinear(knots, values, slopes, knots[changes], domain=(knots[0], knots[-1]))


def _slopes(x: Floats, y: Floats) -> Floats:
    with np.errstate(over="ignore"):
        rise, run = np.diff(y), np.diff(x)
        # Halving both keeps ±1.7e308 finite; what it loses, a subnormal's last bit, is below rounding there.
        huge = ~(np.isfinite(rise) & np.isfinite(run))
        rise[huge], run[huge] = np.diff(y / 2)[huge], np.diff(x / 2)[huge]
        return rise / run


def _merged(x: Floats, y: Floats, duplicates: str) -> tuple[Floats, Floats]:
    """Return distinct inputs in order with one label each."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    start = np.flatnonzero(np.r_[True, x[1:] != x[:-1]])
    values = y[start]
    groups = np.split(y, start[1:])
    low, high = np.minimum.reduceat(y, start), np.maximum.reduceat(y, start)
    clash = np.flatnonzero(low != high)
    if clash.size and duplicates == "error":
        raise ValueError(_clash_sentence(x[start], groups, clash))
    for i in clash:
        values[i] = _mean(groups[i])
    return x[start], values


def _mean(labels: Floats) -> float:
    try:
        return math.fsum(labels) / labels.size
    except OverflowError:
        return float(sum(map(Fraction, labels.tolist())) / labels.size)


def _clash_sentence(x: Floats, groups: list[Floats], clash: NDArray[np.int64]) -> str:
    shown = "; ".join(
        f"x = {x[i]} has y = {', '.join(map(str, np.unique(groups[i])[:_SHOWN]))}"
        + (", …" if np.unique(groups[i]).size > _SHOWN else "")
        for i in clash[:_SHOWN]
    )
    more = f"; and {clash.size - _SHOWN} more" if clash.size > _SHOWN else ""
    return (
        f"An interpolant needs one label for each input, but {shown}{more};"
        ' pass duplicates="mean" to interpolate the mean labels.'
    )
