"""The exercises on a single neuron: when it is noticed, for how long it is held, and how many die."""

from __future__ import annotations

import numpy as np

from reluquant.course.exercises import Checks
from reluquant.structures.scalars import real_number

# Answers may be rounded to three digits.
ROUNDED = 1e-3
# A share that was counted among 1000 random neurons has a standard error of 0.014.
COUNTED = 0.05


def _half_learnt(answer: object) -> str:
    """Exercise 01-1: when an aligned neuron of size 1e-5 has learnt half of the label 3 at x = 1."""
    time = real_number(answer, "the time", least=0)
    x, y, size = 1.0, 3.0, 1e-5
    length = np.hypot(x, 1)
    start = size**2 * length
    right = np.log(y / start - 1) / (2 * length * y)
    if abs(time - right) <= ROUNDED * right:
        return (
            f"Right: t = {right:.4f}. Nearly all of it is ln(1/ε)/(|x̃| y) = {np.log(1 / size) / (length * y):.4f};"
            " the label itself enters only by its logarithm."
        )
    slips = (
        (1 / (2 * y), y / start, "That would be so for |x̃| = 1, but x̃ = (1, 1) has the length √2."),
        (1 / (length * y), y / start, "It is twice as fast: a and |w| both grow, and m is their product."),
        (1 / (2 * length), y / start, "The rate is proportional to the label, which is 3."),
        (1 / (2 * length * y), y / (size * length), "The size enters squared: m₀ is made of a times |w|."),
    )
    for unit, ratio, reason in slips:
        if abs(time - unit * np.log(ratio - 1)) <= ROUNDED * time:
            return f"t = {time:.4g}? {reason}"
    side = "late" if time > right else "early"
    return (
        f"t = {time:.4g} is too {side}: solve y/(1 + (y/m₀ - 1) exp(-2 |x̃| y t)) = y/2, with m₀ = a |w| |x̃| of the"
        " start."
    )


def _longer(answer: object) -> str:
    """Exercise 01-2: how much longer a kink is held when its neuron starts a thousand times smaller."""
    longer = real_number(answer, "the time")
    # While it is held m = ρ² grows at the rate 2 (r₂ + 2 r₃), with the residuals y/3 of the zero function.
    smaller, rate = 1000.0, 2 * (1 + 2 * 4) / 3
    right = np.log(smaller**2) / rate
    if abs(longer - right) <= 2 * ROUNDED * right:
        return (
            f"Right: {right:.4f}. The moment at which it is caught stays where it was: turning knows no size. So the"
            " smaller the start, the larger the part of its life that a neuron spends on a data point."
        )
    if abs(longer - right / 2) <= ROUNDED * right:
        return f"{longer:.4g} is half of it: m is the square of the size, so it starts a million times smaller."
    if abs(longer) <= ROUNDED:
        return "It is caught at the same moment, but let go later: it has to grow to m = 5/3 from less."
    if longer > 100:
        return f"{longer:.4g} is far too long: growth is exponential, so a factor in the size is a sum in the time."
    side = "long" if longer > right else "short"
    return f"{longer:.4g} is too {side}: compare t₂ - t₁ = ln((1.8/m₁ - 1)/0.08)/6 for both starts."


def _dead_in_the_end(answer: object) -> str:
    """Exercise 01-3: the share of random neurons that a single point leaves dead."""
    share = real_number(answer, "the share", least=0, most=1)
    # A half plane of directions sees the point; of these, the neurons whose sign is that of the label stay.
    right = 1 - 0.5 * 0.5
    if abs(share - right) <= COUNTED:
        return (
            f"Right: {right:.0%}. With more points fewer directions are blind from the start, but neurons of the wrong"
            " sign still die on the way."
        )
    if abs(share - 0.5) <= COUNTED:
        return "Half are blind from the start. What becomes of those that see the point and have the wrong sign?"
    if abs(share - 0.25) <= COUNTED:
        return "A quarter is what is alive in the end, or what dies on the way; the question is who is dead in the end."
    return f"{share:.0%} is not it: for which directions is w·x̃ ≤ 0, and what do neurons with a y < 0 turn towards?"


CHECKS: Checks = {"01-1": _half_learnt, "01-2": _longer, "01-3": _dead_in_the_end}
