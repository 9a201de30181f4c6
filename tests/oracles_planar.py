"""Slow, obvious computations in the plane, in Fractions: overlays, arrangements, distances.

Nothing here is shared with the package, and nothing is rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

Point = tuple[Fraction, Fraction]
Affine = tuple[Fraction, Fraction, Fraction]
ZERO: Affine = (Fraction(0), Fraction(0), Fraction(0))


def fractions(rows) -> list[tuple[Fraction, ...]]:
    """Return rows of numbers as rows of Fractions."""
    return [tuple(Fraction(float(x)) for x in row) for row in rows]


def value(affine: Affine, p: Point) -> Fraction:
    """Return w·p + b."""
    return affine[0] * p[0] + affine[1] * p[1] + affine[2]


def plus(f: Affine, g: Affine, factor: Fraction | int = 1) -> Affine:
    """Return f + factor g."""
    return tuple(p + factor * q for p, q in zip(f, g, strict=True))


def clipped(polygon: list[Point], line: Affine) -> list[Point]:
    """Return the part of a convex polygon on which an affine function is not negative; empty without area."""
    kept = []
    for p, q in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        s, t = value(line, p), value(line, q)
        if s >= 0:
            kept.append(p)
        if s * t < 0:
            kept.append(tuple(a + s / (s - t) * (b - a) for a, b in zip(p, q, strict=True)))
    return kept if area(kept) > 0 else []


def area(polygon: list[Point]) -> Fraction:
    """Return the signed area."""
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return sum((p[0] * q[1] - p[1] * q[0] for p, q in pairs), Fraction(0)) / 2


def edges(polygon: list[Point]) -> list[Affine]:
    """Return for each edge of a counterclockwise polygon the affine function that is positive inside."""
    return [
        (p[1] - q[1], q[0] - p[0], p[0] * q[1] - p[1] * q[0])
        for p, q in zip(polygon, polygon[1:] + polygon[:1], strict=True)
    ]


def through(triangle: list[Point], values) -> Affine:
    """Return the affine function with given values at the corners of a triangle, by Cramer's rule."""
    opposite = edges(triangle)
    whole = 2 * area(triangle)
    # Edge i joins corners i and i + 1 and vanishes there, so it belongs to corner i + 2.
    total = ZERO
    for i, line in enumerate(opposite):
        total = plus(total, line, Fraction(values[(i + 2) % 3]) / whole)
    return total


@dataclass
class Cell:
    """A convex polygon and an affine function on it."""

    polygon: list[Point]
    affine: Affine


def network_cells(cells: list[Cell], neurons, sign: int = 1) -> list[Cell]:
    """Add relu neurons, rows (w_x, w_y, b, a), to affine functions on cells."""
    for *line, a in fractions(neurons):
        line = tuple(line)
        if line == ZERO:
            continue
        following = []
        for cell in cells:
            inside = clipped(cell.polygon, line)
            outside = clipped(cell.polygon, plus(ZERO, line, -1))
            if inside:
                following.append(Cell(inside, plus(cell.affine, line, sign * a)))
            if outside:
                following.append(Cell(outside, cell.affine))
        cells = following
    return cells


def interpolant_cells(cells: list[Cell], points, simplices, values, sign: int = 1) -> list[Cell]:
    """Add the interpolant on a triangulation to affine functions on cells; what is beyond the triangles falls off."""
    points = fractions(points)
    found = []
    for simplex in simplices:
        triangle = [points[i] for i in simplex]
        if area(triangle) == 0:
            continue
        if area(triangle) < 0:
            simplex, triangle = simplex[::-1], triangle[::-1]
        affine = through(triangle, [Fraction(float(values[i])) for i in simplex])
        for cell in cells:
            polygon = cell.polygon
            for line in edges(triangle):
                polygon = clipped(polygon, line) if polygon else []
            if polygon:
                found.append(Cell(polygon, plus(cell.affine, affine, sign)))
    return found


def distances(cells: list[Cell]) -> tuple[Fraction, Fraction]:
    """Return the sup and the squared L2 norm of affine functions on cells."""
    sup, square = Fraction(0), Fraction(0)
    for cell in cells:
        values = [value(cell.affine, p) for p in cell.polygon]
        sup = max(sup, *(abs(v) for v in values))
        for i in range(1, len(values) - 1):
            d, e, f = values[0], values[i], values[i + 1]
            triangle = area([cell.polygon[0], cell.polygon[i], cell.polygon[i + 1]])
            square += triangle / 6 * (d * d + e * e + f * f + d * e + e * f + f * d)
    return sup, square


def euler_count(lines, polygon) -> int:
    """Return the number of cells into which lines, rows (w_x, w_y, b), cut a convex polygon.

    One, and one more for each different line through the interior, and for each point inside in which lines meet one
    less than there are lines through it.
    """
    polygon = [tuple(Fraction(float(x)) for x in p) for p in polygon]
    inner = edges(polygon)
    different = []
    for line in fractions(lines):
        crosses = {s > 0 for p in polygon if (s := value(line, p)) != 0} == {True, False}
        if crosses and not any(_parallel(line, other) for other in different):
            different.append(line)
    through_point: dict[Point, set[int]] = {}
    for (i, p), (j, q) in combinations(enumerate(different), 2):
        z = p[0] * q[1] - p[1] * q[0]
        if z == 0:
            continue
        meet = (p[1] * q[2] - p[2] * q[1]) / z, (p[2] * q[0] - p[0] * q[2]) / z
        if all(value(edge, meet) > 0 for edge in inner):
            through_point.setdefault(meet, set()).update((i, j))
    return 1 + len(different) + sum(len(lines) - 1 for lines in through_point.values())


def _parallel(p: Affine, q: Affine) -> bool:
    return all(p[i] * q[j] == p[j] * q[i] for i, j in ((0, 1), (0, 2), (1, 2)))
