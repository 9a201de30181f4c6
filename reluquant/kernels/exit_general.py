"""When a neuron leaves the side of a boundary: signs in Bernstein form, and roots. See `neuron_alone`."""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.box_lcp import EPS, HELD
from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.polynomials import sign_changes
from reluquant.kernels.series_general import bow, inner, norm, to_hull, value_at
from reluquant.kernels.state_general import NEVER

# False position ends after some ten steps; halving alone would take 53.
MOST_SECANTS = 100


@lean_kernel
def _turning(hull):
    """Bound of how far w turns away from its start: tan of the angle, infinite if it may vanish."""
    start, worst = inner(hull[0], hull[0]), 0.0
    for i in range(1, hull.shape[0]):
        part = inner(hull[i], hull[0])
        if part <= 0.0:
            return np.inf
        across = 0.0
        for c in range(hull.shape[1]):
            off = hull[i, c] - part / start * hull[0, c]
            across += off * off
        worst = max(worst, across * start / (part * part))
    return math.sqrt(worst)


@lean_kernel
def first_root(room, hi):
    """First sign change of ``room.series`` in (0, hi), or inf."""
    sign_changes(room.series, hi, room.isolation, room.roots)
    return room.roots[0]


@lean_kernel
def last_of(roots):
    """Largest finite of ascending roots, 0 if there is none."""
    last = 0.0
    for root in roots:
        if root < np.inf:
            last = root
    return last


@lean_kernel
def _falling_root(series, size, hi, close):
    """Where a polynomial of ``size`` terms, positive at 0 and negative at ``hi``, has its only root in between.

    False position with Illinois' halving (Dowell & Jarratt 1971); values up to ``close`` are as good as zero.
    """
    left, right, above, below, last = 0.0, hi, series[0], 0.0, 0
    for i in range(size - 1, -1, -1):
        below = below * hi + series[i]
    for _ in range(MOST_SECANTS):
        x = left + (right - left) * (above / (above - below))
        value = 0.0
        for i in range(size - 1, -1, -1):
            value = value * x + series[i]
        if abs(value) <= close or right - left <= 2.0 * EPS * right:
            return x
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
def first_exit(normals, room, noise, zero):
    """First moment x ∈ [0, 1] at which the neuron leaves the side of a boundary: (x, boundary)."""
    first, which = NEVER, -1
    size = room.counts[1]
    reach = _turning(room.hull[:size]) * norm(room.hull[0]) + zero
    for h in range(normals.shape[0]):
        side = room.side[h]
        if side == HELD or room.ignored[h]:
            continue
        depth = side * inner(normals[h], room.hull[0])
        if depth > reach:
            continue
        if depth <= zero and norm(room.a[0]) > zero and side * inner(normals[h], room.w[1]) < -noise:
            # On the boundary within rounding, where only the push can say whether it leaves.
            return 0.0, h
        # One that rests on its boundary, or returns to it, outside by a rounding, has not left.
        outside = min(depth, 0.0) - zero
        # Sign changes in the Bernstein form: none means no root, one a single root (Descartes).
        changes, inside = 0, True
        for i in range(1, size):
            value = side * inner(normals[h], room.hull[i]) - outside
            if value != 0.0 and (value > 0.0) != inside:
                changes, inside = changes + 1, not inside
        if changes == 0:
            continue
        for i in range(room.series.size):
            room.series[i] = side * inner(normals[h], room.w[i]) if i < size else 0.0
        room.series[0] -= outside
        if changes == 1:
            x = _falling_root(room.series, size, min(first, 1.0), 0.25 * zero)
        else:
            x = first_root(room, min(first, 1.0))
        if x < first:
            first, which = x, h
            # Of the others only what happens before matters.
            to_hull(room.w[:size], x, room.hull)
            reach = _turning(room.hull[:size]) * norm(room.hull[0]) + zero
    return first, which


@lean_kernel
def next_boundary(normals, w, size, hull, side, depth, later, rate, zero, noise, series, isolation, roots):
    """First exit of a piece of free flight: (x, boundary), x infinite if there is none; boundary -2 for a hard case.

    ``depth`` and ``later`` are w·ν at both ends: only a boundary that lies between them, or closer than the path strays
    from its chord, can be met.
    """
    p, first, which, near = w.shape[1], NEVER, -1, bow(w, size) + zero
    for h in range(side.size):
        on = side[h]
        if min(on * depth[h], on * later[h]) > near:
            continue
        outside = min(on * depth[h], 0.0) - zero
        if on * depth[h] <= zero and on * rate[h] < -noise:
            # On the boundary within rounding, where only the push can say whether it leaves.
            return 0.0, -2
        changes, inside = 0, True
        for i in range(1, size):
            value = 0.0
            for c in range(p):
                value += normals[h, c] * hull[i, c]
            value = on * value - outside
            if value != 0.0 and (value > 0.0) != inside:
                changes, inside = changes + 1, not inside
        if changes == 0:
            continue
        for i in range(size):
            value = 0.0
            for c in range(p):
                value += normals[h, c] * w[i, c]
            series[i] = on * value
        series[0] -= outside
        if changes > 1:
            for i in range(size, series.size):
                series[i] = 0.0
            sign_changes(series, min(first, 1.0), isolation, roots)
            x = roots[0]
        elif value_at(series, size, min(first, 1.0)) > 0.0:
            continue
        else:
            x = _falling_root(series, size, min(first, 1.0), 0.25 * zero)
        if x < first:
            first, which = x, h
    return first, which
