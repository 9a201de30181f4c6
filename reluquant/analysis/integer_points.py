"""Points as exact integers: their digits for the kernels, and the dimension that they span."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.predicates import common_integers
from reluquant.kernels.orientation import DIGIT_BITS, SCALE_BITS
from reluquant.structures.arrays import Floats

_MANTISSA_BITS = 53
# Of so many points, spread evenly over the sorted ones, most sets span what all of them span.
_FEW = 64


def scaled(points: Floats) -> Floats:
    """Return points times the power of two that makes the largest coordinate just less than 2^100."""
    top = int(np.frexp(np.abs(points).max(initial=0.0))[1])
    # In two steps, since 2^(100 - top) itself may be too large.
    half = (SCALE_BITS - top) // 2
    return np.ldexp(np.ldexp(points, half), SCALE_BITS - top - half)


def integer_digits(points: Floats) -> NDArray[np.int64]:
    """Return points as integers times one power of two: ``sum(digits[..., k] * 2**(28 * k))``.

    There are digits enough for what `reluquant.kernels.orientation` computes with them.

    Parameters
    ----------
    points : ndarray, shape (n_points, n_features)
        Finite.

    Returns
    -------
    ndarray of int64, shape (n_points, n_features, n_digits)
        Each below 2^30 in size.
    """
    mantissa, exponent = np.frexp(points)
    integers = np.ldexp(mantissa, _MANTISSA_BITS).astype(np.int64)
    used = integers != 0
    lowest_bit = np.frexp((integers & -integers).astype(np.float64))[1] - 1
    shift = exponent.astype(np.int64)
    lowest = int((shift + lowest_bit)[used].min(initial=2**20))
    shift = np.where(used, shift - lowest, 0)
    integers = np.where(shift < 0, integers >> np.maximum(-shift, 0), integers)
    shift = np.maximum(shift, 0)
    bits = int((np.frexp(np.abs(integers).astype(np.float64))[1] + shift).max())
    # A difference takes one bit more, the sums of a determinant and of a square at most 3 + log2(n_features), and five
    # are for points inside, which are integers times up to 30.
    n_digits = -(-(bits + 9 + points.shape[1].bit_length()) // DIGIT_BITS)
    digits = np.zeros((*points.shape, n_digits + 4), dtype=np.int64)
    place, shift = np.divmod(shift, DIGIT_BITS)
    mask = (1 << DIGIT_BITS) - 1
    at = np.indices(points.shape)
    for part, offset in ((integers & mask, 0), (integers >> DIGIT_BITS, 1)):
        moved = part << shift
        digits[at[0], at[1], place + offset] += moved & mask
        digits[at[0], at[1], place + offset + 1] += moved >> DIGIT_BITS
    return np.ascontiguousarray(_carried(digits)[..., :n_digits])


def independent_points(points: Floats) -> tuple[list[int], list[int]]:
    """Return points that span what all points span, and coordinates that tell the points of that span apart.

    Parameters
    ----------
    points : ndarray, shape (n_points, n_features)
        Finite, at least one.

    Returns
    -------
    rows : list of int, length dimension + 1
        Affinely independent points.
    columns : list of int, length dimension
        Ascending. Dropping the other coordinates maps the span to a space of its dimension, one to one.
    """
    few = np.unique(np.linspace(0, points.shape[0] - 1, _FEW).astype(np.int64))
    rows, columns = _eliminated(points[few])
    if len(columns) < points.shape[1] and few.size < points.shape[0]:
        return _eliminated(points)
    return few[rows].tolist(), columns


def _eliminated(points: Floats) -> tuple[list[int], list[int]]:
    integers, _ = common_integers(points.ravel())
    rest = np.array(integers, dtype=object).reshape(points.shape)
    rest = rest - rest[0]
    rows, columns, before = [0], [], 1
    while (left := np.argwhere(rest != 0)).size:
        row, column = left[0].tolist()
        pivot = rest[row, column]
        # Without fractions (Bareiss 1968): the division leaves no remainder.
        rest = (rest * pivot - rest[:, [column]] * rest[row]) // before
        rows, columns, before = [*rows, row], [*columns, column], pivot
    return rows, sorted(columns)


def _carried(digits: NDArray[np.int64]) -> NDArray[np.int64]:
    half, carry = 1 << (DIGIT_BITS - 1), 0
    for k in range(digits.shape[-1]):
        digit = digits[..., k] + carry
        carry = (digit + half) >> DIGIT_BITS
        digits[..., k] = digit - (carry << DIGIT_BITS)
    return digits
