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
    """
    m = maps.shape[1]
    out_x, out_y, n_out = np.empty(4 * x.shape[0]), np.empty(4 * x.shape[0]), 0
    out_starts, parent, n_cells = np.zeros(64, np.int64), np.empty(64, np.int64), 0
    flat = np.zeros(64 * m, np.bool_)
    ends, cutter, n_cuts = np.empty(256), np.empty(64, np.int64), 0
    # Pending cells: first corner, number of corners, first of the list of neurons that may cut it, length of the list.
    span, on = np.empty((m + 2, 4), np.int64), np.zeros((m + 2, m), np.bool_)
    u, v, lists = np.empty(64), np.empty(64), np.empty(max(m, 1), np.int64)
    cu, cv, cs = np.empty(64), np.empty(64), np.empty(64)
    for cell in range(starts.shape[0] - 1):
        size = starts[cell + 1] - starts[cell]
        u, v = _longer(u, size), _longer(v, size)
        for p in range(size):
            u[p], v[p] = x[starts[cell] + p], y[starts[cell] + p]
        for j in range(m):
            lists[j] = j
        span[0, 0], span[0, 1], span[0, 2], span[0, 3] = 0, size, 0, m
        pending = 1
        while pending > 0:
            pending -= 1
            first, size, start, length = span[pending, 0], span[pending, 1], span[pending, 2], span[pending, 3]
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
            if keep == stop:
                out_x, out_y = _longer(out_x, n_out + size), _longer(out_y, n_out + size)
                for p in range(first, first + size):
                    out_x[n_out], out_y[n_out] = u[p], v[p]
                    n_out += 1
                out_starts, parent = _longer(out_starts, n_cells + 2), _longer(parent, n_cells + 1)
                flat = _longer(flat, (n_cells + 1) * m)
                out_starts[n_cells + 1], parent[n_cells] = n_out, cell
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
        cutter[:n_cuts].copy(),
    )  # fmt: skip


@kernel
def next_layer(W, b, maps, sizes, parent, active):
    """Return maps (n, rows, 3) and sizes (n, rows) of the layer that follows, on the smaller cells.

    Parameters
    ----------
    W, b : ndarray, shapes (rows, m) and (rows,)
        Of the layer that follows.
    maps, sizes, parent, active
        As of `cut_by_layer`.
    """
    n, rows = parent.shape[0], W.shape[0]
    following, made_of = np.empty((n, rows, 3)), np.empty((n, rows))
    chosen = np.empty(W.shape[1], np.int64)
    for i in range(n):
        p, n_chosen = parent[i], 0
        for j in range(W.shape[1]):
            if active[i, j]:
                chosen[n_chosen] = j
                n_chosen += 1
        for r in range(rows):
            c, x, y, size = 0.0, 0.0, 0.0, 0.0
            for k in range(n_chosen):
                j = chosen[k]
                w = W[r, j]
                c += w * maps[p, j, 0]
                x += w * maps[p, j, 1]
                y += w * maps[p, j, 2]
                size += abs(w) * sizes[p, j]
            following[i, r, 0], following[i, r, 1], following[i, r, 2] = c + b[r], x, y
            made_of[i, r] = size + abs(b[r])
    return following, made_of
