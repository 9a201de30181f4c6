"""Other integrators, on the plain equations (the gradient almost everywhere), as a user of each would write them.

Each peer is a class: made for a problem it compiles what it compiles, `solve` runs one setting. A run that exceeds
``cap`` seconds gives up between two steps and says how far it came. Libraries are imported on use.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

import reluquant as rq
from tests.benchmarks.fused_descent import FusedDescent
from tests.benchmarks.problems import Problem, weights

# What descent takes between two looks at the clock, in seconds.
_SLICE = 0.5
# A dense Jacobian of more unknowns than this needs minutes a step, and gigabytes beyond twice as many.
_DENSE = 4_000
# More steps than any run here takes; the engine's own bound is for interactive use.
_MOST_STEPS = 10**7


class Solved(NamedTuple):
    """One run: the state at the end, or None and why; seconds, those that a run given up would have taken."""

    theta: np.ndarray | None
    wall: float
    trouble: str = ""
    projected: float = np.nan


class Clock:
    """Seconds of one run, and whether it is hopeless: beyond ``cap``, or soon known to end far beyond it.

    The end is projected from the share of t_end that was reached, by the mean speed and by that of the second half;
    the kinder one counts. A run is given a sixth of the cap before it is judged.
    """

    def __init__(self, cap: float) -> None:
        self.cap, self.began, self.record = cap, time.perf_counter(), [(0.0, 0.0)]

    @property
    def wall(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.began

    def is_hopeless(self, reached: float) -> bool:
        """Whether to give up, at this share of t_end."""
        wall = self.wall
        if wall < self.record[-1][0] + 0.01 * self.cap or reached >= 1.0:
            return False
        self.record.append((wall, reached))
        return wall > self.cap or (wall > self.cap / 6 and self.projected > 2 * self.cap)

    @property
    def projected(self) -> float:
        """Seconds that the run would take, as far as one can tell."""
        wall, reached = self.record[-1]
        middle, before = min(self.record, key=lambda entry: abs(entry[0] - 0.5 * wall))
        speed = max(reached / max(wall, 1e-9), (reached - before) / max(wall - middle, 1e-9))
        return wall + (1.0 - reached) / speed if speed > 0 else np.inf

    def give_up(self) -> Solved:
        """The run that was given up."""
        return Solved(None, self.wall, "capped", self.projected)


class RefusedError(Exception):
    """A problem that the method does not take, and why."""


class Setting(NamedTuple):
    """What is swept: a tolerance (or the step of descent), and the absolute tolerance where there is one."""

    rtol: float
    atol: float = 0.0

    def is_tighter(self, other: Setting) -> bool:
        """Whether both numbers are at most the other's."""
        return self.rtol <= other.rtol and self.atol <= other.atol


def tolerances(problem: Problem, rtols: tuple[float, ...]) -> list[Setting]:
    """A sweep: for each rtol an atol as libraries have it by default, and one that sees the tiny start."""
    factors = {1e-3, problem.scale} if problem.scale < 1e-3 else {1e-3}
    return [Setting(rtol, rtol * factor) for rtol in rtols for factor in sorted(factors, reverse=True)]


def steps(*values: float) -> list[Setting]:
    """A sweep of steps of descent."""
    return [Setting(value) for value in values]


@dataclass
class Peer:
    """What all have in common. ``compile_seconds`` is what had to be waited for once, before the first run."""

    problem: Problem
    compile_seconds: float = field(default=0.0, init=False)

    name = ""
    needs: tuple[str, ...] = ()
    symbol = "rtol"

    def __post_init__(self) -> None:
        self.theta0 = weights(self.problem.net)
        self.X, self.y = self.problem.data.inputs, self.problem.data.y
        began = time.perf_counter()
        self.prepare()
        self.compile_seconds = time.perf_counter() - began

    @classmethod
    def settings(cls, problem: Problem) -> list[Setting]:
        """The sweep, loose first."""
        raise NotImplementedError

    @classmethod
    def refuses(cls, problem: Problem) -> str:
        """Why it is not tried on this problem, or nothing."""
        return ""

    def prepare(self) -> None:
        """Compile."""

    def solve(self, setting: Setting, cap: float) -> Solved:
        """Follow the flow to the end."""
        raise NotImplementedError


