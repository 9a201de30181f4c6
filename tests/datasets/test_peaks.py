"""The target with four peaks."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq


def test_the_target_is_that_of_the_published_experiments():
    data = rq.datasets.stewart(3000, rng=0)
    x, y = data.X[:, 0], data.y
    assert np.all(np.diff(x) > 0)
    assert -1 <= x[0] < x[-1] <= 1
    # Up 0.7 on 0.3, down 0.2 on 0.15, and so on: slopes and where they change.
    slopes = np.diff(y) / np.diff(x)
    for left, right, slope in [
        (-1, -0.7, 7 / 3), (-0.7, -0.55, -4 / 3), (-0.55, -0.4, 10 / 3), (-0.4, 0, -2.5),
        (0, 0.5, 2), (0.5, 0.6, -4), (0.6, 0.7, 1), (0.7, 1, -7 / 3),
    ]:  # fmt: skip
        inside = (x[:-1] > left) & (x[1:] < right)
        np.testing.assert_allclose(slopes[inside], slope, rtol=1e-6)
    assert y.max() <= 1


@pytest.mark.parametrize("seed", [0, 1])
def test_a_small_start_stops_short_with_fewer_kinks_than_the_target_has(seed):
    data = rq.datasets.stewart(rng=seed)
    net = rq.ShallowReLU.balanced(n_neurons=1000, scale=1e-8, rng=0)
    traj = rq.gradient_flow(net, data, progress=False)
    assert traj.stationary_point.kind == "spurious"
    assert traj.loss[-1] > 0.01
    assert rq.simplify(rq.piecewise_linear(traj.final), 1e-3, region=(-1, 1)).n_breakpoints < 7
