"""How long the parts take that a picture waits for, at ten thousand neurons or samples.

Run: ``python -m tests.benchmarks.analysis_and_views``. Prints a Markdown table of medians; a benchmark, not a test.
"""

from __future__ import annotations

import statistics
import sys
import timeit

import numpy as np

import reluquant as rq
from reluquant.views.frames import flow_frame

REPEATS = 7


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(0)
    data = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8])
    wide = rq.ShallowReLU.balanced(n_neurons=10_000, scale=1e-6, rng=0)
    run = rq.gradient_flow(wide, data, progress=False)
    f = rq.piecewise_linear(run.final)
    x = rng.standard_normal(10_000)
    many = rq.Dataset(x, np.sin(5 * x) + rng.standard_normal(x.size))
    cases = {
        "gradient_flow to rest, 10,000 neurons, rtol 1e-9": lambda: rq.gradient_flow(wide, data, progress=False),
        "gradient_flow to rest, 10,000 neurons, rtol 1e-7": lambda: rq.gradient_flow(
            wide, data, rtol=1e-7, progress=False
        ),
        "Trajectory.at, 10,000 neurons": lambda: run.at(0.6 * run.t[-1]),
        "flow_frame, 10,000 neurons": lambda: flow_frame(run, 0.6 * run.t[-1]),
        "piecewise_linear, 10,000 neurons": lambda: rq.piecewise_linear(run.final),
        "simplify, 10,000 neurons": lambda: rq.simplify(f, 1e-3, region=(-3, 3)),
        "neuron_clusters, 10,000 neurons": lambda: rq.neuron_clusters(run.final),
        "extremal_directions, 10,000 samples": lambda: rq.extremal_directions(many),
    }
    sys.stdout.write("| what | median | range |\n|---|---|---|\n")
    for what, case in cases.items():
        case()
        times = [1e3 * t for t in timeit.repeat(case, number=1, repeat=REPEATS)]
        sys.stdout.write(f"| {what} | {statistics.median(times):.1f} ms | {min(times):.1f}–{max(times):.1f} ms |\n")


if __name__ == "__main__":
    main()
