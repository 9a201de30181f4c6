"""A picture as a value: panels of marks in data coordinates.

A widget shows it live, a page plays a list of them without a kernel, matplotlib prints it, and a table holds its
numbers; none of them computes anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.views.theme import COLOURS
from reluquant.views.time_view import round_ticks

SHAPES = ("disc", "diamond", "cross", "square", "up", "down")
# Ticks of an axis that names none of its own.
X_TICKS, Y_TICKS = 7, 6
# Room in pixels for the ticks and the label of an axis, and beyond the plot where there is none.
AXIS_LEFT, AXIS_BOTTOM, EDGE = 58, 40, 10


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A polyline, with gaps where a coordinate is NaN.

    Parameters
    ----------
    x, y : ndarray, shape (n_points,)
        Data coordinates.
    colour : str
        A name of ``reluquant.views.theme.COLOURS``.
    width : float
        In pixels.
    dashed : bool
        Dashes say what colour says: an interpolant, a prediction.
    opacity : float
        From 0 to 1.
    label : str
        What the legend and a table call it; without one it is in neither.
    """

    x: Floats
    y: Floats
    colour: str = "ink"
    width: float = 2.0
    dashed: bool = False
    opacity: float = 1.0
    label: str = ""

    def __post_init__(self) -> None:
        _check_colour(self.colour)


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """Marks at points.

    Parameters
    ----------
    x, y : ndarray, shape (n_marks,)
        Data coordinates.
    colour : str
        A name of ``reluquant.views.theme.COLOURS``.
    area : float or ndarray, shape (n_marks,)
        In square pixels; area is mass.
    shape : str
        One of ``disc``, ``diamond``, ``cross``, ``square``, ``up`` and ``down`` (ticks).
    hollow : bool
        Hollow is what is predicted, filled what happened.
    opacity : float
        From 0 to 1.
    label : str
        What the legend and a table call them; without one they are in neither.
    name : str
        What an event of the page calls them; without one the mouse does not feel them.
    movable : bool
        Whether mouse and arrow keys move them.
    titles : sequence of str
        A tooltip for each.
    """

    x: Floats
    y: Floats
    colour: str = "ink"
    area: float | Floats = 80.0
    shape: str = "disc"
    hollow: bool = False
    opacity: float = 1.0
    label: str = ""
    name: str = ""
    movable: bool = False
    titles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_colour(self.colour)
        if self.shape not in SHAPES:
            raise ValueError(f"A dot's shape must be one of {', '.join(SHAPES)}, but got {self.shape!r}.")


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """Filled polygons: sectors, bars, bands, regions.

    Parameters
    ----------
    polygons : sequence of ndarray, shape (n_corners, 2)
        Data coordinates.
    colour : str
        A name of ``reluquant.views.theme.COLOURS``.
    opacity : float
        Of the filling.
    edge : float
        Width of the outline in pixels; 0 for none.
    label, name, titles
        As in :class:`Dots`; an event names a polygon by its place.
    """

    polygons: tuple[Floats, ...]
    colour: str = "muted"
    opacity: float = 0.2
    edge: float = 0.0
    label: str = ""
    name: str = ""
    titles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_colour(self.colour)


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A short text at a point.

    Parameters
    ----------
    x, y : float
        Data coordinates of its anchor.
    text : str
        What it says.
    colour : str
        A name of ``reluquant.views.theme.COLOURS``.
    size : float
        Of the font, in pixels.
    anchor : str
        ``start``, ``middle`` or ``end``.
    halo : bool
        Whether paper keeps the letters apart from lines below; not on a filled mark.
    """

    x: float
    y: float
    text: str
    colour: str = "ink"
    size: float = 11.0
    anchor: str = "middle"
    halo: bool = True

    def __post_init__(self) -> None:
        _check_colour(self.colour)


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A picture of colours: a function of two inputs, a heat map, a density.

    Parameters
    ----------
    rgba : ndarray of uint8, shape (height, width, 4)
        First row on top.
    x_range, y_range : (float, float)
        The rectangle in data coordinates that it fills.
    """

    rgba: np.ndarray
    x_range: tuple[float, float]
    y_range: tuple[float, float]


