"""Arrangements of lines in a polygon, held against polygons cut in Fractions and Euler's formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reluquant.analysis.planar_arrangement import PlanarArrangement
from reluquant.analysis.planar_frame import Frame
from tests.oracles_planar import ZERO, Cell, euler_count, fractions, network_cells, value
from tests.strategies import seeds

SQUARE = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
HEXAGON = np.array([(-2.0, 0.0), (-1.0, -1.5), (1.0, -1.5), (2.5, 0.0), (1.0, 1.25), (-1.0, 1.25)])
STEPS = np.arange(-7, 8) / 8

quarter = st.integers(-4, 4).map(lambda i: i / 4)


def arranged(lines, region) -> PlanarArrangement:
    """Arrange lines, rows (u, v, w) of floats with few bits, no two of which are the same."""
    frame = Frame(region)
    integers = np.array(np.asarray(lines) * 2**20, dtype=np.int64).astype(object)
    return PlanarArrangement(frame, frame.lines(integers.reshape(-1, 3)))


def different(lines) -> list:
    """Drop lines that are another one again, or no lines."""
    found = []
    for line in lines:
        if any(line[:2]) and not any(not np.cross(line, other).any() for other in found):
            found.append(line)
    return found


def sides(arrangement: PlanarArrangement, n: int) -> np.ndarray:
    """Return on which side of n lines each cell is, one step after the other."""
    cells = arrangement.cells()
    table = np.tile(cells.first, (cells.parent.size, 1))
    for i in range(1, cells.parent.size):
        assert cells.parent[i] < i
        table[i] = table[cells.parent[i]]
        assert table[i, cells.line[i]] != cells.positive[i], "the step goes across the line"
        table[i, cells.line[i]] = cells.positive[i]
    assert table.shape == (cells.parent.size, n)
    return table


def assert_is(lines, region) -> None:
    """Each cell of the plane that is cut in Fractions is there once, with its corners and its sides."""
    arrangement = arranged(lines, region)
    cells = arrangement.cells()
    exact = network_cells([Cell(fractions(region), ZERO)], [(*line, 1.0) for line in lines])
    assert arrangement.n_cells() == cells.parent.size == len(exact)
    places = arrangement._frame.outside(cells.vertices)
    table = sides(arrangement, len(lines))
    found = {}
    for i, row in enumerate(table):
        corners = places[cells.corners[cells.starts[i] : cells.starts[i + 1]]]
        found[tuple(row.tolist())] = np.roll(corners, -np.lexsort(np.round(corners, 9).T[::-1])[0], axis=0)
    assert len(found) == len(exact)
    rows = fractions(lines)
    for cell in exact:
        middle = tuple(sum(x) / len(cell.polygon) for x in zip(*cell.polygon, strict=True))
        corners = np.array(cell.polygon, dtype=float)
        corners = np.roll(corners, -np.lexsort(np.round(corners, 9).T[::-1])[0], axis=0)
        np.testing.assert_allclose(found[tuple(value(line, middle) > 0 for line in rows)], corners, atol=1e-13)


@settings(max_examples=100)
@given(st.lists(st.tuples(quarter, quarter, quarter), max_size=9), st.sampled_from([SQUARE, HEXAGON]))
def test_degenerate_lines(lines, region):
    assert_is(different(lines), region)


@settings(max_examples=15)
@given(seeds, st.sampled_from([SQUARE, HEXAGON]))
def test_random_lines(seed, region):
    rng = np.random.default_rng(seed)
    assert_is(different(rng.integers(-1000, 1001, (12, 3)) / 1024), region)


@pytest.mark.parametrize("lines", [
    [(np.round(np.cos(t), 3), np.round(np.sin(t), 3), 0.0) for t in np.linspace(0, 3, 40)],
    [(a, b, c) for a, b in ((1, 0), (0, 1), (1, 1), (1, -1)) for c in STEPS],
    [(1, 2, c) for c in STEPS],
    [(a, b, -a - b) for a in STEPS for b in (0.25, 0.5, 1.0)],
], ids=["through a point", "a grid with its diagonals", "parallel", "through a corner"])  # fmt: skip
def test_cells_of_many_degenerate_lines_are_counted_by_eulers_formula(lines):
    lines = different(lines)
    scaled = np.round(np.array(lines) * 2**10) / 2**10
    arrangement = arranged(scaled, SQUARE)
    assert euler_count(scaled, SQUARE) == arrangement.n_cells() == arrangement.cells().parent.size


def test_meetings_are_those_of_pairs_inside():
    assert arranged([(1, 0, 0), (0, 1, 0), (1, 1, 0)], SQUARE).n_meetings() == 3
    # Two that meet in a corner of the region, on an edge, and outside.
    assert arranged([(1, -0.5, 0.5), (-0.5, 1, 0.5)], SQUARE).n_meetings() == 0
    assert arranged([(1, 1, -1), (1, -1, -1)], SQUARE).n_meetings() == 0
    assert arranged([(0.25, 1, -0.75), (1, 0.25, -0.75)], SQUARE[[0, 1, 2]] - 1).n_meetings() == 0
