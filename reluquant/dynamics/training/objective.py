"""The loss of a network with any number of hidden layers, its gradient, and its curvature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from reluquant.kernels import losses
from reluquant.structures.losses import Loss

Weights = tuple[Tensor, ...]

# Activations of all layers that may live at once: a fraction of the memory of any machine that trains.
CHUNK_BYTES = 2**28
# With fewer samples at once a device would wait for instructions; memory that cannot hold these is too small.
LEAST_CHUNK = 64


def forward(weights: Weights, bias: bool, x: Tensor) -> Tensor:
    """Outputs (n, o) of a network whose hidden layers have their bias in the last column."""
    *hidden, last = weights
    for W in hidden:
        x = torch.relu(torch.addmm(W[:, -1], x, W[:, :-1].T) if bias else x @ W.T)
    return x @ last.T


def loss_sum(loss: Loss, outputs: Tensor, labels: Tensor) -> Tensor:
    """Sum of a loss over samples, as `reluquant.kernels.losses` defines it."""
    if loss.kind == losses.SQUARED:
        return 0.5 * (outputs - labels).square().sum()
    if loss.kind == losses.LOGISTIC:
        return functional.softplus(-outputs * labels).sum()
    if loss.kind == losses.HUBER:
        # PyTorch's own has no second derivative.
        gap = (outputs - labels).abs()
        near = gap.clamp(max=loss.parameter)
        return (near * (gap - 0.5 * near)).sum()
    return functional.cross_entropy(outputs, labels, reduction="sum")


def right(outputs: Tensor, labels: Tensor) -> Tensor:
    """Number of samples whose class is told rightly: by the sign of one output, or by the largest of several."""
    if labels.shape[1] == 1:
        return (torch.sign(outputs) == torch.sign(labels)).sum()
    return (outputs.argmax(1) == labels.argmax(1)).sum()


@dataclass(slots=True)
class Objective:
    """Mean loss over samples that are on the device.

    Attributes
    ----------
    x, y : Tensor, shapes (n_samples, n_features) and (n_samples, n_outputs)
    loss : Loss
    bias : bool
    chunk : int
        Samples computed at once. It shrinks when memory does not suffice.
    """

    x: Tensor
    y: Tensor
    loss: Loss
    bias: bool
    chunk: int

    @classmethod
    def of(cls, x: Tensor, y: Tensor, loss: Loss, bias: bool, n_neurons: int) -> Objective:
        """Choose how many samples fit at once."""
        # Forward values, their gradients, and a copy that relu makes.
        sample = 3 * x.element_size() * (n_neurons + x.shape[1])
        return cls(x, y, loss, bias, max(LEAST_CHUNK, CHUNK_BYTES // sample))

    def value_and_gradient(self, weights: Weights, batch: Tensor | None = None) -> tuple[float, Weights, float]:
        """Return the mean loss, its gradient, and the share of classes told rightly, over all samples or a batch.

        Raises
        ------
        MemoryError
            If even the fewest samples at once do not fit.
        """
        while True:
            try:
                return self._summed(weights, batch)
            except torch.OutOfMemoryError as error:
                if self.chunk <= LEAST_CHUNK:
                    raise MemoryError(_too_large(self.x)) from error
                self.chunk = max(LEAST_CHUNK, self.chunk // 2)
                torch.cuda.empty_cache()

    def _summed(self, weights: Weights, batch: Tensor | None) -> tuple[float, Weights, float]:
        n = self.x.shape[0] if batch is None else batch.shape[0]
        leaves = tuple(W.detach().requires_grad_() for W in weights)
        total, hits = torch.zeros((2,), dtype=torch.float64, device=self.x.device)
        for first in range(0, n, self.chunk):
            chosen = slice(first, first + self.chunk) if batch is None else batch[first : first + self.chunk]
            outputs = forward(leaves, self.bias, self.x[chosen])
            part = loss_sum(self.loss, outputs, self.y[chosen]) / n
            part.backward()
            total += part.detach()
            hits += right(outputs.detach(), self.y[chosen])
        return total.item(), tuple(W.grad for W in leaves), hits.item() / n

    @torch.no_grad()
    def scores(self, weights: Weights) -> tuple[float, float]:
        """Return the mean loss and the share of samples whose class is told rightly."""
        total, hits = 0.0, 0
        for first in range(0, self.x.shape[0], self.chunk):
            part = slice(first, first + self.chunk)
            outputs = forward(weights, self.bias, self.x[part])
            total += loss_sum(self.loss, outputs, self.y[part]).item()
            hits += right(outputs, self.y[part]).item()
        return total / self.x.shape[0], hits / self.x.shape[0]

    def curved(self, weights: Weights, direction: Weights, samples: Tensor) -> Weights:
        """Return ``Jᵀ ℓ'' J v / n`` over some samples: how the gradient changes along v while no neuron switches."""
        y = self.y[samples]
        f, along = torch.func.jvp(self._outputs(samples), weights, direction)
        _, bent = torch.func.jvp(torch.func.grad(lambda f: loss_sum(self.loss, f, y)), (f,), (along,))
        return self.pulled_back(weights, bent.detach() / len(samples), samples)

    def pulled_back(self, weights: Weights, outputs: Tensor, samples: Tensor) -> Weights:
        """Return ``Jᵀ u`` over some samples."""
        _, back = torch.func.vjp(self._outputs(samples), *weights)
        return back(outputs)

    def _outputs(self, samples: Tensor) -> Callable[..., Tensor]:
        x = self.x[samples]
        return lambda *weights: forward(weights, self.bias, x)


def _too_large(x: Tensor) -> str:
    return (
        f"The memory of {x.device} does not hold {LEAST_CHUNK} samples of this network at once;"
        ' choose narrower layers, dtype="float32", a smaller batch_size or device="cpu".'
    )


def tensors(arrays: tuple[np.ndarray, ...], like: Tensor) -> Weights:
    """Return arrays in the precision and on the device of a tensor."""
    return tuple(torch.tensor(array, dtype=like.dtype, device=like.device) for array in arrays)
