"""Random labels and random smooth functions on the line."""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng, generator, whole_number


def random(n_samples: int = 7, *, rng: Rng = None) -> Dataset:
    """Inputs uniform in [-1, 1], sorted, with standard normal labels.

    Parameters
    ----------
    n_samples : int, default 7
        At least 1.
    rng : int, numpy.random.Generator or None
        Source of randomness.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.random(4, rng=0)
    Dataset('random', n_samples=4, n_features=1)
    """
    whole_number(n_samples, "n_samples", least=1)
    draw = generator(rng)
    x = np.sort(draw.uniform(-1, 1, n_samples))
    return Dataset(x, draw.standard_normal(n_samples), name="random")


def smooth(n_samples: int = 30, *, rng: Rng = None) -> Dataset:
    """A smooth random function at random inputs in [-1, 1].

    The labels are a sum of six waves of half-periods 2, 1, 2/3, … with random phases and normal
    amplitudes that fall like the square of the frequency; the bend ``f''`` is bounded.

    Parameters
    ----------
    n_samples : int, default 30
        At least 1.
    rng : int, numpy.random.Generator or None
        Source of randomness.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.smooth(rng=0)
    Dataset('smooth', n_samples=30, n_features=1)
    """
    whole_number(n_samples, "n_samples", least=1)
    draw = generator(rng)
    x = np.sort(draw.uniform(-1, 1, n_samples))
    frequency = np.arange(1, 7)
    amplitude = 2 * draw.standard_normal(frequency.size) / frequency**2
    phase = draw.uniform(0, 2 * math.pi, frequency.size)
    waves = amplitude * np.sin(math.pi / 2 * frequency * x[:, None] + phase)
    return Dataset(x, waves.sum(axis=1), name="smooth")
