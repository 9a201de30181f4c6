import math

import numpy as np
import pytest

import reluquant as rq
from reluquant.studies.scale_runs import contrast_run, scale_run
from reluquant.views.frames import window
from reluquant.views.scale_scene import nearest, scale_in_words, scale_scene, unstretched
from reluquant.views.scene import Dots

DATA = rq.datasets.three_points()
SCALES = (-50.0, -6.0, 0.5)


@pytest.fixture(scope="module")
def runs():
    # In any order.
    return [scale_run(DATA, s, n_neurons=40, seed=0) for s in (SCALES[1], SCALES[2], SCALES[0])]


def test_the_function_is_the_end_of_the_nearest_run(runs):
    for cursor, scale in ((-100.0, -50.0), (-29.0, -50.0), (-20.0, -6.0), (1.0, 0.5)):
        assert nearest(runs, cursor).log10_scale == scale
        table = scale_scene(runs, cursor).table()
        final = nearest(runs, cursor).trajectory.final
        x = table["function/network/x"]
        np.testing.assert_allclose(table["function/network/y"], final(x), atol=1e-9)
        assert x[0] == window(DATA).left


def test_measures_are_those_of_the_runs_by_scale(runs):
    ordered = sorted(runs, key=lambda run: run.log10_scale)
    table = scale_scene(runs, -6.0).table()
    expected = {
        "count": [rq.neuron_clusters(run.trajectory.final) for run in ordered],
        "distance": [rq.compare(run.trajectory.final, rq.interpolate(DATA)).sup for run in ordered],
    }
    labels = {"count": "directions for 99 %", "distance": "sup |f − g|", "change": "log₁₀ change of w"}
    for panel, label in labels.items():
        places = [unstretched(x) for x in table[f"{panel}/{label}/x"]]
        np.testing.assert_allclose(places, SCALES)
    np.testing.assert_allclose(table["distance/sup |f − g|/y"], expected["distance"], atol=1e-12)
    counts = table["count/directions for 99 %/y"]
    np.testing.assert_array_equal(counts, [run.n_directions for run in ordered])
    # In a condensed end most of the mass is in few clusters, and in a lazy one in many.
    assert counts[0] <= len(expected["count"][0]) < counts[-1]
    changes = []
    for run in ordered:
        first, last = run.trajectory.at(0.0).W, run.trajectory.final.W
        changes.append(np.log10(np.linalg.norm(last - first) / np.linalg.norm(first)))
    np.testing.assert_allclose(table["change/log₁₀ change of w/y"], changes, atol=0.02)


def test_the_cursor_lies_on_each_curve(runs):
    scene = scale_scene(runs, -6.4)
    for name, value in (("count", nearest(runs, -6.0).n_directions), ("distance", nearest(runs, -6.0).sup)):
        (head,) = [m for m in scene.panel(name).marks if isinstance(m, Dots) and m.name == "head"]
        assert head.movable
        assert unstretched(head.x[0]) == pytest.approx(-6.0)
        assert head.y[0] == pytest.approx(value)


def test_descent_is_drawn_beside_the_flow(runs):
    run = nearest(runs, 0.5)
    descent = contrast_run(run, 0.01, n_neurons=40, seed=0)
    scene = scale_scene(runs, 0.5, contrast=descent, lr=0.01)
    x = scene.table()["function/descent/x"]
    np.testing.assert_allclose(scene.table()["function/descent/y"], descent.final(x), atol=1e-9)
    assert "Descent with lr = 0.01 ends with loss" in scene.sentence
    assert "function/descent/x" not in scale_scene(runs, 0.5).table()


def test_words_tell_lazy_from_condensed(runs):
    for run in runs:
        kind = "Condensed" if run.log10_rd > 0.5 else "Lazy" if run.log10_rd < -0.5 else "Between lazy and condensed"
        assert scale_in_words(run).startswith(f"{kind}: from scale 10^{run.log10_scale:g} ")
    assert {scale_in_words(run).split(":")[0] for run in runs} >= {"Condensed", "Lazy"}


def test_the_axis_can_be_read_backwards():
    for scale in (-100.0, -50.0, -4.0, -3.9, 1.0):
        places = [unstretched(x) for x in np.linspace(-8.8, 1.0, 50)]
        assert places == sorted(places)
        assert min(abs(place - scale) for place in places) < 5.0
    assert unstretched(-4.0) == pytest.approx(-4.0)
    assert math.isclose(unstretched(-8.8), -100.0)
