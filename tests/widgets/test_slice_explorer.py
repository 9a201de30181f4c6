import gc
import warnings

import numpy as np
import pytest
import traitlets as T
from ipywidgets.widgets.widget import _instances as instances
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

import reluquant as rq
from tests.widgets.conftest import threads_left

POINTS = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [2.0, 0.0, 0.0]])
NET = rq.DeepReLU([[[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]], [[1.0, 0.0], [0.0, 1.0]]], [[0.0, -0.5], [0.0, 0.2]])


@pytest.fixture(scope="module")
def digits():
    """Images, labels, and a network of 48 and 32 neurons trained on them."""
    data = load_digits()
    X = data.data / 16
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = MLPClassifier((48, 32), max_iter=25, random_state=0).fit(X, data.target)
    return X, data.target, rq.DeepReLU([W.T for W in model.coefs_], model.intercepts_), model


@pytest.fixture
def shown(digits):
    X, y, net, _ = digits
    made = rq.SliceExplorer(net, X, y)
    made.wait(120)
    yield made
    made.close()


@pytest.fixture
def small():
    made = rq.SliceExplorer(NET, POINTS)
    made.wait(120)
    yield made
    made.close()


def event(explorer, kind, **values):
    explorer._heard({"event": kind, "panel": "slice", **values})
    explorer.wait(60)


def test_digits_are_classified_as_the_library_that_trained_them_does(shown, digits):
    X, y, _, model = digits
    assert repr(shown) == "SliceExplorer(n_images=1797, n_features=64, n_outputs=10, chosen=(0, 1, 2))"
    assert [y[k] for k in shown.chosen] == [0, 1, 2]
    texts = [mark.text for mark in shown.scene().panel("images").marks if hasattr(mark, "text")]
    says = [text.split()[1] for text in texts if text.startswith("network:")]
    mean = X[[0, 1, 2]].mean(axis=0)
    assert says == [str(k) for k in model.predict(np.vstack([X[[0, 1, 2]], mean]))]
    assert shown.status == shown.scene().sentence == shown._view.scene["sentence"]
    assert "of 80 neurons cross this window" in shown.status
    assert shown.error == ""
    assert not shown.busy
    # Each pixel of the picture is one image; the model of the other library says the same class.
    facts = shown.facts
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 240, (200, 2))
    places = facts.low + facts.side * (rows[:, ::-1] + 0.5) / 240
    said = facts.values[rows[:, 0], rows[:, 1]].argmax(axis=1)
    np.testing.assert_array_equal(said, model.predict(facts.frame.point(places)))


def test_images_are_chosen_by_number_by_steps_and_at_random(shown, digits):
    before = shown.facts
    shown._controls.choice.entries[2].value = 17
    shown.wait(60)
    assert shown.chosen == (0, 1, 17)
    assert shown.facts is not before
    shown._controls.choice.forth[0].click()
    assert shown.chosen == (0, 1, 17)
    assert shown.error.startswith("A (data point 1) and B (data point 1) are equal, so no plane is determined")
    shown._controls.choice.back[2].click()
    assert shown.chosen == (0, 1, 16)
    assert shown.error == ""
    shown._controls.choice.shuffle.click()
    shown.wait(60)
    y = digits[1]
    assert len({y[k] for k in shown.chosen}) == 3
    assert [entry.value for entry in shown._controls.choice.entries] == list(shown.chosen)


@pytest.mark.parametrize(
    ("index", "sentence"),
    [(1797, "There is no data point 1797 for B: they go from 0 to 1,796."), (-1, "There is no data point -1 for B")],
)
def test_numbers_out_of_range_get_a_sentence_and_change_nothing(shown, index, sentence):
    shown._controls.choice.entries[1].value = index
    assert shown.error.startswith(sentence)
    assert shown.chosen == (0, 1, 2)
    assert shown._controls.choice.entries[1].value == 1
    event(shown, "click", x=0.0, y=0.0)
    assert shown.error == ""


def test_three_on_a_line_are_named(small):
    sentence = r"A \(data point 0\), B \(data point 1\) and C \(data point 4\) lie on a line"
    with pytest.raises(ValueError, match=sentence):
        small.chosen = (0, 1, 4)
    small._controls.choice.entries[2].value = 4
    assert "lie on a line" in small.error
    assert small.chosen == (0, 1, 2)
    assert small._controls.choice.entries[2].value == 2


