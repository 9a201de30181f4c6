import gc
import math

import numpy as np
import pytest
import traitlets as T
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from tests.widgets.conftest import threads_left

X, Y = [-1.0, -0.3, 0.6, 1.2], [1.2, -1.6, 0.8, -0.4]


@pytest.fixture
def shown():
    made = rq.SectorExplorer(rq.Dataset(X, Y))
    made.wait(120)
    yield made
    made.close()


def event(explorer, kind, **values):
    explorer._heard({"event": kind, **values})
    explorer.wait(120)


def test_first_picture(shown):
    assert shown.residual == tuple(np.array(Y) / 4)
    assert len(shown.directions) == len(rq.extremal_directions(rq.Dataset(X, Y)))
    assert shown.t == shown._facts.end > 0
    assert shown.status == shown.scene().sentence
    assert shown._view.scene["sentence"] == shown.status
    assert repr(shown) == "SectorExplorer(n_samples=4, n_features=1, bias=True)"
    assert not shown.busy
    assert shown.error == ""


def test_dragging_a_residual_moves_directions_and_text(shown):
    before, window = shown.directions, shown._window
    event(shown, "drag", panel="data", name="data", index=1, x=-0.2, y=-0.123456789)
    assert shown.data.X[1, 0] == -0.2
    assert shown.residual[1] == -0.123
    np.testing.assert_allclose(shown.data.y, 4 * np.array(shown.residual))
    expected = rq.extremal_directions(shown.data, residual=shown.residual)
    assert [e.angle for e in shown.directions] == [e.angle for e in expected] != [e.angle for e in before]
    assert shown._window is window
    assert shown._points.text.value.split("; ")[1].startswith("-0.2 -0.12")


def test_samples_are_typed_added_nudged_and_deleted(shown):
    shown._points.text.value = "-1 0.3; 0 -0.5; 1 0.3"
    shown.wait(60)
    assert shown.residual == (0.3, -0.5, 0.3)
    event(shown, "click", panel="data", x=0.5, y=0.2)
    assert shown.data.n_samples == 4
    event(shown, "nudge", panel="data", name="data", index=3, dx=0.0, dy=0.1)
    assert shown.residual[3] == pytest.approx(0.3)
    for _ in range(3):
        event(shown, "delete", panel="data", name="data", index=0)
    event(shown, "delete", panel="data", name="data", index=0)
    assert shown.error.startswith("One sample must stay")
    assert shown.residual == (pytest.approx(0.3),)
    event(shown, "click", panel="data", x=0.1, y=0.2)
    assert shown.error == ""


def test_keys_faster_than_the_work_all_count_and_events_of_old_pictures_are_left_out(shown):
    for _ in range(5):
        shown._heard({"event": "nudge", "panel": "data", "name": "data", "index": 0, "dx": 0.1, "dy": 0.0})
    shown._heard({"event": "click", "panel": "data", "x": 1.0, "y": 0.1})
    shown._heard({"event": "delete", "panel": "data", "name": "data", "index": 0})
    shown.wait(60)
    assert shown.data.X[0, 0] == pytest.approx(-0.5)
    assert shown.data.n_samples in (4, 5)
    assert shown.error == ""


