import gc
import math
import time

import ipywidgets as W
import numpy as np
import pytest
import traitlets as T
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from reluquant.views import theme
from reluquant.views.flow_scene import flow_circle
from reluquant.views.frames import flow_frame
from reluquant.views.function_view import DEAD
from reluquant.views.packed_scene import packed_scene
from reluquant.views.scene import Scene
from reluquant.widgets.accessibility import Accessibility
from reluquant.widgets.explorer import FlowExplorer
from tests.widgets.conftest import DATA, worker_threads


def drawn(explorer):
    """The network curve as the marks hold it."""
    mark = explorer._function.network
    return np.array(mark.x), np.array(mark.y)


def test_first_picture_is_the_end_of_the_run(explorer):
    assert explorer.trajectory.success
    assert explorer.t == explorer.trajectory.t[-1]
    assert not explorer.busy
    x, y = drawn(explorer)
    np.testing.assert_allclose(y, explorer.trajectory.final(x), atol=1e-9)
    assert explorer.status.startswith("Fitted")
    assert explorer.error == ""


def test_text_form_names_the_configuration_only(explorer):
    assert repr(explorer) == "FlowExplorer(n_samples=5, n_neurons=40, scale=0.001, seed=0)"
    assert explorer._repr_mimebundle_()["text/plain"] == repr(explorer)
    explorer.t = 1.0
    assert repr(explorer) == "FlowExplorer(n_samples=5, n_neurons=40, scale=0.001, seed=0)"


@pytest.mark.parametrize(("name", "value"), [("seed", 7), ("scale", 1e-2), ("n_neurons", 3)])
def test_setting_a_trait_computes_and_draws_anew(explorer, name, value):
    old_run, old_curve = explorer.trajectory, drawn(explorer)
    setattr(explorer, name, value)
    explorer.wait(60)
    assert explorer.trajectory is not old_run
    expected = rq.ShallowReLU.balanced(
        **({"n_neurons": 40, "scale": 1e-3, "rng": 0} | {"rng" if name == "seed" else name: value})
    )
    np.testing.assert_array_equal(explorer.trajectory.at(0).W, expected.W)
    assert not np.array_equal(old_curve[1], drawn(explorer)[1])


def test_setting_data_moves_points_interpolant_and_network(explorer):
    explorer.data = rq.Dataset([-1.0, 0.0, 2.0], [1.0, -1.0, 3.0])
    explorer.wait(60)
    np.testing.assert_array_equal(explorer._function.points.x, [-1.0, 0.0, 2.0])
    np.testing.assert_array_equal(explorer._function.interpolant.y, [1.0, -1.0, 3.0])
    assert explorer._function.x_scale.max > 2.0
    assert explorer.trajectory.data is explorer.data
    assert explorer._points.text.value == "-1 1; 0 -1; 2 3"


def test_time_moves_every_panel(explorer):
    explorer.t = 4.0
    explorer.wait(10)
    frame = flow_frame(explorer.trajectory, 4.0, shown=explorer._window)
    np.testing.assert_allclose(drawn(explorer)[1], frame.curve_y)
    assert explorer._time.cursor.x[0] == pytest.approx(np.log10(4.0))
    assert explorer._time.head.y[0] == pytest.approx(frame.loss, rel=0.05)
    expected = flow_circle(explorer.data, frame, np.array([], dtype=int), size=340, title=False)
    assert explorer._circle.scene == {**packed_scene(Scene(((expected,),))), "legend": []}
    assert explorer.status.startswith(frame.sentence)
    assert frame.sentence.split(";")[0].split("–")[0] in explorer._words.status.value


def test_a_time_beyond_the_run_is_its_end(explorer):
    explorer.t = 1e300
    assert explorer.t == explorer.trajectory.t[-1]


def drag(explorer, x, y):
    """What bqplot does in the kernel while the mouse holds a point."""
    points = explorer._function.points
    with points.hold_trait_notifications():
        points.x, points.y = np.array(x), np.array(y)


def test_dragging_changes_data_and_run_but_not_the_window_or_the_points(explorer):
    window, x, y = explorer._window, [-1.6, -0.9, 0.2, 0.7, 1.5], [0.6, -0.7, 0.4, -0.5, 0.8]
    drag(explorer, x, y)
    explorer.wait(60)
    np.testing.assert_allclose(explorer.data.X[:, 0], x)
    np.testing.assert_allclose(explorer.data.y, y)
    np.testing.assert_allclose(explorer._function.interpolant.y, y)
    assert explorer.trajectory.data is explorer.data
    assert explorer._window is window


def test_a_point_dropped_at_the_edge_widens_the_window(explorer):
    right = explorer._window.right
    drag(explorer, [-1.6, -0.9, -0.1, 0.7, right], DATA.y)
    explorer._point_dropped()
    explorer.wait(60)
    assert explorer._window.right > right
    assert explorer._function.x_scale.max == explorer._window.right


