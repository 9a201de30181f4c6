"""What is shown of an interpolation: the row of choices above the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ipywidgets as W

METHOD_WORDS = {"delaunay": "a knot at every point", "fewest_pieces": "fewest pieces"}


class InterpolationControls:
    """Menus, numbers and buttons in one row.

    Parameters
    ----------
    width : int
        In pixels.
    planar : bool
        Whether the data have two inputs.
    methods, shown : sequence of str
        Choices of the interpolant on the line, and of the panels in the plane.
    bands : mapping of str to str
        Choices of the bound, by the words for them.
    on : mapping of str to callable
        What to call with what was chosen or typed: ``method``, ``band``, ``shows``, ``lipschitz``, ``curvature``,
        ``t``, ``edge``; without arguments ``delaunay``, ``closest``, ``undo``.
    """

    def __init__(
        self,
        width: int,
        *,
        planar: bool,
        methods: Sequence[str],
        bands: Mapping[str, str],
        shown: Sequence[str],
        on: Mapping[str, Callable],
    ) -> None:
        self._showing = False
        self._on = on
        self.method = self._menu("method", "interpolant", "Which interpolant of the data",
                                 [(METHOD_WORDS[m], m) for m in methods], 262)  # fmt: skip
        self.band = self._menu("band", "bound", "Which bound of the interpolation error is drawn as a band",
                               list(bands.items()), 170)  # fmt: skip
        self.shows = self._menu("shows", "show", "Three colour maps or one", [(s, s) for s in shown], 140)
        self.lipschitz = self._text("lipschitz", "slope ≤", "L of the bound L R; empty: by the weights")
        self.curvature = self._text("curvature", "curv. ≤", "M of the bound M R²/2, for |f″| ≤ M; may be empty")
        self.t = self._text("t", "t =", "Time shown: type a number, or drag the play head over the loss")
        self.edge = self._text("edge", "flip", "Edge to flip: its two points, such as 0 3; or click on it")
        self.delaunay = self._button("delaunay", "Delaunay", "The Delaunay triangulation of the data")
        self.closest = self._button("closest", "closest", "The triangulation nearest in L2 to the network now")
        self.undo = self._button("undo", "undo", "Take back the newest change of the triangulation")
        of_line, of_plane = [self.method, self.band], [self.shows, self.delaunay, self.closest, self.undo, self.edge]
        for unused in of_line if planar else of_plane:
            unused.layout.display = "none"
        self.box = W.HBox(
            [*of_line, *of_plane, self.lipschitz, self.curvature, self.t],
            layout=W.Layout(flex_flow="row wrap", align_items="center", width=f"{width}px"),
        )

    def show(
        self, *, method: str, band: str, shows: str, lipschitz: float | None, curvature: float | None, t: float,
        undo: bool,
    ) -> None:  # fmt: skip
        """Show choices that somebody else made."""
        self._showing = True
        try:
            self.method.value, self.band.value, self.shows.value = method, band, shows
            for text, value in ((self.lipschitz, lipschitz), (self.curvature, curvature), (self.t, t)):
                text.value = "" if value is None else f"{value:.6g}"
            self.edge.value = ""
            self.undo.disabled = not undo
        finally:
            self._showing = False

    def _menu(self, name: str, label: str, tooltip: str, options: list[tuple[str, str]], width: int) -> W.Dropdown:
        made = W.Dropdown(
            options=options, description=label, tooltip=tooltip, style={"description_width": "initial"},
            layout=W.Layout(width=f"{width}px"),
        )  # fmt: skip
        return self._heard(made, name)

    def _text(self, name: str, label: str, tooltip: str) -> W.Text:
        made = W.Text(
            description=label, tooltip=tooltip, continuous_update=False, style={"description_width": "initial"},
            layout=W.Layout(width="112px"),
        )  # fmt: skip
        return self._heard(made, name)

    def _heard(self, made: W.Widget, name: str) -> W.Widget:
        made.observe(lambda change: self._showing or self._on[name](change.new), names="value")
        return made

    def _button(self, name: str, label: str, tooltip: str) -> W.Button:
        made = W.Button(description=label, tooltip=tooltip, layout=W.Layout(width="92px"))
        made.on_click(lambda _: self._on[name]())
        return made
