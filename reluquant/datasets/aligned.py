"""Data in several dimensions for which it is proved where all neurons turn to, and that the loss vanishes."""

from __future__ import annotations

import math

import numpy as np

from reluquant.datasets.cones import in_cone
from reluquant.structures.dataset import Dataset
from reluquant.structures.scalars import Rng, generator, real_number, whole_number

# Teacher and inputs of `teacher_neuron`: this share of the angle of the theorem, so that none is on its border.
_INSIDE = 0.95


def orthogonal(n_samples: int = 4, *, n_features: int | None = None, rng: Rng = None) -> Dataset:
    r"""Orthonormal inputs, labels of both signs: two groups of neurons, one after the other.

    Parameters
    ----------
    n_samples : int, default 4
        At least 2.
    n_features : int, optional
        At least ``n_samples``, which it is by default.
    rng : int, numpy.random.Generator or None
        Source of randomness of the labels.

    Returns
    -------
    Dataset
        ``X`` the first unit vectors, no bias; labels with sizes uniform in [0.5, 1.5] and alternating signs.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Notes
    -----
    Let ``D± = 1/n Σ y_k x_k`` over the samples with positive (negative) labels. Neurons that see all samples of
    their own sign turn to ``±D±`` and grow at the rate ``|D±|``, so that the groups wake at ``τ = 1/|D±|``, and
    each fits its half, with a saddle in between. The loss goes to zero, and of all interpolating networks the one
    reached has the least variation norm ``Σ |a_j| |w_j| = n (|D+| + |D-|)``. One random neuron in
    ``2^(m + 1)`` has the right sign and sees all of m samples, so the network must be that wide.

    References
    ----------
    Boursier, Pillaud-Vivien & Flammarion (2022), arXiv:2206.00939.

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> data = rq.datasets.orthogonal(rng=0)
    >>> halves = [np.linalg.norm(data.y[data.y * s > 0]) / data.n_samples for s in (1, -1)]
    >>> bool(np.allclose(rq.greedy_limit(data, progress=False).taus, np.sort(1 / np.array(halves))))
    True
    """
    whole_number(n_samples, "n_samples", least=2)
    n_features = n_samples if n_features is None else whole_number(n_features, "n_features", least=n_samples)
    signs = np.where(np.arange(n_samples) % 2 == 0, 1.0, -1.0)
    labels = signs * generator(rng).uniform(0.5, 1.5, n_samples)
    return Dataset(np.eye(n_samples, n_features), labels, bias=False, name="orthogonal")


def separable(n_samples: int = 10, *, n_features: int = 3, mu: float = 0.5, rng: Rng = None) -> Dataset:
    r"""Two classes of well correlated inputs, opposite to each other.

    Parameters
    ----------
    n_samples : int, default 10
        At least 2, every other one of each class.
    n_features : int, default 3
        At least 2.
    mu : float, default 0.5
        Between 0 and 1: ``y_i y_k x_i·x_k`` is at least ``mu``.
    rng : int, numpy.random.Generator or None
        Source of randomness.

    Returns
    -------
    Dataset
        Inputs of norm 1 without bias, labels ±1.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Notes
    -----
    From a small balanced start, under the exponential or the logistic loss, by a time of the order of
    ``log(n)/√mu`` (for the sum of the losses; n times that for their mean) every neuron is active on exactly the
    samples of one class, the one of its sign, or on none. From then on two linear networks are trained, the loss
    falls at least like 1/t and the stable rank ``Σ|W|² / ‖W‖²`` tends to at most 2.

    References
    ----------
    Min, Mallada & Vidal (2024), arXiv:2307.12851.

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> data = rq.datasets.separable(mu=0.3, rng=0)
    >>> signed = data.X * data.y[:, None]
    >>> bool(np.min(signed @ signed.T) >= 0.3)
    True
    """
    whole_number(n_samples, "n_samples", least=2)
    whole_number(n_features, "n_features", least=2)
    mu = real_number(mu, "mu", above=0, most=1)
    # Two vectors within half of this angle of the axis are within all of it of each other.
    widest = 0.5 * math.acos(mu)
    labels = np.where(np.arange(n_samples) % 2 == 0, 1.0, -1.0)
    inputs = labels[:, None] * in_cone(np.eye(n_features)[0], n_samples, widest, generator(rng))
    return Dataset(inputs, labels, bias=False, name="separable")


def teacher_neuron(n_samples: int = 5, *, n_features: int = 3, rng: Rng = None) -> Dataset:
    r"""Labels of one ReLU neuron, at inputs that are correlated with it.

    Parameters
    ----------
    n_samples : int, default 5
        At least 1; with ``n_features`` or more the data determine the teacher.
    n_features : int, default 3
        At least 2.
    rng : int, numpy.random.Generator or None
        Source of randomness.

    Returns
    -------
    Dataset
        Inputs without bias, of norms uniform in [0.5, 1.5], at angles below π/4 to the teacher
        ``(1, …, 1)/√n_features``; labels ``relu(teacher·x)``.

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range.

    Notes
    -----
    All inputs have acute angles with each other, so a neuron with a > 0 that sees one of them comes to see all, and
    there is one direction for it to turn to; one with a < 0 dies. From a small start the loss goes to zero at any width
    that has a neuron of the first kind, and the smaller the start, the closer to rank one are the weights.

    References
    ----------
    Chistikov, Englert & Lazić (2023), arXiv:2306.06479.

    Examples
    --------
    >>> import reluquant as rq
    >>> limit = rq.greedy_limit(rq.datasets.teacher_neuron(rng=0), progress=False)
    >>> limit.end, (limit.final.W * 3**0.5).round(5)
    ('zero loss', array([[1., 1., 1.]]))
    """
    whole_number(n_samples, "n_samples")
    whole_number(n_features, "n_features", least=2)
    draw = generator(rng)
    teacher = np.full(n_features, n_features**-0.5)
    inputs = in_cone(teacher, n_samples, _INSIDE * math.pi / 4, draw) * draw.uniform(0.5, 1.5, (n_samples, 1))
    return Dataset(inputs, inputs @ teacher, bias=False, name="teacher neuron")
