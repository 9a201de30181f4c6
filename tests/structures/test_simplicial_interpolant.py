"""Interpolants on triangulations: exact at nodes, affine on simplices, continuous, and where peers fail."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay

from reluquant import SimplicialInterpolant, Triangulation, triangulate
from reluquant.kernels import plane_interpolation, point_location, space_interpolation

SQUARE = Triangulation([[0, 0], [1, 0], [1, 1], [0, 1]], [[0, 1, 2], [0, 2, 3]], [[-1, 1, -1], [-1, -1, 0]])


def triangulation_of(points, simplices=None):
    """Simplices as given, or scipy's; positively oriented, with their neighbours found by matching facets."""
    points = np.asarray(points, dtype=float)
    simplices = np.array(Delaunay(points).simplices if simplices is None else simplices, dtype=np.int64)
    if simplices.shape[1] == points.shape[1] + 1:
        corners = points[simplices]
        flipped = np.linalg.det(corners[:, 1:] - corners[:, :1]) < 0
        simplices[flipped, :2] = simplices[flipped, 1::-1]
    neighbors = np.full(simplices.shape, -1)
    seen = {}
    for t, simplex in enumerate(simplices):
        for i in range(simplex.size):
            facet = frozenset(np.delete(simplex, i).tolist())
            if facet in seen:
                other, j = seen[facet]
                neighbors[t, i], neighbors[other, j] = other, t
            seen[facet] = t, i
    return Triangulation(points, simplices, neighbors)


def random_case(d, n=60, rng=0, offset=0.0):
    rng = np.random.default_rng(rng)
    points = rng.random((n, d)) + offset
    return triangulation_of(points), rng.normal(size=n), rng


def inner_points(triangulation, rng, n=300):
    """Random points of random simplices, and which."""
    simplex = rng.integers(0, triangulation.n_simplices, n)
    weights = rng.dirichlet(np.ones(triangulation.dimension + 1), n)
    return np.einsum("kv,kvi->ki", weights, triangulation.points[triangulation.simplices[simplex]]), simplex, weights


DIMENSIONS = [1, 2, 3, 4, 5]


@pytest.mark.parametrize("d", DIMENSIONS[1:])
def test_the_label_at_every_node_bit_by_bit(d):
    for rng, offset in ((0, 0.0), (1, 1e6), (2, -1e300)):
        triangulation, values, _ = random_case(d, rng=rng)
        moved = Triangulation(
            triangulation.points * 2.0**20 + offset if offset != -1e300 else triangulation.points * 1e300,
            triangulation.simplices, triangulation.neighbors,
        )  # fmt: skip
        f = SimplicialInterpolant(moved, values)
        assert (f(moved.points) == values).all()


@pytest.mark.parametrize("d", DIMENSIONS[1:])
def test_points_are_found_in_the_simplex_they_were_made_in(d):
    triangulation, _, rng = random_case(d)
    points, simplex, _ = inner_points(triangulation, rng)
    assert (triangulation.find_simplex(points) == simplex).all()
    found = triangulation.barycentric(points, simplex)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=4e-16)
    corners = triangulation.points[triangulation.simplices[simplex]]
    np.testing.assert_allclose(np.einsum("kv,kvi->ki", found, corners), points, atol=1e-15)


@pytest.mark.parametrize("d", DIMENSIONS[1:])
def test_affine_functions_are_reproduced_with_their_gradient(d):
    triangulation, _, rng = random_case(d)
    slopes = rng.normal(size=d)
    f = SimplicialInterpolant(triangulation, triangulation.points @ slopes + 1)
    inside, _, _ = inner_points(triangulation, rng)
    np.testing.assert_allclose(f(inside), inside @ slopes + 1, rtol=0, atol=1e-14)
    around = 4 * rng.random((200, d)) - 1.5
    assert (triangulation.find_simplex(around) < 0).sum() > 50
    np.testing.assert_allclose(f(around), around @ slopes + 1, rtol=0, atol=1e-10)
    np.testing.assert_allclose(f.gradient(around), np.tile(slopes, (200, 1)), rtol=0, atol=1e-10)


