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

from reluquant.kernels.collocation_1d import begin, collocate, fill_tangent_kernel, keep, prepare_tail
from reluquant.kernels.crowd_1d import carry_crowd, room_for_crowd
from reluquant.kernels.field_1d import (
    END,
    LONGEST_STEP,
    SPECTATOR,
    TURNS,
    empty_field,
    fill_field,
    fill_residual,
    moments,
    ready_end,
    ready_place,
    unit_square,
)
from reluquant.kernels.jit import kernel, lean_kernel
from reluquant.kernels.jump_1d import jump, jump_length
from reluquant.kernels.neuron_1d import SHORTER, apply, rebalance, slide, travel
from reluquant.kernels.passing_1d import pass_through, ready_passage
from reluquant.kernels.polynomials import MAX_BISECTIONS, horner
from reluquant.kernels.rest_1d import at_rest
from reluquant.kernels.sectors_1d import BALANCED, EPS, OUTSIDE, boundary, inactive_sector
from reluquant.kernels.status import (
    CHUNK_DONE,
    EVENTS_FULL,
    NOT_FINITE,
    REACHED_LOSS,
    REACHED_T_MAX,
    STATIONARY,
    TIME_STALLED,
)

# Mantissas are kept within 2^±32, so that a step's growth can neither overflow nor underflow.
MANTISSA = 2.0**32
# Multiples of it modulo 1 spread evenly: so are the angles at which neurons are parted, whatever their number.
GOLDEN = 0.6180339887498949
# A problem is stiff where the residual relaxes this much faster than any neuron grows.
STIFF = 10.0
# After this many Taylor steps in a stiff problem, undisturbed by switches, an implicit step of FIRST_STRETCH times
# their length is tried; if it fails twice as many pass before the next trial.
PATIENCE, MOST_PATIENCE = 4.0, 256.0
FIRST_STRETCH = 8.0
# An implicit step costs several Taylor steps: shorter than this many of them it is not worth its while.
WORTHWHILE = 4.0
MOST_ATTEMPTS = 12
# The tangent kernel is computed anew when the last step took more Newton iterations than this.
MOST_STALE = 6.0
# Extrapolating the residual further than this many lengths of the last step gives no good start.
MOST_STRETCH = 2.0
# A step that was refused tells that this length is about what the polynomial bears: the next may not be longer, and
# each after it by this much more. Errors that vanish in rounding would otherwise double every other step in vain.
REGAIN = 0.2
# From so many switches in a step on they are a crowd: what they change grows like the third power of a step, and the
# next is planned by that (a little shorter, and not so much longer), since a step that is cut has been carried in vain.
MANY = 16
LESS, MOST_MORE = 0.9, 4.0
# So many neurons may switch so often in a step that the first is tried at this share of what the series bears.
WIDE, FIRST_SHARE = 4096, 0.25
# A step is cut to this part of its length.
BINS = 1024
# Steps after which what is heavy has settled as far as it will.
SETTLED = 16.0
# See `Pace`: nothing learnt yet.
FIRST_PACE = np.array([np.inf, 0.0, 0.0, PATIENCE, PATIENCE, 0.0, MOST_STRETCH])


@lean_kernel
def _keeps_sector(points, turns, turned, c, hi, w, b, a, w_end, b_end, a_end):
    """Whether a neuron whose a keeps its sign is inside sector ``c`` at its end, and wherever it may turn before."""
    zero = OUTSIDE * (abs(w_end) + abs(b_end) + abs(a_end))
    for side in range(2):
        k, active = boundary(c, side, points.shape[0])
        x, length = points[k, 0], points[k, 3]
        depth = w_end * x + b_end
        if (depth if active else -depth) <= zero * length:
            return False
        if turns[c, side, 0] < hi:
            if turns[c, side, 1] < hi:
                return False
            s = turned[c, side]
            w_then, b_then, _ = apply(s[0], s[1], s[2], s[3], w, b, a)
            depth = w_then * x + b_then
            if (depth if active else -depth) <= zero * length:
                return False
    return True


