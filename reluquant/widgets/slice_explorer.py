"""The slice explorer: the linear regions of a network in the plane through three data points."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import ipywidgets as W
import numpy as np
import traitlets as T
from numpy.typing import ArrayLike

from reluquant.analysis.heavy_neurons import heavy_neurons
from reluquant.analysis.slice_frame import SliceFrame
from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.scalars import Rng, generator
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.views.network_run import network_run
from reluquant.views.scene import Scene
from reluquant.views.sentences import number
from reluquant.views.slice_facts import SliceFacts, slice_facts
from reluquant.views.slice_images import SliceImages, slice_data
from reluquant.views.slice_scene import slice_scene
from reluquant.widgets import legend
from reluquant.widgets.controls import as_number, as_numbers
from reluquant.widgets.instrument import guarded
from reluquant.widgets.numeric_traits import FiniteFloat, WholeNumber
from reluquant.widgets.playable import Playable
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.slice_controls import SliceControls
from reluquant.widgets.words import Words

WIDTH = 944
LEAST_ZOOM, MOST_ZOOM = 1e-2, 1e6
# Pixels of a wheel that double the zoom.
DOUBLING = 240.0
# A probe or a middle further out than so many sides of the triangle says nothing.
FARTHEST = 1e6
CENTROID = (1 / 3, 1 / 3)


class SliceExplorer(Playable):
    """The exact slice of a trained network by the plane through three data points, and the data point at a probe.

    On the left the plane: the edges of linear regions, which class wins where and the boundaries between classes, or
    the value of one output and its zero level. On the right the three data points as pictures, the one at the probe,
    which can be dragged, and the outputs there. Everything is computed off the kernel's main thread.

    Parameters
    ----------
    net : ShallowReLU, DeepReLU, or a run
        The network, of any number of features and outputs. A run has times ``.t`` and networks ``.at(t)``, as a
        :class:`reluquant.Trajectory` has; then a play shows the regions form.
    images : array_like, shape (n_images, n_features) or (n_images, height, width)
        At least three data points.
    labels : array_like, shape (n_images,), optional
        What each is, numbers or text.
    chosen : sequence of three int, optional
        The data points that the plane goes through; by default the first of three labels, or the first three that lie
        on no line.
    probe : tuple of two float
        The probe is ``A + q (B − A) + r (C − A)``; by default in the middle.
    zoom : float, default 1.0
        From 0.01 to 1e6; at 1 the three points are seen with some room.
    centre : tuple, optional
        The middle of the window, as ``probe``; by default that of the three points.
    output : int, optional
        Show the value of this output; by default the winning class, or the only output.
    edges : float, default 1.0
        Draw the boundaries of the heaviest neurons that together have this share of their layer's mass; 0 for none.
    near : float, default 0.0
        Other data points within this distance of the plane are marked.
    classes : sequence of str, optional
        Names of the outputs; by default their numbers.
    shape : sequence of two int, optional
        Rows and columns of a picture; by default a square, if at least 16 features fill one, else a profile of bars.
    rng : int, numpy.random.Generator or None, default 0
        Of the shuffle.
    speed : float, default 1.0
        A play takes 15 seconds divided by it.

    Attributes
    ----------
    t : float
        The moment of the run.
    facts : SliceFacts or None
        What is shown, once it is computed: the linear regions, the decision regions.
    playing, busy, status, error
        As in :class:`reluquant.widgets.explorer.FlowExplorer`.

    Raises
    ------
    TypeError, ValueError, TraitError
        If network, images and labels do not fit, or a setting is none or out of range.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.DeepReLU([[[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]], [[1.0, 0.0], [0.0, 1.0]]], [[0.0, -0.5], [0.0, 0.2]])
    >>> explorer = rq.SliceExplorer(net, [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], probe=(0.0, 1.0))
    >>> explorer
    SliceExplorer(n_images=3, n_features=3, n_outputs=2, chosen=(0, 1, 2))
    >>> explorer.wait(120)
    >>> print(explorer.status.split(". ")[0])
    4 linear regions; the boundaries of 2 of 2 neurons cross this window
    >>> explorer.facts.decisions.shares
    array([0.575, 0.425])
    >>> explorer.close()
    """

    _nouns = ("net",)

    net = T.Instance(object)
    chosen = T.Tuple().tag(user=True)
    probe = T.Tuple(CENTROID).tag(user=True)
    zoom = FiniteFloat(1.0, min=LEAST_ZOOM, max=MOST_ZOOM).tag(user=True)
    centre = T.Tuple().tag(user=True)
    output = WholeNumber(None, min=0, allow_none=True).tag(user=True)
    edges = FiniteFloat(1.0, min=0.0, max=1.0).tag(user=True)
    near = FiniteFloat(0.0, min=0.0).tag(user=True)
    t = FiniteFloat(0.0, min=0.0)

    def __init__(
        self,
        net: object,
        images: ArrayLike,
        labels: ArrayLike | None = None,
        *,
        chosen: Sequence[int] = (),
        classes: Sequence[str] = (),
        shape: Sequence[int] = (),
        rng: Rng = 0,
        **settings: object,
    ) -> None:
        self._data, self._rng = slice_data(images, labels, shape), generator(rng)
        run = network_run(net, self._data.images.shape[1])
        self._classes = _class_names(classes, run.n_outputs)
        self._now: _Now | None = None
        self._around: tuple[object, SliceImages | None] = (None, None)
        self._drawn: object = None
        self._at_end = True
        chosen = self._valid_three(chosen or self._data.first_three())
        if settings.get("output", 0) is None:
            del settings["output"]
        for name in ("probe", "centre"):
            if name in settings:
                settings[name] = _pair(settings[name], name)
        _check_output(settings.get("output"), run.n_outputs)
        super().__init__(net=net, chosen=chosen, **settings)

    # --- what users call -------------------------------------------------------------------------

    @property
    def facts(self) -> SliceFacts | None:
        """What is shown, once it is computed."""
        return None if self._now is None else self._now.facts

    def scene(self) -> Scene:
        """Return what is shown now, as a value.

        Returns
        -------
        Scene
            Panels ``slice`` and ``images``.

        Raises
        ------
        RuntimeError
            If nothing is computed yet.
        """
        if self._now is None:
            raise RuntimeError("There is nothing to show yet: call explorer.wait() first.")
        return self._scene(self._now)

    def _scene(self, now: _Now) -> Scene:
        heavy = None if self.edges == 1 else heavy_neurons(now.net, self.edges)
        moment = f"t = {number(now.t)}: " if self._run.plays else ""
        return slice_scene(
            now.facts, now.images, now.facts.frame.mixture(*self.probe), classes=self._classes, neurons=heavy,
            movable=True, moment=moment,
        )  # fmt: skip

    def _scenes(self) -> Iterator[Scene]:
        if not self._run.plays:
            yield self.scene()
            return
        for t in self._run.grid:
            yield self._scene(self._computed(float(t)))

    def __repr__(self) -> str:
        if self._closed:
            return "SliceExplorer(closed)"
        n_images, n_features = self._data.images.shape
        counts = f"n_images={n_images}, n_features={n_features}, n_outputs={self._run.n_outputs}"
        return f"SliceExplorer({counts}, chosen={self.chosen})"

    # --- parts and layout ------------------------------------------------------------------------

    def _open(self) -> None:
        on = {
            "image": self._typed_image, "step": self._step_image, "shuffle": self._pressed("_shuffle"),
            "whole": self._pressed("_show_all"), "output": partial(self._set, "output"),
            "edges": partial(self._set, "edges"), "zoom": self._typed_zoom, "near": self._typed_near,
            "probe": self._typed_probe, "back": self._pressed("step", -1), "toggle": self._toggle,
            "forth": self._pressed("step", 1), "speed": partial(self._set, "speed"), "scrub": self._scrubbed,
        }  # fmt: skip
        self._controls = SliceControls(WIDTH, on)
        self._bar = self._controls.bar
        self._view = SceneView(self._heard)
        self._words = Words(WIDTH)
        self.children = [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), *self._controls.rows, self._view, self._words.status,
            W.HBox([self._controls.probe, self._saver.box]), self._words.alert,
        ]  # fmt: skip
        self.add_class("reluquant")
        self.observe(self._on_net, names="net")
        self.observe(self._on_problem, names=["chosen", "zoom", "centre", "output", "near"])
        self.observe(self._on_t, names="t")
        self.observe(self._on_playing, names="playing")
        self.observe(self._on_look, names=["probe", "edges", "speed"])
        self._show_run()
        self._show_controls()
        self._compute()

    # --- what the page reports -------------------------------------------------------------------

    @guarded
    def _heard(self, event: Mapping[str, object]) -> None:
        if self._now is None or event.get("panel") != "slice":
            return
        kind, name, frame = event["event"], event.get("name"), self._now.facts.frame
        if kind in ("click", "stroke", "stroked") or (name == "probe" and kind in ("drag", "drop")):
            self._probe_to(frame, np.array([float(event["x"]), float(event["y"])]))
        elif kind == "nudge":
            step = np.array([float(event["dx"]), float(event["dy"])])
            self._probe_to(frame, frame.mixture(*self.probe) + step)
        elif kind == "pick" and name in ("corner", "near"):
            places = frame.corners if name == "corner" else self._now.images.near
            index = int(event["index"])
            if index < len(places):
                self._probe_to(frame, places[index])
        elif kind == "wheel":
            zoom = self.zoom * 2.0 ** (min(max(float(event["pixels"]), -1e4), 1e4) / DOUBLING)
            self._zoom_about(np.array([float(event["x"]), float(event["y"])]), min(max(zoom, LEAST_ZOOM), MOST_ZOOM))

    def _probe_to(self, frame: SliceFrame, place: Floats) -> None:
        # Six digits of the picture are finer than a pixel.
        digits = 6 + max(0, int(np.log10(self.zoom)))
        self.probe = tuple(round(float(share), digits) + 0.0 for share in frame.shares(place)[1:])

    def _zoom_about(self, place: Floats, zoom: float) -> None:
        """Zoom so that a place of the plane stays where it is in the picture."""
        frame = self._data.frame(self.chosen)
        centre = frame.mixture(*self.centre) if self.centre else frame.middle
        moved = place + (centre - place) * (self.zoom / zoom)
        with self.hold_trait_notifications():
            self.zoom, self.centre = zoom, tuple(frame.shares(moved)[1:].tolist())

    # --- what is typed or chosen -----------------------------------------------------------------

    @guarded
    def _typed_image(self, place: int, index: int) -> None:
        try:
            self.chosen = tuple(index if k == place else other for k, other in enumerate(self.chosen))
        finally:
            self._show_controls()

    def _step_image(self, place: int, step: int) -> None:
        self._typed_image(place, self.chosen[place] + step)

    def _shuffle(self) -> None:
        self.chosen = self._data.shuffled(self._rng)

    def _show_all(self) -> None:
        with self.hold_trait_notifications():
            self.zoom, self.centre = 1.0, ()

    @guarded
    def _typed_zoom(self, value: float | str) -> None:
        try:
            zoom = type(self).zoom.validate(self, as_number(value, "zoom"))
            self._zoom_about(self._data.frame(self.chosen).mixture(*self.probe), zoom)
        finally:
            self._show_controls()

    @guarded
    def _typed_probe(self, text: str) -> None:
        try:
            shares = as_numbers(text, "share")
            if len(shares) != 2:
                raise ValueError("The probe is told by two shares, of B and of C, such as 0.3 0.4.")
            self.probe = tuple(shares)
        finally:
            self._show_controls()

    @guarded
    def _typed_near(self, text: str) -> None:
        try:
            self.near = as_number(text, "near")
        finally:
            self._show_controls()

    @guarded
    def _set(self, name: str, value: object) -> None:
        setattr(self, name, value)

    # --- a trait changed -------------------------------------------------------------------------

    @T.validate("net")
    def _valid_net(self, proposal: object) -> object:
        run = network_run(proposal["value"], self._data.images.shape[1])
        if run.n_outputs != len(self._classes):
            raise ValueError(
                f"A new network must have {len(self._classes)} outputs as the first, but it has {run.n_outputs}."
            )
        self._run = run
        return proposal["value"]

    @T.validate("chosen")
    def _valid_chosen(self, proposal: object) -> tuple[int, ...]:
        return self._valid_three(proposal["value"])

    def _valid_three(self, value: Sequence[int]) -> tuple[int, ...]:
        if any(isinstance(index, bool) or not isinstance(index, numbers.Integral) for index in value):
            raise TypeError(f"chosen must be three whole numbers such as (0, 1, 2), but got {tuple(value)!r}.")
        chosen = tuple(map(int, value))
        self._data.frame(chosen)
        return chosen

    @T.validate("probe")
    def _valid_probe(self, proposal: object) -> tuple[float, ...]:
        return _pair(proposal["value"], "probe")

    @T.validate("centre")
    def _valid_centre(self, proposal: object) -> tuple[float, ...]:
        return _pair(proposal["value"], "centre")

    @T.validate("output")
    def _valid_output(self, proposal: object) -> int | None:
        _check_output(proposal["value"], len(self._classes))
        return proposal["value"]

    @T.validate("t")
    def _valid_t(self, proposal: object) -> float:
        return min(float(proposal["value"]), float(self._run.grid[-1]))

    @guarded
    def _on_net(self, change: object) -> None:
        self._show_run()
        self._show_controls()
        self._compute()

    @guarded
    def _on_problem(self, change: object) -> None:
        self._show_controls()
        self._compute()

    @guarded
    def _on_t(self, change: object) -> None:
        self._at_end = self.t >= self._run.grid[-1]
        self._compute()

    @guarded
    def _on_look(self, change: object) -> None:
        self._show_controls()
        self._drawing.request()

    # --- work off the main thread ----------------------------------------------------------------

    def _compute(self) -> None:
        self._work_failure = None
        self.busy = True
        t = self.t

        def job(outdated: Callable[[], bool]) -> None:
            # What is ready is shown even if the cursor or the mouse went on meanwhile: else a play would stand still.
            self._now = self._computed(t)
            self.busy = self._work.behind
            self._drawing.request()

        self._work.submit(job)
        self._show_error()

    def _computed(self, t: float) -> _Now:
        chosen, frame = self.chosen, self._data.frame(self.chosen)
        net, bias = self._run.at(t)
        plane = frame.restricted(net, bias)
        centre = frame.mixture(*self.centre) if self.centre else None
        facts = slice_facts(frame, plane, zoom=self.zoom, centre=centre, output=self.output)
        # To look through a large data set takes longer than the slice: only for another plane or distance.
        asked = chosen, self.near
        if asked != self._around[0]:
            self._around = asked, self._data.around(frame, *asked)
        return _Now(t, net, facts, self._around[1])

    def _at_work(self) -> tuple:
        # A play that draws also asks for work.
        return self._work, self._drawing, self._work, self._drawing, self._saving

    def _at_last(self) -> bool:
        return self._at_end

    def _show(self) -> bool:
        if not self._work.busy:
            self._advance()
        now = self._now
        # A play asks more often than there is something new.
        state = (now, self.probe, self.edges)
        if now is not None and state != self._drawn:
            scene = self._scene(now)
            self._view.show(scene)
            self.status, self._drawn = scene.sentence, state
        self._bar.show(self.t, speed=self.speed, playing=self.playing)
        return self.playing

    # --- showing ---------------------------------------------------------------------------------

    def _show_run(self) -> None:
        self._set_grid(self._run.grid)
        self._bar.set_grid(self._run.grid)
        self._bar.box.layout.display = None if self._run.plays else "none"
        with self._by_itself:
            self.t = float(self._run.grid[-1])

    def _show_controls(self) -> None:
        self._controls.show(
            chosen=self.chosen, classes=self._classes, output=self.output, zoom=self.zoom, edges=self.edges,
            near=self.near, probe=self.probe,
        )  # fmt: skip
        self._bar.show(self.t, speed=self.speed, playing=self.playing)


@dataclass(frozen=True, slots=True, eq=False)
class _Now:
    """What was computed last."""

    t: float
    net: ShallowReLU | DeepReLU
    facts: SliceFacts
    images: SliceImages


def _pair(value: Sequence[float], name: str) -> tuple[float, ...]:
    """Shares of B and C; the centre may be empty."""
    if name == "centre" and len(value) == 0:
        return ()
    shares = real_array(value, name, ndim=(1,))
    if shares.size != 2 or np.abs(shares).max() > FARTHEST:
        raise ValueError(f"{name} must be two shares, of B and of C, such as (0.3, 0.4), but it is {tuple(value)!r}.")
    return tuple(shares.tolist())


def _check_output(output: int | None, n_outputs: int) -> None:
    if output is not None and not 0 <= output < n_outputs:
        raise ValueError(f"output must be None or from 0 to {n_outputs - 1}, but it is {output!r}.")


def _class_names(classes: Sequence[str], n_outputs: int) -> tuple[str, ...]:
    names = tuple(map(str, classes)) or tuple(map(str, range(n_outputs)))
    if len(names) != n_outputs:
        raise ValueError(f"classes must name each of {n_outputs} outputs, but these are {len(names)} names.")
    return names
