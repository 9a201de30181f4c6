"""Buttons, speed and scrubber of an instrument that plays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as W
import numpy as np

from reluquant.structures.arrays import Floats

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)


class PlayButtons:
    """Back, play or pause, forth, and the speed.

    Parameters
    ----------
    on : mapping of str to callable
        What to call: ``back``, ``toggle``, ``forth`` without arguments, ``speed`` with the speed that was chosen.
    """

    def __init__(self, on: Mapping[str, Callable]) -> None:
        self.back = button("step-backward", "One frame back", on["back"])
        self.play = button("play", "Play the run, or pause", on["toggle"])
        self.forth = button("step-forward", "One frame forward", on["forth"])
        self.speed = W.Dropdown(
            options=_speeds(SPEEDS),
            value=1.0,
            tooltip="Speed of the play: at 1× a whole run takes 15 seconds",
            layout=W.Layout(width="66px"),
        )
        self._showing = False
        self.speed.observe(lambda change: self._showing or on["speed"](change.new), names="value")

    @property
    def parts(self) -> list[W.Widget]:
        """The four controls from left to right."""
        return [self.back, self.play, self.forth, self.speed]

    def show(self, *, speed: float, playing: bool) -> None:
        """Show settings that somebody else made."""
        self._showing = True
        try:
            if speed not in dict(self.speed.options).values():
                self.speed.options = _speeds(sorted({*SPEEDS, speed}))
            self.speed.value = speed
        finally:
            self._showing = False
        self.play.icon = "pause" if playing else "play"


class PlayBar:
    """Back, play, forth, speed, and a scrubber over the frames of a play.

    Parameters
    ----------
    width : int
        In pixels.
    cursor : str
        What the scrubber moves, in words, for its tooltip.
    on : mapping of str to callable
        What to call: ``back``, ``toggle``, ``forth`` without arguments, ``speed`` with the speed that was chosen,
        ``scrub`` with the moment of the play that the scrubber was taken to.
    """

    def __init__(self, width: int, cursor: str, on: Mapping[str, Callable]) -> None:
        self._on_scrub = on["scrub"]
        self._grid = np.zeros(1)
        self.buttons = PlayButtons(on)
        self.slider = W.IntSlider(
            value=0, min=0, max=1, readout=False, tooltip=f"{cursor}: drag, or use the arrow keys",
            layout=W.Layout(width=f"{width - 210}px"),
        )  # fmt: skip
        self.box = W.HBox([*self.buttons.parts, self.slider], layout=W.Layout(align_items="center"))
        self._showing = False
        self._shown = 0
        self.slider.observe(self._slid, names="value")

    def set_grid(self, grid: Floats) -> None:
        """Tell the moments of a play, in increasing order."""
        self._grid = np.asarray(grid, dtype=float)
        self._showing = True
        try:
            self.slider.max = max(1, self._grid.size - 1)
        finally:
            self._showing = False

    def show(self, value: float, *, speed: float, playing: bool) -> None:
        """Show a cursor and settings that somebody else set."""
        self.buttons.show(speed=speed, playing=playing)
        self._showing = True
        try:
            self._shown = int(np.searchsorted(self._grid, value * (1 - 1e-12) if value > 0 else value))
            self.slider.value = min(self._shown, self.slider.max)
        finally:
            self._showing = False

    def _slid(self, change: object) -> None:
        # What the program itself showed comes back as a change, too.
        if not self._showing and change.new != self._shown:
            self._shown = change.new
            self._on_scrub(float(self._grid[min(change.new, self._grid.size - 1)]))


def button(icon: str, tooltip: str, on_click: Callable[[], object]) -> W.Button:
    """A button with an icon; what it calls gets no argument."""
    made = W.Button(icon=icon, tooltip=tooltip, layout=W.Layout(width="36px"))
    made.on_click(lambda _: on_click())
    return made


def _speeds(values: list[float] | tuple[float, ...]) -> list[tuple[str, float]]:
    return [(f"{value:g}×", value) for value in values]
