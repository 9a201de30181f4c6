"""The exercises of the quick start: large starts, narrow networks, and labels that hold all kinks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reluquant.analysis.compare import compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.neuron_clusters import neuron_clusters
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.analysis.simplify import simplify
from reluquant.course.exercises import Checks
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU

# Another seed, or another way to cut off the light neurons, changes both counts by some per cent.
COUNT_TOLERANCE = 0.2
# The exercise's words: this share of the mass, kinks that matter to this tolerance, on this stretch of the line.
SHARE, KINK_TOLERANCE, STRETCH = 0.99, 1e-3, (-2, 2)
DRAWS, NARROW, FITS, SCALE = 20, 10, 1e-10, 1e-6
NEAR = 1e-3
# Wide enough that every direction is present, and three times as fast as 1000.
WIDE = 300
# Labels beyond this are no question of another kind.
LARGEST_LABEL = 100.0


def _data(labels: Sequence[float] = (1.0, -0.5, 0.8, -0.4)) -> Dataset:
    return Dataset([-1.0, -0.4, 0.3, 1.0], labels)


def _large_start(answer: object) -> str:
    """Exercise 00-1: directions with 99 % of the mass, and kinks that matter, after a start of scale 1."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise ValueError(f"Exercise 00-1 asks for two numbers, (directions, kinks), but the answer is {answer!r}.")
    directions = whole_number(answer[0], "the number of directions", least=0)
    kinks = whole_number(answer[1], "the number of kinks", least=0)
    data = _data()
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


def _narrow_networks(answer: object) -> str:
    """Exercise 00-2: how many of 20 networks with ten neurons fit the four points."""
    fit = whole_number(answer, "the number of networks", least=0, most=DRAWS)
    starts = (ShallowReLU.balanced(n_neurons=NARROW, scale=SCALE, rng=seed) for seed in range(DRAWS))
    right = sum(gradient_flow(start, _data(), progress=False).loss[-1] < FITS for start in starts)
    if fit == right:
        return (
            f"Right: {right} of {DRAWS}. In the others a direction is empty: nobody started where it"
            " would have turned there."
        )
    if fit == DRAWS:
        return f"Not all {DRAWS} fit: four neurons would do, but they must be the right ones."
    if fit == 0:
        return "Some do fit: now and then ten neurons are enough for all four directions."
    return (
        f"{fit} is too {'many' if fit > right else 'few'}: draw with rng=0 to rng={DRAWS - 1}, n_neurons={NARROW},"
        f" scale={SCALE:g}, and count the last losses below {FITS:g}."
    )


def _interpolating_labels(answer: object) -> str:
    """Exercise 00-3: labels for which the network is the interpolant, and not a line."""
    if not isinstance(answer, tuple | list | np.ndarray) or len(answer) != 4:
        raise ValueError(f"Exercise 00-3 asks for four labels, but the answer is {answer!r}.")
    labels = [real_number(label, "a label", least=-LARGEST_LABEL, most=LARGEST_LABEL) for label in answer]
    data = _data(labels)
    x = data.X[:, 0]
    reach = max(map(abs, labels))
    if np.max(np.abs(np.polyval(np.polyfit(x, data.y, 1), x) - data.y)) <= NEAR * max(1.0, reach):
        return "These labels are on a line, or nearly so; make the interpolant bend."
    net = ShallowReLU.balanced(n_neurons=WIDE, scale=SCALE, rng=0)
    run = gradient_flow(net, data, progress=False)
    distance = compare(piecewise_linear(run.final), interpolate(data))
    if distance.sup <= NEAR:
        return (
            f"Right: the network of {WIDE} neurons is within {distance.sup:.1g} of the interpolant. Its kinks are held"
            " on the inner points."
        )
    if run.loss[-1] > FITS:
        return f"With these labels the network does not pass through the points: its loss ends at {run.loss[-1]:.2g}."
    return (
        f"The network passes through the points, but is {distance.sup:.3g} away from the interpolant at"
        f" x = {distance.sup_at:.3g}: a kink is free there. Which labels would hold it on a point?"
    )


CHECKS: Checks = {"00-1": _large_start, "00-2": _narrow_networks, "00-3": _interpolating_labels}