@pytest.mark.parametrize("d", DIMENSIONS[1:])
def test_scipy_agrees_in_general_position(d):
    triangulation, values, rng = random_case(d)
    points = 1.4 * rng.random((1000, d)) - 0.2
    expected = LinearNDInterpolator(triangulation.points, values)(points)
    np.testing.assert_allclose(SimplicialInterpolant(triangulation, values, "nan")(points), expected, atol=1e-11)


@pytest.mark.parametrize("d", DIMENSIONS[1:])
def test_the_gradient_is_the_limit_of_differences(d):
    triangulation, values, rng = random_case(d)
    f = SimplicialInterpolant(triangulation, values)
    points, _, weights = inner_points(triangulation, rng)
    points = points[weights.min(axis=1) > 0.02]
    step = 1e-7
    differences = [(f(points + step * e) - f(points - step * e)) / (2 * step) for e in np.eye(d)]
    np.testing.assert_allclose(f.gradient(points), np.stack(differences, axis=1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("d", DIMENSIONS[1:])
def test_it_is_continuous_across_facets(d):
    triangulation, values, rng = random_case(d)
    f = SimplicialInterpolant(triangulation, values)
    points, simplex, weights = inner_points(triangulation, rng)
    facet = rng.integers(0, d + 1, len(points))
    weights[np.arange(len(points)), facet] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    on_facets = np.einsum("kv,kvi->ki", weights, triangulation.points[triangulation.simplices[simplex]])
    expected = np.einsum("kv,kv->k", weights, values[triangulation.simplices[simplex]])
    largest = np.abs(f.gradient(inner_points(triangulation, rng, 3000)[0])).max()
    np.testing.assert_allclose(f(on_facets), expected, rtol=0, atol=1e-14 * largest)


def test_several_outputs_are_interpolated_side_by_side():
    triangulation, values, rng = random_case(2)
    labels = np.stack([values, values**2], axis=1)
    f = SimplicialInterpolant(triangulation, labels)
    points = 2 * rng.random((5, 4, 2)) - 0.5
    assert f(points).shape == (5, 4, 2)
    assert f.gradient(points).shape == (5, 4, 2, 2)
    for i in range(2):
        alone = SimplicialInterpolant(triangulation, labels[:, i])
        assert (f(points)[..., i] == alone(points)).all()
        assert (f.gradient(points)[..., i] == alone.gradient(points)).all()


def test_values_stay_between_the_labels():
    triangulation = triangulation_of(np.random.default_rng(0).random((50, 2)))
    values = np.where(np.arange(50) % 2, 1.7976931348623157e308, -1.7976931348623157e308)
    points, _, _ = inner_points(triangulation, np.random.default_rng(1), 5000)
    assert np.isfinite(SimplicialInterpolant(triangulation, values)(points)).all()
    ones = SimplicialInterpolant(triangulation, np.full(50, 0.1))
    assert (ones(points) == 0.1).all()


# ------------------------------------------------------------------------------------------------ exact decisions

ulps = st.integers(-3, 3)


def exact_area(a, b, q):
    (ax, ay), (bx, by), (qx, qy) = (map(Fraction, p.tolist()) for p in (a, b, q))
    return (ax - qx) * (by - qy) - (ay - qy) * (bx - qx)


def exact_side(a, b, q):
    turn = exact_area(a, b, q)
    return (turn > 0) - (turn < 0)


def holds(triangulation, t, q):
    corners = triangulation.points[triangulation.simplices[t]]
    return all(exact_side(corners[i], corners[(i + 1) % 3], q) >= 0 for i in range(3))


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e6, 1e12]), st.lists(st.tuples(ulps, ulps), min_size=20))
def test_a_point_ulps_off_an_edge_is_never_put_in_a_wrong_triangle(seed, offset, moves):
    triangulation, _, rng = random_case(2, n=12, rng=seed, offset=offset)
    simplex = rng.integers(0, triangulation.n_simplices, len(moves))
    corners = triangulation.points[triangulation.simplices[simplex]]
    share = rng.random((len(moves), 1))
    points = share * corners[:, 0] + (1 - share) * corners[:, 1]
    points += np.array(moves) * np.spacing(points)
    hull = triangulation.points[triangulation.locator.inner.hull]
    for t, point in zip(triangulation.find_simplex(points), points, strict=True):
        if t >= 0:
            assert holds(triangulation, t, point)
        else:
            assert any(exact_side(a, b, point) < 0 for a, b in zip(hull, np.roll(hull, -1, axis=0), strict=True))


