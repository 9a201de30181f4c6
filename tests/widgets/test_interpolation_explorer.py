"""The explorer of interpolation, used as its page uses it."""

import gc
import math

import numpy as np
import pytest
import traitlets as T
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from reluquant.analysis.flips import flips
from reluquant.views.packed_scene import packed_scene
from reluquant.views.planar_interpolation_scene import planar_interpolation_scene
from reluquant.views.time_view import time_grid
from tests.widgets.conftest import DATA, threads_left

PLANE = rq.Dataset(
    [[-1.0, -1.0], [1.0, -0.9], [1.1, 1.0], [-0.9, 1.1], [0.1, 0.0], [0.4, 0.6]], [0.5, -0.5, 0.6, -0.4, 0.9, 0.1]
)


@pytest.fixture(scope="module")
def line_run():
    return rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=40, scale=1e-3, rng=0), DATA, progress=False)


@pytest.fixture(scope="module")
def plane_run():
    net = rq.ShallowReLU.balanced(n_features=2, n_neurons=20, scale=1e-1, rng=0)
    return rq.gradient_flow(net, PLANE, t_max=200.0, rtol=1e-5, progress=False)


@pytest.fixture
def line(line_run):
    yield from opened(line_run)


@pytest.fixture
def plane(plane_run):
    yield from opened(plane_run)


def opened(run):
    made = rq.InterpolationExplorer(run)
    made.wait(60)
    yield made
    made.close()


def sup_mark(scene, panel):
    return next(mark for mark in scene.panel(panel).marks if getattr(mark, "label", "") == "largest |f − g|")


def event(explorer, kind, name, index=0, **rest):
    explorer._heard({"event": kind, "panel": "p", "name": name, "index": index, **rest})


def edges(explorer):
    return {tuple(edge) for edge in flips(explorer.triangulation).edges.tolist()}


# --- on the line -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["delaunay", "fewest_pieces"])
def test_the_sup_of_the_moment_is_marked_where_it_is(line, method):
    line.method, line.t = method, 8.0
    line.wait(10)
    distance = rq.compare(line.trajectory.at(8.0), rq.interpolate(DATA, method=method))
    mark = sup_mark(line.scene(), "difference")
    assert (mark.x[0], abs(mark.y[0])) == (distance.sup_at, distance.sup)
    assert mark.hollow
    assert f"{distance.sup:.3g}" in line.status
    assert f"{distance.l2:.3g} in L2" in line.status
    assert line._view.scene["sentence"] == line.status


def test_bounds_are_said_and_the_band_holds_the_difference(line):
    line.t = 8.0
    for band in ("relu", "lipschitz"):
        line.band = band
        panel = line.scene().panel("difference")
        area = next(mark for mark in panel.marks if getattr(mark, "label", "").startswith("bound by"))
        curve = next(mark for mark in panel.marks if getattr(mark, "label", "") == "f − g")
        assert len(area.polygons) == DATA.n_samples - 1
        for polygon in area.polygons:
            half = len(polygon) // 2
            upper, lower = polygon[:half], polygon[half:][::-1]
            inside = (curve.x >= upper[0, 0]) & (curve.x <= upper[-1, 0])
            assert np.all(curve.y[inside] <= np.interp(curve.x[inside], *upper.T) + 1e-9)
            assert np.all(curve.y[inside] >= np.interp(curve.x[inside], *lower.T) - 1e-9)
    line.curvature = 1e-9
    line.wait(10)
    assert "by curvature" in line.status
    line.band = "none"
    assert not any(getattr(m, "label", "").startswith("bound") for m in line.scene().panel("difference").marks)


def test_a_point_is_dragged_nudged_and_deleted(line):
    event(line, "drag", "data", 2, x=0.2, y=0.4)
    event(line, "drop", "data", 2, x=0.2, y=0.4)
    assert (line.data.X[2, 0], line.data.y[2]) == (0.2, 0.4)
    event(line, "nudge", "data", 2, dx=0.1, dy=-0.1)
    np.testing.assert_allclose([line.data.X[2, 0], line.data.y[2]], [0.3, 0.3], atol=1e-9)
    event(line, "delete", "data", 0)
    line.wait(60)
    assert line.data.n_samples == 4
    assert line.trajectory.data is line.data
    line.data = rq.Dataset([0.5], [1.0])
    line.wait(60)
    event(line, "delete", "data", 0)
    assert line.error == "At least one point must stay."
    assert "on [0.5, 0.5]" in line.status


