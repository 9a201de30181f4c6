"""From condensed to lazy, as a person does it: click a measure, type a scale, choose descent."""

import json

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import reluquant as rq
explorer = rq.ScaleExplorer(rq.datasets.three_points(), n_neurons=60)
explorer
"""


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


def network(page):
    return page.evaluate(
        "() => [...document.querySelectorAll('svg[data-panel=function] path')]"
        ".find(path => path.getAttribute('stroke-width') === '3')?.getAttribute('d')"
    )


@pytest.mark.slow
def test_click_type_and_compare(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("scales.ipynb", [CELL]))
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(250)")
    plot = page.locator("svg[data-panel=count]")
    plot.wait_for()
    page.wait_for_timeout(500)
    before = network(page)
    box = plot.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 20, box["y"] + 60)
    page.wait_for_timeout(800)
    assert value(page, "explorer.log_scale") > 0
    assert network(page) != before
    assert page.locator(".reluquant .rq-status").inner_text().startswith("Lazy")
    lab.screenshot(page, "scales-light")
    box = page.locator(".reluquant .jupyter-widgets", has_text="scale").locator("input[type=text]").first
    box.fill("1e-40")
    box.press("Enter")
    page.wait_for_timeout(800)
    assert value(page, "explorer.log_scale") == pytest.approx(-40.0)
    assert page.locator(".reluquant .rq-status").inner_text().startswith("Condensed")
    page.locator(".reluquant select").last.select_option("descent, lr 0.1")
    lab.kernel_run(page, "explorer.wait(60)")
    page.wait_for_timeout(500)
    assert "Descent with lr = 0.1" in page.locator(".reluquant .rq-status").inner_text()
    lab.set_theme(page, dark=True)
    page.wait_for_timeout(400)
    lab.screenshot(page, "scales-dark")
