"""A page that plays scenes with no kernel and nothing to fetch."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

from reluquant.views import theme
from reluquant.views.packed_scene import packed_scene
from reluquant.views.scene import Scene

STATIC = Path(__file__).parent / "static"


def page(scenes: Sequence[Scene], *, title: str, seconds: float = 15.0) -> str:
    """Return an HTML page: the scenes, a play button, a slider, and the sentence of each.

    Parameters
    ----------
    scenes : sequence of Scene
        At least one; a single one gets no player.
    title : str
        Any text; it is shown, not interpreted.
    seconds : float
        How long a play takes.

    Returns
    -------
    str
        Self-contained: it opens from a disk, from any server, or in a frame.

    Examples
    --------
    >>> from reluquant.views.scene import Line, Panel, Scene
    >>> from reluquant.widgets.page import page
    >>> panel = Panel("function", (0.0, 1.0), (0.0, 1.0), (Line([0.0, 1.0], [0.0, 1.0]),))
    >>> "<script>" in page([Scene(((panel,),))], title="<script>")
    False
    """
    if not scenes:
        raise ValueError("A page needs at least one scene, but got none.")
    frames = json.dumps(_pooled([packed_scene(scene) for scene in scenes]), separators=(",", ":"), allow_nan=False)
    # The page's own style sheet names Jupyter's variables; here they take the values of paper or of a dark page.
    return Template((STATIC / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        theme=theme.STYLE_SHEET,
        dark=theme.ON_DARK,
        style=(STATIC / "scene.css").read_text(encoding="utf-8"),
        # An inlined module exports nothing.
        script=(STATIC / "scene.js").read_text(encoding="utf-8").replace("export default { render };", "").replace(
            "export function", "function"
        ),
        # "</script>" inside a label would end the block.
        frames=frames.replace("<", "\\u003c"),
        seconds=repr(float(seconds)),
    )


def _pooled(packed: list[dict]) -> dict:
    """Scenes whose marks and legends are numbers of a pool: most of them are the same in all frames."""
    pool: dict[str, int] = {}

    def number(value: object) -> int:
        return pool.setdefault(json.dumps(value, separators=(",", ":"), allow_nan=False), len(pool))

    frames = [
        {
            "rows": [
                [number({**panel, "marks": [number(mark) for mark in panel["marks"]]}) for panel in row]
                for row in scene["rows"]
            ],
            "legend": number(scene["legend"]),
            "sentence": scene["sentence"],
        }
        for scene in packed
    ]
    return {"pool": [json.loads(entry) for entry in pool], "frames": frames}
