import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reluquant as rq
from reluquant.views.time_view import LARGEST_FALL, decade_ticks, first_time, loss_curve, round_ticks, time_grid


def test_the_curve_follows_the_loss(run):
    curve = loss_curve(run)
    assert curve.log_t.size <= 402
    inside = run.t >= curve.t_first
    drawn = np.interp(np.log10(run.t[inside]), curve.log_t, curve.loss)
    assert np.abs(drawn - run.loss[inside]).max() < 0.01 * run.loss[0]
    assert curve.loss.max() < curve.top


def test_the_axis_begins_before_anything_happens(run):
    t = loss_curve(run).t_first
    assert 0 < t < run.t[-1] / 50
    early, start = run.at(t), run.at(0.0)
    turn = np.arctan2(early.W[:, 1], early.W[:, 0]) - np.arctan2(start.W[:, 1], start.W[:, 0])
    assert np.abs((turn + np.pi) % (2 * np.pi) - np.pi).max() < 0.05


def test_positions_are_clipped_to_the_axis(run):
    curve = loss_curve(run)
    assert curve.position(0.0) == pytest.approx(np.log10(curve.t_first))
    assert curve.position(1e300) == pytest.approx(np.log10(run.t[-1]))
    assert curve.height(float(run.t[-1])) == pytest.approx(run.loss[-1], abs=1e-6)


def test_play_grid(run):
    grid = time_grid(run)
    assert grid[0] == 0.0
    assert grid[-1] == run.t[-1]
    assert np.all(np.diff(grid) > 0)
    # A play of 15 seconds has at least 20 frames a second, with room for some that come late.
    assert grid.size / 15 >= 22
    # No escape passes between two frames.
    losses = np.interp(grid, run.t, run.loss)
    assert np.abs(np.diff(losses)).max() < 2 * LARGEST_FALL * run.loss[0]


def test_a_run_of_no_length_has_an_axis():
    net = rq.ShallowReLU([[1.0, 0.0], [-1.0, 0.0]], [1.0, 1.0])
    run = rq.gradient_flow(net, rq.Dataset([-1.0, 1.0], [1.0, 1.0]), progress=False)
    curve = loss_curve(run)
    assert curve.t_first < curve.t_last
    assert curve.top > 0
    assert time_grid(run)[0] == 0.0


def test_zero_labels_have_an_axis():
    assert 0 < first_time(rq.Dataset([1.0], [0.0]), 5.0) < 5.0


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_round_ticks_lie_inside_and_are_few(low, width):
    high = low + width
    ticks = round_ticks(low, high)
    assert 2 <= ticks.size <= 8
    slack = 1e-9 * max(abs(low), abs(high), width)
    assert ticks[0] >= low - slack
    assert ticks[-1] <= high + slack


@given(st.floats(-300, 300), st.floats(1, 300))
def test_decade_ticks_are_few_and_even(low, width):
    ticks = list(decade_ticks(low, low + width))
    assert 1 <= len(ticks) <= 10
    assert len(set(np.diff(ticks))) <= 1
