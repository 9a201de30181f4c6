"""Signs of sums of products, decided exactly for the float64 numbers as given.

A float64 is a mantissa times a power of two, so a float filter decides the clear cases for whole
arrays and Python's integers, which never round, decide the others. Mantissas and exponents are
kept apart throughout: products of weights of a network at scale 1e-300 neither underflow nor
overflow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats, row_mantissas

Signs = NDArray[np.int8]

_MANTISSA_BITS = 53
# Two products and one difference each round by at most half an ulp: 1.5 eps·(|p| + |q|) at most.
_FILTER = 4 * np.finfo(np.float64).eps
# Beyond this many binary places the smaller product cannot matter; the cap keeps ldexp from underflowing.
_FAR = 200
# Larger than any sum of products of numbers below 1 that underflow.
_UNDERFLOWS = 1e-300
# Rows whose products are held at once.
_ROWS = 4096


def integer_parts(values: Floats) -> tuple[list[int], list[int]]:
    """Return integers ``m`` and ``e`` with ``values[i] == m[i] * 2**e[i]`` exactly."""
    mantissa, exponent = np.frexp(np.asarray(values, dtype=np.float64))
    integers = np.ldexp(mantissa, _MANTISSA_BITS).astype(np.int64)
    return integers.tolist(), (exponent.astype(np.int64) - _MANTISSA_BITS).tolist()


def common_integers(values: Floats) -> tuple[list[int], int]:
    """Return integers ``m`` and one exponent ``e`` with ``values[i] == m[i] * 2**e`` exactly.

    Examples
    --------
    >>> common_integers([0.5, 3.0])
    ([1, 6], -1)
    """
    mantissas, exponents = integer_parts(values)
    trailing = [(m & -m).bit_length() - 1 for m in mantissas]
    lowest = min((e + t for m, e, t in zip(mantissas, exponents, trailing, strict=True) if m), default=0)
    return [_shifted(m, e - lowest) for m, e in zip(mantissas, exponents, strict=True)], lowest


def products(p: Floats, q: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return ``p * q`` as mantissas in (-1, 1) and exponents: rounded once, never under- or overflowing."""
    p_mantissa, p_exponent = np.frexp(p)
    q_mantissa, q_exponent = np.frexp(q)
    return p_mantissa * q_mantissa, p_exponent.astype(np.int64) + q_exponent


def product_difference_sign(a: Floats, b: Floats, c: Floats, d: Floats) -> Signs:
    """Return the exact sign of ``a*b - c*d``, element by element.

    Parameters
    ----------
    a, b, c, d : ndarray of float64
        Finite; they broadcast.

    Returns
    -------
    ndarray of int8
        -1, 0 or 1.

    Examples
    --------
    >>> product_difference_sign([1e-300], [1e-300], [1e-300], [2e-300])
    array([-1], dtype=int8)
    """
    a, b, c, d = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (a, b, c, d)))
    sign, unclear = _filtered(a, b, c, d, _FILTER)
    if unclear.any():
        sign[unclear] = _exact_difference_signs(a[unclear], b[unclear], c[unclear], d[unclear])
    return sign


def sum_of_products_sign(p: Floats, q: Floats) -> int:
    """Return the exact sign of ``sum(p * q)`` of two short arrays.

    Examples
    --------
    >>> sum_of_products_sign([1e-300, -2e-300], [2e-300, 1e-300])
    0
    """
    terms = _exact_products(p, q)
    lowest = min((e for m, e in terms if m), default=0)
    total = sum(_shifted(m, e - lowest) for m, e in terms if m)
    return (total > 0) - (total < 0)


def scalar_product_signs(p: Floats, q: Floats) -> Signs:
    """Return the exact signs (m, n) of the scalar products of the rows of ``p`` (m, r) and ``q`` (n, r).

    Examples
    --------
    >>> scalar_product_signs(np.array([[1e-300, 1.0]]), np.array([[1e300, -1.0], [1.0, 1e-300]]))
    array([[1, 1]], dtype=int8)
    """
    left, right = row_mantissas(p)[0], row_mantissas(q)[0]
    # By Cauchy and Schwarz; what underflows is added.
    bounds = (p.shape[1] + 4) * np.finfo(np.float64).eps * np.linalg.norm(right, axis=1) + _UNDERFLOWS
    signs = np.empty((len(p), len(q)), dtype=np.int8)
    for start in range(0, len(p), _ROWS):
        rows = slice(start, start + _ROWS)
        values = left[rows] @ right.T
        signs[rows] = np.sign(values)
        unclear = np.abs(values) <= np.linalg.norm(left[rows], axis=1)[:, None] * bounds
        for j, k in zip(*np.nonzero(unclear), strict=True):
            signs[start + j, k] = sum_of_products_sign(p[start + j], q[k])
    return signs


