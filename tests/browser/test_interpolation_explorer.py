"""The explorer of interpolation as a person uses it, by mouse and keyboard."""

import json

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import reluquant as rq
points = [[-1, -1], [1, -0.9], [1.1, 1], [-0.9, 1.1], [0.1, 0], [0.4, 0.6], [-0.5, 0.3]]
plane = rq.Dataset(points, [0.5, -0.5, 0.6, -0.4, 0.9, 0.1, -0.6])
explorer = rq.InterpolationExplorer(plane, n_neurons=30, scale=0.1, max_seconds=5)
explorer
"""
LINE = """
line = rq.InterpolationExplorer(rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8]), n_neurons=300)
line
"""
CURVE = "() => document.querySelectorAll('[data-panel=difference] path.rq-stroke.rq-difference')[0]?.getAttribute('d')"


UNDO = "() => [...document.querySelectorAll('button')].some(b => b.textContent === 'undo' && !b.disabled)"


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


def test_flip_undo_play_and_drag(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("interpolation.ipynb", [CELL, LINE]))
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(120); line.wait(120)")
    page.wait_for_selector("[data-panel=interpolant] path[data-name=flip]")
    for dark in (True, False):
        lab.set_theme(page, dark=dark)
        for name, anchor in (("plane", "[data-panel=network]"), ("line", "[data-panel=loss] >> nth=1")):
            if name == "line":
                lab.kernel_run(page, "line.t = 60.0; line.wait(20)")
            page.locator(anchor).scroll_into_view_if_needed()
            page.wait_for_timeout(500)
            lab.screenshot(page, f"interpolation-{name}-{'dark' if dark else 'light'}")
    # In the plane: a click on a handle flips its edge, a key on the next one too, and undo takes both back.
    before = value(page, "explorer.triangulation.simplices.tolist()")
    picture = page.locator("[data-panel=interpolant]")
    picture.scroll_into_view_if_needed()
    handle = picture.locator("path[data-name=flip]:not([transform*='-100000'])").first
    handle.click()
    page.wait_for_function(UNDO)
    once = value(page, "explorer.triangulation.simplices.tolist()")
    assert once != before
    assert value(page, "explorer.error") == ""
    handle = picture.locator("path[data-name=flip]:not([transform*='-100000'])").last
    handle.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    assert value(page, "explorer.triangulation.simplices.tolist()") != once
    for _ in range(2):
        page.locator("button", has_text="undo").first.click()
        page.wait_for_timeout(300)
    assert value(page, "explorer.triangulation.simplices.tolist()") == before
    page.locator("button", has_text="closest").first.click()
    page.wait_for_timeout(500)
    lab.kernel_run(page, "explorer.wait(60)")
    assert value(page, "explorer.error") == ""
    # On the line: a dragged point changes the run, and its difference from the interpolant.
    drawn = page.evaluate(CURVE)
    points = page.locator("[data-panel=function] path[data-name=data]")
    lab.drag(page, points.nth(2), 30, 50)
    lab.kernel_run(page, "line.wait(60)")
    assert value(page, "line.data.y.tolist()")[2] < 0.8
    assert value(page, "line.error") == ""
    page.wait_for_timeout(500)
    assert drawn
    assert page.evaluate(CURVE) != drawn
