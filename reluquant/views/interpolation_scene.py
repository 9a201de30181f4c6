"""Network and interpolant on the line, and their difference, at one moment of a run."""

from __future__ import annotations

import math

import numpy as np

from reluquant.analysis.compare import Comparison, compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.interpolation_bounds import InterpolationBounds
from reluquant.analysis.triangulate import triangulate
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.structures.triangulation import Triangulation
from reluquant.views import theme
from reluquant.views.function_scene import data_dots, function_panel, network_line
from reluquant.views.function_view import BOTTOM_ROOM, TOP_ROOM, DataView, Window, network_curve, window
from reluquant.views.interpolation_words import (
    BOUND_WORDS,
    bounds_at,
    bounds_words,
    distance_words,
    moment,
    network_at,
)
from reluquant.views.loss_scene import loss_panel
from reluquant.views.scene import Area, Dots, Label, Line, Mark, Panel, Scene
from reluquant.views.sentences import number
from reluquant.views.time_view import loss_curve

WIDTH, FUNCTION_HEIGHT, DIFFERENCE_HEIGHT, STRIP_HEIGHT = 930, 270, 200, 130
# The exact sup is a hollow mark of that area in square pixels.
SUP_AREA = 150.0
# How far beside it its value is written, as a share of the panel.
LABEL_SHIFT = 0.012
# Room beyond the sup; a difference below that share of the function panel's height is a flat line.
MARGIN, SMALLEST = 1.15, 1e-3
METHODS = ("delaunay", "fewest_pieces")
BANDS = ("none", "relu", "lipschitz", "curvature")


def interpolation_window(data: Dataset) -> Window:
    """Return the window of the function panel: as :func:`window`, with no room for kinks below."""
    shown = window(data)
    spare = (shown.top - shown.bottom) * (BOTTOM_ROOM - TOP_ROOM) / (1 + BOTTOM_ROOM + TOP_ROOM)
    return Window(shown.left, shown.right, shown.bottom + spare, shown.top)


def interpolation_scene(
    trajectory: Trajectory,
    t: float,
    *,
    data: Dataset | None = None,
    method: str = "delaunay",
    band: str = "relu",
    lipschitz: float | None = None,
    curvature: float | None = None,
    shown: Window | None = None,
    movable: bool = False,
) -> Scene:
    """Return network, interpolant and their difference at time ``t``.

    Parameters
    ----------
    trajectory : Trajectory
        The run; one feature with a bias, one output.
    t : float
        Time, from 0 to the end of the run; a time beyond is taken as the end.
    data : Dataset, optional
        What is interpolated; by default the data of the run.
    method : {"delaunay", "fewest_pieces"}
        Which interpolant, as in :func:`reluquant.interpolate`.
    band : {"none", "relu", "lipschitz", "curvature"}
        Which bound of :func:`reluquant.interpolation_bounds` is drawn around the interpolated residual.
    lipschitz, curvature : float, optional
        Constants for these bounds.
    shown : Window, optional
        Of the function panel; by default the one that fits the data.
    movable : bool
        Whether the data can be moved.

    Returns
    -------
    Scene
        Panels ``function``, ``difference`` and ``loss``.

    Notes
    -----
    With f the network, g the interpolant of the labels and If that of f's own values at the data,
    ``f − g = (f − If) + (If − g)``: the second is known, the bounds are of the first.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.interpolation_scene import interpolation_scene
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=10, scale=1e-3, rng=0), data, t_max=50.0)
    >>> [panel.name for panel in interpolation_scene(run, 50.0).panels()]
    ['function', 'difference', 'loss']
    """
    data = trajectory.data if data is None else data
    shown = interpolation_window(data) if shown is None else shown
    net, g = network_at(trajectory, t), interpolate(data, method=method, duplicates="mean")
    distance = compare(net, g)
    triangulation = triangulate(data.X)
    bounds = bounds_at(net, triangulation, lipschitz, curvature) if triangulation.n_points > 1 else None
    curve = network_curve(net, shown.left, shown.right)
    sign = math.copysign(1.0, float(net(distance.sup_at)) - float(g(distance.sup_at)))
    view = DataView(data.X[:, 0], data.y, g.knots, g(g.knots))
    function = function_panel(
        shown, (*_function_marks(curve, g, distance, sign), data_dots(view, movable=movable)), width=WIDTH,
        height=FUNCTION_HEIGHT, y_label="f and g", summary="Data, network and interpolant over the input",
    )  # fmt: skip
    band_marks = _band(net, g, triangulation, bounds, band)
    difference = _difference_panel(shown, (*band_marks, *_difference_marks(curve, g, distance, sign)), distance)
    low, high = distance.region
    area = f"[{number(low)}, {number(high)}]".replace("-", "−")
    sentence = moment(trajectory, data, net, t) + distance_words(distance, area) + bounds_words(bounds)
    strip = loss_panel(loss_curve(trajectory), t, width=WIDTH, height=STRIP_HEIGHT)
    return Scene(((function,), (difference,), (strip,)), sentence)