@lean_kernel
def _carry_all(field, crowd, Z, E, sign, mode, hi, moved, moved_mode, events):
    """Carry every neuron to ``hi``, from ``Z`` and ``mode`` into ``moved`` and ``moved_mode``.

    Returns (status, n_events, limit): events (θ, neuron, point, kind, weight); limit is that of `travel`.
    """
    n2 = field.rays.shape[0]
    n = n2 // 2
    points, rays, generator, edges, ends = field.points, field.rays, field.generator, field.edges, field.ends
    turns, turned, slides, releases = field.turns, field.turned, field.slides, field.releases
    limits, ready, resume = field.limits, field.ready, crowd.resume
    log, trial = field.log, field.trial
    ready[:, TURNS] = False
    ready[:, END] = False
    releases[:] = np.nan
    n_events = carry_crowd(field, crowd, Z, E, sign, mode, hi, moved, moved_mode, events)
    if n_events < 0:
        return EVENTS_FULL, 0, hi
    for j in range(Z.shape[0]):
        if resume[j] >= hi:
            continue
        place, s = mode[j], sign[j]
        w, b, a = Z[j, 0], Z[j, 1], Z[j, 2]
        theta, n_log = 0.0, 0
        if resume[j] > 0.0:
            place, theta = moved_mode[j], resume[j]
            w, b, a = moved[j, 0], moved[j, 1], moved[j, 2]
        # Most neurons keep their sector or ray, most others pass: these paths are free of calls that take the field,
        # which would cost more than all the rest.
        elif 0 <= place < n2 and place != n:
            if not ready[place, END]:
                ready_end(field, place, hi)
            w_end, b_end, a_end = apply(ends[place, 0], ends[place, 1], ends[place, 2], ends[place, 3], w, b, a)
            if (s != 0 or (a > 0) == (a_end > 0)) and _keeps_sector(
                points, turns, turned, place, hi, w, b, a, w_end, b_end, a_end
            ):
                w, b, a, theta = w_end, b_end, rebalance(w_end, b_end, a_end, s), hi
        elif place >= n2 and s != 0:
            ray, column = place - n2, 0 if s > 0 else 1
            # Before the decision, so that equal neurons go the same way to the last bit.
            if math.isnan(releases[ray, column, 0]):
                ready_passage(field, place, s, hi)
            if releases[ray, column, 0] > hi:
                w, b, a = slide(rays[ray, 0], rays[ray, 1], w, b, a, s, horner(slides[ray], hi))
                theta = hi
        if 0 <= place != n and s != 0 and theta == 0.0:
            # Each turn makes one sector or ray ready.
            for _ in range(2 * n2):
                w, b, a, place, theta, n_log = pass_through(
                    points,
                    rays,
                    edges,
                    ends,
                    generator,
                    turns,
                    slides,
                    releases,
                    limits,
                    ready,
                    Z[j, 0],
                    Z[j, 1],
                    Z[j, 2],
                    mode[j],
                    field.spread > 0.0,
                    hi,
                    log,
                )
                if theta >= 0.0:
                    break
                ready_passage(field, place, s, hi)
        if 0 <= place != n and theta < hi:
            trial[0], trial[1], trial[2] = w, b, a
            angle = field.spread * (j * GOLDEN % 1.0)
            status, place, n_log, limit = travel(field, trial, s, place, angle, theta, n_log, hi, log)
            if status != CHUNK_DONE:
                return status, n_events, limit
            w, b, a = trial[0], trial[1], trial[2]
        if n_events + n_log > events.shape[0]:
            return EVENTS_FULL, n_events, hi
        if n_log > 0:
            square = unit_square(E[j])
            for i in range(n_log):
                events[n_events, 0], events[n_events, 1], events[n_events, 2] = log[i, 0], j, log[i, 1]
                events[n_events, 3], events[n_events, 4] = log[i, 2], square * log[i, 3]
                n_events += 1
        moved[j, 0], moved[j, 1], moved[j, 2] = w, b, a
        moved_mode[j] = place
    return CHUNK_DONE, n_events, hi


