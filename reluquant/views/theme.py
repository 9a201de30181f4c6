"""One meaning per mark, the same in every view.

Colours are those of Okabe and Ito, which stay apart for colour-blind readers; a side (up or
down, outwards or inwards) or a shape says the same thing a second time. Filled is what
happened, hollow is what is predicted; the area of a mark is mass.
"""

from __future__ import annotations

from dataclasses import dataclass

# On paper (matplotlib, light theme).
INK = "#212121"
MUTED = "#8a8a8a"
INTERPOLANT = "#009E73"
POSITIVE = "#0072B2"
NEGATIVE = "#D55E00"
PAPER = "#ffffff"
DIFFERENCE = "#CC79A7"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours that stay apart and stand out from one paper."""

    ink: str
    muted: str
    interpolant: str
    positive: str
    negative: str
    paper: str
    difference: str


LIGHT = Palette(INK, MUTED, INTERPOLANT, POSITIVE, NEGATIVE, PAPER, DIFFERENCE)
# The lighter neighbours of the same hues, for a contrast of at least 4.5 : 1.
DARK = Palette("#ededed", "#8f8f8f", "#2fc79b", "#56b4e9", "#ff8a3d", "#111111", "#e39cc4")

# In a notebook every colour is a CSS variable, since marks of bqplot do not follow the theme of
# the page by themselves. The fallbacks are for pages that lack the style sheet below.
CSS_INK = f"var(--rq-ink, {INK})"
CSS_MUTED = f"var(--rq-muted, {MUTED})"
CSS_INTERPOLANT = f"var(--rq-interpolant, {INTERPOLANT})"
CSS_POSITIVE = f"var(--rq-positive, {POSITIVE})"
CSS_NEGATIVE = f"var(--rq-negative, {NEGATIVE})"
CSS_PAPER = f"var(--rq-paper, {PAPER})"
CSS_DIFFERENCE = f"var(--rq-difference, {DIFFERENCE})"

# What changes on dark paper.
ON_DARK = " ".join(
    f"--rq-{name}: {getattr(DARK, name)};" for name in ("muted", "interpolant", "positive", "negative", "difference")
)

# Ink and paper follow Jupyter's own variables.
STYLE_SHEET = f"""
.reluquant {{
  --rq-ink: var(--jp-ui-font-color0, {INK}); --rq-paper: var(--jp-layout-color0, {PAPER});
  --rq-muted: {MUTED}; --rq-interpolant: {INTERPOLANT}; --rq-positive: {POSITIVE}; --rq-negative: {NEGATIVE};
  --rq-difference: {DIFFERENCE};
}}
[data-jp-theme-light="false"] .reluquant {{ {ON_DARK} }}
"""

NETWORK_WIDTH = 3.0
INTERPOLANT_WIDTH = 1.6
THIN = 1.0

# The names by which a mark of a scene calls its colour.
COLOURS = tuple(Palette.__dataclass_fields__)

# Pictures made of pixels cannot follow the theme of the page: hues between those of light and of dark paper.
PIXEL_COLOURS = {1: "#2B93CE", -1: "#EA741F", 0: MUTED}
# Classes, in pictures made of pixels: Paul Tol's muted scheme, which stays apart for colour-blind readers. From the
# eleventh class on they come again, so that a class is always named, too.
CLASS_COLOURS = (
    "#88CCEE", "#CC6677", "#DDCC77", "#44AA99", "#AA4499", "#999933", "#6C5FBC", "#CFCFCF", "#117733", "#882255",
)  # fmt: skip

SIGN_COLOURS = {1: POSITIVE, -1: NEGATIVE}
CSS_SIGN_COLOURS = {1: CSS_POSITIVE, -1: CSS_NEGATIVE}

# Axes of bqplot: its labels are orange in the dark theme unless told otherwise.
AXIS = {"grid_lines": "none", "label_color": CSS_INK}

# The rug of kinks, in shares of the height of its panel: the line on which ticks stand, the longest tick,
# how far off the line diamonds sit (so that both signs on one data point are seen).
RUG_LINE, RUG_REACH, DIAMOND_LIFT = 0.09, 0.075, 0.025
# Length of the tick of a kink with next to no mass, as a share of the longest.
SHORTEST_TICK = 0.12

# Radii of the circle panel, in a square of half-width 1: rays, and the names of the samples at their ends.
RAY_START, RAY_END, LABEL_RADIUS = 0.30, 0.915, 0.985
# More names than this along the rim run into each other.
MOST_LABELS = 16