def test_neurons_are_dropped_moved_and_flow_to_their_ends(shown):
    event(shown, "click", panel="directions", x=0.0, y=0.7)
    assert shown.neurons[-1] == pytest.approx((0.0, 1.0, 1.0))
    found = shown._facts.paths.prediction
    assert found.fate[-1] == "aligned"
    end = shown._facts.neurons(shown._facts.end)[-1]
    assert end @ found.end[-1] > 1 - 1e-5
    shown.sign = -1
    event(shown, "click", panel="directions", x=0.5, y=0.0)
    assert shown.neurons[-1] == (1.0, 0.0, -1.0)
    event(shown, "drag", panel="directions", name="negative start", index=3, x=0.3, y=0.3)
    assert shown.neurons[-1] == pytest.approx((math.sqrt(0.5), math.sqrt(0.5), -1.0))
    event(shown, "nudge", panel="directions", name="negative start", index=3, dx=0.0216, dy=0.0)
    assert math.degrees(math.atan2(shown.neurons[-1][1], shown.neurons[-1][0])) == pytest.approx(46.0)
    count = len(shown.neurons)
    event(shown, "delete", panel="directions", name="negative start", index=3)
    assert len(shown.neurons) == count - 1
    shown._starts.text.value = "30 1; 120 -1"
    shown.wait(60)
    assert shown.neurons == (
        pytest.approx((math.cos(math.pi / 6), 0.5, 1)),
        pytest.approx((-0.5, math.sin(math.pi / 1.5), -1)),
    )
    shown._clear.click()
    shown.wait(60)
    assert shown.neurons == ()
    assert shown.t == 0.0
    event(shown, "click", panel="directions", x=0.4, y=0.4)
    assert shown.t == shown._facts.end > 0


def test_picking_tells_and_survives_a_drag(shown):
    event(shown, "pick", panel="directions", name="positive attractor", index=0)
    e = shown.directions[shown.picked]
    assert (e.kind, e.sign) == ("attractor", 1)
    assert shown.status.startswith(f"Attractor of neurons with a > 0 at {math.degrees(e.angle):.1f}°".replace("-", "−"))
    event(shown, "drag", panel="data", name="data", index=0, x=-1.0, y=0.28)
    assert shown.directions[shown.picked].kind == "attractor"
    assert shown.directions[shown.picked].angle == pytest.approx(e.angle, abs=0.2)
    kinds = [d.kind for d in shown.directions if d.sign > 0 and d.kind == "attractor"]
    place = [i for i, d in enumerate(shown.directions) if d.sign > 0 and d.kind == "attractor"].index(shown.picked)
    assert kinds
    event(shown, "pick", panel="growth", name="positive attractor", index=place)
    assert shown.picked is None


def test_the_cursor_moves_the_neurons_and_plays(shown):
    shown.t = 0.0
    shown.wait(10)
    (starts,) = (m for m in shown.scene().panel("directions").marks if getattr(m, "name", "") == "positive start")
    here = shown.scene().table()["directions/neurons, a > 0/x"]
    np.testing.assert_allclose(here, starts.x)
    shown.speed = 30.0
    shown.play()
    shown.wait(30)
    assert shown.t == shown._facts.end
    shown.t = 1e300
    assert shown.t == shown._facts.end
    shown.step(-1)
    assert 0 < shown.t < shown._facts.end


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Samples must be inputs and a residual such as -1 0.3; 0 -0.5, separated by semicolons."),
        ("1 2 3", "Samples must be inputs and a residual such as -1 0.3; 0 -0.5, separated by semicolons."),
        ("one 2", "Each coordinate must be a number such as 1e-6, but 'one' was typed."),
        ("; ".join(f"{k} 1" for k in range(61)), "The explorer shows at most 60 samples, but these are 61."),
    ],
)
def test_nonsense_gets_a_sentence_and_changes_nothing(shown, text, sentence):
    before = shown.data
    shown._points.text.value = text
    assert shown.error == sentence
    assert shown.data is before
    event(shown, "click", panel="directions", x=0.4, y=0.4)
    assert shown.error == ""
    assert shown._points.text.value.startswith("-1 0.3;")


def test_points_on_top_of_each_other_and_huge_numbers_leave_it_usable(shown):
    shown._points.text.value = "0 1; 0 -1; 0 0"
    shown.wait(60)
    assert shown.error == ""
    shown._points.text.value = "0 1e300; 1 -1e300"
    with pytest.raises(ValueError, match="."):
        shown.wait(60)
    assert shown.error
    shown._points.text.value = "0 1; 1 -1"
    shown.wait(60)
    assert shown.error == ""
    assert shown.residual == (1.0, -1.0)


