"""One neuron in a given field, exactly through all its switches. See `flow_1d`."""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.field_1d import (
    END,
    MAPS,
    SLIDES,
    TURNS,
    map_at,
    next_turn,
    ready_end,
    ready_place,
    ready_turns,
    slope_toward,
)
from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.polynomials import MAX_BISECTIONS, horner
from reluquant.kernels.sectors_1d import AT_REST, EPS, OUTSIDE, active_sector, boundary, inactive_sector
from reluquant.kernels.status import CHUNK_DONE, TOO_MANY_SWITCHES

# Kinds of a switch.
ON, OFF, SLIDE, RELEASE = range(4)
# An exit is located to some roundings of the neuron's size in the step: a w below them has no direction.
VANISHES = 64 * OUTSIDE
# Inside a step only: it must be shorter, because a neuron entered a sector whose series does not reach as far.
SHORTER = -1


@lean_kernel
def apply(p, q, r, t, w, b, a):
    """S Z Sᵀ as (w, b, a)."""
    high, low = a + w, a - w
    first = p * p * high + 2.0 * p * q * b + q * q * low
    last = r * r * high + 2.0 * r * t * b + t * t * low
    return 0.5 * (first - last), p * r * high + (p * t + q * r) * b + q * t * low, 0.5 * (first + last)


@lean_kernel
def _back(p, q, r, t, w, b, a):
    """S⁻¹ Z S⁻ᵀ: what a neuron now at Z would have been at θ = 0."""
    return apply(t, -q, -r, p, w, b, a)


@lean_kernel
def rebalance(w, b, a, sign):
    """Put a balanced neuron back on |a| = |w|, from which rounding would let it drift while it shrinks."""
    return sign * math.sqrt(w * w + b * b) if sign != 0 else a


@lean_kernel
def slide(u1, u2, w, b, a, sign, gain):
    """Move a slider on the ray ``(u1, u2)`` by ``Γ(θ) - Γ(θ₀) = gain``."""
    rho = w * u1 + b * u2
    if sign != 0:
        rho *= math.exp(sign * gain)
        return rho * u1, rho * u2, sign * rho
    grown, shrunk = (rho + a) * math.exp(gain), (rho - a) * math.exp(-gain)
    rho = 0.5 * (grown + shrunk)
    return rho * u1, rho * u2, 0.5 * (grown - shrunk)


@lean_kernel
def _depth(maps, c, x, active, w, b, a, theta):
    """Signed distance into a sector at one boundary, at θ, of a neuron given at θ = 0."""
    p, q, r, t = map_at(maps, c, theta)
    high, low = a + w, a - w
    first = p * p * high + 2.0 * p * q * b + q * q * low
    last = r * r * high + 2.0 * r * t * b + t * t * low
    value = 0.5 * (first - last) * x + (p * r * high + (p * t + q * r) * b + q * t * low)
    return value if active else -value


@lean_kernel
def _exit_between(maps, c, x, active, neuron, zero, lo, hi):
    """The moment in (lo, hi] at which a neuron (given at θ = 0) leaves a sector: inside at lo, outside at hi.

    Depths up to ``zero`` are rounding; without that bound the last steps would walk through noise.

    Chandrupatla (1997), *Adv. Eng. Softw.* 28: inverse quadratic steps, bisections where these would not converge.
    """
    w, b, a = neuron
    least = 2.0 * EPS * hi
    x1, x2 = hi, lo
    f1, f2 = _depth(maps, c, x, active, w, b, a, hi), _depth(maps, c, x, active, w, b, a, lo)
    # A neuron that has just entered starts at depth zero within rounding: look for the other root.
    share, f2 = 0.5, max(f2, 0.0)
    x3, f3 = x2, f2
    for _ in range(MAX_BISECTIONS):
        theta = x1 + share * (x2 - x1)
        f = _depth(maps, c, x, active, w, b, a, theta)
        if (f >= 0.0) == (f1 >= 0.0):
            x3, f3 = x1, f1
        else:
            x3, x2, f3, f2 = x2, x1, f2, f1
        x1, f1 = theta, f
        width = abs(x2 - x1)
        if abs(f1) <= zero or width <= least:
            break
        share = 0.5
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        if phi * phi < xi and (1.0 - phi) * (1.0 - phi) < 1.0 - xi:
            share = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
        smallest = least / width
        share = min(1.0 - smallest, max(smallest, share))
    return x1 if abs(f1) <= zero else max(x1, x2)


