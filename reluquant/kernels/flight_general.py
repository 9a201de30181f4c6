"""A neuron that no boundary holds, through all its plain crossings. See `neuron_alone`."""

from __future__ import annotations

from reluquant.kernels.box_lcp import ACTIVE, EPS, NOISE
from reluquant.kernels.exit_general import first_exit, keep_watch, look_around, spend
from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.series_general import (
    MOST_GROWTH,
    conserve,
    expand_until,
    gap_of,
    norm,
    project_all,
    scale_to,
    shift_origin,
    strength,
    sum_up,
    turning,
    values_at,
)
from reluquant.kernels.state_general import NEVER, OFF, ON, OUTSIDE, TOGETHER, VANISHES
from reluquant.kernels.switch_general import is_dead, note

# A piece of free flight ends this many times as far as the next boundary seems to be: usually beyond it.
AHEAD = 1.5
# But it is no shorter than this share of what is left, lest a boundary that only seems near takes a step of its own.
SHORTEST_PIECE = 0.02
# Terms of a piece of free flight are negligible below this share of the tolerance, times its length: a step has many.
PIECE_SHARE = 0.1
# A piece of a few e-foldings converges after one or two halvings, if at all.
MOST_HALVINGS = 20


@lean_kernel
def _cross(problem, field, room, w, a, tau, h, zero, vanishes):
    """Take a neuron across boundary h if both sides plainly push that way, and log it; whether it did."""
    normal, jump, generator = problem.normals[h], field.jump, room.generator
    s, p, o = generator.shape
    if norm(w) <= vanishes:
        return False
    for i in range(room.counts[2]):
        if room.near[i] != h and abs(room.depth[i]) <= zero:
            return False
    before, change, size = 0.0, 0.0, 0.0
    for q in range(o):
        here = 0.0
        for l in range(s - 1, -1, -1):
            here = here * tau + jump[l, h, q]
        change += here * a[q]
    for c in range(p):
        rate = 0.0
        for q in range(o):
            here = 0.0
            for l in range(s - 1, -1, -1):
                here = here * tau + generator[l, c, q]
            rate += here * a[q]
        before += normal[c] * rate
        size += abs(rate)
    to = -room.side[h]
    after = before + to * change
    plain = 4.0 * NOISE * (size + abs(change))
    if to * before <= plain or to * after <= plain:
        return False
    room.side[h] = to
    for l in range(s):
        for q in range(o):
            for c in range(p):
                generator[l, c, q] += to * jump[l, h, q] * normal[c]
    note(room, tau, h, ON if to == ACTIVE else OFF, norm(a) * (abs(change) + max(abs(before), abs(after))))
    return True


@lean_kernel
def _soon(room, left):
    """When the next boundary would be met if w went on as now, at most ``left``."""
    for i in range(room.counts[2]):
        on = room.side[room.near[i]]
        ahead, back = on * room.depth[i], on * room.rate[i]
        if ahead + back * left < 0.0:
            left = max(ahead, 0.0) / -back
    return left


@lean_kernel
def _prepare_flight(room, start, tolerance, size):
    """Series of the neuron from ``start`` on, about as far as the next boundary; the length of the piece, 0 if none."""
    p, o = room.raw.shape[1], room.raw.shape[2]
    w, a, raw = room.w, room.a, room.raw
    shift_origin(room.generator, start, raw)
    for q in range(o):
        a[0, q] = room.now[p + q]
    for c in range(p):
        w[0, c] = room.now[c]
        w[1, c] = 0.0
        for q in range(o):
            w[1, c] += raw[0, c, q] * a[0, q]
    project_all(room.close, room.counts[2], w[1], room.rate)
    left = 1.0 - start
    length = max(AHEAD * _soon(room, left), min(SHORTEST_PIECE, 2.0 / room.side.size) * left)
    length = min(length, left * min(1.0, MOST_GROWTH / max(strength(raw, left), MOST_GROWTH)))
    scale_to(raw, length)
    for _ in range(MOST_HALVINGS):
        room.counts[1] = expand_until(raw, w, a, PIECE_SHARE * tolerance * length * size)
        if room.counts[1] > 0:
            return length
        length *= 0.5
        scale_to(raw, 0.5)
    return 0.0


@lean_kernel
def fly(problem, field, room, start, sign, factor, plus, total):
    """Carry a neuron that no boundary holds through all plain crossings; returns τ where another kind of event is near.

    The motion between two crossings is expanded about as far as the next one only: few terms, few boundaries in reach.
    """
    p = problem.normals.shape[1]
    here, outputs, end_point = room.now[:p], room.now[p:], room.velocity
    gap = gap_of(here, outputs)
    fresh = room.safe[0] <= 0.0
    if fresh:
        look_around(room, here, NEVER)
    else:
        project_all(room.close, room.counts[2], here, room.depth)
    for _ in range(4 * room.log.shape[0]):
        if room.counts[0] >= room.log.shape[0]:
            break
        before, loud = norm(here), norm(outputs)
        length = _prepare_flight(room, start, field.noise[1], before + loud)
        if length == 0.0:
            break
        size = room.counts[1]
        sum_up(room.w, size, end_point)
        largest, turn = max(before + loud, norm(end_point)), turning(room.w, size)
        keep_watch(room, here, turn, TOGETHER * largest / before)
        project_all(room.close, room.counts[2], end_point, room.later)
        then, h = first_exit(problem.normals, room, turn, field.noise[0] * length * loud, OUTSIDE * largest)
        if then == 0.0:
            break
        part = min(then, 1.0)
        end = 1.0 if then > 1.0 and length >= (1.0 - start) * (1.0 - EPS) else start + part * length
        if factor != 0.0:
            _count_flight(room, field.nodes, start, length, end, factor, plus, total)
        values_at(room.w, room.a, size, part, room.now)
        conserve(here, outputs, gap, sign)
        project_all(room.close, room.counts[2], here, room.depth)
        # A list of all boundaries has served its turn.
        spend(room, NEVER if fresh else part * turn)
        start, fresh = end, False
        if start >= 1.0:
            break
        if then > 1.0:
            continue
        if not _cross(problem, field, room, here, outputs, start, h, TOGETHER * largest, VANISHES * largest):
            break
        if is_dead(problem.two_sided, room.side):
            break
    return start


@lean_kernel
def _count_flight(room, nodes, start, length, end, factor, plus, total):
    """Add the neuron's share of all outputs at the nodes in (start, end] (see `neuron_alone`)."""
    p, o, H = room.w.shape[1], room.a.shape[1], room.side.size
    for i in range(nodes.size):
        if nodes[i] <= start or nodes[i] > end:
            continue
        values_at(room.w, room.a, room.counts[1], (nodes[i] - start) / length, room.now)
        project_all(room.columns, H, room.now[:p], room.later)
        for q in range(o):
            weight = factor * room.now[p + q]
            for c in range(p):
                total[i, c, q] += weight * room.now[c]
            for h in range(H):
                plus[i, h, q] += weight * room.later[h] if room.side[h] == ACTIVE else 0.0
