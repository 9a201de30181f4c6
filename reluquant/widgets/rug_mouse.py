"""The mouse on the strip of kinks below a function: what it is over, and what it clicks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import anywidget
import traitlets as T


class RugMouse(anywidget.AnyWidget):
    """An invisible part of a box that reports the mouse on a strip of its first bqplot figure.

    Parameters
    ----------
    strip : (float, float)
        Where it is, as shares of the plot's height from the bottom.
    on_event : callable
        Gets ``{"event": "hover" | "pick", "x": …, "y": …, "width": …}``, shares of the plot from its lower left corner
        and its width in pixels, and ``{"event": "leave"}``.
    """

    _esm = Path(__file__).parent / "static" / "rug_mouse.js"
    inside = T.Unicode("reluquant").tag(sync=True)
    strip = T.Tuple(T.Float(), T.Float()).tag(sync=True)

    def __init__(self, strip: tuple[float, float], on_event: Callable[[Mapping[str, object]], None]) -> None:
        super().__init__(strip=strip)
        self.on_msg(lambda _widget, content, _buffers: on_event(content))
