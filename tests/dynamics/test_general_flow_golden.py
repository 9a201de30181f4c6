"""The flow in several inputs and outputs, and for other losses, against closed forms and known limits.

Formulas that are stated for the summed loss hold for the mean loss over n samples with times n times as long and
losses divided by n.
"""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.special import expi

import reluquant as rq

# A flow computed to rtol 1e-9 meets closed forms to this.
CLOSED_FORM = 1e-6


def follow(W, a, X, y, **options):
    net, data = rq.ShallowReLU(W, a, bias=False), rq.Dataset(X, y, bias=False)
    return rq.gradient_flow(net, data, progress=False, **options)


def outputs(traj, times, x):
    return np.array([traj.at(t)([x])[0] for t in times])


# ---------------------------------------------------------------------------------- one neuron, one sample

# Inputs of length 2, without a bias column.
POINTS = {1: np.array([2.0]), 2: np.array([1.2, 1.6]), 4: np.array([1.0, -1.0, 1.0, -1.0])}
START = 1e-3
M0 = 2 * START**2


def along(x):
    return x / np.linalg.norm(x)


@pytest.mark.parametrize("d", POINTS)
def test_an_aligned_balanced_neuron_follows_the_logistic_formula(d):
    # |x| = 2, y = 3, a0 = |w0| = 1e-3: m = f(x) obeys ṁ = 4m (3 - m). Printed: nine digits of the closed form.
    x, times = POINTS[d], np.array([0.5, 1.0, 1.5])
    traj = follow([START * along(x)], [START], [x], [3.0], t_max=1.5)
    found = outputs(traj, times, x)
    np.testing.assert_allclose(found, 3 / (1 + (3 / M0 - 1) * np.exp(-12 * times)), rtol=CLOSED_FORM)
    np.testing.assert_allclose(found, [8.0664118e-4, 0.29364803, 2.93299584], rtol=CLOSED_FORM)
    assert traj.switches.size == 0


@pytest.mark.parametrize("d", POINTS)
def test_several_outputs_move_along_the_label(d):
    # The same formula for a label of length 3, when a points along it; the second neuron's a is across it, and its
    # sample is always off.
    x, label, times = POINTS[d], np.array([2.0, -1.0, 2.0]), np.array([0.5, 1.0, 1.5])
    W, a = [START * along(x), -START * along(x)], [START * label / 3, [START, 2 * START, 0.0]]
    traj = follow(W, a, [x], [label], t_max=1.5)
    expected = 3 / (1 + (3 / M0 - 1) * np.exp(-12 * times))
    np.testing.assert_allclose(outputs(traj, times, x), expected[:, None] * label / 3, rtol=CLOSED_FORM)
    np.testing.assert_array_equal(traj.final.a[1], a[1])


@pytest.mark.parametrize("d", POINTS)
def test_the_logistic_loss_on_one_sample(d):
    # |x| = 2, y = 1, log(1 + e^{-f}): ṁ = 4m/(1 + e^m), so t(m) = (ln(m/m0) + Ei(m) - Ei(m0))/4.
    x, values = POINTS[d], np.array([0.5, 1.0, 3.0])
    times = (np.log(values / M0) + expi(values) - expi(M0)) / 4
    np.testing.assert_allclose(times, [6.35714545, 6.89065673, 9.17498849], rtol=1e-8)
    traj = follow([START * along(x)], [START], [x], [1.0], loss="logistic", t_max=times[-1])
    np.testing.assert_allclose(outputs(traj, times, x), values, rtol=CLOSED_FORM)
    assert traj.loss[-1] == pytest.approx(np.log1p(np.exp(-3.0)), rel=CLOSED_FORM)
    # With the label -1 and a negative output weight everything is mirrored.
    mirrored = follow([START * along(x)], [-START], [x], [-1.0], loss="logistic", t_max=times[-1])
    np.testing.assert_allclose(outputs(mirrored, times, x), -values, rtol=CLOSED_FORM)


