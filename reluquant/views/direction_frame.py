"""The weight directions of all neurons at one moment, small enough to keep one for every moment of a play."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.arrangement import most_faces
from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.analysis.neuron_clusters import log_norms, unit_pairs
from reluquant.analysis.pairwise_angles import heaviest
from reluquant.kernels.losses import mean_loss
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.losses import residuals
from reluquant.structures.recording import NeuronStates
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.views.direction_view import ATTRACTING, WEAKEST_PULL
from reluquant.views.sentences import ALIGNED, neurons, number, phase, share_of_start

# A whole turn in 16 bits: steps of 0.0055 degrees, a tenth of a pixel at the rim of a picture.
TURN = 2**16
_STEPS = np.arange(TURN) * (math.tau / TURN)
COSINES, SINES = np.cos(_STEPS).astype(np.float32), np.sin(_STEPS).astype(np.float32)
# Data that may have more faces of sectors are not searched for extremal directions at every moment.
MOST_FACES = 100_000
# Neurons of a heat map: more rows than that are hard to see, and take too long to encode 20 times a second.
MOST_ROWS = 256
# A neuron that has just died sits on a boundary up to rounding.
EDGE = 1e-9
# Numbers at a time while looking for dead neurons.
BLOCK = 2**22


class Shape(StrEnum):
    """How directions are shown, by the number of input weights of a neuron."""

    CIRCLE = "circle"
    SPHERE = "sphere"
    HEAT_MAP = "heat map"


def shape_of(data: Dataset) -> Shape:
    """Return how the directions of neurons on these data are shown."""
    weights = data.n_features + data.bias
    return Shape.CIRCLE if weights <= 2 else Shape.SPHERE if weights == 3 else Shape.HEAT_MAP


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The neurons of a heat map.

    Parameters
    ----------
    neurons : ndarray of int, shape (n_rows,)
        Which they are.
    direction : ndarray, shape (n_rows, p)
        Unit vectors of their input weights; zero where these are.
    sign : ndarray of int, shape (n_rows,)
        Of the output weight; 0 for several outputs.
    log_mass : ndarray, shape (n_rows,)
        ``ln(|a_j| |w_j|)``.
    """

    neurons: NDArray[np.int64]
    direction: Floats
    sign: NDArray[np.int8]
    log_mass: Floats


@dataclass(frozen=True, slots=True, eq=False)
class DirectionFrame:
    """What is known of all neurons at one moment; ten bytes a neuron.

    Parameters
    ----------
    t, loss : float
        The moment and the loss then.
    angle : ndarray of uint16, shape (n_neurons,)
        Circle: of the direction, in :data:`TURN`-ths of a turn. Sphere: azimuth. Heat map: zeros.
    polar : ndarray of uint16, shape (n_neurons,)
        Sphere: angle to the third axis. Else empty.
    sign : ndarray of int8, shape (n_neurons,)
        Of the output weight; 0 for several outputs.
    log_mass, log_norm : ndarray of float16, shape (n_neurons,)
        ``ln(|a_j| |w_j|)`` below the largest one, and ``ln |w_j|`` below the largest one.
    top_norm : float
        The largest ``ln |w_j|``.
    idle : ndarray of bool, shape (n_neurons,)
        Neurons that no sample activates, or whose only output weight is zero.
    extremal : tuple of ExtremalDirection or None
        Where tiny neurons rest at the residuals of this moment; None where there may be too many sectors to look.
    sample, leaders : Sample or None
        Heat map: the neurons that are heaviest at the end of the run, and those that are heaviest now.
    sentence : str
        The moment in words.
    """

    t: float
    loss: float
    angle: NDArray[np.uint16]
    polar: NDArray[np.uint16]
    sign: NDArray[np.int8]
    log_mass: NDArray[np.float16]
    log_norm: NDArray[np.float16]
    top_norm: float
    idle: NDArray[np.bool_]
    extremal: tuple[ExtremalDirection, ...] | None
    sample: Sample | None
    leaders: Sample | None
    sentence: str

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.sign.size

    def mass(self) -> Floats:
        """``|a_j| |w_j|`` over the largest one, shape (n_neurons,), float32."""
        return np.exp(self.log_mass.astype(np.float32))

    def along(self, axes: Floats) -> NDArray[np.float32]:
        """Components of the unit vectors of a sphere along some axes (k, 3), shape (k, n_neurons)."""
        across = SINES[self.polar]
        parts = (across * COSINES[self.angle], across * SINES[self.angle], COSINES[self.polar])
        # Sums of whole rows: three times as fast as a product with an (n, 3) array.
        return np.stack([sum(np.float32(w) * part for w, part in zip(axis, parts, strict=True)) for axis in axes])


