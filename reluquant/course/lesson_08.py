"""The exercises on scale, width and step size."""

from __future__ import annotations

import math

import numpy as np

from reluquant.course.exercises import Checks
from reluquant.datasets.small_sets import zigzag
from reluquant.dynamics.gradient_descent import gradient_descent
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.studies.regimes import draw_start, scale_sweep

# A few seeds scatter the scale at which weights move by their own size by some per cent; the next width is √2 away.
SCALE_FACTOR = 1.25
WIDTH, OTHER_WIDTH = 400, 200
# The largest step is one number, up to how well the flow ends.
STEP_TOLERANCE = 0.02
# Times of parting scatter by a few per cent around their line.
TIME_TOLERANCE = 0.05
SMALL_STEP = 1e-9
# Long enough for the smallest of these steps; the largest is followed for as long.
PART_TIME = 200
PART_RATES = 10.0 ** -np.arange(1.5, 3.1, 0.5)


def _turning_scale(answer: object) -> str:
    """Exercise 08-1: the scale at which the relative change of the weights is one."""
    scale = real_number(answer, "the scale")
    if scale <= 0:
        raise ValueError(
            f"A scale is positive, but the answer is {scale:g}; if it is a logarithm, give 10 to that power."
        )
    data = zigzag()
    around = scale_sweep(
        data, scales=np.logspace(-1.25, -0.25, 5), n_neurons=WIDTH, n_seeds=2, mirrored=True, rng=0, progress=False
    )
    right = 10 ** float(np.interp(0, -around.mean("log10_rd"), np.log10(around.scales)))
    other = right * math.sqrt(WIDTH / OTHER_WIDTH)
    if abs(math.log(scale / right)) <= math.log(SCALE_FACTOR):
        return (
            f"Right: about {right:.2g}, where m σ² = {WIDTH * right**2:.2g}. With a hundred times as many neurons it"
            f" would be {right / 10:.2g}."
        )
    if abs(math.log(scale / other)) <= math.log(SCALE_FACTOR):
        return f"{scale:.3g} is where it happens with {OTHER_WIDTH} neurons; the exercise asks for {WIDTH}."
    if abs(math.log(scale * math.sqrt(WIDTH))) <= math.log(SCALE_FACTOR):
        return (
            f"{scale:.3g} is 1/√m. That m σ² decides does not say that the change happens at m σ² = 1: there is a"
            " factor, which the sweep tells."
        )
    side = "large: there weights hardly move" if scale > right else "small: there weights grow to many times their size"
    return f"{scale:.3g} is too {side}. Where does log10_rd pass zero?"


def _largest_step(answer: object) -> str:
    """Exercise 08-2: the largest step with which descent stays where the flow from scale 3 ends."""
    lr = real_number(answer, "the learning rate", above=0)
    data = zigzag()
    start = draw_start(3.0, 200, start="balanced", mirrored=True, gamma_prime=0.0, rng=0)
    final = gradient_flow(start, data, rtol=1e-13, progress=False).final
    right = 2 / _largest_eigenvalue(final, data)
    if _within(lr, right, STEP_TOLERANCE):
        return (
            f"Right: {lr:.4g}, which is 2/λ. Three times the scale of the lesson's network, so nine times smaller; a"
            " hundred times as many neurons would ask for steps a hundred times smaller still."
        )
    if _within(lr, right / 2, STEP_TOLERANCE):
        return (
            f"{lr:.4g} is 1/λ, with which the steepest residual is gone in one step; up to which lr is |1 - lr λ| < 1?"
        )
    if _within(lr, right / data.n_samples, STEP_TOLERANCE):
        return f"{lr:.4g} is too small by n = {data.n_samples}: the loss is a mean, so that K is J Jᵀ divided by n."
    if _within(lr, 4 / right, STEP_TOLERANCE) or _within(lr, 2 / right, STEP_TOLERANCE):
        return f"{lr:.4g} is an eigenvalue, or twice one; the step is 2 divided by it."
    way = "large: the loss explodes before it falls, and it ends elsewhere" if lr > right else "small: more is possible"
    return f"{lr:.4g} is too {way}. Take the largest eigenvalue of the kernel at the end of the flow."


def _time_of_parting(answer: object) -> str:
    """Exercise 08-3: when descent with steps of 1e-9 leaves the flow on the unstable branch."""
    if isinstance(answer, float) and math.isinf(answer):
        return "The flow never leaves; descent does, for every lr: steps leave angles in proportion to lr, which grow."
    time = real_number(answer, "the time", above=0)
    slope = 4 + math.sqrt(2)
    intercept = float(np.mean(_parted(PART_RATES) + slope * np.log(PART_RATES)))
    right = intercept - slope * math.log(SMALL_STEP)
    if _within(time, right, TIME_TOLERANCE):
        return (
            f"Right: about {right:.0f}. Steps of 1e-3 part at {intercept - slope * math.log(1e-3):.0f}, so little do"
            " steps buy that are a million times smaller."
        )
    if _within(time, intercept - slope * math.log10(SMALL_STEP), TIME_TOLERANCE):
        return f"{time:.4g} comes from a decimal logarithm; the slope 4 + √2 is per unit of the natural one."
    if _within(time, right - intercept, TIME_TOLERANCE):
        return f"{time:.4g} is the slope's share alone: the line does not go through zero."
    if time > 2 * right:
        return f"{time:.4g} is too long: look at the times against log(1/lr), not against 1/lr."
    way = "long" if time > right else "short"
    return f"{time:.4g} is too {way}: fit a line to the times of parting over log(1/lr), and prolong it to lr = 1e-9."


def _within(value: float, right: float, tolerance: float) -> bool:
    return abs(value - right) <= tolerance * right


def _largest_eigenvalue(net: ShallowReLU, data: Dataset) -> float:
    """Return the largest eigenvalue of the tangent kernel of the mean loss, for one feature with a bias."""
    before = data.inputs @ net.W.T
    after, on = np.maximum(before, 0.0), (before > 0) * net.a
    kernel = (after @ after.T + (on @ on.T) * (data.inputs @ data.inputs.T)) / data.n_samples
    return float(np.linalg.eigvalsh(kernel)[-1])


def _parted(rates: np.ndarray) -> np.ndarray:
    """When descent's loss has fallen by a hundredth, for the four neurons of the lesson."""
    data = Dataset([0.0, 1.0, 2.0], [-0.5, 1.5, -1.0])
    angle, norm = -np.array([0.5, 0.3, 0.2, 0.1]), 1e-7 * np.array([1.1, 0.6, 0.9, 1.4])
    start = ShallowReLU(np.column_stack([norm * np.cos(angle), norm * np.sin(angle)]), norm)
    runs = [gradient_descent(start, data, lr=lr, n_steps=round(PART_TIME / lr), progress=False) for lr in rates]
    return np.array([run.t[np.argmax(run.loss < 0.99 * run.loss[0])] for run in runs])


CHECKS: Checks = {"08-1": _turning_scale, "08-2": _largest_step, "08-3": _time_of_parting}
