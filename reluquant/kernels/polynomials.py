"""Real polynomials in the power basis, coefficients ascending: values, and all points where the sign changes."""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import lean_kernel

# Root isolation halves an interval at most this often: two sign changes closer than 2^-40 of it are none.
DEEPEST = 40
MAX_BISECTIONS = 200


@lean_kernel
def horner(series, theta):
    """Value at θ."""
    total = series[-1]
    for i in range(series.size - 2, -1, -1):
        total = total * theta + series[i]
    return total


@lean_kernel
def _variations(row):
    """Number of sign changes in a row of Bernstein coefficients, and its first and last sign.

    The number bounds that of the roots inside, and is exact when it is 0 or 1 (Descartes).
    """
    count, first, last = 0, 0.0, 0.0
    for value in row:
        if value != 0.0:
            sign = 1.0 if value > 0.0 else -1.0
            count += sign * last < 0.0
            first, last = (sign if first == 0.0 else first), sign
    return count, first, last


@lean_kernel
def _split(row, left):
    """Halve the interval of a Bernstein polynomial (de Casteljau): ``left`` gets the left half, ``row`` the right."""
    size = row.size
    for i in range(size):
        left[i] = row[0]
        for j in range(size - 1 - i):
            row[j] = 0.5 * (row[j] + row[j + 1])


@lean_kernel
def sign_changes(series, hi, work, roots):
    """Write all points of (0, hi) where a polynomial changes sign, ascending, then inf.

    Bernstein coefficients on dyadic intervals: none can be missed that is not a pair closer than
    2^-DEEPEST of ``hi`` (Collins & Akritas 1976; Rouillier & Zimmermann 2004).
    """
    size = series.size
    row = work[0]
    power, choose = 1.0, 1.0
    for i in range(size):
        row[i] = series[i] * power / choose
        power *= hi
        choose *= (size - 1 - i) / (i + 1.0)
    for k in range(1, size):
        for j in range(size - 1, k - 1, -1):
            row[j] += row[j - 1]
    roots[:] = np.inf
    n_roots, before = 0, 0.0
    # A stack of intervals, the leftmost on top: row `top` belongs to (start, start + width).
    top, start, width, depth = 0, 0.0, 1.0, 0
    for _ in range(2 * size * DEEPEST + 2):
        count, first, last = _variations(work[top])
        if count > 1 and depth < DEEPEST:
            # The right half stays in this row, the left half goes on top.
            _split(work[top], work[top + 1])
            top, width, depth = top + 1, 0.5 * width, depth + 1
            continue
        if before * first < 0.0 and n_roots < size:
            # A root on the very border of two intervals.
            roots[n_roots] = start * hi
            n_roots += 1
        before = last if last != 0.0 else before
        if count % 2 == 1 and n_roots < size:
            left, right, falling = start, start + width, first > 0.0
            for _ in range(MAX_BISECTIONS):
                middle = 0.5 * (left + right)
                if middle <= left or middle >= right:
                    break
                if (horner(series, middle * hi) > 0.0) == falling:
                    left = middle
                else:
                    right = middle
            roots[n_roots] = right * hi
            n_roots += 1
        # Go on with the interval to the right: a right half has an odd number in units of its width.
        start += width
        if top == 0:
            return
        top -= 1
        # The right halves on the stack lie at halving depths; this one starts where the finished one ended.
        while depth > 0 and (start / width) % 2.0 == 0.0:
            width, depth = 2.0 * width, depth - 1
