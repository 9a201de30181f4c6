"""Convex losses of the network's outputs: value, residual ``-∂L/∂f`` and curvature, averaged over the samples.

``f``, ``y`` and residuals have shape (n, o). A user's own loss is a pair of compiled scalar functions, called through
their addresses, so that a new loss does not compile the integrator again.
"""

from __future__ import annotations

import math

from numba import cfunc, float64

from reluquant.kernels.jit import kernel

SQUARED, LOGISTIC, CROSS_ENTROPY, HUBER, CUSTOM = range(5)

SCALAR_FUNCTION = float64(float64, float64)
# Share of the size of f by which the derivative of a user's loss is differenced: the root of the rounding.
NUDGE = 2.0**-26


@cfunc(SCALAR_FUNCTION)
def unused(f, y):  # pragma: no cover - never called, it only has the type
    """Stand in for a user's functions where the loss has a name."""
    return 0.0 * f * y


@kernel
def _log_sum_exp(row):
    largest = row.max()
    total = 0.0
    for value in row:
        total += math.exp(value - largest)
    return largest + math.log(total)


@kernel
def _one(kind, parameter, value, f, y):
    """Loss of one output of one sample, for the losses that are sums over outputs."""
    if kind == SQUARED:
        return 0.5 * (f - y) * (f - y)
    if kind == LOGISTIC:
        margin = y * f
        return math.log1p(math.exp(-abs(margin))) + max(-margin, 0.0)
    if kind == HUBER:
        gap = abs(f - y)
        return 0.5 * gap * gap if gap <= parameter else parameter * (gap - 0.5 * parameter)
    return value(f, y)


@kernel
def _minus_slope(kind, parameter, derivative, f, y):
    if kind == SQUARED:
        return y - f
    if kind == LOGISTIC:
        # y / (1 + e^{yf}), without overflow.
        decay = math.exp(-abs(y * f))
        return y * (decay if y * f > 0.0 else 1.0) / (1.0 + decay)
    if kind == HUBER:
        return min(parameter, max(-parameter, y - f))
    return -derivative(f, y)


@kernel
def _bend(kind, parameter, derivative, f, y):
    if kind == SQUARED:
        return 1.0
    if kind == LOGISTIC:
        decay = math.exp(-abs(y * f))
        return y * y * decay / ((1.0 + decay) * (1.0 + decay))
    if kind == HUBER:
        return 1.0 if abs(f - y) <= parameter else 0.0
    step = NUDGE * (1.0 + abs(f))
    return max(0.0, (derivative(f + step, y) - derivative(f - step, y)) / (2.0 * step))


@kernel
def mean_loss(kind, parameter, value, f, y):
    """``L = 1/n Σ_k ℓ(f_k, y_k)``."""
    n, total = f.shape[0], 0.0
    for k in range(n):
        if kind == CROSS_ENTROPY:
            total += _log_sum_exp(f[k]) * y[k].sum() - (f[k] * y[k]).sum()
        else:
            for q in range(f.shape[1]):
                total += _one(kind, parameter, value, f[k, q], y[k, q])
    return total / n


@kernel
def residuals(kind, parameter, derivative, f, y, out):
    """Write ``r_k = -∂L/∂f_k`` into ``out`` (n, o); for outputs (s·n, o) at several moments, at each of them."""
    n = y.shape[0]
    for j in range(f.shape[0]):
        k = j % n
        log_total = _log_sum_exp(f[j]) if kind == CROSS_ENTROPY else 0.0
        for q in range(f.shape[1]):
            if kind == CROSS_ENTROPY:
                out[j, q] = (y[k, q] - math.exp(f[j, q] - log_total)) / n
            else:
                out[j, q] = _minus_slope(kind, parameter, derivative, f[j, q], y[k, q]) / n


@kernel
def curvature(kind, parameter, derivative, f, y, out):
    """Write ``∂²L/∂f_k ∂f_k`` into ``out`` (n, o, o)."""
    n, o = f.shape
    for k in range(n):
        log_total = _log_sum_exp(f[k]) if kind == CROSS_ENTROPY else 0.0
        for q in range(o):
            for l in range(o):
                if kind == CROSS_ENTROPY:
                    first, second = math.exp(f[k, q] - log_total), math.exp(f[k, l] - log_total)
                    out[k, q, l] = ((first if q == l else 0.0) - first * second) / n
                elif q == l:
                    out[k, q, l] = _bend(kind, parameter, derivative, f[k, q], y[k, q]) / n
                else:
                    out[k, q, l] = 0.0


@kernel
def most_curvature(kind, parameter, derivative, f, y):
    """Bound of ``∂²ℓ/∂f²`` of one sample; for a user's loss, the largest found between the outputs and the labels."""
    if kind == LOGISTIC:
        return 0.25
    if kind == CROSS_ENTROPY:
        return 0.5
    if kind != CUSTOM:
        return 1.0
    most = 0.0
    for k in range(f.shape[0]):
        for q in range(f.shape[1]):
            # Far out many losses are straight: what counts is also met on the way to the label.
            for part in range(5):
                there = f[k, q] + 0.25 * part * (y[k, q] - f[k, q])
                most = max(most, _bend(kind, parameter, derivative, there, y[k, q]))
    return most


def compile_scalar(function):
    """Compile a function of two floats so that compiled code can call it by its address."""
    return cfunc(SCALAR_FUNCTION)(getattr(function, "py_func", function))
