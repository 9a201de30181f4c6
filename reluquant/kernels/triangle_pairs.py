"""The common refinement of two sets of triangles, with the values that an affine function on each has there."""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.exact_sums import turn
from reluquant.kernels.jit import kernel

# Long thin triangles meet many boxes of the grid; beyond so many entries a triangle the grid gets coarser.
_ENTRIES = 16


@kernel
def _box(triangle):
    x0, x1, x2 = triangle[0, 0], triangle[1, 0], triangle[2, 0]
    y0, y1, y2 = triangle[0, 1], triangle[1, 1], triangle[2, 1]
    return min(x0, x1, x2), max(x0, x1, x2), min(y0, y1, y2), max(y0, y1, y2)


@kernel
def _columns(low, high, origin, width, n):
    """First and last of the n columns of a grid that an interval meets."""
    if width == 0:
        return 0, 0
    first, last = (low - origin) / width, (high - origin) / width
    return int(min(max(first, 0.0), n - 1.0)), int(min(max(last, 0.0), n - 1.0))


@kernel
def _grid(triangles):
    """Boxes over triangles: number in a row, corner, widths, and which triangles meet each, as offsets and a list."""
    n_triangles = triangles.shape[0]
    left = right = triangles[0, 0, 0]
    bottom = top = triangles[0, 0, 1]
    for t in range(n_triangles):
        x_low, x_high, y_low, y_high = _box(triangles[t])
        left, right, bottom, top = min(left, x_low), max(right, x_high), min(bottom, y_low), max(top, y_high)
    n = max(int(math.sqrt(n_triangles)), 1)
    while True:
        width, height = (right - left) / n, (top - bottom) / n
        offsets = np.zeros(n * n + 1, np.int64)
        for t in range(n_triangles):
            x_low, x_high, y_low, y_high = _box(triangles[t])
            c0, c1 = _columns(x_low, x_high, left, width, n)
            r0, r1 = _columns(y_low, y_high, bottom, height, n)
            for r in range(r0, r1 + 1):
                for c in range(c0, c1 + 1):
                    offsets[r * n + c + 1] += 1
        for i in range(n * n):
            offsets[i + 1] += offsets[i]
        if n == 1 or offsets[n * n] <= _ENTRIES * n_triangles:
            break
        n //= 2
    members, used = np.empty(offsets[n * n], np.int64), np.zeros(n * n, np.int64)
    for t in range(n_triangles):
        x_low, x_high, y_low, y_high = _box(triangles[t])
        c0, c1 = _columns(x_low, x_high, left, width, n)
        r0, r1 = _columns(y_low, y_high, bottom, height, n)
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                members[offsets[r * n + c] + used[r * n + c]] = t
                used[r * n + c] += 1
    return n, left, bottom, width, height, offsets, members


@kernel
def _sides(p, q, sides):
    """Write twice the signed areas that edge i of p (opposite corner i) spans with the corners k of q."""
    for i in range(3):
        b, c = (i + 1) % 3, (i + 2) % 3
        for k in range(3):
            sides[i, k] = turn(p[b, 0], p[b, 1], p[c, 0], p[c, 1], q[k, 0], q[k, 1])


