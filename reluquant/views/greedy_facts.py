"""The limit of a vanishing initialisation beside a flow of finite scale: computed once, drawn often."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.dynamics.greedy_limit import GreedyLimit, greedy_limit
from reluquant.dynamics.progress import Progress
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.views.time_view import PLAY_FRAMES, thinned

# The axis of τ goes beyond the last jump by this share; without a jump to so many units of the fastest growth.
BEYOND, WITHOUT = 0.2, 3.0
# It holds the jumps of the other mode, too, unless they are later than this factor.
MOST_STRETCH = 4.0
OTHER = {"tracked": "reseeded", "reseeded": "tracked"}
# Far below a pixel.
RTOL = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class GreedyFacts:
    """A limit and a flow on the same axis τ = t / ln(1/scale).

    Parameters
    ----------
    limit : GreedyLimit
        The limit.
    other : GreedyLimit or None
        That of the other mode, for contrast; on the line only, where it costs nothing.
    run : Trajectory
        The flow of finite scale, up to the end of the axis or to its rest.
    scale : float
        Of the flow.
    end : float
        Of the axis.
    flow_tau, flow_loss : ndarray, shape (n_points,)
        The flow's loss, thinned for drawing.
    """

    limit: GreedyLimit
    other: GreedyLimit | None
    run: Trajectory
    scale: float
    end: float
    flow_tau: Floats
    flow_loss: Floats

    @property
    def data(self) -> Dataset:
        """What is learnt."""
        return self.limit.data

    @property
    def on_line(self) -> bool:
        """Whether function and circle can be drawn."""
        return drawable(self.data)

    @property
    def depth(self) -> float:
        """What one unit of τ is in t."""
        return -math.log(self.scale)

    @property
    def jumps(self) -> Floats:
        """Where a step forwards or backwards leads: the start, the jumps, the end."""
        return frozen(np.unique(np.concatenate([[0.0], self.limit.taus, [self.end]])))

    @property
    def grid(self) -> Floats:
        """Moments of a play, the jumps among them."""
        return frozen(np.unique(np.concatenate([np.linspace(0.0, self.end, PLAY_FRAMES), self.limit.taus])))

    def plateau(self, tau: float) -> int:
        """The number of jumps up to τ."""
        return int(np.searchsorted(self.limit.taus, tau, side="right"))

    def time(self, tau: float) -> float:
        """The time of the flow at τ, at most its end."""
        return min(tau * self.depth, float(self.run.t[-1]))


def drawable(data: Dataset) -> bool:
    """Whether function and circle of such data can be drawn: one feature with a bias."""
    return data.n_features == 1 and data.bias


def greedy_facts(
    data: Dataset, *, n_neurons: int, scale: float, seed: int, mode: str, progress: Progress = False
) -> GreedyFacts:
    """Return limit and flow of the same neurons.

    Parameters
    ----------
    data : Dataset
        Any number of features, one output.
    n_neurons : int
        How many neurons, balanced.
    scale : float
        Typical norm of a neuron at the start of the flow, below one.
    seed : int
        Of their directions.
    mode : {"tracked", "reseeded"}
        Of the limit; "reseeded" finds its own neurons.
    progress : bool or callable
        As for :func:`reluquant.gradient_flow`.

    Returns
    -------
    GreedyFacts

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.greedy_facts import greedy_facts
    >>> facts = greedy_facts(rq.datasets.two_points(), n_neurons=20, scale=1e-50, seed=0, mode="tracked")
    >>> facts.limit.taus.round(3), facts.plateau(1.0), facts.plateau(2.0)
    (array([1.414]), 0, 1)
    """
    start = ShallowReLU.balanced(n_features=data.n_features, n_neurons=n_neurons, scale=1.0, rng=seed, bias=data.bias)

    def follow(mode: str) -> GreedyLimit:
        return greedy_limit(data, start if mode == "tracked" else None, mode=mode, progress=progress)

    limit, other = follow(mode), follow(OTHER[mode]) if drawable(data) else None
    strongest = float(np.sum(np.abs(data.y) * np.linalg.norm(data.inputs, axis=1)))
    last = float(limit.taus[-1]) if limit.steps else 0.0
    if limit.steps and other is not None and other.steps:
        last = max(last, min(float(other.taus[-1]), MOST_STRETCH * last))
    end = (1.0 + BEYOND) * last or (WITHOUT * data.n_samples / strongest if strongest else 1.0)
    depth = -math.log(scale)
    run = gradient_flow(start, data, log_scale=-depth, t_max=end * depth, rtol=RTOL, progress=progress)
    tau, loss = np.append(run.t / depth, end), np.append(run.loss, run.loss[-1])
    chosen = thinned(tau, loss)
    return GreedyFacts(limit, other, run, scale, end, frozen(tau[chosen]), frozen(loss[chosen]))
