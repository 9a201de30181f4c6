"""Random gradient flows in one to five inputs, with oracle solutions in ``tests/golden/flow_oracle_general.npz``.

``python -m tests.general_flow_problems`` computes the file anew (some minutes); ``python -m
tests.general_flow_problems search`` prints a fresh list of problems that meet the conditions below.

As in `tests.flow_problems`, problems end at a time T such that the oracle itself answers a relative change of 1e-8
of all starting weights with the same switches and a change of weights and switch times of at most 100 times that,
and such that the network still moves at T. A tighter tolerance and many more steps must hardly matter either: errors
made late, when residuals are small, need not show up as a sensitivity to the start. No neuron reaches w = 0, and no
solution is chosen among several while a neuron slides on two or more samples: there the flow is not unique, and tests
of their own cover the rules.
"""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.flow_problems import FRACTIONS, by_neuron
from tests.oracles_general import GeneralOracleFlow, general_flow_oracle

GOLDEN = Path(__file__).parent / "golden" / "flow_oracle_general.npz"
_NUDGE = 1e-8
_WORST_AMPLIFICATION = 100.0
# Between the oracle at 1e-11 and itself at 1e-12 in at least this many steps; a flow with 100 times the local errors
# still agrees to 1e-6.
_SHORT_STEPS = 400
_WORST_SAMPLING_ERROR = 5e-9
# Speed at T, relative to the present weights, that the stationarity test of any integrator must not mistake.
_STILL_MOVING = 1e-6
# A neuron's switches this close in time, relatively, happen at once: their order means nothing.
_AT_ONCE = 1e-9
# The oracle is slow; a problem that needs more steps is not worth its time.
_MOST_STEPS = 700
STARTS = ("balanced", "unbalanced", "gaussian")


class GeneralFlowProblem(NamedTuple):
    """Seed, kind and size of one random start on random data, and how long to follow it."""

    seed: int
    start: str
    scale: float
    n_features: int
    bias: bool
    n_outputs: int
    loss: str
    n_samples: int
    n_neurons: int
    t_end: float

    def draw(self):
        """Return W, a, X, y; one output has ``a`` and ``y`` of one dimension."""
        rng = np.random.default_rng(self.seed)
        X = rng.uniform(-1.5, 1.5, (self.n_samples, self.n_features))
        y = self.labels(rng)
        W = rng.normal(size=(self.n_neurons, self.n_features + self.bias))
        a = rng.normal(size=(self.n_neurons, self.n_outputs))
        if self.start != "gaussian":
            # Unbalanced: norms of w and a are independent; balanced: equal.
            norms = rng.uniform(0.3, 1.7, (2, self.n_neurons))
            W *= (norms[0] / np.linalg.norm(W, axis=1))[:, None]
            a *= (norms[int(self.start == "unbalanced")] / np.linalg.norm(a, axis=1))[:, None]
        W, a = self.scale * W, self.scale * a
        if self.start == "balanced":
            # Once more, so that the norms agree to the last place.
            a *= (np.linalg.norm(W, axis=1) / np.linalg.norm(a, axis=1))[:, None]
        return (W, a[:, 0], X, y[:, 0]) if self.n_outputs == 1 else (W, a, X, y)

    def labels(self, rng):
        """Normal numbers; signs for the logistic loss, one-hot rows for the cross-entropy, outliers for Huber's."""
        if self.loss == "logistic":
            return rng.choice([-1.0, 1.0], (self.n_samples, 1))
        if self.loss == "cross_entropy":
            return np.eye(self.n_outputs)[rng.integers(self.n_outputs, size=self.n_samples)]
        return rng.normal(size=(self.n_samples, self.n_outputs)) * (3.0 if self.loss == "huber" else 1.0)


