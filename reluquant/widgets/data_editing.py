"""Data that are dragged, clicked, drawn, typed, chosen, and taken back."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from reluquant import datasets
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.views.function_view import Window
from reluquant.widgets.history import History
from reluquant.widgets.instrument import guarded
from reluquant.widgets.playable import Playable
from reluquant.widgets.words import as_points

# Ready data sets of one input.
PRESETS = {
    "zigzag": datasets.zigzag,
    "absolute": datasets.absolute,
    "tent": datasets.tent,
    "two points": datasets.two_points,
    "three points": datasets.three_points,
    "five points": datasets.five_points,
    "sine": datasets.sine,
    "random": partial(datasets.random, rng=0),
    "stewart": partial(datasets.stewart, rng=0),
    "terrain": datasets.terrain_profile,
}
# Dragged points are rounded to this share of the panel (less than a pixel), so that the numbers shown are the data.
DRAG_STEP = 1e-3


class EditsData(Playable):
    """An instrument whose data of one input the user changes.

    A kind of it has the trait ``data``, a function panel ``_function``, a points box ``_points``, the ``_window`` of
    the panel, and shows data by ``_show_data`` and a window by ``_show_window``.
    """

    _window: Window
    _in_hand = False

    def __init__(self, *, data: Dataset, **traits: object) -> None:
        self._history = History(data)
        super().__init__(data=data, **traits)

    def undo(self) -> None:
        """Return to the data before the last change of them."""
        self._travel(self._history.undo())

    def redo(self) -> None:
        """Return to the data that were undone."""
        self._travel(self._history.redo())

    # --- the user moved something ----------------------------------------------------------------

    @guarded
    def _points_moved(self, x: Floats, y: Floats) -> None:
        shown = self._window
        x, y = rounded(x, shown.right - shown.left), rounded(y, shown.top - shown.bottom)
        if x.size != self.data.n_samples:
            self._points_counted(x, y)
        elif not (np.array_equal(x, self.data.X[:, 0]) and np.array_equal(y, self.data.y)):
            self._in_hand = True
            try:
                self.data = Dataset(x, y, name=self.data.name)
            finally:
                self._in_hand = False

    def _points_counted(self, x: Floats, y: Floats) -> None:
        """A point was added or deleted by a click."""
        if x.size == 0:
            self._show_data()
            raise ValueError("One point must stay: move it, or add another before you delete it.")
        self.data = Dataset(x, y, name=self.data.name)

    @guarded
    def _point_dropped(self) -> None:
        self._history.push(self.data)
        self._show_controls()
        # Only now, since a window that moves under a held point would carry it away.
        if not self._window.holds(self.data.X[:, 0], self.data.y):
            self._show_window()
            self._drawing.request()

    @guarded
    def _points_typed(self, text: str) -> None:
        x, y = as_points(text)
        if np.array_equal(x, self.data.X[:, 0]) and np.array_equal(y, self.data.y):
            self._points.show(self.data)
        else:
            self.data = Dataset(x, y, name=self.data.name)

    # --- a trait changed -------------------------------------------------------------------------

    def _note_data(self) -> None:
        """Remember new data, but not each place that a dragged point passes."""
        if not self._in_hand:
            self._history.push(self.data)

    def _travel(self, data: Dataset) -> None:
        self.data = data
        self._show_controls()


def rounded(values: Floats, span: float) -> Floats:
    """Dragged coordinates rounded to less than a pixel of a panel of that span."""
    digits = -math.floor(math.log10(span * DRAG_STEP))
    return np.round(values, digits) if abs(digits) < 300 else values
