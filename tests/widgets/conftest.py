"""An explorer that is closed after the test, with the widgets and threads that it used."""

import threading
import time

import pytest

import reluquant as rq

DATA = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8])


def worker_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("reluquant")]


def threads_left(seconds=20.0):
    """The worker threads that are left after a while: a computation that was called off ends by itself, soon."""
    deadline = time.monotonic() + seconds
    while worker_threads() and time.monotonic() < deadline:
        time.sleep(0.05)
    return worker_threads()


@pytest.fixture
def explorer():
    made = rq.explore(DATA, n_neurons=40, scale=1e-3)
    made.wait(120)
    yield made
    made.close()
