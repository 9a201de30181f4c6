"""Balanced neurons by the crowd, against each of them alone on the general path."""

from __future__ import annotations

import numpy as np
import pytest

from reluquant.kernels import crowd_1d, field_1d, neuron_1d, sectors_1d

ORDER, TOLERANCE = 16, 1e-12


def _field(rng, n, hi, roughness):
    """A field with a random smooth residual, and how far a step may go in it."""
    x = np.sort(rng.uniform(-1, 1, n))
    points = np.column_stack([x, np.full(n, 1 / n), np.zeros(n), np.hypot(x, 1)])
    field = field_1d.empty_field(points, ORDER, TOLERANCE, 0.0)
    field.residual[:] = rng.normal(size=(n, ORDER)) * (roughness / 3.0) ** np.arange(ORDER)
    for i in range(ORDER):
        field_1d.fill_generators(field, i, 1.0)
    field.releases[:] = np.nan
    return field, min([hi, *(field_1d.ready_place(field, place) for place in range(4 * n) if place != n)])


def _neurons(rng, field, m):
    angle, size = rng.uniform(-np.pi, np.pi, m), 10.0 ** rng.uniform(-3, 3, m)
    Z = np.column_stack([size * np.cos(angle), size * np.sin(angle), size * rng.choice([-1.0, 1.0], m)])
    mode = np.empty(m, dtype=np.int64)
    sectors_1d.locate(field.points, Z, mode)
    return Z, np.sign(Z[:, 2]).astype(np.int64), mode


def _carried(field, Z, sign, mode, hi, n_events=5000):
    m = len(Z)
    crowd = crowd_1d.room_for_crowd(len(field.points), m, ORDER)
    moved, moved_mode, events = np.zeros((m, 3)), np.zeros(m, np.int64), np.empty((n_events, 5))
    n_events = crowd_1d.carry_crowd(field, crowd, Z, np.zeros(m, np.int64), sign, mode, hi, moved, moved_mode, events)
    return crowd.resume, moved, moved_mode, events[: max(n_events, 0)], n_events


@pytest.mark.parametrize("roughness", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("seed", range(12))
def test_each_of_a_crowd_ends_where_it_would_alone(seed, roughness):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    field, hi = _field(rng, n, 2.0, roughness)
    Z, sign, mode = _neurons(rng, field, 600)
    resume, moved, moved_mode, events, _ = _carried(field, Z, sign, mode, hi)
    for j, (z, place) in enumerate(zip(Z, mode, strict=True)):
        own = events[events[:, 1] == j]
        if resume[j] == 0.0:
            assert len(own) == 0
            continue
        expected, alone = np.zeros((64, 4)), z.copy()
        status, reached, n_log, _ = neuron_1d.travel(field, alone, sign[j], place, 0.0, 0.0, 0, hi, expected)
        log, neuron, end = np.zeros((64, 4)), moved[j].copy(), moved_mode[j]
        log[: len(own)] = own[:, [0, 2, 3, 4]]
        n_own = len(own)
        if resume[j] < hi:
            # Handed over on the way: from there the general path goes on.
            _, end, n_own, _ = neuron_1d.travel(field, neuron, sign[j], end, 0.0, resume[j], n_own, hi, log)
        assert (status, end, n_own) == (0, reached, n_log)
        np.testing.assert_array_equal(log[:n_log, 1:3], expected[:n_log, 1:3])
        np.testing.assert_allclose(log[:n_log, 0], expected[:n_log, 0], rtol=0, atol=2e-11)
        np.testing.assert_allclose(neuron, alone, rtol=0, atol=1e-11 * np.abs(alone).max())
    # It is worth having only where most take part.
    assert np.mean(resume[mode != n] > 0.0) > (0.9 if roughness == 0.0 else 0.3)


def test_what_a_switch_may_change_is_what_the_general_path_says_where_the_field_is_constant():
    rng = np.random.default_rng(5)
    field, hi = _field(rng, 5, 2.0, 0.0)
    Z, sign, mode = _neurons(rng, field, 300)
    _, _, _, events, _ = _carried(field, Z, sign, mode, hi)
    assert len(events) > 100
    for j in np.unique(events[:, 1].astype(int)):
        log = np.zeros((64, 4))
        neuron_1d.travel(field, Z[j].copy(), sign[j], mode[j], 0.0, 0.0, 0, hi, log)
        own = events[events[:, 1] == j]
        np.testing.assert_allclose(own[:, 4], log[: len(own), 3], rtol=1e-8)


def test_many_that_pass_are_interpolated_and_few_are_not_and_both_are_right():
    """A neuron goes the same way, within the tolerance, whatever the company it is in."""
    rng = np.random.default_rng(7)
    field, hi = _field(rng, 4, 2.0, 0.3)
    Z, sign, mode = _neurons(rng, field, 20_000)
    _, many, many_mode, _, _ = _carried(field, Z, sign, mode, hi, 100_000)
    few = slice(0, crowd_1d.CROWDED)
    field.releases[:] = np.nan
    resume, alone, alone_mode, _, _ = _carried(field, Z[few].copy(), sign[few].copy(), mode[few].copy(), hi)
    assert np.array_equal(many_mode[few][resume > 0], alone_mode[resume > 0])
    difference = np.abs(many[few] - alone).max(axis=1)[resume > 0]
    assert np.all(difference <= 100 * TOLERANCE * np.abs(alone).max(axis=1)[resume > 0])
    assert np.any(difference > 0)


def test_without_room_for_the_events_nothing_is_claimed():
    rng = np.random.default_rng(1)
    field, hi = _field(rng, 5, 2.0, 0.0)
    Z, sign, mode = _neurons(rng, field, 300)
    assert _carried(field, Z, sign, mode, hi, n_events=3)[-1] == -1


def test_the_unbalanced_and_the_few_are_left_alone():
    rng = np.random.default_rng(2)
    field, hi = _field(rng, 3, 2.0, 0.0)
    Z, sign, mode = _neurons(rng, field, 300)
    sign[::2] = 0
    resume, _, _, events, _ = _carried(field, Z, sign, mode, hi)
    assert np.all(resume[::2] == 0.0)
    assert np.any(resume[1::2] > 0.0)
    assert not np.any(events[:, 1] % 2 == 0)
    few = slice(0, crowd_1d.CROWDED - 1)
    assert np.all(_carried(field, Z[few].copy(), sign[few].copy(), mode[few].copy(), hi)[0] == 0.0)
