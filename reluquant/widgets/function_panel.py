"""The function panel: data to drag, network, interpolant and the rug of kinks, on bqplot."""

from __future__ import annotations

from collections.abc import Callable

import bqplot as bq
import ipywidgets as W
import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.views import theme
from reluquant.views.frames import DataView, FlowFrame, Window
from reluquant.views.time_view import round_ticks

# Above this many points a live Scatter lags (measured: 300 are drawn 31 times a second, 1000 three times).
MOST_DRAGGABLE = 120
# Area in square pixels of the diamond of the heaviest kink.
LARGEST_DIAMOND = 170


class FunctionPanel:
    """Marks and axes of the function panel; one mark per visual role.

    Parameters
    ----------
    width, height : int
        In pixels.
    on_move : callable
        Called with arrays x and y while a point is dragged.
    on_drop : callable
        Called without arguments when a drag ends.
    """

    def __init__(
        self,
        width: int,
        height: int,
        on_move: Callable[[Floats, Floats], None],
        on_drop: Callable[[], None],
    ) -> None:
        self.x_scale, self.y_scale = bq.LinearScale(), bq.LinearScale()
        self._on_move = on_move
        plane = {"x": self.x_scale, "y": self.y_scale}
        # The rug has its own vertical scale, from 0 at the bottom to 1 at the top of the panel.
        rug = {"x": self.x_scale, "y": bq.LinearScale(min=0.0, max=1.0)}
        self.interpolant = bq.Lines(
            scales=plane, colors=[theme.CSS_INTERPOLANT], line_style="dashed", stroke_width=theme.INTERPOLANT_WIDTH
        )
        self.network = bq.Lines(scales=plane, colors=[theme.CSS_INK], stroke_width=theme.NETWORK_WIDTH)
        self.ticks = {
            sign: bq.Lines(scales=rug, colors=[theme.CSS_SIGN_COLOURS[sign]], stroke_width=2.0) for sign in (1, -1)
        }
        self.diamonds = {
            sign: bq.Scatter(
                scales={**rug, "size": bq.LinearScale(min=0.0, max=1.0)},
                marker="diamond",
                colors=[theme.CSS_SIGN_COLOURS[sign]],
                stroke=theme.CSS_PAPER,
                stroke_width=0.75,
                default_size=LARGEST_DIAMOND,
            )
            for sign in (1, -1)
        }
        self.rug_line = bq.Lines(scales=rug, colors=[theme.CSS_MUTED], stroke_width=theme.THIN, opacities=[0.6])
        self.points = bq.Scatter(
            scales=plane,
            colors=[theme.CSS_INK],
            stroke=theme.CSS_PAPER,
            stroke_width=1.5,
            default_size=110,
            enable_move=True,
            update_on_move=True,
            drag_size=1.6,
        )
        axes = [
            bq.Axis(scale=self.x_scale, label="x", label_offset="30px", **theme.AXIS),
            bq.Axis(scale=self.y_scale, side="left", label="f(x)", label_offset="42px", **theme.AXIS),
        ]
        self.axes = axes
        self.figure = bq.Figure(
            marks=[
                self.rug_line, *self.ticks.values(), *self.diamonds.values(),
                self.network, self.interpolant, self.points,
            ],
            axes=axes,
            animation_duration=0,
            fig_margin={"top": 8, "bottom": 42, "left": 62, "right": 12},
            padding_x=0.0,
            padding_y=0.0,
            layout=W.Layout(width=f"{width}px", height=f"{height}px", flex="0 0 auto"),
        )  # fmt: skip
        self.points.observe(self._moved, names=["x", "y"])
        self.points.on_drag_end(lambda *_: on_drop())

    def show_window(self, shown: Window) -> None:
        """Set the limits of both axes."""
        for scale, low, high in ((self.x_scale, shown.left, shown.right), (self.y_scale, shown.bottom, shown.top)):
            with scale.hold_sync():
                scale.min, scale.max = low, high
        self.axes[0].tick_values = np.array(round_ticks(shown.left, shown.right, 7))
        self.axes[1].tick_values = np.array(round_ticks(shown.bottom, shown.top, 6))
        with self.rug_line.hold_sync():
            self.rug_line.x, self.rug_line.y = np.array([shown.left, shown.right]), np.full(2, theme.RUG_LINE)

    def show_data(self, view: DataView, *, dragged: bool = False) -> None:
        """Draw points and interpolant; the points stay untouched while the mouse holds one of them."""
        _set(self.interpolant, view.interpolant_x, view.interpolant_y)
        if not dragged:
            self.points.unobserve(self._moved, names=["x", "y"])
            _set(self.points, view.x, view.y)
            self.points.enable_move = view.x.size <= MOST_DRAGGABLE
            self.points.observe(self._moved, names=["x", "y"])

    def show(self, frame: FlowFrame) -> None:
        """Draw one moment."""
        _set(self.network, frame.curve_x, frame.curve_y)
        for sign in (1, -1):
            free = (frame.kinks.sign == sign) & ~frame.kinks.held
            _set(self.ticks[sign], *_ticks(frame.kinks.x[free], frame.kinks.length[free], sign))
            held = (frame.kinks.sign == sign) & frame.kinks.held
            diamonds = self.diamonds[sign]
            with diamonds.hold_sync():
                # A little above or below the line, so that both signs on one data point are seen.
                diamonds.x = np.array(frame.kinks.x[held])
                diamonds.y = np.full(np.count_nonzero(held), theme.RUG_LINE + sign * theme.DIAMOND_LIFT)
                diamonds.size = np.array(frame.kinks.size[held])

    def _moved(self, change: object) -> None:
        if self.points.x.size == self.points.y.size:
            self._on_move(np.array(self.points.x, dtype=float), np.array(self.points.y, dtype=float))


def _set(mark: bq.Mark, x: Floats, y: Floats) -> None:
    # A fresh array each time: bqplot keeps the one it is given, and does not see edits in place.
    with mark.hold_sync():
        mark.x, mark.y = np.array(x), np.array(y)


def _ticks(x: Floats, length: Floats, sign: int) -> tuple[Floats, Floats]:
    """One polyline with gaps: a tick per kink, up for a > 0, down for a < 0."""
    gap = np.full(x.size, np.nan)
    columns = np.column_stack([x, x, gap])
    rows = np.column_stack([np.full(x.size, theme.RUG_LINE), theme.RUG_LINE + sign * length, gap])
    # No gap at the end: bqplot places a label there.
    return columns.ravel()[:-1], rows.ravel()[:-1]
