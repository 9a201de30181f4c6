"""Convex polygons in flat arrays: cut by a line whose side of every vertex is known, and searched for points."""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.exact_sums import turn
from reluquant.kernels.jit import kernel

# A point within so much of the extent of all polygons belongs to one that is next to it: vertices are rounded.
NEAR = 64 * 2.0**-52
# Long thin polygons meet many boxes of the grid; beyond so many entries a polygon the grid gets coarser.
_ENTRIES = 16


@kernel
def cut(starts, vertices, lines, side, line, n_vertices, at_line):
    """Cut convex polygons by a line.

    Parameters
    ----------
    starts : ndarray of int, shape (n + 1,)
        Polygon i has the corners ``starts[i]:starts[i + 1]``.
    vertices, lines : ndarray of int
        For each corner of each polygon, counterclockwise, its vertex and the line of the edge that begins there.
    side : ndarray of int8, shape (n_vertices,)
        On which side of the new line each vertex is: 1, 0 or -1.
    line : int
        The new line.
    n_vertices : int
    at_line : ndarray of int, shape (n_lines,)
        Work space.

    Returns
    -------
    starts, vertices, lines
        Of the polygons after the cut. What is on the positive side, or was not cut, keeps its place; the others
        follow behind.
    parent : ndarray of int
        What those behind were cut from.
    positive : ndarray of bool
        On which side each polygon is.
    crossed : ndarray of int
        The lines that meet the new one in a new vertex, which are numbered on from ``n_vertices`` in this order.
    """
    n = starts.shape[0] - 1
    n_cut, n_corners = 0, 0
    positive = np.zeros(2 * n, np.bool_)
    is_cut = np.zeros(n, np.bool_)
    for i in range(n):
        above, below = False, False
        for p in range(starts[i], starts[i + 1]):
            above |= side[vertices[p]] > 0
            below |= side[vertices[p]] < 0
        positive[i] = above
        n_corners += starts[i + 1] - starts[i]
        if above and below:
            is_cut[i] = True
            n_cut += 1
            # Each new edge has two ends in both polygons.
            n_corners += 4
    new_starts = np.empty(n + n_cut + 1, np.int64)
    new_vertices, new_lines = np.empty(n_corners, np.int64), np.empty(n_corners, np.int64)
    parent, crossed, n_crossed = np.empty(n_cut, np.int64), np.empty(2 * n_cut, np.int64), 0
    for m in range(at_line.shape[0]):
        at_line[m] = -1
    end, row = 0, 0
    new_starts[0] = 0
    for half in range(2):
        for i in range(n):
            if half == 1 and not is_cut[i]:
                continue
            first, last = starts[i], starts[i + 1] - 1
            sign = 1 if half == 0 else -1
            for p in range(first, last + 1):
                q = p + 1 if p < last else first
                here, there = side[vertices[p]] * sign, side[vertices[q]] * sign
                if not is_cut[i] or here >= 0:
                    new_vertices[end] = vertices[p]
                    # From here on the line the polygon is left, so the next edge is the new one.
                    new_lines[end] = line if is_cut[i] and here == 0 and there < 0 else lines[p]
                    end += 1
                if is_cut[i] and here * there < 0:
                    m = lines[p]
                    if at_line[m] < 0:
                        at_line[m] = n_vertices + n_crossed
                        crossed[n_crossed] = m
                        n_crossed += 1
                    new_vertices[end] = at_line[m]
                    new_lines[end] = line if here > 0 else m
                    end += 1
            if half == 1:
                parent[row - n] = i
            row += 1
            new_starts[row] = end
    return (
        new_starts, new_vertices[:end].copy(), new_lines[:end].copy(), parent, positive[: n + n_cut].copy(),
        crossed[:n_crossed].copy(),
    )  # fmt: skip


