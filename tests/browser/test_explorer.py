"""The explorer as a person uses it: in JupyterLab and Notebook 7, in light and dark, by mouse and by keyboard."""

import json
import re

import pytest

from tests.browser import lab

pytestmark = pytest.mark.browser

CELL = """
import reluquant as rq
data = rq.Dataset([-1.6, -0.9, -0.1, 0.7, 1.5], [0.6, -0.7, 0.9, -0.5, 0.8])
explorer = rq.explore(data, n_neurons=300)
explorer
"""

# The network is the one heavy line.
NETWORK = """() => [...document.querySelectorAll('.reluquant path.line')]
  .find(path => getComputedStyle(path).strokeWidth === '3px' && path.getAttribute('d'))?.getAttribute('d')"""
BARS = """() => [...document.querySelectorAll('.reluquant .rq-scene [data-name=positive]')]
  .map(path => path.getAttribute('d')).join('')"""


@pytest.fixture
def shown(either, page):
    """A page on which the explorer has drawn its first picture."""
    open_explorer(page, either)
    return page


def open_explorer(page, server):
    lab.open_notebook(page, server, server.write("explorer.ipynb", [CELL]))
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(120)")
    page.wait_for_function(NETWORK)
    page.wait_for_function(BARS)
    page.wait_for_timeout(300)
    # The page must not report its own rounding of the controls as a wish of the user.
    assert lab.kernel_run(page, "print(explorer)") == "FlowExplorer(n_samples=5, n_neurons=300, scale=1e-06, seed=0)"


def data_point(page, rank):
    """The data point with this rank from the left: data are discs, drawn by arcs; held kinks are diamonds."""
    discs = page.locator(".reluquant .bqplot").first.locator("path.dot[d*=A]")
    left = [discs.nth(i).bounding_box()["x"] for i in range(discs.count())]
    return discs.nth(sorted(range(len(left)), key=left.__getitem__)[rank])


def value(page, expression):
    return json.loads(lab.kernel_run(page, f"import json; print(json.dumps({expression}))"))


def test_dragging_a_point_moves_data_and_curve(shown):
    page, before = shown, shown.evaluate(NETWORK)
    lab.drag(page, data_point(page, 2), 25, 60)
    page.wait_for_function(f"before => ({NETWORK})() !== before", arg=before, timeout=10_000)
    lab.kernel_run(page, "explorer.wait(60)")
    assert value(page, "explorer.data.y.tolist()")[2] < 0.8
    assert value(page, "explorer.data.X[:, 0].tolist()")[2] > 0.0
    assert value(page, "explorer.data.y.tolist()")[:2] == [0.6, -0.7]
    assert value(page, "explorer.trajectory.data is explorer.data")
    assert value(page, "explorer.error") == ""


def test_play_moves_curve_directions_and_play_head(shown):
    page = shown
    before = page.evaluate(NETWORK), page.evaluate(BARS)
    page.locator(".reluquant button[title^='Play']").click()
    page.wait_for_timeout(1500)
    assert value(page, "explorer.playing")
    during = page.evaluate(NETWORK), page.evaluate(BARS)
    assert during[0] != before[0]
    assert during[1] != before[1]
    page.locator(".reluquant button[title^='Play']").click()
    page.wait_for_timeout(300)
    paused = value(page, "explorer.t")
    assert 0 < paused < value(page, "float(explorer.trajectory.t[-1])")
    page.wait_for_timeout(300)
    assert value(page, "explorer.t") == paused
    page.locator(".reluquant button[title^='One frame forward']").click()
    page.wait_for_timeout(300)
    assert value(page, "explorer.t") > paused


def test_scrubber_by_mouse_and_keyboard(shown):
    page = shown
    handle = page.locator(".reluquant .noUi-handle").last
    lab.drag(page, handle, -400, 0)
    page.wait_for_timeout(500)
    scrubbed = value(page, "explorer.t")
    assert 0 < scrubbed < value(page, "float(explorer.trajectory.t[-1])")
    handle.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    assert value(page, "explorer.t") < scrubbed
    page.locator(".reluquant select").first.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(300)
    assert value(page, "explorer.speed") == 2.0


def test_play_head_can_be_dragged_along_the_axis(shown):
    page = shown
    head = page.locator(".reluquant .bqplot").nth(1).locator("path.dot").last
    lab.drag(page, head, -300, -30)
    page.wait_for_timeout(500)
    t, end = value(page, "explorer.t"), value(page, "float(explorer.trajectory.t[-1])")
    assert 0 < t < end / 2
    # It snaps back onto the curve, below the mouse.
    assert value(page, "float(explorer._time.head.y[0])") <= value(page, "float(explorer.trajectory.loss[0])")


