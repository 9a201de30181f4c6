import json

import numpy as np
import pytest

import reluquant as rq
from reluquant.studies.phase_report import chosen_data, phase_report


@pytest.fixture(scope="module")
def report():
    # The last scale fails.
    return phase_report(rq.datasets.zigzag(), scales=[1e-5, 1e-4, 1e-3, 1e90], widths=[20, 40], n_seeds=2, rng=4)


def test_the_numbers_are_those_of_the_diagram(report):
    found, diagram = report.to_dict(), report.diagram
    np.testing.assert_allclose(found["exponent"][:2], diagram.exponent[:2])
    np.testing.assert_allclose(found["mean"]["loss"][:3], diagram.mean("loss")[:3])
    assert found["mean"]["loss"][3] == [None, None]
    assert found["phase"][0] == ["condensed", "condensed"]
    assert not report.success
    json.dumps(found, allow_nan=False)


def test_the_text_has_a_row_for_each_scale(report):
    text = str(report)
    assert text.startswith("zigzag: 5 points, balanced starts, 2 of each scale and width, seed 4\n")
    rows = [line.split() for line in text.splitlines() if line.startswith(" ")]
    tables = [rows[i : i + 5] for i in range(0, len(rows), 5)]
    assert len(tables) == 3
    assert tables[0][0] == ["scale", "m", "=", "20", "m", "=", "40"]
    diagram = report.diagram
    for table, values in zip(
        tables, (diagram.exponent, diagram.mean("log10_rd"), diagram.mean("n_directions")), strict=True
    ):
        printed = np.array([[np.nan if cell == "-" else float(cell) for cell in row[1:]] for row in table[1:]])
        np.testing.assert_allclose(printed, values, atol=0.051)


def test_a_figure_is_written_by_its_suffix(report, tmp_path):
    report.save_figure(tmp_path / "out.svg")
    assert "<svg" in (tmp_path / "out.svg").read_text(encoding="utf-8")


def test_random_data_sets_are_drawn_from_the_seed(tmp_path):
    assert np.array_equal(chosen_data(None, "random", rng=1).y, chosen_data(None, "random", rng=1).y)
    assert not np.array_equal(chosen_data(None, "random", rng=1).y, chosen_data(None, "random", rng=2).y)
    path = tmp_path / "two.csv"
    path.write_text("0,1\n1,2\n", encoding="utf-8")
    assert chosen_data(path, None).y.tolist() == [1.0, 2.0]