def pinwheel():
    """A triangulation of nested turned triangles, whose visibility walk can go round for ever: not Delaunay."""
    angles = np.pi / 2 + 2 * np.pi / 3 * np.arange(3)
    outer = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    inner = 0.3 * np.stack([np.cos(angles + 1.0), np.sin(angles + 1.0)], axis=1)
    simplices = [[3, 4, 5]]
    for i in range(3):
        j = (i + 1) % 3
        simplices += [[i, j, 3 + i], [j, 3 + j, 3 + i]]
    return triangulation_of(np.vstack([outer, inner]), simplices)


def flipped_at_random(points, flips, rng):
    """A triangulation far from Delaunay: random flips of convex quadrilaterals."""
    triangles = {tuple(t) for t in triangulation_of(points).simplices.tolist()}
    for _ in range(flips):
        a, b, c = sorted(triangles)[rng.integers(len(triangles))]
        u, v, w = [(a, b, c), (b, c, a), (c, a, b)][rng.integers(3)]
        for t in triangles:
            if u in t and v in t and w not in t:
                (z,) = set(t) - {u, v}
                if exact_side(points[w], points[u], points[z]) > 0 and exact_side(points[z], points[v], points[w]) > 0:
                    triangles -= {(a, b, c), t}
                    triangles |= {(w, u, z), (z, v, w)}
                break
    return triangulation_of(points, sorted(triangles))


@pytest.mark.parametrize("seed", range(3))
def test_triangulations_that_are_not_delaunay(seed):
    rng = np.random.default_rng(seed)
    for triangulation in (pinwheel(), flipped_at_random(rng.random((40, 2)), 400, rng)):
        points, simplex, _ = inner_points(triangulation, rng, 2000)
        assert (triangulation.find_simplex(points) == simplex).all()


def test_the_last_resort_looks_everywhere():
    triangulation, _, rng = random_case(2)
    points, simplex, _ = inner_points(triangulation, rng, 50)
    inner, limbs = triangulation.locator.inner, np.zeros(144, dtype=np.int64)
    for (x, y), t in zip(points, simplex, strict=True):
        for steps in (0, 100):
            found = point_location._wander(x, y, 0, inner.corners, inner.beyond, steps, limbs)
            assert (inner.triangles[found[0], 3], found[1]) == (t, point_location.INSIDE)
    x, y = 3.0, 4.0
    for steps in (0, 100):
        t, facet = point_location._wander(x, y, 0, inner.corners, inner.beyond, steps, limbs)
        assert inner.beyond[t, facet] < 0


def test_slivers_keep_their_digits():
    # Twice the area is 2^-52, but the products it is the difference of are 1: float weights would have no digit.
    tiny = 2.0**-52
    f = SimplicialInterpolant(triangulation_of([[0, 0], [2, 2], [1, 1 + tiny]], [[0, 1, 2]]), [0.0, 2.0, 5.0])
    assert (f(f.triangulation.points) == [0.0, 2.0, 5.0]).all()
    assert f([1.0, 1.0]) == 1.0
    assert f([0.5, 0.5 + tiny / 2]) == 2.5
    corners = f.triangulation.points
    for q in ([0.75, 0.75 + tiny / 4], [1.25, 1.25 + tiny], [1.5, 1.5], [0.7, 0.7 - 3 * tiny]):
        expected = [exact_area(*np.insert(np.delete(corners, i, 0), i, q, 0)) / exact_area(*corners) for i in range(3)]
        np.testing.assert_allclose(f.triangulation.barycentric(q, 0), np.array(expected, float), rtol=1e-15)


