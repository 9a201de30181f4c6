"""Runs of any flow kernel, chunk by chunk: progress, interrupts, saved times, and restart points within a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from reluquant.dynamics.progress import FlowProgress, Progress, reporting
from reluquant.kernels import status
from reluquant.structures.arrays import Floats
from reluquant.structures.recording import MOST_BYTES
from reluquant.structures.trajectory import End

# Steps, and switches, between two restart points: replaying them for `Trajectory.at` takes a few milliseconds.
CHUNK = 32
CHUNK_SWITCHES = 4096
# Steps times (neurons + inputs) between two returns to Python, where progress is shown and an interrupt is heard: some
# tenths of a second at most. Not a matter of the clock, so that a run can be repeated to the last bit.
CHUNK_WORK = 8192

State = tuple[np.ndarray, ...]
# Follows the flow from a state, which it updates, to a time at most: (state, t_max, times, losses, events) →
# (status, n_steps, n_events), as `flow_1d.advance`.
Advance = Callable[[State, float, Floats, Floats, Floats], tuple[int, int, int]]


class Chunk(NamedTuple):
    """Some steps: times and losses (the first repeats the end of the chunk before), switches, neurons at the end."""

    times: Floats
    losses: Floats
    events: Floats
    state: State | None
    # Whether a restart point was asked for at its end.
    asked: bool = False


class Run(NamedTuple):
    """What came of a run."""

    chunks: list[Chunk]
    end: End
    # To be completed with t, loss and steps.
    sentence: str

    @property
    def t(self) -> Floats:
        """Times of all steps."""
        return np.concatenate([self.chunks[0].times, *(chunk.times[1:] for chunk in self.chunks[1:])])

    @property
    def loss(self) -> Floats:
        """Losses at these times."""
        return np.concatenate([self.chunks[0].losses, *(chunk.losses[1:] for chunk in self.chunks[1:])])

    @property
    def events(self) -> Floats:
        """All switches by time, then by neuron."""
        events = np.concatenate([chunk.events for chunk in self.chunks])
        return events[np.lexsort((events[:, 1], events[:, 0]))]

    def restart_points(self) -> tuple[np.ndarray, ...]:
        """Times of the kept states, and each array of them stacked."""
        kept = [chunk for chunk in self.chunks if chunk.state is not None]
        times = np.array([chunk.times[-1] for chunk in kept])
        return times, *(np.stack([chunk.state[i] for chunk in kept]) for i in range(len(kept[0].state)))


# What each status of a kernel means for the run, in a sentence that names the remedy.
_ENDS = {
    status.REACHED_T_MAX: (End.T_MAX, "The flow reached t_max = {t:.6g} with loss {loss:.6g}."),
    status.REACHED_LOSS: (End.STOP_LOSS, "The flow reached loss {loss:.6g} at t = {t:.6g}."),
    status.STATIONARY: (End.STATIONARY, "The flow is stationary at t = {t:.6g} with loss {loss:.6g}."),
    status.TOO_MANY_SWITCHES: (
        End.FAILED,
        "One neuron switched more often in one step than all data points allow, at t = {t:.6g} (loss {loss:.6g});"
        " use a smaller rtol, and please report these data.",
    ),
    status.TIME_STALLED: (
        End.FAILED,
        "The next step at t = {t:.6g} (loss {loss:.6g}) is below the resolution of time;"
        " rescale the data so that inputs and labels are of order one.",
    ),
    status.NOT_FINITE: (
        End.FAILED,
        "The loss overflowed at t = {t:.6g}; rescale the data so that inputs and labels are of order one.",
    ),
}
_OUT_OF_STEPS = (
    "The flow took max_steps = {steps} steps and reached t = {t:.6g} with loss {loss:.6g};"
    " raise max_steps, or be content with less: set t_max, stop_loss or a larger rtol."
)
_INTERRUPTED = "The flow was interrupted at t = {t:.6g} with loss {loss:.6g}; this is what was reached."


def follow(
    advance: Advance,
    start: Chunk,
    *,
    work: int,
    t_max: float,
    save_at: Floats,
    max_steps: int,
    progress: Progress,
    room: int = CHUNK_SWITCHES,
) -> Run:
    """Call the kernel chunk by chunk; an interrupt loses at most the chunk in progress.

    ``work`` is what one step costs, in neurons; ``save_at`` ascending times, at each of which a step ends; ``room``
    the switches of a chunk for which there is room at first, at least.
    """
    chunks = [start]
    n_steps, room, asked = 0, max(room, 8 * work), list(save_at[::-1])
    most = max(1, min(CHUNK, CHUNK_WORK // work))
    try:
        with reporting(progress, "gradient flow") as report:
            # Each pass takes a step, passes an asked time, or enlarges the buffer, which a bounded number of switches
            # fills.
            while n_steps < max_steps:
                size, until = min(most, max_steps - n_steps), min(t_max, asked[-1]) if asked else t_max
                times, losses, events = np.empty(size + 1), np.empty(size + 1), np.empty((room, 5))
                times[0] = chunks[-1].times[-1]
                # On copies, so that whatever is in `chunks` stays whole when an interrupt arrives.
                state = tuple(array.copy() for array in chunks[-1].state)
                why, steps, n_events = advance(state, until, times, losses, events)
                if why == status.EVENTS_FULL and steps == 0:
                    room *= 4
                    continue
                n_steps, at_asked = n_steps + steps, why == status.REACHED_T_MAX and until < t_max
                if at_asked:
                    asked.pop()
                if steps > 0:
                    done = slice(0, steps + 1)
                    arrays = times[done].copy(), losses[done].copy(), events[:n_events].copy()
                    chunks.append(Chunk(*arrays, state, at_asked))
                    _thin(chunks)
                if why in _ENDS and not at_asked:
                    return Run(chunks, *_ENDS[why])
                report(FlowProgress(times[steps], losses[steps], n_steps))
    except KeyboardInterrupt:
        return Run(chunks, End.INTERRUPTED, _INTERRUPTED)
    return Run(chunks, End.MAX_STEPS, _OUT_OF_STEPS)


def _thin(chunks: list[Chunk]) -> None:
    """Forget the neurons of chunks that no replay needs; the first and the last are kept.

    Those between two restart points, and every other restart point once they take too many bytes.
    """
    kept = [i for i, chunk in enumerate(chunks) if chunk.state is not None]
    if len(kept) > 2 and not chunks[kept[-2]].asked:
        since = chunks[kept[-3] + 1 :]
        if sum(chunk.times.size - 1 for chunk in since) <= CHUNK and sum(map(_n_switches, since)) <= CHUNK_SWITCHES:
            chunks[kept[-2]] = chunks[kept[-2]]._replace(state=None)
            return
    if len(kept) * sum(array.nbytes for array in chunks[0].state) > MOST_BYTES:
        for i in kept[1:-1:2]:
            chunks[i] = chunks[i]._replace(state=None)


def _n_switches(chunk: Chunk) -> int:
    return len(chunk.events)
