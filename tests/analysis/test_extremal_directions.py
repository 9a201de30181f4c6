"""Extremal directions, held against golden values and against neurons that turn by small steps."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant import Dataset, extremal_directions

ROOT = math.sqrt(0.5)
grid = st.integers(-4, 4).map(float)
samples = st.lists(st.tuples(grid, grid), min_size=1, max_size=8)


def of_kind(found, *kinds):
    return [e for e in found if e.kind in kinds]


def turning(angle, data, residual, sign):
    """Angular velocity of a balanced neuron at many angles: sign · Σ_active r_k (x_k, 1) · tangent."""
    w, b = np.cos(angle)[:, None], np.sin(angle)[:, None]
    active = w * data.X.T + b > 0
    tangent = -b * data.X.T + w
    return sign * np.sum(active * residual * tangent, axis=1)


def settle(starts, data, residual, sign, step):
    """Euler steps of the angle, as many as once around needs.

    Time runs so that every step has one length: that changes how long a neuron takes, not where
    it goes. At a sink it chatters within one step.
    """
    angle = starts.copy()
    for _ in range(int(2 * np.pi / step) + 1):
        angle += step * np.sign(turning(angle, data, residual, sign))
    return (angle + np.pi) % (2 * np.pi) - np.pi


def apart(angles, others):
    """Distance on the circle of each angle to the nearest of the others."""
    gap = np.abs((np.asarray(angles)[:, None] - np.asarray(others)[None, :] + np.pi) % (2 * np.pi) - np.pi)
    return gap.min(axis=1) if len(others) else np.full(len(angles), np.inf)


def test_zigzag():
    # Golden values for x = -1, 0, 1 and r = (1, -1.5, 1), r as -dL/df.
    data = Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0])
    found = extremal_directions(data, residual=[1.0, -1.5, 1.0])
    stable = [(e.sign, e.kind, e.samples) for e in found if e.kind not in ("repeller", "dead")]
    assert stable == [
        (1, "attractor", (1,)), (1, "attractor", ()), (1, "attractor", (1,)),
        (-1, "attractor", (0,)), (-1, "attractor", (2,)),
    ]  # fmt: skip
    right, up, left, minus_right, minus_left = of_kind(found, "attractor")
    np.testing.assert_allclose(up.direction, [0, 1], atol=1e-15)
    assert up.rate == pytest.approx(0.5, abs=1e-12)
    for e, direction in ((right, [1, 0]), (left, [-1, 0])):
        np.testing.assert_allclose(e.direction, direction, atol=1e-15)
        assert (e.rate, e.multipliers, e.kink) == (pytest.approx(1.0), (pytest.approx(2 / 3),), 0.0)
    for e, direction in ((minus_right, [ROOT, ROOT]), (minus_left, [-ROOT, ROOT])):
        np.testing.assert_allclose(e.direction, direction, atol=1e-15)
        assert (e.rate, e.multipliers) == (pytest.approx(-0.353553, abs=1e-6), (pytest.approx(0.75),))
    assert [e.sign for e in of_kind(found, "dead")] == [1, -1]


def test_default_residual_is_that_of_the_zero_function():
    data = Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0])
    for default, given_residual in zip(
        extremal_directions(data), extremal_directions(data, residual=data.y / 3), strict=True
    ):
        assert (default.kind, default.samples) == (given_residual.kind, given_residual.samples)
        assert default.rate == pytest.approx(given_residual.rate, rel=1e-14)


def test_ties_of_the_labels_survive_the_division_by_n():
    # On the boundary of -1, q = 1 + 2 - 3 for the labels, but 0.1 + 0.2 - 0.3 for a tenth of them.
    data = Dataset([-1, 0, 0, 2, 5, 6, 7, 8, 9, 10], [1.0, 1.0, 2.0, 3.0, 0, 0, 0, 0, 0, 0])
    assert [e.multipliers for e in extremal_directions(data, sign=1) if e.samples == (0,)] == [(0.0,)]
    rounded = extremal_directions(data, residual=data.y / 10, sign=1)
    assert [e.multipliers for e in rounded if e.samples == (0,)] != [(0.0,)]


def test_tent_has_semistable_rays():
    found = extremal_directions(Dataset([-1.0, 0.0, 1.0], [1.0, 0.0, 1.0]), sign=1)
    assert [(e.kind, e.multipliers) for e in found] == [
        ("dead", ()),
        ("semistable", (0.0,)),
        ("attractor", ()),
        ("semistable", (0.0,)),
    ]


def test_semistable_ray_attracts_from_one_side_only():
    data, residual = Dataset([-1.0, 0.0, 1.0], [1.0, 0.0, 1.0]), np.array([1.0, 0.0, 1.0])
    ray = of_kind(extremal_directions(data, residual=residual, sign=1), "semistable")[0]
    velocities = turning(np.array([ray.angle - 1e-3, ray.angle + 1e-3]), data, residual, 1)
    assert (velocities > 0).all()


def test_boundary_reached_along_g_and_pushed_back_from_the_other_side_is_an_attractor():
    # As the tent, but with a negative force on the left: λ = 0, and both sides lead to the boundary.
    residual = np.array([-1.0, 0.0, 1.0])
    data = Dataset([-1.0, 0.0, 1.0], residual)
    found = extremal_directions(data, residual=residual, sign=1)
    on_left = [e for e in found if e.samples == (0,)]
    assert [(e.kind, e.multipliers, e.kink) for e in on_left] == [("attractor", (0.0,), -1.0)]
    below, above = turning(np.array([on_left[0].angle - 1e-3, on_left[0].angle + 1e-3]), data, residual, 1)
    assert below > 0 > above


def test_samples_without_force_are_no_boundary_and_their_arcs_are_neutral():
    found = extremal_directions(Dataset([-2.0, 0.0, 3.0], [0.0, 1.0, 0.0]), sign=1)
    assert [e.kind for e in found].count("neutral") == 2
    assert [e.kind for e in found].count("dead") == 1
    assert all(e.samples in ((), (1,)) for e in found)
    only_rest = extremal_directions(Dataset([-2.0, 3.0], [0.0, 0.0]))
    assert sorted(e.kind for e in only_rest) == ["dead", "dead", "neutral", "neutral"]


def test_sector_without_gradient_is_neutral():
    # The three rightmost cancel: Σ r = 0 and Σ r x = 0.
    data = Dataset([0.0, 1.0, 2.0, 3.0], [5.0, 1.0, -2.0, 1.0])
    assert len(of_kind(extremal_directions(data, sign=1), "neutral")) == 1


def test_one_sample():
    found = extremal_directions(Dataset([2.0], [3.0]))
    plus = of_kind(found, "attractor")
    assert [(e.sign, e.rate) for e in plus] == [(1, pytest.approx(3 * math.sqrt(5)))]
    np.testing.assert_allclose(plus[0].direction, np.array([2, 1]) / math.sqrt(5))
    assert [e.sign for e in of_kind(found, "repeller")] == [-1]
    dead = of_kind(found, "dead")[0]
    np.testing.assert_allclose(dead.direction, np.array([-2, -1]) / math.sqrt(5), atol=1e-15)


def test_repeated_inputs_act_together():
    single = extremal_directions(Dataset([-1.0, 0.0, 1.0], [1, -1.5, 1]), residual=[1, -1.5, 1])
    doubled = extremal_directions(Dataset([-1.0, 0.0, 0.0, 1.0], [1, 9, 9, 1]), residual=[1, -2.0, 0.5, 1])
    assert [(e.kind, e.rate) for e in single] == [(e.kind, e.rate) for e in doubled]
    assert {e.samples for e in doubled} == {(), (0,), (1, 2), (3,)}
    assert all(len(e.samples) == len(e.multipliers) for e in doubled)


@given(samples)
def test_every_direction_is_at_rest(points):
    """h = g_A + λ r_k x̃_k is parallel to the direction, in the activation pattern that is claimed."""
    x, r = np.array(points).T
    for e in extremal_directions(Dataset(x, r), residual=r):
        on = np.isin(x, x[list(e.samples)])
        share = e.multipliers[0] if e.samples else 0.0
        assert 0 <= share <= 1
        active = ~on & (e.direction @ [x, np.ones(x.size)] > 1e-12)
        h = np.array([[v, 1.0] for v in x]).T @ (r * (active + share * on))
        assert abs(h[0] * e.direction[1] - h[1] * e.direction[0]) < 1e-12
        assert e.rate == pytest.approx(e.sign * h @ e.direction, abs=1e-12)
        assert e.angle == math.atan2(e.direction[1], e.direction[0])
        assert np.linalg.norm(e.direction) == pytest.approx(1, abs=1e-15)


@given(samples)
def test_kinds_are_those_of_velocities_on_both_sides(points):
    x, r = np.array(points).T
    data = Dataset(x, r)
    for e in extremal_directions(data, residual=r):
        before, after = turning(e.angle + np.array([-1e-6, 1e-6]), data, r, e.sign)
        comes = int(before > 1e-12) + int(after < -1e-12)
        expected = {"attractor": 2, "semistable": 1, "repeller": 0, "dead": 0, "neutral": 0}
        assert comes == expected[e.kind]


@given(samples)
def test_stable_and_unstable_directions_alternate(points):
    # Between two neighbouring attractors on a circle something must not attract.
    x, r = np.array(points).T
    for sign in (1, -1):
        kinds = [e.kind for e in extremal_directions(Dataset(x, r), residual=r, sign=sign)]
        neighbours = zip(kinds, kinds[1:] + kinds[:1], strict=True)
        assert all(pair not in (("attractor", "attractor"), ("repeller", "repeller")) for pair in neighbours)


@given(samples)
def test_signs_mirror_each_other(points):
    x, r = np.array(points).T
    plus = extremal_directions(Dataset(x, r), residual=r, sign=1)
    minus = extremal_directions(Dataset(x, -r), residual=-r, sign=-1)
    assert [(e.kind, e.rate, e.angle) for e in plus] == [(e.kind, e.rate, e.angle) for e in minus]


@pytest.mark.parametrize("seed", range(24))
def test_neurons_that_turn_by_small_steps_end_at_the_attractors(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    data = Dataset(rng.uniform(-2, 2, n), rng.standard_normal(n))
    step = 2e-3
    starts = np.linspace(-np.pi, np.pi, 211, endpoint=False)
    for sign in (1, -1):
        found = extremal_directions(data, sign=sign)
        sinks = [e.angle for e in of_kind(found, "attractor")]
        ends = settle(starts, data, data.y / n, sign, step)
        dead = turning(ends, data, data.y / n, sign) == 0
        assert np.all((apart(ends, sinks) < 2 * step) | dead)
        # And every attractor is where some of them end, those that start beside it at least.
        beside = np.array([angle + d for angle in sinks for d in (-5 * step, 5 * step)])
        np.testing.assert_array_less(
            apart(settle(beside, data, data.y / n, sign, step), sinks) if sinks else [], 2 * step
        )


def test_order_is_by_sign_and_angle():
    found = extremal_directions(Dataset([-1.0, 0.3, 1.0, 1.4], [1.0, -1.5, 1.0, 0.4]))
    keys = [(-e.sign, e.angle) for e in found]
    assert keys == sorted(keys)
    assert tuple(e.angle for e in found if e.sign == -1) == tuple(
        e.angle for e in extremal_directions(Dataset([-1.0, 0.3, 1.0, 1.4], [1.0, -1.5, 1.0, 0.4]), sign=-1)
    )


def test_ten_thousand_samples_have_attractors():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(10_000)
    data = Dataset(x, np.sin(5 * x) + rng.standard_normal(x.size))
    found = extremal_directions(data)
    assert len(of_kind(found, "attractor")) > 2


@pytest.mark.parametrize(("last", "kinds"), [(0.0, {"semistable"}), (2.0**-60, {"repeller"}), (-(2.0**-60), set())])
def test_combinatorics_are_exact_where_floats_round(last, kinds):
    # On the boundary of -1, q = -last: floats lose it beside the 1 of the middle sample.
    data = Dataset([-1.0, 1.0, 2.0], np.zeros(3))
    found = extremal_directions(data, residual=[1.0, 1.0, last], sign=1)
    assert {e.kind for e in found if e.samples == (0,)} == kinds


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_scale_of_the_residual_only_scales_the_rates(scale):
    x, r = np.array([-1.0, 0.3, 1.0]), np.array([1.0, -1.5, 1.0])
    one = extremal_directions(Dataset(x, r), residual=r)
    other = extremal_directions(Dataset(x, r), residual=scale * r)
    assert [e.kind for e in one] == [e.kind for e in other]
    np.testing.assert_allclose([e.rate for e in other], [scale * e.rate for e in one], rtol=1e-14)


def test_far_out_inputs():
    found = extremal_directions(Dataset([-1e150, 0.0, 1e150], [1.0, -1.5, 1.0]))
    assert len(of_kind(found, "attractor")) == 5
    with pytest.raises(ValueError, match="growth rate exceeds the float64 range"):
        extremal_directions(Dataset([1e300, 2e300], [1e100, 1e100]))


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"sign": 2}, ValueError, "sign must be 1, -1 or None for both, but it is 2"),
        ({"sign": True}, ValueError, "sign must be"),
        ({"sign": "plus"}, ValueError, "sign must be"),
        ({"residual": [1.0]}, ValueError, "residual needs one number for each of 2 samples, but has 1"),
        ({"residual": [1.0, np.nan]}, ValueError, "residual must be finite"),
        ({"residual": ["a", "b"]}, TypeError, "residual must hold real numbers"),
        ({"residual": np.ones((2, 1))}, ValueError, "residual must be 1-dimensional"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        extremal_directions(Dataset([0.0, 1.0], [1.0, 2.0]), **arguments)


def test_other_things_than_data_are_refused():
    with pytest.raises(TypeError, match="needs a Dataset, but got list"):
        extremal_directions([0.0, 1.0])


@given(samples)
def test_basins_and_arcs_at_rest_tile_the_circle(points):
    x, r = np.array(points).T
    for sign in (1, -1):
        found = extremal_directions(Dataset(x, r), residual=r, sign=sign)
        widths = [e.basin[1] - e.basin[0] for e in found]
        assert math.fsum(widths) == pytest.approx(math.tau, rel=1e-13)
        # A repeller is its own basin, and every direction is in its own.
        assert all((w == 0) == (e.kind == "repeller") for e, w in zip(found, widths, strict=True))
        assert all(-1e-14 <= (e.angle - e.basin[0] + 1e-14) % math.tau <= e.basin[1] - e.basin[0] + 3e-14
                   for e in found)  # fmt: skip


def test_golden_basins():
    # Zigzag: the repellers at ±45° part the middle from the sides, which end at the dead arc below.
    data = Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0])
    found = extremal_directions(data, residual=data.y, sign=1)
    quarter = math.pi / 4
    basins = {tuple(np.round(np.array(e.basin) / quarter, 12)) for e in found if e.kind != "repeller"}
    assert basins == {(-1, 1), (1, 3), (3, 5), (-3, -1)}
    # The tent: on the left boundary neurons come from the clockwise side only, and on the right one likewise mirrored.
    tent = extremal_directions(Dataset([-1.0, 0.0, 1.0], [1.0, 0.0, 1.0]), sign=1)
    basins = [(e.kind, *np.round(np.array(e.basin) / quarter, 12)) for e in tent]
    assert basins == [("dead", -3, -1), ("semistable", -1, 1), ("attractor", 1, 3), ("semistable", 3, 5)]


def test_basin_of_a_dead_arc_holds_what_it_absorbs():
    # One sample, and neurons that it pushes away: all but the repeller itself die.
    dead, repeller = extremal_directions(Dataset([0.0], [1.0]), sign=-1)
    assert (dead.kind, repeller.kind) == ("dead", "repeller")
    assert dead.basin == pytest.approx((-1.5 * math.pi + math.tau, 2.5 * math.pi), abs=1e-15)


@given(samples, st.integers(0, 2**32 - 1))
def test_neurons_turn_to_where_their_basin_says(points, seed):
    x, r = np.array(points).T
    data = Dataset(x, r)
    starts = np.random.default_rng(seed).uniform(-math.pi, math.pi, 60)
    for sign in (1, -1):
        found = [e for e in extremal_directions(data, residual=r, sign=sign) if e.kind != "repeller"]
        velocity = turning(starts, data, r, sign)
        into = np.array([(starts - e.basin[0]) % math.tau for e in found])
        home = np.argmax(into < np.array([[e.basin[1] - e.basin[0]] for e in found]), axis=0)
        for start, speed, h in zip(starts, velocity, home, strict=True):
            e = found[h]
            ahead = (e.angle - e.basin[0]) % math.tau - (start - e.basin[0]) % math.tau
            if e.kind in ("attractor", "semistable"):
                assert np.sign(speed) == np.sign(ahead) or abs(ahead) < 1e-6
            else:
                assert speed == pytest.approx(0, abs=1e-12) or np.sign(speed) == np.sign(ahead)


def test_all_is_found_on_the_line():
    found = extremal_directions(Dataset([0.0, 1.0], [1.0, 2.0]))
    assert found.complete
    assert {e.kind: e.index for e in found} == {"attractor": 0, "repeller": 1, "dead": None}
    assert all(e.output.tolist() == [e.sign] for e in found)


def test_result_is_immutable():
    with pytest.raises(ValueError, match="read-only"):
        extremal_directions(Dataset([2.0], [3.0]))[0].direction[0] = 1.0


def test_rate_and_multiplier_are_rounded_from_exact_fractions():
    x, r = [Fraction(-1), Fraction(1, 4), Fraction(1)], [Fraction(1), Fraction(-3, 2), Fraction(1)]
    found = extremal_directions(Dataset([float(v) for v in x], [0, 0, 0]), residual=[float(v) for v in r], sign=1)
    slider = next(e for e in found if e.samples == (1,) and e.direction[0] > 0)
    q = r[2] * (x[2] * x[1] + 1)
    p = q + r[1] * (x[1] ** 2 + 1)
    assert slider.multipliers == (float(q / (q - p)),)
    assert slider.rate == pytest.approx(float(r[2] * (x[2] - x[1])) / math.hypot(1, 0.25), rel=1e-15)
