r"""One neuron in a given field, carried exactly through all its switches.

The field of a step is the residual as a polynomial in τ ∈ [0, 1]. In a fixed pattern the neuron obeys the linear ODE
``dw/dτ = Γ a``, ``da/dτ = Γᵀ w`` with the polynomial generator ``Γ(τ) = Σ_active r x̃ᵀ`` (p, o), so that it is a Taylor
series. A neuron that boundaries hold moves with Γ projected onto what is orthogonal to their normals.

Boundaries are hyperplanes with unit normals ν_h, one for all samples whose inputs are parallel. From the inactive (-1)
to the active (+1) side of boundary h the generator changes by ``ν_h δ_hᵀ`` (`Field.jump`).
"""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.box_lcp import ACTIVE, EPS, HELD, INACTIVE
from reluquant.kernels.exit_general import first_exit, first_root, keep_watch, spend
from reluquant.kernels.flight_general import fly
from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.release_general import first_release, sign_of, true_release
from reluquant.kernels.series_general import (
    conserve,
    copy_series,
    evaluate,
    expand,
    fill_generator,
    gap_of,
    inner,
    localise,
    norm,
    project_all,
    shorten,
    speed_at,
    sum_up,
    turning,
)
from reluquant.kernels.state_general import LIGHTEST, NEVER, OUTSIDE, TOGETHER, VANISHES
from reluquant.kernels.status import CHUNK_DONE, EVENTS_FULL, TOO_MANY_SWITCHES
from reluquant.kernels.switch_general import decide, is_dead, is_free, let_go, settle, vanish

# Which weights of a neuron pass zero.
NOTHING, INPUT, OUTPUT = range(3)


@lean_kernel
def _count_outputs(problem, room, nodes, start, length, end, factor, plus, total):
    """Add the neuron's share of all outputs at the nodes in (start, end].

    ``plus`` (s, H, o): Σ a (w·ν_h) over neurons on the active side. ``total`` (s, p, o): Σ w aᵀ.
    """
    p = problem.normals.shape[1]
    for i in range(nodes.size):
        if nodes[i] <= start or nodes[i] > end:
            continue
        x = (nodes[i] - start) / length
        evaluate(room.w, x, room.now[:p])
        evaluate(room.a, x, room.now[p:])
        for c in range(p):
            for q in range(room.now.size - p):
                total[i, c, q] += factor * room.now[c] * room.now[p + q]
        project_all(room.columns, room.side.size, room.now[:p], room.later)
        for q in range(room.now.size - p):
            weight = factor * room.now[p + q]
            for h in range(room.side.size):
                plus[i, h, q] += weight * room.later[h] if room.side[h] == ACTIVE else 0.0


@lean_kernel
def _first_flip(room, sign, n_held):
    """First moment at which the output weight of an unbalanced neuron that is held changes sign."""
    if sign != 0 or n_held == 0 or room.a.shape[1] > 1:
        return NEVER
    for i in range(room.series.size):
        room.series[i] = room.a[i, 0]
    return first_root(room, 1.0)


@lean_kernel
def _first_zero(room, sign, n_held):
    """First moment at which the w of an unbalanced neuron that can move along one line only passes zero."""
    if sign != 0 or n_held + 1 < room.w.shape[1]:
        return NEVER
    for i in range(room.series.size):
        room.series[i] = inner(room.w[i], room.w[0])
    return first_root(room, 1.0)


@lean_kernel
def _prepare_piece(problem, room, start, tolerance):
    """Series of the neuron from ``start`` on, as far as they converge quickly: (number of held boundaries, length)."""
    p = problem.normals.shape[1]
    n_held = settle(problem.normals, room)
    length = localise(room.generator, start, room.basis, n_held, room.raw, room.local)
    for c in range(p):
        room.w[0, c] = room.now[c]
    for q in range(room.a.shape[1]):
        room.a[0, q] = room.now[p + q]
    expand(room.local, room.w, room.a)
    length *= shorten(room, tolerance)
    return n_held, length


@lean_kernel
def _first_event(problem, field, room, sign, n_held, start, length, turn, size):
    """First event of a piece: (x, boundary, side it is released to, what passes zero)."""
    noise, weight = field.noise[0] * length, norm(room.a[0])
    then, trigger = first_exit(problem.normals, room, turn, noise * weight, OUTSIDE * size)
    away, zero = INACTIVE, NOTHING
    rest = _first_zero(room, sign, n_held)
    if rest <= then and rest < NEVER:
        # Where w passes zero it comes to all boundaries.
        then, zero, trigger = rest, INPUT, max(trigger, 0)
    if n_held > 0:
        flip = _first_flip(room, sign, n_held)
        if flip < then:
            then, trigger, zero = flip, room.held[0], OUTPUT
        loud = noise * (1.0 if room.a.shape[1] == 1 else weight if weight > 0.0 else norm(room.a[1]))
        x, m, way = first_release(field.jump, room, n_held, start, length, sign_of(room.a), loud, min(then, 1.0))
        if x < then:
            then, trigger, away, zero = x, room.held[m], way, NOTHING
    return then, trigger, away, zero


