"""The faces of lines across a convex region, from the vertices along every line, and sums from face to face.

Half-edges 2 e and 2 e + 1 are edge e of the lines, forwards and back; those of the boundary follow, counterclockwise,
one for each vertex r from r to r + 1. Each half-edge has its face on the left.
"""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel


@kernel
def link(chain, starts, n_vertices, n_boundary, at, inward):
    """Return for each half-edge the one that follows around its face, and the vertex it begins at.

    Parameters
    ----------
    chain : ndarray of int
        The vertices along line after line, ends included.
    starts : ndarray of int, shape (n_lines + 1,)
        Line i has the vertices ``chain[starts[i]:starts[i + 1]]``. Lines are sorted by their first vertex, which comes
        before their last.
    n_vertices, n_boundary : int
        Vertices on the boundary come first, counterclockwise.
    at, inward : ndarray of int, shape (2 n_lines,)
        Vertices of the boundary, sorted, and the half-edges of lines that begin there, clockwise.
    """
    n_lines = starts.shape[0] - 1
    outer = 2 * (chain.shape[0] - n_lines)
    origin, following = np.empty(outer + n_boundary, np.int64), np.empty(outer + n_boundary, np.int64)
    for r in range(n_boundary):
        origin[outer + r] = r
        following[outer + r] = outer + (r + 1) % n_boundary
    # Lines through each vertex inside, in their order, by the edges that lead to it.
    offsets = np.zeros(n_vertices + 1, np.int64)
    for i in range(n_lines):
        for p in range(starts[i] + 1, starts[i + 1] - 1):
            offsets[chain[p] + 1] += 1
    for v in range(n_vertices):
        offsets[v + 1] += offsets[v]
    edges, filled = np.empty(offsets[n_vertices], np.int64), offsets[:n_vertices].copy()
    for i in range(n_lines):
        for p in range(starts[i], starts[i + 1] - 1):
            e = p - i
            origin[2 * e], origin[2 * e + 1] = chain[p], chain[p + 1]
            if p + 2 < starts[i + 1]:
                v = chain[p + 1]
                edges[filled[v]] = e
                filled[v] += 1
    # Lines through a point begin around it in the order in which they end, so that counterclockwise there are all ways
    # back and then all ways on. A face turns left into the way that is clockwise before the one it came from.
    for v in range(n_boundary, n_vertices):
        first, last = offsets[v], offsets[v + 1] - 1
        for m in range(first, last + 1):
            e, on = edges[m], edges[m] + 1
            following[2 * e] = 2 * edges[m - 1] + 1 if m > first else 2 * (edges[last] + 1)
            following[2 * on + 1] = 2 * (edges[m - 1] + 1) if m > first else 2 * edges[last] + 1
    for m in range(at.shape[0]):
        b = at[m]
        before = inward[m - 1] ^ 1 if m > 0 and at[m - 1] == b else outer + (b - 1) % n_boundary
        following[before] = inward[m]
        following[inward[m] ^ 1] = outer + b
    return following, origin


@kernel
def walk(following, origin, owner):
    """Return the faces, each next to one before it.

    Parameters
    ----------
    following, origin : ndarray of int, shape (n_half_edges,)
        As from `link`.
    owner : ndarray of int, shape (n_edges,)
        The line of each edge.

    Returns
    -------
    starts, corners : ndarray of int
        Face i has the vertices ``corners[starts[i]:starts[i + 1]]``, counterclockwise. Face 0 follows vertex 0 along
        the boundary.
    parent, line : ndarray of int, shape (n_faces,)
        Face i is next to face ``parent[i] < i``, beyond that line; -1 for face 0.
    to_the_right : ndarray of bool, shape (n_faces,)
        Whether it is right of that line.
    """
    n, outer = following.shape[0], 2 * owner.shape[0]
    most = n // 3
    starts, parent, line = np.zeros(most + 1, np.int64), np.full(most, -1), np.full(most, -1)
    to_the_right, seen, cycle = np.zeros(most, np.bool_), np.zeros(n, np.bool_), np.empty(n, np.int64)
    n_faces, end, h = 0, 0, outer
    face, p = 0, 0
    while True:
        while not seen[h]:
            seen[h] = True
            cycle[end] = h
            end += 1
            h = following[h]
        n_faces += 1
        starts[n_faces] = end
        # The next edge beyond which no face was found yet.
        while p < end and (cycle[p] >= outer or seen[cycle[p] ^ 1]):
            p += 1
        if p == end:
            break
        while starts[face + 1] <= p:
            face += 1
        h = cycle[p] ^ 1
        parent[n_faces], line[n_faces], to_the_right[n_faces] = face, owner[h // 2], h % 2 == 1
    for p in range(n):
        cycle[p] = origin[cycle[p]]
    return (
        starts[: n_faces + 1].copy(), cycle, parent[:n_faces].copy(), line[:n_faces].copy(),
        to_the_right[:n_faces].copy(),
    )  # fmt: skip


@kernel
def patterns(first, parent, line, positive):
    """Return on which side of all lines each face is, shape (n_faces, n_lines), from that of the first."""
    found = np.empty((parent.shape[0], first.shape[0]), np.bool_)
    for i in range(parent.shape[0]):
        found[i] = first if i == 0 else found[parent[i]]
        if i > 0:
            found[i, line[i]] = positive[i]
    return found


@kernel
def sums(first, parent, line, positive, step):
    """Return for each face the sum of rows: ``first`` (r,), and ``step[j]`` more on the positive side of line j."""
    found = np.empty((parent.shape[0], first.shape[0]))
    for i in range(parent.shape[0]):
        for c in range(first.shape[0]):
            if i == 0:
                found[i, c] = first[c]
            else:
                change = step[line[i], c]
                found[i, c] = found[parent[i], c] + (change if positive[i] else -change)
    return found
