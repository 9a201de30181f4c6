"""The problems on which the flow is held against other integrators; every seed is fixed here.

Loss ``1/(2n) Σ (f(x_k) - y_k)²``, balanced starts. What each is for:

* ``A``: 10 equally spaced points, 100 neurons. Most of the work is the switches of an alignment.
* ``B1000``, ``B10000``, ``B100000``: 30 points. Work against width.
* ``C``: 5 inputs and a teacher of 3 neurons.
* ``K7``: two close pairs of points, so that the slowest rates are 10⁴ times below the fastest: a stiff tail.
* ``B1000 tail``, ``K7 tail``: the same flows from a late state on, when few or no switches are left.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

import reluquant as rq

GOLDEN = Path(__file__).parents[1] / "golden" / "benchmark_references.npz"
WIDTHS = (1_000, 10_000, 100_000)
# Neurons are drawn independently, so the error of the first ones estimates that of all; it keeps the golden file small.
COMPARED = 4_000
# Late enough that the fast part is over: no switches are left in B, some releases in K7.
B_TAIL_FROM, K7_TAIL_FROM = 300.0, 200.0
# Until when the slowest part has come within some 1e-8, and 1e-5, of rest: peers cannot tell, and end there.
B_TAIL_TO, K7_TAIL_TO = 2_000.0, 31_000.0
SCALES = (1e-2, 1e-4, 1e-8, 1e-16, 1e-32, 1e-64, 1e-100, 1e-150, 1e-200, 1e-300)


class Problem(NamedTuple):
    """A start, the data, how long to follow the flow, and how small the neurons are at the start."""

    name: str
    net: rq.ShallowReLU
    data: rq.Dataset
    t_end: float
    scale: float
    # Follow the flow until it is stationary, where an integrator can tell, and to t_end where it cannot.
    to_stationary: bool = False


def problem_a(scale: float = 1e-4) -> Problem:
    """Ten equally spaced points, 100 neurons."""
    x = np.linspace(-1.0, 1.0, 10)
    net = rq.ShallowReLU.balanced(n_neurons=100, scale=scale, rng=0)
    return Problem("A", net, rq.Dataset(x, np.sin(np.pi * x) + 0.3 * x), 60.0, scale)


def problem_b(n_neurons: int) -> Problem:
    """Thirty points with a smooth label; any width."""
    x = np.sort(np.random.default_rng(0).uniform(-1.0, 1.0, 30))
    net = rq.ShallowReLU.balanced(n_neurons=n_neurons, scale=1e-6, rng=1)
    return Problem(f"B{n_neurons}", net, rq.Dataset(x, np.cos(3 * x) + 0.2 * x), 300.0, 1e-6)


def problem_c() -> Problem:
    """Five inputs, 100 points, a teacher of three neurons, 2000 neurons."""
    # The first seed for which descent converges in proportion to its step. For others some neurons pass so close by the
    # edge of a valley that descent takes them to either side, and each is a hundredth of the weights.
    X = np.random.default_rng(1).standard_normal((100, 5))
    teacher = rq.ShallowReLU.balanced(n_features=5, n_neurons=3, scale=1.0, rng=2)
    net = rq.ShallowReLU.balanced(n_features=5, n_neurons=2000, scale=1e-4, rng=3)
    return Problem("C", net, rq.Dataset(X, teacher(X)), 140.0, 1e-4)


def problem_k7() -> Problem:
    """Seven points in which two pairs lie close together, 60 neurons."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, 5)
    x = np.sort(np.concatenate([x, [x[0] + 0.01, x[2] + 0.02]]))
    net = rq.ShallowReLU.balanced(n_neurons=60, scale=1e-8, rng=1)
    return Problem("K7", net, rq.Dataset(x, rng.normal(size=7)), 1e5, 1e-8)


def b_tail() -> Problem:
    """Problem B1000 from its state at t = 300 to rest."""
    return Problem("B1000 tail", _kept("B1000"), problem_b(1000).data, B_TAIL_TO - B_TAIL_FROM, 1.0, True)


def k7_tail() -> Problem:
    """Problem K7 from its state at t = 200 to rest."""
    return Problem("K7 tail", _kept("K7 tail start"), problem_k7().data, K7_TAIL_TO - K7_TAIL_FROM, 1.0, True)


PROBLEMS = {
    "A": problem_a,
    "B1000": lambda: problem_b(1_000),
    "B10000": lambda: problem_b(10_000),
    "B100000": lambda: problem_b(100_000),
    "C": problem_c,
    "K7": problem_k7,
    "B1000 tail": b_tail,
    "K7 tail": k7_tail,
}


def weights(net: rq.ShallowReLU) -> np.ndarray:
    """All weights, shape (n_neurons, n_features + 2): input weights, bias, output weight."""
    return np.column_stack([net.W, net.a])


def reference(name: str) -> np.ndarray:
    """The golden end state of a problem, at most its first `COMPARED` neurons."""
    with np.load(GOLDEN) as stored:
        return stored[name]


def error(theta: np.ndarray, name: str) -> float:
    """Relative distance ‖θ - ref‖/‖ref‖ from the golden end state."""
    expected = reference(name)
    return float(np.linalg.norm(theta[:COMPARED] - expected) / np.linalg.norm(expected))


def _kept(name: str) -> rq.ShallowReLU:
    state = reference(name)
    return rq.ShallowReLU(state[:, :-1], state[:, -1])
