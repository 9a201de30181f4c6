import math

import numpy as np
import pytest

import reluquant as rq
from reluquant.views.direction_circle_scene import RING, neurons_at, neurons_towards, rays
from reluquant.views.direction_frame import direction_frame
from reluquant.views.direction_frames import DirectionFrames
from reluquant.views.direction_heat_scene import PALETTE, neurons_of, row_at
from reluquant.views.direction_histogram_scene import direction_scene, rows_at
from reluquant.views.direction_sphere_scene import CELLS, View, neurons_about, neurons_near
from reluquant.views.direction_view import BINS
from reluquant.views.direction_weight import Weight
from reluquant.views.packed_scene import packed_scene
from reluquant.views.scene import Area, Dots, Line, Raster

PLANE = np.random.default_rng(3).standard_normal((6, 2))
WIDE = np.random.default_rng(4).standard_normal((8, 4))


def made(data, n_neurons=60, t_max=4.0, **settings):
    net = rq.ShallowReLU.balanced(
        n_features=data.n_features, n_neurons=n_neurons, scale=1e-3, rng=0, bias=data.bias, **settings
    )
    return DirectionFrames(rq.gradient_flow(net, data, t_max=t_max, rtol=1e-4, progress=False))


@pytest.fixture(scope="module")
def line():
    return made(rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8]), 300, 12.0)


@pytest.fixture(scope="module")
def sphere():
    return made(rq.Dataset(PLANE, PLANE[:, 0] * PLANE[:, 1]), 120)


@pytest.fixture(scope="module")
def wide():
    return made(rq.Dataset(WIDE, np.sin(WIDE.sum(axis=1))), 350)


def marks(panel, kind, *, label=None, name=None):
    found = [m for m in panel.marks if isinstance(m, kind)]
    found = [m for m in found if label is None or m.label == label]
    return [m for m in found if name is None or m.name == name]


def degrees(net):
    return np.degrees(np.arctan2(net.W[:, 1], net.W[:, 0]))


# --- circle ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [0.0, 3.0, 12.0])
def test_every_bar_counts_the_neurons_of_its_side_and_angle(line, t):
    net = line.trajectory.at(t)
    panel, _ = direction_scene(line, t).panels()
    dead = np.all(line.trajectory.data.inputs @ net.W.T <= 0, axis=0) & (line.trajectory.states([t]).slides_on[0] < 0)
    sides = (("outward", net.a > 0, 0), ("inward", net.a < 0, 0), ("dead outward", net.a > 0, 1))
    for name, side, group in sides:
        mine = side & (dead == group)
        total = 0
        for polygon, title in zip(*bars(panel, name), strict=True):
            middle = np.degrees(np.arctan2(*polygon.mean(axis=0)[::-1]))
            away = np.abs((degrees(net) - middle + 180) % 360 - 180)
            inside, sure = int(np.sum(mine & (away < 1.51))), int(np.sum(mine & (away < 1.49)))
            said = int(title.split()[0])
            assert sure <= said <= inside
            assert title.split()[4] == (">" if "outward" in name else "<")
            total += said
        assert total == np.count_nonzero(mine)


def bars(panel, name):
    (area,) = marks(panel, Area, name=name)
    return area.polygons, area.titles


def test_bars_with_mass_have_lengths_like_the_root_of_it(line):
    net = line.trajectory.final
    panel, _ = direction_scene(line, 12.0, weight=Weight.MASS).panels()
    polygons, titles = bars(panel, "outward")
    longest = np.array([np.hypot(*polygon.T).max() - RING for polygon in polygons])
    said = np.array([float(title.split(": ")[1].split(" %")[0]) for title in titles])
    mass = np.abs(net.a) * net.norms
    assert said.max() == pytest.approx(100 * mass_around(net, mass, polygons[np.argmax(said)]), rel=0.02)
    shown = said > 0.5
    np.testing.assert_allclose(longest[shown] / longest.max(), np.sqrt(said[shown] / said.max()), rtol=0.02)