@lean_kernel
def _flip(maps, c, w, b, a, lo, hi):
    """Where the a of an unbalanced neuron (given at θ = 0) changes sign in (lo, hi), or inf."""
    p, q, r, t = map_at(maps, c, lo)
    positive = apply(p, q, r, t, w, b, a)[2] > 0.0
    p, q, r, t = map_at(maps, c, hi)
    if (apply(p, q, r, t, w, b, a)[2] > 0.0) == positive:
        return np.inf
    for _ in range(MAX_BISECTIONS):
        middle = 0.5 * (lo + hi)
        if middle <= lo or middle >= hi:
            break
        p, q, r, t = map_at(maps, c, middle)
        if (apply(p, q, r, t, w, b, a)[2] > 0.0) == positive:
            lo = middle
        else:
            hi = middle
    return hi


@lean_kernel
def _exit(points, generator, maps, ends, turns, noise, c, w, b, a, sign, lo, hi, ignored):
    """First exit of a neuron (given at θ = 0) from sector ``c`` in (lo, hi]: (θ, side), θ = inf if it stays.

    The arrays are those of the field, where the sector is ready to its end. Sides in the bit mask ``ignored`` are not
    looked at.
    """
    w_end, b_end, a_end = apply(ends[c, 0], ends[c, 1], ends[c, 2], ends[c, 3], w, b, a)
    # An unbalanced neuron also turns round where its a changes sign.
    flip = _flip(maps, c, w, b, a, lo, hi) if sign == 0 else np.inf
    p, q, r, t = map_at(maps, c, lo)
    w_lo, b_lo, a_lo = apply(p, q, r, t, w, b, a)
    size = OUTSIDE * max(abs(w) + abs(b) + abs(a), abs(w_end) + abs(b_end) + abs(a_end))
    first, first_side = np.inf, 0
    for side in range(2):
        if ignored & (1 << side):
            continue
        k, active = boundary(c, side, points.shape[0])
        x = points[k, 0]
        way, zero = 1.0 if active else -1.0, size * points[k, 3]
        depth = way * (w_lo * x + b_lo)
        push = way * slope_toward(generator, c, x, lo)
        if depth <= zero and abs(a_lo) > size and (push if a_lo > 0.0 else -push) < -noise:
            # On the boundary within rounding, where only the push can say whether it leaves (none, if a is zero).
            return lo, side
        # One that rests on its boundary, or returns to it, outside by a rounding, has not left; nor has one that is
        # further out by the truncation of its steps, as long as it does not go on.
        outside = -zero if depth >= -zero else depth
        # Between turning points the distance to the boundary is monotone: looking there misses nothing.
        start, then = lo, lo
        while then < hi:
            then = min(hi, next_turn(turns, c, side, then))
            if start < flip < then:
                then = flip
            if then < hi:
                p, q, r, t = map_at(maps, c, then)
                w_then, b_then, _ = apply(p, q, r, t, w, b, a)
            else:
                w_then, b_then = w_end, b_end
            if way * (w_then * x + b_then) < outside:
                theta = _exit_between(maps, c, x, active, (w, b, a), zero, start, then)
                if theta < first:
                    first, first_side = theta, side
                break
            start = then
    return first, first_side


@lean_kernel
def _slider_zero(series, rho, a, before, lo, hi):
    """Where an unbalanced slider loses a (if |a| < ρ) or ρ (if |a| > ρ) in (lo, hi), or inf.

    There ``e^{2(Γ - Γ_lo)} = |ρ - a|/|ρ + a|``.
    """
    if abs(a) == rho:
        return np.inf
    goal = before + 0.5 * math.log(abs(rho - a) / abs(rho + a))
    above = before > goal
    if (horner(series, hi) > goal) == above:
        return np.inf
    for _ in range(MAX_BISECTIONS):
        middle = 0.5 * (lo + hi)
        if middle <= lo or middle >= hi:
            break
        if (horner(series, middle) > goal) == above:
            lo = middle
        else:
            hi = middle
    return hi


