"""The sector explorer: where tiny neurons turn to, for data and residuals that can be dragged."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import ipywidgets as W
import numpy as np
import traitlets as T

from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.dataset import Dataset
from reluquant.views.scene import Scene
from reluquant.views.sector_facts import SectorFacts, nearest, sector_facts
from reluquant.views.sector_marks import members
from reluquant.views.sector_scene import residual_window, sector_scene
from reluquant.widgets import legend
from reluquant.widgets.instrument import guarded
from reluquant.widgets.numeric_traits import FiniteFloat
from reluquant.widgets.play_bar import PlayBar, button
from reluquant.widgets.playable import Playable
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.sector_hand import MOVES, added_sample, at_angle, direction_at, moved_neuron, moved_sample
from reluquant.widgets.words import PointsText, Words, rows_of

WIDTH = 944
MOST_NEURONS = 40
# By the number of weights of a neuron: faces of sectors on the sphere grow with the square of the samples.
MOST_SAMPLES = {2: 60, 3: 20}
# Neurons at the start, in degrees, for both signs; on the sphere, its axes and a diagonal.
FIRST_ANGLES = (160.0, 60.0, -20.0)
FIRST_ON_SPHERE = ((1.0, 0.0, 0.3), (0.0, 1.0, 0.3), (-1.0, -1.0, 0.5), (0.3, -0.2, 1.0))
# Radians of a turn of the sphere for each pixel of a drag.
TURN = 0.012


class SectorExplorer(Playable):
    """Sectors, critical directions and growth rate of draggable data and residuals, and neurons that turn.

    On the left the residuals, which can be dragged; beside them the directions of the weights with sectors, basins and
    critical directions, where a click drops a neuron; below the growth rate ``G(u) = Σ_k r_k relu(u·x̃_k)``, which
    neurons with ``a > 0`` climb and others descend. Everything is computed off the kernel's main thread.

    Parameters
    ----------
    data : Dataset
        One output, and one feature with a bias or two without (directions on a circle), or two with (on a sphere).
    residual : tuple of float, optional
        ``r_k = -∂L/∂f(x_k)``; by default ``y_k / n_samples``, that of the zero function.
    sign : {1, -1}, default 1
        Of the output weights of neurons that are dropped, and whose critical directions are on the curve.
    neurons : tuple of tuple of float, optional
        For each neuron its input weights and the sign of its output weight; by default a few.
    azimuth, elevation : float
        From where the sphere is seen, in radians.
    speed : float, default 1.0
        A play takes 15 seconds divided by it.

    Attributes
    ----------
    picked : int or None
        Index into ``directions`` of the one that is told of.
    directions : tuple of ExtremalDirection
        All critical directions, as of :func:`reluquant.extremal_directions`; empty before the first are computed.
    t : float
        How far the neurons have come; time of the flow.
    playing, busy, status, error
        As in :class:`reluquant.widgets.explorer.FlowExplorer`.

    Raises
    ------
    TypeError, ValueError
        If the data are not such.

    Notes
    -----
    Residuals are frozen: neurons are so small that they say nothing. For those of a function f that is there already,
    take ``residual=(y - f(X)) / n_samples``.

    Examples
    --------
    >>> import reluquant as rq
    >>> explorer = rq.SectorExplorer(rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0]))
    >>> explorer
    SectorExplorer(n_samples=3, n_features=1, bias=True)
    >>> explorer.wait(120)
    >>> [round(e.kink, 1) for e in explorer.directions if e.kind == "attractor" and e.samples and e.sign > 0]
    [0.0, 0.0]
    >>> explorer.close()
    """

    _nouns = ("data", "residual")

    data = T.Instance(Dataset)
    residual = T.Tuple()
    neurons = T.Tuple().tag(user=True)
    sign = T.Enum((1, -1), 1).tag(user=True, sync=True)
    picked = T.Int(None, allow_none=True)
    t = FiniteFloat(0.0, min=0.0).tag(sync=True)
    azimuth = FiniteFloat(0.4).tag(user=True, sync=True)
    elevation = FiniteFloat(0.5, min=-math.pi / 2, max=math.pi / 2).tag(user=True, sync=True)

    def __init__(self, data: Dataset, **settings: object) -> None:
        _check_data(data)
        settings = {
            "residual": tuple((data.y / data.n_samples).tolist()), "neurons": _first_neurons(data), **settings,
        }  # fmt: skip
        self._facts: SectorFacts | None = None
        self._at_end, self._moving = True, False
        super().__init__(data=data, **settings)

    # --- what users call -------------------------------------------------------------------------

    @property
    def directions(self) -> tuple:
        """All critical directions of what is shown."""
        return () if self._facts is None else self._facts.directions

    def scene(self) -> Scene:
        """Return what is shown now, as a value.

        Returns
        -------
        Scene
            Panels ``data``, ``directions`` and ``growth``.

        Raises
        ------
        RuntimeError
            If nothing is computed yet.
        """
        return self._scene(self.t)

    def _scene(self, t: float) -> Scene:
        if self._facts is None:
            raise RuntimeError("There is nothing to show yet: call explorer.wait() first.")
        return sector_scene(
            self._facts, t, sign=self.sign, picked=self.picked, shown=self._window, turn=(self.azimuth, self.elevation)
        )

    def _scenes(self) -> Iterator[Scene]:
        self.scene()
        return (self._scene(t) for t in self._playback.grid)

    def __repr__(self) -> str:
        if self._closed:
            return "SectorExplorer(closed)"
        data = self.data
        return f"SectorExplorer(n_samples={data.n_samples}, n_features={data.n_features}, bias={data.bias})"

    # --- parts and layout ------------------------------------------------------------------------

    def _open(self) -> None:
        self._window = residual_window(self.data, np.array(self.residual))
        self._bar = PlayBar(
            WIDTH - 190,
            "How far the neurons have come",
            {
                "back": self._pressed("step", -1), "toggle": self._toggle, "forth": self._pressed("step", 1),
                "speed": partial(self._chosen, "speed"), "scrub": self._scrubbed,
            },
        )  # fmt: skip
        self._sign = W.ToggleButtons(
            options=[("a > 0", 1), ("a < 0", -1)], value=self.sign, style={"button_width": "66px"},
            tooltips=["Drop and show neurons with a > 0", "Drop and show neurons with a < 0"],
            layout=W.Layout(width="180px"),
        )  # fmt: skip
        self._sign.observe(lambda change: self._chosen("sign", change.new), names="value")
        self._view = SceneView(self._heard)
        one = "x" if self.data.n_features == 1 else "x₁ x₂"
        self._points = PointsText(
            WIDTH - 290, self._points_typed, "points", f"The samples as {one} r; {one} r; … – type to change them"
        )
        weights = "angle in degrees and sign" if self._on_circle else "w₁ w₂ b and sign"
        self._starts = PointsText(WIDTH - 60, self._neurons_typed, "neurons", f"For each neuron {weights}; … – type")
        self._clear = button("trash", "Take all neurons away", self._pressed("_no_neurons"))
        self._words = Words(WIDTH)
        top = W.HBox([self._sign, self._bar.box], layout=W.Layout(align_items="center"))
        self.children = [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), top, self._view, self._words.status,
            W.HBox([self._points.text, self._saver.box]), W.HBox([self._starts.text, self._clear]), self._words.alert,
        ]  # fmt: skip
        self.add_class("reluquant")
        for name, reaction in {
            "data": self._on_data, "residual": self._on_problem, "neurons": self._on_problem, "t": self._on_t,
            "playing": self._on_playing, "speed": self._on_look, "sign": self._on_look, "picked": self._on_look,
            "azimuth": self._on_look, "elevation": self._on_look,
        }.items():  # fmt: skip
            self.observe(reaction, names=name)
        self._show_controls()
        self._compute()

    @property
    def _on_circle(self) -> bool:
        return self.data.inputs.shape[1] == 2

    @property
    def _samples(self) -> tuple[Floats, Floats]:
        return self.data.X, np.array(self.residual)

    # --- what the page reports -------------------------------------------------------------------

    @guarded
    def _heard(self, event: Mapping[str, object]) -> None:
        if self._facts is None:
            return
        kind, panel, name = event["event"], event.get("panel"), str(event.get("name", ""))
        if kind == "turn":
            turned = self.elevation + TURN * float(event["dy"])
            self.elevation = min(max(turned, -math.pi / 2), math.pi / 2)
            self.azimuth -= TURN * float(event["dx"])
        elif kind == "click":
            self._clicked(panel, float(event["x"]), float(event["y"]))
        elif name.endswith("data") and kind in MOVES:
            self._sample_event(event)
        elif name.endswith("start") and kind in MOVES:
            self._start_event(event)
        elif kind == "pick" and " " in name and not name.endswith(("data", "start")):
            every = np.ones(len(self.directions), dtype=bool)
            index = int(members(self.directions, name, every)[int(event["index"])])
            self.picked = None if index == self.picked else index

    def _clicked(self, panel: object, x: float, y: float) -> None:
        if panel == "data":
            self._take_samples(*added_sample(self._samples, self._window, x, y))
        elif panel == "directions":
            weights = direction_at(self._on_circle, x, y, (self.azimuth, self.elevation))
            if weights is not None:
                self.neurons = (*self.neurons, (*weights, float(self.sign)))

    def _sample_event(self, event: Mapping[str, object]) -> None:
        moved = moved_sample(self._facts, self._samples, self._window, event)
        self._take_samples(*moved, in_hand=event["event"] == "drag")

    def _start_event(self, event: Mapping[str, object]) -> None:
        self.neurons = moved_neuron(self._facts, self.neurons, (self.azimuth, self.elevation), event)

    # --- what is typed or chosen -----------------------------------------------------------------

    @guarded
    def _points_typed(self, text: str) -> None:
        rows = rows_of(text, self.data.n_features + 1)
        if rows is None or len(rows) == 0:
            example = "-1 0.3; 0 -0.5" if self.data.n_features == 1 else "-1 0 0.3; 0 1 -0.5"
            raise ValueError(f"Samples must be inputs and a residual such as {example}, separated by semicolons.")
        self._take_samples(rows[:, :-1], rows[:, -1])

    @guarded
    def _neurons_typed(self, text: str) -> None:
        rows = rows_of(text, 2 if self._on_circle else 4)
        if rows is None:
            example = "30 1; 120 -1" if self._on_circle else "1 0 0.5 1; 0 1 0 -1"
            raise ValueError(f"Neurons must be written such as {example}, the sign of a last.")
        if self._on_circle:
            self.neurons = tuple((*at_angle(angle), sign) for angle, sign in rows.tolist())
        else:
            self.neurons = tuple(map(tuple, rows.tolist()))

    def _no_neurons(self) -> None:
        self.neurons = ()

    @guarded
    def _chosen(self, name: str, value: float) -> None:
        setattr(self, name, value)

    def _take_samples(self, X: Floats, r: Floats, *, in_hand: bool = False) -> None:
        if r.size > MOST_SAMPLES[self.data.inputs.shape[1]]:
            raise ValueError(
                f"The explorer shows at most {MOST_SAMPLES[self.data.inputs.shape[1]]} samples, but these are {r.size}."
            )
        data = Dataset(X, r * r.size, bias=self.data.bias, name=self.data.name)
        self._moving = True
        try:
            # Both before anything reacts to one of them.
            with self.hold_trait_notifications():
                self.data, self.residual = data, tuple(r.tolist())
        finally:
            self._moving = False
        if not in_hand:
            # A window that moves under a held point would carry it away.
            places = (X[:, 0], r) if self.data.n_features == 1 else (X[:, 0], X[:, 1])
            if not self._window.holds(*places):
                self._window = residual_window(self.data, np.array(self.residual))
        self._show_controls()

    # --- a trait changed -------------------------------------------------------------------------

    @T.validate("data")
    def _valid_data(self, proposal: object) -> Dataset:
        _check_data(proposal["value"])
        if getattr(self, "_facts", None) is not None:
            mine, new = self.data, proposal["value"]
            if (new.n_features, new.bias) != (self._facts.data.n_features, self._facts.data.bias):
                raise ValueError(
                    f"New data must have the features and bias of the first, but {new!r} follows {mine!r}."
                )
        return proposal["value"]

    @T.validate("residual")
    def _valid_residual(self, proposal: object) -> tuple[float, ...]:
        values = real_array(proposal["value"], "residual", ndim=(1,))
        if values.size != self.data.n_samples:
            raise ValueError(f"residual needs one number for each of {self.data.n_samples} samples, not {values.size}.")
        return tuple(values.tolist())

    @T.validate("neurons")
    def _valid_neurons(self, proposal: object) -> tuple[tuple[float, ...], ...]:
        rows, p = proposal["value"], self.data.inputs.shape[1]
        if len(rows) > MOST_NEURONS:
            raise ValueError(f"The explorer follows at most {MOST_NEURONS} neurons, but these are {len(rows)}.")
        if not len(rows):
            return ()
        values = real_array(rows, "neurons", ndim=(2,))
        if values.shape[1] != p + 1 or not np.all(np.isin(values[:, -1], (1, -1))) or not np.all(values[:, :-1].any(1)):
            raise ValueError(
                f"Each neuron is {p} weights, not all of them 0, and the sign 1 or -1 of its output weight."
            )
        return tuple(map(tuple, values.tolist()))

    @T.validate("t")
    def _valid_t(self, proposal: object) -> float:
        return min(float(proposal["value"]), math.inf if self._facts is None else self._facts.end)

    @guarded
    def _on_data(self, change: object) -> None:
        if not self._moving:
            self._window = residual_window(self.data, self.data.y / self.data.n_samples)
            before = self.residual
            self.residual = tuple((self.data.y / self.data.n_samples).tolist())
            if self.residual != before:
                return
        self._on_problem(change)

    @guarded
    def _on_problem(self, change: object) -> None:
        if len(self.residual) == self.data.n_samples:
            self._show_controls()
            self._compute()

    @guarded
    def _on_t(self, change: object) -> None:
        if self._facts is not None:
            self._at_end = self.t >= self._facts.end
        self._drawing.request()

    @guarded
    def _on_look(self, change: object) -> None:
        self._show_controls()
        self._drawing.request()

    def _at_last(self) -> bool:
        return self._at_end

    # --- work off the main thread ----------------------------------------------------------------

    def _compute(self) -> None:
        data, residual = self.data, np.array(self.residual)
        rows = np.array(self.neurons).reshape(-1, data.inputs.shape[1] + 1)
        self._work_failure = None
        self.busy = True

        def job(outdated: Callable[[], bool]) -> None:
            facts = sector_facts(data, residual, W=rows[:, :-1], signs=rows[:, -1])
            if not outdated():
                self._accept(facts)

        self._work.submit(job)
        self._show_error()

    def _accept(self, facts: SectorFacts) -> None:
        before, self._facts = self._facts, facts
        self._set_grid(np.zeros(1) if facts.paths is None else facts.paths.t)
        self._bar.set_grid(self._playback.grid)
        with self._by_itself:
            if before is not None and self.picked is not None and self.picked < len(before.directions):
                self.picked = nearest(facts, before.directions[self.picked])
            self.t = facts.end if self._at_end else min(self.t, facts.end)
        self.busy = self._work.behind
        self._drawing.request()

    def _show(self) -> bool:
        if self._facts is None:
            return False
        self._advance()
        scene = self.scene()
        self._view.show(scene)
        self._bar.show(self.t, speed=self.speed, playing=self.playing)
        self.status = scene.sentence
        return self.playing

    # --- showing ---------------------------------------------------------------------------------

    def _show_controls(self) -> None:
        self._bar.show(self.t, speed=self.speed, playing=self.playing)
        self._sign.value = self.sign
        self._points.show_rows(np.column_stack([self.data.X, self.residual]))
        rows = np.array(self.neurons).reshape(-1, self.data.inputs.shape[1] + 1)
        if self._on_circle:
            rows = np.column_stack([np.round(np.degrees(np.arctan2(rows[:, 1], rows[:, 0])), 4), rows[:, 2]])
        self._starts.show_rows(rows)


def _check_data(data: object) -> None:
    if not isinstance(data, Dataset):
        raise TypeError(f"SectorExplorer takes a Dataset, but got a {type(data).__name__}; use rq.Dataset.")
    p = data.inputs.shape[1]
    if p not in MOST_SAMPLES or data.n_features > 2 or data.y.ndim != 1:
        raise ValueError(
            "SectorExplorer shows one output, and one feature with a bias or two with or without, but got"
            f" {data!r} with y of shape {data.y.shape}."
        )
    if not np.any(data.inputs):
        raise ValueError("Some input must differ from zero where there is no bias: else no weight has an effect.")
    if data.n_samples > MOST_SAMPLES[p]:
        raise ValueError(f"SectorExplorer shows at most {MOST_SAMPLES[p]} such samples, but got {data.n_samples}.")


def _first_neurons(data: Dataset) -> tuple[tuple[float, ...], ...]:
    on_circle = data.inputs.shape[1] == 2
    weights = [at_angle(angle) for angle in FIRST_ANGLES] if on_circle else FIRST_ON_SPHERE
    return tuple((*w, sign) for sign in (1.0, -1.0) for w in weights)
