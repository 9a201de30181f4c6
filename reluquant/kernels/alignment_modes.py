r"""Where tiny neurons of several outputs turn to while the residual is frozen, and by when: piece by piece.

In a fixed pattern ``dw/dt = Γ a``, ``da/dt = Γᵀ w`` with a constant ``Γ = Σ_active x̃ rᵀ`` (p, o). On boundaries that
hold the neuron w has no part along their normals, so that it moves by PΓ, P the projection: constant too, although the
shares of the boundaries are not. With ``PΓ = Σ σ_i u_i v_iᵀ``

    ``u_i·w + v_i·a`` grows like e^{σ_i t},  ``u_i·w - v_i·a`` falls like e^{-σ_i t},  the rest of w and a stays,

so that the distances from boundaries, the shares of those that hold and their bounds are sums of at most
``2 min(p, o) + 1`` exponentials, whose first roots are found by `exponential_sums`. The conventions where the flow is
not unique are those of `neuron_alone`, which does the same in a field that changes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.kernels.alignment_walk import ALIGNED, DEAD, MOST_PIECES, ON_LINE, REST, TANGENT, UNSETTLED
from reluquant.kernels.box_lcp import ACTIVE, EPS, HELD, INACTIVE, solve_box
from reluquant.kernels.exponential_sums import first_negative, last_entry
from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.series_general import span_held
from reluquant.kernels.state_general import OFF, ON, OUTSIDE, RELEASE, SLIDE, TOGETHER, VANISHES
from reluquant.kernels.switch_general import is_dead

# Rates this close are equal: their modes move as one.
EQUAL = 16 * EPS
# Where a passes zero the push to both sides does, and a neuron is left to the inactive one: times this close are one.
TIE = 1e-10
# Jacobi's sweeps converge quadratically, after some five.
MOST_SWEEPS = 40
# Places in `Room.counts`: growing modes, boundaries that hold, switches.
GROWING, HOLDING, SWITCHES = range(3)


class Ends(NamedTuple):
    """Filled: ``fate``, ``time``, ``arrival``, ``direction`` (m, p), ``output`` (m, o), number of ``switches``.

    As in `alignment_walk`; ``output`` is the unit vector to which the output weights tend.
    """

    fate: np.ndarray
    time: np.ndarray
    arrival: np.ndarray
    direction: np.ndarray
    output: np.ndarray
    switches: np.ndarray


class Room(NamedTuple):
    """Working arrays for one neuron, and for `solve_box`.

    ``w``, ``a``; ``side`` of all boundaries; Γ as ``generator`` (p, o), projected as ``local``, whose columns are made
    orthogonal by ``turn`` (o, o). Modes with falling exponents ``mu`` (n,): their parts ``modes`` (n, p) of w and
    ``outputs`` (n, o) of a, with ``sizes`` (n, 2). ``shares`` (p, n): modes of the coefficients with which boundaries
    hold. ``driver`` (o,): a, or the direction it takes from zero.
    """

    w: np.ndarray
    a: np.ndarray
    side: np.ndarray
    ignored: np.ndarray
    counts: np.ndarray
    generator: np.ndarray
    local: np.ndarray
    turn: np.ndarray
    sigma: np.ndarray
    group: np.ndarray
    mu: np.ndarray
    modes: np.ndarray
    outputs: np.ndarray
    sizes: np.ndarray
    shares: np.ndarray
    series: np.ndarray
    along: np.ndarray
    across: np.ndarray
    length: np.ndarray
    driver: np.ndarray
    basis: np.ndarray
    triangle: np.ndarray
    held: np.ndarray
    free: np.ndarray
    goal: np.ndarray
    push: np.ndarray
    velocity: np.ndarray
    listed: np.ndarray
    place: np.ndarray
    before: np.ndarray
    jump: np.ndarray
    slack: np.ndarray
    share: np.ndarray


@kernel
def _make_room(H, p, o):
    n = 2 * min(p, o) + 1
    return Room(
        np.zeros(p), np.zeros(o), np.zeros(H, np.int8), np.zeros(H, np.bool_), np.zeros(3, np.int64),
        np.zeros((p, o)), np.zeros((p, o)), np.zeros((o, o)), np.zeros(o), np.zeros(o, np.int64),
        np.zeros(n), np.zeros((n, p)), np.zeros((n, o)), np.zeros((n, 2)), np.zeros((p, n)),
        np.zeros(n), np.zeros(n), np.zeros((n, p)), np.zeros(n), np.zeros(o),
        np.zeros((p, p)), np.zeros((p, p)), np.zeros(p, np.int64), np.zeros(p, np.int64), np.zeros(p), np.zeros(p),
        np.zeros(p), np.zeros(H, np.int64), np.zeros(H, np.int64), np.zeros(H, np.int64), np.zeros(H), np.zeros(H),
        np.zeros(H),
    )  # fmt: skip


@lean_kernel
def _dot(u, v):
    total = 0.0
    for c in range(u.size):
        total += u[c] * v[c]
    return total


@lean_kernel
def _norm(u):
    return math.sqrt(_dot(u, u))


@lean_kernel
def _apply(generator, a, out):
    """Write Γ a."""
    for c in range(out.size):
        out[c] = _dot(generator[c], a)


# -------------------------------------------------------------------------------------------------------- modes


@lean_kernel
def _rotate(matrix, i, j, cosine, sine):
    for c in range(matrix.shape[0]):
        x, y = matrix[c, i], matrix[c, j]
        matrix[c, i], matrix[c, j] = cosine * x - sine * y, sine * x + cosine * y


@lean_kernel
def singular_values(matrix, turn, sigma):
    """Turn the columns of a matrix (p, o) until they are orthogonal, the longest first: ``matrix @ turn``.

    One-sided Jacobi rotations (Hestenes 1958). ``turn`` (o, o) gets the right singular vectors, ``sigma`` (o,) the
    lengths.
    """
    p, o = matrix.shape
    turn[:] = 0.0
    for i in range(o):
        turn[i, i] = 1.0
    for _ in range(MOST_SWEEPS):
        settled = True
        for i in range(o - 1):
            for j in range(i + 1, o):
                first, second, mixed = 0.0, 0.0, 0.0
                for c in range(p):
                    first += matrix[c, i] * matrix[c, i]
                    second += matrix[c, j] * matrix[c, j]
                    mixed += matrix[c, i] * matrix[c, j]
                if first < second:
                    # A quarter of a turn keeps them in order.
                    _rotate(matrix, i, j, 0.0, -1.0)
                    _rotate(turn, i, j, 0.0, -1.0)
                    first, second, mixed = second, first, -mixed
                if abs(mixed) <= EPS * math.sqrt(first * second):
                    continue
                settled = False
                half = (second - first) / (2.0 * mixed)
                tangent = (1.0 if half >= 0.0 else -1.0) / (abs(half) + math.sqrt(1.0 + half * half))
                cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
                _rotate(matrix, i, j, cosine, cosine * tangent)
                _rotate(turn, i, j, cosine, cosine * tangent)
        if settled:
            break
    for i in range(o):
        square = 0.0
        for c in range(p):
            square += matrix[c, i] * matrix[c, i]
        sigma[i] = math.sqrt(square)


@lean_kernel
def _group(sigma, group, noise):
    """Number the different singular values above noise; how many there are. The others get -1."""
    count = 0
    for i in range(sigma.size):
        group[i] = -1
        if sigma[i] <= noise:
            continue
        if i == 0 or group[i - 1] < 0 or sigma[i - 1] - sigma[i] > EQUAL * sigma[0]:
            count += 1
        group[i] = count - 1
    return count


@lean_kernel
def _split(room, noise):
    """Write w and a as sums of exponentials, and what moves them; ``room.counts`` gets the number that grow."""
    p, o = room.generator.shape
    for c in range(p):
        for q in range(o):
            room.local[c, q] = room.generator[c, q]
    for l in range(room.counts[HOLDING]):
        for q in range(o):
            along = 0.0
            for c in range(p):
                along += room.basis[l, c] * room.generator[c, q]
            for c in range(p):
                room.local[c, q] -= along * room.basis[l, c]
    singular_values(room.local, room.turn, room.sigma)
    k = _group(room.sigma, room.group, noise)
    room.counts[GROWING] = k
    room.modes[:] = 0.0
    room.outputs[:] = 0.0
    room.mu[k] = 0.0
    for c in range(p):
        room.modes[k, c] = room.w[c]
    for q in range(o):
        room.outputs[k, q] = room.a[q]
    for i in range(o):
        g = room.group[i]
        if g < 0:
            continue
        room.mu[g], room.mu[2 * k - g] = room.sigma[i], -room.sigma[i]
        P, Q = 0.0, 0.0
        for c in range(p):
            P += room.local[c, i] / room.sigma[i] * room.w[c]
        for q in range(o):
            Q += room.turn[q, i] * room.a[q]
        for c in range(p):
            u = room.local[c, i] / room.sigma[i]
            room.modes[g, c] += 0.5 * (P + Q) * u
            room.modes[2 * k - g, c] += 0.5 * (P - Q) * u
            room.modes[k, c] -= P * u
        for q in range(o):
            v = room.turn[q, i]
            room.outputs[g, q] += 0.5 * (P + Q) * v
            room.outputs[2 * k - g, q] -= 0.5 * (P - Q) * v
            room.outputs[k, q] -= Q * v
    size = max(_norm(room.w), _norm(room.a))
    for j in range(2 * k + 1):
        room.sizes[j, 0], room.sizes[j, 1] = _norm(room.modes[j]), _norm(room.outputs[j])
        # The rounding of weights is no mode.
        if room.sizes[j, 0] <= ON_LINE * size:
            room.modes[j] = 0.0
            room.sizes[j, 0] = 0.0
        if room.sizes[j, 1] <= ON_LINE * size:
            room.outputs[j] = 0.0
            room.sizes[j, 1] = 0.0


@lean_kernel
def _move(room, x, balanced):
    """Move the neuron on by the time x, and make it of order 1."""
    n = 2 * room.counts[GROWING] + 1
    room.w[:] = 0.0
    room.a[:] = 0.0
    for j in range(n):
        factor = math.exp((room.mu[j] - room.mu[0]) * x)
        for c in range(room.w.size):
            room.w[c] += factor * room.modes[j, c]
        for q in range(room.a.size):
            room.a[q] += factor * room.outputs[j, q]
    input_size, output_size = _norm(room.w), _norm(room.a)
    size = max(input_size, output_size)
    shrink = 1.0 / size
    # Balanced neurons remain so, up to rounding.
    stretch = input_size / output_size * shrink if balanced and output_size > 0.0 else shrink
    for c in range(room.w.size):
        room.w[c] *= shrink
    for q in range(room.a.size):
        room.a[q] *= stretch


# ------------------------------------------------------------------------------------------------------- events


@lean_kernel
def _next_boundary(normals, side, ignored, modes, sizes, mu, series, k, zero, cut, noise):
    """First moment at which the neuron leaves the side of a boundary, and which it is: -1 if there is none."""
    best, first, n, p = np.inf, -1, 2 * k + 1, modes.shape[1]
    for h in range(side.size):
        if side[h] == HELD or ignored[h]:
            continue
        depth, rate = 0.0, 0.0
        for j in range(n):
            total = 0.0
            if sizes[j, 0] > 0.0:
                for c in range(p):
                    total += normals[h, c] * modes[j, c]
                total = side[h] * total if abs(total) > cut * sizes[j, 0] else 0.0
            series[j] = total
            depth += total
            rate += mu[j] * total
        if depth <= zero and rate < -noise:
            # On the boundary within rounding, where only the push can say whether it leaves.
            return 0.0, h
        # One that rests on its boundary, or returns to it, outside by a rounding, has not left.
        series[k] += zero - min(depth, 0.0)
        x = first_negative(series, mu, n, best, 1.0 / mu[0])
        if x < best:
            best, first = x, h
    return best, first


@lean_kernel
def _next_release(field, room, best, cut, noise):
    """First moment before ``best`` at which a boundary no longer holds: (x, boundary or -1, side it is left to)."""
    k, n_held = room.counts[GROWING], room.counts[HOLDING]
    n, which, way = 2 * k + 1, -1, 0
    for j in range(n):
        # The coefficients with which the held normals cancel the push, by back substitution.
        _apply(room.generator, room.outputs[j], room.push)
        for l in range(n_held - 1, -1, -1):
            total = -_dot(room.basis[l], room.push)
            for i in range(l + 1, n_held):
                total -= room.triangle[l, i] * room.shares[i, j]
            room.shares[l, j] = total / room.triangle[l, l]
    for m in range(n_held):
        h, stretch = room.held[m], 1.0 / room.triangle[m, m]
        if room.ignored[h]:
            continue
        for side in (INACTIVE, ACTIVE):
            value = 0.0
            for j in range(n):
                # Between δ·a < 0 and 0.
                part = -room.shares[m, j]
                if side == ACTIVE:
                    part = -part - _dot(field.jump[h], room.outputs[j])
                room.series[j] = part if abs(part) > cut * stretch * room.sizes[j, 1] else 0.0
                value += room.series[j]
            room.series[k] += noise * stretch
            x = 0.0
            if value + noise * stretch > 0.0:
                x = first_negative(room.series, room.mu, n, best, 1.0 / room.mu[0])
            if x < (best if side == INACTIVE else (1.0 - TIE) * best):
                best, which, way = x, h, side
    return best, which, way


@lean_kernel
def _next_zero(room, best):
    """First moment before ``best`` at which the w of a neuron that can move along one line only passes zero."""
    n = 2 * room.counts[GROWING] + 1
    for j in range(n):
        room.series[j] = _dot(room.modes[j], room.w)
    return first_negative(room.series, room.mu, n, best, 1.0 / room.mu[0])


# ---------------------------------------------------------------------------------------------------- decisions


@lean_kernel
def _note(log, room, time, h, kind):
    """Append a switch to the log, if there is room."""
    count = room.counts[SWITCHES]
    if count < log.shape[0]:
        log[count, 0], log[count, 1], log[count, 2] = time, h, kind
    room.counts[SWITCHES] += 1


@lean_kernel
def _settle(normals, room):
    """Put a neuron exactly on the boundaries that hold it."""
    room.counts[HOLDING] = span_held(normals, room.side, room.basis, room.triangle, room.held)
    for l in range(room.counts[HOLDING]):
        off = _dot(room.basis[l], room.w)
        for c in range(room.w.size):
            room.w[c] -= off * room.basis[l, c]


@lean_kernel
def _set_driver(room, noise):
    """The direction of a, or what it will be at once where it is zero; whether there is one."""
    for q in range(room.a.size):
        room.driver[q] = room.a[q]
    if _norm(room.driver) > 0.0:
        return True
    for q in range(room.a.size):
        room.driver[q] = 0.0
        for c in range(room.w.size):
            room.driver[q] += room.generator[c, q] * room.w[c]
    return _norm(room.driver) > noise * _norm(room.w)


@lean_kernel
def _decide(field, room, trigger, away, time, log):
    """Decide all boundaries that the neuron lies on; whether anything has changed."""
    p, a = room.w.size, room.driver
    near, slack, size = TOGETHER * _norm(room.w), field.noise * _norm(a), 0
    _apply(room.generator, a, room.push)
    for h in range(room.side.size):
        if room.side[h] != HELD and h != trigger and abs(_dot(field.normals[h], room.w)) > near:
            continue
        room.listed[size], room.jump[size] = h, _dot(field.jump[h], a)
        room.before[size], room.place[size] = room.side[h], room.side[h]
        room.slack[size] = slack if room.side[h] == HELD else 0.0
        if h == trigger and room.side[h] == HELD:
            room.place[size], room.slack[size] = away, 0.0
        if room.side[h] == ACTIVE:
            for c in range(p):
                room.push[c] -= room.jump[size] * field.normals[h, c]
        size += 1
    solve_box(
        room.push, field.normals, room.listed, size, room.jump, room.slack, room.place, room.share, room.velocity,
        room.basis, room.triangle, room.free, room.goal,
    )  # fmt: skip
    for i in range(size):
        room.side[room.listed[i]] = room.place[i]
    if is_dead(field.two_sided, room.side):
        # A dead neighbour pushes nothing: what is there is absorbed.
        for i in range(size):
            room.place[i] = INACTIVE
            room.side[room.listed[i]] = INACTIVE
    changed = False
    for i in range(size):
        h, was, now = room.listed[i], room.before[i], room.place[i]
        if was == now:
            continue
        changed = True
        way = (1.0 if now == ACTIVE else 0.0) - (1.0 if was == ACTIVE else 0.0)
        for c in range(p):
            for q in range(a.size):
                room.generator[c, q] += way * field.normals[h, c] * field.jump[h, q]
        kind = SLIDE if now == HELD else (RELEASE if was == HELD else (ON if now == ACTIVE else OFF))
        _note(log, room, time, h, kind)
    return changed


@lean_kernel
def _begin(field, room, log):
    """Fill Γ, and decide the boundaries that the neuron starts on."""
    p, o = room.generator.shape
    room.ignored[:] = False
    room.counts[:] = 0
    on = -1
    for c in range(p):
        for q in range(o):
            room.generator[c, q] = field.linear[c, q]
    for h in range(room.side.size):
        if room.side[h] == ACTIVE:
            for c in range(p):
                for q in range(o):
                    room.generator[c, q] += field.normals[h, c] * field.jump[h, q]
        elif room.side[h] == HELD:
            # As relu'(0) = 0 has it.
            room.side[h], on = INACTIVE, h
    if on >= 0 and _set_driver(room, field.noise):
        _decide(field, room, on, INACTIVE, 0.0, log)
    _settle(field.normals, room)


@lean_kernel
def _vanish(room, time, trigger, log):
    """Log by which boundaries a neuron comes to w = 0: those that held it, or the one that it came to."""
    before = room.counts[SWITCHES]
    for h in range(room.side.size):
        if room.side[h] == HELD:
            _note(log, room, time, h, RELEASE)
    if room.counts[SWITCHES] == before and trigger >= 0:
        _note(log, room, time, trigger, OFF)


# --------------------------------------------------------------------------------------------------------- walk


@lean_kernel
def _unit(vector, out):
    size = _norm(vector)
    for c in range(out.size):
        out[c] = vector[c] / size if size > 0.0 else 0.0


@lean_kernel
def _limit(room, direction, output):
    """Fate of a neuron that meets nothing any more, and where it tends to."""
    k = room.counts[GROWING]
    first, then = 2 * k, 2 * k
    for j in range(2 * k, -1, -1):
        first = j if room.sizes[j, 0] > 0.0 else first
        then = j if room.sizes[j, 1] > 0.0 else then
    _unit(room.modes[first], direction)
    _unit(room.outputs[then], output)
    return ALIGNED if first == then and first != k else REST


@lean_kernel
def _is_still(room):
    """Whether only what stays is left of a neuron."""
    total, k = 0.0, room.counts[GROWING]
    for j in range(2 * k + 1):
        total += room.sizes[j, 0] + room.sizes[j, 1] if j != k else 0.0
    return total == 0.0


@lean_kernel
def _arrive(room, target, sine, cosine, x, time, arrived):
    """When the neuron has come into the cone around the target, if at x it is in there."""
    k = room.counts[GROWING]
    then = last_entry(
        room.modes, room.mu, 2 * k + 1, target, sine, cosine, x, 1.0 / room.mu[0], room.along, room.across,
        room.length, room.push,
    )  # fmt: skip
    return time + then if then >= 0.0 else arrived


@lean_kernel
def _is_inside(w, target, sine, cosine):
    along, square = _dot(w, target), 0.0
    for c in range(w.size):
        square += (w[c] - along * target[c]) ** 2
    return along * sine >= math.sqrt(square) * cosine


@lean_kernel
def _walk(field, room, balanced, target, sine, cosine, log, direction, output):
    """Walk one neuron to its end; returns its fate, the time, and the time of arrival.

    That is NaN if it was within the angle before its last piece: then the end must be known, as ``target`` (p,), on
    another walk. It is empty on the first.
    """
    _begin(field, room, log)
    p, looks, time = room.w.size, target.size > 0, 0.0
    arrived = 0.0 if looks else np.nan
    for _ in range(MOST_PIECES * (room.side.size + 4)):
        size, weight = _norm(room.w), _norm(room.a)
        _unit(room.w, direction)
        _unit(room.a, output)
        if size == 0.0:
            return REST, time, arrived
        if is_dead(field.two_sided, room.side):
            return DEAD, time, arrived
        _split(room, field.noise)
        k = room.counts[GROWING]
        if k == 0 or _is_still(room):
            return REST, time, arrived
        noise, zero = field.noise * weight, OUTSIDE * max(size, weight)
        cut = TANGENT * p + field.noise / room.mu[0]
        x, trigger = _next_boundary(
            field.normals, room.side, room.ignored, room.modes, room.sizes, room.mu, room.series, k, zero, cut, noise,
        )  # fmt: skip
        away, vanishes = INACTIVE, False
        if not balanced and room.counts[HOLDING] + 1 == p:
            # Where w passes zero it comes to all boundaries.
            then = _next_zero(room, x)
            vanishes = then < x
            x = min(then, x)
        if room.counts[HOLDING] > 0 and x > 0.0:
            then, which, way = _next_release(field, room, x, cut, noise)
            if which >= 0:
                x, trigger, away, vanishes = then, which, way, False
        if x == np.inf:
            fate = _limit(room, direction, output)
            arrived = _arrive(room, direction, sine, cosine, x, time, arrived)
            return fate, (np.inf if fate == REST else time), arrived
        if x > 0.0:
            _move(room, x, balanced)
            if looks and _is_inside(room.w, target, sine, cosine):
                arrived = _arrive(room, target, sine, cosine, x, time, arrived)
            time += x
        if vanishes or _norm(room.w) <= VANISHES:
            # With relu'(0) = 0 it stays there.
            _vanish(room, time, trigger, log)
            direction[:] = 0.0
            _unit(room.a, output)
            return REST, time, arrived
        if _set_driver(room, field.noise) and _decide(field, room, trigger, away, time, log):
            room.ignored[:] = False
        else:
            room.ignored[trigger] = True
        _settle(field.normals, room)
    return UNSETTLED, np.nan, np.nan


@kernel
def walk_modes(field, starts, tangent, ends, log, first):
    """Walk all neurons in the frozen field.

    Parameters
    ----------
    field : Field
        As in `alignment_walk`, with ``jump`` (H, o) and ``linear`` (p, o).
    starts : Starts
        As there, with ``a`` (m, o); ``sign`` is not 0 for balanced neurons. Weights of order 1: squares must not
        underflow.
    tangent : float
        Of the angle within which a neuron counts as aligned.
    ends : Ends
        Filled.
    log, first : (≥ 0, 3) float64, (m + 1,) int64
        Filled with rows of time, boundary and kind of all switches, those of neuron j from ``first[j]`` on, as far as
        there is room until ``first[j + 1]``.
    """
    (H, p), o = field.normals.shape, field.linear.shape[1]
    room, nothing, target = _make_room(H, p, o), np.zeros(0), np.zeros(p)
    cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
    sine = tangent * cosine
    for j in range(starts.a.shape[0]):
        direction, output, balanced = ends.direction[j], ends.output[j], starts.sign[j] != 0
        room.w[:], room.a[:], room.side[:] = starts.w[j], starts.a[j], starts.side[j]
        fate, time, arrival = _walk(
            field, room, balanced, nothing, sine, cosine, log[first[j] : first[j + 1]], direction, output
        )
        ends.fate[j], ends.time[j], ends.switches[j] = fate, time, room.counts[SWITCHES]
        if math.isnan(arrival) and fate != DEAD and fate != UNSETTLED and _dot(direction, direction) > 0.0:
            target[:] = direction
            room.w[:], room.a[:], room.side[:] = starts.w[j], starts.a[j], starts.side[j]
            arrival = _walk(field, room, balanced, target, sine, cosine, log[:0], direction, output)[2]
            direction[:] = target
        ends.arrival[j] = arrival
