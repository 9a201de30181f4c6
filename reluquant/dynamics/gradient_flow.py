"""Gradient flow: the limit of gradient descent with vanishing steps, integrated exactly through its switches."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from reluquant.dynamics import general_flow, planar_flow
from reluquant.dynamics.chunks import Run
from reluquant.dynamics.progress import Progress, announcing_compilation
from reluquant.dynamics.rest import (
    Speed,
    Verdict,
    describe_rest,
    general_stationary_point,
    planar_stationary_point,
    speeds,
)
from reluquant.dynamics.starts import check_problem
from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.dataset import Dataset
from reluquant.structures.losses import Loss, check_labels, named
from reluquant.structures.recording import Recording
from reluquant.structures.scalars import real_number, whole_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.stationary_point import StationaryPoint
from reluquant.structures.switches import SwitchLog
from reluquant.structures.trajectory import End, Trajectory

# Squares and products of inputs, labels and weights must stay inside float64.
LARGEST = 1e100
# Descent parts neurons by angles of the order of its step; beyond this they would be different directions.
LARGEST_SPREAD = 1e-2
# Binary exponents are 64-bit integers, and one e-folding of a plateau is some part of a step.
LARGEST_LOG_SCALE = 1e6


def gradient_flow(
    net: ShallowReLU,
    data: Dataset,
    *,
    loss: str | Loss = "squared",
    output_bias: float | ArrayLike | None = None,
    t_max: float | None = None,
    stop_loss: float | None = None,
    rtol: float = 1e-9,
    save_at: ArrayLike | None = None,
    log_scale: float = 0.0,
    spread: float = 0.0,
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
        Where to start: any number of features and outputs, with a bias or not. Balanced (``|a| = ‖w‖``) or not, of any
        scale.
    data : Dataset
        As many features and outputs, with a bias or not as the network.
    loss : {"squared", "logistic", "cross-entropy", "huber"} or reluquant.structures.losses.Loss
        ``L = 1/n_samples Σ_k ℓ(f(x_k), y_k)`` with ``ℓ = ½|f - y|²``; ``log(1 + e^{-y f})`` for labels ±1; the
        cross-entropy of the softmax of f with rows of class probabilities; Huber's loss (``huber(delta)``); or your
        own: ``custom(value, derivative)`` of that module makes one of two functions that numba can compile.
    output_bias : float or array_like, shape (n_outputs,), optional
        Start of a bias that is added to the output and trained too; ``traj.output_bias(t)`` is what became of it.
        Without it there is none.
    t_max : float, optional
        Time to stop at, positive. Without it the run goes on until it is stationary.
    stop_loss : float, optional
        Loss to stop at, not negative.
    rtol : float, default 1e-9
        Relative tolerance of the weights, between 1e-13 and 1e-2. A network counts as stationary when it
        moves slower than ``rtol`` times the natural rate ``1/n_samples Σ_k |y_k| |(x_k, 1)|`` (with the start's
        ``f(x_k)`` for ``y_k`` if all labels are zero), or than rounding can tell, and no neuron can grow.
    save_at : array_like, shape (n_times,), optional
        Times at which a step shall end: they are in ``traj.t``, and as long as memory allows ``traj.at`` returns them
        at once. Nothing need be asked for: ``traj.at(t)`` works for any time of the run.
    log_scale : float, default 0
        Natural logarithm of a factor for all weights of the start, to go beyond float64: the network of scale 1
        with ``log_scale=-2000`` starts at e^-2000. Where its weights underflow, ``traj.states`` has their log-norms.
    spread : float, default 0
        Angle, at most 0.01, by which neurons that slide together are parted when they are released. The exact flow (0)
        keeps them together for ever; descent with a step ``lr`` leaves an angle of the order of ``lr``, and may
        follow another branch from there: see ``traj.branch_points``.
    max_steps : int, default 100_000
        Bound on the number of steps.
    progress : bool or callable, default True
        True shows a bar when the run takes longer than two seconds. A function is called with a report
        (``.t``, ``.loss``, ``.n_steps``) every few dozen steps; it may raise KeyboardInterrupt to stop.

    Returns
    -------
    Trajectory
        Also after an interrupt, with what was reached and ``end="interrupted"``. A stationary one says of which kind
        it is: ``traj.stationary_point``. ``traj.method`` says how it was integrated.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here; before any work.

    Notes
    -----
    One input with a bias and the squared loss are followed by Taylor series of the residual, everything else by
    collocation: ``traj.method`` says so. The first run of each compiles it, once after installation.
    Samples with the same input count as one with their mean label (squared loss).
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
    loss = _loss(loss)
    check_problem(net, data, LARGEST)
    planar = data.n_features == 1 and data.bias and data.y.ndim == 1 and loss.name == "squared" and output_bias is None
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = planar_flow.outputs(net, data) if planar else net(data.X)
        if not math.isfinite(np.mean((outputs - data.y) ** 2)):
            raise ValueError("The loss of the starting network exceeds the float64 range; scale W and a down.")
    check_labels(loss, data.y)
    offset = None if output_bias is None else _output_bias(output_bias, data)
    t_max = math.inf if t_max is None else real_number(t_max, "t_max", above=0)
    log_scale = _log_scale(log_scale, net)
    rtol = real_number(rtol, "rtol", least=1e-13, most=1e-2)
    spread = real_number(spread, "spread", least=0, most=LARGEST_SPREAD)
    speed = speeds(net, data, rtol, math.exp(min(2.0 * log_scale, 0.0)))
    goals = {
        "outputs": outputs * math.exp(2.0 * log_scale),
        "log_scale": log_scale,
        "t_max": t_max,
        "stop_loss": None if stop_loss is None else real_number(stop_loss, "stop_loss", least=0),
        "rtol": rtol,
        "slowest": speed.slowest,
        "save_at": _save_times(save_at, t_max),
        "max_steps": whole_number(max_steps, "max_steps"),
        "progress": progress,
    }
    if planar:
        return _planar(net, data, spread, speed, goals)
    if spread > 0.0:
        raise ValueError("spread is for one input with a bias, one output and the squared loss only; leave it out.")
    return _general(net, data, loss, offset, speed, goals)


def _planar(net: ShallowReLU, data: Dataset, spread: float, speed: Speed, goals: dict[str, Any]) -> Trajectory:
    with announcing_compilation(goals["progress"], planar_flow.is_compiled):
        run, recording, unavoidable = planar_flow.planar_flow(net, data, spread=spread, **goals)

    def kind() -> Verdict:
        states = recording.states(run.t[-1:])
        final = ShallowReLU(states.W[0], states.a[0])
        return planar_stationary_point(final, data, states.slides_on[0] >= 0, speed)

    log = SwitchLog(run.events, recording.sample_of_point, net.n_neurons, recording.mergers)
    return _trajectory(run, recording, data, goals["rtol"], log, kind, unavoidable)


def _general(
    net: ShallowReLU, data: Dataset, loss: Loss, offset: Floats | None, speed: Speed, goals: dict[str, Any]
) -> Trajectory:
    with announcing_compilation(goals["progress"], general_flow.is_compiled):
        run, recording = general_flow.general_flow(net, data, loss=loss, offset=offset, **goals)

    def kind() -> Verdict:
        states = recording.states(run.t[-1:])
        final = ShallowReLU(states.W[0], states.a[0], bias=data.bias)
        residual = general_flow.residual(final, data, loss, recording.offsets(run.t[-1:])[0])
        return general_stationary_point(final, data, states.slides_on[0] >= 0, residual, speed)

    log = SwitchLog(run.events, recording.first, net.n_neurons)
    return _trajectory(run, recording, data, goals["rtol"], log, kind, 0.0)


def _trajectory(
    run: Run,
    recording: Recording,
    data: Dataset,
    rtol: float,
    switch_log: SwitchLog,
    kind: Callable[[], Verdict],
    unavoidable: float,
) -> Trajectory:
    def rest() -> tuple[StationaryPoint | None, str]:
        if run.end != End.STATIONARY:
            return None, ""
        verdict = kind()
        return verdict.point, describe_rest(verdict, unavoidable)

    t, losses = run.t, run.loss + unavoidable
    return Trajectory(
        data=data,
        t=t,
        loss=losses,
        switch_log=switch_log,
        end=run.end.value,
        sentence=run.sentence.format(t=t[-1], loss=losses[-1], steps=t.size - 1),
        rtol=rtol,
        recording=recording,
        rest=rest,
    )


def _loss(loss: str | Loss) -> Loss:
    if isinstance(loss, Loss):
        return loss
    if not isinstance(loss, str):
        raise ValueError(f"loss must be a name or a Loss, but it is {loss!r}.")
    return named(loss.replace("_", "-"))


def _log_scale(log_scale: float, net: ShallowReLU) -> float:
    factor = real_number(log_scale, "log_scale", least=-LARGEST_LOG_SCALE, most=LARGEST_LOG_SCALE)
    largest = max(np.max(np.abs(net.W)), np.max(np.abs(net.a)))
    if largest > 0.0 and factor + math.log(largest) > math.log(LARGEST):
        raise ValueError(
            f"log_scale = {factor:g} takes the weights, of at most {largest:.3g}, beyond ±{LARGEST:g};"
            " choose a smaller one."
        )
    return factor


def _output_bias(output_bias: float | ArrayLike, data: Dataset) -> Floats:
    outputs = 1 if data.y.ndim == 1 else data.y.shape[1]
    offset = np.atleast_1d(real_array(output_bias, "output_bias", ndim=(0, 1)))
    if offset.size not in (1, outputs):
        raise ValueError(f"output_bias must be one number or {outputs}, one per output, but it has {offset.size}.")
    return np.broadcast_to(offset, outputs).copy()


def _save_times(save_at: ArrayLike | None, t_max: float) -> Floats:
    """Distinct times after the start, ascending."""
    if save_at is None:
        return np.empty(0)
    times = real_array(save_at, "save_at", ndim=(1,))
    outside = times[(times < 0) | (times > t_max)]
    if outside.size:
        raise ValueError(f"save_at must lie between 0 and t_max = {t_max:g}, but it holds {outside[0]:g}.")
    return np.unique(times[times > 0])
