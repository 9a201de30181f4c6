"""The greedy explorer: from saddle to saddle, in the limit of a vanishing start and at a finite scale beside it."""

from __future__ import annotations

import math
import numbers
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import ipywidgets as W
import numpy as np
import traitlets as T

from reluquant.dynamics.greedy_limit import GreedyLimit
from reluquant.structures.dataset import Dataset
from reluquant.structures.trajectory import Trajectory
from reluquant.views.frames import window
from reluquant.views.greedy_facts import GreedyFacts, drawable, greedy_facts
from reluquant.views.greedy_scene import greedy_scene
from reluquant.views.scene import Scene
from reluquant.widgets import legend
from reluquant.widgets.control_bar import LARGEST_SEED
from reluquant.widgets.controls import LogNumber, as_number
from reluquant.widgets.instrument import guarded
from reluquant.widgets.numeric_traits import FiniteFloat, WholeNumber, came
from reluquant.widgets.play_bar import PlayBar
from reluquant.widgets.playable import Playable
from reluquant.widgets.playback import Playback
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.words import PointsText, Words, as_points

WIDTH = 944
MODES = ("tracked", "reseeded")
SMALLEST_SCALE, LARGEST_SCALE, MOST_NEURONS = 1e-100, 1e-2, 2000
# Dragged points are rounded to a thousandth of the panel.
DRAG_DIGITS = 3


