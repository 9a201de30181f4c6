import re
from pathlib import Path

import numpy as np
import pytest

import reluquant as rq
from reluquant.views import theme
from reluquant.views.frames import flow_frame
from reluquant.views.function_view import AWAKE, DEAD, DORMANT
from reluquant.widgets.legend import LEGEND
from reluquant.widgets.scene_view import STATIC
from tests.widgets.conftest import DATA


def test_rug_shows_ticks_by_side_and_diamonds_where_kinks_are_held(explorer):
    frame = flow_frame(explorer.trajectory, explorer.t, shown=explorer._window)
    assert frame.kinks.held.any()
    for sign in (1, -1):
        free = (frame.kinks.sign == sign) & ~frame.kinks.held
        for marks, state in ((explorer._function.ticks, AWAKE), (explorer._function.dormant, DORMANT)):
            ticks = marks[sign]
            np.testing.assert_allclose(ticks.x[::3], frame.kinks.x[free & (frame.kinks.state == state)])
            assert np.all(sign * (ticks.y[1::3] - theme.RUG_LINE) > 0)
            assert not ticks.x.size or np.isfinite(ticks.x[-1])
        held = (frame.kinks.sign == sign) & frame.kinks.held
        diamonds = explorer._function.diamonds[sign]
        np.testing.assert_allclose(diamonds.x, frame.kinks.x[held])
        np.testing.assert_allclose(diamonds.size, frame.kinks.size[held])


def test_dead_neurons_are_crosses(explorer):
    frame = flow_frame(explorer.trajectory, explorer.t, shown=explorer._window)
    dead = frame.kinks.x[frame.kinks.state == DEAD]
    assert dead.size
    np.testing.assert_allclose(explorer._function.crosses.x.reshape(-1)[::6] + explorer._function._cross_width, dead)


def circle_marks(explorer):
    return explorer._circle.scene["rows"][0][0]["marks"]


def test_circle_gets_sectors_and_predictions(explorer):
    explorer.t = 1.0
    explorer.wait(10)
    marks = circle_marks(explorer)
    assert {mark["text"] for mark in marks if mark["kind"] == "label"} >= {"x₁", "x₅", "a > 0 outwards"}
    rays = next(mark for mark in marks if mark["kind"] == "line" and mark["dashed"])
    assert rays["path"].count("M") == 10
    predicted = [mark for mark in marks if mark["kind"] == "dots" and mark["hollow"]]
    found = {mark["colour"]: len(mark["at"]) for mark in predicted}
    expected = [e.sign for e in rq.extremal_directions(DATA) if e.kind in ("attractor", "semistable")]
    assert found == {"positive": expected.count(1), "negative": expected.count(-1)}


def test_many_points_are_shown_but_not_dragged(explorer):
    x = np.linspace(-1, 1, 150)
    explorer.data = rq.Dataset(x, x**2)
    explorer.wait(60)
    assert explorer._function.points.x.size == 150
    assert not explorer._function.points.enable_move
    assert not [m for m in circle_marks(explorer) if m["kind"] == "label" and m["text"].startswith("x")]


@pytest.mark.parametrize("file", ["scene.js", "scene.css"])
def test_static_files_use_only_colours_of_the_theme(file):
    text = (Path(STATIC) / file).read_text(encoding="utf-8")
    colours = {c.lower() for c in re.findall(r"#[0-9a-fA-F]{3,6}\b", text)}
    known = {getattr(theme.LIGHT, name).lower() for name in theme.COLOURS} | {"#fff"}
    assert colours <= known


def test_legend_explains_every_role():
    words = ["network", "interpolant", "data", "held", "predicted", "turning", "dead", "escape"]
    for word in (*words, "a &gt; 0", "a &lt; 0"):
        assert word in LEGEND
