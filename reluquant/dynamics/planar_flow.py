"""The flow of a network with one input and a bias: arrays for the kernel, and what came of the run."""

from __future__ import annotations

import math

import numpy as np

from reluquant.dynamics.chunks import Advance, Chunk, Run, follow
from reluquant.dynamics.merging import PlanarState, merged
from reluquant.dynamics.progress import Progress
from reluquant.dynamics.starts import split
from reluquant.kernels import flow_1d, rows_1d
from reluquant.kernels.collocation import radau
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.mergers import Mergers
from reluquant.structures.planar_recording import ROWS, PlanarRecording, Snapshots, first_samples
from reluquant.structures.shallow_relu import ShallowReLU

# A run of several hundred e-foldings takes some hundred steps; errors of that many steps stay below rtol.
STEP_SHARE = 0.01
# Terms of the Taylor series: beyond 40 rounding, not truncation, limits a step.
MOST_TERMS = 40


def planar_flow(
    net: ShallowReLU,
    data: Dataset,
    *,
    outputs: Floats,
    log_scale: float,
    t_max: float,
    stop_loss: float | None,
    rtol: float,
    slowest: float,
    spread: float,
    save_at: Floats,
    max_steps: int,
    progress: Progress,
) -> tuple[Run, PlanarRecording, float]:
    """Run the kernel from a network with these ``outputs`` (n,).

    Returns the run, its recording, and the loss that no function of the input can avoid.
    """
    points, unavoidable = _points(data)
    tolerance = STEP_SHARE * rtol
    # Jorba & Zou (2005): the order that needs the least work for a tolerance.
    order = min(MOST_TERMS, math.ceil(-0.5 * math.log(tolerance)) + 1)
    nodes = radau((order + 3) // 2).nodes.copy()
    start = Chunk(
        np.zeros(1),
        np.array([0.5 * np.mean((outputs - data.y) ** 2) - unavoidable]),
        np.empty((0, 4)),
        _start(net, points, log_scale, spread),
    )
    # Kept from chunk to chunk: new memory would be cleared each time, page by page.
    events = np.empty((0, 5))
    stop = -1.0 if stop_loss is None else stop_loss - unavoidable

    def advance(state, until, times, losses, room):
        # On copies, so that whatever is in a chunk stays whole when an interrupt arrives.
        nonlocal events
        state = state.copy()
        if len(events) < room:
            events = np.empty((room, 5))
        control = np.array([until, stop, tolerance, slowest, spread])
        neurons = state.mantissa, state.exponent, state.sign, state.mode
        why, steps, n_events = flow_1d.advance(
            points, *neurons, control, state.pace, nodes, order, times, losses, events
        )
        # Parted neurons are not one.
        after = merged(state, len(points)) if spread == 0.0 else state
        return Advance(after, why, steps, rows_1d.named(events, n_events, state.node), after is not state)

    run = follow(
        advance,
        start,
        work=lambda state: state.n_rows + len(points),
        t_max=t_max,
        save_at=save_at,
        max_steps=max_steps,
        progress=progress,
    )
    mergers = Mergers.of(run.chunks[-1].state.mergers)
    recording = PlanarRecording(
        data, points, tolerance, spread, nodes, order, run.t.size - 1, net.n_neurons, mergers, _snapshots(run)
    )
    return run, recording, unavoidable


def is_compiled() -> bool:
    """Whether this process has the integrator compiled (or loaded from numba's cache): its first run waits for that."""
    return bool(flow_1d.advance.signatures)


def _points(data: Dataset) -> tuple[Floats, float]:
    """Distinct inputs as the kernel wants them, and the loss that no function of the input can avoid."""
    n, first = data.n_samples, first_samples(data)
    x, count, mean, unavoidable = data.X[first, 0], np.ones(n), data.y[first], 0.0
    if first.size < n:
        which = np.searchsorted(x, data.X[:, 0])
        count = np.bincount(which)
        mean = np.bincount(which, weights=data.y) / count
        unavoidable = float(0.5 * np.mean((data.y - mean[which]) ** 2))
    return np.column_stack([x, count / n, mean, np.hypot(x, 1.0)]), unavoidable


def outputs(net: ShallowReLU, data: Dataset) -> Floats:
    """Return the network's output at every sample, without an array of all neurons at all of them."""
    return rows_1d.outputs_of(data.X[:, 0].copy(), net.W.copy(), net.a.copy())


def _start(net: ShallowReLU, points: Floats, log_scale: float, spread: float) -> PlanarState:
    """Every neuron a row, weights times e^log_scale; the sign is 0 where it is not balanced."""
    W, a, m = net.W.copy(), net.a.copy(), net.n_neurons
    # Balanced neurons keep their order around the circle: those that pass together lie together. Parted ones do not.
    order = np.argsort(rows_1d.turns_of(W, a)) if spread == 0.0 else np.arange(m)
    rows = rows_1d.rows_of(points, W, a, order, *split(log_scale))
    return PlanarState(*rows, flow_1d.FIRST_PACE.copy(), order, (), m)


def _snapshots(run: Run) -> Snapshots:
    """The restart points of a run, joined."""
    times, states = zip(*run.restart_points, strict=True)
    return Snapshots(
        t=np.array(times),
        first=np.cumsum([0, *(state.n_rows for state in states)]),
        n_mergers=np.array([len(state.mergers) for state in states]),
        pace=np.stack([state.pace for state in states]),
        **{name: np.concatenate([getattr(state, name) for state in states]) for name in ROWS},
    )