class Reluquant(Peer):
    """The package's own flow, the whole public call."""

    name = "reluquant"

    @classmethod
    def settings(cls, problem):
        if problem.net.n_neurons >= 100_000:
            return [Setting(rtol) for rtol in (1e-2, 1e-4, 1e-6, 1e-9)]
        # What is stationary depends on rtol: a loose one ends before the slowest part has moved.
        loosest = 1e-4 if problem.to_stationary else 1e-2
        rtols = 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-9, 1e-11
        return [Setting(rtol) for rtol in rtols if rtol <= loosest]

    def prepare(self):
        try:
            self._run(1e-3, 1e-3 * self.problem.t_end)
        except ValueError as refusal:
            raise RefusedError(f"not there yet: {refusal}") from refusal

    def solve(self, setting, cap):
        began = time.perf_counter()
        self.run = self._run(setting.rtol, None if self.problem.to_stationary else self.problem.t_end)
        theta = weights(self.run.final)
        wall = time.perf_counter() - began
        if not self.run.success:
            return Solved(None, wall, self.run.message)
        return Solved(theta, wall)

    def _run(self, rtol, t_max):
        return rq.gradient_flow(
            self.problem.net, self.problem.data, t_max=t_max, rtol=rtol, max_steps=_MOST_STEPS, progress=False
        )


class _Descent(Peer):
    """Fixed steps: known to take as long each, so a capped run can be extrapolated."""

    symbol = "step"

    def solve(self, setting, cap):
        total = round(self.problem.t_end / setting.rtol)
        clock = Clock(cap)
        self.begin(setting.rtol)
        done, count = 0, 1
        while done < total:
            count = min(count, total - done)
            before = clock.wall
            self.advance(setting.rtol, count)
            done += count
            if clock.is_hopeless(done / total):
                return clock.give_up()
            count = max(1, min(4 * count, int(_SLICE * count / max(clock.wall - before, 1e-9))))
        theta = self.end()
        wall = clock.wall
        if not np.all(np.isfinite(theta)):
            return Solved(None, wall, "diverges: the step is too large")
        return Solved(theta, wall)


class NumbaDescent(_Descent):
    """Fixed-step descent, fused and compiled."""

    name = "fused Numba descent"
    needs = ("numba",)

    @classmethod
    def settings(cls, problem):
        if problem.data.n_features > 1:
            return steps(0.1, 0.04, 0.02, 0.01, 4e-3, 2e-3, 1e-3)
        return steps(0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 1e-4)

    def prepare(self):
        self.begin(0.0)
        self.advance(0.0, 1)

    def begin(self, step):
        self.descent = FusedDescent(self.theta0, self.X, self.y)

    def advance(self, step, count):
        self.descent.advance(step, count)

    def end(self):
        return self.descent.theta


class TorchDescent(_Descent):
    """Fixed-step descent with autograd and `torch.optim.SGD`."""

    name = "torch descent (SGD)"
    needs = ("torch",)

    @classmethod
    def settings(cls, problem):
        return steps(0.02, 4e-3) if problem.data.n_features > 1 else steps(0.01, 1e-3)

    def prepare(self):
        self.begin(0.01)
        self.advance(0.01, 5)

    def begin(self, step):
        import torch

        self.W = torch.tensor(self.theta0[:, :-1], requires_grad=True)
        self.a = torch.tensor(self.theta0[:, -1], requires_grad=True)
        self.inputs, self.labels = torch.tensor(self.X), torch.tensor(self.y)
        self.optimiser = torch.optim.SGD([self.W, self.a], lr=step)

    def advance(self, step, count):
        import torch

        for _ in range(count):
            self.optimiser.zero_grad()
            f = torch.relu(self.inputs @ self.W.T) @ self.a
            loss = 0.5 * torch.mean((f - self.labels) ** 2)
            loss.backward()
            self.optimiser.step()

    def end(self):
        return np.column_stack([self.W.detach().numpy(), self.a.detach().numpy()])


