"""Points on a line and the segments between neighbours, ready to be asked where points are; and a single point."""

from __future__ import annotations

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.plane_locator import Indices


class LineLocator:
    """Segments in the order of the line.

    The methods are those of :class:`PlaneLocator`, with end points for hull edges. With a single point its "segment" is
    that point, which holds everything.
    """

    def __init__(self, points: Floats, simplices: Indices, neighbors: Indices) -> None:
        self.points, self.simplices = points.copy(), simplices.copy()
        places = points[:, 0] if points.shape[1] else np.zeros(len(points))
        ends = places[self.simplices]
        self.segments = np.argsort(ends.min(axis=1))
        ends = np.sort(ends[self.segments], axis=1)
        self.knots = np.append(ends[:, 0], ends[-1, -1])

    def locate(self, z: Floats, values: Floats) -> tuple[Indices, Floats]:
        """Return the segment of each point, negative outside, and the interpolant of values; NaN outside."""
        if z.shape[1] == 0:
            return np.zeros(len(z), dtype=np.int64), values[np.zeros(len(z), dtype=np.int64)]
        place = np.searchsorted(self.knots, z[:, 0], side="right") - 1
        place[z[:, 0] == self.knots[-1]] -= 1
        found = self.segments[np.clip(place, 0, self.segments.size - 1)]
        corners = values[self.simplices[found]]
        result = np.einsum("ki,kij->kj", np.clip(self.weights(z, found), 0.0, 1.0), corners)
        result = np.clip(result, corners.min(axis=1), corners.max(axis=1))
        for beyond, end in ((place < 0, np.argmin), (place >= self.segments.size, np.argmax)):
            found[beyond], result[beyond] = ~end(self.points[:, 0]), np.nan
        return found, result

    def weights(self, z: Floats, simplex: Indices) -> Floats:
        """Return barycentric weights, shape (n, dimension + 1), of points in or outside given segments."""
        if z.shape[1] == 0:
            return np.ones((len(z), 1))
        first, second = self.points[self.simplices[simplex], 0].T
        width = second - first
        return np.stack([(second - z[:, 0]) / width, (z[:, 0] - first) / width], axis=1)

    def gradients(self, simplex: Indices, values: Floats) -> Floats:
        """Return the gradient of each segment's affine map, shape (n, dimension, n_outputs)."""
        if self.simplices.shape[1] == 1:
            return np.zeros((simplex.size, 0, values.shape[1]))
        first, second = self.simplices[simplex].T
        return ((values[second] - values[first]) / (self.points[second] - self.points[first]))[:, None]

    def nearest(self, z: Floats, found: Indices) -> tuple[Indices, Indices, Floats, Floats]:
        """Return for points outside the end segment, its outer vertex, that vertex's weight 1, and the way from it."""
        exits = ~found
        last = self.points[exits, 0] == self.knots[-1]
        simplex = self.segments[np.where(last, -1, 0)]
        return simplex, exits[:, None], np.ones((len(z), 1)), z - self.points[exits]
