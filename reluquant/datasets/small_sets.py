"""The small sets of the theory, on the line and in the plane: they fit on a blackboard."""

from __future__ import annotations

import math

import numpy as np

from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import whole_number

# Irrational turns per sample: the offsets of `zigzag` never repeat and never align.
_GOLDEN_RATIO = (1 + math.sqrt(5)) / 2
_SILVER_RATIO = 1 + math.sqrt(2)
# How far `zigzag` moves inputs, in gaps, and labels, relatively: visible in no picture, enough to
# break every tie of a grid.
_MOVE_INPUT = 0.15
_MOVE_LABEL = 0.2


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
    stationary point. What it lacks are escape neurons: of direction (±1, 0) with a > 0, which would grow at
    the rate 0.07.

    Parameters
    ----------
    n_samples : int, default 5
        At least 2.

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    References
    ----------
    Wu, Simsek & Ged (2025), arXiv:2402.05626: a stationary point without escape neurons is a local minimum.

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

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

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

    It is the least-squares line ``-4/65 x + 251/390``, however wide the network.

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


def five_points() -> Dataset:
    """Five points on which a small start passes a saddle that is not differentiable, and ends at a local minimum.

    Returns
    -------
    Dataset

    Notes
    -----
    Neurons with a > 0 wake first, come to the boundary of the last sample and stay there: the loss has no gradient from
    then on. They fit ``f = 231/2690 relu(0.7 - x)``, loss 50749/3362500, and rest. Yet tiny neurons with a < 0 that see
    all samples grow, in the direction ``(0.57, 0.82)`` and at the rate 0.0343417: they are the escape neurons of this
    saddle. With them the network fits the least-squares line ``-693/4630 x + 1067/46300``, loss 16139/1157500. In other
    directions tiny neurons would still grow, but none is left there: those that are not part of the line see no sample,
    and without escape neurons a stationary point is a local minimum (docs/theory.md).

    References
    ----------
    Wu, Simsek & Ged (2025), arXiv:2402.05626, figure 3, whose three plateaus these are. The points are those of the
    code that the authors publish for it (github.com/ZhengqingUUU/relu_like_NN_loss_landscape), which ends at the mean
    square 0.0278860, twice our loss; fractions and rates are derived here.

    Examples
    --------
    >>> import reluquant as rq
    >>> limit = rq.greedy_limit(rq.datasets.five_points(), progress=False)
    >>> limit, [f"{step.loss_after:.7f}" for step in limit.steps]
    (GreedyLimit(steps=2, loss=0.013943, end='spurious'), ['0.0150926', '0.0139430'])
    """
    return Dataset([-1.0, -0.6, -0.1, 0.3, 0.7], [0.28, -0.1, 0.03, 0.23, -0.22], name="five points")


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


def xor() -> Dataset:
    """Exclusive or: the corners of a square without bias, labels ±1 by diagonal.

    Four directions attract, each along a diagonal, at the same rate; all wake at ``τ = 2√2``, and the loss is zero at
    ``f = ½ (|x_1 + x_2| - |x_1 - x_2|)``.

    Returns
    -------
    Dataset

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.greedy_limit(rq.datasets.xor(), progress=False).taus.round(6)
    array([2.828427])
    """
    corners = [[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]
    return Dataset(corners, [1.0, 1.0, -1.0, -1.0], bias=False, name="exclusive or")
