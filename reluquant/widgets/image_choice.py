"""Three numbered entries with buttons to the one before and the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as W

from reluquant.widgets.play_bar import button


class ImageChoice:
    """Which data points a slice goes through.

    Parameters
    ----------
    names : sequence of str
        What they are called.
    on_chosen : callable
        Called with the place of an entry and the number that was typed.
    on_step : callable
        Called with the place of an entry, and 1 or -1.
    on_shuffle : callable
        Called without arguments.
    """

    def __init__(
        self,
        names: Sequence[str],
        on_chosen: Callable[[int, int], object],
        on_step: Callable[[int, int], object],
        on_shuffle: Callable[[], object],
    ) -> None:
        self._on_chosen, self._on_step, self._showing = on_chosen, on_step, False
        self.entries = [self._entry(place, name) for place, name in enumerate(names)]
        self.back = [self._step(place, name, -1) for place, name in enumerate(names)]
        self.forth = [self._step(place, name, 1) for place, name in enumerate(names)]
        self.shuffle = button("random", "Three other data points, at random", on_shuffle)
        groups = zip(self.back, self.entries, self.forth, strict=True)
        boxes = [W.HBox(group, layout=W.Layout(margin="0 12px 0 0")) for group in groups]
        self.box = W.HBox([*boxes, self.shuffle], layout=W.Layout(align_items="center"))

    def _entry(self, place: int, name: str) -> W.IntText:
        entry = W.IntText(
            description=name, tooltip=f"Number of data point {name}, from 0", continuous_update=False,
            style={"description_width": "16px"}, layout=W.Layout(width="104px"),
        )  # fmt: skip
        entry.observe(lambda change: self._showing or self._on_chosen(place, change.new), names="value")
        return entry

    def _step(self, place: int, name: str, step: int) -> W.Button:
        icon, which = ("chevron-left", "before") if step < 0 else ("chevron-right", "after")
        return button(icon, f"The data point {which} {name}", lambda: self._on_step(place, step))

    def show(self, indices: Sequence[int]) -> None:
        """Show a choice that somebody else made."""
        self._showing = True
        try:
            for entry, index in zip(self.entries, indices, strict=True):
                entry.value = int(index)
        finally:
            self._showing = False