def bytes_of(n_neurons: int) -> int:
    """How much memory a frame takes, about."""
    return 10 * n_neurons + 2**14


def direction_frame(trajectory: Trajectory, t: float, *, followed: NDArray[np.int64] | None = None) -> DirectionFrame:
    """Return the directions of all neurons at a time.

    Parameters
    ----------
    trajectory : Trajectory
        Any number of features and outputs, with or without bias.
    t : float
        A time beyond the run is taken as its end.
    followed : ndarray of int, optional
        Heat map: the neurons of its rows; by default those that are heaviest now.

    Returns
    -------
    DirectionFrame

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.direction_frame import direction_frame
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=10, scale=1e-3, rng=0), data, t_max=50.0)
    >>> direction_frame(run, 50.0).angle.shape
    (10,)
    """
    (frame,) = direction_frames(trajectory, [t], followed=followed)
    return frame


def direction_frames(
    trajectory: Trajectory, times: Sequence[float], *, followed: NDArray[np.int64] | None = None
) -> list[DirectionFrame]:
    """Return the frames at several times; those close to each other are found faster together than one by one."""
    times = [min(max(float(t), 0.0), float(trajectory.t[-1])) for t in times]
    states = trajectory.states(times)
    return [_frame(trajectory, t, states, row, followed) for row, t in enumerate(times)]


def _frame(
    trajectory: Trajectory, t: float, states: NeuronStates, row: int, followed: NDArray[np.int64] | None
) -> DirectionFrame:
    data, shape = trajectory.data, shape_of(trajectory.data)
    net = ShallowReLU(states.W[row], states.a[row], bias=data.bias)
    log_norm = states.log_norm[row]
    outputs = net.a if net.a.ndim == 2 else net.a[:, None]
    log_mass = log_norm + log_norms(outputs)
    sign = np.sign(outputs[:, 0]).astype(np.int8) if outputs.shape[1] == 1 else np.zeros(net.n_neurons, np.int8)
    units = unit_pairs(net)[0]
    loss, residual = _loss_and_residual(trajectory, net, t)
    extremal = None if shape is Shape.HEAT_MAP else _extremal(data, residual)
    dead = _dead(units, data.inputs) & (states.slides_on[row] < 0)
    angle, polar = _angles(units, shape)
    top_mass, top_norm = (float(logs.max(initial=-np.inf)) for logs in (log_mass, log_norm))
    samples = (None, None)
    if shape is Shape.HEAT_MAP:
        now = heaviest(log_mass, MOST_ROWS)
        kept = now if followed is None else followed
        samples = tuple(Sample(rows, units[rows], sign[rows], log_mass[rows]) for rows in (kept, now))
    at_rest = t == float(trajectory.t[-1]) and trajectory.end == "stationary"
    sentence = _sentence(t, loss, float(trajectory.loss[0]), at_rest, units, sign, dead, extremal)
    return DirectionFrame(
        t, loss, angle, polar, sign, _below(log_mass, top_mass), _below(log_norm, top_norm), top_norm,
        dead | (sign == 0) if outputs.shape[1] == 1 else dead, extremal, *samples, sentence,
    )  # fmt: skip


def extremal_axis(e: ExtremalDirection, shape: Shape) -> Floats:
    """The direction as it is drawn: a neuron with a single weight points along the first axis of the circle."""
    return np.append(e.direction, 0.0) if shape is Shape.CIRCLE and e.direction.size == 1 else e.direction


