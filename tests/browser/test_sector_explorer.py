"""The sector explorer as a person uses it, by mouse and by keyboard."""

import json

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import reluquant as rq
explorer = rq.SectorExplorer(rq.Dataset([-1.0, -0.3, 0.6, 1.2], [1.2, -1.6, 0.8, -0.4]))
explorer
"""
CURVE = "() => document.querySelector('[data-panel=growth] path[stroke-width=\"2\"]')?.getAttribute('d')"


SPHERE = """
import numpy as np
rng = np.random.default_rng(1)
explorer = rq.SectorExplorer(rq.Dataset(rng.normal(size=(5, 2)), rng.normal(size=5)))
explorer
"""


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


def settle(page):
    page.wait_for_timeout(250)
    lab.kernel_run(page, "explorer.wait(60)")
    page.wait_for_timeout(250)


def test_residuals_neurons_and_directions_by_mouse_and_keyboard(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("sectors.ipynb", [CELL]))
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(120)")
    page.wait_for_function(CURVE)
    before = page.evaluate(CURVE)

    # A residual is dragged upwards, and nudged back by a key.
    sample = page.locator("[data-panel=data] path[data-name=data]").nth(1)
    lab.drag(page, sample, 0, -60)
    settle(page)
    assert page.evaluate(CURVE) != before
    dragged = value(page, "explorer.residual[1]")
    assert dragged > -0.4
    page.keyboard.press("ArrowDown")
    settle(page)
    assert value(page, "explorer.residual[1]") < dragged

    # A neuron is dropped on the circle, and its sign chosen.
    count = value(page, "len(explorer.neurons)")
    page.locator("button[title='Drop and show neurons with a < 0']").click()
    settle(page)
    box = page.locator("[data-panel=directions]").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2 + 10, box["y"] + box["height"] / 2 - 30)
    settle(page)
    assert value(page, "len(explorer.neurons)") == count + 1
    assert value(page, "explorer.neurons[-1][2]") == -1
    assert value(page, "explorer._facts.paths.prediction.fate[-1] == 'aligned'")

    # A critical direction is picked; the play runs.
    page.locator("[data-panel=growth] path[data-name='negative attractor']").first.click()
    settle(page)
    status = page.locator(".reluquant .rq-status").inner_text()
    assert status.startswith("Attractor of neurons with a < 0 at ")
    page.locator(".reluquant button[title^='Play']").click()
    page.wait_for_timeout(800)
    assert 0 < value(page, "explorer.t") < value(page, "explorer._facts.end")
    page.locator(".reluquant button[title^='Play']").click()
    settle(page)
    for dark in (False, True):
        lab.set_theme(page, dark=dark)
        page.wait_for_timeout(300)
        lab.screenshot(page, f"sectors-{'dark' if dark else 'light'}")
    assert value(page, "explorer.error") == ""


@pytest.mark.slow
def test_the_sphere_turns_by_a_drag_and_takes_a_neuron_by_a_click(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("sphere.ipynb", ["import reluquant as rq" + SPHERE]))
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(120)")
    page.wait_for_selector("[data-panel=directions] image")
    before, count = value(page, "[explorer.azimuth, explorer.elevation]"), value(page, "len(explorer.neurons)")
    box = page.locator("[data-panel=directions]").bounding_box()
    x, y = box["x"] + box["width"] / 2 + 47, box["y"] + box["height"] / 2 + 31
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y - 30, steps=8)
    page.mouse.up()
    settle(page)
    after = value(page, "[explorer.azimuth, explorer.elevation]")
    assert after[0] < before[0]
    assert after[1] < before[1]
    assert value(page, "len(explorer.neurons)") == count
    page.mouse.click(x - 70, y - 75)
    settle(page)
    assert value(page, "[explorer.azimuth, explorer.elevation]") == after
    assert value(page, "len(explorer.neurons)") == count + 1
