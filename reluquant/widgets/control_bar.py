"""The bar of controls above the panels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as W

from reluquant.widgets.controls import LogNumber
from reluquant.widgets.play_bar import PlayButtons, button

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
        self.buttons = PlayButtons(on)
        self.reset = button("refresh", "Back to the data and settings of the beginning", on["reset"])
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
                *self.buttons.parts, self.scale.box, self.neurons.box, self.seed, self.reset,
            ],
            layout=W.Layout(flex_flow="row wrap", align_items="center", width=f"{width}px"),
        )  # fmt: skip
        self._showing = False
        self.seed.observe(lambda change: self._showing or on["seed"](change.new), names="value")

    def show(self, *, speed: float, scale: float, n_neurons: int, seed: int, playing: bool) -> None:
        """Show settings that somebody else made."""
        self._showing = True
        try:
            self.seed.value = seed
        finally:
            self._showing = False
        self.scale.show(scale)
        self.neurons.show(n_neurons)
        self.buttons.show(speed=speed, playing=playing)

