"""The live histogram of weight directions: a circle, spheres that can be turned, or a heat map."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import ipywidgets as W
import numpy as np
import traitlets as T
from numpy.typing import NDArray

from reluquant.structures.trajectory import Trajectory
from reluquant.views.direction_circle_scene import neurons_at, neurons_towards
from reluquant.views.direction_frame import DirectionFrame, Shape, shape_of
from reluquant.views.direction_frames import DirectionFrames
from reluquant.views.direction_heat_scene import cluster_at, neurons_of, row_at
from reluquant.views.direction_histogram_scene import direction_scene, rows_at
from reluquant.views.direction_sphere_scene import View, neurons_about, neurons_near
from reluquant.views.direction_weight import Weight
from reluquant.views.scene import Scene
from reluquant.widgets import legend
from reluquant.widgets.accessibility import Accessibility
from reluquant.widgets.controls import as_numbers
from reluquant.widgets.instrument import guarded
from reluquant.widgets.neuron_entry import NeuronEntry, as_neurons
from reluquant.widgets.numeric_traits import FiniteFloat, Indices, came
from reluquant.widgets.play_bar import PlayBar
from reluquant.widgets.playable import Playable
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.words import Words

WIDTH = 940
# Degrees that a sphere turns for a pixel of the mouse.
DEGREES = 0.4
# Seconds between two reports of how much of a play is prepared.
REPORT = 0.5
SELECT_BY = {
    Shape.CIRCLE: "angle of a bar in degrees, such as 45",
    Shape.SPHERE: "azimuth and elevation of a direction in degrees, such as 30, −10",
    Shape.HEAT_MAP: "number of a cluster, such as 1",
}


class DirectionHistogram(Playable):
    """The directions of all neurons of a run, and how they condense.

    With one or two weights a neuron (one input with a bias, or two without) it is a circular histogram; with three, a
    sphere for each sign of the output weights, which can be turned; with more, a heat map of the angles between the
    heaviest neurons.

    Parameters
    ----------
    trajectory : Trajectory
        Any number of features and outputs, with or without bias.
    weight : {"count", "mass", "log-norm"}
        What the length of a bar or the density on a sphere stands for: the number of neurons, their mass
        ``Σ |a| ‖w‖``, or the norm of the largest one on a logarithmic scale from the start to the end of the run.
    order : {"end", "now"}
        Heat map: whether its neurons are chosen by their mass, and put side by side by their directions, at the end of
        the run or at the time shown.
    azimuth, elevation : float
        Spheres: where the eye is, in degrees.
    selected : array_like of int
        Neurons to highlight; a click on a bar, a sphere or a block sets it, a second one or Escape takes it back.
    speed : float
        A play of the whole run takes 15 seconds divided by it.
    max_seconds : float
        The moments of a play are prepared in the background for that long at most; the play has those that are ready.

    Attributes
    ----------
    t : float
        The time shown, from 0 to the end of the run.
    hovered : ndarray of int
        Neurons under the mouse, highlighted in place of those that are selected.
    playing, busy : bool
        Whether the time runs, and whether moments are being prepared.
    status, error : str
        What the widget says; ``error`` is empty when all is well.

    Raises
    ------
    TypeError
        If ``trajectory`` is none, or a setting is unknown.
    TraitError
        If a setting is out of its range.

    Notes
    -----
    Extremal directions are those of the residuals at the time shown (:func:`reluquant.extremal_directions`). Basins are
    known for one input with a bias. A time that is not prepared is computed when it is asked for, which takes as long
    as ``trajectory.states``: for 100,000 neurons in several dimensions that is a second and more.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 3: tiny neurons turn to few directions.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.0, 1.0])
    >>> net = rq.ShallowReLU.balanced(n_neurons=50, scale=1e-6, rng=0)
    >>> histogram = rq.DirectionHistogram(rq.gradient_flow(net, data, t_max=30.0, progress=False), weight="mass")
    >>> histogram
    DirectionHistogram(n_neurons=50, dimension=2, weight='mass')
    >>> histogram.wait(120)
    >>> histogram.t
    30.0
    >>> histogram.close()
    """

    _nouns = ("trajectory",)

    trajectory = T.Instance(Trajectory)
    t = FiniteFloat(0.0, min=0.0).tag(sync=True)
    weight = T.Enum([str(weight) for weight in Weight], default_value=str(Weight.COUNT)).tag(user=True, sync=True)
    order = T.Enum(["end", "now"], default_value="end").tag(user=True, sync=True)
    azimuth = FiniteFloat(30.0).tag(user=True, sync=True)
    elevation = FiniteFloat(20.0, min=-90.0, max=90.0).tag(user=True, sync=True)
    selected = Indices(()).tag(user=True)
    hovered = Indices(())
    max_seconds = FiniteFloat(120.0, min=0.0).tag(user=True, sync=True)

    def __init__(self, trajectory: Trajectory, **settings: object) -> None:
        if not isinstance(trajectory, Trajectory):
            raise TypeError(
                f"DirectionHistogram takes a Trajectory, as rq.gradient_flow returns it, but got {came(trajectory)}."
            )
        self._frames: DirectionFrames | None = None
        super().__init__(trajectory=trajectory, **settings)

    # --- what users call -------------------------------------------------------------------------

    def scene(self) -> Scene:
        """Return what is shown now, as a value.

        Returns
        -------
        Scene
            Panel ``directions``; panels ``positive`` and ``negative`` (several outputs: ``all``); or ``angles``,
            ``scale`` and ``clusters``; and always ``loss``.

        Raises
        ------
        RuntimeError
            If the first picture is not there yet.
        """
        return self._scene(self._ready(), self.t)

    def _scenes(self) -> Iterator[Scene]:
        frames = self._ready()
        return (self._scene(frames, float(t)) for t in frames.grid)

    def __repr__(self) -> str:
        if self._closed:
            return "DirectionHistogram(closed)"
        data = self.trajectory.data
        return (
            f"DirectionHistogram(n_neurons={self.trajectory.n_neurons}, dimension={data.n_features + data.bias},"
            f" weight={self.weight!r})"
        )

    # --- parts and layout ------------------------------------------------------------------------

    def _open(self) -> None:
        self._view = SceneView(self._heard)
        self._bar = PlayBar(
            WIDTH, "Time",
            on={
                "back": self._pressed("step", -1),
                "toggle": self._toggle,
                "forth": self._pressed("step", 1),
                "speed": partial(self._chosen, "speed"),
                "scrub": self._scrub,
            },
        )  # fmt: skip
        self._weight = W.Dropdown(
            options=[str(weight) for weight in Weight], description="weight", layout=W.Layout(width="170px"),
            tooltip="What bars and density stand for: number of neurons, their mass, or the norm of the largest",
            style={"description_width": "54px"},
        )  # fmt: skip
        self._order = W.Dropdown(
            options=[("at the end", "end"), ("now", "now")], description="order", layout=W.Layout(width="170px"),
            tooltip="Take the neurons that are heaviest, and their order, at the end of the run or at the time shown",
            style={"description_width": "54px"},
        )  # fmt: skip
        self._turn = [
            _entry("azimuth", "Where the eye is, in degrees about the third axis; or drag, or use the arrow keys", 130),
            _entry("elevation", "Where the eye is, in degrees above the first two axes, from -90 to 90", 130),
        ]
        self._select = _entry("select", "", 140)
        self._neuron = NeuronEntry(130, on_typed=self._neurons_typed)
        self._words = Words(WIDTH)
        self._showing = False
        self.children = [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), self._bar.box, self._view,
            W.HBox(
                [self._weight, self._order, *self._turn, self._select, self._neuron.text, self._saver.box],
                # On a sphere there are more controls than fit beside each other.
                layout=W.Layout(flex_flow="row wrap", width=f"{WIDTH}px"),
            ),
            self._words.status, self._words.alert, Accessibility(),
        ]  # fmt: skip
        self.add_class("reluquant")
        self._observe()
        self._restart()

    def _observe(self) -> None:
        self._weight.observe(lambda change: self._showing or self._chosen("weight", change.new), names="value")
        self._order.observe(lambda change: self._showing or self._chosen("order", change.new), names="value")
        for name, entry in zip(("azimuth", "elevation"), self._turn, strict=True):
            entry.observe(partial(self._angle_typed, name), names="value")
        self._select.observe(self._selection_typed, names="value")
        for name, reaction in {
            "trajectory": self._on_trajectory,
            "t": self._on_picture,
            "playing": self._on_playing,
            "speed": self._on_setting,
            "weight": self._on_picture,
            "order": self._on_picture,
            "azimuth": self._on_picture,
            "elevation": self._on_picture,
            "selected": self._on_selected,
            "hovered": self._on_picture,
            "max_seconds": self._on_setting,
        }.items():
            self.observe(reaction, names=name)

    # --- work off the main thread ----------------------------------------------------------------

    def _restart(self) -> None:
        """Prepare the play of the present run."""
        run, seconds = self.trajectory, self.max_seconds
        shape = shape_of(run.data)
        # All of them are parts at any time, so that closing the widget closes them.
        for control, shapes in (
            (self._weight, (Shape.CIRCLE, Shape.SPHERE)), (self._order, (Shape.HEAT_MAP,)),
            *((entry, (Shape.SPHERE,)) for entry in self._turn),
        ):  # fmt: skip
            control.layout.display = None if shape in shapes else "none"
        self._select.tooltip = f"Select by the {SELECT_BY[shape]}; empty for none"
        self._frames, self._work_failure = None, None
        self.busy = True
        self.status = "Computing the first picture …"

        def job(outdated: Callable[[], bool]) -> None:
            frames = DirectionFrames(run)
            if run is not self.trajectory:
                return
            self._accept(frames)
            began = told = time.monotonic()
            for times in frames.todo():
                if outdated() or run is not self.trajectory or time.monotonic() - began > seconds:
                    break
                frames.make(times)
                if time.monotonic() - told > REPORT:
                    told = time.monotonic()
                    self._set_grid(frames.ready())
            if run is self.trajectory:
                self._set_grid(frames.ready())
                self.busy = False
                self._drawing.request()

        self._work.submit(job)

    def _accept(self, frames: DirectionFrames) -> None:
        self._frames = frames
        self._bar.set_grid(frames.grid)
        self._set_grid(frames.ready())
        with self._by_itself:
            self.t = float(self.trajectory.t[-1])
        self._show_controls()
        self._drawing.request()

    def _ready(self) -> DirectionFrames:
        if self._frames is None:
            raise RuntimeError("There is no picture to show yet: call histogram.wait() first.")
        return self._frames

    def _scene(self, frames: DirectionFrames, t: float) -> Scene:
        return direction_scene(
            frames, t, weight=Weight(self.weight), selected=self.selected, pointed=self.hovered,
            sorted_now=self.order == "now", view=View(self.azimuth, self.elevation),
        )  # fmt: skip

    def _show(self) -> bool:
        frames = self._frames
        if frames is None:
            return False
        self._advance()
        scene = self._scene(frames, self.t)
        self._view.show(scene)
        self._show_controls()
        ready = frames.ready().size
        prepared = f" {ready} of {frames.grid.size} moments of the play are ready." if ready < frames.grid.size else ""
        self.status = scene.sentence + prepared
        return self.playing

    # --- the user did something ------------------------------------------------------------------

    def _heard(self, event: Mapping[str, object]) -> None:
        if self._frames is None:
            return
        if event["event"] in ("hover", "leave"):
            # A mouse that passes by is no action that would take back what an earlier one was refused for.
            with self._by_itself:
                self._passed(event)
        else:
            self._touched(event)

    @guarded
    def _passed(self, event: Mapping[str, object]) -> None:
        panel = str(event["panel"])
        over = event["event"] == "hover" and panel not in ("loss", "scale")
        self.hovered = self._there(panel, float(event["x"]), float(event["y"])) if over else ()

    @guarded
    def _touched(self, event: Mapping[str, object]) -> None:
        kind, panel = event["event"], str(event["panel"])
        if panel == "loss":
            self._head_moved(kind, event)
        elif kind == "turn":
            self.azimuth = (self.azimuth - DEGREES * float(event["dx"]) + 180) % 360 - 180
            self.elevation = min(max(self.elevation + DEGREES * float(event["dy"]), -90.0), 90.0)
        elif kind in ("click", "pick") and "x" in event and panel != "scale":
            found = self._there(panel, float(event["x"]), float(event["y"]))
            # A second click takes the selection back.
            self.selected = found if not np.array_equal(found, self.selected) else ()

    def _head_moved(self, kind: object, event: Mapping[str, object]) -> None:
        """The play head was dragged along the axis of the loss, or moved by an arrow key."""
        if kind in ("drag", "drop"):
            self._scrub(10.0 ** float(event["x"]))
        elif kind == "nudge":
            self.step(1 if float(event["dx"]) > 0 else -1)

    @guarded
    def _scrub(self, t: float) -> None:
        # A moment that is not ready may take seconds, and a hand does not tell it from its neighbour.
        if self._frames is not None:
            self._scrubbed(self._frames.nearest(t))

    def _there(self, panel: str, x: float, y: float) -> NDArray[np.int64]:
        """The neurons at a place of the picture."""
        frame, shape = self._frames.at(self.t), self._frames.shape
        if shape is Shape.CIRCLE:
            return neurons_at(frame, x, y)
        if shape is Shape.SPHERE:
            return neurons_near(frame, View(self.azimuth, self.elevation), panel, x, y)
        shown = rows_at(self._frames, frame, sorted_now=self.order == "now")
        row = row_at(shown, y) if panel == "angles" else -1
        return neurons_of(shown, cluster_at(y) if panel == "clusters" else int(shown.cluster[row]) if row >= 0 else -1)

    @guarded
    def _chosen(self, name: str, value: object) -> None:
        setattr(self, name, value)

    @guarded
    def _angle_typed(self, name: str, change: object) -> None:
        if self._showing:
            return
        try:
            typed = as_numbers(change.new, name)
            if len(typed) != 1:
                raise ValueError(f"{name} must be a number of degrees, but {change.new!r} was typed.")
            setattr(self, name, typed[0])
        finally:
            self._show_controls()

    @guarded
    def _selection_typed(self, change: object) -> None:
        frames = self._frames
        if self._showing or frames is None:
            return
        needed = {Shape.CIRCLE: 1, Shape.SPHERE: 2, Shape.HEAT_MAP: 1}[frames.shape]
        typed = as_numbers(change.new.replace("−", "-").replace("°", ""), "number")
        if typed and len(typed) != needed:
            raise ValueError(f"Select by the {SELECT_BY[frames.shape]}, but {change.new!r} was typed.")
        self.selected = self._named(frames.at(self.t), typed) if typed else ()
        if typed and not self.selected.size:
            raise ValueError(f"There is no neuron at {change.new} at this time.")

    @guarded
    def _neurons_typed(self, text: str) -> None:
        self.selected = as_neurons(text, self.trajectory.n_neurons)

    def _let_go(self) -> None:
        self.selected = self.hovered = ()

    def _refusal_gone(self) -> None:
        super()._refusal_gone()
        self._neuron.show(self.selected)

    def _named(self, frame: DirectionFrame, typed: list[float]) -> NDArray[np.int64]:
        if self._frames.shape is Shape.CIRCLE:
            return neurons_towards(frame, float(np.radians(typed[0])))
        if self._frames.shape is Shape.SPHERE:
            return neurons_about(frame, *typed)
        shown = rows_at(self._frames, frame, sorted_now=self.order == "now")
        return neurons_of(shown, int(typed[0]) - 1 if typed[0] == round(typed[0]) else -1)

    # --- a trait changed -------------------------------------------------------------------------

    @T.validate("t")
    def _valid_t(self, proposal: object) -> float:
        return min(float(proposal["value"]), float(self.trajectory.t[-1]))

    @T.validate("selected", "hovered")
    def _valid_selected(self, proposal: object) -> NDArray[np.int64]:
        chosen, count, name = proposal["value"], self.trajectory.n_neurons, proposal["trait"].name
        outside = chosen[(chosen < 0) | (chosen >= count)]
        if outside.size:
            raise T.TraitError(f"{name} must hold indices from 0 to {count - 1:,}, but got {outside[0]:,}.")
        return chosen

    @guarded
    def _on_trajectory(self, change: object) -> None:
        self.playing = False
        self.selected = self.hovered = ()
        self._restart()

    @guarded
    def _on_selected(self, change: object) -> None:
        self._neuron.show(self.selected)
        self._drawing.request()

    @guarded
    def _on_picture(self, change: object) -> None:
        self._drawing.request()

    @guarded
    def _on_setting(self, change: object) -> None:
        self._show_controls()

    # --- showing ---------------------------------------------------------------------------------

    def _show_controls(self) -> None:
        self._bar.show(self.t, speed=self.speed, playing=self.playing)
        self._showing = True
        try:
            self._weight.value, self._order.value = self.weight, self.order
            for entry, angle in zip(self._turn, (self.azimuth, self.elevation), strict=True):
                entry.value = f"{angle:.4g}"
        finally:
            self._showing = False


def _entry(label: str, tooltip: str, width: int) -> W.Text:
    return W.Text(
        description=label, tooltip=tooltip, continuous_update=False, style={"description_width": "62px"},
        layout=W.Layout(width=f"{width}px"),
    )  # fmt: skip
