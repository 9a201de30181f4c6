"""Where merged neurons would part: the exact flow keeps them together, descent does not."""

from __future__ import annotations

import numpy as np

from reluquant.structures.arrays import Floats
from reluquant.structures.dataset import Dataset
from reluquant.structures.recording import Recording

BRANCH_DTYPE = np.dtype(
    [("time", "f8"), ("sample", "i8"), ("rate", "f8"), ("magnification", "f8"), ("n_neurons", "i8"), ("mass", "f8")]
)
# Merged neurons switch at the same time up to rounding, which a slow crossing magnifies.
TOGETHER = 1e-9
# Parting of lighter groups than this share of the whole mass moves the function by nothing that is seen.
NOTICEABLE = 1e-6
# Every candidate costs a replay of some milliseconds; the heavy ones come last.
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
    if not np.any(switches["kind"] == "release"):
        return np.empty(0, dtype=BRANCH_DTYPE)
    rows = []
    for time, sample, kind, neurons in _merged_crossings(switches)[-MOST_CANDIDATES:]:
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
    released = np.unique(switches["neuron"][switches["kind"] == "release"])
    own = switches[np.isin(switches["neuron"], released)]
    own = own[np.lexsort((own["time"], own["neuron"]))]
    # The last release of the same neuron before each switch, unless it slides again: its row, or -1.
    row = np.arange(len(own))
    release, slide = own["kind"] == "release", own["kind"] == "slide"
    first = np.searchsorted(own["neuron"], own["neuron"])
    last = np.maximum.accumulate(np.where(release, row, -1))
    since = np.maximum.accumulate(np.where(slide, row, -1))
    crossing = ((own["kind"] == "on") | (own["kind"] == "off")) & (last >= first) & (since < last)
    if not np.any(crossing):
        return []
    moment, group = _moments(own["time"]), own[last[crossing]]
    crossed = own[crossing]
    key = np.column_stack([
        moment[crossing], crossed["sample"], crossed["kind"] == "on", group["sample"], moment[last[crossing]]
    ])
    _, start, which, count = np.unique(key, axis=0, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(which.ravel(), kind="stable")
    groups = np.split(crossed["neuron"][order], np.cumsum(count)[:-1])
    found = [
        (float(crossed["time"][i]), int(crossed["sample"][i]), str(crossed["kind"][i]), np.sort(group))
        for i, group in zip(start, groups, strict=True)
        if len(group) > 1
    ]
    return sorted(found, key=lambda crossing: crossing[0])


def _moments(times: Floats) -> np.ndarray:
    """Number times so that those that differ by rounding have the same number."""
    order = np.argsort(times)
    ascending = times[order]
    number = np.empty(len(times), dtype=np.int64)
    number[order] = np.cumsum(np.diff(ascending, prepend=-np.inf) > TOGETHER * ascending)
    return number


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
