"""Kinks counted by hand, and those of flows."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq

DATA = rq.Dataset([-1.0, 0.0, 1.0, 2.0], [0.0, 0.0, 1.0, 3.0])


def hinges(*kinks):
    """A network of hinges (place, side, output weight)."""
    return rq.ShallowReLU([[side, -side * x] for x, side, _ in kinks], [a for _, _, a in kinks])


def test_kinks_are_found_by_place_sign_and_side():
    net = hinges((0.5, 1, 1.0), (0.0, -1, -1.0), (-1.5, 1, 1.0), (2.25, -1, 1.0))
    census = rq.kink_census(net, DATA)
    np.testing.assert_allclose(census.kinks, [-1.5, 0.0, 0.5, 2.25])
    assert census.signs.tolist() == [1, -1, 1, 1]
    assert census.sides.tolist() == [1, -1, 1, -1]
    assert census.on_data.tolist() == [-1, 1, -1, -1]
    assert census.per_gap.tolist() == [1, 0, 1, 0, 1]
    assert (census.n_breakpoints, census.most_kinks, census.most_groups) == (4, 9, 11)


def test_two_groups_on_one_point_are_one_breakpoint():
    census = rq.kink_census(hinges((0.0, 1, 1.0), (0.0, -1, 1.0)), DATA)
    assert (census.kinks.size, census.n_breakpoints, census.on_data.tolist()) == (2, 1, [1, 1])


def test_what_the_tolerance_hides_is_not_counted():
    # The labels span 3. A hinge at 0.5 lifts the function by 2 and 3 times its slope on its two sides of [-2.5, 3.5].
    assert rq.kink_census(hinges((0.5, 1, 9e-4)), DATA, tolerance=1e-3).kinks.size == 0
    assert rq.kink_census(hinges((0.5, 1, 1.1e-3)), DATA, tolerance=1e-3).kinks.size == 1
    # Outside of the region there is nothing to bend.
    assert rq.kink_census(hinges((3.6, -1, 9.0), (-3.0, 1, 9.0)), DATA).kinks.size == 0


def test_near_is_told_from_held():
    near = rq.kink_census(hinges((1e-4, 1, 1.0)), DATA)
    assert (near.on_data.tolist(), near.n_held) == ([1], 0)
    x = 0.1 + 0.2
    data = rq.Dataset([-1.0, x, 1.0], [0.0, 1.0, 0.0])
    # A slider's weights are a multiple of (1, -x), to rounding.
    factor = 0.7 / np.hypot(1, x)
    held = rq.kink_census(rq.ShallowReLU([[factor, -x * factor], [1.0, -0.9]], [1.0, 1.0]), data)
    assert (held.on_data.tolist(), held.n_held) == ([1, -1], 1)


def test_sliders_of_a_flow_are_held_and_the_dead_are_more_than_at_the_start():
    data = rq.datasets.zigzag()
    start = rq.ShallowReLU.balanced(n_neurons=1000, scale=1e-8, rng=0)
    traj = rq.gradient_flow(start, data, progress=False)
    census = rq.kink_census(traj.final, data)
    assert np.all(census.on_data >= 0)
    assert census.n_held == np.sum(traj.states(traj.t[-1:]).slides_on[0] >= 0)
    np.testing.assert_allclose(np.unique(census.kinks.round(6)), data.X[1:4, 0].round(6), atol=1e-5)
    assert census.dead > census.dead_at_random > 0.2
    assert rq.kink_census(start, data).dead == pytest.approx(census.dead_at_random, abs=0.05)


def test_two_kinks_in_a_gap_are_reached():
    data = rq.Dataset([-3.0, -2.0, 2.0, 3.0], [3.2, 2.2, 2.2, 3.2])
    traj = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=100, scale=1e-8, rng=0), data, progress=False)
    census = rq.kink_census(traj.final, data)
    assert traj.stationary_point.kind == "zero loss"
    assert census.per_gap.tolist() == [0, 0, 2, 0, 0]
    assert np.max(np.abs(census.kinks)) < 2


def test_the_text_says_all_of_it():
    text = str(rq.kink_census(hinges((0.5, 1, 1.0), (0.0, -1, -1.0), (-1.5, 1, 1.0), (2.25, -1, 1.0)), DATA))
    for part in (
        "4 breakpoints of the function on [-2.5, 3.5]", "4 groups", "1 on data points, 3 in gaps, at most 1 in one",
        "2 n + 1 = 9", "3 n - 1 = 11", "left of -1", "on x = 0", "between 0 and 1", "right of 2",
    ):  # fmt: skip
        assert part in text
    one = str(rq.kink_census(hinges((0.5, 1, 1.0)), DATA))
    assert "1 breakpoint of" in one
    assert "1 group of" in one


def test_a_network_without_neurons_and_one_sample():
    census = rq.kink_census(rq.ShallowReLU(np.empty((0, 2)), np.empty(0)), rq.Dataset([0.5], [1.0]))
    assert (census.kinks.size, census.n_breakpoints, census.dead) == (0, 0, 0.0)
    assert census.per_gap.tolist() == [0, 0]
    assert "0 groups" in str(census)


def test_bad_arguments_are_refused():
    net = hinges((0.5, 1, 1.0))
    with pytest.raises(TypeError, match="kink_census needs a Dataset"):
        rq.kink_census(net, [1.0])
    with pytest.raises(TypeError, match="kink_census needs a ShallowReLU"):
        rq.kink_census(None, DATA)
    with pytest.raises(ValueError, match="tolerance must be"):
        rq.kink_census(net, DATA, tolerance=0)
    with pytest.raises(ValueError, match="one input dimension"):
        rq.kink_census(net, rq.datasets.xor())
