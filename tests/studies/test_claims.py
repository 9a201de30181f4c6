"""Every claim is checked, and the page in the documentation is what the command writes."""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace

import pytest

import reluquant as rq
from reluquant.studies.claim import Claim, Outcome, Relation, claim
from reluquant.studies.claims import CLAIMS, ClaimsReport, claims_report, draw_alignment, write_claims

ROOT = Path(__file__).resolve().parents[2]


@cache
def outcome(checked: Claim) -> Outcome:
    return checked.check()


@cache
def trajectory() -> rq.Trajectory:
    net = rq.ShallowReLU.balanced(n_neurons=20, scale=1e-6, rng=0)
    return rq.gradient_flow(net, rq.datasets.two_points(), progress=False)


@pytest.mark.parametrize("checked", CLAIMS, ids=lambda checked: checked.check.__name__.lstrip("_"))
def test_claim_holds_or_is_known_not_to(checked):
    assert outcome(checked).holds == (not checked.exception), outcome(checked)


@pytest.mark.slow
def test_the_page_of_the_documentation_is_what_the_command_writes():
    report = ClaimsReport(tuple((checked, outcome(checked)) for checked in CLAIMS))
    page = (ROOT / "docs/claims.md").read_text(encoding="utf-8")
    assert report.page("claims.svg") == page, "run `reluquant claims --out docs/claims.md`"
    assert (ROOT / "docs/claims.svg").stat().st_size > 1000


def test_claims_are_many_and_told_apart():
    assert len(CLAIMS) >= 20
    assert len({checked.sentence for checked in CLAIMS}) == len(CLAIMS)
    assert len({checked.source for checked in CLAIMS}) >= 6


@pytest.mark.parametrize("name", sorted({checked.by for checked in CLAIMS}))
def test_what_checks_a_claim_is_there(name):
    assert attrgetter(name)(SimpleNamespace(rq=rq, traj=trajectory())) is not None


# --------------------------------------------------------------------------------------------------- outcomes


@pytest.mark.parametrize(
    ("found", "expected", "tolerance", "relation", "holds"),
    [
        (1.0, 1.05, 0.1, Relation.EQUAL, True),
        (1.0, 1.2, 0.1, Relation.EQUAL, False),
        (1.2, 1.0, 0.1, Relation.EQUAL, False),
        (3, 2, 0, Relation.AT_MOST, False),
        (2, 2, 0, Relation.AT_MOST, True),
        (-9, 2, 0, Relation.AT_MOST, True),
        (3, 2, 0, Relation.AT_LEAST, True),
        (1.95, 2, 0.1, Relation.AT_LEAST, True),
        (1.0, 2, 0.1, Relation.AT_LEAST, False),
        (float("nan"), 0.0, 1.0, Relation.EQUAL, False),
    ],
)
def test_outcomes_are_judged(found, expected, tolerance, relation, holds):
    assert Outcome(found, expected, tolerance, relation).holds is holds


@pytest.mark.parametrize(
    ("value", "tolerance", "text"),
    [(14, 0, "14"), (0.07 + 3e-11, 1e-8, "0.07"), (-3e-15, 1e-10, "0"), (2 / 3, 1e-3, "0.667"), (865, 0, "865"),
     (0.24324, 0.006, "0.24"), (12.7, 10.0, "13")],
)  # fmt: skip
def test_only_digits_that_are_sure_are_printed(value, tolerance, text):
    assert Outcome(value, 0.0, tolerance).rounded(value) == text


# ------------------------------------------------------------------------------------------------------ the page


def made(found, exception=""):
    return claim(f"|x| is {found}.", by="rq.sectors", exception=exception)(lambda: Outcome(found, 1))


def test_surprises_are_claims_that_fail_and_exceptions_that_do_not():
    good, bad, known, gone = made(1), made(2), made(3, "It is three."), made(1, "It was two.")
    heard = []
    report = claims_report((good, bad, known, gone), on_claim=lambda *row: heard.append(row))
    assert report.surprises == (bad, gone)
    assert tuple(heard) == report.rows
    lines = report.page("a.svg").splitlines()
    assert "![Predicted and reached directions](a.svg)" in lines
    assert r"| \|x\| is 1. | 1803.08367 | `rq.sectors` | 1 | = 1 | 0 | yes |" in lines
    assert r"| \|x\| is 2. | 1803.08367 | `rq.sectors` | 2 | = 1 | 0 | **no** |" in lines
    assert r"| \|x\| is 3. | 1803.08367 | `rq.sectors` | 3 | = 1 | 0 | **no**, see 1 |" in lines
    assert "1. It is three." in lines
    assert "a.svg" not in str(report)


def test_the_picture_is_the_same_byte_for_byte(tmp_path):
    files = [tmp_path / name for name in ("a.svg", "b.svg")]
    for file in files:
        draw_alignment(file)
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert b"dc:date" not in first
    assert b"reached" in first


def test_page_and_picture_are_written_side_by_side(tmp_path):
    page, picture = write_claims(claims_report(CLAIMS[:2]), tmp_path / "all.md")
    assert (page.name, picture.name) == ("all.md", "all.svg")
    assert "(all.svg)" in page.read_text(encoding="utf-8")
    assert picture.exists()


@pytest.mark.parametrize(("name", "sentence"), [("claims.txt", "must end in .md"), ("nowhere/claims.md", "not exist")])
def test_paths_that_cannot_be_are_refused(tmp_path, name, sentence):
    with pytest.raises(ValueError, match=sentence):
        write_claims(ClaimsReport(()), tmp_path / name)
