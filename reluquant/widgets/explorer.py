"""The flow explorer: drag data, turn knobs, and watch gradient flow quantise the features."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import ipywidgets as W
import numpy as np
import traitlets as T

from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.views.flow_scene import flow_scene
from reluquant.views.frames import data_view, flow_frame, loss_curve, time_grid, window
from reluquant.views.scene import Scene
from reluquant.widgets import legend
from reluquant.widgets.accessibility import Accessibility
from reluquant.widgets.circle_panel import CirclePanel
from reluquant.widgets.control_bar import LARGEST_SEED, ControlBar
from reluquant.widgets.controls import as_number
from reluquant.widgets.flow_job import flow_job
from reluquant.widgets.function_panel import FunctionPanel
from reluquant.widgets.instrument import guarded
from reluquant.widgets.numeric_traits import FiniteFloat, WholeNumber
from reluquant.widgets.playable import Playable
from reluquant.widgets.time_panel import TimePanel
from reluquant.widgets.words import PointsText, Words, as_points

# Sizes in pixels: the three panels fill the 950 that a notebook cell has beside an open side bar.
FUNCTION_SIZE, CIRCLE_SIZE, STRIP_SIZE = (590, 370), 340, (944, 150)
MOST_NEURONS = 10_000
SMALLEST_SCALE, LARGEST_SCALE = 1e-100, 10.0
# Dragged points are rounded to this share of the panel (less than a pixel), so that the numbers shown are the data.
DRAG_STEP = 1e-3
FIGURE_LABELS = ["Data, network, interpolant and kinks over the input", "Loss over the logarithm of time"]


def explore(problem: Dataset | Trajectory, **settings: object) -> FlowExplorer:
    """Open a live explorer of the gradient flow.

    Parameters
    ----------
    problem : Dataset or Trajectory
        Data with one feature, or a run of :func:`reluquant.gradient_flow` on such data. Points that are
        dragged in a given run start again from that run's first network.
    **settings
        Traits of :class:`FlowExplorer`: ``n_neurons`` (1000), ``scale`` (1e-6), ``seed`` (0),
        ``speed`` (1.0), ``rtol`` (1e-7), ``max_seconds`` (5.0).

    Returns
    -------
    FlowExplorer
        A widget; in a notebook it shows itself as the last line of a cell. Each control is a trait.

    Raises
    ------
    TypeError
        If ``problem`` is neither, or a setting is unknown.
    ValueError
        If the data do not have one feature, one label and a bias.
    TraitError
        If a setting is not a finite number in its range.

    Examples
    --------
    >>> import reluquant as rq
    >>> explorer = rq.explore(rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.0, 1.0]), n_neurons=50)
    >>> explorer
    FlowExplorer(n_samples=3, n_neurons=50, scale=1e-06, seed=0)
    >>> explorer.wait(120)
    >>> explorer.trajectory.success
    True
    >>> explorer.close()
    """
    return FlowExplorer(problem, **settings)


class FlowExplorer(Playable):
    """Data, network, weight directions and loss of one gradient flow, linked by one time cursor.

    Every control is a trait: set it, observe it, or link it to another widget. A trait that changes the
    run (``data``, ``n_neurons``, ``scale``, ``seed``, ``rtol``) starts a new one off the kernel's main thread; an
    outdated run is cancelled. :meth:`wait` waits for the newest.

    Parameters
    ----------
    problem : Dataset or Trajectory
        What to explore; one feature, one label, with bias.
    n_neurons : int, default 1000
        From 1 to 10,000.
    scale : float, default 1e-6
        Typical norm of a neuron at the start, from 1e-100 to 10.
    seed : int, default 0
        Of the random start.
    speed : float, default 1.0
        A play of the whole run takes 15 seconds divided by it.
    rtol : float, default 1e-7
        Tolerance of a run, as in :func:`reluquant.gradient_flow`. The default is far below a pixel, and three times
        as fast as that function's. Setting it starts a new run.
    max_seconds : float, default 5.0
        A run that computes longer is stopped, and what it reached is shown. Setting it counts from the next run on.

    Attributes
    ----------
    data : Dataset
        The data; assign a new Dataset to change it.
    t : float
        The time shown.
    playing : bool
        Whether the time runs.
    trajectory : Trajectory or None
        The newest finished run.
    busy : bool
        Whether a run is being computed.
    status, error : str
        What the widget says; ``error`` is empty when all is well. What an action was refused for goes with
        the next action that is taken; what is wrong with a run, with the next run; what is wrong with a
        drawing, with the next drawing.

    Notes
    -----
    Traits that a run sets (``trajectory``, ``t``, ``playing``, ``busy``, ``status``) change on another
    thread. It shows one run; it is not a training loop, and nothing is saved.
    """

    data = T.Instance(Dataset)
    n_neurons = WholeNumber(1000, min=1, max=MOST_NEURONS).tag(user=True)
    scale = FiniteFloat(1e-6, min=SMALLEST_SCALE, max=LARGEST_SCALE).tag(user=True)
    seed = WholeNumber(0, min=0, max=LARGEST_SEED).tag(user=True)
    t = FiniteFloat(0.0, min=0.0)
    rtol = FiniteFloat(1e-7, min=1e-13, max=1e-2).tag(user=True)
    max_seconds = FiniteFloat(5.0, min=0.1).tag(user=True)
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
        self._in_hand = False
        self._at_end, self._drawn = True, None
        super().__init__(data=data, **settings)

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
            Panels ``function``, ``directions`` and ``loss``.

        Raises
        ------
        RuntimeError
            If the first run is not there yet.
        """
        if self.trajectory is None:
            raise RuntimeError("There is no run to show yet: call explorer.wait() first.")
        return flow_scene(self.trajectory, self.t, shown=self._window)

    def _scenes(self) -> Iterator[Scene]:
        self.scene()
        return (flow_scene(self.trajectory, t, shown=self._window) for t in self._playback.grid)

    def __repr__(self) -> str:
        if self._closed:
            return "FlowExplorer(closed)"
        start = f"scale={self.scale:g}, seed={self.seed}" if self._start is None else "given run"
        return f"FlowExplorer(n_samples={self.data.n_samples}, n_neurons={self.n_neurons}, {start})"

    # What error messages call it.
    _name = "explore"

    def _check_data(self, data: object) -> None:
        """Refuse, before anything is built, what cannot be shown."""
        if not isinstance(data, Dataset):
            raise TypeError(
                f"explore takes a Dataset or a Trajectory, but got a {type(data).__name__}; use rq.Dataset."
            )
        if data.n_features != 1 or not data.bias or data.y.ndim != 1:
            raise ValueError(
                f"explore shows data with one feature, one label and a bias, but got {data!r} with y of shape"
                f" {data.y.shape}."
            )

    # --- parts and layout ------------------------------------------------------------------------

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

    def _build(self) -> None:
        self._function = FunctionPanel(*FUNCTION_SIZE, on_move=self._points_moved, on_drop=self._point_dropped)
        self._circle = CirclePanel(size=CIRCLE_SIZE)
        self._time = TimePanel(*STRIP_SIZE, on_scrub=self._scrubbed)
        self._bar = ControlBar(
            STRIP_SIZE[0] + 10,
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
        self._points = PointsText(STRIP_SIZE[0] - 290, on_typed=self._points_typed)
        self._words = Words(STRIP_SIZE[0])

    def _layout(self) -> list[W.Widget]:
        panels = W.HBox(
            [self._function.figure, self._circle],
            layout=W.Layout(flex_flow="row wrap", align_items="center", overflow="visible"),
        )
        return [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), self._bar.box, panels, W.HTML(legend.LEGEND),
            self._time.box, self._words.status, W.HBox([self._points.text, self._saver.box]),
            self._words.alert,
            Accessibility(labels=FIGURE_LABELS),
        ]  # fmt: skip

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
            "status": lambda _: self._show_words(),
            "error": lambda _: self._show_words(),
            "busy": lambda _: self._show_words(),
        }.items():
            self.observe(reaction, names=name)

    # --- the user moved something ----------------------------------------------------------------

    @guarded
    def _points_moved(self, x: Floats, y: Floats) -> None:
        shown = self._window
        x, y = rounded(x, shown.right - shown.left), rounded(y, shown.top - shown.bottom)
        if not (np.array_equal(x, self.data.X[:, 0]) and np.array_equal(y, self.data.y)):
            self._in_hand = True
            try:
                self.data = Dataset(x, y, name=self.data.name)
            finally:
                self._in_hand = False

    @guarded
    def _point_dropped(self) -> None:
        # Only now, since a window that moves under a held point would carry it away.
        if not self._window.holds(self.data.X[:, 0], self.data.y):
            self._show_window()
            self._drawing.request()

    @guarded
    def _points_typed(self, text: str) -> None:
        x, y = as_points(text)
        if np.array_equal(x, self.data.X[:, 0]) and np.array_equal(y, self.data.y):
            self._points.show(self.data)
        else:
            self.data = Dataset(x, y, name=self.data.name)

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
        self._show_data(in_hand=self._in_hand)
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
        self._drawing.request()

    def _show(self) -> bool:
        run = self.trajectory
        if run is None:
            return False
        if run is not self._drawn:
            self._time.show_run(loss_curve(run))
            self._drawn = run
        self._advance()
        frame = flow_frame(run, min(self.t, float(run.t[-1])), shown=self._window)
        self._function.show(frame)
        self._circle.show(frame)
        self._time.show_time(frame.t)
        self.status = frame.sentence
        return self.playing

    def _failure_status(self) -> str:
        return "This run failed" + ("." if self.trajectory is None else "; the picture shows the one before.")

    # --- showing ---------------------------------------------------------------------------------

    def _show_window(self) -> None:
        self._window = window(self.data)
        self._function.show_window(self._window)

    def _show_data(self, *, in_hand: bool = False) -> None:
        if not in_hand:
            self._show_window()
        self._function.show_data(data_view(self.data), dragged=in_hand)
        self._circle.show_data(self.data)
        self._points.show(self.data)

    def _refusal_gone(self) -> None:
        # Points that were refused are still in their box.
        self._points.show(self.data)

    def _show_controls(self) -> None:
        self._bar.show(
            speed=self.speed, scale=self.scale, n_neurons=self.n_neurons, seed=self.seed, playing=self.playing
        )

    def _show_words(self) -> None:
        self._words.show(self.status, self.error, busy=self.busy, live=not self.playing)


def _typical_norm(run: Trajectory) -> float:
    """Scale of a given start, inside the range of the control."""
    log_norm = run.states([0.0]).log_norm[0]
    typical = float(np.exp(np.median(log_norm)))
    return min(max(float(f"{typical:.2g}"), SMALLEST_SCALE), LARGEST_SCALE)


def rounded(values: Floats, span: float) -> Floats:
    """Dragged coordinates rounded to less than a pixel of a panel of that span."""
    digits = -math.floor(math.log10(span * DRAG_STEP))
    return np.round(values, digits) if abs(digits) < 300 else values
