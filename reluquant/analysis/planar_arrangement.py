"""The cells into which lines cut a convex polygon, decided exactly.

A vertex is the meeting point of two lines, and is known as that: its side of a third line is the sign of a determinant
of three rows of three, over that of two of two. Floats decide where they are sure, integers elsewhere.
Only where a vertex is drawn is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.predicates import Signs, common_integers
from reluquant.kernels.polygons import cut
from reluquant.structures.arrays import Floats

Ints = NDArray[np.int64]
# A line u x + v y + w = 0, as three integers.
Line = tuple[int, int, int]

# Each of three factors is rounded once, and so are two products and three sums: 4 eps of the terms, and as much again.
_FILTER = 8 * np.finfo(np.float64).eps
# Factors are scaled to about 1. Products below this may have lost bits to underflow: integers decide.
_TINY = 2.0**-900
# Vertices that floats give less exactly, relative to the size of the region, are computed from integers.
_SHARP = 256 * np.finfo(np.float64).eps


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

    def outside(self, points: Floats) -> Floats:
        """Return points of the frame in the plane, rounded."""
        return np.ldexp(points, self.scale) + self.origin


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells of an arrangement in a frame.

    Parameters
    ----------
    starts, corners : ndarray of int
        Cell i has the vertices ``corners[starts[i]:starts[i + 1]]``, counterclockwise.
    vertices : ndarray, shape (n_vertices, 2)
        In the frame, rounded.
    positive : ndarray of bool, shape (n_cells, n_lines)
        On which side of each line that was cut along each cell is.
    cutting : ndarray of bool, shape (n_lines,)
        Whether the line runs through the interior of the region.
    side_of_region : ndarray of int8, shape (n_lines,)
        For the other lines: on which side the region is.
    segments : ndarray, shape (n_lines, 2, 2)
        Both ends of each line in the region; NaN for the other lines.
    """

    starts: Ints
    corners: Ints
    vertices: Floats
    positive: NDArray[np.bool_]
    cutting: NDArray[np.bool_]
    side_of_region: Signs
    segments: Floats


