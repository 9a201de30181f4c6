"""Neurons by their numbers: what a click on a mark does, by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as W

from reluquant.widgets.controls import as_numbers

# So many numbers are written out.
MOST_WRITTEN = 8


class NeuronEntry:
    """A box for the numbers of neurons, counted from 0.

    Parameters
    ----------
    width : int
        In pixels.
    on_typed : callable
        Called with the text that was typed.
    """

    def __init__(self, width: int, on_typed: Callable[[str], object]) -> None:
        self.text = W.Text(
            description="neuron", placeholder="number", continuous_update=False,
            tooltip="Select neurons by their numbers from 0, such as 17 or 3, 8; empty (or Escape) for none",
            style={"description_width": "50px"}, layout=W.Layout(width=f"{width}px"),
        )  # fmt: skip
        self._showing = False
        self.text.observe(lambda change: self._showing or on_typed(change.new), names="value")

    def show(self, chosen: Sequence[int]) -> None:
        """Show which neurons are selected, by number if they are few."""
        self._showing = True
        try:
            self.text.value = ", ".join(str(j) for j in chosen) if len(chosen) <= MOST_WRITTEN else ""
            self.text.placeholder = f"{len(chosen):,} of them" if len(chosen) > MOST_WRITTEN else "number"
        finally:
            self._showing = False


def as_neurons(text: str, n_neurons: int) -> tuple[int, ...]:
    """Read typed numbers of neurons.

    Raises
    ------
    ValueError
        In one sentence, if one is no whole number from 0 to ``n_neurons - 1``.
    """
    typed = as_numbers(text, "neuron")
    if not all(number == round(number) and 0 <= number < n_neurons for number in typed):
        raise ValueError(
            f"Neurons are selected by whole numbers from 0 to {n_neurons - 1:,} such as 0, but {text!r} was typed."
        )
    return tuple(dict.fromkeys(int(number) for number in typed))
