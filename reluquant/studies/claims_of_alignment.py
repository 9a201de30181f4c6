"""Claims about what happens while the function is still zero: sectors, directions, times, and who turns where."""

from __future__ import annotations

import math

import numpy as np

from reluquant import datasets
from reluquant.analysis.dead_share import dead_share
from reluquant.analysis.extremal_directions import ExtremalDirection, extremal_directions
from reluquant.analysis.quantisation import quantisation
from reluquant.analysis.sectors import activation_pattern, sectors
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.studies.claim import DERIVED, Claim, Outcome, Relation, claim

ATTRACTING = ("attractor", "semistable")


def start(data: Dataset, n_neurons: int, scale: float, seed: int = 0) -> ShallowReLU:
    """Draw a balanced network that fits the data."""
    return ShallowReLU.balanced(n_features=data.n_features, n_neurons=n_neurons, scale=scale, rng=seed, bias=data.bias)


def run(data: Dataset, n_neurons: int = 200, scale: float = 1e-8, seed: int = 0, **options: object) -> Trajectory:
    """Follow a balanced network."""
    return gradient_flow(start(data, n_neurons, scale, seed), data, progress=False, **options)


def attracting(data: Dataset) -> list[ExtremalDirection]:
    """Directions that tiny neurons come to."""
    return [d for d in extremal_directions(data) if d.kind in ATTRACTING]


@claim("n points on the line make 2 n sectors (n = 7).", by="rq.sectors")
def _sectors_on_the_line() -> Outcome:
    return Outcome(sectors(datasets.random(7, rng=0)).n_sectors, 14)


@claim(
    "n hyperplanes in general position in R^p make 2 Σ_{i<p} C(n - 1, i) sectors (n = 6, p = 4).",
    source="Cover 1965",
    by="rq.sectors",
)
def _sectors_in_general() -> Outcome:
    inputs = np.random.default_rng(0).standard_normal((6, 3))
    return Outcome(sectors(Dataset(inputs, np.ones(6))).n_sectors, 2 * sum(math.comb(5, i) for i in range(4)))


@claim("Inside a sector at most one direction is extremal (50 random sets of 8 points).", by="rq.extremal_directions")
def _one_in_a_sector() -> Outcome:
    most = 0
    for seed in range(50):
        data = datasets.random(8, rng=seed)
        inside = [d for d in extremal_directions(data, sign=1) if not d.samples and d.kind not in ("neutral", "dead")]
        patterns = activation_pattern([d.direction for d in inside], data) if inside else []
        most = max(most, *np.unique(patterns, axis=0, return_counts=True)[1]) if inside else most
    return Outcome(int(most), 1, relation=Relation.AT_MOST)


@claim(
    "Directions are extremal in finite number: at most 4 n for each sign (50 sets, n = 8).", by="rq.extremal_directions"
)
def _finitely_many_directions() -> Outcome:
    found = [len(extremal_directions(datasets.random(8, rng=seed), sign=1)) for seed in range(50)]
    # One for each of 2 n sectors and each of 2 n rays.
    return Outcome(max(found), 32, relation=Relation.AT_MOST)


@claim(
    "In a constant field of strength 5 an angle of 1.2 falls to 2 atan(tan(0.6) e^-5) by t = 1.",
    source=DERIVED,
    by="rq.gradient_flow",
)
def _alignment_in_closed_form() -> Outcome:
    along, across = np.array([0.6, 0.8]), np.array([-0.8, 0.6])
    w = 1e-9 * (math.cos(1.2) * along + math.sin(1.2) * across)
    net, data = ShallowReLU([w], [1e-9], bias=False), Dataset([[3.0, 4.0]], [1.0], bias=False)
    turned = gradient_flow(net, data, t_max=1.0, progress=False).final.W[0]
    expected = 2 * math.atan(math.tan(0.6) * math.exp(-5))
    return Outcome(math.atan2(turned @ across, turned @ along), expected, 1e-8)


@claim(
    "Before the loss falls all living neurons of 1000 are within 0.01 of an extremal direction.", by="rq.quantisation"
)
def _everybody_aligns() -> Outcome:
    traj = run(datasets.zigzag(), 1000, 1e-12)
    late = 0.9 * traj.t[np.argmax(traj.loss < 0.99 * traj.loss[0])]
    return Outcome(float(quantisation(traj, [late], angle=0.01).aligned[0]), 1.0, 1e-12)


@claim(
    "1000 neurons end in no more directions than attract them at the start (zigzag, scale 1e-8).", by="rq.quantisation"
)
def _quantised() -> Outcome:
    traj = run(datasets.zigzag(), 1000)
    found = quantisation(traj, traj.t[-1:]).n_directions[0]
    return Outcome(int(found), len(attracting(traj.data)), relation=Relation.AT_MOST)


