"""The loop of training: steps, records, snapshots, and why it ends."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from reluquant.dynamics.progress import TrainingProgress
from reluquant.dynamics.training.device import DTYPES, chosen_device
from reluquant.dynamics.training.objective import Objective, Weights, loss_sum, tensors
from reluquant.dynamics.training.step_length import FlowSteps, fastest_rate
from reluquant.structures.dataset import Dataset
from reluquant.structures.losses import Loss
from reluquant.structures.recording import MOST_BYTES
from reluquant.structures.training_run import Layers, Snapshot, TrainingRun
from reluquant.structures.trajectory import End

# Snapshots at times that double every four: growth over many decades is seen evenly, and few networks are kept.
GRID = 2**0.25
# Of the fastest rate at the start: slower is a network at rest. A saddle is not: there dormant neurons keep their rate.
REST = 1e-4
# Products of samples and weights from which a second thread gains more than it costs where cores are shared: with fewer
# a step takes a few milliseconds, and ten times as long if another program wants a core.
THREADS_PAY = 10**8
# Seconds between two checkpoints: what a crash may cost.
CHECKPOINT_SECONDS = 60.0

_SENTENCES = {
    End.STOP_LOSS: "Training reached the loss {loss:.4g} that was asked for, after {step} steps at t = {t:.4g}.",
    End.T_MAX: "Training reached t = {t:.4g} after {step} steps, with loss {loss:.4g}.",
    End.STATIONARY: "The network rests at t = {t:.4g} after {step} steps, with loss {loss:.4g}: no neuron grows there.",
    End.MAX_STEPS: (
        "Training took all {step} steps and reached t = {t:.4g} with loss {loss:.4g}; raise max_steps, or go on with"
        " resume=."
    ),
    End.INTERRUPTED: "Training was interrupted at t = {t:.4g} (step {step}) with loss {loss:.4g}; go on with resume=.",
    End.FAILED: (
        "The loss overflowed after step {step}, at t = {t:.4g}, where this network is from; choose a smaller lr."
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a run is asked for, checked.

    Attributes
    ----------
    data, test : Dataset
        ``test`` may be None.
    loss : Loss
    lr : float or None
        Length of all steps; None for steps beside the flow.
    share : float
        Of a neuron that one step may change, without ``lr``.
    batch_size, seed : int
        Samples of a step, 0 for all; and what their order is drawn from.
    device, dtype : str
    max_steps : int
    t_max, stop : float
        ``stop`` is a share of the loss of the zero function.
    checkpoint : callable
        Gets the run every minute and at the end.
    settings : dict
        The same in plain words and numbers.
    """

    data: Dataset
    test: Dataset | None
    loss: Loss
    lr: float | None
    share: float
    batch_size: int
    seed: int
    device: str
    dtype: str
    max_steps: int
    t_max: float
    stop: float
    checkpoint: Callable[[TrainingRun], object]
    settings: dict[str, object]


def run(plan: Plan, before: TrainingRun, report: Callable[[TrainingProgress], object]) -> TrainingRun:
    """Go on from where a run stands, which may have taken no step yet."""
    with _THREADS.as_many_as_pay(plan.data.n_samples, before.snapshots[0].layers):
        return _Loop(plan, before).run(report)


class _Threads:
    """PyTorch's number of threads, which is one for the whole process: the last training that goes puts it back."""

    def __init__(self) -> None:
        self._lock, self._trainings, self._before = Lock(), 0, 1

    @contextmanager
    def as_many_as_pay(self, n_samples: int, layers: Layers) -> Iterator[None]:
        """Compute small problems on one thread: threads that wait for each other keep all cores busy."""
        if n_samples * sum(W.size for W in layers.weights) >= THREADS_PAY:
            yield
            return
        with self._lock:
            if self._trainings == 0:
                self._before = torch.get_num_threads()
                torch.set_num_threads(1)
            self._trainings += 1
        try:
            yield
        finally:
            with self._lock:
                self._trainings -= 1
                if self._trainings == 0:
                    torch.set_num_threads(self._before)


_THREADS = _Threads()


class _State(NamedTuple):
    """Where training stands."""

    step: int
    t: float
    weights: Weights