# What `search` found. Each meets the conditions; a fresh search lets some of them run longer, since the oracle has
# become better at neurons that turn round right after a switch.
PROBLEMS = (
    GeneralFlowProblem(1, "unbalanced", 0.01, 3, True, 2, "squared", 11, 14, 15.0),
    GeneralFlowProblem(2, "gaussian", 1e-08, 2, False, 1, "squared", 5, 7, 120.0),
    GeneralFlowProblem(4, "unbalanced", 0.3, 3, True, 1, "huber", 5, 11, 30.0),
    GeneralFlowProblem(6, "balanced", 0.001, 1, True, 1, "squared", 6, 9, 15.0),
    GeneralFlowProblem(8, "gaussian", 0.1, 5, False, 1, "logistic", 10, 15, 60.0),
    GeneralFlowProblem(9, "balanced", 0.01, 2, True, 3, "squared", 6, 10, 60.0),
    GeneralFlowProblem(10, "unbalanced", 0.1, 5, True, 1, "squared", 11, 20, 60.0),
    GeneralFlowProblem(11, "gaussian", 0.1, 2, True, 1, "squared", 12, 18, 60.0),
    GeneralFlowProblem(13, "unbalanced", 0.001, 5, True, 2, "squared", 3, 13, 30.0),
    GeneralFlowProblem(16, "unbalanced", 0.1, 3, True, 1, "huber", 3, 5, 15.0),
    GeneralFlowProblem(17, "gaussian", 0.0001, 2, False, 3, "squared", 4, 7, 60.0),
    GeneralFlowProblem(18, "balanced", 0.001, 5, True, 1, "squared", 4, 13, 60.0),
    GeneralFlowProblem(19, "unbalanced", 0.01, 3, True, 1, "squared", 5, 8, 60.0),
    GeneralFlowProblem(20, "gaussian", 0.0001, 2, True, 2, "cross_entropy", 3, 10, 60.0),
    GeneralFlowProblem(21, "balanced", 0.0001, 4, True, 3, "squared", 12, 6, 60.0),
    GeneralFlowProblem(22, "unbalanced", 0.1, 5, True, 1, "squared", 5, 15, 60.0),
    GeneralFlowProblem(23, "gaussian", 0.0001, 4, True, 1, "squared", 3, 11, 30.0),
    GeneralFlowProblem(24, "balanced", 0.3, 2, True, 3, "cross_entropy", 5, 16, 60.0),
    GeneralFlowProblem(25, "unbalanced", 0.1, 3, True, 2, "squared", 8, 12, 60.0),
    GeneralFlowProblem(26, "gaussian", 0.001, 4, True, 1, "squared", 8, 17, 60.0),
    GeneralFlowProblem(27, "balanced", 0.01, 1, True, 1, "squared", 3, 19, 60.0),
    GeneralFlowProblem(28, "unbalanced", 0.3, 4, True, 3, "cross_entropy", 10, 6, 60.0),
    GeneralFlowProblem(30, "balanced", 1e-08, 5, False, 1, "squared", 8, 13, 120.0),
    GeneralFlowProblem(31, "unbalanced", 0.1, 3, True, 1, "squared", 3, 10, 7.5),
    GeneralFlowProblem(33, "balanced", 1e-08, 2, True, 2, "squared", 5, 13, 120.0),
    GeneralFlowProblem(35, "gaussian", 1e-08, 3, True, 1, "squared", 7, 15, 120.0),
    GeneralFlowProblem(36, "balanced", 0.01, 1, True, 1, "huber", 11, 13, 60.0),
    GeneralFlowProblem(37, "unbalanced", 1e-08, 5, True, 3, "squared", 3, 5, 60.0),
    GeneralFlowProblem(42, "balanced", 1e-06, 4, True, 1, "squared", 7, 19, 120.0),
    GeneralFlowProblem(43, "unbalanced", 1e-08, 5, True, 1, "squared", 8, 13, 120.0),
    GeneralFlowProblem(44, "gaussian", 0.0001, 5, True, 2, "cross_entropy", 7, 60, 60.0),
    GeneralFlowProblem(45, "balanced", 0.01, 5, True, 3, "squared", 3, 8, 60.0),
    GeneralFlowProblem(47, "gaussian", 0.001, 4, False, 1, "squared", 11, 11, 60.0),
    GeneralFlowProblem(48, "balanced", 0.01, 1, True, 1, "huber", 12, 14, 30.0),
    GeneralFlowProblem(49, "unbalanced", 0.01, 1, True, 2, "squared", 12, 8, 60.0),
    GeneralFlowProblem(51, "balanced", 0.01, 3, False, 1, "squared", 11, 9, 60.0),
    GeneralFlowProblem(52, "unbalanced", 0.1, 5, False, 1, "logistic", 6, 13, 60.0),
    GeneralFlowProblem(53, "gaussian", 0.001, 5, True, 3, "squared", 3, 12, 30.0),
    GeneralFlowProblem(54, "balanced", 0.001, 1, True, 1, "squared", 10, 60, 60.0),
    GeneralFlowProblem(56, "gaussian", 0.01, 1, True, 1, "logistic", 3, 18, 60.0),
    GeneralFlowProblem(59, "gaussian", 1e-08, 5, True, 1, "squared", 11, 8, 120.0),
    GeneralFlowProblem(61, "unbalanced", 0.1, 2, True, 3, "squared", 5, 6, 60.0),
    GeneralFlowProblem(63, "balanced", 0.1, 2, True, 1, "squared", 4, 7, 60.0),
    GeneralFlowProblem(64, "unbalanced", 1e-06, 4, True, 3, "cross_entropy", 7, 5, 120.0),
    GeneralFlowProblem(65, "gaussian", 0.1, 4, True, 3, "squared", 7, 18, 60.0),
    GeneralFlowProblem(66, "balanced", 0.1, 5, True, 1, "squared", 4, 14, 30.0),
    GeneralFlowProblem(67, "unbalanced", 1e-08, 5, True, 1, "squared", 8, 15, 120.0),
    GeneralFlowProblem(68, "gaussian", 0.1, 2, True, 1, "huber", 9, 10, 60.0),
    GeneralFlowProblem(70, "unbalanced", 0.0001, 2, False, 1, "squared", 4, 15, 7.5),
    GeneralFlowProblem(74, "gaussian", 1e-08, 3, True, 1, "squared", 4, 6, 120.0),
    GeneralFlowProblem(75, "balanced", 0.3, 5, True, 1, "squared", 11, 12, 60.0),
    GeneralFlowProblem(76, "unbalanced", 0.01, 3, True, 2, "cross_entropy", 8, 18, 60.0),
    GeneralFlowProblem(77, "gaussian", 0.0001, 2, True, 2, "squared", 4, 13, 60.0),
    GeneralFlowProblem(78, "balanced", 0.01, 1, True, 1, "squared", 12, 14, 30.0),
    GeneralFlowProblem(79, "unbalanced", 1e-06, 4, True, 1, "squared", 5, 13, 120.0),
    GeneralFlowProblem(80, "gaussian", 0.3, 3, False, 2, "cross_entropy", 6, 17, 60.0),
    GeneralFlowProblem(82, "unbalanced", 0.01, 5, True, 1, "squared", 8, 6, 60.0),
    GeneralFlowProblem(84, "balanced", 0.001, 1, True, 3, "cross_entropy", 11, 10, 60.0),
    GeneralFlowProblem(85, "unbalanced", 0.001, 3, True, 3, "squared", 9, 17, 60.0),
    GeneralFlowProblem(88, "unbalanced", 0.1, 3, False, 2, "cross_entropy", 3, 12, 60.0),
    GeneralFlowProblem(89, "gaussian", 0.0001, 4, True, 2, "squared", 6, 11, 60.0),
    GeneralFlowProblem(90, "balanced", 0.1, 5, True, 1, "squared", 11, 9, 60.0),
    GeneralFlowProblem(91, "unbalanced", 0.3, 4, True, 1, "squared", 11, 6, 60.0),
    GeneralFlowProblem(93, "balanced", 0.0001, 1, True, 3, "squared", 11, 17, 60.0),
    GeneralFlowProblem(94, "unbalanced", 0.3, 5, True, 1, "squared", 5, 15, 30.0),
    GeneralFlowProblem(95, "gaussian", 1e-06, 5, False, 1, "squared", 7, 11, 120.0),
    GeneralFlowProblem(96, "balanced", 0.01, 3, True, 2, "cross_entropy", 7, 6, 60.0),
    GeneralFlowProblem(98, "gaussian", 0.1, 4, False, 1, "squared", 4, 13, 60.0),
    GeneralFlowProblem(99, "balanced", 1e-06, 5, False, 1, "squared", 7, 15, 120.0),
    GeneralFlowProblem(100, "unbalanced", 0.01, 3, True, 1, "logistic", 11, 7, 60.0),
    GeneralFlowProblem(101, "gaussian", 0.1, 1, True, 2, "squared", 11, 10, 15.0),
    GeneralFlowProblem(103, "unbalanced", 0.3, 1, True, 1, "squared", 6, 18, 60.0),
    GeneralFlowProblem(105, "balanced", 0.1, 3, False, 3, "squared", 6, 16, 60.0),
    GeneralFlowProblem(106, "unbalanced", 0.001, 2, True, 1, "squared", 12, 18, 60.0),
    GeneralFlowProblem(107, "gaussian", 0.0001, 5, True, 1, "squared", 8, 8, 60.0),
    GeneralFlowProblem(108, "balanced", 0.1, 3, True, 1, "huber", 4, 19, 15.0),
    GeneralFlowProblem(109, "unbalanced", 0.0001, 1, True, 2, "squared", 3, 6, 60.0),
    GeneralFlowProblem(110, "gaussian", 0.3, 4, True, 1, "squared", 11, 5, 60.0),
    GeneralFlowProblem(111, "balanced", 0.001, 4, True, 1, "squared", 4, 10, 60.0),
    GeneralFlowProblem(112, "unbalanced", 0.0001, 2, True, 1, "huber", 11, 7, 60.0),
    GeneralFlowProblem(114, "balanced", 0.3, 2, True, 1, "squared", 7, 13, 60.0),
    GeneralFlowProblem(115, "unbalanced", 0.01, 2, False, 1, "squared", 8, 12, 7.5),
    GeneralFlowProblem(116, "gaussian", 0.0001, 4, True, 2, "cross_entropy", 11, 15, 60.0),
    GeneralFlowProblem(117, "balanced", 0.1, 3, True, 3, "squared", 3, 17, 60.0),
    GeneralFlowProblem(118, "unbalanced", 0.0001, 4, True, 1, "squared", 3, 5, 30.0),
    GeneralFlowProblem(119, "gaussian", 0.1, 4, True, 1, "squared", 10, 17, 60.0),
    GeneralFlowProblem(120, "balanced", 0.001, 3, True, 3, "cross_entropy", 12, 7, 60.0),
    GeneralFlowProblem(121, "unbalanced", 0.3, 4, False, 3, "squared", 11, 11, 60.0),
    GeneralFlowProblem(122, "gaussian", 0.1, 3, True, 1, "squared", 5, 8, 60.0),
    GeneralFlowProblem(123, "balanced", 0.1, 4, False, 1, "squared", 9, 11, 60.0),
    GeneralFlowProblem(124, "unbalanced", 0.1, 5, False, 1, "logistic", 8, 11, 60.0),
    GeneralFlowProblem(125, "gaussian", 0.0001, 4, True, 3, "squared", 7, 60, 7.5),
    GeneralFlowProblem(126, "balanced", 0.01, 2, True, 1, "squared", 4, 11, 60.0),
    GeneralFlowProblem(127, "unbalanced", 0.001, 4, True, 1, "squared", 8, 17, 60.0),
    GeneralFlowProblem(128, "gaussian", 0.0001, 3, True, 1, "logistic", 4, 14, 60.0),
    GeneralFlowProblem(129, "balanced", 0.01, 5, True, 3, "squared", 7, 60, 60.0),
    GeneralFlowProblem(131, "gaussian", 1e-08, 2, True, 1, "squared", 10, 16, 120.0),
    GeneralFlowProblem(132, "balanced", 0.01, 4, True, 1, "logistic", 5, 20, 60.0),
    GeneralFlowProblem(133, "unbalanced", 0.01, 1, True, 3, "squared", 3, 13, 60.0),
    GeneralFlowProblem(134, "gaussian", 0.001, 4, True, 1, "squared", 9, 15, 60.0),
    GeneralFlowProblem(135, "balanced", 0.01, 3, True, 1, "squared", 12, 17, 60.0),
    GeneralFlowProblem(136, "unbalanced", 0.1, 5, True, 3, "cross_entropy", 5, 12, 60.0),
    GeneralFlowProblem(137, "gaussian", 0.001, 4, True, 3, "squared", 12, 7, 60.0),
    GeneralFlowProblem(138, "balanced", 0.3, 1, True, 1, "squared", 6, 12, 60.0),
    GeneralFlowProblem(139, "unbalanced", 0.1, 4, True, 1, "squared", 11, 7, 60.0),
    GeneralFlowProblem(141, "balanced", 0.1, 3, False, 2, "squared", 9, 19, 60.0),
    GeneralFlowProblem(142, "unbalanced", 0.01, 4, True, 1, "squared", 3, 9, 30.0),
    GeneralFlowProblem(143, "gaussian", 1e-06, 2, True, 1, "squared", 7, 10, 120.0),
    GeneralFlowProblem(147, "balanced", 0.01, 1, True, 1, "squared", 10, 20, 60.0),
    GeneralFlowProblem(148, "unbalanced", 0.0001, 3, True, 1, "huber", 11, 19, 60.0),
    GeneralFlowProblem(149, "gaussian", 0.0001, 4, True, 2, "squared", 9, 7, 60.0),
    GeneralFlowProblem(150, "balanced", 0.0001, 5, False, 1, "squared", 3, 16, 60.0),
    GeneralFlowProblem(151, "unbalanced", 0.1, 3, False, 1, "squared", 6, 8, 60.0),
    GeneralFlowProblem(152, "gaussian", 0.0001, 2, True, 2, "cross_entropy", 9, 6, 60.0),
    GeneralFlowProblem(153, "balanced", 0.1, 4, False, 3, "squared", 3, 7, 15.0),
    GeneralFlowProblem(154, "unbalanced", 1e-08, 2, True, 1, "squared", 9, 12, 15.0),
    GeneralFlowProblem(155, "gaussian", 0.1, 3, True, 1, "squared", 7, 7, 60.0),
    GeneralFlowProblem(156, "balanced", 0.001, 1, True, 1, "logistic", 4, 13, 60.0),
    GeneralFlowProblem(158, "gaussian", 0.1, 2, True, 1, "squared", 4, 16, 60.0),
    GeneralFlowProblem(159, "balanced", 1e-08, 2, True, 1, "squared", 3, 18, 120.0),
)


