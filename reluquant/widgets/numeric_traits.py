"""Numbers as traits: finite, inside a range, and refused in one sentence."""

from __future__ import annotations

import math
import numbers
import reprlib

import numpy as np
import traitlets as T
from numpy.typing import NDArray

from reluquant.structures.arrays import frozen


class FiniteFloat(T.Float):
    """A finite real number inside a range; NaN would pass every comparison of :class:`traitlets.Float`.

    Parameters
    ----------
    default_value : float
        Value at the start.
    min, max : float, optional
        Ends of the range, which belong to it.
    """

    def validate(self, obj: object, value: object) -> float:
        """Return ``value`` as a float.

        Raises
        ------
        TraitError
            In one sentence, if it is not a real number, not finite, or out of range.
        """
        number = _as_float(value)
        if not (math.isfinite(number) and _inside(self, number)):
            raise T.TraitError(f"{self.name} must be a finite number{_range(self)}, but got {came(value)}.")
        return number


class WholeNumber(T.Int):
    """A whole number inside a range, of Python or of numpy.

    Parameters
    ----------
    default_value : int
        Value at the start.
    min, max : int, optional
        Ends of the range, which belong to it.
    """

    def validate(self, obj: object, value: object) -> int:
        """Return ``value`` as an int.

        Raises
        ------
        TraitError
            In one sentence, if it is not a whole number or out of range.
        """
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not _inside(self, int(value)):
            raise T.TraitError(f"{self.name} must be a whole number{_range(self)}, but got {came(value)}.")
        return int(value)


class Indices(T.TraitType):
    """Indices as a read-only array, in increasing order, each once."""

    info_text = "a list of indices"

    def validate(self, obj: object, value: object) -> NDArray[np.int64]:
        """Return ``value`` as such an array.

        Raises
        ------
        TraitError
            In one sentence, if it is something else.
        """
        try:
            indices = np.asarray([] if value is None else value)
        except ValueError:
            # A ragged list is no array, and so no list of indices.
            indices = np.asarray(0)
        if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
            raise T.TraitError(f"{self.name} must be a list of indices such as [0, 5], but got {came(value)}.")
        return frozen(np.unique(indices), np.int64)


def came(value: object) -> str:
    """Say in few words what came instead of a number.

    Parameters
    ----------
    value : object
        What was given.

    Returns
    -------
    str
        A number or a text as it is, shortened if it is long; of anything else the type.
    """
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return reprlib.repr(int(value))
    if isinstance(value, bool | str | None):
        return reprlib.repr(value)
    return repr(_as_float(value)) if isinstance(value, numbers.Real) else f"an object of type {type(value).__name__}"


def _as_float(value: object) -> float:
    """The number; NaN in place of what is none, infinity in place of what is too large for a float."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _inside(trait: T.Float | T.Int, number: float) -> bool:
    return (trait.min is None or number >= trait.min) and (trait.max is None or number <= trait.max)


def _range(trait: T.Float | T.Int) -> str:
    if trait.min is None or math.isinf(trait.min):
        return ""
    if trait.max is None or math.isinf(trait.max):
        return f" of at least {_end(trait.min)}"
    return f" from {_end(trait.min)} to {_end(trait.max)}"


def _end(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"