class _Loop:
    """What a run has recorded, and where it stands; the state changes in one assignment, whatever interrupts it."""

    def __init__(self, plan: Plan, before: TrainingRun) -> None:
        last = before.snapshots[-1]
        self.plan, self.layers = plan, last.layers
        like = torch.zeros((), dtype=DTYPES[plan.dtype], device=chosen_device(plan.device))
        self.objective = _objective(plan, plan.data, last.layers, like)
        self.test = None if plan.test is None else _objective(plan, plan.test, last.layers, like)
        self.state = _State(last.step, last.t, tensors(last.layers.weights, like))
        # The last record of a run is that of its end, which is no end any more.
        self.records = list(zip(before.t[:-1], before.loss[:-1], before.lr[:-1], strict=True))
        self.snapshots = list(before.snapshots[:-1])
        self.pace = FlowSteps(plan.share, self.objective, *before.pace)
        self.stop_loss = plan.stop * _loss_of_nothing(self.objective)
        first = tensors(before.snapshots[0].layers.weights, like)
        _, gradient, _ = self.objective.value_and_gradient(first)
        self.resting = REST * fastest_rate(first, gradient)
        # Of the present state; NaN where they are not known.
        self.loss = self.right = math.nan

    def run(self, report: Callable[[TrainingProgress], object]) -> TrainingRun:
        """Take steps until there is a reason to end."""
        saved_at, end, before = time.monotonic(), None, self.state
        try:
            while end is None:
                state, batch = self.state, self._batch()
                value, gradient, right = self.objective.value_and_gradient(state.weights, batch)
                rate = fastest_rate(state.weights, gradient)
                self.loss = self._loss(value, batch)
                self.right = right if batch is None else math.nan
                if not math.isfinite(value + rate):
                    self.state, self.loss, self.right, end = before, math.nan, math.nan, End.FAILED
                    break
                self._keep_snapshot()
                end = self._reached(rate, batch)
                if end is not None:
                    break
                lr = min(self.plan.lr or self.pace.length(state.weights, rate), self.plan.t_max - state.t)
                self._record(lr)
                before, self.state = state, _moved(state, gradient, lr)
                report(TrainingProgress(self.state.t, float(self.records[-1][1]), self.state.step, self._so_far))
                if time.monotonic() - saved_at > CHECKPOINT_SECONDS:
                    self.plan.checkpoint(self._so_far())
                    saved_at = time.monotonic()
        except KeyboardInterrupt:
            self.loss, self.right, end = math.nan, math.nan, End.INTERRUPTED
        finished = self._run(end)
        self.plan.checkpoint(finished)
        return finished

    def _batch(self) -> Tensor | None:
        """The samples of the next step: each pass deals out all of them in a new order, which its number decides."""
        size, n = self.plan.batch_size, self.plan.data.n_samples
        if not size:
            return None
        in_pass = -(-n // size)
        number, i = divmod(self.state.step, in_pass)
        order = np.random.default_rng([self.plan.seed, number]).permutation(n)[i * size : (i + 1) * size]
        return torch.from_numpy(order).to(self.objective.x.device)

    def _loss(self, value: float, batch: Tensor | None) -> float:
        """The loss over all samples, where it is at hand or due; else NaN."""
        if batch is None:
            return value
        begins = self.state.step % -(-self.plan.data.n_samples // self.plan.batch_size) == 0
        return self.objective.scores(self.state.weights)[0] if begins or self._is_due() else math.nan

    def _is_due(self) -> bool:
        """Whether a snapshot is to be kept here."""
        return not self.snapshots or self.snapshots[-1].step == 0 or self.state.t >= GRID * self.snapshots[-1].t

    def _keep_snapshot(self) -> None:
        if not self._is_due():
            return
        self.snapshots.append(self._snapshot())
        size = sum(W.nbytes for W in self.snapshots[0].layers.weights)
        if len(self.snapshots) * size > MOST_BYTES:
            self.snapshots[1:-1] = self.snapshots[1:-1:2]

    def _snapshot(self) -> Snapshot:
        step, t, weights = self.state
        known = _classes(self.plan.data.y)
        train = self._share_right(weights) if known else math.nan
        loss, right = (math.nan, math.nan) if self.test is None else self.test.scores(weights)
        arrays = tuple(W.cpu().numpy() for W in weights)
        layers = Layers(arrays, self.layers.bias, self.layers.flat)
        return Snapshot(step, t, layers, (train, loss, right if known else math.nan))

    def _share_right(self, weights: Weights) -> float:
        return self.objective.scores(weights)[1] if math.isnan(self.right) else self.right

    def _reached(self, rate: float, batch: Tensor | None) -> End | None:
        if self.loss <= self.stop_loss:
            return End.STOP_LOSS
        if self.state.t >= self.plan.t_max:
            return End.T_MAX
        if self.state.step >= self.plan.max_steps:
            return End.MAX_STEPS
        # The gradient of a batch is noise where that of all samples vanishes.
        return End.STATIONARY if batch is None and rate <= self.resting else None

    def _record(self, lr: float) -> None:
        if not math.isnan(self.loss):
            self.records.append((self.state.t, self.loss, lr))

    def _so_far(self) -> TrainingRun:
        """The run as if it had been interrupted here."""
        self.loss = self.right = math.nan
        return self._run(End.INTERRUPTED)

    def _run(self, end: End) -> TrainingRun:
        step, t, weights = self.state
        loss = self.objective.scores(weights)[0] if math.isnan(self.loss) else self.loss
        # An interrupt may come between a record and the step that it is of.
        records = [record for record in self.records if record[0] < t]
        series = np.array([*records, (t, loss, math.nan)]).T
        kept = [snapshot for snapshot in self.snapshots if snapshot.step < step]
        return TrainingRun(
            *series,
            snapshots=(*kept, self._snapshot()),
            end=end.value,
            message=_SENTENCES[end].format(t=t, step=step, loss=loss),
            settings=self.plan.settings,
            pace=(self.pace.curvature, self.pace.moved),
        )


def _moved(state: _State, gradient: Weights, lr: float) -> _State:
    weights = tuple(W - lr * dW for W, dW in zip(state.weights, gradient, strict=True))
    return _State(state.step + 1, state.t + lr, weights)


def _objective(plan: Plan, data: Dataset, layers: Layers, like: Tensor) -> Objective:
    n_neurons = sum(W.shape[0] for W in layers.weights[:-1])
    x, y = tensors((data.X, data.y.reshape(data.n_samples, -1)), like)
    return Objective.of(x, y, plan.loss, layers.bias, n_neurons)


def _loss_of_nothing(objective: Objective) -> float:
    """The loss of the function that is zero."""
    y = objective.y.double()
    return loss_sum(objective.loss, torch.zeros_like(y), y).item() / len(y)


def _classes(labels: np.ndarray) -> bool:
    """Whether labels name classes: one number ±1, or rows with a single 1."""
    if labels.ndim == 1 or labels.shape[1] == 1:
        return bool(np.all(np.abs(labels) == 1))
    return bool(np.all((labels == 0) | (labels == 1)) and np.all(labels.sum(axis=1) == 1))
