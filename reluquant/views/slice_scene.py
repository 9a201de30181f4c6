"""A planar slice of a network through three data points, and the data point at a probe in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgba
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats
from reluquant.views.image_marks import image_marks
from reluquant.views.scene import Dots, Label, Line, Mark, Panel, Raster, Scene
from reluquant.views.sentences import number
from reluquant.views.slice_facts import SliceFacts
from reluquant.views.slice_images import CORNERS, SliceImages
from reluquant.views.theme import CLASS_COLOURS, PIXEL_COLOURS

SIZE, SIDE_WIDTH = 500, 430
HEAD = 16
# Colours let that much of the paper through, so that lines of ink are seen on them on light and on dark paper.
OPACITY = 0.62
# The longest edges are drawn; so many and more are finer than pixels, and a page takes long to paint them.
MOST_EDGES = 6000
# Outputs that have a bar: those that are the largest at the probe.
MOST_BARS = 10
# Characters above a picture, and before a bar; tooltips and the sentence are whole.
WIDEST, WIDEST_NAME = 21, 9
# Places of the side panel in pixels: sides of the pictures, and a character of the name of an output.
_SMALL, _LARGE, _GAP, _CHARACTER = 124, 186, 18, 6.5


def slice_scene(
    facts: SliceFacts,
    images: SliceImages,
    probe: Floats,
    *,
    classes: Sequence[str] = (),
    neurons: NDArray[np.bool_] | None = None,
    movable: bool = False,
    moment: str = "",
) -> Scene:
    """Return the slice, and beside it its three data points, the one at the probe, and the outputs there.

    Parameters
    ----------
    facts : SliceFacts
        The network in the plane.
    images : SliceImages
        The data points.
    probe : ndarray, shape (2,)
        A place of the plane.
    classes : sequence of str
        Names of the outputs; their numbers by default.
    neurons : ndarray of bool, shape (n_neurons,), optional
        Draw edges of these; by default of all.
    movable : bool
        Whether the probe can be dragged.
    moment : str
        What the sentence begins with.

    Returns
    -------
    Scene
        Panels ``slice`` and ``images``.
    """
    classes = classes or [str(k) for k in range(facts.plane.n_outputs)]
    picture = _Slice(facts, images, probe, classes)
    return Scene(
        ((picture.slice(neurons, movable=movable), picture.side()),), moment + picture.sentence(neurons)
    )


class _Slice:
    """One network in one plane, with a probe."""

    def __init__(self, facts: SliceFacts, images: SliceImages, probe: Floats, classes: Sequence[str]) -> None:
        self.facts, self.images, self.probe, self.classes = facts, images, probe, classes
        self.outputs, self.n_active = facts.outputs_at(probe)
        self.cut = 0

    # --- the slice -------------------------------------------------------------------------------

    def slice(self, neurons: NDArray[np.bool_] | None, *, movable: bool) -> Panel:
        facts = self.facts
        x_range, y_range = ((float(a), float(a + facts.side)) for a in facts.low)
        triangle = Line(*facts.frame.corners[[0, 1, 2, 0]].T, "ink", 1.0, dashed=True, opacity=0.7)
        title = "which class wins" if facts.output is None else f"output {self.classes[facts.output]}"
        if facts.output is not None and facts.plane.n_outputs == 1:
            title = "the output f"
        return Panel(
            "slice", x_range, y_range,
            (Raster(self._colours()[::-1], x_range, y_range), *self._edges(neurons), *self._boundaries(),
             *self._names(), triangle, *self._near(), *self._corners(), self._probe(movable)),
            width=SIZE, height=SIZE + HEAD, axes=False, title=f"The plane through A, B, C: {title}",
            summary=f"Planar slice, {title}", clickable=True, zoomable=True,
        )  # fmt: skip

    def _colours(self) -> NDArray[np.uint8]:
        """Colours of all pixels, the first row lowest."""
        if self.facts.output is None:
            return _class_rgba(np.argmax(self.facts.values, axis=-1))
        values = self.facts.values[..., self.facts.output]
        return _value_rgba(values, self._top())

    def _top(self) -> float:
        return float(np.abs(self.facts.values[..., self.facts.output]).max()) or 1.0

    def _edges(self, neurons: NDArray[np.bool_] | None) -> tuple[Mark, ...]:
        segments = self.facts.edges if neurons is None else self.facts.edges[neurons[self.facts.owners]]
        self.cut = max(0, len(segments) - MOST_EDGES)
        if not len(segments):
            return ()
        x, y = _strokes(self.facts.in_plane(segments[:MOST_EDGES]))
        return (Line(x, y, "ink", 0.9, opacity=0.4, label="edges of linear regions"),)

    def _boundaries(self) -> tuple[Mark, ...]:
        if self.facts.decisions is None or not len(self.facts.decisions.between):
            return ()
        x, y = _strokes(self.facts.in_plane(self.facts.decisions.boundaries))
        label = "decision boundaries" if self.facts.output is None else "zero level"
        return Line(x, y, "paper", 4.5, opacity=0.75), Line(x, y, "ink", 2.2, label=label)

    def _names(self) -> tuple[Mark, ...]:
        """The name of the class in the middle of each larger part of its region."""
        return tuple(Label(x, y, self.classes[k], size=17.0) for k, x, y in self.facts.middles)

    def _near(self) -> tuple[Mark, ...]:
        if not len(self.images.near):
            return ()
        return (
            Dots(
                *self.images.near.T, "ink", 30.0, "square", hollow=True, label="other points near the plane",
                name="near", titles=tuple(self.images.near_titles),
            ),
        )  # fmt: skip

    def _corners(self) -> tuple[Mark, ...]:
        places = self.facts.frame.corners
        titles = tuple(f"{name}: {title}" for name, title in zip(CORNERS, self.images.titles, strict=True))
        label = "the three points A, B, C"
        dots = Dots(*places.T, "ink", 300.0, hollow=True, label=label, name="corner", titles=titles)
        letters = zip(places.tolist(), CORNERS, strict=True)
        return (dots, *(Label(x, y, name, size=12.0, halo=False) for (x, y), name in letters))

    def _probe(self, movable: bool) -> Mark:
        x, y = self.probe
        return Dots(
            [x], [y], "difference", 110.0, "diamond", label="probe (drag)" if movable else "probe",
            name="probe" if movable else "", movable=movable, titles=("the probe",) if movable else (),
        )  # fmt: skip

    # --- beside it -------------------------------------------------------------------------------

    def side(self) -> Panel:
        width, height = SIDE_WIDTH - 20, SIZE - 20
        marks: list[Mark] = []
        for k, (name, title) in enumerate(zip(CORNERS, self.images.titles, strict=True)):
            left, bottom = k * (_SMALL + _GAP), height - 22 - _SMALL
            marks += [
                Label(left, height - 10, _cut(f"{name}: {title}", WIDEST), size=12.0, anchor="start"),
                *image_marks(self.images.values[k], self.images.shape, self.images.ends, (left, bottom, _SMALL)),
                Label(left, bottom - 12, self._says_shortly(self.facts.frame.corners[k]), size=12.0, anchor="start"),
            ]
        top = height - 22 - _SMALL - 46
        bottom = top - 12 - _LARGE
        image = self.facts.frame.point(self.probe[None])[0]
        marks += [
            Dots([7], [top], "difference", 70.0, "diamond"),
            Label(18, top, f"probe = {self._mixture()}", size=12.0, anchor="start"),
            *image_marks(image, self.images.shape, self.images.ends, (0, bottom, _LARGE)),
            Label(0, bottom - 14, self._says(self.probe), size=12.0, anchor="start"),
            Label(0, bottom - 32, self._active(), size=12.0, anchor="start"),
            *self._bars(left=_LARGE + 24, right=width, top=top - 12, bottom=bottom),
        ]
        if self.facts.output is not None:
            marks += self._scale(width)
        return Panel(
            "images", (0.0, float(width)), (0.0, float(height)), tuple(marks), width=SIDE_WIDTH, height=SIZE + HEAD,
            axes=False, title="The data points, and the one at the probe",
            summary=f"Pictures of the three points and of the probe. {self._says(self.probe)}",
        )  # fmt: skip

    def _says(self, place: Floats) -> str:
        outputs, _ = self.facts.outputs_at(place)
        if outputs.size == 1:
            return f"f = {_signed(outputs[0])}"
        best = int(np.argmax(outputs))
        return f"network: {self.classes[best]} ({_signed(outputs[best])})"

    def _says_shortly(self, place: Floats) -> str:
        """The same in the width of a small picture."""
        said = self._says(place)
        return said if len(said) <= WIDEST else _cut(said.split(" (")[0], WIDEST)

    def _mixture(self) -> str:
        shares = np.round(100 * self.facts.frame.shares(self.probe)) + 0.0
        said = " + ".join(f"{share:.0f} % {name}" for share, name in zip(shares, CORNERS, strict=True))
        return said.replace("+ -", "− ").replace("-", "−")

    def _active(self) -> str:
        return f"{self.n_active:,} of {self.facts.plane.n_neurons:,} neurons active"

    def _bars(self, *, left: float, right: float, top: float, bottom: float) -> list[Mark]:
        outputs = self.outputs
        shown = np.arange(outputs.size)
        if shown.size > MOST_BARS:
            shown = np.sort(np.argsort(-outputs, kind="stable")[:MOST_BARS])
        pitch = min((top - bottom) / shown.size, 26.0)
        low, high = min(0.0, float(outputs[shown].min())), max(0.0, float(outputs[shown].max()))
        # Room for the numbers at the ends of bars on both sides of zero.
        names = ["f"] if outputs.size == 1 else [_cut(self.classes[k], WIDEST_NAME) for k in shown]
        begin = left + 20 + _CHARACTER * max(map(len, names)) + (38 if low < 0 else 4)
        end = right - 38
        unit = (end - begin) / ((high - low) or 1.0)
        zero = begin - low * unit
        best = int(np.argmax(outputs))
        marks: list[Mark] = []
        for row, k in enumerate(shown.tolist()):
            middle, value = top - (row + 0.5) * pitch, float(outputs[k])
            ends = sorted((zero, zero + value * unit))
            rgba = _class_rgba(np.array([[k]]))
            if outputs.size == 1:
                rgba = _value_rgba(np.array([[np.sign(value)]]), 1.0)
            # A bar without width is no picture.
            ends[1] = max(ends[1], ends[0] + 0.5)
            name = f"{'▸ ' if k == best and outputs.size > 1 else ''}{names[row]}"
            marks += [
                Raster(rgba, tuple(ends), (middle - 0.36 * pitch, middle + 0.36 * pitch)),
                Label(left, middle, name, size=11.5, anchor="start"),
                Label(ends[1] + 4 if value >= 0 else ends[0] - 4, middle, _signed(value), size=10.5,
                      anchor="start" if value >= 0 else "end"),
            ]  # fmt: skip
        return [*marks, Line([zero, zero], [top, top - pitch * shown.size], "ink", 1.0, opacity=0.7)]

    def _scale(self, width: float) -> list[Mark]:
        top = self._top()
        ramp = _value_rgba(np.linspace(-top, top, 256)[None], top)
        left, right = 0.12 * width, 0.88 * width
        words = ((left, _signed(-top)), ((left + right) / 2, "0"), (right, _signed(top)))
        return [Raster(ramp, (left, right), (20.0, 32.0)), *(Label(x, 9.0, text, size=11.0) for x, text in words)]

    # --- in words --------------------------------------------------------------------------------

    def sentence(self, neurons: NDArray[np.bool_] | None) -> str:
        facts = self.facts
        if facts.found is None:
            said = (
                "There are more linear regions in this window than can be drawn: zoom in to see their edges. Colours"
                " are of single points."
            )
        else:
            count, n = facts.found.n_regions, facts.plane.n_neurons
            said = f"{count:,} linear region{'' if count == 1 else 's'}; the boundaries of {facts.n_crossing:,} of"
            said += f" {n:,} neurons cross this window"
            if neurons is not None and not neurons.all():
                said += f"; edges of {np.count_nonzero(neurons):,} neurons are drawn"
            said += f"; the {MOST_EDGES:,} longest edges are drawn." if self.cut else "."
        said += self._won() + f" At the probe, {self._mixture()}: {self._says(self.probe)}, {self._active()}."
        if self.images.distance > 0:
            n = self.images.n_near
            said += f" {n:,} other point{'' if n == 1 else 's'} within {number(self.images.distance)} of the plane."
        return said

    def _won(self) -> str:
        facts = self.facts
        if facts.decisions is None:
            return ""
        shares = facts.decisions.shares
        if facts.output is not None:
            what = "f" if facts.plane.n_outputs == 1 else f"Output {self.classes[facts.output]}"
            return f" {what} is positive {_where(shares[1])}."
        order = [k for k in np.argsort(-shares, kind="stable").tolist() if shares[k] > 0]
        said = ", ".join(f"{self.classes[k]} on {_percent(shares[k])}" for k in order[:4])
        return f" Winning class: {said}{f' and {len(order) - 4} more' if len(order) > 4 else ''}."


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _where(share: float) -> str:
    return "nowhere in it" if share == 0 else "throughout it" if share > 1 - 1e-12 else f"on {_percent(share)} of it"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"


def _signed(value: float) -> str:
    return number(float(value)).replace("-", "−")


def _class_rgba(winner: NDArray[np.int64]) -> NDArray[np.uint8]:
    table = np.array([to_rgba(colour, OPACITY) for colour in CLASS_COLOURS])
    return np.round(255 * table[winner % len(table)]).astype(np.uint8)


def _value_rgba(values: Floats, top: float) -> NDArray[np.uint8]:
    """Blue above zero, orange below, the stronger the further; nothing is no colour, on light and on dark paper."""
    rgba = np.where((values > 0)[..., None], to_rgba(PIXEL_COLOURS[1]), to_rgba(PIXEL_COLOURS[-1]))
    rgba[..., 3] = np.abs(values) / top
    return np.round(255 * rgba).astype(np.uint8)


def _strokes(ends: Floats) -> tuple[Floats, Floats]:
    """Segments (n, 2, 2) as one line with gaps."""
    gap = np.full((len(ends), 1), np.nan)
    return tuple(np.hstack([ends[:, :, axis], gap]).ravel() for axis in range(2))
