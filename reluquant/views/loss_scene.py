"""The time strip as a scene: loss over log time, and the play head on the curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reluquant.analysis.escapes import Escape
from reluquant.structures.arrays import Floats
from reluquant.views.scene import Dots, Line, Panel
from reluquant.views.time_view import LossCurve, decade_ticks

# Where predictions lie, as a share of the height of the strip.
FORECAST_HEIGHT = 0.12


def loss_panel(
    curve: LossCurve,
    t: float,
    *,
    width: int = 930,
    height: int = 150,
    name: str = "loss",
    forecast: Sequence[Escape] = (),
) -> Panel:
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
        *_forecast_marks(curve, t, forecast),
        head,
    )
    ticks = {float(place): text for place, text in decade_ticks(*ends).items()}
    return Panel(
        name, ends, (0.0, curve.top), marks, width=width, height=height, x_label="time t", y_label="loss",
        x_ticks=ticks, summary="Loss over the logarithm of time",
    )  # fmt: skip


def forecast_places(curve: LossCurve, t: float, forecast: Sequence[Escape]) -> tuple[Floats, Floats]:
    """Places on the axis of the escapes predicted by time ``t``, and of those that have come by then."""
    made = [e for e in forecast if e.made_at <= t and e.predicted <= curve.t_last]
    come = [e for e in forecast if e.actual <= t]
    return (
        np.array([curve.position(e.predicted) for e in made], dtype=float),
        np.array([curve.position(e.actual) for e in come], dtype=float),
    )


def _forecast_marks(curve: LossCurve, t: float, forecast: Sequence[Escape]) -> tuple[Dots, ...]:
    if not forecast:
        return ()
    made, come = forecast_places(curve, t, forecast)
    level = FORECAST_HEIGHT * curve.top
    return (
        Dots(made, np.full(made.size, level), "difference", 90.0, "diamond", hollow=True, label="escape, predicted"),
        Dots(come, np.full(come.size, level), "difference", 60.0, "diamond", label="escape, came"),
    )
