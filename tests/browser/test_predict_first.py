"""The prediction game as a learner plays it: draw by mouse, adjust by keyboard, run."""

import json

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import reluquant as rq
game = rq.PredictFirst(rq.datasets.absolute(), n_neurons=200)
game
"""


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


def test_draw_adjust_run(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("game.ipynb", [CELL]))
    lab.run_all(page)
    lab.kernel_run(page, "game.wait(120)")
    plot = page.locator("svg[data-panel=function]")
    plot.wait_for()
    page.wait_for_timeout(300)
    assert page.locator(".rq-scene .rq-interpolant").count() == 0
    box = plot.bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 480, box["y"] + 260, steps=30)
    page.mouse.up()
    page.wait_for_timeout(500)
    drawn = [y for _, y in value(page, "game.guess")]
    assert drawn[0] > drawn[3] > 0
    point = plot.locator("[data-name=guess]").nth(5)
    point.focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(400)
    assert value(page, "game.guess")[5][1] > drawn[5]
    lab.screenshot(page, "predict-drawn")
    page.locator(".reluquant button[title^='Show what']").click()
    page.wait_for_timeout(800)
    assert value(page, "game.score") < 1
    assert "Your score" in page.locator(".reluquant .rq-status").inner_text()
    assert page.locator(".rq-scene .rq-interpolant").count() > 0
    lab.screenshot(page, "predict-light")
    lab.set_theme(page, dark=True)
    page.wait_for_timeout(400)
    lab.screenshot(page, "predict-dark")
