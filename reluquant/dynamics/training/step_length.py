"""How long a step may be so that descent stays beside the flow."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from reluquant.dynamics.training.objective import Objective, Weights

# A step may shrink the fastest decaying part of the error to this share less than itself: far from the factor of two
# at which descent explodes, so that a curvature estimated a little too small does no harm.
DAMPING = 0.5
# The largest curvature is that of the mean over samples; so many tell it to a few per cent.
CURVATURE_SAMPLES = 2048
# Rounds of the power iteration for the curvature; what it misses is far less than the room that DAMPING leaves.
ROUNDS = 6
# The curvature is estimated anew when neurons may have grown by this share: it goes with the square of their size.
GROWTH = 0.15


def fastest_rate(weights: Weights, gradient: Weights) -> float:
    """Largest share of itself that a neuron changes by in one unit of time.

    A neuron is its input weights and its output weights together: neither alone may vanish in a balanced network, and
    both together cannot vanish in finite time.
    """
    fastest = [
        (_squares(dW, dV) / _squares(W, V).clamp_min(1e-300)).max()
        for W, V, dW, dV in zip(weights, weights[1:], gradient, gradient[1:], strict=False)
    ]
    return math.sqrt(torch.stack(fastest).max().item())


def _squares(incoming: Tensor, outgoing: Tensor) -> Tensor:
    # The last column of the next layer may be its bias. In float64: squares of 1e-25 underflow in single precision.
    return incoming.double().square().sum(1) + outgoing[:, : len(incoming)].double().square().sum(0)


@dataclass(slots=True)
class FlowSteps:
    """Step lengths that keep descent beside the flow.

    No neuron moves by more than a share of itself, and no step comes near the length at which it is unstable.

    Attributes
    ----------
    share : float
        Of a neuron, in one step: both errors of the run shrink in proportion to it.
    objective : Objective
        Of the training samples.
    curvature : float
        The largest at the last estimate; NaN before the first.
    moved : float
        By how much of itself a neuron may have changed since.
    """

    share: float
    objective: Objective
    curvature: float = math.nan
    moved: float = 0.0
    _samples: Tensor = field(init=False)
    _probe: Tensor = field(init=False)

    def __post_init__(self) -> None:
        # Always the same: a run is to be repeatable, and one that is resumed to go on as if it had not stopped.
        draw = torch.Generator().manual_seed(0)
        y = self.objective.y
        self._samples = torch.randperm(y.shape[0], generator=draw)[:CURVATURE_SAMPLES].to(y.device)
        self._probe = torch.randn((self._samples.shape[0], y.shape[1]), generator=draw).to(y)

    def length(self, weights: Weights, rate: float) -> float:
        """Return the length of the next step, which is then taken."""
        if not self.moved < GROWTH or math.isnan(self.curvature):
            self.curvature, self.moved = self._estimate(weights), 0.0
        moving = self.share / rate if rate > 0.0 else math.inf
        stable = DAMPING / self.curvature if self.curvature > 0.0 else math.inf
        lr = min(moving, stable)
        self.moved += lr * rate
        return lr

    def _estimate(self, weights: Weights) -> float:
        vector, curvature = self.objective.pulled_back(weights, self._probe, self._samples), 0.0
        for _ in range(ROUNDS):
            size = _norm(vector)
            if not 0.0 < size < math.inf:
                break
            vector = self.objective.curved(weights, tuple(v / size for v in vector), self._samples)
            curvature = _norm(vector)
        return curvature


def _norm(parts: Weights) -> float:
    return math.sqrt(sum(part.double().square().sum().item() for part in parts))
