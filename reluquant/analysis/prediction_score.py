"""How good a prediction of the learned function is, by exact distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.compare import Comparison, compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.structures.arrays import real_array
from reluquant.structures.dataset import Dataset
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.shallow_relu import ShallowReLU


@dataclass(frozen=True, slots=True, eq=False)
class PredictionScore:
    """A prediction against the network, on the hull of the data.

    Attributes
    ----------
    prediction, interpolant, zero : Comparison
        Exact distances to the network: of the prediction, and of two yardsticks, the interpolant of the data and the
        zero function.
    score : float
        1 minus the L2 distance of the prediction over that of the zero function: 1 is perfect, 0 is no better than
        nothing, less is worse. NaN if the network is zero.
    """

    prediction: Comparison
    interpolant: Comparison
    zero: Comparison
    score: float


def drawn_function(x: ArrayLike, y: ArrayLike) -> PiecewiseLinear:
    """Return the polyline through given points, straight on beyond its ends.

    Parameters
    ----------
    x, y : array_like, shape (n_points,), n_points ≥ 2
        Points in any order, no two with the same x.

    Returns
    -------
    PiecewiseLinear

    Raises
    ------
    TypeError, ValueError
        If there are fewer points, or two with the same x.
    """
    x, y = real_array(x, "x", ndim=(1,)), real_array(y, "y", ndim=(1,))
    if x.size < 2 or x.shape != y.shape:
        raise ValueError(f"A drawn function needs two points or more, but got {x.size} x and {y.size} y.")
    order = np.argsort(x)
    x, y = x[order], y[order]
    if np.any(np.diff(x) <= 0):
        raise ValueError("A drawn function needs different x, but two points have the same; move one.")
    slopes = np.diff(y) / np.diff(x)
    slopes = np.concatenate([slopes[:1], slopes, slopes[-1:]])
    return PiecewiseLinear(x, y, slopes, x[np.flatnonzero(np.diff(slopes) != 0)])


def prediction_score(prediction: PiecewiseLinear, net: ShallowReLU, data: Dataset) -> PredictionScore:
    """Hold a predicted function against the network that was learned.

    Parameters
    ----------
    prediction : PiecewiseLinear
        For example from :func:`drawn_function`.
    net : ShallowReLU
        One input.
    data : Dataset
        Of which the network was learned; at least two different inputs.

    Returns
    -------
    PredictionScore

    Raises
    ------
    ValueError
        If the data have one input only.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.prediction_score import drawn_function, prediction_score
    >>> net = rq.ShallowReLU([[1.0, 0.0]], [1.0])
    >>> data = rq.Dataset([-1.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    >>> prediction_score(drawn_function([-1.0, 0.0, 1.0], [0.0, 0.0, 1.0]), net, data).score
    1.0
    >>> prediction_score(drawn_function([-1.0, 1.0], [0.0, 0.0]), net, data).score
    0.0
    """
    low, high = float(data.X.min()), float(data.X.max())
    if not low < high:
        raise ValueError("A prediction is scored between the first and the last input; add a point at another x.")
    truth, region = piecewise_linear(net), (low, high)
    nothing = drawn_function([low, high], [0.0, 0.0])
    distances = [
        compare(f, truth, region=region) for f in (prediction, interpolate(data, duplicates="mean"), nothing)
    ]
    zero = distances[2].l2
    return PredictionScore(*distances, 1.0 - distances[0].l2 / zero if zero > 0 else float("nan"))
