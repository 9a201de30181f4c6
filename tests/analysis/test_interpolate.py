"""Interpolants of data: exact at every node, also where peers fail."""

import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reluquant import Dataset, LazyInterpolant, SimplicialInterpolant, Triangulation, interpolate

any_float = st.floats(allow_nan=False, allow_infinity=False)
grid = st.integers(-6, 6).map(float)
number = st.one_of(any_float, grid, st.floats(-1e-320, 1e-320))
points = st.lists(st.tuples(number, number), min_size=1, max_size=12, unique_by=lambda point: point[0])


def exact_breakpoints(points):
    points = [(Fraction(x), Fraction(y)) for x, y in sorted(points)]
    slopes = [(v - y) / (u - x) for (x, y), (u, v) in zip(points, points[1:], strict=False)]
    return [float(points[i + 1][0]) for i, (s, t) in enumerate(zip(slopes, slopes[1:], strict=False)) if s != t]


def exact_value(points, x):
    """Linear interpolation in Fractions, with the size of what is added."""
    points = [(Fraction(u), Fraction(v)) for u, v in sorted(points)]
    x = Fraction(x)
    (x0, y0), (x1, y1) = next(((p, q) for p, q in zip(points, points[1:], strict=False) if x <= q[0]), points[-2:])
    left, right = (x1 - x) / (x1 - x0) * y0, (x - x0) / (x1 - x0) * y1
    return left + right, abs(left) + abs(right)


@given(points, st.sampled_from(["linear", "nearest"]))
def test_exact_at_every_node(points, extrapolate):
    x, y = np.array(points).T
    assert interpolate(Dataset(x, y), extrapolate=extrapolate)(x).tolist() == y.tolist()


@given(points)
def test_breakpoints_are_those_of_exact_arithmetic(points):
    x, y = np.array(points).T
    assert interpolate(Dataset(x, y)).breakpoints.tolist() == exact_breakpoints(points)


@example([(0.0, 0.0), (0.75, 13.0)], 5e-324)
@given(points.filter(lambda p: len(p) > 1), st.floats(0, 1))
def test_between_nodes_it_is_the_chord(points, share):
    x, y = np.array(points).T
    f = interpolate(Dataset(x, y))
    for left, right in zip(f.knots, f.knots[1:], strict=False):
        place = float((1 - share) * left + share * right)
        if left <= place <= right:
            expected, size = exact_value(points, place)
            # A share of the way below 1e-308 keeps few digits, and is multiplied by the rise.
            rise = abs(Fraction(float(f(right))) - Fraction(float(f(left))))
            assert abs(Fraction(float(f(place))) - expected) <= size * Fraction(2e-15) + Fraction(5e-324) * (4 + rise)


@given(st.lists(st.tuples(grid, grid), min_size=2, max_size=8, unique_by=lambda point: point[0]))
def test_linear_extrapolation_continues_the_end_pieces(points):
    x, y = np.array(points).T
    f = interpolate(Dataset(x, y))
    assert f.domain == (x.min(), x.max())
    for place, inner in ((x.min() - 2.5, sorted(points)[:2]), (x.max() + 3.0, sorted(points)[-2:])):
        expected, size = exact_value(inner, place)
        assert abs(Fraction(float(f(place))) - expected) <= size * Fraction(1e-14)


def test_nearest_extrapolation_stays_at_the_end_values():
    f = interpolate(Dataset([0.0, 1.0, 2.0], [0.0, 1.0, 1.0]), extrapolate="nearest")
    assert f([-9.0, 9.0]).tolist() == [0.0, 1.0]
    # The end at 2 is reached by a flat piece and is no breakpoint.
    assert f.breakpoints.tolist() == [0.0, 1.0]
    assert f.slopes.tolist() == [0.0, 1.0, 0.0, 0.0]


def test_nearest_end_is_a_breakpoint_even_where_the_slope_underflows():
    f = interpolate(Dataset([-1e300, 1e300], [0.0, 5e-324]), extrapolate="nearest")
    assert f.slopes.tolist() == [0.0, 0.0, 0.0]
    assert f.breakpoints.tolist() == [-1e300, 1e300]


def test_one_point_is_a_constant():
    f = interpolate(Dataset([3.0], [7.0]))
    assert f([-1e308, 3.0, 1e308]).tolist() == [7.0, 7.0, 7.0]
    assert f.n_breakpoints == 0
    assert f.domain == (3.0, 3.0)


