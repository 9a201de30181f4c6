import numpy as np
import pytest

from reluquant.structures.arrays import frozen
from reluquant.structures.regimes import Measure, PhaseDiagram, RegimeRuns, ScaleSweep, Start


def fields(log10_rd, failures=None, cancelled=False):
    values = np.asarray(log10_rd, dtype=float)
    return {
        "seed": np.zeros(values.shape, dtype=np.int64),
        **{name: frozen(values) for name in Measure},
        "end": np.where(np.isnan(values), "", "stationary"),
        "failures": failures or {},
        "cancelled": cancelled,
        "start": Start.BALANCED,
        "mirrored": False,
        "name": "",
    }


def diagram(exponent, gamma_prime=0.0):
    exponent = np.atleast_2d(exponent)
    own = fields(np.zeros((*exponent.shape, 1)))
    scales, widths = np.arange(1.0, 1 + exponent.shape[0]), np.arange(2, 2 + exponent.shape[1])
    return PhaseDiagram(scales=scales, widths=widths, gamma=exponent, gamma_prime=gamma_prime, exponent=exponent, **own)


def test_mean_and_spread_are_over_the_runs_that_returned():
    runs = RegimeRuns(**fields([[1.0, 2.0, 6.0], [3.0, np.nan, 5.0], [4.0, np.nan, np.nan], [np.nan] * 3]))
    np.testing.assert_allclose(runs.mean("log10_rd"), [3.0, 4.0, 4.0, np.nan])
    np.testing.assert_allclose(runs.spread("log10_rd"), [np.sqrt(7.0), np.sqrt(2.0), np.nan, np.nan])
    with pytest.raises(ValueError, match="measure must be one of log10_rd, .*, but it is 'rd'"):
        runs.mean("rd")


def test_a_run_in_which_nothing_moved_raises_no_warning():
    runs = RegimeRuns(**fields([[-np.inf, 1.0]]))
    assert runs.mean("log10_rd")[0] == -np.inf
    assert np.isnan(runs.spread("log10_rd")[0])


def test_the_message_says_what_is_missing():
    assert RegimeRuns(**fields([1.0, 2.0])).message == "All 2 runs returned."
    failed = RegimeRuns(**fields([1.0, np.nan], failures={(1,): ValueError("too large")}))
    assert failed.message == "The runs are over: 1 of 2 returned, and 1 failed; the first says: too large"
    assert not failed.ok
    stopped = RegimeRuns(**fields([1.0, np.nan], cancelled=True))
    assert stopped.message == "The runs were interrupted: 1 of 2 returned, and 0 failed"


def test_the_phase_is_the_sign_of_the_exponent():
    found = diagram([-0.5, -0.05, 0.1, 0.3, np.nan]).phase
    assert found.tolist() == [["linear", "critical", "critical", "condensed", ""]]


def test_the_boundary_is_at_one_and_further_for_small_output_weights():
    assert [diagram([0.0], gamma_prime=g).critical_gamma for g in (-1.0, 0.0, 0.5)] == [1.0, 1.0, 1.5]


def test_they_print_in_a_line():
    sweep = ScaleSweep(scales=np.array([1e-8, 1.0]), n_neurons=7, **fields(np.zeros((2, 3))))
    assert repr(sweep) == "ScaleSweep(2 scales from 1e-08 to 1, n_neurons=7, n_seeds=3, ok=True)"
    assert repr(diagram([[0.0, 1.0]])) == (
        "PhaseDiagram(1 scales from 1 to 1, 2 widths from 2 to 3, n_seeds=1, ok=True)"
    )
