"""Triangulations of the points that other builders drop, flatten, or refuse."""

from __future__ import annotations

from math import comb, factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

import reluquant as rq
from reluquant.kernels.delaunay import delaunay
from reluquant.kernels.delaunay_check import covers_once, hull_fault, local_fault
from reluquant.kernels.orientation import exact_sides
from tests.oracles_delaunay import assert_delaunay, hull_area, inside_sphere, rows_of, volume


def simplex_set(triangulation, digits=None):
    """Simplices as sets of points, whatever the numbers of the points."""
    points = triangulation.points if digits is None else triangulation.points.round(digits)
    return {frozenset(map(tuple, points[simplex].tolist())) for simplex in triangulation.simplices}


def index_sets(simplices):
    return {frozenset(simplex) for simplex in np.asarray(simplices).tolist()}


def cube(*sizes):
    return np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij"), axis=-1).reshape(-1, len(sizes)).astype(float)


def turned_grid(size, step, angle=0.3):
    grid, (c, s) = step * cube(size, size), (np.cos(angle), np.sin(angle))
    return grid @ np.array([[c, s], [-s, c]])


def assert_every_point_is_used(triangulation, rows):
    assert np.array_equal(triangulation.points[triangulation.point_of_row], rows)
    assert set(triangulation.simplices.ravel().tolist()) == set(range(triangulation.n_points))


# ---- general position, where others are right too


@pytest.mark.parametrize(("n_points", "n_features"), [(2000, 2), (300, 3), (100, 4), (40, 5)])
def test_random_points_as_qhull(n_points, n_features):
    points = np.random.default_rng(n_features).random((n_points, n_features))
    ours, qhull = rq.triangulate(points), Delaunay(points)
    assert index_sets(ours.simplices) == index_sets(qhull.simplices)
    assert np.array_equal(ours.points, points)
    assert np.array_equal(ours.point_of_row, np.arange(n_points))


@pytest.mark.parametrize(("n_points", "n_features"), [(12, 2), (9, 3), (8, 4), (8, 5)])
def test_random_points_are_certified_in_fractions(n_points, n_features):
    assert_delaunay(rq.triangulate(np.random.default_rng(7).normal(size=(n_points, n_features))))


# ---- what peers get wrong


def test_an_offset_loses_no_point():
    points = np.random.default_rng(0).random((300, 2)) + 1e6
    with_scipy = Delaunay(points)
    assert len(np.unique(with_scipy.simplices)) < 300
    triangulation = rq.triangulate(points)
    assert_every_point_is_used(triangulation, points)
    twice_area = sum(volume([rows_of(points)[v] for v in s]) for s in triangulation.simplices.tolist())
    assert twice_area == hull_area(rows_of(points))


@pytest.mark.parametrize("thin", [1e-14, 1e-15, 1e-16])
def test_nearly_collinear_points(thin):
    rng = np.random.default_rng(0)
    x = np.sort(rng.random(50))
    points = np.c_[x, x + thin * rng.normal(size=50)]
    assert_every_point_is_used(rq.triangulate(points), points)
    assert_delaunay(rq.triangulate(points[:12]))


@pytest.mark.parametrize(("size", "step"), [(50, 0.1), (100, 1 / 3)])
def test_a_turned_grid(size, step):
    points = turned_grid(size, step)
    triangulation = rq.triangulate(points)
    assert_every_point_is_used(triangulation, points)
    # Rounding makes the sides of the hull crooked, so slivers come on top; Euler's formula ties all counts.
    on_hull = np.count_nonzero(triangulation.neighbors < 0)
    assert triangulation.n_simplices == 2 * size**2 - 2 - on_hull
    assert_delaunay(rq.triangulate(turned_grid(4, step)))


def test_points_on_the_border_of_a_square_only():
    # scipy issue 21910.
    side = np.arange(2001.0)
    ends = (np.zeros(2001), np.full(2001, 2000.0))
    rows = np.concatenate([np.c_[side, e] for e in ends] + [np.c_[e, side] for e in ends])
    triangulation = rq.triangulate(rows)
    assert (triangulation.n_points, triangulation.n_simplices) == (8000, 7998)
    corners = triangulation.points[triangulation.simplices]
    sides = corners[:, 1:] - corners[:, :1]
    assert np.linalg.det(sides).round().sum() == 2 * 2000**2


def test_copies_moved_by_less_than_others_tell_apart():
    points = np.random.default_rng(0).random((100, 2))
    rows = np.concatenate([points, points + 1e-12])
    assert_every_point_is_used(rq.triangulate(rows), rows)


@pytest.mark.parametrize("sizes", [(3, 3, 2), (4, 4, 4), (2, 2, 2, 2), (3, 3, 3, 2), (2, 2, 2, 2, 2)])
def test_grids_have_no_flat_simplices_and_fill_their_box(sizes):
    triangulation = rq.triangulate(cube(*sizes))
    corners = triangulation.points[triangulation.simplices]
    volumes = np.linalg.det(corners[:, 1:] - corners[:, :1]).round(9)
    assert np.all(volumes >= 1)
    assert volumes.sum() == factorial(len(sizes)) * np.prod(np.array(sizes) - 1)
    if len(triangulation.points) < 20:
        assert_delaunay(triangulation)


