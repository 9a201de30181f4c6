"""How far the interpolants on all triangulations are from a network, without listing them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.count_triangulations import count, ended, places, starts
from reluquant.analysis.planar_set import PlanarSet, on_a_line, planar_points, planar_set
from reluquant.analysis.triangle_costs import triangle_costs
from reluquant.kernels.monotone_sweep import LEAST, MEAN, MOST, NUMBER, SQUARES, cost_step, join
from reluquant.structures.arrays import Floats
from reluquant.structures.shallow_relu import ShallowReLU

# A level of the sweep has 40 n bytes a path.
MOST_POINTS = 22


@dataclass(frozen=True, slots=True, eq=False)
class TriangulationDistances:
    """The result of :func:`reluquant.triangulation_distances`: squared L2 distances over all fine triangulations.

    Parameters
    ----------
    count : int
        The number of triangulations, exactly.
    mean, variance : float
        Of the squared distance, every triangulation with the same weight.
    least, most : float
        The squared distances of the nearest and of the farthest one.
    """

    count: int
    mean: float
    variance: float
    least: float
    most: float


def triangulation_distances(
    points: ArrayLike, net: ShallowReLU, *, labels: ArrayLike | None = None
) -> TriangulationDistances:
    """Tell how far the interpolants on all fine triangulations of points are from a network in L2.

    Parameters
    ----------
    points : array_like, shape (n_points, 2)
        At most 22 different points, not all on a line.
    net : ShallowReLU
        Two features, one output.
    labels : array_like, shape (n_points,), optional
        What the interpolants are at the points; by default what the network is.

    Returns
    -------
    TriangulationDistances
        ``.count``, ``.mean``, ``.variance``, ``.least``, ``.most``, the last four of the squared distance. Accurate to
        rounding.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Notes
    -----
    The sweep of :func:`reluquant.count_triangulations` with moments in the place of counts: the squared distance is a
    sum over triangles. :func:`reluquant.closest_triangulation` finds the nearest one, also of more points.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.ShallowReLU([[1.0, 1.0, 0.0]], [1.0])  # relu(x + y) bends along a diagonal of the square
    >>> distances = rq.triangulation_distances([[-1, -1], [1, -1], [-1, 1], [1, 1]], net)
    >>> distances.count, distances.least, round(distances.most, 12), round(distances.mean, 12)
    (2, 0.0, 0.666666666667, 0.333333333333)
    """
    checked = planar_points(points, "triangulation_distances")
    if on_a_line(checked):
        raise ValueError("triangulation_distances needs points that are not all on a line, but these are; add another.")
    ordered = planar_set(checked, "triangulation_distances", MOST_POINTS)
    triangles, costs, unit = triangle_costs(ordered, net, labels, "triangulation_distances")
    cost_of = np.zeros((ordered.n,) * 3)
    cost_of[tuple(np.sort(triangles, axis=1).T)] = costs
    found, area = _swept(ordered, cost_of), unit * unit
    return TriangulationDistances(
        count=count(ordered),
        mean=float(area * found[MEAN]),
        variance=float(area * area * found[SQUARES] / found[NUMBER]),
        least=float(area * found[LEAST]),
        most=float(area * found[MOST]),
    )


def _swept(points: PlanarSet, cost_of: Floats) -> Floats:
    """Return what the ways to the upper boundary of the hull cost, all marks together."""
    paths = starts(points, fine=True)
    costs = np.zeros((1, points.n, 5))
    costs[:, 1:, LEAST], costs[:, 1:, MOST], costs[:, 0, NUMBER] = np.inf, -np.inf, 1.0
    usable, row_of = points.turns_below(fine=True), places(points)
    # Every step adds a triangle, of which no triangulation has 2n.
    for _ in range(2 * points.n):
        following = cost_step(paths, costs, cost_of, usable, row_of)
        if not following[0].size:
            break
        paths, costs = following
    (ways,) = costs[ended(points, paths)].copy()
    for mark in range(1, points.n):
        join(ways[0], ways[mark], 0.0)
    return ways[0]
