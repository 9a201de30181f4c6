import numpy as np
import pytest

from reluquant import DeepReLU, ShallowReLU, piecewise_linear
from reluquant.analysis.slice_frame import slice_frame

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((3, 7))


def test_places_in_the_plane_are_as_far_apart_as_in_space():
    frame = slice_frame(POINTS)
    np.testing.assert_allclose(frame.axes @ frame.axes.T, np.eye(2), atol=1e-15)
    np.testing.assert_allclose(frame.point(frame.corners), POINTS, atol=1e-14)
    places = RNG.standard_normal((5, 2))
    space = frame.point(places)
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=1)
    np.testing.assert_allclose(np.linalg.norm(np.diff(space, axis=0), axis=1), lengths)


def test_a_point_off_the_plane_has_a_foot_and_a_distance():
    frame = slice_frame(POINTS)
    others = RNG.standard_normal((9000, 7))
    places, away = frame.place(others)
    step = others - frame.point(places)
    np.testing.assert_allclose(step @ frame.axes.T, 0, atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(step, axis=1), away)
    np.testing.assert_allclose(frame.place(POINTS)[1], 0, atol=1e-14)


def test_shares_and_mixtures_are_barycentric():
    frame = slice_frame(POINTS)
    np.testing.assert_allclose(frame.shares(frame.mixture(0.3, 0.6)), [0.1, 0.3, 0.6], atol=1e-14)
    np.testing.assert_allclose(frame.point(frame.mixture(0.3, 0.6)[None])[0], [0.1, 0.3, 0.6] @ POINTS, atol=1e-14)


@pytest.mark.parametrize(
    "net",
    [
        ShallowReLU(RNG.standard_normal((6, 8)), RNG.standard_normal((6, 2))),
        ShallowReLU(RNG.standard_normal((6, 7)), RNG.standard_normal(6), bias=False),
        DeepReLU([RNG.normal(size=(5, 7)), RNG.normal(size=(3, 5))], [RNG.normal(size=5), RNG.normal(size=3)]),
    ],
)
def test_the_network_on_the_plane_is_the_network(net):
    frame = slice_frame(POINTS)
    places = 3 * RNG.standard_normal((50, 2))
    expected = net(frame.point(places)).reshape(50, -1)
    plane = frame.restricted(net)
    np.testing.assert_allclose(plane(places).reshape(50, -1), expected, atol=1e-12)
    np.testing.assert_allclose(frame.restricted(net, 2.0)(places).reshape(50, -1), expected + 2.0, atol=1e-12)


def test_its_pieces_are_those_of_the_window_in_space():
    net = DeepReLU([RNG.standard_normal((20, 7)), RNG.standard_normal((1, 20))], [RNG.standard_normal(20), [0.3]])
    frame = slice_frame(POINTS)
    mine = piecewise_linear(frame.restricted(net), window=([-2.0, -2.0], [4.0, 0.0], [0.0, 4.0]))
    corner = frame.point([[-2.0, -2.0]])[0]
    other = piecewise_linear(net, window=(corner, 4 * frame.axes[0], 4 * frame.axes[1]))
    assert mine.n_regions == other.n_regions > 20
    np.testing.assert_allclose(mine.vertices, other.vertices, atol=1e-12)
    np.testing.assert_array_equal(mine.patterns, other.patterns)


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        ([[0, 0], [0, 0], [1, 1]], "first and second are equal"),
        ([[0, 0], [1, 1], [0, 0]], "first and third are equal"),
        ([[1, 1], [0, 0], [0, 0]], "second and third are equal"),
        ([[5, 5], [5, 5], [5, 5]], "first and second are equal"),
        ([[0, 0], [1, 1], [3, 3]], "first, second and third lie on a line"),
        ([[0.1, 0.2, 0.3], [0.2, 0.4, 0.6], [0.7, 1.4, 2.1]], "lie on a line"),
        ([[0], [1], [2]], "at least two features"),
        ([[1e308, 0], [-1e308, 0], [0, 1e308]], "too far apart"),
    ],
)
def test_points_without_a_plane_are_named(points, sentence):
    with pytest.raises(ValueError, match=sentence):
        slice_frame(np.array(points, dtype=float), ("first", "second", "third"))
