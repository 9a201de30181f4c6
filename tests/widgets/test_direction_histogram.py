import gc

import numpy as np
import pytest
import traitlets as T
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from reluquant.views.direction_histogram_scene import direction_scene
from reluquant.views.direction_sphere_scene import View
from reluquant.views.direction_weight import Weight
from reluquant.views.packed_scene import packed_scene
from reluquant.widgets.accessibility import Accessibility
from reluquant.widgets.direction_histogram import DirectionHistogram
from tests.widgets.conftest import DATA, worker_threads

PLANE = np.random.default_rng(3).standard_normal((5, 2))
WIDE = np.random.default_rng(4).standard_normal((6, 4))


def run(data, n_neurons=40, t_max=4.0):
    net = rq.ShallowReLU.balanced(n_features=data.n_features, n_neurons=n_neurons, scale=1e-3, rng=0, bias=data.bias)
    return rq.gradient_flow(net, data, t_max=t_max, rtol=1e-4, progress=False)


@pytest.fixture(scope="module")
def line():
    return run(DATA)


@pytest.fixture(scope="module")
def plane():
    return run(rq.Dataset(PLANE, PLANE[:, 0] * PLANE[:, 1]))


@pytest.fixture(scope="module")
def wide():
    return run(rq.Dataset(WIDE, WIDE[:, 0]))


@pytest.fixture
def show():
    shown = []

    def make(trajectory, **settings):
        shown.append(DirectionHistogram(trajectory, **settings))
        shown[-1].wait(120)
        return shown[-1]

    yield make
    for histogram in shown:
        histogram.close()


def click(histogram, panel, x, y, event="click"):
    histogram._view._handle_custom_msg({"event": event, "panel": panel, "name": "n", "index": 0, "x": x, "y": y}, [])
    histogram.wait(20)



def test_first_picture_is_the_end_of_the_run(show, line):
    histogram = show(line)
    assert histogram.t == line.t[-1]
    assert not histogram.busy
    expected = direction_scene(histogram._frames, 4.0)
    assert histogram._view.scene == packed_scene(expected)
    assert histogram.status == expected.sentence
    assert histogram.error == ""


def test_text_form_names_the_configuration_only(show, line):
    histogram = show(line, weight="mass")
    assert repr(histogram) == "DirectionHistogram(n_neurons=40, dimension=2, weight='mass')"
    histogram.t = 1.0
    assert histogram._repr_mimebundle_()["text/plain"] == repr(histogram)


def test_time_weight_and_selection_move_the_picture(show, line):
    histogram = show(line)
    pictures = [histogram._view.scene]
    for name, value in (("t", 1.0), ("weight", "log-norm"), ("selected", [0, 3])):
        setattr(histogram, name, value)
        histogram.wait(20)
        assert histogram._view.scene != pictures[-1]
        pictures.append(histogram._view.scene)
    expected = direction_scene(histogram._frames, 1.0, weight=Weight.LOG_NORM, selected=np.array([0, 3]))
    assert pictures[-1] == packed_scene(expected)
    assert histogram._weight.value == "log-norm"
    assert "Selected: 2 neurons (0, 3)" in histogram.status


def test_a_play_runs_through_moments_that_are_ready(show, line):
    histogram = show(line)
    assert histogram._playback.grid.tolist() == histogram._frames.grid.tolist()
    seen = []
    histogram.observe(lambda change: seen.append(change.new), names="t")
    histogram.speed = 20.0
    histogram.play()
    histogram.wait(30)
    assert not histogram.playing
    assert min(seen) == 0.0
    assert histogram.t == 4.0
    assert set(seen) <= set(histogram._frames.ready())
    histogram.step(-1)
    assert histogram.t == histogram._frames.grid[-2]


def test_the_play_head_is_dragged_and_stepped(show, line):
    histogram = show(line)
    histogram.play()
    drag = {"event": "drag", "panel": "loss", "name": "head", "index": 0, "x": 0.0, "y": 1.0}
    histogram._view._handle_custom_msg(drag, [])
    assert not histogram.playing
    assert histogram.t == pytest.approx(1.0, rel=0.05)
    before = histogram.t
    nudge = {"event": "nudge", "panel": "loss", "name": "head", "index": 0, "dx": -0.1, "dy": 0.0}
    histogram._view._handle_custom_msg(nudge, [])
    assert histogram.t < before
    histogram.wait(20)
    histogram._bar.slider.value = 0
    assert histogram.t == 0.0


