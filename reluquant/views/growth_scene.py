"""The growth rate over the angle as a panel, with the critical directions on it; on the sphere, their rates."""

from __future__ import annotations

import math

import numpy as np

from reluquant.analysis.growth_rate import growth_rate
from reluquant.structures.arrays import Floats
from reluquant.views import theme
from reluquant.views.circle_scene import subscript
from reluquant.views.function_scene import SIGN_NAMES
from reluquant.views.scene import Area, Dots, Label, Line, Mark, Panel
from reluquant.views.sector_facts import SectorFacts
from reluquant.views.sector_marks import critical_marks, picked_marks

SIZE = (944, 190)
CURVE_POINTS = 361
# Room above and below the curve, in shares of its height; more above, for the names of the samples.
BELOW, ABOVE = 0.16, 0.3


def growth_panel(facts: SectorFacts, t: float, chosen: np.ndarray, picked: int | None) -> Panel:
    """Return G over the angle; neurons with a > 0 climb it, others go down.

    Parameters
    ----------
    facts : SectorFacts
        On a circle.
    t : float
        When the neurons are drawn.
    chosen : ndarray of bool, shape (n_directions,)
        Which critical directions are drawn.
    picked : int or None
        Which is framed.

    Returns
    -------
    Panel
    """
    places = np.unique(np.concatenate([np.linspace(-math.pi, math.pi, CURVE_POINTS), facts.sectors.angles]))
    rate = _growth(facts, places)
    low, high = _ends(rate)
    degrees = np.degrees(facts.sectors.angles)
    gap = np.full(degrees.size, np.nan)
    rays = np.column_stack([degrees, degrees, gap]).ravel(), np.column_stack([gap, gap, gap])
    rays[1][:, :2] = low, high
    angle = np.array([e.angle for e in facts.directions])
    marks: list[Mark] = [
        *_dead(facts, low, high),
        Line(rays[0], rays[1].ravel(), "muted", theme.THIN, dashed=True),
        Line(np.array([-180.0, 180.0]), np.zeros(2), "muted", theme.THIN),
        Line(np.degrees(places), rate, "ink", 2.0, label="growth rate G"),
        *_labels(facts, degrees, high - 0.07 * (high - low)),
        *_neurons(facts, t, chosen),
        *picked_marks(np.degrees(angle), _growth(facts, angle), picked),
        *critical_marks(facts.directions, np.degrees(angle), _growth(facts, angle), chosen, facts.names),
    ]
    return Panel(
        "growth", (-180.0, 180.0), (low, high), tuple(marks), width=SIZE[0], height=SIZE[1], x_label="angle in degrees",
        y_label="growth G", x_ticks={float(v): f"{v}".replace("-", "−") for v in range(-180, 181, 45)},
        summary="Growth rate over the angle of the weights, with critical directions",
    )  # fmt: skip


def rates_panel(facts: SectorFacts, chosen: np.ndarray, picked: int | None) -> Panel:
    """Return the rates of the chosen critical directions, side by side, the largest first."""
    rates = np.array([e.rate for e in facts.directions])
    order = np.full(rates.size, np.nan)
    mine = np.flatnonzero(chosen)
    order[mine[np.argsort(-rates[mine], kind="stable")]] = np.arange(1.0, mine.size + 1)
    low, high = _ends(rates[mine])
    stems = np.column_stack([order, order, order * np.nan]).ravel(), np.column_stack([0 * rates, rates, rates]).ravel()
    last = mine.size + 0.5
    marks: tuple[Mark, ...] = (
        Line(np.array([0.5, last]), np.zeros(2), "muted", theme.THIN),
        Line(*stems, "muted", 2.0),
        *picked_marks(order, rates, picked),
        *critical_marks(facts.directions, order, rates, chosen, facts.names),
    )
    return Panel(
        "growth", (0.5, last), (low, high), marks, width=SIZE[0], height=SIZE[1], x_label="critical directions by rate",
        y_label="rate", summary="Growth rates of the critical directions, the largest first",
    )  # fmt: skip


def _growth(facts: SectorFacts, angle: Floats) -> Floats:
    return growth_rate(np.column_stack([np.cos(angle), np.sin(angle)]), facts.data, facts.residual)


def _ends(rate: Floats) -> tuple[float, float]:
    low, high = float(rate.min(initial=0.0)), float(rate.max(initial=0.0))
    tall = (high - low) or 1.0
    return low - BELOW * tall, high + ABOVE * tall


def _dead(facts: SectorFacts, low: float, high: float) -> list[Mark]:
    if facts.sectors.dead is None:
        return []
    start, end = np.degrees(facts.sectors.dead)
    parts = [(start + turn, end + turn) for turn in (-720.0, -360.0, 0.0, 360.0)]
    inside = [(max(a, -180.0), min(b, 180.0)) for a, b in parts if b > -180.0 and a < 180.0]
    boxes = tuple(np.array([[a, low], [b, low], [b, high], [a, high]]) for a, b in inside)
    return [Area(boxes, "muted", 0.16)]


def _labels(facts: SectorFacts, degrees: Floats, height: float) -> list[Label]:
    if degrees.size > theme.MOST_LABELS:
        return []
    return [
        Label(float(np.clip(at, -176, 176)), height, f"x{subscript(int(rank))}")
        for at, rank in zip(degrees, facts.sectors.ranks, strict=True)
    ]


def _neurons(facts: SectorFacts, t: float, chosen: np.ndarray) -> list[Mark]:
    """Neurons of the chosen sign on the curve: ticks upwards for a > 0, downwards for a < 0."""
    u = facts.neurons(t)
    shown = {e.sign for e, take in zip(facts.directions, chosen, strict=True) if take}
    marks: list[Mark] = []
    for sign, colour in SIGN_NAMES.items():
        mine = np.flatnonzero(facts.signs == sign) if sign in shown else np.zeros(0, dtype=int)
        angle = np.degrees(np.arctan2(u[mine, 1], u[mine, 0]))
        height = growth_rate(u[mine], facts.data, facts.residual) if mine.size else np.zeros(0)
        marks.append(Dots(angle, height, colour, 150.0, "up" if sign > 0 else "down"))
    return marks
