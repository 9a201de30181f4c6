"""Cells and faces of hyperplanes through the origin, decided exactly.

The hyperplanes ``w · v_k = 0`` cut the space of weights ``w`` into cones. Each open cone, of any
dimension, is a *face*, and is told by the signs of all ``w · v_k`` on it. Those of full dimension
are the sectors. Every face but the smallest has rays (faces of the next dimension) in its closure: the directions
in which all but one dimension of hyperplanes meet. So the faces around all rays are all faces,
and around a ray they are those of the few hyperplanes through it. Rays are minors of integers:
no linear program is solved and nothing is rounded but the directions that stand for a face.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.predicates import Signs, common_integers
from reluquant.structures.arrays import Floats

# Python's integers in arrays of dtype object.
Integers = NDArray[np.object_]

# Integers of more bits are shortened before they become floats.
_FLOAT_BITS = 1000
# A scalar product of r-vectors of length 1, rounded to float64, is wrong by less than r + 6 units of eps.
_FILTER = 16 * np.finfo(np.float64).eps
# Bytes of sign vectors that are held before they are packed.
_CHUNK = 2**25


@dataclass(frozen=True, slots=True, eq=False)
class Hyperplanes:
    """The different hyperplanes ``w · x̃_k = 0`` of some inputs.

    Parameters
    ----------
    normals : ndarray of int, dtype object, shape (n_planes, p)
        Without a common divisor, the first nonzero number positive; no two parallel.
    plane : ndarray of int, shape (n_samples,)
        The hyperplane of each input; -1 for inputs that are zero and have none.
    factors : tuple of int
        ``inputs[k] == factors[k] * normals[plane[k]] * 2**exponent``, exactly.
    exponent : int
    """

    normals: Integers
    plane: NDArray[np.int64]
    factors: tuple[int, ...]
    exponent: int

    @property
    def sides(self) -> Signs:
        """1 for inputs that are active where their normal is, -1 for the others; 0 for zero inputs."""
        return np.array([(f > 0) - (f < 0) for f in self.factors], dtype=np.int8)

    def of_samples(self, signs: Signs) -> Signs:
        """Return the signs (n_faces, n_samples) of inputs for signs (n_faces, n_planes) of normals."""
        with_zero = np.column_stack([signs, np.zeros(len(signs), dtype=np.int8)])
        return with_zero[:, self.plane] * self.sides


def hyperplanes(inputs: Floats) -> Hyperplanes:
    """Return the hyperplanes of inputs (n_samples, p); parallel and opposite inputs share one."""
    numbers, exponent = common_integers(inputs.ravel())
    rows = np.array(numbers, dtype=object).reshape(inputs.shape)
    known: dict[tuple[int, ...], int] = {}
    plane, factors = [], []
    for row in rows.tolist():
        factor = math.gcd(*row) * (-1 if next((x for x in row if x), 1) < 0 else 1)
        factors.append(factor)
        plane.append(known.setdefault(tuple(x // factor for x in row), len(known)) if factor else -1)
    normals = np.array(list(known), dtype=object).reshape(-1, inputs.shape[1])
    return Hyperplanes(normals, np.array(plane, dtype=np.int64), tuple(factors), exponent)


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Faces of an arrangement.

    Parameters
    ----------
    signs : ndarray of int8, shape (n_faces, n_planes)
        On which side of every hyperplane: 1, 0 or -1.
    directions : ndarray, shape (n_faces, p)
        A unit vector in each, the mean of its rays, rounded.
    """

    signs: Signs
    directions: Floats


