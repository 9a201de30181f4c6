"""How far network and interpolant are apart, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reluquant.analysis.compare import Comparison
from reluquant.analysis.interpolation_bounds import InterpolationBounds, interpolation_bounds
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.structures.triangulation import Triangulation
from reluquant.views.sentences import number

# What is said and chosen instead of the names that the bounds have in code.
BOUND_WORDS = {"relu": "its neurons", "lipschitz": "slopes", "curvature": "curvature"}


def network_at(trajectory: Trajectory, t: float) -> ShallowReLU:
    """Return the trained function at a time as one network: a trained output bias is a neuron that is always on."""
    (net,) = networks_at(trajectory, [t])
    return net


def networks_at(trajectory: Trajectory, times: Sequence[float]) -> list[ShallowReLU]:
    """Return the same for several times; those close to each other are found faster together than one by one."""
    times = [min(max(float(t), 0.0), float(trajectory.t[-1])) for t in times]
    states = trajectory.states(times)
    nets = [ShallowReLU(W, a, bias=trajectory.data.bias) for W, a in zip(states.W, states.a, strict=True)]
    return [_with_bias(net, trajectory.output_bias(t)) for net, t in zip(nets, times, strict=True)]


def _with_bias(net: ShallowReLU, offset: np.ndarray) -> ShallowReLU:
    if not np.any(offset):
        return net
    always = np.zeros((1, net.W.shape[1]))
    always[0, -1] = 1.0
    return ShallowReLU(np.vstack([net.W, always]), np.concatenate([net.a, offset.reshape(1, *net.a.shape[1:])]))


def bounds_at(
    net: ShallowReLU, triangulation: Triangulation, lipschitz: float | None, curvature: float | None
) -> InterpolationBounds | None:
    """Bounds of the distance of a network from its own interpolant at the data; None for a single point."""
    if triangulation.dimension < triangulation.n_features:
        return None
    return interpolation_bounds(net, triangulation, lipschitz=lipschitz, curvature=curvature)


def moment(trajectory: Trajectory, data: Dataset, net: ShallowReLU, t: float) -> str:
    """Time and loss on the data that are shown, as a beginning of a sentence."""
    labels = data.y.reshape(data.n_samples, -1)[:, 0]
    off = float(np.abs(net(data.X).reshape(labels.shape) - labels).max())
    loss = float(np.interp(t, trajectory.t, trajectory.loss))
    return f"t = {number(t)}, loss {number(loss)}: the network misses the data by at most {number(off)}. "


def distance_words(distance: Comparison, area: str) -> str:
    """The exact distances as a sentence."""
    at = np.atleast_1d(distance.sup_at)
    place = f"x = {number(at[0])}" if at.size == 1 else f"({number(at[0])}, {number(at[1])})"
    place = place.replace("-", "−")
    if distance.sup == 0:
        return f"Network and interpolant agree on {area}."
    return (
        f"Network and interpolant are at most {number(distance.sup)} apart, at {place}, and {number(distance.l2)} in L2"
        f" on {area}."
    )


def bounds_words(bounds: InterpolationBounds | None) -> str:
    """Whether each bound holds, as a sentence; nothing without bounds."""
    if bounds is None or bounds.measured is None:
        return ""
    largest, holds = bounds.largest, bounds.holds
    said = [
        f"by {BOUND_WORDS[name]} {number(largest[name])} ({'holds' if good else 'does not hold'})"
        for name, good in holds.items()
    ]
    return f" It leaves its own interpolant at the data by {number(largest['measured'])}; bounds: {', '.join(said)}."
