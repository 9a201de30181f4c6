"""Closed-form jumps while nothing that moves is heavy enough to change the residual. See `flow_1d`.

Early, and on every plateau, the residual is constant and all that happens is that light neurons turn and grow. In a
constant field, with ``p = w·ĝ``, ``p ± a`` grow like ``e^{±|g|t}`` and the rest of ``w`` stays. A neuron whose
direction moves towards ``sign(a) g`` inside one sector keeps its place, as does one that slides, so one step may last
until the first of them is heavy enough to be felt: its length is the logarithm of how light they are.
"""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.field_1d import SPECTATOR
from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.sectors_1d import AT_REST, EPS, active_sector, boundary, inactive_sector

# A heavy group may turn by this share of the tolerance in a jump that takes it as resting.
STILL = 0.1
# It may turn by more if its push is one that the truncation of the steps alone would leave, and does leave where they
# damp it no further: by the tolerance of a run, or by this much in the time of one e-folding at the natural rate.
DRIFTS, DRIFT = 100.0, 1e-12
# Rounding of a residual, in units of that of the sum of its terms' sizes: some for the terms, one for each addition.
ROUNDINGS = 16.0
LOG_2 = math.log(2.0)


@lean_kernel
def _light_growth(field, Z, E, sign, mode, j, limit, rounding):
    """Rate of growth of a light neuron in the constant field, and how long until it is heavy; -1 if it may switch."""
    n = field.points.shape[0]
    w, b, a, place = Z[j, 0], Z[j, 1], Z[j, 2], mode[j]
    way = 1.0 if a > 0.0 else -1.0
    if place < 2 * n:
        g1, g2 = field.generator[place, 0, 0], field.generator[place, 1, 0]
        rate = math.hypot(g1, g2)
        if rate == 0.0:
            return 0.0, np.inf
        # Towards way · g along the shorter arc: both ends of it inside the sector, and never through a = 0.
        for side in range(2):
            k, active = boundary(place, side, n)
            inside = way * (g1 * field.points[k, 0] + g2)
            # On the boundary itself, where it is in degenerate data, it arrives never.
            if (inside if active else -inside) < -rounding * field.points[k, 3]:
                return -1.0, 0.0
        if way * ((w * g1 + b * g2) / rate + a) <= 0.0:
            return -1.0, 0.0
    else:
        ray = place - 2 * n
        k, dead, live = ray % n, inactive_sector(ray, n), active_sector(ray, n)
        x = field.points[k, 0]
        g = field.generator
        if dead == n or a == 0.0:
            return -1.0, 0.0
        # A side that pushes with nothing but rounding, as in degenerate data, releases no one.
        least = -rounding * field.points[k, 3]
        if way * (g[dead, 0, 0] * x + g[dead, 1, 0]) < least or -way * (g[live, 0, 0] * x + g[live, 1, 0]) < least:
            return -1.0, 0.0
        gamma = g[dead, 0, 0] * field.rays[ray, 0] + g[dead, 1, 0] * field.rays[ray, 1]
        rate = abs(gamma)
        if way * gamma <= 0.0:
            # An unbalanced slider that shrinks loses one of its weights.
            return (rate, np.inf) if sign != 0 or gamma == 0.0 else (-1.0, 0.0)
    size = math.log(w * w + b * b + a * a) + 2.0 * LOG_2 * E[j]
    return rate, (math.log(limit * max(rate, 1e-300)) - size) / (2.0 * rate)


