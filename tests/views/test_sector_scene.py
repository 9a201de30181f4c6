import math

import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.growth_rate import growth_rate
from reluquant.views.direction_view import RING
from reluquant.views.packed_scene import packed_scene
from reluquant.views.scene import Area
from reluquant.views.sector_facts import nearest, sector_facts
from reluquant.views.sector_marks import members
from reluquant.views.sector_scene import neuron_of, sample_of, sector_scene
from reluquant.views.sphere_scene import eye, from_screen

X, R = np.array([-1.0, -0.3, 0.6, 1.2]), np.array([0.3, -0.4, 0.2, -0.1])
LINE = rq.Dataset(X, 4 * R)
ANGLES = np.radians([150.0, 80.0, -120.0, 30.0])
W = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])
SIGNS = [1, 1, 1, -1]
PLANE = np.random.default_rng(1).normal(size=(5, 2))
FORCES = np.array([0.2, -0.3, 0.1, 0.4, -0.2])


@pytest.fixture(scope="module")
def line():
    return sector_facts(LINE, R, W=W, signs=SIGNS)


@pytest.fixture(scope="module")
def ball():
    return sector_facts(rq.Dataset(PLANE, 5 * FORCES), FORCES, W=np.eye(3), signs=[1, 1, -1])


def marks(panel, name):
    return [mark for mark in panel.marks if getattr(mark, "name", "") == name]


def test_stems_are_the_residuals(line):
    table = sector_scene(line, 0.0).table()
    np.testing.assert_array_equal(table["data/residual (drag)/x"], X)
    np.testing.assert_array_equal(table["data/residual (drag)/y"], R)


def test_the_curve_is_the_growth_rate(line):
    table = sector_scene(line, 0.0).table()
    angle = np.radians(table["growth/growth rate G/x"])
    expected = growth_rate(np.column_stack([np.cos(angle), np.sin(angle)]), LINE, R)
    np.testing.assert_allclose(table["growth/growth rate G/y"], expected, atol=1e-15)


@pytest.mark.parametrize("sign", [1, -1])
def test_critical_directions_lie_on_the_curve_of_their_sign_and_beside_the_ring(line, sign):
    found = rq.extremal_directions(LINE, residual=R, sign=sign)
    scene = sector_scene(line, 0.0, sign=sign)
    colour = {1: "positive", -1: "negative"}[sign]
    for kind in ("attractor", "repeller", "dead"):
        mine = [e for e in found if e.kind == kind]
        (on_curve,) = marks(scene.panel("growth"), f"{colour} {kind}")
        np.testing.assert_allclose(on_curve.x, [math.degrees(e.angle) for e in mine])
        np.testing.assert_allclose(on_curve.y, [sign * e.rate for e in mine], atol=1e-15)
        (on_circle,) = marks(scene.panel("directions"), f"{colour} {kind}")
        radius = np.hypot(on_circle.x, on_circle.y)
        assert np.all(sign * (radius - RING) > 0)
        np.testing.assert_allclose(on_circle.x / radius, [e.direction[0] for e in mine], atol=1e-12)
    other = {1: "negative", -1: "positive"}[sign]
    assert not marks(scene.panel("growth"), f"{other} attractor")
    assert marks(scene.panel("directions"), f"{other} attractor")


