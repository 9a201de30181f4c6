"""A training run as a picture: active neurons, what they look for, their masses, and how well the network does."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.views.image_marks import image_marks, picture_shape
from reluquant.views.scene import Area, Dots, Label, Line, Mark, Panel, Scene
from reluquant.views.sentences import number
from reluquant.views.training_moment import MOST_TEMPLATES, TrainingMoment

WIDTH = 944
# Bars of the histogram of masses, and the least span of its axis in powers of ten.
BARS, SPAN = 40, 4.0
# The first step is long after time 0 on a logarithmic axis; so far left of it is time 0 drawn.
LEFT = 0.15


def training_scene(moments: Sequence[TrainingMoment], chosen: int, *, n_classes: int = 0) -> Scene:
    """Return the picture of one of several moments.

    Parameters
    ----------
    moments : sequence of TrainingMoment
        In order of time, one at least.
    chosen : int
        Which one is shown; curves show all.
    n_classes : int
        For the line of chance; 0 where there are no classes.

    Returns
    -------
    Scene
    """
    moment = moments[chosen]
    place = _places(moments)
    return Scene(
        (
            (_templates(moment),),
            (_masses(moments, moment), _counts(moments, place, chosen), _scores(moments, place, chosen, n_classes)),
        ),
        training_in_words(moment),
    )


def training_in_words(moment: TrainingMoment) -> str:
    """Say what is seen."""
    said = (
        f"Step {moment.step:,}, t = {number(moment.t)}: {moment.n_active} of {moment.log_mass.size} neurons are active,"
        f" in {moment.n_directions} {'direction' if moment.n_directions == 1 else 'directions'};"
        f" loss {number(moment.loss)}"
    )
    scores = (("training", moment.train_accuracy), ("test", moment.test_accuracy))
    known = [f"{value:.1%} of the {name} images told rightly" for name, value in scores if not math.isnan(value)]
    return f"{', '.join([said, *known])}."


def _templates(moment: TrainingMoment) -> Panel:
    marks: list[Mark] = []
    side = 0.86
    for i, (template, share, size) in enumerate(zip(moment.templates, moment.shares, moment.sizes, strict=True)):
        reach = float(np.abs(template).max()) or 1.0
        shape = picture_shape(template.size)
        marks += image_marks(template, shape, (-reach, reach), (i + (1 - side) / 2, 0.22, side))
        noun = "neuron" if size == 1 else "neurons"
        marks.append(Label(i + 0.5, 0.08, f"{share:.0%}, {size} {noun}", size=11.0))
    if not len(moment.templates):
        marks.append(Label(MOST_TEMPLATES / 2, 0.5, "No neuron is active.", size=13.0))
    return Panel(
        "templates", (0.0, float(MOST_TEMPLATES)), (0.0, 1.15), tuple(marks), width=WIDTH, height=126, axes=False,
        title="What the heaviest directions look for: dark raises, light lowers; their share of the mass",
        summary="Weights of the heaviest directions as pictures",
    )  # fmt: skip


def _masses(moments: Sequence[TrainingMoment], moment: TrainingMoment) -> Panel:
    low = min(float(m.log_mass.min()) for m in moments)
    high = max(float(m.log_mass.max()) for m in moments)
    low, high = min(low, high - SPAN) - 0.3, high + 0.3
    counts, edges = np.histogram(moment.log_mass, bins=BARS, range=(low, high))
    top = 1.12 * max(int(counts.max()), 1)
    bars = {True: [], False: []}
    for left, right, count in zip(edges, edges[1:], counts, strict=False):
        if count:
            bars[bool(left >= moment.threshold)].append(_box(left, right, count))
    marks = (
        Area(tuple(bars[False]), "muted", 0.6, label="others"),
        Area(tuple(bars[True]), "positive", 0.8, label="active"),
        Line(np.full(2, moment.threshold), np.array([0.0, top]), "ink", 1.0, dashed=True),
    )
    return Panel(
        "masses", (low, high), (0.0, top), marks, width=WIDTH // 3, height=220, x_label="log₁₀ of a neuron's mass",
        title="neurons by mass", summary="How many neurons have which mass, active ones beside the others",
    )  # fmt: skip


def _counts(moments: Sequence[TrainingMoment], place: Floats, chosen: int) -> Panel:
    active = np.array([m.n_active for m in moments], dtype=float)
    directions = np.array([m.n_directions for m in moments], dtype=float)
    top = 1.12 * max(float(active.max()), 1.0)
    marks = (
        Line(np.full(2, place[chosen]), np.array([0.0, top]), "interpolant", 1.5),
        Line(place, active, "ink", 2.5, label="active neurons"),
        Line(place, directions, "positive", 1.6, dashed=True, label="their directions"),
        Dots(place[[chosen]], active[[chosen]], "ink", 60.0),
    )
    return _over_time("counts", moments, place, (0.0, top), marks, "active neurons")


def _scores(moments: Sequence[TrainingMoment], place: Floats, chosen: int, n_classes: int) -> Panel:
    first = max(m.loss for m in moments)
    marks: list[Mark] = [Line(np.full(2, place[chosen]), np.array([0.0, 1.08]), "interpolant", 1.5)]
    if n_classes > 1:
        marks.append(Line(place[[0, -1]], np.full(2, 1 / n_classes), "muted", 1.0, dashed=True))
    marks.append(Line(place, np.array([m.loss for m in moments]) / first, "ink", 2.5, label="loss / largest loss"))
    series = (
        ("positive", "training accuracy", [m.train_accuracy for m in moments]),
        ("negative", "test accuracy", [m.test_accuracy for m in moments]),
    )
    for colour, label, values in series:
        if not np.isnan(values).all():
            marks.append(Line(place, np.array(values), colour, 1.8, dashed=colour == "negative", label=label))
    return _over_time("scores", moments, place, (0.0, 1.08), tuple(marks), "loss and accuracy")


def _over_time(
    name: str, moments: Sequence[TrainingMoment], place: Floats, ends: tuple[float, float], marks: tuple, title: str
) -> Panel:
    low, high = float(place[0]), max(float(place[-1]), float(place[0]) + 1.0)
    decades = range(math.ceil(low), math.floor(high) + 1)
    every = max(1, len(decades) // 5)
    ticks = {float(d): f"1e{d}".replace("1e0", "1") for d in decades if d % every == 0}
    return Panel(
        name, (low, high), ends, marks, width=WIDTH // 3, height=220, x_label="t", x_ticks=ticks, title=title,
        summary=f"{title} over the logarithm of time", clickable=True,
    )  # fmt: skip


def _places(moments: Sequence[TrainingMoment]) -> Floats:
    """Decimal logarithms of the times; time 0 a little left of the first step."""
    later = [m.t for m in moments if m.t > 0]
    first = math.log10(later[0]) - LEFT if later else 0.0
    return np.array([math.log10(m.t) if m.t > 0 else first for m in moments])


def _box(left: float, right: float, top: float) -> Floats:
    return np.array([[left, 0.0], [right, 0.0], [right, top], [left, top]])
