"""Neurons that have merged and move as one, and how each is told from its group again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from reluquant.structures.arrays import Floats


class Merger(NamedTuple):
    """One regrouping of what the integrator carries: some join a group, some rest for good and are carried no more.

    Neurons are the nodes 0 … m - 1 of a forest; every group is a new node, numbered on from there.

    Attributes
    ----------
    member, group : ndarray of int, shape (k,)
        Nodes, and the new node that each is a part of from now on.
    share, shift : ndarray, shape (k,)
        A member is ``2^shift share`` times its group.
    resting : ndarray of int, shape (r,)
        Nodes that never move again.
    mantissa, exponent, mode : ndarray, shape (r, 3), (r,), (r,)
        What they are.
    """

    member: np.ndarray
    group: np.ndarray
    share: Floats
    shift: np.ndarray
    resting: np.ndarray
    mantissa: Floats
    exponent: np.ndarray
    mode: np.ndarray


# How many fields of a merger tell of those that join, and how many of those that rest.
_JOINS = 4


class Mergers(NamedTuple):
    """All mergers of a run, one after the other: the fields of `Merger`, joined.

    ``joined`` and ``rested``, shape (q + 1,), tell where each merger's entries begin.
    """

    joined: np.ndarray
    rested: np.ndarray
    member: np.ndarray
    group: np.ndarray
    share: Floats
    shift: np.ndarray
    resting: np.ndarray
    mantissa: Floats
    exponent: np.ndarray
    mode: np.ndarray

    @classmethod
    def of(cls, mergers: Sequence[Merger]) -> Self:
        """Join mergers, of which there may be none."""
        none = np.empty(0, dtype=np.int64)
        first = Merger(none, none, np.empty(0), none, none, np.empty((0, 3)), none, none)
        fields = (np.concatenate(parts) for parts in zip(first, *mergers, strict=True))
        sizes = [(len(merger.member), len(merger.resting)) for merger in mergers]
        starts = np.concatenate([np.zeros((1, 2), dtype=np.int64), np.cumsum(np.reshape(sizes, (-1, 2)), axis=0)])
        return cls(*starts.T.astype(np.int64).copy(), *fields)

    def merger(self, i: int) -> Merger:
        """Return one merger."""
        joins, rests = slice(*self.joined[i : i + 2]), slice(*self.rested[i : i + 2])
        fields = self[2:]
        return Merger(*(field[joins] for field in fields[:_JOINS]), *(field[rests] for field in fields[_JOINS:]))

    def n_nodes(self, n_neurons: int) -> int:
        """Return the number of neurons and groups."""
        return int(np.max(self.group, initial=n_neurons - 1)) + 1


NO_MERGERS = Mergers.of([])


class Rows(NamedTuple):
    """What the integrator carries: a neuron or group a row, ``2^exponent · mantissa`` is its (w, b, a)."""

    node: np.ndarray
    mantissa: Floats
    exponent: np.ndarray
    mode: np.ndarray


def individuals(rows: Rows, mergers: Mergers, n_mergers: int, n_neurons: int) -> tuple[Floats, np.ndarray, np.ndarray]:
    """Return mantissa, exponent and mode of every neuron; the first ``n_mergers`` mergers lead to these rows."""
    size = mergers.n_nodes(n_neurons)
    mantissa, exponent, mode = np.zeros((size, 3)), np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    mantissa[rows.node], exponent[rows.node], mode[rows.node] = rows.mantissa, rows.exponent, rows.mode
    for i in range(n_mergers - 1, -1, -1):
        merger = mergers.merger(i)
        group, resting = merger.group, merger.resting
        mantissa[resting], exponent[resting], mode[resting] = merger.mantissa, merger.exponent, merger.mode
        mantissa[merger.member] = merger.share[:, None] * mantissa[group]
        exponent[merger.member] = exponent[group] + merger.shift
        mode[merger.member] = mode[group]
    return mantissa[:n_neurons], exponent[:n_neurons], mode[:n_neurons]


def neurons_of(nodes: np.ndarray, mergers: Mergers, n_neurons: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all neurons of each node, node after node, and which of ``nodes`` each belongs to."""
    begin, count, flat = np.arange(n_neurons), np.ones(n_neurons, dtype=np.int64), np.arange(n_neurons)
    for i in range(len(mergers.joined) - 1):
        merger = mergers.merger(i)
        order = np.argsort(merger.group, kind="stable")
        members, which = merger.member[order], merger.group[order] - begin.size
        sizes = np.bincount(which, weights=count[members]).astype(np.int64)
        begin = np.append(begin, flat.size + np.cumsum(sizes) - sizes)
        flat = np.append(flat, flat[_stretches(begin[members], count[members])])
        count = np.append(count, sizes)
    return flat[_stretches(begin[nodes], count[nodes])], np.repeat(np.arange(nodes.size), count[nodes])


def _stretches(begin: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return count[0] numbers from begin[0] on, then count[1] from begin[1] on, and so forth."""
    return np.arange(np.sum(count)) + np.repeat(begin - (np.cumsum(count) - count), count)
