import math

import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.relative_change import log10_relative_change


@pytest.mark.parametrize("scale", [1e-1, 1e-3, 1e-100, 1e-200])
def test_one_aligned_neuron_and_one_point_is_the_closed_form(scale):
    # w ∥ (1, 1) and a = |w| stay so, and end where a w·(1, 1) = √2 |w|² is the label.
    net = rq.ShallowReLU([[scale / math.sqrt(2)] * 2], [scale])
    traj = rq.gradient_flow(net, rq.Dataset([1.0], [3.0]), progress=False)
    expected = math.log10(math.sqrt(3 / math.sqrt(2)) - scale) - math.log10(scale)
    assert log10_relative_change(traj) == pytest.approx(expected, abs=1e-6)


def test_it_is_the_largest_change_on_the_way_and_not_the_last():
    net = rq.ShallowReLU([[0.5, 0.5]], [0.7])
    data = rq.Dataset([1.0], [3.0])
    traj = rq.gradient_descent(net, data, lr=0.05, momentum=0.9, n_steps=60, progress=False)
    norms = np.linalg.norm(traj.states(traj.t).W - net.W, axis=(1, 2)) / np.linalg.norm(net.W)
    found = log10_relative_change(traj, n_times=traj.t.size)
    assert found == pytest.approx(math.log10(norms.max()), abs=1e-12)
    assert norms[-1] < 0.9 * norms.max(), "descent with momentum overshoots"
    assert log10_relative_change(traj, n_times=1) == pytest.approx(math.log10(norms[-1]), abs=1e-12)


def test_nothing_moves_and_nothing_to_compare_with():
    data = rq.Dataset([1.0], [1.0])
    dead = rq.gradient_flow(rq.ShallowReLU([[-1.0, -1.0]], [1.0]), data, progress=False)
    assert log10_relative_change(dead) == -math.inf
    with pytest.raises(ValueError, match="n_times must be an integer of at least 1, but it is 0"):
        log10_relative_change(dead, n_times=0)
