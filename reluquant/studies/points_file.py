"""Read a text file with two columns of numbers."""

from __future__ import annotations

import codecs
import math
from pathlib import Path

from reluquant.structures.dataset import Dataset

_DELIMITERS = (",", ";", "\t")
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_points(path: str | Path) -> Dataset:
    r"""Read x and y from a text file with two columns.

    Columns are separated by commas, semicolons, tabs or blanks. One line of column names may come
    first; blank lines and lines that start with ``#`` are skipped.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    Dataset
        One feature, named after the file.

    Raises
    ------
    ValueError
        With one sentence that names the file and the line, if the file does not exist or is not
        text in UTF-8, holds no points, or a line does not hold two finite numbers.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "points.csv"
    >>> _ = path.write_text("x,y\n-1,1\n0,0\n1,1\n")
    >>> read_points(path).y
    array([1., 0., 1.])
    """
    path = Path(path)
    rows = _rows(path)
    if not rows:
        raise ValueError(f"{path} holds no points; it needs two columns of numbers, x and y.")
    header = not any(_is_number(cell) for cell in rows[0][1])
    if header and len(rows) == 1:
        raise ValueError(f"{path} holds a line of column names but no points.")
    if not header:
        _check_first_line(path, *rows[0])
    points = [_point(path, number, cells) for number, cells in (rows[1:] if header else rows)]
    return Dataset([x for x, _ in points], [y for _, y in points], name=path.stem)


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return (line number, cells) of every line that is neither blank nor a comment."""
    try:
        # Spreadsheets put a byte-order mark before the first cell.
        text = path.read_text(encoding="utf-8-sig")
        foreign = "is in UTF-16" if "\0" in text else ""
    except UnicodeDecodeError as error:
        foreign = "is in UTF-16" if error.object.startswith(_UTF16_MARKS) else "is not a text file in UTF-8"
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise ValueError(f"{path} cannot be read ({reason}); give the path of a text file with two columns.") from error
    if foreign:
        raise ValueError(f"{path} {foreign}; save it as UTF-8 text with two columns of numbers, x and y.")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    delimiter = next((mark for mark in _DELIMITERS if lines and mark in lines[0][1]), None)
    return [(number, [cell.strip().strip('"') for cell in line.split(delimiter)]) for number, line in lines]


def _check_first_line(path: Path, number: int, cells: list[str]) -> None:
    names = [cell for cell in cells if not _is_number(cell)]
    if len(cells) == 2 and names:
        raise ValueError(
            f"{path}, line {number}: expected a number, but found {names[0]!r};"
            " a line of column names must name both columns, as in x,y."
        )


def _point(path: Path, number: int, cells: list[str]) -> tuple[float, float]:
    if len(cells) != 2:
        raise ValueError(f"{path}, line {number}: expected two columns, x and y, but found {len(cells)}.")
    for cell in cells:
        if not _is_number(cell):
            raise ValueError(f"{path}, line {number}: expected a number, but found {cell!r}.")
        if not math.isfinite(float(cell)):
            raise ValueError(f"{path}, line {number}: expected a finite number, but found {cell!r}; remove the line.")
    return float(cells[0]), float(cells[1])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
