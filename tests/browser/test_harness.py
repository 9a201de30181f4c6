"""The harness itself: a small widget runs, and a drag arrives in the kernel, in both applications."""

import json

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import bqplot as bq, ipywidgets as w
x, y = bq.LinearScale(min=-1, max=1), bq.LinearScale(min=-1, max=1)
points = bq.Scatter(x=[-0.5, 0.5], y=[0.0, 0.0], scales={"x": x, "y": y}, enable_move=True)
figure = bq.Figure(marks=[points], axes=[bq.Axis(scale=x)], layout=w.Layout(width="500px", height="300px"))
box = w.VBox([figure, w.HTML("ready")])
box.add_class("harness")
box
"""


def test_widget_runs_and_a_drag_arrives_in_the_kernel(either, page):
    lab.open_notebook(page, either, either.write("harness.ipynb", [CELL]))
    lab.run_all(page)
    dots = page.locator(".harness path.dot")
    dots.nth(1).wait_for(state="visible")
    before = json.loads(lab.kernel_run(page, "print(points.y.tolist())"))
    lab.drag(page, dots.nth(1), 0, -40)
    page.wait_for_timeout(300)
    after = json.loads(lab.kernel_run(page, "print(points.y.tolist())"))
    assert after[0] == before[0] == 0.0
    assert after[1] > 0.1
    lab.screenshot(page, f"harness-{either.app}")


def test_theme_switches(either, page):
    lab.open_notebook(page, either, either.write("theme.ipynb", ["1 + 1"]))
    brightness = "() => getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor.match(/[0-9]+/g)[0]"
    lab.set_theme(page, dark=True)
    assert int(page.evaluate(brightness)) < 100
    lab.screenshot(page, f"theme-dark-{either.app}")
    lab.set_theme(page, dark=False)
    assert int(page.evaluate(brightness)) > 200


def test_a_failing_cell_is_noticed(jupyter, page):
    name = jupyter.write("failing.ipynb", ["raise ValueError('noticed')"])
    lab.open_notebook(page, jupyter, name)
    with pytest.raises(AssertionError, match="noticed"):
        lab.run_all(page)


def test_a_failing_kernel_call_is_noticed(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("kernel.ipynb", ["1"]))
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        lab.kernel_run(page, "1 / 0")


def test_page_errors_are_collected(page):
    page.set_content("<script>setTimeout(() => { throw new Error('seen') }, 0)</script>")
    page.wait_for_timeout(200)
    assert "seen" in page.errors[0]
    page.errors.clear()
