"""Critical directions as marks: a shape says the kind, a colour and a side the sign; and what they are in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.structures.arrays import Floats
from reluquant.views.function_scene import RELATION, SIGN_NAMES
from reluquant.views.scene import Dots
from reluquant.views.sentences import number

# Shape and filling of each kind: what neurons come to is full, what they leave is hollow.
KINDS = {
    "attractor": ("disc", False),
    "semistable": ("diamond", False),
    "saddle": ("square", False),
    "repeller": ("disc", True),
    "neutral": ("square", True),
    "dead": ("cross", True),
}
# Kinds of which a whole cone is at rest.
AT_REST = ("neutral", "dead")
# In square pixels: of a mark, and of the frame around a picked one.
AREA, FRAME_AREA = 115.0, 330.0


def critical_marks(
    directions: Sequence[ExtremalDirection], x: Floats, y: Floats, chosen: np.ndarray, names: Sequence[str]
) -> tuple[Dots, ...]:
    """Return the marks of the chosen directions, one for each kind and sign.

    Parameters
    ----------
    directions : sequence of ExtremalDirection
        All.
    x, y : ndarray, shape (n_directions,)
        Where to draw each.
    chosen : ndarray of bool, shape (n_directions,)
        Which to draw.
    names : sequence of str
        Of the samples.

    Returns
    -------
    tuple of Dots
        Events name them ``positive kind`` or ``negative kind``, by their place among these (:func:`members`).
    """
    marks = []
    for colour in SIGN_NAMES.values():
        for kind, (shape, hollow) in KINDS.items():
            mine = members(directions, f"{colour} {kind}", chosen)
            marks.append(
                Dots(
                    x[mine], y[mine], colour, AREA * (0.6 if shape == "cross" else 1.0), shape, hollow,
                    name=f"{colour} {kind}", titles=tuple(in_words(directions[i], names) for i in mine),
                    label=kind if mine.size else "",
                )
            )  # fmt: skip
    return tuple(mark for mark in marks if mark.x.size)


def picked_marks(x: Floats, y: Floats, picked: int | None) -> tuple[Dots, ...]:
    """A frame around the picked direction, if there is one."""
    if picked is None:
        return ()
    return (Dots(x[[picked]], y[[picked]], "interpolant", FRAME_AREA, "square", True, 0.9, label="picked"),)


def members(directions: Sequence[ExtremalDirection], name: str, chosen: np.ndarray) -> np.ndarray:
    """Return the indices of the chosen directions whose mark has this name."""
    colour, _, kind = name.partition(" ")
    return np.array(
        [i for i, e in enumerate(directions) if chosen[i] and e.kind == kind and SIGN_NAMES[e.sign] == colour],
        dtype=int,
    )


def in_words(e: ExtremalDirection, names: Sequence[str]) -> str:
    """Say what a direction is."""
    kind = f"{e.kind} directions" if e.kind in AT_REST else e.kind
    parts = [f"{kind} of neurons with {RELATION[e.sign]}"]
    if math.isnan(e.angle):
        parts[0] += " along (" + ", ".join(number(v) for v in e.direction) + ")"
    else:
        parts[0] += f" at {math.degrees(e.angle):.1f}°"
    parts.append(f"rate {number(e.rate)}")
    if e.index is not None and e.kind == "saddle":
        parts.append(f"neurons leave in {e.index} direction{'s' if e.index > 1 else ''}")
    if not math.isnan(e.kink) and e.kind not in AT_REST:
        parts.append(f"kink at x = {number(e.kink)}")
    if e.samples:
        shares = ", ".join(
            f"{names[k]} with λ = {share:.3g}" for k, share in zip(e.samples, e.multipliers, strict=True)
        )
        parts.append(f"slides on {shares}")
    if e.basin is not None and e.basin[1] > e.basin[0]:
        parts.append(f"basin from {math.degrees(e.basin[0]):.1f}° to {math.degrees(e.basin[1]):.1f}°")
    return "; ".join(parts).replace("-", "−")
