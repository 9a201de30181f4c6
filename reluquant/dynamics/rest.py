"""What kind of stationary point a flow has reached."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.dynamics.planar_flow import STEP_SHARE
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.stationary_point import Rest, StationaryPoint

# A network fits when its residual is this share of that of the zero function, or these many times the tolerance: the
# stationarity test stops at a speed, and residuals of a fitting network still fall then.
FITS, FITS_TOLERANCES = 1e-3, 10.0
# Slower growth than this share of that of the start is left by what the flow has not quite finished.
GROWS = 1e-6
# Directions that a search tells of.
MOST_MISSING = 8
# Activity below this share of |w||x̃| is rounding: a dead neuron lies on the sample that absorbed it.
ACTIVE = 1e-12


class Speed(NamedTuple):
    """Rate below which nothing moves, that above which something grows, and ``Σ |r_k| |x̃_k|`` of a fit at most.

    ``unresolved`` times ``Σ |a_j| |w_j|`` is what the tolerance of a step leaves of any rate.
    """

    slowest: float
    growing: float
    fitted: float
    unresolved: float

    def growth(self, net: ShallowReLU) -> float:
        """The rate above which something is known to grow beside a network as heavy as this one."""
        return max(self.growing, self.unresolved * mass(net))


def mass(net: ShallowReLU) -> float:
    """``Σ |a_j| |w_j|``."""
    return float(np.sum(np.linalg.norm(net.a.reshape(net.n_neurons, -1), axis=1) * net.norms))


class Verdict(NamedTuple):
    """The kind of a stationary point; ``coarse``: whether a fit is one only as far as such heavy weights can tell."""

    point: StationaryPoint
    coarse: bool = False


def _fit(n_weights: int, coarse: bool) -> Verdict:
    return Verdict(StationaryPoint(Rest.ZERO_LOSS, np.empty((0, n_weights)), np.empty(0), np.empty(0)), coarse)


def planar_stationary_point(net: ShallowReLU, data: Dataset, slides: np.ndarray, speed: Speed) -> Verdict:
    """Tell the kind of a stationary point with one input and a bias; ``slides`` (m,): who is held on a sample."""
    residual = (data.y - net(data.X)) / data.n_samples
    _, which = np.unique(data.X[:, 0], return_inverse=True)
    lengths = np.hypot(data.X[:, 0], 1.0)
    # Labels that differ at one input cannot be fitted: their mean counts.
    left = np.abs(np.bincount(which, weights=residual)) @ np.maximum.reduceat(
        lengths[np.argsort(which, kind="stable")], np.unique(np.sort(which), return_index=True)[1]
    )
    if left <= speed.fitted:
        return _fit(2, False)
    least = speed.growth(net)
    growing = [
        direction
        for direction in extremal_directions(data, residual=residual)
        if direction.rate > least and direction.kind in ("attractor", "semistable")
    ]
    if not growing and least > speed.growing:
        return _fit(2, True)
    growing.sort(key=lambda direction: -direction.rate)
    point = StationaryPoint(
        _stuck(net, data, slides),
        np.array([direction.direction for direction in growing]).reshape(-1, 2),
        np.array([direction.sign for direction in growing], dtype=np.int64),
        np.array([direction.rate for direction in growing]),
    )
    return Verdict(point)


def general_stationary_point(
    net: ShallowReLU, data: Dataset, slides: np.ndarray, residual: Floats, speed: Speed
) -> Verdict:
    """Tell the kind of a stationary point with any inputs and outputs, from ``residual`` (n, o) = -∂L/∂f.

    Directions in which a tiny neuron would grow are looked for among the inputs and the gradients of their patterns:
    those that are found do grow, but they need not be extremal, nor all.
    """
    inputs, lengths = data.inputs, np.linalg.norm(data.inputs, axis=1)
    left = float(np.linalg.norm(residual, axis=1) @ lengths)
    if left <= speed.fitted:
        return _fit(inputs.shape[1], False)
    least = speed.growth(net)
    starts = np.concatenate([inputs, -inputs])
    patterns = (starts @ inputs.T > 0.0).astype(float)
    gradients = np.einsum("sk,ko,kp->sop", patterns, residual, inputs).reshape(-1, inputs.shape[1])
    candidates = np.concatenate([starts, gradients, -gradients])
    norms = np.linalg.norm(candidates, axis=1)
    directions = np.unique(candidates[norms > 0.0] / norms[norms > 0.0][:, None], axis=0)
    growth = np.maximum(directions @ inputs.T, 0.0) @ residual
    rates = np.linalg.norm(growth, axis=1)
    best = [i for i in np.argsort(-rates)[:MOST_MISSING] if rates[i] > least]
    if not best and least > speed.growing:
        return _fit(inputs.shape[1], True)
    return Verdict(
        StationaryPoint(
            _stuck(net, data, slides), directions[best], np.sign(growth[best, 0]), rates[best], complete=False
        )
    )


def _stuck(net: ShallowReLU, data: Dataset, slides: np.ndarray) -> Rest:
    active = data.inputs @ net.W.T > ACTIVE * np.linalg.norm(data.inputs, axis=1)[:, None] * net.norms
    has_output = np.any(net.a.reshape(net.n_neurons, -1) != 0, axis=1)
    return Rest.SPURIOUS if np.any((np.any(active, axis=0) | slides) & has_output) else Rest.DEAD


def describe_rest(verdict: Verdict, unavoidable: float) -> str:
    """Say in a sentence what is missing."""
    point, coarse = verdict
    if point.kind == Rest.ZERO_LOSS and coarse:
        return " The network fits the data as far as rtol can tell with weights as large as these; use a smaller rtol."
    if point.kind == Rest.ZERO_LOSS:
        return " No function of the inputs fits better." if unavoidable > 0 else " The network fits the data."
    missing = " what would grow grows more slowly than rtol can tell, so use a smaller rtol, and centre the inputs"
    if point.rates.size:
        direction = ", ".join(f"{value:.3g}" for value in point.missing[0])
        missing = (
            f" a neuron along ({direction}) with an output weight {'> 0' if point.signs[0] > 0 else '< 0'} would grow,"
            f" at rate {point.rates[0]:.3g}, but there is none"
        )
    if point.kind == Rest.DEAD:
        return f" The network is dead, no neuron is active on any sample:{missing}; take more neurons or another start."
    return f" It is stuck at a spurious stationary point:{missing}; take more neurons or a larger scale."


def speeds(net: ShallowReLU, data: Dataset, rtol: float, scale: float) -> Speed:
    """What counts as no motion, and as a fit, for a start whose output is multiplied by ``scale``.

    In units of how fast tiny neurons turn, or those of this start if all labels are zero.
    """
    lengths = np.linalg.norm(data.inputs, axis=1)
    residual: Floats = data.y if np.any(data.y) else scale * net(data.X)
    size = np.abs(residual) if residual.ndim == 1 else np.linalg.norm(residual, axis=1)
    unit = float(np.mean(size * lengths))
    return Speed(
        slowest=rtol * unit,
        growing=max(rtol, GROWS) * unit,
        fitted=max(FITS, FITS_TOLERANCES * rtol) * unit,
        # What the flow calls rest, some times over; |w|² + a² of a balanced neuron is twice its mass.
        unresolved=2.0 * FITS_TOLERANCES * STEP_SHARE * rtol * float(np.mean(lengths) * np.max(lengths)),
    )
