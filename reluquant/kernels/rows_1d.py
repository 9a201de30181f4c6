"""What a flow with one input carries, a row a neuron or group: made of a network, joined, named. See `flow_1d`."""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.sectors_1d import AT_REST, BALANCED, locate

# Squares further than this below the largest of a group are lost in its rounding, and must not underflow oddly.
LOWEST_SHIFT = -1000


@lean_kernel
def _sign(w, b, a):
    """Sign of a if a neuron is balanced, else 0."""
    norm = math.hypot(w, b)
    if norm > 0.0 and abs(norm - abs(a)) <= BALANCED * norm:
        return 1 if a > 0.0 else -1
    return 0


@kernel
def turns_of(W, a):
    """Return numbers that sort balanced neurons by sign and angle, and let the others keep their order."""
    turn = np.empty(a.size)
    for j in range(a.size):
        # A power of two, so that nothing underflows.
        size = max(abs(W[j, 0]), abs(W[j, 1]), abs(a[j]))
        unit = math.ldexp(1.0, -math.frexp(size)[1]) if 2.0**-1000 < size < 2.0**1000 else 1.0
        w, b = unit * W[j, 0], unit * W[j, 1]
        sign = _sign(w, b, unit * a[j])
        if sign != 0:
            # The way around a square instead of a circle: no trigonometry.
            way = b / (abs(w) + abs(b))
            turn[j] = 8.0 * sign + ((2.0 - way) if w < 0.0 else way)
        else:
            turn[j] = j / a.size
    return turn


