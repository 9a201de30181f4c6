"""The triangulation of given points on which the interpolant comes closest to a network."""

from __future__ import annotations

import math
from dataclasses import dataclass

from numpy.typing import ArrayLike

from reluquant.analysis.planar_set import on_a_line, planar_points, planar_set, triangulation_of
from reluquant.analysis.triangle_costs import triangle_costs
from reluquant.analysis.triangle_programme import PROVED, TriangleProgramme
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.triangulation import Triangulation

# All triples of points are looked at, and the programme has a variable for each empty one: tens of thousands.
MOST_POINTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class ClosestTriangulation:
    """The result of :func:`reluquant.closest_triangulation`.

    Parameters
    ----------
    triangulation : Triangulation
        A fine one: all points are vertices.
    l2 : float
        The L2 distance on the hull, root of the integral of the squared difference, between the network and the
        interpolant on the triangulation; in units of the labels times a length. Accurate to rounding.
    gap : float
        No triangulation has a squared distance below ``(1 - gap) * l2**2``.
    optimal : bool
        Whether the gap is at most 1e-6.
    lp_integral : bool
        Whether the linear programme, with shares of triangles allowed, has the same minimum.
    """

    triangulation: Triangulation
    l2: float
    gap: float
    optimal: bool
    lp_integral: bool


def closest_triangulation(
    points: ArrayLike, net: ShallowReLU, *, labels: ArrayLike | None = None, time_limit: float = 60.0
) -> ClosestTriangulation:
    """Find the triangulation of points whose linear interpolant is nearest to a network in L2.

    Parameters
    ----------
    points : array_like, shape (n_points, 2)
        At most 200 different points, not all on a line.
    net : ShallowReLU
        Two features, one output.
    labels : array_like, shape (n_points,), optional
        What the interpolant is at the points; by default what the network is.
    time_limit : float, default 60
        Seconds after which the search stops with the best that it has (``optimal`` is False then).

    Returns
    -------
    ClosestTriangulation
        ``.triangulation``, ``.l2``, ``.gap``, ``.optimal``, ``.lp_integral``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Notes
    -----
    The squared distance is a sum over triangles. So it is enough to choose empty triangles such that every edge of
    the hull has one and every other edge as many on its left as on its right: a programme in zeros and ones, which
    HiGHS solves; most often its linear relaxation has such a solution already. What it chooses is then checked
    exactly to be a triangulation. The cost of a triangle is the integral over the cells into which kinks cut it.
    Equally near triangulations are not told apart.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.ShallowReLU([[1.0, 1.0, 0.0]], [1.0])  # relu(x + y) bends along a diagonal of the square
    >>> closest = rq.closest_triangulation([[-1, -1], [1, -1], [-1, 1], [1, 1]], net)
    >>> closest.triangulation.simplices.tolist(), closest.l2
    ([[0, 1, 2], [2, 1, 3]], 0.0)
    """
    limit = real_number(time_limit, "time_limit", above=0)
    checked = planar_points(points, "closest_triangulation")
    if on_a_line(checked):
        raise ValueError("closest_triangulation needs points that are not all on a line, but these are; add another.")
    ordered = planar_set(checked, "closest_triangulation", MOST_POINTS)
    triangles, costs, unit = triangle_costs(ordered, net, labels, "closest_triangulation")
    best = TriangleProgramme(ordered, triangles, costs).solved(time_limit=limit)
    gap, relaxed_gap = (
        max(0.0, 1.0 - bound / best.cost) if best.cost else 0.0 for bound in (best.bound, best.relaxed_bound)
    )
    return ClosestTriangulation(
        triangulation=triangulation_of(ordered, best.triangles),
        l2=unit * math.sqrt(best.cost),
        gap=gap,
        optimal=gap <= PROVED,
        lp_integral=relaxed_gap <= PROVED,
    )
