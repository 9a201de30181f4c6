r"""Gradient flow of a shallow ReLU network with one input and a bias, squared loss.

The geometry
    Distinct inputs ``x_0 < … < x_{n-1}``; ``x̃ = (x, 1)``. The rays ``w · x̃_k = 0`` cut the circle of
    weight directions into ``2n`` sectors. Sector ``c ≤ n`` is active on ``{k ≥ c}`` (``n``: dead), sector
    ``c > n`` on ``{k < c - n}``. Ray ``i`` lies between sectors ``i`` and ``i + 1`` and belongs to point
    ``i mod n``; its direction is ``±(1, -x)/|x̃|``, ``+`` for ``i < n``.

The motion
    ``r_k = weight_k (target_k - f(x_k))``, ``g = Σ_active r_k x̃_k``; ``dw/dt = a g``, ``da/dt = w · g``. All
    neurons of a sector share the linear map that this generates. As symmetric matrices
    ``Z = [[a + w, b], [b, a - w]]`` neurons move by ``Z → S Z Sᵀ`` with ``dS/dt = ½ H S``,
    ``H = [[g₁, g₂], [g₂, -g₁]]`` and ``det S = 1``, hence ``a² - |w|² = det Z`` is conserved.
    A neuron held on a ray by both sides slides (Filippov): ``ρ ± a`` grow like ``e^{±Γ}``, ``dΓ/dt = g · u``.
    A slider that loses ``ρ`` is at rest, one that loses ``a`` leaves to the inactive side.

The method
    One step is one Taylor series of the residual ``r(t)``: the second moments of each sector obey a
    quadratic ODE, so all coefficients follow from convolutions. Given the series every neuron moves
    alone, exactly through all its switches. What a switch inside the step would have changed in ``r``
    is bounded; the step ends where the sum of these bounds reaches the tolerance.

Notation is that of ``docs/notation.md``. Time inside a step is ``θ = (t - t₀)/unit``.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.kernels.jit import kernel
from reluquant.kernels.polynomials import DEEPEST, MAX_BISECTIONS, horner, sign_changes
from reluquant.kernels.status import (
    CHUNK_DONE,
    EVENTS_FULL,
    NOT_FINITE,
    REACHED_LOSS,
    REACHED_T_MAX,
    STATIONARY,
    TIME_STALLED,
    TOO_MANY_SWITCHES,
)

# Inside a step only: it must be shorter, because a neuron entered a sector whose series does not reach as far.
_SHORTER = -1

# Kinds of a switch.
ON, OFF, SLIDE, RELEASE = range(4)

AT_REST = -1  # the mode of a neuron with w = 0: with relu'(0) = 0 it never moves

EPS = 2.0**-52
# A neuron counts as outside its sector only beyond the rounding of w x + b.
OUTSIDE = 8 * EPS
# |w| = |a| within the rounding of a norm.
BALANCED = 8 * EPS
# Squares of neurons below 2^-500 underflow, and are far below the rounding of any residual.
LIGHTEST = -500
# Mantissas are kept within 2^±32, so that a step's growth can neither overflow nor underflow.
MANTISSA = 2.0**32
# A group whose second moment moves the field by less than this share of the tolerance is a spectator.
SPECTATOR = 1e-4
# A step never spans more than this many e-foldings of a sum of squares, so that a spectator at its start is still
# negligible at its end. (The exponent of a slider is integrated exactly: its series alone would allow any step.)
MOST_GROWTH = 4.0
# Where nothing moves at all a step is this many units of time.
LONGEST_STEP = 60.0


class Field(NamedTuple):
    """The residual of one step as a power series in θ, and what follows from it; arrays are filled in place.

    Arrays
    ------
    points (n, 4): x, weight, target, |x̃|; rays (2n, 2): unit directions.
    residual (n, order): coefficients of r. generator (2n, 2, order): those of unit · g.
    maps (2n, 4, order + 1): those of S, row by row. slides (2n, order + 1): those of Γ.
    turns (2n, 2, order): ascending, where g · x̃ changes sign at the upper and lower boundary of a sector; then inf.
    ends (2n, 4): S at the end of the step.
    limits (4n,): how far the series of a sector, then of a ray, is accurate to the tolerance.
    ready (2n, 4): whether maps, slides, turns and ends are filled for this sector or ray.
    work (DEEPEST + 2, order): room for the root isolation.
    noise (1,): what rounding and the tolerance alone make of unit · g · x̃.
    """

    points: np.ndarray
    rays: np.ndarray
    residual: np.ndarray
    generator: np.ndarray
    maps: np.ndarray
    slides: np.ndarray
    turns: np.ndarray
    ends: np.ndarray
    limits: np.ndarray
    ready: np.ndarray
    work: np.ndarray
    noise: np.ndarray
    tolerance: float


MAPS, SLIDES, TURNS, END = range(4)


# ---------------------------------------------------------------------------------------------- geometry


@kernel
def exact_sign(w, b, x):
    """Sign of ``w x + b`` for the float64 numbers as given, barring underflow of the product's tail."""
    product = w * x
    total = product + b
    # Dekker's splitting gives the rounding error of the product exactly.
    c = 134217729.0 * w
    w_high = c - (c - w)
    c = 134217729.0 * x
    x_high = c - (c - x)
    tail = ((w_high * x_high - product) + w_high * (x - x_high) + (w - w_high) * x_high) + (w - w_high) * (x - x_high)
    if math.isfinite(tail):
        total += tail
    return 1 if total > 0 else (-1 if total < 0 else 0)


@kernel
def inactive_sector(ray, n):
    """The sector beside a ray on whose side the ray's own point is inactive."""
    return ray + 1 if ray < n else ray


@kernel
def active_sector(ray, n):
    """The sector beside a ray on whose side the ray's own point is active."""
    return ray if ray < n else (ray + 1) % (2 * n)


