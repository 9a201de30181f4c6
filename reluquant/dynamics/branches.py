"""Where merged neurons would part: the exact flow keeps them together, descent does not."""

from __future__ import annotations

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.recording import Recording
from reluquant.structures.trajectory import BRANCH_DTYPE

# Merged neurons switch at the same time up to rounding, which a slow crossing magnifies.
TOGETHER = 1e-9
# Parting of lighter groups than this share of the whole mass moves the function by nothing that is seen.
NOTICEABLE = 1e-6
# Every candidate costs a replay of some milliseconds.
MOST_CANDIDATES = 512


def branch_points(switches: np.ndarray, recording: Recording, data: Dataset) -> np.ndarray:
    """Find the crossings at which two neurons of a merged group, one a little ahead, would move apart.

    Neurons that have slid on one sample at the same time are one from then on. When they cross a sample ``k`` with
    ``sign(a) r_k > 0``, those that are across move away from those that are not, at the angular speed
    ``|r_k| |x̃_k|``: a distance between them is multiplied by the ratio of the speeds behind and before.

    Parameters
    ----------
    switches : structured ndarray
        Those of the run, in order.
    recording : Recording
        Tells where the neurons were.
    data : Dataset
        One feature, bias, one label.

    Returns
    -------
    structured ndarray
        As ``Trajectory.branch_points``.
    """
    candidates = _merged_crossings(switches)
    if not candidates:
        return np.empty(0, dtype=BRANCH_DTYPE)
    rows = []
    for time, sample, kind, neurons in candidates[:MOST_CANDIDATES]:
        states = recording.states(np.array([time]))
        W, a = states.W[0], states.a[0]
        mass = float(np.sum(a[neurons] ** 2))
        if not mass > NOTICEABLE * float(np.sum(a**2)):
            continue
        row = _branch(W, a, neurons[0], sample, kind, data)
        if row is not None:
            rows.append((time, sample, *row, len(neurons), mass))
    return np.array(rows, dtype=BRANCH_DTYPE)


def _merged_crossings(switches: np.ndarray) -> list[tuple[float, int, str, np.ndarray]]:
    """Crossings of several neurons at once that were merged before: (time, sample, kind, neurons)."""
    # The group a neuron belongs to: the sample it last slid on, and when it was released from there.
    group: dict[int, tuple[int, float]] = {}
    found, i = [], 0
    while i < len(switches):
        time, _, sample, kind = switches[i]
        j = i
        while j < len(switches) and switches[j]["time"] <= time * (1.0 + TOGETHER):
            j += 1
        if kind in ("on", "off") and j - i > 1:
            together = switches[i:j]
            same = together[(together["sample"] == sample) & (together["kind"] == kind)]["neuron"]
            merged: dict[tuple[int, float], list[int]] = {}
            for neuron in same.tolist():
                if neuron in group:
                    merged.setdefault(group[neuron], []).append(neuron)
            found += [(float(time), int(sample), str(kind), np.array(one)) for one in merged.values() if len(one) > 1]
        for row in switches[i:j]:
            if row["kind"] == "release":
                group[int(row["neuron"])] = (int(row["sample"]), float(time))
            elif row["kind"] == "slide":
                group.pop(int(row["neuron"]), None)
        i = j
    return found


def _branch(
    W: Floats, a: Floats, neuron: int, sample: int, kind: str, data: Dataset
) -> tuple[float, float] | None:
    """Speed of parting and magnification at one crossing, or None where neurons draw together."""
    inputs = data.inputs
    residual = (data.y - np.maximum(inputs @ W.T, 0.0) @ a) / data.n_samples
    x = inputs[sample]
    here = np.flatnonzero(np.all(inputs == x, axis=1))
    r = float(np.sum(residual[here]))
    if not np.sign(a[neuron]) * r > 0.0:
        return None
    active = inputs @ W[neuron] > 0.0
    active[here] = False
    inactive_push = float(a[neuron] * (residual[active] @ inputs[active]) @ x)
    active_push = inactive_push + float(a[neuron] * r * (x @ x))
    before, after = (inactive_push, active_push) if kind == "on" else (active_push, inactive_push)
    length = float(np.linalg.norm(x))
    rate = abs(r) * length * abs(a[neuron]) / float(np.linalg.norm(W[neuron]))
    return rate, abs(after / before) if before != 0.0 else np.inf
