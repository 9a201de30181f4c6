"""The exercises on two inputs: linear regions, triangulations, and which diagonal a network chooses."""

from __future__ import annotations

import numpy as np

from reluquant.analysis.compare import compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.analysis.triangulations import triangulations
from reluquant.course.exercises import Checks
from reluquant.datasets.small_sets import xor
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.arrays import real_array
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import whole_number
from reluquant.structures.shallow_relu import ShallowReLU

SQUARE = ((-1.0, 1.0), (-1.0, 1.0))
# Rounding of a distance between functions of order one.
EQUAL = 1e-9
# The exercise's words: the network is an interpolant to this, and the other one is so far away.
NEAR, FAR = 0.01, 0.5
# Below this loss a network fits labels of order one.
FITS = 1e-6
# Labels and networks of any size train alike; these keep the run short.
LARGEST_LABEL = 100.0


def _regions(answer: object) -> str:
    """Exercise 07-1: pieces of the function, and cells of all kink lines, of six neurons on a square."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise ValueError(f"Exercise 07-1 asks for two numbers, (pieces, cells), but the answer is {answer!r}.")
    pieces = whole_number(answer[0], "the number of pieces", least=0)
    cells = whole_number(answer[1], "the number of cells", least=0)
    six = ShallowReLU(
        [[1, 1, 0], [-2, -2, 0], [1, -1, 0], [1, 0, 0.5], [2, 0, 1], [0, 1, -0.25]], [2, -1, 1, 1, 0.5, 1]
    )
    found = piecewise_linear(six, region=SQUARE)
    right = found.n_pieces, found.n_activation_regions
    n = six.n_neurons
    general = 1 + n + n * (n - 1) // 2
    if (pieces, cells) == right:
        return (
            f"Right: {pieces} and {cells}. Two neurons that cancel across their common line are a hinge that nobody"
            " sees; move one of them by a hair, and the function has a narrow fold there."
        )
    if (cells, pieces) == right:
        return f"Turn them round: the function has {cells} pieces, all lines together make {pieces} cells."
    if general in (pieces, cells):
        return f"{general} is the count for {n} lines in general position; some neurons here share a line."
    if pieces == cells == right[1]:
        return f"{cells} cells are right. Add up the jumps a |w| of neurons that share a line: does f bend there?"
    if cells == right[1]:
        return f"{cells} cells are right, {pieces} pieces are not: leave out lines whose jumps a |w| add up to zero."
    if pieces == right[0]:
        return f"{pieces} pieces are right, {cells} cells are not: count 1 + lines + crossings of all different lines."
    return f"({pieces}, {cells}) is not it: draw the lines w·x + b = 0; how many are there, and where do they cross?"


def _exact_triangulations(answer: object) -> str:
    """Exercise 07-2: triangulations of the 3 × 3 grid on which relu(x₁ - x₂) is its own interpolant."""
    number = whole_number(answer, "the number of triangulations", least=0)
    grid = np.array([[i, j] for i in (-1.0, 0.0, 1.0) for j in (-1.0, 0.0, 1.0)])
    fold = ShallowReLU([[1.0, -1.0, 0.0]], [1.0])
    values = Dataset(grid, fold(grid))
    every = list(triangulations(grid))
    right = sum(compare(fold, interpolate(values, method=t)).sup < EQUAL for t in every)
    half = round(right**0.5)
    if number == right:
        return (
            f"Right: {number} of {len(every)}, {half} for each half of the square, chosen independently. A"
            " triangulation is right for one network and wrong for the next: no choice is best for all."
        )
    if number == len(every):
        return f"{number} are all triangulations of the grid; on most of them the kink crosses a triangle."
    if number == half:
        return f"{number} is the number for one side of the kink; the other side is triangulated independently."
    if number == 2 * half:
        return f"{number} adds the {half} triangulations of each side; every one of the first goes with every other."
    way = "many" if number > right else "few"
    return (
        f"{number} are too {way}: list them with rq.triangulations and take those with"
        " rq.compare(fold, rq.interpolate(values, method=t)).sup below 1e-9."
    )


def _own_diagonal(answer: object) -> str:
    """Exercise 07-3: labels of the corners of a square with which the trained network is one of two interpolants."""
    labels = real_array(answer, "the labels", ndim=(1,))
    if labels.shape != (4,):
        raise ValueError(f"Exercise 07-3 asks for four labels, but the answer has the shape {labels.shape}.")
    if np.max(np.abs(labels)) > LARGEST_LABEL:
        raise ValueError(f"Keep the labels of exercise 07-3 within ±{LARGEST_LABEL:g}; the largest is {labels}.")
    corners = xor().X
    # A flip changes the interpolant by a pyramid of this height.
    height = float(abs(labels[0] + labels[1] - labels[2] - labels[3])) / 2
    if height < FAR:
        plane = "one plane, and the same one" if height < EQUAL else f"only {height:.3g} apart"
        return (
            f"With these labels both interpolants are {plane}: the labels of one diagonal should differ from those of"
            " the other."
        )
    data = Dataset(corners, labels)
    start = ShallowReLU.balanced(n_features=2, n_neurons=60, scale=1e-6, rng=0)
    run = gradient_flow(start, data, rtol=1e-6, progress=False)
    if run.loss[-1] > FITS:
        return f"The network does not fit these labels (loss {run.loss[-1]:.2g}), so it is no interpolant of them."
    apart = sorted(compare(run.final, interpolate(data, method=t)).sup for t in triangulations(corners))
    if apart[0] > NEAR:
        return (
            f"The network fits, and is {apart[0]:.3g} and {apart[1]:.3g} from the two interpolants: it folds along no"
            " diagonal. For which labels is one relu, or two of them back to back, enough?"
        )
    if apart[1] < FAR:
        return f"Near, to {apart[0]:.2g}, but the other interpolant is only {apart[1]:.2g} away; {FAR:g} is asked for."
    return (
        f"Right: it is {apart[0]:.1g} from one interpolant and {apart[1]:.3g} from the other. It folds where its groups"
        " turned to, and these turn to the points that pull: the labels choose the diagonal, not Delaunay's circles."
    )


CHECKS: Checks = {"07-1": _regions, "07-2": _exact_triangulations, "07-3": _own_diagonal}
