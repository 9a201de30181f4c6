"""A balanced neuron on its way from sector to sector, by a polynomial for each boundary. See `flow_1d`.

A balanced neuron is a square: ``Z = ± v vᵀ``, and ``v → S v``. It meets a boundary, whose direction is the square of
``u``, when ``S(θ) v`` is parallel to ``u``, hence when ``v`` is parallel to ``e(θ) = adj S(θ) u``: a polynomial that is
the same for all neurons of the sector. Behind the boundary it goes on as ``ρ e'(θ)``, with ``e'`` of the next sector.

Only what is plain is dealt with here, which is nearly all; `travel` takes over wherever anything else is ahead.
"""

from __future__ import annotations

import math

from reluquant.kernels.field_1d import EDGES, END, SLIDES, next_turn, ready_end, ready_place, slope_toward
from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.neuron_1d import OFF, ON, RELEASE, SLIDE, absorbed, release
from reluquant.kernels.polynomials import MAX_BISECTIONS, horner
from reluquant.kernels.sectors_1d import EPS, OUTSIDE, active_sector, boundary, inactive_sector


@lean_kernel
def root(w, b, length):
    """The ``v`` whose square has the direction ``(w, b)`` of this length: |v|² = 2 length."""
    if w >= 0.0:
        v1 = math.sqrt(length + w)
        return v1, b / v1
    v2 = math.copysign(math.sqrt(length - w), b)
    return b / v2, v2


@lean_kernel
def _opening(rays, c):
    """A direction inside sector ``c``, from which none of it is further than a right angle."""
    n2 = rays.shape[0]
    w, b = rays[c, 0] + rays[(c - 1) % n2, 0], rays[c, 1] + rays[(c - 1) % n2, 1]
    if n2 == 2:
        # One data point only: both boundaries lie on one line, and a quarter turn leads inside.
        w, b = -rays[c, 1], rays[c, 0]
    return w, b


@lean_kernel
def _ready_edges(field, c):
    """Fill the polynomials ``e`` of both boundaries of sector ``c``, for a > 0 and for a < 0; all point into it."""
    rays, n2 = field.rays, field.rays.shape[0]
    for side in range(2):
        ray = c if side == 0 else (c - 1) % n2
        for column in range(2):
            way = 1.0 if column == 0 else -1.0
            u1, u2 = root(way * rays[ray, 0], way * rays[ray, 1], 1.0)
            w, b = _opening(rays, c)
            m1, m2 = root(way * w, way * b, math.hypot(w, b))
            if u1 * m1 + u2 * m2 < 0.0:
                u1, u2 = -u1, -u2
            e = field.edges[c, side, column]
            for i in range(e.shape[1]):
                p, q, r, t = field.maps[c, 0, i], field.maps[c, 1, i], field.maps[c, 2, i], field.maps[c, 3, i]
                e[0, i], e[1, i] = t * u1 - q * u2, p * u2 - r * u1
    field.ready[c, EDGES] = True


@lean_kernel
def meeting(edges, c, side, column, v1, v2, lo, hi, guess):
    """Where a neuron meets a boundary of sector ``c`` in (lo, hi), and e there; it is inside at lo and outside at hi.

    Newton's method, and bisection where that would leave the bracket or not halve its step.
    """
    theta, before, rounding = guess if lo < guess < hi else hi, 2.0 * (hi - lo), OUTSIDE * (abs(v1) + abs(v2))
    last, way, e1, e2 = edges.shape[4] - 1, 1.0 if side == 0 else -1.0, 0.0, 0.0
    for _ in range(MAX_BISECTIONS):
        e1, e2, slope1, slope2 = edges[c, side, column, 0, last], edges[c, side, column, 1, last], 0.0, 0.0
        for i in range(last - 1, -1, -1):
            slope1, slope2 = slope1 * theta + e1, slope2 * theta + e2
            e1 = e1 * theta + edges[c, side, column, 0, i]
            e2 = e2 * theta + edges[c, side, column, 1, i]
        depth, slope = way * (e1 * v2 - e2 * v1), way * (slope1 * v2 - slope2 * v1)
        if depth > 0.0:
            lo = theta
        else:
            hi = theta
        if abs(depth) <= rounding * (abs(e1) + abs(e2)) or hi - lo <= 2.0 * EPS * hi:
            break
        newton = theta - depth / slope if slope < 0.0 else lo
        if lo < newton < hi and 2.0 * abs(newton - theta) <= before:
            before, theta = abs(newton - theta), newton
        else:
            before, theta = 0.5 * (hi - lo), 0.5 * (lo + hi)
    return theta, e1, e2


@lean_kernel
def edge(edges, c, side, column, theta):
    """The polynomial of a boundary at θ."""
    # Here and above numbers are indexed one by one: a view of an array costs more than reading it.
    e1, e2 = 0.0, 0.0
    for i in range(edges.shape[4] - 1, -1, -1):
        e1 = e1 * theta + edges[c, side, column, 0, i]
        e2 = e2 * theta + edges[c, side, column, 1, i]
    return e1, e2


@lean_kernel
def _change(generator, sector, x, theta, hi):
    """How much a push at a boundary changes by the end of the step, at most."""
    return abs(slope_toward(generator, sector, x, theta)) + abs(slope_toward(generator, sector, x, hi))


