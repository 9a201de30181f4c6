"""How user input becomes an immutable array, with one clear sentence when it cannot."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def frozen(values: ArrayLike, dtype: type = np.float64) -> np.ndarray:
    """Return a read-only C-contiguous copy: ``frozen=True`` alone does not freeze an array."""
    copy = np.array(values, dtype=dtype, order="C", copy=True)
    copy.setflags(write=False)
    return copy


def real_array(values: ArrayLike, name: str, ndim: tuple[int, ...] | None = None) -> Floats:
    """Return ``values`` as a read-only float64 array.

    Parameters
    ----------
    values : array_like
        Anything numpy understands: arrays, nested lists, a pandas Series.
    name : str
        What to call it in an error.
    ndim : tuple of int, optional
        The numbers of dimensions that are accepted; any by default.

    Returns
    -------
    ndarray of float64
        A read-only copy.

    Raises
    ------
    TypeError
        If the values are text, complex, dates or other objects.
    ValueError
        If they are ragged, have another number of dimensions, are masked, or hold NaN or infinity.
    """
    return frozen(finite_array(values, name, ndim))


def finite_array(values: ArrayLike, name: str, ndim: tuple[int, ...] | None = None) -> Floats:
    """Return ``values`` as `real_array` does, but writable, and without a copy where they are such an array already.

    For arguments that are only looked at, by kernels that are compiled for arrays that can be written.
    """
    if np.ma.is_masked(values):
        # np.asarray would drop the mask and use the numbers under it.
        raise ValueError(f"{name} must be complete, but some of its values are masked; remove or fill them.")
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} must be a rectangular array of numbers, but its rows differ in length: {error}"
        ) from error
    if raw.dtype.kind == "O":
        raw = _from_objects(raw, name)
    if raw.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, but it holds {_kind_name(raw)}; convert it to float first.")
    if ndim is not None and raw.ndim not in ndim:
        wanted = " or ".join(f"{d}-dimensional" for d in ndim)
        raise ValueError(f"{name} must be {wanted}, but it has shape {raw.shape}.")
    with np.errstate(over="ignore"):
        array = np.require(raw, np.float64, ["C", "W"])
    bad = np.flatnonzero(~np.isfinite(array.ravel()))
    if bad.size:
        raise ValueError(
            f"{name} must be finite, but {bad.size} of its {array.size} values are NaN or infinite"
            f" (the first at position {bad[0]}); remove or replace them."
        )
    return array


def row_mantissas(rows: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return rows (m, p) with their largest number in [½, 1), and the binary exponents (m,) that were taken out.

    Exact, unless a number is 1e-308 of the largest of its row.
    """
    exponent = np.frexp(np.max(np.abs(rows), axis=1, initial=0.0))[1].astype(np.int64)
    # Two halves, because 2^1074 alone overflows.
    half = -(exponent // 2)
    mantissa = np.ldexp(np.ldexp(rows, half[:, None].astype(np.int32)), (-exponent - half)[:, None].astype(np.int32))
    return mantissa, exponent


def _from_objects(raw: np.ndarray, name: str) -> np.ndarray:
    # Object arrays come from pandas' nullable columns and from lists of Fractions or of None.
    if any(isinstance(v, str | bytes | complex | np.complexfloating) for v in raw.ravel()):
        raise TypeError(
            f"{name} must hold real numbers, but it holds text or complex numbers; convert it to float first."
        )
    try:
        return raw.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{name} must hold real numbers, but a value could not be read as one: {error}.") from error


def _kind_name(raw: np.ndarray) -> str:
    names = {"c": "complex numbers", "U": "text", "S": "bytes", "M": "dates", "m": "time spans", "V": "records"}
    return names.get(raw.dtype.kind, f"values of type {raw.dtype}")
