"""The pictures of network and interpolant against the functions themselves."""

import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.flips import flips
from reluquant.views.interpolation_scene import half_range, interpolation_scene
from reluquant.views.interpolation_words import bounds_at, bounds_words, networks_at
from reluquant.views.packed_scene import packed_scene
from reluquant.views.planar_interpolation_scene import planar_interpolation_scene
from reluquant.views.scene import Raster
from reluquant.views.sentences import number

PLANE = rq.Dataset(
    [[-1.0, -1.0], [1.0, -0.9], [1.1, 1.0], [-0.9, 1.1], [0.1, 0.0], [0.4, 0.6]], [0.5, -0.5, 0.6, -0.4, 0.9, 0.1]
)


@pytest.fixture(scope="module")
def plane_run():
    net = rq.ShallowReLU.balanced(n_features=2, n_neurons=12, scale=0.3, rng=1)
    return rq.gradient_flow(net, PLANE, t_max=20.0, rtol=1e-5, progress=False)


def mark(panel, label):
    return next(mark for mark in panel.marks if getattr(mark, "label", "") == label)


@pytest.mark.parametrize("method", ["delaunay", "fewest_pieces"])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_difference_is_drawn_as_it_is_and_nothing_exceeds_the_sup(run, method, share):
    t = share * float(run.t[-1])
    net, g = run.at(t), rq.interpolate(run.data, method=method)
    curve = mark(interpolation_scene(run, t, method=method).panel("difference"), "f − g")
    np.testing.assert_allclose(curve.y, net(curve.x) - g(curve.x), atol=1e-8)
    assert np.abs(curve.y).max() <= rq.compare(net, g).sup * (1 + 1e-9)
    assert (curve.x[0], curve.x[-1]) == (run.data.X.min(), run.data.X.max())


def test_bounds_in_the_sentence_are_those_of_the_analysis(run):
    t = float(run.t[-1]) / 2
    bounds = rq.interpolation_bounds(run.at(t), rq.triangulate(run.data.X), lipschitz=0.0, curvature=9.0)
    sentence = interpolation_scene(run, t, lipschitz=0.0, curvature=9.0).sentence
    assert f"by its neurons {number(bounds.largest['relu'])} (holds)" in sentence
    assert f"by curvature {number(bounds.largest['curvature'])} (holds)" in sentence


def test_a_bound_that_does_not_hold_is_said():
    # Half way between -1 and 1 relu is 1/2 below its chord, and M R²/2 = 1/20 is less.
    relu, ends = rq.ShallowReLU([[1.0, 0.0]], [1.0]), rq.triangulate([[-1.0], [1.0]])
    assert bounds_words(bounds_at(relu, ends, None, 0.1)) == (
        " It leaves its own interpolant at the data by 0.5; bounds: by its neurons 0.5 (holds), by slopes 1 (holds),"
        " by curvature 0.05 (does not hold)."
    )


@pytest.mark.parametrize(("sup", "half"), [(0.9, 2.0), (0.8, 1.0), (0.1, 0.2), (43.0, 50.0), (0.0, 0.002)])
def test_axes_end_at_round_numbers(sup, half):
    assert half_range(sup, 2.0) == pytest.approx(half)


def test_colours_of_the_plane_are_those_of_the_values(plane_run):
    scene = planar_interpolation_scene(plane_run, 20.0)
    net, g = plane_run.at(20.0), rq.interpolate(PLANE)
    panel = scene.panel("difference")
    raster = next(m for m in panel.marks if isinstance(m, Raster))
    height, width = raster.rgba.shape[:2]
    (left, right), (bottom, top) = raster.x_range, raster.y_range
    for row, column in ((10, 20), (50, 50), (70, 30)):
        x = left + (column + 0.5) / width * (right - left)
        y = top - (row + 0.5) / height * (top - bottom)
        value = float(net([[x, y]])[0] - g([x, y]))
        red, _, blue, opacity = (int(v) for v in raster.rgba[row, column])
        assert opacity == pytest.approx(255 * min(1, 1.6 * abs(value) / rq.compare(net, g).sup), abs=1)
        assert opacity < 40 or (red > blue) == (value > 0)


