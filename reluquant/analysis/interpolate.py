"""Interpolants of data: affine on the simplices of a triangulation."""

from __future__ import annotations

from typing import Literal

import numpy as np

from reluquant.analysis.line_interpolant import fewest_pieces, line_interpolant
from reluquant.analysis.merged_labels import merged_labels
from reluquant.analysis.one_dimension import line_inputs, line_labels
from reluquant.analysis.triangulate import triangulate
from reluquant.structures.dataset import Dataset
from reluquant.structures.lazy_interpolant import LazyInterpolant
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.simplicial_interpolant import EXTRAPOLATIONS, SimplicialInterpolant
from reluquant.structures.triangulation import Triangulation

# Beyond this a Delaunay triangulation has too many simplices to be built: half a second for 200 points in six
# dimensions, ten times that in seven.
_MOST_FEATURES_TRIANGULATED = 5


def interpolate(
    data: Dataset,
    *,
    method: Literal["delaunay", "fewest_pieces"] | Triangulation = "delaunay",
    extrapolate: Literal["linear", "nearest", "nan", "error"] = "linear",
    duplicates: Literal["error", "mean"] = "error",
) -> PiecewiseLinear | SimplicialInterpolant | LazyInterpolant:
    """Return a piecewise-linear interpolant of data.

    Parameters
    ----------
    data : Dataset
        Any number of features; with one of them, one output. Finite values up to ±1.7e308 are fine.
    method : {"delaunay", "fewest_pieces"} or Triangulation
        What the pieces are: the simplices of a Delaunay triangulation, on the line the gaps between neighbours; as few
        pieces as any interpolant has (one feature only); or the simplices of a given triangulation of ``data.X``.
    extrapolate : {"linear", "nearest", "nan", "error"}
        Beyond the hull of the data: continue the pieces at the hull, take the value at the nearest hull point, NaN, or
        refuse. The last two only with several features: a PiecewiseLinear is a function on the whole line.
    duplicates : {"error", "mean"}
        What to do with an input that has different labels: refuse, or take their mean. Equal labels of an input are
        merged silently.

    Returns
    -------
    PiecewiseLinear
        For one feature. Its knots are the inputs, and with the fewest pieces also the breakpoints between them; its
        breakpoints, where the slope changes, are decided exactly. Its domain is the hull of the inputs.
    SimplicialInterpolant
        For two to five features, or a given triangulation.
    LazyInterpolant
        For more features: it finds the simplex that holds a point by a linear program, without the triangulation.

    Raises
    ------
    TypeError
        If ``data`` is not a Dataset.
    ValueError
        If data of one feature have several outputs, an option is unknown or does not fit the number of features, an
        input has different labels with ``duplicates="error"``, or a given triangulation is not one of ``data.X``.

    Notes
    -----
    All are equal to the labels at every input, exactly. Data that span less than their space, say points on a line in
    the plane, are interpolated in their span, and the function is constant across it.

    With one feature and ``extrapolate="nearest"`` the ends are breakpoints where the end pieces are not flat. One input
    gives a constant. Four points on one circle have two Delaunay triangulations, and so two interpolants: one of them
    is taken.

    With the fewest pieces, a run of r neighbouring inputs at which the slope turns the same way takes ⌈r/2⌉
    breakpoints: two inputs share one in the gap between them. Several such functions may exist; pairs are made from the
    left.

    References
    ----------
    Hanin (2021), arXiv:2109.12960: which piecewise-linear interpolants ReLU networks of least norm can be.

    Examples
    --------
    >>> import reluquant as rq
    >>> f = rq.interpolate(rq.Dataset([0.0, 2.0, 1.0, 3.0], [0.0, 2.0, 1.0, 0.0]))
    >>> f.knots, f.breakpoints, f(2.5)
    (array([0., 1., 2., 3.]), array([2.]), np.float64(1.0))

    >>> convex = rq.Dataset([0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 0.0, 1.0])
    >>> rq.interpolate(convex).breakpoints, rq.interpolate(convex, method="fewest_pieces").breakpoints
    (array([1., 2.]), array([1.5]))

    >>> g = rq.interpolate(rq.Dataset([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]], [1.0, 3.0, 2.0]), extrapolate="nearest")
    >>> g([[0.5, 0.5], [9.0, 0.0]]), g.gradient([0.5, 0.25])
    (array([2., 3.]), array([1., 1.]))
    """
    _check_options(data, method, extrapolate, duplicates)
    if isinstance(method, Triangulation):
        triangulation = _checked(method, data)
    elif data.n_features == 1:
        inputs, row = np.unique(line_inputs(data, "interpolate", bias=False), return_inverse=True)
        labels = merged_labels(line_labels(data, "interpolate")[:, None], row, inputs[:, None], duplicates)[:, 0]
        of_line = fewest_pieces if method == "fewest_pieces" else line_interpolant
        return of_line(inputs, labels, flat_ends=extrapolate == "nearest")
    elif data.n_features <= _MOST_FEATURES_TRIANGULATED:
        triangulation = triangulate(data.X)
    else:
        points, row = np.unique(data.X + 0.0, axis=0, return_inverse=True)
        return LazyInterpolant(points, _labels(data, row.reshape(-1), points, duplicates), extrapolate)
    labels = _labels(data, triangulation.point_of_row, triangulation.points, duplicates)
    return SimplicialInterpolant(triangulation, labels, extrapolate)


def _labels(data: Dataset, point_of_row: np.ndarray, points: np.ndarray, duplicates: str) -> np.ndarray:
    columns = data.y.reshape(data.n_samples, -1)
    return merged_labels(columns, point_of_row, points, duplicates).reshape(len(points), *data.y.shape[1:])


def _check_options(data: Dataset, method: object, extrapolate: object, duplicates: object) -> None:
    if not isinstance(data, Dataset):
        raise TypeError(f"interpolate needs a Dataset, but got {type(data).__name__}; make one with Dataset(X, y).")
    given = isinstance(method, Triangulation)
    if not given and (not isinstance(method, str) or method not in ("delaunay", "fewest_pieces")):
        raise ValueError(f"method must be 'delaunay', 'fewest_pieces' or a Triangulation, but it is {method!r}.")
    if method == "fewest_pieces" and data.n_features != 1:
        raise ValueError(
            f"method='fewest_pieces' works for one feature, but the data have {data.n_features}; use 'delaunay'."
        )
    if extrapolate not in EXTRAPOLATIONS:
        raise ValueError(
            f"extrapolate must be one of {', '.join(map(repr, EXTRAPOLATIONS))}, but it is {extrapolate!r}."
        )
    if data.n_features == 1 and not given and extrapolate in ("nan", "error"):
        raise ValueError(
            "extrapolate must be 'linear' or 'nearest' for data with one feature, whose interpolant is a function on"
            f" the whole line, but it is {extrapolate!r}."
        )
    if duplicates not in ("error", "mean"):
        raise ValueError(f"duplicates must be 'error' or 'mean', but it is {duplicates!r}.")


def _checked(triangulation: Triangulation, data: Dataset) -> Triangulation:
    rows = triangulation.point_of_row
    if data.X.shape != (rows.size, triangulation.n_features) or (triangulation.points[rows] != data.X).any():
        raise ValueError(
            f"The triangulation must be one of data.X, row by row, but it has {rows.size} rows of"
            f" {triangulation.n_features} features and data.X has shape {data.X.shape}, or their numbers differ."
        )
    missing = np.setdiff1d(np.arange(triangulation.n_points), rows)
    if missing.size:
        raise ValueError(f"Every point of the triangulation needs a label, but point {missing[0]} is no row of it.")
    return triangulation
