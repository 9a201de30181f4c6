r"""One neuron in a given field, carried exactly through all its switches.

The field of a step is the residual as a polynomial in τ ∈ [0, 1]. In a fixed pattern the neuron obeys the linear ODE
``dw/dτ = Γ a``, ``da/dτ = Γᵀ w`` with the polynomial generator ``Γ(τ) = Σ_active r x̃ᵀ`` (p, o), so that it is a Taylor
series. A neuron that boundaries hold moves with Γ projected onto what is orthogonal to their normals.

Boundaries are hyperplanes with unit normals ν_h, one for all samples whose inputs are parallel. From the inactive (-1)
to the active (+1) side of boundary h the generator changes by ``ν_h δ_hᵀ`` (`Field.jump`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.kernels.box_lcp import ACTIVE, EPS, HELD, INACTIVE, NOISE, add_to_basis, solve_box
from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.polynomials import sign_changes
from reluquant.kernels.status import CHUNK_DONE, EVENTS_FULL, TOO_MANY_SWITCHES

ON, OFF, SLIDE, RELEASE = range(4)
# Which weights of a neuron pass zero.
NOTHING, INPUT, OUTPUT = range(3)

# A neuron counts as outside its pattern only beyond the rounding of w·ν.
OUTSIDE = 16 * EPS
# An exit is located to some roundings of the neuron's size in the step: a w below them has no direction.
VANISHES = 64 * OUTSIDE
# Boundaries within this distance are met together: collinear inputs on a grid are.
TOGETHER = 64 * EPS
# One series spans at most this many e-foldings, so that its terms fall quickly.
MOST_GROWTH = 2.0
# A velocity that starts to change at a rate counts like a jump of it by what it has changed after this share of a step:
# a polynomial follows the kink up to half of that triangle's area (see `flow_general.BEND`).
LAG = 0.05
# Squares of neurons below 2^-500 underflow, and are far below the rounding of any residual.
LIGHTEST = -500
# False position ends after some ten steps; halving alone would take 53.
MOST_SECANTS = 100
# Releases within this share of a step happen in the same field.
AT_ONCE = 1e-9
# A piece of free flight ends this many times as far as the next boundary seems to be: usually beyond it.
AHEAD = 1.5
# But it is no shorter than this share of what is left, lest a boundary that only seems near takes a step of its own.
SHORTEST_PIECE = 0.02
# Terms of a piece of free flight are negligible below this share of the tolerance, times its length: a step has many.
PIECE_SHARE = 0.1
# w·ν of all boundaries is followed by what the few columns of Γ add to it where neurons have at least so many times
# more weights, and by projecting w elsewhere.
MANY_WEIGHTS = 3
# Unless products of so many boundaries with each other would fill the memory.
MOST_PRODUCTS = 4096
# A piece of a few e-foldings converges after one or two halvings, if at all.
MOST_HALVINGS = 20
_NEVER = np.inf


class Problem(NamedTuple):
    """The data as the integrator wants them.

    Arrays
    ------
    normals (H, p): unit normals of the boundaries. two_sided (H,): whether samples point to both sides.
    plane (n,): boundary of a sample, -1 for a zero input. stretch (n,): signed length of its input along the normal.
    labels (n, o).
    """

    normals: np.ndarray
    two_sided: np.ndarray
    plane: np.ndarray
    stretch: np.ndarray
    labels: np.ndarray


class Neurons(NamedTuple):
    """The state: neuron j is ``2^exponent[j] · z[:, j]``.

    Arrays
    ------
    z (p + o, m): w, then a. exponent (m,). sign (m,): 0 if unbalanced, else ±1 (of a, with one output).
    side (m, H) int8: of each boundary, 0 where held.
    key (m,) uint64: of the pattern. clear (m,): lower bound of the distance of w/|w| from all boundaries but held ones.
    """

    z: np.ndarray
    exponent: np.ndarray
    sign: np.ndarray
    side: np.ndarray
    key: np.ndarray
    clear: np.ndarray


class Moved(NamedTuple):
    """Where the neurons are at the end of a step that is not accepted yet.

    Arrays
    ------
    As in `Neurons`; ``side`` only where ``switches`` (m,), their number in the step, is positive.
    """

    z: np.ndarray
    side: np.ndarray
    clear: np.ndarray
    switches: np.ndarray


class Field(NamedTuple):
    """The field of one step, times its length.

    Arrays
    ------
    jump (s, H, o): coefficients in τ of the change of the generator along ν_h from the inactive to the active side.
    base (s, p, o): generator of a pattern that is inactive everywhere.
    noise (2,): what rounding and the tolerance alone make of Γ; the tolerance of a series. nodes (s,): where in τ
    outputs are wanted. missed_jump (s, H, o), missed_base (s, p, o): what the field lacks at these nodes, where that is
    known: only releases listen to it.
    """

    jump: np.ndarray
    base: np.ndarray
    noise: np.ndarray
    nodes: np.ndarray
    missed_jump: np.ndarray
    missed_base: np.ndarray


class Room(NamedTuple):
    """Working arrays for one neuron; N is the order of the series.

    side (H,): of each boundary, 0 where held; ignored (H,): boundaries whose event was found to be none.
    generator (s, p, o): Γ of the pattern in τ; first: at the start; local (s, p, o): Γ on [0, 1] of the piece in
    progress, projected. raw (s, p, o): local before the projection. w (N+1, p), a (N+1, o): series; hull (N+1, p):
    Bernstein form of w, up to the first event once that is known. counts (2,): length of the log, terms of w that are
    not negligible.
    columns (p, H): the normals transposed; depth, later, rate (H,): w·ν of all boundaries, at the end of a piece, and
    its rate of change. products (H, H): of the normals, or (0, 0) where they do not pay; then driven_depth (s·o, H) is
    ν·Γ, column by column, and along (s·o,) how far w has moved along these columns.
    """

    side: np.ndarray
    ignored: np.ndarray
    generator: np.ndarray
    first: np.ndarray
    local: np.ndarray
    raw: np.ndarray
    w: np.ndarray
    a: np.ndarray
    hull: np.ndarray
    series: np.ndarray
    roots: np.ndarray
    isolation: np.ndarray
    push: np.ndarray
    basis: np.ndarray
    triangle: np.ndarray
    held: np.ndarray
    listed: np.ndarray
    place: np.ndarray
    before: np.ndarray
    jump: np.ndarray
    slack: np.ndarray
    share: np.ndarray
    velocity: np.ndarray
    driven: np.ndarray
    free: np.ndarray
    goal: np.ndarray
    now: np.ndarray
    log: np.ndarray
    counts: np.ndarray
    columns: np.ndarray
    depth: np.ndarray
    later: np.ndarray
    rate: np.ndarray
    products: np.ndarray
    driven_depth: np.ndarray
    along: np.ndarray


@kernel
def make_room(H, p, o, s, order, deepest):
    """Allocate the working arrays."""
    shared = H if p >= MANY_WEIGHTS * s * o and H <= MOST_PRODUCTS else 0
    return Room(
        np.zeros(H, np.int8),
        np.zeros(H, np.bool_),
        np.zeros((s, p, o)),
        np.zeros((s, p, o)),
        np.zeros((s, p, o)),
        np.zeros((s, p, o)),
        np.zeros((order + 1, p)),
        np.zeros((order + 1, o)),
        np.zeros((order + 1, p)),
        np.zeros(order + 1),
        np.zeros(order + 1),
        np.zeros((deepest + 2, order + 1)),
        np.zeros((order + 1, p)),
        np.zeros((p, p)),
        np.zeros((p, p)),
        np.zeros(p, np.int64),
        np.zeros(H, np.int64),
        np.zeros(H, np.int64),
        np.zeros(H, np.int64),
        np.zeros(H),
        np.zeros(H),
        np.zeros(H),
        np.zeros(p),
        np.zeros(p),
        np.zeros(p, np.int64),
        np.zeros(p),
        np.zeros(p + o),
        # Every boundary can be passed and hold the neuron a few times before something must be wrong.
        np.zeros((64 + 8 * H, 4)),
        np.zeros(2, np.int64),
        np.zeros((p, H)),
        np.zeros(H),
        np.zeros(H),
        np.zeros(H),
        np.zeros((shared, shared)),
        np.zeros((s * o, shared)),
        np.zeros(s * o),
    )


# ------------------------------------------------------------------------------------- the motion of one piece


@lean_kernel
def span_held(normals, side, basis, triangle, held):
    """Orthonormal basis of the normals of the boundaries that hold; their number. ``held`` lists them."""
    # A literal 0 would compile the callee a second time.
    size = np.int64(0)
    for h in range(side.size):
        if side[h] == HELD and add_to_basis(normals[h], basis, triangle, size):
            held[size] = h
            size += 1
    return size


@lean_kernel
def project(matrix, basis, size):
    """Take from every coefficient (p, o) of a polynomial the part along the basis."""
    for l in range(matrix.shape[0]):
        for q in range(matrix.shape[2]):
            for m in range(size):
                along = 0.0
                for c in range(matrix.shape[1]):
                    along += basis[m, c] * matrix[l, c, q]
                for c in range(matrix.shape[1]):
                    matrix[l, c, q] -= along * basis[m, c]


@lean_kernel
def _shift(generator, start, raw):
    """Write the Taylor coefficients of Γ at ``start``."""
    s, p, o = raw.shape
    for l in range(s):
        for c in range(p):
            for q in range(o):
                raw[l, c, q] = generator[l, c, q]
    for k in range(s - 1):
        for l in range(s - 2, k - 1, -1):
            for c in range(p):
                for q in range(o):
                    raw[l, c, q] += start * raw[l + 1, c, q]


@lean_kernel
def _strength(raw, length):
    """Bound of the e-foldings over a length."""
    total, power = 0.0, length
    for l in range(raw.shape[0]):
        square = 0.0
        for c in range(raw.shape[1]):
            for q in range(raw.shape[2]):
                square += raw[l, c, q] * raw[l, c, q]
        total += math.sqrt(square) * power
        power *= length
    return total


@lean_kernel
def _scale(raw, length):
    """Coefficients of length · Γ(length x)."""
    factor = length
    for l in range(raw.shape[0]):
        for c in range(raw.shape[1]):
            for q in range(raw.shape[2]):
                raw[l, c, q] *= factor
        factor *= length


@lean_kernel
def _localise(generator, start, basis, n_held, raw, local):
    """Move the origin of the polynomial Γ to ``start`` and shorten the piece until its series converges quickly.

    ``raw`` gets the coefficients of length · Γ(start + length x), ``local`` the same projected: what a neuron moves
    with may be far less than what presses it against the boundaries that hold it. Returns the length.
    """
    _shift(generator, start, raw)
    copy_series(raw, local)
    project(local, basis, n_held)
    length = 1.0 - start
    total = _strength(local, length)
    if total > MOST_GROWTH:
        length *= MOST_GROWTH / total
    _scale(raw, length)
    _scale(local, length)
    return length


@lean_kernel
def _expand(local, w, a):
    """Fill the Taylor series of w and a from their first terms."""
    s, p, o = local.shape
    for i in range(w.shape[0] - 1):
        share = 1.0 / (i + 1)
        w[i + 1] = 0.0
        a[i + 1] = 0.0
        for l in range(min(i + 1, s)):
            for c in range(p):
                for q in range(o):
                    w[i + 1, c] += share * local[l, c, q] * a[i - l, q]
                    a[i + 1, q] += share * local[l, c, q] * w[i - l, c]


@lean_kernel
def _to_hull(w, hi, hull):
    """Bernstein form on [0, hi]: the curve stays in the convex hull of its rows."""
    size = w.shape[0]
    factor = 1.0
    for i in range(size):
        for c in range(w.shape[1]):
            hull[i, c] = w[i, c] * factor
        factor *= hi * (i + 1.0) / (size - 1 - i)
    for k in range(1, size):
        for j in range(size - 1, k - 1, -1):
            for c in range(w.shape[1]):
                hull[j, c] += hull[j - 1, c]


@lean_kernel
def _evaluate(series, x, out):
    for c in range(series.shape[1]):
        total = 0.0
        for i in range(series.shape[0] - 1, -1, -1):
            total = total * x + series[i, c]
        out[c] = total


@lean_kernel
def conserve(w, a, gap, sign):
    """Restore |w|² - |a|² = gap, which truncation has changed a little; ``sign`` is not 0 for a balanced neuron."""
    w_square, a_square = 0.0, 0.0
    for value in w:
        w_square += value * value
    for value in a:
        a_square += value * value
    if sign != 0:
        if a.size == 1:
            a[0] = sign * math.sqrt(w_square)
        elif a_square > 0.0:
            a *= math.sqrt(w_square / a_square)
        return
    if w_square == 0.0 or a_square == 0.0:
        return
    # w → c w, a → a/c leaves the neuron's output alone.
    root = math.sqrt(gap * gap + 4.0 * w_square * a_square)
    c = math.sqrt((gap + root) / (2.0 * w_square) if gap > 0.0 else 2.0 * a_square / (root - gap))
    w *= c
    a /= c


@lean_kernel
def gap_of(w, a):
    """``|w|² - |a|²``."""
    w_square, a_square = 0.0, 0.0
    for value in w:
        w_square += value * value
    for value in a:
        a_square += value * value
    w_norm, a_norm = math.sqrt(w_square), math.sqrt(a_square)
    return (w_norm - a_norm) * (w_norm + a_norm)


@lean_kernel
def _norm(row):
    square = 0.0
    for value in row:
        square += value * value
    return math.sqrt(square)


@lean_kernel
def frobenius(matrix):
    """Root of the sum of squares of a matrix."""
    square = 0.0
    for row in matrix:
        for value in row:
            square += value * value
    return math.sqrt(square)


@lean_kernel
def copy_series(source, target):
    """Copy coefficients (s, p, o)."""
    # For an assignment of arrays, of any shape, numba compiles four seconds of error messages.
    for i in range(source.shape[0]):
        for c in range(source.shape[1]):
            for q in range(source.shape[2]):
                target[i, c, q] = source[i, c, q]


@lean_kernel
def fill_generator(problem, field, room):
    """Write the generator of the pattern ``room.side`` into ``room.generator``."""
    copy_series(field.base, room.generator)
    for h in range(room.side.size):
        if room.side[h] != ACTIVE:
            continue
        for l in range(field.jump.shape[0]):
            for c in range(problem.normals.shape[1]):
                for q in range(field.jump.shape[2]):
                    room.generator[l, c, q] += field.jump[l, h, q] * problem.normals[h, c]


@lean_kernel
def _along(first, second):
    total = 0.0
    for c in range(first.size):
        total += first[c] * second[c]
    return total


# ------------------------------------------------------------------------------------------------ first event


@lean_kernel
def _turning(hull):
    """Bound of how far w turns away from its start: tan of the angle, infinite if it may vanish."""
    start, worst = _along(hull[0], hull[0]), 0.0
    for i in range(1, hull.shape[0]):
        part = _along(hull[i], hull[0])
        if part <= 0.0:
            return np.inf
        across = 0.0
        for c in range(hull.shape[1]):
            off = hull[i, c] - part / start * hull[0, c]
            across += off * off
        worst = max(worst, across * start / (part * part))
    return math.sqrt(worst)


@lean_kernel
def _first_root(room, hi):
    """First sign change of ``room.series`` in (0, hi), or inf."""
    sign_changes(room.series, hi, room.isolation, room.roots)
    return room.roots[0]


@lean_kernel
def _last_of(roots):
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
def _first_exit(normals, room, noise, zero):
    """First moment x ∈ [0, 1] at which the neuron leaves the side of a boundary: (x, boundary)."""
    first, which = _NEVER, -1
    size = room.counts[1]
    reach = _turning(room.hull[:size]) * _norm(room.hull[0]) + zero
    for h in range(normals.shape[0]):
        side = room.side[h]
        if side == HELD or room.ignored[h]:
            continue
        depth = side * _along(normals[h], room.hull[0])
        if depth > reach:
            continue
        if depth <= zero and _norm(room.a[0]) > zero and side * _along(normals[h], room.w[1]) < -noise:
            # On the boundary within rounding, where only the push can say whether it leaves.
            return 0.0, h
        # One that rests on its boundary, or returns to it, outside by a rounding, has not left.
        outside = min(depth, 0.0) - zero
        # Sign changes in the Bernstein form: none means no root, one a single root (Descartes).
        changes, inside = 0, True
        for i in range(1, size):
            value = side * _along(normals[h], room.hull[i]) - outside
            if value != 0.0 and (value > 0.0) != inside:
                changes, inside = changes + 1, not inside
        if changes == 0:
            continue
        for i in range(room.series.size):
            room.series[i] = side * _along(normals[h], room.w[i]) if i < size else 0.0
        room.series[0] -= outside
        if changes == 1:
            x = _falling_root(room.series, size, min(first, 1.0), 0.25 * zero)
        else:
            x = _first_root(room, min(first, 1.0))
        if x < first:
            first, which = x, h
            # Of the others only what happens before matters.
            _to_hull(room.w[:size], x, room.hull)
            reach = _turning(room.hull[:size]) * _norm(room.hull[0]) + zero
    return first, which


@lean_kernel
def _multiplier(room, n_held, m, push):
    """Coefficient with which the m-th held boundary holds against a push (p,)."""
    # Back substitution from the last held boundary to the m-th.
    for l in range(n_held - 1, m - 1, -1):
        total = -_along(room.basis[l], push)
        for j in range(l + 1, n_held):
            total -= room.triangle[l, j] * room.goal[j]
        room.goal[l] = total / room.triangle[l, l]
    return room.goal[m]


@lean_kernel
def _fill_push(raw, a, sign, push):
    """Series of Γ a; for one output of Γ times the sign of a, which alone matters there."""
    s, p, o = raw.shape
    push[:] = 0.0
    for i in range(push.shape[0]):
        for l in range(min(i + 1, s)):
            if o == 1:
                if l == i:
                    for c in range(p):
                        push[i, c] = sign * raw[l, c, 0]
            else:
                for c in range(p):
                    for q in range(o):
                        push[i, c] += raw[l, c, q] * a[i - l, q]


@lean_kernel
def _jump_series(jump, h, start, length, a, sign, out):
    """Series of ``δ_h · a`` on a piece; for one output of δ_h times the sign of a."""
    s, o = jump.shape[0], jump.shape[2]
    out[:] = 0.0
    factor = length
    for l in range(s):
        for q in range(o):
            # The l-th Taylor coefficient at `start`.
            moved, choose, power = 0.0, 1.0, 1.0
            for i in range(l, s):
                moved += choose * power * jump[i, h, q]
                choose *= (i + 1.0) / (i + 1.0 - l)
                power *= start
            if o == 1:
                out[l] += sign * factor * moved
            else:
                for i in range(l, out.size):
                    out[i] += factor * moved * a[i - l, q]
        factor *= length


@lean_kernel
def _excess(jump, room, n_held, m, way, start, length, sign):
    """Write into ``room.series`` by how much the m-th held boundary fails to hold a neuron from the side ``way``."""
    for i in range(room.series.size):
        room.series[i] = _multiplier(room, n_held, m, room.push[i])
    if way == ACTIVE:
        _jump_series(jump, room.held[m], start, length, room.a, sign, room.roots)
        for i in range(room.series.size):
            room.series[i] = room.roots[i] - room.series[i]


@lean_kernel
def first_release(jump, room, n_held, start, length, sign, noise, hi):
    """First moment x ∈ [0, hi] at which a boundary no longer holds: (x, index among the held ones, side it leaves to).

    The boundaries hold with coefficients c_i between 0 and δ_i · a; noise beyond these bounds decides nothing: a
    cluster that has converged on its sample is pushed by nothing else, and would be released over and over.
    """
    first, which, way = _NEVER, -1, 0
    _fill_push(room.raw, room.a, sign, room.push)
    for m in range(n_held):
        slack = noise / room.triangle[m, m]
        if room.ignored[room.held[m]]:
            continue
        for side in (INACTIVE, ACTIVE):
            _excess(jump, room, n_held, m, side, start, length, sign)
            room.series[0] -= slack
            x = 0.0 if room.series[0] > 0.0 else _first_root(room, min(first, hi))
            if 0.0 < x < first:
                # It is beyond noise there; it was released where it last passed the bound itself.
                room.series[0] += slack
                sign_changes(room.series, x, room.isolation, room.roots)
                x = _last_of(room.roots)
            if x < first:
                first, which, way = x, m, side
    return first, which, way


@lean_kernel
def _true_release(problem, field, room, n_held, trigger, way, start, length, x):
    """When (τ) a boundary lets go by the true residual, if by the field it does so at x: one step of Newton's method.

    What the neuron moves by is continuous there, so that nothing else changes.
    """
    p, tau = room.w.shape[1], start + length * x
    node = _nearest(field.nodes, tau)
    if abs(field.nodes[node] - tau) > AT_ONCE:
        return tau
    m, sign = 0, 1.0 if room.a[0, 0] > 0.0 else -1.0
    while room.held[m] != trigger:
        m += 1
    _excess(field.jump, room, n_held, m, way, start, length, sign)
    # It is zero at x, but where the field starts a step by having let go already.
    slope, value = 0.0, 0.0
    for i in range(room.series.size - 1, -1, -1):
        slope = slope * x + value
        value = value * x + room.series[i]
    # With one output the size of a does not matter (`_fill_push`).
    a, push = room.now[p:], room.driven
    if a.size == 1:
        a[0] = sign
    else:
        _evaluate(room.a, x, a)
    for c in range(p):
        push[c] = _along(field.missed_base[node, c], a)
    for h in range(room.side.size):
        if room.side[h] == ACTIVE:
            here = _along(field.missed_jump[node, h], a)
            for c in range(p):
                push[c] += here * problem.normals[h, c]
    missed = _multiplier(room, n_held, m, push)
    if way == ACTIVE:
        missed = _along(field.missed_jump[node, trigger], a) - missed
    # The series are those of length · Γ.
    return min(1.0, max(start, tau - length * (value + length * missed) / slope)) if slope > 0.0 else tau


@lean_kernel
def _nearest(values, wanted):
    best = 0
    for i in range(values.size):
        if abs(values[i] - wanted) < abs(values[best] - wanted):
            best = i
    return best


# ---------------------------------------------------------------------------------------------------- decisions


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
    for h in range(room.side.size):
        if room.side[h] != HELD and h != trigger and abs(_along(problem.normals[h], w)) > zero:
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
def _note(room, tau, h, kind, weight):
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
            _note(room, tau, room.listed[i], kind, change)
            change = 0.0


@lean_kernel
def _decide(problem, field, room, tau, when, trigger, away, zero, noise):
    """Decide all boundaries that a neuron (``room.now``) lies on; whether anything changed, logged for ``when``."""
    p = problem.normals.shape[1]
    w, a = room.now[:p], room.now[p:]
    size = _list_met(problem, field, room, w, a, tau, trigger, away, zero, noise)
    before = room.velocity
    for c in range(p):
        before[c] = room.driven[c]
    for i in range(size):
        if room.before[i] == ACTIVE:
            for c in range(p):
                before[c] += room.jump[i] * problem.normals[room.listed[i], c]
    n_held = span_held(problem.normals, room.side, room.basis, room.triangle, room.held)
    for m in range(n_held):
        along = _along(room.basis[m], before)
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
            crossing = max(crossing, abs(_along(normal, speed)), abs(_along(normal, before)))
    # What the switch changes in the rate of any output: by the velocity, and by a sample that starts or ends. Where a
    # boundary lets go neither jumps, but their rates do.
    lag = LAG * _release_rate(problem, room, w, a, tau, size)
    _write(room, size, when, _norm(a) * (math.sqrt(square) + crossing + lag))
    return True


@lean_kernel
def _release_rate(problem, room, w, a, tau, size):
    """Rate at which the velocity starts to grow across boundaries that let go: of Γ a along their normals."""
    s, p, o = room.generator.shape
    fastest = 0.0
    for i in range(size):
        if room.before[i] != HELD or room.place[i] == HELD:
            continue
        normal, rate = problem.normals[room.listed[i]], 0.0
        for q in range(o):
            along, along_rate, turning = 0.0, 0.0, 0.0
            for c in range(p):
                value, slope = 0.0, 0.0
                for l in range(s - 1, -1, -1):
                    slope = slope * tau + value
                    value = value * tau + room.generator[l, c, q]
                along += normal[c] * value
                along_rate += normal[c] * slope
                turning += value * w[c]
            rate += along_rate * a[q] + along * turning
        fastest = max(fastest, abs(rate))
    return fastest


@lean_kernel
def _settle(normals, room):
    """Put a neuron exactly on the boundaries that hold it."""
    p = normals.shape[1]
    size = span_held(normals, room.side, room.basis, room.triangle, room.held)
    for m in range(size):
        along = _along(room.basis[m], room.now[:p])
        for c in range(p):
            room.now[c] -= along * room.basis[m, c]
    return size


@lean_kernel
def _count_outputs(problem, room, nodes, start, length, end, factor, plus, total):
    """Add the neuron's share of all outputs at the nodes in (start, end].

    ``plus`` (s, H, o): Σ a (w·ν_h) over neurons on the active side. ``total`` (s, p, o): Σ w aᵀ.
    """
    p = problem.normals.shape[1]
    for i in range(nodes.size):
        if nodes[i] <= start or nodes[i] > end:
            continue
        x = (nodes[i] - start) / length
        _evaluate(room.w, x, room.now[:p])
        _evaluate(room.a, x, room.now[p:])
        for c in range(p):
            for q in range(room.now.size - p):
                total[i, c, q] += factor * room.now[c] * room.now[p + q]
        for h in range(room.side.size):
            if room.side[h] == ACTIVE:
                depth = factor * _along(problem.normals[h], room.now[:p])
                for q in range(room.now.size - p):
                    plus[i, h, q] += depth * room.now[p + q]


@lean_kernel
def _first_flip(room, sign, n_held):
    """First moment at which the output weight of an unbalanced neuron that is held changes sign."""
    if sign != 0 or n_held == 0 or room.a.shape[1] > 1:
        return _NEVER
    for i in range(room.series.size):
        room.series[i] = room.a[i, 0]
    return _first_root(room, 1.0)


@lean_kernel
def _first_zero(room, sign, n_held):
    """First moment at which the w of an unbalanced neuron that can move along one line only passes zero."""
    if sign != 0 or n_held + 1 < room.w.shape[1]:
        return _NEVER
    for i in range(room.series.size):
        room.series[i] = _along(room.w[i], room.hull[0])
    return _first_root(room, 1.0)


@lean_kernel
def _speed(series, x):
    """Norm of the derivative of a curve at x."""
    square = 0.0
    for c in range(series.shape[1]):
        slope = 0.0
        for i in range(series.shape[0] - 1, 0, -1):
            slope = slope * x + i * series[i, c]
        square += slope * slope
    return math.sqrt(square)


@lean_kernel
def _vanish(room, tau, trigger, speed):
    """Leave a neuron at w = 0, and log by which boundary: those that held it, or the one that it came to."""
    # All of its velocity ends, and with it what that does to outputs.
    before, weight = room.counts[0], 2.0 * _norm(room.now[room.w.shape[1] :]) * speed
    for h in range(room.side.size):
        if room.side[h] == HELD and room.counts[0] < room.log.shape[0]:
            _note(room, tau, h, RELEASE, weight)
            weight = 0.0
        room.side[h] = INACTIVE
    if room.counts[0] == before:
        _note(room, tau, trigger, OFF, weight)
    room.now[: room.w.shape[1]] = 0.0


@lean_kernel
def _let_go(room, n_held, tau):
    """Release all boundaries to their inactive sides."""
    for m in range(n_held):
        room.side[room.held[m]] = INACTIVE
        if room.counts[0] < room.log.shape[0]:
            _note(room, tau, room.held[m], RELEASE, 0.0)


@lean_kernel
def _significant(w, negligible):
    """Number of leading terms, at least 3, of which all others are negligible."""
    for i in range(w.shape[0] - 1, 2, -1):
        if _norm(w[i]) > negligible:
            return i + 1
    return 3


@lean_kernel
def _shorten(room, tolerance):
    """Shorten a piece until the last terms of its series are negligible; returns the part of it that is left."""
    s, size = room.raw.shape[0], room.w.shape[0]
    tail = 0.0
    for i in range(size - s, size):
        tail = max(tail, _norm(room.w[i]) + _norm(room.a[i]))
    allowed = tolerance * (_norm(room.w[0]) + _norm(room.a[0]))
    room.counts[1] = _significant(room.w, 0.01 * allowed)
    if tail <= allowed:
        return 1.0
    part = (allowed / tail) ** (1.0 / (size - s))
    factor = 1.0
    for i in range(size):
        for c in range(room.w.shape[1]):
            room.w[i, c] *= factor
        for q in range(room.a.shape[1]):
            room.a[i, q] *= factor
        factor *= part
        if i < s:
            for c in range(room.raw.shape[1]):
                for q in range(room.raw.shape[2]):
                    room.raw[i, c, q] *= factor
    return part


@lean_kernel
def _prepare_piece(problem, room, start, tolerance):
    """Series of the neuron from ``start`` on, as far as they converge quickly: (number of held boundaries, length)."""
    p = problem.normals.shape[1]
    n_held = _settle(problem.normals, room)
    length = _localise(room.generator, start, room.basis, n_held, room.raw, room.local)
    for c in range(p):
        room.w[0, c] = room.now[c]
    for q in range(room.a.shape[1]):
        room.a[0, q] = room.now[p + q]
    _expand(room.local, room.w, room.a)
    length *= _shorten(room, tolerance)
    _to_hull(room.w[: room.counts[1]], 1.0, room.hull)
    return n_held, length


@lean_kernel
def _first_event(problem, field, room, sign, n_held, start, length, size):
    """First event of a piece: (x, boundary, side it is released to, what passes zero)."""
    noise, weight = field.noise[0] * length, _norm(room.a[0])
    then, trigger = _first_exit(problem.normals, room, noise * weight, OUTSIDE * size)
    away, zero = INACTIVE, NOTHING
    rest = _first_zero(room, sign, n_held)
    if rest <= then and rest < _NEVER:
        # Where w passes zero it comes to all boundaries.
        then, zero, trigger = rest, INPUT, max(trigger, 0)
    if n_held > 0:
        flip = _first_flip(room, sign, n_held)
        if flip < then:
            then, trigger, zero = flip, room.held[0], OUTPUT
        direction, loud = (1.0 if room.a[0, 0] > 0.0 else -1.0), noise * (1.0 if room.a.shape[1] == 1 else weight)
        x, m, way = first_release(field.jump, room, n_held, start, length, direction, loud, min(then, 1.0))
        if x < then:
            then, trigger, away, zero = x, room.held[m], way, NOTHING
    return then, trigger, away, zero


# ----------------------------------------------------------------------------------------------- free flight


@lean_kernel
def _expand_until(raw, w, a, allowed):
    """Fill the Taylor series of w and a up to where as many terms as Γ has are negligible; number of the others, or 0.

    From there on all terms are: each is a mean of so many before it, times less than one.
    """
    s, p, o = raw.shape
    quiet = 0
    for i in range(w.shape[0] - 1):
        share, largest, terms = 1.0 / (i + 1), 0.0, min(i + 1, s)
        for c in range(p):
            total = 0.0
            for l in range(terms):
                for q in range(o):
                    total += raw[l, c, q] * a[i - l, q]
            w[i + 1, c] = share * total
            largest += abs(w[i + 1, c])
        for q in range(o):
            total = 0.0
            for c in range(p):
                # Summed apart from the rest, so that no sum waits for another.
                part = 0.0
                for l in range(terms):
                    part += raw[l, c, q] * w[i - l, c]
                total += part
            a[i + 1, q] = share * total
            largest += abs(a[i + 1, q])
        quiet = quiet + 1 if largest <= allowed else 0
        if quiet == s:
            return max(i + 2 - s, 2)
    return 0


@lean_kernel
def bow(w, size):
    """Bound of the distance of w(x) from the chord between its ends on [0, 1], at the same share of the way."""
    total = 0.0
    for i in range(2, size):
        # x - x² is at most a quarter, other x - xⁱ at most one.
        total += (0.25 if i == 2 else 1.0) * _norm(w[i])
    return total


@lean_kernel
def project_all(columns, w, out):
    """w·ν of all boundaries."""
    for h in range(out.size):
        out[h] = columns[0, h] * w[0]
    for c in range(1, w.size):
        for h in range(out.size):
            out[h] += columns[c, h] * w[c]


@lean_kernel
def _drive_depths(columns, generator, driven_depth):
    """Fill ν·Γ for all columns of all coefficients of Γ."""
    s, _, o = generator.shape
    for l in range(s):
        for q in range(o):
            project_all(columns, generator[l, :, q], driven_depth[l * o + q])


@lean_kernel
def _depths_at(columns, driven_depth, a, size, start, length, x, along, w, depth, out):
    """w·ν of all boundaries at x of a piece, from their values ``depth`` at its start, or by projecting w(x).

    ``along`` gets how far w moves along each column of each coefficient of Γ(τ): the series of w, term by term.
    """
    if driven_depth.shape[1] == 0:
        project_all(columns, w, out)
        return
    o = a.shape[1]
    s = along.size // o
    along[:] = 0.0
    for q in range(o):
        factor = length
        for l in range(s):
            # ∫ a ξ^l dξ, with the terms that the series of w has.
            total = 0.0
            for j in range(size - 1, 0, -1):
                total = total * x + (a[j - 1 - l, q] / j if j > l else 0.0)
            # Γ's coefficient l at `start` is made of all from the l-th on.
            choose = factor * total * x
            for i in range(l, s):
                along[i * o + q] += choose
                choose *= start * (i + 1.0) / (i + 1.0 - l)
            factor *= length
    for h in range(out.size):
        out[h] = depth[h] + along[0] * driven_depth[0, h]
    for i in range(1, along.size):
        for h in range(out.size):
            out[h] += along[i] * driven_depth[i, h]


@lean_kernel
def _rates_at(columns, driven_depth, velocity, a, start, along, out):
    """Rates of change of w·ν of all boundaries."""
    if driven_depth.shape[1] == 0:
        project_all(columns, velocity, out)
        return
    o, power = a.size, 1.0
    for i in range(along.size):
        along[i] = power * a[i % o]
        power *= start if i % o == o - 1 else 1.0
    out[:] = 0.0
    for i in range(along.size):
        for h in range(out.size):
            out[h] += along[i] * driven_depth[i, h]


@lean_kernel
def _value(series, size, x):
    total = 0.0
    for i in range(size - 1, -1, -1):
        total = total * x + series[i]
    return total


@lean_kernel
def _next_boundary(normals, w, size, hull, side, depth, later, rate, zero, noise, series, isolation, roots):
    """First exit of a piece of free flight: (x, boundary), x infinite if there is none; boundary -2 for a hard case.

    ``depth`` and ``later`` are w·ν at both ends: only a boundary that lies between them, or closer than the path strays
    from its chord, can be met.
    """
    p, first, which, near = w.shape[1], _NEVER, -1, bow(w, size) + zero
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
        elif _value(series, size, min(first, 1.0)) > 0.0:
            continue
        else:
            x = _falling_root(series, size, min(first, 1.0), 0.25 * zero)
        if x < first:
            first, which = x, h
    return first, which


@lean_kernel
def _cross(normals, products, driven_depth, jump, generator, w, a, tau, h, side, depth, zero, vanishes, row):
    """Take a neuron across boundary h if both sides plainly push that way; whether it did. ``row`` gets the switch."""
    s, p, o = generator.shape
    if _norm(w) <= vanishes:
        return False
    for i in range(side.size):
        if i != h and abs(depth[i]) <= zero:
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
        before += normals[h, c] * rate
        size += abs(rate)
    to = -side[h]
    after = before + to * change
    plain = 4.0 * NOISE * (size + abs(change))
    if to * before <= plain or to * after <= plain:
        return False
    side[h] = to
    for l in range(s):
        for q in range(o):
            for c in range(p):
                generator[l, c, q] += to * jump[l, h, q] * normals[h, c]
            for i in range(products.shape[0]):
                driven_depth[l * o + q, i] += to * jump[l, h, q] * products[h, i]
    row[0], row[1], row[2] = tau, h, (ON if to == ACTIVE else OFF)
    row[3] = _norm(a) * (abs(change) + max(abs(before), abs(after)))
    return True


@lean_kernel
def _fly(
    normals, columns, two_sided, jump, nodes, noise, tolerance, generator, raw, w, a, hull, series, isolation, roots,
    depth, later, rate, products, driven_depth, along, now, side, log, counts, start, sign, factor, plus, total,
):  # fmt: skip
    """Carry a neuron that no boundary holds through all plain crossings; returns τ where another kind of event is near.

    The motion between two crossings is expanded about as far as the next one only: few terms, few boundaries in reach.
    """
    (H, p), o = normals.shape, raw.shape[2]
    gap = gap_of(now[:p], now[p:])
    project_all(columns, now[:p], depth)
    if products.size > 0:
        _drive_depths(columns, generator, driven_depth)
    for _ in range(4 * log.shape[0]):
        if counts[0] >= log.shape[0]:
            break
        _shift(generator, start, raw)
        w_square, a_square = 0.0, 0.0
        for c in range(p):
            w[0, c] = now[c]
            w_square += now[c] * now[c]
            w[1, c] = 0.0
            for q in range(o):
                w[1, c] += raw[0, c, q] * now[p + q]
        for q in range(o):
            a[0, q] = now[p + q]
            a_square += now[p + q] * now[p + q]
        loud, total_size = math.sqrt(a_square), math.sqrt(w_square) + math.sqrt(a_square)
        _rates_at(columns, driven_depth, w[1], a[0], start, along, rate)
        left = 1.0 - start
        soon = left
        for h in range(H):
            ahead, back = side[h] * depth[h], side[h] * rate[h]
            if ahead + back * soon < 0.0:
                soon = max(ahead, 0.0) / -back
        length = max(AHEAD * soon, min(SHORTEST_PIECE, 2.0 / H) * left)
        length = min(length, left * min(1.0, MOST_GROWTH / max(_strength(raw, left), MOST_GROWTH)))
        _scale(raw, length)
        size = 0
        for _ in range(MOST_HALVINGS):
            size = _expand_until(raw, w, a, PIECE_SHARE * tolerance * length * total_size)
            if size > 0:
                break
            length *= 0.5
            _scale(raw, 0.5)
        if size == 0:
            break
        _to_hull(w[:size], 1.0, hull)
        largest = max(total_size, _norm(hull[size - 1]))
        _depths_at(columns, driven_depth, a, size, start, length, 1.0, along, hull[size - 1], depth, later)
        zero = OUTSIDE * largest
        then, h = _next_boundary(
            normals, w, size, hull, side, depth, later, rate, zero, noise * loud, series, isolation, roots,
        )  # fmt: skip
        if h == -2:
            break
        part = min(then, 1.0)
        end = 1.0 if then > 1.0 and length >= left * (1.0 - EPS) else start + part * length
        if factor != 0.0:
            for i in range(nodes.size):
                if nodes[i] <= start or nodes[i] > end:
                    continue
                x = (nodes[i] - start) / length
                _values(w, a, size, x, now)
                # The rates are not needed any more.
                _depths_at(columns, driven_depth, a, size, start, length, x, along, now[:p], depth, rate)
                for q in range(o):
                    weight = factor * now[p + q]
                    for c in range(p):
                        total[i, c, q] += weight * now[c]
                    for l in range(H):
                        plus[i, l, q] += weight * rate[l] if side[l] == ACTIVE else 0.0
        _values(w, a, size, part, now)
        before = _norm(now[:p])
        conserve(now[:p], now[p:], gap, sign)
        _depths_at(columns, driven_depth, a, size, start, length, part, along, now[:p], depth, depth)
        if products.size > 0 and sign == 0:
            depth *= _norm(now[:p]) / before
        start = end
        if start >= 1.0:
            break
        if then > 1.0:
            continue
        if not _cross(
            normals, products, driven_depth, jump, generator, now[:p], now[p:], start, h, side, depth,
            TOGETHER * largest, VANISHES * largest, log[counts[0]],
        ):  # fmt: skip
            break
        counts[0] += 1
        if is_dead(two_sided, side):
            break
    return start


@lean_kernel
def _values(w, a, size, x, out):
    p = w.shape[1]
    for c in range(p):
        out[c] = w[size - 1, c]
    for q in range(a.shape[1]):
        out[p + q] = a[size - 1, q]
    for i in range(size - 2, -1, -1):
        for c in range(p):
            out[c] = out[c] * x + w[i, c]
        for q in range(a.shape[1]):
            out[p + q] = out[p + q] * x + a[i, q]


@lean_kernel
def travel(problem, field, room, sign, factor, plus, total):
    """Carry one neuron from τ = 0 to 1 through all its switches.

    ``room.now`` (p + o,), ``room.side`` and ``room.generator`` are those of the start, and are updated. If ``factor``
    is not 0, its outputs times factor are added to ``plus`` and ``total``. Switches are logged in ``room.log`` as
    (τ, boundary, kind, weight): the weight bounds the change of the rate of its outputs. Returns a status.
    """
    p = problem.normals.shape[1]
    room.ignored[:] = False
    room.counts[0] = 0
    start, plain = 0.0, True
    w, a = room.now[:p], room.now[p:]
    for _ in range(4 * room.log.shape[0]):
        if start >= 1.0 or is_dead(problem.two_sided, room.side) or _norm(w) == 0.0:
            return CHUNK_DONE
        if room.counts[0] >= room.log.shape[0]:
            break
        if plain and is_free(room.side):
            start = _fly(
                problem.normals, room.columns, problem.two_sided, field.jump, field.nodes, field.noise[0],
                field.noise[1], room.generator, room.raw, room.w, room.a, room.hull, room.series, room.isolation,
                room.roots, room.depth, room.later, room.rate, room.products, room.driven_depth, room.along, room.now,
                room.side, room.log, room.counts, start, sign, factor, plus, total,
            )  # fmt: skip
            plain = False
            continue
        plain = True
        gap = gap_of(w, a)
        n_held, length = _prepare_piece(problem, room, start, field.noise[1])
        size = max(_norm(room.hull[0]) + _norm(a), _norm(room.hull[room.counts[1] - 1]))
        then, trigger, away, passes = _first_event(problem, field, room, sign, n_held, start, length, size)
        part = min(then, 1.0)
        end = start + part * length
        if then > 1.0 and 1.0 - end < EPS:
            end = 1.0
        when = end
        if then <= 1.0 and passes == NOTHING and room.side[trigger] == HELD:
            when = _true_release(problem, field, room, n_held, trigger, away, start, length, then)
        if factor != 0.0:
            _count_outputs(problem, room, field.nodes, start, length, end, factor, plus, total)
        _evaluate(room.w, part, w)
        _evaluate(room.a, part, a)
        conserve(w, a, gap, sign)
        start = end
        if then > 1.0:
            plain = not np.any(room.ignored)
            continue
        if passes == INPUT or _norm(w) <= VANISHES * size:
            # Straight through w = 0, where all boundaries meet: with relu'(0) = 0 it stays there.
            _vanish(room, start, trigger, _speed(room.w, part) / length)
        elif passes == OUTPUT:
            # Both sides push away from here on.
            _let_go(room, n_held, start)
        elif _decide(problem, field, room, start, when, trigger, away, TOGETHER * size, field.noise[0] * _norm(a)):
            room.ignored[:] = False
            _settle(problem.normals, room)
        else:
            room.ignored[trigger], plain = True, False
    return TOO_MANY_SWITCHES


@lean_kernel
def _same(first, second):
    for h in range(first.size):  # noqa: SIM110 - compiled code has no generators
        if first[h] != second[h]:
            return False
    return True


@lean_kernel
def carry_alone(problem, field, room, neurons, moved, chosen, n_chosen, plus, total, events, n_events):
    """Carry the neurons ``chosen[:n_chosen]`` one by one, from ``neurons`` into ``moved``.

    Their outputs at the nodes are added to ``plus`` and ``total``; switches to ``events`` as (τ, neuron, boundary,
    kind, weight), ``n_events`` (1,) being updated. Returns a status.
    """
    for i in range(n_chosen):
        j = chosen[i]
        for c in range(room.now.size):
            room.now[c] = neurons.z[c, j]
        for h in range(room.side.size):
            room.side[h] = neurons.side[j, h]
        # Neurons of one pattern come one after the other, and share their generator.
        if i == 0 or not _same(room.side, neurons.side[chosen[i - 1]]):
            fill_generator(problem, field, room)
            copy_series(room.generator, room.first)
        else:
            copy_series(room.first, room.generator)
        factor = math.ldexp(1.0, 2 * int(neurons.exponent[j])) if neurons.exponent[j] > LIGHTEST else 0.0
        status = travel(problem, field, room, neurons.sign[j], factor, plus, total)
        if status != CHUNK_DONE:
            return status
        if n_events[0] + room.counts[0] > events.shape[0]:
            return EVENTS_FULL
        latest = 1.0
        for l in range(room.counts[0] - 1, -1, -1):
            # A release is dated anew, but not after what the neuron does next.
            latest = min(latest, room.log[l, 0])
            room.log[l, 0] = latest
        for l in range(room.counts[0]):
            row = events[n_events[0]]
            row[0], row[1], row[2], row[3] = room.log[l, 0], j, room.log[l, 1], room.log[l, 2]
            row[4] = factor * room.log[l, 3]
            n_events[0] += 1
        for c in range(room.now.size):
            moved.z[c, j] = room.now[c]
        moved.clear[j] = 0.0
        moved.switches[j] = room.counts[0]
        for h in range(room.side.size):
            moved.side[j, h] = room.side[h]
    return CHUNK_DONE
