"""Slow, obvious computations for any number of inputs and outputs, that the fast ones are held against.

The gradient flow of a one-hidden-layer ReLU network, as the Filippov (Clarke) solution: between located
switches the equations are smooth and SciPy's DOP853 solves them for every neuron by itself; at a switch
every combination of on, off and sliding is tried, and the consistent one is what comes next. The time loop
is that of the oracle for one input; nothing is shared with the package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, softmax

from tests.oracles import _BALANCED, _INTERPOLATION, _LOOK_AT, _Run

# Two inputs are parallel, and share a boundary, when their unit vectors agree to rounding.
_PARALLEL = 1e-14
# A combination of sides is consistent if every sign that it needs is right by this share of all pushes together;
# at a located switch the one true combination is right by far more, the false ones are wrong by far more.
_CLEAR = 1e-7
# Where in a step to look for a neuron that turns round soon after its switch.
_CLOSE = 0.5 ** np.arange(40, -1, -1)
# The slope of an event function is taken over this share of its bracket; two Newton steps then leave rounding.
_NEARBY = 1e-3
_NEWTON_STEPS = 2
_HUBER = 1.0

_OFF, _HELD, _ON = -1, 0, 1


# ---- losses: the mean over the samples of ℓ(f, y), and r = -∂L/∂f


def _squared(f, y):
    return 0.5 * np.sum((f - y) ** 2, axis=1), y - f


def _logistic(f, y):
    # Labels are -1 and 1.
    return np.logaddexp(0.0, -y * f).sum(axis=1), y * expit(-y * f)


def _cross_entropy(f, y):
    # Labels are rows of probabilities, one column for each class.
    return np.sum(y * (np.logaddexp.reduce(f, axis=1, keepdims=True) - f), axis=1), y - softmax(f, axis=1)


def _huber(f, y):
    size = np.abs(f - y)
    value = np.where(size <= _HUBER, 0.5 * size**2, _HUBER * (size - 0.5 * _HUBER))
    return value.sum(axis=1), np.clip(y - f, -_HUBER, _HUBER)


_LOSSES = {"squared": _squared, "logistic": _logistic, "cross_entropy": _cross_entropy, "huber": _huber}


def general_loss(W, a, X, y, bias=True, loss="squared") -> float:
    """Mean over the samples of the loss of the network's output."""
    inputs, labels = _inputs(X, bias), _columns(y)
    f = np.maximum(np.asarray(W) @ inputs.T, 0.0).T @ _columns(a)
    return float(np.mean(_LOSSES[loss](f, labels)[0]))


def _inputs(X, bias):
    X = _columns(X)
    return np.column_stack([X, np.ones(len(X))]) if bias else X


def _columns(values):
    values = np.asarray(values, dtype=float)
    return values[:, None] if values.ndim == 1 else values


# ---- which way a neuron moves that lies on several boundaries at once


class Motion(NamedTuple):
    """One Filippov velocity on an intersection of boundaries, and by how much its signs are right."""

    sides: tuple[int, ...]
    multipliers: np.ndarray
    velocity: np.ndarray
    margin: float


def motions(rest, normals, off, on) -> list[Motion]:
    """Try all 3^q combinations of off, held and on for a neuron on q boundaries at once.

    With ``v = rest + Σ_b (off_b + λ_b (on_b - off_b)) normal_b``, a boundary is on with λ = 1 if ``v·normal > 0``,
    off with λ = 0 if ``v·normal < 0``, and held with ``v·normal = 0`` and λ in (0, 1). Boundaries that push away to
    both sides (``on > off``) hold nobody: such a v exists, but no neuron follows it. Every combination is
    returned, whatever its margin: the least of what must be positive, relative to all pushes together.

    Parameters
    ----------
    rest : array_like, shape (p,)
        Velocity due to all other samples.
    normals : array_like, shape (q, p)
        Normals of the boundaries, independent.
    off, on : array_like, shape (q,)
        Multiple of the normal that is added to the velocity on either side.
    """
    rest, normals, off, on = (np.asarray(value, dtype=float) for value in (rest, normals, off, on))
    lengths = np.linalg.norm(normals, axis=1)
    total = np.linalg.norm(rest) + np.sum((np.abs(off) + np.abs(on)) * lengths)
    found = []
    for sides in product((_OFF, _HELD, _ON), repeat=len(normals)):
        held = np.array(sides) == _HELD
        if np.any(on[held] >= off[held]):
            continue
        push = np.where(np.array(sides) == _ON, on, off)
        push[held] = 0.0
        velocity = rest + push @ normals
        if held.any():
            gram = normals[held] @ normals[held].T
            push[held] = np.linalg.solve(gram, -normals[held] @ velocity)
            velocity = velocity + push[held] @ normals[held]
        room = np.minimum(off - push, push - on) * lengths
        leaving = np.array(sides) * (normals @ velocity) / lengths
        margin = np.min(np.where(held, room, leaving)) / max(total, 1e-300)
        with np.errstate(invalid="ignore", divide="ignore"):
            multipliers = np.where(held, (push - off) / (on - off), np.array(sides) == _ON)
        found.append(Motion(sides, multipliers, velocity, float(margin)))
    return found


