"""Pairwise angles between neurons as a heat map: similar ones side by side, clusters named."""

from __future__ import annotations

import math
from dataclasses import dataclass

import matplotlib
import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.neuron_clusters import neuron_clusters
from reluquant.analysis.pairwise_angles import pairwise_angles, similar_order
from reluquant.structures.arrays import Floats
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.views.direction_frame import DirectionFrame, Sample
from reluquant.views.function_scene import RELATION, SIGN_NAMES
from reluquant.views.scene import Area, Label, Mark, Panel, Raster
from reluquant.views.sentences import neurons

SIZE, BAR_WIDTH, CLUSTERS_WIDTH = 460, 96, 370
# Room for the signs beside the map, in shares of its side.
STRIP = 0.05
# Neurons that close are one cluster.
CLUSTER_ANGLE = math.radians(2.0)
MOST_CLUSTERS = 12
# Bright where neurons point the same way; steps of three degrees, since a picture of few colours is a small file.
PALETTE = (matplotlib.colormaps["viridis"](np.linspace(1.0, 0.0, 61)) * 255).round().astype(np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a heat map in their order.

    Parameters
    ----------
    sample : Sample
        Their neurons, in that order.
    cluster : ndarray of int, shape (n_rows,)
        Cluster of each, the heaviest is 0; -1 for a neuron without direction.
    share : ndarray, shape (n_clusters,)
        Of the mass of all rows.
    """

    sample: Sample
    cluster: NDArray[np.int64]
    share: Floats


def rows_of(sample: Sample, order: NDArray[np.int64] | None = None) -> Rows:
    """Put the neurons of a sample in order and group them.

    Parameters
    ----------
    sample : Sample
        The neurons at the moment that is shown.
    order : ndarray of int, optional
        Which comes where; by default similar ones are put side by side.
    """
    order = similar_order(sample.direction) if order is None else order
    moved = Sample(sample.neurons[order], sample.direction[order], sample.sign[order], sample.log_mass[order])
    top = float(moved.log_mass.max(initial=-np.inf))
    mass = np.exp(moved.log_mass - top) if math.isfinite(top) else np.zeros(order.size)
    outputs = mass * np.where(moved.sign < 0, -1.0, 1.0)
    found = neuron_clusters(ShallowReLU(moved.direction, outputs, bias=False), angle=CLUSTER_ANGLE)
    total = float(found.mass.sum()) or 1.0
    return Rows(moved, found.labels, found.mass / total)


def heat_map(frame: DirectionFrame, shown: Rows, *, selected: NDArray[np.int64]) -> tuple[Panel, ...]:
    """Return the heat map, its colour bar, and the clusters.

    Parameters
    ----------
    frame : DirectionFrame
        The moment.
    shown : Rows
        What to draw.
    selected : ndarray of int
        Neurons to highlight.

    Returns
    -------
    tuple of Panel
        ``angles``, ``scale`` and ``clusters``.
    """
    n = shown.cluster.size
    angles = pairwise_angles(shown.sample.direction)
    rgba = PALETTE[np.rint(angles / math.pi * (len(PALETTE) - 1)).astype(np.uint8)]
    marks = (
        Raster(rgba, (0.0, float(n)), (0.0, float(n))),
        *_strips(shown, np.isin(shown.sample.neurons, selected)),
        *_blocks(shown),
    )
    ends = (-STRIP * n, float(n))
    picture = Panel(
        "angles", ends, ends, marks, width=SIZE, height=SIZE, axes=False, clickable=True,
        title=f"angles between neurons: the heaviest {n}",
        summary=f"Heat map of the angles between {n} neurons. {frame.sentence} {told(frame, shown)}",
    )  # fmt: skip
    return picture, _colour_bar(), _cluster_panel(shown)


def row_at(shown: Rows, y: float) -> int:
    """Return the row at a height of the map, counted from the top; -1 beyond."""
    row = math.floor(shown.cluster.size - y)
    return row if 0 <= row < shown.cluster.size else -1


def neurons_of(shown: Rows, cluster: int) -> NDArray[np.int64]:
    """Return the neurons of a cluster, in increasing order; none for a number that is no cluster."""
    return np.sort(shown.sample.neurons[shown.cluster == cluster]) if cluster >= 0 else np.zeros(0, np.int64)


def told(frame: DirectionFrame, shown: Rows) -> str:
    """The clusters in words."""
    mass = frame.mass()
    held = float(mass[shown.sample.neurons].sum()) / (float(mass.sum()) or 1.0)
    names = "; ".join(
        f"{k + 1}: {_described(shown, k)}, {100 * share:.3g} %" for k, share in enumerate(shown.share[:3].tolist())
    )
    count = shown.share.size
    rows = f"{shown.cluster.size} neurons shown hold" if shown.cluster.size > 1 else "one neuron shown holds"
    return (
        f"The {rows} {100 * held:.3g} % of the mass, in {count:,} cluster{'' if count == 1 else 's'} no further than"
        f" 2° apart{f'; heaviest {names}' if names else ''}."
    )


def _described(shown: Rows, cluster: int) -> str:
    inside = shown.cluster == cluster
    count, sign = int(np.count_nonzero(inside)), int(shown.sample.sign[inside][0])
    relation = f"{RELATION[sign]}, " if sign else ""
    return f"{relation}{neurons(count)}"


def _strips(shown: Rows, chosen: NDArray[np.bool_]) -> tuple[Mark, ...]:
    """Signs to the left of the map, positive ones further out, and what is selected below it."""
    n = shown.cluster.size
    marks: list[Mark] = []
    for sign, colour in SIGN_NAMES.items():
        left = -0.045 * n if sign > 0 else -0.022 * n
        boxes = tuple(_box(left, n - b, left + 0.018 * n, n - a) for a, b in _runs(shown.sample.sign == sign))
        marks.append(Area(boxes, colour, 1.0, label=f"neurons, {RELATION[sign]}" if boxes else ""))
    boxes = tuple(_box(a, -0.04 * n, b, -0.01 * n) for a, b in _runs(chosen))
    marks.append(Area(boxes, "difference", 1.0, label="selected" if boxes else ""))
    return tuple(marks)


def _blocks(shown: Rows) -> tuple[Mark, ...]:
    """Squares on the diagonal around neighbours of one cluster."""
    n = shown.cluster.size
    boxes, titles, labels = [], [], []
    for cluster in range(min(shown.share.size, MOST_CLUSTERS)):
        runs = [(a, b) for a, b in _runs(shown.cluster == cluster) if b - a > 1]
        for a, b in runs:
            boxes.append(_box(a, n - b, b, n - a))
            titles.append(f"cluster {cluster + 1}: {_described(shown, cluster)}")
        if runs:
            a, b = max(runs, key=lambda run: run[1] - run[0])
            if b - a > 0.03 * n:
                labels.append(Label((a + b) / 2, n - (a + b) / 2, str(cluster + 1), "ink", 12.0))
    return (Area(tuple(boxes), "ink", 0.0, 1.2, name="clusters", titles=tuple(titles)), *labels)


def _colour_bar() -> Panel:
    rgba = np.repeat(PALETTE[::-1, None], 2, axis=1)
    ticks = {float(d): f"{d}°" for d in range(0, 181, 45)}
    return Panel(
        "scale", (0.0, 1.0), (0.0, 180.0), (Raster(rgba, (0.0, 1.0), (0.0, 180.0)),), width=BAR_WIDTH, height=SIZE,
        y_ticks=ticks, x_ticks={}, title="angle", summary="Colours of the angles from 0 to 180 degrees",
    )  # fmt: skip


def _cluster_panel(shown: Rows) -> Panel:
    count = min(shown.share.size, MOST_CLUSTERS)
    marks: list[Mark] = []
    most = 100 * float(shown.share.max(initial=0.01))
    signs = [int(shown.sample.sign[shown.cluster == k][0]) for k in range(count)]
    for sign in (1, -1, 0):
        mine = [k for k in range(count) if signs[k] == sign]
        boxes = tuple(_box(0.0, -k - 0.75, 100 * float(shown.share[k]), -k - 0.25) for k in mine)
        titles = tuple(
            f"cluster {k + 1}: {_described(shown, k)}, {100 * shown.share[k]:.3g} % of the mass" for k in mine
        )
        marks.append(Area(boxes, SIGN_NAMES.get(sign, "ink"), 1.0, name="shares", titles=titles))
    marks += [
        Label(0.02 * most, -k - 0.14, _described(shown, k), "ink", 10.0, "start") for k in range(count)
    ]  # fmt: skip
    return Panel(
        "clusters", (0.0, 1.02 * most), (-float(max(count, 4)), 0.1), tuple(marks), width=CLUSTERS_WIDTH, height=SIZE,
        x_label="share of their mass in %", y_ticks={-k - 0.5: str(k + 1) for k in range(count)}, title="clusters",
        summary="Share of each cluster in the mass", clickable=True,
    )  # fmt: skip


def cluster_at(y: float) -> int:
    """Return the cluster whose bar is at a height of the panel of clusters."""
    return math.floor(-y)


def _box(left: float, bottom: float, right: float, top: float) -> Floats:
    return np.array([[left, bottom], [right, bottom], [right, top], [left, top]])


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and end of each stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
