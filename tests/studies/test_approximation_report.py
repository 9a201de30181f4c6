import json

import numpy as np
import pytest

from reluquant.studies.approximation_report import approximation_report, hill, report_path, wave


@pytest.fixture(scope="module")
def report():
    return approximation_report(n_points=[4, 8, 16], n_neurons=40, n_seeds=2, rng=4, progress=False)



def test_numbers_are_those_of_the_study(report):
    found, study = report.to_dict(), report.study
    np.testing.assert_allclose(found["mean"]["network_l2"], np.exp(np.log(study.network_l2).mean(axis=1)))
    assert found["slope"]["interpolant_sup"] == dict(
        zip(("value", "error"), study.slope("interpolant_sup"), strict=True)
    )
    assert not {"loss", "distance_sup"} & set(found["slope"]), "what is zero but for rounding has no exponent"
    assert found["fitted"] == (study.kind == "zero loss").sum(axis=1).tolist()
    json.dumps(found, allow_nan=False)


def test_text_and_page_hold_the_same_table(report):
    study = report.study
    text = [line for line in str(report).splitlines() if line.startswith("  ")]
    page = [line.strip("| ").split(" | ") for line in report.page("a.svg").splitlines() if line.startswith("|")]
    assert len(text) == 1 + 3 + 1
    for line, row in zip(text, [page[0], *page[2:]], strict=True):
        assert line.split() == " ".join(row).split()
    columns = {name: column for name, *column in zip(*page[:1], *page[2:5], strict=True)}
    np.testing.assert_allclose(np.array(columns["network sup"], float), study.mean("network_sup"), rtol=6e-3)
    value, error = study.slope("network_sup")
    assert page[5][1] == f"{value:.2f} ± {error:.2f}"
    assert columns["fit their data"] == [f"{n} of 2" for n in report.to_dict()["fitted"]]
    assert "![" in report.page("a.svg")
    assert "![" not in report.page()


def test_runs_that_failed_are_counted_and_leave_gaps():
    report = approximation_report(n_points=[4, 8], n_neurons=20, n_seeds=1, scale=1e90, progress=False)
    assert not report.success
    assert report.to_dict()["mean"] == {}
    assert "0 of 0" in str(report)


def test_two_features():
    report = approximation_report(
        dimension=2, n_points=[4, 9], n_neurons=5, n_seeds=1, max_steps=1, progress=False, quick=True
    )
    assert str(report).startswith("sin(πx) cos(πy/2) on [-1, 1]²: equal spacing, 5 neurons of scale 0.01, 1 run of")
    assert report.to_dict()["region"] == ((-1.0, 1.0), (-1.0, 1.0))
    with pytest.raises(ValueError, match="dimension must be 1 or 2, but it is 3"):
        approximation_report(dimension=3)


def test_no_second_derivative_of_the_targets_exceeds_the_bound():
    x = np.linspace(-1, 1, 401)
    h = 1e-4
    assert np.abs(wave(x + h) - 2 * wave(x) + wave(x - h)).max() / h**2 <= np.pi**2 + 1e-6
    p = np.stack(np.meshgrid(x[::8], x[::8]), axis=-1).reshape(-1, 2)
    for angle in np.linspace(0, np.pi, 50):
        step = h * np.array([np.cos(angle), np.sin(angle)])
        assert np.abs(hill(p + step) - 2 * hill(p) + hill(p - step)).max() / h**2 <= np.pi**2 + 1e-6


def test_pages_that_cannot_be_written_are_refused(tmp_path):
    assert report_path(tmp_path / "a.md") == tmp_path / "a.md"
    (tmp_path / "b.svg").mkdir()
    with pytest.raises(ValueError, match="is a directory"):
        report_path(tmp_path / "b.md")
