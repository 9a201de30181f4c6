"""The exercises on the two clocks of a tiny start, and on what is left outside of the few directions."""

from __future__ import annotations

import numpy as np

from reluquant import datasets
from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.analysis.neuron_clusters import neuron_clusters
from reluquant.analysis.predict_alignment import predict_alignment
from reluquant.course.exercises import Checks
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU

# A difference of two measured times contains a little of the slower groups.
MEASURED = 5e-3
# Left over is made of random neurons: another seed changes the factor by some per cent.
DRAWN = 0.25
# The exercise's words.
SCALE, WIDTHS, GROUPS, STILL_ON_ITS_WAY = 1e-4, (1000, 10_000), 4, 50.0


def _data() -> Dataset:
    return Dataset([-1.2, -0.5, 0.4, 1.1], [1.3, -1.1, 1.1, -1.3])


def _later(answer: object) -> str:
    """Exercise 03-1: how much later a start of 1e-20 is noticed than one of 1e-10, on zigzag."""
    later = real_number(answer, "the time", least=0)
    data = datasets.zigzag()
    rates = sorted(d.rate for d in extremal_directions(data) if d.kind == "attractor")
    decades = np.log(1e10)
    right = decades / rates[-1]
    if abs(later - right) <= MEASURED * right:
        return (
            f"Right: {right:.2f}, ten decades at {np.log(10) / rates[-1]:.2f} each. The time until all are aligned is"
            " the same for both."
        )
    slips = (
        (right / 2, "the mass is a square, but so is the one that it starts from: the two cancel."),
        (right / data.n_samples, f"the residual is y/n, so that rates are {data.n_samples} times smaller."),
        (10 / rates[-1], "ten decades are a factor of 1e10, whose natural logarithm is 23.03."),
        (2 * right, "this is when the second one is noticed; how much later than the first is that?"),
        *((decades / rate, "a slower group has this rate; the fastest decides.") for rate in rates[:-1] if rate > 0),
    )
    for slip, reason in slips:
        if abs(later - slip) <= MEASURED * slip:
            return f"{later:.4g} is not it: {reason}"
    return f"{later:.4g} is not it: the fastest direction of either sign grows by e in 1/rate, and 1e10 = e^23.03."


def _factor(answer: object) -> str:
    """Exercise 03-2: how the mass outside of the heaviest groups grows with ten times the neurons."""
    factor = real_number(answer, "the factor", above=0)
    shares = []
    for width in WIDTHS:
        net = ShallowReLU.balanced(n_neurons=width, scale=SCALE, rng=0)
        mass = neuron_clusters(gradient_flow(net, _data(), progress=False).final).mass
        shares.append(mass[GROUPS:].sum() / mass.sum())
    right = shares[1] / shares[0]
    if abs(factor - right) <= DRAWN * right:
        return (
            f"Right: measured {right:.3g}, and 10 by the formula m ε². A network that is four times as wide and starts"
            " at half the scale leaves as much."
        )
    if abs(factor - 1) <= DRAWN:
        return "The directions do not depend on the width, but what is left outside does: m light neurons add up."
    if abs(factor - 100) <= 100 * DRAWN:
        return "100 is what ten times the scale would do; neurons add up only once."
    if abs(factor - np.sqrt(10)) <= DRAWN * np.sqrt(10):
        return "√10 is by how much the scale would have to fall to make up for it; the share goes like scale²."
    return f"{factor:.4g} is not it: divide .mass[4:].sum() / .mass.sum() at width 10,000 by that at width 1000."


def _late_angle(answer: object) -> str:
    """Exercise 03-3: a positive neuron that is still on its way at t = 50."""
    angle = real_number(answer, "the angle")
    neuron = ShallowReLU([[np.cos(angle), np.sin(angle)]], [1.0])
    found = predict_alignment(neuron, _data())
    time, fate = float(found.time[0]), str(found.fate[0])
    (valley,) = (d for d in found.directions if d.sign > 0 and d.kind == "repeller" and not d.samples)
    if time > STILL_ON_ITS_WAY:
        end = "it aligns" if fate == "aligned" else "it dies"
        off = abs((angle - valley.angle + np.pi) % (2 * np.pi) - np.pi)
        return (
            f"Right: {end} at t = {time:.1f}. It starts {off:.1g} from the round valley; a random neuron is as near"
            f" with a probability of about {off / (2 * np.pi):.0e}."
        )
    if fate == "dead" and time == 0:
        return f"At {angle:.6g} it sees no sample, and has been dead from the start."
    if fate == "aligned" and found.directions[found.direction[0]].kind != "attractor":
        return "Exactly on a repeller it rests for ever, and counts as arrived. Start it a hair beside."
    end = "aligned" if fate == "aligned" else "dead"
    return (
        f"From {angle:.9g} it is {end} at t = {time:.1f}. Go nearer to the round valley of G, at {valley.angle:.3f}…:"
        f" each further digit buys {np.log(10) / abs(valley.rate):.1f} units of time."
    )


CHECKS: Checks = {"03-1": _later, "03-2": _factor, "03-3": _late_angle}
