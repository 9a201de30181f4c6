"""Sectors, held against patterns counted sample by sample."""

import math
import time
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from reluquant import Dataset, sectors
from reluquant.analysis.sectors import activation_pattern

number = st.integers(-5, 5).map(float) | st.floats(-100, 100)
inputs = st.lists(number, min_size=1, max_size=10)


def data_at(x):
    return Dataset(x, np.zeros(len(x)))


@given(inputs)
def test_two_sectors_for_every_different_input(x):
    arcs = sectors(data_at(x))
    assert arcs.n_sectors == 2 * len(set(x))
    assert len({row.tobytes() for row in arcs.patterns}) == arcs.n_sectors


@given(inputs)
def test_boundaries_are_sorted_and_on_their_sample(x):
    arcs = sectors(data_at(x))
    assert np.all(np.diff(arcs.boundaries) >= 0)
    assert np.all(np.abs(arcs.boundaries) <= math.pi)
    on_boundary = np.cos(arcs.boundaries) * np.array(x)[arcs.samples] + np.sin(arcs.boundaries)
    assert np.all(np.abs(on_boundary) <= 1e-15 * (1 + np.abs(np.array(x)[arcs.samples])))


@given(st.lists(st.integers(-300, 300).map(lambda i: i / 7), min_size=1, max_size=10))
def test_pattern_is_that_of_the_middle_of_the_sector(x):
    arcs = sectors(data_at(x))
    W = np.column_stack([np.cos(arcs.angles), np.sin(arcs.angles)])
    expected = [[Fraction(w) * Fraction(v) + Fraction(b) > 0 for v in x] for w, b in W]
    assert arcs.patterns.tolist() == expected


@given(inputs)
def test_neighbours_differ_by_the_sample_on_their_boundary(x):
    arcs = sectors(data_at(x))
    patterns = arcs.patterns
    for i, sample in enumerate(arcs.samples):
        changed = np.flatnonzero(patterns[i - 1] != patterns[i])
        assert changed.tolist() == [k for k, v in enumerate(x) if v == x[sample]]
        assert sample == changed[0]


def test_equal_inputs_share_a_boundary():
    arcs = sectors(data_at([2.0, 0.0, 2.0, -0.0]))
    assert arcs.n_sectors == 4
    assert sorted(arcs.samples.tolist()) == [0, 0, 1, 1]


def test_combinatorics_outlive_angles_that_round_alike():
    x = [1e300, 2e300, 3e300, -1e300]
    arcs = sectors(data_at(x))
    assert arcs.n_sectors == 8
    assert len({row.tobytes() for row in arcs.patterns}) == 8


@given(st.lists(st.tuples(number, number), min_size=1, max_size=5), inputs)
def test_activation_pattern_is_exact(W, x):
    expected = [
        [int(np.sign(float(np.sign(v)))) for v in (Fraction(w) * Fraction(u) + Fraction(b) for u in x)] for w, b in W
    ]
    assert activation_pattern(W, data_at(x)).tolist() == expected


def test_activation_pattern_next_to_a_boundary():
    x = 0.1 / 3
    W = np.array([[3.0, -0.1], [3.0, -3 * x], [1.0, -x], [1e-200, -1e-200 * x]])
    assert activation_pattern(W, data_at([x])).ravel().tolist() == [
        -1,
        -1,
        0,
        np.sign(Fraction(1e-200) * Fraction(x) - Fraction(1e-200 * x)),
    ]


def test_activation_pattern_of_one_neuron_and_far_out():
    assert activation_pattern([1e-300, -1.0], data_at([1e300, 0.0])).tolist() == [
        int(np.sign(Fraction(1e-300) * Fraction(1e300) - 1)),
        -1,
    ]
    assert activation_pattern([1e300, 1.0], data_at([1e300, -1e300])).tolist() == [1, -1]


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.booleans())
def test_activation_pattern_is_exact_in_any_dimension(seed, d, bias):
    # Small multiples of powers of two: many products add up to zero, some only to its rounding.
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, (5, d)) * 10.0 ** rng.integers(-3, 4, d)
    W = rng.integers(-3, 4, (6, d + bias)) * np.r_[10.0 ** rng.integers(-3, 4, d), [1.0] * bias]
    data = Dataset(X, np.zeros(5), bias=bias)
    for w, signs in zip(W, activation_pattern(W, data), strict=True):
        exact = [sum(Fraction(a) * Fraction(b) for a, b in zip(w, x, strict=True)) for x in data.inputs]
        assert signs.tolist() == [(v > 0) - (v < 0) for v in exact]


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="sectors needs a Dataset, but got list"):
        sectors([0.0, 1.0])
    with pytest.raises(ValueError, match="W must have 2 columns, .* and one for the bias, but it has"):
        activation_pattern(np.ones((2, 3)), data_at([1.0]))
    with pytest.raises(ValueError, match="must be finite"):
        activation_pattern([np.nan, 1.0], data_at([1.0]))


