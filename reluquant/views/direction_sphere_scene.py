"""The sphere of weight directions as panels: one for each sign, seen from a direction that can be turned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.views import theme
from reluquant.views.circle_scene import polar, subscript
from reluquant.views.direction_frame import DirectionFrame
from reluquant.views.direction_weight import NormScale, Weight, heights
from reluquant.views.function_scene import RELATION, SIGN_NAMES
from reluquant.views.scene import Dots, Label, Line, Mark, Panel, Raster
from reluquant.views.sentences import neurons

# In pixels: two of them beside each other; and half their side in radii of the sphere, with room for names.
SIZE, REACH = 465, 1.2
# Cells along the diameter of the density: three and a half pixels each.
CELLS = 110
# Density to opacity: the faintest cell that holds a neuron, the power that keeps single neurons in sight, the far side.
FAINTEST, POWER, BACK = 0.4, 0.4, 0.3
# A cell with this share of all weight is a disc too, so that what has condensed into a pixel is seen; so many at most.
DISC_SHARE, MOST_DISCS = 0.004, 80
LARGEST_DISC, SMALLEST_DISC = 900.0, 14.0
# More great circles than that fill the sphere with ink; points along each.
MOST_CIRCLES, CIRCLE_POINTS = 24, 73
# Names on the rim are that far apart, in radii.
NAME_GAP = 0.08
# A click selects what is that close.
NEAR = math.radians(5.0)
EXTREMAL_MARKS = {
    "attractor": ("disc", 110.0), "semistable": ("diamond", 80.0),
    "saddle": ("square", 40.0), "repeller": ("cross", 40.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """From where a sphere is seen.

    Parameters
    ----------
    azimuth, elevation : float
        Of the eye, in degrees: about the third axis, and above the plane of the first two.
    """

    azimuth: float = 30.0
    elevation: float = 20.0

    def axes(self) -> Floats:
        """Unit vectors to the right, up, and towards the eye, shape (3, 3)."""
        turn, lift = math.radians(self.azimuth), math.radians(self.elevation)
        right = [-math.sin(turn), math.cos(turn), 0.0]
        up = [-math.sin(lift) * math.cos(turn), -math.sin(lift) * math.sin(turn), math.cos(lift)]
        towards = [math.cos(lift) * math.cos(turn), math.cos(lift) * math.sin(turn), math.sin(lift)]
        return np.array([right, up, towards])


def spheres(
    data: Dataset, frame: DirectionFrame, *, weight: Weight, scale: NormScale, selected: NDArray[np.int64], view: View
) -> tuple[Panel, ...]:
    """Return the spheres of the directions of neurons at one moment.

    Parameters
    ----------
    data : Dataset
        What was trained on; three weights a neuron.
    frame : DirectionFrame
        The moment.
    weight, scale
        What density and discs stand for.
    selected : ndarray of int
        Neurons to highlight.
    view : View
        From where.

    Returns
    -------
    tuple of Panel
        ``positive`` and ``negative``, or ``all`` for several outputs.
    """
    signs = (0,) if data.y.ndim == 2 and data.y.shape[1] > 1 else (1, -1)
    axes = view.axes()
    places = frame.along(axes)
    cell = _cells(places, frame)
    height = heights(cell, 2 * 4 * CELLS**2, frame, weight, scale)
    total = float(height.sum()) or 1.0
    opacity = _opacity(height, weight)
    chosen = np.zeros(height.size, dtype=bool)
    chosen[cell[selected]] = True
    panels = []
    for sign in signs:
        half = slice(0, 4 * CELLS**2) if sign >= 0 else slice(4 * CELLS**2, None)
        marks = (
            *_circle_marks(data, axes, front=False),
            *_extremal_marks(frame.extremal or (), sign, axes, front=False),
            _density(opacity[half].reshape(4, CELLS, CELLS), chosen[half].reshape(4, CELLS, CELLS), sign),
            Line(*polar(1.0, np.linspace(0.0, math.tau, 121)), "ink", 1.2, opacity=0.7),
            *_circle_marks(data, axes, front=True),
            *_axis_marks(data, axes),
            *_discs(frame, places, cell, height / total, sign, weight),
            *_extremal_marks(frame.extremal or (), sign, axes, front=True),
        )
        panels.append(_panel(sign, marks, frame))
    return tuple(panels)


def neurons_near(frame: DirectionFrame, view: View, panel: str, x: float, y: float) -> NDArray[np.int64]:
    """Return the neurons on the near side that are within 5° of a place of a sphere.

    Parameters
    ----------
    frame : DirectionFrame
        The moment.
    view : View
        From where the sphere is seen.
    panel : str
        Which sphere.
    x, y : float
        Data coordinates of the panel; nothing is beyond the rim.
    """
    radius = math.hypot(x, y)
    if radius > 1:
        return np.zeros(0, np.int64)
    towards = view.axes().T @ np.array([x, y, math.sqrt(1 - radius**2)])
    near = frame.along(towards[None])[0] >= math.cos(NEAR)
    sign = {"positive": 1, "negative": -1}.get(panel, 0)
    return np.flatnonzero(near & ((frame.sign == sign) if sign else True))


def neurons_about(frame: DirectionFrame, azimuth: float, elevation: float) -> NDArray[np.int64]:
    """Return the neurons of both signs within 5° of a direction in degrees."""
    towards = View(azimuth, elevation).axes()[2:]
    return np.flatnonzero(frame.along(towards)[0] >= math.cos(NEAR))


def _panel(sign: int, marks: tuple[Mark, ...], frame: DirectionFrame) -> Panel:
    name = SIGN_NAMES.get(sign, "all")
    title = f"neurons with {RELATION[sign]}" if sign else "neurons"
    ends = (-REACH, REACH)
    return Panel(
        name, ends, ends, marks, width=SIZE, height=SIZE + 16, axes=False, title=title, turnable=True, clickable=True,
        summary=f"Sphere of weight directions, {title}; arrow keys turn it. {frame.sentence}",
    )  # fmt: skip


def _cells(places: NDArray[np.float32], frame: DirectionFrame) -> NDArray[np.intp]:
    """Cell of each neuron: by sign, front before back, living before idle, rows from the top."""
    half = np.float32(CELLS / 2)
    # Whole numbers in floats are exact up to 2^24, and one conversion is cheaper than four.
    column, row = np.floor(half * places[0] + half), np.floor(half - half * places[1])
    # Rounding may carry a direction on the rim over it.
    np.clip(column, 0, CELLS - 1, out=column)
    np.clip(row, 0, CELLS - 1, out=row)
    layer = 4 * (frame.sign < 0).view(np.int8) + 2 * (places[2] < 0).view(np.int8) + frame.idle.view(np.int8)
    return ((layer.astype(np.float32) * CELLS + row) * CELLS + column).astype(np.intp)


def _opacity(height: Floats, weight: Weight) -> Floats:
    shown = np.zeros(height.size)
    full = np.flatnonzero(height)
    if full.size:
        share = height[full] if weight is Weight.LOG_NORM else (height[full] / float(height.max())) ** POWER
        shown[full] = np.maximum(FAINTEST, share)
    return shown


def _density(opacity: Floats, chosen: NDArray[np.bool_], sign: int) -> Raster:
    colours = np.array([_rgb(theme.PIXEL_COLOURS[sign]), _rgb(theme.MUTED)] * 2)
    layer = np.argmax(opacity > 0, axis=0)
    rgba = np.zeros((CELLS, CELLS, 4), dtype=np.uint8)
    rgba[:, :, :3] = colours[layer]
    rgba[chosen.any(axis=0), :3] = _rgb(theme.DIFFERENCE)
    shown = np.take_along_axis(opacity, layer[None], axis=0)[0] * np.array([1.0, 0.7, BACK, BACK])[layer]
    rgba[:, :, 3] = np.rint(255 * np.where(chosen.any(axis=0), np.maximum(shown, 0.8), shown))
    return Raster(rgba, (-1.0, 1.0), (-1.0, 1.0))


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _discs(
    frame: DirectionFrame, places: NDArray[np.float32], cell: NDArray[np.intp], share: Floats, sign: int,
    weight: Weight,
) -> tuple[Mark, ...]:  # fmt: skip
    """Cells of the near side that weigh much, as discs."""
    if weight is Weight.LOG_NORM:
        return ()
    first = 4 * CELLS**2 if sign < 0 else 0
    near = share[first : first + CELLS**2]
    heavy = np.flatnonzero(near >= DISC_SHARE)
    heavy = heavy[np.argsort(-near[heavy], kind="stable")[:MOST_DISCS]]
    if heavy.size == 0:
        return ()
    rank = np.full(share.size, -1)
    rank[first + heavy] = np.arange(heavy.size)
    inside = np.flatnonzero(rank[cell] >= 0)
    of = rank[cell[inside]]
    count = np.bincount(of, minlength=heavy.size)
    x, y = (np.bincount(of, weights=places[i, inside], minlength=heavy.size) / count for i in (0, 1))
    mass = frame.mass()
    part = np.bincount(of, weights=mass[inside], minlength=heavy.size) / (float(mass.sum()) or 1.0)
    titles = tuple(f"{neurons(int(c))}: {100 * m:.3g} % of the mass" for c, m in zip(count, part, strict=True))
    area = np.maximum(SMALLEST_DISC, LARGEST_DISC * near[heavy])
    label = f"neurons, {RELATION[sign]}" if sign else "neurons"
    return (Dots(x, y, SIGN_NAMES.get(sign, "muted"), area, opacity=0.85, label=label, name="discs", titles=titles),)


def _circle_marks(data: Dataset, axes: Floats, *, front: bool) -> tuple[Mark, ...]:
    """Great circles on which a sample's boundary lies, the near halves or the far ones, and their names."""
    given = np.flatnonzero(np.any(data.inputs != 0, axis=1))[:MOST_CIRCLES]
    if given.size == 0:
        return ()
    normal = data.inputs[given] / np.linalg.norm(data.inputs[given], axis=1, keepdims=True) @ axes.T
    least = np.eye(3)[np.argmin(np.abs(normal), axis=1)]
    first = np.cross(normal, least)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(normal, first)
    turn = np.linspace(0.0, math.tau, CIRCLE_POINTS)[None, :, None]
    points = first[:, None] * np.cos(turn) + second[:, None] * np.sin(turn)
    gap = np.full((given.size, 1, 3), np.nan)
    points = np.concatenate([points, gap], axis=1).reshape(-1, 3)
    hidden = points[:, 2] < -0.02 if front else points[:, 2] > 0.02
    x, y = np.where(hidden, np.nan, points[:, 0]), np.where(hidden, np.nan, points[:, 1])
    if not front:
        return (Line(x, y, "muted", theme.THIN, dashed=True, opacity=0.4),)
    line = Line(x, y, "muted", 1.2, label="kink on a sample" if data.n_features == 1 else "boundary of a sample")
    flat = np.hypot(normal[:, 0], normal[:, 1])
    named = flat > 0.05 if given.size <= theme.MOST_LABELS else np.zeros(given.size, dtype=bool)
    return (line, *_names(np.column_stack([-normal[:, 1], normal[:, 0]])[named] / flat[named, None], given[named]))


