"""How a long run tells how far it is: one adapter for all dynamics."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Timer

# A bar that flashes by for a run of milliseconds only disturbs.
SHOW_AFTER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FlowProgress:
    """How far a run is: time reached, loss there, steps taken."""

    t: float
    loss: float
    n_steps: int


@dataclass(frozen=True, slots=True)
class TrainingProgress(FlowProgress):
    """How far training is, and what there is of the run if asked for."""

    so_far: Callable[[], object]


Progress = bool | Callable[[FlowProgress], object]


@contextmanager
def reporting(progress: Progress, description: str) -> Iterator[Callable[[FlowProgress], object]]:
    """Yield the function to call with each report: the user's own, a tqdm bar's, or one that does nothing.

    Raises
    ------
    TypeError
        If ``progress`` is neither a bool nor callable.
    """
    if callable(progress):
        yield progress
        return
    if not isinstance(progress, bool):
        raise TypeError(f"progress must be True, False or a function of one report, but it is {progress!r}.")
    if not progress:
        yield lambda report: None
        return
    from tqdm.auto import tqdm

    with tqdm(desc=description, unit=" steps", delay=SHOW_AFTER_SECONDS, leave=False) as bar:

        def show(report: FlowProgress) -> None:
            bar.set_postfix_str(f"t={report.t:.4g}, loss={report.loss:.4g}", refresh=False)
            bar.update(report.n_steps - bar.n)

        yield show


@contextmanager
def announcing_compilation(progress: Progress, is_compiled: Callable[[], bool]) -> Iterator[None]:
    """Say that the compiler runs, where a bar was asked for and cannot move yet."""
    if progress is not True or is_compiled():
        yield
        return
    from tqdm.auto import tqdm

    def say() -> None:
        if not is_compiled():
            tqdm.write("reluquant compiles its integrator: less than a minute, once after installation.", sys.stderr)

    timer = Timer(SHOW_AFTER_SECONDS, say)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
