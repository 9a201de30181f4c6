"""The flow explorer: drag data, turn knobs, and watch gradient flow quantise the features."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from functools import partial

import ipywidgets as W
import numpy as np
import traitlets as T

from reluquant.analysis.escapes import escapes
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.trajectory import Trajectory
from reluquant.views.flow_scene import flow_circle, flow_scene, flow_words, marked, neurons_there
from reluquant.views.frames import FlowFrame, data_view, flow_frame, loss_curve, window
from reluquant.views.function_view import mark_at
from reluquant.views.scene import Scene
from reluquant.widgets import legend
from reluquant.widgets.accessibility import Accessibility
from reluquant.widgets.data_editing import PRESETS, rounded
from reluquant.widgets.edit_bar import EditBar
from reluquant.widgets.flow_instrument import FlowInstrument
from reluquant.widgets.function_panel import MODES, FunctionPanel
from reluquant.widgets.instrument import guarded
from reluquant.widgets.neuron_entry import NeuronEntry, as_neurons
from reluquant.widgets.runner import LatestJob, PacedDrawing
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.time_panel import TimePanel
from reluquant.widgets.words import PointsText, Words

# Sizes in pixels: the three panels fill the 950 that a notebook cell has beside an open side bar.
FUNCTION_SIZE, CIRCLE_SIZE, STRIP_SIZE = (590, 370), 340, (944, 150)
ENTRY_WIDTH = 150
NOBODY = np.zeros(0, dtype=int)
FIGURE_LABELS = ["Data, network, interpolant and kinks over the input", "Loss over the logarithm of time"]


def explore(problem: Dataset | Trajectory, **settings: object) -> FlowExplorer:
    """Open a live explorer of the gradient flow.

    Parameters
    ----------
    problem : Dataset or Trajectory
        Data with one feature, or a run of :func:`reluquant.gradient_flow` on such data. Points that are
        dragged in a given run start again from that run's first network.
    **settings
        Traits of ``FlowExplorer``: ``n_neurons`` (1000), ``scale`` (1e-6), ``seed`` (0),
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


