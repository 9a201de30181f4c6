import time

import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.deep_pieces import slice_in_window
from reluquant.views.image_marks import image_marks, picture_shape
from reluquant.views.network_run import network_run
from reluquant.views.packed_scene import packed_scene
from reluquant.views.scene import Area, Label, Raster
from reluquant.views.scene_figure import scene_figure
from reluquant.views.slice_facts import GRID, slice_facts
from reluquant.views.slice_images import slice_data
from reluquant.views.slice_scene import slice_scene

RNG = np.random.default_rng(0)
IMAGES = RNG.random((30, 16))
LABELS = RNG.integers(0, 3, 30)
NET = rq.DeepReLU([RNG.standard_normal((20, 16)), RNG.standard_normal((3, 20))], [RNG.standard_normal(20), np.zeros(3)])
DATA = slice_data(IMAGES, LABELS)
CHOSEN = (3, 7, 12)
FRAME = DATA.frame(CHOSEN)
PROBE = FRAME.mixture(0.2, 0.5)


def facts(**settings):
    return slice_facts(FRAME, FRAME.restricted(NET), **settings)


def scene(found=None, distance=0.0, **settings):
    return slice_scene(found or facts(), DATA.around(FRAME, CHOSEN, distance), PROBE, **settings)


def marks(panel, label):
    return [mark for mark in panel.marks if getattr(mark, "label", "") == label]


def test_edges_and_boundaries_are_those_of_the_window_in_space():
    found = facts()
    corner = FRAME.point(found.low[None])[0]
    window = (corner, found.side * FRAME.axes[0], found.side * FRAME.axes[1])
    direct = slice_in_window(NET, window)
    assert found.found.n_regions == direct.n_regions
    assert f"{direct.n_regions} linear regions" in scene(found).sentence
    table = scene(found).table()
    # On each edge a neuron is zero; on each boundary two outputs are equal and the largest.
    x = np.column_stack([table["slice/edges of linear regions/x"], table["slice/edges of linear regions/y"]])
    z = FRAME.point(x[~np.isnan(x[:, 0])]) @ NET.weights[0].T + NET.biases[0]
    np.testing.assert_allclose(np.abs(z).min(axis=1), 0, atol=1e-12)
    x = np.column_stack([table["slice/decision boundaries/x"], table["slice/decision boundaries/y"]])
    outputs = np.sort(NET(FRAME.point(x[~np.isnan(x[:, 0])])), axis=1)
    np.testing.assert_allclose(outputs[:, -1], outputs[:, -2], atol=1e-12)


def test_colours_are_those_of_the_forward_pass():
    found = facts()
    pixels = found.low + found.side * (np.stack(np.meshgrid(*2 * [np.arange(GRID) + 0.5]), axis=-1) / GRID)
    expected = NET(FRAME.point(pixels.reshape(-1, 2))).reshape(GRID, GRID, 3)
    np.testing.assert_allclose(found.values, expected, atol=1e-11)
    panel = scene(found).panel("slice")
    raster = next(mark for mark in panel.marks if isinstance(mark, Raster))
    winner = expected.argmax(axis=-1)[::-1]
    colours = [np.unique(raster.rgba[winner == k], axis=0) for k in np.unique(winner)]
    assert all(len(colour) == 1 for colour in colours)
    assert len(np.unique(np.concatenate(colours), axis=0)) == len(colours) > 1
    names = {mark.text for mark in panel.marks if isinstance(mark, Label)} - {"A", "B", "C"}
    assert names <= {str(k) for k in np.unique(winner)}
    assert names


def test_a_region_bears_its_name_inside():
    found = facts()
    for mark in scene(found, classes=("cat", "dog", "emu")).panel("slice").marks:
        if isinstance(mark, Label) and mark.text not in "ABC":
            outputs = NET(FRAME.point([[mark.x, mark.y]]))[0]
            assert ("cat", "dog", "emu")[outputs.argmax()] == mark.text


def test_one_output_has_its_zero_level_and_colours_by_sign():
    found = facts(output=0)
    shown = scene(found)
    table = shown.table()
    x = np.column_stack([table["slice/zero level/x"], table["slice/zero level/y"]])
    np.testing.assert_allclose(NET(FRAME.point(x[~np.isnan(x[:, 0])]))[:, 0], 0, atol=1e-12)
    raster = next(mark for mark in shown.panel("slice").marks if isinstance(mark, Raster))
    values = found.values[::-1, :, 0]
    blue = raster.rgba[..., 2] > raster.rgba[..., 0]
    np.testing.assert_array_equal(blue, values > 0)
    alpha = raster.rgba[..., 3].astype(float)
    np.testing.assert_allclose(alpha / 255, np.abs(values) / np.abs(values).max(), atol=0.003)
    share = np.mean(values > 0)
    assert "Output 0 is positive on" in shown.sentence
    assert found.decisions.shares[1] == pytest.approx(share, abs=0.01)


