"""Moments over all triangulations against those of the list of them."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq
from tests.triangulation_problems import convex, grid, random_net, sets, squared_distance


@pytest.mark.parametrize("name", [name for name in sets() if name not in ("close to a line", "tiny")])
@pytest.mark.parametrize("labelled", [False, True])
def test_moments_are_those_of_all_triangulations(name, labelled):
    points = sets()[name] - sets()[name].mean(axis=0)
    net = random_net(len(name))
    labels = np.random.default_rng(1).standard_normal(len(points)) if labelled else None
    offsets = net(points) - labels if labelled else np.zeros(len(points))
    listed = [squared_distance(t, net, offsets) for t in rq.triangulations(points)]
    found = rq.triangulation_distances(points, net, labels=labels)
    assert found.count == len(listed)
    wanted = [np.mean(listed), np.var(listed), min(listed), max(listed)]
    np.testing.assert_allclose([found.mean, found.variance, found.least, found.most], wanted, rtol=1e-11, atol=1e-14)


def test_a_small_variance_beside_a_large_mean_is_not_cancelled():
    # Labels that miss the network by 1e4 everywhere but for one part in 1e8.
    points, net = convex(7) / 20 - [0.2, 0.9], random_net(3)
    offsets = 1e4 + 1e-4 * np.arange(7.0)
    found = rq.triangulation_distances(points, net, labels=net(points) - offsets)
    listed = [squared_distance(t, net, offsets) for t in rq.triangulations(points)]
    assert found.variance == pytest.approx(np.var(listed), rel=1e-4)
    assert found.variance < 1e-6 * found.mean**2


def test_the_nearest_of_more_triangulations_than_can_be_listed():
    points, net = grid(4, 5) - [1.5, 2.0], random_net(4, 12)
    found = rq.triangulation_distances(points, net)
    assert found.count == 2822648
    assert found.least == pytest.approx(rq.closest_triangulation(points, net).l2 ** 2, rel=1e-10)
    assert found.least < found.mean < found.most


def test_other_things_are_refused():
    with pytest.raises(ValueError, match="not all on a line"):
        rq.triangulation_distances([[0, 0], [1, 1], [2, 2]], random_net(0))
    with pytest.raises(ValueError, match="triangulation_distances takes a network of two features"):
        rq.triangulation_distances(grid(2, 2), rq.ShallowReLU([[1.0, 0.0]], [1.0]))
    with pytest.raises(ValueError, match="at most 22 points"):
        rq.triangulation_distances(convex(23), random_net(0))
