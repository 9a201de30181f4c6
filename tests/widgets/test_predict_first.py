import numpy as np
import pytest
import traitlets as T
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from tests.widgets.conftest import DATA


@pytest.fixture
def game():
    made = rq.PredictFirst(DATA, n_neurons=40, scale=1e-3)
    made.wait(120)
    yield made
    made.close()


def labels(game):
    return {key.split("/")[1] for key in game.scene().table()}


def test_nothing_of_the_truth_is_there_before_it_is_asked_for(game):
    assert labels(game) == {"your prediction", "data"}
    assert game.score is None
    assert "Draw it" in game.status
    shown = {mark.get("colour") for row in game._view.scene["rows"] for panel in row for mark in panel["marks"]}
    assert "interpolant" not in shown
    assert len(game._scenes()) == 1
    game.play()
    game.wait(10)
    assert "network" not in labels(game)
    assert "Draw it" in game.to_html()


def test_a_prediction_is_dragged_nudged_drawn_and_typed(game):
    places = [x for x, _ in game.guess]
    assert set(DATA.X[:, 0]) <= set(places)
    game._heard({"event": "drag", "panel": "function", "name": "guess", "index": 2, "x": 99.0, "y": 0.5})
    assert game.guess[2] == (places[2], 0.5)
    game._heard({"event": "nudge", "panel": "function", "name": "guess", "index": 2, "dx": 0.3, "dy": 0.1})
    assert game.guess[2] == (places[2], pytest.approx(0.6))
    for x, y in zip(places, np.sin(places), strict=True):
        game._heard({"event": "stroke", "panel": "function", "x": x + 1e-3, "y": y})
    np.testing.assert_allclose([y for _, y in game.guess], np.sin(places), atol=2e-3)
    game._typed.text.value = "1 2; 0 1; -1 0"
    assert game.guess == ((-1.0, 0.0), (0.0, 1.0), (1.0, 2.0))
    assert game.error == ""


def test_running_shows_and_scores_by_exact_distance(game):
    truth = rq.piecewise_linear(game.trajectory.final)
    low, high = DATA.X.min(), DATA.X.max()
    knots = np.unique([low, high, *truth.knots[(truth.knots > low) & (truth.knots < high)]])
    game.guess = tuple(zip(knots.tolist(), truth(knots).tolist(), strict=True))
    game._run.click()
    game.wait(10)
    assert game.score == pytest.approx(1.0, abs=1e-6)
    assert {"network", "interpolant", "loss"} <= labels(game)
    assert game.status.startswith("Your score: 100 of 100")
    game.guess = ((low, 0.0), (high, 0.0))
    assert game.score == pytest.approx(0.0, abs=1e-12)
    game._hide.click()
    assert game.score is None
    assert labels(game) == {"your prediction", "data"}


def test_other_data_are_another_question(game):
    game.reveal()
    game._points.text.value = "0 1; 1 0; 2 1"
    game.wait(60)
    assert not game.revealed
    assert game.score is None
    assert {0.0, 1.0, 2.0} <= {x for x, _ in game.guess}


@pytest.mark.parametrize(
    ("typed", "words"), [("1 2", "two points or more"), ("0 1; 0 2", "different x"), ("a", "number")]
)
def test_nonsense_is_one_sentence_and_leaves_the_prediction(game, typed, words):
    before = game.guess
    game._typed.text.value = typed
    assert words in game.error
    assert game.guess == before
    game.reveal()
    assert game.error == ""


def test_data_that_cannot_be_asked_about_are_refused():
    before = set(instances)
    for data in (rq.Dataset([1.0], [1.0]), rq.Dataset(np.eye(2), [0.0, 1.0]), [1.0]):
        with pytest.raises((ValueError, TypeError), match="PredictFirst takes"):
            rq.PredictFirst(data)
    with pytest.raises(T.TraitError):
        rq.PredictFirst(DATA, scale=-1.0)
    assert set(instances) <= before


def test_reset_and_text_form(game):
    game.reveal()
    game.guess = ((0.0, 1.0), (1.0, 1.0))
    game.reset()
    game.wait(60)
    assert not game.revealed
    assert {y for _, y in game.guess} == {0.0}
    assert repr(game) == "PredictFirst(n_samples=5, n_neurons=40, scale=0.001, seed=0)"
