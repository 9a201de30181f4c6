"""The motion of a neuron over one piece: Taylor series of w and a in a fixed pattern. See `neuron_alone`."""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.box_lcp import ACTIVE, HELD, add_to_basis
from reluquant.kernels.jit import lean_kernel

# One series spans at most this many e-foldings, so that its terms fall quickly.
MOST_GROWTH = 2.0


@lean_kernel
def norm(row):
    """Length of a vector."""
    square = 0.0
    for value in row:
        square += value * value
    return math.sqrt(square)


@lean_kernel
def inner(first, second):
    """Inner product."""
    total = 0.0
    for c in range(first.size):
        total += first[c] * second[c]
    return total


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
def copy_series(source, target):
    """Copy coefficients (s, p, o)."""
    # For an assignment of arrays, of any shape, numba compiles four seconds of error messages.
    for i in range(source.shape[0]):
        for c in range(source.shape[1]):
            for q in range(source.shape[2]):
                target[i, c, q] = source[i, c, q]


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
def project_all(columns, n, w, out):
    """w·ν of the first n boundaries of those whose normals are the columns."""
    for h in range(n):
        out[h] = columns[0, h] * w[0]
    for c in range(1, w.size):
        for h in range(n):
            out[h] += columns[c, h] * w[c]


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
def shift_origin(generator, start, raw):
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
def strength(raw, length):
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
def scale_to(raw, length):
    """Coefficients of length · Γ(length x)."""
    factor = length
    for l in range(raw.shape[0]):
        for c in range(raw.shape[1]):
            for q in range(raw.shape[2]):
                raw[l, c, q] *= factor
        factor *= length


@lean_kernel
def localise(generator, start, basis, n_held, raw, local):
    """Move the origin of the polynomial Γ to ``start`` and shorten the piece until its series converges quickly.

    ``raw`` gets the coefficients of length · Γ(start + length x), ``local`` the same projected: what a neuron moves
    with may be far less than what presses it against the boundaries that hold it. Returns the length.
    """
    shift_origin(generator, start, raw)
    copy_series(raw, local)
    project(local, basis, n_held)
    length = 1.0 - start
    total = strength(local, length)
    if total > MOST_GROWTH:
        length *= MOST_GROWTH / total
    scale_to(raw, length)
    scale_to(local, length)
    return length


@lean_kernel
def expand(local, w, a):
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
def expand_until(raw, w, a, allowed):
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
def _significant(w, negligible):
    """Number of leading terms, at least 3, of which all others are negligible."""
    for i in range(w.shape[0] - 1, 2, -1):
        if norm(w[i]) > negligible:
            return i + 1
    return 3


@lean_kernel
def shorten(room, tolerance):
    """Shorten a piece until the last terms of its series are negligible; returns the part of it that is left."""
    s, size = room.raw.shape[0], room.w.shape[0]
    tail = 0.0
    for i in range(size - s, size):
        tail = max(tail, norm(room.w[i]) + norm(room.a[i]))
    allowed = tolerance * (norm(room.w[0]) + norm(room.a[0]))
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
def bow(w, size):
    """Bound of the distance of w(x) from the chord between its ends on [0, 1], at the same share of the way."""
    total = 0.0
    for i in range(2, size):
        # x - x² is at most a quarter, other x - xⁱ at most one.
        total += (0.25 if i == 2 else 1.0) * norm(w[i])
    return total


@lean_kernel
def turning(w, size):
    """Bound of how far w(x) turns away from its start on [0, 1]: tan of the angle, infinite if it may vanish."""
    square = inner(w[0], w[0])
    ahead, across = square, 0.0
    for i in range(1, size):
        along, part = inner(w[i], w[0]), 0.0
        share = along / square
        for c in range(w.shape[1]):
            off = w[i, c] - share * w[0, c]
            part += off * off
        ahead += min(along, 0.0)
        across += math.sqrt(part)
    return across * math.sqrt(square) / ahead if ahead > 0.0 else np.inf


@lean_kernel
def sum_up(series, size, out):
    """Write the point at x = 1 of a curve."""
    for c in range(out.size):
        out[c] = series[size - 1, c]
        for i in range(size - 2, -1, -1):
            out[c] += series[i, c]


@lean_kernel
def value_at(series, size, x):
    """Value at x of a polynomial of ``size`` terms."""
    total = 0.0
    for i in range(size - 1, -1, -1):
        total = total * x + series[i]
    return total


@lean_kernel
def evaluate(series, x, out):
    """Write the point at x of a curve."""
    for c in range(series.shape[1]):
        total = 0.0
        for i in range(series.shape[0] - 1, -1, -1):
            total = total * x + series[i, c]
        out[c] = total


@lean_kernel
def values_at(w, a, size, x, out):
    """Write the neuron (p + o,) at x of a piece, from the first ``size`` terms."""
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
def speed_at(series, x):
    """Norm of the derivative of a curve at x."""
    square = 0.0
    for c in range(series.shape[1]):
        slope = 0.0
        for i in range(series.shape[0] - 1, 0, -1):
            slope = slope * x + i * series[i, c]
        square += slope * slope
    return math.sqrt(square)
