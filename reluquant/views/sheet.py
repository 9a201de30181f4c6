"""The sheet that figures of studies are drawn on: panels in the colours of the current style, legends, a headline."""

from __future__ import annotations

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from reluquant.views import theme

DASHES = (0, (5, 3))
SMALL, TINY = 9, 8


def sheet(width: float, height: float, rows: int, columns: int, **grid: object) -> tuple[Figure, list[Axes]]:
    """Return a figure with no connection to pyplot, and its panels, row by row, without a frame above and right.

    Parameters
    ----------
    width, height : float
        In inches.
    rows, columns : int
    **grid
        As of ``Figure.subplots``.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False, **grid).flat)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels


def palette() -> theme.Palette:
    """Return the colours that stand out from the paper of the current matplotlib style, light or dark."""
    # The paper itself may be transparent, but letters never are.
    red, green, blue = to_rgb(rcParams["text.color"])
    return theme.DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else theme.LIGHT


def explain(axes: Axes, *style: str, label: str, **options: object) -> None:
    """Add an empty line that only the legend shows."""
    axes.plot([], [], *style, label=label, **options)


def legend_above(axes: Axes, columns: int = 1) -> None:
    """Put the legend above a panel, where it covers nothing."""
    axes.legend(fontsize=TINY, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns)


def headline(figure: Figure, text: str) -> None:
    """Say in small letters, top left, what was run."""
    figure.suptitle(text, fontsize=SMALL, x=0.01, ha="left")


def seeds(n: int) -> str:
    """Return "1 seed each" or "2 seeds each"."""
    return f"{n} seed{'' if n == 1 else 's'} each"
