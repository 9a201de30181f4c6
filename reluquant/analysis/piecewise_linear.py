"""The exact piecewise-linear function of a network."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.one_dimension import kinks, line_neurons
from reluquant.analysis.predicates import product_difference_sign, products, sum_of_products_sign
from reluquant.structures.arrays import Floats
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.planar_pieces import PlanarPieces
from reluquant.structures.shallow_relu import ShallowReLU

# Adding n slope jumps rounds by at most n·eps of their absolute sum, and each by one more.
_SUM_FILTER = 2 * np.finfo(np.float64).eps
# Jumps this far below the largest may have lost bits to underflow: integers decide.
_TINY = 2.0**-900
# Kinks this far out could overflow in differences and prefix sums; `_FAR_SHIFT` halvings prevent it.
_FAR = 2.0**990
_FAR_SHIFT = 40


def piecewise_linear(
    net: ShallowReLU | DeepReLU,
    *,
    region: ArrayLike | None = None,
    by: Literal["function", "activations"] = "function",
    segment: tuple[ArrayLike, ArrayLike] | None = None,
    window: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None,
) -> PiecewiseLinear | PlanarPieces:
    """Return the function of a network by its pieces: on the line, in the plane, on a segment or a planar window.

    Parameters
    ----------
    net : ShallowReLU or DeepReLU
        One output. Of one feature, with bias: on the whole line, if nothing else is asked for. Of two features:
        in a ``region``. Of any number of features, and any depth: on a ``segment`` or in a ``window``.
    region : array_like, optional
        A box ``((x_low, x_high), (y_low, y_high))`` or the corners (k, 2) of a convex polygon, for two features.
    by : {"function", "activations"}
        Whether a shallow network's pieces end where its function bends, or where any neuron becomes active, be it
        that its slope jump is cancelled by another's. The result counts both.
    segment : (array_like, array_like), optional
        Both ends p and q, each (n_features,): the function ``t ↦ net(p + t (q - p))`` on [0, 1].
    window : (array_like, array_like, array_like), optional
        A corner o and two sides u and v, each (n_features,): the function ``(s, t) ↦ net(o + s u + t v)`` on [0, 1]².

    Returns
    -------
    PiecewiseLinear
        On the line or on a segment. On the line which breakpoints there are is decided exactly for the weights as
        given: neurons with the same kink are merged, and a kink whose slope jumps cancel is no
        breakpoint. Places, values and slopes are rounded.
    PlanarPieces
        In a region or a window. In a region of a shallow network which pieces there are, where their corners are
        among the lines and which side of each line they are on is decided exactly; places and affine maps are rounded.

    Raises
    ------
    TypeError, ValueError
        If ``net`` is not such a network, what is asked for does not fit it, or its values or slopes exceed the
        float64 range.

    Notes
    -----
    On the line, neuron j bends at ``-b_j/w_j`` with slope jump ``a_j |w_j|``. Neurons with ``w_j = 0`` add a
    constant. A kink beyond ±1.8e308 is no breakpoint of any float64 and is left out. Values are
    prefix sums from the left over neurons with ``w > 0`` and from the right over ``w < 0``, so an
    inactive neuron adds no rounding: errors stay within ``2 n eps`` of the sum of the
    active ``|a_j w_j (x - kink_j)|``. Slopes below 5e-324 underflow. Takes O(n log n).

    In a region, corners are known as the meeting points of two lines. They are sorted along every line, by floats where
    they are sure and by Fractions elsewhere, and cells are walked around. Takes O(n² log n). ``patterns`` are made when
    first asked for.

    On a segment and in a window cells are cut layer by layer, each carrying the affine map of its layer. These maps
    are rounded, so the result is accurate to rounding, not exact: a cell in which a neuron changes its sign by less
    than 64 eps of what its value is made of is not cut.

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

    Eight lines, six of them through the middle of a square or along its diagonals:

    >>> lines = [[1, 0, 0], [1, 0, 0.5], [1, 0, -0.5], [0, 1, 0], [0, 1, 0.5], [0, 1, -0.5], [1, 1, 0], [1, -1, 0]]
    >>> pieces = rq.piecewise_linear(rq.ShallowReLU(lines, [1.0] * 8), region=((-1, 1), (-1, 1)))
    >>> pieces.n_regions, pieces.area
    (24, 4.0)

    A network of one hidden layer or many on a segment:

    >>> bump = rq.DeepReLU([[[1.0], [-1.0]], [[-1.0, -1.0]], [[1.0]]], [[0.0, 0.0], [1.0], [0.0]])
    >>> rq.piecewise_linear(bump, segment=([-2.0], [2.0])).breakpoints
    array([0.25, 0.5 , 0.75])
    """
    _check_kind(net, region=region, segment=segment, window=window)
    if segment is not None or window is not None:
        # Here, because it loads a compiler, as the next.
        from reluquant.analysis.deep_pieces import pieces_in_window, pieces_on_segment

        return pieces_on_segment(net, segment) if segment is not None else pieces_in_window(net, window)
    if net.n_features == 2:
        from reluquant.analysis.planar_pieces import planar_pieces

        return planar_pieces(net, region, by=by)
    if net.n_features > 2:
        raise ValueError(
            f"piecewise_linear needs segment=(p, q) or window=(origin, u, v) for {net.n_features} features."
        )
    return _on_the_line(net)


def _check_kind(net: ShallowReLU | DeepReLU, **places: ArrayLike | None) -> None:
    given = [name for name, place in places.items() if place is not None]
    if not isinstance(net, ShallowReLU | DeepReLU):
        raise TypeError(f"piecewise_linear needs a ShallowReLU or a DeepReLU, but got {type(net).__name__}.")
    if len(given) > 1:
        raise ValueError(f"piecewise_linear takes one of region, segment and window, but got {' and '.join(given)}.")
    if isinstance(net, DeepReLU) and given not in (["segment"], ["window"]):
        raise ValueError("piecewise_linear needs segment=(p, q) or window=(origin, u, v) for a DeepReLU.")
    if given == ["region"] and net.n_features != 2:
        raise ValueError(
            f"region is for networks of two features, but this one has {net.n_features};"
            " use segment=(p, q) or window=(origin, u, v)."
        )


def _on_the_line(net: ShallowReLU) -> PiecewiseLinear:
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
