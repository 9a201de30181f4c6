import numpy as np
import pytest

import reluquant as rq
from reluquant.views.family_scene import IN_A_ROW, MOST_SMALL, by_frequency, family_scene
from reluquant.views.frames import window
from reluquant.views.scene import Area, Line

DATA = rq.datasets.three_points()


@pytest.fixture(scope="module")
def family():
    return rq.function_family(DATA, draws=30, rng=0, progress=False)


def test_the_most_frequent_members_come_first(family):
    order = by_frequency(family)
    assert sorted(order) == list(range(len(family)))
    counts = [family[k].count for k in order]
    assert counts == sorted(counts, reverse=True)
    scene = family_scene(family, order[0])
    small = [panel for panel in scene.panels() if panel.name.startswith("member")]
    assert [panel.name for panel in small] == [f"member{k}" for k in order[:MOST_SMALL]]
    assert all(len(row) <= IN_A_ROW for row in scene.rows)
    for panel, k in zip(small, order, strict=False):
        assert panel.title == f"{100 * family[k].count / 30:.0f} %"


def test_every_small_panel_shows_its_own_function(family):
    scene = family_scene(family, 0)
    for k in by_frequency(family)[:MOST_SMALL]:
        (line,) = [mark for mark in scene.panel(f"member{k}").marks if isinstance(mark, Line)]
        # The end of the greedy process from these directions, evaluated as a network.
        np.testing.assert_allclose(line.y, family[k].limit.networks[-1](line.x), atol=1e-9)
        (frame,) = [mark for mark in scene.panel(f"member{k}").marks if isinstance(mark, Area)]
        assert (frame.colour == "interpolant") == (k == 0)


@pytest.mark.parametrize("place", [0, -1])
def test_the_chosen_one_is_shown_large(family, place):
    chosen = by_frequency(family)[place]
    member, table = family[chosen], family_scene(family, chosen).table()
    x, shown = np.linspace(window(DATA).left, window(DATA).right, 200), window(DATA)
    drawn = np.interp(x, table["function/network/x"], table["function/network/y"])
    np.testing.assert_allclose(drawn, member.function(x), atol=1e-9)
    assert table["function/network/x"][[0, -1]].tolist() == [shown.left, shown.right]
    np.testing.assert_allclose(table["function/interpolant/y"], rq.interpolate(DATA)(table["function/interpolant/x"]))


def test_directions_present_are_hollow_and_those_that_lead_there_filled(family):
    chosen = by_frequency(family)[0]
    smallest = min(family[chosen].subsets, key=len)
    table = family_scene(family, chosen).table()
    W, a = family.present.W, family.present.a
    for sign, relation in ((1, "a > 0"), (-1, "a < 0")):
        for label, those in (("direction", np.arange(a.size)), ("in J", np.array(smallest, dtype=int))):
            mine = those[np.sign(a[those]) == sign]
            x, y = table[f"directions/{label}, {relation}/x"], table[f"directions/{label}, {relation}/y"]
            expected = np.arctan2(W[mine, 1], W[mine, 0])
            np.testing.assert_allclose(np.arctan2(y, x), expected, atol=1e-9)


def test_words_count_the_family_and_measure_the_chosen(family):
    chosen = by_frequency(family)[0]
    member, sentence = family[chosen], family_scene(family, chosen).sentence
    reached = sum(other.count > 0 for other in family)
    assert f"{len(family)} functions in all" in sentence
    assert f"30 random networks ended in {reached} of them" in sentence
    assert f"{100 * member.count / 30:.3g} % of the draws" in sentence
    assert f"{member.n_kinks} kinks, {member.n_breakpoints} breakpoints" in sentence
    undrawn = family_scene(rq.function_family(DATA, draws=0, progress=False), 0)
    assert "none was drawn" in undrawn.sentence
    assert undrawn.panel("member0").title.startswith("loss ")
