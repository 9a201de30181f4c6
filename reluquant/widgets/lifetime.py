"""What closes with what: the parts of a widget with it, and what a cell had shown when the cell runs again."""

from __future__ import annotations

import weakref

import ipywidgets as W
from IPython import get_ipython

# What the cells opened is kept on the shell that runs them, under this name: it lives and dies with the shell.
MEMORY = "_reluquant_opened"


def close_earlier_runs(widget: W.Widget) -> None:
    """Remember that the running cell opened ``widget``; close what an earlier run of it had opened.

    Outside a notebook, or in one that does not tell its cells apart, nothing happens.

    Parameters
    ----------
    widget : Widget
        The new one.
    """
    shell = get_ipython()
    cell, run = _running_cell(shell)
    if cell is None:
        return
    # Cell id → (message id of its last run, weak references to the widgets opened by it).
    memory = vars(shell).setdefault(MEMORY, {})
    last_run, opened = memory.get(cell, ("", []))
    if last_run != run:
        for reference in opened:
            earlier = reference()
            if earlier is not None:
                earlier.close()
        opened = []
    opened.append(weakref.ref(widget))
    memory[cell] = (run, opened)


def _running_cell(shell: object) -> tuple[str | None, str]:
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
    # By identity, since a part that was closed before its owner, as at the end of Python, has no model id.
    found: dict[int, W.Widget] = {}
    queue = [widget]
    while queue:
        owner = queue.pop()
        for name in owner.keys:
            value = getattr(owner, name, None)
            items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
            for item in items:
                if isinstance(item, W.Widget) and item is not widget and id(item) not in found:
                    found[id(item)] = item
                    queue.append(item)
    return list(found.values())
