r"""Gradient descent of a shallow ReLU network with equal steps: full batch or mini-batches, heavy-ball momentum.

The step
    ``z_jk = w_j · x̃_k``, ``f_o(x_k) = Σ_j a_oj relu(z_jk)``, ``r_ok = -∂L/∂f_o(x_k)`` over the batch. With
    ``A_j = {k : z_jk > 0}``: ``-∂L/∂w_j = Σ_{k∈A_j} (Σ_o a_oj r_ok) x̃_k``, ``-∂L/∂a_oj = Σ_k r_ok relu(z_jk)``.
    ``v ← μ v - ∂L/∂θ``, ``θ ← θ + lr v`` (Polyak 1964), all weights at once.

The layout
    One pass over the neurons makes a step: each block of neurons takes the gradient of this step, moves, and is
    evaluated for the next step while it is in the cache. Inside a block neurons are the fastest axis, and every inner
    loop is elementwise in them: the compiler may vectorise it without reordering a sum, so results do not depend
    on the machine's vector length. Samples go four at a time and inputs two at a time, to load and store less; both
    are padded with zeros, which change nothing. With two inputs (one feature and the bias) and one output it is
    quicker to compute ``z`` twice than to keep it.

The batches
    Each pass over the data deals all samples out in a new order. The order is a function of seed and number of the
    pass alone, so that a run can be taken up at any step.
"""

from __future__ import annotations

import math

import numpy as np

from reluquant.kernels.jit import kernel
from reluquant.kernels.losses import mean_loss, residuals
from reluquant.kernels.status import CHUNK_DONE, NOT_FINITE

# Most neurons in a block: enough to outweigh the vectorised loops' checks for overlap, few enough for the cache.
BLOCK = 128
# Neurons of a block are padded to this, the length of the longest vector registers, and summed in as many chains.
VECTOR = 8
# Samples, and inputs, that a loop takes at a time.
SAMPLES, INPUTS = 4, 2
# Beyond, the square and the next step may overflow.
LARGEST_OUTPUT = 1e100

_MASK = 0xFFFFFFFF


# ------------------------------------------------------------------------------------------ the batches


@kernel
def scramble(value):
    """Mix the lower 32 bits of an integer; a bijection (xorshift and multiply, twice)."""
    value &= _MASK
    value = ((value ^ (value >> 16)) * 0x45D9F3B) & _MASK
    value = ((value ^ (value >> 16)) * 0x45D9F3B) & _MASK
    return value ^ (value >> 16)


@kernel
def shuffle(order, seed, turn):
    """Write the permutation of pass ``turn`` (Fisher & Yates, with numbers hashed from seed, pass and place)."""
    n = order.size
    key = scramble(scramble(scramble(seed >> 32) + seed) + turn)
    for i in range(n):
        order[i] = i
    for i in range(n - 1, 0, -1):
        share = scramble(scramble(key + i) ^ key) / 4294967296.0
        k = int(share * (i + 1))
        order[i], order[k] = order[k], order[i]


@kernel
def _fill(inputs, labels, order, first, count, x, y):
    """Copy samples ``order[first : first + count]`` into a batch; the rest of its columns is zero."""
    x[:] = 0.0
    y[:] = 0.0
    for k in range(count):
        sample = order[first + k]
        for i in range(inputs.shape[0]):
            x[i, k] = inputs[i, sample]
        for o in range(labels.shape[1]):
            y[k, o] = labels[sample, o]


# -------------------------------------------------------------------------------------- a block of neurons
#
# Block b of W (n_blocks, p, lanes), a (n_blocks, o, lanes), z (n_blocks, n, lanes) on batch c of x (3, p, n). Elements
# are picked from the whole arrays, because making a view counts a reference, which takes longer than a short loop.


