"""How far an interpolant can be from what it interpolates: bounds on every simplex, beside the measured distance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.triangulation import Triangulation

# All subsets of the corners of a simplex are looked at.
_MOST_DIMENSIONS = 10
# Neurons on corners are looked at in batches of so many numbers: 64 MB.
_HELD = 2**23
# A measured distance above a bound by less than this, relative to what both are made of, is rounding.
_ROUNDING = 64 * np.finfo(np.float64).eps
_BOUNDS = ("relu", "lipschitz", "curvature")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InterpolationBounds:
    """Bounds of ``|f - If|`` on each simplex; None where what they need is not known.

    Parameters
    ----------
    radii : ndarray, shape (n_simplices,)
        Radius R of the smallest ball around each simplex.
    relu : ndarray, shape (n_simplices,), or None
        For a shallow network: from the neurons that cross the simplex.
    lipschitz : ndarray, shape (n_simplices,), or None
        ``L R``.
    curvature : ndarray, shape (n_simplices,), or None
        ``M R²/2``.
    measured : ndarray, shape (n_simplices,), or None
        The largest ``|f - If|``; for a shallow network of one or two features.
    slack : ndarray, shape (n_simplices,)
        How much rounding may add to the measured distance.
    """

    radii: Floats
    relu: Floats | None
    lipschitz: Floats | None
    curvature: Floats | None
    measured: Floats | None
    slack: Floats

    def __post_init__(self) -> None:
        for name in ("radii", *_BOUNDS, "measured", "slack"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name)))

    @property
    def largest(self) -> dict[str, float]:
        """The largest over all simplices of each bound that there is, and of the measured distance."""
        found = {name: getattr(self, name) for name in (*_BOUNDS, "measured")}
        return {name: float(values.max(initial=0.0)) for name, values in found.items() if values is not None}

    @property
    def holds(self) -> dict[str, bool]:
        """Whether the measured distance is within each bound on every simplex; empty where it was not measured."""
        if self.measured is None:
            return {}
        bounds = {name: getattr(self, name) for name in _BOUNDS}
        return {
            name: bool((self.measured <= values + self.slack).all())
            for name, values in bounds.items()
            if values is not None
        }

    def __repr__(self) -> str:
        figures = ", ".join(f"{name}={value:.4g}" for name, value in self.largest.items())
        return f"InterpolationBounds({figures})"


def interpolation_bounds(
    net: ShallowReLU | None,
    triangulation: Triangulation,
    *,
    lipschitz: float | None = None,
    curvature: float | None = None,
) -> InterpolationBounds:
    """Bound the error of the interpolant of a function on each simplex of a triangulation.

    Parameters
    ----------
    net : ShallowReLU or None
        The function f, one output and as many features as the points; None for any function of which only the
        constants below are known.
    triangulation : Triangulation
        If is the function that equals f at its points and is affine on its simplices.
    lipschitz : float, optional
        L with ``|f(x) - f(y)| ≤ L |x - y|``. For a network by default on each simplex what its weights give:
        the norm of the gradient of the neurons that do not cross it, and ``|a_j| |w_j|`` for each that does.
    curvature : float, optional
        M with ``|∇f(x) - ∇f(y)| ≤ M |x - y|``. A network with kinks has none.

    Returns
    -------
    InterpolationBounds
        With ``.relu``, ``.lipschitz``, ``.curvature`` and ``.measured`` on each simplex, ``.largest`` and ``.holds``.

    Raises
    ------
    TypeError, ValueError
        If the arguments do not fit together, or nothing is known of f.

    Notes
    -----
    With x = Σ λ_i p_i on a simplex whose smallest ball has centre c and radius R,
    ``Σ λ_i |p_i - x|² = Σ λ_i |p_i - c|² - |x - c|² ≤ R² - |x - c|²``. Hence

    * ``|f - If| ≤ Σ λ_i L |x - p_i| ≤ L √(R² - |x - c|²) ≤ L R``,
    * ``|f - If| ≤ M/2 Σ λ_i |x - p_i|² ≤ M/2 (R² - |x - c|²) ≤ M R²/2``, on the line ``M h²/8``.

    A neuron with values s_i at the corners is ``relu(P - N)`` with ``P = Σ λ_i relu(s_i)`` and
    ``N = Σ λ_i relu(-s_i)``, and its interpolant is P, so it errs by ``P - relu(P - N) = min(P, N)``. With Λ the
    weight of the corners with s > 0, ``P ≤ Λ s⁺`` and ``N ≤ (1 - Λ) s⁻``, where s⁺ and s⁻ are the largest values of s
    and of -s; so the smaller is at most ``s⁺ s⁻/(s⁺ + s⁻)``, which is attained on the edge between those two corners.
    All these errors have one sign, so neurons with a > 0 and with a < 0 work against each other:

    * ``|f - If| ≤ max over both signs of a of Σ |a_j| s⁺ s⁻/(s⁺ + s⁻)``, over the neurons that cross; equal for one.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.structures.triangulation import Triangulation
    >>> square = Triangulation([[-1, -1], [1, -1], [1, 1], [-1, 1]], [[0, 1, 2], [0, 2, 3]], [[-1, 1, -1], [-1, -1, 0]])
    >>> bounds = rq.interpolation_bounds(rq.ShallowReLU([[1.0, 1.0, 0.0]], [1.0]), square)
    >>> bounds
    InterpolationBounds(relu=1, lipschitz=2, measured=1)
    >>> bounds.holds
    {'relu': True, 'lipschitz': True}
    """
    L, M = _checked(net, triangulation, lipschitz, curvature)
    radii = smallest_balls(triangulation.points, triangulation.simplices)
    relu = slopes = measured = None
    slack = np.zeros(triangulation.n_simplices)
    if net is not None:
        relu, slopes, slack = _from_neurons(net, triangulation)
        measured = _measured(net, triangulation)
    if L is not None:
        slopes = np.full(radii.shape, L)
    return InterpolationBounds(
        radii=radii,
        relu=relu,
        lipschitz=None if slopes is None else slopes * radii,
        curvature=None if M is None else M * radii**2 / 2,
        measured=measured,
        slack=slack,
    )


def smallest_balls(points: Floats, simplices: NDArray[np.int64]) -> Floats:
    """Return the radius of the smallest ball around each simplex.

    Such a ball is the circumscribed one of some of the corners, with its centre between them. The smallest ball of
    fewer corners is not larger, so it is the largest of all circumscribed balls whose centre is between their corners.
    """
    n_corners = simplices.shape[1]
    radii = np.zeros(len(simplices))
    for size in range(2, n_corners + 1):
        for chosen in combinations(range(n_corners), size):
            corners = points[simplices[:, chosen]]
            edges = corners[:, 1:] - corners[:, :1]
            gram = edges @ edges.transpose(0, 2, 1)
            squares = np.diagonal(gram, axis1=1, axis2=2)
            # Flat ones have their smallest ball from fewer corners.
            regular = np.linalg.det(gram / np.maximum(squares.max(axis=1), 1e-300)[:, None, None]) > 1e-14
            weights = np.linalg.solve(gram[regular], squares[regular][:, :, None] / 2)[:, :, 0]
            between = (weights >= 0).all(axis=1) & (weights.sum(axis=1) <= 1)
            radius = np.linalg.norm((weights[:, :, None] * edges[regular]).sum(axis=1), axis=1)
            radii[regular] = np.maximum(radii[regular], np.where(between, radius, 0.0))
    return radii


def _checked(
    net: ShallowReLU | None, triangulation: Triangulation, lipschitz: float | None, curvature: float | None
) -> tuple[float | None, float | None]:
    if not isinstance(triangulation, Triangulation):
        raise TypeError(f"interpolation_bounds needs a Triangulation, but got {type(triangulation).__name__}.")
    if net is not None and not isinstance(net, ShallowReLU):
        raise TypeError(
            f"interpolation_bounds needs a ShallowReLU, or None with lipschitz= or curvature=, but got"
            f" {type(net).__name__}."
        )
    if net is None and lipschitz is None and curvature is None:
        raise ValueError("Nothing is known of the function; give a network, lipschitz= or curvature=.")
    if triangulation.dimension > _MOST_DIMENSIONS:
        raise ValueError(
            f"interpolation_bounds works for up to {_MOST_DIMENSIONS} dimensions, but the simplices have"
            f" {triangulation.dimension}."
        )
    if net is not None and net.n_features != triangulation.n_features:
        raise ValueError(
            f"The network has {net.n_features} features, but the points of the triangulation have"
            f" {triangulation.n_features}."
        )
    if net is not None and net.a.ndim == 2 and net.a.shape[1] != 1:
        raise ValueError(
            f"interpolation_bounds works for one output so far, but the network has {net.a.shape[1]};"
            " pass ShallowReLU(net.W, net.a[:, i]) for one of them."
        )
    L = None if lipschitz is None else real_number(lipschitz, "lipschitz", least=0.0)
    M = None if curvature is None else real_number(curvature, "curvature", least=0.0)
    return L, M


def _from_neurons(net: ShallowReLU, triangulation: Triangulation) -> tuple[Floats, Floats, Floats]:
    """Return the bound by crossing neurons, a Lipschitz constant, and what rounding may add, on each simplex."""
    d, a = net.n_features, net.a.reshape(-1)
    w, b = net.W[:, :d], net.W[:, d] if net.bias else np.zeros(net.n_neurons)
    norms = np.linalg.norm(w, axis=1)
    n = triangulation.n_simplices
    relu, slopes, slack = np.zeros(n), np.zeros(n), np.zeros(n)
    step = max(_HELD // max((triangulation.dimension + 1) * net.n_neurons, 1), 1)
    for begin in range(0, n, step):
        part = slice(begin, begin + step)
        corners = triangulation.points[triangulation.simplices[part]]
        s = corners @ w.T + b
        top, bottom = s.max(axis=1), -s.min(axis=1)
        crosses = (top > 0) & (bottom > 0)
        error = np.where(crosses, top * (bottom / np.where(crosses, top + bottom, 1.0)), 0.0)
        relu[part] = np.maximum(error @ np.maximum(a, 0.0), error @ np.maximum(-a, 0.0))
        always = np.where((top > 0) & ~crosses, a, 0.0) @ w
        slopes[part] = np.linalg.norm(always, axis=1) + crosses @ (np.abs(a) * norms)
        made_of = np.abs(corners).max(axis=1) @ np.abs(w).T + np.abs(b)
        slack[part] = _ROUNDING * (made_of @ np.abs(a))
    return relu, slopes, slack


def _measured(net: ShallowReLU, triangulation: Triangulation) -> Floats | None:
    d, a = net.n_features, net.a.reshape(-1)
    if triangulation.dimension != d or d > 2 or triangulation.n_simplices == 0:
        return None
    net = ShallowReLU(net.W if net.bias else np.column_stack([net.W, np.zeros(net.n_neurons)]), a)
    values = net(triangulation.points)
    if d == 1:
        return _measured_on_line(net, triangulation, values)
    # Here, because it loads a compiler.
    from reluquant.analysis.planar_distance import planar_difference

    return planar_difference(net, _Interpolant(triangulation, values)).sup


def _measured_on_line(net: ShallowReLU, triangulation: Triangulation, values: Floats) -> Floats:
    x = triangulation.points[:, 0]
    f = piecewise_linear(net)
    order = np.argsort(x)
    nodes = np.union1d(x, f.knots[(f.knots > x.min()) & (f.knots < x.max())])
    error = np.abs(f(nodes) - np.interp(nodes, x[order], values[order]))
    ends = np.sort(x[triangulation.simplices], axis=1)
    first, last = np.searchsorted(nodes, ends[:, 0]), np.searchsorted(nodes, ends[:, 1])
    return np.array([error[i : j + 1].max() for i, j in zip(first, last, strict=True)])


@dataclass(frozen=True, slots=True, eq=False)
class _Interpolant:
    """Values at the points of a triangulation."""

    triangulation: Triangulation
    values: Floats
