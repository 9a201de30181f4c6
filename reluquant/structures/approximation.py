"""What networks trained on more and more points did: how far they are from the target, and from the interpolant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress

from reluquant.structures.arrays import Floats


class Slope(NamedTuple):
    """A fitted exponent: ``error ~ n**value``, and the standard error of that ``value``."""

    value: float
    error: float


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class TrainingRuns:
    """Runs on data sets of several sizes, several seeds each; NaN where a run failed or was not made.

    Attributes
    ----------
    n_points : ndarray of int, shape (n_sizes,)
        Numbers of training points, ascending.
    seed : ndarray of int, shape (n_sizes, n_seeds)
        Of each run: of its points and labels, if they are random, and its start.
    loss : ndarray, shape (n_sizes, n_seeds)
        Of training, at the end.
    distance_sup, distance_l2 : ndarray, shape (n_sizes, n_seeds)
        Of the final network to the interpolant of its data on ``region``, as of :func:`reluquant.compare`.
    end : ndarray of str, shape (n_sizes, n_seeds)
        Why the run ended, as ``traj.end``; empty where there is none.
    kind : ndarray of str, shape (n_sizes, n_seeds)
        ``"zero loss"``, ``"spurious"`` or ``"dead"``, as ``traj.stationary_point.kind``; empty without rest.
    failures : dict of tuple to Exception
        What went wrong, by the place of the run in these arrays.
    cancelled : bool
        Whether the runs were interrupted.
    region : (float, float) or ((float, float), (float, float))
        Where points are and errors are measured: an interval, or a box for two features.
    spacing : {"equal", "random"}
        How points lie in it.
    n_neurons : int
        The width.
    scale : float
        Of the starts.
    """

    n_points: NDArray[np.int64]
    seed: NDArray[np.int64]
    loss: Floats
    distance_sup: Floats
    distance_l2: Floats
    end: NDArray[np.str_]
    kind: NDArray[np.str_]
    failures: dict[tuple[int, ...], Exception]
    cancelled: bool
    region: tuple[float, float] | tuple[tuple[float, float], tuple[float, float]]
    spacing: str
    n_neurons: int
    scale: float

    @property
    def ok(self) -> bool:
        """Whether every run was made and returned."""
        return not self.cancelled and not self.failures

    @property
    def message(self) -> str:
        """What became of the runs, in a sentence or two."""
        made = np.count_nonzero(self.end != "")
        if self.ok:
            stuck = np.count_nonzero(self.kind != "zero loss")
            rest = "all fit their data" if not stuck else f"{stuck} did not fit their data (.kind and .end say why)"
            return f"All {made} runs returned; {rest}."
        first = "" if not self.failures else f"; the first says: {next(iter(self.failures.values()))}"
        how = "were interrupted" if self.cancelled else "are over"
        return f"The runs {how}: {made} of {self.end.size} returned, and {len(self.failures)} failed{first}"

    def mean(self, measure: str) -> Floats:
        """Return the geometric mean of a measure over the seeds, shape (n_sizes,).

        Parameters
        ----------
        measure : str
            As of :meth:`slope`.

        Returns
        -------
        ndarray
            A value that is zero or missing is left out; NaN where none is left.

        Raises
        ------
        ValueError
            If there is no such measure.
        """
        known = [name for name in self.measures() if np.issubdtype(getattr(self, name).dtype, np.floating)]
        if measure not in known:
            raise ValueError(f"measure must be one of {', '.join(known)}, but it is {measure!r}.")
        values = getattr(self, measure)
        there = values > 0
        logs = np.log(np.where(there, values, 1.0)).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        return np.where(there.any(axis=1), np.exp(logs), np.nan)

    def slope(self, measure: str) -> Slope:
        """Fit the exponent with which a measure falls (or not) with the number of points.

        Parameters
        ----------
        measure : str
            Name of an array of shape (n_sizes, n_seeds), such as ``"network_sup"``.

        Returns
        -------
        Slope
            Of a straight line through ``log measure`` against ``log n_points``, by least squares: ``.value``, and its
            standard ``.error``. Each size counts once, with the mean logarithm over its seeds; a value that is zero or
            missing is left out. NaN with fewer than two sizes, and for the error with fewer than three.

        Raises
        ------
        ValueError
            If there is no such measure.
        """
        mean = self.mean(measure)
        sizes = ~np.isnan(mean)
        if np.count_nonzero(sizes) < 2:
            return Slope(np.nan, np.nan)
        fit = linregress(np.log(self.n_points[sizes]), np.log(mean[sizes]))
        return Slope(float(fit.slope), float(fit.stderr) if np.count_nonzero(sizes) > 2 else np.nan)

    @classmethod
    def measures(cls) -> tuple[str, ...]:
        """Names of what is recorded of each run."""
        return ("loss", "distance_sup", "distance_l2", "end", "kind")

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.n_points.size} sizes from {self.n_points[0]} to {self.n_points[-1]} points,"
            f" n_seeds={self.seed.shape[1]}, n_neurons={self.n_neurons}, scale={self.scale:g}, ok={self.ok})"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class ApproximationStudy(TrainingRuns):
    """The result of :func:`reluquant.approximation_study`.

    Attributes
    ----------
    network_sup, network_l2 : ndarray, shape (n_sizes, n_seeds)
        Distance of the final network to the target on ``region``.
    interpolant_sup, interpolant_l2 : ndarray, shape (n_sizes, n_seeds)
        The same of the linear interpolant of the data.
    bound : ndarray, shape (n_sizes, n_seeds)
        ``M h² / 8``, with h the largest gap between neighbouring points; for two features ``M R² / 2``, with R the
        largest radius of a smallest circle around a triangle. Above any interpolant's error. NaN unless ``curvature``
        was given.
    sup_error : float
        By how much the two sup distances may be too small: they are the largest on a grid. NaN without ``curvature``.
    curvature : float or None
        M, the bound of the second derivative that was given.
    """

    network_sup: Floats
    network_l2: Floats
    interpolant_sup: Floats
    interpolant_l2: Floats
    bound: Floats
    sup_error: float
    curvature: float | None

    @classmethod
    def measures(cls) -> tuple[str, ...]:
        """Names of what is recorded of each run."""
        own = ("network_sup", "network_l2", "interpolant_sup", "interpolant_l2", "bound")
        return (*own, *TrainingRuns.measures())


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class RandomLabelStudy(TrainingRuns):
    """The result of :func:`reluquant.random_label_study`.

    Attributes
    ----------
    network_wrong, interpolant_wrong : ndarray, shape (n_sizes, n_seeds)
        Share of fresh points whose label has not the sign of the function; chance is one half.
    network_rms, interpolant_rms : ndarray, shape (n_sizes, n_seeds)
        Root of the mean squared difference to fresh labels; that of the zero function is one.
    n_test : int
        Number of fresh points of each run.
    """

    network_wrong: Floats
    network_rms: Floats
    interpolant_wrong: Floats
    interpolant_rms: Floats
    n_test: int

    @classmethod
    def measures(cls) -> tuple[str, ...]:
        """Names of what is recorded of each run."""
        own = ("network_wrong", "network_rms", "interpolant_wrong", "interpolant_rms")
        return (*own, *TrainingRuns.measures())
