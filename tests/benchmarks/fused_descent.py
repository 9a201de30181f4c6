"""Gradient descent with a fixed step, fused into one loop: the strongest simple way to follow the flow.

What a careful user of Numba writes: neurons contiguous in memory so that the compiler vectorises over them, the
number of weights a neuron has a constant of the compiled code, blocks that stay in the first-level cache.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numba import njit

# Input weights a block: with what is computed from them they stay within the cache of a core. Measured: 1024 neurons
# are best with 2 weights each, 256 to 512 with 6.
BLOCK = 2048


class FusedDescent:
    """Descent of one network, a block of neurons after the other: ``advance`` it, then look at ``theta``."""

    def __init__(self, theta: np.ndarray, inputs: np.ndarray, y: np.ndarray) -> None:
        self.n_neurons, columns = theta.shape
        size = min(BLOCK // (columns - 1), -(-self.n_neurons // 8) * 8)
        n_blocks = -(-self.n_neurons // size)
        # Neurons that fill the last block have zero weights, and keep them.
        padded = np.zeros((n_blocks * size, columns))
        padded[: self.n_neurons] = theta
        self.blocks = np.ascontiguousarray(padded.reshape(n_blocks, size, columns).transpose(0, 2, 1))
        self.X, self.y = np.ascontiguousarray(inputs.T), np.ascontiguousarray(y)
        self.kernel = _descent(columns - 1)

    def advance(self, step: float, n_steps: int) -> None:
        """Take ``n_steps`` steps of descent."""
        self.kernel(self.blocks, self.X, self.y, step, n_steps)

    @property
    def theta(self) -> np.ndarray:
        """Weights, shape (n_neurons, n_weights + 1), the output weight last."""
        return self.blocks.transpose(0, 2, 1).reshape(-1, self.blocks.shape[1])[: self.n_neurons].copy()


@cache
def _descent(n_weights: int):
    """Compile descent for neurons of ``n_weights`` input weights."""
    p = n_weights

    # fastmath, unlike the package's kernels: it is what lets the sums vectorise, and no decision depends on them.
    @njit(fastmath=True, nogil=True)
    def descend(blocks, X, y, step, n_steps):
        n, size = X.shape[1], blocks.shape[2]
        f, G = np.empty(n), np.empty((p, size))
        for _ in range(n_steps):
            f[:] = 0.0
            for b in range(blocks.shape[0]):
                block = blocks[b]
                for k in range(n):
                    total = 0.0
                    for j in range(size):
                        field = 0.0
                        for i in range(p):
                            field += block[i, j] * X[i, k]
                        total += block[p, j] * max(field, 0.0)
                    f[k] += total
            for b in range(blocks.shape[0]):
                block = blocks[b]
                G[:] = 0.0
                for k in range(n):
                    push = step * (y[k] - f[k]) / n
                    for j in range(size):
                        field = 0.0
                        for i in range(p):
                            field += block[i, j] * X[i, k]
                        felt = push if field > 0.0 else 0.0
                        for i in range(p):
                            G[i, j] += felt * X[i, k]
                for j in range(size):
                    old, change = block[p, j], 0.0
                    for i in range(p):
                        before = block[i, j]
                        change += before * G[i, j]
                        block[i, j] = before + old * G[i, j]
                    block[p, j] = old + change

    return descend
