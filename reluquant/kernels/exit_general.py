"""When a neuron leaves the side of a boundary: signs in Bernstein form, and roots. See `neuron_alone`."""

from __future__ import annotations

from reluquant.kernels.box_lcp import EPS, HELD
from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.polynomials import sign_changes
from reluquant.kernels.series_general import bow, inner, norm, project_all, value_at
from reluquant.kernels.state_general import NEVER

# The list of the boundaries that are near serves until w has turned so many times as far as in the next piece.
FORESEEN = 2.5
# False position ends after some ten steps; halving alone would take 53.
MOST_SECANTS = 100


@lean_kernel
def look_around(room, w, reach):
    """List the boundaries at most ``reach`` (sine of the angle) from w; all others are safe until it has turned so far.

    Fills ``room.depth`` for those listed.
    """
    H, n, size, safe = room.side.size, 0, norm(w), NEVER
    project_all(room.columns, H, w, room.later)
    for h in range(H):
        away = abs(room.later[h])
        # So that all are listed where w has no direction.
        if not away > reach * size:
            room.near[n], room.depth[n] = h, room.later[h]
            n += 1
        else:
            safe = min(safe, away)
    for c in range(w.size):
        for i in range(n):
            room.close[c, i] = room.columns[c, room.near[i]]
    room.safe[0], room.counts[2] = min(safe / size, reach), n


@lean_kernel
def keep_watch(room, w, turn, margin):
    """Look around anew if a piece that starts at w and turns by ``turn`` may come to a boundary that is not listed."""
    if turn + margin > room.safe[0]:
        look_around(room, w, FORESEEN * turn + 2.0 * margin)


@lean_kernel
def spend(room, turn):
    """Count what w has turned by."""
    room.safe[0] = room.safe[0] - turn if turn < room.safe[0] else 0.0


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
        if root < NEVER:
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
def first_exit(normals, room, turn, noise, zero):
    """First moment x of a piece at which the neuron leaves the side of a boundary: (x, boundary); x infinite if never.

    ``room.w`` is the piece, of ``room.counts[1]`` terms; ``room.depth`` and ``room.later`` are w·ν of the boundaries
    near at both ends. One is met only if it lies between them, or closer than the path strays from its chord; and only
    if w turns so far.
    """
    w, size = room.w, room.counts[1]
    first, which, stray, reach = NEVER, -1, bow(w, size) + zero, turn * norm(w[0]) + zero
    row, series, moves = room.isolation[0], room.series, norm(room.a[0]) > zero
    for i in range(room.counts[2]):
        h = room.near[i]
        on = room.side[h]
        depth = on * room.depth[i]
        if depth > reach or min(depth, on * room.later[i]) > stray or on == HELD or room.ignored[h]:
            continue
        if depth <= zero and moves and on * inner(normals[h], w[1]) < -noise:
            # On the boundary within rounding, where only the push can say whether it leaves.
            return 0.0, h
        # One that rests on its boundary, or returns to it, outside by a rounding, has not left.
        outside = min(depth, 0.0) - zero
        for l in range(size):
            series[l] = on * inner(normals[h], w[l])
        series[0] -= outside
        changes = _changes(series, size, row)
        if changes == 0:
            continue
        if changes > 1:
            for l in range(size, series.size):
                series[l] = 0.0
            x = first_root(room, min(first, 1.0))
        elif value_at(series, size, min(first, 1.0)) > 0.0:
            continue
        else:
            x = _falling_root(series, size, min(first, 1.0), 0.25 * zero)
        if x < first:
            first, which = x, h
    return first, which


@lean_kernel
def _changes(series, size, row):
    """Bound of the number of roots in (0, 1) of a polynomial that is positive at 0; 0 and 1 are exact (Descartes)."""
    factor = 1.0
    for i in range(size):
        row[i] = series[i] * factor
        factor *= (i + 1.0) / (size - 1 - i)
    for k in range(1, size):
        for j in range(size - 1, k - 1, -1):
            row[j] += row[j - 1]
    changes, inside = 0, True
    for i in range(1, size):
        if row[i] != 0.0 and (row[i] > 0.0) != inside:
            changes, inside = changes + 1, not inside
    return changes
