"""The course's notebooks as pages: they live outside of the docs, and are copied in for a build."""

from pathlib import Path

from sphinx.application import Sphinx

INDEX = """# Course

Notebooks that play first, state a claim, check it, and end in exercises with solutions. `reluquant lab` opens them, to
be run and changed; here they can be read.

```{toctree}
"""


def write_course(app: Sphinx) -> None:
    """Make docs/course hold the numbered notebooks and no others, and a page that lists them."""
    source = Path(app.srcdir)
    folder = source / "course"
    folder.mkdir(exist_ok=True)
    notebooks = sorted((source.parent / "notebooks").glob("[0-9]*.ipynb"))
    # Links to other pages are right in the repository, from where a notebook lies there.
    lessons = {notebook.name: notebook.read_bytes().replace(b"](../docs/", b"](../") for notebook in notebooks}
    names = [Path(name).stem for name in lessons]
    if (source / "instructor.md").exists():
        names.append("/instructor")
    texts = {**lessons, "index.md": (INDEX + "\n".join(names) + "\n```\n").encode()}
    for stale in {path.name for path in folder.iterdir() if path.is_file()} - set(texts):
        (folder / stale).unlink()
    for name, text in texts.items():
        # An untouched copy keeps its date, so that Sphinx does not read it again.
        if not (folder / name).exists() or (folder / name).read_bytes() != text:
            (folder / name).write_bytes(text)


def link_to_the_copies(app: Sphinx, docname: str, source: list[str]) -> None:
    """Point links at a notebook, which are right in the repository, at its page."""
    source[0] = source[0].replace("](../notebooks/", "](/course/")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write_course)
    app.connect("source-read", link_to_the_copies)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
