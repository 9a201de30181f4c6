"""First roots of sums of exponentials, and arrivals of curves made of them, against dense looks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant.kernels.exponential_sums import first_negative, last_entry


def first(c, mu, hi=np.inf):
    c, mu = np.array(c, dtype=float), np.array(mu, dtype=float)
    return first_negative(c, mu, c.size, hi, 1.0 / np.ptp(mu))


def entry(vectors, mu, target, angle, hi=np.inf):
    vectors, mu, target = (np.array(x, dtype=float) for x in (vectors, mu, target))
    n, p = vectors.shape
    room = np.zeros(n), np.zeros((n, p)), np.zeros(n), np.zeros(p)
    return last_entry(vectors, mu, n, target, math.sin(angle), math.cos(angle), hi, 1.0 / np.ptp(mu), *room)


@given(st.integers(0, 2**32 - 1))
def test_the_first_root_is_that_of_a_dense_look(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 8))
    mu = np.sort(rng.standard_normal(n))[::-1]
    c = rng.standard_normal(n) * 10.0 ** rng.integers(-6, 1, n)
    # Just above zero at first, where most of them have several roots.
    c[-1] += 10.0 ** -rng.integers(0, 9) - c.sum()
    t = np.r_[0.0, np.geomspace(1e-10, 30 / np.ptp(mu), 200_000)]
    values = np.exp(np.outer(t, mu - mu[0])) @ c
    below = np.flatnonzero(values < 0)
    x = first(c, mu)
    if below.size == 0:
        # What is negative later than looked at.
        assert x > t[-1]
    else:
        assert t[below[0] - 1] * (1 - 1e-6) - 1e-13 <= x <= t[below[0]] * (1 + 1e-6) + 1e-13


def test_a_pair_of_close_roots_is_seen_and_a_near_miss_is_none():
    # (x - ½)² ± ε in x = e^{-t}, with the leading exponent 0.
    for depth in (1e-4, 1e-8, 1e-12):
        assert first([0.25 - depth, -1, 1], [0, -1, -2]) == pytest.approx(-math.log(0.5 + math.sqrt(depth)), abs=1e-9)
        assert first([0.25 + depth, -1, 1], [0, -1, -2]) == np.inf


def test_roots_that_come_very_late_or_after_the_end():
    # 1 - 1e-9 e^{t} passes zero at 9 ln 10; and exponents that are nearly equal.
    assert first([-1e-9, 1], [1, 0]) == pytest.approx(9 * math.log(10), rel=1e-14)
    assert first([-1e-9, 1], [1, 0], hi=20.0) == np.inf
    assert first([-1, 2, 0], [1, 1 - 1e-9, -1]) == pytest.approx(math.log(2) / 1e-9, rel=1e-6)
    assert first([1e-300, -1, 2], [1, 0, -1]) == pytest.approx(math.log(2), rel=1e-14)


def test_sums_without_roots():
    assert first([0, 0, 0], [1, 0, -1]) == np.inf
    assert first([1, 2, 3], [1, 0, -1]) == np.inf
    # It starts within rounding of zero, and rises.
    assert first([1, 1e-16, -1], [1, 0, -1]) == np.inf


@given(st.integers(0, 2**32 - 1))
def test_a_curve_arrives_after_its_last_moment_outside(seed):
    rng = np.random.default_rng(seed)
    n, p, angle = int(rng.integers(2, 6)), int(rng.integers(2, 5)), rng.choice([0.02, 0.3, 1.2])
    mu, vectors = np.sort(rng.standard_normal(n))[::-1], rng.standard_normal((n, p))
    target = vectors[0] / np.linalg.norm(vectors[0])
    t = np.linspace(0, 60 / (mu[0] - mu[1]), 200_000)
    w = np.exp(np.outer(t, mu - mu[0])) @ vectors
    along = w @ target
    outside = np.linalg.norm(w - along[:, None] * target, axis=1) > math.tan(angle) * along
    x = entry(vectors, mu, target, angle)
    if outside.any():
        assert t[np.flatnonzero(outside)[-1]] - 1e-9 <= x <= t[np.flatnonzero(outside)[-1] + 1] + 1e-9
    else:
        # An excursion between two looks is the only other.
        assert x == -1.0 or np.min(np.abs(t - x)) < t[1]
    if not outside.any() or x < t[-1] / 2:
        # A curve that ends inside the cone at some moment has the same arrival until then.
        assert entry(vectors, mu, target, angle, hi=t[-1]) == pytest.approx(x, rel=1e-9, abs=1e-9)
