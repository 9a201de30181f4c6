"""A scene live in the page: drawn as SVG, with what mouse and keyboard do reported back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import anywidget
import traitlets as T

from reluquant.views.packed_scene import packed_scene
from reluquant.views.scene import Scene

STATIC = Path(__file__).parent / "static"
# Everything the page reports: a mark picked, hovered, left, dragged, dropped, nudged by arrow keys or deleted; a click
# on an empty place; a stroke drawn from there and its end; a turn of the panel, and of the wheel over it.
EVENTS = ("pick", "hover", "leave", "drag", "drop", "nudge", "delete", "click", "stroke", "stroked", "turn", "wheel")


class SceneView(anywidget.AnyWidget):
    """Shows one scene after the other.

    Parameters
    ----------
    on_event : callable
        Called with each event, a dict: ``event`` (one of :data:`EVENTS`), ``panel``, and what belongs to it: ``name``
        and ``index`` of the mark, data coordinates ``x`` and ``y``, or a way ``dx`` and ``dy`` (of a nudge in data
        coordinates, of a turn in pixels), or ``pixels`` that a wheel went towards the panel.
    legend : bool
        Whether a legend stands below.
    """

    _esm = STATIC / "scene.js"
    _css = STATIC / "scene.css"
    scene = T.Dict().tag(sync=True)

    def __init__(
        self, on_event: Callable[[Mapping[str, object]], object] = lambda event: None, *, legend: bool = True
    ) -> None:
        super().__init__()
        self._legend = legend
        self._on_event = on_event
        self.on_msg(self._heard)

    def show(self, scene: Scene) -> None:
        """Draw a scene in place of the one before."""
        packed = packed_scene(scene)
        self.scene = packed if self._legend else {**packed, "legend": []}

    def _heard(self, _: object, content: object, buffers: object) -> None:
        if isinstance(content, dict) and content.get("event") in EVENTS:
            self._on_event(content)
