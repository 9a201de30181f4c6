"""Small controls: a number with a logarithmic slider, and points as text."""

from __future__ import annotations

import math
from collections.abc import Callable

import ipywidgets as W
import numpy as np

from reluquant.structures.arrays import Floats


class LogNumber:
    """A number on a logarithmic slider and in a box that takes any text of a number.

    Parameters
    ----------
    label, tooltip : str
        Shown beside and over the control.
    low, high : float
        Powers of ten at the ends of the slider; the box goes beyond.
    step : float
        Of the slider, in decades.
    write : callable
        How to write a value in the box.
    on_change : callable
        Called with the number (a float) that the user set; it may raise to refuse it.
    """

    def __init__(
        self,
        label: str,
        tooltip: str,
        low: float,
        high: float,
        step: float,
        write: Callable[[float], str],
        on_change: Callable[[float], None],
    ) -> None:
        self._write, self._on_change, self._showing = write, on_change, False
        self._placed = math.nan
        self.slider = W.FloatLogSlider(
            description=label,
            base=10,
            min=low,
            max=high,
            step=step,
            readout=False,
            tooltip=tooltip,
            style={"description_width": "54px"},
            layout=W.Layout(width="200px"),
        )
        self.text = W.Text(
            continuous_update=False,
            tooltip=f"{tooltip} (type a number)",
            placeholder=label,
            layout=W.Layout(width="68px"),
        )
        self.box = W.HBox([self.slider, self.text])
        self.slider.observe(lambda change: self._slid(change.new), names="value")
        self.text.observe(lambda change: self._changed(change.new), names="value")

    def show(self, value: float) -> None:
        """Show a value that somebody else set; the slider stops at its end."""
        self._showing = True
        try:
            self.text.value = self._write(value)
            if self._write(self.slider.value) == self.text.value:
                return
            # On one of its own steps: the page would move it there and report that as the user's wish.
            steps = round((math.log10(value) - self.slider.min) / self.slider.step)
            last = round((self.slider.max - self.slider.min) / self.slider.step)
            self._placed = 10.0 ** (self.slider.min + min(max(steps, 0), last) * self.slider.step)
            self.slider.value = self._placed
        finally:
            self._showing = False

    def _slid(self, value: float) -> None:
        # The page rounds in its own way what it was told to show.
        if not math.isclose(value, self._placed, rel_tol=1e-6):
            self._placed = value
            self._changed(value)

    def _changed(self, value: float | str) -> None:
        if not self._showing:
            self._on_change(value)


def as_number(text: float | str, name: str) -> float:
    """Read a typed number.

    Raises
    ------
    ValueError
        In one sentence, if it is not one.
    """
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number such as 1e-6, but {text!r} was typed.") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, but {text!r} was typed.")
    return value


def as_numbers(text: str, name: str) -> list[float]:
    """Read a typed list of numbers, split at commas or blanks.

    Raises
    ------
    ValueError
        In one sentence, if an entry is not a number.
    """
    return [as_number(entry, f"Each {name}") for entry in text.replace(",", " ").replace(";", " ").split()]


def written(values: Floats) -> str:
    """Write numbers so that reading them again gives the same ones."""
    return ", ".join(
        np.format_float_positional(v, trim="-") if 1e-4 <= abs(v) < 1e6 or v == 0 else repr(float(v)) for v in values
    )
