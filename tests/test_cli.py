"""The command line: what it prints, where, and with which exit status."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import reluquant
from reluquant.cli import app

POINTS = "x,y\n-1,1\n-0.4,-0.5\n0.3,0.8\n1,-0.4\n"


@pytest.fixture
def points(tmp_path) -> Path:
    path = tmp_path / "points.csv"
    path.write_text(POINTS, encoding="utf-8")
    return path


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(result) -> str:
    """Return the one sentence on stderr of a refused call."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("reluquant: ")
    return line


def test_flow_prints_directions_kinks_and_distances(points):
    result = run("flow", points, "--neurons", 200, "--seed", 1)
    assert result.exit_code == 0, result.output
    text = result.stdout
    assert text.startswith("4 points, 200 neurons, scale 1e-06, seed 1\nThe flow is stationary at t = ")
    assert "4 directions with at least 1% of the mass" in text
    assert "4 kinks on [-2, 2]" in text
    assert "(bounds: 2 n + 1 = 9 in the paper, 3 n - 1 = 11 for groups of neurons)" in text
    assert "Distance to the interpolant on [-1, 1]: sup 0.1" in text


def test_json_is_valid_and_holds_the_same(points):
    result = run("flow", points, "--neurons", 200, "--json")
    report = json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert result.exit_code == 0
    assert (report["n_samples"], report["n_neurons"], report["seed"], report["end"]) == (4, 200, 0, "stationary")
    assert report["loss"]["end"] < 1e-12 < report["loss"]["start"]
    assert sum(direction["share"] for direction in report["directions"]) == pytest.approx(1, abs=1e-3)
    assert report["kinks"]["at"][:3] == pytest.approx([-1, -0.4, 0.3], abs=1e-3)
    assert report["kinks"]["bounds"] == {"paper": 9, "groups": 11}
    assert report["kinks"]["bound"] == 9
    assert len(report["kinks"]["slopes"]) == len(report["kinks"]["at"]) + 1
    assert 0.05 < report["interpolant"]["sup"] < 0.15