@kernel
def _project(x, c, W, z, b):
    """``z = W x̃``."""
    for k in range(0, x.shape[2], SAMPLES):
        for i in range(0, x.shape[1], INPUTS):
            p0, p1, p2, p3 = x[c, i, k], x[c, i, k + 1], x[c, i, k + 2], x[c, i, k + 3]
            q0, q1, q2, q3 = x[c, i + 1, k], x[c, i + 1, k + 1], x[c, i + 1, k + 2], x[c, i + 1, k + 3]
            if i == 0:
                for l in range(W.shape[2]):
                    u, v = W[b, 0, l], W[b, 1, l]
                    z[b, k, l] = u * p0 + v * q0
                    z[b, k + 1, l] = u * p1 + v * q1
                    z[b, k + 2, l] = u * p2 + v * q2
                    z[b, k + 3, l] = u * p3 + v * q3
            else:
                for l in range(W.shape[2]):
                    u, v = W[b, i, l], W[b, i + 1, l]
                    z[b, k, l] += u * p0 + v * q0
                    z[b, k + 1, l] += u * p1 + v * q1
                    z[b, k + 2, l] += u * p2 + v * q2
                    z[b, k + 3, l] += u * p3 + v * q3


@kernel
def _collect(z, a, b, f):
    """Add ``a relu(z)``, lane by lane, to the outputs f (o, n, lanes)."""
    for o in range(a.shape[1]):
        for k in range(0, z.shape[1], SAMPLES):
            for l in range(a.shape[2]):
                c = a[b, o, l]
                z0, z1, z2, z3 = z[b, k, l], z[b, k + 1, l], z[b, k + 2, l], z[b, k + 3, l]
                f[o, k, l] += c * (z0 if z0 > 0.0 else 0.0)
                f[o, k + 1, l] += c * (z1 if z1 > 0.0 else 0.0)
                f[o, k + 2, l] += c * (z2 if z2 > 0.0 else 0.0)
                f[o, k + 3, l] += c * (z3 if z3 > 0.0 else 0.0)


@kernel
def _evaluate_planar(x, c, W, a, b, f):
    """`_project` and `_collect` in one, for two inputs and one output."""
    for k in range(0, x.shape[2], SAMPLES):
        p0, p1, p2, p3 = x[c, 0, k], x[c, 0, k + 1], x[c, 0, k + 2], x[c, 0, k + 3]
        q0, q1, q2, q3 = x[c, 1, k], x[c, 1, k + 1], x[c, 1, k + 2], x[c, 1, k + 3]
        for l in range(W.shape[2]):
            u, v, s = W[b, 0, l], W[b, 1, l], a[b, 0, l]
            z0 = u * p0 + v * q0
            z1 = u * p1 + v * q1
            z2 = u * p2 + v * q2
            z3 = u * p3 + v * q3
            f[0, k, l] += s * (z0 if z0 > 0.0 else 0.0)
            f[0, k + 1, l] += s * (z1 if z1 > 0.0 else 0.0)
            f[0, k + 2, l] += s * (z2 if z2 > 0.0 else 0.0)
            f[0, k + 3, l] += s * (z3 if z3 > 0.0 else 0.0)


@kernel
def _sum_lanes(f, total):
    """``total[k, o] = Σ_l f[o, k, l]``, in as many chains as a vector has places: they do not wait for each other."""
    for o in range(f.shape[0]):
        for k in range(f.shape[1]):
            s0, s1, s2, s3, s4, s5, s6, s7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for l in range(0, f.shape[2], VECTOR):
                s0 += f[o, k, l]
                s1 += f[o, k, l + 1]
                s2 += f[o, k, l + 2]
                s3 += f[o, k, l + 3]
                s4 += f[o, k, l + 4]
                s5 += f[o, k, l + 5]
                s6 += f[o, k, l + 6]
                s7 += f[o, k, l + 7]
            total[k, o] = ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))


