"""Active neurons: counted by mass, and by direction."""

import numpy as np
import pytest

import reluquant as rq


def clumped(sizes, tiny=20, n_outputs=None, seed=0):
    """Clumps of neurons in far directions, and neurons a million times smaller."""
    draw = np.random.default_rng(seed)
    centres = np.eye(6)[: len(sizes)]
    W = np.concatenate(
        [
            np.repeat(centres, sizes, axis=0) * draw.uniform(1, 2, (sum(sizes), 1)),
            1e-6 * draw.standard_normal((tiny, 6)),
        ]
    )
    W[: sum(sizes)] += 1e-3 * draw.standard_normal((sum(sizes), 6))
    norms = np.linalg.norm(W, axis=1)
    a = norms if n_outputs is None else norms[:, None] * np.eye(n_outputs)[0]
    return rq.ShallowReLU(W, a)


@pytest.mark.parametrize("n_outputs", [None, 3])
def test_clumps_are_directions_and_small_neurons_do_not_count(n_outputs):
    found = rq.active_neurons(clumped((3, 1, 4), n_outputs=n_outputs))
    assert (found.n_active, found.n_directions) == (8, 3)
    assert found.active.tolist() == [True] * 8 + [False] * 20
    assert sorted(found.clusters.size) == [1, 3, 4]


def test_all_count_if_the_share_is_small_enough():
    assert rq.active_neurons(clumped((3, 1)), least=1e-20).n_active == 24


def test_the_angle_decides_what_is_one_direction():
    net = rq.ShallowReLU([[1.0, 0.0], [1.0, 0.05]], [1.0, 1.0])
    assert rq.active_neurons(net, angle=0.1).n_directions == 1
    assert rq.active_neurons(net, angle=0.01).n_directions == 2


def test_a_network_of_zeros_has_none():
    found = rq.active_neurons(rq.ShallowReLU(np.zeros((3, 2)), np.zeros(3)))
    assert (found.n_active, found.n_directions) == (0, 0)


def test_masses_below_the_smallest_number():
    assert rq.active_neurons(rq.ShallowReLU([[1e-200, 0.0], [1e-201, 1e-200]], [1e-200, 1e-200])).n_active == 2


def test_each_layer_of_a_deep_network():
    net = rq.DeepReLU(
        [[[1.0, 0.0], [1.0, 0.0], [0.0, 1e-9]], [[1.0, 1.0, 1.0], [0.0, 0.0, 1e-9]], [[1.0, 1.0]]],
        [[0.0] * 3, [0.0] * 2, [0.0]],
    )
    assert repr(rq.active_neurons(net)) == "ActiveNeurons(n_active=2, n_directions=1)"
    assert rq.active_neurons(net, layer=1).n_active == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"least": 0.0}, "least must be"),
        ({"least": 2.0}, "least must be"),
        ({"angle": 0.0}, "angle must be"),
        ({"layer": 1}, "layer of a ShallowReLU must be"),
    ],
)
def test_bad_arguments(options, words):
    with pytest.raises(ValueError, match=words):
        rq.active_neurons(clumped((1,)), **options)
    with pytest.raises(TypeError, match="needs a ShallowReLU or a DeepReLU, but got list"):
        rq.active_neurons([1.0])
