"""Sectors: the cones of neuron weights, on the line arcs of directions, on which the activation pattern is constant."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.arrangement import Arrangement, hyperplanes, most_sectors, unit_vectors
from reluquant.analysis.one_dimension import line_inputs
from reluquant.analysis.predicates import Signs, scalar_product_signs
from reluquant.structures.arrays import Floats, frozen, real_array
from reluquant.structures.dataset import Dataset

# Some seconds of work, and a hundred megabytes.
MOST_SECTORS = 200_000


class Sectors:
    """The sectors of data: cones of neuron weights with one activation pattern each.

    ``Arcs`` for one input with bias, ``Cones`` for all other data.

    Attributes
    ----------
    directions : ndarray, shape (n_sectors, p)
        A unit vector in each sector; rounded, and sectors may be thinner than rounding.
    patterns : ndarray of bool, shape (n_sectors, n_samples)
        Which samples are active in each sector; exact.
    inputs : ndarray
        The data.
    """

    __slots__ = ()

    directions: Floats
    patterns: NDArray[np.bool_]
    inputs: Floats

    @property
    def n_sectors(self) -> int:
        """Number of sectors."""
        return len(self.directions)

    def __len__(self) -> int:
        return self.n_sectors

    def __repr__(self) -> str:
        n_samples, p = self.patterns.shape[1], self.directions.shape[1]
        return f"{type(self).__name__}(n_sectors={self.n_sectors}, n_samples={n_samples}, dimension={p})"

    def faces(self, dimension: int) -> Signs:
        """Return the faces of the sectors of one dimension.

        Parameters
        ----------
        dimension : int
            From 1, for the rays, to that of the sectors themselves.

        Returns
        -------
        ndarray of int8, shape (n_faces, n_samples)
            On which side of each sample's boundary a face lies: 1 active, 0 on it, -1 inactive. Exact.

        Examples
        --------
        >>> import reluquant as rq
        >>> corner = rq.sectors(rq.Dataset([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], bias=False))
        >>> corner.faces(1)
        array([[ 0,  1],
               [ 1,  0],
               [ 0, -1],
               [-1,  0]], dtype=int8)
        """
        planes = hyperplanes(self._rows())
        arrangement = Arrangement(planes.normals)
        signs = arrangement.faces().signs
        return planes.of_samples(signs[arrangement.dimensions(signs) == dimension])

    @property
    def rays(self) -> Floats:
        """Unit vectors along the edges of the sectors, shape (n_rays, p); zero where no sample depends on a weight."""
        rays = unit_vectors(Arrangement(hyperplanes(self._rows()).normals).rays)
        return frozen(np.concatenate([rays, -rays]))

    def _rows(self) -> Floats:
        """Inputs as a neuron sees them, shape (n_samples, p)."""
        return self.inputs


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cones(Sectors):
    """The sectors of data in any dimension, in no particular order.

    Parameters
    ----------
    directions : ndarray, shape (n_sectors, p)
        A unit vector in each: the mean of its rays, rounded.
    patterns : ndarray of bool, shape (n_sectors, n_samples)
        Which samples are active in it.
    inputs : ndarray, shape (n_samples, p)
        The data, as a neuron sees them.
    """

    directions: Floats
    patterns: NDArray[np.bool_]
    inputs: Floats


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Arcs(Sectors):
    """The sectors of data on the line, counter-clockwise; sector i is between boundaries i and i + 1.

    The direction of a neuron ``relu(w x + b)`` is ``(w, b)/|(w, b)|``, its angle ``atan2(b, w)``.

    Parameters
    ----------
    boundaries : ndarray, shape (2 n_inputs,)
        Angles in [-π, π] at which an input enters or leaves the pattern, increasing. The last
        sector runs from the last boundary through ±π to the first.
    samples : ndarray of int, shape (2 n_inputs,)
        First sample with the input of each boundary.
    angles : ndarray, shape (2 n_inputs,)
        The middle of each sector, in [-π, π].
    inputs : ndarray, shape (n_samples,)
        The data.
    """

    boundaries: Floats
    samples: NDArray[np.int64]
    angles: Floats
    inputs: Floats

    @property
    def n_sectors(self) -> int:
        """Number of sectors, twice the number of different inputs."""
        return self.angles.size

    @property
    def directions(self) -> Floats:
        """The unit vector ``(w, b)`` in the middle of each sector, shape (n_sectors, 2)."""
        return frozen(np.column_stack([np.cos(self.angles), np.sin(self.angles)]))

    @property
    def patterns(self) -> NDArray[np.bool_]:
        """Which samples are active in each sector, shape (n_sectors, n_samples); computed on each call."""
        distinct, rank = np.unique(self.inputs, return_inverse=True)
        n = distinct.size
        # Steps counter-clockwise from the sector in which no sample is active. The first n steps
        # switch the inputs on, the last n switch them off, the largest first both times.
        # The boundaries before that sector are those of negative inputs.
        step = (np.arange(2 * n) + 1 - np.sum(distinct < 0)) % (2 * n)
        first_on, last_on = n - np.minimum(step, n), np.where(step > n, 2 * n - 1 - step, n - 1)
        return (first_on[:, None] <= rank) & (rank <= last_on[:, None])

    def _rows(self) -> Floats:
        return np.column_stack([self.inputs, np.ones(self.inputs.size)])


def sectors(data: Dataset, *, max_sectors: int = MOST_SECTORS) -> Sectors:
    """Return the sectors of data: all activation patterns that a neuron can have, and where it has them.

    Parameters
    ----------
    data : Dataset
        Any number of features, with or without bias. Parallel inputs share their boundary; an
        input that is zero is never active.
    max_sectors : int, default 200,000
        More than these are refused, before the work; with one input and bias there is no limit.

    Returns
    -------
    Sectors
        Their number and patterns are exact, directions and angles are rounded. With one input and
        bias they are ``Arcs``, counter-clockwise, with ``boundaries``, ``samples`` and ``angles``.

    Raises
    ------
    TypeError
        If ``data`` is not a Dataset.
    ValueError
        If there can be more than ``max_sectors``.

    Notes
    -----
    A neuron sees ``x̃_k`` in R^p, the input with a 1 appended for the bias. The hyperplanes ``w·x̃_k = 0``
    cut R^p into ``2 Σ_{i<p} C(n - 1, i)`` sectors if any p inputs are independent, and into fewer
    otherwise (Cover 1965). On the line, the boundary of x are the angles ``-atan x`` and
    ``π - atan x``, found by sorting; in other dimensions sectors are found around their rays.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 3 (sectors of constant pattern).
    Cover (1965), IEEE Trans. Electronic Computers 14, 326-334 (how many there are).

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> arcs = rq.sectors(rq.Dataset([-1.0, 1.0], [0.0, 0.0]))
    >>> arcs.boundaries * 4 / np.pi
    array([-3., -1.,  1.,  3.])
    >>> arcs.patterns.astype(int)
    array([[0, 0],
           [0, 1],
           [1, 1],
           [1, 0]])

    Five points in the plane, and four without bias that are opposite in pairs:

    >>> rq.sectors(rq.Dataset([[0, 0], [1, 0], [0, 1], [1, 2], [3, 1]], np.zeros(5))).n_sectors
    22
    >>> rq.sectors(rq.Dataset([[1, 1], [-1, -1], [1, -1], [-1, 1]], np.zeros(4), bias=False)).n_sectors
    4
    """
    if not isinstance(data, Dataset):
        raise TypeError(f"sectors needs a Dataset, but got {type(data).__name__}; make one with Dataset(X, y).")
    return _arcs(data) if data.n_features == 1 and data.bias else _cones(data, max_sectors)


def _arcs(data: Dataset) -> Arcs:
    inputs = line_inputs(data, "sectors")
    distinct, first = np.unique(inputs, return_index=True)
    descending, sample = distinct[::-1], first[::-1]
    right, left = -np.arctan(descending), math.pi - np.arctan(descending)
    # Negative inputs leave at angles above π, which are written from -π on.
    wraps = descending < 0
    order = np.r_[sample[wraps], sample, sample[~wraps]]
    boundaries = np.r_[left[wraps] - 2 * math.pi, right + 0.0, left[~wraps]]
    widths = np.diff(np.r_[boundaries, boundaries[0] + 2 * math.pi])
    angles = boundaries + widths / 2
    angles = np.where(angles > math.pi, angles - 2 * math.pi, angles)
    return Arcs(frozen(boundaries), frozen(order, np.int64), frozen(angles), frozen(inputs))


def _cones(data: Dataset, max_sectors: int) -> Cones:
    planes = hyperplanes(data.inputs)
    arrangement = Arrangement(planes.normals)
    n, p = len(planes.normals), arrangement.rank
    if most_sectors(n, p) > max_sectors:
        raise ValueError(
            f"{n} different boundaries in {p} dimensions make up to 2·Σ_{{i<{p}}} C({n - 1}, i) = {most_sectors(n, p)}"
            f" sectors, more than max_sectors={max_sectors}; raise it, or take fewer samples or features."
        )
    faces = arrangement.faces(full=True)
    return Cones(frozen(faces.directions), frozen(planes.of_samples(faces.signs) > 0, np.bool_), data.inputs)


def activation_pattern(W: ArrayLike, data: Dataset) -> Signs:
    """Return on which side of every boundary neurons are, decided exactly.

    Parameters
    ----------
    W : array_like, shape (n_neurons, n_features + bias) or (n_features + bias,)
        Input weights, the bias, if there is one, last.
    data : Dataset
        Any number of features, with or without bias.

    Returns
    -------
    ndarray of int8, shape (n_neurons, n_samples) or (n_samples,)
        The sign of ``w · x̃_k`` for the float64 numbers as given: 1 active, 0 on the
        boundary, -1 inactive.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.sectors import activation_pattern
    >>> activation_pattern([3.0, -0.1], rq.Dataset([0.0, 0.1 / 3, 1.0], [0.0, 0.0, 0.0]))
    array([-1, -1,  1], dtype=int8)

    The middle one is on the boundary in floating point only: ``3 * (0.1 / 3) - 0.1 == 0.0``.
    """
    weights = real_array(W, "W", ndim=(1, 2))
    if not isinstance(data, Dataset):
        raise TypeError(
            f"activation_pattern needs a Dataset, but got {type(data).__name__}; make one with Dataset(X, y)."
        )
    columns = data.n_features + data.bias
    if weights.shape[-1] != columns:
        raise ValueError(
            f"W must have {columns} columns, one for each of {data.n_features} features"
            f"{' and one for the bias' if data.bias else ''}, but it has shape {weights.shape}."
        )
    return scalar_product_signs(weights.reshape(-1, columns), data.inputs).reshape(*weights.shape[:-1], data.n_samples)
