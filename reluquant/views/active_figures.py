"""Figures of how many active neurons a number of training samples needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reluquant.structures.arrays import Floats
from reluquant.views import theme
from reluquant.views.sheet import DASHES, TINY, headline, palette, sheet

# A shape for each series, beside its colour.
SHAPES = ("o", "s", "^", "D", "v", "P", "X", "*")
COLOURS = ("positive", "negative", "interpolant", "difference", "ink", "muted")


@dataclass(frozen=True, slots=True, eq=False)
class CountSeries:
    """Runs that differ in the number of samples and the seed only.

    Attributes
    ----------
    n : ndarray, shape (n_sizes,)
        Numbers of samples, ascending.
    count, accuracy : tuple of ndarray
        For each number of samples: active neurons and test accuracy of every run.
    """

    n: Floats
    count: tuple[Floats, ...]
    accuracy: tuple[Floats, ...]


def active_figure(series: Mapping[str, CountSeries], title: str) -> Figure:
    """Draw counts of active neurons and test accuracies against the number of training samples.

    Parameters
    ----------
    series : mapping of str to CountSeries
        By what to call them.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        Means of the runs of each size, with bars from the least to the most; no connection to pyplot.

    Examples
    --------
    >>> import numpy as np
    >>> runs = CountSeries(np.array([10.0, 100.0]), (np.array([3.0]), np.array([7.0])), (np.array([0.5]),) * 2)
    >>> len(active_figure({"digits": runs}, "active neurons").axes)
    2
    """
    figure, (counts, scores) = sheet(10.0, 4.6, 1, 2)
    for (name, runs), shape, colour in zip(series.items(), cycle(SHAPES), cycle(_colours()), strict=False):
        style = {"marker": shape, "color": colour, "ms": 5, "lw": theme.INTERPOLANT_WIDTH, "capsize": 3}
        for axes, values in ((counts, runs.count), (scores, runs.accuracy)):
            mean = np.array([v.mean() for v in values])
            ends = np.array([[v.min(), v.max()] for v in values]).T
            axes.errorbar(runs.n, mean, yerr=np.abs(ends - mean), label=name, **style)
    sizes = np.unique(np.concatenate([runs.n for runs in series.values()]))
    start = min(float(runs.count[0].mean()) for runs in series.values())
    style = {"color": palette().muted, "ls": DASHES, "lw": theme.THIN}
    counts.plot(sizes, start * sizes / sizes[0], label="in proportion to the samples", **style)
    top = max(float(v.max()) for runs in series.values() for v in runs.count)
    counts.set(xscale="log", yscale="log", ylim=(0.8, 3 * top), xlabel="training samples", ylabel="active neurons")
    scores.set(xscale="log", ylim=(0.0, 1.02), xlabel="training samples", ylabel="test accuracy")
    scores.yaxis.set_major_locator(MaxNLocator(6))
    # Below both panels, which it belongs to.
    style = {"loc": "outside lower center", "ncols": 2, "fontsize": TINY, "frameon": False}
    figure.legend(*counts.get_legend_handles_labels(), **style)
    headline(figure, title)
    return figure


def _colours() -> tuple[str, ...]:
    return tuple(getattr(palette(), name) for name in COLOURS)
