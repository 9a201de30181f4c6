"""An explorer that is closed after the test, with the widgets and threads that it used."""

import threading

import pytest

import reluquant as rq

DATA = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8])


def worker_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("reluquant")]


@pytest.fixture
def explorer():
    made = rq.explore(DATA, n_neurons=40, scale=1e-3)
    made.wait(120)
    yield made
    made.close()