@kernel
def _pull_one(r, z, b, k, pull):
    """What four samples pull with at one output, where the neuron is active: ``r_k`` (the factor a comes later)."""
    r0, r1, r2, r3 = r[k, 0], r[k + 1, 0], r[k + 2, 0], r[k + 3, 0]
    for l in range(z.shape[2]):
        pull[0, l] = r0 if z[b, k, l] > 0.0 else 0.0
        pull[1, l] = r1 if z[b, k + 1, l] > 0.0 else 0.0
        pull[2, l] = r2 if z[b, k + 2, l] > 0.0 else 0.0
        pull[3, l] = r3 if z[b, k + 3, l] > 0.0 else 0.0


@kernel
def _pull_several(r, z, a, b, k, pull, change):
    """What four samples pull with at several outputs, ``Σ_o a_o r_ok``, and what they add to the change of a."""
    pull[:] = 0.0
    for q in range(SAMPLES):
        for o in range(a.shape[1]):
            value = r[k + q, o]
            for l in range(a.shape[2]):
                s = z[b, k + q, l]
                pull[q, l] += value * a[b, o, l] if s > 0.0 else 0.0
                change[o, l] += value * s if s > 0.0 else 0.0


@kernel
def _gather(x, c, k, pull, field):
    """Add the pull of four samples, times their inputs, to the field (p, lanes)."""
    for i in range(0, x.shape[1], INPUTS):
        p0, p1, p2, p3 = x[c, i, k], x[c, i, k + 1], x[c, i, k + 2], x[c, i, k + 3]
        q0, q1, q2, q3 = x[c, i + 1, k], x[c, i + 1, k + 1], x[c, i + 1, k + 2], x[c, i + 1, k + 3]
        for l in range(field.shape[1]):
            e0, e1, e2, e3 = pull[0, l], pull[1, l], pull[2, l], pull[3, l]
            field[i, l] += (e0 * p0 + e1 * p1) + (e2 * p2 + e3 * p3)
            field[i + 1, l] += (e0 * q0 + e1 * q1) + (e2 * q2 + e3 * q3)


@kernel
def _field_planar(x, c, r, W, b, field):
    """`_pull_one` and `_gather` in one, for two inputs: add ``Σ_A r x̃`` to the field (2, lanes)."""
    for k in range(0, x.shape[2], SAMPLES):
        p0, p1, p2, p3 = x[c, 0, k], x[c, 0, k + 1], x[c, 0, k + 2], x[c, 0, k + 3]
        q0, q1, q2, q3 = x[c, 1, k], x[c, 1, k + 1], x[c, 1, k + 2], x[c, 1, k + 3]
        r0, r1, r2, r3 = r[k, 0], r[k + 1, 0], r[k + 2, 0], r[k + 3, 0]
        for l in range(W.shape[2]):
            u, v = W[b, 0, l], W[b, 1, l]
            e0 = r0 if u * p0 + v * q0 > 0.0 else 0.0
            e1 = r1 if u * p1 + v * q1 > 0.0 else 0.0
            e2 = r2 if u * p2 + v * q2 > 0.0 else 0.0
            e3 = r3 if u * p3 + v * q3 > 0.0 else 0.0
            field[0, l] += (e0 * p0 + e1 * p1) + (e2 * p2 + e3 * p3)
            field[1, l] += (e0 * q0 + e1 * q1) + (e2 * q2 + e3 * q3)


@kernel
def _go(weights, velocity, b, slope, lr, momentum):
    """Take a step with the weights (n_blocks, rows, lanes) along the slope (rows, lanes)."""
    for i in range(slope.shape[0]):
        for l in range(slope.shape[1]):
            velocity[b, i, l] = momentum * velocity[b, i, l] + slope[i, l]
            weights[b, i, l] += lr * velocity[b, i, l]


