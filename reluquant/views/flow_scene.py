"""One moment of a run as a scene: function, weight directions, loss."""

from __future__ import annotations

from reluquant.structures.trajectory import Trajectory
from reluquant.views.circle_scene import bar_marks, circle_panel, predicted_marks, sector_marks
from reluquant.views.frames import FlowFrame, Window, data_view, flow_frame, loss_curve, sector_view, window
from reluquant.views.function_scene import data_dots, function_panel, interpolant_line, network_line, rug
from reluquant.views.loss_scene import loss_panel
from reluquant.views.scene import Scene


def flow_scene(trajectory: Trajectory, t: float, *, shown: Window | None = None) -> Scene:
    """Return what is to be seen at time ``t``.

    Parameters
    ----------
    trajectory : Trajectory
        The run; one feature with a bias.
    t : float
        Time, from 0 to the end of the run; a time beyond is taken as the end.
    shown : Window, optional
        Of the function panel; by default the one that fits the data.

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
    view = data_view(data)
    marks = (
        *rug(frame.kinks, shown),
        network_line(frame.curve_x, frame.curve_y),
        interpolant_line(view),
        data_dots(view),
    )
    function = function_panel(shown, marks, summary="Data, network, interpolant and kinks over the input")
    return Scene(
        ((function, _circle(trajectory, frame)), (loss_panel(loss_curve(trajectory), frame.t),)), frame.sentence
    )


def _circle(trajectory: Trajectory, frame: FlowFrame) -> object:
    marks = (
        *sector_marks(sector_view(trajectory.data)),
        *bar_marks(frame.bars_positive, frame.bars_negative, frame.bars_dead, frame.turning),
        *predicted_marks(frame.extremal),
    )
    summary = f"Circular histogram of weight directions. {frame.sentence}"
    return circle_panel(marks, title="directions of (w, b)", summary=summary)
