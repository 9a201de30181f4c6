"""Random gradient flows whose oracle solutions are kept in ``tests/golden/flow_oracle.npz``.

``python -m tests.flow_problems`` computes the file anew (a minute); ``python -m tests.flow_problems
search`` prints a fresh list of problems that meet the conditions below.

A flow through switches can be chaotic: where a group of merged neurons crosses an unstable boundary, or
where nothing but rounding is left to move it, no two integrators can agree. The problems therefore end at
a time T such that the oracle itself answers a relative change of 1e-8 of all starting weights with the same
switches and a change of the final weights and switch times of at most 100 times that, and such that the
network still moves at T. No neuron reaches w = 0 on a slide (the flow is not unique there; one test of its
own covers the rule).
"""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.oracles import OracleFlow, flow_oracle

GOLDEN = Path(__file__).parent / "golden" / "flow_oracle.npz"
# Intermediate times at which states are compared, as fractions of T.
FRACTIONS = np.array([0.05, 0.2, 0.4, 0.6, 0.8, 0.95])
_NUDGE = 1e-8
_WORST_AMPLIFICATION = 100.0
# Speed at T, relative to the present weights, that the stationarity test of any integrator must not mistake.
_STILL_MOVING = 1e-6


class FlowProblem(NamedTuple):
    """Seed, kind and size of one random start on random data, and how long to follow it."""

    seed: int
    balanced: bool
    scale: float
    n_samples: int
    n_neurons: int
    t_end: float

    def draw(self):
        """Return W, a, x, y."""
        rng = np.random.default_rng(self.seed)
        x = rng.uniform(-1.5, 1.5, self.n_samples)
        y = rng.normal(size=self.n_samples)
        W, a = rng.normal(size=(self.n_neurons, 2)), rng.normal(size=self.n_neurons)
        if self.balanced:
            norms = rng.uniform(0.5, 1.5, self.n_neurons)
            W *= (norms / np.hypot(W[:, 0], W[:, 1]))[:, None]
            a = norms * np.sign(a)
        return self.scale * W, self.scale * a, x, y


# What `search` found.
PROBLEMS = (
    FlowProblem(1, False, 0.1, 4, 10, 60.0),
    FlowProblem(2, True, 0.01, 5, 7, 60.0),
    FlowProblem(4, True, 0.001, 7, 11, 60.0),
    FlowProblem(5, False, 0.001, 8, 8, 30.0),
    FlowProblem(6, True, 1e-08, 4, 3, 240.0),
    FlowProblem(7, False, 0.0001, 4, 12, 30.0),
    FlowProblem(8, True, 0.1, 5, 9, 60.0),
    FlowProblem(9, False, 1e-09, 3, 4, 120.0),
    FlowProblem(10, True, 0.01, 7, 3, 30.0),
    FlowProblem(11, False, 0.01, 8, 10, 60.0),
    FlowProblem(13, False, 0.001, 4, 4, 60.0),
    FlowProblem(14, True, 0.0001, 5, 11, 60.0),
    FlowProblem(15, False, 1e-12, 5, 2, 120.0),
    FlowProblem(16, True, 0.1, 7, 5, 60.0),
    FlowProblem(17, False, 0.1, 8, 12, 60.0),
    FlowProblem(18, True, 1e-14, 4, 3, 60.0),
    FlowProblem(19, False, 0.01, 4, 6, 60.0),
    FlowProblem(21, False, 1e-15, 3, 4, 120.0),
    FlowProblem(22, True, 0.0001, 7, 7, 15.0),
    FlowProblem(23, False, 0.0001, 8, 4, 60.0),
    FlowProblem(25, False, 0.1, 4, 8, 60.0),
    FlowProblem(26, True, 0.01, 5, 5, 60.0),
    FlowProblem(28, True, 0.001, 7, 9, 60.0),
    FlowProblem(31, False, 0.0001, 4, 10, 15.0),
    FlowProblem(32, True, 0.1, 5, 7, 60.0),
    FlowProblem(33, False, 1e-10, 3, 4, 120.0),
    FlowProblem(34, True, 0.01, 7, 11, 60.0),
    FlowProblem(37, False, 0.001, 4, 12, 60.0),
    FlowProblem(38, True, 0.0001, 5, 9, 30.0),
    FlowProblem(40, True, 0.1, 7, 3, 60.0),
    FlowProblem(41, False, 0.1, 8, 10, 60.0),
    FlowProblem(42, True, 1e-15, 4, 3, 60.0),
    FlowProblem(43, False, 0.01, 4, 4, 60.0),
    FlowProblem(44, True, 0.001, 5, 11, 60.0),
    FlowProblem(45, False, 1e-05, 3, 4, 240.0),
    FlowProblem(47, False, 0.0001, 8, 12, 60.0),
    FlowProblem(49, False, 0.1, 4, 6, 60.0),
    FlowProblem(50, True, 0.01, 5, 3, 60.0),
    FlowProblem(52, True, 0.001, 7, 7, 60.0),
    FlowProblem(53, False, 0.001, 8, 4, 60.0),
    FlowProblem(55, False, 0.0001, 4, 8, 60.0),
    FlowProblem(56, True, 0.1, 5, 5, 60.0),
)


