"""Network and interpolant in the plane, and their difference, at one moment of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from contourpy import contour_generator
from matplotlib import colormaps

from reluquant.analysis.compare import Comparison, compare
from reluquant.analysis.flips import Flips, flips
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.analysis.planar_pieces import kink_segments
from reluquant.analysis.planar_region import hull_of
from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.structures.simplicial_interpolant import SimplicialInterpolant
from reluquant.structures.trajectory import Trajectory
from reluquant.structures.triangulation import Triangulation
from reluquant.views.interpolation_scene import SUP_AREA
from reluquant.views.interpolation_words import bounds_at, bounds_words, distance_words, moment, network_at
from reluquant.views.loss_scene import loss_panel
from reluquant.views.scene import Area, Dots, Line, Mark, Panel, Raster, Scene
from reluquant.views.sentences import number
from reluquant.views.time_view import loss_curve

SHOWN = ("all", "network", "interpolant", "difference")
WIDTH, HEIGHT, STRIP_HEIGHT = 930, 300, 120
LARGE_WIDTH, LARGE_HEIGHT = 620, 480
SCALE_HEIGHT = 62
# Pixels of a colour map along each side: the page smooths them, and 10,000 values of a network take milliseconds.
GRID = 96
# While time runs; the exact regions, too, are left for the moment when it stops.
MOVING_GRID = 64
# Room around the hull and beyond the labels' range, as shares.
ROOM = 0.07
# Colours let that much of the paper through, so that lines of ink are seen on them on light and on dark paper.
OPACITY = 0.85
LEVELS = 7
# Regions are cut by at most so many kinks, those with the largest slope jumps: their number grows with the square.
MOST_KINKS = 60
# A kink with less than that share of the largest slope jump is drawn faintly.
FAINT = 0.02
# Width in pixels of what the mouse feels of an edge.
TOUCH = 9.0


def planar_interpolation_scene(
    trajectory: Trajectory,
    t: float,
    *,
    data: Dataset | None = None,
    triangulation: Triangulation | None = None,
    shows: str = "all",
    lipschitz: float | None = None,
    curvature: float | None = None,
    movable: bool = False,
    moving: bool = False,
    net: ShallowReLU | None = None,
) -> Scene:
    """Return network, interpolant and their difference at time ``t`` as colour maps.

    Parameters
    ----------
    trajectory : Trajectory
        The run; two features with a bias, one output.
    t : float
        Time, from 0 to the end of the run; a time beyond is taken as the end.
    data : Dataset, optional
        What is interpolated; by default the data of the run.
    triangulation : Triangulation, optional
        Of the inputs; by default the Delaunay triangulation.
    shows : {"all", "network", "interpolant", "difference"}
        Three panels side by side, or one of them.
    lipschitz, curvature : float, optional
        Constants for :func:`reluquant.interpolation_bounds`.
    movable : bool
        Whether the data can be moved and edges be flipped.
    moving : bool
        Whether time runs: then colour maps are coarser, and regions are not counted.
    net : ShallowReLU, optional
        The network at that time, if it is known.

    Returns
    -------
    Scene
        Panels ``network``, ``interpolant``, ``difference`` or one of them, their colours ``values`` and
        ``differences``, and ``loss``. Events call the data ``data``, each edge ``edge``, and the handles of those
        that can be flipped ``flip``, by their numbers in :func:`reluquant.analysis.flips.flips`.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.planar_interpolation_scene import planar_interpolation_scene
    >>> data = rq.Dataset([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0.0, 1.0, 1.0])
    >>> net = rq.ShallowReLU.balanced(n_features=2, n_neurons=5, scale=0.1, rng=0)
    >>> run = rq.gradient_flow(net, data, t_max=1.0, progress=False)
    >>> [panel.name for panel in planar_interpolation_scene(run, 1.0, shows="difference").panels()]
    ['difference', 'differences', 'loss']
    """
    data = trajectory.data if data is None else data
    net = network_at(trajectory, t) if net is None else net
    g = interpolate(data, method="delaunay" if triangulation is None else triangulation, duplicates="mean")
    distance = compare(net, g)
    picture = _Picture(data, net, g, distance, all_three=shows == "all", movable=movable, moving=moving)
    names = SHOWN[1:] if shows == "all" else (shows,)
    maps, cut = zip(*(picture.panel(name) for name in names), strict=True)
    strip = loss_panel(loss_curve(trajectory), t, width=WIDTH, height=STRIP_HEIGHT)
    bounds = bounds_at(net, g.triangulation, lipschitz, curvature)
    sentence = moment(trajectory, data, net, t) + distance_words(distance, "the hull") + bounds_words(bounds)
    return Scene((maps, picture.scales(names), (strip,)), sentence + "".join(cut))


class _Picture:
    """One network beside one interpolant, and the box that all panels show."""

    def __init__(
        self, data: Dataset, net: ShallowReLU, g: SimplicialInterpolant, distance: Comparison, *, all_three: bool,
        movable: bool, moving: bool,
    ) -> None:  # fmt: skip
        self.data, self.net, self.g, self.distance, self.movable = data, net, g, distance, movable
        self.all_three, self.moving = all_three, moving
        self.flips = flips(g.triangulation)
        low, high = g.triangulation.points.min(axis=0), g.triangulation.points.max(axis=0)
        room = ROOM * (high - low)
        self.box = tuple(zip((low - room).tolist(), (high + room).tolist(), strict=True))
        self.size = (WIDTH // 3, HEIGHT) if all_three else (LARGE_WIDTH, LARGE_HEIGHT)
        self.hull = hull_of(g.triangulation)
        low, high = float(g.values.min()), float(g.values.max())
        spare = ROOM * (high - low) or 1.0
        self.range = (low - spare, high + spare)
        grid = MOVING_GRID if moving else GRID
        self.axes = [np.linspace(a, b, 2 * grid + 1)[1::2] for a, b in self.box]
        self.values = {}

    def panel(self, name: str) -> tuple[Panel, str]:
        """A colour map and what lies on it; and what is not all there, in words."""
        title, made = {
            "network": ("network f", self._network),
            "interpolant": ("interpolant g", self._interpolant),
            "difference": ("difference f − g", self._difference),
        }[name]
        marks, said = made()
        outside = Area((_frame(self.box, self.hull),), "paper", 1.0)
        rim = Line(*np.vstack([self.hull, self.hull[:1]]).T, "ink", 1.2)
        x, y = self.distance.sup_at
        sup = Dots([x], [y], "difference", SUP_AREA, "diamond", hollow=True, label="largest |f − g|")
        if name == "difference":
            title += f", at most {number(self.distance.sup)}"
        raster, *on_it = marks
        panel = Panel(
            name, *self.box, (raster, *on_it[:1], outside, rim, *on_it[1:], sup, *self._data()),
            width=self.size[0], height=self.size[1], x_label="x₁", y_label="x₂", title=title,
            summary=f"Colour map of the {title}",
        )  # fmt: skip
        return panel, said

    def scales(self, names: Sequence[str]) -> tuple[Panel, ...]:
        """What the colours of the panels mean."""
        width = self.size[0]
        values = sum(name != "difference" for name in names)
        made = []
        if values:
            made.append(_scale("values", self.range, self._value_colours, values * width, "f and g"))
        if "difference" in names:
            made.append(_scale("differences", self._difference_range, self._difference_colours, width, "f − g"))
        return tuple(made)

    # --- the three maps --------------------------------------------------------------------------

    def _network(self) -> tuple[tuple[Mark, ...], str]:
        values = self._sampled(self.net)
        bending = _strongest(self.net)
        all_of_them = bending is self.net
        pieces = None if self.moving else piecewise_linear(bending, region=self.hull)
        segments, groups = kink_segments(bending, self.hull) if pieces is None else (pieces.segments, pieces.groups)
        strong, weak = _kinks(segments, groups, bending, all_of_them=all_of_them)
        contours = Line(*_contours(self.axes, values, self.range), "paper", 1.2)
        marks = (
            self._raster(values, self._value_colours), contours, Line(*weak, "ink", 0.7, opacity=0.35),
            Line(*strong, "ink", 1.3, label="edges of linear regions"),
        )  # fmt: skip
        if pieces is None:
            return marks, ""
        if all_of_them:
            return marks, f" The network has {pieces.n_regions:,} linear regions there."
        return marks, f" Regions are cut by the {MOST_KINKS} kinks with the largest slope jumps."

    def _interpolant(self) -> tuple[tuple[Mark, ...], str]:
        values = self._sampled(self.g)
        contours = Line(*_contours(self.axes, values, self.range), "paper", 1.2)
        return (self._raster(values, self._value_colours), contours, *self._edges(), *self._touch(handles=True)), ""

    def _difference(self) -> tuple[tuple[Mark, ...], str]:
        values = self._sampled(self.net) - self._sampled(self.g)
        touch = self._touch(handles=not self.all_three)
        return (self._raster(values, self._difference_colours), *self._edges(faint=True), *touch), ""

    def _sampled(self, f: Callable) -> Floats:
        """Values at the pixels, first row lowest."""
        if id(f) not in self.values:
            across, up = np.meshgrid(*self.axes)
            self.values[id(f)] = np.reshape(f(np.column_stack([across.ravel(), up.ravel()])), across.shape)
        return self.values[id(f)]

    def _raster(self, values: Floats, colours: Callable) -> Raster:
        return Raster(colours(values[::-1]), *self.box)

    def _value_colours(self, values: Floats) -> np.ndarray:
        low, high = self.range
        return colormaps["cividis"]((values - low) / (high - low), alpha=OPACITY, bytes=True)

    @property
    def _difference_range(self) -> tuple[float, float]:
        top = self.distance.sup or 1.0
        return -top, top

    def _difference_colours(self, values: Floats) -> np.ndarray:
        share = np.clip(values / self._difference_range[1], -1.0, 1.0)
        # Nothing is no colour, on light and on dark paper.
        rgba = colormaps["PuOr_r"](0.5 + 0.42 * share, bytes=True)
        rgba[..., 3] = np.round(255 * np.minimum(1.0, 1.6 * np.abs(share)))
        return rgba

    # --- what lies on them -----------------------------------------------------------------------

    def _edges(self, *, faint: bool = False) -> tuple[Mark, ...]:
        ends = self.g.triangulation.points[self.flips.edges]
        x, y = _strokes(ends)
        if faint:
            return (Line(x, y, "muted", 1.0, opacity=0.7),)
        return Line(x, y, "paper", 3.4, opacity=0.7), Line(x, y, "interpolant", 1.8, label="triangulation")

    def _touch(self, *, handles: bool) -> tuple[Mark, ...]:
        if not self.movable:
            return ()
        points, found = self.g.triangulation.points, self.flips
        titles = tuple(_title(found, k) for k in range(len(found.edges)))
        bands = Area(tuple(self._band(*points[edge]) for edge in found.edges), "ink", 0.0, name="edge", titles=titles)
        if not handles:
            return (bands,)
        middle = points[found.edges].mean(axis=1)
        # Edges that cannot be flipped have no handle, and keep their number.
        middle[found.others[:, 0] < 0] = np.nan
        squares = Dots(
            *middle.T, "interpolant", 46.0, "square", hollow=True, label="flip (click)", name="flip", titles=titles
        )
        return bands, squares

    def _band(self, begin: Floats, end: Floats) -> Floats:
        """A thin quadrilateral along an edge, as wide everywhere in pixels."""
        unit = np.array([(b - a) for a, b in self.box]) / np.array(self.size)
        way = (end - begin) / unit
        across = np.array([-way[1], way[0]]) / np.hypot(*way) * unit * TOUCH / 2
        return np.array([begin + across, end + across, end - across, begin - across])

    def _data(self) -> tuple[Mark, ...]:
        x, y = self.data.X.T
        labels = self.data.y.reshape(self.data.n_samples, -1)[:, 0]
        titles = tuple(
            f"sample {k}: ({a:.6g}, {b:.6g}), y = {c:.6g}" for k, (a, b, c) in enumerate(zip(x, y, labels, strict=True))
        )
        return (
            Dots(
                x, y, area=64.0, label="data", name="data" if self.movable else "", movable=self.movable,
                titles=titles if self.movable else (),
            ),
        )  # fmt: skip


def _strongest(net: ShallowReLU) -> ShallowReLU:
    """The neurons with the largest slope jumps; the network itself if it has few."""
    if net.n_neurons <= MOST_KINKS:
        return net
    largest = np.sort(np.argsort(_jumps(net))[::-1][:MOST_KINKS])
    return ShallowReLU(net.W[largest], net.a.reshape(-1)[largest])


def _jumps(net: ShallowReLU) -> Floats:
    return np.abs(net.a.reshape(-1)) * np.hypot(net.W[:, 0], net.W[:, 1])


def _kinks(
    segments: Floats, groups: Sequence[np.ndarray], net: ShallowReLU, *, all_of_them: bool
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Strokes of the kinks with much and with little slope jump."""
    strong = np.ones(len(segments), dtype=bool)
    if all_of_them:
        jumps = _jumps(net)
        total = np.array([jumps[group].sum() for group in groups])
        strong = total >= FAINT * total.max(initial=0.0)
    return _strokes(segments[strong]), _strokes(segments[~strong])


