"""Data sets to look at: the small ones of the theory, random ones, and a real profile.

Every maker returns a :class:`reluquant.Dataset` of one input and one output. Only functions that
load files import more than NumPy.
"""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng, generator, whole_number

__all__ = [
    "absolute",
    "random",
    "sine",
    "smooth",
    "tent",
    "terrain_profile",
    "three_points",
    "two_points",
    "zigzag",
]

# Irrational turns per sample: the offsets of `zigzag` never repeat and never align.
_GOLDEN_RATIO = (1 + math.sqrt(5)) / 2
_SILVER_RATIO = 1 + math.sqrt(2)
# How far `zigzag` moves inputs, in gaps, and labels, relatively: visible in no picture, enough to
# break every tie of a grid.
_MOVE_INPUT = 0.15
_MOVE_LABEL = 0.2

# Of the elevation grid: longitudes are 3 arc seconds apart; metres of a degree on the equator.
_METRES_PER_DEGREE = 111_320.0


def zigzag(n_samples: int = 5, *, generic: bool = True) -> Dataset:
    """Labels that go up and down: one kink near every inner sample.

    Parameters
    ----------
    n_samples : int, default 5
        At least 2.
    generic : bool, default True
        Move inputs and labels a little off their grid, by fixed amounts. On a grid neurons meet
        boundaries at the same time and losses decay algebraically instead of exponentially;
        ``generic=False`` gives that: inputs equally spaced in [-1, 1], labels 1, -1.5, 1, -1.5, …

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If there are fewer than 2 samples.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.zigzag(3, generic=False).X.ravel(), rq.datasets.zigzag(3, generic=False).y
    (array([-1.,  0.,  1.]), array([ 1. , -1.5,  1. ]))
    """
    whole_number(n_samples, "n_samples", least=2)
    k = np.arange(n_samples)
    x, y = np.linspace(-1, 1, n_samples), np.where(k % 2 == 0, 1.0, -1.5)
    if generic:
        x = x + _MOVE_INPUT * 2 / (n_samples - 1) * np.sin(2 * math.pi * _GOLDEN_RATIO * (k + 1))
        y = y * (1 + _MOVE_LABEL * np.cos(2 * math.pi * _SILVER_RATIO * (k + 1)))
    return Dataset(x, y, name="zigzag")


def absolute(n_samples: int = 5) -> Dataset:
    """``y = |x|`` at equally spaced inputs in [-1, 1].

    With five samples and a small initialisation the flow ends at f = 0.6 with loss 0.07: a spurious
    stationary point.

    Parameters
    ----------
    n_samples : int, default 5
        At least 2.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.absolute().y
    array([1. , 0.5, 0. , 0.5, 1. ])
    """
    whole_number(n_samples, "n_samples", least=2)
    x = np.linspace(-1, 1, n_samples)
    return Dataset(x, np.abs(x), name="absolute value")


def sine(n_samples: int = 10) -> Dataset:
    """``y = sin(π x) + 0.3 x`` at equally spaced inputs in [-1, 1].

    Parameters
    ----------
    n_samples : int, default 10
        At least 2.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.sine(3).y.round(12)
    array([-0.3,  0. ,  0.3])
    """
    whole_number(n_samples, "n_samples", least=2)
    x = np.linspace(-1, 1, n_samples)
    return Dataset(x, np.sin(math.pi * x) + 0.3 * x, name="sine")


def three_points() -> Dataset:
    """Three points on which small initialisations stop at a line that misses all of them.

    Returns
    -------
    Dataset

    References
    ----------
    Boursier & Flammarion (2024), arXiv:2401.10791: early alignment can end in spurious
    stationary points.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.three_points()
    Dataset('three points', n_samples=3, n_features=1)
    """
    return Dataset([-0.75, -0.5, 0.125], [1.1, 0.1, 0.8], name="three points")


def two_points() -> Dataset:
    """``y = x`` at ±1: two neurons of opposite sign, not a line.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.two_points().y
    array([-1.,  1.])
    """
    return Dataset([-1.0, 1.0], [-1.0, 1.0], name="two points")


def tent() -> Dataset:
    """Three points ``(-1, 1), (0, 0), (1, 1)``: symmetric, with semistable extremal directions.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.tent().y
    array([1., 0., 1.])
    """
    return Dataset([-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], name="tent")


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


def terrain_profile(n_samples: int = 24, *, row: int = 200) -> Dataset:
    """Real elevations along a west-east line across the Jacksboro fault in Tennessee.

    Parameters
    ----------
    n_samples : int, default 24
        2 to 403: samples are (nearly) equally spaced columns of the grid.
    row : int, default 200
        Row of the grid, 0 (north) to 343 (south).

    Returns
    -------
    Dataset
        ``X``: distance from the middle of the line in units of 10 km, about -1.5 to 1.5.
        ``y``: elevation in units of 100 m above the mean of the samples.

    Raises
    ------
    ValueError
        If ``n_samples`` or ``row`` is out of range.
    FileNotFoundError
        If this installation of Matplotlib comes without its sample data.

    Notes
    -----
    The grid is ``jacksboro_fault_dem.npz`` among Matplotlib's sample data, which its hill-shading
    example draws: 344 × 403 elevations in whole metres, 3 arc seconds apart, 36.45–36.73° N,
    84.41–84.08° W. Nothing is downloaded. Distances are along the row's parallel of latitude, with
    the first row taken as the northern edge (which the file names ``ymin``).

    References
    ----------
    Matplotlib gallery, "Topographic hillshading".

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.datasets.terrain_profile()
    >>> data.X.min().round(2), data.X.max().round(2), data.y.mean().round(9)
    (np.float64(-1.5), np.float64(1.5), np.float64(0.0))
    """
    elevation, degrees, north = _elevation_grid()
    n_rows, n_columns = elevation.shape
    whole_number(n_samples, "n_samples", least=2, most=n_columns)
    whole_number(row, "row", least=0, most=n_rows - 1)
    columns = np.round(np.linspace(0, n_columns - 1, n_samples)).astype(int)
    metres = _METRES_PER_DEGREE * math.cos(math.radians(north - row * degrees)) * degrees
    distance = (columns - (n_columns - 1) / 2) * metres / 10_000
    height = elevation[row, columns] / 100
    return Dataset(distance, height - height.mean(), name="terrain profile")


def _elevation_grid() -> tuple[np.ndarray, float, float]:
    """Return elevations in metres, the spacing in degrees and the latitude of the first row."""
    from matplotlib import cbook

    try:
        path = cbook.get_sample_data("jacksboro_fault_dem.npz", asfileobj=False)
        with np.load(path) as grid:
            # The file calls its northern edge "ymin".
            return grid["elevation"].astype(np.float64), float(grid["dx"]), float(grid["ymin"])
    except FileNotFoundError as error:
        raise FileNotFoundError(
            "terrain_profile reads Matplotlib's sample data, which this installation lacks;"
            " install matplotlib from PyPI or conda-forge."
        ) from error
