"""Real elevations that Matplotlib brings along: a profile, and points in the plane."""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng, generator, whole_number

# Of the elevation grid: longitudes are 3 arc seconds apart; metres of a degree on the equator.
_METRES_PER_DEGREE = 111_320.0


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


def terrain(n_samples: int = 200, *, rng: Rng = 0) -> Dataset:
    """Real elevations at random places around the Jacksboro fault in Tennessee.

    Parameters
    ----------
    n_samples : int, default 200
        1 to 138632: as many different places of the grid, all equally likely.
    rng : int, numpy.random.Generator or None, default 0
        Which ones; the same by default.

    Returns
    -------
    Dataset
        ``X``, shape (n_samples, 2): distances east and north of the middle of the grid in units of 10 km, about -1.5 to
        1.5 and -1.6 to 1.6. ``y``: elevation in units of 100 m above the mean of the samples.

    Raises
    ------
    TypeError, ValueError
        If ``n_samples`` is out of range, or ``rng`` is none.
    FileNotFoundError
        If this installation of Matplotlib comes without its sample data.

    Notes
    -----
    The grid is that of :func:`terrain_profile`. Here it is taken as flat, with the length of a degree of longitude in
    the middle row: at its northern and southern edge distances east are off by 0.2 %.

    References
    ----------
    Matplotlib gallery, "Topographic hillshading".

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.datasets.terrain(50)
    >>> data.X.shape, bool(abs(data.y.mean()) < 1e-12)
    ((50, 2), True)
    """
    elevation, degrees, north = _elevation_grid()
    n_rows, n_columns = elevation.shape
    whole_number(n_samples, "n_samples", most=elevation.size)
    place = generator(rng).choice(elevation.size, n_samples, replace=False)
    rows, columns = np.unravel_index(place, elevation.shape)
    middle = math.radians(north - degrees * (n_rows - 1) / 2)
    unit = _METRES_PER_DEGREE * degrees / 10_000
    east = (columns - (n_columns - 1) / 2) * unit * math.cos(middle)
    height = elevation[rows, columns] / 100
    return Dataset(np.column_stack([east, ((n_rows - 1) / 2 - rows) * unit]), height - height.mean(), name="terrain")


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
            "terrain and terrain_profile read Matplotlib's sample data, which this installation lacks;"
            " install matplotlib from PyPI or conda-forge."
        ) from error
