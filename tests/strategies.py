"""Hypothesis strategies for small data sets and networks.

The numbers come from a seeded generator, and only sizes, seeds and exponents are drawn: the theorems
speak of data in general position, while plain float strategies love 0, 1 and repeated values, where a
flow passes through ties. Degenerate data have tests of their own.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

import reluquant as rq

seeds = st.integers(0, 2**32 - 1)


def generic_reals(low: float, high: float) -> st.SearchStrategy[float]:
    """Return numbers between two bounds, in general position with probability one."""
    return seeds.map(lambda seed: float(np.random.default_rng(seed).uniform(low, high)))


def scales(smallest: float = 1e-8, largest: float = 1.0) -> st.SearchStrategy[float]:
    """Return powers of ten between two powers of ten, the largest first when shrinking."""
    return st.integers(0, round(np.log10(largest / smallest))).map(lambda k: largest * 10.0**-k)


@st.composite
def datasets(draw, min_samples: int = 1, max_samples: int = 8) -> rq.Dataset:
    """Draw distinct inputs in [-1.5, 1.5] and normal labels."""
    n_samples, rng = draw(st.integers(min_samples, max_samples)), np.random.default_rng(draw(seeds))
    return rq.Dataset(rng.uniform(-1.5, 1.5, n_samples), rng.normal(size=n_samples))


@st.composite
def balanced_networks(draw, max_neurons: int = 12, smallest: float = 1e-8) -> rq.ShallowReLU:
    """Draw networks with ``|a| = ‖w‖``."""
    n_neurons, scale = draw(st.integers(1, max_neurons)), draw(scales(smallest))
    return rq.ShallowReLU.balanced(n_neurons=n_neurons, scale=scale, rng=draw(seeds))


@st.composite
def gaussian_networks(draw, max_neurons: int = 12, smallest: float = 1e-8) -> rq.ShallowReLU:
    """Draw networks with independent normal weights."""
    n_neurons, scale = draw(st.integers(1, max_neurons)), draw(scales(smallest))
    return rq.ShallowReLU.gaussian(n_neurons=n_neurons, scale=scale, rng=draw(seeds))


def networks(max_neurons: int = 12, smallest: float = 1e-8) -> st.SearchStrategy[rq.ShallowReLU]:
    """Return networks of both kinds."""
    return balanced_networks(max_neurons, smallest) | gaussian_networks(max_neurons, smallest)