class GreedyExplorer(Playable):
    """The limit of a vanishing start, step by step, beside a flow of finite scale at the same τ = t / ln(1/scale).

    On the line: the function before and after the last jump and that of the flow; the directions that wake, with the
    number of their jump; and the loss, a staircase in the limit. For other data a table of the steps instead of the
    first two. Everything is computed off the kernel's main thread.

    Parameters
    ----------
    data : Dataset
        Any number of features, one output.
    n_neurons : int, default 200
        From 1 to 2000; of the flow, and of the limit if it is tracked.
    scale : float, default 1e-6
        Typical norm of a neuron at the start of the flow, from 1e-100 to 1e-2.
    seed : int, default 0
        Of the directions at the start.
    mode : {"tracked", "reseeded"}, default "tracked"
        As of :func:`reluquant.greedy_limit`: the neurons that are there, or new ones on every plateau.
    speed : float, default 1.0
        A play takes 15 seconds divided by it.
    max_seconds : float, default 20.0
        A computation that takes longer is stopped, and what it reached is shown.

    Attributes
    ----------
    tau : float
        The moment shown.
    limit : GreedyLimit or None
        The newest limit.
    trajectory : Trajectory or None
        The newest flow.
    playing, busy, status, error
        As in :class:`reluquant.widgets.explorer.FlowExplorer`.

    Raises
    ------
    TypeError, ValueError, TraitError
        If the data have several outputs, or a setting is none or out of range.

    Examples
    --------
    >>> import reluquant as rq
    >>> explorer = rq.GreedyExplorer(rq.datasets.two_points(), n_neurons=20)
    >>> explorer
    GreedyExplorer(n_samples=2, n_neurons=20, scale=1e-06, seed=0, mode='tracked')
    >>> explorer.wait(120)
    >>> explorer.limit.taus.round(3), explorer.limit.end
    (array([1.414]), 'zero loss')
    >>> explorer.step(-1)
    >>> round(explorer.tau, 3)
    1.414
    >>> explorer.close()
    """

    _cursor = "tau"

    data = T.Instance(Dataset)
    n_neurons = WholeNumber(200, min=1, max=MOST_NEURONS).tag(user=True, sync=True)
    scale = FiniteFloat(1e-6, min=SMALLEST_SCALE, max=LARGEST_SCALE).tag(user=True, sync=True)
    seed = WholeNumber(0, min=0, max=LARGEST_SEED).tag(user=True, sync=True)
    mode = T.Enum(MODES, "tracked").tag(user=True, sync=True)
    max_seconds = FiniteFloat(20.0, min=0.1).tag(user=True, sync=True)
    tau = FiniteFloat(0.0, min=0.0).tag(sync=True)

    def __init__(self, data: Dataset, **settings: object) -> None:
        _check_data(data)
        self._facts: GreedyFacts | None = None
        self._at_end, self._in_hand = True, False
        super().__init__(data=data, **settings)

    # --- what users call -------------------------------------------------------------------------

    @property
    def limit(self) -> GreedyLimit | None:
        """The newest limit."""
        return None if self._facts is None else self._facts.limit

    @property
    def trajectory(self) -> Trajectory | None:
        """The newest flow."""
        return None if self._facts is None else self._facts.run

    def step(self, frames: int = 1) -> None:
        """Go from jump to jump.

        Parameters
        ----------
        frames : int, default 1
            How many jumps; negative ones go back. Start and end of the axis count as jumps.

        Raises
        ------
        TypeError
            If ``frames`` is not a whole number.
        """
        if isinstance(frames, bool) or not isinstance(frames, numbers.Integral):
            raise TypeError(f"step takes a whole number of jumps such as 1 or -1, but got {came(frames)}.")
        if self._facts is not None:
            self.playing = False
            self.tau = Playback(self._facts.jumps).step(self.tau, int(frames))

    def scene(self) -> Scene:
        """Return what is shown now, as a value.

        Returns
        -------
        Scene
            Panels ``function``, ``directions`` and ``loss``, or ``steps`` and ``loss``.

        Raises
        ------
        RuntimeError
            If nothing is computed yet.
        """
        return self._scene(self.tau)

    def _scene(self, tau: float) -> Scene:
        if self._facts is None:
            raise RuntimeError("There is nothing to show yet: call explorer.wait() first.")
        return greedy_scene(self._facts, tau, shown=self._window)

    def _scenes(self) -> Iterator[Scene]:
        self.scene()
        return (self._scene(tau) for tau in self._playback.grid)

    def __repr__(self) -> str:
        if self._closed:
            return "GreedyExplorer(closed)"
        return (
            f"GreedyExplorer(n_samples={self.data.n_samples}, n_neurons={self.n_neurons}, scale={self.scale:g},"
            f" seed={self.seed}, mode={self.mode!r})"
        )

    # --- parts and layout ------------------------------------------------------------------------

    def _open(self) -> None:
        self._build()
        middle = W.Layout(align_items="center", flex_flow="row wrap", width=f"{WIDTH + 6}px")
        knobs = [self._mode, self._scale.box, self._neurons.box, self._seed]
        points = [self._points.text] if drawable(self.data) else []
        self.children = [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), W.HBox(knobs, layout=middle),
            self._bar.box, self._view, self._words.status, W.HBox([*points, self._saver.box]), self._words.alert,
        ]  # fmt: skip
        self.add_class("reluquant")
        self.observe(self._on_data, names="data")
        self.observe(self._on_problem, names=["n_neurons", "scale", "seed", "mode"])
        self.observe(self._on_tau, names="tau")
        self.observe(self._on_playing, names="playing")
        self.observe(lambda _: self._show_controls(), names="speed")
        self._show_data()
        self._show_controls()
        self._compute()

    def _build(self) -> None:
        self._mode = W.ToggleButtons(
            options=MODES, value=self.mode, style={"button_width": "82px"}, layout=W.Layout(width="190px"),
            tooltips=["The neurons that are there, each in its basin", "New neurons on every plateau"],
        )  # fmt: skip
        self._mode.observe(lambda change: self._chosen("mode", change.new), names="value")
        tip = "Typical norm of a neuron at the start of the flow"
        self._scale = LogNumber("scale", tip, -100, -4, 1, "{:.4g}".format, partial(self._typed, "scale"))
        tip = "Number of neurons, 1 to 2000"
        self._neurons = LogNumber("neurons", tip, 0, 3, 0.05, "{:.0f}".format, partial(self._typed, "n_neurons"))
        self._seed = W.BoundedIntText(
            description="seed", min=0, max=LARGEST_SEED, tooltip="Seed of the directions at the start",
            style={"description_width": "34px"}, layout=W.Layout(width="110px"),
        )  # fmt: skip
        self._seed.observe(lambda change: self._chosen("seed", change.new), names="value")
        self._bar = PlayBar(
            WIDTH,
            "The moment τ",
            {
                "back": self._pressed("step", -1), "toggle": self._toggle, "forth": self._pressed("step", 1),
                "speed": partial(self._chosen, "speed"), "scrub": self._scrubbed,
            },
        )  # fmt: skip
        self._bar.buttons.back.tooltip = "Back to the jump before"
        self._bar.buttons.forth.tooltip = "On to the next jump"
        self._view = SceneView(self._heard)
        self._points = PointsText(WIDTH - 290, self._points_typed)
        self._words = Words(WIDTH)

    # --- what the user does ----------------------------------------------------------------------

    @guarded
    def _heard(self, event: Mapping[str, object]) -> None:
        if self._facts is None:
            return
        kind, panel, name = event["event"], event.get("panel"), str(event.get("name", ""))
        if panel == "loss" and kind in ("click", "stroke", "stroked", "drag", "drop"):
            self._scrubbed(max(float(event["x"]), 0.0))
        elif panel == "loss" and kind == "nudge":
            self._scrubbed(max(self.tau + float(event["dx"]), 0.0))
        elif kind == "pick" and name.startswith("jump"):
            self._scrubbed(float(self._facts.limit.taus[int(name.split()[1]) - 1]))
        elif panel == "function":
            self._point_event(kind, event)

    def _point_event(self, kind: object, event: Mapping[str, object]) -> None:
        x, y = self.data.X[:, 0].copy(), self.data.y.copy()
        if kind == "click":
            x, y = np.append(x, float(event["x"])), np.append(y, float(event["y"]))
            self._take(x, y, x.size - 1)
        elif kind == "delete":
            if x.size == 1:
                raise ValueError("One point must stay: without data there is nothing to learn.")
            k = int(event["index"])
            self._take(np.delete(x, k), np.delete(y, k), None)
        elif kind in ("drag", "drop", "nudge"):
            k, move = int(event["index"]), kind == "nudge"
            x[k] = x[k] + float(event["dx"]) if move else float(event["x"])
            y[k] = y[k] + float(event["dy"]) if move else float(event["y"])
            self._take(x, y, k, in_hand=kind == "drag")

    def _take(self, x: np.ndarray, y: np.ndarray, moved: int | None, *, in_hand: bool = False) -> None:
        shown = self._window
        if moved is not None:
            spans = shown.right - shown.left, shown.top - shown.bottom
            for values, span in zip((x, y), spans, strict=True):
                values[moved] = round(values[moved], DRAG_DIGITS - math.floor(math.log10(span)))
        # A window that moves under a held point would carry it away.
        self._in_hand = in_hand or shown.holds(x, y)
        try:
            self.data = Dataset(x, y, name=self.data.name)
        finally:
            self._in_hand = False

    @guarded
    def _points_typed(self, text: str) -> None:
        self.data = Dataset(*as_points(text), name=self.data.name)

    @guarded
    def _typed(self, name: str, value: float | str) -> None:
        try:
            number = as_number(value, name)
            if name == "n_neurons" and (number == round(number) or not isinstance(value, str)):
                number = round(number)
            setattr(self, name, number)
        finally:
            self._show_controls()

    @guarded
    def _chosen(self, name: str, value: object) -> None:
        setattr(self, name, value)

    # --- a trait changed -------------------------------------------------------------------------

    @T.validate("data")
    def _valid_data(self, proposal: object) -> Dataset:
        _check_data(proposal["value"])
        if self._facts is not None and drawable(self.data) != drawable(proposal["value"]):
            raise ValueError("New data must be on the line with a bias if the first were, and only then.")
        return proposal["value"]

    @T.validate("tau")
    def _valid_tau(self, proposal: object) -> float:
        return min(float(proposal["value"]), math.inf if self._facts is None else self._facts.end)

    @guarded
    def _on_data(self, change: object) -> None:
        self._show_data(in_hand=self._in_hand)
        self._compute()

    @guarded
    def _on_problem(self, change: object) -> None:
        self._show_controls()
        self._compute()

    @guarded
    def _on_tau(self, change: object) -> None:
        if self._facts is not None:
            self._at_end = self.tau >= self._facts.end
        self._drawing.request()

    def _at_last(self) -> bool:
        return self._at_end

    # --- work off the main thread ----------------------------------------------------------------

    def _compute(self) -> None:
        data, seconds = self.data, self.max_seconds
        settings = {"n_neurons": self.n_neurons, "scale": self.scale, "seed": self.seed, "mode": self.mode}
        self._work_failure, self._warning = None, ""
        self.busy = True

        def job(outdated: Callable[[], bool]) -> None:
            began: float | None = None
            late = False

            def progress(report: object) -> None:
                nonlocal began, late
                # Compiling, before the first report, does not count.
                began = time.monotonic() if began is None else began
                late = late or time.monotonic() - began > seconds
                if late or outdated():
                    raise KeyboardInterrupt

            facts = greedy_facts(data, **settings, progress=progress)
            if not outdated():
                self._accept(facts, f"The computation was stopped after {seconds:g} seconds." if late else "")

        self._work.submit(job)
        self._show_error()

    def _accept(self, facts: GreedyFacts, warning: str) -> None:
        self._facts, self._warning = facts, warning
        self._show_error()
        self._set_grid(facts.grid)
        self._bar.set_grid(facts.grid)
        with self._by_itself:
            self.tau = facts.end if self._at_end else min(self.tau, facts.end)
        self.busy = self._work.behind
        self._drawing.request()

    def _show(self) -> bool:
        if self._facts is None:
            return False
        self._advance()
        scene = self.scene()
        self._view.show(scene)
        self._bar.show(self.tau, speed=self.speed, playing=self.playing)
        self.status = scene.sentence
        return self.playing

    # --- showing ---------------------------------------------------------------------------------

    def _show_data(self, *, in_hand: bool = False) -> None:
        if drawable(self.data):
            if not in_hand:
                self._window = window(self.data)
            self._points.show(self.data)
        else:
            self._window = None

    def _refusal_gone(self) -> None:
        self._show_data(in_hand=True)
        self._show_controls()

    def _show_controls(self) -> None:
        self._bar.show(self.tau, speed=self.speed, playing=self.playing)
        self._scale.show(self.scale)
        self._neurons.show(self.n_neurons)
        self._mode.value, self._seed.value = self.mode, self.seed


def _check_data(data: object) -> None:
    if not isinstance(data, Dataset):
        raise TypeError(f"GreedyExplorer takes a Dataset, but got a {type(data).__name__}; use rq.Dataset.")
    if data.y.ndim != 1:
        raise ValueError(f"GreedyExplorer shows data with one output, but got y of shape {data.y.shape}.")
