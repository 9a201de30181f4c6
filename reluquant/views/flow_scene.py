"""One moment of a run as a scene: function, weight directions, loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reluquant.analysis.escapes import Escape
from reluquant.structures.dataset import Dataset
from reluquant.structures.trajectory import Trajectory
from reluquant.views.circle_scene import (
    bar_marks,
    circle_panel,
    compass,
    predicted_marks,
    sector_marks,
    selected_marks,
)
from reluquant.views.frames import FlowFrame, Window, data_view, flow_frame, loss_curve, sector_view, window
from reluquant.views.function_scene import (
    data_dots,
    function_panel,
    interpolant_line,
    network_line,
    rug,
    selected_kinks,
)
from reluquant.views.loss_scene import loss_panel
from reluquant.views.neuron_words import FARTHEST_KINK, chosen_and_verb, describe_neurons
from reluquant.views.scene import Panel, Scene
from reluquant.views.sentences import number

# What events call the marks of the circle, and the sign of their neurons; 0 is for the dead.
BARS = {"positive": 1, "negative": -1, "dead": 0}
ATTRACTED = {"to positive": 1, "to negative": -1}


def flow_scene(
    trajectory: Trajectory,
    t: float,
    *,
    shown: Window | None = None,
    selected: np.ndarray | tuple[int, ...] = (),
    pointed: np.ndarray | tuple[int, ...] = (),
    forecast: Sequence[Escape] = (),
) -> Scene:
    """Return what is to be seen at time ``t``.

    Parameters
    ----------
    trajectory : Trajectory
        The run; one feature with a bias.
    t : float
        Time, from 0 to the end of the run; a time beyond is taken as the end.
    shown : Window, optional
        Of the function panel; by default the one that fits the data.
    selected : sequence of int
        Neurons to mark.
    pointed : sequence of int
        Neurons to mark in their place, while the mouse is over them.
    forecast : sequence of Escape
        From :func:`reluquant.analysis.escapes.escapes`: drawn once they are made, ticked off once they came true.

    Returns
    -------
    Scene
        Panels ``function``, ``directions`` and ``loss``.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.flow_scene import flow_scene
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=10, scale=1e-3, rng=0), data, t_max=50.0)
    >>> [panel.name for panel in flow_scene(run, 50.0).panels()]
    ['function', 'directions', 'loss']
    """
    data = trajectory.data
    shown = window(data) if shown is None else shown
    frame = flow_frame(trajectory, t, shown=shown)
    chosen, about = marked(frame, selected, pointed)
    view = data_view(data)
    marks = (
        *rug(frame.kinks, shown),
        *selected_kinks(frame.neurons.kink[chosen], shown),
        network_line(frame.curve_x, frame.curve_y),
        interpolant_line(view),
        data_dots(view),
    )
    function = function_panel(shown, marks, summary="Data, network, interpolant and kinks over the input")
    strip = loss_panel(loss_curve(trajectory), frame.t, forecast=forecast)
    return Scene(((function, flow_circle(data, frame, chosen)), (strip,)), flow_words(frame, forecast, about))


def marked(
    frame: FlowFrame, selected: np.ndarray | tuple[int, ...], pointed: np.ndarray | tuple[int, ...]
) -> tuple[np.ndarray, str]:
    """Return which neurons to mark, those that are pointed at or else the selected ones, and them in words."""
    chosen, verb = chosen_and_verb(np.array(selected, dtype=int), np.array(pointed, dtype=int))
    return chosen, describe_neurons(frame.neurons, chosen, verb=verb)


def flow_words(frame: FlowFrame, forecast: Sequence[Escape], about: str) -> str:
    """Return the moment in words, what is awaited, and what is said about some neurons."""
    return " ".join(part for part in (frame.sentence, next_in_words(forecast, frame.t), about) if part)


def flow_circle(data: Dataset, frame: FlowFrame, chosen: np.ndarray, *, size: int = 340, title: bool = True) -> Panel:
    """The circle of weight directions at one moment, with the neurons of these indices marked."""
    neurons = frame.neurons
    marks = (
        *sector_marks(sector_view(data)),
        *bar_marks(frame.bars_positive, frame.bars_negative, frame.bars_dead, frame.turning),
        *predicted_marks(frame.extremal),
        *(selected_marks(neurons.angle[chosen], neurons.sign[chosen]) if chosen.size else ()),
        *compass(),
    )
    summary = f"Circular histogram of weight directions. {frame.sentence}"
    return circle_panel(marks, size=size, title="directions of (w, b)" if title else "", summary=summary)


def neurons_there(frame: FlowFrame, name: str, index: int) -> np.ndarray:
    """Return the neurons of a mark of the circle, by what events call it: a bar, or a direction that attracts."""
    if name in BARS:
        return frame.neurons.in_bar(BARS[name], index)
    return frame.drawn_to(ATTRACTED[name], index) if name in ATTRACTED else np.zeros(0, dtype=int)


def next_in_words(forecast: Sequence[Escape], t: float) -> str:
    """Say which escape is awaited at time ``t``."""
    awaited = [e for e in forecast if e.made_at <= t and not t >= e.actual]
    if not awaited:
        return ""
    escape = awaited[-1]
    kink = f", kink at {escape.direction.kink:.3g}" if abs(escape.direction.kink) < FARTHEST_KINK else ""
    relation = "a > 0" if escape.direction.sign > 0 else "a < 0"
    return f"Next escape predicted at t = {number(escape.predicted)} ({relation}{kink})."
