"""Distances of smooth and piecewise-linear functions, against closed forms and plain sampling."""

import numpy as np
import pytest

import reluquant as rq
from reluquant.studies.target_distance import longest_edge, planar_target_distance, target_distance

BOX = ((-1.0, 1.0), (0.0, 3.0))


def test_a_kink_between_nodes_of_the_grid_is_seen():
    place = 1 / 3
    roof = rq.PiecewiseLinear([0.0, place, 1.0], [0.0, 1.0, 0.0], [0.0, 3.0, -1.5, 0.0], [0.0, place, 1.0])
    sup, l2 = target_distance(np.zeros_like, roof, (0.0, 1.0))
    assert sup == 1.0
    assert l2 == pytest.approx(np.sqrt(1 / 3), rel=1e-12)


def test_in_the_plane_distances_of_a_network_are_those_of_a_fine_sample():
    net = rq.ShallowReLU.balanced(n_features=2, n_neurons=12, scale=1.0, rng=1)

    def saddle(x):
        return np.sin(2 * x[:, 0]) * x[:, 1]

    sup, l2 = planar_target_distance(saddle, rq.piecewise_linear(net, region=BOX), BOX)
    sides = [np.linspace(low, high, 1501) for low, high in BOX]
    fine = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)
    off = saddle(fine.reshape(-1, 2)).reshape(fine.shape[:2]) - net(fine.reshape(-1, 2)).reshape(fine.shape[:2])
    # Second derivatives along any line are at most 12 + 2: what the triangles may miss.
    missed = 14 * longest_edge(BOX) ** 2 / 6
    assert -missed <= sup - np.abs(off).max() < 1e-2
    integral = np.trapezoid(np.trapezoid(off**2, sides[1], axis=1), sides[0])
    assert l2 == pytest.approx(np.sqrt(integral), rel=1e-5)


def test_a_tip_in_the_plane_is_seen_wherever_it_is():
    tip = np.array([0.1234567, 1.7654321])
    X = np.array([[-1.0, 0.0], [1.0, 0.0], [1.0, 3.0], [-1.0, 3.0], tip])
    tent = rq.interpolate(rq.Dataset(X, [0.0, 0.0, 0.0, 0.0, 1.0]))
    sup, l2 = planar_target_distance(lambda x: np.zeros(len(x)), tent, BOX)
    assert sup == 1.0
    # Each of the four triangles integrates λ² to a sixth of its area, and they tile the box of area 6.
    assert l2 == pytest.approx(1.0, rel=1e-12)