def test_result_is_immutable():
    arcs = sectors(data_at([0.0, 1.0]))
    with pytest.raises(ValueError, match="read-only"):
        arcs.boundaries[0] = 0.0


def in_general_position(n_samples, p, seed):
    return Dataset(np.random.default_rng(seed).standard_normal((n_samples, p)), np.zeros(n_samples), bias=False)


def rows(patterns):
    return {tuple(row) for row in np.asarray(patterns).tolist()}


def feasible(X, signs):
    """Whether some w has sign(w·x_k) = signs[k], by a linear program."""
    held, off = X[signs == 0], X[signs != 0] * signs[signs != 0, None]
    equal = (held, np.zeros(len(held))) if len(held) else (None, None)
    found = linprog(np.zeros(X.shape[1]), -off, -np.ones(len(off)), *equal, bounds=(None, None))
    return found.status == 0


@pytest.mark.parametrize(("n", "p", "count"), [(3, 2, 6), (5, 3, 22), (6, 3, 32), (6, 4, 52), (3, 5, 8), (4, 1, 2)])
def test_known_counts_in_general_position(n, p, count):
    # Cover's 2 Σ_{i<p} C(n-1, i); with fewer samples than dimensions every pattern occurs.
    found = sectors(in_general_position(n, p, 0))
    assert found.n_sectors == len(rows(found.patterns)) == count


@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_count_formula_and_euler_relation(n, p, seed):
    found = sectors(in_general_position(n, p, seed))
    assert found.n_sectors == 2 * sum(math.comb(n - 1, i) for i in range(p))
    # Rays to sectors tile the sphere of dimension min(n, p) - 1 (times what no sample sees).
    smallest = max(p - n, 0)
    faces = [len(found.faces(d)) for d in range(smallest + 1, p + 1)]
    assert sum((-1) ** i * count for i, count in enumerate(faces)) == 1 + (-1) ** (min(n, p) - 1)
    assert faces[-1] == found.n_sectors
    if n >= p:
        assert len(found.rays) == faces[0] == 2 * math.comb(n, p - 1)


@given(st.integers(1, 7), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_directions_have_the_patterns_exactly(n, p, seed):
    data = in_general_position(n, p, seed)
    found = sectors(data)
    X = [[Fraction(v) for v in row] for row in data.X]
    signs = [[sum(Fraction(w) * v for w, v in zip(u, x, strict=True)) > 0 for x in X] for u in found.directions]
    assert signs == found.patterns.tolist()
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1.0, rtol=1e-15)


@pytest.mark.parametrize(("n", "p", "seed"), [(6, 3, 1), (5, 4, 2), (7, 2, 3)])
def test_patterns_are_those_of_linear_programs(n, p, seed):
    data = in_general_position(n, p, seed)
    expected = {signs for signs in product((-1, 1), repeat=n) if feasible(data.X, np.array(signs))}
    assert rows(sectors(data).patterns) == {tuple(s > 0 for s in signs) for signs in expected}


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.integers(-2, 2).map(float)] * 3), min_size=1, max_size=4))
def test_degenerate_faces_are_those_of_linear_programs(points):
    # Small integers: parallel, opposite, repeated and zero inputs, three boundaries through one ray.
    X = np.array(points)
    found = sectors(Dataset(X, np.zeros(len(X)), bias=False))
    faces = np.concatenate([found.faces(d) for d in (1, 2, 3)])
    expected = {signs for signs in product((-1, 0, 1), repeat=len(X)) if feasible(X, np.array(signs))}
    # A linear program calls w = 0 a solution; it is a direction only if more weights do as well.
    expected -= {(0,) * len(X)} if np.linalg.matrix_rank(X) == 3 else set()
    assert rows(faces) == expected
    assert len(faces) == len(expected)
    assert rows(found.patterns) == rows(found.faces(3) > 0)
    assert found.n_sectors == len(rows(found.patterns))


