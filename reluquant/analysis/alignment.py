"""The field in which tiny neurons turn, as integers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.analysis.arrangement import Hyperplanes, Integers, hyperplanes, unit_vectors
from reluquant.analysis.predicates import common_integers
from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.dataset import Dataset

# Places after the point of an integer square root: more than a float64 keeps.
ROOT_BITS = 64


@dataclass(frozen=True, slots=True, eq=False)
class AlignmentField:
    """The force ``Σ_k r_k relu(u·x̃_k)`` on the output weights of tiny neurons, with one term for each hyperplane.

    It is ``linearᵀ u + Σ_j jumps_j relu(u·normals_j)`` times ``2**exponent / divisor``: what inputs on
    the negative side of a normal add is linear in u but for the jump across their common hyperplane.

    Parameters
    ----------
    normals : ndarray of int, dtype object, shape (n_planes, p)
        Of the hyperplanes across which the field changes.
    jumps : ndarray of int, dtype object, shape (n_planes, o)
        By how much; none is zero.
    linear : ndarray of int, dtype object, shape (p, o)
    exponent, divisor : int
    all_planes : Hyperplanes
        Those of all inputs, also where the residuals add up to zero.
    kept : ndarray of int, shape (n_planes,)
        Which of these the normals are.
    """

    normals: Integers
    jumps: Integers
    linear: Integers
    exponent: int
    divisor: int
    all_planes: Hyperplanes
    kept: NDArray[np.int64]

    def gradient(self, active: NDArray[np.bool_]) -> Integers:
        """Return the matrix (p, o) of the field where these hyperplanes (n_planes,) are on their positive side."""
        return self.linear + (self.normals[active, :, None] * self.jumps[active, None, :]).sum(axis=0)

    @property
    def bits(self) -> int:
        """A number of bits below which all jumps and the linear part of the field are small as integers."""
        lengths = [sum(abs(x) for x in row) for row in self.normals.tolist()]
        jumps = [length * abs(x) for length, row in zip(lengths, self.jumps.tolist(), strict=True) for x in row]
        return sum(jumps + [abs(x) for x in self.linear.ravel().tolist()]).bit_length()


def given_forces(data: Dataset, residual: ArrayLike | None) -> tuple[Floats, int]:
    """Return residuals (n_samples, n_outputs) and what they are to be divided by."""
    outputs = 1 if data.y.ndim == 1 else data.y.shape[1]
    if residual is None:
        # The division by n rounds, and could break ties that the labels have: it waits for the rates.
        return data.y.reshape(-1, outputs), data.n_samples
    forces = real_array(residual, "residual", ndim=(1,) if outputs == 1 else (2,))
    if outputs == 1 and forces.size != data.n_samples:
        raise ValueError(f"residual needs one number for each of {data.n_samples} samples, but has {forces.size}.")
    if outputs > 1 and forces.shape != data.y.shape:
        raise ValueError(f"residual must have the shape {data.y.shape} of the labels, but it has {forces.shape}.")
    return forces.reshape(-1, outputs), 1


def alignment_field(data: Dataset, residual: Floats, divisor: int = 1) -> AlignmentField:
    """Return the field of residuals (n_samples, o), which are to be divided by ``divisor``."""
    planes = hyperplanes(data.inputs)
    numbers, exponent = common_integers(residual.ravel())
    residuals = np.array(numbers, dtype=object).reshape(residual.shape)
    p, o = data.inputs.shape[1], residual.shape[1]
    jumps, linear = np.zeros((len(planes.normals), o), dtype=object), np.zeros((p, o), dtype=object)
    for k, (plane, factor) in enumerate(zip(planes.plane.tolist(), planes.factors, strict=True)):
        if factor:
            jumps[plane] += abs(factor) * residuals[k]
        if factor < 0:
            linear += factor * planes.normals[plane][:, None] * residuals[k]
    kept = np.flatnonzero((jumps != 0).any(axis=1))
    return AlignmentField(
        planes.normals[kept], jumps[kept], linear, planes.exponent + exponent, divisor, planes, kept
    )  # fmt: skip


def floats(field: AlignmentField) -> tuple[Floats, Floats, Floats]:
    """Return unit normals, the jumps along them and the linear part; all forces add up to less than 1."""
    unit = 1 << field.bits
    lengths = np.array([math.isqrt(v @ v << 2 * ROOT_BITS) for v in field.normals], dtype=object)
    jumps = ratios(field.jumps * lengths[:, None], unit << ROOT_BITS)
    return unit_vectors(field.normals), jumps, ratios(field.linear, unit)


def ratios(integers: Integers, divisor: int) -> Floats:
    """Return integers, of any size, divided by one that makes them small."""
    return np.array([x / divisor for x in integers.ravel().tolist()], dtype=np.float64).reshape(integers.shape)
