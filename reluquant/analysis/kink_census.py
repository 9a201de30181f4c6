"""Where a network of one input bends, counted against the bounds of the theory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reluquant.analysis.dead_share import dead_share
from reluquant.analysis.neuron_clusters import neuron_clusters
from reluquant.analysis.one_dimension import kinks, line_inputs, line_labels, line_neurons
from reluquant.analysis.piecewise_linear import piecewise_linear
from reluquant.analysis.sectors import activation_pattern
from reluquant.analysis.simplify import simplify
from reluquant.structures.arrays import Floats, frozen
from reluquant.structures.dataset import Dataset
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.scalars import real_number
from reluquant.structures.shallow_relu import ShallowReLU

# Beyond the data a kink is about nothing given; this far, as a share of their hull, it still shows in a picture.
_MARGIN = 0.5
# Weights of a sliding neuron are multiples of (1, -x_k), or of (-1, x_k), each rounded a few times.
_ROUNDING = 8 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KinkCensus:
    """The result of :func:`reluquant.kink_census`. Printing it gives a text.

    Parameters
    ----------
    inputs : ndarray, shape (n_inputs,)
        The different inputs of the data, ascending.
    region : (float, float)
        Where kinks are counted: the hull of the data and half as much again on both sides.
    tolerance : float
        What moves the function by less does not count; in the units of the labels.
    function : PiecewiseLinear
        The network's function on the region with the fewest breakpoints that the tolerance allows.
    kinks : ndarray, shape (n_groups,)
        Kinks of groups of neurons inside the region, ascending; a group whose bend the tolerance hides is left out.
        Two groups may share a kink: one is active on its right, the other on its left, or their signs differ.
    signs, sides : ndarray of int, shape (n_groups,)
        Signs of their output weights; 1 for groups that are active on the right, -1 on the left.
    on_data : ndarray of int, shape (n_groups,)
        Index into ``inputs`` of the one that is so close to the kink that the function could not tell; -1 for none.
    n_held : int
        Neurons of these groups whose kink is on a data point to the last digits of float64: they slide.
    per_gap : ndarray of int, shape (n_inputs + 1,)
        Number of these kinks in the open intervals: left of all inputs, between neighbours, right of all.
    dead, dead_at_random : float
        Share of the neurons that no sample activates, and of those at random directions.
    """

    inputs: Floats
    region: tuple[float, float]
    tolerance: float
    function: PiecewiseLinear
    kinks: Floats
    signs: NDArray[np.int64]
    sides: NDArray[np.int64]
    on_data: NDArray[np.int64]
    n_held: int
    per_gap: NDArray[np.int64]
    dead: float
    dead_at_random: float

    @property
    def n_breakpoints(self) -> int:
        """Number of breakpoints of the function."""
        return self.function.n_breakpoints

    @property
    def most_kinks(self) -> int:
        """The paper's bound ``2 n + 1``, n the number of different inputs."""
        return 2 * self.inputs.size + 1

    @property
    def most_groups(self) -> int:
        """The bound ``3 n - 1`` for one active group in each open sector and on each ray."""
        return 3 * self.inputs.size - 1

    def __str__(self) -> str:
        low, high = self.region
        lines = [
            f"{_count(self.n_breakpoints, 'breakpoint')} of the function on [{low:.4g}, {high:.4g}],"
            f" to within {self.tolerance:.2g};",
            f"{_count(self.kinks.size, 'group')} of neurons with a kink there:"
            f" {np.sum(self.on_data >= 0)} on data points, {np.sum(self.per_gap)} in gaps, at most"
            f" {np.max(self.per_gap)} in one.",
            f"Bounds for n = {self.inputs.size}: 2 n + 1 = {self.most_kinks} in the paper,"
            f" 3 n - 1 = {self.most_groups} for groups of neurons.",
            f"Neurons of these groups held on a data point to the last digit: {self.n_held}.",
            f"Neurons that no sample activates: {self.dead:.1%}; of random directions {self.dead_at_random:.1%}.",
        ]
        if self.kinks.size:
            lines.append(f"  {'kink':>10}  {'sign of a':>9}  {'active':>6}  where")
        for x, sign, side, at in zip(self.kinks, self.signs, self.sides, self.on_data, strict=True):
            active = "right" if side > 0 else "left"
            lines.append(f"  {x:>10.6g}  {'+' if sign > 0 else '-':>9}  {active:>6}  {self._place(x, at)}")
        return "\n".join(lines)

    __repr__ = __str__

    def _place(self, x: float, at: int) -> str:
        if at >= 0:
            return f"on x = {self.inputs[at]:.6g}"
        right = int(np.searchsorted(self.inputs, x))
        if right == 0:
            return f"left of {self.inputs[0]:.6g}"
        if right == self.inputs.size:
            return f"right of {self.inputs[-1]:.6g}"
        return f"between {self.inputs[right - 1]:.6g} and {self.inputs[right]:.6g}"


