"""Balanced neurons by the crowd: who stays in a sector, and who crosses it one after the other. See `passing_1d`.

In a given field balanced neurons of one sign move around the circle in one order. All that enter a sector by the same
boundary go the same way: one that enters at θ leaves at ``F(θ)``, grown by the factor ``G(θ)``. And of those that are
in the sector from the start, one whose half angle to the boundary ahead has the tangent q reaches it at ``T(q)``. These
functions are smooth: where many neurons pass they are interpolated, and a passage costs the value of two polynomials
instead of the root of one.

Sectors are taken in the order of the motion, from the dead one to the dead one, once upwards and once downwards, so
that those who arrive are known before they leave. Only what is plain is dealt with: sectors and rays at which no push
changes its sign during the step. Whoever comes upon anything else is handed over where it stands, to `travel`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.kernels.field_1d import EDGES, END, ready_place, slope_toward, unit_square
from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.neuron_1d import OFF, ON, SLIDE, absorbed, apply, rebalance
from reluquant.kernels.passing_1d import edge, meeting, ready_passage
from reluquant.kernels.polynomials import horner
from reluquant.kernels.sectors_1d import EPS, OUTSIDE, boundary

# Fewer than this many times the nodes of an interpolation pass faster one by one.
WORTHWHILE = 2
# Interpolation may add this share of the tolerance to what a passage costs in accuracy.
SHARE = 0.1
# Rounding of a root and of a factor, in units of EPS: no interpolation can be asked to be better.
ROUNDINGS = 64.0
# So few neurons are carried one by one.
CROWDED = 128
# What becomes of those who leave, where no switch kind can tell: hand them over.
UNKNOWN = -1


class Crowd(NamedTuple):
    """Room for a crowd of m neurons, and for interpolations with s nodes; filled in place.

    Arrays
    ------
    first (2, 2n + 1), member (m,): neurons with a > 0, then with a < 0, sector by sector: where each begins, and who.
    row, time, size (m,): who is at a boundary, when, and |a| then.
    resume (m,): how far each has come; 0 where nothing was done.
    cosines (s, s): of the transform from values to Chebyshev coefficients; nodes (s,) in (-1, 1).
    values (2, s), series (2, s): of F and G, or of T, at the nodes, and their coefficients.
    """

    first: np.ndarray
    member: np.ndarray
    row: np.ndarray
    time: np.ndarray
    size: np.ndarray
    resume: np.ndarray
    cosines: np.ndarray
    nodes: np.ndarray
    values: np.ndarray
    series: np.ndarray


@kernel
def room_for_crowd(n, m, s):
    """Make room for m neurons, 2n sectors, and interpolations with s nodes."""
    cosines, nodes = np.empty((s, s)), np.empty(s)
    for i in range(s):
        nodes[i] = math.cos(math.pi * (i + 0.5) / s)
        for k in range(s):
            cosines[k, i] = (1.0 if k == 0 else 2.0) / s * math.cos(math.pi * k * (i + 0.5) / s)
    return Crowd(
        np.zeros((2, 2 * n + 1), np.int64),
        np.empty(m, np.int64),
        np.empty(m, np.int64),
        np.empty(m),
        np.empty(m),
        np.zeros(m),
        cosines,
        nodes,
        np.empty((2, s)),
        np.empty((2, s)),
    )


@lean_kernel
def _gather(crowd, sign, mode):
    """List the balanced neurons of each sector, in the order of their rows."""
    first, n2 = crowd.first, crowd.first.shape[1] - 1
    for column in range(2):
        for c in range(n2 + 1):
            first[column, c] = 0
    for j in range(mode.size):
        if sign[j] != 0 and 0 <= mode[j] < n2:
            first[0 if sign[j] > 0 else 1, mode[j]] += 1
    total = 0
    for column in range(2):
        for c in range(n2 + 1):
            total += first[column, c]
            # Where the next one ends: filled from the back, it is where each begins.
            first[column, c] = total
    for j in range(mode.size - 1, -1, -1):
        if sign[j] != 0 and 0 <= mode[j] < n2:
            column = 0 if sign[j] > 0 else 1
            first[column, mode[j]] -= 1
            crowd.member[first[column, mode[j]]] = j


@lean_kernel
def _leaves(field, c, side, sign, hi):
    """Whether the field drives neurons of sector ``c`` out through a boundary all the time: 1, or in: -1; else 0."""
    k, active = boundary(c, side, field.points.shape[0])
    if field.turns[c, side, 0] < hi:
        return 0
    push = slope_toward(field.generator, c, field.points[k, 0], 0.0)
    later = slope_toward(field.generator, c, field.points[k, 0], hi)
    if abs(later) > abs(push):
        push = later
    # What stays within the noise has no turns and no sign.
    if abs(push) <= field.noise[0]:
        return 0
    return 1 if ((push > 0.0) == active) == (sign < 0.0) else -1


@lean_kernel
def _ready_to_cross(field, c, sign, hi):
    """Make sector ``c`` ready; whether its series reaches to ``hi``."""
    if not (field.ready[c, END] and field.ready[c, EDGES]):
        ready_passage(field, c, sign, hi)
    return field.limits[c] >= hi


@lean_kernel
def _way_on(field, c, side, sign, hi):
    """Kind of the switch of those who leave sector ``c`` through a boundary, and the sector beyond it."""
    n2 = field.rays.shape[0]
    n = n2 // 2
    beyond, ray = (c + 1) % n2 if side == 0 else (c - 1) % n2, c if side == 0 else (c - 1) % n2
    passes = OFF if boundary(c, side, n)[1] else ON
    if beyond == n:
        return passes, beyond
    if not _ready_to_cross(field, beyond, sign, hi):
        return UNKNOWN, beyond
    back = _leaves(field, beyond, 1 - side, sign, hi)
    if back < 0:
        return passes, beyond
    # Pushed back by both sides all the time: nobody is released.
    return SLIDE if back > 0 and ready_place(field, n2 + ray) >= hi else UNKNOWN, beyond


@lean_kernel
def _latest(edges, c, side, column, hi):
    """When those that leave sector ``c`` through a boundary just before ``hi`` have entered it by the other."""
    v1, v2 = edge(edges, c, side, column, hi)
    e1, e2 = edges[c, 1 - side, column, 0, 0], edges[c, 1 - side, column, 1, 0]
    inside = e1 * v2 - e2 * v1
    if (inside if side == 1 else -inside) >= 0.0:
        return 0.0
    return meeting(edges, c, 1 - side, column, -v1, -v2, 0.0, hi, hi)[0]


@lean_kernel
def _furthest(edges, c, side, column, hi):
    """Tangent of the half angle to a boundary of those that reach it just before ``hi``."""
    u1, u2 = edges[c, side, column, 0, 0], edges[c, side, column, 1, 0]
    e1, e2 = edge(edges, c, side, column, hi)
    across, along = u1 * e2 - u2 * e1, u1 * e1 + u2 * e2
    return (across if side == 0 else -across) / along if along > 0.0 else np.inf


@lean_kernel
def _tangent(rays, c, side, w, b, length):
    """Tangent of the half angle from a boundary of sector ``c`` into it, to a direction of this length."""
    n2 = rays.shape[0]
    ray = c if side == 0 else (c - 1) % n2
    across, along = rays[ray, 0] * b - rays[ray, 1] * w, rays[ray, 0] * w + rays[ray, 1] * b
    return (across if side == 0 else -across) / (length + along)


@lean_kernel
def _transit(edges, c, side, column, theta, hi, guess):
    """F and G of a neuron that enters sector ``c`` at θ and leaves it through a boundary."""
    v1, v2 = edge(edges, c, 1 - side, column, theta)
    then, e1, e2 = meeting(edges, c, side, column, v1, v2, theta, hi, guess)
    return then, ((e1 * v1 + e2 * v2) / (e1 * e1 + e2 * e2)) ** 2


@lean_kernel
def _exit(edges, c, side, column, q, hi, guess):
    """T of a neuron of sector ``c`` whose half angle to a boundary has the tangent q."""
    u1, u2 = edges[c, side, column, 0, 0], edges[c, side, column, 1, 0]
    way = q if side == 0 else -q
    return meeting(edges, c, side, column, u1 - way * u2, u2 + way * u1, 0.0, hi, guess)[0]


@lean_kernel
def _value(series, i, x):
    """Value of a Chebyshev series (Clenshaw)."""
    first, second = 0.0, 0.0
    for k in range(series.shape[1] - 1, 0, -1):
        first, second = series[i, k] + 2.0 * x * first - second, first
    return series[i, 0] + x * first - second


@lean_kernel
def _interpolate(field, crowd, c, side, column, enters, lo, top, hi):
    """Interpolate F and G on entries from ``lo`` to ``top``, or T on tangents; whether that is accurate enough."""
    edges, values, series, s = field.edges, crowd.values, crowd.series, crowd.nodes.size
    then, grown = hi, 1.0
    for i in range(s):
        at = lo + 0.5 * (top - lo) * (1.0 + crowd.nodes[i])
        if enters:
            then, grown = _transit(edges, c, side, column, at, hi, then)
        else:
            then = _exit(edges, c, side, column, at, hi, then)
        values[0, i], values[1, i] = then, grown
    for k in range(s):
        series[0, k], series[1, k] = 0.0, 0.0
        for i in range(s):
            series[0, k] += crowd.cosines[k, i] * values[0, i]
            series[1, k] += crowd.cosines[k, i] * values[1, i]
    rate = math.hypot(field.generator[c, 0, 0], field.generator[c, 1, 0])
    least = max(SHARE * field.tolerance, ROUNDINGS * EPS)
    # Between two nodes an interpolation is furthest off.
    for i in (0, s // 2, s):
        x = math.cos(math.pi * i / s)
        at = lo + 0.5 * (top - lo) * (1.0 + x)
        if enters:
            then, grown = _transit(edges, c, side, column, at, hi, _value(series, 0, x))
        else:
            then = _exit(edges, c, side, column, at, hi, _value(series, 0, x))
        off = abs(_value(series, 0, x) - then)
        if not (max(rate, 1.0 / hi) * off <= least and abs(_value(series, 1, x) - grown) <= least * grown):
            return False
    return True


@lean_kernel
def _pass_on(field, crowd, c, side, column, n_entered, n_on, hi):
    """Turn times of entry and tangents of those who leave sector ``c`` into times at which they do."""
    edges, time, size, series = field.edges, crowd.time, crowd.size, crowd.series
    for part in range(2):
        begin, end, enters = (0, n_entered, True) if part == 0 else (n_entered, n_on, False)
        if begin == end:
            continue
        lo, top = np.inf, 0.0
        for i in range(begin, end):
            lo, top = min(lo, time[i]), max(top, time[i])
        known = end - begin >= WORTHWHILE * crowd.nodes.size and top > lo
        known = known and _interpolate(field, crowd, c, side, column, enters, lo, top, hi)
        then, grown, scale = hi, 1.0, 2.0 / (top - lo) if known else 0.0
        for i in range(begin, end):
            if known:
                x = scale * (time[i] - lo) - 1.0
                then = min(hi, max(time[i] if enters else EPS * hi, _value(series, 0, x)))
                grown = _value(series, 1, x) if enters else 1.0
            elif enters:
                then, grown = _transit(edges, c, side, column, time[i], hi, then)
            else:
                then = _exit(edges, c, side, column, time[i], hi, then)
            time[i] = then
            size[i] *= grown


@lean_kernel
def _size_at(edges, c, side, column, theta, w, b, a):
    """|a| at a boundary of sector ``c`` of a neuron that is there at θ, given at θ = 0."""
    e1, e2 = edge(edges, c, side, column, theta)
    way = 1.0 if column == 0 else -1.0
    high, low = way * (a + w), way * (a - w)
    return (e1 * e1 * high + 2.0 * e1 * e2 * way * b + e2 * e2 * low) / (e1 * e1 + e2 * e2) ** 2


@lean_kernel
def _stay(field, c, side, column, theta, size, hi):
    """Where at ``hi`` a neuron is that has entered sector ``c`` by a boundary at θ."""
    e1, e2 = edge(field.edges, c, side, column, theta)
    p, q, r, t = field.ends[c, 0], field.ends[c, 1], field.ends[c, 2], field.ends[c, 3]
    v1, v2, half = p * e1 + q * e2, r * e1 + t * e2, 0.5 * size if column == 0 else -0.5 * size
    return half * (v1 * v1 - v2 * v2), 2.0 * half * v1 * v2, half * (v1 * v1 + v2 * v2)


@lean_kernel
def _hand_over(field, crowd, c, side, column, n_on, moved, moved_mode):
    """Leave those who have entered sector ``c`` by a boundary where they are."""
    ray, way = c if side == 0 else (c - 1) % field.rays.shape[0], 1.0 if column == 0 else -1.0
    for i in range(n_on):
        j, size = crowd.row[i], crowd.size[i]
        moved[j, 0], moved[j, 1], moved[j, 2] = size * field.rays[ray, 0], size * field.rays[ray, 1], way * size
        moved_mode[j], crowd.resume[j] = c, crowd.time[i]


@lean_kernel
def _sort_arrivals(field, crowd, c, side, column, latest, n_on, hi, moved, moved_mode):
    """Carry to ``hi`` those who have entered sector ``c`` and stay; returns how many leave through a boundary."""
    n_through = 0
    for i in range(n_on):
        j, theta, size = crowd.row[i], crowd.time[i], crowd.size[i]
        if theta < latest:
            crowd.row[n_through], crowd.time[n_through], crowd.size[n_through] = j, theta, size
            n_through += 1
        else:
            moved[j, 0], moved[j, 1], moved[j, 2] = _stay(field, c, 1 - side, column, theta, size, hi)
            moved_mode[j], crowd.resume[j] = c, hi
    return n_through


@lean_kernel
def _sort_residents(field, crowd, Z, c, side, column, leaves, n_on, hi, moved, moved_mode):
    """Add to the crowd those in sector ``c`` from the start who leave through a boundary; carry to ``hi`` who stays.

    ``leaves`` tells for both boundaries whether the field drives neurons out. Returns how many are in the crowd.
    """
    rays, ends, first = field.rays, field.ends, crowd.first[column]
    furthest = (
        _furthest(field.edges, c, 0, column, hi) if leaves[0] > 0 else 0.0,
        _furthest(field.edges, c, 1, column, hi) if leaves[1] > 0 else 0.0,
    )
    p, q, r, t = ends[c, 0], ends[c, 1], ends[c, 2], ends[c, 3]
    way = 1.0 if column == 0 else -1.0
    for i in range(first[c], first[c + 1]):
        j = crowd.member[i]
        if crowd.resume[j] > 0.0:
            continue
        w, b, a = Z[j, 0], Z[j, 1], Z[j, 2]
        stays = True
        for ahead in range(2):
            if leaves[ahead] > 0:
                tangent = _tangent(rays, c, ahead, w, b, abs(a))
                # On the boundary within rounding only `travel` can tell what it does.
                stays = stays and tangent >= furthest[ahead]
                if ahead == side and OUTSIDE < tangent < furthest[ahead]:
                    crowd.row[n_on], crowd.time[n_on] = j, tangent
                    n_on += 1
        if stays:
            w, b, a = apply(p, q, r, t, w, b, a)
            moved[j, 0], moved[j, 1], moved[j, 2] = w, b, rebalance(w, b, a, way)
            moved_mode[j], crowd.resume[j] = c, hi
    return n_on


@lean_kernel
def _arrive(field, crowd, E, c, side, column, kind, beyond, n_on, hi, moved, moved_mode, events):
    """Note the switches of all who leave sector ``c`` through a boundary, at most as many as there is room for.

    Who is held there or dies is carried to ``hi``. Returns how many go on.
    """
    n2, generator = field.rays.shape[0], field.generator
    n = n2 // 2
    k, ray = boundary(c, side, n)[0], c if side == 0 else (c - 1) % n2
    x, u1, u2, way = field.points[k, 0], field.rays[ray, 0], field.rays[ray, 1], 1.0 if column == 0 else -1.0
    # How much the push changes by the end of the step, for those who cross now and then.
    now, then = abs(slope_toward(generator, c, x, 0.0)), abs(slope_toward(generator, c, x, hi))
    if kind != SLIDE:
        now += abs(slope_toward(generator, beyond, x, 0.0))
        then += abs(slope_toward(generator, beyond, x, hi))
    total = horner(field.slides[ray], hi) if kind == SLIDE else 0.0
    for i in range(n_on):
        j, theta, size = crowd.row[i], crowd.time[i], crowd.size[i]
        events[i, 0], events[i, 1], events[i, 2], events[i, 3] = theta, j, k, kind
        events[i, 4] = 2.0 * size * size * unit_square(E[j]) * (now + then + (then - now) * theta / hi)
        if kind == SLIDE:
            size *= math.exp(way * (total - horner(field.slides[ray], theta)))
            moved[j, 0], moved[j, 1], moved[j, 2] = size * u1, size * u2, way * size
            moved_mode[j], crowd.resume[j] = n2 + ray, hi
        elif beyond == n:
            moved[j, 0], moved[j, 1], moved[j, 2] = size * u1, absorbed(size * u1, size * u2, x), way * size
            moved_mode[j], crowd.resume[j] = n, hi
    return 0 if kind == SLIDE or beyond == n else n_on


@lean_kernel
def carry_crowd(field, crowd, Z, E, sign, mode, hi, moved, moved_mode, events):
    """Carry balanced neurons towards ``hi``, from ``Z`` and ``mode`` into ``moved`` and ``moved_mode``.

    Where ``crowd.resume`` is less than ``hi`` for a neuron, it is still at ``moved`` then (at 0: at ``Z``). Returns the
    number of events, written as by `flow_1d`, or -1 if there is no room for them.
    """
    n2, n_events = field.rays.shape[0], 0
    n = n2 // 2
    for j in range(mode.size):
        crowd.resume[j] = 0.0
    if mode.size < CROWDED:
        return 0
    _gather(crowd, sign, mode)
    for turn in range(4):
        # Upwards and downwards, for both signs.
        column, side = turn // 2, turn % 2
        way, n_on = 1.0 if column == 0 else -1.0, 0
        for i in range(1, n2):
            c = (n + i) % n2 if side == 0 else (n - i) % n2
            n_residents = crowd.first[column, c + 1] - crowd.first[column, c]
            if n_residents + n_on == 0:
                continue
            plain = _ready_to_cross(field, c, way, hi)
            leaves = (_leaves(field, c, 0, way, hi), _leaves(field, c, 1, way, hi)) if plain else (0, 0)
            kind, beyond = _way_on(field, c, side, way, hi) if plain and leaves[side] > 0 else (UNKNOWN, c)
            if leaves[0] * leaves[1] == 0 or (leaves[side] > 0 and kind == UNKNOWN):
                _hand_over(field, crowd, c, 1 - side, column, n_on, moved, moved_mode)
                n_on = 0
                continue
            latest = _latest(field.edges, c, side, column, hi) if n_on > 0 and leaves[side] > 0 else 0.0
            n_entered = _sort_arrivals(field, crowd, c, side, column, latest, n_on, hi, moved, moved_mode)
            n_on = _sort_residents(field, crowd, Z, c, side, column, leaves, n_entered, hi, moved, moved_mode)
            if n_on == 0:
                continue
            if n_events + n_on > events.shape[0]:
                return -1
            for l in range(n_entered, n_on):
                crowd.size[l] = 1.0
            _pass_on(field, crowd, c, side, column, n_entered, n_on, hi)
            for l in range(n_entered, n_on):
                j = crowd.row[l]
                crowd.size[l] = _size_at(field.edges, c, side, column, crowd.time[l], Z[j, 0], Z[j, 1], Z[j, 2])
            n_gone = n_on
            n_on = _arrive(
                field, crowd, E, c, side, column, kind, beyond, n_on, hi, moved, moved_mode, events[n_events:]
            )
            n_events += n_gone
    return n_events
