"""A network with one hidden layer of ReLU neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.scalars import Rng, generator, real_number, whole_number

# Below, weights are subnormal numbers with few digits, and a balanced network would not be balanced.
SMALLEST_SCALE = 1e-300
# Above, a normal draw may overflow.
LARGEST_SCALE = 1e300
# Beyond these a drawn network has no place in memory.
MOST_NEURONS, MOST_FEATURES = 10**9, 10**6


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class ShallowReLU:
    """A one-hidden-layer ReLU network ``f(x) = Σ_j a_j relu(W_j · [x, 1])``.

    Parameters
    ----------
    W : array_like, shape (n_neurons, n_features + 1)
        Input weights, the bias last; ``(n_neurons, n_features)`` with ``bias=False``.
    a : array_like, shape (n_neurons,) or (n_neurons, n_outputs)
        Output weights.
    bias : bool, default True
        Whether the last column of ``W`` is a bias.

    Raises
    ------
    TypeError, ValueError
        If the arrays are not finite real numbers or their shapes do not fit.

    Notes
    -----
    An immutable value: it evaluates, and does not train.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.ShallowReLU([[1.0, 0.0], [-1.0, 0.0]], [1.0, 1.0])
    >>> net([-2.0, 0.0, 3.0])
    array([2., 0., 3.])
    """

    W: Floats
    a: Floats
    bias: bool

    def __init__(self, W: ArrayLike, a: ArrayLike, *, bias: bool = True) -> None:
        weights = real_array(W, "W", ndim=(2,))
        outputs = real_array(a, "a", ndim=(1, 2))
        if weights.shape[0] != outputs.shape[0]:
            raise ValueError(
                f"W and a must have one row per neuron, but W has {weights.shape[0]} rows and a has {outputs.shape[0]}."
            )
        if weights.shape[1] < 1 + bool(bias):
            raise ValueError(
                f"W must have n_features{' + 1' if bias else ''} columns, but it has shape {weights.shape}."
            )
        object.__setattr__(self, "W", weights)
        object.__setattr__(self, "a", outputs)
        object.__setattr__(self, "bias", bool(bias))

    @classmethod
    def balanced(
        cls, *, n_features: int = 1, n_neurons: int = 100, scale: float = 1e-6, rng: Rng = None, bias: bool = True
    ) -> ShallowReLU:
        """Draw a balanced network: ``|a_j| = ‖W_j‖``.

        Directions are uniform on the sphere, norms uniform in ``scale · [0.5, 1.5]``, signs of
        ``a`` are fair coins.

        Parameters
        ----------
        n_features, n_neurons : int
            At least 1.
        scale : float
            Typical norm of a neuron, from 1e-300 to 1e300.
        rng : int, numpy.random.Generator or None
            Source of randomness.
        bias : bool, default True
            Whether ``W`` gets a bias column.

        Returns
        -------
        ShallowReLU
            With ``W`` of shape ``(n_neurons, n_features + bias)``.

        Raises
        ------
        TypeError, ValueError
            If a size or the scale is out of its range, or ``rng`` is something else.

        References
        ----------
        Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 2 (vanishing initialisation).

        Examples
        --------
        >>> import numpy as np, reluquant as rq
        >>> net = rq.ShallowReLU.balanced(n_neurons=5, scale=1e-3, rng=0)
        >>> bool(np.allclose(np.abs(net.a), np.linalg.norm(net.W, axis=1), rtol=1e-14))
        True
        """
        size, factor, draw = _drawing(n_features, n_neurons, scale, rng, bias)
        directions = draw.standard_normal(size)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        norms = factor * draw.uniform(0.5, 1.5, size[0])
        signs = draw.choice([-1.0, 1.0], size[0])
        return cls(norms[:, None] * directions, signs * norms, bias=bias)

    @classmethod
    def gaussian(
        cls, *, n_features: int = 1, n_neurons: int = 100, scale: float = 1e-6, rng: Rng = None, bias: bool = True
    ) -> ShallowReLU:
        """Draw a network with independent normal weights of standard deviation ``scale``.

        Unlike :meth:`balanced` it has ``‖W_j‖ ≠ |a_j|``; gradient flow conserves the difference of
        their squares.

        Parameters
        ----------
        n_features, n_neurons, scale, rng, bias
            As in :meth:`balanced`.

        Returns
        -------
        ShallowReLU
            With ``W`` of shape ``(n_neurons, n_features + bias)``.

        Raises
        ------
        TypeError, ValueError
            If a size or the scale is out of its range, or ``rng`` is something else.

        Examples
        --------
        >>> import reluquant as rq
        >>> rq.ShallowReLU.gaussian(n_features=2, n_neurons=5, rng=0).W.shape
        (5, 3)
        """
        size, factor, draw = _drawing(n_features, n_neurons, scale, rng, bias)
        return cls(factor * draw.standard_normal(size), factor * draw.standard_normal(size[0]), bias=bias)

    @property
    def n_neurons(self) -> int:
        """Number of neurons."""
        return self.W.shape[0]

    @property
    def n_features(self) -> int:
        """Number of features of an input, the bias not counted."""
        return self.W.shape[1] - self.bias

    @property
    def norms(self) -> Floats:
        """``‖W_j‖``, shape (n_neurons,); infinite only where the norm itself is beyond float64."""
        # hypot, because squares of weights of a network at scale 1e-200 underflow.
        with np.errstate(over="ignore"):
            return np.hypot.reduce(self.W, axis=1)

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate the network.

        Parameters
        ----------
        x : array_like, shape (n_points, n_features), or (n_points,) or () with one feature
            Where.

        Returns
        -------
        ndarray
            ``f(x)``, shape (n_points,) or (n_points, n_outputs); without the first axis for a scalar ``x``.

        Raises
        ------
        TypeError, ValueError
            If ``x`` does not hold finite real numbers or has another number of features.
        """
        points = real_array(x, "x", ndim=(0, 1, 2))
        # A flat array is one feature: with more features its length would hide which axis is meant.
        columns = points.reshape(-1, 1) if points.ndim < 2 else points
        if columns.shape[1] != self.n_features:
            raise ValueError(
                f"x must have shape (n_points, {self.n_features}) for a network of {self.n_features} features,"
                f" but it has shape {points.shape}."
            )
        inputs = np.column_stack([columns, np.ones(len(columns))]) if self.bias else columns
        values = np.maximum(inputs @ self.W.T, 0.0) @ self.a
        return values[0] if points.ndim == 0 else values

    def __repr__(self) -> str:
        bias = "" if self.bias else ", bias=False"
        return f"ShallowReLU(n_neurons={self.n_neurons}, n_features={self.n_features}{bias})"


def _drawing(
    n_features: int, n_neurons: int, scale: float, rng: Rng, bias: bool
) -> tuple[tuple[int, int], float, np.random.Generator]:
    columns = whole_number(n_features, "n_features", most=MOST_FEATURES) + bool(bias)
    size = whole_number(n_neurons, "n_neurons", most=MOST_NEURONS), columns
    return size, real_number(scale, "scale", least=SMALLEST_SCALE, most=LARGEST_SCALE), generator(rng)
