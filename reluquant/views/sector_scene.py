"""Sectors, critical directions and growth rate of given residuals as a scene."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.views import theme
from reluquant.views.circle_scene import circle_panel, polar, sector_marks, wedge
from reluquant.views.direction_view import ATTRACTING, RING
from reluquant.views.function_scene import DATA_AREA, RELATION, SIGN_NAMES, function_panel
from reluquant.views.function_view import Window, window
from reluquant.views.growth_scene import growth_panel, rates_panel
from reluquant.views.scene import Area, Dots, Label, Line, Mark, Panel, Scene
from reluquant.views.sector_facts import SectorFacts
from reluquant.views.sector_marks import critical_marks, in_words, picked_marks
from reluquant.views.sentences import number
from reluquant.views.sphere_scene import sphere_panel

# Sizes in pixels.
FUNCTION, CIRCLE = (560, 390), 374
# On the circle a > 0 lies outside the ring, a < 0 inside: basins, critical directions, and lanes of paths.
BASIN, LANE = (0.025, 0.085), (0.125, 0.024)
LANES = 6
ARC_POINTS = 61
# The picked neuron's function reaches to this share of the panel.
PICKED_REACH = 0.85


def sector_scene(
    facts: SectorFacts,
    t: float,
    *,
    sign: int = 1,
    picked: int | None = None,
    shown: Window | None = None,
    turn: tuple[float, float] = (0.0, 0.0),
) -> Scene:
    """Return the scene at one moment of the neurons' way.

    Parameters
    ----------
    facts : SectorFacts
        What is true of data and residuals.
    t : float
        How far the neurons have come.
    sign : {1, -1}, default 1
        Whose critical directions are on the curve and on the sphere.
    picked : int, optional
        Index of a critical direction to tell of.
    shown : Window, optional
        Of the panel of the data; by default the one that fits them.
    turn : (float, float)
        Azimuth and elevation of the eye, in radians; on the sphere only.

    Returns
    -------
    Scene
        Panels ``data``, ``directions`` and ``growth``.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.sector_facts import sector_facts
    >>> from reluquant.views.sector_scene import sector_scene
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> facts = sector_facts(data, [-0.5, 0.5], W=[[1.0, 0.0]], signs=[1])
    >>> sector_scene(facts, facts.end).sentence
    'Neurons with a > 0: 1 attractor, 1 dead, 1 repeller. At t = 12.4, of 1 neuron 1 came to an end.'
    """
    chosen = np.array([e.sign == sign for e in facts.directions], dtype=bool)
    picked = picked if picked is not None and picked < len(facts.directions) else None
    shown = residual_window(facts.data, facts.residual) if shown is None else shown
    data = _line_data(facts, shown, picked) if facts.on_line else _plane_data(facts, shown, picked)
    if facts.on_circle:
        directions, growth = _circle(facts, t, picked), growth_panel(facts, t, chosen, picked)
    else:
        directions, growth = (
            sphere_panel(facts, t, sign, chosen, picked, turn, CIRCLE),
            rates_panel(facts, chosen, picked),
        )
    return Scene(((data, directions), (growth,)), _sentence(facts, t, sign, picked))


def residual_window(data: Dataset, residual: Floats) -> Window:
    """Return the window of the data panel: input and residual, with zero in it, or both inputs."""
    if data.n_features == 2:
        return window(Dataset(data.X[:, 0], data.X[:, 1]))
    x = data.X[:, 0]
    fitted = window(Dataset(np.append(x, x[:1]), np.append(residual, 0.0)))
    return Window(fitted.left, fitted.right, fitted.bottom, fitted.top)


def sample_of(facts: SectorFacts, name: str, index: int) -> int:
    """The sample that an event's mark and place mean."""
    if name == "data":
        return index
    return int(np.flatnonzero(facts.residual >= 0 if name.startswith("positive") else facts.residual < 0)[index])


def neuron_of(facts: SectorFacts, name: str, index: int) -> int:
    """The neuron whose start an event's mark and place mean."""
    return int(np.flatnonzero(facts.signs == (1 if name.startswith("positive") else -1))[index])


# ------------------------------------------------------------------------------------------------------- the data


