"""Sweeps a planar point set by monotone paths, upwards, one triangle a step.

A triangulation is swept in one way only if each step takes the leftmost triangle that rests on the path. To know the
triangles that may come next it is enough to mark where the last one was: one that lies wholly to the left of it was
there before, and should have come first. So triangulations are ways from the lower to the upper boundary of the hull
among pairs of a path and a mark, and are counted by adding along them.

Points are counted in lexicographic order. A path is the set of its points, a bit for each; a mark is the point where
the new edges of the last triangle begin. ``usable[i, j, k]`` for i < j < k is 1 if the triangle may be used and j is
above its edge from i to k, -1 if it is below, else 0. Counts have 128 bits, in two halves.

References
----------
V. Alvarez, R. Seidel (2013), "A simple aggregative algorithm for counting triangulations of planar point sets and
related problems", SoCG 2013.
"""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel


@kernel
def advances(path, usable, paths, marks, limits):
    """Write all steps from a path, and return their number, less than that of all points.

    They go to ``paths`` with new ``marks``, and may be taken if the mark of ``path`` is at most that of ``limits``.
    """
    n = usable.shape[0]
    count, before, p = 0, -1, 0
    for r in range(1, n):
        if not (path >> r) & 1:
            continue
        for q in range(p + 1, r):
            if usable[p, q, r] == 1:
                paths[count], marks[count], limits[count] = path | (1 << q), p, p
                count += 1
        if before >= 0 and usable[before, p, r] == -1:
            paths[count], marks[count], limits[count] = path ^ (1 << p), before, p
            count += 1
        before, p = p, r
    return count


@kernel
def step(paths, low, high, usable, row_of):
    """Return the paths one triangle further, with their counts (n_paths, n) for every mark in two halves.

    ``row_of`` has a place, -1, for each set of points other than the first and the last, and is left as it was.
    """
    n = usable.shape[0]
    places = row_of.size - 1
    next_paths, marks, limits = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    n_found, found = 0, np.empty(max(paths.size, 16), np.int64)
    for path in paths:
        for s in range(advances(path, usable, next_paths, marks, limits)):
            place = (next_paths[s] >> 1) & places
            if row_of[place] < 0:
                if n_found == found.size:
                    found = np.concatenate((found, np.empty_like(found)))
                row_of[place] = n_found
                found[n_found] = next_paths[s]
                n_found += 1
    found = found[:n_found].copy()
    new_low, new_high = np.zeros((n_found, n), np.uint64), np.zeros((n_found, n), np.uint64)
    up_to_low, up_to_high = np.empty(n, np.uint64), np.empty(n, np.uint64)
    for i in range(paths.size):
        total_low, total_high = np.uint64(0), np.uint64(0)
        for mark in range(n):
            total_low += low[i, mark]
            total_high += high[i, mark] + np.uint64(total_low < low[i, mark])
            up_to_low[mark], up_to_high[mark] = total_low, total_high
        for s in range(advances(paths[i], usable, next_paths, marks, limits)):
            row, mark, limit = row_of[(next_paths[s] >> 1) & places], marks[s], limits[s]
            new_low[row, mark] += up_to_low[limit]
            new_high[row, mark] += up_to_high[limit] + np.uint64(new_low[row, mark] < up_to_low[limit])
    for path in found:
        row_of[(path >> 1) & places] = -1
    return found, new_low, new_high