def test_a_long_drag_ends_with_the_run_of_its_last_point(explorer):
    for shift in np.linspace(0.0, 0.5, 60):
        drag(explorer, DATA.X[:, 0], np.array([0.6, -0.7 + shift, 0.9, -0.5, 0.8]))
    explorer.wait(60)
    assert explorer.trajectory.data is explorer.data
    np.testing.assert_allclose(explorer.data.y, [0.6, -0.2, 0.9, -0.5, 0.8])


def test_play_runs_from_the_start_to_the_end(explorer):
    seen = []
    explorer.observe(lambda change: seen.append(change.new), names="t")
    explorer.speed = 15.0
    explorer.play()
    assert explorer.playing
    assert explorer._bar.buttons.play.icon == "pause"
    explorer.wait(30)
    assert not explorer.playing
    assert explorer._bar.buttons.play.icon == "play"
    assert seen[0] == 0.0
    assert np.all(np.diff(seen) >= 0)
    assert seen[-1] == explorer.trajectory.t[-1]
    # At 15 times the speed it lasts a second, at 25 frames a second.
    assert 8 <= len(set(seen)) <= 30


def test_play_before_the_first_run_starts_at_the_start():
    made = rq.explore(DATA, n_neurons=2000, speed=20.0)
    try:
        seen = []
        made.observe(lambda change: seen.append(change.new), names="t")
        made.play()
        made.wait(60)
        assert len(set(seen)) >= 5
        assert made.t == made.trajectory.t[-1]
    finally:
        made.close()


def test_pause_stops_where_it_is(explorer):
    explorer._bar.buttons.play.click()
    time.sleep(0.5)
    explorer._bar.buttons.play.click()
    explorer.wait(10)
    t = explorer.t
    assert 0 < t < explorer.trajectory.t[-1]
    time.sleep(0.2)
    assert explorer.t == t


def test_a_pause_holds_also_when_it_comes_while_a_frame_is_drawn(explorer):
    explorer.speed = 15.0
    explorer.observe(lambda change: change.new > 0 and explorer.pause(), names="t")
    explorer.play()
    explorer.wait(30)
    assert 0 < explorer.t < explorer.trajectory.t[-1]
    assert not explorer.playing


def test_steps_go_from_frame_to_frame(explorer):
    explorer.t = 0.0
    explorer._bar.buttons.forth.click()
    first = explorer.t
    explorer._bar.buttons.forth.click()
    assert 0 < first < explorer.t
    explorer._bar.buttons.back.click()
    assert explorer.t == first
    explorer.step(-100)
    assert explorer.t == 0.0
    explorer.step(10_000)
    assert explorer.t == explorer.trajectory.t[-1]
    explorer.step(-1)
    assert explorer.t < explorer.trajectory.t[-1]


def test_scrubber_and_play_head_set_the_time(explorer):
    slider = explorer._time.slider
    slider.value = slider.max // 2
    curve = np.log10([explorer._time._curve.t_first, explorer.trajectory.t[-1]])
    assert np.log10(explorer.t) == pytest.approx(curve.mean(), abs=1e-3)
    explorer._time.head.x = np.array([0.5])
    assert explorer.t == pytest.approx(10**0.5)
    slider.value = 0
    assert explorer.t == 0.0
    slider.value = slider.max
    assert explorer.t == explorer.trajectory.t[-1]


def test_scrubbing_stops_a_play(explorer):
    explorer.play()
    explorer._time.slider.value = 500
    assert not explorer.playing


def test_a_new_run_keeps_the_end_or_the_time(explorer):
    explorer.seed = 1
    explorer.wait(60)
    assert explorer.t == explorer.trajectory.t[-1]
    explorer.t = 2.0
    explorer.seed = 2
    explorer.wait(60)
    assert explorer.t == 2.0


def test_a_new_tolerance_starts_a_new_run(explorer):
    first = explorer.trajectory
    explorer.rtol = 1e-4
    explorer.wait(60)
    assert explorer.trajectory is not first
    assert explorer.trajectory.t.size < first.t.size
    np.testing.assert_array_equal(explorer.trajectory.at(0).W, first.at(0).W)


def test_reset_returns_to_the_beginning(explorer):
    explorer.seed, explorer.scale, explorer.n_neurons, explorer.speed = 5, 0.1, 7, 4.0
    drag(explorer, DATA.X[:, 0] + 0.1, DATA.y)
    explorer.t = 1.0
    explorer._bar.reset.click()
    explorer.wait(60)
    assert repr(explorer) == "FlowExplorer(n_samples=5, n_neurons=40, scale=0.001, seed=0)"
    assert explorer.data is DATA
    np.testing.assert_array_equal(explorer._function.points.x, DATA.X[:, 0])
    assert explorer.speed == 1.0
    assert explorer.t == explorer.trajectory.t[-1]


# --- typed values ----------------------------------------------------------------------------------------------------