class Arrangement:
    """Hyperplanes through the origin with given normals (n_planes, p), no two of them parallel."""

    def __init__(self, normals: Integers) -> None:
        self.normals = normals
        # The columns that determine the others: the same signs arise from weights that are zero elsewhere.
        self.columns = independent(normals.T)
        self.rank = len(self.columns)

    @property
    def rays(self) -> Integers:
        """One vector (n_lines, p) on each line on which rank - 1 dimensions of hyperplanes meet."""
        return self._padded(self._lines[0])

    @property
    def ray_signs(self) -> Signs:
        """On which side of each hyperplane these vectors are, shape (n_lines, n_planes)."""
        return self._lines[1]

    @cached_property
    def _lines(self) -> tuple[Integers, Signs]:
        reduced = self.normals[:, self.columns]
        lines = null_vectors(reduced) if self.rank else np.zeros((0, 0), dtype=object)
        signs = dot_signs(lines, reduced)
        # Where hyperplanes are dependent, several choices of them meet on the same line.
        first, _ = _unique_rows(signs != 0)
        return lines[first], signs[first]

    def faces(self, *, full: bool = False) -> Faces:
        """Return all faces, or those of full dimension; ``w = 0`` is none, but a smallest face of more points is."""
        n_planes, p = self.normals.shape
        if self.rank == 0:
            return self._smallest()
        packed, rays, flips = [], [], []
        for which, rows in self._around_rays(full):
            # A face and its mirror image are one for now: that with the first sign positive.
            flip = np.sign(np.take_along_axis(rows, np.argmax(rows != 0, axis=1)[:, None], axis=1))
            packed.append(_packed(rows * flip))
            rays.append(which)
            flips.append(flip[:, 0])
        keys, which, flip = np.concatenate(packed), np.concatenate(rays), np.concatenate(flips)
        first, inverse = _unique_rows(keys)
        ends = unit_vectors(self._lines[0])[which] * flip[:, None]
        sums = np.column_stack([np.bincount(inverse, weights=column, minlength=first.size) for column in ends.T])
        half, directions = _unpacked(keys[first], n_planes), self._padded(sums)
        directions /= np.linalg.norm(directions, axis=1)[:, None]
        mirrored = Faces(np.concatenate([half, -half]), np.concatenate([directions, -directions]))
        if full or self.rank == p:
            return mirrored
        smallest = self._smallest()
        return Faces(
            np.concatenate([mirrored.signs, smallest.signs]), np.concatenate([mirrored.directions, smallest.directions])
        )

    def _smallest(self) -> Faces:
        """Return the face that lies on all hyperplanes; they do not meet in ``w = 0`` alone."""
        n_planes, p = self.normals.shape
        columns = [*self.columns, next(j for j in range(p) if j not in self.columns)]
        direction = np.zeros((1, p))
        direction[:, columns] = unit_vectors(null_vectors(self.normals[independent(self.normals)][:, columns]))
        return Faces(np.zeros((1, n_planes), dtype=np.int8), direction)

    def dimensions(self, signs: Signs) -> NDArray[np.int64]:
        """Return the dimensions of faces with given signs (n_faces, n_planes)."""
        first, inverse = _unique_rows(signs == 0)
        held = [len(independent(self.normals[row == 0])) for row in signs[first]]
        return self.normals.shape[1] - np.array(held, dtype=np.int64)[inverse]

    def _around_rays(self, full: bool) -> Iterator[tuple[NDArray[np.int64], Signs]]:
        """Yield the faces whose closure contains a ray: numbers of rays and rows of signs."""
        n_planes = len(self.normals)
        zeros = self.ray_signs == 0
        generic = zeros.sum(axis=1) == self.rank - 1
        table = _all_signs(self.rank - 1, full)
        step = max(_CHUNK // (len(table) * n_planes), 1)
        chosen = np.flatnonzero(generic)
        for start in range(0, chosen.size, step):
            part = chosen[start : start + step]
            yield self._replaced(part, np.nonzero(zeros[part])[1].reshape(part.size, -1), table)
        for ray in np.flatnonzero(~generic):
            through = np.flatnonzero(zeros[ray])
            local = Arrangement(self.normals[through]).faces(full=full).signs
            yield self._replaced(np.array([ray]), through[None], local)

    def _replaced(
        self, rays: NDArray[np.int64], zeros: NDArray[np.int64], table: Signs
    ) -> tuple[NDArray[np.int64], Signs]:
        """Return the signs of rays with their zeros replaced by every row of a table."""
        rows = np.repeat(self.ray_signs[rays][:, None], len(table), axis=1)
        rows[np.arange(rays.size)[:, None, None], np.arange(len(table))[:, None], zeros[:, None]] = table
        return np.repeat(rays, len(table)), rows.reshape(-1, rows.shape[2])

    def _padded(self, vectors: np.ndarray) -> np.ndarray:
        padded = np.zeros((len(vectors), self.normals.shape[1]), dtype=vectors.dtype)
        padded[:, self.columns] = vectors
        return padded


def most_sectors(n_planes: int, rank: int) -> int:
    """Return ``2 Σ_{i<rank} C(n_planes - 1, i)``, the number of sectors in general position."""
    if n_planes == 0:
        return 1
    return 2 * sum(math.comb(n_planes - 1, i) for i in range(rank))


def most_faces(n_planes: int, rank: int) -> int:
    """Return the number of faces in general position, without the smallest."""
    return sum(math.comb(n_planes, held) * most_sectors(n_planes - held, rank - held) for held in range(rank))


def independent(vectors: Integers) -> list[int]:
    """Return which vectors (n, p) are independent of those before them, exactly."""
    chosen, echelon = [], []
    for i, vector in enumerate(vectors):
        if len(chosen) == vectors.shape[1]:
            break
        for pivot, row in echelon:
            vector = row[pivot] * vector - vector[pivot] * row
        nonzero = np.flatnonzero(vector)
        if nonzero.size:
            echelon.append((nonzero[0], vector // np.gcd.reduce(vector)))
            chosen.append(i)
    return chosen


def null_vectors(vectors: Integers) -> Integers:
    """Return what is perpendicular (m, r) to each independent choice of r - 1 of the vectors (n, r).

    Minors of one more row follow from those of the rows before it, for all choices at once.
    """
    n, r = vectors.shape
    subsets, minors = np.zeros((1, 0), dtype=np.int64), np.array([[1]], dtype=object)
    places = {(): 0}
    for size in range(1, r):
        following = n - 1 - (subsets[:, -1] if size > 1 else np.array([-1]))
        parent = np.repeat(np.arange(len(subsets)), following)
        row = np.arange(parent.size) - np.repeat(np.cumsum(following) - n, following)
        subsets = np.column_stack([subsets[parent], row])
        before, new = minors[parent], vectors[row]
        columns = list(combinations(range(r), size))
        minors = np.zeros((parent.size, len(columns)), dtype=object)
        for place, chosen in enumerate(columns):
            for t, column in enumerate(chosen):
                term = new[:, column] * before[:, places[chosen[:t] + chosen[t + 1 :]]]
                minors[:, place] += term if (size - 1 + t) % 2 == 0 else -term
        places = {chosen: place for place, chosen in enumerate(columns)}
        kept = (minors != 0).any(axis=1)
        subsets, minors = subsets[kept], minors[kept]
    # The columns that leave out the last come first.
    return minors[:, ::-1] * np.array([(-1) ** j for j in range(r)], dtype=object)


def dot_signs(p: Integers, q: Integers) -> Signs:
    """Return the exact signs (m, n) of all scalar products of integer vectors (m, r) and (n, r)."""
    rounded = unit_vectors(p) @ unit_vectors(q).T
    signs = np.sign(rounded).astype(np.int8)
    i, k = np.nonzero(np.abs(rounded) <= _FILTER * max(p.shape[1], 1))
    exact = (p[i] * q[k]).sum(axis=1)
    signs[i, k] = (exact > 0).astype(np.int8) - (exact < 0)
    return signs


def unit_vectors(vectors: Integers) -> Floats:
    """Return integer vectors (n, p), none of them zero, divided by their lengths."""
    bits = [max((abs(x).bit_length() for x in row), default=0) for row in vectors.tolist()]
    surplus = np.array([max(b - _FLOAT_BITS, 0) for b in bits], dtype=object)
    floats = (vectors >> surplus[:, None]).astype(np.float64)
    floats /= np.abs(floats).max(axis=1, initial=0.0)[:, None]
    return floats / np.linalg.norm(floats, axis=1)[:, None]


@cache
def _all_signs(n: int, full: bool) -> Signs:
    values = (1, -1) if full else (0, 1, -1)
    return np.array(list(product(values, repeat=n)), dtype=np.int8).reshape(len(values) ** n, n)


def _packed(signs: Signs) -> NDArray[np.uint8]:
    return np.concatenate([np.packbits(signs > 0, axis=1), np.packbits(signs < 0, axis=1)], axis=1)


def _unpacked(packed: NDArray[np.uint8], n: int) -> Signs:
    plus, minus = np.split(packed, 2, axis=1)
    return np.unpackbits(plus, axis=1, count=n).astype(np.int8) - np.unpackbits(minus, axis=1, count=n).astype(np.int8)


def _unique_rows(rows: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first of each different row of bytes, and for every row which of these it is."""
    # One key for each row, a byte more than its own so that rows may be empty.
    keys = np.column_stack([rows.view(np.uint8), np.zeros(len(rows), dtype=np.uint8)])
    _, first, inverse = np.unique(keys.view(f"V{keys.shape[1]}").ravel(), return_index=True, return_inverse=True)
    return first, inverse
