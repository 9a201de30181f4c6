"""Predict the learned function first, then see it: a score by exact distance."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as W
import numpy as np
import traitlets as T

from reluquant.analysis.prediction_score import PredictionScore, drawn_function, prediction_score
from reluquant.structures.dataset import Dataset
from reluquant.structures.trajectory import Trajectory
from reluquant.views.function_view import window
from reluquant.views.prediction_scene import guess_places, prediction_scene
from reluquant.views.scene import Scene
from reluquant.views.time_view import loss_curve
from reluquant.widgets import legend
from reluquant.widgets.data_editing import rounded
from reluquant.widgets.flow_instrument import FlowInstrument
from reluquant.widgets.instrument import guarded
from reluquant.widgets.numeric_traits import FiniteFloat
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.words import PointsText, Words, as_rows

WIDTH = 944


class PredictFirst(FlowInstrument):
    """The learner draws the function that they expect, then runs the flow and sees how far off they were.

    Nothing of the run is shown before :meth:`reveal`.

    Parameters
    ----------
    problem : Dataset or Trajectory
        One feature, one label, with bias.
    n_neurons, scale, seed, speed, rtol, max_seconds
        As in :func:`reluquant.explore`.

    Attributes
    ----------
    guess : tuple of (float, float)
        The prediction's points, by increasing x; assign others to set them.
    revealed : bool
        Whether the run may be seen.
    score : float or None
        Once it is: 1 is perfect, 0 is no better than the zero function; see
        ``reluquant.analysis.prediction_score.PredictionScore``.

    Examples
    --------
    >>> import reluquant as rq
    >>> game = rq.PredictFirst(rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.0, 1.0]), n_neurons=50)
    >>> game.guess = ((-1.0, 1.0), (0.0, -1.0), (1.0, 1.0))
    >>> game.reveal()
    >>> game.wait(120)
    >>> bool(0.5 < game.score <= 1.0)
    True
    >>> game.close()
    """

    guess = T.Tuple()
    revealed = T.Bool(False)
    score = FiniteFloat(None, allow_none=True)

    _name = "PredictFirst"

    def __init__(self, problem: Dataset | Trajectory, **settings: object) -> None:
        self._scored: PredictionScore | None = None
        super().__init__(problem, **settings)

    # --- what users call -------------------------------------------------------------------------

    def reveal(self) -> None:
        """Show the run, and score the prediction."""
        self.revealed = True

    def hide(self) -> None:
        """Hide the run again, and keep the prediction."""
        self.revealed = False

    def reset(self) -> None:
        """Return to the data and settings of the beginning, and to an empty prediction."""
        self.revealed = False
        super().reset()
        self._clear()

    # --- for a flow's instrument -----------------------------------------------------------------

    def _check_data(self, data: object) -> None:
        if not isinstance(data, Dataset):
            raise TypeError(
                f"PredictFirst takes a Dataset or a Trajectory, but got a {type(data).__name__}; use rq.Dataset."
            )
        if data.n_features != 1 or not data.bias or data.y.ndim != 1 or np.unique(data.X).size < 2:
            raise ValueError(
                "PredictFirst takes data with one feature, one label, a bias and two different inputs, but got"
                f" {data!r}."
            )

    def _build(self) -> None:
        self._view = SceneView(self._heard)
        self._bar = self._control_bar(WIDTH + 10)
        self._run = W.Button(description="run", icon="eye", tooltip="Show what the flow learned")
        self._hide = W.Button(description="hide", icon="eye-slash", tooltip="Hide the run and go on drawing")
        self._again = W.Button(description="clear", icon="eraser", tooltip="An empty prediction")
        for button, method in ((self._run, "reveal"), (self._hide, "hide"), (self._again, "_clear")):
            pressed = self._pressed(method)
            button.on_click(lambda _, pressed=pressed: pressed())
            button.layout.width = "80px"
        self._points = PointsText(WIDTH - 290, on_typed=self._points_typed)
        tooltip = "Your function as x y; x y; … – type to set its points"
        self._typed = PointsText(WIDTH - 10, self._guess_typed, "yours", tooltip)
        self._words = Words(WIDTH)

    def _layout(self) -> list[W.Widget]:
        return [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), self._bar.box,
            W.HBox([self._run, self._hide, self._again]), self._view, self._words.status, self._typed.text,
            W.HBox([self._points.text, self._saver.box]), self._words.alert,
        ]  # fmt: skip

    def _observe(self) -> None:
        super()._observe()
        self.observe(self._on_guess, names="guess")
        self.observe(self._on_revealed, names="revealed")
        self._show_window()
        self._clear()

    def _accepted(self, run: Trajectory) -> None:
        self._rate()

    # --- the user did something ------------------------------------------------------------------

    @guarded
    def _heard(self, event: Mapping[str, object]) -> None:
        kind, name = event["event"], event.get("name")
        if name == "guess" and kind in ("drag", "drop", "nudge"):
            index = int(event["index"])
            height = float(event["y"]) if kind != "nudge" else self.guess[index][1] + float(event["dy"])
            self._set_height(index, height)
        elif kind in ("stroke", "stroked", "click") and event.get("panel") == "function":
            places = np.array([x for x, _ in self.guess])
            self._set_height(int(np.argmin(np.abs(places - float(event["x"])))), float(event["y"]))
        elif name == "head" and kind in ("drag", "drop") and self.trajectory is not None:
            curve = loss_curve(self.trajectory)
            self._scrubbed(min(10.0 ** float(event["x"]), curve.t_last))

    def _set_height(self, index: int, y: float) -> None:
        tall = self._window.top - self._window.bottom
        points = list(self.guess)
        points[index] = (points[index][0], float(rounded(np.array(y), tall)))
        self.guess = tuple(points)

    @guarded
    def _guess_typed(self, text: str) -> None:
        rows = as_rows(text, 2, "pairs", "-1 0.5; 0 -0.5; 1 0.5")
        self.guess = tuple((float(x), float(y)) for x, y in rows)

    def _clear(self) -> None:
        """An empty prediction: zero everywhere."""
        self.guess = tuple((float(x), 0.0) for x in guess_places(self.data, self._window))

    # --- a trait changed -------------------------------------------------------------------------

    @T.validate("guess")
    def _valid_guess(self, proposal: object) -> tuple[tuple[float, float], ...]:
        rows = np.array(proposal["value"], dtype=float).reshape(-1, 2)
        drawn = drawn_function(rows[:, 0], rows[:, 1])
        return tuple(zip(drawn.knots.tolist(), drawn.values.tolist(), strict=True))

    @guarded
    def _on_guess(self, change: object) -> None:
        self._typed.show_rows(np.array(self.guess))
        self._rate()
        self._drawing.request()

    @guarded
    def _on_revealed(self, change: object) -> None:
        if not self.revealed:
            self.playing = False
        self._rate()
        self._show_controls()
        self._drawing.request()

    def _on_data(self, change: object) -> None:
        # Other data, another question.
        self.revealed = False
        super()._on_data(change)
        self._clear()

    def _rate(self) -> None:
        """Score the prediction once the run may be seen."""
        known = self.revealed and self.trajectory is not None and self.trajectory.data is self.data
        drawn = drawn_function(*np.array(self.guess).T) if known else None
        self._scored = prediction_score(drawn, self.trajectory.final, self.data) if known else None
        score = None if self._scored is None else self._scored.score
        self.score = None if score is None or np.isnan(score) else score

    # --- showing ---------------------------------------------------------------------------------

    def _scene_at(self, t: float) -> Scene:
        x, y = np.array(self.guess).T
        run = self.trajectory if self.revealed else None
        return prediction_scene(self.data, x, y, self._window, trajectory=run, t=t, score=self._scored)

    def _scenes(self) -> list[Scene]:
        return list(super()._scenes()) if self.revealed else [self.scene()]

    def _show(self) -> bool:
        if self.trajectory is None:
            return False
        self._drawn = self.trajectory
        if self.revealed:
            self._advance()
        scene = self._scene_at(min(self.t, float(self.trajectory.t[-1])))
        self._view.show(scene)
        self.status = scene.sentence
        return self.playing and self.revealed

    def _show_window(self) -> None:
        self._window = window(self.data)

    def _show_data(self, *, in_hand: bool = False) -> None:
        if not in_hand:
            self._show_window()
        self._points.show(self.data)

    def _show_controls(self) -> None:
        super()._show_controls()
        self._run.disabled, self._hide.disabled = self.revealed, not self.revealed
        for part in self._bar.buttons.parts[:3]:
            part.disabled = not self.revealed

    def _refusal_gone(self) -> None:
        super()._refusal_gone()
        self._typed.show_rows(np.array(self.guess))
