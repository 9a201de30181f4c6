"""From condensed to lazy: the scale of the start in one slider."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import ipywidgets as W
import numpy as np
import traitlets as T

from reluquant.structures.dataset import Dataset
from reluquant.structures.scale_run import ScaleRun
from reluquant.structures.trajectory import Trajectory
from reluquant.studies.scale_runs import coarse_to_fine, contrast_run, scale_grid, scale_run
from reluquant.views.scale_scene import nearest, scale_scene, unstretched
from reluquant.views.scene import Scene
from reluquant.widgets import legend
from reluquant.widgets.control_bar import LARGEST_SEED
from reluquant.widgets.controls import as_number
from reluquant.widgets.instrument import guarded
from reluquant.widgets.line_problem import LineProblem
from reluquant.widgets.numeric_traits import FiniteFloat, WholeNumber
from reluquant.widgets.play_bar import PlayBar
from reluquant.widgets.playable import Playable
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.words import PointsText, Words

WIDTH = 944
GRID = scale_grid()
FLOW = "flow only"
# Learning rates of descent beside the flow: from faithful to coarse.
RATES = {FLOW: None, "descent, lr 0.001": 1e-3, "descent, lr 0.01": 1e-2, "descent, lr 0.1": 1e-1}


class ScaleExplorer(LineProblem, Playable):
    """The end of a run over the scale of its start, from 1e-100 to 10: directions, weights, function.

    The runs of a grid of scales are made off the kernel's main thread, spread over the whole range from the first on;
    the nearest one that is there is shown.

    Parameters
    ----------
    data : Dataset
        One feature with a bias, one label.
    n_neurons : int, default 300
        Even: mirrored pairs, so that the function starts as zero at any scale.
    seed : int, default 0
        Of the draw that all scales share.
    speed : float, default 1.0
        A play through all scales takes 15 seconds divided by it.
    max_seconds : float, default 10.0
        A run that takes longer is left out, with a sentence.

    Attributes
    ----------
    log_scale : float
        Decimal logarithm of the scale that is shown.
    contrast : str
        ``"flow only"``, or descent from the same start beside it, such as ``"descent, lr 0.01"``.
    runs : tuple of ScaleRun
        Those that are there.

    Examples
    --------
    >>> import reluquant as rq
    >>> explorer = rq.ScaleExplorer(rq.datasets.two_points(), n_neurons=20)
    >>> explorer
    ScaleExplorer(n_samples=2, n_neurons=20, seed=0)
    >>> explorer.wait(300)
    >>> explorer.log_scale = -50.0
    >>> [panel.name for panel in explorer.scene().panels()]
    ['function', 'directions', 'count', 'change', 'distance']
    >>> explorer.close()
    """

    _cursor = "log_scale"

    n_neurons = WholeNumber(300, min=2, max=10_000).tag(user=True, sync=True)
    seed = WholeNumber(0, min=0, max=LARGEST_SEED).tag(user=True, sync=True)
    max_seconds = FiniteFloat(10.0, min=0.1).tag(user=True, sync=True)
    log_scale = FiniteFloat(-6.0, min=float(GRID[0]), max=float(GRID[-1])).tag(user=True, sync=True)
    contrast = T.Enum(tuple(RATES), FLOW).tag(user=True, sync=True)
    runs = T.Tuple()

    def __init__(self, data: Dataset, **settings: object) -> None:
        self._descents: dict[tuple[float, str], Trajectory] = {}
        self._question: object = None
        super().__init__(data, **settings)

    def scene(self) -> Scene:
        """Return what is shown now, as a value.

        Raises
        ------
        RuntimeError
            If the first run is not there yet.
        """
        return self._scene_at(self.log_scale)

    def _scene_at(self, log_scale: float) -> Scene:
        if not self.runs:
            raise RuntimeError("There is no run to show yet: call wait() first.")
        run = nearest(self.runs, log_scale)
        beside = self._descents.get((run.log10_scale, self.contrast))
        return scale_scene(self.runs, log_scale, contrast=beside, lr=RATES[self.contrast] or np.nan)

    def _scenes(self) -> list[Scene]:
        return [self._scene_at(run.log10_scale) for run in sorted(self.runs, key=lambda run: run.log10_scale)]

    def __repr__(self) -> str:
        if self._closed:
            return "ScaleExplorer(closed)"
        return f"ScaleExplorer(n_samples={self.data.n_samples}, n_neurons={self.n_neurons}, seed={self.seed})"

    # --- parts -----------------------------------------------------------------------------------

    def _open(self) -> None:
        self._play_bar = PlayBar(
            WIDTH - 110,
            "Scale of the start",
            on={
                "back": self._pressed("step", -1), "toggle": self._toggle, "forth": self._pressed("step", 1),
                "speed": self._speed_chosen, "scrub": self._scrubbed,
            },
        )  # fmt: skip
        self._play_bar.set_grid(GRID)
        self._set_grid(GRID)
        self._typed = W.Text(
            description="scale", tooltip="Scale of the start, 1e-100 to 10 (type a number)", continuous_update=False,
            style={"description_width": "36px"}, layout=W.Layout(width="130px"),
        )  # fmt: skip
        self._width = W.BoundedIntText(
            description="neurons", min=2, max=10_000, step=2, tooltip="Number of neurons, an even one",
            style={"description_width": "60px"}, layout=W.Layout(width="150px"),
        )  # fmt: skip
        self._seed = W.BoundedIntText(
            description="seed", min=0, max=LARGEST_SEED, tooltip="Seed of the draw that all scales share",
            style={"description_width": "34px"}, layout=W.Layout(width="110px"),
        )  # fmt: skip
        self._beside = W.Dropdown(
            options=list(RATES), description="beside", tooltip="Gradient descent from the same start",
            style={"description_width": "46px"}, layout=W.Layout(width="210px"),
        )  # fmt: skip
        self._view = SceneView(self._heard)
        self._points = PointsText(WIDTH - 290, on_typed=self._points_typed)
        self._words = Words(WIDTH)
        self.children = [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), W.HBox([self._play_bar.box, self._typed]),
            W.HBox([self._width, self._seed, self._beside]), self._view, self._words.status,
            W.HBox([self._points.text, self._saver.box]), self._words.alert,
        ]  # fmt: skip
        self.add_class("reluquant")
        self._showing = False
        self._typed.observe(lambda change: self._showing or self._scale_typed(change.new), names="value")
        for control, name in ((self._width, "n_neurons"), (self._seed, "seed"), (self._beside, "contrast")):
            control.observe(lambda change, name=name: self._showing or self._chosen(name, change.new), names="value")
        self.observe(self._on_problem, names=["data", "n_neurons", "seed"])
        self.observe(self._on_cursor, names="log_scale")
        self.observe(self._on_contrast, names="contrast")
        self.observe(self._on_playing, names="playing")
        self.observe(lambda _: self._show_controls(), names="speed")
        self._points.show(self.data)
        self._show_controls()
        self._compute()

    # --- the user did something ------------------------------------------------------------------

    @guarded
    def _scale_typed(self, text: str) -> None:
        try:
            scale = as_number(text, "scale")
            if not 1e-100 <= scale <= 10.0:
                raise ValueError(f"scale must lie between 1e-100 and 10, but {text} was typed.")
            self.log_scale = float(np.log10(scale))
        finally:
            self._show_controls()

    @guarded
    def _chosen(self, name: str, value: object) -> None:
        try:
            setattr(self, name, value)
        finally:
            self._show_controls()

    def _speed_chosen(self, speed: float) -> None:
        self._chosen("speed", speed)

    @guarded
    def _heard(self, event: Mapping[str, object]) -> None:
        on_head = event.get("name") == "head" and event["event"] in ("drag", "drop")
        if on_head or (event["event"] == "click" and event.get("panel") in ("count", "change", "distance")):
            place = unstretched(float(event["x"]))
            self._scrubbed(min(max(place, float(GRID[0])), float(GRID[-1])))

    # --- a trait changed -------------------------------------------------------------------------

    @T.validate("n_neurons")
    def _valid_width(self, proposal: object) -> int:
        if proposal["value"] % 2:
            raise T.TraitError(f"n_neurons must be even, for mirrored pairs, but got {proposal['value']}.")
        return proposal["value"]

    @guarded
    def _on_cursor(self, change: object) -> None:
        self._show_controls()
        self._drawing.request()
        self._contrast_here()

    @guarded
    def _on_contrast(self, change: object) -> None:
        self._show_controls()
        self._drawing.request()
        self._contrast_here()

    # --- work off the main thread ----------------------------------------------------------------

    def _compute(self) -> None:
        data, n_neurons, seed = self.data, self.n_neurons, self.seed
        self._work_failure, self._warning = None, ""
        self.runs, self._descents = (), {}
        self._question = question = object()
        self.busy = True

        def job(outdated: Callable[[], bool]) -> None:
            late = []
            for index in coarse_to_fine(GRID.size):
                if outdated():
                    return
                run = scale_run(
                    data, float(GRID[index]), n_neurons=n_neurons, seed=seed, progress=self._limit(outdated)
                )
                # An outdated job may finish a run; it belongs to another question.
                if outdated() or question is not self._question:
                    return
                if run is None:
                    late.append(f"{10.0 ** GRID[index]:.1g}")
                else:
                    self._take(run)
            self._warning = f"Runs of scale {', '.join(late)} took too long and are left out." if late else ""
            self.busy = self._work.behind
            self._show_error()
            self._drawing.request()

        self._work.submit(job)
        self._show_error()

    def _limit(self, outdated: Callable[[], bool]) -> Callable[[object], None]:
        began = None

        def progress(report: object) -> None:
            nonlocal began
            # The first report comes after the compilation, which does not count.
            began = time.monotonic() if began is None else began
            if outdated() or time.monotonic() - began > self.max_seconds:
                raise KeyboardInterrupt

        return progress

    def _take(self, run: ScaleRun) -> None:
        self.runs = (*self.runs, run)
        self._drawing.request()

    def _contrast_here(self) -> None:
        """Make the descent that is to be seen beside the flow, unless it is there."""
        lr = RATES[self.contrast]
        if lr is None or not self.runs or self.busy:
            return
        run, key = nearest(self.runs, self.log_scale), self.contrast
        if (run.log10_scale, key) in self._descents:
            return
        n_neurons, seed = self.n_neurons, self.seed
        self._work_failure = None

        def job(outdated: Callable[[], bool]) -> None:
            made = contrast_run(run, lr, n_neurons=n_neurons, seed=seed, progress=self._limit(outdated))
            if not outdated() and made.end != "interrupted":
                self._descents[run.log10_scale, key] = made
                self._drawing.request()

        self._work.submit(job)

    # --- showing ---------------------------------------------------------------------------------

    def _show(self) -> bool:
        if not self.runs:
            self.status = "Computing the flows; the very first run compiles the integrator, once …"
            return False
        self._advance()
        scene = self.scene()
        self._view.show(scene)
        left = GRID.size - len(self.runs)
        self.status = scene.sentence + (f" {left} scales are still to come." if self.busy and left else "")
        return self.playing

    def _show_controls(self) -> None:
        self._play_bar.show(self.log_scale, speed=self.speed, playing=self.playing)
        self._showing = True
        try:
            self._typed.value = f"{10.0**self.log_scale:.4g}"
            self._width.value, self._seed.value, self._beside.value = self.n_neurons, self.seed, self.contrast
        finally:
            self._showing = False
