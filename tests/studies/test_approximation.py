"""How fast networks and interpolants approach a smooth target, against closed forms.

The chord of x² over a gap h errs by h²/4 at its middle, and its square integrates to h⁵/30: with n - 1 gaps of
h = 2/(n - 1) on (-1, 1) that is an L2 error of h²/√15. Interpolated coin tosses at equally spaced points are uniform
in (-1, 1) over half of the gaps and ±1 over the others, so that they are off by √(1 + 2/3) from fresh ones.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import reluquant as rq

SIZES = [5, 9, 17, 33, 65]
# For what is said of interpolants alone.
NO_TRAINING = {"n_neurons": 5, "max_steps": 1}


def wave(x):
    return np.sin(np.pi * x)


def study(f=wave, **options):
    return rq.approximation_study(f, **{"n_points": SIZES, "n_seeds": 2, "rng": 0, "progress": False, **options})


def labels(**options):
    return rq.random_label_study(**{"n_points": SIZES, "n_seeds": 2, "rng": 0, "progress": False, **options})


# --------------------------------------------------------------------------------------------- a smooth target


def test_interpolants_of_a_parabola_err_as_in_closed_form():
    found = study(np.square, curvature=2.0, **NO_TRAINING)
    h = 2 / (found.n_points[:, None] - 1) * np.ones(2)
    # Middles of gaps are nodes of the grid, so the largest error is seen.
    np.testing.assert_allclose(found.interpolant_sup, h**2 / 4, rtol=1e-12)
    np.testing.assert_allclose(found.interpolant_l2, h**2 / np.sqrt(15), rtol=1e-10)
    np.testing.assert_allclose(found.bound, h**2 / 4, rtol=1e-12)


def test_the_interpolant_falls_like_the_square_of_the_gap_and_stays_below_its_bound():
    found = study(n_points=[33, 65, 129, 257], n_seeds=1, curvature=np.pi**2, **NO_TRAINING)
    # h is 2/(n - 1), not 2/n: that costs 0.02 at such n.
    for name in ("interpolant_sup", "interpolant_l2"):
        slope = found.slope(name)
        assert slope.value == pytest.approx(-2.0, abs=0.05)
        assert 0 < slope.error < 0.01
    assert np.all(found.interpolant_sup < found.bound)
    assert np.all(found.interpolant_sup > 0.99 * found.bound)
    assert found.sup_error < 1e-3 * found.interpolant_sup.min()


def test_random_points_fall_more_slowly_and_stay_below_their_bound():
    found = study(n_points=[10, 30, 100, 300], spacing="random", n_seeds=6, curvature=np.pi**2, **NO_TRAINING)
    assert np.all(found.interpolant_sup < found.bound)
    assert np.unique(found.bound).size == found.bound.size
    # The largest of n uniform gaps is about 2 ln(n) / n.
    expected = np.polyfit(np.log(found.n_points), 2 * np.log(np.log(found.n_points) / found.n_points), 1)[0]
    assert found.slope("interpolant_sup").value == pytest.approx(expected, abs=0.3)


def test_larger_starts_fit_their_data_and_approach_the_target_with_them():
    found = study(n_points=SIZES[:4], scale=1.0)
    assert np.all(found.loss < 1e-5)
    slope = found.slope("network_sup")
    assert slope.value < -1.0
    assert slope.error < 0.2
    # Triangle inequality between target, network and interpolant, in both norms.
    for norm in ("sup", "l2"):
        network, interpolant, distance = (
            getattr(found, f"{who}_{norm}") for who in ("network", "interpolant", "distance")
        )
        assert np.all(network <= interpolant + distance + 2 * 1e-6)
        assert np.all(distance <= network + interpolant + 2 * 1e-6)


def test_tiny_starts_are_stuck_and_do_not_approach_it():
    found = study()
    assert np.all(found.kind[0] == "zero loss")
    np.testing.assert_allclose(found.network_sup[0], found.interpolant_sup[0], rtol=1e-6)
    assert np.all(found.kind[1:] == "spurious")
    assert np.all(found.end == "stationary")
    assert np.all(found.network_sup[1:] > 0.1)
    assert "8 did not fit their data" in found.message
    # A loss that rests at L has an error of √(2 L) at some sample.
    assert np.all(found.network_sup >= np.sqrt(2 * found.loss) * (1 - 1e-9))


def test_distances_are_those_of_a_fine_sample_of_the_very_run():
    found = study(n_points=[5, 12], region=(-1.0, 2.0), n_neurons=50, n_seeds=1, spacing="random")
    draw = np.random.default_rng(found.seed[1, 0])
    x = np.sort(np.r_[-1.0, draw.uniform(-1.0, 2.0, 10), 2.0])
    net = rq.ShallowReLU.balanced(n_neurons=50, scale=1e-6, rng=draw)
    final = rq.gradient_flow(net, rq.Dataset(x, wave(x)), progress=False).final
    fine = np.linspace(-1.0, 2.0, 300_001)
    off = wave(fine) - final(fine)
    # A kink between two of the samples, 1e-5 apart, is missed by the slope times that.
    assert 0 <= found.network_sup[1, 0] - np.abs(off).max() < 1e-4
    assert found.network_l2[1, 0] == pytest.approx(np.sqrt(np.trapezoid(off**2, fine)), rel=1e-6)


# --------------------------------------------------------------------------------------------- two features

BOX = ((-1.0, 1.0), (0.0, 2.0))
SQUARES = [9, 16, 25, 36, 49, 64]


def hills(x):
    """A wave along the diagonal: second derivatives along any line are at most π²."""
    return np.sin(np.pi * (x[:, 0] + x[:, 1]) / np.sqrt(2))


def bowl(x):
    return x[:, 0] ** 2 + x[:, 1] ** 2


def test_in_the_plane_interpolants_of_a_bowl_err_as_in_closed_form():
    found = study(bowl, n_points=SQUARES, region=BOX, curvature=2.0, **NO_TRAINING)
    # |x|² is off by R² at the centre of a right triangle's circle, whose diameter is the diagonal of a cell: M R²/2.
    radius = np.sqrt(2) / (np.sqrt(found.n_points[:, None]) - 1) * np.ones(2)
    np.testing.assert_allclose(found.bound, radius**2, rtol=1e-12)
    np.testing.assert_allclose(found.interpolant_sup, radius**2, atol=found.sup_error)
    assert np.all(found.interpolant_sup <= found.bound * (1 + 1e-12))


def test_in_the_plane_interpolants_fall_like_one_over_n_on_grids_and_stay_below_their_bound():
    sizes = [k**2 for k in (17, 25, 33)]
    found = study(hills, n_points=sizes, n_seeds=1, region=BOX, curvature=np.pi**2, **NO_TRAINING)
    # h is 2/(√n - 1), not 2/√n: that costs 0.045 at such n.
    for name in ("interpolant_sup", "interpolant_l2"):
        assert found.slope(name).value == pytest.approx(-1.0, abs=0.1)
    assert np.all(found.interpolant_sup < found.bound)


def test_in_the_plane_random_points_stay_below_their_bound_and_fall():
    found = study(hills, n_points=[30, 100, 300], spacing="random", region=BOX, curvature=np.pi**2, **NO_TRAINING)
    assert np.all(found.interpolant_sup < found.bound)
    assert np.unique(found.interpolant_sup).size == found.interpolant_sup.size
    # Gaps on the sides are those of √n uniform points, wider than a grid's by a logarithm.
    assert -1.2 < found.slope("interpolant_sup").value < -0.4


@pytest.mark.slow
def test_in_the_plane_a_network_is_trained_and_measured():
    options = {"n_points": [4, 9, 16], "region": BOX, "n_neurons": 60, "scale": 0.01, "n_seeds": 1}
    found = study(hills, max_steps=2000, curvature=np.pi**2, **options)
    assert np.all(found.end == "stationary")
    assert np.all(found.loss < 1e-3)
    for norm, slack in (("sup", found.sup_error), ("l2", 1e-5)):
        network, interpolant, distance = (
            getattr(found, f"{who}_{norm}") for who in ("network", "interpolant", "distance")
        )
        assert np.all(distance <= network + interpolant + 2 * slack)
        assert np.all(network <= interpolant + distance + slack)
    draw = np.random.default_rng(found.seed[1, 0])
    X = np.array([(x, y) for x in (-1.0, 0.0, 1.0) for y in (0.0, 1.0, 2.0)])
    net = rq.ShallowReLU.balanced(n_features=2, n_neurons=60, scale=0.01, rng=draw)
    final = rq.gradient_flow(net, rq.Dataset(X, hills(X)), rtol=1e-4, progress=False).final
    fine = np.stack(np.meshgrid(np.linspace(-1, 1, 401), np.linspace(0, 2, 401)), axis=-1).reshape(-1, 2)
    off = np.abs(hills(fine) - final(fine)).max()
    assert -found.sup_error <= found.network_sup[1, 0] - off < 0.05


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n_points": [9, 10]}, "each of n_points must be a square for a grid in a box, but it is 10; use 9 or"),
        ({"n_points": [3, 9]}, "each of n_points must be an integer of at least 4, but it is 3"),
        ({"region": (BOX[0], (1.0, 1.0))}, "each interval of region must be two numbers, the first below the second"),
        ({"region": (BOX[0], 1.0)}, "each interval of region must be two numbers, the first below the second"),
        ({"region": (*BOX, (0.0, 1.0))}, "A region of two features must be two intervals"),
        ({"f": np.sin}, "f must return one value for each row of its argument, \\(16641,\\), but it is \\(16641, 2\\)"),
    ],
)
def test_bad_input_in_the_plane_is_one_sentence_before_any_run(options, sentence, monkeypatch):
    monkeypatch.setattr("reluquant.studies.approximation.sweep", lambda *args, **kwargs: pytest.fail("ran"))
    with pytest.raises(ValueError, match=sentence):
        study(**{"f": hills, "n_points": [9, 16], "region": BOX, **options})


def test_random_labels_are_for_one_feature():
    with pytest.raises((TypeError, ValueError), match="each end of region must be"):
        labels(region=BOX)


# --------------------------------------------------------------------------------------------- random labels


def test_random_labels_stay_at_chance_whatever_the_number_of_points():
    for scale in (1e-6, 1.0):
        found = labels(n_points=[4, 8, 16], scale=scale, n_seeds=4)
        # Four runs of 2000 coin tosses: a standard deviation of 0.006 for each size.
        for who in ("network", "interpolant"):
            wrong = getattr(found, f"{who}_wrong")
            np.testing.assert_allclose(wrong.mean(axis=1), 0.5, atol=0.025)
            assert abs(found.slope(f"{who}_wrong").value) < 0.03
        assert np.all(found.network_rms > 0.95)
    assert np.all(found.loss[:2] < 1e-10), "they are learned by heart, and yet"


def test_interpolated_coin_tosses_are_off_as_in_closed_form():
    found = labels(n_points=[200, 400], n_test=20_000, **NO_TRAINING)
    np.testing.assert_allclose(found.interpolant_rms, np.sqrt(5 / 3), atol=0.03)


# --------------------------------------------------------------------------------------------- many runs


@pytest.mark.parametrize("make", [study, labels])
def test_the_same_rng_gives_the_same_runs(make):
    options = {"n_points": [4, 7], "n_neurons": 20}
    found, again = make(**options), make(**{**options, "n_points": [7, 4, 4]})
    for name in found.measures():
        np.testing.assert_array_equal(getattr(found, name), getattr(again, name))
    assert np.unique(found.seed).size == 4
    assert not np.array_equal(found.seed, make(**options, rng=1).seed)


def fails_at_seven(x):
    if x.size == 7:
        raise ArithmeticError("seven")
    return wave(x)


def test_one_failure_does_not_end_the_study():
    found = study(fails_at_seven, n_points=[4, 7, 10], n_neurons=20)
    assert sorted(found.failures) == [(1, 0), (1, 1)]
    assert not found.ok
    assert "4 of 6 returned, and 2 failed; the first says: seven" in found.message
    assert np.all(np.isnan(found.network_sup[1]))
    assert np.all(found.end[1] == "")
    # A line through what is left: two sizes, no error.
    slope = found.slope("interpolant_sup")
    h = found.interpolant_sup[[0, 2], 0]
    assert slope.value == pytest.approx(np.log(h[1] / h[0]) / np.log(10 / 4))
    assert np.isnan(slope.error)


def test_an_interrupt_returns_what_is_done():
    def stop(report):
        if report.n_done == 3:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as threads:
        found = study(n_neurons=20, n_seeds=5, executor=threads, progress=stop)
    assert found.cancelled
    made = found.end != ""
    assert 3 <= np.count_nonzero(made) < 25
    np.testing.assert_array_equal(np.isnan(found.loss), ~made)
    assert "interrupted" in found.message


def test_runs_that_do_not_rest_are_kept_and_say_so():
    found = study(n_points=[5, 9], n_neurons=20, max_steps=5)
    assert np.all(found.end == "max_steps")
    assert np.all(found.kind == "")
    assert np.all(np.isfinite(found.network_sup))
    assert "4 did not fit their data" in found.message


def test_a_target_that_is_met_exactly_has_no_slope():
    found = study(np.zeros_like, n_points=[3, 5, 9], n_neurons=10)
    assert np.all(found.interpolant_sup == 0)
    assert np.isnan(found.slope("interpolant_sup").value)


def test_without_curvature_there_is_no_bound():
    found = study(n_points=[3, 5], n_neurons=10)
    assert np.all(np.isnan(found.bound))
    assert np.isnan(found.sup_error)


@pytest.mark.slow
def test_processes_make_the_same_runs():
    options = {"n_points": [4, 7], "n_neurons": 20}
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        found = study(np.sin, executor=processes, **options)
    np.testing.assert_array_equal(found.network_sup, study(np.sin, **options).network_sup)


def test_results_cannot_be_changed():
    found = labels(n_points=[3, 4], n_neurons=10)
    with pytest.raises(ValueError, match="read-only"):
        found.loss[0] = 0
    with pytest.raises(AttributeError):
        found.n_points = None
    with pytest.raises(ValueError, match="measure must be one of network_wrong, .* but it is 'kind'"):
        found.slope("kind")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n_points": 5}, "n_points must be a sequence of integers, but it is 5"),
        ({"n_points": [5, 5]}, "A slope needs at least two different n_points, but there are 1"),
        ({"n_points": [1, 5]}, "each of n_points must be an integer of at least 2, but it is 1"),
        ({"region": (1.0, 1.0)}, "region must be two numbers, the first below the second, but it is"),
        ({"region": 3}, "region must be two numbers"),
        ({"region": (0.0, np.inf)}, "each end of region must be a finite number"),
        ({"spacing": "cosy"}, "spacing must be 'equal' or 'random', but it is 'cosy'"),
        ({"n_neurons": 0}, "n_neurons must be an integer from 1"),
        ({"scale": 0.0}, "scale must be a finite number of at least 1e-300"),
        ({"n_seeds": 0}, "n_seeds must be an integer of at least 1"),
        ({"rng": "x"}, "rng must be an integer seed"),
        ({"max_steps": 0.5}, "max_steps must be an integer"),
    ],
)
@pytest.mark.parametrize("make", [study, labels])
def test_bad_input_is_one_sentence_before_any_run(make, options, sentence, monkeypatch):
    monkeypatch.setattr("reluquant.studies.approximation.sweep", lambda *args, **kwargs: pytest.fail("ran"))
    with pytest.raises((TypeError, ValueError), match=sentence):
        make(**options)


@pytest.mark.parametrize(
    ("f", "sentence"),
    [
        ("sin", "f must be a function of an array, but it is a str"),
        (lambda x: 1.0, "f must return an array of the shape of its argument, \\(8193,\\), but it is \\(\\)"),
        (lambda x: np.where(x < 0, np.nan, x), "f\\(x\\) must be finite"),
    ],
)
def test_targets_that_are_none_are_refused(f, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        study(f)


def test_bad_numbers_of_one_study_alone():
    with pytest.raises(ValueError, match="curvature must be a finite number of at least 0, but it is -1"):
        study(curvature=-1)
    with pytest.raises(ValueError, match="n_test must be an integer of at least 1, but it is 0"):
        labels(n_test=0)
