"""The plane through three points of any space, with coordinates of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.deep_pieces import layers_of, rounded_dots
from reluquant.structures.arrays import Floats, finite_array, frozen
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.shallow_relu import ShallowReLU

# Points nearer to each other, or to a common line, than this share of their distances have no plane of their own.
_FLAT = 1e-9
# Rows of a large set of points that are looked at together.
_ROWS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class SliceFrame:
    """Coordinates in the plane of three points p, q and r: lengths are those of the space.

    Parameters
    ----------
    origin : ndarray, shape (n_features,)
        The first point.
    axes : ndarray, shape (2, n_features)
        Two unit vectors at right angles; the first leads to the second point.
    corners : ndarray, shape (3, 2)
        The coordinates of the three points.
    """

    origin: Floats
    axes: Floats
    corners: Floats

    @property
    def middle(self) -> Floats:
        """The middle of the box around the three points, (2,)."""
        return (self.corners.min(axis=0) + self.corners.max(axis=0)) / 2

    @property
    def extent(self) -> float:
        """The longer side of that box."""
        return float(np.ptp(self.corners, axis=0).max())

    def point(self, x: ArrayLike) -> Floats:
        """Return points of the space (n, n_features) at places (n, 2) of the plane."""
        return self.origin + np.asarray(x, dtype=float) @ self.axes

    def place(self, points: NDArray) -> tuple[Floats, Floats]:
        """Return the nearest places (n, 2) to points (n, n_features), and how far off the plane these are, (n,)."""
        places, away = np.empty((len(points), 2)), np.empty(len(points))
        for begin in range(0, len(points), _ROWS):
            part = slice(begin, begin + _ROWS)
            step = points[part].astype(float) - self.origin
            places[part] = step @ self.axes.T
            away[part] = np.linalg.norm(step - places[part] @ self.axes, axis=1)
        return places, away

    def shares(self, x: ArrayLike) -> Floats:
        """Return of which shares of p, q and r a place (2,) is the mixture; they add up to 1."""
        q, r = np.linalg.solve(self.corners[1:].T, np.asarray(x, dtype=float))
        return np.array([1 - q - r, q, r])

    def mixture(self, q: float, r: float) -> Floats:
        """Return the place (2,) that has such shares of the second and the third point."""
        return q * self.corners[1] + r * self.corners[2]

    def restricted(self, net: ShallowReLU | DeepReLU, output_bias: ArrayLike = 0.0) -> DeepReLU:
        """Return a network on the plane: two features, and the same values."""
        (W, b), *others = layers_of(net)
        on_plane = [(W @ self.axes.T, rounded_dots(W, self.origin, b)), *others]
        weights, biases = zip(*on_plane, strict=True)
        return DeepReLU(weights, (*biases[:-1], biases[-1] + output_bias))


def slice_frame(points: ArrayLike, names: Sequence[str] = ("p", "q", "r")) -> SliceFrame:
    """Return the frame of the plane through three points.

    Parameters
    ----------
    points : array_like, shape (3, n_features)
        They are not on one line.
    names : sequence of str
        What to call them in an error.

    Returns
    -------
    SliceFrame

    Raises
    ------
    TypeError, ValueError
        If they are equal or on a line, saying which.

    Examples
    --------
    >>> from reluquant.analysis.slice_frame import slice_frame
    >>> frame = slice_frame([[0.0, 0.0, 1.0], [0.0, 2.0, 1.0], [3.0, 1.0, 1.0]])
    >>> frame.corners.tolist()
    [[0.0, 0.0], [2.0, 0.0], [1.0, 3.0]]
    >>> frame.point([[1.0, 1.0]])
    array([[1., 1., 1.]])
    """
    p, q, r = finite_array(points, "points", ndim=(2,))
    if p.size < 2:
        raise ValueError("A plane needs points of at least two features, but these have one.")
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.array([np.linalg.norm(r - q), np.linalg.norm(r - p), np.linalg.norm(q - p)])
    longest = lengths.max()
    if not np.isfinite(longest):
        raise ValueError("The three points are too far apart for float64; scale them down.")
    for k, (i, j) in ((2, (0, 1)), (1, (0, 2)), (0, (1, 2))):
        if lengths[k] <= _FLAT * longest:
            raise ValueError(f"{names[i]} and {names[j]} are equal, so no plane is determined; choose another.")
    first = (q - p) / lengths[2]
    along = float((r - p) @ first)
    rest = r - p - along * first
    # Once more: what is left along the first axis is rounding.
    rest = rest - (rest @ first) * first
    height = float(np.linalg.norm(rest))
    if height <= _FLAT * longest:
        three = f"{names[0]}, {names[1]} and {names[2]}"
        raise ValueError(f"{three} lie on a line, so no plane is determined; choose another.")
    corners = [[0.0, 0.0], [lengths[2], 0.0], [along, height]]
    return SliceFrame(frozen(p), frozen([first, rest / height]), frozen(corners))
