"""The cheapest fine triangulation of planar points whose cost is a sum over its triangles.

A programme in zeros and ones: choose empty triangles such that each edge of the hull has one, and every other edge as
many on its left as on its right. Then the number of triangles over a place cannot change anywhere in the hull, so it
is one, and no point is left out, since an empty triangle that covers one has it as a corner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from reluquant.analysis.planar_set import PlanarSet
from reluquant.analysis.triangulations import apexes_of, first_triangulation, flip, flippable, triangles_of
from reluquant.structures.arrays import Floats

# A difference of costs below this share of the least cost is none: HiGHS itself stops at 1e-7.
PROVED = 1e-6
# Rounds over all edges in search of flips that help: ten or so are enough, and any number is right.
_ROUNDS = 100
# A flip must gain more than the rounding of four costs.
_GAIN = 8 * np.finfo(np.float64).eps

Triangles = NDArray[np.int64]
Edges = set[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Cheapest:
    """A fine triangulation, and what is known of cheaper ones.

    Parameters
    ----------
    triangles : ndarray of int, shape (k, 3)
        Points in lexicographic order; positively oriented.
    cost : float
        The sum of their costs.
    bound : float
        No triangulation costs less.
    relaxed_bound : float
        None costs less even with shares of triangles allowed; at most ``bound``.
    """

    triangles: Triangles
    cost: float
    bound: float
    relaxed_bound: float


class TriangleProgramme:
    """The choice among all empty triangles of points that are not all on a line.

    Parameters
    ----------
    points : PlanarSet
    triangles : ndarray of int, shape (n_triangles, 3)
        All empty ones, lowest point first, positively oriented.
    costs : ndarray, shape (n_triangles,)
        At least 0.
    """

    def __init__(self, points: PlanarSet, triangles: Triangles, costs: Floats) -> None:
        self.points, self.triangles, self.costs = points, triangles, costs
        self._cost_of = dict(zip(map(tuple, triangles.tolist()), costs.tolist(), strict=True))
        self._start = first_triangulation(points)
        self._hull = _open_edges(self._start)

    def solved(self, *, time_limit: float) -> Cheapest:
        """Return the cheapest triangulation, or the cheapest that was found in so many seconds of HiGHS."""
        best = self._descended(self._start)
        unit = self.cost(best)
        if unit == 0.0:
            return Cheapest(best, 0.0, 0.0, 0.0)
        # A triangle that alone costs more than a triangulation is in none that is cheaper.
        kept = np.flatnonzero(self.costs <= unit)
        costs, (balance, wanted) = self.costs[kept] / unit, self._balance(self.triangles[kept])
        chosen, relaxed, reduced = _relaxed(costs, balance, wanted, time_limit)
        best, bound = self._better(best, kept[chosen]), relaxed
        if self.cost(best) > unit * (bound + PROVED):
            # Nor is one without which the bound would rise above what is known.
            open_ = np.flatnonzero(reduced <= self.cost(best) / unit - relaxed + PROVED)
            chosen, bound = _in_integers(costs[open_], balance[:, open_], wanted, time_limit)
            best, bound = self._better(best, kept[open_[chosen]]), max(bound, relaxed)
        return Cheapest(best, self.cost(best), bound * unit, relaxed * unit)

    def cost(self, triangles: Triangles) -> float:
        """Return the sum of the costs of triangles, lowest point first."""
        return math.fsum(self._cost_of[a, b, c] for a, b, c in triangles.tolist())

    def is_triangulation(self, triangles: Triangles) -> bool:
        """Return whether some of the triangles are a triangulation: exact, as they are empty and edges are counted."""
        edges = {edge for a, b, c in triangles.tolist() for edge in ((a, b), (b, c), (c, a))}
        return len(edges) == 3 * len(triangles) and _open_edges(triangles) == self._hull

    def _better(self, known: Triangles, numbers: NDArray[np.int64]) -> Triangles:
        """Return the cheaper one of a triangulation and of triangles that should be one."""
        candidate = self.triangles[numbers]
        if not self.is_triangulation(candidate):
            return known
        return min(known, self._descended(candidate), key=self.cost)

    def _descended(self, triangles: Triangles) -> Triangles:
        """Return what flips make of a triangulation as long as they make it cheaper."""
        apexes = apexes_of(triangles)
        for _ in range(_ROUNDS):
            improved = False
            for a, b, c, d in list(flippable(self.points, apexes)):
                if (apexes.get((a, b)), apexes.get((b, a))) == (c, d):
                    before, after = self._of(a, b, c) + self._of(a, d, b), self._of(a, d, c) + self._of(d, b, c)
                    if before - after > _GAIN * before:
                        apexes, improved = flip(apexes, a, b, c, d), True
            if not improved:
                break
        return triangles_of(apexes)

    def _of(self, a: int, b: int, c: int) -> float:
        least = min(a, b, c)
        return self._cost_of[(a, b, c) if a == least else (b, c, a) if b == least else (c, a, b)]

    def _balance(self, triangles: Triangles) -> tuple[csr_array, Floats]:
        """Return triangles on the left minus those on the right for each edge, and what that is to be."""
        n, k = self.points.n, len(triangles)
        tails, heads = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
        codes = np.minimum(tails, heads) * n + np.maximum(tails, heads)
        edges, rows = np.unique(codes, return_inverse=True)
        side = np.where(tails < heads, 1.0, -1.0)
        matrix = csr_array((side, (rows, np.repeat(np.arange(k), 3))), shape=(edges.size, k))
        on_hull = {min(e) * n + max(e): 1.0 if e[0] < e[1] else -1.0 for e in self._hull}
        return matrix, np.array([on_hull.get(code, 0.0) for code in edges.tolist()])


def _open_edges(triangles: Triangles) -> Edges:
    """Return the directed edges that have a triangle on the left only."""
    apexes = apexes_of(triangles)
    return {(a, b) for a, b in apexes if (b, a) not in apexes}


def _relaxed(
    costs: Floats, balance: csr_array, wanted: Floats, time_limit: float
) -> tuple[NDArray[np.int64], float, Floats]:
    """Return triangles of which more than half is chosen, a lower bound, and how each would raise it."""
    result = linprog(
        costs, A_eq=balance, b_eq=wanted, bounds=(0, 1), method="highs", options={"time_limit": time_limit}
    )
    if result.status != 0:
        return np.zeros(0, dtype=np.int64), 0.0, np.zeros(costs.size)
    # Any multipliers give a bound, so what HiGHS tolerates does not matter.
    multipliers = result.eqlin.marginals
    reduced = costs - balance.T @ multipliers
    bound = float(wanted @ multipliers + np.minimum(reduced, 0.0).sum())
    return np.flatnonzero(result.x > 0.5), max(bound, 0.0), reduced


def _in_integers(
    costs: Floats, balance: csr_array, wanted: Floats, time_limit: float
) -> tuple[NDArray[np.int64], float]:
    """Return chosen triangles, none if time is up before there are any, and a lower bound."""
    result = milp(
        costs,
        integrality=np.ones(costs.size),
        bounds=(0, 1),
        constraints=LinearConstraint(balance, wanted, wanted),
        options={"time_limit": time_limit, "mip_rel_gap": 0.0},
    )
    chosen = np.zeros(0, dtype=np.int64) if result.x is None else np.flatnonzero(result.x > 0.5)
    return chosen, float(result.mip_dual_bound or 0.0)
