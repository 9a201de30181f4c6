"""The losses that a gradient flow can follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from reluquant.kernels import losses
from reluquant.structures.arrays import Floats
from reluquant.structures.scalars import real_number

# Rows of class probabilities may miss one by the rounding of their making.
SUM_TO_ONE = 1e-9


@dataclass(frozen=True)
class Loss:
    """A convex loss ``ℓ(f, y)`` of one sample; the network's is the mean over the samples.

    Attributes
    ----------
    name : str
        "squared", "logistic", "cross-entropy", "huber" or "custom".
    kind : int
        As `reluquant.kernels.losses` numbers them.
    parameter : float
        δ of Huber's loss.
    value, derivative
        Compiled scalar functions of (f, y) of a custom loss.

    Examples
    --------
    >>> from reluquant.structures.losses import huber
    >>> huber(0.5).name, huber(0.5).parameter
    ('huber', 0.5)
    """

    name: str
    kind: int
    parameter: float = 1.0
    value: Any = losses.unused
    derivative: Any = losses.unused


SQUARED = Loss("squared", losses.SQUARED)
LOGISTIC = Loss("logistic", losses.LOGISTIC)
CROSS_ENTROPY = Loss("cross-entropy", losses.CROSS_ENTROPY)
HUBER = Loss("huber", losses.HUBER)
NAMED = {loss.name: loss for loss in (SQUARED, LOGISTIC, CROSS_ENTROPY, HUBER)}


def huber(delta: float = 1.0) -> Loss:
    """Huber's loss: ½ g² for a gap ``g = |f - y|`` up to δ, and δ (g - ½ δ) beyond.

    Parameters
    ----------
    delta : float
        Positive.

    Returns
    -------
    Loss

    Raises
    ------
    TypeError, ValueError
        If it is not a positive number.
    """
    return Loss("huber", losses.HUBER, real_number(delta, "delta", above=0))


def custom(value: Callable[[float, float], float], derivative: Callable[[float, float], float]) -> Loss:
    """A loss of one's own; with several outputs their losses are added.

    Parameters
    ----------
    value, derivative : callable
        ``ℓ(f, y)`` and ``∂ℓ/∂f`` of two floats, which numba can compile (plain arithmetic and `math`). The loss must be
        convex in f and differentiable.

    Returns
    -------
    Loss

    Raises
    ------
    TypeError
        If one of them cannot be compiled.

    Examples
    --------
    >>> import math
    >>> from reluquant.structures.losses import custom
    >>> custom(lambda f, y: math.log(math.cosh(f - y)), lambda f, y: math.tanh(f - y)).name
    'custom'
    """
    return Loss("custom", losses.CUSTOM, 1.0, _compiled(value, "value"), _compiled(derivative, "derivative"))


def _compiled(function: Callable[[float, float], float], name: str) -> Any:
    if not callable(function):
        raise TypeError(f"{name} must be a function of two floats, but it is {function!r}.")
    try:
        return losses.compile_scalar(function)
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise TypeError(
            f"{name} must be a function of two floats that numba can compile (arithmetic and math only): {first}"
        ) from error


def named(name: str) -> Loss:
    """The loss of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in NAMED:
        raise ValueError(f"loss must be one of {', '.join(map(repr, NAMED))}, or a Loss, but it is {name!r}.")
    return NAMED[name]


def residuals(loss: Loss, outputs: Floats, labels: Floats) -> Floats:
    """Return ``-∂L/∂f(x_k)`` for the outputs f and the labels, both (n, o)."""
    found = np.empty(labels.shape)
    # Contiguous and writable: for others numba would compile the kernel again.
    arrays = (np.array(values, order="C") for values in (outputs, labels))
    losses.residuals(loss.kind, loss.parameter, loss.derivative, *arrays, found)
    return found


def check_labels(loss: Loss, labels: Floats) -> None:
    """Say what is wrong with labels ((n,) or (n, o)) that do not fit a loss.

    Raises
    ------
    ValueError
        If the logistic loss gets others than ±1, or the cross-entropy rows that are no class probabilities.
    """
    if loss.kind == losses.LOGISTIC and np.any(np.abs(labels) != 1):
        wrong = labels[np.abs(labels) != 1].flat[0]
        raise ValueError(f"The logistic loss needs labels -1 and 1, but one is {wrong:g}; map the classes to these.")
    if loss.kind == losses.CROSS_ENTROPY:
        if labels.ndim != 2 or labels.shape[1] < 2:
            raise ValueError(
                "The cross-entropy needs labels of shape (n_samples, n_classes) with at least two classes, but they"
                f" have shape {labels.shape}; give each class a column."
            )
        if np.any(labels < 0) or np.any(np.abs(labels.sum(axis=1) - 1) > SUM_TO_ONE):
            raise ValueError(
                "The cross-entropy needs class probabilities, rows of numbers from 0 to 1 that sum to one, but a row of"
                " the labels is not; one column a class, 1 for the right one."
            )