def chosen(possible: list[Motion]) -> tuple[Motion, bool]:
    """Return the motion that is followed, and whether it was the only one.

    Several are consistent only where a boundary pushes away to both sides; then as few samples as possible
    are on, as ``relu'(0) = 0`` has it.
    """
    clear = [motion for motion in possible if motion.margin > _CLEAR]
    if not clear:
        return max(possible, key=lambda motion: motion.margin), True
    return min(clear, key=lambda motion: (motion.sides.count(_ON), -motion.margin)), len(clear) == 1


# ---- the flow


@dataclass
class GeneralOracleFlow:
    """What `general_flow_oracle` found: the last state, the switches, and states at the times asked for.

    ``held`` says for every kept time, neuron and sample whether the neuron slides on the sample. ``valleys`` are
    the choices among several solutions, with the number of samples held just before.
    """

    W: np.ndarray
    a: np.ndarray
    switches: list[tuple[float, int, int, str]]
    times: np.ndarray
    states_W: np.ndarray
    states_a: np.ndarray
    held: np.ndarray
    at_rest: list[tuple[float, int]] = field(default_factory=list)
    valleys: list[tuple[float, int, int]] = field(default_factory=list)
    most_held: int = 0
    n_steps: int = 0

    def count(self, kind: str) -> int:
        """Return how many switches of one kind there were."""
        return sum(1 for *_, k in self.switches if k == kind)


def general_flow_oracle(W, a, X, y, t_end, *, bias=True, loss="squared", rtol=1e-11, times=()) -> GeneralOracleFlow:
    """Gradient flow of ``f(x) = Σ a_j relu(w_j · (x, 1))`` on a mean loss, as the Filippov solution.

    Where the Filippov solution is not unique, three rules choose one: of several motions the one with the fewest
    active samples is followed, as ``relu'(0) = 0`` has it; a neuron that no sample moves once it has crossed is
    absorbed; and ``w = 0`` is at rest. Inputs are in general position, except that they may be parallel or antipodal:
    such samples share a boundary, named by the first of them.

    Parameters
    ----------
    W, a : array_like, shapes (n_neurons, p) and (n_neurons,) or (n_neurons, n_outputs)
        Start; p is the number of features, plus one with a bias.
    X, y : array_like, shapes (n_samples, n_features) and (n_samples,) or (n_samples, n_outputs)
        Data. Labels are ±1 for the logistic loss, rows of probabilities for the cross-entropy.
    t_end : float
        Length of the run.
    bias : bool
        Whether a 1 is appended to every input.
    loss : {"squared", "logistic", "cross_entropy", "huber"}
        ``½|f - y|²``, ``log(1 + e^{-yf})``, ``-Σ y log softmax f``, Huber's with threshold 1.
    rtol : float
        Local error of each neuron relative to that neuron's own present norm.
    times : sequence of float
        Increasing times in [0, t_end] at which states are kept.
    """
    run = _GeneralRun(W, a, _inputs(X, bias), _columns(y), loss, rtol)
    found = run.go(float(t_end), np.asarray(times, dtype=float))
    if np.ndim(a) == 1:
        found.a, found.states_a = found.a[:, 0], found.states_a[..., 0]
    return found


def release_margins(W, a, X, y, held, *, bias=True, loss="squared") -> np.ndarray:
    """How far each sample is from letting go of each neuron that it holds: a push, as a share of all the data's pushes.

    Those are the pushes of all samples on an output weight of one while the network is zero: errors of weights do not
    get smaller when residuals do.
    ``held`` lists for every neuron the samples that hold it. Shape (n_neurons, n_samples), infinite for all others.
    """
    labels = _columns(y)
    run = _GeneralRun(W, a, _inputs(X, bias), labels, loss, rtol=1e-11)
    run.start()
    for j, samples in enumerate(held):
        side = run.side[j].copy()
        side[[run.sample.index(k) for k in samples]] = _HELD
        run.settle(run.state, j, side)
    n_boundaries, margins = len(run.normals), np.full((run.n, len(run.inputs)), np.inf)
    to_off, to_on = np.split(run.events(run.state)[:, n_boundaries : 3 * n_boundaries], 2, axis=1)
    now, then = (run.pull_size @ np.linalg.norm(r, axis=1) for r in (run.split(run.state)[-1], run.slope(0.0 * labels)))
    margins[:, run.sample] = np.minimum(to_off, to_on) * (now / then)
    return margins


