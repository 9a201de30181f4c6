"""The triangle that holds a point: a walk from a bucket's triangle, by exact orientations.

Queries are taken bucket by bucket, so that neighbouring ones find the same few triangles in the processor's cache;
a walk then crosses one or two edges, whatever the number of triangles (Mücke, Saias & Zhu 1999; Devillers, Pion &
Teillaud 2002). It crosses the edge that has the query furthest beyond it. Where the triangulation is not Delaunay that
may go round in circles, so a walk that takes too long goes on over edges drawn at random, and gives way to a look at
every triangle if that takes too long too.
"""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.plane_interpolation import right_to_rounding, triangle_weights
from reluquant.kernels.plane_orientation import FILTER, LIMBS, TINY, orientation_sign

# The walk from its bucket's triangle is a few steps long where points are spread evenly; in a cluster finer than the
# buckets it may be as long as a walk across all of it.
_STEPS = 200
_STEPS_PER_ROOT = 8
# A query so many buckets away from the one before it is far, and queries of which fewer are far are in a good order.
_FAR = 4.0
_WANDERING = 0.1
# Queries that are fetched together, few enough for the processor's cache.
_BLOCK = 1024
INSIDE = -1


@lean_kernel
def bucket(queries, k, j, frame, count):
    """Place of query k along axis j of a grid, count buckets long; outside the grid the nearest one."""
    # Halves, whose difference cannot overflow.
    place = (0.5 * queries[k, j] - 0.5 * frame[0, j]) * frame[1, j]
    return np.int64(min(max(0.0, place), count - 1.0))


@kernel
def visits(queries, frame, shape):
    """In which order to take queries: bucket by bucket; empty where each is near the one before it already.

    ``frame`` and ``shape`` are those of a `BucketGrid`.
    """
    n, d = queries.shape
    far = 0
    for k in range(1, n):
        for j in range(d):
            if abs(0.5 * queries[k, j] - 0.5 * queries[k - 1, j]) * frame[1, j] > _FAR:
                far += 1
                break
    if far <= _WANDERING * n:
        return np.empty(0, dtype=np.int64)
    start = np.zeros(np.prod(shape) + 1, dtype=np.int64)
    cells = np.zeros(n, dtype=np.int64)
    for k in range(n):
        for j in range(d):
            cells[k] = cells[k] * shape[j] + bucket(queries, k, j, frame, shape[j])
        start[cells[k] + 1] += 1
    for i in range(start.size - 1):
        start[i + 1] += start[i]
    order = np.empty(n, dtype=np.int64)
    for k in range(n):
        order[start[cells[k]]] = k
        start[cells[k]] += 1
    return order


@lean_kernel
def _side(x, y, facet, t, corners, limbs):
    """1.0 where (x, y) is on the inner side of the edge opposite vertex ``facet`` of triangle t, 0.0 on it, or -1.0."""
    j = facet + 1 if facet < 2 else 0
    k = j + 1 if j < 2 else 0
    return orientation_sign(
        corners[t, j, 0], corners[t, j, 1], corners[t, k, 0], corners[t, k, 1], x, y, limbs
    )  # fmt: skip


@lean_kernel
def _everywhere(x, y, corners, neighbors, limbs):
    """Triangle that holds (x, y), found among all, and INSIDE; outside the hull a triangle and its facet in the way."""
    beyond, way_out = 0, 0
    for t in range(neighbors.shape[0]):
        inside = True
        for facet in range(3):
            if _side(x, y, facet, t, corners, limbs) < 0.0:
                inside = False
                if neighbors[t, facet] < 0:
                    beyond, way_out = t, facet
        if inside:
            return t, INSIDE
    return beyond, way_out


@lean_kernel
def _wander(x, y, t, corners, neighbors, most, limbs):
    """What `_walk` returns, over edges tried in random order."""
    came = -1
    dice = np.uint32(t)
    for _ in range(most):
        # Numerical Recipes' generator, its upper bits.
        dice = np.uint32(dice * np.uint32(1664525) + np.uint32(1013904223))
        facet = np.int64(dice >> np.uint32(16)) % 3
        crossed = False
        for _ in range(3):
            facet = facet + 1 if facet < 2 else 0
            beyond = neighbors[t, facet]
            # What lies behind is known: the query is on this side of it.
            if beyond >= 0 and beyond == came:
                continue
            if _side(x, y, facet, t, corners, limbs) < 0.0:
                if beyond < 0:
                    return t, facet
                came, t, crossed = t, beyond, True
                break
        if not crossed:
            return t, INSIDE
    return _everywhere(x, y, corners, neighbors, limbs)


