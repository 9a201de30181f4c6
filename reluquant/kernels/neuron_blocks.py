r"""Many neurons at once in a given field: those that provably keep their pattern, in blocks that the processor likes.

Neurons with the same pattern form a *group* and share their generator. Of a group's neurons 64 at a time are expanded
into Taylor series; the Bernstein form of w bounds how far each turns, and those that stay clear of every boundary are
done. All others go through `neuron_alone.travel`. What neurons add to the outputs is collected per group.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.kernels.box_lcp import ACTIVE, HELD
from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.release_general import first_release
from reluquant.kernels.series_general import conserve, copy_series, gap_of, project, project_all, span_held
from reluquant.kernels.state_general import LIGHTEST, OUTSIDE
from reluquant.kernels.switch_general import is_dead

# Neurons, and groups, that are handled together: their arrays stay in the processor's cache.
BLOCK = 64
# A block's series span at most this many e-foldings; a little more than `series_general.MOST_GROWTH`, to which steps
# are limited by their start.
WIDEST = 2.5


class Groups(NamedTuple):
    """Neurons by pattern: group g has ``members[start[g] : start[g + 1]]``, all like its first."""

    members: np.ndarray
    start: np.ndarray
    table: np.ndarray
    found: np.ndarray


@kernel
def make_groups(m):
    """Allocate room for sorting m neurons."""
    slots = 8
    while slots < 2 * m:
        slots *= 2
    return Groups(np.zeros(m, np.int64), np.zeros(m + 1, np.int64), np.zeros(slots, np.int64), np.zeros(m, np.int64))


class Blocks(NamedTuple):
    """Working arrays; G = B = ``BLOCK``.

    mask (G, H), turned (H, G): patterns. generator (G, s·p·o): Γ; driven: the same, projected where held.
    generators (H, s·p·o): what each boundary adds. collected (G, s·p·o): Σ w aᵀ at the nodes; spread (H, s·p·o).
    series (N+1, p+o, B), hull (N+1, p, B), field (s·p·o, B), node (s, p+o, B).
    """

    mask: np.ndarray
    turned: np.ndarray
    generator: np.ndarray
    driven: np.ndarray
    generators: np.ndarray
    collected: np.ndarray
    spread: np.ndarray
    series: np.ndarray
    hull: np.ndarray
    field: np.ndarray
    node: np.ndarray
    release: np.ndarray
    turn: np.ndarray
    one: np.ndarray
    rates: np.ndarray
    one_rates: np.ndarray
    majorant: np.ndarray


@kernel
def make_blocks(H, p, o, s, order):
    """Allocate the working arrays."""
    size = s * p * o
    return Blocks(
        np.zeros((BLOCK, H)),
        np.zeros((H, BLOCK)),
        np.zeros((BLOCK, size)),
        np.zeros((BLOCK, size)),
        np.zeros((H, size)),
        np.zeros((BLOCK, size)),
        np.zeros((H, size)),
        np.zeros((order + 1, p + o, BLOCK)),
        np.zeros((order + 1, p * BLOCK)),
        np.zeros((size, BLOCK)),
        np.zeros((s, p + o, BLOCK)),
        np.zeros(BLOCK),
        np.zeros(BLOCK),
        np.zeros(p + o),
        np.zeros(s),
        np.zeros(s),
        np.zeros(2 * order + 2),
    )


@kernel
def _multiply(first, second, out):
    np.dot(first, second, out)


@lean_kernel
def hash_patterns(neurons, chosen):
    """Hash the patterns of the neurons with ``chosen[j] > 0`` into their keys."""
    for j in range(chosen.size):
        if chosen[j] > 0:
            neurons.key[j] = _pattern_key(neurons.side[j], neurons.sign[j])


@lean_kernel
def _pattern_key(side, sign):
    """Hash of a pattern; for a held neuron also of the sign of a balanced one, which decides when it is released."""
    key, held = np.uint64(14695981039346656037), False
    for value in side:
        key = (key ^ np.uint64(value + 2)) * np.uint64(1099511628211)
        held |= value == HELD
    return (key ^ np.uint64(sign + 5)) * np.uint64(1099511628211) if held else key


@lean_kernel
def group_by_key(neurons, chosen, wanted, groups):
    """Sort the neurons with ``chosen[j] == wanted`` by pattern into ``groups``; returns the number of groups.

    64 random bits tell patterns apart: with 10⁴ of them two are confused once in 10¹¹ runs.
    """
    table, found, mask = groups.table, groups.found, groups.table.size - 1
    table[:] = -1
    n_groups = 0
    for j in range(chosen.size):
        if chosen[j] != wanted:
            continue
        place = np.int64(neurons.key[j] >> np.uint64(20)) & mask
        while table[place] >= 0 and neurons.key[groups.members[table[place]]] != neurons.key[j]:
            place = (place + 1) & mask
        if table[place] < 0:
            table[place] = n_groups
            # Until all are counted, `members` keeps the first of each group.
            groups.members[n_groups], groups.start[n_groups] = j, 0
            n_groups += 1
        found[j] = table[place]
        groups.start[table[place]] += 1
    total = 0
    for g in range(n_groups):
        total, groups.start[g] = total + groups.start[g], total
    groups.start[n_groups] = total
    for j in range(chosen.size):
        if chosen[j] == wanted:
            g = found[j]
            groups.members[groups.start[g]] = j
            groups.start[g] += 1
    for g in range(n_groups, 0, -1):
        groups.start[g] = groups.start[g - 1]
    groups.start[0] = 0
    return n_groups


@lean_kernel
def _fill_masks(neurons, groups, first, n, blocks):
    """Write the patterns of n groups from the first one on."""
    for g in range(n):
        side = neurons.side[groups.members[groups.start[first + g]]]
        for h in range(side.size):
            on = 1.0 if side[h] == ACTIVE else 0.0
            blocks.mask[g, h], blocks.turned[h, g] = on, on
    for g in range(n, BLOCK):
        blocks.mask[g] = 0.0
        blocks.turned[:, g] = 0.0


@lean_kernel
def fill_generators(problem, field, blocks):
    """What each boundary adds to a generator (H, s·p·o)."""
    s, H, o = field.jump.shape
    p = problem.normals.shape[1]
    for h in range(H):
        at = 0
        for l in range(s):
            for c in range(p):
                for q in range(o):
                    blocks.generators[h, at] = field.jump[l, h, q] * problem.normals[h, c]
                    at += 1


@lean_kernel
def _generate(problem, field, neurons, groups, first, n, blocks, room):
    """Generators of n groups, projected where a boundary holds, and when it releases (balanced, one output)."""
    s, p, o = field.base.shape
    _fill_masks(neurons, groups, first, n, blocks)
    _multiply(blocks.mask, blocks.generators, blocks.generator)
    base = field.base.reshape(s * p * o)
    for g in range(n):
        j = groups.members[groups.start[first + g]]
        for i in range(base.size):
            blocks.generator[g, i] += base[i]
            blocks.driven[g, i] = blocks.generator[g, i]
        blocks.release[g] = np.inf
        n_held = span_held(problem.normals, neurons.side[j], room.basis, room.triangle, room.held)
        if n_held == 0:
            continue
        project(blocks.driven[g].reshape((s, p, o)), room.basis, n_held)
        blocks.release[g] = -1.0
        if o == 1 and neurons.sign[j] != 0:
            copy_series(blocks.generator[g].reshape((s, p, o)), room.raw)
            room.ignored[:] = False
            x, _, _ = first_release(
                field.jump, room, n_held, 0.0, 1.0, float(neurons.sign[j]), field.noise[0], 1.0
            )
            blocks.release[g] = x


@lean_kernel
def _terms(blocks, n, s, tolerance):
    """Terms that the series of n groups need: those of a majorant, ``m' = Σ_l |Γ_l| τ^l m``, beyond are negligible.

    Groups whose generator is too strong for one series are marked to be carried alone.
    """
    majorant, rates = blocks.majorant, blocks.rates
    most = blocks.series.shape[0] - 1
    per = blocks.driven.shape[1] // s
    rates[:] = 0.0
    for g in range(n):
        strong = 0.0
        for l in range(s):
            square = 0.0
            for i in range(l * per, (l + 1) * per):
                square += blocks.driven[g, i] ** 2
            blocks.one_rates[l] = math.sqrt(square)
            strong += blocks.one_rates[l] / (l + 1)
        if strong > WIDEST:
            blocks.release[g] = -1.0
            continue
        for l in range(s):
            rates[l] = max(rates[l], blocks.one_rates[l])
    majorant[0] = 1.0
    order = 1
    for i in range(majorant.size - 1):
        total = 0.0
        for l in range(min(i + 1, s)):
            total += rates[l] * majorant[i - l]
        majorant[i + 1] = total / (i + 1)
        if majorant[i + 1] > tolerance:
            order = i + 1
    if order > most:
        blocks.release[:n] = -1.0
    return min(order, most)


@lean_kernel
def _expand_block(blocks, n, order, s, p, o):
    """Taylor series of n neurons at once."""
    for i in range(order):
        share = 1.0 / (i + 1)
        for c in range(p):
            out = blocks.series[i + 1, c]
            out[:] = 0.0
            for l in range(min(i + 1, s)):
                for q in range(o):
                    rate, other = blocks.field[(l * p + c) * o + q], blocks.series[i - l, p + q]
                    for b in range(n):
                        out[b] += rate[b] * other[b]
            for b in range(n):
                out[b] *= share
        for q in range(o):
            out = blocks.series[i + 1, p + q]
            out[:] = 0.0
            for l in range(min(i + 1, s)):
                for c in range(p):
                    rate, other = blocks.field[(l * p + c) * o + q], blocks.series[i - l, c]
                    for b in range(n):
                        out[b] += rate[b] * other[b]
            for b in range(n):
                out[b] *= share


@lean_kernel
def _turn_block(blocks, n, order, p):
    """Bound of how far each of n neurons turns (see `neuron_alone`), by the Bernstein form of w."""
    hull, choose = blocks.hull, 1.0
    for i in range(order + 1):
        row, factor = hull[i], 1.0 / choose
        for c in range(p):
            source = blocks.series[i, c]
            for b in range(n):
                row[c * BLOCK + b] = factor * source[b]
        choose *= (order - i) / (i + 1.0)
    for k in range(1, order + 1):
        for j in range(order, k - 1, -1):
            row, left = hull[j], hull[j - 1]
            for e in range(row.size):
                row[e] += left[e]
    for b in range(n):
        start = 0.0
        for c in range(p):
            start += hull[0, c * BLOCK + b] ** 2
        worst = 0.0
        for i in range(1, order + 1):
            part, across = 0.0, 0.0
            for c in range(p):
                part += hull[i, c * BLOCK + b] * hull[0, c * BLOCK + b]
            if not part > 0.0:
                worst = np.inf
                break
            share = part / start
            for c in range(p):
                across += (hull[i, c * BLOCK + b] - share * hull[0, c * BLOCK + b]) ** 2
            worst = max(worst, across * start / (part * part))
        blocks.turn[b] = math.sqrt(worst)


@lean_kernel
def _bow(blocks, b, order, p):
    """Bound of the distance of w(τ) from the chord between its ends, at the same share of the way."""
    total = 0.0
    for i in range(2, order + 1):
        square = 0.0
        for c in range(p):
            square += blocks.series[i, c, b] ** 2
        # τ - τ² is at most a quarter, other τ - τⁱ at most one.
        total += (0.25 if i == 2 else 1.0) * math.sqrt(square)
    return total


@lean_kernel
def _length(column):
    square = 0.0
    for value in column:
        square += value * value
    return math.sqrt(square)


@lean_kernel
def _nearest(columns, side, w, depth):
    """Distance of w from the nearest boundary that does not hold it; negative beyond one."""
    project_all(columns, side.size, w, depth)
    nearest = np.inf
    for h in range(side.size):
        nearest = min(nearest, side[h] * depth[h] if side[h] != HELD else np.inf)
    return nearest


@lean_kernel
def _keeps_its_side(blocks, columns, side, z, depth, last, b, order, p):
    """Whether a neuron provably stays on its sides of all boundaries; its distances from them at both ends, over |w|.

    The ends see each boundary from its side, and the path strays from the chord by less than they are away.
    """
    size = _length(z[:p])
    before = _nearest(columns, side, z[:p], depth) - OUTSIDE * size
    for c in range(p):
        last[c] = blocks.node[-1, c, b]
    end = _length(last[:p])
    after = _nearest(columns, side, last[:p], depth) - OUTSIDE * end
    turn = blocks.turn[b]
    stays = turn * size < before or min(before, after) > _bow(blocks, b, order, p)
    return stays, before / size, after / end


@lean_kernel
def _nodes_block(blocks, nodes, n, order):
    """Values of the series at the nodes (the last is τ = 1)."""
    for i in range(nodes.size):
        for c in range(blocks.series.shape[1]):
            out = blocks.node[i, c]
            out[:] = 0.0
            for l in range(order, -1, -1):
                term = blocks.series[l, c]
                for b in range(n):
                    out[b] = out[b] * nodes[i] + term[b]


@lean_kernel
def _load(blocks, neurons, groups, found, at, n, first, s, p, o):
    """Fetch n neurons from position ``at`` of the members on, with their generators."""
    for b in range(n):
        j = groups.members[at + b]
        g = found[j] - first
        for c in range(p + o):
            blocks.series[0, c, b] = neurons.z[c, j]
        for i in range(s * p * o):
            blocks.field[i, b] = blocks.driven[g, i]


@lean_kernel
def _collect(blocks, b, g, factor, s, p, o):
    at = 0
    for i in range(s):
        for c in range(p):
            for q in range(o):
                blocks.collected[g, at] += factor * blocks.node[i, c, b] * blocks.node[i, p + q, b]
                at += 1


@lean_kernel
def _keep(blocks, neurons, moved, j, b, s, p):
    """Take over the end of a neuron that kept its pattern."""
    last = blocks.one
    for c in range(last.size):
        last[c] = neurons.z[c, j]
    gap = gap_of(last[:p], last[p:])
    for c in range(last.size):
        last[c] = blocks.node[s - 1, c, b]
    conserve(last[:p], last[p:], gap, neurons.sign[j])
    for c in range(last.size):
        moved.z[c, j] = last[c]
    moved.switches[j] = 0


@lean_kernel
def carry_blocks(problem, field, neurons, moved, groups, n_groups, blocks, room, tolerance, plus, total, alone):
    """Carry all neurons of the groups that provably keep their pattern over the step, from ``neurons`` into ``moved``.

    Their outputs at the nodes are added to ``plus`` and ``total`` (see `neuron_alone`). The others are listed in
    ``alone`` (m,); returns their number.
    """
    s, p, o = field.base.shape
    n_alone = 0
    for first in range(0, n_groups, BLOCK):
        n = min(BLOCK, n_groups - first)
        _generate(problem, field, neurons, groups, first, n, blocks, room)
        order = _terms(blocks, n, s, tolerance)
        blocks.collected[:] = 0.0
        stop = groups.start[first + n]
        for at in range(groups.start[first], stop, BLOCK):
            size = min(BLOCK, stop - at)
            _load(blocks, neurons, groups, groups.found, at, size, first, s, p, o)
            _expand_block(blocks, size, order, s, p, o)
            _turn_block(blocks, size, order, p)
            _nodes_block(blocks, field.nodes, size, order)
            for b in range(size):
                j = groups.members[at + b]
                g = groups.found[j] - first
                stays = blocks.release[g] > 1.0
                turn = blocks.turn[b]
                if turn < neurons.clear[j]:
                    moved.clear[j] = (neurons.clear[j] - turn) / math.sqrt(1.0 + turn * turn)
                elif stays:
                    stays, neurons.clear[j], moved.clear[j] = _keeps_its_side(
                        blocks, room.columns, neurons.side[j], neurons.z[:, j], room.depth, room.goal, b, order, p
                    )
                if stays:
                    _keep(blocks, neurons, moved, j, b, s, p)
                    if neurons.exponent[j] > LIGHTEST:
                        _collect(blocks, b, g, math.ldexp(1.0, 2 * int(neurons.exponent[j])), s, p, o)
                else:
                    alone[n_alone] = j
                    n_alone += 1
        _spread(problem, blocks, n, s, p, o, plus, total)
    return n_alone


@lean_kernel
def _spread(problem, blocks, n, s, p, o, plus, total):
    """Add what n groups have collected to the outputs."""
    _multiply(blocks.turned, blocks.collected, blocks.spread)
    at = 0
    for i in range(s):
        for c in range(p):
            for q in range(o):
                for h in range(problem.normals.shape[0]):
                    plus[i, h, q] += problem.normals[h, c] * blocks.spread[h, at]
                for g in range(n):
                    total[i, c, q] += blocks.collected[g, at]
                at += 1


@lean_kernel
def outputs_now(problem, neurons, groups, n_groups, blocks, plus, total):
    """Fill ``plus[0]`` and ``total[0]`` with the present outputs (see `neuron_alone`)."""
    p, o = total.shape[1], total.shape[2]
    plus[0] = 0.0
    total[0] = 0.0
    for first in range(0, n_groups, BLOCK):
        n = min(BLOCK, n_groups - first)
        _fill_masks(neurons, groups, first, n, blocks)
        blocks.collected[:] = 0.0
        for at in range(groups.start[first], groups.start[first + n]):
            j = groups.members[at]
            if neurons.exponent[j] <= LIGHTEST:
                continue
            factor, g = math.ldexp(1.0, 2 * int(neurons.exponent[j])), groups.found[j] - first
            for c in range(p):
                for q in range(o):
                    blocks.collected[g, c * o + q] += factor * neurons.z[c, j] * neurons.z[p + q, j]
        _spread(problem, blocks, n, np.int64(1), p, o, plus, total)


@lean_kernel
def drives_now(problem, field, neurons, groups, n_groups, blocks, room, drive):
    """Write Γ of each group at the start of a step into ``drive`` (≥ G, p, o), projected where boundaries hold."""
    p, o = drive.shape[1], drive.shape[2]
    flat, base = drive.reshape((drive.shape[0], p * o)), field.base[0].reshape(p * o)
    for g in range(n_groups):
        side = neurons.side[groups.members[groups.start[g]]]
        row = flat[g]
        for i in range(row.size):
            row[i] = base[i]
        for h in range(side.size):
            if side[h] == ACTIVE:
                for i in range(row.size):
                    row[i] += blocks.generators[h, i]
        n_held = span_held(problem.normals, side, room.basis, room.triangle, room.held)
        if n_held > 0:
            project(drive[g : g + 1], room.basis, n_held)


@lean_kernel
def mark_moving(problem, neurons, chosen):
    """Set ``chosen[j]`` to 0 for neurons that never move (dead, or w = 0), else to 1."""
    p = problem.normals.shape[1]
    for j in range(chosen.size):
        vanished = True
        for c in range(p):
            vanished &= neurons.z[c, j] == 0.0
        chosen[j] = 0 if vanished or is_dead(problem.two_sided, neurons.side[j]) else 1