@lean_kernel
def _carry_within_reach(field, crowd, Z, E, sign, mode, hi, moved, moved_mode, events):
    """Carry every neuron as far as all series that it meets are accurate, at most to ``hi``.

    Returns (status, n_events, end).
    """
    for attempt in range(10):
        status, n_events, limit = _carry_all(field, crowd, Z, E, sign, mode, hi, moved, moved_mode, events)
        if status != SHORTER:
            return status, n_events, hi
        hi = limit
        if attempt == 8:
            # No neuron can meet a series that this step outreaches.
            for place in range(field.limits.size):
                hi = min(hi, ready_place(field, place))
    return status, n_events, hi


@lean_kernel
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


@lean_kernel
def _changed(events, n_events, end):
    """What the switches before ``end`` may have changed by then, but for a factor."""
    total = 0.0
    for i in range(n_events):
        if events[i, 0] < end:
            total += events[i, 4] * (end - events[i, 0]) ** 2
    return total


@lean_kernel
def _bracket(events, n_events, hi, most, bins):
    """Two neighbours on a grid of (0, hi) between which the change reaches ``most``; it does so by ``hi``."""
    size = bins.shape[0]
    for i in range(size):
        bins[i, 0], bins[i, 1], bins[i, 2] = 0.0, 0.0, 0.0
    for i in range(n_events):
        theta, weight = events[i, 0], events[i, 4]
        place = min(int(theta / hi * size), size - 1)
        bins[place, 0] += weight
        bins[place, 1] += weight * theta
        bins[place, 2] += weight * theta * theta
    zeroth, first, second = 0.0, 0.0, 0.0
    for i in range(size - 1):
        zeroth, first, second = zeroth + bins[i, 0], first + bins[i, 1], second + bins[i, 2]
        end = hi * (i + 1) / size
        if (zeroth * end - 2.0 * first) * end + second > most:
            return hi * i / size, end
    return hi * (size - 1) / size, hi


@lean_kernel
def _where_to_end(events, n_events, hi, most, bins):
    """Largest θ ≤ ``hi`` at which the switches before it have changed less than ``most``, and the share of it spent."""
    changed = _changed(events, n_events, hi)
    if changed <= most:
        return hi, changed / most
    lo = 0.0
    if n_events >= MANY:
        # One look at all events instead of one for each halving.
        lo, hi = _bracket(events, n_events, hi, most, bins)
    end = 0.5 * (lo + hi)
    for _ in range(60):
        if hi - lo <= 1e-3 * hi and lo > 0.0:
            break
        if _changed(events, n_events, end) <= most:
            lo = end
        else:
            hi = end
        end = 0.5 * (lo + hi)
    return lo if lo > 0.0 else end, 1.0


@lean_kernel
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


class Pace(NamedTuple):
    """What one step teaches the next; arrays of one number, updated in place.

    guess: the length to try next, because many light switches cut the last one short.
    implicit: the length of the next implicit step, 0 while steps are explicit. explicit: how far the last Taylor
    series reached. patience: explicit steps until an implicit one is tried; the second number is what it was last.
    since: steps since the last jump. stretch: how many times as long as this one the next implicit step may be.
    """

    guess: np.ndarray
    implicit: np.ndarray
    explicit: np.ndarray
    patience: np.ndarray
    since: np.ndarray
    stretch: np.ndarray


@lean_kernel
def _strength(points):
    """How strongly a change of one neuron's output acts back on any generator, and the longest input."""
    reach, longest = 0.0, 0.0
    for k in range(points.shape[0]):
        reach += points[k, 1] * points[k, 3]
        longest = max(longest, points[k, 3])
    return reach, longest


@lean_kernel
def _mass(sector_moments, ray_moments):
    """Σ |z|² over all neurons."""
    total = 0.0
    for c in range(sector_moments.shape[0]):
        total += sector_moments[c, 0, 0] + sector_moments[c, 2, 0] + sector_moments[c, 5, 0]
        total += 2.0 * ray_moments[c, 1, 0]
    return total


