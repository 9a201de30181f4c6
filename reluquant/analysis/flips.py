"""Flips of the edges of a triangulation in the plane: which there are, and what comes of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.planar_set import PlanarSet, planar_set, triangulation_of
from reluquant.analysis.triangulations import Apexes, apexes_of, flip, flippable, triangles_of
from reluquant.structures.arrays import frozen
from reluquant.structures.triangulation import Triangulation

# A table of all triples of points is made: 8 MB.
MOST_POINTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Flips:
    """The edges of a triangulation, and the edge that a flip would put in the place of each.

    Parameters
    ----------
    edges : ndarray of int, shape (n_edges, 2)
        Both ends, the lower number first, in order.
    others : ndarray of int, shape (n_edges, 2)
        The other diagonal of the quadrilateral around each edge; -1 where there is no flip.
    on_hull : ndarray of bool, shape (n_edges,)
        Whether the edge is on the hull.
    """

    edges: NDArray[np.int64]
    others: NDArray[np.int64]
    on_hull: NDArray[np.bool_]


def flips(triangulation: Triangulation) -> Flips:
    """Return the edges of a triangulation and what each can be flipped to; decided exactly.

    Parameters
    ----------
    triangulation : Triangulation
        Of at most 200 points that span the plane.

    Returns
    -------
    Flips
        A flip exchanges the diagonals of a strictly convex quadrilateral.

    Raises
    ------
    TypeError, ValueError
        If it is something else.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.flips import flips
    >>> found = flips(rq.triangulate([[0, 0], [2, 0], [3, 2], [0, 1]]))
    >>> found.edges.tolist(), found.others.tolist()
    ([[0, 1], [0, 3], [1, 2], [1, 3], [2, 3]], [[-1, -1], [-1, -1], [-1, -1], [0, 2], [-1, -1]])
    """
    points, apexes = _apexes(triangulation)
    rows = {(min(edge), max(edge)): (-1, -1) for edge in apexes}
    hull = {(min(edge), max(edge)) for edge in apexes if edge[::-1] not in apexes}
    rows |= {(a, b): (c, d) for a, b, c, d in flippable(points, apexes)}
    order = [*points.order.tolist(), -1]
    named = sorted(
        (*sorted((order[a], order[b])), *sorted((order[c], order[d])), (a, b) in hull)
        for (a, b), (c, d) in rows.items()
    )
    table = np.array(named, dtype=np.int64)
    return Flips(frozen(table[:, :2], np.int64), frozen(table[:, 2:4], np.int64), frozen(table[:, 4] > 0, np.bool_))


def flip_edge(triangulation: Triangulation, i: int, j: int) -> Triangulation:
    """Return the triangulation with an edge flipped.

    Parameters
    ----------
    triangulation : Triangulation
        Of at most 200 points that span the plane.
    i, j : int
        The points at the ends of the edge.

    Returns
    -------
    Triangulation
        Of the same points.

    Raises
    ------
    TypeError, ValueError
        If there is no such edge, it is on the hull, or the quadrilateral around it is not strictly convex.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.flips import flip_edge
    >>> flip_edge(rq.triangulate([[0, 0], [2, 0], [3, 2], [0, 1]]), 1, 3).simplices.tolist()
    [[0, 1, 2], [0, 2, 3]]
    """
    points, apexes = _apexes(triangulation)
    place = {point: rank for rank, point in enumerate(points.order.tolist())}
    edge = tuple(sorted((place.get(i, -1), place.get(j, -1))))
    if edge not in apexes and edge[::-1] not in apexes:
        raise ValueError(f"There is no edge between points {i} and {j}; flip one that is drawn.")
    if edge not in apexes or edge[::-1] not in apexes:
        raise ValueError(f"The edge between points {i} and {j} is on the hull, where there is nothing to flip.")
    for a, b, c, d in flippable(points, apexes):
        if (a, b) == edge:
            flipped = triangulation_of(points, triangles_of(flip(apexes, a, b, c, d)))
            return Triangulation(
                triangulation.points, flipped.simplices, flipped.neighbors, triangulation.point_of_row
            )
    raise ValueError(
        f"The edge between points {i} and {j} cannot be flipped: the quadrilateral around it is not strictly convex."
    )


def _apexes(triangulation: Triangulation) -> tuple[PlanarSet, Apexes]:
    if not isinstance(triangulation, Triangulation):
        raise TypeError(f"A flip needs a Triangulation, but got {type(triangulation).__name__}.")
    if triangulation.n_features != 2 or triangulation.dimension != 2:
        raise ValueError(
            f"A flip needs triangles in the plane, but the simplices have dimension {triangulation.dimension} and the"
            f" points {triangulation.n_features} features."
        )
    points = planar_set(triangulation.points, "A flip", MOST_POINTS)
    rank = np.empty(points.n, dtype=np.int64)
    rank[points.order] = np.arange(points.n)
    return points, apexes_of(rank[triangulation.simplices])
