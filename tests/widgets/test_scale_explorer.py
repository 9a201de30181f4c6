import numpy as np
import pytest
import traitlets as T
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from reluquant.studies.scale_runs import contrast_run, scale_run
from reluquant.views.scale_scene import nearest, scale_in_words, unstretched
from reluquant.views.sentences import number
from reluquant.widgets.scale_explorer import GRID

DATA = rq.datasets.three_points()


@pytest.fixture(scope="module")
def explorer():
    made = rq.ScaleExplorer(DATA, n_neurons=40)
    made.wait(250)
    yield made
    made.close()


def test_all_scales_are_there_and_the_cursor_chooses(explorer):
    assert sorted(run.log10_scale for run in explorer.runs) == pytest.approx(GRID)
    for log_scale in (-100.0, -30.0, 1.0):
        explorer.log_scale = log_scale
        explorer.wait(20)
        run = nearest(explorer.runs, log_scale)
        table = explorer.scene().table()
        expected = run.trajectory.final(table["function/network/x"])
        np.testing.assert_allclose(table["function/network/y"], expected, atol=1e-9)
        assert explorer._typed.value == f"{10.0**log_scale:.4g}"
        assert explorer.status.startswith("Condensed" if log_scale < -1 else "Lazy")


def test_measures_are_those_of_the_run(explorer):
    run = nearest(explorer.runs, -6.0)
    again = scale_run(DATA, run.log10_scale, n_neurons=40, seed=0)
    assert (again.n_directions, again.sup) == (run.n_directions, pytest.approx(run.sup, rel=1e-9))
    found = rq.compare(run.trajectory.final, rq.interpolate(DATA))
    assert run.sup == pytest.approx(found.sup)
    assert f"at most {number(run.sup)} from the interpolant" in scale_in_words(run)
    # Condensed runs keep few directions, lazy ones many; where the end does not depend on the scale, the relative
    # change of the weights is in inverse proportion to it, and in the lazy limit to its square, less in between.
    ordered = sorted(explorer.runs, key=lambda r: r.log10_scale)
    assert ordered[0].n_directions < 6 < ordered[-1].n_directions
    fall = np.diff([r.log10_rd for r in ordered])
    np.testing.assert_allclose(fall[:10], -8.0, atol=1e-6)
    np.testing.assert_allclose(fall[-2:], -0.5, atol=0.01)


def test_a_click_on_a_measure_moves_the_cursor(explorer):
    explorer._heard({"event": "click", "panel": "count", "x": -2.0, "y": 1.0})
    assert explorer.log_scale == pytest.approx(-2.0)
    explorer._heard({"event": "drag", "panel": "sup", "name": "head", "index": 0, "x": -6.0, "y": 1.0})
    assert explorer.log_scale == pytest.approx(unstretched(-6.0))
    assert explorer.log_scale == pytest.approx(-44.0)
    explorer._heard({"event": "drag", "panel": "sup", "name": "head", "index": 0, "x": -1e9, "y": 1.0})
    assert explorer.log_scale == -100.0


def test_steps_go_through_negative_logarithms(explorer):
    explorer.log_scale = float(GRID[3])
    explorer.step(1)
    assert explorer.log_scale == pytest.approx(GRID[4])
    explorer.step(-2)
    assert explorer.log_scale == pytest.approx(GRID[2])


def test_descent_is_drawn_beside_the_flow(explorer):
    explorer.log_scale = -2.0
    explorer._beside.value = "descent, lr 0.1"
    explorer.wait(60)
    table = explorer.scene().table()
    run = nearest(explorer.runs, -2.0)
    expected = contrast_run(run, 0.1, n_neurons=40, seed=0)
    np.testing.assert_allclose(table["function/descent/y"], expected.final(table["function/descent/x"]), atol=1e-9)
    assert "Descent with lr = 0.1" in explorer.scene().sentence
    explorer.contrast = "flow only"
    assert "function/descent/y" not in explorer.scene().table()


def test_a_descent_that_nobody_waits_for_is_a_sentence():
    run = scale_run(DATA, -100.0, n_neurons=4, seed=0)
    with pytest.raises(ValueError, match="take a larger scale or lr"):
        contrast_run(run, 1e-9, n_neurons=4, seed=0)


@pytest.mark.parametrize(("typed", "words"), [("1e-200", "between 1e-100 and 10"), ("big", "must be a number")])
def test_bad_scales_are_sentences(explorer, typed, words):
    explorer._typed.value = typed
    assert words in explorer.error
    assert explorer._typed.value == f"{10.0**explorer.log_scale:.4g}"
    explorer._typed.value = "0.3" if explorer.log_scale < -1 else "0.001"
    assert explorer.error == ""


def test_an_odd_width_and_strange_data_are_refused(explorer):
    with pytest.raises(T.TraitError, match="must be even"):
        explorer.n_neurons = 41
    before = set(instances)
    for data in (rq.Dataset(np.eye(2), [0.0, 1.0]), [1.0]):
        with pytest.raises((ValueError, TypeError), match="ScaleExplorer takes"):
            rq.ScaleExplorer(data)
    assert set(instances) <= before


def test_other_data_start_anew_and_closing_leaves_nothing():
    before = set(instances)
    made = rq.ScaleExplorer(DATA, n_neurons=20)
    made._points.text.value = "0 1; 1 0"
    made.wait(250)
    assert {run.trajectory.data.n_samples for run in made.runs} == {2}
    assert len(made.runs) == GRID.size
    assert "n_samples=2" in repr(made)
    made.close()
    assert set(instances) <= before
