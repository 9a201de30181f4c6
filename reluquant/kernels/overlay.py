"""The difference of ReLU neurons and an affine function on triangles, cut into the cells on which it is affine.

In barycentric coordinates every triangle is the same one, corners (0, 0), (1, 0), (0, 1), and an affine function is
its three values at the corners. So neither the place, nor the size, nor the shape of a triangle costs digits.
"""

from __future__ import annotations

import numpy as np

from reluquant.kernels.exact_sums import two_product, two_sum
from reluquant.kernels.jit import kernel

# s = s0 + u (s1 - s0) + v (s2 - s0) is known up to so much of the largest |s| at a corner, u and v being rounded too.
# A cell that a line enters by less is not cut: cutting it would change no value by more than rounding does.
ROUNDING = 16 * 2.0**-52


@kernel
def corner_values(points, origin, W, a, S, F):
    """Write ``S[i, j] = W_j · [points_i + origin, 1]`` and ``F[i] = Σ_j a_j relu(S[i, j])``, each rounded once."""
    m = W.shape[0]
    bias, bias_low = np.empty(m), np.empty(m)
    for j in range(m):
        p, p_low = two_product(W[j, 0], origin[0])
        q, q_low = two_product(W[j, 1], origin[1])
        total, low = two_sum(p, q)
        total, lower = two_sum(total, W[j, 2])
        bias[j], bias_low[j] = total, low + lower + p_low + q_low
    for i in range(points.shape[0]):
        x, y = points[i, 0], points[i, 1]
        f, f_low = 0.0, 0.0
        for j in range(m):
            p, p_low = two_product(W[j, 0], x)
            q, q_low = two_product(W[j, 1], y)
            total, low = two_sum(p, q)
            total, lower = two_sum(total, bias[j])
            s = total + (low + lower + p_low + q_low + bias_low[j])
            S[i, j] = s
            if s > 0:
                p, p_low = two_product(a[j], s)
                f, low = two_sum(f, p)
                f_low += low + p_low
        F[i] = f + f_low


@kernel
def _longer(values, size):
    """The values in an array of at least ``size``; the old one if it is long enough."""
    if size <= values.shape[0]:
        return values
    longer = np.empty(2 * size, values.dtype)
    for i in range(values.shape[0]):
        longer[i] = values[i]
    return longer


