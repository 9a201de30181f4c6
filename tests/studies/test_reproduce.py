"""The report of everything: parts, what is kept, what fails, and nothing from a name gets into the page as HTML."""

import base64
import re

import pytest
from typer.testing import CliRunner

import reluquant as rq
from reluquant.cli import app
from reluquant.studies import reproduce as module
from reluquant.studies.reproduce import PARTS, Part, film, reproduce


def test_parts_have_names_of_their_own():
    assert len({part.name for part in PARTS}) == len(PARTS) == 10


def test_a_part_is_made_once_and_kept(tmp_path):
    said = []
    first = reproduce(tmp_path, quick=True, only=("family",), say=said.append)
    assert (first.made, first.kept, first.success) == (("family",), (), True)
    assert said == ["1 of 1: The finite set of functions …"]
    page = first.page.read_text(encoding="utf-8")
    assert "data:image/svg+xml;base64," in page
    assert "FunctionFamily(" in page
    again = reproduce(tmp_path, quick=True, only=("family",))
    assert (again.made, again.kept) == ((), ("family",))
    assert again.page.read_text(encoding="utf-8") == page


def test_a_part_that_fails_is_said_and_the_others_are_made(tmp_path, monkeypatch):
    def fails(path, quick):
        raise ValueError("no <b>luck</b>")

    parts = (Part("bad", "Bad <luck>", fails), Part("good", "Good", lambda path, quick: "<script>alert(1)</script>"))
    monkeypatch.setattr(module, "PARTS", parts)
    found = reproduce(tmp_path)
    assert found.made == ("good",)
    assert found.failures == {"bad": "ValueError: no <b>luck</b>"}
    page = found.page.read_text(encoding="utf-8")
    assert "no &lt;b&gt;luck&lt;/b&gt;" in page
    assert "<script>" not in page
    assert "Bad &lt;luck&gt;" in page


def test_an_interrupted_part_is_made_again(tmp_path, monkeypatch):
    def stopped(path, quick):
        path.with_suffix(".svg").write_text("half", encoding="utf-8")
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "PARTS", (Part("one", "One", stopped),))
    with pytest.raises(KeyboardInterrupt):
        reproduce(tmp_path)
    monkeypatch.setattr(module, "PARTS", (Part("one", "One", lambda path, quick: "whole"),))
    assert reproduce(tmp_path).made == ("one",)


def test_a_film_has_its_frames(tmp_path):
    words = film(rq.datasets.tent(), tmp_path / "tent.gif", n_frames=5, n_neurons=20)
    assert "20 neurons from scale 1e-6" in words
    from PIL import Image

    with Image.open(tmp_path / "tent.gif") as picture:
        assert picture.n_frames == 5


@pytest.mark.slow
def test_every_part_is_made_quickly(tmp_path):
    result = CliRunner().invoke(app, ["reproduce", "--quick", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "quick" / "report.html").read_text(encoding="utf-8")
    assert page.count("<h2") == len(PARTS)
    assert "This part failed" not in page
    pictures = re.findall(r'src="data:image/(?:gif|svg\+xml);base64,([^"]+)"', page)
    assert len(pictures) == len(PARTS) - 1
    assert all(len(base64.b64decode(picture)) > 1000 for picture in pictures)


def test_the_command_names_the_parts(tmp_path):
    result = CliRunner().invoke(app, ["reproduce", "--quick", "--out", str(tmp_path), "--only", "everything"])
    assert result.exit_code == 2
    assert "There is no part 'everything'; there are zigzag, sine" in result.output