@lean_kernel
def travel(problem, field, room, sign, factor, plus, total):
    """Carry one neuron from τ = 0 to 1 through all its switches.

    ``room.now`` (p + o,), ``room.side`` and ``room.generator`` are those of the start, and are updated. If ``factor``
    is not 0, its outputs times factor are added to ``plus`` and ``total``. Switches are logged in ``room.log`` as
    (τ, boundary, kind, weight): the weight bounds the change of the rate of its outputs. Returns a status.
    """
    p = problem.normals.shape[1]
    room.ignored[:] = False
    room.counts[0], room.safe[0] = 0, 0.0
    start, plain = 0.0, True
    w, a = room.now[:p], room.now[p:]
    for _ in range(4 * room.log.shape[0]):
        if start >= 1.0 or is_dead(problem.two_sided, room.side) or norm(w) == 0.0:
            return CHUNK_DONE
        if room.counts[0] >= room.log.shape[0]:
            break
        if plain and is_free(room.side):
            start = fly(problem, field, room, start, sign, factor, plus, total)
            plain = False
            continue
        plain = True
        gap = gap_of(w, a)
        n_held, length = _prepare_piece(problem, room, start, field.noise[1])
        sum_up(room.w, room.counts[1], room.velocity)
        size, turn = max(norm(w) + norm(a), norm(room.velocity)), turning(room.w, room.counts[1])
        keep_watch(room, w, turn, TOGETHER * size / norm(w))
        project_all(room.close, room.counts[2], w, room.depth)
        project_all(room.close, room.counts[2], room.velocity, room.later)
        then, trigger, away, passes = _first_event(problem, field, room, sign, n_held, start, length, turn, size)
        part = min(then, 1.0)
        end = start + part * length
        if then > 1.0 and 1.0 - end < EPS:
            end = 1.0
        when = end
        if then <= 1.0 and passes == NOTHING and room.side[trigger] == HELD:
            when = true_release(problem, field, room, n_held, trigger, away, start, length, then)
        if factor != 0.0:
            _count_outputs(problem, room, field.nodes, start, length, end, factor, plus, total)
        evaluate(room.w, part, w)
        evaluate(room.a, part, a)
        conserve(w, a, gap, sign)
        start = end
        spend(room, turn)
        if then > 1.0:
            plain = not np.any(room.ignored)
            continue
        if passes == INPUT or norm(w) <= VANISHES * size:
            # Straight through w = 0, where all boundaries meet: with relu'(0) = 0 it stays there.
            vanish(room, start, trigger, speed_at(room.w, part) / length)
        elif passes == OUTPUT:
            # Both sides push away from here on.
            let_go(room, n_held, start)
        elif decide(problem, field, room, start, when, trigger, away, TOGETHER * size):
            room.ignored[:] = False
            settle(problem.normals, room)
        else:
            room.ignored[trigger], plain = True, False
    return TOO_MANY_SWITCHES


@lean_kernel
def _same(first, second):
    for h in range(first.size):  # noqa: SIM110 - compiled code has no generators
        if first[h] != second[h]:
            return False
    return True


@lean_kernel
def carry_alone(problem, field, room, neurons, moved, chosen, n_chosen, plus, total, events, n_events):
    """Carry the neurons ``chosen[:n_chosen]`` one by one, from ``neurons`` into ``moved``.

    Their outputs at the nodes are added to ``plus`` and ``total``; switches to ``events`` as (τ, neuron, boundary,
    kind, weight), ``n_events`` (1,) being updated. Returns a status.
    """
    for i in range(n_chosen):
        j = chosen[i]
        for c in range(room.now.size):
            room.now[c] = neurons.z[c, j]
        for h in range(room.side.size):
            room.side[h] = neurons.side[j, h]
        # Neurons of one pattern come one after the other, and share their generator.
        if i == 0 or not _same(room.side, neurons.side[chosen[i - 1]]):
            fill_generator(problem, field, room)
            copy_series(room.generator, room.first)
        else:
            copy_series(room.first, room.generator)
        factor = math.ldexp(1.0, 2 * int(neurons.exponent[j])) if neurons.exponent[j] > LIGHTEST else 0.0
        status = travel(problem, field, room, neurons.sign[j], factor, plus, total)
        if status != CHUNK_DONE:
            return status
        if n_events[0] + room.counts[0] > events.shape[0]:
            return EVENTS_FULL
        latest = 1.0
        for l in range(room.counts[0] - 1, -1, -1):
            # A release is dated anew, but not after what the neuron does next.
            latest = min(latest, room.log[l, 0])
            room.log[l, 0] = latest
        for l in range(room.counts[0]):
            row = events[n_events[0]]
            row[0], row[1], row[2], row[3] = room.log[l, 0], j, room.log[l, 1], room.log[l, 2]
            row[4] = factor * room.log[l, 3]
            n_events[0] += 1
        for c in range(room.now.size):
            moved.z[c, j] = room.now[c]
        moved.clear[j] = 0.0
        moved.switches[j] = room.counts[0]
        for h in range(room.side.size):
            moved.side[j, h] = room.side[h]
    return CHUNK_DONE
