"""The fewest straight lines that follow a polygonal line within a given distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import gt, lt

Point = tuple[float, float]

# Leaving the corridor by less than this share of its half-width is rounding of a line that touches it.
_TOUCHING = 1e-12


@dataclass(frozen=True, slots=True)
class Line:
    """The line through ``(x, y)`` with a slope."""

    x: float
    y: float
    slope: float

    def at(self, x: float) -> float:
        """Return the height at ``x``."""
        return self.y + self.slope * (x - self.x)


@dataclass(frozen=True, slots=True)
class Link:
    """A line of the path, and the stretch on which the path may change to the next line."""

    line: Line
    first: float
    last: float


class _Chain:
    """The convex chain of points that lines must not cross, and the tangents to it from the right.

    ``beyond`` is ``gt`` for points that lines stay below (tangents of the largest slope), ``lt``
    for points that they stay above.
    """

    def __init__(self, beyond: Callable[[float, float], bool]) -> None:
        self.beyond, self.touched = beyond, 0
        self.points: list[Point] = []

    def add(self, x: float, y: float) -> None:
        points = self.points
        while len(points) > 1 and not self.beyond(_slope(points[-1], (x, y)), _slope(points[-2], points[-1])):
            points.pop()
        points.append((x, y))
        self.touched = min(self.touched, len(points) - 1)

    def tangent(self, x: float, y: float) -> float:
        """Return the slope of the line through ``(x, y)``, right of all points, that touches the chain."""
        points, i = self.points, self.touched
        slope = _slope(points[i], (x, y))
        # Tangent points only move right as x grows, but for rounding: amortised one step.
        for step in (1, -1):
            while 0 <= i + step < len(points):
                other = _slope(points[i + step], (x, y))
                if not self.beyond(other, slope):
                    break
                i, slope = i + step, other
        self.touched = i
        return slope


class _Fan:
    """All lines that are in the corridor since the last link: between a steepest and a flattest one."""

    def __init__(self) -> None:
        self.ceiling, self.floor = _Chain(gt), _Chain(lt)
        self.low: Line | None = None  # the line of least slope; touches the floor last, at node low_at
        self.high: Line | None = None
        self.low_at = self.high_at = 0

    def add(self, node: int, x: float, low: float, high: float) -> None:
        """Keep the lines that pass between ``low`` and ``high`` at ``x``."""
        if self.low is None or low >= self.low.at(x):
            self.low, self.low_at = Line(x, low, self.ceiling.tangent(x, low)), node
        if self.high is None or high <= self.high.at(x):
            self.high, self.high_at = Line(x, high, self.floor.tangent(x, high)), node
        self.floor.add(x, low)
        self.ceiling.add(x, high)


def fewest_lines(x: list[float], y: list[float], width: float) -> list[Link]:
    """Return as few lines as can follow a polygonal line within a distance, from left to right.

    Parameters
    ----------
    x, y : list of float, at least two
        Corners of the polygonal line, ``x`` strictly increasing.
    width : float
        Largest vertical distance allowed, positive.

    Returns
    -------
    list of Link
        Each but the last meets its successor between ``first`` and ``last``.

    Notes
    -----
    Of all lines that start in the reachable part of the corridor ``y ± width``, one gets furthest.
    If it leaves upwards, it is the flattest, and last touched the floor at a corner r. Every line
    that gets further crosses it between r and the point of leaving, from above; so the next
    lines are those above the floor from r on and below the ceiling from the point of leaving on.

    References
    ----------
    Imai & Iri (1987), Journal of Information Processing 9(3): min-link paths in a corridor.

    Examples
    --------
    >>> links = fewest_lines([0.0, 1.0, 1.1, 2.0], [0.0, 0.0, 0.01, 1.0], 0.05)
    >>> len(links)
    2
    """
    links: list[Link] = []
    fan = _Fan()
    fan.floor.add(x[0], y[0] - width)
    fan.ceiling.add(x[0], y[0] + width)
    for j in range(1, len(x)):
        low, high = y[j] - width, y[j] + width
        slack = _TOUCHING * width
        if fan.low is not None and fan.low.at(x[j]) > high + slack:
            leaving = _leaving(fan.low, x, y, width, j)
            links.append(Link(fan.low, x[fan.low_at], leaving))
            fan = _next_fan(links[-1], x, [v - width for v in y[fan.low_at : j]], fan.low_at, upwards=True)
        elif fan.high is not None and fan.high.at(x[j]) < low - slack:
            leaving = _leaving(fan.high, x, y, -width, j)
            links.append(Link(fan.high, x[fan.high_at], leaving))
            fan = _next_fan(links[-1], x, [v + width for v in y[fan.high_at : j]], fan.high_at, upwards=False)
        fan.add(j, x[j], low, high)
    middle = Line(x[-1], (fan.low.at(x[-1]) + fan.high.at(x[-1])) / 2, (fan.low.slope + fan.high.slope) / 2)
    return [*links, Link(middle, x[-1], x[-1])]


def crossing(link: Link, line: Line) -> Point:
    """Return where a link changes to the next line."""
    bend = link.line.slope - line.slope
    x = link.line.x + (line.at(link.line.x) - link.line.y) / bend if bend else link.last
    x = min(max(x, link.first), link.last)
    return x, link.line.at(x)


def _leaving(line: Line, x: list[float], y: list[float], width: float, j: int) -> float:
    """Return where the line leaves through the side ``y + width`` between nodes j-1 and j."""
    inside = abs(y[j - 1] + width - line.at(x[j - 1]))
    outside = abs(line.at(x[j]) - (y[j] + width))
    place = x[j - 1] + (x[j] - x[j - 1]) * (inside / (inside + outside))
    return place if place < x[j] else x[j - 1]


def _next_fan(link: Link, x: list[float], heights: list[float], start: int, *, upwards: bool) -> _Fan:
    fan = _Fan()
    behind, ahead = (fan.floor, fan.ceiling) if upwards else (fan.ceiling, fan.floor)
    for i, height in enumerate(heights, start):
        behind.add(x[i], height)
    ahead.add(link.last, link.line.at(link.last))
    if upwards:
        fan.high = link.line
    else:
        fan.low = link.line
    return fan


def _slope(left: Point, right: Point) -> float:
    return (right[1] - left[1]) / (right[0] - left[0])
