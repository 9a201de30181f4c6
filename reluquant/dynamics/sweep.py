"""Many runs at once, on threads, processes or a cluster."""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from queue import Empty, SimpleQueue

from reluquant.dynamics.progress import SHOW_AFTER_SECONDS

# How long a cancelled sweep waits for runs that have been told to stop. Those that listen do so every few tenths of a
# second; one that does not must not keep a person waiting.
GRACE_SECONDS = 5.0
# How often the waiting sweep listens for an interrupt.
LISTEN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """How far a sweep is: runs that are over, of how many, and how many of them failed."""

    n_done: int
    n_runs: int
    n_failed: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SweepResult:
    """What the runs of :func:`reluquant.sweep` returned.

    Attributes
    ----------
    results : list
        One for each run, in the order of the arguments; None where it failed or was not made.
    failures : dict of int to Exception
        What went wrong, by the number of the run.
    cancelled : bool
        Whether the sweep was interrupted.
    ok : bool
        Whether every run returned.
    message : str
        The same in a sentence.

    Examples
    --------
    >>> import math, reluquant as rq
    >>> roots = rq.sweep(math.sqrt, [4.0, -1.0, 9.0], progress=False)
    >>> roots.results, roots.ok, roots.failures[1]
    ([2.0, None, 3.0], False, ValueError('math domain error'))
    """

    results: list
    failures: dict[int, Exception]
    cancelled: bool

    @property
    def ok(self) -> bool:
        """Whether every run returned."""
        return not self.cancelled and not self.failures

    @property
    def message(self) -> str:
        """What became of the runs, in a sentence."""
        n = len(self.results)
        if self.cancelled:
            returned = sum(result is not None for result in self.results)
            return f"The sweep was interrupted: {returned} of {n} runs returned, and {len(self.failures)} failed."
        if not self.failures:
            return f"All {n} runs returned."
        first = min(self.failures)
        error = self.failures[first]
        return f"{len(self.failures)} of {n} runs failed; run {first} with {type(error).__name__}: {error}"

    def __repr__(self) -> str:
        return f"SweepResult({self.message!r})"


def sweep(
    function: Callable,
    *arguments: object,
    executor: Executor | None = None,
    progress: bool | Callable[[SweepProgress], object] = True,
    **fixed: object,
) -> SweepResult:
    """Call a function with many arguments, several calls at a time.

    Parameters
    ----------
    function : callable
        Such as :func:`reluquant.gradient_flow`. If it has a parameter ``progress`` its own bar is switched off.
    *arguments : object
        A list, a tuple, a range or an iterator is mapped over: run i gets its i-th element, and several must have
        the same length. Anything else (a network, a dataset, a number, also an array) goes to every run as it is.
    executor : concurrent.futures.Executor, optional
        Where the calls are made: a ``ThreadPoolExecutor``, a ``ProcessPoolExecutor``, ``client.get_executor()`` of
        dask. It is left open. By default as many threads as there are cores, which compute at the same time.
    progress : bool or callable, default True
        True shows one bar over all runs when they take longer than two seconds. A function is called with a report
        (``.n_done``, ``.n_runs``, ``.n_failed``) after each run; it may raise KeyboardInterrupt to stop.
    **fixed : object
        Keyword arguments, which go to every run as they are, lists too.

    Returns
    -------
    SweepResult
        ``results`` in the order of the arguments, whatever the order in which the runs ended. A run that fails does
        not stop the others; it is in ``failures``. After an interrupt nothing new is begun; runs on threads that take
        a ``progress`` function are stopped, and what they return is kept; other runs that have begun go on in the
        background, and nobody waits for them.

    Raises
    ------
    TypeError, ValueError
        If nothing is mapped over, lengths differ, or an argument is not what is described here; before any run.

    Notes
    -----
    Each run does what it would do alone: give networks, or seeds, and not one shared random generator. To vary a
    keyword, wrap the call in a function of it. Processes and clusters need a function that they can import, and not a
    lambda.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> nets = [rq.ShallowReLU.balanced(n_neurons=20, scale=scale, rng=0) for scale in (1e-2, 1e-4, 1e-8)]
    >>> sweep = rq.sweep(rq.gradient_flow, nets, data, stop_loss=1e-6)
    >>> sweep.ok, [round(float(run.t[-1])) for run in sweep.results]
    (True, [10, 17, 30])
    """
    if not callable(function):
        raise TypeError(f"function must be callable, but it is {function!r}.")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor must be a concurrent.futures.Executor or None, but it is {executor!r}.")
    if not isinstance(progress, bool) and not callable(progress):
        raise TypeError(f"progress must be True, False or a function of one report, but it is {progress!r}.")
    runs = _runs(arguments)
    stop = threading.Event()
    listens = _takes_progress(function)
    if listens:
        in_process = executor is None or isinstance(executor, ThreadPoolExecutor)
        # A function cannot travel to another process, and could not be told there to stop.
        fixed = {**fixed, "progress": _Listener(stop) if in_process else False}
        listens = in_process
    if executor is not None:
        return _collect(executor, function, runs, fixed, progress, stop if listens else None)
    threads = ThreadPoolExecutor(max(1, min(len(runs), os.cpu_count() or 1)), thread_name_prefix="reluquant-sweep")
    try:
        return _collect(threads, function, runs, fixed, progress, stop if listens else None)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


