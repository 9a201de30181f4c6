import math

import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.prediction_score import drawn_function, prediction_score
from reluquant.views.frames import flow_frame, window
from reluquant.views.prediction_scene import ASK, guess_places, prediction_scene, score_in_words
from reluquant.views.scene import Dots


@pytest.fixture(scope="module")
def guess(run):
    x = guess_places(run.data, window(run.data))
    return x, np.interp(x, run.data.X[:, 0], run.data.y)


def test_control_points_lie_at_every_input_and_at_round_places_between(run):
    shown = window(run.data)
    places = guess_places(run.data, shown)
    assert set(run.data.X[:, 0]) <= set(places)
    assert np.all(np.diff(places) > (shown.right - shown.left) / 12 / 3)
    assert places[0] == pytest.approx(shown.left, abs=1e-3)
    assert places[-1] == pytest.approx(shown.right, abs=1e-3)
    assert np.all(np.round(places, 3) == places)


def test_nothing_of_the_truth_is_seen_before_the_run_is_revealed(run, guess):
    scene = prediction_scene(run.data, *guess, window(run.data))
    assert [panel.name for panel in scene.panels()] == ["function"]
    assert set(scene.legend()) == {"your prediction", "data"}
    assert scene.sentence == ASK
    table = scene.table()
    np.testing.assert_array_equal(table["function/your prediction/x"], guess[0])
    np.testing.assert_array_equal(table["function/your prediction/y"], guess[1])
    (points,) = [m for m in scene.panel("function").marks if isinstance(m, Dots) and m.name == "guess"]
    assert points.movable
    assert len(points.titles) == guess[0].size


def test_the_network_is_that_of_the_moment(run, guess):
    for t in (0.0, 5.0, math.inf):
        table = prediction_scene(run.data, *guess, window(run.data), trajectory=run, t=t).table()
        x = table["function/network/x"]
        net = run.at(min(t, float(run.t[-1])))
        np.testing.assert_allclose(table["function/network/y"], net(x), atol=1e-9)
        x = table["function/interpolant/x"]
        np.testing.assert_allclose(table["function/interpolant/y"], rq.interpolate(run.data)(x))
        # The play head lies on the curve of the loss.
        loss = flow_frame(run, t).loss
        assert np.min(np.abs(table["loss/loss/y"] - loss)) < 0.02 * run.loss[0]


def test_the_largest_gap_is_where_the_score_says_it_is(run, guess):
    score = prediction_score(drawn_function(*guess), run.final, run.data)
    shown = window(run.data)
    scene = prediction_scene(run.data, *guess, shown, trajectory=run, score=score)
    table = scene.table()
    place = float(score.prediction.sup_at)
    np.testing.assert_allclose(table["function/largest gap/x"], place)
    expected = [np.interp(place, *guess), run.final(np.array([place]))[0]]
    np.testing.assert_allclose(table["function/largest gap/y"], expected)
    assert abs(np.diff(expected)[0]) == pytest.approx(score.prediction.sup)
    assert f"{100 * score.score:.0f} of 100" in scene.sentence
    # It is a gap to the end of the run, and of no other moment.
    early = prediction_scene(run.data, *guess, shown, trajectory=run, t=5.0, score=score)
    assert "function/largest gap/x" not in early.table()


def test_words_say_which_of_two_functions_is_nearer(run):
    inputs = run.data.X[:, 0]
    near, flat = drawn_function(inputs, run.final(inputs)), drawn_function(inputs, np.zeros(inputs.size))
    for drawn in (near, flat):
        score = prediction_score(drawn, run.final, run.data)
        closer = score.prediction.l2 < score.interpolant.l2
        assert (", closer than linear interpolation" in score_in_words(score)) == closer
        assert (", not as close as linear interpolation" in score_in_words(score)) == (not closer)
    assert "has no score" in score_in_words(None)
