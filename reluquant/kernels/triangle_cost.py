"""How far a ReLU network is from an affine function on a triangle, in the mean square.

All is in barycentric coordinates: a neuron is its three values at the corners, so nothing depends on where the
triangle lies or how thin it is. A neuron whose values do not change sign there is affine, and is its own interpolant.
Each other one cuts the triangle along its kink: ``relu(s)`` minus its interpolant has the values ``min(s, 0)`` at the
corners on one side, and ``-max(s, 0)`` on the other. Convex cells are cut neuron by neuron, depth first; on the last
ones the difference is affine and its square is integrated in closed form.
"""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.jit import kernel

# Interpolated values round by a few units of eps of the largest corner's: below that a corner of a cell is on the kink.
ON_KINK = 16 * 2.0**-52


@kernel
def affine_values(points, W):
    """Return ``W · [x, 1]``, shape (n_points, n_neurons), for points of the plane, with errors of order eps².

    The bias may cancel what the weights give, wherever the points are far from the origin.
    """
    values = np.empty((points.shape[0], W.shape[0]))
    for i in range(points.shape[0]):
        for j in range(W.shape[0]):
            p, p_tail = product(W[j, 0], points[i, 0])
            q, q_tail = product(W[j, 1], points[i, 1])
            first, first_tail = total(p, q)
            value, tail = total(first, W[j, 2])
            tail += first_tail + p_tail + q_tail
            values[i, j] = value + tail if math.isfinite(tail) else value
    return values


@kernel
def product(u, v):
    """Rounded product and what was rounded off, by Dekker's splitting."""
    rounded = u * v
    c = 134217729.0 * u
    u_high = c - (c - u)
    c = 134217729.0 * v
    v_high = c - (c - v)
    tail = ((u_high * v_high - rounded) + u_high * (v - v_high) + (u - u_high) * v_high) + (u - u_high) * (v - v_high)
    return rounded, tail


@kernel
def total(u, v):
    """Rounded sum and what was rounded off (Knuth)."""
    rounded = u + v
    w = rounded - u
    return rounded, (u - (rounded - w)) + (v - w)


@kernel
def mean_squares(triangles, values, a, offsets):
    """Mean square over each triangle of a network minus an affine function.

    Parameters
    ----------
    triangles : ndarray of int, shape (n_triangles, 3)
    values : ndarray, shape (n_points, n_neurons)
        ``w_j · [x, 1]`` at the points.
    a : ndarray, shape (n_neurons,)
    offsets : ndarray, shape (n_points,)
        The network minus the affine function at the points, where these are corners.

    Returns
    -------
    ndarray, shape (n_triangles,)
    """
    n_neurons = values.shape[1]
    squares = np.empty(triangles.shape[0])
    s, weights, offset = np.empty((n_neurons, 3)), np.empty(n_neurons), np.empty(3)
    for t in range(triangles.shape[0]):
        crossing = 0
        for j in range(n_neurons):
            low, high = np.inf, -np.inf
            for c in range(3):
                value = values[triangles[t, c], j]
                s[crossing, c] = value
                low, high = min(low, value), max(high, value)
            if low < 0.0 < high and a[j] != 0.0:
                weights[crossing] = a[j]
                crossing += 1
        for c in range(3):
            offset[c] = offsets[triangles[t, c]]
        squares[t] = mean_square(s[:crossing], weights[:crossing], offset)
    return squares


