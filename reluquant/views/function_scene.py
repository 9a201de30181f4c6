"""The function panel as a scene: data, network, interpolant, and the rug of kinks."""

from __future__ import annotations

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.views import theme
from reluquant.views.function_view import AWAKE, DEAD, DORMANT, DataView, Kinks, Window
from reluquant.views.scene import Dots, Line, Mark, Panel

# Area in square pixels of the diamond of the heaviest kink, and of a data point.
LARGEST_DIAMOND, DATA_AREA, CROSS_AREA, SELECTED_AREA = 170.0, 110.0, 18.0, 150.0
# Kinks of neurons that have hardly grown are faint.
DORMANT_OPACITY = 0.4
SIGN_NAMES = {1: "positive", -1: "negative"}
RELATION = {1: "a > 0", -1: "a < 0"}


def function_panel(
    shown: Window,
    marks: tuple[Mark, ...],
    *,
    width: int = 590,
    height: int = 370,
    name: str = "function",
    y_label: str = "f(x)",
    summary: str = "",
    clickable: bool = False,
) -> Panel:
    """Return a panel over the window with these marks."""
    return Panel(
        name, (shown.left, shown.right), (shown.bottom, shown.top), marks, width=width, height=height,
        x_label="x", y_label=y_label, summary=summary, clickable=clickable,
    )  # fmt: skip


def network_line(x: Floats, y: Floats) -> Line:
    """The network: a heavy line of ink."""
    return Line(x, y, "ink", theme.NETWORK_WIDTH, label="network")


def interpolant_line(view: DataView) -> Line:
    """The interpolant of the data: dashed green."""
    return Line(
        view.interpolant_x, view.interpolant_y, "interpolant", theme.INTERPOLANT_WIDTH, dashed=True, label="interpolant"
    )


def target_line(x: Floats, y: Floats, label: str = "target") -> Line:
    """A target: thin and grey."""
    return Line(x, y, "muted", theme.THIN, label=label)


def data_dots(view: DataView, *, movable: bool = False) -> Dots:
    """The data: discs of ink, which events call ``data``."""
    titles = tuple(f"sample {k}: x = {x:.6g}, y = {y:.6g}" for k, (x, y) in enumerate(zip(view.x, view.y, strict=True)))
    return Dots(
        view.x, view.y, area=DATA_AREA, label="data", name="data" if movable else "", movable=movable,
        titles=titles if movable else (),
    )  # fmt: skip


def rug(kinks: Kinks, shown: Window) -> tuple[Mark, ...]:
    """Ticks of free kinks, up for ``a > 0`` and down for ``a < 0``, and diamonds of those held on a data point."""
    tall = shown.top - shown.bottom
    base = shown.bottom + theme.RUG_LINE * tall
    marks: list[Mark] = [
        Line(np.array([shown.left, shown.right]), np.full(2, base), "muted", theme.THIN, opacity=0.6),
    ]
    for sign, colour in SIGN_NAMES.items():
        for state, opacity, label in ((DORMANT, DORMANT_OPACITY, ""), (AWAKE, 1.0, f"kinks, {RELATION[sign]}")):
            free = (kinks.sign == sign) & ~kinks.held & (kinks.state == state)
            gap = np.full(np.count_nonzero(free), np.nan)
            x = np.column_stack([kinks.x[free], kinks.x[free], gap]).ravel()
            ends = base + sign * kinks.length[free] * tall
            y = np.column_stack([np.full(gap.size, base), ends, gap]).ravel()
            marks.append(Line(x, y, colour, 2.0, opacity=opacity, label=label))
        held = (kinks.sign == sign) & kinks.held
        height = np.full(np.count_nonzero(held), base + sign * theme.DIAMOND_LIFT * tall)
        marks.append(
            Dots(
                kinks.x[held], height, colour, LARGEST_DIAMOND * kinks.size[held], "diamond",
                label=f"held on data, {RELATION[sign]}",
            )
        )  # fmt: skip
    dead = kinks.state == DEAD
    marks.append(
        Dots(kinks.x[dead], np.full(np.count_nonzero(dead), base), "muted", CROSS_AREA, "cross", label="dead neurons")
    )
    return tuple(marks)


def selected_kinks(kink: Floats, shown: Window) -> tuple[Mark, ...]:
    """Rings of ink around the kinks of selected neurons, those inside the window."""
    inside = np.unique(np.round(kink[(kink >= shown.left) & (kink <= shown.right)], 6))
    if inside.size == 0:
        return ()
    base = shown.bottom + theme.RUG_LINE * (shown.top - shown.bottom)
    return (
        Dots(inside, np.full(inside.size, base), "ink", SELECTED_AREA, hollow=True, opacity=0.8, label="selected"),
    )
