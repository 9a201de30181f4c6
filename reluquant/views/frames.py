"""What the explorer shows at one moment of a run: a pure function of (trajectory, t)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.views.direction_view import BINS, ExtremalView, SectorView, bar_of, bars, extremal_view, sector_view
from reluquant.views.function_view import (
    AWAKE,
    DEAD,
    DORMANT,
    DataView,
    Kinks,
    Window,
    data_view,
    kinks,
    network_curve,
    window,
)
from reluquant.views.sentences import FrameFacts, aligned_neurons, describe
from reluquant.views.time_view import LossCurve, loss_curve, time_grid

__all__ = [
    "DataView", "ExtremalView", "FlowFrame", "Kinks", "LossCurve", "SectorView", "Window",
    "data_view", "flow_frame", "loss_curve", "sector_view", "time_grid", "window",
]  # fmt: skip


# A neuron sleeps while its log-norm has come less than this part of the way from the start's to that of weights of
# order one, as in :func:`reluquant.quantisation`.
AWAKE_SHARE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class NeuronView:
    """Every neuron at one moment; arrays of shape (n_neurons,)."""

    angle: Floats
    sign: np.ndarray
    kink: Floats
    log_mass: Floats
    log_norm: Floats
    state: np.ndarray
    slides_on: np.ndarray
    aligned: np.ndarray

    def in_bar(self, sign: int, rank: int) -> np.ndarray:
        """Indices of the neurons of the rank-th bar of the circle: of this sign and alive; sign 0 is for the dead."""
        dead = self.state == DEAD
        mine = np.flatnonzero((self.sign != 0) & dead if sign == 0 else (self.sign == sign) & ~dead)
        # Those of the dead that grow outwards are the first.
        bar = bar_of(self.angle[mine]) + BINS * (self.sign[mine] < 0)
        filled = np.unique(bar)
        return mine[bar == filled[rank]] if 0 <= rank < filled.size else mine[:0]


@dataclass(frozen=True, slots=True, eq=False)
class FlowFrame:
    """Everything drawn at one moment; read-only arrays, no widgets.

    Parameters
    ----------
    t, loss : float
        The moment and the loss ``1/(2 n_samples) Σ (f(x_k) − y_k)²`` then.
    curve_x, curve_y : ndarray, shape (n_points,)
        The network function as a polyline.
    kinks : Kinks
        Marks of the rug.
    bars_positive, bars_negative, bars_dead : ndarray, shape (n_bars, 4, 2)
        Circular histogram of weight directions, by sign of ``a``; the dead neurons apart.
    turning : ndarray, shape (n_bars, 4, 2)
        The outer ends of these bars, for the share of neurons that are not aligned with a direction that attracts them.
    extremal : ExtremalView
        Directions that attract neurons now.
    neurons : NeuronView
        Every neuron by itself, for a selection.
    sentence : str
        The same in words.
    """

    t: float
    loss: float
    curve_x: Floats
    curve_y: Floats
    kinks: Kinks
    bars_positive: Floats
    bars_negative: Floats
    bars_dead: Floats
    turning: Floats
    extremal: ExtremalView
    neurons: NeuronView
    sentence: str

    def of_mark(self, mark: int) -> np.ndarray:
        """Indices of the neurons that a mark of the rug stands for; of none for -1."""
        return np.flatnonzero(self.kinks.mark_of == mark) if mark >= 0 else np.zeros(0, dtype=int)

    def drawn_to(self, sign: int, rank: int) -> np.ndarray:
        """Indices of the neurons that point along the rank-th of the directions that attract this sign."""
        mine = np.flatnonzero(self.extremal.sign == sign)[rank : rank + 1]
        one = ExtremalView(self.extremal.angle[mine], self.extremal.sign[mine], self.extremal.strength[mine])
        return np.flatnonzero(aligned_neurons(self.neurons.angle, self.neurons.sign, one))


def flow_frame(trajectory: Trajectory, t: float, *, shown: Window | None = None) -> FlowFrame:
    """Return what to draw at time ``t``.

    Parameters
    ----------
    trajectory : Trajectory
        The run; one feature with a bias.
    t : float
        Time, from 0 to the end of the run; a time beyond is taken as the end.
    shown : Window, optional
        The window of the function panel; by default the one that fits the data.

    Returns
    -------
    FlowFrame

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.frames import flow_frame
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=10, scale=1e-3, rng=0), data, t_max=50.0)
    >>> frame = flow_frame(run, 50.0)
    >>> frame.curve_x.shape == frame.curve_y.shape
    True
    """
    data = trajectory.data
    shown = window(data) if shown is None else shown
    t = min(max(float(t), 0.0), float(trajectory.t[-1]))
    states = trajectory.states([t])
    W, a, log_norm, slides_on = states.W[0], states.a[0], states.log_norm[0], states.slides_on[0]
    net = ShallowReLU(W, a)
    labels = data.y.reshape(data.n_samples, -1)[:, 0]
    residual = (labels - net(data.X)) / data.n_samples
    loss = float(np.sum(residual**2) * data.n_samples / 2)
    angle = np.arctan2(W[:, 1], W[:, 0])
    sign = np.sign(a).astype(int)
    with np.errstate(divide="ignore", over="ignore"):
        position = np.where(W[:, 0] == 0, np.inf, -W[:, 1] / np.where(W[:, 0] == 0, 1.0, W[:, 0]))
        log_mass = np.log(np.abs(a)) + log_norm
    strongest = float(np.sum(np.abs(labels) * np.hypot(data.X[:, 0], 1.0))) / data.n_samples
    extremal = extremal_view(data, residual, strongest)
    ends = np.array([[data.X.min(), 1.0], [data.X.max(), 1.0]])
    dead = np.all(W @ ends.T <= 0, axis=1) & (slides_on < 0)
    state = np.where(dead, DEAD, np.where(_asleep(trajectory, log_norm) & (slides_on < 0), DORMANT, AWAKE))
    arrived = aligned_neurons(angle, sign, extremal) | (slides_on >= 0)
    positive, negative, lifeless, turning = bars(angle, sign, dead, arrived)
    curve_x, curve_y = network_curve(net, shown.left, shown.right)
    facts = FrameFacts(
        t, loss, float(trajectory.loss[0]), angle, sign, log_mass, slides_on, extremal,
        int(np.count_nonzero(dead)), int(np.count_nonzero(state == DORMANT)),
        t == float(trajectory.t[-1]) and trajectory.end == "stationary",
    )  # fmt: skip
    neurons = NeuronView(
        frozen(angle), frozen(sign, int), frozen(position), frozen(log_mass), frozen(log_norm), frozen(state, int),
        frozen(slides_on, int), frozen(arrived, bool),
    )  # fmt: skip
    return FlowFrame(
        t=t,
        loss=loss,
        curve_x=curve_x,
        curve_y=curve_y,
        kinks=kinks(position, log_mass, sign, slides_on, shown.left, shown.right, state),
        bars_positive=positive,
        bars_negative=negative,
        bars_dead=lifeless,
        turning=turning,
        extremal=extremal,
        neurons=neurons,
        sentence=describe(facts),
    )


def _asleep(trajectory: Trajectory, log_norm: Floats) -> np.ndarray:
    start = trajectory.states([0.0]).log_norm[0]
    first = float(np.median(start[np.isfinite(start)])) if np.any(np.isfinite(start)) else 0.0
    # A start that is not small has no one asleep.
    return log_norm < AWAKE_SHARE * min(first, 0.0)
