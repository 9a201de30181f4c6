"""Who holds a neuron that comes to boundaries, or leaves them, and on which side of the others it is.

See `neuron_alone`, and `box_lcp` for the rule.
"""

from __future__ import annotations

import math

from reluquant.kernels.box_lcp import ACTIVE, HELD, INACTIVE, solve_box
from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.release_general import release_rate
from reluquant.kernels.series_general import inner, norm, span_held
from reluquant.kernels.state_general import OFF, ON, RELEASE, SLIDE

# A velocity that starts to change at a rate counts like a jump of it by what it has changed after this share of a step:
# a polynomial follows the kink up to half of that triangle's area (see `flow_general.BEND`).
LAG = 0.05


@lean_kernel
def is_dead(two_sided, side):
    """Whether no sample is active."""
    for h in range(side.size):  # noqa: SIM110 - compiled code has no generators
        if side[h] == ACTIVE or two_sided[h]:
            return False
    return True


@lean_kernel
def is_free(side):
    """Whether no boundary holds."""
    for value in side:  # noqa: SIM110 - compiled code has no generators
        if value == HELD:
            return False
    return True


@lean_kernel
def _jump_at(jump, h, tau, a):
    total = 0.0
    for q in range(a.size):
        value = 0.0
        for l in range(jump.shape[0] - 1, -1, -1):
            value = value * tau + jump[l, h, q]
        total += value * a[q]
    return total


@lean_kernel
def _lean(generator, w, a, tau, out):
    """Write a, or where it is zero its rate of change, to which boundaries that w lies on add nothing."""
    zero = norm(a) == 0.0
    for q in range(a.size):
        out[q] = a[q]
        for c in range(w.size if zero else 0):
            value = 0.0
            for l in range(generator.shape[0] - 1, -1, -1):
                value = value * tau + generator[l, c, q]
            out[q] += value * w[c]


@lean_kernel
def _list_met(problem, field, room, w, a, tau, trigger, away, zero, noise):
    """List the boundaries that the neuron lies on, with what each would add; and the velocity without any of them."""
    p, s = w.size, field.jump.shape[0]
    size = 0
    for c in range(p):
        total = 0.0
        for q in range(a.size):
            value = 0.0
            for l in range(s - 1, -1, -1):
                value = value * tau + room.generator[l, c, q]
            total += value * a[q]
        room.driven[c] = total
    # None that is not near is met.
    for i in range(room.counts[2]):
        h = room.near[i]
        if room.side[h] != HELD and h != trigger and abs(inner(problem.normals[h], w)) > zero:
            continue
        room.listed[size] = h
        room.jump[size] = _jump_at(field.jump, h, tau, a)
        room.before[size] = room.side[h]
        room.place[size] = room.side[h]
        room.slack[size] = noise if room.side[h] == HELD else 0.0
        if h == trigger and room.side[h] == HELD:
            room.place[size], room.slack[size] = away, 0.0
        if room.side[h] == ACTIVE:
            for c in range(p):
                room.driven[c] -= room.jump[size] * problem.normals[h, c]
        size += 1
    return size


@lean_kernel
def _apply_sides(problem, field, room, size):
    """Take over the decided sides, and the generator of the new pattern; whether anything changed."""
    changed = False
    for i in range(size):
        h, was, now = room.listed[i], room.before[i], room.place[i]
        if was == now:
            continue
        changed = True
        room.side[h] = now
        way = (1.0 if now == ACTIVE else 0.0) - (1.0 if was == ACTIVE else 0.0)
        if way != 0.0:
            for l in range(field.jump.shape[0]):
                for c in range(problem.normals.shape[1]):
                    for q in range(field.jump.shape[2]):
                        room.generator[l, c, q] += way * field.jump[l, h, q] * problem.normals[h, c]
    return changed


@lean_kernel
def note(room, tau, h, kind, weight):
    """Append a switch to the log."""
    row = room.log[room.counts[0]]
    row[0], row[1], row[2], row[3] = tau, h, kind, weight
    room.counts[0] += 1


