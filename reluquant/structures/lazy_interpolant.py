"""The Delaunay interpolant in many dimensions, one simplex at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr
from scipy.optimize import linprog

from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.hull_projection import nearest_in_hull
from reluquant.structures.simplicial_interpolant import EXTRAPOLATIONS

# Singular values this far below the largest span nothing: the points lie in a subspace up to rounding.
_FLAT = 1e-12
# The smallest tolerances that HiGHS takes.
_HIGHS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
# A weight that the program reports below this is zero; the others are solved for anew.
_ZERO_WEIGHT = 1e-9
# Points this near to the empty sphere, relative to the largest distance, are on it.
_ON_THE_SPHERE = 1e-8
# A point this far from the nearest hull point, in units of the data's extent, is outside.
_OUTSIDE = 1e-12
# How much the lifted points are flattened: the guess is the simplex below a point that is off by about its square.
_FLATTENED = 1e-4
# How far to step from the hull into it to find the simplex there, relative to the way to the mean of the points.
_INWARD = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class HoldingSimplex:
    """The Delaunay simplex that holds a point, or the one at the hull that is nearest to it.

    Parameters
    ----------
    vertices : ndarray of int, shape (n_vertices,)
        Points of the interpolant; fewer than dimension + 1 where the point is on a face.
    weights : ndarray, shape (n_vertices,)
        Barycentric weights of the point, or of the hull point nearest to it.
    inside : bool
        Whether the point is in the hull.
    sphere : ndarray of int, shape (n_on_sphere,)
        All points on the empty sphere of the simplex, up to 1e-8; just ``vertices`` outside the hull and at a point.
    unique : bool
        False where these are affinely dependent: then the Delaunay triangulation is not unique, and another one may
        give the point other weights and another value.
    """

    vertices: NDArray[np.int64]
    weights: Floats
    inside: bool
    sphere: NDArray[np.int64]
    unique: bool


@dataclass(frozen=True, eq=False, repr=False)
class LazyInterpolant:
    """The piecewise-linear interpolant on a Delaunay triangulation that is never built.

    Parameters
    ----------
    points : array_like, shape (n_points, n_features)
        Distinct points.
    values : array_like, shape (n_points,) or (n_points, n_outputs)
        Their labels.
    extrapolate : {"linear", "nearest", "nan", "error"}
        Outside the hull: continue the affine map of the Delaunay simplex at the nearest hull point; take the value
        there; NaN; or refuse.

    Raises
    ------
    TypeError, ValueError
        If the arrays do not fit together.

    Notes
    -----
    The simplex that holds q is where ``Σ w_i |x_i − q|²`` is least under Σ w_i x_i = q, Σ w_i = 1, w ≥ 0: the lower
    hull of the lifted points, below q. It is guessed as their face nearest to a point just below, by non-negative least
    squares, and checked; where the guess fails, as on common faces and on ties, HiGHS solves the program. The weights
    are solved for once more, so they are right to rounding times the condition of the simplex. At a point itself the
    value is the label, exactly.

    Where other points lie on the simplex's sphere the answer is one of several (``HoldingSimplex.unique``), and
    neighbouring queries may get different ones: then the function may jump.

    Outside the hull the nearest hull point is found by non-negative least squares, and "linear" takes the affine map of
    the simplex that is found a thousandth of the way from there to the mean of the points.

    Points that span less than their space are interpolated in their span, and the function is constant across it.

    References
    ----------
    Chang, Watson, Lux, Li, Xu, Butt, Cameron & Hong (2018), "A polynomial time algorithm for multivariate interpolation
    in arbitrary dimension via the Delaunay triangulation", ACMSE.

    Examples
    --------
    >>> import numpy as np
    >>> import reluquant as rq
    >>> points = np.random.default_rng(0).normal(size=(40, 8))
    >>> f = rq.interpolate(rq.Dataset(points, points @ np.arange(8.0)))
    >>> query = points[:20].mean(axis=0)
    >>> bool(abs(f(query) - query @ np.arange(8.0)) < 1e-12), f.simplex(query).vertices.size
    (True, 9)
    """

    points: Floats
    values: Floats
    extrapolate: str = "linear"

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", real_array(self.points, "points", ndim=(2,)))
        object.__setattr__(self, "values", real_array(self.values, "values", ndim=(1, 2)))
        if len(self.points) == 0 or len(self.values) != len(self.points):
            raise ValueError(
                "A LazyInterpolant needs points and as many rows of values, but they have shapes"
                f" {self.points.shape} and {self.values.shape}."
            )
        if self.extrapolate not in EXTRAPOLATIONS:
            raise ValueError(
                f"extrapolate must be one of {', '.join(map(repr, EXTRAPOLATIONS))}, but it is {self.extrapolate!r}."
            )

    def __call__(self, x: ArrayLike) -> Floats:
        """Evaluate at finite points, shape (..., n_features); the result has shape (...) or (..., n_outputs)."""
        points = self._queries(x)
        rows = [self._value(row) for row in points.reshape(-1, points.shape[-1])]
        return np.array(rows).reshape(points.shape[:-1] + self.values.shape[1:])[()]

    def gradient(self, x: ArrayLike) -> Floats:
        """Return the gradient at finite points, shape (..., n_features) or (..., n_features, n_outputs).

        Where simplices meet, that of one of them. Outside the hull that of the linear extrapolation, NaN with "nan";
        "nearest" is refused there.
        """
        points = self._queries(x)
        rows = [self._gradient(row) for row in points.reshape(-1, points.shape[-1])]
        return np.array(rows).reshape(points.shape + self.values.shape[1:])

    def simplex(self, x: ArrayLike) -> HoldingSimplex:
        """Return the Delaunay simplex that holds one point, or the hull's face nearest to it; its weights; if unique.

        Parameters
        ----------
        x : array_like, shape (n_features,)

        Returns
        -------
        HoldingSimplex
        """
        point = self._queries(x)
        if point.ndim != 1:
            raise ValueError(f"simplex takes one point, shape ({self.points.shape[1]},), but got {point.shape}.")
        return self._found(point)

    @cached_property
    def _span(self) -> tuple[Floats, Floats, Floats, float]:
        """Middle and directions of the points' span, coordinates in it in units of the largest, and that unit."""
        middle = self.points.mean(axis=0)
        ways = self.points - middle
        unit = float(np.abs(ways).max()) or 1.0
        _, sizes, directions = np.linalg.svd(ways / unit, full_matrices=False)
        basis = directions[sizes > _FLAT * sizes.max(initial=0)].T
        return middle, basis, (ways / unit) @ basis, unit

    def _coordinates(self, x: Floats) -> Floats:
        middle, basis, _, unit = self._span
        return ((x - middle) / unit) @ basis

    def _queries(self, x: ArrayLike) -> Floats:
        points = real_array(x, "x")
        if points.ndim == 0 or points.shape[-1] != self.points.shape[1]:
            raise ValueError(
                f"x must have shape (..., {self.points.shape[1]}), the coordinates last, but it has shape"
                f" {points.shape}."
            )
        return points

    def _found(self, x: Floats) -> HoldingSimplex:
        node = np.flatnonzero((self.points == x).all(axis=1))
        if node.size:
            return HoldingSimplex(node[:1], np.ones(1), True, node[:1], True)
        z = self._coordinates(x)
        weights = nearest_in_hull(self._span[2], z)
        vertices = np.flatnonzero(weights)
        outside = HoldingSimplex(vertices, weights[vertices], False, vertices, True)
        if np.abs(weights @ self._span[2] - z).max(initial=0.0) > _OUTSIDE:
            return outside
        return self._holding(z) or outside

    def _holding(self, z: Floats) -> HoldingSimplex | None:
        """The simplex that holds a point of the span; None where no program finds it, so at the hull."""
        ways = self._span[2] - z
        heights = (ways**2).sum(axis=1)
        top = heights.max()
        if top == 0:
            only = np.zeros(1, dtype=np.int64)
            return HoldingSimplex(only, np.ones(1), True, only, True)
        system = np.vstack([ways.T / np.sqrt(top), np.ones(len(ways))])
        wanted = np.zeros(len(system))
        wanted[-1] = 1.0
        if (found := _from_below(system, heights / top)) is not None:
            return found
        answer = linprog(heights / top, A_eq=system, b_eq=wanted, method="highs-ds", options=_HIGHS)
        if not answer.success:
            return None
        vertices = np.flatnonzero(answer.x > _ZERO_WEIGHT)
        weights = np.linalg.lstsq(system[:, vertices], wanted, rcond=None)[0]
        sphere = np.flatnonzero(heights / top - answer.eqlin.marginals @ system < _ON_THE_SPHERE)
        unique = np.linalg.matrix_rank(system[:, sphere]) == sphere.size
        return HoldingSimplex(vertices, weights, True, sphere, bool(unique))

    def _value(self, x: Floats) -> Floats:
        found = self._found(x)
        self._refuse(x, found)
        labels = self.values[found.vertices]
        inner = np.clip(found.weights @ labels, labels.min(axis=0), labels.max(axis=0))
        if found.inside or self.extrapolate == "nearest":
            return inner
        if self.extrapolate == "nan":
            return np.full_like(inner, np.nan)
        z = self._coordinates(x)
        nearest = found.weights @ self._span[2][found.vertices]
        return inner + (z - nearest) @ self._slopes_at(nearest, found)

    def _gradient(self, x: Floats) -> Floats:
        found = self._found(x)
        self._refuse(x, found)
        if not found.inside and self.extrapolate == "nan":
            return np.full(x.shape + self.values.shape[1:], np.nan)
        if not found.inside and self.extrapolate == "nearest":
            raise ValueError(
                f"The gradient is that of the linear extrapolation, but {x.tolist()} is outside the hull and"
                ' extrapolate="nearest".'
            )
        z = self._coordinates(x) if found.inside else found.weights @ self._span[2][found.vertices]
        _, basis, _, unit = self._span
        return basis @ self._slopes_at(z, found) / unit

    def _slopes_at(self, z: Floats, found: HoldingSimplex) -> Floats:
        """Gradient in the span's coordinates of the simplex at a point of the hull, seen from inside."""
        coordinates = self._span[2]
        if found.sphere.size <= coordinates.shape[1]:
            # The mean is inside, at the origin; a step towards it leaves faces that have too few vertices.
            found = self._holding((1 - _INWARD) * z)
        if found is None:
            raise ValueError("The simplex at the hull could not be found; the points are nearly in a subspace.")
        corners, labels = coordinates[found.sphere], self.values[found.sphere]
        if len(corners) > coordinates.shape[1] + 1:
            # As many as make a simplex, those with weight first.
            share = np.full(len(corners), _INWARD)
            share[np.isin(found.sphere, found.vertices)] = 1.0
            system = np.vstack([corners.T, np.ones(len(corners))]) * share
            chosen = qr(system, mode="r", pivoting=True)[1][: len(system)]
            corners, labels = corners[chosen], labels[chosen]
        return np.linalg.lstsq(corners[1:] - corners[0], labels[1:] - labels[0], rcond=None)[0]

    def _refuse(self, x: Floats, found: HoldingSimplex) -> None:
        if self.extrapolate == "error" and not found.inside:
            raise ValueError(
                f'x must lie in the hull of the data, but {x.tolist()} is outside; choose extrapolate="linear",'
                ' "nearest" or "nan" to allow that.'
            )

    def __repr__(self) -> str:
        return (
            f"LazyInterpolant(n_points={len(self.points)}, n_features={self.points.shape[1]},"
            f" extrapolate={self.extrapolate!r})"
        )


