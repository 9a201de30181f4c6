"""One run of the flow as a job that can be outdated, runs out of time, and says how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable

from reluquant.dynamics import general_flow, planar_flow
from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.views.sentences import number
from reluquant.widgets.runner import Job, Outdated

# A run reports that it is still at work no more often.
REPORT_SECONDS = 0.5
COMPILING = "Computing; the very first run compiles the integrator, once, which takes less than a minute …"


def flow_job(
    start: Callable[[], ShallowReLU],
    data: Dataset,
    *,
    rtol: float,
    max_seconds: float,
    say: Callable[[str], object],
    accept: Callable[[Trajectory, str], object],
) -> Job:
    """Return a job that computes a run.

    Parameters
    ----------
    start : callable
        Makes the network to start from.
    data : Dataset
        What to train on.
    rtol : float
        Tolerance of the run.
    max_seconds : float
        After that many seconds the run is stopped as it is. Compiling does not count.
    say : callable
        Called with a sentence while the run takes long.
    accept : callable
        Called with the run and a warning, which is empty if all is well; not called if the job was outdated.

    Returns
    -------
    callable
        For :class:`reluquant.widgets.runner.LatestJob`.
    """
    # One input and a bias has an integrator of its own.
    integrator = planar_flow if data.n_features == 1 and data.bias and data.y.ndim == 1 else general_flow

    def job(outdated: Outdated) -> None:
        began = reported = time.monotonic()
        late, compiling = False, not integrator.is_compiled()

        def progress(report: object) -> None:
            nonlocal began, reported, late, compiling
            now = time.monotonic()
            if compiling:
                # The first report comes after the compilation.
                compiling, began = False, now
            late = now - began > max_seconds
            if late or outdated():
                raise KeyboardInterrupt
            if now - reported > REPORT_SECONDS:
                reported = now
                say(f"Computing the flow: t = {number(report.t)}, loss {number(report.loss)} …")

        if compiling:
            say(COMPILING)
        run = gradient_flow(start(), data, rtol=rtol, progress=progress)
        if late:
            accept(run, f"The run was stopped after {max_seconds:g} seconds at t = {number(run.t[-1])}.")
        elif run.end != "interrupted" and not outdated():
            accept(run, "" if run.success else run.message)

    return job