def test_typed_values_and_errors(shown):
    page = shown
    box = page.locator(".reluquant input[type=text][placeholder=scale]")
    box.fill("1e-3")
    box.press("Enter")
    page.wait_for_timeout(300)
    assert value(page, "explorer.scale") == 1e-3
    box.fill("<b>tiny</b>")
    box.press("Enter")
    alert = page.locator(".reluquant [role=alert]")
    alert.wait_for(state="visible")
    assert alert.inner_text() == "scale must be a number such as 1e-6, but '<b>tiny</b>' was typed."
    assert value(page, "explorer.scale") == 1e-3
    box.fill("1e-3")
    box.press("Enter")
    alert.wait_for(state="hidden")
    assert value(page, "explorer.scale") == 1e-3


def test_points_are_added_deleted_drawn_and_undone(shown):
    page = shown
    panel = page.locator(".reluquant .bqplot").first.bounding_box()
    x, y = panel["x"] + 300, panel["y"] + 90
    page.get_by_role("button", name="add", exact=True).click()
    page.wait_for_timeout(500)
    page.mouse.click(x, y)
    page.wait_for_timeout(500)
    assert value(page, "explorer.data.n_samples") == 6
    page.get_by_role("button", name="delete", exact=True).click()
    page.wait_for_timeout(500)
    page.mouse.click(x, y)
    page.wait_for_timeout(500)
    assert value(page, "explorer.data.n_samples") == 5
    page.get_by_role("button", name="draw", exact=True).click()
    page.wait_for_timeout(300)
    page.mouse.move(panel["x"] + 70, panel["y"] + 250)
    page.mouse.down()
    page.mouse.move(panel["x"] + 570, panel["y"] + 50, steps=25)
    page.mouse.up()
    page.wait_for_timeout(700)
    drawn = value(page, "explorer.data.y.tolist()")
    assert drawn == sorted(drawn)
    page.locator(".reluquant button[title^='Undo']").click()
    page.wait_for_timeout(300)
    assert value(page, "explorer.data.y.tolist()") == [0.6, -0.7, 0.9, -0.5, 0.8]
    assert value(page, "explorer.error") == ""


def test_a_bar_selects_its_neurons(shown):
    page = shown
    page.locator(".rq-scene [data-name=positive]").first.click()
    page.wait_for_timeout(500)
    assert len(value(page, "explorer.selected")) > 0
    assert "Selected:" in page.locator(".reluquant .rq-status").inner_text()


# The neuron whose kink has no other close by, and where its tick is, as shares of the plot.
LONE_TICK = """
import numpy as np
from reluquant.views import theme
from reluquant.views.frames import flow_frame
explorer.t = 1.0
explorer.wait(10)
shown, neurons = explorer._window, flow_frame(explorer.trajectory, 1.0, shown=explorer._window).neurons
free = np.flatnonzero((neurons.kink > shown.left) & (neurons.kink < shown.right) & (neurons.slides_on < 0))
gap = [np.min(np.abs(np.delete(neurons.kink, j) - neurons.kink[j])) for j in free]
lone = int(free[np.argmax(gap)])
place = [(neurons.kink[lone] - shown.left) / (shown.right - shown.left), theme.RUG_LINE]
"""
SAID = "text => document.querySelector('.reluquant .rq-status').textContent.includes(text)"


def test_a_neuron_under_the_mouse_is_seen_in_every_view_and_a_click_selects_it(shown):
    page = shown
    lab.kernel_run(page, LONE_TICK)
    lone, place = value(page, "lone"), value(page, "place")
    plot = page.locator(".reluquant .rq-function .plotarea_background").bounding_box()
    x, y = plot["x"] + place[0] * plot["width"], plot["y"] + (1 - place[1]) * plot["height"]
    rings = page.locator(".rq-scene [data-kind=dots] path.rq-hollow.rq-ink")
    # Over the tick in the function panel, and away from it.
    page.mouse.move(x, y, steps=5)
    page.wait_for_function(SAID, arg=f"Pointed at: neuron {lone} with a")
    assert value(page, "explorer.hovered") == [lone]
    assert value(page, "explorer._function.rings.x.size") == 1
    assert rings.count() == 1
    page.mouse.move(x, plot["y"] + 5, steps=5)
    page.wait_for_function(f"text => !({SAID})(text)", arg="Pointed at:")
    assert value(page, "explorer.hovered") == []
    # A click selects it, a second one takes it back, and so does Escape.
    page.mouse.click(x, y)
    page.mouse.move(x, plot["y"] + 5)
    page.wait_for_function(SAID, arg=f"Selected: neuron {lone} with a")
    assert page.locator(".reluquant input[placeholder=number]").input_value() == str(lone)
    assert rings.count() == 1
    page.mouse.click(x, y)
    page.wait_for_timeout(500)
    assert value(page, "explorer.selected") == []
    page.mouse.click(x, y)
    page.wait_for_timeout(500)
    assert value(page, "explorer.selected") == [lone]
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    assert value(page, "explorer.selected") == []
    # Over a direction that attracts, or a bar, of the circle.
    for name in ("to positive", "dead", "positive"):
        mark = page.locator(f".rq-scene [data-name='{name}']").first
        box = mark.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
        page.wait_for_timeout(400)
        hovered = value(page, "explorer.hovered")
        assert (len(hovered) > 0) == page.evaluate(SAID, "Pointed at:")
    assert len(hovered) > 0
    mark.click()
    page.wait_for_function(SAID, arg="Selected:")
    page.mouse.move(5, 5)
    box = page.locator(".reluquant input[placeholder=number]")
    box.fill("7, 3")
    box.press("Enter")
    page.wait_for_function(SAID, arg="Selected: 2 neurons (7, 3) with")
    assert value(page, "explorer.error") == ""