@lean_kernel
def _first_push(field, c, side, way, lo, hi):
    """First θ in [lo, hi] from which ``way · g · x̃`` at a boundary of sector ``c`` is negative beyond noise, or inf.

    Within the noise around zero nothing is decided: a cluster that has converged on its data point is pushed by
    nothing else, and must not be released by it over and over. A shorter step must come to the same answer, so
    the moment is that at which the noise is left, not that at which the sign changed before.
    """
    if not field.ready[c, TURNS]:
        ready_turns(field, c, hi)
    noise, x = -field.noise[0], field.points[boundary(c, side, field.points.shape[0])[0], 0]
    if way * slope_toward(field.generator, c, x, lo) < noise:
        return lo
    start = lo
    for _ in range(field.turns.shape[2] + 1):
        then = min(hi, next_turn(field.turns, c, side, start))
        # Between turns the sign is constant, and the size is best seen away from them.
        for far in (0.5 * (start + then), then):
            if way * slope_toward(field.generator, c, x, far) < noise:
                near = start
                for _ in range(MAX_BISECTIONS):
                    middle = 0.5 * (near + far)
                    if middle <= near or middle >= far:
                        break
                    if way * slope_toward(field.generator, c, x, middle) < noise:
                        far = middle
                    else:
                        near = middle
                return far
        if then >= hi:
            break
        start = then
    return np.inf


@lean_kernel
def _release_from(field, ray, way, lo, hi):
    """First moment in [lo, hi] at which a ray no longer holds sliders whose a has the sign ``way``, and where to."""
    n = field.points.shape[0]
    # Ray i is the upper boundary of sector i and the lower one of sector i + 1.
    to_dead = _first_push(field, inactive_sector(ray, n), 1 if ray < n else 0, way, lo, hi)
    to_live = _first_push(field, active_sector(ray, n), 0 if ray < n else 1, -way, lo, hi)
    # Where both sides push away (a valley) the flow is not unique: like relu'(0) = 0 it leaves to the inactive side.
    return (to_dead, False) if to_dead <= to_live else (to_live, True)


@lean_kernel
def release(field, ray, a, lo, hi):
    """First moment in [lo, hi] at which a ray no longer holds sliders of this sign: (θ, whether to the active side)."""
    # A dead neighbour pushes nothing: what is there is absorbed.
    if inactive_sector(ray, field.points.shape[0]) == field.points.shape[0] or a == 0.0:
        return lo, False
    column, way = (0, 1.0) if a > 0.0 else (1, -1.0)
    # The same for all that slide there, so it is found once a step.
    if math.isnan(field.releases[ray, column, 0]):
        then, to_live = _release_from(field, ray, way, 0.0, hi)
        field.releases[ray, column, 0], field.releases[ray, column, 1] = then, 1.0 if to_live else 0.0
    if field.releases[ray, column, 0] >= lo:
        return field.releases[ray, column, 0], field.releases[ray, column, 1] > 0.0
    return _release_from(field, ray, way, lo, hi)


