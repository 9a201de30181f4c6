"""What is true of data and residuals on the circle, or sphere, of weight directions: computed once, drawn often."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reluquant.analysis.extremal_direction import ExtremalDirection
from reluquant.analysis.extremal_directions import extremal_directions
from reluquant.analysis.growth_rate import with_basins
from reluquant.analysis.sectors import sectors
from reluquant.dynamics.alignment_paths import AlignmentPaths, alignment_paths
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.structures.shallow_relu import ShallowReLU
from reluquant.views.circle_scene import subscript
from reluquant.views.direction_view import SectorView, sector_view


@dataclass(frozen=True, slots=True, eq=False)
class SectorFacts:
    """Critical directions, and the ways of some neurons to them.

    Parameters
    ----------
    data : Dataset
        One feature with a bias or two without (then directions lie on a circle), or two with a bias (a sphere).
    residual : ndarray, shape (n_samples,)
        ``r_k = -∂L/∂f(x_k)``.
    directions : tuple of ExtremalDirection
        All, of both signs; on a circle with basins.
    sectors : SectorView or None
        Of the circle; None on the sphere.
    signs : ndarray of int, shape (n_neurons,)
        Of the output weights of the neurons that are followed.
    paths : AlignmentPaths or None
        Their ways; None without neurons.
    """

    data: Dataset
    residual: Floats
    directions: tuple[ExtremalDirection, ...]
    sectors: SectorView | None
    signs: np.ndarray
    paths: AlignmentPaths | None

    @property
    def on_circle(self) -> bool:
        """Whether directions have two numbers."""
        return self.sectors is not None

    @property
    def on_line(self) -> bool:
        """Whether inputs have one number."""
        return self.data.n_features == 1

    @property
    def names(self) -> tuple[str, ...]:
        """What each sample is called: on the line by the place of its input among all different ones."""
        x = self.data.X
        ranks = np.unique(x[:, 0], return_inverse=True)[1] if self.on_line else np.arange(len(x))
        return tuple(f"x{subscript(int(rank) + 1)}" for rank in ranks)

    @property
    def end(self) -> float:
        """When the paths end."""
        return 0.0 if self.paths is None else float(self.paths.t[-1])

    def neurons(self, t: float) -> Floats:
        """Unit vectors of the neurons at time ``t``, shape (n_neurons, p)."""
        if self.paths is None:
            return np.zeros((0, self.data.inputs.shape[1]))
        return self.paths.direction[min(int(np.searchsorted(self.paths.t, t)), self.paths.t.size - 1)]


def sector_facts(data: Dataset, residual: Floats, *, W: Floats, signs: np.ndarray) -> SectorFacts:
    """Return what there is to draw for data and residuals.

    Parameters
    ----------
    data : Dataset
        One feature with a bias, two with or without.
    residual : array_like, shape (n_samples,)
        ``r_k = -∂L/∂f(x_k)``.
    W : array_like, shape (n_neurons, p)
        Input weights of the neurons to follow.
    signs : array_like of int, shape (n_neurons,)
        Signs of their output weights.

    Returns
    -------
    SectorFacts

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.sector_facts import sector_facts
    >>> data = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
    >>> facts = sector_facts(data, [-0.5, 0.5], W=[[1.0, 0.0]], signs=[1])
    >>> facts.neurons(facts.end).round(3)
    array([[0.707, 0.707]])
    """
    found = tuple(extremal_directions(data, residual=residual))
    on_circle = data.inputs.shape[1] == 2
    paths = None
    if len(W):
        net = ShallowReLU(W, np.asarray(signs, dtype=float), bias=data.bias)
        paths = alignment_paths(net, data, residual=residual)
    return SectorFacts(
        data,
        frozen(residual),
        with_basins(found, data, residual) if on_circle else found,
        _circle(data) if on_circle else None,
        frozen(signs, int),
        paths,
    )


def _circle(data: Dataset) -> SectorView:
    if data.bias:
        return sector_view(data)
    seen = np.flatnonzero(np.any(data.X != 0, axis=1))
    towards = np.arctan2(data.X[seen, 1], data.X[seen, 0])
    angles = np.concatenate([towards + math.pi / 2, towards - math.pi / 2])
    angles = (angles + math.pi) % math.tau - math.pi
    ranks = np.tile(seen + 1, 2)
    found = sectors(data)
    lifeless = found.directions[~np.any(found.patterns, axis=1)]
    if len(lifeless) == 0:
        return SectorView(frozen(angles), frozen(ranks, int), None)
    # From a direction at which no sample is active to the next boundary on both sides.
    middle = math.atan2(lifeless[0][1], lifeless[0][0])
    ahead = (angles - middle) % math.tau
    return SectorView(frozen(angles), frozen(ranks, int), (middle + ahead.max() - math.tau, middle + ahead.min()))


def nearest(facts: SectorFacts, e: ExtremalDirection) -> int:
    """The index of the direction of the same sign that is nearest to a direction of other facts."""
    near = [float(other.direction @ e.direction) if other.sign == e.sign else -2.0 for other in facts.directions]
    return int(np.argmax(near))
