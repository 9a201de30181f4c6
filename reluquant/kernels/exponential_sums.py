r"""Sums of exponentials ``f(t) = Σ_j c_j e^{μ_j t}`` with falling ``μ_j``.

When such a sum is first negative, and when a curve made of them comes into a cone for good.
Nothing between two looks is missed, because second derivatives are bounded there: after division by the leading
exponential all others fall, so that they are largest where an interval starts. Intervals shrink near what may be a
root, and double elsewhere, until the leading term outweighs all others: from there on it does so for ever.
"""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.box_lcp import EPS
from reluquant.kernels.jit import lean_kernel

# Two roots closer than this share of their time, or of the fastest e-folding, may be taken for none.
FINEST = 2.0**-46
# Doubling from the fastest e-folding to the slowest that rounding can tell from none, and halving near four roots.
MOST_LOOKS = 1000
# False position ends after some ten steps; halving alone would take 53.
MOST_SECANTS = 100


@lean_kernel
def _leading(c, size):
    for j in range(size):
        if c[j] != 0.0:
            return j
    return size


@lean_kernel
def _look(c, mu, top, size, t):
    """At t, over the leading exponential: value, slope, how its slope rises and falls at most, what is against it."""
    value, slope, rise, fall, against = c[top], 0.0, 0.0, 0.0, 0.0
    for j in range(top + 1, size):
        if c[j] == 0.0:
            continue
        rate = mu[j] - mu[top]
        here = c[j] * math.exp(rate * t)
        value += here
        slope += rate * here
        if here > 0.0:
            rise += rate * rate * here
        else:
            fall -= rate * rate * here
        if (here > 0.0) != (c[top] > 0.0):
            against += abs(here)
    return value, slope, rise, fall, against


@lean_kernel
def _falling_root(c, mu, top, size, left, right):
    """The only root between a positive value and one that is not: false position with Illinois' halving."""
    above, below, last = _look(c, mu, top, size, left)[0], _look(c, mu, top, size, right)[0], 0
    for _ in range(MOST_SECANTS):
        if below == 0.0 or right - left <= 2.0 * EPS * right:
            break
        x = left + (right - left) * (above / (above - below))
        value = _look(c, mu, top, size, x)[0]
        if value > 0.0:
            left, above = x, value
            below *= 0.5 if last > 0 else 1.0
            last = 1
        else:
            right, below = x, value
            above *= 0.5 if last < 0 else 1.0
            last = -1
    return right


@lean_kernel
def first_negative(c, mu, size, hi, unit):
    """First moment in (0, hi) from which on a sum, positive at 0, is not; inf if there is none.

    ``c``, ``mu`` (≥ size,): coefficients and falling exponents. ``unit``: about an e-folding of the fastest.
    """
    top = _leading(c, size)
    if top == size:
        return np.inf
    t, length = 0.0, unit
    value, slope, rise, fall, against = _look(c, mu, top, size, t)
    for _ in range(MOST_LOOKS):
        if t >= hi or (c[top] > 0.0 and against < c[top]):
            return np.inf
        end = min(t + length, hi)
        length = end - t
        after = _look(c, mu, top, size, end)
        # Never below the chord by more than the slope's rise, nor below the tangent by more than its fall.
        if min(value, after[0]) > 0.125 * rise * length * length or (value > 0.0 and slope >= 0.5 * fall * length):
            t, length = end, 2.0 * length
            value, slope, rise, fall, against = after
        elif after[0] <= 0.0 and slope + rise * length < 0.0:
            return _falling_root(c, mu, top, size, t, end)
        elif length <= FINEST * max(end, unit):
            if after[0] <= 0.0:
                return end
            t, length = end, 2.0 * length
            value, slope, rise, fall, against = after
        else:
            length *= 0.5
    return np.inf


@lean_kernel
def _margin(along, across, mu, top, size, sine, cosine, t, out):
    """Distance at t of a curve, over its leading exponential, from the border of the cone: positive inside."""
    out[:] = 0.0
    ahead, square = 0.0, 0.0
    for j in range(top, size):
        factor = math.exp((mu[j] - mu[top]) * t)
        ahead += factor * along[j]
        for c in range(out.size):
            out[c] += factor * across[j, c]
    for c in range(out.size):
        square += out[c] * out[c]
    return ahead * sine - math.sqrt(square) * cosine


@lean_kernel
def _bend(length, mu, top, size, t):
    """Bound of the second derivative from t on."""
    total = 0.0
    for j in range(top + 1, size):
        rate = mu[j] - mu[top]
        total += length[j] * rate * rate * math.exp(rate * t)
    return total


@lean_kernel
def _settles(length, mu, top, size, sine, unit):
    """When the curve is close to its limit for good, by half the sine of an angle."""
    t = unit
    for _ in range(MOST_LOOKS):
        others = 0.0
        for j in range(top + 1, size):
            others += length[j] * math.exp((mu[j] - mu[top]) * t)
        if others <= 0.5 * sine * length[top]:
            break
        t *= 2.0
    return t


@lean_kernel
def last_entry(vectors, mu, size, target, sine, cosine, hi, unit, along, across, length, out):
    """Last moment in (0, hi) at which ``w(t) = Σ_j vectors[j] e^{μ_j t}`` enters a cone that it is in at hi.

    It is -1 if w is inside all the time. If hi is infinite the target must be w's limit. A cone is convex: an arc is
    inside where both its ends are, by more than it strays from its chord.

    ``vectors`` (≥ size, p), ``mu`` (≥ size,), ``target`` (p,) a unit vector; sine and cosine of the cone's angle; room:
    ``along``, ``length`` (≥ size,), ``across`` (≥ size, p), ``out`` (p,).
    """
    p, top = target.size, size
    for j in range(size - 1, -1, -1):
        square, ahead = 0.0, 0.0
        for c in range(p):
            square += vectors[j, c] * vectors[j, c]
            ahead += vectors[j, c] * target[c]
        for c in range(p):
            across[j, c] = vectors[j, c] - ahead * target[c]
        along[j], length[j] = ahead, math.sqrt(square)
        top = j if square > 0.0 else top
    if top == size:
        return -1.0
    t = hi if hi < np.inf else _settles(length, mu, top, size, sine, unit)
    margin, step = _margin(along, across, mu, top, size, sine, cosine, t, out), min(unit, t)
    for _ in range(MOST_LOOKS):
        start = max(t - step, 0.0)
        before = _margin(along, across, mu, top, size, sine, cosine, start, out)
        if min(margin, before) >= 0.125 * _bend(length, mu, top, size, start) * (t - start) ** 2:
            if start == 0.0:
                return -1.0
            t, margin, step = start, before, 2.0 * step
        elif step <= FINEST * max(t, unit):
            break
        else:
            step *= 0.5
    return t
