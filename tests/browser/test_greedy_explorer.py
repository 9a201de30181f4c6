"""The greedy explorer as a person uses it, by mouse and by keyboard."""

import json

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import reluquant as rq
data = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8])
explorer = rq.GreedyExplorer(data)
explorer
"""
LIMIT = "() => document.querySelector('[data-panel=function] path.rq-ink[stroke-width=\"3\"]')?.getAttribute('d')"
FLOW = "() => document.querySelector('[data-panel=loss] path.rq-difference')?.getAttribute('d')"


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


def settle(page):
    page.wait_for_timeout(250)
    lab.kernel_run(page, "explorer.wait(60)")
    page.wait_for_timeout(250)


def test_jumps_scale_mode_and_points_by_mouse_and_keyboard(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("greedy.ipynb", [CELL]))
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(120)")
    page.wait_for_function(LIMIT)
    taus = value(page, "explorer.limit.taus.tolist()")

    # From the end two jumps back, by the button; by a click on a number to the first one.
    end = page.evaluate(LIMIT)
    for _ in range(2):
        page.locator(".reluquant button[title='Back to the jump before']").click()
        settle(page)
    assert value(page, "explorer.tau") == taus[-2]
    assert page.evaluate(LIMIT) != end
    page.locator("[data-panel=directions] path[data-name='jump 3']").click()
    settle(page)
    assert value(page, "explorer.tau") == taus[2]
    assert page.locator(".reluquant .rq-status").inner_text().startswith(f"Plateau 3 of {len(taus)}")

    # The play head is dragged, and moved by a key.
    lab.drag(page, page.locator("[data-panel=loss] path[data-name=head]"), -80, 0)
    settle(page)
    dragged = value(page, "explorer.tau")
    assert 0 < dragged < taus[2]
    page.keyboard.press("ArrowRight")
    settle(page)
    assert value(page, "explorer.tau") > dragged

    # A smaller scale moves the flow's curve, not the limit.
    flow = page.evaluate(FLOW)
    box = page.locator(".reluquant input[type=text][placeholder=scale]")
    box.fill("1e-30")
    box.press("Enter")
    settle(page)
    assert value(page, "explorer.scale") == 1e-30
    assert page.evaluate(FLOW) != flow
    assert value(page, "explorer.limit.taus.tolist()") == taus
    lab.kernel_run(page, "explorer.tau = explorer.limit.taus[2]")
    settle(page)
    for dark in (False, True):
        lab.set_theme(page, dark=dark)
        page.wait_for_timeout(300)
        lab.screenshot(page, f"greedy-{'dark' if dark else 'light'}")

    page.get_by_role("button", name="reseeded").click()
    settle(page)
    assert value(page, "explorer.limit.mode") == "reseeded"
    lab.drag(page, page.locator("[data-panel=function] path[data-name=data]").nth(2), 15, 30)
    settle(page)
    assert value(page, "explorer.data.y.tolist()")[2] < 0.9
    assert value(page, "explorer.limit.data is explorer.data")
    assert value(page, "explorer.error") == ""
