"""Runs of any flow kernel, chunk by chunk: progress, interrupts, saved times, and restart points within a bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

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

# What an integrator carries: opaque here, but for its ``nbytes``.
State = Any


class Advance(NamedTuple):
    """What became of a state: ``regrouped`` where it holds the neurons in another way than before."""

    state: State
    why: int
    n_steps: int
    events: Floats
    regrouped: bool = False


class Chunk(NamedTuple):
    """Some steps: times and losses (the first repeats the end of the chunk before), switches, neurons at the end."""

    times: Floats
    losses: Floats
    events: Floats
    state: State | None
    # Whether its end must stay a restart point while memory allows: it was asked for, or a replay could not pass it.
    pinned: bool = False


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
    def events(self) -> tuple[Floats, ...]:
        """Switches of each chunk, as the integrator told them."""
        return tuple(chunk.events for chunk in self.chunks)

    @property
    def restart_points(self) -> list[tuple[float, State]]:
        """Times and states from which the integrator can go on."""
        return [(chunk.times[-1], chunk.state) for chunk in self.chunks if chunk.state is not None]


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
    advance: Callable[[State, float, Floats, Floats, int], Advance],
    start: Chunk,
    *,
    work: Callable[[State], int],
    t_max: float,
    save_at: Floats,
    max_steps: int,
    progress: Progress,
    room: int = CHUNK_SWITCHES,
) -> Run:
    """Call the integrator chunk by chunk; an interrupt loses at most the chunk in progress.

    ``advance`` follows the flow from a state, which it leaves as it is, to a time at most, fills times and losses,
    and has room for so many switches. ``work`` tells what one step from a state costs, in neurons; ``save_at`` are
    ascending times, at each of which a step ends; ``room`` is for the switches of a chunk at first, at least.
    """
    chunks, kept = [start], {0: start.state.nbytes}
    n_steps, room, asked = 0, max(room, 8 * work(start.state)), list(save_at[::-1])
    try:
        with reporting(progress, "gradient flow") as report:
            # Each pass takes a step, passes an asked time, or enlarges the buffer, which a bounded number of switches
            # fills.
            while n_steps < max_steps:
                state, until = chunks[-1].state, min(t_max, asked[-1]) if asked else t_max
                size = min(max(1, min(CHUNK, CHUNK_WORK // work(state))), max_steps - n_steps)
                times, losses = np.empty(size + 1), np.empty(size + 1)
                times[0] = chunks[-1].times[-1]
                state, why, steps, events, regrouped = advance(state, until, times, losses, room)
                if why == status.EVENTS_FULL and steps == 0:
                    room *= 4
                    continue
                n_steps, at_asked = n_steps + steps, why == status.REACHED_T_MAX and until < t_max
                if at_asked:
                    asked.pop()
                if steps > 0:
                    done = slice(0, steps + 1)
                    chunks.append(Chunk(times[done].copy(), losses[done].copy(), events, state, at_asked or regrouped))
                    kept[len(chunks) - 1] = state.nbytes
                    _thin(chunks, kept)
                if why in _ENDS and not at_asked:
                    return Run(chunks, *_ENDS[why])
                report(FlowProgress(times[steps], losses[steps], n_steps))
    except KeyboardInterrupt:
        return Run(chunks, End.INTERRUPTED, _INTERRUPTED)
    return Run(chunks, End.MAX_STEPS, _OUT_OF_STEPS)


def _thin(chunks: list[Chunk], kept: dict[int, int]) -> None:
    """Forget the neurons of chunks that no replay needs; the first and the last are kept.

    Those between two restart points, and every other restart point once they take too many bytes. ``kept`` has the
    bytes of those chunks that are restart points, in their order.
    """
    *_, third, second, _ = (-1, -1, *kept)
    if third >= 0 and not chunks[second].pinned:
        since = chunks[third + 1 :]
        if sum(chunk.times.size - 1 for chunk in since) <= CHUNK and sum(map(_n_switches, since)) <= CHUNK_SWITCHES:
            _forget(chunks, kept, second)
            return
    if sum(kept.values()) > MOST_BYTES:
        for i in list(kept)[1:-1:2]:
            _forget(chunks, kept, i)


def _forget(chunks: list[Chunk], kept: dict[int, int], i: int) -> None:
    chunks[i] = chunks[i]._replace(state=None)
    del kept[i]


def _n_switches(chunk: Chunk) -> int:
    return len(chunk.events)
