"""The exercises on sectors, growth rates and what holds a kink."""

from __future__ import annotations

import numpy as np

from reluquant import datasets
from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.course.exercises import Checks
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import real_number

# A maximum that was looked up on a grid of some hundred angles is off by less.
ON_A_GRID = 0.01
# Answers may be rounded to two digits after the point.
ROUNDED = 5.1e-3
# A rate that is zero up to rounding is no growth.
NO_GROWTH = 1e-12


def _largest_rate(answer: object) -> str:
    """Exercise 02-1: the largest growth rate of positive neurons on three points."""
    rate = real_number(answer, "the largest rate")
    data = datasets.three_points()
    rates = sorted(d.rate for d in extremal_directions(data, sign=1) if d.kind == "attractor")
    right = rates[-1]
    if abs(rate - right) <= ON_A_GRID * right:
        return (
            f"Right: {right:.5f}. One over it, {1 / right:.4f}, is when the first neurons are noticed, in units of"
            " ln(1/scale)."
        )
    if abs(rate - data.n_samples * right) <= ON_A_GRID * rate:
        return f"{rate:.4g} is {data.n_samples} times too large: the loss is a mean, so the residual is y/n."
    if abs(rate - 1 / right) <= ON_A_GRID * rate:
        return f"{rate:.4g} is one over it, which is a time."
    if rate > right:
        return f"{rate:.4g} is too large: are your directions unit vectors, with the bias as the second weight?"
    return f"{rate:.4g} is too small: there are directions with a larger G; let the grid cover all angles."


def _largest_label(answer: object) -> str:
    """Exercise 02-2: up to which label the second of four points holds positive neurons."""
    label = real_number(answer, "the largest label")
    data = Dataset([-1.2, -0.5, 0.4, 1.1], [1.3, -1.1, 1.1, -1.3])
    held, seen = data.inputs[1], [2, 3]
    push = float(data.y[seen] @ data.inputs[seen] @ held)
    right = -push / float(held @ held)
    if abs(label - right) <= ROUNDED:
        return (
            f"Right: {right:.3f}, where λ = 1. With a label above it the kink moves over the point as if there were"
            " nothing; with λ = 0 or 1 exactly, the direction is held from one side only."
        )
    if abs(label) <= ROUNDED:
        return "A label of 0 is too high: near it the point still pushes back, but less than the others push on."
    if abs(label - right / data.n_samples) <= ROUNDED / data.n_samples:
        return f"{label:.4g} is a residual; the label is n = {data.n_samples} times that."
    if label > right:
        return (
            f"With {label:.4g} the point pushes back too little, λ would have to be {right / label:.3g}."
            if (label < 0)
            else f"With {label:.4g}, which is not negative, the point does not push positive neurons back at all."
        )
    return f"With {label:.4g} it still holds them, with λ = {right / label:.3f}; raise it until λ = 1."


def _labels(answer: object) -> str:
    """Exercise 02-3: labels, one negative, for which no negative neuron grows."""
    if not isinstance(answer, tuple | list | np.ndarray) or len(answer) != 3:
        raise ValueError(f"Exercise 02-3 asks for three labels, but the answer is {answer!r}.")
    labels = [real_number(label, "a label") for label in answer]
    if min(labels) >= 0:
        return f"None of {labels} is negative; without a negative label no negative neuron ever grows."
    grows = [d for d in extremal_directions(Dataset([-1.0, 0.0, 1.0], labels), sign=-1) if d.rate > NO_GROWTH]
    if grows:
        best = max(grows, key=lambda d: d.rate)
        end = " A negative label at an end can never be outvoted: some neurons see nothing else." * (
            min(labels[0], labels[2]) < 0
        )
        place = "as a constant" if np.isnan(best.kink) else f"with its kink at {best.kink:.3g}"
        return f"With {labels} a negative neuron grows {place}, at the rate {best.rate:.3g}.{end}"
    return (
        "Right: the negative label is outvoted by its neighbours wherever it is seen. So at first only positive neurons"
        " grow, and the dip has to wait until they have changed the residuals."
    )


CHECKS: Checks = {"02-1": _largest_rate, "02-2": _largest_label, "02-3": _labels}
