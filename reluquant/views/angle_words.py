"""Angles in words."""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.arrays import Floats

# Angles that look the same when they are written.
SAME = math.radians(0.05)


def written(angle: float) -> str:
    """Write an angle in degrees, from −180° to 180°.

    Examples
    --------
    >>> import math
    >>> from reluquant.views.angle_words import written
    >>> written(math.pi / 4), written(-math.pi / 2)
    ('45.0°', '−90.0°')
    """
    return f"{math.degrees((angle + math.pi) % math.tau - math.pi):.1f}°".replace("-", "−")


def arc(angle: Floats) -> str:
    """Write the shortest arc that holds some angles, at least one, in radians.

    Examples
    --------
    >>> import numpy as np
    >>> from reluquant.views.angle_words import arc
    >>> arc(np.radians([170.0, -170.0, 180.0]))
    'at 170.0° to −170.0°'
    """
    turns = np.unique(np.asarray(angle, dtype=float) % math.tau)
    gaps = np.diff(np.append(turns, turns[0] + math.tau))
    widest = int(np.argmax(gaps))
    if gaps[widest] < math.pi:
        return "all around"
    start, end = float(turns[(widest + 1) % turns.size]), float(turns[widest])
    return f"at {written(start)}" if (end - start) % math.tau < SAME else f"at {written(start)} to {written(end)}"
