"""Leaps over plateaus, on which all that happens is that light neurons grow. See `flow_general`.

After a step in which nobody switched, no direction turned and nothing heavy moved, the next steps would only repeat
it: each light neuron grows, or shrinks, by the same factor again, until the first is heavy enough to be felt.
"""

from __future__ import annotations

import math

import numpy as np

# What a step turns by less has settled: some roundings of a unit vector that was carried through it.
SETTLED = 1e-13
# What light neurons may change in the field before the leap ends, as a share of the tolerance of a step.
FELT = 1e-4
# The truncation of each step turns it by less than its tolerance, if nothing else does: a leap that neglects this may
# add up to the tolerance of a run, or to this much in the time of one e-folding at the natural rate.
DRIFTS, DRIFT = 100.0, 1e-12
# A shorter leap, in lengths of the step before it, is not worth while.
WORTHWHILE = 4.0

LOG_2 = math.log(2.0)


def leap(neurons, z, exponent, masses, moving, h, reach, natural, tolerance, longest):
    """Repeat the step that led here for as long as nothing else happens; returns for how long, 0 if not at all.

    Parameters
    ----------
    neurons : state_general.Neurons
        After the step. Updated.
    z, exponent : (p + o, m) float64, (m,) int64
        Before it.
    masses, moving : (m,) float64, (m,) int64
        ``|w|² + |a|²`` before it, and 0 for those that are dead or at rest.
    h : float
        Its length.
    reach, natural : float
        How strongly a change of outputs acts back on any generator; a bound of the generators of these data.
    tolerance, longest : float
        Of a step; the longest leap.
    """
    on = np.flatnonzero(moving > 0)
    before, after = z[:, on], neurons.z[:, on]
    old, new = np.sqrt(np.sum(before**2, axis=0)), np.sqrt(np.sum(after**2, axis=0))
    growth = (np.log(new / old) + LOG_2 * (neurons.exponent[on] - exponent[on])) / h
    turned = np.sqrt(np.sum((after / new - before / old) ** 2, axis=0))
    # So heavy that it would be felt before its own growth makes it e times as heavy.
    limit = FELT * tolerance * np.abs(growth) / (max(reach, 1e-300) * max(on.size, 1))
    heavy = masses[on] > limit
    moved = max(np.max(turned, initial=0.0), np.max(np.abs(growth[heavy]) * h, initial=0.0))
    grows = np.flatnonzero(~heavy & (growth > 0.0))
    if moved > tolerance or grows.size == 0:
        return 0.0
    sizes = 2.0 * (np.log(new[grows]) + LOG_2 * neurons.exponent[on[grows]])
    length = min(longest, np.min((np.log(limit[grows]) - sizes) / (2.0 * growth[grows])))
    if moved > SETTLED:
        length = min(length, h * max(DRIFTS * tolerance, DRIFT * natural * length) / moved)
    if length < WORTHWHILE * h:
        return 0.0
    light = on[~heavy]
    doublings = growth[~heavy] * length / LOG_2
    whole = np.floor(doublings)
    neurons.z[:, light] *= np.exp2(doublings - whole)
    neurons.exponent[light] += whole.astype(np.int64)
    return float(length)