@kernel
def mean_square(s, a, offset):
    """Mean square over one triangle, at whose corners the values ``s`` (n_neurons, 3) of each neuron change sign."""
    n_neurons = a.shape[0]
    # Cells that wait, one after another, with the neurons that may cut them; each cut leaves one cell there.
    corners, neurons = np.empty((4 * n_neurons + 8, 3)), np.empty(4 * n_neurons + 8, np.int64)
    n_corners, n_listed = np.empty(n_neurons + 2, np.int64), np.empty(n_neurons + 2, np.int64)
    gaps, gap, level = np.empty((n_neurons + 2, 3)), np.empty(3), np.empty(corners.shape[0])
    corners[:3], neurons[:n_neurons], gaps[0] = np.eye(3), np.arange(n_neurons), offset
    n_corners[0], n_listed[0], used, listed = 3, n_neurons, 3, n_neurons
    top, result = 0, 0.0
    while top >= 0:
        start, first = used - n_corners[top], listed - n_listed[top]
        cell = corners[start:used]
        gap[:] = gaps[top]
        # Those that do not cut the cell add an affine function; the others move to the front.
        kept = first
        for place in range(first, listed):
            j = neurons[place]
            low, high = levels(cell, s[j], level)
            if low < 0.0 < high:
                neurons[kept] = j
                kept += 1
            else:
                bend(gap, a[j], s[j], high > 0.0, gap)
        if kept == first:
            result += square_on_cell(cell, gap)
            used, listed, top = start, first, top - 1
            continue
        kept -= 1
        j, rest = neurons[kept], kept - first
        # Where rounding blurs the order of the corners a cut may add more than four.
        while start + 4 * cell.shape[0] > corners.shape[0]:
            corners = np.concatenate((corners, np.empty_like(corners)))
            level = np.empty(corners.shape[0])
        if kept + rest > neurons.shape[0]:
            neurons = np.concatenate((neurons, np.empty_like(neurons)))
        cell = cell.copy()
        levels(cell, s[j], level)
        for side in (1.0, -1.0):
            n_corners[top] = cut(cell, level, side, corners[start:])
            n_listed[top] = rest
            bend(gap, a[j], s[j], side > 0.0, gaps[top])
            start, top = start + n_corners[top], top + 1
        neurons[kept : kept + rest] = neurons[first:kept]
        used, listed, top = start, kept + rest, top - 1
    return result


@kernel
def levels(cell, s, level):
    """Write a neuron's values at the corners of a cell, and return the least and the largest."""
    low, high = np.inf, -np.inf
    zero = ON_KINK * max(abs(s[0]), abs(s[1]), abs(s[2]))
    for u in range(cell.shape[0]):
        value = cell[u, 0] * s[0] + cell[u, 1] * s[1] + cell[u, 2] * s[2]
        level[u] = 0.0 if abs(value) <= zero else value
        low, high = min(low, level[u]), max(high, level[u])
    return low, high


@kernel
def bend(gap, a, s, active, bent):
    """Write ``gap`` plus what a neuron differs from its interpolant on one side of its kink."""
    for c in range(3):
        bent[c] = gap[c] + (a * min(s[c], 0.0) if active else -a * max(s[c], 0.0))


@kernel
def cut(cell, level, side, part):
    """Write the part of a convex cell where ``side * level`` is at least 0, and return its number of corners."""
    m = cell.shape[0]
    count = 0
    for u in range(m):
        v = (u + 1) % m
        if side * level[u] >= 0.0:
            part[count] = cell[u]
            count += 1
        if level[u] < 0.0 < level[v] or level[v] < 0.0 < level[u]:
            share = level[u] / (level[u] - level[v])
            for c in range(3):
                part[count, c] = (1.0 - share) * cell[u, c] + share * cell[v, c]
            count += 1
    return count


@kernel
def square_on_cell(cell, gap):
    """Integral over a convex cell of the square of the affine function with values ``gap`` at the triangle's corners.

    In units of the triangle's area; a triangle with values g, h, k has ((g + h + k)² + g² + h² + k²) / 12 of its own.
    """
    result, first, last = 0.0, 0.0, 0.0
    for u in range(cell.shape[0]):
        value = cell[u, 0] * gap[0] + cell[u, 1] * gap[1] + cell[u, 2] * gap[2]
        if u == 0:
            first = value
        if u > 1:
            p, q = cell[u - 1, 1] - cell[0, 1], cell[u - 1, 2] - cell[0, 2]
            area = p * (cell[u, 2] - cell[0, 2]) - q * (cell[u, 1] - cell[0, 1])
            mean = first + last + value
            result += area * (mean * mean + first * first + last * last + value * value) / 12.0
        last = value
    return result
