"""Networks of PyTorch and scikit-learn: the same function on both sides, or a sentence."""

import sys

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn

import reluquant as rq

POINTS = np.random.default_rng(0).standard_normal((40, 3))


def outputs(module, points=POINTS):
    parameter = next(module.parameters())
    return module(torch.tensor(points, dtype=parameter.dtype)).detach().double().numpy()


class Named(nn.Module):
    """One ReLU, a function at that, between layers with names."""

    def __init__(self):
        super().__init__()
        self.encoder, self.head = nn.Linear(3, 7), nn.Linear(7, 2, bias=False)

    def forward(self, x):
        return self.head(torch.relu(self.encoder(x)))


class Backwards(Named):
    def forward(self, x):
        return -self.head(torch.relu(self.encoder(x)))


class Leaky(Named):
    def forward(self, x):
        return self.head(nn.functional.leaky_relu(self.encoder(x), 0.1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_outputs", [1, 4])
def test_one_hidden_layer_becomes_a_shallow_network(dtype, bias, n_outputs):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 9, bias=bias), nn.ReLU(), nn.Linear(9, n_outputs, bias=False)).to(dtype)
    net = rq.from_torch(module)
    assert isinstance(net, rq.ShallowReLU)
    assert net.bias is bias
    tolerance = 1e-6 if dtype is torch.float32 else 1e-14
    assert net(POINTS).reshape(40, -1) == pytest.approx(outputs(module), abs=tolerance)


def test_a_bias_at_the_output_makes_it_deep():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 9), nn.ReLU(), nn.Linear(9, 1)).double()
    net = rq.from_torch(module)
    assert isinstance(net, rq.DeepReLU)
    assert net(POINTS) == pytest.approx(outputs(module)[:, 0], abs=1e-14)
    with torch.no_grad():
        module[2].bias.zero_()
    assert isinstance(rq.from_torch(module), rq.ShallowReLU)


def test_more_layers_dropout_and_flatten():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Flatten(),
        nn.Linear(3, 9),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(9, 5, bias=False),
        nn.ReLU(),
        nn.Linear(5, 2),
    )
    net = rq.from_torch(module)
    assert module.training, "it is left as it was"
    assert net.widths == (9, 5)
    assert net(POINTS) == pytest.approx(outputs(module.eval()), abs=1e-6)


def test_a_module_of_ones_own():
    net = rq.from_torch(Named())
    assert (net.n_neurons, net.a.shape) == (7, (7, 2))


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), "but 1 is a Tanh"),
        (nn.Sequential(nn.Conv1d(1, 2, 3), nn.ReLU(), nn.Linear(4, 1)), "but 0 is a Conv1d"),
        (nn.Linear(3, 1), r"the module has 1 linear layer"),
        (nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)), "the order is Linear, Linear"),
        (
            nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.ReLU()),
            "the order is Linear, ReLU, Linear, ReLU",
        ),
        (nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(5, 1)), "a layer of 4 outputs is followed by one of 5"),
        (Backwards(), "computes something else"),
        (Leaky(), "computes something else"),
    ],
)
def test_what_is_no_such_network_is_refused(module, words):
    with pytest.raises(ValueError, match=words):
        rq.from_torch(module)


@pytest.mark.parametrize("n_outputs", [None, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_there_and_back_is_the_same_network(bias, n_outputs):
    drawn = rq.ShallowReLU.balanced(n_features=3, n_neurons=8, scale=1.0, rng=0, bias=bias)
    a = drawn.a if n_outputs is None else np.random.default_rng(1).standard_normal((8, n_outputs))
    net = rq.ShallowReLU(drawn.W, a, bias=bias)
    back = rq.from_torch(rq.to_torch(net, dtype="float64"))
    assert np.array_equal(back.W, net.W)
    assert np.array_equal(back.a, net.a)
    assert back.bias is bias


def test_a_deep_network_there_and_back():
    draw = np.random.default_rng(0)
    net = rq.DeepReLU(
        [draw.standard_normal(shape) for shape in ((5, 3), (4, 5), (2, 4))],
        [draw.standard_normal(n) for n in (5, 4, 2)],
    )
    module = rq.to_torch(net)
    assert outputs(module) == pytest.approx(net(POINTS), abs=1e-5)
    assert rq.from_torch(module).widths == (5, 4)


def test_making_a_module_leaves_the_seed_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    rq.to_torch(rq.ShallowReLU.balanced(n_neurons=5, scale=1.0, rng=0))
    assert torch.rand(1) == expected


@pytest.mark.parametrize("call", [rq.from_torch, rq.to_torch, rq.from_sklearn])
def test_what_is_no_network_at_all(call):
    with pytest.raises(TypeError, match="but it got a list"):
        call([1.0])


def test_precision_is_one_of_two():
    with pytest.raises(ValueError, match="dtype must be 'float32' or 'float64', but it is 'half'"):
        rq.to_torch(rq.ShallowReLU([[1.0, 0.0]], [1.0]), dtype="half")


def test_a_classifier_of_scikit_learn():
    labels = (POINTS[:, 0] > 0).astype(int) + (POINTS[:, 1] > 0)
    model = MLPClassifier((6, 5), solver="lbfgs", max_iter=500, random_state=0).fit(POINTS, labels)
    net = rq.from_sklearn(model)
    assert net.widths == (6, 5)
    scores = net(POINTS)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    assert shares / shares.sum(axis=1, keepdims=True) == pytest.approx(model.predict_proba(POINTS), abs=1e-12)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (MLPRegressor(activation="tanh"), "needs activation=\"relu\", but the model has 'tanh'"),
        (MLPRegressor(), "needs a fitted model"),
    ],
)
def test_models_of_scikit_learn_that_do_not_fit(model, words):
    with pytest.raises(ValueError, match=words):
        rq.from_sklearn(model)


@pytest.mark.parametrize("name", ["from_torch", "to_torch"])
def test_without_torch_the_extra_is_named(name, monkeypatch):
    for module in [module for module in sys.modules if module.startswith("reluquant.dynamics.training")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match=rf"rq.{name} needs PyTorch.*reluquant\[torch\]"):
        getattr(rq, name)(None)