def _names(rim: Floats, samples: NDArray[np.int64]) -> tuple[Label, ...]:
    """Names of samples where their circles meet the rim, at either end, none on top of another."""
    taken: list[Floats] = []
    labels = []
    for at, k in zip(rim, samples.tolist(), strict=True):
        free = [end for end in (at, -at) if all(np.hypot(*(end - other)) > NAME_GAP for other in taken)]
        if free:
            taken.append(free[0])
            labels.append(Label(float(1.07 * free[0][0]), float(1.07 * free[0][1]), f"x{subscript(k)}", size=10.0))
    return tuple(labels)


def _axis_marks(data: Dataset, axes: Floats) -> tuple[Mark, ...]:
    names = ("w₁", "w₂", "b" if data.bias else "w₃")
    marks: list[Mark] = []
    for name, (x, y, depth) in zip(names, axes.T, strict=True):
        colour = "ink" if depth >= 0 else "muted"
        marks.append(Line(np.array([x, 1.09 * x]), np.array([y, 1.09 * y]), colour, 2.0))
        marks.append(Label(float(1.15 * x), float(1.15 * y), name, colour, 12.0))
    return tuple(marks)


def _extremal_marks(
    extremal: Sequence[ExtremalDirection], sign: int, axes: Floats, *, front: bool
) -> tuple[Mark, ...]:  # fmt: skip
    marks = []
    for kind, (shape, area) in EXTREMAL_MARKS.items():
        mine = [e for e in extremal if e.kind == kind and e.sign == sign]
        if not mine:
            continue
        places = np.array([e.direction for e in mine]) @ axes.T
        seen = (places[:, 2] >= 0) == front
        titles = tuple(_told(e) for e, s in zip(mine, seen, strict=True) if s) if front else ()
        label = kind if front else ""
        marks.append(
            Dots(
                places[seen, 0], places[seen, 1], "ink", area, shape, hollow=True, opacity=1.0 if front else 0.3,
                label=label, name="extremal directions" if front else "", titles=titles,
            )
        )  # fmt: skip
    return tuple(marks)


def _told(e: ExtremalDirection) -> str:
    sign = f" for neurons with {RELATION[e.sign]}" if e.sign else ""
    held = f", held on {', '.join(f'x{subscript(k)}' for k in e.samples[:4])}" if e.samples else ""
    at = ", ".join(f"{v:.3f}" for v in e.direction)
    return f"{e.kind}{sign} at ({at}): grows at rate {e.rate:.3g}{held}".replace("-", "−")
