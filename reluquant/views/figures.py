"""The panels of the explorer, and the prediction beside the outcome, as matplotlib figures."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Wedge
from matplotlib.patheffects import withStroke

from reluquant.structures.dataset import Dataset
from reluquant.structures.trajectory import Trajectory
from reluquant.views import theme
from reluquant.views.alignment_view import AlignmentView
from reluquant.views.direction_view import RING, SectorView
from reluquant.views.frames import FlowFrame, Window, data_view, flow_frame, loss_curve, sector_view, window

LARGEST_DIAMOND = 110.0
# Characters of a caption that fit on one line.
CAPTION_WIDTH = 150
# Prediction and outcome: how far off the ring a > 0 lies outside and a < 0 inside, and the radii of both marks.
SIDE, HOLLOW, FILLED = 0.13, 0.058, 0.03
# How far off its mark a number is.
NUMBER_TURN = 0.14


def flow_figure(trajectory: Trajectory, *, t: float | None = None) -> Figure:
    """Draw one moment of a run: function, weight directions, loss.

    Parameters
    ----------
    trajectory : Trajectory
        The run; one feature with a bias.
    t : float, optional
        When; the end of the run by default. A time beyond it is taken as the end.

    Returns
    -------
    matplotlib.figure.Figure
        With no connection to pyplot: save it with ``figure.savefig("flow.png")``.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.figures import flow_figure
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=10, scale=1e-3, rng=0), data, t_max=50.0)
    >>> figure = flow_figure(run)
    >>> len(figure.axes)
    3
    """
    shown = window(trajectory.data)
    frame = flow_frame(trajectory, float(trajectory.t[-1]) if t is None else t, shown=shown)
    figure = Figure(figsize=(10.0, 6.2), layout="constrained", facecolor=theme.PAPER)
    grid = figure.add_gridspec(2, 2, width_ratios=[1.55, 1.0], height_ratios=[2.6, 1.0])
    _draw_function(figure.add_subplot(grid[0, 0]), trajectory.data, frame, shown)
    _draw_circle(figure.add_subplot(grid[0, 1]), trajectory.data, frame)
    _draw_loss(figure.add_subplot(grid[1, :]), trajectory, frame)
    name = f"{trajectory.data.name}, " if trajectory.data.name else ""
    caption = f"{name}{trajectory.n_neurons} neurons. {frame.sentence}"
    figure.suptitle("\n".join(wrap(caption, CAPTION_WIDTH)), fontsize=9, x=0.01, ha="left")
    return figure


def alignment_figure(views: Sequence[AlignmentView]) -> Figure:
    """Draw predicted directions hollow and those reached filled, a circle for each run.

    Parameters
    ----------
    views : sequence of AlignmentView
        At least one.

    Returns
    -------
    matplotlib.figure.Figure
        With no connection to pyplot.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.alignment_view import alignment_view
    >>> net = rq.ShallowReLU.balanced(n_neurons=50, scale=1e-8, rng=0)
    >>> run = rq.gradient_flow(net, rq.datasets.two_points(), progress=False)
    >>> len(alignment_figure([alignment_view(run)]).axes)
    1
    """
    figure = Figure(figsize=(3.4 * len(views), 4.0), layout="constrained", facecolor=theme.PAPER)
    figure.get_layout_engine().set(h_pad=0.1)
    for axes, view in zip(figure.subplots(1, len(views), squeeze=False)[0], views, strict=True):
        _draw_alignment(axes, view)
    key = (
        ("o", theme.POSITIVE, "none", "predicted, a > 0 (outside)"),
        ("o", theme.NEGATIVE, "none", "predicted, a < 0 (inside)"),
        ("o", theme.POSITIVE, "full", "reached, a > 0, by so many neurons"),
        ("o", theme.NEGATIVE, "full", "reached, a < 0"),
    )
    for marker, colour, fill, label in key:
        figure.axes[0].plot([], [], marker, color=colour, fillstyle=fill, ms=5 if fill == "full" else 9, label=label)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _draw_alignment(axes: Axes, view: AlignmentView) -> None:
    _draw_sectors(axes, view.sectors)
    for angle, sign in zip(view.predicted_angle, view.predicted_sign, strict=True):
        at = _beside_ring(angle, sign)
        axes.add_patch(Circle(at, HOLLOW, fill=False, color=theme.SIGN_COLOURS[int(sign)], lw=1.4, zorder=4))
    for angle, sign, count in zip(view.reached_angle, view.reached_sign, view.reached_count, strict=True):
        at = _beside_ring(angle, sign)
        axes.add_patch(Circle(at, FILLED, color=theme.SIGN_COLOURS[int(sign)], lw=0, zorder=5))
        # Outside along the ring, since further out it would meet a ray's name; inside where there is more room.
        turned = angle + NUMBER_TURN / (RING + SIDE)
        beside = _beside_ring(turned, sign) if sign > 0 else _beside_ring(angle, sign, SIDE + NUMBER_TURN)
        number = axes.text(*beside, str(count), ha="center", va="center", fontsize=7, zorder=6)
        number.set_color(theme.SIGN_COLOURS[int(sign)])
        number.set_path_effects([withStroke(linewidth=2.5, foreground=theme.PAPER)])
    axes.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal")
    axes.set_title(f"{view.name}: {np.sum(view.reached_count)} neurons, {view.dead_count} dead", fontsize=9)
    axes.set_axis_off()


def _beside_ring(angle: float, sign: int, apart: float = SIDE) -> tuple[float, float]:
    radius = RING + apart * sign
    return radius * np.cos(angle), radius * np.sin(angle)


def _draw_function(axes: Axes, data: Dataset, frame: FlowFrame, shown: Window) -> None:
    view = data_view(data)
    axes.plot(frame.curve_x, frame.curve_y, color=theme.INK, lw=2.4, label="network", zorder=2)
    dashed = {"color": theme.INTERPOLANT, "lw": theme.INTERPOLANT_WIDTH, "ls": (0, (5, 3))}
    axes.plot(view.interpolant_x, view.interpolant_y, label="interpolant", zorder=3, **dashed)
    axes.plot(view.x, view.y, "o", color=theme.INK, mec=theme.PAPER, ms=7, label="data", zorder=4)
    rug = axes.get_xaxis_transform()
    axes.plot([0, 1], [theme.RUG_LINE] * 2, transform=axes.transAxes, color=theme.MUTED, lw=0.6, zorder=1)
    for sign, colour in theme.SIGN_COLOURS.items():
        mine = frame.kinks.sign == sign
        free, held = mine & ~frame.kinks.held, mine & frame.kinks.held
        end = theme.RUG_LINE + sign * frame.kinks.length[free]
        axes.vlines(frame.kinks.x[free], theme.RUG_LINE, end, transform=rug, color=colour, lw=1.6)
        height = np.full(np.count_nonzero(held), theme.RUG_LINE + sign * theme.DIAMOND_LIFT)
        size = LARGEST_DIAMOND * frame.kinks.size[held]
        axes.scatter(frame.kinks.x[held], height, s=size, marker="d", color=colour, transform=rug, zorder=4)
        # Empty lines that only the legend shows: every mark is explained, whether it is there or not.
        relation = f"a {'>' if sign > 0 else '<'} 0"
        axes.plot([], [], "|", color=colour, mew=1.8, ms=9, label=f"kinks, {relation}")
        axes.plot([], [], "d", color=colour, ms=6, label=f"held on data, {relation}")
    axes.set(xlim=(shown.left, shown.right), ylim=(shown.bottom, shown.top), xlabel="x", ylabel="f(x)")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=8, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_circle(axes: Axes, data: Dataset, frame: FlowFrame) -> None:
    _draw_sectors(axes, sector_view(data))
    for polygons, colour in (
        (frame.bars_dead, theme.MUTED),
        (frame.bars_positive, theme.POSITIVE),
        (frame.bars_negative, theme.NEGATIVE),
    ):
        axes.add_collection(PolyCollection(polygons, facecolor=colour, alpha=0.45 if colour == theme.MUTED else 1.0))
    for angle, sign in zip(frame.extremal.angle, frame.extremal.sign, strict=True):
        at = RING * np.cos(angle), RING * np.sin(angle)
        axes.add_patch(Circle(at, 0.045, fill=False, color=theme.PAPER, lw=3.2, zorder=3))
        axes.add_patch(Circle(at, 0.045, fill=False, color=theme.SIGN_COLOURS[int(sign)], lw=1.6, zorder=4))
    axes.text(0, 0.0, "a > 0 outwards\na < 0 inwards\ncircles: predicted", ha="center", va="center", fontsize=7)
    axes.set(xlim=(-1.08, 1.08), ylim=(-1.08, 1.08), aspect="equal", title="directions of (w, b)")
    axes.title.set_fontsize(9)
    axes.set_axis_off()


def _draw_sectors(axes: Axes, sectors: SectorView) -> None:
    start, end = np.degrees(sectors.dead)
    axes.add_patch(Wedge((0, 0), theme.RAY_END, start, end, color=theme.MUTED, alpha=0.16, lw=0))
    directions = np.column_stack([np.cos(sectors.angles), np.sin(sectors.angles)])
    for ray in directions:
        axes.plot(*np.outer(ray, [theme.RAY_START, theme.RAY_END]), color=theme.MUTED, lw=0.7, ls="--")
    if sectors.angles.size <= theme.MOST_LABELS:
        for ray, rank in zip(directions, sectors.ranks, strict=True):
            axes.text(*(theme.LABEL_RADIUS * ray), f"$x_{{{rank}}}$", ha="center", va="center", fontsize=8)
    axes.add_patch(Circle((0, 0), RING, fill=False, color=theme.INK, lw=0.6))


def _draw_loss(axes: Axes, trajectory: Trajectory, frame: FlowFrame) -> None:
    curve = loss_curve(trajectory)
    axes.plot(10**curve.log_t, curve.loss, color=theme.INK, lw=1.6)
    now = 10 ** curve.position(frame.t)
    axes.axvline(now, color=theme.INTERPOLANT, lw=1.2)
    axes.plot([now], [curve.height(frame.t)], "o", color=theme.INTERPOLANT, mec=theme.PAPER, ms=7, clip_on=False)
    axes.set(xscale="log", xlim=(curve.t_first, curve.t_last), ylim=(0, curve.top), xlabel="time t", ylabel="loss")
    axes.spines[["top", "right"]].set_visible(False)
