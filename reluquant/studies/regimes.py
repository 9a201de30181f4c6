"""Lazy, critical and condensed training: the same data from starts of different scale and width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.compare import compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.quantisation import quantisation
from reluquant.analysis.relative_change import log10_relative_change
from reluquant.dynamics.gradient_flow import LARGEST, gradient_flow
from reluquant.dynamics.progress import Progress
from reluquant.dynamics.sweep import SweepProgress, sweep
from reluquant.structures.arrays import Floats, frozen, real_array
from reluquant.structures.dataset import Dataset
from reluquant.structures.regimes import Measure, PhaseDiagram, RegimeRuns, ScaleSweep, Start
from reluquant.structures.scalars import Rng, generator, real_number, whole_number
from reluquant.structures.shallow_relu import MOST_NEURONS, SMALLEST_SCALE, ShallowReLU
from reluquant.structures.trajectory import End, Trajectory

# Directions closer than this are one, or closer than 1/width: of that many random ones a twelfth of all neighbours
# then count as one, while at a fixed angle all neurons of a wide network would be one long chain.
LARGEST_ANGLE = 1e-3
# Tolerance of the function. That of the weights is as many times smaller as the terms of the function, width · scale²
# together, are larger than the labels: at 1e-9 a lazy run would rest at residuals of 1e-9 · width · scale².
TOLERANCE, SMALLEST_TOLERANCE = 1e-9, 1e-13


class RegimeRun(NamedTuple):
    """The measures of one run, as :class:`reluquant.structures.regimes.RegimeRuns` names them."""

    log10_rd: float
    n_directions: int
    unchanged: float
    loss: float
    sup: float
    l2: float
    t: float
    end: str


def scale_sweep(
    data: Dataset,
    *,
    scales: ArrayLike,
    n_neurons: int = 1000,
    n_seeds: int = 3,
    start: str = "balanced",
    mirrored: bool = False,
    rng: Rng = None,
    t_max: float | None = None,
    stop_loss: float | None = None,
    max_steps: int = 100_000,
    executor: Executor | None = None,
    progress: bool | Callable[[SweepProgress], object] = True,
) -> ScaleSweep:
    """Follow flows from starts of many scales, from lazy to condensed, and measure how they differ.

    Parameters
    ----------
    data : Dataset
        One input with a bias, one output.
    scales : array_like, shape (n_scales,)
        Typical norms of a neuron at the start, from 1e-300 to 1e100; sorted, and repeated ones count once.
    n_neurons : int, default 1000
        The width.
    n_seeds : int, default 3
        Runs at each scale, from independent starts.
    start : {"balanced", "gaussian"}
        :meth:`reluquant.ShallowReLU.balanced` or :meth:`~reluquant.ShallowReLU.gaussian`.
    mirrored : bool, default False
        Draw half of the neurons, and give each a twin with opposite ``a``: the function at the start is zero at any
        scale. Without that a wide start of a large scale is a large random function.
    rng : int, numpy.random.Generator or None
        From which the seeds of all starts are drawn; they are in the result.
    t_max, stop_loss, max_steps
        As of :func:`reluquant.gradient_flow`, for each run.
    executor, progress
        As of :func:`reluquant.sweep`, which makes the runs.

    Returns
    -------
    ScaleSweep
        Arrays of shape (n_scales, n_seeds), ``.mean(name)`` and ``.spread(name)`` over the seeds. What failed is in
        ``failures``; after an interrupt it holds the runs that were complete.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here; before any run.

    Notes
    -----
    With ``p = n_neurons · scale²`` large, weights hardly move: their relative change falls like ``1/p`` if the start
    is mirrored, and the run is that of the tangent kernel. With ``p`` small the final weights do not depend on the
    start's scale, and the relative change is proportional to ``1/√p``. Runs have a tolerance of 1e-9, divided by ``p``
    where that exceeds one, and of 1e-13 at least: beyond scales of about 1e3 the loss that remains is rounding.

    References
    ----------
    Chizat, Oyallon & Bach (2019), "On Lazy Training in Differentiable Programming", arXiv:1812.07956.
    Luo, Xu, Ma & Zhang (2021), JMLR 22(71), arXiv:2007.07497.

    Examples
    --------
    >>> import reluquant as rq
    >>> found = rq.scale_sweep(rq.datasets.zigzag(), scales=[1e-100, 1e-4, 10.0], n_neurons=200, mirrored=True, rng=0)
    >>> found.mean("log10_rd").round()
    array([99.,  4., -3.])
    >>> found
    ScaleSweep(3 scales from 1e-100 to 10, n_neurons=200, n_seeds=3, ok=True)
    """
    drawing = _drawing(start, mirrored, 0.0)
    ladder = _scales(scales)
    width = _width(n_neurons, "n_neurons", 1, mirrored)
    goals = {"t_max": t_max, "stop_loss": stop_loss, "max_steps": max_steps}
    every = np.full(ladder.size, width)
    runs = _runs(data, ladder, every, n_seeds, drawing, goals, rng, executor, progress)
    return ScaleSweep(scales=frozen(ladder), n_neurons=width, **runs)


def phase_diagram(
    data: Dataset,
    *,
    scales: ArrayLike,
    widths: Sequence[int],
    gamma_prime: float = 0.0,
    n_seeds: int = 3,
    start: str = "balanced",
    mirrored: bool = False,
    rng: Rng = None,
    t_max: float | None = None,
    stop_loss: float | None = None,
    max_steps: int = 100_000,
    executor: Executor | None = None,
    progress: bool | Callable[[SweepProgress], object] = True,
) -> PhaseDiagram:
    r"""Measure how the relative change of the weights scales with the width, over scales and widths.

    Parameters
    ----------
    data : Dataset
        One input with a bias, one output.
    scales : array_like, shape (n_scales,)
        At least two, as of :func:`reluquant.scale_sweep`.
    widths : sequence of int, shape (n_widths,)
        At least two different ones, each at least 2; sorted.
    gamma_prime : float, default 0
        Unequal layers, for ``start="gaussian"`` only: output weights are drawn with ``scale · width^(-gamma_prime/2)``
        and input weights with ``scale · width^(gamma_prime/2)``.
    n_seeds, start, mirrored, rng, t_max, stop_loss, max_steps, executor, progress
        As of :func:`reluquant.scale_sweep`.

    Returns
    -------
    PhaseDiagram
        Arrays of shape (n_scales, n_widths, n_seeds) and, at each scale and width, ``gamma``, ``exponent`` and
        ``phase``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here; before any run.

    Notes
    -----
    The literature writes ``f = 1/α Σ_j a_j relu(w_j · x)`` with weights of standard deviation β₁ (output) and β₂
    (input), and ``γ = -lim log(β₁β₂/α)/log m``, ``γ' = -lim log(β₁/β₂)/log m`` for m neurons. Here α = 1, so
    ``gamma = -2 log(scale)/log(m)``, and γ' = 0 unless ``gamma_prime`` says otherwise; balanced starts are not normal
    ones, but have the same exponents. RD tends to zero (linear phase) for γ < 1 or γ' > γ - 1, and to infinity
    (condensed phase) for γ > 1 and γ' < γ - 1.

    The exponent S is the slope of the mean ``log RD`` against ``log m`` along constant γ, by finite differences on
    the grid: with s = log scale and μ = log m it is ``∂/∂μ + (s/μ) ∂/∂s``. For γ' = 0 it tends to ``γ - 1`` in the
    linear phase if the start is mirrored; if not, not below -1/2, since the function to be unlearned grows too. In the
    condensed phase it tends to ``(γ - 1)/2``.

    References
    ----------
    Luo, Xu, Ma & Zhang (2021), "Phase Diagram for Two-layer ReLU Neural Networks at Infinite-width Limit",
    JMLR 22(71), arXiv:2007.07497; γ, γ' and the phases as quoted by Bai, Xu & Zhou (2025), "Condensation", section 2
    (github.com/dlphenomena/website).

    Examples
    --------
    >>> import reluquant as rq
    >>> found = rq.phase_diagram(rq.datasets.zigzag(), scales=[1e-6, 1e-5, 1.0, 3.0], widths=[100, 200], rng=0)
    >>> found.phase[:, 0].tolist()
    ['condensed', 'condensed', 'linear', 'linear']
    """
    drawing = _drawing(start, mirrored, gamma_prime)
    ladder = _scales(scales)
    if isinstance(widths, str) or np.ndim(widths) != 1:
        raise TypeError(f"widths must be a sequence of integers, but it is {widths!r}.")
    numbers = np.unique([_width(width, "each of widths", 2, mirrored) for width in widths])
    if ladder.size < 2 or numbers.size < 2:
        raise ValueError(
            "An exponent needs at least two different scales and two different widths, but there are"
            f" {ladder.size} and {numbers.size}; scale_sweep takes one width."
        )
    goals = {"t_max": t_max, "stop_loss": stop_loss, "max_steps": max_steps}
    grid = np.meshgrid(ladder, numbers, indexing="ij")
    runs = _runs(data, *grid, n_seeds, drawing, goals, rng, executor, progress)
    log_scale, log_width = np.log(ladder), np.log(numbers)
    log_rd = RegimeRuns(**runs).mean(Measure.LOG10_RD) * np.log(10.0)
    return PhaseDiagram(
        scales=frozen(ladder),
        widths=frozen(numbers, np.int64),
        gamma=frozen(-2.0 * log_scale[:, None] / log_width),
        gamma_prime=drawing["gamma_prime"],
        exponent=frozen(_exponent(log_rd, log_scale, log_width)),
        **runs,
    )


def draw_start(
    scale: float, n_neurons: int, *, start: str, mirrored: bool, gamma_prime: float, rng: Rng
) -> ShallowReLU:
    """Draw the network from which a run of :func:`scale_sweep` or :func:`phase_diagram` starts.

    Parameters are theirs; ``rng`` is an entry of the result's ``seed``. ``scale`` and ``n_neurons`` are of this run.

    Examples
    --------
    >>> net = draw_start(1.0, 4, start="gaussian", mirrored=True, gamma_prime=0.0, rng=0)
    >>> net.n_neurons, net([-1.0, 0.0, 2.0])
    (4, array([0., 0., 0.]))
    """
    make = ShallowReLU.balanced if start == Start.BALANCED else ShallowReLU.gaussian
    net = make(n_neurons=n_neurons // 2 if mirrored else n_neurons, scale=scale, rng=rng)
    factor = n_neurons ** (gamma_prime / 2)
    W, a = (net.W, net.a) if gamma_prime == 0 else (net.W * factor, net.a / factor)
    # Twins next to each other, so that their outputs cancel to the last digit whatever their number.
    return ShallowReLU(np.repeat(W, 2, axis=0), np.ravel(np.column_stack([a, -a]))) if mirrored else ShallowReLU(W, a)


def regime_run(
    scale: float, n_neurons: int, seed: int, data: Dataset, *, drawing: dict, goals: dict, progress: Progress = False
) -> RegimeRun | None:
    """Make and measure one run; None if it was interrupted. Importable, so that it can run in another process."""
    net = draw_start(scale, n_neurons, rng=seed, **drawing)
    rtol = run_tolerance(scale, n_neurons)
    traj = gradient_flow(net, data, rtol=rtol, progress=progress, **goals)
    return None if traj.end == End.INTERRUPTED else measured(traj)


def run_tolerance(scale: float, n_neurons: int) -> float:
    """Tolerance of a run of that scale and width: finer where weights hardly move."""
    return max(SMALLEST_TOLERANCE, TOLERANCE / max(1.0, n_neurons * scale * scale))


def measured(traj: Trajectory) -> RegimeRun:
    """Measure a run with one input and one output."""
    data, n_neurons, end = traj.data, traj.n_neurons, traj.t[-1]
    distance = compare(traj.final, interpolate(data, duplicates="mean"))
    return RegimeRun(
        log10_rd=log10_relative_change(traj),
        n_directions=int(quantisation(traj, [end], angle=min(LARGEST_ANGLE, 1 / n_neurons)).n_directions[0]),
        unchanged=1.0 - np.unique(traj.switches["neuron"]).size / n_neurons,
        loss=float(traj.loss[-1]),
        sup=distance.sup,
        l2=distance.l2,
        t=float(end),
        end=traj.end,
    )


def _runs(
    data: Dataset,
    scale: Floats,
    width: np.ndarray,
    n_seeds: int,
    drawing: dict[str, Any],
    goals: dict[str, Any],
    rng: Rng,
    executor: Executor | None,
    progress: bool | Callable[[SweepProgress], object],
) -> dict[str, Any]:
    """Make all runs of a grid, and return the fields of a RegimeRuns."""
    _check_data(data)
    _check_goals(**goals)
    shift = np.log(width) * abs(drawing["gamma_prime"]) / 2
    if np.min(np.log(scale) - shift) < np.log(SMALLEST_SCALE) or np.max(np.log(scale) + shift) > np.log(LARGEST):
        raise ValueError(
            f"gamma_prime = {drawing['gamma_prime']:g} takes weights out of the range from {SMALLEST_SCALE:g} to"
            f" {LARGEST:g}; choose one closer to zero."
        )
    shape = (*scale.shape, whole_number(n_seeds, "n_seeds"))
    seed = generator(rng).integers(2**63 - 1, size=shape)
    places = list(np.ndindex(shape))
    found = sweep(
        regime_run,
        [float(scale[place[:-1]]) for place in places],
        [int(width[place[:-1]]) for place in places],
        [int(seed[place]) for place in places],
        data,
        executor=executor,
        progress=progress,
        drawing=drawing,
        goals=goals,
    )
    nothing = RegimeRun(*[np.nan] * len(Measure), end="")
    columns = zip(*(nothing if run is None else run for run in found.results), strict=True)
    measures = {name: np.reshape(column, shape) for name, column in zip(RegimeRun._fields, columns, strict=True)}
    return {
        "seed": frozen(seed, np.int64),
        **{name: frozen(measures[name]) for name in Measure},
        "end": frozen(measures["end"], np.str_),
        "failures": {places[run]: error for run, error in sorted(found.failures.items())},
        "cancelled": found.cancelled,
        "start": drawing["start"],
        "mirrored": drawing["mirrored"],
        "name": data.name,
    }


def _exponent(log_rd: Floats, log_scale: Floats, log_width: Floats) -> Floats:
    """Slope of log RD against log width along constant γ = -2 log_scale/log_width, on the grid of both."""
    along_scale, along_width = np.gradient(log_rd, log_scale, log_width)
    return along_width + log_scale[:, None] / log_width * along_scale


def _check_data(data: Dataset) -> None:
    if not isinstance(data, Dataset):
        raise TypeError(f"data must be a Dataset, but it is a {type(data).__name__}; wrap it: rq.Dataset(X, y).")
    if data.n_features != 1 or not data.bias or data.y.ndim != 1:
        raise ValueError(
            "Distances to the interpolant and directions are measured for one input with a bias and one output, y of"
            f" shape (n_samples,), but the data are {data!r} with y of shape {data.y.shape}."
        )


def _drawing(start: str, mirrored: bool, gamma_prime: float) -> dict[str, Any]:
    """Check how a start is drawn, and return the keywords of draw_start."""
    if start not in list(Start):
        raise ValueError(f"start must be {' or '.join(map(repr, map(str, Start)))}, but it is {start!r}.")
    gamma_prime = real_number(gamma_prime, "gamma_prime")
    if gamma_prime != 0 and start == Start.BALANCED:
        raise ValueError(
            f"A balanced start has equal layers, gamma_prime = 0, but it is {gamma_prime:g}; choose start='gaussian'."
        )
    if not isinstance(mirrored, bool | np.bool_):
        raise TypeError(f"mirrored must be True or False, but it is {mirrored!r}.")
    return {"start": Start(start), "mirrored": bool(mirrored), "gamma_prime": gamma_prime}


def _scales(scales: ArrayLike) -> Floats:
    ladder = np.unique(real_array(scales, "scales", ndim=(1,)))
    if ladder.size == 0 or ladder[0] < SMALLEST_SCALE or ladder[-1] > LARGEST:
        found = "there are none" if ladder.size == 0 else f"they go from {ladder[0]:g} to {ladder[-1]:g}"
        raise ValueError(f"scales must be numbers from {SMALLEST_SCALE:g} to {LARGEST:g}, but {found}.")
    return ladder


def _width(width: int, name: str, least: int, mirrored: bool) -> int:
    width = whole_number(width, name, least=least, most=MOST_NEURONS)
    if mirrored and width % 2:
        raise ValueError(f"{name} must be even for a mirrored start, in which neurons are pairs, but it is {width}.")
    return width


def _check_goals(t_max: float | None, stop_loss: float | None, max_steps: int) -> None:
    """Refuse before any run what each of them would refuse."""
    if t_max is not None:
        real_number(t_max, "t_max", above=0)
    if stop_loss is not None:
        real_number(stop_loss, "stop_loss", least=0)
    whole_number(max_steps, "max_steps")