def _from_below(system: Floats, heights: Floats) -> HoldingSimplex | None:
    """The simplex that holds the origin, guessed by the flattened lifted points' nearest face; None where it is not.

    Parameters
    ----------
    system : ndarray, shape (dimension + 1, n_points)
        Points around the origin, and a row of ones.
    heights : ndarray, shape (n_points,)
        Their squared lengths, 1 at most.
    """
    lifted = np.column_stack([system[:-1].T, _FLATTENED * heights])
    target = np.zeros(len(system))
    target[-1] = -_FLATTENED
    vertices = np.flatnonzero(nearest_in_hull(lifted, target))
    if vertices.size != len(system):
        return None
    corners = system[:, vertices]
    wanted = np.zeros(len(system))
    wanted[-1] = 1.0
    try:
        weights, plane = np.linalg.solve(corners, wanted), np.linalg.solve(corners.T, heights[vertices])
    except np.linalg.LinAlgError:
        return None
    slack = heights - plane @ system
    slack[vertices] = 0.0
    # On the sphere or on a face: the program knows what to do.
    if weights.min() < _ZERO_WEIGHT or np.count_nonzero(slack < _ON_THE_SPHERE) > vertices.size:
        return None
    return HoldingSimplex(vertices, weights, True, vertices, True)