@kernel
def _common(p, q, f, g, of_p, of_q, found):
    """Write the corners of what p and q have in common, with the values of f on p and g on q; return their number.

    A corner is a corner of p in q, a corner of q in p, or where two edges meet. Each value is a convex combination
    at the corners of its own triangle: of all three, or of the two ends of the edge.
    """
    _sides(p, q, of_p)
    _sides(q, p, of_q)
    for i in range(3):
        if max(of_p[i, 0], of_p[i, 1], of_p[i, 2]) <= 0 or max(of_q[i, 0], of_q[i, 1], of_q[i, 2]) <= 0:
            return 0
    n = 0
    for k in range(3):
        if of_p[0, k] >= 0 and of_p[1, k] >= 0 and of_p[2, k] >= 0:
            whole = of_p[0, k] + of_p[1, k] + of_p[2, k]
            found[n, 0], found[n, 1], found[n, 3] = q[k, 0], q[k, 1], g[k]
            found[n, 2] = (of_p[0, k] * f[0] + of_p[1, k] * f[1] + of_p[2, k] * f[2]) / whole
            n += 1
        if of_q[0, k] >= 0 and of_q[1, k] >= 0 and of_q[2, k] >= 0:
            whole = of_q[0, k] + of_q[1, k] + of_q[2, k]
            found[n, 0], found[n, 1], found[n, 2] = p[k, 0], p[k, 1], f[k]
            found[n, 3] = (of_q[0, k] * g[0] + of_q[1, k] * g[1] + of_q[2, k] * g[2]) / whole
            n += 1
    for i in range(3):
        b, c = (i + 1) % 3, (i + 2) % 3
        for k in range(3):
            d, e = (k + 1) % 3, (k + 2) % 3
            if of_p[i, d] * of_p[i, e] < 0 and of_q[k, b] * of_q[k, c] < 0:
                along_p = of_q[k, b] / (of_q[k, b] - of_q[k, c])
                along_q = of_p[i, d] / (of_p[i, d] - of_p[i, e])
                found[n, 2], found[n, 3] = f[b] + along_p * (f[c] - f[b]), g[d] + along_q * (g[e] - g[d])
                for axis in range(2):
                    step_p, step_q = along_p * (p[c, axis] - p[b, axis]), along_q * (q[e, axis] - q[d, axis])
                    # From the end that is nearer: it rounds less.
                    found[n, axis] = p[b, axis] + step_p if abs(step_p) < abs(step_q) else q[d, axis] + step_q
                n += 1
    return n


@kernel
def _sort_around(found, n, angle):
    """Sort the corners of a convex polygon by the direction in which its middle sees them."""
    x, y = 0.0, 0.0
    for i in range(n):
        x += found[i, 0] / n
        y += found[i, 1] / n
    for i in range(n):
        angle[i] = math.atan2(found[i, 1] - y, found[i, 0] - x)
    for i in range(1, n):
        for j in range(i, 0, -1):
            if angle[j] >= angle[j - 1]:
                break
            angle[j], angle[j - 1] = angle[j - 1], angle[j]
            for axis in range(4):
                found[j, axis], found[j - 1, axis] = found[j - 1, axis], found[j, axis]


@kernel
def _twice(rows):
    longer = np.empty((2 * rows.shape[0], rows.shape[1], rows.shape[2]))
    for i in range(rows.shape[0]):
        for k in range(rows.shape[1]):
            for axis in range(rows.shape[2]):
                longer[i, k, axis] = rows[i, k, axis]
    return longer


@kernel
def common_triangles(p, q, f, g):
    """Triangles that tile the intersections of triangles p with triangles q.

    Parameters
    ----------
    p, q : ndarray, shapes (n_p, 3, 2), (n_q, 3, 2), n_q ≥ 1
        Corners, counterclockwise.
    f, g : ndarray, shapes (n_p, 3), (n_q, 3)
        Values at the corners.

    Returns
    -------
    ndarray, shape (n, 3, 4)
        At each corner: x, y, value of f, value of g.
    """
    n, left, bottom, width, height, offsets, members = _grid(q)
    out, n_out = np.empty((4 * (p.shape[0] + q.shape[0]), 3, 4)), 0
    seen = np.full(q.shape[0], -1, np.int64)
    found, angle = np.empty((16, 4)), np.empty(16)
    of_p, of_q = np.empty((3, 3)), np.empty((3, 3))
    for t in range(p.shape[0]):
        x_low, x_high, y_low, y_high = _box(p[t])
        c0, c1 = _columns(x_low, x_high, left, width, n)
        r0, r1 = _columns(y_low, y_high, bottom, height, n)
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                for entry in range(offsets[r * n + c], offsets[r * n + c + 1]):
                    other = members[entry]
                    if seen[other] == t:
                        continue
                    seen[other] = t
                    x0, x1, y0, y1 = _box(q[other])
                    if x1 <= x_low or x_high <= x0 or y1 <= y_low or y_high <= y0:
                        continue
                    size = _common(p[t], q[other], f[t], g[other], of_p, of_q, found)
                    if size < 3:
                        continue
                    _sort_around(found, size, angle)
                    for i in range(2, size):
                        b, c = found[i - 1], found[i]
                        if turn(found[0, 0], found[0, 1], b[0], b[1], c[0], c[1]) > 0:
                            if n_out == out.shape[0]:
                                out = _twice(out)
                            for axis in range(4):
                                out[n_out, 0, axis] = found[0, axis]
                                out[n_out, 1, axis] = found[i - 1, axis]
                                out[n_out, 2, axis] = found[i, axis]
                            n_out += 1
    return out[:n_out]
