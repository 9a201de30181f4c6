"""The states that the benchmark measures errors against, kept in ``tests/golden/benchmark_references.npz``.

``python -m tests.benchmarks.references`` computes the file anew (half an hour), ``… references A C`` a part of it.

Where they come from:

* ``A``: the oracle (``tests.oracles``: DOP853 for every neuron, located switches), rtol 1e-11.
* ``B100 oracle``: B with 100 neurons, by the oracle; it holds the next ones to account, which are too wide for it.
* ``B1000``, ``B10000``, ``B100000``, ``K7``, ``K7 tail start`` and both tails: ``rq.gradient_flow`` at rtol 1e-12
  (1e-10 for B100000), with explicit steps only. ``K7 tail start oracle`` is the oracle's.
* ``C``: fused descent with three halved steps, extrapolated to a vanishing one. ``C uncertainty`` is how far the two
  extrapolations are apart.
"""

from __future__ import annotations

import sys

import numpy as np

import reluquant as rq
from tests.benchmarks.fused_descent import FusedDescent
from tests.benchmarks.problems import (
    COMPARED,
    GOLDEN,
    K7_TAIL_FROM,
    WIDTHS,
    problem_a,
    problem_b,
    problem_c,
    problem_k7,
    weights,
)
from tests.oracles import flow_oracle

ORACLE_RTOL = 1e-11
# For 10⁵ neurons the looser one takes minutes, the tighter one half an hour; in B an rtol of 1e-10 leaves 1e-13.
ENGINE_RTOL, WIDE_RTOL = 1e-12, 1e-10
# Steps of descent for C: 70,000, 140,000 and 280,000 of them.
C_STEPS = (2e-3, 1e-3, 5e-4)
# What the explicit tails need is about a million steps.
MOST_STEPS = 10**7


def by_oracle(problem, t_end=None) -> np.ndarray:
    """End state of the oracle."""
    x, y = problem.data.X[:, 0], problem.data.y
    flow = flow_oracle(problem.net.W, problem.net.a, x, y, t_end or problem.t_end, rtol=ORACLE_RTOL)
    return np.column_stack([flow.W, flow.a])


def by_engine(problem, t_end=None, rtol=ENGINE_RTOL) -> np.ndarray:
    """End state of the package's own flow."""
    run = rq.gradient_flow(
        problem.net, problem.data, t_max=t_end or problem.t_end, rtol=rtol, max_steps=MOST_STEPS, progress=False
    )
    if not run.success:
        raise RuntimeError(run.message)
    return weights(run.final)


def by_descent(problem) -> tuple[np.ndarray, float]:
    """Descent extrapolated to a vanishing step, and its uncertainty."""
    ends = []
    for step in C_STEPS:
        descent = FusedDescent(weights(problem.net), problem.data.inputs, problem.data.y)
        descent.advance(step, round(problem.t_end / step))
        ends.append(descent.theta)
    coarse, fine = 2 * ends[1] - ends[0], 2 * ends[2] - ends[1]
    return fine, float(np.linalg.norm(fine - coarse) / np.linalg.norm(fine))


def compute(name: str) -> dict[str, np.ndarray]:
    """The entries of one problem."""
    if name == "A":
        return {"A": by_oracle(problem_a())}
    if name == "B100 oracle":
        return {name: by_oracle(problem_b(100))}
    if name == "C":
        state, uncertainty = by_descent(problem_c())
        return {"C": state, "C uncertainty": np.array(uncertainty)}
    if name == "K7":
        problem = problem_k7()
        return {
            "K7": by_engine(problem),
            "K7 tail": by_engine(problem),
            "K7 tail start": by_engine(problem, K7_TAIL_FROM),
            "K7 tail start oracle": by_oracle(problem, K7_TAIL_FROM),
        }
    problem = problem_b(int(name.removeprefix("B")))
    rtol = ENGINE_RTOL if problem.net.n_neurons <= WIDTHS[1] else WIDE_RTOL
    entries = {name: by_engine(problem, rtol=rtol)[:COMPARED]}
    if name == "B1000":
        entries["B1000 tail"] = by_engine(problem, 5000.0)
    return entries


def main(names: list[str]) -> None:
    """Compute what is asked for and keep the rest."""
    entries = {}
    if GOLDEN.exists():
        with np.load(GOLDEN) as stored:
            entries.update(stored)
    for name in names or ["A", "B100 oracle", *(f"B{width}" for width in WIDTHS), "C", "K7"]:
        entries.update(compute(name))
        np.savez_compressed(GOLDEN, **entries)
        sys.stdout.write(f"{name}: done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
