import threading
import time

from reluquant.widgets.runner import FRAMES_PER_SECOND, LatestJob, PacedDrawing
from tests.widgets.conftest import worker_threads


def test_the_newest_job_wins():
    done, started, release = [], threading.Event(), threading.Event()
    jobs = LatestJob(on_error=done.append)
    jobs.submit(lambda outdated: (started.set(), release.wait(5), done.append("first")))
    started.wait(5)
    for name in ("second", "third"):
        jobs.submit(lambda outdated, name=name: done.append(name))
    release.set()
    assert jobs.wait(5)
    assert done == ["first", "third"]


def test_a_running_job_learns_that_it_is_outdated_after_its_grace():
    seen, started = [], threading.Event()

    def job(outdated):
        started.set()
        began = time.monotonic()
        while not outdated() and time.monotonic() - began < 5:
            time.sleep(0.005)
        seen.append(time.monotonic() - began)

    jobs = LatestJob(on_error=seen.append, grace=0.2)
    jobs.submit(job)
    started.wait(5)
    jobs.submit(lambda outdated: None)
    assert jobs.wait(10)
    assert 0.2 <= seen[0] < 2


def test_cancel_gives_no_grace():
    seen, started = [], threading.Event()

    def job(outdated):
        started.set()
        began = time.monotonic()
        while not outdated() and time.monotonic() - began < 5:
            time.sleep(0.005)
        seen.append(time.monotonic() - began)

    jobs = LatestJob(on_error=seen.append, grace=60)
    jobs.submit(job)
    started.wait(5)
    jobs.cancel()
    assert jobs.wait(10)
    assert seen[0] < 2
    jobs.submit(lambda outdated: seen.append(outdated()))
    assert jobs.wait(5)
    assert seen[1] is False


def test_an_error_is_handed_on_and_the_next_job_runs():
    errors, done = [], []
    jobs = LatestJob(on_error=errors.append)
    jobs.submit(lambda outdated: 1 / 0)
    assert jobs.wait(5)
    jobs.submit(lambda outdated: done.append(1))
    assert jobs.wait(5)
    assert isinstance(errors[0], ZeroDivisionError)
    assert done == [1]


def test_closed_ones_take_no_work():
    done = []
    jobs, drawing = LatestJob(on_error=done.append), PacedDrawing(lambda: done.append(1), on_error=done.append)
    jobs.close()
    drawing.close()
    jobs.submit(lambda outdated: done.append(1))
    drawing.request()
    assert jobs.wait(1)
    assert drawing.wait(1)
    assert done == []


def test_drawing_keeps_its_pace_and_draws_the_last_request():
    drawn, state = [], [0]
    drawing = PacedDrawing(lambda: drawn.append((time.monotonic(), state[0])), on_error=drawn.append)
    for number in range(200):
        state[0] = number
        drawing.request()
        time.sleep(0.002)
    assert drawing.wait(5)
    assert drawn[-1][1] == 199
    seconds = drawn[-1][0] - drawn[0][0]
    assert len(drawn) <= FRAMES_PER_SECOND * seconds + 2
    assert len(drawn) >= 3


def test_drawing_goes_on_while_it_asks_to():
    left = [5]

    def draw():
        left[0] -= 1
        return left[0] > 0

    drawing = PacedDrawing(draw, on_error=left.append, frames_per_second=200)
    drawing.request()
    assert drawing.wait(5)
    assert left == [0]


def test_an_error_in_drawing_stops_it_until_asked_again():
    errors = []
    drawing = PacedDrawing(lambda: 1 / 0, on_error=errors.append)
    for _ in range(2):
        drawing.request()
        assert drawing.wait(5)
    assert [type(error) for error in errors] == [ZeroDivisionError] * 2


def test_no_thread_stays():
    drawing = PacedDrawing(lambda: False, on_error=print)
    drawing.request()
    assert drawing.wait(5)
    time.sleep(0.05)
    assert worker_threads() == []