@pytest.mark.parametrize("d", POINTS)
def test_the_cross_entropy_of_two_classes_on_one_sample(d):
    # a = α (1, -1)/√2 and |w| = α keep f = (F, -F); u = 2F obeys u̇ = 4√2 u/(1 + e^u), the logistic formula again.
    x, values = POINTS[d], np.array([0.5, 1.0, 3.0])
    u0 = 2 * np.sqrt(2) * START**2
    times = (np.log(values / u0) + expi(values) - expi(u0)) / (4 * np.sqrt(2))
    across = START * np.array([[1.0, -1.0]]) / np.sqrt(2)
    traj = follow([START * along(x)], across, [x], [[1.0, 0.0]], loss="cross_entropy", t_max=times[-1])
    expected = values[:, None] * [0.5, -0.5]
    np.testing.assert_allclose(outputs(traj, times, x), expected, rtol=CLOSED_FORM)
    assert traj.loss[-1] == pytest.approx(np.log1p(np.exp(-3.0)), rel=CLOSED_FORM)


@pytest.mark.parametrize("d", POINTS)
def test_hubers_loss_on_one_sample(d):
    # |x| = 2, y = 10: as long as y - f > 1 the pull is 1 and m = m0 e^{4t}; from m = 9 on ṁ = 4m (10 - m).
    x, bend = POINTS[d], np.log(9 / M0) / 4
    before, after = np.array([0.5, 0.9, 0.999]) * bend, bend + np.array([1e-3, 0.02, 0.1])
    traj = follow([START * along(x)], [START], [x], [10.0], loss="huber", t_max=after[-1])
    np.testing.assert_allclose(outputs(traj, before, x), M0 * np.exp(4 * before), rtol=CLOSED_FORM)
    expected = 10 / (1 + np.exp(-40 * (after - bend)) / 9)
    np.testing.assert_allclose(outputs(traj, after, x), expected, rtol=CLOSED_FORM)


@pytest.mark.parametrize("d", POINTS)
def test_an_unbalanced_neuron_turns_its_output_weight_positive(d):
    # |x| = 2, y = 3, |w| = 2e-3, a = -1e-3: f(1.3) = 1.494549 by a high-order integrator.
    x = POINTS[d]
    traj = follow([2e-3 * along(x)], [-1e-3], [x], [3.0], t_max=1.3)
    assert traj.at(0.0).a[0] < 0 < traj.final.a[0]
    assert traj.final([x])[0] == pytest.approx(1.494549, abs=1e-6)
    # |w| + a and |w| - a are multiplied and divided by the same number.
    size = np.linalg.norm(traj.final.W)
    assert (size + traj.final.a[0]) * (size - traj.final.a[0]) == pytest.approx(3e-6, rel=CLOSED_FORM)


@pytest.mark.parametrize("d", [2, 4])
@pytest.mark.parametrize("tiny", [1e-8, 1e-30])
def test_a_tiny_neuron_aligns_as_the_half_angle_formula_says(d, tiny):
    # tan(φ/2) falls as e^{-|g|t}; |g| = r |x| = 5 and φ(0) = 1.2 give φ(1) = .00921928981.
    unit = along(POINTS[d])
    aside = along(np.eye(d)[0] - unit[0] * unit)
    traj = follow([tiny * (np.cos(1.2) * unit + np.sin(1.2) * aside)], [tiny], [2 * unit], [2.5], t_max=1.0)
    times = np.linspace(0.0, 1.0, 6)
    W = traj.states(times).W[:, 0] / tiny
    turned = np.arctan2(W @ aside, W @ unit)
    np.testing.assert_allclose(turned, 2 * np.arctan(np.tan(0.6) * np.exp(-5 * times)), rtol=CLOSED_FORM)
    assert turned[-1] == pytest.approx(0.00921928981, rel=CLOSED_FORM)
    np.testing.assert_allclose(
        np.linalg.norm(W, axis=1), np.cosh(5 * times) + np.cos(1.2) * np.sinh(5 * times), rtol=CLOSED_FORM
    )


# --------------------------------------------------------------------------------- sliding on two samples at once

