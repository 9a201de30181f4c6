"""Extremal directions in any dimension: a look at every face of the arrangement of the inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.alignment import ROOT_BITS, AlignmentField, floats, ratios
from reluquant.analysis.arrangement import Arrangement, Integers, independent, unit_vectors
from reluquant.analysis.held import Held
from reluquant.analysis.predicates import Signs
from reluquant.structures.arrays import Floats

# Rounding of float64 sums over the samples, with a wide margin: faces that are in doubt are decided by integers.
_FILTER = 1e-11
# Singular vectors, of several outputs, are irrational: what is decided on them is rounded to this.
_SINGULAR = 1e-10
# Directions closer than this are one that two faces with a common boundary have both found.
_SAME = 1e-7
# Faces whose fields are held at once.
_CHUNK = 2**15


@dataclass(frozen=True, slots=True, eq=False)
class Critical:
    """A neuron ``(w, a)`` that does not turn, on a face of the arrangement.

    Parameters
    ----------
    signs : ndarray of int8, shape (n_planes,)
        The face.
    direction : ndarray, shape (p,)
        Unit vector of w.
    output : ndarray, shape (o,)
        Unit vector of a.
    rate : float
        Growth rate in units of the field.
    kind : str
        As that of an ExtremalDirection.
    shares : ndarray, shape (n_held,)
        λ of each hyperplane that the face lies on.
    index : int or None
        As that of an ExtremalDirection.
    """

    signs: Signs
    direction: Floats
    output: Floats
    rate: float
    kind: str
    shares: Floats
    index: int | None


class Faces:
    """The critical neurons of a field, face by face."""

    def __init__(self, field: AlignmentField) -> None:
        self.field = field
        self.unit = 1 << field.bits
        self._held: dict[tuple[int, ...], Held] = {}
        self._pushes: dict[bytes, Push] = {}

    def held(self, signs: Signs) -> Held:
        """Return the hyperplanes that a face lies on."""
        which = np.flatnonzero(signs == 0)
        key = tuple(which.tolist())
        if key not in self._held:
            self._held[key] = Held(self.field.normals[which])
        return self._held[key]

    def push(self, signs: Signs) -> Push:
        """Return what pushes neurons on a face and beside it."""
        key = signs.tobytes()
        if key not in self._pushes:
            self._pushes[key] = Push(self.field, signs, self.held(signs))
        return self._pushes[key]

    def shares_at_rest(self, signs: Signs) -> Floats | None:
        """Return λ of the hyperplanes that a face lies on if no neuron on it turns or grows, None if they do.

        Rays are directions of their own. For several outputs only sectors are looked at.
        """
        held, push = self.held(signs), self.push(signs)
        n_held, outputs = len(held.normals), self.field.jumps.shape[1]
        if push.projected.any() or (n_held and (held.dimension == 1 or outputs > 1)):
            return None
        if not n_held:
            return np.zeros(0)
        one = np.array([1], dtype=object)
        return push.shares(one, 0) if push.holds(one, 0) else None

    def critical(self, signs: Signs) -> Iterator[Critical]:
        """Yield the critical neurons on a face that is not at rest; one of many for equal singular values."""
        push = self.push(signs)
        pairs = self._exact_pairs if push.projected.shape[1] == 1 else self._singular_pairs
        for direction, output, rate, tangent, tolerance in pairs(signs, push):
            if push.holds(output, tolerance):
                unit, a = _unit(direction), output.astype(np.float64)
                kind, index = self._kind(signs, output, rate, tangent, tolerance)
                yield Critical(signs, unit, a, rate, kind, push.shares(output, tolerance), index)

    def _kind(
        self, signs: Signs, output: NDArray, rate: float, tangent: tuple[int, int], tolerance: float
    ) -> tuple[str, int | None]:
        """Return the kind and the index for given numbers of stable and unstable directions within the face."""
        held, push = self.held(signs), self.push(signs)
        come, leave = push.sides(output, rate, tolerance)
        stable, unstable = tangent
        if come.all() and not unstable:
            return "attractor", 0
        if leave.all() and not stable:
            return "repeller", len(held.chosen) + unstable
        kind = "semistable" if not unstable and self._attracts(signs, output, rate, tolerance) else "saddle"
        # Off independent hyperplanes both sides of each come, or both leave, or something is in between.
        come, leave = come.reshape(2, -1).all(axis=0), leave.reshape(2, -1).all(axis=0)
        clear = held.is_independent and (come | leave).all()
        return kind, int(leave.sum()) + unstable if clear else None

    def _attracts(self, signs: Signs, output: NDArray, rate: float, tolerance: float) -> bool:
        """Whether neurons come to a face from some side, and not only along a few directions.

        They come along an edge of the sectors around it which, in its turn, attracts neurons from some side.
        """
        push = self.push(signs)
        if not push.holds(output, tolerance):
            return False
        change, _, _ = push.along(output, tolerance)
        come, _ = push.sides(output, rate, tolerance)
        beside = np.repeat(signs[None], len(come), axis=0)
        beside[:, signs == 0] = np.sign(self.held(signs).dots).astype(np.int8)
        return bool(come.all()) or any(
            self._attracts(beside[way], output, -1.0 if change[way] else rate, tolerance)
            for way in np.flatnonzero(come)
        )

    def _exact_pairs(self, signs: Signs, push: Push) -> Iterator[tuple]:
        """Yield direction, output weight, rate, how many tangents are (stable, unstable), and a tolerance of 0."""
        held, h = self.held(signs), push.projected[:, 0]
        axis = held.line if held.dimension == 1 else h
        if not axis.any():
            return
        along = h @ axis
        size = math.isqrt((along * along << 2 * ROOT_BITS) // (axis @ axis))
        rate = size / ((push.factor * self.unit) << ROOT_BITS)
        for side in (1, -1):
            if self._inside(signs, side * axis):
                for a in (1, -1):
                    growth = side * a * (1 if along > 0 else -1) * rate
                    tangents = held.dimension - 1
                    tangent = (tangents, 0) if growth > 0 else (0, tangents)
                    yield side * axis, np.array([a], dtype=object), growth, tangent, 0

    def _singular_pairs(self, signs: Signs, push: Push) -> Iterator[tuple]:
        """Yield the same for several outputs: the singular pairs of the projected gradient, up to rounding."""
        matrix, dimension = ratios(push.projected, push.factor * self.unit), self.held(signs).dimension
        if not matrix.any():
            return
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        others = dimension + matrix.shape[1] - 2
        for i in np.flatnonzero(values > _SINGULAR * np.abs(values).max()):
            # With the pair of another singular value growth bends by ± another - values[i], elsewhere by -values[i].
            rest = np.delete(values, i)[: min(dimension, matrix.shape[1]) - 1]
            above = int(np.sum(rest > values[i] * (1 + _SINGULAR)))
            below = int(np.sum(rest < values[i] * (1 - _SINGULAR)))
            plain = others - 2 * rest.size
            for side in (1, -1):
                if self._inside(signs, side * left[:, i]):
                    growing = (plain + rest.size + below, above)
                    yield side * left[:, i], side * right[i], values[i], growing, _SINGULAR
                    shrinking = (above, plain + rest.size + below)
                    yield side * left[:, i], -side * right[i], -values[i], shrinking, _SINGULAR

    def _inside(self, signs: Signs, direction: NDArray) -> bool:
        off = signs != 0
        if direction.dtype == object:
            dots = self.field.normals[off] @ direction
            return all(s * d > 0 for s, d in zip(signs[off].tolist(), dots, strict=True))
        return bool((signs[off] * (self._units[off] @ direction) > _SINGULAR).all())

    @cached_property
    def _units(self) -> Floats:
        return unit_vectors(self.field.normals)


class Push:
    """Where neurons on a face are pushed, and those beside it: away from the face, or back to it."""

    def __init__(self, field: AlignmentField, signs: Signs, held: Held) -> None:
        self.held = held
        gradient = field.gradient(signs > 0)
        # Along the face, times a factor that makes it integers.
        self.projected, self.factor = held.project(gradient)
        normal = self.factor * gradient - self.projected
        # On each way off the face, what this normal part and each hyperplane push along it.
        self.lean = (held.ways[:, :, None] * normal[None]).sum(axis=1)
        jumps = self.factor * field.jumps[signs == 0]
        self.jumps = held.dots[:, :, None] * jumps[None]
        if jumps.shape[1] > 1:
            unit = 1 + sum(abs(x) for x in [*self.lean.ravel(), *self.jumps.ravel()])
            self.lean, self.jumps = ratios(self.lean, unit), ratios(self.jumps, unit)

    def along(self, output: NDArray, tolerance: float) -> tuple[NDArray, NDArray, NDArray]:
        """Return how growth changes on each way, and what the normal part and each hyperplane add."""
        lean, jumps = self.lean @ output, self.jumps @ output
        change = lean + np.where(self.held.dots > 0, jumps, 0).sum(axis=1)
        small = np.abs(change) <= tolerance * (np.abs(lean) + np.abs(jumps).sum(axis=1))
        return np.where(small, 0, change), lean, jumps

    def holds(self, output: NDArray, tolerance: float) -> bool:
        """Whether shares λ in [0, 1] cancel the normal part: it is in a zonotope with facets normal to the ways."""
        _, lean, jumps = self.along(output, tolerance)
        slack = lean + np.maximum(jumps, 0).sum(axis=1)
        return bool((slack >= -tolerance * (np.abs(lean) + np.abs(jumps).sum(axis=1))).all())

    def shares(self, output: NDArray, tolerance: float) -> Floats:
        """Return λ of each hyperplane; if they are dependent, one choice."""
        change, lean, jumps = self.along(output, tolerance)
        if self.held.is_independent:
            line, plane = np.nonzero(self.held.dots > 0)
            forward, back = change[line], change[(line + len(change) // 2) % max(len(change), 1)]
            shares = np.zeros(len(self.held.normals))
            shares[plane] = [b / (f + b) + 0.0 if f + b else 0.0 for f, b in zip(forward, back, strict=True)]
            return shares
        # Takes long to import, and few data need it.
        from scipy.optimize import lsq_linear

        unit = 1 + abs(jumps).sum()
        return lsq_linear(ratios(jumps, unit), ratios(-lean, unit), bounds=(0.0, 1.0), method="bvls").x

    def sides(self, output: NDArray, rate: float, tolerance: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return on which ways neurons come back, and on which they leave."""
        change, _, _ = self.along(output, tolerance)
        # Where growth does not change at first it bends down if the neuron grows, and up if it shrinks.
        come = (change < 0) | ((change == 0) & (rate > 0))
        return come, (change > 0) | ((change == 0) & (rate < 0))