def test_with_no_time_to_prepare_a_play_has_the_end_and_a_time_is_computed_when_asked_for(show, line):
    histogram = show(line, max_seconds=0.0)
    few = histogram._frames.ready().size
    assert few < histogram._frames.grid.size
    assert f"{few} of {histogram._frames.grid.size} moments of the play are ready" in histogram.status
    histogram.t = 0.37
    histogram.wait(20)
    assert "t = 0.37" in histogram.status


def test_a_click_on_a_bar_selects_its_neurons_and_a_second_one_takes_it_back(show, line):
    histogram = show(line)
    net = line.final
    neuron = int(np.argmax(np.where(net.a < 0, net.norms, 0)))
    x, y = 0.5 * net.W[neuron] / net.norms[neuron]
    click(histogram, "directions", x, y, "pick")
    assert neuron in histogram.selected
    assert np.all(net.a[histogram.selected] < 0)
    with pytest.raises(ValueError, match="read-only"):
        histogram.selected[0] = 1
    click(histogram, "directions", x, y, "pick")
    assert histogram.selected.size == 0
    click(histogram, "directions", 0.0, 0.0)
    assert histogram.error == ""


@pytest.mark.parametrize(("problem", "panel"), [("line", "directions"), ("plane", "positive"), ("plane", "negative")])
def test_the_mouse_over_a_mark_shows_its_neurons_until_it_leaves(show, request, problem, panel):
    run = request.getfixturevalue(problem)
    histogram = show(run, azimuth=0.0, elevation=90.0, selected=[1])
    net, sign = run.final, -1 if panel == "negative" else 1
    towards = net.W[:, 2] if problem == "plane" else np.ones(net.n_neurons)
    neuron = int(np.argmax(np.where((sign * net.a > 0) & (towards > 0), net.norms, 0)))
    direction = net.W[neuron] / net.norms[neuron]
    # Seen from above, the second axis points to the right and the first one down.
    x, y = 0.8 * direction if problem == "line" else (direction[1], -direction[0])
    histogram._view._handle_custom_msg({"event": "hover", "panel": panel, "name": "n", "index": 0, "x": x, "y": y}, [])
    histogram.wait(20)
    assert neuron in histogram.hovered
    assert np.all(sign * net.a[histogram.hovered] > 0)
    expected = direction_scene(
        histogram._frames, histogram.t, selected=histogram.hovered, view=View(azimuth=0.0, elevation=90.0)
    )
    assert [packed["marks"] for row in histogram._view.scene["rows"] for packed in row] == [
        packed["marks"] for row in packed_scene(expected)["rows"] for packed in row
    ]
    assert "Pointed at: " in histogram.status
    histogram._view._handle_custom_msg({"event": "leave", "panel": panel}, [])
    histogram.wait(20)
    assert histogram.hovered.size == 0
    assert "Selected: neuron 1 with" in histogram.status


def test_neurons_are_selected_by_their_numbers_and_let_go_by_escape(show, line):
    histogram = show(line)
    histogram._neuron.text.value = "9, 4"
    assert histogram.selected.tolist() == [4, 9]
    histogram._neuron.text.value = "3"
    histogram.wait(20)
    net = line.final
    angle = f"{np.degrees(np.arctan2(net.W[3, 1], net.W[3, 0])):.1f}°".replace("-", "−")
    assert f"Selected: neuron 3 with a {'>' if net.a[3] > 0 else '<'} 0, at {angle}, kink at " in histogram.status
    histogram._neuron.text.value = "1.5"
    assert histogram.error.startswith("Neurons are selected by whole numbers from 0 to 39")
    (accessible,) = [part for part in histogram.children if isinstance(part, Accessibility)]
    accessible._handle_custom_msg({"event": "escape"}, [])
    assert histogram.selected.size == 0
    assert histogram.error == ""


def test_a_bar_can_be_selected_by_its_angle(show, line):
    histogram = show(line)
    angles = np.degrees(np.arctan2(line.final.W[:, 1], line.final.W[:, 0]))
    histogram._select.value = f"{angles[7]:.1f}°".replace("-", "−")
    histogram.wait(20)
    assert 7 in histogram.selected
    assert np.all(np.abs((angles[histogram.selected] - angles[7] + 180) % 360 - 180) <= 3.1)
    histogram._select.value = ""
    assert histogram.selected.size == 0
    histogram._select.value = "north"
    assert histogram.error == "Each number must be a number such as 1e-6, but 'north' was typed."
    histogram._select.value = "1 2"
    assert histogram.error.startswith("Select by the angle of a bar in degrees")
    histogram.weight = "mass"
    assert histogram.error == ""