@pytest.mark.parametrize("e", [1e-12, 1e-14, 1e-15])
def test_near_collinear_points(e):
    # Peer failure 2, on the polyline's own triangles: fans between neighbours of a convex chain.
    rng = np.random.default_rng(0)
    x = np.sort(rng.random(50))
    y = x + e * (x - 0.5) ** 2 * 100
    points = np.stack([x, y], axis=1)
    chain = [i for i in range(50) if i in (0, 49) or exact_side(points[0], points[i], points[49]) != 0]
    fan = [[chain[0], b, c] for b, c in zip(chain[1:], chain[2:], strict=False)
           if exact_side(points[chain[0]], points[b], points[c]) > 0]  # fmt: skip
    used = sorted({v for t in fan for v in t})
    number = {v: i for i, v in enumerate(used)}
    simplices = np.array([[number[v] for v in t] for t in fan])
    neighbors = np.stack([np.full(len(fan), -1), np.arange(1, len(fan) + 1), np.arange(-1, len(fan) - 1)], axis=1)
    neighbors[-1, 1] = -1
    values = rng.normal(size=len(used))
    f = SimplicialInterpolant(Triangulation(points[used], simplices, neighbors), values)
    assert (f(points[used]) == values).all()


@pytest.mark.parametrize("thickness", [2.0**-52, 2.0**-49, 1e-12])
def test_a_simplex_at_the_hull_that_is_ulps_thin_hides_nothing(thickness):
    # Kuhn's six tetrahedra of a cube and a flat one on its top, two of whose corners are raised.
    cube = np.array([[i, j, k] for i in (0.0, 1.0) for j in (0.0, 1.0) for k in (0.0, 1.0)])
    cube[[3, 5], 2] += thickness
    simplices = [[0, 7, 1 << (2 - p), (1 << (2 - p)) | (1 << (2 - q))] for p, q in permutations(range(3), 2)]
    triangulation = triangulation_of(cube, [*simplices, [1, 3, 5, 7]])
    rng = np.random.default_rng(0)
    slopes = rng.normal(size=3)
    f = SimplicialInterpolant(triangulation, cube @ slopes, "nan")
    inside = rng.uniform(0.001, 0.999, (20000, 3))
    np.testing.assert_allclose(f(inside), inside @ slopes, atol=1e-13)
    assert (f(cube) == cube @ slopes).all()
    assert np.isnan(f(inside + np.array([0, 0, 1]))).all()


def test_far_from_the_origin_nothing_is_lost():
    # Peer failure 1: numbers that are exact at either place, 10^6 apart.
    rng = np.random.default_rng(0)
    near = rng.integers(0, 2**20, (300, 2)) / 2.0**20
    near = np.unique(near, axis=0)
    triangulation = triangulation_of(near)
    values = np.sin(20 * near[:, 0])
    far = Triangulation(near + 2.0**20, triangulation.simplices, triangulation.neighbors)
    points = rng.integers(0, 2**20, (2000, 2)) / 2.0**20
    for mode in ("linear", "nearest"):
        at_origin = SimplicialInterpolant(triangulation, values, mode)
        np.testing.assert_allclose(SimplicialInterpolant(far, values, mode)(points + 2.0**20), at_origin(points),
                                   rtol=0, atol=1e-13)  # fmt: skip


