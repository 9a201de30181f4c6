import math

import numpy as np
import pytest

import reluquant as rq
from reluquant.views.greedy_facts import greedy_facts
from reluquant.views.greedy_scene import greedy_scene
from reluquant.views.packed_scene import packed_scene
from reluquant.views.scene import Dots, Label

DATA = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8])
SETTINGS = {"n_neurons": 60, "seed": 0, "mode": "tracked"}


@pytest.fixture(scope="module")
def facts():
    return greedy_facts(DATA, scale=1e-6, **SETTINGS)


def of_limit(mode="tracked"):
    start = rq.ShallowReLU.balanced(n_neurons=60, scale=1.0, rng=0)
    return rq.greedy_limit(DATA, start if mode == "tracked" else None, mode=mode, progress=False)


def test_the_staircase_has_the_steps_of_the_limit(facts):
    expected = of_limit()
    table = greedy_scene(facts, 0.0).table()
    x, y = table["loss/limit/x"], table["loss/limit/y"]
    np.testing.assert_allclose(x[1:-1:2], expected.taus)
    np.testing.assert_allclose(x[2::2], expected.taus)
    np.testing.assert_allclose(y[::2], expected.losses)
    np.testing.assert_allclose(y[1::2], expected.losses)
    assert x[-1] == facts.end > expected.taus[-1]


@pytest.mark.parametrize("mode", ["tracked", "reseeded"])
def test_the_other_mode_is_dashed_beside_it(mode):
    other = {"tracked": "reseeded", "reseeded": "tracked"}[mode]
    scene = greedy_scene(greedy_facts(DATA, scale=1e-6, n_neurons=60, seed=0, mode=mode), 0.0)
    x, y = (scene.table()[f"loss/limit, {other}/{axis}"] for axis in "xy")
    expected = of_limit(other)
    np.testing.assert_allclose(x[1:-1:2], expected.taus)
    np.testing.assert_allclose(y[::2], expected.losses)
    assert x[-1] == scene.panel("loss").x_range[1]


def test_functions_before_and_after_a_jump(facts):
    expected = of_limit()
    for k, tau in enumerate(expected.taus, start=1):
        table = greedy_scene(facts, tau).table()
        x = table["function/limit/x"]
        np.testing.assert_allclose(table["function/limit/y"], expected.networks[k](x), atol=1e-9)
        x = table["function/limit before the jump/x"]
        np.testing.assert_allclose(table["function/limit before the jump/y"], expected.networks[k - 1](x), atol=1e-9)
    assert "function/limit before the jump/x" not in greedy_scene(facts, 0.5 * expected.taus[0]).table()


def test_the_flow_is_that_of_its_scale_at_the_same_tau(facts):
    tau = 1.2 * float(facts.limit.taus[0])
    t = tau * math.log(1e6)
    net = rq.ShallowReLU.balanced(n_neurons=60, scale=1e-6, rng=0)
    run = rq.gradient_flow(net, DATA, t_max=t, progress=False)
    table = greedy_scene(facts, tau).table()
    x = table["function/flow of finite scale/x"]
    np.testing.assert_allclose(table["function/flow of finite scale/y"], run.final(x), atol=1e-4)
    loss = np.interp(tau, table["loss/flow of finite scale/x"], table["loss/flow of finite scale/y"])
    assert loss == pytest.approx(run.loss[-1], rel=0.02)


def test_smaller_scales_come_nearer_to_the_staircase(facts):
    def distance(scale):
        found = greedy_facts(DATA, scale=scale, **SETTINGS)
        tau = np.linspace(0.0, found.end, 4001)
        stairs = found.limit.losses[np.searchsorted(found.limit.taus, tau, side="right")]
        return np.mean(np.abs(np.interp(tau, found.flow_tau, found.flow_loss) - stairs))

    far, near, nearest = (distance(scale) for scale in (1e-4, 1e-20, 1e-100))
    # Times differ from the limit by C / ln(1/scale): five times as deep, five times as near.
    assert far > 3 * near > 9 * nearest


def test_directions_are_numbered_by_their_jump_and_filled_when_they_have_woken(facts):
    tau = float(facts.limit.taus[1])
    panel = greedy_scene(facts, tau).panel("directions")
    for k, step in enumerate(facts.limit.steps, start=1):
        marks = [m for m in panel.marks if isinstance(m, Dots) and m.name == f"jump {k}"]
        assert len(marks) == len(step.signs)
        for mark, direction, sign in zip(marks, step.directions, step.signs, strict=True):
            assert mark.hollow == (k > 2)
            assert mark.colour == {1: "positive", -1: "negative"}[sign]
            radius = float(np.hypot(mark.x[0], mark.y[0]))
            np.testing.assert_allclose([mark.x[0] / radius, mark.y[0] / radius], direction, atol=1e-12)
            assert any(
                isinstance(m, Label) and m.text == str(k) and m.x == pytest.approx(mark.x[0]) for m in panel.marks
            )


def test_the_sentence_names_plateau_and_losses(facts):
    n = len(facts.limit.steps)
    assert greedy_scene(facts, 0.0).sentence.startswith(f"Plateau 0 of {n}, up to τ = ")
    said = greedy_scene(facts, float(facts.limit.taus[0])).sentence
    assert said.startswith(f"Plateau 1 of {n}, since ")
    assert f"the limit has loss {facts.limit.losses[1]:.3g}" in said
    assert greedy_scene(facts, 1e9).sentence.endswith("No neuron can grow any more.")


def test_reseeded_finds_its_own_neurons():
    found = greedy_facts(DATA, scale=1e-6, n_neurons=5, seed=0, mode="reseeded")
    np.testing.assert_allclose(found.limit.taus, of_limit("reseeded").taus)


def test_a_limit_that_is_stuck_shows_what_it_lacks():
    found = greedy_facts(rq.datasets.absolute(5), scale=1e-8, **SETTINGS)
    scene = greedy_scene(found, found.end)
    assert "It is stuck" in scene.sentence
    table = scene.table()
    angle = np.arctan2(table["directions/a neuron would grow here/y"], table["directions/a neuron would grow here/x"])
    missing = found.limit.missing
    np.testing.assert_allclose(np.cos(angle), missing[:, 0], atol=1e-12)
    assert "directions/a neuron would grow here/x" not in greedy_scene(found, 0.0).table()


def test_other_data_have_a_table():
    rng = np.random.default_rng(0)
    data = rq.Dataset(rng.normal(size=(4, 2)), rng.normal(size=4), bias=False)
    found = greedy_facts(data, scale=1e-6, n_neurons=20, seed=0, mode="tracked")
    scene = greedy_scene(found, float(found.limit.taus[0]))
    assert [panel.name for panel in scene.panels()] == ["steps", "loss"]
    words = [mark.text for mark in scene.panel("steps").marks if isinstance(mark, Label)]
    step = found.limit.steps[0]
    u = step.directions[0]
    assert any(f"at {math.degrees(math.atan2(u[1], u[0])):.1f}°".replace("-", "−") in word for word in words)
    assert "".join("1" if v > 1e-9 else "–" if v > -1e-9 else "0" for v in data.X @ u) in words
    packed_scene(scene)


def test_data_that_teach_nothing_have_one_plateau():
    found = greedy_facts(rq.Dataset([0.0, 1.0], [0.0, 0.0]), scale=1e-6, **SETTINGS)
    assert found.end == 1.0
    assert greedy_scene(found, 0.5).sentence.startswith("Plateau 0 of 0, the last: the limit has loss 0")
    packed_scene(greedy_scene(found, 0.5))
