"""Extremal directions in any dimension, held against topology, growth nearby, and neurons that turn by small steps."""

import math
import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reluquant import Dataset, extremal_directions, sectors

seeds = st.integers(0, 2**32 - 1)
small = st.integers(-2, 2).map(float)
planar = st.lists(st.tuples(small, small, small), min_size=1, max_size=6)


def generic(n, p, o, seed):
    rng = np.random.default_rng(seed)
    return Dataset(rng.standard_normal((n, p)), rng.standard_normal((n, o) if o > 1 else n), bias=False)


def growth(data, residual, directions):
    """G(u) = Σ_k r_k relu(u·x̃_k) for rows of directions, normalised first."""
    directions = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    return np.maximum(directions @ data.inputs.T, 0) @ residual


def turning_neurons(data, residual, sign, starts, steps=(0.05, 1e-4)):
    """Directions after many steps of a shrinking length along the frozen field; at a sink they chatter within one."""
    u = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    for step in np.geomspace(*steps, 3000):
        u = one_step(data, residual, sign, u, step)
    return u


def one_step(data, residual, sign, u, step):
    """Directions turned along the field by a step, or to its end in this sector if that is nearer."""
    h = sign * ((u @ data.inputs.T > 0) * residual) @ data.inputs
    h /= np.maximum(np.linalg.norm(h, axis=1, keepdims=True), 1e-300)
    turn = h - np.sum(h * u, axis=1, keepdims=True) * u
    u = u + turn * np.minimum(step / np.maximum(np.linalg.norm(turn, axis=1, keepdims=True), 1e-300), 1.0)
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def beside(data, e, rng, distance=1e-4):
    """Directions around one: at random, along the boundaries it lies on, and off each of them alone."""
    held = data.inputs[list(e.samples)]
    away = rng.standard_normal((200, e.direction.size))
    alone = np.linalg.pinv(held).T if e.samples else away[:0]
    away = np.concatenate([away, away - away @ np.linalg.pinv(held) @ held if e.samples else away[:0], alone, -alone])
    away -= np.outer(away @ e.direction, e.direction)
    length = np.linalg.norm(away, axis=1, keepdims=True)
    return e.direction + distance * away[length[:, 0] > 1e-6] / length[length[:, 0] > 1e-6]


def by_kind(found, *kinds):
    return [e for e in found if e.kind in kinds]


def facts(found):
    return sorted((e.sign, e.kind, round(e.rate, 10), e.samples, str(e.index)) for e in found)


def test_xor_without_bias():
    X, y = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1.0]]), np.array([1, 1, -1, -1.0])
    found = by_kind(extremal_directions(Dataset(X, y, bias=False), residual=y), "attractor")
    assert len(found) == 4
    for e in found:
        # Each looks along its own class, and slides between the two samples of the other.
        assert e.rate == pytest.approx(math.sqrt(2), rel=1e-15)
        assert y[list(e.samples)].tolist() == [-e.sign, -e.sign]
        assert e.multipliers == (0.5, 0.5)
        assert np.abs(X[y == e.sign] @ e.direction).tolist() == pytest.approx([math.sqrt(2)] * 2)


def test_orthogonal_inputs():
    found = extremal_directions(Dataset(np.eye(2), [1.0, -2.0], bias=False), residual=[1.0, -2.0])
    assert [(e.sign, e.kind, e.rate, e.samples, e.multipliers) for e in found] == [
        (1, "attractor", 1.0, (1,), (0.0,)), (1, "dead", 0.0, (), ()), (1, "repeller", -2.0, (0,), (0.0,)),
        (-1, "attractor", 2.0, (0,), (0.0,)), (-1, "dead", 0.0, (), ()), (-1, "repeller", -1.0, (1,), (0.0,)),
    ]  # fmt: skip
    np.testing.assert_allclose([e.direction for e in by_kind(found, "attractor")], np.eye(2), atol=1e-15)


@given(st.lists(st.tuples(st.integers(-4, 4).map(float), st.integers(-4, 4).map(float)), min_size=1, max_size=7))
def test_line_and_general_way_agree(points):
    x, r = np.array(points).T
    line = extremal_directions(Dataset(x, r), residual=r)
    plane = extremal_directions(Dataset(np.c_[x, np.ones(x.size)], r, bias=False), residual=r)

    def isolated(found):
        return sorted((e.sign, e.kind, e.samples, round(e.rate, 12), round(e.angle % math.tau % 6.2831853, 7),
                       tuple(np.round(e.multipliers, 12)), e.index)
                      for e in by_kind(found, "attractor", "semistable", "repeller"))  # fmt: skip

    assert isolated(line) == isolated(plane)
    # Of a sector without forces that the dead arc cuts in two, only one part is told apart from it.
    assert {(e.sign, e.kind) for e in by_kind(line, "dead", "neutral")} == {
        (e.sign, e.kind) for e in by_kind(plane, "dead", "neutral")
    }


