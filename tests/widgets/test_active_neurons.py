"""Training seen live: it goes on, stops, goes on again, and can be played; what is wrong is said in it."""

import time

import numpy as np
import pytest
import traitlets as T

import reluquant as rq
from reluquant.structures.training_run import TrainingRun
from tests.widgets.conftest import threads_left

DATA = rq.Dataset(np.random.default_rng(0).uniform(size=(20, 16)), np.eye(2)[np.arange(20) % 2])
QUICK = {"width": 16, "stop": 0.2}


@pytest.fixture
def widget():
    made = rq.ActiveNeurons(DATA, DATA, **QUICK)
    made.wait(120)
    yield made
    made.close()


def test_it_trains_by_itself_to_what_train_gives(widget):
    expected = rq.train(DATA, widths=(16,), scale=1e-4, share=0.05, stop=0.2, rng=0, progress=False)
    assert widget.run.end == "stop_loss"
    assert np.array_equal(widget.run.final.W, expected.final.W)
    assert not widget.training
    assert widget.t == widget.run.snapshot_t[-1]
    assert "neurons are active" in widget.status
    assert "reached the loss" in widget.status


def test_stop_keeps_what_was_reached_and_resume_goes_on():
    made = rq.ActiveNeurons(DATA, width=16, stop=0.0, max_steps=10**6)
    try:
        deadline = time.monotonic() + 60
        while not made._moments and time.monotonic() < deadline:
            time.sleep(0.05)
        made._go_clicked()
        made.wait(60)
        assert (made.run.end, made.training, made._go.description) == ("interrupted", False, "Resume")
        steps = made.run.n_steps
        made._go_clicked()
        assert made._go.description == "Stop"
        time.sleep(1.0)
        made.training = False
        made.wait(60)
        assert made.run.n_steps > steps
        assert made.error == ""
    finally:
        made.close()


def test_a_change_starts_anew(widget):
    widget._seed.value = "3"
    widget.wait(120)
    assert widget.seed == 3
    expected = rq.train(DATA, widths=(16,), scale=1e-4, share=0.05, stop=0.2, rng=3, progress=False)
    assert np.array_equal(widget.run.final.W, expected.final.W)


def test_the_definition_of_active_is_applied_without_training_anew(widget):
    run = widget.run
    widget._least.value = "0.9"
    widget.wait(60)
    assert widget.run is run
    assert widget._moments[-1].n_active == rq.active_neurons(run.final, least=0.9).n_active


def test_time_is_scrubbed_stepped_and_played(widget):
    widget._heard({"event": "click", "panel": "counts", "x": float(np.log10(widget.run.snapshot_t[5]))})
    widget.wait(30)
    assert widget.status.startswith(f"Step {widget.run.snapshots[5].step:,}")
    widget.step()
    widget.wait(30)
    assert widget.t == widget.run.snapshot_t[6]
    widget.speed = 100.0
    widget.play()
    widget.wait(60)
    assert widget.t == widget.run.snapshot_t[-1]


@pytest.mark.parametrize(
    ("box", "typed", "words"),
    [
        ("_width", "1.5", "width must be a whole number, but 1.5 was typed."),
        ("_scale", "tiny", "scale must be a number such as"),
        ("_scale", "0", "1e-15"),
        ("_width", "1000000", "4,096"),
    ],
)
def test_nonsense_is_one_sentence_and_the_box_shows_what_holds(widget, box, typed, words):
    before = getattr(widget, box).value
    getattr(widget, box).value = typed
    assert words in widget.error
    assert getattr(widget, box).value == before


def test_data_that_do_not_fit_the_loss_are_said_in_it(widget):
    widget.loss = "logistic"
    with pytest.raises(ValueError, match="logistic loss needs labels -1 and 1"):
        widget.wait(60)
    assert "logistic loss needs labels" in widget.error
    assert not widget.training
    widget.loss = "cross-entropy"
    widget.wait(60)
    assert widget.error == ""


def test_bad_arguments():
    with pytest.raises(TypeError, match="takes a Dataset, but got a list"):
        rq.ActiveNeurons([1.0])
    with pytest.raises(TypeError, match="has no setting 'widths'"):
        rq.ActiveNeurons(DATA, widths=(3,))
    with pytest.raises(T.TraitError):
        rq.ActiveNeurons(DATA, scale=-1.0)


def test_text_table_page_and_no_thread_left(widget, tmp_path):
    assert repr(widget) == "ActiveNeurons(n_samples=20, width=16, scale=0.0001, seed=0)"
    assert "active neurons" in widget.save(tmp_path / "shown.csv").read_text(encoding="utf-8")
    assert widget.to_html().count("active neurons") > 0
    assert isinstance(widget.run, TrainingRun)
    widget.close()
    assert repr(widget) == "ActiveNeurons(closed)"
    assert not threads_left()