def test_points_in_ulps_and_two_far_away():
    rng = np.random.default_rng(0)
    near = 0.5 + np.spacing(0.5) * rng.integers(-3, 4, (20, 2))
    rows = np.concatenate([near, [[12, 12], [24, 24]]])
    triangulation = rq.triangulate(rows)
    assert_every_point_is_used(triangulation, rows)
    assert_delaunay(triangulation)


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e-200, 1.0, 1e200, 1.7e308])
def test_squares_of_any_size(size):
    triangulation = rq.triangulate(size * np.array([[0, 0], [1, 0], [1, 1], [0, 1]]))
    assert triangulation.n_simplices == 2
    assert_delaunay(triangulation)


def test_the_widest_points_of_all():
    rows = [[1.7e308, -1.7e308], [-1.7e308, 1.7e308], [5e-324, 0.0], [0.0, 5e-324], [1e-160, 1.0], [1.0, 1e160], [0, 0]]
    assert_delaunay(rq.triangulate(rows))


# ---- points that span less than their space


def test_one_point_is_a_simplex():
    triangulation = rq.triangulate([[3.0, 4.0], [3.0, 4.0]])
    assert triangulation.dimension == 0
    assert triangulation.simplices.tolist() == [[0]]
    assert triangulation.neighbors.tolist() == [[-1]]
    assert triangulation.point_of_row.tolist() == [0, 0]


def test_points_on_the_line_are_sorted_segments():
    triangulation = rq.triangulate([3.0, 1.0, 2.0, 1.0])
    assert triangulation.points.tolist() == [[3.0], [1.0], [2.0]]
    assert triangulation.simplices.tolist() == [[1, 2], [2, 0]]
    assert triangulation.neighbors.tolist() == [[1, -1], [-1, 0]]
    assert triangulation.point_of_row.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, 1.0), (3.0, -5.0), (1.0, 2.0, 3.0)])
def test_collinear_points_are_a_path(direction):
    steps = np.array([4.0, 0.0, 1.0, 7.0])
    triangulation = rq.triangulate(steps[:, np.newaxis] * direction)
    assert triangulation.dimension == 1
    assert index_sets(triangulation.simplices) == index_sets([[1, 2], [2, 0], [0, 3]])
    assert (triangulation.neighbors < 0).sum() == 2


def test_zeros_of_either_sign_are_one_coordinate():
    triangulation = rq.triangulate([[0.0, -0.0], [1.0, 0.0], [-0.0, 0.0], [0.0, 1.0], [1.0, -0.0]])
    assert triangulation.point_of_row.tolist() == [0, 1, 0, 2, 1]


def test_an_ulp_off_the_line_is_off_the_line():
    rows = np.c_[np.arange(5.0), np.arange(5.0)]
    rows[2, 1] = np.nextafter(2.0, 3.0)
    triangulation = rq.triangulate(rows)
    assert triangulation.dimension == 2
    assert_delaunay(triangulation)


def test_a_plane_in_space_is_triangulated_by_its_own_distances():
    # A long stretch along one axis: dropping a coordinate would change which circles are empty.
    rng = np.random.default_rng(3)
    flat = rng.integers(0, 1000, (40, 2)).astype(float)
    frame = np.array([[1.0, 0.0, 7.0], [0.0, 1.0, 0.0]])
    triangulation = rq.triangulate(flat @ frame)
    assert triangulation.dimension == 2
    stretched = flat * [np.sqrt(50), 1.0]  # the same distances, to rounding
    assert index_sets(triangulation.simplices) == index_sets(Delaunay(stretched).simplices)
    assert index_sets(triangulation.simplices) != index_sets(Delaunay(flat).simplices)


def test_five_dimensions_in_eight():
    points = np.random.default_rng(0).integers(-9, 9, (15, 5)).astype(float)
    frame = np.eye(5, 8) + np.eye(5, 8, 3)
    assert rq.triangulate(points @ frame).dimension == 5


# ---- any points, by an independent certificate


coordinate = st.integers(-2, 2).map(float) | st.integers(-5, 5).map(lambda i: i / 10)
ulps = st.sampled_from([0, 0, 0, 1, -1, 2])
any_float = st.floats(allow_nan=False, allow_infinity=False, width=64)


@st.composite
def awkward_points(draw, n_features, max_points):
    """Draw points near a grid, ulps beside it, at any offset, scale and shear, or with any coordinates at all."""

    def row(value):
        return st.lists(st.tuples(*[value] * n_features), min_size=1, max_size=max_points)

    if draw(st.integers(0, 4)) == 0:
        return np.array(draw(row(any_float | coordinate)))
    points = np.array(draw(row(coordinate))) + draw(st.sampled_from([0.0, 0.0, 1 / 3, 1e6, -1e12]))
    nudges = np.array(draw(st.lists(ulps, min_size=points.size, max_size=points.size))).reshape(points.shape)
    points = points + nudges * np.spacing(points)
    if draw(st.booleans()):
        points[:, 0] += draw(st.sampled_from([1.0, 0.1, -3.0])) * points[:, -1]
    return points * draw(st.sampled_from([1.0, 1.0, 1e-300, 1e290, 3e-160, 2.0**-1070]))


