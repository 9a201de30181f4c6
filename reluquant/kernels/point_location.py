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
from reluquant.kernels.plane_orientation import FILTER, LIMBS, TINY, orientation_sign

# The walk from its bucket's triangle is a few steps long where points are spread evenly; in a cluster finer than the
# buckets it may be as long as a walk across all of it.
_STEPS = 200
_STEPS_PER_ROOT = 8
INSIDE = -1


@kernel
def cells_of(queries, low, stretch, shape):
    """Number of the bucket of each query, row by row; outside the grid that of the nearest bucket."""
    n, d = queries.shape
    cells = np.zeros(n, dtype=np.int64)
    for k in range(n):
        cell = 0
        for j in range(d):
            # Halves, whose difference cannot overflow.
            place = (0.5 * queries[k, j] - 0.5 * low[j]) * stretch[j]
            cell = cell * shape[j] + np.int64(min(max(place, 0.0), shape[j] - 1.0))
        cells[k] = cell
    return cells


@kernel
def far_steps(queries, stretch):
    """How many queries are more than two buckets away from the one before them."""
    count = 0
    for k in range(1, queries.shape[0]):
        for j in range(queries.shape[1]):
            if abs(0.5 * queries[k, j] - 0.5 * queries[k - 1, j]) * stretch[j] > 2.0:
                count += 1
                break
    return count


@kernel
def order_by_cell(cells, n_cells):
    """Permutation that sorts queries by bucket, each bucket's in their order."""
    start = np.zeros(n_cells + 1, dtype=np.int64)
    for cell in cells:
        start[cell + 1] += 1
    for i in range(n_cells):
        start[i + 1] += start[i]
    order = np.empty(cells.size, dtype=np.int64)
    for k in range(cells.size):
        order[start[cells[k]]] = k
        start[cells[k]] += 1
    return order


@lean_kernel
def _side(x, y, facet, t, points, simplices, limbs):
    """1.0 where (x, y) is on the inner side of the edge opposite vertex ``facet`` of triangle t, 0.0 on it, or -1.0."""
    j = facet + 1 if facet < 2 else 0
    k = j + 1 if j < 2 else 0
    a, b = simplices[t, j], simplices[t, k]
    return orientation_sign(points[a, 0], points[a, 1], points[b, 0], points[b, 1], x, y, limbs)


@lean_kernel
def _everywhere(x, y, points, simplices, neighbors, limbs):
    """Triangle that holds (x, y), found among all, and INSIDE; outside the hull a triangle and its facet in the way."""
    beyond, way_out = 0, 0
    for t in range(simplices.shape[0]):
        inside = True
        for facet in range(3):
            if _side(x, y, facet, t, points, simplices, limbs) < 0.0:
                inside = False
                if neighbors[t, facet] < 0:
                    beyond, way_out = t, facet
        if inside:
            return t, INSIDE
    return beyond, way_out


@lean_kernel
def _wander(x, y, t, points, simplices, neighbors, most, limbs):
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
            if _side(x, y, facet, t, points, simplices, limbs) < 0.0:
                if beyond < 0:
                    return t, facet
                came, t, crossed = t, beyond, True
                break
        if not crossed:
            return t, INSIDE
    return _everywhere(x, y, points, simplices, neighbors, limbs)


@lean_kernel
def _exact_way(x, y, t, points, simplices, limbs):
    """A facet of triangle t that has (x, y) strictly beyond it, or INSIDE: none has."""
    for facet in range(3):
        if _side(x, y, facet, t, points, simplices, limbs) < 0.0:
            return facet
    return INSIDE


@kernel
def locate_in_plane(queries, cells, hints, points, simplices, neighbors, simplex, exits):
    """Write the triangle that holds each query, and where it is outside the hull the hull edge in the way.

    Parameters
    ----------
    queries, cells : shape (n, 2) and (n,)
        Finite points and their buckets; fastest where equal buckets follow one another.
    hints : shape (n_cells,)
        A triangle near each bucket.
    points, simplices, neighbors
        A triangulation with positively oriented triangles.
    simplex, exits : shape (n,)
        Written: the triangle, and INSIDE; or the triangle at the hull edge, and that edge's first vertex.
    """
    limbs = np.zeros(LIMBS, dtype=np.int64)
    most = _STEPS + _STEPS_PER_ROOT * np.int64(np.sqrt(simplices.shape[0]))
    bucket, t = -1, 0
    for k in range(queries.shape[0]):
        x, y = queries[k, 0], queries[k, 1]
        if cells[k] != bucket:
            bucket = cells[k]
            t = hints[bucket]
        facet = 0
        # In one piece: calls from here would take longer than what they do.
        for step in range(most + 1):
            a, b, c = simplices[t, 0], simplices[t, 1], simplices[t, 2]
            ax, ay, bx, by = points[a, 0] - x, points[a, 1] - y, points[b, 0] - x, points[b, 1] - y
            cx, cy = points[c, 0] - x, points[c, 1] - y
            p, q, r = bx * cy, cx * ay, ax * by
            u, v, w = by * cx, cy * ax, ay * bx
            side, facet = p - u, 0
            if q - v < side:
                side, facet = q - v, 1
            if r - w < side:
                side, facet = r - w, 2
            rounding = FILTER * (abs(p) + abs(q) + abs(r) + abs(u) + abs(v) + abs(w)) + TINY
            if side > rounding:
                facet = INSIDE
                break
            # Also where it is infinite or undefined.
            if not side < -rounding:
                facet = _exact_way(x, y, t, points, simplices, limbs)
                if facet < 0:
                    break
            beyond = neighbors[t, facet]
            if beyond < 0:
                break
            if step == most:
                t, facet = _wander(x, y, t, points, simplices, neighbors, most, limbs)
                break
            t = beyond
        simplex[k] = t
        exits[k] = INSIDE if facet < 0 else simplices[t, (facet + 1) % 3]
