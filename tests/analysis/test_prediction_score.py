import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.prediction_score import drawn_function, prediction_score

NET = rq.ShallowReLU([[1.0, 0.0], [-1.0, 0.0]], [1.0, 1.0])
DATA = rq.Dataset([-1.0, 0.0, 2.0], [1.0, 0.5, 2.0])


def test_distances_are_those_of_the_closed_form():
    # The network is |x|; the prediction 1: sup 1 at 0 and at 2, L2² = ∫₋₁² (1 − |x|)² = 1/3 + 2/3.
    found = prediction_score(drawn_function([2.0, -1.0], [1.0, 1.0]), NET, DATA)
    assert found.prediction.sup == pytest.approx(1.0)
    assert found.prediction.l2 == pytest.approx(1.0)
    # The zero function: ∫ x² = 3.
    assert found.zero.l2 == pytest.approx(np.sqrt(3.0))
    assert found.score == pytest.approx(1 - 1 / np.sqrt(3.0))
    # The interpolant is 0.5 above the network at 0, and meets it at -1 and 2: L2² = 0.25 · 3 / 3.
    assert found.interpolant.l2 == pytest.approx(0.5)


def test_the_network_itself_is_perfect_and_its_mirror_is_worse_than_nothing():
    x = [-1.0, 0.0, 2.0]
    assert prediction_score(drawn_function(x, np.abs(x)), NET, DATA).score == pytest.approx(1.0)
    assert prediction_score(drawn_function(x, -np.abs(x)), NET, DATA).score == pytest.approx(-1.0)


def test_a_zero_network_has_no_score():
    net = rq.ShallowReLU([[1.0, 0.0]], [0.0])
    assert np.isnan(prediction_score(drawn_function([0.0, 1.0], [0.0, 0.0]), net, DATA).score)


def test_a_drawn_function_passes_through_its_points_and_goes_straight_on():
    f = drawn_function([1.0, 0.0, 3.0], [2.0, 0.0, 2.0])
    np.testing.assert_allclose(f([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0]), [-2.0, 0.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    np.testing.assert_array_equal(f.breakpoints, [1.0])


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [([1.0], [1.0], "two points or more"), ([1.0, 1.0], [0.0, 1.0], "different x"), ([0, 1], [1], "2 x")],
)
def test_what_is_no_function_is_refused(x, y, words):
    with pytest.raises(ValueError, match=words):
        drawn_function(x, y)


def test_one_input_cannot_be_scored():
    with pytest.raises(ValueError, match="add a point at another x"):
        prediction_score(drawn_function([0.0, 1.0], [0.0, 0.0]), NET, rq.Dataset([0.5], [1.0]))
