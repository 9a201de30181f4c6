"""All fine triangulations of a planar point set, one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.count_triangulations import count
from reluquant.analysis.planar_set import (
    PlanarSet,
    on_a_line,
    planar_points,
    planar_set,
    triangulation_of,
    triangulation_of_line,
)
from reluquant.structures.scalars import whole_number
from reluquant.structures.triangulation import Triangulation

# Beyond, a table of all triples is large, and a list of all triangulations too long, unless the points are special.
MOST_POINTS = 100
# Up to here counting takes less time than one is asked to wait: a fraction of a second.
_COUNTED = 20

# The third point of the triangle to the left of each directed edge.
Apexes = dict[tuple[int, int], int]


def triangulations(points: ArrayLike, *, most: int = 100_000) -> Iterator[Triangulation]:
    """List all fine triangulations of points in the plane.

    Parameters
    ----------
    points : array_like, shape (n_points, 2)
        At most 100 different points; they may lie on lines and on grids.
    most : int, default 100_000
        No more than so many are listed.

    Yields
    ------
    Triangulation
        All points are vertices; triangles are positively oriented. The order is always the same: first one that a
        sweep gives, then those that are one flip away, and so on.

    Raises
    ------
    TypeError, ValueError
        If the points are not different points of the plane, or too many, or have more triangulations than ``most``:
        up to 20 points at once, naming their number, and for more points once ``most`` are listed.

    Notes
    -----
    A flip replaces a diagonal of a convex quadrilateral by the other one. Any triangulation can be flipped to the
    Delaunay triangulation by making its edges locally Delaunay (Lawson), so all are found.

    References
    ----------
    C. L. Lawson (1977), "Software for C¹ surface interpolation", Mathematical Software III.

    Examples
    --------
    >>> import reluquant as rq
    >>> pentagon = [[0, 0], [2, 0], [3, 2], [1, 3], [-1, 2]]
    >>> [t.simplices.tolist() for t in rq.triangulations(pentagon)][:2]
    [[[4, 0, 1], [4, 1, 3], [3, 1, 2]], [[4, 0, 3], [0, 1, 3], [3, 1, 2]]]
    >>> len(list(rq.triangulations(pentagon)))
    5
    """
    most = whole_number(most, "most")
    checked = planar_points(points, "triangulations")
    if on_a_line(checked):
        return iter([triangulation_of_line(checked)])
    ordered = planar_set(checked, "triangulations", MOST_POINTS)
    number = count(ordered) if ordered.n <= _COUNTED else 0
    if number > most:
        raise ValueError(
            f"These {ordered.n} points have {number:,} triangulations, more than most={most:,}; raise it, or draw some"
            " with uniform_triangulation."
        )
    return (triangulation_of(ordered, triangles_of(apexes)) for apexes in _by_flips(ordered, most))


def first_triangulation(points: PlanarSet) -> NDArray[np.int64]:
    """Return the triangles (k, 3) of a fine triangulation of points that are not all on a line."""
    usable = points.turns_below(fine=True)
    path, triangles = points.chain(1).tolist(), []
    # Whatever is above a path can be triangulated, so there is always a next triangle until all is.
    for _ in range(2 * points.n):
        step = _next(path, usable)
        if step is None:
            break
        path, triangle = step
        triangles.append(triangle)
    return np.array(triangles, dtype=np.int64)


def _next(path: list[int], usable: np.ndarray) -> tuple[list[int], tuple[int, int, int]] | None:
    for i in range(len(path) - 1):
        p, r = path[i : i + 2]
        above = np.flatnonzero(usable[p, p + 1 : r, r] == 1)
        if above.size:
            q = p + 1 + int(above[0])
            return [*path[: i + 1], q, *path[i + 1 :]], (p, r, q)
        if i + 2 < len(path) and usable[p, r, path[i + 2]] == -1:
            return [*path[: i + 1], *path[i + 2 :]], (p, r, path[i + 2])
    return None


def apexes_of(triangles: NDArray[np.int64]) -> Apexes:
    """Return for each directed edge of triangles (k, 3) the third point."""
    return {edge: v for a, b, c in triangles.tolist() for edge, v in (((a, b), c), ((b, c), a), ((c, a), b))}


def triangles_of(apexes: Apexes) -> NDArray[np.int64]:
    """Return the triangles (k, 3), lowest point first, in order."""
    return np.array(sorted((a, b, c) for (a, b), c in apexes.items() if a < b and a < c), dtype=np.int64)


def flippable(points: PlanarSet, apexes: Apexes) -> Iterator[tuple[int, int, int, int]]:
    """Yield diagonals (a, b), a < b, of strictly convex quadrilaterals, with c to the left of each and d to the right.

    The flip makes of the triangles ``abc`` and ``bad`` the triangles ``adc`` and ``dbc``.
    """
    for a, b in apexes:
        if a < b and (b, a) in apexes:
            c, d = apexes[a, b], apexes[b, a]
            if points.signs[c, d, a] < 0 < points.signs[c, d, b]:
                yield a, b, c, d


def flip(apexes: Apexes, a: int, b: int, c: int, d: int) -> Apexes:
    """Return the apexes after a flip of the edge from a to b with c to its left and d to its right."""
    flipped = apexes.copy()
    del flipped[a, b], flipped[b, a]
    flipped[a, d], flipped[d, c], flipped[c, a] = c, a, d
    flipped[d, b], flipped[b, c], flipped[c, d] = c, d, b
    return flipped


def _by_flips(points: PlanarSet, most: int) -> Iterator[Apexes]:
    start = apexes_of(first_triangulation(points))
    known = {_key(points.n, start)}
    waiting = deque([(start, next(iter(known)))])
    for _ in range(most):
        apexes, key = waiting.popleft()
        yield apexes
        for a, b, c, d in sorted(flippable(points, apexes)):
            flipped = key ^ 1 << (points.n * a + b) ^ 1 << (points.n * min(c, d) + max(c, d))
            # One more than can be listed shows that these are not all.
            if flipped not in known and len(known) <= most:
                known.add(flipped)
                waiting.append((flip(apexes, a, b, c, d), flipped))
        if not waiting:
            return
    raise ValueError(
        f"These {points.n} points have more than most={most:,} triangulations; raise it, or take fewer points."
    )


def _key(n: int, apexes: Apexes) -> int:
    """Return the set of edges as bits."""
    return sum(1 << (n * a + b) for a, b in {(min(edge), max(edge)) for edge in apexes})
