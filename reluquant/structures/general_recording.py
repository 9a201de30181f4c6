"""The restart points of a flow with any number of inputs and outputs, and how the integrator goes on from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np

from reluquant.kernels import collocation, flow_general, status
from reluquant.kernels.state_general import Problem
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.branches import BRANCH_DTYPE
from reluquant.structures.dataset import Dataset
from reluquant.structures.losses import Loss, named
from reluquant.structures.recording import NeuronStates

# Steps for which a replay has room at a time.
CHUNK = 32
# Room for the switches of some steps: a step without enough must be taken again. A turning neuron passes half of all
# boundaries. Memory that is not written to is not taken; the bound is for systems that promise no more than they have.
LEAST_ROOM, MOST_ROOM = 4096, 2**23


def room_for_switches(n_neurons: int, n_boundaries: int) -> int:
    """For how many switches there should be room at first."""
    return min(max(LEAST_ROOM, n_neurons * n_boundaries // 2), MOST_ROOM)


class Snapshots(NamedTuple):
    """Restart points of a flow, one row each: ``2^exponent · mantissa`` is (w, a), ``sign`` 0 if unbalanced.

    ``side`` (…, m, H) int8 is the side of each boundary, 0 where it holds; ``offset`` (…, o) the output bias. ``pace``
    is the length of the next step, so that a replay takes the same.
    """

    t: Floats
    mantissa: Floats
    exponent: np.ndarray
    sign: np.ndarray
    side: np.ndarray
    offset: Floats
    pace: Floats


@dataclass(frozen=True, eq=False, repr=False)
class GeneralRecording:
    """The network every few dozen steps; in between the integrator follows the same steps again.

    Attributes
    ----------
    problem : reluquant.kernels.state_general.Problem
        Boundaries and labels.
    first : ndarray of int, shape (n_boundaries,)
        The first sample of each boundary.
    loss : Loss
    tolerance : float
        Of one step.
    n_nodes, order : int
        Of the residual's polynomial, and most terms of a neuron's series.
    trains_offset : bool
        Whether the output bias is trained.
    most_steps : int
        What bounds a replay: the steps that the run itself took.
    flat : bool
        Whether the output weights have shape (m,), not (m, o).
    snapshots : Snapshots
    """

    problem: Problem
    first: np.ndarray
    loss: Loss
    tolerance: float
    n_nodes: int
    order: int
    trains_offset: bool
    most_steps: int
    flat: bool
    snapshots: Snapshots

    kind: ClassVar[str] = "general"
    method: ClassVar[str] = "collocation of the residual, each neuron exactly through its switches (any inputs)"

    def __post_init__(self) -> None:
        object.__setattr__(self, "first", frozen(self.first, dtype=np.int64))
        for array in (*self.problem, *self.snapshots):
            array.setflags(write=False)

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.snapshots.exponent.shape[1]

    def states(self, times: Floats) -> NeuronStates:
        """Return all neurons at times inside the run, in any order; each is the same as if it were asked for alone."""
        p, o, m = self.problem.normals.shape[1], self.problem.labels.shape[1], self.n_neurons
        W, a = np.empty((times.size, m, p)), np.empty((times.size, m, o))
        log_norm, slides_on = np.empty((times.size, m)), np.full((times.size, m), -1, dtype=np.int64)
        for row, (Z, E, side, _) in self._replayed(times):
            with np.errstate(under="ignore", divide="ignore"):
                weights = np.ldexp(Z, np.clip(E, -(2**30), 2**30)[:, None].astype(np.int32))
                log_norm[row] = np.log(np.linalg.norm(Z[:, :p], axis=1)) + E * np.log(2.0)
            W[row], a[row] = weights[:, :p], weights[:, p:]
            # Boundaries are in the order of their first samples; a neuron with w = 0 is held by none.
            held = (side == 0) & np.any(Z[:, :p] != 0, axis=1)[:, None]
            on = np.any(held, axis=1)
            slides_on[row, on] = self.first[np.argmax(held[on], axis=1)]
        return NeuronStates(W, a[:, :, 0] if self.flat else a, log_norm, slides_on)

    def offsets(self, times: Floats) -> Floats:
        """Return the output bias at times inside the run, shape (n_times, n_outputs)."""
        if not self.trains_offset:
            return np.repeat(self.snapshots.offset[:1], times.size, axis=0)
        offsets = np.empty((times.size, self.problem.labels.shape[1]))
        for row, (*_, offset) in self._replayed(times):
            offsets[row] = offset
        return offsets

    def _replayed(self, times: Floats) -> Iterator[tuple[int, tuple[np.ndarray, ...]]]:
        """Yield, in increasing time, the place of each time and mantissas, exponents, sides and output bias then."""
        last, replay = -1, None
        for row in np.argsort(times, kind="stable").tolist():
            start = int(np.searchsorted(self.snapshots.t, times[row], side="right")) - 1
            if replay is None or start != last:
                last, replay = start, Replay(self, start)
            yield row, replay.at(float(times[row]))

    def branch_points(self, switches: np.ndarray) -> np.ndarray:
        """Return none: they are looked for with one input only."""
        return np.empty(0, dtype=BRANCH_DTYPE)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as plain arrays, for a file.

        Raises
        ------
        ValueError
            If the loss is a user's own: its functions are not arrays.
        """
        if self.loss.name == "custom":
            raise ValueError(
                "A run with a loss of your own cannot be saved, because the loss is code; save its final weights."
            )
        own = {
            name: np.asarray(getattr(self, name))
            for name in ("first", "tolerance", "n_nodes", "order", "trains_offset", "most_steps", "flat")
        }
        own |= {"loss_name": np.asarray(self.loss.name), "loss_parameter": np.asarray(self.loss.parameter)}
        own |= {f"problem_{name}": array for name, array in self.problem._asdict().items()}
        return own | {f"snapshot_{name}": array for name, array in self.snapshots._asdict().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], data: Dataset) -> Self:
        """Make the recording that :meth:`arrays` was taken from.

        Raises
        ------
        KeyError, ValueError
            If an array is missing, or does not fit.
        """
        problem = Problem(*(np.array(arrays[f"problem_{name}"]) for name in Problem._fields))
        snapshots = Snapshots(*(np.array(arrays[f"snapshot_{name}"]) for name in Snapshots._fields))
        (H, p), (n, o), m = problem.normals.shape, problem.labels.shape, snapshots.exponent.shape[1]
        # The compiled kernels index their arrays by these, unchecked.
        fits = (
            n == data.n_samples
            and problem.plane.shape == problem.stretch.shape == (n,)
            and problem.plane.dtype == np.int64
            and problem.plane.min(initial=-1) >= -1
            and problem.plane.max(initial=-1) < H
            and snapshots.mantissa.shape[1:] == (m, p + o)
            and snapshots.side.shape[1:] == (m, H)
            and snapshots.side.dtype == np.int8
            and snapshots.sign.shape[1:] == (m,)
            and snapshots.offset.shape[1:] == (o,)
            and snapshots.pace.shape[1:] == (1,)
        )
        if not fits:
            raise ValueError("its neurons and boundaries do not fit each other")
        loss = named(str(arrays["loss_name"]))
        return cls(
            problem,
            arrays["first"],
            Loss(loss.name, loss.kind, float(arrays["loss_parameter"])),
            float(arrays["tolerance"]),
            int(arrays["n_nodes"]),
            int(arrays["order"]),
            bool(arrays["trains_offset"]),
            int(arrays["most_steps"]),
            bool(arrays["flat"]),
            snapshots,
        )


