"""A data point as a small picture: of pixels if its features fill a square, else as a profile of bars."""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.views.scene import Area, Line, Mark, Raster

# Four features, as of a flower, are no picture.
SMALLEST_PICTURE = 16
# What is least and most of an image is paper and ink; a little paper is left in the ink, so that marks stand out.
_PAPER, _INK = 255, 20


def picture_shape(n_features: int) -> tuple[int, int]:
    """Return rows and columns of a picture: a square if there are enough features for one, else one row of bars.

    Examples
    --------
    >>> from reluquant.views.image_marks import picture_shape
    >>> picture_shape(784), picture_shape(13), picture_shape(4)
    ((28, 28), (1, 13), (1, 4))
    """
    side = math.isqrt(n_features)
    return (side, side) if side * side == n_features >= SMALLEST_PICTURE else (1, n_features)


def image_marks(
    values: Floats, shape: tuple[int, int], ends: tuple[float, float], box: tuple[float, float, float]
) -> tuple[Mark, ...]:
    """Return a data point as marks.

    Parameters
    ----------
    values : ndarray, shape (n_features,)
        The point.
    shape : (int, int)
        Rows and columns; one row is drawn as bars.
    ends : (float, float)
        The values that are paper and ink, or the lowest and the highest bar; beyond them nothing changes.
    box : (float, float, float)
        Left, bottom and side of a square in data coordinates.

    Returns
    -------
    tuple of marks
    """
    left, bottom, side = box
    low, high = ends
    share = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    frame = Line(
        np.array([0, 1, 1, 0, 0]) * side + left, np.array([0, 0, 1, 1, 0]) * side + bottom, "muted", 1.0, opacity=0.8
    )
    rows, columns = shape
    if rows > 1:
        grey = np.round(_PAPER + (_INK - _PAPER) * share).astype(np.uint8).reshape(rows, columns)
        rgba = np.dstack([grey, grey, grey, np.full_like(grey, 255)])
        # Each pixel as a block of its own: a page would smooth a small picture that it enlarges.
        block = max(1, round(140 / max(rows, columns)))
        rgba = np.repeat(np.repeat(rgba, block, axis=0), block, axis=1)
        # Pixels are square: a picture that is not lies in the middle.
        across, up = side * columns / max(shape), side * rows / max(shape)
        x, y = left + (side - across) / 2, bottom + (side - up) / 2
        return Raster(rgba, (x, x + across), (y, y + up)), frame
    zero = float(np.clip((0.0 - low) / ((high - low) or 1.0), 0.0, 1.0))
    steps = np.repeat(share, 2)
    x = left + side * np.repeat(np.arange(columns + 1), 2)[1:-1] / columns
    outline = np.column_stack([np.r_[x[0], x, x[-1]], bottom + side * np.r_[zero, steps, zero]])
    ground = Line([left, left + side], [bottom + side * zero] * 2, "muted", 1.0)
    return Area((outline,), "ink", 0.75), ground, frame
