"""The picture of a training run: its numbers are those of the analysis."""

import numpy as np
import pytest

import reluquant as rq
from reluquant.views.training_moment import MOST_TEMPLATES, training_moments
from reluquant.views.training_scene import training_scene

DEFINITION = {"least": 0.01, "angle": 0.1}


@pytest.fixture(scope="module")
def run():
    draw = np.random.default_rng(0)
    X, classes = draw.uniform(size=(24, 16)), np.arange(24) % 3
    data = rq.Dataset(X, np.eye(3)[classes])
    return rq.train(data, widths=(30,), scale=1e-3, stop=0.3, test=data, rng=0, progress=False, device="cpu")


def test_a_moment_says_what_the_analysis_finds(run):
    moments = training_moments(run, **DEFINITION)
    assert len(moments) == len(run.snapshots)
    for moment, snapshot in zip(moments[::7], run.snapshots[::7], strict=True):
        net = snapshot.layers.network()
        found = rq.active_neurons(net)
        mass = net.norms * np.linalg.norm(net.a, axis=1)
        assert (moment.n_active, moment.n_directions) == (found.n_active, found.n_directions)
        assert 10**moment.log_mass == pytest.approx(mass)
        assert 10**moment.threshold == pytest.approx(0.01 * mass.max())
        assert np.array_equal(moment.templates, found.clusters.direction[:MOST_TEMPLATES, :16])
        assert moment.shares == pytest.approx(found.clusters.mass[:MOST_TEMPLATES] / found.clusters.mass.sum())
    assert moments[-1].loss == run.loss[-1]
    assert moments[-1].test_accuracy == run.test_accuracy[-1]


def test_curves_histogram_and_pictures(run):
    moments = training_moments(run, **DEFINITION)
    scene = training_scene(moments, 3, n_classes=3)
    table = scene.table()
    assert table["counts/active neurons/y"].tolist() == [m.n_active for m in moments]
    assert table["counts/their directions/y"].tolist() == [m.n_directions for m in moments]
    assert 10 ** table["counts/active neurons/x"][1:] == pytest.approx(run.snapshot_t[1:])
    assert table["scores/training accuracy/y"] == pytest.approx(run.train_accuracy)
    tops = [table[f"masses/{label}/y"] for label in ("active", "others")]
    bars = sum(np.nansum(top.reshape(-1, 5)[:, 2]) for top in tops)
    assert bars == 30, "every neuron is in one bar"
    pictures = [mark for mark in scene.panel("templates").marks if hasattr(mark, "rgba")]
    assert len(pictures) == len(moments[3].templates)
    assert f"{moments[3].n_active} of 30 neurons are active" in scene.sentence


def test_the_threshold_parts_the_bars(run):
    moment = training_moments(run, **DEFINITION)[-1]
    table = training_scene([moment], 0).table()
    left = table["masses/active/x"].reshape(-1, 5)[:, 0]
    assert np.all(left >= moment.threshold)


def test_numbers_without_classes_have_no_accuracy():
    data = rq.datasets.tent()
    run = rq.train(data, widths=(5,), max_steps=3, rng=0, progress=False)
    scene = training_scene(training_moments(run, **DEFINITION), 0)
    assert "scores/training accuracy/y" not in scene.table()
    assert "told rightly" not in scene.sentence
