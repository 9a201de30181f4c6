"""The phase diagram of given points as a text, as plain numbers and as a picture."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reluquant import datasets
from reluquant.structures.dataset import Dataset
from reluquant.structures.regimes import CRITICAL_EXPONENT, Measure, PhaseDiagram
from reluquant.structures.scalars import Rng
from reluquant.studies.flow_report import announced
from reluquant.studies.points_file import read_points
from reluquant.studies.regimes import phase_diagram

# From lazy to condensed at every width, in a quarter of a minute.
SCALES = tuple(np.logspace(-4, 1, 11).tolist())
WIDTHS = (32, 64, 128, 256, 512)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PhaseReport:
    """What :func:`phase_report` found.

    Parameters
    ----------
    diagram : PhaseDiagram
        The measures.
    n_samples : int
        Number of points.
    seed : int or None
        From which all starts were drawn; None if a Generator was given.
    """

    diagram: PhaseDiagram
    n_samples: int
    seed: int | None

    @property
    def success(self) -> bool:
        """Whether every run was made and returned."""
        return self.diagram.ok

    def to_dict(self) -> dict:
        """Return the report as plain numbers, texts and lists, None for what is not finite: valid JSON.

        Tables have a row for each scale and a column for each width.
        """
        found = self.diagram
        return {
            "data": found.name,
            "n_samples": self.n_samples,
            "start": found.start.value,
            "mirrored": found.mirrored,
            "gamma_prime": found.gamma_prime,
            "seed": self.seed,
            "n_seeds": found.n_seeds,
            "success": self.success,
            "message": found.message,
            "scales": found.scales.tolist(),
            "widths": found.widths.tolist(),
            "gamma": _plain(found.gamma),
            "exponent": _plain(found.exponent),
            "phase": found.phase.tolist(),
            "mean": {name.value: _plain(found.mean(name)) for name in Measure},
            "spread": {name.value: _plain(found.spread(name)) for name in Measure},
            "end": found.end.tolist(),
        }

    def save_figure(self, path: str | Path) -> None:
        """Write a picture of the exponents, the phases and the relative change; the suffix decides the format."""
        from reluquant.views.regime_figures import phase_diagram_figure

        phase_diagram_figure(self.diagram).savefig(path)

    def __str__(self) -> str:
        found = self.diagram
        name = f"{found.name}: " if found.name else ""
        kind = f"{'mirrored ' if found.mirrored else ''}{found.start}"
        unequal = f", gamma' = {found.gamma_prime:g}" if found.gamma_prime else ""
        seed = "" if self.seed is None else f", seed {self.seed}"
        return "\n".join([
            f"{name}{self.n_samples} points, {kind} starts{unequal}, {found.n_seeds} of each scale and width{seed}",
            found.message,
            "",
            "S = d log RD / d log m at constant gamma = -2 log(scale)/log(m), RD the relative change of input weights;",
            f"linear (lazy) below -{CRITICAL_EXPONENT:g}, condensed above {CRITICAL_EXPONENT:g}, else critical:",
            *self._table(found.exponent),
            "",
            "log10 RD:",
            *self._table(found.mean(Measure.LOG10_RD)),
            "",
            "Directions that carry 99 % of the mass at the end:",
            *self._table(found.mean(Measure.N_DIRECTIONS), digits=1),
        ])  # fmt: skip

    __repr__ = __str__

    def _table(self, values: np.ndarray, digits: int = 2) -> list[str]:
        found = self.diagram
        lines = [f"  {'scale':>10}" + "".join(f"{f'm = {width}':>11}" for width in found.widths)]
        for scale, row in zip(found.scales, values, strict=True):
            cells = ["-" if np.isnan(value) else f"{value:.{digits}f}" for value in row]
            lines.append(f"  {scale:>10.3g}" + "".join(f"{cell:>11}" for cell in cells))
        return lines


def phase_report(
    data: Dataset,
    *,
    scales: ArrayLike = SCALES,
    widths: Sequence[int] = WIDTHS,
    rng: Rng = 0,
    while_compiling: Callable[[], object] | None = None,
    **options: Any,
) -> PhaseReport:
    """Measure the phase diagram of given points and report it.

    Parameters
    ----------
    data, scales, widths, rng
        As of :func:`reluquant.phase_diagram`.
    while_compiling : callable, optional
        As of :func:`reluquant.studies.flow_report.flow_report`.
    **options
        The other keywords of :func:`reluquant.phase_diagram`.

    Returns
    -------
    PhaseReport
        Printing it gives a text; ``.to_dict()`` the same for machines.

    Raises
    ------
    TypeError, ValueError
        As :func:`reluquant.phase_diagram`.

    Examples
    --------
    >>> import reluquant as rq
    >>> report = phase_report(rq.datasets.zigzag(), scales=[1e-6, 1e-5], widths=[50, 100], n_seeds=1)
    >>> report.to_dict()["phase"]
    [['condensed', 'condensed'], ['condensed', 'condensed']]
    """
    with announced(while_compiling):
        diagram = phase_diagram(data, scales=scales, widths=widths, rng=rng, **options)
    return PhaseReport(diagram, data.n_samples, int(rng) if isinstance(rng, int | np.integer) else None)


def chosen_data(points: str | Path | None, name: str | None, *, rng: Rng = 0) -> Dataset:
    """Read a file of points, or make a data set of :mod:`reluquant.datasets` by its name.

    Parameters
    ----------
    points : str or Path, optional
        As of :func:`reluquant.studies.points_file.read_points`.
    name : str, optional
        Of a maker, such as "zigzag" or "three-points". Exactly one of both.
    rng : int or numpy.random.Generator
        For data sets that are random.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If not exactly one is given, there is no such data set, or the file cannot be read.

    Examples
    --------
    >>> chosen_data(None, "three-points")
    Dataset('three points', n_samples=3, n_features=1)
    """
    if (points is None) == (name is None):
        found = "neither was" if points is None else "both were"
        raise ValueError(f"Give either a file of points or the name of a data set; {found} given.")
    if points is not None:
        return read_points(points)
    key = name.replace("-", "_")
    if key not in datasets.__all__:
        raise ValueError(f"There is no data set {name!r}; the names are {', '.join(datasets.__all__)}.")
    make = getattr(datasets, key)
    return make(rng=rng) if "rng" in inspect.signature(make).parameters else make()


def _plain(values: np.ndarray) -> list:
    """Nested lists, None for what is not finite."""
    return np.where(np.isfinite(values), values.astype(object), None).tolist()
