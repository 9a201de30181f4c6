"""Figures of how errors fall, or do not, with the number of training points."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reluquant.structures.approximation import ApproximationStudy, RandomLabelStudy, TrainingRuns
from reluquant.views import theme
from reluquant.views.sheet import DASHES, explain, headline, legend_above, palette, seeds, sheet

# A shape says whether a run fitted its data: a circle if so, a cross if it was stuck or did not rest.
FITTED, STUCK = "o", "x"


def approximation_figure(study: ApproximationStudy) -> Figure:
    """Draw the errors of networks and interpolants and the training loss against the number of points.

    Parameters
    ----------
    study : ApproximationStudy
        What :func:`reluquant.approximation_study` returned.

    Returns
    -------
    matplotlib.figure.Figure
        With no connection to pyplot.

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> from reluquant.views.approximation_figures import approximation_figure
    >>> study = rq.approximation_study(np.cos, n_points=[4, 8], n_neurons=30, n_seeds=1, rng=0)
    >>> len(approximation_figure(study).axes)
    3
    """
    figure, (sup, l2, loss) = _panels(study, 3)
    for axes, norm, label in ((sup, "sup", "sup distance to the target"), (l2, "l2", "L2 distance to the target")):
        _draw_means(axes, study, norm, 2)
        axes.set(yscale="log", ylabel=label)
    if study.curvature is not None:
        bound = np.nanmax(np.where(np.isnan(study.bound), -np.inf, study.bound), axis=1)
        known = np.isfinite(bound)
        style = {"color": palette().muted, "lw": theme.THIN, "ls": DASHES}
        formula = "M h²/8" if np.ndim(study.region) == 1 else "M R²/2"
        sup.plot(study.n_points[known], bound[known], label=f"{formula}: bound of the interpolant", **style)
    _draw_runs(loss, study, study.loss)
    loss.set(yscale="log", ylabel="training loss at the end")
    _finish(figure, (sup, l2, loss), study, "smooth target")
    return figure


def random_label_figure(study: RandomLabelStudy) -> Figure:
    """Draw the share of wrong guesses of fresh random labels and the training loss against the number of points.

    Parameters
    ----------
    study : RandomLabelStudy
        What :func:`reluquant.random_label_study` returned.

    Returns
    -------
    matplotlib.figure.Figure
        With no connection to pyplot.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.views.approximation_figures import random_label_figure
    >>> study = rq.random_label_study(n_points=[4, 8], n_neurons=30, n_seeds=1, rng=0)
    >>> len(random_label_figure(study).axes)
    2
    """
    figure, (wrong, loss) = _panels(study, 2)
    _draw_means(wrong, study, "wrong", 3)
    wrong.axhline(0.5, color=palette().muted, lw=theme.THIN, ls=DASHES, label="chance")
    wrong.set(ylim=(0.0, 1.0), ylabel="share of fresh labels guessed wrong")
    _draw_runs(loss, study, study.loss)
    loss.set(yscale="log", ylabel="training loss at the end")
    _finish(figure, (wrong, loss), study, "random labels")
    return figure


def _panels(study: TrainingRuns, n: int) -> tuple[Figure, list[Axes]]:
    figure, panels = sheet(4.2 * n, 4.4, 1, n)
    for axes in panels:
        axes.set(xscale="log", xlabel="training points n")
        axes.set_xticks(study.n_points, labels=study.n_points, minor=False)
        axes.minorticks_off()
    return figure, panels


def _draw_means(axes: Axes, study: TrainingRuns, name: str, digits: int) -> None:
    """Draw the geometric mean over the seeds for networks and interpolants, and each network's run."""
    colours = palette()
    styles = {
        "network": (colours.ink, theme.NETWORK_WIDTH),
        "interpolant": (colours.interpolant, theme.INTERPOLANT_WIDTH),
    }
    for who, (colour, width) in styles.items():
        mean = study.mean(f"{who}_{name}")
        known = ~np.isnan(mean)
        value, error = study.slope(f"{who}_{name}")
        spread = "" if np.isnan(error) else f" ± {error:.{digits}f}"
        label = f"{who}: slope {value:.{digits}f}{spread}"
        axes.plot(study.n_points[known], mean[known], color=colour, lw=width, label=label)
    _draw_runs(axes, study, getattr(study, f"network_{name}"))


def _draw_runs(axes: Axes, study: TrainingRuns, values: np.ndarray) -> None:
    n = np.broadcast_to(study.n_points[:, None], values.shape)
    made, fitted = study.end != "", study.kind == "zero loss"
    for marker, mine in ((FITTED, made & fitted), (STUCK, made & ~fitted)):
        # An empty line that is not clipped has an endless extent, for which no layout is found.
        if mine.any():
            axes.plot(n[mine], values[mine], marker, color=palette().ink, ms=5, mfc="none", alpha=0.8, clip_on=False)


def _finish(figure: Figure, panels: tuple[Axes, ...], study: TrainingRuns, what: str) -> None:
    ink = palette().ink
    explain(panels[-1], FITTED, color=ink, ms=5, mfc="none", label="a run that fits its data")
    explain(panels[-1], STUCK, color=ink, ms=5, label="one that does not")
    for axes in panels:
        legend_above(axes)
    start = f"{study.n_neurons} neurons of scale {study.scale:g}"
    headline(figure, f"{what}, {study.spacing} spacing, {start}, {seeds(study.seed.shape[1])}")
