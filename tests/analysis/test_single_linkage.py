"""Single linkage against all pairs, and at the sizes for which all pairs are too many."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from reluquant.analysis.single_linkage import single_linkage


def all_pairs(points, distance):
    near = np.linalg.norm(points[:, None] - points[None], axis=2) <= distance
    return connected_components(near, directed=False)[1]


def same_partition(p, q):
    return len(set(zip(p.tolist(), q.tolist(), strict=True))) == len(set(p.tolist())) == len(set(q.tolist()))


def crowded(rng, n, p, n_places, size):
    """Points near a few places, from far nearer than others to as wide as ``size``."""
    places = rng.standard_normal((n_places, p))
    spread = size * 10.0 ** rng.uniform(-12, 0, (n, 1))
    return places[rng.integers(0, n_places, n)] + spread * rng.standard_normal((n, p))


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 6), st.integers(1, 8), st.floats(-2, 0.5),
    st.floats(-3, 1),
)  # fmt: skip
def test_labels_are_those_of_all_pairs(seed, n, p, n_places, size, distance):
    points = crowded(np.random.default_rng(seed), n, p, n_places, 10**size)
    labels = single_linkage(points, 10**distance)
    assert same_partition(labels, all_pairs(points, 10**distance))
    assert set(labels.tolist()) == set(range(labels.max() + 1))


@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.integers(1, 4), st.sampled_from([0.25, 0.5, 0.75]))
def test_pairs_at_exactly_the_distance_are_linked(seed, n, p, distance):
    # Coordinates and distances are multiples of 1/4, so that squares are exact.
    points = np.random.default_rng(seed).integers(-6, 7, (n, p)) / 4
    assert same_partition(single_linkage(points, distance), all_pairs(points, distance))


def test_two_crowds_with_a_bridge_are_one():
    crowd = np.random.default_rng(0).uniform(-0.1, 0.1, (200, 2))
    aside = np.array([1.5, 0.0])
    apart = np.concatenate([crowd, crowd + aside])
    assert single_linkage(apart, 1.0).max() == 1
    assert single_linkage(np.concatenate([apart, [[0.75, 0]]]), 1.0).max() == 0
    # The nearest two are not near either centre.
    near = np.min(np.linalg.norm(crowd[:, None] - crowd[None] - aside, axis=2))
    assert single_linkage(apart, near * (1 + 1e-12)).max() == 0
    assert single_linkage(apart, near * (1 - 1e-12)).max() == 1


def test_few_points():
    assert single_linkage(np.zeros((0, 3)), 1.0).shape == (0,)
    assert single_linkage(np.zeros((1, 3)), 1.0).tolist() == [0]
    assert single_linkage(np.zeros((5, 3)), 1.0).tolist() == [0] * 5


@pytest.mark.parametrize("p", [3, 20])
@pytest.mark.parametrize("kind", ["one place each", "all sizes", "uniform", "exactly the same"])
def test_a_hundred_thousand_points_take_seconds(kind, p):
    rng, n = np.random.default_rng(0), 100_000
    places = rng.standard_normal((10, p))
    if kind == "one place each":
        points = places[rng.integers(0, 10, n)] + 1e-9 * rng.standard_normal((n, p))
    elif kind == "all sizes":
        points = crowded(rng, n, p, 10, 0.1)
    elif kind == "uniform":
        points = rng.standard_normal((n, p))
    else:
        points = np.repeat(places, n // 10, axis=0)
    start = time.process_time()
    tracemalloc.start()
    labels = single_linkage(points, 1e-3)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # At most 1 s, with room for other things that the machine does; all pairs would be 10^10.
    assert time.process_time() - start < 10.0
    assert most < 30 * points.nbytes
    if kind in ("one place each", "exactly the same"):
        assert labels.max() == 9
