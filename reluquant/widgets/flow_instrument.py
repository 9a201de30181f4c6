"""An instrument of one flow: its data, its start, and the run that is computed from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
import traitlets as T

from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.views.scene import Scene
from reluquant.views.time_view import time_grid
from reluquant.widgets.control_bar import LARGEST_SEED, ControlBar
from reluquant.widgets.controls import as_number
from reluquant.widgets.data_editing import EditsData
from reluquant.widgets.flow_job import flow_job
from reluquant.widgets.instrument import guarded
from reluquant.widgets.numeric_traits import FiniteFloat, WholeNumber

MOST_NEURONS = 10_000
SMALLEST_SCALE, LARGEST_SCALE = 1e-100, 10.0


class FlowInstrument(EditsData):
    """An instrument that runs the flow for its data and settings, anew whenever one of them changes.

    A kind of it builds its parts (``_build``, ``_layout``), among them a bar of controls by :meth:`_control_bar`, and
    draws a moment of ``trajectory``.

    Parameters
    ----------
    problem : Dataset or Trajectory
        Data, or a run of its own.
    **settings
        Traits.
    """

    data = T.Instance(Dataset)
    n_neurons = WholeNumber(1000, min=1, max=MOST_NEURONS).tag(user=True, sync=True)
    scale = FiniteFloat(1e-6, min=SMALLEST_SCALE, max=LARGEST_SCALE).tag(user=True, sync=True)
    seed = WholeNumber(0, min=0, max=LARGEST_SEED).tag(user=True, sync=True)
    t = FiniteFloat(0.0, min=0.0).tag(sync=True)
    rtol = FiniteFloat(1e-7, min=1e-13, max=1e-2).tag(user=True, sync=True)
    max_seconds = FiniteFloat(5.0, min=0.1).tag(user=True, sync=True)
    trajectory = T.Instance(Trajectory, allow_none=True)

    def __init__(self, problem: Dataset | Trajectory, **settings: object) -> None:
        given = problem if isinstance(problem, Trajectory) else None
        data = problem.data if isinstance(problem, Trajectory) else problem
        self._check_data(data)
        self._start = None
        if given is not None:
            drawn = sorted(set(settings) & {"n_neurons", "scale", "seed"})
            if drawn:
                raise TypeError(
                    f"A given run brings its own network, so {self._name} does not take {drawn[0]!r} with it."
                )
            self._start = given.at(0.0)
            settings = {"n_neurons": self._start.n_neurons, "scale": _typical_norm(given), **settings}
        self._first = {"data": data, **settings}
        self._given = given
        self._at_end, self._drawn = True, None
        super().__init__(data=data, **settings)

    # --- for a kind of it ------------------------------------------------------------------------

    # What error messages call it.
    _name = "explore"

    def _check_data(self, data: object) -> None:
        """Refuse, before anything is built, what cannot be shown."""

    def _scene_at(self, t: float) -> Scene:
        """What is to be seen at time ``t``."""
        raise NotImplementedError

    def _accepted(self, run: Trajectory) -> None:
        """There is a new run."""

    def _control_bar(self, width: int) -> ControlBar:
        return ControlBar(
            width,
            on={
                "back": self._pressed("step", -1),
                "toggle": self._toggle,
                "forth": self._pressed("step", 1),
                "reset": self._pressed("reset"),
                "speed": partial(self._chosen, "speed"),
                "seed": partial(self._chosen, "seed"),
                "scale": self._scale_typed,
                "neurons": self._neurons_typed,
            },
        )

    # --- what users call -------------------------------------------------------------------------

    def reset(self) -> None:
        """Return to the data and settings of the beginning."""
        self.playing = False
        self._refusal = ""
        self._at_end = True
        defaults = {name: trait.default_value for name, trait in self.traits(user=True).items()}
        for name, value in {**defaults, **self._first}.items():
            setattr(self, name, value)
        self._show_data()
        if self._given is None:
            self._compute()
        else:
            self._work.cancel()
            self._start = self._given.at(0.0)
            self._accept(self._given)

    def scene(self) -> Scene:
        """Return what is shown now, as a value.

        Returns
        -------
        Scene

        Raises
        ------
        RuntimeError
            If the first run is not there yet.
        """
        if self.trajectory is None:
            raise RuntimeError("There is no run to show yet: call explorer.wait() first.")
        return self._scene_at(self.t)

    def _scenes(self) -> Iterator[Scene]:
        self.scene()
        return (self._scene_at(float(t)) for t in self._playback.grid)

    def __repr__(self) -> str:
        if self._closed:
            return f"{type(self).__name__}(closed)"
        start = f"scale={self.scale:g}, seed={self.seed}" if self._start is None else "given run"
        return f"{type(self).__name__}(n_samples={self.data.n_samples}, n_neurons={self.n_neurons}, {start})"

    # --- parts -----------------------------------------------------------------------------------

    def _open(self) -> None:
        self._build()
        self.children = self._layout()
        self.add_class("reluquant")
        self._observe()
        self._show_data()
        self._show_controls()
        if self._given is None:
            self._compute()
        else:
            self._accept(self._given)

    def _observe(self) -> None:
        for name, reaction in {
            "data": self._on_data,
            "n_neurons": self._on_start,
            "scale": self._on_start,
            "seed": self._on_start,
            "rtol": self._on_rtol,
            "t": self._on_t,
            "playing": self._on_playing,
            "speed": self._on_setting,
            "max_seconds": self._on_setting,
        }.items():
            self.observe(reaction, names=name)

    # --- the user set something ------------------------------------------------------------------

    @guarded
    def _scale_typed(self, value: float | str) -> None:
        try:
            scale = as_number(value, "scale")
            if not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
                raise ValueError(f"scale must lie between 1e-100 and 10, but {value} was typed.")
            self.scale = scale
        finally:
            self._show_controls()

    @guarded
    def _neurons_typed(self, value: float | str) -> None:
        try:
            count = as_number(value, "neurons")
            if isinstance(value, str) and not (count == round(count) and 1 <= count <= MOST_NEURONS):
                raise ValueError(f"neurons must be a whole number from 1 to 10,000, but {value} was typed.")
            self.n_neurons = round(count)
        finally:
            self._show_controls()

    @guarded
    def _chosen(self, name: str, value: float) -> None:
        setattr(self, name, value)

    # --- a trait changed -------------------------------------------------------------------------

    @T.validate("data")
    def _valid_data(self, proposal: object) -> Dataset:
        self._check_data(proposal["value"])
        return proposal["value"]

    @T.validate("t")
    def _valid_t(self, proposal: object) -> float:
        end = float(self.trajectory.t[-1]) if self.trajectory is not None else math.inf
        return min(float(proposal["value"]), end)

    @guarded
    def _on_data(self, change: object) -> None:
        self._note_data()
        self._show_data(in_hand=self._in_hand)
        self._show_controls()
        self._compute()

    @guarded
    def _on_start(self, change: object) -> None:
        # A new start is drawn; the network of a given run is no longer it.
        self._start = None
        self._show_controls()
        self._compute()

    @guarded
    def _on_rtol(self, change: object) -> None:
        self._compute()

    @guarded
    def _on_t(self, change: object) -> None:
        if self.trajectory is not None:
            self._at_end = self.t >= float(self.trajectory.t[-1])
        self._drawing.request()

    @guarded
    def _on_setting(self, change: object) -> None:
        self._show_controls()

    def _at_last(self) -> bool:
        # Also before the first run: a play that is asked for then begins at its start.
        return self._at_end

    # --- work off the main thread ----------------------------------------------------------------

    def _compute(self) -> None:
        """Start a run for the present traits; an older one is outdated by it."""
        settings = {"n_neurons": self.n_neurons, "scale": self.scale, "rng": self.seed}
        settings["n_features"] = self.data.n_features
        start = self._start
        make = partial(ShallowReLU.balanced, **settings) if start is None else lambda: start
        self._work_failure, self._warning = None, ""
        self.busy = True
        job = flow_job(
            make, self.data, rtol=self.rtol, max_seconds=self.max_seconds, say=self._say, accept=self._accept
        )
        self._work.submit(job)
        self._show_error()

    def _say(self, status: str) -> None:
        self.status = status

    def _accept(self, run: Trajectory, warning: str = "") -> None:
        self._work_failure, self._warning = None, warning
        self._show_error()
        self._set_grid(time_grid(run))
        self.trajectory = run
        if self.playing and self._drawn is None:
            # Play was pressed before there was a run: it starts at the start.
            self._at_end = False
        end = float(run.t[-1])
        with self._by_itself:
            self.t = end if self._at_end else min(self.t, end)
        self.busy = self._work.behind
        self._accepted(run)
        self._drawing.request()

    def _failure_status(self) -> str:
        return "This run failed" + ("." if self.trajectory is None else "; the picture shows the one before.")

    # --- showing ---------------------------------------------------------------------------------

    def _refusal_gone(self) -> None:
        # Points that were refused are still in their box.
        self._points.show(self.data)

    def _show_controls(self) -> None:
        self._bar.show(
            speed=self.speed, scale=self.scale, n_neurons=self.n_neurons, seed=self.seed, playing=self.playing
        )


def _typical_norm(run: Trajectory) -> float:
    """Scale of a given start, inside the range of the control."""
    log_norm = run.states([0.0]).log_norm[0]
    typical = float(np.exp(np.median(log_norm)))
    return min(max(float(f"{typical:.2g}"), SMALLEST_SCALE), LARGEST_SCALE)