def test_a_rotated_grid_has_no_holes():
    # Peer failure 3: the triangles of a grid, turned by .3 rad.
    k = 30
    lattice = np.stack(np.meshgrid(np.arange(k), np.arange(k), indexing="ij"), axis=-1).reshape(-1, 2)
    corner = (np.arange(k - 1)[:, None] * k + np.arange(k - 1)).ravel()
    simplices = np.concatenate([np.stack([corner, corner + k, corner + k + 1], axis=1),
                                np.stack([corner, corner + k + 1, corner + 1], axis=1)])  # fmt: skip
    turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])
    triangulation = triangulation_of(0.1 * lattice @ turn, simplices)
    values = np.random.default_rng(0).normal(size=k * k)
    f = SimplicialInterpolant(triangulation, values, "nan")
    assert (f(triangulation.points) == values).all()
    inner = 0.1 * np.random.default_rng(1).uniform(0.001, k - 1.001, (5000, 2)) @ turn
    assert np.isfinite(f(inner)).all()


def test_near_copies_are_nodes_of_their_own():
    # Peer failure 5, with the copies in triangles of their own.
    rng = np.random.default_rng(0)
    coarse = triangulation_of(rng.random((40, 2)))
    a, b, c = coarse.simplices[0]
    copy = coarse.points[a] + 1e-12 * (coarse.points[[b, c]].mean(axis=0) - coarse.points[a])
    points = np.vstack([coarse.points, copy])
    simplices = np.vstack([coarse.simplices[1:], [[a, b, 40], [b, c, 40], [c, a, 40]]])
    values = rng.normal(size=41)
    f = SimplicialInterpolant(triangulation_of(points, simplices), values)
    assert (f(points) == values).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300, 1.7e308])
def test_any_scale(scale):
    f = SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0])
    g = SimplicialInterpolant(Triangulation(SQUARE.points * scale, SQUARE.simplices, SQUARE.neighbors), f.values)
    points = (
        1.2 * np.random.default_rng(0).random((200, 2)) - 0.1
        if scale < 1e308
        else np.random.default_rng(0).random((200, 2))
    )
    with np.errstate(all="raise"):
        np.testing.assert_allclose(g(points * scale), f(points), rtol=1e-12)
    np.testing.assert_allclose(g.gradient(points * scale) * scale, f.gradient(points), rtol=1e-12)


# -------------------------------------------------------------------------------------------------- extrapolation