def test_a_sphere_turns_by_drags_and_by_numbers_and_selects_what_is_near(show, plane):
    histogram = show(plane, azimuth=10.0, elevation=5.0)
    before = histogram._view.scene
    histogram._view._handle_custom_msg({"event": "turn", "panel": "positive", "dx": 50.0, "dy": 25.0}, [])
    histogram.wait(20)
    assert (histogram.azimuth, histogram.elevation) == (-10.0, 15.0)
    assert histogram._view.scene["rows"] != before["rows"]
    assert [entry.value for entry in histogram._turn] == ["-10", "15"]
    histogram._turn[0].value = "120"
    assert histogram.azimuth == 120.0
    for text in ("up", "95", "1 2", ""):
        histogram._turn[1].value = text
        assert "elevation" in histogram.error
        assert histogram.elevation == 15.0
        assert histogram._turn[1].value == "15"
    histogram._view._handle_custom_msg({"event": "turn", "panel": "positive", "dx": 0.0, "dy": 1e9}, [])
    assert histogram.elevation == 90.0
    w = plane.final.W[0] / plane.final.norms[0]
    histogram._select.value = f"{np.degrees(np.arctan2(w[1], w[0]))} {np.degrees(np.arcsin(w[2]))}"
    histogram.wait(20)
    assert 0 in histogram.selected


def test_a_heat_map_selects_clusters(show, wide):
    histogram = show(wide)
    assert [panel.name for panel in histogram.scene().panels()] == ["angles", "scale", "clusters", "loss"]
    click(histogram, "clusters", 1.0, -0.5)
    first = histogram.selected
    assert first.size > 0
    click(histogram, "clusters", 1.0, -0.5)
    histogram._select.value = "1"
    np.testing.assert_array_equal(histogram.selected, first)
    for y in (20.0, -1.0, 1e9):
        click(histogram, "angles", 3.0, y)
    click(histogram, "scale", 0.5, 30.0)
    assert histogram.error == ""
    histogram.t = 0.0
    before = histogram.scene().panel("angles").title, histogram._view.scene
    histogram.order = "now"
    histogram.wait(20)
    assert histogram._view.scene != before[1]


def test_another_run_takes_the_place_of_the_first(show, line, plane):
    histogram = show(line, selected=[1])
    histogram.trajectory = plane
    histogram.wait(120)
    assert histogram.selected.size == 0
    assert [panel.name for panel in histogram.scene().panels()] == ["positive", "negative", "loss"]
    assert histogram._turn[0].layout.display is None
    assert histogram._order.layout.display == "none"


def test_bad_arguments_say_what_was_expected(line):
    with pytest.raises(TypeError, match="takes a Trajectory, as rq.gradient_flow returns it, but got an object"):
        DirectionHistogram(DATA)
    with pytest.raises(TypeError, match="has no setting 'colour'"):
        DirectionHistogram(line, colour="red")
    for name, value in (
        ("weight", "volume"), ("elevation", 91), ("azimuth", float("nan")), ("selected", [0.5]), ("selected", [40]),
        ("selected", [[1]]), ("selected", -1), ("order", "never"),
    ):  # fmt: skip
        with pytest.raises(T.TraitError):
            DirectionHistogram(line, **{name: value})


def test_files_need_no_browser(show, line, tmp_path):
    histogram = show(line)
    page = histogram.to_html()
    assert page.count("Fitting") + page.count("Alignment") >= histogram._frames.grid.size
    for name in ("a.png", "a.csv"):
        assert histogram.save(tmp_path / name).stat().st_size > 1000


def test_before_the_first_picture_there_is_no_scene(line):
    histogram = DirectionHistogram(line)
    histogram._frames = None
    with pytest.raises(RuntimeError, match="histogram.wait"):
        histogram.scene()
    histogram.close()
    assert repr(histogram) == "DirectionHistogram(closed)"


def test_twenty_constructions_leak_nothing(line):
    DirectionHistogram(line).close()
    gc.collect()
    before = len(instances)
    for _ in range(20):
        DirectionHistogram(line, max_seconds=0.0).close()
    gc.collect()
    assert len(instances) == before
    for thread in worker_threads():
        thread.join(10)
    assert not worker_threads()
