"""Some neurons of a moment in words: which they are, where, how large, and in what state."""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.views.angle_words import arc
from reluquant.views.frames import NeuronView
from reluquant.views.function_scene import RELATION
from reluquant.views.function_view import DEAD, DORMANT
from reluquant.views.sentences import number, number_of_log

# Numbers of the first neurons of a group are written out.
NAMED = 5
# A kink further away than that is that of a function that is constant to the eye.
FARTHEST_KINK = 1e5
SELECTED, POINTED = "Selected", "Pointed at"


def describe_neurons(neurons: NeuronView, chosen: np.ndarray, *, verb: str = SELECTED) -> str:
    """Say in one sentence which neurons are selected or pointed at; nothing if none are.

    Parameters
    ----------
    neurons : NeuronView
        All neurons at one moment.
    chosen : ndarray of int
        Indices of some of them.
    verb : str
        What was done with them.

    Returns
    -------
    str

    Examples
    --------
    >>> import numpy as np
    >>> import reluquant as rq
    >>> from reluquant.views.frames import flow_frame
    >>> from reluquant.views.neuron_words import describe_neurons
    >>> net = rq.ShallowReLU([[1.0, -0.5], [0.0, 1.0]], [1.0, -1.0])
    >>> run = rq.gradient_flow(net, rq.Dataset([0.0, 1.0], [0.0, 1.0]), t_max=0.1, progress=False)
    >>> describe_neurons(flow_frame(run, 0.0).neurons, np.array([0]))
    'Selected: neuron 0 with a > 0 at −26.6°, kink at 0.5, norm 1.1, awake, turning; 52.8 % of the mass.'
    """
    if chosen.size == 0:
        return ""
    top = float(neurons.log_mass.max(initial=-np.inf))
    mass = np.exp(neurons.log_mass - top) if math.isfinite(top) else np.zeros(neurons.log_mass.shape)
    share = mass[chosen].sum() / mass.sum() if mass.sum() > 0 else 0.0
    relations = {**RELATION, 0: "a = 0"}
    signs = " and ".join(relations[s] for s in sorted({int(s) for s in neurons.sign[chosen]}, reverse=True))
    said = [
        f"{names(chosen)} with {signs} {arc(neurons.angle[chosen])}", kink_range(neurons.kink[chosen]),
        norms(neurons.log_norm[chosen]), _states(neurons, chosen),
    ]  # fmt: skip
    return f"{verb}: {', '.join(part for part in said if part)}; {100 * share:.3g} % of the mass."


def chosen_and_verb(selected: np.ndarray, pointed: np.ndarray) -> tuple[np.ndarray, str]:
    """Return which neurons to show, those that are pointed at before those that are selected, and how to call it."""
    if pointed.size == 0 or np.array_equal(np.sort(pointed), np.sort(selected)):
        return selected, SELECTED
    return pointed, POINTED


def names(chosen: np.ndarray) -> str:
    """Write which neurons: the number of a single one, how many and the first of them otherwise."""
    first = ", ".join(str(j) for j in chosen[:NAMED].tolist())
    if chosen.size == 1:
        return f"neuron {first}"
    return f"{chosen.size:,} neurons ({first}{', …' if chosen.size > NAMED else ''})"


def norms(logs: Floats) -> str:
    """Write the least and the largest norm, given their natural logarithms."""
    low, high = number_of_log(float(logs.min())), number_of_log(float(logs.max()))
    return f"norm {low}" if low == high else f"norms {low} to {high}"


def kink_range(kink: Floats) -> str:
    """Write where kinks lie that are not too far away; nothing if none is."""
    near = kink[np.abs(kink) < FARTHEST_KINK]
    if near.size == 0:
        return ""
    low, high = (number(float(end)).replace("-", "−") for end in (near.min(), near.max()))
    return f"kink at {low}" if low == high else f"kinks at {low} to {high}"


def _states(neurons: NeuronView, chosen: np.ndarray) -> str:
    state, held = neurons.state[chosen], neurons.slides_on[chosen] >= 0
    counts = {
        "dead": state == DEAD, "held on a data point": held, "dormant": state == DORMANT,
        "awake": (state != DEAD) & (state != DORMANT) & ~held, "turning": ~neurons.aligned[chosen] & (state != DEAD),
    }  # fmt: skip
    found = {name: int(np.count_nonzero(these)) for name, these in counts.items() if np.any(these)}
    return ", ".join(name if count == chosen.size else f"{count:,} {name}" for name, count in found.items())
