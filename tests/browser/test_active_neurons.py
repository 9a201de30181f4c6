"""Training as a person watches it: stop, resume, look back by mouse, type another width."""

import json

import pytest

from tests.browser import lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CELL = """
import reluquant as rq
widget = rq.ActiveNeurons(rq.datasets.digits(100, split="train"), rq.datasets.digits(split="test"), stop=0.0,
                          max_steps=10**6)
widget
"""


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


def test_watch_stop_resume_and_look_back(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("active.ipynb", [CELL]))
    lab.run_all(page)
    counts = page.locator("svg[data-panel=counts]")
    counts.wait_for(timeout=60_000)
    page.wait_for_timeout(4000)
    page.get_by_role("button", name="Stop").click()
    lab.kernel_run(page, "widget.wait(60)")
    steps = value(page, "widget.run.n_steps")
    assert steps > 10
    assert page.locator("svg[data-panel=templates] image").count() >= 1
    lab.screenshot(page, "active-light")
    page.get_by_role("button", name="Resume").click()
    page.wait_for_timeout(3000)
    page.get_by_role("button", name="Stop").click()
    lab.kernel_run(page, "widget.wait(60)")
    assert value(page, "widget.run.n_steps") > steps
    box = counts.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(500)
    assert 0 < value(page, "widget.t") < value(page, "float(widget.run.snapshot_t[-1])")
    lab.set_theme(page, dark=True)
    page.wait_for_timeout(500)
    lab.screenshot(page, "active-dark")
    typed = page.locator(".reluquant input[type=text]").first
    typed.fill("<b>many</b>")
    typed.press("Enter")
    alert = page.locator(".reluquant [role=alert]")
    alert.wait_for(state="visible")
    assert "<b>many</b>" in alert.inner_text()
    lab.kernel_run(page, "widget.close()")
