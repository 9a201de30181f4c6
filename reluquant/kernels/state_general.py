"""What one step of the general flow is made of: data, neurons, the field, and working arrays. See `flow_general`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reluquant.kernels.box_lcp import EPS
from reluquant.kernels.jit import kernel

ON, OFF, SLIDE, RELEASE = range(4)
# A neuron counts as outside its pattern only beyond the rounding of w·ν.
OUTSIDE = 16 * EPS
# An exit is located to some roundings of the neuron's size in the step: a w below them has no direction.
VANISHES = 64 * OUTSIDE
# Boundaries within this distance are met together: collinear inputs on a grid are.
TOGETHER = 64 * EPS
# Squares of neurons below 2^-500 underflow, and are far below the rounding of any residual.
LIGHTEST = -500
NEVER = np.inf


class Problem(NamedTuple):
    """The data as the integrator wants them.

    Arrays
    ------
    normals (H, p): unit normals of the boundaries. two_sided (H,): whether samples point to both sides.
    plane (n,): boundary of a sample, -1 for a zero input. stretch (n,): signed length of its input along the normal.
    labels (n, o).
    """

    normals: np.ndarray
    two_sided: np.ndarray
    plane: np.ndarray
    stretch: np.ndarray
    labels: np.ndarray


class Neurons(NamedTuple):
    """The state: neuron j is ``2^exponent[j] · z[:, j]``.

    Arrays
    ------
    z (p + o, m): w, then a. exponent (m,). sign (m,): 0 if unbalanced, else ±1 (of a, with one output).
    side (m, H) int8: of each boundary, 0 where held.
    key (m,) uint64: of the pattern. clear (m,): lower bound of the distance of w/|w| from all boundaries but held ones.
    """

    z: np.ndarray
    exponent: np.ndarray
    sign: np.ndarray
    side: np.ndarray
    key: np.ndarray
    clear: np.ndarray


class Moved(NamedTuple):
    """Where the neurons are at the end of a step that is not accepted yet.

    Arrays
    ------
    As in `Neurons`; ``side`` only where ``switches`` (m,), their number in the step, is positive.
    """

    z: np.ndarray
    side: np.ndarray
    clear: np.ndarray
    switches: np.ndarray


class Field(NamedTuple):
    """The field of one step, times its length.

    Arrays
    ------
    jump (s, H, o): coefficients in τ of the change of the generator along ν_h from the inactive to the active side.
    base (s, p, o): generator of a pattern that is inactive everywhere.
    noise (2,): what rounding and the tolerance alone make of Γ; the tolerance of a series. nodes (s,): where in τ
    outputs are wanted. missed_jump (s, H, o), missed_base (s, p, o): what the field lacks at these nodes, where that is
    known: only releases listen to it.
    """

    jump: np.ndarray
    base: np.ndarray
    noise: np.ndarray
    nodes: np.ndarray
    missed_jump: np.ndarray
    missed_base: np.ndarray


class Room(NamedTuple):
    """Working arrays for one neuron; N is the order of the series.

    side (H,): of each boundary, 0 where held; ignored (H,): boundaries whose event was found to be none.
    generator (s, p, o): Γ of the pattern in τ; first: at the start; local (s, p, o): Γ on [0, 1] of the piece in
    progress, projected. raw (s, p, o): local before the projection. w (N+1, p), a (N+1, o): series.
    counts (3,): length of the log, terms of w that are not negligible, number of boundaries that are near.
    lean (o,): a, or where it is zero its rate of change. columns (p, H): the normals transposed.
    near (H,): the boundaries that w may come to soon, ascending; close (p, H): their normals; safe (1,): all others are
    at an angle of at least this from w. depth, later, rate (H,): w·ν of those
    near, at the end of a piece, and its rate of change.
    """

    side: np.ndarray
    ignored: np.ndarray
    generator: np.ndarray
    first: np.ndarray
    local: np.ndarray
    raw: np.ndarray
    w: np.ndarray
    a: np.ndarray
    series: np.ndarray
    roots: np.ndarray
    isolation: np.ndarray
    push: np.ndarray
    basis: np.ndarray
    triangle: np.ndarray
    held: np.ndarray
    listed: np.ndarray
    place: np.ndarray
    before: np.ndarray
    jump: np.ndarray
    slack: np.ndarray
    share: np.ndarray
    velocity: np.ndarray
    driven: np.ndarray
    free: np.ndarray
    goal: np.ndarray
    now: np.ndarray
    log: np.ndarray
    counts: np.ndarray
    columns: np.ndarray
    depth: np.ndarray
    later: np.ndarray
    rate: np.ndarray
    lean: np.ndarray
    near: np.ndarray
    close: np.ndarray
    safe: np.ndarray


@kernel
def make_room(H, p, o, s, order, deepest):
    """Allocate the working arrays."""
    return Room(
        np.zeros(H, np.int8),
        np.zeros(H, np.bool_),
        np.zeros((s, p, o)),
        np.zeros((s, p, o)),
        np.zeros((s, p, o)),
        np.zeros((s, p, o)),
        np.zeros((order + 1, p)),
        np.zeros((order + 1, o)),
        np.zeros(order + 1),
        np.zeros(order + 1),
        np.zeros((deepest + 2, order + 1)),
        np.zeros((order + 1, p)),
        np.zeros((p, p)),
        np.zeros((p, p)),
        np.zeros(p, np.int64),
        np.zeros(H, np.int64),
        np.zeros(H, np.int64),
        np.zeros(H, np.int64),
        np.zeros(H),
        np.zeros(H),
        np.zeros(H),
        np.zeros(p),
        np.zeros(p),
        np.zeros(p, np.int64),
        np.zeros(p),
        np.zeros(p + o),
        # Every boundary can be passed and hold the neuron a few times before something must be wrong.
        np.zeros((64 + 8 * H, 4)),
        np.zeros(3, np.int64),
        np.zeros((p, H)),
        np.zeros(H),
        np.zeros(H),
        np.zeros(H),
        np.zeros(o),
        np.zeros(H, np.int64),
        np.zeros((p, H)),
        np.zeros(1),
    )
