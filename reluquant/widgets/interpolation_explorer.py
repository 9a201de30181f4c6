"""Network, interpolant and their difference, on the line and in the plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import ipywidgets as W
import numpy as np
import traitlets as T

from reluquant.analysis.closest_triangulation import closest_triangulation
from reluquant.analysis.flips import MOST_POINTS, flip_edge, flips
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.planar_set import on_a_line
from reluquant.analysis.triangulate import triangulate
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.trajectory import Trajectory
from reluquant.structures.triangulation import Triangulation
from reluquant.views.interpolation_scene import BANDS, METHODS, interpolation_scene, interpolation_window
from reluquant.views.interpolation_words import BOUND_WORDS, network_at, networks_at
from reluquant.views.planar_interpolation_scene import SHOWN, planar_interpolation_scene
from reluquant.views.scene import Scene
from reluquant.views.time_view import loss_curve, time_grid
from reluquant.widgets import legend
from reluquant.widgets.controls import as_number
from reluquant.widgets.data_editing import rounded
from reluquant.widgets.flow_instrument import FlowInstrument
from reluquant.widgets.instrument import guarded
from reluquant.widgets.interpolation_controls import InterpolationControls
from reluquant.widgets.numeric_traits import FiniteFloat
from reluquant.widgets.runner import LatestJob, PacedDrawing
from reluquant.widgets.scene_view import SceneView
from reluquant.widgets.words import PointsText, Words, as_rows

WIDTH = 944
# In the plane a run takes seconds: fewer neurons, a start that is not vanishing, and a tolerance below a pixel.
PLANAR_SETTINGS = {"n_neurons": 60, "scale": 1e-3, "rtol": 1e-5, "max_seconds": 20.0}
# Seconds after which the search for the closest triangulation stops with the best that it has.
SEARCH_SECONDS = 10.0
# Moments of a play that are prepared between two looks whether they are still wanted.
TOGETHER = 24


class InterpolationExplorer(FlowInstrument):
    """A network beside an interpolant of its data, and their difference with the exact sup marked.

    On the line: the network, the interpolant and the data; below, the difference with the bounds of
    :func:`reluquant.interpolation_bounds` as a band. In the plane: colour maps of network, interpolant and difference;
    the triangulation of the interpolant is changed by clicks on its edges.

    Parameters
    ----------
    problem : Dataset or Trajectory
        One or two features, one label, with a bias. For a Dataset a flow is run.
    method : {"delaunay", "fewest_pieces"}
        On the line: the interpolant, as in :func:`reluquant.interpolate`.
    band : {"relu", "lipschitz", "curvature", "none"}
        On the line: which bound is drawn.
    shows : {"all", "network", "interpolant", "difference"}
        In the plane: three colour maps or one.
    lipschitz, curvature : float, optional
        Constants for the bounds.
    n_neurons, scale, seed, speed, rtol, max_seconds
        As in :func:`reluquant.explore`; in the plane by default 60 neurons, scale 1e-3, rtol 1e-5 and 20 seconds.

    Attributes
    ----------
    data, t, playing, trajectory, busy, status, error
        As in :func:`reluquant.explore`.
    triangulation : Triangulation or None
        In the plane, of the interpolant; assign another one of ``data.X``.

    Raises
    ------
    TypeError
        If ``problem`` is neither, or a setting is unknown.
    ValueError
        If the data cannot be shown.
    TraitError
        If a setting is out of range.

    Notes
    -----
    All distances are those of :func:`reluquant.compare`, on the hull of the data. A data point with two labels is
    interpolated by their mean.

    Examples
    --------
    >>> import reluquant as rq
    >>> explorer = rq.InterpolationExplorer(rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.0, 1.0]), n_neurons=50)
    >>> explorer
    InterpolationExplorer(n_samples=3, n_features=1, n_neurons=50, scale=1e-06, seed=0)
    >>> explorer.wait(120)
    >>> [panel.name for panel in explorer.scene().panels()]
    ['function', 'difference', 'loss']
    >>> explorer.close()
    """

    method = T.Enum(METHODS, "delaunay").tag(user=True, sync=True)
    band = T.Enum(BANDS, "relu").tag(user=True, sync=True)
    shows = T.Enum(SHOWN, "all").tag(user=True, sync=True)
    lipschitz = FiniteFloat(None, min=0.0, allow_none=True).tag(user=True, sync=True)
    curvature = FiniteFloat(None, min=0.0, allow_none=True).tag(user=True, sync=True)
    triangulation = T.Instance(Triangulation, allow_none=True)

    _name = "InterpolationExplorer"

    def __init__(self, problem: Dataset | Trajectory, **settings: object) -> None:
        settings = {name: value for name, value in settings.items() if value is not None}
        data = problem.data if isinstance(problem, Trajectory) else problem
        if isinstance(data, Dataset) and data.n_features == 2:
            given = ("n_neurons", "scale") if isinstance(problem, Trajectory) else ()
            settings = {k: v for k, v in PLANAR_SETTINGS.items() if k not in given} | settings
        self._earlier: list[Triangulation] = []
        self._remembers = True
        # Networks of the moments of a play in the plane, where to find one again takes longer than to draw it.
        self._networks: dict[float, ShallowReLU] = {}
        self._preparing = LatestJob(self._draw_failed)
        super().__init__(problem, **settings)

    # --- what users call -------------------------------------------------------------------------

    def flip(self, i: int, j: int) -> None:
        """Flip the edge of the triangulation between two points.

        Parameters
        ----------
        i, j : int
            Numbers of the points, as the tooltips of the edges say them.

        Raises
        ------
        ValueError
            If there is no such edge, or it cannot be flipped; or if the data are on the line.
        """
        self.triangulation = flip_edge(self._planar_triangulation(), i, j)

    def delaunay(self) -> None:
        """Take the Delaunay triangulation."""
        self._planar_triangulation()
        self.triangulation = triangulate(self.data.X)

    def closest(self) -> None:
        """Look for the triangulation whose interpolant is nearest in L2 to the network shown; off the main thread."""
        triangulation = self._planar_triangulation()
        if self.trajectory is None or self.busy:
            raise ValueError("The closest triangulation needs the network: wait until the run is computed.")
        net, data = network_at(self.trajectory, self.t), self.data
        values = interpolate(data, method=triangulation, duplicates="mean").values
        self.busy = True
        self._work_failure = None

        def job(outdated: Callable[[], bool]) -> None:
            found = closest_triangulation(triangulation.points, net, labels=values, time_limit=SEARCH_SECONDS)
            if outdated() or data is not self.data:
                return
            best = found.triangulation
            self.triangulation = Triangulation(
                triangulation.points, best.simplices, best.neighbors, triangulation.point_of_row
            )
            self._warning = "" if found.optimal else f"A closer one by {100 * found.gap:.2g} % in L2² is not excluded."
            self.busy = self._work.behind
            self._show_error()

        self._work.submit(job)

    def undo(self) -> None:
        """Take back the newest change of the triangulation."""
        self._planar_triangulation()
        if not self._earlier:
            raise ValueError("There is no change of the triangulation to take back.")
        self._take(self._earlier.pop())

    def reset(self) -> None:
        """Return to the data, settings and triangulation of the beginning."""
        super().reset()
        self._renew()

    def _scene_at(self, t: float, *, movable: bool = False) -> Scene:
        constants = {"lipschitz": self.lipschitz, "curvature": self.curvature}
        if self._planar:
            return planar_interpolation_scene(
                self.trajectory, t, data=self.data, triangulation=self.triangulation, shows=self.shows,
                movable=movable, moving=movable and self.playing, net=self._networks.get(t), **constants,
            )  # fmt: skip
        return interpolation_scene(
            self.trajectory, t, data=self.data, method=self.method, band=self.band, shown=self._window,
            movable=movable, **constants,
        )  # fmt: skip

    def _at_work(self) -> tuple[LatestJob | PacedDrawing, ...]:
        return self._work, self._preparing, self._drawing, self._saving

    def close(self) -> None:
        """Stop all work and remove the widget and its parts from page and kernel."""
        if not self._closed:
            self._preparing.close()
        super().close()

    def __repr__(self) -> str:
        if self._closed:
            return "InterpolationExplorer(closed)"
        start = f"scale={self.scale:g}, seed={self.seed}" if self._start is None else "given run"
        shape = f"n_samples={self.data.n_samples}, n_features={self.data.n_features}"
        return f"InterpolationExplorer({shape}, n_neurons={self.n_neurons}, {start})"

    # --- parts and layout ------------------------------------------------------------------------

    @property
    def _planar(self) -> bool:
        return self.data.n_features == 2

    def _build(self) -> None:
        self._view = SceneView(self._heard)
        self._bar = self._control_bar(WIDTH + 10)
        self._choices = InterpolationControls(
            WIDTH, planar=self._planar, methods=METHODS, bands={BOUND_WORDS.get(b, b): b for b in BANDS}, shown=SHOWN,
            on={
                **{name: partial(self._chosen, name) for name in ("method", "band", "shows")},
                **{name: partial(self._number_typed, name) for name in ("lipschitz", "curvature", "t")},
                **{name: self._pressed(name) for name in ("delaunay", "closest", "undo")},
                "edge": self._edge_typed,
            },
        )  # fmt: skip
        self._points = PointsText(WIDTH - 290, on_typed=self._points_typed)
        self._words = Words(WIDTH)

    def _layout(self) -> list[W.Widget]:
        return [
            W.HTML(legend.STYLE, layout=W.Layout(display="none")), self._bar.box, self._choices.box, self._view,
            self._words.status, W.HBox([self._points.text, self._saver.box]), self._words.alert,
        ]  # fmt: skip

    def _observe(self) -> None:
        super()._observe()
        self.observe(self._on_choice, names=["method", "band", "shows", "lipschitz", "curvature"])
        self.observe(self._on_triangulation, names="triangulation")
        self._renew()

    # --- the user did something ------------------------------------------------------------------

    @guarded
    def _heard(self, event: Mapping[str, object]) -> None:
        kind, name = event["event"], event.get("name")
        if name == "data" and kind in ("drag", "drop", "nudge", "delete"):
            self._data_event(kind, int(event["index"]), event)
        elif name == "head" and kind in ("drag", "drop"):
            self._scrubbed(self._time_of(float(event["x"])))
        elif name == "head" and kind == "nudge" and self.trajectory is not None:
            here = loss_curve(self.trajectory).position(self.t)
            self._scrubbed(self._time_of(here + float(event["dx"])))
        elif name in ("edge", "flip") and kind == "pick":
            self.flip(*flips(self._planar_triangulation()).edges[int(event["index"])].tolist())

    def _data_event(self, kind: str, index: int, event: Mapping[str, object]) -> None:
        X, y = self.data.X.copy(), self.data.y.copy()
        if kind == "delete":
            if self.data.n_samples == 1:
                raise ValueError("At least one point must stay.")
            self.data = Dataset(np.delete(X, index, axis=0), np.delete(y, index), name=self.data.name)
            return
        place = np.array([event["x"], event["y"]] if kind != "nudge" else [event["dx"], event["dy"]], dtype=float)
        if kind == "nudge":
            place += (X[index, 0], X[index, 1] if self._planar else y[index])
        if self._planar:
            # A run takes seconds there: only where a point is let go.
            if kind != "drag":
                spans = np.ptp(self.data.X, axis=0)
                X[index] = [float(rounded(value, span)) for value, span in zip(place, spans, strict=True)]
                self.data = Dataset(X, y, name=self.data.name)
            return
        X[index, 0], y[index] = place
        self._points_moved(X[:, 0], y)
        if kind != "drag":
            self._point_dropped()

    def _time_of(self, log_t: float) -> float:
        if self.trajectory is None:
            return 0.0
        curve = loss_curve(self.trajectory)
        # The left end of the axis is the start.
        return 0.0 if log_t <= np.log10(curve.t_first) + 1e-9 else min(10.0**log_t, curve.t_last)

    @guarded
    def _points_typed(self, text: str) -> None:
        if not self._planar:
            super()._points_typed(text)
            return
        rows = as_rows(text, 3, "triples", "0 0 1; 1 0 -1; 0 1 0.5")
        if np.array_equal(rows, np.column_stack([self.data.X, self.data.y])):
            self._points.show(self.data)
        else:
            self.data = Dataset(rows[:, :2], rows[:, 2], name=self.data.name)

    @guarded
    def _number_typed(self, name: str, text: str) -> None:
        try:
            given = text.strip()
            if not given and name == "t":
                raise ValueError("t must be a number such as 12.5, but nothing was typed.")
            setattr(self, name, as_number(given, name) if given else None)
        finally:
            self._show_controls()

    @guarded
    def _edge_typed(self, text: str) -> None:
        parts = text.replace(",", " ").replace("–", " ").split()
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            raise ValueError(f"An edge is two numbers of points such as 0 3, but {text!r} was typed.")
        self.flip(*map(int, parts))

    # --- a trait changed -------------------------------------------------------------------------

    def _check_data(self, data: object) -> None:
        if not isinstance(data, Dataset):
            raise TypeError(
                f"InterpolationExplorer takes a Dataset or a Trajectory, but got a {type(data).__name__};"
                " use rq.Dataset."
            )
        if data.n_features not in (1, 2) or not data.bias or data.y.ndim != 1:
            raise ValueError(
                f"InterpolationExplorer shows data with one or two features, one label and a bias, but got {data!r}"
                f" with y of shape {data.y.shape}."
            )
        if not self._closed and data.n_features != self.data.n_features:
            raise ValueError(
                f"This InterpolationExplorer shows data with {self.data.n_features} features, but these have"
                f" {data.n_features}; open another one."
            )
        if data.n_features == 2:
            distinct = np.unique(data.X, axis=0)
            if len(distinct) < 3 or on_a_line(distinct):
                raise ValueError("In the plane there must be three points that are not on a line; move or add one.")
            if len(distinct) > MOST_POINTS:
                raise ValueError(f"In the plane it shows up to {MOST_POINTS} points, but got {len(distinct)}.")

    @T.validate("triangulation")
    def _valid_triangulation(self, proposal: object) -> Triangulation | None:
        given = proposal["value"]
        if given is not None:
            if not self._planar:
                raise ValueError("A triangulation can be chosen in the plane only; on the line choose a method.")
            interpolate(self.data, method=given, duplicates="mean")
            flips(given)
        elif self._planar:
            raise ValueError("In the plane there must be a triangulation; assign one of data.X.")
        return given

    @guarded
    def _on_data(self, change: object) -> None:
        self._renew()
        super()._on_data(change)
        # The interpolant follows the hand at once, the network when it is computed.
        self._drawing.request()

    @guarded
    def _on_choice(self, change: object) -> None:
        self._show_controls()
        self._drawing.request()

    @guarded
    def _on_triangulation(self, change: object) -> None:
        if self._remembers and change.old is not None:
            self._earlier.append(change.old)
        self._show_controls()
        self._drawing.request()

    def _on_t(self, change: object) -> None:
        super()._on_t(change)
        self._show_controls()

    def _renew(self) -> None:
        """Begin with the Delaunay triangulation of the present data."""
        if self._planar:
            self._take(triangulate(self.data.X))
        self._earlier.clear()
        self._show_controls()

    def _take(self, triangulation: Triangulation) -> None:
        """Take a triangulation that undo does not come back from."""
        self._remembers = False
        try:
            self.triangulation = triangulation
        finally:
            self._remembers = True
        self._show_controls()

    def _planar_triangulation(self) -> Triangulation:
        if not self._planar:
            raise ValueError("On the line there is one triangulation; choose a method instead.")
        return self.triangulation

    # --- work off the main thread ----------------------------------------------------------------

    def _accepted(self, run: Trajectory) -> None:
        self._networks = {}
        if self._planar:
            self._preparing.submit(partial(self._prepare, run, self._networks))

    def _prepare(self, run: Trajectory, networks: dict[float, ShallowReLU], outdated: Callable[[], bool]) -> None:
        grid = time_grid(run)
        for begin in range(0, grid.size, TOGETHER):
            if outdated() or run is not self.trajectory:
                return
            times = grid[begin : begin + TOGETHER].tolist()
            networks.update(zip(times, networks_at(run, times), strict=True))

    # --- showing ---------------------------------------------------------------------------------

    def _show(self) -> bool:
        if self.trajectory is None:
            return False
        self._drawn = self.trajectory
        self._advance()
        scene = self._scene_at(min(self.t, float(self.trajectory.t[-1])), movable=True)
        self._view.show(scene)
        self.status = scene.sentence
        return self.playing

    def _show_window(self) -> None:
        self._window = None if self._planar else interpolation_window(self.data)

    def _show_data(self, *, in_hand: bool = False) -> None:
        if not in_hand:
            self._show_window()
        self._points.show(self.data)

    def _show_controls(self) -> None:
        super()._show_controls()
        self._choices.show(
            method=self.method, band=self.band, shows=self.shows, lipschitz=self.lipschitz, curvature=self.curvature,
            t=self.t, undo=bool(self._earlier),
        )  # fmt: skip
