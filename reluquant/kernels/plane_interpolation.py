"""Barycentric weights, values, gradients and nearest hull points on triangles of the plane.

All lengths are differences to the query or to a vertex, so data far from the origin lose nothing. Areas of flat
triangles, in which such differences cancel, are taken exactly and rounded once.
"""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.plane_orientation import LIMBS, TINY, exact_orientation

# Areas are rounded by a few ulps of the products they are made of: where those are so many times the triangle's own
# area, a flat triangle, they are computed exactly.
_FLAT = 32.0


@lean_kernel
def right_to_rounding(size, total):
    """Whether twice the area of a triangle, a sum of products whose sizes add to ``size``, has all its digits."""
    return size <= _FLAT * total and TINY < total < math.inf


@lean_kernel
def triangle_weights(x, y, corners, limbs):
    """Barycentric weights of (x, y) in a triangle, corners (3, 2): exactly 0 or 1 at its vertices."""
    ax, ay, bx, by, cx, cy = corners[0, 0], corners[0, 1], corners[1, 0], corners[1, 1], corners[2, 0], corners[2, 1]
    dax, day, dbx, dby, dcx, dcy = ax - x, ay - y, bx - x, by - y, cx - x, cy - y
    p, q, r = dbx * dcy, dcx * day, dax * dby
    u, v, w = dby * dcx, dcy * dax, day * dbx
    total = (p - u) + (q - v) + (r - w)
    if right_to_rounding(abs(p) + abs(q) + abs(r) + abs(u) + abs(v) + abs(w), total):
        return (p - u) / total, (q - v) / total, (r - w) / total
    whole, scale = exact_orientation(ax, ay, bx, by, cx, cy, limbs)
    if whole == 0.0:
        return math.nan, math.nan, math.nan
    m, e = exact_orientation(x, y, bx, by, cx, cy, limbs)
    n, f = exact_orientation(ax, ay, x, y, cx, cy, limbs)
    o, g = exact_orientation(ax, ay, bx, by, x, y, limbs)
    return math.ldexp(m / whole, e - scale), math.ldexp(n / whole, f - scale), math.ldexp(o / whole, g - scale)


@kernel
def weights_in_plane(queries, corners, weights):
    """Write the barycentric weights of each query in its own triangle, corners (n, 3, 2); it may be outside."""
    limbs = np.zeros(LIMBS, dtype=np.int64)
    for k in range(queries.shape[0]):
        weights[k, 0], weights[k, 1], weights[k, 2] = triangle_weights(queries[k, 0], queries[k, 1], corners[k], limbs)


@kernel
def gradients_in_plane(simplex, points, simplices, values, result):
    """Write the gradient of the affine map of each given triangle, shape (n, 2, n_outputs)."""
    limbs = np.zeros(LIMBS, dtype=np.int64)
    for k in range(simplex.size):
        t = simplex[k]
        a, b, c = simplices[t, 0], simplices[t, 1], simplices[t, 2]
        ux, uy = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
        vx, vy = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1]
        # Sides of about 1, whose products stay within float64.
        _, side = math.frexp(max(abs(ux), abs(uy), abs(vx), abs(vy)))
        ux, uy, vx, vy = math.ldexp(ux, -side), math.ldexp(uy, -side), math.ldexp(vx, -side), math.ldexp(vy, -side)
        area, size = ux * vy - uy * vx, abs(ux * vy) + abs(uy * vx)
        if size > _FLAT * area:
            m, e = exact_orientation(
                points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1], limbs
            )
            area = math.ldexp(m, e - 2 * side)
        for j in range(values.shape[1]):
            p, q = values[b, j] - values[a, j], values[c, j] - values[a, j]
            result[k, 0, j] = math.ldexp((p * vy - q * uy) / area, -side)
            result[k, 1, j] = math.ldexp((q * ux - p * vx) / area, -side)


@lean_kernel
def _share(x, y, a, b, points):
    """How far (x, y) is along the edge from a to b: 0 at a, 1 at b; and its distance from the edge's line."""
    ex, ey = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1]
    length = math.hypot(ex, ey)
    ex, ey = ex / length, ey / length
    dx, dy = x - points[a, 0], y - points[a, 1]
    return (dx * ex + dy * ey) / length, dx * ey - dy * ex


@kernel
def nearest_in_plane(queries, exits, points, hull, at, edges, shares):
    """Write the hull edge and the share of the way along it at which the hull is nearest to each query outside.

    Parameters
    ----------
    queries : shape (n, 2)
        Outside the hull.
    exits : shape (n,)
        First vertex of a hull edge that has the query on its outer side.
    hull : shape (n_hull,)
        Vertices around the hull, counterclockwise.
    at : shape (n_points,)
        Place in ``hull`` of a vertex.
    edges, shares : shape (n,)
        Written: place in ``hull`` of the edge's first vertex, and 0 there to 1 at the next one.

    Notes
    -----
    Around a convex polygon the nearest point is reached by going on in one direction. Where it is a vertex, the edge is
    the one whose line is further from the query: the border is the bisector of the vertex's outer angle.
    """
    n_hull = hull.size
    for k in range(queries.shape[0]):
        x, y = queries[k, 0], queries[k, 1]
        place = at[exits[k]]
        share, height = _share(x, y, hull[place], hull[(place + 1) % n_hull], points)
        if 0.0 <= share <= 1.0:
            edges[k], shares[k] = place, share
            continue
        step = 1 if share > 1.0 else -1
        for _ in range(n_hull):
            following = (place + step) % n_hull
            share, far = _share(x, y, hull[following], hull[(following + 1) % n_hull], points)
            if (share - 0.5) * step < -0.5:
                # Past the vertex between both edges, seen from the next one.
                if far > height:
                    place, share = following, 0.0 if step > 0 else 1.0
                else:
                    share = 1.0 if step > 0 else 0.0
                break
            place, height = following, far
            if 0.0 <= share <= 1.0:
                break
        edges[k], shares[k] = place, min(max(share, 0.0), 1.0)
