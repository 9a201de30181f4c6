"""The difference of two piecewise-linear functions of two variables, cell by cell of their common refinement."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.planar_region import hull_of, intersection, planar_region
from reluquant.kernels.overlay import corner_values, split_triangles
from reluquant.kernels.triangle_pairs import common_triangles
from reluquant.structures.arrays import Floats
from reluquant.structures.planar_functions import Interpolant
from reluquant.structures.planar_pieces import PlanarPieces
from reluquant.structures.shallow_relu import ShallowReLU

PlanarFunction = ShallowReLU | PlanarPieces | Interpolant

# So many values of neurons at corners are held at once: 64 MB.
_HELD = 2**23
# Pieces of which so much of the region's area is missing leave a hole; less is rounding.
_HOLE = 1e-9
# The exponent of zero: below all others.
_NEVER = -(10**6)


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """``f - g`` on triangles.

    Parameters
    ----------
    sup : ndarray, shape (n_triangles,)
        Largest ``|f - g|`` on each.
    sup_at : ndarray, shape (n_triangles, 2)
        A point where it is attained.
    l2 : float
        Square root of the integral of ``(f - g)²`` over all.
    n_cells : int
        Number of cells on which the difference was affine, up to slivers within rounding.
    region : ndarray, shape (k, 2)
        The corners of what the triangles tile.
    """

    sup: Floats
    sup_at: Floats
    l2: float
    n_cells: int
    region: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Tiles:
    """A function that is affine on triangles: points (n_points, 2) from an origin, corners, values there."""

    points: Floats
    corners: NDArray[np.int64]
    values: Floats
    hull: Floats
    origin: Floats = field(default_factory=lambda: np.zeros(2))

    @property
    def places(self) -> Floats:
        """The corners as points, shape (n_triangles, 3, 2)."""
        return self.points[self.corners]


def planar_difference(f: PlanarFunction, g: PlanarFunction, region: ArrayLike | None = None) -> Difference:
    """Return the difference of two functions of two variables on a region, or where both are given."""
    tiles = [(_tiles(h), sign) for h, sign in ((f, 1.0), (g, -1.0)) if not isinstance(h, ShallowReLU)]
    neurons = [_neurons(h, sign) for h, sign in ((f, 1.0), (g, -1.0)) if isinstance(h, ShallowReLU)]
    polygon = _polygon([tile for tile, _ in tiles], region)
    # Near zero coordinates round less; the shift itself rounds nothing.
    origin = _origin(np.concatenate([polygon, *(tile.points + tile.origin for tile, _ in tiles)]))
    n = len(polygon)
    fan = np.column_stack([np.zeros(n - 2, np.int64), np.arange(1, n - 1), np.arange(2, n)])
    whole = _Tiles(polygon - origin, fan, np.zeros((n - 2, 3)), polygon)
    refined = _refined([(_about(tile, origin), sign) for tile, sign in tiles], whole, asked=region is not None)
    W = np.concatenate([np.zeros((0, 3)), *(W for W, _ in neurons)])
    return _difference(refined, origin, W, np.concatenate([np.zeros(0), *(a for _, a in neurons)]))


def affine_triangles(f: PlanarPieces | Interpolant) -> tuple[Floats, Floats]:
    """Return triangles on which a function is affine: corners (n_triangles, 3, 2), and its values there."""
    tiles = _tiles(f)
    return tiles.places + tiles.origin, tiles.values


def _neurons(net: ShallowReLU, sign: float) -> tuple[Floats, Floats]:
    if net.a.ndim == 2 and net.a.shape[1] != 1:
        raise ValueError(
            f"compare works for one output so far, but the network has {net.a.shape[1]};"
            " pass ShallowReLU(net.W, net.a[:, i]) for one of them."
        )
    W = net.W if net.bias else np.column_stack([net.W, np.zeros(net.n_neurons)])
    return W, sign * net.a.reshape(-1)


def _tiles(f: PlanarPieces | Interpolant) -> _Tiles:
    if isinstance(f, PlanarPieces):
        return _fans(f)
    triangulation = f.triangulation
    values = np.asarray(f.values, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if triangulation.n_features != 2 or triangulation.dimension != 2 or triangulation.n_simplices == 0:
        raise ValueError(
            "compare needs an interpolant on triangles in the plane, but its points have"
            f" {triangulation.n_features} features and span dimension {triangulation.dimension}."
        )
    if values.shape != (triangulation.n_points,) or not np.isfinite(values).all():
        raise ValueError(
            f"compare needs an interpolant with one finite value at each of its {triangulation.n_points} points,"
            f" but its values have shape {values.shape}."
        )
    corners = triangulation.simplices
    return _Tiles(triangulation.points, corners, values[corners], hull_of(triangulation))


def _fans(pieces: PlanarPieces) -> _Tiles:
    """Return the pieces cut into triangles from their first corners."""
    sizes = np.diff(pieces.starts)
    piece = np.repeat(np.arange(sizes.size), sizes - 2)
    step = np.arange(piece.size) - np.repeat(np.cumsum(sizes - 2) - (sizes - 2), sizes - 2)
    first = pieces.starts[piece]
    corners = np.column_stack([first, first + step + 1, first + step + 2])
    owner = np.repeat(np.arange(sizes.size), sizes)
    values = (pieces.corners * pieces.gradients[owner]).sum(axis=1) + pieces.offsets[owner]
    return _Tiles(pieces.corners, corners, values[corners], pieces.region, pieces.origin)


def _polygon(tiles: list[_Tiles], region: ArrayLike | None) -> Floats:
    if region is not None:
        return planar_region(region)
    if not tiles:
        raise ValueError(
            "Both functions are meant for the whole plane; say where to compare them with"
            " region=((x_low, x_high), (y_low, y_high)) or a convex polygon."
        )
    if len(tiles) == 1 or np.array_equal(tiles[0].hull, tiles[1].hull):
        return tiles[0].hull
    common = intersection(tiles[0].hull, tiles[1].hull)
    if common is None:
        raise ValueError(
            "The two functions are given on regions that do not overlap; compare them where both are given."
        )
    return common


def _refined(tiles: list[tuple[_Tiles, float]], whole: _Tiles, *, asked: bool) -> _Tiles:
    """Return triangles on which the functions given by triangles are affine, with their signed sum at the corners."""
    if not tiles:
        return whole
    first, sign = tiles[0]
    if len(tiles) == 1 and not asked:
        return _Tiles(first.points, first.corners, sign * first.values, whole.hull)
    places, values = first.places, sign * first.values
    for other, sign in tiles[1:] + ([(whole, 0.0)] if asked else []):
        both = common_triangles(places, other.places, np.array(values), np.array(other.values))
        places, values = np.ascontiguousarray(both[:, :, :2]), both[:, :, 2] + sign * both[:, :, 3]
    if asked:
        _check_covered(places, whole.places)
    keys, corners = np.unique(places.reshape(-1, 2) @ [1, 1j], return_inverse=True)
    return _Tiles(np.column_stack([keys.real, keys.imag]), corners.reshape(-1, 3), values, whole.hull)


def _about(tiles: _Tiles, origin: Floats) -> _Tiles:
    """Return tiles with their points taken from an origin and all triangles counterclockwise."""
    moved = _Tiles(tiles.points + (tiles.origin - origin), tiles.corners, tiles.values, tiles.hull)
    clockwise = (_twice_areas(moved.places) < 0)[:, None]
    corners = np.where(clockwise, tiles.corners[:, [0, 2, 1]], tiles.corners)
    return _Tiles(moved.points, corners, np.where(clockwise, tiles.values[:, [0, 2, 1]], tiles.values), tiles.hull)


def _check_covered(places: Floats, whole: Floats) -> None:
    if _twice_areas(places).sum() < (1 - _HOLE) * _twice_areas(whole).sum():
        raise ValueError(
            "region reaches beyond where a function is given; choose it within the hull of the triangulation"
            " or the region of the pieces."
        )


def _origin(points: Floats) -> Floats:
    """Return a point such that subtracting it from the points is exact and leaves no common offset."""
    origin = np.zeros(2)
    for axis in range(2):
        low, high = float(points[:, axis].min()), float(points[:, axis].max())
        # Sterbenz: x - y is a float64 for y/2 ≤ x ≤ 2y. Where the points are not within a factor of 2 there is no
        # offset larger than their spread.
        if low > 0 and high <= 2 * low:
            origin[axis] = low
        elif high < 0 and low >= 2 * high:
            origin[axis] = high
    return origin


def _twice_areas(places: Floats) -> Floats:
    u, v = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _difference(tiles: _Tiles, origin: Floats, W: Floats, a: Floats) -> Difference:
    size = _exponent(np.abs(tiles.points).max())
    points, shift = np.ldexp(tiles.points, -size), np.ldexp(origin, -size)
    W, a, values, height = _scaled(W, a, tiles.values, shift, size)
    sup, at, mean, cells = _overlay(points, shift, W, a, tiles.corners, values)
    places = points[tiles.corners]
    weights = np.column_stack([1 - at.sum(axis=1), at])
    areas = np.abs(_twice_areas(places)) / 2
    with np.errstate(over="ignore"):
        l2 = float(np.ldexp(math.sqrt(math.fsum(areas * mean)), height + size))
        sup_at = np.ldexp((weights[:, :, None] * places).sum(axis=1), size) + origin
        return Difference(np.ldexp(sup, height), sup_at, l2, int(cells.sum()), tiles.hull)


def _scaled(
    W: Floats, a: Floats, values: Floats, shift: Floats, size: int
) -> tuple[Floats, Floats, Floats, int]:
    """Return neurons and values scaled by powers of two so that nothing leaves float64; and the exponent of f - g."""
    mantissas, exponents = np.frexp(W)
    exponents = exponents.astype(np.int64) + np.array([size, size, 0])
    reach = np.maximum(np.frexp(np.maximum(np.abs(shift), 1.0))[1], 0)
    used = np.where(W != 0, exponents + np.append(reach, 0), _NEVER)
    rows = used.max(axis=1, initial=_NEVER)
    W = np.ldexp(mantissas, np.maximum(exponents - rows[:, None], -1074))
    heights, powers = np.frexp(a)
    powers = powers.astype(np.int64) + rows
    live = (a != 0) & (rows > _NEVER)
    height = max(chain([_exponent(np.abs(values).max(initial=0.0))], powers[live].tolist()))
    a = np.where(live, np.ldexp(heights, np.clip(powers - height, -1074, 0)), 0.0)
    return W, a, np.ldexp(values, -height), height


def _exponent(value: float) -> int:
    return int(np.frexp(value)[1]) if value > 0 else -1074


def _overlay(
    points: Floats, origin: Floats, W: Floats, a: Floats, corners: NDArray[np.int64], values: Floats
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    """Cut the triangles along the neurons, as many at once as memory should hold."""
    m = max(W.shape[0], 1)
    step = len(corners) if len(points) * m <= _HELD else max(_HELD // (3 * m), 1)
    parts = []
    for begin in range(0, len(corners), step):
        used, local = np.unique(corners[begin : begin + step], return_inverse=True)
        S, F = np.empty((used.size, W.shape[0])), np.empty(used.size)
        corner_values(points[used], origin, W, a, S, F)
        local = local.reshape(-1, 3)
        parts.append(split_triangles(S, a, local, F[local] + values[begin : begin + step]))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))
