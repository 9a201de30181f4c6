"""The flow for any number of inputs and outputs: arrays for the kernels, and what came of the run."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple, Self

import numpy as np

from reluquant.dynamics.chunks import Advance, Chunk, Run, follow
from reluquant.dynamics.progress import Progress
from reluquant.dynamics.starts import mantissas, scaled
from reluquant.kernels import collocation, flow_general, losses, neuron_alone, series_general
from reluquant.kernels.state_general import Problem
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.general_recording import GeneralRecording, Snapshots, room_for_switches
from reluquant.structures.losses import SQUARED, Loss, check_labels, residuals
from reluquant.structures.shallow_relu import ShallowReLU

# Errors of the steps of a run, some hundred at most, stay below rtol.
STEP_SHARE = 0.01
# Nodes of the residual's polynomial for tolerances from these on; fewer steps, each with more to solve for.
NODES = ((1e-4, 3), (1e-7, 5), (0.0, 7))
# Pairs of a neuron and a boundary that cost as much as what `chunks` counts as one neuron.
PAIRS = 1024
# Two inputs are parallel when their unit vectors agree to this: they then have one boundary.
PARALLEL = 8 * 2.0**-52
# w·x̃ below this share of |w||x̃| is decided in rational arithmetic.
DOUBTFUL = 1e-12


class GeneralState(NamedTuple):
    """What the kernel carries, a row for each neuron; see `flow_general.advance`. ``pace`` as in `Snapshots`."""

    mantissa: Floats
    exponent: np.ndarray
    sign: np.ndarray
    side: np.ndarray
    offset: Floats
    pace: Floats

    def copy(self) -> Self:
        """Return a state whose arrays may be changed."""
        return type(self)(*(array.copy() for array in self))

    @property
    def nbytes(self) -> int:
        """Bytes that a restart point takes."""
        return sum(array.nbytes for array in self)


def general_flow(
    net: ShallowReLU,
    data: Dataset,
    *,
    loss: Loss = SQUARED,
    offset: Floats | None = None,
    outputs: Floats,
    log_scale: float,
    t_max: float,
    stop_loss: float | None,
    rtol: float,
    slowest: float,
    save_at: Floats,
    max_steps: int,
    progress: Progress,
) -> tuple[Run, GeneralRecording]:
    """Run the kernels. Returns the run and its recording; ``recording.first`` tells boundaries' samples.

    Parameters are those of `gradient_flow`, checked. ``offset`` (o,): start of a trained output bias; None: there is
    none. ``outputs``: those of the start, without that bias. ``slowest``: rate below which nothing moves. With a
    ``log_scale`` the weights are those of the net times e^log_scale.

    Raises
    ------
    ValueError
        If the labels do not fit the loss.
    """
    check_labels(loss, data.y)
    labels = data.y.reshape(data.n_samples, -1)
    problem, first = boundaries(data.inputs, labels)
    tolerance = STEP_SHARE * rtol
    n_nodes = next(nodes for least, nodes in NODES if rtol >= least)
    order = _most_terms(tolerance) + n_nodes
    tables = collocation.radau(n_nodes)
    chosen = flow_general.Loss(loss.kind, loss.parameter, loss.value, loss.derivative)
    mantissa, exponent, sign = _neurons(net, log_scale)
    side = sides(net.W, data.inputs, first)
    bias = np.zeros(labels.shape[1]) if offset is None else np.array(offset, dtype=np.float64)
    outputs = outputs.reshape(data.n_samples, -1) + bias
    start_loss = losses.mean_loss(loss.kind, loss.parameter, loss.value, outputs, problem.labels)
    start = Chunk(
        np.zeros(1),
        np.array([start_loss]),
        np.empty((0, 5)),
        GeneralState(mantissa, exponent, sign, side, bias, np.array([math.inf])),
    )
    stop = -1.0 if stop_loss is None else stop_loss

    memory = flow_general.NO_MEMORY

    def advance(state, until, times, loss_values, room):
        nonlocal memory
        # On copies, so that whatever is in a chunk stays whole when an interrupt arrives.
        state, events = state.copy(), np.empty((room, 5))
        *neurons, pace = state
        control = np.array([until, stop, tolerance, slowest, pace[0], 0.0 if offset is None else 1.0])
        why, steps, n_events, memory = flow_general.advance(
            problem, chosen, tables, *neurons, control, order, memory, times, loss_values, events
        )
        pace[0] = control[4]
        return Advance(state, why, steps, events[:n_events].copy())

    run = follow(
        advance,
        start,
        work=lambda state: 1 + state.side.size // PAIRS,
        t_max=t_max,
        save_at=save_at,
        max_steps=max_steps,
        progress=progress,
        room=room_for_switches(*side.shape),
    )
    recording = GeneralRecording(
        problem,
        first,
        loss,
        tolerance,
        n_nodes,
        order,
        offset is not None,
        run.t.size - 1,
        net.a.ndim == 1,
        _snapshots(run),
    )
    return run, recording


def _snapshots(run: Run) -> Snapshots:
    """The restart points of a run, stacked."""
    times, states = zip(*run.restart_points, strict=True)
    return Snapshots(np.array(times), *(np.stack(arrays) for arrays in zip(*states, strict=True)))


def residual(net: ShallowReLU, data: Dataset, loss: Loss, offset: Floats) -> Floats:
    """Return ``-∂L/∂f(x_k)`` of a network, shape (n_samples, n_outputs)."""
    return residuals(loss, net(data.X).reshape(data.n_samples, -1) + offset, data.y.reshape(data.n_samples, -1))


def is_compiled() -> bool:
    """Whether this process has the integrator compiled (or loaded from numba's cache): its first run waits for that."""
    return bool(neuron_alone.carry_alone.signatures)


def _most_terms(tolerance: float) -> int:
    """Terms of a series over the longest piece, for a constant field."""
    growth, order = series_general.MOST_GROWTH, 2
    while growth ** (order + 1) / math.factorial(order + 1) > tolerance:
        order += 1
    return order


def _neurons(net: ShallowReLU, log_scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mantissas, binary exponents and signs of balanced neurons (0: unbalanced); weights times e^log_scale."""
    p = net.W.shape[1]
    mantissa, exponent = mantissas(net)
    w, a = np.linalg.norm(mantissa[:, :p], axis=1), np.linalg.norm(mantissa[:, p:], axis=1)
    balanced = (np.abs(w - a) <= flow_general.BALANCED * w) & (w > 0)
    sign = np.where(balanced, np.where(mantissa[:, p] > 0, 1, -1), 0).astype(np.int64)
    return *scaled(mantissa, exponent, log_scale), sign


def boundaries(inputs: Floats, labels: Floats) -> tuple[Problem, np.ndarray]:
    """The hyperplanes of weights where a sample becomes active, and the first sample of each."""
    lengths = np.sqrt(np.einsum("ij,ij->i", inputs, inputs))
    plane, stretch = np.full(len(inputs), -1, dtype=np.int64), lengths.copy()
    normals, first = [], []
    for k in np.flatnonzero(lengths > 0):
        unit = inputs[k] / lengths[k]
        known = np.array(normals).reshape(-1, inputs.shape[1])
        for way in (1.0, -1.0):
            same = np.flatnonzero(np.max(np.abs(known - way * unit), axis=1) <= PARALLEL) if len(known) else []
            if len(same):
                plane[k], stretch[k] = same[0], way * lengths[k]
                break
        else:
            plane[k] = len(normals)
            normals.append(unit)
            first.append(k)
    two_sided = np.zeros(len(normals), dtype=bool)
    two_sided[plane[stretch < 0]] = True
    problem = Problem(
        np.array(normals).reshape(-1, inputs.shape[1]), two_sided, plane, stretch, np.array(labels, order="C")
    )
    return problem, np.array(first, dtype=np.int64)


def sides(W: Floats, inputs: Floats, first: np.ndarray) -> np.ndarray:
    """Sign of ``w·x̃`` of the float64 numbers as given, for the first sample of each boundary: (m, H) int8."""
    values = W @ inputs[first].T
    result = np.sign(values).astype(np.int8)
    scale = np.abs(W) @ np.abs(inputs[first].T)
    for j, h in np.argwhere(np.abs(values) <= DOUBTFUL * scale):
        exact = sum((Fraction(w) * Fraction(x) for w, x in zip(W[j], inputs[first[h]], strict=True)), Fraction(0))
        result[j, h] = (exact > 0) - (exact < 0)
    return result
