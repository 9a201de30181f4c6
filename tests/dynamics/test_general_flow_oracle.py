"""The flow against the oracle's in one to five inputs, for one or several outputs and every loss."""

from functools import cache

import numpy as np
import pytest

import reluquant as rq
from tests.flow_problems import FRACTIONS
from tests.general_flow_problems import GOLDEN, PROBLEMS, STARTS, as_rows, is_rich, sequences, solve
from tests.oracles_general import general_flow_oracle, general_loss, release_margins

AGREEMENT = 1e-6
# A sample lets go of a neuron when a difference of pushes vanishes, and weights that agree determine it to AGREEMENT of
# all that the data push. Where it changes more slowly than that fixes the moment, a few releases in a hundred, it is
# the difference that must agree. Even then no release may be further off than this,
RELEASES = 2e-5
# and how fast the difference changes is seen over this share of the time before.
SHORTLY = 1e-4
NUMBERS = range(len(PROBLEMS))
# All take a minute; every fourth is enough for every day.
QUICK = 4
RUNS = [pytest.param(number, marks=() if number % QUICK == 0 else pytest.mark.slow) for number in NUMBERS]
IDS = [f"{p.start}-{p.scale:g}-d{p.n_features}-o{p.n_outputs}-{p.loss}-seed{p.seed}" for p in PROBLEMS]


@cache
def golden_file():
    with np.load(GOLDEN) as stored:
        return {name: stored[name] for name in stored.files}


def golden(number):
    prefix = f"{number:03d}_"
    return {name.removeprefix(prefix): value for name, value in golden_file().items() if name.startswith(prefix)}


def golden_switches(record):
    columns = (record[f"switch_{name}"].tolist() for name in ("time", "neuron", "sample", "kind"))
    return list(zip(*columns, strict=True))


@cache
def follow(number):
    problem, record = PROBLEMS[number], golden(number)
    net = rq.ShallowReLU(record["W0"], record["a0"], bias=problem.bias)
    data = rq.Dataset(record["X"], record["y"], bias=problem.bias)
    return rq.gradient_flow(net, data, loss=problem.loss, t_max=problem.t_end, rtol=1e-9, progress=False)


def worst_neuron(found, expected):
    """Worst distance of a neuron from where it should be, relative to its own norm, at any of the times."""
    return np.max(np.linalg.norm(found - expected, axis=-1) / np.linalg.norm(expected, axis=-1))


def at_other_times(found, expected, n_neurons):
    """(neuron, found, expected) of all switches that do not agree in time; in order and kind all must."""
    found, expected = sequences(found, n_neurons), sequences(expected, n_neurons)
    assert [[s[:2] for s in row] for row in found] == [[s[:2] for s in row] for row in expected]
    pairs = [(j, *pair) for j in range(n_neurons) for pair in zip(found[j], expected[j], strict=True)]
    return [(j, s, t) for j, s, t in pairs if abs(s[2] - t[2]) > AGREEMENT * t[2]]


def assert_same_switches(found, expected, n_neurons):
    assert at_other_times(found, expected, n_neurons) == []


def push_rate(number, neuron, sample, time):
    """How fast the push that lets go of a neuron changes just before, as a share of all that the data push."""
    problem, record = PROBLEMS[number], golden(number)
    moments = time * (1 - SHORTLY * np.array([1.0, 0.5]))
    held = [set() for _ in record["a"]]
    for then, j, k, kind in golden_switches(record):
        if then < moments[1]:
            held[j] = held[j] | {k} if kind == "slide" else held[j] - {k}
    states = follow(number).states(moments)
    first, last = (
        release_margins(W, a, record["X"], record["y"], held, bias=problem.bias, loss=problem.loss)[neuron, sample]
        for W, a in zip(states.W, states.a, strict=True)
    )
    return abs(last - first) / (moments[1] - moments[0])


def test_the_golden_problems_are_of_every_kind():
    records = [golden(number) for number in NUMBERS]
    kinds = [record["switch_kind"].tolist() for record in records]
    assert len(PROBLEMS) >= 100
    for start in STARTS:
        assert sum(p.start == start for p in PROBLEMS) >= len(PROBLEMS) / 4
    assert {p.n_features for p in PROBLEMS} == {1, 2, 3, 4, 5}
    assert sum(not p.bias for p in PROBLEMS) >= 10
    assert sum(p.n_outputs > 1 for p in PROBLEMS) >= 15
    assert sum(p.loss != "squared" for p in PROBLEMS) >= 15
    assert {p.loss for p in PROBLEMS} == {"squared", "logistic", "cross_entropy", "huber"}
    assert sum(is_rich(row) for row in kinds) >= len(PROBLEMS) / 2
    assert sum(record["most_held"] >= 2 for record in records) >= 10
    assert sum(record["most_held"] >= 3 for record in records) >= 3
    assert sum(row.count("slide") for row in kinds) >= 500
    assert sum(row.count("on") for row in kinds) >= 200


