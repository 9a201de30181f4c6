"""Networks of PyTorch and scikit-learn as values of this package, and back."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.shallow_relu import ShallowReLU

if TYPE_CHECKING:
    from torch.nn import Module, Sequential


def from_torch(module: Module) -> ShallowReLU | DeepReLU:
    """Return the network that a PyTorch module computes.

    Parameters
    ----------
    module : torch.nn.Module
        A Sequential of linear layers with a ReLU after each but the last, or a module of your own with such layers,
        defined in the order in which it applies them. Single or double precision, on any device. Dropout and Flatten
        are looked through: the network is that in evaluation.

    Returns
    -------
    ShallowReLU or DeepReLU
        Shallow for one hidden layer and no bias (or one of zero) at the output; else deep. Weights are copied.

    Raises
    ------
    ModuleNotFoundError
        Without PyTorch.
    TypeError
        If it is no module.
    ValueError
        If it has other layers, another order, or computes something else.

    Examples
    --------
    >>> import reluquant as rq
    >>> net = rq.ShallowReLU.balanced(n_features=3, n_neurons=4, scale=1.0, rng=0)
    >>> rq.from_torch(rq.to_torch(net))
    ShallowReLU(n_neurons=4, n_features=3)
    """
    modules = _modules("from_torch")
    if not isinstance(module, modules.nn.Module):
        raise TypeError(f"from_torch needs a torch.nn.Module, but it got a {type(module).__name__}.")
    net = modules.network_of(module)
    modules.check_agreement(module, net)
    return net


def to_torch(net: ShallowReLU | DeepReLU, *, dtype: str = "float32") -> Sequential:
    """Return a PyTorch module that computes a network.

    Parameters
    ----------
    net : ShallowReLU or DeepReLU
    dtype : {"float32", "float64"}
        Precision of its weights.

    Returns
    -------
    torch.nn.Sequential
        Linear layers and ReLUs; its output is (n_points, n_outputs). The output of a shallow network has no bias.

    Raises
    ------
    ModuleNotFoundError
        Without PyTorch.
    TypeError, ValueError
        If it is no network, or the precision is another.

    Examples
    --------
    >>> import reluquant as rq
    >>> rq.to_torch(rq.ShallowReLU([[1.0, 0.0], [-1.0, 0.0]], [1.0, 1.0]))
    Sequential(
      (0): Linear(in_features=1, out_features=2, bias=True)
      (1): ReLU()
      (2): Linear(in_features=2, out_features=1, bias=False)
    )
    """
    modules = _modules("to_torch")
    if not isinstance(net, ShallowReLU | DeepReLU):
        raise TypeError(f"to_torch needs a ShallowReLU or a DeepReLU, but it got a {type(net).__name__}.")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', but it is {dtype!r}.")
    return modules.module_of(net, getattr(modules.torch, dtype))


def from_sklearn(model: object) -> DeepReLU:
    """Return the network inside a fitted MLPRegressor or MLPClassifier of scikit-learn.

    Parameters
    ----------
    model : sklearn.neural_network.MLPRegressor or MLPClassifier
        Fitted, with ``activation="relu"``.

    Returns
    -------
    DeepReLU
        Its outputs are those of the last layer before the softmax or the logistic function of a classifier: the
        predicted class is that of the largest, or the sign of one.

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If it is not fitted or has another activation.

    Examples
    --------
    >>> import numpy as np, reluquant as rq
    >>> from sklearn.neural_network import MLPRegressor
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> model = MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=1000, random_state=0)
    >>> model = model.fit(X, np.abs(X[:, 0]))
    >>> net = rq.from_sklearn(model)
    >>> bool(np.allclose(net(X), model.predict(X)))
    True
    """
    if not hasattr(model, "activation") or not hasattr(model, "hidden_layer_sizes"):
        raise TypeError(f"from_sklearn needs an MLPRegressor or MLPClassifier, but it got a {type(model).__name__}.")
    if model.activation != "relu":
        raise ValueError(f'from_sklearn needs activation="relu", but the model has {model.activation!r}.')
    if not hasattr(model, "coefs_"):
        raise ValueError("from_sklearn needs a fitted model; call its fit(X, y) first.")
    return DeepReLU([np.transpose(W) for W in model.coefs_], model.intercepts_)


def _modules(asked: str) -> ModuleType:
    try:
        from reluquant.dynamics.training import modules
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ModuleNotFoundError(
            f"rq.{asked} needs PyTorch, which is not installed; pip install 'reluquant[torch]' brings it.", name="torch"
        ) from error
    return modules
