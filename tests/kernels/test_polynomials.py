"""Root isolation against polynomials whose roots are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant.kernels import polynomials


@given(st.lists(st.floats(0.02, 0.98), min_size=0, max_size=6), st.floats(-2, 2), st.floats(0.1, 50))
def test_sign_changes_finds_every_simple_root(where, factor, hi):
    where = sorted(where)
    if any(b - a < 1e-3 for a, b in zip(where, where[1:], strict=False)) or abs(factor) < 1e-3:
        return
    size = 9
    coefficients = factor * np.polynomial.polynomial.polyfromroots([w * hi for w in where])
    series = np.zeros(size)
    series[: len(coefficients)] = coefficients
    roots = np.empty(size)
    polynomials.sign_changes(series, hi, np.zeros((polynomials.DEEPEST + 2, size)), roots)
    np.testing.assert_allclose(roots[: len(where)], [w * hi for w in where], rtol=1e-7)
    assert np.all(np.isinf(roots[len(where) :]))


def test_sign_changes_tells_a_near_pair_from_none():
    def count(gap):
        series, roots = np.zeros(5), np.empty(5)
        series[:3] = [0.3**2 - gap, -2 * 0.3, 1.0]
        polynomials.sign_changes(series, 1.0, np.zeros((polynomials.DEEPEST + 2, 5)), roots)
        return int(np.isfinite(roots).sum())

    # Roots 0.3 ± 1e-4, which any coarse sampling would step over, and a parabola that just misses zero.
    assert (count(1e-8), count(-1e-8)) == (2, 0)


@pytest.mark.parametrize("where", [(0.5,), (0.25, 0.5), (0.25, 0.375, 0.5, 0.75), (0.125, 0.9)])
def test_sign_changes_finds_roots_on_the_borders_of_its_intervals(where):
    series, roots = np.zeros(7), np.empty(7)
    series[: len(where) + 1] = np.polynomial.polynomial.polyfromroots(where)
    polynomials.sign_changes(series, 1.0, np.zeros((polynomials.DEEPEST + 2, 7)), roots)
    assert roots[: len(where)] == pytest.approx(where, rel=1e-12)
    assert np.all(np.isinf(roots[len(where) :]))


def test_sign_changes_of_zero_and_of_a_constant_are_none():
    for series in (np.zeros(6), np.array([-3.0, 0, 0, 0, 0, 0])):
        roots = np.empty(6)
        polynomials.sign_changes(series, 2.0, np.zeros((polynomials.DEEPEST + 2, 6)), roots)
        assert np.all(np.isinf(roots))
