"""The family of functions as a person looks through it: click small ones, use the menu, move the width."""

import json

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import reluquant as rq
explorer = rq.FamilyExplorer(rq.datasets.zigzag(), n_draws=60)
explorer
"""


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


@pytest.mark.slow
def test_click_choose_and_widen(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("family.ipynb", [CELL]))
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(250)")
    small = page.locator("svg[data-panel^=member]")
    small.first.wait_for()
    page.wait_for_timeout(500)
    assert small.count() == 12
    first = value(page, "explorer.chosen")
    lab.screenshot(page, "family-light")
    small.nth(3).click()
    page.wait_for_timeout(500)
    assert value(page, "explorer.chosen") != first
    assert f"member{value(page, 'explorer.chosen')}" == small.nth(3).get_attribute("data-panel")
    menu = page.locator(".reluquant select")
    menu.focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(500)
    assert f"member{value(page, 'explorer.chosen')}" == small.nth(2).get_attribute("data-panel")
    box = page.locator(".reluquant input[type=text][placeholder=neurons]")
    losses = value(page, "[m.loss for m in explorer.family]")
    box.fill("5")
    box.press("Enter")
    lab.kernel_run(page, "explorer.wait(120)")
    assert value(page, "explorer.n_neurons") == 5
    assert value(page, "[m.loss for m in explorer.family]") == pytest.approx(losses)
    lab.set_theme(page, dark=True)
    page.wait_for_timeout(500)
    lab.screenshot(page, "family-dark")
