"""Extremal directions of large problems: where neurons from many starts turn to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.alignment import AlignmentField, floats
from reluquant.analysis.extremal_faces import Critical, Faces
from reluquant.analysis.predicates import Signs
from reluquant.structures.arrays import Floats

# What neurons come to; directions of rate 0 are left out, as they may belong to a larger cone at rest.
ATTRACTING = ("attractor", "semistable")
# Of each kind: inputs, gradients of their patterns, and random directions.
STARTS = 40
# Turns of the output weights of one start: for several outputs they and the direction are improved in turn.
_TURNS = 50
# A neuron passes or joins a boundary at most so many times for each that there is; cycles are only due to rounding.
_PASSES = 20
# Shares so close to 0 or 1 are those of a boundary that lets go; forces that small beside all others are none.
_ROUNDING = 1e-12
# Angle below which the end of a neuron may be on a boundary; whether it is, is decided exactly.
_TOUCHES = 1e-8


def search(field: AlignmentField, inputs: Floats, signs: tuple[int, ...]) -> list[Critical]:
    """Return attracting directions, some or all, each verified like those of the full enumeration.

    In a frozen field a tiny neuron moves on a straight line, ``w + c h``, to the next boundary; it
    crosses it, or stays on it and the line goes on inside.
    """
    climber, faces = _Climber(field), Faces(field)
    found: dict[bytes, list[Critical]] = {}
    for w in _starts(climber, inputs):
        for sign in signs:
            for face in climber.ends(w, sign):
                key = face.tobytes()
                if key not in found:
                    found[key] = [e for e in faces.critical(face) if e.rate and e.kind in ATTRACTING]
                if any(sign in (0, e.output[0]) for e in found[key]):
                    break
    return [e for some in found.values() for e in some]


def _starts(climber: _Climber, inputs: Floats) -> Iterator[Floats]:
    # Always the same: results are to be repeatable.
    rng = np.random.default_rng(0)
    seen = inputs[inputs.any(axis=1)]
    chosen = rng.permutation(seen)[: STARTS]
    for w in np.concatenate([chosen, -chosen]):
        yield w / np.linalg.norm(w)
        for h in climber.gradient(climber.sides(w)).T:
            if h.any():
                yield h / np.linalg.norm(h)
    yield from rng.standard_normal((STARTS, inputs.shape[1]))


class _Climber:
    """Neurons in a field of floats, in units in which all of it is at most 1."""

    def __init__(self, field: AlignmentField) -> None:
        self.normals, self.jumps, self.linear = floats(field)

    def sides(self, w: Floats) -> Signs:
        return np.where(self.normals @ w > 0, 1, -1).astype(np.int8)

    def gradient(self, sides: Signs) -> Floats:
        active = sides > 0
        return self.linear + self.normals[active].T @ self.jumps[active]

    def ends(self, w: Floats, sign: int) -> Iterator[Signs]:
        """Yield the faces at which a neuron ends, for several outputs as its output weight improves."""
        for _ in range(_TURNS):
            output = self.gradient(self.sides(w)).T @ w if sign == 0 else np.array([float(sign)])
            length = np.linalg.norm(output)
            if not length:
                return
            sides, w = self._climb(w, self.jumps @ output / length, self.linear @ output / length)
            yield sides
            # With a share of 0 or 1 it ends on a boundary that need not hold it.
            touched = (sides != 0) & (np.abs(self.normals @ w) < _TOUCHES)
            if touched.any():
                yield np.where(touched, 0, sides).astype(np.int8)
            if sign:
                return

    def _climb(self, w: Floats, jumps: Floats, linear: Floats) -> tuple[Signs, Floats]:
        """Return the face (zero where held) and the direction at which a neuron ends that jumps of these sizes push."""
        normals, sides = self.normals, self.sides(w)
        for _ in range(_PASSES * len(normals)):
            h = self._let_go(sides, jumps, linear)
            w = _perpendicular(w, normals[sides == 0])
            speed, place = normals @ h, normals @ w
            heading = np.flatnonzero(sides * speed < 0)
            if not heading.size or np.linalg.norm(h) < _ROUNDING:
                return sides, h / (np.linalg.norm(h) or 1.0)
            times = np.maximum(-place[heading] / speed[heading], 0.0)
            first = heading[np.argmin(times)]
            ahead = w + times.min() * h
            if np.linalg.norm(ahead) < _ROUNDING * np.linalg.norm(w):
                return sides, w
            w = ahead / np.linalg.norm(ahead)
            sides[first] = -sides[first] if jumps[first] >= 0 else 0
        return sides, w

    def _let_go(self, sides: Signs, jumps: Floats, linear: Floats) -> Floats:
        """Return what pushes a neuron along its held boundaries, after freeing those that do not hold."""
        # Each round but the last frees one.
        while True:
            active, held = sides > 0, np.flatnonzero(sides == 0)
            g = linear + self.normals[active].T @ jumps[active]
            forces = (self.normals[held] * jumps[held, None]).T
            shares = np.linalg.lstsq(forces, -g)[0] if held.size else np.zeros(0)
            sides[held] = np.where(shares < _ROUNDING, -1, np.where(shares > 1 - _ROUNDING, 1, 0))
            if not sides[held].any():
                return g + forces @ shares


def _perpendicular(w: Floats, normals: NDArray[np.float64]) -> Floats:
    if not len(normals):
        return w
    off = w - normals.T @ np.linalg.lstsq(normals.T, w)[0]
    return off / np.linalg.norm(off)