def solve(problem: FlowProblem) -> OracleFlow:
    """Run the oracle on one problem."""
    return flow_oracle(*problem.draw(), problem.t_end, times=FRACTIONS * problem.t_end)


def by_neuron(switches, n_neurons):
    """Split (time, neuron, sample, kind) rows by neuron: what merged neurons do at one time has no order."""
    return [[(k, n, t) for t, j, n, k in switches if j == neuron] for neuron in range(n_neurons)]


def regenerate() -> None:
    """Write the golden file."""
    arrays = {}
    for i, problem in enumerate(PROBLEMS):
        W, a, x, y = problem.draw()
        flow = solve(problem)
        times, neurons, samples, kinds = zip(*flow.switches, strict=True) if flow.switches else ((), (), (), ())
        record = {
            "W0": W, "a0": a, "x": x, "y": y, "t_end": problem.t_end, "times": flow.times, "W": flow.W, "a": flow.a,
            "states_W": flow.states_W, "states_a": flow.states_a, "slides_on": flow.slides_on,
            "switch_time": np.array(times, dtype=float), "switch_neuron": np.array(neurons, dtype=int),
            "switch_sample": np.array(samples, dtype=int), "switch_kind": np.array(kinds, dtype="U7"),
        }  # fmt: skip
        arrays.update({f"{i:02d}_{name}": value for name, value in record.items()})
    GOLDEN.parent.mkdir(exist_ok=True)
    np.savez_compressed(GOLDEN, **arrays)


def amplification(problem: FlowProblem, flow: OracleFlow) -> float:
    """How much a relative change of the start is amplified; infinite if it changes the switches."""
    W, a, x, y = problem.draw()
    worst = 0.0
    rng = np.random.default_rng(0)
    for _ in range(2):
        nudged = flow_oracle(
            W * (1 + _NUDGE * rng.uniform(-1, 1, W.shape)), a * (1 + _NUDGE * rng.uniform(-1, 1, a.shape)), x, y,
            problem.t_end,
        )  # fmt: skip
        before, after = (by_neuron(run.switches, problem.n_neurons) for run in (flow, nudged))
        if [[s[:2] for s in row] for row in before] != [[s[:2] for s in row] for row in after]:
            return np.inf
        z, z_nudged = (np.column_stack([run.W, run.a]) for run in (flow, nudged))
        change = np.linalg.norm(z_nudged - z, axis=1) / np.linalg.norm(z, axis=1)
        pairs = zip(chain(*before), chain(*after), strict=True)
        times = [abs(s[2] / t[2] - 1) for s, t in pairs]
        worst = max(worst, np.max(change) / _NUDGE, max(times, default=0.0) / _NUDGE)
    return worst


def moves(problem: FlowProblem, flow: OracleFlow) -> bool:
    """Whether the network still moves at the end."""
    _, _, x, y = problem.draw()
    on = flow_oracle(flow.W, flow.a, x, y, 1e-3)
    return np.max(np.abs(on.W - flow.W)) > _STILL_MOVING * 1e-3 * np.max(np.abs(flow.W))


def candidate(seed: int, t_end: float) -> FlowProblem:
    """Return a problem of every kind in turn; a third of them starts from tiny weights, with few neurons."""
    if seed % 3 > 0:
        return FlowProblem(seed, seed % 2 == 0, 10.0 ** -(1 + seed // 2 % 4), 3 + seed % 6, 3 + seed * 7 % 10, t_end)
    scale = 10.0 ** -(5 + seed // 2 % 11)
    return FlowProblem(seed, seed % 2 == 0, scale, 2 + seed % 4, 1 + seed * 7 % 4, 4 * t_end)


def search(n_problems: int = 42) -> None:
    """Print problems that meet the conditions of this module, with what happens in them."""
    found, seed = 0, 0
    while found < n_problems and seed < 1000:
        seed += 1
        for t_end in (60.0, 30.0, 15.0):
            problem = candidate(seed, t_end)
            flow = solve(problem)
            if flow.at_rest or flow.n_steps > 800 or not moves(problem, flow):
                continue
            amplified = amplification(problem, flow)
            if amplified > _WORST_AMPLIFICATION:
                continue
            counts = ", ".join(f"{flow.count(kind)} {kind}" for kind in ("on", "off", "slide", "release"))
            print(f"    {problem!r},  # {counts}; amplifies by {amplified:.1f}", flush=True)
            found += 1
            break


if __name__ == "__main__":
    search() if sys.argv[1:] == ["search"] else regenerate()