@lean_kernel
def ready_passage(field, place, sign, hi):
    """Make ready what `pass_through` needs of a sector or a ray."""
    n2 = field.rays.shape[0]
    if place < n2:
        if not field.ready[place, END]:
            ready_end(field, place, hi)
        if not field.ready[place, EDGES]:
            _ready_edges(field, place)
    else:
        ready_place(field, place)
        # This is found for all that slide there at once.
        release(field, place - n2, float(sign), 0.0, hi)


@lean_kernel
def pass_through(
    points, rays, edges, ends, generator, turns, slides, releases, limits, ready, w, b, a, place, parts, hi, log
):
    """Carry a balanced neuron from θ = 0 through passages, slides and releases towards ``hi``.

    The arrays are those of the field; ``parts`` tells whether released neurons are parted. Switches are written to
    ``log`` as by `travel`. Returns (w, b, a, place, θ, how many); θ < hi where something else is ahead, and -1 where
    that place is not ready.
    """
    n2 = rays.shape[0]
    n = n2 // 2
    sign, column = (1.0, 0) if a > 0.0 else (-1.0, 1)
    v1, v2 = root(sign * w, sign * b, abs(a))
    theta, size, entered = 0.0, abs(a), -1
    for n_log in range(log.shape[0]):
        if place >= n2:
            ray = place - n2
            k, dead, live = ray % n, inactive_sector(ray, n), active_sector(ray, n)
            # What arrives beside the dead sector is absorbed.
            if dead == n:
                return w, b, a, place, theta, n_log
            then, to_live = releases[ray, column, 0], releases[ray, column, 1] > 0.0
            if not ready[ray, SLIDES] or math.isnan(then):
                return w, b, a, place, -1.0, 0
            if limits[place] < hi or then < theta or (then <= hi and parts):
                return w, b, a, place, theta, n_log
            size *= math.exp(sign * (horner(slides[ray], min(then, hi)) - horner(slides[ray], theta)))
            w, b, a = size * rays[ray, 0], size * rays[ray, 1], sign * size
            if then > hi:
                return w, b, a, place, hi, n_log
            theta, place, kind = then, live if to_live else dead, RELEASE
            change = _change(generator, place, points[k, 0], theta, hi)
        else:
            if not (ready[place, EDGES] and ready[place, END]):
                return w, b, a, place, -1.0, 0
            # Between turns the distance to a boundary is monotone.
            turns_back = next_turn(turns, place, 0, theta) < hi or next_turn(turns, place, 1, theta) < hi
            if turns_back or limits[place] < hi:
                return w, b, a, place, theta, n_log
            up1, up2 = edges[place, 0, column, 0, 0], edges[place, 0, column, 1, 0]
            low1, low2 = edges[place, 1, column, 0, 0], edges[place, 1, column, 1, 0]
            if entered >= 0:
                e1, e2 = edge(edges, place, entered, column, theta)
                v1, v2 = math.sqrt(size) * e1, math.sqrt(size) * e2
            elif (up1 - low1) * v2 < (up2 - low2) * v1:
                v1, v2 = -v1, -v2
            p, q, r, t = ends[place, 0], ends[place, 1], ends[place, 2], ends[place, 3]
            end1, end2 = p * v1 + q * v2, r * v1 + t * v2
            upper, lower = up1 * end2 - up2 * end1, low2 * end1 - low1 * end2
            zero = OUTSIDE * (abs(end1) + abs(end2))
            if upper > zero and lower > zero:
                half = 0.5 * sign
                w, b, a = half * (end1 * end1 - end2 * end2), sign * end1 * end2, half * (end1 * end1 + end2 * end2)
                return w, b, a, place, hi, n_log
            side = 0 if upper < lower else 1
            start = up1 * v2 - up2 * v1 if side == 0 else low2 * v1 - low1 * v2
            inside = entered >= 0 or start > zero
            # Not from the boundary, and not through both at once, where only `travel` can tell what is rounding.
            if max(upper, lower) <= zero or min(upper, lower) >= -zero or side == entered or not inside:
                return w, b, a, place, theta, n_log
            then, e1, e2 = meeting(edges, place, side, column, v1, v2, theta, hi, hi)
            k, was_active = boundary(place, side, n)
            ray, x = place if side == 0 else (place - 1) % n2, points[k, 0]
            dead, live = inactive_sector(ray, n), active_sector(ray, n)
            dead_push, live_push = slope_toward(generator, dead, x, then), slope_toward(generator, live, x, then)
            if (sign * live_push >= 0.0) if was_active else (sign * dead_push <= 0.0):
                return w, b, a, place, theta, n_log
            size = ((e1 * v1 + e2 * v2) / (e1 * e1 + e2 * e2)) ** 2
            w, b, a = size * rays[ray, 0], size * rays[ray, 1], sign * size
            theta, beyond = then, dead if was_active else live
            change = _change(generator, live if was_active else dead, x, theta, hi)
            if sign * dead_push > 0.0 and sign * live_push < 0.0:
                place, kind = n2 + ray, SLIDE
            else:
                place, kind = beyond, OFF if was_active else ON
                change += _change(generator, beyond, x, theta, hi)
        entered = 0 if place == ray else 1
        log[n_log, 0], log[n_log, 1], log[n_log, 2], log[n_log, 3] = theta, k, kind, 2.0 * size * size * change
        if place == n:
            return w, absorbed(w, b, points[k, 0]), a, place, hi, n_log + 1
    return w, b, a, place, theta, log.shape[0]
