"""How fast trained networks approach a smooth target as data become more, and that no data help with random labels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from reluquant.analysis.compare import compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.interpolation_bounds import interpolation_bounds
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.dynamics.gradient_flow import LARGEST, gradient_flow
from reluquant.dynamics.progress import Progress
from reluquant.dynamics.sweep import SweepProgress, sweep
from reluquant.structures.approximation import ApproximationStudy, RandomLabelStudy, TrainingRuns
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.planar_pieces import PlanarPieces
from reluquant.structures.scalars import Rng, generator, real_number, whole_number
from reluquant.structures.shallow_relu import MOST_NEURONS, SMALLEST_SCALE, ShallowReLU
from reluquant.structures.simplicial_interpolant import SimplicialInterpolant
from reluquant.structures.trajectory import End, Trajectory
from reluquant.studies.target_distance import (
    CELLS,
    DIAGONAL_PARTS,
    Box,
    Target,
    longest_edge,
    planar_target_distance,
    target_distance,
    target_values,
)

SPACINGS = ("equal", "random")
# In the plane, where flows are long: what the loss still falls by at this speed is far below errors between samples.
PLANAR_RTOL = 1e-4


def approximation_study(
    f: Target,
    *,
    n_points: Sequence[int],
    region: tuple[float, float] | Box = (-1.0, 1.0),
    spacing: str = "equal",
    curvature: float | None = None,
    n_neurons: int = 400,
    scale: float = 1e-6,
    n_seeds: int = 3,
    rng: Rng = None,
    max_steps: int = 100_000,
    executor: Executor | None = None,
    progress: bool | Callable[[SweepProgress], object] = True,
) -> ApproximationStudy:
    r"""Train networks on more and more samples of a smooth function, and measure how far they are from it.

    Parameters
    ----------
    f : callable
        The target: takes an array of shape (k,), or (k, 2) for two features, and returns one of shape (k,), finite on
        ``region``. With processes or a cluster it must be importable there.
    n_points : sequence of int, shape (n_sizes,)
        At least two different numbers of training points, each at least 2; sorted. For two features at
        least 4, and squares where ``spacing`` is equal.
    region : (float, float) or ((float, float), (float, float))
        Where the points lie, both ends (or all four corners) among them, and where errors are measured. One interval
        makes it a study of one feature; two of them, the sides of a box, of two features.
    spacing : {"equal", "random"}
        Equally spaced points (in a box a grid of √n by √n), or the ends and independent uniform ones between, anew for
        each run (in a box the corners, ⌊√n⌋ - 2 on each side, and the others inside).
    curvature : float, optional
        A bound M on ``region`` of ``|f''|``, for two features of the second derivative along any line, for ``bound``
        and ``sup_error`` of the result.
    n_neurons : int, default 400
        The width.
    scale : float, default 1e-6
        Of the balanced starts: typical norm of a neuron.
    n_seeds : int, default 3
        Runs for each number of points.
    rng : int, numpy.random.Generator or None
        From which the seeds of all runs are drawn; they are in the result.
    max_steps : int
        As of :func:`reluquant.gradient_flow`; runs go on until they rest: with its ``rtol`` for one feature, with 1e-4
        for two.
    executor, progress
        As of :func:`reluquant.sweep`, which makes the runs.

    Returns
    -------
    ApproximationStudy
        Arrays of shape (n_sizes, n_seeds), and ``.slope(name)``, the exponent with which one of them falls. What failed
        is in ``failures``; after an interrupt it holds the runs that were complete.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here; before any run.

    Notes
    -----
    The linear interpolant errs by ``M h²/8`` at most, with h the largest gap: its slope is -2 for equal spacing. A
    network that fits its data and is close to that interpolant inherits this. Neither is certain: from tiny starts a
    run may end at a spurious stationary point, whose error does not fall; ``kind`` and ``loss`` say so.

    Sup distances are the largest values on a grid of 8192 cells together with all knots. On each cell ``f - g`` has the
    second derivative of f, so the true ones are larger by ``M δ²/8`` at most, with δ the width of a cell:
    ``sup_error``.
    L2 distances are by Gauss's rule with 4 nodes on each cell, right to rounding for smooth f; they are not divided by
    the length of the region. Distances of network and interpolant are exact.

    With two features the interpolant is affine on Delaunay triangles and errs by ``M R²/2`` at most, with R the
    radius of the smallest circle around a triangle (:func:`reluquant.interpolation_bounds`). On grids R falls as n^-½:
    its slope is -1. Sup distances are the largest values at the corners of triangles on which the other function is
    affine and no edge is longer than δ, 1/128 of the diagonal, so that the true ones are larger by ``M δ²/6`` at most;
    L2 distances are by Gauss's rule in these triangles, not divided by the area.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367: smooth targets, and random labels as the counter-example.

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> found = rq.approximation_study(np.cos, n_points=[5, 9, 17], curvature=1.0, n_neurons=50, n_seeds=1, rng=0)
    >>> round(found.slope("interpolant_sup").value, 1), bool(np.all(found.interpolant_sup <= found.bound))
    (-2.2, True)

    Two features, where the targets' curvature along any line is at most 2 (no training, to be quick):

    >>> def bowl(x):
    ...     return x[:, 0] ** 2 + x[:, 1] ** 2
    >>> box = ((-1.0, 1.0), (-1.0, 1.0))
    >>> options = {"n_neurons": 5, "max_steps": 1, "n_seeds": 1, "rng": 0}
    >>> plane = rq.approximation_study(bowl, n_points=[9, 25, 81], region=box, curvature=2.0, **options)
    >>> plane.interpolant_sup.ravel(), plane.bound.ravel()
    (array([0.5    , 0.125  , 0.03125]), array([0.5    , 0.125  , 0.03125]))
    """
    setting = _setting(region, spacing, n_neurons, scale, max_steps, planar=True)
    if curvature is not None:
        curvature = real_number(curvature, "curvature", least=0)
    target_values(f, _trial_points(setting))
    runs = _runs(ApproximationStudy, approximation_run, n_points, n_seeds, rng, executor, progress, setting,
                 f=f, curvature=curvature)  # fmt: skip
    sup_error = np.nan if curvature is None else curvature * _missed(setting)
    return ApproximationStudy(**runs, curvature=curvature, sup_error=sup_error)


def random_label_study(
    *,
    n_points: Sequence[int],
    region: tuple[float, float] = (-1.0, 1.0),
    spacing: str = "equal",
    n_test: int = 2000,
    n_neurons: int = 400,
    scale: float = 1e-6,
    n_seeds: int = 3,
    rng: Rng = None,
    max_steps: int = 100_000,
    executor: Executor | None = None,
    progress: bool | Callable[[SweepProgress], object] = True,
) -> RandomLabelStudy:
    """Train networks on labels that are coin tosses, -1 or 1, and try them on fresh ones.

    Parameters
    ----------
    n_test : int, default 2000
        Fresh points for each run, uniform on ``region``, labelled by further coin tosses.
    n_points, region, spacing, n_neurons, scale, n_seeds, rng, max_steps, executor, progress
        As of :func:`reluquant.approximation_study`.

    Returns
    -------
    RandomLabelStudy
        Arrays of shape (n_sizes, n_seeds), and ``.slope(name)``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here; before any run.

    Notes
    -----
    The network, the flow and the points are those of :func:`reluquant.approximation_study`; only the labels differ.
    Fresh labels are independent of all that was learned, so every function is at chance, whatever the number of points:
    no bound of the test error can hold that does not ask where labels come from, also where the training loss is zero
    (which it is at larger scales; from tiny ones runs are mostly stuck, see ``kind``). With many points the
    interpolant's ``interpolant_rms`` tends to ``√(5/3)``, worse than the zero function's.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367.

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> found = rq.random_label_study(n_points=[4, 8], n_neurons=50, n_seeds=1, rng=0)
    >>> bool(np.all(np.abs(found.network_wrong - 0.5) < 0.05)), bool(np.all(found.interpolant_rms > 1.0))
    (True, True)
    """
    setting = _setting(region, spacing, n_neurons, scale, max_steps)
    n_test = whole_number(n_test, "n_test")
    runs = _runs(RandomLabelStudy, random_label_run, n_points, n_seeds, rng, executor, progress, setting, n_test=n_test)
    return RandomLabelStudy(**runs, n_test=n_test)


def approximation_run(
    n: int, seed: int, f: Target, *, curvature: float | None, setting: dict[str, Any], progress: Progress = False
) -> dict[str, Any] | None:
    """Make and measure one run; None if it was interrupted. Importable, so that it can run in another process."""
    draw = np.random.default_rng(seed)
    x = _points(n, setting, draw)
    data = Dataset(x, target_values(f, x))
    traj = _train(data, setting, draw, progress)
    if traj.end == End.INTERRUPTED:
        return None
    box, interpolant = setting["region"], interpolate(data)
    if data.n_features == 2:
        network, distance = piecewise_linear(traj.final, region=box), planar_target_distance
    else:
        network, distance = piecewise_linear(traj.final), target_distance
    network_sup, network_l2 = distance(f, network, box)
    interpolant_sup, interpolant_l2 = distance(f, interpolant, box)
    return {
        "network_sup": network_sup,
        "network_l2": network_l2,
        "interpolant_sup": interpolant_sup,
        "interpolant_l2": interpolant_l2,
        "bound": np.nan if curvature is None else _bound(interpolant, curvature),
        **_outcome(traj, network, interpolant),
    }


def random_label_run(
    n: int, seed: int, *, n_test: int, setting: dict[str, Any], progress: Progress = False
) -> dict[str, Any] | None:
    """Make and measure one run; None if it was interrupted. Importable, so that it can run in another process."""
    draw = np.random.default_rng(seed)
    x = _points(n, setting, draw)
    data = Dataset(x, draw.choice([-1.0, 1.0], n))
    fresh, labels = draw.uniform(*setting["region"], n_test), draw.choice([-1.0, 1.0], n_test)
    traj = _train(data, setting, draw, progress)
    if traj.end == End.INTERRUPTED:
        return None
    network, interpolant = piecewise_linear(traj.final), interpolate(data)
    found = _outcome(traj, network, interpolant)
    for name, function in (("network", network), ("interpolant", interpolant)):
        guess = function(fresh)
        # A zero guesses neither label, and counts as wrong with both.
        found[f"{name}_wrong"] = np.mean(guess * labels <= 0)
        found[f"{name}_rms"] = np.sqrt(np.mean((guess - labels) ** 2))
    return found


def _bound(interpolant: PiecewiseLinear | SimplicialInterpolant, curvature: float) -> float:
    if isinstance(interpolant, PiecewiseLinear):
        return curvature * float(np.max(np.diff(interpolant.knots))) ** 2 / 8
    return float(interpolation_bounds(None, interpolant.triangulation, curvature=curvature).curvature.max())


def _missed(setting: dict[str, Any]) -> float:
    """By how much a target of curvature 1 may be further off between the nodes than at any of them."""
    if _is_planar(setting):
        # The smallest circle around a triangle of diameter δ has a radius of at most δ/√3.
        return longest_edge(setting["region"]) ** 2 / 6
    low, high = setting["region"]
    return ((high - low) / CELLS) ** 2 / 8


def _outcome(
    traj: Trajectory, network: PiecewiseLinear | PlanarPieces, interpolant: PiecewiseLinear | SimplicialInterpolant
) -> dict[str, Any]:
    distance = compare(network, interpolant)
    rest = traj.stationary_point if traj.end == End.STATIONARY else None
    return {
        "loss": float(traj.loss[-1]),
        "distance_sup": distance.sup,
        "distance_l2": distance.l2,
        "end": str(traj.end),
        "kind": "" if rest is None else rest.kind,
    }


def _is_planar(setting: dict[str, Any]) -> bool:
    return np.ndim(setting["region"]) == 2


def _grid(region: Box, n: int) -> Floats:
    sides = [np.linspace(low, high, n) for low, high in region]
    return np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)


def _trial_points(setting: dict[str, Any]) -> Floats:
    if _is_planar(setting):
        return _grid(setting["region"], DIAGONAL_PARTS + 1)
    return np.linspace(*setting["region"], CELLS + 1)


def _points(n: int, setting: dict[str, Any], draw: np.random.Generator) -> Floats:
    if _is_planar(setting):
        if setting["spacing"] == "equal":
            return _grid(setting["region"], math.isqrt(n))
        # As many on each side as a grid would have, or the chord of a side would remain in every interpolant.
        low, high = np.transpose(setting["region"])
        points = draw.uniform(low, high, (n - 4, 2))
        for k in range(4 * (math.isqrt(n) - 2)):
            points[k, k % 2] = (low, high)[k // 2 % 2][k % 2]
        return np.concatenate([_grid(setting["region"], 2), points])
    low, high = setting["region"]
    if setting["spacing"] == "equal":
        return np.linspace(low, high, n)
    return np.sort(np.r_[low, draw.uniform(low, high, n - 2), high])


def _train(data: Dataset, setting: dict[str, Any], draw: np.random.Generator, progress: Progress) -> Trajectory:
    k = data.n_features
    net = ShallowReLU.balanced(n_features=k, n_neurons=setting["n_neurons"], scale=setting["scale"], rng=draw)
    options = {"rtol": PLANAR_RTOL} if k == 2 else {}
    return gradient_flow(net, data, max_steps=setting["max_steps"], progress=progress, **options)


def _interval(interval: object, name: str) -> tuple[float, float]:
    sentence = f"{name} must be two numbers, the first below the second, but it is {interval!r}."
    if not isinstance(interval, Sequence | np.ndarray) or isinstance(interval, str) or len(interval) != 2:
        raise ValueError(sentence)
    low, high = (real_number(end, f"each end of {name}") for end in interval)
    if low >= high:
        raise ValueError(sentence)
    return low, high


def _region(region: object, planar: bool) -> tuple[float, float] | Box:
    """Return an interval, or a box if that is allowed and there is an interval in it."""
    if planar and isinstance(region, Sequence | np.ndarray) and any(np.ndim(side) for side in region):
        if len(region) != 2:
            raise ValueError(f"A region of two features must be two intervals, but it is {region!r}.")
        first, second = (_interval(side, "each interval of region") for side in region)
        return first, second
    return _interval(region, "region")


def _setting(
    region: object, spacing: str, n_neurons: int, scale: float, max_steps: int, planar: bool = False
) -> dict[str, Any]:
    """Check what all runs have in common."""
    region = _region(region, planar)
    if spacing not in SPACINGS:
        raise ValueError(f"spacing must be {' or '.join(map(repr, SPACINGS))}, but it is {spacing!r}.")
    return {
        "region": region,
        "spacing": spacing,
        "n_neurons": whole_number(n_neurons, "n_neurons", most=MOST_NEURONS),
        "scale": real_number(scale, "scale", least=SMALLEST_SCALE, most=LARGEST),
        "max_steps": whole_number(max_steps, "max_steps"),
    }


def _runs(
    result: type[TrainingRuns],
    run: Callable[..., dict[str, Any] | None],
    n_points: Sequence[int],
    n_seeds: int,
    rng: Rng,
    executor: Executor | None,
    progress: bool | Callable[[SweepProgress], object],
    setting: dict[str, Any],
    **fixed: object,
) -> dict[str, Any]:
    """Make the runs of all sizes and seeds, and return the fields of a TrainingRuns."""
    if isinstance(n_points, str) or np.ndim(n_points) != 1:
        raise TypeError(f"n_points must be a sequence of integers, but it is {n_points!r}.")
    least = 4 if _is_planar(setting) else 2
    sizes = np.unique([whole_number(n, "each of n_points", least=least) for n in n_points])
    if _is_planar(setting) and setting["spacing"] == "equal":
        for n in sizes:
            if math.isqrt(n) ** 2 != n:
                raise ValueError(
                    f"each of n_points must be a square for a grid in a box, but it is {n};"
                    f" use {math.isqrt(n) ** 2} or spacing='random'."
                )
    if sizes.size < 2:
        raise ValueError(f"A slope needs at least two different n_points, but there are {sizes.size}.")
    shape = (sizes.size, whole_number(n_seeds, "n_seeds"))
    seed = generator(rng).integers(2**63 - 1, size=shape)
    places = list(np.ndindex(shape))
    found = sweep(
        run,
        [int(sizes[i]) for i, _ in places],
        [int(seed[place]) for place in places],
        executor=executor,
        progress=progress,
        setting=setting,
        **fixed,
    )
    arrays = {}
    for name in result.measures():
        kind, nothing = (np.str_, "") if name in ("end", "kind") else (np.float64, np.nan)
        column = [nothing if run is None else run[name] for run in found.results]
        arrays[name] = frozen(np.reshape(column, shape), kind)
    return {
        "n_points": frozen(sizes, np.int64),
        "seed": frozen(seed, np.int64),
        **arrays,
        "failures": {places[run]: error for run, error in sorted(found.failures.items())},
        "cancelled": found.cancelled,
        **{name: setting[name] for name in ("region", "spacing", "n_neurons", "scale")},
    }
