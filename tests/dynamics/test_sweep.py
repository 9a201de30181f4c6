"""Many runs on threads, processes and a dask cluster: order, failures, interrupts."""

from __future__ import annotations

import dataclasses
import functools
import gc
import itertools
import math
import multiprocessing
import os
import pickle
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import reluquant as rq
from reluquant.dynamics import sweep as module
from reluquant.structures.stationary_point import StationaryPoint

DATA = rq.Dataset([-1.0, 0.2, 1.0], [-1.0, 0.5, 1.0])


def nets(n):
    return [rq.ShallowReLU.balanced(n_neurons=8, scale=1e-2, rng=seed) for seed in range(n)]


def quiet(*arguments, **options):
    return rq.sweep(*arguments, progress=False, **options)


# ------------------------------------------------------------------------------------------------ what is mapped


def test_results_are_in_the_order_of_the_arguments_whatever_ends_first():
    def late_first(delay):
        time.sleep(delay)
        return delay

    with ThreadPoolExecutor(3) as threads:
        found = quiet(late_first, [0.2, 0.1, 0.0], executor=threads)
    assert found.results == [0.2, 0.1, 0.0]
    assert (found.ok, found.cancelled, found.failures) == (True, False, {})
    assert found.message == "All 3 runs returned."


def test_lists_tuples_ranges_and_iterators_are_mapped_and_everything_else_is_not():
    array = np.arange(3.0)
    found = quiet(
        lambda *values, **fixed: (*values, fixed), [1, 2], ("a", "b"), range(2), iter("xy"), array, "word", keep=[7, 8]
    )
    for i, row in enumerate(found.results):
        assert row[:4] == ([1, 2][i], "ab"[i], i, "xy"[i])
        assert row[4] is array
        assert row[5:] == ("word", {"keep": [7, 8]})


@pytest.mark.parametrize("other", [[1], (1, 2, 3), iter([1]), itertools.count(), range(5)])
def test_lists_of_different_lengths_are_refused(other):
    with pytest.raises(ValueError, match="must have the same length, but they have 2 and"):
        quiet(max, [1, 2], other)


def test_no_runs_are_no_results():
    assert quiet(math.sqrt, []).results == []


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((math.sqrt, 4.0), {}, "needs a list"),
        ((math.sqrt,), {}, "needs a list"),
        ((3, [1]), {}, "function must be callable"),
        ((math.sqrt, [1]), {"executor": 4}, "executor must be"),
        ((math.sqrt, [1]), {"progress": "bar"}, "progress must be True, False or a function"),
    ],
)
def test_bad_input_is_one_clear_sentence(arguments, options, words):
    with pytest.raises(TypeError, match=words):
        rq.sweep(*arguments, **options)


def test_by_default_there_are_as_many_threads_as_cores():
    n = os.cpu_count()
    together = threading.Barrier(n)
    # Each run waits for all the others: with fewer threads the barrier would break.
    found = quiet(lambda i: together.wait(timeout=60), list(range(n)))
    assert found.ok, found.message


# ------------------------------------------------------------------------------------------------ the executors


def same_runs(found, starts):
    for run, net in zip(found.results, starts, strict=True):
        alone = rq.gradient_flow(net, DATA, t_max=5.0, progress=False)
        assert np.array_equal(run.final.W, alone.final.W)
        assert np.array_equal(run.loss, alone.loss)
        assert run.end == "t_max"


def test_flows_on_threads_are_the_flows_alone(capsys):
    starts = nets(5)
    same_runs(rq.sweep(rq.gradient_flow, starts, DATA, t_max=5.0), starts)
    assert capsys.readouterr().err == ""


def test_flows_in_processes_come_back_whole():
    starts = nets(3)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        found = quiet(rq.gradient_flow, starts, DATA, t_max=5.0, executor=processes)
        # A lambda cannot travel: each run says so, and the sweep returns.
        lost = quiet(lambda value: value, [1, 2], executor=processes)
    same_runs(found, starts)
    assert found.results[0].at(2.5).n_neurons == 8
    assert sorted(lost.failures) == [0, 1]
    assert "pickle" in str(lost.failures[0])