def test_typed_values_are_taken(explorer):
    explorer._bar.scale.text.value = "1e-100"
    assert explorer.scale == 1e-100
    assert explorer._bar.scale.slider.value == pytest.approx(1e-12)
    explorer._bar.scale.text.value = "1e-2"
    explorer._bar.neurons.text.value = "12"
    explorer._bar.seed.value = 3
    explorer._points.text.value = "0 1; 1, 0; 2 1; 3 0.5"
    explorer.wait(60)
    assert (explorer.scale, explorer.n_neurons, explorer.seed) == (1e-2, 12, 3)
    np.testing.assert_array_equal(explorer.data.X[:, 0], [0, 1, 2, 3])
    assert explorer.error == ""


def test_sliders_set_and_show_the_traits(explorer):
    explorer._bar.scale.slider.value = 1e-2
    explorer._bar.neurons.slider.value = 10**1.5
    assert (explorer.scale, explorer.n_neurons) == (pytest.approx(1e-2), 32)
    assert (explorer._bar.scale.text.value, explorer._bar.neurons.text.value) == ("0.01", "32")
    explorer.n_neurons = 100
    assert explorer._bar.neurons.slider.value == pytest.approx(100)


@pytest.mark.parametrize(
    ("control", "typed", "sentence"),
    [
        ("scale", "small", "scale must be a number such as 1e-6, but 'small' was typed."),
        ("scale", "nan", "scale must be a finite number, but 'nan' was typed."),
        ("scale", "1e-200", "scale must lie between 1e-100 and 10, but 1e-200 was typed."),
        ("scale", "-1", "scale must lie between 1e-100 and 10, but -1 was typed."),
        ("neurons", "2.5", "neurons must be a whole number from 1 to 10,000, but 2.5 was typed."),
        ("neurons", "1000000", "neurons must be a whole number from 1 to 10,000, but 1000000 was typed."),
    ],
)
def test_a_bad_number_gets_a_sentence_and_leaves_the_value(explorer, control, typed, sentence):
    text = getattr(explorer._bar, control).text
    before = text.value
    text.value = typed
    assert explorer.error == sentence
    assert 'role="alert"' in explorer._words.alert.value
    assert explorer._words.alert.layout.display is None
    assert text.value == before
    explorer.seed = 9
    explorer.wait(60)
    assert explorer.error == ""
    assert explorer._words.alert.layout.display == "none"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1 2; 3", "Points must be pairs"),
        ("", "Points must be pairs"),
        ("1 x", "must be a number"),
        ("1 nan; 2 3", "must be a finite number"),
        ("1e999 0", "must be a finite number"),
        ("<b>1</b> 2", "must be a number"),
    ],
)
def test_bad_points_get_a_sentence_and_leave_the_data(explorer, typed, sentence):
    explorer._points.text.value = typed
    assert sentence in explorer.error
    assert explorer.data is DATA
    assert "<b>" not in explorer._words.alert.value


def test_points_beyond_the_flow_get_a_sentence_and_leave_it_usable(explorer):
    explorer._points.text.value = "1e200 1; 2 3"
    with pytest.raises(ValueError, match="X must stay within"):
        explorer.wait(30)
    assert "X must stay within" in explorer.error
    assert not explorer.busy
    explorer.data = DATA
    explorer.wait(60)
    assert explorer.error == ""


# --- what goes wrong, and how long it is said ------------------------------------------------------------------------


VALID_ACTIONS = {
    "type the same scale": lambda e: setattr(e._bar.scale.text, "value", "1e-3"),
    "move the slider": lambda e: setattr(e._bar.scale.slider, "value", 1e-2),
    "choose a seed": lambda e: setattr(e._bar.seed, "value", 4),
    "choose a speed": lambda e: setattr(e._bar.buttons.speed, "value", 2.0),
    "type points": lambda e: setattr(e._points.text, "value", "0 1; 1 0"),
    "type the points of before": lambda e: setattr(e._points.text, "value", e._points_before),
    "drag a point": lambda e: drag(e, DATA.X[:, 0], DATA.y + 0.1),
    "scrub": lambda e: setattr(e._time.slider, "value", 700),
    "step": lambda e: e._bar.buttons.forth.click(),
    "play": lambda e: e._bar.buttons.play.click(),
    "reset": lambda e: e._bar.reset.click(),
    "set t": lambda e: setattr(e, "t", 1.0),
    "set scale": lambda e: setattr(e, "scale", 0.1),
    "set rtol": lambda e: setattr(e, "rtol", 1e-6),
    "set max_seconds": lambda e: setattr(e, "max_seconds", 9.0),
    "set speed": lambda e: setattr(e, "speed", 3.0),
    "set data": lambda e: setattr(e, "data", rq.Dataset([0.0, 1.0], [1.0, 0.0])),
    "call play": lambda e: e.play(),
    "call reset": lambda e: e.reset(),
}


