"""Slow, obvious computations that the fast ones are held against.

The gradient flow of a one-hidden-layer ReLU network in one input dimension, as the Filippov
(Clarke) solution: between located switches the equations are smooth and SciPy's DOP853 solves
them for every neuron by itself; at a switch the one-sided velocities decide what comes next.
Nothing here is shared with the package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from scipy.integrate import DOP853
from scipy.optimize import brentq

# SciPy's smallest relative tolerance; the accuracy is asked for through a per-neuron atol instead.
_SCIPY_RTOL = 3e-14
# A signed, normalised event function at a step's end must be below minus this to count: rounding
# of w·x̃ is about 1e-16, and a neuron that has just left a boundary starts within rounding of it.
_ROUNDING = 1e-13
# Inside a step only the 7th-order interpolant is known; its own error must not fire events.
_INTERPOLATION = 1e-9
# |w| computed from a drawn direction is right to a few units in the last place.
_BALANCED = 2e-15
# Where inside a step an event function is sampled, so that a double crossing is not stepped over.
_LOOK_AT = np.linspace(0.0, 1.0, 9)
_MAX_STEPS = 100_000
_MAX_SWITCHES = 5_000

# Extra event columns of a slider, after the one column per sample.
_Q, _P, _OUTPUT, _WEIGHT = range(4)


@dataclass
class OracleFlow:
    """What `flow_oracle` found: the last state, the switches, and states at the times asked for."""

    W: np.ndarray
    a: np.ndarray
    switches: list[tuple[float, int, int, str]]
    times: np.ndarray
    states_W: np.ndarray
    states_a: np.ndarray
    slides_on: np.ndarray
    at_rest: list[tuple[float, int]] = field(default_factory=list)
    valleys: list[tuple[float, int, int]] = field(default_factory=list)
    n_steps: int = 0

    def count(self, kind: str) -> int:
        """Return how many switches of one kind there were."""
        return sum(1 for *_, k in self.switches if k == kind)


def loss(W, a, x, y) -> float:
    """Squared loss 1/(2n) Σ (f(x_k) - y_k)², written out with loops."""
    total = 0.0
    for x_k, y_k in zip(x, y, strict=True):
        f = sum(a_j * max(w[0] * x_k + w[1], 0.0) for w, a_j in zip(W, a, strict=True))
        total += (f - y_k) ** 2
    return total / (2 * len(x))


def flow_oracle(W, a, x, y, t_end, rtol=1e-11, times=()) -> OracleFlow:
    """Gradient flow of ``f(x) = Σ a_j relu(w_j · (x, 1))`` on the squared loss, as the Filippov solution.

    Where the Filippov solution is not unique, three rules choose one: a neuron in a valley (both
    sides push away from the boundary) leaves to the inactive side, as ``relu'(0) = 0`` has it; a
    boundary whose inactive side is dead absorbs; and ``w = 0`` is at rest. Choose ``t_end`` before only
    rounding is left to move a neuron: then switches have no meaning, and cost time.

    Parameters
    ----------
    W, a : array_like, shapes (n_neurons, 2) and (n_neurons,)
        Start.
    x, y : array_like, shape (n_samples,)
        Data; samples with equal x act as one, named by the first of them.
    t_end : float
        Length of the run.
    rtol : float
        Local error of each neuron relative to that neuron's own present norm.
    times : sequence of float
        Increasing times in [0, t_end] at which states are kept.

    Returns
    -------
    OracleFlow
    """
    return _Run(W, a, x, y, rtol).go(float(t_end), np.asarray(times, dtype=float))


class _Run:
    """One run: data merged by x, the pattern of every neuron, and the record."""

    def __init__(self, W, a, x, y, rtol):
        x, y = np.asarray(x, dtype=float).ravel(), np.asarray(y, dtype=float).ravel()
        distinct, first, group = np.unique(x, return_index=True, return_inverse=True)
        self.sample = first
        self.weight = np.bincount(group) / len(x)
        self.label = np.bincount(group, weights=y) / np.bincount(group)
        self.inputs = np.column_stack([distinct, np.ones(len(distinct))])
        self.length = np.linalg.norm(self.inputs, axis=1)
        self.rtol = rtol
        self.state = np.column_stack([W, a]).astype(float).ravel()
        self.n = len(np.asarray(a))
        w, a = np.hypot(*np.asarray(W, dtype=float).T), np.asarray(a, dtype=float)
        self.balanced = np.abs(w - np.abs(a)) <= _BALANCED * w
        self.sign = np.sign(a)
        self.active = np.zeros((self.n, len(distinct)), dtype=bool)
        self.slides = np.full(self.n, -1)
        self.output_sign = np.zeros(self.n)
        self.weight_sign = np.zeros((self.n, 2))
        self.muted: set[tuple[int, int]] = set()
        self.switches, self.at_rest, self.valleys = [], [], []
        self.n_steps = 0

    def neurons(self, state):
        """Return rows (w, a), free of rounding that would count once a neuron shrinks by 1e8 and more."""
        z = state.reshape(self.n, 3).copy()
        for j in np.flatnonzero(self.slides >= 0):
            z[j, :2] = self.along(z[j, :2], self.slides[j])
        z[self.balanced, 2] = (self.sign * np.hypot(z[:, 0], z[:, 1]))[self.balanced]
        return z

    # ---- the smooth equations between switches

    def residual(self, state):
        z = self.neurons(state)
        field_ = z[:, :2] @ self.inputs.T
        f = z[:, 2] @ np.where(self.active, field_, 0.0)
        return self.weight * (self.label - f)

    def velocity(self, _time, state):
        z = self.neurons(state)
        w, a = z[:, :2], z[:, 2]
        g = (self.active * self.residual(state)) @ self.inputs
        rate = np.column_stack([a[:, None] * g, np.sum(w * g, axis=1)])
        for j in np.flatnonzero(self.slides >= 0):
            # The Filippov velocity a g_A + λ a r_m x̃_m with λ = q/(q - p) is a g_A without its part along x̃_m.
            rate[j, :2] = self.along(rate[j, :2], self.slides[j])
        return rate.ravel()

    def along(self, w, m):
        """Return w without its part along x̃_m: projected onto the boundary of sample m."""
        normal = self.inputs[m] / self.length[m]
        return w - (w @ normal) * normal

    def solver(self, time, state, bound):
        return DOP853(self.velocity, time, state, bound, rtol=_SCIPY_RTOL, atol=self.tolerance(state))

    def tolerance(self, state):
        norms = np.max(np.abs(self.neurons(state)), axis=1)
        return self.rtol * np.repeat(np.maximum(norms, 1e-300), 3)

    # ---- when something happens: each event function is positive until it does

    def events(self, state):
        z = self.neurons(state)
        r = self.residual(state)
        values = np.full((self.n, len(r) + 4), np.inf)
        for j in range(self.n):
            w, a = z[j, :2], z[j, 2]
            if not self.active[j].any():
                continue  # Nothing moves it: dead, or w = 0.
            m = self.slides[j]
            if m < 0:
                signed = np.where(self.active[j], 1.0, -1.0) * (self.inputs @ w)
                values[j, : len(r)] = signed / (np.hypot(*w) * self.length)
                continue
            # Sliding: q > 0 > p must hold, a must not vanish, and w must not pass through 0.
            pull = self.output_sign[j] * ((self.active[j] * r) @ self.inputs @ self.inputs[m])
            push = self.output_sign[j] * r[m] * self.length[m] ** 2
            size = self.length[m] * np.sum(np.abs(r) * self.length)
            values[j, len(r) :] = (
                pull / size,
                -(pull + push) / size,
                self.output_sign[j] * a / (abs(a) + np.hypot(*w)),
                self.weight_sign[j] @ w / (abs(a) + np.hypot(*w)),
            )
        return values

    def first_event(self, solver):
        """Return (time, neuron, column) of the first event of the step just taken, or None."""
        dense = solver.dense_output()
        grid = solver.t_old + _LOOK_AT * (solver.t - solver.t_old)
        grid[-1] = solver.t
        values = np.array([self.events(solver.y if t == solver.t else dense(t)) for t in grid])
        limit = np.full(len(grid), -_INTERPOLATION)
        limit[-1] = -_ROUNDING
        below = values < limit[:, None, None]
        found = []
        for j, column in np.argwhere(below.any(axis=0)):
            if (j, column) in self.muted:
                continue
            last = int(np.argmax(below[:, j, column]))
            signs = values[: last + 1, j, column]
            before = np.flatnonzero(signs > 0)
            if before.size == 0:
                found.append((solver.t_old, j, column))
                continue
            bracket = grid[before[-1]], grid[before[-1] + 1]
            found.append((self.root(dense, bracket, j, column), j, column))
        return min(found, default=None)

    def root(self, dense, bracket, j, column):
        def value(t):
            return self.events(dense(t))[j, column]

        low, high = bracket
        if value(low) <= 0:
            return low
        if value(high) >= 0:
            return high
        return brentq(value, low, high, xtol=4e-16 * max(abs(high), 1e-300), rtol=1e-15)

    # ---- what happens then

    def decide(self, state, j, m):
        """Return on, off or slide for a neuron on boundary m, from the velocities on its two sides."""
        others = self.active[j].copy()
        others[m] = False
        if not others.any():
            return "off"
        r, a = self.residual(state), self.neurons(state)[j, 2]
        q = a * ((others * r) @ self.inputs @ self.inputs[m])
        p = q + a * r[m] * self.length[m] ** 2
        if q > 0:
            return "on" if p > 0 else "slide"
        if p > 0:
            self.valleys.append((0.0, j, m))
        return "off"

    def start(self):
        """Set every pattern from the signs of w·x̃; decide for neurons that start on a boundary."""
        field_ = self.state.reshape(self.n, 3)[:, :2] @ self.inputs.T
        self.active = field_ > 0
        for j in range(self.n):
            on_boundary = np.flatnonzero(field_[j] == 0)
            if on_boundary.size == 1:
                self.turn(0.0, self.state, j, on_boundary[0])
        self.switches.clear()  # Where a neuron starts is no switch.

    def turn(self, time, state, j, m):
        kind = self.decide(state, j, m)
        was_active = self.active[j, m]
        if kind == ("on" if was_active else "off"):
            return False
        self.active[j, m] = kind == "on"
        if kind == "slide":
            self.begin_slide(state, j, m)
        self.record(time, j, m, kind)
        return True

    def begin_slide(self, state, j, m):
        z = state.reshape(self.n, 3)[j]
        z[:2] = self.along(z[:2], m)
        self.slides[j] = m
        self.output_sign[j] = np.sign(z[2])
        self.weight_sign[j] = z[:2] / np.hypot(*z[:2])

    def end_slide(self, time, state, j, cause):
        state[:] = self.neurons(state).ravel()
        z = state.reshape(self.n, 3)[j]
        m = self.slides[j]
        self.slides[j] = -1
        self.active[j, m] = cause == _P
        if cause == _OUTPUT:
            self.valleys.append((time, j, m))
        if cause == _WEIGHT:
            z[:2] = 0.0
            self.active[j] = False
            self.at_rest.append((time, j))
        self.record(time, j, m, "release")

    def record(self, time, j, m, kind):
        self.switches.append((float(time), int(j), int(self.sample[m]), kind))
        if len(self.switches) > _MAX_SWITCHES:
            raise RuntimeError(f"The oracle gave up after {_MAX_SWITCHES} switches at t = {time:.6g}.")

    def handle(self, time, state, j, column):
        """Apply one event; return whether it changed the pattern."""
        if column >= len(self.label):
            self.end_slide(time, state, j, column - len(self.label))
            return True
        return self.turn(time, state, j, column)

    # ---- the loop

    def go(self, t_end, times):
        self.start()
        kept = []
        stops = np.unique(np.concatenate([[0.0], times, [t_end]]))
        if 0.0 in times:
            kept.append((self.neurons(self.state), self.slides.copy()))
        for begin, end in pairwise(stops):
            self.advance(begin, end)
            if end in times:
                kept.append((self.neurons(self.state), self.slides.copy()))
        z = self.neurons(self.state)
        states = np.array([s for s, _ in kept]).reshape(-1, self.n, 3)
        slides = np.array([np.where(m >= 0, self.sample[m], -1) for _, m in kept]).reshape(-1, self.n)
        return OracleFlow(
            z[:, :2].copy(), z[:, 2].copy(), self.switches, times, states[:, :, :2], states[:, :, 2], slides,
            self.at_rest, self.valleys, self.n_steps,
        )  # fmt: skip

    def advance(self, time, bound):
        while time < bound:
            solver = self.solver(time, self.state, bound)
            event = None
            while solver.status == "running" and event is None:
                solver.atol = self.tolerance(solver.y)
                trouble = solver.step()
                self.n_steps += 1
                if solver.status == "failed" or self.n_steps > _MAX_STEPS:
                    raise RuntimeError(f"The oracle gave up at t = {solver.t:.6g}, step {self.n_steps}: {trouble}")
                start = solver.t_old, solver.y_old
                event = self.first_event(solver)
                self.muted.clear()
            if event is None:
                time, self.state = bound, solver.y.copy()
                continue
            time = event[0]
            self.state = self.stepped(*start, time)
            if not self.handle(time, self.state, *event[1:]):
                self.muted.add(event[1:])

    def stepped(self, time, state, end):
        """Integrate to ``end`` inside one step: more accurate there than the step's interpolant."""
        if end <= time:
            return state.copy()
        solver = self.solver(time, state, end)
        while solver.status == "running":
            solver.step()
        return solver.y.copy()
