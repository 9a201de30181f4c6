"""What closes with what: the parts of a widget with it, and what a cell had shown when the cell runs again."""

from __future__ import annotations

import weakref

import ipywidgets as W
from IPython import get_ipython

# Cell id → (message id of its last run, widgets opened by it).
_OPENED: dict[str, tuple[str, list[weakref.ref[W.Widget]]]] = {}


def close_earlier_runs(widget: W.Widget) -> None:
    """Remember that the running cell opened ``widget``; close what an earlier run of it had opened.

    Outside a notebook, or in one that does not tell its cells apart, nothing happens.

    Parameters
    ----------
    widget : Widget
        The new one.
    """
    cell, run = _running_cell()
    if cell is None:
        return
    last_run, opened = _OPENED.get(cell, ("", []))
    if last_run != run:
        for reference in opened:
            earlier = reference()
            if earlier is not None:
                earlier.close()
        opened = []
    opened.append(weakref.ref(widget))
    _OPENED[cell] = (run, opened)


def _running_cell() -> tuple[str | None, str]:
    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    # JupyterLab and Notebook send the id of the cell with each request to run it.
    return parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id", "")


def close_parts(widget: W.Widget) -> None:
    """Close all widgets inside another, which ipywidgets would keep: children, figures, marks, axes, scales, layouts.

    Parameters
    ----------
    widget : Widget
        It stays open itself.
    """
    for part in _parts(widget):
        part.close()


def _parts(widget: W.Widget) -> list[W.Widget]:
    """All widgets inside another: children, figures, marks, axes, scales, layouts, styles."""
    found: dict[str, W.Widget] = {}
    queue = [widget]
    while queue:
        owner = queue.pop()
        for name in owner.keys:
            value = getattr(owner, name, None)
            items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
            for item in items:
                if isinstance(item, W.Widget) and item is not widget and item.model_id not in found:
                    found[item.model_id] = item
                    queue.append(item)
    return list(found.values())
