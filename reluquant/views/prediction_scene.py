"""A learner's prediction as a scene, and beside it, once it is made, what was learned."""

from __future__ import annotations

import math

import numpy as np

from reluquant.analysis.prediction_score import PredictionScore
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.trajectory import Trajectory
from reluquant.views.frames import Window, data_view, flow_frame, loss_curve
from reluquant.views.function_scene import data_dots, function_panel, interpolant_line, network_line, rug
from reluquant.views.loss_scene import loss_panel
from reluquant.views.scene import Dots, Line, Panel, Scene
from reluquant.views.sentences import number

WIDTH = 930
# Control points: an area that a finger can hold.
GUESS_AREA = 90.0
ASK = (
    "What will a wide network make of these points, trained from a vanishing start? Draw it: over the empty plot with"
    " the mouse, by dragging the diamonds, or with arrow keys; then press run."
)


def guess_places(data: Dataset, shown: Window, count: int = 13) -> Floats:
    """Inputs of the control points: even over the window, and at every input of the data."""
    wide = shown.right - shown.left
    # Numbers that one can read: to a thousandth of the window.
    even = np.round(np.linspace(shown.left, shown.right, count), max(0, 3 - math.floor(math.log10(wide))))
    inputs = np.unique(data.X[:, 0])
    # None closer to an input than a third of their distance.
    far = np.min(np.abs(even[:, None] - inputs), axis=1) > (even[1] - even[0]) / 3
    return np.unique(np.concatenate([even[far], inputs]))


def prediction_scene(
    data: Dataset,
    guess_x: Floats,
    guess_y: Floats,
    shown: Window,
    *,
    trajectory: Trajectory | None = None,
    t: float = math.inf,
    score: PredictionScore | None = None,
) -> Scene:
    """Return the prediction, and the network at time ``t`` if it may be seen.

    Parameters
    ----------
    data : Dataset
        One feature.
    guess_x, guess_y : ndarray, shape (n_points,)
        The prediction's control points.
    shown : Window
        Of the function panel.
    trajectory : Trajectory, optional
        The run, once it is revealed; without it nothing of the truth is in the scene.
    t : float
        The moment of the run.
    score : PredictionScore, optional
        Of the prediction against the end of the run.

    Returns
    -------
    Scene
        Panel ``function``, and ``loss`` once the run is revealed.
    """
    view = data_view(data)
    titles = tuple(f"your function at x = {x:.4g}: {y:.4g}" for x, y in zip(guess_x, guess_y, strict=True))
    drawn = (
        Line(guess_x, guess_y, "difference", 2.0, label="your prediction"),
        Dots(
            guess_x, guess_y, "difference", GUESS_AREA, "diamond", name="guess", movable=True, titles=titles,
        ),
        data_dots(view),
    )  # fmt: skip
    if trajectory is None:
        return Scene(((_panel(shown, drawn, "The data, and the function that you predict"),),), ASK)
    frame = flow_frame(trajectory, t, shown=shown)
    marks = (
        *rug(frame.kinks, shown),
        network_line(frame.curve_x, frame.curve_y),
        interpolant_line(view),
        *_farthest(score, frame.t >= float(trajectory.t[-1]), trajectory, guess_x, guess_y),
        *drawn,
    )
    panel = _panel(shown, marks, "The data, your prediction, the network and the interpolant")
    strip = loss_panel(loss_curve(trajectory), frame.t, width=WIDTH)
    return Scene(((panel,), (strip,)), score_in_words(score))


def score_in_words(score: PredictionScore | None) -> str:
    """Say how good the prediction was."""
    if score is None:
        return "The run is shown; this prediction has no score."
    mine, line = score.prediction, score.interpolant
    verdict = "nothing to predict" if math.isnan(score.score) else f"{100 * score.score:.0f} of 100"
    better = "closer than" if mine.l2 < line.l2 else "not as close as"
    return (
        f"Your score: {verdict}. Your function is {number(mine.l2)} from the network in L2, {better} linear"
        f" interpolation ({number(line.l2)}); the zero function is {number(score.zero.l2)} away. Largest gap:"
        f" {number(mine.sup)} at x = {number(float(mine.sup_at))}."
    )


def _farthest(
    score: PredictionScore | None, at_end: bool, trajectory: Trajectory, x: Floats, y: Floats
) -> tuple[Line, ...]:
    """The largest gap, as an upright line between both functions."""
    if score is None or not at_end:
        return ()
    place = float(score.prediction.sup_at)
    ends = [float(np.interp(place, x, y)), float(trajectory.final(np.array([place]))[0])]
    return (Line(np.full(2, place), np.array(ends), "difference", 3.0, dashed=True, label="largest gap"),)


def _panel(shown: Window, marks: tuple, summary: str) -> Panel:
    return function_panel(shown, marks, width=WIDTH, height=380, summary=summary, clickable=True)
