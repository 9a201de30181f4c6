"""The histogram of weight directions as a person uses it: the circle by a click, the sphere by a drag and by keys."""

import json

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import reluquant as rq
data = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8])
run = rq.gradient_flow(rq.ShallowReLU.balanced(n_neurons=2000, scale=1e-4, rng=0), data, t_max=12.0, progress=False)
histogram = rq.DirectionHistogram(run, max_seconds=1.0)
histogram
"""
SPHERE = """
plane = rq.Dataset([[1, 0], [-0.6, 0.9], [-0.5, -1.1], [0.3, 0.2]], [1, -1, 1, -0.5])
net = rq.ShallowReLU.balanced(n_features=2, n_neurons=1000, scale=1e-4, rng=0)
histogram.trajectory = rq.gradient_flow(net, plane, t_max=6.0, rtol=1e-4, progress=False)
histogram.wait(120)
"""
HEAT_MAP = """
import numpy as np
X = np.random.default_rng(0).standard_normal((8, 4))
net = rq.ShallowReLU.balanced(n_features=4, n_neurons=400, scale=1e-3, rng=0)
wide = rq.Dataset(X, X[:, 0] - X[:, 1] ** 2)
histogram.trajectory = rq.gradient_flow(net, wide, t_max=15.0, rtol=1e-4, progress=False)
histogram.wait(120)
"""
PICTURE = """panel => document.querySelector(`.reluquant svg[data-panel='${panel}']`).innerHTML"""
SAID = "text => document.querySelector('.reluquant .rq-status').textContent.includes(text)"


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


def changed(page, panel, before):
    page.wait_for_function(f"([panel, before]) => ({PICTURE})(panel) !== before", arg=[panel, before], timeout=15_000)


def pictures(page, name):
    for dark in (False, True):
        lab.set_theme(page, dark=dark)
        page.wait_for_timeout(300)
        lab.screenshot(page, f"direction-histogram-{name}-{'dark' if dark else 'light'}")


def test_bars_are_picked_and_spheres_turned(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("histogram.ipynb", [CELL]))
    lab.run_all(page)
    lab.kernel_run(page, "histogram.wait(120)")
    panel = page.locator(".reluquant svg[data-panel=directions]")
    bars = panel.locator("[data-name=outward]")
    bars.first.wait_for(state="attached")
    before = page.evaluate(PICTURE, "directions")
    assert "with a > 0 at" in bars.first.locator("title").text_content()
    tallest = max(range(bars.count()), key=lambda i: bars.nth(i).bounding_box()["height"])
    box = bars.nth(tallest).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    changed(page, "directions", before)
    assert value(page, "histogram.selected.size") > 0
    assert value(page, "bool((histogram.trajectory.final.a[histogram.selected] > 0).all())")
    page.wait_for_function(SAID, arg="Selected:")
    other = bars.nth((tallest + 1) % bars.count()).bounding_box()
    page.mouse.move(other["x"] + other["width"] / 2, other["y"] + other["height"] / 2, steps=4)
    page.wait_for_function(SAID, arg="Pointed at:")
    assert value(page, "histogram.hovered.size") > 0
    page.mouse.move(5, 5)
    page.wait_for_function(SAID, arg="Selected:")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert value(page, "histogram.selected.size") == 0
    page.mouse.move(5, 5)
    page.locator(".reluquant input[placeholder=number]").fill("12")
    page.keyboard.press("Enter")
    page.wait_for_function(SAID, arg="neuron 12 with a")
    page.locator(".reluquant select").nth(1).select_option("mass")
    page.wait_for_timeout(300)
    assert value(page, "histogram.weight") == "mass"
    pictures(page, "circle")

    lab.kernel_run(page, SPHERE)
    sphere = page.locator(".reluquant svg[data-panel=positive]")
    sphere.wait_for()
    before = page.evaluate(PICTURE, "positive")
    lab.drag(page, sphere, 60, 20)
    changed(page, "positive", before)
    azimuth = value(page, "histogram.azimuth")
    assert azimuth < 10
    before = page.evaluate(PICTURE, "negative")
    page.keyboard.press("ArrowLeft")
    changed(page, "negative", before)
    assert value(page, "histogram.azimuth") > azimuth
    disc = page.locator(".reluquant svg[data-panel=positive] [data-name=discs]").first.bounding_box()
    page.mouse.move(disc["x"] + disc["width"] / 2, disc["y"] + disc["height"] / 2, steps=4)
    page.wait_for_function(SAID, arg="Pointed at:")
    assert value(page, "histogram.hovered.size") > 0
    page.mouse.move(5, 5)
    entry = page.locator(".reluquant input[type=text]").nth(1)
    entry.fill("95")
    entry.press("Enter")
    page.locator(".reluquant [role=alert]").wait_for(state="visible")
    pictures(page, "sphere")
    lab.kernel_run(page, HEAT_MAP)
    page.locator(".reluquant svg[data-panel=angles]").wait_for()
    page.locator(".reluquant svg[data-panel=clusters] [data-name=shares]").first.click()
    page.wait_for_timeout(500)
    assert value(page, "histogram.selected.size") > 1
    pictures(page, "heat-map")
