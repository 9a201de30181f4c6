import re
from pathlib import Path

import numpy as np
import pytest

import reluquant as rq
from reluquant.views import theme
from reluquant.views.frames import flow_frame
from reluquant.widgets.circle_panel import STATIC
from reluquant.widgets.legend import LEGEND
from tests.widgets.conftest import DATA


def test_rug_shows_ticks_by_side_and_diamonds_where_kinks_are_held(explorer):
    frame = flow_frame(explorer.trajectory, explorer.t, shown=explorer._window)
    assert frame.kinks.held.any()
    for sign in (1, -1):
        free = (frame.kinks.sign == sign) & ~frame.kinks.held
        ticks = explorer._function.ticks[sign]
        np.testing.assert_allclose(ticks.x[::3], frame.kinks.x[free])
        assert np.all(sign * (ticks.y[1::3] - theme.RUG_LINE) > 0)
        assert not ticks.x.size or np.isfinite(ticks.x[-1])
        held = (frame.kinks.sign == sign) & frame.kinks.held
        diamonds = explorer._function.diamonds[sign]
        np.testing.assert_allclose(diamonds.x, frame.kinks.x[held])
        np.testing.assert_allclose(diamonds.size, frame.kinks.size[held])


def test_circle_gets_sectors_and_predictions(explorer):
    explorer.t = 1.0
    explorer.wait(10)
    sectors, picture = explorer._circle.sectors, explorer._circle.picture
    assert len(sectors["rays"]) == 10
    assert {label["text"] for label in sectors["labels"]} >= {"x₁", "x₅"}
    signs = sorted(mark["sign"] for mark in picture["predicted"])
    expected = [e.sign for e in rq.extremal_directions(DATA) if e.kind in ("attractor", "semistable")]
    assert signs == sorted(expected)
    # Everything lies in the square that the SVG shows.
    for name in ("positive", "negative", "dead"):
        assert np.abs(np.array(picture[name] or [[[0.0]]])).max() <= 1.0


def test_many_points_are_shown_but_not_dragged(explorer):
    x = np.linspace(-1, 1, 150)
    explorer.data = rq.Dataset(x, x**2)
    assert explorer._function.points.x.size == 150
    assert not explorer._function.points.enable_move
    assert len([label for label in explorer._circle.sectors["labels"] if label["kind"] == "sample"]) == 0


@pytest.mark.parametrize("file", ["circle.js", "circle.css"])
def test_static_files_use_only_colours_of_the_theme(file):
    text = (Path(STATIC) / file).read_text(encoding="utf-8")
    colours = {c.lower() for c in re.findall(r"#[0-9a-fA-F]{3,6}\b", text)}
    known = {c.lower() for c in (theme.INK, theme.MUTED, theme.POSITIVE, theme.NEGATIVE, theme.PAPER, "#fff")}
    assert colours <= known


def test_legend_explains_every_role():
    for word in ("network", "interpolant", "data", "a &gt; 0", "a &lt; 0", "held", "predicted"):
        assert word in LEGEND
