"""The ways of tiny neurons to their extremal directions, while the residual is frozen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.predict_alignment import AlignmentPrediction, predict_alignment
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU

# A flow from e^-350 is followed until nothing can have grown or shrunk by more than e^300: then the function is below
# 1e-43, which no residual feels, and no weight has left the range of float64.
DEPTH, MOST_GROWTH = 350.0, 300.0
# It is followed beyond the last arrival by this factor.
BEYOND = 1.3
# Far below a pixel.
RTOL = 1e-7
# Moments of a path, even in time.
MOMENTS = 376


@dataclass(frozen=True, slots=True, eq=False)
class AlignmentPaths:
    """The result of :func:`alignment_paths`.

    Attributes
    ----------
    prediction : AlignmentPrediction
        Where the neurons end, and when they come there.
    t : ndarray, shape (n_times,)
        Even moments from 0 on.
    direction : ndarray, shape (n_times, n_neurons, p)
        Unit vectors of the input weights.
    slides_on : ndarray of int, shape (n_times, n_neurons)
        The sample on which a neuron is held, or -1.
    """

    prediction: AlignmentPrediction
    t: Floats
    direction: Floats
    slides_on: np.ndarray


def alignment_paths(net: ShallowReLU, data: Dataset, *, residual: ArrayLike) -> AlignmentPaths:
    """Follow tiny neurons while they turn.

    Parameters
    ----------
    net : ShallowReLU
        Neurons; only their directions and the signs of their output weights matter.
    data : Dataset
        As many features as the network; one output.
    residual : array_like, shape (n_samples,)
        ``r_k = -∂L/∂f(x_k)``, which stays as it is.

    Returns
    -------
    AlignmentPaths
        Until shortly after the last neuron has come to its end, or has become too large to be called tiny.

    Notes
    -----
    It is the flow itself, from so deep that the function is zero to the last bit, on labels for which the zero function
    has these residuals.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.dynamics.alignment_paths import alignment_paths
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> paths = alignment_paths(rq.ShallowReLU([[1.0, 0.0]], [1.0]), data, residual=[-0.5, 0.5])
    >>> paths.direction[-1].round(3)
    array([[0.707, 0.707]])
    """
    forces = np.asarray(residual, dtype=float)
    unit = net.W / np.linalg.norm(net.W, axis=1)[:, None]
    start = ShallowReLU(unit, np.sign(net.a), bias=net.bias)
    prediction = predict_alignment(start, data, residual=forces)
    strongest = float(np.sum(np.abs(forces) * np.linalg.norm(data.inputs, axis=1)))
    if not strongest > 0:
        still = np.full((1, net.n_neurons), -1)
        return AlignmentPaths(prediction, frozen([0.0]), frozen(unit[None]), frozen(still, np.int64))
    last = BEYOND * float(np.max(prediction.time[np.isfinite(prediction.time)], initial=0.0)) or 1.0 / strongest
    frozen_problem = Dataset(data.X, data.n_samples * forces, bias=data.bias)
    times = np.linspace(0.0, min(last, MOST_GROWTH / strongest), MOMENTS)
    run = gradient_flow(
        start, frozen_problem, log_scale=-DEPTH, t_max=float(times[-1]), save_at=times, rtol=RTOL, progress=False
    )
    # Where nothing moves from the start, the run has ended there.
    states = run.states(np.minimum(times, run.t[-1]))
    direction = states.W * np.exp(-states.log_norm)[:, :, None]
    return AlignmentPaths(prediction, frozen(times), frozen(direction), frozen(states.slides_on, np.int64))
