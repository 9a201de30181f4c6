"""The state of a flow with one input, and what of it is carried as one: width costs crossings, not steps."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from reluquant.kernels.sectors_1d import AT_REST
from reluquant.structures.arrays import Floats
from reluquant.structures.mergers import Merger

# Rows are merged when this share of them goes: each merger is a restart point, so let there be few.
LEAST_SHARE = 1.0 / 8.0


class PlanarState(NamedTuple):
    """What the kernel carries, a row for each neuron or group; see `flow_1d.advance` for the arrays.

    ``node`` (rows,) numbers what each row is (see `Merger`); ``mergers`` are those so far, ``n_nodes`` the nodes.
    """

    mantissa: Floats
    exponent: np.ndarray
    sign: np.ndarray
    mode: np.ndarray
    pace: Floats
    node: np.ndarray
    mergers: tuple[Merger, ...]
    n_nodes: int

    def copy(self) -> Self:
        """Return a state whose arrays may be changed."""
        arrays = (self.mantissa, self.exponent, self.sign, self.mode, self.pace, self.node)
        return type(self)(*(array.copy() for array in arrays), self.mergers, self.n_nodes)

    @property
    def nbytes(self) -> int:
        """Bytes that a restart point takes; mergers are shared by all."""
        return sum(array.nbytes for array in self[:6])

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.mode.size


def merged(state: PlanarState, n_points: int) -> PlanarState:
    """Carry balanced neurons of one sign on one ray as one from now on, and those at rest for good no more.

    Sliders on a ray are collinear; balanced ones are multiples of each other, and all that happens to them later
    happens to all alike: a group is their direction with the sum of their squares. Returns the state itself where
    that would save little.
    """
    rests = (state.mode == n_points) | (state.mode == AT_REST)
    ray = np.where((state.mode >= 2 * n_points) & (state.sign != 0), 2 * state.mode + (state.sign > 0), -1)
    _, first, which, count = np.unique(ray, return_index=True, return_inverse=True, return_counts=True)
    joins = (ray >= 0) & (count[which] > 1)
    groups = np.flatnonzero((ray[first] >= 0) & (count > 1))
    kept = ~(rests | joins)
    n_rows = np.count_nonzero(kept) + groups.size
    if n_rows == 0 or state.n_rows - n_rows < LEAST_SHARE * state.n_rows:
        return state
    number = np.full(count.size, -1)
    number[groups] = np.arange(groups.size)
    group, a, exponent = number[which[joins]], state.mantissa[joins, 2], state.exponent[joins]
    largest = np.full(groups.size, np.iinfo(np.int64).min)
    np.maximum.at(largest, group, exponent)
    shift = exponent - largest[group]
    # Squares that underflow are far below the rounding of the others.
    squares = np.ldexp(a, np.maximum(shift, -1000).astype(np.int32)) ** 2
    size = np.sqrt(np.bincount(group, weights=squares, minlength=groups.size))
    leader = first[groups]
    mantissa = state.mantissa[leader] * (size / np.abs(state.mantissa[leader, 2]))[:, None]
    node = state.n_nodes + np.arange(groups.size)
    merger = Merger(
        state.node[joins], node[group], np.abs(a) / size[group], shift,
        state.node[rests], state.mantissa[rests], state.exponent[rests], state.mode[rests],
    )  # fmt: skip
    return PlanarState(
        np.concatenate([state.mantissa[kept], mantissa]),
        np.concatenate([state.exponent[kept], largest]),
        np.concatenate([state.sign[kept], state.sign[leader]]),
        np.concatenate([state.mode[kept], state.mode[leader]]),
        state.pace,
        np.concatenate([state.node[kept], node]),
        (*state.mergers, merger),
        state.n_nodes + groups.size,
    )