# Samples 0 and 1 hold a neuron that starts at the intersection of their boundaries; sample 2 is what drives it. The
# labels make r = -(1, 2) and 1 while f is small.
BOX = [[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]]
BOX_LABELS = 3 * np.array([-1.0, -2.0, 1.0])


@pytest.mark.parametrize("tiny", [1e-6, 1e-30])
def test_held_by_two_samples_only_the_rest_of_the_drive_is_left(tiny):
    # g = (1, 1, 1): λ = (.25, .625) and v = (0, 0, 1), so that w₃ and a grow as e^t.
    traj = follow([[0.0, 0.0, tiny]], [tiny], [*BOX, [1.0, 1.0, 1.0]], BOX_LABELS, t_max=2.0)
    np.testing.assert_allclose(traj.final.W[0] / tiny, [0.0, 0.0, np.exp(2)], rtol=CLOSED_FORM, atol=CLOSED_FORM)
    assert traj.final.a[0] / tiny == pytest.approx(np.exp(2), rel=CLOSED_FORM)
    np.testing.assert_allclose(np.array(BOX) @ traj.final.W[0] / tiny, 0.0, atol=1e-12)


def test_of_two_samples_the_one_that_need_not_hold_lets_go():
    # g = (0, 1, 1): λ = (0, .4) and v = h = (-.48, .36, 1): the first boundary is left, the second holds. |h|² = 1.36.
    tiny, rate, h = 1e-9, np.sqrt(1.36), np.array([-0.48, 0.36, 1.0])
    traj = follow([[0.0, 0.0, tiny]], [tiny], [*BOX, [0.0, 1.0, 1.0]], BOX_LABELS, t_max=2.0)
    times = np.linspace(0.0, 2.0, 5)
    states = traj.states(times)
    grown = np.cosh(rate * times) / rate + np.sinh(rate * times) - 1 / rate
    expected = np.array([0, 0, 1]) + (grown / rate)[:, None] * h
    np.testing.assert_allclose(states.W[:, 0] / tiny, expected, rtol=CLOSED_FORM, atol=CLOSED_FORM)
    np.testing.assert_allclose(
        states.a[:, 0] / tiny, np.cosh(rate * times) + np.sinh(rate * times) / rate, rtol=CLOSED_FORM
    )


@pytest.mark.parametrize("start", [1e-1, 1e-3, 1e-9])
def test_one_of_two_held_samples_is_released_when_its_multiplier_reaches_zero(start):
    # Held on samples 0 and 1, a neuron has f = (0, 0, m, m, m) with m = a w₃, so that g = (1 - m, 4, 9 - 3m)/5. Hence
    # λ = ((1 - m)/2, 1/2) and ṁ = 6/5 m (3 - m): sample 0 is released at m = 1. Held by sample 1 alone it then fits
    # sample 2, and samples 3 and 4 by their mean.
    X = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [0.0, -1.0, 1.0]]
    y, m0 = [-2.0, -8.0, 1.0, 6.0, 2.0], start**2
    release = 5 / 18 * np.log((3 / m0 - 1) / 2)
    traj = follow([[0.0, 0.0, start]], [start], X, y)
    [switch] = traj.switches
    assert (switch["neuron"], switch["sample"], switch["kind"]) == (0, 0, "release")
    assert switch["time"] == pytest.approx(release, rel=CLOSED_FORM)

    times = np.linspace(0.0, 0.999 * release, 8)
    states = traj.states(times)
    m = states.a[:, 0] * states.W[:, 0, 2]
    np.testing.assert_allclose(m, 3 / (1 + (3 / m0 - 1) * np.exp(-18 / 5 * times)), rtol=CLOSED_FORM)
    np.testing.assert_array_equal(states.W[:, 0, :2], 0.0)
    assert traj.end == "stationary"
    np.testing.assert_allclose(traj.final.a[0] * traj.final.W[0], [-3.0, 0.0, 4.0], atol=CLOSED_FORM)
    assert traj.loss[-1] == pytest.approx(7.6, rel=1e-9)


