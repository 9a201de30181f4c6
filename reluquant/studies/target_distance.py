"""How far a piecewise-linear function is from a smooth one, on an interval and on a box in the plane."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.planar_pieces import PlanarPieces
from reluquant.structures.simplicial_interpolant import SimplicialInterpolant

Target = Callable[[Floats], Floats]
Box = tuple[tuple[float, float], tuple[float, float]]
# Cells of the grid on which a target is held against a function: with 8192 a largest value is missed by no more than
# (n / 8192)² of the interpolant's bound for n points, which is a thousandth at 256.
CELLS = 8192
# Nodes of Gauss's rule in each cell: it integrates polynomials up to degree 7 exactly.
GAUSS_NODES = 4
# In the plane no edge of a triangle is longer than this part of the diagonal: a largest value is missed by no more than
# 4/3 ((√n - 1)/128)² of the interpolant's bound on a grid of n points, which is a two-hundredth at 64.
DIAGONAL_PARTS = 128
# Both ways in each triangle: exact up to degree 4, the square of a quadratic.
PLANAR_GAUSS_NODES = 3
# Each bisection halves an area; this is far more than any triangle in the box takes.
MOST_BISECTIONS = 200


def target_distance(f: Target, g: PiecewiseLinear, region: tuple[float, float]) -> tuple[float, float]:
    """Return the sup and L2 distance of a smooth and a piecewise-linear function, as approximation_study says.

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> chord = rq.interpolate(rq.Dataset([0.0, 1.0], [0.0, 1.0]))
    >>> sup, l2 = target_distance(np.square, chord, (0.0, 1.0))
    >>> sup, round(30 * l2**2, 12)
    (0.25, 1.0)
    """
    low, high = region
    inner = g.knots[(g.knots > low) & (g.knots < high)]
    nodes = np.unique(np.concatenate([np.linspace(low, high, CELLS + 1), inner]))
    sup = np.max(np.abs(target_values(f, nodes) - g(nodes)))
    places, weights = np.polynomial.legendre.leggauss(GAUSS_NODES)
    half = np.diff(nodes)[:, None] / 2
    x = (nodes[:-1, None] + half * (1 + places)).ravel()
    squares = (target_values(f, x) - g(x)).reshape(-1, GAUSS_NODES) ** 2
    return float(sup), float(np.sqrt(np.sum(half * weights * squares)))


def planar_target_distance(f: Target, g: PlanarPieces | SimplicialInterpolant, region: Box) -> tuple[float, float]:
    """Return the sup and L2 distance in the plane, where ``g`` is given: it tiles ``region``, which sets the grid.

    Examples
    --------
    >>> import reluquant as rq
    >>> corner = rq.interpolate(rq.Dataset([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [0.0, 1.0, 0.0, 1.0]))
    >>> sup, l2 = planar_target_distance(lambda x: x[:, 0] ** 2, corner, ((0.0, 1.0), (0.0, 1.0)))
    >>> sup, round(30 * l2**2, 12)
    (0.25, 1.0)
    """
    # Here, because it loads a compiler.
    from reluquant.analysis.planar_distance import affine_triangles

    corners, values = _bisected(*affine_triangles(g), longest=longest_edge(region))
    sup = np.max(np.abs(target_values(f, corners.reshape(-1, 2)) - values.ravel()))
    edges = corners[:, 1:] - corners[:, :1]
    areas = np.abs(edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]) / 2
    shares, weights = _triangle_rule()
    off = target_values(f, (shares @ corners).reshape(-1, 2)).reshape(len(corners), -1) - values @ shares.T
    return float(sup), float(np.sqrt(np.sum(areas * (off**2 @ weights))))


def longest_edge(region: Box) -> float:
    """Length that no edge of the triangles exceeds on which a target is held against a function of two variables."""
    return float(np.hypot(*np.diff(region).ravel())) / DIAGONAL_PARTS


def target_values(f: Target, x: Floats) -> Floats:
    """Return the values of a target at points (k,) or (k, 2), or say what is wrong with them."""
    if not callable(f):
        raise TypeError(f"f must be a function of an array, but it is a {type(f).__name__}.")
    values = real_array(f(x), "f(x)")
    if values.shape != x.shape[:1]:
        what = "an array of the shape of its argument" if x.ndim == 1 else "one value for each row of its argument"
        raise ValueError(f"f must return {what}, {x.shape[:1]}, but it is {values.shape}.")
    return values


def _bisected(corners: Floats, values: Floats, *, longest: float) -> tuple[Floats, Floats]:
    """Halve triangles (k, 3, 2) with values (k, 3) of an affine function across their longest edges until all fit."""
    done = []
    for _ in range(MOST_BISECTIONS):
        # Edge i is opposite to corner i.
        lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - np.roll(corners, 1, axis=1), axis=2)
        # NaN counts as small: it would be halved without end.
        small = ~(lengths.max(axis=1) > longest)
        done.append((corners[small], values[small]))
        if small.all():
            break
        turn = (np.argmax(lengths[~small], axis=1)[:, None] + np.arange(3)) % 3
        corners = np.take_along_axis(corners[~small], turn[:, :, None], axis=1)
        values = np.take_along_axis(values[~small], turn, axis=1)
        (apex, left, right), (p, q, r) = np.moveaxis(corners, 1, 0), values.T
        middle, m = (left + right) / 2, (q + r) / 2
        corners = np.concatenate([np.stack([apex, left, middle], 1), np.stack([apex, middle, right], 1)])
        values = np.concatenate([np.stack([p, q, m], 1), np.stack([p, m, r], 1)])
    return np.concatenate([c for c, _ in done]), np.concatenate([v for _, v in done])


def _triangle_rule() -> tuple[Floats, Floats]:
    """Return barycentric nodes (k, 3) and weights of Gauss's rule on a square folded to a triangle; they sum to 1."""
    places, weights = np.polynomial.legendre.leggauss(PLANAR_GAUSS_NODES)
    u, v = (grid.ravel() for grid in np.meshgrid((1 + places) / 2, (1 + places) / 2))
    return np.column_stack([1 - u, u * (1 - v), u * v]), np.outer(weights, weights).ravel() / 2 * u
