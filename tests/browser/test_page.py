"""A saved page plays with no kernel, opened from the disk, and fetches nothing."""

import pytest

import reluquant as rq

pytestmark = pytest.mark.browser

CURVE = """() => [...document.querySelectorAll('svg[data-panel=function] path')]
  .find(path => path.getAttribute('stroke-width') === '3')?.getAttribute('d')"""


def test_it_plays_from_the_disk(page, tmp_path):
    data = rq.Dataset([-1.0, 0.0, 1.0], [1.0, -1.0, 1.0], name="<script>alert(1)</script>")
    explorer = rq.explore(data, n_neurons=60)
    explorer.wait(120)
    path = explorer.save(tmp_path / "flow.html")
    explorer.close()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function(CURVE)
    end, words = page.evaluate(CURVE), page.locator("[role=status]").inner_text()
    assert words.startswith("Fitted")
    page.get_by_role("button", name="Play or pause").click()
    page.wait_for_timeout(1500)
    during = page.evaluate(CURVE)
    assert during != end
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Play or pause").click()
    slider = page.get_by_role("slider")
    slider.focus()
    place = slider.input_value()
    page.keyboard.press("ArrowRight")
    assert int(slider.input_value()) == int(place) + 1
    page.keyboard.press("End")
    assert page.evaluate(CURVE) == end
    assert asked == [path.as_uri()]