def test_xor_inputs_have_four_sectors_without_bias_and_fourteen_with():
    X = np.array([[1, 1], [-1, -1], [1, -1], [-1, 1]])
    assert sectors(Dataset(X, np.zeros(4), bias=False)).n_sectors == 4
    # All 16 labellings of four points but the two XORs can be separated.
    patterns = rows(sectors(Dataset(X, np.zeros(4))).patterns)
    assert rows(product((False, True), repeat=4)) - patterns == {
        (True, True, False, False), (False, False, True, True)
    }  # fmt: skip


def test_grid_of_nine_points_has_58_sectors():
    # Threshold functions on a 3 by 3 grid: OEIS A114043 counts them up to exchange of the sides, 29.
    X = [[i, j] for i in range(3) for j in range(3)]
    assert sectors(Dataset(X, np.zeros(9))).n_sectors == 58


@given(st.integers(0, 2**32 - 1), st.permutations(range(6)))
def test_order_and_positive_factors_of_samples_do_not_matter(seed, order):
    data = in_general_position(6, 3, seed)
    factors = np.random.default_rng(seed).uniform(0.1, 10, 6)
    other = Dataset((data.X * factors[:, None])[order], np.zeros(6), bias=False)
    assert rows(sectors(other).patterns) == rows(sectors(data).patterns[:, order])


def test_line_and_general_way_agree():
    x = np.array([2.0, -1.0, 0.5, 2.0, 0.0])
    arcs, cones = sectors(data_at(x)), sectors(Dataset(np.c_[x, np.ones(5)], np.zeros(5), bias=False))
    assert rows(arcs.patterns) == rows(cones.patterns)
    assert rows(arcs.faces(1)) == rows(cones.faces(1))
    assert np.array_equal(np.sign(arcs.directions @ np.c_[x, np.ones(5)].T) > 0, arcs.patterns)
    # The rays of the line are its boundaries.
    angles = np.arctan2(arcs.rays[:, 1], arcs.rays[:, 0])
    np.testing.assert_allclose(np.sort(angles % math.tau), np.sort(arcs.boundaries % math.tau), atol=1e-15)


def test_combinatorics_in_the_plane_are_exact_where_floats_round():
    # The third point is on the line through the others up to 2^-60: it parts two patterns or shares their ray.
    for off, count in ((0.0, 6), (2.0**-60, 8)):
        found = sectors(Dataset([[-1.0, 0.0], [1.0, 0.0], [0.0, off]], np.zeros(3)))
        assert found.n_sectors == count


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_scale_of_inputs_does_not_matter(scale):
    data = in_general_position(6, 3, 5)
    scaled = sectors(Dataset(data.X * scale, np.zeros(6), bias=False))
    assert rows(scaled.patterns) == rows(sectors(data).patterns)
    np.testing.assert_allclose(np.linalg.norm(scaled.rays, axis=1), 1.0, rtol=1e-15)


def test_inputs_that_do_not_span_and_inputs_that_are_zero():
    assert sectors(Dataset(np.zeros((2, 3)), np.zeros(2), bias=False)).patterns.tolist() == [[False, False]]
    thin = sectors(Dataset([[1.0, 2.0, 0.0], [2.0, 4.0, 1.0], [0.0, 0.0, 0.0]], np.zeros(3), bias=False))
    assert rows(thin.patterns) == {(a, b, False) for a in (True, False) for b in (True, False)}
    assert [len(thin.faces(d)) for d in (1, 2, 3)] == [1, 4, 4]


def test_too_many_sectors_are_refused_with_their_formula():
    data = in_general_position(30, 4, 0)
    with pytest.raises(ValueError, match=r"2·Σ_\{i<4\} C\(29, i\) = 8180 sectors, more than max_sectors=8000"):
        sectors(data, max_sectors=8000)
    assert sectors(data, max_sectors=8180).n_sectors == 8180


def test_forty_samples_in_four_dimensions_take_seconds():
    data = in_general_position(40, 4, 0)
    start = time.process_time()
    found = sectors(data)
    # A fifth of a second; the limit allows for slow machines and other work.
    assert time.process_time() - start < 20
    assert len(rows(found.patterns)) == 2 * (1 + 39 + math.comb(39, 2) + math.comb(39, 3))
    assert np.array_equal(found.directions @ data.X.T > 0, found.patterns)


def test_the_text_form_counts_and_lists_nothing():
    line = sectors(Dataset([0.0, 1.0, 2.0], [0.0, 0.0, 0.0]))
    assert (repr(line), len(line)) == ("Arcs(n_sectors=6, n_samples=3, dimension=2)", 6)
    corner = sectors(Dataset(np.eye(2), np.ones(2), bias=False))
    assert (repr(corner), len(corner)) == ("Cones(n_sectors=4, n_samples=2, dimension=2)", 4)
