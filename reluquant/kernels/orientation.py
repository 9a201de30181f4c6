"""On which side of a simplex's facets a point is, and whether it is in its circumsphere: exactly, for any float64.

Everything is in the numbers ``b_i``: the volume of a simplex whose vertex ``i`` has been moved to a point ``q``. They
are the barycentric coordinates of ``q`` times the volume of the simplex. For a positively oriented simplex ``b_i < 0``
means that ``q`` is beyond the facet opposite vertex ``i``, and ``Σ b_i |v_i − q|² > 0`` that it is inside the
circumsphere: the paraboloid's chord over ``q`` is above the paraboloid.

Floats decide the clear cases. The others are decided with integers of any length: coordinates are integers times one
power of two, ``x = Σ_k digit_k 2^(28 k)``. Digits are signed, in [−2^27, 2^27), so that sums and differences need no
borrowing, products of digits can be added in int64, and the sign of a number is that of its highest digit. In the
text, ``rank`` is the dimension of the simplex: its volume is measured in the first ``rank`` coordinates, distances in
all.
"""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel

DIGIT_BITS = 28
_HALF = 1 << (DIGIT_BITS - 1)
_EPS = float(np.finfo(np.float64).eps)
# A rank × rank determinant of rounded differences, expanded column by column, is off by (rank² + 3 rank − 2)/2 ≤ 19
# half eps of the sum of its terms' sizes for rank ≤ 5; the sums of the sphere add 8 + n_features half eps. Doubled.
_VOLUME_ROUNDING = 20 * _EPS
_SPHERE_ROUNDING = 30 * _EPS
# Coordinates are below 2^100, products below 2^717. What underflows, in them or in coordinates that were scaled down,
# is below 2^−1074 and at most multiplied by 2^620 afterwards.
SCALE_BITS = 100
_UNDERFLOW = 2.0**-400


def workspace(rank: int, n_features: int, n_digits: int) -> tuple[np.ndarray, ...]:
    """Room for one point against one simplex: numbers, sizes, and the digits of both."""
    subsets, rows = 1 << (rank + 1), rank + 1
    return (
        np.zeros((rows, n_features)),
        np.zeros((2, subsets)),
        np.zeros((rows, n_features, n_digits), dtype=np.int64),
        np.zeros((subsets, rank * n_digits), dtype=np.int64),
        np.zeros((2, (rank + 2) * n_digits), dtype=np.int64),
        np.zeros(rows, dtype=np.int64),
    )


@kernel
def _carry(number, width):
    """Bring the digits of a number into [−2^27, 2^27)."""
    carry = 0
    for k in range(width):
        digit = number[k] + carry
        carry = (digit + _HALF) >> DIGIT_BITS
        number[k] = digit - (carry << DIGIT_BITS)


@kernel
def _add_product(total, a, a_width, b, b_width, sign):
    """Add ``sign · a · b`` to a number that has room for it."""
    for i in range(a_width):
        digit = sign * a[i]
        if digit != 0:
            for j in range(b_width):
                total[i + j] += digit * b[j]
    _carry(total, total.size)


@kernel
def _sign(number, width):
    """Sign of a number whose digits are in range."""
    for k in range(width - 1, -1, -1):
        if number[k] != 0:
            return 1 if number[k] > 0 else -1
    return 0


@kernel
def _float_volumes(points, vertices, q, rank, work):
    """Determinants of all sets of rows ``v_i − q``, and the sums of the sizes of their terms.

    A set of k rows is a bit mask and is expanded along its last column, the k-th coordinate.
    """
    differences, table = work[0], work[1]
    for i in range(rank + 1):
        for c in range(points.shape[1]):
            differences[i, c] = points[vertices[i], c] - points[q, c]
    table[:, 0] = 1.0
    for rows in range(1, (1 << (rank + 1)) - 1):
        size = 0
        for i in range(rank + 1):
            size += (rows >> i) & 1
        # The last of k rows has the sign +.
        value, magnitude, sign = 0.0, 0.0, 1.0 if size % 2 else -1.0
        for i in range(rank + 1):
            if (rows >> i) & 1:
                entry, rest = differences[i, size - 1], rows ^ (1 << i)
                value += sign * entry * table[0, rest]
                magnitude += abs(entry) * table[1, rest]
                sign = -sign
        table[0, rows], table[1, rows] = value, magnitude


