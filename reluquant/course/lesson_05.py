"""The exercises on kinks and the linear interpolant."""

from __future__ import annotations

import math

import numpy as np

from reluquant.analysis.kink_census import kink_census
from reluquant.course.exercises import Checks
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU

# The exercise's words: the interpolant of sin(πx) on [-1, 1] shall err by no more.
ERROR = 1e-3
# The largest label may be rounded to two digits after the point.
ROUNDED = 0.01
# One neuron, with its kink on x = 0.
START = 1e-3


def _counts(answer: object) -> str:
    """Exercise 05-1: groups of neurons with their kink on a data point, and in an open interval."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise ValueError(f"Exercise 05-1 asks for two numbers, (on data points, in gaps), but it got {answer!r}.")
    on_data = whole_number(answer[0], "the number of groups on data points", least=0)
    in_gaps = whole_number(answer[1], "the number of groups in gaps", least=0)
    data = Dataset([-1.0, -0.6, -0.1, 0.2, 0.5, 1.0], [0.2, -0.6, 0.7, -0.3, 0.6, 0.1])
    final = gradient_flow(ShallowReLU.balanced(n_neurons=1000, scale=1e-6, rng=0), data, progress=False).final
    census = kink_census(final, data)
    right = int(np.sum(census.on_data >= 0)), int(np.sum(census.per_gap))
    if (on_data, in_gaps) == right:
        return (
            f"Right: {on_data} and {in_gaps}. The one off the data is beyond the last point, where it bends what no"
            " label asks for; between the points the network is the interpolant."
        )
    if (in_gaps, on_data) == right:
        return f"Turn them round: {in_gaps} groups are on data points and {on_data} is not."
    if on_data > data.n_samples:
        return (
            f"{on_data} is the number of neurons, or more: count groups, the entries of census.kinks;"
            f" census.n_held = {census.n_held} are single neurons."
        )
    if in_gaps == 0 and on_data == right[0]:
        return "One is missing: census.per_gap also counts the open intervals left and right of all points."
    return (
        f"({on_data}, {in_gaps}) is not it: census.on_data is the index of a point, or -1, for each group;"
        " census.per_gap counts the others by open interval. Are scale=1e-6, 1000 neurons, rng=0?"
    )


def _enough_points(answer: object) -> str:
    """Exercise 05-2: how many points the bound M h²/8 asks for."""
    n = whole_number(answer, "the number of points", least=2)
    right = 1 + math.ceil(math.pi / math.sqrt(2 * ERROR))
    if n == right:
        x = np.linspace(-1, 1, 50 * n)
        error = float(np.max(np.abs(np.sin(math.pi * x) - np.interp(x, np.linspace(-1, 1, n), _sine(n)))))
        return (
            f"Right: {n} points. In truth the interpolant then errs by {error:.2e}: the bound is nearly met, where the"
            " sine bends most."
        )
    if n == right - 1:
        return f"{n} is the number of gaps; the points at their ends are one more."
    # h = 1/(n - 1), or R in the place of h.
    if n == 1 + math.ceil(math.pi / math.sqrt(8 * ERROR)):
        return f"{n} would do on an interval of length 1; from -1 to 1 the gap is h = 2/(n - 1)."
    if n == 1 + math.ceil(2 * math.pi / math.sqrt(2 * ERROR)):
        return f"{n} are too many: with R = h/2 the bound is M R²/2 = M h²/8, so use either, not h in the place of R."
    if n == 1 + math.ceil(1 / math.sqrt(2 * ERROR)):
        return f"{n} would do for sin(x): the second derivative of sin(πx) is π² times as large."
    bound = math.pi**2 / (2 * (n - 1) ** 2)
    if n < right:
        return f"{n} points are too few: there the bound is {bound:.2e}, with M = π² and h = 2/(n - 1)."
    return f"{n} points are more than needed: there the bound is {bound:.2e}, and fewer keep it below {ERROR:g}."


def _sine(n: int) -> np.ndarray:
    return np.sin(math.pi * np.linspace(-1, 1, n))


def _largest_label(answer: object) -> str:
    """Exercise 05-3: the largest label at x = 2 with which the kink stays on x = 0."""
    y = real_number(answer, "the largest label")
    below, above = y - ROUNDED, y + ROUNDED
    moment = _let_go(below)
    if moment is not None:
        hint = " (4 is the label of the case that was followed)" if y == 4 else ""
        return (
            f"{y:.4g} is too large{hint}: with y₂ = {below:.4g} the kink is let go at t = {moment:.4g}. At which slope"
            " m would it come to rest while it is held, and is λ still positive there?"
        )
    if _let_go(above) is None:
        return f"{y:.4g} is too small: with y₂ = {above:.4g} the kink is still held at the end."
    return (
        f"Right: {y:.4g}. Then one line passes through the other two points and through the kink; a larger label asks"
        " for a kink further to the right, and nothing pushes back from there."
    )


def _let_go(label: float) -> float | None:
    """When the kink leaves x = 0 with this label at x = 2; None if it never does."""
    data = Dataset([0.0, 1.0, 2.0], [-6.0, 1.0, label])
    run = gradient_flow(ShallowReLU([[START, 0.0]], [START]), data, progress=False)
    released = run.switches["time"][run.switches["kind"] == "release"]
    return float(released[0]) if released.size else None


CHECKS: Checks = {"05-1": _counts, "05-2": _enough_points, "05-3": _largest_label}
