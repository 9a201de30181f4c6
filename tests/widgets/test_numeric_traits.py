import math
from fractions import Fraction

import numpy as np
import pytest
import traitlets as T
from hypothesis import given
from hypothesis import strategies as st

from reluquant.widgets.numeric_traits import FiniteFloat, Indices, WholeNumber


class Machine(T.HasTraits):
    size = FiniteFloat(1.0, min=0.5, max=10.0)
    pace = FiniteFloat(1.0, min=0.0)
    shift = FiniteFloat(0.0)
    count = WholeNumber(1, min=1, max=10_000)


@given(st.floats())
def test_a_float_is_taken_exactly_when_it_is_finite_and_inside(value):
    machine = Machine()
    if math.isfinite(value) and 0.5 <= value <= 10.0:
        machine.size = value
        assert machine.size == value
    else:
        with pytest.raises(T.TraitError):
            machine.size = value
        assert machine.size == 1.0


@pytest.mark.parametrize("value", [2, np.int64(2), np.float32(2.0), np.float64(2.0), Fraction(2)])
def test_numbers_of_any_kind_become_floats(value):
    machine = Machine(size=value)
    assert type(machine.size) is float
    assert machine.size == 2.0


@pytest.mark.parametrize("value", [2, np.int64(2), np.uint8(2)])
def test_whole_numbers_of_any_kind_become_ints(value):
    machine = Machine(count=value)
    assert type(machine.count) is int
    assert machine.count == 2


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("size", math.nan, "size must be a finite number from 0.5 to 10, but got nan."),
        ("size", np.float32("nan"), "size must be a finite number from 0.5 to 10, but got nan."),
        ("size", 0.25, "size must be a finite number from 0.5 to 10, but got 0.25."),
        ("size", 10.000000001, "size must be a finite number from 0.5 to 10, but got 10.000000001."),
        ("size", "2", "size must be a finite number from 0.5 to 10, but got '2'."),
        ("size", True, "size must be a finite number from 0.5 to 10, but got True."),
        ("size", None, "size must be a finite number from 0.5 to 10, but got None."),
        ("size", [1.0], "size must be a finite number from 0.5 to 10, but got an object of type list."),
        ("size", Fraction(10**400), "size must be a finite number from 0.5 to 10, but got inf."),
        ("pace", math.inf, "pace must be a finite number of at least 0, but got inf."),
        ("pace", -1, "pace must be a finite number of at least 0, but got -1."),
        ("shift", -math.inf, "shift must be a finite number, but got -inf."),
        ("count", 0, "count must be a whole number from 1 to 10,000, but got 0."),
        ("count", 2.0, "count must be a whole number from 1 to 10,000, but got 2.0."),
        ("count", math.nan, "count must be a whole number from 1 to 10,000, but got nan."),
        ("count", True, "count must be a whole number from 1 to 10,000, but got True."),
    ],
)
def test_what_is_refused_gets_one_sentence_also_at_the_start(name, value, sentence):
    with pytest.raises(T.TraitError) as refused:
        setattr(Machine(), name, value)
    assert str(refused.value) == sentence
    with pytest.raises(T.TraitError) as refused:
        Machine(**{name: value})
    assert str(refused.value) == sentence


class Chosen(T.HasTraits):
    rows = Indices(())


def test_indices_are_sorted_once_and_read_only():
    chosen = Chosen(rows=[5, 0, 5, 3])
    assert chosen.rows.tolist() == [0, 3, 5]
    assert not chosen.rows.flags.writeable
    for nothing in ((), None, np.zeros(0)):
        chosen.rows = nothing
        assert chosen.rows.size == 0


@pytest.mark.parametrize("value", [3, "0", [0.5], [[1]], [[1], [1, 2]], [True], {"a": 1}])
def test_other_things_are_no_indices(value):
    with pytest.raises(T.TraitError, match="rows must be a list of indices such as"):
        Chosen(rows=value)
