"""The moments of a play of weight directions, made once and kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.pairwise_angles import similar_order
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.trajectory import Trajectory
from reluquant.views.direction_frame import (
    DirectionFrame,
    Shape,
    bytes_of,
    direction_frame,
    direction_frames,
    shape_of,
)
from reluquant.views.direction_weight import NormScale, scale_of
from reluquant.views.time_view import LossCurve, loss_curve, time_grid

# A play of a very wide network has fewer moments, so that all of them stay within these bytes.
MOST_BYTES = 3 * 2**27
FEWEST_FRAMES = 24
# Neighbouring moments are made together, which saves most of the steps between them: so many, within these bytes.
TOGETHER, MOST_STATE_BYTES = 8, 2**26


class DirectionFrames:
    """Frames of a run: those of the play are kept, others are made when asked for.

    A wide network in many dimensions takes seconds to find again at one time, far longer than to draw, so that a play
    must be prepared. :meth:`todo` spreads the moments that are still to be made over the whole run.

    Parameters
    ----------
    trajectory : Trajectory
        Any number of features and outputs, with or without bias.

    Attributes
    ----------
    grid : ndarray, shape (n_frames,)
        Increasing moments from 0 to the end of the run.
    scale : NormScale
        Of the norms of the run.
    loss : LossCurve
        Of the run.
    followed : ndarray of int or None
        Heat map: the neurons that are heaviest at the end of the run.
    order : ndarray of int or None
        Heat map: their order by similarity at the end of the run.
    """

    def __init__(self, trajectory: Trajectory) -> None:
        self.trajectory = trajectory
        self.shape = shape_of(trajectory.data)
        self.grid = _thinned(time_grid(trajectory), bytes_of(trajectory.n_neurons))
        self.scale: NormScale = scale_of(trajectory)
        self.loss: LossCurve = loss_curve(trajectory)
        self.followed: NDArray[np.int64] | None = None
        self.order: NDArray[np.int64] | None = None
        self._made: dict[float, DirectionFrame] = {}
        self._between: DirectionFrame | None = None
        last = direction_frame(trajectory, float(self.grid[-1]))
        if self.shape is Shape.HEAT_MAP:
            self.followed, self.order = last.leaders.neurons, similar_order(last.leaders.direction)
        self._made[float(self.grid[-1])] = last

    def at(self, t: float) -> DirectionFrame:
        """Return the frame at a time, kept if it is a moment of the play, or until another one is asked for."""
        kept = self._made.get(float(t))
        if kept is not None:
            return kept
        # The mouse asks again and again about the moment that is shown.
        if self._between is not None and self._between.t == t:
            return self._between
        made = direction_frame(self.trajectory, t, followed=self.followed)
        if np.any(self.grid == t):
            self._made[float(t)] = made
        else:
            self._between = made
        return made

    def ready(self) -> Floats:
        """Return the moments that are made, in increasing order."""
        return frozen(np.sort(list(self._made)))

    def nearest(self, t: float) -> float:
        """Return the moment that is made and nearest to a time, on the logarithmic axis of the loss."""
        ready = self.ready()
        places = [abs(self.loss.position(float(moment)) - self.loss.position(t)) for moment in ready]
        return float(ready[int(np.argmin(places))])

    def make(self, times: Floats) -> None:
        """Make the frames of some moments of the play."""
        made = direction_frames(self.trajectory, times, followed=self.followed)
        self._made.update(zip(map(float, times), made, strict=True))

    def todo(self) -> list[Floats]:
        """Return the moments that are not made yet, in groups to make together.

        Each start of the list covers the whole run: first single moments, then groups of neighbours.
        """
        left = np.array([t for t in self.grid if float(t) not in self._made])
        first = left[_spread_out(left.size)[:FEWEST_FRAMES]]
        rest = np.setdiff1d(left, first)
        size = 8 * self.trajectory.n_neurons * (self.trajectory.data.inputs.shape[1] + 4)
        together = min(TOGETHER, max(1, MOST_STATE_BYTES // size))
        groups = [rest[i : i + together] for i in range(0, rest.size, together)]
        return [*first[:, None], *(groups[i] for i in _spread_out(len(groups)))]


def _spread_out(n: int) -> list[int]:
    """The places from 0 to n - 1 such that each start of the list is spread over all of them."""
    bits = max(1, int(n - 1).bit_length())
    places = (int(f"{i:0{bits}b}"[::-1], 2) for i in range(2**bits))
    return [place for place in places if place < n]


def _thinned(grid: Floats, size: int) -> Floats:
    most = max(FEWEST_FRAMES, MOST_BYTES // size)
    return grid if grid.size <= most else frozen(grid[np.linspace(0, grid.size - 1, most).astype(int)])
