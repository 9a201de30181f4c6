"""What mouse and keys do to the samples and the neurons of the sector explorer."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.views.function_view import Window
from reluquant.views.sector_facts import SectorFacts
from reluquant.views.sector_scene import neuron_of, sample_of
from reluquant.views.sphere_scene import from_screen

# The events that change something that is held.
MOVES = ("drag", "drop", "nudge", "delete")
# Dragged numbers are rounded to this share of the panel, dropped neurons to tenths of a degree.
DIGITS = 3
# Radians for each unit of the circle panel, so that an arrow key turns a neuron by a degree.
NUDGE = math.radians(1.0) / 0.0216

# Inputs and residuals, which may be newer than the facts that are drawn.
Samples = tuple[Floats, Floats]
Neurons = tuple[tuple[float, ...], ...]
Turn = tuple[float, float]


def added_sample(samples: Samples, shown: Window, x: float, y: float) -> Samples:
    """Return the samples with a new one at a place of the data panel."""
    X, r = samples
    x, y = _rounded(shown, x, y)
    # In the plane of inputs the place says nothing of the residual.
    new, force = ([x], y) if X.shape[1] == 1 else ([x, y], float(np.max(np.abs(r), initial=0.0)))
    return np.vstack([X, new]), np.append(r, force)


def moved_sample(facts: SectorFacts, samples: Samples, shown: Window, event: Mapping[str, object]) -> Samples:
    """Return the samples after one was moved or deleted; as they are if the event is older than they.

    Raises
    ------
    ValueError
        If it was the last one.
    """
    X, r = samples[0].copy(), samples[1].copy()
    if r.size != facts.residual.size:
        return X, r
    k = sample_of(facts, str(event["name"]), int(event["index"]))
    if event["event"] == "delete":
        if r.size == 1:
            raise ValueError("One sample must stay: without data there is nothing that neurons could turn to.")
        return np.delete(X, k, axis=0), np.delete(r, k)
    x, y = np.append(X[k], r[k])[:2]
    if event["event"] == "nudge":
        x, y = x + float(event["dx"]), y + float(event["dy"])
    else:
        x, y = float(event["x"]), float(event["y"])
    x, y = _rounded(shown, x, y)
    if facts.on_line:
        X[k], r[k] = x, y
    else:
        X[k] = x, y
    return X, r


def moved_neuron(facts: SectorFacts, neurons: Neurons, turn: Turn, event: Mapping[str, object]) -> Neurons:
    """Return the neurons after the start of one was moved or deleted; as they are if the event is older than they."""
    if len(neurons) != facts.signs.size:
        return neurons
    j = neuron_of(facts, str(event["name"]), int(event["index"]))
    *weights, sign = neurons[j]
    if event["event"] == "delete":
        return neurons[:j] + neurons[j + 1 :]
    if event["event"] == "nudge":
        new = _nudged(facts.on_circle, np.array(weights), float(event["dx"]), float(event["dy"]), turn)
    else:
        new = direction_at(facts.on_circle, float(event["x"]), float(event["y"]), turn)
    return neurons if new is None else (*neurons[:j], (*new, sign), *neurons[j + 1 :])


def direction_at(on_circle: bool, x: float, y: float, turn: Turn) -> tuple[float, ...] | None:
    """The direction at a place of the panel; none at the circle's middle, or beside the sphere."""
    if on_circle:
        return None if x == y == 0 else at_angle(round(math.degrees(math.atan2(y, x)), 1))
    seen = from_screen(x, y, turn)
    return None if seen is None else tuple(np.round(seen, DIGITS).tolist())


def at_angle(degrees: float) -> tuple[float, float]:
    """The direction at an angle."""
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def _nudged(on_circle: bool, w: Floats, dx: float, dy: float, turn: Turn) -> tuple[float, ...] | None:
    if on_circle:
        angle = math.atan2(w[1], w[0]) + NUDGE * (dx + dy)
        return direction_at(on_circle, math.cos(angle), math.sin(angle), turn)
    right, up = from_screen(1.0, 0.0, turn), from_screen(0.0, 1.0, turn)
    return tuple((w / np.linalg.norm(w) + dx * right + dy * up).tolist())


def _rounded(shown: Window, x: float, y: float) -> tuple[float, float]:
    spans = shown.right - shown.left, shown.top - shown.bottom
    digits = [DIGITS - math.floor(math.log10(span)) for span in spans]
    return round(x, digits[0]), round(y, digits[1])
