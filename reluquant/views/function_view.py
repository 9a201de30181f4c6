"""The function panel: data, interpolant, network and kinks over the input line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.one_dimension import line_inputs
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.views.theme import DIAMOND_LIFT, RUG_LINE, RUG_REACH, SHORTEST_TICK

# Room around the data; more below, where the rug of kinks lies.
SIDE_ROOM = 0.18
TOP_ROOM = 0.18
BOTTOM_ROOM = 0.34
# A polyline of 400 points is drawn 60 times a second; a panel is about 500 pixels wide.
CURVE_CELLS = 190
# Kinks closer than this share of the panel (about two pixels) are one tick.
TICK_GAP = 1 / 250
# At most this many marks in the rug, largest first: as one line with gaps they cost nothing.
MOST_TICKS = 250
# A place stands for the nearest mark of the rug within that many pixels.
PICK_REACH = 8.0

# How awake a neuron is.
AWAKE, DORMANT, DEAD = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the plane that the function panel shows."""

    left: float
    right: float
    bottom: float
    top: float

    def holds(self, x: Floats, y: Floats, margin: float = 0.02) -> bool:
        """Whether all points lie inside, a margin (a share of the panel) away from the edge."""
        dx, dy = margin * (self.right - self.left), margin * (self.top - self.bottom)
        inside_x = (x >= self.left + dx) & (x <= self.right - dx)
        return bool(np.all(inside_x & (y >= self.bottom + dy) & (y <= self.top - dy)))


@dataclass(frozen=True, slots=True, eq=False)
class DataView:
    """What the data alone determine in the function panel.

    Parameters
    ----------
    x, y : ndarray, shape (n_samples,)
        The data.
    interpolant_x, interpolant_y : ndarray
        The piecewise-linear interpolant on the hull of the data; labels of equal inputs are averaged.
    """

    x: Floats
    y: Floats
    interpolant_x: Floats
    interpolant_y: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Kinks:
    """Marks of the rug: kinks inside the window, those that coincide to the eye merged.

    Parameters
    ----------
    x : ndarray, shape (n_marks,)
        Position, the mean of the merged kinks weighted by mass.
    size : ndarray, shape (n_marks,)
        Mass ``Σ |a_j| ‖w_j‖`` relative to that of the heaviest mark, in (0, 1].
    length : ndarray, shape (n_marks,)
        Length of its tick as a share of the panel's height; its square is the mass, but for the tiniest.
    sign : ndarray of int, shape (n_marks,)
        Sign of ``a``.
    held : ndarray of bool, shape (n_marks,)
        Whether the kinks are held on a data point (sliding).
    state : ndarray of int, shape (n_marks,)
        :data:`AWAKE`, :data:`DORMANT` (alive, but hardly grown yet) or :data:`DEAD` (no sample activates it).
    mark_of : ndarray of int, shape (n_neurons,)
        The mark that stands for each neuron, or -1.
    """

    x: Floats
    size: Floats
    length: Floats
    sign: np.ndarray
    held: np.ndarray
    state: np.ndarray
    mark_of: np.ndarray


def window(data: Dataset) -> Window:
    """Return a window that shows the data with room around.

    Parameters
    ----------
    data : Dataset
        One feature.

    Returns
    -------
    Window
        Of positive size even for one sample.
    """
    x, y = data.X[:, 0], _labels(data)
    left, right = _padded(x, SIDE_ROOM, SIDE_ROOM)
    bottom, top = _padded(y, BOTTOM_ROOM, TOP_ROOM)
    return Window(left, right, bottom, top)


def data_view(data: Dataset) -> DataView:
    """Return the points and their interpolant.

    Parameters
    ----------
    data : Dataset
        One feature.

    Returns
    -------
    DataView
        With the interpolant from the first to the last input; the mean of labels that share an input.
    """
    x = line_inputs(data, "The function panel", bias=False)
    curve = interpolate(data, duplicates="mean")
    knots = curve.knots
    return DataView(frozen(x), frozen(_labels(data)), frozen(knots), frozen(curve(knots)))


def network_curve(net: ShallowReLU, left: float, right: float) -> tuple[Floats, Floats]:
    """Return the network function as a polyline over [left, right].

    Parameters
    ----------
    net : ShallowReLU
        One feature.
    left, right : float
        Ends of the polyline.

    Returns
    -------
    x, y : ndarray, shape (n_points,)
        Exact at each point. All breakpoints are among them if there are at most 380; otherwise the
        first and the last of each of 190 equal cells.
    """
    curve = piecewise_linear(_merged(net))
    knots = curve.knots[(curve.knots > left) & (curve.knots < right)]
    x = np.concatenate([[left], _cell_ends(knots, left, right), [right]])
    return frozen(x), frozen(curve(x))


