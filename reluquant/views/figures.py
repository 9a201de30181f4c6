"""The panels of the explorer, and the prediction beside the outcome, as matplotlib figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Wedge
from matplotlib.patheffects import withStroke

from reluquant.structures.trajectory import Trajectory
from reluquant.views import theme
from reluquant.views.alignment_view import AlignmentView
from reluquant.views.direction_view import RING, SectorView
from reluquant.views.flow_scene import flow_scene
from reluquant.views.scene_figure import scene_figure

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
    return scene_figure(flow_scene(trajectory, float(trajectory.t[-1]) if t is None else t))


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

