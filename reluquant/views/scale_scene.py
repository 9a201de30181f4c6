"""What the scale of the start decides: the end of one run, and measures of all of them over the scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.scale_run import ScaleRun
from reluquant.structures.trajectory import Trajectory
from reluquant.views.flow_scene import flow_circle
from reluquant.views.frames import data_view, flow_frame, window
from reluquant.views.function_scene import data_dots, function_panel, interpolant_line, network_line, rug
from reluquant.views.function_view import network_curve
from reluquant.views.scene import Dots, Line, Panel, Scene
from reluquant.views.sentences import number
from reluquant.views.time_view import decade_ticks

WIDTH = 930
# Relative changes of the weights, as decimal logarithms, between which a run is neither lazy nor condensed.
LAZY, CONDENSED = -0.5, 0.5
# Ends of the axis of scales, decimal logarithms.
SMALLEST, LARGEST = -100.0, 1.0


def scale_scene(
    runs: Sequence[ScaleRun], log10_scale: float, *, contrast: Trajectory | None = None, lr: float = math.nan
) -> Scene:
    """Return the end of the run nearest to a scale, and the measures of all runs.

    Parameters
    ----------
    runs : sequence of ScaleRun
        At least one, in any order.
    log10_scale : float
        Where the cursor is.
    contrast : Trajectory, optional
        Descent from the same start, drawn beside the flow.
    lr : float
        Its learning rate.

    Returns
    -------
    Scene
        Panels ``function``, ``directions``, ``count``, ``change`` and ``distance``.
    """
    ordered = sorted(runs, key=lambda run: run.log10_scale)
    run = nearest(ordered, log10_scale)
    data, end = run.trajectory.data, float(run.trajectory.t[-1])
    shown = window(data)
    frame = flow_frame(run.trajectory, end, shown=shown)
    view = data_view(data)
    beside = ()
    if contrast is not None:
        x, y = network_curve(contrast.final, shown.left, shown.right)
        beside = (Line(x, y, "difference", 2.0, dashed=True, label="descent"),)
    marks = (
        *rug(frame.kinks, shown),
        network_line(frame.curve_x, frame.curve_y),
        interpolant_line(view),
        *beside,
        data_dots(view),
    )
    function = function_panel(shown, marks, summary="The network at the end of its run, and the interpolant")
    circle = flow_circle(data, frame, np.zeros(0, dtype=int))
    scales = np.array([r.log10_scale for r in ordered])
    measures = (
        ("count", "directions for 99 %", np.array([r.n_directions for r in ordered], dtype=float)),
        ("change", "log₁₀ change of w", np.array([r.log10_rd for r in ordered])),
        ("distance", "sup |f − g|", np.array([r.sup for r in ordered])),
    )
    strips = tuple(_strip(name, label, scales, values, run) for name, label, values in measures)
    return Scene(((function, circle), strips), scale_in_words(run, contrast, lr))


def nearest(runs: Sequence[ScaleRun], log10_scale: float) -> ScaleRun:
    """The run whose scale is nearest."""
    return min(runs, key=lambda run: abs(run.log10_scale - log10_scale))


def scale_in_words(run: ScaleRun, contrast: Trajectory | None = None, lr: float = math.nan) -> str:
    """Say what kind of training it was."""
    change, traj = run.log10_rd, run.trajectory
    kind = "Condensed" if change > CONDENSED else "Lazy" if change < LAZY else "Between lazy and condensed"
    noun = "direction carries" if run.n_directions == 1 else "directions carry"
    said = (
        f"{kind}: from scale 10^{run.log10_scale:.4g} the input weights changed by 10^{change:.3g} times their size;"
        f" {run.n_directions} {noun} 99 % of the mass; at most {number(run.sup)} from the interpolant;"
        f" loss {number(float(traj.loss[-1]))} at t = {number(float(traj.t[-1]))}."
    )
    if contrast is None:
        return said
    return f"{said} Descent with lr = {lr:g} ends with loss {number(float(contrast.loss[-1]))}."


def _strip(name: str, label: str, scales: Floats, values: Floats, run: ScaleRun) -> Panel:
    low, high = _ends(values)
    place = float(run.log10_scale)
    here = float(values[np.argmin(np.abs(scales - place))])
    head = Dots(
        np.array([place]), np.array([here]), "interpolant", 110.0, name="head", movable=True,
        titles=(f"scale 10^{place:.4g}: {number(here)}",),
    )  # fmt: skip
    marks = (
        Line(np.full(2, place), np.array([low, high]), "interpolant", 1.5),
        Line(scales, values, "ink", 2.0, label=label),
        Dots(scales, values, "ink", 10.0),
        head,
    )
    ends = (_stretched(SMALLEST), _stretched(LARGEST))
    marks = tuple(_moved(mark) for mark in marks)
    ticks = {_stretched(float(s)): decade_ticks(s, s)[s] for s in (-100, -50, -4, -2, 1)}
    return Panel(
        name, ends, (low, high), marks, width=WIDTH // 3, height=170, x_label="scale of the start", x_ticks=ticks,
        title=label, summary=f"{label} over the scale of the start", clickable=True,
    )  # fmt: skip


# The axis gives the five decades in which condensed turns lazy as much room as the hundred before them.
BEND, SHRINK = -4.0, 20.0


def _stretched(log10_scale: float) -> float:
    return log10_scale if log10_scale >= BEND else BEND + (log10_scale - BEND) / SHRINK


def unstretched(place: float) -> float:
    """Decimal logarithm of the scale at a place of the axis."""
    return place if place >= BEND else BEND + (place - BEND) * SHRINK


def _moved(mark: Line | Dots) -> Line | Dots:
    x = np.array([_stretched(float(s)) for s in np.asarray(mark.x)])
    if isinstance(mark, Line):
        return Line(x, mark.y, mark.colour, mark.width, mark.dashed, mark.opacity, mark.label)
    return Dots(
        x, mark.y, mark.colour, mark.area, mark.shape, mark.hollow, mark.opacity, mark.label, mark.name, mark.movable,
        mark.titles,
    )  # fmt: skip


def _ends(values: Floats) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = min(0.0, float(finite.min())), max(0.0, float(finite.max()))
    room = 0.08 * (high - low) or 1.0
    return low - (room if low < 0 else 0.0), high + room