@pytest.mark.parametrize("action", VALID_ACTIONS)
def test_a_refusal_is_gone_at_once_with_the_next_action_that_is_taken(explorer, action):
    explorer._points_before = explorer._points.text.value
    explorer._points.text.value = "1 x"
    explorer._bar.scale.text.value = "small"
    assert explorer.error == "scale must be a number such as 1e-6, but 'small' was typed."
    VALID_ACTIONS[action](explorer)
    assert explorer.error == ""
    assert explorer._words.alert.layout.display == "none"
    # Neither does a box go on to show points that are not the data.
    assert "x" not in explorer._points.text.value


def test_a_refusal_stays_while_the_widget_goes_on_by_itself(explorer):
    explorer.speed = 15.0
    explorer.seed = 1
    explorer.play()
    explorer._points.text.value = "1 x"
    explorer.wait(60)
    assert explorer.t == explorer.trajectory.t[-1]
    assert "must be a number" in explorer.error
    assert explorer._points.text.value == "1 x"


def fail_once(monkeypatch, panel):
    """Make the next drawing of a panel fail, and only that."""
    show = panel.show

    def failing(frame):
        monkeypatch.setattr(panel, "show", show)
        raise RuntimeError("no ink")

    monkeypatch.setattr(panel, "show", failing)


def test_a_failed_drawing_is_forgotten_with_the_next_one_that_succeeds(explorer, monkeypatch):
    fail_once(monkeypatch, explorer._function)
    explorer.t = 2.0
    with pytest.raises(RuntimeError, match="no ink"):
        explorer.wait(10)
    assert explorer.error == "RuntimeError: no ink"
    assert explorer.status == "This moment could not be drawn."
    explorer.t = 5.0
    explorer.wait(10)
    assert explorer.error == ""
    assert explorer.status.startswith(flow_frame(explorer.trajectory, 5.0, shown=explorer._window).sentence)


def test_a_failed_drawing_ends_a_play(explorer, monkeypatch):
    def failing(frame):
        raise RuntimeError("no ink")

    monkeypatch.setattr(explorer._function, "show", failing)
    explorer.play()
    with pytest.raises(RuntimeError, match="no ink"):
        explorer.wait(10)
    assert not explorer.playing
    assert explorer._bar.buttons.play.icon == "play"


def test_a_drawing_that_succeeds_does_not_hide_that_the_run_failed(explorer):
    explorer.data = rq.Dataset([1e200, 2.0], [1.0, 3.0])
    with pytest.raises(ValueError, match="X must stay within"):
        explorer.wait(30)
    explorer.t = 2.0
    with pytest.raises(ValueError, match="X must stay within"):
        explorer.wait(30)
    assert "X must stay within" in explorer.error
    explorer.data = DATA
    assert explorer.error == ""
    explorer.wait(60)


FLOAT_TRAITS = ("scale", "speed", "t", "rtol", "max_seconds")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan"), "1", None])
@pytest.mark.parametrize("name", FLOAT_TRAITS)
def test_only_finite_numbers_are_taken(explorer, name, value):
    before, run = getattr(explorer, name), explorer.trajectory
    with pytest.raises(T.TraitError, match=rf"^{name} must be a finite number [^.]*[^\n]*, but got [^\n]*\.$"):
        setattr(explorer, name, value)
    assert getattr(explorer, name) == before
    explorer.wait(10)
    assert explorer.trajectory is run
    assert explorer.error == ""


def test_every_float_trait_is_checked():
    floats = {name for name, trait in FlowExplorer.class_traits().items() if isinstance(trait, T.Float)}
    assert floats == set(FLOAT_TRAITS)


@pytest.mark.parametrize("frames", ["a", math.nan, 1.5, None, True])
def test_steps_are_whole_numbers(explorer, frames):
    with pytest.raises(TypeError, match=r"^step takes a whole number of frames such as 1 or -1, but got .*\.$"):
        explorer.step(frames)
    assert explorer.t == explorer.trajectory.t[-1]


def test_steps_of_numpy_and_huge_ones_are_taken(explorer):
    explorer.step(np.int64(-1))
    assert explorer.t < explorer.trajectory.t[-1]
    explorer.step(10**400)
    assert explorer.t == explorer.trajectory.t[-1]


@pytest.mark.parametrize(
    ("timeout", "kind"),
    [("x", TypeError), ([1], TypeError), (True, TypeError), (math.nan, ValueError), (-1, ValueError)],
)
def test_what_is_no_time_to_wait_is_refused(explorer, timeout, kind):
    with pytest.raises(kind, match=r"^wait takes a number of seconds .*, but got .*\.$"):
        explorer.wait(timeout)


@pytest.mark.parametrize("timeout", [None, 0, math.inf, 1e300, np.float32(3.0)])
def test_any_other_time_to_wait_is_taken(explorer, timeout):
    explorer.wait(timeout)


@pytest.mark.parametrize("X", [[1.0, 1.0, 1.0], [0.5], [3.0, 3.0 + 1e-12]])
def test_points_on_top_of_each_other(explorer, X):
    explorer.data = rq.Dataset(X, np.arange(len(X)) + 1.0)
    explorer.wait(60)
    assert explorer.trajectory.data is explorer.data
    assert explorer.error == ""


