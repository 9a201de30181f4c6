"""What many runs from starts of different scale and width did: lazy, critical or condensed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from reluquant.structures.arrays import Floats

# Exponents closer to zero count as critical: over a factor of ten in the width the weights then change by a quarter
# more or less, which is no more than what a few seeds scatter.
CRITICAL_EXPONENT = 0.1


class Start(StrEnum):
    """How the weights of a start are drawn."""

    BALANCED = "balanced"
    GAUSSIAN = "gaussian"


class Phase(StrEnum):
    """What the relative change of the input weights does as the width grows: vanish, stay, grow without bound."""

    LINEAR = "linear"
    CRITICAL = "critical"
    CONDENSED = "condensed"


class Measure(StrEnum):
    """What is measured of every run."""

    LOG10_RD = "log10_rd"
    N_DIRECTIONS = "n_directions"
    UNCHANGED = "unchanged"
    LOSS = "loss"
    SUP = "sup"
    L2 = "l2"
    T = "t"


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class RegimeRuns:
    """Measures of runs, several seeds for each place of a grid; NaN where a run failed or was not made.

    Attributes
    ----------
    seed : ndarray of int, shape (..., n_seeds)
        Seed of each start.
    log10_rd : ndarray, shape (..., n_seeds)
        ``log10 sup_t ‖W(t) - W(0)‖ / ‖W(0)‖``, Frobenius norms; a logarithm, because it exceeds 100 for tiny scales.
    n_directions : ndarray, shape (..., n_seeds)
        Fewest neuron clusters that carry 99 % of the mass ``Σ |a_j| |w_j|`` at the end.
    unchanged : ndarray, shape (..., n_seeds)
        Share of the neurons, dead ones included, whose activation pattern never changed (none switched, or was held).
    loss : ndarray, shape (..., n_seeds)
        At the end.
    sup, l2 : ndarray, shape (..., n_seeds)
        Distance of the final function to the interpolant on the hull of the data, as of :func:`reluquant.compare`.
    t : ndarray, shape (..., n_seeds)
        Time at the end.
    end : ndarray of str, shape (..., n_seeds)
        Why the run ended, as ``traj.end``; empty where there is none.
    failures : dict of tuple to Exception
        What went wrong, by the place of the run in these arrays.
    cancelled : bool
        Whether the runs were interrupted.
    start : Start
        How weights were drawn.
    mirrored : bool
        Whether every neuron had a twin of opposite ``a``, so that the function was zero at the start.
    name : str
        Of the data.
    """

    seed: NDArray[np.int64]
    log10_rd: Floats
    n_directions: Floats
    unchanged: Floats
    loss: Floats
    sup: Floats
    l2: Floats
    t: Floats
    end: NDArray[np.str_]
    failures: dict[tuple[int, ...], Exception]
    cancelled: bool
    start: Start
    mirrored: bool
    name: str

    @property
    def n_seeds(self) -> int:
        """Number of runs at each place."""
        return self.seed.shape[-1]

    @property
    def ok(self) -> bool:
        """Whether every run was made and returned."""
        return not self.cancelled and not self.failures

    @property
    def message(self) -> str:
        """What became of the runs, in a sentence."""
        made, n = np.count_nonzero(self.end != ""), self.end.size
        if self.ok:
            return f"All {n} runs returned."
        first = "" if not self.failures else f"; the first says: {next(iter(self.failures.values()))}"
        how = "were interrupted" if self.cancelled else "are over"
        return f"The runs {how}: {made} of {n} returned, and {len(self.failures)} failed{first}"

    def mean(self, measure: str) -> Floats:
        """Return the mean of a measure over the seeds whose runs returned; NaN where none did.

        Parameters
        ----------
        measure : {"log10_rd", "n_directions", "unchanged", "loss", "sup", "l2", "t"}
            Its name.

        Returns
        -------
        ndarray, shape (...,)

        Raises
        ------
        ValueError
            If there is no such measure.
        """
        values, there = self._values(measure)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sum(np.where(there, values, 0.0), axis=-1) / np.sum(there, axis=-1)

    def spread(self, measure: str) -> Floats:
        """Return the sample standard deviation over the seeds whose runs returned; NaN for fewer than two.

        Parameters, the result and errors are those of :meth:`mean`.
        """
        values, there = self._values(measure)
        with np.errstate(invalid="ignore", divide="ignore"):
            off = np.where(there, values - self.mean(measure)[..., None], 0.0)
            count = np.sum(there, axis=-1)
            return np.sqrt(np.sum(off**2, axis=-1) / np.where(count > 1, count - 1, np.nan))

    def _values(self, measure: str) -> tuple[Floats, NDArray[np.bool_]]:
        if measure not in list(Measure):
            raise ValueError(f"measure must be one of {', '.join(Measure)}, but it is {measure!r}.")
        values = getattr(self, measure)
        return values, ~np.isnan(values)


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class ScaleSweep(RegimeRuns):
    """The result of :func:`reluquant.scale_sweep`; each measure has the shape (n_scales, n_seeds).

    Attributes
    ----------
    scales : ndarray, shape (n_scales,)
        Ascending.
    n_neurons : int
        The width.
    """

    scales: Floats
    n_neurons: int

    def __repr__(self) -> str:
        return (
            f"ScaleSweep({self.scales.size} scales from {self.scales[0]:g} to {self.scales[-1]:g},"
            f" n_neurons={self.n_neurons}, n_seeds={self.n_seeds}, ok={self.ok})"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class PhaseDiagram(RegimeRuns):
    """The result of :func:`reluquant.phase_diagram`; each measure has the shape (n_scales, n_widths, n_seeds).

    Attributes
    ----------
    scales : ndarray, shape (n_scales,)
        Ascending.
    widths : ndarray of int, shape (n_widths,)
        Ascending.
    gamma : ndarray, shape (n_scales, n_widths)
        ``-2 log(scale) / log(width)``, the exponent of the product of the layers' scales.
    gamma_prime : float
        ``-log(output scale / input scale) / log(width)``.
    exponent : ndarray, shape (n_scales, n_widths)
        ``S = d log RD / d log width`` along constant ``gamma`` and ``gamma_prime``.
    """

    scales: Floats
    widths: NDArray[np.int64]
    gamma: Floats
    gamma_prime: float
    exponent: Floats

    @property
    def phase(self) -> NDArray[np.str_]:
        """The ``Phase`` by the sign of the exponent, shape (n_scales, n_widths); empty where that is unknown."""
        low, high = self.exponent < -CRITICAL_EXPONENT, self.exponent > CRITICAL_EXPONENT
        known = np.where(low, Phase.LINEAR.value, np.where(high, Phase.CONDENSED.value, Phase.CRITICAL.value))
        return np.where(np.isnan(self.exponent), "", known)

    @property
    def critical_gamma(self) -> float:
        """Where the literature puts the boundary of the condensed phase, for infinite width."""
        return 1.0 + max(self.gamma_prime, 0.0)

    def __repr__(self) -> str:
        return (
            f"PhaseDiagram({self.scales.size} scales from {self.scales[0]:g} to {self.scales[-1]:g},"
            f" {self.widths.size} widths from {self.widths[0]} to {self.widths[-1]}, n_seeds={self.n_seeds},"
            f" ok={self.ok})"
        )
