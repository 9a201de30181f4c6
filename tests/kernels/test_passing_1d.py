"""Balanced neurons by the polynomials of boundaries, against the general path through all switches."""

from __future__ import annotations

import numpy as np
import pytest

from reluquant.kernels import field_1d, neuron_1d, passing_1d, sectors_1d

ORDER = 16


def _field(rng, n, hi):
    """A field with a random smooth residual, and all that both ways need for a step to ``hi``."""
    x = np.sort(rng.uniform(-1, 1, n))
    points = np.column_stack([x, np.full(n, 1 / n), np.zeros(n), np.hypot(x, 1)])
    field = field_1d.empty_field(points, ORDER, 1e-12, 0.0)
    field.residual[:] = rng.normal(size=(n, ORDER)) / 3.0 ** np.arange(ORDER)
    for i in range(ORDER):
        field_1d.fill_generators(field, i, 1.0)
    field.releases[:] = np.nan
    # A step that no series outreaches: `travel` would ask for a shorter one.
    field.limits[:] = 0.0
    places = [place for place in range(4 * n) if place != n]
    return field, min([hi, *(field_1d.ready_place(field, place) for place in places)])


def _neurons(rng, field, m):
    """Balanced neurons in all directions, some of them on rays."""
    angle, size = rng.uniform(-np.pi, np.pi, m), 10.0 ** rng.uniform(-3, 3, m)
    Z = np.column_stack([size * np.cos(angle), size * np.sin(angle), size * rng.choice([-1.0, 1.0], m)])
    mode = np.empty(m, dtype=np.int64)
    sectors_1d.locate(field.points, Z, mode)
    for j in range(0, m, 5):
        ray = int(rng.integers(len(field.rays)))
        Z[j, :2], mode[j] = size[j] * field.rays[ray], len(field.rays) + ray
    return Z, mode


def _pass(field, z, place, hi, log):
    names = ("points", "rays", "edges", "ends", "generator", "turns", "slides", "releases", "limits", "ready")
    arrays = [getattr(field, name) for name in names]
    for _ in range(4 * len(field.rays)):
        result = passing_1d.pass_through(*arrays, *z, place, False, hi, log)
        if result[4] >= 0:
            return result
        passing_1d.ready_passage(field, result[3], 1 if z[2] > 0 else -1, hi)
    raise AssertionError("never ready")


@pytest.mark.parametrize("seed", range(40))
def test_a_passage_ends_where_the_general_path_does(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    field, hi = _field(rng, n, hi=2.0)
    Z, mode = _neurons(rng, field, 200)
    whole = 0
    for z, place in zip(Z, mode, strict=True):
        if place == n:
            continue
        log, expected = np.zeros((64, 4)), np.zeros((64, 4))
        w, b, a, reached, theta, n_log = _pass(field, z, place, hi, log)
        neuron = np.array([w, b, a])
        sign = 1 if z[2] > 0 else -1
        whole += theta >= hi
        if theta < hi:
            # It gave up somewhere on the way; from there the general path goes on.
            _, reached, n_log, _ = neuron_1d.travel(field, neuron, sign, reached, 0.0, theta, n_log, hi, log)
        direct = z.copy()
        status, place, n_expected, _ = neuron_1d.travel(field, direct, sign, place, 0.0, 0.0, 0, hi, expected)
        assert (status, reached, n_log) == (0, place, n_expected)
        np.testing.assert_array_equal(log[:n_log, 1:3], expected[:n_log, 1:3])
        np.testing.assert_allclose(log[:n_log, [0, 3]], expected[:n_log, [0, 3]], rtol=1e-9, atol=1e-9 * hi)
        np.testing.assert_allclose(neuron, direct, rtol=0, atol=1e-11 * np.abs(direct).max())
    # The short way is worth having only where it is taken.
    assert whole > 20


@pytest.mark.parametrize("angle", [0.0, 1.0, 2.0, 3.1415, -3.1415, -2.0, -1.0, np.pi / 2])
def test_root_squares_to_the_direction(angle):
    w, b = 3.0 * np.cos(angle), 3.0 * np.sin(angle)
    v1, v2 = passing_1d.root(w, b, 3.0)
    np.testing.assert_allclose([(v1**2 - v2**2) / 2, v1 * v2, (v1**2 + v2**2) / 2], [w, b, 3.0], atol=1e-15)
