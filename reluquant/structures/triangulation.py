"""Points joined to simplices that tile their hull."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats, frozen, real_array


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Triangulation:
    """Simplices that meet in whole faces and together are the convex hull of their points.

    Points that span less than their space, say a line in the plane, are triangulated in their span: simplices then
    have ``dimension + 1`` vertices, fewer than ``n_features + 1``.

    Parameters
    ----------
    points : array_like, shape (n_points, n_features)
        Distinct points.
    simplices : array_like of int, shape (n_simplices, dimension + 1)
        Vertices of each simplex. With ``dimension == n_features`` they are positively oriented.
    neighbors : array_like of int, shape (n_simplices, dimension + 1)
        The simplex beyond the facet opposite each vertex; -1 where that facet is on the hull, as in
        ``scipy.spatial.Delaunay``.
    point_of_row : array_like of int, shape (n_rows,), optional
        The point that each row of what was triangulated became: rows that are equal are one point. By default each
        point is a row.

    Raises
    ------
    ValueError
        If the arrays do not fit together.

    Examples
    --------
    >>> from reluquant.structures.triangulation import Triangulation
    >>> square = Triangulation([[0, 0], [1, 0], [1, 1], [0, 1]], [[0, 1, 2], [0, 2, 3]], [[-1, 1, -1], [-1, -1, 0]])
    >>> square
    Triangulation(n_points=4, n_simplices=2, dimension=2)
    """

    points: Floats
    simplices: NDArray[np.int64]
    neighbors: NDArray[np.int64]
    point_of_row: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", real_array(self.points, "points", ndim=(2,)))
        rows = np.arange(self.n_points) if self.point_of_row is None else self.point_of_row
        for name, value in (("simplices", self.simplices), ("neighbors", self.neighbors), ("point_of_row", rows)):
            object.__setattr__(self, name, frozen(value, np.int64))
        if self.simplices.ndim != 2 or self.simplices.shape != self.neighbors.shape:
            raise ValueError(
                "A Triangulation needs simplices and neighbors of one shape (n_simplices, dimension + 1), but got"
                f" {self.simplices.shape} and {self.neighbors.shape}."
            )
        for name, least, most in (
            ("simplices", 0, self.n_points), ("neighbors", -1, self.n_simplices), ("point_of_row", 0, self.n_points)
        ):  # fmt: skip
            values = getattr(self, name)
            if values.size and not (least <= values.min() and values.max() < most):
                raise ValueError(f"The {name} of a Triangulation must be numbers from {least} to {most - 1}.")

    @property
    def n_points(self) -> int:
        """Number of points."""
        return self.points.shape[0]

    @property
    def n_features(self) -> int:
        """Number of coordinates of a point."""
        return self.points.shape[1]

    @property
    def n_simplices(self) -> int:
        """Number of simplices."""
        return self.simplices.shape[0]

    @property
    def dimension(self) -> int:
        """Dimension of the simplices: that of what the points span."""
        return self.simplices.shape[1] - 1

    def __repr__(self) -> str:
        return (
            f"Triangulation(n_points={self.n_points}, n_simplices={self.n_simplices}, dimension={self.dimension})"
        )