def solve(problem: GeneralFlowProblem) -> GeneralOracleFlow:
    """Run the oracle on one problem."""
    return follow(problem, *problem.draw())


def follow(problem, W, a, X, y) -> GeneralOracleFlow:
    """Run the oracle from any start on the data of a problem."""
    times = FRACTIONS * problem.t_end
    return general_flow_oracle(W, a, X, y, problem.t_end, bias=problem.bias, loss=problem.loss, times=times)


def sequences(switches, n_neurons):
    """Split (time, neuron, sample, kind) rows by neuron; what one neuron does at one time is sorted by sample."""
    found = []
    for row in by_neuron(switches, n_neurons):
        ordered, group = [], []
        for kind, sample, time in sorted(row, key=lambda switch: switch[2]):
            if group and time > group[-1][2] * (1 + _AT_ONCE):
                ordered, group = ordered + sorted(group, key=lambda switch: switch[1]), []
            group.append((kind, sample, time))
        found.append(ordered + sorted(group, key=lambda switch: switch[1]))
    return found


def regenerate() -> None:
    """Write the golden file."""
    arrays = {}
    for i, problem in enumerate(PROBLEMS):
        W, a, X, y = problem.draw()
        flow = solve(problem)
        times, neurons, samples, kinds = zip(*flow.switches, strict=True) if flow.switches else ((), (), (), ())
        record = {
            "W0": W, "a0": a, "X": X, "y": y, "times": flow.times, "W": flow.W, "a": flow.a,
            "states_W": flow.states_W, "states_a": flow.states_a, "most_held": flow.most_held,
            "switch_time": np.array(times, dtype=float), "switch_neuron": np.array(neurons, dtype=np.int16),
            "switch_sample": np.array(samples, dtype=np.int16), "switch_kind": np.array(kinds, dtype="U7"),
        }  # fmt: skip
        arrays.update({f"{i:03d}_{name}": value for name, value in record.items()})
        print(f"{i:3d} {summary(flow)}", flush=True)
    GOLDEN.parent.mkdir(exist_ok=True)
    np.savez_compressed(GOLDEN, **arrays)


