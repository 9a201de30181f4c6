"""The time strip as a scene: loss over log time, and the play head on the curve."""

from __future__ import annotations

import numpy as np

from reluquant.views.scene import Dots, Line, Panel
from reluquant.views.time_view import LossCurve, decade_ticks


def loss_panel(curve: LossCurve, t: float, *, width: int = 930, height: int = 150, name: str = "loss") -> Panel:
    """Return the strip with its play head at time ``t``; events call it ``head``."""
    ends = (float(np.log10(curve.t_first)), float(np.log10(curve.t_last)))
    here = curve.position(t)
    head = Dots(
        np.array([here]), np.array([curve.height(t)]), "interpolant", 130.0, name="head", movable=True,
        titles=(f"t = {t:.4g}",),
    )  # fmt: skip
    marks = (
        Line(np.full(2, here), np.array([0.0, curve.top]), "interpolant", 1.5),
        Line(curve.log_t, curve.loss, "ink", 2.0, label="loss"),
        head,
    )
    ticks = {float(place): text for place, text in decade_ticks(*ends).items()}
    return Panel(
        name, ends, (0.0, curve.top), marks, width=width, height=height, x_label="time t", y_label="loss",
        x_ticks=ticks, summary="Loss over the logarithm of time",
    )  # fmt: skip
