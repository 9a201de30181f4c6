"""Public traits are those of any widget: observed, linked in the kernel and in the page, driven by functions."""

import ipywidgets as W
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances as instances

import reluquant as rq
from tests.widgets.conftest import DATA


@pytest.fixture
def greedy():
    made = rq.GreedyExplorer(DATA, n_neurons=20, scale=1e-3)
    made.wait(250)
    yield made
    made.close()


@pytest.fixture
def closing():
    """Closes what a test made beside the explorer."""
    before, made = set(instances), []
    yield made
    for widget in made:
        widget.close()
    for key in set(instances) - before:
        instances[key].close()


def test_a_play_is_observed_from_its_start_to_its_end(explorer):
    seen = {"t": [], "playing": [], "status": []}
    for name, values in seen.items():
        explorer.observe(lambda change, values=values: values.append(change.new), names=name)
    explorer.speed = 30.0
    explorer.play()
    explorer.wait(60)
    assert seen["playing"] == [True, False]
    assert seen["t"][0] == 0.0
    assert seen["t"][-1] == explorer.trajectory.t[-1]
    assert seen["t"] == sorted(seen["t"])
    assert seen["status"][-1] == explorer.status


def test_two_explorers_are_linked_in_the_kernel(explorer, greedy):
    link = W.link((explorer, "seed"), (greedy, "seed"))
    one_way = W.dlink((explorer, "n_neurons"), (greedy, "n_neurons"))
    explorer.seed, explorer.n_neurons = 5, 12
    assert (greedy.seed, greedy.n_neurons) == (5, 12)
    greedy.seed, greedy.n_neurons = 6, 15
    assert (explorer.seed, explorer.n_neurons) == (6, 12)
    for made in (explorer, greedy):
        made.wait(120)
    assert (explorer.trajectory.n_neurons, greedy.n_neurons) == (12, 15)
    link.unlink()
    one_way.unlink()
    explorer.seed = 7
    assert greedy.seed == 6


@pytest.mark.parametrize("name", ["t", "playing", "speed", "n_neurons", "scale", "seed", "selected", "hovered", "mode"])
def test_traits_of_the_explorer_are_known_to_the_page(explorer, name):
    assert explorer.traits()[name].metadata["sync"]
    assert name in explorer.get_state()


def test_every_setting_of_every_instrument_is_known_to_the_page():
    kinds = [
        getattr(rq, name) for name in
        ("DirectionHistogram", "FamilyExplorer", "GreedyExplorer", "InterpolationExplorer", "PredictFirst",
         "ScaleExplorer", "SectorExplorer")
    ]  # fmt: skip
    for kind in kinds:
        unknown = {name for name, trait in kind.class_traits(user=True).items() if not trait.metadata.get("sync")}
        # Arrays and neurons with weights are values of Python.
        assert unknown <= {"selected", "neurons"}, kind
        cursor = kind.class_traits().get(getattr(kind, "_cursor", "playing"))
        assert cursor is None or cursor.metadata.get("sync"), kind


def test_a_slider_is_linked_in_the_page(explorer, greedy, closing):
    sliders = [W.FloatSlider(max=100.0), W.FloatSlider(max=100.0)]
    links = [
        W.jslink((sliders[0], "value"), (explorer, "t")), W.jslink((sliders[1], "value"), (greedy, "tau")),
        W.jsdlink((explorer, "selected"), (explorer, "hovered")),
    ]  # fmt: skip
    closing += [*links, *sliders]
    assert links[0].source == (sliders[0], "value")
    # What the page then reports of either.
    explorer.set_state({"t": 3})
    greedy.set_state({"tau": 0.25})
    for made in (explorer, greedy):
        made.wait(60)
    assert explorer.t == 3.0
    assert greedy.tau == 0.25
    assert explorer.status.split("t = ")[1].startswith("3:")


def test_a_function_of_sliders_drives_an_instrument(explorer, greedy, closing):
    seed, tau = W.IntSlider(value=0, max=10), W.FloatSlider(value=0.0, max=1.0)

    def show(seed, tau):
        explorer.seed = seed
        greedy.tau = tau

    output = W.interactive_output(show, {"seed": seed, "tau": tau})
    closing += [output, seed, tau]
    seed.value, tau.value = 4, 0.5
    explorer.wait(60)
    greedy.wait(60)
    assert (explorer.seed, greedy.tau) == (4, 0.5)
    expected = rq.ShallowReLU.balanced(n_neurons=40, scale=1e-3, rng=4)
    np.testing.assert_array_equal(explorer.trajectory.at(0.0).W, expected.W)
    assert explorer.error == greedy.error == ""
