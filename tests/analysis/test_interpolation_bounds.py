"""Bounds of interpolation errors: that they hold, when they are attained, and their constants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.spatial import Delaunay

from reluquant import ShallowReLU, interpolation_bounds
from reluquant.analysis.interpolation_bounds import smallest_balls
from reluquant.structures.triangulation import Triangulation
from tests.strategies import seeds


def delaunay(points):
    found = Delaunay(points)
    return Triangulation(points, found.simplices, found.neighbors)


def on_line(x):
    n = len(x) - 1
    simplices = np.column_stack([np.arange(n), np.arange(1, n + 1)])
    neighbors = np.column_stack([np.r_[np.arange(1, n), -1], np.arange(-1, n - 1)])
    return Triangulation(np.reshape(x, (-1, 1)), simplices, neighbors)


def errors(f, triangulation, rng, n=400):
    """Errors of the interpolant at random points of each simplex, by barycentric sums."""
    weights = rng.dirichlet(np.ones(triangulation.dimension + 1), n)
    corners = triangulation.points[triangulation.simplices]
    at = weights @ corners
    interpolated = f(triangulation.points)[triangulation.simplices] @ weights.T
    return np.abs(f(at.reshape(-1, at.shape[2])).reshape(interpolated.shape) - interpolated).max(axis=1)


@settings(max_examples=40)
@given(seeds, st.integers(1, 4), st.integers(0, 12))
def test_every_bound_holds_at_random_points(seed, d, n_neurons):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (d + 6, d))
    triangulation = on_line(np.sort(points[:, 0])) if d == 1 else delaunay(points)
    net = ShallowReLU(rng.standard_normal((n_neurons, d + 1)), rng.standard_normal(n_neurons))
    bounds = interpolation_bounds(net, triangulation)
    seen = errors(net, triangulation, rng)
    assert (seen <= bounds.relu + 1e-12).all()
    assert (seen <= bounds.lipschitz + 1e-12).all()
    if d <= 2:
        assert (seen <= bounds.measured + 1e-12).all()
        assert bounds.holds == {"relu": True, "lipschitz": True}
        assert bounds.largest["measured"] == bounds.measured.max()
    else:
        assert bounds.measured is None
        assert bounds.holds == {}


@settings(max_examples=60)
@given(seeds, st.integers(1, 2))
def test_one_neuron_attains_its_bound(seed, d):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (7, d))
    triangulation = on_line(np.sort(points[:, 0])) if d == 1 else delaunay(points)
    net = ShallowReLU([[*rng.standard_normal(d), 0.1]], [rng.standard_normal()])
    bounds = interpolation_bounds(net, triangulation)
    np.testing.assert_allclose(bounds.measured, bounds.relu, rtol=1e-10, atol=1e-14)


def test_neurons_of_both_signs_work_against_each_other():
    triangulation = on_line([-1.0, 1.0])
    bounds = interpolation_bounds(ShallowReLU([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]], [2.0, -3.0, 2.0]), triangulation)
    assert bounds.relu.tolist() == [2.0]
    assert bounds.measured.tolist() == [0.5]


def test_golden_values():
    square = Triangulation([[-1, -1], [1, -1], [1, 1], [-1, 1]], [[0, 1, 2], [0, 2, 3]], [[-1, 1, -1], [-1, -1, 0]])
    along = Triangulation([[-1, -1], [1, -1], [1, 1], [-1, 1]], [[0, 1, 3], [1, 2, 3]], [[1, -1, -1], [-1, 0, -1]])
    diagonal, straight = ShallowReLU([[1.0, 1.0, 0.0]], [1.0]), ShallowReLU([[1.0, 0.0, 0.0]], [1.0])
    found = interpolation_bounds(diagonal, square).largest
    assert found == pytest.approx({"relu": 1.0, "lipschitz": 2.0, "measured": 1.0}, rel=1e-15)
    assert interpolation_bounds(diagonal, along).largest["relu"] == 0.0
    assert interpolation_bounds(straight, along).largest["relu"] == 0.5
    line = interpolation_bounds(ShallowReLU([[1.0, 0.0]], [1.0]), on_line([-1.0, 1.0]))
    assert line.largest == {"relu": 0.5, "lipschitz": 1.0, "measured": 0.5}


@settings(max_examples=30)
@given(seeds, st.integers(1, 4))
def test_curvature_bounds_quadratic_functions_and_is_attained_on_the_line(seed, d):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (d + 4, d))
    triangulation = on_line(np.sort(points[:, 0])) if d == 1 else delaunay(points)
    bounds = interpolation_bounds(None, triangulation, curvature=2.0, lipschitz=2 * np.sqrt(d))
    seen = errors(lambda x: (x**2).sum(axis=1), triangulation, rng)
    assert (seen <= bounds.curvature + 1e-12).all()
    assert (seen <= bounds.lipschitz + 1e-12).all()
    assert (bounds.measured, bounds.relu, bounds.holds) == (None, None, {})
    if d == 1:
        h = np.diff(np.sort(points[:, 0]))
        np.testing.assert_allclose(bounds.curvature, 2.0 * h**2 / 8, rtol=1e-13)
        np.testing.assert_allclose(bounds.lipschitz, 2.0 * h / 2, rtol=1e-13)


@settings(max_examples=25)
@given(seeds, st.integers(2, 4), st.booleans())
def test_smallest_balls_are_those_of_an_optimiser(seed, d, flat):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (d + 1, d))
    if flat:
        points[:, -1] *= 1e-9
    radius = smallest_balls(points, np.arange(d + 1)[None])[0]
    # The smallest r with |p - c| <= r for all corners.
    best = minimize(
        lambda c: c[-1], [*points.mean(axis=0), 2.0], jac=lambda c: np.eye(d + 1)[-1], method="SLSQP", tol=1e-12,
        constraints={"type": "ineq", "fun": lambda c: c[-1] ** 2 - ((points - c[:-1]) ** 2).sum(axis=1)},
    )  # fmt: skip
    assert radius == pytest.approx(best.x[-1], rel=1e-5)


def test_known_balls():
    right = [[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]
    obtuse = [[0.0, 0.0], [10.0, 0.0], [5.0, 1.0]]
    equal = [[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]]
    needle = [[0.0, 0.0], [1.0, 0.0], [0.5, 1e-200]]
    for corners, radius in ((right, 2.5), (obtuse, 5.0), (equal, 1 / np.sqrt(3)), (needle, 0.5)):
        assert smallest_balls(np.array(corners), np.array([[0, 1, 2]]))[0] == pytest.approx(radius, rel=1e-14)
    assert smallest_balls(np.array(right) * 1e-3 + 1e6, np.array([[0, 1, 2]]))[0] == pytest.approx(2.5e-3, rel=1e-6)


def test_a_given_lipschitz_constant_replaces_the_network_s():
    net = ShallowReLU([[1.0, 0.0]], [1.0])
    bounds = interpolation_bounds(net, on_line([-1.0, 1.0]), lipschitz=0.25)
    assert bounds.lipschitz.tolist() == [0.25]
    assert bounds.holds == {"relu": True, "lipschitz": False}
    assert repr(bounds) == "InterpolationBounds(relu=0.5, lipschitz=0.25, measured=0.5)"


def test_points_on_a_line_in_the_plane_are_bounded_but_not_measured():
    line = Triangulation([[0.0, 0.0], [2.0, 2.0]], [[0, 1]], [[-1, -1]])
    bounds = interpolation_bounds(ShallowReLU([[1.0, 0.0, -1.0]], [1.0]), line)
    assert bounds.relu.tolist() == [0.5]
    assert bounds.measured is None


NET = ShallowReLU([[1.0, 0.0]], [1.0])


@pytest.mark.parametrize(("arguments", "options", "error", "sentence"), [
    ((NET, "points"), {}, TypeError, "needs a Triangulation, but got str"),
    (("net", on_line([0.0, 1.0])), {}, TypeError, "needs a ShallowReLU, or None"),
    ((None, on_line([0.0, 1.0])), {}, ValueError, "Nothing is known of the function"),
    ((ShallowReLU([[1.0, 0.0, 0.0]], [1.0]), on_line([0.0, 1.0])), {}, ValueError, "2 features, but the points"),
    ((ShallowReLU([[1.0, 0.0]], [[1.0, 2.0]]), on_line([0.0, 1.0])), {}, ValueError, "one output so far"),
    ((NET, on_line([0.0, 1.0])), {"lipschitz": -1}, ValueError, "lipschitz"),
    ((NET, on_line([0.0, 1.0])), {"curvature": np.inf}, ValueError, "curvature"),
])  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(arguments, options, error, sentence):
    with pytest.raises(error, match=sentence):
        interpolation_bounds(*arguments, **options)
