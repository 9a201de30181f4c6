"""Arrow keys and labels: what a page needs beside the widgets, for keyboards and screen readers."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets as T


class Accessibility(anywidget.AnyWidget):
    """An invisible part of a box that leaves arrow keys to its sliders and menus, and names its figures.

    Parameters
    ----------
    inside : str
        CSS class of the box.
    labels : list of str
        What a screen reader says for each bqplot figure of the box, in their order.
    """

    _esm = Path(__file__).parent / "static" / "accessibility.js"
    inside = T.Unicode("reluquant").tag(sync=True)
    labels = T.List(T.Unicode()).tag(sync=True)