def test_long_names_are_cut_in_the_picture_and_whole_in_the_sentence():
    classes = ("a small dog of the neighbours", "cat", "emu")
    data = slice_data(IMAGES, ["some very long label"] * 30)
    shown = slice_scene(facts(), data.around(FRAME, CHOSEN, 0.0), PROBE, classes=classes)
    texts = [mark.text for mark in shown.panel("images").marks if isinstance(mark, Label)]
    assert "A: № 3, some very lo…" in texts
    assert any(text.endswith("a small …") for text in texts)
    assert classes[0] in shown.sentence
    (corner,) = marks(shown.panel("slice"), "the three points A, B, C")
    assert corner.titles[0] == "A: № 3, some very long label"


def test_the_probe_and_the_three_points_with_outputs_and_pictures():
    shown = scene(movable=True)
    (probe,) = marks(shown.panel("slice"), "probe (drag)")
    assert (probe.x[0], probe.y[0]) == tuple(PROBE)
    texts = [mark.text for mark in shown.panel("images").marks if isinstance(mark, Label)]
    point = np.array([0.3, 0.2, 0.5]) @ IMAGES[list(CHOSEN)]
    outputs = NET([point])[0]
    active = np.count_nonzero(NET.weights[0] @ point + NET.biases[0] > 0)
    assert f"network: {outputs.argmax()} ({outputs.max():.3g})".replace("-", "−") in texts
    assert f"{active} of 20 neurons active" in texts
    assert "probe = 30 % A + 20 % B + 50 % C" in texts
    assert [text for text in texts if text[0] in "ABC"] == [
        f"{name}: № {k}, label {LABELS[k]}" for name, k in zip("ABC", CHOSEN, strict=True)
    ]
    region = shown.sentence
    assert f"{active} of 20 neurons active" in region
    cell = facts().found.pieces.locate((PROBE[None] - facts().low) / facts().side)[0]
    assert facts().found.pieces.patterns[cell].sum() == active
    rasters = [mark for mark in shown.panel("images").marks if isinstance(mark, Raster)]
    grey = rasters[3].rgba[..., 0]
    block = grey.shape[0] // 4
    pixels = grey.reshape(4, block, 4, block)
    assert np.ptp(pixels, axis=(1, 3)).max() == 0
    darker = np.argsort(pixels[:, 0, :, 0].ravel(), kind="stable")
    np.testing.assert_array_equal(np.sort(point[darker])[::-1], point[darker])


def test_other_points_near_the_plane_are_at_their_feet():
    everything = scene(distance=1e9)
    (near,) = marks(everything.panel("slice"), "other points near the plane")
    assert near.x.size == 27
    away = [float(title.rsplit(", ", 1)[1].split()[0]) for title in near.titles]
    assert away == sorted(away)
    first = int(near.titles[0].split(",")[0].removeprefix("№ "))
    foot = FRAME.point([[near.x[0], near.y[0]]])[0]
    assert np.linalg.norm(IMAGES[first] - foot) == pytest.approx(away[0], rel=1e-2)
    assert "27 other points within 1.0e+09 of the plane" in everything.sentence
    assert "1 other point within" in scene(distance=away[0] * 1.01).sentence
    assert not marks(scene().panel("slice"), "other points near the plane")


def test_edges_of_some_neurons_or_none():
    found = facts()
    j = int(found.owners[0])
    shown = scene(found, neurons=np.arange(20) == j)
    assert "edges of 1 neurons are drawn" in shown.sentence
    table = shown.table()
    x = np.column_stack([table["slice/edges of linear regions/x"], table["slice/edges of linear regions/y"]])[:2]
    np.testing.assert_allclose(FRAME.point(x) @ NET.weights[0][j] + NET.biases[0][j], 0, atol=1e-12)
    assert table["slice/edges of linear regions/x"].size == 3
    assert not marks(scene(neurons=np.zeros(20, dtype=bool)).panel("slice"), "edges of linear regions")


@pytest.mark.slow
def test_a_thousand_neurons_of_784_inputs_are_drawn_in_a_second():
    rng = np.random.default_rng(0)
    images = (rng.random((3, 784)) > 0.8) * rng.random((3, 784))
    net = rq.DeepReLU([rng.standard_normal((1024, 784)) / 20, rng.standard_normal((10, 1024)) / 22],
                      [rng.standard_normal(1024) / 3, np.zeros(10)])  # fmt: skip
    data = slice_data(images)
    facts()
    began = time.process_time()
    frame = data.frame((0, 1, 2))
    found = slice_facts(frame, frame.restricted(net), zoom=2.0)
    packed_scene(slice_scene(found, data.around(frame, (0, 1, 2), 0.0), PROBE))
    took = time.process_time() - began
    assert found.found.n_regions > 30_000
    # Half a second to a second on a quiet machine; one that others use is slower.
    assert took < 2.0


