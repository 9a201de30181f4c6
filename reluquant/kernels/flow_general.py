r"""Gradient flow of a shallow ReLU network with any number of inputs and outputs, for any convex loss.

The geometry
    Inputs that are parallel share one *boundary*: a hyperplane of weights with unit normal ν. A pattern says for each
    boundary on which side a neuron is, or that it is held there (`neuron_alone`).

The motion
    ``r_k = -∂L/∂f(x_k)``, ``Γ = Σ_active x̃_k r_kᵀ``; ``dw/dt = Γ a``, ``da/dt = Γᵀ w``; ``|w|² - |a|²`` is conserved.
    Given ``r(t)`` neurons do not see each other, and each can be carried exactly, through switches and slides.

The method
    One step is collocation in the residual only: ``r(t)`` is taken as the polynomial of degree s - 1 through s Radau
    nodes for which the network, carried exactly in that field, has these very residuals at the nodes. This is Radau
    IIA where nothing switches: of order 2s - 1, and stable where the flow is stiff. Its values are found by Newton's
    method with a frozen tangent kernel (`collocation`), or by plain iteration in short steps. How well the polynomial
    meets the residual at the start of the step, which is no node, measures the error. Neurons too light to matter in
    this iteration are carried when it has converged, and it is taken up again where they do matter; the lightest, which
    do not even if nothing foretold them, when all others are in place. A switch bends r(t); a step ends where what its
    switches bend it by, all together, reaches the tolerance.

The neurons' work is compiled. What is done once for a step is not: compiling it would take longer than most runs.

Notation is that of ``docs/notation.md``. Time inside a step is ``τ = (t - t₀)/h``.

References
----------
E. Hairer & G. Wanner, *Solving Ordinary Differential Equations II* (1996), sections IV.5 and IV.8.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from reluquant.kernels import collocation, losses, neuron_blocks, rest_general, status
from reluquant.kernels.box_lcp import EPS
from reluquant.kernels.leap_general import leap
from reluquant.kernels.neuron_alone import carry_alone
from reluquant.kernels.polynomials import DEEPEST
from reluquant.kernels.release_general import AT_ONCE
from reluquant.kernels.series_general import MOST_GROWTH
from reluquant.kernels.state_general import LIGHTEST, RELEASE, Field, Moved, Neurons, Problem, Room, make_room

# |w| = |a| within the rounding of a norm.
BALANCED = 8 * EPS
# Mantissas are kept within 2^±32, so that a step's growth can neither overflow nor underflow.
MANTISSA = 32
# All neurons together that are left out of the iteration answer a change of the field by a change of less than this
# share of it: it is their mass times the strength with which outputs act back, times the length of the step.
SPECTATORS = 0.05
# So many neurons are carried as fast as it takes to tell the light ones; fewer switches are no statistics.
FEW = 100
# As long as all neurons are light, and no step before this one tells what they will do, it is shortened by up to this
# factor for them to change too little to be carried twice: many of the switches of a run are in its first steps.
SHORTEST_FIRST = 0.01
# The lightest are carried last, when the others have been: even if what they do in a step were mispredicted altogether
# it would be felt by no more than this many times the tolerance. A good part of it is foretold.
QUIET = 100.0
# With more switches than this a neuron, carrying the light ones again costs more than one more step: the next one
# should be so short that they are foretold, but not shorter than this share of this one.
RICH, SHORTEST_NEXT = 4.0, 0.1
# Times that they are carried for one step before they are counted among the others: each should leave that share.
MOST_PASSES = 3
# Where nothing moves at all a step is this many units of time.
LONGEST_STEP = 60.0
# Steps by which the last polynomial is continued for a first guess.
FARTHEST = 2.0
# Polynomials through the nodes follow a bend within a step up to a triangle of this share of the step.
BEND = 0.15
# A step is not taken anew for bends up to this many times the tolerance.
NOT_CUT = 1.5
# Steps that ought to be shorter than this share of what was tried are.
TOO_LONG = 0.9
# Share of the tolerance that the bends of the next step should take.
BENT_GOAL = 0.5
# Iterations for one polynomial; plain or Newton's, they gain a digit each, or the step is too long.
MOST_ITERATIONS = 12
# Times that one step is shortened before something must be wrong.
MOST_TRIALS = 100
# An iteration that leaves more than this of the defect deserves a fresh tangent kernel.
SLOW_NEWTON = 0.2
# One that then leaves more than this, a shorter step.
DIVERGING = 0.7
# Below h · (fastest relaxation) of this plain iteration is as good.
NOT_STIFF = 0.1
# Unknowns beyond which eigenvalues cost more than the short steps of plain iteration.
MOST_UNKNOWNS = 1500
# The defect that is left, as a share of the tolerance.
DEFECT = 0.5
# Share of the tolerance that errors of neurons' series may take when they have acted back on the residual.
SERIES_SHARE = 0.1
# Times that neurons are carried to date the releases of a step: no more than to find it.
MOST_DATED = 4
# Rounding of the sums that make a residual.
ROUNDING = 16 * EPS


class Loss(NamedTuple):
    """Kind (see `losses`), parameter, and the compiled scalar functions of a user's loss (else `losses.unused`)."""

    kind: int
    parameter: float
    value: Callable
    derivative: Callable


