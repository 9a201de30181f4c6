"""Figures of lazy, critical and condensed training."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from reluquant.structures.regimes import CRITICAL_EXPONENT, Measure, Phase, PhaseDiagram, ScaleSweep
from reluquant.views import theme
from reluquant.views.sheet import DASHES, SMALL, TINY, explain, headline, legend_above, palette, seeds, sheet

# Beyond ±1 the exponent only says once more how far from the boundary a start is.
STRONGEST_EXPONENT = 1.0
# Linear below, logarithmic above: an interpolating network is at a distance of 1e-10, which is zero to the eye.
SMALL_DISTANCE = 1e-2
MOST_TICKS = 10
# Lines to compare slopes with stand off the measured ones.
GUIDE_LIFT = 1.6
# A shape says the phase a second time, for readers without colours.
MARKERS = {Phase.LINEAR: "v", Phase.CRITICAL: "o", Phase.CONDENSED: "^"}
MEANINGS = {
    Phase.LINEAR: f"linear (lazy): S < -{CRITICAL_EXPONENT:g}",
    Phase.CRITICAL: f"critical: |S| ≤ {CRITICAL_EXPONENT:g}",
    Phase.CONDENSED: f"condensed: S > {CRITICAL_EXPONENT:g}",
}
# Ends near the paper: marks and lines in ink stay readable on them.
EXPONENT_ENDS = {theme.LIGHT: ("#56B4E9", "#F0A35E"), theme.DARK: ("#1f5f86", "#8f4f16")}
# The shades of widths, from narrow to wide, that stand out from the paper.
SHADES = {theme.LIGHT: (0.0, 0.9), theme.DARK: (1.0, 0.45)}


def scale_sweep_figure(sweep: ScaleSweep) -> Figure:
    """Draw relative change, number of directions and distance to the interpolant against the scale.

    Parameters
    ----------
    sweep : ScaleSweep
        What :func:`reluquant.scale_sweep` returned.

    Returns
    -------
    matplotlib.figure.Figure
        With no connection to pyplot.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.regime_figures import scale_sweep_figure
    >>> sweep = rq.scale_sweep(rq.datasets.zigzag(), scales=[1e-4, 1e-2, 1.0], n_neurons=50, n_seeds=2, rng=0)
    >>> len(scale_sweep_figure(sweep).axes)
    3
    """
    figure, panels = sheet(7.2, 7.0, 3, 1, sharex=True)
    colours = palette()
    labels = {
        Measure.LOG10_RD: "log₁₀ RD\n(change of input weights)",
        Measure.N_DIRECTIONS: "directions with\n99 % of the mass",
        Measure.SUP: "sup distance to\nthe interpolant",
    }
    x = np.log10(sweep.scales)
    for axes, (measure, label) in zip(panels, labels.items(), strict=True):
        values = _finite(getattr(sweep, measure))
        axes.plot(x, values, "o", color=colours.muted, ms=4, mec="none", alpha=0.8, clip_on=False)
        axes.plot(x, _finite(sweep.mean(measure)), color=colours.ink, lw=1.8)
        axes.axvline(-0.5 * np.log10(sweep.n_neurons), color=colours.interpolant, lw=1.4, ls=DASHES)
        axes.set_ylabel(label)
    panels[0].axhline(0.0, color=colours.muted, lw=0.8)
    panels[1].set_yscale("log")
    panels[2].set_yscale("symlog", linthresh=SMALL_DISTANCE)
    panels[2].set_ylim(bottom=0)
    panels[2].set_xlabel("log₁₀ scale of the start")
    explain(panels[0], "o", color=colours.muted, ms=4, label="one run")
    explain(panels[0], color=colours.ink, lw=1.8, label="mean")
    explain(panels[0], color=colours.interpolant, lw=1.4, ls=DASHES, label="γ = 1: width · scale² = 1")
    figure.legend(fontsize=TINY, frameon=False, loc="outside lower center", ncols=3)
    panels[0].set_title(_title(sweep, f"{sweep.n_neurons} neurons"), fontsize=SMALL, loc="left")
    return figure


def phase_diagram_figure(diagram: PhaseDiagram) -> Figure:
    """Draw the exponent of the relative change over width and scale with its phases, and the relative change itself.

    Parameters
    ----------
    diagram : PhaseDiagram
        What :func:`reluquant.phase_diagram` returned.

    Returns
    -------
    matplotlib.figure.Figure
        With no connection to pyplot.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.regime_figures import phase_diagram_figure
    >>> found = rq.phase_diagram(rq.datasets.zigzag(), scales=[0.01, 0.1, 1.0], widths=[20, 40], n_seeds=1, rng=0)
    >>> figure = phase_diagram_figure(found)
    """
    figure, (left, right) = sheet(11.0, 5.0, 1, 2, width_ratios=[1.15, 1.0])
    _draw_exponent(figure, left, diagram)
    _draw_collapse(right, diagram)
    unequal = f", γ' = {diagram.gamma_prime:g}" if diagram.gamma_prime else ""
    headline(figure, _title(diagram, f"{diagram.widths.size} widths{unequal}"))
    return figure


def _draw_exponent(figure: Figure, axes: Axes, diagram: PhaseDiagram) -> None:
    x, y = np.log10(diagram.widths), np.log10(diagram.scales)
    colours = palette()
    low, high = EXPONENT_ENDS[colours]
    shades = LinearSegmentedColormap.from_list("exponent", [low, colours.paper, high])
    cells = axes.pcolormesh(
        x, y, np.ma.masked_invalid(diagram.exponent), cmap=shades, shading="nearest",
        vmin=-STRONGEST_EXPONENT, vmax=STRONGEST_EXPONENT,
    )  # fmt: skip
    figure.colorbar(cells, ax=axes, extend="both", label="S = d log RD / d log m at constant γ")
    across, up = np.meshgrid(x, y)
    found = diagram.phase
    for phase, marker in MARKERS.items():
        mine = found == phase
        axes.plot(across[mine], up[mine], marker, color=colours.ink, ms=5, ls="none", clip_on=False)
        explain(axes, marker, color=colours.ink, ms=5, ls="none", label=MEANINGS[phase])
    low, high, bottom, top = *axes.get_xlim(), *axes.get_ylim()
    line = np.array([low, high])
    boundary = f"γ = {diagram.critical_gamma:g}: the boundary for m → ∞"
    axes.plot(line, -0.5 * diagram.critical_gamma * line, color=colours.ink, lw=1.8, ls=DASHES, label=boundary)
    axes.set_xticks(x[:: 1 + x.size // MOST_TICKS], labels=diagram.widths[:: 1 + x.size // MOST_TICKS])
    axes.set(xlim=(low, high), ylim=(bottom, top), xlabel="width m (log scale)", ylabel="log₁₀ scale")
    axes.spines[["top", "right"]].set_visible(True)
    legend_above(axes, columns=2)


def _draw_collapse(axes: Axes, diagram: PhaseDiagram) -> None:
    colours, log_rd = palette(), _finite(diagram.mean(Measure.LOG10_RD))
    product = np.log10(diagram.widths) + 2.0 * np.log10(diagram.scales)[:, None]
    shades = colormaps["cividis"](np.linspace(*SHADES[colours], diagram.widths.size))
    for i, width in enumerate(diagram.widths):
        style = {"marker": "osD^vP"[i % 6], "ms": 4, "lw": 1.2, "color": shades[i]}
        axes.plot(product[:, i], log_rd[:, i], label=f"m = {width}", **style)
    axes.axhline(0.0, color=colours.muted, lw=0.8)
    if diagram.gamma_prime == 0:
        low, high = min(np.min(product), 0.0), max(np.max(product), 0.0)
        axes.axvline(0.0, color=colours.ink, lw=1.4, ls=DASHES, label="γ = 1")
        guide = {"color": colours.interpolant, "lw": 1.4}
        axes.plot([low, 0.0], [-0.5 * low + GUIDE_LIFT, GUIDE_LIFT], label="slope -1/2", **guide)
        axes.plot([0.0, high], [GUIDE_LIFT, GUIDE_LIFT - high], ls=":", label="slope -1", **guide)
    axes.set(xlabel="log₁₀ (width · scale²)", ylabel="log₁₀ RD")
    axes.legend(fontsize=TINY, frameon=False, ncols=1 if diagram.widths.size <= 8 else 2)


def _title(runs: ScaleSweep | PhaseDiagram, what: str) -> str:
    name = f"{runs.name}, " if runs.name else ""
    kind = f"mirrored {runs.start} starts" if runs.mirrored else f"{runs.start} starts"
    return f"{name}{what}, {kind}, {seeds(runs.n_seeds)}"


def _finite(values: np.ndarray) -> np.ndarray:
    """A run in which nothing moved has log RD = -inf, and no place on an axis."""
    return np.where(np.isfinite(values), values, np.nan)
