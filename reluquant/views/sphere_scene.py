"""The sphere of weight directions of two inputs with a bias, seen from one side."""

from __future__ import annotations

import math

import numpy as np

from reluquant.analysis.growth_rate import growth_rate
from reluquant.structures.arrays import Floats
from reluquant.views import theme
from reluquant.views.circle_scene import TURN_POINTS, circle_panel
from reluquant.views.function_scene import RELATION, SIGN_NAMES
from reluquant.views.scene import Area, Dots, Label, Line, Mark, Panel, Raster
from reluquant.views.sector_facts import SectorFacts
from reluquant.views.sector_marks import critical_marks, picked_marks

# Pixels of the picture of G along an edge, and how opaque the largest growth is.
PIXELS, OPACITY = 120, 0.75
# Radius of the sphere in the panel.
RADIUS = 1.0


def eye(turn: tuple[float, float]) -> Floats:
    """Rows: the directions of weight space to the right, upwards, and towards the eye, shape (3, 3)."""
    azimuth, elevation = turn
    ca, sa, ce, se = math.cos(azimuth), math.sin(azimuth), math.cos(elevation), math.sin(elevation)
    return np.array([[ca, 0.0, -sa], [-sa * se, ce, -ca * se], [sa * ce, se, ca * ce]])


def from_screen(x: float, y: float, turn: tuple[float, float]) -> Floats | None:
    """The direction that is seen at a place of the panel; None beside the sphere."""
    square = x * x + y * y
    if square > RADIUS**2:
        return None
    return np.array([x, y, math.sqrt(max(RADIUS**2 - square, 0.0))]) @ eye(turn)


def sphere_panel(
    facts: SectorFacts, t: float, sign: int, chosen: np.ndarray, picked: int | None, turn: tuple[float, float],
    size: int,
) -> Panel:  # fmt: skip
    """Return the half of the sphere that is turned to the eye.

    Parameters
    ----------
    facts : SectorFacts
        On a sphere.
    t : float
        How far the neurons have come.
    sign : {1, -1}
        Whose critical directions and neurons are drawn.
    chosen : ndarray of bool, shape (n_directions,)
        Which directions are of this sign.
    picked : int or None
        Which is framed.
    turn : (float, float)
        Azimuth and elevation of the eye.
    size : int
        In pixels.

    Returns
    -------
    Panel
    """
    view = eye(turn)
    u = np.array([e.direction for e in facts.directions]).reshape(-1, 3) @ view.T
    front = chosen & (u[:, 2] >= 0)
    marks: list[Mark] = [_growth(facts, view), *_growth_names(), _outline(), *_boundaries(facts, view)]
    marks += _paths(facts, t, sign, view)
    # A direction behind the sphere keeps its place among its kind, out of sight.
    x, y = np.where(front, u[:, 0], np.nan), np.where(front, u[:, 1], np.nan)
    marks += picked_marks(x, y, picked)
    marks += critical_marks(facts.directions, x, y, chosen, facts.names)
    return circle_panel(
        tuple(marks), size=size, title="directions of (w₁, w₂, b): drag to turn, click to drop", turnable=True,
        clickable=True,
        summary=f"Sphere of weight directions with the growth rate of neurons with {RELATION[sign]}",
    )  # fmt: skip


def _growth(facts: SectorFacts, view: Floats) -> Raster:
    middle = (np.arange(PIXELS) + 0.5) / PIXELS * 2 - 1
    x, y = np.meshgrid(middle, -middle)
    depth = 1 - x**2 - y**2
    inside = depth > 0
    u = np.column_stack([x[inside], y[inside], np.sqrt(depth[inside])]) @ view
    growth = growth_rate(u, facts.data, facts.residual)
    share = np.abs(growth) / (np.abs(growth).max(initial=0.0) or 1.0)
    rgba = np.zeros((PIXELS, PIXELS, 4), dtype=np.uint8)
    colours = np.array([_rgb(theme.NEGATIVE), _rgb(theme.POSITIVE)])
    rgba[inside, :3] = colours[(growth > 0).astype(int)]
    rgba[inside, 3] = np.rint(255 * OPACITY * share)
    return Raster(rgba, (-RADIUS, RADIUS), (-RADIUS, RADIUS))


def _growth_names() -> tuple[Area, ...]:
    """What the colours of the picture mean, for the legend."""
    return Area((), "positive", OPACITY, label="G > 0"), Area((), "negative", OPACITY, label="G < 0")


def _rgb(colour: str) -> list[int]:
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


def _outline() -> Line:
    turn = np.linspace(0.0, math.tau, TURN_POINTS)
    return Line(np.cos(turn), np.sin(turn), "ink", 1.0, opacity=0.6)


def _boundaries(facts: SectorFacts, view: Floats) -> list[Mark]:
    """Great circles on which a kink passes through a sample."""
    marks: list[Mark] = []
    turn = np.linspace(0.0, math.tau, TURN_POINTS)
    for k, sample in enumerate(facts.data.inputs @ view.T):
        normal = sample / np.linalg.norm(sample)
        # Of the circle, the direction across the line of sight, and the one nearest to the eye.
        across = np.array([-normal[1], normal[0], 0.0])
        across = across / np.linalg.norm(across) if np.any(across) else np.array([1.0, 0.0, 0.0])
        nearest = np.cross(normal, across)
        circle = np.outer(np.cos(turn), across) + np.outer(np.sin(turn), nearest)
        seen = np.where(circle[:, 2] >= 0, 1.0, np.nan)
        marks.append(
            Line(circle[:, 0] * seen, circle[:, 1] * seen, "ink", theme.THIN, dashed=True, opacity=0.6,
                 label="kink through a sample")
        )  # fmt: skip
        if facts.data.n_samples <= theme.MOST_LABELS:
            at = nearest * math.copysign(1.0, nearest[2])
            marks.append(Label(float(at[0]), float(at[1]), facts.names[k]))
    return marks


def _paths(facts: SectorFacts, t: float, sign: int, view: Floats) -> list[Mark]:
    mine = np.flatnonzero(facts.signs == sign)
    if facts.paths is None or mine.size == 0:
        return []
    upto = max(1, int(np.searchsorted(facts.paths.t, t, side="right")))
    way = facts.paths.direction[:upto, mine] @ view.T
    way = np.where(way[:, :, 2:] >= 0, way, np.nan)
    colour = "ink"
    marks: list[Mark] = [Line(way[:, j, 0], way[:, j, 1], colour, 1.6, label="ways") for j in range(mine.size)]
    titles = tuple(f"neuron {j + 1}" for j in mine)
    marks.append(
        Dots(way[0, :, 0], way[0, :, 1], colour, 45.0, hollow=True, label="start", name=f"{SIGN_NAMES[sign]} start",
             titles=titles, movable=True)
    )  # fmt: skip
    marks.append(Dots(way[-1, :, 0], way[-1, :, 1], colour, 30.0, label="neurons"))
    return marks