class PlanarArrangement:
    """A convex polygon that is cut by one line after another."""

    def __init__(self, frame: Frame, lines: list[Line]) -> None:
        k = len(frame.corners)
        self._k, self._frame = k, frame
        self._exact = [*frame.edges(), *lines]
        self._floats = np.array([_rounded(line) for line in self._exact])
        # Vertices: their two lines, and in floats the point (X, Y, Z) where they meet, with the sums of what it is
        # made of. Corner i is where edges i - 1 and i meet.
        self._pairs, self._n = np.empty((64, 2), np.int64), 0
        self._meets, self._sizes = np.empty((64, 3)), np.empty((64, 3))
        self._add(np.roll(np.arange(k), 1), np.arange(k))
        self._starts, self._corners, self._lines = np.array([0, k]), np.arange(k), np.arange(k)
        self._positive = np.zeros((1, len(lines)), dtype=bool)
        self._ends: list[tuple[int, int] | None] = [None] * len(lines)
        self._sides = np.zeros(len(lines), dtype=np.int8)
        self._space = np.empty(len(self._exact), np.int64)

    @property
    def n_cells(self) -> int:
        """Number of cells so far."""
        return self._starts.size - 1

    def cut(self, i: int) -> None:
        """Cut along line i."""
        line = self._k + i
        corner_sides = self._side(line, slice(0, self._k))
        if abs(corner_sides.sum()) == np.count_nonzero(corner_sides):
            # All corners on one side, or on the line.
            self._sides[i] = np.sign(corner_sides.sum())
            self._positive[: self.n_cells, i] = self._sides[i] > 0
            return
        side = self._side(line, slice(0, self._n))
        before = self.n_cells
        self._starts, self._corners, self._lines, parent, positive, crossed = cut(
            self._starts, self._corners, self._lines, side, line, self._n, self._space
        )
        on_line = np.r_[np.flatnonzero(side == 0), self._n + np.arange(crossed.size)]
        self._add(crossed, np.full(crossed.size, line))
        self._positive = _room(self._positive, self.n_cells)
        self._positive[before : self.n_cells] = self._positive[parent]
        self._positive[: self.n_cells, i] = positive
        u, v, _ = self._floats[line]
        along = self._places(on_line) @ [-v, u]
        self._ends[i] = int(on_line[np.argmin(along)]), int(on_line[np.argmax(along)])

    def cells(self) -> Cells:
        """Return the cells, with their vertices rounded."""
        vertices = self._places(np.arange(self._n))
        segments = np.full((len(self._ends), 2, 2), np.nan)
        for i, ends in enumerate(self._ends):
            if ends is not None:
                segments[i] = vertices[list(ends)]
        cutting = np.array([ends is not None for ends in self._ends], dtype=bool)
        positive = self._positive[: self.n_cells].copy()
        return Cells(self._starts, self._corners, vertices, positive, cutting, self._sides, segments)

    def _add(self, p: Ints, q: Ints) -> None:
        """Add the points where lines p and q meet, turned so that Z > 0."""
        n = self._n + p.size
        self._pairs, self._meets, self._sizes = (_room(old, n) for old in (self._pairs, self._meets, self._sizes))
        first, second = self._floats[p], self._floats[q]
        i, j = [1, 2, 0], [2, 0, 1]
        plus, minus = first[:, i] * second[:, j], first[:, j] * second[:, i]
        meets, sizes = plus - minus, np.abs(plus) + np.abs(minus)
        sign = np.sign(meets[:, 2])
        for row in np.flatnonzero(np.abs(meets[:, 2]) <= _FILTER * sizes[:, 2] + _TINY):
            sign[row] = _sign(_minors(self._exact[p[row]], self._exact[q[row]])[2])
        turned = sign < 0
        self._pairs[self._n : n] = np.where(turned[:, None], np.column_stack([q, p]), np.column_stack([p, q]))
        self._meets[self._n : n] = np.where(turned[:, None], -meets, meets)
        self._sizes[self._n : n] = sizes
        self._n = n

    def _side(self, line: int, chosen: slice) -> Signs:
        """Return on which side of a line vertices are; exact."""
        coefficients = self._floats[line]
        value = self._meets[chosen] @ coefficients
        size = self._sizes[chosen] @ np.abs(coefficients)
        side = np.sign(value).astype(np.int8)
        for v in np.flatnonzero(np.abs(value) <= _FILTER * size + _TINY):
            p, q = self._pairs[v]
            minors = _minors(self._exact[p], self._exact[q])
            side[v] = _sign(sum(m * c for m, c in zip(minors, self._exact[line], strict=True)))
        return side

    def _places(self, chosen: Ints) -> Floats:
        """Return vertices, rounded."""
        meets, sizes = self._meets[chosen], self._sizes[chosen]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            places = meets[:, :2] / meets[:, 2:]
            # Of lines that are nearly one, Z may have rounded to zero or to the other sign.
            error = (sizes[:, :2] + np.abs(places) * sizes[:, 2:]) / np.abs(meets[:, 2:]) * _FILTER
            unclear = ~(error <= _SHARP).all(axis=1)
        for v in np.flatnonzero(unclear):
            p, q = self._pairs[chosen[v]]
            x, y, z = _minors(self._exact[p], self._exact[q])
            places[v] = x / z, y / z
        given = chosen < self._k
        places[given] = self._frame.corners[chosen[given]]
        return places


def _minors(p: Line, q: Line) -> Line:
    return p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _rounded(line: Line) -> tuple[float, float, float]:
    # Division of integers rounds once, whatever their size.
    unit = 1 << max(abs(x).bit_length() for x in line)
    return line[0] / unit, line[1] / unit, line[2] / unit


def _room(rows: np.ndarray, n: int) -> np.ndarray:
    if n <= len(rows):
        return rows
    longer = np.empty((max(n, 2 * len(rows)), *rows.shape[1:]), dtype=rows.dtype)
    longer[: len(rows)] = rows
    return longer
