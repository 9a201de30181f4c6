"""The quick start as a newcomer meets it: open it, run everything, drag a point, press play."""

import json

import pytest

from tests.browser import lab
from tests.browser.test_explorer import BARS, NETWORK, data_point

pytestmark = pytest.mark.browser


def value(page, expression):
    # The first cell's result is the explorer; the notebook gives it no name.
    return json.loads(lab.kernel_run(page, f"import json; explorer = Out[1]; print(json.dumps({expression}))"))


def test_run_all_then_drag_then_play(jupyter, page):
    lab.open_notebook(page, jupyter, "00_quickstart.ipynb")
    lab.run_all(page)
    page.wait_for_function(NETWORK)
    page.wait_for_function(BARS)
    assert value(page, "explorer.trajectory.success")
    curve, labels = page.evaluate(NETWORK), value(page, "explorer.data.y.tolist()")

    lab.drag(page, data_point(page, 1), 0, -60)
    lab.kernel_run(page, "Out[1].wait(60)")
    page.wait_for_timeout(500)
    dragged = value(page, "explorer.data.y.tolist()")
    assert dragged[1] > labels[1] + 0.1
    assert [dragged[0], *dragged[2:]] == [labels[0], *labels[2:]]
    after_drag, directions = page.evaluate(NETWORK), page.evaluate(BARS)
    assert after_drag != curve

    page.locator(".reluquant button[title^='Play']").click()
    page.wait_for_timeout(1500)
    assert value(page, "explorer.playing")
    assert page.evaluate(NETWORK) != after_drag
    assert page.evaluate(BARS) != directions
    lab.screenshot(page, "quickstart-playing")