def _function_marks(
    curve: tuple[Floats, Floats], g: PiecewiseLinear, distance: Comparison, sign: float
) -> tuple[Mark, ...]:
    at = float(distance.sup_at)
    ends = float(g(at)) + np.array([0.0, sign * distance.sup])
    return (
        Line(np.full(2, at), ends, "difference", 3.0),
        network_line(*curve),
        Line(g.knots, g(g.knots), "interpolant", 2.0, dashed=True, label="interpolant"),
    )


def _difference_marks(
    curve: tuple[Floats, Floats], g: PiecewiseLinear, distance: Comparison, sign: float
) -> tuple[Mark, ...]:
    (x, y), (low, high), at = curve, distance.region, float(distance.sup_at)
    right = at <= (x[0] + x[-1]) / 2
    nodes = np.concatenate([x, g.knots, [low, high]])
    nodes = np.unique(nodes[(nodes >= low) & (nodes <= high) & (nodes != at)])
    values = np.interp(nodes, x, y) - g(nodes)
    # The marked value is the exact one, which a thinned curve may miss.
    place = int(np.searchsorted(nodes, at))
    nodes, values = np.insert(nodes, place, at), np.insert(values, place, sign * distance.sup)
    top = sign * distance.sup
    aside = LABEL_SHIFT * (x[-1] - x[0]) * (1 if right else -1)
    text = f"{number(distance.sup)} at x = {number(at)}".replace("-", "−")
    return (
        Line(np.array([low, high]), np.zeros(2), "muted", theme.THIN),
        Line(nodes, values, "difference", 2.5, label="f − g"),
        Dots(np.array([at]), np.array([top]), "difference", SUP_AREA, "diamond", hollow=True, label="largest |f − g|"),
        Label(at + aside, top, text, anchor="start" if right else "end", size=12.0),
    )


def _band(
    net: ShallowReLU, g: PiecewiseLinear, triangulation: Triangulation, bounds: InterpolationBounds | None, band: str
) -> tuple[Mark, ...]:
    values = None if bounds is None or band == "none" else getattr(bounds, band)
    if values is None:
        return ()
    ends = np.sort(triangulation.points[triangulation.simplices][:, :, 0], axis=1)
    polygons = []
    for (left, right), reach in zip(ends.tolist(), values.tolist(), strict=True):
        inner = g.knots[(g.knots > left) & (g.knots < right)]
        x = np.concatenate([[left], inner, [right]])
        own = np.interp(x, [left, right], net(np.array([left, right])))
        middle = own - g(x)
        upper, lower = np.column_stack([x, middle + reach]), np.column_stack([x, middle - reach])
        polygons.append(np.concatenate([upper, lower[::-1]]))
    return (Area(tuple(polygons), "muted", 0.2, label=f"bound by {BOUND_WORDS[band]}"),)


def _difference_panel(shown: Window, marks: tuple[Mark, ...], distance: Comparison) -> Panel:
    half = half_range(distance.sup, shown.top - shown.bottom)
    return Panel(
        "difference", (shown.left, shown.right), (-half, half), marks, width=WIDTH, height=DIFFERENCE_HEIGHT,
        x_label="x", y_label="f − g", summary="Network minus interpolant, its largest value marked",
    )  # fmt: skip


def half_range(sup: float, labels: float) -> float:
    """Half the height of an axis for ± sup: 1, 2 or 5 times a power of ten, so that it moves rarely."""
    wanted = max(MARGIN * sup, SMALLEST * labels)
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= wanted * (1 - 1e-9))