@lean_kernel
def _scale(field, sector_moments, ray_moments, occupied, moving, unit):
    """Set the noise of a step of this unit of time, and which groups move the field noticeably."""
    points, n2 = field.points, field.rays.shape[0]
    reach, longest = _strength(points)
    total = _mass(sector_moments, ray_moments)
    field.noise[0] = 0.0
    for k in range(points.shape[0]):
        # A residual is right to the tolerance, and to some roundings, of the terms of its sum.
        size = points[k, 1] * (abs(points[k, 2]) + total * points[k, 3])
        field.noise[0] += (8.0 * EPS + field.tolerance) * unit * size * points[k, 3] * longest
    for place in range(2 * n2):
        moving[place] = False
        if occupied[place]:
            if place < n2:
                m = sector_moments[place]
                size = m[0, 0] + m[2, 0] + m[5, 0]
            else:
                size = 2.0 * ray_moments[place - n2, 1, 0]
            moving[place] = size * unit * reach * longest > SPECTATOR * field.tolerance


@lean_kernel
def _reach_of_all(field, occupied, hi):
    """How far the series of all occupied sectors and rays are accurate, at most ``hi``."""
    n2 = field.rays.shape[0]
    for place in range(n2):
        if occupied[place] and place != n2 // 2:
            hi = min(hi, ready_place(field, place))
        if occupied[n2 + place]:
            hi = min(hi, ready_place(field, n2 + place))
    return hi


