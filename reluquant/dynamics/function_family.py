"""The finitely many functions in which training from a vanishing initialisation ends."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from reluquant.analysis.compare import Comparison, compare
from reluquant.analysis.interpolate import interpolate
from reluquant.analysis.one_dimension import line_inputs, line_labels
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.analysis.simplify import simplify
from reluquant.dynamics.greedy_limit import GreedyLimit, greedy_limit, populated
from reluquant.dynamics.progress import Progress
from reluquant.dynamics.sweep import sweep
from reluquant.structures.dataset import Dataset
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.scalars import Rng, generator, whole_number
from reluquant.structures.shallow_relu import ShallowReLU

# Outcomes that differ by less than this share of the largest label, on the hull of the data, are one function: flows
# come to rest within a relative tolerance of 1e-9 of the fastest rate, and where the slowest is 10^5 times slower the
# function is that much less certain.
SAME_FUNCTION = 1e-4


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FamilyMember:
    """One of the functions, and who leads to it.

    Attributes
    ----------
    limit : GreedyLimit
        One of the limits that end in it.
    function : PiecewiseLinear
        What it computes.
    subsets : tuple of tuple of int
        The sets J of directions, as indices into ``FunctionFamily.present``, from which it arises.
    count : int
        How many of the random draws end in it.
    n_kinks : int
        Kinks of its neurons, groups of equal direction counted once.
    n_breakpoints : int
        Places in the hull of the data where its slope changes.
    distance : Comparison
        From the linear interpolant of the data, on their hull.
    """

    limit: GreedyLimit
    function: PiecewiseLinear
    subsets: tuple[tuple[int, ...], ...]
    count: int
    n_kinks: int
    n_breakpoints: int
    distance: Comparison

    @property
    def loss(self) -> float:
        """Its loss."""
        return self.limit.loss

    def __repr__(self) -> str:
        return (
            f"FamilyMember(loss={self.loss:.6g}, n_breakpoints={self.n_breakpoints},"
            f" subsets={len(self.subsets)}, count={self.count}, end={self.limit.end!r})"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FunctionFamily:
    """The result of :func:`reluquant.function_family`; a sequence of its members, the least loss first.

    Attributes
    ----------
    data : Dataset
        What is learnt.
    present : ShallowReLU
        One neuron of norm about one for each direction that neurons can be present in.
    members : tuple of FamilyMember
        All functions.
    n_draws : int
        Number of random networks that were followed.
    """

    data: Dataset
    present: ShallowReLU
    members: tuple[FamilyMember, ...]
    n_draws: int

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, i: int) -> FamilyMember:
        return self.members[i]

    def __iter__(self) -> Iterator[FamilyMember]:
        return iter(self.members)

    def __repr__(self) -> str:
        return f"FunctionFamily(functions={len(self)}, directions={self.present.n_neurons}, draws={self.n_draws})"


def function_family(
    data: Dataset,
    *,
    draws: int = 0,
    n_neurons: int = 100,
    rng: Rng = None,
    most: int = 4096,
    executor: Executor | None = None,
    progress: Progress = True,
) -> FunctionFamily:
    r"""Find every function in which a vanishing initialisation can end: f_J for each subset J of the directions.

    Parameters
    ----------
    data : Dataset
        One input with a bias, one output.
    draws : int, default 0
        Follow this many random networks too, and count where they end.
    n_neurons : int, default 100
        Their width.
    rng : int, numpy.random.Generator or None
        Their source of randomness.
    most : int, default 4096
        Largest number of subsets to go through.
    executor : concurrent.futures.Executor, optional
        Where the limits are computed, as for :func:`reluquant.sweep`.
    progress : bool or callable, default True
        As for :func:`reluquant.sweep`.

    Returns
    -------
    FunctionFamily
        Each function once, with the subsets and the number of draws that lead to it.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here, or there are more than ``most`` subsets.

    Notes
    -----
    Neurons of one basin of the first plateau are one group for ever, so what counts is only which basins are populated
    and with which signs: 2^N outcomes for N basins at most, whatever the width. A random network of width m populates
    a basin of share p with probability 1 - (1 - p)^m. Each outcome is a :func:`reluquant.greedy_limit`. Two are the
    same function if they differ by less than 1e-4 of the largest label on the hull of the data.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 4: the functions f_J.

    Examples
    --------
    >>> import reluquant as rq
    >>> family = rq.function_family(rq.datasets.two_points(), draws=20, rng=0, progress=False)
    >>> len(family), family[0].n_breakpoints, sum(member.count for member in family)
    (4, 0, 20)
    """
    line_inputs(data, "function_family", bias=False)
    line_labels(data, "function_family")
    draws = whole_number(draws, "draws", least=0)
    present = populated(data)
    n = present.n_neurons
    if n >= 63 or 2**n > most:
        raise ValueError(
            f"The {n} directions of these data have 2^{n} subsets, more than most = {most};"
            " raise it, or take fewer samples."
        )
    subsets = list(chain.from_iterable(combinations(range(n), size) for size in range(n + 1)))
    random, width = generator(rng), whole_number(n_neurons, "n_neurons")
    nets = [_only(present, J) for J in subsets]
    nets += [ShallowReLU.balanced(n_neurons=width, scale=1.0, rng=random) for _ in range(draws)]
    runs = sweep(greedy_limit, data, nets, executor=executor, progress=progress)
    if runs.failures:
        raise next(iter(runs.failures.values()))
    # An interrupted sweep lacks some: the family is then what was found.
    found = [(J, limit) for J, limit in zip(subsets + [None] * draws, runs.results, strict=True) if limit is not None]
    return FunctionFamily(data, present, tuple(_members(data, found)), draws)


def _only(present: ShallowReLU, J: tuple[int, ...]) -> ShallowReLU:
    """The neurons of a subset; for the empty one a neuron that never moves."""
    if not J:
        return ShallowReLU(np.zeros((1, present.W.shape[1])), np.zeros(1))
    return ShallowReLU(present.W[list(J)], present.a[list(J)])


def _members(data: Dataset, found: list[tuple[tuple[int, ...] | None, GreedyLimit]]) -> list[FamilyMember]:
    """Each function once, the least loss first."""
    x = data.X[:, 0]
    chord = interpolate(data, duplicates="mean")
    width = SAME_FUNCTION * max(np.max(np.abs(data.y)), np.finfo(float).tiny)
    classes: list[list[tuple[tuple[int, ...] | None, GreedyLimit, PiecewiseLinear]]] = []
    for J, limit in sorted(found, key=lambda pair: pair[1].loss):
        function = piecewise_linear(limit.final)
        same = (c for c in classes if compare(function, c[0][2], region=(x.min(), x.max())).sup <= width)
        known = next(same, None)
        if known is None:
            classes.append(known := [])
        known.append((J, limit, function))
    return [
        FamilyMember(
            limit=members[0][1],
            function=members[0][2],
            subsets=tuple(sorted(J for J, _, _ in members if J is not None)),
            count=sum(J is None for J, _, _ in members),
            n_kinks=int(np.sum(members[0][1].final.W[:, 0] != 0)),
            n_breakpoints=simplify(members[0][2], width, region=(x.min(), x.max())).n_breakpoints,
            distance=compare(members[0][2], chord, region=(x.min(), x.max())),
        )
        for members in classes
    ]