@kernel
def locate(points, Z, mode):
    """Write each neuron's mode: its sector, ``2n + ray`` when it lies on a ray, or ``AT_REST``."""
    n = points.shape[0]
    for j in range(Z.shape[0]):
        w, b = Z[j, 0], Z[j, 1]
        if w == 0.0 and b == 0.0:
            mode[j] = AT_REST
            continue
        n_active, zero = 0, -1
        for k in range(n):
            side = exact_sign(w, b, points[k, 0])
            n_active += side > 0
            if side == 0:
                zero = k
        if zero >= 0:
            mode[j] = 2 * n + (zero if w > 0 else zero + n)
        elif n_active == n:
            mode[j] = 0
        elif w > 0 or n_active == 0:
            mode[j] = n - n_active
        else:
            mode[j] = n + n_active


# ------------------------------------------------------------------------------------------- power series


@kernel
def _slope_toward(generator, sector, x, theta):
    """``unit · g · x̃`` at θ."""
    first, second = generator[sector, 0], generator[sector, 1]
    total = 0.0
    for i in range(first.size - 1, -1, -1):
        total = total * theta + (first[i] * x + second[i])
    return total


@kernel
def _moments(Z, E, mode, rays, sector_moments, ray_moments, occupied):
    """Sum z zᵀ per sector as (w², wb, b², aw, ab, a²), and (aρ, ½(ρ² + a²)) per ray, into coefficient 0."""
    n2 = rays.shape[0]
    sector_moments[:, :, 0] = 0.0
    ray_moments[:, :, 0] = 0.0
    occupied[:] = False
    for j in range(Z.shape[0]):
        place = mode[j]
        if place < 0:
            continue
        occupied[place] = True
        if E[j] < LIGHTEST:
            continue
        factor = math.ldexp(1.0, 2 * int(E[j]))
        w, b, a = Z[j, 0], Z[j, 1], Z[j, 2]
        if place < n2:
            m = sector_moments[place]
            m[0, 0] += factor * w * w
            m[1, 0] += factor * w * b
            m[2, 0] += factor * b * b
            m[3, 0] += factor * a * w
            m[4, 0] += factor * a * b
            m[5, 0] += factor * a * a
        else:
            rho = w * rays[place - n2, 0] + b * rays[place - n2, 1]
            ray_moments[place - n2, 0, 0] += factor * a * rho
            ray_moments[place - n2, 1, 0] += 0.5 * factor * (a * a + rho * rho)


@kernel
def _fill_residual(field, sector_moments, ray_moments, i, unit, output):
    """Coefficient ``i`` of the residual and of all generators, by prefix sums over the sectors."""
    points, residual, generator = field.points, field.residual, field.generator
    n = points.shape[0]
    # `output` (2n, 2) is Σ a w per sector; a slider counts on its inactive side, where it agrees on all points.
    for c in range(2 * n):
        output[c, 0], output[c, 1] = sector_moments[c, 3, i], sector_moments[c, 4, i]
    for ray in range(2 * n):
        c = inactive_sector(ray, n)
        output[c, 0] += ray_moments[ray, 0, i] * field.rays[ray, 0]
        output[c, 1] += ray_moments[ray, 0, i] * field.rays[ray, 1]
    slope, offset = 0.0, 0.0
    for k in range(n):
        slope += output[k, 0]
        offset += output[k, 1]
        residual[k, i] = slope * points[k, 0] + offset
    slope, offset = 0.0, 0.0
    for k in range(n - 1, -1, -1):
        if k < n - 1:
            slope += output[n + k + 1, 0]
            offset += output[n + k + 1, 1]
        value = residual[k, i] + (slope * points[k, 0] + offset)
        residual[k, i] = points[k, 1] * ((points[k, 2] if i == 0 else 0.0) - value)
    first, second = 0.0, 0.0
    generator[n, 0, i], generator[n, 1, i] = 0.0, 0.0
    for k in range(n - 1, -1, -1):
        first += unit * residual[k, i] * points[k, 0]
        second += unit * residual[k, i]
        generator[k, 0, i], generator[k, 1, i] = first, second
    first, second = 0.0, 0.0
    for k in range(n - 1):
        first += unit * residual[k, i] * points[k, 0]
        second += unit * residual[k, i]
        generator[n + 1 + k, 0, i], generator[n + 1 + k, 1, i] = first, second


@kernel
def _grow_sector(g, m, i):
    """Coefficient ``i + 1`` of the second moments of one sector: dC/dt = G C + C Gᵀ."""
    w1, w2, w3, w4, w5, w6 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(i + 1):
        g1, g2, l = g[0, j], g[1, j], i - j
        w1 += 2.0 * g1 * m[3, l]
        w2 += g1 * m[4, l] + g2 * m[3, l]
        w3 += 2.0 * g2 * m[4, l]
        w4 += g1 * (m[5, l] + m[0, l]) + g2 * m[1, l]
        w5 += g2 * (m[5, l] + m[2, l]) + g1 * m[1, l]
        w6 += 2.0 * (g1 * m[3, l] + g2 * m[4, l])
    share = 1.0 / (i + 1)
    m[0, i + 1], m[1, i + 1], m[2, i + 1] = share * w1, share * w2, share * w3
    m[3, i + 1], m[4, i + 1], m[5, i + 1] = share * w4, share * w5, share * w6


@kernel
def _grow_ray(g, u, m, i):
    """Coefficient ``i + 1`` of (Σ aρ, ½ Σ (ρ² + a²)) of the sliders on one ray."""
    product, energy = 0.0, 0.0
    for j in range(i + 1):
        gamma = g[0, j] * u[0] + g[1, j] * u[1]
        product += gamma * m[1, i - j]
        energy += gamma * m[0, i - j]
    m[0, i + 1], m[1, i + 1] = 2.0 * product / (i + 1), 2.0 * energy / (i + 1)


