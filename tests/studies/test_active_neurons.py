"""The study of active neurons: runs, what is kept of them, the exponent, and the report."""

import json
import math

import numpy as np
import pytest
from typer.testing import CliRunner

import reluquant as rq
from reluquant.cli import app
from reluquant.studies import active_neurons as study
from reluquant.studies.active_report import active_neuron_report

SMALL = {"sizes": (5, 10), "n_seeds": 2, "width": 16, "stop": 0.3, "progress": False, "device": "cpu"}


@pytest.fixture(scope="module")
def found():
    return rq.active_neuron_study(methods=("descent", "greedy"), **SMALL)


def test_each_run_is_what_its_question_says(found):
    assert found.ok
    assert found.message == "All 8 runs were made and reached the loss asked for."
    answer = found.answers[3]
    assert (answer.question.n, answer.question.seed, answer.question.method) == (10, 1, "descent")
    data = rq.datasets.digits(10, split="train", rng=1)
    run = rq.train(data, widths=(16,), scale=1e-3, share=0.05, stop=0.3, rng=1, progress=False, device="cpu")
    active = rq.active_neurons(run.final)
    assert (answer.n_active, answer.n_directions) == (active.n_active, active.n_directions)
    assert answer.n_steps == run.n_steps
    assert answer.loss == pytest.approx(run.loss[-1] / 0.5)
    test = rq.datasets.digits(split="test")
    assert answer.test_accuracy == np.mean(run.final(test.X).argmax(1) == test.y.argmax(1))
    assert answer.counts["0.1, 0.3"] == rq.active_neurons(run.final, least=0.1, angle=0.3).n_directions


def test_series_differ_in_more_than_size_and_seed(found):
    series = found.series()
    assert [len(runs) for runs in series.values()] == [4, 4]
    assert [key[3] for key in series] == ["descent", "greedy"]


def fake(n, seed, count):
    return study.Answer(study.Question(n=n, seed=seed), count, count, {}, 1.0, 0.5, 0.01, 1, 0.1, "stop_loss", "cpu")


def test_the_exponent_of_a_power_is_that_power():
    runs = [fake(n, seed, n**2) for n in (2, 4, 8) for seed in range(3)]
    fit = study.exponent(runs, lambda a: a.n_active)
    assert (fit.value, fit.low, fit.high) == pytest.approx((2.0, 2.0, 2.0))
    noisy = [fake(n, seed, max(1, round(n * f))) for n in (50, 200, 800) for seed, f in enumerate((0.7, 1.0, 1.4))]
    fit = study.exponent(noisy, lambda a: a.n_active)
    assert fit.low < 1.0 < fit.high
    assert 0.05 < fit.high - fit.low < 0.6
    assert math.isnan(study.exponent(runs[:3], lambda a: a.n_active).value), "one size has no exponent"
    assert math.isnan(study.exponent([fake(2, 0, 3), fake(4, 0, 6)], lambda a: a.n_active).low)


def test_what_was_done_is_not_done_again(tmp_path, monkeypatch):
    first = rq.active_neuron_study(store=tmp_path, **SMALL)

    def never(*args, **options):
        raise AssertionError("this run was kept")

    monkeypatch.setattr(study, "ask", never)
    again = rq.active_neuron_study(store=tmp_path, **SMALL)
    assert [a.n_active for a in again.answers] == [a.n_active for a in first.answers]
    assert [path.name for path in tmp_path.iterdir()] == ["runs.jsonl"]


def test_an_interrupt_keeps_the_runs_that_were_made(tmp_path, monkeypatch):
    original, made = study.ask, []

    def until_the_third(question, **options):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(question)
        return original(question, **options)

    monkeypatch.setattr(study, "ask", until_the_third)
    half = rq.active_neuron_study(store=tmp_path, **SMALL)
    assert (half.ok, len(half.answers)) == (False, 2)
    assert half.message == "2 of 4 runs were made; the same call goes on from there."
    monkeypatch.setattr(study, "ask", original)
    assert rq.active_neuron_study(store=tmp_path, **SMALL).ok


def test_a_spoiled_store_is_named(tmp_path):
    (tmp_path / "runs.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"Line 1 of .*runs.jsonl is no run of this study"):
        rq.active_neuron_study(store=tmp_path, **SMALL)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dataset": "letters"}, "dataset must be among 'digits', 'mnist', 'fashion_mnist', but one is 'letters'"),
        ({"methods": ("magic",)}, "methods must be among"),
        ({"losses": ("huber",)}, "losses must be among"),
        ({"classes": 3}, "classes must be 2 or 10"),
        ({"losses": ("logistic",)}, "With 10 classes the losses are"),
        ({"sizes": (0,)}, "sizes must be"),
        ({"stop": 0.0}, "stop must be"),
    ],
)
def test_a_bad_argument_is_one_sentence(options, words):
    with pytest.raises(ValueError, match=words):
        rq.active_neuron_study(**SMALL | options)


def test_even_against_odd():
    runs = rq.active_neuron_study(classes=2, losses=("logistic",), methods=("greedy",), **SMALL)
    assert runs.ok
    assert all(a.train_accuracy == 1.0 for a in runs.answers)


def test_the_command_writes_page_picture_and_numbers(tmp_path):
    page = tmp_path / "active.md"
    arguments = ["--sizes", "5,10", "--seeds", "1", "--methods", "greedy", "--losses", "squared", "--stop", "0.3"]
    result = CliRunner().invoke(app, ["active-neurons", *arguments, "--out", str(page)])
    assert result.exit_code == 0, result.output
    assert "digits, 10 classes, squared, greedy" in result.output
    text = page.read_text(encoding="utf-8")
    assert "| n | active | directions |" in text
    assert "(active.svg)" in text
    assert page.with_suffix(".svg").read_text(encoding="utf-8").startswith("<?xml")
    runs = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["runs"]
    assert [run["question"]["n"] for run in runs] == [5, 10]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "letters"], "dataset must be among"),
        (["--sizes", "1"], "each of --sizes must be a whole number from 2"),
        (["--out", "page.txt"], "must end in .md"),
    ],
)
def test_the_command_refuses_nonsense(arguments, words):
    result = CliRunner().invoke(app, ["active-neurons", *arguments])
    assert result.exit_code == 2
    assert words in result.output


def test_a_report_prints_its_exponents():
    report = active_neuron_report(methods=("greedy",), losses=("squared",), **SMALL)
    assert "Exponent of active neurons" in str(report)
    assert report.to_dict()["success"]
