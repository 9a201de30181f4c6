import math

import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.growth_rate import growth_rate, with_basins


@pytest.mark.parametrize("bias", [True, False])
def test_growth_is_the_sum_over_active_samples(bias):
    rng = np.random.default_rng(0)
    data = rq.Dataset(rng.normal(size=(6, 2)), rng.normal(size=6), bias=bias)
    u = rng.normal(size=(20, 2 + bias))
    expected = [sum(r * max(float(v @ x), 0.0) for r, x in zip(data.y, data.inputs, strict=True)) for v in u]
    np.testing.assert_allclose(growth_rate(u, data, data.y), expected, atol=1e-14)


def test_rates_of_extremal_directions_are_growth_rates():
    data = rq.Dataset([-1.2, -0.3, 0.4, 1.5], [1.0, -1.4, 0.8, -0.2])
    for e in rq.extremal_directions(data):
        assert e.rate == pytest.approx(e.sign * growth_rate([e.direction], data, data.y / 4)[0], abs=1e-15)


@pytest.mark.parametrize("seed", range(4))
def test_neurons_of_a_basin_without_bias_get_there(seed):
    rng = np.random.default_rng(seed)
    data = rq.Dataset(rng.normal(size=(5, 2)), rng.normal(size=5), bias=False)
    residual = data.y / 5
    angle = np.linspace(-math.pi, math.pi, 181)[:-1] + 1e-3
    for sign in (1, -1):
        net = rq.ShallowReLU(np.column_stack([np.cos(angle), np.sin(angle)]), np.full(180, float(sign)), bias=False)
        found = rq.predict_alignment(net, data)
        directions = with_basins(found.directions, data, residual)
        aligned = found.direction >= 0
        assert np.any(aligned)
        for place, index in zip(angle[aligned], found.direction[aligned], strict=True):
            begin, end = directions[index].basin
            assert (place - begin) % math.tau <= end - begin


def test_basins_that_are_known_stay():
    data = rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0])
    found = rq.extremal_directions(data)
    assert with_basins(found, data, data.y / 3) == tuple(found)