# --- what it takes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "settings", "kind", "sentence"),
    [
        ([1, 2], {}, TypeError, "explore takes a Dataset or a Trajectory, but got a list"),
        (rq.Dataset([[1.0, 2.0]], [1.0]), {}, ValueError, "one feature"),
        (rq.Dataset([1.0], [1.0], bias=False), {}, ValueError, "a bias"),
        (rq.Dataset([1.0], [[1.0, 2.0]]), {}, ValueError, "one label"),
        (DATA, {"width": 3}, TypeError, "FlowExplorer has no setting 'width'; it takes max_seconds, n_neurons"),
        (DATA, {"scale": math.nan}, T.TraitError, "^scale must be a finite number from 1e-100 to 10, but got nan.$"),
        (DATA, {"scale": 0.0}, T.TraitError, "^scale must be a finite number from 1e-100 to 10, but got 0.0.$"),
        (DATA, {"speed": math.nan}, T.TraitError, "^speed must be a finite number from 0.01 to 100, but got nan.$"),
        (DATA, {"rtol": math.nan}, T.TraitError, "^rtol must be a finite number from 1e-13 to 0.01, but got nan.$"),
        (DATA, {"max_seconds": math.inf}, T.TraitError, "^max_seconds must be a finite number of at least 0.1, "),
        (DATA, {"n_neurons": "a"}, T.TraitError, "^n_neurons must be a whole number from 1 to 10,000, but got 'a'.$"),
    ],
)
def test_bad_arguments(problem, settings, kind, sentence):
    before = set(instances)
    with pytest.raises(kind, match=sentence):
        rq.explore(problem, **settings)
    assert set(instances) == before


def test_a_construction_that_fails_half_way_leaves_nothing(monkeypatch):
    def failing(self):
        raise RuntimeError("no ink")

    monkeypatch.setattr(FlowExplorer, "_show_controls", failing)
    before = set(instances)
    with pytest.raises(RuntimeError, match="no ink"):
        rq.explore(DATA)
    assert set(instances) == before
    assert worker_threads() == []


@pytest.mark.parametrize(("name", "value"), [("n_neurons", 0), ("n_neurons", 10**6), ("scale", 0.0), ("data", None)])
def test_traits_refuse_what_is_out_of_range(explorer, name, value):
    with pytest.raises((T.TraitError, TypeError)):
        setattr(explorer, name, value)


def test_a_given_run_brings_its_own_network():
    run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=3, rng=0), DATA, t_max=0.1, progress=False)
    with pytest.raises(TypeError, match="A given run brings its own network, so explore does not take 'seed' with it."):
        rq.explore(run, seed=1)


def test_a_given_run_is_shown_without_computing_and_dragged_from_its_own_start():
    net = rq.ShallowReLU.gaussian(n_neurons=30, scale=1e-2, rng=4)
    run = rq.gradient_flow(net, DATA, t_max=100.0, progress=False)
    explorer = rq.explore(run)
    try:
        explorer.wait(30)
        assert explorer.trajectory is run
        assert repr(explorer) == "FlowExplorer(n_samples=5, n_neurons=30, given run)"
        assert 1e-3 < explorer.scale < 1e-1
        explorer.data = rq.Dataset([0.0, 1.0], [1.0, -1.0])
        explorer.wait(60)
        np.testing.assert_array_equal(explorer.trajectory.at(0.0).W, net.W)
        explorer.seed = 1
        explorer.wait(60)
        assert not np.array_equal(explorer.trajectory.at(0.0).W, net.W)
        explorer.reset()
        explorer.wait(30)
        assert explorer.trajectory is run
        assert repr(explorer).endswith("given run)")
    finally:
        explorer.close()


@pytest.mark.parametrize("n_neurons", [1, 10_000])
def test_widths(n_neurons):
    explorer = rq.explore(DATA, n_neurons=n_neurons, max_seconds=60)
    try:
        explorer.wait(120)
        assert explorer.trajectory.final.n_neurons == n_neurons
        assert explorer._function.network.x.size <= 400
        assert all(ticks.x.size <= 3 * 250 for ticks in explorer._function.ticks.values())
    finally:
        explorer.close()


def test_traits_link_to_other_widgets(explorer):
    box = W.IntText(value=0)
    link = W.link((box, "value"), (explorer, "seed"))
    box.value = 11
    assert explorer.seed == 11
    assert explorer._bar.seed.value == 11
    link.unlink()
    box.close()


def test_every_control_has_a_tooltip(explorer):
    def controls(widget):
        children = getattr(widget, "children", ())
        return [c for child in children for c in controls(child)] if children else [widget]

    interactive = (W.Button, W.Dropdown, W.Text, W.FloatLogSlider, W.IntSlider, W.BoundedIntText)
    found = [c for c in controls(explorer) if isinstance(c, interactive)]
    assert len(found) == 18
    assert all(control.tooltip for control in found)


# --- threads and leaks -----------------------------------------------------------------------------------------------


def test_an_idle_explorer_holds_no_thread(explorer):
    assert worker_threads() == []


