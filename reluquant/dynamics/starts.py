"""The start of a run: whether network and data fit each other, and weights as mantissas and exponents."""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.arrays import Floats, row_mantissas
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU


def check_problem(net: ShallowReLU, data: Dataset, largest: float) -> None:
    """Say what is wrong with a network and data that do not fit each other, or exceed ``largest``.

    Raises
    ------
    TypeError, ValueError
        In one sentence.
    """
    if not isinstance(net, ShallowReLU):
        raise TypeError(f"net must be a ShallowReLU, but it is a {type(net).__name__}.")
    if not isinstance(data, Dataset):
        raise TypeError(f"data must be a Dataset, but it is a {type(data).__name__}; wrap it: rq.Dataset(X, y).")
    if (net.n_features, net.bias, net.a.shape[1:]) != (data.n_features, data.bias, data.y.shape[1:]):
        raise ValueError(
            "The network must have the features, the outputs and the bias of the data, but it is"
            f" {net!r} with a of shape {net.a.shape}, and they are {data!r} with y of shape {data.y.shape}."
        )
    if net.n_neurons == 0:
        raise ValueError("The network must have at least one neuron, but W and a have no rows.")
    if not data.bias and not np.any(data.X):
        raise ValueError(
            "Some input must differ from zero where there is no bias: no weight has an effect on these data;"
            " use bias=True."
        )
    for name, values in (("X", data.X), ("y", data.y), ("W", net.W), ("a", net.a)):
        most = np.max(np.abs(values))
        if most > largest:
            raise ValueError(
                f"{name} must stay within ±{largest:g}, so that products stay in the float64 range, but it reaches"
                f" {most:.3g}; rescale it."
            )


def mantissas(net: ShallowReLU) -> tuple[Floats, np.ndarray]:
    """Return (w, a) of each neuron, its largest weight in [½, 1), and the binary exponents that were taken out."""
    return row_mantissas(np.column_stack([net.W, net.a]))


def split(log_scale: float) -> tuple[float, int]:
    """Return e^log_scale as a factor in [1, 2) and a power of two; the factor is 1 without a log_scale."""
    shift = math.floor(log_scale / math.log(2.0))
    return math.exp(log_scale - shift * math.log(2.0)), shift


def scaled(mantissa: Floats, exponent: np.ndarray, log_scale: float) -> tuple[Floats, np.ndarray]:
    """Multiply mantissas and exponents by e^log_scale.

    Nothing changes without a log_scale; the rounding of a product is the same for |w| and |a| up to a unit.
    """
    factor, shift = split(log_scale)
    return np.ascontiguousarray(mantissa * factor), exponent + shift
