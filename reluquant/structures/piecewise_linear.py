"""A continuous piecewise-linear function of one variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.structures.arrays import Floats, frozen, real_array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PiecewiseLinear:
    """A continuous piecewise-linear function on the whole line.

    Between knots it is evaluated as a convex combination of the values at both ends, so it is
    exact at every knot and never leaves the range of its neighbours; outside by the first or last
    slope.

    Parameters
    ----------
    knots : array_like, shape (n_knots,), n_knots ≥ 1
        Strictly increasing. A function with no breakpoint still has one knot to anchor it.
    values : array_like, shape (n_knots,)
        Values at the knots.
    slopes : array_like, shape (n_knots + 1,)
        Slope left of the first knot, between neighbours, and right of the last one. A slope
        beyond the float64 range (knots 1e-320 apart) is infinite; evaluation does not need it
        between knots.
    breakpoints : array_like, shape (n_breakpoints,)
        The knots at which the slope really changes. Two different breakpoints that round to one
        float64 are listed twice: their number is exact, their places are rounded.
    domain : (float, float)
        Where the function is meant; beyond it is extrapolation. The whole line for a network,
        the hull of the data for an interpolant.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit together or the knots do not increase strictly.

    Examples
    --------
    >>> import reluquant as rq
    >>> f = rq.piecewise_linear(rq.ShallowReLU([[1.0, 0.0], [-1.0, 0.0]], [1.0, 2.0]))
    >>> f.breakpoints, f.slopes, f([-1.0, 0.5])
    (array([0.]), array([-2.,  1.]), array([2. , 0.5]))
    """

    knots: Floats
    values: Floats
    slopes: Floats
    breakpoints: Floats
    domain: tuple[float, float] = (-np.inf, np.inf)

    def __post_init__(self) -> None:
        for name in ("knots", "values", "breakpoints"):
            object.__setattr__(self, name, real_array(getattr(self, name), name, ndim=(1,)))
        object.__setattr__(self, "slopes", frozen(self.slopes))
        object.__setattr__(self, "domain", (float(self.domain[0]), float(self.domain[1])))
        if self.knots.size < 1 or self.values.shape != self.knots.shape or self.slopes.shape != (self.knots.size + 1,):
            raise ValueError(
                "A PiecewiseLinear needs k ≥ 1 knots, k values and k + 1 slopes, but got "
                f"{self.knots.size}, {self.values.size} and {self.slopes.size}."
            )
        if np.any(self.knots[1:] <= self.knots[:-1]):
            raise ValueError("The knots of a PiecewiseLinear must increase strictly; sort them and merge equal ones.")
        if np.isnan(self.slopes).any():
            raise ValueError("The slopes of a PiecewiseLinear must not be NaN.")

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate at finite ``x`` of any shape; the result has the shape of ``x``.

        A value beyond the float64 range (far outside the knots) is infinite.
        """
        points = real_array(x, "x")
        right = np.searchsorted(self.knots, points, side="right")
        result = np.empty(points.shape)
        between = (right > 0) & (right < self.knots.size)
        result[between] = self._between(points[between], right[between])
        for end, beyond in ((0, right == 0), (-1, right == self.knots.size)):
            result[beyond] = self._beyond(points[beyond], end)
        return result[()]

    def _between(self, points: Floats, right: np.ndarray) -> Floats:
        left_knot, right_knot = self.knots[right - 1], self.knots[right]
        low, high = self.values[right - 1], self.values[right]
        with np.errstate(over="ignore"):
            # Halved only where the width overflows: halving always would make the width between 0
            # and the smallest subnormal number zero.
            scale = np.where(np.isfinite(right_knot - left_knot), 1.0, 0.5)
            x, left_knot, right_knot = points * scale, left_knot * scale, right_knot * scale
            width = right_knot - left_knot
            # Both weights as quotients: 1 - weight would keep no digits next to a knot, which a
            # large value at the other one would show.
            value = (right_knot - x) / width * low + (x - left_knot) / width * high
        # Rounding of the weights may overshoot the larger value, even beyond float64.
        return np.clip(value, np.minimum(low, high), np.maximum(low, high))

    def _beyond(self, points: Floats, end: int) -> Floats:
        knot, value, slope = self.knots[end], self.values[end], self.slopes[end]
        if slope == 0:
            return np.full(points.shape, value)
        with np.errstate(over="ignore", invalid="ignore"):
            result = value + slope * (points - knot)
            # Halves keep the width from -1.7e308 to 1.7e308 and a sum of opposite signs finite.
            halves = 2 * (value / 2 + slope * (points / 2 - knot / 2))
        result = np.where(np.isfinite(result), result, halves)
        return np.where(points == knot, value, result)

    @property
    def n_breakpoints(self) -> int:
        """Number of breakpoints."""
        return self.breakpoints.size

    def __repr__(self) -> str:
        return f"PiecewiseLinear(n_breakpoints={self.n_breakpoints}, domain={self.domain})"