class Moment(NamedTuple):
    """Where a replay is: the time, the state as in :class:`Snapshots`, and what the step before left."""

    t: float
    state: tuple[np.ndarray, ...]
    memory: flow_general.Memory


class Replay:
    """The steps of a run from one of its snapshots on, for times in increasing order.

    Whole steps do not depend on the times that are asked for; only what is left after the last of them is cut.

    Parameters
    ----------
    recording : GeneralRecording
    start : int
        Which snapshot.
    """

    def __init__(self, recording: GeneralRecording, start: int) -> None:
        self._recording = recording
        # Writable copies of what is only read: numba would compile the kernels again for read-only arrays.
        self._problem = Problem(*(array.copy() for array in recording.problem))
        loss = recording.loss
        self._loss = flow_general.Loss(loss.kind, loss.parameter, loss.value, loss.derivative)
        self._tables = collocation.radau(recording.n_nodes)
        state = tuple(array[start].copy() for array in recording.snapshots[1:])
        self._at = Moment(float(recording.snapshots.t[start]), state, flow_general.NO_MEMORY)
        self._next: Moment | None = None
        self._room = room_for_switches(*state[3].shape)

    def at(self, t: float) -> tuple[np.ndarray, ...]:
        """Return mantissas, exponents, sides and output bias at a time not before the one asked for last."""
        for _ in range(self._recording.most_steps + 1):
            if self._next is None:
                self._next = self._advanced(math.inf, 1)
            if not self._at.t < self._next.t <= t:
                break
            self._at, self._next = self._next, None
        Z, E, _, side, offset, _ = (self._at if self._at.t == t else self._advanced(t, CHUNK)).state
        return Z, E, side, offset

    def _advanced(self, until: float, capacity: int) -> Moment:
        """One step further, or at ``until``, if that is finite; at the same time if no step can be taken."""
        recording, moment = self._recording, self._at
        # The run itself took these steps, so the replay is bounded by them; the rest is for growing the buffer.
        for _ in range(recording.most_steps + 64):
            *neurons, pace = (array.copy() for array in moment.state)
            times, losses, events = np.empty(capacity + 1), np.empty(capacity + 1), np.empty((self._room, 5))
            times[0] = moment.t
            # Only `until` stops a replay: no loss goal, and no rest test, which would end it a step early.
            control = np.array([until, -1.0, recording.tolerance, 0.0, pace[0], float(recording.trains_offset)])
            why, steps, _, memory = flow_general.advance(
                self._problem, self._loss, self._tables, *neurons, control, recording.order, moment.memory, times,
                losses, events,
            )  # fmt: skip
            pace[0] = control[4]
            moment = Moment(float(times[steps]), (*neurons, pace), memory)
            if why == status.EVENTS_FULL and steps == 0:
                self._room *= 4
            elif why not in (status.CHUNK_DONE, status.EVENTS_FULL) or (capacity == 1 and steps == 1):
                break
        return moment
