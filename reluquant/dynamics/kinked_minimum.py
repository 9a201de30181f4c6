"""A minimum of a function with kinks, such as the loss of a ReLU network where neurons sit on data points."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from reluquant.structures.arrays import Floats

# Sufficient decrease, and how much of the slope must be gone: the weak conditions, which a function with a kink can
# satisfy; the strong ones of smooth minimisers cannot be met across a kink.
DECREASE, SLOPE = 1e-4, 0.9
# Halvings and doublings of one step; then rounding decides.
MOST_TRIALS = 50
# Pairs of gradients that the model of the curvature is made of.
MEMORY = 20

Objective = Callable[[Floats], tuple[float, Floats]]


def kinked_minimum(
    objective: Objective, start: Floats, *, goal: float, gain: float, every: int, most_steps: int
) -> Floats:
    """Follow quasi-Newton steps downhill, across kinks, until they gain little.

    Parameters
    ----------
    objective : callable
        Of a vector (p,): the value, and the gradient of a smooth piece there.
    start : ndarray, shape (p,)
    goal : float
        Value at which to stop.
    gain : float
        Stop where ``every`` steps together lower the value by less than this share.
    every, most_steps : int

    Returns
    -------
    ndarray, shape (p,)
        The last point; no step rises.

    References
    ----------
    A. S. Lewis & M. L. Overton (2013), "Nonsmooth optimization via quasi-Newton methods", Math. Program. 141, 135-163:
    quasi-Newton steps with the weak Wolfe conditions. J. Nocedal & S. J. Wright, *Numerical Optimization*, algorithm
    7.4: the two loops.

    Examples
    --------
    >>> import numpy as np
    >>> def kinked(x):
    ...     return abs(x[0]) + x[1] ** 2, np.array([np.sign(x[0]), 2 * x[1]])
    >>> low = kinked_minimum(kinked, np.array([1.0, 1.0]), goal=-1.0, gain=1e-9, every=20, most_steps=100)
    >>> bool(kinked(low)[0] < 1e-6)
    True
    """
    x = np.array(start)
    value, gradient = objective(x)
    pairs: deque[tuple[Floats, Floats, float]] = deque(maxlen=MEMORY)
    values = [value]
    for step in range(1, most_steps + 1):
        moved = _search(objective, x, value, gradient, -_inverse_times(pairs, gradient))
        if moved is None and pairs:
            # A model from the other side of a kink may point uphill.
            pairs.clear()
            moved = _search(objective, x, value, gradient, -gradient)
        if moved is None:
            break
        s, y = moved[0] - x, moved[2] - gradient
        # Below, its inverse is beyond float64.
        if s @ y > np.finfo(float).tiny:
            pairs.append((s, y, 1.0 / (s @ y)))
        x, value, gradient = moved
        values.append(value)
        if value <= goal or (step % every == 0 and values[-1 - every] - value <= gain * abs(value)):
            break
    return x


def _search(
    objective: Objective, x: Floats, value: float, gradient: Floats, direction: Floats
) -> tuple[Floats, float, Floats] | None:
    """Return point, value and gradient after a step that satisfies the weak Wolfe conditions, or only lowers."""
    slope = gradient @ direction
    if not slope < 0.0:
        return None
    low, high, length, found = 0.0, np.inf, 1.0, None
    for _ in range(MOST_TRIALS):
        there = x + length * direction
        reached, bent = objective(there)
        if not reached <= value + DECREASE * length * slope:
            high = length
        elif bent @ direction < SLOPE * slope:
            low, found = length, (there, reached, bent)
        else:
            return there, reached, bent
        length = 0.5 * (low + high) if np.isfinite(high) else 2.0 * low
    return found


def _inverse_times(pairs: deque[tuple[Floats, Floats, float]], gradient: Floats) -> Floats:
    """The inverse curvature of the pairs, times a gradient, which is scaled to a first step of a sensible length."""
    q, kept = np.array(gradient), []
    for s, y, inverse in reversed(pairs):
        share = inverse * (s @ q)
        q -= share * y
        kept.append(share)
    if pairs:
        s, y, _ = pairs[-1]
        q *= (s @ y) / (y @ y)
    for (s, y, inverse), share in zip(pairs, reversed(kept), strict=True):
        q += (share - inverse * (y @ q)) * s
    return q
