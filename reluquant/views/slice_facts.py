"""What there is to know of a network on a square of a plane through three data points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from reluquant.analysis.decision_regions import DecisionRegions, decision_regions
from reluquant.analysis.deep_pieces import TooManyRegions, slice_in_window
from reluquant.analysis.slice_edges import slice_edges
from reluquant.analysis.slice_frame import SliceFrame
from reluquant.structures.arrays import Floats
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.planar_slice import PlanarSlice

# More are not drawn: they would be smaller than a pixel or two, and take seconds.
MOST_REGIONS = 100_000
# Pixels of the colours along each side, two of the page each.
GRID = 240
# Room around the three points at zoom 1, as a share of their extent.
ROOM = 0.25
# A part of a class's region that is smaller than this share of the picture bears no name.
NAMED = 0.012
# Values of neurons that are held at once where there are too many regions: 32 MB.
_HELD = 2**22


@dataclass(frozen=True, slots=True, eq=False)
class SliceFacts:
    """What is drawn of one network.

    Parameters
    ----------
    frame : SliceFrame
        The plane.
    plane : DeepReLU
        The network on it.
    low : ndarray, shape (2,)
        The lower left corner of the square that is shown, in coordinates of the plane.
    side : float
        Of that square.
    output : int or None
        Whose value is shown; None for classes.
    found : PlanarSlice or None
        The linear regions there; None if they are too many.
    decisions : DecisionRegions or None
        Where which class wins, or where the output is positive.
    values : ndarray, shape (GRID, GRID, n_outputs)
        At the middles of pixels, the first row lowest.
    edges, owners : ndarray, shapes (n_edges, 2, 2) and (n_edges,)
        Both ends of the edges of regions in the unit square, the longest first, and the neuron of each.
    middles : tuple of (int, float, float)
        A class, and coordinates of the plane deep inside a larger part of its region.
    n_crossing : int
        How many neurons have their boundary there.
    """

    frame: SliceFrame
    plane: DeepReLU
    low: Floats
    side: float
    output: int | None
    found: PlanarSlice | None
    decisions: DecisionRegions | None
    values: Floats
    edges: Floats
    owners: NDArray[np.int64]
    middles: tuple[tuple[int, float, float], ...]
    n_crossing: int

    def in_plane(self, x: Floats) -> Floats:
        """Return points of the unit square in coordinates of the plane."""
        return self.low + self.side * x

    def outputs_at(self, x: Floats) -> tuple[Floats, int]:
        """Return the outputs at a place (2,) of the plane, and how many neurons are active there."""
        h, active = np.asarray(x, dtype=float), 0
        for W, b in zip(self.plane.weights[:-1], self.plane.biases[:-1], strict=True):
            h = np.maximum(W @ h + b, 0.0)
            active += int(np.count_nonzero(h))
        return self.plane.weights[-1] @ h + self.plane.biases[-1], active


def slice_facts(
    frame: SliceFrame,
    plane: DeepReLU,
    *,
    zoom: float = 1.0,
    centre: Floats | None = None,
    output: int | None = None,
    most: int = MOST_REGIONS,
) -> SliceFacts:
    """Compute what is drawn.

    Parameters
    ----------
    frame : SliceFrame
        The plane.
    plane : DeepReLU
        The network on it, of :meth:`SliceFrame.restricted`.
    zoom : float
        At 1 the three points and some room are shown; at 2 half of it.
    centre : ndarray, shape (2,), optional
        The middle of the square; by default that of the three points.
    output : int, optional
        Show this output; by default classes, or the only output.
    most : int
        Regions that are looked at.

    Returns
    -------
    SliceFacts
    """
    if plane.n_outputs == 1:
        output = 0
    side = frame.extent * (1 + 2 * ROOM) / zoom
    corner = (frame.middle if centre is None else np.asarray(centre)) - side / 2
    try:
        found = slice_in_window(plane, (corner, [side, 0.0], [0.0, side]), most=most)
    except TooManyRegions:
        found = None
    pixels = (np.arange(GRID) + 0.5) / GRID
    points = np.stack(np.meshgrid(pixels, pixels), axis=-1).reshape(-1, 2)
    if found is None:
        rows = max(_HELD // max(plane.widths, default=1), 1)
        parts = [plane(corner + side * points[k : k + rows]) for k in range(0, len(points), rows)]
        values = np.concatenate(parts)
    else:
        values = found(points)
    decisions = None if found is None else decision_regions(found, output=output)
    values = values.reshape(GRID, GRID, plane.n_outputs)
    edges, owners = np.zeros((0, 2, 2)), np.zeros(0, dtype=np.int64)
    if found is not None and plane.widths:
        edges, owners = slice_edges(found.pieces, plane.widths[0])
    places = [] if output is not None else _middles(np.argmax(values, axis=-1))
    middles = tuple((k, *(corner + side * place).tolist()) for k, place in places)
    return SliceFacts(
        frame, plane, corner, side, output, found, decisions, values, edges, owners, middles, np.unique(owners).size
    )


def _middles(winner: NDArray[np.int64]) -> list[tuple[int, Floats]]:
    """The pixel furthest from the rim of each larger part of a class's region, in the unit square."""
    found = []
    for k in np.unique(winner).tolist():
        parts, count = ndimage.label(winner == k)
        sizes = np.bincount(parts.ravel(), minlength=count + 1)
        for part in np.flatnonzero(sizes[1:] >= NAMED * GRID**2) + 1:
            depth = ndimage.distance_transform_edt(np.pad(parts == part, 1))[1:-1, 1:-1]
            row, column = np.unravel_index(np.argmax(depth), depth.shape)
            found.append((k, (np.array([column, row]) + 0.5) / GRID))
    return found