Mark = Line | Dots | Area | Label | Raster


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Marks in one coordinate system.

    Parameters
    ----------
    name : str
        What events and tables call it.
    x_range, y_range : (float, float)
        Data coordinates of the plot's ends.
    marks : tuple of marks
        Later ones lie on top.
    width, height : int
        In pixels, axes included.
    x_label, y_label : str
        Of the axes.
    x_ticks, y_ticks : mapping of float to str, optional
        Where to put which label; round numbers without it.
    axes : bool
        Whether axes are drawn; without them the plot fills the panel.
    title : str
        Above the plot.
    summary : str
        The panel in words, for a screen reader.
    clickable, turnable : bool
        Whether the page reports clicks on empty places, and drags that begin there.
    zoomable : bool
        Whether the page reports a wheel that is turned over the panel with Ctrl held, or two fingers that spread.
    """

    name: str
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    marks: tuple[Mark, ...]
    width: int = 460
    height: int = 320
    x_label: str = ""
    y_label: str = ""
    x_ticks: Mapping[float, str] | None = None
    y_ticks: Mapping[float, str] | None = None
    axes: bool = True
    title: str = ""
    summary: str = ""
    clickable: bool = False
    turnable: bool = False
    zoomable: bool = False

    def plot_area(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the plot in pixels."""
        left, bottom = (AXIS_LEFT, AXIS_BOTTOM if self.x_label else AXIS_BOTTOM - 16) if self.axes else (EDGE, EDGE)
        top = EDGE + (16 if self.title else 0)
        return left, top, self.width - left - EDGE, self.height - top - bottom

    def ticks(self) -> tuple[Mapping[float, str], Mapping[float, str]]:
        """Labels of both axes by their place; none without axes."""
        if not self.axes:
            return {}, {}
        return (
            _round(self.x_range, X_TICKS) if self.x_ticks is None else self.x_ticks,
            _round(self.y_range, Y_TICKS) if self.y_ticks is None else self.y_ticks,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Panels in rows, and the same in words.

    Parameters
    ----------
    rows : tuple of tuple of Panel
        From top to bottom, each from left to right.
    sentence : str
        What is to be seen.
    """

    rows: tuple[tuple[Panel, ...], ...]
    sentence: str = ""

    def panels(self) -> Iterator[Panel]:
        """All panels."""
        for row in self.rows:
            yield from row

    def panel(self, name: str) -> Panel:
        """The panel of that name.

        Raises
        ------
        KeyError
            If there is none.
        """
        for panel in self.panels():
            if panel.name == name:
                return panel
        raise KeyError(f"The scene has no panel {name!r}; it has {', '.join(p.name for p in self.panels())}.")

    def legend(self) -> dict[str, Line | Dots | Area]:
        """The first mark of each label."""
        found: dict[str, Line | Dots | Area] = {}
        for panel in self.panels():
            for mark in panel.marks:
                label = getattr(mark, "label", "")
                if label:
                    found.setdefault(label, mark)
        return found

    def table(self) -> dict[str, Floats]:
        """The numbers that are shown: for each labelled mark its coordinates.

        Returns
        -------
        dict of str to ndarray
            Keys ``panel/label/x`` and ``panel/label/y``; polygons are rows of corners separated by NaN.
        """
        columns: dict[str, list[Floats]] = {}
        for panel in self.panels():
            for mark in panel.marks:
                if getattr(mark, "label", ""):
                    x, y = _coordinates(mark)
                    for axis, values in (("x", x), ("y", y)):
                        columns.setdefault(f"{panel.name}/{mark.label}/{axis}", []).append(values)
        return {key: np.concatenate(parts) for key, parts in columns.items()}


def _coordinates(mark: Line | Dots | Area) -> tuple[Floats, Floats]:
    if not isinstance(mark, Area):
        return np.asarray(mark.x, dtype=float), np.asarray(mark.y, dtype=float)
    gap = np.full((1, 2), math.nan)
    corners = [part for polygon in mark.polygons for part in (np.asarray(polygon, dtype=float), gap)]
    return tuple(np.concatenate(corners).T) if corners else (np.zeros(0), np.zeros(0))


def _round(ends: tuple[float, float], most: int) -> dict[float, str]:
    return {float(value): f"{value:.6g}".replace("-", "−") for value in round_ticks(*ends, most)}


def _check_colour(name: str) -> None:
    if name not in COLOURS:
        raise ValueError(f"A mark's colour must be one of {', '.join(COLOURS)}, but got {name!r}.")
