"""The report of a whole run."""

import json

import numpy as np
import pytest

import reluquant as rq
from reluquant.studies.flow_report import KINK_TOLERANCE, figure_path, flow_report

DATA = rq.Dataset([-1.0, -0.4, 0.3, 1.0], [1.0, -0.5, 0.8, -0.4])


@pytest.fixture(scope="module")
def report():
    return flow_report(DATA, n_neurons=300, rng=5, progress=False)


def test_agrees_with_the_pieces_it_is_made_of(report):
    net = rq.ShallowReLU.balanced(n_neurons=300, scale=1e-6, rng=5)
    trajectory = rq.gradient_flow(net, DATA, progress=False)
    f = rq.piecewise_linear(trajectory.final)
    np.testing.assert_array_equal(report.trajectory.t, trajectory.t)
    assert report.distance.sup == rq.compare(f, rq.interpolate(DATA)).sup
    assert rq.compare(f, report.function, region=(-2, 2)).sup <= report.tolerance == KINK_TOLERANCE * 1.5
    assert report.function.n_breakpoints <= report.most_kinks == 9
    assert report.success


def test_dictionary_is_json_and_shares_add_up(report):
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert plain == report.to_dict()
    shares = [direction["share"] for direction in plain["directions"]]
    assert shares == sorted(shares, reverse=True)
    assert 0.99 < sum(shares) <= 1 + 1e-12
    assert plain["kinks"]["region"] == [-2.0, 2.0]
    for direction in plain["directions"]:
        assert np.hypot(direction["w"], direction["b"]) == pytest.approx(1)
        assert direction["kink"] == pytest.approx(-direction["b"] / direction["w"])


def test_text_names_every_listed_direction_and_kink(report):
    lines = str(report).splitlines()
    assert lines[0] == "4 points, 300 neurons, scale 1e-06, seed 5"
    assert sum("°" in line for line in lines) == len(report.to_dict()["directions"])
    first = next(i for i, line in enumerate(lines) if " kinks on " in line)
    listed = [float(line.split()[0]) for line in lines[first + 2 : first + 2 + report.function.n_breakpoints]]
    np.testing.assert_allclose(listed, report.function.breakpoints, rtol=1e-5)


def test_generator_has_no_seed():
    report = flow_report(DATA, n_neurons=20, rng=np.random.default_rng(1), t_max=1.0, progress=False)
    assert report.seed is None
    assert "seed" not in str(report).splitlines()[0]


def test_shares_do_not_underflow():
    report = flow_report(DATA, n_neurons=20, scale=1e-200, t_max=1.0, progress=False)
    assert all(mass == 0 for mass in report.clusters.mass)
    assert sum(direction["share"] for direction in report.to_dict()["directions"]) > 0.5


@pytest.mark.parametrize(
    ("X", "y"),
    [([2.0], [3.0]), ([0.0, 1.0], [0.0, 0.0]), ([1.0, 1.0], [0.0, 1.0]), ([0.0, 1.0, 2.0], [5.0, 5.0, 5.0])],
    ids=["one point", "zero labels", "one input twice", "constant"],
)
def test_degenerate_points_are_reported(X, y):
    report = flow_report(rq.Dataset(X, y), n_neurons=30, progress=False)
    json.dumps(report.to_dict(), allow_nan=False)
    assert "Distance to the interpolant" in str(report)
    assert report.n_merged == len(X) - len(set(X))


def test_figure_needs_a_known_suffix_and_a_folder(tmp_path):
    assert figure_path(tmp_path / "a.PNG") == tmp_path / "a.PNG"
    with pytest.raises(ValueError, match="written as .png or .svg or .pdf"):
        figure_path(tmp_path / "a.jpeg2")
    with pytest.raises(ValueError, match="does not exist"):
        figure_path(tmp_path / "none" / "a.png")
