"""The bar of controls above the panels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as W

from reluquant.widgets.controls import LogNumber

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
LARGEST_SEED = 2**31 - 1


class ControlBar:
    """Buttons, speed, scale, neurons and seed in one row.

    Parameters
    ----------
    width : int
        In pixels; what does not fit goes to a second row.
    on : mapping of str to callable
        What to call: ``back``, ``toggle``, ``forth`` and ``reset`` without arguments; ``speed``, ``scale``,
        ``neurons`` and ``seed`` with what the user set, a number or the text that was typed.
    """

    def __init__(self, width: int, on: Mapping[str, Callable]) -> None:
        self.back = _button("step-backward", "One frame back", on["back"])
        self.play = _button("play", "Play the run, or pause", on["toggle"])
        self.forth = _button("step-forward", "One frame forward", on["forth"])
        self.reset = _button("undo", "Back to the data and settings of the beginning", on["reset"])
        self.speed = W.Dropdown(
            options=_speeds(SPEEDS),
            value=1.0,
            tooltip="Speed of the play: at 1× a whole run takes 15 seconds",
            layout=W.Layout(width="66px"),
        )
        norm = "Typical norm of a neuron at the start"
        self.scale = LogNumber("scale", norm, -12, 0, 0.25, "{:.4g}".format, on["scale"])
        count = "Number of neurons, 1 to 10,000"
        self.neurons = LogNumber("neurons", count, 0, 4, 0.05, "{:.0f}".format, on["neurons"])
        self.seed = W.BoundedIntText(
            description="seed",
            min=0,
            max=LARGEST_SEED,
            tooltip="Seed of the random start",
            style={"description_width": "34px"},
            layout=W.Layout(width="110px"),
        )
        self.box = W.HBox(
            [
                self.back, self.play, self.forth, self.speed, self.scale.box, self.neurons.box, self.seed, self.reset,
            ],
            layout=W.Layout(flex_flow="row wrap", align_items="center", width=f"{width}px"),
        )  # fmt: skip
        self._showing = False
        self.speed.observe(lambda change: self._showing or on["speed"](change.new), names="value")
        self.seed.observe(lambda change: self._showing or on["seed"](change.new), names="value")

    def show(self, *, speed: float, scale: float, n_neurons: int, seed: int, playing: bool) -> None:
        """Show settings that somebody else made."""
        self._showing = True
        try:
            if speed not in dict(self.speed.options).values():
                self.speed.options = _speeds(sorted({*SPEEDS, speed}))
            self.speed.value = speed
            self.seed.value = seed
        finally:
            self._showing = False
        self.scale.show(scale)
        self.neurons.show(n_neurons)
        self.play.icon = "pause" if playing else "play"


def _speeds(values: list[float] | tuple[float, ...]) -> list[tuple[str, float]]:
    return [(f"{value:g}×", value) for value in values]


def _button(icon: str, tooltip: str, on_click: Callable[[], object]) -> W.Button:
    button = W.Button(icon=icon, tooltip=tooltip, layout=W.Layout(width="36px"))
    button.on_click(lambda _: on_click())
    return button
