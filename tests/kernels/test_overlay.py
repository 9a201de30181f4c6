"""The overlay kernel and what it stands on, held against Fractions and against counts."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant.kernels.exact_sums import turn, two_product, two_sum
from reluquant.kernels.overlay import corner_values, split_triangles
from reluquant.kernels.polygons import locate
from reluquant.kernels.triangle_pairs import common_triangles
from tests.oracles_planar import euler_count

medium = st.floats(-1e60, 1e60).filter(lambda x: abs(x) > 1e-60) | st.just(0.0)
coordinate = st.floats(-10, 10).map(lambda x: round(x, 6)) | st.integers(-3, 3).map(float)


@given(medium, medium)
def test_sums_and_products_with_their_rests_are_exact(p, q):
    total, rest = two_sum(p, q)
    assert Fraction(total) + Fraction(rest) == Fraction(p) + Fraction(q)
    product, rest = two_product(p, q)
    assert Fraction(product) + Fraction(rest) == Fraction(p) * Fraction(q)


@given(*[coordinate] * 6)
def test_turn_is_right_to_the_last_digit_or_so(ax, ay, bx, by, cx, cy):
    a, b, c, d, e, f = (Fraction(x) for x in (ax, ay, bx, by, cx, cy))
    expected = (c - a) * (f - b) - (d - b) * (e - a)
    found = turn(ax, ay, bx, by, cx, cy)
    assert np.sign(found) == (expected > 0) - (expected < 0)
    assert found == pytest.approx(float(expected), rel=1e-15)


def test_values_of_a_neuron_far_out_are_rounded_once():
    W = np.array([[1 / 3, 1 / 7, -(1 / 3 + 1 / 7) * 1e6]])
    points, origin = np.array([[0.1, 0.2]]), np.array([1e6, 1e6])
    S, F = np.empty((1, 1)), np.empty(1)
    corner_values(points, origin, W, np.array([3.0]), S, F)
    x = [Fraction(p) + Fraction(o) for p, o in zip(points[0], origin, strict=True)]
    exact = Fraction(W[0, 0]) * x[0] + Fraction(W[0, 1]) * x[1] + Fraction(W[0, 2])
    assert S[0, 0] == float(exact)
    assert F[0] == pytest.approx(3 * float(exact), rel=3e-16)


@pytest.mark.parametrize("n", [0, 1, 7, 60])
def test_cells_of_a_triangle_are_those_of_its_lines(n):
    rng = np.random.default_rng(n)
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    W, a = rng.standard_normal((n, 3)), rng.standard_normal(n)
    S = corners @ W[:, :2].T + W[:, 2]
    base = (np.maximum(S, 0.0) @ a)[None]
    sup, at, mean, cells = split_triangles(S, a, np.array([[0, 1, 2]]), base)
    assert cells[0] == euler_count(W, corners)
    point = at[0] @ corners[1:]
    assert abs(np.maximum(W[:, :2] @ point + W[:, 2], 0) @ a) == pytest.approx(sup[0], rel=1e-12, abs=1e-13)
    weights = rng.dirichlet(np.ones(3), 20_000)
    sampled = np.maximum(weights @ S, 0) @ a
    assert np.abs(sampled).max() <= sup[0] * (1 + 1e-12)
    assert mean[0] == pytest.approx((sampled**2).mean(), rel=0.05)


def test_many_parallel_lines_need_no_fixed_room():
    n = 500
    S = np.array([np.full(n, -1.0), np.full(n, -1.0), np.full(n, 1.0)])
    S += np.linspace(-0.9, 0.9, n)
    *_, cells = split_triangles(S, np.ones(n), np.array([[0, 1, 2]]), np.zeros((1, 3)))
    assert cells[0] == n + 1


def test_triangles_that_only_touch_have_nothing_in_common():
    p = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]])
    for q in (p + np.array([1.0, 0.0]), p + np.array([0.0, 1.0]), 1 - p, p + 5.0):
        common = common_triangles(p, np.ascontiguousarray(q), np.zeros((1, 3)), np.zeros((1, 3)))
        assert len(common) == 0
    assert len(common_triangles(p, p.copy(), np.zeros((1, 3)), np.zeros((1, 3)))) == 1


def test_long_triangles_keep_the_grid_small():
    # Fans of needles: each meets as many boxes as the grid has in a row.
    angles = np.linspace(0, np.pi / 2, 2001)
    ring = np.column_stack([np.cos(angles), np.sin(angles)])
    p = np.stack([np.zeros((2000, 2)), ring[:-1], ring[1:]], axis=1)
    q = 1 - p
    common = common_triangles(p, q, np.ones((2000, 3)), np.ones((2000, 3)))
    u, v = common[:, 1, :2] - common[:, 0, :2], common[:, 2, :2] - common[:, 0, :2]
    # Two quarters of a disc overlap in a lens.
    assert (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum() / 2 == pytest.approx(np.pi / 2 - 1, abs=1e-6)
    np.testing.assert_allclose(common[:, :, 2:], 1, rtol=1e-14)


def test_points_are_located_in_the_first_of_their_polygons_or_nowhere():
    vertices = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [1, 0], [2, 0], [1, 1]])
    points = np.array([[0.5, 0.5], [1.2, 0.2], [3.0, 0.0], [0.5, -1e-9], [0.5, 1.0]])
    found = locate(points, vertices, np.array([0, 4, 7]))
    assert found.tolist() == [0, 1, -1, -1, 0]


def test_each_kernel_has_one_signature():
    for compiled in (corner_values, split_triangles, common_triangles, locate):
        assert len(getattr(compiled, "signatures", [1])) == 1