def test_basins_span_the_angles_from_which_neurons_come(line):
    scene = sector_scene(line, 0.0)
    wedges = [m for m in scene.panel("directions").marks if isinstance(m, Area) and m.label == "basins, a > 0"]
    found = [e for e in rq.extremal_directions(LINE, residual=R, sign=1) if e.kind in ("attractor", "semistable")]
    assert len(wedges) == len(found)
    for mark, e in zip(wedges, found, strict=True):
        corners = mark.polygons[0]
        outer = corners[: len(corners) // 2]
        turn = np.unwrap(np.arctan2(outer[:, 1], outer[:, 0]))
        assert turn[-1] - turn[0] == pytest.approx(e.basin[1] - e.basin[0])


def test_ways_lead_from_the_start_to_an_extremal_direction(line):
    first, last = sector_scene(line, 0.0), sector_scene(line, line.end)
    (starts,) = marks(first.panel("directions"), "positive start")
    np.testing.assert_allclose(np.arctan2(starts.y, starts.x), ANGLES[:3], atol=1e-12)
    table = last.table()
    ends = np.arctan2(table["directions/neurons, a > 0/y"], table["directions/neurons, a > 0/x"])
    found = rq.predict_alignment(rq.ShallowReLU(W, np.array(SIGNS, dtype=float)), LINE, residual=R)
    assert list(found.fate[:3]) == ["aligned", "aligned", "dead"]
    for end, index in zip(ends[:2], found.direction[:2], strict=True):
        assert end == pytest.approx(found.directions[index].angle, abs=2e-3)
    assert ends[2] == pytest.approx(ANGLES[2])


def test_the_sentence_tells_of_the_picked_direction(line):
    index = next(i for i, e in enumerate(line.directions) if e.kind == "attractor" and e.samples == (1,))
    e = line.directions[index]
    said = sector_scene(line, 0.0, picked=index).sentence
    assert said.startswith(f"Attractor of neurons with a > 0 at {math.degrees(e.angle):.1f}°".replace("-", "−"))
    assert f"slides on x₂ with λ = {e.multipliers[0]:.3g}" in said
    assert "kink at x = −0.3" in said
    assert sector_scene(line, 0.0, picked=10_000).sentence.startswith("Neurons with a > 0: ")


def test_events_find_direction_sample_and_neuron(line, ball):
    every = np.ones(len(line.directions), dtype=bool)
    for name in ("positive attractor", "negative repeller"):
        for place, index in enumerate(members(line.directions, name, every)):
            e = line.directions[index]
            (mark,) = marks(sector_scene(line, 0.0).panel("directions"), name)
            assert f"at {math.degrees(e.angle):.1f}°".replace("-", "−") in mark.titles[place]
            assert nearest(line, e) == index
    assert sample_of(line, "data", 2) == 2
    assert [sample_of(ball, "negative data", k) for k in (0, 1)] == [1, 4]
    assert neuron_of(ball, "negative start", 0) == 2


def test_the_plane_without_bias_is_a_circle_too():
    facts = sector_facts(rq.Dataset(PLANE, FORCES, bias=False), FORCES, W=W, signs=SIGNS)
    assert facts.on_circle
    for angle, rank in zip(facts.sectors.angles, facts.sectors.ranks, strict=True):
        assert np.array([math.cos(angle), math.sin(angle)]) @ PLANE[rank - 1] == pytest.approx(0.0, abs=1e-12)
    assert facts.sectors.dead is None
    one_sided = sector_facts(rq.Dataset([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0], bias=False), [1.0, 1.0], W=[], signs=[])
    assert np.array(one_sided.sectors.dead) % math.tau == pytest.approx([math.pi, 1.5 * math.pi])
    packed_scene(sector_scene(one_sided, 0.0, picked=0))


def test_the_sphere_shows_its_front_half(ball):
    turn = (0.7, 0.3)
    np.testing.assert_allclose(eye(turn) @ eye(turn).T, np.eye(3), atol=1e-15)
    panel = sector_scene(ball, 0.0, turn=turn).panel("directions")
    for name in ("positive attractor", "positive repeller"):
        for mark in marks(panel, name):
            mine = members(ball.directions, name, np.ones(len(ball.directions), dtype=bool))
            for x, y, index in zip(mark.x, mark.y, mine, strict=True):
                direction = ball.directions[index].direction
                if np.isnan(x):
                    assert direction @ eye(turn)[2] < 0
                else:
                    np.testing.assert_allclose(from_screen(x, y, turn), direction, atol=1e-6)
    assert from_screen(0.9, 0.9, turn) is None
    assert panel.turnable
    assert packed_scene(sector_scene(ball, ball.end, turn=turn, sign=-1))["rows"]


def test_residuals_of_zero_leave_an_empty_picture():
    facts = sector_facts(LINE, 0 * R, W=W, signs=SIGNS)
    scene = sector_scene(facts, 0.0)
    assert np.all(scene.table()["growth/growth rate G/y"] == 0)
    packed_scene(scene)
