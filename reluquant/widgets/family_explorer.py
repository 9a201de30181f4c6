"""The finitely many functions of a data set: how often each comes, and from which directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as W
import traitlets as T

from reluquant.dynamics.function_family import FunctionFamily, function_family
from reluquant.views.family_scene import by_frequency, family_scene
from reluquant.views.scene import Scene
from reluquant.views.sentences import number
from reluquant.widgets import legend
from reluquant.widgets.control_bar import LARGEST_SEED
from reluquant.widgets.controls import LogNumber, as_number
from reluquant.widgets.instrument import guarded
from reluquant.widgets.line_problem import LineProblem
from reluquant.widgets.numeric_traits import WholeNumber
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.words import PointsText, Words

WIDTH = 944
LARGEST_WIDTH = 10_000
# Subsets of directions that are gone through within some seconds.
MOST_SUBSETS = 1024


class FamilyExplorer(LineProblem):
    """All functions in which training from a vanishing start can end, with how often random networks end in each.

    Parameters
    ----------
    data : Dataset
        One feature with a bias, one label; few points, since directions have 2^N subsets.
    n_draws : int, default 100
        Random networks that are followed.
    n_neurons : int, default 100
        Their width: moving it changes frequencies, not the set.
    seed : int, default 0
        Of the draws.

    Attributes
    ----------
    family : FunctionFamily or None
        What is shown, once it is computed.
    chosen : int
        Place in ``family`` of the function that is shown large.

    Notes
    -----
    :class:`reluquant.dynamics.function_family.FunctionFamily` is the value; this is the widget that shows it.

    Examples
    --------
    >>> import reluquant as rq
    >>> explorer = rq.FamilyExplorer(rq.datasets.two_points(), n_draws=10)
    >>> explorer
    FamilyExplorer(n_samples=2, n_draws=10, n_neurons=100, seed=0)
    >>> explorer.wait(120)
    >>> len(explorer.family)
    4
    >>> explorer.close()
    """

    n_draws = WholeNumber(100, min=0, max=2000).tag(user=True, sync=True)
    n_neurons = WholeNumber(100, min=1, max=LARGEST_WIDTH).tag(user=True, sync=True)
    seed = WholeNumber(0, min=0, max=LARGEST_SEED).tag(user=True, sync=True)
    chosen = WholeNumber(0, min=0)
    family = T.Instance(FunctionFamily, allow_none=True)

    def scene(self) -> Scene:
        """Return what is shown now, as a value.

        Raises
        ------
        RuntimeError
            If the family is not computed yet.
        """
        if self.family is None:
            raise RuntimeError("There is no family to show yet: call wait() first.")
        return family_scene(self.family, min(self.chosen, len(self.family) - 1))

    def _scenes(self) -> list[Scene]:
        if self.family is None:
            return [self.scene()]
        return [family_scene(self.family, place) for place in by_frequency(self.family)]

    def __repr__(self) -> str:
        if self._closed:
            return "FamilyExplorer(closed)"
        draws = f"n_draws={self.n_draws}, n_neurons={self.n_neurons}, seed={self.seed}"
        return f"FamilyExplorer(n_samples={self.data.n_samples}, {draws})"

    # --- parts -----------------------------------------------------------------------------------

    def _open(self) -> None:
        tooltip = f"Width of the random networks, 1 to {LARGEST_WIDTH:,}: the set of functions stays"
        self._width = LogNumber("neurons", tooltip, 0, 4, 0.1, "{:.0f}".format, self._width_typed)
        self._draws = W.BoundedIntText(
            description="draws", min=0, max=2000, tooltip="How many random networks are followed",
            style={"description_width": "40px"}, layout=W.Layout(width="120px"),
        )  # fmt: skip
        self._seed = W.BoundedIntText(
            description="seed", min=0, max=LARGEST_SEED, tooltip="Seed of the draws",
            style={"description_width": "34px"}, layout=W.Layout(width="110px"),
        )  # fmt: skip
        self._member = W.Dropdown(
            description="function", tooltip="The function that is shown large; or click a small one",
            style={"description_width": "54px"}, layout=W.Layout(width="300px"),
        )  # fmt: skip
        self._view = SceneView(self._heard)
        self._points = PointsText(WIDTH - 290, on_typed=self._points_typed)
        self._words = Words(WIDTH)
        self.children = [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")),
            W.HBox([self._width.box, self._draws, self._seed, self._member]), self._view, self._words.status,
            W.HBox([self._points.text, self._saver.box]), self._words.alert,
        ]  # fmt: skip
        self.add_class("reluquant")
        self._showing = False
        for control, name in ((self._draws, "n_draws"), (self._seed, "seed"), (self._member, "chosen")):
            control.observe(lambda change, name=name: self._showing or self._set(name, change.new), names="value")
        self.observe(self._on_problem, names=["data", "n_draws", "n_neurons", "seed"])
        self.observe(self._on_chosen, names="chosen")
        self._points.show(self.data)
        self._show_controls()
        self._compute()

    # --- the user did something ------------------------------------------------------------------

    @guarded
    def _width_typed(self, value: float | str) -> None:
        try:
            count = as_number(value, "neurons")
            if isinstance(value, str) and not (count == round(count) and 1 <= count <= LARGEST_WIDTH):
                raise ValueError(f"neurons must be a whole number from 1 to {LARGEST_WIDTH:,}, but {value} was typed.")
            self.n_neurons = round(count)
        finally:
            self._show_controls()

    @guarded
    def _set(self, name: str, value: int | None) -> None:
        if value is not None:
            setattr(self, name, value)

    @guarded
    def _heard(self, event: Mapping[str, object]) -> None:
        panel = str(event.get("panel", ""))
        if event["event"] == "click" and panel.startswith("member"):
            self.chosen = int(panel.removeprefix("member"))

    # --- a trait changed -------------------------------------------------------------------------

    @guarded
    def _on_chosen(self, change: object) -> None:
        self._show_controls()
        self._drawing.request()

    # --- work off the main thread ----------------------------------------------------------------

    def _compute(self) -> None:
        data, settings = self.data, {"draws": self.n_draws, "n_neurons": self.n_neurons, "rng": self.seed}
        before = self.family
        self._work_failure = None
        self.busy = True
        self._show_error()

        def job(outdated: Callable[[], bool]) -> None:
            def progress(report: object) -> None:
                if outdated():
                    raise KeyboardInterrupt

            found = function_family(data, progress=progress, most=MOST_SUBSETS, **settings)
            if outdated():
                return
            other = before is None or before.data is not data
            self.family = found
            with self._by_itself:
                # The same function stays chosen where only the frequencies are new.
                self.chosen = by_frequency(found)[0] if other else min(self.chosen, len(found) - 1)
            self.busy = self._work.behind
            self._show_controls()
            self._drawing.request()

        self._work.submit(job)

    # --- showing ---------------------------------------------------------------------------------

    def _show(self) -> bool:
        if self.family is None:
            self.status = "Following every set of directions; the very first run compiles the integrator, once …"
            return False
        scene = self.scene()
        self._view.show(scene)
        self.status = scene.sentence
        return False

    def _show_controls(self) -> None:
        self._width.show(self.n_neurons)
        self._showing = True
        try:
            self._draws.value, self._seed.value = self.n_draws, self.seed
            if self.family is not None:
                self._member.options = [
                    (f"{self.family[k].count} draws, loss {number(self.family[k].loss)}", k)
                    for k in by_frequency(self.family)
                ]
                self._member.value = min(self.chosen, len(self.family) - 1)
        finally:
            self._showing = False
