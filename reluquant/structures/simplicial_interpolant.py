"""The piecewise-linear function that a triangulation and labels at its points make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.plane_locator import Indices
from reluquant.structures.triangulation import Triangulation

EXTRAPOLATIONS = ("linear", "nearest", "nan", "error")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SimplicialInterpolant:
    """A continuous function that is affine on every simplex of a triangulation.

    Parameters
    ----------
    triangulation : Triangulation
        Simplices that tile the hull of their points.
    values : array_like, shape (n_points,) or (n_points, n_outputs)
        Labels of the triangulation's points.
    extrapolate : {"linear", "nearest", "nan", "error"}
        Outside the hull: continue the affine map of the simplex at the nearest hull facet; take the value at the
        nearest hull point; NaN; or refuse.

    Raises
    ------
    TypeError, ValueError
        If the arguments do not fit together.

    Notes
    -----
    At every point of the triangulation it is equal to the label, exactly. Inside, it is a convex combination of the
    labels of one simplex, right to a few units in the last place of the largest of them, and never outside their range.
    In the plane, which triangle holds a point is decided exactly; in three and more dimensions a point within rounding
    (a weight of 1e-13) of a facet may be given to either side of it, which both have the same value there.

    Where several hull facets are equally near, at an edge or a vertex of the hull, "linear" continues the one whose
    plane is furthest from the point; there it may jump, since two affine maps meet. A simplex at the hull can be very
    flat, and its affine map very steep across the hull: points that are on one line but for rounding, as the border of
    a rotated grid, make such simplices, and "nearest" is the better choice there.

    Points that span less than their space, say a line in the plane, are interpolated in their span, and the function is
    constant across it: at x it has the value at x's orthogonal projection to the span.

    A function can be called from several threads at once, and lets others run meanwhile.

    Examples
    --------
    >>> import reluquant as rq
    >>> square = rq.Triangulation([[0, 0], [1, 0], [1, 1], [0, 1]], [[0, 1, 2], [0, 2, 3]], [[-1, 1, -1], [-1, -1, 0]])
    >>> f = rq.SimplicialInterpolant(square, [0.0, 1.0, 3.0, 1.0])
    >>> f([0.5, 0.25]), f.gradient([0.5, 0.25]), f([2.0, 0.5])
    (np.float64(1.0), array([1., 2.]), np.float64(3.0))
    """

    triangulation: Triangulation
    values: Floats
    extrapolate: str = "linear"

    def __post_init__(self) -> None:
        if not isinstance(self.triangulation, Triangulation):
            raise TypeError(
                f"A SimplicialInterpolant needs a Triangulation, but got {type(self.triangulation).__name__}."
            )
        if self.triangulation.n_simplices == 0:
            raise ValueError("A SimplicialInterpolant needs a triangulation with at least one simplex.")
        object.__setattr__(self, "values", real_array(self.values, "values", ndim=(1, 2)))
        if len(self.values) != self.triangulation.n_points:
            raise ValueError(
                f"values must have one row for each of the {self.triangulation.n_points} points of the triangulation,"
                f" but have shape {self.values.shape}."
            )
        if self.extrapolate not in EXTRAPOLATIONS:
            raise ValueError(
                f"extrapolate must be one of {', '.join(map(repr, EXTRAPOLATIONS))}, but it is {self.extrapolate!r}."
            )

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate at finite points.

        Parameters
        ----------
        x : array_like, shape (..., n_features)

        Returns
        -------
        ndarray, shape (...) or (..., n_outputs)
            A value beyond the float64 range (far outside the hull) is infinite.

        Raises
        ------
        ValueError
            If ``x`` has another number of coordinates, or a point is outside the hull with ``extrapolate="error"``.
        """
        points = self.triangulation.queries(x)
        labels = self._columns()
        places = self.triangulation.locator.place(points.reshape(-1, points.shape[-1]), labels)
        result = places.values
        outside = np.flatnonzero(places.found < 0)
        if outside.size:
            self._refuse(points, outside)
            if self.extrapolate != "nan":
                result[outside] = self._beyond(places.z[outside], places.found[outside], labels)
        return result.reshape(points.shape[:-1] + self.values.shape[1:])[()]

    def gradient(self, x: ArrayLike) -> Floats:
        """Return the gradient at finite points.

        Parameters
        ----------
        x : array_like, shape (..., n_features)

        Returns
        -------
        ndarray, shape (..., n_features) or (..., n_features, n_outputs)
            Where simplices meet, that of one of them. Outside the hull that of the extrapolation; NaN with "nan".

        Raises
        ------
        ValueError
            As for a call.
        """
        points = self.triangulation.queries(x)
        locator = self.triangulation.locator
        places = locator.place(points.reshape(-1, points.shape[-1]))
        labels = self._columns()
        result = locator.inner.gradients(np.maximum(places.found, 0), labels)
        outside = np.flatnonzero(places.found < 0)
        if outside.size:
            self._refuse(points, outside)
            result[outside] = self._gradient_beyond(places.z[outside], places.found[outside], labels)
        return locator.directions(result).reshape(points.shape + self.values.shape[1:])

    def _columns(self) -> Floats:
        # A copy: kernels are compiled once, for arrays that can be written.
        return self.values.reshape(len(self.values), -1).copy()

    def _refuse(self, points: Floats, outside: Indices) -> None:
        if self.extrapolate == "error":
            first = points.reshape(-1, points.shape[-1])[outside[0]].tolist()
            raise ValueError(
                f"x must lie in the hull of the data, but {outside.size} of its points are outside, the first of them"
                f' {first}; choose extrapolate="linear", "nearest" or "nan" to allow that.'
            )

    def _beyond(self, z: Floats, found: Indices, labels: Floats) -> Floats:
        """Values outside the hull."""
        inner = self.triangulation.locator.inner
        simplex, facet, weights, way = inner.nearest(z, found)
        corners = labels[facet]
        nearest = np.clip(np.einsum("ki,kij->kj", weights, corners), corners.min(axis=1), corners.max(axis=1))
        if self.extrapolate == "nearest":
            return nearest
        with np.errstate(over="ignore", invalid="ignore"):
            return nearest + np.einsum("ki,kij->kj", way, inner.gradients(simplex, labels))

    def _gradient_beyond(self, z: Floats, found: Indices, labels: Floats) -> Floats:
        inner = self.triangulation.locator.inner
        if self.extrapolate == "nan":
            return np.full((*z.shape, labels.shape[1]), np.nan)
        simplex, facet, weights, _ = inner.nearest(z, found)
        gradients = inner.gradients(simplex, labels)
        if self.extrapolate == "linear":
            return gradients
        # The nearest point moves along the face that it lies in the relative interior of, and so does the value.
        result = np.zeros_like(gradients)
        used = weights > 0
        for size in range(2, facet.shape[1] + 1):
            rows = np.flatnonzero(used.sum(axis=1) == size)
            if rows.size:
                face = inner.points[facet[rows][used[rows]].reshape(rows.size, size)]
                along = np.linalg.qr(np.swapaxes(face[:, 1:] - face[:, :1], 1, 2))[0]
                result[rows] = along @ (np.swapaxes(along, 1, 2) @ gradients[rows])
        return result

    def __repr__(self) -> str:
        return f"SimplicialInterpolant({self.triangulation!r}, extrapolate={self.extrapolate!r})"
