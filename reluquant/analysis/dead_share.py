"""How many neurons of a random start no sample activates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng, generator, whole_number

# Numbers held at once while directions are drawn: some hundred megabytes would be slower.
_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class DeadShare:
    """The share of all directions at which a neuron is dead.

    Parameters
    ----------
    value : float
        Between 0 and 1.
    standard_error : float
        Of a value that was estimated from random directions; 0 for one in closed form.
    """

    value: float
    standard_error: float


def dead_share(data: Dataset, *, n_draws: int = 100_000, rng: Rng = None) -> DeadShare:
    r"""Return the share of directions ``u`` with ``u·x̃_k ≤ 0`` for every sample.

    A neuron that starts there, of any size, never moves. Directions of a random start are uniform on the sphere.

    Parameters
    ----------
    data : Dataset
        Any number of features, with or without bias.
    n_draws : int, default 100,000
        Number of random directions, where there is no closed form.
    rng : int, numpy.random.Generator or None
        Their source of randomness.

    Returns
    -------
    DeadShare
        With ``.value`` and ``.standard_error``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Notes
    -----
    In the plane, one input with a bias or two without, the samples span an angle β, and the share is
    ``½ - β/2π``, or 0 if β > π. For one input with a bias ``β = atan x_max - atan x_min``. In more dimensions it is
    the solid angle of a cone: the mean of n draws, with the standard error ``√(p (1 - p)/n)``.

    Examples
    --------
    >>> import math, reluquant as rq
    >>> rq.dead_share(rq.Dataset([-1.0, 0.3, 1.0], [1.0, 2.0, 3.0]))
    DeadShare(value=0.25, standard_error=0.0)

    An eighth of space sees none of three orthogonal inputs:

    >>> share = rq.dead_share(rq.datasets.orthogonal(3, rng=0), rng=0)
    >>> bool(abs(share.value - 1 / 8) < 3 * share.standard_error)
    True
    """
    if not isinstance(data, Dataset):
        raise TypeError(f"dead_share needs a Dataset, but got {type(data).__name__}; make one with Dataset(X, y).")
    n_draws = whole_number(n_draws, "n_draws")
    # An input of zero activates nobody.
    inputs = data.inputs[np.any(data.inputs != 0, axis=1)]
    if len(inputs) == 0:
        return DeadShare(1.0, 0.0)
    if inputs.shape[1] == 1:
        return DeadShare(0.5 if np.unique(np.sign(inputs)).size == 1 else 0.0, 0.0)
    if inputs.shape[1] == 2:
        return DeadShare(_share_of_circle(inputs), 0.0)
    share = _n_dead(inputs, n_draws, generator(rng)) / n_draws
    return DeadShare(share, math.sqrt(share * (1.0 - share) / n_draws))


def _share_of_circle(inputs: Floats) -> float:
    angles = np.sort(np.arctan2(inputs[:, 1], inputs[:, 0]))
    # The largest gap between neighbouring inputs is what they leave free.
    gap = float(np.max(np.diff(angles, append=angles[0] + 2 * math.pi)))
    return max(0.0, gap - math.pi) / (2 * math.pi)


def _n_dead(inputs: Floats, n_draws: int, draw: np.random.Generator) -> int:
    most, found = max(1, _AT_ONCE // len(inputs)), 0
    for start in range(0, n_draws, most):
        directions = draw.standard_normal((min(most, n_draws - start), inputs.shape[1]))
        found += int(np.count_nonzero(np.all(directions @ inputs.T <= 0, axis=1)))
    return found
