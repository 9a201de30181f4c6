r"""Where tiny neurons of one output turn to while the residual is frozen, and by when: piece by piece in closed form.

In a fixed pattern ``dw/dt = a h``, ``da/dt = w·h`` with a constant h: ``g = Σ_active r x̃``, projected onto what is
orthogonal to the boundaries that hold the neuron. With ``ω = |h|``, s the sign of a, ``P = s w·h/ω`` and ``A = |a|``,

    ``P + A`` grows like e^{ωt},  ``P - A`` falls like e^{-ωt},  the rest of w stays.

So w moves along a straight line, and reaches the next boundary by a displacement of P that is one division; the time
is the logarithm of the quotient of two values of P + A. Shares of boundaries that hold do not depend on a, and are
constant in a piece: they change where the neuron meets another boundary, or where its a passes zero. The conventions
where the flow is not unique are those of `flow_general`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.kernels.box_lcp import ACTIVE, EPS, HELD, INACTIVE, solve_box
from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.series_general import span_held
from reluquant.kernels.state_general import OFF, ON, RELEASE, SLIDE, TOGETHER

ALIGNED, DEAD, REST, UNSETTLED = range(4)
# Places in `Room.counts`.
ALIVE, HOLDING, IGNORED = range(3)

# Pieces of a walk for each boundary: in a frozen field a neuron passes most of them once, if at all.
MOST_PIECES = 20
# The part of w across a line below this share of w is the rounding of its weights.
ON_LINE = 8 * EPS
# Rounding of the scalar product of two unit vectors of p numbers: this for each.
TANGENT = 4 * EPS


class Field(NamedTuple):
    """What pushes tiny neurons, in units in which all jumps and ``linear`` add up to at most 1.

    Attributes: ``normals`` (H, p), unit vectors towards the side on which the first sample of a boundary is active;
    ``jump`` (H,), what that side adds along the normal; ``linear`` (p,), h where all are on the other side;
    ``two_sided`` (H,), where a sample is active there; ``noise``, the rounding of h.
    """

    normals: np.ndarray
    jump: np.ndarray
    linear: np.ndarray
    two_sided: np.ndarray
    noise: float


class Starts(NamedTuple):
    """Neurons: ``w`` (m, p), ``a`` (m,), ``sign`` (m,) of balanced ones, else 0, ``side`` (m, H), 0 on a boundary."""

    w: np.ndarray
    a: np.ndarray
    sign: np.ndarray
    side: np.ndarray


class Ends(NamedTuple):
    """Filled: ``fate``, ``time``, ``arrival``, ``direction`` (m, p), ``sign`` of a, number of ``switches``, most (m,).

    From ``arrival`` on it stays within the angle of its last direction, if there is one; ``time`` is when it dies or
    comes to rest. A neuron that came to w = 0 has the direction 0.
    """

    fate: np.ndarray
    time: np.ndarray
    arrival: np.ndarray
    direction: np.ndarray
    sign: np.ndarray
    switches: np.ndarray


class Room(NamedTuple):
    """Working arrays for one neuron, and for `solve_box`.

    ``w``; ``side`` and ``depth`` of all boundaries; g and h; h as a ``unit`` vector, and the ``rest`` of w across it;
    ``counts`` of boundaries that keep it alive, that hold it, and that are ignored because rounding decides them.
    """

    w: np.ndarray
    side: np.ndarray
    ignored: np.ndarray
    counts: np.ndarray
    depth: np.ndarray
    rate: np.ndarray
    g: np.ndarray
    h: np.ndarray
    unit: np.ndarray
    rest: np.ndarray
    basis: np.ndarray
    triangle: np.ndarray
    held: np.ndarray
    free: np.ndarray
    goal: np.ndarray
    push: np.ndarray
    listed: np.ndarray
    place: np.ndarray
    jump: np.ndarray
    slack: np.ndarray
    share: np.ndarray


@kernel
def _make_room(H, p):
    return Room(
        np.zeros(p), np.zeros(H, np.int8), np.zeros(H, np.bool_), np.zeros(3, np.int64), np.zeros(H), np.zeros(H),
        np.zeros(p), np.zeros(p), np.zeros(p), np.zeros(p),
        np.zeros((p, p)), np.zeros((p, p)), np.zeros(p, np.int64), np.zeros(p, np.int64), np.zeros(p), np.zeros(p),
        np.zeros(H, np.int64), np.zeros(H, np.int64), np.zeros(H), np.zeros(H), np.zeros(H),
    )  # fmt: skip


@lean_kernel
def _dot(u, v):
    total = 0.0
    for c in range(u.size):
        total += u[c] * v[c]
    return total


@lean_kernel
def _elapsed(gap, P, A, later, speed):
    """Time in which P rises to ``later`` while A does not pass zero; ``gap = A² - P²``."""
    then = math.sqrt(max(A * A + (later - P) * (later + P), 0.0))
    # Of P + A and A - P, whose product is the gap, always the one that does not cancel.
    if P >= 0.0:
        growth = (then + later) / (A + P)
    elif later <= 0.0:
        growth = (A - P) / (then - later)
    else:
        growth = (A - P) * (then + later) / gap
    return math.log(growth) / speed


@lean_kernel
def _is_inside(w, target, tangent):
    """Whether w is within the angle of a unit vector."""
    along, across = _dot(w, target), 0.0
    for c in range(w.size):
        across += (w[c] - along * target[c]) ** 2
    return along > 0.0 and across <= (tangent * along) ** 2


@lean_kernel
def _entry(rest, unit, s, target, tangent, P, later):
    """The P between two values at which w enters the cone around the target: it is outside at P, inside later."""
    along, slope = _dot(rest, target), s * _dot(unit, target)
    square, mixed, constant = 0.0, 0.0, 0.0
    for c in range(target.size):
        off, on = rest[c] - along * target[c], s * unit[c] - slope * target[c]
        square += on * on
        mixed += off * on
        constant += off * off
    square -= (tangent * slope) ** 2
    mixed -= tangent * tangent * along * slope
    constant -= (tangent * along) ** 2
    root = math.sqrt(max(mixed * mixed - square * constant, 0.0))
    far = -(mixed + root) if mixed >= 0.0 else root - mixed
    best, miss = later, np.inf
    for x in (far / square if square != 0.0 else np.inf, constant / far if far != 0.0 else np.inf):
        # One of the two is the cone's mirror image, or where the line leaves it.
        outside = max(P - x, x - later, 0.0)
        if math.isfinite(x) and along + x * slope >= 0.0 and outside < miss:
            best, miss = min(max(x, P), later), outside
    return best


@lean_kernel
def _note(log, count, time, h, kind):
    """Append a switch to the log, if there is room; the number of switches."""
    if count < log.shape[0]:
        log[count, 0], log[count, 1], log[count, 2] = time, h, kind
    return count + 1


@lean_kernel
def _set_side(field, room, h, now, time, log, count):
    was = room.side[h]
    if was == now:
        return count
    way = (1.0 if now == ACTIVE else 0.0) - (1.0 if was == ACTIVE else 0.0)
    if way != 0.0:
        for c in range(room.g.size):
            room.g[c] += way * field.jump[h] * field.normals[h, c]
    room.side[h] = now
    if not field.two_sided[h]:
        room.counts[ALIVE] += int(now == ACTIVE) - int(was == ACTIVE)
    room.counts[HOLDING] += int(now == HELD) - int(was == HELD)
    kind = SLIDE if now == HELD else (RELEASE if was == HELD else (ON if now == ACTIVE else OFF))
    return _note(log, count, time, h, kind)


@lean_kernel
def _ignore_none(room):
    if room.counts[IGNORED] > 0:
        room.ignored[:] = False
        room.counts[IGNORED] = 0


@lean_kernel
def _decide(field, room, s, trigger, time, log, count):
    """Decide all boundaries that the neuron lies on, and what pushes it from there; the number of switches so far."""
    size, near = 0, TOGETHER * math.sqrt(_dot(room.w, room.w))
    side, depth, listed = room.side, room.depth, room.listed
    for h in range(side.size):
        if h == trigger or side[h] == HELD or abs(depth[h]) <= near:
            listed[size] = h
            size += 1
    for c in range(room.g.size):
        room.push[c] = s * room.g[c]
    for i in range(size):
        h = room.listed[i]
        room.place[i], room.jump[i] = room.side[h], s * field.jump[h]
        room.slack[i] = field.noise if room.side[h] == HELD else 0.0
        if room.side[h] == ACTIVE:
            for c in range(room.g.size):
                room.push[c] -= room.jump[i] * field.normals[h, c]
    if size == 1 and room.side[trigger] != HELD:
        # The usual case in closed form. A push that is rounding lets pass, and then along the boundary.
        before = _dot(room.push, field.normals[trigger])
        ahead, then = before + room.jump[0], HELD
        if room.side[trigger] == ACTIVE:
            then = INACTIVE if before <= field.noise else HELD
        elif before < -field.noise or (before <= field.noise and ahead >= -field.noise):
            # Not pushed ahead: it started there, and stays as relu'(0) = 0 has it.
            then = INACTIVE
        elif ahead >= -field.noise:
            then = ACTIVE
        if then != HELD:
            # Exactly from there: where a neuron shrinks along the boundary, rounding would grow.
            off = _dot(room.w, field.normals[trigger])
            for c in range(room.w.size):
                room.w[c] -= off * field.normals[trigger, c]
        room.place[0] = then
    else:
        solve_box(
            room.push, field.normals, room.listed, size, room.jump, room.slack, room.place, room.share, room.h,
            room.basis, room.triangle, room.free, room.goal,
        )  # fmt: skip
    before_all, alive = count, room.counts[ALIVE]
    for i in range(size):
        if not field.two_sided[room.listed[i]]:
            alive += int(room.place[i] == ACTIVE) - int(room.side[room.listed[i]] == ACTIVE)
    for i in range(size):
        # A dead neighbour pushes nothing: what is there is absorbed.
        count = _set_side(field, room, room.listed[i], room.place[i] if alive > 0 else INACTIVE, time, log, count)
    if count == before_all:
        room.ignored[trigger] = True
        room.counts[IGNORED] += 1
    else:
        _ignore_none(room)
    _aim(field, room)
    return count


@lean_kernel
def _aim(field, room):
    """What pushes along the boundaries that hold; and the neuron exactly onto them."""
    for c in range(room.g.size):
        room.h[c] = room.g[c]
    if room.counts[HOLDING] == 0:
        return
    size = span_held(field.normals, room.side, room.basis, room.triangle, room.held)
    for l in range(size):
        along, off = _dot(room.basis[l], room.h), _dot(room.basis[l], room.w)
        for c in range(room.h.size):
            room.h[c] -= along * room.basis[l, c]
            room.w[c] -= off * room.basis[l, c]
    for h in range(room.side.size):
        if room.side[h] == HELD:
            room.depth[h] = 0.0


@lean_kernel
def _let_go(field, room, time, log, count):
    """Release a neuron whose a has changed sign, so that now both sides push it away, to the inactive side."""
    for h in range(room.side.size):
        if room.side[h] == HELD:
            count = _set_side(field, room, h, INACTIVE, time, log, count)
    _ignore_none(room)
    _aim(field, room)
    return count


@lean_kernel
def _begin(field, room, s, log):
    """Fill g and the depths of a neuron, and decide the boundaries that it starts on; the number of switches."""
    normals, jump, linear, two_sided = field.normals, field.jump, field.linear, field.two_sided
    w, g, side, depth, counts = room.w, room.g, room.side, room.depth, room.counts
    room.ignored[:] = False
    counts[:] = 0
    for c in range(g.size):
        g[c] = linear[c]
    on = np.int64(-1)
    for h in range(side.size):
        total = 0.0
        for c in range(w.size):
            total += normals[h, c] * w[c]
        depth[h] = total
        counts[ALIVE] += side[h] == ACTIVE or two_sided[h]
        if side[h] == ACTIVE:
            for c in range(g.size):
                g[c] += jump[h] * normals[h, c]
        elif side[h] == HELD:
            # As relu'(0) = 0 has it.
            side[h], depth[h], on = INACTIVE, 0.0, h
    if s == 0.0:
        growth = _dot(w, g)
        s = 1.0 if growth > 0.0 else (-1.0 if growth < 0.0 else 0.0)
    for c in range(g.size):
        room.h[c] = g[c]
    count = np.int64(0)
    if on >= 0 and s != 0.0:
        count = _decide(field, room, s, on, 0.0, log, count)
    _ignore_none(room)
    return s, count


@lean_kernel
def _next_boundary(normals, unit, side, depth, rate, ignored, s, least):
    """By how much P rises until the next boundary, and which it is: -1 if there is none. Fills the rates of all."""
    reach, first = np.inf, -1
    for h in range(side.size):
        total = 0.0
        for c in range(unit.size):
            total += normals[h, c] * unit[c]
        rate[h] = s * total
        back = -side[h] * rate[h]
        if back > least and not ignored[h]:
            away = max(side[h] * depth[h], 0.0)
            if away < reach * back:
                reach, first = away / back, h
    return reach, first


@lean_kernel
def _move(w, rest, unit, depth, rate, s, P, reach, A):
    """Move the neuron to P + reach along its line, where its ``|a|`` is A; make it of order 1, and return the new A."""
    square = 0.0
    for c in range(w.size):
        w[c] = rest[c] + s * (P + reach) * unit[c]
        square += w[c] * w[c]
    factor = 1.0 / max(math.sqrt(square), A)
    for c in range(w.size):
        w[c] *= factor
    for h in range(depth.size):
        depth[h] = (depth[h] + reach * rate[h]) * factor
    return A * factor


@lean_kernel
def _cross(normals, jump, two_sided, side, depth, counts, w, g, h, s, first, noise):
    """Take a neuron that nothing holds across one boundary if both sides plainly push that way; whether it did."""
    if counts[HOLDING] > 0 or counts[IGNORED] > 0:
        return False
    near, square, now, then = 0, 0.0, 0.0, s * jump[first]
    for c in range(w.size):
        square += w[c] * w[c]
        now += s * g[c] * normals[first, c]
    limit = TOGETHER * math.sqrt(square)
    for i in range(depth.size):
        near += abs(depth[i]) <= limit
    then = now + then if side[first] == INACTIVE else now - then
    if near != 1 or -side[first] * now <= noise or -side[first] * then <= noise:
        return False
    side[first] = -side[first]
    for c in range(w.size):
        g[c] += side[first] * jump[first] * normals[first, c]
        h[c] = g[c]
    if not two_sided[first]:
        counts[ALIVE] += side[first]
    return True


@lean_kernel
def _walk(field, room, s, A, balanced, target, tangent, log, direction):
    """Walk one neuron to its end; returns fate, time, sign of a, and number of switches.

    The time of an aligned one is NaN if it was within the angle before its last piece: then the end must be known,
    as ``target`` (p,), on another walk. It is empty on the first.
    """
    s, count = _begin(field, room, s, log)
    # Names: counting the references to a tuple's arrays at each use takes longer than the arithmetic.
    w, g, h, unit, rest, counts = room.w, room.g, room.h, room.unit, room.rest, room.counts
    side, depth, rate, ignored, noise = room.side, room.depth, room.rate, room.ignored, field.noise
    normals, jump, two_sided = field.normals, field.jump, field.two_sided
    p, H = w.size, side.size
    time, looks = 0.0, target.size > 0
    inside = looks and _is_inside(w, target, tangent)
    arrived = 0.0 if inside else np.nan
    for _ in range(MOST_PIECES * (H + 4)):
        omega, size = math.sqrt(_dot(h, h)), math.sqrt(_dot(w, w))
        for c in range(p):
            direction[c] = w[c] / size if size > 0.0 else 0.0
        if size > 0.0 and counts[ALIVE] == 0:
            return DEAD, time, s, count
        if size == 0.0 or s == 0.0 or omega <= noise:
            return REST, arrived if looks else time, s, count
        along, across = 0.0, 0.0
        for c in range(p):
            unit[c] = h[c] / omega
            along += w[c] * unit[c]
        for c in range(p):
            rest[c] = w[c] - along * unit[c]
            across += rest[c] * rest[c]
        P = s * along
        if balanced:
            A, gap = size, across
        else:
            gap = (A - P) * (A + P)
        if P == 0.0 and A == 0.0:
            return REST, arrived if looks else time, s, count
        if P < 0.0 and across <= (ON_LINE * size) ** 2:
            # It shrinks along its line: for ever, to w = 0, or until its a passes zero.
            if balanced or gap == 0.0:
                return ALIGNED, arrived, s, count
            if gap > 0.0:
                direction[:] = 0.0
                time += _elapsed(gap, P, A, 0.0, omega)
                for i in range(H):
                    if side[i] == HELD:
                        count = _note(log, count, time, i, RELEASE)
                return REST, time, s, count
        reach, first = _next_boundary(normals, unit, side, depth, rate, ignored, s, TANGENT * p + noise / omega)
        # Where its a passes zero: -√(P² - A²) - P without cancellation.
        turn = A * A / (math.sqrt(-gap) - P) if P < 0.0 and gap < 0.0 else np.inf
        turns = turn < np.inf and turn <= reach
        reach = min(turn, reach)
        if gap == 0.0 and P < 0.0 and reach >= -P:
            # Exactly as heavy as it must be to lose its a, but never to the end.
            for c in range(p):
                direction[c] = rest[c] / math.sqrt(across)
            return REST, np.inf, s, count
        ends = first < 0 and not turns
        if ends:
            for c in range(p):
                direction[c] = s * unit[c]
            if not looks and not _is_inside(w, direction, tangent):
                return ALIGNED, time + _elapsed(gap, P, A, math.sqrt(across) / tangent, omega), s, count
        if looks:
            before, inside = inside, ends
            if not ends:
                for c in range(p):
                    direction[c] = rest[c] + s * (P + reach) * unit[c]
                inside = _is_inside(direction, target, tangent)
            if inside and not before:
                later = _entry(rest, unit, s, target, tangent, P, P + reach)
                arrived = time + _elapsed(gap, P, A, later, omega)
        if ends:
            return ALIGNED, arrived, s, count
        time += _elapsed(gap, P, A, P + reach, omega)
        later = 0.0 if turns else math.sqrt(max(A * A + reach * (2.0 * P + reach), 0.0))
        A = _move(w, rest, unit, depth, rate, s, P, reach, later)
        if turns:
            s = -s
            if counts[HOLDING] > 0 or counts[IGNORED] > 0:
                count = _let_go(field, room, time, log, count)
            continue
        depth[first] = 0.0
        if _cross(normals, jump, two_sided, side, depth, counts, w, g, h, s, first, noise):
            count = _note(log, count, time, first, ON if side[first] == ACTIVE else OFF)
        else:
            count = _decide(field, room, s, first, time, log, count)
    return UNSETTLED, np.nan, s, count


@kernel
def walk_all(field, starts, tangent, ends, log, first):
    """Walk all neurons in the frozen field.

    Parameters
    ----------
    field : Field
    starts : Starts
        Weights of order 1: squares must not underflow.
    tangent : float
        Of the angle within which a neuron counts as aligned.
    ends : Ends
        Filled.
    log, first : (≥ 0, 3) float64, (m + 1,) int64
        Filled with rows of time, boundary and kind of all switches, those of neuron j from ``first[j]`` on, as far as
        there is room until ``first[j + 1]``.
    """
    H, p = field.normals.shape
    room, nothing, target = _make_room(H, p), np.zeros(0), np.zeros(p)
    for j in range(starts.a.size):
        a, direction = starts.a[j], ends.direction[j]
        s, balanced = 1.0 if a > 0.0 else (-1.0 if a < 0.0 else 0.0), starts.sign[j] != 0
        room.w[:], room.side[:] = starts.w[j], starts.side[j]
        fate, time, sign, count = _walk(
            field, room, s, abs(a), balanced, nothing, tangent, log[first[j] : first[j + 1]], direction
        )
        arrival = time
        if (fate == ALIGNED and math.isnan(time)) or (fate == REST and time > 0.0 and _dot(direction, direction) > 0.0):
            target[:] = direction
            room.w[:], room.side[:] = starts.w[j], starts.side[j]
            arrival = _walk(field, room, s, abs(a), balanced, target, tangent, log[:0], direction)[1]
            direction[:] = target
        ends.fate[j], ends.time[j], ends.arrival[j] = fate, time, arrival
        ends.sign[j], ends.switches[j] = sign, count
