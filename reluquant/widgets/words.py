"""The explorer in words: status, errors, and the data as text."""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets as W
import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.widgets.controls import as_numbers, written


class Words:
    """A status line and, when something went wrong, one sentence about it.

    Parameters
    ----------
    width : int
        In pixels.
    """

    def __init__(self, width: int) -> None:
        self.status = W.HTML(layout=W.Layout(width=f"{width}px", min_height="38px", margin="0"))
        self.alert = W.HTML(layout=W.Layout(width=f"{width}px", display="none"))

    def show(self, status: str, error: str, *, busy: bool, live: bool) -> None:
        """Show a status and an error, which may be empty; a screen reader speaks the status if it is ``live``."""
        # A status that begins with the work itself needs no mark of it.
        work = " <i>computing …</i>" if busy and not status.startswith("Computing") else ""
        polite = "polite" if live else "off"
        self.status.value = (
            f'<div class="rq-status" role="status" aria-live="{polite}">{html.escape(status)}{work}</div>'
        )
        self.alert.value = f'<div class="rq-alert" role="alert">{html.escape(error)}</div>' if error else ""
        self.alert.layout.display = None if error else "none"


class PointsText:
    """The data as text, ``x y; x y; …``, to move, add or remove points by keyboard.

    Parameters
    ----------
    width : int
        In pixels.
    on_typed : callable
        Called with the new text.
    label, tooltip : str
        Shown beside and over it.
    """

    def __init__(
        self,
        width: int,
        on_typed: Callable[[str], object],
        label: str = "points",
        tooltip: str = "The data as x y; x y; … – type to move, add or remove points",
    ) -> None:
        self.text = W.Text(
            description=label,
            tooltip=tooltip,
            continuous_update=False,
            style={"description_width": "54px"},
            layout=W.Layout(width=f"{width}px"),
        )
        self._showing = False
        self._on_typed = on_typed
        self.text.observe(self._changed, names="value")

    def show(self, data: Dataset) -> None:
        """Show data that somebody else set."""
        self.show_rows(np.column_stack([data.X, data.y]))

    def show_rows(self, rows: Floats) -> None:
        """Show rows of numbers that somebody else set, shape (n_rows, n_columns)."""
        self._showing = True
        try:
            self.text.value = "; ".join(" ".join(written([value]) for value in row) for row in rows)
        finally:
            self._showing = False

    def _changed(self, change: object) -> None:
        if not self._showing:
            self._on_typed(change.new)


def as_rows(text: str, width: int, kind: str, example: str) -> Floats:
    """Read typed points with so many coordinates, shape (n_points, width).

    Raises
    ------
    ValueError
        In one sentence, with the kind and an example, if they are something else.
    """
    rows = rows_of(text, width)
    if rows is None or rows.size == 0:
        raise ValueError(f"Points must be {kind} such as {example}, separated by semicolons.")
    return rows


def as_points(text: str) -> tuple[Floats, Floats]:
    """Read typed points of the line.

    Raises
    ------
    ValueError
        In one sentence, if they are not pairs of numbers.
    """
    x, y = as_rows(text, 2, "pairs", "-1 0.5; 0 -0.5; 1 0.5").T
    return x, y


def rows_of(text: str, columns: int) -> Floats | None:
    """Read typed rows of numbers, shape (n_rows, columns); None if a row has not that many.

    Raises
    ------
    ValueError
        In one sentence, if an entry is not a number.
    """
    rows = [as_numbers(row, "coordinate") for row in text.split(";") if row.strip()]
    return None if any(len(row) != columns for row in rows) else np.array(rows, dtype=float).reshape(-1, columns)