# ------------------------------------------------------------------------------------------- several outputs


def test_several_outputs_grow_at_the_largest_singular_value():
    # A tiny neuron that is active on all samples obeys (w, a)' = [[0, Mᵀ], [M, 0]] (w, a), M = Σ r_k x̃_kᵀ, r = y/n.
    rng = np.random.default_rng(2)
    X, y = rng.uniform(0.2, 1.5, (4, 3)), rng.normal(size=(4, 2))
    M = y.T @ X / 4
    left, sigma, right = np.linalg.svd(M)
    top = right[0] * np.sign(right[0].sum())
    assert np.all(X @ top > 0)
    tiny, t_end = 1e-60, 16.0 / (sigma[0] - sigma[1])
    z0 = np.concatenate([top + np.array([0.1, -0.1, 0.05]), left[:, 1] + 0.3])
    generator = np.block([[np.zeros((3, 3)), M.T], [M, np.zeros((2, 2))]])
    times = np.linspace(0.0, t_end, 9)
    expected = np.array([expm(t * generator) @ z0 for t in times])
    assert np.all(expected[:, :3] @ X.T > 0)
    traj = follow([tiny * z0[:3]], [tiny * z0[3:]], X, y, t_max=t_end)
    states = traj.states(times)
    found = np.concatenate([states.W[:, 0], states.a[:, 0]], axis=1) / tiny
    apart = np.linalg.norm(found - expected, axis=1)
    assert np.all(apart <= CLOSED_FORM * np.linalg.norm(expected, axis=1))
    grown = np.log(np.linalg.norm(found[-1]) / np.linalg.norm(found[-2])) / (times[-1] - times[-2])
    assert grown == pytest.approx(sigma[0], rel=1e-7)


# ------------------------------------------------------------------------ many tiny neurons: where they end up

# One sample for each of two perpendicular axes.
ORTHOGONAL = rq.Dataset([[1.0, 0.0], [0.0, 1.0]], [1.0, -2.0], bias=False)
XOR = rq.Dataset([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]], [1.0, 1.0, -1.0, -1.0], bias=False)
# Enough that every basin has neurons of both signs.
MANY = 60


def from_tiny(data, scale, seed, **options):
    net = rq.ShallowReLU.balanced(n_features=2, n_neurons=MANY, scale=scale, rng=seed, bias=False)
    return rq.gradient_flow(net, data, progress=False, **options)


def masses(net, directions):
    """Total |a| ‖w‖ within 1e-3 of each direction, and what is left over."""
    mass, unit = np.abs(net.a) * net.norms, net.W / np.maximum(net.norms, 1e-300)[:, None]
    near = np.array([np.linalg.norm(unit - along(np.array(d)), axis=1) < 1e-3 for d in directions])
    return near @ mass, mass[~near.any(axis=0)].sum()


@pytest.mark.parametrize("scale", [1e-8, 1e-30])
@pytest.mark.parametrize("seed", [0, 1])
def test_xor_is_fitted_by_four_groups(scale, seed):
    # f = ½(|x₁ + x₂| - |x₁ - x₂|): four groups of mass 1/√2 along the diagonals. Antipodal inputs share a boundary,
    # and the groups of one diagonal lie on the boundary of the other. Neurons of the wrong sign never grow.
    traj = from_tiny(XOR, scale, seed)
    assert traj.end == "stationary"
    assert traj.loss[0] == pytest.approx(0.5, rel=1e-12)
    assert traj.loss[-1] < 1e-15
    found, rest = masses(traj.final, XOR.X)
    np.testing.assert_allclose(found, np.sqrt(0.5), atol=1e-6)
    assert rest < 1e-6
    x = np.random.default_rng(0).normal(size=(20, 2))
    expected = (np.abs(x.sum(axis=1)) - np.abs(x[:, 0] - x[:, 1])) / 2
    np.testing.assert_allclose(traj.final(x), expected, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-12, 1e-30])
