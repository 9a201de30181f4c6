"""The time strip: loss over log time, with a play head that can be dragged along it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import bqplot as bq
import ipywidgets as W
import numpy as np

from reluquant.analysis.escapes import Escape
from reluquant.views import theme
from reluquant.views.loss_scene import FORECAST_HEIGHT, forecast_places
from reluquant.views.time_view import LossCurve, decade_ticks, round_ticks

LEFT_MARGIN, RIGHT_MARGIN = 62, 12
SLIDER_STEPS = 2000
# A control that moved this recently is in the user's hand.
HELD_SECONDS = 0.4


class TimePanel:
    """Loss curve, play head and scrubber on one axis of log time.

    Parameters
    ----------
    width, height : int
        In pixels, the scrubber not counted.
    on_scrub : callable
        Called with a time when the user moves the play head or the scrubber.
    """

    def __init__(self, width: int, height: int, on_scrub: Callable[[float], None]) -> None:
        self._on_scrub = on_scrub
        self._curve: LossCurve | None = None
        self._shown, self._slider_shown = 0.0, 0
        self._slider_moved = self._head_moved = -math.inf
        self.x_scale, self.y_scale = bq.LinearScale(min=0.0, max=1.0), bq.LinearScale(min=0.0, max=1.0)
        plane = {"x": self.x_scale, "y": self.y_scale}
        whole = {"x": self.x_scale, "y": bq.LinearScale(min=0.0, max=1.0)}
        self.loss = bq.Lines(scales=plane, colors=[theme.CSS_INK], stroke_width=2.0)
        self.cursor = bq.Lines(scales=whole, colors=[theme.CSS_INTERPOLANT], stroke_width=1.5)
        self.head = bq.Scatter(
            scales=plane,
            colors=[theme.CSS_INTERPOLANT],
            stroke=theme.CSS_PAPER,
            stroke_width=1.5,
            default_size=130,
            enable_move=True,
            restrict_x=True,
            update_on_move=True,
            drag_size=1.4,
        )
        self.predicted, self.came = (
            bq.Scatter(
                scales=whole, marker="diamond", colors=[inside], stroke=theme.CSS_DIFFERENCE, stroke_width=2.0,
                default_size=size,
            )
            for inside, size in ((theme.CSS_PAPER, 90), (theme.CSS_DIFFERENCE, 60))
        )  # fmt: skip
        # One blank tick until there is a run: bqplot takes no list of none, and its own would be a crowd.
        none = {"tick_values": np.zeros(1), "tick_labels": {"0": " "}, **theme.AXIS}
        self.time_axis = bq.Axis(scale=self.x_scale, label="time t", label_offset="28px", **none)
        self.loss_axis = bq.Axis(scale=self.y_scale, side="left", label="loss", label_offset="42px", **none)
        self.figure = bq.Figure(
            marks=[self.cursor, self.loss, self.predicted, self.came, self.head],
            axes=[self.time_axis, self.loss_axis],
            animation_duration=0,
            fig_margin={"top": 8, "bottom": 40, "left": LEFT_MARGIN, "right": RIGHT_MARGIN},
            padding_x=0.0,
            padding_y=0.0,
            layout=W.Layout(width=f"{width}px", height=f"{height}px", flex="0 0 auto"),
        )
        self.slider = W.IntSlider(
            value=0,
            min=0,
            max=SLIDER_STEPS,
            readout=False,
            tooltip="Time on the axis above: drag, or use the arrow keys",
            layout=W.Layout(width=f"{width - LEFT_MARGIN - RIGHT_MARGIN + 16}px", margin=f"0 0 0 {LEFT_MARGIN - 8}px"),
        )
        self.box = W.VBox([self.figure, self.slider], layout=W.Layout(flex="0 0 auto"))
        self.slider.observe(self._scrubbed, names="value")
        self.head.observe(self._dragged, names="x")

    def show_run(self, curve: LossCurve) -> None:
        """Draw a run's loss and set both axes."""
        self._curve = curve
        left, right = np.log10(curve.t_first), np.log10(curve.t_last)
        for scale, ends in ((self.x_scale, (left, right)), (self.y_scale, (0.0, curve.top))):
            with scale.hold_sync():
                scale.min, scale.max = map(float, ends)
        decades = decade_ticks(left, right)
        # Labels first, in a message of their own: the axis reads them when its values change.
        self.time_axis.tick_labels = {**self.time_axis.tick_labels, **{str(k): label for k, label in decades.items()}}
        self.time_axis.tick_values = np.array(list(decades), dtype=float)
        self.loss_axis.tick_labels = {}
        self.loss_axis.tick_values = np.array(round_ticks(0.0, curve.top, 4))
        with self.loss.hold_sync():
            self.loss.x, self.loss.y = np.array(curve.log_t), np.array(curve.loss)

    def show_time(self, t: float) -> None:
        """Move play head and scrubber."""
        if self._curve is None:
            return
        position = self._curve.position(t)
        self._shown = position
        with self.cursor.hold_sync():
            self.cursor.x, self.cursor.y = np.full(2, position), np.array([0.0, 1.0])
        # What the user's hand holds stays where it is: an older position sent back would make it jump.
        now = time.monotonic()
        with self.head.hold_sync():
            if now - self._head_moved > HELD_SECONDS:
                self.head.x = np.array([position])
            self.head.y = np.array([self._curve.height(t)])
        if now - self._slider_moved > HELD_SECONDS:
            left, right = self.x_scale.min, self.x_scale.max
            self._slider_shown = round((position - left) / (right - left) * SLIDER_STEPS)
            self.slider.value = self._slider_shown

    def show_forecast(self, forecast: Sequence[Escape], t: float) -> None:
        """Draw the escapes predicted by time ``t`` hollow, and those that have come by then filled."""
        if self._curve is None:
            return
        for mark, places in zip((self.predicted, self.came), forecast_places(self._curve, t, forecast), strict=True):
            if not np.array_equal(mark.x, places):
                with mark.hold_sync():
                    mark.x, mark.y = places, np.full(places.size, FORECAST_HEIGHT)

    def _scrubbed(self, change: object) -> None:
        # What the program itself showed comes back as a change, too.
        if self._curve is not None and self.slider.value != self._slider_shown:
            self._slider_moved, self._slider_shown = time.monotonic(), self.slider.value
            share = self.slider.value / SLIDER_STEPS
            self._scrub(self.x_scale.min + share * (self.x_scale.max - self.x_scale.min))

    def _dragged(self, change: object) -> None:
        if self._curve is not None and self.head.x.size and abs(float(self.head.x[0]) - self._shown) > 1e-9:
            self._head_moved, self._shown = time.monotonic(), float(self.head.x[0])
            self._scrub(self._shown)

    def _scrub(self, position: float) -> None:
        # Both ends stand for the very start and the very end, whatever rounding says.
        curve = self._curve
        if position <= self.x_scale.min:
            self._on_scrub(0.0)
        elif position >= self.x_scale.max:
            self._on_scrub(curve.t_last)
        else:
            self._on_scrub(min(10.0**position, curve.t_last))
