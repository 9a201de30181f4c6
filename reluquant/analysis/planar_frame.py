"""Integer coordinates about a convex region of the plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.predicates import common_integers
from reluquant.structures.arrays import Floats

# A line u x + v y + w = 0, as three integers.
Line = tuple[int, int, int]


class Frame:
    """Coordinates about a point of the region, in which the region has size about 1, exactly.

    Parameters
    ----------
    region : ndarray, shape (k, 2)
        Corners of a convex polygon, counterclockwise.
    """

    def __init__(self, region: Floats) -> None:
        # Halves: a sum of two corners may leave float64.
        self.origin = region.min(axis=0) / 2 + region.max(axis=0) / 2
        numbers, exponent = common_integers(np.concatenate([self.origin[None], region]).ravel())
        x, y = numbers[0], numbers[1]
        corners = [(p - x, q - y) for p, q in zip(numbers[2::2], numbers[3::2], strict=True)]
        bits = max(abs(p).bit_length() for corner in corners for p in corner)
        # A point (p, q) of the frame is origin + 2**scale (p, q), and a corner is 2**-bits times its integers.
        self.scale, self._bits, self._exponent = exponent + bits, bits, exponent
        self._origin, self._corners = (x, y), corners
        self.corners = np.array([[p / (1 << bits) for p in corner] for corner in corners])

    def edges(self) -> list[Line]:
        """Return the lines of the edges: from corner i to i + 1, positive inside."""
        following = [*self._corners[1:], self._corners[0]]
        pairs = zip(self._corners, following, strict=True)
        # In integers the corner is 2**bits larger, so the constant is too, twice.
        return [
            ((p[1] - q[1]) << self._bits, (q[0] - p[0]) << self._bits, p[0] * q[1] - p[1] * q[0]) for p, q in pairs
        ]

    def lines(self, normals: NDArray[np.object_]) -> list[Line]:
        """Return lines u x + v y + w = 0, rows (u, v, w) of integers, in these coordinates."""
        low, step = min(self._exponent, 0), self.scale
        x, y = self._origin
        lines = []
        for u, v, w in normals.tolist():
            # u (origin + 2**scale p) + ..., times what makes all of it integers.
            constant = (w << -low) + (u * x + v * y << self._exponent - low)
            power = step - low
            lines.append((u << power, v << power, constant) if power >= 0 else (u, v, constant << -power))
        return lines

    def at_corner(self, line: Line, c: int) -> int:
        """Return an integer with the sign of a line of these coordinates at corner c."""
        p, q = self._corners[c]
        return line[0] * p + line[1] * q + (line[2] << self._bits)

    def outside(self, points: Floats) -> Floats:
        """Return points of the frame in the plane, rounded."""
        return np.ldexp(points, self.scale) + self.origin
