"""The oracle for any number of inputs and outputs is itself held against closed forms and brute-force descent."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear
from scipy.special import expi

from tests.flow_problems import PROBLEMS
from tests.general_flow_problems import GeneralFlowProblem, as_rows, sequences
from tests.oracles import flow_oracle
from tests.oracles_general import chosen, general_flow_oracle, general_loss, motions

# ------------------------------------------------------------------------------ on several boundaries at once

BOX_NORMALS, BOX_PUSHES = [[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]], [-1.0, -2.0]


@pytest.mark.parametrize(
    ("rest", "multipliers", "velocity"),
    [((1, 1, 1), (0.25, 0.625), (0, 0, 1)), ((0, 1, 1), (0, 0.4), (-0.48, 0.36, 1))],
)
def test_the_box_problems_worked_by_hand(rest, multipliers, velocity):
    motion, unique = chosen(motions(rest, BOX_NORMALS, [0.0, 0.0], BOX_PUSHES))
    np.testing.assert_allclose(motion.multipliers, multipliers, atol=1e-15)
    np.testing.assert_allclose(motion.velocity, velocity, atol=1e-15)
    assert unique


def box_problem(seed, sign):
    rng = np.random.default_rng(seed)
    q = 1 + seed % 4
    normals = rng.normal(size=(q, 5))
    # Towards the boundaries, so that all of on, off and held come up.
    rest = rng.normal(size=5) + rng.uniform(0, 1, q) @ normals
    return rest, normals, np.zeros(q), sign * rng.uniform(0.2, 2.0, q)


def test_where_all_push_back_the_motion_is_the_shortest_of_the_box_and_the_only_one():
    seen = set()
    for seed in range(60):
        rest, normals, off, on = box_problem(seed, -1.0)
        motion, unique = chosen(motions(rest, normals, off, on))
        shortest = lsq_linear((on[:, None] * normals).T, -rest, bounds=(0, 1), tol=1e-14)
        np.testing.assert_allclose(motion.multipliers, shortest.x, atol=1e-6)
        np.testing.assert_allclose(motion.velocity, rest + shortest.x * on @ normals, atol=1e-6)
        assert unique
        seen.update(motion.sides)
    assert seen == {-1, 0, 1}


def test_a_valley_is_left_to_the_inactive_side():
    # Both sides push away from the second boundary; the first holds.
    motion, unique = chosen(motions([1.0, -1.0, 1.0], [[1, 0, 0], [0, 1, 0]], [0, 0], [-2.0, 3.0]))
    assert motion.sides == (0, -1)
    assert not unique
    np.testing.assert_allclose(motion.velocity, [0, -1, 1])


def test_a_boundary_that_helps_is_crossed_by_who_arrives_there():
    # Arriving from the inactive side while sliding on others: exactly one way to go on, with the sample on.
    arrivals = 0
    for seed in range(200):
        rest, normals, off, on = box_problem(seed, -1.0)
        *others, new = range(len(normals))
        before, _ = chosen(motions(rest, normals[others], off[others], on[others])) if others else (None, True)
        velocity = before.velocity if others else rest
        if velocity @ normals[new] <= 1e-3:
            continue
        on[new] *= -1
        motion, unique = chosen(motions(rest, normals, off, on))
        assert motion.sides[new] == 1
        assert unique
        arrivals += 1
    assert arrivals >= 50


# -------------------------------------------------------------------------------------------- closed forms


UNIT = np.array([2.0, -1.0, 2.0]) / 3


@pytest.mark.parametrize("outputs", [None, np.array([0.6, -0.8])])
def test_an_aligned_balanced_neuron_on_one_sample_follows_the_logistic_formula(outputs):
    # Of several outputs only the one along y, of length 3, moves.
    start, times = 1e-3, np.array([0.5, 1.0, 1.5])
    label, a = (3.0, start) if outputs is None else (3 * outputs, start * outputs)
    flow = general_flow_oracle([start * UNIT], [a], [2 * UNIT], [label], 1.5, bias=False, times=times)
    heights = flow.states_a[:, 0] if outputs is None else flow.states_a[:, 0] @ outputs
    m = heights * (flow.states_W[:, 0] @ (2 * UNIT))
    m0 = 2 * start**2
    np.testing.assert_allclose(m, 3 / (1 + (3 / m0 - 1) * np.exp(-12 * times)), rtol=1e-9)
    np.testing.assert_allclose(m, [8.0664118e-4, 0.29364803, 2.93299584], rtol=1e-7)
    assert flow.switches == []


def test_an_aligned_neuron_on_one_sample_of_the_logistic_loss():
    # ṁ = 4m/(1 + e^m), so t(m) = (ln(m/m0) + Ei(m) - Ei(m0))/4.
    start, t_end = 1e-3, np.array([6.35714545, 6.89065673, 9.17498849])
    flow = general_flow_oracle(
        [start * UNIT], [start], [2 * UNIT], [1.0], t_end[-1], bias=False, loss="logistic", times=t_end
    )
    m, m0 = flow.states_a[:, 0] * (flow.states_W[:, 0] @ (2 * UNIT)), 2 * start**2
    np.testing.assert_allclose(m, [0.5, 1.0, 3.0], rtol=1e-7)
    np.testing.assert_allclose((np.log(m / m0) + expi(m) - expi(m0)) / 4, t_end, rtol=1e-10)


def test_a_tiny_neuron_slides_on_two_samples_as_the_box_problem_says():
    # Sample 2 adds g = (1, 1, 1) to the velocity; with the residual frozen only the third component is left.
    X, y, tiny = [*BOX_NORMALS, [1.0, 1.0, 1.0]], 3 * np.array([-1.0, -2.0, 1.0]), 1e-9
    flow = general_flow_oracle([[0, 0, tiny]], [tiny], X, y, 2.0, bias=False, times=[1.0])
    np.testing.assert_array_equal(flow.held[0, 0], [True, True, False])
    np.testing.assert_allclose(flow.W[0] / tiny, [0, 0, np.exp(2)], rtol=1e-9, atol=1e-15)
    assert flow.a[0] / tiny == pytest.approx(np.exp(2), rel=1e-9)
    # With g = (0, 1, 1) it leaves the first boundary to its inactive side and slides on the second along
    # h = (-.48, .36, 1), |h|² = 1.36.
    X[2], h, rate = [0.0, 1.0, 1.0], np.array([-0.48, 0.36, 1.0]), np.sqrt(1.36)
    flow = general_flow_oracle([[0, 0, tiny]], [tiny], X, y, 2.0, bias=False, times=[1.0])
    np.testing.assert_array_equal(flow.held[0, 0], [False, True, False])
    along = np.cosh(2 * rate) / rate + np.sinh(2 * rate)
    np.testing.assert_allclose(flow.W[0] / tiny, [0, 0, 1] + (along / rate - 1 / rate**2) * h, rtol=1e-9, atol=1e-9)
    assert flow.a[0] / tiny == pytest.approx(np.cosh(2 * rate) + np.sinh(2 * rate) / rate, rel=1e-9)


@pytest.mark.parametrize("loss", ["squared", "logistic", "cross_entropy", "huber"])
def test_the_flow_starts_down_the_slope_of_the_loss(loss):
    rng = np.random.default_rng(5)
    W, a, X = rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), rng.normal(size=(6, 2))
    y = {"logistic": np.sign(rng.normal(size=(6, 2))), "cross_entropy": np.eye(2)[rng.integers(2, size=6)]}.get(
        loss, 2 * rng.normal(size=(6, 2))
    )
    h = 1e-6
    flow = general_flow_oracle(W, a, X, y, h, loss=loss)
    for values, moved in ((W, flow.W), (a, flow.a)):
        for index in np.ndindex(values.shape):
            kept = values[index]
            values[index] = kept + h
            up = general_loss(W, a, X, y, loss=loss)
            values[index] = kept - h
            down = general_loss(W, a, X, y, loss=loss)
            values[index] = kept
            # First and second differences leave errors of order h, and rounding of 1e-16 / h.
            assert (moved[index] - kept) / h == pytest.approx(-(up - down) / (2 * h), abs=3e-5)


def test_the_losses_as_written_in_books():
    one = ([[1.0]], [1.0], [[2.0], [0.5]])
    assert general_loss(*one, [1.0, 1.0], bias=False) == pytest.approx((0.5 + 0.125) / 2)
    logistic = np.mean([np.log(1 + np.exp(-2.0)), np.log(1 + np.exp(0.5))])
    assert general_loss(*one, [1.0, -1.0], bias=False, loss="logistic") == pytest.approx(logistic)
    assert general_loss(*one, [4.0, 1.0], bias=False, loss="huber") == pytest.approx((1.5 + 0.125) / 2)
    entropy = -np.log(np.exp(1.0) / (np.exp(1.0) + np.exp(-2.0)))
    assert general_loss(
        [[1.0]], [[1.0, -2.0]], [[1.0]], [[1.0, 0.0]], bias=False, loss="cross_entropy"
    ) == pytest.approx(entropy)


# ------------------------------------------------------------------------------------- what must always hold


def random_problem(seed, n_features, n_outputs=1, scale=0.3):
    rng = np.random.default_rng([seed, n_features])
    n_samples, n_neurons = 4 + seed % 4, 3 + seed % 3
    X, y = rng.uniform(-1.5, 1.5, (n_samples, n_features)), rng.normal(size=(n_samples, n_outputs))
    W, a = scale * rng.normal(size=(n_neurons, n_features + 1)), scale * rng.normal(size=(n_neurons, n_outputs))
    return (W, a[:, 0], X, y[:, 0]) if n_outputs == 1 else (W, a, X, y)


@pytest.mark.parametrize("number", [0, 3, 6, 9])
def test_in_one_dimension_it_agrees_with_the_oracle_for_one_dimension(number):
    problem = PROBLEMS[number]
    W, a, x, y = problem.draw()
    times = [0.3 * problem.t_end, 0.7 * problem.t_end]
    expected = flow_oracle(W, a, x, y, problem.t_end, times=times)
    found = general_flow_oracle(W, a, x, y, problem.t_end, times=times)
    np.testing.assert_allclose(found.W, expected.W, rtol=1e-8)
    np.testing.assert_allclose(found.states_a, expected.states_a, rtol=1e-8)
    slides_on = np.where(found.held.any(axis=-1), np.argmax(found.held, axis=-1), -1)
    np.testing.assert_array_equal(slides_on, expected.slides_on)
    rows, expected_rows = (sequences(flow.switches, len(a)) for flow in (found, expected))
    assert [[s[:2] for s in row] for row in rows] == [[s[:2] for s in row] for row in expected_rows]
    np.testing.assert_allclose(
        [s[2] for row in rows for s in row], [s[2] for row in expected_rows for s in row], rtol=1e-8
    )


def test_difference_of_squares_is_conserved():
    for seed in range(4):
        W, a, X, y = random_problem(seed, 2 + seed, n_outputs=2)
        flow = general_flow_oracle(W, a, X, y, 15.0)
        before, after = (np.sum(w**2, axis=1) - np.sum(b**2, axis=1) for w, b in ((W, a), (flow.W, flow.a)))
        np.testing.assert_allclose(after, before, atol=1e-10 * np.max(flow.W**2))


def shortest_velocity(w, b, others, held, residual, inputs):
    """Filippov velocity of one neuron by bounded least squares: right where all held samples push back."""
    rest = sum(((b @ residual[k]) * inputs[k] for k in others), start=np.zeros(len(w)))
    pushes = np.array([(b @ residual[k]) * inputs[k] for k in held])
    share = lsq_linear(pushes.T, -rest, bounds=(0, 1), tol=1e-14).x
    return rest + share @ pushes, share


def test_sliders_stay_on_their_boundaries_and_follow_the_shortest_velocity():
    seen = {1: 0, 2: 0, 3: 0}
    gap = 1e-5
    for seed in range(9):
        d = 3 + seed % 3
        W, a, X, y = random_problem(seed, d, n_outputs=1 + seed % 2, scale=0.1)
        t_end = 12.0
        times = np.sort([*np.linspace(0.5, t_end - 1, 12), *(np.linspace(0.5, t_end - 1, 12) + gap)])
        flow = general_flow_oracle(W, a, X, y, t_end, times=times)
        inputs, labels = np.column_stack([X, np.ones(len(X))]), y.reshape(len(X), -1)
        outputs = flow.states_a.reshape(*flow.states_W.shape[:2], -1)
        for i in range(0, len(times), 2):
            w, b = flow.states_W[i], outputs[i]
            if any(times[i] <= time <= times[i + 1] for time, *_ in flow.switches):
                continue
            pre = w @ inputs.T
            residual = (labels - np.maximum(pre, 0.0).T @ b) / len(X)
            for j in range(len(w)):
                held = np.flatnonzero(flow.held[i, j])
                if held.size == 0:
                    continue
                assert np.max(np.abs(pre[j, held])) <= 1e-13
                others = [k for k in np.flatnonzero(pre[j] > 0) if k not in held]
                velocity, share = shortest_velocity(w[j], b[j], others, held, residual, inputs)
                # Differences over a short time; rounding of 1e-16 and curvature leave this.
                found = (flow.states_W[i + 1, j] - w[j]) / gap
                np.testing.assert_allclose(found, velocity, atol=1e-4 * np.max(np.abs(velocity)) + 1e-9)
                assert np.all(b[j] @ residual[held].T < 0)
                assert np.all((share > 0) & (share < 1))
                seen[held.size] += 1
    assert seen[1] >= 60
    assert seen[2] >= 10


# In the first, a neuron that slides on one sample leaves another's boundary and is back after 8e-4 time units.
STEPS = (
    GeneralFlowProblem(1, "unbalanced", 0.01, 3, True, 2, "squared", 11, 14, 1.6),
    GeneralFlowProblem(5, "gaussian", 0.1, 4, False, 1, "huber", 8, 8, 6.0),
    GeneralFlowProblem(6, "balanced", 0.1, 2, True, 3, "cross_entropy", 8, 8, 12.0),
)


@pytest.mark.parametrize("problem", STEPS, ids=lambda problem: problem.loss)
def test_switches_do_not_depend_on_where_steps_end(problem):
    W, a, X, y = problem.draw()
    many = np.linspace(0.0, problem.t_end, 40)
    coarse, fine = (
        general_flow_oracle(W, a, X, y, problem.t_end, bias=problem.bias, loss=problem.loss, rtol=rtol, times=times)
        for rtol, times in ((1e-11, ()), (1e-12, many))
    )
    assert coarse.count("slide") >= 3
    rows, expected = (sequences(flow.switches, len(a)) for flow in (coarse, fine))
    assert [[s[:2] for s in row] for row in rows] == [[s[:2] for s in row] for row in expected]
    np.testing.assert_allclose([s[2] for row in rows for s in row], [s[2] for row in expected for s in row], rtol=1e-9)
    apart = np.linalg.norm(as_rows(coarse.W, coarse.a) - as_rows(fine.W, fine.a), axis=1)
    assert np.all(apart <= 1e-9 * np.linalg.norm(fine.W, axis=1))


def test_turning_the_inputs_turns_the_weights():
    W, a, X, y = random_problem(2, 3)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    inputs = np.column_stack([X, np.ones(len(X))])
    plain = general_flow_oracle(W, a, X, y, 12.0)
    turned = general_flow_oracle(W @ turn, a, inputs @ turn, y, 12.0, bias=False)
    assert plain.count("slide") > 0
    np.testing.assert_allclose(turned.W, plain.W @ turn, atol=1e-9)
    assert [s[1:] for s in turned.switches] == [s[1:] for s in plain.switches]


def test_turning_the_outputs_turns_the_output_weights():
    W, a, X, y = random_problem(3, 3)
    turn = np.array([0.6, 0.8])
    plain = general_flow_oracle(W, a, X, y, 12.0)
    turned = general_flow_oracle(W, np.outer(a, turn), X, np.outer(y, turn), 12.0)
    assert plain.count("slide") > 0
    np.testing.assert_allclose(turned.W, plain.W, atol=1e-9)
    np.testing.assert_allclose(turned.a, np.outer(plain.a, turn), atol=1e-9)
    assert [s[1:] for s in turned.switches] == [s[1:] for s in plain.switches]


# ------------------------------------------------------------------------------------------- the three rules

# A switch is located on the interpolant of a step, which is a little less accurate than its end.
LOCATED = 1e-9


def test_a_neuron_without_weights_or_without_active_samples_rests():
    X, W = [[0.0, 1.0], [1.0, 0.3]], [[0.0, 0.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.5]]
    flow = general_flow_oracle(W, [1.0, 1.0, 0.5], X, [1.0, -1.0], 3.0)
    np.testing.assert_array_equal(flow.W[:2], W[:2])
    np.testing.assert_array_equal(flow.a[:2], [1.0, 1.0])
    assert flow.a[2] != 0.5


def test_a_dead_neighbour_absorbs():
    # One sample to be pushed down: the neuron leaves it and must stop there, not slide.
    flow = general_flow_oracle([[0.3, 0.1, 0.4]], [1.0], [[0.5, -1.0]], [-1.0], 10.0)
    assert [kind for *_, kind in flow.switches] == ["off"]
    assert flow.W[0] @ [0.5, -1.0, 1.0] == pytest.approx(0.0, abs=LOCATED)


def test_a_slider_whose_last_sample_goes_is_absorbed():
    # It slides on sample 0, which pushes back, and sample 1 alone moves it, until that is no longer active either.
    X, y = [[1.0, 0.0, 0.0], [-0.6, 0.8, 0.0]], [-2.0, -1.0]
    flow = general_flow_oracle([[0.0, 0.5, 1.0]], [0.7], X, y, 20.0, bias=False, times=[0.1])
    np.testing.assert_array_equal(flow.held[0, 0], [True, False])
    assert {s[1:] for s in flow.switches} == {(0, 0, "release"), (0, 1, "off")}
    np.testing.assert_allclose(flow.W, [[0.0, 0.0, 1.0]], atol=LOCATED)


def test_a_ray_that_shrinks_to_nothing_stays_at_rest():
    # Without bias in one dimension there is nothing but a ray; |a| > |w| brings w to 0 in finite time: while
    # the residual is about -1, w = .1 cosh t - .5 sinh t vanishes at tanh t = .2.
    flow = general_flow_oracle([[1e-7]], [5e-7], [[1.0]], [-1.0], 3.0, bias=False)
    [(time, neuron)] = flow.at_rest
    assert neuron == 0
    assert time == pytest.approx(np.arctanh(0.2), abs=1e-9)
    np.testing.assert_array_equal(flow.W, 0.0)


# ----------------------------------------------------------------------------------- inputs on one hyperplane


def test_parallel_and_antipodal_inputs_share_a_boundary():
    # Samples 0, 3 (antipodal) and 4 (parallel) lie on one line and share a boundary. There three neurons slide, and are
    # released.
    X = np.array([[1.0, 0.2], [-0.3, 1.0], [0.4, -0.9], [-1.0, -0.2], [2.0, 0.4]])
    y = np.array([-1.0, 1.6, -0.8, -1.2, -0.5])
    rng = np.random.default_rng(9)
    W, a = 0.2 * rng.normal(size=(8, 2)), 0.2 * rng.normal(size=8)
    flow = general_flow_oracle(W, a, X, y, 6.0, bias=False)
    on_the_first = [kind for _, _, k, kind in flow.switches if k == 0]
    assert on_the_first.count("slide") == on_the_first.count("release") == 3
    assert {k for _, _, k, _ in flow.switches} <= {0, 1, 2}
    # Descent ends within a multiple of its rate, which does not grow as the rate falls.
    for rate in (2e-3, 5e-4):
        end = descent(W, a, X, y, rate, round(6.0 / rate))
        assert np.max(np.abs(as_rows(*end) - as_rows(flow.W, flow.a))) <= 0.2 * rate


def test_repeated_inputs_act_as_their_mean():
    W, a, X, y = random_problem(4, 2)
    double = general_flow_oracle(W, a, np.vstack([X, X[:1]]), [*y, y[0] + 1.0], 5.0)
    mean = general_flow_oracle(W, a, np.vstack([X, X[:1]]), [y[0] + 0.5, *y[1:], y[0] + 0.5], 5.0)
    np.testing.assert_allclose(double.W, mean.W, rtol=1e-9, atol=1e-12)


# -------------------------------------------------------------------------------------------- plain descent


def descent(W, a, inputs, y, rate, n_steps):
    """Plain full-batch gradient descent on the mean squared loss with relu'(0) = 0, for one or several outputs."""
    W, a, y = np.array(W, dtype=float), np.array(a, dtype=float), np.array(y)
    shape, a, y = a.shape, a.reshape(len(W), -1), y.reshape(len(inputs), -1)
    for _ in range(n_steps):
        pre = W @ inputs.T
        active = pre > 0
        hidden = pre * active
        residual = (y - hidden.T @ a) / len(inputs)
        W, a = W + rate * (active * (a @ residual.T)) @ inputs, a + rate * hidden @ residual
    return W, a.reshape(shape)


