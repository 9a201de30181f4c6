"""Single linkage of many points at one distance, in memory proportional to their number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

# Nearest neighbours of a point that are looked up at once; where there are more within reach it is dense.
NEIGHBOURS = 16
# So many small balls in a row: what is left is not condensed.
SMALL_BALLS = 64


def single_linkage(points: Floats, distance: float) -> NDArray[np.int64]:
    """Label points so that any two within a distance, and so chains of such pairs, share a label.

    Parameters
    ----------
    points : ndarray, shape (n, d)
        Any number of them may lie in one place.
    distance : float
        Positive.

    Returns
    -------
    ndarray of int, shape (n,)
        From 0, in no particular order.

    Notes
    -----
    All pairs within the distance may be n²: a condensed network has ten thousand neurons in one place. So dense points
    are covered by balls of that radius around some of them, and all of a ball are linked to its centre. Points with few
    neighbours that are in no ball are linked to all of them. Missing are links between two balls, whose centres
    are within three times the distance: they are looked for if the balls are not linked already.

    Examples
    --------
    >>> single_linkage(np.array([[0.0], [1.0], [3.0], [2.0], [9.0]]), 1.0).tolist()
    [0, 0, 0, 0, 1]
    """
    # Takes long to import.
    from scipy.spatial import cKDTree

    places, place = np.unique(points, axis=0, return_inverse=True)
    tree, covered = cKDTree(places), np.zeros(len(places), dtype=bool)
    # Not in the order of a coordinate: large balls come first. The same each time, for labels to be repeatable.
    order = np.random.default_rng(0).permutation(len(places))
    balls = list(_balls(tree, order, covered, distance, SMALL_BALLS))
    rest = np.flatnonzero(~covered)
    near, of = tree.query(places[rest], k=[*range(1, NEIGHBOURS + 1)], distance_upper_bound=_reach(distance))
    linked = np.isfinite(near)
    balls += _balls(tree, rest[linked.all(axis=1)], covered, distance)
    edges = [np.column_stack([rest[np.nonzero(linked)[0]], of[linked]])]
    edges += [np.column_stack([np.full(ball.size, centre), ball]) for centre, ball in balls]
    edges.append(_between(places, balls, _components(len(places), edges), distance))
    return _components(len(places), edges)[place.reshape(-1)]


def _reach(distance: float) -> float:
    """The least bound that a pair at exactly the distance is below, as scipy asks for in some queries."""
    return float(np.nextafter(distance, np.inf))


def _components(n: int, edges: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    i, j = np.concatenate(edges).T
    return connected_components(coo_array((np.ones(i.size, dtype=np.int8), (i, j)), shape=(n, n)), directed=False)[1]


def _balls(
    tree: cKDTree, order: NDArray[np.int64], covered: NDArray[np.bool_], distance: float, give_up: int | None = None
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield centres with all points within the distance until ``order`` is covered, or so many balls were small."""
    small = 0
    for i in order.tolist():
        if covered[i]:
            continue
        ball = np.array(tree.query_ball_point(tree.data[i], distance))
        covered[ball] = True
        yield i, ball
        small = 0 if ball.size > NEIGHBOURS else small + 1
        if small == give_up:
            return


def _between(
    places: Floats, balls: list[tuple[int, NDArray[np.int64]]], labels: NDArray[np.int64], distance: float
) -> NDArray[np.int64]:
    """Link neighbouring balls that are not linked yet and have a pair of points within the distance."""
    from scipy.spatial import cKDTree

    found = []
    if len(balls) > 1:
        centres = np.array([centre for centre, _ in balls])
        pairs = cKDTree(places[centres]).query_pairs(3 * distance * (1 + 1e-9), output_type="ndarray")
        parts = labels[centres[pairs]]
        for i, j in pairs[parts[:, 0] != parts[:, 1]]:
            few, many = sorted((balls[i][1], balls[j][1]), key=len)
            near, at = cKDTree(places[many]).query(places[few], distance_upper_bound=_reach(distance))
            k = int(np.argmin(near))
            if np.isfinite(near[k]):
                found.append((few[k], many[at[k]]))
    return np.array(found, dtype=np.int64).reshape(-1, 2)
