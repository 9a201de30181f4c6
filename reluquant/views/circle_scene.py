"""The circle of weight directions as a scene: sectors, bars, predicted directions."""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.views import theme
from reluquant.views.direction_view import RING, ExtremalView, SectorView
from reluquant.views.function_scene import RELATION, SIGN_NAMES
from reluquant.views.scene import Area, Dots, Label, Line, Mark, Panel

# Half the side of the square that holds circle and names.
REACH = 1.08
# Points along a whole turn.
TURN_POINTS = 181
# Area in square pixels of a predicted direction.
PREDICTED_AREA = 190.0
DEAD_OPACITY = 0.16
# Where a selected neuron is marked, off the ring, and how large.
SELECTED_LIFT, SELECTED_AREA = 0.05, 60.0


def circle_panel(
    marks: tuple[Mark, ...], *, size: int = 340, name: str = "directions", title: str = "", summary: str = "",
    turnable: bool = False, clickable: bool = False,
) -> Panel:  # fmt: skip
    """Return a square panel without axes around the unit disc."""
    ends = (-REACH, REACH)
    return Panel(
        name, ends, ends, marks, width=size, height=size + (16 if title else 0), axes=False, title=title,
        summary=summary, turnable=turnable, clickable=clickable,
    )  # fmt: skip


def polar(radius: float | Floats, angle: float | Floats) -> tuple[Floats, Floats]:
    """Data coordinates of points on the disc."""
    return np.asarray(radius * np.cos(angle)), np.asarray(radius * np.sin(angle))


def ring(radius: float = RING) -> Line:
    """The circle itself."""
    return Line(*polar(radius, np.linspace(0.0, math.tau, TURN_POINTS)), "ink", 1.0, opacity=0.6)


def wedge(start: float, end: float, inner: float, outer: float) -> Floats:
    """Corners of a piece of a ring between two angles, shape (n_corners, 2)."""
    turn = np.linspace(start, end, max(3, math.ceil(abs(end - start) / math.tau * TURN_POINTS)))
    there, back = polar(outer, turn), polar(inner, turn[::-1])
    return np.column_stack([np.append(there[0], back[0]), np.append(there[1], back[1])])


def sector_marks(sectors: SectorView) -> tuple[Mark, ...]:
    """Rays at which a kink lies on a data point, their names, the dead sector, and the ring."""
    gap = np.full(sectors.angles.size, np.nan)
    x = np.column_stack([*(polar(r, sectors.angles)[0] for r in (theme.RAY_START, theme.RAY_END)), gap]).ravel()
    y = np.column_stack([*(polar(r, sectors.angles)[1] for r in (theme.RAY_START, theme.RAY_END)), gap]).ravel()
    marks: list[Mark] = []
    if sectors.dead is not None:
        marks.append(
            Area((wedge(*sectors.dead, 0.0, theme.RAY_END),), "muted", DEAD_OPACITY, label="no sample active")
        )
    marks.append(
        Line(x, y, "muted", theme.THIN, dashed=True, label="kink on a sample")
    )
    if sectors.angles.size <= theme.MOST_LABELS:
        for angle, rank in zip(sectors.angles, sectors.ranks, strict=True):
            at = polar(theme.LABEL_RADIUS, float(angle))
            marks.append(Label(float(at[0]), float(at[1]), f"x{subscript(int(rank))}"))
    return (*marks, ring())


def bar_marks(positive: Floats, negative: Floats, dead: Floats, turning: Floats) -> tuple[Mark, ...]:
    """The circular histogram, from :func:`reluquant.views.direction_view.bars`.

    Events name a bar by its sign, or ``dead``.
    """
    return (
        Area(tuple(dead), "muted", 0.45, label="dead neurons", name="dead"),
        Area(tuple(positive), "positive", 1.0, label=f"neurons, {RELATION[1]}", name="positive"),
        Area(tuple(negative), "negative", 1.0, label=f"neurons, {RELATION[-1]}", name="negative"),
        # Paper over the ends of the bars: what has not turned yet is pale.
        Area(tuple(turning), "paper", 0.55),
    )


def predicted_marks(extremal: ExtremalView) -> tuple[Mark, ...]:
    """Hollow circles where neurons turn to, by sign; events call them ``to positive`` and ``to negative``."""
    marks = []
    for sign, colour in SIGN_NAMES.items():
        mine = extremal.sign == sign
        titles = tuple(
            f"predicted: neurons with {RELATION[sign]} turn to {math.degrees(angle):.1f}°"
            for angle in extremal.angle[mine]
        )
        marks.append(
            Dots(
                *polar(RING, extremal.angle[mine]), colour, PREDICTED_AREA, hollow=True, titles=titles,
                label=f"predicted, {RELATION[sign]}", name=f"to {colour}",
            )
        )  # fmt: skip
    return tuple(marks)


def compass() -> tuple[Mark, ...]:
    """What the circle shows, in its middle."""
    return (
        Label(0.0, 0.12, "angle of (w, b)", "muted", 10.0),
        Label(0.0, 0.02, "a > 0 outwards", "positive", 10.0),
        Label(0.0, -0.08, "a < 0 inwards", "negative", 10.0),
    )


def selected_marks(angle: Floats, sign: np.ndarray) -> tuple[Mark, ...]:
    """Rings of ink around the directions of selected neurons, on the side of their sign."""
    places = np.unique(np.column_stack([np.round(angle, 3), sign]), axis=0)
    radius = RING + SELECTED_LIFT * places[:, 1]
    return (Dots(*polar(radius, places[:, 0]), "ink", SELECTED_AREA, hollow=True, opacity=0.8, label="selected"),)


def subscript(number: int) -> str:
    """Write a whole number as an index."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
