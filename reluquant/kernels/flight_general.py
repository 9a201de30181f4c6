"""A neuron that no boundary holds, through all its plain crossings. See `neuron_alone`."""

from __future__ import annotations

import math

from reluquant.kernels.box_lcp import ACTIVE, EPS, NOISE
from reluquant.kernels.exit_general import next_boundary
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
    to_hull,
    values_at,
)
from reluquant.kernels.state_general import OFF, ON, OUTSIDE, TOGETHER, VANISHES
from reluquant.kernels.switch_general import is_dead

# A piece of free flight ends this many times as far as the next boundary seems to be: usually beyond it.
AHEAD = 1.5
# But it is no shorter than this share of what is left, lest a boundary that only seems near takes a step of its own.
SHORTEST_PIECE = 0.02
# Terms of a piece of free flight are negligible below this share of the tolerance, times its length: a step has many.
PIECE_SHARE = 0.1
# A piece of a few e-foldings converges after one or two halvings, if at all.
MOST_HALVINGS = 20


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
def _cross(normals, products, driven_depth, jump, generator, w, a, tau, h, side, depth, zero, vanishes, row):
    """Take a neuron across boundary h if both sides plainly push that way; whether it did. ``row`` gets the switch."""
    s, p, o = generator.shape
    if norm(w) <= vanishes:
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
    row[3] = norm(a) * (abs(change) + max(abs(before), abs(after)))
    return True


@lean_kernel
def fly(
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
        shift_origin(generator, start, raw)
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
        length = min(length, left * min(1.0, MOST_GROWTH / max(strength(raw, left), MOST_GROWTH)))
        scale_to(raw, length)
        size = 0
        for _ in range(MOST_HALVINGS):
            size = expand_until(raw, w, a, PIECE_SHARE * tolerance * length * total_size)
            if size > 0:
                break
            length *= 0.5
            scale_to(raw, 0.5)
        if size == 0:
            break
        to_hull(w[:size], 1.0, hull)
        largest = max(total_size, norm(hull[size - 1]))
        _depths_at(columns, driven_depth, a, size, start, length, 1.0, along, hull[size - 1], depth, later)
        zero = OUTSIDE * largest
        then, h = next_boundary(
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
                values_at(w, a, size, x, now)
                # The rates are not needed any more.
                _depths_at(columns, driven_depth, a, size, start, length, x, along, now[:p], depth, rate)
                for q in range(o):
                    weight = factor * now[p + q]
                    for c in range(p):
                        total[i, c, q] += weight * now[c]
                    for l in range(H):
                        plus[i, l, q] += weight * rate[l] if side[l] == ACTIVE else 0.0
        values_at(w, a, size, part, now)
        before = norm(now[:p])
        conserve(now[:p], now[p:], gap, sign)
        _depths_at(columns, driven_depth, a, size, start, length, part, along, now[:p], depth, depth)
        if products.size > 0 and sign == 0:
            depth *= norm(now[:p]) / before
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