def nearest_by_search(hull, q):
    """Nearest point of a polygon's border, edge by edge."""
    best = None
    for a, b in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        t = np.clip((q - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        p = a + t * (b - a)
        if best is None or np.linalg.norm(q - p) < np.linalg.norm(q - best):
            best = p
    return best


def test_nearest_takes_the_value_at_the_nearest_hull_point_in_the_plane():
    triangulation, values, rng = random_case(2)
    f, inner = SimplicialInterpolant(triangulation, values, "nearest"), SimplicialInterpolant(triangulation, values)
    hull = triangulation.points[triangulation.locator.inner.hull]
    points = 6 * rng.random((300, 2)) - 2.5
    points = points[triangulation.find_simplex(points) < 0]
    expected = [nearest_by_search(hull, q) for q in points]
    np.testing.assert_allclose(f(points), inner(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("d", [3, 4])
def test_nearest_in_space(d):
    triangulation, values, rng = random_case(d, n=20)
    f, inner = SimplicialInterpolant(triangulation, values, "nearest"), SimplicialInterpolant(triangulation, values)
    points = 4 * rng.random((60, d)) - 1.5
    points = points[triangulation.find_simplex(points) < 0]
    hull = triangulation.points[triangulation.locator.inner.hull]
    for q in points:
        # No hull point is on the query's side of the plane through the nearest one: it is the nearest.
        places = triangulation.locator.place(q[None])
        _, facet, weights, way = triangulation.locator.inner.nearest(places.z, places.found)
        nearest = weights[0] @ triangulation.points[facet[0]]
        assert ((hull - nearest) @ (q - nearest)).max() <= 1e-12
        np.testing.assert_allclose(way[0], q - nearest, atol=1e-14)
        assert f(q) == pytest.approx(inner(nearest), abs=1e-10)


@pytest.mark.parametrize("d", [2, 3])
def test_linear_continues_the_simplex_at_the_nearest_facet(d):
    triangulation, values, _ = random_case(d, n=20)
    f = SimplicialInterpolant(triangulation, values)
    inner = triangulation.locator.inner
    owners, opposite = np.nonzero(triangulation.neighbors < 0)
    for t, i in zip(owners, opposite, strict=True):
        facet = np.delete(triangulation.simplices[t], i)
        corners = triangulation.points[facet]
        normal = np.linalg.svd(corners[1:] - corners[0])[2][-1]
        normal *= -np.sign(normal @ (triangulation.points[triangulation.simplices[t, i]] - corners[0]))
        q = corners.mean(axis=0) + 0.7 * normal
        weights = triangulation.barycentric(q, t)
        assert f(q) == pytest.approx(weights @ values[triangulation.simplices[t]], abs=1e-9)
        np.testing.assert_allclose(f.gradient(q), inner.gradients(np.array([t]), values[:, None])[0, :, 0], rtol=1e-12)


def test_linear_at_a_corner_splits_the_outer_angle_in_halves():
    f = SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0])
    # Beyond the corner (1, 0), below and above its bisector: the bottom and the right edge belong to triangle 0.
    # Beyond (1, 1): the right edge to triangle 0, f = x + 2y; the top to triangle 1, f = 2x + y.
    assert f([1.3, 1.2]) == pytest.approx(1.3 + 2.4)
    assert f([1.2, 1.3]) == pytest.approx(2.4 + 1.3)


@pytest.mark.parametrize("d", [2, 3])
def test_the_gradient_of_nearest_is_the_limit_of_differences(d):
    triangulation, values, rng = random_case(d, n=20)
    f = SimplicialInterpolant(triangulation, values, "nearest")
    points = 4 * rng.random((60, d)) - 1.5
    points = points[triangulation.find_simplex(points) < 0]
    step = 1e-6
    differences = np.stack([(f(points + step * e) - f(points - step * e)) / (2 * step) for e in np.eye(d)], axis=1)
    close = np.abs(f.gradient(points) - differences).max(axis=1) < 1e-4
    assert close.mean() > 0.95, "but for those within the step of a border"


def test_nan_and_error():
    nan = SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0], "nan")
    assert np.isnan(nan([[2.0, 0.5], [0.5, 0.5]])).tolist() == [True, False]
    assert np.isnan(nan.gradient([[2.0, 0.5], [0.5, 0.5]])).tolist() == [[True, True], [False, False]]
    error = SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0], "error")
    assert error([[1.0, 0.5], [0.5, 0.5]]).shape == (2,)
    points = np.random.default_rng(0).random((500, 2))
    points[[77, 300]] += 2
    for call in (error, error.gradient):
        with pytest.raises(ValueError, match="2 of its points are outside, the first of them .*" + str(points[77, 0])):
            call(points)


def test_just_outside_is_outside_and_continuous():
    f = SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0])
    assert SQUARE.find_simplex([[1.0, 0.5], [np.nextafter(1, 2), 0.5]]).tolist() == [0, -1]
    assert f([np.nextafter(1, 2), 0.5]) == pytest.approx(2.0, rel=1e-15)


# ----------------------------------------------------------------------------------------- fewer dimensions, and more


def test_points_on_a_line_in_the_plane():
    # Peer failure 11: interpolated along the line, constant across it.
    line = Triangulation([[0, 0], [2, 2], [1, 1]], [[0, 2], [2, 1]], [[1, -1], [-1, 0]])
    f = SimplicialInterpolant(line, [0.0, 4.0, 1.0])
    assert f(line.points).tolist() == [0.0, 4.0, 1.0]
    np.testing.assert_allclose(f([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0], [1.5, 1.5], [3.0, 3.0]]), [0.5, 0.5, 0.5, 2.5, 7])
    np.testing.assert_allclose(f.gradient([1.5, 1.5]), [1.5, 1.5])
    assert line.find_simplex([[0.5, 0.5], [1.7, 1.7], [3.0, 3.0], [-1.0, 0.0]]).tolist() == [0, 1, -1, -1]
    g = SimplicialInterpolant(line, [0.0, 4.0, 1.0], "nearest")
    np.testing.assert_allclose(g([[9.0, 9.0], [-9.0, 3.0]]), [4.0, 0.0])


