"""Figures of how errors fall, or do not, with the number of training points."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reluquant.structures.approximation import ApproximationStudy, RandomLabelStudy, TrainingRuns
from reluquant.views import theme

# A shape says whether a run fitted its data: a circle if so, a cross if it was stuck or did not rest.
FITTED, STUCK = "o", "x"
DASHES = (0, (5, 3))


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
        style = {"color": theme.MUTED, "lw": theme.THIN, "ls": DASHES}
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
    wrong.axhline(0.5, color=theme.MUTED, lw=theme.THIN, ls=DASHES, label="chance")
    wrong.set(ylim=(0.0, 1.0), ylabel="share of fresh labels guessed wrong")
    _draw_runs(loss, study, study.loss)
    loss.set(yscale="log", ylabel="training loss at the end")
    _finish(figure, (wrong, loss), study, "random labels")
    return figure


def _panels(study: TrainingRuns, n: int) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(4.2 * n, 4.4), layout="constrained", facecolor=theme.PAPER)
    panels = figure.subplots(1, n)
    for axes in panels:
        axes.set(xscale="log", xlabel="training points n")
        axes.set_xticks(study.n_points, labels=study.n_points, minor=False)
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
    return figure, panels


def _draw_means(axes: Axes, study: TrainingRuns, name: str, digits: int) -> None:
    """Draw the geometric mean over the seeds for networks and interpolants, and each network's run."""
    styles = {"network": (theme.INK, theme.NETWORK_WIDTH), "interpolant": (theme.INTERPOLANT, theme.INTERPOLANT_WIDTH)}
    for who, (colour, width) in styles.items():
        values = getattr(study, f"{who}_{name}")
        there = values > 0
        count = there.sum(axis=1)
        logs = np.log(np.where(there, values, 1.0)).sum(axis=1) / np.maximum(count, 1)
        value, error = study.slope(f"{who}_{name}")
        spread = "" if np.isnan(error) else f" ± {error:.{digits}f}"
        label = f"{who}: slope {value:.{digits}f}{spread}"
        known = count > 0
        axes.plot(study.n_points[known], np.exp(logs[known]), color=colour, lw=width, label=label)
    _draw_runs(axes, study, getattr(study, f"network_{name}"))


def _draw_runs(axes: Axes, study: TrainingRuns, values: np.ndarray) -> None:
    n = np.broadcast_to(study.n_points[:, None], values.shape)
    made, fitted = study.end != "", study.kind == "zero loss"
    for marker, mine in ((FITTED, made & fitted), (STUCK, made & ~fitted)):
        # An empty line that is not clipped has an endless extent, for which no layout is found.
        if mine.any():
            axes.plot(n[mine], values[mine], marker, color=theme.INK, ms=5, mfc="none", alpha=0.8, clip_on=False)


def _finish(figure: Figure, panels: tuple[Axes, ...], study: TrainingRuns, what: str) -> None:
    panels[-1].plot([], [], FITTED, color=theme.INK, ms=5, mfc="none", label="a run that fits its data")
    panels[-1].plot([], [], STUCK, color=theme.INK, ms=5, label="one that does not")
    for axes in panels:
        axes.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    seeds = "1 seed" if study.seed.shape[1] == 1 else f"{study.seed.shape[1]} seeds"
    title = f"{what}, {study.spacing} spacing, {study.n_neurons} neurons of scale {study.scale:g}, {seeds} each"
    figure.suptitle(title, fontsize=9, x=0.01, ha="left")
