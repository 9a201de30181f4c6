"""The triangulation of given points on which the interpolant comes closest to a network."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.planar_set import on_a_line, planar_points, planar_set, triangulation_of
from reluquant.analysis.triangle_programme import PROVED, TriangleProgramme
from reluquant.kernels.triangle_cost import affine_values, mean_squares
from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.triangulation import Triangulation

# All triples of points are looked at, and the programme has a variable for each empty one: tens of thousands.
MOST_POINTS = 200
# Integers of more bits are shortened before they become floats.
_FLOAT_BITS = 1000


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
    values, a, offsets, scale = _differences(net, checked, labels)
    triangles = ordered.empty_triangles()
    squares = mean_squares(triangles, values[ordered.order], a, offsets[ordered.order])
    hull_area = ordered.doubled_hull_area
    # Shares of the hull: areas themselves may be beyond float64.
    shares = np.array([area / hull_area for area in ordered.doubled_areas(triangles)], dtype=np.float64)
    best = TriangleProgramme(ordered, triangles, shares * squares).solved(time_limit=limit)
    gap, relaxed_gap = (
        max(0.0, 1.0 - bound / best.cost) if best.cost else 0.0 for bound in (best.bound, best.relaxed_bound)
    )
    return ClosestTriangulation(
        triangulation=triangulation_of(ordered, best.triangles),
        l2=scale * math.sqrt(best.cost) * _root(hull_area, sum(ordered.exponents) - 1),
        gap=gap,
        optimal=gap <= PROVED,
        lp_integral=relaxed_gap <= PROVED,
    )


def _differences(net: ShallowReLU, points: Floats, labels: ArrayLike | None) -> tuple[Floats, Floats, Floats, float]:
    """Return the neurons' values at the points, their weights, what labels lack there, and the unit of the last two."""
    if not isinstance(net, ShallowReLU):
        raise TypeError(f"closest_triangulation takes a ShallowReLU, but got a {type(net).__name__}.")
    if net.n_features != 2 or net.a.size != net.n_neurons:
        outputs = net.a.size // net.n_neurons
        raise ValueError(
            "closest_triangulation takes a network of two features and one output, but this one has"
            f" {net.n_features} and {outputs}."
        )
    W = net.W if net.bias else np.column_stack([net.W, np.zeros(net.n_neurons)])
    values = affine_values(points, np.ascontiguousarray(W))
    a = net.a.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        # Neurons that are 1 at most: squares of small or large weights are beyond float64.
        heights = np.abs(values).max(axis=0, initial=0.0)
        values = values / np.where(heights > 0, heights, 1.0)
        a = a * heights
        offsets = np.zeros(len(points))
        if labels is not None:
            offsets = np.maximum(values, 0.0) @ a - _checked_labels(labels, len(points))
        scale = float(max(np.abs(a).max(initial=0.0), np.abs(offsets).max()))
    if not math.isfinite(scale):
        raise ValueError("closest_triangulation needs a network with finite values at the points; scale it down.")
    unit = scale or 1.0
    return values, a / unit, offsets / unit, unit


def _checked_labels(labels: ArrayLike, n: int) -> Floats:
    checked = real_array(labels, "labels", ndim=(1,))
    if len(checked) != n:
        raise ValueError(f"closest_triangulation needs one label for each of the {n} points, but got {len(checked)}.")
    return checked


def _root(number: int, exponent: int) -> float:
    """Return the square root of ``number * 2**exponent``."""
    shift = max(number.bit_length() - _FLOAT_BITS, 0)
    exponent += shift
    odd = exponent % 2
    return math.ldexp(math.sqrt((number >> shift) * 2**odd), (exponent - odd) // 2)
