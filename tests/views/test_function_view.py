import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reluquant as rq
from reluquant.views import theme
from reluquant.views.function_view import AWAKE, DEAD, Window, data_view, kinks, mark_at, network_curve, window

WEIGHTS = st.lists(st.tuples(*[st.floats(-3, 3).map(lambda v: round(v, 2))] * 3), min_size=1, max_size=30)


@given(WEIGHTS)
def test_curve_is_the_network_also_where_kinks_coincide(rows):
    w, b, a = np.array(rows).T
    net = rq.ShallowReLU(np.column_stack([w, b]), a)
    x, y = network_curve(net, -2.0, 2.0)
    points = np.linspace(-2, 2, 201)
    # Cells of 4/190 hold at most two of their kinks, so thirty kinks are all there.
    np.testing.assert_allclose(np.interp(points, x, y), net(points), atol=1e-9)


def test_curve_of_ten_thousand_neurons_has_few_points():
    net = rq.ShallowReLU.balanced(n_neurons=10_000, scale=1.0, rng=0)
    x, y = network_curve(net, -2.0, 2.0)
    assert x.size <= 400
    points = np.linspace(-2, 2, 999)
    expected = net(points)
    assert np.abs(np.interp(points, x, y) - expected).max() < 1e-3 * np.ptp(expected)


def test_data_view_of_equal_inputs_uses_the_mean():
    view = data_view(rq.Dataset([0.0, 1.0, 1.0], [0.0, 1.0, 3.0]))
    np.testing.assert_allclose(view.interpolant_x, [0.0, 1.0])
    np.testing.assert_allclose(view.interpolant_y, [0.0, 2.0])
    assert view.x.size == 3


@pytest.mark.parametrize("x", [[0.0], [5.0, 5.0], [-1.0, 3.0], [1e90, 2e90]])
def test_window_holds_the_data(x):
    data = rq.Dataset(x, np.zeros(len(x)))
    shown = window(data)
    assert shown.left < shown.right
    assert shown.bottom < shown.top
    assert shown.holds(data.X[:, 0], data.y)
    assert not shown.holds(data.X[:, 0] + (shown.right - shown.left), data.y)


def test_kinks_of_one_place_are_one_mark_but_for_sign_and_holder():
    place = np.array([0.5, 0.5, 0.5, 0.5, -1.0])
    sign = np.array([1, 1, -1, 1, 1])
    held = np.array([-1, -1, -1, 2, -1])
    marks = kinks(place, np.log([1.0, 3.0, 2.0, 4.0, 1.0]), sign, held, -2.0, 2.0)
    found = {(x, s, h): size for x, s, h, size in zip(marks.x, marks.sign, marks.held, marks.size, strict=True)}
    assert found == pytest.approx(
        {(0.5, 1, False): 1.0, (0.5, -1, False): 0.5, (0.5, 1, True): 1.0, (-1.0, 1, False): 0.25}
    )


def test_kinks_outside_and_without_mass_are_left_out():
    marks = kinks(np.array([9.0, 0.0, np.inf]), np.array([0.0, -np.inf, 0.0]), np.ones(3), -np.ones(3), -1.0, 1.0)
    assert marks.x.size == 0


def test_thousands_of_kinks_are_few_marks():
    place = np.linspace(-1, 1, 10_000)
    marks = kinks(place, np.zeros(10_000), np.tile([1, -1], 5000), -np.ones(10_000, int), -1.0, 1.0)
    assert marks.x.size <= 250


def test_data_of_several_features_are_refused():
    with pytest.raises(ValueError, match="The function panel works for one input dimension so far"):
        data_view(rq.Dataset(np.eye(2), [0.0, 1.0]))


def test_every_neuron_knows_the_mark_that_stands_for_it():
    rng = np.random.default_rng(0)
    place, mass = rng.uniform(-1.2, 1.2, 2000), rng.uniform(0.5, 1.0, 2000)
    sign, state = rng.choice([1, -1], 2000), rng.choice([AWAKE, DEAD], 2000)
    held = np.where(rng.random(2000) < 0.1, 3, -1)
    place[held == 3] = 0.25
    marks = kinks(place, np.log(mass), sign, held, -1.0, 1.0, state)
    assert np.all(marks.mark_of[np.abs(place) > 1] == -1)
    assert np.unique(marks.mark_of).size == marks.x.size + 1 == 251
    for k in range(marks.x.size):
        mine = marks.mark_of == k
        assert np.average(place[mine], weights=mass[mine]) == pytest.approx(marks.x[k])
        assert set(sign[mine]) == {marks.sign[k]}
        assert set(state[mine]) == {marks.state[k]}
        assert np.all((held[mine] == 3) == marks.held[k])


def test_a_place_in_the_rug_stands_for_the_nearest_mark():
    shown, plot = Window(0.0, 10.0, 0.0, 1.0), (500.0, 300.0)
    place = np.array([2.0, 2.0, 5.0, 8.0])
    state = np.array([AWAKE, AWAKE, AWAKE, DEAD])
    marks = kinks(place, np.zeros(4), np.array([1, -1, 1, 1]), np.array([-1, -1, 0, -1]), 0.0, 10.0, state)

    def neuron(x, height):
        mark = mark_at(marks, shown, x, height, plot=plot)
        return np.flatnonzero(marks.mark_of == mark).tolist() if mark >= 0 else []

    line, lift = theme.RUG_LINE, theme.DIAMOND_LIFT
    # Two ticks at one place are told apart by their side.
    assert (neuron(2.1, line + 0.05), neuron(1.9, line - 0.05)) == ([0], [1])
    assert neuron(5.05, line + lift) == [2]
    assert neuron(8.0, line) == [3]
    # Eight pixels are near: 0.16 across, or 0.0267 upwards, of a cross, which has no height.
    assert (neuron(8.15, line), neuron(8.17, line)) == ([3], [])
    assert (neuron(8.0, line + 0.026), neuron(8.0, line + 0.028)) == ([3], [])
    assert neuron(2.0, 0.5) == []
    assert mark_at(kinks(*(np.zeros(0) for _ in range(4)), 0.0, 1.0), shown, 0.5, line, plot=plot) == -1
