"""The report of a whole run."""

import json
import time

import numpy as np
import pytest

import reluquant as rq
from reluquant.studies import flow_report as room
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
    assert report.function.n_breakpoints <= report.census.most_kinks == 9
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
    assert lines[first].endswith("(bounds: 2 n + 1 = 9 in the paper, 3 n - 1 = 11 for groups of neurons):")
    listed = [float(line.split()[0]) for line in lines[first + 2 : first + 2 + report.function.n_breakpoints]]
    np.testing.assert_allclose(listed, report.function.breakpoints, rtol=1e-5)
    on_data, per_gap = (report.to_dict()["kinks"][name] for name in ("groups_on_data", "groups_per_gap"))
    assert on_data + sum(per_gap) == report.census.kinks.size > 0
    assert f"{on_data} on data points, {sum(per_gap)} between or beyond them" in str(report)


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
    n = len(set(X))
    bounds = report.to_dict()["kinks"]["bounds"]
    assert bounds == {"paper": 2 * n + 1, "groups": 3 * n - 1}
    assert f"2 n + 1 = {bounds['paper']} in the paper, 3 n - 1 = {bounds['groups']} for groups" in str(report)


def test_one_of_anything_is_singular():
    text = str(flow_report(rq.Dataset([2.0], [3.0]), n_neurons=1, rng=0, progress=False))
    assert text.startswith("1 point, 1 neuron, scale 1e-06, seed 0\n")
    assert "\n1 direction with at least" in text
    assert "\n0 kinks on [1, 3] to within 0.003 (bounds: 2 n + 1 = 3 in the paper, 3 n - 1 = 2 for groups of" in text
    assert " neurons).\n" in text
    text = str(flow_report(rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.5, 1.0]), n_neurons=100, progress=False))
    assert "\n1 kink on [-2, 2] to within" in text


@pytest.mark.parametrize(("compiled", "seconds", "said"), [(False, 0.5, 1), (True, 0.5, 0), (False, 0.0, 0)])
def test_compiling_is_said_once_and_only_if_it_takes_long(monkeypatch, compiled, seconds, said):
    original = room.gradient_flow
    original(rq.ShallowReLU.balanced(n_neurons=2, rng=0), DATA, t_max=1e-3, progress=False)  # compiled from here on

    def slow(*args, **goals):
        time.sleep(seconds)
        return original(*args, **goals)

    monkeypatch.setattr(room, "gradient_flow", slow)
    monkeypatch.setattr(room, "is_compiled", lambda: compiled)
    monkeypatch.setattr(room, "SHOW_AFTER_SECONDS", 0.2)
    sentences = []
    flow_report(DATA, n_neurons=2, t_max=1e-3, progress=False, while_compiling=lambda: sentences.append("compiling"))
    time.sleep(0.3)
    assert len(sentences) == said


def test_figure_needs_a_known_suffix_and_a_folder(tmp_path):
    assert figure_path(tmp_path / "a.PNG") == tmp_path / "a.PNG"
    with pytest.raises(ValueError, match="written as .png or .svg or .pdf"):
        figure_path(tmp_path / "a.jpeg2")
    with pytest.raises(ValueError, match="does not exist"):
        figure_path(tmp_path / "none" / "a.png")


def test_figure_path_must_be_writable(tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ValueError, match="folder.png cannot be written, because it is a directory"):
        figure_path(tmp_path / "folder.png")
    with pytest.raises(ValueError, match="cannot be written .file name too long.; choose another path"):
        figure_path(tmp_path / f"{'a' * 300}.png")


def test_asking_leaves_no_trace(tmp_path):
    old = tmp_path / "old.png"
    old.write_bytes(b"picture")
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "target.png")
    for path in (old, link, tmp_path / "new.png"):
        assert figure_path(path) == path
    assert old.read_bytes() == b"picture"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.png", "old.png"]
    assert link.is_symlink()
