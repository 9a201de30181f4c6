"""The circle of weight directions, drawn as SVG in the page."""

from __future__ import annotations

import math
from pathlib import Path

import anywidget
import numpy as np
import traitlets as T

from reluquant.structures.dataset import Dataset
from reluquant.views import theme
from reluquant.views.direction_view import RING
from reluquant.views.frames import FlowFrame, sector_view

STATIC = Path(__file__).parent / "static"

# Opacity of the weakest attracting direction; the strongest is opaque.
FAINTEST = 0.5
# Points along the arc of the dead cone: three degrees apart at most.
ARC_POINTS = 60


class CirclePanel(anywidget.AnyWidget):
    """Circular histogram of weight directions with sectors and attracting directions.

    Parameters
    ----------
    size : int
        Width and height in pixels.
    """

    _esm = STATIC / "circle.js"
    _css = STATIC / "circle.css"
    size = T.Int(340).tag(sync=True)
    ring = T.Float(RING).tag(sync=True)
    sectors = T.Dict().tag(sync=True)
    picture = T.Dict().tag(sync=True)

    def show_data(self, data: Dataset) -> None:
        """Draw the sectors of ``data``."""
        view = sector_view(data)
        labels = []
        if view.angles.size <= theme.MOST_LABELS:
            labels = [
                {"at": _polar(theme.LABEL_RADIUS, angle), "text": f"x{_subscript(rank)}", "kind": "sample"}
                for angle, rank in zip(view.angles, view.ranks, strict=True)
            ]
        labels.append({"at": [0.0, -0.12], "text": "angle of (w, b)", "kind": "axis"})
        labels.append({"at": [0.0, 0.06], "text": "a > 0 outwards", "kind": "axis"})
        labels.append({"at": [0.0, -0.03], "text": "a < 0 inwards", "kind": "axis"})
        start, end = view.dead
        arc = [_polar(theme.RAY_END, turn) for turn in np.linspace(start, end, ARC_POINTS)]
        self.sectors = {
            "rays": [[_polar(theme.RAY_START, angle), _polar(theme.RAY_END, angle)] for angle in view.angles],
            "dead": [*arc, [0.0, 0.0]],
            "labels": labels,
        }

    def show(self, frame: FlowFrame) -> None:
        """Draw one moment."""
        predicted = [
            {
                "at": _polar(RING, angle),
                "sign": int(sign),
                "opacity": round(FAINTEST + (1 - FAINTEST) * float(strength), 2),
                "title": f"predicted: neurons with a {'>' if sign > 0 else '<'} 0 turn to {math.degrees(angle):.1f}°",
            }
            for angle, sign, strength in zip(
                frame.extremal.angle, frame.extremal.sign, frame.extremal.strength, strict=True
            )
        ]
        self.picture = {
            "positive": np.round(frame.bars_positive, 4).tolist(),
            "negative": np.round(frame.bars_negative, 4).tolist(),
            "dead": np.round(frame.bars_dead, 4).tolist(),
            "predicted": predicted,
            "summary": f"Circular histogram of weight directions. {frame.sentence}",
        }


def _polar(radius: float, angle: float) -> list[float]:
    return [round(radius * math.cos(angle), 4), round(radius * math.sin(angle), 4)]


def _subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
