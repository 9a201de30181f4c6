"""Claims about stationary points: which are saddles, by which neurons they are left, and which are local minima."""

from __future__ import annotations

import numpy as np

from reluquant import datasets
from reluquant.dynamics.greedy_limit import GreedyLimit, greedy_limit
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.studies.claim import DERIVED, Claim, Outcome, claim
from reluquant.studies.claims_of_alignment import run
from reluquant.studies.claims_of_outcomes import LIMIT

ESCAPE = "2402.05626"


def _five_points() -> GreedyLimit:
    return greedy_limit(datasets.five_points(), progress=False)


@claim("|x| lacks escape neurons of direction (±1, 0), rate 0.07.", source=ESCAPE, by="traj.stationary_point")
def _escape_directions() -> Outcome:
    point = run(datasets.absolute()).stationary_point
    there = np.abs(point.missing @ np.array([1.0, 0.0])) > 1 - 1e-9
    return Outcome(float(np.max(point.rates[there], initial=0.0)), 0.07, 1e-6)


@claim(
    "With escape neurons a stationary point is no minimum: loss of |x| if they are put in.",
    source=ESCAPE,
    by="rq.greedy_limit",
)
def _escape() -> Outcome:
    return Outcome(greedy_limit(datasets.absolute(), mode="reseeded", progress=False).loss, 0.0, LIMIT)


@claim(
    "Five points: the mean square at the end, which the authors' code prints as 0.0278860 (width 50, scale 8e-6).",
    source=ESCAPE,
    by="rq.datasets.five_points",
)
def _end_of_five_points() -> Outcome:
    return Outcome(2 * float(run(datasets.five_points(), 50, 8e-6).loss[-1]), 0.0278860, 1e-7)


@claim("Five points: plateaus of the loss.", source=ESCAPE, by="rq.greedy_limit")
def _plateaus() -> Outcome:
    return Outcome(len(_five_points().steps) + 1, 3)


@claim(
    "Five points: the first group is orthogonal to an input, so the saddle is not differentiable: its kink is at 0.7.",
    source=ESCAPE,
    by="rq.greedy_limit",
)
def _not_differentiable() -> Outcome:
    ((w, b),) = _five_points().steps[0].directions
    return Outcome(float(-b / w), 0.7, LIMIT)


@claim(
    "Five points: the saddle is left at τ₁ + (1 - γ τ₁)/γ', when its escape neurons have grown: at γ before, γ' there.",
    source=DERIVED,
    by="rq.greedy_limit",
)
def _saddle_escape() -> Outcome:
    data = datasets.five_points()
    first, second = _five_points().taus
    before = np.linalg.norm(data.inputs[3:].T @ data.y[3:]) / data.n_samples
    there = np.hypot(3311 / 168125, 946 / 33625)
    return Outcome(float(second), float(first + (1 - before * first) / there), LIMIT)


@claim(
    "Five points: nobody is left to escape at the end, no tiny neuron sees a sample.",
    source=ESCAPE,
    by="rq.gradient_flow",
)
def _nobody_escapes() -> Outcome:
    data = datasets.five_points()
    final = run(data, 200).final
    small = final.norms < 1e-5
    # What is within rounding of a boundary sees nothing beyond it.
    seen = np.max(final.W @ data.inputs.T, axis=1) > 1e-12 * final.norms
    return Outcome(int(np.sum(small & seen)), 0)


@claim(
    "So it is a local minimum: of 1000 networks beside that end, dead neurons enlarged, those of a lower loss.",
    source=ESCAPE,
    by="rq.gradient_flow",
)
def _local_minimum() -> Outcome:
    data, draw = datasets.five_points(), np.random.default_rng(0)
    final = run(data, 50).final
    # Who sees no sample adds nothing at any length; at that of the others a change of it could be seen.
    larger = np.where(final.norms < 1e-5, 0.05 / final.norms, 1.0)
    W, a = final.W * larger[:, None], final.a * larger
    x = data.X[:, 0]

    def loss(net: ShallowReLU) -> float:
        return float(np.mean((net(x) - data.y) ** 2) / 2)

    moved = (ShallowReLU(W + draw.uniform(-1e-3, 1e-3, W.shape), a + draw.uniform(-1e-3, 1e-3, a.shape))
             for _ in range(1000))  # fmt: skip
    lowest = loss(ShallowReLU(W, a))
    return Outcome(sum(loss(net) < lowest for net in moved), 0)


LANDSCAPE: tuple[Claim, ...] = (
    _escape_directions,
    _escape,
    _end_of_five_points,
    _plateaus,
    _not_differentiable,
    _saddle_escape,
    _nobody_escapes,
    _local_minimum,
)
