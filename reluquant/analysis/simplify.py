"""The fewest breakpoints that still tell a piecewise-linear function."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from reluquant.analysis.compare import compare
from reluquant.analysis.corridor import crossing, fewest_lines
from reluquant.structures.arrays import real_array
from reluquant.structures.piecewise_linear import PiecewiseLinear

# The corridor is this much narrower than asked for, so that rounding does not leave it.
_MARGIN = 1e-9
# The corridor of the first, thinning pass, relative to the tolerance.
_THINNING = 2.0**-10
# Halvings of the logarithm of the corridor's width between the thinning and the tolerance.
_HALVINGS = 8
# Numbers above _LARGE are divided by 2**_SHIFT: room for sums, differences and halved slopes.
_LARGE = 2.0**1000
_SHIFT = 40


def simplify(f: PiecewiseLinear, tolerance: float, *, region: ArrayLike | None = None) -> PiecewiseLinear:
    """Return a function with few breakpoints that stays within a tolerance of ``f``.

    A trained network has as many kinks as neurons, in few bunches: those that matter are counted
    by ``simplify(f, tolerance).n_breakpoints``.

    Parameters
    ----------
    f : PiecewiseLinear
        The function.
    tolerance : float
        Largest distance allowed, in the units of f's values; zero returns ``f``.
    region : (float, float), optional
        Where the distance counts. By default f's domain if that is bounded; else from its first
        to its last breakpoint, widened on both sides by their distance (by the size of the
        breakpoint, at least 1, if there is only one).

    Returns
    -------
    PiecewiseLinear
        With ``sup |f - g| ≤ tolerance`` on the region, checked by :func:`reluquant.compare`; the
        region is its domain. Its number of breakpoints is the least possible up to a corridor
        narrower by one part in a thousand, and its distance to ``f`` is close to the smallest
        that so many breakpoints allow, so bunches of kinks are replaced by one in their middle.

    Raises
    ------
    TypeError, ValueError
        If ``f`` is not a PiecewiseLinear, the tolerance is not a finite number ≥ 0, or the region
        is not an increasing finite pair.

    Notes
    -----
    A piecewise-linear g is within the tolerance iff it runs inside the corridor
    ``f ± tolerance``. Going right along a line that stays inside as long as any line can, and
    changing to the next such line where they cross, takes the fewest lines [1]_. It needs O(n)
    steps. The corridor is then narrowed as long as the number of lines stays the same.

    References
    ----------
    .. [1] Imai & Iri (1987), "An optimal algorithm for approximating a piecewise linear function",
       Journal of Information Processing 9(3).

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> kinks = 0.5 + 1e-9 * np.arange(100)              # one bunch of a hundred
    >>> net = rq.ShallowReLU(np.column_stack([np.ones(100), -kinks]), np.full(100, 0.01))
    >>> f = rq.piecewise_linear(net)
    >>> g = rq.simplify(f, 1e-6, region=(-1, 2))
    >>> f.n_breakpoints, g.n_breakpoints, round(float(g.breakpoints[0]), 6)
    (100, 1, 0.5)
    """
    if not isinstance(f, PiecewiseLinear):
        raise TypeError(f"simplify needs a PiecewiseLinear, but got {type(f).__name__}; see piecewise_linear(net).")
    width = real_array(tolerance, "tolerance", ndim=(0,)).item()
    if width < 0:
        raise ValueError(f"tolerance must not be negative, but it is {tolerance!r}.")
    low, high = _region(f, region)
    if width == 0 or f.n_breakpoints == 0 or low == high:
        return f
    thin = _thinned(f, width, (low, high))
    best = _narrowest(thin, width * (1 - _THINNING - _MARGIN), (low, high))
    for candidate in (best, thin):
        if compare(f, candidate, region=(low, high)).sup <= width:
            return candidate
    return f


def _region(f: PiecewiseLinear, region: ArrayLike | None) -> tuple[float, float]:
    if region is not None:
        ends = real_array(region, "region", ndim=(1,))
        if ends.size != 2 or ends[0] > ends[1]:
            raise ValueError(f"region must be two increasing numbers (low, high), but it is {region!r}.")
        return float(ends[0]), float(ends[1])
    if math.isfinite(f.domain[0]) and math.isfinite(f.domain[1]):
        return f.domain
    if f.n_breakpoints == 0:
        return f.domain
    first, last = float(f.breakpoints[0]), float(f.breakpoints[-1])
    widening = last - first if last > first else max(1.0, abs(first))
    limit = np.finfo(np.float64).max
    return max(first - widening, -limit), min(last + widening, limit)


def _thinned(f: PiecewiseLinear, width: float, region: tuple[float, float]) -> PiecewiseLinear:
    # 10,000 kinks in a few bunches leave a few dozen lines, on which the search below is cheap.
    thin = _fewest(f, width * _THINNING, region)
    return thin if compare(f, thin, region=region).sup <= width * (_THINNING + _MARGIN) else f


def _narrowest(f: PiecewiseLinear, width: float, region: tuple[float, float]) -> PiecewiseLinear:
    """Return the fewest lines for the width, in about the narrowest corridor that needs no more."""
    best = _fewest(f, width, region)
    low, high = math.log(width) + math.log(_THINNING), math.log(width)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        candidate = _fewest(f, math.exp(middle), region)
        if candidate.n_breakpoints <= best.n_breakpoints:
            best, high = candidate, middle
        else:
            low = middle
    return best


def _fewest(f: PiecewiseLinear, width: float, region: tuple[float, float]) -> PiecewiseLinear:
    """Return a function of fewest lines in the corridor of half-width ``width``; ``f`` if it leaves float64."""
    low, high = region
    nodes = np.r_[low, f.knots[(f.knots > low) & (f.knots < high)], high]
    heights = f(nodes)
    # Far-out numbers are brought in by a power of two, or differences would overflow.
    x_shift, y_shift = _shift(nodes), _shift(heights)
    x, y = np.ldexp(nodes, -x_shift), np.ldexp(heights, -y_shift)
    links = fewest_lines(x.tolist(), y.tolist(), math.ldexp(width, -y_shift))
    corners = [crossing(link, following.line) for link, following in pairwise(links)]
    anchor = corners or [(links[0].line.x, links[0].line.y)]
    with np.errstate(over="ignore"):
        knots, values = np.ldexp(np.array(anchor).T, [[x_shift], [y_shift]])
        slopes = np.ldexp([link.line.slope for link in links], y_shift - x_shift)
    slopes = slopes if corners else slopes[[0, 0]]
    if not (np.isfinite(knots).all() and np.isfinite(values).all() and np.isfinite(slopes).all()):
        return f
    return PiecewiseLinear(knots, values, slopes, knots if corners else knots[:0], domain=region)


def _shift(values: np.ndarray) -> int:
    return _SHIFT if np.abs(values).max() > _LARGE else 0
