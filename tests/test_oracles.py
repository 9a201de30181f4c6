"""The oracle of the gradient flow is itself held against closed forms and brute-force descent."""

import numpy as np
import pytest

from tests.oracles import flow_oracle, loss

# One input whose (x, 1) has length 2, so that formulas for a single input without bias carry over.
X_LENGTH_2 = np.sqrt(3.0)
UNIT = np.array([X_LENGTH_2, 1.0]) / 2


def descent(W, a, x, y, rate, n_steps):
    """Plain full-batch gradient descent with relu'(0) = 0."""
    W, a = np.array(W, dtype=float), np.array(a, dtype=float)
    inputs = np.column_stack([x, np.ones(len(x))])
    for _ in range(n_steps):
        pre = W @ inputs.T
        active = pre > 0
        residual = (y - a @ (pre * active)) / len(x)
        g = (active * residual) @ inputs
        W, a = W + rate * a[:, None] * g, a + rate * np.sum(W * g, axis=1)
    return W, a


def random_problem(seed, scale=0.3):
    rng = np.random.default_rng(seed)
    n_samples, n_neurons = 4 + seed % 4, 3 + seed % 3
    x = np.sort(rng.uniform(-1.5, 1.5, n_samples))
    y = rng.normal(size=n_samples)
    return scale * rng.normal(size=(n_neurons, 2)), scale * rng.normal(size=n_neurons), x, y


def test_an_aligned_balanced_neuron_on_one_sample_follows_the_logistic_formula():
    start = 1e-3
    times = np.array([0.5, 1.0, 1.5])
    flow = flow_oracle([start * UNIT], [start], [X_LENGTH_2], [3.0], 1.5, times=times)
    output = flow.states_a[:, 0] * (flow.states_W[:, 0] @ (2 * UNIT))
    m0 = 2 * start**2
    np.testing.assert_allclose(output, 3 / (1 + (3 / m0 - 1) * np.exp(-12 * times)), rtol=1e-9)
    # The same, as numbers, for |x| = 2, y = 3.
    np.testing.assert_allclose(output, [8.0664118e-4, 0.29364803, 2.93299584], rtol=1e-7)
    assert flow.switches == []


def test_an_unbalanced_neuron_turns_its_output_weight_positive():
    flow = flow_oracle([2e-3 * UNIT], [-1e-3], [X_LENGTH_2], [3.0], 1.3)
    assert flow.a[0] > 0
    assert flow.a[0] * (flow.W[0] @ (2 * UNIT)) == pytest.approx(1.494549, abs=1e-6)


def test_a_tiny_neuron_aligns_as_the_half_angle_formula_says():
    # One sample with |x̃| = 2 and r = 2.5, so |g| = 5; the residual stays frozen at this scale.
    angle = np.arctan2(UNIT[1], UNIT[0]) + 1.2
    tiny = 1e-10
    flow = flow_oracle([[tiny * np.cos(angle), tiny * np.sin(angle)]], [tiny], [X_LENGTH_2], [2.5], 1.0)
    turned = np.arctan2(flow.W[0, 1], flow.W[0, 0]) - np.arctan2(UNIT[1], UNIT[0])
    assert turned == pytest.approx(0.00921928981, rel=1e-8)


@pytest.mark.parametrize("tiny", [1e-6, 1e-30, 1e-120])
def test_a_dormant_neuron_of_any_size_is_as_accurate_as_a_large_one(tiny):
    # A neuron too small to matter sees the frozen residual r = 2.5 of a network that does not move.
    angle = np.arctan2(UNIT[1], UNIT[0]) + 1.2
    flow = flow_oracle([[tiny * np.cos(angle), tiny * np.sin(angle)]], [tiny], [X_LENGTH_2], [2.5], 0.5)
    p0 = np.cos(1.2)
    along = p0 * np.cosh(2.5) + np.sinh(2.5)
    output = np.cosh(2.5) + p0 * np.sinh(2.5)
    expected = along * UNIT + np.sin(1.2) * np.array([-UNIT[1], UNIT[0]])
    tolerance = 1e-9 if tiny < 1e-7 else 1e-7
    np.testing.assert_allclose(flow.W[0] / tiny, expected, rtol=tolerance)
    np.testing.assert_allclose(flow.a[0] / tiny, output, rtol=tolerance)


def test_a_slider_is_released_when_its_multiplier_reaches_zero():
    # For the summed loss λ = (5 - 3m)/6, m = 1.8/(1 + (1.8/m0 - 1) e^{-18 t}), release at m = 5/3.
    # For the mean loss of these three samples times are 3 times those.
    x, y, start = [0.0, 1.0, 2.0], [-6.0, 1.0, 4.0], 1e-3
    times = np.linspace(0.2, 2.8, 8)
    flow = flow_oracle([[start, 0.0]], [start], x, y, 40.0, times=times)
    m = flow.states_a[:, 0] * flow.states_W[:, 0, 0]
    np.testing.assert_allclose(m, 1.8 / (1 + (1.8 / start**2 - 1) * np.exp(-6 * times)), rtol=1e-9)
    np.testing.assert_array_equal(flow.states_W[:, 0, 1], 0.0)
    np.testing.assert_array_equal(flow.slides_on[:, 0], 0)
    [(released, *release)] = flow.switches
    assert release == [0, 0, "release"]
    assert released == pytest.approx(3 * np.log((1.8 / start**2 - 1) / 0.08) / 18, rel=1e-10)
    assert released == pytest.approx(3 * 0.940501406, rel=1e-9)
    assert loss(flow.W, flow.a, x, y) == pytest.approx(6.0, rel=1e-9)
    # The kink comes to rest slowly, as e^{-t/2.7}: 40 time units leave 3e-5.
    assert -flow.W[0, 1] / flow.W[0, 0] == pytest.approx(2 / 3, abs=1e-4)


