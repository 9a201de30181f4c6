"""What the mouse does with data points, ready data sets, undo and redo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ipywidgets as W

from reluquant.widgets.function_panel import MODES
from reluquant.widgets.play_bar import button

TOOLTIPS = {
    "move": "Drag points",
    "add": "Click an empty place to add a point",
    "delete": "Click a point to delete it",
    "draw": "Draw a target with the mouse: the points take its height",
}
OWN = "own data"


class EditBar:
    """Mode of the mouse, presets, undo and redo in one row.

    Parameters
    ----------
    presets : sequence of str
        Names of the data sets to choose from.
    on : mapping of str to callable
        What to call: ``mode`` and ``preset`` with what was chosen, ``undo`` and ``redo`` without arguments.
    """

    def __init__(self, presets: Sequence[str], on: Mapping[str, Callable]) -> None:
        self.mode = W.ToggleButtons(
            options=list(MODES),
            tooltips=[TOOLTIPS[mode] for mode in MODES],
            style={"button_width": "64px"},
            layout=W.Layout(width="290px"),
        )
        self.preset = W.Dropdown(
            options=[OWN, *presets],
            tooltip="A ready data set in place of the present one",
            layout=W.Layout(width="130px"),
        )
        self.undo = button("undo", "Undo the last change of the data", on["undo"])
        self.redo = button("repeat", "Redo what was undone", on["redo"])
        self.box = W.HBox([self.mode, self.preset, self.undo, self.redo], layout=W.Layout(align_items="center"))
        self._showing = False
        self.mode.observe(lambda change: self._showing or on["mode"](change.new), names="value")
        self.preset.observe(self._chosen(on["preset"]), names="value")

    def show(self, *, mode: str, preset: str, can_undo: bool, can_redo: bool) -> None:
        """Show settings that somebody else made."""
        self._showing = True
        try:
            self.mode.value = mode
            self.preset.value = preset or OWN
            self.undo.disabled, self.redo.disabled = not can_undo, not can_redo
        finally:
            self._showing = False

    def _chosen(self, on_preset: Callable[[str], object]) -> Callable[[object], None]:
        def chosen(change: object) -> None:
            if not self._showing:
                on_preset("" if change.new == OWN else change.new)

        return chosen
