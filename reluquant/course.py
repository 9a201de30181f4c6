"""Checks of the course's exercises: each says what is wrong with an answer, and never only that it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reluquant.analysis.neuron_clusters import neuron_clusters
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.analysis.simplify import simplify
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import whole_number
from reluquant.structures.shallow_relu import ShallowReLU

# Another seed, or another way to cut off the light neurons, changes both counts by some per cent.
COUNT_TOLERANCE = 0.2
# The exercise's words: this share of the mass, kinks that matter to this tolerance, on this stretch of the line.
SHARE, KINK_TOLERANCE, STRETCH = 0.99, 1e-3, (-2, 2)


def check(exercise: str, answer: object) -> str:
    """Check an answer to an exercise of the course.

    Parameters
    ----------
    exercise : str
        Its number, such as ``"00-1"``: notebook, exercise.
    answer : object
        What the exercise asks for.

    Returns
    -------
    str
        "Right: …", or what is wrong and where to look.

    Raises
    ------
    ValueError
        If there is no such exercise, or the answer has another form than asked for.
    TypeError
        If the answer does not consist of what is asked for.

    Examples
    --------
    >>> import reluquant as rq
    >>> print(rq.course.check("00-1", (4, 300)))
    4 directions are as few as a tiny start leaves: did you draw the network with scale=1?
    """
    if exercise not in _CHECKS:
        raise ValueError(f"There is no exercise {exercise!r}; there are {', '.join(sorted(_CHECKS))}.")
    return _CHECKS[exercise](answer)


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


_CHECKS: dict[str, Callable[[object], str]] = {"00-1": _large_start}