@pytest.mark.parametrize("number", RUNS, ids=IDS)
def test_final_weights_agree(number):
    record, traj = golden(number), follow(number)
    assert traj.end == "t_max"
    assert traj.t[-1] == PROBLEMS[number].t_end
    assert worst_neuron(as_rows(traj.final.W, traj.final.a), as_rows(record["W"], record["a"])) <= AGREEMENT


@pytest.mark.parametrize("number", RUNS, ids=IDS)
def test_the_loss_falls_to_that_of_the_final_weights(number):
    problem, record, traj = PROBLEMS[number], golden(number), follow(number)
    expected = general_loss(record["W"], record["a"], record["X"], record["y"], problem.bias, problem.loss)
    assert traj.loss[-1] == pytest.approx(expected, rel=AGREEMENT)
    # Steps of the loss below rounding of its own terms may have either sign.
    assert np.all(np.diff(traj.loss) <= 1e-15 * traj.loss[0])


@pytest.mark.parametrize("number", RUNS, ids=IDS)
def test_states_on_the_way_agree(number):
    # Of the six times in the file these: what comes later rests on what came before, and each costs a replay.
    record, some = golden(number), [1, 4]
    states = follow(number).states(record["times"][some])
    expected = as_rows(record["states_W"][some], record["states_a"][some])
    assert worst_neuron(as_rows(states.W, states.a), expected) <= AGREEMENT


@pytest.mark.parametrize("number", RUNS, ids=IDS)
def test_switches_agree(number):
    record, traj = golden(number), follow(number)
    assert np.all(np.diff(traj.switches["time"]) >= 0)
    for neuron, (kind, sample, time), (*_, expected) in at_other_times(
        traj.switches.tolist(), golden_switches(record), len(record["a"])
    ):
        assert kind == "release"
        assert time == pytest.approx(expected, rel=RELEASES)
        assert abs(time - expected) * push_rate(number, neuron, sample, expected) <= AGREEMENT


@pytest.mark.parametrize("seed", [77, 112])
def test_bends_of_the_residual_inside_a_step_cost_no_accuracy(seed):
    # In 77 clusters of heavy neurons are released together, in 112 samples pass from Huber's lines to his parabola.
    # Steps over such bends as if they were none cost a factor of 100.
    [number] = [i for i in NUMBERS if PROBLEMS[i].seed == seed]
    record, traj = golden(number), follow(number)
    assert worst_neuron(as_rows(traj.final.W, traj.final.a), as_rows(record["W"], record["a"])) <= 1e-2 * AGREEMENT


def test_release_times_are_as_accurate_as_those_of_other_switches():
    n_releases = n_apart = 0
    for number in NUMBERS[::QUICK]:
        record = golden(number)
        n_releases += np.count_nonzero(record["switch_kind"] == "release")
        n_apart += len(at_other_times(follow(number).switches.tolist(), golden_switches(record), len(record["a"])))
    assert n_releases >= 400
    assert n_apart <= 0.05 * n_releases


@pytest.mark.parametrize("number", [27, 45, 84], ids=lambda number: IDS[number])
def test_the_golden_values_are_what_the_oracle_says(number):
    problem, record = PROBLEMS[number], golden(number)
    for name, value in zip(("W0", "a0", "X", "y"), problem.draw(), strict=True):
        # Not bit by bit: norms may be summed in another order.
        np.testing.assert_allclose(record[name], value, rtol=1e-14)
    flow = solve(problem)
    np.testing.assert_allclose(record["times"], FRACTIONS * problem.t_end, rtol=1e-15)
    np.testing.assert_allclose(as_rows(flow.W, flow.a), as_rows(record["W"], record["a"]), rtol=1e-7)
    assert_same_switches(golden_switches(record), flow.switches, problem.n_neurons)