@kernel
def rows_of(points, W, a, order, factor, shift):
    """Return the rows of a network times ``2^shift factor``, in this order.

    Returns
    -------
    mantissa, exponent, sign, mode : (m, 3), (m,), (m,), (m,)
        The largest of a mantissa is in [½, 1) times ``factor``; sign 0 where a neuron is not balanced.
    """
    m = a.size
    Z, E, sign, mode = np.empty((m, 3)), np.empty(m, np.int64), np.zeros(m, np.int64), np.empty(m, np.int64)
    for i in range(m):
        j = order[i]
        w, b, out = W[j, 0], W[j, 1], a[j]
        exponent = math.frexp(max(abs(w), abs(b), abs(out)))[1]
        # Two halves, because 2^1074 alone overflows.
        half = -(exponent // 2)
        first, second = math.ldexp(1.0, half), math.ldexp(1.0, -exponent - half)
        Z[i, 0], Z[i, 1], Z[i, 2], E[i] = w * first * second, b * first * second, out * first * second, exponent + shift
        sign[i] = _sign(Z[i, 0], Z[i, 1], Z[i, 2])
    locate(points, Z, mode)
    for i in range(m):
        Z[i, 0], Z[i, 1], Z[i, 2] = factor * Z[i, 0], factor * Z[i, 1], factor * Z[i, 2]
    return Z, E, sign, mode


@kernel
def outputs_of(x, W, a):
    """Return the output of a network at each input."""
    outputs = np.zeros(x.size)
    for j in range(a.size):
        w, b, out = W[j, 0], W[j, 1], a[j]
        for k in range(x.size):
            outputs[k] += out * max(w * x[k] + b, 0.0)
    return outputs


@kernel
def which_join(sign, mode, n):
    """Tell of each row whether it stays as it is (-1), rests for good (-2), or which group it joins.

    Groups are two or more balanced rows of one sign on one ray. Returns (which, number of rows that stay, of groups).
    """
    count, which = np.zeros(4 * n, np.int64), np.full(mode.size, -1)
    n_kept, n_groups = 0, 0
    for j in range(mode.size):
        if mode[j] >= 2 * n and sign[j] != 0:
            which[j] = 2 * (mode[j] - 2 * n) + (sign[j] > 0)
            count[which[j]] += 1
        elif mode[j] == n or mode[j] == AT_REST:
            which[j] = -2
        else:
            n_kept += 1
    for key in range(4 * n):
        n_kept += count[key] == 1
        # From here on the number of the group.
        count[key] = n_groups if count[key] > 1 else -1
        n_groups += count[key] >= 0
    for j in range(mode.size):
        if which[j] >= 0:
            which[j] = count[which[j]]
    return which, n_kept, n_groups


@kernel
def joined(Z, E, sign, mode, node, which, n_kept, n_groups, n_nodes):
    """Join rows as `which_join` says; new groups are the nodes from ``n_nodes`` on.

    Returns
    -------
    rows : mantissa, exponent, sign, mode, node
        Those that stay, then the groups: direction of their first, and the sum of their squares.
    joins : node, node of the group, share, shift
        A member is ``2^shift share`` times its group.
    rests : node, mantissa, exponent, mode
    """
    m, size = mode.size, n_kept + n_groups
    n_rest = 0
    for j in range(m):
        n_rest += which[j] == -2
    n_join = m - n_rest - n_kept
    mantissa, exponent, signs = np.empty((size, 3)), np.empty(size, np.int64), np.empty(size, np.int64)
    modes, nodes = np.empty(size, np.int64), np.empty(size, np.int64)
    member, group, share, shift = (
        np.empty(n_join, np.int64),
        np.empty(n_join, np.int64),
        np.empty(n_join),
        np.empty(n_join, np.int64),
    )
    resting, rest_Z = np.empty(n_rest, np.int64), np.empty((n_rest, 3))
    rest_E, rest_mode = np.empty(n_rest, np.int64), np.empty(n_rest, np.int64)
    leader, squares = np.full(n_groups, -1), np.zeros(n_groups)
    for j in range(m):
        g = which[j]
        if g >= 0:
            if leader[g] < 0:
                leader[g] = j
                exponent[n_kept + g] = E[j]
            exponent[n_kept + g] = max(exponent[n_kept + g], E[j])
    for j in range(m):
        g = which[j]
        if g >= 0:
            squares[g] += math.ldexp(Z[j, 2], max(E[j] - exponent[n_kept + g], LOWEST_SHIFT)) ** 2
    for g in range(n_groups):
        j, i = leader[g], n_kept + g
        scale = math.sqrt(squares[g]) / abs(Z[j, 2])
        mantissa[i, 0], mantissa[i, 1], mantissa[i, 2] = scale * Z[j, 0], scale * Z[j, 1], scale * Z[j, 2]
        signs[i], modes[i], nodes[i] = sign[j], mode[j], n_nodes + g
    i, l, r = 0, 0, 0
    for j in range(m):
        g = which[j]
        if g >= 0:
            member[l], group[l], shift[l] = node[j], n_nodes + g, E[j] - exponent[n_kept + g]
            share[l] = abs(Z[j, 2]) / math.sqrt(squares[g])
            l += 1
        elif g == -1:
            mantissa[i, 0], mantissa[i, 1], mantissa[i, 2] = Z[j, 0], Z[j, 1], Z[j, 2]
            exponent[i], signs[i], modes[i], nodes[i] = E[j], sign[j], mode[j], node[j]
            i += 1
        else:
            resting[r], rest_E[r], rest_mode[r] = node[j], E[j], mode[j]
            rest_Z[r, 0], rest_Z[r, 1], rest_Z[r, 2] = Z[j, 0], Z[j, 1], Z[j, 2]
            r += 1
    rows = mantissa, exponent, signs, modes, nodes
    return rows, (member, group, share, shift), (resting, rest_Z, rest_E, rest_mode)


@kernel
def named(events, n_events, node):
    """Return the first events (time, node, point, kind): of nodes instead of rows, without their weights."""
    kept = np.empty((n_events, 4))
    for i in range(n_events):
        kept[i, 0], kept[i, 1] = events[i, 0], node[int(events[i, 1])]
        kept[i, 2], kept[i, 3] = events[i, 2], events[i, 3]
    return kept