@pytest.mark.parametrize("scale", [1e-8])
def test_absolute_value_from_tiny_weights_gets_stuck(scale):
    x = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    angle = 2 * np.pi * (np.arange(24) + 0.3) / 24
    a = scale * np.where(np.arange(24) % 3 == 0, -1.0, 1.0)
    W = scale * np.column_stack([np.cos(angle), np.sin(angle)])
    # Long enough to get stuck, and not so long that only rounding is left to decide about switches.
    flow = flow_oracle(W, a, x, np.abs(x), 60.0, rtol=1e-9)
    assert loss(flow.W, flow.a, x, np.abs(x)) == pytest.approx(0.07, abs=1e-6)


def test_difference_of_squares_is_conserved():
    for seed in range(6):
        W, a, x, y = random_problem(seed)
        flow = flow_oracle(W, a, x, y, 20.0)
        before, after = (np.sum(w**2, axis=1) - b**2 for w, b in ((W, a), (flow.W, flow.a)))
        np.testing.assert_allclose(after, before, atol=1e-11 * np.max(flow.W**2))


def test_sliders_stay_on_the_boundary_with_a_multiplier_between_0_and_1():
    seen = 0
    for seed in range(12):
        W, a, x, y = random_problem(seed)
        flow = flow_oracle(W, a, x, y, 20.0, times=np.linspace(0.5, 20.0, 40))
        inputs = np.column_stack([x, np.ones(len(x))])
        for w, b, slides in zip(flow.states_W, flow.states_a, flow.slides_on, strict=True):
            for j in np.flatnonzero(slides >= 0):
                m = slides[j]
                pre = w @ inputs.T
                active = pre > 1e-9
                residual = (y - b @ np.maximum(pre, 0.0)) / len(x)
                assert abs(pre[j, m]) <= 1e-13
                others = active[j].copy()
                others[m] = False
                q = b[j] * (others * residual) @ inputs @ inputs[m]
                p = q + b[j] * residual[m] * inputs[m] @ inputs[m]
                assert q > 0 > p
                seen += 1
    assert seen >= 100


# Slides from the start, and is released.
RELEASE = (np.array([[0.3, 0.0]]), np.array([0.3]), np.array([0.0, 1.0, 2.0]), np.array([-6.0, 1.0, 4.0]))


@pytest.mark.parametrize(
    ("problem", "kinds"),
    [
        (random_problem(0), {"slide"}),
        (random_problem(1), {"off"}),
        (random_problem(5), set()),
        (random_problem(7), {"slide", "on"}),
        (RELEASE, {"release"}),
    ],
    ids=["slide", "off", "smooth", "slide-on", "release"],
)
def test_descent_converges_to_the_oracle_at_first_order(problem, kinds):
    W, a, x, y = problem
    t_end = 3.2
    flow = flow_oracle(W, a, x, y, t_end)
    assert {kind for *_, kind in flow.switches} == kinds
    rates = np.array([8e-3, 4e-3, 2e-3, 1e-3, 5e-4])
    ends = [descent(W, a, x, y, rate, round(t_end / rate)) for rate in rates]
    errors = np.array([np.sqrt(np.sum((w - flow.W) ** 2) + np.sum((b - flow.a) ** 2)) for w, b in ends])
    # First order: the error is a multiple of the rate. Where a slider chatters, the multiple depends on where in
    # its last zigzag descent stands, so it scatters, but it does not grow as the rate falls by 16.
    assert np.max(errors / rates) <= 4 * np.min(errors / rates)
    assert errors[-1] < 2e-3


def test_samples_with_equal_x_act_as_their_mean():
    W, a, x, y = random_problem(4)
    double = flow_oracle(W, a, [*x, x[0]], [*y, y[0] + 1.0], 5.0)
    x2, y2 = np.repeat(x, 2), np.repeat(y, 2)
    twice = flow_oracle(W, a, x2, y2, 5.0)
    once = flow_oracle(W, a, x, y, 5.0)
    np.testing.assert_allclose(twice.W, once.W, rtol=1e-9)
    mean = flow_oracle(W, a, [*x, x[0]], [y[0] + 0.5, *y[1:], y[0] + 0.5], 5.0)
    np.testing.assert_allclose(double.W, mean.W, rtol=1e-9, atol=1e-12)


def test_a_neuron_without_weights_or_without_active_samples_rests():
    flow = flow_oracle([[0.0, 0.0], [0.0, -1.0], [1.0, 0.5]], [1.0, 1.0, 0.5], [0.0, 1.0], [1.0, -1.0], 3.0)
    np.testing.assert_array_equal(flow.W[:2], [[0.0, 0.0], [0.0, -1.0]])
    np.testing.assert_array_equal(flow.a[:2], [1.0, 1.0])


def test_a_dead_neighbour_absorbs():
    # One sample to be pushed down: the neuron leaves it and must stop there, not slide.
    flow = flow_oracle([[0.3, 0.4]], [1.0], [0.5], [-1.0], 10.0)
    assert [kind for *_, kind in flow.switches] == ["off"]
    assert flow.W[0] @ [0.5, 1.0] == pytest.approx(0.0, abs=1e-12)
