"""All instruments on one page, one at a time, on one data set."""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets as W
import traitlets as T

from reluquant.dynamics.gradient_flow import gradient_flow
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.widgets.data_editing import PRESETS
from reluquant.widgets.direction_histogram import DirectionHistogram
from reluquant.widgets.explorer import FlowExplorer
from reluquant.widgets.family_explorer import FamilyExplorer
from reluquant.widgets.greedy_explorer import GreedyExplorer
from reluquant.widgets.instrument import Instrument, sentence_of
from reluquant.widgets.interpolation_explorer import InterpolationExplorer
from reluquant.widgets.lifetime import close_earlier_runs, close_parts
from reluquant.widgets.predict_first import PredictFirst
from reluquant.widgets.scale_explorer import ScaleExplorer
from reluquant.widgets.sector_explorer import SectorExplorer

# The start of a run, where an instrument shows a given one.
N_NEURONS, SCALE = 1000, 1e-6


def _run(data: Dataset) -> Trajectory:
    return gradient_flow(ShallowReLU.balanced(n_neurons=N_NEURONS, scale=SCALE, rng=0), data)


# What the dashboard offers: name, tooltip, and how to make it from data.
INSTRUMENTS: dict[str, tuple[str, Callable[[Dataset], Instrument]]] = {
    "flow": ("Drag data and watch the flow", FlowExplorer),
    "interpolation": ("The network against linear interpolation of the data", InterpolationExplorer),
    "sectors": ("Where tiny neurons turn to: drag residuals, drop neurons", SectorExplorer),
    "saddles": ("From saddle to saddle, in the limit of a vanishing start", GreedyExplorer),
    "family": ("The finitely many functions, and how often each comes", FamilyExplorer),
    "scales": ("From condensed to lazy: the scale of the start in one slider", ScaleExplorer),
    "predict": ("Draw what you expect, then see what was learned", PredictFirst),
    "directions": ("Weight directions by count, mass or norm", lambda data: DirectionHistogram(_run(data))),
}


class Dashboard(W.VBox):
    """Choose an instrument and a data set; the one before is closed.

    Parameters
    ----------
    instrument : str, default "flow"
        Which one is open.
    preset : str, default "zigzag"
        Which data set it shows first.

    Attributes
    ----------
    shown : Instrument or None
        The one that is open.
    error : str
        Why it could not be opened; empty when all is well.

    Examples
    --------
    >>> import reluquant as rq
    >>> dashboard = rq.Dashboard()
    >>> dashboard
    Dashboard(instrument='flow', preset='zigzag')
    >>> dashboard.close()
    """

    instrument = T.Enum(tuple(INSTRUMENTS), "flow")
    preset = T.Enum(tuple(PRESETS), "zigzag")
    shown = T.Instance(Instrument, allow_none=True)
    error = T.Unicode("")

    _closed = True

    def __init__(self, *, instrument: str = "flow", preset: str = "zigzag") -> None:
        super().__init__(instrument=instrument, preset=preset)
        self._closed = False
        self._which = W.ToggleButtons(
            options=list(INSTRUMENTS),
            tooltips=[tooltip for tooltip, _ in INSTRUMENTS.values()],
            style={"button_width": "auto"},
        )
        self._data = W.Dropdown(options=list(PRESETS), tooltip="Data set", layout=W.Layout(width="140px"))
        self._alert = W.HTML()
        self._place = W.VBox()
        self.children = [W.HBox([self._which, self._data]), self._alert, self._place]
        for control, name in ((self._which, "instrument"), (self._data, "preset")):
            control.value = getattr(self, name)
            T.link((self, name), (control, "value"))
        self.observe(lambda _: self._open(), names=["instrument", "preset"])
        self.observe(lambda _: self._say(), names="error")
        self._open()
        close_earlier_runs(self)

    def close(self) -> None:
        """Close the instrument that is open, and the dashboard."""
        if self._closed:
            return
        self._closed = True
        if self.shown is not None:
            self.shown.close()
        close_parts(self)
        super().close()

    def __repr__(self) -> str:
        if self._closed:
            return "Dashboard(closed)"
        return f"Dashboard(instrument={self.instrument!r}, preset={self.preset!r})"

    def _open(self) -> None:
        before = self.shown
        try:
            self.shown = INSTRUMENTS[self.instrument][1](PRESETS[self.preset]())
            self.error = ""
        except Exception as error:  # noqa: BLE001 - raised in a callback it would be lost
            self.shown, self.error = None, sentence_of(error)
        self._place.children = [] if self.shown is None else [self.shown]
        if before is not None:
            before.close()

    def _say(self) -> None:
        # The instrument's own style sheet is not there to colour it.
        self._alert.value = f'<div role="alert">{html.escape(self.error)}</div>' if self.error else ""