def test_direction_without_a_kink_is_null_in_json(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("0 1\n", encoding="utf-8")
    result = run("flow", path, "--neurons", 20, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert all(direction["kink"] is None or math.isfinite(direction["kink"]) for direction in report["directions"])


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_figure_is_written(points, tmp_path, suffix):
    picture = tmp_path / f"out{suffix}"
    assert run("flow", points, "--neurons", 50, "--figure", picture).exit_code == 0
    assert picture.stat().st_size > 5000


def test_same_seed_same_answer_other_seed_another(points):
    answers = [run("flow", points, "--neurons", 50, "--seed", seed, "--json").stdout for seed in (3, 3, 4)]
    assert answers[0] == answers[1] != answers[2]


def test_asked_for_time_is_success(points):
    result = run("flow", points, "--neurons", 50, "--t-max", 3)
    assert result.exit_code == 0
    assert "reached t_max = 3" in result.stdout


def test_unsuccessful_run_prints_what_was_reached_and_exits_with_1(points, monkeypatch):
    from reluquant.studies import flow_report as room

    original = room.gradient_flow
    monkeypatch.setattr(room, "gradient_flow", lambda net, data, **goals: original(net, data, max_steps=10, **goals))
    result = run("flow", points, "--neurons", 50)
    assert result.exit_code == 1
    assert "took max_steps = 10 steps" in result.stdout
    assert "Distance to the interpolant" in result.stdout


def test_repeated_x_is_accepted_and_said(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("-1,1\n0,0\n0,1\n1,1\n", encoding="utf-8")
    result = run("flow", path, "--neurons", 50)
    assert result.exit_code == 0, result.output
    assert "Samples merged with an earlier one at the same x, as their mean: 1." in result.stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("x,y\n1,2\n3,nan\n", "line 3: expected a finite number, but found 'nan'"),
        ("1,2\n3,cat\n", "line 2: expected a number, but found 'cat'"),
        ("1,2,3\n", "line 1: expected two columns, x and y, but found 3"),
        ("x,y\n", "holds a line of column names but no points"),
        ("", "holds no points"),
        ("1,1e300\n2,1\n", "1e+300"),
    ],
)
def test_bad_points_are_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "points.csv"
    path.write_text(content, encoding="utf-8")
    assert sentence in refused(run("flow", path))


def test_missing_file_is_one_sentence(tmp_path):
    assert "cannot be read (no such file or directory)" in refused(run("flow", tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--scale", "-1", "scale must be .* but it is -1.0"),
        ("--scale", "nan", "scale must be .* but it is nan"),
        ("--scale", "1e-310", "scale must be .* but it is 1e-310"),
        ("--scale", "1e-400", "--scale .* 1e-400 is too small .* type a larger number"),
        ("--scale", "tiny", "--scale must be a number, but it is tiny"),
        ("--t-max", "-1", "t_max must be .* but it is -1.0"),
        ("--t-max", "0", "t_max must be .* but it is 0.0"),
        ("--t-max", "inf", "t_max must be .* but it is inf"),
        ("--t-max", "1e400", "--t-max .* 1e400 is too large .* type a smaller number"),
        ("--neurons", "0", "--neurons must be a whole number from 1 to 1,000,000, but it is 0"),
        ("--neurons", "100000000000", "--neurons must be a whole number from 1 to 1,000,000, but it is 100000000000"),
        ("--neurons", "1.5", "--neurons must be .* but it is 1.5"),
        ("--seed", "-1", "--seed must be a whole number of at least 0, but it is -1"),
    ],
)
def test_bad_options_are_one_sentence_that_says_what_came(points, option, value, sentence):
    assert re.search(sentence, refused(run("flow", points, option, value)))


def test_port_out_of_range_says_what_came():
    assert "--port must be a whole number from 1 to 65,535, but it is 70000" in refused(run("lab", "--port", 70000))


def test_impossible_figure_is_refused_before_the_run(points, tmp_path, monkeypatch):
    from reluquant.studies import flow_report as room

    monkeypatch.setattr(room, "gradient_flow", lambda *args, **goals: pytest.fail("ran"))
    assert ".png or .svg or .pdf" in refused(run("flow", points, "--figure", tmp_path / "out.xyz"))
    assert "does not exist" in refused(run("flow", points, "--figure", tmp_path / "nowhere" / "out.png"))
    (tmp_path / "folder.png").mkdir()
    assert "is a directory" in refused(run("flow", points, "--figure", tmp_path / "folder.png"))
    assert "cannot be written" in refused(run("flow", points, "--figure", tmp_path / f"{'a' * 300}.png"))


def test_failing_figure_does_not_cost_the_report(points, tmp_path, monkeypatch):
    from reluquant.studies.flow_report import FlowReport

    def full(report, path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(FlowReport, "save_figure", full)
    result = run("flow", points, "--neurons", 50, "--json", "--figure", tmp_path / "out.png")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["success"]
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("reluquant: the report is complete, but its figure was not written: ")
    assert "No space left" in line


SMALL = ("--scales", "1e-5,1e-4", "--widths", "20, 40", "--seeds", 1)


def test_phase_diagram_prints_exponents_and_writes_a_picture(points, tmp_path):
    picture = tmp_path / "phases.png"
    result = run("phase-diagram", points, *SMALL, "--mirrored", "--figure", picture)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(
        "points: 4 points, mirrored balanced starts, 1 of each scale and width, seed 0\nAll 4 runs returned.\n"
    )
    assert "S = d log RD / d log m at constant gamma" in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_phase_diagram_takes_a_data_set_and_prints_json():
    first, second = (run("phase-diagram", "--dataset", "smooth", *SMALL, "--seed", 3, "--json") for _ in range(2))
    report = json.loads(first.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert first.exit_code == 0
    assert first.stdout == second.stdout
    assert (report["scales"], report["widths"], report["seed"]) == ([1e-5, 1e-4], [20, 40], 3)
    assert report["phase"] == [["condensed"] * 2] * 2


def test_phase_diagram_of_which_runs_failed_exits_with_1(points):
    result = run("phase-diagram", points, "--scales", "1e-4,1e90", "--widths", "20,40", "--seeds", 1)
    assert result.exit_code == 1
    assert "2 of 4 returned, and 2 failed; the first says: The loss of the starting network exceeds" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "either a file of points or the name of a data set; neither was given"),
        (["points.csv", "--dataset", "zigzag"], "both were given"),
        (["--dataset", "zagzig"], "There is no data set 'zagzig'; the names are absolute, .*, zigzag"),
        (["--dataset", "zigzag", "--scales", "1,x"], "each of --scales must be a number, but it is x"),
        (["--dataset", "zigzag", "--scales", "1,,2"], "--scales must be numbers with commas between them, .* '1,,2'"),
        (["--dataset", "zigzag", "--scales", "0.1"], "at least two different scales"),
        (["--dataset", "zigzag", "--widths", "1,2"], "each of --widths must be a whole number from 2 .* but it is 1"),
        (["--dataset", "zigzag", "--start", "flat"], "start must be 'balanced' or 'gaussian', but it is 'flat'"),
        (["--dataset", "zigzag", "--gamma-prime", "1"], "A balanced start has equal layers"),
        (["--dataset", "zigzag", "--seeds", "0"], "--seeds must be a whole number from 1 to 1,000, but it is 0"),
        (["--dataset", "zigzag", "--figure", "out.gif"], "A figure is written as"),
    ],
)
def test_bad_phase_diagrams_are_one_sentence_before_any_run(arguments, sentence, monkeypatch):
    monkeypatch.setattr("reluquant.studies.regimes.sweep", lambda *args, **kwargs: pytest.fail("ran"))
    assert re.search(sentence, refused(run("phase-diagram", *arguments)))


