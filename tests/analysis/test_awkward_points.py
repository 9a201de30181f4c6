"""Inputs on which well-known packages drop points, give NaN or raise are triangulated here like any other.

Measured with scipy 1.17.1 (`LinearNDInterpolator`) and matplotlib's `Triangulation`.
"""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq


def _draw(seed):
    return np.random.default_rng(seed)


def _rotated(size, step):
    grid = np.stack(np.meshgrid(np.arange(size) * step, np.arange(size) * step), axis=-1).reshape(-1, 2)
    c, s = np.cos(0.3), np.sin(0.3)
    return grid @ np.array([[c, s], [-s, c]])


def _nearly_on_a_line(offset):
    x = np.sort(_draw(0).random(50))
    return np.column_stack([x, x + offset * _draw(1).normal(size=50)])


def _with_copies():
    points = _draw(2).random((100, 2))
    return np.concatenate([points, points + 1e-12 * _draw(3).normal(size=points.shape)])


def _ulps():
    step = np.nextafter(0.5, 1.0) - 0.5
    close = 0.5 + step * _draw(4).integers(0, 6, size=(20, 2))
    return np.unique(np.concatenate([close, [[12.0, 12.0], [24.0, 24.0]]]), axis=0)


def _grid(*shape):
    return np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, len(shape)).astype(float)


AWKWARD = {
    # scipy uses 50 of the 300 points.
    "offset": _draw(0).random((300, 2)) + 1e6,
    # scipy: NaN at 36 of its own nodes; then QhullError.
    "nearly on a line": _nearly_on_a_line(1e-14),
    "more nearly on a line": _nearly_on_a_line(1e-15),
    # scipy: NaN at 38 and 91 of its own nodes.
    "rotated grid": _rotated(50, 0.1),
    "larger rotated grid": _rotated(100, 1 / 3),
    # scipy: 11 nodes are not interpolated.
    "close copies": _with_copies(),
    # scipy: flat tetrahedra.
    "small grid in space": _grid(3, 3, 2),
    "grid in space": _grid(4, 4, 4),
    # scipy and matplotlib raise.
    "ulps apart": _ulps(),
    "on a line": np.column_stack([np.linspace(0, 1, 9), np.linspace(2, 5, 9)]),
    "one point": np.array([[1.0, 2.0]]),
    "two points": np.array([[1.0, 2.0], [3.0, 5.0]]),
    # A library with exact predicates raises, and hangs.
    "tiny square": 1e-200 * _grid(2, 2),
    "huge square": 1e300 * _grid(2, 2),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_every_node_is_interpolated_exactly(name):
    points = AWKWARD[name]
    labels = _draw(7).normal(size=len(points))
    found = rq.interpolate(rq.Dataset(points, labels))
    assert found.triangulation.n_points == len(points)
    assert sorted(set(found.triangulation.simplices.ravel().tolist())) == list(range(len(points)))
    assert found(points).tolist() == labels.tolist()


def test_a_border_alone_leaves_no_hole():
    # scipy: 1.2 % of the integer points inside are NaN.
    size = 2000
    side = np.arange(size + 1.0)
    ends = np.zeros_like(side), np.full_like(side, size)
    border = np.concatenate([np.column_stack(pair) for end in ends for pair in ((side, end), (end, side))])
    border = np.unique(border, axis=0)
    found = rq.interpolate(rq.Dataset(border, border[:, 0]))
    inside = _draw(0).integers(1, size, size=(100_000, 2)).astype(float)
    # Affine labels: right to rounding of numbers up to 2000.
    np.testing.assert_allclose(found(inside), inside[:, 0], atol=1e-11)


def test_one_place_with_two_labels_is_named():
    # scipy and matplotlib keep one of them without a word.
    data = rq.Dataset([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match=r"x = \[0.0, 0.0\] has y = 1.0, 4.0"):
        rq.interpolate(data)
    assert rq.interpolate(data, duplicates="mean")([[0.0, 0.0]]) == 2.5
