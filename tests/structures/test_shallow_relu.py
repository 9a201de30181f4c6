import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant import ShallowReLU

number = st.floats(-10, 10)


@given(st.lists(st.tuples(number, number, number, number), min_size=1, max_size=6), st.lists(number, max_size=5))
def test_value_is_the_sum_over_neurons(rows, places):
    rows = np.array(rows)
    net = ShallowReLU(rows[:, :2], rows[:, 2:])
    for x, value in zip(places, net(places), strict=True):
        expected = [sum(a * max(w * x + b, 0.0) for w, b, a in rows[:, [0, 1, 2 + k]]) for k in (0, 1)]
        np.testing.assert_allclose(value, expected, atol=1e-11)


@pytest.mark.parametrize(
    ("n_features", "x", "shape"),
    [
        (1, 0.5, ()),
        (1, [0.5, 1.0], (2,)),
        (1, [], (0,)),
        (1, [[0.5], [1.0], [2.0]], (3,)),
        (3, np.ones((4, 3)), (4,)),
    ],
)
def test_shapes(n_features, x, shape):
    net = ShallowReLU.gaussian(n_features=n_features, n_neurons=2, rng=0)
    assert net(x).shape == shape
    assert ShallowReLU(net.W, np.ones((2, 5)))(x).shape == (*shape, 5)


def test_no_neurons():
    assert ShallowReLU(np.zeros((0, 2)), np.zeros(0))([1.0, 2.0]).tolist() == [0.0, 0.0]


def test_without_bias():
    net = ShallowReLU([[2.0], [-1.0]], [1.0, 3.0], bias=False)
    assert net([1.0, -1.0]).tolist() == [2.0, 3.0]
    assert (net.n_features, net.n_neurons) == (1, 2)


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (0.5, r"x must have shape \(n_points, 2\) for a network of 2 features, but it has shape \(\)"),
        # Four numbers are not silently two points.
        ([1.0, 2.0, 3.0, 4.0], r"but it has shape \(4,\)"),
        (np.ones((2, 3)), r"but it has shape \(2, 3\)"),
        (np.ones((2, 2, 2)), "dimensional"),
        ([[1.0, np.nan]], "x must be finite"),
    ],
)
def test_points_of_another_shape_are_refused(x, sentence):
    with pytest.raises(ValueError, match=sentence):
        ShallowReLU.gaussian(n_features=2, n_neurons=2, rng=0)(x)


@pytest.mark.parametrize(
    ("W", "a", "error", "sentence"),
    [
        (np.ones((2, 2)), np.ones(3), ValueError, "one row per neuron, but W has 2 rows and a has 3"),
        (np.ones(2), np.ones(2), ValueError, "W must be 2-dimensional"),
        (np.ones((2, 1)), np.ones(2), ValueError, r"n_features \+ 1 columns"),
        (np.ones((2, 2)), [1.0, np.inf], ValueError, "a must be finite"),
        ([["a", "b"]], [1.0], TypeError, "W must hold real numbers"),
    ],
)
def test_bad_weights_are_refused(W, a, error, sentence):
    with pytest.raises(error, match=sentence):
        ShallowReLU(W, a)


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e-160, 1.0, 1e160, 1e300])
def test_norms_neither_underflow_nor_overflow(scale):
    net = ShallowReLU(scale * np.array([[3.0, -4.0], [0.0, 0.0], [-2.0, 0.0]]), np.ones(3))
    np.testing.assert_allclose(net.norms / scale, [5.0, 0.0, 2.0], rtol=1e-15)


def test_a_norm_beyond_float64_is_infinite():
    assert ShallowReLU([[1.7e308, 1.7e308]], [1.0]).norms.tolist() == [math.inf]


def test_norms_of_one_column_are_not_negative():
    assert ShallowReLU([[-3.0], [2.0]], [1.0, 1.0], bias=False).norms.tolist() == [3.0, 2.0]


@pytest.mark.parametrize("draw", [ShallowReLU.balanced, ShallowReLU.gaussian])
def test_draws_have_the_asked_shape_and_follow_the_seed(draw):
    net = draw(n_features=3, n_neurons=7, scale=1e-3, rng=5)
    assert (net.W.shape, net.a.shape) == ((7, 4), (7,))
    assert draw(n_features=3, n_neurons=7, bias=False, rng=5).W.shape == (7, 3)
    assert net.W.tolist() == draw(n_features=3, n_neurons=7, scale=1e-3, rng=np.random.default_rng(5)).W.tolist()


@pytest.mark.parametrize("scale", [1e-300, 1e-6, 1e6])
def test_balanced_draws_are_balanced_at_every_scale(scale):
    net = ShallowReLU.balanced(n_features=2, n_neurons=500, scale=scale, rng=0)
    np.testing.assert_allclose(np.abs(net.a), net.norms, rtol=1e-14)
    assert 0.5 * scale <= net.norms.min() < net.norms.max() <= 1.5 * scale * (1 + 1e-15)
    assert 200 < np.sum(net.a > 0) < 300


def test_gaussian_draws_have_the_asked_deviation():
    net = ShallowReLU.gaussian(n_neurons=20_000, scale=0.1, rng=0)
    assert np.std(net.W) == pytest.approx(0.1, rel=0.02)
    assert np.std(net.a) == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"n_neurons": 0}, ValueError, "n_neurons must be an integer from 1 to 1000000000, but it is 0"),
        ({"n_neurons": 10**30}, ValueError, "n_neurons must be an integer from 1 to"),
        ({"n_neurons": True}, TypeError, "n_neurons must be an integer"),
        ({"n_features": 1.5}, TypeError, "n_features must be an integer from 1 to 1000000, but it is 1.5"),
        ({"scale": 0.0}, ValueError, r"of at least 1e-300 and at most 1e\+300, but it is 0.0"),
        ({"scale": 1e-312}, ValueError, "scale must be a finite number"),
        ({"scale": math.inf}, ValueError, "scale must be a finite number"),
        ({"scale": 10**400}, ValueError, "scale must be a finite number"),
        ({"scale": "small"}, TypeError, "scale must be a finite number"),
        ({"scale": np.complex128(1)}, TypeError, "scale must be a finite number"),
        ({"rng": -1}, ValueError, "rng must be an integer of at least 0, but it is -1"),
        ({"rng": "seed"}, TypeError, "rng must be an integer seed, a numpy.random.Generator or None"),
        ({"rng": True}, TypeError, "rng must be an integer seed"),
    ],
)
@pytest.mark.parametrize("draw", [ShallowReLU.balanced, ShallowReLU.gaussian])
def test_bad_draws_are_refused(draw, arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        draw(**arguments)


def test_it_is_immutable_and_holds_copies():
    W = np.ones((1, 2))
    net = ShallowReLU(W, [1.0])
    W[0, 0] = 7.0
    assert net.W[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        net.a[0] = 2.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.W = W


def test_repr_is_short():
    assert repr(ShallowReLU([[1.0, 0.0]], [1.0])) == "ShallowReLU(n_neurons=1, n_features=1)"