@lean_kernel
def _write(room, size, tau, change):
    """Log what changed. The weight, for the whole event, goes to its first row."""
    for i in range(size):
        was, now = room.before[i], room.place[i]
        if was != now and room.counts[0] < room.log.shape[0]:
            kind = SLIDE if now == HELD else (RELEASE if was == HELD else (ON if now == ACTIVE else OFF))
            note(room, tau, room.listed[i], kind, change)
            change = 0.0


@lean_kernel
def decide(problem, field, room, tau, when, trigger, away, zero):
    """Decide all boundaries that a neuron (``room.now``) lies on; whether anything changed, logged for ``when``."""
    p = problem.normals.shape[1]
    w, a, lean = room.now[:p], room.now[p:], room.lean
    _lean(room.generator, w, a, tau, lean)
    size = _list_met(problem, field, room, w, lean, tau, trigger, away, zero, field.noise[0] * norm(lean))
    before = room.velocity
    for c in range(p):
        before[c] = room.driven[c]
    for i in range(size):
        if room.before[i] == ACTIVE:
            for c in range(p):
                before[c] += room.jump[i] * problem.normals[room.listed[i], c]
    n_held = span_held(problem.normals, room.side, room.basis, room.triangle, room.held)
    for m in range(n_held):
        along = inner(room.basis[m], before)
        for c in range(p):
            before[c] -= along * room.basis[m, c]
    speed = room.push[0]
    solve_box(
        room.driven,
        problem.normals,
        room.listed,
        size,
        room.jump,
        room.slack,
        room.place,
        room.share,
        speed,
        room.basis,
        room.triangle,
        room.free,
        room.goal,
    )
    changed = _apply_sides(problem, field, room, size)
    if is_dead(problem.two_sided, room.side):
        # A dead neighbour pushes nothing: what is there is absorbed.
        for i in range(size):
            changed |= room.before[i] != INACTIVE
            room.place[i] = INACTIVE
            room.side[room.listed[i]] = INACTIVE
    if not changed:
        return False
    square, crossing = 0.0, 0.0
    for c in range(p):
        square += (speed[c] - before[c]) ** 2
    for i in range(size):
        if room.before[i] != room.place[i]:
            normal = problem.normals[room.listed[i]]
            crossing = max(crossing, abs(inner(normal, speed)), abs(inner(normal, before)))
    # What the switch changes in the rate of any output: by the velocity, and by a sample that starts or ends. Where a
    # boundary lets go neither jumps, but their rates do.
    lag = LAG * release_rate(problem, room, w, a, tau, size)
    _write(room, size, when, norm(a) * (math.sqrt(square) + crossing + lag))
    return True


@lean_kernel
def settle(normals, room):
    """Put a neuron exactly on the boundaries that hold it."""
    p = normals.shape[1]
    size = span_held(normals, room.side, room.basis, room.triangle, room.held)
    for m in range(size):
        along = inner(room.basis[m], room.now[:p])
        for c in range(p):
            room.now[c] -= along * room.basis[m, c]
    return size


@lean_kernel
def vanish(room, tau, trigger, speed):
    """Leave a neuron at w = 0, and log by which boundary: those that held it, or the one that it came to."""
    # All of its velocity ends, and with it what that does to outputs.
    before, weight = room.counts[0], 2.0 * norm(room.now[room.w.shape[1] :]) * speed
    for h in range(room.side.size):
        if room.side[h] == HELD and room.counts[0] < room.log.shape[0]:
            note(room, tau, h, RELEASE, weight)
            weight = 0.0
        room.side[h] = INACTIVE
    if room.counts[0] == before:
        note(room, tau, trigger, OFF, weight)
    room.now[: room.w.shape[1]] = 0.0


@lean_kernel
def let_go(room, n_held, tau):
    """Release all boundaries to their inactive sides."""
    for m in range(n_held):
        room.side[room.held[m]] = INACTIVE
        if room.counts[0] < room.log.shape[0]:
            note(room, tau, room.held[m], RELEASE, 0.0)