LINKED = """
import ipywidgets as W
box = W.FloatText(value=1.0)
link = W.jslink((box, 'value'), (explorer, 't'))
box
"""


def test_a_box_is_linked_in_the_page(jupyter, page):
    lab.open_notebook(page, jupyter, jupyter.write("linked.ipynb", [CELL, LINKED]))
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(120)")
    box = page.locator(".jp-Cell").nth(1).locator("input[type=number]")
    box.fill("12.5")
    box.press("Enter")
    page.wait_for_function(SAID, arg="t = 12.5:")
    assert value(page, "explorer.t") == 12.5
    lab.kernel_run(page, "explorer.t = 3.25")
    page.wait_for_timeout(700)
    assert box.input_value() == "3.25"


def test_running_the_cell_again_closes_the_first_explorer(jupyter, page):
    open_explorer(page, jupyter)
    lab.kernel_run(page, "first = explorer; first.play()")
    lab.run_all(page)
    lab.kernel_run(page, "explorer.wait(60)")
    assert value(page, "repr(first)") == "FlowExplorer(closed)"
    names = value(page, "[t.name for t in __import__('threading').enumerate()]")
    assert not [name for name in names if name.startswith("reluquant")]


@pytest.mark.parametrize("dark", [False, True])
def test_marks_are_legible_in_both_themes(either, page, dark):
    open_explorer(page, either)
    lab.set_theme(page, dark=dark)
    page.wait_for_timeout(500)
    lab.kernel_run(page, "explorer.t = 45.0; explorer.wait(10)")
    page.wait_for_timeout(500)
    paper = brightness(page, "getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor")
    strokes = page.evaluate(
        "() => [...document.querySelectorAll('.reluquant path.line')].filter(path => path.getAttribute('d'))"
        ".map(path => getComputedStyle(path).stroke)"
    )
    labels = page.evaluate(
        "() => [...document.querySelectorAll('.reluquant .axislabel, .rq-scene text, .reluquant .rq-status')]"
        ".map(text => text.tagName === 'DIV' ? getComputedStyle(text).color : getComputedStyle(text).fill)"
    )
    assert len(strokes) >= 6
    assert len(labels) >= 10
    for colour in {*strokes, *labels}:
        assert contrast(luminance(colour), paper) > 3.0, colour
    lab.screenshot(page, f"explorer-{either.app}-{'dark' if dark else 'light'}")


def test_nothing_is_cut_off_and_every_picture_has_a_name(jupyter, page):
    open_explorer(page, jupyter)
    outside = page.evaluate(
        """() => [...document.querySelectorAll('.reluquant svg')].flatMap(svg => {
          const frame = svg.getBoundingClientRect();
          return [...svg.querySelectorAll('text')].filter(text => text.textContent.trim()).filter(text => {
            if (!text.checkVisibility({ opacityProperty: true })) return false;
            const box = text.getBoundingClientRect();
            return box.left < frame.left - 1 || box.right > frame.right + 1
              || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
          }).map(text => text.textContent);
        })"""
    )
    assert outside == []
    figures = page.locator(".reluquant [role=figure]")
    assert figures.count() == 2
    assert "interpolant" in figures.first.get_attribute("aria-label")
    assert "weight directions" in page.locator(".rq-scene").get_attribute("aria-label")
    circle = page.locator(".rq-scene").bounding_box()
    assert circle["width"] == circle["height"]
    overflowing = page.evaluate(
        """() => [...document.querySelectorAll('.reluquant, .reluquant .widget-hbox')]
          .filter(box => box.scrollWidth > box.clientWidth + 1).length"""
    )
    assert overflowing == 0


# --- contrast as in WCAG 2.2, section 1.4.3 --------------------------------------------------------------------------


def brightness(page, expression):
    return luminance(page.evaluate(f"() => {expression}"))


def luminance(colour):
    channels = [int(float(c)) / 255 for c in re.findall(r"[\d.]+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