class Engine(NamedTuple):
    """What stays the same from step to step, and working arrays."""

    problem: Problem
    loss: Loss
    tables: collocation.Tables
    neurons: Neurons
    moved: Moved
    heavy: neuron_blocks.Groups
    tiers: tuple[neuron_blocks.Groups, ...]
    blocks: neuron_blocks.Blocks
    room: Room
    field: Field
    plus: np.ndarray
    total: np.ndarray
    lengths: np.ndarray
    silent: np.ndarray
    tolerance: float
    trains: bool


class Start(NamedTuple):
    """The network at the start of a step.

    Arrays
    ------
    f, residual (n, o). moving (m,): 1 for neurons that are neither dead nor at rest. masses (m,): |w|² + |a|².
    drive (G, p, o): generators of its groups. reach: how strongly a change of outputs acts back on any generator.
    noise: the size of which the generator's rounding is a share.
    """

    f: np.ndarray
    residual: np.ndarray
    loss: float
    moving: np.ndarray
    masses: np.ndarray
    drive: np.ndarray
    strongest: float
    reach: float
    noise: float


class Memory(NamedTuple):
    """What a step leaves to the next.

    The residual's polynomial in powers, and that of the light neurons' outputs; their length, eigenvalues, the length
    to try.
    """

    powers: np.ndarray | None
    light: np.ndarray | None
    length: float
    newton: collocation.Newton | None
    guess: float


NO_MEMORY = Memory(None, None, 0.0, None, math.inf)


class Step(NamedTuple):
    """A step that was found: length, residual at the nodes, number of switches, whether at the goal; heavy groups."""

    status: int
    length: float
    nodes: np.ndarray | None = None
    n_events: int = 0
    at_goal: bool = False
    memory: Memory | None = None
    n_heavy: int = 0


# ------------------------------------------------------------------------------------------------ field, outputs


def _set_field(engine, nodes, h, noise, feedback):
    """Fill the field of a step of length h from the residual (s, n, o) at the nodes.

    Errors of neurons come back as errors of the residual, times ``feedback``: their series must be better by that.
    """
    s, n, o = nodes.shape
    powers = (engine.tables.to_power @ nodes.reshape(s, n * o)).reshape(s, n, o)
    _spread(engine.problem, h * powers, engine.field.jump, engine.field.base)
    engine.field.noise[0] = h * noise
    engine.field.noise[1] = max(engine.tolerance / max(feedback / SERIES_SHARE, 1.0), EPS)
    neuron_blocks.fill_generators(engine.problem, engine.field, engine.blocks)


def _spread(problem, residual, jump, base):
    """Fill the rows of ``jump`` and ``base`` (see `Field`) with what rows of a residual (rows, n, o) make of them."""
    inside = problem.plane >= 0
    plane, pull = problem.plane[inside], residual[:, inside] * problem.stretch[inside, None]
    jump[:] = 0.0
    if plane.size == jump.shape[1]:
        jump[:, plane] = pull * np.sign(problem.stretch[inside])[:, None]
    else:
        np.add.at(jump, (slice(None), plane), pull * np.sign(problem.stretch[inside])[:, None])
    base[:] = 0.0
    other = problem.stretch[inside] < 0
    if np.any(other):
        base[:] = np.einsum("lkq,kc->lcq", pull[:, other], problem.normals[plane[other]])


def _outputs(engine, plus, total):
    """F (…, n, o) without the output bias, from the sums over neurons."""
    problem = engine.problem
    values = plus[..., problem.plane, :]
    other = problem.stretch < 0
    if np.any(other):
        values[..., other, :] -= problem.normals[problem.plane[other]] @ total
    return values * (engine.lengths * (problem.plane >= 0))[:, None]


def _residual(engine, f):
    out = np.empty_like(f)
    loss = engine.loss
    losses.residuals(loss.kind, loss.parameter, loss.derivative, f, engine.problem.labels, out)
    return out


def _mean_loss(engine, f):
    loss = engine.loss
    # One layout, or numba compiles it again.
    return losses.mean_loss(loss.kind, loss.parameter, loss.value, np.ascontiguousarray(f), engine.problem.labels)


def _field_size(engine, values):
    """Bound, over all patterns, of the generators that residuals (…, n, o) make; the largest of them."""
    return np.max(np.sqrt(np.sum(values * values, axis=-1)) @ engine.lengths)


