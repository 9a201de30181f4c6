"""On which side of a line a point lies, decided exactly for the float64 numbers as given.

A float filter decides the clear cases. For the others the six products of the determinant, integers times powers of
two, are added in one integer of many limbs, which never rounds and never leaves its range.
"""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.jit import lean_kernel

# Shewchuk (1997), the bound A of orient2d: (3 + 16 u) u with u = 2^-53.
FILTER = 3.3306690738754716e-16
# Below this a product may have lost bits to underflow, which the filter does not know of.
TINY = 1e-280
# A limb holds 32 bits; products of float64 numbers reach from 2^-2252 to 2^2048.
_BITS = 32
_LIMB = np.int64(2**32 - 1)
LIMBS = 144
# A mantissa of 53 bits is cut in two, so that partial products and their shifts fit in an int64.
_HALF = 27
_LOW_HALF = np.int64(2**27 - 1)
_MANTISSA = 53


@lean_kernel
def _parts(value):
    """Integer m ≥ 0 and exponent e with |value| = m·2^e."""
    mantissa, exponent = math.frexp(abs(value))
    return np.int64(math.ldexp(mantissa, _MANTISSA)), exponent - _MANTISSA


@lean_kernel
def _add(limbs, bit, value, sign):
    """Add sign·value·2^bit; value has 54 bits at most."""
    limb, shift = bit // _BITS, bit % _BITS
    limbs[limb] += sign * ((value & _LOW_HALF) << shift)
    bit += _HALF
    limb, shift = bit // _BITS, bit % _BITS
    limbs[limb] += sign * ((value >> _HALF) << shift)


@lean_kernel
def _add_product(limbs, lowest, p, q, sign):
    """Add sign·p·q to the integer, whose last bit counts 2^lowest."""
    m, e = _parts(p)
    n, f = _parts(q)
    if m == 0 or n == 0:
        return
    if (p < 0) != (q < 0):
        sign = -sign
    bit = e + f - lowest
    m_high, m_low, n_high, n_low = m >> _HALF, m & _LOW_HALF, n >> _HALF, n & _LOW_HALF
    _add(limbs, bit, m_low * n_low, sign)
    _add(limbs, bit + _HALF, m_low * n_high, sign)
    _add(limbs, bit + _HALF, m_high * n_low, sign)
    _add(limbs, bit + 2 * _HALF, m_high * n_high, sign)


@lean_kernel
def _carry(limbs, n):
    for i in range(n - 1):
        limbs[i + 1] += limbs[i] >> _BITS
        limbs[i] &= _LIMB


@lean_kernel
def _span(p, q, low, high):
    """Widen the range of exponents by that of p·q."""
    if p != 0.0 and q != 0.0:
        exponent = _parts(p)[1] + _parts(q)[1]
        return min(low, exponent), max(high, exponent)
    return low, high


@lean_kernel
def exact_orientation(ax, ay, bx, by, cx, cy, limbs):
    """Twice the signed area of the triangle a, b, c as mantissa and exponent, rounded once: its sign is exact.

    ``limbs`` is room to work in, ``LIMBS`` integers.
    """
    low, high = 100_000, -100_000
    for p, q in ((ax, by), (ay, bx), (bx, cy), (by, cx), (cx, ay), (cy, ax)):
        low, high = _span(p, q, low, high)
    if high < low:
        return 0.0, 0
    # 106 bits of a product, three for the sum of six, and one limb for the sign.
    n = (high - low + 109) // _BITS + 3
    limbs[:n] = 0
    _add_product(limbs, low, ax, by, 1)
    _add_product(limbs, low, ay, bx, -1)
    _add_product(limbs, low, bx, cy, 1)
    _add_product(limbs, low, by, cx, -1)
    _add_product(limbs, low, cx, ay, 1)
    _add_product(limbs, low, cy, ax, -1)
    _carry(limbs, n)
    sign = 1.0
    if limbs[n - 1] < 0:
        sign = -1.0
        for i in range(n):
            limbs[i] = -limbs[i]
        _carry(limbs, n)
    top = n - 1
    while top > 2 and limbs[top] == 0:
        top -= 1
    value = (float(limbs[top]) * 4294967296.0 + float(limbs[top - 1])) * 4294967296.0 + float(limbs[top - 2])
    mantissa, exponent = math.frexp(sign * value)
    return mantissa, exponent + low + _BITS * (top - 2)


@lean_kernel
def orientation_sign(ax, ay, bx, by, cx, cy, limbs):
    """1.0 where a, b, c turn left, -1.0 where they turn right, 0.0 on a line; exact."""
    dax, day, dbx, dby = ax - cx, ay - cy, bx - cx, by - cy
    left, right = dax * dby, day * dbx
    determinant, size = left - right, abs(left) + abs(right)
    # Not where a difference is infinite: then both sides are, or NaN.
    if size > TINY and abs(determinant) > FILTER * size:
        return 1.0 if determinant > 0.0 else -1.0
    if (dax == 0.0 or dby == 0.0) and (day == 0.0 or dbx == 0.0):
        return 0.0
    return np.sign(exact_orientation(ax, ay, bx, by, cx, cy, limbs)[0])