def mass_around(net, mass, polygon):
    middle = np.degrees(np.arctan2(*polygon.mean(axis=0)[::-1]))
    away = np.abs((degrees(net) - middle + 180) % 360 - 180)
    return mass[(away <= 1.5) & (net.a > 0)].sum() / mass.sum()


def test_logarithmic_norms_grow_in_the_course_of_the_run(line):
    heights = []
    for t in (0.0, 12.0):
        panel, _ = direction_scene(line, t, weight=Weight.LOG_NORM).panels()
        heights.append(max(np.hypot(*p.T).max() - RING for p in bars(panel, "outward")[0]))
    assert heights[0] < 0.6 * heights[1]


@pytest.mark.parametrize("t", [0.0, 12.0])
def test_spokes_and_basins_are_the_extremal_directions_of_the_residual(line, t):
    run = line.trajectory
    panel, _ = direction_scene(line, t).panels()
    found = rq.extremal_directions(run.data, residual=run.residual(t))
    for sign, relation in ((1, "a > 0"), (-1, "a < 0")):
        attractors = [e for e in found if e.kind == "attractor" and e.sign == sign]
        (spokes,) = marks(panel, Line, label=f"attractor, {relation}")
        assert not spokes.dashed
        drawn = np.arctan2(spokes.y.reshape(-1, 3)[:, 1], spokes.x.reshape(-1, 3)[:, 1])
        np.testing.assert_allclose(np.sort(drawn), np.sort([e.angle for e in attractors]), atol=1e-12)
        far = np.hypot(spokes.x.reshape(-1, 3)[:, 1], spokes.y.reshape(-1, 3)[:, 1])
        assert np.all(far > RING) if sign > 0 else np.all(far < RING)
        (basins,) = marks(panel, Area, label=f"basins, {relation}")
        width = sum(e.basin[1] - e.basin[0] for e in found if e.sign == sign and e.kind in ("attractor", "semistable"))
        drawn = sum(np.ptp(np.unwrap(np.arctan2(p[:, 1], p[:, 0]))) for p in basins.polygons)
        assert drawn == pytest.approx(width, abs=math.radians(1) * len(basins.polygons))
        assert all(relation in title for title in basins.titles)


def test_semistable_spokes_are_dashed():
    # So small that the network is exactly zero at the start: rounding would break the tie.
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-200, rng=0)
    run = rq.gradient_flow(net, rq.Dataset([-1.0, 0.0, 1.0], [1.0, -2.0, 2.0]), t_max=0.1, progress=False)
    panel, _ = direction_scene(DirectionFrames(run), 0.0).panels()
    for relation in ("a > 0", "a < 0"):
        (spoke,) = marks(panel, Line, label=f"semistable, {relation}")
        assert spoke.dashed
        assert math.atan2(spoke.y[1], spoke.x[1]) == pytest.approx(math.pi / 4)


def test_a_place_names_the_neurons_of_its_bar_and_they_are_highlighted_and_told(line):
    frame, net = line.at(12.0), line.trajectory.final
    heavy = int(np.argmax(np.where(net.a > 0, net.norms, 0)))
    angle = math.radians(degrees(net)[heavy])
    chosen = neurons_at(frame, 0.8 * math.cos(angle), 0.8 * math.sin(angle))
    assert heavy in chosen
    assert np.all(net.a[chosen] > 0)
    assert np.all(np.abs(degrees(net)[chosen] - degrees(net)[heavy]) <= 3.01)
    assert set(chosen) <= set(neurons_towards(frame, angle))
    scene = direction_scene(line, 12.0, selected=chosen)
    panel, _ = scene.panels()
    (lit,) = marks(panel, Area, label="selected")
    assert len(lit.polygons) == 1
    share = 100 * float((np.abs(net.a) * net.norms)[chosen].sum() / (np.abs(net.a) * net.norms).sum())
    assert f"Selected: {chosen.size} neurons" in scene.sentence
    assert float(scene.sentence.split("; ")[-1].split(" %")[0]) == pytest.approx(share, rel=0.02)
    # At the start the same neurons are in several bars, of which they are parts.
    panel, _ = direction_scene(line, 0.0, selected=chosen).panels()
    assert len(marks(panel, Area, label="selected")[0].polygons) > 1
    # A single one of them, however light, has a ring around its direction, on its side.
    light = int(np.argmin(net.norms))
    (ring,) = marks(next(direction_scene(line, 12.0, selected=np.array([light])).panels()), Dots, label="selected")
    assert math.degrees(math.atan2(ring.y[0], ring.x[0])) == pytest.approx(degrees(net)[light], abs=0.1)
    assert (math.hypot(ring.x[0], ring.y[0]) > RING) == (net.a[light] > 0)
    everyone = next(direction_scene(line, 12.0, selected=np.arange(net.n_neurons)).panels())
    assert marks(everyone, Dots, label="selected")[0].x.size <= 2 * BINS