@kernel
def _move(x, c, r, z, W, a, W_velocity, a_velocity, b, rates, pull, field, change):
    """Take one step of a block from its place on a batch, with residuals r (n, o) and, if not planar, z there."""
    n_inputs, n_outputs, lanes = W.shape[1], a.shape[1], W.shape[2]
    change[:] = 0.0
    field[:] = 0.0
    if n_inputs == 2 and n_outputs == 1:
        _field_planar(x, c, r, W, b, field)
    else:
        for k in range(0, x.shape[2], SAMPLES):
            if n_outputs == 1:
                _pull_one(r, z, b, k, pull)
            else:
                _pull_several(r, z, a, b, k, pull, change)
            _gather(x, c, k, pull, field)
    if n_outputs == 1:
        # With one output the field is g = Σ_A r x̃, the same for all neurons of a pattern: ẇ = a g, ȧ = w · g.
        for i in range(n_inputs):
            for l in range(lanes):
                change[0, l] += W[b, i, l] * field[i, l]
                field[i, l] *= a[b, 0, l]
    _go(W, W_velocity, b, field, rates[0], rates[1])
    _go(a, a_velocity, b, change, rates[0], rates[1])


# ------------------------------------------------------------------------------------------------ the run


@kernel
def _evaluate(x, c, W, a, z, b, f):
    """Add the outputs of a block on a batch, lane by lane, to f (o, n, lanes)."""
    if W.shape[1] == 2 and a.shape[1] == 1:
        _evaluate_planar(x, c, W, a, b, f)
    else:
        _project(x, c, W, z, b)
        _collect(z, a, b, f)


@kernel
def _within_range(f):
    """Whether every output is a number, and not so large that the next step may overflow."""
    for k in range(f.shape[0]):
        for o in range(f.shape[1]):
            if not abs(f[k, o]) <= LARGEST_OUTPUT:
                return False
    return True


@kernel
def _loss_of_all(inputs, labels, W, a, kind, parameter, value, x, y, z, f, total):
    """Loss over all samples, a batch at a time, in the third batch of x and y; z, f and total are used up."""
    n, size, sum_of_all = inputs.shape[1], x.shape[2], 0.0
    order = np.arange(n)
    for first in range(0, n, size):
        count = min(size, n - first)
        _fill(inputs, labels, order, first, count, x[2], y[2])
        f[:] = 0.0
        for b in range(W.shape[0]):
            _evaluate(x, 2, W, a, z, b, f)
        _sum_lanes(f, total)
        sum_of_all += count * mean_loss(kind, parameter, value, total[:count], y[2, :count])
    return sum_of_all / n


