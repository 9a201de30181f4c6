"""What became of a network on given points: directions, kinks, and distances to the interpolant."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import numpy as np

from reluquant.analysis.compare import Comparison, compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.kink_census import KinkCensus, kink_census
from reluquant.analysis.neuron_clusters import NeuronClusters, neuron_clusters
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.dynamics.planar_flow import is_compiled
from reluquant.dynamics.progress import SHOW_AFTER_SECONDS, Progress
from reluquant.structures.dataset import Dataset
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.shallow_relu import Rng, ShallowReLU
from reluquant.structures.trajectory import Trajectory

# Kinks that move the function by less than this share of the labels' range cannot be seen in a picture.
KINK_TOLERANCE = 1e-3
# Clusters below this share of the whole mass are listed only as a remainder.
LEAST_SHARE = 0.01
FIGURE_SUFFIXES = (".png", ".svg", ".pdf")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FlowReport:
    """What :func:`flow_report` found.

    Parameters
    ----------
    trajectory : Trajectory
        The run.
    scale : float
        Typical norm of a neuron at its start.
    seed : int or None
        Seed of the start; None if a Generator was given.
    clusters : NeuronClusters
        Groups of neurons at the end, the heaviest first.
    census : KinkCensus
        Where the final function bends.
    distance : Comparison
        Of the network to the linear interpolant, on the hull of the data.
    n_merged : int
        Samples that share their input with an earlier one; the interpolant takes their mean.
    """

    trajectory: Trajectory
    scale: float
    seed: int | None
    clusters: NeuronClusters
    census: KinkCensus
    distance: Comparison
    n_merged: int

    @property
    def success(self) -> bool:
        """Whether the run reached what was asked for."""
        return self.trajectory.success

    @property
    def function(self) -> PiecewiseLinear:
        """The final function on ``function.domain``, simplified to ``tolerance``."""
        return self.census.function

    @property
    def tolerance(self) -> float:
        """Largest distance of ``function`` from the network, in the units of the labels."""
        return self.census.tolerance

    def to_dict(self) -> dict:
        """Return the report as plain numbers, texts and lists, None for what is not finite: valid JSON."""
        loss, domain, distance = self.trajectory.loss, self.function.domain, self.distance
        return {
            "n_samples": self.trajectory.data.n_samples,
            "n_neurons": self.trajectory.n_neurons,
            "scale": self.scale,
            "seed": self.seed,
            "success": self.success,
            "end": self.trajectory.end,
            "message": self.trajectory.message,
            "t": _number(self.trajectory.t[-1]),
            "loss": {"start": _number(loss[0]), "end": _number(loss[-1])},
            "directions": [self._direction(i) for i in range(self._n_listed())],
            "kinks": {
                "bound": self.census.most_kinks,
                "bounds": {"paper": self.census.most_kinks, "groups": self.census.most_groups},
                "tolerance": _number(self.tolerance),
                "region": [_number(end) for end in domain],
                "at": [_number(x) for x in self.function.breakpoints],
                "slopes": [_number(slope) for slope in self._slopes()],
                "groups_on_data": int(np.sum(self.census.on_data >= 0)),
                "groups_per_gap": self.census.per_gap.tolist(),
            },
            "interpolant": {
                "sup": _number(distance.sup),
                "sup_at": _number(distance.sup_at),
                "l2": _number(distance.l2),
                "region": [_number(end) for end in distance.region],
                "merged_samples": self.n_merged,
            },
        }

    def save_figure(self, path: str | Path) -> None:
        """Write a picture of the final function, directions and loss; the suffix decides the format."""
        from reluquant.views.figures import flow_figure

        flow_figure(self.trajectory).savefig(path)

    def __str__(self) -> str:
        seed = "" if self.seed is None else f", seed {self.seed}"
        lines = [
            f"{_count(self.trajectory.data.n_samples, 'point')}, {_count(self.trajectory.n_neurons, 'neuron')},"
            f" scale {self.scale:g}{seed}",
            self.trajectory.message,
            "",
            *self._direction_lines(),
            "",
            *self._kink_lines(),
            self._place_line(),
            "",
            self._distance_line(),
        ]
        if self.n_merged:
            lines.append(f"Samples merged with an earlier one at the same x, as their mean: {self.n_merged}.")
        return "\n".join(lines)

    __repr__ = __str__

    def _shares(self) -> np.ndarray:
        # Relative to the heaviest in logarithms: masses of a network at scale 1e-200 underflow.
        logs = self.clusters.log_mass
        if logs.size == 0 or not np.isfinite(logs[0]):
            return np.zeros(logs.size)
        relative = np.exp(logs - logs[0])
        return relative / relative.sum()

    def _n_listed(self) -> int:
        return int(np.sum(self._shares() >= LEAST_SHARE))

    def _direction(self, i: int) -> dict:
        w, b = self.clusters.direction[i]
        return {
            "w": _number(w),
            "b": _number(b),
            "angle": _number(self.clusters.angle[i]),
            "sign": int(self.clusters.sign[i]),
            "share": _number(self._shares()[i]),
            "neurons": int(self.clusters.size[i]),
            "kink": _number(self.clusters.kink[i]),
        }

    def _direction_lines(self) -> list[str]:
        rows = [self._direction(i) for i in range(self._n_listed())]
        together = sum(row["share"] for row in rows)
        number = _count(len(rows), "direction")
        lines = [f"{number} with at least {LEAST_SHARE:.0%} of the mass, together {together:.2%}:"]
        if rows:
            lines.append(f"  {'share':>8} {'neurons':>8} {'sign of a':>10} {'angle':>9} {'kink':>10}")
        for row in rows:
            kink = "none" if row["kink"] is None else f"{row['kink']:.6g}"
            sign = "+" if row["sign"] > 0 else "-"
            degrees = math.degrees(row["angle"])
            lines.append(f"  {row['share']:>8.2%} {row['neurons']:>8} {sign:>10} {degrees:>8.2f}° {kink:>10}")
        return lines

    def _slopes(self) -> np.ndarray:
        """Slopes between breakpoints; a function may have knots at which its slope stays the same."""
        slopes = self.function.slopes
        return np.r_[slopes[0], slopes[np.searchsorted(self.function.knots, self.function.breakpoints) + 1]]

    def _kink_lines(self) -> list[str]:
        low, high = self.function.domain
        found = self.function.breakpoints
        lines = [
            f"{_count(found.size, 'kink')} on [{low:.6g}, {high:.6g}] to within {self.tolerance:.2g}"
            f" (bounds: 2 n + 1 = {self.census.most_kinks} in the paper,"
            f" 3 n - 1 = {self.census.most_groups} for groups of neurons)"
            f"{':' if found.size else '.'}"
        ]
        if found.size:
            lines.append(f"  {'x':>10} {'slope before':>14} {'after':>14}")
        slopes = self._slopes()
        for x, before, after in zip(found, slopes[:-1], slopes[1:], strict=True):
            lines.append(f"  {x:>10.6g} {before:>14.6g} {after:>14.6g}")
        return lines

    def _place_line(self) -> str:
        at, gaps = int(np.sum(self.census.on_data >= 0)), int(np.sum(self.census.per_gap))
        return f"Groups of neurons with a kink there: {at} on data points, {gaps} between or beyond them."

    def _distance_line(self) -> str:
        low, high = self.distance.region
        return (
            f"Distance to the interpolant on [{low:.6g}, {high:.6g}]: sup {self.distance.sup:.6g}"
            f" at x = {self.distance.sup_at:.6g}, L2 {self.distance.l2:.6g}."
        )


def flow_report(
    data: Dataset,
    *,
    n_neurons: int = 1000,
    scale: float = 1e-6,
    rng: Rng = 0,
    t_max: float | None = None,
    progress: Progress = True,
    while_compiling: Callable[[], object] | None = None,
) -> FlowReport:
    """Run the gradient flow of a balanced network and report what it became.

    Parameters
    ----------
    data : Dataset
        One feature, with bias, one label.
    n_neurons, scale, rng
        The start, as in :meth:`reluquant.ShallowReLU.balanced`.
    t_max, progress
        As in :func:`reluquant.gradient_flow`.
    while_compiling : callable, optional
        Called once, from another thread, if the integrator is not ready after two seconds: it is compiled
        the first time it is used on a machine.

    Returns
    -------
    FlowReport
        Printing it gives a text; ``.to_dict()`` the same for machines.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the data are not points on the line.

    Examples
    --------
    >>> import reluquant as rq
    >>> report = flow_report(rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0]), n_neurons=100, progress=False)
    >>> report.success, report.census.n_breakpoints, report.census.most_kinks
    (True, 1, 7)
    """
    net = ShallowReLU.balanced(n_neurons=n_neurons, scale=scale, rng=rng)
    with announced(while_compiling):
        trajectory = gradient_flow(net, data, t_max=t_max, progress=progress)
    f = piecewise_linear(trajectory.final)
    return FlowReport(
        trajectory=trajectory,
        scale=float(scale),
        seed=int(rng) if isinstance(rng, int | np.integer) else None,
        clusters=neuron_clusters(trajectory.final),
        census=kink_census(trajectory.final, data, tolerance=KINK_TOLERANCE),
        distance=compare(f, interpolate(data, duplicates="mean")),
        n_merged=data.n_samples - np.unique(data.X).size,
    )


def figure_path(path: str | Path) -> Path:
    """Return the path if a figure can be written there: known before a long run starts.

    Parameters
    ----------
    path : str or Path
        Where to.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    ValueError
        If the suffix names no format, the folder does not exist, or the path cannot be written.

    Examples
    --------
    >>> figure_path("out.gif")
    Traceback (most recent call last):
    ...
    ValueError: A figure is written as .png or .svg or .pdf, but the path is out.gif.
    """
    path = Path(path)
    if path.suffix.lower() not in FIGURE_SUFFIXES:
        raise ValueError(f"A figure is written as {' or '.join(FIGURE_SUFFIXES)}, but the path is {path}.")
    if not os.path.isdir(path.parent):
        raise ValueError(f"{path} cannot be written, because the folder {path.parent} does not exist; create it first.")
    # os.path, because Path.exists raises where it may not look or the name is too long.
    if os.path.exists(path) and not os.path.isfile(path):
        kind = "a directory" if os.path.isdir(path) else "not a file"
        raise ValueError(f"{path} cannot be written, because it is {kind}; give the path of a file.")
    try:
        _try_to_write(path)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise ValueError(f"{path} cannot be written ({reason}); choose another path.") from error
    return path


def _try_to_write(path: Path) -> None:
    """Open for writing, without a trace: permissions alone do not tell, for root and on read-only disks."""
    # Where a link leads to, so that the link itself stays.
    target = os.path.realpath(path)
    new = not os.path.exists(target)
    with open(target, "ab"):
        pass
    if new:
        os.unlink(target)


@contextmanager
def announced(say: Callable[[], object] | None) -> Iterator[None]:
    """Call ``say`` once, on a thread, if the integrator is still not compiled after a while.

    Loading it from a cache is quicker.
    """
    if say is None:
        yield
        return
    timer = Timer(SHOW_AFTER_SECONDS, lambda: is_compiled() or say())
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