class _Listener:
    """The ``progress`` of a run, by which a sweep can stop it."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def __call__(self, report: object) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt


def _runs(arguments: tuple[object, ...]) -> list[tuple]:
    """Return the positional arguments of every run."""
    mapped = {i: value for i, value in enumerate(arguments) if isinstance(value, list | tuple | range | Iterator)}
    if not mapped:
        raise TypeError("sweep needs a list (or a tuple, a range, an iterator) to map over, but no argument is one.")
    sized = [len(value) for value in mapped.values() if not isinstance(value, Iterator)]
    # One element more than fits tells a longer iterator from one of the same length, even an endless one.
    most = min(sized) + 1 if sized else None
    columns = {i: list(islice(value, most)) if isinstance(value, Iterator) else value for i, value in mapped.items()}
    lengths = [len(column) for column in columns.values()]
    if len(set(lengths)) > 1:
        found = " and ".join(map(str, lengths))
        raise ValueError(f"The lists that sweep maps over must have the same length, but they have {found} elements.")
    return [tuple(columns[i][run] if i in columns else value for i, value in enumerate(arguments))
            for run in range(lengths[0])]  # fmt: skip


def _takes_progress(function: Callable) -> bool:
    try:
        return "progress" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        # Some functions written in C do not tell.
        return False


def _call(run: int, function: Callable, arguments: tuple, fixed: dict) -> object:
    """Make one run. Its number makes calls with equal arguments differ, which dask would merge into one."""
    return function(*arguments, **fixed)


def _collect(
    executor: Executor,
    function: Callable,
    runs: list[tuple],
    fixed: dict,
    progress: bool | Callable[[SweepProgress], object],
    stop: threading.Event | None,
) -> SweepResult:
    """Submit all runs and take in what they return; ``stop`` tells those that listen to end."""
    results, failures, cancelled = [None] * len(runs), {}, False
    futures: dict[Future, int] = {}
    try:
        with _reporting(progress, len(runs)) as report:
            for run, arguments in enumerate(runs):
                try:
                    futures[executor.submit(_call, run, function, arguments, fixed)] = run
                except BrokenExecutor as error:
                    failures[run] = error
            # Runs that could not even be submitted are over.
            for n_done, future in enumerate(_as_they_end(futures), len(failures) + 1):
                _take(future, futures[future], results, failures)
                report(SweepProgress(n_done, len(runs), len(failures)))
    except KeyboardInterrupt:
        cancelled = True
        _cancel(futures, stop)
        for future, run in futures.items():
            if future.done() and not future.cancelled():
                # A run that was stopped and returns nothing is neither a result nor a failure.
                with suppress(KeyboardInterrupt):
                    _take(future, run, results, failures)
    except BaseException:
        _cancel(futures, stop)
        raise
    return SweepResult(results, failures, cancelled)


def _as_they_end(futures: Iterable[Future]) -> Iterator[Future]:
    ended = SimpleQueue()
    for future in futures:
        future.add_done_callback(ended.put)
    for _ in futures:
        found = None
        while found is None:
            # An interrupt is not heard everywhere while a thread waits without end.
            with suppress(Empty):
                found = ended.get(timeout=LISTEN_SECONDS)
        yield found


def _take(future: Future, run: int, results: list, failures: dict[int, Exception]) -> None:
    try:
        results[run] = future.result()
    except Exception as error:  # noqa: BLE001 - whatever a run raises is its own affair
        failures[run] = error


def _cancel(futures: Iterable[Future], stop: threading.Event | None) -> None:
    """Cancel what has not begun, and wait a little for what can be told to stop."""
    for future in futures:
        future.cancel()
    if stop is not None:
        stop.set()
        # A second interrupt ends the waiting.
        with suppress(KeyboardInterrupt):
            wait(futures, timeout=GRACE_SECONDS)


@contextmanager
def _reporting(
    progress: bool | Callable[[SweepProgress], object], n_runs: int
) -> Iterator[Callable[[SweepProgress], object]]:
    """Yield the function to call with each report: the user's own, a tqdm bar's, or one that does nothing."""
    if callable(progress):
        yield progress
        return
    if not progress:
        yield lambda report: None
        return
    from tqdm.auto import tqdm

    with tqdm(desc="sweep", total=n_runs, unit=" runs", delay=SHOW_AFTER_SECONDS, leave=False) as bar:

        def show(report: SweepProgress) -> None:
            if report.n_failed:
                bar.set_postfix_str(f"{report.n_failed} failed", refresh=False)
            bar.update(report.n_done - bar.n)

        yield show