def test_a_plane_in_space():
    rng = np.random.default_rng(0)
    flat = triangulation_of(rng.random((30, 2)))
    across = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    points = flat.points @ across[:2] + 5 * across[2]
    simplices = flat.simplices.copy()
    simplices[::2] = simplices[::2, ::-1]
    f = SimplicialInterpolant(triangulation_of(points, simplices), flat.points @ [1.0, -2.0])
    assert (f(points) == flat.points @ [1.0, -2.0]).all()
    q = rng.random((50, 2)) * 2 - 0.5
    lifted = q @ across[:2] + rng.normal(size=(50, 1)) * across[2]
    np.testing.assert_allclose(f(lifted), q @ [1.0, -2.0], atol=1e-12)
    np.testing.assert_allclose(f.gradient(lifted), np.tile([1.0, -2.0] @ across[:2], (50, 1)), atol=1e-12)


def test_a_single_point_is_a_constant():
    f = SimplicialInterpolant(Triangulation([[3.0, 4.0]], [[0]], [[-1]]), [7.0])
    assert f([[3.0, 4.0], [1e300, -5.0]]).tolist() == [7.0, 7.0]
    assert f.gradient([0.0, 0.0]).tolist() == [0.0, 0.0]


def test_one_dimension():
    f = SimplicialInterpolant(
        Triangulation([[1.0], [0.0], [3.0]], [[1, 0], [0, 2]], [[1, -1], [-1, 0]]), [5.0, 1.0, 0.0]
    )
    assert f([[0.5], [1.0], [2.0], [4.0]]).tolist() == [3.0, 5.0, 2.5, -2.5]


# ------------------------------------------------------------------------------------------------------- the outside


@pytest.mark.parametrize("shape", [(2,), (0, 2), (3, 0, 2), (4, 3, 2)])
def test_any_shape(shape):
    f = SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0])
    x = np.full(shape, 0.5)
    assert np.shape(f(x)) == shape[:-1]
    assert f.gradient(x).shape == shape
    assert np.shape(SQUARE.find_simplex(x)) == shape[:-1]


@pytest.mark.parametrize(
    ("x", "error", "sentence"),
    [
        ([0.5], ValueError, r"x must have shape \(..., 2\), the coordinates last, but it has shape \(1,\)"),
        (0.5, ValueError, "x must have shape"),
        ([], ValueError, "x must have shape"),
        ([np.nan, 0.5], ValueError, "x must be finite"),
        ([np.inf, 0.5], ValueError, "x must be finite"),
        (["a", "b"], TypeError, "x must hold real numbers"),
        ([[1.0, 2.0], [1.0]], ValueError, "rectangular"),
        (None, ValueError, "x must be finite"),
    ],
)
def test_bad_points_are_refused_in_one_sentence(x, error, sentence):
    f = SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0])
    for call in (f, f.gradient, SQUARE.find_simplex, lambda x: SQUARE.barycentric(x, 0)):
        with pytest.raises(error, match=sentence):
            call(x)


def test_points_at_the_ends_of_float64():
    far = [[1.7e308, 1.7e308], [-1.7e308, 5e-324], [0.5, 1e300]]
    assert SQUARE.find_simplex(far).tolist() == [-1, -1, -1]
    f = SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0])
    with np.errstate(all="raise"):
        assert not np.isnan(f(far)).any()
    assert SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0], "nearest")(far).tolist() == [3.0, 0.0, 2.0]


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="needs a Triangulation, but got ndarray"):
        SimplicialInterpolant(np.zeros((3, 2)), [1, 2, 3])
    with pytest.raises(ValueError, match="one row for each of the 4 points"):
        SimplicialInterpolant(SQUARE, [1.0, 2.0])
    with pytest.raises(ValueError, match="extrapolate must be one of 'linear', 'nearest', 'nan', 'error'"):
        SimplicialInterpolant(SQUARE, np.zeros(4), "cubic")
    with pytest.raises(ValueError, match="at least one simplex"):
        SimplicialInterpolant(Triangulation([[0.0, 0.0]], np.zeros((0, 3)), np.zeros((0, 3))), [1.0])
    with pytest.raises(ValueError, match="simplex must hold numbers from 0 to 1"):
        SQUARE.barycentric([0.5, 0.5], -1)
    with pytest.raises(TypeError, match="simplex must hold integers"):
        SQUARE.barycentric([0.5, 0.5], 0.5)
    with pytest.raises(ValueError, match="one number for each point"):
        SQUARE.barycentric([0.5, 0.5], [0, 1])