@pytest.mark.parametrize(("n", "p", "o"), [(6, 2, 1), (8, 3, 1), (9, 4, 1), (7, 5, 1), (8, 2, 2), (7, 3, 2), (9, 3, 3)])
@pytest.mark.parametrize("seed", range(6))
def test_indices_add_up_to_the_euler_characteristic(n, p, o, seed):
    """Morse theory of growth on the spheres of w and a: no critical direction is missing, and no index is wrong."""
    data = generic(n, p, o, seed)
    found = extremal_directions(data)
    # Without a dead sector all critical directions are isolated.
    if by_kind(found, "dead"):
        data = Dataset(np.r_[data.X, -data.X.sum(axis=0, keepdims=True)], np.r_[data.y, data.y[:1]], bias=False)
        found = extremal_directions(data)
    assert found.complete
    assert not by_kind(found, "dead", "neutral", "semistable")
    sphere = 1 + (-1) ** (p - 1)
    if o > 1:
        assert sum((-1) ** e.index for e in found) == sphere * (1 + (-1) ** (o - 1))
    else:
        for sign in (1, -1):
            assert sum((-1) ** e.index for e in found if e.sign == sign) == sphere
        # What one sign climbs the other descends.
        np.testing.assert_allclose(
            sorted((e.rate, e.index) for e in found if e.sign == 1),
            sorted((-e.rate, p - 1 - e.index) for e in found if e.sign == -1),
        )


@given(planar)
def test_every_direction_is_at_rest(points):
    """The gradient that the multipliers give is parallel to the direction; also for dependent samples."""
    *X, r = np.array(points).T
    data = Dataset(np.column_stack(X), r)
    for e in extremal_directions(data, residual=r):
        share = (data.inputs @ e.direction > 1e-9).astype(float)
        assert np.all(np.abs(data.inputs[list(e.samples)] @ e.direction) < 1e-12)
        assert np.all((np.array(e.multipliers) >= 0) & (np.array(e.multipliers) <= 1))
        share[list(e.samples)] = e.multipliers
        h = (share * r) @ data.inputs
        np.testing.assert_allclose(h, e.sign * e.rate * e.direction, atol=1e-9)
        assert e.rate == pytest.approx(e.sign * growth(data, r, e.direction), abs=1e-12)


@settings(max_examples=60)
@given(planar, st.booleans(), seeds)
def test_kinds_are_those_of_growth_nearby(points, bias, seed):
    """Attractors are the strict maxima of growth on the sphere, repellers its strict minima; decided for ties, too."""
    *X, r = np.array(points).T
    data = Dataset(np.column_stack(X), r, bias=bias)
    rng = np.random.default_rng(seed)
    for e in extremal_directions(data, residual=r):
        change = e.sign * (growth(data, r, beside(data, e, rng)) - growth(data, r, e.direction))
        up, down = (change > 1e-13).any(), (change < -1e-13).any()
        if e.kind == "attractor":
            assert not up
        elif e.kind == "repeller":
            assert not down
        elif e.kind == "saddle":
            assert up or np.abs(change).min() < 1e-9
        if e.kind in ("dead", "neutral") and not e.samples:
            assert not up
            assert not down
        if np.all(change < -1e-13):
            assert e.kind == "attractor"
        if np.all(change > 1e-13):
            assert e.kind == "repeller"


@settings(max_examples=12)
@given(planar, seeds)
def test_neurons_that_turn_by_small_steps_end_at_rest(points, seed):
    *X, r = np.array(points).T
    data = Dataset(np.column_stack(X), r)
    starts = np.random.default_rng(seed).standard_normal((60, 3))
    for sign in (1, -1):
        found = extremal_directions(data, residual=r, sign=sign)
        ends = turning_neurons(data, r, sign, starts)
        homes = np.array([e.direction for e in by_kind(found, "attractor", "semistable")]).reshape(-1, 3)
        near = (np.linalg.norm(ends[:, None] - homes[None], axis=2) < 0.02).any(axis=1)
        # Others are on a face at rest: with samples almost on the boundary left out, nothing pushes them along it.
        for u in ends[~near]:
            assert by_kind(found, "dead", "neutral")
            assert abs(growth(data, r, u)) < 2e-2


