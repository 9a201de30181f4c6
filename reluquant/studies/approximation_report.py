"""How errors fall with the number of points, for a target of one or two features, as a text, a page and a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reluquant.dynamics.sweep import SweepProgress
from reluquant.structures.approximation import ApproximationStudy, RandomLabelStudy, Slope
from reluquant.structures.arrays import Floats
from reluquant.structures.scalars import Rng
from reluquant.studies.approximation import approximation_study, random_label_study
from reluquant.studies.flow_report import announced, figure_path

BOX = ((-1.0, 1.0), (-1.0, 1.0))
LABELS = {
    "network_sup": "network sup",
    "interpolant_sup": "interpolant sup",
    "bound": "its bound",
    "network_l2": "network L2",
    "interpolant_l2": "interpolant L2",
    "network_wrong": "network wrong",
    "interpolant_wrong": "interpolant wrong",
    "network_rms": "network rms",
    "interpolant_rms": "interpolant rms",
    "distance_sup": "their sup distance",
    "loss": "training loss",
}
# Of these no power of n is to be fitted.
NO_POWERS = ("distance_sup", "loss")


def wave(x: Floats) -> Floats:
    """Return sin(πx): the target of one feature, of which no second derivative exceeds π²."""
    return np.sin(np.pi * x)


def hill(x: Floats) -> Floats:
    """Return sin(πx) cos(πy/2): the target of two features, of which none along any line exceeds π²."""
    return np.sin(np.pi * x[:, 0]) * np.cos(np.pi * x[:, 1] / 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What is studied, in full and quickly."""

    target: str
    options: dict[str, Any]
    quick: dict[str, Any]