def summary(flow: GeneralOracleFlow) -> str:
    """Say how many switches of each kind there were, and on how many samples at once a neuron slid."""
    counts = ", ".join(f"{flow.count(kind)} {kind}" for kind in ("on", "off", "slide", "release"))
    return f"{counts}, {flow.most_held} held"


def amplification(problem: GeneralFlowProblem, flow: GeneralOracleFlow) -> float:
    """How much a relative change of the start is amplified; infinite if it changes the switches."""
    W, a, X, y = problem.draw()
    rng = np.random.default_rng(0)
    nudges = ((values * (1 + _NUDGE * rng.uniform(-1, 1, values.shape)) for values in (W, a)) for _ in range(2))
    return max(change(flow, follow(problem, *nudged, X, y)) for nudged in nudges) / _NUDGE


def sampling_error(problem: GeneralFlowProblem, flow: GeneralOracleFlow) -> float:
    """How much changes with a tighter tolerance and so many steps that no short excursion of a neuron is missed."""
    W, a, X, y = problem.draw()
    times = np.union1d(FRACTIONS, np.linspace(0.0, 1.0, _SHORT_STEPS)) * problem.t_end
    fine = general_flow_oracle(W, a, X, y, problem.t_end, bias=problem.bias, loss=problem.loss, rtol=1e-12, times=times)
    kept = np.isin(times, FRACTIONS * problem.t_end)
    fine.states_W, fine.states_a = fine.states_W[kept], fine.states_a[kept]
    return change(flow, fine)