@pytest.mark.parametrize("seed", range(8))
def test_every_attractor_attracts_and_every_end_is_one(seed):
    data = generic(7, 3, 1, seed)
    rng = np.random.default_rng(seed)
    for sign in (1, -1):
        found = extremal_directions(data, sign=sign)
        homes = np.array([e.direction for e in by_kind(found, "attractor")]).reshape(-1, 3)
        ends = turning_neurons(data, data.y / 7, sign, rng.standard_normal((100, 3)))
        dead = (ends @ data.X.T < 1e-3).all(axis=1)
        assert np.all((np.linalg.norm(ends[:, None] - homes[None], axis=2) < 5e-3).any(axis=1) | dead)
        for e in found:
            # Chattering along a boundary they come slowly, but closer; from all others some go away.
            nearby = e.direction + 1e-3 * rng.standard_normal((30, 3))
            ends = turning_neurons(data, data.y / 7, sign, nearby, (3e-3, 1e-6))
            ratio = np.linalg.norm(ends - e.direction, axis=1) / np.linalg.norm(nearby - e.direction, axis=1)
            assert e.kind == "dead" or (ratio.max() < 1) == (e.kind == "attractor")


def test_semistable_in_three_dimensions():
    """Without the third sample in sight e1 attracts; it sees it next door, with λ = 0, and is pulled on."""
    data = Dataset(np.eye(3), [1.0, 0.0, 1.0], bias=False)
    found = by_kind(extremal_directions(data, residual=data.y, sign=1), "semistable")
    rays = {e.samples: e for e in found}
    assert set(rays) == {(0,), (2,)}
    np.testing.assert_allclose([rays[2,].direction, rays[0,].direction], [[1, 0, 0], [0, 0, 1]], atol=1e-15)
    assert all((e.multipliers, e.rate, e.index) == ((0.0,), 1.0, None) for e in found)


