"""The exercises on spurious stationary points and what they lack."""

from __future__ import annotations

import numpy as np

from reluquant import datasets
from reluquant.course.exercises import Checks
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.dynamics.greedy_limit import greedy_limit
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory

# Rates may be rounded to two digits, the threshold to three after the point.
RATE_TOLERANCE, ROUNDED = 0.03, 1.5e-3
# The exercise's words: a neuron of at most this size, balanced up to rounding by hand.
LARGEST, UNBALANCED = 1e-3, 1e-3
# Ends whose losses differ by a smaller share are one.
SAME_LOSS = 1e-3


def _stuck() -> Trajectory:
    """The run on five points that exercises 06-1 and 06-2 begin with."""
    net = ShallowReLU.balanced(n_neurons=1000, scale=1e-8, rng=0)
    return gradient_flow(net, datasets.five_points(), progress=False)


def _what_grows(answer: object) -> str:
    """Exercise 06-1: how many directions grow at the end of five points, and the largest rate."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise ValueError(
            f"Exercise 06-1 asks for two numbers, (how many, rate of the fastest), but the answer is {answer!r}."
        )
    number = whole_number(answer[0], "the number of directions", least=0)
    rate = real_number(answer[1], "the rate of the fastest")
    point = _stuck().stationary_point
    fastest, n = point.rates.max(), datasets.five_points().n_samples
    if number == 0:
        return "Above zero loss there is always a direction that grows: look at traj.stationary_point.missing."
    if number != len(point.missing):
        return f"{number} directions it is not: traj.stationary_point.missing has one in each row, of both signs."
    if abs(rate - n * fastest) <= RATE_TOLERANCE * n * fastest:
        return f"{rate:.3g} is {n} times too large: the residual is (y - f)/n, as the loss is a mean."
    if abs(rate - point.rates.min()) <= RATE_TOLERANCE * fastest:
        return f"{rate:.3g} is the slowest of them; the fastest comes first in .rates."
    if abs(rate - fastest) > RATE_TOLERANCE * fastest:
        return f"{number} directions, yes; but {rate:.3g} is none of .rates at scale=1e-8, 1000 neurons, rng=0."
    return (
        f"Right: {number} directions, two opposite pairs, the fastest at the rate {fastest:.4f}. At the start neurons"
        " were in all of these sectors, and alignment has carried them off."
    )


def _one_neuron_more(answer: object) -> str:
    """Exercise 06-2: a tiny neuron with which five points come to the lowest loss."""
    if not isinstance(answer, tuple | list | np.ndarray) or len(answer) != 3:
        raise ValueError(f"Exercise 06-2 asks for three numbers, (w, b, a), but the answer is {answer!r}.")
    w, b, a = (real_number(number, name) for number, name in zip(answer, "wba", strict=True))
    size = float(np.hypot(w, b))
    given = f"This neuron has |w| = {size:.3g} and |a| = {abs(a):.3g}; "
    if max(size, abs(a)) > LARGEST * (1 + UNBALANCED) or min(size, abs(a)) == 0:
        return given + f"it should be tiny, at most {LARGEST:g}, and not 0."
    if abs(size - abs(a)) > UNBALANCED * size:
        return given + "make it balanced, |w| = |a|."
    data, run = datasets.five_points(), _stuck()
    if not np.any(data.inputs @ [w, b] > 0):
        return "No sample activates this neuron: it is dead, and a dead neuron never moves."
    before, after = float(run.loss[-1]), _loss_with(run, [w, b], a)
    point = run.stationary_point
    best = min(_loss_with(run, size * u, size * s) for u, s in zip(point.missing, point.signs, strict=True))
    if after > before * (1 - SAME_LOSS):
        return (
            f"With this neuron the loss stays at {after:.6f}: it does not come to a direction that grows. Take a row of"
            " traj.stationary_point.missing, and the sign that belongs to it."
        )
    if after > best * (1 + SAME_LOSS):
        return f"The loss falls from {before:.6f} to {after:.6f}, but another neuron brings it to {best:.6f}: try all."
    return (
        f"Right: the loss falls from {before:.6f} to {after:.6f}, and is stuck again: at each plateau another direction"
        " is missing. The greedy construction (mode='reseeded') adds them one by one."
    )


def _loss_with(run: Trajectory, direction: object, a: float) -> float:
    """The loss at which the flow ends when one neuron is put into the network at the end of a run."""
    more = ShallowReLU(np.vstack([run.final.W, direction]), np.append(run.final.a, a))
    return float(gradient_flow(more, run.data, progress=False).loss[-1])


def _threshold(answer: object) -> str:
    """Exercise 06-3: below which middle label a vanishing start fits three points."""
    label = real_number(answer, "the threshold")
    data = datasets.three_points()
    x1, x2, x3 = data.inputs
    right = -data.y[2] * (x3 @ x1) / (x2 @ x1)
    if abs(label - right) <= ROUNDED:
        return (
            f"Right: y₂ = -y₃ (x̃₃·x̃₁)/(x̃₂·x̃₁) = {right:.4f}. There a neuron that sees the last two points is no longer"
            " pushed on to the first: two directions with a > 0 grow instead of one."
        )
    if abs(label + data.y[2] * (x3 @ x2) / (x2 @ x2)) <= ROUNDED:
        return (
            f"{label:.4g} is where a neuron that sees the last point only is no longer pushed on to the second; ask for"
            " the push from the last two points to the first."
        )
    if abs(label + right) <= ROUNDED:
        return f"{label:.4g} has the wrong sign: the middle point has to pull the other way."
    step = 2 * ROUNDED if label > right else -2 * ROUNDED
    end = greedy_limit(Dataset(data.X, [data.y[0], label - step, data.y[2]]), progress=False).end
    if label > right:
        return f"{label:.4g} is too high: at {label - step:.4g} the limit still ends with {end!r} above zero loss."
    if end == "zero loss":
        return f"{label:.4g} is too low: at {label - step:.4g}, above it, the limit already fits the data."
    return f"{label:.4g} is too low: between it and the threshold labels are fitted; come from above, from 0.1."


CHECKS: Checks = {"06-1": _what_grows, "06-2": _one_neuron_more, "06-3": _threshold}