def test_approximation_prints_slopes_and_writes_a_page_with_its_picture(tmp_path):
    page = tmp_path / "approximation.md"
    result = run("approximation", "--quick", "--neurons", 30, "--seeds", 1, "--seed", 2, "--out", page)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(
        "sin(πx) on [-1, 1]: equal spacing, 30 neurons of scale 1e-06, 1 run of each size, seed 2.\nAll 3 runs returned"
    )
    assert "-1.97 ± 0.06" in result.stdout
    assert "slopes fitted to them](approximation.svg)" in page.read_text(encoding="utf-8")
    assert "<svg" in page.with_suffix(".svg").read_text(encoding="utf-8")


def test_approximation_takes_random_labels_and_prints_json():
    first, second = (run("approximation", "--random-labels", "--quick", "--neurons", 20, "--json") for _ in range(2))
    report = json.loads(first.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert first.exit_code == 0
    assert first.stdout == second.stdout
    assert (report["target"], report["n_points"], report["n_seeds"]) == ("coin tosses on [-1, 1]", [4, 8, 16], 2)
    assert report["mean"]["network_wrong"] == pytest.approx([0.5] * 3, abs=0.05)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--dimension", "3"], "--dimension must be a whole number from 1 to 2, but it is 3"),
        (["--dimension", "2", "--random-labels"], "one feature only; leave dimension at 1"),
        (["--scale", "-1"], "scale must be .* but it is -1.0"),
        (["--neurons", "0"], "--neurons must be a whole number from 1 to 1,000,000, but it is 0"),
        (["--seeds", "0"], "--seeds must be a whole number from 1 to 1,000, but it is 0"),
        (["--out", "page.txt"], "its name must end in .md, but it is page.txt"),
        (["--out", "nowhere/page.md"], "the folder nowhere does not exist; create it first"),
    ],
)
def test_bad_approximations_are_one_sentence_before_any_run(arguments, sentence, monkeypatch):
    monkeypatch.setattr("reluquant.studies.approximation.sweep", lambda *args, **kwargs: pytest.fail("ran"))
    assert re.search(sentence, refused(run("approximation", *arguments)))