_PLANS = {
    "wave": _Plan(
        "sin(πx) on [-1, 1]",
        {"n_points": (5, 9, 17, 33, 65), "n_neurons": 400, "scale": 1e-6, "n_seeds": 3},
        {"n_points": (5, 9, 17), "n_neurons": 100, "n_seeds": 2},
    ),
    "hill": _Plan(
        "sin(πx) cos(πy/2) on [-1, 1]²",
        {"n_points": (9, 16, 25, 36, 49, 64), "n_neurons": 100, "scale": 1e-2, "n_seeds": 2, "max_steps": 2000},
        {"n_points": (9, 16, 25), "n_neurons": 40, "n_seeds": 1},
    ),
    # From tiny starts hardly any run learns random labels.
    "labels": _Plan(
        "coin tosses on [-1, 1]",
        {"n_points": (4, 8, 16, 32, 64), "n_neurons": 400, "scale": 1.0, "n_seeds": 5},
        {"n_points": (4, 8, 16), "n_neurons": 100, "n_seeds": 2},
    ),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ApproximationReport:
    """What :func:`approximation_report` found.

    Parameters
    ----------
    study : ApproximationStudy or RandomLabelStudy
        The runs.
    target : str
        What they learned, in words.
    seed : int or None
        From which all starts were drawn; None if a Generator was given.
    """

    study: ApproximationStudy | RandomLabelStudy
    target: str
    seed: int | None

    @property
    def success(self) -> bool:
        """Whether every run was made and returned, be it that it does not fit its data."""
        return self.study.ok

    @property
    def measures(self) -> tuple[str, ...]:
        """What the table shows, of what was recorded."""
        recorded = self.study.measures()
        return tuple(name for name in LABELS if name in recorded and np.isfinite(self.study.mean(name)).any())

    @property
    def slopes(self) -> dict[str, Slope]:
        """Fitted exponents of the errors and of their bound; losses and distances of fits are zero but for rounding."""
        return {name: self.study.slope(name) for name in self.measures if name not in NO_POWERS}

    def to_dict(self) -> dict:
        """Return the report as plain numbers, texts and lists, None for what is not finite: valid JSON.

        Lists in ``mean`` have an entry for each number of points.
        """
        study = self.study
        return {
            "target": self.target,
            "region": study.region,
            "spacing": study.spacing,
            "n_neurons": study.n_neurons,
            "scale": study.scale,
            "seed": self.seed,
            "n_seeds": study.seed.shape[1],
            "success": self.success,
            "message": study.message,
            "n_points": study.n_points.tolist(),
            "fitted": self._fitted().tolist(),
            "mean": {name: [_plain(value) for value in study.mean(name).tolist()] for name in self.measures},
            "slope": {name: {"value": _plain(s.value), "error": _plain(s.error)} for name, s in self.slopes.items()},
            "end": study.end.tolist(),
            "kind": study.kind.tolist(),
        }

    def page(self, picture: str | None = None) -> str:
        """Return a Markdown page, with a picture if its name is given."""
        rows = [["n", *self._headings()], ["---"] * (1 + len(self._headings())), *self._rows()]
        table = "\n".join(f"| {' | '.join(row)} |" for row in [*rows, ["slope", *self._slopes()]])
        parts = [f"# Approximation: {self.target}", self._setting(), self.study.message, table, *self._notes()]
        if picture is not None:
            parts.append(f"![Errors against the number of points, with the slopes fitted to them]({picture})")
        return "\n\n".join(parts) + "\n"

    def save(self, path: str | Path) -> None:
        """Write the page, and its picture beside it, which has the same name and ends in ``.svg``."""
        page = report_path(path)
        self.save_figure(page.with_suffix(".svg"))
        page.write_text(self.page(page.with_suffix(".svg").name), encoding="utf-8")

    def save_figure(self, path: str | Path) -> None:
        """Write a picture of the errors, their slopes and the training loss; the suffix decides the format."""
        from reluquant.views.approximation_figures import approximation_figure, random_label_figure

        draw = approximation_figure if isinstance(self.study, ApproximationStudy) else random_label_figure
        draw(self.study).savefig(path)

    def __str__(self) -> str:
        headings = ["n", *self._headings()]
        rows = [headings, *self._rows(), ["slope", *self._slopes()]]
        widths = [max(len(row[i]) for row in rows) for i in range(len(headings))]
        table = ["  " + "  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
        notes = [line for note in self._notes() for line in ("", note)]
        return "\n".join([f"{self.target}: {self._setting()}", self.study.message, "", *table, *notes])

    __repr__ = __str__

    def _setting(self) -> str:
        study, seed = self.study, "" if self.seed is None else f", seed {self.seed}"
        runs = study.seed.shape[1]
        return (
            f"{study.spacing} spacing, {study.n_neurons} neurons of scale {study.scale:g},"
            f" {runs} {'run' if runs == 1 else 'runs'} of each size{seed}."
        )

    def _notes(self) -> list[str]:
        notes = [
            "Geometric means over the runs; zeros are left out. The slope is the exponent of n by least squares through"
            f" the logarithms of these {self.study.n_points.size} means, with the standard error of that fit: how"
            " straight they lie, not how sure they are. A network has the slope of its interpolant only where it is it."
        ]
        if isinstance(self.study, ApproximationStudy):
            notes.append(f"Sup distances to the target may be {self.study.sup_error:.1g} larger than found on a grid.")
        else:
            notes.append(f"Wrong: the share of {self.study.n_test} fresh tosses; chance is one half, whatever n.")
        return notes

    def _headings(self) -> list[str]:
        return [*(LABELS[name] for name in self.measures), "fit their data"]

    def _rows(self) -> list[list[str]]:
        sizes = self.study.n_points
        means = np.reshape([self.study.mean(name) for name in self.measures], (-1, sizes.size))
        made = np.count_nonzero(self.study.end != "", axis=1)
        return [
            [str(n), *("-" if np.isnan(mean) else f"{mean:.3g}" for mean in row), f"{fitted} of {of}"]
            for n, row, fitted, of in zip(sizes, means.T, self._fitted(), made, strict=True)
        ]

    def _slopes(self) -> list[str]:
        found = self.slopes
        return [*(_shown(found[name]) if name in found else "" for name in self.measures), ""]

    def _fitted(self) -> np.ndarray:
        return np.count_nonzero(self.study.kind == "zero loss", axis=1)


def approximation_report(
    *,
    dimension: int = 1,
    random_labels: bool = False,
    quick: bool = False,
    rng: Rng = 0,
    progress: bool | Callable[[SweepProgress], object] = True,
    while_compiling: Callable[[], object] | None = None,
    **options: Any,
) -> ApproximationReport:
    """Study how networks approach a smooth target, or random labels, and report it.

    Parameters
    ----------
    dimension : {1, 2}
        The target: sin(πx), or sin(πx) cos(πy/2).
    random_labels : bool
        Coin tosses instead; one feature only.
    quick : bool
        Fewer and smaller runs, in seconds: to see that it works, not to learn from.
    rng, progress, **options
        As of :func:`reluquant.approximation_study`, such as ``n_points``, ``n_neurons``, ``scale`` and ``n_seeds``.
    while_compiling : callable, optional
        As of :func:`reluquant.studies.flow_report.flow_report`.

    Returns
    -------
    ApproximationReport
        Printing it gives a text; ``.to_dict()`` the same for machines; ``.save("page.md")`` a page with a picture.

    Raises
    ------
    TypeError, ValueError
        As :func:`reluquant.approximation_study`, or if ``dimension`` is not one of those described.

    Examples
    --------
    >>> report = approximation_report(quick=True, n_neurons=30, n_seeds=1, progress=False)
    >>> [round(value, 2) for value in report.to_dict()["mean"]["interpolant_sup"]]
    [0.21, 0.07, 0.02]
    """
    if dimension not in (1, 2):
        raise ValueError(f"dimension must be 1 or 2, but it is {dimension!r}.")
    if random_labels and dimension == 2:
        raise ValueError("Random labels are studied for one feature only; leave dimension at 1.")
    plan = _PLANS["labels" if random_labels else "hill" if dimension == 2 else "wave"]
    chosen = {**plan.options, **(plan.quick if quick else {}), **options, "rng": rng, "progress": progress}
    with announced(while_compiling):
        if random_labels:
            study = random_label_study(**chosen)
        else:
            f, region = (wave, (-1.0, 1.0)) if dimension == 1 else (hill, BOX)
            study = approximation_study(f, region=region, curvature=np.pi**2, **chosen)
    return ApproximationReport(study, plan.target, int(rng) if isinstance(rng, int | np.integer) else None)


def report_path(path: str | Path) -> Path:
    """Return the path of a page if it and a picture beside it can be written; ValueError if not."""
    page = Path(path)
    if page.suffix != ".md":
        raise ValueError(f"The report is a Markdown page: its name must end in .md, but it is {page}.")
    figure_path(page.with_suffix(".svg"))
    return page


def _shown(slope: Slope) -> str:
    value = "-" if np.isnan(slope.value) else f"{slope.value:.2f}"
    return value if np.isnan(slope.error) else f"{value} ± {slope.error:.2f}"


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None
