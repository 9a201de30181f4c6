"""Delaunay triangulation of any dimension by inserting points, with exact signs only.

All is closed to a sphere by one point at infinity: a simplex that holds it (a ghost, vertex −1) stands for the outside
of the hull facet of its other vertices. A new point destroys the simplices whose circumsphere it is in and is joined
to the border of the hole (Bowyer 1981, Watson 1981). Ties are broken as if squares were raised infinitesimally, so the
result is the one regular triangulation of those heights, whatever the order of insertion; volumes are not perturbed,
so no simplex is flat.
"""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel
from reluquant.kernels.orientation import in_sphere, sides_of

GHOST, DEAD = -1, -2


@kernel
def _place(row, value):
    """Where in a short row a value is."""
    for i in range(row.size):
        if row[i] == value:
            return i
    return -1


@kernel
def _longer(old, size):
    """Copy an array to one with more rows, of zeros."""
    new = np.zeros((size, *old.shape[1:]), dtype=old.dtype)
    new[: old.shape[0]] = old
    return new


@kernel
def _close(first, vertices, neighbors):
    """Write a positive simplex, number 0, and its ghosts: number i + 1 is outside the facet opposite vertex i."""
    size = first.size
    vertices[0] = first
    for i in range(size):
        neighbors[0, i] = i + 1
        for j in range(size):
            vertices[i + 1, j], neighbors[i + 1, j] = first[j], j + 1
        vertices[i + 1, i], neighbors[i + 1, i] = GHOST, 0
        # A point outside in the place of the ghost gives a positive simplex: two others change places.
        a = 1 if i == 0 else 0
        b = 1 if i > 1 else 2
        vertices[i + 1, a], vertices[i + 1, b] = first[b], first[a]
        neighbors[i + 1, a], neighbors[i + 1, b] = b + 1, a + 1


@kernel
def _in_conflict(points, digits, vertices, neighbors, simplex, q, rank, work, sides):
    """Whether a simplex must go when ``q`` comes: q is in its circumsphere, or beyond the facet of a ghost."""
    infinity = _place(vertices[simplex], GHOST)
    if infinity >= 0:
        inner = neighbors[simplex, infinity]
        sides_of(points, digits, vertices[inner], q, rank, work, sides)
        side = sides[_place(neighbors[inner], simplex)]
        if side != 0:
            return side < 0
        # In the plane of a hull facet the sphere of the simplex within is that of the facet.
        simplex = inner
    return in_sphere(points, digits, vertices[simplex], q, rank, work)


@kernel
def _located(points, digits, vertices, neighbors, start, n_used, q, rank, work, sides):
    """Walk from a simplex to one that is in conflict with ``q``; −1 if the walk does not end, which cannot be.

    Seen from any point, the simplices of a regular triangulation are never in a circle one behind the other, so no
    simplex comes twice.
    """
    infinity = _place(vertices[start], GHOST)
    simplex = start if infinity < 0 else neighbors[start, infinity]
    for _ in range(n_used + 1):
        sides_of(points, digits, vertices[simplex], q, rank, work, sides)
        beyond = _place(sides, -1)
        if beyond < 0:
            return simplex
        simplex = neighbors[simplex, beyond]
        if _place(vertices[simplex], GHOST) >= 0:
            return simplex
    return -1


@kernel
def _across(vertices, neighbors, mark, made, simplex, kept, crossed, stamp):
    """The new simplex beside the one made at facet ``kept`` of ``simplex``, on the facet without vertex ``crossed``.

    Both are joined to the border of the hole: turn about their common ridge, through the hole, to the border's next
    facet.
    """
    pivot = vertices[simplex, kept]
    beyond = neighbors[simplex, crossed]
    while mark[beyond] == stamp:
        entered = _place(neighbors[beyond], simplex)
        simplex, crossed = beyond, _place(vertices[beyond], pivot)
        pivot = vertices[simplex, entered]
        beyond = neighbors[simplex, crossed]
    return made[simplex, crossed]


