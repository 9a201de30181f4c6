"""How Sphinx builds these pages: `make docs`, warnings are errors, and nothing is fetched by a reader's browser."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

import reluquant  # noqa: E402

project = "reluquant"
author = "The reluquant developers"
project_copyright = author
version = release = reluquant.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    # MathJax beside the pages, not from a server of others.
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "api_pages",
    "course_pages",
    "instrument",
]
exclude_patterns = ["_build", "_ext"]

# --- text ---------------------------------------------------------------------------------------

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

# --- notebooks ----------------------------------------------------------------------------------

nb_execution_mode = "force" if os.environ.get("RELUQUANT_DOCS_EXECUTE") == "1" else "off"
nb_execution_raise_on_error = True
nb_execution_timeout = 900
# A widget's manager would come from a server of others; beside each widget lies a picture, which is shown.
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

# --- docstrings ---------------------------------------------------------------------------------

autodoc_typehints = "none"
autodoc_member_order = "bysource"
# Only names that docstrings mention by role are links; parameters' types are words.
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# --- pages --------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = "reluquant"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["frames.js"]
# Both are the reader's system's until they choose.
html_context = {"default_mode": "auto"}
html_sidebars = {"index": [], "start": [], "concepts": []}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_persistent": [],
    "header_links_before_dropdown": 7,
    "navbar_end": ["search-button", "theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "navigation_with_keys": False,
}