class _GeneralRun(_Run):
    """One run: the boundaries, the side of every neuron on each, and the record.

    A boundary is a hyperplane of weights, with the samples that are active on its `on` side and, if some inputs
    are antipodal, samples that are active on its `off` side.
    """

    def __init__(self, W, a, inputs, labels, loss, rtol):
        self.inputs, self.labels, self.rtol = inputs, labels, rtol
        self.slope = lambda f: _LOSSES[loss](f, labels)[1] / len(labels)
        self.find_boundaries()
        W, a = np.array(W, dtype=float), _columns(a)
        self.n, self.p, self.o = len(W), W.shape[1], a.shape[1]
        self.state = np.column_stack([W, a]).ravel()
        w, a = np.linalg.norm(W, axis=1), np.linalg.norm(a, axis=1)
        self.balanced = np.abs(w - a) <= _BALANCED * w
        self.side = np.full((self.n, len(self.normals)), _OFF)
        # What of a velocity a neuron follows: all, none at rest, and while sliding what leaves the boundary in place.
        self.free = np.tile(np.eye(self.p), (self.n, 1, 1))
        self.output_sign = np.zeros(self.n)
        self.weight_sign = np.zeros((self.n, self.p))
        self.muted, self.switches, self.at_rest, self.valleys = set(), [], [], []
        self.n_steps = self.most_held = 0

    def find_boundaries(self):
        lengths = np.linalg.norm(self.inputs, axis=1)
        self.sample: list[int] = []
        members: list[list[int]] = []
        for k in np.flatnonzero(lengths):
            for b, first in enumerate(self.sample):
                cosine = self.inputs[k] @ self.inputs[first] / (lengths[k] * lengths[first])
                if abs(cosine) >= 1 - _PARALLEL:
                    members[b].append(k)
                    break
            else:
                self.sample.append(int(k))
                members.append([k])
        self.normals = self.inputs[self.sample]
        self.length = np.linalg.norm(self.normals, axis=1)
        # Each sample is a multiple of its boundary's normal; the sign says on which side it is active.
        self.shares = {_ON: np.zeros((len(members), len(lengths))), _OFF: np.zeros((len(members), len(lengths)))}
        for b, group in enumerate(members):
            for k in group:
                share = self.inputs[k] @ self.normals[b] / self.length[b] ** 2
                self.shares[_ON if share > 0 else _OFF][b, k] = share
        self.pull_size = lengths

    def rows(self, state):
        return state.reshape(self.n, self.p + self.o)

    def neurons(self, state):
        """Return rows (w, a), free of rounding that would count once a neuron shrinks by 1e8 and more."""
        z = self.rows(state).copy()
        for j in np.flatnonzero((self.side == _HELD).any(axis=1)):
            z[j, : self.p] = self.free[j] @ z[j, : self.p]
        w, a = (np.linalg.norm(part, axis=1) for part in np.split(z, [self.p], axis=1))
        fit = self.balanced & (a > 0)
        z[fit, self.p :] *= (w[fit] / a[fit])[:, None]
        return z

    # ---- the smooth equations between switches

    def split(self, state):
        z = self.neurons(state)
        w, a = z[:, : self.p], z[:, self.p :]
        field_ = w @ self.normals.T
        outputs = np.where(self.side == _ON, field_, 0.0) @ self.shares[_ON]
        outputs += np.where(self.side == _OFF, field_, 0.0) @ self.shares[_OFF]
        return w, a, field_, outputs, self.slope(outputs.T @ a)

    def pushes(self, residual, a):
        """Multiple of each boundary's normal that output weights ``a`` add to a velocity, on either side."""
        pull = a @ residual.T
        return pull @ self.shares[_OFF].T, pull @ self.shares[_ON].T

    def drive(self, side, off, on):
        """Velocity due to all boundaries that do not hold the neuron."""
        return np.where(side == _ON, on, np.where(side == _OFF, off, 0.0)) @ self.normals

    def velocity(self, _time, state):
        _, a, _, outputs, residual = self.split(state)
        v = self.drive(self.side, *self.pushes(residual, a))
        return np.column_stack([np.einsum("jpq,jq->jp", self.free, v), outputs @ residual]).ravel()

    def tolerance(self, state):
        sizes = np.max(np.abs(self.neurons(state)), axis=1)
        return self.rtol * np.repeat(np.maximum(sizes, 1e-300), self.p + self.o)

    def moved(self, side):
        """Whether any sample is active."""
        return np.any(side == _ON, axis=-1) | np.any((side == _OFF) & self.shares[_OFF].any(axis=1), axis=-1)

    # ---- when something happens: each event function is positive until it does

    def events(self, state):
        w, a, field_, _, residual = self.split(state)
        n_boundaries = len(self.normals)
        values = np.full((self.n, 3 * n_boundaries + 2), np.inf)
        alive = self.moved(self.side) & self.free.any(axis=(1, 2))
        norms, heights = np.linalg.norm(w, axis=1), np.linalg.norm(a, axis=1)
        on_ray = np.trace(self.free, axis1=1, axis2=2) < 1.5
        with np.errstate(invalid="ignore", divide="ignore"):
            signed = self.side * field_ / (norms[:, None] * self.length)
        values[:, :n_boundaries] = np.where(
            (alive & ~on_ray)[:, None] & (self.side != _HELD) & (norms > 0)[:, None], signed, np.inf
        )
        size = max(np.sum(np.linalg.norm(residual, axis=1) * self.pull_size), 1e-300)
        for j in np.flatnonzero(alive & (self.side == _HELD).any(axis=1)):
            held = np.flatnonzero(self.side[j] == _HELD)
            sign = self.output_sign[j : j + 1] if self.o == 1 else a[j] / heights[j]
            off, on = self.pushes(residual, sign)
            normals = self.normals[held]
            push = np.linalg.solve(normals @ normals.T, -normals @ self.drive(self.side[j], off, on))
            # λ, from 0 (push = off) to 1 (push = on), must stay between; written without the division.
            values[j, n_boundaries + held] = (off[held] - push) * self.length[held] / size
            values[j, 2 * n_boundaries + held] = (push - on[held]) * self.length[held] / size
            if self.o == 1:
                values[j, -2] = self.output_sign[j] * a[j, 0] / (heights[j] + norms[j])
        for j in np.flatnonzero(alive & on_ray):
            values[j, -1] = self.weight_sign[j] @ w[j] / (heights[j] + norms[j])
        return values

    def first_event(self, solver):
        """Return the first event of the step just taken, or None; leaving a boundary is not meeting it."""
        event = super().first_event(solver)
        if event is None or event[0] > solver.t_old + _LOOK_AT[1] * (solver.t - solver.t_old):
            return event
        # A neuron that has just left a boundary may turn round at once, long before the next point looked at.
        back = self.return_time(solver, *event[1:])
        if back is None:
            return event
        self.muted.add(event[1:])
        others = self.first_event(solver)
        self.muted.remove(event[1:])
        return min((back, *event[1:]), others or (np.inf,))

    def return_time(self, solver, j, column):
        """When an event function that starts within rounding of zero has risen and come back; None if it falls."""
        dense = solver.dense_output()
        start = self.events(dense(solver.t_old))[j, column]
        times = solver.t_old + (solver.t - solver.t_old) * _CLOSE

        def rise(t):
            return self.events(dense(t))[j, column] - start

        above = np.flatnonzero([rise(t) > 0 for t in times])
        if abs(start) > _INTERPOLATION or above.size == 0 or above[-1] == len(times) - 1:
            return None
        return brentq(rise, times[above[-1]], times[above[-1] + 1], xtol=4e-16 * solver.t, rtol=1e-15)

    def root(self, dense, bracket, j, column):
        """Improve the root on the step's interpolant by Newton's method on states integrated anew to it."""
        time, nearby = super().root(dense, bracket, j, column), _NEARBY * (bracket[1] - bracket[0])
        before, after = (self.events(dense(t))[j, column] for t in (time - nearby, time + nearby))
        for _ in range(_NEWTON_STEPS if before > after else 0):
            value = self.events(self.stepped(dense.t_old, dense.y_old, time))[j, column]
            time = np.clip(time - value * 2 * nearby / (after - before), *bracket)
        return float(time)

    # ---- what happens then

    def handle(self, time, state, j, column):
        """Apply one event; return whether it changed the pattern."""
        n_boundaries = len(self.normals)
        kind, b = divmod(column, n_boundaries)
        held = list(np.flatnonzero(self.side[j] == _HELD))
        if column == 3 * n_boundaries + 1:
            return self.rest(time, state, j)
        if column == 3 * n_boundaries:
            # a passes zero: all pushes on the neuron, and with them what its boundaries do, turn round.
            side = self.decide(time, state, j, held, -self.output_sign[j : j + 1])
        elif kind == 0:
            side = self.decide(time, state, j, [*held, b])
        else:
            side = self.side[j].copy()
            side[b] = _OFF if kind == 1 else _ON
        return self.turn(time, state, j, side)

    def decide(self, time, state, j, on_boundaries, sign=None):
        """Return the sides of a neuron after it has met one or several boundaries."""
        side = self.side[j].copy()
        side[on_boundaries] = _OFF
        if not self.moved(side):
            return side
        _, a, _, _, residual = self.split(state)
        off, on = self.pushes(residual, a[j] if sign is None else sign)
        side[on_boundaries] = _HELD
        rest = self.drive(side, off, on)
        possible = motions(rest, self.normals[on_boundaries], off[on_boundaries], on[on_boundaries])
        best, unique = chosen(possible)
        if not unique:
            self.valleys.append((float(time), int(j), int(np.sum(self.side[j] == _HELD))))
        side[on_boundaries] = best.sides
        return side

    def turn(self, time, state, j, side):
        changed = np.flatnonzero(side != self.side[j])
        if changed.size == 0:
            return False
        names = {_ON: "on", _OFF: "off", _HELD: "slide"}
        for b in changed:
            self.record(time, j, b, "release" if self.side[j, b] == _HELD else names[side[b]])
        self.settle(state, j, side)
        return True

    def settle(self, state, j, side):
        """Put a neuron on these sides: what it slid on until now is exact before it is let go."""
        state[:] = self.neurons(state).ravel()
        self.side[j] = side
        held = self.normals[side == _HELD]
        # The Filippov velocity Σ_A + Σ λ is the drive of the others without its part across the boundaries held.
        across = np.linalg.qr(held.T)[0] if len(held) else np.zeros((self.p, 0))
        self.free[j] = np.eye(self.p) - across @ across.T
        self.most_held = max(self.most_held, len(held))
        z = self.rows(state)[j]
        if len(held):
            z[: self.p] = self.free[j] @ z[: self.p]
            self.output_sign[j] = np.sign(z[self.p])
        if self.p - len(held) == 1:
            self.weight_sign[j] = z[: self.p] / np.linalg.norm(z[: self.p])

    def rest(self, time, state, j):
        for b in np.flatnonzero(self.side[j] == _HELD):
            self.record(time, j, b, "release")
        state[:] = self.neurons(state).ravel()
        self.rows(state)[j, : self.p] = 0.0
        self.lay_down(j)
        self.at_rest.append((float(time), int(j)))
        return True

    def lay_down(self, j):
        self.side[j], self.free[j] = _OFF, 0.0

    def start(self):
        """Set every side from the signs of w·x̃; decide for neurons that start on boundaries."""
        w = self.rows(self.state)[:, : self.p]
        field_ = w @ self.normals.T
        self.side = np.where(field_ > 0, _ON, _OFF)
        for j in range(self.n):
            if not w[j].any():
                self.lay_down(j)
                continue
            side, touched = self.side[j], list(np.flatnonzero(field_[j] == 0))
            self.settle(self.state, j, self.decide(0.0, self.state, j, touched) if touched else side)

    # ---- the loop

    def go(self, t_end, times):
        self.start()
        kept = []
        stops = np.unique(np.concatenate([[0.0], times, [t_end]]))
        for begin, end in pairwise([0.0, *stops]):
            self.advance(begin, end)
            if end in times:
                kept.append((self.neurons(self.state), self.held_samples()))
        z = self.neurons(self.state)
        states = np.array([s for s, _ in kept]).reshape(-1, self.n, self.p + self.o)
        held = np.array([h for _, h in kept]).reshape(-1, self.n, len(self.inputs))
        return GeneralOracleFlow(
            z[:, : self.p].copy(), z[:, self.p :].copy(), self.switches, times, states[..., : self.p],
            states[..., self.p :], held, self.at_rest, self.valleys, self.most_held, self.n_steps,
        )  # fmt: skip

    def held_samples(self):
        held = np.zeros((self.n, len(self.inputs)), dtype=bool)
        held[:, self.sample] = self.side == _HELD
        return held
