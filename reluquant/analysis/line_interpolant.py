"""Piecewise-linear interpolants of data on the line: with a knot at every input, or with the fewest pieces."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from reluquant.analysis.predicates import turn_signs
from reluquant.structures.arrays import Floats
from reluquant.structures.piecewise_linear import PiecewiseLinear


def line_interpolant(knots: Floats, values: Floats, *, flat_ends: bool) -> PiecewiseLinear:
    """Return the function that is affine between neighbouring inputs.

    Parameters
    ----------
    knots : ndarray, shape (n_knots,)
        Strictly increasing inputs.
    values : ndarray, shape (n_knots,)
        Their labels.
    flat_ends : bool
        Whether it stays at the end values beyond the inputs; else it continues the end pieces.

    Returns
    -------
    PiecewiseLinear
        With a breakpoint at each knot at which the slope changes, decided exactly.
    """
    return _with_ends(knots, values, _slopes(knots, values), knots[1:-1][turn_signs(knots, values) != 0], flat_ends)


def fewest_pieces(knots: Floats, values: Floats, *, flat_ends: bool) -> PiecewiseLinear:
    """Return an interpolant with as few linear pieces as any has.

    Parameters and what is returned are those of :func:`line_interpolant`. Knots are the inputs, at which the labels are
    met exactly, and the breakpoints between them, whose places are rounded; their number is exact.

    Raises
    ------
    ValueError
        If two pieces meet at a value beyond float64.

    Notes
    -----
    Let c_i be the slope of the chord from input i to i + 1. A function that leaves input i with slope s ≠ c_i reaches
    the next one with a single breakpoint in between exactly if it arrives with a slope on the other side of c_i. Follow
    the least number of pieces up to input i and the slopes A_i with which it can be left at that price; for any other
    slope one more breakpoint, at the input itself, is enough. At first A_2 = {c_1}. If c_i is in A_i, nothing is paid
    and A_{i+1} = {c_i}; else one breakpoint, and A_{i+1} holds c_i and what lies beyond it, seen from A_i. So A_i is a
    chord's slope alone or all slopes from there on, and whether c_i is in it is the sign of a turn. Where the slope
    turns the same way at a run of r successive inputs, ⌈r/2⌉ breakpoints are needed and enough: one for each pair of
    neighbours, in the gap between them, where the chords before and after that gap meet, and one for an input that is
    left over. Pairs are taken from the left; with r odd others do as well.
    """
    turns = turn_signs(knots, values)
    x, y, slopes = knots.tolist(), values.tolist(), _slopes(knots, values).tolist()
    all_knots, all_values, all_slopes, breakpoints = x[:1], y[:1], slopes[:1], []
    paired = False
    for i in range(1, len(x)):
        turn = turns[i - 1] if i <= turns.size else 0
        if paired:
            # The end of a gap in which two pieces met: the slope does not change here.
            paired = False
        elif turn and i < turns.size and turns[i] == turn:
            paired = True
        elif turn:
            breakpoints.append(x[i])
        all_knots.append(x[i])
        all_values.append(y[i])
        if paired:
            place, value = _meeting(x[i - 1 : i + 3], y[i - 1 : i + 3])
            breakpoints.append(place)
            # Rounded to an end of the gap it is no knot of its own.
            if x[i] < place < x[i + 1]:
                all_knots.append(place)
                all_values.append(value)
                all_slopes += [slopes[i - 1], slopes[i + 1]]
                continue
        if i < len(slopes):
            all_slopes.append(slopes[i])
    arrays = (np.array(column) for column in (all_knots, all_values, all_slopes, breakpoints))
    return _with_ends(*arrays, flat_ends)


def _meeting(x: list[float], y: list[float]) -> tuple[float, float]:
    """Where the lines through the first two and the last two of four points meet, rounded."""
    x, y = [Fraction(v) for v in x], [Fraction(v) for v in y]
    left, right = (y[1] - y[0]) / (x[1] - x[0]), (y[3] - y[2]) / (x[3] - x[2])
    way = (y[2] - y[1] - right * (x[2] - x[1])) / (left - right)
    try:
        return float(x[1] + way), float(y[1] + left * way)
    except OverflowError:
        raise ValueError(
            f"Two pieces of the interpolant with the fewest pieces meet between x = {float(x[1])} and {float(x[2])}, at"
            ' a value beyond the float64 range; scale the labels down, or use method="delaunay".'
        ) from None


def _with_ends(knots: Floats, values: Floats, slopes: Floats, breakpoints: Floats, flat: bool) -> PiecewiseLinear:
    """Add the end pieces to slopes and breakpoints between the first and the last knot."""
    if flat or knots.size == 1:
        ends = np.zeros(2)
        if knots.size > 1:
            # Not the float slopes, which may underflow to zero.
            first, last = knots[:1][values[:1] != values[1:2]], knots[-1:][values[-1:] != values[-2:-1]]
            breakpoints = np.r_[first, breakpoints, last]
    else:
        ends = slopes[[0, -1]]
    return PiecewiseLinear(
        knots, values, np.r_[ends[0], slopes, ends[1]], breakpoints, domain=(knots[0], knots[-1])
    )


def _slopes(x: Floats, y: Floats) -> Floats:
    with np.errstate(over="ignore"):
        rise, run = np.diff(y), np.diff(x)
        # Halving both keeps ±1.7e308 finite; what it loses, a subnormal's last bit, is below rounding there.
        huge = ~(np.isfinite(rise) & np.isfinite(run))
        rise[huge], run[huge] = np.diff(y / 2)[huge], np.diff(x / 2)[huge]
        return rise / run