@pytest.mark.parametrize(
    ("seed", "n_features", "n_outputs", "most_held", "kinds"),
    [
        (1, 2, 1, 1, {"on", "off", "slide"}),
        (8, 3, 1, 1, {"on", "off", "slide", "release"}),
        (9, 5, 1, 1, {"on", "slide", "release"}),
        (11, 2, 1, 2, {"on", "off", "slide"}),
        (11, 3, 1, 2, {"off", "slide"}),
        (8, 4, 1, 2, {"off", "slide", "release"}),
        (11, 5, 1, 2, {"on", "slide", "release"}),
        (2, 4, 1, 3, {"on", "off", "slide", "release"}),
        (8, 3, 2, 2, {"on", "slide", "release"}),
        (5, 4, 2, 3, {"on", "off", "slide", "release"}),
    ],
)
def test_descent_converges_to_the_oracle_at_first_order(seed, n_features, n_outputs, most_held, kinds):
    W, a, X, y = random_problem(seed, n_features, n_outputs)
    t_end = 6.4
    flow = general_flow_oracle(W, a, X, y, t_end)
    assert flow.most_held == most_held
    assert {kind for *_, kind in flow.switches} == kinds
    inputs = np.column_stack([X, np.ones(len(X))])
    rates = np.array([8e-3, 4e-3, 2e-3, 1e-3])
    ends = [descent(W, a, inputs, y, rate, round(t_end / rate)) for rate in rates]
    errors = np.array([np.linalg.norm(as_rows(*end) - as_rows(flow.W, flow.a)) for end in ends])
    # First order: the error is a multiple of the rate. Where a slider chatters, the multiple depends on where in
    # its last zigzag descent stands, so it scatters, but it does not grow as the rate falls by 8.
    assert np.max(errors / rates) <= 3 * np.min(errors / rates)
    assert errors[-1] < 1e-3
