"""The circle panel: weight directions, activation sectors and extremal directions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.analysis.sectors import sectors
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset

# Radii in a square of half-width 1: a > 0 grows outwards from the ring, a < 0 inwards.
RING = 0.62
LONGEST_BAR = 0.30
# Three degrees a bar: wide enough to see at 320 pixels, narrow enough to tell sectors apart.
BINS = 120
# More rays than this would fill the disc with ink.
MOST_RAYS = 60
# A direction that pulls at less than this share of the pull at the start is not worth drawing.
WEAKEST_PULL = 1e-6

ATTRACTING = ("attractor", "semistable")


@dataclass(frozen=True, slots=True, eq=False)
class SectorView:
    """The activation sectors of the data on the circle of weight directions.

    Parameters
    ----------
    angles : ndarray, shape (n_rays,)
        Angles ``atan2(b, w)`` at which ``w x_k + b = 0`` for a sample; at most 60 rays.
    ranks : ndarray of int, shape (n_rays,)
        Place of the ray's input among all different inputs, 1 for the smallest.
    dead : (float, float) or None
        Start and end angle (end above start) of the arc where a neuron is inactive on all samples, if there is one.
    """

    angles: Floats
    ranks: np.ndarray
    dead: tuple[float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class ExtremalView:
    """The directions that attract neurons at one moment.

    Parameters
    ----------
    angle : ndarray, shape (n_directions,)
        In radians.
    sign : ndarray of int, shape (n_directions,)
        Sign of ``a`` of the neurons that it attracts.
    strength : ndarray, shape (n_directions,)
        Absolute rate over the largest one at this moment, in [0, 1].
    """

    angle: Floats
    sign: np.ndarray
    strength: Floats


def sector_view(data: Dataset) -> SectorView:
    """Return the rays on which a neuron's kink lies on a data point.

    Parameters
    ----------
    data : Dataset
        One feature with a bias.

    Returns
    -------
    SectorView
    """
    arcs = sectors(data)
    chosen = np.arange(arcs.n_sectors)
    if chosen.size > MOST_RAYS:
        chosen = np.linspace(0, chosen.size - 1, MOST_RAYS).astype(int)
    inputs = np.unique(data.X[:, 0])
    ranks = np.searchsorted(inputs, data.X[arcs.samples[chosen], 0]) + 1
    start = math.atan2(float(data.X.min()), -1.0) % math.tau
    end = math.atan2(-float(data.X.max()), 1.0) % math.tau
    return SectorView(frozen(arcs.boundaries[chosen]), frozen(ranks, int), (start, end + math.tau * (end < start)))


def bars(
    angle: Floats, sign: np.ndarray, dead: np.ndarray, arrived: np.ndarray | None = None
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the circular histogram of directions as quadrilaterals.

    Parameters
    ----------
    angle : ndarray, shape (n_neurons,)
        Directions in radians.
    sign : ndarray, shape (n_neurons,)
        Sign of ``a``.
    dead : ndarray of bool, shape (n_neurons,)
        Neurons that no sample activates.
    arrived : ndarray of bool, shape (n_neurons,), optional
        Neurons that have turned to where they are drawn to; all by default.

    Returns
    -------
    positive, negative, dead, turning : ndarray, shape (n_bars, 4, 2)
        Corners of the bars that are not empty: outwards for ``a > 0``, inwards for ``a < 0``, and both
        for the dead. Of the first two, the ends furthest from the ring again, for the share that
        has not arrived. A bar's length grows like the square root of its count, the same for all.
    """
    arrived = np.ones(angle.shape, dtype=bool) if arrived is None else arrived
    groups = [(sign > 0) & ~dead, (sign < 0) & ~dead, (sign > 0) & dead, (sign < 0) & dead]
    counts = [_counts(angle[group]) for group in groups]
    most = max(1.0, *(c.max() for c in counts))
    lengths = [LONGEST_BAR * np.sqrt(c / most) for c in counts]
    alive = _quads(RING, RING + lengths[0]), _quads(RING - lengths[1], RING)
    lifeless = np.concatenate([_quads(RING, RING + lengths[2]), _quads(RING - lengths[3], RING)])
    late = [_counts(angle[group & ~arrived]) / np.maximum(counts[k], 1.0) for k, group in enumerate(groups[:2])]
    turning = np.concatenate(
        [
            _quads(RING + lengths[0] * (1 - late[0]), RING + lengths[0]),
            _quads(RING - lengths[1], RING - lengths[1] * (1 - late[1])),
        ]
    )
    return *alive, frozen(lifeless), frozen(turning)


def bar_of(angle: Floats) -> np.ndarray:
    """The place of each angle among the bars of a whole turn."""
    return np.rint(angle / math.tau * BINS).astype(int) % BINS


def extremal_view(data: Dataset, residual: Floats, strongest: float) -> ExtremalView:
    """Return the attracting directions for given residuals.

    Parameters
    ----------
    data : Dataset
        One feature with a bias.
    residual : ndarray, shape (n_samples,)
        ``r_k = (y_k − f(x_k)) / n_samples``.
    strongest : float
        Largest pull possible at the start; weaker than a millionth of it is left out.

    Returns
    -------
    ExtremalView
        Attractors and rays that attract from one side; empty when the residual is negligible.
    """
    pull = float(np.sum(np.abs(residual) * np.hypot(data.X[:, 0], 1.0)))
    if not pull > WEAKEST_PULL * strongest:
        return ExtremalView(frozen([]), frozen([], int), frozen([]))
    found = [d for d in extremal_directions(data, residual=residual) if d.kind in ATTRACTING]
    rates = np.array([abs(d.rate) for d in found])
    largest = rates.max(initial=0.0) or 1.0
    return ExtremalView(frozen([d.angle for d in found]), frozen([d.sign for d in found], int), frozen(rates / largest))


def _counts(angle: np.ndarray) -> np.ndarray:
    # Bars are centred on multiples of three degrees, so that a direction along an axis is not torn in two.
    return np.bincount(bar_of(angle), minlength=BINS).astype(float)


def _quads(inner: np.ndarray | float, outer: np.ndarray | float) -> Floats:
    inner, outer = np.broadcast_arrays(inner, outer)
    full = np.flatnonzero(outer > inner)
    middle = full * math.tau / BINS
    half = math.tau / BINS / 2
    radius = np.stack([inner[full], outer[full], outer[full], inner[full]], axis=1)
    turn = np.stack([middle - half, middle - half, middle + half, middle + half], axis=1)
    return frozen(np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=2))
