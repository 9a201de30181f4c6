"""The restart points of a run of gradient descent, and how its steps are taken again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Self

import numpy as np

from reluquant.kernels import descent
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.branches import BRANCH_DTYPE
from reluquant.structures.dataset import Dataset
from reluquant.structures.losses import NAMED, Loss
from reluquant.structures.recording import NeuronStates


class DescentState(NamedTuple):
    """All neurons after some steps; ``weights`` and ``velocity`` are (p + o, n_neurons), each column (w, a)."""

    step: int
    weights: Floats
    velocity: Floats


class DescentSnapshots(NamedTuple):
    """Restart points, one row each; ``velocity`` has none without momentum, where it does not matter."""

    step: np.ndarray
    weights: Floats
    velocity: Floats


@dataclass(frozen=True, eq=False, repr=False)
class DescentRule:
    """What one step does: everything that does not change in a run.

    Attributes
    ----------
    data : Dataset
        What is trained on.
    lr, momentum : float
        ``v ← momentum · v - ∂L/∂θ``, ``θ ← θ + lr · v``.
    batch_size, seed : int
        Samples of a step, and what their order is drawn from.
    loss : Loss
    """

    data: Dataset
    lr: float
    momentum: float
    batch_size: int
    seed: int
    loss: Loss

    def advance(self, state: DescentState, to: int, at_steps: np.ndarray) -> tuple[int, DescentState, Floats]:
        """Take steps from a state, which is left as it is.

        Parameters
        ----------
        state : DescentState
            Where to start.
        to : int
            The step to stop at.
        at_steps : ndarray of int, shape (n_records,)
            Ascending, from ``state.step`` to ``to``: where to compute the loss.

        Returns
        -------
        why : int
            A status of the kernel.
        state : DescentState
            What was reached.
        losses : ndarray, shape (n_records,)
            Undefined from where the loss overflowed.
        """
        data, found = self.data, np.full(at_steps.size, np.nan)
        weights, velocity = state.weights.copy(), state.velocity.copy()
        why, step = descent.descend(
            np.array(data.inputs.T, order="C"),
            np.array(data.y.reshape(data.n_samples, -1), order="C"),
            weights,
            velocity,
            np.array([self.lr, self.momentum, self.loss.parameter]),
            np.array([state.step, to, self.batch_size, self.seed, self.loss.kind]),
            self.loss.value,
            self.loss.derivative,
            np.array(at_steps, dtype=np.int64),
            found,
        )
        return why, DescentState(step, weights, velocity), found


@dataclass(frozen=True, eq=False, repr=False)
class DescentRecording:
    """The network at evenly spaced steps; in between the same steps are taken again.

    Attributes
    ----------
    rule : DescentRule
        What one step does.
    snapshots : DescentSnapshots
        The first is the start, the last the end of the run.
    """

    rule: DescentRule
    snapshots: DescentSnapshots

    kind: ClassVar[str] = "descent"

    def __post_init__(self) -> None:
        kept = (frozen(self.snapshots.step, np.int64), *map(frozen, self.snapshots[1:]))
        object.__setattr__(self, "snapshots", DescentSnapshots(*kept))

    @property
    def loss(self) -> Loss:
        """What was trained for."""
        return self.rule.loss

    @property
    def method(self) -> str:
        """Which integrator it was, in words."""
        rule = self.rule
        batches = "" if rule.batch_size == rule.data.n_samples else f", batches of {rule.batch_size}"
        momentum = f", momentum {rule.momentum:g}" if rule.momentum else ""
        return f"gradient descent, steps of {rule.lr:g}{batches}{momentum}"

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.snapshots.weights.shape[2]

    def states(self, times: Floats) -> NeuronStates:
        """Return all neurons after the last step at or before each time, in any order; none is held on a sample."""
        data, rule = self.rule.data, self.rule
        p = data.inputs.shape[1]
        found = np.empty((times.size, *self.snapshots.weights.shape[1:]))
        steps = np.array([self._step_at(t) for t in times], dtype=np.int64)
        state = self._snapshot(0)
        # In the order of time, so that each replay goes on from the one before where no snapshot is nearer.
        for i in np.argsort(steps, kind="stable"):
            nearest = int(np.searchsorted(self.snapshots.step, steps[i], side="right")) - 1
            if self.snapshots.step[nearest] > state.step:
                state = self._snapshot(nearest)
            _, state, _ = rule.advance(state, steps[i], np.empty(0, dtype=np.int64))
            found[i] = state.weights
        W, a = found[:, :p].transpose(0, 2, 1).copy(), found[:, p:].transpose(0, 2, 1).copy()
        with np.errstate(divide="ignore"):
            log_norm = np.log(np.hypot.reduce(W, axis=2))
        return NeuronStates(W, a if data.y.ndim == 2 else a[:, :, 0], log_norm, np.full(log_norm.shape, -1))

    def _step_at(self, t: float) -> int:
        """The last step at or before t."""
        lr, last = self.rule.lr, int(self.snapshots.step[-1])
        step = min(last, int(t / lr))
        # The quotient may be rounded across a step; times of steps are products.
        while step > 0 and step * lr > t:
            step -= 1
        while step < last and (step + 1) * lr <= t:
            step += 1
        return step

    def _snapshot(self, i: int) -> DescentState:
        step, weights, velocity = (part[i] if len(part) > i else None for part in self.snapshots)
        return DescentState(int(step), weights, np.zeros_like(weights) if velocity is None else velocity)

    def offsets(self, times: Floats) -> Floats:
        """Return zeros: descent trains no output bias."""
        return np.zeros((times.size, 1 if self.rule.data.y.ndim == 1 else self.rule.data.y.shape[1]))

    def branch_points(self, switches: np.ndarray) -> np.ndarray:
        """Return none: finite steps keep no two neurons exactly together."""
        return np.empty(0, dtype=BRANCH_DTYPE)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as plain arrays, for a file.

        Raises
        ------
        ValueError
            If the loss is the user's own.
        """
        if self.rule.loss.name not in NAMED:
            raise ValueError("A run with a loss of your own cannot be saved or pickled: the loss is compiled code.")
        own = {name: np.asarray(getattr(self.rule, name)) for name in _OF_RULE}
        own |= {"loss": np.asarray(self.rule.loss.name), "parameter": np.asarray(self.rule.loss.parameter)}
        return {**own, **{f"snapshot_{name}": array for name, array in self.snapshots._asdict().items()}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], data: Dataset) -> Self:
        """Make the recording that :meth:`arrays` was taken from.

        Raises
        ------
        KeyError, ValueError
            If an array is missing, or does not fit.
        """
        name, parameter = str(arrays["loss"]), float(arrays["parameter"])
        if name not in NAMED:
            raise ValueError("its loss does not exist")
        loss = replace(NAMED[name], parameter=parameter)
        rule = DescentRule(data, *(kind(arrays[name]) for name, kind in _OF_RULE.items()), loss)
        snapshots = DescentSnapshots(*(arrays[f"snapshot_{name}"] for name in DescentSnapshots._fields))
        step, weights, velocity = snapshots
        rows = data.inputs.shape[1] + data.y[0].size
        # The compiled kernel indexes its arrays by these, unchecked.
        if not 1 <= rule.batch_size <= data.n_samples:
            raise ValueError("its batches do not exist")
        if step.ndim != 1 or weights.shape[:-1] != (step.size, rows) or not np.all(np.isfinite(weights)):
            raise ValueError("its neurons do not fit its data")
        if velocity.shape[1:] != weights.shape[1:] or len(velocity) not in (0, step.size):
            raise ValueError("its velocities do not fit its neurons")
        if step.dtype != np.int64 or step.size == 0 or step[0] != 0 or np.any(np.diff(step) <= 0) or not rule.lr > 0:
            raise ValueError("its steps are in no order")
        return cls(rule, snapshots)


_OF_RULE = {"lr": float, "momentum": float, "batch_size": int, "seed": int}
