"""Where a play of a run is: frames of a time grid, passed at the pace of the clock."""

from __future__ import annotations

import math
import time

import numpy as np

from reluquant.structures.arrays import Floats

# A play of the whole run at speed 1 takes that long.
PLAY_SECONDS = 15.0


class Playback:
    """Moments of a run, and the place of a play among them.

    Parameters
    ----------
    grid : ndarray, shape (n_times,)
        Increasing moments from 0 to the end of the run.
    """

    def __init__(self, grid: Floats) -> None:
        self.grid = grid
        self._clock, self._shown, self._place = 0.0, math.nan, 0.0

    @property
    def end(self) -> float:
        """The last moment."""
        return float(self.grid[-1])

    def start(self) -> None:
        """Count from now on."""
        self._clock, self._shown = time.monotonic(), math.nan

    def advance(self, t: float, speed: float) -> float:
        """Return the moment that is due, given the one that is shown (the user may have moved it)."""
        if t != self._shown:
            self._place = float(np.searchsorted(self.grid, t))
        now = time.monotonic()
        self._place += (now - self._clock) * speed * self.grid.size / PLAY_SECONDS
        self._clock = now
        self._shown = float(self.grid[min(int(self._place), self.grid.size - 1)])
        return self._shown

    def step(self, t: float, frames: int) -> float:
        """Return the moment some frames after ``t``, or before it if ``frames`` is negative."""
        near = 1e-12 * abs(t)
        if frames >= 0:
            place = int(np.searchsorted(self.grid, t + near, side="right")) - 1 + frames
        else:
            place = int(np.searchsorted(self.grid, t - near, side="left")) + frames
        return float(self.grid[min(max(place, 0), self.grid.size - 1)])
