"""Faces of a cross in a square, counted by hand."""

import numpy as np

from reluquant.kernels.planar_faces import link, patterns, sums, walk

# Corners are 0, 2, 4, 6 and ends of lines between them; the lines meet in 8.
CHAIN = np.array([1, 8, 5, 3, 8, 7])


def faces():
    following, origin = link(CHAIN, np.array([0, 3, 6]), 9, 8, np.array([1, 3, 5, 7]), np.array([0, 4, 3, 7]))
    return walk(following, origin, np.array([0, 0, 1, 1]))


def test_a_cross_has_four_faces():
    starts, corners, parent, line, right = faces()
    found = [corners[first:last].tolist() for first, last in zip(starts[:-1], starts[1:], strict=True)]
    turned = sorted(face[face.index(8) :] + face[: face.index(8)] for face in found)
    assert turned == [[8, 1, 2, 3], [8, 3, 4, 5], [8, 5, 6, 7], [8, 7, 0, 1]]
    assert 0 in found[0]
    assert parent[0] == line[0] == -1
    assert all(parent[i] < i for i in range(4))
    # Both lines begin after vertex 0, so that the first face is on the left of both.
    table = patterns(np.array([False, False]), parent, line, right)
    assert {tuple(row) for row in table.tolist()} == {(False, False), (True, False), (True, True), (False, True)}
    totals = sums(np.array([5.0]), parent, line, right, np.array([[1.0], [10.0]]))
    np.testing.assert_array_equal(totals[:, 0], 5 + table @ [1, 10])


def test_no_lines_leave_one_face():
    nothing = np.zeros(0, np.int64)
    following, origin = link(nothing, np.zeros(1, np.int64), 3, 3, nothing, nothing)
    starts, corners, parent, _, _ = walk(following, origin, nothing)
    assert (starts.tolist(), corners.tolist(), parent.tolist()) == ([0, 3], [0, 1, 2], [-1])


def test_each_kernel_has_one_signature():
    for compiled in (link, walk, patterns, sums):
        assert len(getattr(compiled, "signatures", [1])) == 1
