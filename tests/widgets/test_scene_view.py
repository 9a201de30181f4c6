import json
import re

import numpy as np
import pytest

from reluquant.views.scene import Line, Panel, Scene
from reluquant.widgets.page import page
from reluquant.widgets.scene_view import SceneView


def scene(height, label="f"):
    line = Line(np.array([0.0, 1.0]), np.array([0.0, height]), label=label)
    fixed = Line(np.array([0.0, 1.0]), np.array([0.5, 0.5]), label="fixed")
    return Scene(((Panel("p", (0.0, 1.0), (0.0, 1.0), (line, fixed)),),), f"height {height}")


def test_it_shows_the_newest_scene_and_hears_only_known_events():
    heard = []
    view = SceneView(heard.append)
    view.show(scene(1.0))
    assert view.scene["sentence"] == "height 1.0"
    event = {"event": "drag", "panel": "p", "name": "data", "index": 0, "x": 0.5, "y": 0.5}
    for content in (event, {"event": "explode"}, "text"):
        view._handle_custom_msg(content, [])
    assert heard == [event]
    view.close()


def test_a_page_keeps_what_is_the_same_in_all_frames_once():
    text = page([scene(h) for h in np.linspace(0, 1, 50)], title="t")
    frames = json.loads(re.search(r'<script type="application/json" id="frames">(.*?)</script>', text, re.S)[1])
    assert len(frames["frames"]) == 50
    kinds = [entry for entry in frames["pool"] if isinstance(entry, dict) and entry.get("kind") == "line"]
    # 50 lines that move, and one that does not.
    assert len(kinds) == 51


def test_nothing_in_a_page_is_interpreted_or_fetched():
    text = page([scene(0.5, label="</script><script>alert(1)</script>")], title="<script>alert(2)</script>")
    assert "<script>alert" not in text
    assert re.findall(r'(?:src|href)="?(?:https?:)?//', text) == []


def test_a_page_needs_a_scene():
    with pytest.raises(ValueError, match="at least one scene"):
        page([], title="none")