def _line_data(facts: SectorFacts, shown: Window, picked: int | None) -> Panel:
    x, r = facts.data.X[:, 0], facts.residual
    gap = np.full(x.size, np.nan)
    marks: list[Mark] = [
        Line(np.array([shown.left, shown.right]), np.zeros(2), "muted", theme.THIN),
        *_picked_neuron(facts, shown, picked),
        Line(np.column_stack([x, x, gap]).ravel(), np.column_stack([0 * r, r, gap]).ravel(), "ink", 2.0),
        Dots(
            x, r, area=DATA_AREA, label="residual (drag)", name="data", movable=True,
            titles=tuple(f"{name}: x = {a:.6g}, r = {b:.6g}" for name, a, b in zip(facts.names, x, r, strict=True)),
        ),
    ]  # fmt: skip
    return function_panel(
        shown, tuple(marks), width=FUNCTION[0], height=FUNCTION[1], name="data", y_label="residual r", clickable=True,
        summary="Residual of each sample over its input, as stems that can be dragged",
    )  # fmt: skip


def _plane_data(facts: SectorFacts, shown: Window, picked: int | None) -> Panel:
    x, r = facts.data.X, facts.residual
    size = DATA_AREA * (0.35 + 1.4 * np.abs(r) / (np.abs(r).max(initial=0.0) or 1.0))
    titles = tuple(
        f"{name}: ({a:.6g}, {b:.6g}), r = {v:.6g}" for name, (a, b), v in zip(facts.names, x, r, strict=True)
    )
    marks: list[Mark] = [*_picked_line(facts, shown, picked)]
    for colour, mine in (("positive", r >= 0), ("negative", r < 0)):
        marks.append(
            Dots(
                x[mine, 0], x[mine, 1], colour, size[mine], hollow=colour == "negative", movable=True,
                name=f"{colour} data",
                label=f"r {'≥' if colour == 'positive' else '<'} 0 (drag)" if np.any(mine) else "",
                titles=tuple(title for title, take in zip(titles, mine, strict=True) if take),
            )
        )  # fmt: skip
    marks += [
        Label(float(a), float(b) + 0.055 * (shown.top - shown.bottom), name)
        for name, (a, b) in zip(facts.names, x, strict=True)
        if len(x) <= theme.MOST_LABELS
    ]
    return Panel(
        "data", (shown.left, shown.right), (shown.bottom, shown.top), tuple(marks), width=FUNCTION[0],
        height=FUNCTION[1], x_label="x₁", y_label="x₂", clickable=True,
        summary="Samples in the plane of inputs; size and filling say their residuals",
    )  # fmt: skip


def _picked_neuron(facts: SectorFacts, shown: Window, picked: int | None) -> tuple[Mark, ...]:
    """The function of a neuron along the picked direction, as large as the panel allows."""
    if picked is None:
        return ()
    e = facts.directions[picked]
    x = np.unique(
        np.clip([shown.left, e.kink if math.isfinite(e.kink) else shown.left, shown.right], shown.left, shown.right)
    )
    f = e.sign * np.maximum(e.direction[0] * x + e.direction[1], 0.0)
    room = PICKED_REACH * (shown.top if e.sign > 0 else -shown.bottom)
    largest = float(np.abs(f).max())
    factor = max(room, 0.1 * (shown.top - shown.bottom)) / largest if largest else 0.0
    return (Line(x, factor * f, SIGN_NAMES[e.sign], 2.0, dashed=True, label="picked neuron, scaled"),)


def _picked_line(facts: SectorFacts, shown: Window, picked: int | None) -> tuple[Mark, ...]:
    """Where a neuron along the picked direction bends, and the side on which it is active."""
    if picked is None:
        return ()
    e = facts.directions[picked]
    w, b = e.direction[:2], float(e.direction[2]) if facts.data.bias else 0.0
    size = float(np.hypot(*w))
    if size < 1e-9:
        return ()
    foot, along = -b * w / size**2, np.array([-w[1], w[0]]) / size
    reach = 4 * (abs(shown.right - shown.left) + abs(shown.top - shown.bottom) + float(np.hypot(*foot)))
    ends = np.array([foot - reach * along, foot + reach * along])
    far = ends + reach * w / size
    colour = SIGN_NAMES[e.sign]
    side = Area((np.array([*ends, far[1], far[0]]),), colour, 0.1, label="picked neuron active")
    return side, Line(ends[:, 0], ends[:, 1], colour, 2.0, dashed=True, label="kink of the picked neuron")


