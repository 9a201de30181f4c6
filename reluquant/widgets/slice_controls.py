"""The controls of the slice explorer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ipywidgets as W

from reluquant.views.slice_images import CORNERS
from reluquant.widgets.controls import LogNumber
from reluquant.widgets.image_choice import ImageChoice
from reluquant.widgets.play_bar import PlayBar, button

# What the menu calls the winning class: of None it would show nothing.
CLASSES = -1


class SliceControls:
    """Two rows of controls above the picture, a play bar, and the entry of the probe.

    Parameters
    ----------
    width : int
        In pixels.
    on : mapping of str to callable
        What to call: ``image`` with the place of an entry and the number that was typed, ``step`` with its place and 1
        or -1, ``shuffle`` and ``whole`` without arguments; ``output`` (a number, or None for classes), ``zoom``,
        ``edges``, ``near`` and ``probe`` with what was typed or chosen; and those of :class:`PlayBar`.
    """

    def __init__(self, width: int, on: Mapping[str, Callable]) -> None:
        self._showing = False
        self.choice = ImageChoice(CORNERS, on["image"], on["step"], on["shuffle"])
        self.output = W.Dropdown(
            description="show", tooltip="The winning class, or the value of one output and its zero level",
            style={"description_width": "38px"}, layout=W.Layout(width="210px"),
        )  # fmt: skip
        self._tell(self.output, lambda value: on["output"](None if value == CLASSES else value))
        tip = "Zoom about the probe; in the picture, the wheel with Ctrl zooms about the mouse"
        self.zoom = LogNumber("zoom", tip, -1, 3, 0.05, "{:.4g}".format, on["zoom"])
        self.whole = button("expand", "Show the three points again", on["whole"])
        self.edges = W.FloatSlider(
            description="edges", min=0.0, max=1.0, step=0.01, readout_format=".0%",
            tooltip="Boundaries of the heaviest neurons that have this share of the mass; 0 for none",
            style={"description_width": "44px"}, layout=W.Layout(width="290px"),
        )  # fmt: skip
        self._tell(self.edges, on["edges"])
        tip = "Mark other data points within this distance of the plane; 0 for none"
        self.near = self._text("near", tip, 40, 120, on["near"])
        tip = "Shares of B and C in the probe, such as 0.3 0.4: the rest is A"
        self.probe = self._text("probe", tip, 54, 300, on["probe"])
        self.bar = PlayBar(width, "The moment t", on)
        layout = W.Layout(align_items="center", flex_flow="row wrap", width=f"{width + 6}px")
        self.rows = [
            W.HBox([self.choice.box, self.output], layout=layout),
            W.HBox([self.zoom.box, self.whole, self.edges, self.near], layout=layout), self.bar.box,
        ]  # fmt: skip

    def show(
        self, *, chosen: Sequence[int], classes: Sequence[str], output: int | None, zoom: float, edges: float,
        near: float, probe: Sequence[float],
    ) -> None:  # fmt: skip
        """Show settings that somebody else made; the bar shows its own."""
        several = len(classes) > 1
        names = [(f"value of output {name}", k) for k, name in enumerate(classes)]
        options = (("which class wins", CLASSES), *names) if several else (("the output f", CLASSES),)
        self._showing = True
        try:
            self.choice.show(chosen)
            if self.output.options != options:
                self.output.options = options
            self.output.value = output if several and output is not None else CLASSES
            self.edges.value = edges
            self.near.value = f"{near:g}"
            self.probe.value = " ".join(f"{share:.6g}" for share in probe)
        finally:
            self._showing = False
        self.zoom.show(zoom)

    def _text(self, label: str, tooltip: str, label_width: int, width: int, on_typed: Callable) -> W.Text:
        made = W.Text(
            description=label, tooltip=tooltip, continuous_update=False,
            style={"description_width": f"{label_width}px"}, layout=W.Layout(width=f"{width}px"),
        )  # fmt: skip
        self._tell(made, on_typed)
        return made

    def _tell(self, control: W.Widget, called: Callable) -> None:
        control.observe(lambda change: self._showing or called(change.new), names="value")
