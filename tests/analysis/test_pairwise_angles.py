import math

import numpy as np

from reluquant.analysis.pairwise_angles import heaviest, pairwise_angles, similar_order


def test_angles_are_those_of_the_scalar_products_and_keep_their_digits_when_small():
    rng = np.random.default_rng(0)
    units = rng.standard_normal((20, 5))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    expected = [[math.acos(min(1.0, max(-1.0, float(u @ v)))) for v in units] for u in units]
    np.testing.assert_allclose(pairwise_angles(units), expected, atol=3e-8)
    near = np.array([[1.0, 0.0], [math.cos(1e-9), math.sin(1e-9)]])
    np.testing.assert_allclose(pairwise_angles(near)[0, 1], 1e-9, rtol=1e-6)


def test_neurons_of_one_direction_are_side_by_side():
    rng = np.random.default_rng(1)
    group = rng.integers(0, 4, 60)
    units = np.eye(4)[group] + 1e-3 * rng.standard_normal((60, 4))
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    ordered = group[similar_order(units)]
    assert np.count_nonzero(np.diff(ordered)) == 3
    assert sorted(similar_order(units)) == list(range(60))


def test_one_neuron_or_none_has_an_order():
    assert similar_order(np.zeros((0, 3))).tolist() == []
    assert similar_order(np.array([[1.0, 0.0]])).tolist() == [0]


def test_the_heaviest_are_found_and_ties_go_to_the_first():
    log_mass = np.array([1.0, 3.0, -np.inf, 3.0, 2.0, 3.0])
    assert heaviest(log_mass, 2).tolist() == [1, 3]
    assert heaviest(log_mass, 4).tolist() == [1, 3, 4, 5]
    assert heaviest(log_mass, 99).tolist() == [0, 1, 2, 3, 4, 5]
