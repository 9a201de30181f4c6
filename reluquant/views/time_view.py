"""The time strip: loss against log time, and the moments at which to draw a frame."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.structures.trajectory import Trajectory

# Nothing visible happens before this share of the fastest possible rotation.
FIRST_ROTATION = 0.02
# A run shorter than that is shown over this many decades up to its end.
FEWEST_DECADES = 2.0
# The loss axis ends that far above the highest loss.
TOP_ROOM = 1.08
# Points of the curve: a strip is about 900 pixels wide, and a line of 400 points is drawn 60 times a second.
STRIP_POINTS = 400
# Frames of a run when nothing but log time counts; escapes add more: 25 a second in a play of 15 seconds.
PLAY_FRAMES = 340
# The loss falls by at most this share of its whole fall between two frames of the play.
LARGEST_FALL = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class LossCurve:
    """Loss against the decimal logarithm of time, ready to draw.

    The loss is not on a logarithm: plateaus and falls between them are what the strip is about, and
    the last fall, to rounding, would be most of a logarithmic axis.

    Parameters
    ----------
    log_t, loss : ndarray, shape (n_points,)
        At most about 400 points in increasing time.
    t_first, t_last : float
        Where the axis begins and ends; the moment 0 is drawn at ``t_first``.
    top : float
        Upper end of the loss axis, positive; the lower one is 0.
    """

    log_t: Floats
    loss: Floats
    t_first: float
    t_last: float
    top: float

    def position(self, t: float) -> float:
        """Decimal logarithm of ``t`` on the axis, the moment 0 at its left end."""
        return math.log10(min(max(t, self.t_first), self.t_last))

    def height(self, t: float) -> float:
        """Loss at ``t``, on the drawn curve."""
        return float(np.interp(self.position(t), self.log_t, self.loss))


def first_time(data: Dataset, t_last: float) -> float:
    """Moment at which a logarithmic time axis should begin.

    The first neurons turn at a rate of at most ``Σ_k |r_k| |x̃_k|`` with ``r_k = y_k / n_samples``,
    whatever the scale of the weights, so nothing can be seen before a small share of its inverse.

    Parameters
    ----------
    data : Dataset
        Any number of features and outputs.
    t_last : float
        End of the run, positive.

    Returns
    -------
    float
        Positive and below ``t_last``.
    """
    pulls = np.hypot.reduce(data.y.reshape(data.n_samples, -1) / data.n_samples, axis=1)
    rate = float(pulls @ np.hypot.reduce(data.inputs, axis=1))
    latest = t_last * 10.0**-FEWEST_DECADES
    return min(FIRST_ROTATION / rate, latest) if rate > FIRST_ROTATION / latest else latest


def loss_curve(trajectory: Trajectory) -> LossCurve:
    """Return the loss of a run as a curve over log time.

    Parameters
    ----------
    trajectory : Trajectory
        A finished or interrupted run.

    Returns
    -------
    LossCurve
        At most about 400 points; every fall of the loss is kept to a pixel.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.time_view import loss_curve
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=10, scale=1e-3, rng=0), data, t_max=50.0)
    >>> curve = loss_curve(run)
    >>> bool(curve.loss[0] > curve.loss[-1])
    True
    """
    t_last = _end(trajectory)
    t_first = first_time(trajectory.data, t_last)
    keep = trajectory.t > t_first
    start = np.interp(t_first, trajectory.t, trajectory.loss)
    log_t = np.log10(np.append(t_first, trajectory.t[keep]))
    loss = np.append(start, trajectory.loss[keep])
    chosen = thinned(log_t, loss)
    top = TOP_ROOM * float(loss.max()) or 1.0
    return LossCurve(frozen(log_t[chosen]), frozen(loss[chosen]), t_first, t_last, top)


def time_grid(trajectory: Trajectory, n_frames: int = PLAY_FRAMES) -> Floats:
    """Moments at which a play of the run draws a frame.

    They are even in log time, and closer together where the loss falls fast, so that neither the
    alignment nor an escape passes between two frames.

    Parameters
    ----------
    trajectory : Trajectory
        The run.
    n_frames : int
        Number of frames that are even in log time.

    Returns
    -------
    ndarray, shape (n_times,)
        Increasing, from 0 to the end of the run.
    """
    t_last = _end(trajectory)
    even = np.geomspace(first_time(trajectory.data, t_last), t_last, n_frames)
    fall = float(trajectory.loss[0] - trajectory.loss[-1])
    if fall > 0:
        levels = np.linspace(0.0, 1.0, round(1 / LARGEST_FALL))[1:-1] * fall
        fallen = np.maximum.accumulate(trajectory.loss[0] - trajectory.loss)
        even = np.concatenate([even, np.interp(levels, fallen, trajectory.t)])
    grid = np.unique(np.append(0.0, np.minimum(even, float(trajectory.t[-1]))))
    return frozen(grid)


def decade_ticks(low: float, high: float, most: int = 9) -> dict[int, str]:
    """Powers of ten to label between two decimal logarithms.

    Examples
    --------
    >>> from reluquant.views.time_view import decade_ticks
    >>> decade_ticks(-1.2, 1.0)
    {-1: '10⁻¹', 0: '1', 1: '10'}
    """
    first, last = math.ceil(low), math.floor(high)
    step = max(1, math.ceil((last - first + 1) / most))
    return {k: _power_of_ten(k) for k in range(first, last + 1) if k % step == 0}


def round_ticks(low: float, high: float, most: int = 6) -> Floats:
    """Round numbers to label between two ends: multiples of 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> from reluquant.views.time_view import round_ticks
    >>> round_ticks(-0.3, 1.1)
    array([0. , 0.5, 1. ])
    """
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step), math.floor(high / step)
    return frozen([float(f"{k * step:.12g}") for k in range(first, last + 1)])


def _power_of_ten(exponent: int) -> str:
    if exponent in (0, 1):
        return "1" if exponent == 0 else "10"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _end(trajectory: Trajectory) -> float:
    # A run that stops at once (a perfect start) still needs an axis.
    end = float(trajectory.t[-1])
    return end if end > 0 else 1.0


def thinned(log_t: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Indices of the first and last point of every pixel-wide stretch."""
    if log_t.size <= STRIP_POINTS:
        return np.arange(log_t.size)
    share = np.hypot(np.diff(log_t) / np.ptp(log_t), np.diff(loss) / max(np.ptp(loss), np.finfo(float).tiny))
    way = np.append(0.0, np.cumsum(share))
    cells = np.floor(way / way[-1] * (STRIP_POINTS // 2)).astype(int)
    change = np.flatnonzero(np.diff(cells))
    return np.unique(np.concatenate([[0], change, change + 1, [log_t.size - 1]]))
