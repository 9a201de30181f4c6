"""PyTorch modules of linear layers and ReLUs, and the same networks as values."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from reluquant.structures.deep_relu import DeepReLU
from reluquant.structures.shallow_relu import ShallowReLU

_WANTED = (
    "linear layers with a ReLU after each but the last, such as Sequential(Linear(2, 100), ReLU(), Linear(100, 1))"
)
# Without effect on the function that a network in evaluation is.
_SILENT = (nn.Identity, nn.Dropout, nn.Flatten)
# Points at which a module must compute what its layers say, and how far single precision may be off.
PROBES, AGREES = 16, 1e-4


def network_of(module: nn.Module) -> ShallowReLU | DeepReLU:
    """Return the network that a module computes."""
    linear = _linear_layers(module)
    weights = [_numbers(layer.weight) for layer in linear]
    biases = [None if layer.bias is None else _numbers(layer.bias) for layer in linear]
    if len(linear) == 2 and (biases[1] is None or not biases[1].any()):
        return _shallow(weights, biases[0])
    return DeepReLU(weights, [np.zeros(len(W)) if b is None else b for W, b in zip(weights, biases, strict=True)])


def check_agreement(module: nn.Module, net: ShallowReLU | DeepReLU) -> None:
    """Say so when a module computes something else than its layers in order."""
    parameter = next(module.parameters())
    points = torch.randn((PROBES, net.n_features), generator=torch.Generator().manual_seed(0))
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            found = _numbers(module(points.to(parameter))).reshape(PROBES, -1)
    finally:
        module.train(was_training)
    expected = net(points.double().numpy()).reshape(PROBES, -1)
    size = np.abs(expected).max() + np.abs(found).max()
    if found.shape != expected.shape or np.any(np.abs(found - expected) > AGREES * size):
        raise ValueError(
            "from_torch needs a module that applies its linear layers in the order of their definition, with a ReLU"
            " after each but the last; this one computes something else from them."
        )


def module_of(net: ShallowReLU | DeepReLU, dtype: torch.dtype) -> nn.Sequential:
    """Return a Sequential that computes a network."""
    if isinstance(net, ShallowReLU):
        first = (net.W[:, :-1], net.W[:, -1]) if net.bias else (net.W, None)
        layers = [first, (np.atleast_2d(net.a.T), None)]
    else:
        layers = list(zip(net.weights, net.biases, strict=True))
    parts: list[nn.Module] = []
    for W, b in layers:
        parts += [_linear(W, b, dtype), nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def _linear(W: np.ndarray, b: np.ndarray | None, dtype: torch.dtype) -> nn.Linear:
    # On "meta" no random numbers are drawn that would be thrown away, and the user's seed is left alone.
    layer = nn.Linear(W.shape[1], W.shape[0], bias=b is not None, device="meta")
    layer.weight = nn.Parameter(torch.tensor(W, dtype=dtype))
    if b is not None:
        layer.bias = nn.Parameter(torch.tensor(b, dtype=dtype))
    return layer


def _shallow(weights: list[np.ndarray], bias: np.ndarray | None) -> ShallowReLU:
    W = weights[0] if bias is None else np.column_stack([weights[0], bias])
    a = weights[1]
    return ShallowReLU(W, a[0] if len(a) == 1 else a.T, bias=bias is not None)


def _linear_layers(module: nn.Module) -> list[nn.Linear]:
    """The linear layers in order, or a sentence about what else there is."""
    leaves = [(name, part) for name, part in module.named_modules() if not list(part.children())]
    leaves = [(name, part) for name, part in leaves if not isinstance(part, _SILENT)]
    for name, part in leaves:
        if not isinstance(part, nn.Linear | nn.ReLU):
            raise ValueError(f"from_torch needs {_WANTED}, but {name or 'the module'} is a {type(part).__name__}.")
    linear = [part for _, part in leaves if isinstance(part, nn.Linear)]
    if len(linear) < 2:
        raise ValueError(f"from_torch needs {_WANTED}, but the module has {len(linear)} linear layer(s).")
    relus = [isinstance(part, nn.ReLU) for _, part in leaves]
    # A module of one's own may use a function, or one ReLU again and again; what it computes is looked at later.
    if isinstance(module, nn.Sequential) and relus != [False, True] * (len(linear) - 1) + [False]:
        order = ", ".join(type(part).__name__ for _, part in leaves)
        raise ValueError(f"from_torch needs {_WANTED}, but the order is {order}.")
    for before, after in zip(linear, linear[1:], strict=False):
        if before.out_features != after.in_features:
            raise ValueError(
                f"from_torch needs {_WANTED}, but a layer of {before.out_features} outputs is followed by one of"
                f" {after.in_features} inputs."
            )
    return linear


def _numbers(parameter: torch.Tensor) -> np.ndarray:
    return parameter.detach().to("cpu", torch.float64).numpy()
