import gc
import math

import numpy as np
import pytest
import traitlets as T
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from tests.widgets.conftest import DATA, threads_left


@pytest.fixture
def shown():
    made = rq.GreedyExplorer(DATA, n_neurons=60)
    made.wait(120)
    yield made
    made.close()


def event(explorer, kind, **values):
    explorer._heard({"event": kind, **values})
    explorer.wait(120)


def test_first_picture_is_the_end(shown):
    assert shown.limit.end == "zero loss"
    assert shown.tau == shown._facts.end > shown.limit.taus[-1]
    assert shown.status == shown.scene().sentence == shown._view.scene["sentence"]
    assert repr(shown) == "GreedyExplorer(n_samples=5, n_neurons=60, scale=1e-06, seed=0, mode='tracked')"
    start = rq.ShallowReLU.balanced(n_neurons=60, scale=1.0, rng=0)
    np.testing.assert_array_equal(shown.limit.taus, rq.greedy_limit(DATA, start, progress=False).taus)
    assert (shown.busy, shown.error) == (False, "")


def test_steps_go_from_jump_to_jump(shown):
    taus = shown.limit.taus
    seen = []
    for _ in range(len(taus) + 2):
        shown.step(-1)
        seen.append(shown.tau)
    np.testing.assert_allclose(seen, [*taus[::-1], 0.0, 0.0])
    shown._bar.buttons.forth.click()
    shown.wait(10)
    assert shown.tau == taus[0]
    assert shown.status.startswith(f"Plateau 1 of {len(taus)}, since")
    shown.step(2)
    assert shown.tau == taus[2]
    with pytest.raises(TypeError, match="whole number of jumps"):
        shown.step(0.5)


@pytest.mark.parametrize(("name", "value"), [("scale", 1e-80), ("seed", 3), ("n_neurons", 7), ("mode", "reseeded")])
def test_settings_compute_anew(shown, name, value):
    limit, run = shown.limit, shown.trajectory
    setattr(shown, name, value)
    shown.wait(60)
    assert shown.trajectory is not run
    if name == "scale":
        np.testing.assert_array_equal(shown.limit.taus, limit.taus)
        assert shown.trajectory.states([0.0]).log_norm.mean() == pytest.approx(-80 * math.log(10), abs=0.3)
    else:
        assert not np.array_equal(shown.limit.taus, limit.taus)
    assert shown.limit.mode == shown.mode


def test_controls_and_traits_say_the_same(shown):
    shown._scale.text.value = "1e-50"
    shown._neurons.text.value = "30"
    shown._mode.value = "reseeded"
    shown._seed.value = 5
    shown.wait(60)
    assert (shown.scale, shown.n_neurons, shown.mode, shown.seed) == (1e-50, 30, "reseeded", 5)
    shown.scale, shown.mode = 1e-4, "tracked"
    shown.wait(60)
    assert (shown._scale.text.value, shown._mode.value) == ("0.0001", "tracked")


@pytest.mark.parametrize(
    ("control", "text", "sentence"),
    [
        ("_scale", "1", "scale must be a finite number from 1e-100 to 0.01, but got 1.0."),
        ("_scale", "0", "scale must be a finite number from 1e-100 to 0.01, but got 0.0."),
        ("_scale", "tiny", "scale must be a number such as 1e-6, but 'tiny' was typed."),
        ("_neurons", "2.5", "n_neurons must be a whole number from 1 to 2,000, but got 2.5."),
        ("_points", "1 2 3", "Points must be pairs such as -1 0.5; 0 -0.5; 1 0.5, separated by semicolons."),
        ("_points", "", "Points must be pairs such as -1 0.5; 0 -0.5; 1 0.5, separated by semicolons."),
    ],
)
def test_nonsense_gets_a_sentence_and_changes_nothing(shown, control, text, sentence):
    before, run = repr(shown), shown.trajectory
    getattr(shown, control).text.value = text
    assert shown.error == sentence
    assert repr(shown) == before
    assert shown.trajectory is run
    shown._scale.text.value = "1e-7"
    shown.wait(60)
    assert shown.error == ""
    assert shown._points.text.value.startswith("-1.6 0.6;")


def test_points_are_dragged_added_and_deleted(shown):
    window, limit = shown._window, shown.limit
    event(shown, "drag", panel="function", name="data", index=2, x=0.1, y=0.4)
    assert (shown.data.X[2, 0], shown.data.y[2]) == (0.1, 0.4)
    assert shown.limit is not limit
    assert shown._window is window
    assert "0.1 0.4" in shown._points.text.value
    event(shown, "nudge", panel="function", name="data", index=2, dx=0.1, dy=0.0)
    assert shown.data.X[2, 0] == pytest.approx(0.2)
    event(shown, "click", panel="function", x=1.1, y=0.0)
    assert shown.data.n_samples == 6
    event(shown, "drop", panel="function", name="data", index=5, x=window.right, y=0.0)
    assert shown._window.right > window.right
    for _ in range(5):
        event(shown, "delete", panel="function", name="data", index=0)
    event(shown, "delete", panel="function", name="data", index=0)
    assert shown.error.startswith("One point must stay")
    assert shown.data.n_samples == 1


