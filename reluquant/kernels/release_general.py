"""When boundaries no longer hold a neuron. See `neuron_alone`."""

from __future__ import annotations

from reluquant.kernels.box_lcp import ACTIVE, HELD, INACTIVE
from reluquant.kernels.exit_general import first_root, last_of
from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.polynomials import sign_changes
from reluquant.kernels.series_general import evaluate, inner, norm
from reluquant.kernels.state_general import NEVER

# Releases within this share of a step happen in the same field.
AT_ONCE = 1e-9


@lean_kernel
def sign_of(a):
    """Sign of the output weight (N + 1, 1) on a piece; where it starts from zero that of its first change."""
    for i in range(a.shape[0]):
        if a[i, 0] != 0.0:
            return 1.0 if a[i, 0] > 0.0 else -1.0
    return -1.0


@lean_kernel
def _multiplier(room, n_held, m, push):
    """Coefficient with which the m-th held boundary holds against a push (p,)."""
    # Back substitution from the last held boundary to the m-th.
    for l in range(n_held - 1, m - 1, -1):
        total = -inner(room.basis[l], push)
        for j in range(l + 1, n_held):
            total -= room.triangle[l, j] * room.goal[j]
        room.goal[l] = total / room.triangle[l, l]
    return room.goal[m]


@lean_kernel
def _fill_push(raw, a, sign, push):
    """Series of Γ a; for one output of Γ times the sign of a, which alone matters there."""
    s, p, o = raw.shape
    push[:] = 0.0
    for i in range(push.shape[0]):
        for l in range(min(i + 1, s)):
            if o == 1:
                if l == i:
                    for c in range(p):
                        push[i, c] = sign * raw[l, c, 0]
            else:
                for c in range(p):
                    for q in range(o):
                        push[i, c] += raw[l, c, q] * a[i - l, q]


@lean_kernel
def _jump_series(jump, h, start, length, a, sign, out):
    """Series of ``δ_h · a`` on a piece; for one output of δ_h times the sign of a."""
    s, o = jump.shape[0], jump.shape[2]
    out[:] = 0.0
    factor = length
    for l in range(s):
        for q in range(o):
            # The l-th Taylor coefficient at `start`.
            moved, choose, power = 0.0, 1.0, 1.0
            for i in range(l, s):
                moved += choose * power * jump[i, h, q]
                choose *= (i + 1.0) / (i + 1.0 - l)
                power *= start
            if o == 1:
                out[l] += sign * factor * moved
            else:
                for i in range(l, out.size):
                    out[i] += factor * moved * a[i - l, q]
        factor *= length


@lean_kernel
def _excess(jump, room, n_held, m, way, start, length, sign):
    """Write into ``room.series`` by how much the m-th held boundary fails to hold a neuron from the side ``way``.

    Where a starts from zero, all pushes do, and a share x of them is left out: what counts is which way they go.
    """
    for i in range(room.series.size):
        room.series[i] = _multiplier(room, n_held, m, room.push[i])
    if way == ACTIVE:
        _jump_series(jump, room.held[m], start, length, room.a, sign, room.roots)
        for i in range(room.series.size):
            room.series[i] = room.roots[i] - room.series[i]
    if room.a.shape[1] > 1 and norm(room.a[0]) == 0.0:
        for i in range(room.series.size - 1):
            room.series[i] = room.series[i + 1]
        room.series[-1] = 0.0


@lean_kernel
def first_release(jump, room, n_held, start, length, sign, noise, hi):
    """First moment x ∈ [0, hi] at which a boundary no longer holds: (x, index among the held ones, side it leaves to).

    The boundaries hold with coefficients c_i between 0 and δ_i · a; noise beyond these bounds decides nothing: a
    cluster that has converged on its sample is pushed by nothing else, and would be released over and over.
    """
    first, which, way = NEVER, -1, 0
    _fill_push(room.raw, room.a, sign, room.push)
    for m in range(n_held):
        slack = noise / room.triangle[m, m]
        if room.ignored[room.held[m]]:
            continue
        needed = 0.0
        for side in (INACTIVE, ACTIVE):
            _excess(jump, room, n_held, m, side, start, length, sign)
            needed = room.series[0] if side == INACTIVE else needed
            room.series[0] -= slack
            x = 0.0 if room.series[0] > 0.0 else first_root(room, min(first, hi))
            if 0.0 < x < first:
                # It is beyond noise there; it was released where it last passed the bound itself.
                room.series[0] += slack
                sign_changes(room.series, x, room.isolation, room.roots)
                x = last_of(room.roots)
            if x < first:
                # Both sides push away from a boundary that nothing pushes to its active side: with relu'(0) = 0 the
                # neuron does not begin to be active.
                first, which, way = x, m, INACTIVE if x == 0.0 and needed >= -slack else side
    return first, which, way


@lean_kernel
def true_release(problem, field, room, n_held, trigger, way, start, length, x):
    """When (τ) a boundary lets go by the true residual, if by the field it does so at x: one step of Newton's method.

    What the neuron moves by is continuous there, so that nothing else changes.
    """
    p, tau = room.w.shape[1], start + length * x
    node = _nearest(field.nodes, tau)
    if abs(field.nodes[node] - tau) > AT_ONCE:
        return tau
    m, sign = 0, sign_of(room.a)
    while room.held[m] != trigger:
        m += 1
    _excess(field.jump, room, n_held, m, way, start, length, sign)
    # It is zero at x, but where the field starts a step by having let go already.
    slope, value = 0.0, 0.0
    for i in range(room.series.size - 1, -1, -1):
        slope = slope * x + value
        value = value * x + room.series[i]
    # With one output the size of a does not matter (`_fill_push`).
    a, push = room.now[p:], room.driven
    if a.size == 1:
        a[0] = sign
    else:
        evaluate(room.a, x, a)
    for c in range(p):
        push[c] = inner(field.missed_base[node, c], a)
    for h in range(room.side.size):
        if room.side[h] == ACTIVE:
            here = inner(field.missed_jump[node, h], a)
            for c in range(p):
                push[c] += here * problem.normals[h, c]
    missed = _multiplier(room, n_held, m, push)
    if way == ACTIVE:
        missed = inner(field.missed_jump[node, trigger], a) - missed
    # The series are those of length · Γ.
    return min(1.0, max(start, tau - length * (value + length * missed) / slope)) if slope > 0.0 else tau


@lean_kernel
def _nearest(values, wanted):
    best = 0
    for i in range(values.size):
        if abs(values[i] - wanted) < abs(values[best] - wanted):
            best = i
    return best


@lean_kernel
def release_rate(problem, room, w, a, tau, size):
    """Rate at which the velocity starts to grow across boundaries that let go: of Γ a along their normals."""
    s, p, o = room.generator.shape
    fastest = 0.0
    for i in range(size):
        if room.before[i] != HELD or room.place[i] == HELD:
            continue
        normal, rate = problem.normals[room.listed[i]], 0.0
        for q in range(o):
            along, along_rate, turning = 0.0, 0.0, 0.0
            for c in range(p):
                value, slope = 0.0, 0.0
                for l in range(s - 1, -1, -1):
                    slope = slope * tau + value
                    value = value * tau + room.generator[l, c, q]
                along += normal[c] * value
                along_rate += normal[c] * slope
                turning += value * w[c]
            rate += along_rate * a[q] + along * turning
        fastest = max(fastest, abs(rate))
    return fastest
