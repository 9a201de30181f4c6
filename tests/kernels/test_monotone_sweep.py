"""Counts of 128 bits are added without loss."""

from __future__ import annotations

import numpy as np

from reluquant.analysis.planar_set import planar_set
from reluquant.kernels.monotone_sweep import count_step
from tests.triangulation_problems import convex


def test_carries_are_kept():
    # Four points of a parabola: the lower path goes through all, and only triangles that join it may come next.
    usable = planar_set(convex(4), "test", 4).turns_below(fine=True)
    row_of = np.full(4, -1, dtype=np.int32)
    most = np.uint64(2**64 - 1)
    low = np.array([[most, most, most, most]])
    high = np.array([[5, 6, 7, 8]], dtype=np.uint64)
    with np.errstate(over="ignore"):  # without the compiler numpy warns of what is meant
        paths, new_low, new_high = count_step(np.array([0b1111]), low, high, usable, row_of)
    ways = {
        int(path): (high * 2**64 + low).sum()
        for path, low, high in zip(paths, new_low.astype(object), new_high.astype(object), strict=True)
    }
    before = [h * 2**64 + int(most) for h in (5, 6, 7, 8)]
    # Point 1 may be left behind with marks 0 and 1, point 2 with marks up to 2.
    assert ways == {0b1101: sum(before[:2]), 0b1011: sum(before[:3])}
    assert np.all(row_of == -1)


def test_carries_are_kept_where_ways_meet():
    # Path 0-2-3 comes from 0-3 by putting triangle 023 on it, and from 0-1-2-3 by leaving 1 behind; both mark 0.
    points = np.array([[0, 0], [1, -1], [2, 1], [3, 0]])
    usable = planar_set(points, "test", 4).turns_below(fine=True)
    half = np.uint64(2**63)
    low, high = (
        np.array([[half, 0, 0, 0], [half + np.uint64(5), 0, 0, 0]], dtype=np.uint64),
        np.zeros((2, 4), np.uint64),
    )
    with np.errstate(over="ignore"):
        paths, low, high = count_step(np.array([0b1001, 0b1111]), low, high, usable, np.full(4, -1, dtype=np.int32))
    (row,) = np.flatnonzero(paths == 0b1101)
    assert (int(low[row, 0]), int(high[row, 0])) == (5, 1)