def _strokes(ends: Floats) -> tuple[Floats, Floats]:
    """Segments (n, 2, 2) as one line with gaps."""
    gap = np.full((len(ends), 1), np.nan)
    return tuple(np.hstack([ends[:, :, axis], gap]).ravel() for axis in range(2))


def _contours(axes: Sequence[Floats], values: Floats, ends: tuple[float, float]) -> tuple[Floats, Floats]:
    """Level lines as one line with gaps."""
    # What matplotlib draws contours by, without the figure, which would take longer than the lines.
    level_lines = contour_generator(*axes, values).lines
    gap = np.full((1, 2), np.nan)
    levels = np.linspace(*ends, LEVELS + 2)[1:-1].tolist()
    pieces = [part for level in levels for line in level_lines(level) for part in (line, gap)]
    return tuple(np.concatenate(pieces).T) if pieces else (np.zeros(0), np.zeros(0))


def _frame(box: Sequence[tuple[float, float]], hull: Floats) -> Floats:
    """The box without the hull, as one polygon with a slit."""
    (left, right), (bottom, top) = box
    corners = np.array([[left, bottom], [right, bottom], [right, top], [left, top], [left, bottom]])
    clockwise = np.vstack([hull[:1], hull[:0:-1], hull[:1]])
    return np.vstack([corners, clockwise])


def _scale(name: str, ends: tuple[float, float], colours: Callable, width: int, label: str) -> Panel:
    middles = np.linspace(*ends, 513)[1::2]
    return Panel(
        name, ends, (0.0, 1.0), (Raster(colours(middles[None, :]), ends, (0.0, 1.0)),), width=width,
        height=SCALE_HEIGHT, y_ticks={}, x_label=label,
        summary=f"Colours of {label} from {number(ends[0])} to {number(ends[1])}",
    )  # fmt: skip


def _title(found: Flips, k: int) -> str:
    (i, j), (c, d) = found.edges[k].tolist(), found.others[k].tolist()
    if c >= 0:
        return f"edge {i}–{j}: flip it to {c}–{d}"
    why = "on the hull" if found.on_hull[k] else "no strictly convex quadrilateral around it"
    return f"edge {i}–{j}: {why}"