def test_the_play_head_moves_time_and_the_box_takes_it(line):
    event(line, "drag", "head", x=0.5)
    assert line.t == pytest.approx(10**0.5)
    event(line, "nudge", "head", dx=0.1, dy=0.0)
    assert line.t == pytest.approx(10**0.6)
    event(line, "drag", "head", x=-99.0)
    assert line.t == 0.0
    line._choices.t.value = "7.5"
    assert line.t == 7.5
    line._choices.t.value = "soon"
    assert line.error == "t must be a number such as 1e-6, but 'soon' was typed."
    assert line._choices.t.value == "7.5"
    line.speed = 30.0
    line.play()
    line.wait(60)
    assert line.t == line.trajectory.t[-1]


@pytest.mark.parametrize("typed", ["steep", "-1", "nan"])
def test_a_bad_constant_gets_a_sentence(line, typed):
    line._choices.lipschitz.value = typed
    assert "lipschitz must be" in line.error
    assert line.lipschitz is None
    assert line._choices.lipschitz.value == ""
    line._choices.lipschitz.value = "3"
    assert (line.lipschitz, line.error) == (3.0, "")


# --- in the plane ----------------------------------------------------------------------------------------------------


def test_panels_and_their_sup_in_the_plane(plane):
    scene = plane.scene()
    assert [panel.name for panel in scene.panels()] == [
        "network", "interpolant", "difference", "values", "differences", "loss",
    ]  # fmt: skip
    distance = rq.compare(plane.trajectory.final, rq.interpolate(PLANE))
    mark = sup_mark(scene, "difference")
    np.testing.assert_array_equal([mark.x[0], mark.y[0]], distance.sup_at)
    assert f"{distance.sup:.3g}" in plane.status
    plane.shows = "difference"
    assert [panel.name for panel in plane.scene().panels()] == ["difference", "differences", "loss"]


def test_a_play_ends_with_the_exact_picture_of_its_end(plane, monkeypatch):
    seen = []
    plane.observe(lambda change: seen.append(change.new), names="status")
    assert set(time_grid(plane.trajectory)) == set(plane._networks)
    plane.t = 0.0
    plane.speed = 15.0
    monkeypatch.setattr(type(plane.trajectory), "states", None)
    plane.play()
    plane.wait(60)
    monkeypatch.undo()
    # No network was looked for again, and regions are counted before the play and after it only.
    assert plane.error == ""
    running = [status for status in seen if status.startswith("t = ") and "linear regions" not in status]
    assert len(running) >= 3
    assert plane.status == plane.scene().sentence
    assert "linear regions there" in plane.status
    expected = planar_interpolation_scene(plane.trajectory, plane.t, data=plane.data, movable=True)
    assert plane._view.scene == packed_scene(expected)


def test_a_click_flips_an_edge_and_undo_takes_it_back(plane):
    found, before = flips(plane.triangulation), edges(plane)
    index = int(np.flatnonzero(found.others[:, 0] >= 0)[0])
    event(plane, "pick", "flip", index)
    plane.wait(10)
    assert edges(plane) == before - {tuple(found.edges[index])} | {tuple(found.others[index])}
    distance = rq.compare(plane.trajectory.final, rq.interpolate(PLANE, method=plane.triangulation))
    assert f"{distance.sup:.3g}" in plane.status
    assert not plane._choices.undo.disabled
    plane._choices.undo.click()
    assert edges(plane) == before
    assert plane._choices.undo.disabled


def test_what_cannot_be_flipped_gets_a_sentence(plane):
    before, found = edges(plane), flips(plane.triangulation)
    event(plane, "pick", "edge", int(np.flatnonzero(found.on_hull)[0]))
    assert "is on the hull" in plane.error
    plane._choices.edge.value = "0 99"
    assert "There is no edge between points 0 and 99" in plane.error
    plane._choices.edge.value = "a b"
    assert "An edge is two numbers" in plane.error
    assert edges(plane) == before


