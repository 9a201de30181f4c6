"""Whether nothing moves in a network, and nothing that is there can grow. See `flow_general`."""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.jit import lean_kernel
from reluquant.kernels.neuron_alone import carry_alone
from reluquant.kernels.state_general import LIGHTEST
from reluquant.kernels.status import CHUNK_DONE

# Rounds of e^4 of turning for which a tiny neuron is followed; whoever then still turns has left a saddle more slowly
# than rounding would allow.
MOST_TURNS = 100
# A round that turns a neuron by less has ended where the next would.
STRAIGHT = 1e-9
# Neurons that are followed together: a network that is not at rest is found out by the first few.
BATCH = 16


@lean_kernel
def squared_speed(neurons, groups, n_groups, drive):
    """Squared velocity of all neurons, from the generators (≥ G, p, o) of their groups."""
    total, p, o = 0.0, drive.shape[1], drive.shape[2]
    for g in range(n_groups):
        for at in range(groups.start[g], groups.start[g + 1]):
            j = groups.members[at]
            if neurons.exponent[j] <= LIGHTEST:
                continue
            square = 0.0
            for c in range(p):
                value = 0.0
                for q in range(o):
                    value += drive[g, c, q] * neurons.z[p + q, j]
                square += value * value
            for q in range(o):
                value = 0.0
                for c in range(p):
                    value += drive[g, c, q] * neurons.z[c, j]
                square += value * value
            total += math.ldexp(square, 2 * int(neurons.exponent[j]))
    return total


def nothing_grows(problem, field, neurons, moved, groups, drive, feedback, room, slowest, noise, plus, total):
    """Whether no neuron, however small, can still grow in the frozen field.

    Each is followed until its rate of growth, ``wᵀ Γ a / |w||a|``, which never falls if it is balanced, is beyond
    ``slowest``, or until it has stopped turning. ``field`` is constant, for a step of length 1; it is overwritten.
    ``noise``: what rounding makes of Γ. ``drive`` (G, p, o): generators of the groups. ``feedback`` (m,): how strongly
    what a neuron changes acts back on it. A neuron at rest with more of that than drive is no tiny one: a frozen field
    would let its rounding grow where it is held (with several outputs Γ need not vanish there).
    """
    rates = np.sqrt(np.sum(drive**2, axis=(1, 2)))
    fast = rates > slowest
    if not np.any(fast):
        return True
    members = groups.members[: groups.start[len(drive)]]
    members = members[fast[groups.found[members]]]
    at_rest = _relative_speed(neurons.z[:, members], drive[groups.found[members]]) <= slowest
    members = members[~(at_rest & (feedback[members] >= rates[groups.found[members]]))]
    if members.size == 0:
        return True
    # Long enough for turning by e^4.
    h = 4.0 / rates.max()
    field.jump[0] *= h
    field.base[0] *= h
    field.jump[1:] = 0.0
    field.base[1:] = 0.0
    field.noise[0] = h * noise
    present = neurons._replace(
        z=neurons.z.copy(), side=neurons.side.copy(), exponent=np.full_like(neurons.exponent, 2 * LIGHTEST)
    )
    present.z[:, members] = _directions(present.z[:, members], problem.normals.shape[1])
    # Those that shrink the least are the first to grow, and one that grows is enough.
    members = members[np.argsort(-_growth(problem, field, present, members), kind="stable")]
    batches = (members[first : first + BATCH] for first in range(0, members.size, BATCH))
    work = problem, field, present, moved, room, plus, total
    return not any(_one_grows(batch, slowest * h, *work) for batch in batches)


def _one_grows(members, slowest, problem, field, present, moved, room, plus, total):
    """Whether one of the members grows before all have stopped turning."""
    p = problem.normals.shape[1]
    events = np.empty((16 * problem.normals.shape[0] * members.size + 4096, 5))
    for _ in range(MOST_TURNS):
        before = _directions(present.z[:, members], p)
        present.z[:, members] = before
        if np.any(_growth(problem, field, present, members) > slowest):
            return True
        tally = np.zeros(1, dtype=np.int64)
        why = carry_alone(
            problem, field, room, present, moved, members, members.size, plus, total, events, tally
        )  # fmt: skip
        # The next pattern may be driven so much more strongly that a neuron overflows there.
        if why != CHUNK_DONE or not np.all(np.isfinite(moved.z[:, members])):
            return True
        present.z[:, members] = moved.z[:, members]
        present.side[members] = moved.side[members]
        turned = np.max(np.abs(_directions(present.z[:, members], p) - before), axis=0)
        members = members[turned > STRAIGHT]
        if members.size == 0:
            return False
    return False


def _relative_speed(z, drive):
    """|dz/dt| / |z| of neurons (p + o, k) with generators (k, p, o)."""
    p = drive.shape[1]
    square = np.sum(np.einsum("jcq,qj->jc", drive, z[p:]) ** 2, axis=1)
    square += np.sum(np.einsum("jcq,cj->jq", drive, z[:p]) ** 2, axis=1)
    return np.sqrt(square / np.sum(z**2, axis=0))


def _directions(z, p):
    size = np.sqrt(np.sum(z[:p] ** 2, axis=0))
    return z / np.where(size > 0.0, size, 1.0)


def _growth(problem, field, neurons, members):
    """Rates of growth of neurons with |w| = 1."""
    p = problem.normals.shape[1]
    w, a = neurons.z[:p, members], neurons.z[p:, members]
    depth = (problem.normals @ w) * (neurons.side[members].T > 0)
    growth = np.einsum("hj,hq,qj->j", depth, field.jump[0], a) + np.einsum("cj,cq,qj->j", w, field.base[0], a)
    size = np.sqrt(np.sum(a**2, axis=0))
    return growth / np.where(size > 0.0, size, 1.0)
