"""All claims that the package can check, checked, as a page with a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reluquant import datasets
from reluquant.structures.dataset import Dataset
from reluquant.studies.claim import Claim, Outcome
from reluquant.studies.claims_of_alignment import ALIGNMENT, run
from reluquant.studies.claims_of_landscape import LANDSCAPE
from reluquant.studies.claims_of_outcomes import OUTCOMES

CLAIMS: tuple[Claim, ...] = ALIGNMENT + OUTCOMES + LANDSCAPE

# Of the picture: neurons, and a start so small that all turn before the loss falls.
_N_NEURONS, _SCALE = 1000, 1e-12
# The same bytes wherever it is drawn: no date, no random identifiers.
_SVG = {"svg.hashsalt": "reluquant", "svg.fonttype": "none"}

_INTRODUCTION = """\
# Claims, checked

This page is written by `reluquant claims --out docs/claims.md` and not by hand: each row is a function of
`reluquant/studies` that runs the package and compares a number with what a paper states or a closed form
gives. Numbers are rounded to the digits that their tolerance vouches for. A source is a number at arXiv, or
[theory](theory.md) where the package's own documentation derives it. Random sets and networks have fixed seeds.
"""
_PICTURE = """\
Where {n} neurons from a start of scale {scale:g} were predicted to turn to (hollow), and where they had turned to just
before the loss began to fall (filled), on the circle of directions (w, b). Dashed: directions with their kink on
a data point. Grey: no sample is active.
"""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ClaimsReport:
    """Claims and what was found. Printing it gives a Markdown page.

    Parameters
    ----------
    rows : tuple of (Claim, Outcome)
        In order.
    """

    rows: tuple[tuple[Claim, Outcome], ...]

    @property
    def surprises(self) -> tuple[Claim, ...]:
        """Claims that should hold and do not, or that are known not to hold and do."""
        return tuple(claim for claim, outcome in self.rows if outcome.holds == bool(claim.exception))

    def page(self, picture: str = "") -> str:
        """Return the page; ``picture`` is the name of a file to show on it."""
        exceptions = [claim for claim, _ in self.rows if claim.exception]
        parts = [_INTRODUCTION]
        if picture:
            parts.append(f"![Predicted and reached directions]({picture})\n")
            parts.append(_PICTURE.format(n=_N_NEURONS, scale=_SCALE))
        parts.append("\n".join(self._lines(exceptions)) + "\n")
        if exceptions:
            parts.append("Known not to hold:\n")
            parts.append("\n".join(f"{i}. {claim.exception}" for i, claim in enumerate(exceptions, start=1)) + "\n")
        return "\n".join(parts)

    def __str__(self) -> str:
        return self.page()

    __repr__ = __str__

    def _lines(self, exceptions: list[Claim]) -> list[str]:
        lines = ["| claim | source | checked by | found | expected | ± | holds |", "|---|---|---|---|---|---|---|"]
        for claim, outcome in self.rows:
            verdict = "yes" if outcome.holds else "**no**"
            if claim.exception:
                verdict += f", see {exceptions.index(claim) + 1}"
            expected = outcome.rounded(outcome.expected)
            cells = (
                claim.sentence, claim.source, f"`{claim.by}`", outcome.rounded(outcome.found),
                f"{outcome.relation} {expected}", f"{outcome.tolerance:g}", verdict,
            )  # fmt: skip
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return lines


def claims_report(
    claims: tuple[Claim, ...] = CLAIMS, *, on_claim: Callable[[Claim, Outcome], object] | None = None
) -> ClaimsReport:
    """Check claims.

    Parameters
    ----------
    claims : tuple of Claim
        All by default, which takes a quarter of a minute.
    on_claim : callable, optional
        Called with each claim and its outcome.

    Returns
    -------
    ClaimsReport

    Examples
    --------
    >>> report = claims_report(CLAIMS[:2])
    >>> print(report.page().splitlines()[-1])
    | n hyperplanes in general position in R^p make 2 Σ_{i<p} C(n - 1, i) sectors (n = 6, p = 4). | Cover 1965 | \
`rq.sectors` | 52 | = 52 | 0 | yes |
    """
    rows = []
    for claim in claims:
        rows.append((claim, claim.check()))
        if on_claim is not None:
            on_claim(*rows[-1])
    return ClaimsReport(tuple(rows))


def write_claims(report: ClaimsReport, path: str | Path) -> tuple[Path, Path]:
    """Write the page, and its picture beside it.

    Parameters
    ----------
    report : ClaimsReport
        What :func:`claims_report` returned.
    path : str or Path
        Of the page; the picture has the same name and ends in ``.svg``.

    Returns
    -------
    page, picture : Path
        What was written.

    Raises
    ------
    ValueError
        If the name does not end in ``.md``, or the folder does not exist.
    OSError
        If a file cannot be written.
    """
    page = page_path(path)
    picture = page.with_suffix(".svg")
    draw_alignment(picture)
    page.write_text(report.page(picture.name), encoding="utf-8")
    return page, picture


def page_path(path: str | Path) -> Path:
    """Return the path of a page if one can be written there; ValueError if not."""
    page = Path(path)
    if page.suffix != ".md":
        raise ValueError(f"The claims are a Markdown page: its name must end in .md, but it is {page}.")
    if not page.parent.is_dir():
        raise ValueError(f"{page} cannot be written, because the folder {page.parent} does not exist; create it first.")
    return page


def draw_alignment(path: Path) -> None:
    """Draw predicted and reached directions of three data sets as an SVG."""
    import matplotlib as mpl

    from reluquant.views.alignment_view import alignment_view
    from reluquant.views.figures import alignment_figure

    shown: tuple[Dataset, ...] = (datasets.zigzag(), datasets.random(6, rng=15), datasets.three_points())
    views = [alignment_view(run(data, _N_NEURONS, _SCALE)) for data in shown]
    with mpl.rc_context(_SVG):
        alignment_figure(views).savefig(path, metadata={"Date": None, "Creator": None})
