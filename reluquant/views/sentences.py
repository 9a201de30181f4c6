"""A frame in words, for the status line and for readers who do not see the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.views.direction_view import ExtremalView

# A neuron points along an extremal direction if it is that close to it.
ALIGNED = math.radians(1.0)
# The loss has begun to fall, or is done, at these shares of its start.
BEGUN, DONE = 0.99, 1e-6
# Directions that hold this share of the mass are the ones that make the function.
MAIN_MASS = 0.99
# Natural logarithms up to that, of either sign, are those of ordinary floats.
LARGEST_LOG = 700.0


@dataclass(frozen=True, slots=True, eq=False)
class FrameFacts:
    """What :func:`describe` needs to know of one moment; arrays have one entry per neuron."""

    t: float
    loss: float
    first_loss: float
    angle: Floats
    sign: np.ndarray
    log_mass: Floats
    slides_on: np.ndarray
    extremal: ExtremalView
    n_dead: int = 0
    n_dormant: int = 0
    at_rest: bool = False


def describe(facts: FrameFacts) -> str:
    """Return one or two sentences on the state of the network.

    Examples
    --------
    >>> from reluquant.views.sentences import number
    >>> number(0.000012345), number(123.456), number(0.0)
    ('1.2e-05', '123', '0')
    """
    n_neurons = facts.angle.size
    parts = [f"t = {number(facts.t)}: loss {number(facts.loss)}{share_of_start(facts.loss, facts.first_loss)}"]
    if facts.extremal.angle.size:
        parts.append(f"{aligned(facts)} of {n_neurons} neurons within 1° of a direction that attracts them")
    held = int(np.count_nonzero(facts.slides_on >= 0))
    if held:
        parts.append(f"{held} held on a data point")
    if facts.n_dormant:
        parts.append(f"{facts.n_dormant} dormant")
    if facts.n_dead:
        parts.append(f"{facts.n_dead} dead")
    count = main_directions(facts)
    parts.append(f"{count} direction{'' if count == 1 else 's'} carr{'ies' if count == 1 else 'y'} 99 % of the mass")
    rest = " Nothing moves any more." if facts.at_rest else ""
    return f"{phase(facts.loss, facts.first_loss, at_rest=facts.at_rest)} – " + "; ".join(parts) + "." + rest


def phase(loss: float, first_loss: float, *, at_rest: bool) -> str:
    """Name the phase of the run by its loss: alignment, fitting, fitted, or stuck above zero."""
    if loss <= DONE * first_loss:
        return "Fitted"
    if at_rest:
        return "Stuck"
    return "Alignment" if loss > BEGUN * first_loss else "Fitting"


def aligned(facts: FrameFacts) -> int:
    """Count the neurons within 1° of a direction that attracts their sign."""
    return int(np.count_nonzero(aligned_neurons(facts.angle, facts.sign, facts.extremal)))


def aligned_neurons(angle: Floats, sign: np.ndarray, extremal: ExtremalView) -> np.ndarray:
    """Whether each neuron is within 1° of a direction that attracts its sign."""
    close = np.zeros(angle.size, dtype=bool)
    for place, its_sign in zip(extremal.angle, extremal.sign, strict=True):
        away = np.abs((angle - place + math.pi) % math.tau - math.pi)
        close |= (away <= ALIGNED) & (sign == its_sign)
    return close


def main_directions(facts: FrameFacts) -> int:
    """Count the directions (by sign, one degree wide) that together hold 99 % of the mass."""
    top = float(facts.log_mass.max(initial=-np.inf))
    if not math.isfinite(top):
        return 0
    order = np.lexsort((facts.angle, facts.sign))
    # Each sign on its own stretch of a line, then cut from the left into pieces of a degree.
    place = facts.angle[order] + facts.sign[order] * 2 * math.tau
    starts, at = [], 0
    while at < place.size:
        starts.append(at)
        at = int(np.searchsorted(place, place[at] + ALIGNED, side="right"))
    totals = np.sort(np.add.reduceat(np.exp(facts.log_mass[order] - top), starts))[::-1]
    return int(np.searchsorted(np.cumsum(totals), MAIN_MASS * totals.sum()) + 1)


def number(value: float) -> str:
    """Write a number with about three digits."""
    if value == 0:
        return "0"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e5 else f"{value:.1e}"


def number_of_log(log: float) -> str:
    """Write a number, with two digits, that is given by its natural logarithm and may be too small for a float.

    Examples
    --------
    >>> from reluquant.views.sentences import number_of_log
    >>> number_of_log(0.0), number_of_log(-2302.585), number_of_log(float("-inf"))
    ('1', '1e-1000', '0')
    """
    if abs(log) < LARGEST_LOG or math.isinf(log):
        return f"{math.exp(min(log, LARGEST_LOG)):.2g}"
    power = math.floor(log / math.log(10.0) + 1e-9)
    return f"{math.exp(log - power * math.log(10.0)):.2g}e{power}"


def neurons(count: int) -> str:
    """Write how many neurons.

    Examples
    --------
    >>> from reluquant.views.sentences import neurons
    >>> neurons(1), neurons(2000)
    ('1 neuron', '2,000 neurons')
    """
    return f"{count:,} neuron{'' if count == 1 else 's'}"


def share_of_start(loss: float, first_loss: float) -> str:
    """Write a loss as a share of the one at the start, if that is not zero."""
    return f" ({100 * loss / first_loss:.3g} % of the start)" if first_loss > 0 else ""
