"""The search for the fastest direction, against sectors that are enumerated and against brute force."""

import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.steepest_neuron import steepest_neuron


@pytest.mark.parametrize("seed", range(12))
def test_on_the_line_it_is_the_best_extremal_direction(seed):
    draw = np.random.default_rng(seed)
    data = rq.Dataset(draw.uniform(-2, 2, 7), draw.standard_normal(7))
    found = steepest_neuron(data.inputs, data.y[:, None] / 7, rng=np.random.default_rng(0))
    best = max(rq.extremal_directions(data), key=lambda direction: direction.rate)
    assert found.rate == pytest.approx(best.rate, rel=1e-6)
    assert found.output.tolist() == [best.sign]
    assert found.w == pytest.approx(best.direction, abs=1e-3)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_no_direction_of_many_is_better(n_outputs):
    draw = np.random.default_rng(3)
    inputs, r = draw.standard_normal((9, 4)), draw.standard_normal((9, n_outputs))
    found = steepest_neuron(inputs, r, rng=draw)
    tried = draw.standard_normal((20_000, 4))
    tried /= np.linalg.norm(tried, axis=1, keepdims=True)
    rates = np.linalg.norm(np.maximum(tried @ inputs.T, 0) @ r, axis=1)
    assert found.rate >= rates.max()
    assert found.rate < 1.1 * rates.max()


def test_rate_and_output_belong_to_the_direction():
    draw = np.random.default_rng(5)
    inputs, r = draw.standard_normal((30, 8)), draw.standard_normal((30, 4))
    found = steepest_neuron(inputs, r, rng=draw)
    growth = np.maximum(inputs @ found.w, 0) @ r
    assert np.linalg.norm(found.w) == pytest.approx(1.0)
    assert growth == pytest.approx(found.rate * found.output)


def test_nothing_grows_where_nothing_is_missed():
    found = steepest_neuron(np.eye(3), np.zeros((3, 2)), rng=np.random.default_rng(0))
    assert found.rate == 0.0
    assert not found.output.any()


@pytest.mark.parametrize("first", [3, 11, 20])
def test_a_cone_that_is_narrow_between_neighbours_is_found(first):
    # A second difference of neighbours: no hinge outside of them grows.
    y = np.zeros(25)
    y[first : first + 3] = 1.0, -2.0, 1.0
    data = rq.Dataset(np.linspace(-1, 1, 25), y)
    found = steepest_neuron(data.inputs, y[:, None] / 25, rng=np.random.default_rng(0))
    best = max(direction.rate for direction in rq.extremal_directions(data))
    assert found.rate == pytest.approx(best, rel=1e-6)