def all_critical(field: AlignmentField, everything: Arrangement) -> list[Critical]:
    """Return all critical neurons, and one of each face at rest; ``everything`` has all hyperplanes of the data."""
    arrangement = Arrangement(field.normals)
    all_faces = arrangement.faces()
    signs = all_faces.signs
    chosen, faces = _candidates(field, signs), Faces(field)
    shares = {i: faces.shares_at_rest(signs[i]) for i in chosen.tolist()}
    resting = [i for i, share in shares.items() if share is not None]
    largest = [i for i in resting if not _in_closure(signs[i], signs[resting])]
    found = [e for i in shares if shares[i] is None and not _in_closure(signs[i], signs[largest])
             for e in faces.critical(signs[i])]  # fmt: skip
    if field.jumps.shape[1] > 1:
        found = _without_repetition(found)
    for i in largest:
        if (signs[i] == 0).any():
            found.append(_at_rest(field, signs[i], all_faces.directions[i], "neutral", shares[i]))
        else:
            found.extend(_sector_at_rest(field, signs[i], everything))
    return found


def _in_closure(face: Signs, others: Signs) -> bool:
    """Whether a face is at the end of one of the others, none of which it is."""
    ends = ((face == 0) | (face == others)).all(axis=1) & (face != others).any(axis=1)
    return bool(ends.any())


