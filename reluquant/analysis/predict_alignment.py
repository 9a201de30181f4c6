"""Where each neuron of a small network will align, and by when: from the data alone, without a flow."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.alignment import alignment_field, floats, given_forces
from reluquant.analysis.extremal_direction import ExtremalDirections
from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.analysis.matching import match_directions
from reluquant.analysis.sectors import activation_pattern
from reluquant.kernels import alignment_modes, alignment_walk
from reluquant.kernels.alignment_modes import Ends
from reluquant.kernels.alignment_walk import ALIGNED, DEAD, REST, UNSETTLED, Field, Starts
from reluquant.kernels.sectors_1d import BALANCED
from reluquant.structures.arrays import Floats, frozen, row_mantissas
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.switches import SWITCH_DTYPE, SWITCH_KINDS

# A cone around a direction must be convex.
LARGEST_ANGLE = 1.5
# Ends of walks are as exact as the rounding of the field; different directions are further apart.
SAME = 1e-6


class Fate(StrEnum):
    """What becomes of a neuron while the residual is frozen: the values of ``prediction.fate``.

    ``UNSETTLED``: its walk was longer than the bound, which only neurons in a degenerate field may reach.
    """

    ALIGNED = "aligned"
    DEAD = "dead"
    REST = "rest"
    UNSETTLED = "unsettled"


_FATES = {ALIGNED: Fate.ALIGNED, DEAD: Fate.DEAD, REST: Fate.REST, UNSETTLED: Fate.UNSETTLED}


@dataclass(frozen=True, eq=False, repr=False)
class AlignmentPrediction:
    """The result of :func:`reluquant.predict_alignment`, an entry for each neuron.

    Attributes
    ----------
    directions : ExtremalDirections
        All extremal directions of the data, as of :func:`reluquant.extremal_directions`.
    direction : ndarray of int, shape (n_neurons,)
        Where it aligns, as an index into ``directions``. -1 for neurons that do not, and for those
        whose direction is not listed, which only happens where ``directions.complete`` is False.
    fate : ndarray of str, shape (n_neurons,)
        "aligned"; "dead": no sample activates it any more; "rest": nothing pushes it, or its ``w`` has come to zero.
    time : ndarray, shape (n_neurons,)
        When it comes within ``angle`` of its direction for good; or dies, or comes to rest. 0 if from the start.
    end : ndarray, shape (n_neurons, p)
        Unit vector to which its direction tends; zero for ``w = 0``.
    output : ndarray, shape (n_neurons, n_outputs)
        Unit vector to which its output weights tend; ``sign`` for one output.
    sign : ndarray of int, shape (n_neurons,)
        Sign of its output weight in the end, which for unbalanced neurons need not be that of the start; 0 for
        several outputs.
    n_switches : ndarray of int, shape (n_neurons,)
        How often its activation pattern changes on the way.
    angle : float
        What counts as aligned, in radians.
    """

    directions: ExtremalDirections
    direction: NDArray[np.int64]
    fate: np.ndarray
    time: Floats
    end: Floats
    output: Floats
    sign: NDArray[np.int64]
    n_switches: NDArray[np.int64]
    angle: float
    _walk: _Walk

    @cached_property
    def switches(self) -> np.ndarray:
        """All switches in order of time, as of a :class:`reluquant.Trajectory`; found when first asked for."""
        return self._walk.switches(self.n_switches)

    def __repr__(self) -> str:
        counts = ", ".join(f"{fate}={n}" for fate in Fate if (n := int(np.sum(self.fate == fate))))
        used = np.unique(self.direction[self.direction >= 0]).size
        last = np.max(self.time[self.fate == Fate.ALIGNED], initial=0.0)
        return f"AlignmentPrediction({counts}, n_directions={used}, last={last:.6g})"


def predict_alignment(
    net: ShallowReLU, data: Dataset, *, residual: ArrayLike | None = None, angle: float = 1e-3
) -> AlignmentPrediction:
    """Predict where each neuron will align before any of them is felt, and by when.

    Parameters
    ----------
    net : ShallowReLU
        Neurons, balanced or not; only their directions and ``|a|/|w|`` matter. Any number of outputs.
    data : Dataset
        As many features as the network, with a bias or not as it.
    residual : array_like, shape of ``data.y``, optional
        ``r_k = -∂L/∂f(x_k)``, which stays as it is. By default ``y_k / n_samples``, that of the zero function
        under the squared loss: the network is so small that it says nothing yet.
    angle : float, default 1e-3
        How near, in radians, a neuron must come to its direction. Positive, at most 1.5.

    Returns
    -------
    AlignmentPrediction

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Notes
    -----
    With a frozen residual neurons do not know of each other. In a sector, and on boundaries that hold it, a neuron
    moves along a straight line of weights, ``w(t) = w⊥ + p(t) h/|h|``, with ``p ± a`` growing like ``e^{±|h|t}``:
    the next boundary and the time there are a quotient and a logarithm, and which boundaries hold it from there on
    is a linear complementarity problem with box bounds. So it is walked piece by piece to its end, without a step size.

    With several outputs the output weights turn too, and a neuron moves by the singular values σ_i of what pushes it,
    projected onto the boundaries that hold it: distances, and shares of boundaries that hold, are sums of a constant
    and of ``e^{±σ_i t}``. Their first roots have no formula, but bounds of second derivatives between two looks make
    sure that none is missed but in pairs closer than 2⁻⁴⁶ of their time. ``time`` is that of the input weights: where
    they are on their line at once, the output weights still turn to ``output``. If the largest singular value is a
    double one there are whole families of directions, of which ``directions`` lists one pair, and the neurons that end
    elsewhere in it have ``direction`` -1.

    The flow follows the prediction until the first group is heavy enough to be felt, after about
    ``ln(1/scale)/rate``: neurons whose ``time`` is later may be called elsewhere. Where the flow is
    not unique the conventions are those of :func:`reluquant.gradient_flow`. With 1000 samples in 50 dimensions a
    walk has a thousand switches and takes 50 ms, with two outputs 200 ms, and the search for ``directions`` minutes.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 3; sliding: Filippov (1988),
    *Differential Equations with Discontinuous Righthand Sides*, section 4.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0])
    >>> net = rq.ShallowReLU.balanced(n_neurons=1000, scale=1e-30, rng=0)
    >>> found = rq.predict_alignment(net, data)
    >>> for i in sorted(set(found.direction[found.direction >= 0])):
    ...     e = found.directions[i]
    ...     print(f"{sum(found.direction == i):3} neurons, sign {e.sign:2}, kink {e.kink:4.1f}, slides on {e.samples}")
    136 neurons, sign  1, kink  0.0, slides on (1,)
    121 neurons, sign  1, kink  nan, slides on ()
    104 neurons, sign  1, kink  0.0, slides on (1,)
    120 neurons, sign -1, kink -1.0, slides on (0,)
    137 neurons, sign -1, kink  1.0, slides on (2,)
    >>> found.fate[:3], found.time[:3].round(3)
    (array(['dead', 'aligned', 'aligned'], dtype='<U9'), array([0.   , 0.841, 0.561]))

    Two outputs:

    >>> data = rq.Dataset([-1.0, 0.0, 1.0], [[1.0, 0.0], [-1.5, 1.0], [1.0, 2.0]])
    >>> found = rq.predict_alignment(rq.ShallowReLU([[1e-30, 3e-30]], [[-1e-30, 3e-30]]), data)
    >>> found.time.round(3), found.end.round(3), found.output.round(3)
    (array([3.968]), array([[0.547, 0.837]]), array([[0.115, 0.993]]))
    """
    _check(net, data)
    angle = real_number(angle, "angle", above=0, most=LARGEST_ANGLE)
    directions = extremal_directions(data, residual=residual)
    walk = _Walk(net, data, residual, math.tan(angle))
    ends = walk.ends()
    # A neuron that nothing pushes, on a boundary that holds it, is aligned where that is a direction of its own.
    settled = np.isin(ends.fate, (ALIGNED, REST)) & np.any(ends.direction != 0, axis=1)
    index = np.full(net.n_neurons, -1)
    index[settled] = match_directions(ends.direction[settled], ends.output[settled], directions, SAME).index
    ends.fate[index >= 0] = ALIGNED
    targets = ends.direction.copy()
    targets[index >= 0] = np.array([e.direction for e in directions])[index[index >= 0]]
    return AlignmentPrediction(
        directions=directions,
        direction=frozen(index, np.int64),
        fate=frozen(np.array([_FATES[i].value for i in range(len(_FATES))])[ends.fate], np.str_),
        time=frozen(walk.in_time_of_data(np.where(ends.fate == ALIGNED, ends.arrival, ends.time))),
        end=frozen(targets),
        output=frozen(ends.output),
        sign=frozen(ends.output[:, 0] if ends.output.shape[1] == 1 else np.zeros(net.n_neurons), np.int64),
        n_switches=frozen(ends.switches, np.int64),
        angle=angle,
        _walk=walk,
    )


class _Walk:
    """Neurons and the frozen field, as the kernel wants them, and what it finds."""

    def __init__(self, net: ShallowReLU, data: Dataset, residual: ArrayLike | None, tangent: float) -> None:
        forces, divisor = given_forces(data, residual)
        field = alignment_field(data, forces, divisor)
        planes = field.all_planes
        _, self.first = np.unique(planes.plane[planes.plane >= 0], return_index=True)
        self.first = np.flatnonzero(planes.plane >= 0)[self.first]
        # Towards where the first sample is active: on the other side, from which jumps are counted, it is not.
        sides = planes.sides
        turned = sides[self.first] < 0
        jumps = np.zeros((len(planes.normals), forces.shape[1]), dtype=object)
        jumps[field.kept] = field.jumps
        field = replace(
            field,
            normals=np.where(turned[:, None], -planes.normals, planes.normals),
            jumps=jumps,
            linear=field.linear + (planes.normals[turned, :, None] * jumps[turned, None, :]).sum(axis=0),
        )
        normals, jumps, linear = floats(field)
        if forces.shape[1] == 1:
            jumps, linear = jumps[:, 0].copy(), linear[:, 0].copy()
        two_sided = np.zeros(len(normals), dtype=bool)
        seen = planes.plane >= 0
        two_sided[planes.plane[seen][sides[seen] != sides[self.first][planes.plane[seen]]]] = True
        noise = 4 * np.finfo(np.float64).eps * np.sqrt(len(normals) + 16.0)
        self.field = Field(normals, jumps, linear, two_sided, noise)
        self.exponent, self.divisor = field.bits + field.exponent, divisor
        self.starts, self.tangent = _starts(net, data, self.first), tangent

    def ends(self) -> Ends:
        """Walk all neurons."""
        return self._go(np.zeros((0, 3)), np.zeros(len(self.starts.a) + 1, dtype=np.int64))

    def switches(self, counts: NDArray[np.int64]) -> np.ndarray:
        """Return all switches, ``counts`` (m,) of each neuron, in order of time."""
        first = np.concatenate([[0], np.cumsum(counts)])
        log = np.zeros((first[-1], 3))
        self._go(log, first)
        table = np.empty(len(log), dtype=SWITCH_DTYPE)
        table["time"] = self.in_time_of_data(log[:, 0])
        table["neuron"] = np.repeat(np.arange(counts.size), counts)
        table["sample"] = self.first[log[:, 1].astype(np.int64)]
        table["kind"] = SWITCH_KINDS[log[:, 2].astype(np.int64)]
        table = table[np.argsort(table["time"], kind="stable")]
        table.setflags(write=False)
        return table

    def in_time_of_data(self, time: Floats) -> Floats:
        """Return times of the unit field in the units of the data: far beyond float64 they are infinite."""
        with np.errstate(over="ignore"):
            return np.ldexp(time * self.divisor, np.clip(-self.exponent, -(2**30), 2**30))

    def _go(self, log: Floats, first: NDArray[np.int64]) -> Ends:
        m, p = self.starts.w.shape
        fate, switches, sign = (np.zeros(m, dtype=np.int64) for _ in range(3))
        time, arrival, direction = np.zeros(m), np.zeros(m), np.zeros((m, p))
        if self.starts.a.ndim == 1:
            one = alignment_walk.Ends(fate, time, arrival, direction, sign, switches)
            alignment_walk.walk_all(self.field, self.starts, self.tangent, one, log, first)
            return Ends(fate, time, arrival, direction, sign[:, None].astype(np.float64), switches)
        ends = Ends(fate, time, arrival, direction, np.zeros(self.starts.a.shape), switches)
        alignment_modes.walk_modes(self.field, self.starts, self.tangent, ends, log, first)
        return ends


def _starts(net: ShallowReLU, data: Dataset, first: NDArray[np.int64]) -> Starts:
    p = net.W.shape[1]
    weights, _ = row_mantissas(np.column_stack([net.W, net.a]))
    w, a = np.ascontiguousarray(weights[:, :p]), np.ascontiguousarray(weights[:, p:])
    size = np.linalg.norm(w, axis=1)
    balanced = (np.abs(size - np.linalg.norm(a, axis=1)) <= BALANCED * size) & (size > 0)
    side = np.ascontiguousarray(activation_pattern(net.W, data)[:, first])
    # Whether it is balanced; with one output the sign as well.
    sign = np.where(balanced, np.sign(a[:, 0]) if a.shape[1] == 1 else 1, 0).astype(np.int64)
    return Starts(w, a[:, 0].copy() if a.shape[1] == 1 else a, sign, side)


def _check(net: ShallowReLU, data: Dataset) -> None:
    if not isinstance(net, ShallowReLU):
        raise TypeError(f"predict_alignment needs a ShallowReLU, but got {type(net).__name__}.")
    if not isinstance(data, Dataset):
        raise TypeError(
            f"predict_alignment needs a Dataset, but got {type(data).__name__}; make one with Dataset(X, y)."
        )
    if (net.n_features, net.bias, net.a.shape[1:]) != (data.n_features, data.bias, data.y.shape[1:]):
        raise ValueError(
            "The network must have the features, the outputs and the bias of the data, but it is"
            f" {net!r} with a of shape {net.a.shape}, and they are {data!r} with y of shape {data.y.shape}."
        )
