"""The mouse over a bqplot figure, which itself reports no end of a hover and no ticks of a line."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets as T

EVENTS = ("hover", "pick", "leave")


class FigureHand(anywidget.AnyWidget):
    """An invisible part of a box that reports where the mouse is in a band of a figure of the same box.

    Parameters
    ----------
    figure : str
        CSS class of the figure.
    band : (float, float)
        Lower and upper end of the band, as shares of the plot's height from the bottom.
    on_event : callable
        Called with one of :data:`EVENTS` and a place: shares of the plot's width, from the left, and height, from the
        bottom; of NaN when the mouse leaves the band.
    """

    _esm = Path(__file__).parent / "static" / "figure_hand.js"
    figure = T.Unicode().tag(sync=True)
    band = T.Tuple(T.Float(), T.Float()).tag(sync=True)

    def __init__(
        self, figure: str, band: tuple[float, float], on_event: Callable[[str, float, float], object]
    ) -> None:
        super().__init__(figure=figure, band=band)
        self._on_event = on_event
        self.on_msg(self._heard)

    def _heard(self, _: object, content: object, buffers: object) -> None:
        if isinstance(content, dict) and content.get("event") in EVENTS:
            place = (content.get(axis) for axis in ("x", "y"))
            self._on_event(content["event"], *(float(v) if isinstance(v, int | float) else math.nan for v in place))