def test_without_a_bias_the_rays_are_perpendicular_to_the_samples():
    X = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    view = rays(rq.Dataset(X, np.zeros(4), bias=False))
    np.testing.assert_allclose(np.degrees(view.angles), [-90, -45, 90, 135], atol=1e-9)
    assert view.ranks.tolist() == [0, 2, 0, 2]
    np.testing.assert_allclose(np.degrees(view.dead), [135, 270], atol=1e-9)
    around = rays(rq.Dataset([[1.0, 0.0], [-1.0, 1.0], [-1.0, -1.0]], np.zeros(3), bias=False))
    assert around.dead[0] == around.dead[1]


@pytest.mark.parametrize(
    ("data", "panels"),
    [
        (rq.Dataset([-1.0, 2.0], [1.0, -1.0], bias=False), ["directions"]),
        (rq.Dataset(PLANE, PLANE[:, 0], bias=False), ["directions"]),
        (rq.Dataset(WIDE[:, :3], WIDE[:, 0], bias=False), ["positive", "negative"]),
        (rq.Dataset(WIDE[:, :3], WIDE[:, 0]), ["angles", "scale", "clusters"]),
    ],
)
def test_the_number_of_weights_decides_what_is_drawn(data, panels):
    frames = made(data, 30, 0.5)
    scene = direction_scene(frames, 0.2, selected=np.array([1, 4]))
    assert [panel.name for panel in scene.panels()] == [*panels, "loss"]
    assert packed_scene(scene)["sentence"] == scene.sentence


def test_several_outputs_have_no_sign():
    net = rq.ShallowReLU.balanced(n_features=2, n_neurons=30, scale=1e-2, rng=0)
    net = rq.ShallowReLU(net.W, np.column_stack([net.a, net.a[::-1]]))
    data = rq.Dataset(PLANE, PLANE)
    frames = DirectionFrames(rq.gradient_flow(net, data, t_max=0.5, rtol=1e-4, progress=False))
    assert [panel.name for panel in direction_scene(frames, 0.5).panels()] == ["all", "loss"]


# --- sphere ----------------------------------------------------------------------------------------------------------


def test_a_view_is_a_rotation_that_looks_along_its_angles():
    axes = View(40.0, 25.0).axes()
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(axes[2], [0.6942720, 0.5825634, 0.4226183], atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(axes), 1.0)


def test_each_neuron_is_in_its_cell_and_the_far_side_is_faint(sphere):
    view, t = View(50.0, 10.0), 0.0
    net = sphere.trajectory.at(t)
    scene = direction_scene(sphere, t, view=view)
    units = net.W / net.norms[:, None]
    places = units @ view.axes().T
    for name, side in (("positive", net.a > 0), ("negative", net.a < 0)):
        (raster,) = marks(scene.panel(name), Raster)
        alpha = raster.rgba[:, :, 3]
        near = places[side & (places[:, 2] > 0.01)]
        for x, y, _ in near:
            row, column = int((1 - y) * CELLS / 2), int((1 + x) * CELLS / 2)
            # A direction is kept to a hundredth of a degree, so it may be over the edge of its cell.
            assert alpha[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].max() > 60
        assert np.count_nonzero(alpha) <= np.count_nonzero(side)
        assert np.any((alpha > 0) & (alpha < 0.5 * alpha.max()))


