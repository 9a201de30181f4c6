"""The restart points of a flow with one input and a bias, and how the integrator goes on from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple, Self

import numpy as np

from reluquant.kernels import flow_1d, sectors_1d, status
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.branches import branch_points
from reluquant.structures.dataset import Dataset
from reluquant.structures.losses import SQUARED, Loss
from reluquant.structures.mergers import Mergers, Rows, individuals
from reluquant.structures.recording import NeuronStates


class Snapshots(NamedTuple):
    """Restart points of a flow, one after the other: point ``i`` has the rows from ``first[i]`` to ``first[i + 1]``.

    A row is a neuron or a group of merged ones: ``2^exponent · mantissa`` is its (w, b, a), ``sign`` 0 if unbalanced,
    ``mode`` where it is, and ``node`` tells which: the first ``n_mergers`` mergers of the run lead to these rows.
    ``pace`` is what the integrator knew about its steps, so that a replay takes the same.
    """

    t: Floats
    first: np.ndarray
    n_mergers: np.ndarray
    pace: Floats
    mantissa: Floats
    exponent: np.ndarray
    sign: np.ndarray
    mode: np.ndarray
    node: np.ndarray


# Those of its fields that have an entry for each row.
ROWS = ("mantissa", "exponent", "sign", "mode", "node")


def first_samples(data: Dataset) -> np.ndarray:
    """Return the first sample at each distinct input, inputs ascending."""
    x = data.X[:, 0]
    # Nearly all data are like this, and a search would take a good part of a short run.
    return np.arange(x.size) if np.all(x[1:] > x[:-1]) else np.unique(x, return_index=True)[1]


@dataclass(frozen=True, eq=False, repr=False)
class PlanarRecording:
    """The network every few dozen steps; in between the integrator follows the same series again.

    Neurons that have merged are one row; each is told from its group when a state is asked for.

    Attributes
    ----------
    data : Dataset
        What was trained on.
    points : ndarray, shape (n_inputs, 4)
        Distinct inputs ascending as the kernel wants them: x, weight, target, ``‖(x, 1)‖``.
    tolerance : float
        Of one step.
    spread : float
        Angle by which released neurons are parted.
    nodes : ndarray, shape (s,)
        Radau points of the implicit steps.
    order : int
        Terms of the Taylor series.
    most_steps : int
        What bounds a replay: the steps that the run itself took.
    n_neurons : int
        Number of neurons.
    mergers : Mergers
        Which of them have merged, and when.
    snapshots : Snapshots
    """

    data: Dataset
    points: Floats
    tolerance: float
    spread: float
    nodes: Floats
    order: int
    most_steps: int
    n_neurons: int
    mergers: Mergers
    snapshots: Snapshots

    kind: ClassVar[str] = "planar"
    loss: ClassVar[Loss] = SQUARED
    method: ClassVar[str] = "Taylor series of the residual, each neuron exactly through its switches (one input)"

    def __post_init__(self) -> None:
        for name in ("points", "nodes"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for array in (*self.mergers, *self.snapshots):
            array.setflags(write=False)

    def states(self, times: Floats) -> NeuronStates:
        """Return all neurons at times inside the run, in any order."""
        n_points, m = self.points.shape[0], self.n_neurons
        W, a = np.empty((times.size, m, 2)), np.empty((times.size, m))
        log_norm, slides_on = np.empty((times.size, m)), np.full((times.size, m), -1, dtype=np.int64)
        for row, t in enumerate(times):
            Z, E, mode = self._replay(t)
            with np.errstate(under="ignore", divide="ignore"):
                weights = np.ldexp(Z, np.clip(E, -(2**30), 2**30)[:, None].astype(np.int32))
                log_norm[row] = np.log(np.hypot(Z[:, 0], Z[:, 1])) + E * np.log(2.0)
            W[row], a[row] = weights[:, :2], weights[:, 2]
            held = mode >= 2 * n_points
            slides_on[row, held] = self.sample_of_point[(mode[held] - 2 * n_points) % n_points]
        return NeuronStates(W, a, log_norm, slides_on)

    @cached_property
    def sample_of_point(self) -> np.ndarray:
        """The first sample at each distinct input, inputs ascending."""
        return first_samples(self.data)

    def _replay(self, t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        start = int(np.searchsorted(self.snapshots.t, t, side="right")) - 1
        rows = slice(*self.snapshots.first[start : start + 2])
        Z, E, sign, mode, node = (getattr(self.snapshots, name)[rows].copy() for name in ROWS)
        pace = self.snapshots.pace[start].copy()
        # A writable copy of what is only read: numba would compile the kernel again for a read-only array.
        points, nodes = self.points.copy(), self.nodes.copy()
        # Only t stops a replay: no loss goal, and no rest test, which would end it a step early.
        control = np.array([t, -1.0, self.tolerance, 0.0, self.spread])
        now, room = self.snapshots.t[start], 4096
        # The run itself took these steps, so the replay is bounded by them; the rest is for growing the buffer.
        for _ in range(self.most_steps + 64):
            times, losses, events = np.empty(65), np.empty(65), np.empty((room, 5))
            times[0] = now
            why, steps, n_events = flow_1d.advance(
                points, Z, E, sign, mode, control, pace, nodes, self.order, times, losses, events
            )
            now = times[steps]
            if why == status.EVENTS_FULL and n_events == 0:
                room *= 4
            elif why not in (status.CHUNK_DONE, status.EVENTS_FULL):
                break
        n_mergers = int(self.snapshots.n_mergers[start])
        return individuals(Rows(node, Z, E, mode), self.mergers, n_mergers, self.n_neurons)

    def offsets(self, times: Floats) -> Floats:
        """Return zeros: there is no output bias."""
        return np.zeros((times.size, 1))

    def branch_points(self, switches: np.ndarray) -> np.ndarray:
        """Return where merged neurons would part; parted ones have chosen their branch."""
        return branch_points(switches if self.spread == 0.0 else switches[:0], self, self.data)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as plain arrays, for a file."""
        names = ("points", "tolerance", "spread", "nodes", "order", "most_steps", "n_neurons")
        own = {name: np.asarray(getattr(self, name)) for name in names}
        own |= {f"merger_{name}": array for name, array in self.mergers._asdict().items()}
        return own | {f"snapshot_{name}": array for name, array in self.snapshots._asdict().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], data: Dataset) -> Self:
        """Make the recording that :meth:`arrays` was taken from.

        Raises
        ------
        KeyError, ValueError
            If an array is missing, or does not fit.
        """
        mergers = Mergers(*(arrays[f"merger_{name}"] for name in Mergers._fields))
        snapshots = Snapshots(*(arrays[f"snapshot_{name}"] for name in Snapshots._fields))
        modes, n, n_neurons = snapshots.mode, len(arrays["points"]), int(arrays["n_neurons"])
        # The compiled kernel indexes its arrays by these, unchecked.
        if modes.dtype != np.int64 or modes.size == 0 or modes.min() < sectors_1d.AT_REST or modes.max() >= 4 * n:
            raise ValueError("its neurons are in places that do not exist")
        nodes = np.concatenate([snapshots.node, mergers.member, mergers.group, mergers.resting])
        if nodes.min() < 0 or nodes.max() >= mergers.n_nodes(n_neurons):
            raise ValueError("its groups are of neurons that do not exist")
        return cls(
            data,
            arrays["points"],
            float(arrays["tolerance"]),
            float(arrays["spread"]),
            arrays["nodes"],
            int(arrays["order"]),
            int(arrays["most_steps"]),
            n_neurons,
            mergers,
            snapshots,
        )