@kernel
def _pack(flat, blocks):
    """Split (rows, m) into blocks (n_blocks, rows, lanes), whose padding is left alone."""
    for j in range(flat.shape[1]):
        for i in range(flat.shape[0]):
            blocks[j // blocks.shape[2], i, j % blocks.shape[2]] = flat[i, j]


@kernel
def _unpack(blocks, flat):
    """Undo `_pack`."""
    for j in range(flat.shape[1]):
        for i in range(flat.shape[0]):
            flat[i, j] = blocks[j // blocks.shape[2], i, j % blocks.shape[2]]


@kernel
def descend(inputs, labels, weights, velocity, rates, plan, value, derivative, at_steps, losses):
    r"""Take gradient steps, and record the loss at some of them.

    Parameters
    ----------
    inputs, labels : (p, n), (n, o) float64
        x̃ of every sample, the bias as a row of ones; what the loss holds the outputs against.
    weights, velocity : (p + o, m) float64
        Neurons, each a column w, a; velocities v of the momentum. Updated.
    rates : (3,) float64
        lr, μ, parameter of the loss.
    plan : (5,) int64
        The step that the neurons are at, the step to go to, samples in a batch, seed of the batches, loss.
    value, derivative : compiled functions
        Of a loss of the user's own (`reluquant.kernels.losses`).
    at_steps : (n_records,) int64
        Ascending: the steps, of those from the first to the last, at which the loss over all samples is recorded.
    losses : (n_records,) float64
        Filled.

    Returns
    -------
    status : int
        CHUNK_DONE, or NOT_FINITE when the loss overflowed.
    step : int
        The step that the neurons are at.

    References
    ----------
    B. T. Polyak, *USSR Comput. Math. Math. Phys.* 4 (1964): momentum.
    """
    n, m, n_outputs = inputs.shape[1], weights.shape[1], labels.shape[1]
    first_step, last_step, batch_size, seed, kind = plan[0], plan[1], plan[2], plan[3], plan[4]
    parameter = rates[2]
    n_blocks = (m + BLOCK - 1) // BLOCK
    lanes = ((m + n_blocks - 1) // n_blocks + VECTOR - 1) // VECTOR * VECTOR
    p = (inputs.shape[0] + INPUTS - 1) // INPUTS * INPUTS
    in_batches = batch_size < n
    columns = (batch_size + SAMPLES - 1) // SAMPLES * SAMPLES
    W, W_velocity = np.zeros((n_blocks, p, lanes)), np.zeros((n_blocks, p, lanes))
    a, a_velocity = np.zeros((n_blocks, n_outputs, lanes)), np.zeros((n_blocks, n_outputs, lanes))
    _pack(weights[: inputs.shape[0]], W)
    _pack(weights[inputs.shape[0] :], a)
    _pack(velocity[: inputs.shape[0]], W_velocity)
    _pack(velocity[inputs.shape[0] :], a_velocity)
    # Two batches: a block moves by the one and is evaluated on the next. A third where the loss over all is computed.
    x, y = np.zeros((3, p, columns)), np.zeros((3, columns, n_outputs))
    # z of this step, which the next one needs, and room for the loss over all.
    kept = 0 if p == 2 and n_outputs == 1 else columns
    z, spare_z = np.zeros((n_blocks, kept, lanes)), np.zeros((n_blocks, kept if in_batches else 0, lanes))
    f, total = np.zeros((n_outputs, columns, lanes)), np.zeros((columns, n_outputs))
    r, order = np.zeros((columns, n_outputs)), np.arange(n)
    pull, field, change = np.zeros((SAMPLES, lanes)), np.zeros((p, lanes)), np.zeros((n_outputs, lanes))
    if not in_batches:
        _fill(inputs, labels, order, 0, n, x[0], y[0])
    n_batches = (n + batch_size - 1) // batch_size
    status, step, n_recorded, count, now = CHUNK_DONE, first_step, 0, n, 0
    for step in range(first_step, last_step + 1):
        before = now
        if in_batches:
            now = step % 2
            if step == first_step or step % n_batches == 0:
                shuffle(order, seed, step // n_batches)
            first = (step % n_batches) * batch_size
            count = min(batch_size, n - first)
            _fill(inputs, labels, order, first, count, x[now], y[now])
        f[:] = 0.0
        for b in range(n_blocks):
            if step > first_step:
                _move(x, before, r, z, W, a, W_velocity, a_velocity, b, rates, pull, field, change)
            _evaluate(x, now, W, a, z, b, f)
        _sum_lanes(f, total)
        if not _within_range(total):
            status = NOT_FINITE
            break
        residuals(kind, parameter, derivative, total[:count], y[now, :count], r[:count])
        if n_recorded < at_steps.size and at_steps[n_recorded] == step:
            if in_batches:
                loss = _loss_of_all(inputs, labels, W, a, kind, parameter, value, x, y, spare_z, f, total)
            else:
                loss = mean_loss(kind, parameter, value, total[:count], y[now, :count])
            if not math.isfinite(loss):
                status = NOT_FINITE
                break
            losses[n_recorded] = loss
            n_recorded += 1
    _unpack(W, weights[: inputs.shape[0]])
    _unpack(a, weights[inputs.shape[0] :])
    _unpack(W_velocity, velocity[: inputs.shape[0]])
    _unpack(a_velocity, velocity[inputs.shape[0] :])
    return status, step
