"""Convex polygons in flat arrays, searched for points."""

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