def _sector_at_rest(field: AlignmentField, signs: Signs, everything: Arrangement) -> Iterator[Critical]:
    """Yield the part of a sector without forces in which no sample is active, and the other part, if there are such."""
    parts = everything.faces(full=True)
    inside = (parts.signs[:, field.kept] == signs).all(axis=1)
    active = (field.all_planes.of_samples(parts.signs[inside]) > 0).any(axis=1)
    for kind, which in (("dead", ~active), ("neutral", active)):
        for direction in parts.directions[inside][which][:1]:
            yield _at_rest(field, signs, direction, kind, np.zeros(0))


def _at_rest(field: AlignmentField, signs: Signs, direction: Floats, kind: str, shares: Floats) -> Critical:
    return Critical(signs, direction, np.full(field.jumps.shape[1], np.nan), 0.0, kind, shares, None)


def _candidates(field: AlignmentField, signs: Signs) -> NDArray[np.int64]:
    """Return the faces that may have critical directions; the others have none beyond doubt.

    Floats with a bound on their error: a projector from singular vectors of the unit normals is as wrong
    as their condition number says.
    """
    normals, jumps, linear = floats(field)
    found = []
    for faces, chosen, all_chosen in _by_rank(field.normals, signs):
        for start in range(0, faces.size, _CHUNK):
            part = slice(start, start + _CHUNK)
            kept = _may_be_critical(normals, jumps, linear, signs[faces[part]], chosen[part], all_chosen)
            found.append(faces[part][kept])
    return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)


