"""Extremal directions of one input with bias, by prefix sums of integers around the circle of directions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.analysis.one_dimension import kinks
from reluquant.analysis.predicates import common_integers
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset

Vector = tuple[float, float]

# Integers of more bits are shortened before they become floats.
_FLOAT_BITS = 1000
# Places after the point of an integer square root: more than a float64 keeps.
_ROOT_BITS = 64
# From how many sides neurons come.
_KINDS = ("repeller", "semistable", "attractor")


class _Placed(NamedTuple):
    """A direction at rest, or the middle of an arc at rest, and where it is.

    ``place`` orders all of them counter-clockwise from the dead arc: even for sectors, odd for boundaries.
    ``ends`` are the angles of the arc, or twice that of the direction. ``comes`` tells whether neurons come from
    the clockwise and from the counter-clockwise side.
    """

    place: float
    ends: tuple[float, float]
    comes: tuple[bool, bool]
    direction: ExtremalDirection


def line_directions(
    data: Dataset, forces: Floats, divisor: int, signs: tuple[int, ...]
) -> Iterator[ExtremalDirection]:
    """Yield the extremal directions for residuals ``forces / divisor`` (n_samples,), by sign and angle."""
    # Adding zero turns -0.0, which has its own angle in atan2, into 0.0.
    field = _Field(data.X[:, 0] + 0.0, forces, divisor)
    for s in signs:
        found = [*_arcs_at_rest(data, field, s), *field.inside(s), *field.on_boundaries(s)]
        found.sort(key=lambda e: e.place)
        yield from sorted(_with_basins(found, 2 * max(len(field.x), 1)), key=lambda e: e.angle)


def _with_basins(found: Sequence[_Placed], opposite: int) -> Iterator[ExtremalDirection]:
    """Yield the directions with their basins: up to the next direction at rest, on the sides that neurons come from.

    ``found`` starts with the dead arc; places below ``opposite`` are within half a circle of its start.
    """
    start = found[0].ends[0]

    def turned(angle: float, place: float) -> float:
        """Angle from the start of the dead arc, at which rounding must not move what is at one end to the other."""
        around = (angle - start) % math.tau
        if place < opposite and around > 1.5 * math.pi:
            return around - math.tau
        return around + math.tau if place > opposite and around < 0.5 * math.pi else around

    first = [turned(e.ends[0], e.place) for e in found]
    last = [turned(e.ends[1], e.place) for e in found]
    for i, e in enumerate(found):
        before = last[i - 1] - (math.tau if i == 0 else 0.0) if e.comes[0] else first[i]
        following = first[i + 1] if i + 1 < len(found) else first[0] + math.tau
        after = following if e.comes[1] else last[i]
        begin = (before + start + math.pi) % math.tau - math.pi
        yield replace(e.direction, basin=(begin, begin + max(after - before, 0.0)))


class _Field:
    """The gradients of all sectors as integers: ``g = (g1, g2) * 2**exponent``, inputs ``(X, unit)``."""

    def __init__(self, inputs: Floats, forces: Floats, divisor: int) -> None:
        self.divisor = divisor
        distinct, group = np.unique(inputs, return_inverse=True)
        # A 1 among the inputs makes the bias an integer of the same exponent.
        scaled, x_exponent = common_integers(np.r_[distinct, 1.0])
        integers, r_exponent = common_integers(forces)
        self.exponent = x_exponent + r_exponent
        total = [0] * distinct.size
        for k, r in zip(group.tolist(), integers, strict=True):
            total[k] += r
        # Inputs whose residuals vanish in sum are no boundary.
        kept = [k for k, r in enumerate(total) if r]
        self.unit, self.x = scaled[-1], [scaled[k] for k in kept]
        self.r, self.position = [total[k] for k in kept], distinct[kept]
        order = np.argsort(group, kind="stable")
        members = np.split(order, np.cumsum(np.bincount(group))[:-1])
        self.samples = [tuple(members[k].tolist()) for k in kept]
        self.prefix = [(0, 0)]
        for x, r in zip(self.x, self.r, strict=True):
            g1, g2 = self.prefix[-1]
            self.prefix.append((g1 + r * x, g2 + r * self.unit))

    def gradient(self, start: int, stop: int) -> tuple[int, int]:
        """Return g of the active set of inputs ``start`` to ``stop - 1``."""
        (g1, g2), (h1, h2) = self.prefix[stop], self.prefix[start]
        return g1 - h1, g2 - h2

    def dot(self, g: tuple[int, int], k: int) -> int:
        """Return ``g · x̃_k``."""
        return g[0] * self.x[k] + g[1] * self.unit

    def active_sets(self) -> Iterator[tuple[int, int]]:
        """Yield the sectors with an active sample as ranges of inputs: those that rise, then those that fall."""
        n = len(self.x)
        yield from ((start, n) for start in range(n))
        yield from ((0, stop) for stop in range(1, n))

    def place(self, start: int, stop: int) -> int:
        """Return how many sectors and boundaries of the circle come before a sector."""
        n = len(self.x)
        return 2 * (n - start) if stop == n else 2 * (2 * n - stop)

    def inside(self, s: int) -> Iterator[_Placed]:
        """Yield the directions at rest inside sectors."""
        n = len(self.x)
        for start, stop in self.active_sets():
            g = self.gradient(start, stop)
            if g == (0, 0):
                continue
            # u · x̃ is linear in x: its signs at the ends of the active and inactive ranges tell all.
            first, last = self.dot(g, start), self.dot(g, stop - 1)
            outside = [self.dot(g, k) for k in (start - 1, stop) if 0 <= k < n]
            for side in (1, -1):
                if side * first > 0 and side * last > 0 and all(side * v < 0 for v in outside):
                    w, b = self.floats(g)
                    e = _direction(side * w, side * b, s, side * s * self.length(g), _KINDS[2 * (side == s)])
                    yield _Placed(self.place(start, stop), (e.angle, e.angle), (side == s, side == s), e)

    def on_boundaries(self, s: int) -> Iterator[_Placed]:
        """Yield the directions at rest on boundaries of two sectors that are not at rest themselves."""
        n = len(self.x)
        for k in range(n):
            for w, off_set, on_set in ((1, (k + 1, n), (k, n)), (-1, (0, k), (0, k + 1))):
                g, on = self.gradient(*off_set), self.gradient(*on_set)
                if g == (0, 0) or on == (0, 0):
                    continue
                q, p = s * self.dot(g, k), s * self.dot(on, k)
                if q * p > 0:
                    continue
                # G(u) up to the length of u = w·(unit, -x): the same on both sides.
                growth = s * w * (g[0] * self.unit - g[1] * self.x[k])
                off_comes, on_comes = q > 0 or (q == 0 and growth > 0), p < 0 or (p == 0 and growth > 0)
                e = self.sliding(k, w, s, growth, q / (q - p) + 0.0, _KINDS[off_comes + on_comes])
                # A rising input is active on the counter-clockwise side, a falling one on the other.
                comes = (off_comes, on_comes) if w > 0 else (on_comes, off_comes)
                yield _Placed(self.place(*(on_set if w > 0 else off_set)) - 1, (e.angle, e.angle), comes, e)

    def sliding(self, k: int, w: int, s: int, growth: int, share: float, kind: str) -> ExtremalDirection:
        """Return the direction on the boundary of input ``k`` that rises (w = 1) or falls (w = -1)."""
        length = math.hypot(1.0, self.position[k])
        rate = self.to_float(growth, self.exponent - self.unit.bit_length() + 1) / length
        samples = self.samples[k]
        return _direction(w, -w * self.position[k], s, rate, kind, samples, (share,) * len(samples), self.position[k])

    def length(self, g: tuple[int, int]) -> float:
        """Return ``|g|``."""
        square = (g[0] * g[0] + g[1] * g[1]) << 2 * _ROOT_BITS
        return self.to_float(math.isqrt(square), self.exponent - _ROOT_BITS)

    def to_float(self, integer: int, exponent: int) -> float:
        """Return ``integer * 2**exponent / divisor``."""
        surplus = max(abs(integer).bit_length() - _FLOAT_BITS, 0)
        try:
            return math.ldexp(float(integer >> surplus), exponent + surplus) / self.divisor
        except OverflowError as error:
            raise ValueError("A growth rate exceeds the float64 range; scale the inputs or the labels down.") from error

    def floats(self, g: tuple[int, int]) -> tuple[float, float]:
        """Return a vector of the direction of ``g``."""
        surplus = max(max(abs(g[0]), abs(g[1])).bit_length() - _FLOAT_BITS, 0)
        return float(g[0] >> surplus), float(g[1] >> surplus)


def _arcs_at_rest(data: Dataset, field: _Field, s: int) -> Iterator[_Placed]:
    """Yield every arc on which no neuron moves, that without active samples first."""
    lowest, highest = float(data.X.min()), float(data.X.max())
    m, r, x = len(field.x), field.r, field.position
    dead = _falling(lowest), _rising(highest)
    # Across a boundary of an arc at rest there is only the force of its sample, for or against.
    clockwise, counter = (m > 0 and x[0] == lowest and s * r[0] < 0), (m > 0 and x[-1] == highest and s * r[-1] < 0)
    yield _arc(*dead, s, "dead", 0, (clockwise, counter))
    # Neurons with only zero residuals active do not move either, but are not dead: residuals change.
    if m == 0:
        # The rest of the circle, more than half, up to the dead arc again.
        (w, b), (first, last) = _middle(*dead), _ends(*dead)
        yield _Placed(1, (last, first), (False, True), _direction(-w, -b, s, 0.0, "neutral"))
        return
    if x[-1] < highest:
        yield _arc(_rising(highest), _rising(x[-1]), s, "neutral", 0.5, (False, s * r[-1] < 0))
    if x[0] > lowest:
        yield _arc(_falling(x[0]), _falling(lowest), s, "neutral", 4 * m - 0.5, (s * r[0] < 0, False))
    for start, stop in field.active_sets():
        if field.gradient(start, stop) == (0, 0):
            on = start if stop == m else stop
            off = start - 1 if start > 0 else stop - 1
            before = _rising(x[on]) if stop == m else _falling(x[on])
            after = _rising(x[off]) if start > 0 else _falling(x[off])
            yield _arc(before, after, s, "neutral", field.place(start, stop), (s * r[on] < 0, s * r[off] < 0))


def _arc(before: Vector, after: Vector, s: int, kind: str, place: float, comes: tuple[bool, bool]) -> _Placed:
    """Return the arc counter-clockwise from ``before`` to ``after``, at most half a circle."""
    return _Placed(place, _ends(before, after), comes, _direction(*_middle(before, after), s, 0.0, kind))


def _ends(before: Vector, after: Vector) -> tuple[float, float]:
    return math.atan2(before[1], before[0]), math.atan2(after[1], after[0])


def _rising(x: float) -> Vector:
    """Return the direction at which ``x`` becomes active, counter-clockwise."""
    length = math.hypot(1.0, x)
    return 1 / length, -x / length


def _falling(x: float) -> Vector:
    """Return the direction at which ``x`` becomes inactive, counter-clockwise."""
    w, b = _rising(x)
    return -w, -b


def _middle(u: Vector, v: Vector) -> Vector:
    """Return a vector in the middle of the arc from ``u`` counter-clockwise to ``v``, at most half a circle."""
    if u[0] * v[0] + u[1] * v[1] > 0:
        return u[0] + v[0], u[1] + v[1]
    # The sum would cancel; the chord turned by a right angle does not.
    return v[1] - u[1], u[0] - v[0]


def _direction(
    w: float,
    b: float,
    s: int,
    rate: float,
    kind: str,
    samples: tuple[int, ...] = (),
    shares: tuple[float, ...] = (),
    kink: float | None = None,
) -> ExtremalDirection:
    # Far above and below 1 the length is safe in hypot, but the components are not as a quotient.
    scale = max(abs(w), abs(b))
    w, b = w / scale + 0.0, b / scale + 0.0
    length = math.hypot(w, b)
    unit = frozen([w / length, b / length])
    place = float(kinks(unit[0], unit[1])) if kink is None else float(kink)
    index = {"attractor": 0, "repeller": 1}.get(kind)
    angle = math.atan2(unit[1], unit[0])
    return ExtremalDirection(unit, angle, s, rate, kind, samples, shares, place, frozen([s]), index)
