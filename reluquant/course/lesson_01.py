"""The exercises on a single neuron: when it is noticed, what holds its kink, and how many die."""

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


def _largest_label(answer: object) -> str:
    """Exercise 01-2: up to which third label the first point holds the kink for ever."""
    label = real_number(answer, "the largest label")
    # Held while 1 + y₃ - 3 m > 0; m tends to (1 + 2 y₃)/5, the slope of the best line through the held kink.
    slope = np.array([1.0, 2.0])
    right = float(np.linalg.solve([[1.0, -3.0], [slope[1], -(slope @ slope)]], [-1.0, -slope[0]])[0])
    if abs(label - right) <= ROUNDED * right:
        return (
            f"Right: y₃ = {right:g}, where the line through the last two points meets zero at the first."
            " How low the first point lies does not matter, as long as it is low enough to catch the kink."
        )
    if abs(label - 4) <= ROUNDED:
        return "With y₃ = 4 the kink is let go at m = 5/3. Which m does the slope tend to, and at which does λ vanish?"
    if abs(label - 5) <= ROUNDED:
        return "At y₃ = 5 the first point does not even catch the kink; the question is when it lets go."
    if label > right:
        return (
            f"With y₃ = {label:.4g} λ vanishes at m = {(1 + label) / 3:.4g}, and the slope tends to"
            f" {(1 + 2 * label) / 5:.4g}, which is more: the kink is let go on the way."
        )
    return (
        f"With y₃ = {label:.4g} the kink is held, but it still is with a label a little larger: the slope tends to"
        f" {(1 + 2 * label) / 5:.4g}, and λ vanishes at {(1 + label) / 3:.4g} only."
    )


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


CHECKS: Checks = {"01-1": _half_learnt, "01-2": _largest_label, "01-3": _dead_in_the_end}
