"""Runs from one draw at many scales, for a picture from condensed to lazy."""

from __future__ import annotations

import math

import numpy as np

from reluquant.dynamics.gradient_descent import gradient_descent
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.dynamics.progress import Progress
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.scale_run import ScaleRun
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.studies.regimes import draw_start, measured, run_tolerance

# Scales from 1e-100 to 10: even in the decades where nothing changes, close together where condensed turns lazy.
SMALLEST, TURN, LARGEST = -100.0, -4.0, 1.0
FEW, MANY = 12, 21
# A run at a large scale may be slow to tell that it rests.
MOST_STEPS = 20_000
# Descent takes a step for each lr of time; beyond so many nobody waits.
MOST_DESCENT_STEPS = 3_000_000


def scale_grid() -> Floats:
    """Decimal logarithms of the scales, in increasing order."""
    return np.concatenate([np.linspace(SMALLEST, TURN, FEW, endpoint=False), np.linspace(TURN, LARGEST, MANY)])


def coarse_to_fine(n: int) -> list[int]:
    """The numbers 0 … n − 1 in an order in which every beginning is spread over all of them.

    Examples
    --------
    >>> coarse_to_fine(6)
    [0, 4, 2, 1, 5, 3]
    """
    digits = max(1, (n - 1).bit_length())
    return sorted(range(n), key=lambda k: int(f"{k:0{digits}b}"[::-1], 2))


def scale_run(
    data: Dataset, log10_scale: float, *, n_neurons: int, seed: int, progress: Progress = False
) -> ScaleRun | None:
    """Make one run from mirrored pairs of neurons; None if it was interrupted.

    Parameters
    ----------
    data : Dataset
        One feature with a bias, one label.
    log10_scale : float
        Decimal logarithm of the scale.
    n_neurons : int
        Even: a neuron and its twin with opposite ``a``, so that the function starts as zero at any scale.
    seed : int
        The same for all scales of a picture: the same draw, larger or smaller.
    progress : bool or callable
        As of :func:`reluquant.gradient_flow`.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.studies.scale_runs import scale_run
    >>> tiny, large = (scale_run(rq.datasets.zigzag(), s, n_neurons=100, seed=0) for s in (-8.0, 1.0))
    >>> tiny.n_directions < 10 < large.n_directions
    True
    """
    traj = gradient_flow(
        _start(log10_scale, n_neurons, seed), data, rtol=run_tolerance(10.0**log10_scale, n_neurons),
        max_steps=MOST_STEPS, progress=progress,
    )  # fmt: skip
    if traj.end == "interrupted":
        return None
    found = measured(traj)
    return ScaleRun(log10_scale, traj, found.n_directions, found.log10_rd, found.sup)


def contrast_run(run: ScaleRun, lr: float, *, n_neurons: int, seed: int, progress: Progress = False) -> Trajectory:
    """Follow gradient descent from the same start, until the flow's end.

    Raises
    ------
    ValueError
        If that takes too many steps.
    """
    n_steps = math.ceil(float(run.trajectory.t[-1]) / lr)
    if n_steps > MOST_DESCENT_STEPS:
        raise ValueError(
            f"Descent with lr = {lr:g} needs {n_steps:,} steps to the end of this flow, more than"
            f" {MOST_DESCENT_STEPS:,}; take a larger scale or lr."
        )
    start = _start(run.log10_scale, n_neurons, seed)
    return gradient_descent(start, run.trajectory.data, lr=lr, n_steps=max(n_steps, 1), progress=progress)


def _start(log10_scale: float, n_neurons: int, seed: int) -> ShallowReLU:
    return draw_start(10.0**log10_scale, n_neurons, start="balanced", mirrored=True, gamma_prime=0.0, rng=seed)
