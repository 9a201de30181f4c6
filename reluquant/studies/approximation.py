"""How fast trained networks approach a smooth target as data become more, and that no data help with random labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np

from reluquant.analysis.compare import compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.dynamics.gradient_flow import LARGEST, gradient_flow
from reluquant.dynamics.progress import Progress
from reluquant.dynamics.sweep import SweepProgress, sweep
from reluquant.structures.approximation import ApproximationStudy, RandomLabelStudy, TrainingRuns
from reluquant.structures.arrays import Floats, frozen, real_array
from reluquant.structures.dataset import Dataset
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.scalars import Rng, generator, real_number, whole_number
from reluquant.structures.shallow_relu import MOST_NEURONS, SMALLEST_SCALE, ShallowReLU
from reluquant.structures.trajectory import End, Trajectory

Target = Callable[[Floats], Floats]
SPACINGS = ("equal", "random")
# Cells of the grid on which a target is held against a function: with 8192 a largest value is missed by no more than
# (n / 8192)² of the interpolant's bound for n points, which is a thousandth at 256.
CELLS = 8192
# Nodes of Gauss's rule in each cell: it integrates polynomials up to degree 7 exactly.
GAUSS_NODES = 4


def approximation_study(
    f: Target,
    *,
    n_points: Sequence[int],
    region: tuple[float, float] = (-1.0, 1.0),
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
        The target: takes an array of shape (k,) and returns one, finite on ``region``. With processes or a cluster it
        must be importable there.
    n_points : sequence of int, shape (n_sizes,)
        At least two different numbers of training points, each at least 2; sorted.
    region : (float, float)
        Where the points lie, both ends among them, and where errors are measured.
    spacing : {"equal", "random"}
        Equally spaced points, or the two ends and independent uniform ones between, anew for each run.
    curvature : float, optional
        A bound M of ``|f''|`` on ``region``, for ``bound`` and ``sup_error`` of the result.
    n_neurons : int, default 400
        The width.
    scale : float, default 1e-6
        Of the balanced starts: typical norm of a neuron.
    n_seeds : int, default 3
        Runs for each number of points.
    rng : int, numpy.random.Generator or None
        From which the seeds of all runs are drawn; they are in the result.
    max_steps : int
        As of :func:`reluquant.gradient_flow`; runs go on until they rest.
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

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367: smooth targets, and random labels as the counter-example.

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> found = rq.approximation_study(np.cos, n_points=[5, 9, 17], curvature=1.0, n_neurons=50, n_seeds=1, rng=0)
    >>> round(found.slope("interpolant_sup").value, 1), bool(np.all(found.interpolant_sup <= found.bound))
    (-2.2, True)
    """
    setting = _setting(region, spacing, n_neurons, scale, max_steps)
    if curvature is not None:
        curvature = real_number(curvature, "curvature", least=0)
    low, high = setting["region"]
    _values(f, np.linspace(low, high, CELLS + 1))
    runs = _runs(ApproximationStudy, approximation_run, n_points, n_seeds, rng, executor, progress, setting,
                 f=f, curvature=curvature)  # fmt: skip
    sup_error = np.nan if curvature is None else curvature * ((high - low) / CELLS) ** 2 / 8
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
    data = Dataset(x, _values(f, x))
    traj = _train(data, setting, draw, progress)
    if traj.end == End.INTERRUPTED:
        return None
    network, interpolant = piecewise_linear(traj.final), interpolate(data)
    network_sup, network_l2 = target_distance(f, network, setting["region"])
    interpolant_sup, interpolant_l2 = target_distance(f, interpolant, setting["region"])
    return {
        "network_sup": network_sup,
        "network_l2": network_l2,
        "interpolant_sup": interpolant_sup,
        "interpolant_l2": interpolant_l2,
        "bound": np.nan if curvature is None else curvature * np.max(np.diff(x)) ** 2 / 8,
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


def target_distance(f: Target, g: PiecewiseLinear, region: tuple[float, float]) -> tuple[float, float]:
    """Return the sup and L2 distance of a smooth and a piecewise-linear function, as approximation_study says.

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> chord = rq.interpolate(rq.Dataset([0.0, 1.0], [0.0, 1.0]))
    >>> sup, l2 = target_distance(np.square, chord, (0.0, 1.0))
    >>> sup, round(30 * l2**2, 12)
    (0.25, 1.0)
    """
    low, high = region
    inner = g.knots[(g.knots > low) & (g.knots < high)]
    nodes = np.unique(np.concatenate([np.linspace(low, high, CELLS + 1), inner]))
    sup = np.max(np.abs(_values(f, nodes) - g(nodes)))
    places, weights = np.polynomial.legendre.leggauss(GAUSS_NODES)
    half = np.diff(nodes)[:, None] / 2
    x = (nodes[:-1, None] + half * (1 + places)).ravel()
    squares = (_values(f, x) - g(x)).reshape(-1, GAUSS_NODES) ** 2
    return float(sup), float(np.sqrt(np.sum(half * weights * squares)))


def _outcome(traj: Trajectory, network: PiecewiseLinear, interpolant: PiecewiseLinear) -> dict[str, Any]:
    distance = compare(network, interpolant)
    rest = traj.stationary_point if traj.end == End.STATIONARY else None
    return {
        "loss": float(traj.loss[-1]),
        "distance_sup": distance.sup,
        "distance_l2": distance.l2,
        "end": str(traj.end),
        "kind": "" if rest is None else rest.kind,
    }


def _points(n: int, setting: dict[str, Any], draw: np.random.Generator) -> Floats:
    low, high = setting["region"]
    if setting["spacing"] == "equal":
        return np.linspace(low, high, n)
    return np.sort(np.r_[low, draw.uniform(low, high, n - 2), high])


def _train(data: Dataset, setting: dict[str, Any], draw: np.random.Generator, progress: Progress) -> Trajectory:
    net = ShallowReLU.balanced(n_neurons=setting["n_neurons"], scale=setting["scale"], rng=draw)
    return gradient_flow(net, data, max_steps=setting["max_steps"], progress=progress)


def _values(f: Target, x: Floats) -> Floats:
    if not callable(f):
        raise TypeError(f"f must be a function of an array, but it is a {type(f).__name__}.")
    values = real_array(f(x), "f(x)")
    if values.shape != x.shape:
        raise ValueError(f"f must return an array of the shape of its argument, {x.shape}, but it is {values.shape}.")
    return values


def _setting(region: tuple[float, float], spacing: str, n_neurons: int, scale: float, max_steps: int) -> dict[str, Any]:
    """Check what all runs have in common."""
    if np.shape(region) != (2,):
        raise ValueError(f"region must be two numbers, the first below the second, but it is {region!r}.")
    low, high = (real_number(end, "each end of region") for end in region)
    if low >= high:
        raise ValueError(f"region must be two numbers, the first below the second, but it is {region!r}.")
    if spacing not in SPACINGS:
        raise ValueError(f"spacing must be {' or '.join(map(repr, SPACINGS))}, but it is {spacing!r}.")
    return {
        "region": (low, high),
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
    sizes = np.unique([whole_number(n, "each of n_points", least=2) for n in n_points])
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
