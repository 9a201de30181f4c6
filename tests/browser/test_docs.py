"""The pages as `make docs` builds them: they fetch nothing, name everything, and their instruments play."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import reluquant
from reluquant import datasets
from tests.browser.lab import screenshot

ROOT = Path(__file__).resolve().parents[2]
CURVE = """() => [...document.querySelectorAll('svg[data-panel=function] path')]
  .find(path => path.getAttribute('stroke-width') === '3')?.getAttribute('d')"""
# One page of each kind.
LOOKED_AT = ("index", "start", "concepts", "howto/greedy", "api/reluquant.gradient_flow", "theory", "architecture",
             "course/00_quickstart", "claims")  # fmt: skip
INSTRUMENTS = ("explorer", "directions", "interpolation", "sectors", "greedy", "scales", "family")
# What a page loads by itself; a link that is followed by a click may lead anywhere.
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
          "embed": "src", "object": "data", "link": "href", "image": "href"}  # fmt: skip
NOT_LOADED = {"next", "prev", "index", "search", "author", "canonical"}
ELSEWHERE = re.compile(r"(https?:)?//")

# Building takes a minute, and two more where nothing is compiled yet.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    pytest.importorskip("pydata_sphinx_theme", reason="The pages need the group docs: `make docs` installs it.")
    folder = tmp_path_factory.mktemp("site")
    options = ["-W", "--keep-going", "-n", "-q", "-b", "html", "-d", folder / "doctrees"]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ROOT / "docs", folder / "html"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "html"


class Loads(HTMLParser):
    """Collects the addresses from which a page loads scripts, styles, pictures and frames."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "link" and given.get("rel") in NOT_LOADED:
            return
        if LOADED.get(tag) in given:
            self.addresses.append(given[LOADED[tag]] or "")
        self.addresses += re.findall(r"url\(['\"]?([^)'\"]+)", given.get("style") or "")


def test_the_collector_sees_what_is_loaded():
    text = '<a href="https://a.org"><script src="//b.org/x.js"></script><img src="c.png"><link rel="stylesheet" href="http://d">'
    assert [address for address in Loads(text).addresses if ELSEWHERE.match(address)] == ["//b.org/x.js", "http://d"]


def test_no_page_loads_anything_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 80
    loaded = {
        (str(page.relative_to(site)), address)
        for page in pages
        for address in Loads(page.read_text(encoding="utf-8")).addresses
    }
    sheets = {
        (str(sheet.relative_to(site)), address)
        for sheet in site.rglob("*.css")
        for address in re.findall(r"(?:url\(|@import )['\"]?([^)'\";]+)", sheet.read_text(encoding="utf-8"))
    }
    assert any(address.endswith(".js") for _, address in loaded)
    assert not {(page, address) for page, address in loaded | sheets if ELSEWHERE.match(address)}


def test_every_public_name_has_its_place(site):
    text = "".join(page.read_text(encoding="utf-8") for page in (site / "api").glob("*.html"))
    names = [f"reluquant.{name}" for name in reluquant.__all__ if name not in ("__version__", "course", "datasets")]
    names += [f"reluquant.datasets.{name}" for name in datasets.__all__]
    assert [name for name in [*names, "reluquant.course.check"] if f'id="{name}"' not in text] == []


@pytest.mark.browser
def test_pages_open_without_errors_and_ask_for_files_only(site, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for name in LOOKED_AT:
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_selector("h1")
        # What is loaded late: frames, fonts of formulas.
        page.wait_for_timeout(700)
        screenshot(page, f"docs-{name.replace('/', '-')}")
    assert len(asked) > len(LOOKED_AT)
    assert [address for address in asked if not address.startswith(site.as_uri())] == []


@pytest.mark.browser
def test_formulas_are_set(site, page):
    page.goto((site / "theory.html").as_uri())
    page.wait_for_selector("mjx-container svg, mjx-container mjx-math")
    page.wait_for_function("() => !document.querySelector('article').innerText.includes('\\\\tilde')")


@pytest.mark.browser
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_stands_in_its_page(site, page, name):
    page.goto((site / "howto" / f"{name}.html").as_uri())
    frame = page.frame_locator("iframe.rq-frame")
    frame.locator("svg.rq-scene").first.wait_for()
    assert frame.locator("[role=status]").inner_text()


@pytest.mark.browser
def test_an_instrument_plays_with_no_kernel(site, page):
    page.goto((site / "howto" / "explorer.html").as_uri())
    page.frame_locator("iframe.rq-frame").locator("svg.rq-scene").first.wait_for()
    (frame,) = [frame for frame in page.frames if "_frames" in frame.url]
    end = frame.evaluate(CURVE)
    frame.get_by_role("button", name="Play or pause").click()
    page.wait_for_timeout(1000)
    assert frame.evaluate(CURVE) != end
    frame.get_by_role("button", name="Play or pause").click()
    slider = frame.get_by_role("slider")
    slider.focus()
    page.keyboard.press("End")
    assert frame.evaluate(CURVE) == end


@pytest.mark.browser
def test_a_frame_wears_the_theme_that_the_reader_chooses(site, page):
    page.goto((site / "concepts.html").as_uri())
    page.frame_locator("iframe.rq-frame").locator("svg.rq-scene").first.wait_for()
    (frame,) = [frame for frame in page.frames if "_frames" in frame.url]
    for theme, paper in (("dark", "rgb(17, 17, 17)"), ("light", "rgb(255, 255, 255)"), ("dark", "rgb(17, 17, 17)")):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        frame.wait_for_function("paper => getComputedStyle(document.body).backgroundColor === paper", arg=paper)
