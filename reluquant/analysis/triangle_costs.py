"""What each empty triangle adds to the squared L2 distance between a network and an interpolant."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.planar_set import PlanarSet
from reluquant.kernels.triangle_cost import affine_values, mean_squares
from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.shallow_relu import ShallowReLU

# Integers of more bits are shortened before they become floats.
_FLOAT_BITS = 1000


def triangle_costs(
    points: PlanarSet, net: ShallowReLU, labels: ArrayLike | None, name: str
) -> tuple[NDArray[np.int64], Floats, float]:
    """Return all empty triangles of points that are not all on a line, their costs, and a unit.

    A sum of costs times the square of the unit is a squared distance; neither of them is, for all inputs, in float64.

    Raises
    ------
    TypeError, ValueError
        If the network has not two features and one output, or the labels are not one for each point.
    """
    values, a, offsets, height = _differences(net, points.points, labels, name)
    triangles = points.empty_triangles()
    squares = mean_squares(triangles, values[points.order], a, offsets[points.order])
    whole = points.doubled_hull_area
    shares = np.array([area / whole for area in points.doubled_areas(triangles)], dtype=np.float64)
    return triangles, shares * squares, height * _root(whole, sum(points.exponents) - 1)


def _differences(
    net: ShallowReLU, points: Floats, labels: ArrayLike | None, name: str
) -> tuple[Floats, Floats, Floats, float]:
    """Return the neurons' values at the points, their weights, what labels lack there, and the unit of the last two."""
    if not isinstance(net, ShallowReLU):
        raise TypeError(f"{name} takes a ShallowReLU, but got a {type(net).__name__}.")
    if net.n_features != 2 or net.a.size != net.n_neurons:
        outputs = net.a.shape[1] if net.a.ndim == 2 else 1
        raise ValueError(
            f"{name} takes a network of two features and one output, but this one has {net.n_features} and {outputs}."
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
            offsets = np.maximum(values, 0.0) @ a - _checked_labels(labels, len(points), name)
        scale = float(max(np.abs(a).max(initial=0.0), np.abs(offsets).max()))
    if not math.isfinite(scale):
        raise ValueError(f"{name} needs a network with finite values at the points; scale it down.")
    unit = scale or 1.0
    return values, a / unit, offsets / unit, unit


def _checked_labels(labels: ArrayLike, n: int, name: str) -> Floats:
    checked = real_array(labels, "labels", ndim=(1,))
    if len(checked) != n:
        raise ValueError(f"{name} needs one label for each of the {n} points, but got {len(checked)}.")
    return checked


def _root(number: int, exponent: int) -> float:
    """Return the square root of ``number * 2**exponent``."""
    shift = max(number.bit_length() - _FLOAT_BITS, 0)
    exponent += shift
    odd = exponent % 2
    return math.ldexp(math.sqrt((number >> shift) * 2**odd), (exponent - odd) // 2)
