import numpy as np
import pytest

from reluquant.widgets import playback
from reluquant.widgets.playback import PLAY_SECONDS, Playback

GRID = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 300)])


def test_steps_are_frames_whatever_the_time_between_them():
    play = Playback(GRID)
    assert play.step(0.0, 1) == GRID[1]
    assert play.step(GRID[5], 1) == GRID[6]
    assert play.step(GRID[5], -1) == GRID[4]
    between = (GRID[5] + GRID[6]) / 2
    assert play.step(between, 1) == GRID[6]
    assert play.step(between, -1) == GRID[5]
    assert play.step(0.0, -3) == 0.0
    assert play.step(GRID[-1], 3) == play.end


def test_a_play_keeps_the_pace_of_the_clock_and_follows_the_user(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(playback.time, "monotonic", lambda: clock[0])
    play = Playback(GRID)
    play.start()
    clock[0] += PLAY_SECONDS / 2
    half = play.advance(0.0, 1.0)
    assert half == pytest.approx(GRID[GRID.size // 2], rel=0.1)
    # The user moves the time back; the play goes on from there, at double speed.
    clock[0] += PLAY_SECONDS / 8
    assert play.advance(GRID[10], 2.0) == pytest.approx(GRID[10 + GRID.size // 4], rel=0.1)
    clock[0] += PLAY_SECONDS
    assert play.advance(GRID[200], 1.0) == play.end