def as_rows(W, a):
    """Return weights of neurons as rows (w, a), for one or several outputs and any leading axes."""
    return np.concatenate([W, a if a.ndim == W.ndim else a[..., None]], axis=-1)


def change(flow: GeneralOracleFlow, other: GeneralOracleFlow) -> float:
    """Worst relative change of a single neuron at any time kept or of a switch time; infinite if switches differ."""
    rows, other_rows = (sequences(run.switches, len(run.a)) for run in (flow, other))
    if [[s[:2] for s in row] for row in rows] != [[s[:2] for s in row] for row in other_rows]:
        return np.inf
    times = [abs(s[2] / t[2] - 1) for s, t in zip(chain(*rows), chain(*other_rows), strict=True)]
    worst = max(times, default=0.0)
    for names in (("W", "a"), ("states_W", "states_a")):
        z, z_other = (as_rows(*(getattr(run, name) for name in names)) for run in (flow, other))
        worst = max(worst, np.max(np.linalg.norm(z_other - z, axis=-1) / np.linalg.norm(z, axis=-1)))
    return worst


def moves(problem: GeneralFlowProblem, flow: GeneralOracleFlow) -> bool:
    """Whether the network still moves at the end."""
    speed = np.max(np.abs(flow.W - flow.states_W[-1])) / ((1 - FRACTIONS[-1]) * problem.t_end)
    return speed > _STILL_MOVING * np.max(np.abs(flow.W))


