"""The study of active neurons as a text, a page and a picture."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reluquant.studies.active_neurons import (
    ANGLE,
    ANGLES,
    LEAST,
    LEASTS,
    ActiveNeuronStudy,
    Answer,
    Exponent,
    active_neuron_study,
    exponent,
)
from reluquant.studies.flow_report import figure_path
from reluquant.views.active_figures import CountSeries, active_figure

# Two minutes on two cores.
QUICK: dict[str, Any] = {"sizes": (10, 30, 100, 300), "n_seeds": 2, "width": 64, "methods": ("descent", "greedy")}
FULL: dict[str, Any] = {
    "sizes": (10, 30, 100, 300, 1000),
    "n_seeds": 3,
    "methods": ("descent", "greedy"),
    "losses": ("squared", "cross-entropy"),
    "scales": (1e-3, 1e-6),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ActiveNeuronReport:
    """What :func:`active_neuron_report` found.

    Parameters
    ----------
    study : ActiveNeuronStudy
        The runs.
    """

    study: ActiveNeuronStudy

    @property
    def success(self) -> bool:
        """Whether every run was made and reached its loss."""
        return self.study.ok

    def exponents(self) -> dict[str, Exponent]:
        """Fitted exponents of the number of active neurons, for each series of runs."""
        return {_name(key): exponent(runs, lambda a: a.n_active) for key, runs in self.study.series().items()}

    def to_dict(self) -> dict:
        """Return the report as plain numbers, texts and lists: valid JSON."""
        fits = {name: {k: _plain(v) for k, v in asdict(fit).items()} for name, fit in self.exponents().items()}
        return {
            "message": self.study.message,
            "success": self.success,
            "exponents": fits,
            "runs": [asdict(answer) for answer in self.study.answers],
        }

    def page(self, picture: str | None = None) -> str:
        """Return a Markdown page, with a picture if its name is given."""
        parts = ["# Active neurons", self.study.message, *self._notes()]
        if picture is not None:
            parts.append(f"![Active neurons and test accuracy against the number of samples]({picture})")
        for key, runs in self.study.series().items():
            rows = [_HEADINGS, ["---"] * len(_HEADINGS), *_rows(runs)]
            table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
            parts += [f"## {_name(key)}", _fit(runs), table, "Other definitions of active:", _other(runs)]
        return "\n\n".join(parts) + "\n"

    def save(self, path: str | Path) -> None:
        """Write the page, its picture (``.svg``) and all runs (``.json``) beside it."""
        page = report_path(path)
        self.save_figure(page.with_suffix(".svg"))
        page.with_suffix(".json").write_text(json.dumps(self.to_dict(), indent=1), encoding="utf-8")
        page.write_text(self.page(page.with_suffix(".svg").name), encoding="utf-8")

    def save_figure(self, path: str | Path) -> None:
        """Write a picture of the counts and the accuracies; the suffix decides the format."""
        series = {_name(key): _counts(runs) for key, runs in self.study.series().items()}
        seeds = max((a.question.seed for a in self.study.answers), default=0) + 1
        active_figure(series, f"Active neurons; {seeds} runs of each size, bars from least to most").savefig(path)

    def __str__(self) -> str:
        parts = [self.study.message]
        for key, runs in self.study.series().items():
            rows = [_HEADINGS, *_rows(runs)]
            widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADINGS))]
            table = ["  " + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
            parts += ["", _name(key), *table, "  " + _fit(runs)]
        return "\n".join([*parts, "", *self._notes()])

    __repr__ = __str__

    @staticmethod
    def _notes() -> list[str]:
        return [
            f"A neuron is active if its mass |a||w| is at least {LEAST:g} of the heaviest; active neurons that are"
            f" linked by angles below {ANGLE:g} are in one direction. Means over the runs of each size, with the least"
            " and the most in brackets. The exponent is that of n in a power fitted to all runs of a series by least"
            " squares of logarithms, with the 95 % interval of a bootstrap over the runs: below 1 is sub-linear."
        ]


_HEADINGS = ["n", "active", "directions", "train accuracy", "test accuracy", "loss/loss(0)", "steps", "seconds", "ends"]


def _rows(runs: tuple[Answer, ...]) -> list[list[str]]:
    rows = []
    for n, some in _by_size(runs).items():
        ends = sorted({a.end for a in some})
        rows.append(
            [
                str(n),
                _spread([a.n_active for a in some]),
                _spread([a.n_directions for a in some]),
                f"{np.mean([a.train_accuracy for a in some]):.3f}",
                f"{np.mean([a.test_accuracy for a in some]):.3f}",
                f"{np.mean([a.loss for a in some]):.2g}",
                f"{np.mean([a.n_steps for a in some]):.0f}",
                f"{np.mean([a.seconds for a in some]):.1f}",
                ", ".join(ends),
            ]
        )
    return rows


def _other(runs: tuple[Answer, ...]) -> str:
    """Return a table of the counts that other definitions give, means over the runs."""
    names = [f"{least:g}" for least in LEASTS] + [f"{least:g}, {angle:g}" for least in LEASTS for angle in ANGLES]
    heads = [f"mass ≥ {name}" if "," not in name else f"directions, {name}" for name in names]
    rows = [["n", *heads], ["---"] * (1 + len(heads))]
    for n, some in _by_size(runs).items():
        rows.append([str(n), *(f"{np.mean([a.counts[name] for a in some]):.0f}" for name in names)])
    fits = [exponent(runs, lambda a, name=name: a.counts[name]) for name in names]
    rows.append(["exponent", *(_shown(fit) for fit in fits)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _fit(runs: tuple[Answer, ...]) -> str:
    active, directions = exponent(runs, lambda a: a.n_active), exponent(runs, lambda a: a.n_directions)
    return f"Exponent of active neurons {_shown(active)}, of directions {_shown(directions)}."


def _shown(fit: Exponent) -> str:
    if math.isnan(fit.value):
        return "-"
    return f"{fit.value:.2f}" + ("" if math.isnan(fit.low) else f" [{fit.low:.2f}, {fit.high:.2f}]")


def _by_size(runs: tuple[Answer, ...]) -> dict[int, list[Answer]]:
    found: dict[int, list[Answer]] = {}
    for answer in runs:
        found.setdefault(answer.question.n, []).append(answer)
    return found


def _counts(runs: tuple[Answer, ...]) -> CountSeries:
    sizes = _by_size(runs)
    return CountSeries(
        np.array(list(sizes), dtype=float),
        tuple(np.array([a.n_active for a in some], dtype=float) for some in sizes.values()),
        tuple(np.array([a.test_accuracy for a in some]) for some in sizes.values()),
    )


def _spread(values: list[int]) -> str:
    mean = f"{np.mean(values):.3g}"
    return mean if min(values) == max(values) else f"{mean} [{min(values)}, {max(values)}]"


def _name(key: tuple[str, ...]) -> str:
    dataset, classes, loss, method, scale = key
    return f"{dataset}, {classes}, {loss}, {method}" + (f" from {scale}" if scale else "")


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


def active_neuron_report(*, quick: bool = False, **options: Any) -> ActiveNeuronReport:
    """Count active neurons against the number of training samples, and report it.

    Parameters
    ----------
    quick : bool
        Fewer and smaller runs, about two minutes: to see that it works, not to learn from.
    **options
        As of :func:`reluquant.active_neuron_study`.

    Returns
    -------
    ActiveNeuronReport
        Printing it gives a text; ``.save("page.md")`` writes a page, a picture and all numbers.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        As :func:`reluquant.active_neuron_study`.

    Examples
    --------
    >>> report = active_neuron_report(sizes=(5, 10), n_seeds=1, width=20, stop=0.2, methods=("greedy",), progress=False)
    >>> report.success
    True
    """
    chosen = {**(QUICK if quick else FULL), **options}
    if chosen.get("classes") == 2 and "losses" not in options and "losses" in chosen:
        chosen["losses"] = ("squared", "logistic")
    return ActiveNeuronReport(active_neuron_study(**chosen))


def report_path(path: str | Path) -> Path:
    """Return the path of a page if it and what is beside it can be written; ValueError if not."""
    page = Path(path)
    if page.suffix != ".md":
        raise ValueError(f"The report is a Markdown page: its name must end in .md, but it is {page}.")
    figure_path(page.with_suffix(".svg"))
    return page
