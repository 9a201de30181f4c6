"""Extremal directions: where tiny neurons turn to, and where they turn away from."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.alignment import AlignmentField, alignment_field, given_forces
from reluquant.analysis.arrangement import Arrangement, most_faces
from reluquant.analysis.extremal_direction import ExtremalDirection, ExtremalDirections
from reluquant.analysis.extremal_faces import Critical, all_critical
from reluquant.analysis.extremal_line import line_directions
from reluquant.analysis.extremal_search import search
from reluquant.analysis.one_dimension import kinks
from reluquant.structures.arrays import frozen
from reluquant.structures.dataset import Dataset

# Some seconds of work, and some hundred megabytes.
MOST_FACES = 1_000_000


def extremal_directions(
    data: Dataset, *, residual: ArrayLike | None = None, sign: int | None = None, max_faces: int = MOST_FACES
) -> ExtremalDirections:
    """Return all directions at which tiny neurons do not rotate, with their stability.

    Parameters
    ----------
    data : Dataset
        Any number of features and outputs, with or without bias.
    residual : array_like, shape of ``data.y``, optional
        ``r_k = -∂L/∂f(x_k)``. By default ``y_k / n_samples``, that of the zero function under the
        squared loss: the alignment phase of a small initialisation.
    sign : {1, -1}, optional
        Only neurons with output weights of this sign; both by default, positive ones first. Only
        for one output.
    max_faces : int, default 1,000,000
        If the data may have more sectors and faces of sectors, they are not all looked at: attracting
        directions are searched for from some hundred starts, always the same, and ``complete`` of
        the result is False. What is found is verified, but there may be more of it. With one input,
        bias and output there is no limit.

    Returns
    -------
    ExtremalDirections
        A tuple of ExtremalDirection. On the line by sign and angle, else by sign and rate, the largest first.
        For one output it is decided exactly for the inputs and residuals as given (for the default: for the
        labels as given) which there are, and of which kind; angles, rates and multipliers are rounded. For
        several outputs sectors are exact, and singular vectors, which are irrational, rounded to 1e-10.

    Raises
    ------
    TypeError, ValueError
        If the data or the residual do not fit, or ``sign`` is something else.

    Notes
    -----
    A tiny neuron with active samples A moves by ``dw/dt = a g_A``, ``g_A = Σ_A r_k x̃_k``.
    Inside a sector it rests only at ``± g_A/|g_A|``: an attractor if the sign is that of ``a``,
    else a repeller. On the boundaries of samples Z it rests at ``± h/|h|``, where
    ``h = g_A + Σ_Z λ_k r_k x̃_k`` is perpendicular to all ``x̃_k`` of Z, with λ in [0, 1].
    It is held against the side of sample k if ``a r_k < 0``, and leaves to it if ``a r_k > 0``; within
    the boundaries it is stable if it grows. So it attracts if all samples hold it and it grows, or
    even while it shrinks if the boundaries leave no freedom. If some λ is 0 or 1, what
    happens on that side is a matter of growth: semistable if neurons come from some sides and not from others.
    If more samples meet than their boundaries have dimensions, the signs of growth along all edges around
    decide whether it is a maximum; neurons come from some side if they come along an edge that, in its turn, attracts.
    docs/theory.md ("Ties, proved") has the proof. Where more meet, those who come may also go on to another side.

    Samples with zero residual have no boundary. Sectors with ``g_A = 0`` are neutral, closed; at their ends
    no separate directions are reported. With several outputs ``a`` turns as well: at rest are the pairs of
    singular vectors of ``P Σ_A x̃_k r_kᵀ``, P the projection on the boundaries of Z, and only the first attracts.
    Pairs that do not grow are reported for whole sectors only; of equal singular values, one pair.

    On the line this takes O(n log n) with prefix sums in integers, else a look at each face.

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

    Exclusive or, without bias: neurons of each sign look along their class, held between the others.

    >>> xor = rq.Dataset([[1, 1], [-1, -1], [1, -1], [-1, 1]], [1, 1, -1, -1], bias=False)
    >>> for e in rq.extremal_directions(xor, residual=xor.y, sign=1):
    ...     print(f"{e.kind:9} rate {e.rate:6.3f}  slides on {e.samples} with {e.multipliers}")
    attractor rate  1.414  slides on (2, 3) with (0.5, 0.5)
    attractor rate  1.414  slides on (2, 3) with (0.5, 0.5)
    repeller  rate -1.414  slides on (0, 1) with (0.5, 0.5)
    repeller  rate -1.414  slides on (0, 1) with (0.5, 0.5)
    """
    if not isinstance(data, Dataset):
        raise TypeError(
            f"extremal_directions needs a Dataset, but got {type(data).__name__}; make one with Dataset(X, y)."
        )
    forces, divisor = given_forces(data, residual)
    signs = _signs(sign, forces.shape[1])
    if data.n_features == 1 and data.bias and forces.shape[1] == 1:
        return ExtremalDirections(line_directions(data, forces[:, 0], divisor, signs))
    field = alignment_field(data, forces, divisor)
    everything = Arrangement(field.all_planes.normals)
    complete = most_faces(len(everything.normals), everything.rank) <= max_faces
    critical = all_critical(field, everything) if complete else search(field, data.inputs, signs)
    found = (_described(data, field, e, s) for e in critical for s in _signs_of(e, signs))
    return ExtremalDirections(sorted(found, key=lambda e: (-e.sign, -e.rate)), complete)


def _signs(sign: int | None, outputs: int) -> tuple[int, ...]:
    if sign is None:
        return (1, -1) if outputs == 1 else (0,)
    if isinstance(sign, bool | complex | np.complexfloating) or sign not in (1, -1):
        raise ValueError(f"sign must be 1, -1 or None for both, but it is {sign!r}.")
    if outputs > 1:
        raise ValueError(f"sign is for one output, but there are {outputs}; leave it out.")
    return (int(sign),)


def _signs_of(e: Critical, signs: tuple[int, ...]) -> Iterator[int]:
    """Yield the signs with which a critical neuron is to be reported."""
    if signs == (0,) or np.isnan(e.output[0]):
        yield from signs
    elif e.output[0] in signs:
        yield int(e.output[0])


def _described(data: Dataset, field: AlignmentField, e: Critical, sign: int) -> ExtremalDirection:
    """Return a critical neuron in terms of the data."""
    u, planes = e.direction + 0.0, field.all_planes
    held = np.flatnonzero(e.signs == 0)
    share = dict(zip(field.kept[held].tolist(), e.shares.tolist(), strict=True))
    samples = [k for k, plane in enumerate(planes.plane.tolist()) if plane in share]
    # An input opposite to its normal is active on the other side.
    ahead = planes.sides > 0
    multipliers = [share[planes.plane[k]] if ahead[k] else 1 - share[planes.plane[k]] for k in samples]
    try:
        rate = math.ldexp(e.rate, field.bits + field.exponent) / field.divisor + 0.0
    except OverflowError as error:
        raise ValueError("A growth rate exceeds the float64 range; scale the inputs or the labels down.") from error
    on_line = data.n_features == 1 and data.bias
    return ExtremalDirection(
        frozen(u), math.atan2(u[1], u[0]) if u.size == 2 else math.nan, sign, rate, e.kind,
        tuple(samples), tuple(multipliers), float(kinks(u[0], u[1])) if on_line else math.nan,
        frozen([sign]) if sign else frozen(e.output), e.index,
    )  # fmt: skip