def candidate(seed: int) -> GeneralFlowProblem:
    """Return a problem of every kind in turn; its end is the longest that is tried."""
    rng = np.random.default_rng([seed, 1])
    n_features = int(rng.choice([1, 2, 2, 3, 3, 4, 4, 5, 5]))
    loss = rng.choice(["logistic", "cross_entropy", "huber"]) if seed % 4 == 0 else "squared"
    n_outputs = int(rng.integers(2, 4)) if loss == "cross_entropy" or (loss == "squared" and seed % 4 == 1) else 1
    scale = float(rng.choice([0.3, 0.1, 0.1, 1e-2, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8]))
    n_neurons = 60 if rng.random() < 0.06 else int(rng.integers(5, 21))
    return GeneralFlowProblem(
        seed, STARTS[seed % 3], scale, n_features, bool(n_features == 1 or rng.random() < 0.8), n_outputs, str(loss),
        int(rng.integers(3, 13)), n_neurons, 60.0 if scale > 1e-5 else 120.0,
    )  # fmt: skip


def is_rich(kinds: list[str]) -> bool:
    """Whether there are slides and releases enough to be a test of them."""
    return kinds.count("slide") >= 3 and kinds.count("release") >= 1


def usable(problem: GeneralFlowProblem) -> GeneralOracleFlow | None:
    """Return the flow of a problem that meets the conditions of this module."""
    try:
        flow = solve(problem)
    except RuntimeError:
        return None
    ambiguous = any(held > 1 for *_, held in flow.valleys)
    if flow.at_rest or ambiguous or flow.n_steps > _MOST_STEPS or not moves(problem, flow):
        return None
    if amplification(problem, flow) > _WORST_AMPLIFICATION or sampling_error(problem, flow) > _WORST_SAMPLING_ERROR:
        return None
    return flow


def search(n_problems: int = 120) -> None:
    """Print problems that meet the conditions of this module, at least two rich ones for each poor one."""
    rich = poor = seed = 0
    while rich + poor < n_problems:
        seed += 1
        longest = candidate(seed)
        for share in (1.0, 0.5, 0.25, 0.125):
            problem = longest._replace(t_end=share * longest.t_end)
            flow = usable(problem)
            if flow is None:
                continue
            if is_rich([kind for *_, kind in flow.switches]):
                rich += 1
            elif 2 * poor <= rich:
                poor += 1
            else:
                break
            print(f"    {problem!r},  # {summary(flow)}", flush=True)
            break


if __name__ == "__main__":
    search() if sys.argv[1:] == ["search"] else regenerate()