def test_contours_run_where_the_interpolant_has_their_level(plane_run):
    panel = planar_interpolation_scene(plane_run, 20.0).panel("interpolant")
    x, y = next((m.x, m.y) for m in panel.marks if getattr(m, "colour", "") == "paper" and hasattr(m, "dashed"))
    g = rq.interpolate(PLANE, extrapolate="nan")
    ends = np.flatnonzero(np.isnan(x))
    runs = [slice(a, b) for a, b in zip(np.r_[0, ends[:-1] + 1], ends, strict=True)]
    assert len(runs) > 3
    for run in runs:
        values = g(np.column_stack([x[run], y[run]]))
        inside = values[~np.isnan(values)]
        # To a cell of the grid, over which the interpolant changes by its slope.
        assert inside.size == 0 or np.ptp(inside) < 0.05


def test_the_plane_shows_every_edge_and_every_kink(plane_run):
    scene = planar_interpolation_scene(plane_run, 20.0, movable=True)
    lines = mark(scene.panel("interpolant"), "triangulation")
    found = flips(rq.triangulate(PLANE.X))
    assert np.count_nonzero(np.isnan(lines.x)) == len(found.edges)
    named = {m.name: m for m in scene.panel("interpolant").marks if getattr(m, "name", "")}
    assert len(named["edge"].polygons) == len(found.edges)
    np.testing.assert_array_equal(np.isnan(named["flip"].x), found.others[:, 0] < 0)
    pieces = rq.piecewise_linear(plane_run.at(20.0), region=[[-1, -1], [1, -0.9], [1.1, 1], [-0.9, 1.1]])
    assert f"{pieces.n_regions:,} linear regions" in scene.sentence
    assert packed_scene(scene)["rows"]


def test_many_neurons_are_cut_by_the_strongest_kinks_only():
    net = rq.ShallowReLU.balanced(n_features=2, n_neurons=300, scale=0.3, rng=1)
    run = rq.gradient_flow(net, PLANE, t_max=1e-3, rtol=1e-5, progress=False)
    scene = planar_interpolation_scene(run, 0.0, shows="network")
    assert "the 60 kinks with the largest slope jumps" in scene.sentence
    segments = mark(scene.panel("network"), "edges of linear regions")
    assert 20 < np.count_nonzero(np.isnan(segments.x)) <= 60
    assert [panel.name for panel in scene.panels()] == ["network", "values", "loss"]


def test_while_time_runs_only_colours_are_coarser_and_regions_uncounted(plane_run):
    still, moving = (planar_interpolation_scene(plane_run, 20.0, movable=True, moving=on) for on in (False, True))
    assert "linear regions there" in still.sentence
    assert moving.sentence == still.sentence.split(" The network has")[0]
    for key, values in still.table().items():
        np.testing.assert_array_equal(moving.table()[key], values, err_msg=key)
    maps = [scene.panel("network").marks[0].rgba for scene in (still, moving)]
    assert maps[1].shape[0] < maps[0].shape[0]
    # The same colours, but for the size of a pixel.
    rows, columns = (np.linspace(0, n - 1, 20).round().astype(int) for n in maps[0].shape[:2])
    coarse = (maps[1].shape[0] - 1) / (maps[0].shape[0] - 1)
    near = maps[1][np.ix_((rows * coarse).round().astype(int), (columns * coarse).round().astype(int))]
    assert np.abs(near.astype(int) - maps[0][np.ix_(rows, columns)]).mean() < 8


def test_a_network_that_is_known_is_not_looked_for_again(plane_run):
    other = plane_run.at(0.0)
    table = planar_interpolation_scene(plane_run, 20.0, net=other, shows="difference").table()
    expected = rq.compare(other, rq.interpolate(plane_run.data))
    place = [table[f"difference/largest |f − g|/{axis}"][0] for axis in "xy"]
    np.testing.assert_allclose(place, expected.sup_at)


def test_networks_of_many_times_are_those_of_each(plane_run):
    times = [20.0, 0.0, 7.0]
    for t, net in zip(times, networks_at(plane_run, times), strict=True):
        np.testing.assert_array_equal(net.W, plane_run.at(t).W)
        np.testing.assert_array_equal(net.a, plane_run.at(t).a)
