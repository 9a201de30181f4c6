import numpy as np

from reluquant import DeepReLU, ShallowReLU
from reluquant.analysis.heavy_neurons import heavy_neurons


def test_the_fewest_that_have_the_share():
    rng = np.random.default_rng(0)
    net = ShallowReLU(rng.standard_normal((50, 4)), rng.standard_normal((50, 3)))
    mass = np.linalg.norm(net.W, axis=1) * np.linalg.norm(net.a, axis=1)
    for share in (0.1, 0.5, 0.9):
        chosen = heavy_neurons(net, share)
        assert mass[chosen].sum() >= share * mass.sum() > mass[chosen].sum() - mass[chosen].min()
        assert mass[chosen].min() >= mass[~chosen].max()
    assert not heavy_neurons(net, 0.0).any()
    assert heavy_neurons(net, 1.0).all()


def test_every_layer_has_its_own_measure():
    net = DeepReLU([1e3 * np.eye(2), np.diag([1.0, 1e-3]), [[1.0, 1.0]]], [[0.0, 0.0]] * 2 + [[0.0]])
    assert heavy_neurons(net, 0.9).tolist() == [True, False, True, False]
    assert heavy_neurons(DeepReLU([[[1.0, 2.0]]], [[0.0]]), 0.5).size == 0
