"""A name and a button that write what is shown to a file."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as W

from reluquant.views.film import FILMS, PICTURES, TABLES

SUFFIXES = ", ".join((*PICTURES, *FILMS, *TABLES, ".html"))


class SaveBar:
    """Where to save, and the button that does it.

    Parameters
    ----------
    name : str
        Of the file that is proposed.
    on_save : callable
        Called with the name that is typed.
    """

    def __init__(self, name: str, on_save: Callable[[str], object]) -> None:
        self.text = W.Text(
            value=name,
            description="save as",
            tooltip=f"File in the notebook's folder; its suffix says what is written: {SUFFIXES}",
            continuous_update=False,
            style={"description_width": "54px"},
            layout=W.Layout(width="240px"),
        )
        self.button = W.Button(
            icon="save", tooltip="Save the picture, the film, the numbers or the page", layout=W.Layout(width="36px")
        )
        self.button.on_click(lambda _: on_save(self.text.value.strip()))
        self.box = W.HBox([self.text, self.button])
