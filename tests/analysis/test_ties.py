"""Directions where λ is exactly 0 or 1: kinds against neurons on all sides, followed in three independent ways.

Integers make ties. Whether neurons come is what steps of Filippov's solution in this file say, the closed form of
`predict_alignment`, and tiny neurons of `gradient_flow`.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reluquant import Dataset, ShallowReLU, extremal_directions, gradient_flow, predict_alignment

DISTANCES = (1e-3, 1e-5)


def ties(data, r):
    """Directions with a λ of 0 or 1 that no arc or face at rest touches."""
    return [e for e in extremal_directions(data, residual=r) if e.kind not in ("dead", "neutral") and e.rate
            and any(share in (0.0, 1.0) for share in e.multipliers)]  # fmt: skip


def around(e, data):
    """Unit vectors away from a direction, three into each sector around it."""
    if e.direction.size == 2:
        return np.array([[1.0], [-1.0]]) * [-e.direction[1], e.direction[0]]
    tangents = np.linalg.svd(e.direction[None])[2][1:]
    flat = data.inputs[list(e.samples)] @ tangents.T
    edges = np.arctan2(flat[:, 0], -flat[:, 1]) % np.pi
    edges = np.unique(np.concatenate([edges, edges + np.pi]).round(12))
    widths = np.diff(np.append(edges, edges[0] + 2 * np.pi))
    angles = (edges[:, None] + widths[:, None] * [0.31, 0.47, 0.73]).ravel()
    return np.column_stack([np.cos(angles), np.sin(angles)]) @ tangents


def stepped(e, data, r, starts, distance):
    return np.array([comes(e, data, r, u / np.linalg.norm(u), distance) for u in starts])


def comes(e, data, r, u, distance):
    """Whether a neuron comes within a thousandth of the distance, or goes beyond its triple, by Filippov's rule.

    It turns by a hundredth of what is left, or to the next boundary. There it stays while both sides push back; else it
    goes where they push. Sums of small integers are exact, so a push of zero is one.
    """
    inputs, r = data.inputs[r != 0], e.sign * r[r != 0]
    for _ in range(6000):
        left = np.linalg.norm(u - e.direction)
        if left < 1e-3 * distance or left > 3 * distance:
            return left < distance
        z = inputs @ u
        here = np.abs(z) < 1e-7 * distance
        h = (r * ((z > 0) & ~here)) @ inputs
        if here.any():
            normal = inputs[here][0]
            ahead = here & (inputs @ normal > 0)
            off, on = h + (r * (here & ~ahead)) @ inputs, h + (r * ahead) @ inputs
            q, p = off @ normal, on @ normal
            h = off + q / (q - p) * (on - off) if q > 0 > p else on if p > 0 or (p == 0 and q > 0) else off
        turn = h - (h @ u) * u
        turn /= np.linalg.norm(turn)
        speed = inputs @ turn
        nearing = ~here & (z * speed < 0)
        u = u + min([0.01 * left, *(-z[nearing] / speed[nearing])]) * turn
        u /= np.linalg.norm(u)
    raise AssertionError(f"undecided beside {e}")


def network(e, starts):
    return ShallowReLU(starts, e.sign * np.linalg.norm(starts, axis=1))


def predicted(e, data, r, starts, distance):
    ends = predict_alignment(network(e, starts), data, residual=r)
    return (np.linalg.norm(ends.end - e.direction, axis=1) < 1e-9) & (ends.fate == "aligned")


def flown(e, data, r, starts, distance):
    """Tiny neurons after a time in which what decays at the rate of ``e`` falls to 1/2981, or grows by that."""
    data = Dataset(data.X, r * data.n_samples)
    time = 8.0 / abs(e.rate)
    fastest = np.abs(r) @ np.linalg.norm(data.inputs, axis=1)
    traj = gradient_flow(network(e, starts), data, log_scale=-50.0 - fastest * time, t_max=time, progress=False)
    W = traj.states(traj.t[-1:]).W[0]
    far = np.linalg.norm(W / np.linalg.norm(W, axis=1, keepdims=True) - e.direction, axis=1)
    assert np.all((far < 0.1 * distance) | (far > 1.5 * distance))
    return far < 0.1 * distance


def check(data, r, follow):
    """Compare all ties of the data with what neurons do; return how many there were of each kind."""
    seen = Counter()
    for e in ties(data, r):
        away = around(e, data)
        # Where more boundaries meet than are independent, who comes on some of them may go on over others: with growth
        # that rises on some side both are solutions, and only that neurons come is told.
        clear = follow is stepped or np.linalg.matrix_rank(data.inputs[list(e.samples)]) == planes(e, data)
        for distance in DISTANCES:
            came = follow(e, data, r, e.direction + distance * away, distance)
            if e.kind == "attractor":
                assert came.all(), (e, distance)
            elif e.kind == "semistable":
                assert not came.all(), (e, distance)
                assert came.any() or not clear, (e, distance)
            else:
                assert not came.any(), (e, distance)
        seen[e.kind] += 1
    return seen


def planes(e, data):
    """How many different boundaries a direction lies on."""
    held = data.inputs[list(e.samples)]
    # The first coordinate that is not zero becomes 1: parallel inputs, opposite ones too, have one boundary.
    first = held[np.arange(len(held)), np.argmax(held != 0, axis=1)]
    return len(np.unique((held / first[:, None]).round(12), axis=0))


def whole_numbers(p, seed):
    """Up to eight different points with coordinates and forces among -2 … 2: many ties."""
    rng = np.random.default_rng(seed)
    X = np.unique(rng.integers(-2, 3, (rng.integers(5, 9), p - 1)), axis=0).astype(float)
    return Dataset(X, np.zeros(len(X))), rng.integers(-2, 3, len(X)).astype(float)


@pytest.mark.parametrize("follow", [predicted, flown, stepped])
@example(points=[(-1.0, 1.0), (0.0, 0.0), (1.0, 1.0)])
@example(points=[(-1.0, -1.0), (0.0, 0.0), (1.0, 1.0)])
@given(points=st.lists(st.tuples(st.integers(-3, 3), st.integers(-2, 2)), min_size=2, max_size=5))
def test_ties_on_the_line(follow, points):
    x, r = np.array(points, dtype=float).T
    check(Dataset(x, np.zeros(x.size)), r, follow)


@pytest.mark.parametrize(("follow", "n"), [(predicted, 120), (flown, 20), (stepped, 12)])
def test_ties_in_the_plane(follow, n):
    seen = sum((check(*whole_numbers(3, seed), follow) for seed in range(n)), Counter())
    assert set(seen) == {"attractor", "semistable", "saddle", "repeller"}
    assert min(seen.values()) >= n // 4


@pytest.mark.slow
@pytest.mark.parametrize(("follow", "n"), [(predicted, 1000), (flown, 150), (stepped, 40)])
def test_more_ties_in_the_plane(follow, n):
    assert sum((check(*whole_numbers(3, 1000 + seed), follow) for seed in range(n)), Counter()).total() > 2 * n // 3


def test_where_too_many_boundaries_meet_neurons_may_come_and_go_on():
    """Three boundaries through one direction: along one neurons slide to it, and straight on, over the two others."""
    data = Dataset([[-1.0, -2.0], [-1.0, 2.0], [0.0, -1.0], [0.0, 0.0], [2.0, 1.0]], np.zeros(5))
    r = np.array([-1.0, 1.0, 2.0, -1.0, -2.0])
    (e,) = [e for e in extremal_directions(data, residual=r, sign=1) if e.samples == (0, 2, 4)]
    assert e.kind == "semistable"
    starts = e.direction + 1e-3 * around(e, data)
    assert stepped(e, data, r, starts, 1e-3).any()
    assert not predicted(e, data, r, starts, 1e-3).any()
    # Growth rises beyond: from there on both to stay and to go on are solutions.
    beside = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    assert np.max(np.maximum(beside @ data.inputs.T, 0) @ r) > e.rate + 1e-4
