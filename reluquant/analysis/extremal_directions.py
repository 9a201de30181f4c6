"""Extremal directions: where tiny neurons turn to, and where they turn away from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.one_dimension import kinks, line_inputs, line_labels
from reluquant.analysis.predicates import common_integers
from reluquant.structures.arrays import Floats, frozen, real_array
from reluquant.structures.dataset import Dataset

Vector = tuple[float, float]

# Integers of more bits are shortened before they become floats.
_FLOAT_BITS = 1000
# Places after the point of an integer square root: more than a float64 keeps.
_ROOT_BITS = 64


@dataclass(frozen=True, slots=True, eq=False)
class ExtremalDirection:
    """A direction at which the rotation of a tiny neuron is at rest.

    Parameters
    ----------
    direction : ndarray, shape (2,)
        Unit vector ``(w, b)/|(w, b)|``. For ``"neutral"`` and ``"dead"``, where a whole arc is at
        rest, its middle.
    angle : float
        ``atan2(b, w)``.
    sign : int
        Sign of the neuron's output weight, 1 or -1.
    rate : float
        Growth ``d ln|w| / dt`` of a balanced neuron there: ``sign · Σ_k r_k relu(direction · (x_k, 1))``.
        Negative: it shrinks.
    kind : {"attractor", "semistable", "saddle", "repeller", "neutral", "dead"}
        What neurons nearby do: come from both sides, come from one side, come along some
        directions (not in one input dimension), go away, stay, or stay because no sample is active.
    samples : tuple of int
        Samples on whose boundary it lies; a neuron there slides on them.
    multipliers : tuple of float
        For each of them the share λ in [0, 1] of its gradient that a sliding neuron feels.
    kink : float
        ``-b/w``; NaN for ``w = 0``.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 3.
    """

    direction: Floats
    angle: float
    sign: int
    rate: float
    kind: str
    samples: tuple[int, ...]
    multipliers: tuple[float, ...]
    kink: float


def extremal_directions(
    data: Dataset, *, residual: ArrayLike | None = None, sign: int | None = None
) -> tuple[ExtremalDirection, ...]:
    """Return all directions at which tiny neurons do not rotate, with their stability.

    Parameters
    ----------
    data : Dataset
        One input feature with bias, one output.
    residual : array_like, shape (n_samples,), optional
        ``r_k = -∂L/∂f(x_k)``. By default ``y_k / n_samples``, that of the zero function under the
        squared loss: the alignment phase of a small initialisation.
    sign : {1, -1}, optional
        Only neurons with output weights of this sign; both by default, positive ones first.

    Returns
    -------
    tuple of ExtremalDirection
        By sign and angle. Which there are, and of which kind, is decided exactly for the inputs
        and residuals as given (for the default: for the labels as given); angles, rates and
        multipliers are rounded.

    Raises
    ------
    TypeError, ValueError
        If the data or the residual do not fit, or ``sign`` is something else.

    Notes
    -----
    A tiny neuron with active samples A moves by ``d(w, b)/dt = a g_A``, ``g_A = Σ_A r_k (x_k, 1)``.
    Inside a sector it rests only at ``± g_A/|g_A|``: an attractor if the sign is that of ``a``,
    else a repeller. On the boundary ``u ⟂ (x_k, 1)`` it rests if the normal velocities
    ``q`` and ``p = q + a r_k |(x_k, 1)|²`` on the inactive and on the active side do not
    have the same sign, with ``λ = q/(q - p)``: it slides if both point to the boundary
    (attractor, even where the neuron shrinks), and is a repeller if both point away. If one
    vanishes (λ is 0 or 1), on that side the direction is the one of ``± g_A``, and the two sides
    decide together: semistable if only one attracts. Samples with zero residual
    have no boundary. Sectors with ``g_A = 0`` are neutral, closed at both ends; next to them no
    separate direction is reported. Takes O(n log n) with prefix sums in integers.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 3; sliding: Filippov (1988),
    *Differential Equations with Discontinuous Righthand Sides*, section 4.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0])
    >>> for e in rq.extremal_directions(data, residual=data.y, sign=1):
    ...     print(f"{e.kind:9} kink {e.kink:4.1f}  rate {e.rate:.3f}  slides on {e.samples}")
    dead      kink  nan  rate 0.000  slides on ()
    attractor kink  0.0  rate 1.000  slides on (1,)
    repeller  kink -1.0  rate 0.354  slides on (0,)
    attractor kink  nan  rate 0.500  slides on ()
    repeller  kink  1.0  rate 0.354  slides on (2,)
    attractor kink  0.0  rate 1.000  slides on (1,)
    """
    inputs = line_inputs(data, "extremal_directions")
    if sign is not None and (isinstance(sign, bool | complex | np.complexfloating) or sign not in (1, -1)):
        raise ValueError(f"sign must be 1, -1 or None for both, but it is {sign!r}.")
    if residual is None:
        # The division by n rounds, and could break ties that the labels have: it waits for the rates.
        forces, divisor = line_labels(data, "extremal_directions"), data.n_samples
    else:
        forces, divisor = real_array(residual, "residual", ndim=(1,)), 1
        if forces.size != data.n_samples:
            raise ValueError(f"residual needs one number for each of {data.n_samples} samples, but has {forces.size}.")
    field = _Field(inputs, forces, divisor)
    resting = _arcs_at_rest(data, field)
    found = []
    for s in (1, -1) if sign is None else (int(sign),):
        here = [
            *field.inside(s),
            *field.on_boundaries(s),
            *(_direction(w, b, s, 0.0, kind) for (w, b), kind in resting),
        ]
        found.extend(sorted(here, key=lambda e: e.angle))
    return tuple(found)


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
        self.r, self.place = [total[k] for k in kept], distinct[kept]
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

    def inside(self, s: int) -> Iterator[ExtremalDirection]:
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
                    rate = side * s * self.length(g)
                    yield _direction(side * w, side * b, s, rate, "attractor" if side == s else "repeller")

    def on_boundaries(self, s: int) -> Iterator[ExtremalDirection]:
        """Yield the directions at rest on boundaries of two sectors that are not at rest themselves."""
        n = len(self.x)
        for k in range(n):
            for w, (start, stop), (on_start, on_stop) in ((1, (k + 1, n), (k, n)), (-1, (0, k), (0, k + 1))):
                g, on = self.gradient(start, stop), self.gradient(on_start, on_stop)
                if g == (0, 0) or on == (0, 0):
                    continue
                q, p = s * self.dot(g, k), s * self.dot(on, k)
                if q * p > 0:
                    continue
                # G(u) up to the length of u = w·(unit, -x): the same on both sides.
                growth = s * w * (g[0] * self.unit - g[1] * self.x[k])
                come = (q > 0 or (q == 0 and growth > 0)) + (p < 0 or (p == 0 and growth > 0))
                kind = ("repeller", "semistable", "attractor")[come]
                yield self.sliding(k, w, s, growth, q / (q - p) + 0.0, kind)

    def sliding(self, k: int, w: int, s: int, growth: int, share: float, kind: str) -> ExtremalDirection:
        """Return the direction on the boundary of input ``k`` that rises (w = 1) or falls (w = -1)."""
        length = math.hypot(1.0, self.place[k])
        rate = self.to_float(growth, self.exponent - self.unit.bit_length() + 1) / length
        samples = self.samples[k]
        return _direction(w, -w * self.place[k], s, rate, kind, samples, (share,) * len(samples), self.place[k])

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


def _arcs_at_rest(data: Dataset, field: _Field) -> list[tuple[Vector, str]]:
    """Return the middle and the kind of every arc on which no neuron moves."""
    lowest, highest = float(data.X.min()), float(data.X.max())
    dead = _middle(_falling(lowest), _rising(highest))
    found = [(dead, "dead")]
    # Neurons with only zero residuals active do not move either, but are not dead: residuals change.
    m = len(field.x)
    if m == 0:
        return [*found, ((-dead[0], -dead[1]), "neutral")]
    if field.place[-1] < highest:
        found.append((_middle(_rising(highest), _rising(field.place[-1])), "neutral"))
    if field.place[0] > lowest:
        found.append((_middle(_falling(field.place[0]), _falling(lowest)), "neutral"))
    for start, stop in field.active_sets():
        if field.gradient(start, stop) == (0, 0):
            before = _rising(field.place[start]) if stop == m else _falling(field.place[stop])
            after = _rising(field.place[start - 1]) if start > 0 else _falling(field.place[stop - 1])
            found.append((_middle(before, after), "neutral"))
    return found


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
    return ExtremalDirection(unit, math.atan2(unit[1], unit[0]), s, rate, kind, samples, shares, place)
