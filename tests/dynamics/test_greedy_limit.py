"""The limit of a vanishing initialisation against closed forms, and against flows of finite scale."""

from __future__ import annotations

import numpy as np
import pytest

import reluquant as rq
from reluquant.dynamics.greedy_limit import _level

ROOT = np.sqrt


def limit(data, net=None, **options):
    return rq.greedy_limit(data, net, progress=False, **options)


def wide(seed=0, n_neurons=60):
    return rq.ShallowReLU.balanced(n_neurons=n_neurons, scale=1.0, rng=seed)


# Provenance: docs/theory.md. Times and losses there are for ½ Σ r²; ours are n times, and one n-th of them.
GOLDEN = {
    "two points": (rq.datasets.two_points(), [1 / ROOT(2)], [1.0, 0.0], "zero loss"),
    "abs": (rq.datasets.absolute(5), [1 / 3], [1.25, 0.35], "spurious"),
    # A mean of squares, and the least-squares line.
    "three points": (rq.datasets.three_points(), [0.466221], [0.93, 0.2625641025641], "spurious"),
    "tent": (rq.datasets.tent(), [0.5, 1.37868], [1.0, 1 / 3, 0.0], "zero loss"),
}


@pytest.mark.parametrize("start", ["populated", "given"])
@pytest.mark.parametrize("name", GOLDEN)
def test_golden_limits(name, start):
    data, taus, losses, end = GOLDEN[name]
    found = limit(data, wide() if start == "given" else None)
    np.testing.assert_allclose(found.taus / data.n_samples, taus, rtol=1e-5)
    # Half-way a plateau's loss is right to the tolerance of the flow.
    np.testing.assert_allclose(found.losses * data.n_samples, losses, atol=1e-9)
    assert found.end == end
    assert found.loss == pytest.approx(found.losses[-1])


@pytest.mark.parametrize("mode", ["tracked", "reseeded"])
def test_every_plateau_has_its_network(mode):
    data = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8])
    found = limit(data, mode=mode)
    assert len(found.networks) == len(found.losses) == len(found.steps) + 1 > 3
    assert found.final is found.networks[-1]
    losses = [np.mean((net(data.X) - data.y) ** 2) / 2 for net in found.networks]
    # Each at the end of its plateau, to the tolerance of the flow.
    np.testing.assert_allclose(losses, found.losses, atol=1e-7)


def test_labels_near_the_end_of_float64_give_networks_without_nan():
    found = limit(rq.Dataset([0.0, 1.0], [1e-200, -1e-200]), wide())
    assert all(np.all(np.isfinite(net.W)) for net in found.networks)


def test_two_points_wake_together_and_make_two_hinges():
    # f = ½ [relu(x + 1) - relu(1 - x)].
    found = limit(rq.datasets.two_points(), wide())
    (step,) = found.steps
    assert step.tied
    assert sorted(step.signs) == [-1, 1]
    # Those of the right sign on the right side, half of all on average.
    assert min(map(len, step.groups)) > 0
    x = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(found.final(x), (np.maximum(x + 1, 0) - np.maximum(1 - x, 0)) / 2, atol=1e-8)
    assert found.final.n_neurons == 2


def test_the_line_through_three_points_is_the_one_that_misses_them():
    found = limit(rq.datasets.three_points(), wide())
    x = np.array([-0.7, 0.1])
    np.testing.assert_allclose(found.final(x), -4 / 65 * x + 251 / 390, atol=1e-7)
    assert found.missing.shape[0] > 0


def test_the_first_group_wakes_when_its_closed_form_says():
    # Before anything is awake every group grows at its rate: the first wakes at τ = 1/rate.
    data = rq.datasets.random(rng=1)
    fastest = max(d.rate for d in rq.extremal_directions(data) if d.kind == "attractor")
    assert limit(data).steps[0].tau == pytest.approx(1 / fastest, rel=1e-9)


def test_flows_of_finite_scale_approach_the_limit_like_one_over_the_logarithm():
    data, net = rq.datasets.three_points(), wide()
    found = limit(data, net)
    half = 0.5 * (found.steps[0].loss_before + found.steps[0].loss_after)
    depths = np.array([200.0, 400.0, 800.0])
    taus = np.array(
        [
            rq.gradient_flow(net, data, log_scale=-depth, stop_loss=half, progress=False).t[-1] / depth
            for depth in depths
        ]
    )
    error = taus - found.steps[0].tau
    slope = np.polyfit(np.log(depths), np.log(np.abs(error)), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.01)
    richardson = 2 * taus[2] - taus[1]
    assert abs(richardson - found.steps[0].tau) < 1e-6 < abs(error[2])


def test_width_does_not_matter_once_every_basin_is_populated():
    data = rq.datasets.zigzag()
    narrow, broad = limit(data), limit(data, wide(n_neurons=400))
    np.testing.assert_allclose(narrow.taus, broad.taus, rtol=1e-6)
    np.testing.assert_allclose(narrow.losses, broad.losses, atol=1e-6)
    x = np.linspace(-2, 2, 50)
    np.testing.assert_allclose(narrow.final(x), broad.final(x), atol=1e-5)


def test_the_scale_of_the_given_network_does_not_matter():
    data = rq.datasets.zigzag()
    taus = [limit(data, rq.ShallowReLU.balanced(n_neurons=40, scale=scale, rng=3)).taus for scale in (1e-9, 1e3)]
    np.testing.assert_allclose(*taus, rtol=1e-9)


