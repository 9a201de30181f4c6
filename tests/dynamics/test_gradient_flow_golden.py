"""The flow against closed forms, known limits and the theorems that it must obey.

Formulas that are stated for the summed loss ½ Σ r² hold for the mean loss 1/(2n) Σ r² with times n times as
long and losses divided by n. Formulas for one input without bias and |x| = 2 hold for the input x = √3 with
bias, because they only need the length of (x, 1).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reluquant as rq
from tests.strategies import balanced_networks, datasets, generic_reals, networks, seeds

X_LENGTH_2 = np.sqrt(3.0)
UNIT = np.array([X_LENGTH_2, 1.0]) / 2
# A flow computed to rtol 1e-9 meets closed forms to this.
CLOSED_FORM = 1e-7


def follow(W, a, x, y, **options):
    return rq.gradient_flow(rq.ShallowReLU(W, a), rq.Dataset(x, y), progress=False, **options)


def outputs(traj, times, x):
    return np.array([traj.at(t)(x) for t in times])


# ---------------------------------------------------------------------------------- one neuron, one sample


@pytest.mark.parametrize(("x", "y", "start"), [(X_LENGTH_2, 3.0, 1e-3), (0.0, 0.7, 1e-5), (-1.2, 2.0, 1e-30)])
def test_an_aligned_balanced_neuron_follows_the_logistic_formula(x, y, start):
    # m = f(x): ṁ = 2 |x̃| m (y - m). Derived; independent of reluquant.
    length = np.hypot(x, 1.0)
    m0 = length * start**2
    rise = np.log(y / m0) / (2 * length * y)
    times = np.linspace(0.5, 1.15, 9) * rise
    traj = follow([start * np.array([x, 1.0]) / length], [start], [x], [y], t_max=times[-1])
    expected = y / (1 + (y / m0 - 1) * np.exp(-2 * length * y * times))
    np.testing.assert_allclose(outputs(traj, times, x), expected, rtol=CLOSED_FORM)
    assert traj.switches.size == 0


def test_the_logistic_formula_as_printed_numbers():
    # |x̃| = 2, y = 3, m0 = 2e-6; from the closed form, evaluated to nine digits.
    traj = follow([1e-3 * UNIT], [1e-3], [X_LENGTH_2], [3.0], t_max=1.5)
    np.testing.assert_allclose(
        outputs(traj, [0.5, 1.0, 1.5], X_LENGTH_2), [8.0664118e-4, 0.29364803, 2.93299584], rtol=CLOSED_FORM
    )


def test_an_unbalanced_neuron_turns_its_output_weight_positive():
    # |x̃| = 2, y = 3, |w| = 2e-3, a = -1e-3: f(1.3) = 1.494549 by a high-order integrator.
    traj = follow([2e-3 * UNIT], [-1e-3], [X_LENGTH_2], [3.0], t_max=1.3)
    assert traj.at(0.0).a[0] < 0 < traj.final.a[0]
    assert traj.final(X_LENGTH_2) == pytest.approx(1.494549, abs=1e-6)
    # While r is frozen, the half-sum and half-difference of |w| and a grow and shrink as e^{±6t}.
    early = traj.at(0.2)
    assert early.a[0] == pytest.approx(0.5e-3 * np.exp(1.2) - 1.5e-3 * np.exp(-1.2), rel=1e-4)


@pytest.mark.parametrize("tiny", [1e-8, 1e-30, 1e-200])
def test_a_tiny_neuron_aligns_as_the_half_angle_formula_says(tiny):
    # tan(φ/2) falls as e^{-|g|t}; |g| = r |x̃| = 5 and φ(0) = 1.2 give φ(1) = .00921928981.
    angle = np.arctan2(UNIT[1], UNIT[0]) + 1.2
    traj = follow([[tiny * np.cos(angle), tiny * np.sin(angle)]], [tiny], [X_LENGTH_2], [2.5], t_max=1.0)
    times = np.linspace(0.0, 1.0, 6)
    states = traj.states(times)
    turned = np.arctan2(states.W[:, 0, 1], states.W[:, 0, 0]) - np.arctan2(UNIT[1], UNIT[0])
    np.testing.assert_allclose(turned, 2 * np.arctan(np.tan(0.6) * np.exp(-5 * times)), atol=1e-9)
    assert turned[-1] == pytest.approx(0.00921928981, abs=1e-9)
    # Balanced: |w| = |w(0)| (cosh 5t + cos φ0 sinh 5t).
    growth = states.log_norm[-1, 0] - states.log_norm[0, 0]
    assert growth == pytest.approx(np.log(np.cosh(5) + np.cos(1.2) * np.sinh(5)), abs=1e-8)


# ---------------------------------------------------------------------------------------- sliding and release


@pytest.mark.parametrize("start", [1e-1, 1e-3, 1e-9])
def test_a_slider_is_released_when_its_multiplier_reaches_zero(start):
    # x = 0, 1, 2, y = -6, 1, 4. Summed loss: the neuron slides at x = 0 with λ = (5 - 3m)/6, m = a w, while
    # ṁ = 2m (9 - 5m); released at m = 5/3, t = (1/18) ln[(1.8/m0 - 1)/.08]. Ends at kink 2/3 with loss 18.
    x, y, n = np.array([0.0, 1.0, 2.0]), np.array([-6.0, 1.0, 4.0]), 3
    traj = follow([[start, 0.0]], [start], x, y)
    release = n * np.log((1.8 / start**2 - 1) / 0.08) / 18
    if start == 1e-3:
        assert release == pytest.approx(n * 0.940501406, rel=1e-9)
    [switch] = traj.switches
    assert (switch["neuron"], switch["sample"], switch["kind"]) == (0, 0, "release")
    assert switch["time"] == pytest.approx(release, rel=CLOSED_FORM)

    times = np.linspace(0.0, 0.999 * release, 12)
    states = traj.states(times)
    m = states.a[:, 0] * states.W[:, 0, 0]
    np.testing.assert_array_equal(states.slides_on[:, 0], 0)
    np.testing.assert_array_equal(states.W[:, 0, 1], 0.0)
    expected = 1.8 / (1 + (1.8 / start**2 - 1) * np.exp(-18 * times / n))
    np.testing.assert_allclose(m, expected, rtol=CLOSED_FORM)
    # λ = q/(q - p) from the residuals of the network: q and p are the velocities of w·x̃_0 on both sides, over a.
    residual = (y - outputs(traj, times, x)) / n
    q = residual[:, 1] + residual[:, 2]
    multiplier = q / (q - (q + residual[:, 0]))
    np.testing.assert_allclose(multiplier, (5 - 3 * expected) / 6, atol=CLOSED_FORM)
    assert np.all((multiplier > 0) & (multiplier < 1))

    assert traj.states([1.01 * release]).slides_on[0, 0] == -1
    assert traj.end == "stationary"
    assert -traj.final.W[0, 1] / traj.final.W[0, 0] == pytest.approx(2 / 3, abs=1e-6)
    assert traj.loss[-1] == pytest.approx(18 / n, rel=1e-9)


def test_a_dead_neighbour_absorbs():
    # The only sample pushes the neuron off; beyond it nothing acts, so the neuron stops there and does not slide.
    traj = follow([[0.3, 0.4]], [1.0], [0.5], [-1.0])
    assert traj.switches["kind"].tolist() == ["off"]
    assert traj.end == "stationary"
    assert traj.states([traj.t[-1]]).slides_on[0, 0] == -1
    assert traj.final.W[0] @ [0.5, 1.0] == pytest.approx(0.0, abs=1e-9)


def test_zero_weights_stay_at_rest():
    traj = follow([[0.0, 0.0], [0.6, 0.8]], [0.5, 1.0], [0.0, 1.0], [1.0, 0.5], t_max=5.0)
    np.testing.assert_array_equal(traj.final.W[0], 0.0)
    assert traj.final.a[0] == 0.5
    assert traj.final.a[1] != 1.0


# ------------------------------------------------------------------------ many tiny neurons: where they end up

ABS = rq.Dataset([-1.0, -0.5, 0.0, 0.5, 1.0], [1.0, 0.5, 0.0, 0.5, 1.0])
# Boursier & Flammarion (2024), arXiv:2401.10791.
THREE_POINTS = rq.Dataset([-0.75, -0.5, 0.125], [1.1, 0.1, 0.8])
TWO_POINTS = rq.Dataset([-1.0, 1.0], [-1.0, 1.0])
TENT = rq.Dataset([-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
TWO_KINKS = rq.Dataset([-3.0, -2.0, 2.0, 3.0], [3.2, 2.2, 2.2, 3.2])
# Enough that every basin has neurons of both signs.
MANY = 60


def from_tiny(data, scale, seed, **options):
    net = rq.ShallowReLU.balanced(n_neurons=MANY, scale=scale, rng=seed)
    return rq.gradient_flow(net, data, progress=False, **options)


@pytest.mark.parametrize("scale", [1e-8, 1e-12, 1e-100])
@pytest.mark.parametrize("seed", [0, 1])
def test_absolute_value_gets_stuck_at_a_constant(scale, seed):
    # f ≡ .6, loss .35/5: the mean, because all positive neurons end in the sector that is active everywhere.
    traj = from_tiny(ABS, scale, seed)
    assert traj.end == "stationary"
    assert traj.loss[-1] == pytest.approx(0.35 / 5, rel=1e-9)
    np.testing.assert_allclose(traj.final([-1.0, -0.3, 0.0, 0.4, 1.0]), 0.6, atol=1e-8)


@pytest.mark.parametrize("scale", [1e-8, 1e-12, 1e-100])
def test_three_points_get_stuck_on_a_line(scale):
    # The least-squares line, -4/65 x + 251/390; summed loss .262564103.
    traj = from_tiny(THREE_POINTS, scale, 0)
    assert traj.end == "stationary"
    line = -4 / 65 * THREE_POINTS.X[:, 0] + 251 / 390
    np.testing.assert_allclose(traj.final(THREE_POINTS.X), line, atol=1e-7)
    assert traj.loss[-1] == pytest.approx(0.262564103 / 3, abs=1e-9)


@pytest.mark.parametrize("scale", [1e-8, 1e-100])
def test_two_points_end_at_two_hinges(scale):
    traj = from_tiny(TWO_POINTS, scale, 0)
    x = np.linspace(-3, 3, 13)
    expected = (np.maximum(x + 1, 0) - np.maximum(1 - x, 0)) / 2
    np.testing.assert_allclose(traj.final(x), expected, atol=1e-6)
    assert traj.end == "stationary"
    assert traj.loss[-1] < 1e-15


@pytest.mark.parametrize(
    ("data", "level", "limit"),
    [(ABS, (0.25 + 0.07) / 2, 5 / 3), (THREE_POINTS, 0.2, 3 * 0.466221), (TWO_POINTS, 0.25, 2 / np.sqrt(2))],
    ids=["abs", "three-points", "two-points"],
)
def test_the_first_escape_comes_after_a_time_proportional_to_the_logarithm(data, level, limit):
    # t = τ ln(1/scale) + C, with n times the τ of the summed loss: 1/3, .466221, 1/√2.
    logs = np.log(10) * np.array([40, 80, 160])
    t40, t80, t160 = (from_tiny(data, 10.0**-k, 0, stop_loss=level).t[-1] for k in (40, 80, 160))
    slopes = [(t80 - t40) / (logs[1] - logs[0]), (t160 - t80) / (logs[2] - logs[1])]
    np.testing.assert_allclose(slopes, limit, rtol=2e-6)
    # The Richardson value of τ(scale) = t / ln(1/scale) says the same.
    assert 2 * t160 / logs[2] - t80 / logs[1] == pytest.approx(limit, rel=2e-6)


def test_tent_is_fitted_after_two_escapes():
    # Degenerate data (a semistable direction, an algebraic tail), so the tolerances are loose: losses 1, 1/3, 0
    # and τ = .5, 1.37868 for the summed loss.
    scale, n = 1e-100, 3
    traj = from_tiny(TENT, scale, 0)
    np.testing.assert_allclose(traj.final(TENT.X), TENT.y, atol=1e-4)
    times = [np.interp(-level / n, -traj.loss, traj.t) / np.log(1 / scale) / n for level in (2 / 3, 1 / 6)]
    np.testing.assert_allclose(times, [0.5, 1.37868], rtol=0.02)
    between = np.interp(0.9 * n * np.log(1 / scale), traj.t, traj.loss)
    assert between == pytest.approx(1 / 3 / n, rel=0.01)


def test_two_kinks_in_one_gap():
    # y = |x| + .2 on ±2, ±3: both hinges rest inside (-2, 2), where lines through the outer pairs meet zero.
    final = from_tiny(TWO_KINKS, 1e-10, 0).final
    np.testing.assert_allclose(final(TWO_KINKS.X), TWO_KINKS.y, atol=1e-6)
    mass = np.abs(final.a) * final.norms
    kinks = -final.W[:, 1] / final.W[:, 0]
    heavy = kinks[mass > 1e-3 * mass.max()]
    assert np.all(np.abs(heavy) < 2)
    np.testing.assert_allclose([heavy[heavy < 0].mean(), heavy[heavy > 0].mean()], [-0.2, 0.2], atol=1e-4)
    np.testing.assert_allclose([heavy[heavy < 0].std(), heavy[heavy > 0].std()], 0.0, atol=1e-4)


# ------------------------------------------------------------------------------------------------- theorems


def imbalance(W, a):
    return np.sum(np.square(W), axis=-1) - np.square(a)


@pytest.mark.parametrize("kind", ["balanced", "gaussian"])
def test_the_difference_of_squares_is_conserved_over_long_times(kind):
    # abs(D(t) - D(0)) <= 1e-10 max(|w|² + a²) over 1e5 time units: two close pairs give the flow a long tail.
    # The inputs are random but fixed; a start at which no slider vanishes.
    x, y = [-1.1, -1.08, -0.2, 0.3, 0.9, 0.93, 1.4], [0.4, -0.3, 0.8, -0.9, 0.2, 0.5, -0.4]
    net = getattr(rq.ShallowReLU, kind)(n_neurons=40, scale=1e-2, rng=3)
    traj = rq.gradient_flow(net, rq.Dataset(x, y), progress=False, t_max=1e5)
    states = traj.states(np.linspace(0.0, 1.0, 25) ** 4 * traj.t[-1])
    drift = np.abs(imbalance(states.W, states.a) - imbalance(net.W, net.a))
    assert np.max(drift) <= 1e-10 * np.max(np.sum(states.W**2, axis=-1) + states.a**2)
    assert np.all(np.diff(traj.loss) <= 0)


@settings(max_examples=60)
@given(net=networks(), data=datasets())
def test_loss_never_rises(net, data):
    traj = rq.gradient_flow(net, data, t_max=50.0, progress=False)
    # Steps of the loss below rounding of its own terms may have either sign.
    assert np.all(np.diff(traj.loss) <= 1e-15 * traj.loss[0])
    assert np.all(np.diff(traj.t) > 0)


@settings(max_examples=60)
@given(net=networks(), data=datasets(), share=generic_reals(0.0, 1.0))
def test_loss_is_that_of_the_network_at_that_time(net, data, share):
    traj = rq.gradient_flow(net, data, t_max=50.0, progress=False)
    step = int(share * traj.n_steps)
    residual = traj.at(traj.t[step])(data.X) - data.y
    assert traj.loss[step] == pytest.approx(0.5 * np.mean(residual**2), rel=1e-9, abs=1e-14 * traj.loss[0])


@settings(max_examples=60)
@given(net=networks(), data=datasets(), share=generic_reals(0.0, 1.0))
def test_the_difference_of_squares_is_conserved(net, data, share):
    traj = rq.gradient_flow(net, data, t_max=50.0, progress=False)
    at = traj.at(share * traj.t[-1])
    # Relative to the neuron's own largest size on the way, which its size then and at the start bounds below.
    size = np.sum(at.W**2, axis=1) + at.a**2 + np.sum(net.W**2, axis=1) + net.a**2
    assert np.all(np.abs(imbalance(at.W, at.a) - imbalance(net.W, net.a)) <= 1e-10 * size)


# Short enough that a difference in rounding does not reach an unstable branch.
SYMMETRY_TIME = 8.0
SYMMETRIC = 1e-6
# A kink closer than this to a sample is on it but for rounding.
ON_A_SAMPLE = 1e-12


def weights_at_end(net, data):
    traj = rq.gradient_flow(net, data, t_max=SYMMETRY_TIME, progress=False)
    final = traj.at(traj.t[-1])
    return np.column_stack([final.W, final.a]), traj


def assert_same_weights(found, expected):
    # Each neuron relative to its own size: dormant ones count as much as heavy ones.
    apart = np.linalg.norm(found - expected, axis=1)
    assert np.all(apart <= SYMMETRIC * np.linalg.norm(expected, axis=1))


@settings(max_examples=40)
@given(net=balanced_networks(), data=datasets(), seed=seeds)
def test_permuted_neurons_and_samples_give_permuted_results(net, data, seed):
    rng = np.random.default_rng(seed)
    neurons, samples = rng.permutation(net.n_neurons), rng.permutation(data.n_samples)
    expected, traj = weights_at_end(net, data)
    shuffled = rq.ShallowReLU(net.W[neurons], net.a[neurons])
    found, other = weights_at_end(shuffled, rq.Dataset(data.X[samples], data.y[samples]))
    assert_same_weights(found, expected[neurons])
    first = {(int(s["neuron"]), int(s["sample"]), str(s["kind"])) for s in traj.switches}
    second = {(int(neurons[s["neuron"]]), int(samples[s["sample"]]), str(s["kind"])) for s in other.switches}
    assert first == second


@settings(max_examples=40)
@given(net=balanced_networks(), data=datasets())
def test_mirrored_inputs_give_mirrored_results(net, data):
    mirror = np.array([-1.0, 1.0])
    expected, _ = weights_at_end(net, data)
    found, _ = weights_at_end(rq.ShallowReLU(net.W * mirror, net.a), rq.Dataset(-data.X, data.y))
    assert_same_weights(found * [-1.0, 1.0, 1.0], expected)


@settings(max_examples=40)
@given(net=balanced_networks(), data=datasets())
def test_mirrored_labels_and_outputs_give_mirrored_results(net, data):
    expected, _ = weights_at_end(net, data)
    found, _ = weights_at_end(rq.ShallowReLU(net.W, -net.a), rq.Dataset(data.X, -data.y))
    assert_same_weights(found * [1.0, 1.0, -1.0], expected)


@settings(max_examples=40)
@given(net=networks(max_neurons=6), data=datasets(), copies=st.integers(2, 3))
def test_duplicated_neurons_stay_duplicated(net, data, copies):
    # k copies of a neuron, each 1/√k as large, are that neuron.
    root = np.sqrt(copies)
    many = rq.ShallowReLU(np.tile(net.W / root, (copies, 1)), np.tile(net.a / root, copies))
    found, _ = weights_at_end(many, data)
    first, *others = found.reshape(copies, net.n_neurons, 3)
    for other in others:
        np.testing.assert_array_equal(other, first)


@settings(max_examples=40)
@given(net=balanced_networks(), data=datasets(), factor=generic_reals(0.5, 2.0))
def test_scaled_labels_and_time(net, data, factor):
    # θ → c θ with y → c² y and t → t / c² maps solutions to solutions.
    traj = rq.gradient_flow(net, data, t_max=SYMMETRY_TIME, progress=False)
    scaled = rq.gradient_flow(
        rq.ShallowReLU(factor * net.W, factor * net.a),
        rq.Dataset(data.X, factor**2 * data.y),
        t_max=SYMMETRY_TIME / factor**2,
        progress=False,
    )
    end = min(traj.t[-1], scaled.t[-1] * factor**2)
    expected, found = traj.at(end), scaled.at(min(end / factor**2, scaled.t[-1]))
    assert_same_weights(np.column_stack([found.W, found.a]) / factor, np.column_stack([expected.W, expected.a]))


@settings(max_examples=40)
@given(net=balanced_networks(), data=datasets(), share=generic_reals(0.1, 0.9))
def test_a_run_continued_from_the_middle_ends_in_the_same_place(net, data, share):
    # The flow has no memory: only the weights count.
    expected, traj = weights_at_end(net, data)
    middle = share * traj.t[-1]
    if middle == 0:
        return
    there = traj.at(middle)
    pre = np.abs(there.W @ data.inputs.T) / np.outer(there.norms, np.linalg.norm(data.inputs, axis=1))
    if np.min(pre) < ON_A_SAMPLE:
        return  # Held there, or absorbed: rounding of the network that is handed over would decide its side.
    rest = rq.gradient_flow(there, data, t_max=traj.t[-1] - middle, progress=False)
    found = rest.final
    assert_same_weights(np.column_stack([found.W, found.a]), expected)