@pytest.mark.parametrize("width", [5e-324, 1e-323, 1e-320, 1e-310])
def test_subnormal_gap(width):
    f = interpolate(Dataset([0.0, width, 1.0], [0.0, 1.0, 0.0]))
    assert f([0.0, width, 1.0]).tolist() == [0.0, 1.0, 0.0]
    middle = width / 2
    expected, _ = exact_value([(0.0, 0.0), (width, 1.0), (1.0, 0.0)], middle)
    assert f(middle) == float(expected)
    assert f(0.5) == 0.5


def test_subnormal_gap_where_numpy_overflows():
    assert interpolate(Dataset([0, 1e-320, 1], [0, 1, 0]))(5e-321) == 0.5


@pytest.mark.parametrize("end", [1.7e308, np.finfo(float).max])
def test_the_widest_gap(end):
    f = interpolate(Dataset([-end, end], [0.0, 1.0]))
    assert f([-end, 0.0, end]).tolist() == [0.0, 0.5, 1.0]
    g = interpolate(Dataset([-end, end], [-end, end]))
    np.testing.assert_allclose(g([-end, 0.0, end / 2, end]), [-end, 0.0, end / 2, end], rtol=1e-15)
    assert g.slopes.tolist() == [1.0, 1.0, 1.0]


def test_no_warning_at_the_ends_of_float64():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        f = interpolate(Dataset([-1.7e308, 0.0, 1e-320, 1e300, 1.7e308], [1.7e308, -1.7e308, 1.7e308, 0.0, 1.0]))
        assert np.isfinite(f(np.r_[f.knots, 1.0, -1e300, 1e301])).all()


def test_x_at_1e300_works():
    f = interpolate(Dataset([1e300, 2e300, 3e300], [1.0, 2.0, 1.0]))
    assert f(1.5e300) == 1.5
    assert f.breakpoints.tolist() == [2e300]


def test_unsorted_points_are_sorted():
    f = interpolate(Dataset([2.0, 0.0, 1.0], [5.0, 1.0, 0.0]))
    assert f.knots.tolist() == [0.0, 1.0, 2.0]
    assert f(0.5) == 0.5


def test_collinear_knots_are_knots_but_no_breakpoints():
    f = interpolate(Dataset(np.arange(1000), 3.0 * np.arange(1000) - 7))
    assert f.knots.size == 1000
    assert f.n_breakpoints == 0


def test_equal_labels_of_an_input_are_merged():
    f = interpolate(Dataset([1.0, 0.0, 1.0, -0.0], [2.0, 1.0, 2.0, 1.0]))
    assert f.knots.tolist() == [0.0, 1.0]


def test_different_labels_of_an_input_are_listed():
    data = Dataset([1.0, 1.0, 2.0, 3.0, 3.0, 4, 4, 5, 5], [0.0, 1.0, 2.0, 3.0, 3.5, 0, 1, 0, 1])
    with pytest.raises(
        ValueError, match=r"x = 1.0 has y = 0.0, 1.0; x = 3.0 has y = 3.0, 3.5; .*; and 1 more; pass dup"
    ):
        interpolate(data)


def test_mean_of_different_labels():
    f = interpolate(Dataset([1.0, 1.0, 1.0, 2.0], [0.1, 0.2, 0.3, 5.0]), duplicates="mean")
    assert f(1.0) == pytest.approx(0.2, rel=1e-15)
    huge = interpolate(Dataset([1.0, 1.0, 2.0], [1.7e308, 1.5e308, 0.0]), duplicates="mean")
    assert huge(1.0) == pytest.approx(1.6e308, rel=1e-15)


