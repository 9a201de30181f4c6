"""The pieces of a network with two inputs in a convex region."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.arrangement import hyperplanes
from reluquant.analysis.planar_arrangement import Cells, PlanarArrangement
from reluquant.analysis.planar_frame import Frame
from reluquant.analysis.planar_region import planar_region
from reluquant.analysis.predicates import products
from reluquant.kernels.planar_faces import sums
from reluquant.structures.arrays import Floats
from reluquant.structures.planar_pieces import PatternSteps, PlanarPieces
from reluquant.structures.shallow_relu import ShallowReLU

Ints = NDArray[np.int64]

# Lines through the region, of which a square table is held, a gigabyte; and pairs of them that meet, which make a piece
# each, some 200 bytes. That is 6000 lines in all directions.
_MOST_LINES = 2**14
_MOST_MEETINGS = 2**24
_TOO_LARGE = "A slope or value of this network exceeds the float64 range in the region; scale W or a down."


def planar_pieces(
    net: ShallowReLU, region: ArrayLike | None, *, by: Literal["function", "activations"] = "function"
) -> PlanarPieces:
    """Return the pieces of a network of two inputs; see :func:`reluquant.piecewise_linear`."""
    if by not in ("function", "activations"):
        raise ValueError(f"by must be 'function' or 'activations', but it is {by!r}.")
    return _grouped(net, region).found(by)


def kink_segments(net: ShallowReLU, region: ArrayLike | None) -> tuple[Floats, tuple[Ints, ...]]:
    """Return the kinks of a network of two inputs inside a region, which takes much less than its pieces.

    Parameters
    ----------
    net : ShallowReLU
        Two inputs, one output.
    region : array_like
        As in :func:`reluquant.piecewise_linear`.

    Returns
    -------
    segments : ndarray, shape (n_segments, 2, 2)
        Both ends of each, as ``segments`` of the pieces.
    groups : tuple of ndarray of int
        The neurons that bend along each.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.planar_pieces import kink_segments
    >>> net = rq.ShallowReLU([[1.0, 0.0, -0.5], [0.0, 1.0, 3.0]], [1.0, 1.0])
    >>> segments, groups = kink_segments(net, ((0, 1), (0, 1)))
    >>> segments.tolist(), [group.tolist() for group in groups]
    ([[[0.5, 0.0], [0.5, 1.0]]], [[0]])
    """
    return _grouped(net, region).chords()


def _grouped(net: ShallowReLU, region: ArrayLike | None) -> _Pieces:
    if region is None:
        raise ValueError(
            "The pieces of a network of two inputs need a region; give region=((x_low, x_high), (y_low, y_high)) or"
            " the corners (k, 2) of a convex polygon."
        )
    if net.a.ndim == 2 and net.a.shape[1] != 1:
        raise ValueError(
            f"piecewise_linear works for one output so far, but the network has {net.a.shape[1]};"
            " pass ShallowReLU(net.W, net.a[:, i]) for one of them."
        )
    polygon = planar_region(region)
    W = net.W if net.bias else np.column_stack([net.W, np.zeros(net.n_neurons)])
    return _Pieces(W + 0.0, net.a.reshape(-1), polygon)


class _Pieces:
    """Neurons grouped by their lines, and the region."""

    def __init__(self, W: Floats, a: Floats, region: Floats) -> None:
        self.W, self.a, self.region, self.frame = W, a, region, Frame(region)
        self.bends = np.flatnonzero((W[:, :2] != 0).any(axis=1))
        planes = hyperplanes(W[self.bends])
        # Where the first neuron of a group is active is the positive side of its line.
        first = np.unique(planes.plane, return_index=True)[1]
        orientation = planes.sides[first].astype(int)
        self.normals = planes.normals * orientation[:, None]
        self.group, self.along = planes.plane, planes.sides * orientation[planes.plane] > 0
        self.jumps = np.zeros(len(self.normals), dtype=bool)
        members = self._members()
        for g, neurons in enumerate(members):
            # Each neuron bends the function by a |w|, which is as long as its factor.
            jump = sum(Fraction(self.a[self.bends[j]]) * abs(planes.factors[j]) for j in neurons.tolist())
            self.jumps[g] = jump != 0
        self.members = [self.bends[neurons] for neurons in members]

    def _members(self) -> list[Ints]:
        order = np.argsort(self.group, kind="stable")
        return np.split(order, np.searchsorted(self.group[order], np.arange(1, len(self.normals))))[: len(self.normals)]

    def chords(self) -> tuple[Floats, tuple[Ints, ...]]:
        """Return where lines along which the function bends run through the region, and their neurons."""
        lines = np.flatnonzero(self.jumps)
        arrangement = PlanarArrangement(self.frame, self.frame.lines(self.normals[lines]))
        segments = self.frame.outside(arrangement.segments()[np.argsort(arrangement.chosen)])
        return segments, tuple(self.members[g] for g in lines[np.sort(arrangement.chosen)])

    def found(self, by: str) -> PlanarPieces:
        """Return the pieces, and count both kinds of them."""
        bending, every = self._arrangement(np.flatnonzero(self.jumps)), None
        if not self.jumps.all():
            every = self._arrangement(np.arange(len(self.normals)))
        n_pieces = bending.n_cells()
        n_activation_regions = n_pieces if every is None else every.n_cells()
        if by == "activations" and every is not None:
            lines, arrangement = np.arange(len(self.normals)), every
        else:
            lines, arrangement = np.flatnonzero(self.jumps), bending
        cells = arrangement.cells()
        chosen = np.sort(arrangement.chosen)
        gradients, offsets = self._affine(cells, lines)
        # The first cell has no line: -1, which falls on the place that is added.
        column = np.full(lines.size + 1, -1)
        column[chosen] = np.arange(chosen.size)
        return PlanarPieces(
            corners=np.ldexp(cells.vertices[cells.corners], self.frame.scale),
            starts=cells.starts,
            gradients=gradients,
            offsets=offsets,
            origin=self.frame.origin,
            steps=PatternSteps(cells.first[chosen], cells.parent, column[cells.line], cells.positive),
            groups=tuple(self.members[g] for g in lines[chosen]),
            segments=self.frame.outside(arrangement.segments()[np.argsort(arrangement.chosen)]),
            segment_groups=np.arange(chosen.size),
            region=self.region,
            n_activation_regions=n_activation_regions,
            n_pieces=n_pieces,
        )

    def _arrangement(self, lines: Ints) -> PlanarArrangement:
        arrangement = PlanarArrangement(self.frame, self.frame.lines(self.normals[lines]))
        n, n_meetings = arrangement.chosen.size, arrangement.n_meetings()
        if n > _MOST_LINES or n_meetings > _MOST_MEETINGS:
            raise ValueError(
                f"{n} kinks run through the region and meet {n_meetings} times in it, but {_MOST_LINES} and"
                f" {_MOST_MEETINGS} are the most that can be held; choose a smaller region."
            )
        return arrangement

    def _affine(self, cells: Cells, lines: Ints) -> tuple[Floats, Floats]:
        """Return gradients and offsets, at the origin, on cells of an arrangement of some of the lines.

        Where slope jumps of a line cancel both sides have the same map, and it does not matter which one is taken.
        """
        x, y = (Fraction(v) for v in self.frame.origin.tolist())
        try:
            offsets = [float(Fraction(u) * x + Fraction(v) * y + Fraction(w)) for u, v, w in self.W.tolist()]
        except OverflowError:
            raise ValueError(_TOO_LARGE) from None
        rows, exponents = products(self.a[:, None], np.column_stack([self.W[:, :2], np.reshape(offsets, (-1,))]))
        # One power of two for all: weights at 1e-300 would underflow in the products.
        top = int(np.where(rows != 0, exponents, -(10**6)).max(initial=-1074))
        rows = np.ldexp(rows, np.maximum(exponents - top, -1100))
        positive = np.zeros(len(self.normals), dtype=bool)
        positive[lines] = cells.first
        active = self.W[:, 2] > 0
        active[self.bends] = self.along == positive[self.group]
        # What a line adds on its positive side, in the order of the arrangement.
        place = np.full(len(self.normals), lines.size)
        place[lines] = np.arange(lines.size)
        sign = np.where(self.along, 1.0, -1.0)[:, None]
        maps = np.zeros((cells.parent.size, 3))
        for part, exponent in _summands(rows):
            step = np.zeros((lines.size + 1, 3))
            np.add.at(step, place[self.group], sign * part[self.bends])
            begin = part[active].sum(axis=0)
            maps += np.ldexp(sums(begin, cells.parent, cells.line, cells.positive, step), exponent)
        with np.errstate(over="ignore"):
            maps = np.ldexp(maps, top)
        if not np.isfinite(maps).all():
            raise ValueError(_TOO_LARGE)
        return maps[:, :2], maps[:, 2]


def _summands(rows: Floats) -> list[tuple[Floats, int]]:
    """Return integers and exponents (m, e), the smallest e first: rows (n, 3) below 1 are the sum of all m 2**e.

    Sums and differences of the n integers of a column are below 2**53, so they are exact, in any order.
    """
    bits, found, exponent = 51 - len(rows).bit_length(), [], 0
    while rows.any():
        exponent -= bits
        rows = np.ldexp(rows, bits)
        part = np.rint(rows)
        rows = rows - part
        found.append((part, exponent))
    return found[::-1]
