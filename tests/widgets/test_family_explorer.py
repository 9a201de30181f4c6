import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from reluquant.views.family_scene import by_frequency

DATA = rq.datasets.three_points()


@pytest.fixture
def explorer():
    made = rq.FamilyExplorer(DATA, n_draws=30)
    made.wait(250)
    yield made
    made.close()


def test_the_family_is_shown_by_frequency(explorer):
    expected = rq.function_family(DATA, draws=30, rng=0, progress=False)
    assert [m.count for m in explorer.family] == [m.count for m in expected]
    order = by_frequency(explorer.family)
    names = [panel.name for panel in explorer.scene().panels()]
    assert names == [*(f"member{k}" for k in order[:12]), "function", "directions"]
    assert explorer.chosen == order[0]
    assert f"{len(expected)} functions in all" in explorer.status
    table = explorer.scene().table()
    np.testing.assert_allclose(table["function/network/y"], expected[order[0]].function(table["function/network/x"]))


def test_a_click_or_the_menu_chooses_and_shows_its_directions(explorer):
    other = by_frequency(explorer.family)[-1]
    explorer._heard({"event": "click", "panel": f"member{other}", "x": 0.0, "y": 0.0})
    explorer.wait(20)
    assert explorer.chosen == explorer._member.value == other
    member = explorer.family[other]
    smallest = min(member.subsets, key=len)
    used = sum(explorer.scene().table()[f"directions/in J, {sign}/x"].size for sign in ("a > 0", "a < 0"))
    assert used == len(smallest)
    explorer._member.value = by_frequency(explorer.family)[0]
    assert explorer.chosen == by_frequency(explorer.family)[0]


def test_another_width_leaves_the_set(explorer):
    before = explorer.family
    explorer._width.text.value = "2000"
    explorer.wait(250)
    assert explorer.n_neurons == 2000
    assert explorer.family is not before
    assert [m.loss for m in explorer.family] == pytest.approx([m.loss for m in before])
    assert sum(m.count for m in explorer.family) == 30


def test_a_family_that_explodes_is_one_sentence_and_leaves_the_old_one(explorer):
    before = explorer.family
    explorer.data = rq.datasets.zigzag(9)
    with pytest.raises(ValueError, match="take fewer samples"):
        explorer.wait(60)
    assert "subsets, more than most" in explorer.error
    assert explorer.family is before
    explorer._points.text.value = "0 1; 1 0"
    explorer.wait(120)
    assert explorer.error == ""
    assert explorer.family.data is explorer.data


@pytest.mark.parametrize(("typed", "words"), [("2.5", "whole number from 1"), ("many", "must be a number")])
def test_bad_widths_are_sentences(explorer, typed, words):
    explorer._width.text.value = typed
    assert words in explorer.error
    assert explorer.n_neurons == 100
    assert explorer._width.text.value == "100"


def test_it_is_saved_and_leaves_nothing(tmp_path):
    before = set(instances)
    made = rq.FamilyExplorer(rq.datasets.two_points(), n_draws=5)
    made.wait(120)
    assert made.save(tmp_path / "family.png").stat().st_size > 1000
    assert "FamilyExplorer(n_samples=2" in made.to_html()
    made.close()
    assert set(instances) <= before
    for data in (rq.Dataset(np.eye(2), [0.0, 1.0]), [1.0]):
        with pytest.raises((ValueError, TypeError), match="FamilyExplorer takes"):
            rq.FamilyExplorer(data)
    assert set(instances) <= before
