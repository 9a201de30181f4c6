"""Sweeps a planar point set by monotone paths, upwards, one triangle a step.

A triangulation is swept in one way only if each step takes the leftmost triangle that rests on the path. To know the
triangles that may come next it is enough to mark where the last one was: one that lies wholly to the left of it was
there before, and should have come first. So triangulations are ways from the lower to the upper boundary of the hull
among pairs of a path and a mark, and are counted by adding along them.

Points are counted in lexicographic order. A path is the set of its points, a bit for each; a mark is the point where
the new edges of the last triangle begin. ``usable[i, j, k]`` for i < j < k is 1 if the triangle may be used and j is
above its edge from i to k, -1 if it is below, else 0. ``row_of`` has a place, -1 between calls, for each set of points
other than the first and the last.

References
----------
V. Alvarez, R. Seidel (2013), "A simple aggregative algorithm for counting triangulations of planar point sets and
related problems", SoCG 2013.
"""

from __future__ import annotations

import numpy as np

from reluquant.kernels.jit import kernel


@kernel
def advances(path, usable, steps):
    """Write all triangles that rest on a path, and return their number, less than that of all points.

    Rows of ``steps`` are the path beyond the triangle, its points p < q < r, and the largest mark of ``path`` with
    which it may come next. The next mark is p.
    """
    n = usable.shape[0]
    count, before, p = 0, -1, 0
    for r in range(1, n):
        if not (path >> r) & 1:
            continue
        for q in range(p + 1, r):
            if usable[p, q, r] == 1:
                steps[count, 0], steps[count, 1], steps[count, 2] = path | (1 << q), p, q
                steps[count, 3], steps[count, 4] = r, p
                count += 1
        if before >= 0 and usable[before, p, r] == -1:
            steps[count, 0], steps[count, 1], steps[count, 2] = path ^ (1 << p), before, p
            steps[count, 3], steps[count, 4] = r, p
            count += 1
        before, p = p, r
    return count


@kernel
def next_paths(paths, usable, row_of):
    """Return the paths one triangle further, and write their rows to ``row_of``."""
    places = row_of.size - 1
    steps = np.empty((usable.shape[0], 5), np.int64)
    n_found, found = 0, np.empty(max(paths.size, 16), np.int64)
    for path in paths:
        for s in range(advances(path, usable, steps)):
            place = (steps[s, 0] >> 1) & places
            if row_of[place] < 0:
                if n_found == found.size:
                    found = np.concatenate((found, np.empty_like(found)))
                row_of[place] = n_found
                found[n_found] = steps[s, 0]
                n_found += 1
    return found[:n_found].copy()


@kernel
def forget(paths, row_of):
    """Write -1 to the places of paths."""
    for path in paths:
        row_of[(path >> 1) & (row_of.size - 1)] = -1


@kernel
def count_step(paths, low, high, usable, row_of):
    """Return the paths one triangle further, with their numbers of ways (n_paths, n) for every mark.

    Numbers have 128 bits, in two halves.
    """
    n = usable.shape[0]
    found = next_paths(paths, usable, row_of)
    new_low, new_high = np.zeros((found.size, n), np.uint64), np.zeros((found.size, n), np.uint64)
    up_to_low, up_to_high = np.empty(n, np.uint64), np.empty(n, np.uint64)
    steps = np.empty((n, 5), np.int64)
    for i in range(paths.size):
        total_low, total_high = np.uint64(0), np.uint64(0)
        for mark in range(n):
            total_low += low[i, mark]
            total_high += high[i, mark] + np.uint64(total_low < low[i, mark])
            up_to_low[mark], up_to_high[mark] = total_low, total_high
        for s in range(advances(paths[i], usable, steps)):
            row, mark, limit = row_of[(steps[s, 0] >> 1) & (row_of.size - 1)], steps[s, 1], steps[s, 4]
            new_low[row, mark] += up_to_low[limit]
            new_high[row, mark] += up_to_high[limit] + np.uint64(new_low[row, mark] < up_to_low[limit])
    forget(found, row_of)
    return found, new_low, new_high


# What is known of the costs of all ways to a path with a mark.
NUMBER, MEAN, SQUARES, LEAST, MOST = 0, 1, 2, 3, 4


@kernel
def cost_step(paths, costs, cost_of, usable, row_of):
    """Return the paths one triangle further, with what their ways cost (n_paths, n, 5) for every mark.

    That is the number of ways, the mean of their costs, the sum of squared deviations from it, the least and the most;
    ``cost_of[i, j, k]`` is that of a triangle. Deviations are from the means of parts, so their squares do not cancel.
    """
    n = usable.shape[0]
    found = next_paths(paths, usable, row_of)
    new = np.empty((found.size, n, 5))
    new[:, :, :LEAST], new[:, :, LEAST], new[:, :, MOST] = 0.0, np.inf, -np.inf
    up_to, steps = np.empty((n, 5)), np.empty((n, 5), np.int64)
    for i in range(paths.size):
        for mark in range(n):
            up_to[mark] = costs[i, mark]
            if mark > 0:
                join(up_to[mark], up_to[mark - 1], 0.0)
        for s in range(advances(paths[i], usable, steps)):
            row, p, q, r = row_of[(steps[s, 0] >> 1) & (row_of.size - 1)], steps[s, 1], steps[s, 2], steps[s, 3]
            join(new[row, p], up_to[steps[s, 4]], cost_of[p, q, r])
    forget(found, row_of)
    return found, new


@kernel
def join(costs, others, more):
    """Add other ways, each at a cost of ``more`` than now."""
    number = costs[NUMBER] + others[NUMBER]
    if others[NUMBER] > 0.0:
        share, apart = others[NUMBER] / number, others[MEAN] + more - costs[MEAN]
        costs[SQUARES] += others[SQUARES] + costs[NUMBER] * share * apart * apart
        costs[MEAN] += share * apart
        costs[NUMBER] = number
        costs[LEAST] = min(costs[LEAST], others[LEAST] + more)
        costs[MOST] = max(costs[MOST], others[MOST] + more)
