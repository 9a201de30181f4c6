"""Arrow keys, Escape and labels: what a page needs beside the widgets, for keyboards and screen readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets as T


class Accessibility(anywidget.AnyWidget):
    """An invisible part of a box: arrow keys are left to sliders and menus, Escape is reported, figures have names.

    Parameters
    ----------
    inside : str
        CSS class of the box.
    labels : list of str
        What a screen reader says for each bqplot figure of the box, in their order.
    """

    # What to call when Escape is pressed in the box.
    on_escape: Callable[[], object] = staticmethod(lambda: None)

    _esm = Path(__file__).parent / "static" / "accessibility.js"
    inside = T.Unicode("reluquant").tag(sync=True)
    labels = T.List(T.Unicode()).tag(sync=True)

    def __init__(self, **traits: object) -> None:
        super().__init__(**traits)
        self.on_msg(lambda _, content, buffers: content == {"event": "escape"} and self.on_escape())
