"""Step lengths beside the flow: rates and curvature against their definitions."""

import numpy as np
import pytest
import torch

from reluquant.dynamics.training.objective import Objective, forward, loss_sum
from reluquant.dynamics.training.step_length import DAMPING, FlowSteps, fastest_rate
from reluquant.structures.losses import CROSS_ENTROPY, HUBER, LOGISTIC, SQUARED


def problem(loss, widths=(7,), n_outputs=1, n_samples=15):
    torch.manual_seed(0)
    sizes = (3, *widths)
    hidden = [torch.randn((m, k + 1), dtype=torch.float64) for k, m in zip(sizes, sizes[1:], strict=False)]
    weights = (*hidden, torch.randn((n_outputs, widths[-1]), dtype=torch.float64))
    x = torch.randn((n_samples, 3), dtype=torch.float64)
    y = torch.randn((n_samples, n_outputs), dtype=torch.float64)
    if loss is LOGISTIC:
        y = y.sign()
    if loss is CROSS_ENTROPY:
        y = torch.softmax(y, 1)
    return Objective(x, y, loss, True, 4), weights


def curvature(objective, weights):
    """The largest eigenvalue of Jᵀ ℓ'' J / n, by whole matrices."""
    shapes = [W.shape for W in weights]
    flat = torch.cat([W.ravel() for W in weights])

    def outputs(flat):
        parts = flat.split([shape.numel() for shape in shapes])
        return forward(tuple(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)), True, objective.x)

    J = torch.autograd.functional.jacobian(outputs, flat).reshape(-1, flat.numel())
    f = outputs(flat)
    H = torch.autograd.functional.hessian(lambda f: loss_sum(objective.loss, f, objective.y), f)
    H = H.reshape(f.numel(), f.numel())
    return torch.linalg.eigvalsh(J.T @ H @ J).max().item() / len(objective.x)


@pytest.mark.parametrize(
    ("loss", "widths", "n_outputs"),
    [(SQUARED, (7,), 1), (SQUARED, (5, 4), 3), (LOGISTIC, (7,), 1), (CROSS_ENTROPY, (7,), 3), (HUBER, (7,), 1)],
)
def test_the_curvature_is_the_largest_eigenvalue_or_not_much_less(loss, widths, n_outputs):
    objective, weights = problem(loss, widths, n_outputs)
    found, largest = DAMPING / FlowSteps(0.02, objective).length(weights, 1e-12), curvature(objective, weights)
    # Descent explodes at four times the step that is taken.
    assert 0.75 * largest < found <= largest * (1 + 1e-9)


def test_the_rate_is_that_of_the_fastest_neuron():
    objective, weights = problem(SQUARED)
    _, gradient, _ = objective.value_and_gradient(weights)
    W, a = (part.numpy() for part in weights)
    dW, da = (part.numpy() for part in gradient)
    own = [np.sqrt((dW[j] @ dW[j] + da[:, j] @ da[:, j]) / (W[j] @ W[j] + a[:, j] @ a[:, j])) for j in range(len(W))]
    assert fastest_rate(weights, gradient) == pytest.approx(max(own), rel=1e-12)


def test_no_neuron_moves_by_more_than_its_share():
    objective, weights = problem(SQUARED)
    steps = FlowSteps(0.03, objective)
    _, gradient, _ = objective.value_and_gradient(weights)
    rate = fastest_rate(weights, gradient)
    assert steps.length(weights, rate) * rate <= 0.03 * (1 + 1e-12)


def test_squares_of_tiny_weights_do_not_underflow():
    _, weights = problem(SQUARED)
    single = tuple(W.float() for W in weights)
    small = tuple(1e-25 * W for W in single)
    assert fastest_rate(small, small) == pytest.approx(1.0)


def test_a_network_that_no_sample_reaches_may_step_as_far_as_it_likes():
    objective, weights = problem(SQUARED)
    dead = (torch.cat([0.0 * weights[0][:, :3], -torch.ones((7, 1), dtype=torch.float64)], 1), weights[1])
    assert FlowSteps(0.02, objective).length(dead, 0.0) == float("inf")