class _SciPy(Peer):
    needs = ("scipy",)
    rtols: tuple[float, ...] = (1e-3, 1e-4, 1e-6)

    @classmethod
    def settings(cls, problem):
        return tolerances(problem, cls.rtols)

    def velocity(self, _t, flat):
        theta = flat.reshape(self.theta0.shape)
        W, a = theta[:, :-1], theta[:, -1]
        fields = W @ self.X.T
        active = fields > 0
        hidden = np.where(active, fields, 0.0)
        r = (self.y - a @ hidden) / len(self.y)
        return np.column_stack([a[:, None] * ((active * r) @ self.X), hidden @ r]).ravel()

    def solve(self, setting, cap):
        import scipy.integrate

        # What solve_ivp does, with a look at the clock between two steps.
        clock = Clock(cap)
        t_end, trouble = self.problem.t_end, None
        make = getattr(scipy.integrate, self.name.removeprefix("scipy "))
        solver = make(self.velocity, 0.0, self.theta0.ravel(), t_end, rtol=setting.rtol, atol=setting.atol)
        while solver.status == "running":
            trouble = solver.step()
            if clock.is_hopeless(solver.t / t_end):
                return clock.give_up()
        if solver.status == "failed":
            return Solved(None, clock.wall, f"fails at t = {solver.t:.4g}: {trouble or 'no step succeeds'}")
        return Solved(solver.y.reshape(self.theta0.shape), clock.wall)


class RK45(_SciPy):
    """Explicit Runge-Kutta, order 5."""

    name = "scipy RK45"


class DOP853(_SciPy):
    """Explicit Runge-Kutta, order 8."""

    name = "scipy DOP853"


class LSODA(_SciPy):
    """Adams and BDF, switching by itself."""

    name = "scipy LSODA"

    @classmethod
    def refuses(cls, problem):
        # With 3 unknowns a neuron LSODA stores a dense Jacobian as soon as it thinks the problem stiff.
        return _too_dense(problem)


class Radau(_SciPy):
    """Implicit Runge-Kutta, order 5, dense Jacobian by differences."""

    name = "scipy Radau"
    rtols = (1e-3, 1e-6)

    @classmethod
    def refuses(cls, problem):
        return _too_dense(problem)


class _Diffrax(Peer):
    needs = ("diffrax", "jax", "equinox")
    rtols: tuple[float, ...] = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    stages = 6

    @classmethod
    def settings(cls, problem):
        return tolerances(problem, cls.rtols)

    def work(self):
        """About how many operations a step takes."""
        return self.theta0.shape[0] * len(self.y) * self.stages

    def prepare(self):
        import jax

        jax.config.update("jax_enable_x64", True)
        import diffrax
        import equinox
        import jax.numpy as jnp

        X, y = jnp.asarray(self.X), jnp.asarray(self.y)

        def velocity(_t, theta, _args):
            W, a = theta[:, :-1], theta[:, -1]
            fields = W @ X.T
            hidden = jnp.maximum(fields, 0.0)
            r = (y - a @ hidden) / len(y)
            return jnp.column_stack([a[:, None] * (jnp.where(fields > 0, r, 0.0) @ X), hidden @ r])

        solver = getattr(diffrax, self.name.removeprefix("diffrax "))()
        # A call ends after so many steps to look at the clock, every second or so; an easy run is one call.
        most = int(np.clip(5e8 / self.work(), 16, 50_000))

        @equinox.filter_jit
        def go(begin, end, dt0, theta, rtol, atol, solver_state, controller_state, made_jump):
            return diffrax.diffeqsolve(
                diffrax.ODETerm(velocity), solver, begin, end, dt0, theta,
                stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
                saveat=diffrax.SaveAt(t1=True, solver_state=True, controller_state=True, made_jump=True),
                max_steps=most, throw=False,
                solver_state=solver_state, controller_state=controller_state, made_jump=made_jump,
            )  # fmt: skip

        self.go = go
        # Beginning and going on compile separately.
        tiny = jnp.asarray(1e-6 * self.problem.t_end), jnp.asarray(1e-3)
        first = go(0.0 * tiny[0], tiny[0], None, jnp.asarray(self.theta0), *tiny[1:] * 2, None, None, None)
        states = first.solver_state, first.controller_state, first.made_jump
        jax.block_until_ready(go(tiny[0], 2 * tiny[0], None, first.ys[-1], *tiny[1:] * 2, *states).ys)

    def solve(self, setting, cap):
        import diffrax
        import jax
        import jax.numpy as jnp

        clock = Clock(cap)
        t, theta, state = jnp.asarray(0.0), jnp.asarray(self.theta0), (None, None, None)
        rtol, atol, end = jnp.asarray(setting.rtol), jnp.asarray(setting.atol), jnp.asarray(self.problem.t_end)
        while True:
            solution = self.go(t, end, None, theta, rtol, atol, *state)
            jax.block_until_ready(solution.ys)
            if bool(solution.result == diffrax.RESULTS.successful):
                return Solved(np.asarray(solution.ys[-1]), clock.wall)
            t, theta = solution.ts[-1], solution.ys[-1]
            if not bool(solution.result == diffrax.RESULTS.max_steps_reached):
                return Solved(None, clock.wall, f"fails at t = {float(t):.4g}: {diffrax.RESULTS[solution.result]}")
            if clock.is_hopeless(float(t) / self.problem.t_end):
                return clock.give_up()
            state = solution.solver_state, solution.controller_state, solution.made_jump