@lean_kernel
def _explicit_step(field, sector_moments, ray_moments, occupied, moving, output):
    """Fill the Taylor series of a step. Returns (unit of time, how far it reaches, whether the problem is stiff)."""
    n2 = field.rays.shape[0]
    reach, longest = _strength(field.points)
    # The unit of time of the series: the fastest growth, or the fastest relaxation of the residual.
    fastest = 0.0
    for c in range(n2):
        if occupied[c]:
            fastest = max(fastest, math.hypot(field.generator[c, 0, 0], field.generator[c, 1, 0]))
        if occupied[n2 + c]:
            g, u = field.generator[inactive_sector(c, n2 // 2)], field.rays[c]
            fastest = max(fastest, abs(g[0, 0] * u[0] + g[1, 0] * u[1]))
    relaxation = _mass(sector_moments, ray_moments) * reach * longest
    unit = 1.0 / (fastest + relaxation)
    _scale(field, sector_moments, ray_moments, occupied, moving, unit)
    for c in range(n2):
        for l in range(2):
            field.generator[c, l, 0] *= unit
    fill_field(field, sector_moments, ray_moments, moving, unit, output)
    return unit, _reach_of_all(field, occupied, LONGEST_STEP), relaxation > STIFF * fastest


@kernel
def _implicit_step(field, tail, pace, sector_moments, ray_moments, occupied, moving, longest_unit, output):
    """Find the polynomial of an implicit step; its length is adapted, and the next one proposed.

    Returns (unit of time, how far it reaches); unit = 0 when a Taylor series does as well.
    """
    n, s = tail.values.shape
    begin(field, tail)
    unit, renewed, extrapolate = min(pace.implicit[0], longest_unit), False, tail.old_unit[0] > 0.0
    if not extrapolate or tail.iterations[0] > MOST_STALE:
        fill_tangent_kernel(field, tail, sector_moments, ray_moments)
        renewed = True
    refused = 0
    for _ in range(MOST_ATTEMPTS):
        if unit < WORTHWHILE * pace.explicit[0] and unit < longest_unit:
            break
        _scale(field, sector_moments, ray_moments, occupied, moving, unit)
        for k in range(n):
            for l in range(s):
                theta = 1.0 + tail.nodes[l] * unit / tail.old_unit[0] if extrapolate else 0.0
                tail.values[k, l] = horner(tail.old[k], theta) if extrapolate else tail.start[k]
        converged, error = collocate(field, tail, sector_moments, ray_moments, moving, unit, output)
        fits = 0.8 * (field.tolerance / max(error, 1e-300)) ** (1.0 / (s + 1.0))
        reach = _reach_of_all(field, occupied, 1.0)
        if converged and error <= field.tolerance and reach == 1.0:
            pace.implicit[0] = unit * min(pace.stretch[0], max(fits, 0.5))
            pace.stretch[0] = min(MOST_STRETCH, pace.stretch[0] + REGAIN)
            pace.patience[1] = PATIENCE
            keep(field, tail, unit)
            return unit, 1.0
        pace.stretch[0] = 1.0
        if converged:
            # Either the polynomial errs, or the maps on which it rests are not accurate up to its end. A transient
            # that is much faster than the step lets errors fall more slowly than smooth motion would.
            refused += 1
            if reach < 1.0:
                fits = min(fits, 0.9 * reach)
            unit *= max(0.01, fits**refused)
        elif not renewed:
            fill_tangent_kernel(field, tail, sector_moments, ray_moments)
            renewed = True
        elif extrapolate:
            extrapolate = False
        else:
            unit *= 0.25
    # The moments are what they were, but their first coefficients are needed again.
    pace.implicit[0], tail.old_unit[0] = 0.0, 0.0
    pace.patience[1] = min(2.0 * pace.patience[1], MOST_PATIENCE)
    pace.patience[0] = pace.patience[1]
    return 0.0, 0.0


@lean_kernel
def _learn_pace(pace, tail, implicit, guessed, stiff, unit, end, cut, n_switches, spent):
    """What the length of this step says about the next."""
    # Where many light switches cut steps short, do not carry every neuron through all its switches to the far end of
    # a step that will be cut again. One heavy switch says little about the next: halve at most.
    if n_switches >= MANY:
        planned = LESS * unit * end * min(MOST_MORE, spent ** (-1.0 / 3.0) if spent > 0.0 else np.inf)
        # Or they are one group, which crosses at one moment and says little of the next step.
        pace.guess[0] = max(planned, 0.5 * unit * cut)
    elif end < cut:
        pace.guess[0] = max(1.25 * unit * end, 0.5 * unit * cut)
    else:
        pace.guess[0] = 2.0 * unit * end if guessed else np.inf
    if implicit:
        if end < 1.0:
            tail.old_unit[0] = 0.0
    elif not stiff:
        pace.patience[0] = pace.patience[1]
    else:
        pace.patience[0] -= 1.0
        if pace.patience[0] <= 0.0:
            pace.implicit[0] = FIRST_STRETCH * unit * end


@kernel
def advance(points, Z, E, sign, mode, control, pace, nodes, order, times, losses, events):
    r"""Follow the flow until a goal is reached or the buffers are full.

    Parameters
    ----------
    points : (n, 4) float64
        Distinct inputs ascending: x, weight c, target, |x̃|, for ``L = ½ Σ c (target - f)²``.
    Z, E, sign, mode : (m, 3) float64, (m,) int64, (m,) int64, (m,) int64
        Neurons ``2^E (w, b, a)``; sign of a if balanced, else 0; where each is (`locate`). Updated.
    control : (5,) float64
        t_max, loss to stop at (negative: none), tolerance of a step, rate below which nothing moves, and the angle
        that parts neurons that are released from a slide.
    pace : (7,) float64
        How the next step should be tried: `FIRST_PACE` at the start. Updated.
    nodes : (s,) float64
        Radau points of the implicit steps, s ≤ order.
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
    (2005). The sliding: A. F. Filippov (1988), chapter 2. Implicit steps: see `collocation_1d`.
    """
    n, n2 = points.shape[0], 2 * points.shape[0]
    t_max, stop_loss, tolerance, slowest = control[0], control[1], control[2], control[3]
    field = empty_field(points, order, tolerance, control[4])
    rays = field.rays
    steps = Pace(pace[0:1], pace[1:2], pace[2:3], pace[3:5], pace[5:6], pace[6:7])
    tail = prepare_tail(nodes, n)
    sector_moments, ray_moments = np.zeros((n2, 6, order + 1)), np.zeros((n2, 2, order + 1))
    occupied, moving = np.zeros(2 * n2, np.bool_), np.zeros(2 * n2, np.bool_)
    output = np.empty((n2, 2))
    moved, moved_mode, crowd = np.empty_like(Z), np.empty_like(mode), room_for_crowd(n, mode.size, order)
    reach, longest = _strength(points)
    bins = np.empty((BINS, 3))
    still, n_events, at_goal = np.zeros(2 * n2, np.bool_), 0, False
    for step in range(times.size):
        moments(Z, E, mode, rays, sector_moments, ray_moments, occupied)
        fill_residual(field, sector_moments, ray_moments, 0, 1.0, output)
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
        if at_rest(field, sector_moments, ray_moments, occupied.copy(), sign, mode, slowest, 1.0):
            return STATIONARY, step, n_events
        if step == times.size - 1:
            return CHUNK_DONE, step, n_events
        settled = steps.since[0] >= SETTLED
        length = jump_length(field, sector_moments, ray_moments, Z, E, sign, mode, reach, longest, settled, still)
        length = min(length, t_max - times[step])
        steps.since[0] += 1.0
        if length > FIRST_STRETCH * steps.explicit[0] > 0.0 and times[step] + length > times[step]:
            steps.since[0] = 0.0
            jump(field, length, Z, E, sign, mode, still)
            _normalise(Z, E, sign)
            times[step + 1] = min(t_max, times[step] + length)
            continue
        unit, hi, stiff = 0.0, 0.0, False
        most = min(t_max - times[step], steps.guess[0])
        if steps.implicit[0] > 0.0 and most >= WORTHWHILE * steps.explicit[0]:
            unit, hi = _implicit_step(field, tail, steps, sector_moments, ray_moments, occupied, moving, most, output)
        implicit, first = unit > 0.0, steps.explicit[0] == 0.0
        if not implicit:
            fill_residual(field, sector_moments, ray_moments, 0, 1.0, output)
            unit, hi, stiff = _explicit_step(field, sector_moments, ray_moments, occupied, moving, output)
            steps.explicit[0] = unit * hi
            if first and mode.size >= WIDE:
                steps.guess[0] = min(steps.guess[0], FIRST_SHARE * unit * hi)
        guessed = steps.guess[0] < unit * hi
        hi = min(hi, steps.guess[0] / unit)
        last = (t_max - times[step]) / unit <= hi
        if last:
            hi = (t_max - times[step]) / unit
        goal = _time_of_loss(field, stop_loss, hi) if stop_loss > 0.0 else np.inf
        cut = min(hi, goal)
        room = events[n_events:]
        status, n_new, cut = _carry_within_reach(field, crowd, Z, E, sign, mode, cut, moved, moved_mode, room)
        if status != CHUNK_DONE:
            return status, step, n_events
        most = tolerance / (0.25 * unit * reach * longest)
        end, spent = _where_to_end(room, n_new, cut, most, bins)
        if end < cut:
            status, n_new, end = _carry_within_reach(field, crowd, Z, E, sign, mode, end, moved, moved_mode, room)
            if status != CHUNK_DONE:
                return status, step, n_events
        last &= end == hi
        # The loss that is then computed anew differs from the goal by the tolerance, to either side.
        at_goal = end == goal
        times[step + 1] = t_max if last else times[step] + unit * end
        if times[step + 1] <= times[step]:
            return TIME_STALLED, step, n_events
        _learn_pace(steps, tail, implicit, guessed, stiff and end >= hi, unit, end, cut, n_new, spent)
        # One by one: assigning an array to an array takes a second to compile, for its error message.
        for j in range(mode.size):
            Z[j, 0], Z[j, 1], Z[j, 2] = moved[j, 0], moved[j, 1], moved[j, 2]
            mode[j] = moved_mode[j]
        _normalise(Z, E, sign)
        for i in range(n_events, n_events + n_new):
            events[i, 0] = times[step] + unit * events[i, 0]
        n_events += n_new
    return CHUNK_DONE, times.size - 1, n_events