def test_processes_that_die_fail_their_runs_and_the_sweep_returns():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        found = quiet(os._exit, [1] * 4, executor=processes)
        # The pool is broken now, and takes no more runs.
        again = quiet(math.sqrt, [4.0, 9.0], executor=processes)
    assert found.results == [None] * 4
    assert sorted(found.failures) == [0, 1, 2, 3]
    assert sorted(again.failures) == [0, 1]


def test_an_executor_that_is_closed_is_the_callers_mistake():
    with ThreadPoolExecutor(1) as threads:
        pass
    with pytest.raises(RuntimeError, match="after shutdown"):
        quiet(math.sqrt, [4.0], executor=threads)


def test_flows_on_a_dask_cluster_come_back_in_order():
    from distributed import Client, LocalCluster

    starts = nets(4)
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster,
        Client(cluster) as client,
        client.get_executor() as executor,
    ):
        found = quiet(rq.gradient_flow, starts, DATA, t_max=5.0, executor=executor)
        mixed = quiet(math.sqrt, [4.0, -1.0, 9.0], executor=executor)
        # Equal calls are separate runs.
        ids = quiet(os.urandom, [8, 8], executor=executor)
    same_runs(found, starts)
    assert mixed.results == [2.0, None, 3.0]
    assert isinstance(mixed.failures[1], ValueError)
    assert ids.results[0] != ids.results[1]


# ------------------------------------------------------------------------------------------------ failures


def test_a_failure_is_kept_and_stops_nothing():
    found = quiet(math.sqrt, [1.0, -1.0, 4.0, "four"])
    assert found.results == [1.0, None, 2.0, None]
    assert {i: type(error) for i, error in found.failures.items()} == {1: ValueError, 3: TypeError}
    assert not found.ok
    assert found.message == f"2 of 4 runs failed; run 1 with ValueError: {found.failures[1]}"
    assert repr(found) == f"SweepResult({found.message!r})"


def test_bad_input_to_a_flow_is_a_failure_of_that_run_only():
    starts = nets(2)
    found = quiet(rq.gradient_flow, [starts[0], "net", starts[1]], DATA, t_max=1.0)
    assert [run is None for run in found.results] == [False, True, False]
    assert "net must be a ShallowReLU" in found.message


# ------------------------------------------------------------------------------------------------ progress and cancel


def test_progress_is_reported_after_every_run():
    reports = []
    rq.sweep(math.sqrt, [1.0, -1.0, 4.0], progress=reports.append)
    assert [report.n_done for report in reports] == [1, 2, 3]
    assert {report.n_runs for report in reports} == {3}
    assert reports[-1].n_failed == 1


def test_one_bar_over_all_runs_and_none_for_a_run(capsys, monkeypatch):
    monkeypatch.setattr(module, "SHOW_AFTER_SECONDS", 0.0)
    monkeypatch.setattr("reluquant.dynamics.progress.SHOW_AFTER_SECONDS", 0.0)
    monkeypatch.setattr("tqdm.auto.tqdm", __import__("tqdm").tqdm)
    rq.sweep(rq.gradient_flow, nets(3), DATA, t_max=5.0)
    shown = capsys.readouterr().err
    assert "sweep" in shown
    assert "/3" in shown
    assert "gradient flow" not in shown


def test_a_partial_of_a_flow_is_quiet_too(capsys, monkeypatch):
    monkeypatch.setattr("reluquant.dynamics.progress.SHOW_AFTER_SECONDS", 0.0)
    monkeypatch.setattr("tqdm.auto.tqdm", __import__("tqdm").tqdm)
    quiet(functools.partial(rq.gradient_flow, data=DATA, t_max=5.0), nets(2))
    assert capsys.readouterr().err == ""


def test_a_cancelled_sweep_keeps_what_it_has_and_begins_nothing_new():
    begun, gate = [], threading.Event()

    def run(i):
        begun.append(i)
        if i == 1:
            gate.wait(60)
        return i

    def stop(report):
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as threads:
        began = time.monotonic()
        found = rq.sweep(run, range(100), executor=threads, progress=stop)
        # A run that does not listen is not waited for.
        assert time.monotonic() - began < 30
        gate.set()
    assert found.cancelled
    assert not found.ok
    assert found.results[0] == 0
    assert found.results[2:] == [None] * 98
    assert len(begun) <= 3
    assert found.failures == {}
    assert "interrupted" in found.message


