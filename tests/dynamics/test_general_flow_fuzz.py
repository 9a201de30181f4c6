"""Runs on random, awkward data in one to five dimensions: each ends for a reason, and its loss never rises."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq

LOSSES = ("squared", "squared", "squared", "logistic", "cross_entropy", "huber")
# Time enough for all but the slowest tails.
T_MAX = 1e3
# All take some minutes; one in ten is enough for every day.
QUICK = 10
SEEDS = [pytest.param(seed, marks=() if seed % QUICK == 0 else pytest.mark.slow) for seed in range(300)]


def inputs(rng, kind, n, d):
    """Generic inputs; a grid; all on one line; in clusters; or close together and far from zero."""
    return (
        lambda: rng.normal(size=(n, d)),
        lambda: rng.integers(-2, 3, (n, d)).astype(float),
        lambda: rng.normal(size=(n, 1)) * rng.normal(size=d),
        lambda: rng.normal(size=(1, d)) + rng.normal(size=(n, d)) * 10.0 ** rng.uniform(-6, 0, (n, 1)),
        lambda: rng.uniform(20, 21, (n, d)),
    )[kind]()


def labels(rng, loss, n, n_outputs):
    if loss == "logistic":
        return rng.choice([-1.0, 1.0], n)
    if loss == "cross_entropy":
        return np.eye(n_outputs)[rng.integers(n_outputs, size=n)]
    y = rng.normal(size=(n, n_outputs)) if rng.random() < 0.6 else rng.integers(-2, 3, (n, n_outputs)).astype(float)
    return y[:, 0] if n_outputs == 1 else y


def weights(rng, m, p, n_outputs):
    """Balanced or not, of any size."""
    W, a = rng.normal(size=(m, p)), rng.normal(size=(m, n_outputs))
    balance = rng.choice(["balanced", "heavy outputs", "heavy inputs", "as drawn"])
    if balance == "balanced":
        a *= (np.linalg.norm(W, axis=1) / np.linalg.norm(a, axis=1))[:, None]
    elif balance != "as drawn":
        W, a = (10 * W, a) if balance == "heavy inputs" else (W, 10 * a)
    scale = 10.0 ** rng.choice([0, -1, -3, -8])
    return scale * W, scale * (a[:, 0] if n_outputs == 1 else a)


def held(rng, W, seen):
    """Put each neuron on the boundaries of one or two samples, if that leaves anything of it."""
    W = W.copy()
    for j, w in enumerate(W):
        across = np.linalg.qr(seen[rng.integers(len(seen), size=rng.integers(1, 3))].T)[0]
        rest = w - across @ (across.T @ w)
        W[j] = rest if np.linalg.norm(rest) > 1e-3 * np.linalg.norm(w) else w
    return W


def problem(seed):
    rng = np.random.default_rng(seed)
    n, d, bias, loss = int(rng.integers(1, 10)), int(rng.integers(1, 6)), bool(rng.random() < 0.7), rng.choice(LOSSES)
    n_outputs = 1 if loss == "logistic" else int(rng.integers(2 if loss == "cross_entropy" else 1, 4))
    data = rq.Dataset(inputs(rng, seed % 5, n, d), labels(rng, loss, n, n_outputs), bias=bias)
    W, a = weights(rng, int(rng.choice([1, 3, 10, 40])), d + bias, n_outputs)
    W = held(rng, W, data.inputs) if seed % 3 == 0 else W
    return rq.ShallowReLU(W, a, bias=bias), data, str(loss), float(rng.choice([1e-3, 1e-6, 1e-9]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", SEEDS)
def test_awkward_problems_come_to_an_end_and_their_loss_never_rises(seed):
    net, data, loss, rtol = problem(seed)
    traj = rq.gradient_flow(net, data, loss=loss, t_max=T_MAX, rtol=rtol, max_steps=3000, progress=False)
    assert traj.end in ("stationary", "t_max")
    assert np.all(np.diff(traj.loss) <= max(rtol, 1e-12) * traj.loss[0])