class Tsit5(_Diffrax):
    """Explicit Runge-Kutta, order 5."""

    name = "diffrax Tsit5"


class Dopri8(_Diffrax):
    """Explicit Runge-Kutta, order 8."""

    name = "diffrax Dopri8"
    stages = 13


class Kvaerno5(_Diffrax):
    """Implicit Runge-Kutta (ESDIRK), order 5, dense Jacobian by autodiff."""

    name = "diffrax Kvaerno5"
    rtols = (1e-3, 1e-5)

    @classmethod
    def refuses(cls, problem):
        return _too_dense(problem)

    def work(self):
        # A factorised Jacobian.
        return self.theta0.size**3


class TorchDiffEq(Peer):
    """Explicit Runge-Kutta, order 5."""

    name = "torchdiffeq dopri5"
    needs = ("torchdiffeq", "torch")

    @classmethod
    def settings(cls, problem):
        return tolerances(problem, (1e-3, 1e-4, 1e-6))

    def solve(self, setting, cap):
        import torch
        import torchdiffeq

        X, y = torch.tensor(self.X), torch.tensor(self.y)
        t_end, reached = self.problem.t_end, 0.0
        clock = Clock(cap)

        def velocity(t, theta):
            nonlocal reached
            reached = float(t) / t_end
            if clock.is_hopeless(reached):
                raise _CappedError
            W, a = theta[:, :-1], theta[:, -1]
            fields = W @ X.T
            hidden = torch.relu(fields)
            r = (y - a @ hidden) / len(y)
            return torch.column_stack([a[:, None] * ((fields > 0) * r @ X), hidden @ r])

        try:
            with torch.no_grad():
                states = torchdiffeq.odeint(
                    velocity, torch.tensor(self.theta0), torch.tensor([0.0, t_end], dtype=torch.float64),
                    rtol=setting.rtol, atol=setting.atol, method="dopri5",
                )  # fmt: skip
        except _CappedError:
            return clock.give_up()
        except AssertionError as trouble:
            return Solved(None, clock.wall, f"fails at t = {reached * t_end:.4g}: {trouble}")
        return Solved(states[-1].numpy(), clock.wall)


class _CappedError(Exception):
    pass


def _too_dense(problem: Problem) -> str:
    unknowns = weights(problem.net).size
    return f"not tried: a dense Jacobian of {unknowns:,} unknowns" if unknowns > _DENSE else ""


PEERS = (
    NumbaDescent,
    Tsit5,
    Dopri8,
    Kvaerno5,
    RK45,
    DOP853,
    LSODA,
    Radau,
    TorchDiffEq,
    TorchDescent,
)
