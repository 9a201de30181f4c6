"""Lines through a corridor: inside where they are used, and meeting in the stretches they name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reluquant.analysis.corridor import Line, Link, crossing, fewest_lines


@given(st.lists(st.tuples(st.floats(1e-3, 10), st.floats(-10, 10)), min_size=2, max_size=40), st.floats(1e-3, 5))
def test_every_line_stays_in_the_corridor_where_it_is_used(steps, width):
    x, y = np.cumsum([s for s, _ in steps]).tolist(), [v for _, v in steps]
    links = fewest_lines(x, y, width)
    corners = [crossing(link, after.line) for link, after in zip(links, links[1:], strict=False)]
    ends = [x[0], *(c[0] for c in corners), x[-1]]
    assert all(p < q for p, q in zip(ends, ends[1:], strict=False))
    for link, low, high in zip(links, ends, ends[1:], strict=False):
        places = np.r_[low, [v for v in x if low < v < high], high]
        lines = np.array([link.line.at(v) for v in places])
        assert np.all(np.abs(lines - np.interp(places, x, y)) <= width * (1 + 1e-9) + 1e-9)


@pytest.mark.parametrize(
    ("y", "width", "n_lines"),
    [([0.0, 1.0, 0.0], 0.4, 2), ([0.0, 1.0, 0.0], 0.6, 1), ([0, 0, 0, 0], 1e-9, 1), ([0, 1, 0, 1, 0], 0.3, 4)],
)
def test_number_of_lines(y, width, n_lines):
    assert len(fewest_lines(list(map(float, range(len(y)))), list(map(float, y)), width)) == n_lines


def test_lines_cross_within_the_stretch():
    link = Link(Line(0.0, 0.0, 1.0), 1.0, 2.0)
    assert crossing(link, Line(0.0, 3.0, -1.0)) == (1.5, 1.5)
    assert crossing(link, Line(0.0, 9.0, -1.0)) == (2.0, 2.0)
    assert crossing(link, Line(0.0, 0.5, 1.0)) == (2.0, 2.0)
