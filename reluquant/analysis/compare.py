"""How far two piecewise-linear functions are apart, on their common refinement."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.structures.arrays import Floats, frozen, real_array
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.planar_functions import Interpolant
from reluquant.structures.planar_pieces import PlanarPieces
from reluquant.structures.shallow_relu import ShallowReLU

Function = PiecewiseLinear | ShallowReLU | PlanarPieces | Interpolant


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The distance of two functions on an interval or a convex region of the plane.

    Parameters
    ----------
    sup : float
        Largest ``|f - g|``.
    sup_at : float, or ndarray of shape (2,)
        A node of the refinement at which it is attained: on the line the leftmost, in the plane any.
    l2 : float
        Square root of the integral of ``(f - g)²``; not divided by the length or area of the region.
    region : (float, float), or ndarray of shape (k, 2)
        The interval, or the corners of the region, counterclockwise.
    """

    sup: float
    sup_at: float | Floats
    l2: float
    region: tuple[float, float] | Floats


def compare(f: Function, g: Function, *, region: ArrayLike | None = None) -> Comparison:
    """Return the sup and L2 distance of two functions of one or two variables.

    Parameters
    ----------
    f, g : PiecewiseLinear, ShallowReLU, PlanarPieces, or an interpolant
        On the line a network is converted by :func:`reluquant.piecewise_linear`. In the plane a network of two
        features is taken as it is, and an interpolant is what has a ``.triangulation`` and ``.values`` at its points.
    region : (float, float), or array_like, optional
        Where to compare, the boundary included: an interval; or a box ``((x_low, x_high), (y_low, y_high))`` or the
        corners (k, 2) of a convex polygon. By default where both functions are given, if that is
        bounded: the hull of the data when one of them is an interpolant.

    Returns
    -------
    Comparison
        With ``.sup``, ``.sup_at``, ``.l2`` and ``.region``.

    Raises
    ------
    TypeError
        If ``f`` or ``g`` is something else.
    ValueError
        If the region is not an interval or a convex region, is needed and not given, or reaches beyond where a function
        of two variables is given; or if a function of one variable exceeds the float64 range there.

    Notes
    -----
    Nothing is sampled: between neighbouring nodes of either function the difference is linear, so
    its largest value is at a node and the integral of its square over a piece of length h with
    end differences d, e is ``h/3 (d² + d e + e²)``. The distances are right up to the rounding
    of the values of f and g: about 1e-15 of their size. A distance beyond float64 is infinite.

    In the plane the pieces are convex polygons, cut into triangles of area A with the corner differences d, e, f, over
    which the integral is ``A/12 ((d + e)² + (e + f)² + (f + d)²)``. Where a cell is thinner than rounding it may be
    missed, which changes the distances by no more than rounding does.

    Examples
    --------
    >>> import reluquant as rq
    >>> relu = rq.ShallowReLU([[1.0, 0.0]], [1.0])
    >>> chord = rq.interpolate(rq.Dataset([-1.0, 1.0], [0.0, 1.0]))
    >>> distance = rq.compare(relu, chord)
    >>> distance.sup, distance.sup_at, round(distance.l2**2 * 6, 12)
    (0.5, 0.0, 1.0)

    In the plane, where a kink runs along the x-axis and turns a little:

    >>> straight, turned = rq.ShallowReLU([[0.0, 1.0, 0.0]], [1.0]), rq.ShallowReLU([[0.5, 1.0, 0.0]], [1.0])
    >>> distance = rq.compare(straight, turned, region=((-1, 1), (-1, 1)))
    >>> distance.sup, round(distance.l2**2 * 96, 12)
    (0.5, 15.0)
    """
    if any(_is_planar(h) for h in (f, g)):
        return _planar(f, g, region)
    f, g = _function(f, "f"), _function(g, "g")
    low, high = _region(f, g, region)
    inner = np.concatenate([f.knots, g.knots])
    nodes = np.unique(np.r_[low, inner[(inner > low) & (inner < high)], high])
    f_values, g_values = f(nodes), g(nodes)
    if not (np.isfinite(f_values).all() and np.isfinite(g_values).all()):
        raise ValueError(f"A function exceeds the float64 range on the region ({low}, {high}); give a smaller region=.")
    with np.errstate(over="ignore"):
        difference = f_values - g_values
    worst = int(np.argmax(np.abs(difference)))
    return Comparison(abs(float(difference[worst])), float(nodes[worst]), _l2(nodes, difference), (low, high))


def _is_planar(f: Function) -> bool:
    if isinstance(f, ShallowReLU):
        return f.n_features == 2
    return isinstance(f, Interpolant | PlanarPieces)


def _planar(f: Function, g: Function, region: ArrayLike | None) -> Comparison:
    for h, name in ((f, "f"), (g, "g")):
        if not _is_planar(h):
            one = "" if not isinstance(h, PiecewiseLinear | ShallowReLU) else " of another number of variables"
            raise TypeError(
                f"compare needs {name} to be a function of two variables like the other one (a ShallowReLU of two"
                f" features, its pieces, or an interpolant on a triangulation), but it is a {type(h).__name__}{one}."
            )
    # Here, because it loads a compiler.
    from reluquant.analysis.planar_distance import planar_difference

    difference = planar_difference(f, g, region)
    worst = int(np.argmax(difference.sup))
    return Comparison(
        float(difference.sup[worst]), frozen(difference.sup_at[worst]), difference.l2, frozen(difference.region)
    )


def _l2(nodes: Floats, difference: Floats) -> float:
    largest = float(np.abs(difference).max())
    if largest == 0 or not math.isfinite(largest) or nodes.size == 1:
        return 0.0 if nodes.size == 1 else largest
    with np.errstate(over="ignore"):
        widths = np.diff(nodes)
        stretch = 1.0
        if not np.isfinite(widths).all():
            widths, stretch = np.diff(nodes / 2), 2.0
    # Differences and widths relative to the largest: squares of 1e200 or 1e-200 would leave float64.
    widest = float(widths.max())
    d, e, h = difference[:-1] / largest, difference[1:] / largest, widths / widest
    # The parts are all positive when written as squares, so nothing cancels.
    total = math.fsum(h * (0.75 * (d + e) ** 2 + 0.25 * (d - e) ** 2) / 3)
    with np.errstate(over="ignore"):
        return float(np.float64(largest) * math.sqrt(total * stretch) * math.sqrt(widest))


def _function(f: Function, name: str) -> PiecewiseLinear:
    if isinstance(f, PiecewiseLinear):
        return f
    if isinstance(f, ShallowReLU):
        return piecewise_linear(f)
    raise TypeError(
        f"compare needs {name} to be a PiecewiseLinear or a ShallowReLU, but it is {type(f).__name__};"
        " make an interpolant of data with interpolate(data)."
    )


def _region(f: PiecewiseLinear, g: PiecewiseLinear, region: ArrayLike | None) -> tuple[float, float]:
    if region is not None:
        ends = real_array(region, "region", ndim=(1,))
        if ends.size != 2 or ends[0] > ends[1]:
            raise ValueError(f"region must be two increasing numbers (low, high), but it is {region!r}.")
        return float(ends[0]), float(ends[1])
    low, high = max(f.domain[0], g.domain[0]), min(f.domain[1], g.domain[1])
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(
            "Both functions are meant for an unbounded part of the line;"
            " say where to compare them with region=(low, high)."
        )
    if low > high:
        raise ValueError(
            f"The domains {f.domain} and {g.domain} do not overlap; say where to compare with region=(low, high)."
        )
    return low, high