def test_the_probe_is_clicked_dragged_nudged_and_typed(small):
    event(small, "click", x=0.25, y=0.5)
    assert small.probe == (0.25, 0.5)
    event(small, "drag", name="probe", index=0, x=0.5, y=0.75)
    assert small.probe == (0.5, 0.75)
    assert "−25 % A + 50 % B + 75 % C" in small.status
    assert "network: 0 (0.5)" in small.status
    event(small, "nudge", name="probe", index=0, dx=-0.25, dy=0.0)
    assert small.probe == (0.25, 0.75)
    assert small._controls.probe.value == "0.25 0.75"
    event(small, "pick", name="corner", index=2)
    assert small.probe == (0.0, 1.0)
    small._controls.probe.value = "0.1, 0.2"
    small.wait(10)
    assert small.probe == (0.1, 0.2)
    for nonsense, sentence in (("1", "The probe is told by two shares"), ("a b", "Each share must be a number"),
                               ("1e9 0", "probe must be two shares")):  # fmt: skip
        small._controls.probe.value = nonsense
        assert small.error.startswith(sentence)
        assert small.probe == (0.1, 0.2)
        assert small._controls.probe.value == "0.1 0.2"


def test_zooming_keeps_the_place_under_the_mouse_or_the_probe(small):
    before = small.facts
    place = np.array([0.9, 0.1])
    share = (place - before.low) / before.side
    event(small, "wheel", x=0.9, y=0.1, pixels=240.0)
    assert small.zoom == pytest.approx(2.0)
    assert small.facts.side == pytest.approx(before.side / 2)
    np.testing.assert_allclose((place - small.facts.low) / small.facts.side, share)
    probe = small.facts.frame.mixture(*small.probe)
    share = (probe - small.facts.low) / small.facts.side
    small._controls.zoom.text.value = "50"
    small.wait(10)
    assert small.zoom == 50.0
    np.testing.assert_allclose((probe - small.facts.low) / small.facts.side, share)
    small._controls.zoom.text.value = "-3"
    assert "zoom must be a finite number from 0.01 to 1e+06" in small.error
    assert small._controls.zoom.text.value == "50"
    small._controls.whole.click()
    small.wait(10)
    assert small.error == ""
    assert small.facts.side == before.side
    event(small, "wheel", x=0.0, y=0.0, pixels=-1e9)
    assert small.zoom == 0.01


def test_what_is_shown_and_which_edges(shown):
    shown._controls.output.value = 3
    shown.wait(20)
    assert shown.output == 3
    assert "Output 3 is positive" in shown.status
    shown._controls.output.value = -1
    assert shown.output is None
    shown._controls.edges.value = 0.0
    shown.wait(20)
    assert "slice/edges of linear regions/x" not in shown.scene().table()
    shown.edges = 0.5
    shown.wait(20)
    few = shown.scene().table()["slice/edges of linear regions/x"].size
    shown.edges = 1.0
    shown.wait(20)
    assert 0 < few < shown.scene().table()["slice/edges of linear regions/x"].size
    with pytest.raises(ValueError, match="output must be None or from 0 to 9"):
        shown.output = 10
    with pytest.raises(T.TraitError):
        shown.edges = 1.5


def test_other_points_near_the_plane(small):
    small._controls.near.value = "1.5"
    small.wait(10)
    assert "2 other points within 1.5 of the plane" in small.status
    small._controls.near.value = "0.9"
    small.wait(10)
    assert "1 other point within 0.9 of the plane" in small.status
    event(small, "pick", name="near", index=0)
    assert small.probe == (2.0, 0.0)
    small._controls.near.value = "all"
    assert small.error == "near must be a number such as 1e-6, but 'all' was typed."
    assert small._controls.near.value == "0.9"


class Run:
    """What a training leaves behind, as small as can be."""

    t = np.array([0.0, 1.0, 2.0, 5.0])

    def at(self, t):
        return rq.DeepReLU([(1 + t) * NET.weights[0], NET.weights[1]], NET.biases)


