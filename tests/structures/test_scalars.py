"""Numbers that are none, or out of bounds."""

from fractions import Fraction

import numpy as np
import pytest

from reluquant.structures.scalars import generator, real_number, whole_number


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int8(2), Fraction(2)])
def test_real_numbers_of_any_kind_become_floats(value):
    assert real_number(value, "x", above=1, least=1, most=3) == 2.0
    assert type(real_number(value, "x")) is float


@pytest.mark.parametrize("value", [None, "2", True, np.True_, 2 + 0j, np.complex128(2), [2.0], np.array([2.0])])
def test_what_is_no_real_number_is_refused(value):
    with pytest.raises(TypeError, match="x must be a finite number, but it is"):
        real_number(value, "x")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 10**400, 1.0, 0, 3.1])
def test_numbers_out_of_bounds_are_refused(value):
    with pytest.raises(ValueError, match="x must be a finite number above 1 and at most 3, but it is"):
        real_number(value, "x", above=1, most=3)


def test_the_least_number_is_allowed_and_the_one_above_is_not():
    assert real_number(0, "x", least=0) == 0
    with pytest.raises(ValueError, match="above 0"):
        real_number(0, "x", above=0)


@pytest.mark.parametrize("value", [1.0, "1", True, None])
def test_what_is_no_integer_is_refused(value):
    with pytest.raises(TypeError, match="n must be an integer of at least 1"):
        whole_number(value, "n")


def test_integers_within_bounds_become_ints():
    assert (whole_number(np.int64(3), "n", most=3), type(whole_number(np.int64(3), "n"))) == (3, int)
    with pytest.raises(ValueError, match="n must be an integer from 1 to 3, but it is 4"):
        whole_number(4, "n", most=3)


def test_generators_pass_and_seeds_repeat():
    source = np.random.default_rng(1)
    assert generator(source) is source
    assert generator(5).random() == generator(np.int64(5)).random()
    assert generator(None).random() != generator(None).random()
