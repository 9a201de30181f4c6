"""The slice explorer as a person uses it, by mouse and by keyboard."""

import json

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import warnings
import reluquant as rq
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier
data = load_digits()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    model = MLPClassifier((48, 32), max_iter=25, random_state=0).fit(data.data / 16, data.target)
net = rq.DeepReLU([W.T for W in model.coefs_], model.intercepts_)
explorer = rq.SliceExplorer(net, data.data / 16, data.target, near=1.5)
explorer
"""
BOUNDARY = "() => document.querySelector('[data-panel=slice] path.rq-ink[stroke-width=\"2.2\"]')?.getAttribute('d')"
PICTURES = "() => [...document.querySelectorAll('[data-panel=images] image')].map(i => i.getAttribute('href'))"


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


def settle(page):
    page.wait_for_timeout(250)
    lab.kernel_run(page, "explorer.wait(60)")
    page.wait_for_timeout(250)


def test_probe_images_and_zoom_by_mouse_and_keyboard(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("slice.ipynb", [CELL]))
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(120)")
    page.wait_for_function(BOUNDARY)

    # The probe is dragged and nudged: the fourth picture changes, the three others stay.
    before, probe = page.evaluate(PICTURES), value(page, "explorer.probe")
    lab.drag(page, page.locator("[data-panel=slice] path[data-name=probe]"), 40, -30)
    settle(page)
    dragged = value(page, "explorer.probe")
    assert dragged[1] > probe[1]
    after = page.evaluate(PICTURES)
    assert after[:3] == before[:3]
    assert after[3] != before[3]
    page.keyboard.press("ArrowDown")
    settle(page)
    assert value(page, "explorer.probe[1]") < dragged[1]
    page.locator("[data-panel=slice] path[data-name=corner]").nth(1).click()
    settle(page)
    assert value(page, "explorer.probe") == [1, 0]

    # The wheel with Ctrl zooms about the mouse; without it the page would scroll.
    boundary = page.evaluate(BOUNDARY)
    box = page.locator("[data-panel=slice]").bounding_box()
    page.mouse.move(box["x"] + 250, box["y"] + 250)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -240)
    page.keyboard.up("Control")
    settle(page)
    assert value(page, "explorer.zoom") == pytest.approx(2, rel=0.05)
    assert page.evaluate(BOUNDARY) != boundary
    page.locator(".reluquant button[title='Show the three points again']").click()
    settle(page)
    assert page.evaluate(BOUNDARY) == boundary
    for dark in (False, True):
        lab.set_theme(page, dark=dark)
        page.wait_for_timeout(300)
        lab.screenshot(page, f"slice-classes-{'dark' if dark else 'light'}")

    # Another image by its button, and one that is not there by its number.
    page.locator(".reluquant button[title='The data point after C']").click()
    settle(page)
    assert value(page, "explorer.chosen") == [0, 1, 3]
    assert page.evaluate(BOUNDARY) != boundary
    entry = page.locator(".reluquant input[type=number]").nth(1)
    entry.fill("99999")
    entry.press("Enter")
    page.wait_for_selector(".reluquant .rq-alert")
    assert page.locator(".reluquant .rq-alert").inner_text().startswith("There is no data point 99999 for B")
    assert value(page, "explorer.chosen") == [0, 1, 3]
    page.locator(".reluquant select").first.select_option(label="value of output 3")
    settle(page)
    assert value(page, "explorer.output") == 3
    assert value(page, "explorer.error") == ""
    for dark in (False, True):
        lab.set_theme(page, dark=dark)
        page.wait_for_timeout(300)
        lab.screenshot(page, f"slice-value-{'dark' if dark else 'light'}")