def test_neurons_that_are_none_are_refused(shown):
    shown._starts.text.value = "30"
    assert shown.error.startswith("Neurons must be written such as 30 1; 120 -1")
    shown._starts.text.value = "30 2"
    assert shown.error.startswith("Each neuron is 2 weights, not all of them 0, and the sign")
    with pytest.raises(ValueError, match="at most 40 neurons"):
        shown.neurons = ((1.0, 0.0, 1.0),) * 41
    with pytest.raises(T.TraitError):
        shown.sign = 2


def test_residuals_of_a_function_that_is_there():
    with pytest.raises(ValueError, match="one number for each of 4 samples"):
        rq.SectorExplorer(rq.Dataset(X, Y), residual=(1.0,))
    made = rq.SectorExplorer(rq.Dataset(X, Y), residual=(0.1, 0.2, -0.1, 0.3))
    try:
        made.wait(60)
        expected = rq.extremal_directions(rq.Dataset(X, Y), residual=[0.1, 0.2, -0.1, 0.3])
        assert [e.angle for e in made.directions] == [e.angle for e in expected]
        made.data = rq.Dataset([0.0, 1.0], [2.0, -2.0])
        made.wait(60)
        assert made.residual == (1.0, -1.0)
    finally:
        made.close()


def test_two_inputs_on_circle_and_sphere(tmp_path):
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(5, 2)), rng.normal(size=5)
    for bias in (False, True):
        made = rq.SectorExplorer(rq.Dataset(inputs, labels, bias=bias))
        try:
            made.wait(120)
            assert made.error == ""
            name = "positive data" if labels[0] > 0 else "negative data"
            event(made, "drag", panel="data", name=name, index=0, x=0.25, y=0.5)
            np.testing.assert_array_equal(made.data.X[0], [0.25, 0.5])
            count = len(made.neurons)
            event(made, "click", panel="directions", x=0.1, y=0.2)
            assert len(made.neurons) == count + 1
            before = made.azimuth
            event(made, "turn", panel="directions", dx=10.0, dy=1e6)
            assert made.azimuth < before
            assert made.elevation == math.pi / 2
            event(made, "nudge", panel="directions", name="positive start", index=0, dx=0.02, dy=0.0)
            assert made.error == ""
            made.save(tmp_path / f"{bias}.png")
            made._points.text.value = "0 0 1; 1 2 -1"
            made.wait(60)
            assert made.data.n_samples == 2
            with pytest.raises(ValueError, match="features and bias of the first"):
                made.data = rq.Dataset(X, Y)
        finally:
            made.close()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ([1.0], TypeError),
        (rq.Dataset(np.zeros((3, 3)), np.zeros(3)), ValueError),
        (rq.Dataset([1.0], [1.0], bias=False), ValueError),
        (rq.Dataset([0.0, 1.0], [[1.0, 1.0], [0.0, 2.0]]), ValueError),
        (rq.Dataset(np.arange(99.0), np.arange(99.0)), ValueError),
        (rq.Dataset([[0.0, 0.0]], [1.0], bias=False), ValueError),
    ],
)
def test_other_data_are_refused(data, error):
    with pytest.raises(error, match="SectorExplorer|Some input must differ from zero"):
        rq.SectorExplorer(data)


def test_it_is_saved_as_numbers_and_as_a_page(shown, tmp_path):
    assert "SectorExplorer(n_samples=4" in shown.save(tmp_path / "sectors.html").read_text(encoding="utf-8")
    numbers = np.load(shown.save(tmp_path / "sectors.npz"))
    np.testing.assert_allclose(numbers["data/residual (drag)/y"], shown.residual)


def test_many_explorers_leave_nothing():
    before = set(instances)
    for k in range(20):
        made = rq.SectorExplorer(rq.Dataset([0.0, 1.0, 2.0 + k], [1.0, -1.0, 0.5]))
        if k % 2:
            made.wait(60)
        made.close()
    gc.collect()
    assert set(instances) == before
    assert threads_left() == []
    assert repr(made) == "SectorExplorer(closed)"