def test_boundary_shared_by_dependent_samples():
    """Three points on a line: a kink along it holds three samples, in two dimensions."""
    X = [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    data = Dataset(X, [-1.0, -1.0, -1.0, 1.0, 1.0])
    held = [e for e in extremal_directions(data, residual=data.y) if len(e.samples) == 3]
    assert held
    for e in held:
        assert e.samples in ((0, 1, 2), (1, 3, 4))
        share = np.array(data.inputs @ e.direction > 1e-9, dtype=float)
        share[list(e.samples)] = e.multipliers
        np.testing.assert_allclose(share * data.y @ data.inputs, e.sign * e.rate * e.direction, atol=1e-9)


def test_dependent_boundaries_attract_from_a_side_or_along_a_few_directions():
    """Where three lines of a grid and more meet, kinds are those of neurons that start beside all edges around."""
    x = np.array([[i, j] for i in range(5) for j in range(5)], dtype=float)
    data = Dataset(x, np.random.default_rng(2).standard_normal(25))
    found = extremal_directions(data, residual=data.y)
    seen = set()
    for e in (e for e in by_kind(found, "semistable", "saddle") if len(e.samples) > 3):
        # Edges are perpendicular to the direction and to a sample whose boundary it lies on.
        edges = np.cross(data.inputs[list(e.samples)], e.direction)
        edges = np.concatenate([edges, -edges]) / np.tile(np.linalg.norm(edges, axis=1), 2)[:, None]
        starts = e.direction + 1e-4 * np.repeat(edges, 5, axis=0)
        starts += 3e-7 * np.random.default_rng(0).standard_normal(starts.shape)
        ends = np.ones(len(starts))
        u = starts / np.linalg.norm(starts, axis=1, keepdims=True)
        for _ in range(2500):
            # Not where they end, since others take them on from there, but how near they come.
            u = one_step(data, data.y, e.sign, u, 2e-7)
            ends = np.minimum(ends, np.linalg.norm(u - e.direction, axis=1))
        nearest = ends.reshape(-1, 5).max(axis=1).min()
        assert nearest < 5e-6 if e.kind == "semistable" else nearest > 1e-5
        seen.add(e.kind)
    assert seen == {"semistable", "saddle"}


def test_opposite_inputs_may_cancel_their_boundary():
    # relu(z) - relu(-z) = z: nothing bends at z = 0, and growth is linear.
    data = Dataset([[1.0, 2.0], [-1.0, -2.0]], [1.0, -1.0], bias=False)
    found = extremal_directions(data, residual=data.y, sign=1)
    assert [(e.kind, e.rate, e.samples) for e in found] == [
        ("attractor", pytest.approx(math.sqrt(5)), ()), ("repeller", pytest.approx(-math.sqrt(5)), ()),
    ]  # fmt: skip


def test_opposite_samples_share_the_multiplier():
    data = Dataset([[1.0, 0.0], [-2.0, 0.0], [1.0, 1.0], [-1.0, 1.0]], [-1.0, -1.0, 1.0, 0.5], bias=False)
    (e,) = [e for e in extremal_directions(data, residual=data.y, sign=1) if e.samples == (0, 1) and e.rate > 0]
    right, left = e.multipliers
    assert right + left == 1
    # (1.5 - 1) - (1)(right) + 2·left = 0 along the first axis, with 1·1 + 0.5·(-1) from the others.
    assert 0.5 - right + 2 * left == pytest.approx(0)


def test_samples_that_do_not_span():
    # Along the third axis nothing is seen: a rank of two in three dimensions.
    data = Dataset([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], [1.0, 1.0], bias=False)
    plus, minus = (extremal_directions(data, residual=data.y, sign=s) for s in (1, -1))
    assert [(e.kind, e.rate) for e in by_kind(plus, "attractor")] == [("attractor", 1.0)] * 2
    assert [(e.kind, e.samples, e.multipliers) for e in by_kind(minus, "neutral")] == [("neutral", (0, 1), (0.5, 0.5))]
    assert abs(by_kind(minus, "neutral")[0].direction[0]) == 0


def test_one_input_without_bias_and_zero_inputs():
    found = extremal_directions(Dataset([1.0, 2.0, 0.0], [1.0, 1.0, 5.0], bias=False), residual=[1.0, 1.0, 5.0])
    assert [(e.sign, e.kind, e.rate) for e in found] == [
        (1, "attractor", 3.0), (1, "dead", 0.0), (-1, "dead", 0.0), (-1, "attractor", -3.0),
    ]  # fmt: skip
    assert {e.kind for e in extremal_directions(Dataset(np.zeros((2, 2)), [1.0, 2.0], bias=False))} == {"dead"}


def test_samples_without_force_are_no_boundary_and_a_sector_without_force_is_neutral():
    data = Dataset([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]], [1.0, 0.0, 0.0], bias=False)
    found = extremal_directions(data, residual=data.y, sign=1)
    assert sorted(e.kind for e in found) == ["attractor", "dead", "neutral"]
    (dead,), (neutral,) = by_kind(found, "dead"), by_kind(found, "neutral")
    assert np.all(data.X @ dead.direction < 0)
    assert neutral.direction[0] < 0
    assert np.any(data.X @ neutral.direction > 0)


@pytest.mark.parametrize("scale", [1e-250, 1e250])
def test_scales_only_scale_the_rates(scale):
    data = generic(7, 3, 1, 3)
    one, other = extremal_directions(data), extremal_directions(Dataset(data.X, data.y * scale, bias=False))
    assert [(e.kind, e.samples) for e in one] == [(e.kind, e.samples) for e in other]
    assert [e.rate * scale for e in one] == pytest.approx([e.rate for e in other], rel=1e-14)


def test_rates_beyond_float64_are_refused():
    with pytest.raises(ValueError, match="growth rate exceeds the float64 range"):
        extremal_directions(Dataset([[1e200, 0.0], [0.0, 1e200]], [1e200, 1.0], bias=False))


@pytest.mark.parametrize(("last", "kind"), [(0.0, "semistable"), (2.0**-60, "repeller"), (-(2.0**-60), "none")])
def test_combinatorics_are_exact_where_floats_round(last, kind):
    # As on the line, but in the plane: the force of the last sample is lost in floats beside that of the second.
    X = np.c_[[-1.0, 1.0, 2.0], np.ones(3)]
    found = extremal_directions(Dataset(X, np.zeros(3), bias=False), residual=[1.0, 1.0, last], sign=1)
    assert {e.kind for e in found if e.samples == (0,)} == ({kind} if kind != "none" else set())