@lean_kernel
def _exact_way(x, y, t, corners, limbs):
    """A facet of triangle t that has (x, y) strictly beyond it, or INSIDE: none has."""
    for facet in range(3):
        if _side(x, y, facet, t, corners, limbs) < 0.0:
            return facet
    return INSIDE


@kernel
def locate_in_plane(queries, order, frame, hints, corners, neighbors, triangles, values, found, result):
    """Write the triangle that holds each query, or the hull edge in its way out, and the interpolant there.

    Parameters
    ----------
    queries : shape (n, 2)
        Finite points.
    order : shape (n,) or (0,)
        In which order to take them, as `visits` returns it.
    frame : shape (2, 2)
        That of a `BucketGrid`.
    hints : shape (n_rows, n_columns)
        A triangle near each bucket.
    corners : shape (n_triangles, 3, 2)
        Positively oriented triangles that tile their hull.
    neighbors : shape (n_triangles, 3)
        The triangles beyond their edges.
    triangles : shape (n_triangles, 4)
        Numbers of their vertices, and what each is called in ``found``.
    values : shape (n_points, n_outputs)
        Labels; of no outputs where only the triangles are asked for.
    found : shape (n,)
        Written: the triangle; outside the hull ``~(3 triangle + facet)`` for a hull edge that has the query beyond it.
    result : shape (n, n_outputs)
        Written: the interpolant; NaN outside the hull.
    """
    limbs = np.zeros(LIMBS, dtype=np.int64)
    most = _STEPS + _STEPS_PER_ROOT * np.int64(np.sqrt(neighbors.shape[0]))
    block, starts = np.empty((_BLOCK, 2)), np.empty(_BLOCK, dtype=np.int64)
    t, hint, at = 0, -1, _BLOCK
    for i in range(queries.shape[0]):
        at += 1
        if at >= _BLOCK:
            at = 0
            # Ahead of time: else each would wait for memory after every walk whose length could not be foreseen.
            for l in range(min(_BLOCK, queries.shape[0] - i)):
                k = order[i + l] if order.size > 0 else i + l
                block[l, 0], block[l, 1] = queries[k, 0], queries[k, 1]
                row, column = bucket(queries, k, 0, frame, hints.shape[0]), bucket(queries, k, 1, frame, hints.shape[1])
                starts[l] = hints[row, column]
        k = order[i] if order.size > 0 else i
        x, y = block[at, 0], block[at, 1]
        if starts[at] != hint:
            t = hint = starts[at]
        facet, clear = 0, False
        size = m = n = o = 0.0
        # In one piece: calls from here would take longer than what they do.
        for step in range(most + 1):
            ax, ay, bx, by = corners[t, 0, 0] - x, corners[t, 0, 1] - y, corners[t, 1, 0] - x, corners[t, 1, 1] - y
            cx, cy = corners[t, 2, 0] - x, corners[t, 2, 1] - y
            p, q, r = bx * cy, cx * ay, ax * by
            u, v, w = by * cx, cy * ax, ay * bx
            m, n, o = p - u, q - v, r - w
            side, facet = m, 0
            if n < side:
                side, facet = n, 1
            if o < side:
                side, facet = o, 2
            size = abs(p) + abs(q) + abs(r) + abs(u) + abs(v) + abs(w)
            rounding = FILTER * size + TINY
            if side > rounding:
                facet, clear = INSIDE, True
                break
            # Also where it is infinite or undefined.
            if not side < -rounding:
                facet = _exact_way(x, y, t, corners, limbs)
                if facet < 0:
                    break
            beyond = neighbors[t, facet]
            if beyond < 0:
                break
            if step == most:
                t, facet = _wander(x, y, t, corners, neighbors, most, limbs)
                break
            t = beyond
        if facet >= 0:
            found[k] = ~(3 * triangles[t, 3] + facet)
            for j in range(values.shape[1]):
                result[k, j] = np.nan
            continue
        found[k] = triangles[t, 3]
        if values.shape[1] == 0:
            continue
        total = m + n + o
        u, v, w = m / total, n / total, o / total
        if not (clear and right_to_rounding(size, total)):
            u, v, w = triangle_weights(x, y, corners[t], limbs)
            # Rounding may have taken a weight below zero.
            u, v, w = max(u, 0.0), max(v, 0.0), max(w, 0.0)
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        for j in range(values.shape[1]):
            p, q, r = values[a, j], values[b, j], values[c, j]
            # Nor may it leave the range of the labels, even of float64.
            result[k, j] = min(max(u * p + v * q + w * r, min(p, q, r)), max(p, q, r))