@kernel
def _dug(points, digits, vertices, neighbors, mark, hole, border, q, stamp, rank, work, sides):
    """Find all simplices in conflict with ``q`` from the first, ``hole[0]``, and the hole's border.

    Marks with ± stamp what is in conflict or has been asked. Writes the border as (simplex, i), facet i of a simplex in
    the hole; returns how many are in the hole, how many on the border, and the border, which may have grown.
    """
    n_hole, n_border, seen = 1, 0, 0
    mark[hole[0]] = stamp
    while seen < n_hole:
        simplex = hole[seen]
        seen += 1
        for i in range(rank + 1):
            beyond = neighbors[simplex, i]
            if abs(mark[beyond]) != stamp:
                conflict = _in_conflict(points, digits, vertices, neighbors, beyond, q, rank, work, sides)
                mark[beyond] = stamp if conflict else -stamp
                if conflict:
                    hole[n_hole] = beyond
                    n_hole += 1
            if mark[beyond] == -stamp:
                if n_border == border.shape[0]:
                    border = _longer(border, 2 * n_border)
                border[n_border, 0], border[n_border, 1] = simplex, i
                n_border += 1
    return n_hole, n_border, border


@kernel
def _filled(vertices, neighbors, mark, made, border, free, n_free, n_used, q, stamp):
    """Join ``q`` to every facet of the border, in free rows and then in new ones; returns what is free and used."""
    for k in range(border.shape[0]):
        simplex, i = border[k]
        if n_free > 0:
            n_free -= 1
            new = free[n_free]
        else:
            new = n_used
            n_used += 1
        beyond = neighbors[simplex, i]
        # With q in the place of vertex i, which is on the same side, a simplex stays positive.
        vertices[new], neighbors[new, i] = vertices[simplex], beyond
        vertices[new, i] = q
        neighbors[beyond, _place(neighbors[beyond], simplex)] = new
        made[simplex, i] = new
    for k in range(border.shape[0]):
        simplex, i = border[k]
        for j in range(vertices.shape[1]):
            if j != i:
                neighbors[made[simplex, i], j] = _across(vertices, neighbors, mark, made, simplex, i, j, stamp)
    return n_free, n_used


@kernel
def delaunay(points, digits, first, order, work):
    """Triangulate points: ``first`` are the vertices of a positive simplex, ``order`` the other points.

    Returns vertices and neighbors of all simplices, ghosts and dead ones (``vertices[:, 0] == DEAD``) included, and
    whether all went well.
    """
    size = first.size
    n_used, n_free, last, capacity = size + 1, 0, 0, 8 * size + 64
    vertices = np.empty((capacity, size), dtype=np.int64)
    neighbors, made = np.empty_like(vertices), np.empty_like(vertices)
    mark = np.zeros(capacity, dtype=np.int64)
    free, hole = np.empty(capacity, dtype=np.int64), np.empty(capacity, dtype=np.int64)
    border = np.empty((capacity, 2), dtype=np.int64)
    sides = np.zeros(size, dtype=np.int64)
    _close(first, vertices, neighbors)
    for step in range(order.size):
        q, stamp = order[step], step + 1
        hole[0] = _located(points, digits, vertices, neighbors, last, n_used, q, size - 1, work, sides)
        if hole[0] < 0:
            return vertices[:n_used], neighbors[:n_used], False
        n_hole, n_border, border = _dug(
            points, digits, vertices, neighbors, mark, hole, border, q, stamp, size - 1, work, sides
        )
        if n_used + n_border > capacity:
            capacity = 2 * (n_used + n_border)
            vertices, neighbors = _longer(vertices, capacity), _longer(neighbors, capacity)
            made, mark = _longer(made, capacity), _longer(mark, capacity)
            free, hole = _longer(free, capacity), _longer(hole, capacity)
        n_free, n_used = _filled(vertices, neighbors, mark, made, border[:n_border], free, n_free, n_used, q, stamp)
        last = made[border[0, 0], border[0, 1]]
        for k in range(n_hole):
            vertices[hole[k], 0] = DEAD
        free[n_free : n_free + n_hole] = hole[:n_hole]
        n_free += n_hole
    return vertices[:n_used], neighbors[:n_used], True