def test_a_run_plays(tmp_path):
    made = rq.SliceExplorer(Run(), POINTS)
    try:
        made.wait(60)
        assert made.t == 5.0
        assert made._bar.box.layout.display is None
        assert made.status.startswith("t = 5: ")
        made.t = 0.0
        made.wait(20)
        static = rq.SliceExplorer(NET, POINTS)
        static.wait(20)
        np.testing.assert_allclose(made.facts.values, static.facts.values)
        assert static._bar.box.layout.display == "none"
        static.close()
        made.step(1)
        assert made.t == 1.0
        made.speed = 100.0
        made.play()
        made.wait(20)
        assert made.t == 5.0
        assert made.status.startswith("t = 5: ")
        assert made.save(tmp_path / "slice.gif").stat().st_size > 1000
        assert "SliceExplorer(n_images=5" in made.to_html()
    finally:
        made.close()


def test_a_trained_output_bias_counts():
    class Biased(Run):
        def output_bias(self, t):
            return np.array([t, -2.0])

    made = rq.SliceExplorer(Biased(), POINTS)
    try:
        made.wait(60)
        made.t = 2.0
        made.wait(20)
        places = np.array([[0.2, 0.3], [0.7, 0.1]])
        expected = Run().at(2.0)(made.facts.frame.point(places)) + np.array([2.0, -2.0])
        np.testing.assert_allclose(made.facts.plane(places), expected)
    finally:
        made.close()


def test_another_network_of_the_same_kind_can_follow(small):
    before = small.facts
    small.net = rq.DeepReLU([3.0 * NET.weights[0], NET.weights[1]], NET.biases)
    small.wait(20)
    assert not np.allclose(small.facts.values, before.values)
    with pytest.raises(ValueError, match="must have 2 outputs as the first"):
        small.net = rq.ShallowReLU(np.ones((2, 4)), np.ones(2))
    small.wait(20)
    assert small.error == ""


@pytest.mark.parametrize(
    ("arguments", "settings", "error"),
    [
        (("net", POINTS), {}, "needs a ShallowReLU"),
        ((NET, POINTS[:, :2]), {}, "takes 3 features"),
        ((NET, POINTS[[0, 1, 4]]), {}, "All data points lie on a line"),
        ((NET, POINTS), {"chosen": (0, 1)}, "goes through three"),
        ((NET, POINTS), {"chosen": (0.5, 1, 2)}, "three whole numbers"),
        ((NET, POINTS), {"chosen": (0, 1, 9)}, "There is no data point 9 for C"),
        ((NET, POINTS), {"probe": (1.0,)}, "probe must be two shares"),
        ((NET, POINTS), {"centre": (1.0, np.nan)}, "centre must be finite"),
        ((NET, POINTS), {"classes": ("a",)}, "classes must name each of 2 outputs"),
        ((NET, POINTS), {"output": 2}, "output must be None or from 0 to 1"),
        ((NET, POINTS), {"zoom": 0.0}, "zoom must be a finite number"),
        ((NET, POINTS), {"shape": (2, 2)}, "shape must be rows and columns"),
        ((NET, POINTS), {"colour": "red"}, "no setting 'colour'"),
        ((NET, POINTS, [1, 2]), {}, "labels must be one for each"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence_and_leaves_nothing(arguments, settings, error):
    before = set(instances)
    with pytest.raises((ValueError, TypeError, T.TraitError), match=error):
        rq.SliceExplorer(*arguments, **settings)
    assert set(instances) == before


def test_it_is_saved_as_picture_numbers_and_page(shown, tmp_path):
    assert shown.save(tmp_path / "slice.png").stat().st_size > 1000
    numbers = np.load(shown.save(tmp_path / "slice.npz"))
    np.testing.assert_allclose(numbers["slice/the three points A, B, C/x"], shown.facts.frame.corners[:, 0])
    assert "SliceExplorer(n_images=1797" in shown.save(tmp_path / "slice.html").read_text(encoding="utf-8")


def test_many_explorers_leave_nothing():
    before = set(instances)
    for k in range(20):
        made = rq.SliceExplorer(NET, POINTS, zoom=1.0 + k)
        if k % 2:
            made.wait(60)
        made.close()
    gc.collect()
    assert set(instances) == before
    assert threads_left() == []
    assert repr(made) == "SliceExplorer(closed)"