@kernel
def _exact_volumes(digits, vertices, q, rank, work):
    """The same determinants in integers."""
    differences, table, n_digits = work[2], work[3], digits.shape[2]
    for i in range(rank + 1):
        for c in range(digits.shape[1]):
            for k in range(n_digits):
                differences[i, c, k] = digits[vertices[i], c, k] - digits[q, c, k]
            _carry(differences[i, c], n_digits)
    table[:] = 0
    for rows in range(1, (1 << (rank + 1)) - 1):
        size = 0
        for i in range(rank + 1):
            size += (rows >> i) & 1
        sign = 1 if size % 2 else -1
        for i in range(rank + 1):
            if (rows >> i) & 1:
                if size == 1:
                    table[rows, :n_digits] = differences[i, 0]
                else:
                    _add_product(table[rows, : size * n_digits], differences[i, size - 1], n_digits,
                                 table[rows ^ (1 << i)], (size - 1) * n_digits, sign)  # fmt: skip
                sign = -sign


@kernel
def _exact_sphere(digits, rank, work):
    """Sign of ``Σ b_i |v_i − q|²`` from the integers that `_exact_volumes` has left."""
    differences, table, lift, total, n_digits = work[2], work[3], work[4][0], work[4][1], digits.shape[2]
    everyone = (1 << (rank + 1)) - 1
    total[:] = 0
    for i in range(rank + 1):
        lift[:] = 0
        for c in range(digits.shape[1]):
            _add_product(lift[: 2 * n_digits], differences[i, c], n_digits, differences[i, c], n_digits, 1)
        _add_product(total, lift, 2 * n_digits, table[everyone ^ (1 << i)], rank * n_digits, 1 - 2 * (i % 2))
    return _sign(total, total.size)


@kernel
def exact_sides(digits, vertices, q, rank, work, sides):
    """Write the signs of all ``b_i``, from integers alone."""
    _exact_volumes(digits, vertices, q, rank, work)
    for i in range(rank + 1):
        flip = 1 - 2 * (i % 2)
        sides[i] = flip * _sign(work[3][((1 << (rank + 1)) - 1) ^ (1 << i)], rank * digits.shape[2])


@kernel
def sides_of(points, digits, vertices, q, rank, work, sides):
    """Write the exact signs of all ``b_i`` of point ``q`` and the simplex with these vertices.

    ``points`` are below 2^100 and ``digits`` their integers; where scaling has made points underflow, the digits count.
    """
    _float_volumes(points, vertices, q, rank, work)
    table = work[1]
    for i in range(rank + 1):
        rows = ((1 << (rank + 1)) - 1) ^ (1 << i)
        if abs(table[0, rows]) <= _VOLUME_ROUNDING * table[1, rows] + _UNDERFLOW:
            exact_sides(digits, vertices, q, rank, work, sides)
            return
        sides[i] = 1 if (table[0, rows] > 0.0) == (i % 2 == 0) else -1


@kernel
def sphere_side(points, digits, vertices, q, rank, work):
    """Exact sign of ``Σ b_i |v_i − q|²``: 1 inside the circumsphere of a positive simplex, 0 on it, −1 outside."""
    _float_volumes(points, vertices, q, rank, work)
    differences, table = work[0], work[1]
    value, magnitude, n_features = 0.0, 0.0, points.shape[1]
    for i in range(rank + 1):
        lift = 0.0
        for c in range(n_features):
            lift += differences[i, c] * differences[i, c]
        rows = ((1 << (rank + 1)) - 1) ^ (1 << i)
        value += lift * table[0, rows] * (1.0 - 2.0 * (i % 2))
        magnitude += lift * table[1, rows]
    if abs(value) > (_SPHERE_ROUNDING + n_features * _EPS) * magnitude + _UNDERFLOW:
        return 1 if value > 0.0 else -1
    _exact_volumes(digits, vertices, q, rank, work)
    return _exact_sphere(digits, rank, work)


@kernel
def in_sphere(points, digits, vertices, q, rank, work):
    """Whether ``q`` is inside the circumsphere when every point's square is raised by an infinitesimal amount.

    The amounts are those of a lower index, infinitely larger than those of a higher one. So no ``rank + 2`` points are
    ever on one sphere, and answers never contradict each other: all come from one set of heights.
    """
    side = sphere_side(points, digits, vertices, q, rank, work)
    if side == 0:
        sides, first = work[5], q
        exact_sides(digits, vertices, q, rank, work, sides)
        side = -1
        for i in range(rank + 1):
            if sides[i] != 0 and vertices[i] < first:
                first, side = vertices[i], sides[i]
    return side > 0