def check(points):
    triangulation = rq.triangulate(points)
    assert_every_point_is_used(triangulation, points)
    if triangulation.dimension == triangulation.n_features:
        assert_delaunay(triangulation)
    return triangulation


@given(awkward_points(2, 12))
def test_any_points_in_the_plane(points):
    check(points)


@settings(max_examples=40)
@given(awkward_points(3, 9))
def test_any_points_in_space(points):
    check(points)


@settings(max_examples=25)
@given(st.integers(4, 5).flatmap(lambda d: awkward_points(d, d + 4)))
def test_any_points_in_four_and_five_dimensions(points):
    check(points)


@given(awkward_points(1, 12))
def test_any_points_on_the_line(points):
    triangulation = rq.triangulate(points)
    knots = np.unique(points)
    ends = triangulation.points[triangulation.simplices, 0]
    assert np.array_equal(ends, np.stack([knots[:-1], knots[1:]], axis=1) if knots.size > 1 else ends)


@given(awkward_points(2, 12), st.randoms(use_true_random=False))
def test_the_order_of_points_does_not_matter_even_in_ties(points, random):
    shuffled = points.copy().tolist()
    random.shuffle(shuffled)
    assert simplex_set(rq.triangulate(points)) == simplex_set(rq.triangulate(shuffled))


@given(st.integers(2, 3), st.integers(0, 2**32 - 1), st.integers(-900, 900))
def test_a_power_of_two_changes_nothing(n_features, seed, power):
    points = np.random.default_rng(seed).integers(-3, 4, (10, n_features)).astype(float)
    assert np.array_equal(rq.triangulate(points).simplices, rq.triangulate(np.ldexp(points, power)).simplices)


def test_cocircular_points_have_some_triangulation_without_crossings():
    # Pythagorean: twelve points exactly on a circle of radius 5.
    circle = [(a, b) for a in range(-5, 6) for b in range(-5, 6) if a * a + b * b == 25]
    triangulation = rq.triangulate(circle)
    assert (triangulation.n_points, triangulation.n_simplices) == (12, 10)
    assert_delaunay(triangulation)


def test_points_on_the_moment_curve_are_all_neighbours():
    # The upper bound: a cyclic polytope one dimension up has C(n − 2, 2)-like many facets; here every pair is an edge.
    t = np.arange(12.0)
    triangulation = rq.triangulate(np.c_[t, t**2, t**3])
    edges = {frozenset((a, b)) for s in triangulation.simplices.tolist() for a in s for b in s if a < b}
    assert len(edges) == comb(12, 2)


def test_kernels_are_compiled_once_for_all_dimensions():
    for n_features in (2, 3, 4, 5):
        rq.triangulate(np.random.default_rng(0).random((9, n_features)))
    for kernel in (delaunay, exact_sides, local_fault, hull_fault, covers_once):
        assert len(getattr(kernel, "signatures", [None])) == 1  # without the compiler there are none


@pytest.mark.slow
def test_a_hundred_thousand_points():
    points = np.random.default_rng(0).random((100_000, 2))
    assert rq.triangulate(points).n_simplices == len(Delaunay(points).simplices)


# ---- bad input


@pytest.mark.parametrize(
    ("points", "kind", "message"),
    [
        ([[0.0, np.nan]], ValueError, "points must be finite"),
        ([[0.0, np.inf]], ValueError, "points must be finite"),
        ([["a", "b"]], TypeError, "points must hold real numbers"),
        ([[1j, 0]], TypeError, "points must hold real numbers"),
        ([[0, 1], [2]], ValueError, "points must be a rectangular array"),
        ([], ValueError, "at least one row of at least one coordinate"),
        (np.zeros((0, 2)), ValueError, "at least one row of at least one coordinate"),
        (np.zeros((3, 0)), ValueError, "at least one row of at least one coordinate"),
        (np.zeros((2, 2, 2)), ValueError, "points must be 1-dimensional or 2-dimensional"),
        (3.0, ValueError, "points must be 1-dimensional or 2-dimensional"),
        (np.eye(7), ValueError, "span 6; rq.interpolate needs no triangulation"),
    ],
)
def test_bad_points_are_refused_in_a_sentence(points, kind, message):
    with pytest.raises(kind, match=message):
        rq.triangulate(points)


def test_the_oracle_tells_inside_from_outside():
    square = rows_of([[0, 0], [1, 0], [0, 1]])
    assert [inside_sphere(square, q) > 0 for q in rows_of([[0.9, 0.9], [1.1, 1.1]])] == [True, False]
    assert inside_sphere(square, rows_of([[1, 1]])[0]) == 0
