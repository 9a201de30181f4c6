"""Convex cells cut by the neurons of one layer, each of which is an affine function of its own on every cell."""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel

# A neuron that reaches less than this on one side, relative to what its value is made of, does not cut: its affine map
# is the rounded product of the layers before.
ROUNDING = 64 * 2.0**-52


@kernel
def _longer(values, size):
    if size <= values.shape[0]:
        return values
    longer = np.empty(2 * size, values.dtype)
    for i in range(values.shape[0]):
        longer[i] = values[i]
    return longer


@kernel
def cut_by_layer(x, y, starts, maps, sizes):
    """Cut every cell along the kinks of the neurons of a layer.

    Parameters
    ----------
    x, y : ndarray, shape (n_corners,)
        Corners of cell after cell, counterclockwise.
    starts : ndarray of int, shape (n_cells + 1,)
    maps : ndarray, shape (n_cells, m, 3)
        Neuron j is ``maps[i, j] · (1, x, y)`` on cell i, before its relu.
    sizes : ndarray, shape (n_cells, m)
        What that is made of: the sum of the absolute values of all terms.

    Returns
    -------
    x, y, starts
        Of the smaller cells.
    parent : ndarray of int
        The cell that each was cut from.
    active : ndarray of bool, shape (n, m)
    segments : ndarray, shape (k, 4)
        Both ends ``x, y, x, y`` of every cut.
    cutter : ndarray of int, shape (k,)
        The neuron that made it.
    leaf : ndarray of int, shape (n,)
    depth : ndarray of int, shape (n_nodes,)
    found_starts : ndarray of int, shape (n_nodes + 1,)
    found : ndarray of int
        How it was done, for `next_layer`: the nodes of the binary trees of cuts, each before its two halves. Node i has
        ``depth[i]`` nodes above it, and ``found[found_starts[i]:found_starts[i + 1]]`` are the neurons that are active
        on all of it and on no node above; cell i is node ``leaf[i]``.
    """
    m = maps.shape[1]
    out_x, out_y, n_out = np.empty(4 * x.shape[0]), np.empty(4 * x.shape[0]), 0
    out_starts, parent, n_cells = np.zeros(64, np.int64), np.empty(64, np.int64), 0
    flat = np.zeros(64 * m, np.bool_)
    ends, cutter, n_cuts = np.empty(256), np.empty(64, np.int64), 0
    # Pending cells: first corner, number of corners, first of the list of neurons that may cut it, length of the list.
    # Then how many nodes are above it, and the neuron whose positive side it is, or -1.
    span, on = np.empty((m + 2, 6), np.int64), np.zeros((m + 2, m), np.bool_)
    leaf, depth, n_nodes = np.empty(64, np.int64), np.empty(128, np.int64), 0
    found_starts, found, n_found = np.zeros(128, np.int64), np.empty(256, np.int64), 0
    u, v, lists = np.empty(64), np.empty(64), np.empty(max(m, 1), np.int64)
    cu, cv, cs = np.empty(64), np.empty(64), np.empty(64)
    for cell in range(starts.shape[0] - 1):
        size = starts[cell + 1] - starts[cell]
        u, v = _longer(u, size), _longer(v, size)
        for p in range(size):
            u[p], v[p] = x[starts[cell] + p], y[starts[cell] + p]
        for j in range(m):
            lists[j] = j
        span[0, 0], span[0, 1], span[0, 2], span[0, 3], span[0, 4], span[0, 5] = 0, size, 0, m, 0, -1
        pending = 1
        while pending > 0:
            pending -= 1
            first, size, start, length = span[pending, 0], span[pending, 1], span[pending, 2], span[pending, 3]
            above, positive = span[pending, 4], span[pending, 5]
            found = _longer(found, n_found + length + 1)
            if positive >= 0:
                found[n_found] = positive
                n_found += 1
            keep, stop = start + length, start + length
            lists = _longer(lists, keep + length)
            for i in range(start, stop):
                j = lists[i]
                low, high, rounding = 0.0, 0.0, ROUNDING * sizes[cell, j]
                for p in range(first, first + size):
                    s = maps[cell, j, 0] + maps[cell, j, 1] * u[p] + maps[cell, j, 2] * v[p]
                    low, high = min(low, s), max(high, s)
                if high > rounding and low < -rounding:
                    lists[keep] = j
                    keep += 1
                else:
                    on[pending, j] = high > -low
                    if high > -low:
                        found[n_found] = j
                        n_found += 1
            depth, found_starts = _longer(depth, n_nodes + 1), _longer(found_starts, n_nodes + 2)
            depth[n_nodes] = above
            n_nodes += 1
            found_starts[n_nodes] = n_found
            if keep == stop:
                out_x, out_y = _longer(out_x, n_out + size), _longer(out_y, n_out + size)
                for p in range(first, first + size):
                    out_x[n_out], out_y[n_out] = u[p], v[p]
                    n_out += 1
                out_starts, parent = _longer(out_starts, n_cells + 2), _longer(parent, n_cells + 1)
                flat = _longer(flat, (n_cells + 1) * m)
                leaf = _longer(leaf, n_cells + 1)
                out_starts[n_cells + 1], parent[n_cells], leaf[n_cells] = n_out, cell, n_nodes - 1
                for j in range(m):
                    flat[n_cells * m + j] = on[pending, j]
                n_cells += 1
                continue
            chosen = stop + (n_cells * 40503 + keep) % (keep - stop)
            j = lists[chosen]
            keep -= 1
            lists[chosen] = lists[keep]
            rounding = ROUNDING * sizes[cell, j]
            cu, cv, cs = _longer(cu, size), _longer(cv, size), _longer(cs, size)
            for p in range(size):
                cu[p], cv[p] = u[first + p], v[first + p]
                cs[p] = maps[cell, j, 0] + maps[cell, j, 1] * cu[p] + maps[cell, j, 2] * cv[p]
                if abs(cs[p]) <= rounding:
                    cs[p] = 0.0
            u, v = _longer(u, first + 2 * size + 4), _longer(v, first + 2 * size + 4)
            ends, cutter = _longer(ends, 4 * n_cuts + 4), _longer(cutter, n_cuts + 1)
            end = first
            for side in (-1.0, 1.0):
                begin, n_ends = end, 0
                for p in range(size):
                    q = p + 1 if p + 1 < size else 0
                    if cs[p] * side >= 0:
                        u[end], v[end] = cu[p], cv[p]
                        end += 1
                        if cs[p] == 0 and n_ends < 2:
                            ends[4 * n_cuts + 2 * n_ends], ends[4 * n_cuts + 2 * n_ends + 1] = cu[p], cv[p]
                            n_ends += 1
                    if cs[p] * cs[q] < 0:
                        # The same for both cells: from the same end of the edge.
                        i, o = (p, q) if cs[p] > 0 else (q, p)
                        part = cs[i] / (cs[i] - cs[o])
                        u[end], v[end] = cu[i] + part * (cu[o] - cu[i]), cv[i] + part * (cv[o] - cv[i])
                        if n_ends < 2:
                            ends[4 * n_cuts + 2 * n_ends], ends[4 * n_cuts + 2 * n_ends + 1] = u[end], v[end]
                            n_ends += 1
                        end += 1
                span[pending, 0], span[pending, 1] = begin, end - begin
                span[pending, 2], span[pending, 3] = stop, keep - stop
                span[pending, 4], span[pending, 5] = above + 1, j if side > 0 else -1
                if side < 0:
                    for k in range(m):
                        on[pending + 1, k] = on[pending, k]
                on[pending, j] = side > 0
                pending += 1
            cutter[n_cuts] = j
            n_cuts += 1
    return (
        out_x[:n_out].copy(), out_y[:n_out].copy(), out_starts[: n_cells + 1].copy(), parent[:n_cells].copy(),
        flat[: n_cells * m].copy().reshape(n_cells, m), ends[: 4 * n_cuts].copy().reshape(n_cuts, 4),
        cutter[:n_cuts].copy(), leaf[:n_cells].copy(), depth[:n_nodes].copy(), found_starts[: n_nodes + 1].copy(),
        found[:n_found].copy(),
    )  # fmt: skip


