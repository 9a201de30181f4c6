from itertools import product

import numpy as np
import pytest
from matplotlib import rc_context, style
from matplotlib.colors import to_rgb

from reluquant.views import theme
from reluquant.views.sheet import explain, headline, legend_above, palette, seeds, sheet


def luminance(colour: str) -> float:
    """As the Web Content Accessibility Guidelines 2.1 define it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_colours_follow_the_style():
    assert palette() is theme.LIGHT
    with style.context("dark_background"):
        assert palette() is theme.DARK
    with rc_context({"figure.facecolor": "none", "axes.facecolor": "none"}):
        assert palette() is theme.LIGHT


@pytest.mark.parametrize("name", ["ink", "muted", "interpolant", "positive", "negative"])
def test_all_dark_colours_stand_out_and_stay_apart(name):
    for paper in (theme.DARK.paper, "#000000"):
        assert (luminance(getattr(theme.DARK, name)) + 0.05) / (luminance(paper) + 0.05) >= 4.5
    others = {getattr(theme.DARK, other) for other in ("ink", "muted", "interpolant", "positive", "negative")}
    assert len(others) == 5


def test_a_sheet_has_its_panels_row_by_row_without_frames():
    figure, panels = sheet(4.0, 3.0, 2, 2, sharex=True)
    assert figure.get_size_inches().tolist() == [4.0, 3.0]
    assert panels == figure.axes
    assert not any(axes.spines[side].get_visible() for axes, side in product(panels, ("top", "right")))
    explain(panels[0], "o", color="k", label="a run")
    legend_above(panels[0])
    headline(figure, f"runs, {seeds(1)}")
    assert [text.get_text() for text in panels[0].get_legend().get_texts()] == ["a run"]
    assert figure.get_suptitle() == "runs, 1 seed each"
    assert seeds(2) == "2 seeds each"
