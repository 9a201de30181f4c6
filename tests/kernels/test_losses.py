"""Losses against their definitions in scipy, and their derivatives against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import huber as huber_loss
from scipy.special import log_softmax

from reluquant.kernels import losses
from reluquant.structures.losses import CROSS_ENTROPY, LOGISTIC, SQUARED, check_labels, custom, huber, named

LOG_COSH = custom(lambda f, y: math.log(math.cosh(f - y)), lambda f, y: math.tanh(f - y))


def _case(name):
    rng = np.random.default_rng(1)
    f, y = 2 * rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
    if name == "squared":
        return SQUARED, f, y, 0.5 * (f - y) ** 2
    if name == "huber":
        return huber(0.7), f, y, huber_loss(0.7, f - y)
    if name == "logistic":
        y = np.sign(y)
        return LOGISTIC, f, y, np.logaddexp(0, -y * f)
    if name == "custom":
        return LOG_COSH, f, y, np.log(np.cosh(f - y))
    y = np.abs(y) / np.abs(y).sum(axis=1, keepdims=True)
    return CROSS_ENTROPY, f, y, -y * log_softmax(f, axis=1)


NAMES = ["squared", "huber", "logistic", "cross-entropy", "custom"]


@pytest.mark.parametrize("name", NAMES)
def test_the_mean_loss_is_its_definition(name):
    loss, f, y, values = _case(name)
    mean = losses.mean_loss(loss.kind, loss.parameter, loss.value, f, y)
    # Some roundings of numbers of order ten.
    assert mean == pytest.approx(np.mean(values.sum(axis=1)), rel=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_the_residual_is_minus_the_slope_and_the_curvature_the_slope_of_that(name):
    loss, f, y, _ = _case(name)
    residual, bend = np.empty_like(f), np.empty((6, 3, 3))
    losses.residuals(loss.kind, loss.parameter, loss.derivative, f, y, residual)
    losses.curvature(loss.kind, loss.parameter, loss.derivative, f, y, bend)
    step = 1e-5
    for k in range(6):
        for q in range(3):
            moved = [f.copy(), f.copy()]
            moved[0][k, q] += step
            moved[1][k, q] -= step
            high, low = (losses.mean_loss(loss.kind, loss.parameter, loss.value, g, y) for g in moved)
            # A difference of step 1e-5 has an error of 1e-10, and rounding 1e-11.
            assert residual[k, q] == pytest.approx(-(high - low) / (2 * step), abs=1e-9)
            slopes = [np.empty_like(f), np.empty_like(f)]
            for g, slope in zip(moved, slopes, strict=True):
                losses.residuals(loss.kind, loss.parameter, loss.derivative, g, y, slope)
            # The curvature of a user's loss is itself a difference, of step 1e-8.
            assert np.allclose(bend[k, :, q], -(slopes[0][k] - slopes[1][k]) / (2 * step), atol=1e-7)


def test_nothing_overflows_far_out():
    f, y, out = np.array([[800.0], [-800.0]]), np.array([[1.0], [1.0]]), np.empty((2, 1))
    assert losses.mean_loss(LOGISTIC.kind, 1.0, LOGISTIC.value, f, y) == 400.0
    losses.residuals(LOGISTIC.kind, 1.0, LOGISTIC.derivative, f, y, out)
    assert out.ravel().tolist() == [0.0, 0.5]


def test_a_loss_of_ones_own_compiles_no_kernel_again():
    _, f, y, _ = _case("squared")
    losses.mean_loss(SQUARED.kind, 1.0, SQUARED.value, f, y)
    quartic = custom(lambda f, y: (f - y) ** 4, lambda f, y: 4 * (f - y) ** 3)
    mean = losses.mean_loss(quartic.kind, 1.0, quartic.value, f, y)
    assert mean == pytest.approx(np.mean(np.sum((f - y) ** 4, axis=1)), rel=1e-14)
    assert len(losses.mean_loss.signatures) == 1


@pytest.mark.parametrize(
    ("loss", "labels", "sentence"),
    [
        (LOGISTIC, np.array([1.0, 0.0]), "labels -1 and 1, but one is 0"),
        (CROSS_ENTROPY, np.array([1.0, 0.0]), "at least two classes"),
        (CROSS_ENTROPY, np.array([[0.5, 0.4]]), "sum to one"),
        (CROSS_ENTROPY, np.array([[1.5, -0.5]]), "from 0 to 1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(loss, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_labels(loss, labels)


def test_what_is_no_loss_is_refused():
    with pytest.raises(ValueError, match="'squared', 'logistic', 'cross-entropy', 'huber'"):
        named("hinge")
    with pytest.raises(TypeError, match="numba can compile"):
        custom(lambda f, y: open(str(f)), lambda f, y: 0.0)  # noqa: SIM115
    with pytest.raises(TypeError, match="function of two floats"):
        custom(1.0, lambda f, y: 0.0)
    with pytest.raises(ValueError, match="above 0"):
        huber(0.0)