def test_unknown_option_is_a_usage_error():
    result = run("flow", "points.csv", "--neuron-count", 3)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_doctor_prints_versions(monkeypatch):
    from reluquant.environment import doctor as room

    result = run("doctor")
    assert result.stdout == f"{room.doctor()}\n"
    assert "numpy" in result.stdout
    monkeypatch.setattr(room, "doctor", lambda: room.DoctorReport((("python", "3.11"),), ("bqplot-gl breaks.",)))
    result = run("doctor")
    assert result.exit_code == 1
    assert "PROBLEM: bqplot-gl breaks." in result.stdout


def test_lab_copies_the_notebook_here_and_starts_jupyterlab(tmp_path, monkeypatch):
    started = []

    def start(command, check):
        started.append(command)
        return subprocess.CompletedProcess(command, returncode=0)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", start)
    result = run("lab", "--no-browser", "--port", 8891)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "00_quickstart.ipynb").exists()
    ((_, *command),) = started
    assert "--no-browser" in command
    assert "--ServerApp.port=8891" in command


def test_lab_without_jupyterlab_is_one_sentence(tmp_path, monkeypatch):
    from reluquant.environment import lab as room

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(room.util, "find_spec", lambda name: None)
    assert "JupyterLab is not installed; type: pip install" in refused(run("lab"))


def test_version_and_help():
    assert run("--version").stdout.strip() == reluquant.__version__
    text = run("--help").stdout
    assert all(command in text for command in ("lab", "flow", "phase-diagram", "approximation", "doctor"))


CONSOLE_SCRIPT = ["-c", "from reluquant.cli import app; app()"]


@pytest.mark.parametrize("way", [CONSOLE_SCRIPT, ["-m", "reluquant"], ["-m", "reluquant.cli"]], ids=" ".join)
def test_every_way_to_start_it_parses_and_prints_no_traceback(points, way):
    result = subprocess.run(
        [sys.executable, *way, "flow", str(points.with_name("none.csv"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr.startswith("reluquant: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_first_run_ever_says_that_it_compiles_and_the_second_does_not(points, tmp_path):
    command = [sys.executable, "-m", "reluquant", "flow", str(points), "--neurons", "10", "--json"]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment) for _ in range(2)
    )
    assert "the first time it is compiled, which takes less than a minute" in first.stderr
    assert "compiled" not in second.stderr
    assert json.loads(first.stdout) == json.loads(second.stdout)


# ---------------------------------------------------------------------------------------------------- claims


@pytest.fixture
def two_claims(monkeypatch):
    from reluquant.studies import claims

    def report():
        return claims.ClaimsReport(tuple((checked, checked.check()) for checked in claims.CLAIMS[:2]))

    monkeypatch.setattr(claims, "claims_report", report)


def test_claims_are_printed_as_a_table(two_claims):
    result = run("claims")
    assert result.exit_code == 0, result.output
    assert "| n points on the line make 2 n sectors (n = 7). |" in result.stdout
    assert "Checking" in result.stderr


def test_claims_are_written_with_their_picture(two_claims, tmp_path):
    result = run("claims", "--out", tmp_path / "claims.md")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "(claims.svg)" in (tmp_path / "claims.md").read_text(encoding="utf-8")
    assert (tmp_path / "claims.svg").exists()


def test_a_claim_that_fails_is_named_and_counts(two_claims, monkeypatch):
    from reluquant.studies import claim, claims

    wrong = claim.Claim("Two and two are five.", "nowhere", "rq.sectors", lambda: claim.Outcome(4, 5))
    monkeypatch.setattr(claims, "CLAIMS", (wrong, wrong))
    result = run("claims")
    assert result.exit_code == 1
    assert "not as expected: Two and two are five." in result.stderr


def test_a_page_elsewhere_is_refused_before_any_work(tmp_path):
    assert "must end in .md" in refused(run("claims", "--out", tmp_path / "claims.txt"))
    assert "does not exist" in refused(run("claims", "--out", tmp_path / "no" / "claims.md"))
