"""The loss of a network with any number of hidden layers, its gradient, and its curvature."""

from __future__ import annotations

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


def forward_along(weights: Weights, direction: Weights, bias: bool, x: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs, and how they change along a direction of the weights while no neuron switches.

    By hand, because PyTorch's forward mode is one for all threads, and two trainings at once would disturb each other.
    """
    change = torch.zeros_like(x)
    *hidden, last = zip(weights, direction, strict=True)
    for W, dW in hidden:
        if bias:
            z = torch.addmm(W[:, -1], x, W[:, :-1].T)
            dz = torch.addmm(dW[:, -1], x, dW[:, :-1].T) + change @ W[:, :-1].T
        else:
            z, dz = x @ W.T, x @ dW.T + change @ W.T
        x, change = torch.relu(z), dz * (z > 0)
    return x @ last[0].T, x @ last[1].T + change @ last[0].T


def bend(loss: Loss, outputs: Tensor, labels: Tensor, along: Tensor) -> Tensor:
    """``ℓ'' v`` for each sample: how the slope of the loss changes along a change of the outputs."""
    if loss.kind == losses.LOGISTIC:
        share = torch.sigmoid(outputs * labels)
        return share * (1 - share) * along
    if loss.kind == losses.HUBER:
        return along * ((outputs - labels).abs() <= loss.parameter)
    if loss.kind == losses.CROSS_ENTROPY:
        shares = torch.softmax(outputs, 1)
        return shares * (along - (shares * along).sum(1, keepdim=True))
    return along


def loss_sum(loss: Loss, outputs: Tensor, labels: Tensor) -> Tensor:
    """Sum of a loss over samples, as `reluquant.kernels.losses` defines it."""
    if loss.kind == losses.SQUARED:
        return 0.5 * (outputs - labels).square().sum()
    if loss.kind == losses.LOGISTIC:
        return functional.softplus(-outputs * labels).sum()
    if loss.kind == losses.HUBER:
        return functional.huber_loss(outputs, labels, reduction="sum", delta=loss.parameter)
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

    @torch.no_grad()
    def curved(self, weights: Weights, direction: Weights, samples: Tensor) -> Weights:
        """Return ``Jᵀ ℓ'' J v / n`` over some samples: how the gradient changes along v while no neuron switches."""
        outputs, along = forward_along(weights, direction, self.bias, self.x[samples])
        bent = bend(self.loss, outputs, self.y[samples], along)
        return self.pulled_back(weights, bent / len(samples), samples)

    def pulled_back(self, weights: Weights, outputs: Tensor, samples: Tensor) -> Weights:
        """Return ``Jᵀ u`` over some samples."""
        leaves = tuple(W.detach().requires_grad_() for W in weights)
        with torch.enable_grad():
            return torch.autograd.grad(forward(leaves, self.bias, self.x[samples]), leaves, outputs)


def _too_large(x: Tensor) -> str:
    return (
        f"The memory of {x.device} does not hold {LEAST_CHUNK} samples of this network at once;"
        ' choose narrower layers, dtype="float32", a smaller batch_size or device="cpu".'
    )


def tensors(arrays: tuple[np.ndarray, ...], like: Tensor) -> Weights:
    """Return arrays in the precision and on the device of a tensor."""
    return tuple(torch.tensor(array, dtype=like.dtype, device=like.device) for array in arrays)
