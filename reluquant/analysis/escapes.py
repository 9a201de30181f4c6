"""When a run will leave its plateau, predicted from one moment of it, and when it did."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.losses import residuals
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory

# A direction that pulls at less than this share of the largest pull at the start will not escape in sight.
WEAKEST_PULL = 1e-4
# A prediction is made where nothing moves: where the loss falls by less than this share of itself in the time in which
# the next neurons grow by a factor of e.
STILL = 0.003
# ... and where what will escape is small against what it will become.
SMALL = 0.05
# A direction has escaped when its neurons carry this share of what they would carry if all else stood still: enough for
# the eye, and before others, which it makes turn or grow, have their say.
ESCAPED = 0.1
# Moments, even in the run's own steps, among which the one of an escape is sought.
MOST_LATER = 400
# Moments whose states are held at once.
CHUNK = 32
# Moments of a run that are looked at.
N_MOMENTS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Escape:
    """A plateau's predicted end.

    Attributes
    ----------
    made_at : float
        The moment from which it was predicted.
    predicted : float
        When the neurons along ``direction`` are predicted to carry a tenth of what they would carry alone.
    actual : float
        When they did; NaN if the run ended before.
    direction : ExtremalDirection
        Along which the network leaves.
    """

    made_at: float
    predicted: float
    actual: float
    direction: ExtremalDirection


def next_escape(trajectory: Trajectory, t: float) -> Escape | None:
    """Predict from the state at time ``t`` along which direction, and when, the network leaves its plateau.

    Parameters
    ----------
    trajectory : Trajectory
        A run with one input, bias and one output, squared loss.
    t : float
        A moment of it, best on a plateau.

    Returns
    -------
    Escape or None
        None if no direction attracts and feeds neurons that are there.

    Notes
    -----
    While all else rests, balanced neurons along an extremal direction u with rate G and joint mass
    ``M = Σ |a_j| |w_j|`` move by the logistic equation ``dM/dt = 2 M (G − M c)``,
    ``c = Σ_k relu(u · x̃_k)² / n_samples``: they end at ``M* = G / c`` and carry a tenth of it after
    ``ln((M* − M) / (9 M)) / (2 G)``. The direction that is first is the next. It is a prediction of first order:
    neurons that still turn are counted as if they had arrived, and the rest of the network, which in truth gives way,
    as if it stood still.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 4; the logistic equation is the flow of a neuron whose
    direction is held.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.escapes import next_escape
    >>> net = rq.ShallowReLU.balanced(n_neurons=100, scale=1e-12, rng=0)
    >>> run = rq.gradient_flow(net, rq.datasets.two_points(), progress=False)
    >>> escape = next_escape(run, 0.0)
    >>> bool(abs(escape.predicted / escape.actual - 1) < 0.1)
    True
    """
    return _next(trajectory, float(t), _first_pull(trajectory.data))


def escapes(trajectory: Trajectory) -> tuple[Escape, ...]:
    """Predict the end of every plateau of a run from its beginning, and say when it came.

    Parameters
    ----------
    trajectory : Trajectory
        As in :func:`next_escape`.

    Returns
    -------
    tuple of Escape
        In the order in which they were predicted.
    """
    first_pull = _first_pull(trajectory.data)
    moments = trajectory.t[np.unique(np.linspace(0, trajectory.t.size - 1, N_MOMENTS).round().astype(int))]
    speed = -np.gradient(trajectory.loss, trajectory.t) if trajectory.t.size > 2 else np.zeros(trajectory.t.size)
    found: list[Escape] = []
    awaited = 0.0
    for t in moments.tolist():
        if t < awaited:
            continue
        escape = _next(trajectory, t, first_pull)
        if escape is None or not _still(trajectory, t, speed, escape):
            continue
        found.append(escape)
        if math.isnan(escape.actual):
            break
        awaited = escape.actual
    return tuple(found)


def _next(trajectory: Trajectory, t: float, first_pull: float) -> Escape | None:
    data = trajectory.data
    angle, sign, log_mass, net = _neurons(trajectory, t)
    labels = data.y.reshape(data.n_samples, -1)
    residual = residuals(trajectory.recording.loss, net(data.X).reshape(labels.shape), labels).reshape(data.y.shape)
    best: tuple[float, ExtremalDirection, float] | None = None
    for direction in extremal_directions(data, residual=residual):
        if direction.kind not in ("attractor", "semistable") or direction.rate <= WEAKEST_PULL * first_pull:
            continue
        log_sum = _log_sum(log_mass[_inside(direction, angle) & (sign == direction.sign)])
        log_end = math.log(direction.rate / _curvature(data, direction))
        if log_sum >= log_end + math.log(ESCAPED) or not math.isfinite(log_sum):
            continue
        odds = math.log(ESCAPED / (1 - ESCAPED))
        wait = (odds + log_end - log_sum + math.log1p(-math.exp(log_sum - log_end))) / (2 * direction.rate)
        if best is None or t + wait < best[0]:
            best = t + wait, direction, log_end
    if best is None:
        return None
    predicted, direction, log_end = best
    return Escape(t, predicted, _reached(trajectory, t, direction, log_end + math.log(ESCAPED)), direction)


def _neurons(trajectory: Trajectory, t: float) -> tuple[Floats, np.ndarray, Floats, ShallowReLU]:
    states = trajectory.states([t])
    W, a = states.W[0], states.a[0].reshape(states.W.shape[1])
    return np.arctan2(W[:, 1], W[:, 0]), np.sign(a), _log_masses(trajectory, np.array([t]))[0], ShallowReLU(W, a)


def _log_masses(trajectory: Trajectory, times: Floats) -> Floats:
    """Logarithms of ``|a_j| |w_j|``, shape (n_times, n_neurons)."""
    states = trajectory.states(times)
    a = states.a.reshape(states.log_norm.shape)
    with np.errstate(divide="ignore"):
        # A weight below float64 has lost all but its logarithm, and is balanced.
        return states.log_norm + np.where(a == 0, states.log_norm, np.log(np.abs(a)))


def _inside(direction: ExtremalDirection, angle: Floats) -> np.ndarray:
    if direction.basin is None:
        return np.zeros(angle.shape, dtype=bool)
    start, end = direction.basin
    # A neuron that has arrived at a ray lies on it to rounding.
    away = np.abs((angle - direction.angle + math.pi) % math.tau - math.pi)
    return ((angle - start) % math.tau <= end - start) | (away < 1e-6)


def _curvature(data: Dataset, direction: ExtremalDirection) -> float:
    return float(np.mean(np.maximum(data.inputs @ direction.direction, 0.0) ** 2))


def _log_sum(logs: Floats) -> float:
    top = float(np.max(logs, initial=-np.inf))
    return top + math.log(float(np.sum(np.exp(logs - top)))) if math.isfinite(top) else -math.inf


def _first_pull(data: Dataset) -> float:
    labels = data.y.reshape(data.n_samples, -1)[:, 0]
    return float(np.sum(np.abs(labels) * np.hypot(data.X[:, 0], 1.0))) / data.n_samples


def _reached(trajectory: Trajectory, t: float, direction: ExtremalDirection, log_goal: float) -> float:
    """First moment, to one of 400 steps of the run, at which the neurons that were to go have the mass of the goal."""
    angle, sign, _, _ = _neurons(trajectory, t)
    members = _inside(direction, angle) & (sign == direction.sign)
    later = trajectory.t[trajectory.t > t]
    later = later[np.unique(np.linspace(0, later.size - 1, min(later.size, MOST_LATER)).round().astype(int))]
    for start in range(0, later.size, CHUNK):
        times = later[start : start + CHUNK]
        for moment, mass in zip(times.tolist(), _log_masses(trajectory, times)[:, members], strict=True):
            if _log_sum(mass) >= log_goal:
                return moment
    return math.nan


def _still(trajectory: Trajectory, t: float, speed: Floats, escape: Escape) -> bool:
    fall = float(np.interp(t, trajectory.t, speed))
    rest = float(np.interp(t, trajectory.t, trajectory.loss))
    rate = 2 * escape.direction.rate
    return fall <= STILL * rate * rest and (escape.predicted - t) * rate >= -math.log(SMALL)
