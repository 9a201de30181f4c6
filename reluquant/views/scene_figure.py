"""A scene on paper: a matplotlib figure."""

from __future__ import annotations

from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from reluquant.views.scene import Area, Dots, Label, Line, Mark, Panel, Raster, Scene
from reluquant.views.sheet import palette

# Pixels of the page to inches and to points of the paper.
PER_INCH, POINT = 100.0, 0.72
# In pixels: a line of the sentence above, a row and a column of the legend below; characters of the sentence a pixel.
SENTENCE_LINE, LEGEND_ROW, LEGEND_COLUMN, CHARACTERS = 17, 17, 150, 0.14
MARKERS = {"disc": "o", "diamond": "d", "square": "s", "cross": "x", "up": "|", "down": "|"}


def scene_figure(scene: Scene) -> Figure:
    """Draw a scene.

    Parameters
    ----------
    scene : Scene
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
        With no connection to pyplot: save it with ``figure.savefig("scene.svg")``.

    Examples
    --------
    >>> from reluquant.views.scene import Line, Panel, Scene
    >>> from reluquant.views.scene_figure import scene_figure
    >>> panel = Panel("function", (0.0, 1.0), (0.0, 1.0), (Line([0.0, 1.0], [0.0, 1.0], label="network"),))
    >>> len(scene_figure(Scene(((panel,),))).axes)
    1
    """
    figure = Figure(facecolor=_colour("paper"), dpi=PER_INCH)
    draw_scene(figure, scene)
    return figure


def draw_scene(figure: Figure, scene: Scene) -> None:
    """Draw a scene into a figure, in place of what it holds, and fit the figure's size to it."""
    figure.clear()
    width = max(sum(panel.width for panel in row) for row in scene.rows)
    heights = [max(panel.height for panel in row) for row in scene.rows]
    legend = scene.legend()
    lines = wrap(scene.sentence, max(20, int(width * CHARACTERS)))
    columns = max(1, width // LEGEND_COLUMN)
    top = SENTENCE_LINE * len(lines) + 8
    whole = top + sum(heights) + LEGEND_ROW * -(-len(legend) // columns) + 8
    figure.set_size_inches(width / PER_INCH, whole / PER_INCH)
    for row, height in zip(scene.rows, heights, strict=True):
        left = 0
        for panel in row:
            x, y, w, h = panel.plot_area()
            box = [(left + x) / width, 1 - (top + y + h) / whole, w / width, h / whole]
            _draw_panel(figure.add_axes(box), panel)
            left += panel.width
        top += height
    figure.text(0.01, 1 - 6 / whole, "\n".join(lines), fontsize=8.5, va="top", color=_colour("ink"))
    if legend:
        handles = [_handle(label, mark) for label, mark in legend.items()]
        figure.legend(
            handles=handles, loc="lower center", ncols=min(columns, len(handles)), fontsize=7.5, frameon=False,
            handlelength=1.8, columnspacing=1.2, borderaxespad=0.1,
        )  # fmt: skip


def _draw_panel(axes: Axes, panel: Panel) -> None:
    axes.set(xlim=panel.x_range, ylim=panel.y_range)
    axes.set_title(panel.title, fontsize=9, color=_colour("ink"))
    if panel.axes:
        across, up = panel.ticks()
        axes.set_xticks(list(across), list(across.values()), fontsize=8)
        axes.set_yticks(list(up), list(up.values()), fontsize=8)
        axes.set_xlabel(panel.x_label, fontsize=8, labelpad=1)
        axes.set_ylabel(panel.y_label, fontsize=8, labelpad=1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_facecolor("none")
    else:
        axes.set_axis_off()
    for order, mark in enumerate(panel.marks, start=2):
        _DRAW[type(mark)](axes, mark, order)


def _draw_line(axes: Axes, mark: Line, order: int) -> None:
    axes.plot(
        mark.x, mark.y, color=_colour(mark.colour), lw=mark.width * POINT, alpha=mark.opacity,
        ls=(0, (5, 3)) if mark.dashed else "-", zorder=order, label=mark.label,
    )  # fmt: skip


def _draw_dots(axes: Axes, mark: Dots, order: int) -> None:
    colour, area = _colour(mark.colour), np.broadcast_to(np.asarray(mark.area, float), np.shape(mark.x))
    if mark.shape in ("up", "down"):
        # Ticks grow from their point, in pixels.
        length = 2 * np.sqrt(area / np.pi) * POINT * (1 if mark.shape == "up" else -1)
        for x, y, tall in zip(mark.x, mark.y, length, strict=True):
            axes.annotate(
                "", (x, y), (0, tall), textcoords="offset points", zorder=order,
                arrowprops={"arrowstyle": "-", "color": colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0},
            )  # fmt: skip
        return
    style = {"label": mark.label, "marker": MARKERS[mark.shape], "alpha": mark.opacity}
    style |= {"s": area * POINT**2, "zorder": order, "clip_on": False}
    if mark.shape == "cross":
        axes.scatter(mark.x, mark.y, color=colour, linewidths=1.6, **style)
    elif mark.hollow:
        axes.scatter(mark.x, mark.y, facecolor=_colour("paper"), edgecolor=colour, linewidths=1.5, **style)
    else:
        axes.scatter(mark.x, mark.y, facecolor=colour, edgecolor=_colour("paper"), linewidths=0.8, **style)


def _draw_area(axes: Axes, mark: Area, order: int) -> None:
    colour = _colour(mark.colour)
    polygons = [np.asarray(polygon, dtype=float) for polygon in mark.polygons]
    if mark.edge:
        axes.add_collection(PolyCollection(polygons, facecolor="none", edgecolor=colour, lw=mark.edge, zorder=order))
    axes.add_collection(PolyCollection(polygons, facecolor=colour, alpha=mark.opacity, lw=0, zorder=order))


def _draw_label(axes: Axes, mark: Label, order: int) -> None:
    side = {"start": "left", "middle": "center", "end": "right"}[mark.anchor]
    halo = [withStroke(linewidth=2, foreground=_colour("paper"))] if mark.halo else []
    axes.text(
        mark.x, mark.y, mark.text, color=_colour(mark.colour), fontsize=mark.size * POINT, ha=side, va="center",
        zorder=order, path_effects=halo,
    )  # fmt: skip


def _draw_raster(axes: Axes, mark: Raster, order: int) -> None:
    limits = axes.get_xlim(), axes.get_ylim()
    axes.imshow(mark.rgba, extent=(*mark.x_range, *mark.y_range), aspect="auto", zorder=order, interpolation="nearest")
    axes.set(xlim=limits[0], ylim=limits[1])


_DRAW = {Line: _draw_line, Dots: _draw_dots, Area: _draw_area, Label: _draw_label, Raster: _draw_raster}


def _colour(name: str) -> str:
    """The colour of that name on the paper of the current matplotlib style."""
    return getattr(palette(), name)


def _handle(label: str, mark: Mark) -> Line2D | Patch:
    colour = _colour(mark.colour)
    if isinstance(mark, Area):
        return Patch(facecolor=colour, alpha=mark.opacity, label=label)
    if isinstance(mark, Line):
        dash = (0, (5, 3)) if mark.dashed else "-"
        return Line2D([], [], color=colour, ls=dash, lw=mark.width * POINT, alpha=mark.opacity, label=label)
    fill = "none" if mark.hollow else "full"
    return Line2D([], [], color=colour, ls="", marker=MARKERS[mark.shape], fillstyle=fill, ms=6, label=label)
