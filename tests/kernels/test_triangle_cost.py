"""Mean squares over triangles against integrals in fractions, where nothing is local and nothing rounds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reluquant.kernels.triangle_cost import affine_values, mean_squares


def halves(polygon, line):
    """Return a convex polygon's parts where a line's equation is at least, and at most, 0."""
    levels = [line[0] * x + line[1] * y + line[2] for x, y in polygon]
    parts = []
    for side in (1, -1):
        part = []
        for u, (p, s) in enumerate(zip(polygon, levels, strict=True)):
            q, t = polygon[(u + 1) % len(polygon)], levels[(u + 1) % len(polygon)]
            if side * s >= 0:
                part.append(p)
            if s * t < 0:
                part.append(tuple(v + s / (s - t) * (w - v) for v, w in zip(p, q, strict=True)))
        parts.append(part if len(part) > 2 else [])
    return parts


def exact_mean_square(corners, W, a, labels) -> Fraction:
    """Cut the triangle along all kinks and integrate the square of network minus interpolant, coordinates and all."""
    corners = [tuple(map(Fraction, p)) for p in corners]
    W, a, labels = [list(map(Fraction, w)) for w in W], list(map(Fraction, a)), list(map(Fraction, labels))

    def det(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    whole = det(*corners)

    def difference(point):
        net = sum(c * max(w[0] * point[0] + w[1] * point[1] + w[2], 0) for w, c in zip(W, a, strict=True))
        shares = [det(point, corners[(i + 1) % 3], corners[(i + 2) % 3]) / whole for i in range(3)]
        return net - sum(s * y for s, y in zip(shares, labels, strict=True))

    cells = [corners]
    for w in W:
        cells = [part for cell in cells for part in halves(cell, w) if part]
    result = Fraction(0)
    for cell in cells:
        for q, r in zip(cell[1:], cell[2:], strict=False):
            # Three midpoints integrate polynomials of degree two exactly.
            mids = [
                tuple((u + v) / 2 for u, v in zip(*pair, strict=True)) for pair in ((cell[0], q), (q, r), (r, cell[0]))
            ]
            result += det(cell[0], q, r) / whole * sum(difference(m) ** 2 for m in mids) / 3
    return result


def network_at(points, W, a):
    return [
        float(
            sum(
                c * max(sum(map(Fraction.__mul__, map(Fraction, w), [*map(Fraction, p), Fraction(1)])), 0)
                for w, c in zip(W, map(Fraction, a), strict=True)
            )
        )
        for p in points
    ]


def by_kernel(corners, W, a, offsets):
    corners, W = np.asarray(corners, dtype=float), np.asarray(W, dtype=float)
    values = affine_values(corners, W)
    return float(
        mean_squares(np.array([[0, 1, 2]]), values, np.asarray(a, dtype=float), np.asarray(offsets, dtype=float))[0]
    )


@pytest.mark.parametrize("seed", range(12))
def test_mean_squares_are_those_of_fractions(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(1, 9))
    corners = rng.integers(-8, 9, (3, 2)) / 4.0
    corners = corners if np.linalg.det(corners[1:] - corners[0]) > 0.1 else np.array([[0, 0], [2, 0.25], [0.5, 1.5]])
    W, a, missing = rng.integers(-6, 7, (m, 3)) / 4.0, rng.integers(-6, 7, m) / 2.0, rng.integers(-4, 5, 3) / 4.0
    labels = [f - lack for f, lack in zip(network_at(corners, W, a), missing, strict=True)]
    wanted = exact_mean_square(corners, W, a, labels)
    assert by_kernel(corners, W, a, missing) == pytest.approx(float(wanted), rel=1e-13, abs=1e-300)


def test_a_place_far_away_and_a_thin_triangle_cost_no_digits():
    corners = np.array([[1e6, 1e6], [1e6 + 1, 1e6], [1e6 + 0.5, 1e6 + 2.0**-20]])
    W = np.array([[1.0, 0.0, -1e6 - 0.3], [0.0, 2.0**18, -(2.0**18) * 1e6 - 0.125], [1.0, -1.0, -0.4]])
    a = [1.0, -2.0, 0.5]
    wanted = exact_mean_square(corners, W, a, [
        sum(Fraction(c) * max(Fraction(w[0]) * Fraction(p[0]) + Fraction(w[1]) * Fraction(p[1]) + Fraction(w[2]), 0)
            for w, c in zip(W.tolist(), a, strict=True)) for p in corners.tolist()
    ])  # fmt: skip
    assert by_kernel(corners, W, a, np.zeros(3)) == pytest.approx(float(wanted), rel=1e-13)


def test_neurons_with_one_kink_are_as_good_as_their_sum():
    # Rounding would cut slivers off along the common kink, again and again.
    rng = np.random.default_rng(0)
    w, shares = np.array([0.3, -0.7, 0.1]), rng.random(200)
    corners = np.array([[0.0, 0.0], [1.0, 0.1], [0.2, 1.0]])
    many = by_kernel(corners, np.outer(shares, w), np.ones(200), np.zeros(3))
    assert many == pytest.approx(by_kernel(corners, [w], [shares.sum()], np.zeros(3)), rel=1e-13)


def test_kinks_through_corners_and_along_edges_change_nothing_that_is_affine():
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    W = [[1, 0, 0], [0, 1, 0], [1, 1, -1], [-1, -1, 2]]
    assert by_kernel(corners, W, [3.0, -2.0, 7.0, 1.0], [1.0, 1.0, 1.0]) == pytest.approx(1.0, rel=1e-15)
    # relu(x - y) minus its interpolant x is -y on one half, -x on the other: squares of 1/96 each, and the area is 1/2.
    assert by_kernel(corners, [[1, -1, 0]], [1.0], np.zeros(3)) == pytest.approx(1 / 24, rel=1e-14)


def test_many_cells_add_up():
    # More neurons than any other test has, against points at random.
    rng = np.random.default_rng(1)
    s, a = rng.standard_normal((3, 60)), rng.standard_normal(60)
    shares = rng.dirichlet(np.ones(3), 50_000)
    sampled = np.maximum(shares @ s, 0) @ a - shares @ (np.maximum(s, 0) @ a)
    (exact,) = mean_squares(np.array([[0, 1, 2]]), s, a, np.zeros(3))
    assert exact == pytest.approx(np.mean(sampled**2), rel=0.03)


def test_values_are_right_where_the_bias_cancels():
    points, W = np.array([[1e8 + 1 / 3, 1e8 / 7]]), np.array([[0.1, -0.7, 0.0]])
    W[0, 2] = -(W[0, 0] * points[0, 0] + W[0, 1] * points[0, 1])
    wanted = sum(Fraction(w) * Fraction(x) for w, x in zip(W[0].tolist(), [*points[0].tolist(), 1.0], strict=True))
    assert affine_values(points, W)[0, 0] == pytest.approx(float(wanted), rel=1e-15)
    # Splitting 1e300 overflows; the plain sum is what is left.
    with np.errstate(over="ignore", invalid="ignore"):
        assert affine_values(np.array([[1.0, 1.0]]), np.array([[1e305, 0.0, 0.0]]))[0, 0] == 1e305