def test_close_ends_threads_and_widgets_at_once():
    before = set(instances)
    explorer = rq.explore(rq.Dataset(np.arange(40.0), np.sin(np.arange(40.0))), n_neurons=3000, max_seconds=600)
    explorer.play()
    explorer.close()
    explorer.close()
    deadline = time.monotonic() + 30
    while worker_threads() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert worker_threads() == []
    assert set(instances) == before
    assert repr(explorer) == "FlowExplorer(closed)"


def test_wait_gives_up_in_time():
    explorer = rq.explore(rq.Dataset(np.arange(40.0), np.sin(np.arange(40.0))), n_neurons=5000, max_seconds=600)
    try:
        with pytest.raises(TimeoutError, match="still at work after"):
            explorer.wait(0.05)
    finally:
        explorer.close()


def test_a_run_beyond_its_time_is_stopped_and_shown():
    rng = np.random.default_rng(0)
    data = rq.Dataset(rng.uniform(-2, 2, 300), rng.normal(size=300))
    explorer = rq.explore(data, n_neurons=10_000, max_seconds=0.1)
    try:
        explorer.wait(60)
        assert explorer.trajectory.end == "interrupted"
        assert explorer.error.startswith("The run was stopped after 0.1 seconds at t = ")
        # More time is given to the next run; this one stays as it is, and so does what is said about it.
        stopped = explorer.trajectory
        explorer.max_seconds = 0.15
        explorer.t = 0.0
        explorer.wait(60)
        assert explorer.trajectory is stopped
        assert explorer.error.startswith("The run was stopped after 0.1 seconds at t = ")
        explorer.seed = 1
        explorer.wait(60)
        assert explorer.error.startswith("The run was stopped after 0.15 seconds at t = ")
    finally:
        explorer.close()


def test_many_explorers_leave_nothing():
    before = set(instances)
    for seed in range(10):
        explorer = rq.explore(DATA, n_neurons=5, seed=seed)
        explorer.wait(60)
        explorer.close()
    gc.collect()
    assert set(instances) == before
    assert worker_threads() == []


def test_drawing_never_makes_marks(explorer):
    before = set(instances)
    explorer.speed = 30.0
    explorer.play()
    explorer.wait(30)
    explorer.seed = 1
    explorer.wait(60)
    assert set(instances) == before


# --- files -----------------------------------------------------------------------------------------------------------


def test_what_is_shown_is_a_scene_of_the_moment(explorer):
    explorer.t = 4.0
    shown = explorer.scene()
    frame = flow_frame(explorer.trajectory, 4.0, shown=explorer._window)
    np.testing.assert_array_equal(shown.table()["function/network/y"], frame.curve_y)
    assert shown.sentence.startswith(frame.sentence)


def test_before_the_first_run_there_is_nothing_to_save(monkeypatch):
    monkeypatch.setattr(FlowExplorer, "_compute", lambda self: None)
    made = FlowExplorer(DATA)
    try:
        with pytest.raises(RuntimeError, match="no run to show yet"):
            made.scene()
    finally:
        made.close()


