"""The function panel: data to drag, network, interpolant and the rug of kinks, on bqplot."""

from __future__ import annotations

from collections.abc import Callable

import bqplot as bq
import ipywidgets as W
import numpy as np
from bqplot.interacts import HandDraw

from reluquant.structures.arrays import Floats
from reluquant.views import theme
from reluquant.views.frames import DataView, FlowFrame, Window
from reluquant.views.function_scene import DORMANT_OPACITY, SELECTED_AREA
from reluquant.views.function_view import AWAKE, DEAD, DORMANT
from reluquant.views.time_view import round_ticks
from reluquant.widgets.figure_hand import FigureHand

# Above this many points a live Scatter lags (measured: 300 are drawn 31 times a second, 1000 three times).
MOST_DRAGGABLE = 120
# Area in square pixels of the diamond of the heaviest kink.
LARGEST_DIAMOND = 170
# What the mouse does with points.
MODES = ("move", "add", "delete", "draw")
# Room in pixels around the plot.
MARGIN = {"top": 8, "bottom": 42, "left": 62, "right": 12}
# Places along the window at which a hand-drawn target is known.
PEN_POINTS = 200
# Half a cross of a dead neuron, as shares of the panel's width and height; rings of a selection.
CROSS_SHARE, CROSS_HEIGHT, MOST_RINGS = 0.006, 0.011, 100


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
    on_target : callable
        Called with arrays x and y when a target was drawn.
    on_rug : callable
        Called with ``hover``, ``pick`` or ``leave`` and the place of the mouse near the rug: x, and the height as a
        share of the plot's.
    """

    def __init__(
        self,
        width: int,
        height: int,
        on_move: Callable[[Floats, Floats], None],
        on_drop: Callable[[], None],
        on_target: Callable[[Floats, Floats], None] = lambda x, y: None,
        on_rug: Callable[[str, float, float], None] = lambda event, x, height: None,
    ) -> None:
        self._on_rug = on_rug
        #: Width and height of the plot in pixels.
        self.plot = width - MARGIN["left"] - MARGIN["right"], height - MARGIN["top"] - MARGIN["bottom"]
        self.hand = FigureHand("rq-function", (0.0, 2 * theme.RUG_LINE), self._rug_event)
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
        self.dormant = {
            sign: bq.Lines(
                scales=rug, colors=[theme.CSS_SIGN_COLOURS[sign]], stroke_width=2.0, opacities=[DORMANT_OPACITY]
            )
            for sign in (1, -1)
        }
        self.crosses = bq.Lines(scales=rug, colors=[theme.CSS_MUTED], stroke_width=1.6)
        self.rings = bq.Scatter(
            scales=rug, colors=["transparent"], stroke=theme.CSS_INK, stroke_width=2.0, default_size=SELECTED_AREA
        )
        self.target = bq.Lines(scales=plane, colors=[theme.CSS_MUTED], stroke_width=theme.THIN)
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
                self.rug_line, *self.dormant.values(), *self.ticks.values(), self.crosses, *self.diamonds.values(),
                self.rings, self.target, self.network, self.interpolant, self.points,
            ],
            axes=axes,
            animation_duration=0,
            fig_margin=MARGIN,
            padding_x=0.0,
            padding_y=0.0,
            layout=W.Layout(width=f"{width}px", height=f"{height}px", flex="0 0 auto"),
        )  # fmt: skip
        self.figure.add_class("rq-function")
        self._on_target = on_target
        self._told = np.zeros(0), np.zeros(0)
        self._cross_width = CROSS_SHARE
        self.clear_target()
        self.points.observe(self._moved, names=["x", "y"])
        self.points.on_drag_end(lambda *_: on_drop())

    def show_window(self, shown: Window) -> None:
        """Set the limits of both axes."""
        self._cross_width = CROSS_SHARE * (shown.right - shown.left)
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
            self._told = np.array(view.x), np.array(view.y)
            self.points.enable_move = view.x.size <= MOST_DRAGGABLE
            self.points.observe(self._moved, names=["x", "y"])

    def set_mode(self, mode: str) -> None:
        """Let the mouse move points, add them, delete them, or draw a target: one of :data:`MODES`."""
        movable = self.points.x.size <= MOST_DRAGGABLE if self.points.x is not None else True
        self.points.enable_move = mode == "move" and movable
        # With these, bqplot changes the points itself, which comes back as a move of all of them.
        self.points.interactions = {"hover": "tooltip", "click": mode} if mode in ("add", "delete") else {}
        if (mode == "draw") == (self.figure.interaction is not None):
            return
        pen = self.figure.interaction
        self.figure.interaction = HandDraw(lines=self.target) if mode == "draw" else None
        if pen is not None:
            pen.close()
        if mode == "draw":
            x = np.linspace(self.x_scale.min, self.x_scale.max, PEN_POINTS)
            self.target.unobserve(self._drawn, names="y")
            _set(self.target, x, np.interp(x, self.interpolant.x, self.interpolant.y))
            self.target.observe(self._drawn, names="y")
        else:
            self.clear_target()

    def clear_target(self) -> None:
        """Remove the drawn target."""
        self.target.unobserve(self._drawn, names="y")
        _set(self.target, np.zeros(0), np.zeros(0))

    def show_selected(self, kink: Floats) -> None:
        """Ring the kinks of selected neurons."""
        inside = np.unique(np.round(kink[(kink >= self.x_scale.min) & (kink <= self.x_scale.max)], 6))[:MOST_RINGS]
        _set(self.rings, inside, np.full(inside.size, theme.RUG_LINE))

    def show(self, frame: FlowFrame) -> None:
        """Draw one moment."""
        _set(self.network, frame.curve_x, frame.curve_y)
        _set(self.crosses, *_crosses(frame.kinks.x[frame.kinks.state == DEAD], self._cross_width))
        for sign in (1, -1):
            free = (frame.kinks.sign == sign) & ~frame.kinks.held
            for marks, state in ((self.ticks, AWAKE), (self.dormant, DORMANT)):
                mine = free & (frame.kinks.state == state)
                _set(marks[sign], *_ticks(frame.kinks.x[mine], frame.kinks.length[mine], sign))
            held = (frame.kinks.sign == sign) & frame.kinks.held
            diamonds = self.diamonds[sign]
            with diamonds.hold_sync():
                # A little above or below the line, so that both signs on one data point are seen.
                diamonds.x = np.array(frame.kinks.x[held])
                diamonds.y = np.full(np.count_nonzero(held), theme.RUG_LINE + sign * theme.DIAMOND_LIFT)
                diamonds.size = np.array(frame.kinks.size[held])

    def _drawn(self, change: object) -> None:
        x, y = np.array(self.target.x, dtype=float), np.array(self.target.y, dtype=float)
        if x.size == y.size and np.all(np.isfinite(y)):
            self._on_target(x, y)

    def _rug_event(self, event: str, across: float, height: float) -> None:
        left, right = self.x_scale.min, self.x_scale.max
        self._on_rug(event, left + across * (right - left), height)

    def _moved(self, change: object) -> None:
        x, y = np.array(self.points.x, dtype=float), np.array(self.points.y, dtype=float)
        # One change of both is told twice, and the first telling may have been refused.
        if x.size == y.size and not (np.array_equal(x, self._told[0]) and np.array_equal(y, self._told[1])):
            self._told = x, y
            self._on_move(x, y)


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


def _crosses(x: Floats, half: float) -> tuple[Floats, Floats]:
    """One polyline with gaps: a cross per kink, on the line of the rug."""
    gap = np.full(x.size, np.nan)
    low, high = np.full(x.size, theme.RUG_LINE - CROSS_HEIGHT), np.full(x.size, theme.RUG_LINE + CROSS_HEIGHT)
    columns = np.column_stack([x - half, x + half, gap, x - half, x + half, gap])
    rows = np.column_stack([low, high, gap, high, low, gap])
    return columns.ravel()[:-1], rows.ravel()[:-1]
