"""Inputs on which well-known packages drop points, give NaN or raise are triangulated here like any other.

Twelve failures, numbered. Measured with scipy 1.17.1 (`LinearNDInterpolator`), matplotlib's `Triangulation`, and
`numpy.interp` of numpy 2.4.6.
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
    # 1. scipy uses 50 of the 300 points.
    "offset": _draw(0).random((300, 2)) + 1e6,
    # 2. scipy: NaN at 36 of its own nodes; then QhullError.
    "nearly on a line": _nearly_on_a_line(1e-14),
    "more nearly on a line": _nearly_on_a_line(1e-15),
    # 3. scipy: NaN at 38 and 91 of its own nodes.
    "rotated grid": _rotated(50, 0.1),
    "larger rotated grid": _rotated(100, 1 / 3),
    # 5. scipy: 11 nodes are not interpolated.
    "close copies": _with_copies(),
    # 6. scipy: flat tetrahedra.
    "small grid in space": _grid(3, 3, 2),
    "grid in space": _grid(4, 4, 4),
    # 7. scipy and matplotlib raise.
    "ulps apart": _ulps(),
    # 11. They raise.
    "on a line": np.column_stack([np.linspace(0, 1, 9), np.linspace(2, 5, 9)]),
    "one point": np.array([[1.0, 2.0]]),
    "two points": np.array([[1.0, 2.0], [3.0, 5.0]]),
    # 10. A library with exact predicates raises, and hangs; another merges points closer than 1e-3.
    "tiny square": 1e-200 * _grid(2, 2),
    "huge square": 1e300 * _grid(2, 2),
    "points nearer than a thousandth": np.concatenate([_grid(2, 2), 0.5 + 1e-4 * _grid(3, 3)]),
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
    # 4. scipy: 1.2 % of the integer points inside are NaN.
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
    # 8. scipy and matplotlib keep one of them without a word.
    data = rq.Dataset([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]], [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match=r"x = \[0.0, 0.0\] has y = 1.0, 4.0"):
        rq.interpolate(data)
    assert rq.interpolate(data, duplicates="mean")([[0.0, 0.0]]) == 2.5


@pytest.mark.parametrize(
    ("x", "y", "between", "expected"),
    [
        # inf: the slope overflows.
        ([0.0, 1e-320, 1.0], [0.0, 1.0, 0.0], 5e-321, 0.5),
        # 0: the gap overflows.
        ([-1.7e308, 1.7e308], [0.0, 1.0], 0.0, 0.5),
        # 5: unsorted inputs are searched as if they were sorted.
        ([1.0, 0.0, 2.0], [5.0, 1.0, 7.0], 0.5, 3.0),
    ],
)
def test_on_the_line_neither_size_nor_order_of_inputs_matters(x, y, between, expected):
    # 9. What numpy.interp returns is beside each.
    f = rq.interpolate(rq.Dataset(x, y))
    assert f(between) == pytest.approx(expected, rel=1e-3)
    assert f(np.array(x)).tolist() == y


def test_one_place_on_the_line_with_two_labels_is_named():
    # 9. numpy.interp jumps there without a word.
    data = rq.Dataset([0.0, 1.0, 1.0], [0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match=r"x = 1.0 has y = 1.0, 2.0"):
        rq.interpolate(data)
    assert rq.interpolate(data, duplicates="mean")(1.0) == 1.5


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_point_is_refused(bad):
    # 10. A third library crashes.
    points = _grid(2, 2)
    points[1, 0] = bad
    with pytest.raises(ValueError, match="finite"):
        rq.triangulate(points)


def test_kinks_that_meet_in_one_point_cut_all_pieces():
    # 12. Where pieces are found by cutting the edges of pieces, 16 are left of these 24.
    kinks = [(1, 0, c) for c in (-0.5, 0, 0.5)] + [(0, 1, c) for c in (-0.5, 0, 0.5)] + [(1, -1, 0), (1, 1, 0)]
    net = rq.ShallowReLU(np.array(kinks, dtype=float), np.arange(1.0, 9.0))
    assert rq.piecewise_linear(net, region=[(-1, 1), (-1, 1)]).n_regions == 24