@given(seeds, st.permutations(range(6)))
def test_order_of_samples_does_not_matter(seed, order):
    data = generic(6, 3, 1, seed)
    other = extremal_directions(Dataset(data.X[order], data.y[order], bias=False))
    original = [
        (e.sign, e.kind, round(e.rate, 10), tuple(sorted(order[k] for k in e.samples)), str(e.index)) for e in other
    ]
    assert sorted(original) == facts(extremal_directions(data))


@settings(max_examples=30)
@given(seeds, st.sampled_from([(6, 3, 1), (6, 4, 1), (6, 3, 2)]))
def test_rotations_keep_kinds_and_rates(seed, sizes):
    data = generic(*sizes, seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((sizes[1], sizes[1])))
    found, turned = extremal_directions(data), extremal_directions(Dataset(data.X @ turn.T, data.y, bias=False))
    # By rate; a dead sector, at rate 0, has no direction of its own.
    for e, f in zip(found, turned, strict=True):
        assert (e.sign, e.kind, e.samples, e.index) == (f.sign, f.kind, f.samples, f.index)
        assert e.rate == pytest.approx(f.rate, rel=1e-9, abs=1e-12)
        np.testing.assert_allclose(e.multipliers, f.multipliers, atol=1e-7)
        if e.kind != "dead":
            np.testing.assert_allclose(turn @ e.direction, f.direction, atol=1e-7)


@pytest.mark.parametrize("seed", range(10))
def test_vector_outputs_grow_at_the_largest_singular_value(seed):
    data = generic(4, 3, 2, seed)
    attractors = by_kind(extremal_directions(data), "attractor")
    assert attractors
    for e in attractors:
        active = data.X @ e.direction > 1e-9
        held = data.X[list(e.samples)]
        gradient = data.X[active].T @ data.y[active] / 4
        projected = gradient - np.linalg.pinv(held) @ held @ gradient if e.samples else gradient
        assert abs(e.rate - np.linalg.svd(projected)[1][0]) < 1e-7
        np.testing.assert_allclose(e.output, projected.T @ e.direction / e.rate, atol=1e-9)
        assert (e.sign, len(e.output)) == (0, 2)


@pytest.mark.parametrize("seed", range(6))
def test_vector_outputs_attract_where_the_length_of_growth_is_largest(seed):
    """For each w growth is largest for a along Σ r_k relu(w·x_k): attractors are the maxima of its length."""
    data = generic(6, 3, 2, seed)
    rng = np.random.default_rng(seed)
    for e in extremal_directions(data):
        if e.rate <= 0:
            continue
        around = growth(data, data.y, beside(data, e, rng))
        change = np.linalg.norm(around, axis=1) - np.linalg.norm(growth(data, data.y, e.direction))
        assert (change < 0).all() == (e.kind == "attractor")
        assert e.rate == pytest.approx(growth(data, data.y, e.direction) @ e.output / 6)


def test_a_direction_within_rounding_of_a_boundary_is_found_once():
    # Towards the first input the second is on its boundary but for 3e-10: with several outputs two faces claim it.
    data = Dataset([[1.0, 0.0], [-3e-10, 1.0]], np.outer([0.1, -1.0], [0.6, 0.8]), bias=False)
    rates = [e.rate for e in by_kind(extremal_directions(data, residual=data.y), "attractor")]
    assert rates == pytest.approx([1.0, 0.1])


def test_one_column_of_labels_is_one_output():
    data = generic(6, 3, 1, 0)
    column = Dataset(data.X, data.y[:, None], bias=False)
    assert facts(extremal_directions(column)) == facts(extremal_directions(data))


def test_two_outputs_that_agree_are_one():
    data = generic(6, 3, 1, 1)
    double = extremal_directions(Dataset(data.X, np.c_[0.6 * data.y, 0.8 * data.y], bias=False))
    single = by_kind(extremal_directions(data), "attractor")
    attractors = [e for e in by_kind(double, "attractor") if e.rate > 0]
    assert sorted(e.rate for e in attractors) == pytest.approx(sorted(e.rate for e in single if e.rate > 0))
    assert all(np.abs(e.output) == pytest.approx([0.6, 0.8]) for e in attractors)


def test_two_outputs_on_the_line():
    data = Dataset([-1.0, 0.0, 1.5], [[1.0, 0.0], [-1.0, 1.0], [0.5, 1.0]])
    found = extremal_directions(data)
    assert all(e.basin is None and e.kink == pytest.approx(-e.direction[1] / e.direction[0]) for e in found)
    assert by_kind(found, "attractor")


