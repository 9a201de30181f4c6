"""IDX files, the format of MNIST and its relatives: what is wrong with one is said in one sentence.

Two zero bytes, a byte for the type of the values, one for the number of dimensions, each dimension as
four bytes with the highest first, then the values; often compressed by gzip.
"""

from __future__ import annotations

import math
import zlib
from contextlib import nullcontext
from gzip import BadGzipFile, GzipFile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_GZIP = b"\x1f\x8b"
_UNSIGNED_BYTES = 0x08
_KINDS = {1: "labels", 3: "images"}
# No such file is larger, but a damaged header may claim 10^29 values.
_MOST_VALUES = 2**30


def read_images(path: Path) -> Bytes:
    """Return the images of an IDX file, shape (n_images, n_rows, n_columns).

    Whether the file is compressed is seen from its first bytes, not from its name.

    Raises
    ------
    ValueError
        If the file is cut off, damaged, or something else.
    """
    return _read(path, 3)


def read_labels(path: Path) -> Bytes:
    """Return the labels of an IDX file, shape (n_images,); errors as for `read_images`."""
    return _read(path, 1)


def _read(path: Path, n_dims: int) -> Bytes:
    with path.open("rb") as raw:
        zipped = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        try:
            with GzipFile(fileobj=raw) if zipped else nullcontext(raw) as file:
                return _values(file, n_dims)
        except EOFError:
            fault = "is cut off: its compressed data end too early"
        except (BadGzipFile, zlib.error) as error:
            fault = f"is damaged: it cannot be decompressed ({error})"
        except _NoIdxFileError as error:
            fault = str(error)
    raise ValueError(f"{path} {fault}; put a sound copy of the IDX file of {_KINDS[n_dims]} in its place.")


class _NoIdxFileError(Exception):
    """What a file is instead."""


def _values(file: BinaryIO, n_dims: int) -> Bytes:
    shape = _shape(file, n_dims)
    size = math.prod(shape)
    # One more than there should be shows what is too much, and makes gzip compare its own checksum.
    content = file.read(size + 1)
    claim = f"its header says {' × '.join(map(str, shape))} values"
    if len(content) < size:
        raise _NoIdxFileError(f"is cut off: {claim}, but only {len(content)} follow")
    if len(content) > size:
        raise _NoIdxFileError(f"is damaged: {claim}, but more follow")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _shape(file: BinaryIO, n_dims: int) -> tuple[int, ...]:
    magic = file.read(4)
    if not magic:
        raise _NoIdxFileError("is empty")
    if magic.lstrip()[:1] == b"<":
        raise _NoIdxFileError("is a web page, saved under the name of a data file")
    if len(magic) < 4:
        raise _NoIdxFileError("is cut off within its header")
    if magic[:2] != b"\0\0":
        raise _NoIdxFileError(f"is no IDX file: it starts with {magic.hex(' ')} and not with 00 00")
    if magic[2] != _UNSIGNED_BYTES:
        raise _NoIdxFileError(f"holds values of type {magic[2]:#04x}, but unsigned bytes (0x08) are expected")
    if magic[3] != n_dims:
        found = _KINDS.get(magic[3], f"arrays of {magic[3]} dimensions")
        raise _NoIdxFileError(f"holds {found}, but {_KINDS[n_dims]} are expected")
    sizes = file.read(4 * n_dims)
    if len(sizes) < 4 * n_dims:
        raise _NoIdxFileError("is cut off within its header")
    shape = tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))
    if not 0 < math.prod(shape) <= _MOST_VALUES:
        raise _NoIdxFileError(f"is damaged: its header says {' × '.join(map(str, shape))} values")
    return shape
