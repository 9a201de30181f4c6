"""User input: what becomes an array, and the sentence when it cannot."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from reluquant.structures.arrays import finite_array, frozen, real_array


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [1.0, 2.0]),
        ((0.5,), [0.5]),
        (np.array([1, 2], dtype=np.int8), [1.0, 2.0]),
        (np.array([0.5], dtype=np.float16), [0.5]),
        ([True, False], [1.0, 0.0]),
        ([Fraction(1, 2), 3], [0.5, 3.0]),
        (pd.Series([1.0, 2.0], index=["a", "b"]), [1.0, 2.0]),
        (pd.Series([1, 2], dtype="Int64"), [1.0, 2.0]),
        (np.ma.array([1.0, 2.0]), [1.0, 2.0]),
        (range(3), [0.0, 1.0, 2.0]),
        ([1e300, -5e-324], [1e300, -5e-324]),
    ],
)
def test_numbers_of_all_kinds_become_float64(values, expected):
    array = real_array(values, "x", ndim=(1,))
    assert array.dtype == np.float64
    assert array.tolist() == expected


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["a", "b"], "x must hold real numbers, but it holds text"),
        ("12", "x must hold real numbers, but it holds text"),
        ([b"1"], "bytes"),
        ([1.0, "2"], "text"),
        ([1 + 2j], "complex numbers"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "dates"),
        (np.array([1], dtype="timedelta64[D]"), "time spans"),
        ([object()], "could not be read as one"),
        ([10**400], "could not be read as one"),
        ({"a": 1}, "could not be read as one"),
        (np.zeros(2, dtype=[("a", float)]), "records"),
    ],
)
def test_other_types_are_refused(values, sentence):
    with pytest.raises(TypeError, match=sentence):
        real_array(values, "x")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1.0, np.nan], r"x must be finite, but 1 of its 2 values are NaN or infinite \(the first at position 1\)"),
        ([np.inf, -np.inf, 1.0], r"2 of its 3 values .* position 0"),
        ([1.0, None], "NaN or infinite"),
        (pd.Series([1.0, None]), "NaN or infinite"),
        (pd.Series([1, pd.NA], dtype="Int64"), "NaN or infinite"),
        ([[1.0, 2.0], [3.0]], "rectangular array of numbers, but its rows differ in length"),
        (np.ma.array([1.0, 2.0], mask=[True, False]), "some of its values are masked"),
        (np.array([np.longdouble(10) ** 400]), "NaN or infinite"),
    ],
)
def test_values_that_are_no_finite_numbers_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        real_array(values, "x")


@pytest.mark.parametrize(
    ("values", "shape"), [(1.0, r"\(\)"), (np.ones((2, 2, 2)), r"\(2, 2, 2\)"), (None, r"\(\)"), (True, r"\(\)")]
)
def test_other_shapes_are_refused(values, shape):
    with pytest.raises(ValueError, match=f"x must be 1-dimensional or 2-dimensional, but it has shape {shape}"):
        real_array(values, "x", ndim=(1, 2))


def test_any_number_of_dimensions_by_default():
    assert real_array(1.0, "x").shape == ()
    assert real_array(np.ones((2, 3, 4)), "x").shape == (2, 3, 4)


def test_result_is_a_read_only_copy_in_row_order():
    source = np.asfortranarray(np.ones((2, 3)))
    for copy in (real_array(source, "x"), frozen(source)):
        source[0, 0] = 5.0
        assert copy[0, 0] == 1.0
        assert copy.flags.c_contiguous
        with pytest.raises(ValueError, match="read-only"):
            copy[0, 0] = 2.0
        source[0, 0] = 1.0


def test_frozen_converts():
    assert frozen([1.0, 2.0], np.int64).dtype == np.int64


def test_what_is_only_looked_at_is_copied_where_it_must_be():
    values = np.ones((3, 2))
    assert finite_array(values, "x") is values
    transposed, locked = np.ones((2, 3)).T, frozen(values)
    for given in (transposed, locked, [[1.0, 1.0]], np.ones((3, 2), dtype=np.float32)):
        array = finite_array(given, "x")
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert array.dtype == np.float64
    assert not locked.flags.writeable
    assert not real_array(values, "x").flags.writeable
    assert values.flags.writeable
