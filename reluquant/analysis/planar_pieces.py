"""The pieces of a network with two inputs in a convex region."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.arrangement import hyperplanes
from reluquant.analysis.planar_arrangement import Frame, PlanarArrangement
from reluquant.analysis.planar_region import planar_region
from reluquant.analysis.predicates import products
from reluquant.structures.arrays import Floats
from reluquant.structures.planar_pieces import PlanarPieces
from reluquant.structures.shallow_relu import ShallowReLU

Ints = NDArray[np.int64]

# The sides of every line of every cell are held, a byte each.
_MOST_SIDES = 2**32
# So many of them at once as numbers: 64 MB.
_HELD = 2**23
_TOO_LARGE = "A slope or value of this network exceeds the float64 range in the region; scale W or a down."


def planar_pieces(
    net: ShallowReLU, region: ArrayLike | None, *, by: Literal["function", "activations"] = "function"
) -> PlanarPieces:
    """Return the pieces of a network of two inputs; see :func:`reluquant.piecewise_linear`."""
    if region is None:
        raise ValueError(
            "The pieces of a network of two inputs need a region; give region=((x_low, x_high), (y_low, y_high)) or"
            " the corners (k, 2) of a convex polygon."
        )
    if by not in ("function", "activations"):
        raise ValueError(f"by must be 'function' or 'activations', but it is {by!r}.")
    if net.a.ndim == 2 and net.a.shape[1] != 1:
        raise ValueError(
            f"piecewise_linear works for one output so far, but the network has {net.a.shape[1]};"
            " pass ShallowReLU(net.W, net.a[:, i]) for one of them."
        )
    polygon = planar_region(region)
    W = net.W if net.bias else np.column_stack([net.W, np.zeros(net.n_neurons)])
    return _Pieces(W + 0.0, net.a.reshape(-1), polygon).found(by)


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

    def found(self, by: str) -> PlanarPieces:
        """Cut, first along the lines that bend the function."""
        arrangement = PlanarArrangement(self.frame, self.frame.lines(self.normals))
        for i in np.flatnonzero(self.jumps):
            self._cut(arrangement, int(i))
        n_pieces, cells = arrangement.n_cells, arrangement.cells() if by == "function" else None
        for i in np.flatnonzero(~self.jumps):
            self._cut(arrangement, int(i))
        n_activation_regions = arrangement.n_cells
        cells = cells or arrangement.cells()
        chosen = np.flatnonzero(cells.cutting)
        gradients, offsets = self._affine(cells.positive)
        scale = self.frame.scale
        return PlanarPieces(
            corners=np.ldexp(cells.vertices[cells.corners], scale),
            starts=cells.starts,
            gradients=gradients,
            offsets=offsets,
            origin=self.frame.origin,
            patterns=cells.positive[:, chosen],
            groups=tuple(self.members[g] for g in chosen),
            segments=self.frame.outside(cells.segments[chosen]),
            segment_groups=np.arange(chosen.size),
            region=self.region,
            n_activation_regions=n_activation_regions,
            n_pieces=n_pieces,
        )

    def _affine(self, positive: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return gradients and offsets, at the origin, on cells with given sides of all lines.

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
        active, passive = np.zeros((2, len(self.normals), 3))
        np.add.at(active, self.group[self.along], rows[self.bends[self.along]])
        np.add.at(passive, self.group[~self.along], rows[self.bends[~self.along]])
        always = np.setdiff1d(np.flatnonzero(self.W[:, 2] > 0), self.bends)
        maps = np.empty((len(positive), 3))
        step = max(_HELD // max(len(self.normals), 1), 1)
        two_sided = np.flatnonzero(passive.any(axis=1))
        for begin in range(0, len(positive), step):
            on = positive[begin : begin + step]
            # Not a difference of active and passive, which would cancel.
            maps[begin : begin + step] = on @ active + ~on[:, two_sided] @ passive[two_sided]
        with np.errstate(over="ignore"):
            maps = np.ldexp(maps + rows[always].sum(axis=0), top)
        if not np.isfinite(maps).all():
            raise ValueError(_TOO_LARGE)
        return maps[:, :2], maps[:, 2]

    def _cut(self, arrangement: PlanarArrangement, line: int) -> None:
        if arrangement.n_cells * max(len(self.normals), 1) > _MOST_SIDES:
            raise ValueError(
                f"The network has more than {arrangement.n_cells} pieces by {len(self.normals)} lines in the region,"
                " which is too much to hold; choose a smaller region."
            )
        arrangement.cut(line)