@kernel
def next_layer(W, b, maps, sizes, parent, leaf, depth, found_starts, found, begin, end):
    """Return maps (end - begin, rows, 3) and sizes (end - begin, rows) of the layer that follows, on some cells.

    A neuron's share is added once for all cells below the node at which it was found active, and nothing is
    subtracted, so that each map is a sum of what is active on its cell and of nothing else.

    Parameters
    ----------
    W, b : ndarray, shapes (m, rows) and (rows,)
        Of the layer that follows, its weights transposed.
    maps, sizes
        As for `cut_by_layer`.
    parent, leaf, depth, found_starts, found
        As of `cut_by_layer`.
    begin, end : int
        The cells.
    """
    n, rows = end - begin, b.shape[0]
    following, made_of = np.empty((n, rows, 3)), np.empty((n, rows))
    if n == 0:
        return following, made_of
    first, last = leaf[begin - 1] + 1 if begin > 0 else 0, leaf[end - 1]
    deepest = 0
    for node in range(first, last + 1):
        deepest = max(deepest, depth[node])
    # What the nodes above the present one add up to, one for each depth; the first of them is nothing.
    total = np.zeros((deepest + 2, 4, rows))
    chain = np.empty(depth[first] + 1, np.int64)
    node = first
    for d in range(depth[first], -1, -1):
        while depth[node] != d:
            node -= 1
        chain[d] = node
    cell = begin
    for step in range(depth[first] + last - first + 1):
        node = chain[step] if step < depth[first] else first + step - depth[first]
        d, p = depth[node] + 1, parent[cell]
        for c in range(4):
            for r in range(rows):
                total[d, c, r] = total[d - 1, c, r]
        for entry in range(found_starts[node], found_starts[node + 1]):
            j = found[entry]
            z, x, y, size = maps[p, j, 0], maps[p, j, 1], maps[p, j, 2], sizes[p, j]
            for r in range(rows):
                w = W[j, r]
                total[d, 0, r] += w * z
                total[d, 1, r] += w * x
                total[d, 2, r] += w * y
                total[d, 3, r] += abs(w) * size
        if node == leaf[cell]:
            i = cell - begin
            for r in range(rows):
                following[i, r, 0] = total[d, 0, r] + b[r]
                following[i, r, 1], following[i, r, 2] = total[d, 1, r], total[d, 2, r]
                made_of[i, r] = total[d, 3, r] + abs(b[r])
            cell += 1
    return following, made_of