def _carry(engine, groups, n_groups, events, n_events):
    """Carry the neurons of the groups through the step that is set: (status, number of switches so far, outputs)."""
    engine.plus[:] = 0.0
    engine.total[:] = 0.0
    alone = np.empty(engine.neurons.exponent.size, dtype=np.int64)
    n_alone = neuron_blocks.carry_blocks(
        engine.problem, engine.field, engine.neurons, engine.moved, groups, n_groups, engine.blocks, engine.room,
        engine.field.noise[1], engine.plus, engine.total, alone,
    )  # fmt: skip
    tally = np.array([n_events], dtype=np.int64)
    why = carry_alone(
        engine.problem, engine.field, engine.room, engine.neurons, engine.moved, alone, n_alone, engine.plus,
        engine.total, events, tally,
    )  # fmt: skip
    return why, int(tally[0]), _outputs(engine, engine.plus, engine.total)


# ------------------------------------------------------------------------------------------------- before a step


def _look(engine, offset):
    """Compute outputs, residuals and generators of the network as it is."""
    problem, neurons, loss = engine.problem, engine.neurons, engine.loss
    n, o = problem.labels.shape
    moving = np.empty(neurons.exponent.size, dtype=np.int64)
    neuron_blocks.mark_moving(problem, neurons, moving)
    n_groups = neuron_blocks.group_by_key(neurons, moving, np.int64(1), engine.heavy)
    neuron_blocks.outputs_now(problem, neurons, engine.heavy, n_groups, engine.blocks, engine.plus, engine.total)
    f = _outputs(engine, engine.plus[0], engine.total[0]) + offset
    residual = _residual(engine, f)
    drive = np.empty((n_groups, *engine.field.base.shape[1:]))
    _set_field(engine, np.broadcast_to(residual, (engine.tables.nodes.size, n, o)), 1.0, 0.0, 0.0)
    neuron_blocks.drives_now(problem, engine.field, neurons, engine.heavy, n_groups, engine.blocks, engine.room, drive)
    light = neurons.exponent <= LIGHTEST
    masses = np.ldexp(np.sum(neurons.z**2, axis=0), np.where(light, 0, 2 * neurons.exponent).astype(np.int32))
    masses[light] = 0.0
    bend = losses.most_curvature(loss.kind, loss.parameter, loss.derivative, f, problem.labels) / n
    pulls = np.max(np.abs(engine.silent) + bend * np.abs(offset), axis=1) + bend * masses.sum() * engine.lengths
    return Start(
        f,
        residual,
        _mean_loss(engine, f),
        moving,
        masses,
        drive,
        math.sqrt(np.max(np.sum(drive**2, axis=(1, 2)), initial=0.0)),
        bend * float(engine.lengths @ engine.lengths),
        float(pulls @ engine.lengths),
    )


