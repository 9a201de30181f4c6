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
    layers = _layers(net)
    W, b = layers[0]
    t = np.array([0.0, 1.0])
    # The first layer of a point far out is a small difference of large numbers; here it is rounded only once.
    z = np.stack([_dots(W, p, b), _dots(W, q, b)])
    sizes = np.zeros_like(z)
    with np.errstate(over="ignore", invalid="ignore"):
        for W, b in layers[1:]:
            t, h = _kinks(t, z, ROUNDING * sizes)
            z, sizes = h @ W.T + b, h @ np.abs(W.T) + np.abs(b)
        slopes, sizes = _slopes(layers, p, q - p, t)
    return _on_segment(t, z[:, 0], slopes, sizes)


def pieces_in_window(net: ShallowReLU | DeepReLU, window: tuple[ArrayLike, ArrayLike, ArrayLike]) -> PlanarPieces:
    """Return ``(s, t) ↦ net(o + s u + t v)`` on the unit square; see :func:`reluquant.piecewise_linear`."""
    o, u, v = _points(net, window, "window", ("origin", "u", "v"))
    layers = _layers(net)
    W, b = layers[0]
    maps = np.stack([_dots(W, o, b), W @ u, W @ v], axis=1)[None]
    sizes = np.abs(maps).sum(axis=2)
    cells = _UNIT_SQUARE[:, 0].copy(), _UNIT_SQUARE[:, 1].copy(), np.array([0, 4])
    cuts: list[tuple[Floats, NDArray[np.int64]]] = []
    with np.errstate(over="ignore", invalid="ignore"):
        leaves = list(_descend(layers, cells, maps, sizes, np.zeros((1, 0), dtype=bool), cuts))
    x, y, ends, affine, patterns = (np.concatenate(column) for column in zip(*leaves, strict=True))
    segments = np.concatenate([np.zeros((0, 4)), *(ends for ends, _ in cuts)])
    owners = np.concatenate([np.zeros(0, np.int64), *(neuron for _, neuron in cuts)])
    return PlanarPieces(
        corners=np.column_stack([x, y]), starts=np.r_[0, np.cumsum(ends)], gradients=affine[:, 1:],
        offsets=affine[:, 0], origin=np.zeros(2), steps=patterns,
        groups=tuple(np.array([j]) for j in range(patterns.shape[1])), segments=segments.reshape(-1, 2, 2),
        segment_groups=owners, region=_UNIT_SQUARE, n_activation_regions=len(affine), n_pieces=None,
    )  # fmt: skip


def _layers(net: ShallowReLU | DeepReLU) -> list[tuple[Floats, Floats]]:
    if isinstance(net, DeepReLU):
        if net.n_outputs != 1:
            raise ValueError(
                f"piecewise_linear works for one output so far, but the network has {net.n_outputs}; make the last"
                " layer DeepReLU((*net.weights[:-1], net.weights[-1][[i]]), (*net.biases[:-1], net.biases[-1][[i]]))."
            )
        return list(zip(net.weights, net.biases, strict=True))
    if net.a.ndim == 2 and net.a.shape[1] != 1:
        raise ValueError(
            f"piecewise_linear works for one output so far, but the network has {net.a.shape[1]};"
            " pass ShallowReLU(net.W, net.a[:, i]) for one of them."
        )
    W, b = (net.W[:, :-1], net.W[:, -1]) if net.bias else (net.W, np.zeros(net.n_neurons))
    return [(W, b), (net.a.reshape(1, -1), np.zeros(1))]


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


def _dots(W: Floats, x: Floats, b: Floats) -> Floats:
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
    start, rise = _dots(W, p, b), W @ step
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
        yield cells[0], cells[1], np.diff(cells[2]), maps[:, 0], patterns
        return
    x, y, starts, parent, active, ends, cutter = cut_by_layer(*cells, maps, sizes)
    cuts.append((ends, cutter + patterns.shape[1]))
    W, b = layers[1]
    # One signature: what a network holds is read-only.
    W, b = np.array(W), np.array(b)
    step = max(_HELD // max(len(W), 1), 1)
    for begin in range(0, len(parent), step):
        part = slice(begin, begin + step)
        first, last = starts[begin], starts[min(begin + step, len(parent))]
        on, before = active[part], parent[part]
        following, made_of = next_layer(W, b, maps, sizes, before, on)
        yield from _descend(
            layers[1:],
            (x[first:last], y[first:last], starts[begin : begin + len(before) + 1] - first),
            following, made_of, np.concatenate([patterns[before], on], axis=1), cuts,
        )  # fmt: skip