def test_the_cursor_follows_clicks_drags_keys_and_numbers(shown):
    event(shown, "click", panel="loss", x=5.0, y=0.1)
    assert shown.tau == 5.0
    event(shown, "drag", panel="loss", name="head", index=0, x=-3.0, y=0.1)
    assert shown.tau == 0.0
    event(shown, "nudge", panel="loss", name="head", index=0, dx=0.5, dy=0.0)
    assert shown.tau == 0.5
    event(shown, "pick", panel="directions", name="jump 2", index=0)
    assert shown.tau == shown.limit.taus[1]
    shown.tau = 1e300
    assert shown.tau == shown._facts.end


def test_a_play_passes_through_every_plateau(shown):
    seen = []
    shown.observe(lambda change: seen.append(change.new.split(",")[0]), names="status")
    shown.speed = 8.0
    shown.play()
    shown.wait(60)
    assert shown.tau == shown._facts.end
    assert len({s for s in seen if s.startswith("Plateau")}) >= len(shown.limit.steps) - 1


def test_points_on_top_of_each_other_and_a_lonely_one(shown):
    shown._points.text.value = "0 1; 0 -1; 1 1"
    shown.wait(60)
    assert shown.error == ""
    shown._points.text.value = "0.5 1"
    shown.wait(60)
    assert shown.error == ""
    assert len(shown.limit.steps) == 1


def test_a_failing_computation_leaves_it_usable(shown):
    shown._points.text.value = "1e200 1; 2 3"
    with pytest.raises(ValueError, match="."):
        shown.wait(60)
    assert shown.error
    shown._points.text.value = "0 1; 1 -1"
    shown.wait(60)
    assert shown.error == ""
    assert shown.limit.data is shown.data


def test_a_computation_beyond_its_time_is_stopped():
    rng = np.random.default_rng(0)
    made = rq.GreedyExplorer(rq.Dataset(rng.normal(size=(30, 5)), rng.normal(size=30)), n_neurons=200, max_seconds=0.1)
    try:
        made.wait(120)
        assert made.error == "The computation was stopped after 0.1 seconds."
        assert made.limit.end in ("unfinished", "zero loss", "spurious")
    finally:
        made.close()


def test_other_data_have_a_table(tmp_path):
    rng = np.random.default_rng(0)
    made = rq.GreedyExplorer(rq.Dataset(rng.normal(size=(4, 2)), rng.normal(size=4)), n_neurons=20)
    try:
        made.wait(120)
        assert made.error == ""
        assert [panel.name for panel in made.scene().panels()] == ["steps", "loss"]
        made.step(-1)
        made.wait(30)
        assert made.tau == made.limit.taus[-1]
        made.save(tmp_path / "steps.svg")
        with pytest.raises(ValueError, match="on the line"):
            made.data = DATA
    finally:
        made.close()


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(TypeError, match="GreedyExplorer takes a Dataset, but got a list"):
        rq.GreedyExplorer([1.0])
    with pytest.raises(ValueError, match="one output"):
        rq.GreedyExplorer(rq.Dataset([0.0, 1.0], [[1.0, 2.0], [3.0, 4.0]]))
    with pytest.raises(T.TraitError, match="from 1e-100 to"):
        rq.GreedyExplorer(DATA, scale=1.0)
    with pytest.raises(T.TraitError):
        rq.GreedyExplorer(DATA, mode="random")
    with pytest.raises(TypeError, match="no setting 'width'"):
        rq.GreedyExplorer(DATA, width=3)


def test_it_is_saved_as_numbers_and_as_a_page(shown, tmp_path):
    numbers = np.load(shown.save(tmp_path / "greedy.npz"))
    np.testing.assert_allclose(numbers["loss/limit/y"][::2], shown.limit.losses)
    assert "GreedyExplorer(n_samples=5" in shown.save(tmp_path / "greedy.html").read_text(encoding="utf-8")


def test_many_explorers_leave_nothing():
    before = set(instances)
    for k in range(20):
        made = rq.GreedyExplorer(DATA, n_neurons=5, seed=k)
        if k % 2:
            made.wait(60)
        made.close()
    gc.collect()
    assert set(instances) == before
    assert threads_left() == []
    assert repr(made) == "GreedyExplorer(closed)"
