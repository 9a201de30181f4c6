"""What kind of stationary point a flow has reached."""

from __future__ import annotations

import numpy as np

from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.stationary_point import Rest, StationaryPoint

# The stationarity test stops at a speed, and residuals of a fitting network still fall then: growth below this many
# times that speed is not growth.
GROWS = 100.0


def planar_stationary_point(net: ShallowReLU, data: Dataset, slowest: float, tolerance: float) -> StationaryPoint:
    """Tell the kind of a stationary point with one input and a bias; ``slowest`` is the speed that counts as none."""
    residual = (data.y - net(data.X)) / data.n_samples
    lengths = np.hypot(data.X[:, 0], 1.0)
    mass = float(np.sum(net.norms**2 + net.a**2))
    # A heavy network knows its residual to the tolerance of its terms only.
    unknown = tolerance * float(np.mean(lengths)) * mass * float(np.max(lengths))
    growing = [
        direction
        for direction in extremal_directions(data, residual=residual)
        if direction.rate > GROWS * max(slowest, unknown) and direction.kind in ("attractor", "semistable")
    ]
    growing.sort(key=lambda direction: -direction.rate)
    return StationaryPoint(
        _kind(net, data, bool(growing)),
        np.array([direction.direction for direction in growing]).reshape(-1, 2),
        np.array([direction.sign for direction in growing], dtype=np.int64),
        np.array([direction.rate for direction in growing]),
    )


def _kind(net: ShallowReLU, data: Dataset, something_grows: bool) -> Rest:
    if not something_grows:
        return Rest.ZERO_LOSS
    # On a sample a neuron may be held, at zero within rounding: it is not dead.
    active = data.inputs @ net.W.T > -1e-12 * np.linalg.norm(data.inputs, axis=1)[:, None] * net.norms
    alive = np.any(active & (net.norms > 0), axis=0) & np.any(net.a.reshape(net.n_neurons, -1) != 0, axis=1)
    return Rest.SPURIOUS if np.any(alive) else Rest.DEAD


def describe_rest(point: StationaryPoint, unavoidable: float) -> str:
    """Say in a sentence what is missing."""
    if point.kind == Rest.ZERO_LOSS:
        return " No function of the inputs fits better." if unavoidable > 0 else " The network fits the data."
    missing = ""
    if point.rates.size:
        direction = ", ".join(f"{value:.3g}" for value in point.missing[0])
        missing = (
            f" a neuron along ({direction}) with an output weight {'> 0' if point.signs[0] > 0 else '< 0'} would grow,"
            f" at rate {point.rates[0]:.3g}, but there is none"
        )
    if point.kind == Rest.DEAD:
        return f" The network is dead, no neuron is active on any sample:{missing}; take more neurons or another start."
    return f" It is stuck at a spurious stationary point:{missing}; take more neurons or a larger scale."


def unit_speed(net: ShallowReLU, data: Dataset, scale: float) -> float:
    """How fast tiny neurons turn, or those of this start if all labels are zero; ``scale`` multiplies its output."""
    lengths = np.linalg.norm(data.inputs, axis=1)
    residual: Floats = data.y if np.any(data.y) else scale * net(data.X)
    size = np.abs(residual) if residual.ndim == 1 else np.linalg.norm(residual, axis=1)
    return float(np.mean(size * lengths))