def kink_census(net: ShallowReLU, data: Dataset, *, tolerance: float = 1e-3, angle: float = 1e-3) -> KinkCensus:
    """Count the kinks of a network against ``2 n + 1``, by gap, and on the data.

    Parameters
    ----------
    net : ShallowReLU
        One input with bias, one output; such as ``traj.final``.
    data : Dataset
        What it was trained on.
    tolerance : float, default 1e-3
        What moves the function by less than this share of the range of the labels does not count.
    angle : float, default 1e-3
        Neurons of one sign are one group if their directions are this close, as in :func:`reluquant.neuron_clusters`.

    Returns
    -------
    KinkCensus
        ``.n_breakpoints``, ``.kinks``, ``.on_data``, ``.per_gap``, ``.n_held``, ``.dead``, ``.most_kinks``,
        ``.most_groups``; a text with ``print``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what is described here.

    Notes
    -----
    The paper's bound counts n data points and n + 1 open intervals. It does not follow that an interval holds at most
    one kink: for ``y = |x| + 0.2`` at x = ±2, ±3 the gap in the middle ends with two. Both numbers are reported.

    References
    ----------
    Maennel, Bousquet & Gelly (2018), arXiv:1803.08367, section 5.

    Examples
    --------
    >>> import reluquant as rq
    >>> data = rq.Dataset([-3.0, -2.0, 2.0, 3.0], [3.2, 2.2, 2.2, 3.2], name="two kinks in a gap")
    >>> net = rq.ShallowReLU([[1.0, -1.0], [-1.0, -1.0], [0.0, 1.2]], [1.0, 1.0, 1.0])
    >>> census = rq.kink_census(net, data)
    >>> census.kinks, census.per_gap, census.most_kinks
    (array([-1.,  1.]), array([0, 0, 2, 0, 0]), 9)
    """
    x, y = line_inputs(data, "kink_census"), line_labels(data, "kink_census")
    w, b, _ = line_neurons(net, "kink_census")
    width = real_number(tolerance, "tolerance", above=0) * float(np.ptp(y) or np.max(np.abs(y)) or 1.0)
    inputs = np.unique(x)
    margin = _MARGIN * float(np.ptp(inputs) or max(1.0, abs(inputs[0])))
    region = float(inputs[0] - margin), float(inputs[-1] + margin)
    clusters = neuron_clusters(net, angle=angle)
    kink, mass = clusters.kink, clusters.mass
    slope = mass * np.abs(clusters.direction[:, 0])
    # How far a kink lifts the function off the line on its other side, where it is the shorter one.
    with np.errstate(invalid="ignore"):
        lift = slope * np.minimum(kink - region[0], region[1] - kink)
    counted = np.flatnonzero(lift > width)
    counted = counted[np.argsort(kink[counted], kind="stable")]
    nearest = np.argmin(np.abs(kink[counted][:, None] - inputs), axis=1)
    # Moving a kink by δ changes the function by its slope times δ.
    close = slope[counted] * np.abs(kink[counted] - inputs[nearest]) <= width
    on_data = np.where(close, nearest, -1)
    in_gaps = np.searchsorted(inputs, kink[counted][~close])
    mine = np.isin(clusters.labels, counted)
    places = kinks(w[mine], b[mine])[:, None]
    return KinkCensus(
        inputs=frozen(inputs),
        region=region,
        tolerance=width,
        function=simplify(piecewise_linear(net), width, region=region),
        kinks=frozen(kink[counted]),
        signs=frozen(clusters.sign[counted], np.int64),
        sides=frozen(np.sign(clusters.direction[counted, 0]), np.int64),
        on_data=frozen(on_data, np.int64),
        n_held=int(np.sum(np.any(np.abs(places - inputs) <= _ROUNDING * np.abs(inputs), axis=1))),
        per_gap=frozen(np.bincount(in_gaps, minlength=inputs.size + 1), np.int64),
        dead=float(np.sum(~np.any(activation_pattern(net.W, data) > 0, axis=1))) / max(1, net.n_neurons),
        dead_at_random=dead_share(data).value,
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
