"""The exercise of the quick start."""

from __future__ import annotations

import numpy as np

from reluquant.analysis.neuron_clusters import neuron_clusters
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.analysis.simplify import simplify
from reluquant.course.exercises import Checks
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import whole_number
from reluquant.structures.shallow_relu import ShallowReLU

# Another seed, or another way to cut off the light neurons, changes both counts by some per cent.
COUNT_TOLERANCE = 0.2
# The exercise's words: this share of the mass, kinks that matter to this tolerance, on this stretch of the line.
SHARE, KINK_TOLERANCE, STRETCH = 0.99, 1e-3, (-2, 2)


def _large_start(answer: object) -> str:
    """Exercise 00-1: directions with 99 % of the mass, and kinks that matter, after a start of scale 1."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise ValueError(f"Exercise 00-1 asks for two numbers, (directions, kinks), but the answer is {answer!r}.")
    directions = whole_number(answer[0], "the number of directions", least=0)
    kinks = whole_number(answer[1], "the number of kinks", least=0)
    data = Dataset([-1.0, -0.4, 0.3, 1.0], [1.0, -0.5, 0.8, -0.4])
    if directions <= 2 * data.n_samples + 1:
        return f"{directions} directions are as few as a tiny start leaves: did you draw the network with scale=1?"
    if kinks <= 2 * data.n_samples + 1:
        return f"{kinks} kinks are as few as a tiny start leaves: did you simplify the function of the new network?"
    final = gradient_flow(ShallowReLU.balanced(n_neurons=1000, scale=1.0, rng=0), data, progress=False).final
    mass = neuron_clusters(final).mass
    true_directions = int(np.sum(np.cumsum(mass / mass.sum()) < SHARE)) + 1
    true_kinks = simplify(piecewise_linear(final), KINK_TOLERANCE, region=STRETCH).n_breakpoints
    if abs(directions - true_directions) > COUNT_TOLERANCE * true_directions:
        return (
            f"{directions} directions are too {'many' if directions > true_directions else 'few'}: sort the masses,"
            f" add them up, and stop at {SHARE:.0%} of their sum."
        )
    if abs(kinks - true_kinks) > COUNT_TOLERANCE * true_kinks:
        return (
            f"{kinks} kinks are too {'many' if kinks > true_kinks else 'few'}: count the breakpoints of"
            f" simplify(f, {KINK_TOLERANCE:g}, region={STRETCH})."
        )
    return (
        f"Right: a start of scale 1 keeps about {true_directions} directions and {true_kinks} kinks;"
        " it does not quantise."
    )


CHECKS: Checks = {"00-1": _large_start}
