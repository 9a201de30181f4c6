"""Sums and products of two float64 numbers together with what rounding took off (Dekker, Knuth)."""

from __future__ import annotations

from reluquant.kernels.jit import kernel

# Cuts a mantissa of 53 bits into halves whose products are exact.
_SPLITTER = 134217729.0


@kernel
def two_sum(p, q):
    """Return ``p + q``, rounded, and the rest: together exact."""
    total = p + q
    part = total - p
    return total, (p - (total - part)) + (q - part)


@kernel
def two_product(p, q):
    """Return ``p * q``, rounded, and the rest: together exact, barring overflow and underflow."""
    product = p * q
    c = _SPLITTER * p
    p_high = c - (c - p)
    c = _SPLITTER * q
    q_high = c - (c - q)
    p_low, q_low = p - p_high, q - q_high
    return product, ((p_high * q_high - product) + p_high * q_low + p_low * q_high) + p_low * q_low


@kernel
def turn(ax, ay, bx, by, cx, cy):
    """Twice the signed area of the triangle (a, b, c), right to about 1e-30 of the products it is made of."""
    ux, ux_low = two_sum(bx, -ax)
    uy, uy_low = two_sum(by, -ay)
    vx, vx_low = two_sum(cx, -ax)
    vy, vy_low = two_sum(cy, -ay)
    p, p_low = two_product(ux, vy)
    q, q_low = two_product(uy, vx)
    total, low = two_sum(p, -q)
    return total + (low + (p_low - q_low) + (ux * vy_low + ux_low * vy) - (uy * vx_low + uy_low * vx))
