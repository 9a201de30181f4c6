"""Gradient flow: the limit of gradient descent with vanishing steps, integrated exactly through its switches."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.dynamics.progress import FlowProgress, Progress, reporting
from reluquant.kernels import flow_1d, sectors_1d, status
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.planar_recording import PlanarRecording, Snapshots
from reluquant.structures.recording import MOST_BYTES
from reluquant.structures.scalars import real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import SWITCH_DTYPE, SWITCH_KINDS, End, Trajectory

# Steps, and switches, between two restart points: replaying them for `Trajectory.at` takes a few milliseconds.
CHUNK = 32
CHUNK_SWITCHES = 4096
# Steps times (neurons + inputs) between two returns to Python, where progress is shown and an interrupt is heard: some
# tenths of a second at most. Not a matter of the clock, so that a run can be repeated to the last bit.
CHUNK_WORK = 8192
# A run of several hundred e-foldings takes some hundred steps; errors of that many steps stay below rtol.
STEP_SHARE = 0.01
# Squares and products of inputs, labels and weights must stay inside float64.
LARGEST = 1e100
# Terms of the Taylor series: beyond 40 rounding, not truncation, limits a step.
MOST_TERMS = 40


class _Chunk(NamedTuple):
    """Some steps: times and losses (the first repeats the end of the chunk before), switches, neurons at the end."""

    times: Floats
    losses: Floats
    events: Floats
    state: tuple[np.ndarray, ...] | None


# What each status of the kernel means for the run, in a sentence that names the remedy.
_ENDS = {
    status.REACHED_T_MAX: (End.T_MAX, "The flow reached t_max = {t:.6g} with loss {loss:.6g}."),
    status.REACHED_LOSS: (End.STOP_LOSS, "The flow reached loss {loss:.6g} at t = {t:.6g}."),
    status.STATIONARY: (End.STATIONARY, "The flow is stationary at t = {t:.6g} with loss {loss:.6g}."),
    status.TOO_MANY_SWITCHES: (
        End.FAILED,
        "One neuron switched more often in one step than all data points allow, at t = {t:.6g} (loss {loss:.6g});"
        " use a smaller rtol, and please report these data.",
    ),
    status.TIME_STALLED: (
        End.FAILED,
        "The next step at t = {t:.6g} (loss {loss:.6g}) is below the resolution of time;"
        " rescale the data so that inputs and labels are of order one.",
    ),
    status.NOT_FINITE: (
        End.FAILED,
        "The loss overflowed at t = {t:.6g}; rescale the data so that inputs and labels are of order one.",
    ),
}
_OUT_OF_STEPS = (
    "The flow took max_steps = {steps} steps and reached t = {t:.6g} with loss {loss:.6g};"
    " raise max_steps, or be content with less: set t_max, stop_loss or a larger rtol."
)
_INTERRUPTED = "The flow was interrupted at t = {t:.6g} with loss {loss:.6g}; this is what was reached."


def gradient_flow(
    net: ShallowReLU,
    data: Dataset,
    *,
    loss: str = "squared",
    t_max: float | None = None,
    stop_loss: float | None = None,
    rtol: float = 1e-9,
    max_steps: int = 100_000,
    progress: Progress = True,
) -> Trajectory:
    r"""Follow the gradient flow ``dθ/dt = -∂L/∂θ`` of a ReLU network.

    The solution is Filippov's: a neuron that both sides push onto a data point is held there and slides.
    Every switch of an activation is located. The run ends at ``t_max``, at ``stop_loss``, or when the
    network is stationary, whichever is first.

    Parameters
    ----------
    net : ShallowReLU
        Where to start: one feature, with bias. Balanced (``|a| = ‖w‖``) or not, of any scale.
    data : Dataset
        One feature, with bias. Samples with the same input count as one with their mean label.
    loss : {"squared"}
        ``L = 1/(2 n_samples) Σ_k (f(x_k) - y_k)²``.
    t_max : float, optional
        Time to stop at, positive. Without it the run goes on until it is stationary.
    stop_loss : float, optional
        Loss to stop at, not negative.
    rtol : float, default 1e-9
        Relative tolerance of the weights, between 1e-13 and 1e-2. A network counts as stationary when it
        moves slower than ``rtol`` times the natural rate ``1/n_samples Σ_k |y_k| |(x_k, 1)|`` (with the start's
        ``f(x_k)`` for ``y_k`` if all labels are zero), or than rounding can tell, and no neuron can grow.
    max_steps : int, default 100_000
        Bound on the number of steps.
    progress : bool or callable, default True
        True shows a bar when the run takes longer than two seconds. A function is called with a report
        (``.t``, ``.loss``, ``.n_steps``) every few dozen steps; it may raise KeyboardInterrupt to stop.

    Returns
    -------
    Trajectory
        Also after an interrupt, with what was reached and ``end="interrupted"``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here; before any work.

    Notes
    -----
    Conventions where the flow is not unique: a neuron with zero weights ``w`` stays at rest, and one on a
    data point from which both sides push away leaves to the inactive side, both as with relu'(0) = 0.
    A network that is unbalanced by any amount, however small against its scale, is not a balanced one: its
    neurons may change sign on the way, and at tiny scales it may end elsewhere.
    This is not gradient descent: descent with a finite step leaves an unstable branch where the flow may
    stay on it.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, sections 2 and 3.
    A. F. Filippov (1988), *Differential Equations with Discontinuous Righthand Sides*, chapter 2.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> net = rq.ShallowReLU.balanced(n_neurons=50, scale=1e-8, rng=0)
    >>> traj = rq.gradient_flow(net, data, progress=False)
    >>> traj.end, traj.final([-1.0, 0.0, 1.0]).round(6)
    ('stationary', array([-1.,  0.,  1.]))
    """
    _check_problem(net, data, loss)
    t_max = math.inf if t_max is None else real_number(t_max, "t_max", above=0)
    stop_loss = None if stop_loss is None else real_number(stop_loss, "stop_loss", least=0)
    rtol, max_steps = real_number(rtol, "rtol", least=1e-13, most=1e-2), whole_number(max_steps, "max_steps")
    points, label_variance = _points(data)
    tolerance = STEP_SHARE * rtol
    control = np.array(
        [
            t_max,
            -1.0 if stop_loss is None else stop_loss - label_variance,
            tolerance,
            rtol * _natural_rate(net, data),
        ]
    )
    # Jorba & Zou (2005): the order that needs the least work for a tolerance.
    order = min(MOST_TERMS, math.ceil(-0.5 * math.log(tolerance)) + 1)
    nodes = _radau_points((order + 1) // 2)
    start = _Chunk(
        np.zeros(1),
        np.array([_loss(net, data) - label_variance]),
        np.empty((0, 5)),
        (*_neurons(net, points), flow_1d.FIRST_PACE.copy()),
    )
    chunks, end, sentence = _run(points, start, control, nodes, order, max_steps, progress)
    t = np.concatenate([start.times, *(chunk.times[1:] for chunk in chunks[1:])])
    losses = np.concatenate([start.losses, *(chunk.losses[1:] for chunk in chunks[1:])]) + label_variance
    return Trajectory(
        data=data,
        t=t,
        loss=losses,
        switches=_switches(chunks, data),
        end=end.value,
        message=sentence.format(t=t[-1], loss=losses[-1], steps=t.size - 1),
        rtol=rtol,
        recording=PlanarRecording(data, points, tolerance, nodes, order, t.size - 1, _snapshots(chunks)),
    )


def is_compiled() -> bool:
    """Whether this process has the integrator compiled (or loaded from numba's cache): its first run waits for that."""
    return bool(flow_1d.advance.signatures)


def _run(
    points: Floats,
    start: _Chunk,
    control: Floats,
    nodes: Floats,
    order: int,
    max_steps: int,
    progress: Progress,
) -> tuple[list[_Chunk], End, str]:
    """Call the kernel chunk by chunk; an interrupt loses at most the chunk in progress."""
    chunks = [start]
    n_steps, room = 0, CHUNK_SWITCHES
    most = max(1, min(CHUNK, CHUNK_WORK // (start.state[0].shape[0] + points.shape[0])))
    try:
        with reporting(progress, "gradient flow") as report:
            # Each pass takes a step or enlarges the buffer, which a bounded number of switches fills.
            while n_steps < max_steps:
                size = min(most, max_steps - n_steps)
                times, losses, events = np.empty(size + 1), np.empty(size + 1), np.empty((room, 5))
                times[0] = chunks[-1].times[-1]
                # On copies, so that whatever is in `chunks` stays whole when an interrupt arrives.
                state = tuple(array.copy() for array in chunks[-1].state)
                why, steps, n_events = flow_1d.advance(
                    points, *state[:4], control, state[4], nodes, order, times, losses, events
                )
                if why == status.EVENTS_FULL and steps == 0:
                    room *= 4
                    continue
                n_steps, room = n_steps + steps, CHUNK_SWITCHES
                if steps > 0:
                    done = slice(0, steps + 1)
                    chunks.append(_Chunk(times[done].copy(), losses[done].copy(), events[:n_events].copy(), state))
                    _thin(chunks)
                if why in _ENDS:
                    return chunks, *_ENDS[why]
                report(FlowProgress(times[steps], losses[steps], n_steps))
    except KeyboardInterrupt:
        return chunks, End.INTERRUPTED, _INTERRUPTED
    return chunks, End.MAX_STEPS, _OUT_OF_STEPS


def _check_problem(net: ShallowReLU, data: Dataset, loss: str) -> None:
    if not isinstance(net, ShallowReLU):
        raise TypeError(f"net must be a ShallowReLU, but it is a {type(net).__name__}.")
    if not isinstance(data, Dataset):
        raise TypeError(f"data must be a Dataset, but it is a {type(data).__name__}; wrap it: rq.Dataset(X, y).")
    if not isinstance(loss, str) or loss != "squared":
        raise ValueError(f"loss must be 'squared', but it is {loss!r}.")
    if data.n_features != 1 or not data.bias or data.y.ndim != 1:
        raise ValueError(
            f"gradient_flow takes data with one feature, one label and a bias, but got {data!r} with y of shape"
            f" {data.y.shape}."
        )
    if net.n_features != 1 or not net.bias or net.a.ndim != 1:
        raise ValueError(
            "The network must have one feature, one output and a bias as the data do, but it is"
            f" {net!r} with a of shape {net.a.shape}."
        )
    if net.n_neurons == 0:
        raise ValueError("The network must have at least one neuron, but W and a have no rows.")
    for name, values in (("X", data.X), ("y", data.y), ("W", net.W), ("a", net.a)):
        largest = np.max(np.abs(values))
        if largest > LARGEST:
            raise ValueError(
                f"{name} must stay within ±{LARGEST:g}, because the flow squares it, but it reaches {largest:.3g};"
                " rescale it."
            )


def _loss(net: ShallowReLU, data: Dataset) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        loss = 0.5 * np.mean((net(data.X) - data.y) ** 2)
    if not math.isfinite(loss):
        raise ValueError("The loss of the starting network exceeds the float64 range; scale W and a down.")
    return float(loss)


def _points(data: Dataset) -> tuple[Floats, float]:
    """Distinct inputs as the kernel wants them, and the loss that no function of the input can avoid."""
    x, which, count = np.unique(data.X[:, 0], return_inverse=True, return_counts=True)
    mean = np.bincount(which, weights=data.y) / count
    unavoidable = 0.5 * np.mean((data.y - mean[which]) ** 2)
    return np.column_stack([x, count / data.n_samples, mean, np.hypot(x, 1.0)]), float(unavoidable)


def _neurons(net: ShallowReLU, points: Floats) -> tuple[Floats, np.ndarray, np.ndarray, np.ndarray]:
    """Mantissas, binary exponents, signs of balanced neurons (0: unbalanced) and modes."""
    weights = np.column_stack([net.W, net.a])
    exponent = np.frexp(np.max(np.abs(weights), axis=1))[1].astype(np.int64)
    # Two halves, because 2^1074 alone overflows.
    half = -(exponent // 2)
    mantissa = np.ldexp(np.ldexp(weights, half[:, None].astype(np.int32)), (-exponent - half)[:, None].astype(np.int32))
    norm = np.hypot(mantissa[:, 0], mantissa[:, 1])
    output = mantissa[:, 2]
    balanced = (np.abs(norm - np.abs(output)) <= sectors_1d.BALANCED * norm) & (norm > 0)
    sign = np.where(balanced, np.sign(output), 0).astype(np.int64)
    mode = np.empty(net.n_neurons, dtype=np.int64)
    sectors_1d.locate(points, mantissa, mode)
    return mantissa, exponent, sign, mode


def _radau_points(s: int) -> Floats:
    """The points in (0, 1], 1 among them, on which a polynomial through ``s`` values integrates best."""
    legendre = np.polynomial.legendre
    return 0.5 * (1.0 + np.sort(legendre.legroots([0.0] * (s - 1) + [-1.0, 1.0])))


def _natural_rate(net: ShallowReLU, data: Dataset) -> float:
    """How fast tiny neurons turn, or those of this start if all labels are zero."""
    lengths = np.hypot(data.X[:, 0], 1.0)
    residual = data.y if np.any(data.y) else net(data.X)
    return float(np.mean(np.abs(residual) * lengths))


def _thin(chunks: list[_Chunk]) -> None:
    """Forget the neurons of chunks that no replay needs; the first and the last are kept.

    Those between two restart points, and every other restart point once they take too many bytes.
    """
    kept = [i for i, chunk in enumerate(chunks) if chunk.state is not None]
    if len(kept) > 2:
        since = chunks[kept[-3] + 1 :]
        if sum(chunk.times.size - 1 for chunk in since) <= CHUNK and sum(map(_n_switches, since)) <= CHUNK_SWITCHES:
            chunks[kept[-2]] = chunks[kept[-2]]._replace(state=None)
            return
    if len(kept) * sum(array.nbytes for array in chunks[0].state) > MOST_BYTES:
        for i in kept[1:-1:2]:
            chunks[i] = chunks[i]._replace(state=None)


def _n_switches(chunk: _Chunk) -> int:
    return len(chunk.events)


def _snapshots(chunks: list[_Chunk]) -> Snapshots:
    kept = [chunk for chunk in chunks if chunk.state is not None]
    times = np.array([chunk.times[-1] for chunk in kept])
    return Snapshots(times, *(np.stack([chunk.state[i] for chunk in kept]) for i in range(5)))


def _switches(chunks: list[_Chunk], data: Dataset) -> np.ndarray:
    events = np.concatenate([chunk.events for chunk in chunks])
    order = np.lexsort((events[:, 1], events[:, 0]))
    table = np.empty(len(events), dtype=SWITCH_DTYPE)
    first_sample = np.unique(data.X[:, 0], return_index=True)[1]
    table["time"] = events[order, 0]
    table["neuron"] = events[order, 1].astype(np.int64)
    table["sample"] = first_sample[events[order, 2].astype(np.int64)]
    table["kind"] = SWITCH_KINDS[events[order, 3].astype(np.int64)]
    return table
