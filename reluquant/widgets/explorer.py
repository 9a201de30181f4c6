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
from reluquant.views import theme
from reluquant.views.flow_scene import flow_circle, flow_scene, next_in_words
from reluquant.views.frames import FlowFrame, data_view, flow_frame, loss_curve, window
from reluquant.views.scene import Scene
from reluquant.views.sentences import MOST_NAMED, describe_selection
from reluquant.widgets import legend
from reluquant.widgets.accessibility import Accessibility
from reluquant.widgets.data_editing import DRAG_STEP, PRESETS, rounded
from reluquant.widgets.edit_bar import EditBar
from reluquant.widgets.flow_instrument import FlowInstrument
from reluquant.widgets.function_panel import MODES, FunctionPanel
from reluquant.widgets.instrument import guarded
from reluquant.widgets.rug_mouse import RugMouse
from reluquant.widgets.runner import LatestJob, PacedDrawing
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.time_panel import TimePanel
from reluquant.widgets.words import PointsText, Words

# Sizes in pixels: the three panels fill the 950 that a notebook cell has beside an open side bar.
FUNCTION_SIZE, CIRCLE_SIZE, STRIP_SIZE = (590, 370), 340, (944, 150)
# How far the mouse may be from a tick, in pixels.
MOUSE_REACH = 5
FIGURE_LABELS = ["Data, network, interpolant and kinks over the input", "Loss over the logarithm of time"]


def explore(problem: Dataset | Trajectory, **settings: object) -> FlowExplorer:
    """Open a live explorer of the gradient flow.

    Parameters
    ----------
    problem : Dataset or Trajectory
        Data with one feature, or a run of :func:`reluquant.gradient_flow` on such data. Points that are
        dragged in a given run start again from that run's first network.
    **settings
        Traits of :class:`~reluquant.widgets.explorer.FlowExplorer`: ``n_neurons`` (1000), ``scale`` (1e-6),
        ``seed`` (0), ``speed`` (1.0), ``rtol`` (1e-7), ``max_seconds`` (5.0).

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

    mode = T.Enum(MODES, "move")
    preset = T.Enum(("", *PRESETS), "")
    selected = T.Tuple()
    hovered = T.Tuple()
    forecast = T.Tuple()

    _ready: Dataset | None = None

    def __init__(self, problem: Dataset | Trajectory, **settings: object) -> None:
        self._forecasting = LatestJob(self._draw_failed)
        super().__init__(problem, **settings)

    # --- what users call -------------------------------------------------------------------------

    def _scene_at(self, t: float) -> Scene:
        return flow_scene(self.trajectory, t, shown=self._window, selected=self.selected, forecast=self.forecast)

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
        )
        self._rug = RugMouse((0.0, theme.RUG_LINE + theme.RUG_REACH), self._rug_event)
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
        self._points = PointsText(STRIP_SIZE[0] - 430, on_typed=self._points_typed)
        self._chosen_box = W.Text(
            placeholder="select: 3, 17",
            tooltip="Numbers of neurons to select; Enter. A click on a bar or a tick does it too.",
            continuous_update=False,
            layout=W.Layout(width="132px"),
        )
        self._chosen_box.observe(self._numbers_typed, names="value")
        self._words = Words(STRIP_SIZE[0])

    def _layout(self) -> list[W.Widget]:
        panels = W.HBox(
            [self._function.figure, self._circle],
            layout=W.Layout(flex_flow="row wrap", align_items="center", overflow="visible"),
        )
        return [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), self._bar.box, self._edit.box, panels,
            W.HTML(legend.LEGEND), self._time.box, self._words.status,
            W.HBox([self._points.text, self._chosen_box, self._saver.box]), self._words.alert,
            Accessibility(labels=FIGURE_LABELS), self._rug,
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

    @guarded
    def _rug_event(self, event: Mapping[str, object]) -> None:
        if event["event"] == "leave":
            self.hovered = ()
        elif self.trajectory is not None and self.mode != "draw":
            width = self._window.right - self._window.left
            neurons = self._frame().neurons.at_kink(
                self._window.left + width * float(event["x"]),
                1 if float(event["y"]) >= theme.RUG_LINE else -1,
                reach=width * MOUSE_REACH / float(event["width"]),
                together=width * DRAG_STEP,
            )
            if event["event"] == "hover":
                self.hovered = tuple(neurons.tolist())
            elif neurons.size:
                self._pick(neurons)

    @guarded
    def _circle_event(self, event: Mapping[str, object]) -> None:
        sign = {"positive": 1, "negative": -1}.get(event.get("name"))
        if event["event"] == "leave":
            self.hovered = ()
        elif event["event"] in ("pick", "hover") and sign is not None and self.trajectory is not None:
            neurons = self._frame().neurons.in_bar(sign, int(event["index"]))
            if event["event"] == "pick":
                self._pick(neurons)
            else:
                self.hovered = tuple(neurons.tolist())

    @guarded
    def _numbers_typed(self, change: object) -> None:
        typed = self._chosen_box.value
        if typed == _numbers(self.selected):
            return
        try:
            chosen = tuple(int(word) for word in typed.replace(",", " ").split())
        except ValueError:
            wanted = "Neurons are selected by their numbers, such as 3, 17"
            raise ValueError(f"{wanted}, but {typed!r} was typed.") from None
        self.selected = chosen

    def _pick(self, neurons: np.ndarray) -> None:
        chosen = tuple(neurons.tolist())
        # A second click takes the selection back.
        self.selected = () if chosen == self.selected else chosen

    def _frame(self) -> FlowFrame:
        return flow_frame(self.trajectory, min(self.t, float(self.trajectory.t[-1])), shown=self._window)

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
        self._chosen_box.value = _numbers(self.selected)
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
        neurons, chosen = frame.neurons, np.array(self.hovered or self.selected, dtype=int)
        self._function.show(frame)
        self._function.show_selected(neurons.kink[chosen])
        circle = flow_circle(run.data, frame, chosen, size=CIRCLE_SIZE, title=False)
        self._circle.show(Scene(((circle,),)))
        self._time.show_time(frame.t)
        self._time.show_forecast(self.forecast, frame.t)
        about = describe_selection(neurons.angle, neurons.sign, neurons.log_mass, chosen)
        self.status = " ".join(part for part in (frame.sentence, next_in_words(self.forecast, frame.t), about) if part)
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


def _numbers(neurons: tuple[int, ...]) -> str:
    """Numbers of neurons as they are typed; nothing for so many that nobody would."""
    return ", ".join(map(str, neurons)) if len(neurons) <= MOST_NAMED else ""