class FlowExplorer(FlowInstrument):
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

    mode = T.Enum(MODES, "move").tag(sync=True)
    preset = T.Enum(("", *PRESETS), "")
    selected = T.Tuple().tag(sync=True)
    hovered = T.Tuple().tag(sync=True)
    forecast = T.Tuple()

    _ready: Dataset | None = None
    # The moment that is drawn, which is what the mouse points at.
    _pictured: FlowFrame | None = None

    def __init__(self, problem: Dataset | Trajectory, **settings: object) -> None:
        self._forecasting = LatestJob(self._draw_failed)
        super().__init__(problem, **settings)

    # --- what users call -------------------------------------------------------------------------

    def _scene_at(self, t: float) -> Scene:
        return flow_scene(
            self.trajectory, t, shown=self._window, selected=self.selected, pointed=self.hovered,
            forecast=self.forecast,
        )  # fmt: skip

    def _at_work(self) -> tuple[LatestJob | PacedDrawing, ...]:
        return self._work, self._forecasting, self._drawing, self._saving

    def close(self) -> None:
        """Stop all work and remove the widget and its parts from page and kernel."""
        if not self._closed:
            self._forecasting.close()
        super().close()

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

    def _build(self) -> None:
        self._function = FunctionPanel(
            *FUNCTION_SIZE,
            on_move=self._points_moved,
            on_drop=self._point_dropped,
            on_target=self._target_drawn,
            on_rug=self._rug_event,
        )
        self._circle = SceneView(self._circle_event, legend=False)
        self._time = TimePanel(*STRIP_SIZE, on_scrub=self._scrubbed)
        self._bar = self._control_bar(STRIP_SIZE[0] + 10)
        self._edit = EditBar(
            PRESETS,
            on={
                "mode": partial(self._chosen, "mode"),
                "preset": partial(self._chosen, "preset"),
                "undo": self._pressed("undo"),
                "redo": self._pressed("redo"),
            },
        )
        self._points = PointsText(STRIP_SIZE[0] - 290 - ENTRY_WIDTH, on_typed=self._points_typed)
        self._neuron = NeuronEntry(ENTRY_WIDTH, on_typed=self._neurons_chosen)
        self._words = Words(STRIP_SIZE[0])

    def _layout(self) -> list[W.Widget]:
        panels = W.HBox(
            [self._function.figure, self._circle],
            layout=W.Layout(flex_flow="row wrap", align_items="center", overflow="visible"),
        )
        return [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), self._bar.box, self._edit.box, panels,
            W.HTML(legend.LEGEND), self._time.box, self._words.status,
            W.HBox([self._points.text, self._neuron.text, self._saver.box]),
            self._words.alert,
            Accessibility(labels=FIGURE_LABELS), self._function.hand,
        ]  # fmt: skip

    def _observe(self) -> None:
        super()._observe()
        self.observe(self._on_setting, names="mode")
        self.observe(self._on_preset, names="preset")
        self.observe(self._on_selected, names=["selected", "hovered"])

    # --- the user moved something ----------------------------------------------------------------

    @guarded
    def _target_drawn(self, x: Floats, y: Floats) -> None:
        places = self.data.X[:, 0]
        height = rounded(np.interp(places, x, y), self._window.top - self._window.bottom)
        self.data = Dataset(places, height, name=self.data.name)

    def _rug_event(self, event: str, x: float, height: float) -> None:
        frame = self._pictured
        if event == "leave" or frame is None:
            self._point_at(NOBODY)
            return
        there = frame.of_mark(mark_at(frame.kinks, self._window, x, height, plot=self._function.plot))
        if event == "hover":
            self._point_at(there)
        elif there.size and self.mode == "move":
            # In other modes a click is for the points.
            self._pick(there)

    def _circle_event(self, event: Mapping[str, object]) -> None:
        frame = self._pictured
        if event["event"] == "leave" or frame is None:
            self._point_at(NOBODY)
        elif event["event"] in ("pick", "hover"):
            there = neurons_there(frame, str(event["name"]), int(event["index"]))
            if event["event"] == "hover":
                self._point_at(there)
            else:
                self._pick(there)

    def _point_at(self, neurons: np.ndarray) -> None:
        # A mouse that passes by is no action that would take back what an earlier one was refused for.
        with self._by_itself:
            self.hovered = tuple(neurons.tolist())

    @guarded
    def _pick(self, neurons: np.ndarray) -> None:
        chosen = tuple(neurons.tolist())
        # A second click takes the selection back.
        self.selected = () if chosen == self.selected else chosen

    @guarded
    def _neurons_chosen(self, text: str) -> None:
        self.selected = as_neurons(text, self.n_neurons)

    def _let_go(self) -> None:
        self.selected = self.hovered = ()

    def _refusal_gone(self) -> None:
        super()._refusal_gone()
        self._neuron.show(self.selected)

    # --- a trait changed -------------------------------------------------------------------------

    @T.validate("selected", "hovered")
    def _valid_selected(self, proposal: object) -> tuple[int, ...]:
        chosen = proposal["value"]
        if not all(isinstance(j, numbers.Integral) and 0 <= j < self.n_neurons for j in chosen):
            raise T.TraitError(f"{proposal['trait'].name} must hold numbers of neurons from 0 to {self.n_neurons - 1}.")
        return tuple(int(j) for j in chosen)

    @guarded
    def _on_data(self, change: object) -> None:
        if self.preset and self.data is not self._ready:
            self.preset = ""
        super()._on_data(change)

    def _on_start(self, change: object) -> None:
        self.selected = self.hovered = ()
        super()._on_start(change)

    @guarded
    def _on_preset(self, change: object) -> None:
        if self.preset:
            self._ready = PRESETS[self.preset]()
            self.data = self._ready
        self._show_controls()

    @guarded
    def _on_selected(self, change: object) -> None:
        self._neuron.show(self.selected)
        self._drawing.request()

    def _accepted(self, run: Trajectory) -> None:
        self.forecast = ()
        self._forecasting.submit(partial(self._foretell, run))

    def _foretell(self, run: Trajectory, outdated: Callable[[], bool]) -> None:
        forecast = escapes(run)
        if run is self.trajectory:
            self.forecast = forecast
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
        chosen, about = marked(frame, self.selected, self.hovered)
        self._pictured = frame
        self._function.show(frame)
        self._function.show_selected(frame.neurons.kink[chosen])
        circle = flow_circle(run.data, frame, chosen, size=CIRCLE_SIZE, title=False)
        self._circle.show(Scene(((circle,),)))
        self._time.show_time(frame.t)
        self._time.show_forecast(self.forecast, frame.t)
        self.status = flow_words(frame, self.forecast, about)
        return self.playing

    # --- showing ---------------------------------------------------------------------------------

    def _show_window(self) -> None:
        self._window = window(self.data)
        self._function.show_window(self._window)

    def _show_data(self, *, in_hand: bool = False) -> None:
        if not in_hand:
            self._show_window()
        self._function.show_data(data_view(self.data), dragged=in_hand)
        self._points.show(self.data)

    def _show_controls(self) -> None:
        super()._show_controls()
        self._edit.show(
            mode=self.mode, preset=self.preset, can_undo=self._history.can_undo, can_redo=self._history.can_redo
        )
        self._function.set_mode(self.mode)
