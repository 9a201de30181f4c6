"""Which extremal direction is the nearest, by loops."""

from __future__ import annotations

import numpy as np

from reluquant import Dataset, datasets, extremal_directions
from reluquant.analysis.matching import match_directions


def by_loops(u, alpha, found, angle):
    best, off = -1, np.inf
    for i, e in enumerate(found):
        if e.kind in ("neutral", "dead") or (alpha.size == 1 and e.sign != alpha[0]):
            continue
        chord = np.linalg.norm(np.r_[u, alpha] - np.r_[e.direction, e.output])
        if 2 * np.arcsin(min(chord / 2, 1)) < off:
            best, off = i, 2 * np.arcsin(min(chord / 2, 1))
    return (best if off <= angle else -1), off


def check(data, directions, outputs, angle):
    found = extremal_directions(data)
    index, off = match_directions(directions, outputs, found, angle)
    for j in range(len(index)):
        best, distance = by_loops(directions[j], outputs[j], found, angle)
        if index[j] >= 0 or best >= 0:
            np.testing.assert_allclose(off[j], distance, atol=1e-12)
        assert index[j] == best
    return index


def around(found, rng, width):
    chosen = [found[i] for i in rng.integers(0, len(found), 200)]
    u = np.array([e.direction for e in chosen])
    u = u + width * rng.standard_normal(u.shape)
    return u / np.linalg.norm(u, axis=1, keepdims=True), np.array([e.output for e in chosen])


def test_signs_are_apart():
    rng = np.random.default_rng(0)
    for data in (datasets.random(6, rng=0), Dataset(rng.standard_normal((5, 2)), rng.standard_normal(5))):
        u, output = around(extremal_directions(data), rng, 0.05)
        output = np.where(np.isnan(output), 1.0, output)
        index = check(data, u, output, 0.1)
        assert np.any(index >= 0)
        assert np.any(index < 0)


def test_with_several_outputs_they_count_too():
    rng = np.random.default_rng(1)
    data = Dataset(rng.standard_normal((4, 2)), rng.standard_normal((4, 2)))
    found = extremal_directions(data)
    u, alpha = around([e for e in found if e.kind == "attractor"], rng, 1e-3)
    assert {found[i].kind for i in check(data, u, alpha, 0.1)} == {"attractor"}
    # Neurons of the same directions that push to the other side shrink there.
    assert {found[i].kind for i in check(data, u, -alpha, 0.1)} == {"repeller"}


def test_neurons_without_output_and_data_without_directions():
    found = extremal_directions(datasets.two_points())
    e = next(e for e in found if e.kind == "attractor")
    index, off = match_directions(e.direction[None], np.zeros((1, 1)), found, 0.1)
    assert (index[0], np.isnan(off[0])) == (-1, True)
    index, off = match_directions(e.direction[None], np.ones((1, 1)), (), 0.1)
    assert (index[0], np.isnan(off[0])) == (-1, True)
