"""The state of a flow with one input, and what of it is carried as one: width costs crossings, not steps."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from reluquant.kernels import rows_1d
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
    which, n_kept, n_groups = rows_1d.which_join(state.sign, state.mode, n_points)
    n_rows = n_kept + n_groups
    if n_rows == 0 or state.n_rows - n_rows < LEAST_SHARE * state.n_rows:
        return state
    rows, joins, rests = rows_1d.joined(*state[:4], state.node, which, n_kept, n_groups, state.n_nodes)
    return PlanarState(
        *rows[:4], state.pace, rows[4], (*state.mergers, Merger(*joins, *rests)), state.n_nodes + n_groups
    )
