"""The benchmark's problems are what they say, and its references are right."""

import numpy as np
import pytest

import reluquant as rq
from tests.benchmarks.fused_descent import BLOCK, FusedDescent
from tests.benchmarks.problems import (
    B_TAIL_FROM,
    GOLDEN,
    K7_TAIL_FROM,
    PROBLEMS,
    error,
    problem_a,
    problem_b,
    problem_k7,
    reference,
    weights,
)
from tests.benchmarks.references import by_oracle
from tests.oracles import loss

# Steps of a tolerance-controlled integrator to t = 60 agree to about ten times their tolerance of 1e-11.
ORACLE_AGREEMENT = 1e-9


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_the_same_every_time_and_its_reference_fits(name):
    problem, again = PROBLEMS[name](), PROBLEMS[name]()
    np.testing.assert_array_equal(weights(problem.net), weights(again.net))
    np.testing.assert_array_equal(problem.data.y, again.data.y)
    shape = weights(problem.net).shape
    assert reference(name).shape == (min(shape[0], 4000), shape[1])
    # The flow goes somewhere: a benchmark that ends where it starts would reward doing nothing.
    assert error(weights(problem.net), name) > 1e-3


def test_k7_has_two_close_pairs_of_points():
    gaps = np.diff(problem_k7().data.X[:, 0])
    np.testing.assert_allclose(np.sort(gaps)[:2], [0.01, 0.02])
    assert np.sort(gaps)[2] > 0.04


@pytest.mark.slow
def test_the_reference_of_a_is_the_oracles():
    expected = by_oracle(problem_a())
    assert np.linalg.norm(reference("A") - expected) <= ORACLE_AGREEMENT * np.linalg.norm(expected)


def test_where_the_oracle_is_affordable_the_flow_that_made_the_other_references_agrees_with_it():
    for problem, t_end, name in (
        (problem_a(), 60.0, "A"),
        (problem_b(100), B_TAIL_FROM, "B100 oracle"),
        (problem_k7(), K7_TAIL_FROM, "K7 tail start oracle"),
    ):
        run = rq.gradient_flow(problem.net, problem.data, t_max=t_end, rtol=1e-11, progress=False)
        assert error(weights(run.final), name) <= ORACLE_AGREEMENT


def test_descent_converges_to_the_reference_of_b_in_proportion_to_its_step():
    problem = problem_b(1000)
    errors = []
    for step in (0.08, 0.02):
        descent = FusedDescent(weights(problem.net), problem.data.inputs, problem.data.y)
        descent.advance(step, round(problem.t_end / step))
        errors.append(error(descent.theta, "B1000"))
    # Kinks that chatter around data points make the error of one step length irregular: not exactly 4.
    assert 2.5 < errors[0] / errors[1] < 6


@pytest.mark.parametrize(("n_features", "n_neurons"), [(1, 3), (1, BLOCK + 5), (3, BLOCK // 4 + 9)])
def test_fused_descent_takes_the_steps_of_descent(n_features, n_neurons):
    rng = np.random.default_rng(n_neurons)
    net = rq.ShallowReLU.gaussian(n_features=n_features, n_neurons=n_neurons, scale=0.1, rng=rng)
    data = rq.Dataset(rng.normal(size=(6, n_features)), rng.normal(size=6))
    fused = FusedDescent(weights(net), data.inputs, data.y)
    fused.advance(0.01, 3)
    W, a = net.W.copy(), net.a.copy()
    for _ in range(3):
        hidden = np.maximum(data.inputs @ W.T, 0.0)
        r = (data.y - hidden @ a) / 6
        dW = a[:, None] * ((r[:, None] * (hidden > 0)).T @ data.inputs)
        W, a = W + 0.01 * dW, a + 0.01 * (r @ hidden)
    np.testing.assert_allclose(fused.theta, np.column_stack([W, a]), rtol=1e-12, atol=1e-14)


def test_the_golden_file_is_small():
    assert GOLDEN.stat().st_size < 1_000_000


def test_a_reference_network_fits_its_data_better_than_the_start():
    problem = problem_b(1000)
    end = reference("B1000")
    x, y = problem.data.X[:, 0], problem.data.y
    assert loss(end[:, :2], end[:, 2], x, y) < 0.01 * loss(problem.net.W, problem.net.a, x, y)
