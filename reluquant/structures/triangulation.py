"""Points joined to simplices that tile their hull."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.structures.arrays import Floats, finite_array, frozen, real_array
from reluquant.structures.simplex_locator import SimplexLocator


@dataclass(frozen=True, eq=False, repr=False)
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

    @cached_property
    def locator(self) -> SimplexLocator:
        """What finds points in it, made when first asked for."""
        return SimplexLocator(self.points, self.simplices, self.neighbors)

    def find_simplex(self, x: ArrayLike) -> NDArray[np.int64]:
        """Return the simplex that holds each point.

        Parameters
        ----------
        x : array_like, shape (..., n_features)
            Finite points.

        Returns
        -------
        ndarray of int, shape (...)
            -1 outside the hull. Where several simplices meet, one of them. In the plane it is decided exactly; in three
            and more dimensions up to rounding, a barycentric weight of 1e-13. Where the points span less than their
            space, the simplex that holds the orthogonal projection of the point to the span.

        Raises
        ------
        TypeError, ValueError
            If ``x`` is not such an array, or the triangulation has no simplex.

        Examples
        --------
        >>> square = Triangulation([[0, 0], [1, 0], [1, 1], [0, 1]], [[0, 1, 2], [0, 2, 3]], [[-1, 1, -1], [-1, -1, 0]])
        >>> square.find_simplex([[0.75, 0.5], [0.25, 0.5], [2.0, 0.5]])
        array([ 0,  1, -1])
        """
        points = self.queries(x)
        places = self.locator.place(points.reshape(-1, self.n_features))
        return np.maximum(places.found, -1).reshape(points.shape[:-1])[()]

    def barycentric(self, x: ArrayLike, simplex: ArrayLike) -> Floats:
        """Return the barycentric weights of points in given simplices.

        Parameters
        ----------
        x : array_like, shape (..., n_features)
            Finite points, in the simplex or not.
        simplex : array_like of int, shape (...)
            Numbers of simplices.

        Returns
        -------
        ndarray, shape (..., dimension + 1)
            Weights of the simplex's vertices, in their order, with sum 1 up to rounding: with them the vertices average
            to the point. Exactly 0 and 1 at a vertex; some are negative outside the simplex.

        Raises
        ------
        TypeError, ValueError
            If the arrays do not fit together.

        Examples
        --------
        >>> square = Triangulation([[0, 0], [1, 0], [1, 1], [0, 1]], [[0, 1, 2], [0, 2, 3]], [[-1, 1, -1], [-1, -1, 0]])
        >>> square.barycentric([0.75, 0.5], 0)
        array([0.25, 0.25, 0.5 ])
        """
        points = self.queries(x)
        chosen = np.asarray(simplex)
        if chosen.dtype.kind not in "iu":
            raise TypeError(f"simplex must hold integers, but it holds values of type {chosen.dtype}.")
        if chosen.shape != points.shape[:-1]:
            raise ValueError(
                f"simplex must have one number for each point of x, shape {points.shape[:-1]}, but has shape"
                f" {chosen.shape}."
            )
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < self.n_simplices):
            raise ValueError(f"simplex must hold numbers from 0 to {self.n_simplices - 1}; -1 is outside of all.")
        flat = chosen.reshape(-1).astype(np.int64)
        weights = self.locator.weights(points.reshape(-1, self.n_features), flat)
        return weights.reshape(*chosen.shape, self.dimension + 1)

    def queries(self, x: ArrayLike) -> Floats:
        """Return points to look for as an array, shape (..., n_features); one sentence where they are none."""
        points = finite_array(x, "x")
        if points.ndim == 0 or points.shape[-1] != self.n_features:
            raise ValueError(
                f"x must have shape (..., {self.n_features}), the coordinates last, but it has shape {points.shape}."
            )
        if self.n_simplices == 0:
            raise ValueError("The triangulation has no simplex; there is nothing to look in.")
        return points

    def __reduce__(self) -> tuple:
        # In a pickle what is cached stays behind, and what comes out is read-only again.
        return Triangulation, (self.points, self.simplices, self.neighbors, self.point_of_row)

    def __repr__(self) -> str:
        return (
            f"Triangulation(n_points={self.n_points}, n_simplices={self.n_simplices}, dimension={self.dimension})"
        )
