"""How single numbers from a user are checked: one sentence for everything that they are not."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np

Rng = int | np.random.Generator | None


def real_number(
    value: object, name: str, *, above: float | None = None, least: float | None = None, most: float = math.inf
) -> float:
    """Return ``value`` as a finite float.

    Parameters
    ----------
    value : object
        What a user gave.
    name : str
        What to call it in an error.
    above, least, most : float, optional
        It must be above, at least, at most that.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If it is not a real number (a bool is none).
    ValueError
        If it is not finite or outside its bounds.
    """
    low = -math.inf if above is None and least is None else max(v for v in (above, least) if v is not None)

    def wanted() -> str:
        bounds = "" if above is None else f" above {above:g}"
        bounds += "" if least is None else f" of at least {least:g}"
        bounds += "" if most == math.inf else f" and at most {most:g}"
        return f"{name} must be a finite number{bounds}, but it is {value!r}."

    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(wanted())
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < low or number > most or (above is not None and number <= above):
        raise ValueError(wanted())
    return number


def whole_number(value: object, name: str, *, least: int = 1, most: int | None = None) -> int:
    """Return ``value`` as an int.

    Parameters
    ----------
    value : object
        What a user gave.
    name : str
        What to call it in an error.
    least, most : int
        Its bounds.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If it is not an integer (a bool is none).
    ValueError
        If it is outside its bounds.
    """
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    wanted = f"{name} must be an integer {bounds}, but it is {value!r}."
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(wanted)
    if value < least or (most is not None and value > most):
        raise ValueError(wanted)
    return int(value)


def generator(rng: Rng) -> np.random.Generator:
    """Return the generator that ``rng`` is, or seeds.

    Parameters
    ----------
    rng : int, numpy.random.Generator or None
        A seed of at least 0, a generator that is used as it is, or None for a start that cannot be repeated.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    if rng is None or isinstance(rng, np.random.Generator):
        return np.random.default_rng(rng)
    if isinstance(rng, bool | np.bool_) or not isinstance(rng, Integral):
        raise TypeError(f"rng must be an integer seed, a numpy.random.Generator or None, but it is {rng!r}.")
    return np.random.default_rng(whole_number(rng, "rng", least=0))
