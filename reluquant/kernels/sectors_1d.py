"""The sectors of weight space for one input and a bias: which is where, and where a neuron is. See `flow_1d`."""

from __future__ import annotations

import math

from reluquant.kernels.jit import lean_kernel

AT_REST = -1  # the mode of a neuron with w = 0: with relu'(0) = 0 it never moves
EPS = 2.0**-52
# A neuron counts as outside its sector only beyond the rounding of w x + b.
OUTSIDE = 8 * EPS
# |w| = |a| within the rounding of a norm.
BALANCED = 8 * EPS


@lean_kernel
def exact_sign(w, b, x):
    """Sign of ``w x + b`` for the float64 numbers as given, barring underflow of the product's tail."""
    product = w * x
    total = product + b
    # Dekker's splitting gives the rounding error of the product exactly.
    c = 134217729.0 * w
    w_high = c - (c - w)
    c = 134217729.0 * x
    x_high = c - (c - x)
    tail = ((w_high * x_high - product) + w_high * (x - x_high) + (w - w_high) * x_high) + (w - w_high) * (x - x_high)
    if math.isfinite(tail):
        total += tail
    return 1 if total > 0 else (-1 if total < 0 else 0)


@lean_kernel
def inactive_sector(ray, n):
    """The sector beside a ray on whose side the ray's own point is inactive."""
    return ray + 1 if ray < n else ray


@lean_kernel
def active_sector(ray, n):
    """The sector beside a ray on whose side the ray's own point is active."""
    return ray if ray < n else (ray + 1) % (2 * n)


@lean_kernel
def locate(points, Z, mode):
    """Write each neuron's mode: its sector, ``2n + ray`` when it lies on a ray, or ``AT_REST``."""
    n = points.shape[0]
    for j in range(Z.shape[0]):
        w, b = Z[j, 0], Z[j, 1]
        if w == 0.0 and b == 0.0:
            mode[j] = AT_REST
            continue
        # Activity rises or falls with x: where it changes, or is zero.
        low, high, zero = 0, n, -1
        while low < high:
            k = (low + high) // 2
            side = exact_sign(w, b, points[k, 0])
            if side == 0:
                zero = k
                break
            if (side > 0) == (w > 0.0):
                high = k
            else:
                low = k + 1
        if zero >= 0:
            mode[j] = 2 * n + (zero if w > 0.0 else zero + n)
        elif w > 0.0:
            mode[j] = low
        else:
            mode[j] = 0 if low == n else n + low


@lean_kernel
def inside(w, b, x, upper_is_active):
    """Signed distance into the sector at one boundary, zero within rounding."""
    value = w * x + b
    if abs(value) <= OUTSIDE * (abs(w * x) + abs(b)):
        return 0.0
    return value if upper_is_active else -value


@lean_kernel
def boundary(c, side, n):
    """Point of the upper (0) or lower (1) boundary of sector ``c``, and whether it is active inside."""
    if side == 0:
        return c % n, c < n
    return (c - 1 + 2 * n) % n, c > n or c == 0
