"""Lazy, critical and condensed: exponents that are derived here, and the tangent kernel.

With f = Σ a_j relu(w_j·x), all weights of size σ and p = m σ²: a residual of order one is unlearned by the tangent
kernel K ~ p, so ∫r dt ~ 1/p, and each w_j moves by a_j times that. Relative to its own size that is 1/p: lazy for
large p. For small p the final mass Σ |a_j| |w_j| = Σ |w_j|² is the function's, whatever the start, and relative to
the start's m σ² its root is p^(-1/2). Along σ = m^(-γ/2), p = m^(1-γ).
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import reluquant as rq
from reluquant.studies.regimes import draw_start

DATA = rq.datasets.zigzag()
MEASURES = ("log10_rd", "n_directions", "unchanged", "loss", "sup", "l2", "t", "end", "seed")


def sweep(scales, **options):
    return rq.scale_sweep(DATA, scales=scales, **{"n_neurons": 200, "rng": 0, "progress": False, **options})


def test_condensed_end_few_directions_that_weights_turned_to():
    found = sweep([1e-100, 1e-8], n_neurons=400)
    assert np.all(found.end == "stationary")
    assert np.all(found.n_directions <= 3 * DATA.n_samples - 1)
    assert np.all(found.unchanged < 0.5)
    # The final weights are those of the function: their size is of order one.
    final = found.log10_rd + np.log10(found.scales[:, None] * np.sqrt(400))
    assert np.all(np.abs(final) < 1.0)


def test_lazy_end_weights_stay_and_patterns_too():
    found = sweep([10.0], n_neurons=400, mirrored=True)
    assert np.all(found.end == "stationary")
    assert np.all(found.loss < 1e-9)
    assert np.all(found.log10_rd < -3)
    assert np.all(found.unchanged > 0.98)
    assert np.all(found.n_directions > 300)


def slope_in_width(scale, **options):
    small, wide = (sweep([scale], n_neurons=m, **options).mean("log10_rd")[0] for m in (128, 2048))
    return (wide - small) / np.log10(2048 / 128)


def test_relative_change_falls_with_the_width_as_derived_in_the_lazy_phase():
    # -1 at a fixed scale; six seeds scatter by 0.04 each.
    assert slope_in_width(3.0, n_seeds=6, mirrored=True) == pytest.approx(-1.0, abs=0.08)


@pytest.mark.slow
def test_without_twins_it_falls_with_the_root_of_the_width():
    # The function to be unlearned is itself a random one, of size √m σ²: 1/p of it is m^(-1/2).
    assert slope_in_width(10.0, n_seeds=24) == pytest.approx(-0.5, abs=0.15)


def test_at_fixed_width_times_scale_squared_the_relative_change_hardly_depends_on_the_width():
    few, many = (sweep([0.25 * 8 / np.sqrt(m)], n_neurons=m).mean("log10_rd")[0] for m in (64, 1024))
    assert few == pytest.approx(many, abs=0.1)


def test_exponents_are_the_derived_ones_on_both_sides_of_the_boundary():
    lazy = rq.phase_diagram(DATA, scales=[3.0, 10.0], widths=[64, 256], mirrored=True, rng=0, progress=False)
    np.testing.assert_allclose(lazy.exponent, lazy.gamma - 1, atol=0.2)
    assert np.all(lazy.phase == "linear")
    tiny = rq.phase_diagram(DATA, scales=[1e-9, 1e-7], widths=[64, 256], rng=0, progress=False)
    np.testing.assert_allclose(tiny.exponent, (tiny.gamma - 1) / 2, atol=0.2)
    assert np.all(tiny.phase == "condensed")


@pytest.mark.slow
def test_the_measured_boundary_is_where_the_paper_puts_it():
    found = rq.phase_diagram(
        DATA, scales=np.logspace(-3, 0.5, 8), widths=[64, 128, 256, 512], n_seeds=4, mirrored=True, rng=0,
        progress=False,
    )  # fmt: skip
    assert np.all(found.phase[found.gamma > 1.3] == "condensed")
    assert np.all(found.phase[found.gamma < 0.7] == "linear")


@pytest.mark.slow
@pytest.mark.parametrize(("gamma_prime", "exponent"), [(0.0, 0.25), (2.0, -3.0)])
def test_small_output_weights_move_the_boundary(gamma_prime, exponent):
    # γ = 3/2 is beyond 1, the boundary of equal layers, and before 3, that of γ' = 2. There output weights grow to
    # A = 1/(m β₂), and input weights change by A²/2, as |w|² - a² is conserved: RD ~ A²/β₂² = m^(2 (γ - 1 - γ')).
    widths = np.array([100, 1600])
    found = rq.phase_diagram(
        DATA, scales=widths**-0.75, widths=widths, n_seeds=8, start="gaussian", gamma_prime=gamma_prime, rng=0,
        progress=False,
    )  # fmt: skip
    np.testing.assert_allclose(np.diag(found.gamma[::-1]), 1.5)
    few, many = np.diag(found.mean("log10_rd")[::-1])
    assert (many - few) / np.log10(16) == pytest.approx(exponent, abs=0.3)


def tangent_kernel_regression(net, data, x):
    """The function that the network linearised in its weights becomes, by the least change of the weights."""

    def gradients(points):
        inputs = np.column_stack([points, np.ones(len(points))])
        before = inputs @ net.W.T
        by_w = (net.a * (before > 0))[:, :, None] * inputs[:, None, :]
        return np.column_stack([by_w.reshape(len(points), -1), np.maximum(before, 0)])

    change = np.linalg.lstsq(gradients(data.X[:, 0]), data.y - net(data.X), rcond=None)[0]
    return net(x) + gradients(x) @ change


def test_the_lazy_end_is_tangent_kernel_regression():
    x = np.linspace(-1, 1, 1001)
    scales = [0.01, 1.0, 10.0, 300.0]
    found = sweep(scales, n_neurons=1000, mirrored=True)
    far = np.empty(found.seed.shape)
    for i, k in np.ndindex(far.shape):
        net = draw_start(scales[i], 1000, start="balanced", mirrored=True, gamma_prime=0.0, rng=int(found.seed[i, k]))
        final = rq.gradient_flow(net, DATA, rtol=1e-9 if i == 0 else 1e-13, progress=False).final
        # It is the run that was measured, up to its tolerance.
        assert rq.compare(final, rq.interpolate(DATA)).sup == pytest.approx(found.sup[i, k], abs=1e-5)
        # Not the largest: the linearised network jumps at its kinks, by O(1/m), and they have moved a little.
        far[i, k] = np.mean(np.abs(final(x) - tangent_kernel_regression(net, DATA, x)))
    # Labels are of order one, p = m σ² is 0.1, 1e3, 1e5, 9e7, and the linearisation errs by a multiple of 1/p. The
    # median, because a single neuron that does change its pattern changes the kernel by 1/m, which its small
    # eigenvalues magnify.
    condensed, large, larger, huge = np.median(far, axis=1)
    assert condensed > 0.03
    assert large < 0.04
    assert larger < 1e-3
    assert huge < 5e-6
    assert np.all(found.loss[1:] < 1e-10)


def test_unchanged_is_counted_like_patterns_over_time():
    found = sweep([1.0], n_neurons=100, n_seeds=1, mirrored=True)
    net = draw_start(1.0, 100, start="balanced", mirrored=True, gamma_prime=0.0, rng=int(found.seed[0, 0]))
    traj = rq.gradient_flow(net, DATA, progress=False)
    inputs = np.column_stack([DATA.X, np.ones(DATA.n_samples)])
    states = traj.states(traj.t)
    patterns = np.sign(np.einsum("tmi,ki->tmk", states.W, inputs))
    # A neuron that is held on a sample is neither active nor inactive there, up to rounding.
    time, neuron = np.nonzero(states.slides_on >= 0)
    patterns[time, neuron, states.slides_on[time, neuron]] = 0
    changed = np.any(patterns != patterns[0], axis=(0, 2))
    assert 0 < np.mean(changed) < 1
    assert found.unchanged[0, 0] == pytest.approx(1 - np.mean(changed), abs=1e-12)


def test_mirrored_starts_are_zero_and_unequal_layers_are_unequal():
    net = draw_start(1e3, 500, start="gaussian", mirrored=True, gamma_prime=0.0, rng=3)
    assert net.n_neurons == 500
    assert np.all(net(np.linspace(-3, 3, 50)) == 0)
    net = draw_start(0.1, 10_000, start="gaussian", mirrored=False, gamma_prime=0.5, rng=3)
    # γ = -log(β₁β₂)/log m is that of the scale, γ' = -log(β₁/β₂)/log m the one that was asked for.
    output, inner = np.std(net.a), np.std(net.W)
    assert -np.log(output * inner) / np.log(10_000) == pytest.approx(0.5, abs=0.01)
    assert -np.log(output / inner) / np.log(10_000) == pytest.approx(0.5, abs=0.01)


# --------------------------------------------------------------------------------------------- many runs


def same(found, other):
    for name in MEASURES:
        np.testing.assert_array_equal(getattr(found, name), getattr(other, name))


def test_the_same_rng_gives_the_same_runs_and_all_starts_differ():
    options = {"n_neurons": 20, "t_max": 3.0}
    found = sweep([1e-2, 1e-1], **options)
    same(found, sweep([1e-1, 1e-2, 1e-2], **options))
    assert np.unique(found.seed).size == found.seed.size == 6
    assert np.all(found.end == "t_max")
    assert np.all(found.t == 3.0)
    assert not np.array_equal(found.seed, sweep([1e-2, 1e-1], **options, rng=1).seed)


def test_one_failure_does_not_end_the_sweep():
    # The function of a start at 1e90 is 1e180, and its square no float64.
    found = sweep([1e-2, 1e90], n_neurons=20, n_seeds=2)
    assert np.all(found.end[0] == "stationary")
    assert np.all(found.end[1] == "")
    assert np.all(np.isnan(found.log10_rd[1]))
    assert sorted(found.failures) == [(1, 0), (1, 1)]
    assert not found.ok
    assert "2 of 4 returned, and 2 failed; the first says: The loss of the starting network exceeds" in found.message
    assert np.isnan(found.mean("loss")[1])


def test_an_interrupt_returns_what_is_done():
    def stop(report):
        if report.n_done == 3:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as threads:
        found = sweep([1e-3, 1e-2, 1e-1], n_neurons=20, n_seeds=5, executor=threads, progress=stop)
    assert found.cancelled
    made = found.end != ""
    assert 3 <= np.count_nonzero(made) < 15
    assert np.all(made[0, :3])
    np.testing.assert_array_equal(np.isnan(found.loss), ~made)
    assert "interrupted" in found.message
    assert not np.any(found.end == "interrupted")


def test_runs_that_stop_early_are_kept_and_say_so():
    found = sweep([1e-4], n_neurons=20, n_seeds=2, max_steps=5)
    assert np.all(found.end == "max_steps")
    assert np.all(np.isfinite(found.log10_rd))


@pytest.mark.slow
def test_processes_and_a_dask_cluster_make_the_same_runs():
    from distributed import Client, LocalCluster

    options = {"n_neurons": 20, "n_seeds": 2, "t_max": 5.0}
    threads = sweep([1e-2, 1.0], **options)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        same(threads, sweep([1e-2, 1.0], executor=processes, **options))
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster,
        Client(cluster) as client,
        client.get_executor() as executor,
    ):
        same(threads, sweep([1e-2, 1.0], executor=executor, **options))


def test_results_cannot_be_changed():
    found = sweep([1e-2], n_neurons=10, n_seeds=1, t_max=1.0)
    with pytest.raises(ValueError, match="read-only"):
        found.loss[0] = 0
    with pytest.raises(AttributeError):
        found.scales = None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"scales": []}, "scales must be numbers from 1e-300 to 1e\\+100, but there are none"),
        ({"scales": [0.0, 1.0]}, "scales must be numbers from 1e-300 to 1e\\+100, but they go from 0 to 1"),
        ({"scales": [1e101]}, "but they go from 1e\\+101"),
        ({"scales": [np.nan]}, "scales must be finite"),
        ({"scales": 1.0}, "scales must be 1-dimensional"),
        ({"n_neurons": 0}, "n_neurons must be an integer from 1"),
        ({"n_neurons": 7, "mirrored": True}, "n_neurons must be even for a mirrored start, .* but it is 7"),
        ({"n_seeds": 0}, "n_seeds must be an integer of at least 1, but it is 0"),
        ({"start": "uniform"}, "start must be 'balanced' or 'gaussian', but it is 'uniform'"),
        ({"mirrored": 1}, "mirrored must be True or False, but it is 1"),
        ({"rng": "x"}, "rng must be an integer seed"),
        ({"t_max": 0}, "t_max must be a finite number above 0"),
        ({"stop_loss": -1.0}, "stop_loss must be"),
        ({"max_steps": 0.5}, "max_steps must be an integer"),
    ],
)
def test_bad_input_is_one_sentence_before_any_run(options, sentence, monkeypatch):
    monkeypatch.setattr("reluquant.studies.regimes.sweep", lambda *args, **kwargs: pytest.fail("ran"))
    with pytest.raises((TypeError, ValueError), match=sentence):
        sweep(**{"scales": [0.1], **options})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"widths": [1, 2]}, "each of widths must be an integer from 2"),
        ({"widths": 100}, "widths must be a sequence of integers, but it is 100"),
        ({"widths": [10, 10]}, "at least two different scales and two different widths, but there are 2 and 1"),
        ({"scales": [0.1]}, "but there are 1 and 2"),
        ({"widths": [10, 11], "mirrored": True}, "each of widths must be even"),
        ({"gamma_prime": 1.0}, "A balanced start has equal layers, gamma_prime = 0, but it is 1; choose"),
        ({"gamma_prime": 700.0, "start": "gaussian"}, "gamma_prime = 700 takes weights out of the range"),
    ],
)
def test_bad_grids_are_one_sentence_before_any_run(options, sentence, monkeypatch):
    monkeypatch.setattr("reluquant.studies.regimes.sweep", lambda *args, **kwargs: pytest.fail("ran"))
    with pytest.raises((TypeError, ValueError), match=sentence):
        rq.phase_diagram(DATA, **{"scales": [0.1, 1.0], "widths": [10, 20], **options})


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([[0.0, 1.0]], "data must be a Dataset, but it is a list"),
        (rq.Dataset(np.zeros((3, 2)), np.zeros(3)), "one input with a bias and one output"),
        (rq.Dataset(np.arange(3.0), np.zeros((3, 2))), "one input with a bias and one output"),
        (rq.Dataset(np.arange(3.0), np.zeros(3), bias=False), "one input with a bias and one output"),
    ],
)
def test_data_that_cannot_be_measured_are_refused(data, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        rq.scale_sweep(data, scales=[0.1])
