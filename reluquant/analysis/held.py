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
        self._basis = _orthogonal(normals[self.chosen])

    def project(self, vectors: Integers) -> tuple[Integers, int]:
        """Return the part of vectors (p, o) perpendicular to all normals times a positive integer, and that."""
        factor = 1
        for b in self._basis:
            square = b @ b
            vectors, factor = square * vectors - b[:, None] * (b @ vectors)[None], square * factor
        return vectors, factor

    @cached_property
    def line(self) -> Integers:
        """The direction (p,) perpendicular to p - 1 independent normals."""
        rows = np.concatenate([self.normals[self.chosen], np.eye(self.normals.shape[1], dtype=int).astype(object)])
        return _orthogonal(rows[independent(rows)])[-1]

    @cached_property
    def ways(self) -> Integers:
        """Directions (2 n_lines, p) away from the face; between neighbouring ones the field is linear."""
        if self.is_independent:
            # Off one hyperplane, along all others.
            rows = [_orthogonal(np.roll(self.normals, -k - 1, axis=0))[-1] for k in range(len(self.normals))]
            rays = np.array(rows, dtype=object).reshape(self.normals.shape)
        else:
            rays = Arrangement(self.normals).rays
        return np.concatenate([rays, -rays])

    @cached_property
    def dots(self) -> Integers:
        """Scalar products of these ways with the normals."""
        return (self.ways[:, None, :] * self.normals[None]).sum(axis=2)


def _orthogonal(vectors: Integers) -> list[Integers]:
    """Return orthogonal integer vectors with the same span as independent ones."""
    basis: list[Integers] = []
    for v in vectors:
        for b in basis:
            v = (b @ b) * v - (b @ v) * b
        basis.append(v // np.gcd.reduce(v))
    return basis
