"""One small run that all view tests look at."""

import pytest

import reluquant as rq


@pytest.fixture(scope="session")
def run():
    data = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8], name="zigzag")
    net = rq.ShallowReLU.balanced(n_neurons=60, scale=1e-6, rng=0)
    return rq.gradient_flow(net, data, stop_loss=1e-8, progress=False)
