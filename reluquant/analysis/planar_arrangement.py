"""The cells into which lines cut a convex polygon, decided exactly.

Two lines meet inside where their ends alternate around the region, and all else is known once the meeting points are in
order along every line. A meeting point is known as its two lines: where floats leave the order of two of them open, or
whether they are one, Fractions decide. Only where a vertex is drawn is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.planar_frame import Frame, Line
from reluquant.analysis.predicates import Signs
from reluquant.kernels.planar_faces import link, walk
from reluquant.structures.arrays import Floats

Ints = NDArray[np.int64]

# Each of three factors is rounded once, and so are two products and three sums: 4 eps of the terms, and as much again.
_FILTER = 8 * np.finfo(np.float64).eps
# Factors are scaled to about 1. Products below this may have lost bits to underflow: integers decide.
_TINY = 2.0**-900
# Vertices that floats give less exactly, relative to the size of the region, are computed from integers.
_SHARP = 256 * np.finfo(np.float64).eps
# Two such vertices may be in either order along a line if they are closer than twice that, and a rounding or two.
_CLOSE = 3 * _SHARP


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cells of an arrangement in a frame; all but the first are told by how they differ from one before.

    Parameters
    ----------
    starts, corners : ndarray of int
        Cell i has the vertices ``corners[starts[i]:starts[i + 1]]``, counterclockwise.
    vertices : ndarray, shape (n_vertices, 2)
        In the frame, rounded.
    first : ndarray of bool, shape (n_lines,)
        Whether cell 0 is on the positive side of each line.
    parent, line : ndarray of int, shape (n_cells,)
        Cell i is next to that cell, which is before it, beyond that line; -1 for cell 0.
    positive : ndarray of bool, shape (n_cells,)
        Whether cell i is on the positive side of that line.
    """

    starts: Ints
    corners: Ints
    vertices: Floats
    first: NDArray[np.bool_]
    parent: Ints
    line: Ints
    positive: NDArray[np.bool_]


