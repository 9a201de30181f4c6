"""A piecewise-linear target with four peaks: without noise, and yet not learnt."""

from __future__ import annotations

import numpy as np

from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng, generator, whole_number

# Corners of the target, from the published experiments of arXiv:2401.10791.
_CORNERS_X = np.array([-1.0, -0.7, -0.55, -0.4, 0.0, 0.5, 0.6, 0.7, 1.0])
_CORNERS_Y = np.array([0.0, 0.7, 0.5, 1.0, 0.0, 1.0, 0.6, 0.7, 0.0])


def stewart(n_samples: int = 40, *, rng: Rng = None) -> Dataset:
    """A piecewise-linear function with four peaks at random inputs in [-1, 1].

    Parameters
    ----------
    n_samples : int, default 40
        At least 1.
    rng : int, numpy.random.Generator or None
        Source of randomness of the inputs, which are uniform.

    Returns
    -------
    Dataset
        Without noise, sorted by input.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Notes
    -----
    Ten neurons could fit it: the target has seven corners inside. A network of any width from a small start
    stops above zero loss, with fewer kinks.

    References
    ----------
    Target: Stewart, Bach, Berthet & Vert (2022), arXiv:2211.05641, in the form in which the code that accompanies
    Boursier & Flammarion (2024), arXiv:2401.10791, has it; that the flow stops short: the latter.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.datasets.stewart(rng=0)
    >>> bool(0.0 <= data.y.min() and data.y.max() <= 1.0)
    True
    """
    whole_number(n_samples, "n_samples")
    x = np.sort(generator(rng).uniform(-1, 1, n_samples))
    return Dataset(x, np.interp(x, _CORNERS_X, _CORNERS_Y), name="four peaks")
