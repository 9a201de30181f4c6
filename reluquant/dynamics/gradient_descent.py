"""Gradient descent: finite steps, to see what the flow is the limit of and where the two part."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.dynamics.progress import FlowProgress, Progress, reporting
from reluquant.dynamics.starts import check_problem
from reluquant.kernels import status
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.descent_recording import (
    DescentRecording,
    DescentRule,
    DescentSnapshots,
    DescentState,
)
from reluquant.structures.losses import Loss, check_labels, named
from reluquant.structures.recording import MOST_BYTES
from reluquant.structures.scalars import Rng, generator, real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.switches import SWITCH_DTYPE, SwitchLog
from reluquant.structures.trajectory import End, Trajectory

# Times at which the loss is kept: more than a picture has columns, few enough to plot and to save at once.
MOST_RECORDS = 4096
# With mini-batches the loss over all samples costs as much as a pass over the data; so many are worth it in any case.
LEAST_RECORDS = 64
# Restart points: a replay takes no longer than this share of the run.
MOST_SNAPSHOTS = 256
# Samples times weights between two returns to Python, where progress is shown and an interrupt is heard: about a tenth
# of a second.
CHUNK_WORK = 10**8
# Squares and products of inputs, labels and weights must stay inside float64.
LARGEST = 1e50
# Beyond 2^53 a step number is no longer a float, and times no longer tell steps apart.
MOST_STEPS = 2**53


class _Chunk(NamedTuple):
    """Some steps: those at which the loss was recorded, the losses there, and the neurons at the end."""

    steps: np.ndarray
    losses: Floats
    state: DescentState | None


_DONE = "Descent took all {step} steps of {lr:.6g} and reached t = {t:.6g} with loss {loss:.6g}."
_OVERFLOWED = (
    "The loss overflowed in step {next}; this is the last network before, at t = {t:.6g} with loss {loss:.6g}."
    " Steps of lr = {lr:.6g} are too large here; choose a smaller lr."
)
_INTERRUPTED = "Descent was interrupted at t = {t:.6g} (step {step}) with loss {loss:.6g}; this is what was reached."


def gradient_descent(
    net: ShallowReLU,
    data: Dataset,
    *,
    lr: float,
    n_steps: int,
    loss: str | Loss = "squared",
    batch_size: int | None = None,
    momentum: float = 0.0,
    rng: Rng = None,
    progress: Progress = True,
) -> Trajectory:
    r"""Train a ReLU network by gradient descent with steps of one length.

    ``v ← momentum · v - ∂L/∂θ``, ``θ ← θ + lr · v``, with relu'(0) = 0. As ``lr`` goes to zero this follows
    :func:`reluquant.gradient_flow`, with errors in proportion to ``lr``, up to where the flow has more than one way to
    go on.

    Parameters
    ----------
    net : ShallowReLU
        Where to start; any number of features, with or without bias, one output or several as the labels have.
    data : Dataset
        What to train on.
    lr : float
        Length of a step, positive. Step k is at time ``lr · k``.
    n_steps : int
        How many steps to take.
    loss : {"squared", "logistic", "cross-entropy", "huber"} or Loss
        ``L = 1/n_samples Σ_k ℓ(f(x_k), y_k)``; squared: ``ℓ = ½ |f - y|²``; logistic: ``log(1 + e^{-yf})`` with labels
        ±1; cross-entropy: labels are class probabilities, one column a class; huber: quadratic up to a gap of 1. Other
        gaps, and losses of your own, are made by `reluquant.structures.losses`; runs with the latter cannot be saved.
    batch_size : int, optional
        Samples that a step looks at. Each pass over the data deals out all samples in a new random order; its last
        batch holds what is left. Every step is made with the mean over its batch. By default every step looks at all
        samples.
    momentum : float, default 0
        Share of the velocity that is kept, at least 0 and below 1 (heavy ball). Then the network moves
        ``1/(1 - momentum)`` times as fast as the flow.
    rng : int, numpy.random.Generator or None
        Source of the order of the samples. Not used without mini-batches.
    progress : bool or callable, default True
        True shows a bar when the run takes longer than two seconds. A function is called with a report
        (``.t``, ``.loss``, ``.n_steps``) every tenth of a second or so; it may raise KeyboardInterrupt to stop.

    Returns
    -------
    Trajectory
        ``t`` and ``loss`` hold the start, the end and at most 4096 steps in all, half of them equally spaced in
        time and half in its logarithm; every step if there are no more. With mini-batches the loss is still that over
        all samples, on no more steps than there are passes over the data (but on 64). ``at(t)`` is the network after
        the last step at or before ``t``, bit for bit. ``switches`` is empty: descent jumps over data points and
        never slides. ``rtol`` is nan. ``end`` is "t_max" when all steps were taken, "failed" when the loss overflowed,
        and "interrupted" after an interrupt, with what was reached.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here; before any work.

    Notes
    -----
    The sums are taken in an order that depends on the sizes alone: the same call gives the same bits again.
    Where the flow slides on a data point, descent jumps to and fro across it, within a distance in proportion to
    ``lr``. Neurons that the flow merges there keep distances of that order; where they are later driven apart
    exponentially, descent leaves the flow after a time that grows like ``log(1/lr)``. Unlike the flow it keeps plain
    weights: below scale 1e-150 the products of two of them underflow.

    References
    ----------
    B. T. Polyak (1964), "Some methods of speeding up the convergence of iteration methods", USSR Comput. Math. Math.
    Phys. 4, 1-17: momentum.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> net = rq.ShallowReLU.balanced(n_neurons=50, scale=1e-6, rng=0)
    >>> traj = rq.gradient_descent(net, data, lr=0.01, n_steps=5000, progress=False)
    >>> traj.end, traj.final([-1.0, 0.0, 1.0]).round(6)
    ('t_max', array([-1.,  0.,  1.]))
    """
    if not isinstance(loss, str | Loss):
        raise TypeError(f"loss must be a name or a Loss, but it is a {type(loss).__name__}.")
    loss = named(loss) if isinstance(loss, str) else loss
    check_problem(net, data, LARGEST)
    check_labels(loss, data.y)
    lr, n_steps = real_number(lr, "lr", above=0), whole_number(n_steps, "n_steps", most=MOST_STEPS)
    size = data.n_samples if batch_size is None else whole_number(batch_size, "batch_size", most=data.n_samples)
    if not math.isfinite(lr * n_steps):
        raise ValueError(f"lr times n_steps must stay within the float64 range, but they are {lr:g} and {n_steps}.")
    draw = generator(rng)
    # Below 2^62, so that the kernel's arithmetic with it cannot overflow.
    seed = int(draw.integers(2**62)) if size < data.n_samples else 0
    rule = DescentRule(data, lr, _momentum(momentum), size, seed, loss)
    weights = np.vstack([net.W.T, net.a.reshape(net.n_neurons, -1).T])
    start = _Chunk(np.zeros(1, dtype=np.int64), np.empty(1), DescentState(0, weights, np.zeros_like(weights)))
    why, _, start.losses[:] = rule.advance(start.state, 0, start.steps)
    if why == status.NOT_FINITE:
        raise ValueError("The loss of the starting network exceeds the float64 range; scale W and a down.")
    chunks, end, sentence = _run(rule, start, n_steps, progress)
    steps, losses = (np.concatenate([chunk[i] for chunk in chunks]) for i in range(2))
    return Trajectory(
        data=data,
        t=lr * steps,
        loss=losses,
        switch_log=SwitchLog.of(np.empty(0, dtype=SWITCH_DTYPE), net.n_neurons),
        end=end.value,
        sentence=sentence.format(step=steps[-1], next=steps[-1] + 1, lr=lr, t=lr * steps[-1], loss=losses[-1]),
        rtol=math.nan,
        recording=DescentRecording(rule, _snapshots(rule, chunks)),
    )


def _run(rule: DescentRule, start: _Chunk, n_steps: int, progress: Progress) -> tuple[list[_Chunk], End, str]:
    """Call the kernel chunk by chunk; an interrupt loses at most the chunk in progress."""
    grid, spacing = _grid(rule, n_steps), _spacing(rule, start.state, n_steps)
    most = max(1, CHUNK_WORK // (rule.batch_size * start.state.weights.size))
    chunks, end, sentence = [start], End.T_MAX, _DONE
    try:
        with reporting(progress, "gradient descent") as report:
            while chunks[-1].state.step < n_steps:
                state = chunks[-1].state
                to = min(n_steps, state.step + most, (state.step // spacing + 1) * spacing)
                at_steps = grid[np.searchsorted(grid, state.step, "right") : np.searchsorted(grid, to, "right")]
                why, reached, losses = rule.advance(state, to, at_steps)
                if why == status.NOT_FINITE:
                    at_steps = at_steps[at_steps < reached.step]
                    _, reached, losses = rule.advance(state, reached.step - 1, at_steps)
                    end, sentence = End.FAILED, _OVERFLOWED
                if reached.step > state.step:
                    chunks.append(_Chunk(at_steps, losses, reached))
                    if state.step % spacing:
                        chunks[-2] = chunks[-2]._replace(state=None)
                if end is End.FAILED:
                    break
                last_loss = next(chunk.losses[-1] for chunk in reversed(chunks) if chunk.losses.size)
                report(FlowProgress(rule.lr * to, last_loss, to))
    except KeyboardInterrupt:
        end, sentence = End.INTERRUPTED, _INTERRUPTED
    chunks[-1] = _with_last_loss(rule, chunks[-1])
    return chunks, end, sentence


def _with_last_loss(rule: DescentRule, chunk: _Chunk) -> _Chunk:
    """Record the loss at the end of a chunk, which is there already if the run came to its end."""
    last = np.array([chunk.state.step])
    if last in chunk.steps:
        return chunk
    _, _, loss = rule.advance(chunk.state, chunk.state.step, last)
    return _Chunk(np.append(chunk.steps, last), np.append(chunk.losses, loss), chunk.state)


def _momentum(value: object) -> float:
    momentum = real_number(value, "momentum", least=0)
    if momentum >= 1:
        raise ValueError(f"momentum must be at least 0 and below 1, but it is {value!r}.")
    return momentum


def _grid(rule: DescentRule, n_steps: int) -> np.ndarray:
    """The steps at which the loss is recorded: the first, the last, and others in between."""
    n_samples, most = rule.data.n_samples, MOST_RECORDS
    if rule.batch_size < n_samples:
        most = min(most, max(LEAST_RECORDS, n_steps * rule.batch_size // n_samples))
    if n_steps < most:
        return np.arange(n_steps + 1)
    half = most // 2
    evenly, early = np.linspace(0, n_steps, half), np.geomspace(1, n_steps, half)
    return np.unique(np.round(np.concatenate([evenly, early])).astype(np.int64))


def _spacing(rule: DescentRule, state: DescentState, n_steps: int) -> int:
    """Steps from one restart point to the next."""
    size = state.weights.nbytes * (2 if rule.momentum else 1)
    return -(-n_steps // max(1, min(MOST_SNAPSHOTS, MOST_BYTES // size)))


def _snapshots(rule: DescentRule, chunks: list[_Chunk]) -> DescentSnapshots:
    kept = [chunk.state for chunk in chunks if chunk.state is not None]
    velocity = np.stack([state.velocity for state in kept])
    return DescentSnapshots(
        np.array([state.step for state in kept], dtype=np.int64),
        np.stack([state.weights for state in kept]),
        velocity if rule.momentum else velocity[:0],
    )