def test_extremal_directions_and_great_circles_are_where_they_are(sphere):
    view = View(-20.0, 35.0)
    run = sphere.trajectory
    scene = direction_scene(sphere, 0.0, view=view)
    found = rq.extremal_directions(run.data, residual=run.residual(0.0))
    for sign, name in ((1, "positive"), (-1, "negative")):
        places = np.array([e.direction for e in found if e.kind == "attractor" and e.sign == sign]) @ view.axes().T
        dots = marks(scene.panel(name), Dots, label="attractor")
        drawn = np.column_stack([dots[0].x, dots[0].y]) if dots else np.zeros((0, 2))
        np.testing.assert_allclose(drawn, places[places[:, 2] >= 0][:, :2], atol=1e-12)
        assert all(dot.hollow for dot in dots)
    (circles,) = marks(scene.panel("positive"), Line, label="boundary of a sample")
    seen = np.isfinite(circles.x)
    depth = np.sqrt(np.maximum(0, 1 - circles.x[seen] ** 2 - circles.y[seen] ** 2))
    points = np.column_stack([circles.x[seen], circles.y[seen], depth]) @ view.axes()
    assert np.max(np.min(np.abs(points @ run.data.inputs.T), axis=1)) < 0.1


def test_a_click_selects_what_is_near_on_the_near_side(sphere):
    view, frame = View(10.0, 0.0), sphere.at(4.0)
    net = sphere.trajectory.at(4.0)
    units = net.W / net.norms[:, None]
    front = np.flatnonzero((units @ view.axes()[2] > 0.2) & (net.a > 0))
    x, y, _ = view.axes() @ units[front[0]]
    chosen = neurons_near(frame, view, "positive", x, y)
    expected = np.flatnonzero((units @ units[front[0]] >= math.cos(math.radians(5))) & (net.a > 0))
    assert set(np.setxor1d(chosen, expected)) <= set(close_call(units, units[front[0]]))
    assert neurons_near(frame, view, "positive", 0.9, 0.9).size == 0
    w = units[front[0]]
    about = neurons_about(frame, math.degrees(math.atan2(w[1], w[0])), math.degrees(math.asin(w[2])))
    assert set(chosen) <= set(about)


def close_call(units, axis):
    return np.flatnonzero(np.abs(np.degrees(np.arccos(np.clip(units @ axis, -1, 1))) - 5) < 0.05)


def test_what_has_condensed_is_a_disc_whose_area_is_its_share():
    W = np.array([[0.6, 0.0, 0.8]] * 300 + [[0.0, 1.0, 0.0]] * 100)
    data = rq.Dataset(PLANE, 0 * PLANE[:, 0])
    run = rq.gradient_flow(rq.ShallowReLU(1e-3 * W, 1e-3 * np.ones(400)), data, t_max=1e-6, progress=False)
    scene = direction_scene(DirectionFrames(run), 0.0, view=View(45.0, 20.0))
    (discs,) = marks(scene.panel("positive"), Dots, name="discs")
    np.testing.assert_allclose(discs.area, [675.0, 225.0])
    assert [title.split(":")[0] for title in discs.titles] == ["300 neurons", "100 neurons"]
    np.testing.assert_allclose(discs.x[0], float(View(45.0, 20.0).axes()[0] @ W[0]), atol=1e-3)


# --- heat map --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sorted_now", [False, True])
def test_the_heat_map_shows_the_angles_of_the_heaviest_neurons(wide, sorted_now):
    run, t = wide.trajectory, 2.0
    scene = direction_scene(wide, t, sorted_now=sorted_now)
    rows = rows_at(wide, wide.at(t), sorted_now=sorted_now).sample.neurons
    chooser = run.at(t) if sorted_now else run.final
    mass = np.abs(chooser.a) * chooser.norms
    assert set(rows) == set(np.argsort(-mass)[:256])
    net = run.at(t)
    (raster,) = marks(scene.panel("angles"), Raster)
    for i, j in ((0, 1), (17, 203), (255, 0)):
        u, v = (net.W[k] / np.linalg.norm(net.W[k]) for k in rows[[i, j]])
        angle = math.degrees(math.acos(np.clip(u @ v, -1, 1)))
        near = PALETTE[max(0, round(angle / 3) - 1) : round(angle / 3) + 2]
        assert raster.rgba[i, j].tolist() in near.tolist()
    assert np.all(raster.rgba[np.arange(256), np.arange(256)] == PALETTE[0])