def _below(logs: Floats, top: float) -> NDArray[np.float16]:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.isfinite(logs), logs - top, -np.inf).astype(np.float16)


def _angles(units: Floats, shape: Shape) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    nothing = np.zeros(0, np.uint16)
    if shape is Shape.HEAT_MAP:
        return np.zeros(len(units), np.uint16), nothing
    second = units[:, 1] if units.shape[1] > 1 else np.zeros(len(units))
    angle = _steps(np.arctan2(second, units[:, 0]))
    if shape is Shape.CIRCLE:
        return angle, nothing
    return angle, _steps(np.arctan2(np.hypot(units[:, 0], units[:, 1]), units[:, 2]))


def _steps(angle: Floats) -> NDArray[np.uint16]:
    return (np.rint(angle * (TURN / math.tau)).astype(np.int64) % TURN).astype(np.uint16)


def _dead(units: Floats, inputs: Floats) -> NDArray[np.bool_]:
    length = np.linalg.norm(inputs, axis=1, keepdims=True)
    samples = (inputs / np.where(length == 0, 1.0, length)).T
    size = max(1, BLOCK // len(inputs))
    blocks = [units[i : i + size] for i in range(0, len(units), size)]
    return np.concatenate([np.max(block @ samples, axis=1) <= EDGE for block in blocks])


def _loss_and_residual(trajectory: Trajectory, net: ShallowReLU, t: float) -> tuple[float, Floats]:
    data, loss = trajectory.data, trajectory.recording.loss
    labels = np.array(data.y.reshape(data.n_samples, -1))
    outputs = net(data.X).reshape(labels.shape) + trajectory.output_bias(t)
    value = mean_loss(loss.kind, loss.parameter, loss.value, outputs, labels)
    return float(value), residuals(loss, outputs, labels).reshape(data.y.shape)


def _extremal(data: Dataset, residual: Floats) -> tuple[ExtremalDirection, ...] | None:
    norms = np.linalg.norm(data.inputs, axis=1)
    pull = float(np.abs(residual).reshape(data.n_samples, -1).sum(axis=1) @ norms)
    start = float(np.abs(data.y).reshape(data.n_samples, -1).sum(axis=1) @ norms) / data.n_samples
    if not pull > WEAKEST_PULL * start:
        return ()
    rank = min(data.inputs.shape)
    on_line = data.n_features == 1 and data.bias and data.y.ndim == 1
    if not on_line and most_faces(data.n_samples, rank) > MOST_FACES:
        return None
    return tuple(e for e in extremal_directions(data, residual=residual) if e.kind not in ("dead", "neutral"))


def _sentence(
    t: float, loss: float, first: float, at_rest: bool, units: Floats, sign: np.ndarray, dead: np.ndarray,
    extremal: Sequence[ExtremalDirection] | None,
) -> str:  # fmt: skip
    parts = [f"t = {number(t)}: loss {number(loss)}{share_of_start(loss, first)}"]
    attracting = [e for e in extremal or () if e.kind in ATTRACTING]
    if attracting:
        close = _aligned(units, sign, attracting)
        parts.append(f"{close:,} of {len(units):,} neurons within 1° of a direction that attracts them")
    else:
        parts.append(neurons(len(units)))
    if dead.any():
        parts.append(f"{np.count_nonzero(dead):,} dead")
    rest = " Nothing moves any more." if at_rest else ""
    return f"{phase(loss, first, at_rest=at_rest)} – " + "; ".join(parts) + "." + rest


def _aligned(units: Floats, sign: np.ndarray, attracting: Sequence[ExtremalDirection]) -> int:
    close = np.zeros(len(units), dtype=bool)
    for s in sorted({e.sign for e in attracting}):
        axes = np.array([e.direction for e in attracting if e.sign == s])
        mine = np.flatnonzero(sign == s)
        close[mine] = np.max(units[mine] @ axes.T, axis=1) >= math.cos(ALIGNED)
    return int(np.count_nonzero(close))
