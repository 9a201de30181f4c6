"""The legend: one line of HTML, in the colours and shapes of the theme."""

from __future__ import annotations

from reluquant.views import theme


def _swatch(drawing: str, text: str) -> str:
    icon = f'<svg width="22" height="14" viewBox="0 0 22 14" aria-hidden="true">{drawing}</svg>'
    return f'<span style="white-space:nowrap;margin-right:14px">{icon} {text}</span>'


def _line(colour: str, width: float, dash: str = "") -> str:
    return f'<path d="M1 7H21" style="stroke:{colour}" stroke-width="{width}" stroke-dasharray="{dash}"/>'


def _tick(path: str, colour: str) -> str:
    return f'<path d="{path}" style="stroke:{colour}" stroke-width="2.2"/>'


LEGEND = "".join(
    [
        '<div class="rq-legend">',
        _swatch(_line(theme.CSS_INK, theme.NETWORK_WIDTH), "network"),
        _swatch(_line(theme.CSS_INTERPOLANT, theme.INTERPOLANT_WIDTH, "5 3"), "interpolant"),
        _swatch(f'<circle cx="11" cy="7" r="5" style="fill:{theme.CSS_INK}"/>', "data (drag)"),
        _swatch(_tick("M11 12V1", theme.CSS_POSITIVE) + _line(theme.CSS_MUTED, 0), "kinks, a &gt; 0"),
        _swatch(_tick("M11 2V13", theme.CSS_NEGATIVE), "kinks, a &lt; 0"),
        _swatch(
            f'<path d="M5 7L9 2L13 7L9 12Z" style="fill:{theme.CSS_POSITIVE}"/>'
            f'<path d="M11 7L15 2L19 7L15 12Z" style="fill:{theme.CSS_NEGATIVE}"/>',
            "kinks held on a data point",
        ),
        _swatch(
            f'<circle cx="6" cy="7" r="4" fill="none" style="stroke:{theme.CSS_POSITIVE}" stroke-width="2"/>'
            f'<circle cx="16" cy="7" r="4" fill="none" style="stroke:{theme.CSS_NEGATIVE}" stroke-width="2"'
            ' stroke-dasharray="3 2"/>',
            "where neurons turn to (predicted)",
        ),
        _swatch(
            f'<rect x="2" y="3" width="9" height="8" style="fill:{theme.CSS_POSITIVE}"/>'
            f'<rect x="11" y="3" width="9" height="8" style="fill:{theme.CSS_POSITIVE}" fill-opacity="0.45"/>',
            "arrived | still turning",
        ),
        _swatch(f'<path d="M7 3L15 11M7 11L15 3" style="stroke:{theme.CSS_MUTED}" stroke-width="2"/>', "dead"),
        _swatch(
            f'<path d="M2 7L6 2L10 7L6 12Z" fill="none" style="stroke:{theme.CSS_DIFFERENCE}" stroke-width="1.6"/>'
            f'<path d="M12 7L16 2L20 7L16 12Z" style="fill:{theme.CSS_DIFFERENCE}"/>',
            "escape, predicted | came",
        ),
        "</div>",
    ]
)

STYLE = f"""<style>{theme.STYLE_SHEET}
.reluquant .rq-legend, .reluquant .rq-status {{ font-size: 12px; line-height: 18px; color: var(--jp-ui-font-color1); }}
.reluquant .rq-alert {{
  font-size: 13px; line-height: 18px; padding: 4px 10px; border-left: 4px solid var(--jp-error-color1, #d32f2f);
  color: var(--jp-ui-font-color0); background: var(--jp-layout-color2);
}}
.reluquant .rq-busy {{ font-size: 12px; color: var(--jp-ui-font-color2); }}
</style>"""
