"""The residual of one step as a power series, and the maps that it gives every sector and ray. See `flow_1d`."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.polynomials import DEEPEST, sign_changes
from reluquant.kernels.sectors_1d import inactive_sector

# Squares of neurons below 2^-500 underflow, and are far below the rounding of any residual.
LIGHTEST = -500
# The square of a neuron of unit mantissa, by its exponent from LIGHTEST on: a look-up is faster than ldexp.
_SQUARES = np.ldexp(1.0, 2 * np.arange(LIGHTEST, 1 - LIGHTEST))
_SQUARES[0] = 0.0
# A group whose second moment moves the field by less than this share of the tolerance is a spectator.
SPECTATOR = 1e-4
# A step never spans more than this many e-foldings of a sum of squares, so that a spectator at its start is still
# negligible at its end. (The exponent of a slider is integrated exactly: its series alone would allow any step.)
MOST_GROWTH = 4.0
# Where nothing moves at all a step is this many units of time.
LONGEST_STEP = 60.0
MAPS, SLIDES, TURNS, END, EDGES = range(5)


class Field(NamedTuple):
    """The residual of one step as a power series in θ, and what follows from it; arrays are filled in place.

    Arrays
    ------
    points (n, 4): x, weight, target, |x̃|; rays (2n, 2): unit directions.
    residual (n, order): coefficients of r. generator (2n, 2, order): those of unit · g.
    maps (2n, 4, order + 1): those of S, row by row. slides (2n, order + 1): those of Γ.
    turns (2n, 2, order): ascending, where g · x̃ changes sign at the upper and lower boundary of a sector; then inf.
    edges (2n, 2, 2, 2, order + 1): what each boundary of a sector collects, see `passing_1d`.
    ends (2n, 4): S at the end of the step. turned (2n, 2, 4): S at the first turn of each boundary, if there is one.
    releases (2n, 2, 2): for sliders on a ray with a > 0 and a < 0, when the ray lets them go, and 1 if to the active
    side; NaN where not known.
    limits (4n,): how far the series of a sector, then of a ray, is accurate to the tolerance.
    ready (2n, 5): whether maps, slides, turns, ends and edges are filled for this sector or ray.
    work (DEEPEST + 2, order): room for the root isolation.
    log (64 + 8n, 4), trial (3,): room for the switches of one neuron, and for itself.
    noise (1,): what rounding and the tolerance alone make of unit · g · x̃.

    tolerance bounds the error of any map over one step; spread is the angle that parts neurons that are released.
    """

    points: np.ndarray
    rays: np.ndarray
    residual: np.ndarray
    generator: np.ndarray
    maps: np.ndarray
    slides: np.ndarray
    turns: np.ndarray
    edges: np.ndarray
    ends: np.ndarray
    turned: np.ndarray
    releases: np.ndarray
    limits: np.ndarray
    ready: np.ndarray
    work: np.ndarray
    log: np.ndarray
    trial: np.ndarray
    noise: np.ndarray
    tolerance: float
    spread: float


@lean_kernel
def unit_square(exponent):
    """``4^exponent``, and zero at LIGHTEST and below."""
    return _SQUARES[min(max(exponent - LIGHTEST, 0), -2 * LIGHTEST)]


@kernel
def empty_field(points, order, tolerance, spread):
    """A field of zeros with room for series of this many terms."""
    n, n2 = points.shape[0], 2 * points.shape[0]
    rays = np.empty((n2, 2))
    for ray in range(n2):
        way = 1.0 if ray < n else -1.0
        rays[ray, 0], rays[ray, 1] = way / points[ray % n, 3], -way * points[ray % n, 0] / points[ray % n, 3]
    return Field(
        points,
        rays,
        np.zeros((n, order)),
        np.zeros((n2, 2, order)),
        np.zeros((n2, 4, order + 1)),
        np.zeros((n2, order + 1)),
        np.zeros((n2, 2, order)),
        np.zeros((n2, 2, 2, 2, order + 1)),
        np.zeros((n2, 4)),
        np.zeros((n2, 2, 4)),
        np.zeros((n2, 2, 2)),
        np.zeros(2 * n2),
        np.zeros((n2, 5), np.bool_),
        np.zeros((DEEPEST + 2, order)),
        # Every point can be passed twice, and slide and release, before something must be wrong.
        np.zeros((64 + 8 * n, 4)),
        np.zeros(3),
        np.zeros(1),
        tolerance,
        spread,
    )


@lean_kernel
def moments(Z, E, mode, rays, sector_moments, ray_moments, occupied):
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
        if E[j] <= LIGHTEST:
            continue
        factor = unit_square(E[j])
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


@lean_kernel
def spread_output(points, output, start, residual, i):
    """Write the residual of a network into column ``i``, by prefix sums of its ``output`` Σ a w per sector.

    Without the targets unless ``start`` (the higher coefficients of a series do not contain them).
    """
    n = points.shape[0]
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
        residual[k, i] = points[k, 1] * ((points[k, 2] if start else 0.0) - value)


@lean_kernel
def fill_generators(field, i, unit):
    """Coefficient ``i`` of all generators from that of the residual."""
    points, residual, generator = field.points, field.residual, field.generator
    n = points.shape[0]
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


@lean_kernel
def fill_residual(field, sector_moments, ray_moments, i, unit, output):
    """Coefficient ``i`` of the residual and of all generators."""
    n = field.points.shape[0]
    for c in range(2 * n):
        output[c, 0], output[c, 1] = sector_moments[c, 3, i], sector_moments[c, 4, i]
    for ray in range(2 * n):
        # A slider counts on its inactive side, where it agrees on all points.
        c = inactive_sector(ray, n)
        output[c, 0] += ray_moments[ray, 0, i] * field.rays[ray, 0]
        output[c, 1] += ray_moments[ray, 0, i] * field.rays[ray, 1]
    spread_output(field.points, output, i == 0, field.residual, i)
    fill_generators(field, i, unit)


@lean_kernel
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


@lean_kernel
def _grow_ray(g, u, m, i):
    """Coefficient ``i + 1`` of (Σ aρ, ½ Σ (ρ² + a²)) of the sliders on one ray."""
    product, energy = 0.0, 0.0
    for j in range(i + 1):
        gamma = g[0, j] * u[0] + g[1, j] * u[1]
        product += gamma * m[1, i - j]
        energy += gamma * m[0, i - j]
    m[0, i + 1], m[1, i + 1] = 2.0 * product / (i + 1), 2.0 * energy / (i + 1)


@lean_kernel
def fill_field(field, sector_moments, ray_moments, moving, unit, output):
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
        for c in range(n2):
            output[c, 0], output[c, 1] = 0.0, 0.0
        # Spectators have no higher coefficients: what moves is a few groups among many sectors.
        for place in range(n2):
            if moving[place]:
                m = sector_moments[place]
                _grow_sector(field.generator[place], m, i)
                output[place, 0] += m[3, i + 1]
                output[place, 1] += m[4, i + 1]
            if moving[n2 + place]:
                c = inactive_sector(place, n2 // 2)
                _grow_ray(field.generator[c], field.rays[place], ray_moments[place], i)
                output[c, 0] += ray_moments[place, 0, i + 1] * field.rays[place, 0]
                output[c, 1] += ray_moments[place, 0, i + 1] * field.rays[place, 1]
        spread_output(field.points, output, False, field.residual, i + 1)
        fill_generators(field, i + 1, unit)


@lean_kernel
def slope_toward(generator, sector, x, theta):
    """``unit · g · x̃`` at θ."""
    # Here and in `map_at` numbers are indexed one by one: a view of an array costs more than reading it.
    total = 0.0
    for i in range(generator.shape[2] - 1, -1, -1):
        total = total * theta + (generator[sector, 0, i] * x + generator[sector, 1, i])
    return total


@lean_kernel
def _reach(rate, last, before_last, order, tolerance):
    """Step at which the last two terms of a series reach the tolerance (Jorba & Zou 2005), or growth its bound."""
    step = min(LONGEST_STEP, MOST_GROWTH / (2.0 * rate)) if rate > 0.0 else LONGEST_STEP
    if last > 0.0:
        step = min(step, (tolerance / last) ** (1.0 / order))
    if before_last > 0.0:
        step = min(step, (tolerance / before_last) ** (1.0 / (order - 1)))
    return step


@lean_kernel
def ready_place(field, place):
    """Fill the series of a sector or of a ray (``2n + ray``), and return how far it reaches."""
    n2 = field.rays.shape[0]
    if place < n2:
        if not field.ready[place, MAPS]:
            _ready_sector(field, place)
    elif not field.ready[place - n2, SLIDES]:
        _ready_ray(field, place - n2)
    return field.limits[place]


@lean_kernel
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


@lean_kernel
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


@lean_kernel
def ready_turns(field, c, hi):
    """Find where ``g · x̃`` changes sign at the two boundaries of sector ``c``."""
    n = field.points.shape[0]
    series = field.work[DEEPEST + 1]
    for side in range(2):
        x = field.points[(c if side == 0 else c - 1 + 2 * n) % n, 0]
        rest, power = 0.0, 1.0
        for i in range(series.size):
            series[i] = field.generator[c, 0, i] * x + field.generator[c, 1, i]
            if i > 0:
                power *= hi
                rest += abs(series[i]) * power
        # Mostly the first coefficient alone decides; and what stays within the noise has no sign to change.
        if abs(series[0]) > rest or abs(series[0]) + rest <= field.noise[0]:
            field.turns[c, side, :] = np.inf
        else:
            sign_changes(series, hi, field.work, field.turns[c, side])
    field.ready[c, TURNS] = True


@lean_kernel
def next_turn(turns, c, side, theta):
    """The first turning point after θ at one boundary of sector ``c``."""
    for i in range(turns.shape[2]):
        if turns[c, side, i] > theta:
            return turns[c, side, i]
    return np.inf


@lean_kernel
def map_at(maps, c, theta):
    """S of sector ``c`` at θ from its series, scaled to determinant 1 so that a² - |w|² is kept to rounding."""
    p, q, r, t = 0.0, 0.0, 0.0, 0.0
    for i in range(maps.shape[2] - 1, -1, -1):
        p, q = p * theta + maps[c, 0, i], q * theta + maps[c, 1, i]
        r, t = r * theta + maps[c, 2, i], t * theta + maps[c, 3, i]
    scale = 1.0 / math.sqrt(p * t - q * r)
    return p * scale, q * scale, r * scale, t * scale


@lean_kernel
def ready_end(field, c, hi):
    """Fill all that an exit from sector ``c`` needs: S at the end of the step, and the turning points."""
    if not field.ready[c, MAPS]:
        _ready_sector(field, c)
    field.ends[c, 0], field.ends[c, 1], field.ends[c, 2], field.ends[c, 3] = map_at(field.maps, c, hi)
    if not field.ready[c, TURNS]:
        ready_turns(field, c, hi)
    for side in range(2):
        if field.turns[c, side, 0] < hi:
            turned = field.turned[c, side]
            turned[0], turned[1], turned[2], turned[3] = map_at(field.maps, c, field.turns[c, side, 0])
    field.ready[c, END] = True