def turn_signs(x: Floats, y: Floats) -> Signs:
    """Return the exact sign of the change of slope at every interior point of a polygonal line.

    Parameters
    ----------
    x : ndarray, shape (n_points,)
        Strictly increasing.
    y : ndarray, shape (n_points,)
        Finite.

    Returns
    -------
    ndarray of int8, shape (max(n_points - 2, 0),)
        1 where the slope rises, 0 where three neighbours are collinear, -1 where it falls.

    Examples
    --------
    >>> turn_signs(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0, 2.0]))
    array([ 0, -1], dtype=int8)
    """
    if x.size < 3:
        return np.zeros(0, dtype=np.int8)
    with np.errstate(over="ignore", invalid="ignore"):
        dx, dy = np.diff(x), np.diff(y)
        finite = np.isfinite(dx) & np.isfinite(dy)
    dx, dy = np.where(finite, dx, 0.0), np.where(finite, dy, 0.0)
    # The four differences round too, by half an ulp each: twice the filter of exact factors.
    sign, unclear = _filtered(dy[1:], dx[:-1], dy[:-1], dx[1:], 2 * _FILTER)
    unclear |= ~(finite[1:] & finite[:-1])
    for i in np.flatnonzero(unclear):
        sign[i] = _exact_turn(x[i : i + 3], y[i : i + 3])
    return sign


def _filtered(a: Floats, b: Floats, c: Floats, d: Floats, rounding: float) -> tuple[Signs, NDArray[np.bool_]]:
    """Return the sign of ``a*b - c*d`` in float64, and where rounding leaves it open."""
    p, p_exponent = products(a, b)
    q, q_exponent = products(c, d)
    # The exponent of a zero product says nothing and must not shift the other one away.
    p_exponent = np.where(p == 0, q_exponent, p_exponent)
    q_exponent = np.where(q == 0, p_exponent, q_exponent)
    top = np.maximum(p_exponent, q_exponent)
    p = np.ldexp(p, np.maximum(p_exponent - top, -_FAR))
    q = np.ldexp(q, np.maximum(q_exponent - top, -_FAR))
    # A float product of mantissas or difference of inputs is zero only where the true one is.
    unclear = (np.abs(p - q) <= rounding * (np.abs(p) + np.abs(q))) & ((p != 0) | (q != 0))
    return np.array(np.sign(p - q), dtype=np.int8), unclear


def _exact_turn(x: Floats, y: Floats) -> int:
    (x0, x1, x2), _ = common_integers(x)
    (y0, y1, y2), _ = common_integers(y)
    turn = (y2 - y1) * (x1 - x0) - (y1 - y0) * (x2 - x1)
    return (turn > 0) - (turn < 0)


def _exact_difference_signs(a: Floats, b: Floats, c: Floats, d: Floats) -> list[int]:
    signs = []
    for (p, p_exponent), (q, q_exponent) in zip(_exact_products(a, b), _exact_products(c, d), strict=True):
        low = min(p_exponent, q_exponent)
        difference = _shifted(p, p_exponent - low) - _shifted(q, q_exponent - low)
        signs.append((difference > 0) - (difference < 0))
    return signs


def _exact_products(p: Sequence[float] | Floats, q: Sequence[float] | Floats) -> list[tuple[int, int]]:
    p_parts, q_parts = integer_parts(p), integer_parts(q)
    return [(m * k, e + f) for m, e, k, f in zip(*p_parts, *q_parts, strict=True)]


def _shifted(mantissa: int, places: int) -> int:
    # To the right only zeros fall off: callers shift down to the lowest set bit at most.
    return mantissa << places if places >= 0 else mantissa >> -places