class PlanarArrangement:
    """Different lines across a convex polygon.

    Attributes
    ----------
    chosen : ndarray of int, shape (n_cutting,)
        The lines through the interior of the region, sorted by where they begin on its boundary; the others do nothing.
    """

    def __init__(self, frame: Frame, lines: list[Line]) -> None:
        self._frame, k = frame, len(frame.corners)
        # Edges are lines too.
        self._exact = [*frame.edges(), *lines]
        self._floats = np.array([_rounded(line) for line in self._exact])
        # Vertices: two of their lines, and where they are.
        self._pairs, self._places, self._n = np.empty((64, 2), np.int64), np.empty((64, 2)), 0
        self._sides = self._sides_of_corners(k + np.arange(len(lines)))
        cutting = np.flatnonzero((self._sides > 0).any(axis=1) & (self._sides < 0).any(axis=1))
        ends, positive = self._around(cutting)
        order = np.lexsort(ends.T[::-1])
        # Lines run from the end that comes first on the way around the region.
        self._begin, self._end = ends[order].T
        self._right_is_positive = positive[order]
        self._n_boundary = self._n
        self.chosen = cutting[order]
        self._chains: list[Ints] | None = None

    def n_meetings(self) -> int:
        """Return how many pairs of lines meet inside."""
        return sum(self._met_first(i).size for i in range(self.chosen.size))

    def n_cells(self) -> int:
        """Return the number of cells, by Euler's formula."""
        inside = sum(chain.size - 2 for chain in self._woven())
        return 1 + self.chosen.size + inside - (self._n - self._n_boundary)

    def segments(self) -> Floats:
        """Return both ends of each chosen line, shape (n_cutting, 2, 2)."""
        return self._places[np.column_stack([self._begin, self._end])]

    def cells(self) -> Cells:
        """Return the cells."""
        chains = self._woven()
        lengths = np.array([chain.size for chain in chains], dtype=np.int64)
        chain = np.concatenate([np.zeros(0, np.int64), *chains])
        following, origins = link(
            chain, np.r_[0, np.cumsum(lengths)], self._n, self._n_boundary, *self._inward(lengths)
        )
        owner = np.repeat(np.arange(lengths.size), lengths - 1)
        starts, corners, parent, line, to_the_right = walk(following, origins, owner)
        first = (self._sides > 0).any(axis=1)
        # The first cell follows vertex 0 around the region: it is right of the lines that begin there, left of others.
        first[self.chosen] = self._right_is_positive == (self._begin == 0)
        positive = np.zeros(line.size, dtype=bool)
        positive[1:] = to_the_right[1:] == self._right_is_positive[line[1:]]
        line[1:] = self.chosen[line[1:]]
        return Cells(starts, corners, self._places[: self._n], first, parent, line, positive)

    def _sides_of_corners(self, lines: Ints) -> Signs:
        """Return on which side of lines the corners of the region are, shape (n_lines, k); exact."""
        corners = self._frame.corners
        terms = self._floats[lines][:, None, :] * np.column_stack([corners, np.ones(len(corners))])
        value, size = terms.sum(axis=2), np.abs(terms).sum(axis=2)
        sides = np.sign(value).astype(np.int8)
        for i, c in np.argwhere(np.abs(value) <= _FILTER * size + _TINY).tolist():
            sides[i, c] = _sign(self._frame.at_corner(self._exact[lines[i]], c))
        return sides

    def _around(self, cutting: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """Add the vertices on the boundary, counterclockwise.

        Return the first and the second at which each line meets it, and whether the line is positive between them.
        """
        k = len(self._frame.corners)
        sides = self._sides[cutting]
        ends, n_ends = np.empty((cutting.size, 2), np.int64), np.zeros(cutting.size, np.int64)
        positive = np.empty(cutting.size, dtype=bool)
        for c in range(k):
            following = sides[:, (c + 1) % k]
            corner = self._add(np.array([(c - 1) % k]), np.array([c]), self._frame.corners[[c]])
            through = np.flatnonzero(sides[:, c] == 0)
            crossing = np.flatnonzero(sides[:, c] * following < 0)
            edge = np.full(crossing.size, c)
            places = self._meets(edge, k + cutting[crossing])
            # The edge has the region on its positive side, which is on the right of a line's own direction.
            order, new = self._along(c, -1, edge, k + cutting[crossing], places)
            crossing = crossing[order]
            on_edge = self._add(edge[new], k + cutting[crossing[new]], places[order][new])
            for hit, vertex in (through, corner[np.zeros(through.size, int)]), (crossing, on_edge[np.cumsum(new) - 1]):
                positive[hit] = np.where(n_ends[hit] == 0, following[hit] > 0, positive[hit])
                ends[hit, n_ends[hit]] = vertex
                n_ends[hit] += 1
        return ends, positive

    def _met_first(self, i: int) -> Ints:
        """Return the lines after line i that meet it inside: their ends and its own alternate."""
        low, high = np.searchsorted(self._begin, self._begin[i], "right"), np.searchsorted(self._begin, self._end[i])
        return low + np.flatnonzero(self._end[low:high] > self._end[i])

    def _woven(self) -> list[Ints]:
        """Return the vertices along every line, adding those inside."""
        if self._chains is None:
            n, k = self.chosen.size, len(self._frame.corners)
            # The vertex where two lines meet, once it is known.
            meeting = np.full((n, n), -1, np.int32)
            self._chains = [self._chain(i, meeting, k + self.chosen) for i in range(n)]
        return self._chains

    def _chain(self, i: int, meeting: NDArray[np.int32], lines: Ints) -> Ints:
        """Return the vertices along line i; ``meeting`` knows those with lines before it, and learns all others."""
        row = meeting[i]
        known = np.unique(row[row >= 0])
        others = self._met_first(i)
        # All lines through a vertex are found on the first of them.
        others = others[row[others] < 0]
        p = np.r_[self._pairs[known, 0], np.full(others.size, lines[i])]
        q = np.r_[self._pairs[known, 1], lines[others]]
        places = np.concatenate([self._places[known], self._meets(p[known.size :], q[known.size :])])
        order, different = self._along(lines[i], 1 if self._right_is_positive[i] else -1, p, q, places)
        vertex, line = (np.r_[known, np.full(others.size, -1)][order], np.r_[np.full(known.size, -1), others][order])
        new = vertex < 0
        fresh = order[new & different]
        # No vertex that is known equals one that is not, so equal ones follow each other among the new.
        vertex[new] = self._add(p[fresh], q[fresh], places[fresh])[np.cumsum(different[new]) - 1]
        met = line[new]
        meeting[met, i] = vertex[new]
        if fresh.size < met.size:
            for together in np.split(met, np.flatnonzero(different[new])[1:]):
                meeting[np.ix_(together, together)] = meeting[together[0], i]
        return np.concatenate([self._begin[[i]], vertex[different], self._end[[i]]])

    def _along(self, line: int, direction: int, p: Ints, q: Ints, places: Floats) -> tuple[Ints, NDArray[np.bool_]]:
        """Sort vertices, the meeting points of lines p and q, on a line that has its positive side on the right.

        Return their order, and which of them, in this order, is not the one before it. Exact.
        """
        u, v, _ = self._floats[line]
        t = direction * (u * places[:, 1] - v * places[:, 0])
        order = np.argsort(t, kind="stable")
        t = t[order]
        different = np.ones(t.size, dtype=bool)
        close = np.diff(t) <= _CLOSE * (abs(u) + abs(v))
        for run in np.split(np.arange(t.size), np.flatnonzero(~close) + 1) if close.any() else ():
            if run.size > 1:
                exact = {j: direction * self._position(line, p[j], q[j]) for j in order[run].tolist()}
                order[run] = sorted(exact, key=exact.__getitem__)
                different[run[1:]] = [exact[j] != exact[i] for i, j in pairwise(order[run].tolist())]
        return order, different

    def _position(self, line: int, p: int, q: int) -> Fraction:
        u, v, _ = self._exact[line]
        x, y, z = _minors(self._exact[p], self._exact[q])
        return Fraction(u * y - v * x, z)

    def _meets(self, p: Ints, q: Ints) -> Floats:
        """Return the points where lines p and q meet, rounded."""
        first, second = self._floats[p], self._floats[q]
        i, j = [1, 2, 0], [2, 0, 1]
        plus, minus = first[:, i] * second[:, j], first[:, j] * second[:, i]
        meets, sizes = plus - minus, _FILTER * (np.abs(plus) + np.abs(minus))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            places = meets[:, :2] / meets[:, 2:]
            # Of lines that are nearly one, the divisor may have rounded to zero or to the other sign.
            divisor = np.abs(meets[:, 2:]) - sizes[:, 2:]
            error = (sizes[:, :2] + np.abs(places) * sizes[:, 2:]) / divisor
            clear = (divisor[:, 0] > _TINY) & (error <= _SHARP).all(axis=1)
        for k in np.flatnonzero(~clear):
            x, y, z = _minors(self._exact[p[k]], self._exact[q[k]])
            places[k] = x / z, y / z
        return places

    def _add(self, p: Ints, q: Ints, places: Floats) -> Ints:
        """Add vertices and return their numbers."""
        begin, self._n = self._n, self._n + p.size
        self._pairs, self._places = _room(self._pairs, self._n), _room(self._places, self._n)
        self._pairs[begin : self._n] = np.column_stack([p, q])
        self._places[begin : self._n] = places
        return np.arange(begin, self._n)

    def _inward(self, lengths: Ints) -> tuple[Ints, Ints]:
        """Return vertices of the boundary and the half-edges that go inside from there, clockwise at each."""
        after = np.cumsum(lengths - 1)
        at, other = np.r_[self._begin, self._end], np.r_[self._end, self._begin]
        half_edge = np.r_[2 * (after - lengths + 1), 2 * after - 1]
        order = np.lexsort([-((other - at) % self._n_boundary), at])
        return at[order], half_edge[order]


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
