"""Rows made of a network and joined, against plain loops over exact numbers and numpy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import reluquant as rq
from reluquant.kernels import rows_1d, sectors_1d


def _points(x):
    x = np.asarray(x, float)
    return np.column_stack([x, np.full(x.size, 1 / x.size), np.zeros(x.size), np.hypot(x, 1)])


@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1.0, 1e90])
def test_rows_are_the_weights_in_mantissas_and_exponents(scale):
    net = rq.ShallowReLU.gaussian(n_neurons=50, scale=scale, rng=0)
    order = np.random.default_rng(1).permutation(50)
    Z, E, sign, _ = rows_1d.rows_of(_points([0.1, 0.5]), net.W.copy(), net.a.copy(), order, 1.0, -7)
    rows = np.column_stack([net.W, net.a])[order]
    for z, e, row in zip(Z, E, rows, strict=True):
        assert 0.5 <= np.abs(z).max() < 1.0
        assert [Fraction(v) * Fraction(2) ** (int(e) + 7) for v in z] == [Fraction(v) for v in row]
    assert np.all(sign == 0)


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1e90])
def test_balanced_rows_have_a_sign_and_sort_by_it_and_by_angle(scale):
    net = rq.ShallowReLU.balanced(n_neurons=300, scale=scale, rng=0)
    turn, sign = rows_1d.turns_of(net.W.copy(), net.a.copy()), np.sign(net.a)
    rows = rows_1d.rows_of(_points([0.1, 0.5]), net.W.copy(), net.a.copy(), np.arange(300), 1.5, 0)
    assert np.array_equal(rows[2], sign)
    # The same circular order as by the angle itself, from whatever direction on.
    angle = (np.arctan2(net.W[:, 1], net.W[:, 0]) + np.pi / 2) % (2 * np.pi)
    assert np.array_equal(np.argsort(turn), np.lexsort((angle, sign)))


def test_the_unbalanced_keep_their_order():
    net = rq.ShallowReLU.gaussian(n_neurons=30, scale=1.0, rng=1)
    turn = rows_1d.turns_of(net.W.copy(), net.a.copy())
    assert np.all(np.diff(turn) > 0)


def test_outputs_are_those_of_the_network():
    net, x = rq.ShallowReLU.balanced(n_neurons=500, scale=1.0, rng=3), np.linspace(-2, 2, 17)
    np.testing.assert_allclose(rows_1d.outputs_of(x, net.W.copy(), net.a.copy()), net(x), rtol=1e-12, atol=1e-12)


def test_who_joins_rests_or_stays():
    n = 3
    mode = np.array([6, 7, 6, n, 1, 6, sectors_1d.AT_REST, 7, 8, 6])
    sign = np.array([1, 0, 1, 1, -1, -1, 0, 0, 1, -1])
    which, n_kept, n_groups = rows_1d.which_join(sign, mode, n)
    # Alone on their rays: the one on 8; unbalanced: those on 7.
    assert (n_kept, n_groups) == (4, 2)
    groups = {frozenset(np.flatnonzero(which == g).tolist()) for g in range(n_groups)}
    assert groups == {frozenset({0, 2}), frozenset({5, 9})}
    assert np.flatnonzero(which == -2).tolist() == [3, 6]
    assert np.flatnonzero(which == -1).tolist() == [1, 4, 7, 8]


def test_squares_beyond_float64_join():
    Z, E = np.array([[3.0, 0.0, 3.0], [4.0, 0.0, 4.0], [1.0, 0.0, 1.0]]), np.array([-5000, -5000, -9000])
    ones = np.ones(3, np.int64)
    rows, joins, rests = rows_1d.joined(Z, E, ones, 6 * ones, np.arange(3), 0 * ones, 0, 1, 3)
    np.testing.assert_allclose(rows[0], [[5.0, 0.0, 5.0]], rtol=1e-15)
    assert rows[1].tolist() == [-5000]
    assert joins[0].tolist() == [0, 1, 2]
    assert joins[1].tolist() == [3, 3, 3]
    np.testing.assert_allclose(joins[2], [0.6, 0.8, 0.2], rtol=1e-15)
    assert joins[3].tolist() == [0, 0, -4000]
    assert rests[0].size == 0


def test_events_name_nodes():
    events = np.array([[0.5, 1.0, 2.0, 3.0, 9.0], [0.7, 0.0, 4.0, 1.0, 9.0], [np.nan] * 5])
    assert rows_1d.named(events, 2, np.array([40, 70])).tolist() == [[0.5, 70.0, 2.0, 3.0], [0.7, 40.0, 4.0, 1.0]]
