"""The exercises on plateaus, escapes and the finite family of functions."""

from __future__ import annotations

import numpy as np

from reluquant import datasets
from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.course.exercises import Checks
from reluquant.dynamics.greedy_limit import ATTRACTING, greedy_limit
from reluquant.structures.arrays import Floats
from reluquant.structures.scalars import real_number, whole_number

# Answers may be rounded to three digits after the point.
ROUNDED = 1e-3
# The exercise's words: this share of the random networks.
SHARE = 0.99


def _first_jump(answer: object) -> str:
    """Exercise 04-1: when the first group wakes on zigzag, one over the largest rate."""
    tau = real_number(answer, "the time of the first jump", above=0)
    data = datasets.zigzag()
    directions = extremal_directions(data)
    rates = [d.rate for d in directions if d.kind in ATTRACTING]
    right = 1 / max(rates)
    if abs(tau - right) <= ROUNDED:
        return (
            f"Right: τ = {right:.4f}. A neuron there has the size ε^(1 - γ τ) and adds its square to f; so it is the"
            " rate γ, and not how many neurons there are, that decides who fires first."
        )
    if abs(tau - max(rates)) <= ROUNDED:
        return f"{tau:.4g} is the largest rate; its size is ε^(1 - γ τ), so when is that one?"
    if abs(tau - right / 2) <= ROUNDED:
        return f"{tau:.4g} is half of it: ε² e^(2 γ t) is of order one at t = ln(1/ε)/γ, the two cancel."
    if abs(tau - right / data.n_samples) <= ROUNDED:
        return f"{tau:.4g} is {data.n_samples} times too small: the residual is y/n, as the loss is a mean."
    if any(abs(tau - 1 / rate) <= ROUNDED for rate in rates if rate > 0):
        return f"{tau:.4g} is one over a rate, but another group is faster and fires before: take the largest rate."
    return f"{tau:.4g} is not it: look for the largest .rate among the directions of kind 'attractor'."


def _second_jump(answer: object) -> str:
    """Exercise 04-2: when the second group wakes on five points, by the account of exponents."""
    tau = real_number(answer, "the time of the second jump", above=0)
    data = datasets.five_points()
    limit = greedy_limit(data, progress=False)
    first, right = limit.taus
    at_saddle = (data.y - limit.networks[1](data.X)) / data.n_samples
    rate = max(d.rate for d in extremal_directions(data, residual=at_saddle, sign=-1) if d.kind in ATTRACTING)
    rates = [d.rate for d in extremal_directions(data, sign=-1) if d.kind in ATTRACTING]
    if abs(tau - right) <= 10 * ROUNDED:
        return (
            f"Right: τ = {right:.4f}. At this saddle the loss has no gradient, as the awake group has its kink on a"
            " data point. It is left all the same."
        )
    if abs(tau - (first + 1 / rate)) <= 10 * ROUNDED:
        return f"{tau:.5g} would be right for a group of size ε at τ₁, but it has grown before: it has α = 1 - γ τ₁."
    if abs(tau - 1 / max(rates)) <= 10 * ROUNDED:
        return f"{tau:.5g} would be right if the first jump had not changed the rates: what are they at the saddle?"
    if any(abs(tau - (first + (1 - g * first) / rate)) <= 10 * ROUNDED for g in rates):
        return f"{tau:.5g} belongs to a group that is behind: take the smallest account α, of the fastest before."
    if abs(tau - first) <= 10 * ROUNDED:
        return f"{tau:.5g} is the first jump; the question is when the loss falls again."
    return (
        f"{tau:.5g} is not it: τ₂ = τ₁ + (1 - γ τ₁)/γ', where γ is the rate before and γ' that in the direction at"
        " the saddle whose basin the group is in. Both have sign -."
    )


def _smallest_width(answer: object) -> str:
    """Exercise 04-3: width at which 99 % of random networks populate all basins of zigzag(4)."""
    width = whole_number(answer, "the smallest width")
    p = np.array([
        (d.basin[1] - d.basin[0]) / (4 * np.pi)
        for d in extremal_directions(datasets.zigzag(4))
        if d.kind in ATTRACTING and d.basin
    ])
    # Off by one: a bound by the sum of the four probabilities to miss a basin is as good an answer.
    right = _width(p)
    if abs(width - right) <= 1:
        return (
            f"Right: {right}. The rarest basin has p = {p.min():.3f}, and (1 - p)^m falls like e^(-p m): width buys"
            " presence, at a price of 1/p, and no other function."
        )
    if abs(width - _width(2 * p)) <= 1:
        return f"{width} neurons would do if all had the right sign: half of them have the other one."
    few = "few" if width < right else "many"
    share = float(np.prod(1 - (1 - p) ** width))
    return (
        f"{width} neurons are too {few}: they populate all basins in about {share:.1%} of the networks. The function of"
        " zero loss needs all four; p of a basin is half its arc over 2π."
    )


def _width(p: Floats) -> int:
    """The least width at which the basins with shares p are all populated with the probability asked for."""
    subsets = (np.arange(2**p.size)[:, None] >> np.arange(p.size)) & 1
    signs, missed = (-1.0) ** subsets.sum(axis=1), 1 - subsets @ p
    width = 1
    while np.sum(signs * missed**width) < SHARE:
        width += 1
    return width


CHECKS: Checks = {"04-1": _first_jump, "04-2": _second_jump, "04-3": _smallest_width}