def test_data_without_bias_and_with_one_label_column_are_fine():
    assert interpolate(Dataset([0.0, 1.0], [[0.0], [2.0]], bias=False))(0.5) == 1.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"extrapolate": "cubic"}, "extrapolate must be one of 'linear', 'nearest', 'nan', 'error', but it is 'cubic'"),
        ({"extrapolate": "nan"}, "'linear' or 'nearest' for data with one feature, .* but it is 'nan'"),
        ({"extrapolate": "error"}, "'linear' or 'nearest' for data with one feature, .* but it is 'error'"),
        ({"method": "cubic"}, "method must be 'delaunay', 'fewest_pieces' or a Triangulation, but it is 'cubic'"),
        ({"method": ["delaunay"]}, "method must be 'delaunay', 'fewest_pieces' or a Triangulation"),
        ({"duplicates": "first"}, "duplicates must be 'error' or 'mean', but it is 'first'"),
    ],
)
def test_unknown_options_are_refused(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        interpolate(Dataset([0.0, 1.0], [0.0, 1.0]), **arguments)


def test_other_data_are_refused():
    with pytest.raises(ValueError, match="one output"):
        interpolate(Dataset([0.0, 1.0], np.ones((2, 2))))
    with pytest.raises(TypeError, match="needs a Dataset, but got list"):
        interpolate([0.0, 1.0])


# ------------------------------------------------------------------------------------------------ several features


@pytest.mark.parametrize("d", range(2, 9))
@pytest.mark.parametrize("outputs", [(), (1,), (3,)])
def test_several_features_are_interpolated_exactly_at_the_data(d, outputs):
    rng = np.random.default_rng(d)
    X, y = rng.random((25, d)), rng.normal(size=(25, *outputs))
    f = interpolate(Dataset(X, y))
    assert isinstance(f, SimplicialInterpolant if d <= 5 else LazyInterpolant)
    assert (f(X) == y).all()
    assert f(X[0]).shape == outputs
    assert f.extrapolate == "linear"


@pytest.mark.parametrize("d", [2, 6])
def test_every_mode_beyond_the_hull(d):
    rng = np.random.default_rng(0)
    data = Dataset(rng.random((25, d)), rng.normal(size=25))
    q = np.full(d, 2.0)
    assert np.isnan(interpolate(data, extrapolate="nan")(q))
    assert data.y.min() <= interpolate(data, extrapolate="nearest")(q) <= data.y.max()
    with pytest.raises(ValueError, match="x must lie in the hull of the data"):
        interpolate(data, extrapolate="error")(q)


def test_a_given_triangulation_decides():
    # The two triangulations of a square: golden values of relu(x + y) on [-1, 1]².
    corners = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    data = Dataset(corners, np.maximum(corners.sum(axis=1), 0))
    along = Triangulation(corners, [[0, 1, 3], [1, 2, 3]], [[1, -1, -1], [-1, 0, -1]])
    across = Triangulation(corners, [[0, 1, 2], [0, 2, 3]], [[-1, 1, -1], [-1, -1, 0]])
    x = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    np.testing.assert_allclose(interpolate(data, method=along)(x), np.maximum(x.sum(axis=1), 0), atol=1e-15)
    assert interpolate(data, method=across)([0.0, 0.0]) == 1.0
    f = interpolate(data, method=along)
    assert f.triangulation is along
    with pytest.raises(ValueError, match="The triangulation must be one of data.X, row by row"):
        interpolate(Dataset(corners + 1, data.y), method=along)
    with pytest.raises(ValueError, match="The triangulation must be one of data.X, row by row"):
        interpolate(Dataset(corners[:3], data.y[:3]), method=along)
    part = Triangulation(np.vstack([corners, [[0.0, 5.0]]]), along.simplices, along.neighbors, [0, 1, 2, 3])
    with pytest.raises(ValueError, match="Every point of the triangulation needs a label, but point 4"):
        interpolate(data, method=part)


@pytest.mark.parametrize("d", [2, 3, 6])
def test_one_input_with_several_labels(d):
    # Peer failure 8: scipy and matplotlib keep one of them silently.
    rng = np.random.default_rng(0)
    X = rng.random((20, d))
    X[7] = X[3]
    y = np.arange(20.0)
    with pytest.raises(ValueError, match=r"x = \[.*\] has y = 3.0, 7.0; pass duplicates"):
        interpolate(Dataset(X, y))
    assert interpolate(Dataset(X, y), duplicates="mean")(X[3]) == 5.0
    y[7] = y[3]
    assert (interpolate(Dataset(X, y))(X) == y).all()
    with pytest.raises(ValueError, match=r"has y = \[3.0, -3.0\], \[3.0, -2.0\]"):
        interpolate(Dataset(X, np.stack([y, np.where(np.arange(20) == 7, -2.0, -y)], axis=1)))


def test_many_features_of_few_samples():
    # Fewer samples than features: pictures of digits, say.
    rng = np.random.default_rng(0)
    X, y = rng.random((12, 30)), rng.normal(size=12)
    f = interpolate(Dataset(X, y))
    assert (f(X) == y).all()
    assert f(X.mean(axis=0)) == pytest.approx(y.mean())


def test_the_fewest_pieces_are_for_the_line():
    with pytest.raises(ValueError, match="works for one feature, but the data have 2"):
        interpolate(Dataset(np.eye(2), [0.0, 1.0]), method="fewest_pieces")
