"""Claims about where training ends: losses, times, functions and kinks."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from reluquant import datasets
from reluquant.analysis.compare import compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.kink_census import KinkCensus, kink_census
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.dynamics.function_family import function_family
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.dynamics.greedy_limit import GreedyLimit, greedy_limit
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.studies.claim import DERIVED, PAPER, Claim, Outcome, Relation, claim
from reluquant.studies.claims_of_alignment import attracting, run, start

SPURIOUS, ORTHOGONAL = "2401.10791", "2206.00939"
# A limit forgets the scale; a plateau of it ends where the loss has fallen by a millionth.
LIMIT = 1e-6


def _limit(data: Dataset, net: ShallowReLU | None = None, mode: str = "tracked") -> GreedyLimit:
    return greedy_limit(data, net, mode=mode, progress=False)


def _lengths(data: Dataset) -> list[float]:
    """|D+| and |D-| of orthonormal inputs, the longer first."""
    halves = [np.sqrt(np.sum(data.y[data.y * s > 0] ** 2)) / data.n_samples for s in (1, -1)]
    return sorted(map(float, halves), reverse=True)


@cache
def _random_ends() -> tuple[KinkCensus, ...]:
    """What became of twenty networks on random labels."""
    sets = [datasets.random(8, rng=seed) for seed in range(20)]
    return tuple(kink_census(run(data, 200, 1e-8, seed).final, data) for seed, data in enumerate(sets))


# ------------------------------------------------------------------------------------------- functions and kinks


@claim(
    "The final function does not depend on the width: sup distance of 20, 200 and 2000 neurons at e^-1000.",
    by="rq.compare",
)
def _width() -> Outcome:
    data = datasets.zigzag()
    # Seed 2 puts one of the 20 neurons into every basin, which wide networks do at any seed.
    finals = [piecewise_linear(run(data, n, 1.0, 2, log_scale=-1000.0).final) for n in (20, 200, 2000)]
    return Outcome(max(compare(finals[0], f, region=(-2, 2)).sup for f in finals[1:]), 0.0, 1e-6)


@claim(
    "A start of scale 1e-8 ends where the limit of vanishing scale does: difference of the losses (zigzag).",
    source=f"a reading of {PAPER}",
    by="rq.greedy_limit",
    exception="In τ = 10.1 to 10.8 three groups wake, and in between sleeping neurons turn out of the basin that would"
    " lead on. That takes a time of order one, which starts above about e^-80 do not leave them: they fit the data.",
)
def _small_is_not_vanishing() -> Outcome:
    data = datasets.zigzag()
    return Outcome(_limit(data).loss - float(run(data, 100).loss[-1]), 0.0, 1e-4)


@claim("The functions are finitely many: N basins lead to at most 2^N (zigzag, N = 7).", by="rq.function_family")
def _finitely_many_functions() -> Outcome:
    family = function_family(datasets.zigzag(), progress=False)
    return Outcome(len(family), 2**family.present.n_neurons, relation=Relation.AT_MOST)


@claim("Random networks end in one of the functions f_J: those of 20 draws that do not.", by="rq.function_family")
def _draws_are_in_the_family() -> Outcome:
    family = function_family(datasets.two_points(), draws=20, rng=0, progress=False)
    return Outcome(sum(member.count for member in family if not member.subsets), 0)


@claim("At most 2 n + 1 breakpoints (most of 20 networks on 8 random points).", by="rq.kink_census")
def _few_kinks() -> Outcome:
    return Outcome(max(c.n_breakpoints for c in _random_ends()), 17, relation=Relation.AT_MOST)


@claim("At most 3 n - 1 groups of neurons with a kink (the same 20).", source=DERIVED, by="rq.kink_census")
def _few_groups() -> Outcome:
    return Outcome(max(c.kinks.size for c in _random_ends()), 23, relation=Relation.AT_MOST)


@claim(
    "Between two neighbouring points at most one kink (x = ±2, ±3, y = |x| + 0.2).",
    source=f"a reading of {PAPER}",
    by="rq.kink_census",
    exception="The bound 2 n + 1 counts points and gaps together; here the gap in the middle ends with two, at ±0.2.",
)
def _two_kinks_in_a_gap() -> Outcome:
    data = Dataset([-3.0, -2.0, 2.0, 3.0], [3.2, 2.2, 2.2, 3.2])
    return Outcome(int(np.max(kink_census(run(data).final, data).per_gap)), 1, relation=Relation.AT_MOST)


@claim("Kinks sit at data points: share of the groups of zigzag that do (5 points).", by="rq.kink_census")
def _kinks_at_data() -> Outcome:
    data = datasets.zigzag()
    return Outcome(float(np.mean(kink_census(run(data, 1000).final, data).on_data >= 0)), 1.0, 1e-12)


@claim(
    "Kinks sit at data points: at least half of those of 20 networks on random labels.",
    by="rq.kink_census",
    exception="Labels that go up and down hold kinks; random ones have runs over which a kink moves freely.",
)
def _kinks_of_random_labels() -> Outcome:
    at = np.concatenate([c.on_data for c in _random_ends()])
    return Outcome(float(np.mean(at >= 0)), 0.5, 1e-3, Relation.AT_LEAST)


@claim(
    "Smooth targets: the end is near the linear interpolant, within a tenth of the labels' range (5 to 40 points).",
    by="rq.compare",
    exception="Near, but not always that near: a small start may stop at a spurious stationary point.",
)
def _near_interpolation() -> Outcome:
    worst = 0.0
    for n in (5, 10, 20, 40):
        data = datasets.smooth(n, rng=0)
        distance = compare(piecewise_linear(run(data, 1000).final), interpolate(data)).sup
        worst = max(worst, distance / float(np.ptp(data.y)))
    return Outcome(worst, 0.1, 1e-3, Relation.AT_MOST)


# ------------------------------------------------------------------------------------------------ spurious ends


@claim("|x| at five points: the flow is stuck at f = 0.6, loss 0.07.", source=DERIVED, by="rq.gradient_flow")
def _stuck_on_the_absolute_value() -> Outcome:
    return Outcome(float(run(datasets.absolute()).loss[-1]), 0.07, 1e-8)


@claim(
    "Three points: the flow is stuck at the least-squares line, loss 0.0875213675.",
    source=SPURIOUS,
    by="rq.gradient_flow",
)
def _stuck_on_three_points() -> Outcome:
    return Outcome(float(run(datasets.three_points()).loss[-1]), 0.0875213675, 1e-9)


@claim("Three points: distance of the end from -4/65 x + 251/390.", source=SPURIOUS, by="rq.gradient_flow")
def _line_of_three_points() -> Outcome:
    x = np.array([-0.75, 0.125])
    error = run(datasets.three_points()).final(x) - (-4 / 65 * x + 251 / 390)
    return Outcome(float(np.max(np.abs(error))), 0.0, 1e-6)


@claim("Four peaks, 40 points, 1000 neurons: the loss stays above 0.01.", source=SPURIOUS, by="rq.datasets.stewart")
def _four_peaks() -> Outcome:
    return Outcome(float(run(datasets.stewart(rng=0), 1000).loss[-1]), 0.01, 1e-6, Relation.AT_LEAST)


@claim("Noisy linear labels, 4 samples: interpolated, loss 0.", source="2410.02348", by="rq.datasets.linear_teacher")
def _few_noisy_labels() -> Outcome:
    return Outcome(float(run(datasets.linear_teacher(4, rng=1)).loss[-1]), 0.0, 1e-8)


@claim(
    "Noisy linear labels, 40 samples: the end is the least-squares fit of either side, not an interpolation.",
    source="2410.02348",
    by="rq.datasets.linear_teacher",
)
def _many_noisy_labels() -> Outcome:
    data = datasets.linear_teacher(40, rng=1)
    sides = [data.X[:, 0] > 0, data.X[:, 0] < 0]
    unexplained = sum(float(np.linalg.lstsq(data.X[k], data.y[k], rcond=None)[1][0]) for k in sides)
    return Outcome(float(run(data, scale=1e-12).loss[-1]), unexplained / (2 * data.n_samples), 1e-8)


# --------------------------------------------------------------------------------------------- the greedy limit


@claim("One point: f = y/(1 + (y/m₀ - 1) e^(-2 |x| y t)); its value at t = 1.", source=DERIVED, by="rq.gradient_flow")
def _one_point() -> Outcome:
    net, data = ShallowReLU([[1e-3]], [1e-3], bias=False), Dataset([[2.0]], [3.0], bias=False)
    found = float(gradient_flow(net, data, t_max=1.0, progress=False).final([[2.0]])[0])
    return Outcome(found, 3 / (1 + (3 / 2e-6 - 1) * math.exp(-12)), 1e-7)


@claim("Two points wake at τ = √2.", source=DERIVED, by="rq.greedy_limit")
def _two_points() -> Outcome:
    return Outcome(float(_limit(datasets.two_points()).taus[0]), math.sqrt(2), LIMIT)


@claim("|x| at five points wakes at τ = 5/3, one over the mean label.", source=DERIVED, by="rq.greedy_limit")
def _absolute_value() -> Outcome:
    return Outcome(float(_limit(datasets.absolute()).taus[0]), 5 / 3, LIMIT)


@claim("Three points wake at τ = 1/rate of the fastest extremal direction.", source=SPURIOUS, by="rq.greedy_limit")
def _three_points() -> Outcome:
    data = datasets.three_points()
    return Outcome(float(_limit(data).taus[0]), 1 / max(d.rate for d in attracting(data)), LIMIT)


@claim("The tent, degenerate, wakes a second time at τ = 4.13604.", source=DERIVED, by="rq.greedy_limit")
def _tent() -> Outcome:
    return Outcome(float(_limit(datasets.tent()).taus[1]), 4.13604, 1e-4)


@claim("Exclusive or wakes at τ = 2√2.", source=DERIVED, by="rq.greedy_limit")
def _exclusive_or() -> Outcome:
    return Outcome(float(_limit(datasets.xor()).taus[0]), 2 * math.sqrt(2), LIMIT)


@claim(
    "Exclusive or ends at f = ½ (|x₁ + x₂| - |x₁ - x₂|): largest difference at 20 places.",
    source=DERIVED,
    by="rq.greedy_limit",
)
def _function_of_exclusive_or() -> Outcome:
    x = np.random.default_rng(0).normal(size=(20, 2))
    expected = (np.abs(x[:, 0] + x[:, 1]) - np.abs(x[:, 0] - x[:, 1])) / 2
    return Outcome(float(np.max(np.abs(_limit(datasets.xor()).final(x) - expected))), 0.0, LIMIT)


@claim(
    "Times approach the limit like 1/ln(1/scale): the slope of log against log (three points).",
    source=DERIVED,
    by="rq.greedy_limit",
)
def _rate_of_the_limit() -> Outcome:
    data, depths = datasets.three_points(), np.array([200.0, 400.0, 800.0])
    net = start(data, 60, 1.0)
    (step,) = _limit(data, net).steps
    half = 0.5 * (step.loss_before + step.loss_after)
    flows = [gradient_flow(net, data, log_scale=-depth, stop_loss=half, progress=False) for depth in depths]
    errors = [abs(traj.t[-1] / depth - step.tau) for traj, depth in zip(flows, depths, strict=True)]
    return Outcome(float(np.polyfit(np.log(depths), np.log(errors), 1)[0]), -1.0, 0.01)


# --------------------------------------------------------------------------------------------- several dimensions


@claim("Orthonormal inputs: the first group wakes at τ = 1/max |D±|.", source=ORTHOGONAL, by="rq.greedy_limit")
def _first_half() -> Outcome:
    data = datasets.orthogonal(4, rng=1)
    return Outcome(float(_limit(data, start(data, 100, 1.0)).taus[0]), 1 / _lengths(data)[0], LIMIT)


@claim("Orthonormal inputs: the second group wakes at τ = 1/min |D±|.", source=ORTHOGONAL, by="rq.greedy_limit")
def _second_half() -> Outcome:
    data = datasets.orthogonal(4, rng=1)
    return Outcome(float(_limit(data, start(data, 100, 1.0)).taus[1]), 1 / _lengths(data)[1], LIMIT)


@claim("Orthonormal inputs: zero loss in the end.", source=ORTHOGONAL, by="rq.gradient_flow")
def _orthogonal_inputs_are_learnt() -> Outcome:
    return Outcome(float(run(datasets.orthogonal(4, rng=1), 400).loss[-1]), 0.0, 1e-8)


@claim(
    "Orthonormal inputs: the variation norm Σ |a| |w| is the least, n (|D+| + |D-|).",
    source=ORTHOGONAL,
    by="rq.greedy_limit",
)
def _variation_norm() -> Outcome:
    data = datasets.orthogonal(4, rng=1)
    final = _limit(data, start(data, 100, 1.0)).final
    return Outcome(float(np.sum(np.abs(final.a) * final.norms)), 4 * sum(_lengths(data)), LIMIT)


@claim(
    "Separable data, logistic loss: the stable rank of the weights is at most 2.",
    source="2307.12851",
    by="rq.datasets.separable",
)
def _stable_rank() -> Outcome:
    data = datasets.separable(12, n_features=6, mu=0.2, rng=3)
    values = np.linalg.svd(run(data, loss="logistic", t_max=1e4).final.W, compute_uv=False)
    return Outcome(float(np.sum(values**2) / values[0] ** 2), 2.0, 1e-3, Relation.AT_MOST)


@claim("One teacher neuron: zero loss.", source="2306.06479", by="rq.datasets.teacher_neuron")
def _teacher_is_learnt() -> Outcome:
    return Outcome(float(run(datasets.teacher_neuron(rng=0), 100).loss[-1]), 0.0, 1e-8)


@claim(
    "One teacher neuron: rank one, second over first singular value.",
    source="2306.06479",
    by="rq.datasets.teacher_neuron",
)
def _teacher_has_rank_one() -> Outcome:
    values = np.linalg.svd(run(datasets.teacher_neuron(rng=0), 100).final.W, compute_uv=False)
    return Outcome(float(values[1] / values[0]), 0.0, 1e-6)


OUTCOMES: tuple[Claim, ...] = (
    _width,
    _small_is_not_vanishing,
    _finitely_many_functions,
    _draws_are_in_the_family,
    _few_kinks,
    _few_groups,
    _two_kinks_in_a_gap,
    _kinks_at_data,
    _kinks_of_random_labels,
    _near_interpolation,
    _stuck_on_the_absolute_value,
    _stuck_on_three_points,
    _line_of_three_points,
    _four_peaks,
    _few_noisy_labels,
    _many_noisy_labels,
    _one_point,
    _two_points,
    _absolute_value,
    _three_points,
    _tent,
    _exclusive_or,
    _function_of_exclusive_or,
    _rate_of_the_limit,
    _first_half,
    _second_half,
    _orthogonal_inputs_are_learnt,
    _variation_norm,
    _stable_rank,
    _teacher_is_learnt,
    _teacher_has_rank_one,
)
