"""What the analysis of one input dimension accepts, and the sentence when something else comes."""

from __future__ import annotations

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU


def line_neurons(net: ShallowReLU, what: str) -> tuple[Floats, Floats, Floats]:
    """Return slopes, biases and output weights of a network of one input, a bias and one output.

    Parameters
    ----------
    net : ShallowReLU
        The network.
    what : str
        The function that asks, for the error.

    Returns
    -------
    w, b, a : ndarray, shape (n_neurons,)
        ``f(x) = Σ_j a_j relu(w_j x + b_j)``.

    Raises
    ------
    TypeError
        If ``net`` is not a ShallowReLU.
    ValueError
        If it has another number of inputs, no bias, or several outputs.
    """
    if not isinstance(net, ShallowReLU):
        raise TypeError(f"{what} needs a ShallowReLU, but got {type(net).__name__}.")
    if net.n_features != 1 or not net.bias:
        raise ValueError(
            f"{what} works for one input dimension with bias so far,"
            f" but the network has {net.n_features} features and bias={net.bias}."
        )
    if net.a.ndim == 2 and net.a.shape[1] != 1:
        raise ValueError(
            f"{what} works for one output so far, but the network has {net.a.shape[1]};"
            " pass ShallowReLU(net.W, net.a[:, i]) for one of them."
        )
    return net.W[:, 0], net.W[:, 1], net.a.reshape(-1)


def line_inputs(data: Dataset, what: str, *, bias: bool = True) -> Floats:
    """Return the inputs of data on the line as one array.

    Parameters
    ----------
    data : Dataset
        The data.
    what : str
        The function that asks, for the error.
    bias : bool, default True
        Whether the data must be meant for neurons with a bias.

    Returns
    -------
    ndarray, shape (n_samples,)

    Raises
    ------
    TypeError
        If ``data`` is not a Dataset.
    ValueError
        If it has several features, or no bias where one is needed.
    """
    if not isinstance(data, Dataset):
        raise TypeError(f"{what} needs a Dataset, but got {type(data).__name__}; make one with Dataset(X, y).")
    if data.n_features != 1 or (bias and not data.bias):
        with_bias = " with bias" if bias else ""
        raise ValueError(
            f"{what} works for one input dimension{with_bias} so far,"
            f" but the data have {data.n_features} features and bias={data.bias}."
        )
    # Adding zero turns -0.0, which has its own angle in atan2, into 0.0.
    return data.X[:, 0] + 0.0


def line_labels(data: Dataset, what: str) -> Floats:
    """Return the labels of data with one output, shape (n_samples,); ValueError for several."""
    if data.y.ndim == 2 and data.y.shape[1] != 1:
        raise ValueError(
            f"{what} works for one output so far, but the labels have {data.y.shape[1]};"
            " pass Dataset(data.X, data.y[:, i]) for one of them."
        )
    return data.y.reshape(-1)


def kinks(w: Floats, b: Floats) -> Floats:
    """Return where neurons ``relu(w x + b)`` bend, ``-b/w``: infinite beyond float64, NaN for ``w == 0``."""
    with np.errstate(divide="ignore", over="ignore"):
        quotient = -b / np.where(w == 0, np.nan, w)
    return quotient + 0.0