def _at_rest(engine, start, offset, slowest):
    """Whether the network is stationary: its velocity is small and no neuron can grow."""
    total = start.masses.sum()
    # The velocity of a heavy network is known to rounding and the tolerance only.
    slowest = max(slowest, (4 * EPS + engine.tolerance) * start.reach * total)
    squared = rest_general.squared_speed(engine.neurons, engine.heavy, len(start.drive), start.drive)
    if squared > slowest**2 * total:
        return False
    pull, size = np.abs(start.residual.sum(axis=0)), np.abs(offset) + np.abs(engine.silent).sum(axis=0)
    if engine.trains and np.any(pull > slowest * size):
        return False
    return rest_general.nothing_grows(
        engine.problem, engine.field, engine.neurons, engine.moved, engine.heavy, start.drive,
        start.reach * start.masses, engine.room, slowest, (8 * EPS + engine.tolerance) * start.noise, engine.plus,
        engine.total,
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------- step control


def _rank(start, budgets):
    """Set 1 for moving neurons, and one more for each of the budgets that the lighter ones and they exceed together."""
    order = np.argsort(start.masses, kind="stable")
    sums = np.cumsum(np.where(start.moving[order] > 0, start.masses[order], 0.0))
    rank = np.empty_like(start.moving)
    rank[order] = 1 + np.sum(sums > np.array(budgets)[:, None], axis=0)
    rank *= start.moving
    # A few between the heavy and the lightest are not worth passes of their own.
    if np.count_nonzero(rank == 2) < FEW:
        rank[rank == 2] = 3
    return rank


def _missed(engine, start, nodes, h):
    """By how much the polynomial through the nodes misses the residual at the start."""
    there = np.tensordot(engine.tables.to_power[0], nodes, axes=1)
    return max(0.0, h * _field_size(engine, there - start.residual) - ROUNDING * h * start.noise)


def _change(engine, missed, wanted):
    """Factor by which a step may be longer for its polynomial to meet the residual at the start as well as wanted."""
    return max(0.2, 0.9 * (wanted / max(missed, 1e-4 * wanted)) ** (1 / (engine.tables.nodes.size + 1)))


def _is_felt(engine, start, h):
    """Whether what all neurons change in a step may be more than the tolerance."""
    pull = start.reach * start.masses.sum()
    return h * pull * math.expm1(2.0 * h * start.strongest) > DEFECT * engine.tolerance


def _first_length(engine, start, h):
    """Length of a first step in which what neurons change is not felt; h if it would be far shorter."""
    short = h
    while short > SHORTEST_FIRST * h:
        if not _is_felt(engine, start, short):
            return short
        short *= 0.9
    return h


def _share_out(engine, start, offset, budgets):
    """Sort neurons into heavy ones and two tiers of light ones: numbers of groups, outputs (2, n, o) of the tiers."""
    rank = _rank(start, budgets)
    groups = engine.heavy, *engine.tiers
    n_heavy, *n_light = (
        neuron_blocks.group_by_key(engine.neurons, rank, np.int64(len(groups) - i), groups[i]) for i in range(3)
    )
    if not any(n_light):
        return n_heavy, n_light, np.zeros((2, *start.f.shape))
    outputs = []
    # The lightest are of most kinds: theirs are what the others leave.
    for group, n_groups in zip(groups[:2], (n_heavy, n_light[0]), strict=True):
        neuron_blocks.outputs_now(
            engine.problem, engine.neurons, group, n_groups, engine.blocks, engine.plus, engine.total
        )
        outputs.append(_outputs(engine, engine.plus[0], engine.total[0]))
    rest = start.f - offset - sum(outputs) if n_light[1] > 0 else np.zeros_like(start.f)
    return n_heavy, n_light, np.stack([outputs[1], rest])


def _bent(events, share, end):
    """By how much the switches before ``end`` have bent the residual, as far as its polynomial cannot follow.

    A polynomial through nodes follows a bend at θ up to the area of a triangle: none if θ is at either end. Bends at
    one boundary add up; those at different boundaries are of different samples and of either sign, so that their
    squares do.
    """
    where = events[:, 0]
    height = np.minimum(np.minimum(where, end - where), BEND * end)
    sums = np.bincount(events[:, 2].astype(np.int64), np.where(where < end, events[:, 4] * height**2, 0.0))
    return share * math.sqrt(np.sum(sums**2))


def _with_kinks(engine, start, f, events):
    """The switches and, in the same columns, where Huber's loss passes between its parabola and its lines.

    There a residual, which elsewhere is as smooth as the outputs (s, n, o), starts or ends to move with them.
    """
    if engine.loss.kind != losses.HUBER:
        return events
    problem, times = engine.problem, np.append(0.0, engine.tables.nodes)
    path = np.concatenate([start.f[None], f])
    beyond = np.abs(path - problem.labels) - engine.loss.parameter
    piece, sample, output = np.nonzero(beyond[:-1] * beyond[1:] < 0.0)
    before, after = (beyond[piece + i, sample, output] for i in (0, 1))
    length = times[piece + 1] - times[piece]
    speed = np.abs(path[piece + 1, sample, output] - path[piece, sample, output]) / length
    kinks = np.zeros((piece.size, 5))
    kinks[:, 0] = times[piece] + length * before / (before - after)
    kinks[:, 2] = np.maximum(problem.plane[sample], 0)
    kinks[:, 4] = speed * engine.lengths[sample] / (len(problem.labels) * start.reach)
    return np.concatenate([events, kinks])


def _where_to_end(events, share, tolerance):
    """Largest τ at which the switches before it have bent the residual by about the tolerance, or less."""
    if _bent(events, share, 1.0) <= NOT_CUT * tolerance:
        return 1.0
    lo, hi = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (lo + hi)
        lo, hi = (middle, hi) if _bent(events, share, middle) <= tolerance else (lo, middle)
        if hi - lo <= 1e-3 * hi and lo > 0.0:
            break
    return lo if lo > 0.0 else hi


def _powers(engine, now, nodes):
    """Coefficients (s + 1, n, o) of a function that is known at the start and at the nodes."""
    powers = np.tensordot(engine.tables.to_power, nodes, axes=1)
    # By as much as the polynomial through the nodes misses the start; zero at the nodes.
    beside = np.polynomial.polynomial.polyfromroots(engine.tables.nodes)
    missed = (now - powers[0]) / beside[0]
    return np.concatenate([powers, np.zeros_like(powers[:1])]) + np.multiply.outer(beside, missed)


def _values_at(powers, x):
    return np.tensordot(x[:, None] ** np.arange(len(powers)), powers, axes=1)


def _predict(engine, now, powers, memory, h):
    """Guess a function (s, n, o) at the nodes: its last polynomial continued, from its value at the start on."""
    s = engine.tables.nodes.size
    if powers is None or h > FARTHEST * memory.length:
        return np.repeat(now[None], s, axis=0)
    return now + _values_at(powers, 1.0 + h / memory.length * engine.tables.nodes) - _values_at(powers, np.ones(1))


def _share_of(powers, now):
    """The part of polynomials (s + 1, 2, n, o) that ends along ``now``: tiers are not the same in each step."""
    if powers is None:
        return None
    end = powers.sum(axis=0)
    part = np.sum(end * now, axis=(1, 2)) / np.maximum(np.sum(end * end, axis=(1, 2)), np.finfo(float).tiny)
    return powers * part[:, None, None]


def _stretch(engine, now, nodes, part):
    """The same function at nodes in the first part of the step (or beyond it, for a part above 1).

    It is also known at the start, where the polynomial may miss it: one degree more makes a far better guess.
    """
    return _values_at(_powers(engine, now, nodes), part * engine.tables.nodes)


def _newton(engine, start, n_groups):
    n, o = start.residual.shape
    if n * o > MOST_UNKNOWNS:
        return None
    loss, bends = engine.loss, np.empty((n, o, o))
    losses.curvature(loss.kind, loss.parameter, loss.derivative, start.f, engine.problem.labels, bends)
    kernel = collocation.tangent_kernel(
        engine.problem, engine.neurons, engine.heavy, n_groups, engine.room, engine.trains
    )
    return collocation.newton_for(kernel, bends)


def _bias(engine, nodes, h, offset, integrals):
    """The output bias (…, 1, o) at moments to each of which ``integrals`` (…, s) leads from the nodes."""
    if not engine.trains:
        return offset
    return offset + h * (integrals @ nodes.sum(axis=1))[:, None, :]


def _defect(engine, nodes, f):
    """By how much the residual of outputs (s, n, o) is off from that which led to them."""
    return _residual(engine, f.reshape(-1, f.shape[-1])).reshape(f.shape) - nodes


def _correction(engine, newton, h, defect):
    """Newton's correction of the residual at the nodes; where nothing is stiff the defect is as good."""
    if newton is None or h * newton.rates[-1] <= NOT_STIFF:
        return defect
    return collocation.newton_update(newton, engine.tables, h, defect.reshape(len(defect), -1)).reshape(defect.shape)


def _small(engine, newton, fresh, h, defect, allowed):
    """Whether the residual at the nodes is as good as allowed.

    Stiffness magnifies its rounding to a defect which no iteration can undo: a fresh tangent kernel tells it apart.
    """
    small = h * _field_size(engine, defect) <= allowed
    return small or (fresh and h * _field_size(engine, _correction(engine, newton, h, defect)) <= allowed)


class _Goal:
    """Closes in on the step length at which the loss is down to the goal, by the secant between both sides of it."""

    def __init__(self, goal, start_loss, tolerance):
        self.goal, self.off = goal, 4 * tolerance * start_loss
        self.low, self.low_loss, self.high, self.high_loss = 0.0, start_loss, math.inf, -math.inf

    def next_length(self, h, loss):
        """Another length to try, or None if this one is good."""
        if self.goal <= 0.0 or abs(loss - self.goal) <= self.off or (loss > self.goal and self.high == math.inf):
            return None
        if loss < self.goal:
            self.high, self.high_loss = h, loss
        else:
            self.low, self.low_loss = h, loss
        if self.high - self.low <= 4 * EPS * self.high:
            return None
        share = (self.low_loss - self.goal) / (self.low_loss - self.high_loss)
        return self.low + min(0.95, max(0.05, share)) * (self.high - self.low)


def _take_step(engine, start, memory, h, offset, goal_loss, events):
    """Find one step of length at most h: the residual's polynomial, and where all neurons then are."""
    tables, tolerance = engine.tables, engine.tolerance
    s = tables.nodes.size
    sorts = engine.neurons.exponent.size > FEW and start.reach > 0
    if sorts and memory.powers is None:
        h = _first_length(engine, start, h)
    # The mass of neurons grows by at most this factor in the step.
    grown = math.exp(2.0 * h * start.strongest)
    budget = SPECTATORS / (h * start.reach * grown) if sorts else 0.0
    if sorts and memory.powers is not None and start.masses.sum() <= budget and _is_felt(engine, start, h):
        # Light neurons that nothing foretells would be carried twice.
        h = min(h, FARTHEST * memory.length)
    budgets = budget, QUIET * tolerance / SPECTATORS * budget
    n_heavy, n_light, dim = _share_out(engine, start, offset, budgets)
    light = _predict(engine, dim, _share_of(memory.light, dim), memory, h)
    pull = start.reach * start.masses.sum()
    goal = _Goal(goal_loss, start.loss, tolerance)
    # The polynomial errs by O(h^s) where the step, by the quadrature's order, errs by about the square of that.
    wanted = tolerance ** ((s + 1) / (2 * s))
    newton, fresh, uncut, tried, foretold = memory.newton, False, h, h, math.inf
    nodes, iteration, previous, passes = _predict(engine, start.residual, memory.powers, memory, h), 0, math.inf, 0
    for _ in range(MOST_TRIALS * MOST_ITERATIONS):
        _set_field(engine, nodes, h, (8 * EPS + tolerance) * start.noise, h * pull)
        why, n_events, f = _carry(engine, engine.heavy, n_heavy, events, 0)
        astray = why == status.TOO_MANY_SWITCHES or not np.all(np.isfinite(f))
        if astray and h > EPS * tried:
            # Iteration, or the guess that it starts from, has gone astray.
            h *= 0.3
            uncut, iteration, previous = h, 0, math.inf
            nodes, light = np.repeat(start.residual[None], s, axis=0), _stretch(engine, dim, light, 0.3)
            continue
        if why != status.CHUNK_DONE:
            return Step(why, h)
        bias = _bias(engine, nodes, h, offset, tables.integrals)
        allowed = DEFECT * tolerance + ROUNDING * h * start.noise
        defect = _defect(engine, nodes, f + light.sum(axis=1) + bias)
        worst = h * _field_size(engine, defect)
        missed = _missed(engine, start, nodes, h)
        if worst <= max(missed, wanted):
            # Long before it converges the polynomial tells whether the step is too long for it.
            change = _change(engine, missed, wanted)
            if change < TOO_LONG:
                nodes, light = _stretch(engine, start.residual, nodes, change), _stretch(engine, dim, light, change)
                h, iteration, previous, passes = h * change, 0, math.inf, 0
                uncut = h
                continue
        met = _small(engine, newton, fresh, h, defect, allowed)
        for tier in range(2):
            if not met or n_light[tier] == 0:
                continue
            why, n_events, light[:, tier] = _carry(engine, engine.tiers[tier], n_light[tier], events, n_events)
            if why != status.CHUNK_DONE:
                return Step(why, h)
            defect = _defect(engine, nodes, f + light.sum(axis=1) + bias)
            worst = h * _field_size(engine, defect)
            if passes == 0:
                # The polynomial that foretells them errs in proportion to this power of the length, times the length.
                foretold = h * (allowed / max(worst, 1e-4 * allowed)) ** (1 / (s + 2))
            met = _small(engine, newton, fresh, h, defect, allowed)
            passes, iteration, previous = passes + 1, min(iteration, 1), math.inf
        if not met and passes > 2 * MOST_PASSES:
            n_heavy, n_light, dim = _share_out(engine, start, offset, (0.0, 0.0))
            light, iteration, passes = np.repeat(dim[None], s, axis=0), 0, 0
            continue
        bends = _with_kinks(engine, start, f + light.sum(axis=1) + bias, events[:n_events])
        end = _where_to_end(bends, 0.5 * h * start.reach, tolerance) if met or iteration > 0 else 1.0
        if end < 1.0:
            nodes, light = _stretch(engine, start.residual, nodes, end), _stretch(engine, dim, light, end)
            h, iteration, previous, passes = h * end, 0, math.inf, 0
            continue
        if not met:
            slow = iteration > 0 and worst > SLOW_NEWTON * previous
            if slow and not fresh:
                newton, fresh = _newton(engine, start, n_heavy), True
            elif iteration == MOST_ITERATIONS or not worst <= DIVERGING * previous:
                h *= 0.3
                uncut, iteration, previous = h, 0, math.inf
                nodes = _predict(engine, start.residual, memory.powers, memory, h)
                light = _stretch(engine, dim, light, 0.3)
                continue
            nodes, iteration, previous = nodes + _correction(engine, newton, h, defect), iteration + 1, worst
            continue
        change = _change(engine, _missed(engine, start, nodes, h), wanted)
        if change < TOO_LONG:
            nodes, light = _stretch(engine, start.residual, nodes, change), _stretch(engine, dim, light, change)
            h, iteration, previous, passes = h * change, 0, math.inf, 0
            uncut = h
            continue
        length = goal.next_length(h, _mean_loss(engine, (f + light.sum(axis=1) + bias)[-1]))
        if length is None:
            break
        nodes, light = _stretch(engine, start.residual, nodes, length / h), _stretch(engine, dim, light, length / h)
        h, iteration, previous, passes = length, 0, math.inf, 0
    else:
        return Step(status.TIME_STALLED, 0.0)
    powers, flat = _powers(engine, start.residual, nodes), _powers(engine, dim, light)
    bent = _bent(bends, 0.5 * h * start.reach, 1.0)
    # Of many switches number and weight, and what they bend, grow with the length: steps are better short than cut. A
    # few tell nothing about the next ones.
    room = (BENT_GOAL * tolerance / max(bent, 1e-9 * tolerance)) ** (1 / 3) if n_events > FEW else math.inf
    if h < uncut and (h > 0.05 * uncut or n_events > 0):
        # A much shorter step was cut by one heavy switch, which says nothing about the next one; but if it holds none,
        # an iteration that had gone astray saw switches that are not there, and would again.
        guess = min(1.25, room) * h if h > 0.05 * uncut else uncut
    else:
        guess = min(4.0, change, room) * h
    if n_events > RICH * engine.neurons.exponent.size:
        guess = min(guess, max(0.9 * foretold, SHORTEST_NEXT * h))
    left = Memory(powers, flat, h, newton, guess)
    return Step(status.CHUNK_DONE, h, nodes, n_events, goal.high < math.inf, left, n_heavy)


def _date_releases(engine, step, offset, events):
    """Date the releases of a step, whose field is still set, by the residual that the network has at these moments.

    They depend on the residual itself. Inside a step its polynomial misses it by far more than what that adds up to,
    because of kinks; those of releases do not even end a step, since velocities are continuous there. Light neurons
    are as well dated as they need to be.
    """
    s, heavy = engine.tables.nodes.size, engine.heavy.members[: engine.heavy.start[step.n_heavy]]
    released = (events[:, 3] == RELEASE) & np.isin(events[:, 1], heavy)
    # At the very start nothing is counted; a release there ought to have been found at the end of the step before.
    found, chosen = np.unique(np.maximum(events[released, 0], EPS)), np.unique(events[released, 1].astype(np.int64))
    apart = found[np.diff(found, prepend=-math.inf) > AT_ONCE]
    # Each pass carries all heavy neurons: where very many let go none of them matters.
    if apart.size > MOST_DATED * (s - 1):
        return
    # In the order in which neurons are carried here.
    rows = np.argsort(events[:, 1], kind="stable")
    rows = rows[np.isin(events[rows, 1], chosen)]
    before, scratch = events[rows, 0], np.empty_like(events)
    for first in range(0, apart.size, s - 1):
        # At the last node neurons are left.
        when = np.append(np.resize(apart[first : first + s - 1], s - 1), 1.0)
        probe = engine._replace(field=engine.field._replace(nodes=when))
        f = _carry(probe, engine.heavy, step.n_heavy, scratch, 0)[2]
        f = f + _bias(engine, step.nodes, step.length, offset, collocation.integrals(engine.tables.to_power, when))
        f = f + _values_at(step.memory.light, when).sum(axis=1)
        missed = _defect(engine, _values_at(np.tensordot(engine.tables.to_power, step.nodes, axes=1), when), f)
        field = probe.field._replace(
            missed_jump=np.empty_like(engine.field.jump), missed_base=np.empty_like(engine.field.base)
        )
        _spread(engine.problem, step.length * missed, field.missed_jump, field.missed_base)
        carry_alone(
            engine.problem, field, engine.room, engine.neurons, engine.moved, chosen, chosen.size, engine.plus,
            engine.total, scratch, np.zeros(1, dtype=np.int64),
        )  # fmt: skip
        dated = scratch[: rows.size, 0]
        events[rows, 0] = np.where(dated != before, dated, events[rows, 0])


def _accept(engine, moving, p):
    """Take over the ends of all neurons that moved, and keep their mantissas near 1.

    A neuron that has grown until |a|² - |w|² is below rounding is balanced from then on: were it to shrink again,
    that rounding would unbalance it.
    """
    neurons, moved = engine.neurons, engine.moved
    on = moving > 0
    switched = on & (moved.switches > 0)
    neurons.z[:, on] = moved.z[:, on]
    neurons.clear[on] = moved.clear[on]
    neurons.side[switched] = moved.side[switched]
    w, a = np.sqrt(np.sum(neurons.z[:p] ** 2, axis=0)), np.sqrt(np.sum(neurons.z[p:] ** 2, axis=0))
    balances = on & (neurons.sign == 0) & (np.abs(w - a) <= BALANCED * w)
    neurons.sign[balances] = np.where(neurons.z[p, balances] > 0.0, 1, -1)
    neuron_blocks.hash_patterns(neurons, (switched | balances).astype(np.int64))
    _, shift = np.frexp(np.maximum(w, a))
    far = (np.abs(shift) > MANTISSA) & (np.maximum(w, a) > 0.0)
    if np.any(far):
        neurons.z[:, far] = np.ldexp(neurons.z[:, far], -shift[far])
        neurons.exponent[far] += shift[far]


def _make_engine(problem, loss, tables, Z, E, sign, side, order, tolerance, trains):
    n, o = problem.labels.shape
    (H, p), m, s = problem.normals.shape, E.size, tables.nodes.size
    neurons = Neurons(np.ascontiguousarray(Z.T), E, sign, side, np.zeros(m, dtype=np.uint64), np.zeros(m))
    neuron_blocks.hash_patterns(neurons, np.ones(m, dtype=np.int64))
    room = make_room(H, p, o, s, order, DEEPEST)
    room.columns[:] = problem.normals.T
    silent = np.empty((n, o))
    losses.residuals(loss.kind, loss.parameter, loss.derivative, np.zeros((n, o)), problem.labels, silent)
    return Engine(
        problem,
        loss,
        tables,
        neurons,
        Moved(neurons.z.copy(), side.copy(), np.zeros(m), np.zeros(m, dtype=np.int64)),
        neuron_blocks.make_groups(m),
        (neuron_blocks.make_groups(m), neuron_blocks.make_groups(m)),
        neuron_blocks.make_blocks(H, p, o, s, order),
        room,
        Field(
            np.zeros((s, H, o)),
            np.zeros((s, p, o)),
            np.array([0.0, tolerance]),
            tables.nodes,
            np.zeros((s, H, o)),
            np.zeros((s, p, o)),
        ),
        np.zeros((s, H, o)),
        np.zeros((s, p, o)),
        np.abs(problem.stretch),
        silent,
        tolerance,
        trains,
    )


def advance(problem, loss, tables, Z, E, sign, side, offset, control, order, memory, times, loss_values, events):
    r"""Follow the flow until a goal is reached or the buffers are full.

    Parameters
    ----------
    problem, loss, tables : state_general.Problem, Loss, collocation.Tables
    Z, E, sign, side : (m, p + o) float64, (m,) int64, (m,) int64, (m, H) int8
        Neurons ``2^E (w, a)``; not 0 if balanced (with one output the sign of a); side of each boundary (0: held).
        Updated.
    offset : (o,) float64
        The output bias. Updated if it is trained.
    control : (6,) float64
        t_max, loss to stop at (negative: none), tolerance of a step, rate below which nothing moves, the length that
        the next step should try, which is updated, and whether (1) the output bias is trained.
    order : int
        Most terms of a neuron's Taylor series.
    memory : Memory
        What the step before left, or `NO_MEMORY`.
    times, loss_values : (capacity + 1,) float64
        ``times[0]`` is the start; filled.
    events : (capacity, 5) float64
        Filled with the switches: t, neuron, boundary, kind, weight.

    Returns
    -------
    status, n_steps, n_events : int
    memory : Memory
    """
    t_max, stop_loss, trains = control[0], control[1], control[5] > 0
    engine = _make_engine(problem, loss, tables, Z, E, sign, side, order, control[2], trains)
    memory, n_events, at_goal, why = memory._replace(guess=control[4]), 0, False, status.CHUNK_DONE
    for i in range(times.size):
        start = _look(engine, offset)
        loss_values[i] = start.loss
        left = t_max - times[i]
        if not (math.isfinite(start.loss) and np.all(np.isfinite(start.residual))):
            why = status.NOT_FINITE
        elif start.loss <= stop_loss or at_goal:
            why = status.REACHED_LOSS
        elif left <= 0:
            why = status.REACHED_T_MAX
        elif _at_rest(engine, start, offset, control[3]):
            why = status.STATIONARY
        if why != status.CHUNK_DONE or i == times.size - 1:
            break
        h = min(memory.guess, MOST_GROWTH / start.strongest if start.strongest > 0 else math.inf)
        if h == math.inf:
            h = LONGEST_STEP / max(start.masses.sum() * start.reach, start.noise)
        tried = min(h, left)
        before = engine.neurons.z.copy(), engine.neurons.exponent.copy()
        step = _take_step(engine, start, memory, tried, offset, stop_loss, events[n_events:])
        why = step.status
        if why != status.CHUNK_DONE:
            break
        times[i + 1] = t_max if step.length == left else times[i] + step.length
        if times[i + 1] <= times[i]:
            why = status.TIME_STALLED
            break
        fresh = events[n_events : n_events + step.n_events]
        _date_releases(engine, step, offset, fresh)
        fresh[:, 0] = times[i] + step.length * fresh[:, 0]
        n_events, memory, at_goal = n_events + step.n_events, step.memory, step.at_goal
        control[4] = memory.guess
        if trains:
            offset += step.length * (tables.integrals[-1] @ step.nodes.sum(axis=1))
        _accept(engine, start.moving, problem.normals.shape[1])
        if step.n_events == 0 and not at_goal and not trains:
            left = t_max - times[i + 1]
            leapt = leap(
                engine.neurons, *before, start.masses, start.moving, step.length, start.reach, start.noise,
                engine.tolerance, left,
            )  # fmt: skip
            times[i + 1] = t_max if leapt == left else times[i + 1] + leapt
    Z[:] = engine.neurons.z.T
    return why, i, n_events, memory
