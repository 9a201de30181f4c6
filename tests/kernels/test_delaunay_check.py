"""What is sound at every facet may still wind twice around the plane."""

from __future__ import annotations

import numpy as np
import pytest

from reluquant.analysis.integer_points import integer_digits, scaled
from reluquant.kernels.delaunay_check import SOUND, covers_once, hull_fault
from reluquant.kernels.orientation import workspace

ANGLE = 2 * np.pi * np.arange(5) / 5
CORNERS = np.vstack([[0.0, 0.0], np.c_[np.cos(ANGLE), np.sin(ANGLE)]])


def fan(stride):
    """Triangles from the middle of a pentagon to corners a stride apart: a pentagon, or a star covered twice."""
    return np.array([[0, 1 + stride * k % 5, 1 + stride * (k + 1) % 5] for k in range(5)])


def arguments(points, triangles, first, facet):
    """Digits with the middles of a triangle and of a facet below; triangles with that one in front."""
    triangles = np.roll(triangles, -first, axis=0)
    simplex, i = facet
    inner, outer = triangles[0], np.delete(triangles[simplex], i)
    rows = np.vstack([6 * points, 2 * points[inner].sum(axis=0), 3 * points[outer].sum(axis=0)])
    return integer_digits(rows), triangles


@pytest.mark.parametrize(("stride", "once"), [(1, True), (2, False)])
def test_a_star_covers_its_middle_twice(stride, once):
    digits, triangles = arguments(CORNERS, fan(stride), 0, (0, 0))
    facets = np.c_[np.arange(5), np.zeros(5, dtype=np.int64)]
    assert covers_once(digits, triangles, facets, workspace(2, *digits.shape[1:])) == once


def test_the_tip_of_a_star_is_covered_once_but_its_border_is_not_around_it():
    # One triangle of the star is split at a point near its corner, so that one part lies within the tip.
    points = np.vstack([CORNERS, 0.97 * CORNERS[1] + 0.01 * CORNERS[3]])
    triangles = np.vstack([[[0, 1, 6], [1, 3, 6], [3, 0, 6]], fan(2)[1:]])
    facets = np.array([[1, 2], [3, 0], [4, 0], [5, 0], [6, 0]])
    digits, triangles = arguments(points, triangles, 0, (1, 2))
    tip = points[triangles[0]].mean(axis=0)
    corners = points[triangles]
    signs = [np.linalg.det(np.stack([corners[:, i] - tip, corners[:, (i + 1) % 3] - tip], axis=1)) for i in range(3)]
    assert (np.min(signs, axis=0) >= 0).tolist() == [True] + 6 * [False]
    assert not covers_once(digits, triangles, facets, workspace(2, *digits.shape[1:]))


def test_every_corner_of_a_star_turns_left():
    digits = integer_digits(CORNERS)
    facets = np.c_[np.arange(5), np.zeros(5, dtype=np.int64)]
    beyond = fan(2)[(np.arange(5) + 1) % 5, 2]
    assert hull_fault(scaled(CORNERS), digits, fan(2), facets, beyond, workspace(2, *digits.shape[1:])) == SOUND
