"""Where a flow has come to rest, and what could still move it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reluquant.structures.arrays import Floats, frozen


class Rest(StrEnum):
    """Kinds of a stationary point: the values of ``traj.stationary_point.kind``."""

    ZERO_LOSS = "zero loss"
    SPURIOUS = "spurious"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, eq=False)
class StationaryPoint:
    """What kind of stationary point a flow ended at.

    Attributes
    ----------
    kind : {"zero loss", "spurious", "dead"}
        The loss is the least that any function of the inputs has (to the tolerance of the run); it is not, but
        nothing that is there can lower it; or it is not, and no neuron is active on any sample.
    missing : ndarray, shape (n_missing, n_features + 1)
        Unit directions in which a tiny neuron would grow, the fastest first: what a spurious stationary point lacks.
        Each lacks a neuron of the one sign given. Empty where the loss is least.
    signs : ndarray, shape (n_missing,)
        Sign of the output weight that such a neuron needs (of the first, if there are several).
    rates : ndarray, shape (n_missing,)
        Its rate of growth ``d ln|w| / dt``.
    complete : bool
        Whether ``missing`` holds all of them. With more than one input or output it holds those that a search found.

    References
    ----------
    Boursier & Flammarion (2024), arXiv:2401.10791 (spurious stationary points); Wu, Simsek & Ged (2025),
    arXiv:2402.05626 (escape neurons).
    """

    kind: str
    missing: Floats
    signs: np.ndarray
    rates: Floats
    complete: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", str(self.kind))
        for name in ("missing", "rates"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        signs = np.array(self.signs, dtype=np.int64)
        signs.setflags(write=False)
        object.__setattr__(self, "signs", signs)
