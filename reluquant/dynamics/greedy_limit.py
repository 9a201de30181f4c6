"""The limit of a vanishing initialisation: which neurons wake, one group after another, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from reluquant.analysis.extremal_directions import ExtremalDirection, extremal_directions
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.dynamics.progress import Progress
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import End, Trajectory

# The limit is read off flows that start at e^-S and e^-2S: their times in units of S and 2S differ from the limit by
# C/S and C/2S, and so by C²/S² after Richardson's extrapolation. A flow at that scale takes no more steps than at 1e-8.
DEPTH = 500_000.0
# A neuron is awake when its log-norm is above this share of -S: a dormant one is smaller than that unless it wakes
# within this much τ, which then counts as a tie.
RESOLUTION = 1e-3
# On a plateau the loss falls by no more than this share of what it was at the start.
LEVEL = 1e-6
# Neurons of one group have the same direction up to what is left of their turn on a plateau.
SAME_DIRECTION = 1e-6
# Kinds of extremal directions that neurons come to.
ATTRACTING = ("attractor", "semistable")
# Reseeded: norm of a new neuron, whose square is what it changes before it grows; rates that differ by a smaller share
# are tied; slower growth than this share of the first is what a flow that has come to rest leaves.
SEED, TIE, GROWS = 1e-9, 1e-9, 1e-6
# Reseeded: every step lowers the loss, and takes one of finitely many values of it.
MOST_STEPS = 1000
HORIZON = "The horizon τ = {:g} was reached; there may be more to come."


@dataclass(frozen=True, slots=True, eq=False)
class GreedyStep:
    """Neurons wake, and the loss falls from one plateau to the next.

    Attributes
    ----------
    tau : float
        When, in units of ``ln(1/scale)``.
    directions : ndarray, shape (n_groups, n_features + 1)
        Unit directions of the groups that woke, at the plateau that follows.
    signs : ndarray of int, shape (n_groups,)
        Signs of their output weights.
    groups : tuple of ndarray of int
        The neurons of each group.
    loss_before, loss_after : float
        The losses of the two plateaus.
    tied : bool
        Whether more than one group woke at once: their order, and sometimes the outcome, then depends on factors of
        order one in the norms, which the limit forgets.
    """

    tau: float
    directions: Floats
    signs: np.ndarray
    groups: tuple[np.ndarray, ...]
    loss_before: float
    loss_after: float
    tied: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GreedyLimit:
    """The result of :func:`reluquant.greedy_limit`.

    Attributes
    ----------
    data : Dataset
        What is learnt.
    mode : {"tracked", "reseeded"}
        See :func:`reluquant.greedy_limit`.
    steps : tuple of GreedyStep
        In order.
    networks : tuple of ShallowReLU, length n_steps + 1
        That of each plateau: one neuron for each group of equal directions and signs, dormant ones left out.
    loss : float
        That of the last one.
    end : {"zero loss", "spurious", "dead", "horizon", "unfinished"}
        The kind of the last plateau (see :class:`reluquant.structures.stationary_point.StationaryPoint`); or the
        horizon was reached; or a flow did not come to rest, and ``message`` says why.
    message : str
        The same in a sentence.
    missing : ndarray, shape (n_missing, n_features + 1)
        Directions in which a neuron would grow, were there any: what a spurious end lacks.
    """

    data: Dataset
    mode: str
    steps: tuple[GreedyStep, ...]
    networks: tuple[ShallowReLU, ...]
    loss: float
    end: str
    message: str
    missing: Floats

    @property
    def final(self) -> ShallowReLU:
        """The network that is left."""
        return self.networks[-1]

    @property
    def taus(self) -> Floats:
        """Times of the steps in units of ``ln(1/scale)``, shape (n_steps,)."""
        return np.array([step.tau for step in self.steps])

    @property
    def losses(self) -> Floats:
        """Losses of the plateaus, from that of the zero function to the last, shape (n_steps + 1,)."""
        first = 0.5 * float(np.sum(self.data.y**2)) / self.data.n_samples
        return np.array([first, *(step.loss_after for step in self.steps)])

    def __repr__(self) -> str:
        return f"GreedyLimit(steps={len(self.steps)}, loss={self.loss:.6g}, end={self.end!r})"


class _Plateau(NamedTuple):
    """A stretch of a flow on which nothing is seen to happen: until when, in τ, and the network at its end."""

    tau: float
    loss: float
    awake: np.ndarray
    W: Floats
    a: Floats


def greedy_limit(
    data: Dataset,
    net: ShallowReLU | None = None,
    *,
    mode: str = "tracked",
    horizon: float | None = None,
    max_steps: int = 1_000_000,
    progress: Progress = True,
) -> GreedyLimit:
    r"""Follow the gradient flow of a vanishing initialisation, in the time ``τ = t / ln(1/scale)``.

    Tiny neurons turn to extremal directions in no τ and grow, invisibly, by powers of the scale. One group after
    another becomes visible; then the loss falls in no τ to the next plateau, where all begins anew for those that
    still sleep. It ends when no neuron can grow any more, above zero loss if the direction that would help is empty.

    Parameters
    ----------
    data : Dataset
        Any number of features and outputs.
    net : ShallowReLU, optional
        Directions and output weights of the neurons; their common scale goes to zero. Without it there is a neuron in
        every basin: at each extremal direction of either sign that attracts, from one side at least.
    mode : {"tracked", "reseeded"}, default "tracked"
        What sleeps on a plateau. "tracked": the neurons that are left, each in the basin it has been carried to, which
        is what gradient flow does. "reseeded": one neuron at every extremal direction, new at every plateau, and the
        fastest wakes: the greedy construction of the papers, which never lacks a direction.
    horizon : float, optional
        Largest τ. Without it the process is followed to its end.
    max_steps : int, default 1_000_000
        Bound on the steps of each flow.
    progress : bool or callable, default True
        As for :func:`reluquant.gradient_flow`.

    Returns
    -------
    GreedyLimit
        ``.steps`` with ``.tau``, ``.directions``, ``.signs``, ``.groups``, ``.loss_before``, ``.loss_after``,
        ``.tied``; ``.networks`` of the plateaus; ``.final``; ``.end``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Notes
    -----
    Tracked limits are read off two flows that start at e^-500000 and e^-1000000: a plateau costs the integrator a few
    steps however long it is, and Richardson's extrapolation of its end leaves an error of the order of 1e-11. Losses
    are those of the second flow half-way through a plateau, to its relative tolerance of 1e-9. Neurons that wake
    within 1e-3 of each other in τ count as tied. Losses of separable classification have no plateau at a finite
    point, so only the squared loss is offered.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 4 (Theorem 2). Boursier & Flammarion (2024),
    arXiv:2401.10791 (ends above zero loss).

    Examples
    --------
    >>> import reluquant as rq
    >>> limit = rq.greedy_limit(rq.datasets.absolute(5), progress=False)
    >>> limit.end, limit.taus.round(6), limit.losses.round(6)
    ('spurious', array([1.666667]), array([0.25, 0.07]))
    """
    if mode not in _MODES:
        raise ValueError(f'mode must be "tracked" or "reseeded", but it is {mode!r}.')
    limit = None if horizon is None else real_number(horizon, "horizon", above=0)
    if mode == "reseeded" and net is not None:
        raise ValueError('net is for mode="tracked"; mode="reseeded" finds its own neurons.')
    return _MODES[mode](data, net, limit, max_steps, progress)


# ---------------------------------------------------------------------------------------------------- tracked


def _tracked(
    data: Dataset, net: ShallowReLU | None, horizon: float | None, max_steps: int, progress: Progress
) -> GreedyLimit:
    start = populated(data) if net is None else _of_unit_scale(net)
    steps: list[tuple[GreedyStep, ...]] = []
    for depth in (DEPTH, 2.0 * DEPTH):
        traj = gradient_flow(
            start,
            data,
            log_scale=-depth,
            t_max=None if horizon is None else horizon * depth,
            max_steps=max_steps,
            progress=progress,
        )
        plateaus = _plateaus(traj, depth)
        steps.append(tuple(_step(*pair) for pair in pairwise(plateaus)))
    end, message, missing = _end(traj, horizon)
    return GreedyLimit(
        data=data,
        mode="tracked",
        steps=_extrapolated(*steps),
        networks=tuple(_merged(p.W, p.a, np.flatnonzero(p.awake), data.bias) for p in plateaus),
        loss=plateaus[-1].loss,
        end=end,
        message=message,
        missing=missing,
    )


def populated(data: Dataset) -> ShallowReLU:
    """Return a network with one balanced neuron of norm one in every basin of the first plateau."""
    return _seeds([d for d in extremal_directions(data) if d.kind in ATTRACTING], data)


def _seeds(found: Sequence[ExtremalDirection], data: Dataset) -> ShallowReLU:
    """A balanced neuron, of norm about one, in each direction."""
    W = np.array([_at(direction, data) for direction in found]).reshape(len(found), data.inputs.shape[1])
    outputs = np.array([direction.output for direction in found]).reshape(len(found), data.y[0].size)
    # To the last bit, as balanced networks are.
    a = outputs * np.linalg.norm(W, axis=1)[:, None]
    return ShallowReLU(W, a if data.y.ndim == 2 else a.reshape(-1), bias=data.bias)


def _at(direction: ExtremalDirection, data: Dataset) -> Floats:
    """A vector that turns to this direction: exactly on its boundary, or where only one side attracts on that side."""
    if not (direction.samples and direction.basin):
        return direction.direction
    way, x = np.sign(direction.direction[0]), float(data.X[direction.samples[0], 0])
    on_boundary = np.array([way, -way * x])
    if direction.kind == "attractor":
        return on_boundary
    # With multiplier 0 the inactive side attracts, with 1 the active one. Half-way to the next boundary is inside it.
    apart = np.abs(np.arctan(data.X[:, 0]) - np.arctan(x))
    apart = np.minimum(apart, np.pi - apart)
    step = np.tan(0.5 * np.min(apart[apart > 0], initial=0.5 * np.pi))
    side = 1.0 if direction.multipliers[0] > 0.5 else -1.0
    return on_boundary + side * step * np.array([x, 1.0])


def _of_unit_scale(net: ShallowReLU) -> ShallowReLU:
    """The network with norms of geometric mean one, so that their common factor does not count as a part of τ."""
    norms = net.norms[net.norms > 0]
    factor = np.exp(-np.mean(np.log(norms))) if norms.size else 1.0
    return ShallowReLU(factor * net.W, factor * net.a, bias=net.bias)


def _plateaus(traj: Trajectory, depth: float) -> list[_Plateau]:
    """The plateaus of a flow that started at e^-depth; the last one is where it ended."""
    last = traj.t.size - 1
    spans = [(i, k) for i, k in _level(traj.loss) if traj.t[k] - traj.t[i] > RESOLUTION * depth and k < last]
    spans.append((last, last))
    awake = traj.states(traj.t[[i for i, _ in spans]]).log_norm > -RESOLUTION * depth
    after = traj.states(traj.t[[k for _, k in spans]])
    found: list[_Plateau] = []
    for n, (i, k) in enumerate(spans):
        # Half-way the loss is that of the plateau: its tail is over, and nobody stirs yet.
        half = i + int(np.searchsorted(traj.t[i : k + 1], 0.5 * (traj.t[i] + traj.t[k])))
        plateau = _Plateau(traj.t[k] / depth, traj.loss[half], awake[n], after.W[n], after.a[n])
        # A slow tail looks like plateaus too; it is one with the plateau that it leads to.
        if found and np.array_equal(found[-1].awake, plateau.awake):
            found.pop()
        found.append(plateau)
    return found


def _level(loss: Floats) -> list[tuple[int, int]]:
    """Stretches (first, last) over which the loss falls by no more than LEVEL of what it was at the start."""
    firsts = [0]
    # The loss never rises but by rounding, so the end of each stretch is found by bisection.
    while firsts[-1] < loss.size:
        end = np.searchsorted(-loss, -(loss[firsts[-1]] - LEVEL * loss[0]), side="right")
        firsts.append(max(int(end), firsts[-1] + 1))
    return [(i, k - 1) for i, k in pairwise(firsts)]


def _step(before: _Plateau, after: _Plateau) -> GreedyStep:
    woken = np.flatnonzero(after.awake & ~before.awake)
    groups = tuple(woken[group] for group in _groups(after.W[woken], after.a[woken]))
    first = [group[0] for group in groups]
    directions = after.W[first] / np.linalg.norm(after.W[first], axis=1)[:, None]
    signs = np.sign(_as_rows(after.a)[first, 0]).astype(np.int64)
    return GreedyStep(before.tau, frozen(directions), signs, groups, before.loss, after.loss, len(groups) > 1)


def _extrapolated(coarse: tuple[GreedyStep, ...], fine: tuple[GreedyStep, ...]) -> tuple[GreedyStep, ...]:
    """The fine steps with the times of the limit, where both flows took the same."""
    if len(coarse) != len(fine):
        return fine
    return tuple(replace(step, tau=2.0 * step.tau - other.tau) for step, other in zip(fine, coarse, strict=True))


def _end(traj: Trajectory, horizon: float | None) -> tuple[str, str, Floats]:
    none = frozen(np.empty((0, traj.data.inputs.shape[1])))
    if traj.end == End.T_MAX:
        return "horizon", HORIZON.format(horizon), none
    if traj.end != End.STATIONARY:
        return "unfinished", traj.message, none
    return traj.stationary_point.kind, traj.message, traj.stationary_point.missing


# --------------------------------------------------------------------------------------------------- reseeded


def _reseeded(
    data: Dataset, _: ShallowReLU | None, horizon: float | None, max_steps: int, progress: Progress
) -> GreedyLimit:
    final = ShallowReLU(np.empty((0, data.inputs.shape[1])), np.empty((0, *data.y.shape[1:])), bias=data.bias)
    loss, tau, steps = 0.5 * float(np.sum(data.y**2)) / data.n_samples, 0.0, []
    networks = [final]
    end, message = "unfinished", f"There was no end after {MOST_STEPS} steps."
    ready = _growing(final, data, 0.0)
    slowest = GROWS * max((d.rate for d in ready), default=0.0)
    for _turn in range(MOST_STEPS):
        if not ready:
            end, message = "zero loss", "No neuron could grow in any direction: no function of the inputs fits better."
            break
        fastest = max(d.rate for d in ready)
        if horizon is not None and tau + 1.0 / fastest > horizon:
            end, message = "horizon", HORIZON.format(horizon)
            break
        tau += 1.0 / fastest
        woken = [d for d in ready if d.rate > (1.0 - TIE) * fastest]
        traj = gradient_flow(_joined(final, woken, data), data, max_steps=max_steps, progress=progress)
        if traj.end != End.STATIONARY:
            message = traj.message
            break
        if not traj.loss[-1] < loss:
            message = "The fastest direction did not lower the loss: these data are degenerate."
            break
        state, before, loss = traj.final, loss, float(traj.loss[-1])
        final = _merged(state.W, state.a, np.arange(state.n_neurons), data.bias)
        networks.append(final)
        steps.append(
            GreedyStep(
                tau, _directions(woken, data), _signs(woken), (_NO_ONE,) * len(woken), before, loss, len(woken) > 1
            )
        )
        ready = _growing(final, data, slowest)
    return GreedyLimit(data, "reseeded", tuple(steps), tuple(networks), loss, end, message, _directions(ready, data))


def _growing(net: ShallowReLU, data: Dataset, slowest: float) -> list[ExtremalDirection]:
    """The directions in which a tiny neuron would grow beside this network."""
    residual = (data.y - net(data.X)) / data.n_samples
    return [d for d in extremal_directions(data, residual=residual) if d.kind in ATTRACTING and d.rate > slowest]


def _joined(net: ShallowReLU, woken: list[ExtremalDirection], data: Dataset) -> ShallowReLU:
    """The network and a tiny balanced neuron for each direction."""
    seeds = _seeds(woken, data)
    return ShallowReLU(np.concatenate([net.W, SEED * seeds.W]), np.concatenate([net.a, SEED * seeds.a]), bias=net.bias)


def _directions(found: list[ExtremalDirection], data: Dataset) -> Floats:
    return frozen(np.array([d.direction for d in found]).reshape(-1, data.inputs.shape[1]))


def _signs(found: list[ExtremalDirection]) -> np.ndarray:
    return np.array([d.sign for d in found], dtype=np.int64)


# -------------------------------------------------------------------------------------------- groups of neurons


def _groups(W: Floats, a: Floats) -> list[np.ndarray]:
    """Neurons of nonzero weights, by direction of w and of a, the largest first of the groups and in them."""
    outputs = _as_rows(a)
    norms, sizes = np.linalg.norm(W, axis=1), np.linalg.norm(outputs, axis=1)
    left = np.flatnonzero((norms > 0) & (sizes > 0))
    left = left[np.argsort(-norms[left], kind="stable")]
    units = np.concatenate([W, outputs], axis=1)
    units[left] = np.concatenate([W[left] / norms[left, None], outputs[left] / sizes[left, None]], axis=1)
    groups = []
    while left.size:
        near = np.linalg.norm(units[left] - units[left[0]], axis=1) <= SAME_DIRECTION
        groups.append(left[near])
        left = left[~near]
    return groups


def _merged(W: Floats, a: Floats, members: np.ndarray, bias: bool) -> ShallowReLU:
    """The network with one balanced neuron for each group of the members."""
    units, outputs, roots = [], [], []
    for group in (members[group] for group in _groups(W[members], a[members])):
        w, out = W[group], _as_rows(a)[group]
        pull = np.sum(w * np.linalg.norm(out, axis=1)[:, None], axis=0)
        mass = np.linalg.norm(pull)
        if mass == 0:
            # Awake on the scale of the limit, and yet too small for float64.
            continue
        units.append(pull / mass)
        outputs.append(out[0] / np.linalg.norm(out[0]))
        roots.append(np.sqrt(mass))
    if not roots:
        return ShallowReLU(np.empty((0, W.shape[1])), np.empty((0, *a.shape[1:])), bias=bias)
    sizes = np.array(roots)[:, None]
    return ShallowReLU(sizes * units, (sizes * outputs).reshape(-1, *a.shape[1:]), bias=bias)


def _as_rows(a: Floats) -> Floats:
    return a if a.ndim == 2 else a[:, None]


_NO_ONE = np.array([], dtype=np.int64)
_MODES = {"tracked": _tracked, "reseeded": _reseeded}
