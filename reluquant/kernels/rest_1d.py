"""Whether a network is stationary: nothing moves, and nothing that is there can grow. See `flow_1d`."""

from __future__ import annotations

import math

from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.sectors_1d import EPS, boundary, inactive_sector, inside


@lean_kernel
def _can_grow(field, c0, sign, slowest):
    """Whether a small balanced neuron of sector ``c0`` may reach a direction in which it grows, residual frozen.

    It turns towards ``sign · g`` and walks from sector to sector, until a sector holds that direction
    (it grows), a ray holds the neuron (it grows iff sign · g · u > 0), or nothing pushes it.
    """
    n = field.points.shape[0]
    for way in range(2):
        c = c0
        for _ in range(2 * n):
            g1, g2 = sign * field.generator[c, 0, 0], sign * field.generator[c, 1, 0]
            if math.hypot(g1, g2) <= slowest:
                break
            k_up, active_up = boundary(c, 0, n)
            k_low, active_low = boundary(c, 1, n)
            up = inside(g1, g2, field.points[k_up, 0], active_up)
            low = inside(g1, g2, field.points[k_low, 0], active_low)
            if up >= 0.0 and low >= 0.0:
                return True
            # It moves on through the boundary that g points out of; where g points out of both, either way.
            side = 0 if up < 0.0 and (low >= 0.0 or way == 0) else 1
            ray = c if side == 0 else (c - 1 + 2 * n) % (2 * n)
            k, beyond = ray % n, (c + 1) % (2 * n) if side == 0 else ray
            g1, g2 = sign * field.generator[beyond, 0, 0], sign * field.generator[beyond, 1, 0]
            pushed_on = g1 * field.points[k, 0] + g2
            was_active = active_up if side == 0 else active_low
            if (pushed_on > 0.0) == was_active and pushed_on != 0.0:
                if g1 * field.rays[ray, 0] + g2 * field.rays[ray, 1] > slowest:
                    return True
                break
            c = beyond
    return False


@lean_kernel
def at_rest(field, sector_moments, ray_moments, occupied, sign, mode, slowest, unit):
    """Whether the network is stationary: its velocity is small and no neuron can grow."""
    n = field.points.shape[0]
    speed, size = 0.0, 0.0
    for c in range(2 * n):
        g1, g2 = field.generator[c, 0, 0] / unit, field.generator[c, 1, 0] / unit
        m = sector_moments[c, :, 0]
        speed += m[5] * (g1 * g1 + g2 * g2) + g1 * g1 * m[0] + 2.0 * g1 * g2 * m[1] + g2 * g2 * m[2]
        d = inactive_sector(c, n)
        gamma = (
            field.generator[d, 0, 0] * field.rays[c, 0] + field.generator[d, 1, 0] * field.rays[c, 1]
        ) / unit
        speed += 2.0 * gamma * gamma * ray_moments[c, 1, 0]
        size += m[0] + m[2] + m[5] + 2.0 * ray_moments[c, 1, 0]
    # The velocity of a heavy network is known to rounding and the tolerance only.
    strongest, longest = 0.0, 0.0
    for k in range(n):
        strongest += field.points[k, 1] * field.points[k, 3]
        longest = max(longest, field.points[k, 3])
    slowest = max(slowest, (4.0 * EPS + field.tolerance) * strongest * longest * size)
    if speed > slowest * slowest * size:
        return False
    for j in range(mode.size):
        place = mode[j]
        if place < 0 or place == n or not occupied[place]:
            continue
        if place < 2 * n:
            if math.hypot(field.generator[place, 0, 0], field.generator[place, 1, 0]) <= slowest * unit:
                occupied[place] = False
            elif sign[j] == 0 or _can_grow(field, place, sign[j], slowest * unit):
                return False
        else:
            ray = place - 2 * n
            d = inactive_sector(ray, n)
            gamma = (
                field.generator[d, 0, 0] * field.rays[ray, 0] + field.generator[d, 1, 0] * field.rays[ray, 1]
            )
            if abs(gamma) > slowest * unit and (sign[j] == 0 or sign[j] * gamma > 0.0):
                return False
    return True