# ----------------------------------------------------------------------------------------------------- the circle


def _circle(facts: SectorFacts, t: float, picked: int | None) -> Panel:
    angle = np.array([e.angle for e in facts.directions])
    signs = np.array([e.sign for e in facts.directions], dtype=int)
    at = polar(RING + signs * sum(BASIN) / 2, angle)
    marks: list[Mark] = [*sector_marks(facts.sectors), *_basins(facts, picked), *_paths(facts, t)]
    marks += picked_marks(*at, picked)
    marks += critical_marks(facts.directions, *at, np.ones(angle.size, dtype=bool), facts.names)
    weights = "(w, b)" if facts.data.bias else "w"
    return circle_panel(
        tuple(marks), size=CIRCLE, title=f"directions of {weights}: click to drop a neuron",
        summary="Circle of weight directions with sectors, basins and critical directions", clickable=True,
    )  # fmt: skip


def _basins(facts: SectorFacts, picked: int | None) -> list[Mark]:
    marks: list[Mark] = []
    for sign, colour in SIGN_NAMES.items():
        inner, outer = sorted(RING + sign * np.array(BASIN))
        mine = [
            (i, e) for i, e in enumerate(facts.directions)
            if e.sign == sign and e.kind in ATTRACTING and e.basin is not None and e.basin[1] > e.basin[0]
        ]  # fmt: skip
        # Neighbours are told apart by their depth of colour.
        for order, (i, e) in enumerate(mine):
            opacity = 0.85 if i == picked else (0.4, 0.2, 0.3)[order % 3]
            marks.append(
                Area((wedge(*e.basin, inner, outer),), colour, opacity, 0.8, f"basins, {RELATION[sign]}")
            )  # fmt: skip
    return marks


def _paths(facts: SectorFacts, t: float) -> list[Mark]:
    """Each neuron's way so far, on a lane of its own beside the ring."""
    if facts.paths is None:
        return []
    # On a circle a neuron never turns back, so that first and last angle tell its way.
    upto = max(1, int(np.searchsorted(facts.paths.t, t, side="right")))
    angle = np.unwrap(np.arctan2(facts.paths.direction[:upto, :, 1], facts.paths.direction[:upto, :, 0]), axis=0)
    first, last = angle[0], angle[-1]
    marks: list[Mark] = []
    for sign, colour in SIGN_NAMES.items():
        mine = np.flatnonzero(facts.signs == sign)
        radius = RING + sign * (LANE[0] + LANE[1] * (np.arange(mine.size) % LANES))
        for j, r in zip(mine, radius, strict=True):
            marks.append(
                Line(
                    *polar(r, np.linspace(first[j], last[j], ARC_POINTS)), colour, 1.6
                )
            )
        ends = polar(radius, last[mine])
        starts = polar(radius, first[mine])
        marks.append(
            Dots(
                *starts, colour, 40.0, hollow=True, label="start (drag)" if mine.size else "",
                name=f"{colour} start", movable=True,
                titles=tuple(f"neuron {j + 1}: starts at {math.degrees(first[j]):.1f}°" for j in mine),
            )
        )  # fmt: skip
        marks.append(Dots(*ends, colour, 26.0, label=f"neurons, {RELATION[sign]}" if mine.size else ""))
    return marks


# -------------------------------------------------------------------------------------------------------- in words


def _sentence(facts: SectorFacts, t: float, sign: int, picked: int | None) -> str:
    if picked is not None:
        said = in_words(facts.directions[picked], facts.names)
        return f"{said[0].upper()}{said[1:]}."
    counts = Counter(e.kind for e in facts.directions if e.sign == sign)
    there = ", ".join(f"{n} {kind}{'s' * (n > 1 and kind[-1] == 'r')}" for kind, n in sorted(counts.items()))
    said = f"Neurons with {RELATION[sign]}: {there}."
    if facts.paths is not None:
        arrived, n = int(np.sum(facts.paths.prediction.time <= t)), facts.signs.size
        said += f" At t = {number(t)}, of {n} neuron{'s' * (n > 1)} {arrived} came to an end."
    return said
