"""Flips against the plain definition, in fractions."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

import reluquant as rq
from reluquant.analysis.flips import flip_edge, flips


def turn(a, b, c):
    (ax, ay), (bx, by), (cx, cy) = ([Fraction(float(v)) for v in p] for p in (a, b, c))
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    return (area > 0) - (area < 0)


def slow_flips(triangulation):
    """For each edge the opposite corners of its triangles, if they cross it strictly."""
    triangles = [set(t) for t in triangulation.simplices.tolist()]
    found = {}
    for i, j in combinations(range(triangulation.n_points), 2):
        corners = [next(iter(t - {i, j})) for t in triangles if {i, j} <= t]
        if corners:
            found[i, j] = (-1, -1)
        if len(corners) == 2:
            c, d = sorted(corners)
            p = triangulation.points
            if turn(p[c], p[d], p[i]) * turn(p[c], p[d], p[j]) < 0:
                found[i, j] = (c, d)
    return found


GRID = np.stack(np.meshgrid(np.arange(4.0), np.arange(3.0)), -1).reshape(-1, 2)
RANDOM = np.random.default_rng(1).uniform(size=(25, 2))
# A quadrilateral whose corner is flat but for the last bit of a coordinate.
NEARLY_FLAT = np.array([[0.0, 0.0], [1.0, 0.1], [2.0, np.nextafter(0.2, 1.0)], [1.0, 2.0], [1.0, -2.0]])


@pytest.mark.parametrize("points", [GRID, RANDOM, NEARLY_FLAT, RANDOM * 1e-200])
def test_edges_and_flips_are_those_of_the_definition(points):
    triangulation = rq.triangulate(points)
    found = flips(triangulation)
    assert {tuple(e): tuple(o) for e, o in zip(found.edges.tolist(), found.others.tolist(), strict=True)} == slow_flips(
        triangulation
    )


def test_a_flip_makes_that_edge_and_a_second_one_takes_it_back():
    triangulation = rq.triangulate(RANDOM)
    found = flips(triangulation)
    place = int(np.flatnonzero(found.others[:, 0] >= 0)[3])
    edge, other = found.edges[place].tolist(), found.others[place].tolist()
    flipped = flip_edge(triangulation, *edge)
    edges = {tuple(e) for e in flips(flipped).edges.tolist()}
    assert edges == {tuple(e) for e in found.edges.tolist()} - {tuple(edge)} | {tuple(other)}
    back = flip_edge(flipped, *other)
    assert sorted(map(sorted, back.simplices.tolist())) == sorted(map(sorted, triangulation.simplices.tolist()))
    # Neighbours and orientation are right: it evaluates.
    g = rq.SimplicialInterpolant(flipped, RANDOM @ [1.0, 2.0])
    np.testing.assert_allclose(g(RANDOM.mean(axis=0)), RANDOM.mean(axis=0) @ [1.0, 2.0])


def test_flips_reach_every_triangulation_that_there_is():
    points = GRID[:8]
    known, waiting = set(), [rq.triangulate(points)]
    while waiting:
        triangulation = waiting.pop()
        key = frozenset(map(frozenset, triangulation.simplices.tolist()))
        if key not in known:
            known.add(key)
            found = flips(triangulation)
            waiting += [flip_edge(triangulation, *e) for e in found.edges[found.others[:, 0] >= 0].tolist()]
    assert len(known) == rq.count_triangulations(points)


def test_rows_of_the_data_stay_with_their_points():
    rows = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 0.0], [3.0, 2.0], [0.0, 1.0]])
    flipped = flip_edge(rq.triangulate(rows), 1, 3)
    np.testing.assert_array_equal(flipped.points[flipped.point_of_row], rows)


@pytest.mark.parametrize(
    ("edge", "sentence"),
    [((0, 1), "on the hull"), ((0, 3), "no edge"), ((0, 99), "no edge"), ((1, 4), "not strictly convex")],
)
def test_what_cannot_be_flipped_gets_a_sentence(edge, sentence):
    # Point 4 is inside the triangle 0, 1, 2; point 3 beyond its edge from 1 to 2.
    points = [[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [3.0, 3.0], [1.0, 1.0]]
    with pytest.raises(ValueError, match=sentence):
        flip_edge(rq.triangulate(points), *edge)


def test_it_takes_triangles_of_the_plane_only():
    with pytest.raises(TypeError, match="needs a Triangulation"):
        flips([[0, 1, 2]])
    with pytest.raises(ValueError, match="triangles in the plane"):
        flips(rq.triangulate([[0.0], [1.0]]))