def test_reseeding_goes_on_where_tracked_neurons_are_stuck():
    data = rq.datasets.absolute(5)
    tracked, reseeded = limit(data), limit(data, mode="reseeded")
    assert (tracked.end, reseeded.end) == ("spurious", "zero loss")
    assert reseeded.steps[0].tau == pytest.approx(tracked.steps[0].tau, rel=1e-9)
    assert reseeded.loss < 1e-10
    # The directions that were missing are those that wake next.
    np.testing.assert_allclose(np.sort(reseeded.steps[1].directions[:, 0]), np.sort(tracked.missing[:2, 0]), atol=1e-9)


def test_reseeded_times_are_sums_of_inverse_rates():
    data = rq.datasets.random(rng=1)
    found = limit(data, mode="reseeded", horizon=100.0)
    rates = 1 / np.diff([0.0, *found.taus])
    fastest = max(d.rate for d in rq.extremal_directions(data) if d.kind == "attractor")
    assert rates[0] == pytest.approx(fastest, rel=1e-9)
    assert np.all(np.diff(found.losses) < 0)


def test_the_horizon_ends_it():
    found = limit(rq.datasets.tent(), wide(), horizon=2.0)
    assert found.end == "horizon"
    assert len(found.steps) == 1
    assert "τ = 2" in found.message
    assert limit(rq.datasets.tent(), mode="reseeded", horizon=2.0).end == "horizon"


def test_a_dead_start_stays_dead():
    # No sample is active for any neuron.
    net = rq.ShallowReLU([[0.0, -1.0], [0.1, -2.0]], [1.0, -1.0])
    found = limit(rq.datasets.zigzag(), net)
    assert (found.end, found.steps, found.final.n_neurons) == ("dead", (), 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "greedy"}, "mode must be"),
        ({"horizon": 0}, "horizon must be"),
        ({"horizon": np.nan}, "horizon must be"),
        ({"max_steps": 0}, "max_steps must be"),
        ({"mode": "reseeded", "net": wide()}, "finds its own"),
    ],
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        limit(rq.datasets.two_points(), **options)


def test_too_few_steps_are_said():
    found = limit(rq.datasets.zigzag(), wide(), max_steps=5)
    assert found.end == "unfinished"
    assert "max_steps" in found.message


# -------------------------------------------------------------------------------------------- more than one input


def test_orthogonal_inputs_are_learnt_one_after_the_other():
    # τ = .5 and 1, loss 2.5 → .5 → 0: the larger label first.
    data = rq.Dataset(np.eye(2), [1.0, -2.0], bias=False)
    found = limit(data, rq.ShallowReLU.balanced(n_features=2, n_neurons=20, scale=1.0, rng=0, bias=False))
    np.testing.assert_allclose(found.taus / 2, [0.5, 1.0], rtol=1e-4)
    np.testing.assert_allclose(found.losses * 2, [2.5, 0.5, 0.0], atol=1e-4)
    assert [step.signs.tolist() for step in found.steps] == [[-1], [1]]
    assert found.end == "zero loss"


def test_xor_wakes_four_directions_together():
    # τ = 1/√2, loss 2 → 0, f = ½ (|x₁ + x₂| - |x₁ - x₂|), four groups of mass 1/√2.
    X = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    data = rq.Dataset(X, [1.0, 1.0, -1.0, -1.0], bias=False)
    found = limit(data, rq.ShallowReLU.balanced(n_features=2, n_neurons=40, scale=1.0, rng=0, bias=False))
    (step,) = found.steps
    assert step.tau / 4 == pytest.approx(1 / ROOT(2), rel=1e-4)
    assert step.tied
    assert found.end == "zero loss"
    np.testing.assert_allclose(np.abs(step.directions), 1 / ROOT(2), atol=1e-6)
    np.testing.assert_allclose(found.final.norms * np.abs(found.final.a), 1 / ROOT(2), atol=1e-6)
    places = np.random.default_rng(0).normal(size=(20, 2))
    expected = (np.abs(places.sum(axis=1)) - np.abs(places[:, 0] - places[:, 1])) / 2
    np.testing.assert_allclose(found.final(places), expected, atol=1e-6)


def test_populated_limits_in_two_dimensions_are_those_of_wide_networks():
    data = rq.Dataset(np.eye(2), [1.0, -2.0], bias=False)
    found = limit(data)
    np.testing.assert_allclose(found.taus / 2, [0.5, 1.0], rtol=1e-4)
    reseeded = limit(data, mode="reseeded")
    assert reseeded.losses[-1] < 1e-6
    # Each direction starts anew at τ = .5.
    np.testing.assert_allclose(reseeded.taus / 2, [0.5, 1.5], rtol=1e-6)


def test_several_outputs_wake_by_singular_values():
    rng = np.random.default_rng(3)
    data = rq.Dataset(rng.normal(size=(4, 2)), rng.normal(size=(4, 2)))
    fastest = max(d.rate for d in rq.extremal_directions(data) if d.kind == "attractor")
    found = limit(data, horizon=1.5 / fastest)
    assert found.steps[0].tau == pytest.approx(1 / fastest, rel=1e-6)
    assert found.losses[1] < found.losses[0]


def test_a_loss_that_rises_by_a_rounding_ends_too():
    assert _level(np.array([1.0, 0.5, 0.5 + 2e-16, 0.25])) == [(0, 0), (1, 2), (3, 3)]
    assert _level(np.array([0.0, 1e-30, 0.0]))[-1][1] == 2
