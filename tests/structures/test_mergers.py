"""Groups of merged neurons, taken apart again."""

from __future__ import annotations

import numpy as np
import pytest

from reluquant.structures.mergers import NO_MERGERS, Merger, Mergers, Rows, individuals, neurons_of
from reluquant.structures.switches import SWITCH_DTYPE, SwitchLog


def _ints(*values):
    return np.array(values, dtype=np.int64)


# Six neurons. First 1 and 3 become group 6 and neuron 5 comes to rest; then 0 and group 6 become group 7, 2 rests.
FIRST = Merger(
    _ints(1, 3), _ints(6, 6), np.array([0.6, 0.8]), _ints(0, -2),
    _ints(5), np.array([[0.0, -1.0, 2.0]]), _ints(-30), _ints(9),
)  # fmt: skip
SECOND = Merger(
    _ints(6, 0), _ints(7, 7), np.array([0.5, 0.25]), _ints(1, 0),
    _ints(2), np.array([[1.0, 1.0, 1.0]]), _ints(4), _ints(-1),
)  # fmt: skip
MERGERS = Mergers.of([FIRST, SECOND])


def test_every_neuron_is_told_from_its_group():
    rows = Rows(_ints(4, 7), np.array([[1.0, 2.0, 3.0], [4.0, 8.0, -16.0]]), _ints(0, 10), _ints(3, 15))
    mantissa, exponent, mode = individuals(rows, MERGERS, 2, 6)
    expected = {
        0: ([1.0, 2.0, -4.0], 10, 15),
        1: ([1.2, 2.4, -4.8], 11, 15),
        2: ([1.0, 1.0, 1.0], 4, -1),
        3: ([1.6, 3.2, -6.4], 9, 15),
        4: ([1.0, 2.0, 3.0], 0, 3),
        5: ([0.0, -1.0, 2.0], -30, 9),
    }
    for j, (z, e, place) in expected.items():
        np.testing.assert_allclose(mantissa[j], z)
        assert (exponent[j], mode[j]) == (e, place)


def test_before_a_merger_its_neurons_are_rows_of_their_own():
    rows = Rows(_ints(0, 2, 4, 6), np.arange(12.0).reshape(4, 3), _ints(0, 1, 2, 3), _ints(5, 6, 7, 8))
    mantissa, exponent, mode = individuals(rows, MERGERS, 1, 6)
    assert exponent.tolist() == [0, 3, 1, 1, 2, -30]
    assert mode.tolist() == [5, 8, 6, 8, 7, 9]
    np.testing.assert_allclose(mantissa[3], 0.8 * np.array([9.0, 10.0, 11.0]))


@pytest.mark.parametrize(
    ("nodes", "neurons", "which"),
    [
        ([7], [1, 3, 0], [0, 0, 0]),
        ([4, 6, 6, 2], [4, 1, 3, 1, 3, 2], [0, 1, 1, 2, 2, 3]),
        ([], [], []),
    ],
)
def test_the_neurons_of_a_node(nodes, neurons, which):
    found, of = neurons_of(_ints(*nodes), MERGERS, 6)
    assert sorted(zip(of, found, strict=True)) == sorted(zip(which, neurons, strict=True))


def test_without_mergers_every_node_is_a_neuron():
    assert NO_MERGERS.n_nodes(4) == 4
    assert neurons_of(_ints(3, 0), NO_MERGERS, 4)[0].tolist() == [3, 0]


def test_a_switch_of_a_group_is_one_of_each_of_its_neurons():
    events = np.array([[1.0, 4.0, 0.0, 0.0, 0.0], [2.0, 6.0, 1.0, 3.0, 0.0]])
    log = SwitchLog((events, np.array([[1.5, 0.0, 1.0, 2.0, 0.0]])), _ints(10, 20), 6, MERGERS)
    table = log.table()
    released = [(2.0, 1, 20, "release"), (2.0, 3, 20, "release")]
    assert table.tolist() == [(1.0, 4, 10, "on"), (1.5, 0, 20, "slide"), *released]
    again = SwitchLog.of(table, 6).table()
    assert again.tolist() == table.tolist()
    assert SwitchLog.of(np.empty(0, SWITCH_DTYPE), 6).table().size == 0
