"""The pieces of a network of any depth on a segment or in a planar window of its inputs, accurate to rounding."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reluquant.kernels.deep_cells import ROUNDING, cut_by_layer, next_layer
from reluquant.structures.arrays import Floats, real_array
from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.piecewise_linear import PiecewiseLinear
from reluquant.structures.planar_pieces import PlanarPieces
from reluquant.structures.planar_slice import PlanarSlice
from reluquant.structures.shallow_relu import ShallowReLU

# Nodes of a segment closer than this, of its length 1, are one: kinks of several neurons at one place round apart.
_CLOSE = 16 * np.finfo(np.float64).eps
# Affine maps of so many neurons on cells are held at once: 24 MB.
_HELD = 2**20
# Cuts a mantissa of 53 bits into halves whose products are exact.
_SPLITTER = 134217729.0
_UNIT_SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])


def pieces_on_segment(net: ShallowReLU | DeepReLU, segment: tuple[ArrayLike, ArrayLike]) -> PiecewiseLinear:
    """Return ``t ↦ net(p + t (q - p))`` on [0, 1]; see :func:`reluquant.piecewise_linear`."""
    p, q = _points(net, segment, "segment", ("p", "q"))
    _check_one_output(net)
    layers = layers_of(net)
    W, b = layers[0]
    t = np.array([0.0, 1.0])
    # The first layer of a point far out is a small difference of large numbers; here it is rounded only once.
    z = np.stack([rounded_dots(W, p, b), rounded_dots(W, q, b)])
    sizes = np.zeros_like(z)
    with np.errstate(over="ignore", invalid="ignore"):
        for W, b in layers[1:]:
            t, h = _kinks(t, z, ROUNDING * sizes)
            z, sizes = h @ W.T + b, h @ np.abs(W.T) + np.abs(b)
        slopes, sizes = _slopes(layers, p, q - p, t)
    return _on_segment(t, z[:, 0], slopes, sizes)


def pieces_in_window(net: ShallowReLU | DeepReLU, window: tuple[ArrayLike, ArrayLike, ArrayLike]) -> PlanarPieces:
    """Return ``(s, t) ↦ net(o + s u + t v)`` on the unit square; see :func:`reluquant.piecewise_linear`."""
    _points(net, window, "window", ("origin", "u", "v"))
    _check_one_output(net)
    return slice_in_window(net, window).pieces


class TooManyRegions(ValueError):
    """A window holds more linear regions than were asked for at most."""


def slice_in_window(
    net: ShallowReLU | DeepReLU, window: tuple[ArrayLike, ArrayLike, ArrayLike], *, most: int | None = None
) -> PlanarSlice:
    """Return ``(s, t) ↦ net(o + s u + t v)`` on the unit square, with all outputs.

    Parameters
    ----------
    net : ShallowReLU or DeepReLU
        Any number of features and outputs.
    window : (array_like, array_like, array_like)
        A corner o and two sides u and v, each (n_features,).
    most : int, optional
        Regions to find at most; without it, as many as there are.

    Returns
    -------
    PlanarSlice
        Accurate to rounding, as a window of :func:`reluquant.piecewise_linear`.

    Raises
    ------
    TooManyRegions
        If there are more than ``most``, before much time or memory is spent on them.
    TypeError, ValueError
        If the window does not fit the network, or values exceed the float64 range.

    Examples
    --------
    >>> import reluquant as rq
    >>> from reluquant.analysis.deep_pieces import slice_in_window
    >>> net = rq.ShallowReLU([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5]], [[1.0, 0.0], [0.0, 2.0]])
    >>> found = slice_in_window(net, ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0]))
    >>> found, found([[0.75, 1.0]])
    (PlanarSlice(n_regions=4, n_outputs=2), array([[0.25, 1.  ]]))
    """
    o, u, v = _points(net, window, "window", ("origin", "u", "v"))
    layers = layers_of(net)
    W, b = layers[0]
    maps = np.stack([rounded_dots(W, o, b), W @ u, W @ v], axis=1)[None]
    sizes = np.abs(maps).sum(axis=2)
    if most is not None and len(layers) > 1:
        # The first layer is cut at one go, so what comes of it is counted before.
        _check_count(n_cells_of_lines(maps[0], ROUNDING * sizes[0], most), most)
    cells = _UNIT_SQUARE[:, 0].copy(), _UNIT_SQUARE[:, 1].copy(), np.array([0, 4])
    cuts: list[tuple[Floats, NDArray[np.int64]]] = []
    leaves, n_regions = [], 0
    with np.errstate(over="ignore", invalid="ignore"):
        for leaf in _descend(layers, cells, maps, sizes, np.zeros((1, 0), dtype=bool), cuts):
            leaves.append(leaf)
            n_regions += len(leaf[3])
            _check_count(n_regions, most)
    x, y, ends, affine, patterns = (
        np.concatenate(column) if len(column) > 1 else column[0] for column in zip(*leaves, strict=True)
    )
    segments = np.concatenate([np.zeros((0, 4)), *(ends for ends, _ in cuts)])
    owners = np.concatenate([np.zeros(0, np.int64), *(neuron for _, neuron in cuts)])
    pieces = PlanarPieces(
        corners=np.column_stack([x, y]), starts=np.r_[0, np.cumsum(ends)], gradients=affine[:, 0, 1:],
        offsets=affine[:, 0, 0], origin=np.zeros(2), steps=patterns,
        groups=tuple(np.array([j]) for j in range(patterns.shape[1])), segments=segments.reshape(-1, 2, 2),
        segment_groups=owners, region=_UNIT_SQUARE, n_activation_regions=len(affine), n_pieces=None,
    )  # fmt: skip
    return PlanarSlice(pieces, affine)


def n_cells_of_lines(maps: Floats, rounding: Floats, most: int) -> int:
    """Return how many cells lines make of the unit square, or a number above ``most``.

    Parameters
    ----------
    maps : ndarray, shape (n_lines, 3)
        Line j is where ``maps[j] · (1, x, y)`` is zero.
    rounding : ndarray, shape (n_lines,)
        Values below it are zero.
    most : int
        More need not be counted.

    Returns
    -------
    int
        One, and one more for each line through the square and for each pair that meets in it; where three meet in a
        point that is too many.
    """
    values = maps[:, :1] + maps[:, 1:] @ _UNIT_SQUARE.T
    values[np.abs(values) <= rounding[:, None]] = 0.0
    values = values[(values.min(axis=1) < 0) & (values.max(axis=1) > 0)]
    if len(values) > most:
        return len(values) + 1
    # The place around the square, from 0 to 4, at which a line enters its negative side, and leaves it.
    following = np.roll(values, -1, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.arange(4) + values / (values - following)
    enters = np.where((values >= 0) & (following < 0), at, 0.0).sum(axis=1)
    leaves = np.where((values < 0) & (following >= 0), at, 0.0).sum(axis=1)
    low, high = np.minimum(enters, leaves), np.maximum(enters, leaves)
    count = 1 + len(values)
    for i in range(len(values)):
        # Two chords meet where their ends alternate.
        count += int(np.count_nonzero((low[i] < low) & (low < high[i]) & (high[i] < high)))
        if count > most:
            break
    return count


def _check_count(count: int, most: int | None) -> None:
    if most is not None and count > most:
        raise TooManyRegions(f"There are more than {most:,} linear regions in this window; choose a smaller one.")


def layers_of(net: ShallowReLU | DeepReLU) -> list[tuple[Floats, Floats]]:
    """Return weights and biases of all layers, also of a network that has only one of ReLU neurons."""
    if isinstance(net, DeepReLU):
        return list(zip(net.weights, net.biases, strict=True))
    W, b = (net.W[:, :-1], net.W[:, -1]) if net.bias else (net.W, np.zeros(net.n_neurons))
    a = net.a.reshape(net.n_neurons, -1).T
    return [(W, b), (a, np.zeros(len(a)))]


def _check_one_output(net: ShallowReLU | DeepReLU) -> None:
    if isinstance(net, DeepReLU) and net.n_outputs != 1:
        raise ValueError(
            f"piecewise_linear works for one output so far, but the network has {net.n_outputs}; make the last"
            " layer DeepReLU((*net.weights[:-1], net.weights[-1][[i]]), (*net.biases[:-1], net.biases[-1][[i]]))."
        )
    if isinstance(net, ShallowReLU) and net.a.ndim == 2 and net.a.shape[1] != 1:
        raise ValueError(
            f"piecewise_linear works for one output so far, but the network has {net.a.shape[1]};"
            " pass ShallowReLU(net.W, net.a[:, i]) for one of them."
        )


def _points(net: ShallowReLU | DeepReLU, given: tuple, what: str, names: tuple[str, ...]) -> list[Floats]:
    if not isinstance(given, tuple | list | np.ndarray) or len(given) != len(names):
        raise ValueError(f"{what} must be ({', '.join(names)}), {len(names)} points of {net.n_features} numbers each.")
    points = [real_array(point, f"{name} of {what}", ndim=(1,)) for point, name in zip(given, names, strict=True)]
    for point, name in zip(points, names, strict=True):
        if point.size != net.n_features:
            raise ValueError(
                f"{name} of {what} must have {net.n_features} numbers, one for each feature, but it has {point.size}."
            )
    return points


def rounded_dots(W: Floats, x: Floats, b: Floats) -> Floats:
    """Return W x + b, each rounded once."""
    product = W * x
    with np.errstate(over="ignore", invalid="ignore"):
        (W_high, W_low), (x_high, x_low) = _halves(W), _halves(x)
        rest = ((W_high * x_high - product) + W_high * x_low + W_low * x_high) + W_low * x_low
    rest = np.where(np.isfinite(rest), rest, 0.0)
    return np.array([math.fsum(row) for row in np.column_stack([product, rest, b]).tolist()])


def _halves(x: Floats) -> tuple[Floats, Floats]:
    c = _SPLITTER * x
    high = c - (c - x)
    return high, x - high


def _kinks(t: Floats, z: Floats, rounding: Floats) -> tuple[Floats, Floats]:
    """Return nodes with the kinks of neurons among them, and relu of the neurons there; z is linear between nodes."""
    z = np.where(np.abs(z) <= rounding, 0.0, z)
    i, j = np.nonzero(z[:-1] * np.sign(z[1:]) < 0)
    part = z[i, j] / (z[i, j] - z[i + 1, j])
    new = t[i] + part * (t[i + 1] - t[i])
    order = np.argsort(new, kind="stable")
    i, j, part, new = i[order], j[order], part[order], new[order]
    values = z[i] + part[:, None] * (z[i + 1] - z[i])
    # A neuron is zero at its own kink.
    values[np.arange(j.size), j] = 0.0
    nodes, values = np.r_[t, new], np.concatenate([z, values])
    order = np.argsort(nodes, kind="stable")
    nodes, values = nodes[order], values[order]
    # Where nodes coincide one of them stands for all, and an end of the segment for what is next to it.
    apart = np.r_[True, np.diff(nodes) > _CLOSE]
    apart[-1], ends = True, nodes[-1] - nodes <= _CLOSE
    apart[:-1] &= ~ends[:-1]
    return nodes[apart], np.maximum(values[apart], 0.0)


def _slopes(
    layers: list[tuple[Floats, Floats]], p: Floats, step: Floats, t: Floats
) -> tuple[Floats, Floats]:
    """Return the slope between neighbouring nodes, and the sum of the absolute values it is made of."""
    middle = (t[:-1] + t[1:]) / 2
    W, b = layers[0]
    start, rise = rounded_dots(W, p, b), W @ step
    values = start + middle[:, None] * rise
    slopes = np.broadcast_to(rise, values.shape)
    sizes = np.broadcast_to(np.abs(W) @ np.abs(step), values.shape)
    for W, b in layers[1:]:
        on = values > 0
        values = np.where(on, values, 0.0) @ W.T + b
        slopes, sizes = np.where(on, slopes, 0.0) @ W.T, np.where(on, sizes, 0.0) @ np.abs(W.T)
    return slopes[:, 0], sizes[:, 0]


def _on_segment(t: Floats, values: Floats, slopes: Floats, sizes: Floats) -> PiecewiseLinear:
    jumps = np.abs(np.diff(slopes)) > ROUNDING * np.maximum(sizes[:-1], sizes[1:])
    bends = np.flatnonzero(jumps) + 1
    if not (np.isfinite(values).all() and np.isfinite(slopes).all()):
        raise ValueError("This network exceeds the float64 range on the segment; scale its weights down.")
    if bends.size == 0:
        return PiecewiseLinear(t[:1], values[:1], slopes[[0, 0]], np.zeros(0), (0.0, 1.0))
    return PiecewiseLinear(t[bends], values[bends], slopes[np.r_[bends[0] - 1, bends]], t[bends], (0.0, 1.0))


def _descend(
    layers: list[tuple[Floats, Floats]],
    cells: tuple[Floats, Floats, NDArray[np.int64]],
    maps: Floats,
    sizes: Floats,
    patterns: NDArray[np.bool_],
    cuts: list[tuple[Floats, NDArray[np.int64]]],
) -> Iterator[tuple[Floats, Floats, NDArray[np.int64], Floats, NDArray[np.bool_]]]:
    """Yield the cells of all layers: corners x and y, how many there are of each cell, affine maps, patterns.

    ``maps`` and ``sizes`` belong to the first of the layers. Cuts are collected on the way.
    """
    if len(layers) == 1:
        if not np.isfinite(maps).all():
            raise ValueError("This network exceeds the float64 range in the window; scale its weights down.")
        yield cells[0], cells[1], np.diff(cells[2]), maps, patterns
        return
    x, y, starts, parent, active, ends, cutter, *tree = cut_by_layer(*cells, maps, sizes)
    cuts.append((ends, cutter + patterns.shape[1]))
    W, b = layers[1]
    # One signature: what a network holds is read-only.
    W, b = np.array(W.T, order="C"), np.array(b)
    step = max(_HELD // max(b.size, 1), 1)
    for begin in range(0, len(parent), step):
        end = min(begin + step, len(parent))
        first, last = starts[begin], starts[end]
        following, made_of = next_layer(W, b, maps, sizes, parent, *tree, begin, end)
        # Patterns of many neurons are most of what is held: those of the first layer are not copied.
        on = active[begin:end]
        on = np.concatenate([patterns[parent[begin:end]], on], axis=1) if patterns.shape[1] else on
        yield from _descend(
            layers[1:], (x[first:last], y[first:last], starts[begin : end + 1] - first), following, made_of, on, cuts
        )