def test_clusters_are_named_and_can_be_selected(wide):
    net = rq.ShallowReLU(np.repeat(np.eye(5), [30, 20, 10, 3, 1], axis=0) * 1e-3, np.full(64, 1e-3))
    frames = DirectionFrames(rq.gradient_flow(net, wide.trajectory.data, t_max=1e-9, progress=False))
    scene = direction_scene(frames, 0.0)
    assert "in 5 clusters" in scene.sentence
    assert "1: a > 0, 30 neurons, 46.9 %" in scene.sentence
    shown = rows_at(frames, frames.at(0.0), sorted_now=False)
    assert neurons_of(shown, 1).tolist() == list(range(30, 50))
    assert neurons_of(shown, 17).size == 0
    rows = [row_at(shown, y) for y in (63.5, 0.5, -1.0, 65.0)]
    assert rows == [0, 63, -1, -1]
    (blocks,) = marks(scene.panel("angles"), Area, name="clusters")
    assert sorted(np.ptp(box[:, 0]) for box in blocks.polygons) == [3, 10, 20, 30]
    lit = direction_scene(frames, 0.0, selected=neurons_of(shown, 0)).panel("angles")
    assert sum(np.ptp(box[:, 0]) for box in marks(lit, Area, label="selected")[0].polygons) == 30


# --- moments ---------------------------------------------------------------------------------------------------------


def test_a_frame_says_what_the_network_says(sphere):
    run, t = sphere.trajectory, 1.5
    frame, net = direction_frame(run, t), run.at(t)
    units = net.W / net.norms[:, None]
    np.testing.assert_allclose(frame.along(np.eye(3)).T, units, atol=1e-4)
    mass = np.abs(net.a) * net.norms
    np.testing.assert_allclose(frame.mass(), mass / mass.max(), rtol=0.01)
    assert frame.loss == pytest.approx(np.mean((net(run.data.X) - run.data.y) ** 2) / 2)
    assert frame.sign.tolist() == np.sign(net.a).tolist()
    free = run.states([t]).slides_on[0] < 0
    assert np.array_equal(frame.idle, np.all(run.data.inputs @ units.T <= 1e-8, axis=0) & free)


def test_weights_far_below_float64_have_directions_and_masses():
    data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-290, rng=0)
    run = rq.gradient_flow(net, data, t_max=1.0, progress=False)
    frames = DirectionFrames(run)
    for weight in Weight:
        assert "20 of 20" not in direction_scene(frames, 0.0, weight=weight).sentence
    assert frames.at(0.0).mass().max() == 1.0
    np.testing.assert_allclose(frames.at(0.0).angle * (360 / 2**16), degrees(net) % 360, atol=0.006)


def test_moments_to_prepare_cover_the_run_from_the_first_on(line):
    fresh = DirectionFrames(line.trajectory)
    todo = fresh.todo()
    assert sorted([*np.concatenate(todo), *fresh.ready()]) == fresh.grid.tolist()
    places = np.sort(np.searchsorted(fresh.grid, np.concatenate(todo[:16])))
    assert places.size == 16
    assert np.diff(places).max() <= 2 * fresh.grid.size / 16
    # Then groups of neighbours, which are no other than if they were made alone.
    assert max(np.ptp(np.searchsorted(fresh.grid, group)) for group in todo[24:]) < 16
    fresh.make(todo[30])
    for t in todo[30]:
        np.testing.assert_array_equal(fresh.at(t).log_norm, direction_frame(line.trajectory, t).log_norm)
    (first,) = todo[0]
    kept = fresh.at(first)
    assert fresh.at(first) is kept
    assert first not in np.concatenate(fresh.todo())
    between = float(fresh.grid[3:5].mean())
    assert fresh.at(between).t == between
    assert fresh.at(between) is fresh.at(between)
    assert fresh.ready().size == 2 + len(todo[30])
    assert fresh.nearest(12.0) == 12.0
    assert fresh.nearest(0.0) == fresh.ready()[0]