def _by_rank(normals: Integers, signs: Signs) -> Iterator[tuple[NDArray, NDArray, bool]]:
    """Yield faces that are held by the same number of planes and of dimensions, and an independent choice for each."""
    held = signs == 0
    sets, inverse = np.unique(np.packbits(held, axis=1), axis=0, return_inverse=True)
    planes = [np.flatnonzero(row) for row in np.unpackbits(sets, axis=1, count=signs.shape[1])]
    chosen = [which[independent(normals[which])] for which in planes]
    sizes = np.array([(len(which), len(few)) for which, few in zip(planes, chosen, strict=True)])
    for size, rank in np.unique(sizes, axis=0).tolist():
        same = np.flatnonzero((sizes == (size, rank)).all(axis=1))
        place = np.full(len(sizes), -1)
        place[same] = np.arange(same.size)
        faces = np.flatnonzero(place[inverse] >= 0)
        table = np.array([chosen[i] for i in same], dtype=np.int64).reshape(same.size, rank)
        yield faces, table[place[inverse[faces]]], size == rank


def _may_be_critical(
    normals: Floats, jumps: Floats, linear: Floats, signs: Signs, chosen: NDArray[np.int64], all_chosen: bool
) -> NDArray[np.bool_]:
    n, p, o = len(signs), normals.shape[1], jumps.shape[1]
    terms = (normals[:, :, None] * jumps[:, None, :]).reshape(-1, p * o)
    gradient = ((signs > 0) @ terms).reshape(n, p, o) + linear
    u, values, vt = np.linalg.svd(normals[chosen], full_matrices=False)
    inverse = 1 / np.maximum(values, _FILTER)
    condition = inverse.max(axis=1, initial=1.0)
    inside = vt @ gradient
    projected = gradient - vt.transpose(0, 2, 1) @ inside
    left, growth, right = np.linalg.svd(projected, full_matrices=False)
    error = (_FILTER if o == 1 else _SINGULAR) * condition[:, None] * np.ones(min(p, o))
    dots = np.einsum("fpi,kp->fik", left * growth[:, None, :], normals)
    off = (signs != 0)[:, None, :]
    possible = np.zeros(growth.shape, dtype=bool)
    for side in (1, -1):
        possible |= (~off | (side * signs[:, None, :] * dots >= -error[..., None])).all(axis=2)
    if all_chosen:
        outputs = right.transpose(0, 2, 1)
        needed = -(u * inverse[:, None, :]) @ (inside @ outputs)
        largest = jumps[chosen] @ outputs
        margin = (error * condition[:, None])[:, None, :]
        possible &= (
            (needed >= np.minimum(largest, 0) - margin) & (needed <= np.maximum(largest, 0) + margin)
        ).all(axis=1)  # fmt: skip
    return possible.any(axis=1)


def _without_repetition(found: Sequence[Critical]) -> list[Critical]:
    """Return critical neurons of several outputs once each: rounding may find one on a face and inside a larger one."""
    kept: list[Critical] = []
    for e in sorted(found, key=lambda e: -int((e.signs == 0).sum())):
        twin = (np.abs(np.r_[e.direction - f.direction, e.output - f.output]).max() < _SAME for f in kept)
        if not any(twin):
            kept.append(e)
    return kept


def _unit(direction: NDArray) -> Floats:
    return unit_vectors(direction[None])[0] if direction.dtype == object else direction / np.linalg.norm(direction)