@claim("The smaller the start the fewer the directions: more than ten times as many at scale 1.", by="rq.quantisation")
def _larger_starts_are_not_quantised() -> Outcome:
    ends = [run(datasets.zigzag(), 1000, scale) for scale in (1e-8, 1.0)]
    few, many = (int(quantisation(traj, traj.t[-1:]).n_directions[0]) for traj in ends)
    return Outcome(many, 10 * few, relation=Relation.AT_LEAST)


@claim(
    "With two outputs the growth rate is the largest singular value of Σ x̃ rᵀ over the sector.",
    source=DERIVED,
    by="rq.gradient_flow",
)
def _singular_values() -> Outcome:
    draw = np.random.default_rng(3)
    data = Dataset(draw.normal(size=(4, 2)), draw.normal(size=(4, 2)))
    W, a = draw.normal(size=(60, 3)), draw.normal(size=(60, 2))
    a *= (np.linalg.norm(W, axis=1) / np.linalg.norm(a, axis=1))[:, None]
    traj = gradient_flow(ShallowReLU(W, a), data, log_scale=-400.0, t_max=120.0, progress=False)
    states = traj.states([60.0, 110.0])
    rates = (states.log_norm[1] - states.log_norm[0]) / 50.0
    fastest = int(np.argmax(rates))
    active = data.inputs @ states.W[1][fastest] > 0
    force = data.inputs[active].T @ data.y[active] / data.n_samples
    return Outcome(float(rates[fastest]), float(np.linalg.svd(force)[1][0]), 1e-7)


@claim(
    "|w|² - a² is conserved: largest change over a run, against |w|² + a² (unbalanced start).",
    source="1806.00900",
    by="rq.gradient_flow",
)
def _conservation() -> Outcome:
    data, net = datasets.random(6, rng=3), ShallowReLU.gaussian(n_neurons=50, scale=0.3, rng=0)
    final = gradient_flow(net, data, progress=False).final
    change = np.sum(final.W**2 - net.W**2, axis=1) - (final.a**2 - net.a**2)
    return Outcome(float(np.max(np.abs(change)) / np.max(np.sum(final.W**2, axis=1) + final.a**2)), 0.0, 1e-10)


@claim(
    "A share ½ - (atan x_max - atan x_min)/2π of random neurons is dead (100,000 drawn, zigzag).",
    source=DERIVED,
    by="rq.dead_share",
)
def _dead_at_the_start() -> Outcome:
    data = datasets.zigzag()
    dead = ~np.any(activation_pattern(start(data, 100_000, 1.0).W, data) > 0, axis=1)
    # Four standard errors.
    return Outcome(float(np.mean(dead)), dead_share(data).value, 0.006)


@claim(
    "A neuron is held on a data point and released at t = ln((1.8/m₀ - 1)/0.08)/6 (x = 0, 1, 2, y = -6, 1, 4).",
    source=DERIVED,
    by="rq.gradient_flow",
)
def _release_of_a_slider() -> Outcome:
    data, net = Dataset([0.0, 1.0, 2.0], [-6.0, 1.0, 4.0]), ShallowReLU([[1e-3, 0.0]], [1e-3])
    traj = gradient_flow(net, data, progress=False)
    (released,) = traj.switches["time"][traj.switches["kind"] == "release"]
    return Outcome(float(released), math.log((1.8 / 1e-6 - 1) / 0.08) / 6, 1e-6)


@claim(
    "Separable data: by a time of order n log(n)/√μ (here 8 times that) neurons see just their own class, or nothing.",
    source="2307.12851",
    by="rq.datasets.separable",
)
def _separable_data_align_in_time() -> Outcome:
    data = datasets.separable(20, n_features=5, mu=0.1, rng=0)
    net = run(data, 200, 1e-12, loss="logistic", t_max=8 * 20 * math.log(20) / math.sqrt(0.1)).final
    seen = (net.W / net.norms[:, None]) @ data.X.T > 1e-9
    own = np.all(seen == (data.y * np.sign(net.a)[:, None] > 0), axis=1)
    return Outcome(float(np.mean(own | ~np.any(seen, axis=1))), 1.0, 1e-12)


@claim(
    "Labels of one correlated teacher neuron: one direction attracts.",
    source="2306.06479",
    by="rq.extremal_directions",
)
def _one_direction_to_a_teacher() -> Outcome:
    return Outcome(len([d for d in attracting(datasets.teacher_neuron(rng=0)) if d.rate > 0]), 1)


ALIGNMENT: tuple[Claim, ...] = (
    _sectors_on_the_line,
    _sectors_in_general,
    _one_in_a_sector,
    _finitely_many_directions,
    _alignment_in_closed_form,
    _everybody_aligns,
    _quantised,
    _larger_starts_are_not_quantised,
    _singular_values,
    _conservation,
    _dead_at_the_start,
    _release_of_a_slider,
    _separable_data_align_in_time,
    _one_direction_to_a_teacher,
)
