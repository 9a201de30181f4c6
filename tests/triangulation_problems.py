"""Points of the plane to triangulate, and what makes a triangulation one, in fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np

import reluquant as rq
from reluquant.kernels.triangle_cost import affine_values, mean_squares
from reluquant.structures.triangulation import Triangulation


def grid(rows: int, columns: int) -> np.ndarray:
    return np.array([[x, y] for x in range(rows) for y in range(columns)], dtype=float)


def convex(n: int) -> np.ndarray:
    return np.array([[i, i * i] for i in range(n)], dtype=float)


def turn(p, q, r) -> Fraction:
    (px, py), (qx, qy), (rx, ry) = ([Fraction(float(v)) for v in point] for point in (p, q, r))
    return (qx - px) * (ry - py) - (qy - py) * (rx - px)


def sets() -> dict[str, np.ndarray]:
    """Small sets, in general position and as degenerate as they come."""
    rng = np.random.default_rng(5)
    return {
        "triangle": convex(3),
        "square": grid(2, 2),
        "random 6": rng.random((6, 2)),
        "random 8": rng.standard_normal((8, 2)),
        "far away": rng.random((7, 2)) + 1e6,
        "close to a line": np.column_stack([np.arange(7.0), 1e-15 * rng.standard_normal(7)]),
        "tiny": grid(2, 4) * [1e-200, 1e-160],
        "small integers": rng.permutation(grid(4, 3))[:8],
        "collinear with one beside": np.array([[0, 0], [1, 1], [2, 2], [3, 3], [4, 4], [0, 1]], dtype=float),
        "points on the hull's edges": grid(3, 3)[[0, 3, 6, 7, 8, 4, 2, 5]],
        "kite with its crossing": np.array([[0, -2], [0, 2], [-1, 0], [3, 0], [0, 0]], dtype=float),
    }


def check_fine(triangulation: Triangulation, points: np.ndarray) -> None:
    """Assert that it is a fine triangulation of the points, with its neighbours: by areas, and by every pair."""
    np.testing.assert_array_equal(triangulation.points, points)
    simplices = triangulation.simplices.tolist()
    areas = [turn(*points[simplex]) for simplex in simplices]
    assert min(areas) > 0
    assert set(triangulation.simplices.ravel()) == set(range(len(points)))
    edges = [edge for a, b, c in simplices for edge in ((a, b), (b, c), (c, a))]
    assert len(set(edges)) == len(edges)
    hull = [(a, b) for a, b in edges if (b, a) not in edges]
    for a, b in hull:
        assert all(turn(points[a], points[b], p) >= 0 for p in points)
    # Every point is a vertex of all that it touches.
    for (a, b, c), p in ((s, p) for s in simplices for p in points):
        sides = [turn(points[u], points[v], p) for u, v in ((a, b), (b, c), (c, a))]
        assert min(sides) < 0 or any(np.array_equal(p, points[v]) for v in (a, b, c))
    # The hull's doubled area from its edges alone.
    origin = points[0]
    assert sum(areas) == sum(turn(origin, points[a], points[b]) for a, b in hull)
    for t, simplex in enumerate(simplices):
        for k, s in enumerate(triangulation.neighbors[t].tolist()):
            facet = {simplex[k - 2], simplex[k - 1]}
            assert (s == -1) == (len([u for u in simplices if facet < set(u)]) == 1)
            assert s == -1 or (s != t and facet < set(simplices[s]))


def squared_distance(triangulation, net, offsets):
    corners = triangulation.points[triangulation.simplices]
    areas = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 2
    values = affine_values(triangulation.points, net.W)
    return float(areas @ mean_squares(triangulation.simplices, values, net.a, offsets))


def random_net(seed, n_neurons=6):
    rng = np.random.default_rng(seed)
    return rq.ShallowReLU(rng.standard_normal((n_neurons, 3)), rng.standard_normal(n_neurons))


def count_by_trying(points: np.ndarray, fine: bool = True) -> int:
    """Count largest sets of edges that do not cross: those of all triangulations with these vertices."""
    n = len(points)
    if not fine:
        hull = [v for v in range(n) if is_vertex(points, v)]
        others = [v for v in range(n) if v not in hull]
        parts = (part for size in range(len(others) + 1) for part in combinations(others, size))
        return sum(count_by_trying(points[[*hull, *part]]) for part in parts)
    pairs = [
        (a, b)
        for a, b in combinations(range(n), 2)
        if not any(between(points[a], points[b], points[c]) for c in range(n) if c not in (a, b))
    ]
    crosses = [sum(1 << j for j, f in enumerate(pairs) if crossing(*(points[v] for v in (*e, *f)))) for e in pairs]
    # All maximal sets of edges without crossings have the same size.
    sets = [0]
    for e in range(len(pairs)):
        sets += [chosen | 1 << e for chosen in sets if not chosen & crosses[e]]
    largest = max(chosen.bit_count() for chosen in sets)
    return sum(chosen.bit_count() == largest for chosen in sets)


def is_vertex(points, v) -> bool:
    """Whether some line through a point leaves all others strictly on one side."""
    others = [p for i, p in enumerate(points) if i != v]
    return not any(between(p, q, points[v]) for p, q in combinations(others, 2)) and not any(
        inside(points[v], *triangle) for triangle in combinations(others, 3)
    )


def inside(p, a, b, c) -> bool:
    signs = {(s > 0) - (s < 0) for s in (turn(a, b, p), turn(b, c, p), turn(c, a, p))}
    return len(signs) == 1 and signs != {0}


def between(a, b, c) -> bool:
    return turn(a, b, c) == 0 and all(min(u, v) <= w <= max(u, v) for u, v, w in zip(a, b, c, strict=True))


def crossing(a, b, c, d) -> bool:
    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
