"""Extremal directions of large problems: where neurons from many starts turn to."""

from __future__ import annotations

import numpy as np

from reluquant.analysis.alignment import AlignmentField, floats
from reluquant.analysis.extremal_faces import Critical, Faces
from reluquant.kernels import alignment_modes, alignment_walk
from reluquant.kernels.alignment_walk import ALIGNED, Field, Starts
from reluquant.structures.arrays import Floats

# What neurons come to; directions of rate 0 are left out, as they may belong to a larger cone at rest.
ATTRACTING = ("attractor", "semistable")
# Of each kind: inputs, gradients of their patterns, and random directions.
STARTS = 40
# Angle below which the end of a neuron may be on a boundary; whether it is, is decided exactly.
_TOUCHES = 1e-8
# Nobody asks when they arrive.
_ANY_TANGENT = 1.0


def search(field: AlignmentField, inputs: Floats, signs: tuple[int, ...]) -> list[Critical]:
    """Return attracting directions, some or all, each verified like those of the full enumeration.

    Balanced tiny neurons are walked to their ends in the frozen field.
    """
    normals, jumps, linear = floats(field)
    starts, faces = _starts(normals, jumps, linear, inputs), Faces(field)
    found: dict[bytes, list[Critical]] = {}
    for sign in signs:
        for end in _ends(normals, jumps, linear, starts, sign):
            depth = normals @ end
            sides = np.where(np.abs(depth) < _TOUCHES, 0, np.sign(depth)).astype(np.int8)
            # With a share of 0 or 1 it ends on a boundary that need not hold it.
            for face in (sides, np.where(depth > 0, 1, -1).astype(np.int8)):
                key = face.tobytes()
                if key not in found:
                    found[key] = [e for e in faces.critical(face) if e.rate and e.kind in ATTRACTING]
                if any(sign in (0, e.output[0]) for e in found[key]):
                    break
    return [e for some in found.values() for e in some]


def _starts(normals: Floats, jumps: Floats, linear: Floats, inputs: Floats) -> Floats:
    """Return unit vectors (m, p)."""
    # Always the same: results are to be repeatable.
    rng = np.random.default_rng(0)
    chosen = rng.permutation(inputs[inputs.any(axis=1)])[:STARTS]
    both = np.concatenate([chosen, -chosen])
    gradients = [(linear + normals.T @ ((normals @ w > 0)[:, None] * jumps)).T for w in both]
    starts = np.concatenate([both, *gradients, rng.standard_normal((STARTS, inputs.shape[1]))])
    sizes = np.linalg.norm(starts, axis=1)
    return starts[sizes > 0] / sizes[sizes > 0, None]


def _ends(normals: Floats, jumps: Floats, linear: Floats, starts: Floats, sign: int) -> Floats:
    """Return where balanced neurons end, of one output weight's sign, or with output weights that fit their start."""
    (m, p), depth = starts.shape, starts @ normals.T
    side = np.where(depth > 0, 1, -1).astype(np.int8)
    # A walk would end where a neuron dies; here the field is one of boundaries, not of samples.
    alive, noise = np.ones(len(normals), dtype=bool), 4 * np.finfo(np.float64).eps * np.sqrt(len(normals) + 16.0)
    fate, switches = np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64)
    time, arrival, direction = np.zeros(m), np.zeros(m), np.zeros((m, p))
    nothing, none = np.zeros((0, 3)), np.zeros(m + 1, dtype=np.int64)
    if sign:
        field = Field(normals, jumps[:, 0].copy(), linear[:, 0].copy(), alive, noise)
        ends = alignment_walk.Ends(fate, time, arrival, direction, np.zeros(m, dtype=np.int64), switches)
        walk = Starts(starts, np.full(m, float(sign)), np.full(m, sign), side)
        alignment_walk.walk_all(field, walk, _ANY_TANGENT, ends, nothing, none)
    else:
        outputs = starts @ linear + np.maximum(depth, 0.0) @ jumps
        sizes = np.linalg.norm(outputs, axis=1, keepdims=True)
        outputs = np.divide(outputs, sizes, out=np.zeros_like(outputs), where=sizes > 0)
        ends = alignment_modes.Ends(fate, time, arrival, direction, np.zeros_like(outputs), switches)
        walk = Starts(starts, outputs, (sizes[:, 0] > 0).astype(np.int64), side)
        alignment_modes.walk_modes(Field(normals, jumps, linear, alive, noise), walk, _ANY_TANGENT, ends, nothing, none)
    return direction[fate == ALIGNED]