def test_flows_that_are_running_are_stopped_and_kept(monkeypatch):
    began = threading.Event()
    steps = itertools.count()

    def long(seed, *, progress):
        if seed == 0:
            return "short"

        def told(report):
            if next(steps) > 3:
                began.set()
            progress(report)

        net = rq.ShallowReLU.balanced(n_neurons=200, scale=1e-2, rng=seed)
        return rq.gradient_descent(net, DATA, lr=1e-4, n_steps=10**10, progress=told)

    def stop(report):
        began.wait(60)
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as threads:
        found = rq.sweep(long, range(6), executor=threads, progress=stop)
    assert found.cancelled
    ends = [run.end for run in found.results if isinstance(run, rq.Trajectory)]
    assert ends
    assert set(ends) == {"interrupted"}
    assert found.results[-1] is None


def test_an_interrupt_inside_a_run_cancels_the_sweep():
    gate = threading.Event()

    def run(i):
        if i == 1:
            raise KeyboardInterrupt
        if i > 1:
            gate.wait(60)
        return i

    with ThreadPoolExecutor(1) as threads:
        found = quiet(run, range(100), executor=threads)
        gate.set()
    assert found.cancelled
    assert found.results == [0] + [None] * 99
    assert found.failures == {}


def test_ctrl_c_in_the_main_thread_cancels():
    # The signal arrives while all runs wait; any thread may be the one that catches it. A process that was started in
    # the background ignores it, so the usual handler is set for the test.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    # Python swallows an interrupt that arrives inside a finalizer: none of what earlier tests left may run one now.
    gc.collect()
    released = threading.Event()
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        found = quiet(lambda i: released.wait(60), range(1000))
    finally:
        timer.cancel()
        released.set()
        signal.signal(signal.SIGINT, before)
    assert found.cancelled
    assert found.results == [None] * 1000


def test_an_error_of_the_progress_function_is_the_callers_and_cancels_the_rest():
    begun = []

    def broken(report):
        raise RuntimeError("no screen")

    with ThreadPoolExecutor(1) as threads, pytest.raises(RuntimeError, match="no screen"):
        rq.sweep(lambda i: (begun.append(i), time.sleep(0.01)), range(1000), executor=threads, progress=broken)
    assert len(begun) < 1000


# ------------------------------------------------------------------------------------------------ travelling


def test_a_pickled_trajectory_is_the_trajectory_without_what_it_cached():
    traj = rq.gradient_flow(nets(1)[0], DATA, t_max=5.0, progress=False)
    size = len(pickle.dumps(traj))
    _ = traj.final
    again = pickle.loads(pickle.dumps(traj))
    assert len(pickle.dumps(traj)) == size
    assert "final" not in vars(again)
    for name in ("t", "loss", "switches"):
        assert np.array_equal(getattr(again, name), getattr(traj, name))
        assert not getattr(again, name).flags.writeable
    assert not again.data.X.flags.writeable
    assert (again.end, again.message, again.rtol, repr(again)) == (traj.end, traj.message, traj.rtol, repr(traj))
    assert np.array_equal(again.at(3.21).W, traj.at(3.21).W)


def test_what_a_flow_says_about_its_end_travels_too():
    traj = rq.gradient_flow(nets(1)[0], DATA, t_max=5.0, progress=False)
    rest = StationaryPoint("spurious", [[0.6, 0.8]], [-1], [0.25], complete=False)
    again = pickle.loads(pickle.dumps(dataclasses.replace(traj, rest=lambda: (rest, ""))))
    found = again.stationary_point
    assert (found.kind, found.complete) == ("spurious", False)
    assert (found.missing.tolist(), found.signs.tolist(), found.rates.tolist()) == ([[0.6, 0.8]], [-1], [0.25])


def test_a_result_of_futures_is_collected_from_any_executor():
    class Immediate:
        """An executor that makes each call at once."""

        def submit(self, function, *arguments):
            future = Future()
            future.set_result(function(*arguments))
            return future

    assert quiet(math.sqrt, [4.0, 9.0], executor=Immediate()).results == [2.0, 3.0]
