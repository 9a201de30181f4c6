"""The descent kernel against loops, and the order in which it deals out samples."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from reluquant.kernels import descent, losses, status


def problem(n_features, n_outputs, n_samples, n_neurons, seed=0):
    """Inputs (p, n), labels (n, o), weights (p + o, m) and a velocity of the same shape."""
    rng = np.random.default_rng(seed)
    rows = n_features + n_outputs
    return (
        rng.normal(size=(n_features, n_samples)),
        rng.normal(size=(n_samples, n_outputs)),
        0.5 * rng.normal(size=(rows, n_neurons)),
        0.1 * rng.normal(size=(rows, n_neurons)),
    )


def batch_of(step, n, size, seed):
    """The samples of a step."""
    if size == n:
        return np.arange(n)
    per_pass = -(-n // size)
    order = np.empty(n, dtype=np.int64)
    descent.shuffle(order, seed, step // per_pass)
    return order[(step % per_pass) * size :][:size]


def slow_descent(inputs, labels, weights, velocity, lr, momentum, first, last, size, seed):
    """Gradient descent with a loop over everything."""
    weights, velocity = weights.copy(), velocity.copy()
    p, n = inputs.shape
    for step in range(first, last):
        slope, batch = np.zeros_like(weights), batch_of(step, n, size, seed)
        for k in batch:
            x = inputs[:, k]
            before = [sum(w[i] * x[i] for i in range(p)) for w in weights[:p].T]
            for o in range(labels.shape[1]):
                f = sum(a * max(z, 0.0) for a, z in zip(weights[p + o], before, strict=True))
                residual = (labels[k, o] - f) / len(batch)
                for j, z in enumerate(before):
                    if z > 0:
                        slope[p + o, j] += residual * z
                        slope[:p, j] += residual * weights[p + o, j] * x
        velocity = momentum * velocity + slope
        weights = weights + lr * velocity
    return weights, velocity


def run(
    inputs, labels, weights, velocity, *,
    lr=0.05, momentum=0.0, first=0, last=5, size=None, seed=7, at=(), kind=losses.SQUARED,
):  # fmt: skip
    """Call the kernel on copies; return status, step, weights, velocity and losses."""
    weights, velocity, at = weights.copy(), velocity.copy(), np.array(at, dtype=np.int64)
    found = np.full(at.size, np.nan)
    plan = np.array([first, last, inputs.shape[1] if size is None else size, seed, kind])
    why, step = descent.descend(
        inputs, labels, weights, velocity, np.array([lr, momentum, 0.5]), plan, losses.unused, losses.unused, at, found
    )
    return why, step, weights, velocity, found


def squared_loss(inputs, labels, weights):
    p = inputs.shape[0]
    f = np.maximum(weights[:p].T @ inputs, 0).T @ weights[p:].T
    return 0.5 * np.sum((f - labels) ** 2) / len(labels)


# Every padding: of inputs to even numbers, of samples to fours, of neurons to eights and to several blocks.
SHAPES = [
    (2, 1, 3, 4),
    (2, 1, 4, 8),
    (2, 1, 1, 1),
    (1, 1, 5, 3),
    (3, 1, 6, 5),
    (6, 1, 9, 130),
    (2, 1, 5, 300),
    (2, 3, 7, 4),
    (5, 2, 8, 129),
    (1, 2, 2, 2),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("share", "momentum"), [(1.0, 0.0), (1.0, 0.9), (0.4, 0.0), (0.4, 0.7)])
def test_steps_are_those_of_the_loops(shape, share, momentum):
    inputs, labels, weights, velocity = problem(*shape)
    n = inputs.shape[1]
    # Without momentum an old velocity must not matter.
    size, last = max(1, int(share * n)), 5
    expected = slow_descent(inputs, labels, weights, velocity, 0.05, momentum, 0, last, size, 7)
    why, step, *found, _ = run(inputs, labels, weights, velocity, momentum=momentum, size=size, last=last)
    assert (why, step) == (status.CHUNK_DONE, last)
    # Five steps of sums of a few hundred terms of order one: rounding of 1e-14.
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=1e-13)
    if momentum:
        np.testing.assert_allclose(found[1], expected[1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [10, 4, 3, 1])
@pytest.mark.parametrize("shape", [(2, 1, 10, 20), (3, 2, 10, 5)])
def test_a_run_in_pieces_is_the_run_to_the_last_bit(shape, size):
    state = problem(*shape)
    whole = run(*state, last=23, size=size, momentum=0.5)
    weights, velocity = state[2:]
    for first, last in ((0, 1), (1, 9), (9, 9), (9, 20), (20, 23)):
        _, step, weights, velocity, _ = run(
            *state[:2], weights, velocity, first=first, last=last, size=size, momentum=0.5
        )
        assert step == last
    assert np.array_equal(weights, whole[2])
    assert np.array_equal(velocity, whole[3])


@pytest.mark.parametrize("size", [10, 4])
def test_losses_are_those_over_all_samples_at_the_steps_asked_for(size):
    inputs, labels, weights, velocity = problem(3, 2, 10, 6)
    at = [0, 1, 4, 5]
    *_, found = run(inputs, labels, weights, velocity, last=6, size=size, at=at)
    for step, value in zip(at, found, strict=True):
        there = run(inputs, labels, weights, velocity, last=step, size=size)[2]
        assert value == pytest.approx(squared_loss(inputs, labels, there), rel=1e-13)


@pytest.mark.parametrize("kind", [losses.SQUARED, losses.LOGISTIC, losses.CROSS_ENTROPY, losses.HUBER])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_step_goes_down_the_slope_of_whichever_loss_is_recorded(kind, n_outputs):
    inputs, labels, weights, velocity = problem(3, n_outputs, 6, 5)
    shares = np.abs(labels) / np.abs(labels).sum(axis=1, keepdims=True)
    labels = shares if kind == losses.CROSS_ENTROPY else np.sign(labels)
    lr, h, slope = 0.01, 1e-6, np.empty_like(weights)
    for place in np.ndindex(*weights.shape):
        sides = []
        for side in (h, -h):
            moved = weights.copy()
            moved[place] += side
            sides.append(run(inputs, labels, moved, velocity, last=0, at=[0], kind=kind)[4][0])
        slope[place] = (sides[0] - sides[1]) / (2 * h)
    stepped = run(inputs, labels, weights, velocity, lr=lr, last=1, kind=kind)[2]
    # Central differences with h = 1e-6: right to about 1e-9, times lr.
    np.testing.assert_allclose(stepped, weights - lr * slope, rtol=0, atol=1e-10)


def test_recording_changes_no_step():
    state = problem(3, 1, 10, 6)
    plain, recorded = run(*state, size=4), run(*state, size=4, at=range(6))
    assert np.array_equal(plain[2], recorded[2])


def test_relu_has_slope_zero_at_zero():
    # One neuron on the boundary of the only sample: nothing moves.
    inputs, labels = np.array([[1.0], [1.0]]), np.array([[3.0]])
    weights = np.array([[0.5], [-0.5], [1.0]])
    assert np.array_equal(run(inputs, labels, weights, np.zeros((3, 1)))[2], weights)


@pytest.mark.parametrize("size", [5, 2])
@pytest.mark.parametrize("shape", [(2, 1, 5, 3), (4, 2, 5, 3)])
def test_an_overflow_stops_the_run_while_weights_are_numbers(shape, size):
    state = problem(*shape)
    why, step, weights, _, _ = run(*state, lr=50.0, last=10_000, size=size)
    assert why == status.NOT_FINITE
    assert 1 < step < 100
    assert np.all(np.isfinite(weights))
    before = run(*state, lr=50.0, last=step - 1, size=size, at=[step - 1])
    assert before[0] == status.CHUNK_DONE
    assert np.isfinite(before[4][0])


def test_one_signature_whatever_the_problem():
    run(*problem(2, 1, 3, 4))
    run(*problem(4, 2, 3, 4), size=1, momentum=0.5, at=[0, 5])
    assert len(descent.descend.signatures) == 1


# ----------------------------------------------------------------------------------- the order of the samples


def orders(n, seed, n_turns):
    found = np.empty((n_turns, n), dtype=np.int64)
    for turn, row in enumerate(found):
        descent.shuffle(row, seed, turn)
    return found


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_a_shuffle_deals_out_every_sample_once(n):
    assert np.array_equal(np.sort(orders(n, 3, 5), axis=1), np.tile(np.arange(n), (5, 1)))


def test_every_order_is_as_likely():
    found, n_turns = orders(4, 2**61 + 5, 24_000), 24_000
    counts = np.unique(found, axis=0, return_counts=True)[1]
    assert counts.size == len(list(permutations(range(4))))
    # Chi squared with 23 degrees of freedom: beyond 50 once in a thousand.
    expected = n_turns / 24
    assert np.sum((counts - expected) ** 2 / expected) < 50


def test_passes_and_seeds_give_unrelated_orders():
    one, other, high = orders(50, 1, 200), orders(50, 2, 200), orders(50, 1 + 2**40, 200)
    # Two random orders of n samples agree in one place on average, with variance one.
    for first, second in ((one[1:], one[:-1]), (one, other), (one, high), (one[1:], other[:-1])):
        assert abs(np.mean(np.sum(first == second, axis=1)) - 1) < 4 / np.sqrt(199)


def test_scramble_is_a_bijection_of_32_bits():
    values = {int(descent.scramble(v)) for v in range(70_000)}
    assert len(values) == 70_000
    assert min(values) >= 0
    assert max(values) < 2**32
    assert descent.scramble(2**32 + 17) == descent.scramble(17)
