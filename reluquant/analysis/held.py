"""The hyperplanes that a face of an arrangement lies on."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from reluquant.analysis.arrangement import Arrangement, Integers, independent


class Held:
    """The hyperplanes (n_held, p) that a face lies on."""

    def __init__(self, normals: Integers) -> None:
        self.normals = normals
        self.chosen = independent(normals)
        self.dimension = normals.shape[1] - len(self.chosen)
        self.is_independent = len(self.chosen) == len(normals)
        self._determinant, self._duals = _inverse(normals[self.chosen])

    def project(self, vectors: Integers) -> tuple[Integers, int]:
        """Return the part of vectors (p, o) perpendicular to all normals times a positive integer, and that."""
        along = (self._duals[:, :, None] * vectors[None]).sum(axis=1)
        off = (self.normals[self.chosen][:, :, None] * along[:, None, :]).sum(axis=0)
        return self._determinant * vectors - off, self._determinant

    @cached_property
    def line(self) -> Integers:
        """The direction (p,) perpendicular to p - 1 independent normals."""
        rows = np.concatenate([self.normals[self.chosen], np.eye(self.normals.shape[1], dtype=int).astype(object)])
        return _shortest(_inverse(rows[independent(rows)])[1][-1:])[0]

    @cached_property
    def ways(self) -> Integers:
        """Directions (2 n_lines, p) away from the face; between neighbouring ones the field is linear."""
        if self.is_independent:
            # Off one hyperplane, along all others.
            rays = _shortest(self._duals)
        else:
            rays = Arrangement(self.normals).rays
        return np.concatenate([rays, -rays])

    @cached_property
    def dots(self) -> Integers:
        """Scalar products of these ways with the normals."""
        return (self.ways[:, None, :] * self.normals[None]).sum(axis=2)


def _inverse(vectors: Integers) -> tuple[int, Integers]:
    """Return a positive integer d, and what has scalar products d with its own of independent vectors, 0 with others.

    That is ``d G⁻¹ V`` with ``G = V Vᵀ`` and d its determinant, by elimination without fractions (Bareiss 1968): all
    numbers on the way are minors.
    """
    n, before = len(vectors), 1
    gram = (vectors[:, None, :] * vectors[None]).sum(axis=2).astype(object).reshape(n, n)
    rows = np.concatenate([gram, vectors], axis=1)
    for k in range(n):
        row, pivot = rows[k].copy(), rows[k, k]
        rows = (pivot * rows - rows[:, k : k + 1] * row[None]) // before
        rows[k], before = row, pivot
    return before, rows[:, n:]


def _shortest(vectors: Integers) -> Integers:
    """Return integer vectors divided by their common factors."""
    return vectors // np.array([np.gcd.reduce(v) for v in vectors], dtype=object)[:, None]