def test_the_button_saves_numbers_picture_and_page(explorer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("flow.npz", "flow.png", "flow.html"):
        explorer._saver.text.value = name
        explorer._saver.button.click()
        explorer.wait(120)
        assert explorer.status == f"Saved {name}."
        assert (tmp_path / name).stat().st_size > 1000
    assert "FlowExplorer(n_samples=5" in (tmp_path / "flow.html").read_text()


def test_a_file_of_no_known_kind_gets_a_sentence(explorer, tmp_path):
    explorer._saver.text.value = str(tmp_path / "flow.doc")
    explorer._saver.button.click()
    with pytest.raises(ValueError, match="saved as one of"):
        explorer.wait(30)
    assert explorer.error.startswith("A scene is saved as one of")
    explorer._saver.text.value = str(tmp_path / "flow.csv")
    explorer._saver.button.click()
    explorer.wait(30)
    assert explorer.error == ""


# --- editing data ----------------------------------------------------------------------------------------------------


def set_points(explorer, x, y):
    """What bqplot does in the kernel when a click adds or deletes a point."""
    points = explorer._function.points
    with points.hold_trait_notifications():
        points.x, points.y = np.array(x), np.array(y)


def test_clicks_add_and_delete_points(explorer):
    explorer._edit.mode.value = "add"
    assert explorer.mode == "add"
    assert explorer._function.points.interactions["click"] == "add"
    set_points(explorer, [*DATA.X[:, 0], 0.25], [*DATA.y, 0.5])
    assert explorer.data.n_samples == 6
    assert explorer.data.X[-1, 0] == 0.25
    explorer.mode = "delete"
    set_points(explorer, DATA.X[1:, 0], DATA.y[1:])
    explorer.wait(60)
    assert explorer.data.n_samples == 4
    assert explorer.trajectory.data is explorer.data


def test_the_last_point_stays(explorer):
    explorer.data = rq.Dataset([0.5], [1.0])
    explorer.mode = "delete"
    set_points(explorer, [], [])
    assert explorer.error == "One point must stay: move it, or add another before you delete it."
    np.testing.assert_array_equal(explorer._function.points.x, [0.5])
    explorer.wait(60)
    assert explorer.data.n_samples == 1


def test_a_drawn_target_gives_the_points_its_height(explorer):
    explorer.mode = "draw"
    panel = explorer._function
    assert panel.figure.interaction is not None
    x = np.array(panel.target.x)
    panel.target.y = 0.5 * x
    np.testing.assert_allclose(explorer.data.y, 0.5 * DATA.X[:, 0], atol=2e-3)
    np.testing.assert_array_equal(explorer.data.X, DATA.X)
    explorer.mode = "move"
    assert panel.figure.interaction is None
    assert panel.target.y.size == 0
    assert panel.points.enable_move


def test_undo_and_redo_walk_through_the_data(explorer):
    assert explorer._edit.undo.disabled
    other = rq.Dataset([0.0, 1.0], [1.0, 0.0])
    explorer.data = other
    # A drag is one change, however many places the point passes.
    for shift in (0.1, 0.2, 0.3):
        drag(explorer, [0.0, 1.0], [1.0, shift])
    explorer._point_dropped()
    explorer._edit.undo.click()
    assert explorer.data is other
    explorer._edit.undo.click()
    assert explorer.data is DATA
    assert explorer._edit.undo.disabled
    explorer._edit.redo.click()
    explorer._edit.redo.click()
    np.testing.assert_allclose(explorer.data.y, [1.0, 0.3])
    assert explorer._edit.redo.disabled
    np.testing.assert_allclose(explorer._function.points.y, [1.0, 0.3])


def test_presets_are_ready_data(explorer):
    explorer._edit.preset.value = "zigzag"
    explorer.wait(60)
    np.testing.assert_array_equal(explorer.data.y, rq.datasets.zigzag().y)
    explorer._points.text.value = "0 1; 1 0"
    assert explorer.preset == ""
    assert explorer._edit.preset.value == "own data"
    with pytest.raises(T.TraitError):
        explorer.preset = "nonsense"


# --- selecting and foretelling ---------------------------------------------------------------------------------------


def test_a_click_on_a_bar_selects_its_neurons_everywhere(explorer):
    frame = flow_frame(explorer.trajectory, explorer.t, shown=explorer._window)
    expected = frame.neurons.in_bar(1, 0)
    explorer._circle_event({"event": "pick", "name": "positive", "index": 0})
    assert explorer.selected == tuple(expected)
    explorer.wait(10)
    assert f"Selected: {expected.size} neurons (" in explorer.status
    kink = frame.neurons.kink[expected]
    shown = kink[(kink >= explorer._window.left) & (kink <= explorer._window.right)]
    np.testing.assert_allclose(explorer._function.rings.x, np.unique(np.round(shown, 6)))
    # Again takes it back, and so does another network.
    explorer._circle_event({"event": "pick", "name": "positive", "index": 0})
    assert explorer.selected == ()
    explorer.selected = [0, 1]
    explorer.seed = 4
    assert explorer.selected == ()


def test_a_click_on_a_diamond_selects_those_held_there(explorer):
    frame = flow_frame(explorer.trajectory, explorer.t, shown=explorer._window)
    held = frame.neurons.slides_on >= 0
    sample = frame.neurons.slides_on[held][0]
    sign = frame.neurons.sign[held][0]
    mouse(explorer, "pick", DATA.X[sample, 0], theme.RUG_LINE + sign * theme.DIAMOND_LIFT)
    mine = (frame.neurons.slides_on == sample) & (frame.neurons.sign == sign)
    assert explorer.selected == tuple(np.flatnonzero(mine))
    # Clicks are for the points while points are added.
    explorer.selected, explorer.mode = (), "add"
    mouse(explorer, "pick", DATA.X[sample, 0], theme.RUG_LINE + sign * theme.DIAMOND_LIFT)
    assert explorer.selected == ()


def mouse(explorer, event, x=0.0, height=0.0):
    """What the page tells about the mouse over the rug."""
    shown = explorer._window
    content = {"event": event, "x": (x - shown.left) / (shown.right - shown.left), "y": height}
    explorer._function.hand._handle_custom_msg(content if event != "leave" else {"event": "leave"}, [])


def test_the_mouse_over_a_tick_shows_its_neurons_in_every_view_until_it_leaves(explorer):
    explorer.t = 1.0
    explorer.wait(10)
    neurons = flow_frame(explorer.trajectory, 1.0, shown=explorer._window).neurons
    inside = (neurons.kink > explorer._window.left) & (neurons.kink < explorer._window.right)
    free = np.flatnonzero(inside & (neurons.slides_on < 0) & (neurons.sign > 0) & (neurons.state != DEAD))
    # One that has no other close by is its own tick.
    gap = [np.min(np.abs(np.delete(neurons.kink, j) - neurons.kink[j])) for j in free]
    lone = int(free[np.argmax(gap)])
    plain = explorer.status
    mouse(explorer, "hover", neurons.kink[lone], theme.RUG_LINE)
    explorer.wait(10)
    assert explorer.hovered == (lone,)
    np.testing.assert_allclose(explorer._function.rings.x, neurons.kink[lone], atol=1e-6)
    (ring,) = [m for m in explorer._circle.scene["rows"][0][0]["marks"] if m["kind"] == "dots" and m["colour"] == "ink"]
    assert len(ring["at"]) == 1
    angle = f"{math.degrees(neurons.angle[lone]):.1f}°".replace("-", "−")
    assert f"Pointed at: neuron {lone} with a > 0 at {angle}, kink at " in explorer.status
    mouse(explorer, "hover", neurons.kink[lone], 0.9)
    assert explorer.hovered == ()
    mouse(explorer, "hover", neurons.kink[lone], theme.RUG_LINE)
    mouse(explorer, "leave")
    explorer.wait(10)
    assert explorer.hovered == ()
    assert explorer.status == plain


def test_dead_bars_and_directions_that_attract_stand_for_neurons(explorer):
    explorer.t = 1.0
    explorer.wait(10)
    frame = flow_frame(explorer.trajectory, 1.0, shown=explorer._window)
    assert len(frame.bars_dead) > 0
    seen = []
    for rank in range(len(frame.bars_dead)):
        explorer._circle_event({"event": "hover", "name": "dead", "index": rank})
        seen += explorer.hovered
    assert sorted(seen) == np.flatnonzero((frame.neurons.state == DEAD) & (frame.neurons.sign != 0)).tolist()
    for sign, name in ((1, "to positive"), (-1, "to negative")):
        for rank, angle in enumerate(frame.extremal.angle[frame.extremal.sign == sign]):
            explorer._circle_event({"event": "hover", "name": name, "index": rank})
            away = np.abs((frame.neurons.angle - angle + np.pi) % (2 * np.pi) - np.pi)
            close = (away <= np.radians(1.0)) & (frame.neurons.sign == sign)
            assert explorer.hovered == tuple(np.flatnonzero(close))


def test_neurons_are_selected_by_their_numbers_and_let_go_by_escape(explorer):
    box = explorer._neuron.text
    box.value = "7, 3"
    explorer.wait(10)
    assert explorer.selected == (7, 3)
    assert "Selected: 2 neurons (7, 3) with" in explorer.status
    explorer.selected = [5]
    assert box.value == "5"
    explorer.selected = tuple(range(20))
    assert (box.value, box.placeholder) == ("", "20 of them")
    box.value = "40"
    assert explorer.error.startswith("Neurons are selected by whole numbers from 0 to 39 such as 0, but '40'")
    hovering = {"event": "hover", "name": "positive", "index": 0}
    explorer._circle_event(hovering)
    assert "whole numbers" in explorer.error
    (accessible,) = [part for part in explorer.children if isinstance(part, Accessibility)]
    accessible._handle_custom_msg({"event": "escape"}, [])
    assert explorer.selected == explorer.hovered == ()
    assert explorer.error == ""
    assert (box.value, box.placeholder) == ("", "number")


def test_numbers_of_neurons_are_checked(explorer):
    with pytest.raises(T.TraitError, match="selected must hold numbers of neurons from 0 to 39"):
        explorer.selected = (40,)


def test_the_next_escape_is_foretold_and_ticked_off(explorer):
    explorer.wait(30)
    (first, *_) = explorer.forecast
    explorer.t = first.actual / 2
    explorer.wait(10)
    assert "Next escape predicted at t = " in explorer.status
    assert explorer._time.predicted.x[0] == pytest.approx(np.log10(first.predicted))
    assert explorer._time.came.x.size == 0
    explorer.t = first.actual * 1.01
    explorer.wait(10)
    assert explorer._time.came.x[0] == pytest.approx(np.log10(first.actual))


def test_a_picture_lies_beside_the_widget_for_pages_without_a_kernel(explorer):
    import base64

    bundle = explorer._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_widget_with_nothing_to_show_yet_is_shown_without(monkeypatch):
    monkeypatch.setattr(FlowExplorer, "_compute", lambda self: None)
    made = FlowExplorer(DATA)
    try:
        assert set(made._repr_mimebundle_()) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    finally:
        made.close()


def test_the_mouse_over_a_bar_shows_its_neurons_until_it_leaves(explorer):
    frame = flow_frame(explorer.trajectory, explorer.t, shown=explorer._window)
    expected = frame.neurons.in_bar(1, 0)
    explorer.selected = [0]
    explorer._circle_event({"event": "hover", "name": "positive", "index": 0})
    explorer.wait(10)
    assert explorer.hovered == tuple(expected)
    assert f"Pointed at: {expected.size} neurons (" in explorer.status
    explorer._circle_event({"event": "leave"})
    explorer.wait(10)
    assert "Selected: neuron 0 with" in explorer.status