def test_sectors_hold_one_direction_at_most():
    data = generic(9, 3, 1, 4)
    inside = [e for e in by_kind(extremal_directions(data, sign=1), "attractor", "repeller", "saddle") if not e.samples]
    patterns = [tuple(data.X @ e.direction > 0) for e in inside]
    assert len(set(patterns)) == len(patterns)
    assert set(patterns) <= {tuple(row) for row in sectors(data).patterns.tolist()}


@pytest.mark.parametrize(("n", "p"), [(5, 3), (6, 4)])
def test_brute_force_over_held_samples_finds_no_more(n, p):
    """All choices of held samples and patterns, each solved by least squares, whether or not a face has them."""
    for seed in range(4):
        data = generic(n, p, 1, seed)
        r, expected = data.y / n, set()
        for size in range(p):
            for held in combinations(range(n), size):
                X, rest = data.X[list(held)], [k for k in range(n) if k not in held]
                for bits in range(2 ** len(rest)):
                    active = np.array([k for i, k in enumerate(rest) if bits >> i & 1], dtype=int)
                    g = r[active] @ data.X[active]
                    shares = np.linalg.lstsq((X * r[list(held), None]).T, -g)[0] if held else np.zeros(0)
                    h = g + shares @ (X * r[list(held), None])
                    if ((shares < 0) | (shares > 1)).any() or np.linalg.norm(h) < 1e-9:
                        continue
                    for side in (1, -1):
                        if set(np.flatnonzero(side * data.X @ h > 1e-9)) == set(active) and np.all(
                            np.abs(np.delete(data.X, held, axis=0) @ h) > 1e-9
                        ):
                            expected.add((held, round(side * float(np.linalg.norm(h)), 9)))
        found = {(e.samples, round(e.rate, 9)) for e in extremal_directions(data, sign=1) if e.kind != "dead"}
        assert found == expected


def test_bad_arguments_are_refused():
    data = generic(5, 3, 2, 0)
    with pytest.raises(ValueError, match="must have the shape \\(5, 2\\) of the labels, but it has \\(5, 3\\)"):
        extremal_directions(data, residual=np.ones((5, 3)))
    with pytest.raises(ValueError, match="sign is for one output, but there are 2"):
        extremal_directions(data, sign=1)


def test_forty_samples_in_four_dimensions_take_seconds():
    data = generic(40, 4, 1, 0)
    start = time.process_time()
    found = extremal_directions(data)
    # A second; the limit allows for slow machines and other work.
    assert time.process_time() - start < 40
    assert found.complete
    assert sum((-1) ** e.index for e in found if e.sign == 1) == 0


def test_large_problems_are_searched():
    data = generic(9, 3, 1, 2)
    every = extremal_directions(data)
    some = extremal_directions(data, max_faces=10)
    assert every.complete
    assert not some.complete
    assert set(facts(some)) <= set(facts(by_kind(every, "attractor", "semistable")))
    # Here, from hundreds of starts, it finds them all.
    assert facts(some) == facts(by_kind(every, "attractor"))


@settings(max_examples=15)
@example([(0.0, 0.0, -1.0), (0.0, 1.0, 1.0)])
@given(planar)
def test_search_finds_only_what_is_there(points):
    *X, r = np.array(points).T
    data = Dataset(np.column_stack(X), r)
    assume(np.any(r))
    every = extremal_directions(data, residual=r)
    some = extremal_directions(data, residual=r, max_faces=0)
    assert set(facts(some)) <= set(facts(every))
    assert {e.rate for e in some if e.sign == 1} >= {
        max((e.rate for e in by_kind(every, "attractor", "semistable") if e.sign == 1 and e.rate > 0), default=None)
    } - {None}  # fmt: skip


def test_search_with_several_outputs():
    data = generic(12, 3, 2, 0)
    every = by_kind(extremal_directions(data), "attractor")
    some = extremal_directions(data, max_faces=10)
    assert {round(e.rate, 10) for e in some} <= {round(e.rate, 10) for e in every}
    assert max(e.rate for e in some) == pytest.approx(max(e.rate for e in every), rel=1e-12)


def test_search_finds_most_where_there_are_many():
    # Three quarters; under a half if neurons did not let go of boundaries again.
    found = every = 0
    for seed in range(4):
        data = generic(60, 3, 1, seed)
        found += len(extremal_directions(data, max_faces=0))
        every += len(by_kind(extremal_directions(data), "attractor"))
    assert 0.6 * every < found <= every