# Two neurons each, without bias: a neuron reaches w = 0 while it slides, and stays there. The flow is not unique there;
# in these cases descent comes to rest, too (elsewhere it may pass through w = 0).
VANISHING = {
    # Neuron 0 slides on samples 1 and 2, so on a ray. The inputs' last feature is 1, so that a sector is dead.
    "on-two-samples": (
        [[-0.06, 0.01, 0.07], [0.03, 0.01, -0.24]], [0.65, 0.8],
        [[-0.7, 0.8, 1.0], [-0.4, 1.0, 1.0], [1.1, -1.2, 1.0], [-1.4, 0.7, 1.0]], [0.7, -1.9, -0.1, -0.4],
    ),
    # Before that, neuron 1 slides on a sample and loses its last active one: absorbed, it lets go of both at once.
    "beside-an-absorbed-slider": (
        [[0.02, 0.081, 0.008], [0.016, -0.051, 0.096]], [0.448, 0.88],
        [[-0.9, -0.5, 1.5], [1.0, 1.3, 0.8], [-0.9, 0.7, -0.1], [0.3, 1.0, 1.1]], [-1.1, -1.7, -1.2, 1.1],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", VANISHING)
def test_a_slider_that_shrinks_to_nothing_stays_at_rest(case):
    W, a, X, y = VANISHING[case]
    times = np.linspace(0.1, 6.0, 30)
    flow = general_flow_oracle(W, a, X, y, 6.0, bias=False, times=times)
    [(vanished, neuron)] = flow.at_rest
    assert neuron == 0
    assert vanished < 3.0
    traj = rq.gradient_flow(
        rq.ShallowReLU(W, a, bias=False), rq.Dataset(X, y, bias=False), t_max=6.0, rtol=1e-9, progress=False
    )
    # By the stationarity test it may end before the time asked for; then nothing moves any more.
    states = traj.states(np.minimum(times, traj.t[-1]))
    np.testing.assert_allclose(states.W, flow.states_W, atol=AGREEMENT)
    np.testing.assert_allclose(states.a, flow.states_a, atol=AGREEMENT)
    # At w = 0 a neuron is on all boundaries at once: on which it is said to be held has no meaning.
    before = vanished * (1 - AGREEMENT)
    found, expected = ([s for s in switches if s[0] < before] for switches in (traj.switches.tolist(), flow.switches))
    assert_same_switches(found, expected, 2)


def unbalanced(seed):
    """A few neurons with |a| > |w| on little data in one to three dimensions: samples soon hold them on a ray."""
    rng = np.random.default_rng(seed)
    p, n_outputs = int(rng.choice([1, 2, 2, 3])), int(rng.choice([1, 1, 2]))
    n_samples, n_neurons = int(rng.integers(max(p - 1, 1), p + 3)) if p > 1 else 3, int(rng.integers(1, 4))
    X, y = 0.05 + np.round(rng.normal(size=(n_samples, p)), 1), np.round(rng.normal(size=(n_samples, n_outputs)), 1)
    W, a = np.round(0.1 * rng.normal(size=(n_neurons, p)), 3), np.round(rng.normal(size=(n_neurons, n_outputs)), 2)
    return (W, a[:, 0], X, y[:, 0]) if n_outputs == 1 else (W, a, X, y)


@pytest.mark.parametrize("seed", [13, 15, 35, 37, 109, 119, 141, 185, 223])
def test_an_unbalanced_neuron_on_a_ray_rests_where_its_weights_vanish(seed):
    W, a, X, y = unbalanced(seed)
    flow = general_flow_oracle(W, a, X, y, 6.0, bias=False)
    assert flow.at_rest
    traj = rq.gradient_flow(
        rq.ShallowReLU(W, a, bias=False), rq.Dataset(X, y, bias=False), t_max=6.0, rtol=1e-9, progress=False
    )
    assert {int(j) for j in np.flatnonzero(~traj.final.W.any(axis=1))} == {j for _, j in flow.at_rest}
    np.testing.assert_allclose(traj.final.W, flow.W, atol=AGREEMENT)
    np.testing.assert_allclose(traj.final.a, flow.a, atol=AGREEMENT)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_repeated_parallel_and_antipodal_inputs_agree(n_outputs):
    # Samples 0, 3 and 5 lie on one line through the origin, and so do 1 and 4: one boundary for each line.
    rng = np.random.default_rng(12)
    X = np.array([[1.0, 0.2], [-0.3, 1.0], [0.4, -0.9], [-1.0, -0.2], [-0.3, 1.0], [2.0, 0.4]])
    y = rng.normal(size=(6, n_outputs))
    W, a = 0.1 * rng.normal(size=(12, 2)), 0.1 * rng.normal(size=(12, n_outputs))
    times = np.linspace(1.0, 20.0, 20)
    flow = general_flow_oracle(W, a, X, y, 20.0, bias=False, times=times)
    assert flow.count("slide") >= 3
    traj = rq.gradient_flow(
        rq.ShallowReLU(W, a, bias=False), rq.Dataset(X, y, bias=False), t_max=20.0, rtol=1e-9, progress=False
    )
    states = traj.states(times)
    assert worst_neuron(as_rows(states.W, states.a), as_rows(flow.states_W, flow.states_a)) <= AGREEMENT


@pytest.mark.parametrize("balanced", [True, False], ids=["balanced", "unbalanced"])
def test_neurons_with_many_weights_agree(balanced):
    # From 3 times as many weights on as the residual's polynomial has terms (7 at this rtol), w·ν is followed by sums.
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(12, 30)), rng.normal(size=12)
    W, a = 1e-3 * rng.normal(size=(8, 30)), 1e-3 * rng.normal(size=8)
    a = np.sign(a) * np.linalg.norm(W, axis=1) if balanced else a
    times = np.linspace(0.2, 4.0, 10)
    flow = general_flow_oracle(W, a, X, y, 4.0, bias=False, times=times)
    assert len(flow.switches) >= 20
    traj = rq.gradient_flow(
        rq.ShallowReLU(W, a, bias=False), rq.Dataset(X, y, bias=False), t_max=4.0, rtol=1e-9, progress=False
    )
    states = traj.states(times)
    assert worst_neuron(as_rows(states.W, states.a), as_rows(flow.states_W, flow.states_a)) <= AGREEMENT
    assert_same_switches(traj.switches.tolist(), flow.switches, 8)