@kernel
def _fill_field(field, sector_moments, ray_moments, moving, unit, output):
    """All higher coefficients of the residual; groups that are not `moving` are spectators."""
    n2, order = field.rays.shape[0], field.residual.shape[1]
    any_moving = False
    for place in range(2 * n2):
        any_moving |= moving[place]
        if not moving[place]:
            if place < n2:
                sector_moments[place, :, 1:] = 0.0
            else:
                ray_moments[place - n2, :, 1:] = 0.0
    field.ready[:] = False
    if not any_moving:
        field.residual[:, 1:] = 0.0
        field.generator[:, :, 1:] = 0.0
        return
    for i in range(order - 1):
        for place in range(n2):
            if moving[place]:
                _grow_sector(field.generator[place], sector_moments[place], i)
            if moving[n2 + place]:
                g = field.generator[inactive_sector(place, n2 // 2)]
                _grow_ray(g, field.rays[place], ray_moments[place], i)
        _fill_residual(field, sector_moments, ray_moments, i + 1, unit, output)


@kernel
def _reach(rate, last, before_last, order, tolerance):
    """Step at which the last two terms of a series reach the tolerance (Jorba & Zou 2005), or growth its bound."""
    step = min(LONGEST_STEP, MOST_GROWTH / (2.0 * rate)) if rate > 0.0 else LONGEST_STEP
    if last > 0.0:
        step = min(step, (tolerance / last) ** (1.0 / order))
    if before_last > 0.0:
        step = min(step, (tolerance / before_last) ** (1.0 / (order - 1)))
    return step


@kernel
def _ready_place(field, place):
    """Fill the series of a sector or of a ray (``2n + ray``), and return how far it reaches."""
    n2 = field.rays.shape[0]
    if place < n2:
        if not field.ready[place, MAPS]:
            _ready_sector(field, place)
    elif not field.ready[place - n2, SLIDES]:
        _ready_ray(field, place - n2)
    return field.limits[place]


@kernel
def _ready_sector(field, c):
    """Fill the series of S of sector ``c``, and how far it reaches."""
    g, s = field.generator[c], field.maps[c]
    order = g.shape[1]
    s[:, 0] = 0.0
    s[0, 0], s[3, 0] = 1.0, 1.0
    for i in range(order):
        p, q, r, t = 0.0, 0.0, 0.0, 0.0
        for j in range(i + 1):
            g1, g2, l = g[0, j], g[1, j], i - j
            p += g1 * s[0, l] + g2 * s[2, l]
            q += g1 * s[1, l] + g2 * s[3, l]
            r += g2 * s[0, l] - g1 * s[2, l]
            t += g2 * s[1, l] - g1 * s[3, l]
        share = 0.5 / (i + 1)
        s[0, i + 1], s[1, i + 1], s[2, i + 1], s[3, i + 1] = share * p, share * q, share * r, share * t
    last, before_last = 0.0, 0.0
    for e in range(4):
        last, before_last = max(last, abs(s[e, order])), max(before_last, abs(s[e, order - 1]))
    field.limits[c] = _reach(math.hypot(g[0, 0], g[1, 0]), last, before_last, order, field.tolerance)
    field.ready[c, MAPS] = True


@kernel
def _ready_ray(field, ray):
    """Fill the series of Γ of a ray, and how far it reaches."""
    g, u = field.generator[inactive_sector(ray, field.points.shape[0])], field.rays[ray]
    field.slides[ray, 0] = 0.0
    for i in range(g.shape[1]):
        field.slides[ray, i + 1] = (g[0, i] * u[0] + g[1, i] * u[1]) / (i + 1)
    s = field.slides[ray]
    limit = _reach(abs(s[1]), abs(s[-1]), abs(s[-2]), s.size - 1, field.tolerance)
    field.limits[2 * field.points.shape[0] + ray] = limit
    field.ready[ray, SLIDES] = True


# ------------------------------------------------------------------------------------------- root finding


@kernel
def _ready_turns(field, c, hi):
    """Find where ``g · x̃`` changes sign at the two boundaries of sector ``c``."""
    n = field.points.shape[0]
    series = field.work[DEEPEST + 1]
    for side in range(2):
        x = field.points[(c if side == 0 else c - 1 + 2 * n) % n, 0]
        for i in range(series.size):
            series[i] = field.generator[c, 0, i] * x + field.generator[c, 1, i]
        sign_changes(series, hi, field.work, field.turns[c, side])
    field.ready[c, TURNS] = True


@kernel
def _next_turn(turns, theta):
    """The first turning point after θ."""
    for turn in turns:
        if turn > theta:
            return turn
    return np.inf


# ------------------------------------------------------------------------------------ one neuron, one step


@kernel
def _map_at(s, theta):
    """S at θ from its series (4, order + 1), scaled to determinant 1 so that a² - |w|² is kept to rounding."""
    p, q, r, t = s[0, -1], s[1, -1], s[2, -1], s[3, -1]
    for i in range(s.shape[1] - 2, -1, -1):
        p, q, r, t = p * theta + s[0, i], q * theta + s[1, i], r * theta + s[2, i], t * theta + s[3, i]
    scale = 1.0 / math.sqrt(p * t - q * r)
    return p * scale, q * scale, r * scale, t * scale


@kernel
def _apply(p, q, r, t, w, b, a):
    """S Z Sᵀ as (w, b, a)."""
    high, low = a + w, a - w
    first = p * p * high + 2.0 * p * q * b + q * q * low
    last = r * r * high + 2.0 * r * t * b + t * t * low
    return 0.5 * (first - last), p * r * high + (p * t + q * r) * b + q * t * low, 0.5 * (first + last)


@kernel
def _rebalance(w, b, a, sign):
    """Put a balanced neuron back on |a| = |w|, from which rounding would let it drift while it shrinks."""
    return sign * math.sqrt(w * w + b * b) if sign != 0 else a


@kernel
def _inside(w, b, x, upper_is_active):
    """Signed distance into the sector at one boundary, zero within rounding."""
    value = w * x + b
    if abs(value) <= OUTSIDE * (abs(w * x) + abs(b)):
        return 0.0
    return value if upper_is_active else -value


@kernel
def _boundary(c, side, n):
    """Point of the upper (0) or lower (1) boundary of sector ``c``, and whether it is active inside."""
    if side == 0:
        return c % n, c < n
    return (c - 1 + 2 * n) % n, c > n or c == 0


@kernel
def _depth(series, x, active, w, b, a, theta):
    """Signed distance into a sector at one boundary, at θ, of a neuron given at θ = 0."""
    p, q, r, t = _map_at(series, theta)
    high, low = a + w, a - w
    first = p * p * high + 2.0 * p * q * b + q * q * low
    last = r * r * high + 2.0 * r * t * b + t * t * low
    value = 0.5 * (first - last) * x + (p * r * high + (p * t + q * r) * b + q * t * low)
    return value if active else -value


@kernel
def _exit_between(series, x, active, neuron, zero, lo, hi):
    """The moment in (lo, hi] at which a neuron (given at θ = 0) leaves a sector: inside at lo, outside at hi.

    Depths up to ``zero`` are rounding; without that bound the last steps would walk through noise.

    Chandrupatla (1997), *Adv. Eng. Softw.* 28: inverse quadratic steps, bisections where these would not converge.
    """
    w, b, a = neuron
    least = 2.0 * EPS * hi
    x1, x2 = hi, lo
    f1, f2 = _depth(series, x, active, w, b, a, hi), _depth(series, x, active, w, b, a, lo)
    # A neuron that has just entered starts at depth zero within rounding: look for the other root.
    share, f2 = 0.5, max(f2, 0.0)
    x3, f3 = x2, f2
    for _ in range(MAX_BISECTIONS):
        theta = x1 + share * (x2 - x1)
        f = _depth(series, x, active, w, b, a, theta)
        if (f >= 0.0) == (f1 >= 0.0):
            x3, f3 = x1, f1
        else:
            x3, x2, f3, f2 = x2, x1, f2, f1
        x1, f1 = theta, f
        width = abs(x2 - x1)
        if abs(f1) <= zero or width <= least:
            break
        share = 0.5
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        if phi * phi < xi and (1.0 - phi) * (1.0 - phi) < 1.0 - xi:
            share = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
        smallest = least / width
        share = min(1.0 - smallest, max(smallest, share))
    return x1 if abs(f1) <= zero else max(x1, x2)


@kernel
def _ready_end(field, c, hi):
    """Fill all that an exit from sector ``c`` needs: S at the end of the step, and the turning points."""
    if not field.ready[c, MAPS]:
        _ready_sector(field, c)
    field.ends[c, 0], field.ends[c, 1], field.ends[c, 2], field.ends[c, 3] = _map_at(field.maps[c], hi)
    if not field.ready[c, TURNS]:
        _ready_turns(field, c, hi)
    field.ready[c, END] = True


@kernel
def _flip(series, w, b, a, lo, hi):
    """Where the a of an unbalanced neuron (given at θ = 0) changes sign in (lo, hi), or inf."""
    p, q, r, t = _map_at(series, lo)
    positive = _apply(p, q, r, t, w, b, a)[2] > 0.0
    p, q, r, t = _map_at(series, hi)
    if (_apply(p, q, r, t, w, b, a)[2] > 0.0) == positive:
        return np.inf
    for _ in range(MAX_BISECTIONS):
        middle = 0.5 * (lo + hi)
        if middle <= lo or middle >= hi:
            break
        p, q, r, t = _map_at(series, middle)
        if (_apply(p, q, r, t, w, b, a)[2] > 0.0) == positive:
            lo = middle
        else:
            hi = middle
    return hi


@kernel
def _exit(field, c, w, b, a, sign, lo, hi, ignored):
    """First exit of a neuron (given at θ = 0) from sector ``c`` in (lo, hi]: (θ, side), θ = inf if it stays.

    Sides in the bit mask ``ignored`` are not looked at.
    """
    if not field.ready[c, END]:
        _ready_end(field, c, hi)
    series, end = field.maps[c], field.ends[c]
    w_end, b_end, a_end = _apply(end[0], end[1], end[2], end[3], w, b, a)
    # An unbalanced neuron also turns round where its a changes sign.
    flip = _flip(series, w, b, a, lo, hi) if sign == 0 else np.inf
    p, q, r, t = _map_at(series, lo)
    w_lo, b_lo, a_lo = _apply(p, q, r, t, w, b, a)
    size = OUTSIDE * max(abs(w) + abs(b) + abs(a), abs(w_end) + abs(b_end) + abs(a_end))
    first, first_side = np.inf, 0
    for side in range(2):
        if ignored & (1 << side):
            continue
        k, active = _boundary(c, side, field.points.shape[0])
        x, turns = field.points[k, 0], field.turns[c, side]
        way, zero = 1.0 if active else -1.0, size * field.points[k, 3]
        depth = way * (w_lo * x + b_lo)
        push = way * _slope_toward(field.generator, c, x, lo)
        if depth <= zero and abs(a_lo) > size and (push if a_lo > 0.0 else -push) < -field.noise[0]:
            # On the boundary within rounding, where only the push can say whether it leaves (none, if a is zero).
            return lo, side
        # One that rests on its boundary, or returns to it, outside by a rounding, has not left.
        outside = min(depth, 0.0) - zero
        # Between turning points the distance to the boundary is monotone: looking there misses nothing.
        start, then = lo, lo
        while then < hi:
            then = min(hi, _next_turn(turns, then))
            if start < flip < then:
                then = flip
            if then < hi:
                p, q, r, t = _map_at(series, then)
                w_then, b_then, _ = _apply(p, q, r, t, w, b, a)
            else:
                w_then, b_then = w_end, b_end
            if way * (w_then * x + b_then) < outside:
                theta = _exit_between(series, x, active, (w, b, a), zero, start, then)
                if theta < first:
                    first, first_side = theta, side
                break
            start = then
    return first, first_side


@kernel
def _slider_zero(series, rho, a, before, lo, hi):
    """Where an unbalanced slider loses a (if |a| < ρ) or ρ (if |a| > ρ) in (lo, hi), or inf.

    There ``e^{2(Γ - Γ_lo)} = |ρ - a|/|ρ + a|``.
    """
    if abs(a) == rho:
        return np.inf
    goal = before + 0.5 * math.log(abs(rho - a) / abs(rho + a))
    above = before > goal
    if (horner(series, hi) > goal) == above:
        return np.inf
    for _ in range(MAX_BISECTIONS):
        middle = 0.5 * (lo + hi)
        if middle <= lo or middle >= hi:
            break
        if (horner(series, middle) > goal) == above:
            lo = middle
        else:
            hi = middle
    return hi


@kernel
def _first_push(field, c, side, way, lo, hi):
    """First θ in [lo, hi] from which ``way · g · x̃`` at a boundary of sector ``c`` is negative beyond noise, or inf.

    Within the noise around zero nothing is decided: a cluster that has converged on its data point is pushed by
    nothing else, and must not be released by it over and over.
    """
    if not field.ready[c, TURNS]:
        _ready_turns(field, c, hi)
    turns, x = field.turns[c, side], field.points[_boundary(c, side, field.points.shape[0])[0], 0]
    start = lo
    for _ in range(turns.size + 1):
        then = min(hi, _next_turn(turns, start))
        # Between turns the sign is constant, and the size is best seen away from them.
        middle = way * _slope_toward(field.generator, c, x, 0.5 * (start + then))
        if min(middle, way * _slope_toward(field.generator, c, x, then)) < -field.noise[0]:
            return start
        if then >= hi:
            break
        start = then
    return np.inf


@kernel
def _release(field, ray, a, lo, hi):
    """First moment in [lo, hi] at which a ray no longer holds sliders of this sign: (θ, whether to the active side)."""
    n = field.points.shape[0]
    dead, live = inactive_sector(ray, n), active_sector(ray, n)
    # A dead neighbour pushes nothing: what is there is absorbed.
    if dead == n or a == 0.0:
        return lo, False
    way = 1.0 if a > 0.0 else -1.0
    # Ray i is the upper boundary of sector i and the lower one of sector i + 1.
    to_dead = _first_push(field, dead, 1 if ray < n else 0, way, lo, hi)
    to_live = _first_push(field, live, 0 if ray < n else 1, -way, lo, hi)
    # Where both sides push away (a valley) the flow is not unique: like relu'(0) = 0 it leaves to the inactive side.
    return (to_dead, False) if to_dead <= to_live else (to_live, True)


@kernel
def _slide(u1, u2, w, b, a, sign, gain):
    """Move a slider on the ray ``(u1, u2)`` by ``Γ(θ) - Γ(θ₀) = gain``."""
    rho = w * u1 + b * u2
    if sign != 0:
        rho *= math.exp(sign * gain)
        return rho * u1, rho * u2, sign * rho
    grown, shrunk = (rho + a) * math.exp(gain), (rho - a) * math.exp(-gain)
    rho = 0.5 * (grown + shrunk)
    return rho * u1, rho * u2, 0.5 * (grown - shrunk)


@kernel
def _back(p, q, r, t, w, b, a):
    """S⁻¹ Z S⁻ᵀ: what a neuron now at Z would have been at θ = 0."""
    return _apply(t, -q, -r, p, w, b, a)


@kernel
def _travel(field, neuron, sign, place, hi, log):
    """Carry one neuron from θ = 0 to ``hi`` through all its switches.

    ``neuron`` (3,) is updated in place. Each switch is written to ``log`` as (θ, point, kind, weight):
    weight · (hi - θ)² bounds what the switch changes in any S by the end of the step, for a neuron of
    unit exponent. Returns (status, place, number of switches, limit); status is CHUNK_DONE, TOO_MANY_SWITCHES,
    or _SHORTER where ``hi`` must be at most ``limit``.
    """
    n = field.points.shape[0]
    w, b, a = neuron[0], neuron[1], neuron[2]
    theta, ignored, n_log = 0.0, 0, 0
    for _ in range(3 * log.shape[0]):
        if n_log == log.shape[0]:
            return TOO_MANY_SWITCHES, place, 0, hi
        if place in (n, AT_REST):
            break
        if _ready_place(field, place) < hi:
            return _SHORTER, place, 0, max(field.limits[place], theta)
        if place < 2 * n:
            if theta > 0.0:
                p, q, r, t = _map_at(field.maps[place], theta)
                w, b, a = _back(p, q, r, t, w, b, a)
            then, side = _exit(field, place, w, b, a, sign, theta, hi, ignored)
            p, q, r, t = _map_at(field.maps[place], min(then, hi))
            w, b, a = _apply(p, q, r, t, w, b, a)
            a = _rebalance(w, b, a, sign)
            if then > hi:
                break
            k, was_active = _boundary(place, side, n)
            ray = k if w - b * field.points[k, 0] > 0.0 else k + n
            # Straight through w = 0, where all boundaries meet.
            vanishes = abs(w) + abs(b) <= OUTSIDE * (abs(neuron[0]) + abs(neuron[1]) + abs(neuron[2]))
        else:
            ray = place - 2 * n
            k = ray % n
            u1, u2, series = field.rays[ray, 0], field.rays[ray, 1], field.slides[ray]
            then, to_live = _release(field, ray, a, theta, hi)
            before, rho, vanishes = horner(series, theta), w * u1 + b * u2, False
            if sign == 0:
                zero = _slider_zero(series, rho, a, before, theta, min(then, hi))
                if zero < then:
                    then, to_live, vanishes = zero, False, abs(a) > rho
            w, b, a = _slide(u1, u2, w, b, a, sign, horner(series, min(then, hi)) - before)
            if then > hi:
                break
        theta, x = then, field.points[k, 0]
        dead, live = inactive_sector(ray, n), active_sector(ray, n)
        dead_push = a * _slope_toward(field.generator, dead, x, theta)
        live_push = a * _slope_toward(field.generator, live, x, theta)
        if place < 2 * n and not vanishes and (live_push > 0.0 if was_active else dead_push < 0.0):
            # It is out by the truncation of S, while the field drives it in: near a turning point both are zero
            # within the tolerance, and taking this for a switch would repeat it for ever.
            ignored |= 1 << side
            continue
        ignored = 0
        # How much the normal velocity changes by the end of the step, for a slider on the one side only.
        dead_change = abs(dead_push) + abs(a * _slope_toward(field.generator, dead, x, hi))
        live_change = abs(live_push) + abs(a * _slope_toward(field.generator, live, x, hi))
        change = dead_change + live_change
        if vanishes:
            kind, place, w, b = RELEASE if place >= 2 * n else OFF, AT_REST, 0.0, 0.0
        elif place >= 2 * n:
            kind, place, change = RELEASE, live if to_live else dead, live_change if to_live else dead_change
        elif was_active and dead_push > 0.0:
            kind, place, change = SLIDE, 2 * n + ray, live_change
        elif not was_active and live_push < 0.0:
            kind, place, change = SLIDE, 2 * n + ray, dead_change
        elif was_active:
            kind, place = OFF, dead
        else:
            kind, place = ON, live
        if place == n:
            # Absorbed, and beyond all doubt inactive, so that a restart from here does not wake it by a rounding.
            b = min(b, -w * x - EPS * abs(w * x))
        log[n_log, 0], log[n_log, 1], log[n_log, 2] = theta, k, kind
        log[n_log, 3] = 2.0 * abs(a) * change
        n_log += 1
        if kind == SLIDE:
            w, b, a = _slide(field.rays[ray, 0], field.rays[ray, 1], w, b, a, sign, 0.0)
    neuron[0], neuron[1], neuron[2] = w, b, a
    return CHUNK_DONE, place, n_log, hi


# ------------------------------------------------------------------------------------------ all neurons


@kernel
def _carry_all(field, Z, E, sign, mode, hi, moved, moved_mode, events):
    """Carry every neuron to ``hi``, from ``Z`` and ``mode`` into ``moved`` and ``moved_mode``.

    Returns (status, n_events, limit): events (θ, neuron, point, kind, weight); limit is that of `_travel`.
    """
    n = field.points.shape[0]
    points, ends, ready, turns, slides, rays = (
        field.points,
        field.ends,
        field.ready,
        field.turns,
        field.slides,
        field.rays,
    )
    # Every point can be passed twice, and slide and release, before something must be wrong.
    log, released, trial = np.empty((64 + 8 * n, 4)), np.full((2 * n, 2), np.nan), np.empty(3)
    ready[:, TURNS] = False
    ready[:, END] = False
    n_events = 0
    for j in range(Z.shape[0]):
        place, s = mode[j], sign[j]
        w, b, a = Z[j, 0], Z[j, 1], Z[j, 2]
        stays = place < 0 or place == n
        # Most neurons provably keep their sector or ray; this path is kept free of calls that take the field.
        if 0 <= place < 2 * n and place != n:
            if not ready[place, END]:
                _ready_end(field, place, hi)
            w, b, a = _apply(ends[place, 0], ends[place, 1], ends[place, 2], ends[place, 3], w, b, a)
            k_up, active_up = _boundary(place, 0, n)
            k_low, active_low = _boundary(place, 1, n)
            depth_up, depth_low = w * points[k_up, 0] + b, w * points[k_low, 0] + b
            zero = OUTSIDE * (abs(w) + abs(b) + abs(a))
            stays = (
                turns[place, 0, 0] >= hi
                and turns[place, 1, 0] >= hi
                and (s != 0 or (a > 0) == (Z[j, 2] > 0))
                and (depth_up if active_up else -depth_up) > zero * points[k_up, 3]
                and (depth_low if active_low else -depth_low) > zero * points[k_low, 3]
            )
            a = _rebalance(w, b, a, s)
        elif place >= 2 * n and s != 0:
            ray, column = place - 2 * n, 0 if s > 0 else 1
            if math.isnan(released[ray, column]):
                released[ray, column], _ = _release(field, ray, a, 0.0, hi)
            stays = released[ray, column] > hi
            if stays:
                w, b, a = _slide(rays[ray, 0], rays[ray, 1], w, b, a, s, horner(slides[ray], hi))
        if not stays:
            trial[0], trial[1], trial[2] = Z[j, 0], Z[j, 1], Z[j, 2]
            status, place, n_log, limit = _travel(field, trial, s, place, hi, log)
            if status != CHUNK_DONE:
                return status, n_events, limit
            if n_events + n_log > events.shape[0]:
                return EVENTS_FULL, n_events, hi
            w, b, a = trial[0], trial[1], trial[2]
            square = math.ldexp(1.0, 2 * int(E[j])) if E[j] > LIGHTEST else 0.0
            for i in range(n_log):
                events[n_events, 0], events[n_events, 1], events[n_events, 2] = log[i, 0], j, log[i, 1]
                events[n_events, 3], events[n_events, 4] = log[i, 2], square * log[i, 3]
                n_events += 1
        moved[j, 0], moved[j, 1], moved[j, 2] = w, b, a
        moved_mode[j] = place
    return CHUNK_DONE, n_events, hi


@kernel
def _carry_within_reach(field, Z, E, sign, mode, hi, moved, moved_mode, events):
    """Carry every neuron as far as all series that it meets are accurate, at most to ``hi``.

    Returns (status, n_events, end).
    """
    for attempt in range(10):
        status, n_events, limit = _carry_all(field, Z, E, sign, mode, hi, moved, moved_mode, events)
        if status != _SHORTER:
            return status, n_events, hi
        hi = limit
        if attempt == 8:
            # No neuron can meet a series that this step outreaches.
            for place in range(field.limits.size):
                hi = min(hi, _ready_place(field, place))
    return status, n_events, hi


@kernel
def _normalise(Z, E, sign):
    """Keep mantissas near 1, so that neither growth nor decay ever leaves float64.

    A neuron that has grown until a² - |w|² is below rounding is balanced from then on: were it to shrink again,
    that rounding would unbalance it.
    """
    for j in range(Z.shape[0]):
        if sign[j] == 0:
            norm = math.hypot(Z[j, 0], Z[j, 1])
            if abs(norm - abs(Z[j, 2])) <= BALANCED * norm:
                sign[j] = 1 if Z[j, 2] > 0.0 else -1
        size = max(abs(Z[j, 0]), abs(Z[j, 1]), abs(Z[j, 2]))
        if size > MANTISSA or 0.0 < size < 1.0 / MANTISSA:
            _, shift = math.frexp(size)
            factor = math.ldexp(1.0, -shift)
            Z[j, 0], Z[j, 1], Z[j, 2] = factor * Z[j, 0], factor * Z[j, 1], factor * Z[j, 2]
            E[j] += shift


@kernel
def _where_to_end(events, n_events, hi, reach, tolerance):
    """Largest θ ≤ ``hi`` at which the switches before it have changed less than the tolerance."""
    lo, end = 0.0, hi
    for turn in range(60):
        total = 0.0
        for i in range(n_events):
            if events[i, 0] < end:
                total += events[i, 4] * (end - events[i, 0]) ** 2
        fits = reach * total <= tolerance
        if turn == 0 and fits:
            return hi
        if fits:
            lo = end
        else:
            hi = end
        end = 0.5 * (lo + hi)
        if hi - lo <= 1e-3 * hi and lo > 0.0:
            break
    return lo if lo > 0.0 else end


# --------------------------------------------------------------------------------------------- rest test


@kernel
def _can_grow(field, c0, sign, slowest):
    """Whether a small balanced neuron of sector ``c0`` may reach a direction in which it grows, residual frozen.

    It turns towards ``sign · g`` and walks from sector to sector, until a sector holds that direction
    (it grows), a ray holds the neuron (it grows iff sign · g · u > 0), or nothing pushes it.
    """
    n = field.points.shape[0]
    for way in range(2):
        c = c0
        for _ in range(2 * n):
            g1, g2 = sign * field.generator[c, 0, 0], sign * field.generator[c, 1, 0]
            if math.hypot(g1, g2) <= slowest:
                break
            k_up, active_up = _boundary(c, 0, n)
            k_low, active_low = _boundary(c, 1, n)
            up = _inside(g1, g2, field.points[k_up, 0], active_up)
            low = _inside(g1, g2, field.points[k_low, 0], active_low)
            if up >= 0.0 and low >= 0.0:
                return True
            # It moves on through the boundary that g points out of; where g points out of both, either way.
            side = 0 if up < 0.0 and (low >= 0.0 or way == 0) else 1
            ray = c if side == 0 else (c - 1 + 2 * n) % (2 * n)
            k, beyond = ray % n, (c + 1) % (2 * n) if side == 0 else ray
            g1, g2 = sign * field.generator[beyond, 0, 0], sign * field.generator[beyond, 1, 0]
            pushed_on = g1 * field.points[k, 0] + g2
            was_active = active_up if side == 0 else active_low
            if (pushed_on > 0.0) == was_active and pushed_on != 0.0:
                if g1 * field.rays[ray, 0] + g2 * field.rays[ray, 1] > slowest:
                    return True
                break
            c = beyond
    return False


@kernel
def _at_rest(field, sector_moments, ray_moments, occupied, sign, mode, slowest, unit):
    """Whether the network is stationary: its velocity is small and no neuron can grow."""
    n = field.points.shape[0]
    speed, size = 0.0, 0.0
    for c in range(2 * n):
        g1, g2 = field.generator[c, 0, 0] / unit, field.generator[c, 1, 0] / unit
        m = sector_moments[c, :, 0]
        speed += m[5] * (g1 * g1 + g2 * g2) + g1 * g1 * m[0] + 2.0 * g1 * g2 * m[1] + g2 * g2 * m[2]
        d = inactive_sector(c, n)
        gamma = (
            field.generator[d, 0, 0] * field.rays[c, 0] + field.generator[d, 1, 0] * field.rays[c, 1]
        ) / unit
        speed += 2.0 * gamma * gamma * ray_moments[c, 1, 0]
        size += m[0] + m[2] + m[5] + 2.0 * ray_moments[c, 1, 0]
    # The velocity of a heavy network is known to rounding and the tolerance only.
    strongest, longest = 0.0, 0.0
    for k in range(n):
        strongest += field.points[k, 1] * field.points[k, 3]
        longest = max(longest, field.points[k, 3])
    slowest = max(slowest, (4.0 * EPS + field.tolerance) * strongest * longest * size)
    if speed > slowest * slowest * size:
        return False
    for j in range(mode.size):
        place = mode[j]
        if place < 0 or place == n or not occupied[place]:
            continue
        if place < 2 * n:
            if math.hypot(field.generator[place, 0, 0], field.generator[place, 1, 0]) <= slowest * unit:
                occupied[place] = False
            elif sign[j] == 0 or _can_grow(field, place, sign[j], slowest * unit):
                return False
        else:
            ray = place - 2 * n
            d = inactive_sector(ray, n)
            gamma = (
                field.generator[d, 0, 0] * field.rays[ray, 0] + field.generator[d, 1, 0] * field.rays[ray, 1]
            )
            if abs(gamma) > slowest * unit and (sign[j] == 0 or sign[j] * gamma > 0.0):
                return False
    return True


# ------------------------------------------------------------------------------------------------- steps


@kernel
def _time_of_loss(field, goal, hi):
    """First θ at which the loss of the series is down to ``goal``, or inf if it is not by ``hi``."""
    lo, end = 0.0, hi
    for turn in range(MAX_BISECTIONS):
        loss = 0.0
        for k in range(field.points.shape[0]):
            loss += horner(field.residual[k], end) ** 2 / (2.0 * field.points[k, 1])
        if loss > goal:
            lo = end
            if turn == 0:
                return np.inf
        else:
            hi = end
        end = 0.5 * (lo + hi)
        if end <= lo or end >= hi:
            break
    return hi


@kernel
def advance(points, Z, E, sign, mode, control, order, times, losses, events):
    r"""Follow the flow until a goal is reached or the buffers are full.

    Parameters
    ----------
    points : (n, 4) float64
        Distinct inputs ascending: x, weight c, target, |x̃|, for ``L = ½ Σ c (target - f)²``.
    Z, E, sign, mode : (m, 3) float64, (m,) int64, (m,) int64, (m,) int64
        Neurons ``2^E (w, b, a)``; sign of a if balanced, else 0; where each is (`locate`). Updated.
    control : (5,) float64
        t_max, loss to stop at (negative: none), tolerance of a step, rate below which nothing moves, and the
        length that the next step should try, which is updated.
    order : int
        Terms of the Taylor series.
    times, losses : (capacity + 1,) float64
        ``times[0]`` is the start; filled.
    events : (capacity, 5) float64
        Filled with the switches: t, neuron, point, kind, weight.

    Returns
    -------
    status, n_steps, n_events : int

    Notes
    -----
    The series: R. Barrio, *Appl. Math. Comput.* 163 (2005); its step: À. Jorba & M. Zou, *Exp. Math.* 14
    (2005). The sliding: A. F. Filippov (1988), chapter 2.
    """
    n, n2 = points.shape[0], 2 * points.shape[0]
    rays = np.empty((n2, 2))
    for ray in range(n2):
        way = 1.0 if ray < n else -1.0
        rays[ray, 0], rays[ray, 1] = way / points[ray % n, 3], -way * points[ray % n, 0] / points[ray % n, 3]
    t_max, stop_loss, tolerance, slowest = control[0], control[1], control[2], control[3]
    field = Field(
        points,
        rays,
        np.zeros((n, order)),
        np.zeros((n2, 2, order)),
        np.zeros((n2, 4, order + 1)),
        np.zeros((n2, order + 1)),
        np.zeros((n2, 2, order)),
        np.zeros((n2, 4)),
        np.zeros(2 * n2),
        np.zeros((n2, 4), np.bool_),
        np.zeros((DEEPEST + 2, order)),
        np.zeros(1),
        tolerance,
    )
    sector_moments, ray_moments = np.zeros((n2, 6, order + 1)), np.zeros((n2, 2, order + 1))
    occupied, moving = np.zeros(2 * n2, np.bool_), np.zeros(2 * n2, np.bool_)
    output = np.empty((n2, 2))
    moved, moved_mode = np.empty_like(Z), np.empty_like(mode)
    # How strongly a change of one neuron's output acts back on any generator.
    reach, longest = 0.0, 0.0
    for k in range(n):
        reach += points[k, 1] * points[k, 3]
        longest = max(longest, points[k, 3])
    n_events, guess, at_goal = 0, control[4], False
    for step in range(times.size):
        _moments(Z, E, mode, rays, sector_moments, ray_moments, occupied)
        _fill_residual(field, sector_moments, ray_moments, 0, 1.0, output)
        loss = 0.0
        for k in range(n):
            loss += field.residual[k, 0] ** 2 / (2.0 * points[k, 1])
        losses[step] = loss
        if not math.isfinite(loss):
            return NOT_FINITE, step, n_events
        if loss <= stop_loss or at_goal:
            return REACHED_LOSS, step, n_events
        if times[step] >= t_max:
            return REACHED_T_MAX, step, n_events
        if _at_rest(field, sector_moments, ray_moments, occupied.copy(), sign, mode, slowest, 1.0):
            return STATIONARY, step, n_events
        if step == times.size - 1:
            return CHUNK_DONE, step, n_events
        # The unit of time of the series: the fastest growth, or the fastest relaxation of the residual.
        fastest, total = 0.0, 0.0
        for c in range(n2):
            if occupied[c] or occupied[n2 + c]:
                d = c if occupied[c] else inactive_sector(c, n)
                fastest = max(fastest, math.hypot(field.generator[d, 0, 0], field.generator[d, 1, 0]))
            total += sector_moments[c, 0, 0] + sector_moments[c, 2, 0] + sector_moments[c, 5, 0]
            total += 2.0 * ray_moments[c, 1, 0]
        unit = 1.0 / (fastest + total * reach * longest)
        field.noise[0] = 0.0
        for k in range(n):
            # A residual is right to the tolerance, and to some roundings, of the terms of its sum.
            size = points[k, 1] * (abs(points[k, 2]) + total * points[k, 3])
            field.noise[0] += (8.0 * EPS + tolerance) * unit * size * points[k, 3] * longest
        for place in range(2 * n2):
            moving[place] = False
            if occupied[place]:
                if place < n2:
                    m = sector_moments[place]
                    size = m[0, 0] + m[2, 0] + m[5, 0]
                else:
                    size = 2.0 * ray_moments[place - n2, 1, 0]
                moving[place] = size * unit * reach * longest > SPECTATOR * tolerance
        for c in range(n2):
            for l in range(2):
                field.generator[c, l, 0] *= unit
        _fill_field(field, sector_moments, ray_moments, moving, unit, output)
        hi = LONGEST_STEP
        for place in range(n2):
            if occupied[place] and place != n:
                hi = min(hi, _ready_place(field, place))
            if occupied[n2 + place]:
                hi = min(hi, _ready_place(field, n2 + place))
        guessed = guess < unit * hi
        hi = min(hi, guess / unit)
        last = (t_max - times[step]) / unit <= hi
        if last:
            hi = (t_max - times[step]) / unit
        goal = _time_of_loss(field, stop_loss, hi) if stop_loss > 0.0 else np.inf
        cut = min(hi, goal)
        status, n_new, cut = _carry_within_reach(field, Z, E, sign, mode, cut, moved, moved_mode, events[n_events:])
        if status != CHUNK_DONE:
            return status, step, n_events
        end = _where_to_end(events[n_events : n_events + n_new], n_new, cut, 0.25 * unit * reach * longest, tolerance)
        if end < cut:
            status, n_new, end = _carry_within_reach(field, Z, E, sign, mode, end, moved, moved_mode, events[n_events:])
            if status != CHUNK_DONE:
                return status, step, n_events
        last &= end == hi
        # The loss that is then computed anew differs from the goal by the tolerance, to either side.
        at_goal = end == goal
        times[step + 1] = t_max if last else times[step] + unit * end
        if times[step + 1] <= times[step]:
            return TIME_STALLED, step, n_events
        # Where many light switches cut steps short, do not carry every neuron to the far end of a step that will be
        # cut again. A much shorter step was cut by one heavy switch, which says nothing about the next one.
        if end < cut:
            guess = 1.25 * unit * end if end > 0.05 * cut else np.inf
        else:
            guess = 2.0 * unit * end if guessed else np.inf
        control[4] = guess
        Z[:] = moved
        mode[:] = moved_mode
        _normalise(Z, E, sign)
        for i in range(n_events, n_events + n_new):
            events[i, 0] = times[step] + unit * events[i, 0]
        n_events += n_new
    return CHUNK_DONE, times.size - 1, n_events