@kernel
def split_triangles(S, a, corners, base):
    """Cut every triangle along the neurons that cross it.

    Depth first: a cell keeps the list of the neurons that still cross it and its affine difference, to which a neuron
    is added as soon as it is active on all of the cell. Then one of the list cuts the cell in two.

    Parameters
    ----------
    S : ndarray, shape (n_points, n_neurons)
        What each neuron's relu is applied to.
    a : ndarray, shape (n_neurons,)
    corners : ndarray of int, shape (n_triangles, 3)
        Rows of S.
    base : ndarray, shape (n_triangles, 3)
        The difference at the corners, with ``Σ_j a_j relu(S[:, j])`` in it.

    Returns
    -------
    sup : ndarray, shape (n_triangles,)
        The largest absolute difference.
    at : ndarray, shape (n_triangles, 2)
        Barycentric coordinates, of corners 1 and 2, of a point where it is attained.
    square : ndarray, shape (n_triangles,)
        The mean of the squared difference.
    cells : ndarray of int, shape (n_triangles,)
        Number of cells.
    """
    n, m = corners.shape[0], S.shape[1]
    sup, at, square, cells = np.zeros(n), np.zeros((n, 2)), np.zeros(n), np.zeros(n, np.int64)
    # The neurons that cross the triangle: value at corner 0, increments along u and v, rounding, output weight.
    neuron = np.empty((m, 5))
    # Pending cells: first vertex, number of vertices, first of the list, length of the list; the affine difference.
    # Each cut replaces one by two and uses up a neuron, so there are never more than m + 1.
    span, plane = np.empty((m + 2, 4), np.int64), np.empty((m + 2, 3))
    u, v, lists = np.empty(64), np.empty(64), np.empty(64, np.int64)
    cu, cv, cs = np.empty(64), np.empty(64), np.empty(64)
    for t in range(n):
        i0, i1, i2 = corners[t, 0], corners[t, 1], corners[t, 2]
        d0, d1, d2 = base[t, 0], base[t, 1], base[t, 2]
        k = 0
        for j in range(m):
            s0, s1, s2 = S[i0, j], S[i1, j], S[i2, j]
            if (s0 > 0 or s1 > 0 or s2 > 0) and (s0 < 0 or s1 < 0 or s2 < 0) and a[j] != 0:
                d0 -= a[j] * max(s0, 0.0)
                d1 -= a[j] * max(s1, 0.0)
                d2 -= a[j] * max(s2, 0.0)
                neuron[k, 0], neuron[k, 1], neuron[k, 2] = s0, s1 - s0, s2 - s0
                neuron[k, 3] = ROUNDING * max(abs(s0), abs(s1), abs(s2))
                neuron[k, 4] = a[j]
                k += 1
        lists = _longer(lists, k)
        for j in range(k):
            lists[j] = j
        u[0], v[0], u[1], v[1], u[2], v[2] = 0.0, 0.0, 1.0, 0.0, 0.0, 1.0
        span[0, 0], span[0, 1], span[0, 2], span[0, 3] = 0, 3, 0, k
        plane[0, 0], plane[0, 1], plane[0, 2] = d0, d1 - d0, d2 - d0
        pending, largest, total, total_low = 1, -1.0, 0.0, 0.0
        while pending > 0:
            pending -= 1
            first, size, start, length = span[pending, 0], span[pending, 1], span[pending, 2], span[pending, 3]
            d0, d1, d2 = plane[pending, 0], plane[pending, 1], plane[pending, 2]
            # This list goes behind that of the cell above, which the other half of that cell still needs.
            keep, stop = start + length, start + length
            lists = _longer(lists, keep + length)
            for i in range(start, stop):
                j = lists[i]
                n0, n1, n2 = neuron[j, 0], neuron[j, 1], neuron[j, 2]
                low = high = n0 + n1 * u[first] + n2 * v[first]
                for p in range(first + 1, first + size):
                    s = n0 + n1 * u[p] + n2 * v[p]
                    low, high = min(low, s), max(high, s)
                if low >= -neuron[j, 3]:
                    d0 += neuron[j, 4] * n0
                    d1 += neuron[j, 4] * n1
                    d2 += neuron[j, 4] * n2
                elif high > neuron[j, 3]:
                    lists[keep] = j
                    keep += 1
            if keep == stop:
                cells[t] += 1
                e0 = d0 + d1 * u[first] + d2 * v[first]
                if abs(e0) > largest:
                    largest, at[t, 0], at[t, 1] = abs(e0), u[first], v[first]
                e1, x1, y1 = 0.0, 0.0, 0.0
                for p in range(first + 1, first + size):
                    e2, x2, y2 = d0 + d1 * u[p] + d2 * v[p], u[p] - u[first], v[p] - v[first]
                    if abs(e2) > largest:
                        largest, at[t, 0], at[t, 1] = abs(e2), u[p], v[p]
                    if p > first + 1:
                        # The integral over a triangle of a fan; a sum of squares, so that nothing cancels.
                        share = (x1 * y2 - x2 * y1) / 12.0
                        total, low = two_sum(total, share * ((e0 + e1) ** 2 + (e1 + e2) ** 2 + (e2 + e0) ** 2))
                        total_low += low
                    e1, x1, y1 = e2, x2, y2
                continue
            # Any of the list may cut. One from nowhere in particular keeps lists short where neurons are sorted.
            chosen = stop + (cells[t] * 40503 + keep) % (keep - stop)
            j = lists[chosen]
            keep -= 1
            lists[chosen] = lists[keep]
            n0, n1, n2, rounding = neuron[j, 0], neuron[j, 1], neuron[j, 2], neuron[j, 3]
            cu, cv, cs = _longer(cu, size), _longer(cv, size), _longer(cs, size)
            for p in range(size):
                cu[p], cv[p] = u[first + p], v[first + p]
                cs[p] = n0 + n1 * cu[p] + n2 * cv[p]
                if abs(cs[p]) <= rounding:
                    cs[p] = 0.0
            u, v = _longer(u, first + 2 * size + 4), _longer(v, first + 2 * size + 4)
            end = first
            for side in (-1.0, 1.0):
                begin = end
                for p in range(size):
                    q = p + 1 if p + 1 < size else 0
                    if cs[p] * side >= 0:
                        u[end], v[end] = cu[p], cv[p]
                        end += 1
                    if cs[p] * cs[q] < 0:
                        # The same for both cells: from the same end of the edge.
                        i, o = (p, q) if cs[p] > 0 else (q, p)
                        part = cs[i] / (cs[i] - cs[o])
                        u[end], v[end] = cu[i] + part * (cu[o] - cu[i]), cv[i] + part * (cv[o] - cv[i])
                        end += 1
                added = neuron[j, 4] if side > 0 else 0.0
                span[pending, 0], span[pending, 1] = begin, end - begin
                span[pending, 2], span[pending, 3] = stop, keep - stop
                plane[pending, 0], plane[pending, 1] = d0 + added * n0, d1 + added * n1
                plane[pending, 2] = d2 + added * n2
                pending += 1
        sup[t], square[t] = largest, total + total_low
    return sup, at, square, cells
