"""The nearest triangulation against all triangulations, and against distances known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq
from tests.triangulation_problems import check_fine, grid, random_net, sets, squared_distance

SQUARE = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], dtype=float)


def test_the_diagonal_of_a_square_lies_along_the_kink():
    closest = rq.closest_triangulation(SQUARE, rq.ShallowReLU([[1.0, 1.0, 0.0]], [1.0]))
    assert (closest.l2, closest.gap, closest.optimal, closest.lp_integral) == (0.0, 0.0, True, True)
    assert {1, 2} in [set(facet) for t in closest.triangulation.simplices.tolist() for facet in (t[:2], t[1:], t[::2])]
    # The same with a point on the kink.
    centred = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1], [0, 0]], dtype=float)
    assert rq.closest_triangulation(centred, rq.ShallowReLU([[1.0, 1.0, 0.0]], [1.0])).l2 == 0.0


def test_distances_on_the_square_in_closed_form():
    across = rq.closest_triangulation(SQUARE, rq.ShallowReLU([[1.0, 0.0, 0.0]], [1.0]))
    assert across.l2**2 == pytest.approx(1 / 3, rel=1e-14)
    # Along the wrong diagonal the interpolant is 1 in the middle, where relu(x + y) is 0.
    wrong = next(t for t in rq.triangulations(SQUARE) if any({0, 3} < set(s) for s in t.simplices.tolist()))
    net = rq.ShallowReLU([[1.0, 1.0, 0.0]], [1.0])
    assert squared_distance(wrong, net, np.zeros(4)) == pytest.approx(2 / 3, rel=1e-14)


@pytest.mark.parametrize("name", [name for name in sets() if name not in ("close to a line", "tiny")])
@pytest.mark.parametrize("labelled", [False, True])
def test_no_triangulation_is_nearer(name, labelled):
    points = sets()[name]
    points = points - points.mean(axis=0)
    net = random_net(len(name))
    labels = np.random.default_rng(1).standard_normal(len(points)) if labelled else None
    closest = rq.closest_triangulation(points, net, labels=labels)
    check_fine(closest.triangulation, points)
    offsets = net(points) - labels if labelled else np.zeros(len(points))
    distances = [squared_distance(t, net, offsets) for t in rq.triangulations(points)]
    assert closest.optimal
    assert closest.l2**2 == pytest.approx(min(distances), rel=1e-11)
    assert squared_distance(closest.triangulation, net, offsets) == pytest.approx(min(distances), rel=1e-11)


@pytest.mark.parametrize("seed", range(6))
def test_no_triangulation_of_a_grid_is_nearer(seed):
    points, net = grid(3, 4) - [1.0, 1.5], random_net(seed, 10)
    closest = rq.closest_triangulation(points, net)
    distances = [squared_distance(t, net, np.zeros(12)) for t in rq.triangulations(points)]
    assert closest.l2**2 == pytest.approx(min(distances), rel=1e-11)
    assert max(distances) > 1.5 * min(distances)


@pytest.mark.parametrize(("n", "seed"), [(8, 444), (8, 492), (8, 799), (9, 33)])
def test_where_shares_of_triangles_would_be_nearer_the_minimum_is_still_proved(n, seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-1, 1, (n, 2))
    net = rq.ShallowReLU(rng.standard_normal((6, 3)), rng.standard_normal(6))
    labels = rng.standard_normal(n)
    closest = rq.closest_triangulation(points, net, labels=labels)
    distances = [squared_distance(t, net, net(points) - labels) for t in rq.triangulations(points)]
    assert (closest.lp_integral, closest.optimal) == (False, True)
    assert closest.l2**2 == pytest.approx(min(distances), rel=1e-11)


def test_fifty_points_and_the_distance_is_that_of_its_triangles():
    points, net = np.random.default_rng(0).uniform(-1, 1, (50, 2)), random_net(0, 20)
    closest = rq.closest_triangulation(points, net)
    check_fine(closest.triangulation, points)
    assert closest.optimal
    assert closest.gap <= 1e-6
    assert closest.l2**2 == pytest.approx(squared_distance(closest.triangulation, net, np.zeros(50)), rel=1e-12)


def test_units_of_points_and_labels_only_scale_the_distance():
    points, net = np.random.default_rng(2).uniform(-1, 1, (12, 2)), random_net(2)
    plain = rq.closest_triangulation(points, net)
    size, height = 2.0**-300, 2.0**600
    scaled = rq.ShallowReLU(net.W * [1 / size, 1 / size, 1.0], net.a * height)
    closest = rq.closest_triangulation(points * size, scaled)
    assert closest.l2 == pytest.approx(plain.l2 * size * height, rel=1e-12)
    np.testing.assert_array_equal(closest.triangulation.simplices, plain.triangulation.simplices)


def test_a_network_without_bias_has_its_kinks_through_the_origin():
    with_bias = rq.closest_triangulation(SQUARE, rq.ShallowReLU([[1.0, -1.0, 0.0]], [1.0]))
    without = rq.closest_triangulation(SQUARE, rq.ShallowReLU([[1.0, -1.0]], [[1.0]], bias=False))
    assert with_bias.l2 == without.l2 == 0.0


def test_without_time_there_still_is_a_triangulation():
    points = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    net = random_net(1, 20)
    hurried = rq.closest_triangulation(points, net, time_limit=1e-6)
    check_fine(hurried.triangulation, points)
    assert not hurried.optimal
    assert 0 < hurried.gap <= 1
    # Flips come close; any triangulation would not.
    least = rq.closest_triangulation(points, net).l2
    assert least <= hurried.l2 < 1.5 * least
    assert squared_distance(next(rq.triangulations(points)), net, np.zeros(60)) > (2 * least) ** 2


@pytest.mark.parametrize(
    ("points", "net", "options", "error", "message"),
    [
        ([[0, 0], [1, 1], [2, 2]], random_net(0), {}, ValueError, "not all on a line"),
        (
            SQUARE,
            rq.ShallowReLU([[1.0, 0.0]], [1.0]),
            {},
            ValueError,
            "two features and one output, but this one has 1",
        ),
        (SQUARE, np.sin, {}, TypeError, "takes a ShallowReLU, but got a ufunc"),
        (SQUARE, random_net(0), {"labels": [1.0, 2.0]}, ValueError, "one label for each of the 4 points, but got 2"),
        (SQUARE, random_net(0), {"time_limit": 0}, ValueError, "time_limit must be a finite number above 0"),
        (grid(15, 15), random_net(0), {}, ValueError, "at most 200 points"),
        (SQUARE * 1e200, rq.ShallowReLU([[1e200, 0, 0]], [1.0]), {}, ValueError, "finite values at the points"),
    ],
)
def test_other_things_are_refused(points, net, options, error, message):
    with pytest.raises(error, match=message):
        rq.closest_triangulation(points, net, **options)