def kinks(
    kink: Floats, log_mass: Floats, sign: np.ndarray, slides_on: np.ndarray, left: float, right: float,
    state: np.ndarray | None = None,
) -> Kinks:  # fmt: skip
    """Merge the kinks inside [left, right] into at most 250 marks.

    Parameters
    ----------
    kink : ndarray, shape (n_neurons,)
        Positions; infinite for a neuron without one.
    log_mass : ndarray, shape (n_neurons,)
        Natural logarithm of ``|a_j| ‖w_j‖``, which may lie below the smallest float64.
    sign : ndarray, shape (n_neurons,)
        Sign of ``a``.
    slides_on : ndarray of int, shape (n_neurons,)
        The sample that holds the neuron, or -1.
    left, right : float
        The window.
    state : ndarray of int, shape (n_neurons,), optional
        How awake each neuron is; all are by default.

    Returns
    -------
    Kinks
        Kinks of one sign and state that lie within about two pixels are one mark; held and free ones stay apart.
    """
    state = np.zeros(kink.shape, dtype=int) if state is None else state
    top = log_mass.max(initial=-np.inf)
    mass = np.exp(log_mass - top) if np.isfinite(top) else np.zeros_like(log_mass)
    inside = (kink >= left) & (kink <= right) & (mass > 0)
    position, mass, sign, holder, state = (v[inside] for v in (kink, mass, sign, slides_on, state))
    order = np.lexsort((position, holder, state, sign))
    position, mass, sign, holder, state = (v[order] for v in (position, mass, sign, holder, state))
    # A new mark begins where the sign, the state or the holder changes or the next two-pixel cell is reached.
    cell = np.floor((position - left) / (right - left) / TICK_GAP)
    other = (np.diff(sign) != 0) | (np.diff(holder) != 0) | (np.diff(state) != 0)
    new = np.append(True, other | ((holder[1:] < 0) & (np.diff(cell) != 0)))
    starts = np.flatnonzero(new[: position.size])
    if starts.size == 0:
        none = frozen(np.full(inside.shape, -1), int)
        return Kinks(*(frozen([]) for _ in range(3)), frozen([], int), frozen([], bool), frozen([], int), none)
    total = np.add.reduceat(mass, starts)
    mean = np.add.reduceat(mass * position, starts) / total
    largest = np.sort(np.argsort(total)[::-1][:MOST_TICKS])
    mark_of = np.full(inside.shape, -1)
    kept = np.full(starts.size, -1)
    kept[largest] = np.arange(largest.size)
    mark_of[np.flatnonzero(inside)[order]] = kept[np.cumsum(new) - 1]
    starts, total, mean = starts[largest], total[largest], mean[largest]
    size = total / total.max()
    length = RUG_REACH * np.maximum(SHORTEST_TICK, np.sqrt(size))
    return Kinks(
        frozen(mean), frozen(size), frozen(length), frozen(sign[starts], int), frozen(holder[starts] >= 0, bool),
        frozen(state[starts], int), frozen(mark_of, int),
    )  # fmt: skip


def mark_at(kinks: Kinks, shown: Window, x: float, height: float, *, plot: tuple[float, float]) -> int:
    """Return the mark of the rug that is nearest to a place, or -1 if none is within a few pixels.

    Parameters
    ----------
    kinks : Kinks
        The rug.
    shown : Window
        What the function panel shows.
    x : float
        In data coordinates.
    height : float
        As a share of the plot's height, from the bottom.
    plot : (float, float)
        Width and height of the plot in pixels.

    Returns
    -------
    int
    """
    if kinks.x.size == 0:
        return -1
    foot = RUG_LINE + np.where(kinks.held, kinks.sign * DIAMOND_LIFT, 0.0)
    reach = np.where(kinks.held | (kinks.state == DEAD), 0.0, kinks.sign * kinks.length)
    low, high = np.minimum(foot, foot + reach), np.maximum(foot, foot + reach)
    across = (kinks.x - x) / (shown.right - shown.left) * plot[0]
    away = (height - np.clip(height, low, high)) * plot[1]
    distance = np.hypot(across, away)
    nearest = int(np.argmin(distance))
    return nearest if distance[nearest] <= PICK_REACH else -1


def _merged(net: ShallowReLU) -> ShallowReLU:
    """The same function to rounding, with one neuron for all that share a side and a rounded kink.

    Neurons held on a data point share their kinks, thousands of them; telling them apart exactly, as
    :func:`piecewise_linear` does, would take longer than a frame may.
    """
    (w, b), a = net.W.T, net.a
    bent = w != 0
    with np.errstate(over="ignore"):
        place = -b[bent] / w[bent]
    far = ~np.isfinite(place)
    keys, group = np.unique(np.column_stack([np.sign(w[bent]), np.where(far, 0.0, place)]), axis=0, return_inverse=True)
    jump = np.bincount(group.ravel(), weights=np.where(far, 0.0, a[bent] * np.abs(w[bent])), minlength=len(keys))
    level = np.sum(a[~bent] * np.maximum(b[~bent], 0.0)) + np.sum(a[bent][far] * np.maximum(b[bent][far], 0.0))
    W = np.vstack([np.column_stack([keys[:, 0], -keys[:, 0] * keys[:, 1]]), [[0.0, 1.0]]])
    return ShallowReLU(W, np.append(jump, level))


def _cell_ends(knots: np.ndarray, left: float, right: float) -> np.ndarray:
    if knots.size <= 2 * CURVE_CELLS:
        return knots
    cell = np.floor((knots - left) / (right - left) * CURVE_CELLS)
    change = np.flatnonzero(np.diff(cell))
    return knots[np.unique(np.concatenate([[0], change, change + 1, [knots.size - 1]]))]


def _labels(data: Dataset) -> Floats:
    return data.y.reshape(data.n_samples, -1)[:, 0]


def _padded(values: Floats, below: float, above: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    # One value, or values equal to rounding: a unit, or the size of the value, on both sides.
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        unit = max(abs(low), abs(high)) / 2 or 1.0
        low, high = low - unit, high + unit
    return low - below * (high - low), high + above * (high - low)