def test_closest_is_nearest_of_all_and_delaunay_returns(plane):
    before = edges(plane)
    plane._choices.closest.click()
    plane.wait(60)
    net = plane.trajectory.final
    least = min(rq.compare(net, rq.interpolate(PLANE, method=t)).l2 for t in rq.triangulations(PLANE.X))
    found = rq.compare(net, rq.interpolate(PLANE, method=plane.triangulation)).l2
    assert found == pytest.approx(least, rel=1e-9)
    plane._choices.delaunay.click()
    assert edges(plane) == before
    assert not plane.busy


def test_a_point_of_the_plane_is_moved_where_it_is_let_go(plane):
    event(plane, "drag", "data", 4, x=0.2, y=0.3)
    assert plane.data is PLANE
    event(plane, "drop", "data", 4, x=0.2, y=0.3)
    np.testing.assert_array_equal(plane.data.X[4], [0.2, 0.3])
    np.testing.assert_array_equal(plane.triangulation.points[4], [0.2, 0.3])
    event(plane, "nudge", "data", 4, dx=0.01, dy=-0.02)
    np.testing.assert_allclose(plane.data.X[4], [0.21, 0.28], atol=1e-9)
    # Far from the origin nothing of a place is lost but what is less than a pixel.
    plane.data = rq.Dataset(PLANE.X + 1e6, PLANE.y)
    event(plane, "drop", "data", 4, x=1e6 + 0.25, y=1e6 - 0.125)
    np.testing.assert_allclose(plane.data.X[4], [1e6 + 0.25, 1e6 - 0.125], atol=2e-3)
    plane.data = PLANE
    plane.wait(120)
    assert plane.trajectory.data is plane.data


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("0 0 1; 1 1 1; 2 2 0", "not on a line"), ("0 1; 1 2", "Points must be triples"), ("0 0 x", "must be a number")],
)
def test_bad_points_of_the_plane_leave_the_data(plane, typed, sentence):
    plane._points.text.value = typed
    assert sentence in plane.error
    assert plane.data is PLANE


def test_on_the_line_nothing_is_flipped(line):
    with pytest.raises(ValueError, match="On the line there is one triangulation"):
        line.flip(0, 1)
    with pytest.raises(ValueError, match="open another one"):
        line.data = PLANE


# --- what it takes, and leaves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "settings", "kind", "sentence"),
    [
        ([1, 2], {}, TypeError, "InterpolationExplorer takes a Dataset or a Trajectory"),
        (rq.Dataset([[1.0, 2.0, 3.0]], [1.0]), {}, ValueError, "one or two features"),
        (rq.Dataset([[1.0, 2.0], [2.0, 4.0]], [1.0, 2.0]), {}, ValueError, "three points that are not on a line"),
        (DATA, {"width": 3}, TypeError, "no setting 'width'"),
        (DATA, {"method": "spline"}, T.TraitError, "method"),
        (DATA, {"lipschitz": math.nan}, T.TraitError, "lipschitz must be a finite number"),
    ],
)
def test_bad_arguments_leave_nothing(problem, settings, kind, sentence):
    before = set(instances)
    with pytest.raises(kind, match=sentence):
        rq.InterpolationExplorer(problem, **settings)
    assert set(instances) == before


def test_a_dataset_is_run_and_named(tmp_path):
    explorer = rq.InterpolationExplorer(PLANE, n_neurons=10, scale=0.1, max_seconds=2.0)
    explorer.wait(120)
    assert repr(explorer) == "InterpolationExplorer(n_samples=6, n_features=2, n_neurons=10, scale=0.1, seed=0)"
    explorer.seed = 3
    explorer.flip(*flips(explorer.triangulation).edges[flips(explorer.triangulation).others[:, 0] >= 0][0].tolist())
    explorer.reset()
    explorer.wait(120)
    assert explorer.seed == 0
    assert edges(explorer) == {tuple(e) for e in flips(rq.triangulate(PLANE.X)).edges.tolist()}
    assert explorer.save(tmp_path / "plane.svg").stat().st_size > 1000
    explorer.close()
    assert repr(explorer) == "InterpolationExplorer(closed)"


def test_many_explorers_leave_nothing(line_run, plane_run):
    before = set(instances)
    for run in (line_run, plane_run) * 10:
        explorer = rq.InterpolationExplorer(run)
        explorer.wait(60)
        explorer.close()
    gc.collect()
    assert set(instances) == before
    assert threads_left() == []
