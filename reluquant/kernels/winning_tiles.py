"""Convex cells with several affine functions, cut into tiles on each of which one function is the largest."""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel

# A difference of two functions that is below this at a corner, relative to its coefficients, is zero there.
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
def winning_tiles(x, y, starts, maps):
    """Cut every cell by which of its functions is the largest; the first of equal ones wins.

    Parameters
    ----------
    x, y : ndarray, shape (n_corners,)
        Corners of cell after cell, counterclockwise, in the unit square.
    starts : ndarray of int, shape (n_cells + 1,)
    maps : ndarray, shape (n_cells, k, 3)
        Function c is ``maps[i, c] · (1, x, y)`` on cell i.

    Returns
    -------
    x, y, starts
        Of the tiles.
    cell, winner : ndarray of int, shape (n_tiles,)
        The cell of each, and the function that is largest on it.
    ends : ndarray, shape (n_edges, 4)
        Both ends ``x, y, x, y`` of the edges between two tiles of one cell.
    between : ndarray of int, shape (n_edges, 2)
        The functions that are equal there, the smaller number first.
    """
    k = maps.shape[1]
    out_x, out_y, n_out = np.empty(2 * x.shape[0]), np.empty(2 * x.shape[0]), 0
    out_starts, n_tiles = np.zeros(starts.shape[0] + 1, np.int64), 0
    cells, winners = np.empty(starts.shape[0], np.int64), np.empty(starts.shape[0], np.int64)
    ends, between, n_edges = np.empty(256), np.empty(128, np.int64), 0
    u, v, label, h = np.empty(64), np.empty(64), np.empty(64, np.int64), np.empty(64)
    nu, nv, nlabel = np.empty(64), np.empty(64), np.empty(64, np.int64)
    for cell in range(starts.shape[0] - 1):
        first, size = starts[cell], starts[cell + 1] - starts[cell]
        most = size + k + 2
        u, v, label, h = _longer(u, most), _longer(v, most), _longer(label, most), _longer(h, most)
        nu, nv, nlabel = _longer(nu, most), _longer(nv, most), _longer(nlabel, most)
        # A function that is largest at all corners is largest throughout.
        only = 0
        for c in range(k):
            only = c
            for p in range(size):
                px, py = x[first + p], y[first + p]
                mine = maps[cell, c, 0] + maps[cell, c, 1] * px + maps[cell, c, 2] * py
                for j in range(k):
                    if maps[cell, j, 0] + maps[cell, j, 1] * px + maps[cell, j, 2] * py > mine:
                        only = -1
                        break
                if only < 0:
                    break
            if only >= 0:
                break
        for c in range(k):
            if only >= 0 and c != only:
                continue
            n = size
            for p in range(size):
                u[p], v[p], label[p] = x[first + p], y[first + p], -1
            for j in range(k if only < 0 else 0):
                if j == c:
                    continue
                g0, g1 = maps[cell, c, 0] - maps[cell, j, 0], maps[cell, c, 1] - maps[cell, j, 1]
                g2 = maps[cell, c, 2] - maps[cell, j, 2]
                rounding, low, high = ROUNDING * (abs(g0) + abs(g1) + abs(g2)), 0.0, 0.0
                for p in range(n):
                    h[p] = g0 + g1 * u[p] + g2 * v[p]
                    if abs(h[p]) <= rounding:
                        h[p] = 0.0
                    low, high = min(low, h[p]), max(high, h[p])
                if high == 0 and (low < 0 or j < c):
                    n = 0
                    break
                if low == 0:
                    continue
                m = 0
                for p in range(n):
                    q = p + 1 if p + 1 < n else 0
                    if h[p] >= 0:
                        nu[m], nv[m] = u[p], v[p]
                        # What follows on a corner where it is zero is the new edge, if the way leads out.
                        nlabel[m] = j if h[p] == 0 and h[q] < 0 else label[p]
                        m += 1
                    if h[p] * h[q] < 0:
                        # The same for both tiles: from the same end.
                        i, o = (p, q) if (h[p] > 0) == (c < j) else (q, p)
                        part = h[i] / (h[i] - h[o])
                        nu[m], nv[m] = u[i] + part * (u[o] - u[i]), v[i] + part * (v[o] - v[i])
                        nlabel[m] = j if h[p] > 0 else label[p]
                        m += 1
                for p in range(m):
                    u[p], v[p], label[p] = nu[p], nv[p], nlabel[p]
                n = m
            area = 0.0
            for p in range(1, n - 1):
                area += (u[p] - u[0]) * (v[p + 1] - v[0]) - (u[p + 1] - u[0]) * (v[p] - v[0])
            if n < 3 or area <= 0:
                continue
            out_x, out_y = _longer(out_x, n_out + n), _longer(out_y, n_out + n)
            out_starts, cells = _longer(out_starts, n_tiles + 2), _longer(cells, n_tiles + 1)
            winners = _longer(winners, n_tiles + 1)
            for p in range(n):
                out_x[n_out], out_y[n_out] = u[p], v[p]
                n_out += 1
                if label[p] > c:
                    q = p + 1 if p + 1 < n else 0
                    ends, between = _longer(ends, 4 * n_edges + 4), _longer(between, 2 * n_edges + 2)
                    ends[4 * n_edges], ends[4 * n_edges + 1] = u[p], v[p]
                    ends[4 * n_edges + 2], ends[4 * n_edges + 3] = u[q], v[q]
                    between[2 * n_edges], between[2 * n_edges + 1] = c, label[p]
                    n_edges += 1
            cells[n_tiles], winners[n_tiles] = cell, c
            n_tiles += 1
            out_starts[n_tiles] = n_out
    return (
        out_x[:n_out].copy(), out_y[:n_out].copy(), out_starts[: n_tiles + 1].copy(), cells[:n_tiles].copy(),
        winners[:n_tiles].copy(), ends[: 4 * n_edges].copy().reshape(n_edges, 4),
        between[: 2 * n_edges].copy().reshape(n_edges, 2),
    )  # fmt: skip