def test_orthogonal_inputs_are_fitted_one_after_the_other(scale):
    # Loss 2.5 → .5 → 0 for the summed loss, at τ = .5 and 1; halved, and at 1 and 2, for the mean.
    traj = from_tiny(ORTHOGONAL, scale, 0)
    assert traj.end == "stationary"
    assert traj.loss[0] == pytest.approx(1.25, rel=1e-12)
    between = np.interp(1.5 * np.log(1 / scale), traj.t, traj.loss)
    assert between == pytest.approx(0.25, rel=1e-4)
    assert traj.loss[-1] < 1e-15
    found, rest = masses(traj.final, ORTHOGONAL.X)
    np.testing.assert_allclose(found, [1.0, 2.0], atol=1e-6)
    assert rest < 1e-6


@pytest.mark.parametrize(
    ("data", "level", "limit"),
    [(ORTHOGONAL, 0.75, 2 * 0.5), (ORTHOGONAL, 0.125, 2 * 1.0), (XOR, 0.25, 4 / np.sqrt(2))],
    ids=["orthogonal-first", "orthogonal-second", "xor"],
)
def test_escapes_come_after_a_time_proportional_to_the_logarithm(data, level, limit):
    # The loss crosses midway between plateaus at t = τ ln(1/scale) + C, with n times the τ of the summed loss.
    logs = np.log(10) * np.array([20, 40, 80])
    t20, t40, t80 = (from_tiny(data, 10.0**-k, 0, stop_loss=level).t[-1] for k in (20, 40, 80))
    slopes = [(t40 - t20) / (logs[1] - logs[0]), (t80 - t40) / (logs[2] - logs[1])]
    np.testing.assert_allclose(slopes, limit, rtol=2e-6)
    # The Richardson value of τ(scale) = t / ln(1/scale) says the same.
    assert 2 * t80 / logs[2] - t40 / logs[1] == pytest.approx(limit, rel=2e-6)


# ------------------------------------------------------------------------------------------------- theorems


def imbalance(W, a):
    return np.sum(np.square(W), axis=-1) - np.sum(np.square(a.reshape(*W.shape[:-1], -1)), axis=-1)


@pytest.mark.parametrize(
    ("kind", "n_outputs", "t_max"),
    [
        ("balanced", 1, 300.0),
        ("gaussian", 2, 300.0),
        *(pytest.param(kind, o, 1e5, marks=pytest.mark.slow) for kind in ("balanced", "gaussian") for o in (1, 2)),
    ],
)
def test_the_difference_of_squares_is_conserved_over_long_times(kind, n_outputs, t_max):
    # abs(D(t) - D(0)) <= 1e-10 max(|w|² + |a|²) over 1e5 time units: two close pairs give the flow a long tail.
    rng = np.random.default_rng(7)
    X = rng.uniform(-1.5, 1.5, (7, 2))
    X[1], X[5] = X[0] + [0.02, -0.01], X[4] + [0.0, 0.03]
    y, drawn = rng.normal(size=(7, n_outputs)), rng.normal(size=(20, n_outputs))
    net = getattr(rq.ShallowReLU, kind)(n_features=2, n_neurons=20, scale=1e-2, rng=3)
    drawn *= (net.norms / np.linalg.norm(drawn, axis=1))[:, None] if kind == "balanced" else 1e-2
    net = rq.ShallowReLU(net.W, drawn if n_outputs > 1 else drawn[:, 0])
    data = rq.Dataset(X, y if n_outputs > 1 else y[:, 0])
    traj = rq.gradient_flow(net, data, progress=False, t_max=t_max)
    assert traj.success
    states = traj.states(np.linspace(0.1, 1.0, 8) ** 4 * traj.t[-1])
    drift = np.abs(imbalance(states.W, states.a) - imbalance(net.W, net.a))
    sizes = np.sum(states.W**2, axis=-1) + np.sum(states.a.reshape(*states.W.shape[:-1], -1) ** 2, axis=-1)
    assert np.max(drift) <= 1e-10 * np.max(sizes)
    # Steps of the loss below rounding of its own terms may have either sign.
    assert np.all(np.diff(traj.loss) <= 1e-15 * traj.loss[0])
