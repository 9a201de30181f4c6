"""The Delaunay interpolant in many dimensions, against a built triangulation and closed forms."""

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.spatial import Delaunay

from reluquant import LazyInterpolant
from reluquant.structures.hull_projection import nearest_in_hull


def random_case(d, n, rng=0):
    rng = np.random.default_rng(rng)
    points = rng.random((n, d))
    return points, rng.normal(size=n), rng


@pytest.mark.parametrize("d", [2, 3, 5])
def test_a_built_triangulation_agrees(d):
    points, values, rng = random_case(d, 40)
    built = Delaunay(points)
    f = LazyInterpolant(points, values)
    for q in rng.random((60, d)):
        found, t = f.simplex(q), built.find_simplex(q)
        assert found.inside == (t >= 0)
        if t >= 0:
            assert found.unique
            assert set(found.vertices) == set(built.simplices[t])
            np.testing.assert_allclose(found.weights @ points[found.vertices], q, atol=1e-14)
            assert f(q) == pytest.approx(found.weights @ values[found.vertices])


@pytest.mark.parametrize("d", [6, 12, 40])
def test_the_sphere_of_the_simplex_is_empty(d):
    points, values, rng = random_case(d, 2 * d)
    f = LazyInterpolant(points, values)
    for q in rng.dirichlet(np.ones(2 * d), 5) @ points:
        found = f.simplex(q)
        assert found.inside
        assert found.vertices.size == d + 1
        assert found.weights.min() > 0
        assert found.weights.sum() == pytest.approx(1)
        corners = points[found.vertices]
        centre = np.linalg.solve(2 * (corners[1:] - corners[0]), (corners[1:] ** 2 - corners[0] ** 2).sum(axis=1))
        assert np.linalg.norm(points - centre, axis=1).min() >= np.linalg.norm(corners[0] - centre) * (1 - 1e-9)


def test_the_guess_and_the_program_agree(monkeypatch):
    points, values, rng = random_case(10, 40)
    f = LazyInterpolant(points, values)
    queries = rng.dirichlet(np.ones(40), 10) @ points
    guessed = f(queries)
    monkeypatch.setattr("reluquant.structures.lazy_interpolant._from_below", lambda *_: None)
    np.testing.assert_allclose(f(queries), guessed, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("d", [2, 7, 30])
def test_the_label_at_every_node(d):
    points, values, _ = random_case(d, 2 * d + 5)
    for shifted in (points, points + 1e6):
        assert (LazyInterpolant(shifted, values)(shifted) == values).all()


@pytest.mark.parametrize("d", [3, 8, 20])
def test_affine_functions_are_reproduced_inside_and_outside(d):
    points, _, rng = random_case(d, 3 * d)
    slopes = rng.normal(size=(d, 2))
    f = LazyInterpolant(points, points @ slopes + 1)
    queries = np.vstack([rng.dirichlet(np.ones(3 * d), 5) @ points, rng.random((5, d)) * 3 - 1])
    np.testing.assert_allclose(f(queries), queries @ slopes + 1, atol=1e-9)
    np.testing.assert_allclose(f.gradient(queries), np.tile(slopes, (10, 1, 1)), atol=1e-9)


def test_the_gradient_is_the_limit_of_differences():
    points, values, rng = random_case(6, 30)
    f = LazyInterpolant(points, values)
    for q in rng.dirichlet(np.ones(30), 5) @ points:
        step = 1e-6
        differences = [(f(q + step * e) - f(q - step * e)) / (2 * step) for e in np.eye(6)]
        np.testing.assert_allclose(f.gradient(q), differences, rtol=1e-4, atol=1e-4)


def test_fewer_points_than_dimensions_are_interpolated_in_their_span():
    points, values, rng = random_case(50, 5)
    f = LazyInterpolant(points, values)
    weights = np.array([0.1, 0.2, 0.3, 0.15, 0.25])
    across = rng.normal(size=50)
    directions = np.linalg.qr((points[1:] - points[0]).T)[0]
    across -= directions @ (directions.T @ across)
    np.testing.assert_allclose(f([weights @ points, weights @ points + across]), weights @ values, atol=1e-12)
    assert LazyInterpolant(np.ones((1, 9)), [4.0])(np.zeros(9)) == 4.0


def test_outside():
    points, values, rng = random_case(7, 30)
    q = rng.random(7) + 1
    weights = nearest_in_hull(points, q)
    assert LazyInterpolant(points, values, "nearest")(q) == pytest.approx(weights @ values)
    assert np.isnan(LazyInterpolant(points, values, "nan")(q))
    assert np.isnan(LazyInterpolant(points, values, "nan").gradient(q)).all()
    for call in (LazyInterpolant(points, values, "error"), LazyInterpolant(points, values, "error").gradient):
        with pytest.raises(ValueError, match="x must lie in the hull of the data"):
            call(q)
    with pytest.raises(ValueError, match='outside the hull and extrapolate="nearest"'):
        LazyInterpolant(points, values, "nearest").gradient(q)


def test_ties_are_reported():
    cube = np.array(np.meshgrid(*[[0.0, 1.0]] * 6)).reshape(6, -1).T
    f = LazyInterpolant(cube, cube.sum(axis=1))
    found = f.simplex(np.full(6, 0.4))
    assert found.inside
    assert not found.unique
    assert found.sphere.size == 64
    assert f(np.full(6, 0.4)) == pytest.approx(2.4)
    np.testing.assert_allclose(f.gradient(np.full(6, 0.4)), np.ones(6))
    # On an edge the weights are those of its ends, whatever the triangulation.
    assert f.simplex(cube[0]).unique


@pytest.mark.parametrize("d", [2, 5, 30])
def test_nearest_in_hull_satisfies_its_optimality_conditions(d):
    points, _, rng = random_case(d, 3 * d)
    for q in rng.random((10, d)) * 3 - 1:
        weights = nearest_in_hull(points, q)
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1)
        nearest = weights @ points
        assert ((points - nearest) @ (q - nearest)).max() < 1e-12
        inside = linprog(np.zeros(3 * d), A_eq=np.vstack([points.T, np.ones(3 * d)]), b_eq=np.append(q, 1)).success
        assert (np.linalg.norm(nearest - q) < 1e-7) == inside


def test_bad_input_is_refused():
    f = LazyInterpolant(np.eye(7), np.arange(7.0))
    with pytest.raises(ValueError, match=r"x must have shape \(..., 7\)"):
        f([1.0, 2.0])
    with pytest.raises(ValueError, match="x must be finite"):
        f(np.full(7, np.nan))
    with pytest.raises(TypeError, match="x must hold real numbers"):
        f(["a"] * 7)
    with pytest.raises(ValueError, match="simplex takes one point"):
        f.simplex(np.zeros((2, 7)))
    with pytest.raises(ValueError, match="points and as many rows of values"):
        LazyInterpolant(np.eye(7), np.arange(6.0))
    with pytest.raises(ValueError, match="extrapolate must be one of"):
        LazyInterpolant(np.eye(7), np.arange(7.0), "cubic")
    assert f(np.zeros((0, 7))).shape == (0,)
