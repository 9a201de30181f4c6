"""The training data: immutable, finite, two-dimensional inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.structures.arrays import Floats, frozen, real_array


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class Dataset:
    """Training data for a ReLU network: inputs, labels and whether neurons have a bias.

    Parameters
    ----------
    X : array_like, shape (n_samples, n_features) or (n_samples,)
        Inputs; a one-dimensional array is one feature. Lists and pandas Series are fine.
    y : array_like, shape (n_samples,) or (n_samples, n_outputs)
        Labels.
    bias : bool, default True
        Whether a constant 1 is appended to every input.
    name : str, default ""
        A title for pictures and tables.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If there are no samples, the lengths differ, a value is NaN or infinite, or the
        arrays have too many dimensions.

    Notes
    -----
    The same input with two labels is accepted here and by the flow, which sees their mean;
    :func:`reluquant.interpolate` refuses it unless told how to merge. The order of the samples
    is kept. It is not a table: columns have no names.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([0.0, 1.0, 2.0], [1.0, -1.0, 1.0])
    >>> data.X.shape, data.n_samples, data.n_features
    ((3, 1), 3, 1)
    """

    X: Floats
    y: Floats
    bias: bool
    name: str

    def __init__(self, X: ArrayLike, y: ArrayLike, *, bias: bool = True, name: str = "") -> None:
        inputs = real_array(X, "X", ndim=(1, 2))
        labels = real_array(y, "y", ndim=(1, 2))
        if inputs.ndim == 1:
            inputs = frozen(inputs[:, None])
        if inputs.shape[0] == 0 or inputs.shape[1] == 0:
            raise ValueError(f"A Dataset needs at least one sample with one feature, but X has shape {np.shape(X)}.")
        if labels.ndim == 2 and labels.shape[1] == 0:
            raise ValueError(f"A Dataset needs at least one label for every sample, but y has shape {labels.shape}.")
        if inputs.shape[0] != labels.shape[0]:
            raise ValueError(
                "X and y must have the same number of samples,"
                f" but X has {inputs.shape[0]} and y has {labels.shape[0]}."
            )
        object.__setattr__(self, "X", inputs)
        object.__setattr__(self, "y", labels)
        object.__setattr__(self, "bias", bool(bias))
        object.__setattr__(self, "name", str(name))

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self.X.shape[0]

    @property
    def n_features(self) -> int:
        """Number of features of an input, the bias not counted."""
        return self.X.shape[1]

    @property
    def inputs(self) -> Floats:
        """Inputs as a neuron sees them, shape (n_samples, n_features + bias): a 1 appended if ``bias``."""
        if not self.bias:
            return self.X
        return frozen(np.column_stack([self.X, np.ones(self.n_samples)]))

    def __repr__(self) -> str:
        title = f"{self.name!r}, " if self.name else ""
        bias = "" if self.bias else ", bias=False"
        return f"Dataset({title}n_samples={self.n_samples}, n_features={self.n_features}{bias})"
