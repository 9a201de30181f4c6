"""A network of several layers of ReLU neurons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.structures.arrays import Floats, real_array


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class DeepReLU:
    """A ReLU network of any depth: ``h ← relu(W h + b)`` for all layers but the last, which is affine.

    Parameters
    ----------
    weights : sequence of array_like
        For each layer W, shape (n_out, n_in), n_in being n_out of the layer before, as PyTorch's ``Linear.weight``.
        One layer is an affine function.
    biases : sequence of array_like
        For each layer b, shape (n_out,).

    Raises
    ------
    TypeError, ValueError
        If the arrays are not finite real numbers or their shapes do not fit.

    Notes
    -----
    An immutable value: it evaluates, and does not train. Its pieces on a segment or in a planar window are
    ``piecewise_linear(net, segment=(p, q))`` and ``piecewise_linear(net, window=(origin, u, v))``.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.DeepReLU([[[1.0], [-1.0]], [[-1.0, -1.0]], [[1.0]]], [[0.0, 0.0], [1.0], [0.0]])
    >>> net([-2.0, 0.0, 0.5])                            # relu(1 - abs(x))
    array([0. , 1. , 0.5])
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def __init__(self, weights: Sequence[ArrayLike], biases: Sequence[ArrayLike]) -> None:
        layers = tuple(real_array(W, f"weights[{i}]", ndim=(2,)) for i, W in enumerate(weights))
        shifts = tuple(real_array(b, f"biases[{i}]", ndim=(1,)) for i, b in enumerate(biases))
        if not layers or len(layers) != len(shifts):
            raise ValueError(
                "A DeepReLU needs at least one layer and one bias array for each,"
                f" but got {len(layers)} weights and {len(shifts)} biases."
            )
        if layers[0].shape[1] == 0 or layers[-1].shape[0] == 0:
            raise ValueError("A DeepReLU needs at least one feature and one output.")
        for i, (W, b) in enumerate(zip(layers, shifts, strict=True)):
            if b.shape != W.shape[:1]:
                raise ValueError(
                    f"biases[{i}] must have shape {W.shape[:1]}, as weights[{i}] has rows, but it has {b.shape}."
                )
            if i and W.shape[1] != layers[i - 1].shape[0]:
                raise ValueError(
                    f"weights[{i}] must have {layers[i - 1].shape[0]} columns, one for each neuron of the layer before,"
                    f" but it has shape {W.shape}."
                )
        object.__setattr__(self, "weights", layers)
        object.__setattr__(self, "biases", shifts)

    @property
    def n_features(self) -> int:
        """Number of features of an input."""
        return self.weights[0].shape[1]

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self.weights[-1].shape[0]

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of neurons of each hidden layer."""
        return tuple(W.shape[0] for W in self.weights[:-1])

    @property
    def n_neurons(self) -> int:
        """Number of neurons of all hidden layers."""
        return sum(self.widths)

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate the network.

        Parameters
        ----------
        x : array_like, shape (n_points, n_features), or (n_points,) or () with one feature
            Where.

        Returns
        -------
        ndarray
            Shape (n_points,) with one output, else (n_points, n_outputs); without the first axis for a scalar ``x``.

        Raises
        ------
        TypeError, ValueError
            If ``x`` does not hold finite real numbers or has another number of features.
        """
        points = real_array(x, "x", ndim=(0, 1, 2))
        columns = points.reshape(-1, 1) if points.ndim < 2 else points
        if columns.shape[1] != self.n_features:
            raise ValueError(
                f"x must have shape (n_points, {self.n_features}) for a network of {self.n_features} features,"
                f" but it has shape {points.shape}."
            )
        h = columns
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            h = np.maximum(h @ W.T + b, 0.0)
        values = h @ self.weights[-1].T + self.biases[-1]
        values = values[:, 0] if self.n_outputs == 1 else values
        return values[0] if points.ndim == 0 else values

    def __repr__(self) -> str:
        return f"DeepReLU(n_features={self.n_features}, widths={self.widths}, n_outputs={self.n_outputs})"
