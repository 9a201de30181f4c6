"""The circular histogram of weight directions as a panel: sectors, bars, extremal directions and their basins."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.views.angle_words import written
from reluquant.views.circle_scene import circle_panel, polar, ring, sector_marks, selected_marks, wedge
from reluquant.views.direction_frame import TURN, DirectionFrame, Shape, extremal_axis
from reluquant.views.direction_view import BINS, MOST_RAYS, RING, SectorView, sector_view
from reluquant.views.direction_weight import NormScale, Weight, heights
from reluquant.views.function_scene import RELATION, SIGN_NAMES
from reluquant.views.scene import Area, Dots, Line, Mark, Panel
from reluquant.views.sentences import neurons

# Side of the square in pixels: the widest for which two of them fit a notebook beside its side bar.
SIZE = 470
# Shorter bars than beside the function: spokes end beyond them, and the names of samples beyond the spokes.
LONGEST_BAR = 0.25
# Basins are thin arcs that far from the ring, a degree shorter than they are, so that neighbours stay apart.
BASIN, BASIN_WIDTH, BASIN_GAP = 0.012, 0.016, math.radians(0.8)
# Where spokes end, by sign.
SPOKE_ENDS = {1: RING + LONGEST_BAR + 0.02, -1: RING - LONGEST_BAR - 0.02}
SPOKE_AREA, SMALL_AREA = 90.0, 42.0
# So many selected neurons have a ring each; of more, the bars have one.
MOST_RINGS = 60
# Extremal directions that attract nobody in general.
OTHERS = ("repeller", "saddle")
# Bars outwards and inwards, of living and of dead neurons.
GROUPS = ("outward", "inward", "dead outward", "dead inward")
OUTWARD = (True, False, True, False)


def rays(data: Dataset) -> SectorView:
    """Return the sectors of two inputs without a bias; the dead arc is empty if some sample is active everywhere.

    Parameters
    ----------
    data : Dataset
        Two features, no bias.

    Returns
    -------
    SectorView
        Its ranks are the samples themselves, from 0.
    """
    given = np.flatnonzero(np.any(data.X != 0, axis=1))
    turn = np.arctan2(data.X[given, 1], data.X[given, 0])
    ends = (np.concatenate([turn - math.pi / 2, turn + math.pi / 2]) + math.pi) % math.tau - math.pi
    # Parallel inputs share a ray.
    angles, first = np.unique(np.round(ends, 12), return_index=True)
    samples = np.tile(given, 2)[first]
    chosen = np.arange(angles.size)
    if chosen.size > MOST_RAYS:
        chosen = np.linspace(0, chosen.size - 1, MOST_RAYS).astype(int)
    return SectorView(frozen(angles[chosen]), frozen(samples[chosen], int), _dead_arc(angles, data.X))


def circle(
    data: Dataset, frame: DirectionFrame, *, weight: Weight, scale: NormScale, selected: NDArray[np.int64]
) -> Panel:  # fmt: skip
    """Return the circular histogram at one moment.

    Parameters
    ----------
    data : Dataset
        What was trained on; one or two weights a neuron.
    frame : DirectionFrame
        The moment.
    weight, scale
        What the length of a bar stands for.
    selected : ndarray of int
        Neurons to highlight.

    Returns
    -------
    Panel
        ``directions``; its bars and its extremal directions carry their numbers as tooltips.
    """
    on_line = data.n_features == 1 and data.bias
    marks = (
        *_sector_marks(data),
        *_bar_marks(data, frame, weight, scale, selected),
        *_basins(frame.extremal or ()),
        *_spokes(frame.extremal or (), on_line=on_line),
    )
    title = "directions of (w, b)" if on_line else f"directions of {'(w₁, w₂)' if data.n_features == 2 else 'w'}"
    return circle_panel(
        marks, size=SIZE, title=title,
        summary=f"Circular histogram of weight directions. {frame.sentence}", clickable=True,
    )  # fmt: skip


def neurons_at(frame: DirectionFrame, x: float, y: float) -> NDArray[np.int64]:
    """Return the neurons of the bar at a place of the circle: outwards of the ring or inwards.

    Parameters
    ----------
    frame : DirectionFrame
        The moment.
    x, y : float
        Data coordinates of the panel.
    """
    code = _codes(frame)
    of_bar = code % BINS == round(math.atan2(y, x) / math.tau * BINS) % BINS
    outward = np.array(OUTWARD)[code // BINS]
    return np.flatnonzero(of_bar & (outward == (math.hypot(x, y) >= RING)))


def neurons_towards(frame: DirectionFrame, angle: float) -> NDArray[np.int64]:
    """Return the neurons of both bars at an angle in radians."""
    return np.flatnonzero(_codes(frame) % BINS == round(angle / math.tau * BINS) % BINS)


def _codes(frame: DirectionFrame) -> NDArray[np.int32]:
    """Bar and group of each neuron in one number; bars are centred on multiples of three degrees."""
    bar = (frame.angle.astype(np.int32) * BINS + TURN // 2) // TURN % BINS
    return bar + BINS * ((frame.sign < 0) + 2 * frame.idle.astype(np.int32))


def _bar_marks(
    data: Dataset, frame: DirectionFrame, weight: Weight, scale: NormScale, selected: NDArray[np.int64]
) -> tuple[Mark, ...]:  # fmt: skip
    code = _codes(frame)
    n_cells = BINS * len(GROUPS)
    height = heights(code, n_cells, frame, weight, scale)
    count = height if weight is Weight.COUNT else np.bincount(code, minlength=n_cells).astype(float)
    mass = height if weight is Weight.MASS else np.bincount(code, weights=frame.mass(), minlength=n_cells)
    most = float(height.max(initial=0.0)) or 1.0
    # The square root keeps single neurons in sight beside thousands; logarithms need none.
    length = LONGEST_BAR * (height if weight is Weight.LOG_NORM else np.sqrt(height / most))
    # Mass may underflow, and a bar with neurons is seen.
    length = np.where(count > 0, np.maximum(length, 0.01), 0.0)
    total = float(mass.sum()) or 1.0
    several = data.y.ndim == 2 and data.y.shape[1] > 1
    marks: list[Mark] = []
    for group, name in enumerate(GROUPS):
        full = np.flatnonzero(count[group * BINS : (group + 1) * BINS])
        cells = full + group * BINS
        titles = tuple(
            f"{neurons(int(count[c]))}{_relation(group, several)} at {_degrees(c % BINS)}"
            f"{', dead' if group > 1 else ''}: {100 * mass[c] / total:.3g} % of the mass"
            for c in cells.tolist()
        )
        colour, label = _looks(group, several)
        marks.append(
            Area(_quads(full, length[cells], outward=OUTWARD[group]), colour, 0.45 if group > 1 else 1.0,
                 label=label if full.size else "", name=name, titles=titles)
        )  # fmt: skip
    if selected.size:
        part = np.bincount(code[selected], minlength=n_cells)
        share = np.divide(part, count, out=np.zeros(n_cells), where=count > 0)
        cells = np.flatnonzero(part)
        polygons = [
            q for c in cells
            for q in _quads(np.array([c % BINS]), length[c : c + 1] * share[c], outward=OUTWARD[c // BINS])
        ]  # fmt: skip
        marks.append(Area(tuple(polygons), "difference", 0.85, 1.5, label="selected"))
        marks += _rings(frame, code, selected)
    return tuple(marks)


def _rings(frame: DirectionFrame, code: NDArray[np.int32], selected: NDArray[np.int64]) -> tuple[Mark, ...]:
    """Rings around selected directions, since a few neurons are too small a part of a bar to be seen."""
    outward = np.where(np.array(OUTWARD)[code[selected] // BINS], 1, -1)
    if selected.size <= MOST_RINGS:
        return selected_marks(frame.angle[selected].astype(float) * (math.tau / TURN), outward)
    return selected_marks(code[selected] % BINS * (math.tau / BINS), outward)


def _relation(group: int, several: bool) -> str:
    return "" if several else f" with {RELATION[1 if OUTWARD[group] else -1]}"


def _looks(group: int, several: bool) -> tuple[str, str]:
    if group > 1:
        return "muted", "dead neurons"
    sign = 1 if OUTWARD[group] else -1
    return ("ink", "neurons") if several else (SIGN_NAMES[sign], f"neurons, {RELATION[sign]}")


def _degrees(bar: int) -> str:
    middle = (bar * 360 / BINS + 180) % 360 - 180
    return f"{middle - 180 / BINS:g}° to {middle + 180 / BINS:g}°".replace("-", "−")


def _quads(bar: NDArray[np.int64], length: Floats, *, outward: bool) -> tuple[Floats, ...]:
    half = math.pi / BINS
    inner = np.full(bar.size, RING) if outward else RING - length
    outer = RING + length if outward else np.full(bar.size, RING)
    turn = (bar * math.tau / BINS)[:, None] + np.array([-half, -half, half, half])
    radius = np.stack([inner, outer, outer, inner], axis=1)
    return tuple(np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=2))


def _sector_marks(data: Dataset) -> tuple[Mark, ...]:
    if data.n_features + data.bias == 1:
        return (ring(),)
    if data.bias:
        return sector_marks(sector_view(data))
    view = rays(data)
    marks = sector_marks(view)
    return marks if view.dead[1] > view.dead[0] else tuple(mark for mark in marks if not isinstance(mark, Area))


def _dead_arc(angles: Floats, inputs: Floats) -> tuple[float, float]:
    """The arc between neighbouring rays in whose middle no sample is active."""
    ends = np.append(angles[1:], angles[:1] + math.tau)
    middle = (angles + ends) / 2
    still = np.flatnonzero(np.max(inputs @ np.stack([np.cos(middle), np.sin(middle)]), axis=0, initial=0.0) <= 0)
    return (float(angles[still[0]]), float(ends[still[0]])) if still.size else (0.0, 0.0)


def _basins(extremal: Sequence[ExtremalDirection]) -> tuple[Mark, ...]:
    marks = []
    for sign, colour in SIGN_NAMES.items():
        mine = [e for e in extremal if e.sign == sign and e.basin is not None and e.basin[1] - e.basin[0] > BASIN_GAP]
        inner = RING + BASIN if sign > 0 else RING - BASIN - BASIN_WIDTH
        polygons = tuple(
            wedge(e.basin[0] + BASIN_GAP / 2, e.basin[1] - BASIN_GAP / 2, inner, inner + BASIN_WIDTH) for e in mine
        )
        titles = tuple(f"from here neurons with {RELATION[sign]} turn to {written(e.angle)}" for e in mine)
        label = f"basins, {RELATION[sign]}" if mine else ""
        marks.append(Area(polygons, colour, 0.55, label=label, titles=titles))
    return tuple(marks)


def _spokes(extremal: Sequence[ExtremalDirection], *, on_line: bool) -> tuple[Mark, ...]:
    marks: list[Mark] = []
    for sign, colour in ((*SIGN_NAMES.items(), (0, "ink"))):
        for kind, dashed, shape, area in (
            ("attractor", False, "disc", SPOKE_AREA), ("semistable", True, "diamond", SPOKE_AREA),
            ("", True, "square", SMALL_AREA),
        ):  # fmt: skip
            kinds = (kind,) if kind else OTHERS
            mine = [e for e in extremal if e.sign == sign and e.kind in kinds]
            if not mine:
                continue
            angle = np.array([_angle(e) for e in mine])
            far = SPOKE_ENDS[-1 if sign < 0 else 1]
            where = f", {RELATION[sign]}" if sign else ""
            if kind:
                gap = np.full(angle.size, np.nan)
                x, y = (
                    np.column_stack([near, end, gap]).ravel()
                    for near, end in zip(polar(RING, angle), polar(far, angle), strict=True)
                )
                marks.append(Line(x, y, colour, 1.6, dashed=dashed, label=f"{kind}{where}"))
            at = polar(far if kind else RING, angle)
            titles = tuple(_told(e, on_line=on_line) for e in mine)
            label = "" if kind else f"repeller or saddle{where}"
            name = "extremal directions"
            marks.append(Dots(*at, colour, area, shape, hollow=True, label=label, name=name, titles=titles))
    return tuple(marks)


def _angle(e: ExtremalDirection) -> float:
    axis = extremal_axis(e, Shape.CIRCLE)
    return math.atan2(axis[1], axis[0])


def _told(e: ExtremalDirection, *, on_line: bool) -> str:
    sign = f" for neurons with {RELATION[e.sign]}" if e.sign else ""
    held = f", held on {', '.join(f'sample {k}' for k in e.samples[:4])}" if e.samples and not on_line else ""
    kink = f", kink at {e.kink:.4g}" if on_line and math.isfinite(e.kink) else ""
    return f"{e.kind}{sign} at {written(_angle(e))}: grows at rate {e.rate:.3g}{kink}{held}".replace("-", "−")
