"""Delaunay triangulation of points (scipy's, for points in general position)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import Delaunay

from reluquant.structures.arrays import real_array
from reluquant.structures.triangulation import Triangulation


def triangulate(points: ArrayLike) -> Triangulation:
    """Return the Delaunay triangulation of points in two to five dimensions, in general position."""
    distinct, row = np.unique(real_array(points, "points", ndim=(2,)), axis=0, return_inverse=True)
    found = Delaunay(distinct)
    simplices, neighbors = found.simplices.astype(np.int64), found.neighbors.astype(np.int64)
    corners = distinct[simplices]
    negative = np.linalg.det(corners[:, 1:] - corners[:, :1]) < 0
    for array in (simplices, neighbors):
        array[negative, :2] = array[negative, 1::-1]
    return Triangulation(distinct, simplices, neighbors, row.reshape(-1))
