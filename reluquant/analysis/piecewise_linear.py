"""The exact piecewise-linear function of a network with one input."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.one_dimension import kinks, line_neurons
from reluquant.analysis.predicates import product_difference_sign, products, sum_of_products_sign
from reluquant.structures.arrays import Floats
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.shallow_relu import ShallowReLU

# Adding n slope jumps rounds by at most n·eps of their absolute sum, and each by one more.
_SUM_FILTER = 2 * np.finfo(np.float64).eps
# Jumps this far below the largest may have lost bits to underflow: integers decide.
_TINY = 2.0**-900
# Kinks this far out could overflow in differences and prefix sums; `_FAR_SHIFT` halvings prevent it.
_FAR = 2.0**990
_FAR_SHIFT = 40


def piecewise_linear(net: ShallowReLU) -> PiecewiseLinear:
    """Return the function of a network of one input as breakpoints, values and slopes.

    Parameters
    ----------
    net : ShallowReLU
        One input feature with bias, one output.

    Returns
    -------
    PiecewiseLinear
        On the whole line. Which breakpoints there are is decided exactly for the weights as
        given: neurons with the same kink are merged, and a kink whose slope jumps cancel is no
        breakpoint. Places, values and slopes are rounded.

    Raises
    ------
    TypeError, ValueError
        If ``net`` is not such a network, or its values or slopes exceed the float64 range.

    Notes
    -----
    Neuron j bends at ``-b_j/w_j`` with slope jump ``a_j |w_j|``. Neurons with ``w_j = 0`` add a
    constant. A kink beyond ±1.8e308 is no breakpoint of any float64 and is left out. Values are
    prefix sums from the left over neurons with ``w > 0`` and from the right over ``w < 0``, so an
    inactive neuron adds no rounding: errors stay within ``2 n eps`` of the sum of the
    active ``|a_j w_j (x - kink_j)|``. Slopes below 5e-324 underflow. Takes O(n log n).

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367: functions of one input after training have
    few breakpoints. :func:`reluquant.simplify` counts those that matter.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.ShallowReLU([[1.0, -1.0], [2.0, -2.0], [-1.0, 0.0]], [3.0, -1.5, 1.0])
    >>> f = rq.piecewise_linear(net)                     # the first two cancel
    >>> f.breakpoints, f.slopes
    (array([0.]), array([-1.,  0.]))
    """
    w, b, a = line_neurons(net, "piecewise_linear")
    with np.errstate(over="ignore", invalid="ignore"):
        constant = float(np.sum((a * np.maximum(b, 0.0))[w == 0]))
        moving = (w != 0) & (a != 0)
        w, b, a = w[moving], b[moving], a[moving]
        place = kinks(w, b)
        bends = np.isfinite(place)
        # A neuron with its kink out of reach is active everywhere or nowhere.
        affine = ~bends & (b > 0)
        constant += float(np.sum((a * b)[affine]))
        tilt = float(np.sum((a * w)[affine]))
    order = np.argsort(place[bends], kind="stable")
    bending = _Bends(w[bends][order], b[bends][order], a[bends][order], place[bends][order])
    knots, values, slopes, breakpoints = bending.function()
    with np.errstate(over="ignore", invalid="ignore"):
        values, slopes = values + constant + tilt * knots, slopes + tilt
    if not (np.isfinite(values).all() and np.isfinite(slopes).all()):
        raise ValueError(
            "The function of this network exceeds the float64 range at one of its breakpoints; scale W or a down."
        )
    return PiecewiseLinear(knots, values, slopes, breakpoints)


class _Bends:
    """Neurons that bend at a float64, sorted by kink."""

    def __init__(self, w: Floats, b: Floats, a: Floats, place: Floats) -> None:
        self.w, self.b, self.a, self.place = w, b, a, place
        jump, exponent = products(a, np.abs(w))
        # One common power of two for all jumps: weights at 1e-300 would underflow in the product.
        self.exponent = int(exponent.max(initial=0))
        self.jump = np.ldexp(jump, np.maximum(exponent - self.exponent, -1200))

    def function(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return knots, values, slopes, breakpoints of the sum of the neurons."""
        if self.place.size == 0:
            return np.zeros(1), np.zeros(1), np.zeros(2), np.zeros(0)
        breakpoints = self._breakpoints()
        first = np.flatnonzero(np.r_[True, self.place[1:] != self.place[:-1]])
        knots = self.place[first]
        values, slopes = self._prefix_sums(knots, first)
        kept = np.isin(knots, breakpoints)
        if not kept.any():
            # All bends cancel: any of them can anchor the affine function.
            return knots[:1], values[:1], slopes[[0, 0]], breakpoints
        pieces = np.r_[np.flatnonzero(kept)[0], np.flatnonzero(kept) + 1]
        return knots[kept], values[kept], slopes[pieces], breakpoints

    def _prefix_sums(self, knots: Floats, first: NDArray[np.int64]) -> tuple[Floats, Floats]:
        shift = _FAR_SHIFT if np.abs(knots[[0, -1]]).max() > _FAR else 0
        gaps = np.diff(np.ldexp(knots, -shift))
        right = np.add.reduceat(np.where(self.w > 0, self.jump, 0.0), first)
        left = np.add.reduceat(np.where(self.w < 0, -self.jump, 0.0), first)
        # right_slope[i], left_slope[i]: of the neurons active just right, just left of knot i.
        right_slope, left_slope = np.cumsum(right), np.cumsum(left[::-1])[::-1]
        rising = np.r_[0.0, np.cumsum(right_slope[:-1] * gaps)]
        falling = np.r_[np.cumsum((-left_slope[1:] * gaps)[::-1])[::-1], 0.0]
        slopes = np.r_[0.0, right_slope] + np.r_[left_slope, 0.0]
        with np.errstate(over="ignore"):
            return np.ldexp(rising + falling, self.exponent + shift), np.ldexp(slopes, self.exponent)

    def _breakpoints(self) -> Floats:
        """Return the kinks, each once, whose slope jumps do not cancel; exact."""
        start = self._group_starts()
        size = np.diff(np.r_[start, self.place.size])
        total = np.abs(np.add.reduceat(self.jump, start))
        scale = np.add.reduceat(np.abs(self.jump), start)
        kept = (size == 1) | ((total > _SUM_FILTER * (size + 1) * scale) & (scale > _TINY))
        for i in np.flatnonzero(~kept):
            group = slice(start[i], start[i] + size[i])
            kept[i] = sum_of_products_sign(self.a[group], np.abs(self.w[group])) != 0
        return self.place[start[kept]]

    def _group_starts(self) -> NDArray[np.int64]:
        """Sort neurons that share a rounded kink by their true one; return where each true kink starts."""
        new = np.r_[True, self.place[1:] != self.place[:-1]]
        # Rounding keeps order, so only kinks that round alike can be out of order or coincide.
        head = np.maximum.accumulate(np.where(new, np.arange(new.size), 0))
        same = np.flatnonzero(~new)
        apart = np.zeros(new.size, dtype=bool)
        apart[same] = product_difference_sign(self.b[same], self.w[head[same]], self.b[head[same]], self.w[same]) != 0
        for run in np.unique(head[apart]):
            stop = run + np.argmax(np.r_[new[run + 1 :], True]) + 1
            true = sorted(range(run, stop), key=lambda j: Fraction(-self.b[j]) / Fraction(self.w[j]))
            for column in (self.w, self.b, self.a, self.jump):
                column[run:stop] = column[true]
            pair = np.arange(run + 1, stop)
            new[pair] = product_difference_sign(self.b[pair], self.w[pair - 1], self.b[pair - 1], self.w[pair]) != 0
        return np.flatnonzero(new)