@lean_kernel
def _part(field, c, angle, w, b):
    """Turn a neuron on a boundary of sector ``c`` into it by an angle, or to its middle where it is narrower."""
    n2 = field.rays.shape[0]
    u, v = field.rays[c], field.rays[(c - 1 + n2) % n2]
    middle_w, middle_b = u[0] + v[0], u[1] + v[1]
    size = math.hypot(middle_w, middle_b)
    if size <= EPS:
        # One data point only: both boundaries lie on one line, and the sector is a half plane.
        x, length = field.points[0, 0], field.points[0, 3]
        way = 1.0 if boundary(c, 0, n2 // 2)[1] else -1.0
        middle_w, middle_b, size = way * x / length, way / length, 1.0
    norm = math.hypot(w, b)
    side_w, side_b = middle_w / size - w / norm, middle_b / size - b / norm
    share = min(1.0, angle / math.hypot(side_w, side_b))
    turned_w, turned_b = w / norm + share * side_w, b / norm + share * side_b
    length = norm / math.hypot(turned_w, turned_b)
    return turned_w * length, turned_b * length


@lean_kernel
def absorbed(w, b, x):
    """The b of a neuron that dies at input x: beyond all doubt inactive, so that no rounding wakes it at a restart."""
    return min(b, -w * x - EPS * abs(w * x))


@lean_kernel
def travel(field, neuron, sign, place, angle, theta, n_log, hi, log):
    """Carry one neuron from θ to ``hi`` through all its switches.

    ``neuron`` (3,) is updated in place. Each switch is added to the ``n_log`` of ``log`` as (θ, point, kind, weight):
    weight · (hi - θ)² bounds what the switch changes in any S by the end of the step, for a neuron of
    unit exponent. A release turns it by ``angle`` off its ray.

    Returns (status, place, number of switches, limit); status is CHUNK_DONE, TOO_MANY_SWITCHES,
    or SHORTER where ``hi`` must be at most ``limit``.
    """
    # Handing on the whole field costs more than a switch: its arrays are taken out once.
    points, generator, maps, ends, turns = field.points, field.generator, field.maps, field.ends, field.turns
    ready, limits, noise, n = field.ready, field.limits, field.noise[0], field.points.shape[0]
    w, b, a = neuron[0], neuron[1], neuron[2]
    ignored = 0
    for _ in range(3 * log.shape[0]):
        if n_log == log.shape[0]:
            return TOO_MANY_SWITCHES, place, 0, hi
        # One that has just arrived when the step ends needs no series of its new place.
        if place in (n, AT_REST) or theta >= hi:
            break
        if not (ready[place, MAPS] if place < 2 * n else ready[place - 2 * n, SLIDES]):
            ready_place(field, place)
        if limits[place] < hi:
            return SHORTER, place, 0, max(limits[place], theta)
        if place < 2 * n:
            if theta > 0.0:
                p, q, r, t = map_at(maps, place, theta)
                w, b, a = _back(p, q, r, t, w, b, a)
            if not ready[place, END]:
                ready_end(field, place, hi)
            then, side = _exit(
                points, generator, maps, ends, turns, noise, place, w, b, a, sign, theta, hi, ignored
            )
            p, q, r, t = map_at(maps, place, min(then, hi))
            w, b, a = apply(p, q, r, t, w, b, a)
            a = rebalance(w, b, a, sign)
            if then > hi:
                break
            k, was_active = boundary(place, side, n)
            ray = k if w - b * points[k, 0] > 0.0 else k + n
            # Straight through w = 0, where all boundaries meet.
            vanishes = abs(w) + abs(b) <= VANISHES * (abs(neuron[0]) + abs(neuron[1]) + abs(neuron[2]))
        else:
            ray = place - 2 * n
            k = ray % n
            u1, u2, series = field.rays[ray, 0], field.rays[ray, 1], field.slides[ray]
            then, to_live = release(field, ray, a, theta, hi)
            before, rho, vanishes = horner(series, theta), w * u1 + b * u2, False
            if sign == 0:
                zero = _slider_zero(series, rho, a, before, theta, min(then, hi))
                if zero < then:
                    then, to_live, vanishes = zero, False, abs(a) > rho
            w, b, a = slide(u1, u2, w, b, a, sign, horner(series, min(then, hi)) - before)
            if then > hi:
                break
        theta, x = then, points[k, 0]
        dead, live = inactive_sector(ray, n), active_sector(ray, n)
        dead_push = a * slope_toward(generator, dead, x, theta)
        live_push = a * slope_toward(generator, live, x, theta)
        if place < 2 * n and not vanishes and (live_push > 0.0 if was_active else dead_push < 0.0):
            # It is out by the truncation of S, while the field drives it in: near a turning point both are zero
            # within the tolerance, and taking this for a switch would repeat it for ever.
            ignored |= 1 << side
            continue
        ignored = 0
        # How much the normal velocity changes by the end of the step, for a slider on the one side only.
        dead_change = abs(dead_push) + abs(a * slope_toward(generator, dead, x, hi))
        live_change = abs(live_push) + abs(a * slope_toward(generator, live, x, hi))
        change = dead_change + live_change
        if vanishes:
            kind, place, w, b = RELEASE if place >= 2 * n else OFF, AT_REST, 0.0, 0.0
        elif place >= 2 * n:
            kind, place, change = RELEASE, live if to_live else dead, live_change if to_live else dead_change
        elif was_active and dead_push > 0.0:
            kind, place, change = SLIDE, 2 * n + ray, live_change
        elif not was_active and live_push < 0.0:
            kind, place, change = SLIDE, 2 * n + ray, dead_change
        elif was_active:
            kind, place = OFF, dead
        else:
            kind, place = ON, live
        if place == n:
            b = absorbed(w, b, x)
        log[n_log, 0], log[n_log, 1], log[n_log, 2] = theta, k, kind
        log[n_log, 3] = 2.0 * abs(a) * change
        n_log += 1
        if kind == RELEASE and angle > 0.0 and place != AT_REST:
            w, b = _part(field, place, angle, w, b)
        if kind == SLIDE:
            w, b, a = slide(field.rays[ray, 0], field.rays[ray, 1], w, b, a, sign, 0.0)
    neuron[0], neuron[1], neuron[2] = w, b, a
    return CHUNK_DONE, place, n_log, hi