@kernel
def _boxes(vertices, starts, margin):
    boxes = np.empty((starts.shape[0] - 1, 4))
    for i in range(starts.shape[0] - 1):
        first = starts[i]
        left = right = vertices[first, 0]
        bottom = top = vertices[first, 1]
        for p in range(first + 1, starts[i + 1]):
            left, right = min(left, vertices[p, 0]), max(right, vertices[p, 0])
            bottom, top = min(bottom, vertices[p, 1]), max(top, vertices[p, 1])
        boxes[i, 0], boxes[i, 1] = left - margin, right + margin
        boxes[i, 2], boxes[i, 3] = bottom - margin, top + margin
    return boxes


@kernel
def _column(x, origin, width, n):
    return int(min(max((x - origin) / width, 0.0), n - 1.0)) if width > 0 else 0


@kernel
def locate(points, vertices, starts):
    """Return the polygon that holds each point, or the nearest within rounding; -1 for points further off.

    Parameters
    ----------
    points : ndarray, shape (n_points, 2)
    vertices : ndarray, shape (n_corners, 2)
        Corners of polygon after polygon, counterclockwise.
    starts : ndarray of int, shape (n_polygons + 1,)
    """
    found = np.full(points.shape[0], -1, np.int64)
    left = right = vertices[0, 0]
    bottom = top = vertices[0, 1]
    for p in range(vertices.shape[0]):
        left, right = min(left, vertices[p, 0]), max(right, vertices[p, 0])
        bottom, top = min(bottom, vertices[p, 1]), max(top, vertices[p, 1])
    near = NEAR * max(right - left, top - bottom)
    boxes = _boxes(vertices, starts, near)
    n = max(int(math.sqrt(boxes.shape[0])), 1)
    while True:
        width, height = (right - left) / n, (top - bottom) / n
        offsets = np.zeros(n * n + 1, np.int64)
        for i in range(boxes.shape[0]):
            c0, c1 = _column(boxes[i, 0], left, width, n), _column(boxes[i, 1], left, width, n)
            for r in range(_column(boxes[i, 2], bottom, height, n), _column(boxes[i, 3], bottom, height, n) + 1):
                for c in range(c0, c1 + 1):
                    offsets[r * n + c + 1] += 1
        for i in range(n * n):
            offsets[i + 1] += offsets[i]
        if n == 1 or offsets[n * n] <= _ENTRIES * boxes.shape[0]:
            break
        n //= 2
    members, used = np.empty(offsets[n * n], np.int64), np.zeros(n * n, np.int64)
    for i in range(boxes.shape[0]):
        c0, c1 = _column(boxes[i, 0], left, width, n), _column(boxes[i, 1], left, width, n)
        for r in range(_column(boxes[i, 2], bottom, height, n), _column(boxes[i, 3], bottom, height, n) + 1):
            for c in range(c0, c1 + 1):
                members[offsets[r * n + c] + used[r * n + c]] = i
                used[r * n + c] += 1
    for k in range(points.shape[0]):
        x, y = points[k, 0], points[k, 1]
        box, best = _column(y, bottom, height, n) * n + _column(x, left, width, n), -near
        for entry in range(offsets[box], offsets[box + 1]):
            i = members[entry]
            if x < boxes[i, 0] or x > boxes[i, 1] or y < boxes[i, 2] or y > boxes[i, 3]:
                continue
            inside = math.inf
            for p in range(starts[i], starts[i + 1]):
                q = p + 1 if p + 1 < starts[i + 1] else starts[i]
                length = math.hypot(vertices[q, 0] - vertices[p, 0], vertices[q, 1] - vertices[p, 1])
                # The direction of an edge that is as short as rounding says nothing.
                if length > near:
                    area = turn(vertices[p, 0], vertices[p, 1], vertices[q, 0], vertices[q, 1], x, y)
                    inside = min(inside, area / length)
            if inside >= best:
                found[k], best = i, inside
                if inside >= 0:
                    break
    return found