@lean_kernel
def jump_length(field, sector_moments, ray_moments, Z, E, sign, mode, reach, longest, settled, still):
    """How long all neurons keep their places while the residual stays; 0 if the closed form does not apply.

    ``settled``: whether heavy groups had time to come to rest as far as the truncation of steps lets them. ``still``
    (4n,) is filled: heavy groups, at rest within the tolerance.
    """
    n2, points = field.rays.shape[0], field.points
    n, total = n2 // 2, 0.0
    for c in range(n2):
        total += sector_moments[c, 0, 0] + sector_moments[c, 2, 0] + sector_moments[c, 5, 0]
        total += 2.0 * ray_moments[c, 1, 0]
    size = 0.0
    for k in range(n):
        size += points[k, 1] * (abs(points[k, 2]) + total * points[k, 3]) * points[k, 3]
    rounding = (ROUNDINGS + n) * EPS * size
    # Σ |z|² times what it does to a generator, over a rate: the share of SPECTATOR · tolerance that each neuron has.
    limit = SPECTATOR * field.tolerance / (reach * longest * mode.size)
    length, pushed = np.inf, 0.0
    for place in range(2 * n2):
        still[place] = False
        if place == n:
            continue
        if place < n2:
            m = sector_moments[place, :, 0]
            mass = m[0] + m[2] + m[5]
            if mass == 0.0:
                continue
            rate = math.hypot(field.generator[place, 0, 0], field.generator[place, 1, 0])
        else:
            d, u = inactive_sector(place - n2, n), field.rays[place - n2]
            mass = 2.0 * ray_moments[place - n2, 1, 0]
            if mass == 0.0:
                continue
            rate = abs(field.generator[d, 0, 0] * u[0] + field.generator[d, 1, 0] * u[1])
        if mass > limit * mode.size * rate:
            still[place] = True
            pushed = max(pushed, rate)
    for j in range(mode.size):
        place = mode[j]
        if place in (AT_REST, n) or still[place]:
            continue
        rate, until = _light_growth(field, Z, E, sign[j], mode, j, limit, rounding)
        if rate < 0.0:
            return 0.0
        length = min(length, until)
    if not 0.0 < length < np.inf:
        return 0.0
    if pushed > rounding:
        # Steps let what is heavy relax. Jumps that its push cuts short would not, and could go on for ever.
        if not settled:
            return 0.0
        turn = STILL * field.tolerance
        if pushed <= field.tolerance * size:
            turn = max(DRIFTS * field.tolerance, DRIFT * size * length)
        length = min(length, turn / pushed)
    return length


@lean_kernel
def jump(field, length, Z, E, sign, mode, still):
    """Move all light neurons by a time that `jump_length` allows."""
    n = field.points.shape[0]
    for j in range(mode.size):
        place = mode[j]
        if place in (AT_REST, n) or still[place]:
            continue
        w, b, a = Z[j, 0], Z[j, 1], Z[j, 2]
        slides = place >= 2 * n
        if not slides:
            g1, g2 = field.generator[place, 0, 0], field.generator[place, 1, 0]
            rate = math.hypot(g1, g2)
            if rate == 0.0:
                continue
            g1, g2 = g1 / rate, g2 / rate
        else:
            g1, g2, d = field.rays[place - 2 * n, 0], field.rays[place - 2 * n, 1], inactive_sector(place - 2 * n, n)
            rate = field.generator[d, 0, 0] * g1 + field.generator[d, 1, 0] * g2
            if rate < 0.0:
                g1, g2, rate = -g1, -g2, -rate
        # e^{±rate·length} = 2^{±shift} · fraction^{±1}.
        shift = math.floor(rate * length / LOG_2)
        fraction = math.exp(rate * length - shift * LOG_2)
        along = w * g1 + b * g2
        if slides and sign[j] != 0:
            # All of it grows or all of it shrinks: nothing that rounding left may grow in its place.
            grows = sign[j] * along > 0.0
            factor = fraction if grows else 1.0 / fraction
            Z[j, 0], Z[j, 1], Z[j, 2] = factor * w, factor * b, factor * a
            E[j] += shift if grows else -shift
            continue
        grown, shrunk = 0.5 * (along + a) * fraction, math.ldexp(0.5 * (along - a) / fraction, -2 * shift)
        rest_w = 0.0 if slides else math.ldexp(w - along * g1, -shift)
        rest_b = 0.0 if slides else math.ldexp(b - along * g2, -shift)
        w, b, a = (grown + shrunk) * g1 + rest_w, (grown + shrunk) * g2 + rest_b, grown - shrunk
        Z[j, 0], Z[j, 1], Z[j, 2] = w, b, (sign[j] * math.hypot(w, b) if sign[j] != 0 else a)
        E[j] += shift