def test_random_and_sorted_queries_agree_and_threads_too():
    triangulation, values, rng = random_case(2, n=500)
    f = SimplicialInterpolant(triangulation, values)
    points = rng.random((20000, 2))
    at_once = f(points)
    order = np.lexsort(points.T)
    assert (f(points[order]) == at_once[order]).all()
    assert [f(point) for point in points[:50]] == at_once[:50].tolist()
    with ThreadPoolExecutor(2) as pool:
        assert (np.concatenate(list(pool.map(f, np.array_split(points, 8)))) == at_once).all()


def test_queries_are_taken_bucket_by_bucket_unless_they_are_near_each_other():
    frame, shape = np.array([[0.0, 0.0], [40.0, 40.0]]), np.array([20, 20])
    points = np.random.default_rng(0).random((4000, 2))
    order = point_location.visits(points, frame, shape)
    assert sorted(order) == list(range(4000))
    # Row by row.
    cells = np.floor(20 * points[order]).astype(int) @ [20, 1]
    assert (np.diff(cells) >= 0).all()
    assert point_location.visits(points[order], frame, shape).size == 0
    picture = np.stack(np.meshgrid(np.linspace(0, 1, 50), np.linspace(0, 1, 50)), axis=-1).reshape(-1, 2)
    assert point_location.visits(picture, frame, shape).size == 0


def test_clusters_far_finer_than_buckets():
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, 2**10, (400, 2)) / 2.0**30 + 0.5
    points = np.unique(np.concatenate([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], cluster]), axis=0)
    # scipy's would drop most of the points.
    triangulation = triangulate(points)
    values = rng.normal(size=len(points))
    f = SimplicialInterpolant(triangulation, values, "nan")
    assert (f(points) == values).all()
    queries = rng.integers(0, 2**13, (5000, 2)) / 2.0**33 + 0.5
    for t, query in zip(triangulation.find_simplex(queries), queries, strict=True):
        assert holds(triangulation, t, query)


def test_a_pickle_leaves_the_cache_behind():
    f = SimplicialInterpolant(SQUARE, [0.0, 1.0, 3.0, 1.0])
    empty = len(pickle.dumps(Triangulation(SQUARE.points, SQUARE.simplices, SQUARE.neighbors)))
    f([0.5, 0.5])
    assert len(pickle.dumps(SQUARE)) == empty
    assert pickle.loads(pickle.dumps(f))([0.5, 0.25]) == f([0.5, 0.25])


def test_kernels_are_compiled_once():
    for d in (2, 3):
        triangulation, values, rng = random_case(d)
        f = SimplicialInterpolant(triangulation, values)
        for x in (rng.random((1000, d)), rng.random(d), np.asfortranarray(rng.random((9, d))), np.zeros((4, d), int)):
            f(x), f.gradient(x), triangulation.barycentric(x, np.zeros(x.shape[:-1], int))
    for kernel in (point_location.locate_in_plane, point_location.visits,
                   plane_interpolation.nearest_in_plane, plane_interpolation.gradients_in_plane,
                   plane_interpolation.weights_in_plane, space_interpolation.locate_in_space,
                   space_interpolation.weights_in_space, space_interpolation.nodes_of):  # fmt: skip
        assert len(kernel.signatures) <= 1, kernel
