"""Sectors, held against patterns counted sample by sample."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="one input dimension with bias so far, but the data have 2 features"):
        sectors(Dataset(np.ones((3, 2)), np.ones(3)))
    with pytest.raises(ValueError, match="bias=False"):
        sectors(Dataset([1.0], [1.0], bias=False))
    with pytest.raises(ValueError, match="two columns, slope and bias, but it has shape"):
        activation_pattern(np.ones((2, 3)), data_at([1.0]))
    with pytest.raises(ValueError, match="must be finite"):
        activation_pattern([np.nan, 1.0], data_at([1.0]))


def test_result_is_immutable():
    arcs = sectors(data_at([0.0, 1.0]))
    with pytest.raises(ValueError, match="read-only"):
        arcs.boundaries[0] = 0.0