def test_too_many_regions_leave_colours_and_say_so():
    full, cut = facts(), facts(most=3)
    assert cut.found is None
    np.testing.assert_allclose(cut.values, full.values, atol=1e-11)
    shown = scene(cut)
    assert shown.sentence.startswith("There are more linear regions in this window than can be drawn: zoom in")
    packed_scene(shown)
    scene_figure(shown)


def test_a_window_is_zoomed_about_its_centre():
    found = facts(zoom=4.0, centre=PROBE)
    assert found.side == pytest.approx(facts().side / 4)
    np.testing.assert_allclose(found.low + found.side / 2, PROBE)
    assert found.found.n_regions < facts().found.n_regions


def test_one_output_and_few_features_are_drawn_as_bars():
    net = rq.ShallowReLU([[1.0, 0.0, 0.0, -0.3], [0.0, 1.0, 0.0, -0.3]], [1.0, -1.0])
    data = slice_data([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, -1.0]])
    frame = data.frame((0, 1, 2))
    found = slice_facts(frame, frame.restricted(net))
    shown = slice_scene(found, data.around(frame, (0, 1, 2), 0.0), frame.mixture(0.5, 0.2))
    assert "f = 0.2" in shown.sentence
    assert "f is positive on" in shown.sentence
    assert sum(isinstance(mark, Area) for mark in shown.panel("images").marks) == 4
    packed_scene(shown)


def test_a_profile_reaches_from_zero_to_its_values():
    area, *_ = image_marks(np.array([0.5, -1.0]), (1, 2), (-1.0, 1.0), (10.0, 20.0, 100.0))
    corners = area.polygons[0]
    np.testing.assert_allclose(corners[[0, -1], 1], 70.0)
    np.testing.assert_allclose(corners[1:-1], [[10, 95], [60, 95], [60, 20], [110, 20]])


def test_pictures_have_square_pixels():
    assert picture_shape(64) == (8, 8)
    raster, _ = image_marks(np.arange(8.0), (2, 4), (0.0, 7.0), (0.0, 0.0, 100.0))
    assert raster.x_range == (0.0, 100.0)
    assert raster.y_range == (25.0, 75.0)
    assert raster.rgba[0, 0, 0] == 255
    assert raster.rgba[-1, -1, 0] == 20


@pytest.mark.parametrize(
    ("images", "labels", "shape", "sentence"),
    [
        (np.eye(2), None, (), "at least three rows"),
        (np.zeros(5), None, (), "at least three rows"),
        ([["a", "b"]] * 3, None, (), "must hold real numbers"),
        (np.full((3, 2), np.nan), None, (), "must be finite"),
        (np.eye(3), [1, 2], (), "labels must be one for each of 3 images"),
        (np.eye(3), None, (2, 2), "shape must be rows and columns of 3 features"),
        (np.zeros((3, 1)), None, (), "at least two features"),
    ],
)
def test_data_that_are_none_get_a_sentence(images, labels, shape, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        slice_data(images, labels, shape)


def test_first_and_random_threes_make_planes_of_three_labels():
    assert slice_data(np.eye(5), ["b", "b", "a", "c", "c"]).first_three() == (0, 2, 3)
    line = np.column_stack([np.arange(6.0), np.arange(6.0)])
    with pytest.raises(ValueError, match="All data points lie on a line"):
        slice_data(line).first_three()
    line[5, 0] = 9
    assert slice_data(line).first_three() == (0, 1, 5)
    for k in range(20):
        chosen = DATA.shuffled(np.random.default_rng(k))
        assert len({LABELS[i] for i in chosen}) == 3
    assert slice_data(np.zeros((4, 3, 5)) + np.arange(4)[:, None, None]).shape == (3, 5)


def test_a_run_is_networks_over_time():
    data = rq.Dataset([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    start = rq.ShallowReLU.balanced(n_features=2, n_neurons=8, scale=0.3, rng=0)
    start = rq.ShallowReLU(start.W, np.column_stack([start.a, -start.a]))
    run = rq.gradient_descent(start, data, lr=0.1, n_steps=300, progress=False)
    seen = network_run(run, 2)
    assert seen.plays
    assert seen.grid.size <= 120
    assert (seen.grid[0], seen.grid[-1], seen.n_outputs) == (run.t[0], run.t[-1], 2)
    net, _ = seen.at(float(seen.grid[-1]))
    np.testing.assert_array_equal(net.W, run.final.W)
    with pytest.raises(ValueError, match="takes 2 features, but the data points have 3"):
        network_run(run, 3)
    with pytest.raises(ValueError, match="at most 100 outputs, but the network has 101"):
        network_run(rq.DeepReLU([np.ones((101, 3))], [np.ones(101)]), 3)
    with pytest.raises(TypeError, match="needs a ShallowReLU, a DeepReLU, or a run"):
        network_run("net", 3)
