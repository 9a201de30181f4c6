"""A directive that runs a piece of code and shows the instrument it ends in, playing with no kernel.

```{instrument}
:height: 500

import reluquant as rq

rq.SectorExplorer(rq.datasets.zigzag())
```
"""

import ast
import html
import shutil
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import reluquant

FOLDER = "_frames"
# Seconds for everything that an instrument computes and draws, compilation included.
PATIENCE = 600
HEIGHT = 720
# A page is made anew when anything in here has changed.
PACKAGE = Path(reluquant.__file__).parent


def value_of(code: str) -> object:
    """Run code; its last line is an expression, whose value is returned."""
    *body, last = ast.parse(code).body
    if not isinstance(last, ast.Expr):
        raise ValueError(f"The last line must be an instrument, but is: {ast.unparse(last)}")
    names: dict = {}
    exec(compile(ast.Module(body, []), "<instrument>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<instrument>", "eval"), names)


def kernel_free_page(code: str) -> str:
    """The page of the instrument that code ends in."""
    instrument = value_of(code)
    try:
        instrument.wait(PATIENCE)
        return instrument.to_html()
    finally:
        instrument.close()


class Instrument(SphinxDirective):
    """The code as it stands, and below it a frame that plays what it makes."""

    has_content = True
    option_spec = {"height": directives.nonnegative_int}  # noqa: RUF012 - docutils wants a plain dict

    def run(self) -> list[nodes.Node]:
        """Called by docutils."""
        for path in (Path(__file__), *PACKAGE.rglob("*.*")):
            if path.suffix in (".py", ".js", ".css", ".html"):
                self.env.note_dependency(str(path))
        code = "\n".join(self.content)
        try:
            page = kernel_free_page(code)
        except Exception as error:
            raise self.error(f"This instrument failed: {type(error).__name__}: {error}") from error
        name = f"{self.env.docname.replace('/', '-')}-{self.env.new_serialno('instrument')}.html"
        frames = frames_of(self.env.app)
        frames.mkdir(parents=True, exist_ok=True)
        (frames / name).write_text(page, encoding="utf-8")
        source = "../" * self.env.docname.count("/") + f"{FOLDER}/{name}"
        title = html.escape(f"{self.content[-1]}, playing with no kernel")
        frame = (
            f'<iframe class="rq-frame" src="{source}" title="{title}" loading="lazy" '
            f'height="{self.options.get("height", HEIGHT)}"></iframe>'
        )
        shown = nodes.literal_block(code, code, language="python")
        return [shown, nodes.raw("", frame, format="html")]


def frames_of(app: Sphinx) -> Path:
    """Where frames wait: beside the read documents, so that both are there or neither."""
    return Path(app.doctreedir) / FOLDER


def copy_frames(app: Sphinx, error: Exception | None) -> None:
    """Put the frames beside the pages."""
    if error is None and app.builder.format == "html" and frames_of(app).is_dir():
        shutil.copytree(frames_of(app), Path(app.outdir) / FOLDER, dirs_exist_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("instrument", Instrument)
    app.connect("build-finished", copy_frames)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
